/* SPDX-License-Identifier: MIT */
#include "frontend/tape.h"

#include <stdlib.h>
#include <string.h>

enum { TAPE_MAX = 16 << 20, TAPE_KEPT = 4 << 20 };

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
