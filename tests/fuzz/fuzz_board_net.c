/* SPDX-License-Identifier: MIT */
/* Network cards under drivers that program them well, badly, or anyhow, and under a busy wire. */
#include <string.h>

#include "base/bits.h"
#include "tests/fuzz/fuzz_board.h"

enum { RTL_IO = 0xd000, RTL_DEVFN = 0x18, NE2K_IO = 0xd100, NE2K_DEVFN = 0x20, ISA_IO = 0x300 };
#define RTL_MMIO 0xe8000000u

static void out(struct pc *pc, u32 port, u32 val, enum width w)
{
    ioport_write(pc->io, (u16)port, val, w);
}

static void config_write(struct pc *pc, u32 devfn, u32 reg, u32 val)
{
    out(pc, 0xcf8, BIT(31) | devfn << 8 | reg, W32);
    out(pc, 0xcfc, val, W32);
}

static void open_bars(struct pc *pc)
{
    config_write(pc, RTL_DEVFN, PCI_BAR0, RTL_IO);
    config_write(pc, RTL_DEVFN, PCI_BAR0 + 4, RTL_MMIO);
    config_write(pc, RTL_DEVFN, PCI_COMMAND, 7);
    config_write(pc, NE2K_DEVFN, PCI_BAR0, NE2K_IO);
    config_write(pc, NE2K_DEVFN, PCI_COMMAND, 7);
}

/* A descriptor ring somewhere, half of it sensible. */
static u32 make_ring(struct fuzz *f, struct pc *pc)
{
    u32 at = (u32)board_address(f, pc) & ~0xffu;
    u8 d[16];

    for (unsigned i = 0; i < 1 + fuzz_below(f, 20); i++) {
        u32 size = fuzz_one_in(f, 4) ? (u32)fuzz_length(f, 16) : fuzz_below(f, 1600);
        u32 flags = (u32)fuzz_u64(f) & 0x5fff0000;
        store32(d, (fuzz_one_in(f, 8) ? 0 : BIT(31)) | flags | (fuzz_one_in(f, 2) ? 3u << 28 : 0) |
                       size);
        store32(d + 4, (u32)fuzz_u64(f));
        store64(d + 8, board_address(f, pc));
        physmem_write(pc->physmem, at + 16 * i, d, sizeof(d));
    }
    return at;
}

static void rtl_set_up(struct fuzz *f, struct pc *pc)
{
    out(pc, RTL_IO + 0x37, 0x10, W8);
    if (fuzz_one_in(f, 2))
        out(pc, RTL_IO + 0xe0, fuzz_below(f, 128), W16);
    out(pc, RTL_IO + 0x20, make_ring(f, pc), W32);
    out(pc, RTL_IO + 0x24, 0, W32);
    out(pc, RTL_IO + 0xe4, make_ring(f, pc), W32);
    out(pc, RTL_IO + 0x30, (u32)board_address(f, pc), W32);
    out(pc, RTL_IO + 0x37, 0x0c, W8);
    out(pc, RTL_IO + 0x44, fuzz_below(f, 0x2000), W32);
    out(pc, RTL_IO + 0x40, fuzz_one_in(f, 3) ? 3 << 17 : 0, W32);
    out(pc, RTL_IO + 0x3c, (u32)fuzz_u64(f), W16);
}

static void rtl_use(struct fuzz *f, struct pc *pc)
{
    static const u8 regs[] = {0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x28, 0x2c, 0x37, 0x38,
                              0x3c, 0x3e, 0x40, 0x44, 0x48, 0x50, 0x50, 0x54, 0xd9, 0xd9};
    u32 reg = fuzz_one_in(f, 6) ? fuzz_below(f, 256) : regs[fuzz_below(f, sizeof(regs))];
    u32 val = fuzz_one_in(f, 2) ? fuzz_below(f, 1600) : (u32)fuzz_length(f, 32);
    enum width w = fuzz_below(f, 3);

    if (fuzz_one_in(f, 2))
        physmem_store(pc->physmem, RTL_MMIO + (reg & ~((1u << w) - 1)), val, 1u << w);
    else
        out(pc, RTL_IO + reg, val, w);
    (void)ioport_read(pc->io, (u16)(RTL_IO + reg), w);
}

static void ne2k_set_up(struct fuzz *f, struct pc *pc, u32 base)
{
    u32 stop = fuzz_one_in(f, 4) ? fuzz_below(f, 256) : 0x80;

    out(pc, base, 0x21, W8);
    out(pc, base + 0xc, fuzz_below(f, 64), W8);
    out(pc, base + 1, 0x46, W8);
    out(pc, base + 2, stop, W8);
    out(pc, base + 3, fuzz_one_in(f, 4) ? fuzz_below(f, 256) : 0x46, W8);
    out(pc, base + 0xf, fuzz_below(f, 256), W8);
    out(pc, base, 0x61, W8);
    out(pc, base + 7, fuzz_one_in(f, 4) ? fuzz_below(f, 256) : 0x47, W8);
    out(pc, base, 0x22, W8);
}

static void ne2k_use(struct fuzz *f, struct pc *pc, u32 base)
{
    static const u8 commands[] = {0x0a, 0x12, 0x22, 0x26, 0x21, 0x62, 0xa2, 0xe2, 0x1a};

    for (unsigned i = 0; i < 6; i++)
        out(pc, base + 4 + fuzz_below(f, 12), (u32)fuzz_length(f, 8), W8);
    out(pc, base, commands[fuzz_below(f, sizeof(commands))], W8);
    for (unsigned n = fuzz_below(f, 100); n; n--) {
        if (fuzz_one_in(f, 2))
            out(pc, base + 0x10, (u32)fuzz_u64(f), fuzz_below(f, 3));
        else
            (void)ioport_read(pc->io, (u16)(base + 0x10), fuzz_below(f, 3));
    }
}

/* Mostly what the cards accept; IP and TCP headers now and then, well formed and not. */
static void frames_arrive(struct fuzz *f, struct pc *pc)
{
    u8 frame[NIC_FRAME_MAX];
    unsigned nic = fuzz_below(f, pc->nics);

    if (fuzz_one_in(f, 8))
        (void)pc_nic_unplug(pc, nic, fuzz_one_in(f, 2));

    for (unsigned n = 1 + (fuzz_one_in(f, 4) ? fuzz_below(f, 300) : 0); n; n--) {
        size_t len = fuzz_one_in(f, 2) ? 60 + fuzz_below(f, 60) : fuzz_below(f, NIC_FRAME_MAX + 1);
        fuzz_bytes(f, frame, sizeof(frame));
        if (!fuzz_one_in(f, 4))
            memset(frame, 0xff, 6);
        if (fuzz_one_in(f, 2)) {
            store16(frame + 12, fuzz_one_in(f, 4) ? 0x0081 : 0x0008);
            frame[14] = fuzz_one_in(f, 4) ? (u8)fuzz_u64(f) : 0x45;
            frame[23] = fuzz_one_in(f, 2) ? 6 : 17;
        }
        if (pc_nic_ready(pc, nic) || fuzz_one_in(f, 4))
            pc_nic_receive(pc, nic, frame, len);
    }
}

void board_network(struct fuzz *f, struct pc *pc)
{
    u32 base = fuzz_one_in(f, 2) ? ISA_IO : NE2K_IO;

    if (fuzz_one_in(f, 6))
        open_bars(pc);
    switch (fuzz_below(f, 8)) {
    case 0:
        rtl_set_up(f, pc);
        break;
    case 1:
        ne2k_set_up(f, pc, base);
        break;
    case 2:
        ne2k_use(f, pc, base);
        break;
    case 3:
    case 4:
        frames_arrive(f, pc);
        break;
    default:
        for (unsigned n = 1 + fuzz_below(f, 12); n; n--)
            rtl_use(f, pc);
        break;
    }
}
