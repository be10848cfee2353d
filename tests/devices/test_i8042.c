/* SPDX-License-Identifier: MIT */
#include "devices/i8042.h"
#include "devices/ps2kbd.h"
#include "tests/support/device_state.h"

#define MS 1000000ull

struct board {
    struct ioport_bus *io;
    struct clock clk;
    struct i8042 *kbc;
    struct ps2kbd *kbd;
    struct spy irq1, irq12, a20, reset;
};

static void out(struct board *b, u16 port, u8 val)
{
    ioport_write(b->io, port, val, W8);
}

static u8 in(struct board *b, u16 port)
{
    return (u8)ioport_read(b->io, port, W8);
}

/* Let a millisecond pass, enough for a byte and for a swallowed prefix; -1 if none came. */
static int get(struct board *b)
{
    clock_run(&b->clk, 1 * MS);
    return in(b, 0x64) & 0x01 ? in(b, 0x60) : -1;
}

static void expect(struct board *b, const char *bytes, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(get(b), (u8)bytes[i]);
    assert_int_equal(get(b), -1);
}

#define EXPECT(b, string) expect(b, string, sizeof(string) - 1)

static void set_ccb(struct board *b, u8 val)
{
    out(b, 0x64, 0x60);
    out(b, 0x60, val);
}

static void create(struct board *b)
{
    b->io = ioport_create();
    clock_init(&b->clk, CLOCK_RATIO_DEFAULT);
    struct i8042_desc desc = {
        .io = b->io,
        .clk = &b->clk,
        .irq1 = spy_line(&b->irq1),
        .irq12 = spy_line(&b->irq12),
        .a20 = spy_line(&b->a20),
        .reset = spy_line(&b->reset),
    };
    assert_int_equal(i8042_create(&b->kbc, &desc), STATUS_OK);
    struct ps2kbd_desc kbd_desc = {
        .ready = {.set = i8042_device_ready, .ctx = b->kbc, .pin = I8042_KEYBOARD}};
    assert_int_equal(ps2kbd_create(&b->kbd, &kbd_desc), STATUS_OK);
    i8042_attach(b->kbc, I8042_KEYBOARD, &ps2kbd_ops, b->kbd);
}

static void destroy(struct board *b)
{
    ps2kbd_class.destroy(b->kbd);
    i8042_class.destroy(b->kbc);
    ioport_destroy(b->io);
}

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    create(b);
    set_ccb(b, 0x45); /* as a BIOS leaves it: translated, IRQ 1 */
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    destroy(*state);
    free(*state);
    return 0;
}

static void self_tests_pass(void **state)
{
    struct board *b = *state;

    out(b, 0x64, 0xaa);
    assert_int_equal(in(b, 0x64) & 0x05, 0x05);
    assert_int_equal(in(b, 0x60), 0x55);
    out(b, 0x64, 0xab);
    assert_int_equal(in(b, 0x60), 0x00);
    out(b, 0x64, 0xa9);
    assert_int_equal(in(b, 0x60), 0x00);
    assert_int_equal(in(b, 0x64), 0x1c);
}

static void the_command_byte_reads_back(void **state)
{
    struct board *b = *state;

    set_ccb(b, 0x47);
    out(b, 0x64, 0x20);
    assert_int_equal(in(b, 0x60), 0x47);
    out(b, 0x64, 0xad);
    out(b, 0x64, 0xa7);
    out(b, 0x64, 0x20);
    assert_int_equal(in(b, 0x60), 0x77);
    out(b, 0x64, 0x65);
    out(b, 0x60, 0xaa);
    out(b, 0x64, 0x25);
    assert_int_equal(in(b, 0x60), 0xaa);
}

static void a_key_arrives_translated_with_irq_1(void **state)
{
    struct board *b = *state;

    assert_true(ps2kbd_key(b->kbd, 0x1e, true));
    assert_false(b->irq1.level);
    clock_run(&b->clk, 1 * MS);
    assert_true(b->irq1.level);
    assert_int_equal(in(b, 0x64), 0x15);
    assert_int_equal(in(b, 0x60), 0x1e);
    assert_false(b->irq1.level);
    assert_int_equal(in(b, 0x64), 0x14);
    ps2kbd_key(b->kbd, 0x1e, false);
    EXPECT(b, "\x9e");
    ps2kbd_key(b->kbd, 0xe048, true);
    ps2kbd_key(b->kbd, 0xe048, false);
    EXPECT(b, "\xe0\x48\xe0\xc8");
    ps2kbd_key(b->kbd, 0x41, true);
    ps2kbd_key(b->kbd, 0x41, false);
    EXPECT(b, "\x41\xc1");
}

static void every_key_survives_the_round_trip(void **state)
{
    struct board *b = *state;

    for (unsigned key = 1; key < 0x59; key++) {
        if (key == 0x55 || key == 0x56)
            continue;
        ps2kbd_key(b->kbd, key, true);
        assert_int_equal(get(b), key);
        ps2kbd_key(b->kbd, key, false);
        assert_int_equal(get(b), key | 0x80);
    }
}

static void untranslated_codes_are_set_2(void **state)
{
    struct board *b = *state;

    set_ccb(b, 0x05);
    ps2kbd_key(b->kbd, 0x1e, true);
    ps2kbd_key(b->kbd, 0x1e, false);
    ps2kbd_key(b->kbd, 0x41, true);
    EXPECT(b, "\x1c\xf0\x1c\x83");
    ps2kbd_key(b->kbd, PS2KBD_PAUSE, true);
    ps2kbd_key(b->kbd, PS2KBD_PAUSE, false);
    EXPECT(b, "\xe1\x14\x77\xe1\xf0\x14\xf0\x77");
}

static void pause_and_print_screen_are_special(void **state)
{
    struct board *b = *state;

    ps2kbd_key(b->kbd, PS2KBD_PAUSE, true);
    EXPECT(b, "\xe1\x1d\x45\xe1\x9d\xc5");
    ps2kbd_key(b->kbd, 0x1d, true);
    ps2kbd_key(b->kbd, PS2KBD_PAUSE, true);
    ps2kbd_key(b->kbd, 0x1d, false);
    EXPECT(b, "\x1d\xe0\x46\xe0\xc6\x9d");
    ps2kbd_key(b->kbd, PS2KBD_PRINT_SCREEN, true);
    ps2kbd_key(b->kbd, PS2KBD_PRINT_SCREEN, false);
    EXPECT(b, "\xe0\x2a\xe0\x37\xe0\xb7\xe0\xaa");
    ps2kbd_key(b->kbd, 0x38, true);
    ps2kbd_key(b->kbd, PS2KBD_PRINT_SCREEN, true);
    ps2kbd_key(b->kbd, PS2KBD_PRINT_SCREEN, false);
    EXPECT(b, "\x38\x54\xd4");
}

static void keyboard_commands_are_answered(void **state)
{
    struct board *b = *state;

    set_ccb(b, 0x05);
    out(b, 0x60, 0xff);
    EXPECT(b, "\xfa\xaa");
    out(b, 0x60, 0xf2);
    EXPECT(b, "\xfa\xab\x83");
    out(b, 0x60, 0xee);
    EXPECT(b, "\xee");
    out(b, 0x60, 0xed);
    EXPECT(b, "\xfa");
    out(b, 0x60, 0x06);
    EXPECT(b, "\xfa");
    assert_int_equal(ps2kbd_leds(b->kbd), 6);
    out(b, 0x60, 0xf3);
    EXPECT(b, "\xfa");
    out(b, 0x60, 0x00);
    EXPECT(b, "\xfa");
    out(b, 0x60, 0xfe);
    EXPECT(b, "\xfa");
    out(b, 0x60, 0x01);
    EXPECT(b, "\xfe");
    set_ccb(b, 0x45);
    out(b, 0x60, 0xf2);
    EXPECT(b, "\xfa\xab\x41"); /* translated too, as drivers know */
}

static void scan_code_sets_can_be_chosen(void **state)
{
    struct board *b = *state;

    set_ccb(b, 0x05);
    out(b, 0x60, 0xf0);
    out(b, 0x60, 0x00);
    EXPECT(b, "\xfa\xfa\x02");
    out(b, 0x60, 0xf0);
    out(b, 0x60, 0x01);
    EXPECT(b, "\xfa\xfa");
    ps2kbd_key(b->kbd, 0x1e, true);
    ps2kbd_key(b->kbd, 0xe04b, false);
    EXPECT(b, "\x1e\xe0\xcb");
    out(b, 0x60, 0xf0);
    out(b, 0x60, 0x03);
    EXPECT(b, "\xfa\xfa");
    out(b, 0x60, 0xf0);
    out(b, 0x60, 0x00);
    EXPECT(b, "\xfa\xfa\x03");
    ps2kbd_key(b->kbd, 0xe04b, true);
    EXPECT(b, "\x61");
    out(b, 0x60, 0xf0);
    out(b, 0x60, 0x04);
    EXPECT(b, "\xfa\xfe");
}

static void a_disabled_keyboard_says_nothing(void **state)
{
    struct board *b = *state;

    out(b, 0x60, 0xf5);
    EXPECT(b, "\xfa");
    assert_true(ps2kbd_key(b->kbd, 0x1e, true));
    EXPECT(b, "");
    out(b, 0x60, 0xf4);
    EXPECT(b, "\xfa");
    out(b, 0x64, 0xad); /* the controller holds the clock: the keyboard keeps its byte */
    ps2kbd_key(b->kbd, 0x1f, true);
    EXPECT(b, "");
    out(b, 0x64, 0xae);
    EXPECT(b, "\x1f");
}

static void answers_go_before_keys(void **state)
{
    struct board *b = *state;

    ps2kbd_key(b->kbd, 0x1e, true);
    out(b, 0x60, 0xee);
    EXPECT(b, "\xee\x1e");
}

static void an_answer_does_not_part_a_release_from_its_key(void **state)
{
    struct board *b = *state;

    for (unsigned delay = 0; delay < 300; delay += 20) {
        ps2kbd_key(b->kbd, 0x1e, false);
        clock_run(&b->clk, delay * 1000);
        out(b, 0x60, 0xee);
        int first = get(b);
        int second = get(b);
        assert_true((first == 0xee && second == 0x9e) || (first == 0x9e && second == 0xee));
    }
}

static void the_buffer_overruns(void **state)
{
    struct board *b = *state;

    for (unsigned i = 0; i < 16; i++)
        assert_true(ps2kbd_key(b->kbd, 0x1e, true));
    assert_false(ps2kbd_key(b->kbd, 0x1e, true));
    assert_false(ps2kbd_idle(b->kbd));
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(get(b), 0x1e);
    EXPECT(b, "\xff"); /* 00h translated */
    assert_true(ps2kbd_idle(b->kbd));
}

static void the_output_port_drives_a20_and_reset(void **state)
{
    struct board *b = *state;

    assert_true(b->a20.level);
    out(b, 0x64, 0xd1);
    out(b, 0x60, 0xdd);
    assert_false(b->a20.level);
    out(b, 0x64, 0xd0);
    assert_int_equal(in(b, 0x60) & 0xcf, 0xcd);
    out(b, 0x64, 0xdf);
    assert_true(b->a20.level);
    assert_int_equal(b->reset.rises, 0);
    out(b, 0x64, 0xff);
    assert_int_equal(b->reset.rises, 0);
    out(b, 0x64, 0xfe);
    assert_int_equal(b->reset.rises, 1);
    assert_false(b->reset.level);
}

static void an_absent_mouse_times_out(void **state)
{
    struct board *b = *state;

    set_ccb(b, 0x47);
    out(b, 0x64, 0xd3);
    out(b, 0x60, 0x5a);
    assert_int_equal(in(b, 0x64) & 0x21, 0x21);
    assert_true(b->irq12.level);
    assert_int_equal(in(b, 0x60), 0x5a);
    assert_false(b->irq12.level);
    out(b, 0x64, 0xd4);
    out(b, 0x60, 0xff);
    assert_int_equal(in(b, 0x64) & 0x01, 0);
    clock_run(&b->clk, 20 * MS);
    assert_int_equal(in(b, 0x64) & 0x61, 0x61);
    assert_int_equal(in(b, 0x60), 0xfe);
    assert_int_equal(in(b, 0x64) & 0x61, 0x00);
}

/* A device that echoes, to see the auxiliary port at work. */
struct echo {
    int byte;
};

static bool echo_pending(void *dev)
{
    return ((struct echo *)dev)->byte >= 0;
}

static u8 echo_take(void *dev)
{
    struct echo *e = dev;
    u8 byte = (u8)e->byte;

    e->byte = -1;
    return byte;
}

static void echo_write(void *dev, u8 byte)
{
    ((struct echo *)dev)->byte = byte;
}

static void an_auxiliary_device_has_its_own_irq_and_is_not_translated(void **state)
{
    static const struct ps2_device_ops ops = {echo_pending, echo_take, echo_write};
    struct board *b = *state;
    struct echo e = {-1};

    i8042_attach(b->kbc, I8042_AUX, &ops, &e);
    set_ccb(b, 0x67);
    out(b, 0x64, 0xd4);
    out(b, 0x60, 0x1c);
    clock_run(&b->clk, 1 * MS);
    assert_true(b->irq12.level);
    assert_false(b->irq1.level);
    assert_int_equal(in(b, 0x64) & 0x21, 0x21);
    assert_int_equal(in(b, 0x60), 0x1c);
    out(b, 0x64, 0x20);
    assert_int_equal(in(b, 0x60), 0x47); /* sending enabled the port */
}

static void answers_wait_for_the_buffer(void **state)
{
    struct board *b = *state;

    out(b, 0x64, 0xd2);
    out(b, 0x60, 0x11);
    for (unsigned i = 0; i < 100; i++)
        out(b, 0x64, 0x20);
    assert_int_equal(in(b, 0x60), 0x11);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(in(b, 0x60), 0x45);
    assert_int_equal(in(b, 0x64) & 0x01, 0);
}

static void any_traffic_is_survived(void **state)
{
    struct board *b = *state;
    u32 x = 1;

    for (unsigned i = 0; i < 100000; i++) {
        x = x * 1664525u + 1013904223u;
        u16 port = x >> 31 ? 0x60 : 0x64;
        if (x >> 30 & 1)
            out(b, port, (u8)(x >> 16));
        else
            in(b, port);
        if ((x >> 26 & 7) == 0)
            ps2kbd_key(b->kbd, x >> 8 & 0xffff, x >> 25 & 1);
        clock_run(&b->clk, (x >> 20 & 3) * 50000);
    }
}

static void state_survives_a_save_and_a_load(void **state)
{
    struct board *b = *state;
    struct board c = {0};

    create(&c);
    ps2kbd_key(b->kbd, 0x1e, true);
    ps2kbd_key(b->kbd, 0xe048, true);
    clock_run(&b->clk, 1 * MS);
    out(b, 0x64, 0x20);
    out(b, 0x64, 0xdd);
    check_save_load(&ps2kbd_class, b->kbd, c.kbd);
    check_save_load(&i8042_class, b->kbc, c.kbc);
    assert_true(c.irq1.level);
    assert_false(c.a20.level);
    EXPECT(&c, "\x1e\x45\xe0\x48");
    destroy(&c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(self_tests_pass),
        T(the_command_byte_reads_back),
        T(a_key_arrives_translated_with_irq_1),
        T(every_key_survives_the_round_trip),
        T(untranslated_codes_are_set_2),
        T(pause_and_print_screen_are_special),
        T(keyboard_commands_are_answered),
        T(scan_code_sets_can_be_chosen),
        T(a_disabled_keyboard_says_nothing),
        T(answers_go_before_keys),
        T(an_answer_does_not_part_a_release_from_its_key),
        T(the_buffer_overruns),
        T(the_output_port_drives_a20_and_reset),
        T(an_absent_mouse_times_out),
        T(an_auxiliary_device_has_its_own_irq_and_is_not_translated),
        T(answers_wait_for_the_buffer),
        T(any_traffic_is_survived),
        T(state_survives_a_save_and_a_load),
    };
    return cmocka_run_group_tests_name("i8042", tests, NULL, NULL);
}
