/* SPDX-License-Identifier: MIT */
/*
 * Private to cpu/x87_plain.c and cpu/x87_quick.c: arithmetic with normal numbers, rounded to
 * nearest, where the result is safely normal [SDM 1 §8.3]. What is called drop is 64 less the bits
 * that are kept.
 */
#pragma once

#include "cpu/softfloat_core.h"

enum { X87_BIAS = 0x3FFF, X87_EXP_MAX = 0x7FFF, X87_SIGN = 0x8000 };

/** What x87_plain() of cpu/x87_plain.h promises, for what cpu/x87_quick.c does not do. */
u32 x87_plain_rest(struct cpu *cpu, u32 what, u32 eip, u8 *mem, u32 dp);

struct x87_rounded {
    struct f80 v;
    bool up, inexact;
};

ALWAYS_INLINE bool x87_is_normal(struct f80 a)
{
    return a.mant >> 63 && (u32)(a.sign_exp & X87_EXP_MAX) - 1 < X87_EXP_MAX - 1;
}

/** @sig / 2^127 * 2^(@exp - bias), rounded to nearest even; false if it is not safely normal. */
ALWAYS_INLINE bool x87_round_nearest(u128 sig, i32 exp, u16 sign, unsigned drop,
                                     struct x87_rounded *r)
{
    u64 high = (u64)(sig >> 64), low = (u64)sig;

    if (UNLIKELY((u32)exp - 2 > X87_EXP_MAX - 5))
        return false;
    if (drop) {
        low = high << (64 - drop) | (low != 0);
        high = high >> drop << drop;
    }
    r->up = low >> 63 & ((low << 1 != 0) | (high >> drop & 1));
    r->inexact = low != 0;
    high += (u64)r->up << drop;
    if (UNLIKELY(high == 0)) {
        high = BIT64(63);
        exp++;
    }
    r->v = (struct f80){high, (u16)(sign | exp)};
    return true;
}

/** @a + @b; false, too, if that is 0. */
ALWAYS_INLINE bool x87_add_normal(struct f80 a, struct f80 b, unsigned drop, struct x87_rounded *r)
{
    if ((a.sign_exp & X87_EXP_MAX) < (b.sign_exp & X87_EXP_MAX) ||
        ((a.sign_exp & X87_EXP_MAX) == (b.sign_exp & X87_EXP_MAX) && a.mant < b.mant)) {
        struct f80 t = a;
        a = b;
        b = t;
    }
    i32 exp = a.sign_exp & X87_EXP_MAX;
    u32 n = (u32)(exp - (b.sign_exp & X87_EXP_MAX));
    u128 x = (u128)a.mant << 64, sum;
    u128 y = LIKELY(n < 64) ? (u128)(b.mant >> n) << 64 | b.mant << 1 << (63 - n)
                            : fp_shift_sticky((u128)b.mant << 64, n);

    if (((a.sign_exp ^ b.sign_exp) & X87_SIGN) == 0) {
        sum = x + y;
        if (sum < x) {
            sum = (u128)1 << 127 | sum >> 1 | (sum & 1);
            exp++;
        }
    } else {
        sum = x - y;
        if (sum == 0)
            return false;
        unsigned shift = fp_clz128(sum);
        sum <<= shift;
        exp -= (i32)shift;
    }
    return x87_round_nearest(sum, exp, a.sign_exp & X87_SIGN, drop, r);
}

ALWAYS_INLINE bool x87_mul_normal(struct f80 a, struct f80 b, unsigned drop, struct x87_rounded *r)
{
    i32 exp = (a.sign_exp & X87_EXP_MAX) + (b.sign_exp & X87_EXP_MAX) - X87_BIAS + 1;
    u128 sig = (u128)a.mant * b.mant;

    if (!(sig >> 127)) {
        sig <<= 1;
        exp--;
    }
    return x87_round_nearest(sig, exp, (a.sign_exp ^ b.sign_exp) & X87_SIGN, drop, r);
}

/** @a op @b; false, and @r may be anything, unless all of these are normal. */
ALWAYS_INLINE bool x87_arith_normal(enum fp_op op, struct f80 a, struct f80 b, unsigned drop,
                                    struct x87_rounded *r)
{
    if (!x87_is_normal(a) || !x87_is_normal(b))
        return false;
    switch (op) {
    case FP_ADD:
        return x87_add_normal(a, b, drop, r);
    case FP_SUB:
        return x87_add_normal(a, (struct f80){b.mant, b.sign_exp ^ X87_SIGN}, drop, r);
    case FP_MUL:
        return x87_mul_normal(a, b, drop, r);
    default:
        return false;
    }
}

/** How normal numbers stand: in the order of sign, exponent and significand. */
ALWAYS_INLINE enum fp_order x87_compare_normal(struct f80 a, struct f80 b)
{
    bool less;

    if ((a.sign_exp ^ b.sign_exp) & X87_SIGN)
        return a.sign_exp & X87_SIGN ? FP_LESS : FP_GREATER;
    if (a.sign_exp != b.sign_exp)
        less = a.sign_exp < b.sign_exp;
    else if (a.mant != b.mant)
        less = a.mant < b.mant;
    else
        return FP_EQUAL;
    return less != !!(a.sign_exp & X87_SIGN) ? FP_LESS : FP_GREATER;
}
