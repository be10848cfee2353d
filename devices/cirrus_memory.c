/* SPDX-License-Identifier: MIT */
/*
 * GD5446: the window at A0000h, linear memory (BAR 0), registers in memory (BAR 1, B8000h, or the
 * end of linear memory).
 *
 * Reference: [GD5446] chapter 4, GR9 to GRB, SR17; PCI10, PCI14.
 *
 * While a BitBLT waits for its source, whatever is written to display memory is that. Memory that
 * was mapped has to be asked then, and mapping costs all cached translations: so it stays asked
 * until nothing has needed it for some time, which a guest cannot notice.
 *
 * Not implemented: byte swapping in the other apertures of linear memory; the 8-byte latches of
 * GRB bit 3; in packed modes, functions of the graphics controller other than write modes 4 and 5.
 */
#include "devices/vga_state.h"

enum {
    MMIO_SIZE = 0x100,
    MMIO_LEGACY = 0x18000, /* B8000h, from A0000h on */
    MMIO_VGA = 0x20,
    BANK_SIZE = 0x10000,
    HALF_BANK = 0x8000,
    TRAPPED_FOR = 4096, /* accesses that did not need it */
};

bool cirrus_is_packed(const struct vga *v)
{
    return v->cx.seq[CSEQ_MODE] & CSEQ_MODE_PACKED;
}

u32 cirrus_bank(const struct vga *v, u32 off)
{
    const struct cirrus *c = &v->cx;
    u8 ext = c->gc[CGC_EXTENSIONS];
    u32 bank = c->gc[CGC_BANK0];

    if (ext & CGC_EXT_TWO_BANKS) {
        if (off & HALF_BANK)
            bank = c->gc[CGC_BANK1];
        off &= HALF_BANK - 1;
    }
    return (bank << (ext & CGC_EXT_BANK_16K ? 14 : 12)) + off;
}

/* ---- registers in memory ---- */

/* Offsets in the block, as graphics registers; 0: none, GR0 being the first. */
static const u8 mmio_gc[MMIO_SIZE] = {
    [0x01] = 0x10, [0x02] = 0x12, [0x03] = 0x14, [0x04] = 0x01, [0x05] = 0x11, [0x06] = 0x13,
    [0x07] = 0x15, [0x08] = 0x20, [0x09] = 0x21, [0x0a] = 0x22, [0x0b] = 0x23, [0x0c] = 0x24,
    [0x0d] = 0x25, [0x0e] = 0x26, [0x0f] = 0x27, [0x10] = 0x28, [0x11] = 0x29, [0x12] = 0x2a,
    [0x14] = 0x2c, [0x15] = 0x2d, [0x16] = 0x2e, [0x17] = 0x2f, [0x18] = 0x30, [0x1a] = 0x32,
    [0x1b] = 0x33, [0x1c] = 0x34, [0x1d] = 0x35, [0x20] = 0x38, [0x21] = 0x39, [0x40] = 0x31,
};

static u8 block_read(const struct vga *v, u32 off)
{
    u8 index = mmio_gc[off % MMIO_SIZE];

    if (!index && off % MMIO_SIZE)
        return 0xff;
    return index == CGC_BLT_START ? cirrus_blt_status(v) : v->cx.gc[index];
}

static void block_write(struct vga *v, u32 off, u8 val)
{
    u8 index = mmio_gc[off % MMIO_SIZE];

    if (index || off % MMIO_SIZE == 0)
        cirrus_gc_write(v, index, val);
    if (index <= CGC_FOREGROUND && (index || off % MMIO_SIZE == 0))
        v->gc[index] = val & 0x0f;
}

static u64 mmio_read(void *dev, u64 off, unsigned size)
{
    struct vga *v = dev;
    u64 val = 0;

    for (unsigned i = 0; i < size; i++, off++) {
        u8 byte = 0xff;
        if (off < MMIO_VGA)
            byte = vga_port_read(v, (u16)(0x3c0 + off));
        else if (off >= MMIO_SIZE && off < 2 * MMIO_SIZE)
            byte = block_read(v, (u32)off);
        val |= (u64)byte << 8 * i;
    }
    return val;
}

static void mmio_write(void *dev, u64 off, u64 val, unsigned size)
{
    struct vga *v = dev;

    for (unsigned i = 0; i < size; i++, off++) {
        u8 byte = (u8)(val >> 8 * i);
        if (off < MMIO_VGA)
            vga_port_write(v, (u16)(0x3c0 + off), byte);
        else if (off >= MMIO_SIZE && off < 2 * MMIO_SIZE)
            block_write(v, (u32)off, byte);
    }
}

const struct mmio_ops cirrus_mmio_ops = {.read = mmio_read, .write = mmio_write, .max = 4};

static u8 mmio_place(const struct vga *v)
{
    return v->cx.seq[CSEQ_CONFIG] & (CSEQ_CONFIG_MMIO | CSEQ_CONFIG_MMIO_LINEAR);
}

static bool is_linear_mmio(const struct vga *v, u64 off)
{
    return mmio_place(v) == (CSEQ_CONFIG_MMIO | CSEQ_CONFIG_MMIO_LINEAR) &&
           off >= v->vram_bytes - MMIO_SIZE && off < v->vram_bytes;
}

/* ---- memory ---- */

/* Write modes 4 and 5 of packed modes: each bit is a pixel. */
static bool expands(const struct vga *v)
{
    u8 mode = v->cx.gc[GC_MODE] & 7;

    return v->cx.gc[CGC_EXTENSIONS] & CGC_EXT_WRITE_MODES && (mode == 4 || mode == 5);
}

/* Addresses count pixels by eights, where GRB says so. */
static size_t scaled(const struct vga *v, u32 at)
{
    u8 ext = v->cx.gc[CGC_EXTENSIONS];

    if ((ext & (CGC_EXT_WRITE_MODES | CGC_EXT_16BIT)) == (CGC_EXT_WRITE_MODES | CGC_EXT_16BIT))
        at <<= 4;
    else if (ext & CGC_EXT_BY8)
        at <<= 3;
    return at & (v->vram_bytes - 1);
}

static void put(struct vga *v, size_t at, u8 val)
{
    at &= v->vram_bytes - 1;
    v->vram[at] = val;
    vga_mark(v, at);
}

static void expand(struct vga *v, size_t at, u8 bits)
{
    const struct cirrus *c = &v->cx;
    unsigned bytes = c->gc[CGC_EXTENSIONS] & CGC_EXT_16BIT ? 2 : 1;

    for (unsigned i = 0; i < 8; i++) {
        unsigned one = bits >> (7 - i) & 1;
        if (!one && (c->gc[GC_MODE] & 7) == 4)
            continue;
        for (unsigned n = 0; n < bytes; n++)
            put(v, at + i * bytes + n, c->gc[(n ? 0x10u : 0) + (one ? CGC_FOREGROUND : 0u)]);
    }
}

static void packed_write(struct vga *v, u32 at, u8 val)
{
    if (expands(v))
        expand(v, scaled(v, at), val);
    else
        put(v, scaled(v, at), val);
}

/* Nothing needed that memory is asked: after some of these it is mapped again. */
static void count_trapped(struct vga *v)
{
    struct cirrus *c = &v->cx;

    if (c->trapped && !c->feed.active && ++c->trapped_count >= TRAPPED_FOR) {
        c->trapped = false;
        vga_update_window(v);
    }
}

static u64 aperture_read(void *dev, u64 off, unsigned size)
{
    struct vga *v = dev;
    u64 val = 0;

    for (unsigned i = 0; i < size; i++, off++) {
        u8 byte = off < v->vram_bytes ? v->vram[scaled(v, (u32)off)] : 0xff;
        if (is_linear_mmio(v, off))
            byte = block_read(v, (u32)off);
        val |= (u64)byte << 8 * i;
    }
    count_trapped(v);
    return val;
}

static void aperture_write(void *dev, u64 off, u64 val, unsigned size)
{
    struct vga *v = dev;

    if (cirrus_is_fed(&v->cx) && !is_linear_mmio(v, off)) {
        cirrus_blt_feed(v, val, size);
        return;
    }
    for (unsigned i = 0; i < size; i++, off++) {
        if (is_linear_mmio(v, off))
            block_write(v, (u32)off, (u8)(val >> 8 * i));
        else if (off < v->vram_bytes)
            packed_write(v, (u32)off, (u8)(val >> 8 * i));
    }
    count_trapped(v);
}

const struct mmio_ops cirrus_aperture_ops = {
    .read = aperture_read, .write = aperture_write, .max = 8};

/* ---- the window ---- */

static bool is_window_mmio(const struct vga *v, u64 off)
{
    return mmio_place(v) == CSEQ_CONFIG_MMIO && off >= MMIO_LEGACY && off < MMIO_LEGACY + MMIO_SIZE;
}

bool cirrus_window_read(struct vga *v, u64 off, u8 *val)
{
    if (is_window_mmio(v, off)) {
        *val = block_read(v, (u32)off);
        return true;
    }
    if (!cirrus_is_packed(v) || off >= BANK_SIZE || !(v->misc & MISC_RAM))
        return false;
    *val = v->vram[scaled(v, cirrus_bank(v, (u32)off))];
    count_trapped(v);
    return true;
}

bool cirrus_window_write(struct vga *v, u64 off, u64 val, unsigned size)
{
    if (is_window_mmio(v, off)) {
        for (unsigned i = 0; i < size; i++)
            block_write(v, (u32)off + i, (u8)(val >> 8 * i));
        return true;
    }
    if (off >= BANK_SIZE || !(v->misc & MISC_RAM))
        return false;
    if (cirrus_is_fed(&v->cx)) {
        cirrus_blt_feed(v, val, size);
        return true;
    }
    if (!cirrus_is_packed(v))
        return false;
    for (unsigned i = 0; i < size; i++)
        packed_write(v, cirrus_bank(v, (u32)off + i), (u8)(val >> 8 * i));
    count_trapped(v);
    return true;
}

/* ---- as plain memory ---- */

static bool is_scaled(const struct vga *v)
{
    return scaled(v, 1) != 1;
}

bool cirrus_window_is_plain(const struct vga *v, size_t *at)
{
    u32 first = cirrus_bank(v, 0);

    *at = first;
    return !v->cx.trapped && !expands(v) && !is_scaled(v) &&
           cirrus_bank(v, HALF_BANK) == first + HALF_BANK && first + BANK_SIZE <= v->vram_bytes;
}

static size_t plain_linear(const struct vga *v)
{
    if (v->cx.trapped || expands(v) || is_scaled(v))
        return 0;
    return mmio_place(v) == (CSEQ_CONFIG_MMIO | CSEQ_CONFIG_MMIO_LINEAR) ? v->vram_bytes - PAGE_SIZE
                                                                         : v->vram_bytes;
}

void cirrus_update_linear(struct vga *v, bool moved)
{
    struct cirrus *c = &v->cx;
    u64 base = v->pci.bar[VGA_BAR_LFB].mapped;
    size_t plain = plain_linear(v);

    if (moved)
        c->lfb_plain = 0;
    if (!v->pci.bus || base == PCI_NOT_MAPPED || plain == c->lfb_plain)
        return;
    vga_screen_collect(v);
    /* cannot fail: the region is known since the BAR was mapped */
    if (plain < c->lfb_plain &&
        physmem_map_mmio(v->desc.pm, base, v->vram_bytes, &cirrus_aperture_ops, v) != STATUS_OK)
        return;
    if (plain)
        physmem_map_video(v->desc.pm, base, plain, 0);
    c->lfb_plain = plain;
}
