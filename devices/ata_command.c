/* SPDX-License-Identifier: MIT */
/*
 * ATA commands: dispatch, IDENTIFY DEVICE, SET FEATURES and what moves no data.
 *
 * Reference: [ATA6] §8 command descriptions.
 */
#include "devices/ata_state.h"

#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "base/log.h"

enum ata_command {
    CMD_NOP = 0x00,
    CMD_RECALIBRATE = 0x10, /* 10h-1Fh */
    CMD_READ_SECTORS = 0x20,
    CMD_READ_SECTORS_ONCE = 0x21,
    CMD_READ_SECTORS_EXT = 0x24,
    CMD_READ_DMA_EXT = 0x25,
    CMD_READ_NATIVE_MAX_EXT = 0x27,
    CMD_READ_MULTIPLE_EXT = 0x29,
    CMD_WRITE_SECTORS = 0x30,
    CMD_WRITE_SECTORS_ONCE = 0x31,
    CMD_WRITE_SECTORS_EXT = 0x34,
    CMD_WRITE_DMA_EXT = 0x35,
    CMD_WRITE_MULTIPLE_EXT = 0x39,
    CMD_WRITE_VERIFY = 0x3c,
    CMD_VERIFY = 0x40,
    CMD_VERIFY_ONCE = 0x41,
    CMD_VERIFY_EXT = 0x42,
    CMD_SEEK = 0x70, /* 70h-7Fh */
    CMD_INIT_PARAMETERS = 0x91,
    CMD_STANDBY_IMMEDIATE_OLD = 0x94,
    CMD_CHECK_POWER_OLD = 0x98,
    CMD_SLEEP_OLD = 0x99,
    CMD_READ_MULTIPLE = 0xc4,
    CMD_WRITE_MULTIPLE = 0xc5,
    CMD_SET_MULTIPLE = 0xc6,
    CMD_READ_DMA = 0xc8,
    CMD_READ_DMA_ONCE = 0xc9,
    CMD_WRITE_DMA = 0xca,
    CMD_WRITE_DMA_ONCE = 0xcb,
    CMD_STANDBY_IMMEDIATE = 0xe0,
    CMD_IDLE = 0xe3,
    CMD_READ_BUFFER = 0xe4,
    CMD_CHECK_POWER = 0xe5,
    CMD_SLEEP = 0xe6,
    CMD_FLUSH = 0xe7,
    CMD_WRITE_BUFFER = ATA_WRITE_BUFFER,
    CMD_FLUSH_EXT = 0xea,
    CMD_IDENTIFY = 0xec,
    CMD_SET_FEATURES = 0xef,
    CMD_READ_NATIVE_MAX = 0xf8,
};

enum ata_feature {
    FEATURE_WRITE_CACHE_ON = 0x02,
    FEATURE_TRANSFER_MODE = 0x03,
    FEATURE_LOOK_AHEAD_OFF = 0x55,
    FEATURE_NO_REVERT = 0x66,
    FEATURE_WRITE_CACHE_OFF = 0x82,
    FEATURE_LOOK_AHEAD_ON = 0xaa,
    FEATURE_REVERT = 0xcc,
};

enum {
    DEFAULT_HEADS = 16,
    DEFAULT_SECTORS = 63,
    MIN_CYLINDERS = 2,
    MAX_CYLINDERS = 16383,
    POWER_ACTIVE = 0xff,
    MODE_PIO_MAX = 0x0c,
    MODE_MULTIWORD = 0x20, /* 0-2 */
    MODE_ULTRA = 0x40,     /* 0-5 */
};

#define LBA28_SECTORS 0x0fffffffu

void ata_defaults(struct ata_drive *d)
{
    d->multiple = 0;
    d->dma_mode = MODE_MULTIWORD + 2;
    d->write_cache = d->look_ahead = true;
    d->heads = DEFAULT_HEADS;
    d->sectors = DEFAULT_SECTORS;
    d->interrupting = false;
}

/* ---- IDENTIFY DEVICE ---- */

void ata_put_word(struct ata_channel *c, unsigned word, u32 val)
{
    store16(&c->buffer[2 * word], (u16)val);
}

static void put_dword(struct ata_channel *c, unsigned word, u64 val)
{
    store32(&c->buffer[2 * word], (u32)val);
}

/* Text is padded with spaces, and the two bytes of a word are swapped. */
void ata_put_text(struct ata_channel *c, unsigned word, unsigned words, const char *text)
{
    size_t len = strlen(text);

    for (unsigned i = 0; i < 2 * words; i++)
        c->buffer[2 * word + (i ^ 1)] = (u8)(i < len ? text[i] : ' ');
}

/* A disk smaller than that still has cylinders: firmware computes a geometry from the number. */
static u32 cylinders(const struct ata_drive *d, u32 heads, u32 sectors)
{
    u64 n = block_sectors(d->desc->disk) / ((u64)heads * sectors);

    if (n < MIN_CYLINDERS)
        return MIN_CYLINDERS;
    return n > MAX_CYLINDERS ? MAX_CYLINDERS : (u32)n;
}

static void identify_geometry(struct ata_channel *c, const struct ata_drive *d)
{
    u64 total = block_sectors(d->desc->disk);
    u32 now = cylinders(d, d->heads, d->sectors);

    ata_put_word(c, 1, cylinders(d, DEFAULT_HEADS, DEFAULT_SECTORS));
    ata_put_word(c, 3, DEFAULT_HEADS);
    ata_put_word(c, 6, DEFAULT_SECTORS);
    ata_put_word(c, 54, now);
    ata_put_word(c, 55, d->heads);
    ata_put_word(c, 56, d->sectors);
    put_dword(c, 57, (u64)now * d->heads * d->sectors);
    put_dword(c, 60, total > LBA28_SECTORS ? LBA28_SECTORS : total);
    put_dword(c, 100, total);
    put_dword(c, 102, total >> 32);
}

void ata_put_modes(struct ata_channel *c)
{
    const struct ata_drive *d = ata_active(c);
    bool dma = c->ata->master;
    u8 mode = d->dma_mode;

    ata_put_word(c, 49, dma ? 0x0f00 : 0x0e00); /* LBA, IORDY, DMA */
    ata_put_word(c, 53, 0x0007);                /* words 54-58, 64-70, 88 are valid */
    if (dma) {
        ata_put_word(c, 63, 0x07 | (mode < MODE_ULTRA ? 0x100u << (mode & 3) : 0));
        ata_put_word(c, 88, 0x3f | (mode >= MODE_ULTRA ? 0x100u << (mode & 7) : 0));
    }
    ata_put_word(c, 64, 0x0003); /* PIO 3 and 4 */
    for (unsigned word = 65; word <= 68; word++)
        ata_put_word(c, word, 120);                           /* ns a cycle */
    ata_put_word(c, 93, 0x600b | (d->unit & 1 ? 0x0200 : 0)); /* 80-conductor cable */
}

void ata_put_serial(struct ata_channel *c)
{
    const struct ata_drive *d = ata_active(c);
    char serial[21];

    snprintf(serial, sizeof(serial), "T86-%02u", d->unit);
    ata_put_text(c, 10, 10, d->desc->serial ? d->desc->serial : serial);
}

static void identify(struct ata_channel *c)
{
    const struct ata_drive *d = ata_active(c);

    memset(c->buffer, 0, BLOCK_SECTOR);
    ata_put_word(c, 0, 0x0040); /* fixed */
    ata_put_serial(c);
    ata_put_text(c, 23, 4, "1.0");
    ata_put_text(c, 27, 20, "TURBO86 DISK");
    ata_put_word(c, 47, 0x8000 | ATA_MAX_MULTIPLE);
    ata_put_word(c, 48, 1); /* 32-bit data port */
    ata_put_word(c, 50, 0x4000);
    ata_put_word(c, 51, 0x0200);
    ata_put_word(c, 59, d->multiple ? 0x0100u | d->multiple : 0);
    ata_put_word(c, 80, 0x007e); /* ATA-1 to ATA-6 */
    ata_put_word(c, 82, 0x7068); /* NOP, buffers, look-ahead, write cache, power management */
    ata_put_word(c, 83, 0x7400); /* flush cache (ext), 48-bit addresses */
    ata_put_word(c, 84, 0x4000);
    ata_put_word(c, 85, 0x7008 | (d->write_cache ? 0x20 : 0) | (d->look_ahead ? 0x40 : 0));
    ata_put_word(c, 86, 0x3400);
    ata_put_word(c, 87, 0x4000);
    identify_geometry(c, d);
    ata_put_modes(c);
    c->left = 0;
    ata_pio(c, ATA_PIO_IN, BLOCK_SECTOR);
    ata_interrupt(c);
}

/* ---- commands without data ---- */

static bool set_mode(struct ata_drive *d, u8 mode)
{
    if ((mode >= MODE_MULTIWORD && mode <= MODE_MULTIWORD + 2) ||
        (mode >= MODE_ULTRA && mode <= MODE_ULTRA + 5)) {
        d->dma_mode = mode;
        return true;
    }
    return mode <= 1 || (mode >= 8 && mode <= MODE_PIO_MAX);
}

void ata_set_features(struct ata_channel *c)
{
    struct ata_drive *d = ata_active(c);
    bool ok = true;

    switch (d->reg[ATA_FEATURES][0]) {
    case FEATURE_WRITE_CACHE_ON:
    case FEATURE_WRITE_CACHE_OFF:
        d->write_cache = d->reg[ATA_FEATURES][0] == FEATURE_WRITE_CACHE_ON;
        break;
    case FEATURE_TRANSFER_MODE:
        ok = set_mode(d, d->reg[ATA_COUNT][0]);
        break;
    case FEATURE_LOOK_AHEAD_OFF:
    case FEATURE_LOOK_AHEAD_ON:
        d->look_ahead = d->reg[ATA_FEATURES][0] == FEATURE_LOOK_AHEAD_ON;
        break;
    case FEATURE_NO_REVERT:
    case FEATURE_REVERT:
        break;
    default:
        ok = false;
    }
    ata_finish(c, ok ? 0 : ATA_ABRT);
}

static void set_multiple(struct ata_channel *c)
{
    u8 n = ata_active(c)->reg[ATA_COUNT][0];

    if (n > ATA_MAX_MULTIPLE || n & (n - 1)) {
        ata_finish(c, ATA_ABRT);
        return;
    }
    ata_active(c)->multiple = n;
    ata_finish(c, 0);
}

static void init_parameters(struct ata_channel *c)
{
    struct ata_drive *d = ata_active(c);

    if (d->reg[ATA_COUNT][0] == 0) {
        ata_finish(c, ATA_ABRT);
        return;
    }
    d->heads = (u8)((d->reg[ATA_DEVICE][0] & 15) + 1);
    d->sectors = d->reg[ATA_COUNT][0];
    ata_finish(c, 0);
}

static void read_native_max(struct ata_channel *c, bool ext)
{
    u64 last = block_sectors(ata_active(c)->desc->disk) - 1;

    c->ext = ext;
    if (!ext && last >= LBA28_SECTORS)
        last = LBA28_SECTORS - 1;
    ata_set_address(c, last);
    ata_finish(c, 0);
}

static void flush(struct ata_channel *c)
{
    ata_finish(c, block_flush(ata_active(c)->desc->disk) == STATUS_OK ? 0 : ATA_ABRT);
}

static void check_power(struct ata_channel *c)
{
    ata_active(c)->reg[ATA_COUNT][0] = POWER_ACTIVE;
    ata_finish(c, 0);
}

/* Whole rows of the opcode map that do nothing that shows: seeks, power modes. */
static bool is_silent(u8 command)
{
    return (command & 0xf0) == CMD_RECALIBRATE || (command & 0xf0) == CMD_SEEK ||
           (command >= CMD_STANDBY_IMMEDIATE_OLD && command <= CMD_SLEEP_OLD) ||
           (command >= CMD_STANDBY_IMMEDIATE && command <= CMD_IDLE) || command == CMD_SLEEP;
}

static void execute_other(struct ata_channel *c)
{
    switch (c->command) {
    case CMD_IDENTIFY:
        identify(c);
        break;
    case CMD_SET_FEATURES:
        ata_set_features(c);
        break;
    case CMD_SET_MULTIPLE:
        set_multiple(c);
        break;
    case CMD_INIT_PARAMETERS:
        init_parameters(c);
        break;
    case CMD_READ_NATIVE_MAX:
    case CMD_READ_NATIVE_MAX_EXT:
        read_native_max(c, c->command == CMD_READ_NATIVE_MAX_EXT);
        break;
    case CMD_FLUSH:
    case CMD_FLUSH_EXT:
        flush(c);
        break;
    case CMD_READ_BUFFER:
        c->left = 0;
        ata_pio(c, ATA_PIO_IN, BLOCK_SECTOR);
        ata_interrupt(c);
        break;
    case CMD_WRITE_BUFFER:
        ata_pio(c, ATA_PIO_OUT, BLOCK_SECTOR);
        break;
    case CMD_CHECK_POWER:
    case CMD_CHECK_POWER_OLD:
        check_power(c);
        break;
    default:
        if (!is_silent(c->command) && c->command != CMD_NOP)
            log_guest(DISK, "command %02x is not supported", c->command);
        ata_finish(c, is_silent(c->command) ? 0 : ATA_ABRT); /* NOP, too, is aborted */
    }
}

void ata_execute(struct ata_channel *c)
{
    if (ata_is_cdrom(ata_active(c))) {
        atapi_execute(c);
        return;
    }
    switch (c->command) {
    case CMD_READ_SECTORS:
    case CMD_READ_SECTORS_ONCE:
    case CMD_READ_MULTIPLE:
        ata_start_read(c, false);
        break;
    case CMD_READ_SECTORS_EXT:
    case CMD_READ_MULTIPLE_EXT:
        ata_start_read(c, true);
        break;
    case CMD_WRITE_SECTORS:
    case CMD_WRITE_SECTORS_ONCE:
    case CMD_WRITE_MULTIPLE:
    case CMD_WRITE_VERIFY:
        ata_start_write(c, false);
        break;
    case CMD_WRITE_SECTORS_EXT:
    case CMD_WRITE_MULTIPLE_EXT:
        ata_start_write(c, true);
        break;
    case CMD_READ_DMA:
    case CMD_READ_DMA_ONCE:
    case CMD_READ_DMA_EXT:
        ata_start_dma(c, c->command == CMD_READ_DMA_EXT, true);
        break;
    case CMD_WRITE_DMA:
    case CMD_WRITE_DMA_ONCE:
    case CMD_WRITE_DMA_EXT:
        ata_start_dma(c, c->command == CMD_WRITE_DMA_EXT, false);
        break;
    case CMD_VERIFY:
    case CMD_VERIFY_ONCE:
    case CMD_VERIFY_EXT:
        ata_verify(c, c->command == CMD_VERIFY_EXT);
        break;
    default:
        execute_other(c);
    }
}
