/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic flags, produced cheaply and read when needed.
 *
 *   fl_res    the last result, sign-extended to 64 bits: ZF is res == 0; SF its sign; PF its low
 * byte fl_carry  the carries (borrows) of the operation: bit 31 out of the top bit (CF), bit 30
 * into the top bit (OF is bit 31 xor bit 30), bit 3 out of bit 3 (AF) fl_delta  corrections for
 * combinations that no result has: bit 31 flips SF, bits 0-7 are xored into the byte that PF is
 * computed from
 *
 * For r = a + b (+ carry in) the carry out of every position is (a & b) | ((a | b) & ~r), and for
 * r = a - b (- borrow) the borrow is (~a & b) | ((~a | b) & r).
 */
#pragma once

#include "base/bits.h"
#include "cpu/state.h"

/** The carries of every position of a @w operand, moved to where fl_carry keeps them. */
ALWAYS_INLINE u32 flags_pack_carries(u64 c, enum width w)
{
    switch (w) {
    case W8:
        return (u32)((c & 8) | c << 24);
    case W16:
        return (u32)((c & 8) | c << 16);
    case W32:
        return (u32)c;
    default:
        return (u32)((c & 8) | (c >> 32 & ~(u64)8));
    }
}

/** Flags of @r = @a + @b + carry in, all six. Operands need not be truncated to @w. */
ALWAYS_INLINE void flags_add(struct cpu *cpu, enum width w, u64 a, u64 b, u64 r)
{
    cpu->fl_res = sign_extend(r, w);
    cpu->fl_carry = flags_pack_carries((a & b) | ((a | b) & ~r), w);
    cpu->fl_delta = 0;
}

/** Flags of @r = @a - @b - borrow in, all six. */
ALWAYS_INLINE void flags_sub(struct cpu *cpu, enum width w, u64 a, u64 b, u64 r)
{
    cpu->fl_res = sign_extend(r, w);
    cpu->fl_carry = flags_pack_carries((~a & b) | ((~a | b) & r), w);
    cpu->fl_delta = 0;
}

/** Flags of a logical result: CF = OF = 0, and AF = 0 (undefined; what hardware does). */
ALWAYS_INLINE void flags_logic(struct cpu *cpu, enum width w, u64 r)
{
    cpu->fl_res = sign_extend(r, w);
    cpu->fl_carry = 0;
    cpu->fl_delta = 0;
}

ALWAYS_INLINE bool flags_cf(const struct cpu *cpu)
{
    return cpu->fl_carry >> 31;
}

ALWAYS_INLINE bool flags_of(const struct cpu *cpu)
{
    return (cpu->fl_carry ^ cpu->fl_carry << 1) >> 31;
}

ALWAYS_INLINE bool flags_af(const struct cpu *cpu)
{
    return cpu->fl_carry >> 3 & 1;
}

ALWAYS_INLINE bool flags_zf(const struct cpu *cpu)
{
    return cpu->fl_res == 0;
}

ALWAYS_INLINE bool flags_sf(const struct cpu *cpu)
{
    return (u32)(cpu->fl_res >> 32 ^ cpu->fl_delta) >> 31;
}

ALWAYS_INLINE bool flags_pf(const struct cpu *cpu)
{
    u8 b = (u8)(cpu->fl_res ^ cpu->fl_delta);

    return !__builtin_parity(b);
}

/** Replace CF and leave the rest. */
ALWAYS_INLINE void flags_set_cf(struct cpu *cpu, bool cf)
{
    u32 flip = (u32)(flags_cf(cpu) ^ cf);

    cpu->fl_carry ^= flip << 31 | flip << 30; /* both, so that OF stays */
}

/** Replace OF and leave the rest. */
ALWAYS_INLINE void flags_set_of(struct cpu *cpu, bool of)
{
    cpu->fl_carry ^= (u32)(flags_of(cpu) ^ of) << 30;
}

ALWAYS_INLINE void flags_set_af(struct cpu *cpu, bool af)
{
    cpu->fl_carry = (cpu->fl_carry & ~(u32)8) | (u32)af << 3;
}

/** SF, ZF and PF from a @w result; CF, OF and AF stay. */
ALWAYS_INLINE void flags_set_szp(struct cpu *cpu, enum width w, u64 r)
{
    cpu->fl_res = sign_extend(r, w);
    cpu->fl_delta = 0;
}

/** Condition @cc of Jcc, SETcc and CMOVcc: the low four bits of the opcode [SDM 1 App. B]. */
ALWAYS_INLINE bool flags_cond(const struct cpu *cpu, unsigned cc)
{
    bool r;

    switch (cc >> 1) {
    case 0:
        r = flags_of(cpu);
        break;
    case 1:
        r = flags_cf(cpu);
        break;
    case 2:
        r = flags_zf(cpu);
        break;
    case 3:
        r = flags_cf(cpu) || flags_zf(cpu);
        break;
    case 4:
        r = flags_sf(cpu);
        break;
    case 5:
        r = flags_pf(cpu);
        break;
    case 6:
        r = flags_sf(cpu) != flags_of(cpu);
        break;
    default:
        r = flags_zf(cpu) || flags_sf(cpu) != flags_of(cpu);
        break;
    }
    return r ^ (cc & 1);
}

/** Those of @a of @w shifted by @n >= 1. */
enum flags_shift { FLAGS_SHL, FLAGS_SHR, FLAGS_SAR };
void flags_shift(struct cpu *cpu, enum flags_shift op, enum width w, u64 a, unsigned n);

/** The six arithmetic flags at their places in EFLAGS. */
u32 flags_arith(const struct cpu *cpu);

/** Set those of the six that @mask names from @bits; the others stay. */
void flags_set(struct cpu *cpu, u32 mask, u32 bits);
/** All six from their places in @f; other bits are ignored. */
void flags_set_all(struct cpu *cpu, u32 f);

/** The whole EFLAGS, bit 1 included. */
u32 flags_get(const struct cpu *cpu);

/** Set the whole EFLAGS; no checks, no side effects but the bits. */
void flags_put(struct cpu *cpu, u32 value);
