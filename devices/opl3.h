/* SPDX-License-Identifier: MIT */
/* YMF262, the OPL3 of AdLib-compatible sound cards. */
#pragma once

#include "base/clock.h"
#include "base/status.h"
#include "devices/device.h"
#include "devices/ioport.h"
#include "devices/sound.h"

struct opl3;

struct opl3_desc {
    struct ioport_bus *io;
    struct clock *clk;
    struct sound *sound;                    /* not owned */
    u32 (*gain)(void *card, unsigned side); /* of the card's mixer, 65536 is 1; NULL: always 1 */
    void *card;
};

extern const struct device_class opl3_class;

/** Create the chip at 388h, and at 220h and 228h, where a Sound Blaster shows it. On failure *@out
 * is untouched. */
enum status opl3_create(struct opl3 **out, const struct opl3_desc *desc) MUST_CHECK;
