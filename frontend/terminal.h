/* SPDX-License-Identifier: MIT */
/* The host's terminal in raw mode, and back to what it was on every way out. */
#pragma once

/** Make the standard input raw if it is a terminal. */
void terminal_raw(void);

/** Bytes to write when the terminal is put back, in place of any given before; NULL: none. They
 *  are not copied. */
void terminal_farewell(const char *text);

/** Undo it; safe in a signal handler and when nothing was changed. */
void terminal_restore(void);
