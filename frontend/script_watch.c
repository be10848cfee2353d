/* SPDX-License-Identifier: MIT */
/* What scripts look at: the screen as text and as a picture, what was said, idleness. */
#include <stdlib.h>
#include <string.h>

#include "frontend/failure.h"
#include "frontend/png.h"
#include "frontend/script_private.h"

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
        s->screen = failure_screen(pc);
    return s->screen ? s->screen : "";
}

bool script_is_hash(const char *text, u64 *out)
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

    if (!script_is_hash(want, &hash)) {
        unsigned width, height;
        u32 *pixels;
        enum status status = png_load(want, &pixels, &width, &height);
        if (status != STATUS_OK) {
            snprintf(s->reason, sizeof(s->reason), "the picture '%.200s' cannot be read: %s", want,
                     status_text(status));
            *error = true;
            return false;
        }
        hash = failure_picture_hash(pixels, width, height);
        free(pixels);
    }
    return failure_frame_hash(pc) == hash;
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
    for (unsigned i = 0; !bad && i < TAPES; i++) {
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
    for (unsigned i = 0; i < TAPES; i++) { /* the line that is not complete yet again */
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
