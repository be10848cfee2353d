/* SPDX-License-Identifier: MIT */
/* Private to the executors of MMX and SSE: checks, operands, ends  [SDM 3A §12.1, §13.1]. */
#pragma once

#include <string.h>

#include "cpu/operand.h"
#include "cpu/softfloat.h"

enum simd_prefix { SIMD_NP, SIMD_66, SIMD_F3, SIMD_F2 };

/** The mandatory prefix, as the decoder chose the row by it. */
ALWAYS_INLINE enum simd_prefix simd_prefix(const struct insn *in)
{
    if (in->prefix & INSN_REPE)
        return SIMD_F3;
    if (in->prefix & INSN_REPNE)
        return SIMD_F2;
    return in->prefix & INSN_OPSIZE ? SIMD_66 : SIMD_NP;
}

ALWAYS_INLINE MUST_CHECK bool sse_enter(struct cpu *cpu)
{
    if (UNLIKELY((cpu->cr0 & CR0_EM) || !(cpu->cr4 & CR4_OSFXSR)))
        return fault_ud(cpu);
    if (UNLIKELY(cpu->cr0 & CR0_TS))
        return fault_nm(cpu);
    return true;
}

/** A pending x87 error comes before an instruction that uses MMX registers. */
ALWAYS_INLINE MUST_CHECK bool mmx_wait(struct cpu *cpu)
{
    if (UNLIKELY((cpu->x87.status & X87_SW_ES) && (cpu->cr0 & CR0_NE)))
        return fault_mf(cpu);
    return true;
}

ALWAYS_INLINE MUST_CHECK bool mmx_enter(struct cpu *cpu)
{
    if (UNLIKELY(cpu->cr0 & CR0_EM))
        return fault_ud(cpu);
    if (UNLIKELY(cpu->cr0 & CR0_TS))
        return fault_nm(cpu);
    return mmx_wait(cpu);
}

/** MMX with prefix NP, SSE2 with prefix 66: many integer instructions come in both. */
ALWAYS_INLINE MUST_CHECK bool simd_enter(struct cpu *cpu, bool xmm)
{
    return xmm ? sse_enter(cpu) : mmx_enter(cpu);
}

/** Every MMX instruction but EMMS leaves all registers valid and TOP 0  [SDM 3A §12.2]. */
ALWAYS_INLINE void mmx_touch(struct cpu *cpu)
{
    cpu->x87.top = 0;
    cpu->x87.empty = 0;
}

ALWAYS_INLINE u64 mmx_get(const struct cpu *cpu, unsigned i)
{
    return cpu->x87.r[i & 7].mant;
}

ALWAYS_INLINE void mmx_set(struct cpu *cpu, unsigned i, u64 v)
{
    cpu->x87.r[i & 7] = (struct f80){v, 0xFFFF};
}

/** 16 bytes of memory; #GP(0) if @aligned and they are not. */
ALWAYS_INLINE MUST_CHECK bool simd_read16(struct cpu *cpu, const struct insn *in, bool aligned,
                                          union vec *v)
{
    u64 off = insn_ea(cpu, in);
    lin_addr lin = seg_linear(cpu, in->seg, off);
    const u8 *p;

    if (!seg_check(cpu, in->seg, off, 16, SEG_PERM_R))
        return false;
    if (aligned && (lin & 15))
        return fault_gp(cpu, 0);
    p = mmu_host(mmu_view(cpu->mmu)->cur.read, lin);
    if (LIKELY(p && mmu_in_page(lin, 16))) {
        v->q[0] = load_le(p, 8);
        v->q[1] = load_le(p + 8, 8);
        return true;
    }
    return mem_read_bytes(cpu, in->seg, off, v->b, 16);
}

ALWAYS_INLINE MUST_CHECK bool simd_write16(struct cpu *cpu, const struct insn *in, bool aligned,
                                           const union vec *v)
{
    u64 off = insn_ea(cpu, in);
    lin_addr lin = seg_linear(cpu, in->seg, off);
    u8 *p;

    if (!seg_check(cpu, in->seg, off, 16, SEG_PERM_W))
        return false;
    if (aligned && (lin & 15))
        return fault_gp(cpu, 0);
    p = mmu_host(mmu_view(cpu->mmu)->cur.write, lin);
    if (LIKELY(p && mmu_in_page(lin, 16))) {
        memcpy(p, v->b, 16);
        return true;
    }
    return mem_write_bytes(cpu, in->seg, off, v->b, 16);
}

/** XMM by r/m, or 16 aligned bytes; only the low 128 bits of *@v are set. */
ALWAYS_INLINE MUST_CHECK bool simd_xmm_rm(struct cpu *cpu, const struct insn *in, union vec *v)
{
    if (in->mem)
        return simd_read16(cpu, in, true, v);
    v->q[0] = cpu->sse.v[in->rm].q[0];
    v->q[1] = cpu->sse.v[in->rm].q[1];
    return true;
}

/** The low part of XMM by r/m, or memory of that width. */
ALWAYS_INLINE MUST_CHECK bool simd_xmm_low(struct cpu *cpu, const struct insn *in, enum width w,
                                           u64 *v)
{
    if (in->mem)
        return mem_read(cpu, in->seg, insn_ea(cpu, in), w, v);
    *v = w == W32 ? cpu->sse.v[in->rm].d[0] : cpu->sse.v[in->rm].q[0];
    return true;
}

/** MMX by r/m, or 8 bytes of memory. */
ALWAYS_INLINE MUST_CHECK bool simd_mmx_rm(struct cpu *cpu, const struct insn *in, u64 *v)
{
    if (in->mem)
        return mem_read(cpu, in->seg, insn_ea(cpu, in), W64, v);
    *v = mmx_get(cpu, in->rm);
    return true;
}

/** What an integer instruction does to its destination @d; @bytes is 8 or 16. */
typedef void simd_fn(union vec *d, const union vec *s, unsigned bytes);

/** The whole instruction: MMX (NP) or XMM (66) by reg = fn(itself, r/m). */
bool simd_packed(struct cpu *cpu, const struct insn *in, simd_fn *fn);

/**
 * End of an SSE floating-point instruction: its flags go to MXCSR. False: an unmasked exception,
 * #XM or without CR4.OSXMMEXCPT #UD; nothing else may change.
 */
bool sse_finish(struct cpu *cpu, struct fp_env *e) MUST_CHECK;
