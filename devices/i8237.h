/* SPDX-License-Identifier: MIT */
/* The two DMA controllers of the PC/AT and their page registers. */
#pragma once

#include "base/status.h"
#include "devices/device.h"
#include "devices/ioport.h"
#include "devices/line.h"
#include "mmu/physmem.h"

struct i8237;

/** What the board connects the pair to. */
struct i8237_desc {
    struct ioport_bus *io;
    struct physmem *mem;
};

extern const struct device_class i8237_class;

/** Create the pair, all channels masked, and claim 00h-0Fh, 80h-8Fh and C0h-DFh. On failure *@out
 * is untouched. */
enum status i8237_create(struct i8237 **out, const struct i8237_desc *desc) MUST_CHECK;

/**
 * A device's DREQ, channels 0 to 7; fits struct line. It only shows in the status register: the
 * device moves its data itself, when its own time comes.
 */
void i8237_set_dreq(void *dma, unsigned channel, bool level);

/** Whether the guest has set @channel free to transfer: the device may expect DACK. */
bool i8237_ready(const struct i8237 *dma, unsigned channel);

/**
 * Have @channel move up to @n bytes between @buf and memory, as single, demand or block mode
 * would for as many DREQs. Channels 5 to 7 move words: an odd last byte is left.
 *
 * @to_memory: the device gives (a disk read); else it takes. Returns how many bytes were moved: 0
 * if the channel is not ready, fewer than @n if the count ended; *@tc tells whether it did (the
 * TC pin at the last byte). An auto-initialized channel can then go on at once; others are masked
 * until the guest programs them. A verify transfer, and one that the guest programmed the other way
 * round, counts as usual but touches no memory; a device that takes then gets FFh.
 */
size_t i8237_transfer(struct i8237 *dma, unsigned channel, u8 *buf, size_t n, bool to_memory,
                      bool *tc);
