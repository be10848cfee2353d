/* SPDX-License-Identifier: MIT */
/* From a decoded block to host code in the cache. */
#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "jit/jit_private.h"

static bool mode_is(const struct jit_mode *a, const struct jit_mode *b)
{
    return a->base == b->base && a->limit == b->limit && a->mode == b->mode;
}

/* The number of @now, given now if it is new. */
static unsigned mode_number(struct jit *j, const struct jit_mode *now)
{
    unsigned n = 0;

    while (n < j->modes && !mode_is(&j->mode[n], now))
        n++;
    if (n == JIT_MODE_NUMBERS) {
        jit_flush(j);
        n = j->modes = 0;
    }
    if (n == j->modes)
        j->mode[j->modes++] = *now;
    return n;
}

/* A system call comes through several modes, one for each segment register that it loads. */
u32 jit_mode_now(struct jit *j)
{
    const struct segment *cs = &j->cpu->seg[SEG_CS];
    const struct jit_mode now = {(u32)cs->base, cs->hi, jit_mode_of(j->cpu)};
    u8 *guess = &j->mode_guess[(now.mode ^ now.mode >> 8 ^ now.base >> 4) % JIT_MODE_NUMBERS];

    if (*guess >= j->modes || !mode_is(&j->mode[*guess], &now))
        *guess = (u8)mode_number(j, &now);
    return now.mode | (u32)*guess << JIT_MODE_NUMBER_SHIFT;
}

static const struct jit_mode *mode_of(const struct jit *j, u32 mode)
{
    return &j->mode[jit_mode_number(mode)];
}

/* How often code must have been written over before its immediates are taken for variables. */
enum { PATCHED_OFTEN = 3 };

/* Shifts by CL leave no flags: guest instructions that need them after all. */
static u64 need_flags_of_shifts(const struct ir_block *ir)
{
    u64 g = 0;

    for (unsigned i = 0; i < ir->count; i++) {
        const struct ir_insn *in = &ir->insn[i];
        if (in->op >= IR_SHLV && in->op <= IR_RORV && (in->live | in->seen))
            g |= BIT64(in->g);
    }
    return g;
}

bool jit_make_ir(struct jit *j, struct block *b, u32 eip, u32 mode, u64 by_exec)
{
    const struct jit_patch *p = &j->patch[b->key % JIT_PATCHES];
    struct xlate_env env = {
        .mode = mode,
        .cs_limit = mode_of(j, mode)->limit,
        .soft = p->key == b->key && p->times >= PATCHED_OFTEN && !b->tail,
        .raises = j->backend && j->backend->raises,
    };

    for (;;) {
        xlate_block(&j->ir, b->insn, b->count, eip, &env, by_exec);
        ir_liveness(&j->ir, IRF_ALL);
        u64 more = need_flags_of_shifts(&j->ir);
        if (!more || j->ir.full)
            return !j->ir.full;
        by_exec |= more;
    }
}

/* Metadata whose numbers generated code contains: reserved before it is made. */
struct reserved {
    struct jit_block *block;
    struct jit_exec *exec;
    struct jit_edge *edge;
};

static unsigned count_ops(const struct ir_block *ir, enum ir_op op)
{
    unsigned n = 0;

    for (unsigned i = 0; i < ir->count; i++)
        n += ir->insn[i].op == op;
    return n;
}

static bool reserve(struct jit *j, struct reserved *r)
{
    struct jit_cache *c = &j->cache;
    struct jit_unit *u = &j->unit;
    unsigned execs = count_ops(&j->ir, IR_EXEC);

    r->block = cache_meta(c, sizeof(*r->block) + (j->ir.guests + 1u) * sizeof(u32));
    r->exec = cache_meta(c, execs * sizeof(*r->exec));
    r->edge = cache_meta(c, 2 * sizeof(*r->edge));
    if (!r->block || !r->exec || !r->edge)
        return false;
    u->id = cache_id(c, r->block);
    u->runs = j->count ? &r->block->runs : NULL;
    for (unsigned i = 0; i < execs; i++)
        u->exec_id[i] = cache_id(c, &r->exec[i]);
    for (unsigned i = 0; i < 2; i++)
        u->edge_id[i] = cache_id(c, &r->edge[i]);
    return true;
}

/* The guest instructions whose immediates the code reads anew. */
static u32 soft_of(const struct ir_block *ir)
{
    u32 soft = 0;

    for (unsigned i = 0; i < ir->count; i++)
        soft |= ir->insn[i].op == IR_IMM ? BIT(ir->insn[i].g) : 0;
    return soft;
}
static_assert(BLOCK_MAX <= 32, "bits of soft");

static void *meta_copy(struct jit_cache *c, const void *from, size_t size)
{
    void *p = cache_meta(c, size);

    if (p)
        memcpy(p, from, size);
    return p;
}

/* Fill in what was reserved from the unit that the backend has finished. */
static bool finish(struct jit *j, const struct reserved *r, struct block *b, const u8 *bytes,
                   u8 *code)
{
    struct jit_cache *c = &j->cache;
    struct jit_unit *u = &j->unit;
    struct jit_block *n = r->block;

    *n = (struct jit_block){
        .phys = b->key >> 2,
        .eip = (u32)j->ir.eip,
        .mode = u->mode,
        .block = b,
        .insn = b->insn,
        .code = code,
        .code_size = (u32)(u->code->at - code),
        .hot_size = u->hot_size,
        .count_size = u->count_size,
        .guests = j->ir.guests,
        .guest_bytes = b->bytes,
        .tail = b->tail,
        .soft = soft_of(&j->ir),
        .sites = (u16)u->sites,
        .edges = (u16)u->edges,
        .edge = r->edge,
        .execs = (u16)u->execs,
        .exec = r->exec,
    };
    memcpy(n->at, j->ir.at, (n->guests + 1u) * sizeof(u32));
    memcpy(r->exec, u->exec, u->execs * sizeof(*r->exec));
    for (unsigned i = 0; i < u->execs; i++)
        r->exec[i].seg = (u8)xlate_loads(r->exec[i].insn);
    memcpy(r->edge, u->edge, u->edges * sizeof(*r->edge));
    for (unsigned i = 0; i < u->edges; i++) {
        r->edge[i].from = n;
        r->edge[i].to = NULL;
    }
    n->site = meta_copy(c, u->site, u->sites * sizeof(*n->site));
    n->bytes = meta_copy(c, bytes, b->bytes);
    n->meta_size = (u32)(cache_mark(c) - (u8 *)n);
    return n->site && n->bytes && cache_add(c, n);
}

static void note_perf(const struct jit *j, const struct jit_block *b)
{
    if (j->perf_map)
        fprintf(j->perf_map, "%llx %x guest_%08x\n",
                (unsigned long long)cache_exec(&j->cache, b->code), b->code_size, b->eip);
}

/* One attempt; *@by_exec grows by what the backend could not do. */
static struct jit_block *attempt(struct jit *j, struct block *b, const u8 *bytes, u32 eip, u32 mode,
                                 u64 *by_exec)
{
    struct jit_unit *u = &j->unit;
    struct codebuf code = cache_code(&j->cache);
    u8 *mark = cache_mark(&j->cache), *start = code.at;
    struct reserved r;

    u->code = &code;
    u->ir = &j->ir;
    u->stubs = &j->stubs;
    u->mode = mode;
    u->tail = b->tail;
    u->cs_base = mode_of(j, mode)->base;
    u->lacks = j->lacks;
    u->by_exec = 0;
    if (jit_make_ir(j, b, eip, mode, *by_exec) && reserve(j, &r) && j->backend->emit(u) &&
        finish(j, &r, b, bytes, start))
        return r.block;
    cache_release(&j->cache, mark);
    *by_exec |= u->by_exec;
    return NULL;
}

struct jit_block *jit_translate(struct jit *j, struct block *b, u32 eip, u32 mode)
{
    u8 copy[INSN_MAX_LEN];
    const u8 *bytes = icache_bytes(j->cpu->icache, b, copy);
    struct jit_block *n = cache_revive(&j->cache, b, eip, mode, bytes);
    u64 by_exec = 0, before;

    if (n)
        return n;
    do {
        before = by_exec;
        n = attempt(j, b, bytes, eip, mode, &by_exec);
    } while (!n && by_exec != before);
    if (n) {
        j->counts.declined += (u64)__builtin_popcountll(by_exec);
        j->counts.compiled_guests += n->guests;
        note_perf(j, n);
        if (j->count)
            jit_stats_block(j, n);
        jit_log_block(j, n);
    }
    return n;
}
