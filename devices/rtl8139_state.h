/* SPDX-License-Identifier: MIT */
/* Private to devices/rtl8139*.c: registers, bits, state, and what the files share. */
#pragma once

#include "devices/rtl8139.h"

/* Registers [RTL8139CP §5]. */
enum rtl_reg {
    IDR0 = 0x00,
    MAR0 = 0x08,
    TSD0 = 0x10,  /* C+ mode: DTCCR */
    TSAD0 = 0x20, /* C+ mode: TNPDS, THPDS */
    RBSTART = 0x30,
    CR = 0x37,
    CAPR = 0x38,
    CBR = 0x3a,
    IMR = 0x3c,
    ISR = 0x3e,
    TCR = 0x40,
    RCR = 0x44,
    TCTR = 0x48,
    MPC = 0x4c,
    CR9346 = 0x50,
    CONFIG0 = 0x51,
    CONFIG1 = 0x52,
    TIMERINT = 0x54,
    MSR = 0x58,
    CONFIG3 = 0x59,
    CONFIG4 = 0x5a,
    MULINT = 0x5c,
    RERID = 0x5e,
    TSAD = 0x60,
    BMCR = 0x62,
    BMSR = 0x64,
    ANAR = 0x66,
    ANLPAR = 0x68,
    ANER = 0x6a,
    CONFIG5 = 0xd8,
    TPPOLL = 0xd9,
    CPCR = 0xe0,
    RDSAR = 0xe4,
    MTPS = 0xec,
};

enum rtl_bits {
    CR_BUFE = BIT(0),
    CR_TE = BIT(2),
    CR_RE = BIT(3),
    CR_RST = BIT(4),
    INT_ROK = BIT(0),
    INT_TOK = BIT(2),
    INT_TER = BIT(3),
    INT_RXOVW = BIT(4),
    INT_LINK = BIT(5),
    INT_FOVW = BIT(6),
    INT_TDU = BIT(7),
    INT_SW = BIT(8),
    INT_TIMEOUT = BIT(14),
    INT_ALL = 0xe1ff,
    TSD_SIZE = 0x1fff,
    TSD_OWN = BIT(13),
    TSD_TOK = BIT(15),
    TSD_WRITABLE = 0x003fffff,
    TCR_LOOPBACK = 3 << 17,
    TCR_WRITABLE = 0x030707f0,
    RCR_AAP = BIT(0),
    RCR_APM = BIT(1),
    RCR_AM = BIT(2),
    RCR_AB = BIT(3),
    RCR_AR = BIT(4),
    RCR_WRAP = BIT(7), /* 1: a frame may run past the end of the ring */
    RCR_RBLEN_SHIFT = 11,
    RCR_WRITABLE = 0x0f02ffbf,
    CPCR_TX = BIT(0),
    CPCR_RX = BIT(1),
    CPCR_RXCHKSUM = BIT(5),
    CPCR_RXVLAN = BIT(6),
    CPCR_WRITABLE = 0x007b,
    TPPOLL_SWINT = BIT(0),
    TPPOLL_NORMAL = BIT(6),
    TPPOLL_HIGH = BIT(7),
    RX_ROK = BIT(0),
    RX_BAR = BIT(13),
    RX_PAM = BIT(14),
    RX_MAR = BIT(15),
    FCS = 4,
    VLAN_TAG = 4,
    ETHER_HEADER = 14,
    GATHER_MAX = 65536 + 64,
    DESCRIPTORS = 64, /* a ring has at most so many */
};

#define RTL_TIMER_HZ 33000000ull

/* The serial EEPROM 93C46 [NM93C46]. */
struct eeprom {
    u8 pins; /* as last written */
    u8 bits; /* clocked in since CS rose */
    u16 shift;
    u16 out;
    bool reading, write_enabled, out_bit;
    u16 word[64];
};

struct rtl8139 {
    struct pci_dev pci;
    bool unplugged; /* the wire's other end is gone */
    u8 idr[8], mar[8];
    u32 tsd[4], tsad[4];
    u32 rbstart;
    u16 capr, cbr, imr, isr;
    u32 tcr, rcr, missed;
    u64 timer_since; /* TCTR was 0 */
    u32 timer_int;
    u8 cr, cr9346, config[6], mtps;
    u16 mulint, bmcr, anar, cpcr;
    u32 rdsar[2];
    u8 next_tsd;        /* the descriptor to send from */
    u8 tx_index[2];     /* C+: in the normal and the high priority ring */
    u8 rx_index;        /* C+ */
    u64 sent, received; /* tally counters */
    u64 broadcasts;
    u32 multicasts;
    struct eeprom eeprom;

    struct rtl8139_desc desc;
    u32 timer;
    bool busy; /* at work: writes to its own registers, as a bus master, come to nothing */
    u8 gather[GATHER_MAX]; /* a frame in the making, within one call */
};

static inline bool rtl_cplus(const struct rtl8139 *r, u16 direction)
{
    return r->desc.cplus && (r->cpcr & direction);
}

/* --- rtl8139.c --- */

void rtl_raise(struct rtl8139 *r, u16 bits);
/** Drive the interrupt pin. */
void rtl_drive(struct rtl8139 *r);
/** What RST in the command register does. */
void rtl_soft_reset(struct rtl8139 *r);
void rtl_timer_arm(struct rtl8139 *r);
/** A frame leaves the card: to the wire, or back to the receiver. */
void rtl_wire(struct rtl8139 *r, const u8 *frame, size_t len);

/* --- rtl8139_regs.c --- */

extern const struct ioport_ops rtl_io_ops;
extern const struct mmio_ops rtl_mmio_ops;

/* --- rtl8139_ring.c: the classic receive ring and four transmit descriptors --- */

/** Send from every descriptor that the guest has filled, in order. */
void rtl_ring_transmit(struct rtl8139 *r);
bool rtl_ring_empty(const struct rtl8139 *r);
bool rtl_ring_ready(const struct rtl8139 *r);
/** @status: RX_BAR, RX_PAM, RX_MAR. */
void rtl_ring_receive(struct rtl8139 *r, const u8 *frame, size_t len, u16 status);

/* --- rtl8139_cplus.c: descriptor rings --- */

void rtl_cplus_transmit(struct rtl8139 *r, unsigned ring);
bool rtl_cplus_ready(const struct rtl8139 *r);
void rtl_cplus_receive(struct rtl8139 *r, const u8 *frame, size_t len, u16 status);
/** Write the tally counters to memory. */
void rtl_dump_tally(struct rtl8139 *r, u64 at);

/* --- rtl8139_offload.c --- */

enum rtl_offload { OFFLOAD_IP = BIT(0), OFFLOAD_UDP = BIT(1), OFFLOAD_TCP = BIT(2) };

/** Fill in the checksums asked for, where the frame has such headers. */
void rtl_fill_checksums(u8 *frame, size_t len, unsigned what);
/** Cut @frame, a TCP segment too large for the wire, into frames of @mss bytes of data. */
void rtl_send_large(struct rtl8139 *r, u8 *frame, size_t len, unsigned mss);
/** Bits 17:13 of a receive descriptor's status: the protocol, and what is wrong. */
u32 rtl_check_checksums(const u8 *frame, size_t len);

/* --- rtl8139_eeprom.c --- */

void eeprom_init(struct eeprom *e, const u8 mac[NIC_ADDRESS]);
/** The pins CS, SK, DI are bits 3, 2, 1. */
void eeprom_drive(struct eeprom *e, u8 pins);
/** DO, bit 0. */
u8 eeprom_out(const struct eeprom *e);
extern const struct field eeprom_fields[];
