/* SPDX-License-Identifier: MIT */
/*
 * A file that is dropped on the window goes into a drive: what is no larger than a floppy disk can
 * be into the first floppy drive, anything else into the CD-ROM drive.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "frontend/sdl_private.h"

enum { FLOPPY_MAX = 2880 * 1024 };

void sdl_drop(struct window *w, struct pc *pc, const char *path)
{
    char error[PC_ERROR_MAX] = "", text[sizeof(w->told)];
    const char *slash = strrchr(path, '/'), *drive = "cdrom";
    struct stat st;

    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        sdl_tell(w, "only a file that is an image of a disk goes into a drive");
        return;
    }
    if (st.st_size <= FLOPPY_MAX && pc_has_drive(pc, "floppy0"))
        drive = "floppy0";
    if (pc_change_medium(pc, drive, path, error) == STATUS_OK)
        snprintf(text, sizeof(text), "%.200s is in %s", slash ? slash + 1 : path, drive);
    else
        snprintf(text, sizeof(text), "%.*s", (int)sizeof(text) - 1, error);
    sdl_tell(w, text);
}
