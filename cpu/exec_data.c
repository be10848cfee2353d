/* SPDX-License-Identifier: MIT */
/* Moves, extensions, exchanges, conditional moves, flag bits, XLAT and BOUND [SDM 2]. */
#include "cpu/by_width.h"
#include "cpu/exec.h"
#include "cpu/flags.h"
#include "cpu/operand.h"

/** Byte register 4 is AH. */
enum { BYTE_AH = 4 };

ALWAYS_INLINE bool mov_rm_reg(struct cpu *cpu, const struct insn *in, enum width w)
{
    return rm_write(cpu, in, w, reg_get(cpu, in->reg, w));
}

ALWAYS_INLINE bool mov_reg_rm(struct cpu *cpu, const struct insn *in, enum width w)
{
    u64 v;

    if (!rm_read(cpu, in, w, &v))
        return false;
    reg_set(cpu, in->reg, w, v);
    return true;
}

ALWAYS_INLINE bool mov_z_imm(struct cpu *cpu, const struct insn *in, enum width w)
{
    reg_set(cpu, in->zreg, w, in->imm);
    return true;
}

ALWAYS_INLINE bool mov_acc_mem(struct cpu *cpu, const struct insn *in, enum width w)
{
    u64 v;

    if (!mem_read(cpu, in->seg, in->imm, w, &v))
        return false;
    reg_set(cpu, REG_AX, w, v);
    return true;
}

bool exec_mov(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, mov_rm_reg(cpu, in, w));
}

bool exec_mov_r(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, mov_reg_rm(cpu, in, w));
}

bool exec_mov_i(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, rm_write(cpu, in, w, in->imm));
}

bool exec_mov_z_i(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, mov_z_imm(cpu, in, w));
}

bool exec_mov_a_o(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, mov_acc_mem(cpu, in, w));
}

/* The accumulator is o2: o1 is memory of the same width. */
bool exec_mov_o_a(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, mem_write(cpu, in->seg, in->imm, w, reg_get(cpu, REG_AX, w)));
}

/** The bytes of a @w operand in the opposite order. */
ALWAYS_INLINE u64 swap_bytes(u64 v, enum width w)
{
    return __builtin_bswap64(v) >> (64 - (8u << w));
}

bool exec_movbe_load(struct cpu *cpu, const struct insn *in)
{
    u64 v;

    if (!rm_read(cpu, in, in->opsize, &v))
        return false;
    reg_set(cpu, in->reg, in->opsize, swap_bytes(v, in->opsize));
    return true;
}

bool exec_movbe_store(struct cpu *cpu, const struct insn *in)
{
    return rm_write(cpu, in, in->opsize, swap_bytes(reg_get(cpu, in->reg, in->opsize), in->opsize));
}

/** reg of operand size = r/m of width @from, zero- or sign-extended. */
ALWAYS_INLINE bool extend(struct cpu *cpu, const struct insn *in, enum width from, bool is_signed)
{
    u64 v;

    if (!rm_read(cpu, in, from, &v))
        return false;
    reg_set(cpu, in->reg, in->opsize, is_signed ? sign_extend(v, from) : v);
    return true;
}

bool exec_movzx8(struct cpu *cpu, const struct insn *in)
{
    return extend(cpu, in, W8, false);
}

bool exec_movzx16(struct cpu *cpu, const struct insn *in)
{
    return extend(cpu, in, W16, false);
}

bool exec_movsx8(struct cpu *cpu, const struct insn *in)
{
    return extend(cpu, in, W8, true);
}

bool exec_movsx16(struct cpu *cpu, const struct insn *in)
{
    return extend(cpu, in, W16, true);
}

ALWAYS_INLINE bool xchg_rm(struct cpu *cpu, const struct insn *in, enum width w)
{
    u64 v = reg_get(cpu, in->reg, w);
    struct mmu_rmw rmw;
    u64 old;

    if (!rm_rmw(cpu, in, w, &rmw, &old))
        return false;
    rm_rmw_finish(cpu, in, w, &rmw, v);
    reg_set(cpu, in->reg, w, old);
    return true;
}

bool exec_xchg(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, xchg_rm(cpu, in, w));
}

bool exec_xchg_z(struct cpu *cpu, const struct insn *in)
{
    u64 z = reg_get(cpu, in->zreg, in->opsize);

    reg_set(cpu, in->zreg, in->opsize, reg_get(cpu, REG_AX, in->opsize));
    reg_set(cpu, REG_AX, in->opsize, z);
    return true;
}

bool exec_lea(struct cpu *cpu, const struct insn *in)
{
    reg_set(cpu, in->reg, in->opsize, insn_ea(cpu, in));
    return true;
}

/* The source is read, and may fault, whatever the condition. */
ALWAYS_INLINE bool cmov_reg(struct cpu *cpu, const struct insn *in, enum width w)
{
    u64 v;

    if (!rm_read(cpu, in, w, &v))
        return false;
    if (!flags_cond(cpu, in->opcode & 15))
        v = reg_get(cpu, in->reg, w);
    reg_set(cpu, in->reg, w, v);
    return true;
}

bool exec_cmov(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_OPSIZE(in->opsize, cmov_reg(cpu, in, w));
}

bool exec_setcc(struct cpu *cpu, const struct insn *in)
{
    return rm_write(cpu, in, W8, flags_cond(cpu, in->opcode & 15));
}

/** CBW, CWDE: the accumulator's lower half, sign-extended. */
bool exec_cbw(struct cpu *cpu, const struct insn *in)
{
    enum width half = in->opsize - 1u;

    reg_set(cpu, REG_AX, in->opsize, sign_extend(cpu->gpr[REG_AX], half));
    return true;
}

/** CWD, CDQ: the accumulator's sign fills (E)DX. */
bool exec_cwd(struct cpu *cpu, const struct insn *in)
{
    bool negative = sign_extend(cpu->gpr[REG_AX], in->opsize) >> 63;

    reg_set(cpu, REG_DX, in->opsize, negative ? ~(u64)0 : 0);
    return true;
}

/* A 16-bit operand is undefined [SDM 2A, BSWAP]; processors leave 0. */
bool exec_bswap(struct cpu *cpu, const struct insn *in)
{
    u64 v = cpu->gpr[in->zreg];

    switch (in->opsize) {
    case W16:
        v = 0;
        break;
    case W32:
        v = __builtin_bswap32((u32)v);
        break;
    default:
        v = __builtin_bswap64(v);
        break;
    }
    reg_set(cpu, in->zreg, in->opsize, v);
    return true;
}

bool exec_lahf(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    reg_set(cpu, BYTE_AH, W8, (flags_arith(cpu) & 0xff) | FL_FIXED);
    return true;
}

bool exec_sahf(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    flags_set(cpu, FL_SZAPC, (u32)reg_get(cpu, BYTE_AH, W8));
    return true;
}

bool exec_clc(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    flags_set_cf(cpu, false);
    return true;
}

bool exec_stc(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    flags_set_cf(cpu, true);
    return true;
}

bool exec_cmc(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    flags_set_cf(cpu, !flags_cf(cpu));
    return true;
}

bool exec_cld(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    cpu->eflags &= ~(u32)FL_D;
    return true;
}

bool exec_std(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    cpu->eflags |= FL_D;
    return true;
}

/** Undocumented, on every processor since the 8086: AL = CF ? FFh : 0. */
bool exec_salc(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    reg_set(cpu, REG_AX, W8, flags_cf(cpu) ? 0xff : 0);
    return true;
}

bool exec_xlat(struct cpu *cpu, const struct insn *in)
{
    u64 off = (cpu->gpr[REG_BX] + (u8)cpu->gpr[REG_AX]) & width_mask(in->adsize);
    u64 v;

    if (!mem_read(cpu, in->seg, off, W8, &v))
        return false;
    reg_set(cpu, REG_AX, W8, v);
    return true;
}

bool exec_nop(struct cpu *cpu, const struct insn *in)
{
    (void)cpu;
    (void)in;
    return true;
}

bool exec_bound(struct cpu *cpu, const struct insn *in)
{
    u64 at = insn_ea(cpu, in), lower, upper;
    u64 second = (at + width_bytes(in->opsize)) & width_mask(in->adsize);

    if (!mem_read(cpu, in->seg, at, in->opsize, &lower) ||
        !mem_read(cpu, in->seg, second, in->opsize, &upper))
        return false;
    i64 index = (i64)sign_extend(cpu->gpr[in->reg], in->opsize);
    if (index < (i64)sign_extend(lower, in->opsize) || index > (i64)sign_extend(upper, in->opsize))
        return fault_br(cpu);
    return true;
}
