/* SPDX-License-Identifier: MIT */
/*
 * Text modes: character cells for scripts and monitors, and their pixels.
 *
 * References: [VGA] alphanumeric modes; Sequencer character map select; CRTC cursor.
 */
#include "devices/vga_state.h"

#include <assert.h>
#include <string.h>

enum {
    PLANE_CHAR = 0,
    PLANE_ATTR = 1,
    PLANE_FONT = 2,
    GLYPH_BYTES = 32,
    CURSOR_OFF = BIT(5),
    CURSOR_LINE = 0x1f,
    AC_MODE_MONO = BIT(1),
    CURSOR_BLINK_FRAMES = 8, /* on as long as off */
    CHAR_BLINK_FRAMES = 16,
};

/* The screen as a grid. */
struct grid {
    unsigned columns, rows;
    unsigned height;  /* lines of a cell                     */
    unsigned repeat;  /* 2 if every line is shown twice      */
    u32 start, pitch; /* memory-address counter: start, row  */
    u32 cursor;
};

static struct grid text_grid(const struct vga *v, const struct vga_timing *t)
{
    const u8 *c = v->crtc;
    struct grid g = {
        .columns = t->columns,
        .height = (c[CRTC_MAX_SCAN] & 0x1fu) + 1,
        .repeat = c[CRTC_MAX_SCAN] & CRTC_MAX_SCAN_DOUBLE ? 2 : 1,
        .start = (u32)c[CRTC_START_HIGH] << 8 | c[CRTC_START_LOW],
        .pitch = c[CRTC_OFFSET] * 2u,
        .cursor = (u32)c[CRTC_CURSOR_HIGH] << 8 | c[CRTC_CURSOR_LOW],
    };

    g.rows = t->lines / (g.height * g.repeat);
    return g;
}

static const u8 *cell_at(const struct vga *v, const struct grid *g, unsigned row, unsigned column)
{
    return &v->vram[vga_plane_at(v, vga_address(v, g->start + row * g->pitch + column, 0))];
}

bool vga_is_text(const struct vga *v)
{
    return !vbe_on(v) && !vga_is_linear(v) && !(v->gc[GC_MISC] & GC_MISC_GRAPHICS);
}

bool vga_text(const struct vga *v, struct vga_text_screen *out)
{
    struct vga_timing t;

    memset(out, 0, sizeof(*out));
    if (!vga_is_text(v))
        return false;
    vga_timing(v, &t);
    struct grid g = text_grid(v, &t);
    out->columns = g.columns;
    out->rows = g.rows;
    if (out->rows > VGA_TEXT_MAX_CELLS / out->columns)
        out->rows = VGA_TEXT_MAX_CELLS / out->columns;
    for (unsigned row = 0; row < out->rows; row++) {
        for (unsigned column = 0; column < out->columns; column++) {
            const u8 *planes = cell_at(v, &g, row, column);
            out->cell[row * out->columns + column].ch = planes[PLANE_CHAR];
            out->cell[row * out->columns + column].attr = planes[PLANE_ATTR];
        }
    }
    out->blink = v->ac[AC_MODE] & AC_MODE_BLINK;
    u32 off = (g.cursor - g.start) & VGA_PLANE_MASK;
    out->cursor_row = g.pitch ? off / g.pitch : 0;
    out->cursor_column = g.pitch ? off % g.pitch : off;
    out->cursor_on = !(v->crtc[CRTC_CURSOR_START] & CURSOR_OFF) && out->cursor_row < out->rows &&
                     out->cursor_column < out->columns;
    return true;
}

/* ---- pixels ---- */

/* Everything that is the same for all cells. */
struct painter {
    const struct vga *v;
    unsigned dots, height;
    u32 color[16];
    u32 font[2]; /* plane addresses, by attribute bit 3 */
    bool blink_off, cursor_shown;
};

static u32 font_address(u8 select)
{
    return (select & 3u) * 0x4000 + (select & 4 ? 0x2000 : 0);
}

u64 vga_blink_phase(const struct vga *v)
{
    static_assert(CHAR_BLINK_FRAMES % CURSOR_BLINK_FRAMES == 0, "one count has both phases");
    return vga_frame_count(v) / CURSOR_BLINK_FRAMES % (2 * CHAR_BLINK_FRAMES / CURSOR_BLINK_FRAMES);
}

static struct painter painter_of(const struct vga *v, const struct vga_timing *t, unsigned height)
{
    u64 frames = vga_frame_count(v);
    u8 map = v->seq[SEQ_CHAR_MAP];
    struct painter p = {.v = v, .dots = t->char_dots, .height = height};

    for (unsigned i = 0; i < 16; i++)
        p.color[i] = vga_attribute_color(v, (u8)i);
    p.font[0] = font_address((map & 3) | (map >> 2 & 4));
    p.font[1] = font_address((map >> 2 & 3) | (map >> 3 & 4));
    p.blink_off = frames / CHAR_BLINK_FRAMES & 1;
    p.cursor_shown =
        !(v->crtc[CRTC_CURSOR_START] & CURSOR_OFF) && (frames / CURSOR_BLINK_FRAMES & 1) == 0;
    return p;
}

static bool cursor_covers(const struct vga *v, unsigned line)
{
    return line >= (v->crtc[CRTC_CURSOR_START] & CURSOR_LINE) &&
           line <= (v->crtc[CRTC_CURSOR_END] & CURSOR_LINE);
}

/* One line of one cell: the pattern, leftmost dot in bit 8, ninth dot in bit 0. */
static unsigned cell_pattern(const struct painter *p, u8 ch, u8 attr, unsigned line, bool cursor)
{
    const struct vga *v = p->v;
    u32 at = p->font[attr >> 3 & 1] + ch * (u32)GLYPH_BYTES + (line & (GLYPH_BYTES - 1));
    unsigned bits = (unsigned)v->vram[vga_plane_at(v, at & VGA_PLANE_MASK) + PLANE_FONT] << 1;

    if (v->ac[AC_MODE] & AC_MODE_LINE_GRAPHICS && (ch & 0xe0) == 0xc0)
        bits |= bits >> 1 & 1;
    if (v->ac[AC_MODE] & AC_MODE_MONO && (attr & 0x77) == 1 && /* on black [VGA] */
        line == (v->crtc[CRTC_UNDERLINE] & CURSOR_LINE))
        bits = 0x1ff;
    if (v->ac[AC_MODE] & AC_MODE_BLINK && attr & 0x80 && p->blink_off)
        bits = 0;
    if (cursor && cursor_covers(v, line))
        bits = 0x1ff;
    return bits;
}

static void paint_cell_line(const struct painter *p, const u8 *planes, unsigned line, bool cursor,
                            u32 *to)
{
    u8 attr = planes[PLANE_ATTR];
    bool blink = p->v->ac[AC_MODE] & AC_MODE_BLINK;
    u32 fg = p->color[attr & 15];
    u32 bg = p->color[attr >> 4 & (blink ? 7 : 15)];
    unsigned bits = cell_pattern(p, planes[PLANE_CHAR], attr, line, cursor);

    for (unsigned dot = 0; dot < p->dots; dot++)
        to[dot] = bits & (0x100u >> dot) ? fg : bg;
}

/* Dots by which the screen is moved to the left; of 9 the values begin at 8 [VGA]. */
static unsigned panning(const struct vga *v, unsigned dots)
{
    unsigned n = v->ac[AC_PANNING] & 15;

    if (dots == 9)
        return n < 8 ? n + 1 : 0;
    return n & 7;
}

/* One scan line, from the address counter @ma on. */
static void render_line(const struct painter *p, const struct grid *g, u32 ma, unsigned line,
                        unsigned pan, u32 *to, unsigned width)
{
    const struct vga *v = p->v;
    u32 dot[9];

    if (!pan) {
        for (unsigned column = 0; column < g->columns; column++, to += p->dots) {
            u32 at = (ma + column) & VGA_PLANE_MASK;
            const u8 *planes = &v->vram[vga_plane_at(v, vga_address(v, ma + column, 0))];
            paint_cell_line(p, planes, line, p->cursor_shown && at == g->cursor, to);
        }
        return;
    }
    for (unsigned column = 0; column <= g->columns; column++) {
        u32 at = (ma + column) & VGA_PLANE_MASK;
        const u8 *planes = &v->vram[vga_plane_at(v, vga_address(v, ma + column, 0))];
        paint_cell_line(p, planes, line, p->cursor_shown && at == g->cursor, dot);
        for (unsigned i = 0; i < p->dots; i++) {
            unsigned x = column * p->dots + i - pan; /* wraps to a large number left of 0 */
            if (x < width)
                to[x] = dot[i];
        }
    }
}

void vga_text_blinking_rows(const struct vga *v, const struct vga_frame *f, u32 *first, u32 *end)
{
    struct vga_timing t;

    vga_timing(v, &t);
    struct grid g = text_grid(v, &t);
    u32 off = (g.cursor - g.start) & VGA_PLANE_MASK;
    u32 row = g.pitch ? off / g.pitch : 0;
    bool once = g.pitch >= g.columns && !panning(v, t.char_dots); /* no cell is shown twice */
    bool whole = t.lines % (g.height * g.repeat) == 0;            /* no row is cut off */
    bool plain =
        once && whole && v->crtc[CRTC_PRESET_ROW] == 0 && vga_line_compare(v) >= f->height;

    for (u32 i = 0; plain && v->ac[AC_MODE] & AC_MODE_BLINK && i < g.rows * g.columns; i++)
        plain = !(cell_at(v, &g, i / g.columns, i % g.columns)[PLANE_ATTR] & 0x80);
    *first = plain ? row * g.height * g.repeat : 0;
    *end = plain ? *first + g.height * g.repeat : f->height;
    *first = *first < f->height ? *first : f->height;
    *end = *end < f->height ? *end : f->height;
}

void vga_render_text(const struct vga *v, const struct vga_timing *t, struct vga_frame *f,
                     u32 first, u32 end)
{
    struct grid g = text_grid(v, t);
    struct painter p = painter_of(v, t, g.height);
    unsigned split = vga_line_compare(v), pan = panning(v, p.dots);
    unsigned preset = v->crtc[CRTC_PRESET_ROW] & 0x1fu;
    u32 start = g.start + (v->crtc[CRTC_PRESET_ROW] >> 5 & 3);

    if (f->steady)
        p.blink_off = p.cursor_shown = false;
    for (unsigned y = first; y < end; y++) {
        bool below = y > split;
        unsigned scan = below ? (y - split - 1) / g.repeat : y / g.repeat + preset;
        bool still = below && v->ac[AC_MODE] & AC_MODE_SPLIT_STILL;
        u32 ma = (below ? 0 : start) + scan / g.height * g.pitch;
        render_line(&p, &g, ma, scan % g.height, still ? 0 : pan, f->pixels + (size_t)y * f->width,
                    f->width);
    }
}
