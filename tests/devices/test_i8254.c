/* SPDX-License-Identifier: MIT */
#include "devices/i8254.h"
#include "devices/port61.h"
#include "tests/support/device_state.h"

struct board {
    struct ioport_bus *io;
    struct clock clk;
    struct i8254 *pit;
    struct port61 *port61;
    struct spy irq0, speaker;
};

static void out(struct board *b, u16 port, u8 val)
{
    ioport_write(b->io, port, val, W8);
}

static u8 in(struct board *b, u16 port)
{
    return (u8)ioport_read(b->io, port, W8);
}

/* Move on by @n CLKs. */
static void clks(struct board *b, u64 n)
{
    u64 now = clock_ticks(clock_now(&b->clk), I8254_HZ);

    clock_run_to(&b->clk, clock_tick_time(now + n, I8254_HZ));
}

static void create(struct board *b)
{
    b->io = ioport_create();
    clock_init(&b->clk, CLOCK_RATIO_DEFAULT);
    struct i8254_desc desc = {.io = b->io, .clk = &b->clk, .irq0 = spy_line(&b->irq0)};
    assert_int_equal(i8254_create(&b->pit, &desc), STATUS_OK);
    struct port61_desc desc61 = {
        .io = b->io, .clk = &b->clk, .pit = b->pit, .speaker = spy_line(&b->speaker)};
    assert_int_equal(port61_create(&b->port61, &desc61), STATUS_OK);
}

static void destroy(struct board *b)
{
    port61_class.destroy(b->port61);
    i8254_class.destroy(b->pit);
    ioport_destroy(b->io);
}

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    create(b);
    clks(b, 1000);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    destroy(*state);
    free(*state);
    return 0;
}

static void program(struct board *b, unsigned counter, u8 control, u16 count)
{
    out(b, 0x43, (u8)(counter << 6 | 0x30 | control));
    out(b, (u16)(0x40 + counter), (u8)count);
    out(b, (u16)(0x40 + counter), (u8)(count >> 8));
}

static u16 latched(struct board *b, unsigned counter)
{
    out(b, 0x43, (u8)(counter << 6));
    u8 lo = in(b, (u16)(0x40 + counter));
    return (u16)(lo | in(b, (u16)(0x40 + counter)) << 8);
}

static u8 status(struct board *b, unsigned counter)
{
    out(b, 0x43, (u8)(0xe0 | 2u << counter));
    return in(b, (u16)(0x40 + counter));
}

static void mode_0_interrupts_once_n_plus_1_clks_later(void **state)
{
    struct board *b = *state;

    program(b, 0, 0x00, 100);
    assert_int_equal(status(b, 0), 0x70); /* OUT low, not yet loaded */
    clks(b, 1);
    assert_int_equal(status(b, 0), 0x30);
    assert_int_equal(latched(b, 0), 100);
    clks(b, 99);
    assert_int_equal(latched(b, 0), 1);
    assert_false(b->irq0.level);
    clks(b, 1);
    assert_true(b->irq0.level);
    assert_int_equal(status(b, 0), 0xb0);
    clks(b, 1);
    assert_int_equal(latched(b, 0), 0xffff);
    clks(b, 1000000);
    assert_int_equal(b->irq0.rises, 1);
}

static void mode_0_first_byte_stops_the_count(void **state)
{
    struct board *b = *state;

    program(b, 0, 0x00, 10);
    clks(b, 20);
    assert_true(b->irq0.level);
    out(b, 0x40, 5);
    assert_false(b->irq0.level);
    clks(b, 100);
    assert_false(b->irq0.level);
    out(b, 0x40, 0);
    clks(b, 6);
    assert_true(b->irq0.level);
}

static void mode_1_is_a_retriggerable_one_shot(void **state)
{
    struct board *b = *state;

    out(b, 0x61, 0x00);
    program(b, 2, 0x02, 10);
    assert_int_equal(in(b, 0x61) & 0x20, 0x20);
    clks(b, 50);
    assert_int_equal(status(b, 2), 0xf2); /* waits for a trigger */
    out(b, 0x61, 0x01);
    clks(b, 1);
    assert_int_equal(in(b, 0x61) & 0x20, 0);
    clks(b, 5);
    out(b, 0x61, 0x00);
    out(b, 0x61, 0x01);
    assert_int_equal(in(b, 0x61) & 0x20, 0);
    clks(b, 10);
    assert_int_equal(in(b, 0x61) & 0x20, 0);
    clks(b, 1);
    assert_int_equal(in(b, 0x61) & 0x20, 0x20);
}

static void mode_2_pulses_low_for_one_clk(void **state)
{
    struct board *b = *state;

    program(b, 0, 0x04, 5);
    clks(b, 1);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(latched(b, 0), 5 - i % 5);
        assert_int_equal(b->irq0.level, i % 5 != 4);
        clks(b, 1);
    }
    b->irq0.rises = 0;
    clks(b, 5000);
    assert_int_equal(b->irq0.rises, 1000);
}

static void mode_2_takes_a_new_count_at_the_end_of_the_cycle(void **state)
{
    struct board *b = *state;

    program(b, 0, 0x04, 10);
    clks(b, 4);
    out(b, 0x40, 3);
    out(b, 0x40, 0);
    assert_int_equal(status(b, 0), 0xf4);
    assert_int_equal(latched(b, 0), 7);
    clks(b, 6);
    assert_int_equal(latched(b, 0), 1);
    clks(b, 1);
    assert_int_equal(status(b, 0), 0xb4);
    assert_int_equal(latched(b, 0), 3);
    clks(b, 2);
    assert_false(b->irq0.level);
    clks(b, 1);
    assert_int_equal(latched(b, 0), 3);
}

static void mode_3_is_a_square_wave_counted_by_twos(void **state)
{
    struct board *b = *state;
    static const u8 odd[] = {4, 2, 0, 4, 2};
    static const u8 even[] = {6, 4, 2, 6, 4, 2};

    program(b, 0, 0x06, 5);
    clks(b, 1);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(latched(b, 0), odd[i % 5]);
        assert_int_equal(b->irq0.level, i % 5 < 3);
        clks(b, 1);
    }
    program(b, 0, 0x06, 6);
    clks(b, 1);
    for (unsigned i = 0; i < 12; i++) {
        assert_int_equal(latched(b, 0), even[i % 6]);
        assert_int_equal(b->irq0.level, i % 6 < 3);
        clks(b, 1);
    }
}

static void mode_3_takes_a_new_count_at_the_half_cycle(void **state)
{
    struct board *b = *state;

    program(b, 0, 0x06, 10);
    clks(b, 3);
    out(b, 0x40, 4);
    out(b, 0x40, 0);
    clks(b, 2);
    assert_true(b->irq0.level);
    clks(b, 1);
    assert_false(b->irq0.level);
    assert_int_equal(latched(b, 0), 4);
    clks(b, 1);
    assert_false(b->irq0.level);
    clks(b, 1);
    assert_true(b->irq0.level);
    clks(b, 2);
    assert_false(b->irq0.level);
}

static void mode_4_strobes_once(void **state)
{
    struct board *b = *state;

    program(b, 0, 0x08, 3);
    clks(b, 3);
    assert_true(b->irq0.level);
    clks(b, 1);
    assert_false(b->irq0.level);
    clks(b, 1);
    assert_true(b->irq0.level);
    clks(b, 200000);
    assert_int_equal(b->irq0.rises, 2);
}

static void mode_5_strobes_after_a_trigger(void **state)
{
    struct board *b = *state;

    out(b, 0x61, 0x00);
    program(b, 2, 0x0a, 3);
    clks(b, 100);
    out(b, 0x61, 0x01);
    clks(b, 3);
    assert_int_equal(in(b, 0x61) & 0x20, 0x20);
    clks(b, 1);
    assert_int_equal(in(b, 0x61) & 0x20, 0);
    clks(b, 1);
    assert_int_equal(in(b, 0x61) & 0x20, 0x20);
}

static void a_low_gate_holds_the_count(void **state)
{
    struct board *b = *state;

    out(b, 0x61, 0x01);
    program(b, 2, 0x00, 100);
    clks(b, 11);
    out(b, 0x61, 0x00);
    clks(b, 500);
    assert_int_equal(latched(b, 2), 90);
    out(b, 0x61, 0x01);
    clks(b, 90);
    assert_int_equal(in(b, 0x61) & 0x20, 0x20);

    program(b, 2, 0x06, 100);
    clks(b, 61);
    assert_int_equal(in(b, 0x61) & 0x20, 0);
    out(b, 0x61, 0x00);
    assert_int_equal(in(b, 0x61) & 0x20, 0x20);
    out(b, 0x61, 0x01);
    clks(b, 1);
    assert_int_equal(latched(b, 2), 100);
}

static void bcd_counts_in_decimal(void **state)
{
    struct board *b = *state;

    program(b, 0, 0x05, 0x1000);
    clks(b, 2);
    assert_int_equal(latched(b, 0), 0x0999);
    program(b, 0, 0x01, 0);
    clks(b, 1);
    assert_int_equal(latched(b, 0), 0x0000);
    clks(b, 1);
    assert_int_equal(latched(b, 0), 0x9999);
}

static void a_latch_holds_until_both_bytes_are_read(void **state)
{
    struct board *b = *state;

    program(b, 0, 0x04, 0x1234);
    clks(b, 1);
    out(b, 0x43, 0xc2); /* read-back: status and count */
    clks(b, 0x100);
    out(b, 0x43, 0x00); /* ignored: already latched */
    assert_int_equal(in(b, 0x40), 0xb4);
    assert_int_equal(in(b, 0x40), 0x34);
    assert_int_equal(in(b, 0x40), 0x12);
    assert_int_equal(in(b, 0x40), 0x34); /* live again: 1134h */
    assert_int_equal(in(b, 0x40), 0x11);
}

static void read_back_latches_several_counters(void **state)
{
    struct board *b = *state;

    out(b, 0x43, 0x30); /* counter 0: mode 0 */
    out(b, 0x40, 0x10);
    out(b, 0x40, 0x00);
    out(b, 0x43, 0x74);                  /* counter 1: mode 2 */
    out(b, 0x43, 0xe6);                  /* status only, of both */
    assert_int_equal(in(b, 0x40), 0x70); /* the count is not loaded yet */
    assert_int_equal(in(b, 0x41), 0xf4); /* there is none, OUT is high  */
    clock_run(&b->clk, 100000);
    out(b, 0x43, 0xd2); /* the count only, of counter 0 */
    out(b, 0x43, 0xe2); /* and its status: it comes first */
    assert_int_equal(in(b, 0x40), 0xb0);
    u8 low = in(b, 0x40);
    clock_run(&b->clk, 100000);
    out(b, 0x43, 0xd2);
    assert_int_equal(in(b, 0x40), 0xff); /* still the latched count's high byte */
    assert_true(low > 0x80);
}

static void one_byte_access_fills_the_other_with_0(void **state)
{
    struct board *b = *state;

    out(b, 0x43, 0x14);
    out(b, 0x40, 0x12);
    clks(b, 1);
    assert_int_equal(in(b, 0x40), 0x12);
    out(b, 0x43, 0x24);
    out(b, 0x40, 0x12);
    clks(b, 1);
    assert_int_equal(in(b, 0x40), 0x12);
    clks(b, 1);
    assert_int_equal(in(b, 0x40), 0x11);
}

static void port_61_toggles_with_refresh(void **state)
{
    struct board *b = *state;
    u8 before = in(b, 0x61);

    clks(b, 18);
    assert_int_equal(in(b, 0x61) & 0x10, ~before & 0x10);
    clks(b, 18);
    assert_int_equal(in(b, 0x61) & 0x10, before & 0x10);
    out(b, 0x61, 0xff);
    assert_int_equal(in(b, 0x61) & 0xcf, 0x0f);
    assert_true(b->speaker.level);
}

static void an_edge_is_not_lost_if_the_clock_is_coarse(void **state)
{
    struct board *b = *state;

    program(b, 0, 0x04, 100);
    b->irq0.rises = 0;
    clock_skip(&b->clk, clock_now(&b->clk) + clock_tick_time(10001, I8254_HZ));
    clock_fire(&b->clk);
    assert_int_equal(b->irq0.rises, 100);
}

static void nothing_the_guest_writes_can_hang_it(void **state)
{
    struct board *b = *state;
    u32 x = 1;

    for (unsigned i = 0; i < 100000; i++) {
        x = x * 1664525u + 1013904223u;
        u16 port = x >> 28 & 1 ? 0x61 : (u16)(0x40 + (x >> 30));
        if (x >> 27 & 1)
            out(b, port, (u8)(x >> 16));
        else
            in(b, port);
        clks(b, x >> 20 & 7);
    }
}

static void state_survives_a_save_and_a_load(void **state)
{
    struct board *b = *state;
    struct board c = {0};

    create(&c);
    program(b, 0, 0x06, 1000);
    program(b, 2, 0x00, 77);
    clks(b, 300);
    out(b, 0x40, 0x12);
    out(b, 0x61, 0x03);
    check_save_load(&i8254_class, b->pit, c.pit);
    check_save_load(&port61_class, b->port61, c.port61);
    assert_true(c.speaker.level);
    clock_skip(&c.clk, clock_now(&b->clk));
    assert_int_equal(latched(&c, 0), latched(b, 0));
    destroy(&c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(mode_0_interrupts_once_n_plus_1_clks_later),
        T(mode_0_first_byte_stops_the_count),
        T(mode_1_is_a_retriggerable_one_shot),
        T(mode_2_pulses_low_for_one_clk),
        T(mode_2_takes_a_new_count_at_the_end_of_the_cycle),
        T(mode_3_is_a_square_wave_counted_by_twos),
        T(mode_3_takes_a_new_count_at_the_half_cycle),
        T(mode_4_strobes_once),
        T(mode_5_strobes_after_a_trigger),
        T(a_low_gate_holds_the_count),
        T(bcd_counts_in_decimal),
        T(a_latch_holds_until_both_bytes_are_read),
        T(read_back_latches_several_counters),
        T(one_byte_access_fills_the_other_with_0),
        T(port_61_toggles_with_refresh),
        T(an_edge_is_not_lost_if_the_clock_is_coarse),
        T(nothing_the_guest_writes_can_hang_it),
        T(state_survives_a_save_and_a_load),
    };
    return cmocka_run_group_tests_name("i8254", tests, NULL, NULL);
}
