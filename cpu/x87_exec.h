/* SPDX-License-Identifier: MIT */
/*
 * Private to cpu/exec_x87*.c: how an escape instruction begins, its stack, how it ends
 * [SDM 1 §8.1.2 to §8.7].
 *
 * Errors: with CR0.NE the next waiting instruction raises #MF. Without it FERR# is asserted as soon
 * as an unmasked flag is set, and instructions go on as if IGNNE# were asserted: the interrupt
 * comes before the next instruction, unless the guest keeps it off; a real unit would then freeze.
 */
#pragma once

#include "cpu/operand.h"
#include "cpu/softfloat_core.h"

/** Remember where the instruction and its operand are, by the rule of cpu/x87.h. */
ALWAYS_INLINE void x87_record(struct cpu *cpu, const struct insn *in)
{
    struct x87_state *f = &cpu->x87;

    f->ip = cpu->rip;
    f->cs = cpu->seg[SEG_CS].selector;
    f->opcode = (u16)((in->opcode & 7) << 8 | in->modrm);
    if (in->mem) {
        f->dp = insn_ea(cpu, in);
        f->ds = cpu->seg[in->seg].selector;
    }
}

/** For control instructions, which do not wait. False: return x87_refused(). */
ALWAYS_INLINE bool x87_enter_nowait(struct cpu *cpu)
{
    if (UNLIKELY(cpu->cr0 & (CR0_EM | CR0_TS)))
        return fault_nm(cpu);
    return LIKELY(!cpu->x87.absent);
}

/** For all others: a pending error comes first. False: return x87_refused(). */
ALWAYS_INLINE bool x87_enter(struct cpu *cpu)
{
    if (!x87_enter_nowait(cpu))
        return false;
    if (UNLIKELY((cpu->x87.status & X87_SW_ES) && (cpu->cr0 & CR0_NE)))
        return fault_mf(cpu);
    return true;
}

/** Whether a refused instruction did all it does: without a unit there is nothing to do. */
ALWAYS_INLINE bool x87_refused(const struct cpu *cpu)
{
    return cpu->x87.absent && !(cpu->cr0 & (CR0_EM | CR0_TS));
}

ALWAYS_INLINE struct f80 *x87_st(struct x87_state *f, unsigned i)
{
    return &f->r[(f->top + i) & 7];
}

ALWAYS_INLINE bool x87_empty(const struct x87_state *f, unsigned i)
{
    return f->empty >> ((f->top + i) & 7) & 1;
}

ALWAYS_INLINE void x87_set_empty(struct x87_state *f, unsigned i)
{
    f->empty |= (u8)(1u << ((f->top + i) & 7));
}

ALWAYS_INLINE void x87_put(struct x87_state *f, unsigned i, struct f80 v)
{
    f->r[(f->top + i) & 7] = v;
    f->empty &= (u8) ~(1u << ((f->top + i) & 7));
}

ALWAYS_INLINE void x87_push(struct x87_state *f, struct f80 v)
{
    f->top = (f->top - 1) & 7;
    x87_put(f, 0, v);
}

ALWAYS_INLINE void x87_pop(struct x87_state *f)
{
    x87_set_empty(f, 0);
    f->top = (f->top + 1) & 7;
}

/** Add exceptions to the status word; those unmasked make ES, B and FERR#. */
ALWAYS_INLINE void x87_raise(struct cpu *cpu, u8 flags)
{
    struct x87_state *f = &cpu->x87;

    f->status |= flags;
    if (UNLIKELY(flags & ~f->control & X87_CW_MASKS)) {
        f->status |= X87_SW_ES;
        x87_update_ferr(cpu);
    }
}

/** End of an arithmetic instruction: flags, C1, pointers. True: the result may be stored. */
ALWAYS_INLINE bool x87_finish(struct cpu *cpu, const struct insn *in, struct fp_env *e)
{
    bool store = !(fp_settle(e) & FP_BEFORE);

    cpu->x87.status = (u16)((cpu->x87.status & ~X87_SW_C1) | (e->up ? X87_SW_C1 : 0));
    x87_raise(cpu, e->flags);
    x87_record(cpu, in);
    return store;
}

/** Stack underflow, or @overflow. True: masked, the indefinite is to be stored. */
bool x87_stack_fault(struct cpu *cpu, const struct insn *in, bool overflow) MUST_CHECK;

/** C1 = 0, and the pointers: the end of an instruction without exceptions. */
ALWAYS_INLINE void x87_finish_quiet(struct cpu *cpu, const struct insn *in)
{
    cpu->x87.status &= (u16)~X87_SW_C1;
    x87_record(cpu, in);
}

/** The instruction pushes @v: FLD and its like. */
bool x87_do_push(struct cpu *cpu, const struct insn *in, struct f80 v);

/** C3, C2, C0 of a comparison. */
void x87_set_order(struct x87_state *f, enum fp_order o);
