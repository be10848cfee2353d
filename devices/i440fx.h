/* SPDX-License-Identifier: MIT */
/* 82441FX host bridge: where RAM, the BIOS and the PCI bus answer. */
#pragma once

#include "base/status.h"
#include "devices/device.h"
#include "devices/pci.h"
#include "mmu/physmem.h"

struct i440fx;

/** RAM that answers below 4 GiB at most; what is left answers from 4 GiB on. */
#define I440FX_LOW_RAM_MAX 0xe0000000u

struct i440fx_desc {
    struct pci_bus *pci;
    struct physmem *pm; /* its whole RAM belongs to the bridge */
    const u8 *bios;     /* not owned; ends at 4 GiB, and its last 128 KiB at 1 MiB */
    size_t bios_len;    /* a multiple of 4 KiB, at most 16 MiB */
};

extern const struct device_class i440fx_class;

/**
 * Create the bridge as function 00.0 of @desc->pci and map all of RAM and the BIOS.
 * STATUS_BAD_SIZE: the BIOS. On failure *@out is untouched.
 */
enum status i440fx_create(struct i440fx **out, const struct i440fx_desc *desc) MUST_CHECK;

/** Who answers at A0000h-BFFFFh when RAM does not: the VGA. @ops must outlive the bridge. */
enum status i440fx_set_vga(struct i440fx *f, const struct mmio_ops *ops, void *vga) MUST_CHECK;

/**
 * Video memory from @off on answers at A0000h-AFFFFh instead of @ops, or with @direct false does
 * not. Moving it costs next to nothing.
 */
void i440fx_set_vga_direct(struct i440fx *f, bool direct, size_t off);

/** SMIACT#: the CPU is in system-management mode and sees the RAM behind the VGA. */
void i440fx_set_smiact(struct i440fx *f, bool active);
