/* SPDX-License-Identifier: MIT */
/* The keyboard controller: two PS/2 ports, the A20 gate, the CPU's reset. */
#pragma once

#include "base/clock.h"
#include "base/status.h"
#include "devices/device.h"
#include "devices/ioport.h"
#include "devices/line.h"
#include "devices/ps2.h"

struct i8042;

/** The controller's two connectors. */
enum i8042_port { I8042_KEYBOARD, I8042_AUX };

/** What the board connects the chip to. */
struct i8042_desc {
    struct ioport_bus *io;
    struct clock *clk;
    struct line irq1, irq12;
    struct line a20;   /* high: address bit 20 passes */
    struct line reset; /* pulses high: restart the CPU */
    u32 byte_ns;       /* what a device's byte takes on the wire; 0: a hurried 100 us */
};

extern const struct device_class i8042_class;

/** Create the chip, nothing attached, in its reset state; claim 60h and 64h. On failure *@out is
 * untouched. */
enum status i8042_create(struct i8042 **out, const struct i8042_desc *desc) MUST_CHECK;

/** Plug a device in (before the guest runs). @ops and @dev must outlive the controller. */
void i8042_attach(struct i8042 *kbc, enum i8042_port port, const struct ps2_device_ops *ops,
                  void *dev);

/** A device has something to say; fits struct line (@port is enum i8042_port). */
void i8042_device_ready(void *kbc, unsigned port, bool level);
