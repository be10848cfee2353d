/* SPDX-License-Identifier: MIT */
/*
 * ATAPI: the commands of a CD-ROM drive.
 *
 * References: [MMC-3] Multi-Media Commands; [SFF-8020i] ATA Packet Interface for CD-ROMs.
 *
 * The medium is one data track in mode 1. Sense data of a command stay until the next one.
 *
 * Not implemented: audio tracks, sessions, DVD structures, MODE SELECT.
 */
#include "devices/ata_state.h"

#include "base/bits.h"
#include "base/log.h"

enum packet_command {
    TEST_UNIT_READY = 0x00,
    REQUEST_SENSE = 0x03,
    INQUIRY = 0x12,
    START_STOP_UNIT = 0x1b,
    PREVENT_REMOVAL = 0x1e,
    READ_CAPACITY = 0x25,
    READ_10 = 0x28,
    SEEK_10 = 0x2b,
    SYNCHRONIZE_CACHE = 0x35,
    READ_SUBCHANNEL = 0x42,
    READ_TOC = 0x43,
    GET_CONFIGURATION = 0x46,
    GET_EVENT_STATUS = 0x4a,
    STOP_PLAY = 0x4e,
    READ_DISC_INFORMATION = 0x51,
    READ_TRACK_INFORMATION = 0x52,
    MODE_SENSE_10 = 0x5a,
    READ_12 = 0xa8,
    READ_CD_MSF = 0xb9,
    SET_CD_SPEED = 0xbb,
    MECHANISM_STATUS = 0xbd,
    READ_CD = 0xbe,
};

enum {
    START_BIT = BIT(0),
    LOAD_EJECT = BIT(1),
    EVENT_POLLED = BIT(0),
    TYPE_ANY = 0, /* expected sector type of READ CD */
    TYPE_MODE_1 = 2,
    CD_SYNC = BIT(7), /* byte 9 of READ CD */
    CD_HEADERS = BIT(5) | BIT(6),
    CD_USER = BIT(4),
    CD_ECC = BIT(3),
    CD_C2 = BIT(1) | BIT(2),
    SYNC_BYTES = 12,
    NO_AUDIO = 0x15,
};

static u32 be16(const u8 *p)
{
    return (u32)p[0] << 8 | p[1];
}

static u32 be24(const u8 *p)
{
    return (u32)p[0] << 16 | (u32)p[1] << 8 | p[2];
}

static u32 be32(const u8 *p)
{
    return (u32)p[0] << 24 | be24(p + 1);
}

struct block *atapi_medium(const struct ata_drive *d)
{
    return d->cd.open ? NULL : d->desc->disk;
}

u32 atapi_sectors(const struct ata_drive *d)
{
    const struct block *b = atapi_medium(d);
    u64 n = b ? (block_sectors(b) + CD_SECTOR / BLOCK_SECTOR - 1) / (CD_SECTOR / BLOCK_SECTOR) : 0;

    return n > UINT32_MAX ? UINT32_MAX : (u32)n;
}

static void invalid_field(struct ata_channel *c)
{
    atapi_fail(c, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD, 0);
}

/* ---- conditions that come before the command ---- */

/* Commands that answer although a unit attention waits [MMC-3 §4.1.6]. */
static bool ignores_attention(u8 command)
{
    return command == INQUIRY || command == REQUEST_SENSE || command == GET_CONFIGURATION ||
           command == GET_EVENT_STATUS;
}

static bool needs_medium(u8 command)
{
    switch (command) {
    case TEST_UNIT_READY:
    case READ_CAPACITY:
    case READ_10:
    case READ_12:
    case SEEK_10:
    case READ_CD:
    case READ_CD_MSF:
    case READ_TOC:
    case READ_SUBCHANNEL:
    case READ_DISC_INFORMATION:
    case READ_TRACK_INFORMATION:
        return true;
    default:
        return false;
    }
}

static bool may_run(struct ata_channel *c)
{
    struct ata_drive *d = ata_active(c);
    u8 command = c->packet.packet[0];

    if (d->cd.attention && !ignores_attention(command)) {
        u8 asc = d->cd.attention;
        d->cd.attention = 0;
        atapi_fail(c, SENSE_UNIT_ATTENTION, asc, 0);
        return false;
    }
    if (needs_medium(command) && !atapi_medium(d)) {
        atapi_fail(c, SENSE_NOT_READY, ASC_NO_MEDIUM, d->cd.open ? 2 : 1);
        return false;
    }
    return true;
}

/* ---- the commands ---- */

static void request_sense(struct ata_channel *c)
{
    struct ata_drive *d = ata_active(c);

    if (d->cd.sense == 0 && d->cd.attention) {
        d->cd.sense = SENSE_UNIT_ATTENTION;
        d->cd.asc = d->cd.attention;
        d->cd.attention = 0;
    }
    atapi_give_reply(c, atapi_request_sense(c->packet.reply, d), c->packet.packet[4]);
}

static void read_capacity(struct ata_channel *c)
{
    u8 *r = c->packet.reply;
    u32 last = atapi_sectors(ata_active(c)) - 1;

    for (unsigned i = 0; i < 4; i++) {
        r[i] = (u8)(last >> (24 - 8 * i));
        r[4 + i] = (u8)((u32)CD_SECTOR >> (24 - 8 * i));
    }
    atapi_give_reply(c, 8, 8);
}

static bool in_range(struct ata_channel *c, u32 first, u32 count)
{
    u32 sectors = atapi_sectors(ata_active(c));

    if (first <= sectors && count <= sectors - first)
        return true;
    atapi_fail(c, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE, 0);
    return false;
}

static void read_sectors(struct ata_channel *c)
{
    const u8 *p = c->packet.packet;
    u32 first = be32(p + 2);
    u32 count = p[0] == READ_12 ? be32(p + 6) : be16(p + 7);

    if (in_range(c, first, count))
        atapi_give_sectors(c, first, count, CD_HEADER, CD_SECTOR);
}

/* Which part of raw sectors READ CD asks for; false if it is not one piece of a mode 1 sector. */
static bool raw_part(u8 what, unsigned *skip, unsigned *unit)
{
    static const struct {
        u8 bit;
        u16 from, to;
    } parts[] = {
        {CD_SYNC, 0, SYNC_BYTES},
        {BIT(5), SYNC_BYTES, CD_HEADER},
        {CD_USER, CD_HEADER, CD_HEADER + CD_SECTOR},
        {CD_ECC, CD_HEADER + CD_SECTOR, CD_RAW},
    };

    *skip = *unit = 0;
    for (unsigned i = 0; i < ARRAY_LEN(parts); i++) {
        if (!(what & parts[i].bit))
            continue;
        if (*unit && *skip + *unit != parts[i].from)
            return false;
        if (!*unit)
            *skip = parts[i].from;
        *unit += parts[i].to - parts[i].from;
    }
    return !(what & CD_C2);
}

static u32 from_msf(const u8 *msf)
{
    u32 frames = ((u32)msf[0] * 60 + msf[1]) * 75 + msf[2];

    return frames < 150 ? UINT32_MAX : frames - 150;
}

static void read_cd(struct ata_channel *c)
{
    const u8 *p = c->packet.packet;
    u32 first = be32(p + 2), count = be24(p + 6);
    unsigned skip, unit, type = p[1] >> 2 & 7;

    if (p[0] == READ_CD_MSF) {
        first = from_msf(p + 3);
        count = from_msf(p + 6) - first;
    }
    if (!in_range(c, first, count))
        return;
    if (type != TYPE_ANY && type != TYPE_MODE_1)
        atapi_fail(c, SENSE_ILLEGAL_REQUEST, ASC_ILLEGAL_MODE, 0);
    else if (!raw_part(p[9], &skip, &unit) || p[10] & 7)
        invalid_field(c);
    else
        atapi_give_sectors(c, first, count, skip, unit);
}

static void read_toc(struct ata_channel *c)
{
    size_t len = atapi_toc(c->packet.reply, ata_active(c), c->packet.packet);

    if (len)
        atapi_give_reply(c, len, be16(c->packet.packet + 7));
    else
        invalid_field(c);
}

static void read_subchannel(struct ata_channel *c)
{
    u8 *r = c->packet.reply;

    store32(r, (u32)NO_AUDIO << 8);
    atapi_give_reply(c, 4, be16(c->packet.packet + 7));
}

static void start_stop(struct ata_channel *c)
{
    struct ata_drive *d = ata_active(c);
    u8 what = c->packet.packet[4];

    if (what & LOAD_EJECT && !(what & START_BIT) && d->cd.locked) {
        atapi_fail(c, SENSE_ILLEGAL_REQUEST, ASC_REMOVAL_PREVENTED, 2);
        return;
    }
    if (what & LOAD_EJECT && d->cd.open != !(what & START_BIT)) {
        d->cd.open = !(what & START_BIT);
        d->cd.event = d->cd.open ? ATAPI_EVENT_REMOVED : ATAPI_EVENT_NEW;
        if (!d->cd.open && d->desc->disk)
            d->cd.attention = ASC_MEDIUM_CHANGED;
    }
    atapi_finish(c);
}

static void prevent(struct ata_channel *c)
{
    ata_active(c)->cd.locked = c->packet.packet[4] & 1;
    atapi_finish(c);
}

static void get_event_status(struct ata_channel *c)
{
    const u8 *p = c->packet.packet;

    if (p[1] & EVENT_POLLED)
        atapi_give_reply(c, atapi_event_status(c->packet.reply, ata_active(c), p[4]), be16(p + 7));
    else
        invalid_field(c);
}

static void mode_sense(struct ata_channel *c)
{
    const u8 *p = c->packet.packet;
    size_t len;

    if (p[2] >> 6 == 3) {
        atapi_fail(c, SENSE_ILLEGAL_REQUEST, ASC_SAVING_NOT_SUPPORTED, 0);
        return;
    }
    len = atapi_mode_sense(c->packet.reply, ata_active(c), p[2] & 0x3f);
    if (len)
        atapi_give_reply(c, len, be16(p + 7));
    else
        invalid_field(c);
}

static void run_query(struct ata_channel *c)
{
    const u8 *p = c->packet.packet;
    struct ata_drive *d = ata_active(c);
    u8 *r = c->packet.reply;

    switch (p[0]) {
    case REQUEST_SENSE:
        request_sense(c);
        break;
    case INQUIRY:
        atapi_give_reply(c, atapi_inquiry(r), p[4]);
        break;
    case GET_CONFIGURATION:
        atapi_give_reply(c, atapi_configuration(r, d, p), be16(p + 7));
        break;
    case GET_EVENT_STATUS:
        get_event_status(c);
        break;
    case MODE_SENSE_10:
        mode_sense(c);
        break;
    case MECHANISM_STATUS:
        atapi_give_reply(c, atapi_mechanism_status(r, d), be16(p + 8));
        break;
    case READ_DISC_INFORMATION:
        atapi_give_reply(c, atapi_disc_information(r), be16(p + 7));
        break;
    case READ_TRACK_INFORMATION:
        atapi_give_reply(c, atapi_track_information(r, d), be16(p + 7));
        break;
    default:
        log_guest(DISK, "packet command %02x is not supported", p[0]);
        atapi_fail(c, SENSE_ILLEGAL_REQUEST, ASC_INVALID_COMMAND, 0);
        break;
    }
}

void atapi_command(struct ata_channel *c)
{
    if (!may_run(c))
        return;
    switch (c->packet.packet[0]) {
    case TEST_UNIT_READY:
    case SYNCHRONIZE_CACHE:
    case SET_CD_SPEED:
    case STOP_PLAY:
        atapi_finish(c);
        break;
    case READ_10:
    case READ_12:
        read_sectors(c);
        break;
    case READ_CD:
    case READ_CD_MSF:
        read_cd(c);
        break;
    case READ_CAPACITY:
        read_capacity(c);
        break;
    case SEEK_10:
        if (in_range(c, be32(c->packet.packet + 2), 1))
            atapi_finish(c);
        break;
    case READ_TOC:
        read_toc(c);
        break;
    case READ_SUBCHANNEL:
        read_subchannel(c);
        break;
    case START_STOP_UNIT:
        start_stop(c);
        break;
    case PREVENT_REMOVAL:
        prevent(c);
        break;
    default:
        run_query(c);
        break;
    }
}
