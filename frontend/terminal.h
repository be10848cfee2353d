/* SPDX-License-Identifier: MIT */
/* The host's terminal in raw mode, and back to what it was on every way out. */
#pragma once

/** Make the standard input raw if it is a terminal. */
void terminal_raw(void);

/** Undo it; safe in a signal handler and when nothing was changed. */
void terminal_restore(void);
