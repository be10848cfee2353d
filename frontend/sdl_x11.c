/* SPDX-License-Identifier: MIT */
/*
 * When the X server goes away, Xlib ends the process. A machine with disks has to be taken down in
 * order: from libX11 1.7 on its exit can be replaced. SDL loads the library itself, so it is looked
 * up where it is already loaded; elsewhere there is nothing to do. SDL itself is not made for a
 * server that goes away: it would use what Xlib did not return, so it is left by a jump. And the
 * connection is looked at before SDL is asked for anything.
 */
#include <dlfcn.h>
#include <poll.h>
#include <string.h>

#include <SDL_syswm.h>

#include "frontend/sdl_private.h"

#ifdef SDL_VIDEO_DRIVER_X11

/* As Xlib.h has them: the message, and the exit that follows it (since 1.7). */
typedef int io_handler(Display *display);
typedef io_handler *set_io_handler(io_handler *handler);
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

#else

void sdl_watch_display(struct window *w)
{
    w->x11_fd = -1;
}

#endif

bool sdl_display_gone(struct window *w)
{
    struct pollfd p = {.fd = w->x11_fd, .events = POLLIN};

    if (w->x11_fd >= 0 && poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR | POLLNVAL))
        w->lost = true;
    return w->lost;
}
