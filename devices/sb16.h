/* SPDX-License-Identifier: MIT */
/* A Sound Blaster 16 on ISA: DSP 4.05, CT1745 mixer, and an MPU-401 in UART mode without an
 * instrument. */
#pragma once

#include "base/clock.h"
#include "base/status.h"
#include "devices/device.h"
#include "devices/i8237.h"
#include "devices/ioport.h"
#include "devices/line.h"
#include "devices/sound.h"

struct sb16;

/** What the board connects the card to. */
struct sb16_desc {
    struct ioport_bus *io;
    struct clock *clk;
    struct i8237 *dma;   /* not owned */
    struct line irq[4];  /* IRQ 2 (9), 5, 7, 10: mixer register 80h chooses */
    struct sound *sound; /* not owned */
};

extern const struct device_class sb16_class;

/** Create the card at 220h and 330h, with IRQ 5 and DMA 1 and 5. On failure *@out is untouched. */
enum status sb16_create(struct sb16 **out, const struct sb16_desc *desc) MUST_CHECK;

/** What the mixer makes of the synthesizer's sound on the left (@side 0) or right: 65536 is 1. */
u32 sb16_midi_gain(void *sb, unsigned side);
