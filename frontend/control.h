/* SPDX-License-Identifier: MIT */
/* Whoever controls a run from another program: gdb, and clients of the control socket. */
#pragma once

#include <poll.h>

#include "machine/pc.h"

struct console;
struct gdbstub;
struct qmp;

struct control {
    struct gdbstub *gdb;     /* or NULL */
    struct qmp *qmp;         /* or NULL */
    struct console *console; /* or NULL */
};

#define CONTROL_FDS 3u /* at most */

/** Listen as @cfg asks. False: told. */
bool control_open(struct control *c, const struct config *cfg) MUST_CHECK;
/** The machine exists now, and whether neither a port nor the screen is on the terminal. False:
 * told. */
bool control_attach(struct control *c, const struct config *cfg, struct pc *pc,
                    bool free_terminal) MUST_CHECK;
void control_close(struct control *c);

/** The machine must not run. */
bool control_holds(const struct control *c, const struct pc *pc);
/** What the guest says now was said before. */
bool control_replays(const struct control *c);
/** Do what they want; @stop is what pc_run() has returned. False: the run is to end. */
bool control_update(struct control *c, struct pc *pc, enum pc_stop stop) MUST_CHECK;
/** The machine has stopped for good. */
void control_ended(struct control *c, enum pc_stop stop, int status);
/** What to wait for: how many of @fds. */
unsigned control_poll(struct control *c, struct pollfd fds[CONTROL_FDS]);
