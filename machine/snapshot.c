/* SPDX-License-Identifier: MIT */
/* Taking a snapshot: what its sections are, and filling them. */
#include "machine/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "machine/config_files.h"
#include "machine/snapshot_private.h"

enum { CPU_VERSION = 1 };

const struct field snapshot_board_fields[] = {
    FIELD_ARRAY(struct snapshot_board, irq_level),
    FIELD(struct snapshot_board, a20),
    FIELD(struct snapshot_board, nmi_masked),
    FIELD(struct snapshot_board, reset_wanted),
    FIELD(struct snapshot_board, nographic),
    FIELD_ARRAY(struct snapshot_board, reset_pending),
    FIELD(struct snapshot_board, resets),
    FIELD(struct snapshot_board, slept_ns),
    FIELDS_END,
};

const struct field snapshot_drive_fields[] = {
    FIELD(struct snapshot_drive, present),
    FIELD(struct snapshot_drive, cdrom),
    FIELD(struct snapshot_drive, medium),
    FIELD(struct snapshot_drive, sectors),
    FIELD(struct snapshot_drive, identity),
    FIELD_ARRAY(struct snapshot_drive, path),
    FIELDS_END,
};

const struct field snapshot_clock_fields[] = {
    FIELD(struct snapshot_clock, retired),
    FIELD(struct snapshot_clock, base_count),
    FIELD(struct snapshot_clock, base_ns),
    FIELD(struct snapshot_clock, ratio),
    FIELD(struct snapshot_clock, base_frac),
    FIELD(struct snapshot_clock, timers),
    FIELDS_END,
};

/* --- names --- */

void snapshot_chip_name(char name[SNAPFILE_NAME_MAX], unsigned n, const struct device_class *class)
{
    snprintf(name, SNAPFILE_NAME_MAX, "chip %02u %.28s", n, class->name);
}

void snapshot_cpu_name(char name[SNAPFILE_NAME_MAX], unsigned n)
{
    snprintf(name, SNAPFILE_NAME_MAX, "cpu %02u", n);
}

void snapshot_overlay_name(char name[SNAPFILE_NAME_MAX], unsigned n)
{
    snprintf(name, SNAPFILE_NAME_MAX, "disk %02u", n);
}

void snapshot_ram_name(char name[SNAPFILE_NAME_MAX], unsigned n)
{
    snprintf(name, SNAPFILE_NAME_MAX, "ram %03u", n);
}

/* --- the machine --- */

void snapshot_describe(const struct pc *pc, char text[SNAPSHOT_MACHINE_MAX])
{
    snprintf(text, SNAPSHOT_MACHINE_MAX,
             "-cpu %.60s\n"
             "-m %lluK\n"
             "a BIOS with hash %016llx\n"
             "a video BIOS with hash %016llx\n"
             "firmware tables, kernel and boot options with hash %016llx\n",
             config_text(pc->cfg, CONFIG_cpu), (unsigned long long)pc->ram_bytes >> 10,
             (unsigned long long)XXH64(pc->bios, pc->bios_len, 0),
             (unsigned long long)XXH64(pc->vga_bios, pc->vga_bios_len, 0),
             (unsigned long long)pc->fw_hash);
}

enum status snapshot_describe_drive(struct pc *pc, unsigned n, struct snapshot_drive *out)
{
    struct block *b = pc->disk[n];

    memset(out, 0, sizeof(*out));
    out->present = pc->drive[n].present;
    out->cdrom = pc->drive[n].cdrom;
    out->medium = b;
    if (!b)
        return STATUS_OK;
    out->sectors = block_sectors(b);
    if (strlen(pc->drive[n].path) < SNAPSHOT_PATH)
        memcpy(out->path, pc->drive[n].path, strlen(pc->drive[n].path));
    return block_identity(b, &out->identity);
}

/* --- filling --- */

static void put_board(struct snapfile *f, const struct pc *pc)
{
    struct snapshot_board b = {
        .a20 = pc->a20,
        .nmi_masked = pc->nmi_masked,
        .reset_wanted = pc->reset_wanted,
        .nographic = pc->nographic,
        .resets = pc->resets,
        .slept_ns = pc->slept_ns,
    };

    memcpy(b.irq_level, pc->irq_level, sizeof(b.irq_level));
    for (unsigned i = 0; i < pc->cpus; i++) {
        const struct cpu *cpu = pc->cpu[i];
        if (cpu->attention & ATTN_RESET)
            b.reset_pending[i] = cpu->reset_init ? 1 : 2;
    }
    snapfile_begin(f, "board", SNAPSHOT_BOARD_VERSION);
    fields_save(snapshot_board_fields, &b, snapfile_put, f);
}

bool snapshot_has_timer(const struct clock_timer *t)
{
    return !pc_is_host_timer(t) || strcmp(t->name, TYPIST_TIMER) == 0;
}

static void put_clock(struct snapfile *f, const struct pc *pc)
{
    const struct clock *c = &pc->clock;
    struct snapshot_clock s = {
        .retired = clock_retired(c),
        .base_count = c->base_count,
        .base_ns = c->base_ns,
        .base_frac = c->base_frac,
        .ratio = c->ratio,
    };

    for (unsigned i = 0; i < c->timer_count; i++)
        s.timers += snapshot_has_timer(&c->timer[i]);
    snapfile_begin(f, "clock", 1);
    fields_save(snapshot_clock_fields, &s, snapfile_put, f);
    for (unsigned i = 0; i < c->timer_count; i++) {
        if (!snapshot_has_timer(&c->timer[i]))
            continue;
        snapfile_put(f, c->timer[i].name, strlen(c->timer[i].name) + 1);
        snapfile_put(f, &c->timer[i].deadline, sizeof(c->timer[i].deadline));
    }
}

static void put_chips(struct snapfile *f, const struct pc *pc)
{
    char name[SNAPFILE_NAME_MAX];

    for (unsigned i = 0; i < pc->cpus; i++) {
        cpu_canonicalize(pc->cpu[i]);
        snapshot_cpu_name(name, i);
        snapfile_begin(f, name, CPU_VERSION);
        fields_save(cpu_fields, pc->cpu[i], snapfile_put, f);
    }
    for (unsigned i = 0; i < pc->chips; i++) {
        const struct device_class *class = pc->chip[i].class;
        snapshot_chip_name(name, i, class);
        snapfile_begin(f, name, class->version);
        fields_save(class->fields, pc->chip[i].dev, snapfile_put, f);
    }
}

static enum status put_disks(struct snapfile *f, struct pc *pc)
{
    struct snapshot_drive d[DRIVE_COUNT];
    char name[SNAPFILE_NAME_MAX];

    for (unsigned i = 0; i < DRIVE_COUNT; i++) {
        enum status s = snapshot_describe_drive(pc, i, &d[i]);
        if (s != STATUS_OK)
            return s;
    }
    snapfile_begin(f, "drives", 1);
    for (unsigned i = 0; i < DRIVE_COUNT; i++)
        fields_save(snapshot_drive_fields, &d[i], snapfile_put, f);
    for (unsigned i = 0; i < DRIVE_COUNT; i++) {
        snapshot_overlay_name(name, i);
        snapfile_begin(f, name, 1);
        if (pc->disk[i])
            block_save(pc->disk[i], snapfile_put, f);
    }
    return STATUS_OK;
}

enum status pc_snapshot_take(struct pc *pc, struct pc_snapshot **out, char error[PC_ERROR_MAX])
{
    struct pc_snapshot *s = calloc(1, sizeof(*s));
    char text[SNAPSHOT_MACHINE_MAX];
    enum status status = s ? STATUS_OK : STATUS_NO_MEMORY;

    if (s) {
        snapshot_describe(pc, text);
        snapfile_begin(&s->file, "machine", 1);
        snapfile_put(&s->file, text, strlen(text));
        put_board(&s->file, pc);
        put_clock(&s->file, pc);
        snapfile_begin(&s->file, "typist", 1);
        typist_save(pc->typist, snapfile_put, &s->file);
        put_chips(&s->file, pc);
        snapshot_ram_put(&s->file, pc);
        status = put_disks(&s->file, pc);
    }
    if (status == STATUS_OK && s->file.no_memory)
        status = STATUS_NO_MEMORY;
    if (status != STATUS_OK) {
        pc_snapshot_free(s);
        snprintf(error, PC_ERROR_MAX, "no snapshot could be taken: %s", status_text(status));
        return status;
    }
    s->place = journal_place(pc);
    *out = s;
    return STATUS_OK;
}

size_t pc_snapshot_bytes(const struct pc_snapshot *s)
{
    size_t n = 0;

    for (unsigned i = 0; i < s->file.count; i++)
        n += s->file.section[i].room;
    return n;
}

void pc_snapshot_free(struct pc_snapshot *s)
{
    if (!s)
        return;
    snapfile_free(&s->file);
    free(s);
}

enum status pc_snapshot_save(struct pc *pc, const char *path, char error[PC_ERROR_MAX])
{
    struct pc_snapshot *snap;

    if (!config_may_write(pc->cfg, path, CONFIG_loadvm, error)) /* which it may replace */
        return STATUS_CONFLICT;
    enum status s = pc_snapshot_take(pc, &snap, error);
    if (s != STATUS_OK)
        return s;
    s = snapfile_write(&snap->file, path, error);
    pc_snapshot_free(snap);
    return s;
}
