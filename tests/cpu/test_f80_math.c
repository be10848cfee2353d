/* SPDX-License-Identifier: MIT */
/*
 * The transcendental instructions: known results, correctly rounded, on every host; and against
 * the x87 unit of an x86-64 host, whose own results may be off by 1 ulp.
 */
#include "cpu/f80_math.h"
#include "tests/support/check.h"
#include "tests/support/fpgen.h"

enum math { SIN, COS, TAN, ATAN2, EXP2M1, YLOG2, YLOG2P1, MATH__COUNT };

/* One operation with ST0 = a, ST1 = b. False: C2. */
static bool ours(struct fp_env *e, enum math m, struct f80 a, struct f80 b, struct f80 *r)
{
    switch (m) {
    case SIN:
        return f80_sincos(e, a, r, NULL);
    case COS:
        return f80_sincos(e, a, NULL, r);
    case TAN:
        return f80_tan(e, a, r);
    case ATAN2:
        *r = f80_atan2(e, b, a);
        return true;
    case EXP2M1:
        *r = f80_exp2m1(e, a);
        return true;
    case YLOG2:
        *r = f80_ylog2(e, b, a);
        return true;
    default:
        *r = f80_ylog2p1(e, b, a);
        return true;
    }
}

static void known_results(void **state)
{
    static const struct {
        enum math m;
        struct f80 a, b, r;
    } rows[] = {
#include "tests/cpu/f80_math_vectors.inc"
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct fp_env e = fp_env_x87(0x37F);
        struct f80 r = {0, 0};

        assert_true(ours(&e, rows[i].m, rows[i].a, rows[i].b, &r));
        if (r.mant != rows[i].r.mant || r.sign_exp != rows[i].r.sign_exp)
            print_error("row %u: %04X:%016llX\n", i, r.sign_exp, (unsigned long long)r.mant);
        assert_true(r.mant == rows[i].r.mant);
        assert_int_equal(r.sign_exp, rows[i].r.sign_exp);
        assert_int_equal(e.flags, FP_PE);
    }
}

#ifdef __x86_64__

enum { ROUNDS = 150000 };

#define X87_OP(name, insn)                                                                         \
    static u16 name(u16 cw, struct f80 a, struct f80 b, struct f80 *r)                             \
    {                                                                                              \
        u16 sw;                                                                                    \
        __asm__ volatile("fninit\n\tfldcw %1\n\tfldt %2\n\tfldt %3\n\t" insn                       \
                         "\n\tfnstsw %0\n\tfnclex\n\tfstpt %4\n\tfninit"                           \
                         : "=m"(sw)                                                                \
                         : "m"(cw), "m"(b), "m"(a), "m"(*r)                                        \
                         : "rax", "memory", "cc");                                                 \
        return sw;                                                                                 \
    }

X87_OP(host_sin, "fsin")
X87_OP(host_cos, "fcos")
X87_OP(host_tan, "fptan\n\tfnstsw %%ax\n\ttestb $4, %%ah\n\tjnz 1f\n\tfstp %%st\n1:")
X87_OP(host_atan2, "fpatan")
X87_OP(host_exp2m1, "f2xm1")
X87_OP(host_ylog2, "fyl2x")
X87_OP(host_ylog2p1, "fyl2xp1")

static const struct {
    const char *name;
    u16 (*host)(u16 cw, struct f80 a, struct f80 b, struct f80 *r);
} host[MATH__COUNT] = {
    {"sin", host_sin},         {"cos", host_cos},       {"tan", host_tan},
    {"atan2", host_atan2},     {"exp2m1", host_exp2m1}, {"ylog2", host_ylog2},
    {"ylog2p1", host_ylog2p1},
};

static bool special(struct f80 a)
{
    return (a.sign_exp & 0x7FFF) == 0x7FFF || a.mant == 0;
}

/* Units in the last place between two results of one sign; 0 if equal. */
static u64 distance(struct f80 a, struct f80 b)
{
    i128 x = ((i128)(a.sign_exp & 0x7FFF) << 63) + (i64)(a.mant << 1 >> 1);
    i128 y = ((i128)(b.sign_exp & 0x7FFF) << 63) + (i64)(b.mant << 1 >> 1);
    i128 d = x < y ? y - x : x - y;

    if (a.mant == b.mant && a.sign_exp == b.sign_exp)
        return 0;
    if (special(a) != special(b) || special(a) || (a.sign_exp ^ b.sign_exp) & 0x8000)
        return ~(u64)0;
    return d >> 64 ? ~(u64)0 : (u64)d;
}

static struct f80 in_domain(struct fpgen *g, enum math m, struct f80 a)
{
    u32 sign = a.sign_exp & 0x8000;

    if (fpgen_below(g, 4) == 0)
        return a;
    switch (m) {
    case SIN:
    case COS:
    case TAN:
        a.sign_exp = (u16)(sign | (0x3FFF - 20 + fpgen_below(g, 26)));
        break;
    case EXP2M1:
    case YLOG2P1:
        a.sign_exp = (u16)(sign | (0x3FFF - 2 - fpgen_below(g, 12)));
        break;
    case YLOG2:
        a.sign_exp = (u16)(0x3FFF - 3 + fpgen_below(g, 5));
        break;
    default:
        break;
    }
    return a;
}

static void host_agrees(void **state)
{
    unsigned far[MATH__COUNT] = {0}, flags[MATH__COUNT] = {0}, off[MATH__COUNT] = {0};
    struct fpgen g = {90};
    unsigned bad = 0;

    (void)state;
    for (unsigned i = 0; i < MATH__COUNT * ROUNDS; i++) {
        enum math m = i % MATH__COUNT;
        struct f80 a = in_domain(&g, m, fpgen_f80(&g)), b = fpgen_f80_near(&g, a), h, r = a;
        u16 cw = (u16)(0x37F | fpgen_below(&g, 4) << 10), sw;
        struct fp_env e = fp_env_x87(cw);
        u64 d;
        bool done;

        sw = host[m].host(cw, a, b, &h);
        done = ours(&e, m, a, b, &r);
        d = distance(r, h);
        off[m] += d == 1;
        if (d <= 1 && ((sw ^ e.flags) & 0x3F) == 0 && done == !(sw & 0x400))
            continue;
        bad++;
        far[m] += d > 1;
        flags[m] += ((sw ^ e.flags) & 0x3F) != 0;
        if (far[m] + flags[m] < 16)
            print_error("%s cw %03X: %04X:%016llX %04X:%016llX -> %04X:%016llX %02X %d, host "
                        "%04X:%016llX %04X\n",
                        host[m].name, cw, a.sign_exp, (unsigned long long)a.mant, b.sign_exp,
                        (unsigned long long)b.mant, r.sign_exp, (unsigned long long)r.mant, e.flags,
                        done, h.sign_exp, (unsigned long long)h.mant, sw);
    }
    for (unsigned m = 0; bad && m < MATH__COUNT; m++)
        print_error("%s: %u beyond 1 ulp, %u flags, %u by 1 ulp\n", host[m].name, far[m], flags[m],
                    off[m]);
    assert_int_equal(bad, 0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_results),
#ifdef __x86_64__
        cmocka_unit_test(host_agrees),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
