/* SPDX-License-Identifier: MIT */
/* Private to vga*.c and cirrus*.c: what a GD5446 has beside a VGA. */
#pragma once

#include "base/bits.h"
#include "base/fields.h"
#include "base/types.h"
#include "mmu/physmem.h"

struct vga;

/* Extended sequencer registers [GD5446] */
enum cirrus_seq {
    CSEQ_KEY = 0x06,  /* 12h: unlocked */
    CSEQ_MODE = 0x07, /* bit 0 packed pixels, 3:1 their size */
    CSEQ_VCLK_NUM = 0x0b,
    CSEQ_DRAM = 0x0f,
    CSEQ_CURSOR_X = 0x10, /* bits 7:5 of the index are the lowest of the place */
    CSEQ_CURSOR_Y = 0x11,
    CSEQ_CURSOR_MODE = 0x12,
    CSEQ_CURSOR_PATTERN = 0x13,
    CSEQ_CONFIG = 0x17,
    CSEQ_VCLK_DEN = 0x1b,
    CSEQ_MCLK = 0x1f,
    CSEQ__COUNT = 0x20,
    CSEQ_MODE_PACKED = BIT(0),
    CSEQ_CURSOR_ON = BIT(0),
    CSEQ_CURSOR_DAC = BIT(1),
    CSEQ_CURSOR_64 = BIT(2),
    CSEQ_CONFIG_MMIO = BIT(2),
    CSEQ_CONFIG_MMIO_LINEAR = BIT(6), /* at the end of linear memory, not at B8000h */
};

/* Extended graphics registers */
enum cirrus_gc {
    CGC_BACKGROUND = 0x00, /* bytes 1 to 3 at 10h, 12h, 14h */
    CGC_FOREGROUND = 0x01, /* ... at 11h, 13h, 15h */
    CGC_BANK0 = 0x09,
    CGC_BANK1 = 0x0a,
    CGC_EXTENSIONS = 0x0b,
    CGC_BLT_WIDTH = 0x20,
    CGC_BLT_HEIGHT = 0x22,
    CGC_BLT_DST_PITCH = 0x24,
    CGC_BLT_SRC_PITCH = 0x26,
    CGC_BLT_DST = 0x28,
    CGC_BLT_DST_HIGH = 0x2a,
    CGC_BLT_SRC = 0x2c,
    CGC_BLT_SKIP = 0x2f,
    CGC_BLT_MODE = 0x30,
    CGC_BLT_START = 0x31,
    CGC_BLT_ROP = 0x32,
    CGC_BLT_EXT = 0x33,
    CGC_BLT_KEY = 0x34,
    CGC_BLT_MASK = 0x38,
    CGC__COUNT = 0x40,
    CGC_EXT_TWO_BANKS = BIT(0),
    CGC_EXT_BY8 = BIT(1),
    CGC_EXT_WRITE_MODES = BIT(2),
    CGC_EXT_16BIT = BIT(4),
    CGC_EXT_BANK_16K = BIT(5),
};

/* Extended CRTC registers */
enum cirrus_crtc {
    CCRTC_FIRST = 0x19,
    CCRTC_CONTROL = 0x1a, /* bit 0: interlaced */
    CCRTC_EXTENDED = 0x1b,
    CCRTC_OVERLAY = 0x1d,
    CCRTC_LATCH = 0x22,
    CCRTC_AC_TOGGLE = 0x24,
    CCRTC_AC_INDEX = 0x26,
    CCRTC_ID = 0x27,
    CCRTC__COUNT = 0x40,
};

#define CIRRUS_LINE_MAX 8192u /* bytes of a line of a BitBLT */

/* A BitBLT whose source the CPU writes. */
struct cirrus_feed {
    bool active;
    u16 row;  /* lines done */
    u16 need; /* bytes of a line, or of the whole pattern */
    u16 fill; /* of them here */
    u8 line[CIRRUS_LINE_MAX];
};

struct cirrus {
    u8 seq_index, seq[CSEQ__COUNT];
    u8 gc_index, gc[CGC__COUNT];
    u8 crtc[CCRTC__COUNT];
    u8 hidden_dac, hidden_reads; /* reads of 3C6h in a row */
    u16 cursor_x, cursor_y;
    u8 cursor_dac[16 * 3];
    struct cirrus_feed feed;

    /* Not state: nobody in the guest can tell. */
    bool trapped;      /* linear memory and the window are asked, not mapped */
    u32 trapped_count; /* accesses since anything needed that */
    size_t lfb_plain;  /* bytes of linear memory that are mapped */
};

extern const struct field cirrus_fields[];

/* cirrus.c */
void cirrus_reset(struct vga *v);
void cirrus_loaded(struct vga *v);
/** True: the port, 3Bxh as 3Dxh, is not only a VGA's, and has been dealt with. */
bool cirrus_port_read(struct vga *v, u16 port, u8 *val);
bool cirrus_port_write(struct vga *v, u16 port, u8 val);
u64 cirrus_clock(const struct vga *v);
/** What a graphics register does beyond being stored, also when it is written through memory. */
void cirrus_gc_write(struct vga *v, u8 index, u8 val);

/* cirrus_memory.c */
extern const struct mmio_ops cirrus_aperture_ops; /* BAR 0 */
extern const struct mmio_ops cirrus_mmio_ops;     /* BAR 1 */
bool cirrus_is_packed(const struct vga *v);
/** Byte @off of the window at A0000h in linear memory, or of plane addresses. */
u32 cirrus_bank(const struct vga *v, u32 off);
/** True: the access at @off from A0000h on has been dealt with. */
bool cirrus_window_read(struct vga *v, u64 off, u8 *val);
bool cirrus_window_write(struct vga *v, u64 off, u64 val, unsigned size);
/** Whether 64 KiB of memory from *@at on are what the window shows. */
bool cirrus_window_is_plain(const struct vga *v, size_t *at);
/** Map linear memory as the registers say. @moved: nothing of it is mapped. */
void cirrus_update_linear(struct vga *v, bool moved);

/* cirrus_blt.c */
void cirrus_blt_control(struct vga *v, u8 val);
u8 cirrus_blt_status(const struct vga *v);
void cirrus_blt_feed(struct vga *v, u64 val, unsigned size);
static inline bool cirrus_is_fed(const struct cirrus *c)
{
    return c->feed.active;
}

/* cirrus_screen.c */
struct vga_linear;
struct vga_frame;
void cirrus_linear(const struct vga *v, struct vga_linear *l);
/** Draw the pointer over rows [@first, @end). */
void cirrus_draw_cursor(const struct vga *v, struct vga_frame *f, u32 first, u32 end);
/** Whether its pattern was written since it was drawn. */
bool cirrus_cursor_dirty(const struct vga *v);
