/* SPDX-License-Identifier: MIT */
/* Flags that an edge does not store, because the next block sets them first. */
#include <string.h>

#include "jit/jit.h"
#include "jit/lazy.h"
#include "tests/jit/ir_text.h"
#include "tests/jit/pair.h"

/* --- which blocks are fit --- */

static u8 spoils_of(const char *operations)
{
    struct ir_block b;

    ir_text_one(&b, operations);
    return lazy_spoils(&b);
}

static void a_block_that_sets_all_flags_first_spoils_what_it_writes_before(void **state)
{
    (void)state;
    assert_int_equal(spoils_of("add.32 r0, r0, r1 ; def CPAZSO"), 0);
    assert_int_equal(spoils_of("ld.32 r2, [r6]\nadd.32 r0, r0, r1 ; def CPAZSO"), BIT(2));
    assert_int_equal(spoils_of("divu.32 r3\nmov.32 r7, 5\ncmp.32 r0, r1 ; def CPAZSO"),
                     BIT(REG_AX) | BIT(REG_DX) | BIT(REG_DI));
    assert_int_equal(spoils_of("mov.8 h2, 1\nneg.32 r1, r1 ; def CPAZSO"), BIT(REG_DX));
}

static void a_block_that_may_show_flags_of_before_is_unfit(void **state)
{
    (void)state;
    assert_int_equal(spoils_of("mov.32 r0, r1"), LAZY_UNFIT);
    assert_int_equal(spoils_of("inc.32 r0, r0 ; def PAZSO"), LAZY_UNFIT);
    assert_int_equal(spoils_of("adc.32 r0, r0, r1 ; def CPAZSO use C"), LAZY_UNFIT);
    assert_int_equal(spoils_of("exec ; def CPAZSO\nadd.32 r0, r0, r1 ; def CPAZSO"), LAZY_UNFIT);
}

/* --- marks --- */

static void a_mark_stands_for_its_recipe_and_is_never_what_lahf_stores(void **state)
{
    static struct lazy_recipes l;
    struct recipe r = {RECIPE_CMP, W32, REG_AX, RECIPE_IMM, 0};
    u16 first = lazy_mark(&l, &r);

    (void)state;
    for (r.imm = 1; r.imm < LAZY_RECIPES - 1; r.imm++) {
        u16 mark = lazy_mark(&l, &r);
        assert_int_not_equal(mark, 0);
        assert_false(mark & LAZY_STORED);
        assert_int_equal(lazy_recipe(&l, mark)->imm, r.imm);
        assert_int_equal(lazy_mark(&l, &r), mark);
    }
    assert_int_equal(lazy_mark(&l, &r), 0); /* no room */
    r.imm = 0;
    assert_int_equal(lazy_mark(&l, &r), first);
}

static void what_a_recipe_needs_are_its_registers(void **state)
{
    const struct recipe two = {RECIPE_CMP, W32, REG_BX, REG_SI, 0};
    const struct recipe one = {RECIPE_DEC, W16, REG_CX, RECIPE_IMM, 0};
    const struct recipe shift = {RECIPE_SHL, W32, 0, 0, 3}, stored = {RECIPE_STORED, 0, 0, 0, 0};

    (void)state;
    assert_int_equal(lazy_needs(&two), BIT(REG_BX) | BIT(REG_SI));
    assert_int_equal(lazy_needs(&one), BIT(REG_CX));
    assert_true(lazy_fit(&two) && lazy_fit(&one));
    assert_false(lazy_fit(&shift) || lazy_fit(&stored));
}

/* --- the next block changes --- */

static void run_at_7c00(struct little_pc *pc)
{
    pc->cpu->rip = 0x7c00;
    pc->cpu->halted = false;
    assert_int_equal(little_pc_run(pc, 100000), CPU_EXIT_HALTED);
}

static void flags_are_there_when_the_next_block_becomes_one_that_looks(void **state)
{
    static const u8 code[] = {
        0x31, 0xc0,       /* xor ax,ax         */
        0xb9, 0xe8, 0x03, /* mov cx,1000       */
        0x39, 0xc8,       /* again: cmp ax,cx  */
        0x75, 0x02,       /* jne next          */
        0x90, 0x90,       /*                   */
        0x31, 0xdb,       /* next: xor bx,bx   */
        0x49,             /* dec cx            */
        0x75, 0xf5,       /* jnz again         */
        0xf4,
    };
    static const u8 look[] = {0x9c, 0x5b}; /* next: pushf; pop bx */
    struct little_pc *pc = *state;
    struct jit_desc d = {.cpu = pc->cpu, .physmem = pc->pm, .engine = JIT_HOST};
    struct jit *j;

    if (!jit_supported())
        skip();
    assert_int_equal(jit_create(&j, &d), STATUS_OK);
    physmem_write(pc->pm, 0x7c00, code, sizeof(code));
    run_at_7c00(pc);
    assert_int_equal((u16)pc->cpu->gpr[REG_BX], 0);
    physmem_write(pc->pm, 0x7c0b, look, sizeof(look));
    run_at_7c00(pc);
    assert_int_equal(pc->cpu->gpr[REG_BX] & (FL_SZAPC | FL_O), FL_C | FL_A | FL_S | FL_P);
    jit_destroy(j);
}

/* A shift sets all flags, of which ROL keeps some: they are stored one by one. */
static void flags_that_are_stored_in_part_are_not_mixed_with_a_mark(void **state)
{
    static const u8 code[] = {
        0x66, 0xb9, 0x11, 0x11, 0x11, 0x11,                 /* mov ecx,11111111h    */
        0x66, 0xbb, 0x67, 0x45, 0x23, 0x01,                 /* mov ebx,1234567h     */
        0x66, 0x31, 0xf6, 0x66, 0x31, 0xff,                 /* xor esi,esi; edi,edi */
        0xbd, 0xb8, 0x0b,                                   /* mov bp,3000          */
        0x83, 0xfd, 0xff, 0x75, 0x01, 0xf4,                 /* cmp bp,-1; jne; hlt: */
        0x83, 0xfd, 0xfe, 0x75, 0x01, 0xf4,                 /* each has a number    */
        0x83, 0xfd, 0xfd, 0x75, 0x01, 0xf4,                 /*                      */
        0x66, 0xc1, 0xe3, 0x03, 0x66, 0xd1, 0xc1,           /* shl ebx,3; rol ecx,1 */
        0x7c, 0x04, 0x66, 0x47, 0xeb, 0x02,                 /* jl; inc edi; jmp     */
        0x66, 0x46,                                         /* inc esi              */
        0x66, 0x67, 0x8d, 0x9c, 0x7b, 0x67, 0x45, 0x23, 01, /* lea ebx,[ebx+edi*2+n] */
        0x4d, 0x75, 0xd3, 0xf4,                             /* dec bp; jnz; hlt     */
    };
    struct pair *p = *state;

    assert_int_equal(pair_run(p, code, sizeof(code)), CPU_EXIT_HALTED);
    assert_int_not_equal(p->ours->cpu->gpr[REG_SI], 0);
}

static int pair_setup(void **state)
{
    *state = pair_create("max");
    return 0;
}

int main(void)
{
#define T(f) cmocka_unit_test(f)
    const struct CMUnitTest tests[] = {
        T(a_block_that_sets_all_flags_first_spoils_what_it_writes_before),
        T(a_block_that_may_show_flags_of_before_is_unfit),
        T(a_mark_stands_for_its_recipe_and_is_never_what_lahf_stores),
        T(what_a_recipe_needs_are_its_registers),
        cmocka_unit_test_setup_teardown(flags_are_there_when_the_next_block_becomes_one_that_looks,
                                        little_pc_setup, little_pc_teardown),
        cmocka_unit_test_setup_teardown(flags_that_are_stored_in_part_are_not_mixed_with_a_mark,
                                        pair_setup, pair_teardown),
    };
    return cmocka_run_group_tests_name("lazy", tests, NULL, NULL);
}
