/* SPDX-License-Identifier: MIT */
/*
 * Addition, logic, comparison, increments, negation, and the locked exchanges CMPXCHG and XADD
 * [SDM 2]. Undefined flags: AF is 0 after OR, AND, XOR and TEST.
 */
#include "cpu/by_width.h"
#include "cpu/exec.h"
#include "cpu/flags.h"
#include "cpu/operand.h"

/** The eight operations, numbered as in their opcodes. */
enum alu { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };

/** @a op @b with its flags; for CMP the result is @a. */
ALWAYS_INLINE u64 alu(struct cpu *cpu, enum alu op, enum width w, u64 a, u64 b)
{
    u64 r;

    switch (op) {
    case ALU_ADD:
        r = a + b;
        flags_add(cpu, w, a, b, r);
        return r;
    case ALU_ADC:
        r = a + b + flags_cf(cpu);
        flags_add(cpu, w, a, b, r);
        return r;
    case ALU_SBB:
        r = a - b - flags_cf(cpu);
        flags_sub(cpu, w, a, b, r);
        return r;
    case ALU_SUB:
        r = a - b;
        flags_sub(cpu, w, a, b, r);
        return r;
    case ALU_CMP:
        flags_sub(cpu, w, a, b, a - b);
        return a;
    case ALU_OR:
        r = a | b;
        break;
    case ALU_AND:
        r = a & b;
        break;
    default:
        r = a ^ b;
        break;
    }
    flags_logic(cpu, w, r);
    return r;
}

/** r/m op= @b. CMP only reads: a read-only operand is no fault. */
ALWAYS_INLINE bool alu_rm(struct cpu *cpu, const struct insn *in, enum alu op, enum width w, u64 b)
{
    struct mmu_rmw rmw;
    u64 a;

    if (op == ALU_CMP) {
        if (!rm_read(cpu, in, w, &a))
            return false;
        alu(cpu, op, w, a, b);
        return true;
    }
    if (!rm_rmw(cpu, in, w, &rmw, &a))
        return false;
    rm_rmw_finish(cpu, in, w, &rmw, alu(cpu, op, w, a, b));
    return true;
}

/** reg op= r/m. */
ALWAYS_INLINE bool alu_reg(struct cpu *cpu, const struct insn *in, enum alu op, enum width w)
{
    u64 b;

    if (!rm_read(cpu, in, w, &b))
        return false;
    u64 r = alu(cpu, op, w, reg_get(cpu, in->reg, w), b);
    if (op != ALU_CMP)
        reg_set(cpu, in->reg, w, r);
    return true;
}

/** Accumulator op= immediate. */
ALWAYS_INLINE bool alu_acc(struct cpu *cpu, const struct insn *in, enum alu op, enum width w)
{
    u64 r = alu(cpu, op, w, reg_get(cpu, REG_AX, w), in->imm);

    if (op != ALU_CMP)
        reg_set(cpu, REG_AX, w, r);
    return true;
}

#define ALU_EXEC(name, op)                                                                         \
    bool exec_##name(struct cpu *cpu, const struct insn *in)                                       \
    {                                                                                              \
        RETURN_BY_WIDTH(in->width, alu_rm(cpu, in, op, w, reg_get(cpu, in->reg, w)));              \
    }                                                                                              \
    bool exec_##name##_r(struct cpu *cpu, const struct insn *in)                                   \
    {                                                                                              \
        RETURN_BY_WIDTH(in->width, alu_reg(cpu, in, op, w));                                       \
    }                                                                                              \
    bool exec_##name##_a(struct cpu *cpu, const struct insn *in)                                   \
    {                                                                                              \
        RETURN_BY_WIDTH(in->width, alu_acc(cpu, in, op, w));                                       \
    }                                                                                              \
    bool exec_##name##_i(struct cpu *cpu, const struct insn *in)                                   \
    {                                                                                              \
        RETURN_BY_WIDTH(in->width, alu_rm(cpu, in, op, w, in->imm));                               \
    }

ALU_EXEC(add, ALU_ADD)
ALU_EXEC(or, ALU_OR)
ALU_EXEC(adc, ALU_ADC)
ALU_EXEC(sbb, ALU_SBB)
ALU_EXEC(and, ALU_AND)
ALU_EXEC(sub, ALU_SUB)
ALU_EXEC(xor, ALU_XOR)
ALU_EXEC(cmp, ALU_CMP)

ALWAYS_INLINE bool test_rm(struct cpu *cpu, const struct insn *in, enum width w, u64 b)
{
    u64 a;

    if (!rm_read(cpu, in, w, &a))
        return false;
    flags_logic(cpu, w, a & b);
    return true;
}

ALWAYS_INLINE bool test_acc(struct cpu *cpu, const struct insn *in, enum width w)
{
    flags_logic(cpu, w, reg_get(cpu, REG_AX, w) & in->imm);
    return true;
}

bool exec_test(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, test_rm(cpu, in, w, reg_get(cpu, in->reg, w)));
}

bool exec_test_i(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, test_rm(cpu, in, w, in->imm));
}

bool exec_test_a(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, test_acc(cpu, in, w));
}

/** @a + 1, or @a - 1 if @down, with all flags but CF, which stays. */
ALWAYS_INLINE u64 step(struct cpu *cpu, enum width w, u64 a, bool down)
{
    bool cf = flags_cf(cpu);
    u64 r = down ? a - 1 : a + 1;

    if (down)
        flags_sub(cpu, w, a, 1, r);
    else
        flags_add(cpu, w, a, 1, r);
    flags_set_cf(cpu, cf);
    return r;
}

ALWAYS_INLINE bool step_rm(struct cpu *cpu, const struct insn *in, enum width w, bool down)
{
    struct mmu_rmw rmw;
    u64 a;

    if (!rm_rmw(cpu, in, w, &rmw, &a))
        return false;
    rm_rmw_finish(cpu, in, w, &rmw, step(cpu, w, a, down));
    return true;
}

ALWAYS_INLINE bool step_z(struct cpu *cpu, const struct insn *in, enum width w, bool down)
{
    reg_set(cpu, in->zreg, w, step(cpu, w, reg_get(cpu, in->zreg, w), down));
    return true;
}

bool exec_inc(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, step_rm(cpu, in, w, false));
}

bool exec_dec(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, step_rm(cpu, in, w, true));
}

bool exec_inc_z(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_OPSIZE(in->width, step_z(cpu, in, w, false));
}

bool exec_dec_z(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_OPSIZE(in->width, step_z(cpu, in, w, true));
}

ALWAYS_INLINE bool neg_rm(struct cpu *cpu, const struct insn *in, enum width w)
{
    struct mmu_rmw rmw;
    u64 a;

    if (!rm_rmw(cpu, in, w, &rmw, &a))
        return false;
    flags_sub(cpu, w, 0, a, 0 - a);
    rm_rmw_finish(cpu, in, w, &rmw, 0 - a);
    return true;
}

ALWAYS_INLINE bool not_rm(struct cpu *cpu, const struct insn *in, enum width w)
{
    struct mmu_rmw rmw;
    u64 a;

    if (!rm_rmw(cpu, in, w, &rmw, &a))
        return false;
    rm_rmw_finish(cpu, in, w, &rmw, ~a);
    return true;
}

bool exec_neg(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, neg_rm(cpu, in, w));
}

bool exec_not(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, not_rm(cpu, in, w));
}

/* The destination is written whether or not the comparison succeeds [SDM 2A, CMPXCHG]. */
ALWAYS_INLINE bool cmpxchg_rm(struct cpu *cpu, const struct insn *in, enum width w)
{
    u64 acc = reg_get(cpu, REG_AX, w), src = reg_get(cpu, in->reg, w);
    struct mmu_rmw rmw;
    u64 old;

    if (!rm_rmw(cpu, in, w, &rmw, &old))
        return false;
    flags_sub(cpu, w, acc, old, acc - old);
    if (acc == old) {
        rm_rmw_finish(cpu, in, w, &rmw, src);
    } else {
        rm_rmw_finish(cpu, in, w, &rmw, old);
        reg_set(cpu, REG_AX, w, old);
    }
    return true;
}

bool exec_cmpxchg(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, cmpxchg_rm(cpu, in, w));
}

bool exec_cmpxchg8b(struct cpu *cpu, const struct insn *in)
{
    u64 acc = (u64)(u32)cpu->gpr[REG_DX] << 32 | (u32)cpu->gpr[REG_AX];
    u64 src = (u64)(u32)cpu->gpr[REG_CX] << 32 | (u32)cpu->gpr[REG_BX];
    struct mmu_rmw rmw;
    u64 old;

    if (!rm_rmw(cpu, in, W64, &rmw, &old))
        return false;
    rm_rmw_finish(cpu, in, W64, &rmw, acc == old ? src : old);
    if (acc != old) {
        reg_set(cpu, REG_AX, W32, old);
        reg_set(cpu, REG_DX, W32, old >> 32);
    }
    flags_set(cpu, FL_Z, acc == old ? FL_Z : 0);
    return true;
}

/* The register is written first: XADD r, r of one register leaves the sum. */
ALWAYS_INLINE bool xadd_rm(struct cpu *cpu, const struct insn *in, enum width w)
{
    u64 src = reg_get(cpu, in->reg, w);
    struct mmu_rmw rmw;
    u64 old;

    if (!rm_rmw(cpu, in, w, &rmw, &old))
        return false;
    flags_add(cpu, w, old, src, old + src);
    reg_set(cpu, in->reg, w, old);
    rm_rmw_finish(cpu, in, w, &rmw, old + src);
    return true;
}

bool exec_xadd(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, xadd_rm(cpu, in, w));
}
