/* SPDX-License-Identifier: MIT */
/*
 * x87, MMX and SSE: one operation an instruction, which says what it does to memory, to general
 * registers and to flags. The rest is known from the guest instruction itself.
 */
#include "jit/fp.h"
#include "jit/xlate.h"

/* Bytes of the memory operand, or 0 if operand @n is none. */
static unsigned memory_size(const struct insn *in, u8 operand)
{
    static const u8 sizes[OPND__COUNT] = {
        [OPND_Mw] = 2,    [OPND_Mfi16] = 2, [OPND_Ew_d] = 2, [OPND_Ww] = 2,    [OPND_Mf32] = 4,
        [OPND_Mfi32] = 4, [OPND_Md] = 4,    [OPND_Wss] = 4,  [OPND_Wd] = 4,    [OPND_Qd] = 4,
        [OPND_Ed] = 4,    [OPND_Ey] = 4,    [OPND_Mf64] = 8, [OPND_Mfi64] = 8, [OPND_Mq] = 8,
        [OPND_Wsd] = 8,   [OPND_Wq] = 8,    [OPND_Qq] = 8,   [OPND_Mf80] = 10, [OPND_Mdq] = 16,
        [OPND_Wx] = 16,   [OPND_Eb_d] = 1,
    };

    return in->mem ? sizes[operand] : 0;
}

/* The general register that operand @n is, or IR_NONE. */
static ir_val general(const struct xlate *x, unsigned n)
{
    switch (x->def->op[n]) {
    case OPND_Gd:
    case OPND_Gy:
        return xl_reg(x->in->reg, W32);
    case OPND_Ed:
    case OPND_Ey:
    case OPND_Ew_d:
    case OPND_Eb_d:
        return x->in->mem ? IR_NONE : xl_reg(x->in->rm, W32);
    case OPND_AX:
        return xl_reg(REG_AX, W16);
    default:
        return IR_NONE;
    }
}

static bool stores_number(const struct xlate *x)
{
    switch (x->in->id) {
    case INSN_FST_m32:
    case INSN_FSTP_m32:
    case INSN_FST_m64:
    case INSN_FSTP_m64:
    case INSN_FSTP_m80:
    case INSN_FIST_m16:
    case INSN_FISTP_m16:
    case INSN_FIST_m32:
    case INSN_FISTP_m32:
    case INSN_FISTP_m64:
    case INSN_FISTTP_m16:
    case INSN_FISTTP_m32:
    case INSN_FISTTP_m64:
    case INSN_FNSTCW:
    case INSN_FNSTSW_m16:
        return true;
    default:
        return false;
    }
}

static bool is_unmasked(const struct xlate *x)
{
    u8 units = jit_fp_units(x->in);

    return (units & FP_X87 && x->env->mode & JIT_MODE_X87_PE_UNMASKED && !x->env->raises) ||
           (units & FP_SSE && x->env->mode & JIT_MODE_SSE_UNMASKED);
}

/* The operation for what touches memory and what does not, with or without a general register. */
static void add(struct xlate *x, unsigned size, bool write)
{
    ir_val d = general(x, 0), a = general(x, 1);
    enum width w = d == IR_NONE && (size || a == IR_NONE) ? W8
                   : x->def->op[0] == OPND_AX             ? W16
                                                          : W32;
    struct ir_insn *op;

    x->declined = is_unmasked(x);
    if (size) {
        a = xl_linear_size(x, x->in->seg, xl_offset(x), size, write);
        op = xl_op(x, d == IR_NONE ? IR_FPM : IR_FPMG, w, d, a, XL_NOTHING);
        op->imm = (i64)(size | (write ? IR_FP_WRITE : 0u));
    } else if (d != IR_NONE) {
        op = xl_op(x, IR_FPG, w, d, IR_NONE, XL_NOTHING);
    } else {
        op = xl_op(x, a == IR_NONE ? IR_FP : IR_FPR, w, IR_NONE, a, XL_NOTHING);
    }
    op->def = ir_pack_flags(x->def->written);
    op->use = x->def->written ? 0 : ir_pack_flags(x->def->read);
}

void xlate_x87(struct xlate *x)
{
    add(x, memory_size(x->in, x->def->op[0]), stores_number(x));
}

void xlate_x87_function(struct xlate *x)
{
    ir_add(x->ir, IR_FPF, W8, x->g);
    x->declined = x->env->mode & JIT_MODE_X87_UNMASKED;
}

void xlate_simd(struct xlate *x)
{
    unsigned first = memory_size(x->in, x->def->op[0]), second = memory_size(x->in, x->def->op[1]);

    add(x, first ? first : second, first != 0);
}

void xlate_ldmxcsr(struct xlate *x)
{
    add(x, memory_size(x->in, OPND_Md), false);
}

void xlate_stmxcsr(struct xlate *x)
{
    add(x, memory_size(x->in, OPND_Md), true);
}
