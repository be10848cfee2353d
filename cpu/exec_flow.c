/* SPDX-License-Identifier: MIT */
/*
 * Near jumps, calls, returns and loops [SDM 2]. A target beyond the limit of CS is #GP(0) at the
 * transfer, before anything changed.
 */
#include "cpu/exec.h"
#include "cpu/flags.h"
#include "cpu/operand.h"

/** Set the next instruction's address, cut to operand size. */
ALWAYS_INLINE bool jump_to(struct cpu *cpu, const struct insn *in, u64 target)
{
    target &= width_mask(in->opsize);
    if (UNLIKELY(target > cpu->seg[SEG_CS].limit))
        return fault_gp(cpu, 0);
    cpu->next_rip = target;
    return true;
}

ALWAYS_INLINE bool jump_relative(struct cpu *cpu, const struct insn *in)
{
    return jump_to(cpu, in, cpu->next_rip + in->imm);
}

ALWAYS_INLINE bool call_to(struct cpu *cpu, const struct insn *in, u64 target)
{
    u64 back = cpu->next_rip;

    if (!jump_to(cpu, in, target))
        return false;
    if (LIKELY(stack_push(cpu, in->opsize, back)))
        return true;
    cpu->next_rip = back;
    return false;
}

bool exec_jcc(struct cpu *cpu, const struct insn *in)
{
    return flags_cond(cpu, in->opcode & 15) ? jump_relative(cpu, in) : true;
}

bool exec_jmp_j(struct cpu *cpu, const struct insn *in)
{
    return jump_relative(cpu, in);
}

bool exec_jmp_e(struct cpu *cpu, const struct insn *in)
{
    u64 target;

    return rm_read(cpu, in, in->opsize, &target) && jump_to(cpu, in, target);
}

bool exec_call_j(struct cpu *cpu, const struct insn *in)
{
    return call_to(cpu, in, cpu->next_rip + in->imm);
}

bool exec_call_e(struct cpu *cpu, const struct insn *in)
{
    u64 target;

    return rm_read(cpu, in, in->opsize, &target) && call_to(cpu, in, target);
}

/** With Iw, the callee's parameters go too. The form without one decodes to an imm of 0. */
bool exec_ret(struct cpu *cpu, const struct insn *in)
{
    i32 parameters = in->opcode == 0xc2 ? (i32)(u16)in->imm : 0;
    u64 target;

    if (!stack_peek(cpu, 0, in->opsize, &target) || !jump_to(cpu, in, target))
        return false;
    stack_adjust(cpu, (i32)width_bytes(in->opsize) + parameters);
    return true;
}

/** Count (E)CX down and jump while it is not 0 and @condition holds. */
ALWAYS_INLINE bool loop_while(struct cpu *cpu, const struct insn *in, bool condition)
{
    u64 count = (cpu->gpr[REG_CX] - 1) & width_mask(in->adsize);

    if (count != 0 && condition && !jump_relative(cpu, in))
        return false;
    reg_set(cpu, REG_CX, in->adsize, count);
    return true;
}

bool exec_loop(struct cpu *cpu, const struct insn *in)
{
    return loop_while(cpu, in, true);
}

bool exec_loope(struct cpu *cpu, const struct insn *in)
{
    return loop_while(cpu, in, flags_zf(cpu));
}

bool exec_loopne(struct cpu *cpu, const struct insn *in)
{
    return loop_while(cpu, in, !flags_zf(cpu));
}

bool exec_jcxz(struct cpu *cpu, const struct insn *in)
{
    return reg_get(cpu, REG_CX, in->adsize) == 0 ? jump_relative(cpu, in) : true;
}
