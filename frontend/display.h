/* SPDX-License-Identifier: MIT */
/*
 * -display terminal: the guest's text screen drawn in the terminal, keys of the terminal typed on
 * the guest's keyboard. Works wherever a terminal does: it writes UTF-8 and [ECMA-48] sequences,
 * only what changed, and never faster than the terminal takes it.
 */
#pragma once

#include "frontend/chardev.h"
#include "machine/pc.h"

struct display;

/** Draw on @out, which must outlive it and be the terminal. NULL: no memory. */
struct display *display_open(struct chardev *out);
/** Leave the terminal as it was. NULL is accepted. */
void display_close(struct display *d);

/** Draw what has changed, some thirty times a second. @host_ns is the host's monotonic time. */
void display_draw(struct display *d, const struct pc *pc, u64 host_ns);

/** Bytes that were typed. */
void display_typed(struct display *d, const u8 *bytes, size_t n, u64 host_ns);
/** Ctrl-Alt-Del, which no terminal sends. */
void display_ctrl_alt_del(struct display *d);
/** Give the keyboard what it has room for. */
void display_press(struct display *d, struct pc *pc, u64 host_ns);
/** When display_draw() or display_press() has something to do, as host time. */
u64 display_wake_time(const struct display *d);

/** Let others print below the screen, and take the terminal back. */
void display_suspend(struct display *d);
void display_resume(struct display *d);
