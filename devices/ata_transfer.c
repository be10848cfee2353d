/* SPDX-License-Identifier: MIT */
/*
 * ATA data commands: addresses, PIO blocks, DMA.
 *
 * Reference: [ATA6] §9.5-9.7 (PIO in, PIO out, DMA), §6.2 sector addressing.
 *
 * Host I/O happens at the deadline of a request, in one go. A failing host is an uncorrectable
 * error of the drive at that sector.
 */
#include "devices/ata_state.h"

enum { DMA_CHUNK_SECTORS = 32 };

static u64 reg48(const struct ata_drive *d, unsigned byte)
{
    return (u64)d->reg[ATA_LOW][byte] | (u64)d->reg[ATA_MID][byte] << 8 |
           (u64)d->reg[ATA_HIGH][byte] << 16;
}

/* The first sector as the registers say; false if there is no such sector. */
static bool get_address(const struct ata_drive *d, bool ext, u64 *lba)
{
    u8 device = d->reg[ATA_DEVICE][0];

    if (ext) {
        *lba = reg48(d, 0) | reg48(d, 1) << 24;
    } else if (device & ATA_LBA) {
        *lba = reg48(d, 0) | (u64)(device & 15) << 24;
    } else {
        u32 cylinder = d->reg[ATA_MID][0] | (u32)d->reg[ATA_HIGH][0] << 8;
        u32 head = device & 15, sector = d->reg[ATA_LOW][0];
        if (sector == 0 || sector > d->sectors || head >= d->heads)
            return false;
        *lba = ((u64)cylinder * d->heads + head) * d->sectors + sector - 1;
    }
    return *lba < block_sectors(d->desc->disk);
}

void ata_set_address(struct ata_channel *c, u64 lba)
{
    struct ata_drive *d = ata_active(c);
    u8 *device = &d->reg[ATA_DEVICE][0];

    if (!c->ext && !(*device & ATA_LBA) && d->heads && d->sectors) {
        u64 track = lba / d->sectors, cylinder = track / d->heads;
        d->reg[ATA_LOW][0] = (u8)(lba % d->sectors + 1);
        d->reg[ATA_MID][0] = (u8)cylinder;
        d->reg[ATA_HIGH][0] = (u8)(cylinder >> 8);
        *device = (u8)((*device & 0xf0) | track % d->heads);
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        d->reg[ATA_LOW + i][0] = (u8)(lba >> 8 * i);
        if (c->ext)
            d->reg[ATA_LOW + i][1] = (u8)(lba >> (24 + 8 * i));
    }
    if (!c->ext)
        *device = (u8)((*device & 0xf0) | (lba >> 24 & 15));
}

/* Take address and count from the registers. On a bad range the command has ended. */
static bool begin(struct ata_channel *c, bool ext)
{
    struct ata_drive *d = ata_active(c);
    u32 count = d->reg[ATA_COUNT][0];

    c->ext = ext;
    if (ext)
        count |= (u32)d->reg[ATA_COUNT][1] << 8;
    if (count == 0)
        count = ext ? 65536 : 256;
    if (!get_address(d, ext, &c->lba)) {
        ata_finish(c, ATA_IDNF);
        return false;
    }
    c->left = count;
    return true;
}

/* How many of @count sectors exist. */
static u32 in_disk(const struct ata_channel *c, u32 count)
{
    u64 sectors = block_sectors(c->drive[c->active].desc->disk);
    u64 room = c->lba < sectors ? sectors - c->lba : 0;

    return count < room ? count : (u32)room;
}

static bool is_multiple(const struct ata_channel *c)
{
    return c->command == 0xc4 || c->command == 0xc5 || c->command == 0x29 || c->command == 0x39;
}

/* Sectors between two interrupts. */
static u32 block_of(const struct ata_channel *c)
{
    u32 n = is_multiple(c) ? c->drive[c->active].multiple : 1;

    return n < c->left ? n : c->left;
}

static void advance(struct ata_channel *c, u32 n)
{
    c->lba += n;
    c->left -= n;
    if (n)
        ata_set_address(c, c->lba - 1);
    ata_active(c)->reg[ATA_COUNT][0] = (u8)c->left;
    if (c->ext)
        ata_active(c)->reg[ATA_COUNT][1] = (u8)(c->left >> 8);
}

static void fail(struct ata_channel *c, u8 error)
{
    ata_set_address(c, c->lba);
    ata_finish(c, error);
}

static u64 access_ns(u32 sectors)
{
    return ATA_ACCESS_NS + (u64)sectors * ATA_KIB_NS / 2;
}

static bool multiple_is_off(struct ata_channel *c)
{
    if (!is_multiple(c) || ata_active(c)->multiple)
        return false;
    ata_finish(c, ATA_ABRT);
    return true;
}

/* ---- PIO ---- */

void ata_start_read(struct ata_channel *c, bool ext)
{
    if (!multiple_is_off(c) && begin(c, ext))
        ata_later(c, ATA_READ, access_ns(block_of(c)));
}

void ata_start_write(struct ata_channel *c, bool ext)
{
    if (!multiple_is_off(c) && begin(c, ext))
        ata_pio(c, ATA_PIO_OUT, block_of(c) * BLOCK_SECTOR);
}

void ata_fetch(struct ata_channel *c)
{
    u32 n = in_disk(c, block_of(c));

    if (n == 0 || n < block_of(c)) {
        fail(c, ATA_IDNF);
    } else if (block_read(ata_active(c)->desc->disk, c->lba, n, c->buffer) != STATUS_OK) {
        fail(c, ATA_UNC);
    } else {
        advance(c, n);
        ata_pio(c, ATA_PIO_IN, n * BLOCK_SECTOR);
        ata_interrupt(c);
    }
}

void ata_store(struct ata_channel *c)
{
    u32 n = c->len / BLOCK_SECTOR;

    if (in_disk(c, n) < n) {
        fail(c, ATA_IDNF);
    } else if (block_write(ata_active(c)->desc->disk, c->lba, n, c->buffer) != STATUS_OK) {
        fail(c, block_read_only(ata_active(c)->desc->disk) ? ATA_ABRT : ATA_UNC);
    } else {
        advance(c, n);
        if (c->left == 0) {
            ata_finish(c, 0);
        } else {
            ata_pio(c, ATA_PIO_OUT, block_of(c) * BLOCK_SECTOR);
            ata_interrupt(c);
        }
    }
}

/* The host has emptied or filled the buffer. */
void ata_pio_done(struct ata_channel *c)
{
    struct ata_drive *d = ata_active(c);

    if (c->phase == ATA_PIO_OUT && c->command == ATA_WRITE_BUFFER) {
        ata_finish(c, 0);
    } else if (c->phase == ATA_PIO_OUT) {
        ata_later(c, ATA_WRITE, access_ns(c->len / BLOCK_SECTOR));
    } else if (c->left) {
        ata_later(c, ATA_READ, ATA_BLOCK_NS + (u64)block_of(c) * ATA_KIB_NS / 2);
    } else {
        c->phase = ATA_IDLE; /* no interrupt after the last block */
        d->status = ATA_DRDY | ATA_DSC;
    }
}

void ata_verify(struct ata_channel *c, bool ext)
{
    if (!begin(c, ext))
        return;
    u32 n = in_disk(c, c->left);
    bool whole = n == c->left;
    advance(c, n);
    if (whole)
        ata_finish(c, 0);
    else
        fail(c, ATA_IDNF);
}

/* ---- DMA ---- */

void ata_start_dma(struct ata_channel *c, bool ext, bool to_memory)
{
    if (!c->ata->master) {
        ata_finish(c, ATA_ABRT);
        return;
    }
    if (!begin(c, ext))
        return;
    c->to_memory = to_memory;
    c->phase = ATA_DMA;
    ata_active(c)->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
    if (c->ata->master->ready(c->ata->master_ctx, c->number))
        ata_master_started(c->ata, c->number);
}

/* Up to a chunk. False when the transfer stops here, for whatever reason. */
static bool dma_step(struct ata_channel *c)
{
    u8 buf[DMA_CHUNK_SECTORS * BLOCK_SECTOR];
    struct block *disk = ata_active(c)->desc->disk;
    const struct ata_master *m = c->ata->master;
    u32 n = in_disk(c, c->left < DMA_CHUNK_SECTORS ? c->left : DMA_CHUNK_SECTORS);
    size_t bytes = (size_t)n * BLOCK_SECTOR;

    if (n == 0) {
        fail(c, ATA_IDNF);
        return false;
    }
    if (c->to_memory && block_read(disk, c->lba, n, buf) != STATUS_OK) {
        fail(c, ATA_UNC);
        return false;
    }
    if (m->move(c->ata->master_ctx, c->number, buf, bytes, c->to_memory) < bytes) {
        /* The table is too short. The drive waits for data that will not come [PIIX3 §3.5]. */
        c->deadline = CLOCK_NEVER;
        ata_active(c)->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
        return false;
    }
    if (!c->to_memory && block_write(disk, c->lba, n, buf) != STATUS_OK) {
        fail(c, block_read_only(disk) ? ATA_ABRT : ATA_UNC);
        return false;
    }
    advance(c, n);
    return c->left != 0;
}

void ata_dma_run(struct ata_channel *c)
{
    if (!c->ata->master->ready(c->ata->master_ctx, c->number)) {
        ata_active(c)->status = ATA_DRDY | ATA_DSC | ATA_DRQ; /* stopped meanwhile */
        return;
    }
    while (dma_step(c))
        ;
    if (c->left == 0 && c->phase == ATA_DMA)
        ata_finish(c, 0);
}
