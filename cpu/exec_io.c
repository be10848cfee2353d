/* SPDX-License-Identifier: MIT */
/* IN and OUT, and who may [SDM 1 §19.5]. */
#include "cpu/exec.h"
#include "cpu/io.h"
#include "cpu/operand.h"
#include "cpu/segment.h"

bool io_check(struct cpu *cpu, u16 port, enum width w)
{
    u64 base, bits;

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
