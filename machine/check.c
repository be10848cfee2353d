/* SPDX-License-Identifier: MIT */
#include "machine/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/icache.h"
#include "cpu/interp.h"
#include "machine/check_private.h"

#define WHOLE_EVERY BIT64(24)

enum { RANDOM_MUL = 1664525, RANDOM_ADD = 1013904223, NAME_SIZE = 200, WHAT_SIZE = 400 };

/* --- how long a step is --- */

/*
 * Instructions beyond the block that a step begins with. Half of the steps are one block, so that a
 * difference is found where it arises; the others are chains, so that links are followed, too.
 */
static u32 next_chain(struct check *c)
{
    c->random = c->random * RANDOM_MUL + RANDOM_ADD;
    u32 r = c->random >> 8;

    if (c->from >= c->each_from)
        return 0;
    switch (r & 7) {
    case 0:
    case 1:
        return r >> 3 & 31;
    case 2:
        return r >> 3 & 127;
    case 3:
        return (r >> 3 & 7) == 0 ? r >> 6 & 4095 : r >> 6 & 31;
    default:
        return 0;
    }
}

/* The engine of the machine that translates: the step ends soon. */
static void run_step(void *ctx, struct block *b)
{
    struct check *c = ctx;

    if (!c->entered) {
        c->entered = true;
        clock_limit(&c->pc->clock, (i64)b->count + next_chain(c));
    }
    c->translator.run(c->translator.ctx, b);
}

/* The engine of the one that does not: only the way is noted. */
static void run_twin(void *ctx, struct block *b)
{
    struct check *c = ctx;
    struct cpu *cpu = c->twin->cpu[0];

    c->path[c->path_count++ % CHECK_PATH] = (struct check_block){b->key, (u32)cpu->rip};
    cpu_interpret_block(cpu, b);
}

/* --- ports and devices --- */

static void note_access(void *ctx, enum pc_access kind, u64 at, u64 val, unsigned size)
{
    struct check *c = ctx;

    if (c->accesses == c->room) {
        size_t room = c->room ? c->room * 2 : 256;
        struct check_access *p = realloc(c->access, room * sizeof(*p));
        if (!p)
            return; /* the twin will be seen to stray */
        c->access = p;
        c->room = room;
    }
    c->access[c->accesses++] =
        (struct check_access){(u8)kind, (u8)size, at, val, clock_retired(&c->pc->clock)};
}

static void compare_access(void *ctx, enum pc_access kind, u64 at, u64 val, unsigned size)
{
    struct check *c = ctx;
    u64 retired = clock_retired(&c->twin->clock);

    if (c->strayed)
        return;
    if (c->seen < c->accesses) {
        const struct check_access *a = &c->access[c->seen];
        if (a->kind == kind && a->size == size && a->at == at && a->val == val &&
            a->retired == retired) {
            c->seen++;
            return;
        }
    }
    c->strayed = true;
    c->other = (struct check_access){(u8)kind, (u8)size, at, val, retired};
}

static void on_mmio(void *ctx, bool write, phys_addr at, u64 val, unsigned size)
{
    const struct pc_tap *tap = ctx;

    tap->fn(tap->ctx, write ? PC_ACCESS_WRITE : PC_ACCESS_READ, at, val, size);
}

static void tap(struct check *c, struct pc *pc, pc_tap_fn *fn)
{
    pc->tap = (struct pc_tap){fn, c};
    physmem_on_mmio(pc->physmem, on_mmio, &pc->tap);
}

/* --- comparing --- */

/* True if it is so; otherwise a report is made. */
static bool must_equal(struct check *c, const char *name, u64 ours, u64 twin)
{
    char what[WHAT_SIZE];

    if (ours == twin)
        return true;
    snprintf(what, sizeof(what), "%.199s: %llx (%llu) translated, %llx (%llu) interpreted", name,
             (unsigned long long)ours, (unsigned long long)ours, (unsigned long long)twin,
             (unsigned long long)twin);
    check_tell(c, what);
    return false;
}

static bool same_fields(struct check *c, const char *name, const struct field *table,
                        const void *ours, const void *twin)
{
    struct field_difference d;
    char path[NAME_SIZE];

    if (!fields_differ(table, ours, twin, &d))
        return true;
    snprintf(path, sizeof(path), "%s: %s", name, d.name);
    return must_equal(c, path, d.value[0], d.value[1]);
}

static bool same_accesses(struct check *c)
{
    if (!c->strayed && c->seen == c->accesses)
        return true;
    check_tell(c, "ports and devices were not asked the same");
    return false;
}

static bool same_cpu(struct check *c)
{
    struct cpu *ours = c->pc->cpu[0], *twin = c->twin->cpu[0];

    if (!must_equal(c, "instructions", clock_retired(&c->pc->clock),
                    clock_retired(&c->twin->clock)))
        return false;
    cpu_canonicalize(ours);
    cpu_canonicalize(twin);
    return cpu_same(ours, twin) || same_fields(c, "cpu", cpu_fields, ours, twin);
}

static bool same_memory(struct check *c)
{
    const u8 *ours = physmem_ram(c->pc->physmem), *twin = physmem_ram(c->twin->physmem);
    size_t size = physmem_ram_size(c->pc->physmem), at = 0;
    char name[64];

    if (memcmp(ours, twin, size) == 0)
        return true;
    while (ours[at] == twin[at])
        at++;
    snprintf(name, sizeof(name), "memory at %08zx", at);
    return must_equal(c, name, ours[at], twin[at]);
}

static bool same_clock(struct check *c)
{
    const struct clock *ours = &c->pc->clock, *twin = &c->twin->clock;

    if (!must_equal(c, "time", clock_now(ours), clock_now(twin)))
        return false;
    for (unsigned i = 0; i < ours->timer_count; i++) {
        char name[96];
        snprintf(name, sizeof(name), "deadline of %s", ours->timer[i].name);
        if (!must_equal(c, name, ours->timer[i].deadline, twin->timer[i].deadline))
            return false;
    }
    return true;
}

static bool same_whole(struct check *c)
{
    struct pc *ours = c->pc, *twin = c->twin;

    c->wholes++;
    for (unsigned i = 0; i < ours->chips; i++) {
        const struct device_class *class = ours->chip[i].class;
        if (!same_fields(c, class->name, class->fields, ours->chip[i].dev, twin->chip[i].dev))
            return false;
    }
    for (unsigned i = 0; i < DRIVE_COUNT; i++) {
        if (ours->disk[i] && !must_equal(c, "hash of what was written to a disk",
                                         block_hash(ours->disk[i]), block_hash(twin->disk[i])))
            return false;
    }
    return same_clock(c) && same_memory(c);
}

/* --- a step --- */

enum cpu_exit check_slice(struct check *c, u64 cap)
{
    struct clock *ours = &c->pc->clock, *twin = &c->twin->clock;

    c->steps++;
    c->from = clock_retired(ours);
    c->entered = c->strayed = false;
    c->accesses = c->seen = 0;
    c->path_count = 0;
    clock_begin(ours, cap);
    enum cpu_exit exit = cpu_run(c->pc->cpu[0]);
    clock_begin(twin, clock_retired(ours) - c->from);
    /* Halted or not, it has to be where the other is: that is compared. */
    enum cpu_exit ignored = cpu_run(c->twin->cpu[0]);
    (void)ignored;
    if (!same_cpu(c) || !same_accesses(c))
        return exit;
    if (clock_retired(ours) >= c->whole_at) {
        c->whole_at = clock_retired(ours) + WHOLE_EVERY;
        (void)same_whole(c);
    } else if (c->from >= c->each_from) {
        (void)same_memory(c);
    }
    return exit;
}

bool check_settle(struct check *c, enum cpu_exit exit, u64 host_ns, bool on, enum pc_stop stop)
{
    struct pc *ours = c->pc, *twin = c->twin;
    enum pc_stop twin_stop = stop;

    if (c->report)
        return false;
    bool twin_on = pc_settle(twin, exit, host_ns, &twin_stop);
    bool ends = ours->stopping || (!on && stop != PC_STOP_IDLE);
    bool same = same_accesses(c) && must_equal(c, "going on", on, twin_on) &&
                must_equal(c, "reason to stop", stop, twin_stop) &&
                must_equal(c, "stopping", ours->stopping, twin->stopping) &&
                (!ours->stopping || must_equal(c, "end", ours->stop, twin->stop)) &&
                must_equal(c, "exit status", (u64)ours->exit_status, (u64)twin->exit_status) &&
                (!ends || same_whole(c));
    twin->stopping = false;
    return same;
}

const char *check_report(const struct check *c)
{
    return c->report ? c->report : "";
}

/* --- life --- */

static void swallow(void *ctx, u8 byte)
{
    (void)ctx;
    (void)byte;
}

static void swallow_frame(void *ctx, const u8 *frame, size_t len)
{
    (void)ctx;
    (void)frame;
    (void)len;
}

/* Somebody listens to the twin where somebody listens to the other, but what it says is known. */
static struct pc_host twin_host(const struct pc_host *host)
{
    struct pc_host h = *host;

    for (unsigned i = 0; i < PC_SERIALS; i++)
        h.serial[i] = (struct pc_output){host->serial[i].put ? swallow : NULL, NULL};
    for (unsigned i = 0; i < PC_NICS; i++)
        h.nic[i] = (struct pc_wire){host->nic[i].send ? swallow_frame : NULL, NULL};
    h.sound = (struct pc_sound){NULL, NULL};
    h.debugcon = (struct pc_output){host->debugcon.put ? swallow : NULL, NULL};
    return h;
}

/* Two machines cannot write one image. */
static enum status check_drives(const struct pc *pc, char error[PC_ERROR_MAX])
{
    for (unsigned i = 0; i < DRIVE_COUNT; i++) {
        const struct drive *d = &pc->drive[i];
        if (!pc->disk[i] || !*d->path || d->snapshot || block_read_only(pc->disk[i]))
            continue;
        snprintf(error, PC_ERROR_MAX,
                 "-jit check: two machines cannot write '%.200s'; add -snapshot", d->path);
        return STATUS_BAD_VALUE;
    }
    return STATUS_OK;
}

enum status check_create(struct check **out, struct pc *pc, char error[PC_ERROR_MAX])
{
    enum status s = check_drives(pc, error);
    struct check *c;

    if (s != STATUS_OK)
        return s;
    c = calloc(1, sizeof(*c));
    if (!c)
        return STATUS_NO_MEMORY;
    struct pc_host host = twin_host(&pc->host);
    s = pc_create_twin(&c->twin, pc->cfg, &host, error);
    if (s != STATUS_OK) {
        free(c);
        return s;
    }
    c->pc = pc;
    c->translator = pc->cpu[0]->engine;
    c->whole_at = WHOLE_EVERY;
    c->each_from =
        pc->cfg->value[CONFIG_check_from].set ? config_num(pc->cfg, CONFIG_check_from) : UINT64_MAX;
    pc->cpu[0]->engine = (struct cpu_engine){run_step, c};
    c->twin->cpu[0]->engine = (struct cpu_engine){run_twin, c};
    tap(c, pc, note_access);
    tap(c, c->twin, compare_access);
    pc->twin = c->twin;
    *out = c;
    return STATUS_OK;
}

void check_destroy(struct check *c)
{
    if (!c)
        return;
    pc_destroy(c->twin);
    free(c->access);
    free(c->report);
    free(c);
}
