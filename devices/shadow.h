/* SPDX-License-Identifier: MIT */
/* Memory of a board without PCI: RAM, the BIOS and its copy in shadow RAM, the VGA. */
#pragma once

#include "base/status.h"
#include "devices/device.h"
#include "mmu/physmem.h"

struct shadow;

/** Where video memory answers in one piece. RAM ends below it. */
#define SHADOW_LFB 0xe0000000u

struct shadow_desc {
    struct physmem *pm; /* its whole RAM, of at most SHADOW_LFB bytes, and its video memory */
    const u8 *bios;     /* not owned; ends at 4 GiB, and its last 128 KiB at 1 MiB */
    size_t bios_len;    /* a multiple of 4 KiB, at most 16 MiB */
};

extern const struct device_class shadow_class;

/** Map everything. STATUS_BAD_SIZE: the BIOS, or the RAM. On failure *@out is untouched. */
enum status shadow_create(struct shadow **out, const struct shadow_desc *desc) MUST_CHECK;

/** Who answers at A0000h-BFFFFh. @ops must outlive it. */
enum status shadow_set_vga(struct shadow *s, const struct mmio_ops *ops, void *vga) MUST_CHECK;

/** Video memory from @off on answers at A0000h-AFFFFh instead, or with @direct false does not. */
void shadow_set_vga_direct(struct shadow *s, bool direct, size_t off);
