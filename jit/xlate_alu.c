/* SPDX-License-Identifier: MIT */
/* Addition, logic, comparison, increments, shifts, products, quotients and bits. */
#include "base/bits.h"
#include "jit/xlate.h"

/* Operand 0 read for modification: a register, or memory that xl_finish() writes back. */
static ir_val xl_modify(struct xlate *x, enum width w)
{
    if (!xl_in_memory(x, 0))
        return xl_reg_operand(x, 0, w);
    ir_val at = xl_address(x, w, true), t = ir_temp(x->ir);
    struct ir_insn *op = xl_op(x, IR_LDW, w, t, at, XL_NOTHING);
    op->order = x->in->prefix & INSN_LOCK || x->def->attr & ATTR_Lockimpl ? IR_ORDER_ATOMIC
                                                                          : IR_ORDER_PLAIN;
    return t;
}

/* Where the result of modifying operand 0 goes before xl_finish(). */
static ir_val xl_result(struct xlate *x, enum width w)
{
    return xl_in_memory(x, 0) ? ir_temp(x->ir) : xl_reg_operand(x, 0, w);
}

static void xl_finish(struct xlate *x, enum width w, ir_val r)
{
    if (xl_in_memory(x, 0))
        xl_op(x, IR_STW, w, IR_NONE, IR_NONE, xl_value(r));
}

/* Operand 0 op= operand 1. Only one of the two can be in memory. */
static void xl_alu(struct xlate *x, enum ir_op op)
{
    enum width w = x->in->width;

    if (op == IR_CMP || op == IR_TEST) {
        struct xl_val a = xl_read(x, 0, w);
        struct xl_val b = xl_read(x, 1, w);
        xl_op(x, op, w, IR_NONE, a.v, b);
        return;
    }
    ir_val a = xl_modify(x, w);
    struct xl_val b = xl_read(x, 1, w);
    ir_val r = xl_result(x, w);
    xl_op(x, op, w, r, a, b);
    xl_finish(x, w, r);
}

static void xl_unary(struct xlate *x, enum ir_op op)
{
    enum width w = x->in->width;
    ir_val a = xl_modify(x, w), r = xl_result(x, w);

    xl_op(x, op, w, r, a, XL_NOTHING);
    xl_finish(x, w, r);
}

#define ALU(name, op)                                                                              \
    void xlate_##name(struct xlate *x)                                                             \
    {                                                                                              \
        xl_alu(x, IR_##op);                                                                        \
    }
#define UNARY(name, op)                                                                            \
    void xlate_##name(struct xlate *x)                                                             \
    {                                                                                              \
        xl_unary(x, IR_##op);                                                                      \
    }

ALU(add, ADD)
ALU(or, OR)
ALU(adc, ADC)
ALU(sbb, SBB)
ALU(and, AND)
ALU(sub, SUB)
ALU(xor, XOR)
ALU(cmp, CMP)
ALU(test, TEST)
UNARY(inc, INC)
UNARY(dec, DEC)
UNARY(neg, NEG)
UNARY(not, NOT)

/* --- shifts --- */

/* Shifts by CL set flags unless CL is 0. Nobody needs them mostly: ir_shifts_by_cl() knows. */
static void xl_shift(struct xlate *x, enum ir_op op, enum ir_op by_cl)
{
    enum width w = x->in->width;
    bool cl = x->def->op[1] == OPND_CL;
    unsigned n = x->def->op[1] == OPND_I1 ? 1 : (unsigned)x->in->imm & 31;

    if (cl ? by_cl == IR_EXEC || w < W32 : n == 0 || n >= width_bits(w)) {
        x->declined = true;
        return;
    }
    ir_val a = xl_modify(x, w), r = xl_result(x, w);
    if (cl)
        xl_op(x, by_cl, w, r, a, XL_NOTHING)->use = 0;
    else
        xl_op(x, op, w, r, a, xl_const(n));
    xl_finish(x, w, r);
}

#define SHIFT(name, op, by_cl)                                                                     \
    void xlate_##name(struct xlate *x)                                                             \
    {                                                                                              \
        xl_shift(x, IR_##op, IR_##by_cl);                                                          \
    }

SHIFT(rol, ROL, ROLV)
SHIFT(ror, ROR, RORV)
SHIFT(rcl, RCL, EXEC)
SHIFT(rcr, RCR, EXEC)
SHIFT(shl, SHL, SHLV)
SHIFT(shr, SHR, SHRV)
SHIFT(sar, SAR, SARV)

static void xl_shift_double(struct xlate *x, enum ir_op op)
{
    enum width w = x->in->width;
    unsigned n = (unsigned)x->in->imm & 31;

    if (w != W32 || x->def->op[2] != OPND_Ib || n == 0) {
        x->declined = true;
        return;
    }
    ir_val a = xl_modify(x, w), r = xl_result(x, w);
    xl_op(x, op, w, r, a, xl_value(xl_reg(x->in->reg, w)))->imm = n;
    xl_finish(x, w, r);
}

void xlate_shld(struct xlate *x)
{
    xl_shift_double(x, IR_SHLD);
}

void xlate_shrd(struct xlate *x)
{
    xl_shift_double(x, IR_SHRD);
}

/* --- products and quotients --- */

void xlate_imul2(struct xlate *x)
{
    enum width w = x->in->width;
    ir_val d = xl_reg(x->in->reg, w);

    xl_op(x, IR_IMUL, w, d, d, xl_read(x, 1, w));
}

void xlate_imul3(struct xlate *x)
{
    enum width w = x->in->width;
    struct xl_val a = xl_read(x, 1, w);

    ir_val d = xl_reg(x->in->reg, w);

    if (x->env->soft) { /* a product of two values is one's place */
        xl_op(x, IR_MOV, w, d, IR_NONE, a);
        a.v = d;
    }
    xl_op(x, IR_IMUL, w, d, a.v, xl_immediate(x, w));
}

static void xl_pair(struct xlate *x, enum ir_op op)
{
    struct xl_val a = xl_read(x, 0, x->in->width);

    xl_op(x, op, x->in->width, IR_NONE, a.v, XL_NOTHING);
}

#define PAIR(name, op)                                                                             \
    void xlate_##name(struct xlate *x)                                                             \
    {                                                                                              \
        xl_pair(x, IR_##op);                                                                       \
    }

PAIR(mul, MULU)
PAIR(imul, MULS)
PAIR(div, DIVU)
PAIR(idiv, DIVS)

/* --- bits --- */

/* The bit offset in a register is signed and reaches words beside a memory operand. */
static ir_val bit_string_address(struct xlate *x, bool write)
{
    ir_val word = ir_temp(x->ir), off = ir_temp(x->ir);

    xl_op(x, IR_SAR, W32, word, xl_reg(x->in->reg, W32), xl_const(5))->def = 0;
    ir_val ea = xl_offset(x);
    struct ir_insn *op = xl_op(x, IR_ADDR, W32, off, ea, xl_value(word));
    op->cc = 2;
    return xl_linear(x, x->in->seg, off, W32, write);
}

static void xl_bit(struct xlate *x, enum ir_op op)
{
    enum width w = x->in->width;
    bool imm = x->def->op[1] == OPND_Ib;
    struct xl_val bit =
        imm ? xl_const((i64)(x->in->imm & (width_bits(w) - 1))) : xl_value(xl_reg(x->in->reg, w));

    if (!x->in->mem) {
        ir_val r = xl_reg(x->in->rm, w);
        xl_op(x, op, w, op == IR_BT ? IR_NONE : r, r, bit);
        return;
    }
    if (!imm && (w != W32 || x->in->adsize != W32)) {
        x->declined = true;
        return;
    }
    ir_val at = imm ? xl_address(x, w, op != IR_BT) : bit_string_address(x, op != IR_BT);
    if (op == IR_BT) {
        xl_op(x, op, w, IR_NONE, xl_load(x, at, w), bit);
        return;
    }
    ir_val old = xl_op_temp(x, IR_LDW, w, at, XL_NOTHING);
    ir_val new = xl_op_temp(x, op, w, old, bit);
    xl_op(x, IR_STW, w, IR_NONE, IR_NONE, xl_value(new));
}

#define BITOP(name, op)                                                                            \
    void xlate_##name(struct xlate *x)                                                             \
    {                                                                                              \
        xl_bit(x, IR_##op);                                                                        \
    }

BITOP(bt, BT)
BITOP(bts, BTS)
BITOP(btr, BTR)
BITOP(btc, BTC)

static void xl_scan(struct xlate *x, enum ir_op op)
{
    enum width w = x->in->width;
    ir_val d = xl_reg(x->in->reg, w);
    struct xl_val a = xl_read(x, 1, w);

    xl_op(x, op, w, d, a.v, xl_value(d));
}

void xlate_bsf(struct xlate *x)
{
    xl_scan(x, IR_BSF);
}

void xlate_bsr(struct xlate *x)
{
    xl_scan(x, IR_BSR);
}

/* --- locked exchanges --- */

/* Nothing here may be written before the memory is: it can still fault until LDW is done. */
void xlate_cmpxchg(struct xlate *x)
{
    enum width w = x->in->width;
    ir_val acc = xl_reg(REG_AX, w), src = xl_reg(x->in->reg, w);

    if (!x->in->mem || w != W32) {
        x->declined = true;
        return;
    }
    ir_val old = xl_modify(x, w);
    xl_op(x, IR_CMP, w, IR_NONE, acc, xl_value(old));
    ir_val new = ir_temp(x->ir);
    struct ir_insn *op = xl_op(x, IR_CMOV, w, new, old, xl_value(src));
    op->cc = 4; /* equal */
    op->use = IRF_Z;
    xl_finish(x, w, new);
    xl_op(x, IR_MOV, w, acc, IR_NONE, xl_value(old)); /* where they were equal, nothing new */
}

void xlate_xadd(struct xlate *x)
{
    enum width w = x->in->width;
    ir_val src = xl_reg(x->in->reg, w);

    if (!x->in->mem) {
        x->declined = true;
        return;
    }
    ir_val old = xl_modify(x, w);
    ir_val sum = xl_op_temp(x, IR_ADD, w, old, xl_value(src));
    xl_finish(x, w, sum);
    xl_op(x, IR_MOV, w, src, IR_NONE, xl_value(old));
}

void xlate_xchg(struct xlate *x)
{
    enum width w = x->in->width;
    ir_val a = xl_modify(x, w), b = xl_reg(x->in->reg, w);

    if (xl_in_memory(x, 0)) {
        xl_finish(x, w, b);
        xl_op(x, IR_MOV, w, b, IR_NONE, xl_value(a));
        return;
    }
    ir_val t = xl_op_temp(x, IR_MOV, w, IR_NONE, xl_value(a));
    xl_op(x, IR_MOV, w, a, IR_NONE, xl_value(b));
    xl_op(x, IR_MOV, w, b, IR_NONE, xl_value(t));
}
