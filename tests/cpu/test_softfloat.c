/* SPDX-License-Identifier: MIT */
/*
 * The software floating point against the x87 unit and the SSE unit of the host: same results,
 * same flags, for operands at the edges, every rounding mode, masked and unmasked. On other hosts
 * only the table of known results runs.
 */
#include <string.h>

#include "cpu/f80_math.h"
#include "cpu/softfloat.h"
#include "tests/support/check.h"
#include "tests/support/fpgen.h"

#define GOLDEN 0x4BEC795B4577C9E2ull

static bool same_f80(struct f80 a, struct f80 b)
{
    return a.mant == b.mant && a.sign_exp == b.sign_exp;
}

static void known_results(void **state)
{
    static const struct {
        enum fp_op op;
        struct f80 a, b, r;
        u8 flags;
    } rows[] = {
        {FP_ADD, {1ull << 63, 0x3FFF}, {1ull << 63, 0x3FFF}, {1ull << 63, 0x4000}, 0},
        {FP_SUB, {1ull << 63, 0x3FFF}, {1ull << 63, 0x3FFF}, {0, 0}, 0},
        {FP_DIV, {1ull << 63, 0x3FFF}, {3ull << 62, 0x4000}, {0xAAAAAAAAAAAAAAAB, 0x3FFD}, FP_PE},
        {FP_DIV, {1ull << 63, 0x3FFF}, {0, 0}, {1ull << 63, 0x7FFF}, FP_ZE},
        {FP_SQRT, {0, 0}, {1ull << 63, 0x4000}, {0xB504F333F9DE6484, 0x3FFF}, FP_PE},
        {FP_SQRT, {0, 0}, {1ull << 63, 0xBFFF}, {3ull << 62, 0xFFFF}, FP_IE},
        {FP_MUL, {1, 0}, {1ull << 63, 0x3FFE}, {0, 0}, FP_DE | FP_UE | FP_PE},
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct fp_env e = fp_env_x87(0x37F);
        struct f80 r = f80_arith(&e, rows[i].op, rows[i].a, rows[i].b);

        assert_true(same_f80(r, rows[i].r));
        assert_int_equal(e.flags, rows[i].flags);
    }
}

static u64 mix(u64 h, u64 v)
{
    return (h ^ v) * 0x9E3779B97F4A7C15 >> 7 | (h ^ v) << 57;
}

static u64 mix_f80(u64 h, struct f80 v)
{
    return mix(mix(h, v.mant), v.sign_exp);
}

/* Everything at once, on random operands: the sum of all results and flags is fixed. */
static void every_host_computes_the_same(void **state)
{
    struct fpgen g = {1};
    u64 h = 0;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        struct fp_env e = fp_env_x87((u16)(fpgen_next(&g) & 0xF7F));
        struct f80 a = fpgen_f80(&g), b = fpgen_f80_near(&g, a), r, s;
        u64 v = fpgen_f64(&g);
        u32 w = fpgen_f32(&g), mxcsr;
        u8 q, bcd[10];

        h = mix_f80(h, f80_arith(&e, i % FP_MIN, a, b));
        h = mix_f80(h, f80_arith(&e, FP_SQRT, a, b));
        h = mix_f80(h, f80_rem(&e, a, b, i & 1, &q));
        h = mix_f80(h, f80_scale(&e, a, b));
        h = mix_f80(h, f80_extract(&e, a, &s));
        h = mix_f80(h, f80_rint(&e, a));
        h = mix(h, (u64)f80_to_int(&e, a, 64, e.round));
        f80_to_bcd(&e, a, bcd);
        h = mix(h, bcd[0]);
        h = mix_f80(mix(h, f80_to_f64(&e, a)), f64_to_f80(&e, v));
        h = mix(h, f80_compare(&e, a, b, i & 1));
        h = mix(h, e.flags);
        if (f80_sincos(&e, a, &r, &s))
            h = mix_f80(mix_f80(h, r), s);
        if (f80_tan(&e, a, &r))
            h = mix_f80(h, r);
        h = mix_f80(mix_f80(h, f80_atan2(&e, a, b)), f80_exp2m1(&e, a));
        h = mix_f80(mix_f80(h, f80_ylog2(&e, a, b)), f80_ylog2p1(&e, a, b));
        /* every other one as the short cuts through the host's arithmetic want it */
        mxcsr = (u32)fpgen_next(&g) & 0xFFE0;
        e = fp_env_sse(i & 1 ? (mxcsr & 0x8040) | 0x1FA0 : mxcsr);
        h = mix(h, f64_arith(&e, i % FP_SQRT, v, fpgen_f64_near(&g, v)));
        h = mix(h, f32_arith(&e, i % FP_SQRT, w, fpgen_f32_near(&g, w)));
        h = mix(h, f64_to_f32(&e, v));
        h = mix(h, e.flags);
    }
    assert_true(h == GOLDEN);
}

#ifdef __x86_64__
static unsigned shown;

enum { ROUNDS = 150000 };

/* Status word of one instruction on ST0 = a, ST1 = b; ST0 and ST1 after it. */
#define X87_OP(name, insn)                                                                         \
    static u16 name(u16 cw, struct f80 a, struct f80 b, struct f80 r[2])                           \
    {                                                                                              \
        u16 sw;                                                                                    \
        __asm__ volatile("fninit\n\tfldcw %1\n\tfldt %2\n\tfldt %3\n\t" insn                       \
                         "\n\tfnstsw %0\n\tfnclex\n\tfstpt %4\n\tfstpt %5\n\tfninit"               \
                         : "=m"(sw)                                                                \
                         : "m"(cw), "m"(b), "m"(a), "m"(r[0]), "m"(r[1])                           \
                         : "memory", "cc");                                                        \
        return sw;                                                                                 \
    }

X87_OP(host_add, "fadd %%st(1), %%st")
X87_OP(host_sub, "fsub %%st(1), %%st")
X87_OP(host_mul, "fmul %%st(1), %%st")
X87_OP(host_div, "fdiv %%st(1), %%st")
X87_OP(host_sqrt, "fsqrt")
X87_OP(host_rint, "frndint")
X87_OP(host_scale, "fscale")
X87_OP(host_extract, "fxtract")
X87_OP(host_rem, "fprem")
X87_OP(host_rem1, "fprem1")
X87_OP(host_com, "fcom %%st(1)")
X87_OP(host_ucom, "fucom %%st(1)")

typedef u16 host_x87_fn(u16 cw, struct f80 a, struct f80 b, struct f80 r[2]);

static u16 random_cw(struct fpgen *g)
{
    static const u16 pc[3] = {0, 0x200, 0x300};
    u16 masks = fpgen_below(g, 3) ? 0x3F : fpgen_next(g) & 0x3F;

    return (u16)(0x40 | masks | pc[fpgen_below(g, 3)] | fpgen_below(g, 4) << 10);
}

/* One line per difference; the first dozen. */
static bool report(const char *what, u16 cw, struct f80 a, struct f80 b, struct f80 ours,
                   unsigned our_sw, struct f80 host, unsigned host_sw)
{
    if (same_f80(ours, host) && our_sw == host_sw)
        return true;
    if (shown++ < 12)
        print_error("%s cw %03X: %04X:%016llX %04X:%016llX -> %04X:%016llX %04X, host "
                    "%04X:%016llX %04X\n",
                    what, cw, a.sign_exp, (unsigned long long)a.mant, b.sign_exp,
                    (unsigned long long)b.mant, ours.sign_exp, (unsigned long long)ours.mant,
                    our_sw, host.sign_exp, (unsigned long long)host.mant, host_sw);
    return false;
}

static unsigned sw_of(const struct fp_env *e)
{
    return e->flags | (unsigned)e->up << 9;
}

static unsigned check_arith(const char *name, enum fp_op op, host_x87_fn *host)
{
    struct fpgen g = {op};
    unsigned bad = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        struct f80 a = fpgen_f80(&g), b = fpgen_f80_near(&g, a), r, h[2];
        u16 cw = random_cw(&g), sw = host(cw, a, b, h);
        struct fp_env e = fp_env_x87(cw);

        r = op == FP_SQRT ? f80_arith(&e, op, a, a) : f80_arith(&e, op, a, b);
        if (fp_settle(&e) & FP_BEFORE)
            r = a;
        bad += !report(name, cw, a, b, r, sw_of(&e), h[0], sw & 0x23F);
    }
    return bad;
}

static void x87_arithmetic(void **state)
{
    unsigned bad = 0;

    (void)state;
    shown = 0;
    bad += check_arith("add", FP_ADD, host_add);
    bad += check_arith("sub", FP_SUB, host_sub);
    bad += check_arith("mul", FP_MUL, host_mul);
    bad += check_arith("div", FP_DIV, host_div);
    bad += check_arith("sqrt", FP_SQRT, host_sqrt);
    assert_int_equal(bad, 0);
}

static void x87_rint_scale(void **state)
{
    struct fpgen g = {77};
    unsigned bad = 0;

    (void)state;
    shown = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct f80 a = fpgen_f80(&g), b = fpgen_f80_near(&g, a), r, h[2];
        u16 cw = random_cw(&g), sw;
        struct fp_env e = fp_env_x87(cw);

        sw = host_rint(cw, a, b, h);
        r = f80_rint(&e, a);
        if (fp_settle(&e) & FP_BEFORE)
            r = a;
        bad += !report("rint", cw, a, b, r, sw_of(&e), h[0], sw & 0x23F);

        if (fpgen_below(&g, 2)) /* a scale that can matter */
            b.sign_exp = (u16)((b.sign_exp & 0x8000) | (0x3FFE + fpgen_below(&g, 18)));
        e = fp_env_x87(cw);
        sw = host_scale(cw, a, b, h);
        r = f80_scale(&e, a, b);
        if (fp_settle(&e) & FP_BEFORE)
            r = a;
        bad += !report("scale", cw, a, b, r, sw_of(&e), h[0], sw & 0x23F);
    }
    assert_int_equal(bad, 0);
}

static void x87_extract(void **state)
{
    struct fpgen g = {78};
    unsigned bad = 0;

    (void)state;
    shown = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct f80 a = fpgen_f80(&g), exp, r, h[2];
        u16 cw = random_cw(&g), sw = host_extract(cw, a, a, h);
        struct fp_env e = fp_env_x87(cw);

        r = f80_extract(&e, a, &exp);
        if (fp_settle(&e) & FP_BEFORE) /* nothing pushed: the exponent is not there */
            r = exp = a;
        bad += !report("fxtract", cw, a, a, r, sw_of(&e), h[0], sw & 0x23F);
        bad += !report("fxtract exponent", cw, a, a, exp, sw_of(&e), h[1], sw & 0x23F);
    }
    assert_int_equal(bad, 0);
}

static void x87_remainder(void **state)
{
    struct fpgen g = {79};
    unsigned bad = 0;

    (void)state;
    shown = 0;
    for (unsigned i = 0; i < 2 * ROUNDS; i++) {
        struct f80 a = fpgen_f80(&g), b = fpgen_f80_near(&g, a), r, h[2];
        bool nearest = i & 1;
        u16 cw = random_cw(&g), sw = (nearest ? host_rem1 : host_rem)(cw, a, b, h);
        struct fp_env e = fp_env_x87(cw);
        unsigned cc;
        u8 q;

        r = f80_rem(&e, a, b, nearest, &q);
        if (fp_settle(&e) & FP_BEFORE) {
            r = a;
            q = 0;
        }
        cc = (q & 4) << 6 | (q & 2) << 13 | (q & 1) << 9 | (q & F80_REM_PARTIAL) << 7;
        bad += !report(nearest ? "fprem1" : "fprem", cw, a, b, r, e.flags | cc, h[0], sw & 0x473F);
    }
    assert_int_equal(bad, 0);
}

static void x87_compare(void **state)
{
    static const u16 codes[] = {0x100, 0x4000, 0, 0x4500};
    struct fpgen g = {80};
    unsigned bad = 0;

    (void)state;
    shown = 0;
    for (unsigned i = 0; i < 2 * ROUNDS; i++) {
        struct f80 a = fpgen_f80(&g), b = fpgen_f80_near(&g, a), h[2];
        bool quiet = i & 1;
        u16 cw = random_cw(&g), sw = (quiet ? host_ucom : host_com)(cw, a, b, h);
        struct fp_env e = fp_env_x87(cw);
        enum fp_order o = f80_compare(&e, a, b, quiet);

        fp_settle(&e);
        bad += !report("fcom", cw, a, b, a, e.flags | codes[o], h[0], sw & 0x473F);
    }
    assert_int_equal(bad, 0);
}

/* Stores and loads through memory formats: status word; @m gets or gives the bytes. */
#define X87_STORE(name, insn, type)                                                                \
    static u16 name(u16 cw, struct f80 a, type *m)                                                 \
    {                                                                                              \
        u16 sw;                                                                                    \
        __asm__ volatile("fninit\n\tfldcw %2\n\tfldt %3\n\t" insn " %1\n\tfnstsw %0\n\tfninit"     \
                         : "=m"(sw), "+m"(*m)                                                      \
                         : "m"(cw), "m"(a)                                                         \
                         : "memory", "cc");                                                        \
        return sw;                                                                                 \
    }
#define X87_LOAD(name, insn, type)                                                                 \
    static u16 name(u16 cw, struct f80 *r, const type *m)                                          \
    {                                                                                              \
        u16 sw;                                                                                    \
        __asm__ volatile("fninit\n\tfldcw %2\n\t" insn " %3\n\tfnstsw %0\n\tfnclex\n\tfstpt %1"    \
                         "\n\tfninit"                                                              \
                         : "=m"(sw), "=m"(*r)                                                      \
                         : "m"(cw), "m"(*m)                                                        \
                         : "memory", "cc");                                                        \
        return sw;                                                                                 \
    }

struct bcd {
    u8 b[10];
};

X87_STORE(host_fst32, "fsts", u32)
X87_STORE(host_fst64, "fstl", u64)
X87_STORE(host_fist16, "fists", i16)
X87_STORE(host_fist32, "fistl", i32)
X87_STORE(host_fist64, "fistpll", i64)
X87_STORE(host_fbstp, "fbstp", struct bcd)
X87_LOAD(host_fld32, "flds", u32)
X87_LOAD(host_fld64, "fldl", u64)
X87_LOAD(host_fild64, "fildll", i64)
X87_LOAD(host_fbld, "fbld", struct bcd)

static bool report_store(const char *what, u16 cw, struct f80 a, u64 ours, unsigned our_sw,
                         u64 host, unsigned host_sw)
{
    if (ours == host && our_sw == host_sw)
        return true;
    if (shown++ < 12)
        print_error("%s cw %03X: %04X:%016llX -> %llX %04X, host %llX %04X\n", what, cw, a.sign_exp,
                    (unsigned long long)a.mant, (unsigned long long)ours, our_sw,
                    (unsigned long long)host, host_sw);
    return false;
}

/* An f80 whose exponent is around the range of a narrower format. */
static struct f80 random_for(struct fpgen *g, i32 low, i32 high)
{
    struct f80 a = fpgen_f80(g);
    i32 exp = fpgen_below(g, 2) ? low : high;

    if (fpgen_below(g, 3))
        a.sign_exp = (u16)((a.sign_exp & 0x8000) | (0x3FFF + exp + (i32)fpgen_below(g, 70) - 66));
    return a;
}

static void x87_store_float(void **state)
{
    const u8 no_store = FP_BEFORE | FP_OE | FP_UE;
    struct fpgen g = {81};
    unsigned bad = 0;

    (void)state;
    shown = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct f80 a = random_for(&g, -126, 128 + 64);
        u16 cw = random_cw(&g), sw;
        struct fp_env e = fp_env_x87(cw);
        u32 m32 = 0x1234, r32;
        u64 m64 = 0x1234, r64;

        sw = host_fst32(cw, a, &m32);
        r32 = f80_to_f32(&e, a);
        if (fp_settle(&e) & no_store)
            r32 = 0x1234;
        bad += !report_store("fst32", cw, a, r32, sw_of(&e), m32, sw & 0x23F);

        a = random_for(&g, -1022, 1024 + 64);
        e = fp_env_x87(cw);
        sw = host_fst64(cw, a, &m64);
        r64 = f80_to_f64(&e, a);
        if (fp_settle(&e) & no_store)
            r64 = 0x1234;
        bad += !report_store("fst64", cw, a, r64, sw_of(&e), m64, sw & 0x23F);
    }
    assert_int_equal(bad, 0);
}

static void x87_store_int(void **state)
{
    struct fpgen g = {82};
    unsigned bad = 0;

    (void)state;
    shown = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        static const u8 widths[] = {16, 32, 64};
        unsigned bits = widths[fpgen_below(&g, 3)];
        struct f80 a = random_for(&g, 2, (i32)bits + 2);
        u16 cw = random_cw(&g), sw;
        struct fp_env e = fp_env_x87(cw);
        struct bcd bcd = {{0}}, ours = {{0}};
        i64 r, m64 = 0x1234;
        i32 m32 = 0x1234;
        i16 m16 = 0x1234;

        if (bits == 16)
            sw = host_fist16(cw, a, &m16), m64 = m16;
        else if (bits == 32)
            sw = host_fist32(cw, a, &m32), m64 = m32;
        else
            sw = host_fist64(cw, a, &m64);
        r = f80_to_int(&e, a, bits, e.round);
        if (fp_settle(&e) & FP_BEFORE)
            r = 0x1234;
        bad += !report_store("fist", cw, a, (u64)r, sw_of(&e), (u64)m64, sw & 0x23F);

        a = random_for(&g, 2, 62);
        e = fp_env_x87(cw);
        sw = host_fbstp(cw, a, &bcd);
        f80_to_bcd(&e, a, ours.b);
        if (fp_settle(&e) & FP_BEFORE)
            memset(&ours, 0, sizeof(ours));
        bad +=
            !report_store("fbstp", cw, a, 0, sw_of(&e), (u64)memcmp(&ours, &bcd, 10), sw & 0x23F);
    }
    assert_int_equal(bad, 0);
}

static void x87_load(void **state)
{
    struct fpgen g = {83};
    unsigned bad = 0;

    (void)state;
    shown = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        u16 cw = random_cw(&g) | 0x3F, sw;
        struct fp_env e = fp_env_x87(cw);
        u32 m32 = fpgen_f32(&g);
        u64 m64 = fpgen_f64(&g);
        i64 v = (i64)fpgen_bits(&g);
        struct f80 h, r, none = {0, 0};
        struct bcd bcd;

        sw = host_fld32(cw, &h, &m32);
        r = f32_to_f80(&e, m32);
        bad += !report("fld32", cw, none, none, r, sw_of(&e), h, sw & 0x23F);
        e = fp_env_x87(cw);
        sw = host_fld64(cw, &h, &m64);
        r = f64_to_f80(&e, m64);
        bad += !report("fld64", cw, none, none, r, sw_of(&e), h, sw & 0x23F);
        sw = host_fild64(cw, &h, &v);
        bad += !report("fild", cw, none, none, f80_from_int(v), 0, h, sw & 0x23F);
        for (unsigned k = 0; k < 10; k++)
            bcd.b[k] = (u8)(fpgen_below(&g, 10) << 4 | fpgen_below(&g, 10));
        sw = host_fbld(cw, &h, &bcd);
        bad += !report("fbld", cw, none, none, f80_from_bcd(bcd.b), 0, h, sw & 0x23F);
    }
    assert_int_equal(bad, 0);
}

/* One SSE instruction on scalars in XMM registers, all exceptions masked. */
#define SSE_OP(name, insn, type, load)                                                             \
    static type name(u32 *mxcsr, type a, type b)                                                   \
    {                                                                                              \
        u32 keep = 0x1F80;                                                                         \
        __asm__ volatile("ldmxcsr %1\n\t" load " %0, %%xmm0\n\t" load " %2, %%xmm1\n\t" insn       \
                         "\n\t" load " %%xmm0, %0\n\tstmxcsr %1\n\tldmxcsr %3"                     \
                         : "+m"(a), "+m"(*mxcsr)                                                   \
                         : "m"(b), "m"(keep)                                                       \
                         : "xmm0", "xmm1", "rax", "memory");                                       \
        return a;                                                                                  \
    }
#define SSE_OPS(op, insn)                                                                          \
    SSE_OP(host_##op##ss, insn "ss %%xmm1, %%xmm0", u32, "movss")                                  \
    SSE_OP(host_##op##sd, insn "sd %%xmm1, %%xmm0", u64, "movsd")

SSE_OPS(add, "add")
SSE_OPS(sub, "sub")
SSE_OPS(mul, "mul")
SSE_OPS(div, "div")
SSE_OPS(min, "min")
SSE_OPS(max, "max")
SSE_OPS(sqrt, "sqrt")
SSE_OP(host_cvtss2sd, "cvtss2sd %%xmm1, %%xmm0", u64, "movsd")
SSE_OP(host_cvtsd2ss, "cvtsd2ss %%xmm1, %%xmm0", u64, "movsd")
SSE_OP(host_cvtss2si, "cvtss2si %%xmm1, %%eax\n\tmovd %%eax, %%xmm0", u32, "movss")
SSE_OP(host_cvtsd2si, "cvtsd2si %%xmm1, %%rax\n\tmovq %%rax, %%xmm0", u64, "movsd")
SSE_OP(host_cvttss2si, "cvttss2si %%xmm1, %%eax\n\tmovd %%eax, %%xmm0", u32, "movss")
SSE_OP(host_cvtsi2ss, "movd %%xmm1, %%eax\n\tcvtsi2ss %%eax, %%xmm0", u32, "movss")
SSE_OP(host_cvtsi2sd, "movq %%xmm1, %%rax\n\tcvtsi2sd %%rax, %%xmm0", u64, "movsd")

static u32 random_mxcsr(struct fpgen *g)
{
    u32 rc = fpgen_below(g, 2) ? 0 : fpgen_below(g, 4) << 13;

    return 0x1F80 | rc | fpgen_below(g, 2) << 15 | fpgen_below(g, 2) << 6 | fpgen_below(g, 2) << 5;
}

static bool report_sse(const char *what, u32 mxcsr, u64 a, u64 b, u64 ours, u32 our_flags, u64 host,
                       u32 host_mxcsr)
{
    our_flags |= mxcsr & 0x3F; /* they are sticky */
    if (ours == host && our_flags == (host_mxcsr & 0x3F))
        return true;
    if (shown++ < 12)
        print_error("%s mxcsr %04X: %llX %llX -> %llX %02X, host %llX %02X\n", what, mxcsr,
                    (unsigned long long)a, (unsigned long long)b, (unsigned long long)ours,
                    our_flags, (unsigned long long)host, host_mxcsr & 0x3F);
    return false;
}

static void sse_arithmetic(void **state)
{
    static const struct {
        const char *name;
        enum fp_op op;
        u32 (*ss)(u32 *, u32, u32);
        u64 (*sd)(u32 *, u64, u64);
    } rows[] = {
        {"add", FP_ADD, host_addss, host_addsd},     {"sub", FP_SUB, host_subss, host_subsd},
        {"mul", FP_MUL, host_mulss, host_mulsd},     {"div", FP_DIV, host_divss, host_divsd},
        {"min", FP_MIN, host_minss, host_minsd},     {"max", FP_MAX, host_maxss, host_maxsd},
        {"sqrt", FP_SQRT, host_sqrtss, host_sqrtsd},
    };
    struct fpgen g = {84};
    unsigned bad = 0;

    (void)state;
    shown = 0;
    for (unsigned i = 0; i < 7 * ROUNDS; i++) {
        unsigned k = i % 7;
        u32 mx = random_mxcsr(&g), hmx = mx;
        struct fp_env e = fp_env_sse(mx);
        u32 a = fpgen_f32(&g), b = fpgen_f32_near(&g, a), h = rows[k].ss(&hmx, a, b);
        u32 r = f32_arith(&e, rows[k].op, a, b);
        u64 a64 = fpgen_f64(&g), b64 = fpgen_f64_near(&g, a64), h64, r64;

        bad += !report_sse(rows[k].name, mx, a, b, r, e.flags, h, hmx);
        hmx = mx;
        e = fp_env_sse(mx);
        h64 = rows[k].sd(&hmx, a64, b64);
        r64 = f64_arith(&e, rows[k].op, a64, b64);
        bad += !report_sse(rows[k].name, mx, a64, b64, r64, e.flags, h64, hmx);
    }
    assert_int_equal(bad, 0);
}

static void sse_conversions(void **state)
{
    struct fpgen g = {85};
    unsigned bad = 0;

    (void)state;
    shown = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        u32 mx = random_mxcsr(&g), hmx = mx, a = fpgen_f32(&g);
        struct fp_env e = fp_env_sse(mx);
        u64 b = fpgen_f64(&g), h, r;

        if (fpgen_below(&g, 2)) /* around the range of an f32 */
            b = (b & ~(0x7FFull << 52)) | (u64)(1023 - 160 + fpgen_below(&g, 320)) << 52;
        h = host_cvtss2sd(&hmx, 0, a);
        r = f32_to_f64(&e, a);
        bad += !report_sse("cvtss2sd", mx, a, 0, r, e.flags, h, hmx);
        hmx = mx, e = fp_env_sse(mx);
        h = host_cvtsd2ss(&hmx, 0, b);
        r = f64_to_f32(&e, b);
        bad += !report_sse("cvtsd2ss", mx, b, 0, r, e.flags, h, hmx);
        hmx = mx, e = fp_env_sse(mx);
        h = host_cvtss2si(&hmx, 0, a);
        r = (u32)f32_to_int(&e, a, 32, e.round);
        bad += !report_sse("cvtss2si", mx, a, 0, r, e.flags, h, hmx);
        hmx = mx, e = fp_env_sse(mx);
        h = host_cvttss2si(&hmx, 0, a);
        r = (u32)f32_to_int(&e, a, 32, FP_CHOP);
        bad += !report_sse("cvttss2si", mx, a, 0, r, e.flags, h, hmx);
        hmx = mx, e = fp_env_sse(mx);
        h = host_cvtsd2si(&hmx, 0, b);
        r = (u64)f64_to_int(&e, b, 64, e.round);
        bad += !report_sse("cvtsd2si", mx, b, 0, r, e.flags, h, hmx);
        hmx = mx, e = fp_env_sse(mx), b = fpgen_bits(&g);
        h = host_cvtsi2sd(&hmx, 0, b);
        r = f64_from_int(&e, (i64)b);
        bad += !report_sse("cvtsi2sd", mx, b, 0, r, e.flags, h, hmx);
        hmx = mx, e = fp_env_sse(mx);
        h = host_cvtsi2ss(&hmx, 0, (u32)b);
        r = f32_from_int(&e, (i32)b);
        bad += !report_sse("cvtsi2ss", mx, b, 0, r, e.flags, h, hmx);
    }
    assert_int_equal(bad, 0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_results),  cmocka_unit_test(every_host_computes_the_same),
#ifdef __x86_64__
        cmocka_unit_test(x87_arithmetic), cmocka_unit_test(x87_rint_scale),
        cmocka_unit_test(x87_extract),    cmocka_unit_test(x87_remainder),
        cmocka_unit_test(x87_compare),    cmocka_unit_test(x87_store_float),
        cmocka_unit_test(x87_store_int),  cmocka_unit_test(x87_load),
        cmocka_unit_test(sse_arithmetic), cmocka_unit_test(sse_conversions),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
