/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "tests/support/check.h"

struct log {
    unsigned n;
    u32 arg[16];
    u64 at[16];
    struct clock *clock;
};

static void note(void *dev, u32 arg)
{
    struct log *l = dev;

    l->at[l->n] = clock_now(l->clock);
    l->arg[l->n++] = arg;
}

/* What an engine does: retire until the slice ends. */
static void run_slice(struct clock *c, u64 cap)
{
    clock_begin(c, cap);
    while (c->left > 0)
        c->left--;
    clock_fire(c);
}

static void timers_fire_in_order_at_the_exact_instruction(void **state)
{
    struct clock c;
    struct log l = {.clock = &c};
    u32 a, b;

    (void)state;
    clock_init(&c, CLOCK_RATIO_DEFAULT);
    assert_int_equal(clock_add(&c, "a", note, &l, 1, &a), STATUS_OK);
    assert_int_equal(clock_add(&c, "b", note, &l, 2, &b), STATUS_OK);
    assert_int_equal(clock_add(&c, "b", note, &l, 2, &b), STATUS_CONFLICT);
    clock_arm(&c, a, 100);
    clock_arm(&c, b, 50);
    run_slice(&c, 1000);
    assert_int_equal(clock_retired(&c), 50);
    run_slice(&c, 1000);
    assert_int_equal(clock_retired(&c), 100);
    assert_int_equal(l.n, 2);
    assert_int_equal(l.arg[0], 2);
    assert_int_equal(l.at[0], 50);
    assert_int_equal(l.at[1], 100);
}

static void arming_inside_a_slice_shortens_it(void **state)
{
    struct clock c;
    struct log l = {.clock = &c};
    u32 a;

    (void)state;
    clock_init(&c, CLOCK_RATIO_DEFAULT);
    assert_int_equal(clock_add(&c, "a", note, &l, 1, &a), STATUS_OK);
    clock_begin(&c, 1000);
    c.left -= 10;
    clock_arm(&c, a, 30);
    assert_int_equal(c.left, 20);
    assert_int_equal(clock_retired(&c), 10);
    clock_stop(&c);
    assert_int_equal(clock_retired(&c), 10);
    c.left--; /* the instruction that asked for the stop retires */
    assert_int_equal(clock_retired(&c), 11);
}

static void fractions_of_a_nanosecond_are_not_lost(void **state)
{
    struct clock whole, sliced;

    (void)state;
    clock_init(&whole, CLOCK_RATIO_DEFAULT / 3);
    clock_init(&sliced, CLOCK_RATIO_DEFAULT / 3);
    run_slice(&whole, 1000000);
    for (unsigned i = 0; i < 1000; i++)
        run_slice(&sliced, 1000);
    assert_int_equal(clock_now(&whole), clock_now(&sliced));
}

static void a_halted_cpu_skips_to_the_next_event(void **state)
{
    struct clock c;
    struct log l = {.clock = &c};
    u32 a;

    (void)state;
    clock_init(&c, CLOCK_RATIO_DEFAULT);
    assert_int_equal(clock_add(&c, "a", note, &l, 7, &a), STATUS_OK);
    clock_arm(&c, a, CLOCK_NS_PER_SEC);
    clock_skip(&c, clock_next(&c));
    clock_fire(&c);
    assert_int_equal(l.at[0], CLOCK_NS_PER_SEC);
    assert_int_equal(clock_retired(&c), 0);
}

static void ticks_and_times_are_inverse(void **state)
{
    (void)state;
    for (u64 t = 0; t < 5000; t++) {
        u64 ns = clock_tick_time(t, 1193182);
        assert_int_equal(clock_ticks(ns, 1193182), t);
        if (ns)
            assert_int_equal(clock_ticks(ns - 1, 1193182), t - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_order_at_the_exact_instruction),
        cmocka_unit_test(arming_inside_a_slice_shortens_it),
        cmocka_unit_test(fractions_of_a_nanosecond_are_not_lost),
        cmocka_unit_test(a_halted_cpu_skips_to_the_next_event),
        cmocka_unit_test(ticks_and_times_are_inverse),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
