/* SPDX-License-Identifier: MIT */
/*
 * The physical map: a directory of leaves of 1024 pages. A missing leaf is open bus.
 */
#include "mmu/physmem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bits.h"
#include "base/log.h"

#define LEAF_BITS     10u
#define LEAF_PAGES    BIT(LEAF_BITS)
#define DIR_ENTRIES   BIT(PHYS_BITS - PAGE_SHIFT - LEAF_BITS)
#define A20_BIT       BIT64(20)
#define MAX_REGIONS   256u
#define MAX_LISTENERS 8u

struct region {
    const struct mmio_ops *ops;
    void *dev;
    phys_addr base;
};

struct watcher {
    page_watch_fn *fn;
    void *ctx;
};

struct physmem {
    struct phys_page *dir[DIR_ENTRIES];
    struct phys_page open_bus;
    u64 mask; /* bus width and A20 */
    u8 *ram;
    size_t ram_bytes, video_bytes; /* video memory follows the RAM in one mapping */
    unsigned regions;              /* 0 is open bus */
    struct region region[MAX_REGIONS];
    struct watcher on_code, on_code_done, on_table, on_mark;
    mmio_tap_fn *tap; /* NULL: none */
    void *tap_ctx;
    u64 asked; /* how often devices were */
    struct listener {
        physmem_changed_fn *fn;
        void *ctx;
    } changed[MAX_LISTENERS];
    unsigned listeners;
    struct video_listener {
        physmem_video_fn *fn;
        void *ctx;
    } on_video[MAX_LISTENERS];
    unsigned video_listeners;
};

enum status physmem_create(struct physmem **out, size_t ram_bytes)
{
    return physmem_create_video(out, ram_bytes, 0);
}

enum status physmem_create_video(struct physmem **out, size_t ram_bytes, size_t video_bytes)
{
    size_t bytes = ram_bytes + video_bytes;
    struct physmem *pm;

    if (!ram_bytes || ram_bytes % PAGE_SIZE || video_bytes % PAGE_SIZE)
        return STATUS_BAD_SIZE;
    pm = calloc(1, sizeof(*pm));
    if (!pm)
        return STATUS_NO_MEMORY;
    pm->ram = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pm->ram == MAP_FAILED) {
        free(pm);
        return STATUS_NO_MEMORY;
    }
#ifdef MADV_HUGEPAGE
    (void)madvise(pm->ram, bytes, MADV_HUGEPAGE); /* or not: it is only faster */
#endif
    pm->ram_bytes = ram_bytes;
    pm->video_bytes = video_bytes;
    pm->mask = BIT64(PHYS_BITS) - 1;
    pm->regions = 1;
    *out = pm;
    return STATUS_OK;
}

void physmem_destroy(struct physmem *pm)
{
    if (!pm)
        return;
    for (unsigned i = 0; i < DIR_ENTRIES; i++)
        free(pm->dir[i]);
    munmap(pm->ram, pm->ram_bytes + pm->video_bytes);
    free(pm);
}

u8 *physmem_ram(struct physmem *pm)
{
    return pm->ram;
}

size_t physmem_ram_size(const struct physmem *pm)
{
    return pm->ram_bytes;
}

u8 *physmem_video(struct physmem *pm)
{
    return pm->video_bytes ? pm->ram + pm->ram_bytes : NULL;
}

size_t physmem_video_size(const struct physmem *pm)
{
    return pm->video_bytes;
}

static void physmem_changed(struct physmem *pm)
{
    for (unsigned i = 0; i < pm->listeners; i++)
        pm->changed[i].fn(pm->changed[i].ctx);
}

static struct phys_page *page_unmasked(struct physmem *pm, phys_addr phys)
{
    struct phys_page *leaf = pm->dir[phys >> (PAGE_SHIFT + LEAF_BITS)];

    if (!leaf)
        return &pm->open_bus;
    return leaf + (phys >> PAGE_SHIFT & (LEAF_PAGES - 1));
}

/* The page's slot, made if it is missing. Memory for a leaf is a host failure we cannot report from
 * a guest's BAR write; the page then stays open bus. */
static struct phys_page *page_slot(struct physmem *pm, phys_addr phys)
{
    struct phys_page **leaf = &pm->dir[phys >> (PAGE_SHIFT + LEAF_BITS)];

    if (!*leaf)
        *leaf = calloc(LEAF_PAGES, sizeof(**leaf));
    if (!*leaf) {
        log_error(GENERAL, "out of memory for the physical map");
        return NULL;
    }
    return *leaf + (phys >> PAGE_SHIFT & (LEAF_PAGES - 1));
}

/* Code or page tables of this page must be forgotten before something else answers there. */
static void page_retire(struct physmem *pm, struct phys_page *p, phys_addr phys)
{
    if (p->watch & PAGE_WATCH_CODE && pm->on_code.fn)
        pm->on_code.fn(pm->on_code.ctx, phys, PAGE_SIZE);
    if (p->watch & PAGE_WATCH_TABLE && pm->on_table.fn)
        pm->on_table.fn(pm->on_table.ctx, phys, PAGE_SIZE);
}

static void map_pages(struct physmem *pm, phys_addr base, size_t len, struct phys_page first)
{
    assert(base % PAGE_SIZE == 0 && len % PAGE_SIZE == 0);
    for (size_t off = 0; off < len; off += PAGE_SIZE) {
        struct phys_page *p = page_slot(pm, (base + off) & (BIT64(PHYS_BITS) - 1));
        if (!p)
            break;
        page_retire(pm, p, base + off);
        *p = first;
        if (first.host)
            first.host += PAGE_SIZE;
    }
    physmem_changed(pm);
}

void physmem_map_ram(struct physmem *pm, phys_addr base, size_t len, size_t ram_off)
{
    assert(ram_off + len <= pm->ram_bytes);
    map_pages(pm, base, len, (struct phys_page){.host = pm->ram + ram_off});
}

void physmem_map_ram_ro(struct physmem *pm, phys_addr base, size_t len, size_t ram_off)
{
    assert(ram_off + len <= pm->ram_bytes);
    map_pages(pm, base, len, (struct phys_page){.host = pm->ram + ram_off, .rom = true});
}

void physmem_map_rom(struct physmem *pm, phys_addr base, size_t len, const u8 *host)
{
    /* The const is kept by .rom: no path writes through such a page. */
    map_pages(pm, base, len, (struct phys_page){.host = (u8 *)(uintptr_t)host, .rom = true});
}

void physmem_map_video(struct physmem *pm, phys_addr base, size_t len, size_t off)
{
    assert(off + len <= pm->video_bytes);
    map_pages(pm, base, len,
              (struct phys_page){.host = pm->ram + pm->ram_bytes + off, .video = true});
}

static u32 video_page(const struct physmem *pm, const struct phys_page *p)
{
    return (u32)((size_t)(p->host - pm->ram - pm->ram_bytes) >> PAGE_SHIFT);
}

static void video_changed(struct physmem *pm, u32 page, bool moved)
{
    for (unsigned i = 0; i < pm->video_listeners; i++)
        pm->on_video[i].fn(pm->on_video[i].ctx, page, moved);
}

void physmem_bank_video(struct physmem *pm, phys_addr base, size_t len, size_t off)
{
    assert(off + len <= pm->video_bytes);
    for (size_t at = 0; at < len; at += PAGE_SIZE) {
        struct phys_page *p = page_slot(pm, base + at);
        if (!p || !p->video)
            continue;
        video_changed(pm, video_page(pm, p), true);
        *p = (struct phys_page){.host = pm->ram + pm->ram_bytes + off + at, .video = true};
    }
}

void physmem_video_written(struct physmem *pm, phys_addr base, size_t len, bool *written)
{
    for (size_t at = 0; at < len; at += PAGE_SIZE) {
        struct phys_page *p = page_unmasked(pm, base + at);
        if (!p->video || p->watch & PAGE_WATCH_CLEAN)
            continue;
        written[video_page(pm, p)] = true;
        p->watch |= PAGE_WATCH_CLEAN;
        video_changed(pm, video_page(pm, p), false);
    }
}

static unsigned region_find(struct physmem *pm, const struct region *r)
{
    for (unsigned i = 1; i < pm->regions; i++) {
        if (pm->region[i].ops == r->ops && pm->region[i].dev == r->dev &&
            pm->region[i].base == r->base)
            return i;
    }
    return 0;
}

/* A number whose region answers nowhere any more, so that BARs can move for ever. */
static unsigned region_reuse(struct physmem *pm)
{
    bool used[MAX_REGIONS] = {false};

    for (unsigned d = 0; d < DIR_ENTRIES; d++) {
        for (unsigned i = 0; pm->dir[d] && i < LEAF_PAGES; i++)
            used[pm->dir[d][i].region] = true;
    }
    for (unsigned i = 1; i < MAX_REGIONS; i++) {
        if (!used[i])
            return i;
    }
    return 0;
}

enum status physmem_map_mmio(struct physmem *pm, phys_addr base, size_t len,
                             const struct mmio_ops *ops, void *dev)
{
    struct region r = {ops, dev, base};
    unsigned n = region_find(pm, &r);

    if (!n)
        n = pm->regions < MAX_REGIONS ? pm->regions++ : region_reuse(pm);
    if (!n)
        return STATUS_NO_MEMORY;
    pm->region[n] = r;
    map_pages(pm, base, len, (struct phys_page){.region = (u16)n});
    return STATUS_OK;
}

void physmem_unmap(struct physmem *pm, phys_addr base, size_t len)
{
    map_pages(pm, base, len, (struct phys_page){0});
}

void physmem_set_a20(struct physmem *pm, bool on)
{
    u64 mask = (BIT64(PHYS_BITS) - 1) & ~(on ? 0 : A20_BIT);

    if (mask == pm->mask)
        return;
    pm->mask = mask;
    physmem_changed(pm);
}

bool physmem_a20(const struct physmem *pm)
{
    return pm->mask & A20_BIT;
}

phys_addr physmem_mask(const struct physmem *pm, phys_addr phys)
{
    return phys & pm->mask;
}

void physmem_on_code_write(struct physmem *pm, page_watch_fn *fn, void *ctx)
{
    pm->on_code = (struct watcher){fn, ctx};
}

void physmem_on_code_written(struct physmem *pm, page_watch_fn *fn, void *ctx)
{
    pm->on_code_done = (struct watcher){fn, ctx};
}

void physmem_on_table_write(struct physmem *pm, page_watch_fn *fn, void *ctx)
{
    pm->on_table = (struct watcher){fn, ctx};
}

void physmem_on_mark(struct physmem *pm, page_watch_fn *fn, void *ctx)
{
    pm->on_mark = (struct watcher){fn, ctx};
}

void physmem_on_mmio(struct physmem *pm, mmio_tap_fn *fn, void *ctx)
{
    pm->tap = fn;
    pm->tap_ctx = ctx;
}

void physmem_on_change(struct physmem *pm, physmem_changed_fn *fn, void *ctx)
{
    assert(pm->listeners < MAX_LISTENERS);
    pm->changed[pm->listeners++] = (struct listener){fn, ctx};
}

void physmem_on_video(struct physmem *pm, physmem_video_fn *fn, void *ctx)
{
    assert(pm->video_listeners < MAX_LISTENERS);
    pm->on_video[pm->video_listeners++] = (struct video_listener){fn, ctx};
}

struct phys_page *physmem_page(struct physmem *pm, phys_addr phys)
{
    return page_unmasked(pm, phys & pm->mask);
}

u64 physmem_asked(const struct physmem *pm)
{
    return pm->asked;
}

/* Does an access go to the device as it is, and nobody wants to know? Most are such: a screen has
 * many of them. */
ALWAYS_INLINE bool region_accepts(const struct physmem *pm, const struct region *r, phys_addr at,
                                  unsigned size)
{
    return r->ops && size <= r->ops->max && !(at & (size - 1)) && !pm->tap &&
           !log_on(LOG_TRACE, IO);
}

/* An access, split into what the device accepts. */
static NOINLINE u64 region_load_parts(struct physmem *pm, const struct region *r, phys_addr at,
                                      unsigned size)
{
    u64 v = 0;

    if (!r->ops)
        return ~(u64)0 >> (64 - 8 * size);
    unsigned step = size < r->ops->max ? size : r->ops->max;
    if (at & (step - 1))
        step = 1;
    for (unsigned i = 0; i < size; i += step)
        v |= r->ops->read(r->dev, at + i - r->base, step) << (8 * i);
    log_trace(IO, "mmio read at=%08llx size=%u val=%llx", (unsigned long long)at, size,
              (unsigned long long)v);
    if (pm->tap)
        pm->tap(pm->tap_ctx, false, at, v, size);
    return v;
}

static u64 region_load(struct physmem *pm, unsigned region, phys_addr at, unsigned size)
{
    const struct region *r = &pm->region[region];

    pm->asked++;
    if (LIKELY(region_accepts(pm, r, at, size)))
        return r->ops->read(r->dev, at - r->base, size);
    return region_load_parts(pm, r, at, size);
}

static NOINLINE void region_store_parts(struct physmem *pm, const struct region *r, phys_addr at,
                                        u64 val, unsigned size)
{
    if (!r->ops)
        return;
    if (pm->tap)
        pm->tap(pm->tap_ctx, true, at, val, size);
    log_trace(IO, "mmio write at=%08llx size=%u val=%llx", (unsigned long long)at, size,
              (unsigned long long)val);
    unsigned step = size < r->ops->max ? size : r->ops->max;
    if (at & (step - 1))
        step = 1;
    for (unsigned i = 0; i < size; i += step)
        r->ops->write(r->dev, at + i - r->base, val >> (8 * i) & (~(u64)0 >> (64 - 8 * step)),
                      step);
}

static void region_store(struct physmem *pm, unsigned region, phys_addr at, u64 val, unsigned size)
{
    const struct region *r = &pm->region[region];

    pm->asked++;
    if (LIKELY(region_accepts(pm, r, at, size)))
        r->ops->write(r->dev, at - r->base, val & ~(u64)0 >> (64 - 8 * size), size);
    else
        region_store_parts(pm, r, at, val, size);
}

static u64 load_unmasked(struct physmem *pm, phys_addr at, unsigned size)
{
    const struct phys_page *p = page_unmasked(pm, at);

    if (p->host)
        return load_le(p->host + (at & (PAGE_SIZE - 1)), size);
    return region_load(pm, p->region, at, size);
}

/* Tell the watchers, then hand out the bytes; NULL if the page does not take writes directly. Code
 * stays what it is if @from is what is there. */
static u8 *writable(struct physmem *pm, struct phys_page *p, phys_addr at, const void *from,
                    size_t len)
{
    if (!p->host || p->rom)
        return NULL;
    u8 *host = p->host + (at & (PAGE_SIZE - 1));
    p->watch &= (u8)~PAGE_WATCH_CLEAN;
    if (p->watch & PAGE_WATCH_TABLE && pm->on_table.fn)
        pm->on_table.fn(pm->on_table.ctx, at, len);
    if (p->watch & PAGE_WATCH_CODE && pm->on_code.fn && memcmp(host, from, len) != 0)
        pm->on_code.fn(pm->on_code.ctx, at, len);
    return host;
}

/* The bytes that writable() handed out have been written. */
static void written(struct physmem *pm, const struct phys_page *p, phys_addr at, size_t len)
{
    if (p->watch & PAGE_WATCH_CODE && pm->on_code_done.fn)
        pm->on_code_done.fn(pm->on_code_done.ctx, at, len);
}

static void store_unmasked(struct physmem *pm, phys_addr at, u64 val, unsigned size)
{
    struct phys_page *p = page_unmasked(pm, at);
    u8 bytes[8];

    store_le(bytes, val, size);
    u8 *host = writable(pm, p, at, bytes, size);
    if (host)
        memcpy(host, bytes, size), written(pm, p, at, size);
    else if (!p->host)
        region_store(pm, p->region, at, val, size);
}

void physmem_mark(struct physmem *pm, phys_addr at, u64 val, unsigned size)
{
    struct phys_page *p = physmem_page(pm, at);

    at &= pm->mask;
    if (!p->host || p->rom) {
        store_unmasked(pm, at, val, size);
        return;
    }
    if (pm->on_mark.fn)
        pm->on_mark.fn(pm->on_mark.ctx, at, size);
    store_le(p->host + (at & (PAGE_SIZE - 1)), val, size);
}

u64 physmem_load(struct physmem *pm, phys_addr at, unsigned size)
{
    return load_unmasked(pm, at & pm->mask, size);
}

void physmem_store(struct physmem *pm, phys_addr at, u64 val, unsigned size)
{
    store_unmasked(pm, at & pm->mask, val, size);
}

u64 physmem_ask(struct physmem *pm, unsigned region, phys_addr at, unsigned size)
{
    return region_load(pm, region, at & pm->mask, size);
}

void physmem_tell(struct physmem *pm, unsigned region, phys_addr at, u64 val, unsigned size)
{
    region_store(pm, region, at & pm->mask, val, size);
}

bool physmem_quiet(const struct physmem *pm, unsigned region)
{
    const struct region *r = &pm->region[region];

    return r->ops && r->ops->quiet && !pm->tap && r->ops->quiet(r->dev);
}

/* Largest power of two that is aligned at @at and not longer than @len or 8. */
static unsigned chunk(phys_addr at, size_t len)
{
    unsigned n = 8;

    while ((at & (n - 1)) || n > len)
        n >>= 1;
    return n;
}

static size_t in_page(phys_addr at, size_t len)
{
    size_t room = PAGE_SIZE - (at & (PAGE_SIZE - 1));

    return len < room ? len : room;
}

/* Nothing answers: worth a look, because a guest can point gigabytes of DMA there. */
static bool is_open_bus(const struct physmem *pm, const struct phys_page *p)
{
    return !p->host && !pm->region[p->region].ops;
}

void physmem_read(struct physmem *pm, phys_addr at, void *to, size_t len)
{
    u8 *dst = to;

    while (len) {
        at &= BIT64(PHYS_BITS) - 1;
        const struct phys_page *p = page_unmasked(pm, at);
        size_t n = in_page(at, len);
        if (p->host) {
            memcpy(dst, p->host + (at & (PAGE_SIZE - 1)), n);
        } else if (is_open_bus(pm, p)) {
            memset(dst, 0xff, n);
        } else {
            n = chunk(at, n);
            store_le(dst, load_unmasked(pm, at, (unsigned)n), (unsigned)n);
        }
        dst += n, at += n, len -= n;
    }
}

void physmem_write(struct physmem *pm, phys_addr at, const void *from, size_t len)
{
    const u8 *src = from;

    while (len) {
        at &= BIT64(PHYS_BITS) - 1;
        struct phys_page *p = page_unmasked(pm, at);
        size_t n = in_page(at, len);
        u8 *host = writable(pm, p, at, src, n);
        if (host) {
            memcpy(host, src, n);
            written(pm, p, at, n);
        } else if (!p->host && !is_open_bus(pm, p)) {
            n = chunk(at, n);
            store_unmasked(pm, at, load_le(src, (unsigned)n), (unsigned)n);
        }
        src += n, at += n, len -= n;
    }
}
