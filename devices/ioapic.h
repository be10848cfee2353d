/* SPDX-License-Identifier: MIT */
/* The I/O APIC: twenty-four interrupt inputs, each with an entry that says whom to tell and how. */
#pragma once

#include "base/status.h"
#include "devices/apic_bus.h"
#include "devices/device.h"

struct ioapic;

#define IOAPIC_PINS 24u

struct ioapic_desc {
    struct apic_bus *bus;
    u8 id;    /* after reset software gives it one; this is what the board's tables say */
    u32 idle; /* inputs that are high when nobody drives them: PIRQ# */
};

extern const struct device_class ioapic_class;

/** Create it in its reset state at IOAPIC_BASE, on @desc->bus. On failure *@out is untouched. */
enum status ioapic_create(struct ioapic **out, const struct ioapic_desc *desc) MUST_CHECK;

/** Drive input @pin (electrically: PCI's are low when they ask); fits struct line. */
void ioapic_set_irq(void *ioapic, unsigned pin, bool level);

/** Could an input interrupt a CPU with IF clear? */
bool ioapic_can_nmi(const struct ioapic *io);

/* --- for the bus --- */

void ioapic_eoi(struct ioapic *io, u8 vector);
void ioapic_extint_taken(struct ioapic *io);
