/* SPDX-License-Identifier: MIT */
/* Private to the evaluator: ir_eval.c moves values and memory, ir_eval_pure.c computes. */
#pragma once

#include "cpu/state.h"
#include "jit/ir.h"

/** An evaluation under way. */
struct ir_eval {
    struct cpu *cpu;
    const struct ir_block *block;
    u8 unmasked; /* units with an exception that was not masked when the block began */
    u64 temp[IR_TEMPS];
    u8 *modified;     /* where STW writes what LDW read          */
    unsigned retired; /* guest instructions taken from clock->left */
    enum ir_result result;
};

/** Value @v in width @w: zero-extended. IR_CONST is @in's immediate. */
u64 ir_eval_get(const struct ir_eval *e, const struct ir_insn *in, ir_val v, enum width w);

/** Assign @in's destination. */
void ir_eval_set(struct ir_eval *e, const struct ir_insn *in, u64 v);

/** Evaluate an operation of kind PURE but STW, or a division. False: it bails. */
bool ir_eval_pure(struct ir_eval *e, const struct ir_insn *in) MUST_CHECK;
