/* SPDX-License-Identifier: MIT */
/* The window's life: opening, looking after it between slices, its title. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/sdl_private.h"

enum {
    WIDTH = 640, /* until the guest shows something */
    HEIGHT = 480,
    FRAME_NS = 16 * 1000 * 1000,
    EVENTS_NS = 4 * 1000 * 1000, /* asking the display server costs a system call */
    TITLE_NS = 1000 * 1000 * 1000,
};

#define TELL_NS (4 * (u64)TITLE_NS)
#define HINT_NS (10 * (u64)TITLE_NS)

bool window_possible(void)
{
    const char *x = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");

    return (x && *x) || (wayland && *wayland);
}

/* ---- title ---- */

void sdl_tell(struct window *w, const char *text)
{
    snprintf(w->told, sizeof(w->told), "%s", text);
    w->told_until = 0;
    w->told_ns = TELL_NS;
    w->titled = 0;
}

static void put_title(struct window *w, const char *state)
{
    char title[sizeof(w->told) + 200];

    snprintf(title, sizeof(title), "turbo86%s%s%s", *w->told ? " - " : state, w->told,
             w->grabbed ? " - Ctrl-Alt-G frees the mouse" : "");
    if (strcmp(title, w->title) == 0)
        return;
    snprintf(w->title, sizeof(w->title), "%s", title);
    SDL_SetWindowTitle(w->win, title);
}

/* How fast the machine is: its instructions, and its time against ours. */
static void update_title(struct window *w, const struct pc *pc, u64 host_ns, bool stopped)
{
    u64 took = host_ns - w->titled;
    char state[120] = "";

    if (w->titled && took < TITLE_NS)
        return;
    if (*w->told && !w->told_until)
        w->told_until = host_ns + w->told_ns;
    else if (*w->told && host_ns >= w->told_until)
        *w->told = 0;
    if (w->titled) {
        w->mips = (pc_retired(pc) - w->titled_retired) * 1000 / took;
        w->percent = ((pc_time(pc) - w->titled_time) * 100 + took / 2) / took;
    }
    if (w->paused)
        snprintf(state, sizeof(state), " - paused, Ctrl-Alt-P goes on");
    else if (stopped)
        snprintf(state, sizeof(state), " - stopped");
    else if (w->titled)
        snprintf(state, sizeof(state), " - %" PRIu64 " MIPS, %" PRIu64 "%% of real time%s", w->mips,
                 w->percent, pc_deterministic(pc) ? ", deterministic: takes no keys" : "");
    put_title(w, state);
    w->titled = host_ns;
    w->titled_time = pc_time(pc);
    w->titled_retired = pc_retired(pc);
}

/* ---- what hotkeys do to the window ---- */

void sdl_set_grab(struct window *w, bool on)
{
    if (w->grabbed == on)
        return;
    w->grabbed = on;
    SDL_SetRelativeMouseMode(on ? SDL_TRUE : SDL_FALSE);
    SDL_SetWindowGrab(w->win, on ? SDL_TRUE : SDL_FALSE);
    w->titled = 0;
}

void sdl_toggle_full_screen(struct window *w)
{
    if (!w->full_screen)
        SDL_GetWindowSize(w->win, &w->was_w, &w->was_h);
    w->full_screen = !w->full_screen;
    SDL_SetWindowFullscreen(w->win, w->full_screen ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0);
    sdl_follow_mode(w); /* the guest may have changed it meanwhile */
    sdl_layout(w);
}

/* ---- between slices ---- */

static enum window_wish update(struct window *w, struct pc *pc, u64 host_ns, bool stopped)
{
    SDL_Event e;

    bool draws = host_ns - w->drawn >= FRAME_NS;
    if ((draws || host_ns - w->pumped >= EVENTS_NS) && sdl_display_gone(w))
        return WINDOW_LOST;
    if (host_ns - w->pumped >= EVENTS_NS) {
        w->pumped = host_ns;
        while (!w->lost && SDL_PollEvent(&e))
            sdl_event(w, pc, &e);
    }
    if (w->lost)
        return WINDOW_LOST;
    sdl_deliver(w, pc);
    if (draws) {
        w->drawn = host_ns;
        sdl_overlay_update(w, pc, host_ns, stopped);
        sdl_draw(w, pc);
        update_title(w, pc, host_ns, stopped);
    }
    return w->quit ? WINDOW_QUIT : w->paused ? WINDOW_PAUSE : WINDOW_RUN;
}

enum window_wish window_update(struct window *w, struct pc *pc, u64 host_ns, bool stopped)
{
    if (w->lost || setjmp(w->way_out))
        return WINDOW_LOST;
    w->inside = true;
    enum window_wish wish = update(w, pc, host_ns, stopped);
    w->inside = false;
    return wish;
}

u64 window_wake_time(const struct window *w)
{
    return w->drawn + FRAME_NS;
}

/* ---- life ---- */

static enum status window_fail(struct window *w, char error[WINDOW_ERROR_MAX])
{
    snprintf(error, WINDOW_ERROR_MAX, "-display sdl: there is no window: %.200s", SDL_GetError());
    window_close(w);
    return STATUS_UNSUPPORTED;
}

/* OpenGL without a graphics chip: all of the window is drawn by the CPU, whatever has changed. */
static bool is_emulated(const SDL_RendererInfo *info)
{
    static const char *const names[] = {"llvmpipe", "softpipe", "swrast", "Software Rasterizer"};
    typedef const char *get_string(unsigned name);
    enum { RENDERER = 0x1f01 }; /* GL_RENDERER */

    if (strncmp(info->name, "opengl", 6) != 0)
        return false;
    void *found = SDL_GL_GetProcAddress("glGetString");
    get_string *get;
    memcpy(&get, &found, sizeof(get));
    const char *name = get ? get(RENDERER) : NULL;
    for (unsigned i = 0; name && i < ARRAY_LEN(names); i++) {
        if (strstr(name, names[i]))
            return true;
    }
    return false;
}

/* Where the CPU draws, SDL's own renderer can draw the part that has changed. */
static bool open_renderer(struct window *w)
{
    SDL_RendererInfo info;

    w->ren = SDL_CreateRenderer(w->win, -1, 0);
    if (!SDL_GetHint(SDL_HINT_RENDER_DRIVER) && w->ren && SDL_GetRendererInfo(w->ren, &info) == 0 &&
        is_emulated(&info)) {
        SDL_DestroyRenderer(w->ren);
        SDL_SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");
        w->ren = SDL_CreateRenderer(w->win, -1, SDL_RENDERER_SOFTWARE);
    }
    w->keeps = w->ren && SDL_GetRendererInfo(w->ren, &info) == 0 &&
               info.flags & SDL_RENDERER_SOFTWARE;
    return w->ren != NULL;
}

enum status window_open(struct window **out, const struct config *cfg, char error[WINDOW_ERROR_MAX])
{
    struct window *w = calloc(1, sizeof(*w));

    if (!w) {
        snprintf(error, WINDOW_ERROR_MAX, "out of memory");
        return STATUS_NO_MEMORY;
    }
    w->cfg = cfg;
    w->integer = strcmp(config_text(cfg, CONFIG_scale), "integer") == 0;
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
    SDL_SetHint(SDL_HINT_GRAB_KEYBOARD, "1");
    if (SDL_InitSubSystem(SDL_INIT_VIDEO) != 0)
        return window_fail(w, error);
    w->sdl = true;
    w->full_screen = config_flag(cfg, CONFIG_full_screen);
    w->was_w = WIDTH, w->was_h = HEIGHT;
    w->win =
        SDL_CreateWindow("turbo86", SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED, WIDTH, HEIGHT,
                         SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI |
                             (w->full_screen ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0u));
    if (!w->win)
        return window_fail(w, error);
    if (!open_renderer(w))
        return window_fail(w, error);
    sdl_watch_display(w);
    sdl_set_icon(w);
    sdl_tell(w, "Ctrl-Alt-M opens a menu");
    w->told_ns = HINT_NS; /* who is new here looks elsewhere first */
    w->stale = true;
    *out = w;
    return STATUS_OK;
}

void window_close(struct window *w)
{
    if (!w)
        return;
    free(w->console);
    sdl_paste_stop(w);
    if (w->lost) {
        free(w);
        return;
    }
    sdl_forget_texture(w);
    if (w->ren)
        SDL_DestroyRenderer(w->ren);
    if (w->win)
        SDL_DestroyWindow(w->win);
    if (w->sdl)
        SDL_QuitSubSystem(SDL_INIT_VIDEO);
    free(w);
}
