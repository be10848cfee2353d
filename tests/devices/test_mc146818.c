/* SPDX-License-Identifier: MIT */
#include "devices/mc146818.h"
#include "tests/support/device_state.h"

#define MS  1000000ull
#define SEC CLOCK_NS_PER_SEC

enum { NOON_2024_02_28 = 1709121600 }; /* a Wednesday of a leap year */

struct board {
    struct ioport_bus *io;
    struct clock clk;
    struct mc146818 *rtc;
    struct spy irq8, nmi_mask;
};

static u8 get(struct board *b, u8 index)
{
    ioport_write(b->io, 0x70, index, W8);
    return (u8)ioport_read(b->io, 0x71, W8);
}

static void put(struct board *b, u8 index, u8 val)
{
    ioport_write(b->io, 0x70, index, W8);
    ioport_write(b->io, 0x71, val, W8);
}

static void create(struct board *b, u64 base_time)
{
    b->io = ioport_create();
    clock_init(&b->clk, CLOCK_RATIO_DEFAULT);
    struct mc146818_desc desc = {
        .io = b->io,
        .clk = &b->clk,
        .irq8 = spy_line(&b->irq8),
        .nmi_mask = spy_line(&b->nmi_mask),
        .base_time = base_time,
    };
    assert_int_equal(mc146818_create(&b->rtc, &desc), STATUS_OK);
}

static void destroy(struct board *b)
{
    mc146818_class.destroy(b->rtc);
    ioport_destroy(b->io);
}

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    create(b, NOON_2024_02_28);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    destroy(*state);
    free(*state);
    return 0;
}

/* Hours, minutes, seconds as the registers' hex digits. */
static unsigned hms(struct board *b)
{
    return (unsigned)get(b, 4) << 16 | (unsigned)get(b, 2) << 8 | get(b, 0);
}

static unsigned ymd(struct board *b)
{
    return (unsigned)get(b, 0x32) << 24 | (unsigned)get(b, 9) << 16 | (unsigned)get(b, 8) << 8 |
           get(b, 7);
}

static void the_calendar_starts_at_the_base_time_and_runs(void **state)
{
    struct board *b = *state;

    assert_int_equal(ymd(b), 0x20240228);
    assert_int_equal(hms(b), 0x120000);
    assert_int_equal(get(b, 6), 4);
    clock_run(&b->clk, 999 * MS);
    assert_int_equal(hms(b), 0x120000);
    clock_run(&b->clk, 1 * MS);
    assert_int_equal(hms(b), 0x120001);
    clock_run(&b->clk, 12 * 3600 * SEC - 1 * SEC);
    assert_int_equal(ymd(b), 0x20240229);
    assert_int_equal(get(b, 6), 5);
    clock_run(&b->clk, 86400 * SEC);
    assert_int_equal(ymd(b), 0x20240301);
    clock_run(&b->clk, 366 * 86400 * SEC);
    assert_int_equal(ymd(b), 0x20250302);
}

static void idle_needs_no_timer(void **state)
{
    struct board *b = *state;

    assert_true(clock_next(&b->clk) == CLOCK_NEVER);
    get(b, 0x0c);
    assert_true(clock_next(&b->clk) == CLOCK_NEVER);
}

static void the_century_rolls_over(void **state)
{
    struct board *b = *state;

    put(b, 0x0b, 0x82);
    put(b, 0x32, 0x19);
    put(b, 9, 0x99);
    put(b, 8, 0x12);
    put(b, 7, 0x31);
    put(b, 4, 0x23);
    put(b, 2, 0x59);
    put(b, 0, 0x59);
    put(b, 0x0b, 0x02);
    clock_run(&b->clk, 1 * SEC);
    assert_int_equal(ymd(b), 0x20000101);
    assert_int_equal(hms(b), 0x000000);
}

static void twelve_hours_and_binary_are_formats_of_the_registers(void **state)
{
    struct board *b = *state;

    put(b, 0x0b, 0x80);
    put(b, 4, 0x92); /* 12 PM */
    put(b, 2, 0x59);
    put(b, 0, 0x59);
    put(b, 0x0b, 0x00);
    clock_run(&b->clk, 1 * SEC);
    assert_int_equal(hms(b), 0x810000);
    clock_run(&b->clk, 11 * 3600 * SEC);
    assert_int_equal(hms(b), 0x120000);

    put(b, 0x0b, 0x86);
    put(b, 4, 23);
    put(b, 2, 58);
    put(b, 0, 59);
    put(b, 0x0b, 0x06);
    clock_run(&b->clk, 1 * SEC);
    assert_int_equal(hms(b), 23 << 16 | 59 << 8);
}

static void uip_announces_the_update(void **state)
{
    struct board *b = *state;

    clock_run(&b->clk, 500 * MS);
    assert_int_equal(get(b, 0x0a), 0x26);
    clock_run(&b->clk, 499 * MS);
    assert_int_equal(get(b, 0x0a), 0xa6);
    clock_run(&b->clk, 1 * MS);
    assert_int_equal(get(b, 0x0a), 0x26);
    clock_run(&b->clk, 999 * MS);
    put(b, 0x0b, 0x82);
    assert_int_equal(get(b, 0x0a), 0x26);
}

static void set_halts_updates_but_not_the_divider(void **state)
{
    struct board *b = *state;

    put(b, 0x0b, 0x92);
    assert_int_equal(get(b, 0x0b), 0x82); /* UIE goes */
    clock_run(&b->clk, 10 * SEC + 600 * MS);
    assert_int_equal(hms(b), 0x120000);
    put(b, 0x0b, 0x02);
    clock_run(&b->clk, 399 * MS);
    assert_int_equal(hms(b), 0x120000);
    clock_run(&b->clk, 1 * MS);
    assert_int_equal(hms(b), 0x120001);
}

static void a_restarted_divider_updates_after_half_a_second(void **state)
{
    struct board *b = *state;

    put(b, 0x0a, 0x76);
    clock_run(&b->clk, 10 * SEC + 300 * MS);
    assert_int_equal(hms(b), 0x120000);
    put(b, 0x0a, 0x26);
    clock_run(&b->clk, 499 * MS);
    assert_int_equal(hms(b), 0x120000);
    clock_run(&b->clk, 1 * MS);
    assert_int_equal(hms(b), 0x120001);
}

static void periodic_interrupts_come_at_the_rate(void **state)
{
    struct board *b = *state;

    put(b, 0x0b, 0x42);
    for (unsigned i = 0; i < 2048; i++) {
        clock_run_to(&b->clk, clock_next(&b->clk));
        assert_true(b->irq8.level);
        assert_true(clock_next(&b->clk) == CLOCK_NEVER); /* until somebody reads C */
        assert_int_equal(get(b, 0x0c) & 0xc0, 0xc0);
        assert_false(b->irq8.level);
    }
    assert_true(clock_now(&b->clk) == 2 * SEC);
    assert_int_equal(b->irq8.rises, 2048);
}

static void flags_are_set_without_any_interrupt(void **state)
{
    struct board *b = *state;

    assert_int_equal(get(b, 0x0c), 0x00);
    clock_run(&b->clk, 1 * MS);
    assert_int_equal(get(b, 0x0c), 0x40);
    clock_run(&b->clk, 1 * SEC);
    assert_int_equal(get(b, 0x0c), 0x50);
    assert_int_equal(get(b, 0x0c), 0x00);
}

static void the_slow_rates_are_special(void **state)
{
    struct board *b = *state;

    put(b, 0x0a, 0x21); /* 256 Hz, not 65536 */
    put(b, 0x0b, 0x42);
    unsigned n = 0;
    while (clock_next(&b->clk) <= 1 * SEC) {
        clock_run_to(&b->clk, clock_next(&b->clk));
        get(b, 0x0c);
        n++;
    }
    assert_int_equal(n, 256);
}

static void update_interrupts_come_every_second(void **state)
{
    struct board *b = *state;

    put(b, 0x0b, 0x12);
    clock_run(&b->clk, 1 * SEC - 1);
    assert_false(b->irq8.level);
    clock_run(&b->clk, 1);
    assert_true(b->irq8.level);
    assert_int_equal(get(b, 0x0c) & 0x90, 0x90);
    assert_false(b->irq8.level);
}

static void the_alarm_fires_at_its_time(void **state)
{
    struct board *b = *state;

    put(b, 1, 0x30);
    put(b, 3, 0x05);
    put(b, 5, 0x13);
    put(b, 0x0b, 0x22);
    clock_run(&b->clk, 3930 * SEC - 1);
    assert_false(b->irq8.level);
    clock_run(&b->clk, 1);
    assert_true(b->irq8.level);
    assert_int_equal(hms(b), 0x130530);
    assert_int_equal(get(b, 0x0c) & 0xa0, 0xa0);
    put(b, 5, 0xff); /* every hour */
    clock_run(&b->clk, 3600 * SEC);
    assert_true(b->irq8.level);
    put(b, 3, 0x77); /* never */
    get(b, 0x0c);
    assert_true(clock_next(&b->clk) == CLOCK_NEVER);
}

static void alarms_know_twelve_hours_and_binary(void **state)
{
    struct board *b = *state;

    put(b, 0x0b, 0x84); /* SET, binary, 12 hours */
    put(b, 0, 58);
    put(b, 2, 59);
    put(b, 4, 11); /* before noon */
    put(b, 1, 5);
    put(b, 3, 0);
    put(b, 5, 12 | 0x80); /* after it */
    put(b, 0x0b, 0x24);
    clock_run(&b->clk, 6 * SEC);
    assert_false(b->irq8.level);
    clock_run(&b->clk, 1 * SEC);
    assert_true(b->irq8.level);
    assert_int_equal(get(b, 4), 12 | 0x80);
    assert_int_equal(get(b, 0), 5);
}

static void an_alarm_on_every_second(void **state)
{
    struct board *b = *state;

    put(b, 1, 0xff);
    put(b, 3, 0xff);
    put(b, 5, 0xff);
    put(b, 0x0b, 0x22);
    for (unsigned i = 1; i <= 100; i++) {
        clock_run(&b->clk, 1 * SEC);
        assert_int_equal(get(b, 0x0c) & 0xa0, 0xa0);
        assert_int_equal(b->irq8.rises, i);
    }
}

static void ram_is_ram_and_c_and_d_are_read_only(void **state)
{
    struct board *b = *state;

    mc146818_set(b->rtc, 0x10, 0x40);
    assert_int_equal(get(b, 0x10), 0x40);
    put(b, 0x7f, 0xa5);
    assert_int_equal(get(b, 0xff), 0xa5);
    assert_true(b->nmi_mask.level);
    put(b, 0x0d, 0x00);
    assert_int_equal(get(b, 0x0d), 0x80);
    assert_false(b->nmi_mask.level);
    assert_int_equal(ioport_read(b->io, 0x70, W8), 0xff);
}

static void nonsense_in_the_calendar_does_no_harm(void **state)
{
    struct board *b = *state;

    for (unsigned v = 0; v < 256; v++) {
        put(b, 0x0b, v & 1 ? 0x26 : 0x22);
        for (u8 i = 0; i < 10; i++)
            put(b, i, (u8)(v + i));
        clock_run(&b->clk, 40 * 86400 * SEC);
        hms(b);
        ymd(b);
    }
}

static void state_survives_a_save_and_a_load(void **state)
{
    struct board *b = *state;
    struct board c = {0};

    create(&c, 0);
    put(b, 0x0b, 0x72);
    put(b, 0x40, 0x12);
    clock_run(&b->clk, 1500 * MS);
    check_save_load(&mc146818_class, b->rtc, c.rtc);
    assert_true(c.irq8.level);
    clock_skip(&c.clk, clock_now(&b->clk));
    assert_int_equal(hms(&c), 0x120001);
    destroy(&c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_calendar_starts_at_the_base_time_and_runs),
        T(idle_needs_no_timer),
        T(the_century_rolls_over),
        T(twelve_hours_and_binary_are_formats_of_the_registers),
        T(uip_announces_the_update),
        T(set_halts_updates_but_not_the_divider),
        T(a_restarted_divider_updates_after_half_a_second),
        T(periodic_interrupts_come_at_the_rate),
        T(flags_are_set_without_any_interrupt),
        T(the_slow_rates_are_special),
        T(update_interrupts_come_every_second),
        T(the_alarm_fires_at_its_time),
        T(alarms_know_twelve_hours_and_binary),
        T(an_alarm_on_every_second),
        T(ram_is_ram_and_c_and_d_are_read_only),
        T(nonsense_in_the_calendar_does_no_harm),
        T(state_survives_a_save_and_a_load),
    };
    return cmocka_run_group_tests_name("mc146818", tests, NULL, NULL);
}
