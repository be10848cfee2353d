/* SPDX-License-Identifier: MIT */
/* What scripts look at: the screen as text and as a picture, what was said, idleness. */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/bits.h"
#include "frontend/png.h"
#include "frontend/script_private.h"

enum { TAPE_MAX = 16 << 20, TAPE_KEPT = 4 << 20 };

/* --- tapes --- */

static void forget_half(struct tape *t)
{
    size_t cut = t->len - TAPE_KEPT;

    memmove(t->text, t->text + cut, TAPE_KEPT + 1);
    t->len -= cut;
    t->cursor = t->cursor > cut ? t->cursor - cut : 0;
    t->checked = t->checked > cut ? t->checked - cut : 0;
}

void tape_put(struct tape *t, u8 byte)
{
    if (byte == 0 || byte == '\r')
        return;
    if (t->len + 2 > t->room) {
        size_t room = t->room ? 2 * t->room : 4096;
        char *p = room <= TAPE_MAX ? realloc(t->text, room) : NULL;
        if (p) {
            t->text = p;
            t->room = room;
        } else if (t->len > TAPE_KEPT) {
            forget_half(t);
        } else {
            return; /* no memory: the report will lack it */
        }
    }
    t->text[t->len++] = (char)byte;
    t->text[t->len] = 0;
}

void tape_free(struct tape *t)
{
    free(t->text);
}

const char *tape_tail(const struct tape *t, unsigned lines)
{
    const char *p = t->text ? t->text + t->len : "";

    while (t->text && p > t->text) {
        if (p[-1] == '\n' && p != t->text + t->len && lines-- == 1)
            break;
        p--;
    }
    return p;
}

/* --- patterns --- */

bool pattern_find(const struct pattern *p, const char *text, size_t from, size_t *end)
{
    if (!p->is_regex) {
        const char *at = strstr(text + from, p->text);
        if (at)
            *end = (size_t)(at - text) + strlen(p->text);
        return at;
    }
    regmatch_t m[1];
    int flags = from && text[from - 1] != '\n' ? REG_NOTBOL : 0;
    if (regexec(&p->regex, text + from, 1, m, flags) != 0)
        return false;
    *end = from + (size_t)m[0].rm_eo;
    return true;
}

/* --- the screen --- */

const char *script_screen(struct script *s, struct pc *pc)
{
    if (!s->screen)
        s->screen = pc_screen_text(pc);
    return s->screen ? s->screen : "";
}

static u64 hash_pixels(const u32 *pixels, unsigned width, unsigned height)
{
    u64 h = (u64)width << 32 | height;

    for (unsigned y = 0; y < height; y++) { /* pixels as they are in memory: both hosts are LE */
        h = XXH64(pixels + (size_t)y * width, (size_t)width * sizeof(*pixels), h);
    }
    return h;
}

u64 script_frame_hash(const struct pc *pc)
{
    struct pc_frame f;

    if (pc_screen_steady(pc, &f) != STATUS_OK)
        return 0;
    u64 h = hash_pixels(f.pixels, f.width, f.height);
    free(f.pixels);
    return h;
}

static bool is_hash(const char *text, u64 *out)
{
    char *end;

    if (strlen(text) != 16)
        return false;
    *out = strtoull(text, &end, 16);
    return !*end;
}

bool script_frame_is(struct script *s, struct pc *pc, const char *want, bool *error)
{
    u64 hash;

    if (!is_hash(want, &hash)) {
        unsigned width, height;
        u32 *pixels;
        enum status status = png_load(want, &pixels, &width, &height);
        if (status != STATUS_OK) {
            snprintf(s->reason, sizeof(s->reason), "the picture '%.200s' cannot be read: %s", want,
                     status_text(status));
            *error = true;
            return false;
        }
        hash = hash_pixels(pixels, width, height);
        free(pixels);
    }
    return script_frame_hash(pc) == hash;
}

/* --- conditions --- */

/* Nothing was said for @ns, and for three quarters of that the CPU was halted. */
static bool is_idle(struct script *s, const struct pc *pc, u64 ns)
{
    u64 quiet = pc_time(pc) - s->quiet_since;

    if (quiet < ns)
        return false;
    bool halted = pc_time_halted(pc) - s->halted_then >= quiet / 4 * 3;
    if (!halted) {
        s->quiet_since = pc_time(pc);
        s->halted_then = pc_time_halted(pc);
    }
    return halted;
}

static bool heard_on(struct script *s, const struct step *st)
{
    struct tape *t = &s->tape[st->tape];
    size_t end;

    if (!t->text || !pattern_find(&st->pattern, t->text, t->cursor, &end))
        return false;
    t->cursor = end;
    return true;
}

bool script_holds(struct script *s, struct pc *pc, const struct step *st, bool *error)
{
    size_t end;

    switch (st->subject) {
    case ON_SCREEN:
        return pattern_find(&st->pattern, script_screen(s, pc), 0, &end);
    case ON_TAPE:
        return heard_on(s, st);
    case ON_FRAME:
        return script_frame_is(s, pc, st->arg, error);
    case ON_IDLE:
        return is_idle(s, pc, (u64)st->number[0] * 1000000);
    case ON_END:
        return s->ended;
    case ON_TIME:
        return pc_time(pc) - s->began >= st->time;
    default:
        return false;
    }
}

/* --- rejects --- */

static bool heard_bad(const struct script *s, const struct step *st, unsigned n)
{
    const struct tape *t = &s->tape[n];
    size_t end;

    return t->text && t->checked < t->len && pattern_find(&st->pattern, t->text, t->checked, &end);
}

static bool is_violated(struct script *s, struct pc *pc, const struct step *st)
{
    bool bad = false;
    size_t end;

    if (st->subject != ON_TAPE)
        bad = pattern_find(&st->pattern, script_screen(s, pc), 0, &end);
    for (unsigned i = 0; !bad && i < SCRIPT_TAPES; i++) {
        if (st->subject == ON_ANY || (st->subject == ON_TAPE && st->tape == i))
            bad = heard_bad(s, st, i);
    }
    return bad;
}

const struct step *script_violated(struct script *s, struct pc *pc)
{
    for (unsigned i = 0; i < s->count; i++) { /* in force from the start, wherever it stands */
        if (s->step[i].verb == STEP_REJECT && is_violated(s, pc, &s->step[i]))
            return &s->step[i];
    }
    for (unsigned i = 0; i < SCRIPT_TAPES; i++) { /* the line that is not complete yet again */
        struct tape *t = &s->tape[i];
        while (t->text && t->checked < t->len) {
            char *nl = memchr(t->text + t->checked, '\n', t->len - t->checked);
            if (!nl)
                break;
            t->checked = (size_t)(nl - t->text) + 1;
        }
    }
    return NULL;
}
