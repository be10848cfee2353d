/* SPDX-License-Identifier: MIT */
/*
 * Guest instructions -> IR. One function a group of rows, named in the xlate column of cpu/isa.def;
 * xlate_interp, for rows that have none, lets the executor do it.
 *
 * What a translator may count on: the decoder has checked prefixes, and the row's executor says
 * what every undefined flag and result is.
 */
#pragma once

#include "cpu/insn.h"
#include "cpu/isa.h"
#include "jit/ir.h"
#include "jit/mode.h"

/** What a block is translated under. */
struct xlate_env {
    u32 mode;       /* jit/mode.h */
    u32 cs_limit;   /* last valid EIP */
    bool soft;      /* immediates change often: read them anew where that is easy */
    bool soft_disp; /* displacements likewise */
    bool raises;    /* the host's x87 unit may raise what is not masked; if not, code is made for
                       what raises nothing but PE */
    bool refuses;   /* x87, MMX and SSE instructions may give up */
};

/** One guest instruction under translation. */
struct xlate {
    struct ir_block *ir;
    const struct insn *in;
    const struct insn_def *def;
    const struct xlate_env *env;
    unsigned g;    /* its number in the block */
    u32 next;      /* EIP after it            */
    bool last;     /* of its block            */
    bool declined; /* leave it to the executor after all */
};

/** An operand: a value, or the constant @imm if v is IR_CONST. */
struct xl_val {
    ir_val v;
    i64 imm;
};

/** Translate; sets x->declined, having added what it likes, to be undone, if it cannot. */
typedef void xlate_fn(struct xlate *x);

#define INSN(id, map, opcode, pfx, form, text, o1, o2, o3, attr, feat, rd, wr, un, exec, xlate)    \
    xlate_fn xlate_##xlate;
#include "cpu/isa.def"

/**
 * Translate @count decoded instructions, the first at @eip, and end the block. Instructions whose
 * bit is set in @by_exec are left to their executors.
 */
void xlate_block(struct ir_block *ir, const struct insn *insn, unsigned count, u32 eip,
                 const struct xlate_env *env, u64 by_exec);

/** The segment register that @in loads without ending its block; SEG_CS: none. If that changes the
 * register's class, the block cannot go on. */
unsigned xlate_loads(const struct insn *in);

/* --- for the translators --- */

/** Register @r of @w as a value: W8 4..7 are AH CH DH BH. */
ir_val xl_reg(unsigned r, enum width w);

/** The value of operand @n (0..2) of width @w; loads it if it is in memory. */
struct xl_val xl_read(struct xlate *x, unsigned n, enum width w);

/** The immediate, in @w. */
struct xl_val xl_immediate(struct xlate *x, enum width w);
/** The register that operand @n is; only if it is one. */
ir_val xl_reg_operand(const struct xlate *x, unsigned n, enum width w);
/** Is operand @n in memory? */
bool xl_in_memory(const struct xlate *x, unsigned n);

/** Linear address of the ModR/M (or O) memory operand for an access of @w. */
ir_val xl_address(struct xlate *x, enum width w, bool write);
/** Linear address of @off in @seg. */
ir_val xl_linear(struct xlate *x, unsigned seg, ir_val off, enum width w, bool write);
/** The same for @size bytes, 1 to 16. */
ir_val xl_linear_size(struct xlate *x, unsigned seg, ir_val off, unsigned size, bool write);
/** The effective address alone, wrapped to address size. */
ir_val xl_offset(struct xlate *x);

/** Load or store at a linear address. */
ir_val xl_load(struct xlate *x, ir_val at, enum width w);
void xl_store(struct xlate *x, ir_val at, enum width w, struct xl_val v);

/** Write operand 0. */
void xl_write(struct xlate *x, enum width w, struct xl_val v);

/** Append @op. */
struct ir_insn *xl_op(struct xlate *x, enum ir_op op, enum width w, ir_val d, ir_val a,
                      struct xl_val b);
/** The same with a new temporary as destination, which it returns. */
ir_val xl_op_temp(struct xlate *x, enum ir_op op, enum width w, ir_val a, struct xl_val b);

/** D = A + imm, as address arithmetic. */
void xl_add_to(struct xlate *x, enum width w, ir_val d, ir_val a, i64 imm);

static inline struct xl_val xl_value(ir_val v)
{
    return (struct xl_val){v, 0};
}

static inline struct xl_val xl_const(i64 imm)
{
    return (struct xl_val){IR_CONST, imm};
}

#define XL_NOTHING ((struct xl_val){IR_NONE, 0})

/* The stack. Values have operand size, the pointer the width of SS.B. */
void xl_push(struct xlate *x, struct xl_val v);
/** The same, but only the low @w of the slot is written. */
void xl_push_low(struct xlate *x, enum width w, struct xl_val v);
/** The value at the top, and afterwards the pointer moved by operand size + @more. */
ir_val xl_peek(struct xlate *x);
void xl_drop(struct xlate *x, unsigned bytes);
