/* SPDX-License-Identifier: MIT */
/* 82371SB (PIIX3), function 0: PCI to ISA bridge, interrupt steering, reset control. */
#pragma once

#include "base/status.h"
#include "devices/device.h"
#include "devices/line.h"
#include "devices/pci.h"

struct piix3;

struct piix3_desc {
    struct pci_bus *pci;
    struct line irq[16];  /* to the interrupt controller; only 3-7, 9-12, 14, 15 are driven */
    struct line pirq[4];  /* PIRQA# to PIRQD#, electrically: low while a slot pulls */
    struct line reset;    /* rising edge: the whole board restarts */
    struct line cpu_init; /* rising edge: the CPU restarts */
};

extern const struct device_class piix3_class;

/** Create the bridge at 01.0 and become the bus's interrupt router and reset control (CF9h). */
enum status piix3_create(struct piix3 **out, const struct piix3_desc *desc) MUST_CHECK;

/** The system-control interrupt's input: wired to IRQ 9 together with the PIRQs steered there. */
struct line piix3_sci(struct piix3 *p);
