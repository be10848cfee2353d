/* SPDX-License-Identifier: MIT */
/* Realtek's Fast Ethernet controllers RTL8139C and RTL8139C+. */
#pragma once

#include "base/clock.h"
#include "base/status.h"
#include "devices/device.h"
#include "devices/nic.h"
#include "devices/pci.h"

struct rtl8139;

struct rtl8139_desc {
    const char *name; /* of its timer; must outlive the clock */
    struct pci_bus *pci;
    struct physmem *pm;
    struct clock *clk;
    u8 devfn;
    u8 mac[NIC_ADDRESS];
    bool cplus; /* the C+ with its descriptor rings */
    struct nic_wire wire;
    const u8 *rom; /* expansion ROM, copied; NULL: none */
    size_t rom_len;
};

extern const struct device_class rtl8139_class;

/** Create a card in its reset state. On failure *@out is untouched. */
enum status rtl8139_create(struct rtl8139 **out, const struct rtl8139_desc *desc) MUST_CHECK;

extern const struct nic_ops rtl8139_nic_ops;
