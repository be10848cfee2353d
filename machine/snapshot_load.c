/* SPDX-License-Identifier: MIT */
/*
 * Loading a snapshot: first everything is looked at and what needs memory is kept aside, in
 * prepare(); then it is put into place, in commit(), which cannot fail.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "cpu/cpu.h"
#include "machine/snapshot_private.h"

enum { SMALL_SECTION_MAX = 1 << 20, CPU_ALIGN = 64 };

#define TIME_MAX  BIT64(56) /* instructions, and ns */
#define RATIO_END BIT64(48)
#define SLICE_END BIT64(40)
#define LATE_MAX  BIT64(30) /* ns that a timer can be overdue: it fires at the end of its slice */

/* One machine that loads a snapshot. */
struct loading {
    struct pc *pc;
    struct snapfile *f;
    char *error; /* PC_ERROR_MAX */
    struct snapshot_board board;
    struct snapshot_clock clock;
    struct snapshot_drive drive[DRIVE_COUNT];
    struct block *medium[DRIVE_COUNT]; /* owned until the commit: opened for this */
    bool swap[DRIVE_COUNT];            /* medium goes into the drive */
    struct snapshot_ram ram;
};

static enum status refuse(struct loading *l, enum status s, const char *fmt, ...) PRINTF_LIKE(3, 4);

static enum status refuse(struct loading *l, enum status s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(l->error, PC_ERROR_MAX, fmt, ap);
    va_end(ap);
    return s;
}

static enum status damaged(struct loading *l, const char *name)
{
    return refuse(l, STATUS_BAD_VALUE, "the snapshot's section '%.40s' is damaged", name);
}

/* --- which sections there are --- */

/* Section @name must be there, in @version, with @min to @max bytes. */
static enum status expect(struct loading *l, const char *name, u32 version, size_t min, size_t max)
{
    const struct snapfile_section *s = snapfile_find(l->f, name);

    if (!s)
        return refuse(l, STATUS_NOT_FOUND, "the snapshot is of a machine without '%.40s'", name);
    if (s->version != version)
        return refuse(l, STATUS_UNSUPPORTED,
                      "the snapshot's section '%.40s' has version %u, of %s turbo86; this one "
                      "knows version %u",
                      name, s->version, s->version > version ? "a newer" : "an older", version);
    return s->len >= min && s->len <= max ? STATUS_OK : damaged(l, name);
}

static enum status expect_cpus(struct loading *l, unsigned *count)
{
    char name[SNAPFILE_NAME_MAX];
    enum status s = STATUS_OK;

    for (unsigned i = 0; s == STATUS_OK && i < l->pc->cpus; i++, ++*count) {
        size_t size = fields_size(cpu_fields, l->pc->cpu[i]);
        snapshot_cpu_name(name, i);
        s = expect(l, name, 1, size, size);
    }
    for (unsigned i = 0; s == STATUS_OK && i < l->pc->chips; i++, ++*count) {
        const struct device_class *class = l->pc->chip[i].class;
        size_t size = fields_size(class->fields, l->pc->chip[i].dev);
        snapshot_chip_name(name, i, class);
        s = expect(l, name, class->version, size, size);
    }
    return s;
}

static enum status expect_storage(struct loading *l, unsigned *count)
{
    size_t map = snapshot_ram_map_size(l->pc);
    size_t drives = DRIVE_COUNT * fields_size(snapshot_drive_fields, &l->drive[0]);
    char name[SNAPFILE_NAME_MAX];
    enum status s = expect(l, "drives", 1, drives, drives);

    ++*count;
    for (unsigned i = 0; s == STATUS_OK && i < DRIVE_COUNT; i++, ++*count) {
        snapshot_overlay_name(name, i);
        s = expect(l, name, 1, 0, SIZE_MAX / 4);
    }
    if (s == STATUS_OK)
        s = expect(l, SNAPSHOT_RAM_MAP, 1, map, map);
    ++*count;
    for (unsigned i = 0; s == STATUS_OK && i < snapshot_ram_parts(l->pc); i++, ++*count) {
        snapshot_ram_name(name, i);
        s = expect(l, name, 2, 0, SNAPSHOT_RAM_PART);
    }
    return s;
}

static enum status expect_all(struct loading *l)
{
    size_t board = fields_size(snapshot_board_fields, &l->board);
    unsigned count = 4;
    enum status s = expect(l, "board", SNAPSHOT_BOARD_VERSION, board, board);

    if (s == STATUS_OK)
        s = expect(l, "clock", 1, 1, SMALL_SECTION_MAX);
    if (s == STATUS_OK)
        s = expect(l, "typist", 1, 1, SMALL_SECTION_MAX);
    if (s == STATUS_OK)
        s = expect_cpus(l, &count);
    if (s == STATUS_OK)
        s = expect_storage(l, &count);
    if (s == STATUS_OK && l->f->count != count)
        return refuse(l, STATUS_BAD_VALUE, "the snapshot is of a machine with more chips");
    return s;
}

/* --- what they hold --- */

static const u8 *begin_of(struct loading *l, const char *name, const u8 **end)
{
    static const u8 nothing[1];
    const struct snapfile_section *s = snapfile_find(l->f, name);
    const u8 *p = s && s->bytes ? s->bytes : nothing;

    *end = p + (s && s->bytes ? s->len : 0);
    return p;
}

/* The machine's description, line by line: the first that differs is the reason. */
static enum status check_machine(struct loading *l)
{
    char ours[SNAPSHOT_MACHINE_MAX], theirs[SNAPSHOT_MACHINE_MAX] = "";
    enum status s = expect(l, "machine", 1, 1, SNAPSHOT_MACHINE_MAX - 1);

    if (s == STATUS_OK)
        s = snapfile_unpack(l->f, snapfile_find(l->f, "machine"), l->error);
    if (s != STATUS_OK)
        return s;
    const u8 *end, *p = begin_of(l, "machine", &end);
    memcpy(theirs, p, (size_t)(end - p));
    snapshot_describe(l->pc, ours);
    const char *a = theirs, *b = ours;
    while (*a && *b) {
        int n = (int)strcspn(a, "\n"), m = (int)strcspn(b, "\n");
        if (n != m || memcmp(a, b, (size_t)n) != 0)
            return refuse(l, STATUS_CONFLICT,
                          "the snapshot is of a machine with %.*s; this one has %.*s",
                          n > 120 ? 120 : n, a, m > 120 ? 120 : m, b);
        a += n + (a[n] == '\n');
        b += m + (b[m] == '\n');
    }
    return *a == *b ? STATUS_OK : damaged(l, "machine");
}

static const struct clock_timer *find_timer(const struct clock *c, const char *name)
{
    for (unsigned i = 0; i < c->timer_count; i++) {
        if (strcmp(c->timer[i].name, name) == 0 && snapshot_has_timer(&c->timer[i]))
            return &c->timer[i];
    }
    return NULL;
}

/* Whether a timer would have been overdue for long when the snapshot was taken. */
static bool is_late(const struct snapshot_clock *c, u64 deadline)
{
    u64 now = c->base_ns + (u64)(((u128)(c->retired - c->base_count) * c->ratio) >> 32);

    return deadline < now && now - deadline > LATE_MAX;
}

static enum status check_clock(struct loading *l)
{
    const struct snapshot_clock *c = &l->clock;
    const u8 *end, *p = begin_of(l, "clock", &end);
    unsigned ours = 0;

    if (fields_load(snapshot_clock_fields, &l->clock, &p, end) != STATUS_OK || !c->ratio ||
        c->ratio >= RATIO_END || c->retired >= TIME_MAX || c->base_ns >= TIME_MAX ||
        c->base_count > c->retired || c->retired - c->base_count >= SLICE_END)
        return damaged(l, "clock");
    for (unsigned i = 0; i < l->pc->clock.timer_count; i++)
        ours += snapshot_has_timer(&l->pc->clock.timer[i]);
    if (ours != c->timers)
        return refuse(l, STATUS_CONFLICT, "the snapshot is of a machine with other timers");
    for (u32 i = 0; i < c->timers; i++) {
        const u8 *nul = memchr(p, 0, (size_t)(end - p));
        /* A clock that was moved would have the chips make up for centuries. */
        if (!nul || end - nul < 9 || is_late(c, load_le(nul + 1, 8)))
            return damaged(l, "clock");
        if (!find_timer(&l->pc->clock, (const char *)p))
            return refuse(l, STATUS_CONFLICT,
                          "the snapshot is of a machine with a timer '%.40s', which this one lacks",
                          (const char *)p);
        p = nul + 9;
    }
    return p == end ? STATUS_OK : damaged(l, "clock");
}

static enum status check_cpu(struct loading *l, unsigned n)
{
    char name[SNAPFILE_NAME_MAX];
    size_t size = (sizeof(struct cpu) + CPU_ALIGN - 1) / CPU_ALIGN * CPU_ALIGN;
    struct cpu *copy = aligned_alloc(CPU_ALIGN, size);
    const u8 *end, *p;

    if (!copy)
        return STATUS_NO_MEMORY;
    snapshot_cpu_name(name, n);
    p = begin_of(l, name, &end);
    memcpy(copy, l->pc->cpu[n], sizeof(*copy));
    bool ok = fields_valid(cpu_fields, copy, p, end) &&
              fields_load(cpu_fields, copy, &p, end) == STATUS_OK && cpu_state_valid(copy);
    free(copy);
    return ok ? STATUS_OK : damaged(l, name);
}

static enum status check_chips(struct loading *l)
{
    char name[SNAPFILE_NAME_MAX];
    enum status s = STATUS_OK;
    const u8 *end, *p;

    for (unsigned i = 0; s == STATUS_OK && i < l->pc->cpus; i++)
        s = check_cpu(l, i);
    for (unsigned i = 0; s == STATUS_OK && i < l->pc->chips; i++) {
        const struct pc_chip *chip = &l->pc->chip[i];
        snapshot_chip_name(name, i, chip->class);
        p = begin_of(l, name, &end);
        if (!fields_valid(chip->class->fields, chip->dev, p, end))
            return damaged(l, name);
    }
    return s;
}

/* --- disks --- */

/* The medium that was in drive @n is not in it now: fetch it. */
static enum status fetch_medium(struct loading *l, unsigned n)
{
    const struct snapshot_drive *d = &l->drive[n];
    char error[BLOCK_ERR_SIZE] = "";
    struct drive drive = l->pc->drive[n];
    u64 identity;

    l->swap[n] = true;
    if (!d->medium)
        return STATUS_OK;
    snprintf(drive.path, sizeof(drive.path), "%s", (const char *)d->path);
    enum status s = pc_open_image(&l->medium[n], &drive, n, error);
    if (s != STATUS_OK)
        return refuse(l, s, "the snapshot needs a medium in drive %u: %.300s", n, error);
    s = block_identity(l->medium[n], &identity);
    if (s == STATUS_OK && identity != d->identity)
        return refuse(l, STATUS_CONFLICT, "'%.250s' is not what it was when the snapshot was made",
                      drive.path);
    return s;
}

static enum status check_drive(struct loading *l, unsigned n)
{
    const struct snapshot_drive *d = &l->drive[n];
    struct snapshot_drive ours;
    enum status s = snapshot_describe_drive(l->pc, n, &ours);

    if (s != STATUS_OK)
        return refuse(l, s, "the image of disk %u cannot be read", n);
    if (d->path[SNAPSHOT_PATH - 1])
        return damaged(l, "drives");
    if (d->present != ours.present || d->cdrom != ours.cdrom)
        return refuse(l, STATUS_CONFLICT, "the snapshot is of a machine %s drive %u",
                      d->present ? "with another" : "without", n);
    if (d->medium == ours.medium && d->sectors == ours.sectors && d->identity == ours.identity)
        return STATUS_OK;
    if (d->cdrom || drive_is_floppy(n))
        return fetch_medium(l, n);
    return refuse(l, STATUS_CONFLICT,
                  "disk %u is not what it was when the snapshot was made, of '%.200s'", n,
                  (const char *)d->path);
}

static enum status check_disks(struct loading *l)
{
    char name[SNAPFILE_NAME_MAX];
    const u8 *end, *p = begin_of(l, "drives", &end);
    enum status s = STATUS_OK;

    for (unsigned i = 0; s == STATUS_OK && i < DRIVE_COUNT; i++) {
        size_t size = fields_size(snapshot_drive_fields, &l->drive[i]);
        if (!fields_valid(snapshot_drive_fields, &l->drive[i], p, p + size))
            return damaged(l, "drives");
        s = fields_load(snapshot_drive_fields, &l->drive[i], &p, end);
        if (s == STATUS_OK)
            s = check_drive(l, i);
    }
    for (unsigned i = 0; s == STATUS_OK && i < DRIVE_COUNT; i++) {
        struct block *b = l->swap[i] ? l->medium[i] : l->pc->disk[i];
        snapshot_overlay_name(name, i);
        p = begin_of(l, name, &end);
        s = b ? block_stage(b, p, end) : p == end ? STATUS_OK : damaged(l, name);
        if (s == STATUS_BAD_VALUE && b && !block_overlaid(b))
            return refuse(l, s, "the snapshot has what was written to disk %u: add -snapshot", i);
        if (s == STATUS_BAD_VALUE || s == STATUS_BAD_SIZE)
            return damaged(l, name);
    }
    return s;
}

/* Look at everything; nothing of the machine changes. */
static enum status prepare(struct loading *l)
{
    if (snapfile_find(l->f, JOURNAL_SECTION))
        return refuse(l, STATUS_BAD_FORMAT,
                      "this is a recording and no snapshot: --replay takes it");
    enum status s = check_machine(l);
    if (s == STATUS_OK)
        s = expect_all(l);
    for (unsigned i = 0; s == STATUS_OK && i < l->f->count; i++) {
        if (!snapshot_is_ram(l->f->section[i].name))
            s = snapfile_unpack(l->f, &l->f->section[i], l->error);
    }
    if (s != STATUS_OK)
        return s;
    const u8 *end, *p = begin_of(l, "board", &end);
    if (!fields_valid(snapshot_board_fields, &l->board, p, end) ||
        fields_load(snapshot_board_fields, &l->board, &p, end) != STATUS_OK)
        return damaged(l, "board");
    s = check_clock(l);
    if (s == STATUS_OK)
        s = check_chips(l);
    p = begin_of(l, "typist", &end);
    if (s == STATUS_OK)
        s = typist_stage(l->pc->typist, p, end);
    if (s == STATUS_BAD_VALUE && !*l->error)
        return damaged(l, "typist");
    if (s == STATUS_OK)
        s = check_disks(l);
    return s == STATUS_OK ? snapshot_ram_stage(&l->ram, l->pc, l->f, l->error) : s;
}

static void abandon(struct loading *l)
{
    typist_unstage(l->pc->typist);
    snapshot_ram_unstage(&l->ram);
    for (unsigned i = 0; i < DRIVE_COUNT; i++) {
        block_close(l->medium[i]);
        if (l->pc->disk[i])
            block_unstage(l->pc->disk[i]);
    }
}

/* --- putting it into place --- */

static void commit_disks(struct loading *l)
{
    struct pc *pc = l->pc;

    for (unsigned i = 0; i < DRIVE_COUNT; i++) {
        if (l->swap[i]) {
            enum status s = pc_insert(pc, i, l->medium[i]);
            (void)s; /* pc_open_image() has seen that it fits */
            block_close(pc->disk[i]);
            pc->disk[i] = l->medium[i];
            snprintf(pc->drive[i].path, sizeof(pc->drive[i].path), "%s",
                     (const char *)l->drive[i].path);
        }
        if (pc->disk[i])
            block_commit(pc->disk[i]);
    }
}

static void commit_board(struct loading *l)
{
    struct pc *pc = l->pc;

    memcpy(pc->irq_level, l->board.irq_level, sizeof(pc->irq_level));
    pc->a20 = l->board.a20;
    pc->nmi_masked = l->board.nmi_masked;
    pc->reset_wanted = l->board.reset_wanted;
    pc->resets = l->board.resets;
    pc->slept_ns = l->board.slept_ns;
    pc->nographic = l->board.nographic;
    fwcfg_change_number(pc->fwcfg, FW_NOGRAPHIC, pc->nographic);
    pc->stopping = pc->off = pc->look = pc->poll_due = false;
    physmem_set_a20(pc->physmem, pc->a20 != 0);
}

static void commit_clock(struct loading *l)
{
    struct clock *c = &l->pc->clock;
    const u8 *end, *p = begin_of(l, "clock", &end);
    struct snapshot_clock s;
    enum status status = fields_load(snapshot_clock_fields, &s, &p, end);

    (void)status; /* check_clock() */
    c->left = 0;
    c->end = s.retired;
    c->base_count = s.base_count;
    c->base_ns = s.base_ns;
    c->base_frac = s.base_frac;
    c->ratio = s.ratio;
    for (u32 i = 0; i < s.timers; i++) {
        const struct clock_timer *t = find_timer(c, (const char *)p);
        p += strlen((const char *)p) + 1;
        c->timer[t - c->timer].deadline = load_le(p, 8);
        p += 8;
    }
}

static void load_fields(struct loading *l, const char *name, const struct field *table, void *obj)
{
    const u8 *end, *p = begin_of(l, name, &end);
    enum status s = fields_load(table, obj, &p, end);

    (void)s; /* fields_valid() was asked */
}

static void commit_cpu(struct loading *l, unsigned n)
{
    char name[SNAPFILE_NAME_MAX];
    struct cpu *cpu = l->pc->cpu[n];

    snapshot_cpu_name(name, n);
    load_fields(l, name, cpu_fields, cpu);
    cpu->attention = cpu->nmi_latched ? ATTN_NMI : 0;
    if (l->board.reset_pending[n]) {
        cpu->attention |= ATTN_RESET;
        cpu->reset_init = l->board.reset_pending[n] == 1;
    }
    cpu_loaded(cpu);
}

/*
 * Chips see each other's wires at their new levels before any of them drives its own, so that no
 * wire moves. What moves all the same, and timers that are set anew, is put right at the end.
 */
static void commit(struct loading *l)
{
    struct pc *pc = l->pc;
    u64 before = clock_now(&pc->clock);
    char name[SNAPFILE_NAME_MAX];

    commit_disks(l);
    commit_clock(l);
    commit_board(l);
    for (unsigned i = 0; i < pc->chips; i++) {
        snapshot_chip_name(name, i, pc->chip[i].class);
        load_fields(l, name, pc->chip[i].class->fields, pc->chip[i].dev);
    }
    snapshot_ram_commit(&l->ram, pc, l->f);
    for (unsigned i = 0; i < pc->chips; i++) {
        if (pc->chip[i].class->loaded)
            pc->chip[i].class->loaded(pc->chip[i].dev);
    }
    for (unsigned i = 0; i < pc->cpus; i++)
        commit_cpu(l, i);
    typist_commit(pc->typist);
    commit_board(l);
    commit_clock(l);
    pc->breaks++;
    pc_time_jumped(pc, before);
    sound_loaded(pc->sound);
    if (pc->jit)
        jit_flush(pc->jit);
}

enum status snapshot_apply_file(struct pc *pc, struct snapfile *f, char error[PC_ERROR_MAX])
{
    struct loading *l = calloc(2, sizeof(*l));
    unsigned machines = pc->twin ? 2 : 1;
    enum status s = l ? STATUS_OK : STATUS_NO_MEMORY;

    error[0] = 0;
    for (unsigned i = 0; l && i < machines; i++) {
        l[i].pc = i ? pc->twin : pc;
        l[i].f = f;
        l[i].error = error;
        if (s == STATUS_OK)
            s = prepare(&l[i]);
    }
    for (unsigned i = 0; l && i < machines; i++) {
        if (s == STATUS_OK)
            commit(&l[i]);
        else
            abandon(&l[i]);
    }
    if (s != STATUS_OK && !*error)
        snprintf(error, PC_ERROR_MAX, "the snapshot cannot be loaded: %s", status_text(s));
    free(l);
    return s;
}

enum status pc_snapshot_apply(struct pc *pc, struct pc_snapshot *s, char error[PC_ERROR_MAX])
{
    if (pc_records(pc)) {
        snprintf(error, PC_ERROR_MAX, "a machine that is recorded cannot load a snapshot");
        return STATUS_CONFLICT;
    }
    enum status status = snapshot_apply_file(pc, &s->file, error);
    if (status == STATUS_OK)
        journal_go(pc, s->place);
    return status;
}

enum status pc_snapshot_load(struct pc *pc, const char *path, char error[PC_ERROR_MAX])
{
    struct snapfile f;

    if (pc->journal) {
        snprintf(error, PC_ERROR_MAX, "a machine that is %s cannot load a snapshot",
                 pc_replays(pc) ? "replayed" : "recorded");
        return STATUS_CONFLICT;
    }
    enum status s = snapfile_read(&f, path, error);
    if (s == STATUS_OK)
        s = snapshot_apply_file(pc, &f, error);
    snapfile_free(&f);
    return s;
}
