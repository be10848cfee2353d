/* SPDX-License-Identifier: MIT */
/* The pair of interrupt controllers of the PC/AT: sixteen interrupt lines, one INTR. */
#pragma once

#include "base/status.h"
#include "devices/device.h"
#include "devices/ioport.h"
#include "devices/line.h"

struct i8259;

/** What the board connects the pair to. */
struct i8259_desc {
    struct ioport_bus *io;
    struct line intr; /* level: the CPU's INTR, or LINT0 of its local APIC */
    bool elcr;        /* ports 4D0h/4D1h exist, and replace the LTIM bit (PIIX3 and later) */
};

extern const struct device_class i8259_class;

/** Create the pair in its reset state and claim its ports. On failure *@out is untouched. */
enum status i8259_create(struct i8259 **out, const struct i8259_desc *desc) MUST_CHECK;

/**
 * Drive interrupt input @irq, 0 to 15; fits struct line. An edge input latches a rising edge, but
 * only while it stays high: a driver that pulses low to high must leave it high. Input 2 is the
 * cascade: the pair drives it itself, and @irq 2 is ignored.
 */
void i8259_set_irq(void *pics, unsigned irq, bool level);

/** The CPU's interrupt acknowledge cycle: the vector to deliver. Spurious requests give 7 or 15. */
u8 i8259_acknowledge(struct i8259 *pics);
