/* SPDX-License-Identifier: MIT */
/*
 * Groups of SSE instructions, in translated code and in the interpreter, from the same operands:
 * NaNs of both kinds, infinities, denormals, what is at the border of overflow, underflow and of
 * integers, in all rounding modes. Registers, MXCSR, EFLAGS and memory must be the same. Some
 * operands are in a device, which translated code leaves to the interpreter in the middle of a
 * group.
 *
 *   test_sse_exact [cases]      a million by hand; CI does some
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

enum {
    DATA = 0x2000, /* 16 operands of 16 bytes, then what is stored */
    OPERANDS = 16,
    DATA_SIZE = 16 * OPERANDS,
    TRAP = 0x3000,
    DEVICE = 0x4000,
    CODE = 0x8000,
    CODE_STEP = 128,
    PROGRAMS = 200, /* of a machine                  */
    ROUNDS = 40,    /* of a program, with new operands */
    INSNS_MAX = 7,
    XM_VECTOR = 19,
};

static u64 cases = 40000;

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

/* A number with @mant bits of significand and an exponent of which @max is all ones. */
static u64 any_float(unsigned mant, u64 max)
{
    u64 bias = max / 2, frac = any64() >> (64 - mant), exp;
    u64 sign = (u64)below(2) << (mant == 52 ? 63 : 31);

    switch (below(12)) {
    case 0: /* zeros, infinities */
        return sign | (below(2) ? max << mant : 0);
    case 1: /* NaNs, quiet or not */
        return sign | max << mant | frac | (frac == 0);
    case 2: /* denormals */
        return sign | (below(3) ? frac : frac & 3);
    case 3: /* the smallest normal numbers */
        return sign | (u64)(1 + below(2)) << mant | (below(2) ? frac : 0);
    case 4: /* the largest */
        return sign | (max - 1 - below(2)) << mant | (below(2) ? frac : BIT64(mant) - 1);
    case 5: /* two of these make a product at the border of underflow, or of overflow */
        exp = (below(2) ? bias / 2 : bias + bias / 2) - 1 + below(4);
        return sign | exp << mant | frac;
    case 6: /* integers, and numbers beside them, up to 2^33 */
        exp = bias + below(34);
        frac &= ~(BIT64(mant) - 1) | ~(below(2) ? BIT64(mant / 2) - 1 : 0);
        return sign | exp << mant | (frac & (BIT64(mant) - 1));
    case 7: /* the border of 32-bit integers */
        return sign | (bias + 30 + below(2)) << mant | (below(2) ? BIT64(mant) - 1 - below(4) : 0);
    case 8: /* few bits, so that results are exact */
        return sign | (bias - 4 + below(8)) << mant | (u64)below(8) << (mant - 3);
    default:
        return sign | (bias - 20 + below(40)) << mant | frac;
    }
}

static void any_operand(u8 out[16])
{
    u64 q[2];

    if (below(2)) {
        q[0] = any_float(52, 0x7ff);
        q[1] = any_float(52, 0x7ff);
    } else {
        q[0] = any_float(23, 0xff) | any_float(23, 0xff) << 32;
        q[1] = any_float(23, 0xff) | any_float(23, 0xff) << 32;
    }
    memcpy(out, q, 16);
}

/* --- programs --- */

enum operand_kind { ANY, IMM, GENERAL };

static const struct op {
    const char *prefixes; /* one of these: n none, 6 66h, 2 F2h, 3 F3h */
    u8 opcode, kind;
    bool moves; /* raises nothing: less often */
} ops[] = {
    {"n623", 0x58, ANY, false}, {"n623", 0x59, ANY, false},   {"n623", 0x5c, ANY, false},
    {"n623", 0x5e, ANY, false}, {"n623", 0x51, ANY, false},   {"n623", 0x5d, ANY, false},
    {"n623", 0x5f, ANY, false}, {"n623", 0xc2, IMM, false},   {"n6", 0x2e, ANY, false},
    {"n6", 0x2f, ANY, false},   {"n623", 0x5a, ANY, false},   {"n63", 0x5b, ANY, false},
    {"623", 0xe6, ANY, false},  {"23", 0x2a, GENERAL, false}, {"23", 0x2c, ANY, false},
    {"23", 0x2d, ANY, false},   {"n623", 0x10, ANY, true},    {"n623", 0x11, ANY, true},
    {"n6", 0x28, ANY, true},    {"n6", 0x14, ANY, true},      {"n6", 0x15, ANY, true},
    {"n6", 0xc6, IMM, true},    {"623", 0x70, IMM, true},     {"n6", 0x54, ANY, true},
    {"n6", 0x57, ANY, true},    {"n", 0x12, ANY, true},       {"n", 0x16, ANY, true},
    {"6", 0x6e, GENERAL, true}, {"6", 0x7e, GENERAL, true},   {"3", 0x7e, ANY, true},
    {"6", 0xd6, ANY, true},     {"6", 0xfe, ANY, true},       {"6", 0xec, ANY, true},
    {"6", 0x6b, ANY, true},     {"6", 0x67, ANY, true},
};

static u16 any_place(void)
{
    return below(4) ? (u16)(DATA + 16 * below(OPERANDS)) : DEVICE;
}

/* One instruction at @out; its length. */
static size_t any_insn(u8 *out)
{
    const struct op *o;
    u8 *at = out;

    do {
        o = &ops[below(ARRAY_LEN(ops))];
    } while (o->moves && below(2));
    char prefix = o->prefixes[below((u32)strlen(o->prefixes))];
    if (prefix != 'n')
        *at++ = prefix == '6' ? 0x66 : prefix == '2' ? 0xf2 : 0xf3;
    *at++ = 0x0f;
    *at++ = o->opcode;
    if (below(3) == 0) {
        *at++ = (u8)(below(8) << 3 | 6);
        u16 addr = any_place();
        memcpy(at, &addr, 2);
        at += 2;
    } else {
        *at++ = (u8)(0xc0 | below(8) << 3 | below(o->kind == GENERAL ? 4 : 8));
    }
    if (o->kind == IMM)
        *at++ = (u8)any64();
    return (size_t)(at - out);
}

struct program {
    u8 code[CODE_STEP];
    size_t size;
    unsigned insns;
};

static void any_program(struct program *p)
{
    p->size = 0;
    p->insns = 1 + below(INSNS_MAX);
    for (unsigned i = 0; i < p->insns; i++)
        p->size += any_insn(p->code + p->size);
    p->code[p->size++] = 0xeb; /* jmp $ + 2: the block ends */
    p->code[p->size++] = 0;
    p->insns++;
}

static u32 any_mxcsr(void)
{
    u32 mxcsr = MXCSR_MASKS;

    mxcsr |= below(3) ? 0 : below(4) << 13;
    mxcsr |= below(2) ? 0 : (u32)any64() & 0x3f;
    mxcsr |= below(3) ? 0 : (below(2) ? MXCSR_DAZ : 0) | (below(2) ? MXCSR_FTZ : 0);
    if (!below(16))
        mxcsr &= ~(u32)(0x80 << below(6));
    return mxcsr;
}

/* --- two machines --- */

struct pair {
    struct little_pc *pc[2]; /* the interpreter's, the translator's */
    struct jit *jit;
};

static u64 device_read(void *dev, u64 off, unsigned size)
{
    (void)dev;
    return (0x3fc000003f800000 >> (off & 4) * 8) & (~(u64)0 >> (64 - 8 * size));
}

static void device_write(void *dev, u64 off, u64 val, unsigned size)
{
    (void)dev, (void)off, (void)val, (void)size;
}

static struct little_pc *machine(void)
{
    static const struct mmio_ops device = {device_read, device_write, 4};
    static const u8 loop[] = {0xeb, 0xfe};
    static const u8 vector[] = {TRAP & 0xff, TRAP >> 8, 0, 0};
    struct little_pc *pc = little_pc_create(NULL);

    pc->cpu->cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
    assert_int_equal(physmem_map_mmio(pc->pm, DEVICE, PAGE_SIZE, &device, NULL), STATUS_OK);
    physmem_write(pc->pm, TRAP, loop, sizeof(loop));
    physmem_write(pc->pm, XM_VECTOR * 4, vector, sizeof(vector));
    return pc;
}

static void pair_create(struct pair *m)
{
    m->pc[0] = machine();
    m->pc[1] = machine();
    struct jit_desc d = {
        .cpu = m->pc[1]->cpu, .physmem = m->pc[1]->pm, .engine = JIT_HOST, .threshold = 1};
    assert_int_equal(jit_create(&m->jit, &d), STATUS_OK);
}

static void pair_destroy(struct pair *m)
{
    jit_destroy(m->jit);
    for (unsigned i = 0; i < 2; i++) {
        void *pc = m->pc[i];
        little_pc_teardown(&pc);
    }
}

static void start(struct pair *m, u16 at)
{
    u8 data[DATA_SIZE], xmm[8][16];
    u32 mxcsr = any_mxcsr(), eflags = (u32)any64() & FL_OSZAPC, general[4];

    for (unsigned i = 0; i < OPERANDS; i++)
        any_operand(data + 16 * i);
    for (unsigned i = 0; i < 8; i++)
        any_operand(xmm[i]);
    for (unsigned i = 0; i < 4; i++)
        general[i] = (u32)any64() >> below(32);
    for (unsigned n = 0; n < 2; n++) {
        struct cpu *cpu = m->pc[n]->cpu;
        physmem_write(m->pc[n]->pm, DATA, data, sizeof(data));
        for (unsigned i = 0; i < 8; i++)
            memcpy(&cpu->sse.v[i], xmm[i], 16);
        for (unsigned i = 0; i < 4; i++)
            cpu->gpr[i] = general[i];
        cpu->gpr[REG_SP] = 0x7000;
        cpu->sse.mxcsr = mxcsr;
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
        fprintf(stderr, "%s: mxcsr %x eflags %x eip %x eax %x\n", n ? "translated" : "interpreted",
                cpu->sse.mxcsr, flags_arith(cpu), (u32)cpu->rip, (u32)cpu->gpr[0]);
        for (unsigned i = 0; i < 8; i++)
            fprintf(stderr, "  xmm%u %016" PRIx64 " %016" PRIx64 "\n", i, cpu->sse.v[i].q[1],
                    cpu->sse.v[i].q[0]);
    }
}

static bool is_same(const struct pair *m)
{
    const struct cpu *a = m->pc[0]->cpu, *b = m->pc[1]->cpu;
    u8 data[2][DATA_SIZE];
    bool same = a->sse.mxcsr == b->sse.mxcsr && flags_arith(a) == flags_arith(b) &&
                a->rip == b->rip && memcmp(a->gpr, b->gpr, sizeof(a->gpr)) == 0;

    for (unsigned i = 0; i < 8; i++)
        same = same && memcmp(&a->sse.v[i], &b->sse.v[i], 16) == 0;
    for (unsigned n = 0; n < 2; n++)
        physmem_read(m->pc[n]->pm, DATA, data[n], DATA_SIZE);
    return same && memcmp(data[0], data[1], DATA_SIZE) == 0;
}

static void run_programs(struct pair *m, u64 *left)
{
    for (unsigned i = 0; i < PROGRAMS && *left; i++) {
        u16 at = (u16)(CODE + i * CODE_STEP);
        struct program p;

        any_program(&p);
        for (unsigned n = 0; n < 2; n++)
            physmem_write(m->pc[n]->pm, at, p.code, p.size);
        for (unsigned round = 0; round < ROUNDS && *left; round++, --*left) {
            start(m, at);
            for (unsigned n = 0; n < 2; n++)
                little_pc_run(m->pc[n], p.insns);
            if (!is_same(m)) {
                show(m, &p);
                fail_msg("case %" PRIu64, cases - *left);
            }
        }
    }
}

static void translated_groups_do_what_the_interpreter_does(void **state)
{
    u64 left = cases;

    (void)state;
    if (!jit_supported())
        skip();
    while (left) {
        struct pair m;

        pair_create(&m);
        run_programs(&m, &left);
        pair_destroy(&m);
    }
}

/* Both run @code up to HLT, the same way; translated code gives up nowhere. */
static void run_in_code(struct pair *m, const void *code, size_t size)
{
    static const char key[] = " bail ";
    char text[4096];

    for (unsigned n = 0; n < 2; n++) {
        little_pc_load(m->pc[n], CODE, code, size);
        assert_int_equal(little_pc_run(m->pc[n], 100000), CPU_EXIT_HALTED);
    }
    assert_true(is_same(m));
    jit_stats(m->jit, text, sizeof(text));
    assert_int_equal(strtoull(strstr(text, key) + strlen(key), NULL, 10), 0);
}

/* Whoever sets DAZ and FTZ does so for good: that must not leave code, for zeros neither. */
static void denormal_operands_are_zeros_in_code(void **state)
{
    static const u8 code[] = {
        0xb9, 0xd0, 0x07,       /* mov cx,2000           */
        0xf2, 0x0f, 0x58, 0xc1, /* again: addsd xmm0,xmm1 */
        0xf2, 0x0f, 0x58, 0xc2, /* addsd xmm0,xmm2       */
        0xe2, 0xf6,             /* loop again            */
        0xf4,                   /* hlt                   */
    };
    struct pair m;

    (void)state;
    if (!jit_supported())
        skip();
    pair_create(&m);
    for (unsigned n = 0; n < 2; n++) {
        struct cpu *cpu = m.pc[n]->cpu;
        cpu->sse.mxcsr = MXCSR_MASKS | MXCSR_DAZ | MXCSR_FTZ;
        cpu->sse.v[0].q[0] = 0;
        cpu->sse.v[1].q[0] = 0x3ff0000000000000; /* 1             */
        cpu->sse.v[2].q[0] = 0x0000000000000001; /* the smallest  */
    }
    run_in_code(&m, code, sizeof(code));
    assert_true(m.pc[1]->cpu->sse.v[0].q[0] == 0x409f400000000000); /* 2000 */
    assert_int_equal(m.pc[1]->cpu->sse.mxcsr, MXCSR_MASKS | MXCSR_DAZ | MXCSR_FTZ);
    pair_destroy(&m);
}

/* Pixels and samples saturate all the time: what that leaves in the host's flags is no exception,
 * in no kind of group. */
static void saturated_integers_do_not_leave_code(void **state)
{
    static const u8 arith[] = {
        0xb9, 0xd0, 0x07,       /* mov cx,2000                */
        0x0f, 0x28, 0xc2,       /* again: movaps xmm0,xmm2    */
        0x0f, 0x59, 0xc3,       /* mulps xmm0,xmm3            */
        0xf3, 0x0f, 0x5b, 0xc8, /* cvttps2dq xmm1,xmm0        */
        0x66, 0x0f, 0x6b, 0xc9, /* packssdw xmm1,xmm1         */
        0x66, 0x0f, 0x67, 0xc9, /* packuswb xmm1,xmm1         */
        0xe2, 0xec,             /* loop again                 */
        0xf4,                   /* hlt                        */
    };
    static const u8 min[] = {
        0xb9, 0xd0, 0x07,       /* mov cx,2000                */
        0x0f, 0x28, 0xc2,       /* again: movaps xmm0,xmm2    */
        0x0f, 0x5d, 0xc3,       /* minps xmm0,xmm3            */
        0x66, 0x0f, 0xdc, 0xc0, /* paddusb xmm0,xmm0          */
        0xe2, 0xf4,             /* loop again                 */
        0xf4,                   /* hlt                        */
    };
    static const u8 doubles[] = {
        0xb9, 0xd0, 0x07,       /* mov cx,2000                */
        0xf2, 0x0f, 0x58, 0xe5, /* again: addsd xmm4,xmm5     */
        0x66, 0x0f, 0x6b, 0xc9, /* packssdw xmm1,xmm1         */
        0xf2, 0x0f, 0xe6, 0xf5, /* cvtpd2dq xmm6,xmm5         */
        0x66, 0x0f, 0xe6, 0xfd, /* cvttpd2dq xmm7,xmm5        */
        0xe2, 0xee,             /* loop again                 */
        0xf4,                   /* hlt                        */
    };
    static const struct {
        const u8 *code;
        size_t size;
    } loops[] = {
        {arith, sizeof(arith)},
        {min, sizeof(min)},
        {doubles, sizeof(doubles)},
    };

    (void)state;
    if (!jit_supported())
        skip();
    for (unsigned i = 0; i < ARRAY_LEN(loops); i++) {
        struct pair m;

        pair_create(&m);
        for (unsigned n = 0; n < 2; n++) {
            struct cpu *cpu = m.pc[n]->cpu;
            for (unsigned k = 0; k < 4; k++) {
                cpu->sse.v[1].d[k] = 0x12345678;
                cpu->sse.v[2].d[k] = 0x44160000; /* 600 */
                cpu->sse.v[3].d[k] = 0x3fc00000; /* 1.5 */
            }
            cpu->sse.v[5].q[0] = 0xc1dfffffffc00000; /* -2147483647    */
            cpu->sse.v[5].q[1] = 0x41dfffffff800000; /* 2147483646     */
        }
        run_in_code(&m, loops[i].code, loops[i].size);
        pair_destroy(&m);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(translated_groups_do_what_the_interpreter_does),
        cmocka_unit_test(denormal_operands_are_zeros_in_code),
        cmocka_unit_test(saturated_integers_do_not_leave_code),
    };

    if (argc > 1)
        cases = strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
