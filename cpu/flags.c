/* SPDX-License-Identifier: MIT */
#include "cpu/flags.h"

enum { ARITH = FL_OSZAPC };

u32 flags_arith(const struct cpu *cpu)
{
    return (flags_cf(cpu) ? FL_C : 0u) | (flags_pf(cpu) ? FL_P : 0u) | (flags_af(cpu) ? FL_A : 0u) |
           (flags_zf(cpu) ? FL_Z : 0u) | (flags_sf(cpu) ? FL_S : 0u) | (flags_of(cpu) ? FL_O : 0u);
}

void flags_set(struct cpu *cpu, u32 mask, u32 bits)
{
    u32 f = (flags_arith(cpu) & ~mask) | (bits & mask & ARITH);

    /* ZF picks the result 0 or 1, whose SF is clear; both have known parity bytes. */
    cpu->fl_res = f & FL_Z ? 0 : 1;
    bool pf = f & FL_Z; /* parity of 0 is even, of 1 is odd */
    cpu->fl_delta = (f & FL_S ? BIT(31) : 0u) | (pf != !!(f & FL_P) ? 1u : 0u);
    u32 cf = f & FL_C ? 1 : 0, of = f & FL_O ? 1 : 0;
    cpu->fl_carry = cf << 31 | (cf ^ of) << 30 | (f & FL_A ? 8u : 0u);
}

u32 flags_get(const struct cpu *cpu)
{
    return cpu->eflags | flags_arith(cpu) | FL_FIXED;
}

void flags_put(struct cpu *cpu, u32 value)
{
    cpu->eflags = value & ~(u32)(ARITH | FL_FIXED);
    flags_set(cpu, ARITH, value);
}
