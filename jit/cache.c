/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* MAP_ANONYMOUS, MAP_NORESERVE */
#include "jit/cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xxhash.h>

#define CODE_HEADROOM (16u << 10) /* no block is larger */
#define CODE_ALIGN    16u
#define META_HEADROOM (16u << 10)
#define META_PER_CODE 1u
#define NO_NUMBER     64u /* numbers start here: 0 is none's */

/* Code that is rewritten all the time leaves many dead blocks at one place: the bytes tell them
 * apart. */
u64 cache_hash(const struct block *block, u32 eip, u32 mode, const u8 *bytes)
{
    u64 key[4] = {block->key, (u64)mode << 32 | eip, (u64)block->tail << 32 | block->count,
                  XXH3_64bits(bytes, block->bytes)};

    return XXH3_64bits(key, sizeof(key));
}

static u32 *grave_for(struct jit_cache *c, u64 hash)
{
    return &c->grave[hash % CACHE_GRAVES];
}

/* --- links --- */

/* The branch, what it may need to reach far, and its guard are all in the block that it leaves. */
static void link_set(struct jit_cache *c, struct jit_link *l, const u8 *target, u32 page)
{
    const struct jit_block *b = jit_owner(l, l->back);
    u8 *code = cache_write(c, b);
    const struct jit_edge e = {
        .place = code + l->place,
        .guard = l->guard && !l->lazy ? code + l->guard : NULL,
        .stub = code + l->stub,
        .eip = l->eip,
    };

    hostmem_begin_write(&c->mem, code, b->code_size);
    c->backend->link(&e, target ? target : e.stub, page);
    hostmem_publish(&c->mem, code, b->code_size);
}

static struct jit_link *link_at(const struct jit_cache *c, u32 id)
{
    return cache_at(c, id);
}

static void unlink_one(struct jit_cache *c, struct jit_link *l)
{
    if (!l->holder)
        return;
    *(u32 *)cache_at(c, l->holder) = l->next;
    if (l->next)
        link_at(c, l->next)->holder = l->holder;
    l->holder = 0;
    link_set(c, l, NULL, INT32_MAX);
    c->stats.unlinks++;
}

void cache_link(struct jit_cache *c, struct jit_link *l, struct jit_block *to)
{
    unlink_one(c, l);
    l->next = to->in;
    l->holder = cache_id(c, &to->in);
    if (l->next)
        link_at(c, l->next)->holder = cache_id(c, &l->next);
    to->in = cache_id(c, l);
    link_set(c, l, cache_write(c, to), (u32)(to->block->key >> 2 >> PAGE_SHIFT) + 1);
    c->stats.links++;
}

void cache_jump_set(struct jit_cache *c, const struct jit_block *b, u32 page)
{
    const struct jit_jump to = {jit_jump_key(b->eip, b->mode, page), cache_entry(c, b)};

    if (page >> 24 == 0) /* else the key would be another one's; no RAM is there */
        c->jump[jit_jump_slot(b->eip)] = to;
}

/* Nothing reaches @b any more. */
static void isolate(struct jit_cache *c, struct jit_block *b)
{
    while (b->in)
        unlink_one(c, link_at(c, b->in));
    struct jit_jump *j = &c->jump[jit_jump_slot(b->eip)];
    if (j->host == cache_entry(c, b))
        *j = (struct jit_jump){JIT_JUMP_NONE, 0};
}

/* --- death and revival --- */

static void bury(struct jit_cache *c, struct jit_block *b)
{
    u32 *g = grave_for(c, b->hash);

    b->next = *g;
    *g = cache_id(c, b);
}

static void exhume(struct jit_cache *c, struct jit_block *b)
{
    u32 *g = grave_for(c, b->hash), id = cache_id(c, b);

    while (*g != id)
        g = &cache_block(c, *g)->next;
    *g = b->next;
}

/* May it come back? Code with soft immediates reads instructions that are no more; soft
 * displacements keep cache_revive() from finding it. */
static bool can_be_revived(const struct jit_block *b)
{
    return !b->soft && b->hash;
}

/* Nothing finds @b any more, but its bytes: see bury(). */
static void lay_off(struct jit_cache *c, struct jit_block *b)
{
    isolate(c, b);
    b->block = NULL;
    if (can_be_revived(b))
        bury(c, b);
}

void cache_drop(struct jit_cache *c, struct block *block)
{
    struct jit_block *b = block->code;

    block->code = NULL;
    while (b) {
        struct jit_block *next = cache_block(c, b->next);
        lay_off(c, b);
        c->stats.dropped++;
        b = next;
    }
}

void cache_isolate(struct jit_cache *c, struct block *block)
{
    for (struct jit_block *b = block->code; b; b = cache_block(c, b->next)) {
        isolate(c, b);
        c->stats.dropped++;
    }
}

unsigned cache_translations(const struct jit_cache *c, const struct block *block)
{
    unsigned n = 0;

    for (const struct jit_block *b = block->code; b; b = cache_block(c, b->next))
        n++;
    return n;
}

/* One that was not used for long makes room: code of a shared library has another EIP in every
 * process, and processes come and go. */
static void keep_few(struct jit_cache *c, struct block *block)
{
    struct jit_block *b = block->code;

    for (unsigned n = 1; b && n < CACHE_EIPS; n++)
        b = cache_block(c, b->next);
    if (b && b->next) {
        struct jit_block *last = cache_block(c, b->next);
        b->next = last->next;
        lay_off(c, last);
    }
}

static void detach(struct jit_cache *c, struct jit_block *b)
{
    struct jit_block *before = b->block->code;

    if (before == b) {
        b->block->code = cache_block(c, b->next);
        return;
    }
    while (before->next != cache_id(c, b))
        before = cache_block(c, before->next);
    before->next = b->next;
}

void cache_forget(struct jit_cache *c, struct jit_block *b)
{
    if (!b->block)
        return;
    detach(c, b);
    b->hash = 0;
    lay_off(c, b);
    c->stats.dropped++;
}

/* A write may be ignored only if all translations stand it. */
static void soften(struct block *block, const struct jit_block *b)
{
    u32 disp = block->tail ? 0 : b->tail;

    block->soft = block->code ? block->soft & b->soft : b->soft;
    block->soft_disp = block->code ? block->soft_disp & disp : disp;
}

static void attach(struct jit_cache *c, struct jit_block *b, struct block *block)
{
    if (!block->check) /* else the translation has been made to suit it */
        soften(block, b);
    b->block = block;
    b->next = block->code ? cache_id(c, block->code) : 0;
    block->code = b;
    keep_few(c, block);
}

struct jit_block *cache_revive(struct jit_cache *c, struct block *block, u32 eip, u32 mode,
                               const u8 *bytes)
{
    u64 hash = cache_hash(block, eip, mode, bytes);
    struct jit_block *b = cache_block(c, *grave_for(c, hash));

    while (b &&
           (b->hash != hash || b->eip != eip || b->mode != mode || b->guest_bytes != block->bytes ||
            b->guests > block->count || b->tail != block->tail))
        b = cache_block(c, b->next);
    if (!b)
        return NULL;
    exhume(c, b);
    attach(c, b, block);
    b->insn = block->insn; /* decoded anew */
    c->stats.revived++;
    return b;
}

/* What is behind it is as aligned as a block has to be. */
static size_t aligned(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

/* All that is kept of @b: its number among its segment's, too. */
static size_t meta_bytes(const struct jit_block *b)
{
    return aligned(jit_tables_size(b)) + sizeof(u32);
}

bool cache_add(struct jit_cache *c, struct jit_block *b)
{
    struct cache_segment *s = &c->segment[c->current];

    if (s->blocks == s->room) {
        u32 room = s->room ? s->room * 2 : 256;
        u32 *block = realloc(s->block, room * sizeof(*block));
        if (!block)
            return false;
        s->block = block;
        s->room = room;
    }
    s->block[s->blocks++] = cache_id(c, b);
    s->code_at = cache_write(c, b) + b->code_size;
    hostmem_publish(&c->mem, cache_write(c, b), b->code_size);
    attach(c, b, b->block);
    c->stats.blocks++;
    c->stats.code_bytes += b->code_size - b->count_size;
    c->stats.hot_bytes += b->hot_size - b->count_size;
    c->stats.meta_bytes += meta_bytes(b);
    c->stats.guest_bytes += b->guest_bytes;
    return true;
}

/* --- segments --- */

static void runs_add(const struct jit_cache *c, struct cache_runs *r, struct jit_block *b)
{
    u32 counting = b->count_size;

    if (!c->counts)
        return;
    const struct jit_runs *n = cache_runs_of(b);
    r->blocks += n->runs;
    r->guests += n->runs * b->guests;
    r->guest_bytes += n->runs * b->guest_bytes;
    r->hot_bytes += n->runs * (b->hot_size - counting);
    r->code_bytes += n->runs * (b->code_size - counting);
    r->meta_bytes += n->runs * meta_bytes(b);
    r->host_insns += n->runs * n->host_insns;
}

struct cache_runs cache_runs(const struct jit_cache *c)
{
    struct cache_runs r = c->evicted;

    for (unsigned i = 0; i < CACHE_SEGMENTS; i++) {
        for (u32 k = 0; k < c->segment[i].blocks; k++)
            runs_add(c, &r, cache_block(c, c->segment[i].block[k]));
    }
    return r;
}

static void segment_empty(struct jit_cache *c, struct cache_segment *s)
{
    for (u32 i = 0; i < s->blocks; i++) {
        struct jit_block *b = cache_block(c, s->block[i]);
        runs_add(c, &c->evicted, b);
        isolate(c, b);
        if (b->block)
            detach(c, b);
        else if (can_be_revived(b))
            exhume(c, b);
        for (unsigned k = 0; k < b->links; k++)
            unlink_one(c, &jit_links(b)[k]);
    }
    s->blocks = 0;
    s->code_at = s->code;
    s->meta_at = s->meta;
}

static void take_next(struct jit_cache *c)
{
    c->current = (c->current + 1) % CACHE_SEGMENTS;
}

static void next_segment(struct jit_cache *c)
{
    take_next(c);
    struct cache_segment *s = &c->segment[c->current];
    if (s->blocks) {
        segment_empty(c, s);
        c->stats.evictions++;
    }
}

struct codebuf cache_code(struct jit_cache *c)
{
    struct codebuf buf;

    if (c->scattered)
        take_next(c);
    struct cache_segment *s = &c->segment[c->current];
    if ((size_t)(s->code_end - s->code_at) < CODE_HEADROOM ||
        (size_t)(s->meta_end - s->meta_at) < META_HEADROOM) {
        next_segment(c);
        s = &c->segment[c->current];
    }
    codebuf_init(&buf, s->code_at, CODE_HEADROOM, c->mem.exec - c->mem.write);
    hostmem_begin_write(&c->mem, s->code_at, CODE_HEADROOM);
    return buf;
}

void *cache_meta(struct jit_cache *c, size_t size)
{
    struct cache_segment *s = &c->segment[c->current];
    u8 *p = s->meta_at;

    size = aligned(size);
    if ((size_t)(s->meta_end - p) < size)
        return NULL;
    s->meta_at += size;
    return p;
}

u8 *cache_mark(const struct jit_cache *c)
{
    return c->segment[c->current].meta_at;
}

void cache_release(struct jit_cache *c, u8 *mark)
{
    struct cache_segment *s = &c->segment[c->current];

    s->meta_at = mark;
    hostmem_publish(&c->mem, s->code_at, 0);
}

void cache_flush(struct jit_cache *c)
{
    for (unsigned i = 0; i < CACHE_SEGMENTS; i++)
        segment_empty(c, &c->segment[i]);
    c->current = 0;
}

struct jit_block *cache_block_at(const struct jit_cache *c, u64 pc, u32 *off)
{
    const u8 *at = c->mem.write + (pc - (u64)(uintptr_t)c->mem.exec);

    for (unsigned i = 0; i < CACHE_SEGMENTS; i++) {
        const struct cache_segment *s = &c->segment[i];
        if (at < s->code || at >= s->code_at)
            continue;
        u32 lo = 0, hi = s->blocks; /* the last block that starts at or before @at */
        while (hi - lo > 1) {
            u32 mid = lo + (hi - lo) / 2;
            if (cache_write(c, cache_block(c, s->block[mid])) <= at)
                lo = mid;
            else
                hi = mid;
        }
        struct jit_block *b = cache_block(c, s->block[lo]);
        *off = (u32)(at - cache_write(c, b));
        return b;
    }
    return NULL;
}

/* --- life --- */

/* Of code, behind its stubs: a branch from its end has to reach their start. */
static size_t segment_bytes(struct jit_cache *c, size_t bytes)
{
    size_t code = bytes / CACHE_SEGMENTS & ~(size_t)(CODE_ALIGN - 1);
    size_t most = (c->backend->reach & ~(size_t)(CODE_ALIGN - 1)) - CACHE_STUB_BYTES;

    c->far = CACHE_SEGMENTS * code + CACHE_STUB_BYTES > c->backend->reach;
    return c->far && code > most ? most : code;
}

enum status cache_create(struct jit_cache *c, size_t bytes, const struct backend *backend)
{
    memset(c, 0, sizeof(*c));
    c->backend = backend;
    size_t code = segment_bytes(c, bytes);
    enum status s = hostmem_create(&c->mem, CACHE_SEGMENTS * (CACHE_STUB_BYTES + code));
    if (s != STATUS_OK)
        return s;
    c->meta_size = bytes * META_PER_CODE + CACHE_SEGMENTS * META_HEADROOM;
    void *meta = mmap(NULL, c->meta_size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    c->jump = malloc(JIT_JUMPS * sizeof(*c->jump));
    if (meta == MAP_FAILED || !c->jump) {
        if (meta != MAP_FAILED)
            munmap(meta, c->meta_size);
        free(c->jump);
        hostmem_destroy(&c->mem);
        return STATUS_NO_MEMORY;
    }
    memset(c->jump, 0xff, JIT_JUMPS * sizeof(*c->jump));
    c->meta = meta;
    size_t per = c->meta_size / CACHE_SEGMENTS & ~(size_t)7;
    for (unsigned i = 0; i < CACHE_SEGMENTS; i++) {
        struct cache_segment *g = &c->segment[i];
        u8 *at = c->mem.write + i * (code + (c->far ? CACHE_STUB_BYTES : 0));
        g->stubs = c->far ? at : c->mem.write;
        g->code = g->code_at = at + CACHE_STUB_BYTES;
        g->code_end = g->code + code;
        g->meta = g->meta_at = c->meta + i * per + NO_NUMBER;
        g->meta_end = c->meta + (i + 1) * per;
    }
    return STATUS_OK;
}

void cache_destroy(struct jit_cache *c)
{
    if (!c->meta)
        return;
    cache_flush(c);
    for (unsigned i = 0; i < CACHE_SEGMENTS; i++)
        free(c->segment[i].block);
    free(c->jump);
    munmap(c->meta, c->meta_size);
    hostmem_destroy(&c->mem);
    c->meta = NULL;
}
