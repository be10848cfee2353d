/* SPDX-License-Identifier: MIT */
/*
 * ATAPI: what a CD-ROM drive says about itself and its medium.
 *
 * Reference: [MMC-3] §5 features, mode pages, §6 commands.
 */
#include "devices/ata_state.h"

#include <string.h>

enum {
    PROFILE_CD_ROM = 0x0008,
    PROFILE_DVD_ROM = 0x0010,
    CD_SECTORS_MAX = 449850, /* 99:59:74: what is larger must be a DVD */
    TRACK_LEAD_OUT = 0xaa,
    TRACK_DATA = 0x14, /* ADR 1: position; control 4: data */
    TOC_MSF = BIT(1),
    EVENT_CLASS_MEDIA = 4,
    EVENT_NONE_AVAILABLE = BIT(7),
    MEDIA_OPEN = BIT(0),
    MEDIA_PRESENT = BIT(1),
    MODE_HEADER = 8,
};

static void put16(u8 *p, u32 v)
{
    p[0] = (u8)(v >> 8);
    p[1] = (u8)v;
}

static void put32(u8 *p, u32 v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

void atapi_msf(u32 lba, u8 *msf)
{
    u32 frames = lba + 150;

    msf[0] = (u8)(frames / (75 * 60));
    msf[1] = (u8)(frames / 75 % 60);
    msf[2] = (u8)(frames % 75);
}

size_t atapi_inquiry(u8 *r)
{
    memset(r, 0, 36);
    r[0] = 0x05; /* CD-ROM */
    r[1] = 0x80; /* removable */
    r[3] = 0x21; /* ATAPI, response format 1 */
    r[4] = 31;   /* bytes that follow */
    memcpy(r + 8, "TURBO86 CD-ROM          1.0 ", 28);
    return 36;
}

size_t atapi_request_sense(u8 *r, const struct ata_drive *d)
{
    memset(r, 0, 18);
    r[0] = 0x70; /* current error */
    r[2] = d->cd.sense;
    r[7] = 10; /* bytes that follow */
    r[12] = d->cd.asc;
    r[13] = d->cd.ascq;
    return 18;
}

/* ---- READ TOC ---- */

static void put_address(u8 *p, u32 lba, bool msf)
{
    if (msf) {
        p[0] = 0;
        atapi_msf(lba, p + 1);
    } else {
        put32(p, lba);
    }
}

static u8 *put_track(u8 *p, u8 number, u32 lba, bool msf)
{
    p[0] = 0;
    p[1] = TRACK_DATA;
    p[2] = number;
    p[3] = 0;
    put_address(p + 4, lba, msf);
    return p + 8;
}

/* A line of the lead-in: @point is a track, or A0h to A2h. */
static u8 *put_point(u8 *p, u8 point, u8 m, u8 s, u8 f)
{
    memset(p, 0, 11);
    p[0] = 1; /* session */
    p[1] = TRACK_DATA;
    p[3] = point;
    p[8] = m;
    p[9] = s;
    p[10] = f;
    return p + 11;
}

static u8 *put_raw_toc(u8 *p, u32 sectors)
{
    u8 out[3];

    atapi_msf(sectors, out);
    p = put_point(p, 0xa0, 1, 0, 0); /* first track */
    p = put_point(p, 0xa1, 1, 0, 0); /* last track  */
    p = put_point(p, 0xa2, out[0], out[1], out[2]);
    return put_point(p, 1, 0, 2, 0);
}

size_t atapi_toc(u8 *r, const struct ata_drive *d, const u8 *packet)
{
    bool msf = packet[1] & TOC_MSF;
    unsigned format =
        packet[2] & 15 ? packet[2] & 15u : packet[9] >> 6; /* its place in SFF-8020i */
    u8 first = packet[6], *p = r + 4;

    r[2] = r[3] = 1;
    switch (format) {
    case 0:
        if (first > 1 && first != TRACK_LEAD_OUT)
            return 0;
        if (first <= 1)
            p = put_track(p, 1, 0, msf);
        p = put_track(p, TRACK_LEAD_OUT, atapi_sectors(d), msf);
        break;
    case 1:
        p = put_track(p, 1, 0, msf);
        break;
    case 2:
        p = put_raw_toc(p, atapi_sectors(d));
        break;
    default:
        return 0;
    }
    put16(r, (u32)(p - r) - 2);
    return (size_t)(p - r);
}

/* ---- GET CONFIGURATION ---- */

static u32 profile(const struct ata_drive *d)
{
    if (!atapi_medium(d))
        return 0;
    return atapi_sectors(d) > CD_SECTORS_MAX ? PROFILE_DVD_ROM : PROFILE_CD_ROM;
}

size_t atapi_configuration(u8 *r, const struct ata_drive *d, const u8 *packet)
{
    enum { PERSISTENT = 3, CURRENT = 1, VERSION1 = 4 };
    u32 now = profile(d), from = (u32)packet[2] << 8 | packet[3], which = packet[1] & 3;
    bool cd = now == PROFILE_CD_ROM, dvd = now == PROFILE_DVD_ROM;
    const struct {
        u16 code;
        u8 flags, len;
        u8 data[8];
    } features[] = {
        {0x0000, PERSISTENT, 8, {0, PROFILE_DVD_ROM, dvd, 0, 0, PROFILE_CD_ROM, cd, 0}},
        {0x0001, PERSISTENT | VERSION1, 8, {0, 0, 0, 2, 1, 0, 0, 0}}, /* core: ATAPI */
        {0x0003, PERSISTENT, 4, {0x29, 0, 0, 0}}, /* tray, ejects, can be locked */
        {0x0010, now ? CURRENT : 0, 8, {0, 0, CD_SECTOR >> 8, 0, 0, 1, 0, 0}}, /* readable */
        {0x001e, cd ? CURRENT : 0, 4, {0}},
        {0x001f, dvd ? CURRENT : 0, 4, {0}},
    };
    u8 *p = r + 8;

    memset(r, 0, 8);
    put16(r + 6, now);
    for (unsigned i = 0; i < ARRAY_LEN(features); i++) {
        if (which == 2 ? features[i].code != from : features[i].code < from)
            continue;
        if (which == 1 && !(features[i].flags & CURRENT))
            continue;
        put16(p, features[i].code);
        p[2] = features[i].flags;
        p[3] = features[i].len;
        memcpy(p + 4, features[i].data, features[i].len);
        p += 4 + features[i].len;
    }
    put32(r, (u32)(p - r) - 4);
    return (size_t)(p - r);
}

/* ---- status ---- */

size_t atapi_event_status(u8 *r, struct ata_drive *d, u8 classes)
{
    memset(r, 0, 8);
    r[3] = BIT(EVENT_CLASS_MEDIA); /* the classes that there are */
    if (!(classes & BIT(EVENT_CLASS_MEDIA))) {
        r[1] = 2;
        r[2] = EVENT_NONE_AVAILABLE;
        return 4;
    }
    r[1] = 6;
    r[2] = EVENT_CLASS_MEDIA;
    r[4] = d->cd.event;
    r[5] = (u8)((d->cd.open ? MEDIA_OPEN : 0) | (atapi_medium(d) ? MEDIA_PRESENT : 0));
    d->cd.event = ATAPI_EVENT_NONE;
    return 8;
}

size_t atapi_mechanism_status(u8 *r, const struct ata_drive *d)
{
    memset(r, 0, 8);
    r[1] = d->cd.open ? BIT(4) : 0;
    r[5] = 1; /* slots: this one */
    return 8;
}

size_t atapi_disc_information(u8 *r)
{
    memset(r, 0, 34);
    r[1] = 32;
    r[2] = 0x0e; /* disc and last session are complete */
    r[3] = r[4] = r[5] = r[6] = 1;
    r[7] = 0x20;             /* unrestricted use */
    memset(r + 16, 0xff, 8); /* no lead-in, no lead-out to write */
    return 34;
}

size_t atapi_track_information(u8 *r, const struct ata_drive *d)
{
    memset(r, 0, 36);
    r[1] = 34;
    r[2] = r[3] = 1; /* track, session */
    r[5] = 4;        /* data */
    r[6] = 1;        /* mode 1 */
    put32(r + 24, atapi_sectors(d));
    return 36;
}

/* ---- MODE SENSE ---- */

static size_t page_error_recovery(u8 *p)
{
    static const u8 page[] = {0x01, 6, 0, 5, 0, 0, 0, 0};

    memcpy(p, page, sizeof(page));
    return sizeof(page);
}

static size_t page_audio(u8 *p)
{
    static const u8 page[] = {0x0e, 14, 4, 0, 0, 0, 0, 75, 1, 0xff, 2, 0xff, 0, 0, 0, 0};

    memcpy(p, page, sizeof(page));
    return sizeof(page);
}

/* Speeds are in units of 1000 bytes a second: 50 times the first drives'. */
static size_t page_capabilities(u8 *p, const struct ata_drive *d)
{
    enum { SPEED = 50 * 176 };

    memset(p, 0, 22);
    p[0] = 0x2a;
    p[1] = 20;
    p[2] = 0x3b; /* reads CD-R, CD-RW, method 2, DVD-ROM, DVD-R */
    p[4] = 0x70; /* mode 2 forms, sessions */
    p[6] = (u8)(0x29 | (d->cd.locked ? BIT(1) : 0)); /* tray, ejects, can be locked */
    put16(p + 8, SPEED);
    put16(p + 10, 2); /* levels of volume: on and off */
    put16(p + 12, 2048);
    put16(p + 14, SPEED);
    return 22;
}

size_t atapi_mode_sense(u8 *r, const struct ata_drive *d, u8 page)
{
    enum { ALL = 0x3f };
    u8 *p = r + MODE_HEADER;

    memset(r, 0, MODE_HEADER);
    r[2] = d->cd.open ? 0x71 : atapi_medium(d) ? 0x01 : 0x70; /* open, data CD, none */
    if (page == 0x01 || page == ALL)
        p += page_error_recovery(p);
    if (page == 0x0e || page == ALL)
        p += page_audio(p);
    if (page == 0x2a || page == ALL)
        p += page_capabilities(p, d);
    if (p == r + MODE_HEADER)
        return 0;
    put16(r, (u32)(p - r) - 2);
    return (size_t)(p - r);
}
