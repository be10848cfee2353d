/* SPDX-License-Identifier: MIT */
/*
 * -display sdl: the screen in a window of the desktop, its keyboard and mouse. Built with SDL 2 if
 * there is one (frontend/sdl_*.c), else window_none.c refuses.
 */
#pragma once

#include "machine/config.h"
#include "machine/pc.h"

struct window;

#define WINDOW_ERROR_MAX 300u

/** Whether a window can be had: built in, and the session has a desktop. */
bool window_possible(void);

/**
 * Open one if @cfg asks for it, or leaves it open and one can be had. *@out is NULL if there is
 * none. False: there had to be one, and what is wrong was told.
 */
bool window_choose(struct window **out, const struct config *cfg) MUST_CHECK;

/**
 * Open the window. On failure *@out is untouched and @error holds one sentence. @cfg must outlive
 * the window.
 */
enum status window_open(struct window **out, const struct config *cfg,
                        char error[WINDOW_ERROR_MAX]) MUST_CHECK;
/** NULL is accepted. */
void window_close(struct window *w);

/** What the person wants of the program. */
enum window_wish {
    WINDOW_RUN,
    WINDOW_PAUSE,
    WINDOW_QUIT,
    WINDOW_LOST, /* nobody can want anything: the display server is gone */
};

/**
 * Hand what was typed and pointed at to @pc, and draw if it is time to. Call it between slices.
 * @host_ns is the host's monotonic time; @stopped: the machine does not run, whatever was wished.
 */
enum window_wish window_update(struct window *w, struct pc *pc, u64 host_ns, bool stopped);

/** When window_update() has something to do, as host time. */
u64 window_wake_time(const struct window *w);
