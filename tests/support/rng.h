/* SPDX-License-Identifier: MIT */
/* Random numbers that are the same on every host (SplitMix64); a state is all they depend on. */
#pragma once

#include "base/types.h"

ALWAYS_INLINE u64 rng_u64(u64 *state)
{
    u64 z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/** A number below @n, which is not 0. */
ALWAYS_INLINE u32 rng_below(u64 *state, u32 n)
{
    return (u32)((rng_u64(state) >> 32) * n >> 32);
}
