/* SPDX-License-Identifier: MIT */
/* SSE and SSE2 conversions  [SDM 1 §10.4.3, §11.4.1.6]. */
#include "cpu/simd.h"

/* CVTT... chop whatever MXCSR says: opcodes 2C, F3 5B, 66 E6. */
static enum fp_round rounding(const struct insn *in, const struct fp_env *e)
{
    bool chop = in->opcode == 0x2C || (in->opcode == 0x5B && simd_prefix(in) == SIMD_F3) ||
                (in->opcode == 0xE6 && simd_prefix(in) == SIMD_66);

    return chop ? FP_CHOP : e->round;
}

/* CVTPI2PS (the high half stays), CVTPI2PD (which with memory leaves the x87 state alone). */
bool exec_cvtpi2p(struct cpu *cpu, const struct insn *in)
{
    struct fp_env e = fp_env_sse(cpu->sse.mxcsr);
    bool wide = simd_prefix(in) == SIMD_66, mmx = !in->mem || !wide;
    union vec *d = &cpu->sse.v[in->reg], s, r;

    if (!sse_enter(cpu) || (mmx && !mmx_wait(cpu)) || !simd_mmx_rm(cpu, in, &s.q[0]))
        return false;
    for (unsigned i = 0; i < 2; i++) {
        if (wide)
            r.q[i] = f64_from_int(&e, (i32)s.d[i]);
        else
            r.d[i] = f32_from_int(&e, (i32)s.d[i]);
    }
    if (!sse_finish(cpu, &e))
        return false;
    memcpy(d, &r, wide ? 16 : 8);
    if (mmx)
        mmx_touch(cpu);
    return true;
}

bool exec_cvtsi2s(struct cpu *cpu, const struct insn *in)
{
    struct fp_env e = fp_env_sse(cpu->sse.mxcsr);
    bool wide = simd_prefix(in) == SIMD_F2;
    u64 v, r;

    if (!sse_enter(cpu) || !rm_read(cpu, in, W32, &v))
        return false;
    r = wide ? f64_from_int(&e, (i32)v) : f32_from_int(&e, (i32)v);
    if (!sse_finish(cpu, &e))
        return false;
    if (wide)
        cpu->sse.v[in->reg].q[0] = r;
    else
        cpu->sse.v[in->reg].d[0] = (u32)r;
    return true;
}

/* CVTPS2PI CVTPD2PI CVTTPS2PI CVTTPD2PI */
bool exec_cvtp2pi(struct cpu *cpu, const struct insn *in)
{
    struct fp_env e = fp_env_sse(cpu->sse.mxcsr);
    bool wide = simd_prefix(in) == SIMD_66;
    union vec s, r;

    if (!sse_enter(cpu) || !mmx_wait(cpu))
        return false;
    if (wide ? !simd_xmm_rm(cpu, in, &s) : !simd_xmm_low(cpu, in, W64, &s.q[0]))
        return false;
    for (unsigned i = 0; i < 2; i++)
        r.d[i] = (u32)(wide ? f64_to_int(&e, s.q[i], 32, rounding(in, &e))
                            : f32_to_int(&e, s.d[i], 32, rounding(in, &e)));
    if (!sse_finish(cpu, &e))
        return false;
    mmx_set(cpu, in->reg, r.q[0]);
    mmx_touch(cpu);
    return true;
}

/* CVTSS2SI CVTSD2SI CVTTSS2SI CVTTSD2SI */
bool exec_cvts2si(struct cpu *cpu, const struct insn *in)
{
    struct fp_env e = fp_env_sse(cpu->sse.mxcsr);
    bool wide = simd_prefix(in) == SIMD_F2;
    i64 r;
    u64 v;

    if (!sse_enter(cpu) || !simd_xmm_low(cpu, in, wide ? W64 : W32, &v))
        return false;
    r = wide ? f64_to_int(&e, v, 32, rounding(in, &e))
             : f32_to_int(&e, (u32)v, 32, rounding(in, &e));
    if (!sse_finish(cpu, &e))
        return false;
    reg_set(cpu, in->reg, W32, (u32)r);
    return true;
}

bool exec_cvtps2pd(struct cpu *cpu, const struct insn *in)
{
    struct fp_env e = fp_env_sse(cpu->sse.mxcsr);
    union vec s, r;

    if (!sse_enter(cpu) || !simd_xmm_low(cpu, in, W64, &s.q[0]))
        return false;
    for (unsigned i = 0; i < 2; i++)
        r.q[i] = f32_to_f64(&e, s.d[i]);
    if (!sse_finish(cpu, &e))
        return false;
    memcpy(&cpu->sse.v[in->reg], &r, 16);
    return true;
}

bool exec_cvtpd2ps(struct cpu *cpu, const struct insn *in)
{
    struct fp_env e = fp_env_sse(cpu->sse.mxcsr);
    union vec s, r;

    if (!sse_enter(cpu) || !simd_xmm_rm(cpu, in, &s))
        return false;
    for (unsigned i = 0; i < 2; i++)
        r.d[i] = f64_to_f32(&e, s.q[i]);
    r.q[1] = 0;
    if (!sse_finish(cpu, &e))
        return false;
    memcpy(&cpu->sse.v[in->reg], &r, 16);
    return true;
}

bool exec_cvtss2sd(struct cpu *cpu, const struct insn *in)
{
    struct fp_env e = fp_env_sse(cpu->sse.mxcsr);
    u64 v;

    if (!sse_enter(cpu) || !simd_xmm_low(cpu, in, W32, &v))
        return false;
    v = f32_to_f64(&e, (u32)v);
    if (!sse_finish(cpu, &e))
        return false;
    cpu->sse.v[in->reg].q[0] = v;
    return true;
}

bool exec_cvtsd2ss(struct cpu *cpu, const struct insn *in)
{
    struct fp_env e = fp_env_sse(cpu->sse.mxcsr);
    u64 v;

    if (!sse_enter(cpu) || !simd_xmm_low(cpu, in, W64, &v))
        return false;
    v = f64_to_f32(&e, v);
    if (!sse_finish(cpu, &e))
        return false;
    cpu->sse.v[in->reg].d[0] = (u32)v;
    return true;
}

bool exec_cvtdq2ps(struct cpu *cpu, const struct insn *in)
{
    struct fp_env e = fp_env_sse(cpu->sse.mxcsr);
    union vec s, r;

    if (!sse_enter(cpu) || !simd_xmm_rm(cpu, in, &s))
        return false;
    for (unsigned i = 0; i < 4; i++)
        r.d[i] = f32_from_int(&e, (i32)s.d[i]);
    if (!sse_finish(cpu, &e))
        return false;
    memcpy(&cpu->sse.v[in->reg], &r, 16);
    return true;
}

/* CVTPS2DQ CVTTPS2DQ */
bool exec_cvtps2dq(struct cpu *cpu, const struct insn *in)
{
    struct fp_env e = fp_env_sse(cpu->sse.mxcsr);
    union vec s, r;

    if (!sse_enter(cpu) || !simd_xmm_rm(cpu, in, &s))
        return false;
    for (unsigned i = 0; i < 4; i++)
        r.d[i] = (u32)f32_to_int(&e, s.d[i], 32, rounding(in, &e));
    if (!sse_finish(cpu, &e))
        return false;
    memcpy(&cpu->sse.v[in->reg], &r, 16);
    return true;
}

/* CVTPD2DQ CVTTPD2DQ */
bool exec_cvtpd2dq(struct cpu *cpu, const struct insn *in)
{
    struct fp_env e = fp_env_sse(cpu->sse.mxcsr);
    union vec s, r;

    if (!sse_enter(cpu) || !simd_xmm_rm(cpu, in, &s))
        return false;
    for (unsigned i = 0; i < 2; i++)
        r.d[i] = (u32)f64_to_int(&e, s.q[i], 32, rounding(in, &e));
    r.q[1] = 0;
    if (!sse_finish(cpu, &e))
        return false;
    memcpy(&cpu->sse.v[in->reg], &r, 16);
    return true;
}

bool exec_cvtdq2pd(struct cpu *cpu, const struct insn *in)
{
    struct fp_env e = fp_env_sse(cpu->sse.mxcsr);
    union vec s, r;

    if (!sse_enter(cpu) || !simd_xmm_low(cpu, in, W64, &s.q[0]))
        return false;
    for (unsigned i = 0; i < 2; i++)
        r.q[i] = f64_from_int(&e, (i32)s.d[i]);
    memcpy(&cpu->sse.v[in->reg], &r, 16);
    return true;
}
