/* SPDX-License-Identifier: MIT */
/* The images behind the IDE connectors; without any, and without a kernel, our demo disk. */
#include <stdio.h>
#include <string.h>

#include "machine/board.h"
#include "machine/hostfile.h"

static enum status open_disk(struct pc *pc, unsigned i)
{
    char error[BLOCK_ERR_SIZE] = "";
    const struct drive *d = &pc->drive[i];
    const struct block_options options = {.read_only = d->readonly, .snapshot = d->snapshot};
    enum status s = block_open(&pc->disk[i], d->path, &options, error);

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
        if (!pc->drive[i].present)
            continue;
        any = true;
        enum status s = open_disk(pc, i);
        if (s != STATUS_OK)
            return s;
    }
    if (any || (kernel && *kernel) || !demo)
        return STATUS_OK;
    return block_create_memory(&pc->disk[0], demo->bytes, demo->size);
}

void pc_close_disks(struct pc *pc)
{
    for (unsigned i = 0; i < DRIVE_COUNT; i++)
        block_close(pc->disk[i]);
}

u8 pc_disk_translation(const struct pc *pc)
{
    enum { NONE = 0, LBA = 1, CHS_SECTORS = 1024 * 16 * 63 };
    u8 bits = 0;

    for (unsigned i = 0; i < DRIVE_COUNT; i++) {
        if (pc->disk[i] && block_sectors(pc->disk[i]) > CHS_SECTORS)
            bits |= (u8)(LBA << 2 * i);
    }
    return bits;
}
