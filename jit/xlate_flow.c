/* SPDX-License-Identifier: MIT */
/* Near jumps, calls, returns and loops. */
#include "base/bits.h"
#include "jit/xlate.h"

/* Is every EIP of the operand's size inside the code segment? */
static bool any_target(const struct xlate *x)
{
    return width_mask(x->in->opsize) <= x->env->cs_limit;
}

/* The static target; declines, for the executor to raise #GP, if it is beyond the limit. */
static u32 target(struct xlate *x)
{
    u32 t = (u32)((x->next + x->in->imm) & width_mask(x->in->opsize));

    x->declined |= t > x->env->cs_limit;
    return t;
}

void xlate_jmp_j(struct xlate *x)
{
    u32 to = target(x);

    ir_add(x->ir, IR_JMP, W32, x->g)->imm = to;
}

void xlate_jcc(struct xlate *x)
{
    struct ir_insn *op = ir_add(x->ir, IR_BR, W32, x->g);

    op->imm = target(x);
    op->cc = x->in->opcode & 15;
    op->use = ir_cond_flags(op->cc);
}

void xlate_call_j(struct xlate *x)
{
    u32 to = target(x);

    xl_push(x, xl_const((i64)sign_extend(x->next, x->in->opsize)));
    ir_add(x->ir, IR_JAL, W32, x->g)->imm = to;
}

static ir_val to_eip(struct xlate *x, ir_val v)
{
    if (x->in->opsize == W32)
        return v;
    ir_val t = ir_temp(x->ir);
    xl_op(x, IR_ZEXT, W32, t, v, XL_NOTHING)->cc = W16;
    return t;
}

static void jump_to(struct xlate *x, ir_val v, enum ir_hint hint)
{
    x->declined |= !any_target(x);
    xl_op(x, IR_JMPR, W32, IR_NONE, v, XL_NOTHING)->cc = (u8)hint;
}

void xlate_jmp_e(struct xlate *x)
{
    struct xl_val v = xl_read(x, 0, x->in->opsize);

    jump_to(x, to_eip(x, v.v), IR_HINT_JUMP);
}

/* CALL ESP jumps to the old ESP: the target is a copy. */
void xlate_call_e(struct xlate *x)
{
    enum width w = x->in->opsize;
    struct xl_val v = xl_read(x, 0, w);
    ir_val t = to_eip(x, v.v);

    if (t == xl_reg(REG_SP, W32))
        t = xl_op_temp(x, IR_MOV, W32, IR_NONE, xl_value(t));
    xl_push(x, xl_const((i64)sign_extend(x->next, w)));
    jump_to(x, t, IR_HINT_CALL);
}

void xlate_ret(struct xlate *x)
{
    unsigned parameters = x->in->opcode == 0xc2 ? (u16)x->in->imm : 0;
    ir_val v = xl_peek(x);
    ir_val t = to_eip(x, v);

    xl_drop(x, width_bytes(x->in->opsize) + parameters);
    jump_to(x, t, IR_HINT_RET);
}

/* (E)CX counts down and jumps while it is not 0. */
void xlate_loop(struct xlate *x)
{
    enum width w = x->in->adsize;
    ir_val cx = xl_reg(REG_CX, w);
    u32 to = target(x);

    xl_add_to(x, w, cx, xl_reg(REG_CX, W32), -1);
    struct ir_insn *op = xl_op(x, IR_BRZ, w, IR_NONE, cx, XL_NOTHING);
    op->cc = 0;
    op->imm = to;
}

void xlate_jcxz(struct xlate *x)
{
    enum width w = x->in->adsize;
    u32 to = target(x);
    struct ir_insn *op = xl_op(x, IR_BRZ, w, IR_NONE, xl_reg(REG_CX, w), XL_NOTHING);

    op->cc = 1;
    op->imm = to;
}
