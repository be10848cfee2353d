/* SPDX-License-Identifier: MIT */
/* Blocks that nobody watches: they are compared with the memory where they are looked for. */
#include <assert.h>
#include <string.h>

#include "cpu/icache_private.h"
#include "cpu/icache_soft.h"

void icache_decode_again(struct icache *ic, const struct block *b, unsigned i, const u8 *bytes)
{
    struct insn *in = ic->insn + (b->insn - ic->insn) + i;
    enum decode_result r = decode(ic->table, bytes, in->len, (u32)b->key & 3, in);

    assert(r == DECODE_OK);
    (void)r;
}

struct block *icache_version(const struct icache *ic, u64 key, const struct block *after)
{
    struct block *b = after ? after->next : ic->hash[icache_hash_of(key)];

    while (b && (b->key != key || !b->check))
        b = b->next;
    return b;
}

/* @b has a check: it lies in one page. */
static const u8 *bytes_of(const struct icache *ic, const struct block *b)
{
    phys_addr phys = b->key >> 2;

    return physmem_page(ic->pm, phys)->host + (phys & (PAGE_SIZE - 1));
}

/* What is compared from now on are the bytes that are there, which are what @b was decoded from. */
static void set(struct icache *ic, struct block *b, u32 soft, u32 soft_disp)
{
    b->soft = soft;
    b->soft_disp = soft_disp;
    check_set(b->check, b, bytes_of(ic, b));
}

void icache_harden(struct icache *ic, struct block *b, u32 soft, u32 soft_disp)
{
    soft &= b->soft;
    soft_disp &= b->soft_disp;
    if (soft == b->soft && soft_disp == b->soft_disp)
        return;
    assert(memcmp(b->check->bytes, bytes_of(ic, b), b->bytes) == 0);
    icache_tell_drop(ic, b, ICACHE_FORGOTTEN);
    set(ic, b, soft, soft_disp);
}

bool icache_refresh(struct icache *ic, const struct block *b)
{
    if (!b->check)
        return true;
    const u8 *bytes = bytes_of(ic, b);
    if (memcmp(b->check->bytes, bytes, b->bytes) == 0)
        return true;
    if (!check_holds(b, bytes))
        return false;
    memcpy(b->check->bytes, bytes, b->bytes);
    for (unsigned i = 0; i < b->count; bytes += b->insn[i++].len)
        icache_decode_again(ic, b, i, bytes);
    return true;
}

unsigned icache_versions(const struct icache *ic, u64 key)
{
    unsigned n = 0;

    for (const struct block *b = NULL; (b = icache_version(ic, key, b));)
        n++;
    return n;
}

/* @b is no more. */
static void forget(struct icache *ic, struct block *b, enum icache_drop why)
{
    struct block **at = &icache_code_page(ic, b->key >> 2)->checked;

    while (*at != b)
        at = &(*at)->page_next;
    *at = b->page_next;
    icache_hash_remove(ic, b);
    icache_tell_drop(ic, b, why);
    ic->unused[ic->unuseds++] = (u16)(b->check - ic->check);
    b->check->of = NULL;
    b->check = NULL;
}

static bool aged(const struct icache *ic, const struct block_check *k)
{
    return clock_retired(ic->cpu->clock) - k->born > CHECK_LIFE;
}

/* There is no check left: those are taken back that were not worth a translation, or are old. */
static void sweep(struct icache *ic)
{
    u64 now = clock_retired(ic->cpu->clock);

    if (now - ic->swept < SWEEP_EVERY)
        return;
    ic->swept = now;
    for (u32 i = 0; i < ic->checks; i++) {
        struct block *b = ic->check[i].of;
        if (b && aged(ic, b->check))
            forget(ic, b, ICACHE_AGED);
        else if (b && !b->code)
            forget(ic, b, ICACHE_VAIN);
    }
}

static struct block_check *check_new(struct icache *ic)
{
    if (!ic->unuseds && ic->checks == MAX_CHECKS)
        sweep(ic);
    if (ic->unuseds)
        return &ic->check[ic->unused[--ic->unuseds]];
    return ic->checks < MAX_CHECKS ? &ic->check[ic->checks++] : NULL;
}
static_assert(MAX_CHECKS <= UINT16_MAX + 1, "numbers of checks");

enum icache_checked icache_check(struct icache *ic, struct block *b, unsigned count, u32 soft,
                                 u32 soft_disp)
{
    const struct phys_page *page = physmem_page(ic->pm, b->key >> 2);
    unsigned bytes = 0, n = 0;

    while (n < count && bytes + b->insn[n].len <= CHECK_BYTES)
        bytes += b->insn[n++].len;
    if (b->tail || page->watch & PAGE_WATCH_TABLE)
        return ICACHE_UNFIT;
    if (icache_versions(ic, b->key) >= VERSIONS_MOST)
        return ICACHE_CROWDED;
    struct code_page *of = icache_code_page(ic, b->key >> 2);
    struct block_check *check = of ? check_new(ic) : NULL;
    if (!check)
        return ICACHE_UNFIT;
    icache_tell_drop(ic, b, ICACHE_FORGOTTEN);
    icache_unwatch(ic, b);
    icache_hash_remove(ic, b);
    b->count = (u16)n;
    b->bytes = (u16)bytes;
    b->check = check;
    check->of = b;
    check->born = clock_retired(ic->cpu->clock);
    set(ic, b, soft & (u32)(BIT64(n) - 1), soft_disp & (u32)(BIT64(n) - 1));
    struct block **at = &ic->hash[icache_hash_of(b->key)];
    while (*at)
        at = &(*at)->next;
    *at = b; /* last: the order of versions stays */
    b->next = NULL;
    b->page_next = of->checked;
    of->checked = b;
    return ICACHE_CHECKED;
}

unsigned icache_forget_versions(struct icache *ic, u64 key, bool cold)
{
    struct block *b = icache_version(ic, key, NULL), *next;
    unsigned kept = 0;

    for (; b; b = next) {
        next = icache_version(ic, key, b);
        if (cold && b->code)
            kept++;
        else
            forget(ic, b, ICACHE_FORGOTTEN);
    }
    return kept;
}

void icache_age(struct icache *ic)
{
    for (u32 i = 0; i < ic->checks; i++) {
        const struct block_check *k = &ic->check[i];
        if (k->of && aged(ic, k))
            forget(ic, k->of, ICACHE_AGED);
    }
}

bool icache_forget_marked(struct icache *ic, struct block *checked, phys_addr phys, size_t len)
{
    bool any = false;

    for (struct block *b = checked, *next; b; b = next) {
        next = b->page_next;
        if (!icache_block_overlaps(b, phys, len) || !icache_refresh(ic, b))
            continue;
        forget(ic, b, ICACHE_FORGOTTEN);
        any = true;
    }
    return any;
}

struct block *icache_find_version(struct icache *ic, u64 key)
{
    struct block *b = NULL;

    while ((b = icache_version(ic, key, b)) && !icache_refresh(ic, b))
        ;
    return b;
}
