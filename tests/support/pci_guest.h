/* SPDX-License-Identifier: MIT */
/* Configuration space as a guest reaches it: through CF8h and CFCh. */
#pragma once

#include "devices/ioport.h"

static inline void pci_select(struct ioport_bus *io, u8 devfn, unsigned reg)
{
    ioport_write(io, 0xcf8, 0x80000000u | (u32)devfn << 8 | (reg & 0xfc), W32);
}

static inline u32 pci_in(struct ioport_bus *io, u8 devfn, unsigned reg, enum width width)
{
    pci_select(io, devfn, reg);
    return ioport_read(io, (u16)(0xcfc + (reg & 3)), width);
}

static inline void pci_out(struct ioport_bus *io, u8 devfn, unsigned reg, u32 val, enum width width)
{
    pci_select(io, devfn, reg);
    ioport_write(io, (u16)(0xcfc + (reg & 3)), val, width);
}
