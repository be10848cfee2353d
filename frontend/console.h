/* SPDX-License-Identifier: MIT */
/* A monitor beside the running machine: on the terminal of a run with a window, or at a socket. */
#pragma once

#include <poll.h>

#include "frontend/chardev.h"
#include "machine/pc.h"

struct console;

/**
 * Open what -monitor of @cfg asks for beside "none" and the terminal's Ctrl-a c. *@out is NULL if
 * that is nothing. @window: the screen is in one, so that the terminal is free unless a port has
 * it.
 */
enum status console_open(struct console **out, const struct config *cfg, bool window,
                         char error[CHARDEV_ERROR_MAX]) MUST_CHECK;
/** Do what was typed. False: the run is to end. NULL is accepted, as by the others. */
bool console_update(struct console *c, struct pc *pc) MUST_CHECK;
/** What to wait for; false: nothing. */
bool console_poll(struct console *c, struct pollfd *p);
void console_close(struct console *c);
