/* SPDX-License-Identifier: MIT */
/*
 * Where translated blocks are kept. Private to jit/.
 *
 * Host code and metadata are allocated in segments, each with a piece of both, filled from the
 * start; when all are full, the oldest is emptied. So eviction needs no free lists, and keeps the
 * newer seven eighths of the code. Where branches do not reach all of it, they reach all of their
 * segment, which has stubs of its own then.
 *
 * A translation belongs to a decoded block (cpu/icache.h), which finds it. When that is dropped
 * because its bytes were written to, the translation moves to the graveyard, and comes back if a
 * block with the same bytes, at the same place and in the same mode, is decoded again.
 */
#pragma once

#include "cpu/icache.h"
#include "jit/backend.h"
#include "jit/hostmem.h"
#include "jit/jumps.h"
#include "jit/tables.h"

/** What was executed, if it is counted: of each block the number of its runs times that. */
struct cache_runs {
    u64 blocks, guests, guest_bytes, hot_bytes, code_bytes, meta_bytes, host_insns;
};

#define CACHE_SEGMENTS   8u
#define CACHE_STUB_BYTES 20480u
#define CACHE_GRAVES     131072u
#define CACHE_EIPS       8u /* translations that a block keeps */

struct cache_segment {
    u8 *stubs; /* CACHE_STUB_BYTES, within reach; may be those of all */
    u8 *code, *code_at, *code_end;
    u8 *meta, *meta_at, *meta_end;
    u32 *block; /* numbers, in the order of their code */
    u32 blocks, room;
};

struct jit_cache {
    struct hostmem mem;
    bool counts;    /* runs: struct jit_runs */
    bool far;       /* segments are further apart than branches reach */
    bool scattered; /* each block goes into another segment than the last; for tests */
    u8 *meta;
    size_t meta_size;
    struct cache_segment segment[CACHE_SEGMENTS];
    unsigned current;
    u32 grave[CACHE_GRAVES]; /* number of the last block to be buried there */
    const struct backend *backend;
    struct jit_jump *jump; /* JIT_JUMPS of them */
    struct cache_stats {
        u64 blocks, revived, dropped, evictions, code_bytes, hot_bytes, meta_bytes, guest_bytes,
            links, unlinks;
    } stats;
    struct cache_runs evicted; /* of blocks that are no more */
};

enum status cache_create(struct jit_cache *c, size_t bytes,
                         const struct backend *backend) MUST_CHECK;
void cache_destroy(struct jit_cache *c);

/** Where a new block's code can be written, until cache_add() or cache_release(), before which none
 * may run; evicts if need be. */
struct codebuf cache_code(struct jit_cache *c);
/** Metadata of @size bytes beside that code; valid until that segment is evicted. NULL: too big. */
void *cache_meta(struct jit_cache *c, size_t size);
/** Take back what cache_meta() gave since @mark, and what cache_code() gave last. */
u8 *cache_mark(const struct jit_cache *c);
void cache_release(struct jit_cache *c, u8 *mark);

/** The number, never 0, by which generated code names metadata, and back. */
static inline u32 cache_id(const struct jit_cache *c, const void *meta)
{
    return (u32)((const u8 *)meta - c->meta);
}
static inline void *cache_at(const struct jit_cache *c, u32 id)
{
    return c->meta + id;
}
/** The same of blocks; 0 is NULL. */
static inline struct jit_block *cache_block(const struct jit_cache *c, u32 id)
{
    return id ? cache_at(c, id) : NULL;
}

/** What identifies a translation of @block, beside its EIP and mode, whatever becomes of that. */
u64 cache_hash(const struct block *block, u32 eip, u32 mode, const u8 *bytes);

/** @b, whose code was written where cache_code() said, and whose tables are all there, belongs to
 * @b->block from now on. */
bool cache_add(struct jit_cache *c, struct jit_block *b) MUST_CHECK;
/** A dead translation of @block's bytes, alive again, or NULL. */
struct jit_block *cache_revive(struct jit_cache *c, struct block *block, u32 eip, u32 mode,
                               const u8 *bytes);
/** Translation @b is no good any more, if it is still there: what it was made for has changed. */
void cache_forget(struct jit_cache *c, struct jit_block *b);
/** No code reaches the translations of @block any more, until it comes back. */
void cache_isolate(struct jit_cache *c, struct block *block);
/** How many there are. */
unsigned cache_translations(const struct jit_cache *c, const struct block *block);
/** All translations of @block die. */
void cache_drop(struct jit_cache *c, struct block *block);
void cache_flush(struct jit_cache *c);

/** Everything that was executed so far. */
struct cache_runs cache_runs(const struct jit_cache *c);

/** The translation of @block for @eip and @mode, or NULL. It is the first to be found next time:
 * a shared library has another EIP in each process. */
static inline struct jit_block *cache_find(const struct jit_cache *c, struct block *block, u32 eip,
                                           u32 mode)
{
    struct jit_block *first = block->code, *b = first, *before = NULL;

    while (b && (b->eip != eip || b->mode != mode)) {
        before = b;
        b = cache_block(c, b->next);
    }
    if (b && before) {
        before->next = b->next;
        b->next = cache_id(c, first);
        block->code = b;
    }
    return b;
}

/** The block whose code contains run address @pc, or NULL; *@off: how far into it. */
struct jit_block *cache_block_at(const struct jit_cache *c, u64 pc, u32 *off);

void cache_link(struct jit_cache *c, struct jit_link *l, struct jit_block *to);

/** Write address of @b's code. */
static inline u8 *cache_write(const struct jit_cache *c, const struct jit_block *b)
{
    return c->mem.write + b->code;
}

/** Run address of code at write address @at. */
static inline u64 cache_exec(const struct jit_cache *c, const u8 *at)
{
    return (u64)(uintptr_t)(c->mem.exec + (at - c->mem.write));
}
static inline u64 cache_entry(const struct jit_cache *c, const struct jit_block *b)
{
    return (u64)(uintptr_t)(c->mem.exec + b->code);
}

/** What is counted of @b, if runs are. */
static inline struct jit_runs *cache_runs_of(struct jit_block *b)
{
    return (struct jit_runs *)(void *)b - 1;
}

/** @b is where indirect jumps go at its EIP and mode, while mmu_tables.exec has @page there. */
void cache_jump_set(struct jit_cache *c, const struct jit_block *b, u32 page);
/** Where that is, or 0 if it is not known; @page is not 0. */
static inline u64 cache_jump_find(const struct jit_cache *c, u32 eip, u32 mode, u32 page)
{
    const struct jit_jump *j = &c->jump[jit_jump_slot(eip)];

    return j->key == jit_jump_key(eip, mode, page) ? j->host : 0;
}
