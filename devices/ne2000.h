/* SPDX-License-Identifier: MIT */
/* NE2000 network cards: the ISA one, and its PCI descendant RTL8029AS. */
#pragma once

#include "base/status.h"
#include "devices/device.h"
#include "devices/ioport.h"
#include "devices/line.h"
#include "devices/nic.h"
#include "devices/pci.h"

struct ne2000;

struct ne2000_isa_desc {
    struct ioport_bus *io;
    u16 base; /* 32 ports */
    struct line irq;
    u8 mac[NIC_ADDRESS];
    struct nic_wire wire;
};

struct ne2000_pci_desc {
    struct pci_bus *pci;
    u8 devfn;
    u8 mac[NIC_ADDRESS];
    struct nic_wire wire;
    const u8 *rom; /* expansion ROM, copied; NULL: none */
    size_t rom_len;
};

extern const struct device_class ne2000_isa_class, ne2000_pci_class;

/** Create a card in its reset state. On failure *@out is untouched. */
enum status ne2000_isa_create(struct ne2000 **out, const struct ne2000_isa_desc *desc) MUST_CHECK;
enum status ne2000_pci_create(struct ne2000 **out, const struct ne2000_pci_desc *desc) MUST_CHECK;

extern const struct nic_ops ne2000_nic_ops;
