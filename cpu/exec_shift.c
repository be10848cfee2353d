/* SPDX-License-Identifier: MIT */
/*
 * Shifts, rotates and double shifts [SDM 2]. Counts are taken modulo 32 (64 with 64-bit operands);
 * a count of 0 changes no flag.
 *
 * Undefined flags and results, as recent processors have them: OF is that of the last of @count
 * single-bit steps, also where only a count of 1 defines it; AF is 0 after SHL, SHR, SAR, SHLD and
 * SHRD; CF of a shift by more bits than the operand has is 0 (SAR: the sign); SHLD and SHRD of 16
 * bits by more than 16 shift the 48-bit string destination:source:destination.
 */
#include "cpu/by_width.h"
#include "cpu/exec.h"
#include "cpu/flags.h"
#include "cpu/operand.h"

enum shift { SHIFT_ROL, SHIFT_ROR, SHIFT_RCL, SHIFT_RCR, SHIFT_SHL, SHIFT_SHR, SHIFT_SAR };

/** Bit @n of @v. */
ALWAYS_INLINE bool bit(u64 v, unsigned n)
{
    return v >> n & 1;
}

/** The count: CL for D2 and D3, 1 for D0 and D1, else the immediate. */
ALWAYS_INLINE unsigned shift_count(const struct cpu *cpu, const struct insn *in, enum width w)
{
    unsigned mask = w == W64 ? 63 : 31;

    if (in->opcode < 0xd0)
        return (unsigned)in->imm & mask;
    return in->opcode & 2 ? (unsigned)cpu->gpr[REG_CX] & mask : 1;
}

ALWAYS_INLINE void rotate_flags(struct cpu *cpu, bool cf, bool of)
{
    flags_set_cf(cpu, cf);
    flags_set_of(cpu, of);
}

/** @a, of @w bits, rotated left by @n modulo its width. */
ALWAYS_INLINE u64 rotate_left(enum width w, u64 a, unsigned n)
{
    const unsigned bits = 8u << w;

    n &= bits - 1;
    return n ? (a << n | a >> (bits - n)) & width_mask(w) : a;
}

/** CF:@a rotated left by @n < bits + 1 positions; the new CF in *@cf. */
ALWAYS_INLINE u64 rotate_carry_left(enum width w, u64 a, unsigned n, bool *cf)
{
    const unsigned bits = 8u << w;
    u128 v = (u128)*cf << bits | a;

    if (n)
        v = v << n | v >> (bits + 1 - n);
    *cf = (bool)(v >> bits & 1);
    return (u64)v & width_mask(w);
}

ALWAYS_INLINE u64 rotate(struct cpu *cpu, enum shift op, enum width w, u64 a, unsigned n)
{
    const unsigned bits = 8u << w, top = bits - 1;
    bool cf = flags_cf(cpu);
    u64 r;

    switch (op) {
    case SHIFT_ROL:
        r = rotate_left(w, a, n);
        rotate_flags(cpu, r & 1, bit(r, top) ^ (r & 1));
        break;
    case SHIFT_ROR:
        r = rotate_left(w, a, bits - n % bits);
        rotate_flags(cpu, bit(r, top), bit(r, top) ^ bit(r, top - 1));
        break;
    case SHIFT_RCL:
        r = rotate_carry_left(w, a, n % (bits + 1), &cf);
        rotate_flags(cpu, cf, bit(r, top) ^ cf);
        break;
    default:
        r = rotate_carry_left(w, a, bits + 1 - n % (bits + 1), &cf);
        rotate_flags(cpu, cf, bit(r, top) ^ bit(r, top - 1));
        break;
    }
    return r;
}

/** SF, ZF and PF from @r; CF and OF as given; AF 0. */
ALWAYS_INLINE void shift_flags(struct cpu *cpu, enum width w, u64 r, bool cf, bool of)
{
    flags_set_szp(cpu, w, r);
    cpu->fl_carry = (u32)cf << 31 | (u32)(cf ^ of) << 30;
}

ALWAYS_INLINE u64 shift(struct cpu *cpu, enum shift op, enum width w, u64 a, unsigned n)
{
    const unsigned bits = 8u << w, top = bits - 1;
    u64 before, r; /* before: one step less than r */

    switch (op) {
    case SHIFT_SHL:
        before = a << (n - 1);
        r = before << 1;
        shift_flags(cpu, w, r, bit(before, top), bit(before, top) ^ bit(r, top));
        break;
    case SHIFT_SHR:
        before = a >> (n - 1);
        r = before >> 1;
        shift_flags(cpu, w, r, before & 1, bit(before, top));
        break;
    default:
        before = (u64)((i64)sign_extend(a, w) >> (n - 1));
        r = (u64)((i64)before >> 1);
        shift_flags(cpu, w, r, before & 1, false);
        break;
    }
    return r;
}

void flags_shift(struct cpu *cpu, enum flags_shift op, enum width w, u64 a, unsigned n)
{
    (void)shift(cpu, SHIFT_SHL + (enum shift)op, w, a & width_mask(w), n);
}

ALWAYS_INLINE bool shift_rm(struct cpu *cpu, const struct insn *in, enum shift op, enum width w)
{
    unsigned n = shift_count(cpu, in, w);
    struct mmu_rmw rmw;
    u64 a;

    if (!rm_rmw(cpu, in, w, &rmw, &a))
        return false;
    if (n)
        a = op < SHIFT_SHL ? rotate(cpu, op, w, a, n) : shift(cpu, op, w, a, n);
    rm_rmw_finish(cpu, in, w, &rmw, a);
    return true;
}

#define SHIFT_EXEC(name, op)                                                                       \
    bool exec_##name(struct cpu *cpu, const struct insn *in)                                       \
    {                                                                                              \
        RETURN_BY_WIDTH(in->width, shift_rm(cpu, in, op, w));                                      \
    }

SHIFT_EXEC(rol, SHIFT_ROL)
SHIFT_EXEC(ror, SHIFT_ROR)
SHIFT_EXEC(rcl, SHIFT_RCL)
SHIFT_EXEC(rcr, SHIFT_RCR)
SHIFT_EXEC(shl, SHIFT_SHL)
SHIFT_EXEC(shr, SHIFT_SHR)
SHIFT_EXEC(sar, SHIFT_SAR)

/** The string destination:source, with the destination again below it if 16 bits are shifted. */
ALWAYS_INLINE u64 double_left(struct cpu *cpu, enum width w, u64 a, u64 b, unsigned n)
{
    const unsigned bits = 8u << w, top = bits - 1;
    bool cf = n <= bits ? bit(a, bits - n) : bit(b, 2 * bits - n);
    u64 r;

    if (w == W64) {
        r = a << n | b >> (64 - n);
    } else {
        u128 v = (u128)a << 2 * bits | (u128)b << bits | (w == W16 ? a : 0);
        r = (u64)(v << n >> 2 * bits);
    }
    shift_flags(cpu, w, r, cf, cf ^ bit(r, top));
    return r;
}

/** The string source:destination, with the destination again above it if 16 bits are shifted. */
ALWAYS_INLINE u64 double_right(struct cpu *cpu, enum width w, u64 a, u64 b, unsigned n)
{
    const unsigned bits = 8u << w, top = bits - 1;
    u128 v = (w == W16 ? (u128)a << 32 : 0) | (u128)b << bits | a;
    u64 r = (u64)(v >> n) & width_mask(w);

    shift_flags(cpu, w, r, (bool)(v >> (n - 1) & 1), bit(r, top) ^ bit(r, top - 1));
    return r;
}

/** SHLD and SHRD: the count is CL if the opcode is odd, else the immediate. */
ALWAYS_INLINE bool double_rm(struct cpu *cpu, const struct insn *in, enum width w, bool left)
{
    u64 count = in->opcode & 1 ? cpu->gpr[REG_CX] : in->imm, b = reg_get(cpu, in->reg, w);
    unsigned n = (unsigned)count & (w == W64 ? 63 : 31);
    struct mmu_rmw rmw;
    u64 a;

    if (!rm_rmw(cpu, in, w, &rmw, &a))
        return false;
    if (n)
        a = left ? double_left(cpu, w, a, b, n) : double_right(cpu, w, a, b, n);
    rm_rmw_finish(cpu, in, w, &rmw, a);
    return true;
}

bool exec_shld(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_OPSIZE(in->width, double_rm(cpu, in, w, true));
}

bool exec_shrd(struct cpu *cpu, const struct insn *in)
{
    RETURN_BY_OPSIZE(in->width, double_rm(cpu, in, w, false));
}
