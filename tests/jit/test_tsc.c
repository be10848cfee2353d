/* SPDX-License-Identifier: MIT */
/* The time-stamp counter in translated code: what it says is the time of its instruction. */
#include "jit/jit.h"
#include "tests/jit/pair.h"

static const u8 code[] = {
    0x0f, 0x31,             /* again: rdtsc */
    0x66, 0x01, 0xc3,       /* add ebx,eax  */
    0x66, 0x11, 0xd6,       /* adc esi,edx  */
    0x66, 0xc1, 0xc3, 0x05, /* rol ebx,5    */
    0x0f, 0x31,             /* rdtsc        */
    0x66, 0x13, 0xf8,       /* adc edi,eax  */
    0x66, 0x31, 0xd6,       /* xor esi,edx  */
    0xe6, 0x80,             /* out 80h,al   */
    0x0f, 0x31,             /* rdtsc        */
    0x66, 0x11, 0xc7,       /* adc edi,eax  */
    0x49, 0x75, 0xe2,       /* dec cx; jnz  */
    0xf4,                   /* hlt          */
};

/* Both clocks: @ratio, a fraction of a nanosecond that carries, and a counter that was set. */
static void set_clocks(struct pair *p, u64 ratio)
{
    struct little_pc *pc[] = {p->ours, p->theirs};

    for (unsigned i = 0; i < 2; i++) {
        clock_skip(&pc[i]->clock, 0xfffff000);
        clock_set_ratio(&pc[i]->clock, ratio);
        pc[i]->clock.base_frac = UINT32_MAX;
        pc[i]->cpu->tsc_offset = 0x123456789abcdef0;
        pc[i]->cpu->halted = false;
    }
}

static void it_is_what_the_interpreter_reads(void **state)
{
    static const u64 ratios[] = {1, 0x55555555, 0xffffffff, BIT64(32), UINT64_MAX};
    struct pair *p = *state;

    for (unsigned i = 0; i < ARRAY_LEN(ratios); i++) {
        set_clocks(p, ratios[i]);
        assert_int_equal(pair_run(p, code, sizeof(code)), CPU_EXIT_HALTED);
    }
    assert_int_equal(pair_stat(p, "bail "), 0);
}

static void it_is_left_to_the_interpreter_while_it_may_be_forbidden(void **state)
{
    struct pair *p = *state;

    p->ours->cpu->cr4 |= CR4_TSD;
    p->theirs->cpu->cr4 |= CR4_TSD;
    assert_int_equal(pair_run(p, code, sizeof(code)), CPU_EXIT_HALTED);
    assert_int_not_equal(pair_stat(p, "bail "), 0);
}

static int setup(void **state)
{
    *state = pair_create(NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_what_the_interpreter_reads, setup, pair_teardown),
        cmocka_unit_test_setup_teardown(it_is_left_to_the_interpreter_while_it_may_be_forbidden,
                                        setup, pair_teardown),
    };

    return cmocka_run_group_tests_name("tsc", tests, NULL, NULL);
}
