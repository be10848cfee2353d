/* SPDX-License-Identifier: MIT */
/* SSE and SSE2 floating point: arithmetic, comparisons, logic, approximations  [SDM 1 §10.4,
 * §11.4]. */
#include "cpu/flags.h"
#include "cpu/simd.h"

bool sse_finish(struct cpu *cpu, struct fp_env *e)
{
    u8 unmasked = fp_settle(e);

    cpu->sse.mxcsr |= e->flags;
    if (LIKELY(!unmasked))
        return true;
    return cpu->cr4 & CR4_OSXMMEXCPT ? fault_xm(cpu) : fault_ud(cpu);
}

/* The source of a PS, PD (16 bytes), SS or SD instruction. */
static bool read_source(struct cpu *cpu, const struct insn *in, union vec *s)
{
    switch (simd_prefix(in)) {
    case SIMD_F3:
        return simd_xmm_low(cpu, in, W32, &s->q[0]);
    case SIMD_F2:
        return simd_xmm_low(cpu, in, W64, &s->q[0]);
    default:
        return simd_xmm_rm(cpu, in, s);
    }
}

static bool is_double(const struct insn *in)
{
    return simd_prefix(in) == SIMD_66 || simd_prefix(in) == SIMD_F2;
}

static unsigned lanes(const struct insn *in)
{
    static const u8 n[] = {[SIMD_NP] = 4, [SIMD_66] = 2, [SIMD_F3] = 1, [SIMD_F2] = 1};

    return n[simd_prefix(in)];
}

static bool arith(struct cpu *cpu, const struct insn *in, enum fp_op op)
{
    struct fp_env e = fp_env_sse(cpu->sse.mxcsr);
    union vec *d = &cpu->sse.v[in->reg], s, r;
    unsigned n = lanes(in);

    if (!sse_enter(cpu) || !read_source(cpu, in, &s))
        return false;
    if (is_double(in)) {
        for (unsigned i = 0; i < n; i++)
            r.q[i] = f64_arith(&e, op, d->q[i], s.q[i]);
    } else {
        for (unsigned i = 0; i < n; i++)
            r.d[i] = f32_arith(&e, op, d->d[i], s.d[i]);
    }
    if (!sse_finish(cpu, &e))
        return false;
    memcpy(d, &r, n * (is_double(in) ? 8 : 4));
    return true;
}

bool exec_fp_add(struct cpu *cpu, const struct insn *in)
{
    return arith(cpu, in, FP_ADD);
}

bool exec_fp_sub(struct cpu *cpu, const struct insn *in)
{
    return arith(cpu, in, FP_SUB);
}

bool exec_fp_mul(struct cpu *cpu, const struct insn *in)
{
    return arith(cpu, in, FP_MUL);
}

bool exec_fp_div(struct cpu *cpu, const struct insn *in)
{
    return arith(cpu, in, FP_DIV);
}

bool exec_fp_min(struct cpu *cpu, const struct insn *in)
{
    return arith(cpu, in, FP_MIN);
}

bool exec_fp_max(struct cpu *cpu, const struct insn *in)
{
    return arith(cpu, in, FP_MAX);
}

bool exec_fp_sqrt(struct cpu *cpu, const struct insn *in)
{
    return arith(cpu, in, FP_SQRT);
}

/* Predicates 0-7 of CMPPS: EQ LT LE UNORD, then their opposites; LT and LE signal quiet NaNs. */
static bool predicate(enum fp_order o, unsigned p)
{
    static const u8 accepts[4] = {
        BIT(FP_EQUAL),
        BIT(FP_LESS),
        BIT(FP_LESS) | BIT(FP_EQUAL),
        BIT(FP_UNORDERED),
    };

    return (accepts[p & 3] >> o & 1) ^ (p >> 2);
}

bool exec_fp_cmp(struct cpu *cpu, const struct insn *in)
{
    struct fp_env e = fp_env_sse(cpu->sse.mxcsr);
    union vec *d = &cpu->sse.v[in->reg], s, r;
    unsigned n = lanes(in), p = in->imm & 7;
    bool quiet = (p & 3) == 0 || (p & 3) == 3;

    if (!sse_enter(cpu) || !read_source(cpu, in, &s))
        return false;
    if (is_double(in)) {
        for (unsigned i = 0; i < n; i++)
            r.q[i] = 0 - (u64)predicate(f64_compare(&e, d->q[i], s.q[i], quiet), p);
    } else {
        for (unsigned i = 0; i < n; i++)
            r.d[i] = 0 - (u32)predicate(f32_compare(&e, d->d[i], s.d[i], quiet), p);
    }
    if (!sse_finish(cpu, &e))
        return false;
    memcpy(d, &r, n * (is_double(in) ? 8 : 4));
    return true;
}

/* UCOMISS UCOMISD (2E) COMISS COMISD (2F). */
bool exec_fp_comis(struct cpu *cpu, const struct insn *in)
{
    static const u32 codes[] = {
        [FP_LESS] = FL_C,
        [FP_EQUAL] = FL_Z,
        [FP_GREATER] = 0,
        [FP_UNORDERED] = FL_ZPC,
    };
    struct fp_env e = fp_env_sse(cpu->sse.mxcsr);
    const union vec *d = &cpu->sse.v[in->reg];
    bool wide = simd_prefix(in) == SIMD_66, quiet = in->opcode == 0x2E;
    enum fp_order o;
    u64 s;

    if (!sse_enter(cpu) || !simd_xmm_low(cpu, in, wide ? W64 : W32, &s))
        return false;
    if (wide)
        o = f64_compare(&e, d->q[0], s, quiet);
    else
        o = f32_compare(&e, d->d[0], (u32)s, quiet);
    if (!sse_finish(cpu, &e))
        return false;
    flags_set(cpu, FL_OSZAPC, codes[o]);
    return true;
}

/* ANDPS and its like: 128 bits, whatever they mean. */
#define LOGIC(name, expr)                                                                          \
    bool exec_fp_##name(struct cpu *cpu, const struct insn *in)                                    \
    {                                                                                              \
        union vec *d = &cpu->sse.v[in->reg], s;                                                    \
                                                                                                   \
        if (!sse_enter(cpu) || !simd_xmm_rm(cpu, in, &s))                                          \
            return false;                                                                          \
        for (unsigned i = 0; i < 2; i++) {                                                         \
            u64 a = d->q[i], b = s.q[i];                                                           \
                                                                                                   \
            d->q[i] = (expr);                                                                      \
        }                                                                                          \
        return true;                                                                               \
    }

LOGIC(and, a &b)
LOGIC(andn, ~a &b)
LOGIC(or, a | b)
LOGIC(xor, a ^ b)

/*
 * RCPPS and RSQRTPS. The manual bounds the error by 1.5 * 2^-12 and leaves the bits open; ours are
 * the exact value rounded to 12 significand bits, the same on every host. No flags; denormals count
 * as zeros, and so do results below the normal range.
 */
enum { APPROX_BITS = 12 };

/* Round a positive normal number to APPROX_BITS. */
static u32 shorten(u32 a)
{
    return (a + BIT(23 - APPROX_BITS)) & ~(u32)(BIT(24 - APPROX_BITS) - 1);
}

static u32 reciprocal(u32 a)
{
    struct fp_env e = {.masks = FP_ALL};
    u32 sign = a & 0x80000000, exp = a >> 23 & 0xFF;
    u32 r;

    if (exp == 0xFF)
        return a << 9 ? a | 0x400000 : sign;
    if (exp == 0)
        return sign | 0x7F800000;
    r = f32_arith(&e, FP_DIV, 0x3F800000, a & 0x7FFFFFFF);
    r = r >> 23 ? shorten(r) : 0;
    return sign | r;
}

static u32 reciprocal_root(u32 a)
{
    struct fp_env e = {.masks = FP_ALL};
    u32 sign = a & 0x80000000, exp = a >> 23 & 0xFF;
    u64 root;

    if (exp == 0xFF && a << 9)
        return a | 0x400000;
    if (exp == 0)
        return sign | 0x7F800000;
    if (sign)
        return 0xFFC00000;
    if (exp == 0xFF)
        return 0;
    root = f64_arith(&e, FP_SQRT, 0, f32_to_f64(&e, a));
    return shorten(f64_to_f32(&e, f64_arith(&e, FP_DIV, 0x3FF0000000000000, root)));
}

static bool approximate(struct cpu *cpu, const struct insn *in, u32 (*fn)(u32 a))
{
    unsigned n = lanes(in);
    union vec s;

    if (!sse_enter(cpu) || !read_source(cpu, in, &s))
        return false;
    for (unsigned i = 0; i < n; i++)
        cpu->sse.v[in->reg].d[i] = fn(s.d[i]);
    return true;
}

bool exec_fp_rcp(struct cpu *cpu, const struct insn *in)
{
    return approximate(cpu, in, reciprocal);
}

bool exec_fp_rsqrt(struct cpu *cpu, const struct insn *in)
{
    return approximate(cpu, in, reciprocal_root);
}
