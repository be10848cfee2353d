/* SPDX-License-Identifier: MIT */
/* IN and OUT, and who may [SDM 1 §19.5]. */
#include "cpu/exec.h"
#include "cpu/io.h"
#include "cpu/operand.h"
#include "cpu/segment.h"

/* R/W = 10b is a breakpoint on ports while CR4.DE is set [SDM 3B §17.2.4]. The trap follows the
 * instruction, if it completes. */
static void io_breakpoints(struct cpu *cpu, u16 port, enum width w)
{
    static const u8 len_of[4] = {1, 2, 8, 4};
    u32 dr7 = (u32)cpu->dr[7], last = port + width_bytes(w) - 1;

    for (unsigned i = 0; i < 4; i++) {
        unsigned len = len_of[dr7 >> (18 + 4 * i) & 3];
        u32 first = (u32)cpu->dr[i] & ~(len - 1);
        if ((dr7 >> (2 * i) & 3) && (dr7 >> (16 + 4 * i) & 3) == 2 && first <= last &&
            port <= first + (len - 1))
            mmu_view(cpu->mmu)->watch_hits |= BIT(i);
    }
}

bool io_check(struct cpu *cpu, u16 port, enum width w)
{
    u64 base, bits;

    if (UNLIKELY((cpu->dr[7] & 0xff) && (cpu->cr4 & CR4_DE)))
        io_breakpoints(cpu, port, w);
    if (cpu_is_real(cpu) || (!cpu_is_v86(cpu) && cpu->cpl <= cpu_iopl(cpu)))
        return true;
    if ((cpu->tr.attr & SEG_TYPE) < SYS_TSS32 || cpu->tr.limit < 0x67)
        return fault_gp(cpu, 0);
    if (!sys_read(cpu, (u32)(cpu->tr.base + 0x66), W16, &base))
        return false;
    u32 at = (u32)base + port / 8u;
    if (at + 1 > cpu->tr.limit) /* two bytes are always read */
        return fault_gp(cpu, 0);
    if (!sys_read(cpu, (u32)(cpu->tr.base + at), W16, &bits))
        return false;
    if (bits >> (port & 7) & (BIT(width_bytes(w)) - 1))
        return fault_gp(cpu, 0);
    return true;
}

static bool port_in(struct cpu *cpu, const struct insn *in, u16 port)
{
    if (!io_check(cpu, port, in->width))
        return false;
    reg_set(cpu, REG_AX, in->width, cpu->bus.in(cpu->bus.ctx, port, in->width));
    return true;
}

static bool port_out(struct cpu *cpu, const struct insn *in, u16 port)
{
    enum width w = in->opcode & 1 ? in->opsize : W8; /* o1 is the port */

    if (!io_check(cpu, port, w))
        return false;
    cpu->bus.out(cpu->bus.ctx, port, (u32)reg_get(cpu, REG_AX, w), w);
    return true;
}

bool exec_in_i(struct cpu *cpu, const struct insn *in)
{
    return port_in(cpu, in, (u8)in->imm);
}

bool exec_in_dx(struct cpu *cpu, const struct insn *in)
{
    return port_in(cpu, in, (u16)cpu->gpr[REG_DX]);
}

bool exec_out_i(struct cpu *cpu, const struct insn *in)
{
    return port_out(cpu, in, (u8)in->imm);
}

bool exec_out_dx(struct cpu *cpu, const struct insn *in)
{
    return port_out(cpu, in, (u16)cpu->gpr[REG_DX]);
}
