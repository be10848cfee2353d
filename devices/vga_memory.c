/* SPDX-License-Identifier: MIT */
/*
 * VGA memory as the CPU sees it: window, planes, latches, write modes.
 *
 * Reference: [VGA] Graphics Controller and Sequencer.
 *
 * Plane addresses are those of the hardware: odd/even and chain 4 leave holes (address bits 0, or
 * 1:0, choose the plane and read 0), which the CRTC's word and doubleword modes skip again. Only
 * so do programs see the right bytes that change the mapping without a mode set (fonts, "mode X").
 *
 * Where the window is plain memory (chain 4 without tricks, VBE's banks), the board maps it so.
 * Not implemented: reads do not load the latches then.
 */
#include "devices/vga_state.h"

#include <string.h>

#include "base/bits.h"

enum {
    WINDOW_BANK = 0x10000,
    ALL_PLANES = 0x0f,
    EVEN_PLANES = 0x05,
    ODD_PLANES = 0x0a,
};

/* Where one CPU byte lands. */
struct target {
    size_t at;  /* index of plane 0's byte in vram */
    u8 planes;  /* that a write may change */
    u8 read;    /* plane of read mode 0 */
    bool chain; /* chain 4 */
};

/* A byte of all ones or zeros for each of four bits. */
static u32 spread(u8 bits)
{
    return (bits & 1u) * 0xffu | (bits >> 1 & 1u) * 0xff00u | (bits >> 2 & 1u) * 0xff0000u |
           (bits >> 3 & 1u) * 0xff000000u;
}

/* Offset within the selected window, or UINT32_MAX outside of it. */
static u32 window_offset(const struct vga *v, u64 off)
{
    static const struct {
        u32 base, size;
    } window[4] = {{0, 0x20000}, {0, 0x10000}, {0x10000, 0x8000}, {0x18000, 0x8000}};
    unsigned n = v->gc[GC_MISC] >> 2 & 3;

    if (off < window[n].base || off - window[n].base >= window[n].size)
        return UINT32_MAX;
    return (u32)off - window[n].base;
}

static struct target target_of(const struct vga *v, u32 off)
{
    struct target t = {.planes = v->seq[SEQ_MAP_MASK], .read = v->gc[GC_READ_MAP] & 3};
    u32 bank = vbe_on(v) ? v->vbe[VBE_BANK] * (u32)WINDOW_BANK : 0;
    u32 at = off & VGA_PLANE_MASK;

    if (v->seq[SEQ_MEMORY] & SEQ_MEMORY_CHAIN4) {
        t.chain = true;
        t.read = at & 3;
        t.planes &= BIT(at & 3);
        at &= ~3u;
    } else {
        if (!(v->seq[SEQ_MEMORY] & SEQ_MEMORY_SEQUENTIAL))
            t.planes &= at & 1 ? ODD_PLANES : EVEN_PLANES;
        if (v->gc[GC_MODE] & GC_MODE_ODD_EVEN)
            t.read = (t.read & 2) | (at & 1);
        if (v->gc[GC_MISC] & GC_MISC_CHAIN_ODD_EVEN)
            at &= ~1u;
    }
    t.at = vga_plane_at(v, v->desc.cirrus ? cirrus_bank(v, at) : bank + at);
    return t;
}

/* Where a byte of the window is in linear memory. */
static size_t linear_at(const struct vga *v, u32 off)
{
    u32 at = v->vbe[VBE_BANK] * (u32)WINDOW_BANK + (off & (WINDOW_BANK - 1));

    return at & (v->vram_bytes - 1);
}

static u8 read_mode1(const struct vga *v)
{
    u32 miss = (v->latch ^ spread(v->gc[GC_COLOR_COMPARE])) & spread(v->gc[GC_COLOR_DONT_CARE]);

    return (u8) ~(miss | miss >> 8 | miss >> 16 | miss >> 24);
}

static u8 window_read_byte(struct vga *v, u64 window)
{
    u32 off = window_offset(v, window);
    u8 val;

    if (v->desc.cirrus && cirrus_window_read(v, window, &val))
        return val;
    if (off == UINT32_MAX || !(v->misc & MISC_RAM))
        return 0xff;
    if (vga_is_linear(v))
        return v->vram[linear_at(v, off)];
    struct target t = target_of(v, off);
    v->latch = load32(&v->vram[t.at]);
    if (v->gc[GC_MODE] & GC_MODE_READ1 && !t.chain)
        return read_mode1(v);
    return (u8)(v->latch >> 8 * t.read);
}

static u32 alu(const struct vga *v, u32 data)
{
    switch (v->gc[GC_ROTATE] >> 3 & 3) {
    case 1:
        return data & v->latch;
    case 2:
        return data | v->latch;
    case 3:
        return data ^ v->latch;
    default:
        return data;
    }
}

static u8 rotated(const struct vga *v, u8 val)
{
    unsigned n = v->gc[GC_ROTATE] & 7;

    return (u8)(val >> n | val << (8 - n));
}

/* What the four planes would get, the map mask apart. */
static u32 write_data(const struct vga *v, u8 val)
{
    u32 mask = v->gc[GC_BIT_MASK] * 0x01010101u;
    u32 set = spread(v->gc[GC_SET_RESET]);
    u32 data;

    switch (v->gc[GC_MODE] & 3) {
    case 1:
        return v->latch;
    case 2:
        data = spread(val & ALL_PLANES);
        break;
    case 3:
        mask &= rotated(v, val) * 0x01010101u;
        data = set;
        break;
    default: {
        u32 enable = spread(v->gc[GC_ENABLE_SET_RESET]);
        data = ((rotated(v, val) * 0x01010101u) & ~enable) | (set & enable);
    }
    }
    return (alu(v, data) & mask) | (v->latch & ~mask);
}

static void window_write_byte(struct vga *v, u64 window, u8 val)
{
    u32 off = window_offset(v, window);

    if (off == UINT32_MAX || !(v->misc & MISC_RAM))
        return;
    if (vga_is_linear(v)) {
        v->vram[linear_at(v, off)] = val;
        vga_mark(v, linear_at(v, off));
        return;
    }
    struct target t = target_of(v, off);
    u32 planes = spread(t.planes);
    u8 *at = &v->vram[t.at];
    vga_mark(v, t.at);
    store32(at, (load32(at) & ~planes) | (write_data(v, val) & planes));
}

static u64 window_read(void *dev, u64 off, unsigned size)
{
    u64 val = 0;

    for (unsigned i = 0; i < size; i++)
        val |= (u64)window_read_byte(dev, off + i) << 8 * i;
    return val;
}

static void window_write(void *dev, u64 off, u64 val, unsigned size)
{
    struct vga *v = dev;

    if (v->desc.cirrus && cirrus_window_write(v, off, val, size))
        return;
    for (unsigned i = 0; i < size; i++)
        window_write_byte(dev, off + i, (u8)(val >> 8 * i));
}

const struct mmio_ops vga_window_ops = {.read = window_read, .write = window_write, .max = 8};

/* ---- the window as plain memory ---- */

/* Whether a byte in chain 4 is written as it is. */
static bool chain4_is_plain(const struct vga *v)
{
    return v->seq[SEQ_MEMORY] & SEQ_MEMORY_CHAIN4 && v->seq[SEQ_MAP_MASK] == ALL_PLANES &&
           (v->gc[GC_MODE] & 3) == 0 && v->gc[GC_ROTATE] == 0 && v->gc[GC_ENABLE_SET_RESET] == 0 &&
           v->gc[GC_BIT_MASK] == 0xff;
}

static bool window_is_plain(const struct vga *v, size_t *off)
{
    *off = 0;
    if (!(v->misc & MISC_RAM) || (v->gc[GC_MISC] >> 2 & 3) > 1)
        return false; /* it does not show A0000h */
    if (v->desc.cirrus)
        return (vga_is_linear(v) || chain4_is_plain(v)) && cirrus_window_is_plain(v, off);
    if (vga_is_linear(v))
        *off = linear_at(v, 0);
    return vga_is_linear(v) || (!vbe_on(v) && chain4_is_plain(v));
}

void vga_update_window(struct vga *v)
{
    size_t off;

    if (v->desc.cirrus)
        cirrus_update_linear(v, false);
    bool direct = window_is_plain(v, &off);
    off = direct ? off : 0;

    if (!v->desc.direct || (direct == v->direct && off == v->direct_off))
        return;
    vga_screen_collect(v);
    v->direct = direct;
    v->direct_off = off;
    v->desc.direct(v->desc.direct_ctx, direct, off);
}
