/* SPDX-License-Identifier: MIT */
/* Private to cpu/f80_math*.c: fractions of 128 bits, and numbers with such a significand. */
#pragma once

#include "cpu/softfloat_core.h"

/** The high half of the product, short of it by at most 2. */
ALWAYS_INLINE u128 wide_mul(u128 a, u128 b)
{
    u64 a1 = (u64)(a >> 64), a0 = (u64)a, b1 = (u64)(b >> 64), b0 = (u64)b;

    return (u128)a1 * b1 + (((u128)a1 * b0) >> 64) + (((u128)a0 * b1) >> 64);
}

/* One digit of 64 bits of *@a / b, for *@a < b; the remainder is the next *@a. */
ALWAYS_INLINE u64 wide_digit(u128 *a, u64 b1, u64 b0)
{
    u64 a1 = (u64)(*a >> 64);
    u64 q = a1 >= b1 ? ~(u64)0 : (u64)(*a / b1);
    u128 rest = *a - (u128)q * b1;

    for (unsigned i = 0; i < 2; i++) { /* at most 2 too large, and as often as not: no branch */
        u64 over = !(rest >> 64) & ((u128)q * b0 > rest << 64);
        q -= over;
        rest += b1 & -over;
    }
    *a = (rest << 64) - (u128)q * b0;
    return q;
}

/** a / b in units of 2^-128, chopped; a < b and bit 127 of b is set. */
ALWAYS_INLINE u128 wide_div(u128 a, u128 b)
{
    u64 q1 = wide_digit(&a, (u64)(b >> 64), (u64)b);

    return (u128)q1 << 64 | wide_digit(&a, (u64)(b >> 64), (u64)b);
}

/**
 * c[0] - c[1] z + c[2] z^2 ... (@sign true) or the sum of all; c in 2^-127, z in 2^-128. Below the
 * true value also for a @z too small to count, so that directed rounding goes the right way.
 */
ALWAYS_INLINE u128 wide_series(const u128 *c, unsigned n, u128 z, bool sign)
{
    u128 sum = c[--n];

    while (n--)
        sum = sign ? c[n] - wide_mul(sum, z) : c[n] + wide_mul(sum, z);
    return sign ? sum - 1 : sum;
}

/** The number of @fraction units of 2^-@bits. */
ALWAYS_INLINE struct fp_num wide_number(u128 fraction, i32 bits, bool sign)
{
    struct fp_num n = {.sign = sign};
    unsigned shift;

    if (!fraction)
        return n;
    shift = fp_clz128(fraction);
    n.cls = FP_FINITE;
    n.sig = fraction << shift;
    n.exp = 127 - bits - (i32)shift;
    return n;
}

/** |n| in units of 2^-@bits, chopped. It must fit. */
ALWAYS_INLINE u128 wide_fixed(const struct fp_num *n, i32 bits)
{
    i32 shift = 127 - bits - n->exp;

    if (n->cls != FP_FINITE || shift > 127)
        return 0;
    return n->sig >> shift;
}

/** n times a factor in units of 2^-127. */
ALWAYS_INLINE struct fp_num wide_scale(const struct fp_num *n, u128 factor)
{
    struct fp_num r = wide_number(wide_mul(n->sig, factor), 126, n->sign);

    r.exp += n->exp;
    return r;
}

/** a / b, both finite. */
ALWAYS_INLINE struct fp_num wide_quotient(const struct fp_num *a, const struct fp_num *b)
{
    struct fp_num r = *a;
    bool above = a->sig >= b->sig; /* then the quotient is 1 + ..., otherwise above 1/2 */
    u128 q = wide_div(a->sig - (above ? b->sig : 0), b->sig);

    r.sign = a->sign ^ b->sign;
    r.denormal = false;
    r.exp = a->exp - b->exp - !above;
    r.sig = above ? (u128)1 << 127 | q >> 1 : q;
    return r;
}

/** Pack the approximation of an irrational number. */
ALWAYS_INLINE struct f80 wide_pack(struct fp_env *e, struct fp_num *n)
{
    n->sig |= 1;
    return fp_pack_f80(e, n, 64);
}
