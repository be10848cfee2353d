/* SPDX-License-Identifier: MIT */
/* System Control Port A: fast A20 gate and fast CPU reset. */
#pragma once

#include "base/status.h"
#include "devices/device.h"
#include "devices/ioport.h"
#include "devices/line.h"

struct port92;

/** What the board connects the chip to. */
struct port92_desc {
    struct ioport_bus *io;
    struct line a20;      /* high: address bit 20 passes */
    struct line cpu_init; /* rising edge: restart the CPU */
};

extern const struct device_class port92_class;

/** Create the chip in its reset state and claim its port. On failure *@out is untouched. */
enum status port92_create(struct port92 **out, const struct port92_desc *desc) MUST_CHECK;
