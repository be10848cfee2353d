/* SPDX-License-Identifier: MIT */
/* The debug console of emulators: a port whose bytes go to the host. */
#pragma once

#include "base/status.h"
#include "devices/byte_sink.h"
#include "devices/device.h"
#include "devices/ioport.h"

#define DEBUGPORT_DEFAULT 0xe9u

struct debugport;

/** What the board connects the port to. */
struct debugport_desc {
    struct ioport_bus *io;
    u16 port; /* DEBUGPORT_DEFAULT, or 402h for SeaBIOS */
    struct byte_sink out;
};

extern const struct device_class debugport_class;

/** Create the device and claim its port. On failure *@out is untouched. */
enum status debugport_create(struct debugport **out, const struct debugport_desc *desc) MUST_CHECK;
