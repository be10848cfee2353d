/* SPDX-License-Identifier: MIT */
/*
 * MUL, IMUL, DIV, IDIV [SDM 2].
 *
 * Undefined flags. Products: SF, ZF and PF as of the low half of the product, AF 0. Quotients: all
 * flags stay as they were.
 */
#include "cpu/by_width.h"
#include "cpu/exec.h"
#include "cpu/flags.h"
#include "cpu/operand.h"

ALWAYS_INLINE void mul_flags(struct cpu *cpu, enum width w, u64 low, bool overflow)
{
    flags_set_szp(cpu, w, low);
    cpu->fl_carry = overflow ? BIT(31) : 0; /* CF = OF = overflow, AF = 0 */
}

/** Write the double-width @v: AX, DX:AX, EDX:EAX. */
ALWAYS_INLINE void set_pair(struct cpu *cpu, enum width w, u128 v)
{
    if (w == W8) {
        reg_set(cpu, REG_AX, W16, (u64)v);
    } else {
        reg_set(cpu, REG_AX, w, (u64)v);
        reg_set(cpu, REG_DX, w, (u64)(v >> (8u << w)));
    }
}

ALWAYS_INLINE u128 get_pair(const struct cpu *cpu, enum width w)
{
    if (w == W8)
        return (u16)cpu->gpr[REG_AX];
    return (u128)reg_get(cpu, REG_DX, w) << (8u << w) | reg_get(cpu, REG_AX, w);
}

ALWAYS_INLINE bool mul_rm(struct cpu *cpu, const struct insn *in, enum width w)
{
    u64 b;

    if (!rm_read(cpu, in, w, &b))
        return false;
    u128 p = (u128)reg_get(cpu, REG_AX, w) * b;
    set_pair(cpu, w, p);
    mul_flags(cpu, w, (u64)p, p >> (8u << w) != 0);
    return true;
}

/** The signed product of two @w numbers, with its flags. */
ALWAYS_INLINE u128 signed_product(struct cpu *cpu, enum width w, u64 a, u64 b)
{
    i128 p = (i128)(i64)sign_extend(a, w) * (i64)sign_extend(b, w);

    mul_flags(cpu, w, (u64)p, p != (i64)sign_extend((u64)p, w));
    return (u128)p;
}

ALWAYS_INLINE bool imul_rm(struct cpu *cpu, const struct insn *in, enum width w)
{
    u64 b;

    if (!rm_read(cpu, in, w, &b))
        return false;
    set_pair(cpu, w, signed_product(cpu, w, reg_get(cpu, REG_AX, w), b));
    return true;
}

ALWAYS_INLINE bool imul2_reg(struct cpu *cpu, const struct insn *in, enum width w)
{
    u64 b;

    if (!rm_read(cpu, in, w, &b))
        return false;
    u128 p = signed_product(cpu, w, reg_get(cpu, in->reg, w), b);
    reg_set(cpu, in->reg, w, (u64)p);
    return true;
}

ALWAYS_INLINE bool imul3_reg(struct cpu *cpu, const struct insn *in, enum width w)
{
    u64 a;

    if (!rm_read(cpu, in, w, &a))
        return false;
    reg_set(cpu, in->reg, w, (u64)signed_product(cpu, w, a, in->imm));
    return true;
}

bool exec_mul(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, mul_rm(cpu, in, w));
}

bool exec_imul(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, imul_rm(cpu, in, w));
}

bool exec_imul2(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_OPSIZE(in->width, imul2_reg(cpu, in, w));
}

bool exec_imul3(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_OPSIZE(in->width, imul3_reg(cpu, in, w));
}

ALWAYS_INLINE void set_quotient(struct cpu *cpu, enum width w, u64 q, u64 r)
{
    reg_set(cpu, REG_AX, w, q);
    reg_set(cpu, w == W8 ? 4 : REG_DX, w, r); /* byte register 4 is AH */
}

ALWAYS_INLINE bool div_rm(struct cpu *cpu, const struct insn *in, enum width w)
{
    u64 d;

    if (!rm_read(cpu, in, w, &d))
        return false;
    u128 n = get_pair(cpu, w);
    if (d == 0 || n >> (8u << w) >= d) /* the quotient would have more than @w bits */
        return fault_de(cpu);
    if (w < W64) {
        set_quotient(cpu, w, (u64)n / d, (u64)n % d);
    } else {
        set_quotient(cpu, w, (u64)(n / d), (u64)(n % d));
    }
    return true;
}

/* Division of magnitudes: the most negative dividend has no positive counterpart in C. */
ALWAYS_INLINE bool idiv_rm(struct cpu *cpu, const struct insn *in, enum width w)
{
    const unsigned bits = 8u << w;
    u64 src;

    if (!rm_read(cpu, in, w, &src))
        return false;
    u128 n = get_pair(cpu, w);
    bool n_neg = n >> (2 * bits - 1), d_neg = src >> (bits - 1);
    u64 d = d_neg ? (0 - src) & width_mask(w) : src;
    if (n_neg)
        n = (0 - n) << (128 - 2 * bits) >> (128 - 2 * bits);
    if (d == 0 || n >> bits >= d)
        return fault_de(cpu);
    u64 q = w < W64 ? (u64)n / d : (u64)(n / d);
    u64 r = w < W64 ? (u64)n % d : (u64)(n % d);
    if (q > (width_mask(w) >> 1) + (n_neg != d_neg))
        return fault_de(cpu);
    set_quotient(cpu, w, n_neg != d_neg ? 0 - q : q, n_neg ? 0 - r : r);
    return true;
}

bool exec_div(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, div_rm(cpu, in, w));
}

bool exec_idiv(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_WIDTH(in->width, idiv_rm(cpu, in, w));
}
