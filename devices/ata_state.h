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
    ATA_PACKET,  /* deadline: execute the packet's command    */
};

#define ATA_DEVICE_RESET 0x08u
#define ATA_WRITE_BUFFER 0xe8u
#define ATA_MAX_MULTIPLE 16u
#define ATA_BUFFER       (ATA_MAX_MULTIPLE * BLOCK_SECTOR)

#define ATAPI_PACKET 12u
#define ATAPI_REPLY  512u

/* What a CD-ROM drive remembers between commands. */
struct atapi_drive {
    u8 sense, asc, ascq;
    u8 attention; /* additional sense code of a unit attention that waits; 0: none */
    u8 event;     /* media event that GET EVENT STATUS NOTIFICATION tells; 0: none  */
    bool locked, open;
};

/* The data of a packet command: a reply, or sectors of the medium. */
struct atapi_transfer {
    u8 packet[ATAPI_PACKET];
    u8 reply[ATAPI_REPLY];
    bool sectors; /* from the medium: byte 0 is @skip bytes into raw sector @first */
    bool dma;
    u16 skip, unit; /* of the 2352 bytes of a raw sector: where, how many */
    u32 first;
    u64 at, total; /* bytes moved, bytes in all */
    u16 limit;     /* bytes of a PIO block      */
};

struct ata_drive {
    u8 reg[ATA__REGS][2]; /* [0] current, [1] high order byte */
    u8 status, error;
    u8 multiple; /* sectors per block of READ/WRITE MULTIPLE; 0: off */
    u8 dma_mode; /* as in SET FEATURES: 20h multiword 0, 40h ultra 0; 0: none */
    bool write_cache, look_ahead;
    u8 heads, sectors; /* translation in force */
    bool interrupting;
    struct atapi_drive cd;

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
    struct atapi_transfer packet;

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

static inline bool ata_is_cdrom(const struct ata_drive *d)
{
    return d->desc->type == ATA_CDROM;
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
void ata_set_features(struct ata_channel *c);
/** Words of IDENTIFY (PACKET) DEVICE. */
void ata_put_word(struct ata_channel *c, unsigned word, u32 val);
void ata_put_text(struct ata_channel *c, unsigned word, unsigned words, const char *text);
void ata_put_serial(struct ata_channel *c);
void ata_put_modes(struct ata_channel *c);

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

/* atapi.c */

/** A command of the ATA command set, to a CD-ROM drive. */
void atapi_execute(struct ata_channel *c);
/** Forget everything, as RESET# does. */
void atapi_reset(struct ata_drive *d);
/* The deadlines of the channel, when its active drive is a CD-ROM drive. */
void atapi_packet_due(struct ata_channel *c);
void atapi_fetch(struct ata_channel *c);
void atapi_dma_run(struct ata_channel *c);
void atapi_pio_done(struct ata_channel *c);
/** End the packet command, successfully or with sense data. */
void atapi_finish(struct ata_channel *c);
void atapi_fail(struct ata_channel *c, u8 sense, u8 asc, u8 ascq);
/** Give the host the first @len bytes of the reply, at most @room. */
void atapi_give_reply(struct ata_channel *c, size_t len, size_t room);
/** Give it @count sectors from @first: @unit bytes of each raw sector from @skip on. */
void atapi_give_sectors(struct ata_channel *c, u32 first, u32 count, unsigned skip, unsigned unit);

/* atapi_command.c */

enum atapi_sense {
    SENSE_NOT_READY = 0x02,
    SENSE_MEDIUM_ERROR = 0x03,
    SENSE_ILLEGAL_REQUEST = 0x05,
    SENSE_UNIT_ATTENTION = 0x06,
};

/* Additional sense codes */
enum atapi_asc {
    ASC_UNRECOVERED_READ = 0x11,
    ASC_INVALID_COMMAND = 0x20,
    ASC_LBA_OUT_OF_RANGE = 0x21,
    ASC_INVALID_FIELD = 0x24,
    ASC_MEDIUM_CHANGED = 0x28,
    ASC_RESET = 0x29,
    ASC_SAVING_NOT_SUPPORTED = 0x39,
    ASC_NO_MEDIUM = 0x3a,         /* qualifier 1: tray closed, 2: open */
    ASC_REMOVAL_PREVENTED = 0x53, /* qualifier 2 */
    ASC_ILLEGAL_MODE = 0x64,
};

/* Media events [MMC-3 Table 124] */
enum { ATAPI_EVENT_NONE, ATAPI_EVENT_EJECT, ATAPI_EVENT_NEW, ATAPI_EVENT_REMOVED };

enum { CD_SECTOR = 2048, CD_RAW = 2352, CD_HEADER = 16 /* sync and header of a raw sector */ };

/** Run the packet command. */
void atapi_command(struct ata_channel *c);
/** The medium, unless there is none or the tray is open. */
struct block *atapi_medium(const struct ata_drive *d);
/** Its sectors; an image's last one may be incomplete. */
u32 atapi_sectors(const struct ata_drive *d);

/* atapi_reply.c: fill the reply; each returns its length */
size_t atapi_inquiry(u8 *r);
size_t atapi_request_sense(u8 *r, const struct ata_drive *d);
size_t atapi_toc(u8 *r, const struct ata_drive *d, const u8 *packet); /* 0: no such format */
size_t atapi_configuration(u8 *r, const struct ata_drive *d, const u8 *packet);
size_t atapi_event_status(u8 *r, struct ata_drive *d, u8 classes);
size_t atapi_mode_sense(u8 *r, const struct ata_drive *d, u8 page); /* 0: no such page */
size_t atapi_disc_information(u8 *r);
size_t atapi_track_information(u8 *r, const struct ata_drive *d);
size_t atapi_mechanism_status(u8 *r, const struct ata_drive *d);
/** "minute, second, frame" of a sector, from which the first two seconds are missing in an LBA. */
void atapi_msf(u32 lba, u8 *msf);
