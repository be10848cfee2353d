/* SPDX-License-Identifier: MIT */
/* The images in the drives; without any, and without a kernel, our demo disk. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "machine/board.h"
#include "machine/hostfile.h"
#include "machine/journal_private.h"

enum status pc_open_image(struct block **out, const struct drive *d, unsigned place,
                          char error[BLOCK_ERR_SIZE])
{
    const struct block_options options = {.read_only = d->readonly, .snapshot = d->snapshot};
    struct block *b;
    enum status s = block_open(&b, d->path, &options, error);

    if (s != STATUS_OK)
        return s;
    if (drive_is_floppy(place) && !floppy_format_find(block_sectors(b))) {
        snprintf(error, BLOCK_ERR_SIZE, "\"%.400s\" is larger than any floppy disk (2.88M).",
                 d->path);
        block_close(b);
        return STATUS_BAD_SIZE;
    }
    *out = b;
    return STATUS_OK;
}

static enum status open_disk(struct pc *pc, unsigned i)
{
    char error[BLOCK_ERR_SIZE] = "";
    const struct drive *d = &pc->drive[i];
    enum status s = pc_open_image(&pc->disk[i], d, i, error);

    for (unsigned k = 0; s == STATUS_LOCKED && k < i; k++) {
        if (pc->drive[k].present && hostfile_same(pc->drive[k].path, d->path))
            return pc_fail(pc, s, "\"%s\" is given twice, as disks %u and %u.", d->path, k, i);
    }
    if (s != STATUS_OK)
        pc_fail(pc, s == STATUS_IO ? STATUS_NO_FILE : s, "%s", error);
    return s;
}

enum status pc_open_disks(struct pc *pc)
{
    const char *kernel = config_text(pc->cfg, CONFIG_kernel);
    const struct rom_image *demo = rom_image_find("demo.img");
    bool any = false;

    if (!drive_parse(pc->cfg, pc->drive, pc->error))
        return STATUS_BAD_VALUE;
    for (unsigned i = 0; i < DRIVE_COUNT; i++) {
        if (!pc->drive[i].present || !*pc->drive[i].path)
            continue;
        any = true;
        enum status s = open_disk(pc, i);
        if (s != STATUS_OK)
            return s;
        if (pc->drive[i].iso)
            log_info(DISK,
                     "'%s' is an ISO image: as a hard disk it is read-only, unless -drive says "
                     "readonly=off; -cdrom is for the CD-ROM drive",
                     pc->drive[i].path);
    }
    if (any || (kernel && *kernel) || !demo)
        return STATUS_OK;
    pc->drive[0].present = true;
    return block_create_memory(&pc->disk[0], demo->bytes, demo->size);
}

void pc_close_disks(struct pc *pc)
{
    for (unsigned i = 0; i < DRIVE_COUNT; i++)
        block_close(pc->disk[i]);
}

u8 pc_floppy_type(const struct pc *pc, unsigned n)
{
    const struct block *medium = pc->disk[DRIVE_IDE + n];

    if (!pc->drive[DRIVE_IDE + n].present)
        return FLOPPY_NONE;
    return medium ? floppy_format_find(block_sectors(medium))->type : FLOPPY_1M44;
}

u8 pc_disk_translation(const struct pc *pc)
{
    enum { NONE = 0, LBA = 1, CHS_SECTORS = 1024 * 16 * 63 };
    u8 bits = 0;

    for (unsigned i = 0; i < DRIVE_IDE; i++) {
        if (pc->disk[i] && !pc->drive[i].cdrom && block_sectors(pc->disk[i]) > CHS_SECTORS)
            bits |= (u8)(LBA << 2 * i);
    }
    return bits;
}

/* ---- media ---- */

static const struct {
    const char *name; /* here or in QEMU */
    unsigned place;
} media_drives[] = {
    {"floppy0", DRIVE_IDE}, {"floppy1", DRIVE_IDE + 1},
    {"cdrom", DRIVE_CDROM}, {"ide0-cd0", 0},
    {"ide0-cd1", 1},        {"ide1-cd0", 2},
    {"ide1-cd1", 3},
};

bool pc_takes_media(const char *drive)
{
    for (unsigned i = 0; i < ARRAY_LEN(media_drives); i++) {
        if (strcmp(drive, media_drives[i].name) == 0)
            return true;
    }
    return false;
}

/* The place of a drive by its name; DRIVE_COUNT: there is no such drive. */
static unsigned place_of(const struct pc *pc, const char *name)
{
    for (unsigned i = 0; i < ARRAY_LEN(media_drives); i++) {
        unsigned place = media_drives[i].place;
        const struct drive *d = &pc->drive[place];
        if (strcmp(name, media_drives[i].name) == 0 && d->present &&
            (d->cdrom || drive_is_floppy(place)))
            return place;
    }
    return DRIVE_COUNT;
}

enum status pc_insert(struct pc *pc, unsigned place, struct block *medium)
{
    if (drive_is_floppy(place))
        return i82077_insert(pc->fdc, place - DRIVE_IDE, medium);
    return ata_insert(pc->ata, place / 2, place % 2, medium);
}

enum status pc_medium_identity(struct pc *pc, const char *drive, u64 *out)
{
    unsigned place = place_of(pc, drive);

    *out = 0;
    if (place == DRIVE_COUNT)
        return STATUS_NOT_FOUND;
    return pc->disk[place] ? block_identity(pc->disk[place], out) : STATUS_OK;
}

/* Whether the journal lets the medium be changed. */
static enum status may_change(struct pc *pc, const struct drive *d, const char *path,
                              char error[PC_ERROR_MAX])
{
    const struct journal *j = pc->journal;

    if (!j || j->playing)
        return STATUS_OK;
    if (j->replays)
        snprintf(error, PC_ERROR_MAX, "a replaying machine takes only what was recorded");
    else if (path && !d->readonly && !d->snapshot)
        snprintf(error, PC_ERROR_MAX,
                 "--record: '%.200s' would not be the same again; add -snapshot", path);
    else
        return STATUS_OK;
    return STATUS_CONFLICT;
}

/* Note in the journal what is in @drive now. */
static enum status note_change(struct pc *pc, const char *drive, const char *path,
                               char error[PC_ERROR_MAX])
{
    struct journal_event e = {.kind = JOURNAL_MEDIUM};
    char text[sizeof(pc->drive[0].path) + 64];

    if (!pc_records(pc))
        return STATUS_OK;
    enum status s = pc_medium_identity(pc, drive, &e.number[0]);
    int n = snprintf(text, sizeof(text), "%s%c%s", drive, 0, path ? path : "");
    e.bytes = (const u8 *)text;
    e.len = (size_t)n + 1;
    if (s == STATUS_OK)
        (void)journal_input(pc, e);
    else
        snprintf(error, PC_ERROR_MAX, "the medium cannot be read: what is recorded stops here");
    return s;
}

static const char *drive_name(const struct pc *pc, unsigned place)
{
    static const char *const names[DRIVE_COUNT] = {"ide0-0", "ide0-1",  "ide1-0",
                                                   "ide1-1", "floppy0", "floppy1"};

    return pc->drive[place].cdrom && place == DRIVE_CDROM ? "cdrom" : names[place];
}

static bool holds(const struct pc *pc, unsigned place, const char *path)
{
    return pc->disk[place] && hostfile_same(pc->drive[place].path, path);
}

/* As pc_open_image(); a lock can be our own. */
static enum status open_medium(struct pc *pc, struct block **out, const struct drive *d,
                               unsigned place, char error[PC_ERROR_MAX])
{
    char text[BLOCK_ERR_SIZE] = "";
    enum status s = pc_open_image(out, d, place, text);

    snprintf(error, PC_ERROR_MAX, "%.*s", (int)PC_ERROR_MAX - 1, text);
    for (unsigned k = 0; s == STATUS_LOCKED && k < DRIVE_COUNT; k++) {
        if (holds(pc, k, d->path))
            snprintf(error, PC_ERROR_MAX, "\"%.300s\" is in %s.", d->path, drive_name(pc, k));
    }
    return s;
}

/* What @d has, or nothing, goes into the drive at @place; on failure what is in it stays. */
static enum status replace(struct pc *pc, unsigned place, const struct drive *d,
                           char error[PC_ERROR_MAX])
{
    struct block *medium = NULL;
    enum status s = *d->path ? open_medium(pc, &medium, d, place, error) : STATUS_OK;

    if (s == STATUS_OK && (s = pc_insert(pc, place, medium)) != STATUS_OK)
        snprintf(error, PC_ERROR_MAX, "that disk does not fit into the drive");
    if (s != STATUS_OK) {
        block_close(medium);
        return s;
    }
    block_close(pc->disk[place]);
    pc->disk[place] = medium;
    pc->drive[place] = *d;
    return STATUS_OK;
}

/* The medium that is in the drive is put into it again, perhaps made anew; one that cannot be
 * opened any more leaves the drive empty. */
static enum status insert_again(struct pc *pc, unsigned place, const struct drive *d,
                                const char *drive, char error[PC_ERROR_MAX])
{
    char text[PC_ERROR_MAX];
    struct drive empty = *d;

    empty.path[0] = 0;
    enum status s = replace(pc, place, &empty, error);
    if (s == STATUS_OK && (s = replace(pc, place, d, error)) != STATUS_OK) {
        size_t n = strlen(error);
        n -= n && error[n - 1] == '.';
        snprintf(error + n, PC_ERROR_MAX - n, "; the drive is empty now.");
        (void)note_change(pc, drive, NULL, text);
    }
    return s;
}

enum status pc_change_medium(struct pc *pc, const char *drive, const char *path,
                             char error[PC_ERROR_MAX])
{
    unsigned place = place_of(pc, drive);
    struct drive d;
    enum status s = STATUS_OK;

    if (pc->check) {
        snprintf(error, PC_ERROR_MAX, "-jit check: media stay where they are");
        return STATUS_UNSUPPORTED;
    }
    if (place == DRIVE_COUNT) {
        snprintf(error, PC_ERROR_MAX, "there is no drive '%.60s' with removable media", drive);
        return STATUS_NOT_FOUND;
    }
    if (!drive_is_floppy(place) && ata_locked(pc->ata, place / 2, place % 2)) {
        snprintf(error, PC_ERROR_MAX, "the guest has locked the drive");
        return STATUS_LOCKED;
    }
    d = pc->drive[place];
    s = may_change(pc, &d, path, error);
    if (s != STATUS_OK)
        return s;
    snprintf(d.path, sizeof(d.path), "%s", path ? path : "");
    s = path && holds(pc, place, path) ? insert_again(pc, place, &d, drive, error)
                                       : replace(pc, place, &d, error);
    return s != STATUS_OK ? s : note_change(pc, drive, path, error);
}

bool pc_has_drive(const struct pc *pc, const char *drive)
{
    return place_of(pc, drive) != DRIVE_COUNT;
}

void pc_dump_drives(const struct pc *pc, char *text, size_t size)
{
    size_t used = 0;

    *text = 0;
    for (unsigned i = 0; i < DRIVE_COUNT && used < size; i++) {
        const struct drive *d = &pc->drive[i];
        const struct block *b = pc->disk[i];
        if (!d->present)
            continue;
        const char *medium = !b ? "nothing" : *d->path ? d->path : "the demo disk";
        used += (size_t)snprintf(text + used, size - used, "%-8s %.300s", drive_name(pc, i),
                                 medium);
        if (b && used < size)
            used += (size_t)snprintf(text + used, size - used, ", %llu KiB%s",
                                     (unsigned long long)block_sectors(b) / 2,
                                     block_read_only(b) ? ", read-only"
                                     : d->snapshot      ? ", writes are kept in memory"
                                                        : "");
        if (used < size)
            used += (size_t)snprintf(text + used, size - used, "\n");
    }
}

struct pc_activity pc_activity(const struct pc *pc)
{
    struct pc_activity a = {0};

    for (unsigned i = 0; i < DRIVE_COUNT; i++)
        a.disk += pc->disk[i] ? block_transfers(pc->disk[i]) : 0;
    for (unsigned i = 0; i < pc->nics; i++)
        a.net += pc->nic[i].frames;
    return a;
}
