/* SPDX-License-Identifier: MIT */
/* Moves, extensions, the stack, flag bits and single string instructions. */
#include "base/bits.h"
#include "jit/xlate.h"

void xlate_mov(struct xlate *x)
{
    enum width w = x->in->width;

    xl_write(x, w, xl_value(xl_reg(x->in->reg, w)));
}

/* A register from anywhere: loads go straight into it. */
static void mov_to_reg(struct xlate *x, enum width w, ir_val d)
{
    if (xl_in_memory(x, 1))
        xl_op(x, IR_LD, w, d, xl_address(x, w, false), XL_NOTHING);
    else
        xl_op(x, IR_MOV, w, d, IR_NONE, xl_read(x, 1, w));
}

void xlate_mov_r(struct xlate *x)
{
    mov_to_reg(x, x->in->width, xl_reg(x->in->reg, x->in->width));
}

void xlate_mov_a_o(struct xlate *x)
{
    mov_to_reg(x, x->in->width, xl_reg(REG_AX, x->in->width));
}

void xlate_mov_o_a(struct xlate *x)
{
    xl_write(x, x->in->width, xl_value(xl_reg(REG_AX, x->in->width)));
}

void xlate_mov_i(struct xlate *x)
{
    xl_write(x, x->in->width, xl_immediate(x, x->in->width));
}

void xlate_mov_z_i(struct xlate *x)
{
    enum width w = x->in->width;

    xl_op(x, IR_MOV, w, xl_reg(x->in->zreg, w), IR_NONE, xl_immediate(x, w));
}

static void extend(struct xlate *x, enum ir_op op, enum width from)
{
    ir_val a =
        xl_in_memory(x, 1) ? xl_load(x, xl_address(x, from, false), from) : xl_reg(x->in->rm, from);

    xl_op(x, op, x->in->opsize, xl_reg(x->in->reg, x->in->opsize), a, XL_NOTHING)->cc = (u8)from;
}

void xlate_movzx8(struct xlate *x)
{
    extend(x, IR_ZEXT, W8);
}

void xlate_movzx16(struct xlate *x)
{
    extend(x, IR_ZEXT, W16);
}

void xlate_movsx8(struct xlate *x)
{
    extend(x, IR_SEXT, W8);
}

void xlate_movsx16(struct xlate *x)
{
    extend(x, IR_SEXT, W16);
}

void xlate_lea(struct xlate *x)
{
    enum width w = x->in->opsize;

    xl_op(x, IR_MOV, w, xl_reg(x->in->reg, w), IR_NONE, xl_value(xl_offset(x)));
}

void xlate_xchg_z(struct xlate *x)
{
    enum width w = x->in->opsize;
    ir_val z = xl_reg(x->in->zreg, w), a = xl_reg(REG_AX, w);
    ir_val t = xl_op_temp(x, IR_MOV, w, IR_NONE, xl_value(z));

    xl_op(x, IR_MOV, w, z, IR_NONE, xl_value(a));
    xl_op(x, IR_MOV, w, a, IR_NONE, xl_value(t));
}

void xlate_cbw(struct xlate *x)
{
    enum width w = x->in->opsize;
    struct ir_insn *op =
        xl_op(x, IR_SEXT, w, xl_reg(REG_AX, w), xl_reg(REG_AX, w - 1u), XL_NOTHING);

    op->cc = (u8)(w - 1);
}

void xlate_cwd(struct xlate *x)
{
    enum width w = x->in->opsize;
    i64 top = (i64)width_bits(w) - 1;

    xl_op(x, IR_SAR, w, xl_reg(REG_DX, w), xl_reg(REG_AX, w), xl_const(top))->def = 0;
}

void xlate_bswap(struct xlate *x)
{
    ir_val r = xl_reg(x->in->zreg, W32);

    if (x->in->opsize == W32)
        xl_op(x, IR_BSWAP, W32, r, r, XL_NOTHING);
    else
        xl_op(x, IR_MOV, W16, r, IR_NONE, xl_const(0));
}

void xlate_cmov(struct xlate *x)
{
    enum width w = x->in->opsize;
    ir_val d = xl_reg(x->in->reg, w);
    struct ir_insn *op = xl_op(x, IR_CMOV, w, d, d, xl_read(x, 1, w));

    op->cc = x->in->opcode & 15;
    op->use = ir_cond_flags(op->cc);
}

void xlate_setcc(struct xlate *x)
{
    bool mem = xl_in_memory(x, 0);
    ir_val d = mem ? ir_temp(x->ir) : xl_reg_operand(x, 0, W8);
    ir_val at = mem ? xl_address(x, W8, true) : IR_NONE;
    struct ir_insn *op = xl_op(x, IR_SETCC, W8, d, IR_NONE, XL_NOTHING);

    op->cc = x->in->opcode & 15;
    op->use = ir_cond_flags(op->cc);
    if (mem)
        xl_store(x, at, W8, xl_value(d));
}

void xlate_nop(struct xlate *x)
{
    (void)x;
}

void xlate_xlat(struct xlate *x)
{
    ir_val al = ir_temp(x->ir), off = ir_temp(x->ir);

    xl_op(x, IR_ZEXT, W32, al, xl_reg(REG_AX, W8), XL_NOTHING)->cc = W8;
    xl_op(x, IR_ADDR, x->in->adsize, off, xl_reg(REG_BX, W32), xl_value(al))->cc = 0;
    ir_val at = xl_linear(x, x->in->seg, off, W8, false);
    xl_op(x, IR_LD, W8, xl_reg(REG_AX, W8), at, XL_NOTHING);
}

/* --- the stack --- */

void xlate_push_z(struct xlate *x)
{
    xl_push(x, xl_value(xl_reg(x->in->zreg, x->in->opsize)));
}

void xlate_push_i(struct xlate *x)
{
    xl_push(x, xl_immediate(x, x->in->opsize));
}

void xlate_push_e(struct xlate *x)
{
    xl_push(x, xl_read(x, 0, x->in->opsize));
}

/* POP (E)SP: the value wins over the increment. */
void xlate_pop_z(struct xlate *x)
{
    enum width w = x->in->opsize;
    ir_val v = xl_peek(x);

    xl_drop(x, width_bytes(w));
    xl_op(x, IR_MOV, w, xl_reg(x->in->zreg, w), IR_NONE, xl_value(v));
}

void xlate_leave(struct xlate *x)
{
    enum width w = x->in->opsize, sw = x->env->mode & JIT_MODE_SS32 ? W32 : W16;
    ir_val bp = xl_reg(REG_BP, W32), off = bp;

    if (sw == W16) {
        off = ir_temp(x->ir);
        xl_add_to(x, W16, off, bp, 0);
    }
    ir_val v = xl_load(x, xl_linear(x, SEG_SS, off, w, false), w);
    xl_add_to(x, sw, xl_reg(REG_SP, sw), bp, (i64)width_bytes(w));
    xl_op(x, IR_MOV, w, xl_reg(REG_BP, w), IR_NONE, xl_value(v));
}

/* --- flags --- */

void xlate_clc(struct xlate *x)
{
    ir_add(x->ir, IR_SETC, W32, x->g)->imm = 0;
}

void xlate_stc(struct xlate *x)
{
    ir_add(x->ir, IR_SETC, W32, x->g)->imm = 1;
}

void xlate_cmc(struct xlate *x)
{
    ir_add(x->ir, IR_CMC, W32, x->g);
}

void xlate_cld(struct xlate *x)
{
    ir_add(x->ir, IR_DF, W32, x->g)->imm = 0;
}

void xlate_std(struct xlate *x)
{
    ir_add(x->ir, IR_DF, W32, x->g)->imm = 1;
}

/* AH = SF ZF 0 AF 0 PF 1 CF. */
void xlate_lahf(struct xlate *x)
{
    ir_val f = ir_temp(x->ir);
    struct ir_insn *op = xl_op(x, IR_GETF, W32, f, IR_NONE, XL_NOTHING);

    op->use = IRF_ALL & ~IRF_O;
    ir_val v = ir_temp(x->ir);
    xl_op(x, IR_OR, W8, v, f, xl_const(2))->def = 0;
    xl_op(x, IR_MOV, W8, xl_reg(4, W8), IR_NONE, xl_value(v));
}

void xlate_sahf(struct xlate *x)
{
    xl_op(x, IR_PUTF, W8, IR_NONE, xl_reg(4, W8), XL_NOTHING);
}

/* --- strings, one element --- */

static ir_val string_offset(struct xlate *x, unsigned reg)
{
    if (x->in->adsize == W32)
        return xl_reg(reg, W32);
    ir_val t = ir_temp(x->ir);
    xl_add_to(x, W16, t, xl_reg(reg, W32), 0);
    return t;
}

static ir_val string_load(struct xlate *x, unsigned seg, unsigned reg)
{
    enum width w = x->in->width;

    return xl_load(x, xl_linear(x, seg, string_offset(x, reg), w, false), w);
}

static void string_store(struct xlate *x, struct xl_val v)
{
    enum width w = x->in->width;

    xl_store(x, xl_linear(x, SEG_ES, string_offset(x, REG_DI), w, true), w, v);
}

static void string_advance(struct xlate *x, bool si, bool di)
{
    enum width w = x->in->adsize;
    ir_val step = ir_temp(x->ir);

    xl_op(x, IR_STEP, W32, step, IR_NONE, XL_NOTHING)->cc = x->in->width;
    for (unsigned r = REG_SI; r <= REG_DI; r++) {
        if (r == REG_SI ? si : di)
            xl_op(x, IR_ADDR, w, xl_reg(r, w), xl_reg(r, W32), xl_value(step));
    }
}

static bool repeated(struct xlate *x)
{
    x->declined = x->in->prefix & (INSN_REPE | INSN_REPNE);
    return x->declined;
}

void xlate_movs(struct xlate *x)
{
    if (repeated(x))
        return;
    string_store(x, xl_value(string_load(x, x->in->seg, REG_SI)));
    string_advance(x, true, true);
}

void xlate_stos(struct xlate *x)
{
    if (repeated(x))
        return;
    string_store(x, xl_value(xl_reg(REG_AX, x->in->width)));
    string_advance(x, false, true);
}

void xlate_lods(struct xlate *x)
{
    enum width w = x->in->width;

    if (repeated(x))
        return;
    ir_val v = string_load(x, x->in->seg, REG_SI);
    string_advance(x, true, false);
    xl_op(x, IR_MOV, w, xl_reg(REG_AX, w), IR_NONE, xl_value(v));
}

void xlate_scas(struct xlate *x)
{
    enum width w = x->in->width;

    if (repeated(x))
        return;
    ir_val v = string_load(x, SEG_ES, REG_DI);
    xl_op(x, IR_CMP, w, IR_NONE, xl_reg(REG_AX, w), xl_value(v));
    string_advance(x, false, true);
}

void xlate_cmps(struct xlate *x)
{
    enum width w = x->in->width;

    if (repeated(x))
        return;
    ir_val a = string_load(x, x->in->seg, REG_SI), b = string_load(x, SEG_ES, REG_DI);
    xl_op(x, IR_CMP, w, IR_NONE, a, xl_value(b));
    string_advance(x, true, true);
}
