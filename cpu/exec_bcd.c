/* SPDX-License-Identifier: MIT */
/*
 * Decimal adjustments [SDM 2]. Undefined flags: OF is 0 after DAA and DAS; AAA and AAS set SF, ZF
 * and PF from AL and clear OF; AAM and AAD clear OF, AF and CF.
 */
#include "cpu/exec.h"
#include "cpu/flags.h"
#include "cpu/operand.h"

enum { BYTE_AH = 4 };

static void bcd_flags(struct cpu *cpu, u64 al, bool af, bool cf)
{
    flags_logic(cpu, W8, al);
    flags_set_af(cpu, af);
    flags_set_cf(cpu, cf);
}

bool exec_daa(struct cpu *cpu, const struct insn *in)
{
    u8 old = (u8)cpu->gpr[REG_AX];
    bool cf = flags_cf(cpu) || old > 0x99;
    bool af = flags_af(cpu) || (old & 15) > 9;
    u8 al = (u8)(old + (af ? 6 : 0) + (cf ? 0x60 : 0));

    (void)in;
    reg_set(cpu, REG_AX, W8, al);
    bcd_flags(cpu, al, af, cf);
    return true;
}

bool exec_das(struct cpu *cpu, const struct insn *in)
{
    u8 old = (u8)cpu->gpr[REG_AX];
    bool high = flags_cf(cpu) || old > 0x99;
    bool af = flags_af(cpu) || (old & 15) > 9;
    bool cf = high || (af && old < 6); /* the borrow of the low adjustment counts too */
    u8 al = (u8)(old - (af ? 6 : 0) - (high ? 0x60 : 0));

    (void)in;
    reg_set(cpu, REG_AX, W8, al);
    bcd_flags(cpu, al, af, cf);
    return true;
}

/** AAA adds @adjust = 0106h to AX, AAS subtracts it (the carry into AH included). */
static bool ascii_adjust(struct cpu *cpu, u16 adjust)
{
    u16 ax = (u16)cpu->gpr[REG_AX];
    bool carry = flags_af(cpu) || (ax & 15) > 9;

    if (carry)
        ax = (u16)(ax + adjust);
    ax &= 0xff0f;
    reg_set(cpu, REG_AX, W16, ax);
    bcd_flags(cpu, ax, carry, carry);
    return true;
}

bool exec_aaa(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    return ascii_adjust(cpu, 0x106);
}

bool exec_aas(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    return ascii_adjust(cpu, (u16)-0x106);
}

bool exec_aam(struct cpu *cpu, const struct insn *in)
{
    u8 base = (u8)in->imm, al = (u8)cpu->gpr[REG_AX];

    if (base == 0)
        return fault_de(cpu);
    reg_set(cpu, BYTE_AH, W8, al / base);
    reg_set(cpu, REG_AX, W8, al % base);
    flags_logic(cpu, W8, al % base);
    return true;
}

bool exec_aad(struct cpu *cpu, const struct insn *in)
{
    u64 al = reg_get(cpu, REG_AX, W8) + reg_get(cpu, BYTE_AH, W8) * (u8)in->imm;

    reg_set(cpu, REG_AX, W16, (u8)al);
    flags_logic(cpu, W8, al);
    return true;
}
