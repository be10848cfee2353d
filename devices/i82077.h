/* SPDX-License-Identifier: MIT */
/* The floppy disk controller of the PC/AT and up to two drives. */
#pragma once

#include "base/clock.h"
#include "base/status.h"
#include "devices/block.h"
#include "devices/device.h"
#include "devices/floppy.h"
#include "devices/i8237.h"
#include "devices/ioport.h"
#include "devices/line.h"

struct i82077;

enum { I82077_DRIVES = 2 };

/** What the board connects the chip to. */
struct i82077_desc {
    struct ioport_bus *io;
    struct clock *clk;
    struct line irq;         /* 6 */
    struct i8237 *dma;       /* not owned */
    unsigned channel;        /* 2 */
    u8 drive[I82077_DRIVES]; /* enum floppy_type */
};

extern const struct device_class i82077_class;

/** Create the chip with empty drives and claim 3F2h-3F5h and 3F7h. On failure *@out is untouched.
 */
enum status i82077_create(struct i82077 **out, const struct i82077_desc *desc) MUST_CHECK;

/**
 * Put @medium (not owned; NULL: nothing) into a drive, in place of what was there; the guest sees
 * the change line. STATUS_BAD_SIZE: it does not fit, and nothing has changed.
 */
enum status i82077_insert(struct i82077 *fdc, unsigned drive, struct block *medium) MUST_CHECK;
