/* SPDX-License-Identifier: MIT */
/* The programmable interval timer: system tick, (once) DRAM refresh, speaker. */
#pragma once

#include "base/clock.h"
#include "base/status.h"
#include "devices/device.h"
#include "devices/ioport.h"
#include "devices/line.h"

#define I8254_HZ 1193182u /* CLK of all three counters: 14.31818 MHz / 12 */

struct i8254;

/** What the board connects the chip to. */
struct i8254_desc {
    struct ioport_bus *io;
    struct clock *clk;
    struct line irq0;  /* OUT of counter 0 */
    struct line sound; /* set before anything about counter 2 changes */
};

extern const struct device_class i8254_class;

/** Create the chip, idle with gates 0 and 1 high, and claim 40h-43h. On failure *@out is untouched.
 */
enum status i8254_create(struct i8254 **out, const struct i8254_desc *desc) MUST_CHECK;

/** Drive GATE of @counter (0 to 2) from now on. */
void i8254_set_gate(struct i8254 *pit, unsigned counter, bool level);

/** OUT of @counter at this moment. */
bool i8254_out(const struct i8254 *pit, unsigned counter);

/** The period, in CLKs, of the square wave or rate that @counter now produces; 0 if none. */
u32 i8254_period(const struct i8254 *pit, unsigned counter);

/** For how many CLKs of [@from, @to), the present registers given, OUT of @counter is high. */
u64 i8254_high(const struct i8254 *pit, unsigned counter, u64 from, u64 to);
