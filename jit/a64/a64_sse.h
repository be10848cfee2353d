/* SPDX-License-Identifier: MIT */
/* Private to the emitters of SSE instructions: operands, and which there are. */
#pragma once

#include "cpu/isa.h"
#include "cpu/simd.h"
#include "jit/a64/a64_emit.h"

/** The instruction being emitted. */
struct sse_op {
    const struct ir_insn *in;
    const struct insn *guest;
    enum simd_prefix prefix;
    u32 op; /* of its row */
};

typedef void sse_fn(struct a64_emit *e, const struct sse_op *o);

static inline u8 xmm(u8 n)
{
    return V_XMM + (n & 7);
}

static inline bool is_double(const struct sse_op *o)
{
    return o->prefix == SIMD_66 || o->prefix == SIMD_F2;
}

static inline bool is_scalar(const struct sse_op *o)
{
    return o->prefix == SIMD_F3 || o->prefix == SIMD_F2;
}

static inline enum width lane(const struct sse_op *o)
{
    return is_double(o) ? W64 : W32;
}

/* --- a64_emit_sse.c --- */

/** How many bytes of the operands of PS, PD, SS or SD count: 1 << that. */
unsigned a64_sse_source_size(const struct sse_op *o);
/** The operand by r/m, 1 << @size bytes of which count, in a register. */
u8 a64_sse_source(struct a64_emit *e, const struct sse_op *o, unsigned size);
/** The 32-bit operand by r/m in a general register. */
u8 a64_sse_source_general(struct a64_emit *e, const struct sse_op *o);
/** XMM @n = the low 1 << @size bytes of @v; the others stay. */
void a64_sse_put(struct a64_emit *e, u8 n, unsigned size, u8 v);
/** The same with XMM by reg, at the end of an instruction that may have raised. */
void a64_sse_finish(struct a64_emit *e, const struct sse_op *o, unsigned size, u8 v);

/* --- a64_emit_sse_fp.c --- */

/** What op is to a64_sse_arith(). */
enum { SSE_ADD, SSE_MUL, SSE_SUB, SSE_DIV };

sse_fn a64_sse_arith;
sse_fn a64_sse_root;
sse_fn a64_sse_choose_one;
sse_fn a64_sse_compare;
sse_fn a64_sse_order;
sse_fn a64_sse_single_from_int;
sse_fn a64_sse_double_from_int;
sse_fn a64_sse_int_from_scalar;
sse_fn a64_sse_other_precision;
sse_fn a64_sse_singles_from_ints;
sse_fn a64_sse_doubles_from_ints;
sse_fn a64_sse_ints_from_singles;
sse_fn a64_sse_ints_from_doubles;
