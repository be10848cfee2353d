/* SPDX-License-Identifier: MIT */
/*
 * PUSH, POP, PUSHA, POPA, ENTER, LEAVE [SDM 2]. Values have operand size; the stack pointer has the
 * width that SS.B says.
 */
#include "cpu/exec.h"
#include "cpu/operand.h"

bool exec_push_z(struct cpu *cpu, const struct insn *in)
{
    return stack_push(cpu, in->opsize, cpu->gpr[in->zreg]);
}

bool exec_push_i(struct cpu *cpu, const struct insn *in)
{
    return stack_push(cpu, in->opsize, in->imm);
}

bool exec_push_e(struct cpu *cpu, const struct insn *in)
{
    u64 v;

    return rm_read(cpu, in, in->opsize, &v) && stack_push(cpu, in->opsize, v);
}

/* POP (E)SP: the value wins over the increment. */
bool exec_pop_z(struct cpu *cpu, const struct insn *in)
{
    u64 v;

    if (!stack_pop(cpu, in->opsize, &v))
        return false;
    reg_set(cpu, in->zreg, in->opsize, v);
    return true;
}

/* An address based on (E)SP is computed after the increment [SDM 2B, POP]. */
bool exec_pop_e(struct cpu *cpu, const struct insn *in)
{
    u64 sp = cpu->gpr[REG_SP], v;

    if (!stack_pop(cpu, in->opsize, &v))
        return false;
    if (rm_write(cpu, in, in->opsize, v))
        return true;
    cpu->gpr[REG_SP] = sp;
    return false;
}

/** @sp moved by @by bytes, within the width of SS.B. */
static u32 stack_offset(const struct cpu *cpu, u32 sp, u32 by)
{
    return cpu_stack32(cpu) ? sp + by : (u16)(sp + by);
}

/** Set (E)SP, or (E)BP where it addresses the stack, in the width of SS.B. */
static void set_stack_reg(struct cpu *cpu, unsigned reg, u32 v)
{
    reg_set(cpu, reg, cpu_stack32(cpu) ? W32 : W16, v);
}

/* All eight are checked before the first is written: as a block, or else (the block wraps around,
 * or part of it is not there) one by one, so that a fault is that of the first push that fails. */
bool exec_pusha(struct cpu *cpu, const struct insn *in)
{
    const u32 size = width_bytes(in->opsize);
    u32 sp = stack_pointer(cpu), low = stack_offset(cpu, sp, 0u - 8 * size), at[8];
    bool ok = low < sp && mem_probe(cpu, SEG_SS, low, 8 * size, true);

    for (unsigned r = REG_AX; r <= REG_DI; r++) {
        at[r] = stack_offset(cpu, sp, 0u - (r + 1) * size);
        if (!ok && !mem_probe(cpu, SEG_SS, at[r], size, true))
            return false;
    }
    for (unsigned r = REG_AX; r <= REG_DI; r++)
        if (!mem_write(cpu, SEG_SS, at[r], in->opsize, cpu->gpr[r]))
            return false;
    set_stack_reg(cpu, REG_SP, low);
    return true;
}

/* The slot of ESP is read, and may fault, but its value is dropped. */
bool exec_popa(struct cpu *cpu, const struct insn *in)
{
    const u32 size = width_bytes(in->opsize);
    u64 v[8];

    for (unsigned i = 0; i < 8; i++)
        if (!stack_peek(cpu, i * size, in->opsize, &v[i]))
            return false;
    for (unsigned r = REG_AX; r <= REG_DI; r++)
        if (r != REG_SP)
            reg_set(cpu, r, in->opsize, v[REG_DI - r]);
    stack_adjust(cpu, (i32)(8 * size));
    return true;
}

/*
 * Display pointers of the enclosing frames are copied below the saved (E)BP, the own one last. The
 * last step tests that the new stack top can be written [SDM 2A, ENTER].
 */
bool exec_enter(struct cpu *cpu, const struct insn *in)
{
    const u32 size = width_bytes(in->opsize);
    unsigned level = in->imm2 & 31;
    u32 bp = stack_offset(cpu, (u32)cpu->gpr[REG_BP], 0);
    u32 sp = stack_offset(cpu, stack_pointer(cpu), 0u - size);
    u64 frame = sp, v;

    if (!cpu_stack32(cpu)) /* a 32-bit frame pointer holds all of ESP */
        frame |= cpu->gpr[REG_SP] & 0xffff0000u;
    if (!mem_write(cpu, SEG_SS, sp, in->opsize, cpu->gpr[REG_BP]))
        return false;
    for (unsigned i = 1; i < level; i++) {
        bp = stack_offset(cpu, bp, 0u - size);
        sp = stack_offset(cpu, sp, 0u - size);
        if (!mem_read(cpu, SEG_SS, bp, in->opsize, &v) ||
            !mem_write(cpu, SEG_SS, sp, in->opsize, v))
            return false;
    }
    if (level > 0) {
        sp = stack_offset(cpu, sp, 0u - size);
        if (!mem_write(cpu, SEG_SS, sp, in->opsize, frame))
            return false;
    }
    sp = stack_offset(cpu, sp, 0u - (u32)(u16)in->imm);
    if (!mem_probe(cpu, SEG_SS, sp, size, true))
        return false;
    reg_set(cpu, REG_BP, in->opsize, frame);
    set_stack_reg(cpu, REG_SP, sp);
    return true;
}

bool exec_leave(struct cpu *cpu, const struct insn *in)
{
    u32 bp = stack_offset(cpu, (u32)cpu->gpr[REG_BP], 0);
    u64 v;

    if (!mem_read(cpu, SEG_SS, bp, in->opsize, &v))
        return false;
    set_stack_reg(cpu, REG_SP, stack_offset(cpu, bp, width_bytes(in->opsize)));
    reg_set(cpu, REG_BP, in->opsize, v);
    return true;
}
