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

/* How often the x87 unit may be another where the same code begins, before nothing is taken for
 * granted there any more. */
enum { MISSED_OFTEN = 4 };

static struct jit_x87 x87_now(const struct jit *j, const struct block *b)
{
    const struct jit_patch *p = &j->missed[jit_place(b->key, JIT_PATCHES)];
    const struct x87_state *f = &j->cpu->x87;

    return (struct jit_x87){
        .known = p->key != b->key || p->times < MISSED_OFTEN,
        .top = f->top,
        .empty = f->empty,
        .control = f->control,
    };
}

struct xlate_env jit_env(const struct jit *j, const struct block *b, u32 mode)
{
    bool often = jit_patch_times(j, b) >= JIT_PATCHED_OFTEN && !b->tail;
    bool soft = b->check ? b->soft | b->soft_disp : often; /* that is known since it is checked */

    return (struct xlate_env){
        .mode = mode,
        .cs_limit = mode_of(j, mode)->limit,
        .soft = soft,
        .soft_disp = soft && (b->check || jit_patch_shy(j, b)),
        .raises = !j->backend || j->backend->raises, /* the evaluator sees all */
        .refuses = j->backend && j->backend->refuses,
    };
}

bool jit_make_ir(struct jit *j, struct block *b, u32 eip, u32 mode, u64 by_exec)
{
    const struct xlate_env env = jit_env(j, b, mode);

    for (;;) {
        xlate_block(&j->ir, b->insn, b->count, eip, &env, by_exec);
        u64 more = ir_shifts_by_cl(&j->ir, IRF_ALL);
        if (j->ir.full)
            return false;
        if (!more) {
            ir_optimise(&j->ir);
            ir_liveness(&j->ir, IRF_ALL);
            return true;
        }
        by_exec |= more;
    }
}

static unsigned count_ops(const struct ir_block *ir, enum ir_op op)
{
    unsigned n = 0;

    for (unsigned i = 0; i < ir->count; i++)
        n += ir->insn[i].op == op;
    return n;
}

/* How many edges the block has: what it ends with says that. */
static unsigned count_edges(const struct ir_block *ir)
{
    const struct ir_insn *last = &ir->insn[ir->count - 1];

    switch (last->op) {
    case IR_JMP:
        return 1;
    case IR_JMPR:
        return last->cc == IR_HINT_CALL;
    case IR_JAL:
    case IR_BR:
    case IR_BRZ:
        return 2;
    default:
        return 0;
    }
}

/* As many instructions of the next block are looked at. */
enum { LOOK_AHEAD = 6 };

/* lazy_spoils() of the block at @eip, if that is known: its translation says it, or how it begins.
 */
static u8 spoils_at(struct jit *j, const struct block *from, u32 eip, u32 mode)
{
    u64 here = from->key >> 2, there = here + (u64)(i64)(i32)(eip - (u32)j->ir.eip);
    u32 how = (u32)from->key & 3;

    if (eip == (u32)j->ir.eip)
        return from->check ? LAZY_UNFIT : lazy_spoils(&j->ir);
    if (from->tail || here >> PAGE_SHIFT != there >> PAGE_SHIFT)
        return LAZY_UNFIT;
    struct block *b = icache_known(j->cpu->icache, there, how);
    if (!b || b->tail)
        return LAZY_UNFIT;
    const struct jit_block *made = cache_find(&j->cache, b, eip, mode);
    if (made)
        return made->spoils;
    const struct xlate_env env = jit_env(j, b, mode);
    xlate_block(&j->next, b->insn, b->count < LOOK_AHEAD ? b->count : LOOK_AHEAD, eip, &env, 0);
    return j->next.full ? LAZY_UNFIT : lazy_spoils(&j->next);
}

static void look_ahead(struct jit *j, const struct block *b, u32 mode)
{
    const struct ir_insn *last = &j->ir.insn[j->ir.count - 1];
    bool direct = last->op == IR_JMP || last->op == IR_JAL || last->op == IR_BR;
    u8 *spoils = j->unit.spoils;

    spoils[0] = spoils[1] = LAZY_UNFIT;
    if (!j->backend->lazy)
        return;
    if (direct)
        spoils[0] = spoils_at(j, b, (u32)last->imm, mode);
    if (last->op == IR_BR)
        spoils[1] = spoils_at(j, b, (u32)j->ir.fall, mode);
}

/* Reserve the metadata whose numbers generated code contains: before it is made. */
static struct jit_block *reserve(struct jit *j)
{
    struct jit_cache *c = &j->cache;
    struct jit_unit *u = &j->unit;
    struct jit_runs *runs = j->count ? cache_meta(c, sizeof(*runs)) : NULL;
    struct jit_block *b = cache_meta(c, sizeof(*b));

    if (!b || (j->count && !runs))
        return NULL;
    if (runs)
        *runs = (struct jit_runs){0};
    b->links = (count_edges(&j->ir) + (u->check.at != NULL)) & 3;
    b->calls = count_ops(&j->ir, IR_EXEC) & 63;
    u8 *end = jit_sites(b);
    if (!cache_meta(c, (size_t)(end - (u8 *)(b + 1))))
        return NULL;
    u->id = cache_id(c, b);
    u->runs = runs ? &runs->runs : NULL;
    for (unsigned i = 0; i < b->calls; i++)
        u->exec_id[i] = cache_id(c, &jit_calls(b)[i]);
    for (unsigned i = 0; i < b->links; i++)
        u->edge_id[i] = cache_id(c, &jit_links(b)[i]);
    return b;
}

u32 jit_soft_of(const struct ir_block *ir, enum ir_op op)
{
    u32 soft = 0;

    for (unsigned i = 0; i < ir->count; i++)
        soft |= ir->insn[i].op == op ? BIT(ir->insn[i].g) : 0;
    return soft;
}
static_assert(BLOCK_MAX <= 32, "bits of soft");

/* Is there room for all edges and calls that the backend has made? */
static bool fits(const struct jit_block *b, const struct jit_unit *u)
{
    bool fit = u->edges == b->links && u->execs == b->calls;

    assert(fit);
    return fit;
}

static void keep_links(struct jit_block *b, const struct jit_unit *u, const u8 *code)
{
    struct jit_link *to = jit_links(b);

    for (unsigned i = 0; i < u->edges; i++) {
        const struct jit_edge *e = &u->edge[i];
        to[i] = (struct jit_link){
            .eip = e->eip,
            .place = (u16)(e->place - code),
            .guard = e->lazy    ? e->lazy
                     : e->guard ? (u16)(e->guard - code)
                                : 0,
            .lazy = e->lazy != 0,
            .stub = (u16)(e->stub - code),
            .back = (u8)((u8 *)&to[i] - (u8 *)b),
        };
    }
}

static void keep_calls(struct jit_block *b, const struct jit_unit *u)
{
    struct jit_call *to = jit_calls(b);

    for (unsigned i = 0; i < u->execs; i++) {
        const struct jit_exec *x = &u->exec[i];
        to[i] = (struct jit_call){
            .back = (u16)((u8 *)&to[i] - (u8 *)b),
            .off = (u16)(x->eip - b->eip),
            .g = x->g,
            .remaining = x->remaining,
            .seg = (u8)xlate_loads(x->insn),
            .how = (u8)((x->flags_in ? CALL_FLAGS_IN : 0) | (x->flags_out ? CALL_FLAGS_OUT : 0)),
        };
    }
}

/* Behind the calls, part of which may have been reserved only to align what comes next. */
static bool keep_sites(struct jit_cache *c, struct jit_block *b, const struct jit_unit *u)
{
    u8 packed[ARRAY_LEN(u->site) * JIT_SITE_MAX];
    size_t bytes = jit_sites_pack(packed, u->site, u->sites), there;
    u8 *to = jit_sites(b);

    there = (size_t)(cache_mark(c) - to);
    if (bytes > there && !cache_meta(c, bytes - there))
        return false;
    memcpy(to, packed, bytes);
    b->site_bytes = (u16)bytes;
    return true;
}

/* Fill in what was reserved from the unit that the backend has finished. */
static bool finish(struct jit *j, struct jit_block *n, struct block *b, const u8 *bytes,
                   const u8 *code)
{
    struct jit_cache *c = &j->cache;
    const struct jit_unit *u = &j->unit;

    if (!fits(n, u))
        return false;
    *n = (struct jit_block){
        .block = b,
        .insn = b->insn,
        .hash = b->check ? 0 : cache_hash(b, (u32)j->ir.eip, u->mode, bytes),
        .eip = (u32)j->ir.eip,
        .mode = u->mode,
        .code = (u32)(code - c->mem.write),
        .soft = jit_soft_of(&j->ir, IR_IMM),
        .tail = b->tail ? b->tail : jit_soft_of(&j->ir, IR_DISP),
        .code_size = (u16)(u->code->at - code),
        .hot_size = (u16)(u->round_size ? u->round_size : u->hot_size),
        .count_size = (u8)u->count_size,
        .guest_bytes = b->bytes,
        .guests = j->ir.guests,
        .spoils = b->check ? LAZY_UNFIT : lazy_spoils(&j->ir),
        .links = n->links,
        .calls = n->calls,
    };
    keep_links(n, u, code);
    keep_calls(n, u);
    jit_devices_keep(j, n);
    return keep_sites(c, n, u) && cache_add(c, n);
}

static void note_perf(const struct jit *j, const struct jit_block *b)
{
    if (j->perf_map)
        fprintf(j->perf_map, "%llx %x guest_%08x\n", (unsigned long long)cache_entry(&j->cache, b),
                b->code_size, b->eip);
}

/* One attempt; *@by_exec grows by what the backend could not do. */
static struct jit_block *attempt(struct jit *j, struct block *b, const u8 *bytes, u32 eip, u32 mode,
                                 u64 *by_exec)
{
    struct jit_unit *u = &j->unit;
    bool made = jit_make_ir(j, b, eip, mode, *by_exec);

    if (made)
        jit_check_unit(j, b, bytes); /* before there is new code: other may go */
    struct codebuf code = cache_code(&j->cache);
    u8 *mark = cache_mark(&j->cache), *start = code.at;
    struct jit_block *n = NULL;

    u->code = &code;
    u->ir = &j->ir;
    u->stubs = &j->stubs[j->cache.current];
    u->far = j->cache.far;
    u->mode = mode;
    u->tail = b->tail;
    u->lazy = &j->lazy;
    u->cs_base = mode_of(j, mode)->base;
    u->lacks = j->lacks;
    u->flagm = j->flagm;
    u->flagm2 = j->flagm2;
    u->apart = jit_crossing_of(j, b);
    u->x87 = x87_now(j, b);
    u->by_exec = 0;
    u->round_size = 0;
    if (made && (n = reserve(j))) {
        look_ahead(j, b, mode);
        if (backend_emit(j->backend, u) && finish(j, n, b, bytes, start))
            return n;
    }
    cache_release(&j->cache, mark);
    *by_exec |= u->by_exec;
    return NULL;
}

struct jit_block *jit_translate(struct jit *j, struct block *b, u32 eip, u32 mode)
{
    u8 copy[INSN_MAX_LEN];
    const u8 *bytes = icache_bytes(j->cpu->icache, b, copy);
    u64 by_exec = jit_devices_in(j, b), before;
    struct jit_block *n = by_exec || b->check ? NULL : cache_revive(&j->cache, b, eip, mode, bytes);

    if (n)
        return n;
    do {
        before = by_exec;
        n = attempt(j, b, bytes, eip, mode, &by_exec);
    } while (!n && by_exec != before);
    if (n) {
        j->counts.declined += (u64)__builtin_popcountll(by_exec);
        j->counts.compiled_guests += n->guests;
        jit_patch_translated(j, b);
        if (b->check)
            jit_check_made(j, b);
        note_perf(j, n);
        if (j->count)
            jit_stats_block(j, n);
        jit_log_block(j, n);
    }
    return n;
}
