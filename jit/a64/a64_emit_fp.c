/* SPDX-License-Identifier: MIT */
/* x87, MMX and SSE: this host's units are others, so their executors do it. */
#include "jit/a64/a64_emit.h"

void a64_emit_FP(struct a64_emit *e, const struct ir_insn *in)
{
    (void)in;
    a64_decline(e);
}

void a64_emit_FPR(struct a64_emit *e, const struct ir_insn *in)
{
    a64_emit_FP(e, in);
}

void a64_emit_FPG(struct a64_emit *e, const struct ir_insn *in)
{
    a64_emit_FP(e, in);
}

void a64_emit_FPF(struct a64_emit *e, const struct ir_insn *in)
{
    a64_emit_FP(e, in);
}

void a64_emit_FPM(struct a64_emit *e, const struct ir_insn *in)
{
    a64_emit_FP(e, in);
}

void a64_emit_FPMG(struct a64_emit *e, const struct ir_insn *in)
{
    a64_emit_FP(e, in);
}
