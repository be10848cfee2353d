/* SPDX-License-Identifier: MIT */
/* What is on the screen, for captures: as UTF-8 text and as pixels. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "machine/board.h"

/* Code page 437, the character set of the VGA's fonts, as Unicode. */
// clang-format off
static const u16 cp437_low[32] = {
    ' ',    0x263a, 0x263b, 0x2665, 0x2666, 0x2663, 0x2660, 0x2022,
    0x25d8, 0x25cb, 0x25d9, 0x2642, 0x2640, 0x266a, 0x266b, 0x263c,
    0x25ba, 0x25c4, 0x2195, 0x203c, 0x00b6, 0x00a7, 0x25ac, 0x21a8,
    0x2191, 0x2193, 0x2192, 0x2190, 0x221f, 0x2194, 0x25b2, 0x25bc,
};
static const u16 cp437_high[129] = {
    0x2302, /* 7Fh */
    0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7,
    0x00ea, 0x00eb, 0x00e8, 0x00ef, 0x00ee, 0x00ec, 0x00c4, 0x00c5,
    0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9,
    0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192,
    0x00e1, 0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa, 0x00ba,
    0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb,
    0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556,
    0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510,
    0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f,
    0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567,
    0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b,
    0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590, 0x2580,
    0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4,
    0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229,
    0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7, 0x2248,
    0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, ' ',
};
// clang-format on

static char *put_utf8(char *p, u16 c)
{
    if (c < 0x80) {
        *p++ = (char)c;
    } else if (c < 0x800) {
        *p++ = (char)(0xc0 | c >> 6);
        *p++ = (char)(0x80 | (c & 0x3f));
    } else {
        *p++ = (char)(0xe0 | c >> 12);
        *p++ = (char)(0x80 | (c >> 6 & 0x3f));
        *p++ = (char)(0x80 | (c & 0x3f));
    }
    return p;
}

static u16 cp437_to_unicode(u8 ch)
{
    return ch < 32 ? cp437_low[ch] : ch < 127 ? ch : cp437_high[ch - 127];
}

/* One row without the blanks at its end. */
static char *put_row(char *p, const struct vga_text_screen *s, unsigned row)
{
    char *end = p;

    for (unsigned i = 0; i < s->columns; i++) {
        u8 ch = s->cell[row * s->columns + i].ch;
        p = put_utf8(p, cp437_to_unicode(ch));
        if (ch != 0 && ch != ' ' && ch != 0xff)
            end = p;
    }
    *end++ = '\n';
    return end;
}

char *pc_screen_text(const struct pc *pc)
{
    struct vga_text_screen *s = calloc(1, sizeof(*s));
    char *text = NULL, *p;

    if (!s)
        return NULL;
    if (!vga_text(pc->vga, s))
        s->rows = 0;
    text = p = malloc((size_t)s->rows * (s->columns * 3 + 1) + 1);
    for (unsigned row = 0; text && row < s->rows; row++)
        p = put_row(p, s, row);
    if (text) {
        while (p - text >= 2 && p[-1] == '\n' && p[-2] == '\n')
            p--; /* empty rows at the bottom */
        *p = 0;
    }
    free(s);
    return text;
}

static_assert(PC_TEXT_CELLS == VGA_TEXT_MAX_CELLS, "the largest text screen");

bool pc_screen_cells(const struct pc *pc, struct pc_text *out)
{
    struct vga_text_screen *s = calloc(1, sizeof(*s));
    bool text = s && vga_text(pc->vga, s);

    memset(out, 0, sizeof(*out));
    if (text) {
        out->columns = s->columns;
        out->rows = s->rows;
        out->blink = s->blink;
        out->cursor_on = s->cursor_on;
        out->cursor_column = s->cursor_column;
        out->cursor_row = s->cursor_row;
        for (unsigned i = 0; i < s->columns * s->rows; i++) {
            out->cell[i].ch = cp437_to_unicode(s->cell[i].ch);
            out->cell[i].attr = s->cell[i].attr;
        }
    }
    free(s);
    return text;
}

bool pc_keyboard_idle(const struct pc *pc)
{
    return ps2kbd_idle(pc->kbd);
}

static enum status render(const struct pc *pc, bool steady, struct pc_frame *out)
{
    struct vga_frame f = {.steady = steady};
    enum status s = vga_render(pc->vga, &f);

    if (s != STATUS_OK)
        return s;
    if (!f.pixels || !f.width || !f.height) {
        vga_frame_free(&f);
        return STATUS_UNSUPPORTED;
    }
    *out = (struct pc_frame){f.pixels, f.width, f.height};
    return STATUS_OK;
}

enum status pc_screen_frame(const struct pc *pc, struct pc_frame *out)
{
    return render(pc, false, out);
}

enum status pc_screen_steady(const struct pc *pc, struct pc_frame *out)
{
    return render(pc, true, out);
}

enum status pc_show(struct pc *pc, struct pc_picture *out)
{
    struct vga_picture p;
    enum status s = vga_show(pc->vga, &p);

    if (s == STATUS_OK && (!p.pixels || !p.width || !p.height))
        return STATUS_UNSUPPORTED;
    if (s == STATUS_OK)
        *out = (struct pc_picture){p.pixels, p.width, p.height, p.first_row, p.rows, p.square};
    return s;
}
