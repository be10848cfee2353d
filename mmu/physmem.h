/* SPDX-License-Identifier: MIT */
/*
 * The physical address space: what answers at each address. A two-level table of 4 KiB pages, each
 * RAM, ROM, a device, or nothing (open bus: reads give all ones, writes are dropped).
 *
 * RAM pages can be watched: pages that hold translated code and pages that were used as page
 * tables are kept out of every fast write path, and a write to them, by the CPU or by a device,
 * first calls the watcher.
 */
#pragma once

#include "base/status.h"
#include "base/types.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096u
#define PAGE_MASK  (~(u64)0xfff)

#define PHYS_BITS 36u /* PAE's and our models' MAXPHYADDR [SDM 3A §4.1.4] */

struct physmem;

/**
 * How a memory-mapped device answers. @off is relative to the mapped base; @size is 1, 2, 4 or 8
 * and never more than @max: wider or page-crossing accesses arrive as several, lowest address
 * first.
 */
struct mmio_ops {
    u64 (*read)(void *dev, u64 off, unsigned size);
    void (*write)(void *dev, u64 off, u64 val, unsigned size);
    unsigned max;
    /* Does it answer as memory would, for now: whatever the time is, and so that nobody but it
     * notices? Then a run of accesses may come at once, in their order. NULL: no. */
    bool (*quiet)(const void *dev);
};

/** Flags of a RAM or video page that keep it out of fast write paths. */
enum page_watch {
    PAGE_WATCH_CODE = BIT(0),  /* decoded or translated code was read from it */
    PAGE_WATCH_TABLE = BIT(1), /* a page walk read an entry from it           */
    PAGE_WATCH_CLEAN = BIT(2), /* video memory: not written since it was looked at */
};

/** Called before [@phys, @phys + @len), within one watched page, is written. @host: its bytes. */
typedef void page_watch_fn(void *ctx, phys_addr phys, size_t len);

/** Called when the answer at some addresses changed: cached translations must go. */
typedef void physmem_changed_fn(void *ctx);

/**
 * Called when video page @page may no longer be written directly, or with @moved, may be somewhere
 * else: cached translations of it must go.
 */
typedef void physmem_video_fn(void *ctx, u32 page, bool moved);

/** Called for each access that a memory-mapped device has answered, as the device saw it. */
typedef void mmio_tap_fn(void *ctx, bool write, phys_addr at, u64 val, unsigned size);

enum status physmem_create(struct physmem **out, size_t ram_bytes) MUST_CHECK;
/** The same with @video_bytes, a whole number of pages, of video memory beside the RAM. */
enum status physmem_create_video(struct physmem **out, size_t ram_bytes,
                                 size_t video_bytes) MUST_CHECK;
void physmem_destroy(struct physmem *pm);

/** The guest's RAM, one host mapping of physmem_ram_size() bytes; RAM offset = power-on address. */
u8 *physmem_ram(struct physmem *pm);
size_t physmem_ram_size(const struct physmem *pm);

/** The memory of the video card: zeros at first. NULL: none was asked for. */
u8 *physmem_video(struct physmem *pm);
size_t physmem_video_size(const struct physmem *pm);

/* All maps take page-aligned @base and @len and replace what answered there before. */

/** RAM bytes [@ram_off, @ram_off + @len) answer at @base. Each RAM page has at most one address. */
void physmem_map_ram(struct physmem *pm, phys_addr base, size_t len, size_t ram_off);
/** @host (not owned; must outlive the map) answers reads; writes are dropped. */
void physmem_map_rom(struct physmem *pm, phys_addr base, size_t len, const u8 *host);
/** RAM that can be read but not written (PAM "read only"); writes are dropped. */
void physmem_map_ram_ro(struct physmem *pm, phys_addr base, size_t len, size_t ram_off);
/**
 * Video memory [@off, @off + @len) answers at @base, as fast as RAM. It may have several addresses;
 * code in it runs one instruction at a time. All of it counts as written.
 */
void physmem_map_video(struct physmem *pm, phys_addr base, size_t len, size_t off);
/** The same where video memory answers already, at next to no cost: for banks. */
void physmem_bank_video(struct physmem *pm, phys_addr base, size_t len, size_t off);
/**
 * Set written[n] for each page n of video memory that was written through [@base, @base + @len)
 * since the last call. What else answers there is left out.
 */
void physmem_video_written(struct physmem *pm, phys_addr base, size_t len, bool *written);
/** @dev answers. @ops and @dev must outlive the map. */
enum status physmem_map_mmio(struct physmem *pm, phys_addr base, size_t len,
                             const struct mmio_ops *ops, void *dev) MUST_CHECK;
/** Nothing answers. */
void physmem_unmap(struct physmem *pm, phys_addr base, size_t len);

/** The A20 gate: when off, address bit 20 reads as 0 for every access of the CPU. */
void physmem_set_a20(struct physmem *pm, bool on);
bool physmem_a20(const struct physmem *pm);

/* What a device does as bus master, and what a debugger does. Any length, any alignment, any mix of
 * pages; watched pages are reported, so translated code and cached translations stay coherent. */
void physmem_read(struct physmem *pm, phys_addr at, void *to, size_t len);
void physmem_write(struct physmem *pm, phys_addr at, const void *from, size_t len);

/* --- for the MMU and the engines --- */

/** Before bytes of a page that is watched for code change, and after they were written. */
void physmem_on_code_write(struct physmem *pm, page_watch_fn *fn, void *ctx);
void physmem_on_code_written(struct physmem *pm, page_watch_fn *fn, void *ctx);
void physmem_on_table_write(struct physmem *pm, page_watch_fn *fn, void *ctx);
/** Before a walk sets bits of an entry in RAM, whatever its page is watched for. */
void physmem_on_mark(struct physmem *pm, page_watch_fn *fn, void *ctx);
/** Who wants to know what devices are asked; NULL: nobody. */
void physmem_on_mmio(struct physmem *pm, mmio_tap_fn *fn, void *ctx);
/** Several may listen (at most 8); an engine's cache and an MMU are two. */
void physmem_on_change(struct physmem *pm, physmem_changed_fn *fn, void *ctx);

/** Several may listen, at most 8. */
void physmem_on_video(struct physmem *pm, physmem_video_fn *fn, void *ctx);

/** How often devices have been asked. */
u64 physmem_asked(const struct physmem *pm);

/** What answers at a page. */
struct phys_page {
    u8 *host;   /* RAM or ROM bytes, or NULL                           */
    u16 region; /* device number if host is NULL; 0 is open bus        */
    u8 watch;   /* enum page_watch; only ever set on what can be written      */
    bool video; /* host is video memory */
    bool rom;   /* host may be read but not written                    */
};

/** The page at @phys, after the A20 gate. Never NULL: open bus is a page too. */
struct phys_page *physmem_page(struct physmem *pm, phys_addr phys);

/** @phys after the A20 gate and the bus width. */
phys_addr physmem_mask(const struct physmem *pm, phys_addr phys);

/** A walk sets bits of the entry at @at, which is @val then: what came from it stays as it is. */
void physmem_mark(struct physmem *pm, phys_addr at, u64 val, unsigned size);

/** Accesses within one page, through the A20 gate; @size is 1, 2, 4 or 8. For the slow paths. */
u64 physmem_load(struct physmem *pm, phys_addr at, unsigned size);
void physmem_store(struct physmem *pm, phys_addr at, u64 val, unsigned size);

/* The same where device @region, not 0, is known to answer. */
u64 physmem_ask(struct physmem *pm, unsigned region, phys_addr at, unsigned size);
void physmem_tell(struct physmem *pm, unsigned region, phys_addr at, u64 val, unsigned size);

/** May accesses of device @region come in runs? */
bool physmem_quiet(const struct physmem *pm, unsigned region);
