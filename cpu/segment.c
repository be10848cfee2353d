/* SPDX-License-Identifier: MIT */
#include "cpu/segment.h"

#include "cpu/access.h"
#include "cpu/cpu.h"

void descriptor_unpack(u64 raw, struct descriptor *out)
{
    u32 lo = (u32)raw, hi = (u32)(raw >> 32);

    out->raw = raw;
    out->base = lo >> 16 | (hi & 0xff) << 16 | (hi & 0xff000000u);
    out->attr = (u16)(hi >> 8 & 0xf0ff);
    out->limit = (lo & 0xffff) | (hi & 0x000f0000u);
    if (out->attr & SEG_G)
        out->limit = out->limit << 12 | 0xfff;
}

enum desc_result descriptor_read(struct cpu *cpu, u16 sel, struct descriptor *out)
{
    bool local = sel & 4;
    u64 base = local ? cpu->ldtr.base : cpu->gdtr.base;
    u32 limit = local ? cpu->ldtr.limit : cpu->gdtr.limit;
    u64 raw;

    if (local && !(cpu->ldtr.attr & SEG_P))
        return DESC_OUTSIDE; /* LDTR is null */
    if ((sel | 7u) > limit)
        return DESC_OUTSIDE;
    lin_addr at = (u32)(base + (sel & 0xfff8));
    if (!sys_read(cpu, at, W64, &raw))
        return DESC_FAULT;
    descriptor_unpack(raw, out);
    out->at = at;
    return DESC_OK;
}

bool descriptor_fetch(struct cpu *cpu, u16 sel, u8 vector, struct descriptor *out)
{
    switch (descriptor_read(cpu, sel, out)) {
    case DESC_OK:
        return true;
    case DESC_OUTSIDE:
        return fault_vector(cpu, vector, sel & 0xfffc);
    default:
        return false;
    }
}

bool descriptor_set_accessed(struct cpu *cpu, struct descriptor *d)
{
    if (d->attr & SEG_ACCESSED)
        return true;
    d->attr |= SEG_ACCESSED;
    return sys_write(cpu, (u32)(d->at + 5), W8, (u8)d->attr);
}

static enum seg_class classify(const struct cpu *cpu, const struct segment *s)
{
    u8 need = s == &cpu->seg[SEG_CS] ? SEG_PERM_R : SEG_PERM_R | SEG_PERM_W;

    if ((s->perm & need) != need || s->lo != 0)
        return SEGC_CHECK;
    return s->hi != UINT32_MAX ? SEGC_UP : s->base != 0 ? SEGC_BASE : SEGC_FLAT;
}

void segment_derive(const struct cpu *cpu, struct segment *s)
{
    bool real = cpu_is_real(cpu);

    if (real)
        s->perm = SEG_PERM_R | SEG_PERM_W;
    else if (!(s->attr & SEG_P) || !(s->attr & SEG_S))
        s->perm = 0;
    else if (s->attr & SEG_CODE)
        s->perm = s->attr & SEG_RW ? SEG_PERM_R : 0;
    else
        s->perm = s->attr & SEG_RW ? SEG_PERM_R | SEG_PERM_W : SEG_PERM_R;

    bool down = (s->attr & (SEG_S | SEG_CODE | SEG_DC)) == (SEG_S | SEG_DC);
    if (!down) {
        s->lo = 0;
        s->hi = s->limit;
    } else if (s->limit == UINT32_MAX) {
        s->lo = 1;
        s->hi = 0;
    } else {
        s->lo = s->limit + 1;
        s->hi = s->attr & SEG_DB ? UINT32_MAX : 0xffff;
    }
    s->class = (u8)classify(cpu, s);
}

void segment_derive_all(struct cpu *cpu)
{
    for (unsigned i = 0; i < SEG__COUNT; i++)
        segment_derive(cpu, &cpu->seg[i]);
}

void segment_set(struct cpu *cpu, unsigned seg, u16 sel, const struct descriptor *d)
{
    struct segment *s = &cpu->seg[seg];

    s->selector = sel;
    s->base = d->base;
    s->limit = d->limit;
    s->attr = d->attr;
    segment_derive(cpu, s);
}

void segment_set_null(struct cpu *cpu, unsigned seg, u16 sel)
{
    struct segment *s = &cpu->seg[seg];

    s->selector = sel;
    s->attr &= (u16)~SEG_P; /* unusable; the rest is as it was */
    segment_derive(cpu, s);
}

void segment_set_8086(struct cpu *cpu, unsigned seg, u16 sel)
{
    struct segment *s = &cpu->seg[seg];

    s->selector = sel;
    s->base = (u64)sel << 4;
    if (cpu_is_v86(cpu)) {
        s->limit = 0xffff;
        s->attr = SEG_P | SEG_DPL | SEG_S | SEG_RW | SEG_ACCESSED;
    } else {
        /* Real mode changes neither the limit nor the attributes: "unreal" mode lives on. But what
         * a null or system selector left behind must be usable. */
        s->attr |= SEG_P | SEG_S;
    }
    segment_derive(cpu, s);
}

bool segment_check_ss(struct cpu *cpu, u16 sel, unsigned cpl, u8 vector, struct descriptor *d)
{
    u32 error = sel & 0xfffc;

    if (selector_is_null(sel))
        return fault_vector(cpu, vector, vector == VEC_TS ? error : 0);
    if (!descriptor_fetch(cpu, sel, vector, d))
        return false;
    if ((sel & 3u) != cpl || desc_dpl(d) != cpl || !(d->attr & SEG_S) || (d->attr & SEG_CODE) ||
        !(d->attr & SEG_RW))
        return fault_vector(cpu, vector, error);
    if (!(d->attr & SEG_P))
        return fault_ss(cpu, error);
    return true;
}

static bool check_data(struct cpu *cpu, u16 sel, struct descriptor *d)
{
    u32 error = sel & 0xfffc;

    if (!descriptor_fetch(cpu, sel, VEC_GP, d))
        return false;
    if (!(d->attr & SEG_S) || ((d->attr & SEG_CODE) && !(d->attr & SEG_RW)))
        return fault_gp(cpu, error);
    if (!desc_is_conforming(d)) {
        unsigned rpl = sel & 3;
        unsigned lower = rpl > cpu->cpl ? rpl : cpu->cpl;
        if (lower > desc_dpl(d))
            return fault_gp(cpu, error);
    }
    if (!(d->attr & SEG_P))
        return fault_np(cpu, error);
    return true;
}

bool segment_load(struct cpu *cpu, unsigned seg, u16 sel)
{
    struct descriptor d;

    if (cpu_is_8086(cpu)) {
        segment_set_8086(cpu, seg, sel);
        return true;
    }
    if (seg == SEG_SS) {
        if (!segment_check_ss(cpu, sel, cpu->cpl, VEC_GP, &d))
            return false;
    } else if (selector_is_null(sel)) {
        segment_set_null(cpu, seg, sel);
        return true;
    } else if (!check_data(cpu, sel, &d)) {
        return false;
    }
    if (!descriptor_set_accessed(cpu, &d))
        return false;
    segment_set(cpu, seg, sel, &d);
    return true;
}

void segment_set_cs(struct cpu *cpu, u16 sel, const struct descriptor *d, unsigned cpl)
{
    segment_set(cpu, SEG_CS, (u16)((sel & 0xfffc) | cpl), d);
    cpu_set_cpl(cpu, cpl);
}

void segment_drop_privileged(struct cpu *cpu, unsigned cpl)
{
    static const u8 data[] = {SEG_ES, SEG_DS, SEG_FS, SEG_GS};

    for (unsigned i = 0; i < ARRAY_LEN(data); i++) {
        const struct segment *s = &cpu->seg[data[i]];
        bool conforming = (s->attr & (SEG_CODE | SEG_DC)) == (SEG_CODE | SEG_DC);
        if ((s->attr & SEG_P) && (s->attr & SEG_S) && !conforming && (s->attr >> 5 & 3u) < cpl)
            segment_set_null(cpu, data[i], 0);
    }
}

bool segment_load_ldtr(struct cpu *cpu, u16 sel, bool task_switch)
{
    u32 error = sel & 0xfffc;
    u8 vector = task_switch ? VEC_TS : VEC_GP;
    struct descriptor d;

    if (selector_is_null(sel)) {
        cpu->ldtr = (struct segment){.selector = sel};
        return true;
    }
    if (sel & 4)
        return fault_vector(cpu, vector, error);
    if (!descriptor_fetch(cpu, sel, vector, &d))
        return false;
    if (desc_sys(&d) != SYS_LDT)
        return fault_vector(cpu, vector, error);
    if (!(d.attr & SEG_P))
        return task_switch ? fault_ts(cpu, error) : fault_np(cpu, error);
    cpu->ldtr = (struct segment){.selector = sel, .base = d.base, .limit = d.limit, .attr = d.attr};
    return true;
}
