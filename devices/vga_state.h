/* SPDX-License-Identifier: MIT */
/* Private to vga*.c: the registers and what the files of the card offer each other. */
#pragma once

#include "devices/cirrus_state.h"
#include "devices/vga.h"

/* Sequencer [VGA] */
enum vga_seq {
    SEQ_RESET = 0,
    SEQ_CLOCKING = 1, /* bit 0: 8-dot characters, bit 3: half dot clock, bit 5: screen off */
    SEQ_MAP_MASK = 2,
    SEQ_CHAR_MAP = 3,
    SEQ_MEMORY = 4, /* bit 2: sequential, not odd/even; bit 3: chain 4 */
    SEQ__COUNT = 8,
    SEQ_CLOCKING_8DOT = BIT(0),
    SEQ_CLOCKING_HALF = BIT(3),
    SEQ_CLOCKING_OFF = BIT(5),
    SEQ_MEMORY_SEQUENTIAL = BIT(2),
    SEQ_MEMORY_CHAIN4 = BIT(3),
};

/* CRT controller */
enum vga_crtc {
    CRTC_H_TOTAL = 0x00,
    CRTC_H_DISPLAY_END = 0x01,
    CRTC_V_TOTAL = 0x06,
    CRTC_OVERFLOW = 0x07,
    CRTC_PRESET_ROW = 0x08,
    CRTC_MAX_SCAN = 0x09, /* bits 4:0 lines - 1, bit 7: double scan */
    CRTC_CURSOR_START = 0x0a,
    CRTC_CURSOR_END = 0x0b,
    CRTC_START_HIGH = 0x0c,
    CRTC_START_LOW = 0x0d,
    CRTC_CURSOR_HIGH = 0x0e,
    CRTC_CURSOR_LOW = 0x0f,
    CRTC_V_RETRACE_START = 0x10,
    CRTC_V_RETRACE_END = 0x11, /* bit 7: registers 0-7 are read-only */
    CRTC_V_DISPLAY_END = 0x12,
    CRTC_OFFSET = 0x13,
    CRTC_UNDERLINE = 0x14, /* bit 6: doubleword addresses */
    CRTC_MODE = 0x17,
    CRTC_LINE_COMPARE = 0x18,
    CRTC__COUNT = 0x19,
    CRTC_MAX_SCAN_DOUBLE = BIT(7),
    CRTC_UNDERLINE_DWORD = BIT(6),
    CRTC_MODE_ROW0_A13 = BIT(0), /* 0: row bit 0 is address bit 13 (CGA graphics) */
    CRTC_MODE_ROW1_A14 = BIT(1), /* 0: row bit 1 is address bit 14 (Hercules)     */
    CRTC_MODE_WRAP_A15 = BIT(5),
    CRTC_MODE_BYTE = BIT(6), /* 0: word addresses */
};

/* Graphics controller */
enum vga_gc {
    GC_SET_RESET = 0,
    GC_ENABLE_SET_RESET = 1,
    GC_COLOR_COMPARE = 2,
    GC_ROTATE = 3, /* bits 2:0 count, 4:3 function */
    GC_READ_MAP = 4,
    GC_MODE = 5, /* bits 1:0 write mode, 3 read mode, 4 odd/even, 5 CGA shift, 6 256 colours */
    GC_MISC = 6, /* bit 0 graphics, 1 chain odd/even, 3:2 window */
    GC_COLOR_DONT_CARE = 7,
    GC_BIT_MASK = 8,
    GC__COUNT = 16,
    GC_MODE_READ1 = BIT(3),
    GC_MODE_ODD_EVEN = BIT(4),
    GC_MODE_SHIFT_CGA = BIT(5),
    GC_MODE_SHIFT_256 = BIT(6),
    GC_MISC_GRAPHICS = BIT(0),
    GC_MISC_CHAIN_ODD_EVEN = BIT(1),
};

/* Attribute controller */
enum vga_ac {
    AC_MODE = 0x10,
    AC_OVERSCAN = 0x11,
    AC_PLANE_ENABLE = 0x12,
    AC_PANNING = 0x13,
    AC_COLOR_SELECT = 0x14,
    AC__COUNT = 32,
    AC_MODE_LINE_GRAPHICS = BIT(2), /* ninth dot of C0h-DFh repeats the eighth */
    AC_MODE_BLINK = BIT(3),
    AC_MODE_SPLIT_STILL = BIT(5), /* the lower part of a split screen is not panned */
    AC_MODE_256 = BIT(6),
    AC_MODE_P54 = BIT(7), /* colour bits 5:4 from AC_COLOR_SELECT */
    AC_INDEX_PAS = BIT(5),
};

/* Miscellaneous output */
enum vga_misc {
    MISC_COLOR = BIT(0), /* CRTC at 3Dxh, not at 3Bxh */
    MISC_RAM = BIT(1),
    MISC_CLOCK_28 = BIT(2),
};

/* Bochs VBE */
enum vbe_reg {
    VBE_ID,
    VBE_XRES,
    VBE_YRES,
    VBE_BPP,
    VBE_ENABLE,
    VBE_BANK,
    VBE_VIRT_WIDTH,
    VBE_VIRT_HEIGHT,
    VBE_X_OFFSET,
    VBE_Y_OFFSET,
    VBE_MEMORY_64K,
    VBE__COUNT,
    VBE_ENABLED = BIT(0),
    VBE_GETCAPS = BIT(1),
    VBE_8BIT_DAC = BIT(5),
    VBE_LFB = BIT(6),
    VBE_NOCLEAR = BIT(7),
};

#define VGA_WINDOW     0xa0000u
#define VGA_BANK_SIZE  0x10000u
#define VGA_BAR_LFB    0u
#define VGA_PLANE_MASK 0xffffu /* bytes of a plane - 1 in VGA modes */

/** How bytes go between the window and the planes where that is simple; [1]: at odd addresses. */
struct vga_path {
    bool reads, writes; /* they are simple */
    u8 odd_even;        /* 1: odd addresses differ */
    u8 read[2];         /* bit of the latches that the byte begins at */
    u32 base, size;     /* the window, from A0000h on */
    u32 at;             /* bits of an address that count */
    u32 cpu[2];         /* bits of the planes that a write takes from its byte */
    u32 set[2];         /* ... that it sets */
    u32 latch[2];       /* ... that it takes from the latches */
    u32 keep[2];        /* ... that it leaves */
};

struct vga {
    struct pci_dev pci;
    u8 misc, feature, enable;
    u8 seq_index, seq[SEQ__COUNT];
    u8 crtc_index, crtc[CRTC__COUNT];
    u8 gc_index, gc[GC__COUNT];
    u8 ac_index, ac[AC__COUNT];
    bool ac_data; /* the next write at 3C0h is data */
    u8 dac_mask, dac_read, dac_write, dac_sub, dac_reading;
    u8 dac_latch[3];
    u8 dac[256 * 3];
    u32 latch; /* one byte per plane, plane 0 lowest */
    u16 vbe_index, vbe[VBE__COUNT];
    u8 *vram; /* VBE modes of 8 bits and more: linear; others: vga_plane_at(). Not owned */
    size_t vram_bytes;

    struct cirrus cx; /* if desc.cirrus */

    struct vga_desc desc;
    struct vga_path path; /* follows from the registers, as what is next does */
    bool direct; /* the window is mapped to vram from direct_off on: follows from the registers */
    size_t direct_off;
    struct vga_screen *screen; /* owned: vga_screen.c */
    bool *dirty;               /* its: by page of vram, written since it was drawn */
};

/*
 * Where plane 0's byte of an address of the planes is in vram; planes 1 to 3 follow. The lowest two
 * bits of the address go on top: so what chain 4 reaches, every fourth address, is one piece, in
 * the CPU's order.
 */
static inline size_t vga_plane_at(const struct vga *v, u32 address)
{
    u32 bank = address >> 16;
    u32 at = bank << 18 | (address & 3) << 16 | (address & 0xfffc);

    return at & (v->vram_bytes - 1);
}

static inline void vga_mark(struct vga *v, size_t at)
{
    v->dirty[at / PAGE_SIZE] = true;
}

/* vga_port.c */
enum status vga_claim_ports(struct vga *v) MUST_CHECK;
void vga_release_ports(struct vga *v);
u8 vga_port_read(struct vga *v, u16 port);
void vga_port_write(struct vga *v, u16 port, u8 val);

/** Timing of the CRTC as programmed. Nothing in it is 0. */
struct vga_timing {
    u64 hz; /* dot clock */
    unsigned char_dots, columns, total_columns;
    unsigned lines, total_lines, retrace_start, retrace_lines;
};

void vga_timing(const struct vga *v, struct vga_timing *t);

/** Frames begun since time 0, for what blinks. */
u64 vga_frame_count(const struct vga *v);

/* vga_screen.c */
enum status vga_screen_create(struct vga *v) MUST_CHECK;
void vga_screen_destroy(struct vga *v);
/** Note what was written through direct maps. */
void vga_screen_collect(struct vga *v);
/** Memory has changed in ways that nobody marked: draw everything. */
void vga_screen_forget(struct vga *v);

/* vga_memory.c */
/** After a change of registers that say what the window at A0000h is. */
void vga_update_window(struct vga *v);

/* vga_vbe.c */
u16 vbe_read(const struct vga *v);
void vbe_write(struct vga *v, u16 val);
/** Registers were loaded, which may hold what no guest can reach. */
void vbe_loaded(struct vga *v);
extern const struct mmio_ops vga_mmio_ops; /* BAR 2: ports at 400h, VBE registers at 500h */

static inline bool vbe_on(const struct vga *v)
{
    return v->vbe[VBE_ENABLE] & VBE_ENABLED;
}

/** Modes whose pixels are in one piece: VBE's of 8 bits and more, the GD5446's packed ones. */
static inline bool vga_is_linear(const struct vga *v)
{
    return v->desc.cirrus ? cirrus_is_packed(v) : vbe_on(v) && v->vbe[VBE_BPP] >= 8;
}

/** Bytes from one line to the next in a VBE mode of 8 bits and more. */
static inline u32 vbe_pitch(const struct vga *v)
{
    return v->vbe[VBE_VIRT_WIDTH] * ((v->vbe[VBE_BPP] + 7u) / 8);
}

/** Such a mode. Bytes where they are not said to be pixels. */
struct vga_linear {
    u32 width, height; /* pixels */
    u32 bpp;           /* 8, 15, 16, 24, 32 */
    u32 pitch, start;
};

void vga_linear(const struct vga *v, struct vga_linear *l);

/* vga_render.c */

/** A DAC entry as 00RRGGBBh. */
u32 vga_dac_color(const struct vga *v, u8 index);

/** A 4-bit colour through the attribute controller and the DAC. */
u32 vga_attribute_color(const struct vga *v, u8 index);

/** How often a graphics line is shown before the next one. */
unsigned vga_line_repeat(const struct vga *v);

/** The last scan line of the upper part of a split screen. */
unsigned vga_line_compare(const struct vga *v);

/** Plane address of memory-address counter @ma in scan line @row of its character row. */
u32 vga_address(const struct vga *v, u32 ma, unsigned row);

/** Draw rows [@first, @end) of a linear mode into a frame that has its size. */
void vga_render_rows(const struct vga *v, struct vga_frame *f, u32 first, u32 end);

/* vga_text.c */
/** Changes whenever the cursor or a character that blinks does. */
u64 vga_blink_phase(const struct vga *v);
/** Draw rows [@first, @end). */
void vga_render_text(const struct vga *v, const struct vga_timing *t, struct vga_frame *frame,
                     u32 first, u32 end);
/** The rows of @frame in which something may blink. */
void vga_text_blinking_rows(const struct vga *v, const struct vga_frame *frame, u32 *first,
                            u32 *end);
bool vga_is_text(const struct vga *v);
