/* SPDX-License-Identifier: MIT */
/* A monitor beside the running machine: on the terminal, if that is free, or at a socket. */
#pragma once

#include <poll.h>

#include "frontend/chardev.h"
#include "machine/pc.h"

struct console;

/**
 * Open what -monitor of @cfg asks for beside "none" and the terminal's Ctrl-a c. *@out is NULL if
 * that is nothing. @free_terminal: neither a port nor the screen is on it.
 */
enum status console_open(struct console **out, const struct config *cfg, bool free_terminal,
                         char error[CHARDEV_ERROR_MAX]) MUST_CHECK;
/** Do what was typed. False: the run is to end. NULL is accepted, as by the others. */
bool console_update(struct console *c, struct pc *pc) MUST_CHECK;
/** What to wait for; false: nothing. */
bool console_poll(struct console *c, struct pollfd *p);
void console_close(struct console *c);
