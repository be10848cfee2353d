/* SPDX-License-Identifier: MIT */
#include "cpu/flags.h"

#include <assert.h>

enum { ARITH = FL_OSZAPC };

u32 flags_arith(const struct cpu *cpu)
{
    return (u32)flags_cf(cpu) | (u32)flags_pf(cpu) << 2 | (u32)flags_af(cpu) << 4 |
           (u32)flags_zf(cpu) << 6 | (u32)flags_sf(cpu) << 7 | (u32)flags_of(cpu) << 11;
}
static_assert(FL_C == BIT(0) && FL_P == BIT(2) && FL_A == BIT(4) && FL_Z == BIT(6) &&
                  FL_S == BIT(7) && FL_O == BIT(11),
              "the shifts here");

void flags_set_all(struct cpu *cpu, u32 f)
{
    u32 cf = f & 1, of = f >> 11 & 1, pf = f >> 2 & 1, zf = f >> 6 & 1;

    /* ZF picks the result 0 or 1, whose SF is clear; the parity of 0 is even, of 1 is odd. */
    cpu->fl_res = !zf;
    cpu->fl_delta = (f & FL_S) << 24 | (pf ^ zf);
    cpu->fl_carry = cf << 31 | (cf ^ of) << 30 | (f & FL_A) >> 1;
}

void flags_set(struct cpu *cpu, u32 mask, u32 bits)
{
    flags_set_all(cpu, (flags_arith(cpu) & ~mask) | (bits & mask));
}

u32 flags_get(const struct cpu *cpu)
{
    return cpu->eflags | flags_arith(cpu) | FL_FIXED;
}

void flags_put(struct cpu *cpu, u32 value)
{
    cpu->eflags = value & ~(u32)(ARITH | FL_FIXED);
    flags_set_all(cpu, value);
}
