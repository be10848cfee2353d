/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with a step although its words are right: a key, a drive or a file that there is
 * not, an output that cannot be written. Found when the script is read, not when the step comes.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/outfile.h"
#include "frontend/png.h"
#include "frontend/report.h"
#include "frontend/script_private.h"
#include "machine/config_files.h"
#include "machine/hostfile.h"
#include "machine/snapfile.h"

#define WHY(...) (snprintf(why, SCRIPT_ERROR_MAX, __VA_ARGS__), false)

/* A step above, or above the fork, writes @path. */
static bool is_made(const struct script *s, const char *path)
{
    for (; s; s = s->parent) {
        for (unsigned i = 0; i < s->count; i++) {
            const struct step *st = &s->step[i];
            bool writes =
                st->verb == STEP_SCREENSHOT || (st->verb == STEP_SNAPSHOT && !st->number[0]);
            if (writes && strcmp(st->arg, path) == 0)
                return true;
        }
    }
    return false;
}

static bool check_input(const struct script *s, const char *path, char why[SCRIPT_ERROR_MAX])
{
    if (is_made(s, path) || access(path, R_OK) == 0)
        return true;
    return WHY("'%.200s' cannot be read: %s", path, strerror(errno));
}

/* A disk, for check_drive()'s drives. */
static bool check_medium(const struct script *s, const char *path, char why[SCRIPT_ERROR_MAX])
{
    if (!check_input(s, path, why))
        return false;
    enum status status = is_made(s, path) ? STATUS_OK : hostfile_check(path);
    return status == STATUS_OK || WHY("'%.200s': %s", path, status_text(status));
}

/* Whole, of this format; whether it is of this machine is seen when it is loaded. */
static bool check_snapshot(const struct script *s, const char *path, char why[SCRIPT_ERROR_MAX])
{
    struct snapfile f;
    char error[SNAPFILE_ERROR_MAX] = "";

    if (is_made(s, path))
        return true;
    if (!check_input(s, path, why))
        return false;
    enum status status = snapfile_read(&f, path, error);
    if (status == STATUS_OK)
        snapfile_free(&f);
    return status == STATUS_OK || WHY("%.390s", error);
}

/* @path is not read by an option, unless that is @but. */
static bool check_output(const struct script *s, const char *path, enum config_id but,
                         char why[SCRIPT_ERROR_MAX])
{
    static_assert(CONFIG_FILES_ERROR_MAX <= SCRIPT_ERROR_MAX, "the sentence fits");

    if (s->cfg && !config_may_write(s->cfg, path, but, why))
        return false;
    if (report_can_write(path))
        return true;
    return WHY("'%.200s' cannot be written: %s", path, outfile_why(errno));
}

static bool check_keys(const char *text, char why[SCRIPT_ERROR_MAX])
{
    char error[PC_ERROR_MAX];

    if (pc_can_type(text, error))
        return true;
    return WHY("%.200s", error);
}

static bool check_key(const char *keys, char why[SCRIPT_ERROR_MAX])
{
    char text[SCRIPT_KEY_MAX + 3];

    if (strlen(keys) > SCRIPT_KEY_MAX)
        return WHY("that is no key: it is too long");
    snprintf(text, sizeof(text), "<%s>", keys);
    return check_keys(text, why);
}

static bool check_drive(const char *name, char why[SCRIPT_ERROR_MAX])
{
    if (pc_takes_media(name))
        return true;
    return WHY("there is no drive '%.60s' with removable media: floppy0, floppy1 or cdrom", name);
}

static bool check_picture(const struct script *s, const char *want, char why[SCRIPT_ERROR_MAX])
{
    unsigned width, height;
    u64 hash;
    u32 *pixels;

    if (script_is_hash(want, &hash) || is_made(s, want))
        return true;
    if (!check_input(s, want, why))
        return false;
    enum status status = png_load(want, &pixels, &width, &height);
    if (status != STATUS_OK)
        return WHY("'%.200s' is no picture: %s", want, status_text(status));
    free(pixels);
    return true;
}

bool script_check(const struct script *s, const struct step *st, char why[SCRIPT_ERROR_MAX])
{
    switch (st->verb) {
    case STEP_TYPE:
        return check_keys(st->arg, why);
    case STEP_KEY:
        return check_key(st->arg, why);
    case STEP_INSERT:
        return check_drive(st->arg, why) && check_medium(s, st->arg2, why);
    case STEP_EJECT:
        return check_drive(st->arg, why);
    case STEP_SCREENSHOT:
        return check_output(s, st->arg, CONFIG__COUNT, why);
    case STEP_SNAPSHOT:
        return st->number[0] ? check_snapshot(s, st->arg, why)
                             : check_output(s, st->arg, CONFIG_loadvm, why);
    case STEP_WAIT:
    case STEP_EXPECT:
        return st->subject != ON_FRAME || check_picture(s, st->arg, why);
    default:
        return true;
    }
}
