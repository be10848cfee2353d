/* SPDX-License-Identifier: MIT */
/* One body, compiled once for each operand width. */
#pragma once

#include "base/types.h"

#define BY_WIDTH_CASE(label, value, expr)                                                          \
    label : {                                                                                      \
        const enum width w = value;                                                                \
        return (expr);                                                                             \
    }

/**
 * Return @expr, in which w stands for @of as a compile-time constant: with always-inlined functions
 * every mask, shift and sign position in it becomes a constant too.
 */
#define RETURN_BY_WIDTH(of, expr)                                                                  \
    do {                                                                                           \
        switch (of) {                                                                              \
            BY_WIDTH_CASE(case W8, W8, expr)                                                       \
            BY_WIDTH_CASE(case W16, W16, expr)                                                     \
            BY_WIDTH_CASE(case W32, W32, expr)                                                     \
            BY_WIDTH_CASE(default, W64, expr)                                                      \
        }                                                                                          \
    } while (0)

/** The same for operands that have no byte form. */
#define RETURN_BY_OPSIZE(of, expr)                                                                 \
    do {                                                                                           \
        switch (of) {                                                                              \
            BY_WIDTH_CASE(case W16, W16, expr)                                                     \
            BY_WIDTH_CASE(case W32, W32, expr)                                                     \
            BY_WIDTH_CASE(default, W64, expr)                                                      \
        }                                                                                          \
    } while (0)
