/* SPDX-License-Identifier: MIT */
/*
 * GD5446: what is shown of packed pixels, and the pointer over it.
 *
 * Reference: [GD5446] CR19 to CR1D, SR7, SR10 to SR13, the hidden DAC register.
 *
 * Not implemented: split screens of packed modes, which SR1 bit 5 does not turn off; the pointer in
 * text modes.
 */
#include "devices/vga_state.h"

enum {
    PATTERNS = 16 << 10, /* bytes at the end of memory */
    PATTERN_UNIT = 256,
    COLOR_BACKGROUND = 0,
    COLOR_FOREGROUND = 15,
};

static u32 bits_per_pixel(const struct cirrus *c)
{
    switch (c->seq[CSEQ_MODE] & 0x0e) {
    case 0x02: /* two clocks for a pixel */
    case 0x06:
        return c->hidden_dac & 0x0f ? 16 : 15;
    case 0x04:
        return 24;
    case 0x08:
        return 32;
    default:
        return 8;
    }
}

void cirrus_linear(const struct vga *v, struct vga_linear *l)
{
    const u8 *x = v->cx.crtc;
    struct vga_timing t;
    u32 start = (u32)v->crtc[CRTC_START_HIGH] << 8 | v->crtc[CRTC_START_LOW];
    unsigned repeat = vga_line_repeat(v);

    vga_timing(v, &t);
    start |= (x[CCRTC_EXTENDED] & 0x01u) << 16 | (x[CCRTC_EXTENDED] & 0x0cu) << 15 |
             (x[CCRTC_OVERLAY] & 0x80u) << 12;
    *l = (struct vga_linear){
        .width = t.columns * 8,
        .height = t.lines > repeat ? t.lines / repeat : 1,
        .bpp = bits_per_pixel(&v->cx),
        .pitch = (v->crtc[CRTC_OFFSET] | (x[CCRTC_EXTENDED] & 0x10u) << 4) * 8,
        .start = start * 4,
    };
    if (x[CCRTC_CONTROL] & 1)
        l->height *= 2;
}

/* ---- the pointer ---- */

static size_t pattern_at(const struct vga *v)
{
    bool large = v->cx.seq[CSEQ_CURSOR_MODE] & CSEQ_CURSOR_64;
    unsigned n = v->cx.seq[CSEQ_CURSOR_PATTERN] & (large ? 0x3cu : 0x3fu);

    return v->vram_bytes - PATTERNS + (size_t)n * PATTERN_UNIT;
}

static u32 cursor_color(const struct vga *v, unsigned n)
{
    u32 color = 0;

    for (unsigned i = 0; i < 3; i++) {
        u8 c = v->cx.cursor_dac[n * 3 + i];
        color = color << 8 | (c & 0x3fu) << 2 | (c >> 4 & 3u);
    }
    return color;
}

/* A line of it: a bit that inverts or chooses the colour, and one that covers. */
static void draw_line(const struct vga *v, const u8 *invert, const u8 *cover, unsigned size,
                      u32 *to, unsigned width)
{
    u32 ink[2] = {cursor_color(v, COLOR_BACKGROUND), cursor_color(v, COLOR_FOREGROUND)};

    for (unsigned i = 0; i < size; i++) {
        unsigned x = v->cx.cursor_x + i, shift = 7 - i % 8;
        if (x >= width)
            break;
        unsigned one = invert[i / 8] >> shift & 1;
        if (cover[i / 8] >> shift & 1)
            to[x] = ink[one];
        else if (one)
            to[x] ^= 0xffffff;
    }
}

void cirrus_draw_cursor(const struct vga *v, struct vga_frame *f, u32 first, u32 end)
{
    unsigned size = v->cx.seq[CSEQ_CURSOR_MODE] & CSEQ_CURSOR_64 ? 64 : 32;
    const u8 *pattern = v->vram + pattern_at(v);

    if (!(v->cx.seq[CSEQ_CURSOR_MODE] & CSEQ_CURSOR_ON))
        return;
    for (unsigned i = 0; i < size; i++) {
        u32 y = v->cx.cursor_y + i;
        if (y < first || y >= end)
            continue;
        const u8 *invert = size == 64 ? pattern + i * 16 : pattern + i * 4;
        draw_line(v, invert, invert + (size == 64 ? 8 : 128), size,
                  f->pixels + (size_t)y * f->width, f->width);
    }
}

bool cirrus_cursor_dirty(const struct vga *v)
{
    return v->cx.seq[CSEQ_CURSOR_MODE] & CSEQ_CURSOR_ON && v->dirty[pattern_at(v) / PAGE_SIZE];
}
