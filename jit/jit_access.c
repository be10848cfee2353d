/* SPDX-License-Identifier: MIT */
/* Accesses that generated code cannot make by itself, and what is learnt from them. */
#include <assert.h>
#include <string.h>

#include "jit/jit_private.h"

/* Bytes in the first of two pages. */
static unsigned first_bytes(lin_addr lin)
{
    return PAGE_SIZE - (unsigned)(lin & (PAGE_SIZE - 1));
}

/* Where the second begins: no guest has more than 32 bits yet. */
static lin_addr second_page(lin_addr lin)
{
    return (u32)(lin + first_bytes(lin));
}

/* What the bytes at @lin, in two pages with addends @addend, are to and from jit.xfer. */
struct halves {
    u8 *host[2];
    unsigned bytes[2];
};

static struct halves halves_of(lin_addr lin, unsigned size, const u64 addend[2])
{
    unsigned first = first_bytes(lin);

    return (struct halves){
        {(u8 *)(uintptr_t)(addend[0] + lin), (u8 *)(uintptr_t)(addend[1] + second_page(lin))},
        {first, size - first}};
}

/* Where the code finds what is there in one piece. */
static u64 bring_together(struct cpu *cpu, lin_addr lin, const struct halves *h)
{
    u8 *xfer = (u8 *)cpu->jit.xfer;

    memcpy(xfer, h->host[0], h->bytes[0]);
    memcpy(xfer + h->bytes[0], h->host[1], h->bytes[1]);
    return (u64)(uintptr_t)xfer - lin;
}

/* A read that crosses into another page. */
static u64 crossing_read(struct cpu *cpu, lin_addr lin, unsigned size)
{
    const u64 *read = mmu_view(cpu->mmu)->cur.read;
    lin_addr second = second_page(lin);
    phys_addr phys;

    if (second == 0) /* around the end of the address space: limits may forbid it */
        return 0;
    if ((!read[lin >> PAGE_SHIFT] || !read[second >> PAGE_SHIFT]) &&
        (!mmu_translate_unmarked(cpu->mmu, lin, MMU_READ, &phys) ||
         !mmu_translate_unmarked(cpu->mmu, second, MMU_READ, &phys)))
        return 0;
    const u64 addend[2] = {read[lin >> PAGE_SHIFT], read[second >> PAGE_SHIFT]};
    if (!addend[0] || !addend[1])
        return 0;
    const struct halves h = halves_of(lin, size, addend);
    return bring_together(cpu, lin, &h);
}

/* A write to a page with code. Only the block that runs is in its way. */
static bool write_beside(struct jit *j, phys_addr phys, unsigned size)
{
    u32 off;

    if (!icache_overlaps(j->cpu->icache, phys, size))
        return true;
    const struct jit_block *b = cache_block_at(&j->cache, j->cpu->jit.return_pc - 1, &off);

    return b->block && icache_write(j->cpu->icache, phys, size, b->block);
}

/* A write to a watched page, to code or beside it or to a page table: plain, if the code that runs
 * stays as it is and where it is. */
static u64 watched_write(struct cpu *cpu, lin_addr lin, phys_addr phys, unsigned size)
{
    struct jit *j = cpu->jit.jit;
    const struct phys_page *page = physmem_page(j->physmem, phys);
    const u64 *read = &mmu_view(cpu->mmu)->cur.read[lin >> PAGE_SHIFT];

    if (!page->host || page->rom || *read == 0)
        return 0;
    bool plain = page->watch == PAGE_WATCH_CODE    ? write_beside(j, phys, size)
                 : page->watch == PAGE_WATCH_TABLE ? mmu_table_write(cpu->mmu, phys, size)
                                                   : false;
    /* A table that maps itself elsewhere: code may not know its words any more (ir_passes.c). */
    return plain && *read ? (u64)(uintptr_t)page->host - (lin & PAGE_MASK) : 0;
}

static u64 write_in_page(struct cpu *cpu, lin_addr lin, phys_addr phys, unsigned size)
{
    u64 addend = mmu_view(cpu->mmu)->cur.write[lin >> PAGE_SHIFT];

    return addend ? addend : watched_write(cpu, lin, phys, size);
}

/* Let the code write to jit.xfer, which holds what is there now, and call what brings it to its two
 * places. */
static u64 write_apart(struct cpu *cpu, lin_addr lin, unsigned size, const u64 addend[2])
{
    const struct halves h = halves_of(lin, size, addend);

    for (unsigned i = 0; i < 2; i++) {
        cpu->jit_halves.host[i] = (u64)(uintptr_t)h.host[i];
        cpu->jit_halves.bytes[i] = h.bytes[i];
    }
    cpu->jit_halves.written = cpu->jit_halves.apart;
    return bring_together(cpu, lin, &h);
}

/* Of a page that is absent in the table of writes, or not plain, and of its neighbour. */
static bool find_addends(struct cpu *cpu, lin_addr lin, unsigned size, u64 addend[2])
{
    const u64 *read = mmu_view(cpu->mmu)->cur.read;
    unsigned first = first_bytes(lin);
    lin_addr second = second_page(lin);
    phys_addr phys[2];

    if (!read[lin >> PAGE_SHIFT] || !read[second >> PAGE_SHIFT])
        return false;
    if (!mmu_translate_unmarked(cpu->mmu, lin, MMU_WRITE, &phys[0]) ||
        !mmu_translate_unmarked(cpu->mmu, second, MMU_WRITE, &phys[1]) || cpu->attention)
        return false;
    addend[0] = write_in_page(cpu, lin, phys[0], first);
    addend[1] = write_in_page(cpu, second, phys[1], size - first);
    /* The second page's table may be one that maps the first. */
    return addend[0] && addend[1] && read[lin >> PAGE_SHIFT] && read[second >> PAGE_SHIFT];
}

/* A write that crosses into another page. Nothing is written before both are found fit for it. */
static u64 crossing_write(struct cpu *cpu, lin_addr lin, unsigned size, bool apart)
{
    const u64 *write = mmu_view(cpu->mmu)->cur.write;
    lin_addr second = second_page(lin);
    u64 addend[2] = {write[lin >> PAGE_SHIFT], write[second >> PAGE_SHIFT]};

    if (second == 0)
        return 0;
    if ((!addend[0] || !addend[1]) && !find_addends(cpu, lin, size, addend))
        return 0;
    if (addend[0] == addend[1]) /* neighbours on the host, too */
        return addend[0];
    struct jit *j = cpu->jit.jit;
    j->crossed = !apart;
    return apart ? write_apart(cpu, lin, size, addend) : 0;
}

enum { HOW_WRITE = BIT(4), HOW_APART = BIT(5) };

static u64 access_at(struct cpu *cpu, lin_addr lin, u32 how)
{
    struct jit *j = cpu->jit.jit;
    unsigned size = how & 15 ? how & 15 : 16;
    bool write = how & (HOW_WRITE | HOW_APART);
    phys_addr phys;

    j->counts.access_slow++;
    j->device_asked = false;
    if (!mmu_in_page(lin, size))
        return write ? crossing_write(cpu, lin, size, how & HOW_APART)
                     : crossing_read(cpu, lin, size);
    if (!mmu_translate_unmarked(cpu->mmu, lin, write ? MMU_WRITE : MMU_READ, &phys) ||
        cpu->attention)
        return 0;
    j->device_asked = !physmem_page(j->physmem, phys)->host;
    return write ? write_in_page(cpu, lin, phys, size)
                 : mmu_view(cpu->mmu)->cur.read[lin >> PAGE_SHIFT];
}

/* Bits in page tables are set by the interpreter only: code may have read their words already,
 * which this would change, in instructions before (ir_passes.c) or in the same, which begins anew
 * where it is left. */
u64 jit_access(struct cpu *cpu, lin_addr lin, u32 how)
{
    u64 addend = access_at(cpu, lin, how);

    jit_returns_check(cpu->jit.jit);
    return addend;
}

/* --- instructions that write across pages --- */

void jit_access_open(struct jit *j)
{
    struct jit_halves *h = &j->cpu->jit_halves;

    h->whole = h->written = cache_exec(&j->cache, j->stubs[0].written[0]);
    h->apart = cache_exec(&j->cache, j->stubs[0].written[1]);
}

void jit_crossing_bailed(struct jit *j, struct jit_block *b, unsigned g)
{
    if (!j->crossed)
        return;
    j->crossed = false;
    if (!b->block)
        return;
    struct jit_crossing *x = &j->crossing[jit_place(b->block->key, JIT_CROSSINGS)];
    if (x->key != b->block->key)
        *x = (struct jit_crossing){.key = b->block->key};
    x->apart |= BIT(g);
    if (++x->times < 2 * j->threshold)
        return;
    x->times = 0;
    cache_forget(&j->cache, b);
}
static_assert(BLOCK_MAX <= 32, "bits of apart");

u32 jit_crossing_of(const struct jit *j, const struct block *b)
{
    const struct jit_crossing *x = &j->crossing[jit_place(b->key, JIT_CROSSINGS)];

    return x->key == b->key ? x->apart : 0;
}
