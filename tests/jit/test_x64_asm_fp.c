/* SPDX-License-Identifier: MIT */
/* The x86-64 assembler against capstone: x87, MMX and SSE. */
#include "tests/jit/x64_operands.h"

enum { REGS = 16 };

/* One opcode of each map and mandatory prefix. */
static const struct {
    u32 op;
    const char *name;
} simd[] = {
    {0x0f58, "addps"},      {0x660f58, "addpd"},   {0xf30f58, "addss"},     {0xf20f58, "addsd"},
    {0x660f3800, "pshufb"}, {0x660f3817, "ptest"}, {0x660fef, "pxor"},      {0x0f14, "unpcklps"},
    {0xf30f12, "movsldup"}, {0xf20f7c, "haddps"},  {0x660f3829, "pcmpeqq"}, {0x660fdb, "pand"},
};

static void two_registers_of_sixteen(void **state)
{
    struct asm_check *k = *state;

    for (unsigned i = 0; i < ARRAY_LEN(simd); i++) {
        for (u8 n = 0; n < REGS; n++) {
            u8 m = (u8)((n * 5 + i) % REGS);
            x64_simd_rr(&k->c, simd[i].op, n, m);
            expect(k, "%s xmm%u, xmm%u", simd[i].name, n, m);
        }
    }
}

static void a_register_and_memory(void **state)
{
    struct asm_check *k = *state;

    for (struct with_mem it = with_mems(W32, W32); it.w <= it.last; next_mem(&it)) {
        x64_simd_rm(&k->c, 0xf30f58, it.r, it.m);
        expect(k, "addss xmm%u, %s", it.r, it.text);
        x64_x87_m(&k->c, 0xd8, 4, it.m);
        expect(k, "fsub %s", it.text);
        x64_ldmxcsr(&k->c, it.m);
        expect(k, "ldmxcsr %s", it.text);
        x64_stmxcsr(&k->c, it.m);
        expect(k, "stmxcsr %s", it.text);
    }
    for (struct with_mem it = with_mems(W64, W64); it.w <= it.last; next_mem(&it)) {
        x64_simd_rm(&k->c, 0x660f3820, it.r, it.m);
        expect(k, "pmovsxbw xmm%u, %s", it.r, it.text);
        x64_x87_m(&k->c, 0xdd, 3, it.m);
        expect(k, "fstp %s", it.text);
    }
    for (struct with_mem it = with_mems(W16, W16); it.w <= it.last; next_mem(&it)) {
        x64_x87_m(&k->c, 0xd9, 5, it.m);
        expect(k, "fldcw %s", it.text);
    }
}

static void the_state_is_saved_and_restored(void **state)
{
    struct asm_check *k = *state;

    x64_fxsave(&k->c, x64_at(RDI, 0x100));
    expect(k, "fxsave [rdi + 0x100]");
    x64_fxrstor(&k->c, x64_at(R15, 16));
    expect(k, "fxrstor [r15 + 0x10]");
    x64_emms(&k->c);
    expect(k, "emms");
    x64_x87(&k->c, 0xde, 0xc1);
    expect(k, "faddp st(1)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(two_registers_of_sixteen),
        TEST(a_register_and_memory),
        TEST(the_state_is_saved_and_restored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
