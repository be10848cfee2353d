/* SPDX-License-Identifier: MIT */
/* Private to jit/: what printer, verifier and evaluator of the intermediate form share. */
#pragma once

#include "jit/ir.h"

/** What the field cc of an operation means. */
enum ir_x {
    IR_X_NONE,
    IR_X_COND,
    IR_X_SEG,
    IR_X_SHIFT,
    IR_X_WIDTH,
    IR_X_HINT,
    IR_X_FLAG,
    IR_X_FIELD
};

static inline enum ir_x ir_x_of(unsigned op)
{
    switch (op) {
    case IR_SETCC:
    case IR_CMOV:
    case IR_BR:
        return IR_X_COND;
    case IR_SEGLIN:
        return IR_X_SEG;
    case IR_ADDR:
    case IR_STEP:
        return IR_X_SHIFT;
    case IR_ZEXT:
    case IR_SEXT:
        return IR_X_WIDTH;
    case IR_JMPR:
        return IR_X_HINT;
    case IR_BRZ:
        return IR_X_FLAG;
    case IR_GET:
    case IR_PUT:
        return IR_X_FIELD;
    default:
        return IR_X_NONE;
    }
}

/** Does the width of @op mean anything? */
static inline bool ir_takes_width(unsigned op)
{
    switch (op) {
    case IR_SETC:
    case IR_CMC:
    case IR_PUTF:
    case IR_PUTE:
    case IR_DF:
    case IR_FP:
    case IR_FPF:
    case IR_FPM:
    case IR_EXEC:
    case IR_JMP:
    case IR_BR:
    case IR_JMPR:
    case IR_LEAVE:
    case IR_TSC:
        return false;
    default:
        return true;
    }
}

/** The width in which @in reads its operand A: addresses and targets have 32 bits,
 * the byte of PUTF 8. */
static inline enum width ir_a_width(const struct ir_insn *in)
{
    switch (in->op) {
    case IR_ZEXT:
    case IR_SEXT:
        return (enum width)in->cc;
    case IR_LD:
    case IR_LDW:
    case IR_ST:
    case IR_FPM:
    case IR_FPMG:
    case IR_JMPR:
    case IR_PUTE:
        return W32;
    case IR_PUTF:
        return W8;
    default:
        return (enum width)in->w;
    }
}

/** How many bits of the temporary that @in assigns are good: addresses are zero-extended. */
static inline enum width ir_d_width(const struct ir_insn *in)
{
    return in->op == IR_ADDR || in->op == IR_SEGLIN ? W64 : (enum width)in->w;
}
