/* SPDX-License-Identifier: MIT */
/*
 * What a chip set without PCI does with memory: it copies the BIOS at RESET# into the RAM at the
 * same addresses, where it can be written, and leaves C0000h-DFFFFh to option ROMs that firmware
 * loads.
 *
 * Reference: [PC-AT-TRM] system memory map; how firmware takes it is QEMU's -M isapc.
 *
 * Not implemented: registers that protect the copy or give the RAM another address; RAM behind the
 * VGA.
 */
#include "devices/shadow.h"

#include <stdlib.h>
#include <string.h>

enum {
    VGA_BASE = 0xa0000,
    VGA_SIZE = 0x20000,
    VGA_DIRECT_SIZE = 0x10000,
    SHADOW_BASE = 0xc0000,
    SHADOW_END = 0x100000,
    LOW_BIOS_MAX = 128 << 10,
    BIOS_MAX = 16 << 20,
};

#define FOUR_GIB (1ull << 32)

struct shadow {
    struct shadow_desc desc;
    const struct mmio_ops *vga_ops;
    void *vga;
    bool direct;
};

static void shadow_reset(void *dev)
{
    const struct shadow *s = dev;
    size_t shown = s->desc.bios_len < LOW_BIOS_MAX ? s->desc.bios_len : LOW_BIOS_MAX;

    physmem_write(s->desc.pm, SHADOW_END - shown, s->desc.bios + s->desc.bios_len - shown, shown);
}

/* What it has is in RAM. */
static const struct field shadow_fields[] = {FIELDS_END};

const struct device_class shadow_class = {
    .name = "shadow",
    .version = 1,
    .fields = shadow_fields,
    .reset = shadow_reset,
    .destroy = free,
};

static void map_fixed(const struct shadow *s)
{
    struct physmem *pm = s->desc.pm;
    size_t size = physmem_ram_size(pm);

    physmem_map_ram(pm, 0, VGA_BASE, 0);
    physmem_map_ram(pm, SHADOW_BASE, size - SHADOW_BASE, SHADOW_BASE);
    physmem_map_video(pm, SHADOW_LFB, physmem_video_size(pm), 0);
    physmem_map_rom(pm, FOUR_GIB - s->desc.bios_len, s->desc.bios_len, s->desc.bios);
}

enum status shadow_create(struct shadow **out, const struct shadow_desc *desc)
{
    size_t ram = physmem_ram_size(desc->pm);

    if (!desc->bios_len || desc->bios_len % PAGE_SIZE || desc->bios_len > BIOS_MAX ||
        ram < SHADOW_END || ram > SHADOW_LFB)
        return STATUS_BAD_SIZE;
    struct shadow *s = calloc(1, sizeof(*s));
    if (!s)
        return STATUS_NO_MEMORY;
    s->desc = *desc;
    map_fixed(s);
    shadow_reset(s);
    *out = s;
    return STATUS_OK;
}

enum status shadow_set_vga(struct shadow *s, const struct mmio_ops *ops, void *vga)
{
    s->vga_ops = ops;
    s->vga = vga;
    return physmem_map_mmio(s->desc.pm, VGA_BASE, VGA_SIZE, ops, vga);
}

void shadow_set_vga_direct(struct shadow *s, bool direct, size_t off)
{
    struct physmem *pm = s->desc.pm;
    bool was = s->direct;

    s->direct = direct;
    if (direct && was)
        physmem_bank_video(pm, VGA_BASE, VGA_DIRECT_SIZE, off);
    else if (direct)
        physmem_map_video(pm, VGA_BASE, VGA_DIRECT_SIZE, off);
    else if (physmem_map_mmio(pm, VGA_BASE, VGA_SIZE, s->vga_ops, s->vga) != STATUS_OK)
        s->direct = was; /* cannot be: the region is known since the VGA was set */
}
