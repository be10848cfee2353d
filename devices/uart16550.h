/* SPDX-License-Identifier: MIT */
/* A serial port. */
#pragma once

#include "base/clock.h"
#include "base/status.h"
#include "devices/byte_sink.h"
#include "devices/device.h"
#include "devices/ioport.h"
#include "devices/line.h"

struct uart16550;

/** What the board connects the chip to. */
struct uart16550_desc {
    const char *name; /* unique on the clock, and outlives it: "com1" */
    struct ioport_bus *io;
    struct clock *clk;
    u16 base;             /* first of its eight ports */
    struct line irq;      /* through the PC's OUT2 gate */
    struct line dtr, rts; /* high: the guest asserts them */
    struct byte_sink out;
    u32 bit_ns; /* time of a bit on the wire; 0: as the divisor says */
};

/** The modem's wires; high is asserted. */
enum uart16550_modem {
    UART16550_CTS = BIT(4),
    UART16550_DSR = BIT(5),
    UART16550_RI = BIT(6),
    UART16550_DCD = BIT(7),
};

extern const struct device_class uart16550_class;

/**
 * Create the chip in its reset state, at 9600 baud, with CTS, DSR and DCD asserted, and claim its
 * ports. On failure *@out is untouched.
 */
enum status uart16550_create(struct uart16550 **out, const struct uart16550_desc *desc) MUST_CHECK;

/** Whether a byte that arrives now finds room (in loopback the wire is cut: no). */
bool uart16550_can_receive(const struct uart16550 *uart);

/** A byte arrives. False, and nothing happens, if there is no room for it. */
bool uart16550_receive(struct uart16550 *uart, u8 byte);

/** The other side holds the line low for longer than a character. False if there is no room. */
bool uart16550_receive_break(struct uart16550 *uart);

/** Drive the modem's wires: bits of enum uart16550_modem. */
void uart16550_set_modem(struct uart16550 *uart, u8 wires);
