/* SPDX-License-Identifier: MIT */
/* One body, compiled once for each operand width. */
#pragma once

#include "base/types.h"

#define BY_WIDTH_CASE(value, expr)                                                                 \
    {                                                                                              \
        const enum width w = value;                                                                \
        return (expr);                                                                             \
    }

/**
 * Return @expr, in which w stands for @of as a compile-time constant: with always-inlined functions
 * every mask, shift and sign position in it becomes a constant too. 32 bits first and as a plain
 * branch: that predicts better than the jump table of a switch.
 */
#define RETURN_BY_WIDTH(of, expr)                                                                  \
    do {                                                                                           \
        if (LIKELY((of) == W32))                                                                   \
            BY_WIDTH_CASE(W32, expr)                                                               \
        if ((of) == W8)                                                                            \
            BY_WIDTH_CASE(W8, expr)                                                                \
        if ((of) == W16)                                                                           \
            BY_WIDTH_CASE(W16, expr)                                                               \
        BY_WIDTH_CASE(W64, expr)                                                                   \
    } while (0)

/** The same for operands that have no byte form. */
#define RETURN_BY_OPSIZE(of, expr)                                                                 \
    do {                                                                                           \
        if (LIKELY((of) == W32))                                                                   \
            BY_WIDTH_CASE(W32, expr)                                                               \
        if ((of) == W16)                                                                           \
            BY_WIDTH_CASE(W16, expr)                                                               \
        BY_WIDTH_CASE(W64, expr)                                                                   \
    } while (0)
