/* SPDX-License-Identifier: MIT */
/* Floppy drives and the media that fit into them, by the size of an image. */
#pragma once

#include "base/types.h"

/** Drives as CMOS byte 10h numbers them [RBIL, CMOS.LST]. */
enum floppy_type {
    FLOPPY_NONE = 0,
    FLOPPY_360K = 1, /* 5.25 inch */
    FLOPPY_1M2 = 2,  /* 5.25 inch */
    FLOPPY_1M44 = 4, /* 3.5 inch  */
    FLOPPY_2M88 = 5, /* 3.5 inch  */
};

/** What a medium was recorded with. */
enum floppy_density { FLOPPY_DOUBLE, FLOPPY_HIGH, FLOPPY_EXTRA };

/** A recording: 512-byte sectors, numbered from 1, cylinder by cylinder, head by head. */
struct floppy_format {
    u32 image_sectors;
    u8 cylinders, heads, sectors;
    u8 density; /* enum floppy_density           */
    u8 type;    /* the drive that it is made for */
};

#define FLOPPY_MAX_SECTORS 5760u /* 2.88 MB: no medium has more */

/**
 * The format of an image with @sectors sectors: the one of exactly that size, or else the smallest
 * 3.5 inch standard format that holds it, whose end is then not formatted. NULL: too large.
 */
const struct floppy_format *floppy_format_find(u64 sectors);

/** Whether a drive of type @drive takes a medium of format @f. */
bool floppy_fits(u8 drive, const struct floppy_format *f);
