/* SPDX-License-Identifier: MIT */
/*
 * The monitor in the window, on Ctrl-Alt-2; Ctrl-Alt-1 goes back to the guest, which runs on. It
 * has 25 lines of 80 characters, drawn with the font of the guest's video BIOS, and the last 500
 * lines to look back at.
 */
#include <stdlib.h>
#include <string.h>

#include "frontend/monitor.h"
#include "frontend/sdl_private.h"

enum {
    COLUMNS = 80,
    ROWS = 25,
    KEPT = 500, /* lines, those on the screen among them */
    CELL_W = 8,
    CELL_H = 16,
    WIDTH = COLUMNS * CELL_W,
    HEIGHT = ROWS * CELL_H,
    INK = 0xaaaaaa,
};

struct sdl_console {
    struct monitor monitor;
    char line[KEPT][COLUMNS];
    unsigned count, column; /* lines begun; where the next character goes */
    unsigned back;          /* lines looked back */
    u32 pixels[WIDTH * HEIGHT];
};

static char *line_at(struct sdl_console *c, unsigned n)
{
    return c->line[n % KEPT];
}

static void new_line(struct sdl_console *c)
{
    memset(line_at(c, c->count++), ' ', COLUMNS);
    c->column = 0;
}

static void put(struct sdl_console *c, char ch)
{
    if (ch == '\n') {
        new_line(c);
    } else if (ch == '\r') {
        c->column = 0;
    } else if (ch == '\b') {
        c->column -= c->column > 0;
    } else {
        if (c->column == COLUMNS)
            new_line(c);
        line_at(c, c->count - 1)[c->column++] = ch;
    }
}

/* What the monitor says goes to the screen. */
static void say(struct window *w, struct chardev *out)
{
    for (const char *p = chardev_memory(out); p && *p; p++)
        put(w->console, *p);
    w->console->back = 0;
    w->console_stale = true;
}

static void type(struct window *w, struct pc *pc, u8 byte)
{
    char error[CHARDEV_ERROR_MAX];
    struct chardev *out;

    if (chardev_open(&out, "memory", error) != STATUS_OK) {
        sdl_tell(w, error);
        return;
    }
    if (monitor_input(&w->console->monitor, out, pc, byte))
        w->quit = true;
    say(w, out);
    chardev_close(out);
}

static bool start(struct window *w)
{
    char error[CHARDEV_ERROR_MAX];
    struct chardev *out;

    w->console = calloc(1, sizeof(*w->console));
    if (!w->console)
        return false;
    if (chardev_open(&out, "memory", error) != STATUS_OK) {
        free(w->console);
        w->console = NULL;
        return false;
    }
    new_line(w->console);
    monitor_start(&w->console->monitor, out, "Ctrl-Alt-1");
    say(w, out);
    chardev_close(out);
    return true;
}

void sdl_console_show(struct window *w, const struct pc *pc, bool on)
{
    if (on == w->in_console)
        return;
    if (on && strcmp(config_text(w->cfg, CONFIG_monitor), "none") == 0) {
        sdl_tell(w, "there is no monitor (-monitor none)");
        return;
    }
    if (on && !pc_font(pc)) {
        sdl_tell(w, "there is no video BIOS, and so no font to write with: -monitor stdio");
        return;
    }
    if (on && !w->console && !start(w)) {
        sdl_tell(w, "out of memory");
        return;
    }
    if (on)
        sdl_set_grab(w, false);
    w->in_console = on;
    w->console_stale = true;
    w->tex_new = true;
    SDL_ShowCursor(!on && w->in.absolute ? SDL_DISABLE : SDL_ENABLE);
}

void sdl_console_type(struct window *w, struct pc *pc, const char *text)
{
    for (const char *p = text; *p && !w->quit; p++)
        type(w, pc, *p == '\n' ? '\r' : (u8)*p);
}

static void look_back(struct window *w, int lines)
{
    struct sdl_console *c = w->console;
    unsigned kept = c->count < KEPT ? c->count : KEPT;
    int most = kept > ROWS ? (int)(kept - ROWS) : 0, back = (int)c->back + lines;

    c->back = (unsigned)(back < 0 ? 0 : back > most ? most : back);
    w->console_stale = true;
}

static void on_key(struct window *w, struct pc *pc, SDL_Keycode key)
{
    switch (key) {
    case SDLK_RETURN:
    case SDLK_KP_ENTER:
        type(w, pc, '\r');
        break;
    case SDLK_BACKSPACE:
        type(w, pc, '\b');
        break;
    case SDLK_PAGEUP:
        look_back(w, ROWS - 1);
        break;
    case SDLK_PAGEDOWN:
        look_back(w, 1 - ROWS);
        break;
    default:
        break;
    }
}

bool sdl_console_event(struct window *w, struct pc *pc, const SDL_Event *e)
{
    if (!w->in_console)
        return false;
    switch (e->type) {
    case SDL_TEXTINPUT:
        sdl_console_type(w, pc, e->text.text);
        return true;
    case SDL_KEYDOWN:
        on_key(w, pc, e->key.keysym.sym);
        return true;
    case SDL_MOUSEWHEEL:
        look_back(w, 3 * e->wheel.y);
        return true;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEMOTION:
        return true;
    default:
        return false; /* what goes up, and the window's own */
    }
}

static void draw_cell(u32 *to, const u8 *glyph, bool cursor)
{
    for (unsigned y = 0; y < CELL_H; y++) {
        u8 bits = cursor && y >= CELL_H - 2 ? 0xff : glyph[y];
        for (unsigned x = 0; x < CELL_W; x++)
            to[y * WIDTH + x] = bits & 0x80 >> x ? INK : 0;
    }
}

void sdl_console_picture(struct window *w, const struct pc *pc, struct pc_picture *out)
{
    struct sdl_console *c = w->console;
    const u8 *font = pc_font(pc);
    unsigned end = c->count - c->back, first = end > ROWS ? end - ROWS : 0;

    *out =
        (struct pc_picture){.pixels = c->pixels, .width = WIDTH, .height = HEIGHT, .square = true};
    if (!w->console_stale)
        return;
    for (unsigned row = 0; row < ROWS; row++) {
        for (unsigned x = 0; x < COLUMNS; x++) {
            unsigned n = first + row;
            u8 ch = n < end ? (u8)line_at(c, n)[x] : ' ';
            draw_cell(c->pixels + (size_t)row * CELL_H * WIDTH + (size_t)x * CELL_W,
                      font + (size_t)ch * CELL_H, n + 1 == c->count && x == c->column);
        }
    }
    out->rows = HEIGHT;
    w->console_stale = false;
}
