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

/* Korean keyboards have had two keys more since [PS2-TRM]. */
static void korean_keys_have_one_byte_and_do_not_go_up(void **state)
{
    struct board *b = *state;

    ps2kbd_key(b->kbd, PS2KBD_HANGUL, true);
    ps2kbd_key(b->kbd, PS2KBD_HANGUL, false);
    ps2kbd_key(b->kbd, PS2KBD_HANJA, true);
    ps2kbd_key(b->kbd, PS2KBD_HANJA, false);
    assert_int_equal(take(b), 0xf2);
    assert_int_equal(take(b), 0xf1);
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

/* Commands and their data, each acknowledged. */
static void command(struct board *b, const char *bytes)
{
    for (const char *p = bytes; *p; p++) {
        send(b, (u8)*p);
        assert_int_equal(take(b), 0xfa);
    }
    assert_int_equal(take(b), -1);
}

/* A key goes down, repeats, and goes up: what the keyboard says to each, -1 for nothing. */
static void check_kind(struct board *b, unsigned key, int code, bool repeats, bool breaks)
{
    ps2kbd_key(b->kbd, key, true);
    assert_int_equal(take(b), code);
    assert_int_equal(take(b), -1);
    ps2kbd_key(b->kbd, key, true);
    assert_int_equal(take(b), repeats ? code : -1);
    assert_int_equal(take(b), -1);
    ps2kbd_key(b->kbd, key, false);
    if (breaks) {
        assert_int_equal(take(b), 0xf0);
        assert_int_equal(take(b), code);
    }
    assert_int_equal(take(b), -1);
}

static void set_3_has_its_own_codes_and_kinds_of_keys(void **state)
{
    struct board *b = *state;

    command(b, "\xf0\x03");
    check_kind(b, 0x1e, 0x1c, true, false);   /* A */
    check_kind(b, 0xe048, 0x63, true, false); /* cursor up: no prefix */
    check_kind(b, 0xe04d, 0x6a, true, false);
    check_kind(b, 0x4e, 0x7c, true, false); /* keypad + */
    check_kind(b, 0x1d, 0x11, false, true); /* left Ctrl */
    check_kind(b, 0x2a, 0x12, false, true);
    check_kind(b, 0x3a, 0x14, false, true);
    check_kind(b, 0xe01d, 0x58, false, false); /* right Ctrl */
    check_kind(b, 0x3b, 0x07, false, false);   /* F1 */
    check_kind(b, 0x58, 0x5e, false, false);   /* F12 */
    check_kind(b, 0x47, 0x6c, false, false);   /* keypad 7 */
    check_kind(b, 0xe047, 0x6e, false, false); /* Home */
    check_kind(b, 0xe053, 0x64, true, false);  /* Delete */
    check_kind(b, 0x4a, 0x84, false, false);   /* keypad - */
    check_kind(b, PS2KBD_PRINT_SCREEN, 0x57, false, false);
    ps2kbd_key(b->kbd, 0x38, true); /* with Alt it is the same key */
    assert_int_equal(take(b), 0x19);
    check_kind(b, PS2KBD_PRINT_SCREEN, 0x57, false, false);
}

static void pause_need_not_go_up_in_set_3(void **state)
{
    struct board *b = *state;

    command(b, "\xf0\x03");
    for (unsigned i = 0; i < 2; i++) {
        ps2kbd_key(b->kbd, PS2KBD_PAUSE, true);
        assert_int_equal(take(b), 0x62);
        assert_int_equal(take(b), -1);
    }
}

static void all_keys_or_some_get_another_kind(void **state)
{
    struct board *b = *state;

    command(b, "\xf0\x03\xf7");
    check_kind(b, 0x1d, 0x11, true, false);
    command(b, "\xf8");
    check_kind(b, 0x1e, 0x1c, false, true);
    command(b, "\xf9");
    check_kind(b, 0x1d, 0x11, false, false);
    command(b, "\xfa");
    check_kind(b, 0x1e, 0x1c, true, true);
    command(b, "\xfb\x1c\x32"); /* A and B, and no others */
    check_kind(b, 0x1e, 0x1c, true, false);
    check_kind(b, 0x30, 0x32, true, false);
    check_kind(b, 0x2e, 0x21, true, true);
    command(b, "\xfc\x1c\xfd\x32");
    check_kind(b, 0x1e, 0x1c, false, true);
    check_kind(b, 0x30, 0x32, false, false);
    command(b, "\xf6\xf0\x03"); /* defaults, set 2 among them */
    check_kind(b, 0x1e, 0x1c, true, false);
}

static void a_key_that_set_3_does_not_have_ends_the_list(void **state)
{
    struct board *b = *state;

    command(b, "\xf0\x03\xfc\x1c");
    send(b, 0x90);
    assert_int_equal(take(b), 0xfe);
    send(b, 0x32);
    assert_int_equal(take(b), 0xfe); /* neither a key any more nor a command */
    check_kind(b, 0x30, 0x32, true, false);
}

static void kinds_of_keys_are_for_set_3_only(void **state)
{
    struct board *b = *state;

    command(b, "\xf9");
    check_kind(b, 0x1e, 0x1c, true, true);
    command(b, "\xf0\x03");
    check_kind(b, 0x1e, 0x1c, false, false);
}

static void each_key_has_another_code_in_set_3(void **state)
{
    unsigned seen[PS2_SET3_CODES] = {0};

    (void)state;
    for (unsigned key = 0; key < 0xe080; key++) {
        unsigned code = ps2_set3_code(key);
        assert_true(code < PS2_SET3_CODES);
        if (!code || key == 0x54) /* SysRq is a name of PrintScreen's */
            continue;
        assert_int_equal(seen[code], 0);
        seen[code] = key;
    }
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
        T(korean_keys_have_one_byte_and_do_not_go_up),
        T(a_reset_forgets_everything),
        T(set_3_has_its_own_codes_and_kinds_of_keys),
        T(pause_need_not_go_up_in_set_3),
        T(all_keys_or_some_get_another_kind),
        T(a_key_that_set_3_does_not_have_ends_the_list),
        T(kinds_of_keys_are_for_set_3_only),
        T(each_key_has_another_code_in_set_3),
        T(state_survives_a_save_and_a_load),
    };
    return cmocka_run_group_tests_name("ps2kbd", tests, NULL, NULL);
}
