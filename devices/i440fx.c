/* SPDX-License-Identifier: MIT */
/*
 * 82441FX PCI and memory controller (PMC): PAM and SMRAM.
 *
 * Reference: Intel 440FX PCIset, order number 290549 [440FX]: §3.2.18 PAM, §3.2.21 SMRAM.
 *
 * A PAM field chooses for reads and for writes apart whether RAM or the PCI bus answers. What is
 * on the PCI bus at C0000h-FFFFFh is the BIOS in its last 128 KiB, and nothing elsewhere.
 * "Read PCI, write RAM" (how a BIOS copies itself into RAM in place) is a device page: exact, but
 * code there runs only as far as the CPU can fetch from devices. SeaBIOS never uses it: it opens
 * RAM for both and copies itself from below 4 GiB.
 *
 * Not implemented: DRAM row boundaries (stored, and not computed from the size), DRAM timing, the
 * fixed hole at 15 MiB (FDHC), error reporting, the turbo and reset register 93h, AGP.
 */
#include "devices/i440fx.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/log.h"

enum {
    PMC_VENDOR = 0x8086,
    PMC_DEVICE = 0x1237,
    PMC_REVISION = 2,
    PMC_CLASS = 0x060000,
    PMC_PMCCFG = 0x50, /* 50h-57h: configuration and DRAM control */
    PMC_DRAMT = 0x58,
    PMC_PAM0 = 0x59,
    PMC_PAM6 = 0x5f,
    PMC_DRB0 = 0x60,
    PMC_FDHC = 0x68,
    PMC_MTT = 0x70,
    PMC_SMRAM = 0x72,
    PMC_ERRCMD = 0x90,
};

enum pam_bits {
    PAM_RE = BIT(0), /* reads go to RAM  */
    PAM_WE = BIT(1), /* writes go to RAM */
};

enum smram_bits {
    SMRAM_C_BASE_SEG = 2, /* fixed: A0000h-BFFFFh */
    SMRAM_G_SMRAME = BIT(3),
    SMRAM_DLCK = BIT(4),
    SMRAM_DCLS = BIT(5),
    SMRAM_DOPEN = BIT(6),
};

enum {
    VGA_BASE = 0xa0000,
    VGA_SIZE = 0x20000,
    VGA_DIRECT_SIZE = 0x10000,
    SHADOW_BASE = 0xc0000,
    SHADOW_END = 0x100000,
    PAM_SMALL = 0x4000, /* C0000h-EFFFFh: twelve of these */
    PAM_BIG = 0x10000,  /* F0000h-FFFFFh                  */
    PAM_SEGMENTS = 13,
    BIOS_MAX = 16 << 20,
    LOW_BIOS_MAX = 0x20000,
    PAM_UNKNOWN = 0xff,
};

#define FOUR_GIB   0x100000000ull
#define WINDOW_TOP 0xfebfffffu /* I/O APIC, local APIC and BIOS are above */

/* One PAM segment whose reads go to the PCI bus and whose writes go to RAM. */
struct segment {
    struct i440fx *f;
    u32 base;
};

struct i440fx {
    struct pci_dev pci;
    bool smiact;

    struct i440fx_desc desc;
    const struct mmio_ops *vga_ops;
    void *vga;
    struct segment segment[PAM_SEGMENTS];
    u8 pam_now[PAM_SEGMENTS]; /* what is mapped: follows from config */
    bool smram_now;
    bool vga_direct; /* follows from the state of the VGA, and so does where: */
    size_t vga_off;
};

static u32 low_ram(const struct i440fx *f)
{
    size_t size = physmem_ram_size(f->desc.pm);

    return size < I440FX_LOW_RAM_MAX ? (u32)size : I440FX_LOW_RAM_MAX;
}

/* The BIOS byte on the PCI bus at @at in the first MiB, or NULL. */
static const u8 *bios_at(const struct i440fx *f, u32 at)
{
    size_t shown = f->desc.bios_len < LOW_BIOS_MAX ? f->desc.bios_len : LOW_BIOS_MAX;

    if (at < SHADOW_END - shown)
        return NULL;
    return f->desc.bios + f->desc.bios_len - (SHADOW_END - at);
}

/* ---- PAM ---- */

static u64 segment_read(void *dev, u64 off, unsigned size)
{
    const struct segment *s = dev;
    const u8 *rom = bios_at(s->f, s->base + (u32)off);

    return rom ? load_le(rom, size) : ~(u64)0 >> (64 - 8 * size);
}

/* The page is not mapped as RAM now, so nothing was decoded or cached from these bytes. */
static void segment_write(void *dev, u64 off, u64 val, unsigned size)
{
    const struct segment *s = dev;

    store_le(physmem_ram(s->f->desc.pm) + s->base + off, val, size);
}

static const struct mmio_ops segment_ops = {
    .read = segment_read,
    .write = segment_write,
    .max = 8,
};

static u8 pam_field(const struct i440fx *f, unsigned seg)
{
    unsigned n = seg < PAM_SEGMENTS - 1 ? 2 + seg : 1; /* PAM0 bits 7:4 are F0000h */

    return f->pci.config[PMC_PAM0 + n / 2] >> (n & 1 ? 4 : 0) & (PAM_RE | PAM_WE);
}

static void map_pci(struct i440fx *f, u32 base, u32 len)
{
    for (u32 at = base; at < base + len; at += PAGE_SIZE) {
        const u8 *rom = bios_at(f, at);
        if (rom)
            physmem_map_rom(f->desc.pm, at, PAGE_SIZE, rom);
        else
            physmem_unmap(f->desc.pm, at, PAGE_SIZE);
    }
}

static void map_segment(struct i440fx *f, unsigned seg)
{
    u32 base = f->segment[seg].base;
    u32 len = seg < PAM_SEGMENTS - 1 ? PAM_SMALL : PAM_BIG;
    u8 pam = base + len <= physmem_ram_size(f->desc.pm) ? pam_field(f, seg) : 0;

    if (f->pam_now[seg] == pam)
        return;
    log_trace(PCI, "pam base=%05x field=%u", base, pam);
    f->pam_now[seg] = pam;
    switch (pam) {
    case PAM_RE | PAM_WE:
        physmem_map_ram(f->desc.pm, base, len, base);
        break;
    case PAM_RE:
        physmem_map_ram_ro(f->desc.pm, base, len, base);
        break;
    case PAM_WE:
        if (physmem_map_mmio(f->desc.pm, base, len, &segment_ops, &f->segment[seg]) == STATUS_OK)
            break;
        log_error(PCI, "no room to map the write-only shadow RAM at %05x", base);
        map_pci(f, base, len);
        break;
    default:
        map_pci(f, base, len);
    }
}

/* ---- SMRAM ---- */

static void map_vga(struct i440fx *f)
{
    if (!f->vga_ops) {
        physmem_unmap(f->desc.pm, VGA_BASE, VGA_SIZE);
        return;
    }
    if (physmem_map_mmio(f->desc.pm, VGA_BASE, VGA_SIZE, f->vga_ops, f->vga) != STATUS_OK)
        log_error(PCI, "no room to map the VGA window");
    if (f->vga_direct)
        physmem_map_video(f->desc.pm, VGA_BASE, VGA_DIRECT_SIZE, f->vga_off);
}

static void update_smram(struct i440fx *f)
{
    u8 reg = f->pci.config[PMC_SMRAM];
    bool open = reg & SMRAM_DOPEN || (f->smiact && reg & SMRAM_G_SMRAME);

    if (open == f->smram_now || physmem_ram_size(f->desc.pm) < SHADOW_BASE)
        return;
    f->smram_now = open;
    if (open)
        physmem_map_ram(f->desc.pm, VGA_BASE, VGA_SIZE, VGA_BASE);
    else
        map_vga(f);
}

/* Locking closes the window for good: until RESET#, DOPEN and the register stay as they are. */
static void lock_smram(struct i440fx *f)
{
    if (!(f->pci.config[PMC_SMRAM] & SMRAM_DLCK))
        return;
    f->pci.config[PMC_SMRAM] &= (u8)~SMRAM_DOPEN;
    f->pci.writable[PMC_SMRAM] = SMRAM_DCLS;
}

static void i440fx_update(struct i440fx *f)
{
    for (unsigned seg = 0; seg < PAM_SEGMENTS; seg++)
        map_segment(f, seg);
    update_smram(f);
}

static void i440fx_written(void *owner, unsigned reg, unsigned len)
{
    struct i440fx *f = owner;

    if (reg + len <= PMC_PAM0 || reg > PMC_SMRAM)
        return;
    lock_smram(f);
    i440fx_update(f);
}

static const struct pci_hooks i440fx_hooks = {.written = i440fx_written};

/* ---- the chip ---- */

static const struct field i440fx_fields[] = {
    FIELD_STRUCT(struct i440fx, pci, pci_dev_fields),
    FIELD(struct i440fx, smiact),
    FIELDS_END,
};

static void unlock_smram(struct i440fx *f)
{
    f->pci.writable[PMC_SMRAM] = SMRAM_DOPEN | SMRAM_DCLS | SMRAM_DLCK | SMRAM_G_SMRAME;
}

static void i440fx_reset(void *dev)
{
    struct i440fx *f = dev;

    unlock_smram(f);
    pci_dev_reset(&f->pci);
    f->smiact = false;
    i440fx_update(f);
}

static void i440fx_loaded(void *dev)
{
    struct i440fx *f = dev;

    unlock_smram(f);
    lock_smram(f);
    pci_dev_loaded(&f->pci);
    i440fx_update(f);
}

static void i440fx_destroy(void *dev)
{
    struct i440fx *f = dev;

    if (!f)
        return;
    pci_unregister(&f->pci);
    free(f);
}

const struct device_class i440fx_class = {
    .name = "i440fx",
    .version = 1,
    .fields = i440fx_fields,
    .reset = i440fx_reset,
    .loaded = i440fx_loaded,
    .destroy = i440fx_destroy,
};

static void declare_config(struct i440fx *f)
{
    static const struct pci_ident ident = {
        .vendor = PMC_VENDOR,
        .device = PMC_DEVICE,
        .class_code = PMC_CLASS,
        .revision = PMC_REVISION,
    };
    struct pci_dev *p = &f->pci;

    pci_dev_init(p, &ident, &i440fx_hooks, f);
    pci_default(p, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
    pci_default(p, PCI_STATUS, 2, 0x0280, 0); /* medium DEVSEL#, fast back-to-back */
    pci_default(p, PMC_PMCCFG, 4, 0, 0xffffffff);
    pci_default(p, PMC_PMCCFG + 4, 4, 0x01000000, 0xffffffff); /* DRAMC: refresh on */
    pci_default(p, PMC_DRAMT, 1, 0x10, 0xff);
    for (unsigned reg = PMC_PAM0; reg <= PMC_PAM6; reg++)
        pci_default(p, reg, 1, 0, 0x33);
    for (unsigned reg = PMC_DRB0; reg < PMC_FDHC; reg++)
        pci_default(p, reg, 1, 1, 0xff);
    p->writable[PMC_PAM0] = 0x30;
    pci_default(p, PMC_FDHC, 1, 0, 0xc0);
    pci_default(p, PMC_MTT, 2, 0x1000, 0xffff);
    pci_default(p, PMC_SMRAM, 1, SMRAM_C_BASE_SEG, 0);
    pci_default(p, PMC_ERRCMD, 1, 0, 0xff);
    unlock_smram(f);
}

static void map_fixed(struct i440fx *f)
{
    struct physmem *pm = f->desc.pm;
    size_t size = physmem_ram_size(pm);
    u32 low = low_ram(f);

    physmem_map_ram(pm, 0, low < VGA_BASE ? low : VGA_BASE, 0);
    if (low > SHADOW_END)
        physmem_map_ram(pm, SHADOW_END, low - SHADOW_END, SHADOW_END);
    if (size > low)
        physmem_map_ram(pm, FOUR_GIB, size - low, low);
    physmem_map_rom(pm, FOUR_GIB - f->desc.bios_len, f->desc.bios_len, f->desc.bios);
    map_vga(f);
}

enum status i440fx_create(struct i440fx **out, const struct i440fx_desc *desc)
{
    if (desc->bios_len == 0 || desc->bios_len % PAGE_SIZE || desc->bios_len > BIOS_MAX)
        return STATUS_BAD_SIZE;
    struct i440fx *f = calloc(1, sizeof(*f));
    if (!f)
        return STATUS_NO_MEMORY;

    f->desc = *desc;
    declare_config(f);
    enum status s = pci_register(&f->pci, desc->pci, PCI_DEVFN(0, 0));
    if (s != STATUS_OK) {
        free(f);
        return s;
    }
    for (unsigned seg = 0; seg < PAM_SEGMENTS; seg++)
        f->segment[seg] = (struct segment){f, SHADOW_BASE + seg * PAM_SMALL};
    memset(f->pam_now, PAM_UNKNOWN, sizeof(f->pam_now));
    pci_bus_set_window(desc->pci, low_ram(f) > SHADOW_END ? low_ram(f) : SHADOW_END, WINDOW_TOP);
    map_fixed(f);
    i440fx_update(f);
    *out = f;
    return STATUS_OK;
}

enum status i440fx_set_vga(struct i440fx *f, const struct mmio_ops *ops, void *vga)
{
    f->vga_ops = ops;
    f->vga = vga;
    if (f->smram_now)
        return STATUS_OK;
    return physmem_map_mmio(f->desc.pm, VGA_BASE, VGA_SIZE, ops, vga);
}

void i440fx_set_vga_direct(struct i440fx *f, bool direct, size_t off)
{
    bool was = f->vga_direct;

    f->vga_direct = direct;
    f->vga_off = off;
    if (f->smram_now)
        return;
    if (direct && was)
        physmem_bank_video(f->desc.pm, VGA_BASE, VGA_DIRECT_SIZE, off);
    else
        map_vga(f);
}

void i440fx_set_smiact(struct i440fx *f, bool active)
{
    f->smiact = active;
    update_smram(f);
}
