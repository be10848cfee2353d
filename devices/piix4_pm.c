/* SPDX-License-Identifier: MIT */
/*
 * 82371AB (PIIX4), function 3: power management.
 *
 * Reference: Intel 82371AB, order number 290562 [PIIX4]: §7.1 configuration, §7.2 PM I/O, §7.3
 * SMBus I/O; [ACPI 1.0] §4.7 fixed hardware.
 *
 * There is no system-management mode behind it. DEVACTB.APMC_EN is set from the start: firmware
 * takes that as "the SMI handler is installed" and leaves SMM alone. What the handler would do when
 * an ACPI system writes ACPI_ENABLE to APMC, the chip does itself: it sets SCI_EN.
 *
 * Not implemented: SMI# and everything that raises it, device monitors, sleep states other than
 * soft off, throttling, general-purpose events and pins (stored), SMBus slaves: every transaction
 * ends in a device error, as on a bus with nobody on it.
 */
#include "devices/piix4_pm.h"

#include <stdlib.h>

#include "base/bits.h"
#include "base/log.h"

enum {
    PM_VENDOR = 0x8086,
    PM_DEVICE = 0x7113,
    PM_CLASS = 0x068000,
    PM_REVISION = 3,
    PM_DEVFN = PCI_DEVFN(1, 3),
    PM_PMBASE = 0x40,
    PM_CNTA = 0x44,
    PM_DEVACTA = 0x54,
    PM_DEVACTB = 0x58,
    PM_DEVRESA = 0x5c,
    PM_PMREGMISC = 0x80,
    PM_SMBBA = 0x90,
    PM_SMBHSTCFG = 0xd2,
};

#define DEVACTB_APMC_EN BIT(25)

enum {
    PMREGMISC_PMIOSE = BIT(0),
    SMBHSTCFG_SMB_HST_EN = BIT(0),
    PM_PORTS = 64,
    SMB_PORTS = 16,
    PM_TIMER_HZ = 3579545,
    PM_TIMER_MASK = 0xffffff,
    PM_TIMER_CARRY = 23, /* TMROF_STS is set whenever this bit changes */
};

enum pm_port {
    PMSTS = 0x00,
    PMEN = 0x02,
    PMCNTRL = 0x04,
    PMTMR = 0x08,
    GPSTS = 0x0c,
    GPEN = 0x0e,
    PCNTRL = 0x10,
    GLBSTS = 0x18,
    DEVSTS = 0x1c,
    GLBEN = 0x20,
    GLBCTL = 0x28,
    DEVCTL = 0x2c,
    GPIREG = 0x30,
    GPOREG = 0x34,
};

enum pm1_bits {
    TMROF = BIT(0), /* in PMSTS and PMEN alike */
    GBL = BIT(5),
    PWRBTN = BIT(8),
    RTC = BIT(10),
    RSM_STS = BIT(15),
    PMSTS_CLEARABLE = GBL | PWRBTN | RTC | RSM_STS,
    PMEN_WRITABLE = TMROF | GBL | PWRBTN | RTC,
};

enum pmcntrl_bits {
    SCI_EN = BIT(0),
    GBL_RLS = BIT(2),
    SUS_TYP_SHIFT = 10,
    SUS_TYP = 7 << SUS_TYP_SHIFT,
    SUS_EN = BIT(13), /* reads 0 */
    PMCNTRL_WRITABLE = SCI_EN | BIT(1) | SUS_TYP,
};

enum smb_port {
    SMBHSTSTS = 0x00,
    SMBHSTCNT = 0x02,
    SMBBLKDAT = 0x07,
};

enum smb_bits {
    SMB_DEV_ERR = BIT(2),
    SMBHSTSTS_CLEARABLE = 0x1e,
    SMB_START = BIT(6), /* reads 0 */
};

struct piix4_pm {
    struct pci_dev pci;
    u16 pmsts; /* without TMROF */
    u16 pmen;
    u16 pmcntrl;
    u16 gpsts, gpen;
    u64 carry_seen;     /* carries of the timer up to the last time that TMROF_STS was cleared */
    u8 store[PM_PORTS]; /* PCNTRL and up */
    u8 smb[SMB_PORTS];
    u8 apmc, apms;

    struct piix4_pm_desc desc;
    u32 timer;
    u32 pm_at, smb_at; /* where the blocks answer; 0: nowhere. Follows from config */
};

/* ---- PM timer and SCI ---- */

static u64 timer_ticks(const struct piix4_pm *pm)
{
    return clock_ticks(clock_now(pm->desc.clk), PM_TIMER_HZ);
}

static u16 pm_status(const struct piix4_pm *pm)
{
    bool carry = timer_ticks(pm) >> PM_TIMER_CARRY != pm->carry_seen;

    return pm->pmsts | (carry ? TMROF : 0);
}

static void pm_update(struct piix4_pm *pm)
{
    u16 status = pm_status(pm);
    bool sci = pm->pmcntrl & SCI_EN && (status & pm->pmen || pm->gpsts & pm->gpen);

    line_set(&pm->desc.sci, sci);
    if (pm->pmen & TMROF && !(status & TMROF))
        clock_arm(pm->desc.clk, pm->timer,
                  clock_tick_time((pm->carry_seen + 1) << PM_TIMER_CARRY, PM_TIMER_HZ));
    else
        clock_disarm(pm->desc.clk, pm->timer);
}

static void pm_timer_carried(void *dev, u32 arg)
{
    (void)arg;
    pm_update(dev);
}

static void pm_set_acpi(struct piix4_pm *pm, bool on)
{
    pm->pmcntrl = (u16)(on ? pm->pmcntrl | SCI_EN : pm->pmcntrl & ~SCI_EN);
    pm_update(pm);
}

bool piix4_pm_power_button(struct piix4_pm *pm)
{
    pm->pmsts |= PWRBTN;
    pm_update(pm);
    return pm->pmcntrl & SCI_EN && pm->pmen & PWRBTN;
}

/* ---- PM I/O block ---- */

static void pm_write_control(struct piix4_pm *pm, u16 val)
{
    unsigned type = (val & SUS_TYP) >> SUS_TYP_SHIFT;

    pm->pmcntrl = val & PMCNTRL_WRITABLE;
    if (!(val & SUS_EN))
        return;
    log_trace(PCI, "sleep type=%u", type);
    if (type == PIIX4_SLP_TYP_S5)
        line_set(&pm->desc.power_off, true);
    else
        log_todo(PCI, "sleep type %u", type);
}

static u32 pm_load32(struct piix4_pm *pm, unsigned reg)
{
    switch (reg) {
    case PMSTS:
        return pm_status(pm) | (u32)pm->pmen << 16;
    case PMCNTRL:
        return pm->pmcntrl;
    case PMTMR:
        return timer_ticks(pm) & PM_TIMER_MASK;
    case GPSTS:
        return pm->gpsts | (u32)pm->gpen << 16;
    default:
        return load32(&pm->store[reg]);
    }
}

static u32 pm_read(void *dev, u16 off, enum width width)
{
    unsigned shift = 8 * (off & 3u);

    if (shift + width_bits(width) > 32)
        return (u32)width_mask(width);
    return pm_load32(dev, off & ~3u) >> shift & (u32)width_mask(width);
}

/* @val and @mask are in place within the 32 bits at @reg: narrow accesses write a part. */
static void pm_store32(struct piix4_pm *pm, unsigned reg, u32 val, u32 mask)
{
    u16 lo = (u16)mask, hi = (u16)(mask >> 16);

    switch (reg) {
    case PMSTS:
        if (val & mask & TMROF)
            pm->carry_seen = timer_ticks(pm) >> PM_TIMER_CARRY;
        pm->pmsts &= (u16) ~(val & lo & PMSTS_CLEARABLE);
        pm->pmen = (u16)((pm->pmen & ~hi) | (val >> 16 & hi & PMEN_WRITABLE));
        break;
    case PMCNTRL:
        if (lo)
            pm_write_control(pm, (u16)((pm->pmcntrl & ~lo) | (val & lo)));
        break;
    case PMTMR:
        break;
    case GPSTS:
        pm->gpsts &= (u16) ~(val & lo);
        pm->gpen = (u16)((pm->gpen & ~hi) | (val >> 16 & hi));
        break;
    case PCNTRL:
    case GLBEN:
    case GLBEN + 4:
    case GLBCTL:
    case DEVCTL:
    case GPOREG:
        store32(&pm->store[reg], (load32(&pm->store[reg]) & ~mask) | (val & mask));
        break;
    default:
        log_guest(PCI, "write to read-only PM register %02x", reg);
    }
    pm_update(pm);
}

static void pm_write(void *dev, u16 off, u32 val, enum width width)
{
    unsigned shift = 8 * (off & 3u);

    if (shift + width_bits(width) <= 32)
        pm_store32(dev, off & ~3u, val << shift, (u32)width_mask(width) << shift);
}

static const struct ioport_ops pm_ops = {.read = pm_read, .write = pm_write, .max = W32};

/* ---- SMBus host: nobody answers on the bus ---- */

static u32 smb_read(void *dev, u16 off, enum width width)
{
    (void)width;
    return ((const struct piix4_pm *)dev)->smb[off];
}

static void smb_write(void *dev, u16 off, u32 val, enum width width)
{
    struct piix4_pm *pm = dev;

    (void)width;
    switch (off) {
    case SMBHSTSTS:
        pm->smb[off] &= (u8) ~(val & SMBHSTSTS_CLEARABLE);
        break;
    case SMBHSTCNT:
        pm->smb[off] = (u8)(val & ~SMB_START);
        if (val & SMB_START)
            pm->smb[SMBHSTSTS] |= SMB_DEV_ERR;
        break;
    default:
        pm->smb[off] = (u8)val;
    }
}

static const struct ioport_ops smb_ops = {.read = smb_read, .write = smb_write, .max = W8};

/* ---- APM ports ---- */

static u32 apm_read(void *dev, u16 off, enum width width)
{
    const struct piix4_pm *pm = dev;

    (void)width;
    return off ? pm->apms : pm->apmc;
}

static void apm_write(void *dev, u16 off, u32 val, enum width width)
{
    struct piix4_pm *pm = dev;

    (void)width;
    if (off) {
        pm->apms = (u8)val;
        return;
    }
    pm->apmc = (u8)val;
    if (val == PIIX4_ACPI_ENABLE || val == PIIX4_ACPI_DISABLE)
        pm_set_acpi(pm, val == PIIX4_ACPI_ENABLE);
}

static const struct ioport_ops apm_ops = {.read = apm_read, .write = apm_write, .max = W8};

/* ---- configuration ---- */

static void move_block(struct piix4_pm *pm, u32 *at, u32 want, u16 ports,
                       const struct ioport_ops *ops)
{
    if (*at == want)
        return;
    if (*at)
        ioport_release(pm->desc.io, (u16)*at, ports);
    *at = 0;
    if (!want)
        return;
    enum status s = ioport_claim(pm->desc.io, (u16)want, ports, ops, pm);
    if (s == STATUS_OK)
        *at = want;
    else
        log_guest(PCI, "PM block at %04x: %s", want, status_text(s));
}

static void pm_map(struct piix4_pm *pm)
{
    const u8 *c = pm->pci.config;
    bool pm_on = c[PM_PMREGMISC] & PMREGMISC_PMIOSE;
    bool smb_on = c[PM_SMBHSTCFG] & SMBHSTCFG_SMB_HST_EN && c[PCI_COMMAND] & PCI_COMMAND_IO;

    move_block(pm, &pm->pm_at, pm_on ? load16(&c[PM_PMBASE]) & 0xffc0u : 0, PM_PORTS, &pm_ops);
    move_block(pm, &pm->smb_at, smb_on ? load16(&c[PM_SMBBA]) & 0xfff0u : 0, SMB_PORTS, &smb_ops);
}

static void pm_written(void *owner, unsigned reg, unsigned len)
{
    (void)reg, (void)len;
    pm_map(owner);
}

static const struct pci_hooks pm_hooks = {.written = pm_written};

static void declare_config(struct piix4_pm *pm)
{
    static const struct pci_ident ident = {
        .vendor = PM_VENDOR,
        .device = PM_DEVICE,
        .class_code = PM_CLASS,
        .revision = PM_REVISION,
        .interrupt_pin = 1,
    };
    struct pci_dev *d = &pm->pci;

    pci_dev_init(d, &ident, &pm_hooks, pm);
    pci_default(d, PCI_STATUS, 2, 0x0280, 0);
    pci_default(d, PM_PMBASE, 4, 1, 0xffc0);
    for (unsigned reg = PM_CNTA; reg < PM_PMREGMISC; reg += 4)
        pci_default(d, reg, 4, 0, 0xffffffff);
    pci_default(d, PM_DEVACTB, 4, DEVACTB_APMC_EN, 0xffffffff);
    pci_default(d, PM_PMREGMISC, 1, 0, PMREGMISC_PMIOSE);
    pci_default(d, PM_SMBBA, 4, 1, 0xfff0);
    pci_default(d, PM_SMBHSTCFG, 4, 0, 0x0000ffff);
}

/* ---- the chip ---- */

static const struct field pm_fields[] = {
    FIELD_STRUCT(struct piix4_pm, pci, pci_dev_fields),
    FIELD(struct piix4_pm, pmsts),
    FIELD(struct piix4_pm, pmen),
    FIELD(struct piix4_pm, pmcntrl),
    FIELD(struct piix4_pm, gpsts),
    FIELD(struct piix4_pm, gpen),
    FIELD(struct piix4_pm, carry_seen),
    FIELD_ARRAY(struct piix4_pm, store),
    FIELD_ARRAY(struct piix4_pm, smb),
    FIELD(struct piix4_pm, apmc),
    FIELD(struct piix4_pm, apms),
    FIELDS_END,
};

static void pm_reset(void *dev)
{
    struct piix4_pm *pm = dev;

    pci_dev_reset(&pm->pci);
    pm_map(pm);
    pm->pmsts = pm->pmen = pm->pmcntrl = pm->gpsts = pm->gpen = 0;
    pm->carry_seen = timer_ticks(pm) >> PM_TIMER_CARRY;
    pm->apmc = pm->apms = 0;
    for (unsigned i = 0; i < PM_PORTS; i++)
        pm->store[i] = 0;
    for (unsigned i = 0; i < SMB_PORTS; i++)
        pm->smb[i] = 0;
    store32(&pm->store[GPIREG], 0xffffffff);
    store32(&pm->store[GPOREG], 0x7fffbfff);
    pm_update(pm);
}

static void pm_loaded(void *dev)
{
    struct piix4_pm *pm = dev;

    pci_dev_loaded(&pm->pci);
    pm_map(pm);
    pm_update(pm);
}

static void pm_destroy(void *dev)
{
    struct piix4_pm *pm = dev;

    if (!pm)
        return;
    move_block(pm, &pm->pm_at, 0, PM_PORTS, &pm_ops);
    move_block(pm, &pm->smb_at, 0, SMB_PORTS, &smb_ops);
    ioport_release(pm->desc.io, PIIX4_SMI_CMD, 2);
    pci_unregister(&pm->pci);
    free(pm);
}

const struct device_class piix4_pm_class = {
    .name = "piix4_pm",
    .version = 1,
    .fields = pm_fields,
    .reset = pm_reset,
    .loaded = pm_loaded,
    .destroy = pm_destroy,
};

enum status piix4_pm_create(struct piix4_pm **out, const struct piix4_pm_desc *desc)
{
    struct piix4_pm *pm = calloc(1, sizeof(*pm));
    if (!pm)
        return STATUS_NO_MEMORY;

    pm->desc = *desc;
    declare_config(pm);
    enum status s = clock_add(desc->clk, "piix4_pm", pm_timer_carried, pm, 0, &pm->timer);
    if (s == STATUS_OK)
        s = ioport_claim(desc->io, PIIX4_SMI_CMD, 2, &apm_ops, pm);
    if (s != STATUS_OK) {
        free(pm);
        return s;
    }
    s = pci_register(&pm->pci, desc->pci, PM_DEVFN);
    if (s != STATUS_OK) {
        ioport_release(desc->io, PIIX4_SMI_CMD, 2);
        free(pm);
        return s;
    }
    pm_reset(pm);
    *out = pm;
    return STATUS_OK;
}
