/* SPDX-License-Identifier: MIT */
/* The PC's way to report coprocessor errors: FERR# to IRQ 13, and port F0h to clear it. */
#pragma once

#include "base/status.h"
#include "devices/device.h"
#include "devices/ioport.h"
#include "devices/line.h"

struct portf0;

/** What the board connects the logic to. */
struct portf0_desc {
    struct ioport_bus *io;
    struct line irq13;
};

extern const struct device_class portf0_class;

/** Create the logic in its reset state and claim its port. On failure *@out is untouched. */
enum status portf0_create(struct portf0 **out, const struct portf0_desc *desc) MUST_CHECK;

/** FERR# of the CPU. */
void portf0_set_ferr(struct portf0 *p, bool level);
