/* SPDX-License-Identifier: MIT */
/*
 * ATAPI: the packet protocol of a CD-ROM drive on an ATA channel.
 *
 * References: [ATA6] §9.8 packet command protocol, §8.23 PACKET, §7.7.6 interrupt reason, §8.16
 * IDENTIFY PACKET DEVICE.
 *
 * Not implemented: overlapped and queued commands, packet commands that take data from the host.
 */
#include "devices/ata_state.h"

#include <string.h>

#include "base/bits.h"
#include "base/log.h"

enum {
    CMD_PACKET = 0xa0,
    CMD_IDENTIFY_PACKET = 0xa1,
    CMD_IDENTIFY = 0xec,
    CMD_SET_FEATURES = 0xef,
    CMD_IDLE_IMMEDIATE = 0xe1,
    CMD_CHECK_POWER = 0xe5,
    CMD_SLEEP = 0xe6,
    CMD_STANDBY_IMMEDIATE = 0xe0,

    FEATURE_DMA = BIT(0),
    FEATURE_OVERLAP = BIT(1),
    REASON_COMMAND = BIT(0), /* C/D */
    REASON_TO_HOST = BIT(1), /* I/O */
    POWER_ACTIVE = 0xff,

    SYNC_BYTES = 12,
    MODE_1 = 1,
};

static void set_reason(struct ata_channel *c, unsigned reason)
{
    ata_active(c)->reg[ATA_COUNT][0] = (u8)reason;
}

/* ---- IDENTIFY PACKET DEVICE ---- */

static void identify(struct ata_channel *c)
{
    memset(c->buffer, 0, BLOCK_SECTOR);
    ata_put_word(c, 0, 0x85c0); /* CD-ROM, removable, DRQ within 50 us, packets of 12 bytes */
    ata_put_serial(c);
    ata_put_text(c, 23, 4, "1.0");
    ata_put_text(c, 27, 20, "TURBO86 CD-ROM");
    ata_put_modes(c);
    ata_put_word(c, 71, 30); /* ns from PACKET to bus release: typical of the time */
    ata_put_word(c, 72, 30);
    ata_put_word(c, 80, 0x007e); /* ATA-1 to ATA-6 */
    ata_put_word(c, 82, 0x4210); /* NOP, DEVICE RESET, PACKET */
    ata_put_word(c, 83, 0x4000);
    ata_put_word(c, 84, 0x4000);
    ata_put_word(c, 85, 0x4210);
    ata_put_word(c, 87, 0x4000);
    c->packet.total = c->packet.at = 0;
    set_reason(c, REASON_TO_HOST);
    ata_pio(c, ATA_PIO_IN, BLOCK_SECTOR);
    ata_interrupt(c);
}

/* ---- the command's data ---- */

/* One raw sector; what an image does not have of it (EDC, ECC) is 0. */
static enum status raw_sector(const struct ata_drive *d, u32 lba, u8 *raw)
{
    static const u8 sync[SYNC_BYTES] = {0,    0xff, 0xff, 0xff, 0xff, 0xff,
                                        0xff, 0xff, 0xff, 0xff, 0xff, 0};
    struct block *b = atapi_medium(d);
    u64 first = (u64)lba * (CD_SECTOR / BLOCK_SECTOR);
    u64 left = b && block_sectors(b) > first ? block_sectors(b) - first : 0;
    u32 count = left < CD_SECTOR / BLOCK_SECTOR ? (u32)left : CD_SECTOR / BLOCK_SECTOR;

    memset(raw, 0, CD_RAW);
    memcpy(raw, sync, SYNC_BYTES);
    atapi_msf(lba, raw + SYNC_BYTES);
    for (unsigned i = 0; i < 3; i++)
        raw[SYNC_BYTES + i] = (u8)(raw[SYNC_BYTES + i] / 10 << 4 | raw[SYNC_BYTES + i] % 10);
    raw[SYNC_BYTES + 3] = MODE_1;
    return count ? block_read(b, first, count, raw + CD_HEADER) : STATUS_IO;
}

/* The next @n bytes of the command's data, into the buffer. False: the command has failed. */
static bool fill(struct ata_channel *c, size_t n)
{
    struct atapi_transfer *p = &c->packet;
    u8 raw[CD_RAW];

    if (!p->sectors) {
        memcpy(c->buffer, p->reply + p->at, n);
        p->at += n;
        return true;
    }
    for (size_t done = 0; done < n;) {
        u32 lba = p->first + (u32)(p->at / p->unit);
        unsigned within = (unsigned)(p->at % p->unit);
        size_t part = p->unit - within < n - done ? p->unit - within : n - done;
        if (raw_sector(ata_active(c), lba, raw) != STATUS_OK) {
            atapi_fail(c, SENSE_MEDIUM_ERROR, ASC_UNRECOVERED_READ, 0);
            return false;
        }
        memcpy(c->buffer + done, raw + p->skip + within, part);
        p->at += part;
        done += part;
    }
    return true;
}

static u64 transfer_ns(u64 bytes)
{
    return bytes * ATA_KIB_NS / 1024;
}

static void start_transfer(struct ata_channel *c)
{
    struct atapi_transfer *p = &c->packet;
    u64 access = p->sectors ? ATA_ACCESS_NS : 0;

    p->at = 0;
    if (p->total == 0) {
        atapi_finish(c);
    } else if (p->dma) {
        c->left = (u32)((p->total + BLOCK_SECTOR - 1) / BLOCK_SECTOR);
        c->to_memory = true;
        c->phase = ATA_DMA;
        ata_active(c)->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
        if (c->ata->master->ready(c->ata->master_ctx, c->number))
            ata_master_started(c->ata, c->number);
    } else {
        ata_later(c, ATA_READ, access + transfer_ns(p->limit));
    }
}

void atapi_give_reply(struct ata_channel *c, size_t len, size_t room)
{
    c->packet.sectors = false;
    c->packet.total = len < room ? len : room;
    start_transfer(c);
}

void atapi_give_sectors(struct ata_channel *c, u32 first, u32 count, unsigned skip, unsigned unit)
{
    struct atapi_transfer *p = &c->packet;

    p->sectors = true;
    p->first = first;
    p->skip = (u16)skip;
    p->unit = (u16)(unit ? unit : 1);
    p->total = (u64)count * unit;
    start_transfer(c);
}

/* ---- the protocol ---- */

void atapi_finish(struct ata_channel *c)
{
    struct atapi_drive *cd = &ata_active(c)->cd;

    cd->sense = cd->asc = cd->ascq = 0;
    set_reason(c, REASON_COMMAND | REASON_TO_HOST);
    ata_finish(c, 0);
}

void atapi_fail(struct ata_channel *c, u8 sense, u8 asc, u8 ascq)
{
    struct atapi_drive *cd = &ata_active(c)->cd;

    log_trace(DISK, "packet %02x: sense=%x asc=%02x ascq=%02x", c->packet.packet[0], sense, asc,
              ascq);
    cd->sense = sense;
    cd->asc = asc;
    cd->ascq = ascq;
    set_reason(c, REASON_COMMAND | REASON_TO_HOST);
    ata_finish(c, (u8)(sense << 4 | ATA_ABRT));
}

/* A block for the host, or the end. */
void atapi_fetch(struct ata_channel *c)
{
    struct atapi_transfer *p = &c->packet;
    struct ata_drive *d = ata_active(c);
    u64 left = p->total - p->at;
    u32 n = left < p->limit ? (u32)left : p->limit;

    if (n == 0) {
        atapi_finish(c);
        return;
    }
    c->buffer[n] = 0; /* of an odd count the host reads the last byte as half of a word */
    if (!fill(c, n))
        return;
    set_reason(c, REASON_TO_HOST);
    d->reg[ATA_MID][0] = (u8)n;
    d->reg[ATA_HIGH][0] = (u8)(n >> 8);
    ata_pio(c, ATA_PIO_IN, (n + 1) & ~1u);
    ata_interrupt(c);
}

void atapi_dma_run(struct ata_channel *c)
{
    struct atapi_transfer *p = &c->packet;
    const struct ata_master *m = c->ata->master;

    if (!m->ready(c->ata->master_ctx, c->number)) {
        ata_active(c)->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
        return;
    }
    while (p->at < p->total) {
        u64 left = p->total - p->at;
        size_t n = left < ATA_BUFFER ? (size_t)left : ATA_BUFFER;
        if (!fill(c, n))
            return;
        if (m->move(c->ata->master_ctx, c->number, c->buffer, n, true) < n) {
            ata_active(c)->status = ATA_DRDY | ATA_DSC | ATA_DRQ; /* as with disks: it waits */
            return;
        }
    }
    atapi_finish(c);
}

void atapi_pio_done(struct ata_channel *c)
{
    if (c->phase == ATA_PIO_OUT) {
        memcpy(c->packet.packet, c->buffer, ATAPI_PACKET);
        ata_later(c, ATA_PACKET, ATA_COMMAND_NS);
    } else if (c->command == CMD_PACKET) {
        ata_later(c, ATA_READ, ATA_BLOCK_NS + transfer_ns(c->packet.limit));
    } else {
        c->phase = ATA_IDLE;
        ata_active(c)->status = ATA_DRDY | ATA_DSC;
    }
}

void atapi_packet_due(struct ata_channel *c)
{
    const u8 *p = c->packet.packet;

    log_trace(DISK, "channel=%u packet=%02x %02x %02x%02x%02x%02x %02x%02x%02x%02x", c->number,
              p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9]);
    atapi_command(c);
}

/* The command register got A0h: ask for the packet, without an interrupt. */
static void packet(struct ata_channel *c)
{
    struct ata_drive *d = ata_active(c);
    u32 limit = d->reg[ATA_MID][0] | (u32)d->reg[ATA_HIGH][0] << 8;

    c->packet.dma = d->reg[ATA_FEATURES][0] & FEATURE_DMA;
    if (d->reg[ATA_FEATURES][0] & FEATURE_OVERLAP || (c->packet.dma && !c->ata->master)) {
        ata_finish(c, ATA_ABRT);
        return;
    }
    limit &= ~1u; /* only the last block of a command may be odd */
    if (limit == 0 || limit > ATA_BUFFER - 2)
        limit = ATA_BUFFER / CD_SECTOR * CD_SECTOR - CD_SECTOR;
    c->packet.limit = (u16)limit;
    set_reason(c, REASON_COMMAND);
    ata_pio(c, ATA_PIO_OUT, ATAPI_PACKET);
}

void atapi_execute(struct ata_channel *c)
{
    struct ata_drive *d = ata_active(c);

    switch (c->command) {
    case CMD_PACKET:
        packet(c);
        break;
    case CMD_IDENTIFY_PACKET:
        identify(c);
        break;
    case CMD_IDENTIFY: /* aborted, with the signature that says why */
        ata_signature(d);
        ata_finish(c, ATA_ABRT);
        break;
    case CMD_SET_FEATURES:
        ata_set_features(c);
        break;
    case CMD_CHECK_POWER:
        d->reg[ATA_COUNT][0] = POWER_ACTIVE;
        ata_finish(c, 0);
        break;
    case CMD_IDLE_IMMEDIATE:
    case CMD_STANDBY_IMMEDIATE:
    case CMD_SLEEP:
        ata_finish(c, 0);
        break;
    default:
        ata_finish(c, ATA_ABRT);
        break;
    }
}

/* Media stay where they are; the tray is as it was. */
void atapi_reset(struct ata_drive *d)
{
    bool open = d->cd.open;

    d->cd = (struct atapi_drive){.open = open, .attention = ASC_RESET};
}
