/* SPDX-License-Identifier: MIT */
/* A port by which a guest under test ends the run. */
#pragma once

#include "base/status.h"
#include "devices/device.h"
#include "devices/ioport.h"

struct isadebugexit;

/** What the board connects the port to. */
struct isadebugexit_desc {
    struct ioport_bus *io;
    u16 iobase, iosize; /* QEMU's defaults: 501h and 2; kernels often choose F4h and 4 */
    /** The guest wrote v: the run shall end with @code = v * 2 + 1. Called during the write. */
    void (*exit)(void *ctx, u32 code);
    void *ctx;
};

extern const struct device_class isadebugexit_class;

/** Create the device and claim its ports. On failure *@out is untouched. */
enum status isadebugexit_create(struct isadebugexit **out,
                                const struct isadebugexit_desc *desc) MUST_CHECK;
