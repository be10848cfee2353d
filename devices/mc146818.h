/* SPDX-License-Identifier: MIT */
/* The real-time clock and its CMOS RAM. */
#pragma once

#include "base/clock.h"
#include "base/status.h"
#include "devices/device.h"
#include "devices/ioport.h"
#include "devices/line.h"

struct mc146818;

/** What the board connects the chip to. */
struct mc146818_desc {
    struct ioport_bus *io;
    struct clock *clk;
    struct line irq8;
    struct line nmi_mask; /* high: the guest wants no NMI (bit 7 of port 70h) */
    u64 base_time;        /* what the calendar shows at guest time 0, in seconds since 1970 */
};

extern const struct device_class mc146818_class;

/**
 * Create the chip, running, in 24-hour BCD mode, RAM all 0, and claim 70h-71h. The board's own
 * CMOS bytes are set afterwards. On failure *@out is untouched.
 */
enum status mc146818_create(struct mc146818 **out, const struct mc146818_desc *desc) MUST_CHECK;

/** Set CMOS byte @index (0Eh to 7Fh; the registers below are the guest's). */
void mc146818_set(struct mc146818 *rtc, unsigned index, u8 val);

/** CMOS byte @index, 0 to 7Fh, without the effects of a read by the guest. */
u8 mc146818_get(struct mc146818 *rtc, unsigned index);
