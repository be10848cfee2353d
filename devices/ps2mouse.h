/* SPDX-License-Identifier: MIT */
/* A PS/2 mouse with a wheel and up to five buttons. */
#pragma once

#include "base/status.h"
#include "devices/device.h"
#include "devices/line.h"
#include "devices/ps2.h"

struct ps2mouse;

/** What the cable connects. */
struct ps2mouse_desc {
    struct line ready; /* pulses high when there is something to say: i8042_device_ready() */
};

enum ps2mouse_button {
    PS2MOUSE_LEFT = BIT(0),
    PS2MOUSE_RIGHT = BIT(1),
    PS2MOUSE_MIDDLE = BIT(2),
    PS2MOUSE_SIDE = BIT(3),
    PS2MOUSE_EXTRA = BIT(4),
};

extern const struct device_class ps2mouse_class;
extern const struct ps2_device_ops ps2mouse_ops;

/** Create the mouse, self-tested and silent. On failure *@out is untouched. */
enum status ps2mouse_create(struct ps2mouse **out, const struct ps2mouse_desc *desc) MUST_CHECK;

/**
 * The mouse moves right by @dx and down by @dy counts, its wheel towards the user by @dz notches.
 * What the guest has not fetched yet adds up.
 */
void ps2mouse_move(struct ps2mouse *m, int dx, int dy, int dz);

/** The buttons that are down from now on: enum ps2mouse_button. */
void ps2mouse_buttons(struct ps2mouse *m, u8 down);

/** Send a packet even if there is nothing to tell: vmmouse.c has. Fits struct line. */
void ps2mouse_poke(void *mouse, unsigned pin, bool level);

/** Whether a packet has told the buttons as they are, or none will. */
bool ps2mouse_idle(const struct ps2mouse *m);
