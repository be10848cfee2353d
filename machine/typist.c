/* SPDX-License-Identifier: MIT */
#include "machine/typist.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/keymap.h"

enum {
    KEYS_MAX = 5,
    KEY_SHIFT = 0x2a,
    KEY_LETTER = 0x1000, /* with a letter of text (below 80h): Caps Lock decides on its case */
    LED_CAPS = BIT(2),
};

#define HOLD_NS  30000000u /* a key is down */
#define GAP_NS   30000000u /* and then none is */
#define RETRY_NS 10000000u /* until the guest has taken what was typed */

/* Keys held together, or a pause. */
struct stroke {
    u64 at;    /* not before this guest time */
    u64 pause; /* instead of keys            */
    u16 key[KEYS_MAX];
    u8 keys;
};

struct typist {
    struct clock *clk;
    struct ps2kbd *kbd;
    u32 timer;
    struct stroke *stroke;
    size_t count, room, next;
    bool down; /* the keys of @next are held */

    struct stroke *staged; /* typist_stage() */
    size_t staged_count;
    bool staged_down;
};

/* ---- what the text says ---- */

/* "500ms", "2s": at most a day. */
static bool parse_pause(const char *text, size_t len, u64 *ns)
{
    u64 n = 0;
    size_t i = 0;

    for (; i < len && text[i] >= '0' && text[i] <= '9' && n < 100000000; i++)
        n = n * 10 + (u64)(text[i] - '0');
    if (i == 0)
        return false;
    if (len - i == 2 && memcmp(text + i, "ms", 2) == 0)
        *ns = n * 1000000;
    else if (len - i == 1 && text[i] == 's')
        *ns = n * 1000000000;
    else
        return false;
    return true;
}

static bool parse_word(const char *text, size_t len, struct stroke *s)
{
    unsigned keys[KEYS_MAX];

    if (parse_pause(text, len, &s->pause))
        return true;
    s->keys = (u8)keymap_combination(text, len, keys, KEYS_MAX);
    for (unsigned i = 0; i < s->keys; i++)
        s->key[i] = (u16)keys[i];
    return s->keys != 0;
}

static bool parse_char(char c, struct stroke *s)
{
    bool shift;
    unsigned key = keymap_char(c, &shift);

    if (shift)
        s->key[s->keys++] = KEY_SHIFT;
    s->key[s->keys++] = (u16)(isalpha((unsigned char)c) ? key | KEY_LETTER : key);
    return key != 0;
}

/* What stands behind a backslash; 0: a letter or a digit that means nothing there. */
static char unescape(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'e':
        return '\033';
    default:
        return isalnum((unsigned char)c) ? 0 : c; /* the locale is C */
    }
}

/* The next stroke of *@p into @s. False: nothing that could be typed, of *@used characters. */
static bool parse_stroke(const char **p, struct stroke *s, size_t *used)
{
    const char *text = *p, *end = *text == '<' ? strchr(text, '>') : NULL;
    bool ok;

    *s = (struct stroke){0};
    *used = 1;
    if (*text == '<' && text[1] == '<') {
        *used = 2;
        ok = parse_char('<', s);
    } else if (*text == '<' && end) {
        *used = (size_t)(end - text) + 1;
        ok = parse_word(text + 1, *used - 2, s);
    } else if (*text == '\\' && text[1]) {
        *used = 2;
        ok = parse_char(unescape(text[1]), s);
    } else {
        ok = *text != '<' && parse_char(*text, s);
    }
    *p = text + *used;
    return ok;
}

static bool reserve(struct typist *t, size_t more)
{
    size_t room = t->room ? t->room : 64;

    while (room - t->count < more)
        room *= 2;
    if (room == t->room)
        return true;
    struct stroke *larger = realloc(t->stroke, room * sizeof(*larger));
    if (larger) {
        t->stroke = larger;
        t->room = room;
    }
    return larger;
}

static void schedule(struct typist *t, u64 at)
{
    if (t->next < t->count && at < t->stroke[t->next].at)
        at = t->stroke[t->next].at;
    clock_arm(t->clk, t->timer, t->next < t->count ? at : CLOCK_NEVER);
}

/* The next stroke of *@p into @s. False: @error. */
static bool next_stroke(const char **p, struct stroke *s, char error[TYPIST_ERROR_MAX])
{
    const char *here = *p;
    size_t used;

    if (parse_stroke(p, s, &used))
        return true;
    snprintf(error, TYPIST_ERROR_MAX, "'%.*s' is no key, and no character of one",
             (int)(used < 60 ? used : 60), here);
    return false;
}

/* How many strokes @text is, into *@n. False: @error. */
static bool count_strokes(const char *text, size_t *n, char error[TYPIST_ERROR_MAX])
{
    struct stroke s;

    for (*n = 0; *text; ++*n) {
        if (!next_stroke(&text, &s, error))
            return false;
    }
    return true;
}

bool typist_can(const char *text, char error[TYPIST_ERROR_MAX])
{
    size_t n;

    return count_strokes(text, &n, error);
}

enum status typist_add(struct typist *t, u64 at, const char *text, char error[TYPIST_ERROR_MAX])
{
    size_t first = t->next + t->down, n;

    if (!count_strokes(text, &n, error))
        return STATUS_BAD_VALUE;
    if (!reserve(t, n))
        return STATUS_NO_MEMORY;
    while (first < t->count && t->stroke[first].at <= at)
        first++;
    memmove(&t->stroke[first + n], &t->stroke[first], (t->count - first) * sizeof(*t->stroke));
    t->count += n;
    for (size_t i = first; i < first + n; i++) {
        (void)next_stroke(&text, &t->stroke[i], error); /* they were counted */
        t->stroke[i].at = at;
    }
    if (n && first == t->next)
        schedule(t, clock_now(t->clk));
    return STATUS_OK;
}

/* ---- typing ---- */

/* Letters come out as they are written: with Caps Lock, small ones need Shift. */
static void choose_case(struct stroke *s, bool caps)
{
    u16 *letter = s->keys == 1 || s->keys == 2 ? &s->key[s->keys - 1] : NULL;

    if (!letter || (*letter & 0xff80) != KEY_LETTER)
        return;
    u16 key = *letter & (u16)~KEY_LETTER;
    bool shift = (s->keys == 2) != caps;
    s->key[0] = shift ? KEY_SHIFT : key;
    s->key[1] = key;
    s->keys = shift ? 2 : 1;
}

static void on_timer(void *dev, u32 arg)
{
    struct typist *t = dev;
    struct stroke *s = &t->stroke[t->next];
    u64 now = clock_now(t->clk);

    (void)arg;
    if (t->next == t->count)
        return;
    if (t->down) {
        for (unsigned i = s->keys; i-- > 0;)
            (void)ps2kbd_key(t->kbd, s->key[i], false);
        t->down = false;
        t->next++;
        schedule(t, now + GAP_NS);
    } else if (s->pause) {
        t->next++;
        schedule(t, now + s->pause);
    } else if (!ps2kbd_idle(t->kbd)) {
        schedule(t, now + RETRY_NS);
    } else {
        choose_case(s, ps2kbd_leds(t->kbd) & LED_CAPS);
        for (unsigned i = 0; i < s->keys; i++)
            (void)ps2kbd_key(t->kbd, s->key[i], true);
        t->down = true;
        clock_arm(t->clk, t->timer, now + HOLD_NS);
    }
}

enum status typist_create(struct typist **out, struct clock *clk, struct ps2kbd *kbd)
{
    struct typist *t = calloc(1, sizeof(*t));
    if (!t)
        return STATUS_NO_MEMORY;

    t->clk = clk;
    t->kbd = kbd;
    enum status s = clock_add(clk, TYPIST_TIMER, on_timer, t, 0, &t->timer);
    if (s != STATUS_OK) {
        free(t);
        return s;
    }
    *out = t;
    return STATUS_OK;
}

void typist_destroy(struct typist *t)
{
    if (!t)
        return;
    typist_unstage(t);
    free(t->stroke);
    free(t);
}

/* ---- state ---- */

static const struct field stroke_fields[] = {
    FIELD(struct stroke, at),
    FIELD(struct stroke, pause),
    FIELD_ARRAY(struct stroke, key),
    FIELD(struct stroke, keys),
    FIELDS_END,
};

bool typist_done(const struct typist *t)
{
    return t->next == t->count || (!t->down && t->stroke[t->next].at > clock_now(t->clk));
}

void typist_save(const struct typist *t, field_sink *sink, void *ctx)
{
    u8 down = t->down;

    sink(ctx, &down, 1);
    for (size_t i = t->next; i < t->count; i++)
        fields_save(stroke_fields, &t->stroke[i], sink, ctx);
}

enum status typist_stage(struct typist *t, const u8 *p, const u8 *end)
{
    size_t each = fields_size(stroke_fields, &(struct stroke){0});
    size_t n = p == end ? 0 : (size_t)(end - p - 1) / each;

    typist_unstage(t);
    if (p == end || (size_t)(end - p) != 1 + n * each || *p > (n != 0))
        return STATUS_BAD_VALUE;
    t->staged = calloc(n + 1, sizeof(*t->staged));
    if (!t->staged)
        return STATUS_NO_MEMORY;
    t->staged_count = n;
    t->staged_down = *p++;
    enum status s = STATUS_OK;
    for (size_t i = 0; s == STATUS_OK && i < n; i++) {
        s = fields_load(stroke_fields, &t->staged[i], &p, end);
        if (t->staged[i].keys > KEYS_MAX)
            s = STATUS_BAD_VALUE;
    }
    if (s != STATUS_OK)
        typist_unstage(t);
    return s;
}

void typist_unstage(struct typist *t)
{
    free(t->staged);
    t->staged = NULL;
}

void typist_commit(struct typist *t)
{
    free(t->stroke);
    t->stroke = t->staged;
    t->room = t->count = t->staged_count;
    t->next = 0;
    t->down = t->staged_down;
    t->staged = NULL;
}
