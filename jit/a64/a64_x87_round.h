/* SPDX-License-Identifier: MIT */
/*
 * What the subroutines of a64_x87_round.c, a64_x87_memory.c and a64_x87_unary.c are made of,
 * private to them.
 */
#pragma once

#include "jit/a64/a64_emit.h"
#include "jit/a64/a64_x87.h"

/* a is X0 with W1, b is X2 with W12; while they are added or multiplied, the result is X0:X12, or
 * X0:X10, times a power of 2, which is W16. */
enum { A_MANT = X0, A_SIGN_EXP = X1, B_MANT = X2, B_SIGN_EXP = X12, EXP = X16 };
enum { BIAS = 0x3fff, EXP_BITS = 15, EXP_UPPER = 17, SIGN_BIT = 15, MSB = 63 };
/* What has to be added to exponents of doubles and singles. */
enum { MORE64 = BIAS - 0x3ff, MORE32 = BIAS - 0x7f };

#define SIGN_OF_64 BIT64(63)

/** The branches to where a subroutine gives up. */
struct ways_out {
    u8 *at[8];
    unsigned count;
};

static inline void out_if(struct ways_out *w, u8 *branch)
{
    w->at[w->count++] = branch;
}

static inline void come_together(struct codebuf *c, const struct ways_out *w)
{
    for (unsigned i = 0; i < w->count; i++)
        a64_here(c, w->at[i]);
}

/** Return with C clear. */
static inline void succeed(struct codebuf *c)
{
    a64_cmn_rr(c, W64, XZR, XZR);
    a64_ret(c);
}

/** From where it gave up: return with C set. */
static inline void fail(struct codebuf *c, const struct ways_out *w)
{
    come_together(c, w);
    a64_cmp_rr(c, W64, XZR, XZR);
    a64_ret(c);
}

/** @mant with @sign_exp is a normal number or zero, or out. X9, X10. */
void a64_x87_check_zero(struct codebuf *c, struct ways_out *w, u8 mant, u8 sign_exp);

/** @mant, an integer other than 0, becomes a significand, whose exponent comes beside the sign in
 * @sign_exp. X9 and @s. */
void a64_x87_normalize(struct codebuf *c, u8 mant, u8 sign_exp, u8 s);

/** For what is not rounded to nearest: PC and RC in memory say how. */
enum { AS_CONTROL = 64 };

/** The end of a subroutine: a = X0:@low, rounded to nearest, to a multiple of BIT(@drop), or
 * AS_CONTROL; W16 its exponent, bit 15 of W1 its sign; W1's other bits are 0. X10, X12 and X13 are
 * lost, too. */
void a64_x87_round(struct codebuf *c, struct ways_out *w, u8 low, unsigned drop);

/** W9: RC. */
void a64_x87_load_rc(struct codebuf *c);

/** @grows: X12 is behind the last place of what has the sign of W1; does that grow when it is
 * rounded as W9 says, which is RC, and not to nearest? X17. */
void a64_x87_find_directed(struct codebuf *c, u8 grows);

/** W13: X0:X12, which has the sign of W1, grows when it is rounded to 64 bits as RC in memory says.
 * X9, X17. */
void a64_x87_round_as_control(struct codebuf *c);

/** The subroutines for FSQRT and FRNDINT. */
void a64_x87_square_root(struct codebuf *c, unsigned drop);
void a64_x87_rint(struct codebuf *c);

/** The subroutines for floats of @mant bits, but for the hidden one, and an exponent of @exp bits,
 * whose bias is @less or @more below that of a; and for integers. */
void a64_x87_load_float(struct codebuf *c, unsigned mant, unsigned exp, u16 more);
void a64_x87_store_float(struct codebuf *c, unsigned mant, unsigned exp, u16 less, bool nearest);
void a64_x87_load_int(struct codebuf *c);
void a64_x87_store_int(struct codebuf *c, unsigned bits);
