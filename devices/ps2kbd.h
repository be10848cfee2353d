/* SPDX-License-Identifier: MIT */
/* A PS/2 keyboard with 101 or more keys. */
#pragma once

#include "base/status.h"
#include "devices/device.h"
#include "devices/line.h"
#include "devices/ps2.h"

struct ps2kbd;

/** What the cable connects. */
struct ps2kbd_desc {
    struct line ready; /* pulses high when there is something to say: i8042_device_ready() */
};

/**
 * Keys are named by their make code in scan code set 1, with E000h added for those behind an E0h
 * prefix: 1Eh is A, E048h is cursor up. Some keys are special cases of the keyboard itself:
 */
enum ps2kbd_special {
    PS2KBD_PRINT_SCREEN = 0xe037, /* with Alt it is SysRq                */
    PS2KBD_PAUSE = 0xe11d,        /* with Ctrl it is Break; never released */
    PS2KBD_HANJA = 0xf1,          /* Korean; never released, one byte in sets 1 and 2 */
    PS2KBD_HANGUL = 0xf2,
};

extern const struct device_class ps2kbd_class;
extern const struct ps2_device_ops ps2kbd_ops;

/** Create the keyboard, self-tested and scanning. On failure *@out is untouched. */
enum status ps2kbd_create(struct ps2kbd **out, const struct ps2kbd_desc *desc) MUST_CHECK;

/**
 * A key goes down or up (a repeat is another down). False if the keyboard's buffer had no room
 * for it: the guest is told of an overrun and does not see the key.
 */
bool ps2kbd_key(struct ps2kbd *kbd, unsigned key, bool down);

/** Whether nothing that was typed still waits in the keyboard: how fast a script may type. */
bool ps2kbd_idle(const struct ps2kbd *kbd);

/** The lights: bit 0 Scroll Lock, 1 Num Lock, 2 Caps Lock. */
u8 ps2kbd_leds(const struct ps2kbd *kbd);
