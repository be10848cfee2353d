/* SPDX-License-Identifier: MIT */
/* Port, memory, configuration space and DMA accesses, biased to what the chips listen to. */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "tests/fuzz/fuzz_board.h"

enum { EVENTS_MAX = 4000, BURST_MAX = 600, BM_PORTS = 0xc000 };

static void out(struct pc *pc, u32 port, u32 val, enum width w)
{
    ioport_write(pc->io, (u16)port, val, w);
}

static u32 in(struct pc *pc, u32 port, enum width w)
{
    return ioport_read(pc->io, (u16)port, w);
}

static enum width port_width(struct fuzz *f)
{
    return fuzz_one_in(f, 3) ? fuzz_below(f, 3) : W8;
}

void board_step(struct pc *pc, u64 ns)
{
    u64 end = clock_now(&pc->clock) + ns;

    for (unsigned i = 0; i < EVENTS_MAX && clock_next(&pc->clock) <= end; i++) {
        clock_skip(&pc->clock, clock_next(&pc->clock));
        clock_fire(&pc->clock);
    }
    if (clock_next(&pc->clock) > end)
        clock_skip(&pc->clock, end);
}

u64 board_address(struct fuzz *f, const struct pc *pc)
{
    static const u64 places[] = {
        0xa0000,    0xb0000,    0xb8000,    0xbfff0,    0xc0000,
        0xe0000,    0xf0000,    0x100000,   0xe0000000, 0xfd000000,
        0xfebf0000, 0xfec00000, 0xfee00000, 0xfffc0000, 0xfffffff0,
    };
    u64 at;

    switch (fuzz_below(f, 8)) {
    case 0:
        return fuzz_length(f, 36);
    case 1:
        at = pc->ram_bytes;
        break;
    case 2:
    case 3:
    case 4:
        at = places[fuzz_below(f, ARRAY_LEN(places))];
        break;
    default:
        return fuzz_below(f, (u32)pc->ram_bytes);
    }
    return at + fuzz_length(f, 17) - (fuzz_one_in(f, 8) ? 8 : 0);
}

/* --- plain accesses --- */

static u32 some_port(struct fuzz *f)
{
    static const struct {
        u16 base, count;
    } ranges[] = {
        {0x00, 0x10},  {0x20, 2},      {0x40, 4},      {0x60, 5},      {0x70, 4},   {0x80, 16},
        {0x92, 1},     {0xa0, 2},      {0xb2, 2},      {0xc0, 0x20},   {0xe9, 1},   {0xf0, 8},
        {0x170, 8},    {0x376, 1},     {0x1f0, 8},     {0x3f2, 6},     {0x2f8, 8},  {0x3f8, 8},
        {0x300, 32},   {0x3b0, 0x30},  {0x1ce, 4},     {0x4d0, 2},     {0x510, 12}, {0xcf8, 8},
        {0x220, 16},   {0x330, 2},     {0x388, 4},     {0x220, 16},    {0xcf9, 1},  {0x600, 0x40},
        {0x700, 0x10}, {0xb000, 0x40}, {0xb100, 0x10}, {BM_PORTS, 16},
    };

    if (fuzz_one_in(f, 20))
        return (u32)fuzz_length(f, 16);
    unsigned i = fuzz_below(f, ARRAY_LEN(ranges));
    return ranges[i].base + fuzz_below(f, ranges[i].count);
}

static u32 some_value(struct fuzz *f)
{
    static const u8 edges[] = {0, 1, 2, 3, 7, 8, 0x10, 0x20, 0x40, 0x7f, 0x80, 0xa0, 0xc0, 0xff};

    return fuzz_one_in(f, 3) ? edges[fuzz_below(f, ARRAY_LEN(edges))] : (u32)fuzz_length(f, 32);
}

static void plain_ports(struct fuzz *f, struct pc *pc)
{
    u32 port = some_port(f), bursts = fuzz_one_in(f, 8) ? fuzz_below(f, BURST_MAX) : 1;
    enum width w = port_width(f);

    for (bool writes = fuzz_one_in(f, 2); bursts; bursts--) {
        if (writes)
            out(pc, port, some_value(f), w);
        else
            in(pc, port, w);
    }
}

static void indexed_ports(struct fuzz *f, struct pc *pc)
{
    static const struct {
        u16 index, data;
        u8 count;
    } pairs[] = {
        {0x3c4, 0x3c5, 8},  {0x3ce, 0x3cf, 16}, {0x3d4, 0x3d5, 32},  {0x3c4, 0x3c5, 255},
        {0x3ce, 0x3cf, 64}, {0x3d4, 0x3d5, 64}, {0x3b4, 0x3b5, 32},  {0x3c0, 0x3c0, 64},
        {0x70, 0x71, 255},  {0x1ce, 0x1cf, 12}, {0x3c8, 0x3c9, 255}, {0x510, 0x511, 255},
    };
    unsigned i = fuzz_below(f, ARRAY_LEN(pairs));
    enum width w = pairs[i].index == 0x1ce || pairs[i].index == 0x510 ? W16 : W8;

    out(pc, pairs[i].index, fuzz_below(f, pairs[i].count), w);
    if (fuzz_one_in(f, 4))
        in(pc, pairs[i].data, w);
    else
        out(pc, pairs[i].data, some_value(f), w);
}

static void memory(struct fuzz *f, struct pc *pc)
{
    u64 at = board_address(f, pc);
    unsigned size = 1u << fuzz_below(f, 4), n = fuzz_one_in(f, 4) ? 64 : 1;

    for (; n; n--, at += size) {
        u64 here = at & ~(u64)(size - 1);
        if (fuzz_one_in(f, 2))
            physmem_store(pc->physmem, here, fuzz_u64(f), size);
        else
            physmem_load(pc->physmem, here, size);
    }
}

/* --- chips --- */

static void config_write(struct pc *pc, u32 devfn, u32 reg, u32 val, enum width w)
{
    out(pc, 0xcf8, BIT(31) | devfn << 8 | (reg & 0xfc), W32);
    out(pc, 0xcfc + (reg & 3), val, w);
}

static u32 some_devfn(struct fuzz *f)
{
    static const u8 devfn[] = {0x00, 0x08, 0x09, 0x0b, 0x10, 0x18, 0x20};

    return fuzz_one_in(f, 10) ? fuzz_below(f, 0x10000) : devfn[fuzz_below(f, ARRAY_LEN(devfn))];
}

static void pci(struct fuzz *f, struct pc *pc)
{
    static const u32 bars[] = {
        0,          0xffffffff, 0xe0000000, 0xfd000008, 0xfebf0000, 0x000a0000, 0x00000001,
        0x0000c001, 0x000001f1, 0x00000cf9, 0x0000fff1, 0x00100000, 0xfffc0000, 0xffffffe0,
    };
    u32 devfn = some_devfn(f);

    switch (fuzz_below(f, 5)) {
    case 0:
        config_write(pc, devfn, PCI_COMMAND, fuzz_below(f, 8), W16);
        break;
    case 1:
        config_write(pc, devfn, PCI_BAR0 + 4 * fuzz_below(f, 9),
                     bars[fuzz_below(f, ARRAY_LEN(bars))], fuzz_below(f, 3));
        break;
    case 2: /* PAM, SMRAM; interrupt routing of the ISA bridge; power management's base */
        config_write(pc, devfn, 0x58 + fuzz_below(f, 0x20), some_value(f), W8);
        config_write(pc, 0x0b, fuzz_one_in(f, 2) ? 0x40 : 0x80, some_value(f), fuzz_below(f, 3));
        break;
    case 3:
        config_write(pc, devfn, fuzz_below(f, 256), some_value(f), port_width(f));
        break;
    default:
        out(pc, 0xcf8, BIT(31) | devfn << 8 | fuzz_below(f, 256), W32);
        in(pc, 0xcfc + fuzz_below(f, 4), fuzz_below(f, 3));
        break;
    }
}

static void ata_registers(struct fuzz *f, struct pc *pc, u32 base, u8 command)
{
    u32 lba = fuzz_one_in(f, 4) ? (u32)fuzz_u64(f) : fuzz_below(f, 300);

    out(pc, base + 6, 0xa0 | fuzz_below(f, 2) << 4 | fuzz_below(f, 2) << 6 | (lba >> 24 & 15), W8);
    for (unsigned pass = 1 + fuzz_below(f, 2); pass; pass--) {
        out(pc, base + 1, some_value(f), W8);
        out(pc, base + 2, fuzz_one_in(f, 2) ? 1 + fuzz_below(f, 4) : some_value(f), W8);
        out(pc, base + 3, lba, W8);
        out(pc, base + 4, lba >> 8, W8);
        out(pc, base + 5, lba >> 16, W8);
    }
    out(pc, base + 7, command, W8);
}

static void ata(struct fuzz *f, struct pc *pc)
{
    static const u8 commands[] = {0x00, 0x08, 0x10, 0x20, 0x21, 0x24, 0x29, 0x30, 0x31, 0x34, 0x39,
                                  0x40, 0x42, 0x70, 0x90, 0x91, 0xa0, 0xa1, 0xc4, 0xc5, 0xc6, 0xe0,
                                  0xe1, 0xe5, 0xe7, 0xea, 0xec, 0xef, 0xf8, 0xf9, 0x27, 0x37};
    u32 base = fuzz_one_in(f, 3) ? 0x170 : 0x1f0;
    u8 command = fuzz_one_in(f, 10) ? (u8)fuzz_u64(f) : commands[fuzz_below(f, sizeof(commands))];

    if (fuzz_one_in(f, 10))
        out(pc, base + 0x206, fuzz_below(f, 256), W8); /* reset, nIEN, HOB */
    ata_registers(f, pc, base, command);
    for (unsigned phase = fuzz_below(f, 6); phase; phase--) {
        enum width w = fuzz_below(f, 3);
        bool writes = fuzz_one_in(f, 2);
        board_step(pc, fuzz_length(f, 20));
        for (unsigned n = fuzz_below(f, 300); n; n--) {
            if (writes)
                out(pc, base, some_value(f), w);
            else
                in(pc, base, w);
        }
        in(pc, base + 7, W8);
    }
}

/* A packet command to the CD-ROM drive. */
static void packet(struct fuzz *f, struct pc *pc)
{
    static const u8 commands[] = {0x00, 0x03, 0x12, 0x1b, 0x1e, 0x25, 0x28, 0x2b, 0x42, 0x43,
                                  0x46, 0x4a, 0x51, 0x52, 0x5a, 0xa8, 0xb9, 0xbb, 0xbd, 0xbe};
    u8 p[12];

    fuzz_bytes(f, p, sizeof(p));
    for (unsigned i = 0; i < sizeof(p); i++)
        p[i] = fuzz_one_in(f, 2) ? 0 : fuzz_one_in(f, 2) ? p[i] & 3 : p[i];
    p[0] = fuzz_one_in(f, 10) ? p[0] : commands[fuzz_below(f, sizeof(commands))];
    out(pc, 0x176, 0xb0, W8);
    out(pc, 0x171, fuzz_one_in(f, 4), W8);
    out(pc, 0x174, (u32)fuzz_u64(f), W8);
    out(pc, 0x175, fuzz_one_in(f, 2) ? 8 : (u32)fuzz_u64(f), W8);
    out(pc, 0x177, fuzz_one_in(f, 10) ? 0xa1 : 0xa0, W8);
    board_step(pc, 20000);
    for (unsigned i = 0; i < 12; i += 2)
        out(pc, 0x170, load16(p + i), W16);
    for (unsigned n = fuzz_below(f, 5); n; n--) {
        board_step(pc, fuzz_length(f, 20));
        enum width w = fuzz_below(f, 3);
        for (unsigned k = fuzz_one_in(f, 3) ? 1024 : fuzz_below(f, 40); k; k--)
            in(pc, 0x170, w);
    }
}

static void bus_master(struct fuzz *f, struct pc *pc)
{
    static const u8 commands[] = {0xc8, 0xca, 0x25, 0x35, 0xc9, 0xcb, 0x20};
    u32 channel = fuzz_below(f, 2), bm = BM_PORTS + 8 * channel;
    u32 table = (u32)board_address(f, pc) & ~3u;
    u8 prd[8 * 8];

    if (fuzz_one_in(f, 2)) {
        config_write(pc, 0x09, 0x20, BM_PORTS | 1, W32);
        config_write(pc, 0x09, PCI_COMMAND, 5 | fuzz_below(f, 8), W16);
    }
    for (unsigned i = 0; i < 8; i++) {
        u64 at = board_address(f, pc);
        store32(prd + 8 * i, (u32)at);
        store32(prd + 8 * i + 4, (u32)fuzz_length(f, 16) | (fuzz_one_in(f, 4) ? BIT(31) : 0));
    }
    physmem_write(pc->physmem, table, prd, sizeof(prd));
    out(pc, bm + 4, table, W32);
    out(pc, bm + 2, 6, W8);
    u32 direction = fuzz_below(f, 2) << 3;
    out(pc, bm, direction, W8);
    ata_registers(f, pc, channel ? 0x170 : 0x1f0, commands[fuzz_below(f, sizeof(commands))]);
    out(pc, bm, direction | 1, W8);
    board_step(pc, fuzz_length(f, 24));
    if (fuzz_one_in(f, 2))
        out(pc, bm, some_value(f), W8);
    in(pc, bm + 2, port_width(f));
}

/* A BitBLT of the GD5446, by ports, and what it may be waiting for. */
static void blt(struct fuzz *f, struct pc *pc)
{
    static const u8 modes[] = {0, 1, 4, 8, 0x40, 0x44, 0x80, 0x84, 0x88, 0x8c, 0xc0, 0xc4, 0xc8};

    for (unsigned i = 0x20; i <= 0x35; i++) {
        u32 val = some_value(f);
        if (i == 0x21 || i == 0x23)
            val = (u32)fuzz_length(f, 3); /* not all too large */
        else if (i == 0x30)
            val = modes[fuzz_below(f, sizeof(modes))] | fuzz_below(f, 4) << 4;
        if (i != 0x31)
            out(pc, 0x3ce, val << 8 | i, W16);
    }
    out(pc, 0x3ce, 0x0231, W16);
    if (fuzz_one_in(f, 2))
        out(pc, 0x3c4, (fuzz_below(f, 2) << 8 | 7) | fuzz_below(f, 16) << 9, W16);
    for (unsigned n = fuzz_below(f, BURST_MAX); n; n--)
        physmem_store(pc->physmem, 0xa0000 + 8 * fuzz_below(f, 0x2000), fuzz_u64(f), 8);
}

static void store_be(u8 *at, u64 v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (u8)(v >> 8 * (bytes - 1 - i));
}

static void fwcfg_dma(struct fuzz *f, struct pc *pc)
{
    u64 at = fuzz_below(f, (u32)pc->ram_bytes), to = board_address(f, pc);
    u8 block[16], low[4];

    if (fuzz_one_in(f, 1000)) /* 4 GiB, if nothing answers there */
        at = board_address(f, pc);
    store_be(block, fuzz_below(f, 32) | fuzz_below(f, 0x40) << 16, 4);
    store_be(block + 4, fuzz_one_in(f, 2000) ? 0xffffffff : fuzz_length(f, 18), 4);
    store_be(block + 8, fuzz_one_in(f, 8) ? at : fuzz_one_in(f, 8) ? fuzz_u64(f) : to, 8);
    physmem_write(pc->physmem, at, block, sizeof(block));
    store_be(low, at >> 32, 4);
    out(pc, 0x514, load32(low), W32);
    store_be(low, at, 4);
    out(pc, 0x518, load32(low), W32);
}

static void isa_dma(struct fuzz *f, struct pc *pc)
{
    static const u8 pages[] = {0x87, 0x83, 0x81, 0x82, 0x8f, 0x8b, 0x89, 0x8a};
    u32 n = fuzz_below(f, 8), shift = n >> 2, base = n < 4 ? 0 : 0xc0;
    u8 buf[1024];
    bool tc;

    out(pc, base + (11 << shift), (fuzz_below(f, 64) << 2) | (n & 3), W8);
    out(pc, pages[n], fuzz_below(f, 256), W8);
    for (unsigned i = 0; i < 4; i++)
        out(pc, base + (((n & 3) * 2 + (i >> 1)) << shift), some_value(f), W8);
    out(pc, base + (10 << shift), n & 3, W8);
    out(pc, 0xd4, 0, W8);
    fuzz_bytes(f, buf, sizeof(buf));
    i8237_set_dreq(pc->dma, n, true);
    size_t len = fuzz_below(f, sizeof(buf) + 1);
    if (i8237_transfer(pc->dma, n, buf, len, fuzz_one_in(f, 2), &tc) > len)
        fuzz_fail(f, "DMA channel %u moved more than asked", n);
    i8237_set_dreq(pc->dma, n, fuzz_one_in(f, 4));
}

/* A command of the floppy controller, mostly with sensible bytes, and what goes with it. */
static void floppy(struct fuzz *f, struct pc *pc)
{
    static const u8 commands[] = {0x42, 0x45, 0xc5, 0x46, 0xe6, 0xc6, 0x49, 0x4a, 0x4c,
                                  0x6c, 0x4d, 0x51, 0x56, 0xd6, 0x59, 0x5d, 0x07, 0x0f,
                                  0x8f, 0xcf, 0x03, 0x13, 0x12, 0x0e, 0x08, 0x04};
    bool dma = fuzz_one_in(f, 2);

    if (fuzz_one_in(f, 6)) {
        out(pc, 0x3f2, some_value(f), W8);
        board_step(pc, 100000);
    }
    out(pc, 0x3f2, 0x1c | (fuzz_one_in(f, 6) ? 0x21 : 0), W8);
    out(pc, 0x3f7, fuzz_one_in(f, 4) ? fuzz_below(f, 4) : 0, W8);
    for (unsigned n = fuzz_below(f, 9); n && in(pc, 0x3f4, W8) & 0x40; n--)
        in(pc, 0x3f5, W8);
    out(pc, 0x3f5, commands[fuzz_below(f, sizeof(commands))], W8);
    out(pc, 0x3f5, fuzz_one_in(f, 8) ? some_value(f) : 0, W8);
    for (unsigned n = 0; n < 7; n++)
        out(pc, 0x3f5, fuzz_one_in(f, 8) ? some_value(f) : n == 3 ? 2u : fuzz_below(f, 3), W8);
    if (dma)
        isa_dma(f, pc);
    board_step(pc, fuzz_length(f, 22));
    for (unsigned n = fuzz_below(f, 600), read = fuzz_below(f, 2); n; n--) {
        if (read)
            in(pc, 0x3f5, W8);
        else
            out(pc, 0x3f5, some_value(f), W8);
    }
}

static void screen(struct fuzz *f, struct pc *pc)
{
    struct pc_frame frame = {0};

    if (fuzz_one_in(f, 2)) { /* a VBE mode */
        u32 width = (u32)fuzz_length(f, 12), height = (u32)fuzz_length(f, 11);
        u32 set[][2] = {{4, 0}, {1, width}, {2, height}, {3, fuzz_below(f, 5) * 8}, {4, 0x41}};
        for (unsigned i = 0; i < ARRAY_LEN(set); i++) {
            out(pc, 0x1ce, set[i][0], W16);
            out(pc, 0x1cf, set[i][1], W16);
        }
    }
    if (fuzz_one_in(f, 2)) {
        struct pc_picture picture;             /* as a window does, and the loudspeakers */
        enum status s = pc_show(pc, &picture); /* whatever it says */
        (void)s;
        sound_sync(pc->sound);
        return;
    }
    if (fuzz_one_in(f, 2)) {
        free(pc_screen_text(pc));
        return;
    }
    if (pc_screen_frame(pc, &frame) == STATUS_OK)
        free(frame.pixels);
}

/* Local APIC and I/O APIC as a kernel programs them, and interrupts taken. */
static void apics(struct fuzz *f, struct pc *pc)
{
    static const u16 regs[] = {0x80,  0xb0,  0xd0,  0xe0,  0xf0,  0x280, 0x300, 0x300, 0x310,
                               0x320, 0x330, 0x340, 0x350, 0x360, 0x370, 0x380, 0x3e0};

    for (unsigned n = 1 + fuzz_below(f, 6); n; n--) {
        u32 reg =
            fuzz_one_in(f, 8) ? fuzz_below(f, 0x40) << 4 : regs[fuzz_below(f, ARRAY_LEN(regs))];
        u32 pin = fuzz_below(f, 25);
        switch (fuzz_below(f, 6)) {
        case 0:
        case 1:
            physmem_store(pc->physmem, APIC_DEFAULT_BASE + reg, some_value(f), 4);
            break;
        case 2:
            physmem_load(pc->physmem, APIC_DEFAULT_BASE + reg, 4);
            break;
        case 3:
            physmem_store(pc->physmem, IOAPIC_BASE, 0x10 + 2 * pin + fuzz_below(f, 2), 4);
            physmem_store(pc->physmem, IOAPIC_BASE + 0x10, (u32)fuzz_u64(f) & 0x1afff, 4);
            break;
        case 4:
            (void)pc_bus_inta(&pc->node[0]);
            break;
        default:
            if (fuzz_one_in(f, 8))
                (void)pc_bus_set_apic_base(&pc->node[0], fuzz_one_in(f, 2)
                                                             ? 0xfee00900
                                                             : board_address(f, pc) & ~0x7ffull);
            else
                physmem_store(pc->physmem, APIC_DEFAULT_BASE + 0xf0, 0x1ff, 4);
            break;
        }
    }
}

static void outside(struct fuzz *f, struct pc *pc)
{
    bool there = fuzz_one_in(f, 2);

    switch (fuzz_below(f, 7)) {
    case 6: /* media come and go */
        if (i82077_insert(pc->fdc, 0, there ? pc->disk[DRIVE_IDE] : NULL) != STATUS_OK ||
            ata_insert(pc->ata, 1, 1, there ? pc->disk[3] : NULL) != STATUS_OK)
            fuzz_fail(f, "a medium does not fit any more");
        break;
    case 0:
        pc_serial_input(pc, fuzz_below(f, PC_SERIALS), (u8)fuzz_u64(f));
        break;
    case 1:
        (void)pc_power_button(pc);
        break;
    case 2:
        pc_nmi(pc);
        break;
    case 3:
        ps2mouse_move(pc->mouse, (int)fuzz_below(f, 600) - 300, (int)fuzz_u64(f), (int)fuzz_u64(f));
        ps2mouse_buttons(pc->mouse, (u8)fuzz_u64(f));
        (void)ps2kbd_key(pc->kbd, fuzz_below(f, 160), fuzz_one_in(f, 2));
        break;
    case 4:
        (void)i8259_acknowledge(pc->pic);
        break;
    default:
        if (pc->reset_wanted || fuzz_one_in(f, 50))
            pc_reset(pc);
        break;
    }
}

/* Bytes to the mouse and to the keyboard, as their drivers send them. */
static void ps2(struct fuzz *f, struct pc *pc)
{
    for (unsigned n = fuzz_below(f, 6); n; n--) {
        if (fuzz_one_in(f, 2))
            out(pc, 0x64, 0xd4, W8);
        out(pc, 0x60, fuzz_one_in(f, 4) ? some_value(f) : 0xe0 | fuzz_below(f, 32), W8);
        board_step(pc, fuzz_length(f, 19));
        in(pc, 0x60, W8);
    }
}

static void timers(struct fuzz *f, struct pc *pc)
{
    u32 n = fuzz_below(f, 3);

    out(pc, 0x43, n << 6 | (1 + fuzz_below(f, 3)) << 4 | fuzz_below(f, 16), W8);
    out(pc, 0x40 + n, some_value(f), W8);
    out(pc, 0x40 + n, fuzz_one_in(f, 2) ? 0 : some_value(f), W8);
    out(pc, 0x70, 0x0a + fuzz_below(f, 2), W8);
    out(pc, 0x71, some_value(f), W8);
}

void board_operation(struct fuzz *f, struct pc *pc)
{
    static void (*const kinds[])(struct fuzz *, struct pc *) = {
        plain_ports, plain_ports, plain_ports,   plain_ports,   indexed_ports, indexed_ports,
        memory,      memory,      pci,           pci,           ata,           bus_master,
        fwcfg_dma,   apics,       board_network, board_network, isa_dma,       screen,
        outside,     timers,      floppy,        packet,        ps2,           blt,
    };

    kinds[fuzz_below(f, ARRAY_LEN(kinds))](f, pc);
    if (fuzz_one_in(f, 3))
        board_step(pc, fuzz_length(f, 21));
}
