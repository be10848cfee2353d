/* SPDX-License-Identifier: MIT */
#include "cpu/access.h"
#include "cpu/by_width.h"

#include <string.h>

bool mem_probe(struct cpu *cpu, unsigned seg, u64 off, unsigned n, bool write)
{
    if (!seg_check(cpu, seg, off, n, write ? SEG_PERM_W : SEG_PERM_R))
        return false;
    if (!mmu_probe(cpu->mmu, seg_linear(cpu, seg, off), n, write ? MMU_WRITE : MMU_READ, false))
        return fault_pf(cpu);
    return true;
}

/* The bytes of a probed range come one page piece at a time, through the paths that cannot fail any
 * more. */
bool mem_read_bytes(struct cpu *cpu, unsigned seg, u64 off, void *to, unsigned n)
{
    u8 *dst = to;

    if (!mem_probe(cpu, seg, off, n, false))
        return false;
    for (unsigned i = 0; i < n;) {
        lin_addr lin = seg_linear(cpu, seg, off + i);
        unsigned step = n - i >= 8 && mmu_in_page(lin, 8) ? 8 : 1;
        u64 v;
        if (!mmu_read(cpu->mmu, lin, step, &v))
            return fault_pf(cpu);
        store_le(dst + i, v, step);
        i += step;
    }
    return true;
}

bool mem_write_bytes(struct cpu *cpu, unsigned seg, u64 off, const void *from, unsigned n)
{
    lin_addr lin = seg_linear(cpu, seg, off);

    if (!mem_probe(cpu, seg, off, n, true))
        return false;
    u8 *p = mmu_host(mmu_view(cpu->mmu)->cur.write, lin);
    if (p && mmu_in_page(lin, n)) {
        memcpy(p, from, n);
        return true;
    }
    return mmu_write_bytes(cpu->mmu, lin, from, n) || fault_pf(cpu);
}

bool sys_read(struct cpu *cpu, lin_addr lin, enum width w, u64 *out)
{
    const u8 *p = mmu_host(mmu_view(cpu->mmu)->sys.read, lin);
    unsigned size = width_bytes(w);

    if (p && mmu_in_page(lin, size)) {
        *out = load_le(p, size);
        return true;
    }
    if (mmu_read_slow(cpu->mmu, lin, size, true, out))
        return true;
    return fault_pf(cpu);
}

bool sys_write(struct cpu *cpu, lin_addr lin, enum width w, u64 val)
{
    u8 *p = mmu_host(mmu_view(cpu->mmu)->sys.write, lin);
    unsigned size = width_bytes(w);

    if (p && mmu_in_page(lin, size)) {
        store_le(p, val, size);
        return true;
    }
    if (mmu_write_slow(cpu->mmu, lin, size, true, val))
        return true;
    return fault_pf(cpu);
}

ALWAYS_INLINE bool push(struct cpu *cpu, enum width w, u64 val)
{
    u32 sp = stack_pointer(cpu) - width_bytes(w);

    if (!cpu_stack32(cpu))
        sp &= 0xffff;
    if (!mem_write(cpu, SEG_SS, sp, w, val))
        return false;
    stack_adjust(cpu, -(i32)width_bytes(w));
    return true;
}

ALWAYS_INLINE bool peek(struct cpu *cpu, u32 disp, enum width w, u64 *val)
{
    u32 sp = stack_pointer(cpu) + disp;

    if (!cpu_stack32(cpu))
        sp &= 0xffff;
    return mem_read(cpu, SEG_SS, sp, w, val);
}

bool stack_push(struct cpu *cpu, enum width width, u64 val)
{
    RETURN_BY_OPSIZE(width, push(cpu, w, val));
}

bool stack_peek(struct cpu *cpu, u32 disp, enum width width, u64 *val)
{
    RETURN_BY_OPSIZE(width, peek(cpu, disp, w, val));
}

bool stack_pop(struct cpu *cpu, enum width w, u64 *val)
{
    if (!stack_peek(cpu, 0, w, val))
        return false;
    stack_adjust(cpu, (i32)width_bytes(w));
    return true;
}
