/* SPDX-License-Identifier: MIT */
/*
 * VGA: the card around the units in vga_port.c, vga_memory.c and vga_vbe.c, or cirrus.c.
 *
 * The PCI form has the identity of Bochs' and QEMU's standard card, 1234:1111, so that their video
 * BIOS and drivers know it: BAR 0 linear frame buffer, BAR 2 registers, ROM BAR the video BIOS.
 * The legacy ports and the A0000h window answer always, whatever PCI_COMMAND says.
 */
#include "devices/vga.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "devices/vga_state.h"

enum {
    VGA_VENDOR = 0x1234,
    VGA_DEVICE = 0x1111,
    VGA_CLASS = 0x030000,
    VGA_REVISION = 2,
    BAR_MMIO = 2,
    MMIO_SIZE = 0x1000,
    PORT_VBE = 0x1ce,
    PORT_VBE_COUNT = 3, /* index at 1CEh, data at 1CFh and 1D0h, all 16 bits */
    VRAM_MIN = 256 << 10,
    VRAM_MAX = 256 << 20,
    VBE_ID_RESET = 0xb0c5,
    CIRRUS_VENDOR = 0x1013,
    CIRRUS_GD5446 = 0x00b8,
    CIRRUS_APERTURE = 32 << 20,
    CIRRUS_BAR_MMIO = 1,
};

static u32 vbe_port_read(void *dev, u16 off, enum width width)
{
    const struct vga *v = dev;

    return (off ? vbe_read(v) : v->vbe_index) & (u32)width_mask(width);
}

static void vbe_port_write(void *dev, u16 off, u32 val, enum width width)
{
    struct vga *v = dev;

    if (width != W16)
        return;
    if (off)
        vbe_write(v, (u16)val);
    else
        v->vbe_index = (u16)val;
}

static const struct ioport_ops vbe_ops = {
    .read = vbe_port_read, .write = vbe_port_write, .max = W16};

/* Of both cards. */
#define VGA_FIELDS                                                                                 \
    FIELD_STRUCT(struct vga, pci, pci_dev_fields), FIELD(struct vga, misc),                        \
        FIELD(struct vga, feature), FIELD(struct vga, enable), FIELD(struct vga, seq_index),       \
        FIELD_ARRAY(struct vga, seq), FIELD(struct vga, crtc_index),                               \
        FIELD_ARRAY(struct vga, crtc), FIELD(struct vga, gc_index), FIELD_ARRAY(struct vga, gc),   \
        FIELD(struct vga, ac_index), FIELD_ARRAY(struct vga, ac), FIELD(struct vga, ac_data),      \
        FIELD(struct vga, dac_mask), FIELD(struct vga, dac_read), FIELD(struct vga, dac_write),    \
        FIELD(struct vga, dac_sub), FIELD(struct vga, dac_reading),                                \
        FIELD_ARRAY(struct vga, dac_latch), FIELD_ARRAY(struct vga, dac), FIELD(struct vga, latch)

static const struct field vga_fields[] = {
    VGA_FIELDS,
    FIELD(struct vga, vbe_index),
    FIELD_ARRAY(struct vga, vbe),
    FIELD_BYTES(struct vga, vram, vram_bytes),
    FIELDS_END,
};

static const struct field gd5446_fields[] = {
    VGA_FIELDS,
    FIELD_STRUCT(struct vga, cx, cirrus_fields),
    FIELD_BYTES(struct vga, vram, vram_bytes),
    FIELDS_END,
};

static void vga_reset(void *dev)
{
    struct vga *v = dev;

    if (v->pci.bus)
        pci_dev_reset(&v->pci);
    v->misc = v->feature = v->enable = 0;
    v->seq_index = v->crtc_index = v->gc_index = v->ac_index = 0;
    v->ac_data = false;
    memset(v->seq, 0, sizeof(v->seq));
    memset(v->crtc, 0, sizeof(v->crtc));
    memset(v->gc, 0, sizeof(v->gc));
    memset(v->ac, 0, sizeof(v->ac));
    memset(v->dac, 0, sizeof(v->dac));
    memset(v->dac_latch, 0, sizeof(v->dac_latch));
    memset(v->vbe, 0, sizeof(v->vbe));
    v->dac_mask = 0xff;
    v->dac_read = v->dac_write = v->dac_sub = v->dac_reading = 0;
    v->latch = 0;
    v->vbe_index = 0;
    v->vbe[VBE_ID] = VBE_ID_RESET;
    cirrus_reset(v);
    vga_update_window(v);
}

/* Guests can only reach valid values; a damaged snapshot must not do more. */
static void vga_loaded(void *dev)
{
    struct vga *v = dev;

    v->seq_index &= SEQ__COUNT - 1;
    v->gc_index &= GC__COUNT - 1;
    v->crtc_index &= 0x3f;
    v->dac_sub %= 3;
    vbe_loaded(v);
    if (v->desc.cirrus)
        cirrus_loaded(v);
    if (v->pci.bus)
        pci_dev_loaded(&v->pci);
    vga_screen_forget(v);
    vga_update_window(v);
}

static void vga_destroy(void *dev)
{
    struct vga *v = dev;

    if (!v)
        return;
    pci_unregister(&v->pci);
    vga_screen_destroy(v);
    free(v);
}

const struct device_class vga_class = {
    .name = "vga",
    .version = 2,
    .fields = vga_fields,
    .reset = vga_reset,
    .loaded = vga_loaded,
    .destroy = vga_destroy,
};

const struct device_class cirrus_class = {
    .name = "cirrus",
    .version = 1,
    .fields = gd5446_fields,
    .reset = vga_reset,
    .loaded = vga_loaded,
    .destroy = vga_destroy,
};

/* What was written at the old address is not known any more. */
static void vga_moved(void *owner, unsigned bar, u64 addr)
{
    struct vga *v = owner;

    (void)addr;
    vga_screen_forget(v);
    if (v->desc.cirrus && bar == VGA_BAR_LFB)
        cirrus_update_linear(v, true);
}

static enum status vga_plug(struct vga *v)
{
    static const struct pci_ident standard = {
        .vendor = VGA_VENDOR,
        .device = VGA_DEVICE,
        .class_code = VGA_CLASS,
        .revision = VGA_REVISION,
    };
    static const struct pci_ident cirrus = {
        .vendor = CIRRUS_VENDOR,
        .device = CIRRUS_GD5446,
        .class_code = VGA_CLASS,
    };
    static const struct pci_hooks hooks = {.moved = vga_moved};
    enum status s = STATUS_OK;

    pci_dev_init(&v->pci, v->desc.cirrus ? &cirrus : &standard, &hooks, v);
    if (v->desc.cirrus) {
        pci_add_memory_bar(&v->pci, VGA_BAR_LFB, CIRRUS_APERTURE, true, &cirrus_aperture_ops);
        pci_add_memory_bar(&v->pci, CIRRUS_BAR_MMIO, MMIO_SIZE, false, &cirrus_mmio_ops);
    } else {
        pci_add_video_bar(&v->pci, VGA_BAR_LFB, (u32)v->vram_bytes);
        pci_add_memory_bar(&v->pci, BAR_MMIO, MMIO_SIZE, false, &vga_mmio_ops);
    }
    if (v->desc.rom)
        s = pci_add_rom(&v->pci, v->desc.rom, v->desc.rom_len);
    return s == STATUS_OK ? pci_register(&v->pci, v->desc.pci, v->desc.devfn) : s;
}

static enum status vga_connect(struct vga *v)
{
    enum status s = STATUS_OK;

    if (!v->desc.cirrus)
        s = ioport_claim(v->desc.io, PORT_VBE, PORT_VBE_COUNT, &vbe_ops, v);
    if (s != STATUS_OK || !v->desc.pci)
        return s;
    s = vga_plug(v);
    if (s != STATUS_OK && !v->desc.cirrus)
        ioport_release(v->desc.io, PORT_VBE, PORT_VBE_COUNT);
    return s;
}

enum status vga_create(struct vga **out, const struct vga_desc *desc)
{
    size_t size = physmem_video_size(desc->pm);

    if (size < VRAM_MIN || size > VRAM_MAX || size & (size - 1))
        return STATUS_BAD_SIZE;
    if (desc->cirrus && size != VGA_VRAM_CIRRUS)
        return STATUS_BAD_SIZE;
    struct vga *v = calloc(1, sizeof(*v));
    if (!v)
        return STATUS_NO_MEMORY;

    v->desc = *desc;
    v->vram_bytes = size;
    v->vram = physmem_video(desc->pm);
    enum status s = vga_screen_create(v);
    if (s == STATUS_OK)
        s = vga_claim_ports(v);
    if (s != STATUS_OK) {
        vga_destroy(v);
        return s;
    }
    s = vga_connect(v);
    if (s != STATUS_OK) {
        vga_release_ports(v);
        vga_destroy(v);
        return s;
    }
    vga_reset(v);
    v->desc.rom = NULL; /* copied */
    *out = v;
    return STATUS_OK;
}
