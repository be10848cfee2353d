/* SPDX-License-Identifier: MIT */
/*
 * GD5446: the BitBLT engine. A BitBLT ends within the access that starts it, or that writes the
 * last of its source.
 *
 * Reference: [GD5446] chapters 5 and 6, GR20 to GR39.
 *
 * Bytes of a line of the source are bytes of the destination, in this order: so a pattern and the
 * skipped pixels at the left of a line need no phase of their own.
 *
 * Not implemented: destinations in the system's memory, which the 5446 has not, either; keys of 24
 * and 32 bits; the mask of the key.
 */
#include <string.h>

#include "devices/vga_state.h"

enum {
    MODE_BACKWARDS = BIT(0),
    MODE_TO_SYSTEM = BIT(1),
    MODE_FROM_SYSTEM = BIT(2),
    MODE_TRANSPARENT = BIT(3),
    MODE_PATTERN = BIT(6),
    MODE_EXPAND = BIT(7),
    EXT_DWORDS = BIT(0), /* lines of bits end at a doubleword */
    EXT_INVERT = BIT(1), /* it is the ones that are transparent */
    EXT_SOLID = BIT(2),
    START_BUSY = BIT(0),
    START_START = BIT(1),
    START_RESET = BIT(2),
    START_BUFFERED = BIT(3),
    START_AUTO = BIT(7),
    PATTERN_ROWS = 8,
    ROP_COPY = 0x0d,
};

/* The registers, taken apart. */
struct blt {
    u8 mode, ext, rop;
    unsigned pixel;    /* bytes */
    u32 width, height; /* bytes, lines */
    u32 dst_pitch, src_pitch;
    u32 dst, src;
    u32 skip; /* bytes at the left of each line that stay as they are */
    u32 foreground, background;
};

static u32 reg24(const struct cirrus *c, unsigned at)
{
    return c->gc[at] | (u32)c->gc[at + 1] << 8 | (u32)c->gc[at + 2] << 16;
}

static u32 reg16(const struct cirrus *c, unsigned at)
{
    return c->gc[at] | (u32)c->gc[at + 1] << 8;
}

static u32 color(const struct cirrus *c, unsigned at)
{
    return c->gc[at] | (u32)c->gc[at + 0x10] << 8 | (u32)c->gc[at + 0x12] << 16 |
           (u32)c->gc[at + 0x14] << 24;
}

static struct blt blt_read(const struct cirrus *c)
{
    struct blt b = {
        .mode = c->gc[CGC_BLT_MODE],
        .ext = c->gc[CGC_BLT_EXT],
        .rop = c->gc[CGC_BLT_ROP],
        .pixel = (c->gc[CGC_BLT_MODE] >> 4 & 3u) + 1,
        .width = (reg16(c, CGC_BLT_WIDTH) & 0x1fff) + 1,
        .height = (reg16(c, CGC_BLT_HEIGHT) & 0x7ff) + 1,
        .dst_pitch = reg16(c, CGC_BLT_DST_PITCH) & 0x1fff,
        .src_pitch = reg16(c, CGC_BLT_SRC_PITCH) & 0x1fff,
        .dst = reg24(c, CGC_BLT_DST) & 0x3fffff,
        .src = reg24(c, CGC_BLT_SRC) & 0x3fffff,
        .foreground = color(c, CGC_FOREGROUND),
        .background = color(c, CGC_BACKGROUND),
    };

    if (b.mode & (MODE_PATTERN | MODE_EXPAND)) {
        u8 skip = c->gc[CGC_BLT_SKIP];
        b.skip = b.pixel == 3 ? skip & 0x1fu : (skip & 7u) * b.pixel;
    }
    return b;
}

/* ---- raster operations ---- */

#define ROP_LINE(expr)                                                                             \
    for (u32 i = 0; i < n; i++) {                                                                  \
        u8 s = src[i], d = dst[i];                                                                 \
        (void)s, (void)d;                                                                          \
        dst[i] = (u8)(expr);                                                                       \
    }                                                                                              \
    break

/* Codes that the manual does not list leave the destination alone. */
static void rop_line(u8 rop, u8 *dst, const u8 *src, u32 n)
{
    switch (rop) {
    case 0x00:
        ROP_LINE(0);
    case 0x05:
        ROP_LINE(s & d);
    case 0x09:
        ROP_LINE(s & ~d);
    case 0x0b:
        ROP_LINE(~d);
    case ROP_COPY:
        ROP_LINE(s);
    case 0x0e:
        ROP_LINE(0xff);
    case 0x50:
        ROP_LINE(~s & d);
    case 0x59:
        ROP_LINE(s ^ d);
    case 0x6d:
        ROP_LINE(s | d);
    case 0x90: /* as 09h with the source inverted; QEMU has these two the other way round */
        ROP_LINE(~s & ~d);
    case 0x95:
        ROP_LINE(~(s ^ d));
    case 0xad:
        ROP_LINE(s | ~d);
    case 0xd0:
        ROP_LINE(~s);
    case 0xd6:
        ROP_LINE(~s | d);
    case 0xda:
        ROP_LINE(~s | ~d);
    default:
        break;
    }
}

/* ---- lines ---- */

static u32 mask_of(const struct vga *v)
{
    return (u32)v->vram_bytes - 1;
}

static void copy_out(const struct vga *v, u32 at, u8 *to, u32 n)
{
    u32 mask = mask_of(v), first = mask + 1 - (at & mask);

    at &= mask;
    if (first > n)
        first = n;
    memcpy(to, v->vram + at, first);
    memcpy(to + first, v->vram, n - first);
}

static void write_part(struct vga *v, const struct blt *b, u32 at, const u8 *src, u32 n)
{
    if (!n)
        return;
    rop_line(b->rop, v->vram + at, src, n);
    for (u32 page = at / PAGE_SIZE; page <= (at + n - 1) / PAGE_SIZE; page++)
        v->dirty[page] = true;
}

/* Bytes [@from, @from + @n) of a line at @at. */
static void write_span(struct vga *v, const struct blt *b, u32 at, const u8 *line, u32 from, u32 n)
{
    u32 mask = mask_of(v), start = (at + from) & mask, first = mask + 1 - start;

    if (first > n)
        first = n;
    write_part(v, b, start, line + from, first);
    write_part(v, b, 0, line + from + first, n - first);
}

/* Pixels whose result is the key stay as they are. */
static void write_keyed(struct vga *v, const struct blt *b, u32 at, const u8 *line)
{
    const struct blt copy = {.rop = ROP_COPY};
    const u8 *key = &v->cx.gc[CGC_BLT_KEY];
    u32 n = (b->width - b->skip) / b->pixel * b->pixel;
    u8 old[CIRRUS_LINE_MAX], now[CIRRUS_LINE_MAX];

    if (b->pixel > 2) {
        write_span(v, b, at, line, b->skip, b->width - b->skip);
        return;
    }
    copy_out(v, at + b->skip, old, n);
    memcpy(now, old, n);
    rop_line(b->rop, now, line + b->skip, n);
    for (u32 i = 0; i < n; i += b->pixel) {
        if (now[i] == key[0] && now[i + b->pixel - 1] == key[b->pixel - 1])
            memcpy(now + i, old + i, b->pixel);
    }
    write_span(v, &copy, at + b->skip, now, 0, n);
}

static bool bit_at(const u8 *bits, u32 n)
{
    return bits[n / 8] >> (7 - n % 8) & 1;
}

/* Each bit becomes a pixel; a transparent one leaves it. The bits of a pattern repeat. */
static void write_expanded(struct vga *v, const struct blt *b, u32 at, const u8 *bits)
{
    u32 repeat = b->mode & MODE_PATTERN ? 7 : UINT32_MAX;
    bool through = b->ext & EXT_INVERT; /* the bits that are transparent */
    u8 line[CIRRUS_LINE_MAX + 4], ink[2][4];
    u32 from = b->skip;

    store32(ink[0], b->background);
    store32(ink[1], b->foreground);
    for (u32 i = b->skip; i < b->width; i += b->pixel) {
        bool one = bit_at(bits, i / b->pixel & repeat);
        memcpy(line + i, ink[one], 4);
        if (!(b->mode & MODE_TRANSPARENT) || one != through)
            continue;
        write_span(v, b, at, line, from, i - from);
        from = i + b->pixel;
    }
    if (from < b->width)
        write_span(v, b, at, line, from, b->width - from);
}

static void write_line(struct vga *v, const struct blt *b, u32 at, const u8 *line)
{
    if (b->skip >= b->width)
        return;
    if (b->mode & MODE_TRANSPARENT)
        write_keyed(v, b, at, line);
    else
        write_span(v, b, at, line, b->skip, b->width - b->skip);
}

/* ---- kinds ---- */

static void blt_solid(struct vga *v, struct blt *b)
{
    u8 line[CIRRUS_LINE_MAX + 4];

    for (u32 i = 0; i < b->width; i += b->pixel)
        store32(line + i, b->foreground);
    b->mode &= (u8)~MODE_TRANSPARENT;
    for (u32 y = 0; y < b->height; y++)
        write_line(v, b, b->dst + y * b->dst_pitch, line);
}

/* Bytes from a line of the pattern to the next; of 24-bit pixels, 8 are not used. */
static u32 pattern_pitch(const struct blt *b)
{
    return b->mode & MODE_EXPAND ? 1 : 8 * (b->pixel == 3 ? 4 : b->pixel);
}

/* The lowest bits of the source's address are the first line of the pattern. */
static void blt_pattern(struct vga *v, const struct blt *b, const u8 *pattern)
{
    u32 pitch = pattern_pitch(b), period = 8 * b->pixel;
    u8 line[CIRRUS_LINE_MAX];

    for (u32 y = 0; y < b->height; y++) {
        const u8 *row = pattern + (y + b->src) % PATTERN_ROWS * pitch;
        u32 at = b->dst + y * b->dst_pitch;
        if (b->mode & MODE_EXPAND) {
            write_expanded(v, b, at, row);
            continue;
        }
        for (u32 i = 0; i < b->width; i++)
            line[i] = row[i % period];
        write_line(v, b, at, line);
    }
}

static u32 bits_pitch(const struct blt *b)
{
    u32 pixels = (b->width + b->pixel - 1) / b->pixel;

    return b->ext & EXT_DWORDS ? (pixels + 31) / 32 * 4 : (pixels + 7) / 8;
}

/* Lines of bits follow each other without gaps. */
static void blt_expand(struct vga *v, const struct blt *b)
{
    u8 line[CIRRUS_LINE_MAX];

    for (u32 y = 0; y < b->height; y++) {
        copy_out(v, b->src + y * bits_pitch(b), line, bits_pitch(b));
        write_expanded(v, b, b->dst + y * b->dst_pitch, line);
    }
}

/* Forwards, a source that begins just before its destination is repeated, byte by byte. */
static void copy_line(struct vga *v, const struct blt *b, u32 src, u32 dst)
{
    u32 mask = mask_of(v);
    u8 line[CIRRUS_LINE_MAX];

    src &= mask, dst &= mask;
    bool plain = src + b->width <= v->vram_bytes && dst + b->width <= v->vram_bytes;
    if (plain && !(b->mode & (MODE_TRANSPARENT | MODE_BACKWARDS))) {
        write_part(v, b, dst, v->vram + src, b->width);
        return;
    }
    copy_out(v, src, line, b->width);
    write_line(v, b, dst, line);
}

/* Backwards, addresses are those of the last bytes. */
static void blt_copy(struct vga *v, const struct blt *b)
{
    u32 last = b->width - 1;

    for (u32 y = 0; y < b->height; y++) {
        if (b->mode & MODE_BACKWARDS)
            copy_line(v, b, b->src - y * b->src_pitch - last, b->dst - y * b->dst_pitch - last);
        else
            copy_line(v, b, b->src + y * b->src_pitch, b->dst + y * b->dst_pitch);
    }
}

static void blt_from_video(struct vga *v, struct blt *b)
{
    u8 pattern[PATTERN_ROWS * 32];

    if (b->mode & MODE_PATTERN && b->mode & MODE_EXPAND && b->ext & EXT_SOLID) {
        blt_solid(v, b);
    } else if (b->mode & MODE_PATTERN) {
        u32 bytes = PATTERN_ROWS * pattern_pitch(b);
        copy_out(v, b->src & ~(bytes - 1), pattern, bytes);
        blt_pattern(v, b, pattern);
    } else if (b->mode & MODE_EXPAND) {
        blt_expand(v, b);
    } else {
        blt_copy(v, b);
    }
}

/* ---- source from the CPU ---- */

static u32 feed_bytes(const struct blt *b)
{
    if (b->mode & MODE_PATTERN)
        return PATTERN_ROWS * pattern_pitch(b);
    return b->mode & MODE_EXPAND ? bits_pitch(b) : (b->width + 3) & ~3u;
}

static void feed_line(struct vga *v)
{
    struct cirrus_feed *f = &v->cx.feed;
    struct blt b = blt_read(&v->cx);
    u32 at = b.dst + f->row * b.dst_pitch;

    f->fill = 0;
    f->row++;
    if (b.mode & MODE_PATTERN) {
        blt_pattern(v, &b, f->line);
        f->active = false;
        return;
    }
    if (b.mode & MODE_EXPAND)
        write_expanded(v, &b, at, f->line);
    else
        write_line(v, &b, at, f->line);
    f->active = f->row < b.height;
}

void cirrus_blt_feed(struct vga *v, u64 val, unsigned size)
{
    struct cirrus_feed *f = &v->cx.feed;

    v->cx.trapped_count = 0;
    for (unsigned i = 0; i < size && f->active; i++) {
        f->line[f->fill++] = (u8)(val >> 8 * i);
        if (f->fill >= f->need)
            feed_line(v);
    }
}

/* ---- control ---- */

static void blt_start(struct vga *v)
{
    struct blt b = blt_read(&v->cx);
    struct cirrus_feed *f = &v->cx.feed;

    f->active = false;
    if (b.mode & MODE_TO_SYSTEM)
        return;
    vga_screen_collect(v);
    if (!(b.mode & MODE_FROM_SYSTEM)) {
        blt_from_video(v, &b);
        return;
    }
    f->active = true;
    f->row = f->fill = 0;
    f->need = (u16)feed_bytes(&b);
    v->cx.trapped = true;
    v->cx.trapped_count = 0;
    vga_update_window(v);
}

void cirrus_blt_control(struct vga *v, u8 val)
{
    u8 old = v->cx.gc[CGC_BLT_START];

    v->cx.gc[CGC_BLT_START] = val & (START_START | START_RESET | START_AUTO);
    if (old & START_RESET && !(val & START_RESET)) {
        v->cx.feed.active = false;
        v->cx.gc[CGC_BLT_START] &= (u8)~START_START;
    } else if (val & START_START && !(old & START_START)) {
        blt_start(v);
        v->cx.gc[CGC_BLT_START] &= (u8)~START_START;
    }
}

u8 cirrus_blt_status(const struct vga *v)
{
    u8 val = v->cx.gc[CGC_BLT_START];

    return v->cx.feed.active ? val | START_BUSY | START_START | START_BUFFERED : val;
}
