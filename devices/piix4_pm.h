/* SPDX-License-Identifier: MIT */
/* 82371AB (PIIX4), function 3: ACPI power management, PM timer, APM ports, SMBus host. */
#pragma once

#include "base/clock.h"
#include "base/status.h"
#include "devices/device.h"
#include "devices/line.h"
#include "devices/pci.h"

struct piix4_pm;

/* What the ACPI tables must say. The blocks lie at the base that firmware writes to PMBASE. */
enum piix4_pm_acpi {
    PIIX4_PM1_EVT = 0x00, /* 4 bytes: status, enable                     */
    PIIX4_PM1_CNT = 0x04, /* 2 bytes                                     */
    PIIX4_PM_TMR = 0x08,  /* 4 bytes, 24-bit counter                     */
    PIIX4_GPE0 = 0x0c,    /* 4 bytes: 16 status bits, 16 enable bits     */
    PIIX4_SLP_TYP_S5 = 0, /* \_S5 package: soft off                      */
    PIIX4_SMI_CMD = 0xb2, /* FADT SMI_CMD                                */
    PIIX4_ACPI_ENABLE = 0xf1,
    PIIX4_ACPI_DISABLE = 0xf0,
    PIIX4_SCI_IRQ = 9,
};

struct piix4_pm_desc {
    struct pci_bus *pci;
    struct ioport_bus *io;
    struct clock *clk;
    struct line sci;       /* level, to piix3_sci()         */
    struct line power_off; /* rising edge: the guest is off */
};

extern const struct device_class piix4_pm_class;

/** Create the function at 01.3 and claim the APM ports B2h and B3h. */
enum status piix4_pm_create(struct piix4_pm **out, const struct piix4_pm_desc *desc) MUST_CHECK;

/** The power button is pressed: an ACPI guest shuts down. False if nobody listens. */
bool piix4_pm_power_button(struct piix4_pm *pm);
