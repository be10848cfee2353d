/* SPDX-License-Identifier: MIT */
/*
 * When the X server goes away, Xlib ends the process. A machine with disks has to be taken down in
 * order: from libX11 1.7 on its exit can be replaced. SDL loads the library itself, so it is looked
 * up where it is already loaded; elsewhere there is nothing to do. SDL itself is not made for a
 * server that goes away: it would use what Xlib did not return, so it is left by a jump. And the
 * connection is looked at before SDL is asked for anything.
 *
 * And SDL does not notice when the person goes from one of two layouts to the other, so X is asked
 * which one it is and what its keys are.
 */
#include <dlfcn.h>
#include <poll.h>
#include <string.h>

#include <SDL_syswm.h>

#include "frontend/sdl_private.h"

#ifdef SDL_VIDEO_DRIVER_X11

#include <X11/XKBlib.h>
#include <X11/keysym.h>

/* A keycode of X is a key's make code and eight, with the drivers of today, up to F12. */
enum { X11_FIRST = 8, LAST_KEY = 0x58, ESCAPE_KEY = 1 };

/* As Xlib.h has them: the message, and the exit that follows it (since 1.7). */
typedef int io_handler(Display *display);
typedef io_handler *set_io_handler(io_handler *handler);
typedef int get_state(Display *display, unsigned device, XkbStatePtr state);
typedef KeySym get_keysym(Display *display, KeyCode key, int group, int level);
typedef void set_exit_handler(Display *display, void (*handler)(Display *, void *), void *ctx);

/* The runner has a message of its own. */
static int say_nothing(Display *display)
{
    (void)display;
    return 0;
}

/* Nothing of SDL or Xlib is used from now on: what they were about to do need not end. */
static void on_lost(Display *display, void *window)
{
    struct window *w = window;

    (void)display;
    w->lost = true;
    if (w->inside)
        longjmp(w->way_out, 1);
}

void sdl_watch_display(struct window *w)
{
    SDL_SysWMinfo info;
    set_io_handler *set_io;
    set_exit_handler *set_exit;

    w->x11_fd = -1;
    SDL_VERSION(&info.version);
    if (!SDL_GetWindowWMInfo(w->win, &info) || info.subsystem != SDL_SYSWM_X11)
        return;
    void *lib = dlopen("libX11.so.6", RTLD_LAZY | RTLD_NOLOAD);
    void *io = lib ? dlsym(lib, "XSetIOErrorHandler") : NULL;
    void *leave = lib ? dlsym(lib, "XSetIOErrorExitHandler") : NULL;
    w->x11_fd = ConnectionNumber(info.info.x11.display);
    if (io && leave) { /* POSIX: these are functions' addresses */
        memcpy(&set_io, &io, sizeof(set_io));
        memcpy(&set_exit, &leave, sizeof(set_exit));
        set_io(say_nothing);
        set_exit(info.info.x11.display, on_lost, w);
    }
    if (lib)
        dlclose(lib); /* SDL holds it */
}

/* NULL: the window is none of X, or its library has no such function. */
static Display *find(const struct window *w, const char *name, void **function)
{
    SDL_SysWMinfo info;

    SDL_VERSION(&info.version);
    if (!SDL_GetWindowWMInfo(w->win, &info) || info.subsystem != SDL_SYSWM_X11)
        return NULL;
    void *lib = dlopen("libX11.so.6", RTLD_LAZY | RTLD_NOLOAD);
    *function = lib ? dlsym(lib, name) : NULL;
    if (lib)
        dlclose(lib);
    return *function ? info.info.x11.display : NULL;
}

static KeySym keysym(const struct window *w, unsigned key, int layout)
{
    get_keysym *get;
    void *function;
    Display *display = find(w, "XkbKeycodeToKeysym", &function);

    if (!display)
        return NoSymbol;
    memcpy(&get, &function, sizeof(get));
    return get(display, (KeyCode)(key + X11_FIRST), layout, 0);
}

int sdl_group(const struct window *w)
{
    XkbStateRec state;
    get_state *get;
    void *function;
    Display *display = find(w, "XkbGetState", &function);

    if (!display || keysym(w, ESCAPE_KEY, 0) != XK_Escape) /* keycodes of another kind */
        return -1;
    memcpy(&get, &function, sizeof(get));
    return get(display, XkbUseCoreKbd, &state) == Success ? state.group : -1;
}

unsigned sdl_group_key(const struct window *w, int layout, char letter)
{
    for (unsigned key = ESCAPE_KEY; key <= LAST_KEY; key++) {
        KeySym sym = keysym(w, key, layout);
        if (sym == NoSymbol) /* it is the same in all layouts */
            sym = keysym(w, key, 0);
        if (sym == (KeySym)letter) /* Latin letters have their own codes */
            return key;
    }
    return 0;
}

#else

void sdl_watch_display(struct window *w)
{
    w->x11_fd = -1;
}

int sdl_group(const struct window *w)
{
    (void)w;
    return -1;
}

unsigned sdl_group_key(const struct window *w, int layout, char letter)
{
    (void)w;
    (void)layout;
    (void)letter;
    return 0;
}

#endif

bool sdl_display_gone(struct window *w)
{
    struct pollfd p = {.fd = w->x11_fd, .events = POLLIN};

    if (w->x11_fd >= 0 && poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR | POLLNVAL))
        w->lost = true;
    return w->lost;
}
