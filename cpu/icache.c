/* SPDX-License-Identifier: MIT */
#include "cpu/icache.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cpu/disasm.h"
#include "cpu/icache_dead.h"
#include "cpu/icache_private.h"
#include "cpu/icache_soft.h"

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

static phys_addr tail_phys(const struct block *b)
{
    return (phys_addr)(b->tail - 1) << PAGE_SHIFT;
}

/* How much of @b is in the page that it goes on in. */
static unsigned tail_bytes(const struct block *b)
{
    return b->tail ? ((unsigned)(b->key >> 2) & (PAGE_SIZE - 1)) + b->bytes - PAGE_SIZE : 0;
}

static u64 pieces_of_block(const struct block *b)
{
    return pieces_of(b->key >> 2, b->bytes - tail_bytes(b));
}

struct code_page *icache_code_page(const struct icache *ic, phys_addr phys)
{
    size_t p = ram_page_at(ic, phys);

    return p != ic->ram_pages ? &ic->page[p] : NULL;
}

/* The page of [phys, phys + len), if there may be blocks there, else NULL. */
static struct code_page *page_with_code(const struct icache *ic, phys_addr phys, size_t len)
{
    struct code_page *page = icache_code_page(ic, phys);

    return page && page->pieces & pieces_of(phys, len) ? page : NULL;
}

void icache_on_drop(struct icache *ic, icache_drop_fn *fn, void *ctx)
{
    ic->on_drop = fn;
    ic->on_drop_ctx = ctx;
}

void icache_tell_drop(struct icache *ic, struct block *b, enum icache_drop why)
{
    if (ic->on_drop && (b->code || why != ICACHE_FORGOTTEN))
        ic->on_drop(ic->on_drop_ctx, b, why);
}

/* The bytes of @b, which is in no list any more, are about to change. */
static void lay_out(struct icache *ic, struct block *b)
{
    struct block *forgotten = b;

    icache_tell_drop(ic, b, ICACHE_WRITTEN);
    if (!b->tail) {
        const struct phys_page *page = physmem_page(ic->pm, b->key >> 2);
        forgotten = dead_put(&ic->dead, b, page->host + (b->key >> 2 & (PAGE_SIZE - 1)));
    }
    if (forgotten)
        icache_tell_drop(ic, forgotten, ICACHE_FORGOTTEN);
}

void icache_flush(struct icache *ic)
{
    for (u32 i = 0; i < ic->blocks; i++)
        icache_tell_drop(ic, &ic->block[i], ICACHE_FORGOTTEN);
    for (size_t p = 0; p < ic->ram_pages; p++) {
        const struct code_page *page = &ic->page[p];
        if (page->blocks || page->tails)
            mmu_unwatch_code(ic->cpu->mmu,
                             page->blocks ? page->blocks->key >> 2 : tail_phys(page->tails));
        if (page->blocks || page->tails || page->checked)
            ic->page[p] = (struct code_page){0};
    }
    memset(ic->hash, 0, sizeof(ic->hash));
    memset(&ic->fast, 0, sizeof(ic->fast));
    memset(&ic->dead, 0, sizeof(ic->dead));
    ic->insns = ic->blocks = ic->checks = ic->unuseds = 0;
    ic->cpu->attention |= ATTN_CODE;
}

static void on_physmem_change(void *ctx)
{
    icache_flush(ctx);
}

void icache_hash_remove(struct icache *ic, struct block *b)
{
    struct block **at = &ic->hash[icache_hash_of(b->key)];

    while (*at != b)
        at = &(*at)->next;
    *at = b->next;
    struct block **fast = &ic->fast.slot[icache_fast_index(b->key)];
    if (*fast == b)
        *fast = NULL;
}

/* Nothing of a block is there any more: writes are fast again. */
static void settle_page(struct icache *ic, struct code_page *page, phys_addr phys)
{
    if (page->blocks || page->tails)
        return;
    page->pieces = 0;
    mmu_unwatch_code(ic->cpu->mmu, phys);
}

/* @b, which is no more, does not go on in its second page. */
static void unlist_tail(struct icache *ic, const struct block *b)
{
    size_t p = b->tail ? ram_page_at(ic, tail_phys(b)) : ic->ram_pages;

    if (p == ic->ram_pages)
        return;
    for (struct block **at = &ic->page[p].tails; *at; at = &(*at)->tail_next) {
        if (*at == b) {
            *at = b->tail_next;
            settle_page(ic, &ic->page[p], tail_phys(b));
            return;
        }
    }
}

/* @b, which is no more, does not begin in its first page. */
static void unlist_head(struct icache *ic, const struct block *b)
{
    size_t p = ram_page_at(ic, b->key >> 2);

    if (p == ic->ram_pages)
        return;
    for (struct block **at = &ic->page[p].blocks; *at; at = &(*at)->page_next) {
        if (*at == b) {
            *at = b->page_next;
            settle_page(ic, &ic->page[p], b->key >> 2);
            return;
        }
    }
}

void icache_unwatch(struct icache *ic, struct block *b)
{
    struct code_page *page = page_with_code(ic, b->key >> 2, b->bytes);

    if (!page)
        return;
    unlist_head(ic, b);
    page->pieces = 0;
    for (const struct block *k = page->blocks; k; k = k->page_next)
        page->pieces |= pieces_of_block(k);
    for (const struct block *k = page->tails; k; k = k->tail_next)
        page->pieces |= pieces_of(tail_phys(k), tail_bytes(k));
}

static bool tail_overlaps(const struct block *b, phys_addr phys)
{
    return (phys & (PAGE_SIZE - 1)) < tail_bytes(b);
}

/* Those that go on in @page, where [phys, phys + len) is written to. */
static void drop_tails(struct icache *ic, struct code_page *page, phys_addr phys)
{
    for (struct block **at = &page->tails; *at;) {
        struct block *b = *at;
        if (tail_overlaps(b, phys)) {
            icache_hash_remove(ic, b);
            *at = b->tail_next;
            unlist_head(ic, b);
            lay_out(ic, b);
            ic->cpu->attention |= ATTN_CODE;
        } else {
            page->pieces |= pieces_of(tail_phys(b), tail_bytes(b));
            at = &b->tail_next;
        }
    }
}

/* Is the write to [phys, phys + len) one that @b stays for? One that stands many would be better
 * off if it had a check. */
static bool stands(const struct block *b, phys_addr phys, size_t len)
{
    phys_addr at_insn;

    return soft_at(b, phys, len, &at_insn) >= 0 && (!b->may_check || b->stood < ICACHE_STOOD_MOST);
}

/* Drop the blocks that [phys, phys + len) overlaps, but for those that stand it, if @may_stand. */
static void drop_overlapped(struct icache *ic, phys_addr phys, size_t len, bool may_stand)
{
    struct code_page *page = page_with_code(ic, phys, len);

    if (!page)
        return;
    page->pieces = 0;
    for (struct block **at = &page->blocks; *at;) {
        struct block *b = *at;
        if (icache_block_overlaps(b, phys, len) && !(may_stand && stands(b, phys, len))) {
            icache_hash_remove(ic, b);
            *at = b->page_next;
            unlist_tail(ic, b);
            lay_out(ic, b);
            ic->cpu->attention |= ATTN_CODE;
        } else {
            page->pieces |= pieces_of_block(b);
            at = &b->page_next;
        }
    }
    drop_tails(ic, page, phys);
    settle_page(ic, page, phys);
}

static void on_code_write(void *ctx, phys_addr phys, size_t len)
{
    drop_overlapped(ctx, phys, len, true);
}

/* An instruction whose own bytes its accesses change by a walk is what it was before: nothing of it
 * may be read anew. Nor may the next ones be what they were before. */
static void on_mark(void *ctx, phys_addr phys, size_t len)
{
    struct icache *ic = ctx;
    const struct code_page *page = icache_code_page(ic, phys);

    if (!page)
        return;
    drop_overlapped(ic, phys, len, false);
    if (page->checked && icache_forget_marked(ic, page->checked, phys, len))
        ic->cpu->attention |= ATTN_CODE;
}

/* What is soft and [phys, phys + len) lies in has changed. */
static void on_code_written(void *ctx, phys_addr phys, size_t len)
{
    struct icache *ic = ctx;
    const struct code_page *page = page_with_code(ic, phys, len);
    phys_addr at_insn;

    if (!page)
        return;
    const u8 *host = physmem_page(ic->pm, phys)->host;
    for (struct block *b = page->blocks; b; b = b->page_next) {
        int i = soft_at(b, phys, len, &at_insn);
        if (i < 0)
            continue;
        b->stood++;
        icache_decode_again(ic, b, (unsigned)i, host + (at_insn & (PAGE_SIZE - 1)));
    }
}

/* What of the page's blocks [phys, phys + len) overlaps. */
struct overlapped {
    bool any;
    bool stays; /* one of them is @running, or would stand the write */
};

static struct overlapped overlapped_by(const struct icache *ic, phys_addr phys, size_t len,
                                       const struct block *running)
{
    const struct code_page *page = page_with_code(ic, phys, len);
    struct overlapped o = {0};

    for (const struct block *b = page ? page->blocks : NULL; b; b = b->page_next) {
        if (!icache_block_overlaps(b, phys, len))
            continue;
        o.any = true;
        o.stays |= b == running || stands(b, phys, len);
    }
    for (const struct block *b = page ? page->tails : NULL; b; b = b->tail_next) {
        if (!tail_overlaps(b, phys))
            continue;
        o.any = true;
        o.stays |= b == running;
    }
    return o;
}

bool icache_overlaps(const struct icache *ic, phys_addr phys, size_t len)
{
    return overlapped_by(ic, phys, len, NULL).any;
}

bool icache_write(struct icache *ic, phys_addr phys, size_t len, const struct block *running)
{
    struct overlapped o = overlapped_by(ic, phys, len, running);
    u32 attention = ic->cpu->attention;

    if (o.stays)
        return false;
    if (o.any) {
        on_code_write(ic, phys, len);
        ic->cpu->attention = attention;
    }
    return true;
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

/* At most @most instructions of the @room bytes. */
static struct block *block_new(struct icache *ic, u64 key, const u8 *bytes, size_t room,
                               unsigned most)
{
    if (ic->blocks == MAX_BLOCKS || ic->insns + BLOCK_MAX > ARENA_INSN)
        icache_flush(ic);

    struct insn *insn = ic->insn + ic->insns;
    unsigned n = 0;
    size_t used = 0;
    while (n < most && used < room) {
        unsigned avail = room - used < INSN_MAX_LEN ? (unsigned)(room - used) : INSN_MAX_LEN;
        if (decode(ic->table, bytes + used, avail, (u32)key & 3, &insn[n]) != DECODE_OK)
            break; /* crosses the page or is too long */
        used += insn[n].len;
        if (insn_def[insn[n++].id].attr & ATTR_Ends)
            break;
    }
    if (!n)
        return NULL;
    struct block *b = &ic->block[ic->blocks++];
    *b = (struct block){.key = key, .count = (u16)n, .bytes = (u16)used, .insn = insn};
    ic->insns += n;
    if (log_on(LOG_TRACE, IN_ASM))
        log_block(b, bytes);
    return b;
}

static struct block *hash_find(const struct icache *ic, u64 key)
{
    struct block *b = ic->hash[icache_hash_of(key)];

    while (b && b->key != key)
        b = b->next;
    return b;
}

/* The block of @key that has no check: those that have lie in one page. */
static struct block *find_crossing(const struct icache *ic, u64 key)
{
    struct block *b = hash_find(ic, key);

    while (b && (b->key != key || b->check))
        b = b->next;
    return b;
}

/* @b is found from now on, and a write to its page noticed. */
static void enlist(struct icache *ic, struct block *b, const struct phys_page *page)
{
    struct block **head = &ic->hash[icache_hash_of(b->key)];
    size_t p = page->rom ? ic->ram_pages : ram_page(ic, page->host);

    b->next = *head;
    *head = b;
    ic->fast.slot[icache_fast_index(b->key)] = b;
    if (p == ic->ram_pages)
        return;
    b->page_next = ic->page[p].blocks;
    ic->page[p].blocks = b;
    ic->page[p].pieces |= pieces_of_block(b);
    mmu_watch_code(ic->cpu->mmu, b->key >> 2);
}

static void enlist_tail(struct icache *ic, struct block *b, const struct phys_page *page)
{
    size_t p = page->rom ? ic->ram_pages : ram_page(ic, page->host);

    if (p == ic->ram_pages)
        return;
    b->tail_next = ic->page[p].tails;
    ic->page[p].tails = b;
    ic->page[p].pieces |= pieces_of(tail_phys(b), tail_bytes(b));
    mmu_watch_code(ic->cpu->mmu, tail_phys(b));
}

struct block *icache_get_slow(struct icache *ic, phys_addr phys, u32 mode)
{
    u64 key = phys << 2 | mode;
    struct block *b = hash_find(ic, key);

    if (b && !b->check) {
        ic->fast.slot[icache_fast_index(key)] = b;
        return b;
    }
    const struct phys_page *page = physmem_page(ic->pm, phys);
    unsigned off = (unsigned)(phys & (PAGE_SIZE - 1));
    if (!page->host || page->video)
        return NULL;
    b = b ? icache_find_version(ic, key) : NULL;
    if (b)
        return b;
    b = dead_take(&ic->dead, key, page->host + off, PAGE_SIZE - off);
    if (b) {
        b->wanted = 0;
        b->lives++;
    } else {
        b = block_new(ic, key, page->host + off, PAGE_SIZE - off, BLOCK_MAX);
    }
    if (b)
        enlist(ic, b, page);
    return b;
}

/* Bytes from @phys to the end of its page, and from the beginning of the other. */
static void gather(const struct phys_page *page, const struct phys_page *next, phys_addr phys,
                   u8 bytes[INSN_MAX_LEN])
{
    unsigned off = (unsigned)(phys & (PAGE_SIZE - 1)), first = PAGE_SIZE - off;

    memcpy(bytes, page->host + off, first);
    memcpy(bytes + first, next->host, INSN_MAX_LEN - first);
}

struct block *icache_get_crossing(struct icache *ic, phys_addr phys, u32 mode, u32 tail)
{
    u64 key = phys << 2 | mode;
    struct block *b = find_crossing(ic, key);
    u8 bytes[INSN_MAX_LEN];

    if (b && b->tail == tail)
        return b;
    if (b) { /* another page follows now */
        icache_hash_remove(ic, b);
        icache_tell_drop(ic, b, ICACHE_FORGOTTEN);
        unlist_tail(ic, b);
        unlist_head(ic, b);
    }
    const struct phys_page *page = physmem_page(ic->pm, phys);
    const struct phys_page *next = physmem_page(ic->pm, (phys_addr)(tail - 1) << PAGE_SHIFT);
    if (!tail || PAGE_SIZE - (phys & (PAGE_SIZE - 1)) >= INSN_MAX_LEN || !page->host ||
        page->video || !next->host || next->video)
        return NULL;
    gather(page, next, phys, bytes);
    b = block_new(ic, key, bytes, INSN_MAX_LEN, 1);
    if (!b)
        return NULL;
    b->tail = tail;
    enlist(ic, b, page);
    enlist_tail(ic, b, next);
    return b;
}

const u8 *icache_bytes(const struct icache *ic, const struct block *b, u8 copy[INSN_MAX_LEN])
{
    phys_addr phys = b->key >> 2;
    const struct phys_page *page = physmem_page(ic->pm, phys);

    if (!b->tail)
        return page->host + (phys & (PAGE_SIZE - 1));
    gather(page, physmem_page(ic->pm, tail_phys(b)), phys, copy);
    return copy;
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
    ic->check = malloc(MAX_CHECKS * sizeof(*ic->check));
    enum status s = ic->page && ic->insn && ic->block && ic->check ? STATUS_OK : STATUS_NO_MEMORY;
    if (s == STATUS_OK)
        s = decode_table_create(&ic->table, features);
    if (s != STATUS_OK) {
        icache_destroy(ic);
        return s;
    }
    physmem_on_code_write(pm, on_code_write, ic);
    physmem_on_code_written(pm, on_code_written, ic);
    physmem_on_mark(pm, on_mark, ic);
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
    free(ic->check);
    free(ic);
}
