/* SPDX-License-Identifier: MIT */
/* Registers and operands of an executing instruction. */
#pragma once

#include "base/bits.h"
#include "cpu/access.h"
#include "cpu/insn.h"
#include "cpu/state.h"

/** Read GPR @r. W8: 4..7 are AH CH DH BH (no REX). */
ALWAYS_INLINE u64 reg_get(const struct cpu *cpu, unsigned r, enum width w)
{
    switch (w) {
    case W8:
        return r < 4 ? (u8)cpu->gpr[r] : (u8)(cpu->gpr[r & 3] >> 8);
    case W16:
        return (u16)cpu->gpr[r];
    case W32:
        return (u32)cpu->gpr[r];
    default:
        return cpu->gpr[r];
    }
}

/** Write GPR @r. 8- and 16-bit writes keep the other bits, 32-bit ones zero the upper half. */
ALWAYS_INLINE void reg_set(struct cpu *cpu, unsigned r, enum width w, u64 v)
{
    switch (w) {
    case W8:
        if (r < 4)
            cpu->gpr[r] = (cpu->gpr[r] & ~(u64)0xff) | (u8)v;
        else
            cpu->gpr[r & 3] = (cpu->gpr[r & 3] & ~(u64)0xff00) | (u64)(u8)v << 8;
        break;
    case W16:
        cpu->gpr[r] = (cpu->gpr[r] & ~(u64)0xffff) | (u16)v;
        break;
    case W32:
        cpu->gpr[r] = (u32)v;
        break;
    default:
        cpu->gpr[r] = v;
        break;
    }
}

/** Effective address (offset in in->seg) of the ModR/M memory operand, wrapped to address size. */
ALWAYS_INLINE u64 insn_ea(const struct cpu *cpu, const struct insn *in)
{
    u64 ea = (u64)(i64)in->disp;

    if (in->base != NO_REG)
        ea += cpu->gpr[in->base];
    if (in->index != NO_REG)
        ea += cpu->gpr[in->index] << in->scale;
    return in->adsize == W16 ? (u16)ea : (u32)ea;
}

/** ModR/M r/m operand as source. */
ALWAYS_INLINE MUST_CHECK bool rm_read(struct cpu *cpu, const struct insn *in, enum width w,
                                      u64 *out)
{
    if (!in->mem) {
        *out = reg_get(cpu, in->rm, w);
        return true;
    }
    return mem_read(cpu, in->seg, insn_ea(cpu, in), w, out);
}

/** ModR/M r/m operand as pure destination. */
ALWAYS_INLINE MUST_CHECK bool rm_write(struct cpu *cpu, const struct insn *in, enum width w, u64 v)
{
    if (!in->mem) {
        reg_set(cpu, in->rm, w, v);
        return true;
    }
    return mem_write(cpu, in->seg, insn_ea(cpu, in), w, v);
}

/** ModR/M r/m operand to be modified: rm_rmw, compute, rm_rmw_finish (which cannot fail). */
ALWAYS_INLINE MUST_CHECK bool rm_rmw(struct cpu *cpu, const struct insn *in, enum width w,
                                     struct mmu_rmw *rmw, u64 *old)
{
    if (!in->mem) {
        *old = reg_get(cpu, in->rm, w);
        return true;
    }
    return mem_rmw(cpu, in->seg, insn_ea(cpu, in), w, rmw, old);
}

ALWAYS_INLINE void rm_rmw_finish(struct cpu *cpu, const struct insn *in, enum width w,
                                 const struct mmu_rmw *rmw, u64 v)
{
    if (!in->mem)
        reg_set(cpu, in->rm, w, v);
    else
        mem_rmw_finish(cpu, rmw, w, v);
}
