/* SPDX-License-Identifier: MIT */
/* 82371SB (PIIX3), function 1: bus-master IDE. */
#pragma once

#include "base/status.h"
#include "devices/ata.h"
#include "devices/device.h"
#include "devices/pci.h"
#include "mmu/physmem.h"

struct piix_ide;

struct piix_ide_desc {
    struct pci_bus *pci;
    struct physmem *pm;
    struct ata *ata; /* the channels that it masters for */
};

extern const struct device_class piix_ide_class;

/** Create the function at 01.1 and connect it to the channels. On failure *@out is untouched. */
enum status piix_ide_create(struct piix_ide **out, const struct piix_ide_desc *desc) MUST_CHECK;
