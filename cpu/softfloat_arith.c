/* SPDX-License-Identifier: MIT */
/* Software floating point: add, subtract, multiply, divide, square root, min, max, compare. */
#include "cpu/softfloat_core.h"

#define SIG_TOP ((u128)1 << 127)

/* The operands are finite and not zero; @b has the sign that makes the operation an addition. */
static void add_finite(struct fp_env *e, const struct fp_num *a, const struct fp_num *b,
                       struct fp_num *r)
{
    u128 sig;

    if (a->exp < b->exp || (a->exp == b->exp && a->sig < b->sig)) {
        const struct fp_num *t = a;

        a = b;
        b = t;
    }
    *r = *a;
    r->denormal = false;
    sig = fp_shift_sticky(b->sig, (u32)(a->exp - b->exp));
    if (a->sign == b->sign) {
        r->sig = a->sig + sig;
        if (r->sig < sig) {
            r->sig = SIG_TOP | r->sig >> 1 | (r->sig & 1);
            r->exp++;
        }
        return;
    }
    r->sig = a->sig - sig;
    if (r->sig == 0) {
        r->cls = FP_ZERO;
        r->sign = e->round == FP_DOWN;
        return;
    }
    unsigned shift = fp_clz128(r->sig);
    r->sig <<= shift;
    r->exp -= (i32)shift;
}

static void add(struct fp_env *e, const struct fp_num *a, const struct fp_num *b, struct fp_num *r)
{
    if (LIKELY(a->cls == FP_FINITE && b->cls == FP_FINITE)) {
        fp_denormal(e, a->denormal || b->denormal);
        add_finite(e, a, b, r);
        return;
    }
    if (a->cls == FP_INF && b->cls == FP_INF && a->sign != b->sign) {
        fp_invalid(e, r);
        return;
    }
    fp_denormal(e, a->denormal || b->denormal);
    if (a->cls == FP_ZERO && b->cls == FP_ZERO) {
        *r = *a;
        if (a->sign != b->sign)
            r->sign = e->round == FP_DOWN;
        return;
    }
    *r = a->cls == FP_INF || b->cls == FP_ZERO ? *a : *b;
}

static void mul(struct fp_env *e, const struct fp_num *a, const struct fp_num *b, struct fp_num *r)
{
    bool sign = a->sign ^ b->sign;

    if (LIKELY(a->cls == FP_FINITE && b->cls == FP_FINITE)) {
        fp_denormal(e, a->denormal || b->denormal);
        *r = (struct fp_num){.cls = FP_FINITE, .sign = sign, .exp = a->exp + b->exp};
        r->sig = (a->sig >> 64) * (b->sig >> 64);
        if (r->sig & SIG_TOP)
            r->exp++;
        else
            r->sig <<= 1;
        return;
    }
    if ((a->cls == FP_INF && b->cls == FP_ZERO) || (a->cls == FP_ZERO && b->cls == FP_INF)) {
        fp_invalid(e, r);
        return;
    }
    fp_denormal(e, a->denormal || b->denormal);
    *r = (struct fp_num){.sign = sign};
    r->cls = a->cls == FP_INF || b->cls == FP_INF ? FP_INF : FP_ZERO;
    r->sig = SIG_TOP;
}

static void div_finite(const struct fp_num *a, const struct fp_num *b, struct fp_num *r)
{
    u64 num = (u64)(a->sig >> 64), den = (u64)(b->sig >> 64), rem, q;
    u128 wide;

    r->cls = FP_FINITE;
    r->exp = a->exp - b->exp;
    if (num < den) {
        wide = (u128)num << 64;
        r->exp--;
    } else {
        wide = (u128)num << 63;
    }
    q = (u64)(wide / den);
    rem = (u64)(wide - (u128)q * den);
    r->sig = (u128)q << 64;
    if (rem) { /* the next bit, and sticky */
        r->sig |= 1;
        if (rem >= den - rem)
            r->sig |= BIT64(63);
        if (rem == den - rem)
            r->sig ^= 1;
    }
}

static void divide(struct fp_env *e, const struct fp_num *a, const struct fp_num *b,
                   struct fp_num *r)
{
    *r = (struct fp_num){.sign = a->sign ^ b->sign, .sig = SIG_TOP};
    if (a->cls == b->cls && a->cls != FP_FINITE) { /* 0/0, inf/inf */
        fp_invalid(e, r);
        return;
    }
    if (b->cls == FP_ZERO && a->cls == FP_FINITE) {
        e->flags |= FP_ZE;
        r->cls = FP_INF;
        return;
    }
    fp_denormal(e, a->denormal || b->denormal);
    if (a->cls == FP_INF || b->cls == FP_ZERO)
        r->cls = FP_INF;
    else if (a->cls == FP_ZERO || b->cls == FP_INF)
        r->cls = FP_ZERO;
    else
        div_finite(a, b, r);
}

/* Root of a number >= 2^30; *@rem = v - root^2. Bit by bit: 16 steps. */
static u32 root32(u32 v, u32 *rem)
{
    u32 root = 0, left = 0;

    for (unsigned i = 0; i < 16; i++) {
        u32 trial = root << 2 | 1;

        left = left << 2 | v >> 30;
        v <<= 2;
        root <<= 1;
        if (left >= trial) {
            left -= trial;
            root |= 1;
        }
    }
    *rem = left;
    return root;
}

/*
 * Roots of numbers whose top two bits are not both zero, by Zimmermann's recursion: the root of
 * the high half and its remainder give half of the digits, one division the other half.
 */
static u64 root64(u64 v, u64 *rem)
{
    u32 left, high = root32((u32)(v >> 32), &left);
    u64 num = (u64)left << 16 | (u16)(v >> 16);
    u64 q = num / (2 * (u64)high), u = num % (2 * (u64)high);
    i64 root = ((i64)high << 16) + (i64)q;
    i64 r = (i64)(u << 16 | (u16)v) - (i64)(q * q);

    while (r < 0) {
        r += 2 * root - 1;
        root--;
    }
    *rem = (u64)r;
    return (u64)root;
}

static u64 root128(u128 v, u128 *rem)
{
    u64 left, high = root64((u64)(v >> 64), &left);
    u128 num = (u128)left << 32 | (u32)(v >> 32);
    u64 q = (u64)(num / (2 * high)), u = (u64)(num % (2 * high));
    i128 root = ((i128)high << 32) + q;
    i128 r = ((i128)u << 32 | (u32)v) - (i128)((u128)q * q);

    while (r < 0) {
        r += 2 * root - 1;
        root--;
    }
    *rem = (u128)r;
    return (u64)root;
}

static void square_root(struct fp_env *e, const struct fp_num *b, struct fp_num *r)
{
    u128 v, rem;
    u64 root;

    if (b->cls == FP_ZERO || (b->cls == FP_INF && !b->sign)) {
        *r = *b;
        return;
    }
    if (b->sign) {
        fp_invalid(e, r);
        return;
    }
    fp_denormal(e, b->denormal);
    v = b->exp & 1 ? b->sig : b->sig >> 1;
    root = root128(v, &rem);
    *r = (struct fp_num){.cls = FP_FINITE, .exp = (b->exp - (b->exp & 1)) / 2};
    r->sig = (u128)root << 64;
    if (rem) /* the next bit is 1 if rem > root; a tie cannot be */
        r->sig |= rem > root ? BIT64(63) | 1 : 1;
}

/* -1, 0, 1 as @a < = > @b; no NaNs. */
static int order(const struct fp_num *a, const struct fp_num *b)
{
    int below = a->sign ? 1 : -1; /* if |a| < |b|, of one sign */

    if (a->cls == FP_ZERO && b->cls == FP_ZERO)
        return 0;
    if (a->cls == FP_ZERO)
        return b->sign ? 1 : -1;
    if (b->cls == FP_ZERO)
        return a->sign ? -1 : 1;
    if (a->sign != b->sign)
        return a->sign ? -1 : 1;
    if (a->cls == FP_INF || b->cls == FP_INF) {
        if (a->cls == b->cls)
            return 0;
        return a->cls == FP_INF ? -below : below;
    }
    if (a->exp != b->exp)
        return a->exp < b->exp ? below : -below;
    if (a->sig != b->sig)
        return a->sig < b->sig ? below : -below;
    return 0;
}

enum fp_order fp_compare(struct fp_env *e, const struct fp_num *a, const struct fp_num *b,
                         bool quiet)
{
    int o;

    if (fp_is_nan(a) || fp_is_nan(b)) {
        if (!quiet || a->cls > FP_QNAN || b->cls > FP_QNAN)
            e->flags |= FP_IE;
        return FP_UNORDERED;
    }
    fp_denormal(e, a->denormal || b->denormal);
    o = order(a, b);
    return o < 0 ? FP_LESS : o > 0 ? FP_GREATER : FP_EQUAL;
}

static void arith(struct fp_env *e, enum fp_op op, struct fp_num *a, struct fp_num *b,
                  struct fp_num *r)
{
    if (op == FP_SQRT) {
        if (!fp_special1(e, b, r))
            square_root(e, b, r);
        return;
    }
    if (fp_special2(e, a, b, r))
        return;
    switch (op) {
    case FP_SUB:
        b->sign = !b->sign;
        add(e, a, b, r);
        break;
    case FP_MUL:
        mul(e, a, b, r);
        break;
    case FP_DIV:
        divide(e, a, b, r);
        break;
    default:
        add(e, a, b, r);
        break;
    }
}

/*
 * [SDM 2A MINPS] The second operand if they are equal or one is a NaN, as it is: a signalling NaN
 * is not quieted. True: @a.
 */
static bool takes_first(struct fp_env *e, enum fp_op op, const struct fp_num *a,
                        const struct fp_num *b)
{
    return fp_compare(e, a, b, false) == (op == FP_MIN ? FP_LESS : FP_GREATER);
}

u32 f32_arith(struct fp_env *e, enum fp_op op, u32 a, u32 b)
{
    struct fp_num na, nb, r;
    u32 fast;

    if (e->hosted && f32_arith_host(op, a, b, &fast))
        return fast;
    na = fp_unpack_f32(e, a);
    nb = fp_unpack_f32(e, b);
    if (op == FP_MIN || op == FP_MAX) {
        const struct fp_num *n = takes_first(e, op, &na, &nb) ? &na : &nb;
        u32 bits = n == &na ? a : b;

        return n->cls == FP_ZERO ? bits & 0x80000000 : bits;
    }
    arith(e, op, &na, &nb, &r);
    return fp_pack_f32(e, &r);
}

u64 f64_arith(struct fp_env *e, enum fp_op op, u64 a, u64 b)
{
    struct fp_num na, nb, r;
    u64 fast;

    if (e->hosted && f64_arith_host(op, a, b, &fast))
        return fast;
    na = fp_unpack_f64(e, a);
    nb = fp_unpack_f64(e, b);
    if (op == FP_MIN || op == FP_MAX) {
        const struct fp_num *n = takes_first(e, op, &na, &nb) ? &na : &nb;
        u64 bits = n == &na ? a : b;

        return n->cls == FP_ZERO ? bits & BIT64(63) : bits;
    }
    arith(e, op, &na, &nb, &r);
    return fp_pack_f64(e, &r);
}

struct f80 f80_arith(struct fp_env *e, enum fp_op op, struct f80 a, struct f80 b)
{
    struct fp_num na = fp_unpack_f80(a), nb = fp_unpack_f80(b), r;

    arith(e, op, &na, &nb, &r);
    return fp_pack_f80(e, &r, e->precision);
}

struct f80 fp_arith_f80(struct fp_env *e, enum fp_op op, struct fp_num *a, struct fp_num *b)
{
    struct fp_num r;

    arith(e, op, a, b, &r);
    return fp_pack_f80(e, &r, e->precision);
}

enum fp_order f32_compare(struct fp_env *e, u32 a, u32 b, bool quiet)
{
    struct fp_num na = fp_unpack_f32(e, a), nb = fp_unpack_f32(e, b);

    return fp_compare(e, &na, &nb, quiet);
}

enum fp_order f64_compare(struct fp_env *e, u64 a, u64 b, bool quiet)
{
    struct fp_num na = fp_unpack_f64(e, a), nb = fp_unpack_f64(e, b);

    return fp_compare(e, &na, &nb, quiet);
}

enum fp_order f80_compare(struct fp_env *e, struct f80 a, struct f80 b, bool quiet)
{
    struct fp_num na = fp_unpack_f80(a), nb = fp_unpack_f80(b);

    return fp_compare(e, &na, &nb, quiet);
}
