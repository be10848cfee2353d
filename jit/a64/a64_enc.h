/* SPDX-License-Identifier: MIT */
/* Private to jit/a64/: where registers and numbers stand in an A64 instruction. [ARM C4.1] */
#pragma once

#include <assert.h>

#include "jit/a64/a64_asm.h"

/** Bit 31: W or X registers. */
static inline u32 a64_sf(enum width w)
{
    assert(w == W32 || w == W64);
    return (u32)(w == W64) << 31;
}

static inline unsigned a64_bits(enum width w)
{
    return 8u << w;
}

/** An unsigned number in a field of @bits bits at @at. */
static inline u32 a64_field(u32 v, unsigned bits, unsigned at)
{
    assert(v >> bits == 0);
    (void)bits;
    return v << at;
}

static inline bool a64_fits_signed(i64 v, unsigned bits)
{
    return v >= -((i64)1 << (bits - 1)) && v < (i64)1 << (bits - 1);
}

/** A number with sign in a field of @bits bits at @at. */
static inline u32 a64_signed(i64 v, unsigned bits, unsigned at)
{
    assert(a64_fits_signed(v, bits));
    return ((u32)v & (BIT(bits) - 1)) << at;
}

static inline u32 a64_rd(u8 r)
{
    return a64_field(r, 5, 0);
}

static inline u32 a64_rn(u8 r)
{
    return a64_field(r, 5, 5);
}

static inline u32 a64_rm(u8 r)
{
    return a64_field(r, 5, 16);
}

static inline u32 a64_dnm(u8 d, u8 n, u8 m)
{
    return a64_rd(d) | a64_rn(n) | a64_rm(m);
}

/** N, immr and imms of a bitmask immediate, at their places; false if @imm is none. */
bool a64_bitmask(enum width w, u64 imm, u32 *fields);
