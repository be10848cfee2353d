/* SPDX-License-Identifier: MIT */
/*
 * 82077AA floppy disk controller in its PC-AT mode: registers, phases, the
 * drives' mechanics.
 *
 * Reference: [82077AA].
 *
 * Which drive moves is what the digital output register selects; the drive number of a command only
 * names the chip's own counters. Seeks of several units may overlap.
 *
 * Not implemented: the PS/2 and Model 30 modes with their status registers A and B, power-down,
 * precompensation, step rates and head times (a drive is as fast as the constants say),
 * perpendicular recording (any medium is recorded as it needs), the FIFO's threshold: the host is
 * never too late.
 */
#include "devices/i82077.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "devices/i82077_state.h"

enum {
    FDC_BASE = 0x3f2,
    FDC_PORTS = 4,
    REG_DOR = 0,
    REG_TDR = 1,
    REG_MSR = 2, /* written: DSR */
    REG_FIFO = 3,
    FDC_DIR_CCR = 0x3f7,

    MSR_BUSY = BIT(4), /* bits 0 to 3: a unit seeks */
    MSR_NON_DMA = BIT(5),
    MSR_DIO = BIT(6), /* the host reads */
    MSR_RQM = BIT(7),

    DSR_RATE = 0x03,
    DSR_STORED = 0x1f,
    DSR_RESET = BIT(7),
    DIR_CHANGED = BIT(7),

    RECALIBRATE_STEPS = 79,
    LAST_CYLINDER = 85, /* where the head's rail ends */
    PERPENDICULAR_DRIVES = 0x3c,
};

/* ---- phases, time, interrupt ---- */

void fdc_lines(struct i82077 *f)
{
    bool irq = f->attention || f->phase == FDC_GIVE || f->phase == FDC_TAKE ||
               (f->phase == FDC_RESULT && f->result_interrupts);
    bool dma = f->phase == FDC_ACCESS && !(f->specify[1] & 1);

    line_set(&f->desc.irq, irq && f->dor & DOR_DMAGATE);
    i8237_set_dreq(f->desc.dma, f->desc.channel, dma && f->dor & DOR_DMAGATE);
}

static void fdc_arm(struct i82077 *f)
{
    u64 next = f->data_at < f->reset_at ? f->data_at : f->reset_at;

    for (unsigned i = 0; i < FDC_UNITS; i++) {
        if (f->unit[i].seek_at < next)
            next = f->unit[i].seek_at;
    }
    clock_arm(f->desc.clk, f->timer, next);
}

static void fdc_enter(struct i82077 *f, enum fdc_phase phase, u64 at)
{
    f->phase = (u8)phase;
    f->data_at = at;
    fdc_arm(f);
    fdc_lines(f);
}

void fdc_later(struct i82077 *f, enum fdc_phase phase, u64 ns)
{
    fdc_enter(f, phase, clock_now(f->desc.clk) + ns);
}

void fdc_pio(struct i82077 *f, enum fdc_phase phase, unsigned len)
{
    f->at = 0;
    f->len = (u16)len;
    fdc_enter(f, phase, CLOCK_NEVER);
}

void fdc_idle(struct i82077 *f)
{
    f->command_at = f->command_len = 0;
    f->result_at = f->result_len = 0;
    f->result_interrupts = false;
    fdc_enter(f, FDC_IDLE, CLOCK_NEVER);
}

void fdc_result(struct i82077 *f, const u8 *bytes, unsigned n, bool interrupt)
{
    memcpy(f->result, bytes, n);
    f->result_at = 0;
    f->result_len = (u8)n;
    f->result_interrupts = interrupt;
    log_trace(FLOPPY, "result %02x %02x %02x (%u bytes)", bytes[0], n > 1 ? bytes[1] : 0,
              n > 2 ? bytes[2] : 0, n);
    fdc_enter(f, FDC_RESULT, CLOCK_NEVER);
}

/* ---- drives ---- */

struct fdc_drive *fdc_drive_of(struct i82077 *f, unsigned unit)
{
    return unit < I82077_DRIVES && f->desc.drive[unit] ? &f->drive[unit] : NULL;
}

struct fdc_drive *fdc_selected(struct i82077 *f)
{
    unsigned unit = f->dor & DOR_SELECT;

    return f->dor & DOR_MOTOR0 << unit ? fdc_drive_of(f, unit) : NULL;
}

/* @steps pulses with the head going out (-1) or in (1). */
static void drive_step(struct fdc_drive *d, int direction, unsigned steps)
{
    for (; steps; steps--) {
        if (direction < 0 && d->cylinder)
            d->cylinder--;
        else if (direction > 0 && d->cylinder < LAST_CYLINDER)
            d->cylinder++;
        d->changed = d->changed && !d->medium;
    }
}

u64 fdc_move(struct i82077 *f, unsigned unit, u8 target)
{
    struct fdc_drive *d = fdc_drive_of(f, f->dor & DOR_SELECT);
    u8 from = f->unit[unit].pcn;
    unsigned steps = from < target ? target - from : from - target;

    if (d)
        drive_step(d, from < target ? 1 : -1, steps);
    f->unit[unit].pcn = target;
    return (u64)steps * FDC_STEP_NS;
}

static void unit_report(struct i82077 *f, unsigned unit, unsigned st0)
{
    f->unit[unit].interrupting = true;
    f->unit[unit].st0 = (u8)(st0 | unit);
    f->attention = true;
    fdc_lines(f);
}

void fdc_seek(struct i82077 *f, unsigned unit, u8 target, bool recalibrating)
{
    struct fdc_unit *u = &f->unit[unit];
    unsigned steps = u->pcn < target ? target - u->pcn : u->pcn - target;

    u->target = target;
    u->recalibrating = recalibrating;
    u->interrupting = false;
    u->seek_at = clock_now(f->desc.clk) + (steps + 1ull) * FDC_STEP_NS;
    fdc_idle(f);
}

/*
 * The head goes out until the drive says that it is at track 0. A drive is given at least one
 * pulse, so that its change line falls, as drivers expect that recalibrate after a change.
 */
static void recalibrated(struct i82077 *f, unsigned unit)
{
    struct fdc_drive *d = fdc_drive_of(f, f->dor & DOR_SELECT);
    unsigned st0 = ST0_SEEK_END;

    f->unit[unit].pcn = 0;
    if (d)
        drive_step(d, -1,
                   d->cylinder && d->cylinder < RECALIBRATE_STEPS ? d->cylinder
                   : d->cylinder                                  ? RECALIBRATE_STEPS
                                                                  : 1u);
    if (!d || d->cylinder)
        st0 |= ST0_ABNORMAL | ST0_EQUIPMENT;
    unit_report(f, unit, st0);
}

static void seek_due(struct i82077 *f, unsigned unit)
{
    struct fdc_unit *u = &f->unit[unit];

    u->seek_at = CLOCK_NEVER;
    if (u->recalibrating) {
        recalibrated(f, unit);
    } else {
        (void)fdc_move(f, unit, u->target);
        unit_report(f, unit, ST0_SEEK_END);
    }
}

/* ---- reset ---- */

/* LOCK keeps what belongs to the FIFO; implied seeks and "no polling" always go [82077AA §5.2]. */
static void fdc_software_reset(struct i82077 *f)
{
    f->config &= CONFIG_FIFOTHR | CONFIG_NO_FIFO;
    if (!f->lock) {
        f->config = CONFIG_NO_FIFO;
        f->pretrk = 0;
    }
    f->perpendicular &= PERPENDICULAR_DRIVES;
    for (unsigned i = 0; i < FDC_UNITS; i++)
        f->unit[i] = (struct fdc_unit){.seek_at = CLOCK_NEVER};
    f->reset_at = CLOCK_NEVER;
    f->attention = false;
    fdc_idle(f);
}

static void reset_ends(struct i82077 *f)
{
    f->reset_at = clock_now(f->desc.clk) + FDC_RESET_NS;
    fdc_arm(f);
}

/* The first polling finds that all four drives have changed their ready line [82077AA §4.1]. */
static void reset_due(struct i82077 *f)
{
    f->reset_at = CLOCK_NEVER;
    for (unsigned i = 0; i < FDC_UNITS; i++)
        unit_report(f, i, ST0_POLLED);
}

static void fdc_due(void *dev, u32 arg)
{
    struct i82077 *f = dev;
    u64 now = clock_now(f->desc.clk);

    (void)arg;
    if (f->reset_at <= now)
        reset_due(f);
    for (unsigned i = 0; i < FDC_UNITS; i++) {
        if (f->unit[i].seek_at <= now)
            seek_due(f, i);
    }
    if (f->data_at <= now) {
        f->data_at = CLOCK_NEVER;
        fdc_data_due(f);
    }
    fdc_arm(f);
}

/* ---- registers ---- */

static u8 read_msr(const struct i82077 *f)
{
    u8 val = 0;

    if (!(f->dor & DOR_NOT_RESET))
        return 0;
    for (unsigned i = 0; i < FDC_UNITS; i++)
        val |= f->unit[i].seek_at != CLOCK_NEVER ? BIT(i) : 0;
    switch (f->phase) {
    case FDC_IDLE:
        return val | MSR_RQM;
    case FDC_COMMAND:
        return val | MSR_RQM | MSR_BUSY;
    case FDC_GIVE:
        return val | MSR_RQM | MSR_BUSY | MSR_NON_DMA | MSR_DIO;
    case FDC_TAKE:
        return val | MSR_RQM | MSR_BUSY | MSR_NON_DMA;
    case FDC_RESULT:
        return val | MSR_RQM | MSR_BUSY | MSR_DIO;
    default:
        return val | MSR_BUSY | (f->specify[1] & 1 ? MSR_NON_DMA : 0);
    }
}

static u8 read_fifo(struct i82077 *f)
{
    u8 val = 0xff;

    if (f->phase == FDC_GIVE) {
        val = f->buffer[f->at++];
        if (f->at == f->len)
            fdc_pio_done(f);
    } else if (f->phase == FDC_RESULT) {
        val = f->result[f->result_at++];
        f->result_interrupts = false;
        if (f->result_at == f->result_len)
            fdc_idle(f);
        fdc_lines(f);
    }
    return val;
}

static void write_fifo(struct i82077 *f, u8 val)
{
    if (!(f->dor & DOR_NOT_RESET)) {
        log_guest(FLOPPY, "byte %02x while held in reset", val);
    } else if (f->phase == FDC_TAKE) {
        f->buffer[f->at++] = val;
        if (f->at == f->len)
            fdc_pio_done(f);
    } else if (f->phase == FDC_IDLE || f->phase == FDC_COMMAND) {
        fdc_command_byte(f, val);
    } else {
        log_guest(FLOPPY, "byte %02x in phase %u", val, f->phase);
    }
}

static void write_dor(struct i82077 *f, u8 val)
{
    u8 changed = f->dor ^ val;

    log_trace(FLOPPY, "dor=%02x", val);
    f->dor = val;
    if (changed & ~val & DOR_NOT_RESET)
        fdc_software_reset(f);
    else if (changed & DOR_NOT_RESET)
        reset_ends(f);
    fdc_lines(f);
}

static void write_dsr(struct i82077 *f, u8 val)
{
    f->dsr = val & DSR_STORED;
    if (!(val & DSR_RESET))
        return;
    fdc_software_reset(f);
    if (f->dor & DOR_NOT_RESET)
        reset_ends(f);
}

static u32 fdc_read(void *dev, u16 off, enum width width)
{
    struct i82077 *f = dev;

    (void)width;
    switch (off) {
    case REG_DOR:
        return f->dor;
    case REG_TDR:
        return f->tdr;
    case REG_MSR:
        return read_msr(f);
    default:
        return read_fifo(f);
    }
}

static void fdc_write(void *dev, u16 off, u32 val, enum width width)
{
    struct i82077 *f = dev;

    (void)width;
    switch (off) {
    case REG_DOR:
        write_dor(f, (u8)val);
        break;
    case REG_TDR:
        f->tdr = val & 3;
        break;
    case REG_MSR:
        write_dsr(f, (u8)val);
        break;
    default:
        write_fifo(f, (u8)val);
        break;
    }
}

static u32 dir_read(void *dev, u16 off, enum width width)
{
    const struct fdc_drive *d = fdc_selected(dev);

    (void)off, (void)width;
    return d && d->changed ? DIR_CHANGED : 0;
}

static void ccr_write(void *dev, u16 off, u32 val, enum width width)
{
    struct i82077 *f = dev;

    (void)off, (void)width;
    f->dsr = (u8)((f->dsr & ~DSR_RATE) | (val & DSR_RATE));
}

static const struct ioport_ops fdc_ops = {.read = fdc_read, .write = fdc_write, .max = W8};
static const struct ioport_ops dir_ops = {.read = dir_read, .write = ccr_write, .max = W8};

/* ---- the device ---- */

static const struct field drive_fields[] = {
    FIELD(struct fdc_drive, cylinder),
    FIELD(struct fdc_drive, changed),
    FIELDS_END,
};

static const struct field unit_fields[] = {
    FIELD(struct fdc_unit, pcn),
    FIELD(struct fdc_unit, target),
    FIELD(struct fdc_unit, seek_at),
    FIELD(struct fdc_unit, recalibrating),
    FIELD(struct fdc_unit, interrupting),
    FIELD(struct fdc_unit, st0),
    FIELDS_END,
};

static const struct field fdc_fields[] = {
    FIELD_STRUCTS(struct i82077, drive, drive_fields),
    FIELD(struct i82077, dor),
    FIELD(struct i82077, dsr),
    FIELD(struct i82077, tdr),
    FIELD_ARRAY(struct i82077, specify),
    FIELD(struct i82077, config),
    FIELD(struct i82077, pretrk),
    FIELD(struct i82077, perpendicular),
    FIELD(struct i82077, lock),
    FIELD_STRUCTS(struct i82077, unit, unit_fields),
    FIELD(struct i82077, attention),
    FIELD(struct i82077, reset_at),
    FIELD(struct i82077, phase),
    FIELD_ARRAY(struct i82077, command),
    FIELD(struct i82077, command_at),
    FIELD(struct i82077, command_len),
    FIELD_ARRAY(struct i82077, result),
    FIELD(struct i82077, result_at),
    FIELD(struct i82077, result_len),
    FIELD(struct i82077, result_interrupts),
    FIELD(struct i82077, c),
    FIELD(struct i82077, h),
    FIELD(struct i82077, r),
    FIELD(struct i82077, n),
    FIELD(struct i82077, head),
    FIELD(struct i82077, st1),
    FIELD(struct i82077, st2),
    FIELD(struct i82077, done),
    FIELD(struct i82077, tc),
    FIELD(struct i82077, at),
    FIELD(struct i82077, len),
    FIELD_ARRAY(struct i82077, buffer),
    FIELD(struct i82077, data_at),
    FIELDS_END,
};

/* The RESET pin: all registers as after power-on; heads and media stay where they are. */
static void fdc_reset(void *dev)
{
    struct i82077 *f = dev;

    f->dor = f->tdr = 0;
    f->dsr = 2; /* 250 kbit/s */
    f->lock = false;
    f->config = CONFIG_NO_FIFO;
    f->perpendicular = 0;
    memset(f->specify, 0, sizeof(f->specify));
    memset(f->command, 0, sizeof(f->command));
    memset(f->result, 0, sizeof(f->result));
    memset(f->buffer, 0, sizeof(f->buffer));
    f->c = f->h = f->r = f->n = f->head = f->st1 = f->st2 = f->done = 0;
    f->tc = false;
    f->at = f->len = 0;
    fdc_software_reset(f);
}

/* A damaged snapshot must not reach outside of the buffers. */
static void fdc_loaded(void *dev)
{
    struct i82077 *f = dev;
    bool bad = f->phase > FDC_RESULT || f->len > sizeof(f->buffer) ||
               f->command_len > FDC_COMMAND_MAX || f->result_len > FDC_RESULT_MAX;

    if (f->phase == FDC_COMMAND)
        bad = bad || f->command_at >= f->command_len;
    if (f->phase == FDC_RESULT)
        bad = bad || f->result_at >= f->result_len;
    if (f->phase == FDC_GIVE || f->phase == FDC_TAKE)
        bad = bad || f->at >= f->len;
    if (bad)
        fdc_software_reset(f);
    fdc_arm(f);
    fdc_lines(f);
}

static void fdc_destroy(void *dev)
{
    free(dev);
}

const struct device_class i82077_class = {
    .name = "i82077",
    .version = 1,
    .fields = fdc_fields,
    .reset = fdc_reset,
    .loaded = fdc_loaded,
    .destroy = fdc_destroy,
};

enum status i82077_insert(struct i82077 *f, unsigned drive, struct block *medium)
{
    const struct floppy_format *format = NULL;

    if (medium) {
        format = floppy_format_find(block_sectors(medium));
        if (!format || !floppy_fits(f->desc.drive[drive], format))
            return STATUS_BAD_SIZE;
    }
    f->drive[drive].medium = medium;
    f->drive[drive].format = format;
    f->drive[drive].changed = true;
    return STATUS_OK;
}

enum status i82077_create(struct i82077 **out, const struct i82077_desc *desc)
{
    struct i82077 *f = calloc(1, sizeof(*f));
    if (!f)
        return STATUS_NO_MEMORY;

    f->desc = *desc;
    for (unsigned i = 0; i < I82077_DRIVES; i++)
        f->drive[i].changed = true;
    enum status s = clock_add(desc->clk, "i82077", fdc_due, f, 0, &f->timer);
    if (s == STATUS_OK)
        s = ioport_claim(desc->io, FDC_BASE, FDC_PORTS, &fdc_ops, f);
    if (s == STATUS_OK)
        s = ioport_claim(desc->io, FDC_DIR_CCR, 1, &dir_ops, f);
    if (s != STATUS_OK) {
        free(f);
        return s;
    }
    fdc_reset(f);
    *out = f;
    return STATUS_OK;
}
