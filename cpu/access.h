/* SPDX-License-Identifier: MIT */
/*
 * Memory as an instruction sees it: segment checks, then linear, then paging. Every function
 * returns false with cpu->fault set, and without any effect, if the access is not allowed.
 */
#pragma once

#include "cpu/state.h"

/** #SS(0) if @seg is SS, else #GP(0). */
static inline bool fault_limit(struct cpu *cpu, unsigned seg)
{
    return fault_limit_of(cpu, seg == SEG_SS);
}

/** Check that @size bytes at @off may be accessed so in @seg: #GP(0), or #SS(0) for SS. */
ALWAYS_INLINE bool seg_check(struct cpu *cpu, unsigned seg, u64 off, unsigned size, unsigned perm)
{
    const struct segment *s = &cpu->seg[seg];

    if (LIKELY(off >= s->lo && off + (size - 1) <= s->hi && (s->perm & perm)))
        return true;
    return fault_limit(cpu, seg);
}

/** Linear address of an offset; 32-bit guests wrap at 4 GiB. */
ALWAYS_INLINE lin_addr seg_linear(const struct cpu *cpu, unsigned seg, u64 off)
{
    return (u32)(cpu->seg[seg].base + off);
}

ALWAYS_INLINE MUST_CHECK bool mem_read(struct cpu *cpu, unsigned seg, u64 off, enum width w,
                                       u64 *out)
{
    if (!seg_check(cpu, seg, off, 1u << w, SEG_PERM_R))
        return false;
    if (LIKELY(mmu_read(cpu->mmu, seg_linear(cpu, seg, off), 1u << w, out)))
        return true;
    return fault_pf(cpu);
}

ALWAYS_INLINE MUST_CHECK bool mem_write(struct cpu *cpu, unsigned seg, u64 off, enum width w,
                                        u64 val)
{
    if (!seg_check(cpu, seg, off, 1u << w, SEG_PERM_W))
        return false;
    if (LIKELY(mmu_write(cpu->mmu, seg_linear(cpu, seg, off), 1u << w, val)))
        return true;
    return fault_pf(cpu);
}

/** Begin a read-modify-write: after it, mem_rmw_finish() cannot fail. */
ALWAYS_INLINE MUST_CHECK bool mem_rmw(struct cpu *cpu, unsigned seg, u64 off, enum width w,
                                      struct mmu_rmw *rmw, u64 *old)
{
    if (!seg_check(cpu, seg, off, 1u << w, SEG_PERM_W))
        return false;
    if (LIKELY(mmu_rmw(cpu->mmu, seg_linear(cpu, seg, off), 1u << w, rmw, old)))
        return true;
    return fault_pf(cpu);
}

ALWAYS_INLINE void mem_rmw_finish(struct cpu *cpu, const struct mmu_rmw *rmw, enum width w, u64 val)
{
    mmu_rmw_finish(cpu->mmu, rmw, 1u << w, val);
}

/** Blocks of 1..4096 bytes, all or nothing: the whole range is checked before the first byte moves.
 */
bool mem_read_bytes(struct cpu *cpu, unsigned seg, u64 off, void *to, unsigned n) MUST_CHECK;
bool mem_write_bytes(struct cpu *cpu, unsigned seg, u64 off, const void *from,
                     unsigned n) MUST_CHECK;

/** Check without accessing; A and D bits are set as the access would. */
bool mem_probe(struct cpu *cpu, unsigned seg, u64 off, unsigned n, bool write) MUST_CHECK;

/** Implicit supervisor accesses at linear addresses: descriptor tables, TSS. */
bool sys_read(struct cpu *cpu, lin_addr lin, enum width w, u64 *out) MUST_CHECK;
bool sys_write(struct cpu *cpu, lin_addr lin, enum width w, u64 val) MUST_CHECK;

/* The stack: SS:(E)SP by SS.B. Neither moves ESP when it fails; push moves it after the store. */
bool stack_push(struct cpu *cpu, enum width w, u64 val) MUST_CHECK;
bool stack_pop(struct cpu *cpu, enum width w, u64 *val) MUST_CHECK;

/** Read at SS:(E)SP + @disp without moving ESP; @disp in bytes. */
bool stack_peek(struct cpu *cpu, u32 disp, enum width w, u64 *val) MUST_CHECK;

/** Add to (E)SP within the width of SS.B. */
static inline void stack_adjust(struct cpu *cpu, i32 by)
{
    u32 sp = (u32)cpu->gpr[REG_SP];

    if (cpu_stack32(cpu))
        cpu->gpr[REG_SP] = (u32)(sp + (u32)by);
    else
        cpu->gpr[REG_SP] = (sp & 0xffff0000u) | ((sp + (u32)by) & 0xffff);
}

/** The stack pointer as SS.B says: 16 or 32 bits. */
static inline u32 stack_pointer(const struct cpu *cpu)
{
    return cpu_stack32(cpu) ? (u32)cpu->gpr[REG_SP] : (u16)cpu->gpr[REG_SP];
}
