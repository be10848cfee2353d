/* SPDX-License-Identifier: MIT */
/*
 * 82371SB (PIIX3), function 0: PCI to ISA bridge.
 *
 * Reference: Intel 82371FB/82371SB, order number 290550 [PIIX3]: §2.2.9 PIRQRC, §2.5.6 reset
 * control register.
 *
 * The slots' pins reach PIRQ[A-D]# in the usual rotation: pin p of slot s is PIRQ (s - 1 + p) mod
 * 4. Firmware and the ACPI tables rely on it.
 *
 * Not implemented: X-bus chip selects, ISA timing, MBIRQ, DMA type F, SMI# (SMICNTL and SMIREQ are
 * stored), the serial interrupt line.
 */
#include "devices/piix3.h"

#include <stdlib.h>

#include "base/log.h"

enum {
    PIIX3_VENDOR = 0x8086,
    PIIX3_DEVICE = 0x7000,
    PIIX3_CLASS = 0x060100,
    PIIX3_DEVFN = PCI_DEVFN(1, 0),
    PIIX3_IORT = 0x4c,
    PIIX3_XBCS = 0x4e,
    PIIX3_PIRQRCA = 0x60,
    PIIX3_TOM = 0x69,
    PIIX3_MSTAT = 0x6a,
    PIIX3_MBDMA = 0x76,
    PIIX3_PCSC = 0x78,
    PIIX3_APICBASE = 0x80,
    PIIX3_DLC = 0x82,
    PIIX3_SMICNTL = 0xa0,
    PIIX3_SMIEN = 0xa2,
    PIIX3_SMIREQ = 0xaa,
};

enum {
    PIRQS = 4,
    PIRQ_OFF = BIT(7), /* PIRQRC: 1 = not steered */
    PIRQ_IRQ = 0x0f,
    SCI_IRQ = 9,
    STEERABLE = 0xdef8, /* IRQ 3-7, 9-12, 14, 15 */
};

enum rcr_bits {
    RCR_SRST = BIT(1), /* 1: reset the board, 0: only the CPU */
    RCR_RCPU = BIT(2), /* rising: do it                       */
    RCR_WRITABLE = RCR_SRST | RCR_RCPU,
};

struct piix3 {
    struct pci_dev pci;
    u32 asserted[PIRQS]; /* a bit per slot that pulls the line */
    bool sci;
    u8 rcr;

    struct piix3_desc desc;
    u16 driven; /* levels of desc.irq: follow from the above */
};

static void piix3_drive(struct piix3 *p)
{
    u16 level = p->sci ? BIT(SCI_IRQ) : 0;

    for (unsigned i = 0; i < PIRQS; i++) {
        u8 rc = p->pci.config[PIIX3_PIRQRCA + i];
        if (p->asserted[i] && !(rc & PIRQ_OFF))
            level |= (u16)(BIT(rc & PIRQ_IRQ) & STEERABLE);
    }
    u16 changed = level ^ p->driven;
    p->driven = level;
    for (unsigned irq = 0; irq < 16; irq++) {
        if (changed & BIT(irq))
            line_set(&p->desc.irq[irq], level & BIT(irq));
    }
}

static void piix3_route(void *ctx, unsigned slot, unsigned pin, bool level)
{
    struct piix3 *p = ctx;
    u32 *lines = &p->asserted[(slot + 3 + pin) & 3];

    *lines = level ? *lines | BIT(slot) : *lines & ~BIT(slot);
    line_set(&p->desc.pirq[lines - p->asserted], !*lines);
    piix3_drive(p);
}

static void piix3_set_sci(void *ctx, unsigned pin, bool level)
{
    struct piix3 *p = ctx;

    (void)pin;
    p->sci = level;
    piix3_drive(p);
}

static void piix3_written(void *owner, unsigned reg, unsigned len)
{
    if (reg < PIIX3_PIRQRCA + PIRQS && reg + len > PIIX3_PIRQRCA)
        piix3_drive(owner);
}

static const struct pci_hooks piix3_hooks = {.written = piix3_written};

static u32 rcr_read(void *dev, u16 off, enum width width)
{
    (void)off, (void)width;
    return ((const struct piix3 *)dev)->rcr;
}

static void rcr_write(void *dev, u16 off, u32 val, enum width width)
{
    struct piix3 *p = dev;
    bool go = val & RCR_RCPU && !(p->rcr & RCR_RCPU);

    (void)off, (void)width;
    p->rcr = val & RCR_WRITABLE;
    if (go)
        line_set(val & RCR_SRST ? &p->desc.reset : &p->desc.cpu_init, true);
}

static const struct ioport_ops rcr_ops = {
    .read = rcr_read,
    .write = rcr_write,
    .max = W8,
};

static const struct field piix3_fields[] = {
    FIELD_STRUCT(struct piix3, pci, pci_dev_fields),
    FIELD_ARRAY(struct piix3, asserted),
    FIELD(struct piix3, sci),
    FIELD(struct piix3, rcr),
    FIELDS_END,
};

/* The PIRQ inputs belong to the functions that pull them: each releases its own at its reset. */
static void piix3_reset(void *dev)
{
    struct piix3 *p = dev;

    pci_dev_reset(&p->pci);
    p->rcr = 0;
    piix3_drive(p);
}

static void piix3_loaded(void *dev)
{
    struct piix3 *p = dev;

    pci_dev_loaded(&p->pci);
    for (unsigned i = 0; i < PIRQS; i++)
        line_set(&p->desc.pirq[i], !p->asserted[i]);
    piix3_drive(p);
}

static void piix3_destroy(void *dev)
{
    struct piix3 *p = dev;

    if (!p)
        return;
    if (p->pci.bus) {
        pci_bus_set_router(p->pci.bus, NULL, NULL);
        pci_bus_set_reset_control(p->pci.bus, NULL, NULL);
    }
    pci_unregister(&p->pci);
    free(p);
}

const struct device_class piix3_class = {
    .name = "piix3",
    .version = 1,
    .fields = piix3_fields,
    .reset = piix3_reset,
    .loaded = piix3_loaded,
    .destroy = piix3_destroy,
};

static void declare_config(struct piix3 *p)
{
    static const struct pci_ident ident = {
        .vendor = PIIX3_VENDOR,
        .device = PIIX3_DEVICE,
        .class_code = PIIX3_CLASS,
        .multifunction = true,
    };
    struct pci_dev *d = &p->pci;

    pci_dev_init(d, &ident, &piix3_hooks, p);
    pci_default(d, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
    pci_default(d, PCI_STATUS, 2, 0x0200, 0); /* medium DEVSEL# */
    pci_default(d, PIIX3_IORT, 1, 0x4d, 0xff);
    pci_default(d, PIIX3_XBCS, 2, 0x0003, 0xffff);
    for (unsigned i = 0; i < PIRQS; i++)
        pci_default(d, PIIX3_PIRQRCA + i, 1, PIRQ_OFF, PIRQ_OFF | PIRQ_IRQ);
    pci_default(d, PIIX3_TOM, 1, 0x02, 0xfe);
    pci_default(d, PIIX3_MSTAT, 2, 0, 0x00ff);
    pci_default(d, PIIX3_MBDMA, 2, 0x0c0c, 0x8f8f);
    pci_default(d, PIIX3_PCSC, 2, 0x0002, 0xffff);
    pci_default(d, PIIX3_APICBASE, 1, 0, 0x7f);
    pci_default(d, PIIX3_DLC, 1, 0, 0x0f);
    pci_default(d, PIIX3_SMICNTL, 1, 0x08, 0x1f);
    pci_default(d, PIIX3_SMIEN, 2, 0, 0x01ff);
    pci_default(d, PIIX3_SMIREQ, 2, 0, 0x01ff);
}

enum status piix3_create(struct piix3 **out, const struct piix3_desc *desc)
{
    struct piix3 *p = calloc(1, sizeof(*p));
    if (!p)
        return STATUS_NO_MEMORY;

    p->desc = *desc;
    declare_config(p);
    enum status s = pci_register(&p->pci, desc->pci, PIIX3_DEVFN);
    if (s != STATUS_OK) {
        free(p);
        return s;
    }
    pci_bus_set_router(desc->pci, piix3_route, p);
    pci_bus_set_reset_control(desc->pci, &rcr_ops, p);
    *out = p;
    return STATUS_OK;
}

struct line piix3_sci(struct piix3 *p)
{
    return (struct line){.set = piix3_set_sci, .ctx = p};
}
