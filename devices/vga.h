/* SPDX-License-Identifier: MIT */
/* VGA with Bochs VBE extensions, as an ISA card or as PCI function 1234:1111. */
#pragma once

#include "base/clock.h"
#include "base/status.h"
#include "devices/device.h"
#include "devices/ioport.h"
#include "devices/pci.h"
#include "mmu/physmem.h"

struct vga;

#define VGA_VRAM_DEFAULT   (16u << 20)
#define VGA_TEXT_MAX_CELLS 16384u

struct vga_desc {
    struct ioport_bus *io;
    struct clock *clk;
    struct pci_bus *pci; /* NULL: an ISA card, without BARs and ROM */
    u8 devfn;
    const u8 *rom; /* video BIOS for the ROM BAR, copied; NULL: none */
    size_t rom_len;
    u32 vram_bytes; /* power of two from 256 KiB to 256 MiB; 0: VGA_VRAM_DEFAULT */
};

extern const struct device_class vga_class;

/** What answers at A0000h-BFFFFh: map 128 KiB with the vga as device. */
extern const struct mmio_ops vga_window_ops;

/** Create the card in its reset state. STATUS_BAD_SIZE: vram_bytes. On failure *@out is untouched.
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
