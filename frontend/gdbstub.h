/* SPDX-License-Identifier: MIT */
/*
 * gdb's remote protocol (-gdb, -s): the runner calls gdbstub_update() between two calls of
 * pc_run(), and does not run the machine while gdbstub_holds() it.
 *
 * Reference: [GDB] Appendix E, Remote Protocol.
 */
#pragma once

#include <poll.h>

#include "machine/pc.h"

struct gdbstub;

#define GDBSTUB_ERROR_MAX 400u

/** Listen as -gdb or -s says; *@out is NULL without them. False: @error holds one sentence. */
bool gdbstub_open(struct gdbstub **out, const struct config *cfg,
                  char error[GDBSTUB_ERROR_MAX]) MUST_CHECK;
/** Attach to the machine, which exists now. The same. */
bool gdbstub_attach(struct gdbstub *g, struct pc *pc, char error[GDBSTUB_ERROR_MAX]) MUST_CHECK;
/** NULL is accepted, here and below. */
void gdbstub_close(struct gdbstub *g);

/** The machine must not run. */
bool gdbstub_holds(const struct gdbstub *g);
/** What the guest says now was said before: it is a replay. */
bool gdbstub_replays(const struct gdbstub *g);
/** Answer gdb; @stop is what pc_run() has returned. False: gdb has ended the run. */
bool gdbstub_update(struct gdbstub *g, enum pc_stop stop) MUST_CHECK;
/** The run ends with exit status @status. */
void gdbstub_ended(struct gdbstub *g, int status);
/** What to wait for; false: nothing. */
bool gdbstub_poll(struct gdbstub *g, struct pollfd *p);
