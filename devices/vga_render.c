/* SPDX-License-Identifier: MIT */
/*
 * From registers and memory to pixels: sizes, colours, VGA and linear graphics modes.
 *
 * References: [VGA] CRT controller address generation, attribute controller, DAC.
 *
 * A frame is what memory holds at one moment; programs that change registers while the beam runs
 * are shown with their last values. Pixels that the hardware repeats are given once: mode 13h is
 * 320 by 200.
 *
 * Not implemented: border, palette indirection of 256-colour modes.
 */
#include "devices/vga_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"

u32 vga_dac_color(const struct vga *v, u8 index)
{
    const u8 *c = &v->dac[(index & v->dac_mask) * 3];
    u32 color = 0;

    for (unsigned i = 0; i < 3; i++) {
        u8 part =
            v->vbe[VBE_ENABLE] & VBE_8BIT_DAC ? c[i] : (u8)((c[i] & 0x3f) << 2 | (c[i] >> 4 & 3));
        color = color << 8 | part;
    }
    return color;
}

u32 vga_attribute_color(const struct vga *v, u8 index)
{
    u8 color = v->ac[index & v->ac[AC_PLANE_ENABLE] & 15];
    u8 select = v->ac[AC_COLOR_SELECT];

    if (v->ac[AC_MODE] & AC_MODE_P54)
        color = (u8)((color & 0x0f) | (select & 3) << 4);
    return vga_dac_color(v, (u8)((color & 0x3f) | (select & 0x0c) << 4));
}

u32 vga_address(const struct vga *v, u32 ma, unsigned row)
{
    u8 mode = v->crtc[CRTC_MODE];
    u32 at = ma;

    if (v->crtc[CRTC_UNDERLINE] & CRTC_UNDERLINE_DWORD)
        at = ma << 2 | (ma >> 14 & 3);
    else if (!(mode & CRTC_MODE_BYTE))
        at = ma << 1 | (ma >> (mode & CRTC_MODE_WRAP_A15 ? 15 : 13) & 1);
    if (!(mode & CRTC_MODE_ROW0_A13))
        at = (at & ~0x2000u) | (row & 1) << 13;
    if (!(mode & CRTC_MODE_ROW1_A14))
        at = (at & ~0x4000u) | (row >> 1 & 1) << 14;
    return at & VGA_PLANE_MASK;
}

/* ---- VGA graphics ---- */

unsigned vga_line_compare(const struct vga *v)
{
    return v->crtc[CRTC_LINE_COMPARE] | (v->crtc[CRTC_OVERFLOW] & 0x10u) << 4 |
           (v->crtc[CRTC_MAX_SCAN] & 0x40u) << 3;
}

unsigned vga_line_repeat(const struct vga *v)
{
    unsigned rows = (v->crtc[CRTC_MAX_SCAN] & 0x1fu) + 1;
    unsigned n = v->crtc[CRTC_MAX_SCAN] & CRTC_MAX_SCAN_DOUBLE ? 2 : 1;

    return v->crtc[CRTC_MODE] & CRTC_MODE_ROW0_A13 ? n * rows : n;
}

/* How many of them are one in the picture: all, unless the split screen begins between them. */
static unsigned picture_repeat(const struct vga *v, const struct vga_timing *t)
{
    unsigned repeat = vga_line_repeat(v), split = vga_line_compare(v);

    return split < t->lines && (split + 1) % repeat ? 1 : repeat;
}

static unsigned pixels_per_column(const struct vga *v)
{
    return v->gc[GC_MODE] & GC_MODE_SHIFT_256 ? 4 : 8;
}

/* The pixels of one character clock, from the four planes' bytes. */
static void column_pixels(const struct vga *v, const u8 *plane, const u32 *color, u32 *to)
{
    if (v->gc[GC_MODE] & GC_MODE_SHIFT_256) {
        for (unsigned i = 0; i < 4; i++)
            to[i] = color[plane[i]];
    } else if (v->gc[GC_MODE] & GC_MODE_SHIFT_CGA) {
        for (unsigned i = 0; i < 8; i++) {
            const u8 *pair = plane + (i >> 2);
            unsigned shift = 6 - 2 * (i & 3);
            to[i] = color[(pair[0] >> shift & 3) | (pair[2] >> shift & 3) << 2];
        }
    } else {
        for (unsigned i = 0; i < 8; i++) {
            unsigned bit = 7 - i;
            to[i] = color[(plane[0] >> bit & 1) | (plane[1] >> bit & 1) << 1 |
                          (plane[2] >> bit & 1) << 2 | (plane[3] >> bit & 1) << 3];
        }
    }
}

static void render_graphics(const struct vga *v, const struct vga_timing *t, struct vga_frame *f)
{
    const u8 *c = v->crtc;
    unsigned repeat = vga_line_repeat(v);
    unsigned rows = c[CRTC_MODE] & CRTC_MODE_ROW0_A13 ? 1 : (c[CRTC_MAX_SCAN] & 0x1fu) + 1;
    unsigned per = pixels_per_column(v);
    unsigned pan = v->ac[AC_PANNING] & 7;
    unsigned scans = picture_repeat(v, t), split = vga_line_compare(v);
    u32 start = (u32)c[CRTC_START_HIGH] << 8 | c[CRTC_START_LOW];
    u32 color[256], pixel[8];

    start += c[CRTC_PRESET_ROW] >> 5 & 3;
    pan = per == 4 ? pan >> 1 : pan;
    for (unsigned i = 0; i < (per == 4 ? 256u : 16u); i++)
        color[i] = per == 4 ? vga_dac_color(v, (u8)i) : vga_attribute_color(v, (u8)i);
    for (unsigned y = 0; y < f->height; y++) {
        bool below = y * scans > split;
        unsigned line = (below ? y * scans - split - 1 : y * scans) / repeat;
        unsigned skip = below && v->ac[AC_MODE] & AC_MODE_SPLIT_STILL ? 0 : pan;
        u32 ma = (below ? 0 : start) + line / rows * c[CRTC_OFFSET] * 2;
        u32 *to = f->pixels + (size_t)y * f->width;
        for (unsigned column = 0; column <= t->columns; column++) {
            column_pixels(v, &v->vram[vga_plane_at(v, vga_address(v, ma + column, line % rows))],
                          color, pixel);
            for (unsigned i = 0; i < per; i++) {
                unsigned x = column * per + i - skip; /* wraps to a large number left of 0 */
                if (x < f->width)
                    to[x] = pixel[i];
            }
        }
    }
}

/* ---- linear modes ---- */

void vga_linear(const struct vga *v, struct vga_linear *l)
{
    if (v->desc.cirrus) {
        cirrus_linear(v, l);
        return;
    }
    u32 pixel = (v->vbe[VBE_BPP] + 7u) / 8;
    *l = (struct vga_linear){
        .width = v->vbe[VBE_XRES],
        .height = v->vbe[VBE_YRES],
        .bpp = v->vbe[VBE_BPP],
        .pitch = vbe_pitch(v),
        .start = v->vbe[VBE_Y_OFFSET] * vbe_pitch(v) + v->vbe[VBE_X_OFFSET] * pixel,
    };
}

static u32 widen(u32 value, unsigned bits)
{
    return (value << (8 - bits) | value >> (2 * bits - 8)) & 0xff;
}

/* @n pixels of @bpp bits at @from. */
static void linear_pixels(u32 bpp, const u32 *palette, const u8 *from, u32 n, u32 *to)
{
    switch (bpp) {
    case 15:
        for (u32 i = 0; i < n; i++) {
            u32 raw = load16(from + 2 * i);
            to[i] =
                widen(raw >> 10 & 31, 5) << 16 | widen(raw >> 5 & 31, 5) << 8 | widen(raw & 31, 5);
        }
        break;
    case 16:
        for (u32 i = 0; i < n; i++) {
            u32 raw = load16(from + 2 * i);
            to[i] =
                widen(raw >> 11 & 31, 5) << 16 | widen(raw >> 5 & 63, 6) << 8 | widen(raw & 31, 5);
        }
        break;
    case 24:
        for (u32 i = 0; i < n; i++)
            to[i] = load16(from + 3 * i) | (u32)from[3 * i + 2] << 16;
        break;
    case 32:
        for (u32 i = 0; i < n; i++)
            to[i] = load32(from + 4 * i) & 0xffffff;
        break;
    default:
        for (u32 i = 0; i < n; i++)
            to[i] = palette[from[i]];
    }
}

/* A row from byte @at of memory on, which may wrap around its end. */
static void linear_row(const struct vga *v, u32 bpp, const u32 *palette, u32 at, u32 n, u32 *to)
{
    u32 pixel = (bpp + 7) / 8;
    size_t mask = v->vram_bytes - 1;

    at &= mask;
    if (at + (size_t)n * pixel <= v->vram_bytes) {
        linear_pixels(bpp, palette, v->vram + at, n, to);
        return;
    }
    for (u32 x = 0; x < n; x++) {
        u8 raw[4];
        for (u32 i = 0; i < pixel; i++)
            raw[i] = v->vram[(at + x * pixel + i) & mask];
        linear_pixels(bpp, palette, raw, 1, to + x);
    }
}

/* 16 colours: planes, as in VGA modes. */
static u32 vbe_planar_pixel(const struct vga *v, const u32 *color, u32 y, u32 x)
{
    u32 at = y * (v->vbe[VBE_VIRT_WIDTH] / 8u) + x / 8;
    const u8 *plane = &v->vram[vga_plane_at(v, at)];
    unsigned bit = 7 - (x & 7);

    return color[(plane[0] >> bit & 1) | (plane[1] >> bit & 1) << 1 | (plane[2] >> bit & 1) << 2 |
                 (plane[3] >> bit & 1) << 3];
}

void vga_render_rows(const struct vga *v, struct vga_frame *f, u32 first, u32 end)
{
    struct vga_linear l;
    u32 palette[256];

    vga_linear(v, &l);
    for (unsigned i = 0; i < 256 && l.bpp == 8; i++)
        palette[i] = vga_dac_color(v, (u8)i);
    for (u32 y = first; y < end; y++)
        linear_row(v, l.bpp, palette, l.start + y * l.pitch, f->width,
                   f->pixels + (size_t)y * f->width);
    if (v->desc.cirrus)
        cirrus_draw_cursor(v, f, first, end);
}

static void render_vbe_planes(const struct vga *v, struct vga_frame *f)
{
    u32 palette[256];

    for (unsigned i = 0; i < 256; i++)
        palette[i] = vga_attribute_color(v, (u8)i);
    for (u32 y = 0; y < f->height; y++) {
        u32 *to = f->pixels + (size_t)y * f->width;
        for (u32 x = 0; x < f->width; x++)
            to[x] =
                vbe_planar_pixel(v, palette, y + v->vbe[VBE_Y_OFFSET], x + v->vbe[VBE_X_OFFSET]);
    }
}

/* ---- frames ---- */

static enum status frame_resize(struct vga_frame *f, unsigned width, unsigned height)
{
    size_t need = (size_t)width * height;

    if (need > f->capacity) {
        u32 *pixels = realloc(f->pixels, need * sizeof(*pixels));
        if (!pixels)
            return STATUS_NO_MEMORY;
        f->pixels = pixels;
        f->capacity = need;
    }
    f->width = width;
    f->height = height;
    return STATUS_OK;
}

static enum status frame_size(const struct vga *v, const struct vga_timing *t, struct vga_frame *f)
{
    struct vga_linear l;

    if (vga_is_linear(v)) {
        vga_linear(v, &l);
        return frame_resize(f, l.width, l.height);
    }
    if (vbe_on(v))
        return frame_resize(f, v->vbe[VBE_XRES], v->vbe[VBE_YRES]);
    if (vga_is_text(v))
        return frame_resize(f, t->columns * t->char_dots, t->lines);
    unsigned height = t->lines / picture_repeat(v, t);
    return frame_resize(f, t->columns * pixels_per_column(v), height ? height : 1);
}

/* SeaVGABIOS leaves the sequencer's bit set in packed modes of the GD5446. */
static bool is_blank(const struct vga *v)
{
    return (v->seq[SEQ_CLOCKING] & SEQ_CLOCKING_OFF && !vga_is_linear(v)) ||
           !(v->ac_index & AC_INDEX_PAS);
}

enum status vga_render(const struct vga *v, struct vga_frame *f)
{
    struct vga_timing t;

    vga_timing(v, &t);
    enum status s = frame_size(v, &t, f);
    if (s != STATUS_OK)
        return s;
    if (vbe_on(v) && !vga_is_linear(v))
        render_vbe_planes(v, f);
    else if (!vbe_on(v) && is_blank(v))
        memset(f->pixels, 0, (size_t)f->width * f->height * sizeof(*f->pixels));
    else if (vga_is_linear(v))
        vga_render_rows(v, f, 0, f->height);
    else if (vga_is_text(v))
        vga_render_text(v, &t, f, 0, f->height);
    else
        render_graphics(v, &t, f);
    return STATUS_OK;
}

void vga_frame_free(struct vga_frame *f)
{
    free(f->pixels);
    *f = (struct vga_frame){0};
}
