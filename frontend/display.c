/* SPDX-License-Identifier: MIT */
#include "frontend/display.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "frontend/keys.h"
#include "frontend/terminal.h"

enum {
    FRAME_NS = 33 * 1000 * 1000,
    ESCAPE_NS = 50 * 1000 * 1000, /* an ESC without more within this time is the key */
    KEY_DELETE = 0xe053,
    KEY_SHIFT = 0x2a,
    KEY_CTRL = 0x1d,
    KEY_ALT = 0x38,
    STEP = 8, /* columns that come into sight at a time: not all is drawn anew with each key */
    ATTR_BLINK = 0x80,
    ATTR_NONE = 0x100,
};

#define SCREEN_ENTER "\x1b[?1049h\x1b[2J"
#define SCREEN_LEAVE "\x1b[0m\x1b[?25h\x1b[?1049l"

struct display {
    struct chardev *out;
    struct keys keys;
    struct pc_text now, shown;
    unsigned columns, rows; /* of the terminal */
    unsigned left, top;     /* the guest's cell in its corner */
    bool all;               /* nothing of what the terminal shows is known */
    bool moved;             /* all of its cells show other ones */
    bool suspended;
    unsigned attr;    /* as the terminal has it, or ATTR_NONE */
    u64 drawn, typed; /* host time */
};

/* --- writing --- */

static void put(struct display *d, const char *text)
{
    chardev_write(d->out, (const u8 *)text, strlen(text));
}

static void putf(struct display *d, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void putf(struct display *d, const char *fmt, ...)
{
    char text[128];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    put(d, text);
}

static void put_character(struct display *d, u16 c)
{
    char text[4] = {0};

    if (c < 0x80) {
        text[0] = (char)c;
    } else if (c < 0x800) {
        text[0] = (char)(0xc0 | c >> 6);
        text[1] = (char)(0x80 | (c & 0x3f));
    } else {
        text[0] = (char)(0xe0 | c >> 12);
        text[1] = (char)(0x80 | (c >> 6 & 0x3f));
        text[2] = (char)(0x80 | (c & 0x3f));
    }
    put(d, text);
}

/* Blue and red change places between a PC's and a terminal's colours. */
static unsigned terminal_color(unsigned c)
{
    return (c & 2) | (c & 1) << 2 | (c >> 2 & 1);
}

static void put_attribute(struct display *d, u8 attr)
{
    unsigned fg = attr & 15, bg = attr >> 4 & 7;
    bool blink = d->now.blink && attr & ATTR_BLINK;
    bool bright = !d->now.blink && attr & ATTR_BLINK;

    if (d->attr == attr)
        return;
    d->attr = attr;
    putf(d, "\x1b[0%s;%u;%um", blink ? ";5" : "", (fg & 8 ? 90 : 30) + terminal_color(fg & 7),
         (bright ? 100 : 40) + terminal_color(bg));
}

/* --- drawing --- */

static void look_at_terminal(struct display *d)
{
    struct winsize w;
    unsigned columns = 80, rows = 25;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col && w.ws_row) {
        columns = w.ws_col;
        rows = w.ws_row;
    }
    if (columns != d->columns || rows != d->rows)
        d->all = true;
    d->columns = columns;
    d->rows = rows;
}

/* The first of @size guest cells to be seen through a terminal of @room, so that @at is. */
static unsigned first_seen(unsigned first, unsigned size, unsigned room, unsigned at)
{
    if (room >= size)
        return 0;
    if (at >= first + room)
        first = at - room + 1;
    if (at < first)
        first = at;
    return first + room > size ? size - room : first;
}

/* The same for columns: lines begin at the left, and go to the right in steps. */
static unsigned first_column(unsigned size, unsigned room, unsigned at)
{
    unsigned first = first_seen(0, size, room, at);
    unsigned last = size > room ? size - room : 0;

    if (room >= STEP)
        first = (first + STEP - 1) / STEP * STEP;
    return first < last ? first : last;
}

/* A smaller terminal shows the part with the cursor: without one, what it showed last. */
static void follow_cursor(struct display *d)
{
    const struct pc_text *t = &d->now;
    unsigned column = t->cursor_on ? t->cursor_column : 0;
    unsigned row = t->cursor_on ? t->cursor_row : d->top;
    unsigned left = first_column(t->columns, d->columns, column);
    unsigned top = first_seen(d->top, t->rows, d->rows, row);

    d->moved = d->moved || left != d->left || top != d->top;
    d->left = left;
    d->top = top;
}

static bool same_cell(const struct display *d, unsigned i)
{
    return !d->all && !d->moved && d->shown.cell[i].ch == d->now.cell[i].ch &&
           d->shown.cell[i].attr == d->now.cell[i].attr;
}

static void draw_row(struct display *d, unsigned row)
{
    unsigned columns = d->now.columns < d->columns ? d->now.columns : d->columns;
    bool there = false; /* the terminal's cursor is at the next cell */

    for (unsigned column = 0; column < columns; column++) {
        unsigned i = (d->top + row) * d->now.columns + d->left + column;
        if (same_cell(d, i)) {
            there = false;
            continue;
        }
        if (!there)
            putf(d, "\x1b[%u;%uH", row + 1, column + 1);
        put_attribute(d, d->now.cell[i].attr);
        put_character(d, d->now.cell[i].ch);
        there = true;
    }
}

static void draw_cursor(struct display *d)
{
    const struct pc_text *t = &d->now;
    unsigned column = t->cursor_column - d->left, row = t->cursor_row - d->top;

    if (!t->cursor_on || column >= d->columns || row >= d->rows) /* or wrapped */
        put(d, "\x1b[?25l");
    else
        putf(d, "\x1b[%u;%uH\x1b[?25h", row + 1, column + 1);
}

static void draw_text(struct display *d)
{
    unsigned rows = d->now.rows < d->rows ? d->now.rows : d->rows;

    if (d->all) {
        d->attr = ATTR_NONE;
        put(d, "\x1b[0m\x1b[2J");
    }
    put(d, "\x1b[?25l");
    for (unsigned row = 0; row < rows; row++)
        draw_row(d, row);
    draw_cursor(d);
}

static void draw_no_text(struct display *d)
{
    if (!d->all && !d->shown.columns)
        return;
    d->attr = ATTR_NONE;
    put(d, "\x1b[0m\x1b[2J\x1b[1;1H\x1b[?25l");
    put(d, "The guest shows graphics. Ctrl-a h lists the keys.");
}

void display_draw(struct display *d, const struct pc *pc, u64 host_ns)
{
    if (d->suspended || host_ns - d->drawn < FRAME_NS)
        return;
    d->drawn = host_ns;
    look_at_terminal(d);
    bool text = pc_screen_cells(pc, &d->now);
    follow_cursor(d);
    if (d->now.columns != d->shown.columns || d->now.rows != d->shown.rows ||
        d->now.blink != d->shown.blink)
        d->all = true;
    if (!d->all && !d->moved && memcmp(&d->now, &d->shown, sizeof(d->now)) == 0)
        return;
    if (text)
        draw_text(d);
    else
        draw_no_text(d);
    d->shown = d->now;
    d->all = d->moved = false;
}

/* --- keys --- */

void display_typed(struct display *d, const u8 *bytes, size_t n, u64 host_ns)
{
    for (size_t i = 0; i < n; i++)
        keys_input(&d->keys, bytes[i]);
    d->typed = host_ns;
}

void display_ctrl_alt_del(struct display *d)
{
    keys_add(&d->keys, (struct key_stroke){KEY_DELETE, KEYS_CTRL | KEYS_ALT});
}

static void press(struct pc *pc, struct key_stroke s)
{
    static const u16 held[] = {KEY_SHIFT, KEY_ALT, KEY_CTRL};

    for (unsigned i = 0; i < ARRAY_LEN(held); i++) {
        if (s.modifiers & BIT(i))
            pc_key(pc, held[i], true);
    }
    pc_key(pc, s.key, true);
    pc_key(pc, s.key, false);
    for (unsigned i = ARRAY_LEN(held); i-- > 0;) {
        if (s.modifiers & BIT(i))
            pc_key(pc, held[i], false);
    }
}

void display_press(struct display *d, struct pc *pc, u64 host_ns)
{
    struct key_stroke s;

    if (d->keys.len && host_ns - d->typed >= ESCAPE_NS)
        keys_pause(&d->keys);
    if (pc_keyboard_idle(pc) && keys_take(&d->keys, &s))
        press(pc, s);
}

u64 display_wake_time(const struct display *d)
{
    u64 draw = d->drawn + FRAME_NS;

    if (d->keys.len)
        return d->typed + ESCAPE_NS < draw ? d->typed + ESCAPE_NS : draw;
    return d->suspended ? UINT64_MAX : draw;
}

/* --- life --- */

void display_suspend(struct display *d)
{
    if (!d->suspended)
        put(d, SCREEN_LEAVE);
    terminal_farewell(NULL);
    d->suspended = true;
}

void display_resume(struct display *d)
{
    d->suspended = false;
    d->all = true;
    put(d, SCREEN_ENTER);
    terminal_farewell(SCREEN_LEAVE);
}

struct display *display_open(struct chardev *out)
{
    struct display *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->out = out;
    display_resume(d);
    return d;
}

void display_close(struct display *d)
{
    if (!d)
        return;
    if (!d->suspended)
        put(d, SCREEN_LEAVE);
    terminal_farewell(NULL);
    chardev_flush(d->out);
    free(d);
}
