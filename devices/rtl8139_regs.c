/* SPDX-License-Identifier: MIT */
/*
 * RTL8139: its registers.
 *
 * Reference: [RTL8139CP §5].
 *
 * Accesses of any size work: wider ones as several, narrower ones change a part of the register.
 */
#include <string.h>

#include "base/bits.h"
#include "base/log.h"
#include "devices/rtl8139_state.h"

enum {
    EEM = 0xc0,         /* mode bits of 9346CR */
    EEM_PROGRAM = 0x80, /* the EEPROM's pins are software's */
    EEM_WRITE = 0xc0,   /* CONFIGx and BMCR can be written */
    EEM_AUTOLOAD = 0x40,
    BMCR_RESET = BIT(15),
    BMCR_WRITABLE = 0x3100,
    BMCR_AUTONEG = BIT(12),
    BMCR_DEFAULT = 0x3100, /* 100 Mbit/s, full duplex, by negotiation */
    BMSR_ALWAYS = 0x7809,
    BMSR_LINK = 0x0024, /* link, negotiation complete */
    ANAR_DEFAULT = 0x05e1,
    MSR_LINKB = BIT(2), /* 1: no link */
    MSR_AUX = BIT(4),
    DTCCR_CMD = BIT(3),
    DTCCR_ADDRESS = 0x3f, /* low bits that the address lacks */
    VERSION_C = 0x74000000,
    VERSION_CPLUS = 0x74800000,
    CONFIG1_FIXED = 0x0c, /* memory and I/O mapped */
};

static unsigned natural_size(u32 reg)
{
    if (reg < IDR0 + 6)
        return 1;
    if ((reg >= TSD0 && reg < RBSTART + 4) || (reg >= TCR && reg < CR9346) ||
        (reg & ~3u) == TIMERINT || (reg >= RDSAR && reg < MTPS))
        return 4;
    if ((reg >= CAPR && reg < TCR) || (reg >= MULINT && reg < ANER + 2) || (reg & ~1u) == CPCR)
        return 2;
    return 1;
}

/* --- reads --- */

/* Bits 15:12 TOK, 11:8 TUN, 7:4 TABT, 3:0 OWN, of the four descriptors. */
static u16 tsad_summary(const struct rtl8139 *r)
{
    u16 v = 0;

    for (unsigned i = 0; i < 4; i++) {
        v |= (u16)(r->tsd[i] & TSD_OWN ? BIT(i) : 0);
        v |= (u16)(r->tsd[i] & TSD_TOK ? BIT(12 + i) : 0);
    }
    return v;
}

static bool has_link(const struct rtl8139 *r)
{
    return r->desc.wire.send && !r->unplugged;
}

static u32 mii_read(const struct rtl8139 *r, u32 reg)
{
    switch (reg) {
    case BMCR:
        return r->bmcr;
    case BMSR:
        return BMSR_ALWAYS | (has_link(r) ? BMSR_LINK : 0);
    case ANAR:
        return r->anar;
    case ANLPAR:
        return has_link(r) ? ANAR_DEFAULT : 0;
    default: /* ANER: the partner negotiates too */
        return has_link(r);
    }
}

static u32 ring_register(const struct rtl8139 *r, u32 reg)
{
    u32 i = reg >> 2 & 3;

    if (reg < TSAD0)
        return r->tsd[i];
    return reg < RBSTART ? r->tsad[i] : r->rbstart;
}

static u8 byte_read(const struct rtl8139 *r, u32 reg)
{
    if (reg < 8)
        return r->idr[reg];
    if (reg < TSD0)
        return r->mar[reg - MAR0];
    switch (reg) {
    case CR:
        return r->cr | (rtl_ring_empty(r) ? CR_BUFE : 0);
    case CR9346:
        return (u8)(r->cr9346 | (((r->cr9346 & EEM) == EEM_PROGRAM) ? eeprom_out(&r->eeprom) : 0));
    case CONFIG0:
    case CONFIG1:
        return r->config[reg - CONFIG0];
    case MSR:
        return MSR_AUX | (has_link(r) ? 0 : MSR_LINKB);
    case CONFIG3:
    case CONFIG4:
        return r->config[3 + reg - CONFIG3];
    case RERID:
        return r->desc.cplus ? 0x20 : 0x10;
    case CONFIG5:
        return r->config[5];
    case MTPS:
        return r->mtps;
    default:
        return 0;
    }
}

static u32 reg_read(const struct rtl8139 *r, u32 reg)
{
    if (reg >= TSD0 && reg < RBSTART + 4)
        return ring_register(r, reg);
    if (reg >= BMCR && reg <= ANER)
        return mii_read(r, reg);
    switch (reg) {
    case CAPR:
        return r->capr;
    case CBR:
        return r->cbr;
    case IMR:
        return r->imr;
    case ISR:
        return r->isr;
    case TCR:
        return r->tcr | (r->desc.cplus ? VERSION_CPLUS : VERSION_C);
    case RCR:
        return r->rcr;
    case TCTR:
        return (u32)clock_ticks(clock_now(r->desc.clk) - r->timer_since, RTL_TIMER_HZ);
    case MPC:
        return r->missed;
    case TIMERINT:
        return r->timer_int;
    case MULINT:
        return r->mulint;
    case TSAD:
        return tsad_summary(r);
    case CPCR:
        return r->cpcr;
    case RDSAR:
    case RDSAR + 4:
        return r->rdsar[reg == RDSAR ? 0 : 1];
    default:
        return byte_read(r, reg);
    }
}

/* --- writes --- */

static void command_write(struct rtl8139 *r, u8 val)
{
    if (val & CR_RST) {
        rtl_soft_reset(r);
        return;
    }
    r->cr = val & (CR_TE | CR_RE);
    if (r->cr & CR_TE && !rtl_cplus(r, CPCR_TX))
        rtl_ring_transmit(r);
}

static void cr9346_write(struct rtl8139 *r, u8 val)
{
    r->cr9346 = val & 0xce;
    if ((val & EEM) == EEM_PROGRAM) {
        eeprom_drive(&r->eeprom, val);
    } else if ((val & EEM) == EEM_AUTOLOAD) {
        for (unsigned i = 0; i < 3; i++)
            store16(r->idr + 2 * i, r->eeprom.word[7 + i]);
        r->cr9346 = 0;
    }
}

static void config_write(struct rtl8139 *r, unsigned n, u8 val)
{
    static const u8 writable[6] = {0, 0xf3, 0, 0x61, 0xff, 0x7f};

    if ((r->cr9346 & EEM) == EEM_WRITE)
        r->config[n] = (u8)((r->config[n] & ~writable[n]) | (val & writable[n]));
}

static void mii_write(struct rtl8139 *r, u32 reg, u16 val)
{
    if (reg == BMCR)
        r->bmcr = val & BMCR_RESET ? BMCR_DEFAULT : val & BMCR_WRITABLE;
    else if (reg == ANAR)
        r->anar = val;
}

static void ring_write(struct rtl8139 *r, u32 reg, u32 val)
{
    u32 i = reg >> 2 & 3;

    if (reg >= RBSTART) {
        r->rbstart = val;
        r->cbr = 0;
    } else if (reg >= TSAD0) {
        r->tsad[i] = val;
        if (rtl_cplus(r, CPCR_TX) && !(i & 1))
            r->tx_index[i >> 1] = 0;
    } else if (rtl_cplus(r, CPCR_TX | CPCR_RX)) {
        r->tsd[i] = val & ~(u32)DTCCR_CMD;
        if (i == 0 && (val & DTCCR_CMD) && pci_is_master(&r->pci))
            rtl_dump_tally(r, (val & ~(u32)DTCCR_ADDRESS) | (u64)r->tsd[1] << 32);
    } else {
        r->tsd[i] = val & TSD_WRITABLE;
        rtl_ring_transmit(r);
    }
}

static void byte_write(struct rtl8139 *r, u32 reg, u8 val)
{
    if (reg < 8) {
        if ((r->cr9346 & EEM) == EEM_WRITE)
            r->idr[reg] = val;
        return;
    }
    if (reg < TSD0) {
        r->mar[reg - MAR0] = val;
        return;
    }
    switch (reg) {
    case CR:
        command_write(r, val);
        break;
    case CR9346:
        cr9346_write(r, val);
        break;
    case CONFIG1:
        config_write(r, 1, val);
        break;
    case CONFIG3:
    case CONFIG4:
        config_write(r, 3 + reg - CONFIG3, val);
        break;
    case CONFIG5:
        config_write(r, 5, val);
        break;
    case TPPOLL:
        if (val & TPPOLL_HIGH)
            rtl_cplus_transmit(r, 1);
        if (val & TPPOLL_NORMAL)
            rtl_cplus_transmit(r, 0);
        if (val & TPPOLL_SWINT && r->desc.cplus)
            rtl_raise(r, INT_SW);
        break;
    case MTPS:
        r->mtps = val & 0x3f;
        break;
    default:
        break;
    }
}

static void timer_write(struct rtl8139 *r, u32 reg, u32 val)
{
    if (reg == TCTR)
        r->timer_since = clock_now(r->desc.clk); /* any value clears it */
    else
        r->timer_int = val;
    rtl_timer_arm(r);
}

static void reg_write(struct rtl8139 *r, u32 reg, u32 val)
{
    if (reg >= TSD0 && reg < RBSTART + 4) {
        ring_write(r, reg, val);
        return;
    }
    switch (reg) {
    case CAPR:
        r->capr = (u16)val;
        break;
    case IMR:
        r->imr = val & INT_ALL;
        rtl_drive(r);
        break;
    case ISR:
        r->isr &= (u16)~val;
        rtl_drive(r);
        break;
    case TCR:
        r->tcr = val & TCR_WRITABLE;
        break;
    case RCR:
        r->rcr = val & RCR_WRITABLE;
        break;
    case TCTR:
    case TIMERINT:
        timer_write(r, reg, val);
        break;
    case MPC:
        r->missed = 0;
        break;
    case MULINT:
        r->mulint = (u16)val;
        break;
    case BMCR:
    case ANAR:
        mii_write(r, reg, (u16)val);
        break;
    case CPCR:
        r->cpcr = r->desc.cplus ? val & CPCR_WRITABLE : 0;
        break;
    case RDSAR:
    case RDSAR + 4:
        r->rdsar[reg == RDSAR ? 0 : 1] = val;
        r->rx_index = 0;
        break;
    default:
        byte_write(r, reg, (u8)val);
        break;
    }
}

/* --- accesses of any size --- */

static u32 rtl_read(struct rtl8139 *r, u32 off, unsigned size)
{
    u32 val = 0;

    for (unsigned i = 0; i < size; i++) {
        u32 at = (off + i) & 0xff, unit = natural_size(at);
        u32 base = at & ~(unit - 1);
        val |= (reg_read(r, base) >> (8 * (at - base)) & 0xff) << (8 * i);
    }
    return val;
}

static void rtl_write(struct rtl8139 *r, u32 off, u32 val, unsigned size)
{
    if (r->busy)
        return;
    r->busy = true;
    while (size) {
        u32 at = off & 0xff, unit = natural_size(at);
        u32 base = at & ~(unit - 1), skip = at - base;
        u32 n = size < unit - skip ? size : unit - skip;
        u32 mask = n == 4 ? UINT32_MAX : (BIT(8 * n) - 1) << (8 * skip);
        u32 keep = n == unit || base == ISR ? 0 : reg_read(r, base) & ~mask;
        reg_write(r, base, keep | (val << (8 * skip) & mask));
        off += n;
        size -= n;
        val = n == 4 ? 0 : val >> (8 * n);
    }
    r->busy = false;
}

static u32 io_read(void *dev, u16 off, enum width width)
{
    return rtl_read(dev, off, 1u << width);
}

static void io_write(void *dev, u16 off, u32 val, enum width width)
{
    rtl_write(dev, off, val, 1u << width);
}

static u64 mmio_read(void *dev, u64 off, unsigned size)
{
    return rtl_read(dev, (u32)off, size);
}

static void mmio_write(void *dev, u64 off, u64 val, unsigned size)
{
    rtl_write(dev, (u32)off, (u32)val, size);
}

const struct ioport_ops rtl_io_ops = {io_read, io_write, W32};
const struct mmio_ops rtl_mmio_ops = {mmio_read, mmio_write, 4};

void rtl_soft_reset(struct rtl8139 *r)
{
    for (unsigned i = 0; i < 4; i++) {
        r->tsd[i] = TSD_OWN;
        r->tsad[i] = 0;
    }
    r->rbstart = 0;
    r->capr = 0xfff0;
    r->cbr = 0;
    r->imr = r->isr = 0;
    r->tcr = r->rcr = r->missed = 0;
    r->timer_since = clock_now(r->desc.clk);
    r->timer_int = 0;
    r->cr = 0;
    r->mulint = r->cpcr = 0;
    r->rdsar[0] = r->rdsar[1] = 0;
    r->next_tsd = r->tx_index[0] = r->tx_index[1] = r->rx_index = 0;
    r->bmcr = BMCR_DEFAULT;
    r->anar = ANAR_DEFAULT;
    r->config[1] = CONFIG1_FIXED;
    rtl_timer_arm(r);
    rtl_drive(r);
}
