/* SPDX-License-Identifier: MIT */
/* The operations that only the x87 unit has: remainder, scale, extract  [SDM 2A FPREM, FSCALE]. */
#include "cpu/softfloat_core.h"

#define SIG_TOP ((u128)1 << 127)

/* |@b| chopped to an integer, saturated where FSCALE over- or underflows anyway. */
static i32 scale_count(const struct fp_num *b)
{
    i32 n;

    if (b->cls != FP_FINITE || b->exp < 0)
        return 0;
    n = b->exp > 16 ? 0x20000 : (i32)(b->sig >> (127 - b->exp));
    return b->sign ? -n : n;
}

struct f80 f80_scale(struct fp_env *e, struct f80 a, struct f80 b)
{
    struct fp_num na = fp_unpack_f80(a), nb = fp_unpack_f80(b), r;

    if (fp_special2(e, &na, &nb, &r))
        return fp_pack_f80(e, &r, 64);
    r = na;
    if (nb.cls == FP_INF) {
        if (nb.sign ? na.cls == FP_INF : na.cls == FP_ZERO) {
            fp_invalid(e, &r);
        } else {
            fp_denormal(e, na.denormal);
            r.cls = nb.sign ? FP_ZERO : FP_INF;
        }
        return fp_pack_f80(e, &r, 64);
    }
    fp_denormal(e, na.denormal || nb.denormal);
    if (r.cls == FP_FINITE)
        r.exp += scale_count(&nb);
    return fp_pack_f80(e, &r, 64);
}

struct f80 f80_extract(struct fp_env *e, struct f80 a, struct f80 *exp)
{
    struct fp_num n = fp_unpack_f80(a), r;

    if (fp_special1(e, &n, &r)) {
        *exp = fp_pack_f80(e, &r, 64);
        return *exp;
    }
    e->up = false;
    switch (n.cls) {
    case FP_ZERO:
        e->flags |= FP_ZE;
        *exp = (struct f80){BIT64(63), 0xFFFF};
        return a;
    case FP_INF:
        *exp = (struct f80){BIT64(63), 0x7FFF};
        return a;
    default:
        fp_denormal(e, n.denormal);
        *exp = f80_from_int(n.exp);
        n.exp = 0;
        return fp_pack_f80(e, &n, 64);
    }
}

/*
 * *@a becomes its remainder by @b, both finite and a->exp - b->exp = d, 0 <= d < 64.
 * Returns the quotient.
 */
static u64 reduce(struct fp_num *a, const struct fp_num *b, u32 d, bool nearest)
{
    u64 den = (u64)(b->sig >> 64);
    u128 num = (a->sig >> 64) << d; /* both in units of 2^(b->exp - 63) */
    u64 q = (u64)(num / den);
    u128 rem = num % den;
    unsigned shift;

    if (nearest && (rem > den - rem || (rem == den - rem && q & 1))) {
        q++;
        rem = den - rem;
        a->sign = !a->sign;
    }
    if (rem == 0) {
        a->cls = FP_ZERO;
        return q;
    }
    shift = fp_clz64((u64)rem);
    a->sig = rem << 64 << shift;
    a->exp = b->exp - (i32)shift;
    return q;
}

/* d = -1: |b|/2 <= |a| < |b|, or so; only rounding to nearest can have a quotient of 1. */
static u64 reduce_below(struct fp_num *a, const struct fp_num *b)
{
    u128 rem;
    unsigned shift;

    if (a->sig <= b->sig) /* 2|a| <= |b|: quotient 0, a tie rounds to even */
        return 0;
    rem = b->sig - (a->sig >> 1);
    shift = fp_clz128(rem);
    a->sig = rem << shift;
    a->exp = b->exp - (i32)shift;
    a->sign = !a->sign;
    return 1;
}

static u8 remainder_finite(struct fp_num *a, const struct fp_num *b, bool nearest)
{
    i32 d = a->exp - b->exp;
    struct fp_num scaled = *b;
    u32 n;

    if (d < -1 || (d < 0 && !nearest))
        return 0;
    if (d == -1)
        return reduce_below(a, b) & 7;
    if (d < 64)
        return reduce(a, b, (u32)d, nearest) & 7;
    n = ((u32)d & 31) | 32; /* as many bits as the real unit takes off in one go */
    scaled.exp += d - (i32)n;
    reduce(a, &scaled, n, false);
    return F80_REM_PARTIAL;
}

struct f80 f80_rem(struct fp_env *e, struct f80 a, struct f80 b, bool nearest, u8 *quotient)
{
    struct fp_num na = fp_unpack_f80(a), nb = fp_unpack_f80(b), r;

    *quotient = 0;
    if (fp_special2(e, &na, &nb, &r))
        return fp_pack_f80(e, &r, 64);
    if (na.cls == FP_INF || nb.cls == FP_ZERO) {
        fp_invalid(e, &r);
        return fp_pack_f80(e, &r, 64);
    }
    fp_denormal(e, na.denormal || nb.denormal);
    if (na.cls == FP_FINITE && nb.cls == FP_FINITE)
        *quotient = remainder_finite(&na, &nb, nearest);
    return fp_pack_f80(e, &na, 64);
}
