/* SPDX-License-Identifier: MIT */
/* Floating point of SSE3 and SSE4.1: horizontal sums, duplicates, dot products, rounding. */
#include "cpu/simd.h"

/* The 16 bytes of source, and the end: @r into the register unless an exception is unmasked. */
static bool enter_with(struct cpu *cpu, const struct insn *in, union vec *s)
{
    return sse_enter(cpu) && simd_xmm_rm(cpu, in, s);
}

static bool finish(struct cpu *cpu, const struct insn *in, struct fp_env *e, const union vec *r)
{
    if (!sse_finish(cpu, e))
        return false;
    cpu->sse.v[in->reg].q[0] = r->q[0];
    cpu->sse.v[in->reg].q[1] = r->q[1];
    return true;
}

/* Even lanes are subtracted, odd ones added. */
bool exec_fp_addsub(struct cpu *cpu, const struct insn *in)
{
    struct fp_env e = fp_env_sse(cpu->sse.mxcsr);
    const union vec *d = &cpu->sse.v[in->reg];
    union vec s, r;

    if (!enter_with(cpu, in, &s))
        return false;
    if (simd_prefix(in) == SIMD_66) {
        for (unsigned i = 0; i < 2; i++)
            r.q[i] = f64_arith(&e, i ? FP_ADD : FP_SUB, d->q[i], s.q[i]);
    } else {
        for (unsigned i = 0; i < 4; i++)
            r.d[i] = f32_arith(&e, i & 1 ? FP_ADD : FP_SUB, d->d[i], s.d[i]);
    }
    return finish(cpu, in, &e, &r);
}

static bool horizontal(struct cpu *cpu, const struct insn *in, enum fp_op op)
{
    struct fp_env e = fp_env_sse(cpu->sse.mxcsr);
    const union vec *d = &cpu->sse.v[in->reg];
    union vec s, r;

    if (!enter_with(cpu, in, &s))
        return false;
    if (simd_prefix(in) == SIMD_66) {
        r.q[0] = f64_arith(&e, op, d->q[0], d->q[1]);
        r.q[1] = f64_arith(&e, op, s.q[0], s.q[1]);
    } else {
        r.d[0] = f32_arith(&e, op, d->d[0], d->d[1]);
        r.d[1] = f32_arith(&e, op, d->d[2], d->d[3]);
        r.d[2] = f32_arith(&e, op, s.d[0], s.d[1]);
        r.d[3] = f32_arith(&e, op, s.d[2], s.d[3]);
    }
    return finish(cpu, in, &e, &r);
}

bool exec_fp_hadd(struct cpu *cpu, const struct insn *in)
{
    return horizontal(cpu, in, FP_ADD);
}

bool exec_fp_hsub(struct cpu *cpu, const struct insn *in)
{
    return horizontal(cpu, in, FP_SUB);
}

bool exec_movddup(struct cpu *cpu, const struct insn *in)
{
    u64 v;

    if (!sse_enter(cpu) || !simd_xmm_low(cpu, in, W64, &v))
        return false;
    cpu->sse.v[in->reg].q[0] = cpu->sse.v[in->reg].q[1] = v;
    return true;
}

/* @odd lanes, or even ones, twice. */
static bool duplicate(struct cpu *cpu, const struct insn *in, unsigned odd)
{
    union vec s;

    if (!enter_with(cpu, in, &s))
        return false;
    for (unsigned i = 0; i < 4; i++)
        cpu->sse.v[in->reg].d[i] = s.d[(i & 2) + odd];
    return true;
}

bool exec_movsldup(struct cpu *cpu, const struct insn *in)
{
    return duplicate(cpu, in, 0);
}

bool exec_movshdup(struct cpu *cpu, const struct insn *in)
{
    return duplicate(cpu, in, 1);
}

/* ROUNDPS PD SS SD: opcodes 08 to 0B. */
bool exec_fp_round(struct cpu *cpu, const struct insn *in)
{
    enum { USE_MXCSR = 4, NO_PRECISION = 8 };
    struct fp_env e = fp_env_sse(cpu->sse.mxcsr);
    enum fp_round round = in->imm & USE_MXCSR ? e.round : in->imm & 3;
    bool wide = in->opcode & 1, scalar = in->opcode & 2;
    union vec s, r = {.q = {cpu->sse.v[in->reg].q[0], cpu->sse.v[in->reg].q[1]}};

    if (!sse_enter(cpu))
        return false;
    if (scalar ? !simd_xmm_low(cpu, in, wide ? W64 : W32, &s.q[0]) : !simd_xmm_rm(cpu, in, &s))
        return false;
    if (wide) {
        for (unsigned i = 0; i < (scalar ? 1 : 2); i++)
            r.q[i] = f64_rint(&e, s.q[i], round);
    } else {
        for (unsigned i = 0; i < (scalar ? 1 : 4); i++)
            r.d[i] = f32_rint(&e, s.d[i], round);
    }
    if (in->imm & NO_PRECISION)
        e.flags &= (u8)~FP_PE;
    return finish(cpu, in, &e, &r);
}

/* The products that the high half of the immediate chooses, added in pairs; the low half says where
 * the sum goes. Each step is an operation of its own, so an exception ends it. */
bool exec_dpps(struct cpu *cpu, const struct insn *in)
{
    struct fp_env e = fp_env_sse(cpu->sse.mxcsr);
    const union vec *d = &cpu->sse.v[in->reg];
    union vec s, p, r;
    u32 low, high, sum;

    if (!enter_with(cpu, in, &s))
        return false;
    for (unsigned i = 0; i < 4; i++)
        p.d[i] = in->imm >> (4 + i) & 1 ? f32_arith(&e, FP_MUL, d->d[i], s.d[i]) : 0;
    if (!sse_finish(cpu, &e))
        return false;
    low = f32_arith(&e, FP_ADD, p.d[0], p.d[1]);
    high = f32_arith(&e, FP_ADD, p.d[2], p.d[3]);
    if (!sse_finish(cpu, &e))
        return false;
    sum = f32_arith(&e, FP_ADD, low, high);
    for (unsigned i = 0; i < 4; i++)
        r.d[i] = in->imm >> i & 1 ? sum : 0;
    return finish(cpu, in, &e, &r);
}

bool exec_dppd(struct cpu *cpu, const struct insn *in)
{
    struct fp_env e = fp_env_sse(cpu->sse.mxcsr);
    const union vec *d = &cpu->sse.v[in->reg];
    union vec s, p, r;
    u64 sum;

    if (!enter_with(cpu, in, &s))
        return false;
    for (unsigned i = 0; i < 2; i++)
        p.q[i] = in->imm >> (4 + i) & 1 ? f64_arith(&e, FP_MUL, d->q[i], s.q[i]) : 0;
    if (!sse_finish(cpu, &e))
        return false;
    sum = f64_arith(&e, FP_ADD, p.q[0], p.q[1]);
    for (unsigned i = 0; i < 2; i++)
        r.q[i] = in->imm >> i & 1 ? sum : 0;
    return finish(cpu, in, &e, &r);
}
