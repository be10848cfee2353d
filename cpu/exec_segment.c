/* SPDX-License-Identifier: MIT */
/* Segment registers and the access-rights instructions [SDM 2A/2B: MOV, POP, LDS.., ARPL, LAR]. */
#include "cpu/exec.h"
#include "cpu/flags.h"
#include "cpu/operand.h"
#include "cpu/segment.h"

/* Which segment register a row's fixed operand names. */
static unsigned fixed_sreg(const struct insn *in)
{
    return insn_def[in->id].op[0] - OPND_ES;
}

/* What a load of SS shadows [SDM 3A §6.8.3]. */
static void shadow_ss(struct cpu *cpu, unsigned seg)
{
    if (seg == SEG_SS)
        cpu->inhibit |= INHIBIT_ALL;
}

bool exec_push_sreg(struct cpu *cpu, const struct insn *in)
{
    u16 sel = cpu->seg[fixed_sreg(in)].selector;

    if (in->opsize == W16)
        return stack_push(cpu, W16, sel);
    /* A 32-bit push writes 16 bits only and leaves the upper half of the slot [SDM 2B PUSH]. */
    u32 sp = stack_pointer(cpu) - 4;
    if (!cpu_stack32(cpu))
        sp &= 0xffff;
    if (!mem_write(cpu, SEG_SS, sp, W16, sel))
        return false;
    stack_adjust(cpu, -4);
    return true;
}

bool exec_pop_sreg(struct cpu *cpu, const struct insn *in)
{
    unsigned seg = fixed_sreg(in);
    unsigned bytes = width_bytes(in->opsize);
    u64 sel;

    bool wide_stack = cpu_stack32(cpu); /* POP SS: the old stack's size moves the pointer */
    if (!stack_peek(cpu, 0, W16, &sel) || !segment_load(cpu, seg, (u16)sel))
        return false;
    u32 sp = (u32)cpu->gpr[REG_SP];
    cpu->gpr[REG_SP] =
        wide_stack ? (u32)(sp + bytes) : (sp & 0xffff0000u) | ((sp + bytes) & 0xffff);
    shadow_ss(cpu, seg);
    return true;
}

bool exec_mov_from_sreg(struct cpu *cpu, const struct insn *in)
{
    if ((in->reg & 7) > SEG_GS)
        return fault_ud(cpu);
    u16 sel = cpu->seg[in->reg & 7].selector;
    if (in->mem)
        return mem_write(cpu, in->seg, insn_ea(cpu, in), W16, sel);
    reg_set(cpu, in->rm, in->opsize, sel);
    return true;
}

bool exec_mov_to_sreg(struct cpu *cpu, const struct insn *in)
{
    unsigned seg = in->reg & 7;
    u64 sel;

    if (seg == SEG_CS || seg > SEG_GS)
        return fault_ud(cpu);
    if (!rm_read(cpu, in, W16, &sel) || !segment_load(cpu, seg, (u16)sel))
        return false;
    shadow_ss(cpu, seg);
    return true;
}

static bool load_far_pointer(struct cpu *cpu, const struct insn *in, unsigned seg)
{
    u64 ea = insn_ea(cpu, in), off, sel;
    u64 mask = in->adsize == W16 ? 0xffff : UINT32_MAX;

    if (!mem_read(cpu, in->seg, ea, in->opsize, &off) ||
        !mem_read(cpu, in->seg, (ea + width_bytes(in->opsize)) & mask, W16, &sel) ||
        !segment_load(cpu, seg, (u16)sel))
        return false;
    reg_set(cpu, in->reg, in->opsize, off);
    return true;
}

bool exec_les(struct cpu *cpu, const struct insn *in)
{
    return load_far_pointer(cpu, in, SEG_ES);
}

bool exec_lds(struct cpu *cpu, const struct insn *in)
{
    return load_far_pointer(cpu, in, SEG_DS);
}

bool exec_lss(struct cpu *cpu, const struct insn *in)
{
    return load_far_pointer(cpu, in, SEG_SS);
}

bool exec_lfs(struct cpu *cpu, const struct insn *in)
{
    return load_far_pointer(cpu, in, SEG_FS);
}

bool exec_lgs(struct cpu *cpu, const struct insn *in)
{
    return load_far_pointer(cpu, in, SEG_GS);
}

/* Memory is written, and must be writable, only if the RPL has to rise. */
bool exec_arpl(struct cpu *cpu, const struct insn *in)
{
    u64 dst;

    if (cpu_is_8086(cpu))
        return fault_ud(cpu);
    u64 src = reg_get(cpu, in->reg, W16);
    if (!rm_read(cpu, in, W16, &dst))
        return false;
    bool less = (dst & 3) < (src & 3);
    if (less && !rm_write(cpu, in, W16, (dst & ~(u64)3) | (src & 3)))
        return false;
    flags_set(cpu, FL_Z, less ? FL_Z : 0);
    return true;
}

/* The descriptor that LAR, LSL, VERR and VERW look at. *usable: it exists and CPL and RPL may see
 * it. False only if reading faulted. */
static bool look_at(struct cpu *cpu, u16 sel, struct descriptor *d, bool *usable)
{
    *usable = false;
    if (selector_is_null(sel))
        return true;
    switch (descriptor_read(cpu, sel, d)) {
    case DESC_FAULT:
        return false;
    case DESC_OUTSIDE:
        return true;
    default:
        break;
    }
    unsigned rpl = sel & 3;
    *usable = desc_is_conforming(d) || (cpu->cpl <= desc_dpl(d) && rpl <= desc_dpl(d));
    return true;
}

/* System types, bit n = type n, that LAR and LSL accept [SDM 2A Tables 3-53, 3-58]. */
enum { LAR_TYPES = 0x1a3e, LSL_TYPES = 0x0a0e };

static bool rights(struct cpu *cpu, const struct insn *in, u32 types, bool limit)
{
    struct descriptor d;
    bool ok;
    u64 sel;

    if (cpu_is_8086(cpu))
        return fault_ud(cpu);
    if (!rm_read(cpu, in, W16, &sel) || !look_at(cpu, (u16)sel, &d, &ok))
        return false;
    if (ok && !(d.attr & SEG_S))
        ok = types >> desc_sys(&d) & 1;
    if (ok)
        reg_set(cpu, in->reg, in->opsize, limit ? d.limit : (u32)(d.raw >> 32) & 0x00ffff00);
    flags_set(cpu, FL_Z, ok ? FL_Z : 0);
    return true;
}

bool exec_lar(struct cpu *cpu, const struct insn *in)
{
    return rights(cpu, in, LAR_TYPES, false);
}

bool exec_lsl(struct cpu *cpu, const struct insn *in)
{
    return rights(cpu, in, LSL_TYPES, true);
}

static bool verify(struct cpu *cpu, const struct insn *in, bool write)
{
    struct descriptor d;
    bool ok;
    u64 sel;

    if (cpu_is_8086(cpu))
        return fault_ud(cpu);
    if (!rm_read(cpu, in, W16, &sel) || !look_at(cpu, (u16)sel, &d, &ok))
        return false;
    if (ok) {
        bool code = d.attr & SEG_CODE, rw = d.attr & SEG_RW;
        ok = (d.attr & SEG_S) && (write ? !code && rw : !code || rw);
    }
    flags_set(cpu, FL_Z, ok ? FL_Z : 0);
    return true;
}

bool exec_verr(struct cpu *cpu, const struct insn *in)
{
    return verify(cpu, in, false);
}

bool exec_verw(struct cpu *cpu, const struct insn *in)
{
    return verify(cpu, in, true);
}

static bool store_selector(struct cpu *cpu, const struct insn *in, u16 sel)
{
    if (cpu_is_8086(cpu))
        return fault_ud(cpu);
    if (in->mem)
        return mem_write(cpu, in->seg, insn_ea(cpu, in), W16, sel);
    reg_set(cpu, in->rm, in->opsize, sel);
    return true;
}

bool exec_sldt(struct cpu *cpu, const struct insn *in)
{
    return store_selector(cpu, in, cpu->ldtr.selector);
}

bool exec_str(struct cpu *cpu, const struct insn *in)
{
    return store_selector(cpu, in, cpu->tr.selector);
}

bool exec_lldt(struct cpu *cpu, const struct insn *in)
{
    u64 sel;

    if (cpu_is_8086(cpu))
        return fault_ud(cpu);
    if (cpu->cpl)
        return fault_gp(cpu, 0);
    return rm_read(cpu, in, W16, &sel) && segment_load_ldtr(cpu, (u16)sel, false);
}

bool exec_ltr(struct cpu *cpu, const struct insn *in)
{
    struct descriptor d;
    u64 v;

    if (cpu_is_8086(cpu))
        return fault_ud(cpu);
    if (cpu->cpl)
        return fault_gp(cpu, 0);
    if (!rm_read(cpu, in, W16, &v))
        return false;
    u16 sel = (u16)v;
    u32 error = sel & 0xfffc;
    if (selector_is_null(sel))
        return fault_gp(cpu, 0);
    if (sel & 4)
        return fault_gp(cpu, error);
    if (!descriptor_fetch(cpu, sel, VEC_GP, &d))
        return false;
    if (desc_sys(&d) != SYS_TSS16 && desc_sys(&d) != SYS_TSS32)
        return fault_gp(cpu, error);
    if (!(d.attr & SEG_P))
        return fault_np(cpu, error);
    d.attr |= 2; /* busy */
    if (!sys_write(cpu, (u32)(d.at + 5), W8, (u8)d.attr))
        return false;
    cpu->tr = (struct segment){.selector = sel, .base = d.base, .limit = d.limit, .attr = d.attr};
    return true;
}
