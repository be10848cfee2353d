/* SPDX-License-Identifier: MIT */
/*
 * Floats and integers in memory to numbers of x87 registers, and back.
 *
 * References: [SDM 1 §4.2, §8.3]; [ARM C6.2].
 */
#include "jit/a64/a64_x87_round.h"

void a64_x87_load_float(struct codebuf *c, unsigned mant, unsigned exp, u16 more)
{
    a64_ubfx(c, W64, X9, B_MANT, (u8)mant, (u8)exp);
    a64_arith_ri(c, A64_ADD, W32, X10, X9, 1);
    a64_logic_ri(c, A64_AND, W32, X10, X10, BIT(exp) - 2);
    u8 *unusual = a64_cbz(c, W32, X10, NULL);
    a64_movz(c, W32, X11, more, 0);
    a64_arith_rr(c, A64_ADD, W32, X9, X9, X11);
    a64_shift_ri(c, A64_LSR, W64, X12, B_MANT, (u8)(mant + exp));
    a64_shift_ri(c, A64_LSL, W64, B_MANT, B_MANT, (u8)(MSB - mant));
    a64_logic_ri(c, A64_ORR, W64, B_MANT, B_MANT, SIGN_OF_64);
    a64_logic_rs(c, A64_ORR, W32, X12, X9, X12, A64_LSL, SIGN_BIT);
    a64_ret(c);
    a64_here(c, unusual);
    a64_shift_ri(c, A64_LSR, W64, X12, B_MANT, (u8)(mant + exp));
    a64_shift_ri(c, A64_LSL, W64, B_MANT, B_MANT, (u8)(MSB - mant - exp + 1));
    a64_shift_ri(c, A64_LSL, W32, X12, X12, SIGN_BIT);
    u8 *zero = a64_cbz(c, W64, B_MANT, NULL);
    a64_mov_ri64(c, X12, BIT(X87_UNDONE));
    a64_here(c, zero);
    a64_ret(c);
}

void a64_x87_load_int(struct codebuf *c)
{
    a64_shift_ri(c, A64_ASR, W64, X9, B_MANT, MSB);
    a64_logic_rr(c, A64_EOR, W64, B_MANT, B_MANT, X9);
    a64_arith_rr(c, A64_SUB, W64, B_MANT, B_MANT, X9);
    a64_logic_ri(c, A64_AND, W32, X12, X9, BIT(SIGN_BIT));
    u8 *zero = a64_cbz(c, W64, B_MANT, NULL);
    a64_x87_normalize(c, B_MANT, X12, X10);
    a64_here(c, zero);
    a64_ret(c);
}

void a64_x87_store_float(struct codebuf *c, unsigned mant, unsigned exp, u16 less, bool nearest)
{
    struct ways_out unusual = {0}, w = {0};
    u8 drop = (u8)(MSB - mant);

    a64_ubfx(c, W32, X9, A_SIGN_EXP, 0, EXP_BITS);
    a64_movz(c, W32, X10, less, 0);
    a64_arith_rr(c, A64_SUB, W32, X9, X9, X10);
    a64_arith_ri(c, A64_SUB, W32, X10, X9, 2);
    a64_cmp_ri(c, W32, X10, BIT(exp) - 1 - 4);
    out_if(&unusual, a64_bcond(c, A64_HI, NULL));
    out_if(&unusual, a64_tbz(c, A_MANT, MSB, NULL));
    a64_logic_ri(c, A64_AND, W64, X12, A_MANT, BIT64(drop) - 1);
    if (nearest) {
        a64_ubfx(c, W64, X11, A_MANT, drop, 1);
        a64_arith_rr(c, A64_ADD, W64, X11, X12, X11);
        a64_mov_ri64(c, X10, BIT64(drop - 1));
        a64_cmp_rr(c, W64, X11, X10);
        a64_cset(c, W32, X14, A64_HI);
    } else {
        a64_mov_rr(c, W32, X10, X9);
        a64_x87_load_rc(c);
        a64_x87_find_directed(c, X14);
        a64_mov_rr(c, W32, X9, X10);
    }
    a64_logic_rr(c, A64_ORR, W64, X15, X15, X12);
    a64_ubfx(c, W64, X0, A_MANT, drop, (u8)mant);
    a64_arith_rr(c, A64_ADD, W64, X0, X0, X14);
    a64_arith_rs(c, A64_ADDS, W64, X0, X0, X9, A64_LSL, (u8)mant);
    a64_ubfx(c, W32, X1, A_SIGN_EXP, SIGN_BIT, 1);
    a64_logic_rs(c, A64_ORR, W64, X0, X0, X1, A64_LSL, (u8)(mant + exp));
    a64_ret(c); /* C is clear */
    come_together(c, &unusual);
    a64_ubfx(c, W32, X9, A_SIGN_EXP, 0, EXP_BITS);
    a64_logic_rr(c, A64_ORR, W64, X9, X9, A_MANT);
    out_if(&w, a64_cbnz(c, W64, X9, NULL));
    a64_ubfx(c, W32, X0, A_SIGN_EXP, SIGN_BIT, 1);
    a64_shift_ri(c, A64_LSL, W64, X0, X0, (u8)(mant + exp));
    a64_mov_rr(c, W64, X14, XZR);
    succeed(c);
    fail(c, &w);
}

/*
 * Integers of @bits. X11 is the significand without its lowest bit, which the one above has, too:
 * they are far behind the point. W10: how many of its bits are behind the point; 63 if all are, and
 * then it may be 1. W13: it is rounded up.
 */
void a64_x87_store_int(struct codebuf *c, unsigned bits)
{
    struct ways_out w = {0};

    a64_ubfx(c, W32, X9, A_SIGN_EXP, 0, EXP_BITS);
    u8 *small = a64_tbz(c, A_MANT, MSB, NULL);
    out_if(&w, a64_cbz(c, W32, X9, NULL));
    a64_movz(c, W32, X10, (u16)(BIAS + bits - 2), 0);
    a64_arith_rr(c, A64_SUBS, W32, X10, X10, X9);
    out_if(&w, a64_bcond(c, A64_LO, NULL));
    a64_arith_ri(c, A64_ADD, W32, X10, X10, 64 - bits);
    a64_movz(c, W32, X9, MSB, 0);
    a64_cmp_rr(c, W32, X10, X9);
    a64_logic_ri(c, A64_AND, W64, X11, A_MANT, 1);
    a64_logic_rs(c, A64_ORR, W64, X11, X11, A_MANT, A64_LSR, 1);
    a64_movz(c, W32, X17, 1, 0);
    a64_csel(c, W64, X11, X11, X17, A64_LS);
    a64_csel(c, W32, X10, X10, X9, A64_LS);
    a64_shift_rr(c, A64_LSR, W64, X0, X11, X10);
    a64_neg_rr(c, W32, X10, X10);
    a64_shift_rr(c, A64_LSL, W64, X12, X11, X10);
    a64_x87_round_as_control(c);
    a64_arith_rr(c, A64_ADD, W64, X0, X0, X13);
    out_if(&w, a64_tbnz(c, X0, (u8)(bits - 1), NULL));
    a64_mov_rr(c, W64, X14, X13);
    a64_logic_rr(c, A64_ORR, W64, X15, X15, X12);
    a64_sbfx(c, W64, X9, A_SIGN_EXP, SIGN_BIT, 1);
    a64_logic_rr(c, A64_EOR, W64, X0, X0, X9);
    a64_arith_rr(c, A64_SUB, W64, X0, X0, X9);
    succeed(c);
    a64_here(c, small);
    a64_logic_rr(c, A64_ORR, W64, X9, X9, A_MANT);
    out_if(&w, a64_cbnz(c, W64, X9, NULL));
    a64_mov_rr(c, W64, X0, XZR);
    a64_mov_rr(c, W64, X14, XZR);
    succeed(c);
    fail(c, &w);
}
