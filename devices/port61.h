/* SPDX-License-Identifier: MIT */
/* System Control Port B (61h): timer 2's gate, the speaker, the refresh toggle. */
#pragma once

#include "base/clock.h"
#include "base/status.h"
#include "devices/device.h"
#include "devices/i8254.h"
#include "devices/ioport.h"

struct port61;

/** What the board connects the port to. */
struct port61_desc {
    struct ioport_bus *io;
    struct clock *clk;
    struct i8254 *pit;   /* not owned */
    struct line speaker; /* high: the speaker follows OUT 2 */
};

extern const struct device_class port61_class;

/** Create the port in its reset state and claim it. On failure *@out is untouched. */
enum status port61_create(struct port61 **out, const struct port61_desc *desc) MUST_CHECK;
