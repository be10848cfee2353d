/* SPDX-License-Identifier: MIT */
/* The keyboard at its cable; test_i8042.c has it behind its controller. */
#include "devices/ps2kbd.h"
#include "tests/support/device_state.h"

struct board {
    struct ps2kbd *kbd;
    unsigned calls; /* how often it asked to be heard */
};

static void spy_ready(void *ctx, unsigned pin, bool level)
{
    (void)pin;
    ((struct board *)ctx)->calls += level;
}

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));
    struct ps2kbd_desc desc = {.ready = {.set = spy_ready, .ctx = b}};

    *state = b;
    return ps2kbd_create(&b->kbd, &desc);
}

static int teardown(void **state)
{
    struct board *b = *state;

    ps2kbd_class.destroy(b->kbd);
    free(b);
    return 0;
}

static int take(struct board *b)
{
    return ps2kbd_ops.pending(b->kbd) ? ps2kbd_ops.take(b->kbd) : -1;
}

static void send(struct board *b, u8 byte)
{
    ps2kbd_ops.write(b->kbd, byte);
}

static void it_asks_to_be_heard(void **state)
{
    struct board *b = *state;

    assert_int_equal(take(b), -1);
    ps2kbd_key(b->kbd, 0x1e, true);
    assert_int_equal(b->calls, 1);
    assert_int_equal(take(b), 0x1c);
    assert_int_equal(take(b), -1);
    send(b, 0xee);
    assert_int_equal(b->calls, 2);
    assert_int_equal(take(b), 0xee);
}

static void resend_repeats_the_last_byte(void **state)
{
    struct board *b = *state;

    ps2kbd_key(b->kbd, 0x1e, true);
    take(b);
    send(b, 0xfe);
    assert_int_equal(take(b), 0x1c);
}

static void a_command_in_place_of_data_is_a_command(void **state)
{
    struct board *b = *state;

    send(b, 0xed);
    assert_int_equal(take(b), 0xfa);
    send(b, 0xee);
    assert_int_equal(take(b), 0xee);
    send(b, 0x07); /* no longer data for the lights */
    assert_int_equal(take(b), 0xfe);
    assert_int_equal(ps2kbd_leds(b->kbd), 0);
}

static void an_overrun_keeps_what_came_before_whole(void **state)
{
    struct board *b = *state;

    send(b, 0xf0);
    send(b, 0x01);
    take(b), take(b);
    for (unsigned i = 0; i < 15; i++)
        assert_true(ps2kbd_key(b->kbd, 0x1e, true));
    assert_false(ps2kbd_key(b->kbd, 0xe048, true)); /* two bytes, one free */
    assert_false(ps2kbd_key(b->kbd, 0x1e, true));   /* nothing passes the overrun */
    for (unsigned i = 0; i < 15; i++)
        assert_int_equal(take(b), 0x1e);
    assert_int_equal(take(b), 0xff);
    assert_int_equal(take(b), -1);
    assert_true(ps2kbd_key(b->kbd, 0x1e, false));
    assert_int_equal(take(b), 0x9e);
}

static void unknown_keys_are_ignored(void **state)
{
    struct board *b = *state;

    for (unsigned key = 0; key < 0x10000; key += 0x80) {
        if (key != 0xe000)
            assert_true(ps2kbd_key(b->kbd, key, true));
    }
    assert_int_equal(take(b), -1);
}

static void a_reset_forgets_everything(void **state)
{
    struct board *b = *state;

    send(b, 0xed);
    send(b, 0x07);
    send(b, 0xf0);
    send(b, 0x01);
    ps2kbd_key(b->kbd, 0x1e, true);
    send(b, 0xff);
    assert_int_equal(take(b), 0xfa);
    assert_int_equal(take(b), 0xaa);
    assert_int_equal(take(b), -1);
    assert_int_equal(ps2kbd_leds(b->kbd), 0);
    ps2kbd_key(b->kbd, 0x1e, true);
    assert_int_equal(take(b), 0x1c);
}

static void state_survives_a_save_and_a_load(void **state)
{
    struct board *b = *state;
    struct ps2kbd_desc desc = {.ready = {0}};
    struct board c = {0};

    assert_int_equal(ps2kbd_create(&c.kbd, &desc), STATUS_OK);
    ps2kbd_key(b->kbd, 0x1d, true);
    ps2kbd_key(b->kbd, 0xe048, true);
    take(b);
    send(b, 0xed);
    check_save_load(&ps2kbd_class, b->kbd, c.kbd);
    send(&c, 0x02);
    assert_int_equal(take(&c), 0xfa);
    assert_int_equal(take(&c), 0xfa);
    assert_int_equal(take(&c), 0xe0);
    assert_int_equal(take(&c), 0x75);
    ps2kbd_key(c.kbd, PS2KBD_PAUSE, true); /* Ctrl is still down */
    assert_int_equal(take(&c), 0xe0);
    assert_int_equal(take(&c), 0x7e);
    ps2kbd_class.destroy(c.kbd);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(it_asks_to_be_heard),
        T(resend_repeats_the_last_byte),
        T(a_command_in_place_of_data_is_a_command),
        T(an_overrun_keeps_what_came_before_whole),
        T(unknown_keys_are_ignored),
        T(a_reset_forgets_everything),
        T(state_survives_a_save_and_a_load),
    };
    return cmocka_run_group_tests_name("ps2kbd", tests, NULL, NULL);
}
