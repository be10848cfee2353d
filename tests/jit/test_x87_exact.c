/* SPDX-License-Identifier: MIT */
/*
 * Runs of x87 instructions, in translated code and in the interpreter, from the same registers:
 * numbers that nearly cancel, sums that are halfway between two numbers or carry, what is at the
 * border of each format, zeros, infinities, NaNs, denormals; a stack that holds and one that does
 * not; exceptions that are not masked, some of which wait to be raised. All of the unit, EFLAGS, AX
 * and memory must be the same.
 *
 *   test_x87_exact [cases]      a million by hand; CI does some. First come some with each control
 *                               word.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/flags.h"
#include "jit/jit.h"
#include "tests/support/check.h"
#include "tests/support/little_pc.h"
#include "tests/support/rng.h"
#include "tests/support/x87_same.h"

enum {
    DATA = 0x2000, /* operands of 8 bytes */
    OPERANDS = 16,
    CONTROLS = 4, /* control words behind them */
    DATA_SIZE = 8 * (OPERANDS + 1),
    STOP = 0x7ff0, /* where exceptions go */
    CODE = 0x8000,
    CODE_STEP = 128,
    PROGRAMS = 200, /* of a machine                    */
    ROUNDS = 60,    /* of a program, with new operands */
    FEW_ROUNDS = 6, /* of one with a control word of all */
    INSNS_MAX = 9,
    BIAS = 0x3fff,
};

static u64 cases = 60000;

/* --- random numbers --- */

static u64 random_state = 1;

static u64 any64(void)
{
    return rng_u64(&random_state);
}

static u32 below(u32 n)
{
    return rng_below(&random_state, n);
}

/* A significand with its upper bit set: any; few bits, at one end or at both; nearly all bits; what
 * rounding and roots make difficult. */
static u64 any_mant(void)
{
    u64 m = any64(), root = m >> 32 | BIT(31);

    switch (below(8)) {
    case 0:
        m = 0;
        break;
    case 1:
        m = (u64)below(16) << (59 - below(3)) | below(4);
        break;
    case 2:
        m = ~(u64)below(8);
        break;
    case 3: /* halfway between two doubles, or two singles */
        m = below(2) ? m << 11 | 0x400 : m << 40 | BIT64(39);
        m += (u64)below(3) - 1;
        break;
    case 4: /* a double, or a single */
        m <<= below(2) ? 11 : 40;
        break;
    case 5: /* a square, or near one */
        m = (root * root + below(3) - 1) << (root * root >> 63 ? 0 : 1);
        break;
    default:
        break;
    }
    return m | BIT64(63);
}

static struct f80 any_f80(u32 exp)
{
    u16 sign = below(2) ? 0x8000 : 0;

    switch (below(24)) {
    case 0:
        return (struct f80){0, sign};
    case 1: /* infinities, NaNs of both kinds */
        return (struct f80){BIT64(63) | (below(2) ? any64() : 0), sign | 0x7fff};
    case 2: /* denormals, and what has the smallest exponents */
        return (struct f80){any64() >> below(64), sign};
    case 3:
        return (struct f80){any_mant(), (u16)(sign | (1 + below(66)))};
    case 4:
        return (struct f80){any_mant(), (u16)(sign | (0x7ffe - below(3)))};
    case 5: /* the border of doubles, and of singles */
        exp = BIAS + (below(2) ? 1023 : 127) * (below(2) ? 1u : UINT32_MAX) - 2 + below(5);
        return (struct f80){any_mant(), (u16)(sign | exp)};
    default: /* near each other */
        return (struct f80){any_mant(), (u16)(sign | (exp + below(below(2) ? 3 : 72)))};
    }
}

static u64 any_memory(void)
{
    u64 sign = (u64)below(2) << 63, frac = any64() >> 12;

    switch (below(8)) {
    case 0:
        return below(2) ? sign : sign >> 32;
    case 1: /* integers */
        return any64() >> below(64);
    case 2: /* two floats */
        return (any64() & 0x807fffff807fffff) | (u64)(120 + below(12)) << 55 |
               (u64)(120 + below(12)) << 23;
    case 3: /* what is not normal */
        return sign | (below(2) ? 0x7ffull << 52 : 0) | (below(2) ? frac : 0);
    default:
        return sign | (u64)(1023 - 6 + below(12)) << 52 | (below(2) ? frac : frac & -BIT64(40));
    }
}

static u16 control_of(u32 masks, u32 pc, u32 rc)
{
    return (u16)(X87_CW_RESET | masks | pc << X87_CW_PC_SHIFT | rc << X87_CW_RC_SHIFT);
}

/* Most programs leave all masked, some unmask what is not PE. */
static u32 any_masks(void)
{
    static const u8 borland = X87_CW_MASKS & ~(X87_SW_IE | X87_SW_ZE | X87_SW_OE);

    switch (below(8)) {
    case 0:
        return below(X87_CW_MASKS + 1);
    case 1:
        return below(X87_CW_MASKS + 1) | X87_SW_PE;
    case 2:
        return borland;
    default:
        return X87_CW_MASKS;
    }
}

/* As FNINIT leaves it; to nearest, with whatever precision; any. */
static u16 any_control(void)
{
    u32 kind = below(8), rc = kind > 1 ? 0 : below(4), pc = kind < 4 ? below(4) : 3;

    return control_of(any_masks(), pc, rc);
}

/* Another to be loaded: often only RC or PC are other ones. */
static u16 other_control(u16 control)
{
    u16 other = any_control();

    return below(2) ? other : (u16)((other & ~X87_CW_MASKS) | (control & X87_CW_MASKS));
}

/* --- programs --- */

/* An instruction: what it does to the stack, and whether it has a memory operand. */
static const struct op {
    u8 opcode, modrm; /* without ST(i) */
    i8 pops;          /* -1: it pushes */
    bool memory, sti;
} ops[] = {
    {0xd8, 0xc0, 0, false, true},   {0xd8, 0xc8, 0, false, true},   {0xd8, 0xe0, 0, false, true},
    {0xd8, 0xe8, 0, false, true},   {0xd8, 0xf0, 0, false, true},   {0xdc, 0xc0, 0, false, true},
    {0xdc, 0xc8, 0, false, true},   {0xdc, 0xe0, 0, false, true},   {0xdc, 0xe8, 0, false, true},
    {0xde, 0xc0, 1, false, true},   {0xde, 0xc8, 1, false, true},   {0xde, 0xe0, 1, false, true},
    {0xde, 0xe8, 1, false, true},   {0xd8, 0xd0, 0, false, true},   {0xd8, 0xd8, 1, false, true},
    {0xde, 0xd9, 2, false, false},  {0xda, 0xe9, 2, false, false},  {0xdd, 0xe0, 0, false, true},
    {0xdd, 0xe8, 1, false, true},   {0xdb, 0xf0, 0, false, true},   {0xdf, 0xf0, 1, false, true},
    {0xdb, 0xe8, 0, false, true},   {0xd9, 0xc0, -1, false, true},  {0xd9, 0xc8, 0, false, true},
    {0xdd, 0xd0, 0, false, true},   {0xdd, 0xd8, 1, false, true},   {0xd9, 0xe0, 0, false, false},
    {0xd9, 0xe1, 0, false, false},  {0xd9, 0xe8, -1, false, false}, {0xd9, 0xee, -1, false, false},
    {0xd9, 0xe4, 0, false, false},  {0xd9, 0xfa, 0, false, false},  {0xdf, 0xe0, 0, false, false},
    {0xd9, 0xeb, -1, false, false}, {0xd8, 0x06, 0, true, false},   {0xd8, 0x0e, 0, true, false},
    {0xd8, 0x16, 0, true, false},   {0xd8, 0x1e, 1, true, false},   {0xd8, 0x26, 0, true, false},
    {0xd8, 0x2e, 0, true, false},   {0xdc, 0x06, 0, true, false},   {0xdc, 0x0e, 0, true, false},
    {0xdc, 0x16, 0, true, false},   {0xdc, 0x1e, 1, true, false},   {0xdc, 0x26, 0, true, false},
    {0xdc, 0x2e, 0, true, false},   {0xdc, 0x36, 0, true, false},   {0xd9, 0x06, -1, true, false},
    {0xd9, 0x16, 0, true, false},   {0xd9, 0x1e, 1, true, false},   {0xdd, 0x06, -1, true, false},
    {0xdd, 0x16, 0, true, false},   {0xdd, 0x1e, 1, true, false},   {0xdb, 0x06, -1, true, false},
    {0xdb, 0x1e, 1, true, false},   {0xdf, 0x06, -1, true, false},  {0xdf, 0x2e, -1, true, false},
    {0xda, 0x06, 0, true, false},   {0xdf, 0x3e, 1, true, false},   {0xd8, 0xf8, 0, false, true},
    {0xdc, 0xf0, 0, false, true},   {0xdc, 0xf8, 0, false, true},   {0xde, 0xf0, 1, false, true},
    {0xde, 0xf8, 1, false, true},   {0xd8, 0x36, 0, true, false},   {0xd8, 0x3e, 0, true, false},
    {0xdc, 0x3e, 0, true, false},   {0xda, 0x0e, 0, true, false},   {0xda, 0x26, 0, true, false},
    {0xda, 0x2e, 0, true, false},   {0xda, 0x36, 0, true, false},   {0xda, 0x3e, 0, true, false},
    {0xde, 0x06, 0, true, false},   {0xde, 0x0e, 0, true, false},   {0xde, 0x36, 0, true, false},
    {0xdb, 0x16, 0, true, false},   {0xdf, 0x16, 0, true, false},   {0xdf, 0x1e, 1, true, false},
    {0x9b, 0, 0, false, false},     {0xd9, 0x3e, 0, true, false},   {0xdd, 0x3e, 0, true, false},
    {0xd9, 0x2e, 0, true, false},   {0xd9, 0x2e, 0, true, false},   {0xd9, 0x2e, 0, true, false},
    {0xd9, 0x26, 0, true, false},   {0xd9, 0x26, 0, true, false},   {0xd9, 0xfa, 0, false, false},
    {0xd9, 0xfc, 0, false, false},  {0xd9, 0xfc, 0, false, false},
};

enum { FWAIT = 0x9b };

/* Where the memory operand is. FLDENV takes the last control word, with zeros for all else. */
static u16 any_place(const struct op *o)
{
    unsigned group = o->opcode == 0xd9 ? o->modrm : 0;

    if (group == 0x2e) /* FLDCW */
        return (u16)(DATA + 8 * OPERANDS + 2 * below(CONTROLS));
    return (u16)(DATA + (group == 0x26 ? 8 * OPERANDS + 2 * (CONTROLS - 1) : 8 * below(OPERANDS)));
}

struct program {
    u8 code[CODE_STEP];
    size_t size;
    unsigned insns;
    u8 top, depth;
    u16 control;
};

static void emit(struct program *p, u8 byte)
{
    p->code[p->size++] = byte;
}

/* Between them: what sets flags, and an access that the interpreter may have to make. */
static void any_integer(struct program *p)
{
    static const u8 insns[][2] = {{0x01, 0xc8}, {0x29, 0xd1}, {0x40, 0}, {0x39, 0xc1}};
    const u8 *in = insns[below(ARRAY_LEN(insns))];

    emit(p, in[0]);
    p->insns++;
    if (in[0] != 0x40)
        emit(p, in[1]);
}

static int any_x87(struct program *p, int depth)
{
    const struct op *o;
    bool fits;

    do { /* a stack that does not hold is rare */
        o = &ops[below(ARRAY_LEN(ops))];
        fits = o->pops < 0 ? depth < 8 : depth > (o->pops == 2 ? 1 : 0);
    } while (!fits && below(40));
    emit(p, o->opcode);
    if (o->opcode == FWAIT)
        ;
    else if (o->sti)
        emit(p, (u8)(o->modrm | (depth > 0 && below(60) ? below((u32)depth) : below(8))));
    else
        emit(p, o->modrm);
    if (o->memory) {
        u16 at = any_place(o);
        emit(p, (u8)at);
        emit(p, (u8)(at >> 8));
    }
    p->insns++;
    return depth - o->pops;
}

static void any_program(struct program *p, u16 control)
{
    unsigned count = 1 + below(INSNS_MAX);
    int depth = 2 + (int)below(5);

    *p = (struct program){.top = (u8)below(8), .depth = (u8)depth, .control = control};
    while (count--) {
        if (!below(6))
            any_integer(p);
        depth = any_x87(p, depth);
        depth = depth < 0 ? 0 : depth > 8 ? 8 : depth;
    }
    emit(p, 0xeb); /* jmp $ + 2: the block ends */
    emit(p, 0);
    p->insns++;
}

/* --- two machines --- */

struct pair {
    struct little_pc *pc[2]; /* the interpreter's, the translator's */
    struct jit *jit;
};

static void pair_create(struct pair *m, bool baseline)
{
    static const u8 loop[] = {0xeb, 0xfe}, vector[] = {(u8)STOP, STOP >> 8, 0, 0};

    m->pc[0] = little_pc_create(NULL);
    m->pc[1] = little_pc_create(NULL);
    struct jit_desc d = {.cpu = m->pc[1]->cpu,
                         .physmem = m->pc[1]->pm,
                         .engine = JIT_HOST,
                         .threshold = 1,
                         .baseline = baseline};
    assert_int_equal(jit_create(&m->jit, &d), STATUS_OK);
    for (unsigned n = 0; n < 2; n++) {
        physmem_write(m->pc[n]->pm, 4 * VEC_MF, vector, sizeof(vector));
        physmem_write(m->pc[n]->pm, STOP, loop, sizeof(loop));
    }
}

static void pair_destroy(struct pair *m)
{
    jit_destroy(m->jit);
    for (unsigned i = 0; i < 2; i++) {
        void *pc = m->pc[i];
        little_pc_teardown(&pc);
    }
}

/* Flags that are set and not masked wait to be raised. */
static u16 any_status(u16 control)
{
    u16 status = (u16)(any64() & (below(2) ? 0x473f : 0x4700));

    if (below(16))
        status &= (u16) ~(~control & X87_CW_MASKS);
    return status & ~control & X87_CW_MASKS ? status | X87_SW_ES : status;
}

static void any_data(u64 *data, u16 control)
{
    for (unsigned i = 0; i < OPERANDS; i++)
        data[i] = any_memory();
    data[OPERANDS] = 0;
    for (unsigned i = 0; i < CONTROLS; i++)
        data[OPERANDS] |= (u64)(below(4) ? control : other_control(control)) << 16 * i;
}

static void start(struct pair *m, const struct program *p, u16 at)
{
    u32 exp = BIAS - 40 + below(80), eflags = (u32)any64() & FL_OSZAPC, general[4];
    u64 data[OPERANDS + 1], ne = below(4) ? CR0_NE : 0;
    struct x87_state x = {
        .top = p->top, .empty = 0xff, .control = p->control, .status = any_status(p->control)};

    any_data(data, p->control);
    x.ferr = x.status & X87_SW_ES && !ne;
    for (unsigned i = 0; i < 8; i++)
        x.r[i] = any_f80(exp);
    if (!below(4)) /* these two nearly cancel */
        x.r[(p->top + 1) & 7] =
            (struct f80){x.r[p->top].mant ^ below(4), x.r[p->top].sign_exp ^ 0x8000};
    for (unsigned i = 0; i < p->depth; i++)
        x.empty &= (u8)~BIT((p->top + i) & 7);
    if (!below(30))
        x.top = (u8)below(8);
    for (unsigned i = 0; i < 4; i++)
        general[i] = (u32)any64() >> below(32);
    for (unsigned n = 0; n < 2; n++) {
        struct cpu *cpu = m->pc[n]->cpu;
        physmem_write(m->pc[n]->pm, DATA, data, sizeof(data));
        cpu->x87 = x;
        cpu->cr0 = (cpu->cr0 & ~(u64)CR0_NE) | ne;
        cpu->gpr[REG_SP] = 0x7000;
        for (unsigned i = 0; i < 4; i++)
            cpu->gpr[i] = general[i];
        cpu->rip = at;
        flags_set_all(cpu, eflags);
    }
}

static void show(const struct pair *m, const struct program *p)
{
    fprintf(stderr, "code");
    for (size_t i = 0; i < p->size; i++)
        fprintf(stderr, " %02x", p->code[i]);
    fprintf(stderr, "\n");
    for (unsigned n = 0; n < 2; n++) {
        const struct cpu *cpu = m->pc[n]->cpu;
        const struct x87_state *x = &cpu->x87;
        fprintf(stderr,
                "%s: eflags %x eip %x eax %x; control %x status %x top %u empty %x op %x "
                "ip %x:%" PRIx64 " dp %x:%" PRIx64 "\n",
                n ? "translated" : "interpreted", flags_arith(cpu), (u32)cpu->rip, (u32)cpu->gpr[0],
                x->control, x->status, x->top, x->empty, x->opcode, x->cs, x->ip, x->ds, x->dp);
        for (unsigned i = 0; i < 8; i++)
            fprintf(stderr, "  r%u %04x %016" PRIx64 "\n", i, x->r[i].sign_exp, x->r[i].mant);
    }
}

static bool is_same(const struct pair *m)
{
    const struct cpu *a = m->pc[0]->cpu, *b = m->pc[1]->cpu;
    u8 data[2][DATA_SIZE];

    for (unsigned n = 0; n < 2; n++)
        physmem_read(m->pc[n]->pm, DATA, data[n], DATA_SIZE);
    return x87_same(&a->x87, &b->x87) && flags_arith(a) == flags_arith(b) && a->rip == b->rip &&
           memcmp(a->gpr, b->gpr, sizeof(a->gpr)) == 0 && memcmp(data[0], data[1], DATA_SIZE) == 0;
}

/* The program that comes @i-th in its machine. */
static void run_program(struct pair *m, unsigned i, u16 control, u64 rounds)
{
    u16 at = (u16)(CODE + i * CODE_STEP);
    struct program p;

    any_program(&p, control);
    for (unsigned n = 0; n < 2; n++)
        physmem_write(m->pc[n]->pm, at, p.code, p.size);
    for (u64 round = 0; round < rounds; round++) {
        start(m, &p, at);
        for (unsigned n = 0; n < 2; n++)
            little_pc_run(m->pc[n], p.insns);
        if (!is_same(m)) {
            show(m, &p);
            fail_msg("round %" PRIu64 ", control word %x", round, control);
        }
    }
}

static void run_programs(struct pair *m, u64 *left)
{
    for (unsigned i = 0; i < PROGRAMS && *left; i++) {
        u64 rounds = *left < ROUNDS ? *left : ROUNDS;

        run_program(m, i, any_control(), rounds);
        *left -= rounds;
    }
}

/* All masks with all that PC and RC can be. */
static void so_they_do_with_each_control_word(void **state)
{
    (void)state;
    if (!jit_supported())
        skip();
    for (u32 pc_rc = 0; pc_rc < 16; pc_rc++) {
        struct pair m;

        pair_create(&m, pc_rc & 1);
        for (u32 masks = 0; masks <= X87_CW_MASKS; masks++)
            run_program(&m, masks, control_of(masks, pc_rc >> 2, pc_rc & 3), FEW_ROUNDS);
        pair_destroy(&m);
    }
}

static void translated_runs_do_what_the_interpreter_does(void **state)
{
    u64 left = cases;
    bool baseline = false;

    (void)state;
    if (!jit_supported())
        skip();
    while (left) {
        struct pair m;

        pair_create(&m, baseline);
        baseline = !baseline;
        run_programs(&m, &left);
        pair_destroy(&m);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_they_do_with_each_control_word),
        cmocka_unit_test(translated_runs_do_what_the_interpreter_does),
    };

    if (argc > 1)
        cases = strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
