/* SPDX-License-Identifier: MIT */
/* Private to the floating point of cpu/: numbers taken apart, one form for all three formats. */
#pragma once

#include "cpu/softfloat.h"

enum fp_class { FP_ZERO, FP_FINITE, FP_INF, FP_QNAN, FP_SNAN, FP_UNSUPPORTED };

/*
 * FP_FINITE: the value is sig / 2^127 * 2^exp, bit 127 of sig set; bit 0 may be sticky.
 * NaN: sig is the significand, left aligned: bit 127 set, bit 126 the quiet bit.
 */
struct fp_num {
    u128 sig;
    i32 exp;
    u8 cls; /* enum fp_class */
    bool sign;
    bool denormal; /* in its format, and not taken for zero */
};

struct fp_format {
    u8 precision; /* bits of the significand, integer bit included */
    i32 bias;
    i32 max; /* biased exponent of infinities and NaNs */
};

/* A result as its format wants it: biased exponent, significand left aligned in 64 bits. */
struct fp_packed {
    u64 sig;
    u32 exp;
};

extern const struct fp_format fp_f32, fp_f64, fp_f80;

ALWAYS_INLINE unsigned fp_clz64(u64 v)
{
    return (unsigned)__builtin_clzll(v);
}

ALWAYS_INLINE unsigned fp_clz128(u128 v)
{
    u64 hi = (u64)(v >> 64);

    return hi ? fp_clz64(hi) : 64 + fp_clz64((u64)v);
}

/* v >> n, what falls out kept in bit 0. */
ALWAYS_INLINE u128 fp_shift_sticky(u128 v, u32 n)
{
    if (n == 0)
        return v;
    if (n > 127)
        return v != 0;
    return v >> n | ((v << (128 - n)) != 0);
}

ALWAYS_INLINE bool fp_is_nan(const struct fp_num *a)
{
    return a->cls >= FP_QNAN;
}

/** Whether rounding adds one unit: @odd the last kept bit, @half and @rest what is dropped. */
ALWAYS_INLINE bool fp_increment(u8 round, bool sign, bool odd, bool half, bool rest)
{
    switch (round) {
    case FP_NEAREST:
        return half && (rest || odd);
    case FP_DOWN:
        return sign && (half || rest);
    case FP_UP:
        return !sign && (half || rest);
    default:
        return false;
    }
}

/** Take apart. DAZ applies; no flags. */
struct fp_num fp_unpack_f32(const struct fp_env *e, u32 a);
struct fp_num fp_unpack_f64(const struct fp_env *e, u64 a);
struct fp_num fp_unpack_f80(struct f80 a);

/** Round and put together, with the flags of the result. */
u32 fp_pack_f32(struct fp_env *e, const struct fp_num *n);
u64 fp_pack_f64(struct fp_env *e, const struct fp_num *n);
struct f80 fp_pack_f80(struct fp_env *e, const struct fp_num *n, unsigned precision);

/** Becomes the default NaN, and invalid. */
void fp_invalid(struct fp_env *e, struct fp_num *r);

/** If an operand is a NaN or unsupported: *@r is the result, and true. */
bool fp_special1(struct fp_env *e, const struct fp_num *a, struct fp_num *r);
bool fp_special2(struct fp_env *e, const struct fp_num *a, const struct fp_num *b,
                 struct fp_num *r);

/** Raise the denormal operand exception if one is. */
ALWAYS_INLINE void fp_denormal(struct fp_env *e, bool denormal)
{
    if (denormal)
        e->flags |= FP_DE;
}

/** Round a finite number to an integer, kept in the same form (or FP_ZERO); sets PE and up. */
void fp_round_integral(struct fp_env *e, struct fp_num *a, enum fp_round round);

/** As f80_arith and f80_compare, on numbers of any format; @a and @b are changed. */
struct f80 fp_arith_f80(struct fp_env *e, enum fp_op op, struct fp_num *a, struct fp_num *b);
enum fp_order fp_compare(struct fp_env *e, const struct fp_num *a, const struct fp_num *b,
                         bool quiet);

/** An integer. */
struct fp_num fp_from_int(i64 v);
