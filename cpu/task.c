/* SPDX-License-Identifier: MIT */
/*
 * The order is the manual's: check the new TSS, save the old state, switch, load, and only then
 * validate what was loaded, so that those faults happen in the new task [SDM 3A §7.3].
 */
#include "cpu/task.h"

#include "cpu/access.h"
#include "cpu/cpu.h"
#include "cpu/flags.h"

/** Where things are in a TSS: the 32-bit and the 16-bit form [SDM 3A Figure 7-2, 7-10]. */
struct tss_layout {
    unsigned last; /* smallest allowed limit */
    enum width w;
    unsigned cr3, ip, flags, gpr, sreg, ldt;
    unsigned sregs;
    unsigned sreg_step;
};

static const struct tss_layout layout32 = {0x67, W32, 0x1c, 0x20, 0x24, 0x28, 0x48, 0x60, 6, 4};
static const struct tss_layout layout16 = {0x2b, W16, 0, 0x0e, 0x10, 0x12, 0x22, 0x2a, 4, 2};

static const struct tss_layout *layout_of(unsigned type)
{
    return type >= SYS_TSS32 ? &layout32 : &layout16;
}

struct task_state {
    u32 cr3, ip, flags, gpr[8];
    u16 sreg[6], ldt;
    bool trap;
};

static bool tss_read(struct cpu *cpu, u64 base, const struct tss_layout *l, struct task_state *t)
{
    u64 v;

    *t = (struct task_state){0};
    if (l->cr3) {
        if (!sys_read(cpu, (u32)(base + l->cr3), W32, &v))
            return false;
        t->cr3 = (u32)v;
        if (!sys_read(cpu, (u32)(base + 0x64), W16, &v))
            return false;
        t->trap = v & 1;
    }
    if (!sys_read(cpu, (u32)(base + l->ip), l->w, &v))
        return false;
    t->ip = (u32)v;
    if (!sys_read(cpu, (u32)(base + l->flags), l->w, &v))
        return false;
    t->flags = (u32)v;
    for (unsigned i = 0; i < 8; i++) {
        if (!sys_read(cpu, (u32)(base + l->gpr + i * width_bytes(l->w)), l->w, &v))
            return false;
        t->gpr[i] = l->w == W32 ? (u32)v : (u32)v | 0xffff0000u;
    }
    for (unsigned i = 0; i < l->sregs; i++) {
        if (!sys_read(cpu, (u32)(base + l->sreg + i * l->sreg_step), W16, &v))
            return false;
        t->sreg[i] = (u16)v;
    }
    if (!sys_read(cpu, (u32)(base + l->ldt), W16, &v))
        return false;
    t->ldt = (u16)v;
    return true;
}

/* Save the dynamic fields of the current task. Its pages were probed, so this cannot stop half-way.
 */
static bool tss_save(struct cpu *cpu, u32 flags)
{
    const struct tss_layout *l = layout_of(cpu->tr.attr & SEG_TYPE);
    u64 base = cpu->tr.base;

    if (!mmu_probe(cpu->mmu, (u32)base, l->last + 1, MMU_WRITE, true))
        return fault_pf(cpu);
    bool ok = sys_write(cpu, (u32)(base + l->ip), l->w, cpu->next_rip) &&
              sys_write(cpu, (u32)(base + l->flags), l->w, flags);
    for (unsigned i = 0; ok && i < 8; i++)
        ok = sys_write(cpu, (u32)(base + l->gpr + i * width_bytes(l->w)), l->w, cpu->gpr[i]);
    for (unsigned i = 0; ok && i < l->sregs; i++)
        ok = sys_write(cpu, (u32)(base + l->sreg + i * l->sreg_step), W16, cpu->seg[i].selector);
    return ok;
}

static bool set_busy(struct cpu *cpu, u16 sel, bool busy)
{
    lin_addr at = (u32)(cpu->gdtr.base + (sel & 0xfff8) + 5);
    u64 v;

    if (!sys_read(cpu, at, W8, &v))
        return false;
    return sys_write(cpu, at, W8, busy ? v | 2 : v & ~(u64)2);
}

bool task_fetch_tss(struct cpu *cpu, u16 sel, u32 ext, enum task_cause cause,
                    struct descriptor *tss)
{
    u8 vector = cause == TASK_IRET ? VEC_TS : VEC_GP;
    u32 error = (sel & 0xfffcu) | ext;
    unsigned type;

    if (selector_is_null(sel) || (sel & 4))
        return fault_vector(cpu, vector, error);
    switch (descriptor_read(cpu, sel, tss)) {
    case DESC_OUTSIDE:
        return fault_vector(cpu, vector, error);
    case DESC_FAULT:
        return false;
    default:
        break;
    }
    type = desc_sys(tss);
    bool busy = type == SYS_TSS16_BUSY || type == SYS_TSS32_BUSY;
    if ((type != SYS_TSS16 && type != SYS_TSS32 && !busy) || busy != (cause == TASK_IRET))
        return fault_vector(cpu, vector, error);
    if (!(tss->attr & SEG_P))
        return fault_np(cpu, error);
    if (tss->limit < layout_of(type)->last)
        return fault_ts(cpu, error);
    return true;
}

/* From here on faults belong to the new task. */
static bool load_segments(struct cpu *cpu, const struct task_state *t)
{
    static const u8 data[] = {SEG_DS, SEG_ES, SEG_FS, SEG_GS};
    u16 cs_sel = t->sreg[SEG_CS];
    u32 error = cs_sel & 0xfffc;
    struct descriptor d;

    if (!segment_load_ldtr(cpu, t->ldt, true))
        return false;
    if (cpu_is_v86(cpu)) {
        for (unsigned i = 0; i < SEG__COUNT; i++)
            segment_set_8086(cpu, i, t->sreg[i]);
        cpu_set_cpl(cpu, 3);
        return true;
    }

    unsigned cpl = cs_sel & 3;
    if (selector_is_null(cs_sel))
        return fault_ts(cpu, error);
    if (!descriptor_fetch(cpu, cs_sel, VEC_TS, &d))
        return false;
    if (!desc_is_code(&d) || (desc_is_conforming(&d) ? desc_dpl(&d) > cpl : desc_dpl(&d) != cpl))
        return fault_ts(cpu, error);
    if (!(d.attr & SEG_P))
        return fault_np(cpu, error);
    if (!descriptor_set_accessed(cpu, &d))
        return false;
    segment_set_cs(cpu, cs_sel, &d, cpl);

    u16 ss = t->sreg[SEG_SS];
    if (!segment_check_ss(cpu, ss, cpl, VEC_TS, &d) || !descriptor_set_accessed(cpu, &d))
        return false;
    segment_set(cpu, SEG_SS, ss, &d);
    for (unsigned i = 0; i < ARRAY_LEN(data); i++) {
        if (!segment_load(cpu, data[i], t->sreg[data[i]])) {
            if (cpu->fault.vector == VEC_GP)
                cpu->fault.vector = VEC_TS;
            return false;
        }
    }
    if (cpu->next_rip > cpu->seg[SEG_CS].limit)
        return fault_gp(cpu, 0);
    return true;
}

static bool load_state(struct cpu *cpu, u16 sel, const struct descriptor *tss,
                       const struct task_state *t)
{
    bool wide = layout_of(desc_sys(tss))->w == W32;

    cpu->tr = (struct segment){
        .selector = sel, .base = tss->base, .limit = tss->limit, .attr = (u16)(tss->attr | 2)};
    cpu->cr0 |= CR0_TS;
    if (wide && (cpu->cr0 & CR0_PG)) {
        cpu->cr3 = t->cr3;
        if ((cpu->cr4 & CR4_PAE) &&
            !mmu_load_pdptes(cpu->mmu, cpu->cr3, cpu->efer & EFER_NXE, cpu->pdpte))
            return fault_gp(cpu, 0);
        cpu_paging_changed(cpu);
    }
    flags_put(cpu, t->flags & 0x003f7fd5);
    cpu->rip = cpu->next_rip = t->ip;
    for (unsigned i = 0; i < 8; i++)
        cpu->gpr[i] = t->gpr[i];
    cpu->dr[7] &= ~(u64)0x55; /* the local enables */
    /* Selectors are loaded before they are validated: a fault's handler sees them. */
    for (unsigned i = 0; i < SEG__COUNT; i++) {
        cpu->seg[i].selector = t->sreg[i];
        if (!cpu_is_v86(cpu))
            segment_set_null(cpu, i, t->sreg[i]);
    }
    cpu_set_cpl(cpu, cpu_is_v86(cpu) ? 3 : t->sreg[SEG_CS] & 3u);
    return load_segments(cpu, t);
}

bool task_switch(struct cpu *cpu, u16 sel, const struct descriptor *tss, enum task_cause cause)
{
    const struct tss_layout *l = layout_of(desc_sys(tss));
    u16 old = cpu->tr.selector;
    u32 old_flags = flags_get(cpu);
    struct task_state t;

    if (!mmu_probe(cpu->mmu, (u32)tss->base, l->last + 1, MMU_WRITE, true))
        return fault_pf(cpu);
    if (cause == TASK_IRET)
        old_flags &= ~(u32)FL_NT;
    if (!tss_read(cpu, tss->base, l, &t) || !tss_save(cpu, old_flags))
        return false;
    if ((cause == TASK_JMP || cause == TASK_IRET) && !set_busy(cpu, old, false))
        return false;
    if (cause != TASK_IRET && !set_busy(cpu, sel, true))
        return false;
    if (cause == TASK_CALL || cause == TASK_INT) {
        if (!sys_write(cpu, (u32)tss->base, W16, old))
            return false;
        t.flags |= FL_NT;
    }
    if (!load_state(cpu, sel, tss, &t))
        return false;
    if (t.trap)
        return fault_db(cpu, BIT(15)); /* BT */
    return true;
}

bool task_switch_gate(struct cpu *cpu, u16 sel, u32 ext, const struct int_event *ev)
{
    struct push_frame f = {{ev->error}, 1};
    struct descriptor tss;
    u32 esp;

    if (!task_fetch_tss(cpu, sel, ext, TASK_INT, &tss) || !task_switch(cpu, sel, &tss, TASK_INT))
        return false;
    if (!ev->has_error)
        return true;
    esp = (u32)cpu->gpr[REG_SP];
    enum width w = layout_of(desc_sys(&tss))->w;
    if (!frame_push(cpu, &cpu->seg[SEG_SS], &esp, cpu->cpl, w, &f, ext))
        return false;
    cpu->gpr[REG_SP] = esp;
    return true;
}
