/* SPDX-License-Identifier: MIT */
/* INT, IRET, the flags register, and the interrupt flag [SDM 2A INT, IRET; 2B POPF, STI]. */
#include "cpu/cpu.h"
#include "cpu/exec.h"
#include "cpu/flags.h"
#include "cpu/interrupt.h"
#include "cpu/operand.h"
#include "cpu/segment.h"
#include "cpu/task.h"

static bool software_interrupt(struct cpu *cpu, u8 vector)
{
    struct int_event ev = {.vector = vector, .source = INT_SOFTWARE};

    bool step = cpu->eflags & FL_T;

    if (!interrupt_deliver(cpu, &ev))
        return false;
    if (step)
        cpu->inhibit |= INHIBIT_STEP;
    return true;
}

bool exec_int3(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    return software_interrupt(cpu, VEC_BP);
}

bool exec_into(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    return !flags_of(cpu) || software_interrupt(cpu, VEC_OF);
}

bool exec_int_i(struct cpu *cpu, const struct insn *in)
{
    bool redirected = false, step = cpu->eflags & FL_T;

    if (cpu_is_v86(cpu)) {
        if (!interrupt_vme(cpu, (u8)in->imm, &redirected))
            return false;
        if (redirected) {
            if (step)
                cpu->inhibit |= INHIBIT_STEP;
            return true;
        }
        if (cpu_iopl(cpu) < 3)
            return fault_gp(cpu, 0);
    }
    return software_interrupt(cpu, (u8)in->imm);
}

bool exec_int1(struct cpu *cpu, const struct insn *in)
{
    struct int_event ev = {.vector = VEC_DB, .source = INT_EXCEPTION};

    (void)in;
    return interrupt_deliver(cpu, &ev);
}

/* Take over the bits of @value that @mask names; IF and the like are the caller's business. */
static void eflags_change(struct cpu *cpu, u32 mask, u32 value)
{
    u32 old = flags_get(cpu);

    flags_put(cpu, (old & ~mask) | (value & mask));
    if ((value & mask & FL_RF))
        cpu->inhibit |= INHIBIT_KEEP_RF;
    cpu_flags_changed(cpu);
}

enum {
    FL_ANY16 = FL_OSZAPC | FL_T | FL_D | FL_NT,
    FL_ANY32 = FL_ANY16 | FL_RF | FL_AC | FL_ID,
};

/* What IRET and POPF may change at this privilege, besides the VM-related bits. */
static u32 changeable(const struct cpu *cpu, enum width w)
{
    u32 mask = w == W16 ? FL_ANY16 : FL_ANY32;

    if (!(cpu->model_eflags & FL_AC))
        mask &= ~(u32)FL_AC;
    if (!(cpu->model_eflags & FL_ID))
        mask &= ~(u32)FL_ID;
    if (cpu->cpl <= cpu_iopl(cpu) || cpu_is_real(cpu))
        mask |= FL_I;
    if (cpu->cpl == 0)
        mask |= FL_IOPL;
    return mask;
}

bool exec_pushf(struct cpu *cpu, const struct insn *in)
{
    u32 f = flags_get(cpu) & ~(u32)(FL_RF | FL_VM);

    if (cpu_is_v86(cpu) && cpu_iopl(cpu) < 3) {
        if (!(cpu->cr4 & CR4_VME) || in->opsize != W16)
            return fault_gp(cpu, 0);
        f = (f & ~(u32)FL_I) | FL_IOPL | (f & FL_VIF ? FL_I : 0u);
    }
    return stack_push(cpu, in->opsize, f);
}

bool exec_popf(struct cpu *cpu, const struct insn *in)
{
    u64 v;

    bool vme = false;
    if (cpu_is_v86(cpu) && cpu_iopl(cpu) < 3) {
        vme = (cpu->cr4 & CR4_VME) && in->opsize == W16;
        if (!vme)
            return fault_gp(cpu, 0);
    }
    if (!stack_peek(cpu, 0, in->opsize, &v))
        return false;
    u32 mask = changeable(cpu, in->opsize) & ~(u32)FL_RF;
    u32 value = (u32)v;
    if (vme) {
        if ((value & FL_T) || ((value & FL_I) && (cpu->eflags & FL_VIP)))
            return fault_gp(cpu, 0);
        mask = (mask & ~(u32)(FL_I | FL_IOPL)) | FL_VIF;
        value = (value & ~(u32)FL_VIF) | (value & FL_I ? FL_VIF : 0u);
    }
    stack_adjust(cpu, (i32)width_bytes(in->opsize));
    eflags_change(cpu, mask, value);
    cpu->eflags &= ~(u32)FL_RF;
    return true;
}

bool exec_cli(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    if (cpu_is_real(cpu) || cpu_iopl(cpu) >= cpu->cpl)
        cpu->eflags &= ~(u32)FL_I;
    else if (cpu->cpl == 3 && (cpu->cr4 & (cpu_is_v86(cpu) ? CR4_VME : CR4_PVI)))
        cpu->eflags &= ~(u32)FL_VIF;
    else
        return fault_gp(cpu, 0);
    return true;
}

bool exec_sti(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    if (cpu_is_real(cpu) || cpu_iopl(cpu) >= cpu->cpl) {
        if (!(cpu->eflags & FL_I))
            cpu->inhibit |= INHIBIT_INTR;
        cpu->eflags |= FL_I;
    } else if (cpu->cpl == 3 && (cpu->cr4 & (cpu_is_v86(cpu) ? CR4_VME : CR4_PVI)) &&
               !(cpu->eflags & FL_VIP)) {
        cpu->eflags |= FL_VIF;
    } else {
        return fault_gp(cpu, 0);
    }
    return true;
}

/* Here as in protected mode, selectors take whole slots of the stack [SDM 2A IRET]. */
static bool iret_real(struct cpu *cpu, enum width w)
{
    unsigned bytes = width_bytes(w);
    u64 ip, cs, fl;

    if (!stack_peek(cpu, 0, w, &ip) || !stack_peek(cpu, bytes, w, &cs) ||
        !stack_peek(cpu, 2 * bytes, w, &fl))
        return false;
    if (ip > cpu->seg[SEG_CS].limit)
        return fault_gp(cpu, 0);
    u32 mask = changeable(cpu, w);
    u32 value = (u32)fl;
    if (cpu_is_v86(cpu) && cpu_iopl(cpu) < 3) { /* VME, 16-bit: checked by the caller */
        if ((value & FL_T) || ((value & FL_I) && (cpu->eflags & FL_VIP)))
            return fault_gp(cpu, 0);
        mask = (mask & ~(u32)(FL_I | FL_IOPL)) | FL_VIF;
        value = (value & ~(u32)FL_VIF) | (value & FL_I ? FL_VIF : 0u);
    }
    segment_set_8086(cpu, SEG_CS, (u16)cs);
    stack_adjust(cpu, (i32)(3 * bytes));
    cpu->next_rip = ip;
    cpu->eflags &= ~(u32)FL_RF;
    eflags_change(cpu, mask, value);
    return true;
}

static bool iret_task(struct cpu *cpu)
{
    struct descriptor tss;
    u64 link;

    if (!sys_read(cpu, (u32)cpu->tr.base, W16, &link))
        return false;
    return task_fetch_tss(cpu, (u16)link, 0, TASK_IRET, &tss) &&
           task_switch(cpu, (u16)link, &tss, TASK_IRET);
}

/* From ring 0 to a virtual-8086 task. */
static bool iret_v86(struct cpu *cpu, u32 ip, u16 cs, u32 fl)
{
    static const u8 order[] = {SEG_SS, SEG_ES, SEG_DS, SEG_FS, SEG_GS};
    u16 sel[ARRAY_LEN(order)];
    u64 esp, v;

    if (!stack_peek(cpu, 12, W32, &esp))
        return false;
    for (unsigned i = 0; i < ARRAY_LEN(order); i++) {
        if (!stack_peek(cpu, 16 + 4 * i, W32, &v))
            return false;
        sel[i] = (u16)v;
    }
    cpu->eflags &= ~(u32)FL_RF;
    eflags_change(cpu, FL_ANY32 | FL_I | FL_IOPL | FL_VM | FL_VIF | FL_VIP, fl);
    for (unsigned i = 0; i < ARRAY_LEN(order); i++)
        segment_set_8086(cpu, order[i], sel[i]);
    segment_set_8086(cpu, SEG_CS, cs);
    cpu->gpr[REG_SP] = (u32)esp;
    cpu->next_rip = (u16)ip;
    cpu_set_cpl(cpu, 3);
    return true;
}

static bool iret_check_cs(struct cpu *cpu, u16 sel, u32 ip, struct descriptor *d)
{
    u32 error = sel & 0xfffc;
    unsigned rpl = sel & 3;

    if (selector_is_null(sel))
        return fault_gp(cpu, 0);
    if (!descriptor_fetch(cpu, sel, VEC_GP, d))
        return false;
    if (!desc_is_code(d) || rpl < cpu->cpl ||
        (desc_is_conforming(d) ? desc_dpl(d) > rpl : desc_dpl(d) != rpl))
        return fault_gp(cpu, error);
    if (!(d->attr & SEG_P))
        return fault_np(cpu, error);
    if (ip > d->limit)
        return fault_gp(cpu, 0);
    return true;
}

static bool iret_protected(struct cpu *cpu, enum width w)
{
    unsigned bytes = width_bytes(w);
    struct descriptor cs, ss;
    u64 ip, sel, fl, esp = 0, ss_sel = 0;

    if (!stack_peek(cpu, 0, w, &ip) || !stack_peek(cpu, bytes, w, &sel) ||
        !stack_peek(cpu, 2 * bytes, w, &fl))
        return false;
    if (w == W32 && (fl & FL_VM) && cpu->cpl == 0)
        return iret_v86(cpu, (u32)ip, (u16)sel, (u32)fl);
    if (!iret_check_cs(cpu, (u16)sel, (u32)ip, &cs))
        return false;
    unsigned cpl = sel & 3;
    bool outer = cpl > cpu->cpl;
    if (outer) {
        if (!stack_peek(cpu, 3 * bytes, w, &esp) || !stack_peek(cpu, 4 * bytes, w, &ss_sel) ||
            !segment_check_ss(cpu, (u16)ss_sel, cpl, VEC_GP, &ss) ||
            !descriptor_set_accessed(cpu, &ss))
            return false;
    }
    if (!descriptor_set_accessed(cpu, &cs))
        return false;
    u32 mask = changeable(cpu, w);
    if (cpu->cpl == 0 && w == W32)
        mask |= FL_VIF | FL_VIP;
    segment_set_cs(cpu, (u16)sel, &cs, cpl);
    if (outer) {
        segment_set(cpu, SEG_SS, (u16)ss_sel, &ss);
        reg_set(cpu, REG_SP, ss.attr & SEG_DB ? W32 : W16, esp);
        segment_drop_privileged(cpu, cpl);
    } else {
        stack_adjust(cpu, (i32)(3 * bytes));
    }
    cpu->next_rip = ip;
    cpu->eflags &= ~(u32)FL_RF;
    eflags_change(cpu, mask, (u32)fl);
    return true;
}

bool exec_iret(struct cpu *cpu, const struct insn *in)
{
    bool ok;

    if (cpu_is_real(cpu)) {
        ok = iret_real(cpu, in->opsize);
    } else if (cpu_is_v86(cpu)) {
        if (cpu_iopl(cpu) < 3 && !((cpu->cr4 & CR4_VME) && in->opsize == W16))
            return fault_gp(cpu, 0);
        ok = iret_real(cpu, in->opsize);
    } else if (cpu->eflags & FL_NT) {
        ok = iret_task(cpu);
    } else {
        ok = iret_protected(cpu, in->opsize);
    }
    if (ok)
        cpu->nmi_masked = false;
    return ok;
}
