/* SPDX-License-Identifier: MIT */
/* A video card on a PCI bus, with nothing else: for tests of its ports and memory. */
#pragma once

#include <stdlib.h>

#include "devices/vga.h"
#include "tests/support/pci_guest.h"

#define CARD PCI_DEVFN(2, 0)

struct board {
    struct ioport_bus *io;
    struct physmem *pm;
    struct pci_bus *bus;
    struct clock clk;
    struct vga *chip;
    bool direct; /* the window is plain memory */
};

/* What the bridge does. */
static inline void vga_board_direct(void *ctx, bool direct, size_t off)
{
    struct board *b = ctx;

    if (!direct)
        assert_int_equal(physmem_map_mmio(b->pm, 0xa0000, 0x20000, &vga_window_ops, b->chip),
                         STATUS_OK);
    else if (b->direct)
        physmem_bank_video(b->pm, 0xa0000, 0x10000, off);
    else
        physmem_map_video(b->pm, 0xa0000, 0x10000, off);
    b->direct = direct;
}

/** The card of @desc, whose places on the board are filled in here, with @video bytes. */
static inline struct board *vga_board_create(struct vga_desc desc, size_t video)
{
    struct board *b = calloc(1, sizeof(*b));

    b->io = ioport_create();
    clock_init(&b->clk, CLOCK_RATIO_DEFAULT);
    assert_int_equal(physmem_create_video(&b->pm, 1 << 20, video), STATUS_OK);
    struct pci_bus_desc bus = {.io = b->io, .pm = b->pm};
    assert_int_equal(pci_bus_create(&b->bus, &bus), STATUS_OK);
    desc.io = b->io;
    desc.clk = &b->clk;
    desc.pci = b->bus;
    desc.devfn = CARD;
    desc.pm = b->pm;
    desc.direct = vga_board_direct;
    desc.direct_ctx = b;
    assert_int_equal(vga_create(&b->chip, &desc), STATUS_OK);
    assert_int_equal(physmem_map_mmio(b->pm, 0xa0000, 0x20000, &vga_window_ops, b->chip),
                     STATUS_OK);
    return b;
}

static inline int vga_board_teardown(void **state)
{
    struct board *b = *state;

    vga_class.destroy(b->chip);
    pci_bus_class.destroy(b->bus);
    physmem_destroy(b->pm);
    ioport_destroy(b->io);
    free(b);
    return 0;
}

static inline void out(struct board *b, u16 port, u8 val)
{
    ioport_write(b->io, port, val, W8);
}

static inline u8 in(struct board *b, u16 port)
{
    return (u8)ioport_read(b->io, port, W8);
}

/** An indexed register by one access to both ports. */
static inline void indexed(struct board *b, u16 port, u8 index, u8 val)
{
    ioport_write(b->io, port, (u32)val << 8 | index, W16);
}
