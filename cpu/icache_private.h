/* SPDX-License-Identifier: MIT */
/* What cpu/icache.c and cpu/icache_check.c share. */
#pragma once

#include "cpu/decode.h"
#include "cpu/icache_dead.h"
#include "mmu/mmu.h"

#define HASH_BITS  15u
#define HASH_SIZE  BIT(HASH_BITS)
#ifndef TURBO86_TIGHT
#define ARENA_INSN (1u << 19) /* decoded instructions kept; when full, everything is forgotten */
#define MAX_BLOCKS (1u << 17)
#define MAX_CHECKS 4096u /* blocks that are checked at a time */

enum {
    VERSIONS_MOST = 32,    /* checked blocks at one place                    */
    CHECK_LIFE = 1 << 24,  /* instructions: a check lasts so long            */
    SWEEP_EVERY = 1 << 20, /* instructions: all are looked at not more often */
};
#else /* a test's, in which everything is pushed out all the time */
#define ARENA_INSN 8192u
#define MAX_BLOCKS 1500u
#define MAX_CHECKS 20u

enum { VERSIONS_MOST = 2, CHECK_LIFE = 5000, SWEEP_EVERY = 1000 };
#endif

/* A page of RAM: its blocks, those that go on in it, and which of its 64 pieces they are in. Beside
 * them those with a check, which nobody watches. */
struct code_page {
    struct block *blocks, *tails;
    struct block *checked; /* by page_next */
    u64 pieces;
};

struct icache {
    struct icache_fast fast; /* first: icache_get() */
    struct cpu *cpu;
    struct physmem *pm;
    struct decode_table *table;
    struct dead_blocks dead;
    struct block *hash[HASH_SIZE];
    struct code_page *page; /* by RAM page */
    size_t ram_pages;
    struct insn *insn; /* arena */
    struct block *block;
    struct block_check *check;
    u16 unused[MAX_CHECKS]; /* numbers of checks that were given back */
    u32 insns, blocks, checks, unuseds;
    u64 swept; /* instructions retired when there was no check left */
    icache_drop_fn *on_drop;
    void *on_drop_ctx;
};

static inline u32 icache_hash_of(u64 key)
{
    return (u32)(key * 0x9e3779b97f4a7c15ull >> (64 - HASH_BITS));
}

static inline bool icache_block_overlaps(const struct block *b, phys_addr phys, size_t len)
{
    phys_addr start = b->key >> 2;

    return start < phys + len && phys < start + b->bytes;
}

/** Tell the engine that @b is dropped, if it wants to know. */
void icache_tell_drop(struct icache *ic, struct block *b, enum icache_drop why);
/** @b is not found any more. */
void icache_hash_remove(struct icache *ic, struct block *b);
/** Writes to @b are nobody's business any more. */
void icache_unwatch(struct icache *ic, struct block *b);

/** Instruction @i of @b, at @bytes, has changed where it may. */
void icache_decode_again(struct icache *ic, const struct block *b, unsigned i, const u8 *bytes);
/** A walk is about to set bits in [@phys, @phys + @len), in the page whose checked blocks are
 * @checked: those go that have that decoded. Is there one? */
bool icache_forget_marked(struct icache *ic, struct block *checked, phys_addr phys, size_t len);
/** What the RAM page at @phys has; NULL: it is no RAM. */
struct code_page *icache_code_page(const struct icache *ic, phys_addr phys);
/** The checked block of @key whose bytes are there, or NULL. */
struct block *icache_find_version(struct icache *ic, u64 key);
