/* SPDX-License-Identifier: MIT */
/* Fields, sign extension, and little-endian loads and stores that work at any alignment. */
#pragma once

#include <string.h>

#include "base/types.h"

/** All ones in the low bytes of a @w operand. */
static inline u64 width_mask(enum width w)
{
    return ~(u64)0 >> (64 - (8u << w));
}

static inline unsigned width_bytes(enum width w)
{
    return 1u << w;
}

static inline unsigned width_bits(enum width w)
{
    return 8u << w;
}

/** The low @w bytes of @v as a signed number in 64 bits. */
static inline u64 sign_extend(u64 v, enum width w)
{
    unsigned shift = 64 - (8u << w);

    return (u64)((i64)(v << shift) >> shift);
}

/** Bits [lo, lo + n) of @v; 1 <= n <= 63. */
static inline u64 bits_get(u64 v, unsigned lo, unsigned n)
{
    return v >> lo & (BIT64(n) - 1);
}

/* memcpy is how C spells an unaligned access; big-endian hosts are refused in base/fields.c. */
static inline u16 load16(const void *p)
{
    u16 v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline u32 load32(const void *p)
{
    u32 v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline u64 load64(const void *p)
{
    u64 v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline void store16(void *p, u16 v)
{
    memcpy(p, &v, sizeof(v));
}

static inline void store32(void *p, u32 v)
{
    memcpy(p, &v, sizeof(v));
}

static inline void store64(void *p, u64 v)
{
    memcpy(p, &v, sizeof(v));
}

/** Read the @size (1, 2, 4 or 8) bytes at @p as a little-endian number. */
static inline u64 load_le(const void *p, unsigned size)
{
    u64 v = 0;

    memcpy(&v, p, size);
    return v;
}

static inline void store_le(void *p, u64 v, unsigned size)
{
    memcpy(p, &v, size);
}
