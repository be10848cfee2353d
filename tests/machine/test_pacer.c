/* SPDX-License-Identifier: MIT */
#include "machine/pacer.h"
#include "machine/speed.h"
#include "tests/support/check.h"

#define MS 1000000ull

static void speeds_are_names_or_numbers(void **state)
{
    u64 n = 1;

    (void)state;
    assert_true(speed_parse("max", &n));
    assert_int_equal(n, 0);
    assert_true(speed_parse("486dx2-66", &n));
    assert_int_equal(n, 33000000);
    assert_true(speed_parse("25mips", &n));
    assert_int_equal(n, 25000000);
    assert_false(speed_parse("", &n));
    assert_false(speed_parse("fast", &n));
    assert_false(speed_parse("25", &n));
    assert_false(speed_parse("0mips", &n));
    assert_false(speed_parse("-1mips", &n));
}

/* A host that could do a thousand instructions in a microsecond: a limited guest waits for it. */
static u64 instructions_in(u64 limit, u64 host_ns)
{
    struct pacer p;
    struct clock c;
    u64 host = 5000 * MS, end = host + host_ns;

    clock_init(&c, CLOCK_RATIO_DEFAULT);
    pacer_init(&p);
    pacer_limit(&p, limit);
    pacer_update(&p, &c, host);
    while (host < end) {
        pacer_update(&p, &c, host);
        if (pacer_ahead(&p, &c, host)) {
            host += MS / 10;
            pacer_slept(&p, &c, host);
            continue;
        }
        clock_begin(&c, 100000);
        c.left = 0; /* they have run */
        clock_fire(&c);
        host += MS / 10;
    }
    return clock_retired(&c);
}

static void a_limited_guest_runs_as_fast_as_it_may(void **state)
{
    (void)state;
    assert_in_range(instructions_in(33000000, 1000 * MS), 32500000, 33500000);
    assert_in_range(instructions_in(133000000, 1000 * MS), 132000000, 134500000);
}

static void without_a_limit_nobody_waits(void **state)
{
    (void)state;
    assert_in_range(instructions_in(0, 1000 * MS), 999000000, 1001000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speeds_are_names_or_numbers),
        cmocka_unit_test(a_limited_guest_runs_as_fast_as_it_may),
        cmocka_unit_test(without_a_limit_nobody_waits),
    };
    return cmocka_run_group_tests_name("pacer", tests, NULL, NULL);
}
