/* SPDX-License-Identifier: MIT */
/* What --stats tells, and what it needs to know of each block. */
#include <capstone/capstone.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "jit/jit_private.h"

/* Text that grows; what does not fit is cut off. */
struct text {
    char *at;
    size_t left;
};

PRINTF_LIKE(2, 3)
static void say(struct text *t, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(t->at, t->left, fmt, args);
    va_end(args);
    size_t used = n < 0 ? 0 : (size_t)n < t->left ? (size_t)n : t->left;
    t->at += used;
    t->left -= used;
}

bool jit_stats_open(struct jit *j)
{
    csh cs;

    if (cs_open((cs_arch)j->backend->cs_arch, (cs_mode)j->backend->cs_mode, &cs) != CS_ERR_OK)
        return false;
    cs_option(cs, CS_OPT_SKIPDATA, CS_OPT_ON); /* RMIF and CFINV: it may not know them */
    j->disassembler = cs;
    return true;
}

void jit_stats_close(struct jit *j)
{
    csh cs = j->disassembler;

    if (cs)
        cs_close(&cs);
    j->disassembler = 0;
}

void jit_stats_block(const struct jit *j, struct jit_block *b)
{
    struct jit_runs *runs = cache_runs_of(b);
    const u8 *code = cache_write(&j->cache, b) + b->count_size;
    size_t left = b->hot_size - (size_t)b->count_size;
    u64 address = 0;
    cs_insn *insn = cs_malloc(j->disassembler);

    runs->host_insns = 0;
    while (insn && cs_disasm_iter(j->disassembler, &code, &left, &address, insn))
        runs->host_insns++;
    cs_free(insn, insn != NULL);
}

static double ratio(u64 a, u64 b)
{
    return b ? (double)a / (double)b : 0;
}

/* Bytes and instructions as they are executed: what runs often counts often. */
static void say_runs(struct text *t, const struct jit *j)
{
    const struct cache_stats *s = &j->cache.stats;
    struct cache_runs r = cache_runs(&j->cache);

    if (!r.blocks)
        return;
    say(t,
        "jit: executed %" PRIu64 " blocks of %" PRIu64 " instructions by %" PRIu64
        " of the host, %.2f for one of the guest's\n",
        r.blocks, r.guests, r.host_insns, ratio(r.host_insns, r.guests));
    say(t,
        "jit: host bytes for a guest byte, as executed: %.2f on the hot path, %.2f with stubs, "
        "%.2f with tables, too\n",
        ratio(r.hot_bytes, r.guest_bytes), ratio(r.code_bytes, r.guest_bytes),
        ratio(r.code_bytes + r.meta_bytes, r.guest_bytes));
    say(t,
        "jit: host bytes for a guest byte, as translated: %.2f on the hot path, %.2f with stubs, "
        "%.2f with tables, too\n",
        ratio(s->hot_bytes, s->guest_bytes), ratio(s->code_bytes, s->guest_bytes),
        ratio(s->code_bytes + s->meta_bytes, s->guest_bytes));
}

void jit_stats(const struct jit *j, char *text, size_t size)
{
    static const char *const why[] = {"budget", "edge", "indirect", "bail", "fault", "stop"};
    const struct cache_stats *s = &j->cache.stats;
    struct text t = {text, size};

    say(&t, "jit: backend %s, code memory %s\n", j->backend ? j->backend->name : "none",
        j->cache.mem.method ? j->cache.mem.method : "none");
    say(&t,
        "jit: %" PRIu64 " blocks of %" PRIu64 " instructions, %" PRIu64 " guest bytes, %" PRIu64
        " host bytes (%" PRIu64 " on the hot path), %" PRIu64 " bytes of tables\n",
        s->blocks, j->counts.compiled_guests, s->guest_bytes, s->code_bytes, s->hot_bytes,
        s->meta_bytes);
    say(&t,
        "jit: %" PRIu64 " dropped, %" PRIu64 " revived, %" PRIu64 " segments evicted, %" PRIu64
        " links, %" PRIu64 " unlinks\n",
        s->dropped, s->revived, s->evictions, s->links, s->unlinks);
    say(&t,
        "jit: %" PRIu64 " block runs interpreted, %" PRIu64 " slow accesses, %" PRIu64
        " instructions left to their executors by the backend\n",
        j->counts.interpreted, j->counts.access_slow, j->counts.declined);
    say_runs(&t, j);
    say(&t, "jit: left code by");
    for (unsigned i = 0; i < ARRAY_LEN(why); i++)
        say(&t, " %s %" PRIu64, why[i], j->counts.leaves[i]);
    say(&t, "\n");
    if (j->backend)
        say(&t, "jit: blocks that check themselves: %" PRIu64 "\n", j->counts.checked);
}
