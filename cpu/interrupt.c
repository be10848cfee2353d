/* SPDX-License-Identifier: MIT */
#include "cpu/interrupt.h"

#include "base/log.h"
#include "cpu/access.h"
#include "cpu/cpu.h"
#include "cpu/flags.h"
#include "cpu/msr.h"
#include "cpu/segment.h"
#include "cpu/task.h"

static void frame_add(struct push_frame *f, u32 v)
{
    f->v[f->n++] = v;
}

static void sp_set(u32 *esp, const struct segment *ss, u32 sp)
{
    *esp = ss->attr & SEG_DB ? sp : (*esp & 0xffff0000u) | (sp & 0xffff);
}

/* Address of the next push below *@esp, moved; offset wraps by SS.B. */
static u32 sp_down(u32 *esp, const struct segment *ss, unsigned bytes)
{
    sp_set(esp, ss, *esp - bytes);
    return ss->attr & SEG_DB ? *esp : (u16)*esp;
}

bool frame_push(struct cpu *cpu, const struct segment *ss, u32 *esp, unsigned cpl, enum width w,
                const struct push_frame *f, u32 error)
{
    unsigned bytes = width_bytes(w);
    bool sys = cpl != 3;
    u32 sp = *esp;

    for (unsigned i = 0; i < f->n; i++) {
        u64 off = sp_down(&sp, ss, bytes);
        if (off < ss->lo || off + bytes - 1 > ss->hi || !(ss->perm & SEG_PERM_W))
            return fault_ss(cpu, error);
        if (!mmu_probe(cpu->mmu, (u32)(ss->base + off), bytes, MMU_WRITE, sys))
            return fault_pf(cpu);
    }
    sp = *esp;
    for (unsigned i = 0; i < f->n; i++) {
        lin_addr lin = (u32)(ss->base + sp_down(&sp, ss, bytes));
        if (!mmu_write_slow(cpu->mmu, lin, bytes, sys, f->v[i]))
            return fault_pf(cpu);
    }
    *esp = sp;
    return true;
}

bool tss_stack(struct cpu *cpu, unsigned cpl, u32 ext, u16 *ss, u32 *esp)
{
    bool wide = (cpu->tr.attr & SEG_TYPE) >= SYS_TSS32;
    unsigned at = wide ? 4 + 8 * cpl : 2 + 4 * cpl;
    unsigned last = at + (wide ? 5 : 3);
    u64 sp, sel;

    if (last > cpu->tr.limit)
        return fault_ts(cpu, (cpu->tr.selector & 0xfffcu) | ext);
    if (!sys_read(cpu, (u32)(cpu->tr.base + at), wide ? W32 : W16, &sp) ||
        !sys_read(cpu, (u32)(cpu->tr.base + at + (wide ? 4 : 2)), W16, &sel))
        return false;
    *ss = (u16)sel;
    *esp = (u32)sp;
    return true;
}

static bool deliver_real(struct cpu *cpu, const struct int_event *ev)
{
    struct push_frame f = {{0}, 0};
    u32 esp = (u32)cpu->gpr[REG_SP];
    u64 entry;

    if (ev->vector * 4u + 3 > cpu->idtr.limit)
        return fault_gp(cpu, ev->vector * 8u + 2);
    if (!sys_read(cpu, (u32)(cpu->idtr.base + ev->vector * 4u), W32, &entry))
        return false;
    frame_add(&f, (u16)flags_get(cpu));
    frame_add(&f, cpu->seg[SEG_CS].selector);
    frame_add(&f, (u16)cpu->next_rip);
    if (!frame_push(cpu, &cpu->seg[SEG_SS], &esp, cpu->cpl, W16, &f, 0))
        return false;
    cpu->gpr[REG_SP] = esp;
    cpu->eflags &= ~(u32)(FL_I | FL_T | FL_AC | FL_RF);
    segment_set_8086(cpu, SEG_CS, (u16)(entry >> 16));
    cpu->next_rip = (u16)entry;
    return true;
}

bool interrupt_vme(struct cpu *cpu, u8 vector, bool *redirected)
{
    struct push_frame f = {{0}, 0};
    u32 esp = (u32)cpu->gpr[REG_SP];
    u64 io_base, bits, entry;
    u32 fl = flags_get(cpu);

    *redirected = false;
    if (!(cpu->cr4 & CR4_VME) || cpu->tr.limit < 0x67 || (cpu->tr.attr & SEG_TYPE) < SYS_TSS32)
        return true;
    if (!sys_read(cpu, (u32)(cpu->tr.base + 0x66), W16, &io_base))
        return false;
    u32 at = (u32)io_base - 32 + vector / 8u;
    if (io_base < 32 || at > cpu->tr.limit)
        return true;
    if (!sys_read(cpu, (u32)(cpu->tr.base + at), W8, &bits))
        return false;
    if (bits >> (vector & 7) & 1)
        return true;

    if (!sys_read(cpu, vector * 4u, W32, &entry))
        return false;
    bool iopl3 = cpu_iopl(cpu) == 3;
    if (!iopl3)
        fl = (fl & ~(u32)FL_I) | FL_IOPL | (fl & FL_VIF ? FL_I : 0u);
    frame_add(&f, (u16)fl);
    frame_add(&f, cpu->seg[SEG_CS].selector);
    frame_add(&f, (u16)cpu->next_rip);
    if (!frame_push(cpu, &cpu->seg[SEG_SS], &esp, 3, W16, &f, 0))
        return false;
    cpu->gpr[REG_SP] = esp;
    cpu->eflags &= ~(u32)(FL_T | (iopl3 ? (u32)FL_I : (u32)FL_VIF));
    segment_set_8086(cpu, SEG_CS, (u16)(entry >> 16));
    cpu->next_rip = (u16)entry;
    *redirected = true;
    return true;
}

/* A gate as read from the IDT. */
struct gate {
    unsigned type;
    u16 sel;
    u32 off;
    bool wide;
};

static bool gate_read(struct cpu *cpu, const struct int_event *ev, u32 ext, struct gate *g)
{
    u32 error = ev->vector * 8u + 2 + ext;
    struct descriptor d;
    u64 raw;

    if (ev->vector * 8u + 7 > cpu->idtr.limit)
        return fault_gp(cpu, error);
    if (!sys_read(cpu, (u32)(cpu->idtr.base + ev->vector * 8u), W64, &raw))
        return false;
    descriptor_unpack(raw, &d);
    g->type = desc_sys(&d);
    g->sel = (u16)(raw >> 16);
    g->off = (u32)(raw & 0xffff);
    g->wide = g->type == SYS_INT32 || g->type == SYS_TRAP32;
    if (g->wide)
        g->off |= (u32)(raw >> 32) & 0xffff0000u;
    if (!g->wide && g->type != SYS_INT16 && g->type != SYS_TRAP16 && g->type != SYS_TASK_GATE)
        return fault_gp(cpu, error);
    if (ev->source == INT_SOFTWARE && desc_dpl(&d) < cpu->cpl)
        return fault_gp(cpu, error);
    if (!(d.attr & SEG_P))
        return fault_np(cpu, error);
    return true;
}

/* Where the handler's stack is, and what is pushed before EFLAGS. */
struct handler_stack {
    struct segment ss;
    struct descriptor d;
    u16 sel;
    u32 esp;
    bool change;
    u32 error; /* of #SS while pushing */
};

static bool inner_stack(struct cpu *cpu, unsigned cpl, u32 ext, struct handler_stack *st)
{
    if (!tss_stack(cpu, cpl, ext, &st->sel, &st->esp))
        return false;
    if (!segment_check_ss(cpu, st->sel, cpl, VEC_TS, &st->d) ||
        !descriptor_set_accessed(cpu, &st->d)) {
        if (cpu->fault.vector == VEC_TS || cpu->fault.vector == VEC_SS)
            cpu->fault.error |= ext;
        return false;
    }
    st->ss = (struct segment){
        .selector = st->sel, .base = st->d.base, .limit = st->d.limit, .attr = st->d.attr};
    segment_derive(cpu, &st->ss);
    st->change = true;
    st->error = (st->sel & 0xfffcu) | ext;
    return true;
}

static void frame_interrupted(struct cpu *cpu, const struct int_event *ev, bool change,
                              struct push_frame *f)
{
    static const u8 data[] = {SEG_GS, SEG_FS, SEG_DS, SEG_ES};

    if (change) {
        for (unsigned i = 0; cpu_is_v86(cpu) && i < ARRAY_LEN(data); i++)
            frame_add(f, cpu->seg[data[i]].selector);
        frame_add(f, cpu->seg[SEG_SS].selector);
        frame_add(f, (u32)cpu->gpr[REG_SP]);
    }
    frame_add(f, flags_get(cpu) | (ev->rf ? FL_RF : 0u));
    frame_add(f, cpu->seg[SEG_CS].selector);
    frame_add(f, (u32)cpu->next_rip);
    if (ev->has_error)
        frame_add(f, ev->error);
}

static void enter_handler(struct cpu *cpu, const struct gate *g, const struct descriptor *cs,
                          const struct handler_stack *st, unsigned cpl)
{
    bool v86 = cpu_is_v86(cpu);

    cpu->eflags &= ~(u32)(FL_T | FL_NT | FL_VM | FL_RF);
    if (g->type == SYS_INT16 || g->type == SYS_INT32)
        cpu->eflags &= ~(u32)FL_I;
    if (v86) {
        segment_set_null(cpu, SEG_GS, 0);
        segment_set_null(cpu, SEG_FS, 0);
        segment_set_null(cpu, SEG_DS, 0);
        segment_set_null(cpu, SEG_ES, 0);
    }
    segment_set_cs(cpu, g->sel, cs, cpl);
    if (st->change)
        segment_set(cpu, SEG_SS, st->sel, &st->d);
    cpu->gpr[REG_SP] = st->esp;
    cpu->next_rip = g->off;
}

static bool deliver_protected(struct cpu *cpu, const struct int_event *ev)
{
    u32 ext = ev->source == INT_SOFTWARE ? 0 : 1;
    struct push_frame f = {{0}, 0};
    struct descriptor cs;
    struct gate g;

    if (!gate_read(cpu, ev, ext, &g))
        return false;
    if (g.type == SYS_TASK_GATE)
        return task_switch_gate(cpu, g.sel, ext, ev);

    u32 error = (g.sel & 0xfffcu) | ext;
    if (selector_is_null(g.sel))
        return fault_gp(cpu, ext);
    if (!descriptor_fetch(cpu, g.sel, VEC_GP, &cs)) {
        if (cpu->fault.vector == VEC_GP)
            cpu->fault.error |= ext;
        return false;
    }
    if (!desc_is_code(&cs) || desc_dpl(&cs) > cpu->cpl)
        return fault_gp(cpu, error);
    if (!(cs.attr & SEG_P))
        return fault_np(cpu, error);

    bool inner = !desc_is_conforming(&cs) && desc_dpl(&cs) < cpu->cpl;
    unsigned cpl = inner ? desc_dpl(&cs) : cpu->cpl;
    if (cpu_is_v86(cpu) && (!inner || cpl != 0))
        return fault_gp(cpu, error);
    struct handler_stack st = {.ss = cpu->seg[SEG_SS], .esp = (u32)cpu->gpr[REG_SP], .error = ext};
    if (inner && !inner_stack(cpu, cpl, ext, &st))
        return false;
    frame_interrupted(cpu, ev, inner, &f);
    if (g.off > cs.limit)
        return fault_gp(cpu, ext);
    if (!frame_push(cpu, &st.ss, &st.esp, cpl, g.wide ? W32 : W16, &f, st.error) ||
        !descriptor_set_accessed(cpu, &cs))
        return false;
    enter_handler(cpu, &g, &cs, &st, cpl);
    return true;
}

bool interrupt_deliver(struct cpu *cpu, const struct int_event *ev)
{
    if (log_on(LOG_TRACE, INT))
        log_trace(INT, "v=%02x src=%u e=%04x cpl=%u cs:ip=%04x:%08x next=%08x sp=%04x:%08x ax=%08x",
                  ev->vector, ev->source, ev->error, cpu->cpl, cpu->seg[SEG_CS].selector,
                  (u32)cpu->rip, (u32)cpu->next_rip, cpu->seg[SEG_SS].selector,
                  (u32)cpu->gpr[REG_SP], (u32)cpu->gpr[REG_AX]);
    return cpu_is_real(cpu) ? deliver_real(cpu, ev) : deliver_protected(cpu, ev);
}

/* Classes for double-fault decisions [SDM 3A Table 6-4, 6-5]. */
enum fault_class { BENIGN, CONTRIBUTORY, PAGE_FAULT, DOUBLE_FAULT };

static enum fault_class fault_class(u8 vector)
{
    switch (vector) {
    case VEC_DE:
    case VEC_TS:
    case VEC_NP:
    case VEC_SS:
    case VEC_GP:
        return CONTRIBUTORY;
    case VEC_PF:
        return PAGE_FAULT;
    case VEC_DF:
        return DOUBLE_FAULT;
    default:
        return BENIGN;
    }
}

static struct int_event event_of_fault(struct cpu *cpu, const struct fault *f)
{
    struct int_event ev = {
        .vector = f->vector,
        .source = INT_EXCEPTION,
        .has_error = f->has_error,
        .error = f->error,
        .rf = f->vector == VEC_DB ? (cpu->inhibit & INHIBIT_REP) != 0 : f->vector != VEC_DF,
    };

    if (f->vector == VEC_PF)
        cpu->cr2 = f->lin;
    if (f->vector == VEC_DB) {
        cpu->dr[6] |= f->dr6;
        cpu->dr[7] &= ~(u64)BIT(13); /* GD */
        cpu->msr[MSR_DEBUGCTL] &= ~(u64)DEBUGCTL_BTF;
    }
    return ev;
}

void interrupt_fault(struct cpu *cpu)
{
    enum fault_class first = BENIGN;

    /* The instruction that faulted counts nothing, its exception one: handlers that fault for ever
     * would else stop time, and cpu_run() would never return. */
    cpu->clock->left--;
    cpu->halted = false;
    cpu->next_rip = cpu->rip;
    for (;;) {
        struct fault f = cpu->fault;
        enum fault_class now = fault_class(f.vector);
        if (first == DOUBLE_FAULT && now != BENIGN) {
            log_trace(INT, "triple fault at %04x:%08x", cpu->seg[SEG_CS].selector, (u32)cpu->rip);
            cpu->shutdown = true;
            return;
        }
        bool both = (first == CONTRIBUTORY && now == CONTRIBUTORY) ||
                    (first == PAGE_FAULT && (now == CONTRIBUTORY || now == PAGE_FAULT));
        if (f.vector == VEC_PF)
            cpu->cr2 = f.lin; /* also when it becomes a double fault */
        if (both) {
            f = (struct fault){.vector = VEC_DF, .has_error = true};
            now = DOUBLE_FAULT;
        }
        struct int_event ev = event_of_fault(cpu, &f);
        if (interrupt_deliver(cpu, &ev)) {
            cpu->rip = cpu->next_rip;
            return;
        }
        first = now;
        cpu->next_rip = cpu->rip; /* a task switch may have moved it */
    }
}
