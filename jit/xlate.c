/* SPDX-License-Identifier: MIT */
/* The block driver, operands, addresses and the stack. */
#include "jit/xlate.h"

#include "base/bits.h"
#include "cpu/exec.h"

static xlate_fn *const xlate_of[INSN__COUNT] = {
#define INSN(id, map, opcode, pfx, form, text, o1, o2, o3, attr, feat, rd, wr, un, exec, xlate)    \
    [INSN_##id] = xlate_##xlate,
#include "cpu/isa.def"
};

struct ir_insn *xl_op(struct xlate *x, enum ir_op op, enum width w, ir_val d, ir_val a,
                      struct xl_val b)
{
    struct ir_insn *in = ir_add(x->ir, op, w, x->g);

    in->d = d;
    in->a = a;
    in->b = b.v;
    in->imm = b.imm;
    return in;
}

ir_val xl_op_temp(struct xlate *x, enum ir_op op, enum width w, ir_val a, struct xl_val b)
{
    ir_val t = ir_temp(x->ir);

    xl_op(x, op, w, t, a, b);
    return t;
}

void xl_add_to(struct xlate *x, enum width w, ir_val d, ir_val a, i64 imm)
{
    xl_op(x, IR_ADDR, w, d, a, XL_NOTHING)->imm = imm;
}

ir_val xl_reg(unsigned r, enum width w)
{
    return (ir_val)(w == W8 && r >= 4 ? IR_HIGH + (r & 3) : IR_REG + r);
}

/* --- operands --- */

bool xl_in_memory(const struct xlate *x, unsigned n)
{
    switch (x->def->op[n]) {
    case OPND_Eb:
    case OPND_Ew:
    case OPND_Ed:
    case OPND_Ev:
    case OPND_Ob:
    case OPND_Ov:
        return x->in->mem;
    default:
        return false;
    }
}

ir_val xl_reg_operand(const struct xlate *x, unsigned n, enum width w)
{
    const struct insn *in = x->in;

    switch (x->def->op[n]) {
    case OPND_Eb:
    case OPND_Ew:
    case OPND_Ed:
    case OPND_Ev:
        return xl_reg(in->rm, w);
    case OPND_Gb:
    case OPND_Gw:
    case OPND_Gd:
    case OPND_Gv:
    case OPND_Gz:
        return xl_reg(in->reg, w);
    case OPND_Zb:
    case OPND_Zv:
        return xl_reg(in->zreg, w);
    case OPND_AL:
    case OPND_AX:
    case OPND_rAX:
        return xl_reg(REG_AX, w);
    case OPND_CL:
        return xl_reg(REG_CX, w);
    default:
        return IR_NONE;
    }
}

struct xl_val xl_read(struct xlate *x, unsigned n, enum width w)
{
    ir_val r;

    if (xl_in_memory(x, n))
        return xl_value(xl_load(x, xl_address(x, w, false), w));
    r = xl_reg_operand(x, n, w);
    if (r != IR_NONE)
        return xl_value(r);
    if (x->def->op[n] == OPND_I1)
        return xl_const(1);
    return xl_immediate(x, w);
}

struct xl_val xl_immediate(struct xlate *x, enum width w)
{
    if (x->env->soft)
        return xl_value(xl_op_temp(x, IR_IMM, w, IR_NONE, XL_NOTHING));
    return xl_const((i64)sign_extend(x->in->imm, w));
}

void xl_write(struct xlate *x, enum width w, struct xl_val v)
{
    if (xl_in_memory(x, 0))
        xl_store(x, xl_address(x, w, true), w, v);
    else
        xl_op(x, IR_MOV, w, xl_reg_operand(x, 0, w), IR_NONE, v);
}

/* --- memory --- */

/* With a displacement that is read anew. x87 looks for the address of its last operand later. */
static bool offset_is_soft(const struct xlate *x)
{
    bool x87 = x->def->map == MAP_1B && (x->in->opcode & 0xf8) == 0xd8;

    return x->env->soft_disp && x->in->has_disp && !x87;
}

static ir_val soft_offset(struct xlate *x)
{
    const struct insn *in = x->in;
    ir_val base = in->base != NO_REG ? xl_reg(in->base, W32) : IR_NONE;
    ir_val at = xl_op_temp(x, IR_DISP, W32, IR_NONE, XL_NOTHING);

    if (in->index != NO_REG) {
        struct ir_insn *op = ir_add(x->ir, IR_ADDR, W32, x->g);
        op->a = at;
        op->b = xl_reg(in->index, W32);
        op->cc = in->scale;
        op->d = at = ir_temp(x->ir);
    }
    struct ir_insn *op = ir_add(x->ir, IR_ADDR, in->adsize == W16 ? W16 : W32, x->g);
    op->a = at;
    op->b = base;
    op->d = ir_temp(x->ir);
    return op->d;
}

ir_val xl_offset(struct xlate *x)
{
    const struct insn *in = x->in;
    bool moffs = x->def->op[0] == OPND_Ob || x->def->op[0] == OPND_Ov || x->def->op[1] == OPND_Ob ||
                 x->def->op[1] == OPND_Ov;
    i64 disp = moffs ? (i64)in->imm : in->disp;
    enum width w = in->adsize == W16 ? W16 : W32;
    bool has_base = !moffs && in->base != NO_REG, has_index = !moffs && in->index != NO_REG;

    if (offset_is_soft(x))
        return soft_offset(x);
    if (!has_base && !has_index) /* zero-extended */
        return xl_op_temp(x, IR_MOV, W32, IR_NONE, xl_const((i64)((u64)disp & width_mask(w))));
    if (has_base && !has_index && disp == 0 && w == W32)
        return xl_reg(in->base, W32);
    ir_val t = ir_temp(x->ir);
    struct ir_insn *op = ir_add(x->ir, IR_ADDR, w, x->g);
    op->d = t;
    op->a = has_base ? xl_reg(in->base, W32) : IR_NONE;
    op->b = has_index ? xl_reg(in->index, W32) : IR_NONE;
    op->cc = has_index ? in->scale : 0;
    op->imm = disp;
    return t;
}

ir_val xl_linear(struct xlate *x, unsigned seg, ir_val off, enum width w, bool write)
{
    return xl_linear_size(x, seg, off, 1u << w, write);
}

ir_val xl_linear_size(struct xlate *x, unsigned seg, ir_val off, unsigned size, bool write)
{
    enum seg_class c = seg == SEG_CS && write ? SEGC_CHECK : jit_mode_seg(x->env->mode, seg);

    if (c == SEGC_FLAT)
        return off;
    ir_val t = ir_temp(x->ir);
    struct ir_insn *op = ir_add(x->ir, IR_SEGLIN, W32, x->g);
    op->d = t;
    op->a = off;
    op->cc = (u8)seg;
    op->imm = (i64)((size & IR_ACCESS_SIZE) | (write ? IR_ACCESS_WRITE : 0u) |
                    (u32)c << IR_ACCESS_CLASS_SHIFT);
    return t;
}

ir_val xl_address(struct xlate *x, enum width w, bool write)
{
    return xl_linear(x, x->in->seg, xl_offset(x), w, write);
}

ir_val xl_load(struct xlate *x, ir_val at, enum width w)
{
    return xl_op_temp(x, IR_LD, w, at, XL_NOTHING);
}

void xl_store(struct xlate *x, ir_val at, enum width w, struct xl_val v)
{
    xl_op(x, IR_ST, w, IR_NONE, at, v);
}

/* --- the stack --- */

static enum width stack_width(const struct xlate *x)
{
    return x->env->mode & JIT_MODE_SS32 ? W32 : W16;
}

/* (E)SP + @disp, zero-extended. */
static ir_val stack_offset(struct xlate *x, i64 disp)
{
    if (disp == 0 && stack_width(x) == W32)
        return xl_reg(REG_SP, W32);
    ir_val t = ir_temp(x->ir);
    xl_add_to(x, stack_width(x), t, xl_reg(REG_SP, W32), disp);
    return t;
}

void xl_push(struct xlate *x, struct xl_val v)
{
    xl_push_low(x, x->in->opsize, v);
}

void xl_push_low(struct xlate *x, enum width w, struct xl_val v)
{
    i64 size = (i64)width_bytes(x->in->opsize);
    ir_val at = xl_linear(x, SEG_SS, stack_offset(x, -size), w, true);

    xl_store(x, at, w, v);
    xl_drop(x, (unsigned)-size);
}

ir_val xl_peek(struct xlate *x)
{
    enum width w = x->in->opsize;

    return xl_load(x, xl_linear(x, SEG_SS, stack_offset(x, 0), w, false), w);
}

void xl_drop(struct xlate *x, unsigned bytes)
{
    xl_add_to(x, stack_width(x), xl_reg(REG_SP, stack_width(x)), xl_reg(REG_SP, W32), (i32)bytes);
}

/* --- blocks --- */

void xlate_interp(struct xlate *x)
{
    struct ir_insn *op = ir_add(x->ir, IR_EXEC, W32, x->g);

    op->def = ir_pack_flags(x->def->written);
    op->use = ir_pack_flags(x->def->read);
    if ((x->def->attr & ATTR_Ends) || xlate_loads(x->in) == SEG_SS) /* its shadow follows */
        ir_add(x->ir, IR_LEAVE, W32, x->g);
}

static void xlate_one(struct xlate *x, bool by_exec)
{
    struct ir_block *ir = x->ir;
    u16 count = ir->count, temps = ir->temps;

    /* Another executor than the row's: the decoder found the encoding to be illegal. */
    by_exec |= x->in->exec != exec_of[x->in->id];
    if (!by_exec)
        xlate_of[x->in->id](x);
    if (!by_exec && !x->declined)
        return;
    ir->count = count;
    ir->temps = temps;
    xlate_interp(x);
}

static bool ended(const struct ir_block *ir)
{
    return ir->count && ir_op_info[ir->insn[ir->count - 1].op].kind == IR_EXIT;
}

void xlate_block(struct ir_block *ir, const struct insn *insn, unsigned count, u32 eip,
                 const struct xlate_env *env, u64 by_exec)
{
    u32 at = eip;

    ir_init(ir, eip);
    ir->guest = insn;
    ir->raises = env->raises && env->mode & JIT_MODE_X87_UNMASKED;
    ir->refuses = env->refuses;
    for (unsigned g = 0; g < count && !ir->full && !ended(ir); g++) {
        struct xlate x = {
            .ir = ir,
            .in = &insn[g],
            .def = &insn_def[insn[g].id],
            .env = env,
            .g = g,
            .next = at + insn[g].len,
            .last = g + 1 == count,
        };
        ir->at[g] = at;
        ir->guests = (u8)(g + 1);
        at = x.next;
        ir->at[g + 1] = at;
        ir->fall = at;
        xlate_one(&x, by_exec >> g & 1);
    }
    if (!ended(ir))
        ir_add(ir, IR_JMP, W32, count - 1)->imm = at;
}
