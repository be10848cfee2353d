/* SPDX-License-Identifier: MIT */
/*
 * x87, MMX and SSE state while translated code runs. Private to jit/.
 *
 * A host whose units are the guest's keeps the guest's state in them: cpu->jit.fp_live says which.
 * What is live there is stale in cpu->x87 and cpu->sse. Units become live when code that uses them
 * begins (jit_fp_enter()), if no instruction of theirs can fault but for its memory operand: TS and
 * EM are clear, no x87 error is pending, and exceptions are masked: all of SSE, those of x87 as the
 * code was made for. That stays so while they are live: what could change it is left to executors,
 * before which the state goes back. Code that was made while an x87 exception was not masked leaves
 * behind the instruction that raised one. Code for a host without such a unit does what raises
 * nothing but PE, and is made while that is masked.
 *
 * The x87 unit stays live across calls of C functions, which do not use it; SSE registers are saved
 * before and loaded after each. At the end of a run nothing is live.
 */
#pragma once

#include "cpu/insn.h"

struct cpu;
struct jit;
struct jit_block;
struct jit_site;

enum jit_fp_unit { FP_X87 = BIT(0), FP_SSE = BIT(1), FP_BOTH = 3, FP_RAISES = BIT(2) };

/** What is known of x87 instructions where code gives up: 1 + the guest instruction of the block
 * that has not been recorded for FIP and FOP, and for FDP; 0: none. */
struct jit_fp_site {
    u8 last, memory;
    bool gate;   /* it is where a unit could not become live */
    bool raised; /* behind an x87 instruction with an exception that is not masked */
    bool missed; /* the x87 unit is not as the code took it for granted */
};

/** cpu->jit.fp_op: nothing was recorded if it is 0. */
enum { FP_OP_RECORDED = BIT(16) };

/** The units that @in uses, if it is an x87, MMX or SSE instruction; else 0. */
u8 jit_fp_units(const struct insn *in);

/** Does @in record its place as cpu/x87.h says? */
bool jit_fp_records(const struct insn *in);

/** FIP, FCS and FOP of the x87 instruction @in at @eip. */
static inline u32 jit_fp_op(const struct insn *in)
{
    return FP_OP_RECORDED | (in->opcode & 7u) << 8 | in->modrm;
}

/** Can the units @need become live? With FP_RAISES, x87 exceptions may be unmasked. */
bool jit_fp_allowed(const struct cpu *cpu, u32 need);

/* --- called by generated code --- */

/** Make the units @need live, as far as C can: those that the code still has to load, or 0, and
 * nothing happened, if that is not possible. With FP_RAISES, x87 exceptions may be unmasked. */
u32 jit_fp_enter(struct cpu *cpu, u32 need);

/** What jit_fp_function() found. */
enum jit_fp_found { FP_FOUND, FP_FOUND_UP, FP_UNUSUAL };

/** Transcendental functions: of ST0; of ST0 and ST1, popping; of ST0, clearing C2; that, and
 * pushing a second result. */
enum jit_fp_kind { FP_UNARY, FP_BINARY, FP_SINE, FP_PAIR, FP_KINDS };
enum jit_fp_kind jit_fp_kind(const struct insn *in);

/**
 * Compute instruction @id, a transcendental function, of cpu->jit.fp_arg, which were ST0 and ST1
 * under cpu->jit.fp_cw, with fp_sw after they were popped. FP_FOUND: the result is in fp_arg[0],
 * what is to be pushed on it in fp_arg[1], what fp_arg[0] was in fp_arg[2], and C1 is 0;
 * FP_FOUND_UP: C1 is 1, which adding fp_up under fp_up_cw to the result makes, and nothing else.
 * FP_UNUSUAL: neither, or other flags have to be set, too.
 */
u32 jit_fp_function(struct cpu *cpu, u32 id);

/* --- the run loop --- */

/** Nothing is live from now on. */
void jit_fp_out(struct jit *j);

/** Executor @in is about to be called. */
void jit_fp_before(struct jit *j, const struct insn *in);

/** After an executor that may have changed anything: CR0 may forbid what is live. */
void jit_fp_after(struct jit *j);

/** Code of @b gave up at @s: what is interpreted next must find its units' state. */
void jit_fp_bail(struct jit *j, const struct jit_block *b, const struct jit_site *s);
