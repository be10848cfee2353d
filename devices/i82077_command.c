/* SPDX-License-Identifier: MIT */
/*
 * 82077AA: which commands there are, and those that do not look at the disk's surface.
 *
 * Reference: [82077AA §5.1, §5.2].
 */
#include "devices/i82077_state.h"

#include <string.h>

#include "base/log.h"

enum {
    VERSION_82077 = 0x90,
    LOCK_SHOWN = BIT(4), /* in LOCK's result */
    LOCK_DUMPED = BIT(7),
    PERPENDICULAR_OW = BIT(7),
    PERPENDICULAR_DRIVES = 0x3c,
    PERPENDICULAR_MODE = 0x03,
};

static void fdc_result_byte(struct i82077 *f, u8 byte)
{
    fdc_result(f, &byte, 1, false);
}

/*
 * The line falls, and rises again if another unit has something to tell. The four reports that
 * follow a reset are one interrupt.
 */
static void sense_interrupt(struct i82077 *f)
{
    unsigned i = 0;

    f->attention = false;
    fdc_lines(f);
    while (i < FDC_UNITS && !f->unit[i].interrupting)
        i++;
    if (i == FDC_UNITS) {
        fdc_result_byte(f, ST0_INVALID);
        return;
    }
    f->unit[i].interrupting = false;
    for (unsigned k = i + 1; k < FDC_UNITS; k++) {
        if (f->unit[k].interrupting && (f->unit[k].st0 & ST0_POLLED) != ST0_POLLED)
            f->attention = true;
    }
    fdc_result(f, (u8[]){f->unit[i].st0, f->unit[i].pcn}, 2, false);
}

static void sense_drive(struct i82077 *f)
{
    const struct fdc_drive *d = fdc_drive_of(f, f->dor & DOR_SELECT);
    unsigned st3 = ST3_READY | ST3_TWO_SIDE | (f->command[1] & 7u);

    if (d && d->cylinder == 0)
        st3 |= ST3_TRACK0;
    if (d && d->medium && block_read_only(d->medium))
        st3 |= ST3_PROTECTED;
    fdc_result_byte(f, (u8)st3);
}

static void relative_seek(struct i82077 *f)
{
    unsigned unit = f->command[1] & 3u, pcn = f->unit[unit].pcn, by = f->command[2];

    fdc_seek(f, unit, (u8)(f->command[0] & FDC_DIR ? pcn + by : pcn - by), false);
}

static void dump_registers(struct i82077 *f)
{
    u8 b[FDC_RESULT_MAX];

    for (unsigned i = 0; i < FDC_UNITS; i++)
        b[i] = f->unit[i].pcn;
    b[4] = f->specify[0];
    b[5] = f->specify[1];
    b[6] = f->drive[0].format ? f->drive[0].format->sectors : 0;
    b[7] = (u8)(f->perpendicular | (f->lock ? LOCK_DUMPED : 0));
    b[8] = f->config;
    b[9] = f->pretrk;
    fdc_result(f, b, FDC_RESULT_MAX, false);
}

static void perpendicular(struct i82077 *f)
{
    u8 val = f->command[1];
    u8 drives = val & PERPENDICULAR_OW ? val : f->perpendicular;

    f->perpendicular = (drives & PERPENDICULAR_DRIVES) | (val & PERPENDICULAR_MODE);
    fdc_idle(f);
}

static void configure(struct i82077 *f)
{
    f->config =
        f->command[2] & (CONFIG_FIFOTHR | CONFIG_NO_POLL | CONFIG_NO_FIFO | CONFIG_IMPLIED_SEEK);
    f->pretrk = f->command[3];
    fdc_idle(f);
}

static void specify(struct i82077 *f)
{
    memcpy(f->specify, &f->command[1], sizeof(f->specify));
    fdc_idle(f);
}

static void lock(struct i82077 *f)
{
    f->lock = f->command[0] & FDC_LOCK_SET;
    fdc_result_byte(f, f->lock ? LOCK_SHOWN : 0);
}

static void version(struct i82077 *f)
{
    fdc_result_byte(f, VERSION_82077);
}

static void seek(struct i82077 *f)
{
    fdc_seek(f, f->command[1] & 3u, f->command[2], false);
}

static void recalibrate(struct i82077 *f)
{
    fdc_seek(f, f->command[1] & 3u, 0, true);
}

static void invalid(struct i82077 *f)
{
    log_guest(FLOPPY, "unknown command %02x", f->command[0]);
    fdc_result_byte(f, ST0_INVALID);
}

/* Which bits of the first byte say which command, and how many bytes it has [82077AA §5.1]. */
static const struct command {
    u8 mask, code, bytes;
    void (*run)(struct i82077 *f);
} commands[] = {
    {0x1f, FDC_READ, 9, fdc_start_data},
    {0x1f, FDC_READ_DELETED, 9, fdc_start_data},
    {0x3f, FDC_WRITE, 9, fdc_start_data},
    {0x3f, FDC_WRITE_DELETED, 9, fdc_start_data},
    {0x9f, FDC_READ_TRACK, 9, fdc_start_data},
    {0x1f, FDC_VERIFY, 9, fdc_start_data},
    {0x1f, FDC_SCAN_EQUAL, 9, fdc_start_data},
    {0x1f, FDC_SCAN_LOW, 9, fdc_start_data},
    {0x1f, FDC_SCAN_HIGH, 9, fdc_start_data},
    {0xbf, FDC_FORMAT, 6, fdc_start_data},
    {0xbf, FDC_READ_ID, 2, fdc_start_data},
    {0xff, FDC_VERSION, 1, version},
    {0xff, FDC_RECALIBRATE, 2, recalibrate},
    {0xff, FDC_SENSE_INTERRUPT, 1, sense_interrupt},
    {0xff, FDC_SPECIFY, 3, specify},
    {0xff, FDC_SENSE_DRIVE, 2, sense_drive},
    {0xff, FDC_CONFIGURE, 4, configure},
    {0xff, FDC_SEEK, 3, seek},
    {0xbf, FDC_RELATIVE_SEEK, 3, relative_seek},
    {0xff, FDC_DUMPREG, 1, dump_registers},
    {0xff, FDC_PERPENDICULAR, 2, perpendicular},
    {0x7f, FDC_LOCK, 1, lock},
};

static const struct command *command_find(u8 first)
{
    static const struct command none = {0, 0, 1, invalid};

    for (unsigned i = 0; i < ARRAY_LEN(commands); i++) {
        if ((first & commands[i].mask) == commands[i].code)
            return &commands[i];
    }
    return &none;
}

void fdc_command_byte(struct i82077 *f, u8 val)
{
    if (f->phase == FDC_IDLE) {
        f->command_at = 0;
        f->command_len = command_find(val)->bytes;
        f->phase = FDC_COMMAND;
    }
    f->command[f->command_at++] = val;
    if (f->command_at < f->command_len)
        return;
    log_trace(FLOPPY, "command %02x %02x %02x %02x %02x", f->command[0], f->command[1],
              f->command[2], f->command[3], f->command[4]);
    command_find(f->command[0])->run(f);
}
