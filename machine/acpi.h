/* SPDX-License-Identifier: MIT */
/*
 * The ACPI tables of the board, handed to the firmware as two blobs and a script that places and
 * links them. Reference: [ACPI 1.0b §5.2]; the script: [QEMU-FWCFG] etc/table-loader.
 *
 * Not implemented: MADT (there is no local APIC or I/O APIC yet: the 8259 pair is the interrupt
 * model), HPET, SLIT and SRAT.
 */
#pragma once

#include "machine/fw.h"

/** Where the board's ACPI registers are once the firmware has set up the power management chip. */
enum acpi_ports {
    ACPI_PM_BASE = 0x600, /* event block; control at +4, timer at +8 */
    ACPI_SMI_CMD = 0xb2,
    ACPI_ENABLE = 0xf1, /* values for ACPI_SMI_CMD */
    ACPI_DISABLE = 0xf0,
    ACPI_SCI_IRQ = 9,
};

/** Add RSDP, RSDT, FADT, FACS and @dsdt (compiled AML with its header) to the firmware's items. */
void acpi_add_tables(struct fw_list *l, const u8 *dsdt, size_t dsdt_len);
