/* SPDX-License-Identifier: MIT */
/* Private to i82077*.c: registers, drives, and what the files offer each other. */
#pragma once

#include "devices/i82077.h"

enum fdc_phase {
    FDC_IDLE,    /* waits for a command                                     */
    FDC_COMMAND, /* has some of its bytes                                   */
    FDC_ACCESS,  /* the disk turns; deadline: the sector is there           */
    FDC_GIVE,    /* without DMA: the host empties the buffer                */
    FDC_TAKE,    /* without DMA: the host fills the buffer                  */
    FDC_STORE,   /* it is full; deadline: on the disk                       */
    FDC_RESULT,  /* the host reads the result bytes                         */
};

enum fdc_command {
    FDC_READ_TRACK = 0x02,
    FDC_SPECIFY = 0x03,
    FDC_SENSE_DRIVE = 0x04,
    FDC_WRITE = 0x05,
    FDC_READ = 0x06,
    FDC_RECALIBRATE = 0x07,
    FDC_SENSE_INTERRUPT = 0x08,
    FDC_WRITE_DELETED = 0x09,
    FDC_READ_ID = 0x0a,
    FDC_READ_DELETED = 0x0c,
    FDC_FORMAT = 0x0d,
    FDC_DUMPREG = 0x0e,
    FDC_SEEK = 0x0f,
    FDC_VERSION = 0x10,
    FDC_SCAN_EQUAL = 0x11,
    FDC_PERPENDICULAR = 0x12,
    FDC_CONFIGURE = 0x13,
    FDC_LOCK = 0x14,
    FDC_VERIFY = 0x16,
    FDC_SCAN_LOW = 0x19,
    FDC_SCAN_HIGH = 0x1d,
    FDC_RELATIVE_SEEK = 0x8f,
    FDC_COMMAND_CODE = 0x1f,
};

/* Modifiers of the first command byte [82077AA §5.1] */
enum fdc_modifier {
    FDC_MT = BIT(7),
    FDC_MFM = BIT(6),
    FDC_SK = BIT(5),
    FDC_DIR = BIT(6),       /* RELATIVE SEEK: towards the spindle */
    FDC_LOCK_SET = BIT(7),  /* LOCK */
    FDC_VERIFY_EC = BIT(7), /* second byte of VERIFY: DTL is a count */
};

/* Status registers [82077AA §5.3] */
enum fdc_st {
    ST0_EQUIPMENT = BIT(4),
    ST0_SEEK_END = BIT(5),
    ST0_ABNORMAL = 0x40,
    ST0_INVALID = 0x80,
    ST0_POLLED = 0xc0,
    ST1_MISSING_MARK = BIT(0),
    ST1_NOT_WRITABLE = BIT(1),
    ST1_NO_DATA = BIT(2),
    ST1_OVERRUN = BIT(4),
    ST1_DATA_ERROR = BIT(5),
    ST1_END_OF_CYLINDER = BIT(7),
    ST2_BAD_CYLINDER = BIT(1),
    ST2_SCAN_NOT_SATISFIED = BIT(2),
    ST2_SCAN_HIT = BIT(3),
    ST2_WRONG_CYLINDER = BIT(4),
    ST2_DATA_ERROR = BIT(5),
    ST2_CONTROL_MARK = BIT(6),
    ST3_TWO_SIDE = BIT(3),
    ST3_TRACK0 = BIT(4),
    ST3_READY = BIT(5),
    ST3_PROTECTED = BIT(6),
};

enum fdc_dor {
    DOR_SELECT = 0x03,
    DOR_NOT_RESET = BIT(2),
    DOR_DMAGATE = BIT(3),
    DOR_MOTOR0 = BIT(4), /* to bit 7 for the four drives */
};

enum fdc_config {
    CONFIG_FIFOTHR = 0x0f,
    CONFIG_NO_POLL = BIT(4),
    CONFIG_NO_FIFO = BIT(5),
    CONFIG_IMPLIED_SEEK = BIT(6),
};

/* Guest time of things. A real drive is a hundred times slower, and nobody misses that. */
#define FDC_RESET_NS  50000u
#define FDC_STEP_NS   30000u
#define FDC_ACCESS_NS 100000u /* the first sector of a command */
#define FDC_SECTOR_NS 100000u /* each sector                   */

enum { FDC_UNITS = 4, FDC_COMMAND_MAX = 9, FDC_RESULT_MAX = 10 };

/* A drive's mechanics. Units 2 and 3 are never there, but the chip knows four of everything. */
struct fdc_drive {
    u8 cylinder;  /* where the head is */
    bool changed; /* the change line   */

    struct block *medium; /* not owned */
    const struct floppy_format *format;
};

/* What the chip keeps for each unit. */
struct fdc_unit {
    u8 pcn;      /* present cylinder number                       */
    u8 target;   /* of the seek under way                         */
    u64 seek_at; /* when it ends; CLOCK_NEVER: there is none      */
    bool recalibrating;
    bool interrupting; /* SENSE INTERRUPT STATUS will tell @st0   */
    u8 st0;
};

struct i82077 {
    struct i82077_desc desc;
    u32 timer;
    struct fdc_drive drive[I82077_DRIVES];

    u8 dor, dsr, tdr;
    u8 specify[2], config, pretrk, perpendicular;
    bool lock;
    struct fdc_unit unit[FDC_UNITS];
    bool attention; /* a unit has something to tell */
    u64 reset_at;   /* when the polling after a reset interrupts; CLOCK_NEVER: no */

    u8 phase;
    u8 command[FDC_COMMAND_MAX], command_at, command_len;
    u8 result[FDC_RESULT_MAX], result_at, result_len;
    bool result_interrupts;

    /* the transfer under way */
    u8 c, h, r, n; /* sector ID             */
    u8 head;       /* the head that is used */
    u8 st1, st2;
    u8 done; /* sectors: FORMAT, VERIFY, READ TRACK     */
    bool tc; /* the DMA controller has counted to its end */
    u16 at, len;
    u8 buffer[BLOCK_SECTOR];
    u64 data_at; /* when the phase goes on; CLOCK_NEVER: when the host does */
};

/* i82077.c */

/** Go on in @phase after @ns. */
void fdc_later(struct i82077 *f, enum fdc_phase phase, u64 ns);
/** Offer or ask for the buffer's first @len bytes, without DMA. */
void fdc_pio(struct i82077 *f, enum fdc_phase phase, unsigned len);
/** Show @n result bytes, after an execution phase with an interrupt. */
void fdc_result(struct i82077 *f, const u8 *bytes, unsigned n, bool interrupt);
/** Back to where a command is expected. */
void fdc_idle(struct i82077 *f);
/** Interrupt and DMA request, after anything that may have changed them. */
void fdc_lines(struct i82077 *f);
/** Begin a seek; it ends with an interrupt. */
void fdc_seek(struct i82077 *f, unsigned unit, u8 target, bool recalibrating);
/** Drive @unit; NULL if there is none. */
struct fdc_drive *fdc_drive_of(struct i82077 *f, unsigned unit);
/** The drive that the DOR selects, with its motor on; NULL if there is none. */
struct fdc_drive *fdc_selected(struct i82077 *f);
/** Let the head of the selected drive follow a seek of @unit; returns the time it takes. */
u64 fdc_move(struct i82077 *f, unsigned unit, u8 target);

/* i82077_command.c */

/** A byte of a command; the last one runs it. */
void fdc_command_byte(struct i82077 *f, u8 val);

/* i82077_data.c */

/** Begin a command that looks at the disk's surface. */
void fdc_start_data(struct i82077 *f);
/** FDC_ACCESS or FDC_STORE is over. */
void fdc_data_due(struct i82077 *f);
/** The host has emptied or filled the buffer. */
void fdc_pio_done(struct i82077 *f);
