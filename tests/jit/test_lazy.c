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

static void where_carry_is_kept_a_block_may_begin_with_increments(void **state)
{
    struct ir_block b;

    (void)state;
    ir_text_one(&b, "mov.32 r3, 1\ninc.32 r0, r0 ; def PAZSO");
    assert_int_equal(lazy_spoils_but_carry(&b), BIT(REG_BX));
    ir_text_one(&b, "rol.32 r0, r0, 1 ; def CO");
    assert_int_equal(lazy_spoils_but_carry(&b), LAZY_UNFIT);
    ir_text_one(&b, "adc.32 r0, r0, r1 ; def CPAZSO use C");
    assert_int_equal(lazy_spoils_but_carry(&b), LAZY_UNFIT);
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
    const struct recipe carry = {RECIPE_DEC, W16, REG_CX, REG_DI, 2};
    const struct recipe shift = {RECIPE_SHL, W32, 0, 0, 3}, stored = {RECIPE_STORED, 0, 0, 0, 0};

    (void)state;
    assert_int_equal(lazy_needs(&two), BIT(REG_BX) | BIT(REG_SI));
    assert_int_equal(lazy_needs(&one), BIT(REG_CX));
    assert_int_equal(lazy_needs(&carry), BIT(REG_CX) | BIT(REG_DI));
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

/* CF behind INC is made from what ADD has left in AX, which is another before LAHF asks. */
static void carry_that_only_an_addition_tells_outlives_it(void **state)
{
    static const u8 code[] = {
        0x05, 0x9d, 0x74,             /* again: add ax,749dh    */
        0x99, 0x43, 0x98, 0x9f,       /* cwd; inc bx; cbw; lahf */
        0x01, 0xc7, 0xd1, 0xc7,       /* add di,ax; rol di,1    */
        0x49, 0x75, 0xf2, 0xf4,       /* dec cx; jnz again; hlt */
    };
    struct pair *p = *state;

    assert_int_equal(pair_run(p, code, sizeof(code)), CPU_EXIT_HALTED);
}

/* --- loops of one block --- */

/* Behind it, what is at PAIR_CODE + 32 is the handler of #GP. */
#define CATCH_GP                                                                                   \
    0xc7, 0x06, 0x34, 0x00, 0x20, 0x10,     /* mov word [13*4],PAIR_CODE+32 */                     \
        0xc7, 0x06, 0x36, 0x00, 0x00, 0x00, /* mov word [13*4+2],0          */                     \
        0xb8, 0x00, 0x20, 0x8e, 0xd8        /* mov ax,2000h; mov ds,ax      */
enum { CATCH = 17, HANDLER = 32, SOME_FLAGS = FL_C | FL_P | FL_A | FL_Z | FL_S | FL_O };

static void run_again(struct pair *p, const u8 *code, size_t bytes)
{
    p->ours->cpu->halted = p->theirs->cpu->halted = false;
    assert_int_equal(pair_run(p, code, bytes), CPU_EXIT_HALTED);
}

static u32 flags_at_fault(struct pair *p, const u8 *loop, size_t bytes)
{
    u8 code[64] = {CATCH_GP};
    u16 flags;

    memcpy(code + CATCH, loop, bytes);
    code[HANDLER] = 0xf4;
    assert_true(bytes <= HANDLER - CATCH);
    run_again(p, code, sizeof(code));
    assert_int_equal(p->ours->cpu->rip, PAIR_CODE + HANDLER + 1);
    physmem_read(p->ours->pm, (u16)p->ours->cpu->gpr[REG_SP] + 4, &flags, sizeof(flags));
    return flags & SOME_FLAGS;
}

static void a_fault_in_a_loop_finds_the_carry_of_before_it(void **state)
{
    static const u8 set[] = {
        0xbf, 0x00, 0xfb,       /* mov di,fb00h   */
        0xf9,                   /* stc            */
        0x89, 0x05, 0x47, 0x49, /* mov [di],ax; inc di; dec cx */
        0x75, 0xfa, 0xf4,       /* jnz; hlt       */
    };
    u8 clear[sizeof(set)];

    memcpy(clear, set, sizeof(set));
    clear[3] = 0xf8; /* clc */
    assert_true(flags_at_fault(*state, set, sizeof(set)) & FL_C);
    assert_false(flags_at_fault(*state, clear, sizeof(clear)) & FL_C);
}

static void a_fault_in_a_loop_finds_the_carry_of_its_addition(void **state)
{
    static const u8 down[] = {
        0xbf, 0xb7, 0xfb,       /* mov di,fbb7h      */
        0x89, 0x85, 0x00, 0x10, /* mov [di+1000h],ax */
        0x83, 0xc7, 0xfe,       /* add di,-2         */
        0x49, 0x75, 0xf6, 0xf4, /* dec cx; jnz; hlt  */
    };
    static const u8 up[] = {
        0xbf, 0x01, 0xfb,       /* mov di,fb01h  */
        0x89, 0x05,             /* mov [di],ax   */
        0x83, 0xc7, 0x02,       /* add di,2      */
        0x49, 0x75, 0xf8, 0xf4, /* dec cx; jnz; hlt */
    };

    assert_true(flags_at_fault(*state, down, sizeof(down)) & FL_C);
    assert_false(flags_at_fault(*state, up, sizeof(up)) & FL_C);
}

/* The run is longer than code gets at a time: it is left in the loop. */
static void a_loop_that_is_left_between_rounds_keeps_its_flags(void **state)
{
    static const u8 code[] = {
        0xb8, 0x00, 0x20, 0x8e, 0xd8, 0xb9, 0x00, 0xf0, /* mov ax,2000h; mov ds,ax; cx,f000h */
        0xf9,                                           /* stc                               */
        0x88, 0x05, 0x47, 0x49, 0x75, 0xfa,             /* mov [di],al; inc di; dec cx; jnz  */
        0x9c, 0x5a, 0xf4,                               /* pushf; pop dx; hlt                */
    };
    struct pair *p = *state;

    for (unsigned i = 0; i < 2; i++) {
        run_again(p, code, sizeof(code));
        assert_true(p->ours->cpu->gpr[REG_DX] & FL_C);
    }
}

/* It is left where its budget ends. */
static void flags_of_a_loop_are_there_wherever_a_run_ends(void **state)
{
    static const u8 code[] = {
        0xb8, 0x00, 0x20, 0x8e, 0xd8, 0xb9, 0x00, 0xf0, /* mov ax,2000h; mov ds,ax; cx,f000h       */
        0x88, 0x05, 0x83, 0xc7, 0x05, 0x49, 0x75, 0xf8, /* mov [di],al; add di,5; dec cx; jnz; hlt */
        0xf4,
    };
    struct pair *p = *state;
    struct little_pc *pc[] = {p->ours, p->theirs};
    enum cpu_exit e;

    if (!jit_supported())
        skip();
    for (unsigned i = 0; i < 2; i++)
        little_pc_load(pc[i], PAIR_CODE, code, sizeof(code));
    do {
        e = little_pc_run(pc[0], 997);
        assert_int_equal(little_pc_run(pc[1], 997), e);
        assert_int_equal(p->ours->cpu->rip, p->theirs->cpu->rip);
        assert_int_equal(flags_get(p->ours->cpu), flags_get(p->theirs->cpu));
    } while (e == CPU_EXIT_BUDGET);
}

static int pair_setup(void **state)
{
    *state = pair_create("max");
    return 0;
}

/* --- loops of one block --- */

/* LAHF shows all but OF; the branch has seen that. */
static void run_loop(u8 step, u8 cond, u16 start, bool carry, bool between)
{
    u8 code[] = {0xb9, 0x0c, 0x00,                     /* mov cx, 12        */
                 0xba, (u8)start, (u8)(start >> 8),    /* outer: mov dx, .. */
                 carry ? 0xf9 : 0xf8,                  /* stc or clc        */
                 step,                                 /* L: inc or dec dx  */
                 between ? 0x89 : 0x42, between ? 0xd3 : 0x4a, /* mov bx, dx, or inc and dec dx */
                 (u8)(0x70 + cond), 0xfb,              /* jcc L             */
                 0x9f, 0x01, 0xc6,                     /* lahf; add si, ax  */
                 0x11, 0xd6,                           /* adc si, dx        */
                 0x49, 0x75, 0xef,                     /* dec cx; jnz outer */
                 0xf4};
    struct pair *p = pair_create(NULL);
    void *state = p;

    p->ours->cpu->gpr[REG_SI] = p->theirs->cpu->gpr[REG_SI] = 0;
    pair_run(p, code, sizeof(code)); /* some never end */
    pair_teardown(&state);
}

static void loops_of_steps_end_as_their_conditions_say(void **state)
{
    static const u16 start[] = {0xffe0, 0x7ff0, 0x0003};

    (void)state;
    for (u32 i = 0; i < 16 * 2 * 2 * 2; i++)
        run_loop(i & 16 ? 0x4a : 0x42, i & 15, start[i % ARRAY_LEN(start)], i & 32, i & 64);
}

int main(void)
{
#define T(f) cmocka_unit_test(f)
#define P(f) cmocka_unit_test_setup_teardown(f, pair_setup, pair_teardown)
    const struct CMUnitTest tests[] = {
        T(a_block_that_sets_all_flags_first_spoils_what_it_writes_before),
        T(a_block_that_may_show_flags_of_before_is_unfit),
        T(where_carry_is_kept_a_block_may_begin_with_increments),
        T(a_mark_stands_for_its_recipe_and_is_never_what_lahf_stores),
        T(what_a_recipe_needs_are_its_registers),
        cmocka_unit_test(loops_of_steps_end_as_their_conditions_say),
        cmocka_unit_test_setup_teardown(flags_are_there_when_the_next_block_becomes_one_that_looks,
                                        little_pc_setup, little_pc_teardown),
        cmocka_unit_test_setup_teardown(flags_that_are_stored_in_part_are_not_mixed_with_a_mark,
                                        pair_setup, pair_teardown),
        P(carry_that_only_an_addition_tells_outlives_it),
        P(a_fault_in_a_loop_finds_the_carry_of_before_it),
        P(a_fault_in_a_loop_finds_the_carry_of_its_addition),
        P(a_loop_that_is_left_between_rounds_keeps_its_flags),
        P(flags_of_a_loop_are_there_wherever_a_run_ends),
    };
    return cmocka_run_group_tests_name("lazy", tests, NULL, NULL);
}
