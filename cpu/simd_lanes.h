/* SPDX-License-Identifier: MIT */
/* Private to the executors of packed integers: saturation, and instructions lane by lane. */
#pragma once

#include "cpu/simd.h"

static inline i32 clamp(i32 v, i32 low, i32 high)
{
    return v < low ? low : v > high ? high : v;
}

static inline u8 saturate_i8(i32 v)
{
    return (u8)clamp(v, -128, 127);
}

static inline u8 saturate_u8(i32 v)
{
    return (u8)clamp(v, 0, 255);
}

static inline u16 saturate_i16(i32 v)
{
    return (u16)clamp(v, -32768, 32767);
}

static inline u16 saturate_u16(i32 v)
{
    return (u16)clamp(v, 0, 65535);
}

/* One instruction: each lane of @type is @expr of its old value a and the source's b. */
#define PACKED(name, type, lanes, expr)                                                            \
    static void name##_lanes(union vec *d, const union vec *s, unsigned bytes)                     \
    {                                                                                              \
        for (unsigned i = 0; i < bytes / sizeof(type); i++) {                                      \
            type a = d->lanes[i], b = s->lanes[i];                                                 \
                                                                                                   \
            d->lanes[i] = (type)(expr);                                                            \
        }                                                                                          \
    }                                                                                              \
    bool exec_##name(struct cpu *cpu, const struct insn *in)                                       \
    {                                                                                              \
        return simd_packed(cpu, in, name##_lanes);                                                 \
    }
