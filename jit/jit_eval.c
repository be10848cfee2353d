/* SPDX-License-Identifier: MIT */
/* The engine that evaluates IR instead of running host code: what translators mean, on any host. */
#include "cpu/interp.h"
#include "cpu/interrupt.h"
#include "jit/jit_private.h"

void jit_run_eval(void *ctx, struct block *b)
{
    struct jit *j = ctx;
    struct cpu *cpu = j->cpu;
    u32 eip = (u32)cpu->rip;
    unsigned g;

    if (b->count > cpu->clock->left || !jit_make_ir(j, b, eip, jit_mode_now(j), 0)) {
        cpu_interpret_block(cpu, b);
        return;
    }
    switch (ir_eval(cpu, &j->ir, &g)) {
    case IR_DONE:
        break;
    case IR_BAILED:
        cpu->rip = j->ir.at[g];
        cpu_interpret_one(cpu, &b->insn[g]);
        break;
    case IR_FAULTED:
        interrupt_fault(cpu);
        break;
    default:
        break;
    }
}
