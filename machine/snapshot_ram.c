/* SPDX-License-Identifier: MIT */
/*
 * The guest's RAM in a snapshot: a bit for each page that is not all zeros, and these pages, 4 MB
 * of RAM in a section. Nearly all of the time that a load takes is spent here: the sections are
 * unpacked by several threads, right where their pages belong in fresh memory, which then takes the
 * place of the RAM that was there.
 */
#define _GNU_SOURCE /* mremap */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine/snapshot_private.h"

enum {
    PART_PAGES = SNAPSHOT_RAM_PART / PAGE_SIZE,
    LARGE = 2 << 20, /* a large page of the host's */
    THREADS_MAX = 4,
};

size_t snapshot_ram_map_size(const struct pc *pc)
{
    return ((size_t)pc->ram_bytes / PAGE_SIZE + 7) / 8;
}

unsigned snapshot_ram_parts(const struct pc *pc)
{
    return (unsigned)((pc->ram_bytes + SNAPSHOT_RAM_PART - 1) / SNAPSHOT_RAM_PART);
}

bool snapshot_is_ram(const char *name)
{
    return strncmp(name, "ram ", 4) == 0;
}

/* Pages in part @n. */
static unsigned pages_of(const struct pc *pc, unsigned n)
{
    size_t left = (size_t)pc->ram_bytes / PAGE_SIZE - (size_t)n * PART_PAGES;

    return left < PART_PAGES ? (unsigned)left : PART_PAGES;
}

static bool has(const u8 *map, size_t page)
{
    return map[page / 8] & BIT(page % 8);
}

/* --- saving --- */

static bool is_zero(const u8 *page)
{
    return page[0] == 0 && memcmp(page, page + 1, PAGE_SIZE - 1) == 0;
}

void snapshot_ram_put(struct snapfile *f, const struct pc *pc)
{
    const u8 *ram = physmem_ram(pc->physmem);
    size_t size = snapshot_ram_map_size(pc);
    char name[SNAPFILE_NAME_MAX];
    u8 *map = calloc(1, size);

    if (!map) {
        f->no_memory = true;
        return;
    }
    for (size_t i = 0; i < (size_t)pc->ram_bytes / PAGE_SIZE; i++) {
        if (!is_zero(ram + i * PAGE_SIZE))
            map[i / 8] |= (u8)BIT(i % 8);
    }
    snapfile_begin(f, SNAPSHOT_RAM_MAP, 1);
    snapfile_put(f, map, size);
    for (unsigned n = 0; n < snapshot_ram_parts(pc); n++) {
        size_t first = (size_t)n * PART_PAGES, set = 0;
        for (unsigned k = 0; k < pages_of(pc, n); k++)
            set += has(map, first + k);
        snapshot_ram_name(name, n);
        snapfile_begin(f, name, 2);
        snapfile_reserve(f, set * PAGE_SIZE);
        for (unsigned k = 0; k < pages_of(pc, n); k++) {
            if (has(map, first + k))
                snapfile_put(f, ram + (first + k) * PAGE_SIZE, PAGE_SIZE);
        }
    }
    free(map);
}

/* --- unpacking --- */

/* What the threads share. */
struct unpacking {
    const struct pc *pc;
    const struct snapfile *f;
    const u8 *map;
    u8 *ram;
    atomic_uint next;   /* the part that nobody has begun with */
    atomic_uint status; /* the last one that is not STATUS_OK  */
};

/* The pages of a part stand side by side at its begin: each to its place, from the last on. */
static void spread(u8 *part, const u8 *map, unsigned pages, unsigned set)
{
    unsigned from = set;

    for (unsigned k = pages; k-- > 0;) {
        u8 *to = part + (size_t)k * PAGE_SIZE;
        if (!has(map, k)) {
            if (k < set) /* one stood here */
                memset(to, 0, PAGE_SIZE);
        } else if (--from != k) {
            memcpy(to, part + (size_t)from * PAGE_SIZE, PAGE_SIZE);
        }
    }
}

static void *unpack(void *ctx)
{
    struct unpacking *u = ctx;
    struct snapfile_buffer buffer = {0};
    char name[SNAPFILE_NAME_MAX];
    unsigned n;

    while ((n = atomic_fetch_add(&u->next, 1)) < snapshot_ram_parts(u->pc)) {
        u8 *part = u->ram + n * SNAPSHOT_RAM_PART;
        snapshot_ram_name(name, n);
        const struct snapfile_section *s = snapfile_find(u->f, name);
        enum status status = snapfile_unpack_to(u->f, s, part, &buffer);
        if (status != STATUS_OK) {
            atomic_store(&u->status, status);
            break;
        }
        spread(part, u->map + (size_t)n * PART_PAGES / 8, pages_of(u->pc, n),
               (unsigned)(s->len / PAGE_SIZE));
    }
    free(buffer.bytes);
    return NULL;
}

static enum status unpack_all(struct unpacking *u)
{
    pthread_t thread[THREADS_MAX];
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned n = 0;

    while (n + 1 < THREADS_MAX && n + 1 < cpus && n + 1 < snapshot_ram_parts(u->pc) &&
           pthread_create(&thread[n], NULL, unpack, u) == 0)
        n++;
    unpack(u); /* this one helps, or does it alone */
    while (n > 0)
        pthread_join(thread[--n], NULL);
    return (enum status)atomic_load(&u->status);
}

/* Fresh memory. It lies in large pages as the RAM does, so that it can take its place as a whole.
 */
static bool make_memory(struct snapshot_ram *r, const struct pc *pc)
{
    size_t offset = (size_t)((uintptr_t)physmem_ram(pc->physmem) % LARGE);

    r->bytes = (size_t)pc->ram_bytes + 2 * LARGE;
    r->mapping = mmap(NULL, r->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (r->mapping == MAP_FAILED) {
        r->mapping = NULL;
        return false;
    }
    size_t skip = (LARGE - (size_t)((uintptr_t)r->mapping % LARGE)) % LARGE + offset;
    r->mem = r->mapping + skip;
#ifdef MADV_HUGEPAGE
    (void)madvise(r->mem, (size_t)pc->ram_bytes, MADV_HUGEPAGE); /* or not: it is only faster */
#endif
    return true;
}

static enum status damaged(const char *name, char error[PC_ERROR_MAX])
{
    snprintf(error, PC_ERROR_MAX, "the snapshot's section '%.40s' is damaged", name);
    return STATUS_BAD_VALUE;
}

/* Each part has as many pages as the map says. */
static enum status check(const struct pc *pc, const struct snapfile *f, const u8 *map,
                         char error[PC_ERROR_MAX])
{
    char name[SNAPFILE_NAME_MAX];
    size_t pages = (size_t)pc->ram_bytes / PAGE_SIZE;

    for (size_t k = pages; k < snapshot_ram_map_size(pc) * 8; k++) {
        if (has(map, k))
            return damaged(SNAPSHOT_RAM_MAP, error);
    }
    for (unsigned n = 0; n < snapshot_ram_parts(pc); n++) {
        size_t set = 0;
        for (unsigned k = 0; k < pages_of(pc, n); k++)
            set += has(map, (size_t)n * PART_PAGES + k);
        snapshot_ram_name(name, n);
        if (snapfile_find(f, name)->len != set * PAGE_SIZE)
            return damaged(name, error);
    }
    return STATUS_OK;
}

enum status snapshot_ram_stage(struct snapshot_ram *r, const struct pc *pc, struct snapfile *f,
                               char error[PC_ERROR_MAX])
{
    const u8 *map = snapfile_find(f, SNAPSHOT_RAM_MAP)->bytes;
    enum status s = check(pc, f, map, error);

    if (s != STATUS_OK || !f->in_file)
        return s;
    if (!make_memory(r, pc)) {
        snprintf(error, PC_ERROR_MAX, "the host has no memory for the snapshot");
        return STATUS_NO_MEMORY;
    }
    struct unpacking u = {.pc = pc, .f = f, .map = map, .ram = r->mem};
    s = unpack_all(&u);
    if (s != STATUS_OK && s != STATUS_NO_MEMORY)
        snprintf(error, PC_ERROR_MAX, "the snapshot's sections of RAM are damaged");
    return s;
}

/* --- putting it into place --- */

void snapshot_ram_unstage(struct snapshot_ram *r)
{
    if (r->mapping)
        munmap(r->mapping, r->bytes);
    *r = (struct snapshot_ram){0};
}

/* The memory itself moves, if the host can do that. */
static void move(struct snapshot_ram *r, struct pc *pc)
{
    u8 *ram = physmem_ram(pc->physmem);
    size_t size = (size_t)pc->ram_bytes;

#ifdef MREMAP_FIXED
    if (mremap(r->mem, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, ram) == ram)
        return;
    /* It may have taken the old memory away; an address that is in use gets memory again. */
    if (mmap(ram, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
        ram)
        abort(); /* half of a machine is left: the host gave as much memory a moment ago */
#endif
    memcpy(ram, r->mem, size);
}

/* From sections that have their bytes. */
static void copy(struct pc *pc, const struct snapfile *f)
{
    const u8 *map = snapfile_find(f, SNAPSHOT_RAM_MAP)->bytes;
    char name[SNAPFILE_NAME_MAX];

    for (unsigned n = 0; n < snapshot_ram_parts(pc); n++) {
        u8 *to = physmem_ram(pc->physmem) + n * SNAPSHOT_RAM_PART;
        snapshot_ram_name(name, n);
        const u8 *from = snapfile_find(f, name)->bytes;
        for (unsigned k = 0; k < pages_of(pc, n); k++, to += PAGE_SIZE) {
            if (has(map, (size_t)n * PART_PAGES + k)) {
                memcpy(to, from, PAGE_SIZE);
                from += PAGE_SIZE;
            } else if (!is_zero(to)) {
                memset(to, 0, PAGE_SIZE); /* a page that the guest never touched stays so */
            }
        }
    }
}

void snapshot_ram_commit(struct snapshot_ram *r, struct pc *pc, const struct snapfile *f)
{
    if (r->mem)
        move(r, pc);
    else
        copy(pc, f);
    snapshot_ram_unstage(r);
}
