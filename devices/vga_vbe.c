/* SPDX-License-Identifier: MIT */
/*
 * Bochs VBE extensions (DISPI, version B0C5h): modes of 4 to 32 bits per pixel, banks, virtual
 * screen, and the register block of the PCI card's BAR 2.
 *
 * Reference: the interface as Bochs' and QEMU's video BIOS and Linux' bochs-drm use it [DISPI].
 *
 * Not implemented: hardware cursor, EDID, palette blanking. Modes of 1 bit a pixel do not exist:
 * Bochs 2.7 refuses them, QEMU 7.2 takes 8 instead.
 */
#include "devices/vga_state.h"

#include <string.h>

#include "base/log.h"

enum {
    VBE_ID_FIRST = 0xb0c0,
    VBE_ID_LAST = 0xb0c5,
    VBE_MAX_XRES = 2560,
    VBE_MAX_YRES = 1600,
    VBE_MAX_BPP = 32,
    MMIO_PORTS = 0x400, /* 3C0h-3DFh */
    MMIO_VBE = 0x500,
};

/* How many lines of the current pitch memory holds. */
static u32 vbe_lines(const struct vga *v)
{
    u32 pitch = v->vbe[VBE_BPP] == 4 ? v->vbe[VBE_VIRT_WIDTH] / 2 : vbe_pitch(v);
    u64 lines = pitch ? v->vram_bytes / pitch : 0;

    return lines > UINT16_MAX ? UINT16_MAX : (u32)lines;
}

/* A mode is entered with what the registers say, brought into the limits of the card. */
static void vbe_enter(struct vga *v)
{
    u16 *r = v->vbe;

    if (r[VBE_BPP] == 0)
        r[VBE_BPP] = 8;
    if (r[VBE_XRES] < 8)
        r[VBE_XRES] = 8;
    if (r[VBE_YRES] < 1)
        r[VBE_YRES] = 1;
    r[VBE_VIRT_WIDTH] = r[VBE_XRES];
    if (vbe_lines(v) < r[VBE_YRES])
        r[VBE_YRES] = (u16)vbe_lines(v);
    r[VBE_VIRT_HEIGHT] = (u16)vbe_lines(v);
    r[VBE_X_OFFSET] = 0;
    r[VBE_Y_OFFSET] = 0;
    log_trace(VGA, "vbe mode=%ux%ux%u", r[VBE_XRES], r[VBE_YRES], r[VBE_BPP]);
}

static void vbe_enable(struct vga *v, u16 val)
{
    bool enter = val & VBE_ENABLED && !vbe_on(v);

    if (enter) {
        vbe_enter(v);
        if (!(val & VBE_NOCLEAR)) {
            memset(v->vram, 0, v->vram_bytes);
            vga_screen_forget(v);
        }
    }
    if (!(val & VBE_ENABLED))
        v->vbe[VBE_BANK] = 0;
    v->vbe[VBE_ENABLE] = val;
}

static bool vbe_bpp_exists(u16 bpp)
{
    return bpp == 4 || bpp == 8 || bpp == 15 || bpp == 16 || bpp == 24 || bpp == 32;
}

static void vbe_set_virtual_width(struct vga *v, u16 val)
{
    u16 old = v->vbe[VBE_VIRT_WIDTH];

    v->vbe[VBE_VIRT_WIDTH] = val;
    if (val < v->vbe[VBE_XRES] || vbe_lines(v) < v->vbe[VBE_YRES])
        v->vbe[VBE_VIRT_WIDTH] = old;
    v->vbe[VBE_VIRT_HEIGHT] = (u16)vbe_lines(v);
}

static void vbe_set(struct vga *v, u16 val)
{
    switch (v->vbe_index) {
    case VBE_ID:
        if (val >= VBE_ID_FIRST && val <= VBE_ID_LAST)
            v->vbe[VBE_ID] = val;
        break;
    case VBE_XRES:
        if (!vbe_on(v) && val <= VBE_MAX_XRES)
            v->vbe[VBE_XRES] = val & 0xfff8;
        break;
    case VBE_YRES:
        if (!vbe_on(v) && val <= VBE_MAX_YRES)
            v->vbe[VBE_YRES] = val;
        break;
    case VBE_BPP:
        if (!vbe_on(v) && vbe_bpp_exists(val))
            v->vbe[VBE_BPP] = val;
        break;
    case VBE_ENABLE:
        vbe_enable(v, val);
        break;
    case VBE_BANK:
        v->vbe[VBE_BANK] = val & (u16)((v->vram_bytes >> 16) - 1);
        break;
    case VBE_VIRT_WIDTH:
        vbe_set_virtual_width(v, val);
        break;
    case VBE_X_OFFSET:
    case VBE_Y_OFFSET:
        v->vbe[v->vbe_index] = val;
        break;
    default:
        log_guest(VGA, "write vbe register=%u val=%04x", v->vbe_index, val);
    }
}

void vbe_loaded(struct vga *v)
{
    u16 *r = v->vbe;

    if (!vbe_bpp_exists(r[VBE_BPP]) && (r[VBE_BPP] || vbe_on(v)))
        r[VBE_BPP] = 8;
    r[VBE_BANK] &= (u16)((v->vram_bytes >> 16) - 1);
    if (r[VBE_XRES] > VBE_MAX_XRES)
        r[VBE_XRES] = VBE_MAX_XRES;
    if (r[VBE_YRES] > VBE_MAX_YRES)
        r[VBE_YRES] = VBE_MAX_YRES;
    if (vbe_on(v) && (r[VBE_XRES] < 8 || !r[VBE_YRES] || r[VBE_VIRT_WIDTH] < r[VBE_XRES] ||
                      vbe_lines(v) < r[VBE_YRES]))
        r[VBE_ENABLE] = 0;
}

void vbe_write(struct vga *v, u16 val)
{
    vbe_set(v, val);
    vga_update_window(v);
}

u16 vbe_read(const struct vga *v)
{
    if (v->vbe[VBE_ENABLE] & VBE_GETCAPS) {
        switch (v->vbe_index) {
        case VBE_XRES:
            return VBE_MAX_XRES;
        case VBE_YRES:
            return VBE_MAX_YRES;
        case VBE_BPP:
            return VBE_MAX_BPP;
        default:
            break;
        }
    }
    if (v->vbe_index == VBE_MEMORY_64K)
        return (u16)(v->vram_bytes >> 16);
    return v->vbe_index < VBE__COUNT ? v->vbe[v->vbe_index] : 0;
}

/* ---- BAR 2 ---- */

static u64 mmio_read(void *dev, u64 off, unsigned size)
{
    struct vga *v = dev;

    if (off >= MMIO_PORTS && off < MMIO_PORTS + 0x20) {
        u64 val = 0;
        for (unsigned i = 0; i < size; i++)
            val |= (u64)vga_port_read(v, (u16)(0x3c0 + off - MMIO_PORTS + i)) << 8 * i;
        return val;
    }
    if (off >= MMIO_VBE && off < MMIO_VBE + 2 * VBE__COUNT && size == 2) {
        u16 index = v->vbe_index;
        v->vbe_index = (u16)(off - MMIO_VBE) / 2;
        u16 val = vbe_read(v);
        v->vbe_index = index;
        return val;
    }
    return ~(u64)0 >> (64 - 8 * size);
}

static void mmio_write(void *dev, u64 off, u64 val, unsigned size)
{
    struct vga *v = dev;

    if (off >= MMIO_PORTS && off < MMIO_PORTS + 0x20) {
        for (unsigned i = 0; i < size; i++)
            vga_port_write(v, (u16)(0x3c0 + off - MMIO_PORTS + i), (u8)(val >> 8 * i));
    } else if (off >= MMIO_VBE && off < MMIO_VBE + 2 * VBE__COUNT && size == 2) {
        u16 index = v->vbe_index;
        v->vbe_index = (u16)(off - MMIO_VBE) / 2;
        vbe_write(v, (u16)val);
        v->vbe_index = index;
    }
}

const struct mmio_ops vga_mmio_ops = {.read = mmio_read, .write = mmio_write, .max = 2};
