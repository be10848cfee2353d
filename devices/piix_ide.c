/* SPDX-License-Identifier: MIT */
/*
 * 82371SB (PIIX3), function 1: bus-master IDE.
 *
 * References: Intel 82371FB/82371SB, order number 290550 [PIIX3]: §2.3 configuration, §2.7 bus
 * master registers; [SFF-8038i] Bus Master Programming Interface for IDE ATA Controllers.
 *
 * A transfer runs at one moment of guest time, when the drive's deadline comes: software sees the
 * bus master active until then, and finished after.
 *
 * Not implemented: IDETIM's decode enable and timings (stored; the legacy ports always answer),
 * native mode, simplex.
 */
#include "devices/piix_ide.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/log.h"

enum {
    IDE_VENDOR = 0x8086,
    IDE_DEVICE = 0x7010,
    IDE_CLASS = 0x010180, /* bus master, both channels at the legacy ports */
    IDE_DEVFN = PCI_DEVFN(1, 1),
    IDE_BAR = 4,
    IDE_PORTS = 16,
    IDE_IDETIM = 0x40, /* two words */
    IDE_SIDETIM = 0x44,
    CHANNEL_PORTS = 8,
};

/* Per channel [SFF-8038i §2] */
enum bm_port { BMICX = 0, BMISX = 2, BMIDTPX = 4 };

enum bm_bits {
    BMICX_SSBM = BIT(0),  /* start */
    BMICX_RWCON = BIT(3), /* 1: the drive is read, memory is written */
    BMICX_WRITABLE = BMICX_SSBM | BMICX_RWCON,
    BMISX_ACTIVE = BIT(0),
    BMISX_ERROR = BIT(1),
    BMISX_INTERRUPT = BIT(2),
    BMISX_CAPABLE = BIT(5) | BIT(6), /* drive 0 and 1: plain storage for software */
};

/* Physical region descriptor */
enum { PRD_SIZE = 8 };
#define PRD_EOT BIT(31)

struct bm_channel {
    u8 command, status;
    u32 table; /* BMIDTPX */
    u32 next;  /* next descriptor                  */
    u32 at;    /* position in the region and bytes */
    u32 left;  /* left of it                       */
    bool last; /* it is the last region            */
};

struct piix_ide {
    struct pci_dev pci;
    struct bm_channel channel[ATA_CHANNELS];
    struct piix_ide_desc desc;
};

/* ---- transfers ---- */

static bool bm_ready(void *ctx, unsigned n)
{
    const struct piix_ide *ide = ctx;

    return ide->channel[n].command & BMICX_SSBM && ide->channel[n].status & BMISX_ACTIVE;
}

/* Fetch the next descriptor; false after the last one. */
static bool next_region(struct piix_ide *ide, struct bm_channel *c)
{
    u8 prd[PRD_SIZE];

    if (c->last)
        return false;
    physmem_read(ide->desc.pm, c->next, prd, sizeof(prd));
    c->next += PRD_SIZE;
    c->at = load32(prd) & ~1u;
    c->left = load32(prd + 4) & 0xfffe;
    if (c->left == 0)
        c->left = 0x10000;
    c->last = load32(prd + 4) & PRD_EOT;
    return true;
}

static size_t bm_move(void *ctx, unsigned n, u8 *buf, size_t len, bool to_memory)
{
    struct piix_ide *ide = ctx;
    struct bm_channel *c = &ide->channel[n];
    size_t done = 0;

    if (to_memory != !!(c->command & BMICX_RWCON) || !pci_is_master(&ide->pci)) {
        log_guest(DISK, "bus master %u: wrong direction, or not enabled", n);
        return 0;
    }
    while (done < len) {
        if (c->left == 0 && !next_region(ide, c)) {
            c->status &= (u8)~BMISX_ACTIVE; /* the table is shorter than the transfer */
            break;
        }
        size_t part = len - done < c->left ? len - done : c->left;
        if (to_memory)
            physmem_write(ide->desc.pm, c->at, buf + done, part);
        else
            physmem_read(ide->desc.pm, c->at, buf + done, part);
        c->at += (u32)part;
        c->left -= (u32)part;
        done += part;
    }
    return done;
}

/* A table longer than the transfer leaves the master active [SFF-8038i §3.1]. */
static void bm_interrupt(void *ctx, unsigned n)
{
    struct bm_channel *c = &((struct piix_ide *)ctx)->channel[n];

    c->status |= BMISX_INTERRUPT;
    if (c->last && c->left == 0)
        c->status &= (u8)~BMISX_ACTIVE;
}

static const struct ata_master bm_master = {
    .ready = bm_ready, .move = bm_move, .interrupt = bm_interrupt};

/* ---- registers ---- */

static void bm_write_command(struct piix_ide *ide, unsigned n, u8 val)
{
    struct bm_channel *c = &ide->channel[n];
    bool start = val & BMICX_SSBM && !(c->command & BMICX_SSBM);

    c->command = val & BMICX_WRITABLE;
    if (start) {
        c->next = c->table;
        c->left = 0;
        c->last = false;
        c->status |= BMISX_ACTIVE;
        ata_master_started(ide->desc.ata, n);
    } else if (!(val & BMICX_SSBM)) {
        c->status &= (u8)~BMISX_ACTIVE;
    }
}

static u8 bm_read_byte(const struct piix_ide *ide, unsigned off)
{
    const struct bm_channel *c = &ide->channel[off / CHANNEL_PORTS];
    unsigned reg = off % CHANNEL_PORTS;

    switch (reg) {
    case BMICX:
        return c->command;
    case BMISX:
        return c->status;
    case BMIDTPX:
    case BMIDTPX + 1:
    case BMIDTPX + 2:
    case BMIDTPX + 3:
        return (u8)(c->table >> 8 * (reg - BMIDTPX));
    default:
        return 0;
    }
}

static void bm_write_byte(struct piix_ide *ide, unsigned off, u8 val)
{
    unsigned n = off / CHANNEL_PORTS, reg = off % CHANNEL_PORTS;
    struct bm_channel *c = &ide->channel[n];

    switch (reg) {
    case BMICX:
        bm_write_command(ide, n, val);
        break;
    case BMISX:
        c->status = (u8)((c->status & ~BMISX_CAPABLE & ~(val & (BMISX_ERROR | BMISX_INTERRUPT))) |
                         (val & BMISX_CAPABLE));
        break;
    case BMIDTPX:
    case BMIDTPX + 1:
    case BMIDTPX + 2:
    case BMIDTPX + 3: {
        unsigned shift = 8 * (reg - BMIDTPX);
        c->table = ((c->table & ~(0xffu << shift)) | (u32)val << shift) & ~3u;
        break;
    }
    default:
        break;
    }
}

static u32 bm_read(void *dev, u16 off, enum width width)
{
    u32 val = 0;

    for (unsigned i = 0; i < width_bytes(width); i++)
        val |= (u32)(off + i < IDE_PORTS ? bm_read_byte(dev, off + i) : 0xff) << 8 * i;
    return val;
}

static void bm_write(void *dev, u16 off, u32 val, enum width width)
{
    for (unsigned i = 0; i < width_bytes(width) && off + i < IDE_PORTS; i++)
        bm_write_byte(dev, off + i, (u8)(val >> 8 * i));
}

static const struct ioport_ops bm_ops = {.read = bm_read, .write = bm_write, .max = W32};

/* ---- the function ---- */

static const struct field bm_fields[] = {
    FIELD(struct bm_channel, command), FIELD(struct bm_channel, status),
    FIELD(struct bm_channel, table),   FIELD(struct bm_channel, next),
    FIELD(struct bm_channel, at),      FIELD(struct bm_channel, left),
    FIELD(struct bm_channel, last),    FIELDS_END,
};

static const struct field piix_ide_fields[] = {
    FIELD_STRUCT(struct piix_ide, pci, pci_dev_fields),
    FIELD_STRUCTS(struct piix_ide, channel, bm_fields),
    FIELDS_END,
};

static void piix_ide_reset(void *dev)
{
    struct piix_ide *ide = dev;

    pci_dev_reset(&ide->pci);
    memset(ide->channel, 0, sizeof(ide->channel));
}

static void piix_ide_loaded(void *dev)
{
    pci_dev_loaded(&((struct piix_ide *)dev)->pci);
}

static void piix_ide_destroy(void *dev)
{
    struct piix_ide *ide = dev;

    if (!ide)
        return;
    pci_unregister(&ide->pci);
    free(ide);
}

const struct device_class piix_ide_class = {
    .name = "piix_ide",
    .version = 1,
    .fields = piix_ide_fields,
    .reset = piix_ide_reset,
    .loaded = piix_ide_loaded,
    .destroy = piix_ide_destroy,
};

enum status piix_ide_create(struct piix_ide **out, const struct piix_ide_desc *desc)
{
    static const struct pci_ident ident = {
        .vendor = IDE_VENDOR,
        .device = IDE_DEVICE,
        .class_code = IDE_CLASS,
    };
    struct piix_ide *ide = calloc(1, sizeof(*ide));
    if (!ide)
        return STATUS_NO_MEMORY;

    ide->desc = *desc;
    pci_dev_init(&ide->pci, &ident, NULL, ide);
    pci_default(&ide->pci, PCI_STATUS, 2, 0x0280, 0);
    pci_default(&ide->pci, IDE_IDETIM, 4, 0, 0xffffffff);
    pci_default(&ide->pci, IDE_SIDETIM, 1, 0, 0xff);
    pci_add_io_bar(&ide->pci, IDE_BAR, IDE_PORTS, &bm_ops);
    enum status s = pci_register(&ide->pci, desc->pci, IDE_DEVFN);
    if (s != STATUS_OK) {
        free(ide);
        return s;
    }
    ata_set_master(desc->ata, &bm_master, ide);
    *out = ide;
    return STATUS_OK;
}
