/* SPDX-License-Identifier: MIT */
/*
 * 82077AA: the commands that look at the disk's surface.
 *
 * Reference: [82077AA §5.2] data transfer commands, Table 5-5 result of the sector ID.
 *
 * A sector is an event: when it has come under the head, it is moved whole, by DMA or into the
 * buffer for the host. A drive without a medium, or with its motor off, is one whose medium has no
 * address marks; the chip itself would wait for the index hole for ever.
 *
 * Not implemented: sectors of other sizes than 512 bytes and deleted data marks, which an image
 * has no place for; formatting to another geometry than that of the image.
 */
#include "devices/i82077_state.h"

#include <string.h>

#include "base/log.h"

enum {
    RATE_500 = 0,
    RATE_300 = 1,
    RATE_250 = 2,
    RATE_1000 = 3,
    N_512 = 2,
    ID_BYTES = 4,
    SCAN_ANY = 0xff,
};

/* A double-density drive may turn at 300 or, as the AT's, at 360 per minute. */
static bool rate_matches(const struct floppy_format *format, u8 rate)
{
    switch (format->density) {
    case FLOPPY_DOUBLE:
        return rate == RATE_250 || rate == RATE_300;
    case FLOPPY_HIGH:
        return rate == RATE_500;
    default:
        return rate == RATE_1000;
    }
}

static u8 code(const struct i82077 *f)
{
    return f->command[0] & FDC_COMMAND_CODE;
}

static bool is_write(const struct i82077 *f)
{
    return code(f) == FDC_WRITE || code(f) == FDC_WRITE_DELETED;
}

static bool is_scan(const struct i82077 *f)
{
    return code(f) == FDC_SCAN_EQUAL || code(f) == FDC_SCAN_LOW || code(f) == FDC_SCAN_HIGH;
}

static bool uses_dma(const struct i82077 *f)
{
    return !(f->specify[1] & 1);
}

static u8 last_sector(const struct i82077 *f)
{
    return f->command[6];
}

/* ---- ends ---- */

static void finish(struct i82077 *f, unsigned st0)
{
    u8 b[7] = {
        (u8)(st0 | (f->command[1] & 3) | f->head << 2), f->st1, f->st2, f->c, f->h, f->r, f->n};

    fdc_result(f, b, sizeof(b), true);
}

static void fail(struct i82077 *f, unsigned st1, unsigned st2)
{
    f->st1 |= (u8)st1;
    f->st2 |= (u8)st2;
    finish(f, ST0_ABNORMAL);
}

/* The ID behind the last sector. False at the end of the cylinder [82077AA Table 5-5]. */
static bool advance(struct i82077 *f)
{
    if (f->r != last_sector(f)) {
        f->r++;
        return true;
    }
    f->r = 1;
    if (!(f->command[0] & FDC_MT)) {
        f->c++;
        return false;
    }
    f->h ^= 1;
    f->head ^= 1;
    if (f->head == 1)
        return true;
    f->c++;
    return false;
}

/* ---- finding things on the disk ---- */

/* The track under the head of the drive in use; NULL if nothing is recorded there. */
static const struct floppy_format *track(struct i82077 *f)
{
    const struct fdc_drive *d = fdc_selected(f);

    if (!d || !d->medium || !rate_matches(d->format, f->dsr & 3) || !(f->command[0] & FDC_MFM) ||
        d->cylinder >= d->format->cylinders || f->head >= d->format->heads)
        return NULL;
    return d->format;
}

static bool sector_lba(struct i82077 *f, u8 r, u64 *lba)
{
    const struct fdc_drive *d = fdc_selected(f);
    const struct floppy_format *t = d->format;

    *lba = ((u64)d->cylinder * t->heads + f->head) * t->sectors + r - 1u;
    return *lba < block_sectors(d->medium);
}

/* The sector with the ID that is looked for. False: the command has ended. */
static bool find_sector(struct i82077 *f, u64 *lba)
{
    const struct floppy_format *t = track(f);
    u8 cylinder = t ? fdc_selected(f)->cylinder : 0;

    if (!t || !sector_lba(f, 1, lba)) {
        fail(f, ST1_MISSING_MARK, 0);
        return false;
    }
    if (f->c != cylinder) {
        fail(f, ST1_NO_DATA, f->c == 0xff ? ST2_BAD_CYLINDER : ST2_WRONG_CYLINDER);
        return false;
    }
    if (f->h != f->head || f->n != N_512 || f->r == 0 || f->r > t->sectors ||
        !sector_lba(f, f->r, lba)) {
        fail(f, ST1_NO_DATA, 0);
        return false;
    }
    return true;
}

static struct block *medium(struct i82077 *f)
{
    return fdc_selected(f)->medium;
}

static bool read_sector(struct i82077 *f, u64 lba)
{
    if (block_read(medium(f), lba, 1, f->buffer) == STATUS_OK)
        return true;
    fail(f, ST1_DATA_ERROR, ST2_DATA_ERROR);
    return false;
}

static bool may_write(struct i82077 *f)
{
    const struct fdc_drive *d = fdc_selected(f);

    if (!d || !d->medium || !block_read_only(d->medium))
        return true;
    fail(f, ST1_NOT_WRITABLE, 0);
    return false;
}

static bool write_sector(struct i82077 *f, u64 lba)
{
    if (block_write(medium(f), lba, 1, f->buffer) == STATUS_OK)
        return true;
    fail(f, ST1_DATA_ERROR, ST2_DATA_ERROR);
    return false;
}

/* ---- sectors one after another ---- */

/* A sector is done: the next one, or the end. */
static void next_sector(struct i82077 *f)
{
    bool more = advance(f);

    f->done++;
    if (f->tc)
        finish(f, 0);
    else if (f->st2 & ST2_CONTROL_MARK)
        finish(f, 0);
    else if (!more)
        fail(f, ST1_END_OF_CYLINDER, 0);
    else
        fdc_later(f, FDC_ACCESS, FDC_SECTOR_NS);
}

/* Let the DMA controller move the buffer's first @len bytes. False: the command has ended. */
static bool dma(struct i82077 *f, unsigned len, bool to_memory)
{
    size_t n = i8237_transfer(f->desc.dma, f->desc.channel, f->buffer, len, to_memory, &f->tc);

    if (n == 0 || !(f->dor & DOR_DMAGATE)) {
        fail(f, ST1_OVERRUN, 0); /* nobody answered the request */
        return false;
    }
    if (!to_memory)
        memset(f->buffer + n, 0, len - n);
    return true;
}

/* One sector to the host. */
static void give(struct i82077 *f)
{
    if (!uses_dma(f))
        fdc_pio(f, FDC_GIVE, BLOCK_SECTOR);
    else if (dma(f, BLOCK_SECTOR, true))
        next_sector(f);
}

/* One sector, or one ID for FORMAT, from the host. */
static void take(struct i82077 *f, unsigned len)
{
    if (!uses_dma(f)) {
        fdc_pio(f, FDC_TAKE, len);
    } else if (dma(f, len, false)) {
        f->phase = FDC_STORE;
        fdc_data_due(f);
    }
}

static void read_due(struct i82077 *f)
{
    bool deleted = code(f) == FDC_READ_DELETED;
    u64 lba;

    if (!find_sector(f, &lba) || !read_sector(f, lba))
        return;
    if (deleted && f->command[0] & FDC_SK) {
        next_sector(f); /* all data marks are normal ones: skipped */
        return;
    }
    if (deleted)
        f->st2 |= ST2_CONTROL_MARK; /* read, and the last one */
    give(f);
}

/* From the index hole on, whatever the IDs are; a wrong one is only told. */
static void read_track_due(struct i82077 *f)
{
    const struct floppy_format *t = track(f);
    u64 lba;

    if (!t || f->done >= t->sectors || !sector_lba(f, (u8)(f->done + 1), &lba)) {
        fail(f, t && f->done ? ST1_END_OF_CYLINDER : ST1_MISSING_MARK, 0);
        return;
    }
    if (f->c != fdc_selected(f)->cylinder || f->h != f->head || f->r != f->done + 1)
        f->st1 |= ST1_NO_DATA;
    if (read_sector(f, lba))
        give(f);
}

/* EC: DTL counts the sectors; without it, EOT ends it as it should [82077AA §5.2.5]. */
static void verify_due(struct i82077 *f)
{
    bool counted = f->command[1] & FDC_VERIFY_EC;
    u64 lba;

    if (!find_sector(f, &lba) || !read_sector(f, lba))
        return;
    f->done++;
    bool more = advance(f);
    if (counted ? f->done == f->command[8] : !more)
        finish(f, 0);
    else if (!more)
        fail(f, ST1_END_OF_CYLINDER, 0);
    else
        fdc_later(f, FDC_ACCESS, FDC_SECTOR_NS);
}

static void write_due(struct i82077 *f)
{
    u64 lba;

    if (may_write(f) && find_sector(f, &lba))
        take(f, BLOCK_SECTOR);
}

static void scan_due(struct i82077 *f)
{
    u64 lba;

    if (find_sector(f, &lba))
        take(f, BLOCK_SECTOR);
}

/* What the host gave is compared, and the disk's byte is the smaller or larger one. */
static void scan_store(struct i82077 *f)
{
    u8 disk[BLOCK_SECTOR];
    u64 lba;
    int order = 0;

    if (!find_sector(f, &lba))
        return;
    if (block_read(medium(f), lba, 1, disk) != STATUS_OK) {
        fail(f, ST1_DATA_ERROR, ST2_DATA_ERROR);
        return;
    }
    for (unsigned i = 0; i < BLOCK_SECTOR && order == 0; i++) {
        if (disk[i] != f->buffer[i] && disk[i] != SCAN_ANY && f->buffer[i] != SCAN_ANY)
            order = disk[i] < f->buffer[i] ? -1 : 1;
    }
    bool hit = order == 0 || (code(f) == FDC_SCAN_LOW && order < 0) ||
               (code(f) == FDC_SCAN_HIGH && order > 0);
    if (hit) {
        f->st2 |= order == 0 ? ST2_SCAN_HIT : 0;
        finish(f, 0);
        return;
    }
    u8 step = f->command[8] > 1 ? 2 : 1;
    if (f->tc || f->r + step > last_sector(f)) {
        f->st2 |= ST2_SCAN_NOT_SATISFIED;
        finish(f, 0);
        return;
    }
    f->r = (u8)(f->r + step);
    fdc_later(f, FDC_ACCESS, FDC_SECTOR_NS);
}

/* ---- FORMAT TRACK: N, sectors, gap, filler are the command's bytes 2 to 5 ---- */

static void format_due(struct i82077 *f)
{
    const struct floppy_format *t = track(f);

    if (!may_write(f))
        return;
    if (!t || f->command[2] != N_512 || f->command[3] != t->sectors) {
        log_todo(FLOPPY, "format to N=%u, %u sectors: the image has no place for it", f->command[2],
                 f->command[3]);
        finish(f, ST0_ABNORMAL | ST0_EQUIPMENT);
        return;
    }
    take(f, ID_BYTES);
}

static void format_store(struct i82077 *f)
{
    const struct floppy_format *t = track(f);
    u64 lba;

    f->c = f->buffer[0], f->h = f->buffer[1], f->r = f->buffer[2], f->n = f->buffer[3];
    if (!t) {
        finish(f, ST0_ABNORMAL | ST0_EQUIPMENT);
        return;
    }
    memset(f->buffer, f->command[5], BLOCK_SECTOR);
    if (f->r == 0 || f->r > t->sectors || f->n != N_512 || f->h != f->head)
        log_todo(FLOPPY, "format with ID %u/%u/%u/%u: no such sector", f->c, f->h, f->r, f->n);
    else if (sector_lba(f, f->r, &lba) && !write_sector(f, lba))
        return;
    f->done++;
    if (f->done == f->command[3])
        finish(f, 0);
    else
        fdc_later(f, FDC_ACCESS, FDC_SECTOR_NS);
}

/* The ID that comes next under the head. */
static void read_id_due(struct i82077 *f)
{
    const struct floppy_format *t = track(f);
    u64 lba;

    if (!t || !sector_lba(f, 1, &lba)) {
        fail(f, ST1_MISSING_MARK, 0);
        return;
    }
    f->c = fdc_selected(f)->cylinder;
    f->h = f->head;
    f->r = (u8)(clock_now(f->desc.clk) / FDC_SECTOR_NS % t->sectors + 1);
    f->n = N_512;
    finish(f, 0);
}

/* ---- phases ---- */

void fdc_start_data(struct i82077 *f)
{
    unsigned unit = f->command[1] & 3u;
    u64 ns = FDC_ACCESS_NS;

    if (unit != (f->dor & DOR_SELECT))
        log_guest(FLOPPY, "command for drive %u while %u is selected", unit, f->dor & DOR_SELECT);
    f->head = f->command[1] >> 2 & 1;
    f->st1 = f->st2 = f->done = 0;
    f->tc = false;
    if (code(f) != FDC_FORMAT && code(f) != FDC_READ_ID) {
        f->c = f->command[2], f->h = f->command[3], f->r = f->command[4], f->n = f->command[5];
        if (f->config & CONFIG_IMPLIED_SEEK)
            ns += fdc_move(f, unit, f->c);
    }
    fdc_later(f, FDC_ACCESS, ns);
}

static void store(struct i82077 *f)
{
    u64 lba;

    if (code(f) == FDC_FORMAT)
        format_store(f);
    else if (is_scan(f))
        scan_store(f);
    else if (may_write(f) && find_sector(f, &lba) && write_sector(f, lba))
        next_sector(f);
}

void fdc_data_due(struct i82077 *f)
{
    if (f->phase == FDC_STORE) {
        store(f);
        return;
    }
    switch (code(f)) {
    case FDC_READ:
    case FDC_READ_DELETED:
        read_due(f);
        break;
    case FDC_READ_TRACK:
        read_track_due(f);
        break;
    case FDC_VERIFY:
        verify_due(f);
        break;
    case FDC_FORMAT:
        format_due(f);
        break;
    case FDC_READ_ID:
        read_id_due(f);
        break;
    default:
        if (is_write(f))
            write_due(f);
        else
            scan_due(f);
        break;
    }
}

void fdc_pio_done(struct i82077 *f)
{
    if (f->phase == FDC_TAKE)
        fdc_later(f, FDC_STORE, FDC_SECTOR_NS);
    else
        next_sector(f);
}
