/* SPDX-License-Identifier: MIT */
/*
 * Bit tests and bit scans [SDM 2].
 *
 * Undefined flags and results. BT, BTS, BTR, BTC: only CF changes. BSF, BSR: flags as of TEST
 * source, source; a zero source leaves the destination as it was.
 */
#include "cpu/by_width.h"
#include "cpu/exec.h"
#include "cpu/flags.h"
#include "cpu/operand.h"

enum bit_op { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT };

ALWAYS_INLINE u64 bit_apply(struct cpu *cpu, enum bit_op op, u64 v, unsigned n)
{
    u64 mask = BIT64(n);

    flags_set_cf(cpu, v & mask);
    switch (op) {
    case BIT_SET:
        return v | mask;
    case BIT_RESET:
        return v & ~mask;
    case BIT_COMPLEMENT:
        return v ^ mask;
    default:
        return v;
    }
}

/** Bit @n of the word at @off, or of the register operand if @in has no memory. */
ALWAYS_INLINE bool bit_at(struct cpu *cpu, const struct insn *in, enum bit_op op, enum width w,
                          u64 off, unsigned n)
{
    struct mmu_rmw rmw;
    u64 v;

    if (!in->mem) {
        v = bit_apply(cpu, op, reg_get(cpu, in->rm, w), n);
        if (op != BIT_TEST)
            reg_set(cpu, in->rm, w, v);
        return true;
    }
    if (op == BIT_TEST) {
        if (!mem_read(cpu, in->seg, off, w, &v))
            return false;
        bit_apply(cpu, op, v, n);
        return true;
    }
    if (!mem_rmw(cpu, in->seg, off, w, &rmw, &v))
        return false;
    mem_rmw_finish(cpu, &rmw, w, bit_apply(cpu, op, v, n));
    return true;
}

/* The bit offset in a register is signed and reaches words beside the operand [SDM 2A §3.1.1.9]. */
ALWAYS_INLINE bool bit_reg(struct cpu *cpu, const struct insn *in, enum bit_op op, enum width w)
{
    const unsigned bits = 8u << w;
    i64 n = (i64)sign_extend(cpu->gpr[in->reg], w);
    u64 off = 0;

    if (in->mem)
        off = (insn_ea(cpu, in) + (u64)(n >> (3 + w)) * (bits / 8)) & width_mask(in->adsize);
    return bit_at(cpu, in, op, w, off, (unsigned)n & (bits - 1));
}

ALWAYS_INLINE bool bit_imm(struct cpu *cpu, const struct insn *in, enum bit_op op, enum width w)
{
    const unsigned bits = 8u << w;

    return bit_at(cpu, in, op, w, in->mem ? insn_ea(cpu, in) : 0, (unsigned)in->imm & (bits - 1));
}

#define BIT_EXEC(name, op)                                                                         \
    bool exec_##name(struct cpu *cpu, const struct insn *in)                                       \
    {                                                                                              \
        RETURN_BY_OPSIZE(in->width, bit_reg(cpu, in, op, w));                                      \
    }                                                                                              \
    bool exec_##name##_i(struct cpu *cpu, const struct insn *in)                                   \
    {                                                                                              \
        RETURN_BY_OPSIZE(in->width, bit_imm(cpu, in, op, w));                                      \
    }

BIT_EXEC(bt, BIT_TEST)
BIT_EXEC(bts, BIT_SET)
BIT_EXEC(btr, BIT_RESET)
BIT_EXEC(btc, BIT_COMPLEMENT)

ALWAYS_INLINE bool bit_scan(struct cpu *cpu, const struct insn *in, enum width w, bool reverse)
{
    u64 v;

    if (!rm_read(cpu, in, w, &v))
        return false;
    flags_logic(cpu, w, v);
    if (v)
        reg_set(cpu, in->reg, w, (u64)(reverse ? 63 - __builtin_clzll(v) : __builtin_ctzll(v)));
    return true;
}

bool exec_bsf(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_OPSIZE(in->width, bit_scan(cpu, in, w, false));
}

bool exec_bsr(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_OPSIZE(in->width, bit_scan(cpu, in, w, true));
}
