/* SPDX-License-Identifier: MIT */
/*
 * FSQRT and FRNDINT of normal numbers and zeros, in integers.
 *
 * References: [Zimmermann]; [SDM 1 §8.3]; [ARM C6.2].
 */
#include "jit/a64/a64_x87_round.h"

/* --- FSQRT: the root of the upper half by Newton's method, the other half of its bits by one
 * division of what is left by twice that root --- */

/* X11 = 2^62 to 2^64 - 1, X10 a bit: together 128 bits, of which X10 is bit 63. W16: the exponent
 * of the root. Out unless a is a positive normal number. W9, W17. */
static void radicand(struct codebuf *c, struct ways_out *unusual)
{
    a64_uxt(c, W16, EXP, A_SIGN_EXP);
    a64_arith_ri(c, A64_SUB, W32, X9, EXP, 1);
    a64_movz(c, W32, X17, 0x7fff - 1, 0);
    a64_cmp_rr(c, W32, X9, X17);
    out_if(unusual, a64_bcond(c, A64_HS, NULL));
    out_if(unusual, a64_tbz(c, A_MANT, MSB, NULL));
    a64_logic_ri(c, A64_AND, W32, X9, EXP, 1); /* as the bias is odd, the power of 2 is even */
    a64_shift_rr(c, A64_LSR, W64, X11, A_MANT, X9);
    a64_logic_rr(c, A64_AND, W64, X10, A_MANT, X9);
    a64_movz(c, W32, X17, BIAS, 0);
    a64_arith_rr(c, A64_ADD, W32, EXP, EXP, X17);
    a64_shift_ri(c, A64_LSR, W32, EXP, EXP, 1);
}

/* X12: the root of X11, of 32 bits; X13: what is left, at most twice that. X17. */
static void upper_half(struct codebuf *c)
{
    enum { STEPS = 3 }; /* 2^-9, 2^-20, 2^-41 off, and never too small: at most 1 too much */

    a64_shift_ri(c, A64_LSR, W64, X12, X11, 32);
    a64_arith_rs(c, A64_SUB, W64, X12, X12, X12, A64_LSR, 2);
    a64_movz(c, W32, X17, 0x4ccd, 16); /* 0.3 and 3/4 of it: 5 % off */
    a64_arith_rr(c, A64_ADD, W64, X12, X12, X17);
    for (unsigned i = 0; i < STEPS; i++) {
        a64_udiv(c, W64, X17, X11, X12);
        a64_arith_rr(c, A64_ADD, W64, X12, X12, X17);
        a64_shift_ri(c, A64_LSR, W64, X12, X12, 1);
    }
    a64_msub(c, W64, X13, X12, X12, X11);
    u8 *right = a64_tbz(c, X13, MSB, NULL);
    a64_arith_rs(c, A64_ADD, W64, X13, X13, X12, A64_LSL, 1);
    a64_arith_ri(c, A64_SUB, W64, X13, X13, 1);
    a64_arith_ri(c, A64_SUB, W64, X12, X12, 1);
    a64_here(c, right);
}

/* X0: the root of X11 with X10, of 64 bits; X13:X11: what is left, at most twice that. X9, X17. */
static void lower_half(struct codebuf *c)
{
    a64_shift_ri(c, A64_LSL, W64, X13, X13, 31);
    a64_arith_rs(c, A64_ADD, W64, X13, X13, X10, A64_LSL, 30);
    a64_udiv(c, W64, X17, X13, X12);
    a64_msub(c, W64, X13, X17, X12, X13);
    a64_arith_rs(c, A64_ADD, W64, X0, X17, X12, A64_LSL, 32);
    a64_umulh(c, X9, X17, X17);
    a64_mul(c, W64, X17, X17, X17);
    a64_shift_ri(c, A64_LSL, W64, X11, X13, 33);
    a64_shift_ri(c, A64_LSR, W64, X13, X13, 31);
    a64_arith_rr(c, A64_SUBS, W64, X11, X11, X17);
    a64_carry_rr(c, A64_SBC, W64, X13, X13, X9);
    u8 *right = a64_tbz(c, X13, MSB, NULL); /* else it is 1 too much */
    a64_arith_ri(c, A64_SUB, W64, X0, X0, 1);
    a64_arith_rs(c, A64_ADDS, W64, X11, X11, X0, A64_LSL, 1);
    a64_shift_ri(c, A64_LSR, W64, X9, X0, MSB);
    a64_carry_rr(c, A64_ADC, W64, X13, X13, X9);
    a64_arith_ri(c, A64_ADDS, W64, X11, X11, 1);
    a64_carry_rr(c, A64_ADC, W64, X13, X13, XZR);
    a64_here(c, right);
}

/* X10: what is behind the root's last bit: more than half of that if more is left than the root,
 * and some if any is; half it never is. */
static void rest(struct codebuf *c)
{
    a64_arith_rr(c, A64_SUBS, W64, XZR, X0, X11);
    a64_carry_rr(c, A64_SBCS, W64, XZR, XZR, X13);
    a64_cset(c, W32, X17, A64_LO);
    a64_logic_rr(c, A64_ORR, W64, X9, X11, X13);
    a64_cmp_ri(c, W64, X9, 0);
    a64_cset(c, W32, X10, A64_NE);
    a64_logic_rs(c, A64_ORR, W64, X10, X10, X17, A64_LSL, MSB);
}

void a64_x87_square_root(struct codebuf *c, unsigned drop)
{
    struct ways_out unusual = {0}, w = {0};

    radicand(c, &unusual);
    upper_half(c);
    lower_half(c);
    rest(c);
    a64_mov_rr(c, W32, A_SIGN_EXP, XZR);
    a64_x87_round(c, &w, X10, drop);
    w.count = 0;
    come_together(c, &unusual);
    a64_x87_check_zero(c, &w, A_MANT, A_SIGN_EXP);
    out_if(&w, a64_cbnz(c, W64, A_MANT, NULL));
    a64_uxt(c, W16, A_SIGN_EXP, A_SIGN_EXP);
    a64_mov_rr(c, W64, X14, XZR);
    succeed(c);
    fail(c, &w);
}

/* --- FRNDINT --- */

/* X0:X12 = a's significand, W10 bits of which, at least one, are behind the point. X11, X17. */
static void put_point(struct codebuf *c)
{
    a64_cmp_ri(c, W32, X10, 64);
    u8 *all = a64_bcond(c, A64_HS, NULL);
    a64_neg_rr(c, W32, X11, X10);
    a64_shift_rr(c, A64_LSL, W64, X12, A_MANT, X11);
    a64_shift_rr(c, A64_LSR, W64, X0, A_MANT, X10);
    u8 *some = a64_b(c, NULL);
    a64_here(c, all); /* of less than a half it does not matter how much that is */
    a64_movz(c, W64, X17, 1, 0);
    a64_csel(c, W64, X12, A_MANT, X17, A64_EQ);
    a64_mov_rr(c, W64, X0, XZR);
    a64_here(c, some);
}

void a64_x87_rint(struct codebuf *c)
{
    struct ways_out w = {0};

    a64_ubfx(c, W32, X9, A_SIGN_EXP, 0, EXP_BITS);
    u8 *small = a64_tbz(c, A_MANT, MSB, NULL);
    out_if(&w, a64_cbz(c, W32, X9, NULL));
    a64_movz(c, W32, X10, BIAS + MSB, 0);
    a64_arith_rr(c, A64_SUBS, W32, X10, X10, X9);
    u8 *large = a64_bcond(c, A64_LS, NULL);
    put_point(c);
    a64_x87_round_as_control(c);
    a64_arith_rr(c, A64_ADD, W64, X0, X0, X13);
    a64_mov_rr(c, W64, X14, X13);
    a64_logic_rr(c, A64_ORR, W64, X15, X15, X12);
    a64_logic_ri(c, A64_AND, W32, A_SIGN_EXP, A_SIGN_EXP, BIT(SIGN_BIT));
    u8 *zero = a64_cbz(c, W64, X0, NULL);
    a64_x87_normalize(c, X0, A_SIGN_EXP, X17);
    a64_here(c, zero);
    succeed(c);
    a64_here(c, large);
    a64_movz(c, W32, X17, 0x7fff, 0);
    a64_cmp_rr(c, W32, X9, X17);
    out_if(&w, a64_bcond(c, A64_EQ, NULL));
    u8 *whole = a64_b(c, NULL);
    a64_here(c, small);
    a64_logic_rr(c, A64_ORR, W64, X9, X9, A_MANT);
    out_if(&w, a64_cbnz(c, W64, X9, NULL));
    a64_here(c, whole);
    a64_uxt(c, W16, A_SIGN_EXP, A_SIGN_EXP);
    a64_mov_rr(c, W64, X14, XZR);
    succeed(c);
    fail(c, &w);
}
