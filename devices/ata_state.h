/* SPDX-License-Identifier: MIT */
/* Private to ata*.c: the drives' registers and what the files offer each other. */
#pragma once

#include "devices/ata.h"

enum ata_status {
    ATA_ERR = BIT(0),
    ATA_DRQ = BIT(3),
    ATA_DSC = BIT(4), /* seek complete */
    ATA_DF = BIT(5),
    ATA_DRDY = BIT(6),
    ATA_BSY = BIT(7),
};

enum ata_error {
    ATA_ABRT = BIT(2),
    ATA_IDNF = BIT(4),
    ATA_UNC = BIT(6),
};

enum ata_device_bits {
    ATA_DEV = BIT(4),
    ATA_LBA = BIT(6),
};

/* The byte registers of the command block; the second byte is what was written before (HOB). */
enum ata_reg {
    ATA_FEATURES = 1, /* reads the error */
    ATA_COUNT = 2,
    ATA_LOW = 3,
    ATA_MID = 4,
    ATA_HIGH = 5,
    ATA_DEVICE = 6,
    ATA_STATUS = 7, /* writes the command */
    ATA__REGS = 8,
};

enum ata_phase {
    ATA_IDLE,
    ATA_COMMAND, /* deadline: execute the command             */
    ATA_READ,    /* deadline: fetch the next block            */
    ATA_WRITE,   /* deadline: store the block that was filled */
    ATA_DMA,     /* waits for the bus master; deadline: transfer */
    ATA_PIO_IN,  /* the host empties the buffer               */
    ATA_PIO_OUT, /* the host fills the buffer                 */
};

#define ATA_MAX_MULTIPLE 16u
#define ATA_BUFFER       (ATA_MAX_MULTIPLE * BLOCK_SECTOR)

struct ata_drive {
    u8 reg[ATA__REGS][2]; /* [0] current, [1] high order byte */
    u8 status, error;
    u8 multiple; /* sectors per block of READ/WRITE MULTIPLE; 0: off */
    u8 dma_mode; /* as in SET FEATURES: 20h multiword 0, 40h ultra 0; 0: none */
    bool write_cache, look_ahead;
    u8 heads, sectors; /* translation in force */
    bool interrupting;

    const struct ata_drive_desc *desc;
    u8 unit;
};

struct ata_channel {
    struct ata_drive drive[ATA_DRIVES];
    bool second; /* the selected drive */
    u8 control;  /* device control register */
    u8 phase;    /* of the drive that has the command */
    u8 active;   /* which drive that is */
    u8 command;
    u64 lba;        /* next sector of the transfer */
    u32 left;       /* sectors of it */
    bool ext;       /* 48-bit command */
    bool to_memory; /* DMA direction */
    u32 at, len;    /* position in the buffer and bytes in it */
    u8 buffer[ATA_BUFFER];
    u64 deadline;

    struct ata *ata;
    unsigned number;
    u32 timer;
};

struct ata {
    struct ata_channel channel[ATA_CHANNELS];
    struct ata_desc desc;
    const struct ata_master *master;
    void *master_ctx;
};

/* Guest time of things: a pure function of the request. */
#define ATA_COMMAND_NS 10000u
#define ATA_ACCESS_NS  50000u
#define ATA_KIB_NS     1000u
#define ATA_BLOCK_NS   2000u /* between the blocks of one PIO transfer */

static inline bool ata_present(const struct ata_drive *d)
{
    return d->desc->type != ATA_NONE;
}

static inline struct ata_drive *ata_active(struct ata_channel *c)
{
    return &c->drive[c->active];
}

/* ata.c */

/** Go on in @phase after @ns. */
void ata_later(struct ata_channel *c, enum ata_phase phase, u64 ns);
/** The drive's interrupt request. */
void ata_interrupt(struct ata_channel *c);
/** End the command. @error 0: successfully. */
void ata_finish(struct ata_channel *c, u8 error);
/** Offer @len bytes of the buffer to the host, or ask it for them. */
void ata_pio(struct ata_channel *c, enum ata_phase phase, u32 len);
/** Registers as after a reset: the signature of the type. */
void ata_signature(struct ata_drive *d);

/* ata_command.c */
void ata_execute(struct ata_channel *c);
void ata_defaults(struct ata_drive *d);

/* ata_transfer.c */
void ata_start_read(struct ata_channel *c, bool ext);
void ata_start_write(struct ata_channel *c, bool ext);
void ata_start_dma(struct ata_channel *c, bool ext, bool to_memory);
void ata_verify(struct ata_channel *c, bool ext);
void ata_fetch(struct ata_channel *c);
void ata_store(struct ata_channel *c);
void ata_dma_run(struct ata_channel *c);
void ata_pio_done(struct ata_channel *c);
/** Put a sector address into the registers, in the command's form of address. */
void ata_set_address(struct ata_channel *c, u64 lba);
