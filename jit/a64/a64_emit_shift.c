/* SPDX-License-Identifier: MIT */
/* Shifts, products, quotients and bits. Flags that the manual leaves undefined are those of the
 * executors: AF is 0, OF is that of the last of the single steps. */
#include "base/bits.h"
#include "jit/a64/a64_emit.h"

/* --- shifts --- */

/* The recipe for PF and AF of a result in a guest register. */
static const struct recipe *logic_recipe(const struct ir_insn *in, struct recipe *r)
{
    if (!ir_is_reg(in->d))
        return NULL;
    *r = (struct recipe){RECIPE_LOGIC, in->w, (u8)(in->d - IR_REG), RECIPE_IMM, 0};
    return r;
}

/* The last step is an addition: its carry and overflow are CF and OF. */
void a64_emit_SHL(struct a64_emit *e, const struct ir_insn *in)
{
    struct codebuf *c = e->c;
    u8 a = a64_read(e, in->a, 0, X0), n = (u8)in->imm;

    if (!a64_wanted(in)) {
        u8 d = a64_dst(e, in->w, in->d, X16);
        a64_shift_ri(c, A64_LSL, W32, d, a, n);
        a64_write(e, in->w, in->d, d, 0);
        return;
    }
    u8 before = (u8)(a64_above(in->w) + n - 1);
    if (before) {
        a64_shift_ri(c, A64_LSL, W32, X16, a, before);
        a = X16;
    }
    struct recipe rec;
    u8 d = a64_dst(e, in->w, in->d, X16), r = in->w == W32 ? d : X16, lsb = a64_above(in->w);
    a64_arith_rr(c, A64_ADDS, W32, r, a, a);
    a64_write(e, in->w, in->d, r, lsb);
    a64_pa_logic(e, in, logic_recipe(in, &rec), r, lsb);
    a64_flags_carry_is(e, CARRY_HOST);
}

/* OF of a shift to the right by 1 is the old sign: that of the subtraction 2r - r. */
static void shr_flags(struct a64_emit *e, const struct ir_insn *in, u8 r)
{
    u8 s = a64_above(in->w);

    if (in->op == IR_SAR || in->imm > 1) {
        a64_flags_nz(e, in->w, r);
        return;
    }
    if (s) {
        a64_shift_ri(e->c, A64_LSL, W32, X0, r, s);
        r = X0;
    }
    a64_shift_ri(e->c, A64_LSL, W32, X17, r, 1);
    a64_arith_rr(e->c, A64_SUBS, W32, XZR, X17, r);
}

static void shift_right(struct a64_emit *e, const struct ir_insn *in)
{
    struct codebuf *c = e->c;
    bool sar = in->op == IR_SAR;
    u8 n = (u8)in->imm;
    u8 bits = (u8)(8u << in->w);
    bool cut = n < bits; /* else the upper bits of what was extended come */
    u8 a = cut   ? a64_read(e, in->a, 0, X0)
           : sar ? a64_read_sext(e, in->w, in->a, 0, X0)
                 : a64_read_zext(e, in->w, in->a, 0, X0);

    if (a64_wanted(in)) {
        a64_ubfx(c, W32, REG_CF, a, n - 1, 1);
        a64_flags_carry_is(e, CARRY_REG);
    }
    u8 d = a64_dst(e, in->w, in->d, X16);
    if (!cut)
        a64_shift_ri(c, sar ? A64_ASR : A64_LSR, W32, d, a, n);
    else if (sar)
        a64_sbfx(c, W32, d, a, n, bits - n);
    else
        a64_ubfx(c, W32, d, a, n, bits - n);
    a64_write(e, in->w, in->d, d, 0);
    if (!a64_wanted(in))
        return;
    struct recipe rec;
    shr_flags(e, in, d);
    a64_pa_logic(e, in, logic_recipe(in, &rec), d, 0);
}

void a64_emit_SHR(struct a64_emit *e, const struct ir_insn *in)
{
    shift_right(e, in);
}

void a64_emit_SAR(struct a64_emit *e, const struct ir_insn *in)
{
    shift_right(e, in);
}

/* --- rotates --- */

/* OF, if somebody wants it: the sign of @r xor the bit below it, or, to the left, xor CF. */
static void rotate_of(struct a64_emit *e, const struct ir_insn *in, u8 r, bool right)
{
    u8 top = (u8)((8u << in->w) - 1);

    if (!(a64_wanted(in) & IRF_O))
        return;
    a64_shift_ri(e->c, A64_LSR, W32, X0, r, top);
    if (right)
        a64_logic_rs(e->c, A64_EOR, W32, X0, X0, r, A64_LSR, top - 1);
    else
        a64_logic_rr(e->c, A64_EOR, W32, X0, X0, REG_CF);
    a64_flags_v(e, X0);
}

/* The bits of @a twice, in 32 bits or more: a rotation is a shift of them. */
static void rotate(struct a64_emit *e, const struct ir_insn *in, bool right)
{
    struct codebuf *c = e->c;
    u8 bits = (u8)(8u << in->w), n = (u8)((unsigned)in->imm % bits);
    u8 down = (u8)(right ? n : (bits - n) % bits), a = a64_read(e, in->a, 0, X0);

    if (in->w == W32) {
        a64_shift_ri(c, A64_ROR, W32, X16, a, down);
    } else {
        a64_uxt(c, in->w, X16, a);
        a64_logic_rs(c, A64_ORR, W32, X16, X16, X16, A64_LSL, bits);
        a64_shift_ri(c, A64_LSR, W32, X16, X16, down);
    }
    a64_dst(e, in->w, in->d, X16);
    a64_write(e, in->w, in->d, X16, 0);
    if (!a64_wanted(in))
        return;
    a64_ubfx(c, W32, REG_CF, X16, right ? bits - 1 : 0, 1);
    a64_flags_carry_is(e, CARRY_REG);
    rotate_of(e, in, X16, right);
}

void a64_emit_ROL(struct a64_emit *e, const struct ir_insn *in)
{
    rotate(e, in, false);
}

void a64_emit_ROR(struct a64_emit *e, const struct ir_insn *in)
{
    rotate(e, in, true);
}

/* Through the carry: three pieces, one of them CF. */
static void rotate_carry(struct a64_emit *e, const struct ir_insn *in, bool right)
{
    struct codebuf *c = e->c;
    u8 bits = (u8)(8u << in->w), n = (u8)((unsigned)in->imm % (bits + 1u));
    u8 a = a64_read_zext(e, in->w, in->a, 0, X0);

    if (n == 0) {
        a64_decline(e);
        return;
    }
    a64_flags_carry(e);
    a64_shift_ri(c, right ? A64_LSR : A64_LSL, W64, X16, a, n);
    a64_logic_rs(c, A64_ORR, W32, X16, X16, REG_CF, A64_LSL, right ? bits - n : n - 1);
    if (n > 1)
        a64_logic_rs(c, A64_ORR, W32, X16, X16, a, right ? A64_LSL : A64_LSR, bits + 1 - n);
    if (a64_wanted(in)) {
        a64_ubfx(c, W32, REG_CF, a, right ? n - 1 : bits - n, 1);
        a64_flags_carry_is(e, CARRY_REG);
    }
    a64_dst(e, in->w, in->d, X16);
    a64_write(e, in->w, in->d, X16, 0);
    if (a64_wanted(in))
        rotate_of(e, in, X16, right);
}

void a64_emit_RCL(struct a64_emit *e, const struct ir_insn *in)
{
    rotate_carry(e, in, false);
}

void a64_emit_RCR(struct a64_emit *e, const struct ir_insn *in)
{
    rotate_carry(e, in, true);
}

/* --- by CL --- */

/* The flags of a shift of @a by the count in X17, 1 to 31, to X16. */
static void shift_cl_flags(struct a64_emit *e, const struct ir_insn *in, enum a64_shift op, u8 a)
{
    struct codebuf *c = e->c;

    if (op == A64_LSL)
        a64_neg_rr(c, W32, X17, X17);
    else
        a64_arith_ri(c, A64_SUB, W32, X17, X17, 1);
    a64_shift_rr(c, op == A64_LSL ? A64_LSR : op, W32, REG_CF, a, X17);
    a64_ubfx(c, W32, REG_CF, REG_CF, 0, 1);
    a64_flags_carry_is(e, CARRY_REG);
    a64_flags_nz(e, W32, X16);
    if (op == A64_LSL)
        a64_logic_rs(c, A64_EOR, W32, X0, REG_CF, X16, A64_LSR, 31);
    else if (op == A64_LSR)
        a64_shift_ri(c, A64_LSR, W32, X0, X16, 30);
    if (op != A64_ASR)
        a64_flags_v(e, X0);
    a64_pa_logic(e, in, NULL, X16, 0);
}

/* A count of 0 leaves flags as they are: where they are between blocks. */
static void shift_cl_with_flags(struct a64_emit *e, const struct ir_insn *in, enum a64_shift op)
{
    struct codebuf *c = e->c;
    u8 cl = a64_guest(REG_CX);

    if (in->w != W32) {
        a64_decline(e);
        return;
    }
    a64_flags_settle(c, &e->fl);
    u8 a = a64_read(e, in->a, 0, X0);
    a64_logic_ri(c, A64_AND, W32, X17, cl, 31);
    a64_shift_rr(c, op, W32, X16, a, cl);
    u8 *none = a64_cbz(c, W32, X17, NULL);
    shift_cl_flags(e, in, op, a);
    a64_flags_settle(c, &e->fl);
    a64_here(c, none);
    a64_dst(e, in->w, in->d, X16);
    a64_write(e, in->w, in->d, X16, 0);
}

/* The host takes counts modulo 32, as the guest does; of 8 and 16 bits it shifts what was
 * extended. */
static void shift_cl(struct a64_emit *e, const struct ir_insn *in, enum a64_shift op)
{
    u8 cl = a64_guest(REG_CX);

    if (a64_wanted(in)) {
        shift_cl_with_flags(e, in, op);
        return;
    }
    u8 a = op == A64_ASR ? a64_read_sext(e, in->w, in->a, 0, X0)
                         : a64_read_zext(e, in->w, in->a, 0, X0);
    u8 d = a64_dst(e, in->w, in->d, X16);
    a64_shift_rr(e->c, op, W32, d, a, cl);
    a64_write(e, in->w, in->d, d, 0);
}

void a64_emit_SHLV(struct a64_emit *e, const struct ir_insn *in)
{
    shift_cl(e, in, A64_LSL);
}

void a64_emit_SHRV(struct a64_emit *e, const struct ir_insn *in)
{
    shift_cl(e, in, A64_LSR);
}

void a64_emit_SARV(struct a64_emit *e, const struct ir_insn *in)
{
    shift_cl(e, in, A64_ASR);
}

/* 8 and 16 bits fill a register with copies of themselves. */
static void rotate_cl(struct a64_emit *e, const struct ir_insn *in, bool right)
{
    struct codebuf *c = e->c;
    u8 cl = a64_guest(REG_CX), a = a64_read_zext(e, in->w, in->a, 0, X0);

    if (a64_wanted(in)) {
        a64_decline(e);
        return;
    }
    for (u8 bits = (u8)(8u << in->w); bits < 32; bits *= 2) {
        a64_logic_rs(c, A64_ORR, W32, X0, a, a, A64_LSL, bits);
        a = X0;
    }
    if (!right) {
        a64_neg_rr(c, W32, X17, cl);
        cl = X17;
    }
    u8 d = a64_dst(e, in->w, in->d, X16);
    a64_shift_rr(c, A64_ROR, W32, d, a, cl);
    a64_write(e, in->w, in->d, d, 0);
}

void a64_emit_ROLV(struct a64_emit *e, const struct ir_insn *in)
{
    rotate_cl(e, in, false);
}

void a64_emit_RORV(struct a64_emit *e, const struct ir_insn *in)
{
    rotate_cl(e, in, true);
}

/* --- double shifts --- */

static void shift_double(struct a64_emit *e, const struct ir_insn *in, bool right)
{
    struct codebuf *c = e->c;
    u8 a = a64_reg(e, in->a), b = a64_reg(e, in->b), n = (u8)in->imm;

    if (right)
        a64_extr(c, W32, X16, b, a, n);
    else
        a64_extr(c, W32, X16, a, b, 32 - n);
    if (a64_wanted(in)) {
        struct recipe rec;
        a64_ubfx(c, W32, REG_CF, a, right ? n - 1 : 32 - n, 1);
        a64_flags_carry_is(e, CARRY_REG);
        a64_flags_nz(e, W32, X16);
        rotate_of(e, in, X16, right);
        a64_pa_logic(e, in, logic_recipe(in, &rec), X16, 0);
    }
    a64_dst(e, in->w, in->d, X16);
    a64_write(e, in->w, in->d, X16, 0);
}

void a64_emit_SHLD(struct a64_emit *e, const struct ir_insn *in)
{
    shift_double(e, in, false);
}

void a64_emit_SHRD(struct a64_emit *e, const struct ir_insn *in)
{
    shift_double(e, in, true);
}

/* --- products --- */

/* CF and OF are @over, 0 or 1; the others those of the low half in @low; AF 0. */
static void product_flags(struct a64_emit *e, const struct ir_insn *in, const struct recipe *how_to,
                          u8 low, u8 over)
{
    a64_mov_rr(e->c, W32, REG_CF, over);
    a64_flags_carry_is(e, CARRY_REG);
    a64_flags_nz(e, in->w, low);
    if (a64_wanted(in) & IRF_O)
        a64_flags_v(e, over);
    a64_pa_logic(e, in, how_to, low, 0);
}

/* X0 = is the signed product in X16 more than @w has? NZCV are lost. */
static void overflows(struct codebuf *c, enum width w)
{
    a64_arith_rx(c, A64_SUBS, W64, XZR, X16, X16,
                 w == W8    ? A64_SXTB
                 : w == W16 ? A64_SXTH
                            : A64_SXTW,
                 0);
    a64_cset(c, W32, X0, A64_NE);
}

void a64_emit_IMUL(struct a64_emit *e, const struct ir_insn *in)
{
    struct codebuf *c = e->c;
    struct recipe rec;

    if (!a64_wanted(in)) {
        u8 a = a64_read(e, in->a, 0, X0);
        u8 b = a64_read(e, in->b, in->imm, X1), d = a64_dst(e, in->w, in->d, X16);
        a64_mul(c, W32, d, a, b);
        a64_write(e, in->w, in->d, d, 0);
        return;
    }
    u8 a = a64_read_sext(e, in->w, in->a, 0, X0);
    u8 b = a64_read_sext(e, in->w, in->b, in->imm, X1);
    a64_smull(c, X16, a, b);
    overflows(c, in->w);
    a64_dst(e, in->w, in->d, X16);
    a64_write(e, in->w, in->d, X16, 0);
    product_flags(e, in, logic_recipe(in, &rec), X16, X0);
}

/* AX, DX:AX or EDX:EAX = X16. */
static void write_pair(struct a64_emit *e, enum width w)
{
    u8 ax = a64_guest(REG_AX), dx = a64_guest(REG_DX);

    if (w == W32) {
        a64_mov_rr(e->c, W32, ax, X16);
        a64_shift_ri(e->c, A64_LSR, W64, dx, X16, 32);
    } else if (w == W16) {
        a64_bfxil(e->c, W32, ax, X16, 0, 16);
        a64_bfxil(e->c, W32, dx, X16, 16, 16);
    } else {
        a64_bfxil(e->c, W32, ax, X16, 0, 16);
    }
}

static void multiply_pair(struct a64_emit *e, const struct ir_insn *in, bool is_signed)
{
    static const struct recipe in_ax = {RECIPE_LOGIC, W32, REG_AX, RECIPE_IMM, 0};
    struct codebuf *c = e->c;
    enum width w = in->w;
    ir_val ax = IR_REG + REG_AX;

    if (is_signed) {
        u8 acc = a64_read_sext(e, w, ax, 0, X0);
        a64_smull(c, X16, acc, a64_read_sext(e, w, in->a, 0, X1));
    } else {
        u8 acc = a64_read_zext(e, w, ax, 0, X0);
        a64_umull(c, X16, acc, a64_read_zext(e, w, in->a, 0, X1));
    }
    write_pair(e, w);
    if (!a64_wanted(in))
        return;
    if (is_signed) {
        overflows(c, w);
    } else {
        a64_shift_ri(c, A64_LSR, W64, X17, X16, (u8)(8u << w));
        a64_cmp_ri(c, W32, X17, 0);
        a64_cset(c, W32, X0, A64_NE);
    }
    product_flags(e, in, &in_ax, X16, X0);
}

void a64_emit_MULU(struct a64_emit *e, const struct ir_insn *in)
{
    multiply_pair(e, in, false);
}

void a64_emit_MULS(struct a64_emit *e, const struct ir_insn *in)
{
    multiply_pair(e, in, true);
}

/* --- quotients --- */

/* X16 = the dividend, twice as wide as @w, with zeros or copies of its sign above. */
static void dividend(struct a64_emit *e, enum width w, bool is_signed)
{
    struct codebuf *c = e->c;
    u8 ax = a64_guest(REG_AX), dx = a64_guest(REG_DX);

    if (w == W32) {
        a64_mov_rr(c, W32, X16, ax);
        a64_bfi(c, W64, X16, dx, 32, 32);
    } else if (w == W16) {
        a64_uxt(c, W16, X16, ax);
        a64_bfi(c, W32, X16, dx, 16, 16);
        if (is_signed)
            a64_sxt(c, W64, W32, X16, X16);
    } else if (is_signed) {
        a64_sxt(c, W64, W16, X16, ax);
    } else {
        a64_uxt(c, W16, X16, ax);
    }
}

/* X17 and X16 = quotient and remainder, to their places. */
static void write_quotient(struct a64_emit *e, enum width w)
{
    ir_val ax = IR_REG + REG_AX, dx = IR_REG + REG_DX;

    a64_write(e, w, ax, X17, 0);
    a64_write(e, w, w == W8 ? (ir_val)IR_HIGH : dx, X16, 0);
}

/* The quotient fits if the high half is less than the divisor; that also excludes 0. */
void a64_emit_DIVU(struct a64_emit *e, const struct ir_insn *in)
{
    struct codebuf *c = e->c;
    u8 d = a64_read_zext(e, in->w, in->a, 0, X0);

    dividend(e, in->w, false);
    a64_shift_ri(c, A64_LSR, W64, X17, X16, (u8)(8u << in->w));
    a64_arith_rr(c, A64_SUB, W64, X17, X17, d);
    a64_bail_from(e, a64_tbz(c, X17, 63, NULL));
    a64_udiv(c, W64, X17, X16, d);
    a64_msub(c, W64, X16, X17, d, X16);
    write_quotient(e, in->w);
}

/* The quotient fits if it is the same after extension. */
void a64_emit_DIVS(struct a64_emit *e, const struct ir_insn *in)
{
    struct codebuf *c = e->c;
    u8 d = a64_read_sext(e, in->w, in->a, 0, X0);

    a64_sxt(c, W64, W32, X0, d);
    dividend(e, in->w, true);
    struct cold *k = a64_bail_from(e, a64_cbz(c, W64, X0, NULL));
    a64_sdiv(c, W64, X17, X16, X0);
    a64_sxt(c, W64, in->w, X1, X17);
    a64_logic_rr(c, A64_EOR, W64, X1, X1, X17);
    k->from[1] = a64_cbnz(c, W64, X1, NULL);
    a64_msub(c, W64, X16, X17, X0, X16);
    write_quotient(e, in->w);
}

/* --- bits --- */

/* CF = the bit; X17 = its mask in the low bits if @mask. */
static void bit_to_carry(struct a64_emit *e, const struct ir_insn *in, u8 a, bool mask)
{
    struct codebuf *c = e->c;
    u8 bits = (u8)(8u << in->w);

    if (in->b == IR_CONST) {
        u8 n = (u8)in->imm & (bits - 1);
        if (mask)
            a64_mov_ri64(c, X17, BIT64(n));
        a64_ubfx(c, W32, REG_CF, a, n, 1);
    } else {
        u8 n = a64_reg(e, in->b);
        a64_logic_ri(c, A64_AND, W32, X1, n, bits - 1);
        if (mask) {
            a64_movz(c, W32, X17, 1, 0);
            a64_shift_rr(c, A64_LSL, W32, X17, X17, X1);
        }
        a64_shift_rr(c, A64_LSR, W32, REG_CF, a, X1);
        a64_logic_ri(c, A64_AND, W32, REG_CF, REG_CF, 1);
    }
    a64_flags_carry_is(e, CARRY_REG);
}

static void bit(struct a64_emit *e, const struct ir_insn *in, enum a64_logic op)
{
    u8 a = a64_read(e, in->a, 0, X0);

    bit_to_carry(e, in, a, true);
    u8 d = a64_dst(e, in->w, in->d, X16);
    a64_logic_rr(e->c, op, W32, d, a, X17);
    a64_write(e, in->w, in->d, d, 0);
}

void a64_emit_BT(struct a64_emit *e, const struct ir_insn *in)
{
    bit_to_carry(e, in, a64_read(e, in->a, 0, X0), false);
}

void a64_emit_BTS(struct a64_emit *e, const struct ir_insn *in)
{
    bit(e, in, A64_ORR);
}

void a64_emit_BTR(struct a64_emit *e, const struct ir_insn *in)
{
    bit(e, in, A64_BIC);
}

void a64_emit_BTC(struct a64_emit *e, const struct ir_insn *in)
{
    bit(e, in, A64_EOR);
}

static void scan(struct a64_emit *e, const struct ir_insn *in, bool reverse)
{
    struct codebuf *c = e->c;
    u8 a = a64_read_zext(e, in->w, in->a, 0, X0), b = a64_read(e, in->b, 0, X1);

    if (reverse) {
        a64_clz(c, W32, X16, a);
        a64_logic_ri(c, A64_EOR, W32, X16, X16, 31);
    } else {
        a64_rbit(c, W32, X16, a);
        a64_clz(c, W32, X16, X16);
    }
    a64_flags_nz(e, in->w, a);
    a64_flags_carry_is(e, CARRY_0);
    a64_pa_logic(e, in, NULL, a, 0);
    a64_csel(c, W32, X16, X16, b, A64_NE);
    a64_dst(e, in->w, in->d, X16);
    a64_write(e, in->w, in->d, X16, 0);
}

void a64_emit_BSF(struct a64_emit *e, const struct ir_insn *in)
{
    scan(e, in, false);
}

void a64_emit_BSR(struct a64_emit *e, const struct ir_insn *in)
{
    scan(e, in, true);
}
