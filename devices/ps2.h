/* SPDX-License-Identifier: MIT */
/* The wire between a PS/2 device (keyboard, mouse) and its controller. */
#pragma once

#include "base/types.h"

/**
 * How the controller talks to a device. A device that gets something to say pulls the line it was
 * given at its creation; the controller then takes the bytes one at a time, as fast as the wire
 * and the guest allow.
 */
struct ps2_device_ops {
    bool (*pending)(void *dev); /* whether take() has a byte */
    u8 (*take)(void *dev);      /* the next byte; only if pending() */
    void (*write)(void *dev, u8 byte);
};

/** What the 8042 makes of byte @code (0 to 7Fh) of scan code set 2, apart from the break bit. */
extern const u8 ps2_set2_to_set1[128];

/** The set 2 make code that the 8042 turns into @code of set 1 (1 to 7Fh). */
u8 ps2_set1_to_set2(u8 code);

/**
 * The set 3 make code of a key as ps2kbd_key() names it; 0: it has none. All are below
 * PS2_SET3_CODES, and one byte long.
 */
u8 ps2_set3_code(unsigned key);

#define PS2_SET3_CODES 0x90u

/** What a keyboard in set 3 sends for a key, beside its make code when it goes down. */
enum ps2_set3_kind {
    PS2_SET3_REPEATS = BIT(0), /* typematic: more make codes while it is held */
    PS2_SET3_BREAKS = BIT(1),  /* F0h and its code when it goes up */
};

/** The kind of the key with set 3's @code after a reset. */
u8 ps2_set3_default_kind(u8 code);
