/* SPDX-License-Identifier: MIT */
/*
 * NE2000: a DP8390 network controller with 16 KiB of packet RAM behind a data port; and the
 * RTL8029AS, which is the same on PCI.
 *
 * References: National Semiconductor, DP8390D/NS32490D [DP8390]; Realtek, RTL8029AS [RTL8029AS].
 *
 * The wire is as fast as the CPU: a frame is sent within the write that starts it.
 *
 * Not implemented: loopback (frames vanish), collisions, the send-packet command, byte swapping,
 * the FIFO, monitor mode's counters, page 3 of the RTL8029AS (reads 0).
 */
#include "devices/ne2000.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/log.h"
#include "devices/ethernet.h"

/* Registers of page 0 [DP8390 §10]. */
enum {
    CR = 0x0,
    PSTART = 0x1, /* writes; the reads of the same numbers have names of their own */
    PSTOP = 0x2,
    BNRY = 0x3,
    TPSR = 0x4,
    TSR = 0x4,
    TBCR0 = 0x5,
    TBCR1 = 0x6,
    ISR = 0x7,
    RSAR0 = 0x8,
    RSAR1 = 0x9,
    RBCR0 = 0xa,
    RBCR1 = 0xb,
    RCR = 0xc,
    RSR = 0xc,
    TCR = 0xd,
    DCR = 0xe,
    IMR = 0xf,
    PAR0 = 0x1, /* page 1 */
    CURR = 0x7,
    MAR0 = 0x8,
};

enum { DATA = 0x10, RESET = 0x18, PORTS = 0x20 };

enum {
    CR_STP = BIT(0),
    CR_STA = BIT(1),
    CR_TXP = BIT(2),
    CR_READ = BIT(3),
    CR_WRITE = BIT(4),
    CR_ABORT = BIT(5),
    CR_REMOTE = CR_READ | CR_WRITE | CR_ABORT,
    ISR_PRX = BIT(0),
    ISR_PTX = BIT(1),
    ISR_OVW = BIT(4),
    ISR_RDC = BIT(6),
    ISR_RST = BIT(7),
    TSR_PTX = BIT(0),
    RSR_PRX = BIT(0),
    RSR_PHY = BIT(5), /* group address */
    RCR_AR = BIT(1),
    RCR_AB = BIT(2),
    RCR_AM = BIT(3),
    RCR_PRO = BIT(4),
    RCR_MON = BIT(5),
    TCR_LOOPBACK = 0x06,
    DCR_WTS = BIT(0), /* words */
    DCR_AFTER_RESET = 0x04,
};

enum {
    PROM_SIZE = 32,
    RAM_BASE = 0x4000,
    RAM_SIZE = 0x4000,
    PAGE = 256,
    HEADER = 4,
    FCS = 4,
};

struct ne2000 {
    struct pci_dev pci; /* the PCI card only */
    u8 cr, isr, imr, rcr, tcr, dcr, tsr, rsr;
    u8 pstart, pstop, bnry, curr, tpsr;
    u16 tbcr, rsar, rbcr;
    u8 par[NIC_ADDRESS], mar[8];
    u8 ram[RAM_SIZE];
    bool unplugged; /* the wire's other end is gone: this card cannot tell */
    bool irq;

    bool on_pci;
    struct line irq_line;
    u8 prom[PROM_SIZE];
    struct nic_wire wire;
};

static void drive(struct ne2000 *n)
{
    n->irq = n->isr & n->imr & ~ISR_RST;
    if (n->on_pci)
        pci_set_intx(&n->pci, n->irq);
    else
        line_set(&n->irq_line, n->irq);
}

static void raise(struct ne2000 *n, u8 bits)
{
    n->isr |= bits;
    drive(n);
}

/* --- packet memory --- */

static u8 memory_read(const struct ne2000 *n, u16 at)
{
    if (at < PROM_SIZE)
        return n->prom[at];
    return at >= RAM_BASE && at < RAM_BASE + RAM_SIZE ? n->ram[at - RAM_BASE] : 0xff;
}

static void memory_write(struct ne2000 *n, u16 at, u8 val)
{
    if (at >= RAM_BASE && at < RAM_BASE + RAM_SIZE)
        n->ram[at - RAM_BASE] = val;
}

/*
 * Bytes that one access to the data port moves. In word mode it is a whole word even if the CPU
 * takes only half of it: so drivers read the doubled PROM.
 */
static unsigned data_size(const struct ne2000 *n, enum width width)
{
    return (n->dcr & DCR_WTS) && width == W8 ? 2 : 1u << width;
}

/* Remote DMA moves on; it wraps around the receive ring [DP8390 §12]. */
static void remote_step(struct ne2000 *n)
{
    if (++n->rsar == n->pstop * PAGE)
        n->rsar = (u16)(n->pstart * PAGE);
    if (--n->rbcr == 0)
        raise(n, ISR_RDC);
}

static u32 data_read(struct ne2000 *n, enum width width)
{
    u32 val = UINT32_MAX;

    if (!(n->cr & CR_READ))
        return val >> (32 - (8u << width));
    for (unsigned i = 0; i < data_size(n, width) && n->rbcr; i++) {
        val = (val & ~(0xffu << 8 * i)) | (u32)memory_read(n, n->rsar) << 8 * i;
        remote_step(n);
    }
    return val & UINT32_MAX >> (32 - (8u << width));
}

static void data_write(struct ne2000 *n, u32 val, enum width width)
{
    if (!(n->cr & CR_WRITE))
        return;
    for (unsigned i = 0; i < data_size(n, width) && n->rbcr; i++) {
        memory_write(n, n->rsar, (u8)(val >> 8 * i));
        remote_step(n);
    }
}

/* --- frames --- */

static void transmit(struct ne2000 *n)
{
    u8 frame[NIC_FRAME_MAX];
    size_t len = n->tbcr;

    if (len > sizeof(frame)) {
        log_guest(NET, "ne2000: a frame of %zu bytes is not sent", len);
        len = 0;
    }
    for (size_t i = 0; i < len; i++)
        frame[i] = memory_read(n, (u16)(n->tpsr * PAGE + i));
    if (len && !(n->tcr & TCR_LOOPBACK) && n->wire.send && !n->unplugged)
        n->wire.send(n->wire.ctx, frame, len);
    n->tsr = TSR_PTX;
    n->cr &= (u8)~CR_TXP;
    raise(n, ISR_PTX);
}

static bool is_for_us(const struct ne2000 *n, const u8 *to)
{
    if (n->rcr & RCR_PRO)
        return true;
    if (ethernet_is_broadcast(to))
        return n->rcr & RCR_AB;
    if (ethernet_is_multicast(to)) {
        unsigned hash = ethernet_hash(to);
        return (n->rcr & RCR_AM) && (n->mar[hash >> 3] >> (hash & 7) & 1);
    }
    return memcmp(to, n->par, NIC_ADDRESS) == 0;
}

static bool ring_is_sane(const struct ne2000 *n)
{
    return n->pstart < n->pstop && n->curr >= n->pstart && n->curr < n->pstop;
}

/* Pages from CURR up to BNRY, which the guest still reads. */
static unsigned pages_free(const struct ne2000 *n)
{
    unsigned size = n->pstop - n->pstart;

    return n->curr < n->bnry ? (unsigned)(n->bnry - n->curr)
                             : (unsigned)(size - (n->curr - n->bnry));
}

static unsigned pages_of(size_t len)
{
    return (unsigned)((len + HEADER + FCS + PAGE - 1) / PAGE);
}

static bool is_running(const struct ne2000 *n)
{
    return (n->cr & (CR_STP | CR_STA)) == CR_STA && !(n->rcr & RCR_MON) && ring_is_sane(n);
}

/* A stopped card drops what arrives; a full ring lets it wait. */
static bool ne2000_ready(const void *nic)
{
    const struct ne2000 *n = nic;

    return !is_running(n) || n->unplugged || pages_free(n) > pages_of(NIC_FRAME_MAX);
}

static u16 ring_put(struct ne2000 *n, u16 at, const u8 *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        memory_write(n, at, bytes[i]);
        if (++at == n->pstop * PAGE)
            at = (u16)(n->pstart * PAGE);
    }
    return at;
}

static void ne2000_receive(void *nic, const u8 *frame, size_t len)
{
    static const u8 zeros[NIC_FRAME_MIN];
    struct ne2000 *n = nic;
    size_t padded = len < NIC_FRAME_MIN ? NIC_FRAME_MIN : len;
    unsigned pages = pages_of(padded), next = n->curr + pages;
    u8 header[HEADER], fcs[FCS];

    if (n->unplugged || len < 2 * NIC_ADDRESS || len > NIC_FRAME_MAX || !is_running(n) ||
        !is_for_us(n, frame))
        return;
    if (pages_free(n) <= pages) {
        raise(n, ISR_OVW);
        return;
    }
    if (next >= n->pstop)
        next -= n->pstop - n->pstart;
    n->rsr = RSR_PRX | (ethernet_is_multicast(frame) ? RSR_PHY : 0);
    header[0] = n->rsr;
    header[1] = (u8)next;
    store16(header + 2, (u16)(padded + FCS));
    store32(fcs, ethernet_fcs(frame, len));
    u16 at = ring_put(n, (u16)(n->curr * PAGE), header, sizeof(header));
    at = ring_put(n, at, frame, len);
    at = ring_put(n, at, zeros, padded - len);
    ring_put(n, at, fcs, sizeof(fcs));
    n->curr = (u8)next;
    raise(n, ISR_PRX);
}

static void ne2000_unplug(void *nic, bool out)
{
    ((struct ne2000 *)nic)->unplugged = out;
}

const struct nic_ops ne2000_nic_ops = {ne2000_ready, ne2000_receive, ne2000_unplug};

/* --- registers --- */

static void chip_reset(struct ne2000 *n)
{
    n->cr = CR_STP | CR_ABORT;
    n->isr = ISR_RST;
    n->imr = 0;
    n->dcr = DCR_AFTER_RESET;
    n->tcr = n->tsr = n->rcr = n->rsr = 0;
    n->rbcr = 0;
    drive(n);
}

static void command(struct ne2000 *n, u8 val)
{
    n->cr = val;
    if (val & CR_STP) {
        raise(n, ISR_RST);
        n->cr &= (u8)~CR_TXP;
        return;
    }
    if (val & CR_STA)
        n->isr &= (u8)~ISR_RST;
    if ((val & (CR_READ | CR_WRITE)) && !(val & CR_ABORT) && n->rbcr == 0)
        raise(n, ISR_RDC);
    if (val & CR_TXP)
        transmit(n);
}

static u8 page0_read(const struct ne2000 *n, unsigned reg)
{
    switch (reg) {
    case 0x1: /* CLDA */
        return 0;
    case 0x2:
        return n->curr;
    case BNRY:
        return n->bnry;
    case TSR:
        return n->tsr;
    case ISR:
        return n->isr;
    case 0x8: /* CRDA */
        return (u8)n->rsar;
    case 0x9:
        return (u8)(n->rsar >> 8);
    case 0xa: /* 8029ID0, 8029ID1 [RTL8029AS] */
        return n->on_pci ? 'P' : 0xff;
    case 0xb:
        return n->on_pci ? 'p' : 0xff;
    case RSR:
        return n->rsr;
    default: /* collisions, FIFO, error counters */
        return 0;
    }
}

static u8 page2_read(const struct ne2000 *n, unsigned reg)
{
    switch (reg) {
    case PSTART:
        return n->pstart;
    case PSTOP:
        return n->pstop;
    case TPSR:
        return n->tpsr;
    case RCR:
        return n->rcr | 0xc0;
    case TCR:
        return n->tcr | 0xe0;
    case DCR:
        return n->dcr | 0x80;
    case IMR:
        return n->imr | 0x80;
    default:
        return 0;
    }
}

static u8 reg_read(const struct ne2000 *n, unsigned reg)
{
    if (reg == CR)
        return n->cr;
    switch (n->cr >> 6) {
    case 0:
        return page0_read(n, reg);
    case 1:
        return reg < CURR ? n->par[reg - PAR0] : reg == CURR ? n->curr : n->mar[reg - MAR0];
    case 2:
        return page2_read(n, reg);
    default:
        return 0;
    }
}

static void page0_write(struct ne2000 *n, unsigned reg, u8 val)
{
    u8 *const plain[16] = {
        [PSTART] = &n->pstart, [PSTOP] = &n->pstop, [BNRY] = &n->bnry, [TPSR] = &n->tpsr,
        [RCR] = &n->rcr,       [TCR] = &n->tcr,     [DCR] = &n->dcr,   [IMR] = &n->imr,
    };
    u16 *const wide[16] = {
        [TBCR0] = &n->tbcr, [TBCR1] = &n->tbcr, [RSAR0] = &n->rsar,
        [RSAR1] = &n->rsar, [RBCR0] = &n->rbcr, [RBCR1] = &n->rbcr,
    };
    bool high = reg == TBCR1 || reg == RSAR1 || reg == RBCR1;

    if (wide[reg])
        *wide[reg] = high ? (u16)((*wide[reg] & 0xff) | val << 8) : (*wide[reg] & 0xff00) | val;
    else if (reg == ISR)
        n->isr &= (u8) ~(val & ~ISR_RST);
    else
        *plain[reg] = val;
    drive(n);
}

static void reg_write(struct ne2000 *n, unsigned reg, u8 val)
{
    unsigned page = n->cr >> 6;

    if (reg == CR)
        command(n, val);
    else if (page == 0)
        page0_write(n, reg, val);
    else if (page == 1 && reg < CURR)
        n->par[reg - PAR0] = val;
    else if (page == 1 && reg == CURR)
        n->curr = val;
    else if (page == 1)
        n->mar[reg - MAR0] = val;
}

static u32 ne2000_read(void *dev, u16 off, enum width width)
{
    struct ne2000 *n = dev;
    u32 val = 0;

    if (off >= RESET) {
        chip_reset(n);
        return 0;
    }
    if (off >= DATA)
        return data_read(n, width);
    for (unsigned i = 0; i < 1u << width && off + i < DATA; i++)
        val |= (u32)reg_read(n, off + i) << 8 * i;
    return val;
}

static void ne2000_write(void *dev, u16 off, u32 val, enum width width)
{
    struct ne2000 *n = dev;

    if (off >= RESET) /* the end of a reset that the read began */
        return;
    if (off >= DATA) {
        data_write(n, val, width);
        return;
    }
    for (unsigned i = 0; i < 1u << width && off + i < DATA; i++)
        reg_write(n, off + i, (u8)(val >> 8 * i));
}

/* The ISA bus has 16 data lines. */
static const struct ioport_ops isa_ops = {ne2000_read, ne2000_write, W16};
static const struct ioport_ops pci_ops = {ne2000_read, ne2000_write, W32};

/* --- life --- */

#define NE2000_FIELDS                                                                              \
    FIELD(struct ne2000, cr), FIELD(struct ne2000, isr), FIELD(struct ne2000, imr),                \
        FIELD(struct ne2000, rcr), FIELD(struct ne2000, tcr), FIELD(struct ne2000, dcr),           \
        FIELD(struct ne2000, tsr), FIELD(struct ne2000, rsr), FIELD(struct ne2000, pstart),        \
        FIELD(struct ne2000, pstop), FIELD(struct ne2000, bnry), FIELD(struct ne2000, curr),       \
        FIELD(struct ne2000, tpsr), FIELD(struct ne2000, tbcr), FIELD(struct ne2000, rsar),        \
        FIELD(struct ne2000, rbcr), FIELD_ARRAY(struct ne2000, par),                               \
        FIELD_ARRAY(struct ne2000, mar), FIELD_ARRAY(struct ne2000, ram),                          \
        FIELD(struct ne2000, unplugged)

static const struct field isa_fields[] = {NE2000_FIELDS, FIELDS_END};
static const struct field pci_fields[] = {
    FIELD_STRUCT(struct ne2000, pci, pci_dev_fields),
    NE2000_FIELDS,
    FIELDS_END,
};

static void ne2000_reset(void *dev)
{
    struct ne2000 *n = dev;

    if (n->on_pci)
        pci_dev_reset(&n->pci);
    n->pstart = n->pstop = n->bnry = n->curr = n->tpsr = 0;
    n->tbcr = n->rsar = 0;
    memset(n->par, 0, sizeof(n->par));
    memset(n->mar, 0, sizeof(n->mar));
    chip_reset(n);
}

static void ne2000_loaded(void *dev)
{
    struct ne2000 *n = dev;

    if (n->on_pci)
        pci_dev_loaded(&n->pci);
    drive(n);
}

static void isa_destroy(void *dev)
{
    free(dev);
}

static void pci_destroy(void *dev)
{
    struct ne2000 *n = dev;

    if (n)
        pci_unregister(&n->pci);
    free(n);
}

const struct device_class ne2000_isa_class = {
    .name = "ne2k_isa",
    .version = 1,
    .fields = isa_fields,
    .reset = ne2000_reset,
    .loaded = ne2000_loaded,
    .destroy = isa_destroy,
};

const struct device_class ne2000_pci_class = {
    .name = "ne2k_pci",
    .version = 1,
    .fields = pci_fields,
    .reset = ne2000_reset,
    .loaded = ne2000_loaded,
    .destroy = pci_destroy,
};

/* The address PROM as a 16-bit card shows it: every byte twice, 'W' at its end. */
static struct ne2000 *card(const u8 mac[NIC_ADDRESS], struct nic_wire wire)
{
    struct ne2000 *n = calloc(1, sizeof(*n));

    if (!n)
        return NULL;
    for (unsigned i = 0; i < NIC_ADDRESS; i++)
        n->prom[2 * i] = n->prom[2 * i + 1] = mac[i];
    memset(n->prom + 28, 'W', 4);
    n->wire = wire;
    return n;
}

enum status ne2000_isa_create(struct ne2000 **out, const struct ne2000_isa_desc *desc)
{
    struct ne2000 *n = card(desc->mac, desc->wire);

    if (!n)
        return STATUS_NO_MEMORY;
    n->irq_line = desc->irq;
    enum status s = ioport_claim(desc->io, desc->base, PORTS, &isa_ops, n);
    if (s != STATUS_OK) {
        free(n);
        return s;
    }
    ne2000_reset(n);
    *out = n;
    return STATUS_OK;
}

enum status ne2000_pci_create(struct ne2000 **out, const struct ne2000_pci_desc *desc)
{
    static const struct pci_ident ident = {
        .vendor = 0x10ec,
        .device = 0x8029,
        .class_code = 0x020000,
        .interrupt_pin = 1,
    };
    struct ne2000 *n = card(desc->mac, desc->wire);
    enum status s = STATUS_OK;

    if (!n)
        return STATUS_NO_MEMORY;
    n->on_pci = true;
    pci_dev_init(&n->pci, &ident, NULL, n);
    pci_default(&n->pci, PCI_COMMAND, 2, 0, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    pci_add_io_bar(&n->pci, 0, PORTS, &pci_ops);
    if (desc->rom)
        s = pci_add_rom(&n->pci, desc->rom, desc->rom_len);
    if (s == STATUS_OK)
        s = pci_register(&n->pci, desc->pci, desc->devfn);
    if (s != STATUS_OK) {
        pci_destroy(n);
        return s;
    }
    ne2000_reset(n);
    *out = n;
    return STATUS_OK;
}
