/* SPDX-License-Identifier: MIT */
/*
 * PCI bus 0: configuration mechanism #1 at ports CF8h/CFCh, base address registers, INTx pins.
 *
 * A function embeds a struct pci_dev, declares its identity and BARs, and registers:
 *
 *     pci_dev_init(&d->pci, &(struct pci_ident){.vendor = ..., .device = ...}, &hooks, d);
 *     pci_default(&d->pci, REG, 2, value, writable_bits);
 *     pci_add_io_bar(&d->pci, 4, 16, &ops, d);
 *     s = pci_register(&d->pci, bus, PCI_DEVFN(1, 1));
 *
 * lists FIELD_STRUCT(struct chip, pci, pci_dev_fields), calls pci_dev_reset() from its reset and
 * pci_dev_loaded() from its loaded.
 */
#pragma once

#include "base/fields.h"
#include "base/status.h"
#include "base/types.h"
#include "devices/device.h"
#include "devices/ioport.h"
#include "mmu/physmem.h"

#define PCI_CONFIG_SIZE     256u
#define PCI_DEVFN(slot, fn) ((u8)((slot) << 3 | (fn)))
#define PCI_SLOT(devfn)     ((unsigned)(devfn) >> 3)
#define PCI_FUNCTION(devfn) ((unsigned)(devfn)&7u)
#define PCI_BARS            7u /* six and the expansion ROM */
#define PCI_ROM_BAR         6u
#define PCI_NOT_MAPPED      UINT64_MAX

/* The type 0 configuration header [PCI 2.2 §6.1]. */
enum pci_config_reg {
    PCI_VENDOR_ID = 0x00,
    PCI_DEVICE_ID = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION_ID = 0x08,
    PCI_CLASS_CODE = 0x09, /* interface, sub-class, base class */
    PCI_CACHE_LINE_SIZE = 0x0c,
    PCI_HEADER_TYPE = 0x0e,
    PCI_BAR0 = 0x10,
    PCI_SUBSYSTEM_VENDOR_ID = 0x2c,
    PCI_SUBSYSTEM_ID = 0x2e,
    PCI_ROM_ADDRESS = 0x30,
    PCI_INTERRUPT_LINE = 0x3c,
    PCI_INTERRUPT_PIN = 0x3d,
};

enum pci_command {
    PCI_COMMAND_IO = BIT(0),
    PCI_COMMAND_MEMORY = BIT(1),
    PCI_COMMAND_MASTER = BIT(2),
    PCI_COMMAND_MWI = BIT(4), /* memory write and invalidate */
    PCI_COMMAND_INTX_DISABLE = BIT(10),
};

struct pci_bus;
struct pci_dev;

/** Called when the pin (0: INTA#) of a slot changes; several functions of a slot are wired-OR. */
typedef void pci_route_fn(void *ctx, unsigned slot, unsigned pin, bool level);

/** What a function adds to the common behaviour; either may be NULL. */
struct pci_hooks {
    /** Configuration bytes [@reg, @reg + @len) were written; the BARs are already moved. */
    void (*written)(void *owner, unsigned reg, unsigned len);
    /** BAR @bar moved to @addr, or PCI_NOT_MAPPED. */
    void (*moved)(void *owner, unsigned bar, u64 addr);
};

struct pci_ident {
    u16 vendor, device;
    u32 class_code; /* base class << 16 | sub-class << 8 | interface */
    u8 revision;
    u8 interrupt_pin; /* 0: none, 1: INTA# */
    bool multifunction;
    u16 subsystem_vendor, subsystem; /* 0, 0: the common 1AF4:1100 */
};

enum pci_bar_kind { PCI_BAR_NONE, PCI_BAR_IO, PCI_BAR_MEMORY, PCI_BAR_ROM };

struct pci_bar {
    u8 kind;
    u32 size; /* power of two */
    const struct ioport_ops *io;
    const struct mmio_ops *mmio;
    u8 *rom;    /* owned; size bytes, padded with FFh */
    u64 mapped; /* where it answers now, or PCI_NOT_MAPPED: follows from config */
};

/** One function. Only config and intx are state; chips read config[], and change it by hooks. */
struct pci_dev {
    u8 config[PCI_CONFIG_SIZE];
    bool intx;

    u8 power_on[PCI_CONFIG_SIZE];
    u8 writable[PCI_CONFIG_SIZE]; /* bits that software may change */
    u8 clear[PCI_CONFIG_SIZE];    /* bits that software clears by writing 1 */
    struct pci_bar bar[PCI_BARS];
    const struct pci_hooks *hooks;
    void *owner;
    struct pci_bus *bus; /* NULL until registered */
    u8 devfn;
};

extern const struct field pci_dev_fields[];

/** What the board connects the bus to. */
struct pci_bus_desc {
    struct ioport_bus *io;
    struct physmem *pm; /* NULL: no memory BAR is ever mapped */
};

/** The class of the bus itself: the address latch at CF8h. */
extern const struct device_class pci_bus_class;

/** Create an empty bus and claim CF8h-CFFh. On failure *@out is untouched. */
enum status pci_bus_create(struct pci_bus **out, const struct pci_bus_desc *desc) MUST_CHECK;

/** Who is told about INTx pins. */
void pci_bus_set_router(struct pci_bus *bus, pci_route_fn *route, void *ctx);

/** Byte accesses at CF9h, inside the address latch, go to @ops with offset 0. */
void pci_bus_set_reset_control(struct pci_bus *bus, const struct ioport_ops *ops, void *dev);

/** Memory BARs are mapped only if they lie within [@lo, @hi]: elsewhere RAM or ROM answers. */
void pci_bus_set_window(struct pci_bus *bus, u64 lo, u64 hi);

/** Level of the wired-OR @pin (0-3) of @slot. */
bool pci_bus_pin(const struct pci_bus *bus, unsigned slot, unsigned pin);

/** The function at @devfn, or NULL. */
struct pci_dev *pci_bus_device(const struct pci_bus *bus, u8 devfn);

/** Clear @dev and give it a header. @ident is copied; @hooks (or NULL) must outlive it. */
void pci_dev_init(struct pci_dev *dev, const struct pci_ident *ident, const struct pci_hooks *hooks,
                  void *owner);

/** Power-on value of the @size bytes at @reg, and which bits of them software may change. */
void pci_default(struct pci_dev *dev, unsigned reg, unsigned size, u32 value, u32 writable);

/* BARs: @size is a power of two; I/O at least 4 and at most 256, memory at least 4 KiB. */
void pci_add_io_bar(struct pci_dev *dev, unsigned bar, u32 size, const struct ioport_ops *ops);
void pci_add_memory_bar(struct pci_dev *dev, unsigned bar, u32 size, bool prefetchable,
                        const struct mmio_ops *ops);
/** Video memory from its start (mmu/physmem.h); the bus' physmem must have as much. */
void pci_add_video_bar(struct pci_dev *dev, unsigned bar, u32 size);
/** Expansion ROM; the bytes are copied and padded to a power of two. */
enum status pci_add_rom(struct pci_dev *dev, const u8 *bytes, size_t len) MUST_CHECK;

/** Put @dev on @bus in its power-on state. STATUS_CONFLICT: @devfn is taken. */
enum status pci_register(struct pci_dev *dev, struct pci_bus *bus, u8 devfn) MUST_CHECK;

/** Leave the bus, unmap every BAR, free the ROM. Does nothing to a device never initialised. */
void pci_unregister(struct pci_dev *dev);

/** RST#: configuration as at power-on, BARs unmapped, INTx released. */
void pci_dev_reset(struct pci_dev *dev);

/** After a load: map the BARs where the configuration says. */
void pci_dev_loaded(struct pci_dev *dev);

/** Drive the function's interrupt pin. */
void pci_set_intx(struct pci_dev *dev, bool level);

/** May the function read and write memory on its own? */
static inline bool pci_is_master(const struct pci_dev *dev)
{
    return dev->config[PCI_COMMAND] & PCI_COMMAND_MASTER;
}
