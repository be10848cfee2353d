/* SPDX-License-Identifier: MIT */
/*
 * The recordings that PCs used, from the single-sided disks of the first one to 2.88 MB; some with
 * more sectors or tracks than the standard, which distribution disks had.
 */
#include "devices/floppy.h"

#include <stddef.h>

#define FORMAT(cylinders, heads, sectors, density, type)                                           \
    {                                                                                              \
        (cylinders) * (heads) * (sectors), cylinders, heads, sectors, FLOPPY_##density,            \
            FLOPPY_##type                                                                          \
    }

static const struct floppy_format formats[] = {
    FORMAT(40, 1, 8, DOUBLE, 360K),  /* 160 KB  */
    FORMAT(40, 1, 9, DOUBLE, 360K),  /* 180 KB  */
    FORMAT(40, 2, 8, DOUBLE, 360K),  /* 320 KB  */
    FORMAT(40, 2, 9, DOUBLE, 360K),  /* 360 KB  */
    FORMAT(80, 2, 9, DOUBLE, 1M44),  /* 720 KB  */
    FORMAT(80, 2, 10, DOUBLE, 1M44), /* 800 KB  */
    FORMAT(82, 2, 10, DOUBLE, 1M44), /* 820 KB  */
    FORMAT(80, 2, 15, HIGH, 1M2),    /* 1.2 MB  */
    FORMAT(80, 2, 18, HIGH, 1M44),   /* 1.44 MB */
    FORMAT(82, 2, 18, HIGH, 1M44),   /* 1.48 MB */
    FORMAT(83, 2, 18, HIGH, 1M44),   /* 1.49 MB */
    FORMAT(80, 2, 20, HIGH, 1M44),   /* 1.6 MB  */
    FORMAT(80, 2, 21, HIGH, 1M44),   /* 1.68 MB */
    FORMAT(82, 2, 21, HIGH, 1M44),   /* 1.72 MB */
    FORMAT(83, 2, 21, HIGH, 1M44),   /* 1.74 MB */
    FORMAT(80, 2, 36, EXTRA, 2M88),  /* 2.88 MB */
};

static bool is_standard_35(const struct floppy_format *f)
{
    return f->image_sectors == 1440 || f->image_sectors == 2880 ||
           f->image_sectors == FLOPPY_MAX_SECTORS;
}

const struct floppy_format *floppy_format_find(u64 sectors)
{
    const struct floppy_format *best = NULL;

    for (unsigned i = 0; i < ARRAY_LEN(formats); i++) {
        const struct floppy_format *f = &formats[i];
        if (f->image_sectors == sectors)
            return f;
        if (is_standard_35(f) && f->image_sectors > sectors &&
            (!best || f->image_sectors < best->image_sectors))
            best = f;
    }
    return best;
}

bool floppy_fits(u8 drive, const struct floppy_format *f)
{
    return drive == f->type || (drive == FLOPPY_2M88 && f->type == FLOPPY_1M44);
}
