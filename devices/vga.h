/* SPDX-License-Identifier: MIT */
/* VGA: with Bochs VBE extensions, as an ISA card or as PCI function 1234:1111; or a GD5446. */
#pragma once

#include "base/clock.h"
#include "base/status.h"
#include "devices/device.h"
#include "devices/ioport.h"
#include "devices/pci.h"
#include "mmu/physmem.h"

struct vga;

#define VGA_VRAM_DEFAULT   (16u << 20)
#define VGA_VRAM_CIRRUS    (4u << 20)
#define VGA_TEXT_MAX_CELLS 16384u

struct vga_desc {
    bool cirrus; /* a Cirrus Logic CL-GD5446, on PCI only, with 4 MiB, of class cirrus_class */
    struct ioport_bus *io;
    struct clock *clk;
    struct pci_bus *pci; /* NULL: an ISA card, without BARs and ROM */
    u32 lfb;             /* without PCI: where the board lets its memory answer; 0: nowhere */
    u8 devfn;
    const u8 *rom; /* video BIOS for the ROM BAR, copied; NULL: none */
    size_t rom_len;
    struct physmem *pm; /* its video memory is the card's: a power of two, 256 KiB to 256 MiB */
    /* Called when video memory from @off on is what the window at A0000h-AFFFFh would give anyway,
     * and when that is over; NULL: the window is always asked. */
    void (*direct)(void *ctx, bool direct, size_t off);
    void *direct_ctx;
};

extern const struct device_class vga_class, cirrus_class;

/** What answers at A0000h-BFFFFh: map 128 KiB with the vga as device. */
extern const struct mmio_ops vga_window_ops;

/** Create the card in its reset state. STATUS_BAD_SIZE: video memory. On failure *@out is
 * untouched.
 */
enum status vga_create(struct vga **out, const struct vga_desc *desc) MUST_CHECK;

/** Characters and attributes as they are on the screen. */
struct vga_text_screen {
    unsigned columns, rows;
    bool blink;     /* bit 7 of an attribute is blinking, not a bright background */
    bool cursor_on; /* shown at all; blinking does not matter */
    unsigned cursor_column, cursor_row;
    struct {
        u8 ch, attr;
    } cell[VGA_TEXT_MAX_CELLS]; /* row by row */
};

/** Read the text screen. False, and 0 by 0 cells, if the card is in a graphics mode. */
bool vga_text(const struct vga *v, struct vga_text_screen *out);

/** Pixels 00RRGGBBh, row by row, without gaps. Start with a zeroed one; reuse it freely. */
struct vga_frame {
    unsigned width, height;
    u32 *pixels;
    size_t capacity; /* pixels that fit */
    bool steady;     /* set it to see neither the cursor nor characters blink, at any time */
};

/** What the monitor shows now. STATUS_NO_MEMORY leaves the frame as it was. */
enum status vga_render(const struct vga *v, struct vga_frame *frame) MUST_CHECK;

void vga_frame_free(struct vga_frame *frame);

/** The picture that the card keeps for whoever shows it. */
struct vga_picture {
    const u32 *pixels; /* 00RRGGBBh, row by row, without gaps; until the next call */
    unsigned width, height;
    unsigned first_row, rows; /* what has changed since the last call; rows is 0: nothing has */
    bool square;              /* pixels are square; otherwise the picture is 4:3 */
};

/** Draw what has changed. STATUS_NO_MEMORY: there is no picture now. */
enum status vga_show(struct vga *v, struct vga_picture *out) MUST_CHECK;
