/* SPDX-License-Identifier: MIT */
/* What was made of a block: -d op, -d out_asm, and jit_explain(). */
#include <capstone/capstone.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "cpu/disasm.h"
#include "jit/jit_private.h"

typedef void line_fn(void *ctx, const char *line);

static void tell_ir(const struct ir_block *ir, line_fn *line, void *ctx)
{
    char text[160], all[192];

    for (unsigned i = 0; i < ir->count; i++) {
        ir_print_insn(&ir->insn[i], text, sizeof(text));
        snprintf(all, sizeof(all), "%08x  %s", ir->at[ir->insn[i].g], text);
        line(ctx, all);
    }
}

static void tell_code(const struct jit *j, const struct jit_block *b, line_fn *line, void *ctx)
{
    csh cs;
    cs_insn *insn;
    char text[256];

    if (cs_open(j->backend->cs_arch, j->backend->cs_mode, &cs) != CS_ERR_OK)
        return;
    cs_option(cs, CS_OPT_SKIPDATA, CS_OPT_ON); /* RMIF and CFINV: it may not know them */
    u64 at = cache_entry(&j->cache, b);
    size_t n = cs_disasm(cs, cache_write(&j->cache, b), b->code_size, at, 0, &insn);
    for (size_t i = 0; i < n; i++) {
        if (insn[i].address == at + b->hot_size)
            line(ctx, "-- behind it:");
        snprintf(text, sizeof(text), "%llx  %s %s", (unsigned long long)insn[i].address,
                 insn[i].mnemonic, insn[i].op_str);
        line(ctx, text);
    }
    cs_free(insn, n);
    cs_close(&cs);
}

static void log_op(void *ctx, const char *line)
{
    (void)ctx;
    log_trace(OP, "%s", line);
}

static void log_out_asm(void *ctx, const char *line)
{
    (void)ctx;
    log_trace(OUT_ASM, "%s", line);
}

void jit_log_block(const struct jit *j, const struct jit_block *b)
{
    if (log_on(LOG_TRACE, OP)) {
        log_trace(OP, "block %08x, mode %08x", b->eip, b->mode);
        tell_ir(&j->ir, log_op, NULL);
    }
    if (log_on(LOG_TRACE, OUT_ASM)) {
        log_trace(OUT_ASM, "block %08x, mode %08x: %u guest, %u host bytes", b->eip, b->mode,
                  b->guest_bytes, b->code_size);
        tell_code(j, b, log_out_asm, NULL);
    }
}

/* --- jit_explain --- */

static void print_line(void *ctx, const char *line)
{
    fprintf(ctx, "    %s\n", line);
}

static void print_guest(const struct jit *j, const struct block *b, u32 eip, FILE *out)
{
    u8 copy[INSN_MAX_LEN];
    const u8 *bytes = icache_bytes(j->cpu->icache, b, copy);
    char text[160];

    for (unsigned i = 0; i < b->count; i++) {
        const struct insn *in = &b->insn[i];
        disasm(in, eip, text, sizeof(text));
        fprintf(out, "  %08x ", eip);
        for (unsigned k = 0; k < in->len; k++)
            fprintf(out, " %02x", *bytes++);
        fprintf(out, "%*s  %s\n", 3 * (INSN_MAX_LEN - in->len), "", text);
        eip += in->len;
    }
}

/* The instructions that the translation leaves to their executors, for whatever reason. */
static u64 by_executor(const struct jit_block *b)
{
    u64 g = 0;

    for (unsigned i = 0; i < b->calls; i++)
        g |= BIT64(jit_calls(b)[i].g);
    return g;
}

void jit_explain(struct jit *j, u64 phys, u32 decode_mode, u32 eip, FILE *out)
{
    struct block *b = icache_get(j->cpu->icache, phys, decode_mode);

    if (!b)
        return;
    fprintf(out, "Block %08x at %09llx:\n", eip, (unsigned long long)phys);
    print_guest(j, b, eip, out);
    for (const struct jit_block *n = b->code; n; n = cache_block(&j->cache, n->next)) {
        if (n->eip != eip)
            continue;
        fprintf(out, "  mode %08x: %u guest bytes, %u host bytes, %u of them rarely run\n", n->mode,
                n->guest_bytes, n->code_size, n->code_size - n->hot_size);
        if (jit_make_ir(j, b, eip, n->mode, by_executor(n)))
            tell_ir(&j->ir, print_line, out);
        fprintf(out, "\n");
        tell_code(j, n, print_line, out);
    }
}
