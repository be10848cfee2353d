/* SPDX-License-Identifier: MIT */
/* Two ATA channels with up to two drives each, at the PC's legacy ports. */
#pragma once

#include "base/clock.h"
#include "base/status.h"
#include "devices/block.h"
#include "devices/device.h"
#include "devices/ioport.h"
#include "devices/line.h"

struct ata;

enum { ATA_CHANNELS = 2, ATA_DRIVES = 2 };

enum ata_type { ATA_NONE, ATA_DISK, ATA_CDROM };

/** What sits on a cable. */
struct ata_drive_desc {
    enum ata_type type;
    struct block *disk; /* not owned; NULL: the CD-ROM drive is empty */
    const char *serial; /* at most 20 characters; NULL: from the place on the cable */
};

struct ata_desc {
    struct ioport_bus *io;
    struct clock *clk;
    struct line irq[ATA_CHANNELS]; /* 14, 15 */
    struct ata_drive_desc drive[ATA_CHANNELS][ATA_DRIVES];
};

extern const struct device_class ata_class;

/** Create both channels and claim 1F0h-1F7h, 3F6h, 170h-177h, 376h. */
enum status ata_create(struct ata **out, const struct ata_desc *desc) MUST_CHECK;

/**
 * Put @medium (not owned; NULL: nothing) into a CD-ROM drive in place of what was there, and close
 * its tray. STATUS_BAD_VALUE: it is no CD-ROM drive.
 */
enum status ata_insert(struct ata *a, unsigned channel, unsigned drive,
                       struct block *medium) MUST_CHECK;
/** Whether the guest has locked the tray. */
bool ata_locked(const struct ata *a, unsigned channel, unsigned drive);

/* ---- for the bus master (piix_ide.c) ---- */

struct ata_master {
    /** Is the channel's bus master started? */
    bool (*ready)(void *ctx, unsigned channel);
    /** Move up to @len bytes; returns how many its table had room for. */
    size_t (*move)(void *ctx, unsigned channel, u8 *buf, size_t len, bool to_memory);
    /** The drive interrupts. */
    void (*interrupt)(void *ctx, unsigned channel);
};

/** Connect the bus master; without one, DMA commands are aborted. */
void ata_set_master(struct ata *a, const struct ata_master *master, void *ctx);

/** The bus master of @channel was started. */
void ata_master_started(struct ata *a, unsigned channel);
