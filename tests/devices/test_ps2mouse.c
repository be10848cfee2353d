/* SPDX-License-Identifier: MIT */
/* The mouse through the keyboard controller's auxiliary port. */
#include "devices/i8042.h"
#include "devices/ps2mouse.h"
#include "tests/support/device_state.h"

#define MS 1000000ull

struct board {
    struct ioport_bus *io;
    struct clock clk;
    struct spy irq1, irq12;
    struct i8042 *kbc;
    struct ps2mouse *mouse;
};

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    b->io = ioport_create();
    clock_init(&b->clk, CLOCK_RATIO_DEFAULT);
    struct i8042_desc desc = {
        .io = b->io, .clk = &b->clk, .irq1 = spy_line(&b->irq1), .irq12 = spy_line(&b->irq12)};
    assert_int_equal(i8042_create(&b->kbc, &desc), STATUS_OK);
    struct ps2mouse_desc mouse = {.ready = {i8042_device_ready, b->kbc, I8042_AUX}};
    assert_int_equal(ps2mouse_create(&b->mouse, &mouse), STATUS_OK);
    i8042_attach(b->kbc, I8042_AUX, &ps2mouse_ops, b->mouse);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct board *b = *state;

    i8042_class.destroy(b->kbc);
    ps2mouse_class.destroy(b->mouse);
    ioport_destroy(b->io);
    free(b);
    return 0;
}

static void send(struct board *b, u8 val)
{
    ioport_write(b->io, 0x64, 0xd4, W8);
    ioport_write(b->io, 0x60, val, W8);
}

static void check_bytes(struct board *b, const u8 *bytes, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        clock_run(&b->clk, MS);
        assert_true(b->irq12.level);
        assert_int_equal(ioport_read(b->io, 0x64, W8) & 0x21, 0x21);
        assert_int_equal(ioport_read(b->io, 0x60, W8), bytes[i]);
    }
    clock_run(&b->clk, MS);
    assert_false(b->irq12.level);
    assert_false(b->irq1.level);
}

#define CHECK(b, ...) check_bytes(b, (const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__}))

static void command(struct board *b, u8 val)
{
    send(b, val);
    CHECK(b, 0xfa);
}

static void knock(struct board *b, u8 first, u8 second, u8 third)
{
    const u8 rate[] = {first, second, third};

    for (unsigned i = 0; i < 3; i++) {
        command(b, 0xf3);
        command(b, rate[i]);
    }
}

static void it_resets_and_says_what_it_is(void **state)
{
    struct board *b = *state;

    send(b, 0xff);
    CHECK(b, 0xfa, 0xaa, 0x00);
    send(b, 0xf2);
    CHECK(b, 0xfa, 0x00);
    send(b, 0xe9);
    CHECK(b, 0xfa, 0x00, 0x02, 100);
    send(b, 0x55);
    CHECK(b, 0xfe);
}

static void motion_and_buttons_stream_when_enabled(void **state)
{
    struct board *b = *state;

    ps2mouse_move(b->mouse, 5, 5, 0);
    ps2mouse_buttons(b->mouse, 0);
    clock_run(&b->clk, 10 * MS);
    assert_false(b->irq12.level);
    command(b, 0xf4);
    ps2mouse_move(b->mouse, 10, -3, 0); /* right, up */
    CHECK(b, 0x08, 10, 3);
    ps2mouse_move(b->mouse, -1, 2, 0);
    CHECK(b, 0x38, 0xff, 0xfe);
    ps2mouse_buttons(b->mouse, PS2MOUSE_LEFT | PS2MOUSE_MIDDLE);
    CHECK(b, 0x0d, 0, 0);
    ps2mouse_buttons(b->mouse, 0);
    CHECK(b, 0x08, 0, 0);
    ps2mouse_move(b->mouse, 0, 0, 1); /* no wheel yet */
    clock_run(&b->clk, 10 * MS);
    assert_false(b->irq12.level);
}

static void what_is_not_fetched_adds_up(void **state)
{
    struct board *b = *state;

    command(b, 0xf4);
    for (unsigned i = 0; i < 3; i++)
        ps2mouse_move(b->mouse, 100, 0, 0);
    CHECK(b, 0x08, 255, 0, 0x08, 45, 0);
}

static void knocking_makes_it_a_wheel_mouse(void **state)
{
    struct board *b = *state;

    knock(b, 200, 100, 80);
    send(b, 0xf2);
    CHECK(b, 0xfa, 0x03);
    command(b, 0xf4);
    ps2mouse_move(b->mouse, 1, 0, -2);
    CHECK(b, 0x08, 1, 0, 0xfe);
    ps2mouse_buttons(b->mouse, PS2MOUSE_SIDE); /* not one of its */
    clock_run(&b->clk, 10 * MS);
    assert_false(b->irq12.level);
    command(b, 0xf5);
    knock(b, 200, 200, 80);
    send(b, 0xf2);
    CHECK(b, 0xfa, 0x04);
    command(b, 0xf4);
    ps2mouse_buttons(b->mouse, PS2MOUSE_EXTRA | PS2MOUSE_RIGHT);
    ps2mouse_move(b->mouse, 0, 0, -1);
    CHECK(b, 0x0a, 0, 0, 0x2f);
    send(b, 0xff);
    CHECK(b, 0xfa, 0xaa, 0x00);
}

static void remote_mode_tells_only_when_asked(void **state)
{
    struct board *b = *state;

    command(b, 0xf0);
    ps2mouse_move(b->mouse, 4, 0, 0);
    clock_run(&b->clk, 10 * MS);
    assert_false(b->irq12.level);
    send(b, 0xeb);
    CHECK(b, 0xfa, 0x08, 4, 0);
    send(b, 0xeb);
    CHECK(b, 0xfa, 0x08, 0, 0);
    send(b, 0xe9);
    CHECK(b, 0xfa, 0x40, 0x02, 100);
}

static void wrap_mode_echoes(void **state)
{
    struct board *b = *state;

    command(b, 0xee);
    send(b, 0xf4);
    CHECK(b, 0xf4);
    send(b, 0x12);
    CHECK(b, 0x12);
    command(b, 0xec);
    command(b, 0xf4);
}

static void scaling_changes_fast_motion(void **state)
{
    struct board *b = *state;

    command(b, 0xe7);
    command(b, 0xf4);
    ps2mouse_move(b->mouse, 4, 20, 0);
    CHECK(b, 0x28, 6, (u8)-40);
    command(b, 0xe8);
    command(b, 0x03);
    send(b, 0xe9);
    CHECK(b, 0xfa, 0x30, 0x03, 100);
}

static void a_command_ends_a_packet(void **state)
{
    struct board *b = *state;

    command(b, 0xf4);
    ps2mouse_move(b->mouse, 1, 1, 0);
    clock_run(&b->clk, MS);
    assert_int_equal(ioport_read(b->io, 0x60, W8), 0x28);
    send(b, 0xf5);
    CHECK(b, 0xfa);
}

static void any_traffic_is_survived(void **state)
{
    struct board *b = *state;
    u32 x = 7;

    for (unsigned i = 0; i < 100000; i++) {
        x = x * 1664525u + 1013904223u;
        if (x & 0x100000)
            send(b, x & 0x200000 ? (u8)(0xe0 | x >> 25) : (u8)(x >> 24));
        ps2mouse_move(b->mouse, (int)x, (int)(x << 7), (int)(x << 13));
        ps2mouse_buttons(b->mouse, (u8)(x >> 9));
        clock_run(&b->clk, MS / 4);
        ioport_read(b->io, 0x60, W8);
    }
    ps2mouse_move(b->mouse, INT32_MIN, INT32_MIN, INT32_MIN);
}

static void state_survives_a_save_and_a_load(void **state)
{
    struct board *b = *state;
    struct ps2mouse *to;

    knock(b, 200, 100, 80);
    command(b, 0xf4);
    ps2mouse_move(b->mouse, 300, -300, 3);
    clock_run(&b->clk, MS);
    ioport_read(b->io, 0x60, W8);
    ps2mouse_buttons(b->mouse, PS2MOUSE_LEFT);
    assert_int_equal(ps2mouse_create(&to, &(struct ps2mouse_desc){.ready = {0}}), STATUS_OK);
    check_save_load(&ps2mouse_class, b->mouse, to);
    ps2mouse_class.destroy(to);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_resets_and_says_what_it_is),     TEST(motion_and_buttons_stream_when_enabled),
        TEST(what_is_not_fetched_adds_up),       TEST(knocking_makes_it_a_wheel_mouse),
        TEST(remote_mode_tells_only_when_asked), TEST(wrap_mode_echoes),
        TEST(scaling_changes_fast_motion),       TEST(a_command_ends_a_packet),
        TEST(any_traffic_is_survived),           TEST(state_survives_a_save_and_a_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
