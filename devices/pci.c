/* SPDX-License-Identifier: MIT */
/*
 * PCI bus 0.
 *
 * References: [PCI 2.2] PCI Local Bus Specification: §3.2.2.3.2 configuration mechanism #1, §6.1
 * header, §6.2.5 base addresses; [PCI 2.3] interrupt disable and status bits.
 *
 * Not implemented: bridges and other buses, configuration mechanism #2, 64-bit BARs, special
 * cycles, parity, capabilities other than those that a function lists itself.
 */
#include "devices/pci.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/log.h"

enum {
    PORT_CONFIG_ADDRESS = 0xcf8,
    PORTS = 8, /* CF8h: address, CFCh: data */
    OFF_RESET_CONTROL = 1,
    OFF_DATA = 4,
    PCI_DEVFNS = 256,
    HEADER_MULTIFUNCTION = BIT(7),
    STATUS_INTERRUPT = BIT(3),
    STATUS_CLEAR = 0xf9, /* high byte: errors, cleared by writing 1 */
    BAR_IS_IO = BIT(0),
    BAR_PREFETCHABLE = BIT(3),
    ROM_ENABLE = BIT(0),
    DEFAULT_SUBSYSTEM_VENDOR = 0x1af4,
    DEFAULT_SUBSYSTEM = 0x1100,
};

#define CONFIG_ENABLE   BIT(31)
#define CONFIG_WRITABLE 0x80fffffcu

struct pci_bus {
    struct pci_bus_desc desc;
    u32 address; /* CONFIG_ADDRESS */

    pci_route_fn *route;
    void *route_ctx;
    const struct ioport_ops *reset_ops;
    void *reset_dev;
    u64 window_lo, window_hi;
    struct pci_dev *dev[PCI_DEVFNS];
};

const struct field pci_dev_fields[] = {
    FIELD_ARRAY(struct pci_dev, config),
    FIELD(struct pci_dev, intx),
    FIELDS_END,
};

/* ---- base addresses ---- */

static unsigned bar_register(unsigned bar)
{
    return bar == PCI_ROM_BAR ? PCI_ROM_ADDRESS : PCI_BAR0 + 4 * bar;
}

/* Where the configuration wants the BAR. Address 0 and a block that ends at the top of the space
 * (what sizing with decoding on makes of it) answer nowhere. */
static u64 bar_wanted(const struct pci_dev *dev, unsigned n)
{
    const struct pci_bar *bar = &dev->bar[n];
    u32 reg = load32(&dev->config[bar_register(n)]);
    u64 at = reg & ~(bar->size - 1);
    bool io = bar->kind == PCI_BAR_IO;

    if (bar->kind == PCI_BAR_NONE || (bar->kind == PCI_BAR_ROM && !(reg & ROM_ENABLE)))
        return PCI_NOT_MAPPED;
    if (!(dev->config[PCI_COMMAND] & (io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY)))
        return PCI_NOT_MAPPED;
    if (at == 0)
        return PCI_NOT_MAPPED;
    if (io)
        return at + bar->size > 0xffff ? PCI_NOT_MAPPED : at;
    if (!dev->bus->desc.pm || at < dev->bus->window_lo || at + bar->size - 1 > dev->bus->window_hi)
        return PCI_NOT_MAPPED;
    return at + bar->size - 1 >= UINT32_MAX ? PCI_NOT_MAPPED : at;
}

/* Two blocks of memory may overlap; when one goes, the other one must be mapped again. */
static void bus_forget_overlaps(struct pci_bus *bus, u64 at, u64 size)
{
    for (unsigned i = 0; i < PCI_DEVFNS; i++) {
        for (unsigned n = 0; bus->dev[i] && n < PCI_BARS; n++) {
            struct pci_bar *bar = &bus->dev[i]->bar[n];
            if (bar->kind != PCI_BAR_IO && bar->mapped != PCI_NOT_MAPPED &&
                bar->mapped < at + size && at < bar->mapped + bar->size)
                bar->mapped = PCI_NOT_MAPPED;
        }
    }
}

static void bar_unmap(struct pci_dev *dev, struct pci_bar *bar)
{
    u64 at = bar->mapped;

    bar->mapped = PCI_NOT_MAPPED;
    if (bar->kind == PCI_BAR_IO) {
        ioport_release(dev->bus->desc.io, (u16)at, (u16)bar->size);
        return;
    }
    physmem_unmap(dev->bus->desc.pm, at, bar->size);
    bus_forget_overlaps(dev->bus, at, bar->size);
}

static void bar_map(struct pci_dev *dev, unsigned n, u64 at)
{
    struct pci_bar *bar = &dev->bar[n];
    enum status s = STATUS_OK;

    if (bar->kind == PCI_BAR_IO)
        s = ioport_claim(dev->bus->desc.io, (u16)at, (u16)bar->size, bar->io, dev->owner);
    else if (bar->kind == PCI_BAR_ROM)
        physmem_map_rom(dev->bus->desc.pm, at, bar->size, bar->rom);
    else if (!bar->mmio)
        physmem_map_video(dev->bus->desc.pm, at, bar->size, 0);
    else
        s = physmem_map_mmio(dev->bus->desc.pm, at, bar->size, bar->mmio, dev->owner);
    if (s == STATUS_OK)
        bar->mapped = at;
    else
        log_guest(PCI, "devfn=%02x bar=%u at=%llx: %s", dev->devfn, n, (unsigned long long)at,
                  status_text(s));
}

/* Bring every map of the bus to what the configurations want. Unmapping comes first, so that two
 * functions can swap places. */
static void bus_update(struct pci_bus *bus)
{
    for (unsigned i = 0; i < PCI_DEVFNS; i++) {
        struct pci_dev *dev = bus->dev[i];
        for (unsigned n = 0; dev && n < PCI_BARS; n++) {
            if (dev->bar[n].mapped != PCI_NOT_MAPPED && dev->bar[n].mapped != bar_wanted(dev, n))
                bar_unmap(dev, &dev->bar[n]);
        }
    }
    for (unsigned i = 0; i < PCI_DEVFNS; i++) {
        struct pci_dev *dev = bus->dev[i];
        for (unsigned n = 0; dev && n < PCI_BARS; n++) {
            u64 want = bar_wanted(dev, n);
            if (want != PCI_NOT_MAPPED && dev->bar[n].mapped == PCI_NOT_MAPPED)
                bar_map(dev, n, want);
        }
    }
}

/* Tell the chip which of its BARs moved, once the whole bus is up to date. */
static void dev_update(struct pci_dev *dev)
{
    u64 before[PCI_BARS];

    for (unsigned n = 0; n < PCI_BARS; n++)
        before[n] = dev->bar[n].mapped;
    bus_update(dev->bus);
    for (unsigned n = 0; n < PCI_BARS; n++) {
        u64 now = dev->bar[n].mapped;
        if (now == before[n])
            continue;
        log_trace(PCI, "devfn=%02x bar=%u at=%llx", dev->devfn, n, (unsigned long long)now);
        if (dev->hooks && dev->hooks->moved)
            dev->hooks->moved(dev->owner, n, now);
    }
}

/* ---- INTx ---- */

static bool dev_asserts(const struct pci_dev *dev)
{
    return dev->intx && !(load16(&dev->config[PCI_COMMAND]) & PCI_COMMAND_INTX_DISABLE);
}

bool pci_bus_pin(const struct pci_bus *bus, unsigned slot, unsigned pin)
{
    for (unsigned fn = 0; fn < 8; fn++) {
        const struct pci_dev *dev = bus->dev[PCI_DEVFN(slot, fn)];
        if (dev && dev->config[PCI_INTERRUPT_PIN] == pin + 1 && dev_asserts(dev))
            return true;
    }
    return false;
}

static void dev_route(struct pci_dev *dev)
{
    unsigned slot = PCI_SLOT(dev->devfn);
    unsigned pin = dev->config[PCI_INTERRUPT_PIN];

    if (pin && dev->bus->route)
        dev->bus->route(dev->bus->route_ctx, slot, pin - 1, pci_bus_pin(dev->bus, slot, pin - 1));
}

void pci_set_intx(struct pci_dev *dev, bool level)
{
    u8 *status = &dev->config[PCI_STATUS];

    if (dev->intx == level)
        return;
    dev->intx = level;
    *status = (u8)(level ? *status | STATUS_INTERRUPT : *status & ~STATUS_INTERRUPT);
    dev_route(dev);
}

/* ---- configuration space ---- */

static struct pci_dev *bus_selected(const struct pci_bus *bus)
{
    if (!(bus->address & CONFIG_ENABLE) || bits_get(bus->address, 16, 8) != 0)
        return NULL;
    return bus->dev[bits_get(bus->address, 8, 8)];
}

static void config_write(struct pci_dev *dev, unsigned reg, unsigned len, u32 val)
{
    for (unsigned i = 0; i < len; i++) {
        u8 byte = (u8)(val >> 8 * i);
        u8 writable = dev->writable[reg + i];
        u8 *at = &dev->config[reg + i];
        *at = (u8)((*at & ~writable) | (byte & writable));
        *at = (u8)(*at & ~(byte & dev->clear[reg + i]));
    }
    log_trace(PCI, "write devfn=%02x reg=%02x len=%u val=%x", dev->devfn, reg, len, val);
    dev_update(dev);
    if (reg <= PCI_COMMAND + 1 && reg + len > PCI_COMMAND)
        dev_route(dev);
    if (dev->hooks && dev->hooks->written)
        dev->hooks->written(dev->owner, reg, len);
}

static u32 pci_port_read(void *dev, u16 off, enum width width)
{
    const struct pci_bus *bus = dev;
    u32 open = (u32)width_mask(width);

    if (off < OFF_DATA) {
        if (off == 0 && width == W32)
            return bus->address;
        if (off == OFF_RESET_CONTROL && width == W8 && bus->reset_ops)
            return bus->reset_ops->read(bus->reset_dev, 0, W8);
        return open;
    }
    const struct pci_dev *d = bus_selected(bus);
    unsigned byte = off - OFF_DATA;
    if (!d || byte + width_bytes(width) > 4)
        return open;
    u32 val = (u32)load_le(&d->config[(bus->address & 0xfc) + byte], width_bytes(width));
    log_trace(PCI, "read devfn=%02x reg=%02x len=%u val=%x", d->devfn, (bus->address & 0xfc) + byte,
              width_bytes(width), val);
    return val;
}

static void pci_port_write(void *dev, u16 off, u32 val, enum width width)
{
    struct pci_bus *bus = dev;

    if (off < OFF_DATA) {
        if (off == 0 && width == W32)
            bus->address = val & CONFIG_WRITABLE;
        else if (off == OFF_RESET_CONTROL && width == W8 && bus->reset_ops)
            bus->reset_ops->write(bus->reset_dev, 0, val, W8);
        return;
    }
    struct pci_dev *d = bus_selected(bus);
    unsigned byte = off - OFF_DATA;
    if (d && byte + width_bytes(width) <= 4)
        config_write(d, (bus->address & 0xfc) + byte, width_bytes(width), val);
}

static const struct ioport_ops pci_port_ops = {
    .read = pci_port_read,
    .write = pci_port_write,
    .max = W32,
};

/* ---- functions ---- */

void pci_dev_init(struct pci_dev *dev, const struct pci_ident *id, const struct pci_hooks *hooks,
                  void *owner)
{
    bool own = id->subsystem_vendor || id->subsystem;

    memset(dev, 0, sizeof(*dev));
    dev->hooks = hooks;
    dev->owner = owner;
    for (unsigned n = 0; n < PCI_BARS; n++)
        dev->bar[n].mapped = PCI_NOT_MAPPED;
    pci_default(dev, PCI_VENDOR_ID, 2, id->vendor, 0);
    pci_default(dev, PCI_DEVICE_ID, 2, id->device, 0);
    pci_default(dev, PCI_COMMAND, 2, 0,
                PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
                    PCI_COMMAND_INTX_DISABLE);
    pci_default(dev, PCI_REVISION_ID, 1, id->revision, 0);
    pci_default(dev, PCI_CLASS_CODE, 3, id->class_code, 0);
    pci_default(dev, PCI_HEADER_TYPE, 1, id->multifunction ? HEADER_MULTIFUNCTION : 0, 0);
    pci_default(dev, PCI_SUBSYSTEM_VENDOR_ID, 2,
                own ? id->subsystem_vendor : DEFAULT_SUBSYSTEM_VENDOR, 0);
    pci_default(dev, PCI_SUBSYSTEM_ID, 2, own ? id->subsystem : DEFAULT_SUBSYSTEM, 0);
    pci_default(dev, PCI_INTERRUPT_LINE, 1, 0, 0xff);
    pci_default(dev, PCI_INTERRUPT_PIN, 1, id->interrupt_pin, 0);
    dev->clear[PCI_STATUS + 1] = STATUS_CLEAR;
}

void pci_default(struct pci_dev *dev, unsigned reg, unsigned size, u32 value, u32 writable)
{
    store_le(&dev->power_on[reg], value, size);
    store_le(&dev->writable[reg], writable, size);
}

void pci_add_io_bar(struct pci_dev *dev, unsigned n, u32 size, const struct ioport_ops *ops)
{
    dev->bar[n].kind = PCI_BAR_IO;
    dev->bar[n].size = size;
    dev->bar[n].io = ops;
    pci_default(dev, bar_register(n), 4, BAR_IS_IO, ~(size - 1));
}

void pci_add_memory_bar(struct pci_dev *dev, unsigned n, u32 size, bool prefetchable,
                        const struct mmio_ops *ops)
{
    dev->bar[n].kind = PCI_BAR_MEMORY;
    dev->bar[n].size = size;
    dev->bar[n].mmio = ops;
    pci_default(dev, bar_register(n), 4, prefetchable ? BAR_PREFETCHABLE : 0, ~(size - 1));
}

void pci_add_video_bar(struct pci_dev *dev, unsigned n, u32 size)
{
    pci_add_memory_bar(dev, n, size, true, NULL);
}

enum status pci_add_rom(struct pci_dev *dev, const u8 *bytes, size_t len)
{
    struct pci_bar *bar = &dev->bar[PCI_ROM_BAR];
    u32 size = PAGE_SIZE;

    if (len == 0 || len > 16u << 20)
        return STATUS_BAD_SIZE;
    while (size < len)
        size *= 2;
    u8 *rom = malloc(size);
    if (!rom)
        return STATUS_NO_MEMORY;
    memset(rom, 0xff, size);
    memcpy(rom, bytes, len);
    bar->kind = PCI_BAR_ROM;
    bar->size = size;
    bar->rom = rom;
    pci_default(dev, PCI_ROM_ADDRESS, 4, 0, ~(size - 1) | ROM_ENABLE);
    return STATUS_OK;
}

enum status pci_register(struct pci_dev *dev, struct pci_bus *bus, u8 devfn)
{
    if (bus->dev[devfn])
        return STATUS_CONFLICT;
    bus->dev[devfn] = dev;
    dev->bus = bus;
    dev->devfn = devfn;
    memcpy(dev->config, dev->power_on, PCI_CONFIG_SIZE);
    return STATUS_OK;
}

void pci_unregister(struct pci_dev *dev)
{
    if (dev->bus) {
        pci_set_intx(dev, false);
        memset(&dev->config[PCI_COMMAND], 0, 2);
        bus_update(dev->bus);
        dev->bus->dev[dev->devfn] = NULL;
        dev->bus = NULL;
    }
    free(dev->bar[PCI_ROM_BAR].rom);
    dev->bar[PCI_ROM_BAR].rom = NULL;
}

void pci_dev_reset(struct pci_dev *dev)
{
    pci_set_intx(dev, false);
    memcpy(dev->config, dev->power_on, PCI_CONFIG_SIZE);
    dev_update(dev);
}

void pci_dev_loaded(struct pci_dev *dev)
{
    dev_update(dev);
    dev_route(dev);
}

/* ---- the bus ---- */

static const struct field pci_bus_fields[] = {
    FIELD(struct pci_bus, address),
    FIELDS_END,
};

static void pci_bus_reset(void *dev)
{
    ((struct pci_bus *)dev)->address = 0;
}

static void pci_bus_destroy(void *dev)
{
    struct pci_bus *bus = dev;

    if (!bus)
        return;
    ioport_release(bus->desc.io, PORT_CONFIG_ADDRESS, PORTS);
    for (unsigned i = 0; i < PCI_DEVFNS; i++) {
        if (bus->dev[i])
            bus->dev[i]->bus = NULL;
    }
    free(bus);
}

const struct device_class pci_bus_class = {
    .name = "pci",
    .version = 1,
    .fields = pci_bus_fields,
    .reset = pci_bus_reset,
    .destroy = pci_bus_destroy,
};

enum status pci_bus_create(struct pci_bus **out, const struct pci_bus_desc *desc)
{
    struct pci_bus *bus = calloc(1, sizeof(*bus));
    if (!bus)
        return STATUS_NO_MEMORY;

    bus->desc = *desc;
    bus->window_hi = UINT32_MAX;
    enum status s = ioport_claim(desc->io, PORT_CONFIG_ADDRESS, PORTS, &pci_port_ops, bus);
    if (s != STATUS_OK) {
        free(bus);
        return s;
    }
    *out = bus;
    return STATUS_OK;
}

void pci_bus_set_router(struct pci_bus *bus, pci_route_fn *route, void *ctx)
{
    bus->route = route;
    bus->route_ctx = ctx;
}

void pci_bus_set_reset_control(struct pci_bus *bus, const struct ioport_ops *ops, void *dev)
{
    bus->reset_ops = ops;
    bus->reset_dev = dev;
}

void pci_bus_set_window(struct pci_bus *bus, u64 lo, u64 hi)
{
    bus->window_lo = lo;
    bus->window_hi = hi;
    bus_update(bus);
}

struct pci_dev *pci_bus_device(const struct pci_bus *bus, u8 devfn)
{
    return bus->dev[devfn];
}
