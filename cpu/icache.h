/* SPDX-License-Identifier: MIT */
/*
 * Decoded blocks for the interpreter, keyed as translated ones are: physical address and decode
 * mode. A block is a run of instructions on one page that ends at the first row with ATTR_Ends, or
 * one instruction that goes on in the next page, whichever the mapping has there (block.tail).
 * Pages with blocks are code-watched: a write drops the blocks it overlaps and sets ATTN_CODE, but
 * for immediates and displacements that an engine reads anew each time (block.soft): those are
 * decoded again in place. Blocks with a check are not watched, but compared with their bytes when
 * they are looked for; at one place there may be several, for bytes that come and go.
 */
#pragma once

#include "cpu/decode.h"
#include "cpu/state.h"

#define BLOCK_MAX 32u /* instructions in a block */

/** What is soft is written over so often before a block that may have a check is dropped. */
enum { ICACHE_STOOD_MOST = 32 };

struct block_check; /* cpu/icache_soft.h */

struct block {
    u64 key;   /* physical address << 2 | mode bits */
    u16 count; /* instructions */
    u16 bytes;
    u32 wanted;              /* for the engine: runs before it is translated; 0: unknown */
    struct block *next;      /* in the hash chain */
    struct block *page_next; /* on the same page of RAM */
    const struct insn *insn;
    u32 runs;      /* for the engine: how often it was interpreted */
    void *code;    /* for the engine: what it made of the block    */
    u32 soft;      /* by the engine: bit n: the immediate of instruction n may be written over */
    u32 soft_disp; /* likewise its displacement */
    u32 tail;      /* 0, or what the MMU's table of executed pages has for the page it goes on in */
    struct block *tail_next; /* goes on in the same page of RAM */
    u64 bytes_hash;          /* of dead ones: of their bytes */
    u32 lives;               /* how often its bytes came back */
    u32 stood;               /* how often what is soft was written over */
    struct block_check *check; /* what its bytes have to be; NULL: it is watched */
    bool may_check;            /* by the engine: better a check than soft for long */
};

enum icache_drop {
    ICACHE_FORGOTTEN,
    ICACHE_WRITTEN, /* its bytes are about to be written to: it may come back with its code */
    ICACHE_AGED,    /* it has had its check for so long that it has to be worth one again */
    ICACHE_VAIN,    /* it was not worth a translation, and others want its check */
};

/**
 * Called when @b is dropped; if just forgotten, only if it has code. What was written over may come
 * back with its code, if its bytes do: wanted is 0, lives has grown.
 */
typedef void icache_drop_fn(void *ctx, struct block *b, enum icache_drop why);

enum status icache_create(struct icache **out, struct cpu *cpu, struct physmem *pm,
                          u64 features) MUST_CHECK;
void icache_destroy(struct icache *ic);

/** Who wants to know when a block that has code is forgotten. */
void icache_on_drop(struct icache *ic, icache_drop_fn *fn, void *ctx);

/** Do decoded blocks overlap [@phys, @phys + @len)? */
bool icache_overlaps(const struct icache *ic, phys_addr phys, size_t len);

/**
 * The caller, an engine, is about to write [@phys, @phys + @len) itself, in a page whose only
 * watcher is PAGE_WATCH_CODE: the blocks there are dropped, without ATTN_CODE. False: @running is
 * one of them, or one stands the write, which the watcher has to see; nothing is dropped.
 */
bool icache_write(struct icache *ic, phys_addr phys, size_t len,
                  const struct block *running) MUST_CHECK;

enum icache_checked {
    ICACHE_CHECKED,
    ICACHE_CROWDED, /* its place has as many blocks with a check as there may be */
    ICACHE_UNFIT,   /* it cannot have one */
};

/**
 * @b gets a check, and is its first @count instructions from now on, or as many as fit, without the
 * code it had; what @soft and @soft_disp (as in the block) say is not compared. Only the last of
 * them may write to memory: nobody sees in the middle of a block that it changes. If it gets none,
 * nothing changes.
 */
enum icache_checked icache_check(struct icache *ic, struct block *b, unsigned count, u32 soft,
                                 u32 soft_disp) MUST_CHECK;
/** How many checked blocks of @key there are. */
unsigned icache_versions(const struct icache *ic, u64 key);
/** The checked blocks of @key are forgotten, or only those without code (@cold); how many remain.
 */
unsigned icache_forget_versions(struct icache *ic, u64 key, bool cold);
/** The checked block of @key behind @after in their order; NULL: there is no other. */
struct block *icache_version(const struct icache *ic, u64 key, const struct block *after);
/** The checked blocks that have their checks for long are forgotten. */
void icache_age(struct icache *ic);
/** Of @b, which has a check and whose bytes are there, no more than @soft and @soft_disp is soft
 * from now on. If that is less than before, it loses its code, which compares less. */
void icache_harden(struct icache *ic, struct block *b, u32 soft, u32 soft_disp);
/** Instructions of @b are about to run from what was decoded: if it has a check, and its bytes are
 * there, what is not compared is decoded again. False: they are not; nothing has changed. */
bool icache_refresh(struct icache *ic, const struct block *b);

/** Forget every block. */
void icache_flush(struct icache *ic);

#define ICACHE_FAST 32768u

/** First member of struct icache: the blocks found last, by the low bits of their address. */
struct icache_fast {
    struct block *slot[ICACHE_FAST];
};

static inline u32 icache_fast_index(u64 key)
{
    return (u32)(key ^ key >> 14) & (ICACHE_FAST - 1);
}

/** The block at @phys, if it was among those found last. */
static inline struct block *icache_known(const struct icache *ic, phys_addr phys, u32 mode)
{
    u64 key = phys << 2 | mode;
    struct block *b = ((const struct icache_fast *)ic)->slot[icache_fast_index(key)];

    return b && b->key == key ? b : NULL;
}

/**
 * The block at physical address @phys, decoded now if need be; NULL if its first instruction does
 * not lie wholly on the page or the page is a device. One that goes on in another page is found if
 * it is there, and may be stale: icache_at().
 */
struct block *icache_get_slow(struct icache *ic, phys_addr phys, u32 mode);

static inline struct block *icache_get(struct icache *ic, phys_addr phys, u32 mode)
{
    u64 key = phys << 2 | mode;
    struct block *b = ((struct icache_fast *)ic)->slot[icache_fast_index(key)];

    return LIKELY(b && b->key == key) ? b : icache_get_slow(ic, phys, mode);
}

/** The block of the instruction at @phys that goes on in the page of @tail; NULL: there is none, or
 * it lies on a device. */
struct block *icache_get_crossing(struct icache *ic, phys_addr phys, u32 mode, u32 tail);

/** The block at linear address @lin of the current address space; NULL if it must be fetched byte
 * by byte: pages are absent, or a device. */
static inline struct block *icache_at(struct cpu *cpu, lin_addr lin, u32 mode)
{
    const u32 *exec = mmu_view(cpu->mmu)->cur.exec;
    u32 page = exec[lin >> PAGE_SHIFT];

    if (UNLIKELY(!page))
        return NULL;
    phys_addr phys = (phys_addr)(page - 1) << PAGE_SHIFT | (lin & (PAGE_SIZE - 1));
    struct block *b = icache_get(cpu->icache, phys, mode);
    if (UNLIKELY(!b || b->tail))
        return icache_get_crossing(cpu->icache, phys, mode,
                                   exec[(u32)(lin + PAGE_SIZE) >> PAGE_SHIFT]);
    return b;
}

/** Where the bytes of @b are: on the host, or, in two pages, copied into @copy. */
const u8 *icache_bytes(const struct icache *ic, const struct block *b, u8 copy[INSN_MAX_LEN]);

/** Decode a single instruction from bytes; for what crosses a page. */
enum decode_result icache_decode(struct icache *ic, const u8 *bytes, unsigned avail, u32 mode,
                                 struct insn *out) MUST_CHECK;
