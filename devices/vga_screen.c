/* SPDX-License-Identifier: MIT */
/*
 * The picture for a window, kept between calls: only what memory or registers changed is drawn
 * again, so that a screen on which nothing happens costs a comparison of registers.
 */
#include "devices/vga_state.h"

#include <stdlib.h>
#include <string.h>

/* Smaller modes, 320x200, 320x480 and 640x400 among them, fill a monitor's 4:3 whoever set them. */
enum { SQUARE_WIDTH_MIN = 640, SQUARE_HEIGHT_MIN = 480 };

/* What the picture follows from, memory apart. Padding is zero: it is compared as bytes. */
struct vga_look {
    u64 blink; /* text modes: phases of cursor and characters */
    u16 vbe[VBE__COUNT];
    u8 misc, clocking, char_map, gc_mode, gc_misc, shown, dac_mask;
    u8 crtc[CRTC__COUNT];
    u8 ac[AC__COUNT];
    u8 dac[256 * 3];
    u8 ext_seq[CSEQ__COUNT], ext_crtc[CCRTC__COUNT], hidden_dac; /* of a GD5446 */
    u8 cursor_dac[16 * 3];
    u16 cursor_x, cursor_y;
};

struct vga_screen {
    struct vga_frame frame, before; /* the second is only room for drawing */
    struct vga_look look;
    bool valid;  /* frame and look are of the same moment */
    bool *dirty; /* by page of memory: written since it was drawn */
    size_t pages;
};

enum status vga_screen_create(struct vga *v)
{
    struct vga_screen *s = calloc(1, sizeof(*s));

    if (!s)
        return STATUS_NO_MEMORY;
    s->pages = v->vram_bytes / PAGE_SIZE;
    s->dirty = calloc(s->pages, sizeof(*s->dirty));
    if (!s->dirty) {
        free(s);
        return STATUS_NO_MEMORY;
    }
    v->dirty = s->dirty;
    v->screen = s;
    return STATUS_OK;
}

void vga_screen_destroy(struct vga *v)
{
    if (!v->screen)
        return;
    vga_frame_free(&v->screen->frame);
    vga_frame_free(&v->screen->before);
    free(v->screen->dirty);
    free(v->screen);
    v->screen = NULL;
}

void vga_screen_forget(struct vga *v)
{
    v->screen->valid = false;
}

void vga_screen_collect(struct vga *v)
{
    if (v->pci.bus && v->pci.bar[VGA_BAR_LFB].mapped != PCI_NOT_MAPPED)
        physmem_video_written(v->desc.pm, v->pci.bar[VGA_BAR_LFB].mapped, v->vram_bytes, v->dirty);
    if (!v->pci.bus && v->desc.lfb)
        physmem_video_written(v->desc.pm, v->desc.lfb, v->vram_bytes, v->dirty);
    if (v->direct)
        physmem_video_written(v->desc.pm, VGA_WINDOW, VGA_BANK_SIZE, v->dirty);
}

static void look_at_cirrus(const struct cirrus *c, struct vga_look *l)
{
    memcpy(l->ext_seq, c->seq, sizeof(l->ext_seq));
    memcpy(l->ext_crtc, c->crtc, sizeof(l->ext_crtc));
    memcpy(l->cursor_dac, c->cursor_dac, sizeof(l->cursor_dac));
    l->hidden_dac = c->hidden_dac;
    l->cursor_x = c->cursor_x;
    l->cursor_y = c->cursor_y;
}

static void vga_look_at(const struct vga *v, struct vga_look *l)
{
    memset(l, 0, sizeof(*l));
    if (vga_is_text(v))
        l->blink = vga_blink_phase(v);
    memcpy(l->vbe, v->vbe, sizeof(l->vbe));
    l->vbe[VBE_BANK] = 0; /* where the CPU looks */
    l->misc = v->misc;
    l->clocking = v->seq[SEQ_CLOCKING];
    l->char_map = v->seq[SEQ_CHAR_MAP];
    l->gc_mode = v->gc[GC_MODE];
    l->gc_misc = v->gc[GC_MISC];
    l->shown = v->ac_index & AC_INDEX_PAS;
    l->dac_mask = v->dac_mask;
    memcpy(l->crtc, v->crtc, sizeof(l->crtc));
    memcpy(l->ac, v->ac, sizeof(l->ac));
    memcpy(l->dac, v->dac, sizeof(l->dac));
    if (v->desc.cirrus)
        look_at_cirrus(&v->cx, l);
}

static bool any_dirty(const struct vga_screen *s, size_t first, size_t last)
{
    return memchr(s->dirty + first, true, last - first + 1);
}

/* Whether a row of a linear mode lies on a page that was written. */
static bool row_dirty(const struct vga *v, const struct vga_screen *s, const struct vga_linear *l,
                      u32 y)
{
    size_t mask = v->vram_bytes - 1;
    size_t from = (size_t)l->start + (size_t)y * l->pitch;
    size_t to = from + (size_t)l->width * ((l->bpp + 7) / 8) - 1;

    from &= mask, to &= mask;
    if (from > to)
        return any_dirty(s, from / PAGE_SIZE, s->pages - 1) || any_dirty(s, 0, to / PAGE_SIZE);
    return any_dirty(s, from / PAGE_SIZE, to / PAGE_SIZE);
}

/* Draw the rows of a linear mode that were written. */
static void draw_rows(const struct vga *v, struct vga_screen *s, struct vga_picture *out)
{
    struct vga_linear l;
    u32 end = 0;

    vga_linear(v, &l);
    for (u32 y = 0; y < s->frame.height; y++) {
        if (!row_dirty(v, s, &l, y))
            continue;
        vga_render_rows(v, &s->frame, y, y + 1);
        if (!end)
            out->first_row = y;
        end = y + 1;
    }
    out->rows = end ? end - out->first_row : 0;
}

static bool same_row(const struct vga_frame *a, const struct vga_frame *b, u32 y)
{
    size_t at = (size_t)y * a->width;

    return memcmp(a->pixels + at, b->pixels + at, a->width * sizeof(*a->pixels)) == 0;
}

/* Draw everything, and find the rows that are not what they were: a cursor blinks in a few. */
static enum status draw_all(const struct vga *v, struct vga_screen *s, struct vga_picture *out)
{
    struct vga_frame old = s->frame;
    enum status status = vga_render(v, &s->before);

    if (status != STATUS_OK)
        return status;
    s->frame = s->before;
    s->before = old;
    u32 first = 0, end = s->frame.height;
    if (s->valid && old.width == s->frame.width && old.height == s->frame.height) {
        while (first < end && same_row(&s->frame, &old, first))
            first++;
        while (end > first && same_row(&s->frame, &old, end - 1))
            end--;
    }
    out->first_row = first;
    out->rows = end - first;
    return STATUS_OK;
}

/* Nothing has happened but that time went by, in a text mode that is shown. */
static void draw_blinking(const struct vga *v, struct vga_screen *s, struct vga_picture *out)
{
    struct vga_timing t;
    u32 first, end;

    vga_timing(v, &t);
    vga_text_blinking_rows(v, &s->frame, &first, &end);
    vga_render_text(v, &t, &s->frame, first, end);
    out->first_row = first;
    out->rows = end - first;
}

static bool only_blinks(const struct vga_look *now, const struct vga_look *then)
{
    struct vga_look l = *then;

    l.blink = now->blink;
    return now->shown && !(now->clocking & SEQ_CLOCKING_OFF) && memcmp(&l, now, sizeof(l)) == 0;
}

enum status vga_show(struct vga *v, struct vga_picture *out)
{
    struct vga_screen *s = v->screen;
    struct vga_look now;
    enum status status = STATUS_OK;

    *out = (struct vga_picture){0};
    vga_look_at(v, &now);
    bool all = !s->valid || memcmp(&now, &s->look, sizeof(now)) != 0;
    vga_screen_collect(v);
    bool written = any_dirty(s, 0, s->pages - 1);
    all |= v->desc.cirrus && cirrus_cursor_dirty(v);
    if (all && s->valid && !written && vga_is_text(v) && only_blinks(&now, &s->look)) {
        draw_blinking(v, s, out);
    } else if (!all && written && vga_is_linear(v)) {
        draw_rows(v, s, out);
    } else if (all || written) {
        status = draw_all(v, s, out);
        if (status != STATUS_OK)
            return status;
    }
    if (written)
        memset(s->dirty, 0, s->pages * sizeof(*s->dirty));
    s->look = now;
    s->valid = true;
    out->pixels = s->frame.pixels;
    out->width = s->frame.width;
    out->height = s->frame.height;
    out->square = (vbe_on(v) || vga_is_linear(v)) && out->width >= SQUARE_WIDTH_MIN &&
                  out->height >= SQUARE_HEIGHT_MIN;
    return STATUS_OK;
}
