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
    static const u32 of[16] = {
        0x00000000, 0x000000ff, 0x0000ff00, 0x0000ffff, 0x00ff0000, 0x00ff00ff,
        0x00ffff00, 0x00ffffff, 0xff000000, 0xff0000ff, 0xff00ff00, 0xff00ffff,
        0xffff0000, 0xffff00ff, 0xffffff00, 0xffffffff,
    };

    return of[bits & ALL_PLANES];
}

/* The selected window, from A0000h on. */
static void window_place(const struct vga *v, u32 *base, u32 *size)
{
    static const struct {
        u32 base, size;
    } window[4] = {{0, 0x20000}, {0, 0x10000}, {0x10000, 0x8000}, {0x18000, 0x8000}};
    unsigned n = v->gc[GC_MISC] >> 2 & 3;

    *base = window[n].base;
    *size = window[n].size;
}

/* Offset within the selected window, or UINT32_MAX outside of it. */
static u32 window_offset(const struct vga *v, u64 off)
{
    u32 base, size;

    window_place(v, &base, &size);
    return off - base < size ? (u32)off - base : UINT32_MAX;
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

/* What the registers make of the bytes of one access. */
struct writing {
    u8 mode, function, rotate;
    u32 mask;        /* bits that a write may change: GC_BIT_MASK in all planes */
    u32 set, enable; /* planes that get GC_SET_RESET instead of the CPU's byte */
};

static struct writing writing_now(const struct vga *v)
{
    return (struct writing){
        .mode = v->gc[GC_MODE] & 3,
        .function = v->gc[GC_ROTATE] >> 3 & 3,
        .rotate = v->gc[GC_ROTATE] & 7,
        .mask = v->gc[GC_BIT_MASK] * 0x01010101u,
        .set = spread(v->gc[GC_SET_RESET]),
        .enable = spread(v->gc[GC_ENABLE_SET_RESET]),
    };
}

static u32 alu(const struct writing *w, u32 data, u32 latch)
{
    switch (w->function) {
    case 1:
        return data & latch;
    case 2:
        return data | latch;
    case 3:
        return data ^ latch;
    default:
        return data;
    }
}

static u8 rotated(const struct writing *w, u8 val)
{
    return (u8)(val >> w->rotate | val << (8 - w->rotate));
}

/* What the four planes would get, the map mask apart. */
static u32 write_data(const struct writing *w, u8 val, u32 latch)
{
    u32 mask = w->mask, data;

    switch (w->mode) {
    case 1:
        return latch;
    case 2:
        data = spread(val & ALL_PLANES);
        break;
    case 3:
        mask &= rotated(w, val) * 0x01010101u;
        data = w->set;
        break;
    default:
        data = ((rotated(w, val) * 0x01010101u) & ~w->enable) | (w->set & w->enable);
    }
    return (alu(w, data, latch) & mask) | (latch & ~mask);
}

static void window_write_linear(struct vga *v, u64 window, u64 val, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        u32 off = window_offset(v, window + i);
        if (off == UINT32_MAX)
            continue;
        v->vram[linear_at(v, off)] = (u8)(val >> 8 * i);
        vga_mark(v, linear_at(v, off));
    }
}

static u64 path_read(struct vga *v, u32 off, unsigned size)
{
    const struct vga_path *p = &v->path;
    u64 val = 0;

    for (unsigned i = 0; i < size; i++, off++) {
        v->latch = load32(&v->vram[vga_plane_at(v, off & p->at)]);
        val |= (u64)(u8)(v->latch >> p->read[off & 1]) << 8 * i;
    }
    return val;
}

static NOINLINE u64 window_read_bytes(struct vga *v, u64 off, unsigned size)
{
    u64 val = 0;

    for (unsigned i = 0; i < size; i++)
        val |= (u64)window_read_byte(v, off + i) << 8 * i;
    return val;
}

static u64 window_read(void *dev, u64 off, unsigned size)
{
    const struct vga *v = dev;

    if (v->path.reads && off - v->path.base <= v->path.size - size)
        return path_read(dev, (u32)(off - v->path.base), size);
    return window_read_bytes(dev, off, size);
}

/* The same where nothing depends on more than whether the address is even: no program draws pixels
 * by other paths than these if it is in a hurry. */
static void path_find(struct vga *v)
{
    struct writing w = writing_now(v);
    struct vga_path *p = &v->path;
    bool odd_even = !(v->seq[SEQ_MEMORY] & SEQ_MEMORY_SEQUENTIAL);

    *p = (struct vga_path){.odd_even = odd_even, .at = VGA_PLANE_MASK};
    bool plain = v->misc & MISC_RAM && !v->desc.cirrus && !vbe_on(v) &&
                 !(v->seq[SEQ_MEMORY] & SEQ_MEMORY_CHAIN4);
    p->reads = plain && !(v->gc[GC_MODE] & GC_MODE_READ1);
    p->writes = plain && (w.mode == 1 || (w.mode == 0 && w.function == 0 && w.rotate == 0));
    window_place(v, &p->base, &p->size);
    if (v->gc[GC_MISC] & GC_MISC_CHAIN_ODD_EVEN)
        p->at &= ~1u;
    for (unsigned odd = 0; odd < 2; odd++) {
        u8 read = v->gc[GC_READ_MAP] & 3;
        p->read[odd] = 8 * (v->gc[GC_MODE] & GC_MODE_ODD_EVEN ? (read & 2u) | odd : read);
        u32 planes = spread(v->seq[SEQ_MAP_MASK]);
        if (odd_even)
            planes &= spread(odd ? ODD_PLANES : EVEN_PLANES);
        u32 mask = w.mode == 1 ? 0 : planes & w.mask;
        p->cpu[odd] = mask & ~w.enable;
        p->set[odd] = mask & w.enable & w.set;
        p->latch[odd] = planes & ~mask;
        p->keep[odd] = ~planes;
    }
}

static void path_write(struct vga *v, u32 off, u64 val, unsigned size)
{
    const struct vga_path *p = &v->path;

    for (unsigned i = 0; i < size; i++, off++, val >>= 8) {
        unsigned odd = off & p->odd_even;
        size_t at = vga_plane_at(v, off & p->at);
        u32 data = ((u8)val * 0x01010101u & p->cpu[odd]) | p->set[odd] | (v->latch & p->latch[odd]);
        vga_mark(v, at);
        store32(&v->vram[at], (load32(&v->vram[at]) & p->keep[odd]) | data);
    }
}

static NOINLINE void window_write_bytes(struct vga *v, u64 window, u64 val, unsigned size)
{
    if (v->desc.cirrus && cirrus_window_write(v, window, val, size))
        return;
    if (!(v->misc & MISC_RAM))
        return;
    if (vga_is_linear(v)) {
        window_write_linear(v, window, val, size);
        return;
    }
    struct writing w = writing_now(v);
    for (unsigned i = 0; i < size; i++) {
        u32 off = window_offset(v, window + i);
        if (off == UINT32_MAX)
            continue;
        struct target t = target_of(v, off);
        u32 planes = spread(t.planes);
        u8 *at = &v->vram[t.at];
        vga_mark(v, t.at);
        store32(at,
                (load32(at) & ~planes) | (write_data(&w, (u8)(val >> 8 * i), v->latch) & planes));
    }
}

static void window_write(void *dev, u64 window, u64 val, unsigned size)
{
    struct vga *v = dev;

    if (v->path.writes && window - v->path.base <= v->path.size - size)
        path_write(v, (u32)(window - v->path.base), val, size);
    else
        window_write_bytes(v, window, val, size);
}

/* The GD5446's window has a blitter behind it. */
static bool window_quiet(const void *dev)
{
    const struct vga *v = dev;

    return !v->desc.cirrus;
}

const struct mmio_ops vga_window_ops = {
    .read = window_read,
    .write = window_write,
    .max = 8,
    .quiet = window_quiet,
};

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

    path_find(v);
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
