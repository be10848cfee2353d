/* SPDX-License-Identifier: MIT */
/*
 * The host's arithmetic as a short cut for SSE. Rounded to nearest, IEEE 754 leaves no choice, so
 * every host gives the bits of cpu/softfloat_arith.c as long as operands and result are normal
 * numbers or harmless zeros. Then only the precision exception is possible; with it masked and its
 * flag set already (it is sticky, and after a few instructions it always is) nothing is lost.
 */
#include <math.h>
#include <string.h>

#include "cpu/softfloat.h"

/* The exponent field @exp of a result that no rounding can have lifted out of the tiny range. */
static bool is_safe(u32 exp, u32 max)
{
    return exp - 2 < max - 2;
}

static bool is_normal(u32 exp, u32 max)
{
    return exp - 1 < max - 1;
}

bool f64_arith_host(enum fp_op op, u64 a, u64 b, u64 *r)
{
    u32 ea = a >> 52 & 0x7FF, eb = b >> 52 & 0x7FF;
    double x, y;
    u64 bits;

    memcpy(&x, &a, 8);
    memcpy(&y, &b, 8);
    switch (op) {
    case FP_ADD:
        x += y;
        break;
    case FP_SUB:
        x -= y;
        break;
    case FP_MUL:
        x *= y;
        break;
    case FP_DIV:
        x /= y;
        break;
    case FP_SQRT:
        if (b >> 63 || !is_normal(eb, 0x7FF))
            return false;
        x = sqrt(y);
        ea = eb;
        break;
    default:
        return false;
    }
    memcpy(&bits, &x, 8);
    *r = bits;
    if (LIKELY(is_normal(ea, 0x7FF) && is_normal(eb, 0x7FF)))
        return is_safe(bits >> 52 & 0x7FF, 0x7FF) || (op <= FP_SUB && !(bits << 1));
    /* a zero with a normal number */
    return op <= FP_MUL && (!(a << 1) || is_normal(ea, 0x7FF)) &&
           (!(b << 1) || is_normal(eb, 0x7FF));
}

bool f32_arith_host(enum fp_op op, u32 a, u32 b, u32 *r)
{
    u32 ea = a >> 23 & 0xFF, eb = b >> 23 & 0xFF;
    float x, y;
    u32 bits;

    memcpy(&x, &a, 4);
    memcpy(&y, &b, 4);
    switch (op) {
    case FP_ADD:
        x += y;
        break;
    case FP_SUB:
        x -= y;
        break;
    case FP_MUL:
        x *= y;
        break;
    case FP_DIV:
        x /= y;
        break;
    case FP_SQRT:
        if (b >> 31 || !is_normal(eb, 0xFF))
            return false;
        x = sqrtf(y);
        ea = eb;
        break;
    default:
        return false;
    }
    memcpy(&bits, &x, 4);
    *r = bits;
    if (LIKELY(is_normal(ea, 0xFF) && is_normal(eb, 0xFF)))
        return is_safe(bits >> 23 & 0xFF, 0xFF) || (op <= FP_SUB && !(bits << 1));
    return op <= FP_MUL && (!(a << 1) || is_normal(ea, 0xFF)) && (!(b << 1) || is_normal(eb, 0xFF));
}
