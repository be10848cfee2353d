/* SPDX-License-Identifier: MIT */
/*
 * ATA channels: registers, drive selection, interrupts, reset.
 *
 * References: [ATA6] AT Attachment with Packet Interface - 6 (T13/1410D): §7 registers, §9 command
 * protocol; [PC-AT] fixed disk adapter ports.
 *
 * Not implemented: queued commands, overlapping, CompactFlash, security, SMART.
 */
#include "devices/ata.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/log.h"
#include "devices/ata_state.h"

enum {
    OFF_DATA = 0,
    CONTROL_NIEN = BIT(1),
    CONTROL_SRST = BIT(2),
    CONTROL_HOB = BIT(7),
    COMMAND_DIAGNOSTIC = 0x90,
    DIAGNOSTIC_PASSED = 1,
};

static const u16 command_base[ATA_CHANNELS] = {0x1f0, 0x170};
static const u16 control_base[ATA_CHANNELS] = {0x3f6, 0x376};

static struct ata_drive *selected(struct ata_channel *c)
{
    return &c->drive[c->second];
}

/* ---- interrupts and time ---- */

static void drive_irq(struct ata_channel *c)
{
    bool level = selected(c)->interrupting && !(c->control & CONTROL_NIEN);

    line_set(&c->ata->desc.irq[c->number], level);
}

void ata_interrupt(struct ata_channel *c)
{
    ata_active(c)->interrupting = true;
    drive_irq(c);
    if (c->ata->master && !(c->control & CONTROL_NIEN))
        c->ata->master->interrupt(c->ata->master_ctx, c->number);
}

static void set_deadline(struct ata_channel *c, u64 deadline)
{
    c->deadline = deadline;
    if (deadline == CLOCK_NEVER)
        clock_disarm(c->ata->desc.clk, c->timer);
    else
        clock_arm(c->ata->desc.clk, c->timer, deadline);
}

void ata_later(struct ata_channel *c, enum ata_phase phase, u64 ns)
{
    struct ata_drive *d = ata_active(c);

    c->phase = (u8)phase;
    d->status = (u8)((d->status & ~(ATA_DRQ | ATA_ERR | ATA_DF)) | ATA_BSY);
    set_deadline(c, clock_now(c->ata->desc.clk) + ns);
}

void ata_finish(struct ata_channel *c, u8 error)
{
    struct ata_drive *d = ata_active(c);

    if (error)
        log_trace(DISK, "channel=%u drive=%u command=%02x error=%02x", c->number, c->active,
                  c->command, error);
    c->phase = ATA_IDLE;
    set_deadline(c, CLOCK_NEVER);
    d->error = error;
    d->status = ATA_DRDY | ATA_DSC | (error ? ATA_ERR : 0);
    ata_interrupt(c);
}

void ata_pio(struct ata_channel *c, enum ata_phase phase, u32 len)
{
    c->phase = (u8)phase;
    set_deadline(c, CLOCK_NEVER);
    c->at = 0;
    c->len = len;
    ata_active(c)->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
}

static void channel_due(void *dev, u32 arg)
{
    struct ata_channel *c = &((struct ata *)dev)->channel[arg];

    c->deadline = CLOCK_NEVER;
    switch (c->phase) {
    case ATA_COMMAND:
        ata_execute(c);
        break;
    case ATA_READ:
        (ata_is_cdrom(ata_active(c)) ? atapi_fetch : ata_fetch)(c);
        break;
    case ATA_WRITE:
        ata_store(c);
        break;
    case ATA_DMA:
        (ata_is_cdrom(ata_active(c)) ? atapi_dma_run : ata_dma_run)(c);
        break;
    case ATA_PACKET:
        atapi_packet_due(c);
        break;
    default:
        break;
    }
}

/* ---- reset ---- */

void ata_signature(struct ata_drive *d)
{
    memset(d->reg, 0, sizeof(d->reg));
    d->reg[ATA_COUNT][0] = 1;
    d->reg[ATA_LOW][0] = 1;
    d->error = DIAGNOSTIC_PASSED;
    d->status = ATA_DRDY | ATA_DSC;
    if (ata_is_cdrom(d)) { /* [ATA6 §9.12] */
        d->reg[ATA_MID][0] = 0x14;
        d->reg[ATA_HIGH][0] = 0xeb;
        d->status = 0;
    }
}

static void channel_abort(struct ata_channel *c)
{
    c->phase = ATA_IDLE;
    set_deadline(c, CLOCK_NEVER);
    c->at = c->len = c->left = 0;
    c->drive[0].interrupting = c->drive[1].interrupting = false;
}

/* The second half of a software reset, when SRST falls. */
static void channel_ready(struct ata_channel *c)
{
    c->second = false;
    for (unsigned i = 0; i < ATA_DRIVES; i++)
        ata_signature(&c->drive[i]);
    drive_irq(c);
}

static void write_control(struct ata_channel *c, u8 val)
{
    u8 changed = val ^ c->control;

    c->control = val;
    if (changed & val & CONTROL_SRST) {
        channel_abort(c);
        for (unsigned i = 0; i < ATA_DRIVES; i++)
            c->drive[i].status = ATA_BSY;
    } else if (changed & CONTROL_SRST) {
        channel_ready(c);
    }
    drive_irq(c);
}

/* ---- command block ---- */

/* Both drives run it; the first one reports for both. */
static void diagnose(struct ata_channel *c)
{
    channel_abort(c);
    channel_ready(c);
    c->active = 0;
    ata_interrupt(c);
}

static void write_command(struct ata_channel *c, u8 val)
{
    struct ata_drive *d = selected(c);

    if (val == COMMAND_DIAGNOSTIC) {
        diagnose(c);
        return;
    }
    if (!ata_present(d))
        return;
    log_trace(DISK, "channel=%u drive=%u command=%02x", c->number, c->second, val);
    channel_abort(c);
    drive_irq(c);
    c->active = c->second;
    c->command = val;
    ata_later(c, ATA_COMMAND, ATA_COMMAND_NS);
}

/* The one command that a busy drive takes: it goes on as if it had been reset. */
static bool is_device_reset(const struct ata_channel *c, unsigned reg, u32 val)
{
    return reg == ATA_STATUS && val == ATA_DEVICE_RESET && ata_is_cdrom(&c->drive[c->second]);
}

static bool is_busy(const struct ata_channel *c)
{
    return (c->drive[0].status | c->drive[1].status) & ATA_BSY;
}

static void ata_block_write(void *dev, u16 off, u32 val, enum width width)
{
    struct ata_channel *c = dev;
    unsigned reg = off + 1u;

    (void)width;
    if (is_device_reset(c, reg, val)) {
        channel_abort(c);
        ata_signature(selected(c));
        drive_irq(c);
        return;
    }
    if (is_busy(c)) {
        log_guest(DISK, "write to a busy drive: register %u, %02x", reg, val);
        return;
    }
    c->control &= (u8)~CONTROL_HOB;
    if (reg == ATA_STATUS) {
        write_command(c, (u8)val);
        return;
    }
    for (unsigned i = 0; i < ATA_DRIVES; i++) {
        u8 *r = c->drive[i].reg[reg];
        r[1] = r[0];
        r[0] = (u8)val;
    }
    if (reg == ATA_DEVICE) {
        c->second = val & ATA_DEV;
        drive_irq(c);
    }
}

static u32 ata_block_read(void *dev, u16 off, enum width width)
{
    struct ata_channel *c = dev;
    struct ata_drive *d = selected(c);
    unsigned reg = off + 1u;

    (void)width;
    if (!ata_present(d))
        return reg == ATA_DEVICE && ata_present(&c->drive[!c->second]) ? d->reg[reg][0] : 0;
    if (reg == ATA_STATUS) {
        d->interrupting = false;
        drive_irq(c);
        return d->status;
    }
    if (reg == ATA_FEATURES)
        return d->error;
    if (reg == ATA_DEVICE)
        return d->reg[reg][0] | 0xa0u;
    return d->reg[reg][c->control & CONTROL_HOB ? 1 : 0];
}

static const struct ioport_ops ata_block_ops = {
    .read = ata_block_read, .write = ata_block_write, .max = W8};

/* ---- data port ---- */

static u32 ata_data_read(void *dev, u16 off, enum width width)
{
    struct ata_channel *c = dev;
    unsigned n = width_bytes(width);

    (void)off;
    if (c->phase != ATA_PIO_IN || c->active != c->second)
        return selected(c)->desc->type == ATA_NONE ? 0 : (u32)width_mask(width);
    if (c->at + n > c->len)
        n = c->len - c->at; /* replies of ATAPI are no multiple of 4 */
    u32 val = (u32)load_le(&c->buffer[c->at], n);
    c->at += n;
    if (c->at == c->len)
        (ata_is_cdrom(ata_active(c)) ? atapi_pio_done : ata_pio_done)(c);
    return val;
}

static void ata_data_write(void *dev, u16 off, u32 val, enum width width)
{
    struct ata_channel *c = dev;
    unsigned n = width_bytes(width);

    (void)off;
    if (c->phase != ATA_PIO_OUT || c->active != c->second || c->at + n > c->len)
        return;
    store_le(&c->buffer[c->at], val, n);
    c->at += n;
    if (c->at == c->len)
        (ata_is_cdrom(ata_active(c)) ? atapi_pio_done : ata_pio_done)(c);
}

static const struct ioport_ops ata_data_ops = {
    .read = ata_data_read, .write = ata_data_write, .max = W32};

/* ---- alternate status and device control ---- */

static u32 ata_control_read(void *dev, u16 off, enum width width)
{
    struct ata_channel *c = dev;

    (void)off, (void)width;
    return ata_present(selected(c)) ? selected(c)->status : 0;
}

static void ata_control_write(void *dev, u16 off, u32 val, enum width width)
{
    (void)off, (void)width;
    write_control(dev, (u8)val);
}

static const struct ioport_ops ata_control_ops = {
    .read = ata_control_read, .write = ata_control_write, .max = W8};

/* ---- bus master ---- */

void ata_set_master(struct ata *a, const struct ata_master *master, void *ctx)
{
    a->master = master;
    a->master_ctx = ctx;
}

void ata_master_started(struct ata *a, unsigned channel)
{
    struct ata_channel *c = &a->channel[channel];

    if (c->phase == ATA_DMA && c->deadline == CLOCK_NEVER)
        ata_later(c, ATA_DMA, ATA_ACCESS_NS + (u64)c->left * ATA_KIB_NS / 2);
}

/* ---- media ---- */

enum status ata_insert(struct ata *a, unsigned channel, unsigned drive, struct block *medium)
{
    struct ata_drive *d = &a->channel[channel].drive[drive];

    if (!ata_is_cdrom(d))
        return STATUS_BAD_VALUE;
    a->desc.drive[channel][drive].disk = medium;
    d->cd.open = false;
    d->cd.event = medium ? ATAPI_EVENT_NEW : ATAPI_EVENT_REMOVED;
    if (medium)
        d->cd.attention = ASC_MEDIUM_CHANGED;
    return STATUS_OK;
}

bool ata_locked(const struct ata *a, unsigned channel, unsigned drive)
{
    return a->channel[channel].drive[drive].cd.locked;
}

/* ---- the device ---- */

static const struct field cd_fields[] = {
    FIELD(struct atapi_drive, sense), FIELD(struct atapi_drive, asc),
    FIELD(struct atapi_drive, ascq),  FIELD(struct atapi_drive, attention),
    FIELD(struct atapi_drive, event), FIELD(struct atapi_drive, locked),
    FIELD(struct atapi_drive, open),  FIELDS_END,
};

static const struct field packet_fields[] = {
    FIELD_ARRAY(struct atapi_transfer, packet),
    FIELD_ARRAY(struct atapi_transfer, reply),
    FIELD(struct atapi_transfer, sectors),
    FIELD(struct atapi_transfer, dma),
    FIELD(struct atapi_transfer, skip),
    FIELD(struct atapi_transfer, unit),
    FIELD(struct atapi_transfer, first),
    FIELD(struct atapi_transfer, at),
    FIELD(struct atapi_transfer, total),
    FIELD(struct atapi_transfer, limit),
    FIELDS_END,
};

static const struct field drive_fields[] = {
    {.name = "reg",
     .kind = FIELD_INT,
     .offset = offsetof(struct ata_drive, reg),
     .size = 1,
     .count = FIELD_SIZEOF(struct ata_drive, reg)},
    FIELD(struct ata_drive, status),
    FIELD(struct ata_drive, error),
    FIELD(struct ata_drive, multiple),
    FIELD(struct ata_drive, dma_mode),
    FIELD(struct ata_drive, write_cache),
    FIELD(struct ata_drive, look_ahead),
    FIELD(struct ata_drive, heads),
    FIELD(struct ata_drive, sectors),
    FIELD(struct ata_drive, interrupting),
    FIELD_STRUCT(struct ata_drive, cd, cd_fields),
    FIELDS_END,
};

static const struct field channel_fields[] = {
    FIELD_STRUCTS(struct ata_channel, drive, drive_fields),
    FIELD(struct ata_channel, second),
    FIELD(struct ata_channel, control),
    FIELD(struct ata_channel, phase),
    FIELD(struct ata_channel, active),
    FIELD(struct ata_channel, command),
    FIELD(struct ata_channel, lba),
    FIELD(struct ata_channel, left),
    FIELD(struct ata_channel, ext),
    FIELD(struct ata_channel, to_memory),
    FIELD(struct ata_channel, at),
    FIELD(struct ata_channel, len),
    FIELD_ARRAY(struct ata_channel, buffer),
    FIELD(struct ata_channel, deadline),
    FIELD_STRUCT(struct ata_channel, packet, packet_fields),
    FIELDS_END,
};

/* The disks' overlays are saved beside the device, by block_save(). */
static const struct field ata_fields[] = {
    FIELD_STRUCTS(struct ata, channel, channel_fields),
    FIELDS_END,
};

static void ata_reset(void *dev)
{
    struct ata *a = dev;

    for (unsigned n = 0; n < ATA_CHANNELS; n++) {
        struct ata_channel *c = &a->channel[n];
        channel_abort(c);
        c->control = c->active = c->command = 0;
        c->lba = 0;
        c->ext = c->to_memory = false;
        memset(c->buffer, 0, sizeof(c->buffer));
        c->packet = (struct atapi_transfer){.unit = 1, .limit = 2};
        for (unsigned i = 0; i < ATA_DRIVES; i++) {
            ata_defaults(&c->drive[i]);
            atapi_reset(&c->drive[i]);
        }
        channel_ready(c);
    }
}

/* A damaged snapshot must not reach outside of the buffer. */
static void ata_loaded(void *dev)
{
    struct ata *a = dev;

    for (unsigned n = 0; n < ATA_CHANNELS; n++) {
        struct ata_channel *c = &a->channel[n];
        c->active &= 1;
        if (c->len > ATA_BUFFER || c->at > c->len)
            c->at = c->len = 0;
        for (unsigned i = 0; i < ATA_DRIVES; i++) {
            struct ata_drive *d = &c->drive[i];
            if (d->multiple > ATA_MAX_MULTIPLE || !d->heads || !d->sectors)
                ata_defaults(d);
        }
        struct atapi_transfer *p = &c->packet;
        if ((!p->sectors && p->total > ATAPI_REPLY) || p->at > p->total || p->unit == 0 ||
            p->skip + p->unit > CD_RAW || p->limit > ATA_BUFFER || p->limit < 2)
            p->at = p->total = 0;
        if (!ata_present(ata_active(c)) || (c->phase == ATA_DMA && !a->master))
            channel_abort(c);
        set_deadline(c, c->deadline);
        drive_irq(c);
    }
}

static void ata_destroy(void *dev)
{
    free(dev);
}

const struct device_class ata_class = {
    .name = "ata",
    .version = 2,
    .fields = ata_fields,
    .reset = ata_reset,
    .loaded = ata_loaded,
    .destroy = ata_destroy,
};

static enum status channel_create(struct ata *a, unsigned n)
{
    static const char *const timer_name[ATA_CHANNELS] = {"ata0", "ata1"};
    struct ata_channel *c = &a->channel[n];
    struct ioport_bus *io = a->desc.io;

    c->ata = a;
    c->number = n;
    for (unsigned i = 0; i < ATA_DRIVES; i++) {
        c->drive[i].desc = &a->desc.drive[n][i];
        c->drive[i].unit = (u8)(n * ATA_DRIVES + i);
    }
    enum status s = clock_add(a->desc.clk, timer_name[n], channel_due, a, n, &c->timer);
    if (s == STATUS_OK)
        s = ioport_claim(io, command_base[n], 1, &ata_data_ops, c);
    if (s == STATUS_OK)
        s = ioport_claim(io, command_base[n] + 1, 7, &ata_block_ops, c);
    if (s == STATUS_OK)
        s = ioport_claim(io, control_base[n], 1, &ata_control_ops, c);
    return s;
}

/* Ports that a failing creation had claimed stay claimed: the board is given up as a whole. */
enum status ata_create(struct ata **out, const struct ata_desc *desc)
{
    struct ata *a = calloc(1, sizeof(*a));
    enum status s = STATUS_OK;
    if (!a)
        return STATUS_NO_MEMORY;

    a->desc = *desc;
    for (unsigned n = 0; n < ATA_CHANNELS && s == STATUS_OK; n++)
        s = channel_create(a, n);
    if (s != STATUS_OK) {
        free(a);
        return s;
    }
    ata_reset(a);
    *out = a;
    return STATUS_OK;
}
