/* SPDX-License-Identifier: MIT */
#include "cpu/icache.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cpu/disasm.h"

#define HASH_BITS  15u
#define HASH_SIZE  BIT(HASH_BITS)
#define ARENA_INSN (1u << 19) /* decoded instructions kept; when full, everything is forgotten */
#define MAX_BLOCKS (1u << 17)

/* A page of RAM: its blocks, and which of its 64 pieces they are in. */
struct code_page {
    struct block *blocks;
    u64 pieces;
};

struct icache {
    struct icache_fast fast; /* first: icache_get() */
    struct cpu *cpu;
    struct physmem *pm;
    struct decode_table *table;
    struct block *hash[HASH_SIZE];
    struct code_page *page; /* by RAM page */
    size_t ram_pages;
    struct insn *insn; /* arena */
    struct block *block;
    u32 insns, blocks;
    icache_drop_fn *on_drop;
    void *on_drop_ctx;
};

static u32 hash_of(u64 key)
{
    return (u32)(key * 0x9e3779b97f4a7c15ull >> (64 - HASH_BITS));
}

/* RAM page number, or ram_pages if the bytes are not RAM (ROM is never written). */
static size_t ram_page(const struct icache *ic, const u8 *host)
{
    const u8 *ram = physmem_ram(ic->pm);

    if (host < ram || host >= ram + (ic->ram_pages << PAGE_SHIFT))
        return ic->ram_pages;
    return (size_t)(host - ram) >> PAGE_SHIFT;
}

static size_t ram_page_at(const struct icache *ic, phys_addr phys)
{
    const struct phys_page *page = physmem_page(ic->pm, phys);

    return page->host ? ram_page(ic, page->host) : ic->ram_pages;
}

/* Those that [phys, phys + len), on one page, touches. */
static u64 pieces_of(phys_addr phys, size_t len)
{
    const unsigned size = PAGE_SIZE / 64;
    unsigned first = (unsigned)(phys & (PAGE_SIZE - 1)) / size;
    unsigned last = ((unsigned)(phys & (PAGE_SIZE - 1)) + (unsigned)len - 1) / size;

    return ~(u64)0 << first & ~(u64)0 >> (63 - last);
}

static u64 pieces_of_block(const struct block *b)
{
    return pieces_of(b->key >> 2, b->bytes);
}

/* The page of [phys, phys + len), if there may be blocks there, else NULL. */
static struct code_page *page_with_code(const struct icache *ic, phys_addr phys, size_t len)
{
    size_t p = ram_page_at(ic, phys);

    return p != ic->ram_pages && ic->page[p].pieces & pieces_of(phys, len) ? &ic->page[p] : NULL;
}

void icache_on_drop(struct icache *ic, icache_drop_fn *fn, void *ctx)
{
    ic->on_drop = fn;
    ic->on_drop_ctx = ctx;
}

static void tell_drop(struct icache *ic, struct block *b, bool written)
{
    if (b->code)
        ic->on_drop(ic->on_drop_ctx, b, written);
}

void icache_flush(struct icache *ic)
{
    for (u32 i = 0; i < ic->blocks; i++)
        tell_drop(ic, &ic->block[i], false);
    for (size_t p = 0; p < ic->ram_pages; p++) {
        if (ic->page[p].blocks) {
            mmu_unwatch_code(ic->cpu->mmu, ic->page[p].blocks->key >> 2);
            ic->page[p] = (struct code_page){0};
        }
    }
    memset(ic->hash, 0, sizeof(ic->hash));
    memset(&ic->fast, 0, sizeof(ic->fast));
    ic->insns = ic->blocks = 0;
    ic->cpu->attention |= ATTN_CODE;
}

static void on_physmem_change(void *ctx)
{
    icache_flush(ctx);
}

static void hash_remove(struct icache *ic, struct block *b)
{
    struct block **at = &ic->hash[hash_of(b->key)];

    while (*at != b)
        at = &(*at)->next;
    *at = b->next;
    struct block **fast = &ic->fast.slot[icache_fast_index(b->key)];
    if (*fast == b)
        *fast = NULL;
}

static bool overlaps(const struct block *b, phys_addr phys, size_t len)
{
    phys_addr start = b->key >> 2;

    return start < phys + len && phys < start + b->bytes;
}

/* Size in bytes of the one immediate that ends @in; 0: there is none, or it is no plain one. */
static unsigned imm_bytes(const struct insn *in)
{
    unsigned bytes = 0, found = 0;

    for (unsigned i = 0; i < 3; i++) {
        unsigned n = 0;
        switch (insn_def[in->id].op[i]) {
        case OPND_Ib:
        case OPND_Ibs:
            n = 1;
            break;
        case OPND_Iz:
            n = in->opsize == W16 ? 2 : 4;
            break;
        case OPND_Iv:
            n = 1u << in->opsize;
            break;
        default:
            break;
        }
        bytes += n;
        found += n != 0;
    }
    return found == 1 ? bytes : 0;
}

/* Which soft immediate [phys, phys + len) lies in: the number of the instruction, and its first
 * byte in *@start; -1: none. */
static int soft_immediate(const struct block *b, phys_addr phys, size_t len, phys_addr *start)
{
    *start = b->key >> 2;
    for (unsigned i = 0; b->soft && i < b->count; i++) {
        phys_addr end = *start + b->insn[i].len;
        if (b->soft >> i & 1 && phys + len <= end && phys + imm_bytes(&b->insn[i]) >= end)
            return (int)i;
        *start = end;
    }
    return -1;
}

/* Drop the blocks that [phys, phys + len) overlaps, but for those that stand it. */
static void on_code_write(void *ctx, phys_addr phys, size_t len)
{
    struct icache *ic = ctx;
    struct code_page *page = page_with_code(ic, phys, len);
    phys_addr at_insn;

    if (!page)
        return;
    page->pieces = 0;
    for (struct block **at = &page->blocks; *at;) {
        struct block *b = *at;
        if (overlaps(b, phys, len) && soft_immediate(b, phys, len, &at_insn) < 0) {
            hash_remove(ic, b);
            tell_drop(ic, b, true);
            *at = b->page_next;
            ic->cpu->attention |= ATTN_CODE;
        } else {
            page->pieces |= pieces_of_block(b);
            at = &b->page_next;
        }
    }
    if (!page->blocks)
        mmu_unwatch_code(ic->cpu->mmu, phys);
}

/* Soft immediates that [phys, phys + len) lies in have changed. */
static void on_code_written(void *ctx, phys_addr phys, size_t len)
{
    struct icache *ic = ctx;
    const struct code_page *page = page_with_code(ic, phys, len);
    phys_addr at_insn;

    if (!page)
        return;
    const u8 *host = physmem_page(ic->pm, phys)->host;
    for (struct block *b = page->blocks; b; b = b->page_next) {
        int i = soft_immediate(b, phys, len, &at_insn);
        if (i < 0)
            continue;
        struct insn *in = ic->insn + (b->insn - ic->insn) + i;
        enum decode_result r =
            decode(ic->table, host + (at_insn & (PAGE_SIZE - 1)), in->len, (u32)b->key & 3, in);
        assert(r == DECODE_OK);
        (void)r;
    }
}

bool icache_overlaps(const struct icache *ic, phys_addr phys, size_t len)
{
    const struct code_page *page = page_with_code(ic, phys, len);

    for (const struct block *b = page ? page->blocks : NULL; b; b = b->page_next) {
        if (overlaps(b, phys, len))
            return true;
    }
    return false;
}

enum decode_result icache_decode(struct icache *ic, const u8 *bytes, unsigned avail, u32 mode,
                                 struct insn *out)
{
    return decode(ic->table, bytes, avail, mode, out);
}

static void log_block(const struct block *b, const u8 *bytes)
{
    char text[128];
    u64 at = b->key >> 2;

    for (unsigned i = 0; i < b->count; i++) {
        const struct insn *in = &b->insn[i];
        char hex[2 * INSN_MAX_LEN + 1];
        for (unsigned k = 0; k < in->len; k++)
            snprintf(hex + 2 * k, 3, "%02x", *bytes++);
        disasm(in, at, text, sizeof(text));
        log_trace(IN_ASM, "%08llx  %-22s %s", (unsigned long long)at, hex, text);
        at += in->len;
    }
}

static struct block *block_new(struct icache *ic, phys_addr phys, u32 mode, const u8 *bytes,
                               size_t room)
{
    if (ic->blocks == MAX_BLOCKS || ic->insns + BLOCK_MAX > ARENA_INSN)
        icache_flush(ic);

    struct insn *insn = ic->insn + ic->insns;
    unsigned n = 0;
    size_t used = 0;
    while (n < BLOCK_MAX && used < room) {
        unsigned avail = room - used < INSN_MAX_LEN ? (unsigned)(room - used) : INSN_MAX_LEN;
        if (decode(ic->table, bytes + used, avail, mode, &insn[n]) != DECODE_OK)
            break; /* crosses the page or is too long: the run loop sorts it out */
        used += insn[n].len;
        if (insn_def[insn[n++].id].attr & ATTR_Ends)
            break;
    }
    if (!n)
        return NULL;
    struct block *b = &ic->block[ic->blocks++];
    *b = (struct block){.key = phys << 2 | mode, .count = (u16)n, .bytes = (u16)used, .insn = insn};
    ic->insns += n;
    if (log_on(LOG_TRACE, IN_ASM))
        log_block(b, bytes);
    return b;
}

struct block *icache_get_slow(struct icache *ic, phys_addr phys, u32 mode)
{
    u64 key = phys << 2 | mode;
    struct block *b = ic->hash[hash_of(key)];

    while (b && b->key != key)
        b = b->next;
    if (b) {
        ic->fast.slot[icache_fast_index(key)] = b;
        return b;
    }

    const struct phys_page *page = physmem_page(ic->pm, phys);
    unsigned off = (unsigned)(phys & (PAGE_SIZE - 1));
    if (!page->host || page->video)
        return NULL;
    b = block_new(ic, phys, mode, page->host + off, PAGE_SIZE - off);
    if (!b)
        return NULL;
    struct block **head = &ic->hash[hash_of(key)];
    b->next = *head;
    *head = b;
    size_t p = ram_page(ic, page->host);
    if (p != ic->ram_pages && !page->rom) {
        b->page_next = ic->page[p].blocks;
        ic->page[p].blocks = b;
        ic->page[p].pieces |= pieces_of_block(b);
        mmu_watch_code(ic->cpu->mmu, phys);
    }
    ic->fast.slot[icache_fast_index(key)] = b;
    return b;
}

enum status icache_create(struct icache **out, struct cpu *cpu, struct physmem *pm, u64 features)
{
    struct icache *ic = calloc(1, sizeof(*ic));

    if (!ic)
        return STATUS_NO_MEMORY;
    ic->cpu = cpu;
    ic->pm = pm;
    ic->ram_pages = physmem_ram_size(pm) >> PAGE_SHIFT;
    ic->page = calloc(ic->ram_pages, sizeof(*ic->page));
    ic->insn = malloc(ARENA_INSN * sizeof(*ic->insn));
    ic->block = malloc(MAX_BLOCKS * sizeof(*ic->block));
    enum status s = ic->page && ic->insn && ic->block ? STATUS_OK : STATUS_NO_MEMORY;
    if (s == STATUS_OK)
        s = decode_table_create(&ic->table, features);
    if (s != STATUS_OK) {
        icache_destroy(ic);
        return s;
    }
    physmem_on_code_write(pm, on_code_write, ic);
    physmem_on_code_written(pm, on_code_written, ic);
    physmem_on_change(pm, on_physmem_change, ic);
    *out = ic;
    return STATUS_OK;
}

void icache_destroy(struct icache *ic)
{
    if (!ic)
        return;
    decode_table_destroy(ic->table);
    free(ic->page);
    free(ic->insn);
    free(ic->block);
    free(ic);
}
