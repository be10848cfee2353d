/* SPDX-License-Identifier: MIT */
#include "machine/drive.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
        {"format", "raw"}, {"if", "ide"},          {"media", "disk"},
        {"cache", "none"}, {"cache", "writeback"}, {"cache", "writethrough"},
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

/* One part of -drive into @d and *@index. */
static bool apply(const struct suboption *o, struct drive *d, u64 *index, char *error)
{
    bool right = true, ok = true;

    if (strcmp(o->key, "file") == 0)
        snprintf(d->path, sizeof(d->path), "%s", o->value);
    else if (strcmp(o->key, "index") == 0)
        ok = suboption_number(o, DRIVE_COUNT - 1, index);
    else if (strcmp(o->key, "readonly") == 0)
        ok = suboption_flag(o, &d->readonly);
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

static bool parse_one(const char *text, struct drive drives[DRIVE_COUNT], char *error)
{
    struct drive d = {.present = true};
    struct suboption o;
    u64 index = DRIVE_COUNT;

    for (const char *p = text; *p;) {
        if (!suboption_next(&p, &o))
            return fail(error, "-drive: '%.100s...' is too long", text);
        if (!apply(&o, &d, &index, error))
            return false;
    }
    if (!*d.path)
        return fail(error, "-drive: '%.200s' names no file", text);
    if (index == DRIVE_COUNT) {
        for (index = 0; index < DRIVE_COUNT && drives[index].present;)
            index++;
    }
    if (index == DRIVE_COUNT)
        return fail(error, "-drive: the machine takes four disks");
    if (drives[index].present)
        return fail(error, "-drive: disk %u is given twice", (unsigned)index);
    drives[index] = d;
    return true;
}

bool drive_parse(const struct config *cfg, struct drive drives[DRIVE_COUNT],
                 char error[DRIVE_ERROR_MAX])
{
    static const enum config_id hd[DRIVE_COUNT] = {CONFIG_hda, CONFIG_hdb, CONFIG_hdc, CONFIG_hdd};
    const struct config_value *list = &cfg->value[CONFIG_drive];

    memset(drives, 0, sizeof(*drives) * DRIVE_COUNT);
    for (unsigned i = 0; i < DRIVE_COUNT; i++) {
        const char *path = config_text(cfg, hd[i]);
        if (path && *path) {
            drives[i].present = true;
            snprintf(drives[i].path, sizeof(drives[i].path), "%s", path);
        }
    }
    for (unsigned i = 0; i < list->count; i++) {
        if (!parse_one(list->list[i], drives, error))
            return false;
    }
    for (unsigned i = 0; i < DRIVE_COUNT; i++)
        drives[i].snapshot = drives[i].snapshot || config_flag(cfg, CONFIG_snapshot);
    return true;
}
