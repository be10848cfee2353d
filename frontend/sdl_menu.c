/* SPDX-License-Identifier: MIT */
/*
 * The menu over the picture, on Ctrl-Alt-M: what hotkeys do, and some commands of the monitor, for
 * the mouse or the cursor keys. While it is there the guest gets no keys and no mouse, but runs on.
 * It is written in the font of the guest's video BIOS.
 */
#include <stdio.h>
#include <string.h>

#include "frontend/monitor.h"
#include "frontend/sdl_private.h"

enum {
    CELL_W = 8,
    CELL_H = 16,
    COLUMNS = 36,
    PADDING = 8,
    WIDTH = COLUMNS * CELL_W,
    SCREEN_H = 480, /* a screen this high has single pixels, twice as high double ones */
    GROUND = 0x282828,
    INK = 0xd0d0d0,
    FAINT = 0x808080,
    AT_GROUND = 0x2860b0,
    AT_INK = 0xffffff,
};

/* A hotkey's line, keys for the guest, or a line of the monitor's; without text a rule. */
static const struct item {
    const char *text;
    SDL_Scancode key, tap; /* the second with Ctrl and Alt */
    const char *command;
} items[] = {
    {.text = "Ctrl-Alt-Del", .key = SDL_SCANCODE_D},
    {.text = "Ctrl-Alt-F1", .tap = SDL_SCANCODE_F1},
    {.text = "Ctrl-Alt-F2", .tap = SDL_SCANCODE_F2},
    {.text = "Ctrl-Alt-F7", .tap = SDL_SCANCODE_F7},
    {.text = "Ctrl-Alt-Backspace", .tap = SDL_SCANCODE_BACKSPACE},
    {.text = "Type the clipboard", .key = SDL_SCANCODE_V},
    {.text = NULL},
    {.text = "Pause, or go on", .key = SDL_SCANCODE_P},
    {.text = "Reset", .key = SDL_SCANCODE_R},
    {.text = "Power button", .key = SDL_SCANCODE_O},
    {.text = "Speed of a 386", .command = "speed 386"},
    {.text = "Speed of a 486DX2-66", .command = "speed 486dx2-66"},
    {.text = "Speed of a Pentium 133", .command = "speed pentium-133"},
    {.text = "Full speed", .command = "speed max"},
    {.text = NULL},
    {.text = "Eject the floppy", .command = "eject floppy0"},
    {.text = "Eject the CD", .command = "eject cdrom"},
    {.text = "Save the screen", .key = SDL_SCANCODE_S},
    {.text = "Full screen, and back", .key = SDL_SCANCODE_F},
    {.text = "Mouse to the guest", .key = SDL_SCANCODE_G},
    {.text = "Speed and lights", .key = SDL_SCANCODE_I},
    {.text = "Monitor", .key = SDL_SCANCODE_2},
    {.text = NULL},
    {.text = "End the run", .key = SDL_SCANCODE_Q},
};

enum { ITEMS = ARRAY_LEN(items), HEIGHT = ITEMS * CELL_H + 2 * PADDING };

void sdl_menu_show(struct window *w, const struct pc *pc, bool on)
{
    struct sdl_menu *m = &w->menu;

    if (on == m->on)
        return;
    const u8 *font = on ? pc_font(pc) : NULL;
    if (on && !font) {
        sdl_tell(w, "there is no video BIOS, and so no font to write a menu with");
        return;
    }
    if (on) {
        sdl_set_grab(w, false);
        memcpy(m->font, font, sizeof(m->font));
        m->at = 0;
    } else if (m->tex) {
        SDL_DestroyTexture(m->tex);
        m->tex = NULL;
    }
    m->on = on;
    w->stale = true;
    SDL_ShowCursor(w->in.absolute && sdl_pointer_is_guests(w) ? SDL_DISABLE : SDL_ENABLE);
}

/* ---- what it does ---- */

static void run_command(struct window *w, struct pc *pc, const struct item *item)
{
    char error[CHARDEV_ERROR_MAX], text[sizeof(w->told)];
    struct chardev *out;

    if (chardev_open(&out, "memory", error) != STATUS_OK) {
        sdl_tell(w, error);
        return;
    }
    if (monitor_command(item->command, out, pc))
        w->quit = true;
    const char *said = chardev_memory(out);
    snprintf(text, sizeof(text), "%s", said && *said ? said : item->text);
    text[strcspn(text, "\r\n")] = 0;
    sdl_tell(w, text);
    chardev_close(out);
}

static void choose(struct window *w, struct pc *pc)
{
    const struct item *item = &items[w->menu.at];

    sdl_menu_show(w, pc, false);
    const SDL_Scancode keys[] = {SDL_SCANCODE_LCTRL, SDL_SCANCODE_LALT, item->tap};
    if (item->command)
        run_command(w, pc, item);
    else if (item->tap)
        sdl_tap(w, keys, ARRAY_LEN(keys)); /* after those of the menu's hotkey have gone up */
    else
        sdl_hotkey_run(w, pc, item->key);
}

static void move_to(struct window *w, int n)
{
    if (n == w->menu.at)
        return;
    w->menu.at = n;
    w->stale = true;
}

/* Up or down to the next item, round the ends. */
static void step(struct window *w, int by)
{
    int n = w->menu.at;

    do
        n = (n + by + ITEMS) % ITEMS;
    while (!items[n].text);
    move_to(w, n);
}

static void on_key(struct window *w, struct pc *pc, SDL_Keycode key)
{
    switch (key) {
    case SDLK_UP:
        step(w, -1);
        break;
    case SDLK_DOWN:
        step(w, 1);
        break;
    case SDLK_HOME:
    case SDLK_PAGEUP:
        move_to(w, 0);
        break;
    case SDLK_END:
    case SDLK_PAGEDOWN:
        move_to(w, ITEMS - 1);
        break;
    case SDLK_RETURN:
    case SDLK_KP_ENTER:
    case SDLK_SPACE:
        choose(w, pc);
        break;
    case SDLK_ESCAPE:
        sdl_menu_show(w, pc, false);
        break;
    default:
        break;
    }
}

/* The line at a place of the window: -1 for none, -2 for a place outside of the menu. */
static int line_at(const struct window *w, int x, int y)
{
    SDL_Point at = sdl_pixel(w, x, y);
    const SDL_Rect *r = &w->menu.place;

    if (!SDL_PointInRect(&at, r))
        return -2;
    int row = (int)((Sint64)(at.y - r->y) * HEIGHT / r->h) - PADDING;
    int n = row < 0 ? -1 : row / CELL_H;
    return n < ITEMS && n >= 0 && items[n].text ? n : -1;
}

static void on_click(struct window *w, struct pc *pc, int line)
{
    if (line == -2)
        sdl_menu_show(w, pc, false);
    if (line < 0)
        return;
    move_to(w, line);
    choose(w, pc);
}

bool sdl_menu_event(struct window *w, struct pc *pc, const SDL_Event *e)
{
    int line;

    if (!w->menu.on)
        return false;
    switch (e->type) {
    case SDL_KEYDOWN:
        on_key(w, pc, e->key.keysym.sym);
        return true;
    case SDL_MOUSEMOTION:
        line = line_at(w, e->motion.x, e->motion.y);
        if (line >= 0)
            move_to(w, line);
        return true;
    case SDL_MOUSEBUTTONDOWN:
        on_click(w, pc, line_at(w, e->button.x, e->button.y));
        return true;
    case SDL_MOUSEWHEEL:
    case SDL_TEXTINPUT:
        return true;
    default:
        return false; /* what goes up, and the window's own */
    }
}

/* ---- how it looks ---- */

struct canvas {
    u8 *pixels;
    int pitch; /* bytes */
    const u8 *font;
};

static u32 *row_of(const struct canvas *c, int y)
{
    return (u32 *)(void *)(c->pixels + (size_t)y * (size_t)c->pitch);
}

static void fill(const struct canvas *c, int y, int rows, u32 color)
{
    for (int end = y + rows; y < end; y++) {
        for (int x = 0; x < WIDTH; x++)
            row_of(c, y)[x] = color;
    }
}

static void write_at(const struct canvas *c, int x, int y, const char *text, u32 ink)
{
    for (; *text; text++, x += CELL_W) {
        const u8 *glyph = c->font + (size_t)(u8)*text * CELL_H;
        for (int i = 0; i < CELL_W * CELL_H && x + CELL_W <= WIDTH; i++) {
            if (glyph[i / CELL_W] & 0x80 >> i % CELL_W)
                row_of(c, y + i / CELL_W)[x + i % CELL_W] = ink;
        }
    }
}

static void draw_item(const struct canvas *c, const struct item *item, int y, bool here)
{
    char keys[COLUMNS];

    if (!item->text) {
        fill(c, y + CELL_H / 2, 1, FAINT);
        return;
    }
    if (here)
        fill(c, y, CELL_H, AT_GROUND);
    write_at(c, CELL_W, y, item->text, here ? AT_INK : INK);
    if (item->command || item->tap)
        return;
    snprintf(keys, sizeof(keys), "Ctrl-Alt-%s", SDL_GetScancodeName(item->key));
    write_at(c, WIDTH - ((int)strlen(keys) + 1) * CELL_W, y, keys, here ? AT_INK : FAINT);
}

static bool draw(const struct sdl_menu *m)
{
    struct canvas c = {.font = m->font};
    void *pixels;

    if (SDL_LockTexture(m->tex, NULL, &pixels, &c.pitch) != 0)
        return false;
    c.pixels = pixels;
    fill(&c, 0, HEIGHT, GROUND);
    for (int i = 0; i < ITEMS; i++)
        draw_item(&c, &items[i], PADDING + i * CELL_H, i == m->at);
    SDL_UnlockTexture(m->tex);
    return true;
}

/* In the middle, in whole multiples of its size; smaller only where it would not fit. */
static SDL_Rect place_for(int width, int height)
{
    int scale = height / SCREEN_H + 1;
    SDL_Rect r;

    while (scale > 1 && (WIDTH * scale > width || HEIGHT * scale > height))
        scale--;
    r.w = WIDTH * scale > width ? width : WIDTH * scale;
    r.h = HEIGHT * scale > height ? height : HEIGHT * scale;
    r.x = (width - r.w) / 2;
    r.y = (height - r.h) / 2;
    return r;
}

void sdl_menu_draw(struct window *w)
{
    struct sdl_menu *m = &w->menu;
    int width, height;

    if (!m->on || SDL_GetRendererOutputSize(w->ren, &width, &height) != 0)
        return;
    if (!m->tex)
        m->tex = SDL_CreateTexture(w->ren, SDL_PIXELFORMAT_RGB888, SDL_TEXTUREACCESS_STREAMING,
                                   WIDTH, HEIGHT);
    m->place = place_for(width, height);
    if (m->tex && draw(m))
        SDL_RenderCopy(w->ren, m->tex, NULL, &m->place);
}
