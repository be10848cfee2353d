/* SPDX-License-Identifier: MIT */
/*
 * The ACPI tables of the board, handed to the firmware as two blobs and a script that places and
 * links them. Reference: [ACPI 1.0b §5.2]; the script: [QEMU-FWCFG] etc/table-loader.
 *
 * Not implemented: HPET, SLIT and SRAT.
 */
#pragma once

#include "machine/table_loader.h"

/** Where the board's ACPI registers are once the firmware has set up the power management chip. */
enum acpi_ports {
    ACPI_PM_BASE = 0x600, /* event block; control at +4, timer at +8 */
    ACPI_SMI_CMD = 0xb2,
    ACPI_ENABLE = 0xf1, /* values for ACPI_SMI_CMD */
    ACPI_DISABLE = 0xf0,
    ACPI_SCI_IRQ = 9,
};

struct acpi_desc {
    const u8 *dsdt; /* compiled AML with its header */
    size_t dsdt_len;
    unsigned apics; /* CPUs with a local APIC, 0 to 8; 0: the 8259 pair is the interrupt model */
};

/** Add RSDP, RSDT, FADT, FACS, MADT and DSDT to the firmware's items and to the script. */
void acpi_add_tables(struct fw_list *l, struct table_loader *ld, const struct acpi_desc *desc);
