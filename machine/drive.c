/* SPDX-License-Identifier: MIT */
#include "machine/drive.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "machine/hostfile.h"
#include "machine/suboption.h"

static bool fail(char *error, const char *fmt, ...) PRINTF_LIKE(2, 3);

static bool fail(char *error, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(error, DRIVE_ERROR_MAX, fmt, ap);
    va_end(ap);
    return false;
}

/* Whether @o is a part whose values change nothing here; *@right: it is one of those values. */
static bool is_fixed(const struct suboption *o, bool *right)
{
    static const struct {
        const char *key, *value;
    } fixed[] = {
        {"format", "raw"},
        {"cache", "none"},
        {"cache", "writeback"},
        {"cache", "writethrough"},
    };
    bool known = false;

    *right = false;
    for (unsigned i = 0; i < ARRAY_LEN(fixed); i++) {
        if (strcmp(o->key, fixed[i].key) != 0)
            continue;
        known = true;
        *right = *right || strcmp(o->value, fixed[i].value) == 0;
    }
    return known;
}

/* One of two words. */
static bool either(const char *value, const char *no, const char *yes, bool *out)
{
    *out = strcmp(value, yes) == 0;
    return *out || strcmp(value, no) == 0;
}

/* What -drive says beside the drive's own properties. */
struct placement {
    bool floppy;
    u64 index; /* DRIVE_COUNT: the first free place */
};

/* One part of -drive into @d and @where. */
static bool apply(const struct suboption *o, struct drive *d, struct placement *where, char *error)
{
    bool right = true, ok = true;

    if (strcmp(o->key, "file") == 0)
        snprintf(d->path, sizeof(d->path), "%s", o->value);
    else if (strcmp(o->key, "index") == 0)
        ok = suboption_number(o, DRIVE_IDE - 1, &where->index);
    else if (strcmp(o->key, "if") == 0)
        ok = either(o->value, "ide", "floppy", &where->floppy);
    else if (strcmp(o->key, "media") == 0)
        ok = either(o->value, "disk", "cdrom", &d->cdrom);
    else if (strcmp(o->key, "readonly") == 0)
        d->writable = (ok = suboption_flag(o, &d->readonly)) && !d->readonly;
    else if (strcmp(o->key, "snapshot") == 0)
        ok = suboption_flag(o, &d->snapshot);
    else if (is_fixed(o, &right))
        ok = right;
    else
        return fail(error,
                    "-drive: there is no part '%.60s'; it takes file, format, if, index, media, "
                    "readonly, snapshot",
                    *o->key ? o->key : o->value);
    return ok || fail(error, "-drive: %s=%.100s is not supported", o->key, o->value);
}

/* The place for a drive: index @where->index, or else the first free one. False: told. */
static bool find_place(const struct drive drives[DRIVE_COUNT], const struct placement *where,
                       bool cdrom, unsigned *place, char *error)
{
    unsigned first = where->floppy ? DRIVE_IDE : 0;
    unsigned count = where->floppy ? DRIVE_FLOPPIES : DRIVE_IDE;
    const char *what = where->floppy ? "floppy drive" : "disk";
    unsigned i = (unsigned)where->index;

    if (where->index == DRIVE_COUNT) {
        for (i = cdrom ? DRIVE_CDROM : 0; i < count && drives[first + i].present;)
            i++;
        if (i == count)
            return fail(error, "-drive: the machine takes %s",
                        where->floppy ? "two floppy drives"
                        : cdrom       ? "no more CD-ROM drives"
                                      : "four disks");
    }
    if (i >= count)
        return fail(error, "-drive: index=%u is not supported for floppy drives", i);
    if (drives[first + i].present)
        return fail(error, "-drive: %s %u is given twice", what, i);
    *place = first + i;
    return true;
}

static bool parse_one(const char *text, struct drive drives[DRIVE_COUNT], char *error)
{
    struct drive d = {.present = true};
    struct placement where = {.index = DRIVE_COUNT};
    struct suboption o;
    unsigned place = 0;

    for (const char *p = text; *p;) {
        if (!suboption_next(&p, &o))
            return fail(error, "-drive: '%.100s...' is too long", text);
        if (!apply(&o, &d, &where, error))
            return false;
    }
    if (where.floppy && d.cdrom)
        return fail(error, "-drive: media=cdrom is not supported for floppy drives");
    if (!*d.path && !where.floppy && !d.cdrom)
        return fail(error, "-drive: '%.200s' names no file", text);
    if (!find_place(drives, &where, d.cdrom, &place, error))
        return false;
    drives[place] = d;
    return true;
}

/* The drives that have an option of their own. False: told. */
static bool named_drives(const struct config *cfg, struct drive drives[DRIVE_COUNT], char *error)
{
    static const struct {
        enum config_id id;
        unsigned place;
    } named[] = {
        {CONFIG_hda, 0},
        {CONFIG_hdb, 1},
        {CONFIG_hdc, 2},
        {CONFIG_hdd, 3},
        {CONFIG_cdrom, DRIVE_CDROM},
        {CONFIG_fda, DRIVE_IDE},
        {CONFIG_fdb, DRIVE_IDE + 1},
    };

    for (unsigned i = 0; i < ARRAY_LEN(named); i++) {
        const char *path = config_text(cfg, named[i].id);
        struct drive *d = &drives[named[i].place];
        if (!path || !*path)
            continue;
        if (d->present)
            return fail(error, "-cdrom and -hdc are the same drive");
        d->present = true;
        d->cdrom = named[i].id == CONFIG_cdrom;
        snprintf(d->path, sizeof(d->path), "%s", path);
    }
    return true;
}

bool drive_parse(const struct config *cfg, struct drive drives[DRIVE_COUNT],
                 char error[DRIVE_ERROR_MAX])
{
    const struct config_value *list = &cfg->value[CONFIG_drive];

    memset(drives, 0, sizeof(*drives) * DRIVE_COUNT);
    if (!named_drives(cfg, drives, error))
        return false;
    for (unsigned i = 0; i < list->count; i++) {
        if (!parse_one(list->list[i], drives, error))
            return false;
    }
    if (!drives[DRIVE_CDROM].present)
        drives[DRIVE_CDROM] = (struct drive){.present = true, .cdrom = true};
    drives[DRIVE_IDE].present = true;
    for (unsigned i = 0; i < DRIVE_COUNT; i++) {
        struct drive *d = &drives[i];
        d->snapshot = d->snapshot || config_flag(cfg, CONFIG_snapshot);
        bool open = !d->cdrom && !d->readonly && !d->snapshot && !d->writable;
        d->iso = open && !drive_is_floppy(i) && hostfile_is_iso(d->path);
        d->readonly = d->readonly || d->cdrom || d->iso;
    }
    return true;
}
