/* SPDX-License-Identifier: MIT */
/*
 * A line in the picture's lower right corner, on Ctrl-Alt-I: which of the guest's keyboard lights
 * are on, the speed, or that the machine stands still, and two lights, green for disks and blue for
 * the network.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "frontend/sdl_private.h"

enum {
    GLYPH_W = 3,
    GLYPH_H = 5,
    CELL_W = GLYPH_W + 1,
    BORDER = 2,
    LIGHT = GLYPH_H,
    LIGHTS_W = 2 * (LIGHT + BORDER),
    PIXELS_OF_TEXT =
        400, /* a picture this high has letters of single pixels, twice as high of two */
};

#define LIGHT_NS (150 * 1000 * 1000ull) /* that a light stays on */

/* Rows from the top, three bits each. */
static const struct {
    char ch;
    u8 row[GLYPH_H];
} glyphs[] = {
    {'0', {7, 5, 5, 5, 7}}, {'1', {2, 6, 2, 2, 7}}, {'2', {7, 1, 7, 4, 7}}, {'3', {7, 1, 3, 1, 7}},
    {'4', {5, 5, 7, 1, 1}}, {'5', {7, 4, 7, 1, 7}}, {'6', {7, 4, 7, 5, 7}}, {'7', {7, 1, 2, 2, 2}},
    {'8', {7, 5, 7, 5, 7}}, {'9', {7, 5, 7, 1, 7}}, {'%', {5, 1, 2, 4, 5}}, {'A', {7, 5, 7, 5, 5}},
    {'D', {6, 5, 5, 5, 6}}, {'E', {7, 4, 6, 4, 7}}, {'I', {7, 2, 2, 2, 7}}, {'M', {5, 7, 7, 5, 5}},
    {'O', {7, 5, 5, 5, 7}}, {'P', {7, 5, 7, 4, 4}}, {'S', {7, 4, 7, 1, 7}}, {'T', {7, 2, 2, 2, 2}},
    {'U', {5, 5, 5, 5, 7}}, {'C', {7, 4, 4, 4, 7}}, {'L', {4, 4, 4, 4, 7}}, {'N', {7, 5, 5, 5, 5}},
    {'R', {6, 5, 6, 5, 5}},
};

/* A light is on while what it counts goes on, and a moment longer. */
static bool lit(struct sdl_light *l, u64 count, u64 host_ns)
{
    if (count != l->count)
        l->until = host_ns + LIGHT_NS;
    l->count = count;
    return host_ns < l->until;
}

/* Returns the length of what was written to @text, which has room for all of it. */
static int put_leds(u8 leds, char *text)
{
    static const char *const names[] = {"SCROLL ", "NUM ", "CAPS "};
    int n = 0;

    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        n += sprintf(text + n, "%s", leds >> i & 1 ? names[i] : "");
    return n;
}

void sdl_overlay_toggle(struct window *w)
{
    w->overlay.on = !w->overlay.on;
    w->stale = true;
}

void sdl_overlay_update(struct window *w, const struct pc *pc, u64 host_ns, bool stopped)
{
    struct sdl_overlay *o = &w->overlay;
    struct pc_activity a = pc_activity(pc);
    bool disk = lit(&o->disk, a.disk, host_ns), net = lit(&o->net, a.net, host_ns);
    char text[sizeof(o->text)];
    int n = put_leds(pc_leds(pc), text);

    if (w->paused || stopped)
        snprintf(text + n, sizeof(text) - (size_t)n, "%s", w->paused ? "PAUSED" : "STOPPED");
    else
        snprintf(text + n, sizeof(text) - (size_t)n, "%" PRIu64 " MIPS %" PRIu64 "%%", w->mips,
                 w->percent);
    if (disk == o->disk.on && net == o->net.on && strcmp(text, o->text) == 0)
        return;
    o->disk.on = disk;
    o->net.on = net;
    memcpy(o->text, text, sizeof(text));
    w->stale = w->stale || o->on;
}

static void fill(struct window *w, SDL_Color c, SDL_Rect r)
{
    SDL_SetRenderDrawColor(w->ren, c.r, c.g, c.b, c.a);
    SDL_RenderFillRect(w->ren, &r);
}

static void draw_letter(struct window *w, char ch, int x, int y, int dot)
{
    const SDL_Color white = {255, 255, 255, 255};

    for (unsigned i = 0; i < ARRAY_LEN(glyphs); i++) {
        for (int bit = 0; glyphs[i].ch == ch && bit < GLYPH_W * GLYPH_H; bit++) {
            if (glyphs[i].row[bit / GLYPH_W] & 4 >> bit % GLYPH_W)
                fill(w, white,
                     (SDL_Rect){x + bit % GLYPH_W * dot, y + bit / GLYPH_W * dot, dot, dot});
        }
    }
}

void sdl_overlay_draw(struct window *w)
{
    const SDL_Color ground = {0, 0, 0, 176}, dark = {64, 64, 64, 255};
    const SDL_Color green = {0, 224, 0, 255}, blue = {64, 128, 255, 255};
    const struct sdl_overlay *o = &w->overlay;
    int dot = w->place.h / PIXELS_OF_TEXT + 1, n = (int)strlen(o->text);
    int width = (n * CELL_W + LIGHTS_W + 2 * BORDER) * dot, height = (GLYPH_H + 2 * BORDER) * dot;
    int x = w->place.x + w->place.w - width, y = w->place.y + w->place.h - height;

    if (!o->on)
        return;
    SDL_SetRenderDrawBlendMode(w->ren, SDL_BLENDMODE_BLEND);
    fill(w, ground, (SDL_Rect){x, y, width, height});
    SDL_SetRenderDrawBlendMode(w->ren, SDL_BLENDMODE_NONE);
    x += BORDER * dot, y += BORDER * dot;
    for (int i = 0; i < n; i++)
        draw_letter(w, o->text[i], x + i * CELL_W * dot, y, dot);
    x += (n * CELL_W + BORDER) * dot;
    fill(w, o->disk.on ? green : dark, (SDL_Rect){x, y, LIGHT * dot, LIGHT * dot});
    x += (LIGHT + BORDER) * dot;
    fill(w, o->net.on ? blue : dark, (SDL_Rect){x, y, LIGHT * dot, LIGHT * dot});
}
