/* SPDX-License-Identifier: MIT */
/* Random floating-point operands, biased to the edges of the formats. */
#pragma once

#include "cpu/softfloat.h"
#include "tests/support/rng.h"

struct fpgen {
    u64 s;
};

ALWAYS_INLINE u64 fpgen_next(struct fpgen *g)
{
    return rng_u64(&g->s);
}

ALWAYS_INLINE u32 fpgen_below(struct fpgen *g, u32 n)
{
    return (u32)(fpgen_next(g) >> 32) % n;
}

/** 64 bits: random, sparse, a run of ones, or nearly all ones. */
ALWAYS_INLINE u64 fpgen_bits(struct fpgen *g)
{
    u64 v = fpgen_next(g);

    switch (fpgen_below(g, 6)) {
    case 0:
        return BIT64(v & 63) | BIT64(v >> 6 & 63);
    case 1:
        return ~(u64)0 << (v & 63);
    case 2:
        return ~BIT64(v & 63);
    case 3:
        return (~(u64)0 << (v & 63)) + BIT64(v >> 6 & 63);
    case 4:
        return v & ~(u64)0 << (v >> 6 & 63);
    default:
        return v;
    }
}

/** An exponent of a format whose largest is @max: the edges, the middle, anywhere. */
ALWAYS_INLINE u32 fpgen_exp(struct fpgen *g, u32 max)
{
    u32 r = fpgen_below(g, 140);

    switch (fpgen_below(g, 8)) {
    case 0:
        return r < 70 ? 0 : r % 3;
    case 1:
        return r < 70 ? max : max - r % 3;
    case 2:
        return (r + 1) % (max + 1);
    case 3:
        return max > r ? max - r : 0;
    case 4:
    case 5:
    case 6:
        return (max / 2 + r - 70) & max;
    default:
        return (u32)fpgen_next(g) & max;
    }
}

ALWAYS_INLINE struct f80 fpgen_f80(struct fpgen *g)
{
    u32 exp = fpgen_exp(g, 0x7FFF);
    u64 mant = fpgen_bits(g) | BIT64(63);
    u32 r = fpgen_below(g, 32);

    if (r == 0 || (exp == 0 && r < 24))
        mant &= ~BIT64(63);
    if (r == 1 || (exp == 0x7FFF && r < 12))
        mant = BIT64(63);
    if (r == 2 || (exp == 0 && r < 8))
        mant = 0, exp = 0;
    return (struct f80){mant, (u16)(exp | (fpgen_next(g) & 0x8000))};
}

/** A partner for @a: often near it, or the same number. */
ALWAYS_INLINE struct f80 fpgen_f80_near(struct fpgen *g, struct f80 a)
{
    struct f80 b = fpgen_f80(g);
    u32 r = fpgen_below(g, 8);

    if (r < 4)
        b.sign_exp =
            (u16)((b.sign_exp & 0x8000) | ((a.sign_exp + fpgen_below(g, 140) - 70) & 0x7FFF));
    if (r < 4 && !(b.mant >> 63) && fpgen_below(g, 8))
        b.mant |= BIT64(63);
    if (r == 3 || r == 4)
        b.mant = a.mant + fpgen_below(g, 3) - 1;
    if (r == 5)
        b = a, b.sign_exp ^= (u16)(fpgen_next(g) & 0x8000);
    return b;
}

ALWAYS_INLINE u64 fpgen_f64(struct fpgen *g)
{
    u64 frac = fpgen_bits(g) >> 12;

    if (fpgen_below(g, 6) == 0)
        frac = 0;
    return fpgen_next(g) << 63 | (u64)fpgen_exp(g, 0x7FF) << 52 | frac;
}

ALWAYS_INLINE u32 fpgen_f32(struct fpgen *g)
{
    u32 frac = (u32)(fpgen_bits(g) >> 41);

    if (fpgen_below(g, 6) == 0)
        frac = 0;
    return (u32)fpgen_next(g) << 31 | fpgen_exp(g, 0xFF) << 23 | frac;
}

ALWAYS_INLINE u64 fpgen_f64_near(struct fpgen *g, u64 a)
{
    u64 b = fpgen_f64(g);

    switch (fpgen_below(g, 4)) {
    case 0:
        return a ^ (fpgen_next(g) & BIT64(63));
    case 1:
        return (b & ~(0x7FFull << 52)) |
               ((a + ((u64)(fpgen_below(g, 110) - 55) << 52)) & 0x7FFull << 52);
    default:
        return b;
    }
}

ALWAYS_INLINE u32 fpgen_f32_near(struct fpgen *g, u32 a)
{
    u32 b = fpgen_f32(g);

    switch (fpgen_below(g, 4)) {
    case 0:
        return a ^ ((u32)fpgen_next(g) & 0x80000000);
    case 1:
        return (b & ~(0xFFu << 23)) | ((a + ((fpgen_below(g, 50) - 25) << 23)) & 0xFFu << 23);
    default:
        return b;
    }
}
