/* SPDX-License-Identifier: MIT */
/*
 * Subroutines for normal numbers of x87 registers: what cpu/x87_normal.h does, instruction by
 * instruction. Each says if it is not that simple.
 *
 * References: [SDM 1 §4.2, §8.3]; [ARM C6.2].
 */
#include <assert.h>

#include "jit/a64/a64_x87_round.h"

/* Exponents neither 0 nor the greatest, upper bits of significands 1. W9, W10, W11, W17. */
static void check_both(struct codebuf *c, struct ways_out *w)
{
    a64_movz(c, W32, X17, BIT(EXP_UPPER - 16), 16);
    a64_arith_rs(c, A64_ADD, W32, X9, X17, A_SIGN_EXP, A64_LSL, EXP_UPPER);
    a64_arith_rs(c, A64_ADD, W32, X10, X17, B_SIGN_EXP, A64_LSL, EXP_UPPER);
    a64_cmp_rr(c, W32, X9, X17);
    a64_ccompare_rr(c, A64_CCMP, W32, X10, X17, 0, A64_HI);
    a64_logic_rr(c, A64_AND, W64, X11, A_MANT, B_MANT);
    out_if(w, a64_bcond(c, A64_LS, NULL));
    out_if(w, a64_tbz(c, X11, MSB, NULL));
}

/* W14: does X0:@low round up to a multiple of BIT(@drop)? X0 without what is below; X15. */
static void find_nearest(struct codebuf *c, u8 low, unsigned drop)
{
    if (drop) {
        a64_cmp_ri(c, W64, low, 0);
        a64_cset(c, W32, X17, A64_NE);
        a64_ubfiz(c, W64, X10, X0, 1, (u8)drop);
        a64_logic_rr(c, A64_ORR, W64, X10, X10, X17);
        a64_mov_ri64(c, X17, BIT64(drop));
        low = X10;
    } else {
        a64_mov_ri64(c, X17, SIGN_OF_64);
    }
    a64_ubfx(c, W64, X11, X0, (u8)drop, 1); /* half of the last place, and less if that is odd */
    a64_arith_rr(c, A64_SUB, W64, X17, X17, X11);
    a64_cmp_rr(c, W64, low, X17);
    a64_cset(c, W32, X14, A64_HI);
    a64_logic_rr(c, A64_ORR, W64, X15, X15, low);
    if (drop)
        a64_logic_ri(c, A64_AND, W64, X0, X0, ~(BIT64(drop) - 1));
}

void a64_x87_find_directed(struct codebuf *c, u8 grows)
{
    static_assert(FP_DOWN >> 1 == 0 && FP_UP >> 1 == 1 && FP_CHOP == 3, "which sign grows");
    enum { Z = 4 };

    a64_ubfx(c, W32, grows, A_SIGN_EXP, SIGN_BIT, 1);
    a64_logic_rs(c, A64_EOR, W32, grows, grows, X9, A64_LSR, 1);
    a64_movz(c, W32, X17, FP_CHOP, 0);
    a64_cmp_ri(c, W64, X12, 0);
    a64_ccompare_rr(c, A64_CCMP, W32, X9, X17, Z, A64_NE);
    a64_csel(c, W32, grows, XZR, grows, A64_EQ);
}

void a64_x87_load_rc(struct codebuf *c)
{
    a64_ldr(c, W16, X9, REG_CPU, CPU_OFF(x87.control));
    a64_ubfx(c, W32, X9, X9, X87_CW_RC_SHIFT, 2);
}

/* X0:@low without what PC drops, W14: does it grow? X11: that at the last place. X15. */
static void round_directed(struct codebuf *c, u8 low)
{
    const u32 drops = (64 - 24) | (64 - 53) << 16; /* a byte for each PC */

    if (low != X12)
        a64_mov_rr(c, W64, X12, low);
    a64_ldr(c, W16, X9, REG_CPU, CPU_OFF(x87.control));
    a64_ubfx(c, W32, X17, X9, X87_CW_PC_SHIFT, 2);
    a64_shift_ri(c, A64_LSL, W32, X17, X17, 3);
    a64_mov_ri64(c, X13, drops);
    a64_shift_rr(c, A64_LSR, W32, X13, X13, X17);
    a64_movz(c, W64, X11, 1, 0);
    a64_shift_rr(c, A64_LSL, W64, X11, X11, X13); /* modulo 64, and bytes above do not matter */
    a64_arith_ri(c, A64_SUB, W64, X11, X11, 1);
    a64_logic_rr(c, A64_AND, W64, X17, X0, X11);
    a64_logic_rr(c, A64_ORR, W64, X12, X12, X17);
    a64_logic_rr(c, A64_BIC, W64, X0, X0, X11);
    a64_logic_rr(c, A64_ORR, W64, X15, X15, X12);
    a64_ubfx(c, W32, X9, X9, X87_CW_RC_SHIFT, 2);
    a64_x87_find_directed(c, X14);
    a64_shift_rr(c, A64_LSL, W64, X11, X14, X13);
}

void a64_x87_round(struct codebuf *c, struct ways_out *w, u8 low, unsigned drop)
{
    a64_arith_ri(c, A64_SUB, W32, X17, EXP, 2);
    a64_movz(c, W32, X11, 0x7fff - 5, 0);
    a64_cmp_rr(c, W32, X17, X11);
    out_if(w, a64_bcond(c, A64_HI, NULL));
    if (drop == AS_CONTROL) {
        round_directed(c, low);
        a64_arith_rr(c, A64_ADDS, W64, X0, X0, X11);
    } else {
        find_nearest(c, low, drop);
        a64_arith_rs(c, A64_ADDS, W64, X0, X0, X14, A64_LSL, (u8)drop);
    }
    u8 *over = a64_bcond(c, A64_HS, NULL);
    a64_logic_rr(c, A64_ORR, W32, A_SIGN_EXP, A_SIGN_EXP, EXP);
    a64_ret(c); /* C is clear */
    a64_here(c, over);
    a64_mov_ri64(c, X0, SIGN_OF_64);
    a64_arith_ri(c, A64_ADD, W32, EXP, EXP, 1);
    a64_logic_rr(c, A64_ORR, W32, A_SIGN_EXP, A_SIGN_EXP, EXP);
    succeed(c);
    fail(c, w);
}

/* Casts change RC to chop for one instruction. */
void a64_x87_round_as_control(struct codebuf *c)
{
    a64_x87_load_rc(c);
    a64_mov_rr(c, W32, X13, XZR);
    a64_cmp_ri(c, W32, X9, FP_CHOP);
    u8 *chop = a64_bcond(c, A64_EQ, NULL);
    u8 *directed = a64_cbnz(c, W32, X9, NULL);
    a64_mov_ri64(c, X17, SIGN_OF_64); /* as in find_nearest() */
    a64_logic_ri(c, A64_AND, W64, X9, X0, 1);
    a64_arith_rr(c, A64_SUB, W64, X17, X17, X9);
    a64_cmp_rr(c, W64, X12, X17);
    a64_cset(c, W32, X13, A64_HI);
    u8 *done = a64_b(c, NULL);
    a64_here(c, directed);
    a64_x87_find_directed(c, X13);
    a64_here(c, done);
    a64_here(c, chop);
}

void a64_x87_check_zero(struct codebuf *c, struct ways_out *w, u8 mant, u8 sign_exp)
{
    a64_ubfx(c, W32, X9, sign_exp, 0, EXP_BITS);
    u8 *small = a64_tbz(c, mant, MSB, NULL);
    a64_arith_ri(c, A64_ADD, W32, X10, X9, 1);
    a64_logic_ri(c, A64_AND, W32, X10, X10, 0x7ffe);
    out_if(w, a64_cbz(c, W32, X10, NULL));
    u8 *fine = a64_b(c, NULL);
    a64_here(c, small);
    a64_logic_rr(c, A64_ORR, W64, X9, X9, mant);
    out_if(w, a64_cbnz(c, W64, X9, NULL));
    a64_here(c, fine);
}

/* They come here who are not both normal: go on if the others are zeros. */
static void check_zeros(struct codebuf *c, const struct ways_out *unusual, struct ways_out *w)
{
    come_together(c, unusual);
    a64_x87_check_zero(c, w, A_MANT, A_SIGN_EXP);
    a64_x87_check_zero(c, w, B_MANT, B_SIGN_EXP);
}

static void product_sign(struct codebuf *c)
{
    a64_logic_rr(c, A64_EOR, W32, A_SIGN_EXP, A_SIGN_EXP, B_SIGN_EXP);
    a64_logic_ri(c, A64_AND, W32, A_SIGN_EXP, A_SIGN_EXP, BIT(SIGN_BIT));
}

static void zero_product(struct codebuf *c)
{
    a64_mov_rr(c, W64, X0, XZR);
    a64_mov_rr(c, W64, X14, XZR);
    product_sign(c);
    succeed(c);
}

static void multiply(struct codebuf *c, unsigned drop)
{
    struct ways_out unusual = {0}, w = {0};

    check_both(c, &unusual);
    a64_umulh(c, X9, A_MANT, B_MANT);
    a64_mul(c, W64, X10, A_MANT, B_MANT);
    a64_ubfx(c, W32, EXP, A_SIGN_EXP, 0, EXP_BITS);
    a64_ubfx(c, W32, X17, B_SIGN_EXP, 0, EXP_BITS);
    a64_arith_rr(c, A64_ADD, W32, EXP, EXP, X17);
    a64_movz(c, W32, X17, BIAS - 1, 0);
    a64_arith_rr(c, A64_SUB, W32, EXP, EXP, X17);
    u8 *upper = a64_tbnz(c, X9, MSB, NULL);
    a64_extr(c, W64, X9, X9, X10, MSB);
    a64_shift_ri(c, A64_LSL, W64, X10, X10, 1);
    a64_arith_ri(c, A64_SUB, W32, EXP, EXP, 1);
    a64_here(c, upper);
    product_sign(c);
    a64_mov_rr(c, W64, X0, X9);
    a64_x87_round(c, &w, X10, drop);
    w.count = 0;
    check_zeros(c, &unusual, &w);
    zero_product(c);
    fail(c, &w);
}

/* @q: a digit of 32 bits of X0:@next divided by X2; the rest is in X13. X11 and X12 are the halves
 * of X2. By the upper one alone the digit is right, or up to two more. */
static void digit(struct codebuf *c, u8 q, u8 next)
{
    a64_udiv(c, W64, q, X0, X11);
    a64_msub(c, W64, X13, q, X11, X0);
    a64_logic_rs(c, A64_ORR, W64, X13, next, X13, A64_LSL, 32);
    a64_mul(c, W64, X17, q, X12);
    a64_arith_rr(c, A64_SUBS, W64, X13, X13, X17);
    u8 *right = a64_bcond(c, A64_HS, NULL);
    const u8 *again = c->at;
    a64_arith_ri(c, A64_SUB, W64, q, q, 1);
    a64_arith_rr(c, A64_ADDS, W64, X13, X13, B_MANT);
    a64_bcond(c, A64_LO, again);
    a64_here(c, right);
}

/* X0:X10 = significand a divided by b, the upper bit 1. If a is not less, half of it is taken. */
static void quotient(struct codebuf *c)
{
    a64_shift_ri(c, A64_LSR, W64, X11, B_MANT, 32);
    a64_mov_rr(c, W32, X12, B_MANT);
    a64_mov_rr(c, W64, X10, XZR);
    a64_cmp_rr(c, W64, A_MANT, B_MANT);
    u8 *less = a64_bcond(c, A64_LO, NULL);
    a64_ubfiz(c, W64, X10, A_MANT, 31, 1);
    a64_shift_ri(c, A64_LSR, W64, A_MANT, A_MANT, 1);
    a64_arith_ri(c, A64_ADD, W32, EXP, EXP, 1);
    a64_here(c, less);
    digit(c, X9, X10);
    a64_mov_rr(c, W64, X0, X13);
    digit(c, X10, XZR);
    a64_arith_rs(c, A64_ADD, W64, X0, X10, X9, A64_LSL, 32);
    a64_arith_rr(c, A64_SUB, W64, X17, B_MANT, X13); /* more than half of b, and any */
    a64_cmp_rr(c, W64, X13, X17);
    a64_cset(c, W32, X10, A64_HI);
    a64_cmp_ri(c, W64, X13, 0);
    a64_cset(c, W32, X17, A64_NE);
    a64_logic_rs(c, A64_ORR, W64, X10, X17, X10, A64_LSL, MSB);
}

static void divide(struct codebuf *c, unsigned drop)
{
    struct ways_out unusual = {0}, w = {0};

    check_both(c, &unusual);
    a64_ubfx(c, W32, EXP, A_SIGN_EXP, 0, EXP_BITS);
    a64_ubfx(c, W32, X17, B_SIGN_EXP, 0, EXP_BITS);
    a64_arith_rr(c, A64_SUB, W32, EXP, EXP, X17);
    a64_movz(c, W32, X17, BIAS - 1, 0);
    a64_arith_rr(c, A64_ADD, W32, EXP, EXP, X17);
    product_sign(c);
    quotient(c);
    a64_x87_round(c, &w, X10, drop);
    w.count = 0;
    check_zeros(c, &unusual, &w);
    out_if(&w, a64_cbz(c, W64, B_MANT, NULL));
    zero_product(c);
    fail(c, &w);
}

static void swap(struct codebuf *c)
{
    a64_mov_rr(c, W64, X9, A_MANT);
    a64_mov_rr(c, W64, A_MANT, B_MANT);
    a64_mov_rr(c, W64, B_MANT, X9);
    a64_mov_rr(c, W64, X9, A_SIGN_EXP);
    a64_mov_rr(c, W64, A_SIGN_EXP, B_SIGN_EXP);
    a64_mov_rr(c, W64, B_SIGN_EXP, X9);
}

/* X11: the significand of the greater; X0:X12: that of the less, shifted to its place; W16, W1: the
 * exponent and the sign of the greater; bit 15 of W13: they have different signs. */
static void align(struct codebuf *c, struct ways_out *w)
{
    a64_logic_rr(c, A64_EOR, W32, X13, A_SIGN_EXP, B_SIGN_EXP);
    a64_ubfx(c, W32, X9, A_SIGN_EXP, 0, EXP_BITS);
    a64_ubfx(c, W32, X10, B_SIGN_EXP, 0, EXP_BITS);
    a64_cmp_rr(c, W64, A_MANT, B_MANT);
    a64_carry_rr(c, A64_SBCS, W64, XZR, X9, X10);
    a64_csel(c, W64, X11, A_MANT, B_MANT, A64_HS);
    a64_csel(c, W64, X0, B_MANT, A_MANT, A64_HS);
    a64_csel(c, W32, A_SIGN_EXP, A_SIGN_EXP, B_SIGN_EXP, A64_HS);
    a64_csel(c, W32, EXP, X9, X10, A64_HS);
    a64_csel(c, W32, X9, X10, X9, A64_HS);
    a64_arith_rr(c, A64_SUB, W32, X9, EXP, X9);
    a64_logic_ri(c, A64_AND, W32, A_SIGN_EXP, A_SIGN_EXP, BIT(SIGN_BIT));
    a64_cmp_ri(c, W32, X9, 64);
    u8 *far = a64_bcond(c, A64_HS, NULL);
    a64_shift_ri(c, A64_LSL, W64, X12, X0, 1);
    a64_mvn_rr(c, W32, X10, X9); /* 63 minus it, modulo 64 */
    a64_shift_rr(c, A64_LSL, W64, X12, X12, X10);
    a64_shift_rr(c, A64_LSR, W64, X0, X0, X9);
    u8 *near = a64_b(c, NULL);
    a64_here(c, far); /* less than a quarter of the last place: how much does not matter */
    a64_cmp_ri(c, W32, X9, 66);
    out_if(w, a64_bcond(c, A64_LO, NULL));
    a64_movz(c, W64, X12, 1, 0);
    a64_mov_rr(c, W64, X0, XZR);
    a64_here(c, near);
}

void a64_x87_normalize(struct codebuf *c, u8 mant, u8 sign_exp, u8 s)
{
    a64_clz(c, W64, X9, mant);
    a64_shift_rr(c, A64_LSL, W64, mant, mant, X9);
    a64_movz(c, W32, s, BIAS + MSB, 0);
    a64_arith_rr(c, A64_SUB, W32, s, s, X9);
    a64_logic_rr(c, A64_ORR, W32, sign_exp, sign_exp, s);
}

/* X0:X12 = X11:0 - X0:X12, its upper bit 1. The branch that is returned goes to where X0 is 0. */
static u8 *subtract(struct codebuf *c)
{
    a64_arith_rr(c, A64_SUBS, W64, X12, XZR, X12);
    a64_carry_rr(c, A64_SBC, W64, X0, X11, X0);
    u8 *upper = a64_tbnz(c, X0, MSB, NULL);
    u8 *vanished = a64_cbz(c, W64, X0, NULL);
    a64_clz(c, W64, X9, X0);
    a64_arith_rr(c, A64_SUB, W32, EXP, EXP, X9);
    a64_shift_rr(c, A64_LSL, W64, X0, X0, X9);
    a64_shift_ri(c, A64_LSR, W64, X10, X12, 1);
    a64_mvn_rr(c, W32, X11, X9);
    a64_shift_rr(c, A64_LSR, W64, X10, X10, X11);
    a64_logic_rr(c, A64_ORR, W64, X0, X0, X10);
    a64_shift_rr(c, A64_LSL, W64, X12, X12, X9);
    a64_here(c, upper);
    return vanished;
}

/* One of them is zero: the sum is the other, or zero, negative if both are, and out if it depends
 * on RC. The other has to be rounded, at @round, unless @drop is 0. */
static void add_zero(struct codebuf *c, struct ways_out *w, unsigned drop, const u8 *round)
{
    u8 *first = a64_cbnz(c, W64, A_MANT, NULL);
    u8 *second = a64_cbnz(c, W64, B_MANT, NULL);
    if (drop == AS_CONTROL) {
        a64_logic_rr(c, A64_EOR, W32, X9, A_SIGN_EXP, B_SIGN_EXP);
        out_if(w, a64_tbnz(c, X9, SIGN_BIT, NULL));
    }
    a64_logic_rr(c, A64_AND, W32, A_SIGN_EXP, A_SIGN_EXP, B_SIGN_EXP);
    u8 *none = a64_b(c, NULL);
    a64_here(c, second);
    a64_mov_rr(c, W64, A_MANT, B_MANT);
    a64_mov_rr(c, W32, A_SIGN_EXP, B_SIGN_EXP);
    a64_here(c, first);
    if (drop) {
        a64_ubfx(c, W32, EXP, A_SIGN_EXP, 0, EXP_BITS);
        a64_logic_ri(c, A64_AND, W32, A_SIGN_EXP, A_SIGN_EXP, BIT(SIGN_BIT));
        a64_mov_rr(c, W64, X12, XZR);
        a64_b(c, round);
    }
    a64_here(c, none);
    a64_uxt(c, W16, A_SIGN_EXP, A_SIGN_EXP);
    a64_mov_rr(c, W64, X14, XZR);
    succeed(c);
}

static void add(struct codebuf *c, unsigned drop)
{
    struct ways_out unusual = {0}, w = {0};

    check_both(c, &unusual);
    align(c, &w);
    u8 *differ = a64_tbnz(c, X13, SIGN_BIT, NULL);
    a64_arith_rr(c, A64_ADDS, W64, X0, X11, X0);
    u8 *done = a64_bcond(c, A64_LO, NULL);
    a64_logic_ri(c, A64_AND, W64, X10, X12, 1);
    a64_extr(c, W64, X12, X0, X12, 1);
    a64_logic_rr(c, A64_ORR, W64, X12, X12, X10);
    a64_mov_ri64(c, X10, SIGN_OF_64);
    a64_logic_rs(c, A64_ORR, W64, X0, X10, X0, A64_LSR, 1);
    a64_arith_ri(c, A64_ADD, W32, EXP, EXP, 1);
    u8 *also_done = a64_b(c, NULL);
    a64_here(c, differ);
    u8 *vanished = subtract(c);
    a64_here(c, done);
    a64_here(c, also_done);
    const u8 *round = c->at;
    a64_x87_round(c, &w, X12, drop);
    w.count = 0;
    check_zeros(c, &unusual, &w);
    add_zero(c, &w, drop, round);
    if (drop == AS_CONTROL) {
        out_if(&w, vanished);
        fail(c, &w);
        return;
    }
    a64_here(c, vanished);
    out_if(&w, a64_cbnz(c, W64, X12, NULL));
    a64_mov_rr(c, W64, A_SIGN_EXP, XZR);
    a64_mov_rr(c, W64, X14, XZR);
    succeed(c);
    fail(c, &w);
}

/* --- comparison --- */

/* In the order of sign, exponent and significand; zeros are equal whatever their sign. */
static void compare(struct codebuf *c)
{
    struct ways_out unusual = {0}, w = {0};

    check_both(c, &unusual);
    const u8 *start = c->at;
    a64_ubfx(c, W32, X9, A_SIGN_EXP, 0, EXP_BITS);
    a64_ubfx(c, W32, X10, B_SIGN_EXP, 0, EXP_BITS);
    a64_logic_rr(c, A64_EOR, W32, X11, A_SIGN_EXP, B_SIGN_EXP);
    u8 *signs = a64_tbnz(c, X11, SIGN_BIT, NULL);
    a64_cmp_rr(c, W32, X9, X10);
    u8 *exps = a64_bcond(c, A64_NE, NULL);
    a64_cmp_rr(c, W64, A_MANT, B_MANT);
    a64_here(c, exps);
    a64_cset(c, W32, X0, A64_LO);
    a64_cset(c, W32, X9, A64_HI);
    u8 *equal = a64_bcond(c, A64_EQ, NULL);
    a64_ubfx(c, W32, X10, A_SIGN_EXP, SIGN_BIT, 1);
    a64_cmp_ri(c, W32, X10, 0);
    a64_csel(c, W32, X0, X0, X9, A64_EQ);
    a64_logic_ri(c, A64_ORR, W32, X0, X0, X87_DONE);
    a64_ret(c);
    a64_here(c, signs);
    a64_ubfx(c, W32, X0, A_SIGN_EXP, SIGN_BIT, 1);
    a64_logic_ri(c, A64_ORR, W32, X0, X0, X87_DONE);
    a64_ret(c);
    check_zeros(c, &unusual, &w);
    a64_logic_rr(c, A64_ORR, W64, X9, A_MANT, B_MANT);
    a64_cbnz(c, W64, X9, start);
    a64_here(c, equal);
    a64_movz(c, W32, X0, FL_Z, 0);
    a64_logic_ri(c, A64_ORR, W32, X0, X0, X87_DONE);
    a64_ret(c);
    come_together(c, &w);
    a64_mov_rr(c, W64, X0, XZR);
    a64_ret(c);
}

/* Rounded as a64_x87_round() says. */
static void sum(struct codebuf *c, enum x87_op op, unsigned drop)
{
    switch (op) {
    case X87_SUB:
        a64_logic_ri(c, A64_EOR, W32, B_SIGN_EXP, B_SIGN_EXP, BIT(SIGN_BIT));
        add(c, drop);
        break;
    case X87_SUBR:
        a64_logic_ri(c, A64_EOR, W32, A_SIGN_EXP, A_SIGN_EXP, BIT(SIGN_BIT));
        add(c, drop);
        break;
    case X87_ADD:
        add(c, drop);
        break;
    case X87_DIVR:
        swap(c);
        divide(c, drop);
        break;
    case X87_DIV:
        divide(c, drop);
        break;
    case X87_SQRT:
        a64_x87_square_root(c, drop);
        break;
    default:
        multiply(c, drop);
        break;
    }
}

void a64_x87_subroutine(struct codebuf *c, enum x87_op op)
{
    static const u8 drop[] = {0, 64 - 53, 64 - 24, AS_CONTROL};

    if (op < X87__OTHERS) {
        sum(c, op % X87__SUMS, drop[op / X87__SUMS]);
        return;
    }
    switch (op) {
    case X87_LOAD32:
        a64_x87_load_float(c, 23, 8, MORE32);
        break;
    case X87_LOAD64:
        a64_x87_load_float(c, 52, 11, MORE64);
        break;
    case X87_LOAD_INT:
        a64_x87_load_int(c);
        break;
    case X87_STORE32:
        a64_x87_store_float(c, 23, 8, MORE32, true);
        break;
    case X87_STORE64:
        a64_x87_store_float(c, 52, 11, MORE64, true);
        break;
    case X87_STORE32_DIRECTED:
        a64_x87_store_float(c, 23, 8, MORE32, false);
        break;
    case X87_STORE64_DIRECTED:
        a64_x87_store_float(c, 52, 11, MORE64, false);
        break;
    case X87_RINT:
        a64_x87_rint(c);
        break;
    case X87_STORE_INT16:
        a64_x87_store_int(c, 16);
        break;
    case X87_STORE_INT32:
        a64_x87_store_int(c, 32);
        break;
    case X87_STORE_INT64:
        a64_x87_store_int(c, 62); /* two bits have to be behind the point */
        break;
    default:
        compare(c);
        break;
    }
}
