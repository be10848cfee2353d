/* SPDX-License-Identifier: MIT */
/* What Ctrl-Alt and another key do, and the screenshots among it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "frontend/png.h"
#include "frontend/report.h"
#include "frontend/sdl_private.h"

enum { NAMES_MAX = 1000 };

static void do_grab(struct window *w, struct pc *pc)
{
    (void)pc;
    sdl_set_grab(w, !w->grabbed && sdl_pointer_is_guests(w));
}

static void do_full_screen(struct window *w, struct pc *pc)
{
    (void)pc;
    sdl_toggle_full_screen(w);
}

static void do_ctrl_alt_del(struct window *w, struct pc *pc)
{
    static const SDL_Scancode keys[] = {SDL_SCANCODE_LCTRL, SDL_SCANCODE_LALT, SDL_SCANCODE_DELETE};

    (void)pc;
    sdl_paste_stop(w);
    sdl_tap(w, keys, ARRAY_LEN(keys));
}

static void do_pause(struct window *w, struct pc *pc)
{
    (void)pc;
    w->paused = !w->paused;
    w->titled = 0;
    *w->told = 0; /* this is news */
}

static void do_reset(struct window *w, struct pc *pc)
{
    (void)w;
    pc_reset(pc);
}

static void do_power(struct window *w, struct pc *pc)
{
    if (!pc_power_button(pc))
        sdl_tell(w, "the guest does not listen to the power button");
}

static void do_overlay(struct window *w, struct pc *pc)
{
    (void)pc;
    sdl_overlay_toggle(w);
}

static void do_quit(struct window *w, struct pc *pc)
{
    (void)pc;
    w->quit = true;
}

static void do_turbo(struct window *w, struct pc *pc)
{
    bool limited = pc_is_limited(pc);

    pc_set_turbo(pc, limited);
    sdl_tell(w, limited             ? "turbo: no limit"
                : pc_is_limited(pc) ? "as fast as -speed says"
                                    : "there is no limit: -speed sets one");
}

/* turbo86-1.png and on, in the working folder; what is there stays. */
static void do_screenshot(struct window *w, struct pc *pc)
{
    char name[64], text[200];
    struct pc_frame f;
    unsigned n = 1;

    do
        snprintf(name, sizeof(name), "turbo86-%u.png", n);
    while (access(name, F_OK) == 0 && ++n < NAMES_MAX);
    enum status s = n < NAMES_MAX ? pc_screen_frame(pc, &f) : STATUS_CONFLICT;
    if (s == STATUS_OK) {
        errno = 0;
        s = png_save(name, f.pixels, f.width, f.height, f.width);
        free(f.pixels);
    }
    if (s == STATUS_OK)
        snprintf(text, sizeof(text), "screen saved as %s", name);
    else
        snprintf(text, sizeof(text), "the screen could not be saved: %s", report_why(s));
    sdl_tell(w, text);
}

static void do_paste(struct window *w, struct pc *pc)
{
    sdl_paste(w, pc);
}

static void do_guest(struct window *w, struct pc *pc)
{
    sdl_console_show(w, pc, false);
}

static void do_monitor(struct window *w, struct pc *pc)
{
    sdl_console_show(w, pc, true);
}

static void do_menu(struct window *w, struct pc *pc)
{
    sdl_menu_show(w, pc, !w->menu.on);
}

static const struct {
    SDL_Scancode code; /* on a US keyboard */
    void (*run)(struct window *w, struct pc *pc);
} hotkeys[] = {
    {SDL_SCANCODE_G, do_grab},         {SDL_SCANCODE_F, do_full_screen},
    {SDL_SCANCODE_D, do_ctrl_alt_del}, {SDL_SCANCODE_P, do_pause},
    {SDL_SCANCODE_R, do_reset},        {SDL_SCANCODE_O, do_power},
    {SDL_SCANCODE_Q, do_quit},         {SDL_SCANCODE_S, do_screenshot},
    {SDL_SCANCODE_V, do_paste},        {SDL_SCANCODE_T, do_turbo},
    {SDL_SCANCODE_I, do_overlay},      {SDL_SCANCODE_1, do_guest},
    {SDL_SCANCODE_2, do_monitor},      {SDL_SCANCODE_M, do_menu},
};

void sdl_hotkey_run(struct window *w, struct pc *pc, SDL_Scancode code)
{
    for (unsigned i = 0; i < ARRAY_LEN(hotkeys); i++) {
        if (hotkeys[i].code == code)
            hotkeys[i].run(w, pc);
    }
}

/* Whether @code is the key that has the letter, in the layout of now; where no key has it (as in
 * Cyrillic or Greek), the one that has it on a US keyboard. Digits have the same place everywhere,
 * with Shift or not. */
static bool has_letter(const struct window *w, SDL_Scancode code, SDL_Scancode us, int layout)
{
    char letter = (char)('a' + (us - SDL_SCANCODE_A));

    if (us < SDL_SCANCODE_A || us > SDL_SCANCODE_Z)
        return code == us;
    if (layout >= 0) {
        unsigned key = sdl_group_key(w, layout, letter);
        return key ? sdl_key(code) == key : code == us;
    }
    SDL_Scancode place = SDL_GetScancodeFromKey((SDL_Keycode)letter);
    return code == (place == SDL_SCANCODE_UNKNOWN ? us : place);
}

bool sdl_hotkey(struct window *w, struct pc *pc, const SDL_KeyboardEvent *e)
{
    bool ctrl_alt = e->keysym.mod & KMOD_CTRL && e->keysym.mod & KMOD_LALT;
    int layout = ctrl_alt ? sdl_group(w) : -1;

    for (unsigned i = 0; ctrl_alt && i < ARRAY_LEN(hotkeys); i++) {
        if (!has_letter(w, e->keysym.scancode, hotkeys[i].code, layout))
            continue;
        if (!e->repeat) {
            sdl_release_all(w); /* Ctrl and Alt were for us */
            hotkeys[i].run(w, pc);
        }
        return true;
    }
    return false;
}
