/* SPDX-License-Identifier: MIT */
/*
 * Text in graphics modes: cells of 8 pixels by the height of a font whose two colors are exactly a
 * glyph of the video BIOS' font, or its inverse. What is drawn with another font, at another
 * place, or smoothed, is not found.
 */
#include <stdlib.h>
#include <string.h>

#include "machine/board.h"

enum { GLYPHS = 256, WIDTH = 8, HEIGHT_MAX = 16, BLANK = ' ' };

/* Code page 437's second glyph, a face, as the ROM fonts of VGAs have it: it marks the font. */
static const struct {
    unsigned height;
    u8 face[HEIGHT_MAX];
} marks[] = {
    {16, {0, 0, 0x7e, 0x81, 0xa5, 0x81, 0x81, 0xbd, 0x99, 0x81, 0x81, 0x7e, 0, 0, 0, 0}},
    {14, {0, 0, 0x7e, 0x81, 0xa5, 0x81, 0x81, 0xbd, 0x99, 0x81, 0x7e, 0, 0, 0}},
    {8, {0x7e, 0x81, 0xa5, 0x81, 0xbd, 0x99, 0x81, 0x7e}},
};

/* The font of marks[@n] in the video BIOS; NULL: it has none. */
static const u8 *find_font(const struct pc *pc, unsigned n)
{
    static const u8 blank[HEIGHT_MAX];
    unsigned h = marks[n].height;

    for (size_t at = 0; at + (size_t)GLYPHS * h <= pc->vga_bios_len; at++) {
        const u8 *p = pc->vga_bios + at;
        if (memcmp(p + h, marks[n].face, h) == 0 && memcmp(p, blank, h) == 0)
            return p;
    }
    return NULL;
}

/* Where the cell's pixels differ from its first one, a byte a line. False: it has three colors. */
static bool cell_bits(const struct pc_frame *f, unsigned x, unsigned y, unsigned height, u8 *bits)
{
    const u32 *first = f->pixels + (size_t)y * f->width + x;
    u32 other = *first;

    for (unsigned line = 0; line < height; line++) {
        const u32 *p = first + (size_t)line * f->width;
        bits[line] = 0;
        for (unsigned i = 0; i < WIDTH; i++) {
            if (p[i] == *first)
                continue;
            if (other == *first)
                other = p[i];
            if (p[i] != other)
                return false;
            bits[line] |= (u8)(0x80 >> i);
        }
    }
    return true;
}

/* The character with these bits, or BLANK. */
static u8 find_glyph(const u8 *font, unsigned height, const u8 *bits)
{
    u8 inverse[HEIGHT_MAX];

    for (unsigned line = 0; line < height; line++)
        inverse[line] = (u8)~bits[line];
    for (unsigned c = 1; c < GLYPHS; c++) {
        const u8 *glyph = font + (size_t)c * height;
        if (c != 0xff && (memcmp(glyph, bits, height) == 0 || memcmp(glyph, inverse, height) == 0))
            return (u8)c;
    }
    return BLANK;
}

/* All cells as characters, row by row. Returns how many are no blanks. */
static unsigned read_cells(const struct pc_frame *f, const u8 *font, unsigned height, u8 *to)
{
    u8 bits[HEIGHT_MAX];
    unsigned found = 0;

    for (unsigned y = 0; y + height <= f->height; y += height) {
        for (unsigned x = 0; x + WIDTH <= f->width; x += WIDTH) {
            *to = BLANK;
            if (cell_bits(f, x, y, height, bits))
                *to = find_glyph(font, height, bits);
            found += *to++ != BLANK;
        }
    }
    return found;
}

char *pc_screen_glyphs(const struct pc *pc)
{
    struct pc_frame f;
    unsigned best = 0, height = 0;

    if (pc_screen_steady(pc, &f) != STATUS_OK)
        return NULL;
    size_t cells = (size_t)(f.width / WIDTH) * (f.height / marks[2].height) + 1;
    u8 *now = malloc(cells), *kept = malloc(cells);
    for (unsigned i = 0; now && kept && i < ARRAY_LEN(marks); i++) {
        const u8 *font = find_font(pc, i);
        unsigned found = font ? read_cells(&f, font, marks[i].height, now) : 0;
        if (found > best) {
            best = found;
            height = marks[i].height;
            memcpy(kept, now, cells);
        }
    }
    char *text = now && kept
                     ? pc_cp437_rows(kept, best ? f.width / WIDTH : 0, best ? f.height / height : 0)
                     : NULL;
    free(now);
    free(kept);
    free(f.pixels);
    return text;
}

const u8 *pc_font(const struct pc *pc)
{
    return find_font(pc, 0);
}
