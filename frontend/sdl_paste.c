/* SPDX-License-Identifier: MIT */
/*
 * The clipboard, typed on the guest's keyboard. One key at a time, and only when the guest has all
 * that came before: Ctrl and Alt of the hotkey go up first, and the person can stop it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/paste.h"
#include "frontend/sdl_private.h"

static void tell_pasted(struct window *w, const struct paste *p)
{
    char text[200];

    if (p->cut)
        snprintf(text, sizeof(text), "only the first %u characters are typed", PASTE_MAX);
    else if (p->left_out)
        snprintf(text, sizeof(text), "left out what a US keyboard does not have: %u character%s",
                 p->left_out, p->left_out == 1 ? "" : "s");
    else
        return;
    sdl_tell(w, text);
}

static void begin(struct window *w, struct pc *pc, const char *clip)
{
    struct paste p = paste_text(clip);

    if (!p.text) {
        sdl_tell(w, "out of memory");
        return;
    }
    w->paste = p.text;
    w->pasted = 0;
    w->paste_breaks = pc_breaks(pc);
    tell_pasted(w, &p);
}

void sdl_paste(struct window *w, struct pc *pc)
{
    if (w->paste && !w->in_console) {
        sdl_paste_stop(w);
        sdl_tell(w, "typing has stopped");
        return;
    }
    char *clip = SDL_HasClipboardText() ? SDL_GetClipboardText() : NULL;
    if (!clip || !*clip)
        sdl_tell(w, "the clipboard holds no text");
    else if (w->in_console)
        sdl_console_type(w, pc, clip);
    else if (pc_deterministic(pc))
        sdl_tell(w, "typing has no part in a deterministic run");
    else
        begin(w, pc, clip);
    SDL_free(clip);
}

void sdl_paste_go_on(struct window *w, struct pc *pc)
{
    char error[PC_ERROR_MAX] = "", key[3] = {0};

    if (w->paste && pc_breaks(pc) != w->paste_breaks)
        sdl_paste_stop(w); /* the rest is not for the firmware, nor for another moment */
    if (!w->paste || w->in.count || !pc_typing_done(pc))
        return;
    const char *rest = w->paste + w->pasted;
    if (!*rest) {
        sdl_paste_stop(w);
        return;
    }
    memcpy(key, rest, paste_key_length(rest));
    w->pasted += strlen(key);
    if (pc_type(pc, key, error) != STATUS_OK) {
        sdl_paste_stop(w);
        sdl_tell(w, error);
    }
}

void sdl_paste_stop(struct window *w)
{
    free(w->paste);
    w->paste = NULL;
}
