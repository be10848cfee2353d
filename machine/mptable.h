/* SPDX-License-Identifier: MIT */
/*
 * The MP configuration table: CPUs, buses, the I/O APIC, and where each interrupt goes. For guests
 * without ACPI. Reference: Intel, MultiProcessor Specification 1.4 [MP].
 */
#pragma once

#include "machine/table_loader.h"

/** How the board is wired; the ACPI tables and the DSDT say the same. */
enum {
    IOAPIC_ID = 8,          /* CPUs have 0 to 7 */
    IOAPIC_INPUT_8259 = 0,  /* INTR of the 8259 pair */
    IOAPIC_INPUT_TIMER = 2, /* IRQ 0; the other ISA IRQs have their own numbers */
    IOAPIC_INPUT_PIRQ = 16, /* PIRQA# to PIRQD#, active low */
    IOAPIC_VERSION = 0x11,
};

struct mptable_cpus {
    unsigned count;
    u8 apic_version;
    u32 signature, features; /* CPUID leaf 1, EAX and EDX */
};

/** Add the table and its floating pointer to the firmware's items and to the script. */
void mptable_add(struct fw_list *l, struct table_loader *ld, const struct mptable_cpus *cpus);
