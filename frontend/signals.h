/* SPDX-License-Identifier: MIT */
/* Signals that end a run: SIGINT and SIGTERM. They are noted, and looked at between two slices. */
#pragma once

#include "base/types.h"

/** Note them from now on, and ignore SIGPIPE. */
void signals_catch(void);
/** Let them end the process at once again. */
void signals_release(void);
/** The last one that came, or 0. */
int signals_caught(void);

/** Hold them, and ends of child processes, until signals_wait(): nothing comes unnoticed. */
void signals_hold(void);
/** Sleep until one of them comes. Only while they are held. */
void signals_wait(void);
/** The end of signals_hold(). */
void signals_let(void);
