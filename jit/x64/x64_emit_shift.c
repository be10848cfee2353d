/* SPDX-License-Identifier: MIT */
/* Shifts, products, quotients, bits, and flags as values. */
#include <assert.h>

#include "cpu/isa.h"
#include "jit/x64/x64_emit.h"

/* --- shifts --- */

/* Flags that nobody but a fault would see: what they can be made from is kept instead of them. */
static bool shift_by_recipe(struct x64_emit *e, const struct ir_insn *in, enum x64_shift op)
{
    if (in->def != IRF_ALL || in->w != W32 || !x64_flags_want_recipe(e, in))
        return false;
    const struct recipe r = {op == X64_SHL   ? RECIPE_SHL
                             : op == X64_SHR ? RECIPE_SHR
                                             : RECIPE_SAR,
                             in->w, 0, RECIPE_IMM, (i32)in->imm};
    u8 d = x64_one_begin(e, in);
    x64_mov_mr(e->c, W32, CPU_AT(jit.shifted), d);
    x64_shift_ri(e->c, op, in->w, d, (u8)in->imm);
    x64_one_end(e, in);
    x64_flags_after(e, in, e->i, in->imm > 1 ? IRF_ALL & ~(IRF_A | IRF_O) : IRF_ALL & ~IRF_A, &r);
    return true;
}

/* OF is defined for a count of 1 only, and there it is the OF that we want: the last of @n steps
 * goes alone if somebody looks at OF. AF is undefined. */
static void shift(struct x64_emit *e, const struct ir_insn *in, enum x64_shift op)
{
    u8 n = (u8)in->imm;
    bool rotates = op < X64_SHL;
    bool of = n > 1 && ((in->live | in->seen) & IRF_O);

    if (shift_by_recipe(e, in, op))
        return;
    if (in->use & IRF_C)
        x64_flags_carry(e);
    x64_flags_before(e, in);
    if ((in->use & IRF_C) && !(e->fl.host & IRF_C))
        x64_flags_carry(e);
    u8 d = x64_one_begin(e, in);
    if (of)
        x64_shift_ri(e->c, op, in->w, d, n - 1);
    x64_shift_ri(e->c, op, in->w, d, of ? 1 : n);
    x64_one_end(e, in);
    x64_flags_after(e, in, e->i, rotates ? IRF_C | IRF_O : IRF_ALL & ~IRF_A, NULL);
}

#define SHIFT(op)                                                                                  \
    void x64_emit_##op(struct x64_emit *e, const struct ir_insn *in)                               \
    {                                                                                              \
        shift(e, in, X64_##op);                                                                    \
    }
SHIFT(ROL)
SHIFT(ROR)
SHIFT(RCL)
SHIFT(RCR)
SHIFT(SHL)
SHIFT(SHR)
SHIFT(SAR)

/* A count of 0 leaves flags as they are: stored. The last step goes alone, as above. */
static void shift_cl_with_flags(struct x64_emit *e, const struct ir_insn *in, enum x64_shift op)
{
    struct codebuf *c = e->c;

    if (in->w != W32 || ir_reg_of(in->d) == REG_CX) {
        x64_decline(e);
        return;
    }
    x64_flags_store(e, IRF_ALL);
    u8 d = x64_one_begin(e, in);
    x64_test_ri(c, W8, RCX, 31);
    u8 *none = x64_jcc8(c, X64_E);
    x64_dec_r(c, W32, RCX);
    x64_shift_rcl(c, op, in->w, d);
    x64_inc_r(c, W32, RCX);
    x64_shift_ri(c, op, in->w, d, 1);
    e->fl = (struct flag_state){.host = IRF_ALL & ~IRF_A, .af_zero = true};
    x64_flags_store(e, IRF_ALL);
    x64_patch8(none, c->at);
    e->fl = (struct flag_state){.stored = IRF_ALL};
}

static void shift_cl(struct x64_emit *e, const struct ir_insn *in, enum x64_shift op)
{
    if (in->use) {
        shift_cl_with_flags(e, in, op);
        return;
    }
    if (in->live | in->seen) {
        x64_decline(e);
        return;
    }
    u8 d = x64_one_begin(e, in);
    x64_shift_rcl(e->c, op, in->w, d);
    x64_one_end(e, in);
    x64_flags_lost(e);
    e->fl.recipe = false;
}

#define SHIFTV(op)                                                                                 \
    void x64_emit_##op##V(struct x64_emit *e, const struct ir_insn *in)                            \
    {                                                                                              \
        shift_cl(e, in, X64_##op);                                                                 \
    }
SHIFTV(ROL)
SHIFTV(ROR)
SHIFTV(SHL)
SHIFTV(SHR)
SHIFTV(SAR)

static void shift_double(struct x64_emit *e, const struct ir_insn *in, bool right)
{
    if (in->imm > 1 && ((in->live | in->seen) & IRF_O)) {
        x64_decline(e);
        return;
    }
    u8 d = x64_one_begin(e, in);
    x64_shd_rri(e->c, right, in->w, d, x64_reg(e, in->b), (u8)in->imm);
    x64_one_end(e, in);
    x64_flags_after(e, in, e->i, IRF_ALL & ~IRF_A, NULL);
}

void x64_emit_SHLD(struct x64_emit *e, const struct ir_insn *in)
{
    shift_double(e, in, false);
}

void x64_emit_SHRD(struct x64_emit *e, const struct ir_insn *in)
{
    shift_double(e, in, true);
}

/* --- products --- */

/* The host gives CF and OF of a product; the others are those of its low half, AF 0, as the
 * executor has them. They are put together in memory, where somebody looks at them. */
static void product_flags(struct x64_emit *e, const struct ir_insn *in, u8 low)
{
    struct codebuf *c = e->c;
    u8 s = x64_scratch(e), wanted = in->def & (in->live | in->seen);

    if (!(wanted & ~(IRF_C | IRF_O))) {
        x64_flags_after(e, in, e->i, IRF_C | IRF_O, NULL);
        return;
    }
    if (s == X64_NOREG) {
        x64_decline(e);
        return;
    }
    x64_setcc_r(c, X64_B, s);
    e->busy[s] = s; /* kept from the store below */
    x64_test_rr(c, in->w, low, low);
    e->fl = (struct flag_state){.host = IRF_ALL};
    x64_flags_store(e, IRF_ALL);
    e->busy[s] = 0;
    x64_movzx_rr(c, W8, s, s);
    x64_imul_rri(c, W32, s, s, 0x0101); /* CF and OF in cpu->jit.flags */
    x64_alu_mr(c, X64_OR, W16, CPU_AT(jit.flags), s);
    x64_flags_lost(e);
}

void x64_emit_IMUL(struct x64_emit *e, const struct ir_insn *in)
{
    struct codebuf *c = e->c;
    u8 d;

    if (in->b == IR_CONST) {
        u8 a = x64_in_memory(e, in->a) ? x64_scratch(e) : x64_reg(e, in->a);
        if (x64_in_memory(e, in->a))
            x64_move(e, in->w, a, in->a, 0);
        d = x64_dst(e, in->d);
        x64_imul_rri(c, in->w, d, a, (i32)in->imm);
    } else {
        d = x64_reg(e, in->d); /* and A */
        if (x64_in_memory(e, in->b))
            x64_imul_rm(c, in->w, d, x64_operand(e));
        else
            x64_imul_rr(c, in->w, d, x64_reg(e, in->b));
    }
    product_flags(e, in, d);
}

/* Operand A in a register that one-operand instructions take: not AH..BH. */
static u8 plain_operand(struct x64_emit *e, const struct ir_insn *in)
{
    if (!ir_is_high(in->a) && !x64_in_memory(e, in->a))
        return x64_reg(e, in->a);
    u8 s = x64_scratch(e);
    if (s == X64_NOREG) {
        x64_decline(e);
        s = R10;
    }
    x64_move(e, in->w, s, in->a, 0);
    return s;
}

void x64_emit_MULU(struct x64_emit *e, const struct ir_insn *in)
{
    x64_unary_r(e->c, X64_MUL, in->w, plain_operand(e, in));
    product_flags(e, in, RAX);
}

void x64_emit_MULS(struct x64_emit *e, const struct ir_insn *in)
{
    x64_unary_r(e->c, X64_IMUL, in->w, plain_operand(e, in));
    product_flags(e, in, RAX);
}

/* The quotient fits if the high half is less than the divisor; that also excludes 0. */
void x64_emit_DIVU(struct x64_emit *e, const struct ir_insn *in)
{
    struct codebuf *c = e->c;

    if (in->w == W8) {
        x64_decline(e);
        return;
    }
    u8 a = plain_operand(e, in);
    x64_alu_rr(c, X64_CMP, in->w, RDX, a);
    x64_bail_from(e, x64_jcc(c, X64_AE, NULL), NULL);
    x64_unary_r(c, X64_DIV, in->w, a);
    x64_flags_lost(e);
}

/* Done here: a dividend that is a sign-extended 32-bit number, by anything but 0 and -1. */
void x64_emit_DIVS(struct x64_emit *e, const struct ir_insn *in)
{
    struct codebuf *c = e->c;

    if (in->w != W32) {
        x64_decline(e);
        return;
    }
    u8 a = plain_operand(e, in), s = x64_scratch_not(e, a);
    if (s == X64_NOREG) {
        x64_decline(e);
        return;
    }
    x64_mov_rr(c, W32, s, RAX);
    x64_shift_ri(c, X64_SAR, W32, s, 31);
    x64_alu_rr(c, X64_CMP, W32, s, RDX);
    u8 *wide = x64_jcc(c, X64_NE, NULL);
    x64_lea(c, W32, s, x64_at(a, 1));
    x64_alu_ri(c, X64_CMP, W32, s, 1);
    x64_bail_from(e, wide, x64_jcc(c, X64_BE, NULL));
    x64_unary_r(c, X64_IDIV, W32, a);
    x64_flags_lost(e);
}

/* --- bits --- */

static void bit(struct x64_emit *e, const struct ir_insn *in, enum x64_bt op)
{
    struct codebuf *c = e->c;
    u8 d;

    x64_flags_before(e, in);
    if (op == X64_BT && !x64_in_memory(e, in->a)) {
        d = x64_reg(e, in->a);
    } else if (op == X64_BT) {
        d = x64_scratch(e);
        x64_move(e, in->w, d, in->a, 0);
    } else {
        d = x64_one_begin(e, in);
    }
    if (in->b == IR_CONST)
        x64_bt_ri(c, op, in->w, d, (u8)in->imm);
    else
        x64_bt_rr(c, op, in->w, d, x64_reg(e, in->b));
    x64_flags_after(e, in, e->i, IRF_C, NULL);
}

void x64_emit_BT(struct x64_emit *e, const struct ir_insn *in)
{
    bit(e, in, X64_BT);
}

void x64_emit_BTS(struct x64_emit *e, const struct ir_insn *in)
{
    bit(e, in, X64_BTS);
}

void x64_emit_BTR(struct x64_emit *e, const struct ir_insn *in)
{
    bit(e, in, X64_BTR);
}

void x64_emit_BTC(struct x64_emit *e, const struct ir_insn *in)
{
    bit(e, in, X64_BTC);
}

/* Of 0, the host's result is not defined: D = B then, which is D itself. */
static void scan(struct x64_emit *e, const struct ir_insn *in, bool reverse)
{
    struct codebuf *c = e->c;
    u8 a = plain_operand(e, in), s = x64_scratch_not(e, a);

    if (s == X64_NOREG || in->d != in->b) {
        x64_decline(e);
        return;
    }
    reverse ? x64_bsr_rr(c, in->w, s, a) : x64_bsf_rr(c, in->w, s, a);
    x64_test_rr(c, in->w, a, a);
    x64_cmov_rr(c, X64_NE, in->w, x64_reg(e, in->d), s);
    x64_flags_after(e, in, e->i, IRF_ALL, NULL);
}

void x64_emit_BSF(struct x64_emit *e, const struct ir_insn *in)
{
    scan(e, in, false);
}

void x64_emit_BSR(struct x64_emit *e, const struct ir_insn *in)
{
    scan(e, in, true);
}

/* --- flags as values --- */

/* CF alone: in EFLAGS if the others are there or do not matter, else where the others are stored.
 */
void x64_emit_SETC(struct x64_emit *e, const struct ir_insn *in)
{
    x64_flags_before(e, in);
    in->imm ? x64_stc(e->c) : x64_clc(e->c);
    x64_flags_after(e, in, e->i, IRF_C, NULL);
}

void x64_emit_CMC(struct x64_emit *e, const struct ir_insn *in)
{
    x64_flags_before(e, in);
    x64_flags_carry(e);
    x64_cmc(e->c);
    x64_flags_after(e, in, e->i, IRF_C, NULL);
}

static struct x64_mem stored_ah(void)
{
    struct x64_mem m = CPU_AT(jit.flags);

    m.disp++;
    return m;
}

/* Whatever the guest's bits 1, 3 and 5 are: LAZY_STORED has to be set. */
static void store_ah(struct x64_emit *e, u8 a)
{
    x64_mov_mr(e->c, W8, stored_ah(), a);
    x64_alu_mi(e->c, X64_OR, W8, stored_ah(), LAZY_STORED >> 8);
}

/* AH's layout is that of the low byte of EFLAGS. */
void x64_emit_GETF(struct x64_emit *e, const struct ir_insn *in)
{
    struct codebuf *c = e->c;

    x64_flags_store(e, in->use);
    u8 d = x64_dst(e, in->d);
    x64_movzx_rm(c, W8, d, stored_ah());
    x64_alu_ri(c, X64_AND, W32, d, FL_SZAPC);
    if (in->use & IRF_O) {
        u8 s = x64_scratch_not(e, d);
        if (s == X64_NOREG)
            x64_decline(e), s = R10;
        x64_movzx_rm(c, W8, s, CPU_AT(jit.flags));
        x64_shift_ri(c, X64_SHL, W32, s, 11);
        x64_alu_rr(c, X64_OR, W32, d, s);
    }
    x64_flags_lost(e);
}
static_assert(FL_O == BIT(11), "the shift above");

void x64_emit_PUTE(struct x64_emit *e, const struct ir_insn *in)
{
    u8 a = x64_reg(e, in->a);

    store_ah(e, a);
    x64_bt_ri(e->c, X64_BT, W32, a, 11);
    x64_setcc_m(e->c, X64_B, CPU_AT(jit.flags));
    e->fl = (struct flag_state){.stored = IRF_ALL};
}

void x64_emit_PUTF(struct x64_emit *e, const struct ir_insn *in)
{
    x64_flags_store(e, IRF_O);
    u8 a = x64_byte_begin(e, in->a);
    store_ah(e, a);
    x64_byte_end(e, in->a);
    e->fl = (struct flag_state){.stored = IRF_ALL};
}
