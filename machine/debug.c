/* SPDX-License-Identifier: MIT */
/* Breakpoints, watchpoints, memory. */
#include "machine/debug.h"

#include <stdlib.h>
#include <string.h>

#include "machine/board.h"

enum { BREAKS_MAX = 256, WATCHES_MAX = 4, WATCH_FIRST = MMU_WATCH_DEBUGGER, WATCH_LEN_MAX = 4096 };

struct watch {
    enum pc_debug_kind kind;
    u32 at;
    unsigned len; /* 0: free */
};

struct pc_debugger {
    struct pc *pc;
    u32 at[BREAKS_MAX];
    unsigned breaks;
    struct watch watch[WATCHES_MAX];
    u64 pass; /* breakpoints at this count are not hit, if it is set */
    bool passes;
    enum pc_debug_mode mode;
    u64 until;
    u64 began; /* count before the block that is executed */
    struct pc_debug_hit last;
};

static struct clock *clock_of(const struct pc_debugger *d)
{
    return &d->pc->clock;
}

/* --- what the CPU asks --- */

static bool on_breaks(void *ctx, lin_addr lin, unsigned len)
{
    struct pc_debugger *d = ctx;

    if (len == 1)
        d->began = clock_retired(clock_of(d));
    for (unsigned i = 0; i < d->breaks; i++) {
        if (d->at[i] - (u32)lin < len)
            return true;
    }
    return false;
}

/* True: the machine is to stop. */
static bool note(struct pc_debugger *d, enum pc_debug_kind kind, u32 at)
{
    bool stops = d->mode == PC_DEBUG_STOP;

    if (!stops && d->began >= d->until)
        return false;
    d->last = (struct pc_debug_hit){true, kind, at, d->began, clock_retired(clock_of(d))};
    if (stops)
        pc_request_stop(d->pc, PC_STOP_DEBUG);
    return stops;
}

static bool on_hit(void *ctx)
{
    struct pc_debugger *d = ctx;
    const struct cpu *cpu = d->pc->cpu[0];

    if (d->passes && d->pass == d->began)
        return false;
    return note(d, PC_DEBUG_BREAK, (u32)(cpu->seg[SEG_CS].base + cpu->rip));
}

static void on_done(void *ctx)
{
    struct pc_debugger *d = ctx;
    struct mmu_view *view = mmu_view(d->pc->cpu[0]->mmu);
    u32 hits = view->watch_hits >> WATCH_FIRST;

    view->watch_hits &= BIT(WATCH_FIRST) - 1;
    for (unsigned i = 0; i < WATCHES_MAX; i++) {
        if (hits & BIT(i)) {
            bool stops = note(d, d->watch[i].kind, d->watch[i].at);
            (void)stops;
            return;
        }
    }
}

/* Tell the CPU what there is. */
static void update(struct pc_debugger *d)
{
    struct cpu *cpu = d->pc->cpu[0];
    struct cpu_probe probe = {.breaks = NULL};
    bool watches = false;

    for (unsigned i = 0; i < WATCHES_MAX; i++) {
        const struct watch *w = &d->watch[i];
        mmu_set_watch(cpu->mmu, WATCH_FIRST + i, w->at, w->len, w->kind == PC_DEBUG_ACCESS);
        watches |= w->len != 0;
    }
    mmu_view(cpu->mmu)->watch_hits = 0;
    if ((d->breaks || watches) && d->mode != PC_DEBUG_IGNORE)
        probe = (struct cpu_probe){on_breaks, on_hit, watches ? on_done : NULL,
                                   d->mode == PC_DEBUG_NOTE_EACH, d};
    cpu_set_probe(cpu, &probe);
}

/* --- from the debugger --- */

enum status pc_debug_open(struct pc *pc)
{
    if (pc->check)
        return STATUS_UNSUPPORTED;
    pc->debugger = calloc(1, sizeof(*pc->debugger));
    if (!pc->debugger)
        return STATUS_NO_MEMORY;
    pc->debugger->pc = pc;
    return STATUS_OK;
}

static unsigned find_break(const struct pc_debugger *d, u32 at)
{
    unsigned i = 0;

    while (i < d->breaks && d->at[i] != at)
        i++;
    return i;
}

static bool insert_watch(struct pc_debugger *d, enum pc_debug_kind kind, u32 at, unsigned len)
{
    struct watch *slot = NULL;

    for (unsigned i = 0; i < WATCHES_MAX; i++) {
        struct watch *w = &d->watch[i];
        if (w->len && w->at == at && w->kind == kind)
            slot = w;
        else if (!w->len && !slot)
            slot = w;
    }
    if (slot)
        *slot = (struct watch){kind, at, len};
    return slot;
}

bool pc_debug_insert(struct pc *pc, enum pc_debug_kind kind, u32 at, unsigned len)
{
    struct pc_debugger *d = pc->debugger;
    bool ok = true;

    if (kind == PC_DEBUG_BREAK) {
        unsigned i = find_break(d, at);
        ok = i < BREAKS_MAX;
        if (ok && i == d->breaks)
            d->at[d->breaks++] = at;
    } else {
        ok = len >= 1 && len <= WATCH_LEN_MAX && insert_watch(d, kind, at, len);
    }
    update(d);
    return ok;
}

void pc_debug_remove(struct pc *pc, enum pc_debug_kind kind, u32 at)
{
    struct pc_debugger *d = pc->debugger;

    if (kind == PC_DEBUG_BREAK) {
        unsigned i = find_break(d, at);
        if (i < d->breaks)
            d->at[i] = d->at[--d->breaks];
    }
    for (unsigned i = 0; i < WATCHES_MAX; i++) {
        struct watch *w = &d->watch[i];
        if (kind != PC_DEBUG_BREAK && w->at == at && w->kind == kind)
            w->len = 0;
    }
    update(d);
}

void pc_debug_remove_all(struct pc *pc)
{
    struct pc_debugger *d = pc->debugger;

    d->breaks = 0;
    memset(d->watch, 0, sizeof(d->watch));
    update(d);
}

void pc_debug_resume(struct pc *pc)
{
    struct pc_debugger *d = pc->debugger;

    d->passes = true;
    d->pass = clock_retired(clock_of(d));
    d->last = (struct pc_debug_hit){.hit = false};
}

void pc_debug_set_mode(struct pc *pc, enum pc_debug_mode mode, u64 until)
{
    struct pc_debugger *d = pc->debugger;

    d->mode = mode;
    d->until = until;
    d->passes = false;
    d->last = (struct pc_debug_hit){.hit = false};
    update(d);
}

struct pc_debug_hit pc_debug_last(const struct pc *pc)
{
    return pc->debugger->last;
}

void pc_debug_set_last(struct pc *pc, struct pc_debug_hit hit)
{
    pc->debugger->last = hit;
}

/* --- memory --- */

/* Physical address and length of what lies in one page; false: not there, or a device, of which
 * reading can change the state. */
static bool plain(struct pc *pc, u32 at, size_t len, phys_addr *phys, size_t *n)
{
    *n = PAGE_SIZE - (at & (PAGE_SIZE - 1));
    if (*n > len)
        *n = len;
    if (!mmu_peek(pc->cpu[0]->mmu, at, phys))
        return false;
    *phys = physmem_mask(pc->physmem, *phys);
    return physmem_page(pc->physmem, *phys)->host;
}

size_t pc_debug_read(struct pc *pc, u32 at, u8 *to, size_t len)
{
    size_t done = 0, n;
    phys_addr phys;

    while (done < len && plain(pc, at + (u32)done, len - done, &phys, &n)) {
        physmem_read(pc->physmem, phys, to + done, n);
        done += n;
    }
    return done;
}

size_t pc_debug_read_physical(struct pc *pc, u64 at, u8 *to, size_t len)
{
    size_t done = 0;

    while (done < len && (at + done) >> PHYS_BITS == 0) {
        phys_addr phys = at + done;
        size_t n = PAGE_SIZE - (phys & (PAGE_SIZE - 1));
        n = n < len - done ? n : len - done;
        if (!physmem_page(pc->physmem, phys)->host)
            break;
        physmem_read(pc->physmem, phys, to + done, n);
        done += n;
    }
    return done;
}

size_t pc_debug_write(struct pc *pc, u32 at, const u8 *from, size_t len)
{
    size_t done = 0, n;
    phys_addr phys;

    while (done < len && plain(pc, at + (u32)done, len - done, &phys, &n)) {
        physmem_write(pc->physmem, phys, from + done, n);
        done += n;
    }
    return done;
}
