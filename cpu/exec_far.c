/* SPDX-License-Identifier: MIT */
/* Far jumps, calls and returns [SDM 2A CALL, JMP; 2B RET]. */
#include "cpu/exec.h"
#include "cpu/flags.h"
#include "cpu/interrupt.h"
#include "cpu/operand.h"
#include "cpu/segment.h"
#include "cpu/task.h"

/* Push CS and the return address on the current stack. */
static bool push_return(struct cpu *cpu, enum width w)
{
    struct push_frame f = {{cpu->seg[SEG_CS].selector, (u32)cpu->next_rip}, 2};
    u32 esp = (u32)cpu->gpr[REG_SP];

    if (!frame_push(cpu, &cpu->seg[SEG_SS], &esp, cpu->cpl, w, &f, 0))
        return false;
    cpu->gpr[REG_SP] = esp;
    return true;
}

static bool far_8086(struct cpu *cpu, u16 sel, u32 off, enum width w, bool call)
{
    if (off > cpu->seg[SEG_CS].limit)
        return fault_gp(cpu, 0);
    if (call && !push_return(cpu, w))
        return false;
    segment_set_8086(cpu, SEG_CS, sel);
    cpu->next_rip = off;
    return true;
}

/* Direct transfer to a code segment at the same privilege. */
static bool far_code(struct cpu *cpu, u16 sel, struct descriptor *d, u32 off, enum width w,
                     bool call)
{
    u32 error = sel & 0xfffc;

    if (desc_is_conforming(d) ? desc_dpl(d) > cpu->cpl
                              : (sel & 3u) > cpu->cpl || desc_dpl(d) != cpu->cpl)
        return fault_gp(cpu, error);
    if (!(d->attr & SEG_P))
        return fault_np(cpu, error);
    if (off > d->limit)
        return fault_gp(cpu, 0);
    if (!mmu_probe(cpu->mmu, (u32)(d->at + 5), 1, MMU_READ, true))
        return fault_pf(cpu);
    if (!descriptor_set_accessed(cpu, d) || (call && !push_return(cpu, w)))
        return false;
    segment_set_cs(cpu, sel, d, cpu->cpl);
    cpu->next_rip = off;
    return true;
}

/* Read @n parameters of @w from the caller's stack, last pushed last. */
static bool read_params(struct cpu *cpu, unsigned n, enum width w, struct push_frame *f)
{
    u32 params[32];

    for (unsigned i = 0; i < n; i++) {
        u64 v;
        if (!stack_peek(cpu, i * width_bytes(w), w, &v))
            return false;
        params[i] = (u32)v;
    }
    while (n--)
        f->v[f->n++] = params[n];
    return true;
}

/* Through a call gate to more privilege: new stack, parameters copied. */
static bool call_inner(struct cpu *cpu, u16 cs_sel, struct descriptor *cs, u32 off, enum width w,
                       unsigned params)
{
    unsigned cpl = desc_dpl(cs);
    struct push_frame f = {{0}, 0};
    struct segment ss;
    struct descriptor d;
    u16 ss_sel;
    u32 esp;

    if (!tss_stack(cpu, cpl, 0, &ss_sel, &esp) || !segment_check_ss(cpu, ss_sel, cpl, VEC_TS, &d) ||
        !descriptor_set_accessed(cpu, &d))
        return false;
    ss = (struct segment){.selector = ss_sel, .base = d.base, .limit = d.limit, .attr = d.attr};
    segment_derive(cpu, &ss);
    f.v[f.n++] = cpu->seg[SEG_SS].selector;
    f.v[f.n++] = (u32)cpu->gpr[REG_SP];
    if (!read_params(cpu, params, w, &f))
        return false;
    f.v[f.n++] = cpu->seg[SEG_CS].selector;
    f.v[f.n++] = (u32)cpu->next_rip;
    if (off > cs->limit)
        return fault_gp(cpu, 0);
    if (!frame_push(cpu, &ss, &esp, cpl, w, &f, ss_sel & 0xfffc) ||
        !descriptor_set_accessed(cpu, cs))
        return false;
    segment_set_cs(cpu, cs_sel, cs, cpl);
    segment_set(cpu, SEG_SS, ss_sel, &d);
    cpu->gpr[REG_SP] = esp;
    cpu->next_rip = off;
    return true;
}

static bool far_call_gate(struct cpu *cpu, const struct descriptor *gate, bool call)
{
    bool wide = desc_sys(gate) == SYS_CALL32;
    u16 sel = (u16)(gate->raw >> 16);
    u32 off = (u32)(gate->raw & 0xffff) | (wide ? (u32)(gate->raw >> 32) & 0xffff0000u : 0);
    unsigned params = gate->raw >> 32 & 0x1f;
    u32 error = sel & 0xfffc;
    enum width w = wide ? W32 : W16;
    struct descriptor cs;

    if (selector_is_null(sel))
        return fault_gp(cpu, 0);
    if (!descriptor_fetch(cpu, sel, VEC_GP, &cs))
        return false;
    if (!desc_is_code(&cs) || desc_dpl(&cs) > cpu->cpl)
        return fault_gp(cpu, error);
    bool inner = !desc_is_conforming(&cs) && desc_dpl(&cs) < cpu->cpl;
    if (!call && inner)
        return fault_gp(cpu, error);
    if (!(cs.attr & SEG_P))
        return fault_np(cpu, error);
    if (inner)
        return call_inner(cpu, sel, &cs, off, w, params);
    if (off > cs.limit)
        return fault_gp(cpu, 0);
    if (!descriptor_set_accessed(cpu, &cs) || (call && !push_return(cpu, w)))
        return false;
    segment_set_cs(cpu, sel, &cs, cpu->cpl);
    cpu->next_rip = off;
    return true;
}

static bool far_system(struct cpu *cpu, u16 sel, const struct descriptor *d, bool call)
{
    u32 error = sel & 0xfffc;
    unsigned type = desc_sys(d);
    enum task_cause cause = call ? TASK_CALL : TASK_JMP;
    struct descriptor tss;

    bool gate = type == SYS_CALL16 || type == SYS_CALL32 || type == SYS_TASK_GATE;
    if (!gate && type != SYS_TSS16 && type != SYS_TSS32)
        return fault_gp(cpu, error);
    if (desc_dpl(d) < cpu->cpl || desc_dpl(d) < (sel & 3u))
        return fault_gp(cpu, error);
    if (!(d->attr & SEG_P))
        return fault_np(cpu, error);
    if (type == SYS_CALL16 || type == SYS_CALL32)
        return far_call_gate(cpu, d, call);
    u16 tss_sel = type == SYS_TASK_GATE ? (u16)(d->raw >> 16) : sel;
    return task_fetch_tss(cpu, tss_sel, 0, cause, &tss) && task_switch(cpu, tss_sel, &tss, cause);
}

static bool far_transfer(struct cpu *cpu, u16 sel, u32 off, enum width w, bool call)
{
    struct descriptor d;

    if (cpu_is_8086(cpu))
        return far_8086(cpu, sel, off, w, call);
    if (selector_is_null(sel))
        return fault_gp(cpu, 0);
    if (!descriptor_fetch(cpu, sel, VEC_GP, &d))
        return false;
    if (!(d.attr & SEG_S))
        return far_system(cpu, sel, &d, call);
    if (!(d.attr & SEG_CODE))
        return fault_gp(cpu, sel & 0xfffc);
    return far_code(cpu, sel, &d, off, w, call);
}

bool exec_call_far(struct cpu *cpu, const struct insn *in)
{
    return far_transfer(cpu, in->imm2, (u32)in->imm, in->opsize, true);
}

bool exec_jmp_far(struct cpu *cpu, const struct insn *in)
{
    return far_transfer(cpu, in->imm2, (u32)in->imm, in->opsize, false);
}

static bool far_indirect(struct cpu *cpu, const struct insn *in, bool call)
{
    u64 ea = insn_ea(cpu, in), off, sel;
    u64 mask = in->adsize == W16 ? 0xffff : UINT32_MAX;

    if (!mem_read(cpu, in->seg, ea, in->opsize, &off) ||
        !mem_read(cpu, in->seg, (ea + width_bytes(in->opsize)) & mask, W16, &sel))
        return false;
    return far_transfer(cpu, (u16)sel, (u32)off, in->opsize, call);
}

bool exec_call_far_m(struct cpu *cpu, const struct insn *in)
{
    return far_indirect(cpu, in, true);
}

bool exec_jmp_far_m(struct cpu *cpu, const struct insn *in)
{
    return far_indirect(cpu, in, false);
}

/* Return to less privilege: the outer stack lies above the frame. */
static bool return_outer(struct cpu *cpu, const struct insn *in, u16 cs_sel, struct descriptor *cs,
                         u32 ip)
{
    unsigned bytes = width_bytes(in->opsize), release = (u16)in->imm;
    unsigned cpl = cs_sel & 3;
    struct descriptor d;
    u64 esp, ss;

    if (!stack_peek(cpu, 2 * bytes + release, in->opsize, &esp) ||
        !stack_peek(cpu, 3 * bytes + release, in->opsize, &ss))
        return false;
    if (!segment_check_ss(cpu, (u16)ss, cpl, VEC_GP, &d) || !descriptor_set_accessed(cpu, &d))
        return false;
    if (ip > cs->limit)
        return fault_gp(cpu, 0);
    if (!descriptor_set_accessed(cpu, cs))
        return false;
    segment_set_cs(cpu, cs_sel, cs, cpl);
    segment_set(cpu, SEG_SS, (u16)ss, &d);
    reg_set(cpu, REG_SP, d.attr & SEG_DB ? W32 : W16, esp);
    stack_adjust(cpu, (i32)release);
    segment_drop_privileged(cpu, cpl);
    cpu->next_rip = ip;
    return true;
}

/* Selectors take whole slots of the stack, as the pops of the manual do [SDM 2B RET]. */
bool exec_retf(struct cpu *cpu, const struct insn *in)
{
    unsigned bytes = width_bytes(in->opsize), release = (u16)in->imm;
    struct descriptor d;
    u64 ip, v;

    if (!stack_peek(cpu, 0, in->opsize, &ip) || !stack_peek(cpu, bytes, in->opsize, &v))
        return false;
    u16 sel = (u16)v;
    u32 error = sel & 0xfffc;
    if (cpu_is_8086(cpu)) {
        if (ip > cpu->seg[SEG_CS].limit)
            return fault_gp(cpu, 0);
        segment_set_8086(cpu, SEG_CS, sel);
        stack_adjust(cpu, (i32)(2 * bytes + release));
        cpu->next_rip = ip;
        return true;
    }
    if (selector_is_null(sel))
        return fault_gp(cpu, 0);
    if (!descriptor_fetch(cpu, sel, VEC_GP, &d))
        return false;
    unsigned rpl = sel & 3;
    if (!desc_is_code(&d) || rpl < cpu->cpl ||
        (desc_is_conforming(&d) ? desc_dpl(&d) > rpl : desc_dpl(&d) != rpl))
        return fault_gp(cpu, error);
    if (!(d.attr & SEG_P))
        return fault_np(cpu, error);
    if (rpl > cpu->cpl)
        return return_outer(cpu, in, sel, &d, (u32)ip);
    if (ip > d.limit)
        return fault_gp(cpu, 0);
    if (!descriptor_set_accessed(cpu, &d))
        return false;
    segment_set_cs(cpu, sel, &d, cpu->cpl);
    stack_adjust(cpu, (i32)(2 * bytes + release));
    cpu->next_rip = ip;
    return true;
}
