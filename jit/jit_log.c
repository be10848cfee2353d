/* SPDX-License-Identifier: MIT */
/* -d op and -d out_asm: what was made of a block. */
#include <capstone/capstone.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "jit/jit_private.h"

static void log_ir(const struct ir_block *ir)
{
    char line[160];

    for (unsigned i = 0; i < ir->count; i++) {
        ir_print_insn(&ir->insn[i], line, sizeof(line));
        log_trace(OP, "%08x  %s", ir->at[ir->insn[i].g], line);
    }
}

static void log_code(const struct jit *j, const struct jit_block *b)
{
    csh cs;
    cs_insn *insn;

    if (cs_open(j->backend->cs_arch, j->backend->cs_mode, &cs) != CS_ERR_OK)
        return;
    u64 at = cache_exec(&j->cache, b->code);
    size_t n = cs_disasm(cs, b->code, b->code_size, at, 0, &insn);
    for (size_t i = 0; i < n; i++) {
        if (insn[i].address == at + b->hot_size)
            log_trace(OUT_ASM, "-- rarely:");
        log_trace(OUT_ASM, "%llx  %s %s", (unsigned long long)insn[i].address, insn[i].mnemonic,
                  insn[i].op_str);
    }
    cs_free(insn, n);
    cs_close(&cs);
}

void jit_log_block(const struct jit *j, const struct jit_block *b)
{
    if (log_on(LOG_TRACE, OP)) {
        log_trace(OP, "block %08x, mode %08x", b->eip, b->mode);
        log_ir(&j->ir);
    }
    if (log_on(LOG_TRACE, OUT_ASM)) {
        log_trace(OUT_ASM, "block %08x, mode %08x: %u guest, %u host bytes", b->eip, b->mode,
                  b->guest_bytes, b->code_size);
        log_code(j, b);
    }
}
