/* SPDX-License-Identifier: MIT */
/*
 * Which images are in which drives: -hda..-hdd, -cdrom, -fda, -fdb and -drive, brought into one
 * form.
 */
#pragma once

#include "machine/config.h"

/* Places: primary master, slave, secondary master, slave; floppy drives A and B. */
#define DRIVE_IDE       4u
#define DRIVE_FLOPPIES  2u
#define DRIVE_COUNT     (DRIVE_IDE + DRIVE_FLOPPIES)
#define DRIVE_CDROM     2u /* where -cdrom goes */
#define DRIVE_ERROR_MAX 400u

struct drive {
    bool present;
    bool cdrom;
    bool readonly;
    bool snapshot;
    bool writable;   /* readonly=off was said                                                 */
    bool iso;        /* a disk, read-only because its image is a CD's and nothing else was said */
    char path[4096]; /* "": the drive is empty (CD-ROM and floppy drives only) */
};

static inline bool drive_is_floppy(unsigned place)
{
    return place >= DRIVE_IDE;
}

/**
 * Fill @drives from the configuration. A machine has a CD-ROM drive, unless four disks take its
 * place, and floppy drive A, with or without a medium. False: @error holds one sentence.
 */
bool drive_parse(const struct config *cfg, struct drive drives[DRIVE_COUNT],
                 char error[DRIVE_ERROR_MAX]) MUST_CHECK;
