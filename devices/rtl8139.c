/* SPDX-License-Identifier: MIT */
/*
 * RTL8139C and RTL8139C+: Fast Ethernet on PCI.
 *
 * Reference: Realtek, RTL8139C(L)+ [RTL8139CP].
 *
 * The wire is as fast as the CPU: a frame is sent within the write that starts it. The memory BAR
 * has 4 KiB, the smallest that our bus maps; the chip's has 256 bytes.
 *
 * Not implemented: power management and wake-up, early interrupts, flow control, collisions and
 * other errors of a real wire, boot ROM writes, CardBus registers.
 */
#include "devices/rtl8139.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "devices/ethernet.h"
#include "devices/rtl8139_state.h"

#define TIMER_PERIOD BIT64(32)

enum { IO_SIZE = 256, MMIO_SIZE = 4096, REVISION_C = 0x10, REVISION_CPLUS = 0x20 };

void rtl_drive(struct rtl8139 *r)
{
    pci_set_intx(&r->pci, r->isr & r->imr);
}

void rtl_raise(struct rtl8139 *r, u16 bits)
{
    r->isr |= bits;
    rtl_drive(r);
}

/* --- timer: TCTR counts at the PCI clock and interrupts when it passes TimerInt --- */

void rtl_timer_arm(struct rtl8139 *r)
{
    u64 ticks = clock_ticks(clock_now(r->desc.clk) - r->timer_since, RTL_TIMER_HZ);
    u64 at = ticks - ticks % TIMER_PERIOD + r->timer_int;

    if (at <= ticks)
        at += TIMER_PERIOD;
    if (r->timer_int)
        clock_arm(r->desc.clk, r->timer, r->timer_since + clock_tick_time(at, RTL_TIMER_HZ));
    else
        clock_disarm(r->desc.clk, r->timer);
}

static void timer_fired(void *dev, u32 arg)
{
    (void)arg;
    rtl_raise(dev, INT_TIMEOUT);
    rtl_timer_arm(dev);
}

/* --- frames --- */

/* Is the frame for this card? *@status tells how. */
static bool is_for_us(const struct rtl8139 *r, const u8 *to, u16 *status)
{
    *status = 0;
    if (ethernet_is_broadcast(to)) {
        *status = RX_BAR;
        return r->rcr & RCR_AB;
    }
    if (ethernet_is_multicast(to)) {
        unsigned hash = ethernet_hash(to);
        *status = RX_MAR;
        return (r->rcr & RCR_AAP) || ((r->rcr & RCR_AM) && (r->mar[hash >> 3] >> (hash & 7) & 1));
    }
    if (memcmp(to, r->idr, NIC_ADDRESS) == 0) {
        *status = RX_PAM;
        return r->rcr & (RCR_APM | RCR_AAP);
    }
    return r->rcr & RCR_AAP;
}

static bool is_receiving(const struct rtl8139 *r)
{
    return (r->cr & CR_RE) && pci_is_master(&r->pci);
}

/* A card that does not receive drops what arrives; one without room lets it wait. */
static bool rtl8139_ready(const void *nic)
{
    const struct rtl8139 *r = nic;

    if (!is_receiving(r) || r->unplugged)
        return true;
    return rtl_cplus(r, CPCR_RX) ? rtl_cplus_ready(r) : rtl_ring_ready(r);
}

static void receive(struct rtl8139 *r, const u8 *frame, size_t len)
{
    u8 padded[NIC_FRAME_MIN] = {0};
    bool outer = !r->busy;
    u16 status;

    if (len < 2 * NIC_ADDRESS || len > NIC_FRAME_MAX || !is_receiving(r) ||
        !is_for_us(r, frame, &status))
        return;
    if (len < NIC_FRAME_MIN) {
        memcpy(padded, frame, len);
        frame = padded;
        len = NIC_FRAME_MIN;
    }
    r->busy = true;
    r->received++;
    r->broadcasts += status == RX_BAR;
    r->multicasts += status == RX_MAR;
    if (rtl_cplus(r, CPCR_RX))
        rtl_cplus_receive(r, frame, len, status);
    else
        rtl_ring_receive(r, frame, len, status);
    if (outer)
        r->busy = false;
}

static void rtl8139_receive(void *nic, const u8 *frame, size_t len)
{
    struct rtl8139 *r = nic;

    if (!r->unplugged)
        receive(r, frame, len);
}

static void rtl8139_unplug(void *nic, bool out)
{
    struct rtl8139 *r = nic;

    if (r->unplugged == out)
        return;
    r->unplugged = out;
    rtl_raise(r, INT_LINK);
}

const struct nic_ops rtl8139_nic_ops = {rtl8139_ready, rtl8139_receive, rtl8139_unplug};

void rtl_wire(struct rtl8139 *r, const u8 *frame, size_t len)
{
    if (len < 2 * NIC_ADDRESS || len > NIC_FRAME_MAX)
        return;
    r->sent++;
    if ((r->tcr & TCR_LOOPBACK) == TCR_LOOPBACK)
        receive(r, frame, len);
    else if (r->desc.wire.send && !r->unplugged)
        r->desc.wire.send(r->desc.wire.ctx, frame, len);
}

/* --- life --- */

static const struct field rtl8139_fields[] = {
    FIELD_STRUCT(struct rtl8139, pci, pci_dev_fields),
    FIELD(struct rtl8139, unplugged),
    FIELD_ARRAY(struct rtl8139, idr),
    FIELD_ARRAY(struct rtl8139, mar),
    FIELD_ARRAY(struct rtl8139, tsd),
    FIELD_ARRAY(struct rtl8139, tsad),
    FIELD(struct rtl8139, rbstart),
    FIELD(struct rtl8139, capr),
    FIELD(struct rtl8139, cbr),
    FIELD(struct rtl8139, imr),
    FIELD(struct rtl8139, isr),
    FIELD(struct rtl8139, tcr),
    FIELD(struct rtl8139, rcr),
    FIELD(struct rtl8139, missed),
    FIELD(struct rtl8139, timer_since),
    FIELD(struct rtl8139, timer_int),
    FIELD(struct rtl8139, cr),
    FIELD(struct rtl8139, cr9346),
    FIELD_ARRAY(struct rtl8139, config),
    FIELD(struct rtl8139, mtps),
    FIELD(struct rtl8139, mulint),
    FIELD(struct rtl8139, bmcr),
    FIELD(struct rtl8139, anar),
    FIELD(struct rtl8139, cpcr),
    FIELD_ARRAY(struct rtl8139, rdsar),
    FIELD(struct rtl8139, next_tsd),
    FIELD_ARRAY(struct rtl8139, tx_index),
    FIELD(struct rtl8139, rx_index),
    FIELD(struct rtl8139, sent),
    FIELD(struct rtl8139, received),
    FIELD(struct rtl8139, broadcasts),
    FIELD(struct rtl8139, multicasts),
    FIELD_STRUCT(struct rtl8139, eeprom, eeprom_fields),
    FIELDS_END,
};

/* The EEPROM keeps its contents; the address is loaded from it. */
static void rtl8139_reset(void *dev)
{
    struct rtl8139 *r = dev;

    pci_dev_reset(&r->pci);
    rtl_soft_reset(r);
    memset(r->mar, 0, sizeof(r->mar));
    memset(r->idr, 0, sizeof(r->idr));
    for (unsigned i = 0; i < 3; i++)
        store16(r->idr + 2 * i, r->eeprom.word[7 + i]);
    r->cr9346 = 0;
    r->config[3] = r->config[4] = r->config[5] = 0;
    r->mtps = 0;
    r->sent = r->received = r->broadcasts = r->multicasts = 0;
    eeprom_drive(&r->eeprom, 0);
}

/* The clock saves the timer itself. Indices stay within what they count. */
static void rtl8139_loaded(void *dev)
{
    struct rtl8139 *r = dev;

    pci_dev_loaded(&r->pci);
    r->next_tsd &= 3;
    if (r->timer_since > clock_now(r->desc.clk))
        r->timer_since = clock_now(r->desc.clk);
    rtl_drive(r);
}

static void rtl8139_destroy(void *dev)
{
    struct rtl8139 *r = dev;

    if (r)
        pci_unregister(&r->pci);
    free(r);
}

const struct device_class rtl8139_class = {
    .name = "rtl8139",
    .version = 1,
    .fields = rtl8139_fields,
    .reset = rtl8139_reset,
    .loaded = rtl8139_loaded,
    .destroy = rtl8139_destroy,
};

static enum status declare(struct rtl8139 *r)
{
    const struct pci_ident ident = {
        .vendor = 0x10ec,
        .device = 0x8139,
        .class_code = 0x020000,
        .revision = r->desc.cplus ? REVISION_CPLUS : REVISION_C,
        .interrupt_pin = 1,
    };

    pci_dev_init(&r->pci, &ident, NULL, r);
    pci_default(&r->pci, PCI_COMMAND, 2, 0,
                PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_MWI |
                    PCI_COMMAND_INTX_DISABLE);
    pci_default(&r->pci, PCI_CACHE_LINE_SIZE, 2, 0, 0xffff); /* and the latency timer */
    pci_add_io_bar(&r->pci, 0, IO_SIZE, &rtl_io_ops);
    pci_add_memory_bar(&r->pci, 1, MMIO_SIZE, false, &rtl_mmio_ops);
    return r->desc.rom ? pci_add_rom(&r->pci, r->desc.rom, r->desc.rom_len) : STATUS_OK;
}

enum status rtl8139_create(struct rtl8139 **out, const struct rtl8139_desc *desc)
{
    struct rtl8139 *r = calloc(1, sizeof(*r));
    if (!r)
        return STATUS_NO_MEMORY;

    r->desc = *desc;
    eeprom_init(&r->eeprom, desc->mac);
    enum status s = clock_add(desc->clk, desc->name, timer_fired, r, 0, &r->timer);
    if (s == STATUS_OK)
        s = declare(r);
    r->desc.rom = NULL; /* copied */
    if (s == STATUS_OK)
        s = pci_register(&r->pci, desc->pci, desc->devfn);
    if (s != STATUS_OK) {
        rtl8139_destroy(r);
        return s;
    }
    rtl8139_reset(r);
    *out = r;
    return STATUS_OK;
}
