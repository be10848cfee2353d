/* SPDX-License-Identifier: MIT */
/* The picture: the guest's screen as a texture, and where it goes in the window. */
#include "frontend/sdl_private.h"

enum { WIDTH_MIN = 640, WIDTH_MAX = 8192 };

/* The size at which the guest's picture has its right shape without losing a pixel. */
static void natural_size(const struct window *w, int *width, int *height)
{
    *width = w->tex_w;
    *height = w->tex_h;
    if (w->square)
        return;
    while (*width < WIDTH_MIN)
        *width += w->tex_w;
    *height = *width * 3 / 4;
}

static int at_least_1(int n)
{
    return n > 0 ? n : 1;
}

/* The largest rectangle of the picture's shape that fits into @width x @height. */
static SDL_Rect fit(const struct window *w, int width, int height)
{
    int nw, nh;
    SDL_Rect r = {.w = width, .h = height};

    natural_size(w, &nw, &nh);
    if ((Sint64)width * nh > (Sint64)height * nw)
        r.w = (int)((Sint64)height * nw / nh);
    else
        r.h = (int)((Sint64)width * nh / nw);
    if (w->integer && r.w >= w->tex_w && r.h >= w->tex_h) {
        r.w -= r.w % w->tex_w;
        r.h -= r.h % w->tex_h;
    }
    r.w = at_least_1(r.w);
    r.h = at_least_1(r.h);
    r.x = (width - r.w) / 2;
    r.y = (height - r.h) / 2;
    return r;
}

void sdl_layout(struct window *w)
{
    int width, height;

    if (!w->tex || SDL_GetRendererOutputSize(w->ren, &width, &height) != 0)
        return;
    w->place = fit(w, width, height);
    /* Whole multiples stay sharp; others would have lines of different widths. */
    bool whole = w->place.w % w->tex_w == 0 && w->place.h % w->tex_h == 0;
    SDL_SetTextureScaleMode(w->tex, whole ? SDL_ScaleModeNearest : SDL_ScaleModeLinear);
    w->stale = true;
}

/* Pixel @n of @size, as a part of 65536: whether that is scaled by the size or by the last pixel's
 * number, it comes back as the same pixel. */
static u16 part_of(int n, int size)
{
    n = n < 0 ? 0 : n >= size ? size - 1 : n;
    return size > 1 ? (u16)(((Sint64)n * 65535 + size - 2) / (size - 1)) : 0;
}

SDL_Point sdl_pixel(const struct window *w, int x, int y)
{
    int width, height, win_w, win_h;

    SDL_GetWindowSize(w->win, &win_w, &win_h);
    if (SDL_GetRendererOutputSize(w->ren, &width, &height) != 0)
        return (SDL_Point){x, y};
    return (SDL_Point){(int)((Sint64)x * width / at_least_1(win_w)),
                       (int)((Sint64)y * height / at_least_1(win_h))};
}

void sdl_guest_place(const struct window *w, int x, int y, u16 *to_x, u16 *to_y)
{
    SDL_Point p = sdl_pixel(w, x, y);

    if (!w->place.w || !w->place.h)
        return;
    *to_x = part_of((int)((Sint64)(p.x - w->place.x) * w->tex_w / w->place.w), w->tex_w);
    *to_y = part_of((int)((Sint64)(p.y - w->place.y) * w->tex_h / w->place.h), w->tex_h);
}

/* Where a window's picture may be, so that the frame around it is on the screen, too. */
static bool room_on_screen(struct window *w, SDL_Rect *room)
{
    int top, left, bottom, right;

    if (SDL_GetDisplayUsableBounds(SDL_GetWindowDisplayIndex(w->win), room) != 0)
        return false;
    if (SDL_GetWindowBordersSize(w->win, &top, &left, &bottom, &right) == 0) {
        room->x += left;
        room->y += top;
        room->w = at_least_1(room->w - left - right);
        room->h = at_least_1(room->h - top - bottom);
    }
    return true;
}

/* A window that has grown may reach beyond the screen: move it back, not more. */
static void move_onto(struct window *w, const SDL_Rect *screen, int width, int height)
{
    int x, y;

    SDL_GetWindowPosition(w->win, &x, &y);
    int right = screen->x + screen->w - width, bottom = screen->y + screen->h - height;
    int to_x = x > right ? right : x, to_y = y > bottom ? bottom : y;
    to_x = to_x < screen->x ? screen->x : to_x;
    to_y = to_y < screen->y ? screen->y : to_y;
    if (to_x != x || to_y != y)
        SDL_SetWindowPosition(w->win, to_x, to_y);
}

/* The window follows the guest's mode unless the person has chosen a size. */
void sdl_follow_mode(struct window *w)
{
    SDL_Rect screen;
    int width, height, now_w, now_h;

    if (w->sized || w->full_screen || !w->tex)
        return;
    natural_size(w, &width, &height);
    bool known = room_on_screen(w, &screen);
    if (known && (width > screen.w || height > screen.h)) {
        SDL_Rect r = fit(w, screen.w, screen.h);
        width = r.w, height = r.h;
    }
    w->asked_w = width;
    w->asked_h = height;
    SDL_GetWindowSize(w->win, &now_w, &now_h);
    if (now_w == width && now_h == height)
        return;
    SDL_SetWindowSize(w->win, width, height);
    if (known)
        move_onto(w, &screen, width, height);
}

void sdl_resized(struct window *w)
{
    int width, height;

    SDL_GetWindowSize(w->win, &width, &height);
    if (w->full_screen || !w->asked_w || (width == w->asked_w && height == w->asked_h))
        return;
    if (!w->sized && width == w->was_w &&
        height == w->was_h) /* as a window manager leaves full screen */
        SDL_SetWindowSize(w->win, w->asked_w, w->asked_h);
    else
        w->sized = true;
    w->was_w = 0;
}

void sdl_forget_texture(struct window *w)
{
    if (w->tex)
        SDL_DestroyTexture(w->tex);
    w->tex = NULL;
    if (w->menu.tex)
        SDL_DestroyTexture(w->menu.tex);
    w->menu.tex = NULL;
}

/* A texture for pictures of this size. */
static bool make_texture(struct window *w, const struct pc_picture *p)
{
    if (w->tex && w->tex_w == (int)p->width && w->tex_h == (int)p->height && w->square == p->square)
        return true;
    if (p->width > WIDTH_MAX || p->height > WIDTH_MAX)
        return false;
    if (w->tex)
        SDL_DestroyTexture(w->tex);
    w->tex = SDL_CreateTexture(w->ren, SDL_PIXELFORMAT_RGB888, SDL_TEXTUREACCESS_STREAMING,
                               (int)p->width, (int)p->height);
    if (!w->tex)
        return false;
    w->tex_w = (int)p->width;
    w->tex_h = (int)p->height;
    w->square = p->square;
    sdl_follow_mode(w);
    sdl_layout(w);
    w->tex_new = true;
    return true;
}

/* Rows [@first, @first + @rows) of the picture, in the window; with some room for what scaling
 * mixes. */
static SDL_Rect place_of(const struct window *w, unsigned first, unsigned rows)
{
    int top = w->place.y + (int)((Sint64)w->place.h * ((int)first - 1) / w->tex_h);
    int end = w->place.y + (int)((Sint64)w->place.h * ((int)(first + rows) + 1) / w->tex_h) + 1;

    return (SDL_Rect){w->place.x, top, w->place.w, end - top};
}

/* @part: all that is not in the window yet; NULL: everything. */
static void present(struct window *w, const SDL_Rect *part)
{
    SDL_RenderSetClipRect(w->ren, part);
    if (!part) { /* clearing knows no clip rectangle */
        SDL_SetRenderDrawColor(w->ren, 0, 0, 0, 255);
        SDL_RenderClear(w->ren);
    }
    if (w->tex)
        SDL_RenderCopy(w->ren, w->tex, NULL, &w->place);
    sdl_overlay_draw(w);
    sdl_menu_draw(w);
    SDL_RenderPresent(w->ren);
    SDL_RenderSetClipRect(w->ren, NULL);
    w->stale = false;
}

void sdl_draw(struct window *w, struct pc *pc)
{
    struct pc_picture p;
    bool drawn = false;
    SDL_Rect part;

    enum status s = STATUS_OK;
    if (w->in_console)
        sdl_console_picture(w, pc, &p);
    else
        s = pc_show(pc, &p);
    if (s == STATUS_OK && make_texture(w, &p)) {
        unsigned first = w->tex_new ? 0 : p.first_row, rows = w->tex_new ? p.height : p.rows;
        SDL_Rect changed = {0, (int)first, (int)p.width, (int)rows};
        if (rows) {
            SDL_UpdateTexture(w->tex, &changed, p.pixels + (size_t)first * p.width,
                              (int)p.width * 4);
            drawn = true;
            part = place_of(w, first, rows);
        }
        w->tex_new = false;
    }
    if (w->stale)
        present(w, NULL);
    else if (drawn)
        present(w, w->keeps && !w->overlay.on && !w->menu.on ? &part : NULL);
}
