/* SPDX-License-Identifier: MIT */
/*
 * RTL8139C+: descriptor rings.
 *
 * Reference: [RTL8139CP §6.3, §6.4]: transmit and receive descriptors of C+ mode.
 *
 * Not implemented: frames longer than one receive descriptor's buffer (dropped), underrun and
 * collision counts.
 */
#include <string.h>

#include "base/bits.h"
#include "base/log.h"
#include "devices/ethernet.h"
#include "devices/rtl8139_state.h"

enum {
    DESCRIPTOR = 16, /* bytes: status, VLAN, address of 64 bits */
    D_VLAN = 4,
    D_ADDRESS = 8,
    D_SIZE_RX = 0x1fff,
    D_SIZE_TX = 0xffff,
    D_TCPCS = BIT(16),
    D_UDPCS = BIT(17),
    D_IPCS = BIT(18),
    D_LARGE = BIT(27),
    D_LS = BIT(28),
    D_FS = BIT(29),
    D_EOR = BIT(30),
    D_MSS_SHIFT = 16,
    D_MSS = 0x7ff,
    D_STATUS_TX = 0x03f00000, /* what the card writes back: all good is 0 */
    D_TAG = BIT(16),          /* receive: a tag was taken out */
    D_TAG_TX = BIT(17),       /* transmit: put one in */
    D_BAR = BIT(24),
    D_PAM = BIT(25),
    D_MAR = BIT(26),
};

#define D_OWN BIT(31)

static u64 ring_base(const struct rtl8139 *r, unsigned ring)
{
    return (r->tsad[2 * ring] & ~0xffu) | (u64)r->tsad[2 * ring + 1] << 32;
}

static u64 rx_base(const struct rtl8139 *r)
{
    return (r->rdsar[0] & ~0xffu) | (u64)r->rdsar[1] << 32;
}

static u8 next_index(u8 index, u32 status)
{
    return status & D_EOR ? 0 : (index + 1) & (DESCRIPTORS - 1);
}

/* --- transmitting --- */

/* Put the tag of @vlan, in the order of the wire, behind the addresses. */
static size_t insert_tag(u8 *frame, size_t len, u32 vlan)
{
    if (len < ETHER_HEADER || len + VLAN_TAG > GATHER_MAX)
        return len;
    memmove(frame + 12 + VLAN_TAG, frame + 12, len - 12);
    frame[12] = 0x81;
    frame[13] = 0;
    store16(frame + 14, (u16)vlan);
    return len + VLAN_TAG;
}

/* The frame in r->gather, as its last descriptor asks. */
static void send_gathered(struct rtl8139 *r, size_t len, u32 status, u32 vlan)
{
    u8 *frame = r->gather;
    unsigned what = (status & D_IPCS ? OFFLOAD_IP : 0u) | (status & D_UDPCS ? OFFLOAD_UDP : 0u) |
                    (status & D_TCPCS ? OFFLOAD_TCP : 0u);

    if (status & D_LARGE) {
        rtl_send_large(r, frame, len, status >> D_MSS_SHIFT & D_MSS);
        return;
    }
    rtl_fill_checksums(frame, len, what);
    if (vlan & D_TAG_TX)
        len = insert_tag(frame, len, vlan);
    rtl_wire(r, frame, len);
}

/* At most as many descriptors as a ring has: one that lies in ROM is never given back. */
void rtl_cplus_transmit(struct rtl8139 *r, unsigned ring)
{
    size_t len = 0;
    u32 first = 0;
    bool sent = false;

    if (!(r->cr & CR_TE) || !rtl_cplus(r, CPCR_TX) || !pci_is_master(&r->pci))
        return;
    for (unsigned n = 0; n < DESCRIPTORS; n++) {
        u64 at = ring_base(r, ring) + (u64)r->tx_index[ring] * DESCRIPTOR;
        u8 d[DESCRIPTOR];
        physmem_read(r->desc.pm, at, d, sizeof(d));
        u32 status = load32(d), size = status & D_SIZE_TX;
        if (!(status & D_OWN))
            break;
        if (status & D_FS) {
            first = status;
            len = 0;
        }
        if (len + size > GATHER_MAX - VLAN_TAG)
            size = 0;
        physmem_read(r->desc.pm, load64(d + D_ADDRESS), r->gather + len, size);
        len += size;
        store32(d, status & ~(u32)(D_OWN | D_STATUS_TX));
        physmem_write(r->desc.pm, at, d, 4);
        r->tx_index[ring] = next_index(r->tx_index[ring], status);
        if (status & D_LS) {
            send_gathered(r, len, first | status, load32(d + D_VLAN));
            len = 0;
            sent = true;
        }
    }
    rtl_raise(r, sent ? INT_TOK : INT_TDU);
}

/* --- receiving --- */

static u64 rx_at(const struct rtl8139 *r)
{
    return rx_base(r) + (u64)r->rx_index * DESCRIPTOR;
}

bool rtl_cplus_ready(const struct rtl8139 *r)
{
    u8 d[4];

    physmem_read(r->desc.pm, rx_at(r), d, sizeof(d));
    return load32(d) & D_OWN;
}

/* Take a tag out of @frame into *@vlan. */
static size_t strip_tag(u8 *frame, size_t len, u32 *vlan)
{
    if (len < ETHER_HEADER + VLAN_TAG || frame[12] != 0x81 || frame[13] != 0)
        return len;
    *vlan = D_TAG | load16(frame + 14);
    memmove(frame + 12, frame + 12 + VLAN_TAG, len - 12 - VLAN_TAG);
    return len - VLAN_TAG;
}

void rtl_cplus_receive(struct rtl8139 *r, const u8 *frame, size_t len, u16 status)
{
    u64 at = rx_at(r);
    u8 d[DESCRIPTOR], copy[NIC_FRAME_MAX + FCS];
    u32 vlan = 0, up = 0;

    physmem_read(r->desc.pm, at, d, sizeof(d));
    u32 old = load32(d);
    memcpy(copy, frame, len);
    if (r->cpcr & CPCR_RXVLAN)
        len = strip_tag(copy, len, &vlan);
    if (!(old & D_OWN) || (old & D_SIZE_RX) < len + FCS) {
        r->missed = (r->missed + 1) & 0xffffff;
        rtl_raise(r, INT_RXOVW | INT_FOVW);
        return;
    }
    store32(copy + len, ethernet_fcs(copy, len));
    physmem_write(r->desc.pm, load64(d + D_ADDRESS), copy, len + FCS);
    if (status & RX_BAR)
        up |= D_BAR;
    if (status & RX_PAM)
        up |= D_PAM;
    if (status & RX_MAR)
        up |= D_MAR;
    if (r->cpcr & CPCR_RXCHKSUM)
        up |= rtl_check_checksums(copy, len);
    store32(d, (old & D_EOR) | D_FS | D_LS | up | (u32)(len + FCS));
    store32(d + D_VLAN, vlan);
    physmem_write(r->desc.pm, at, d, D_ADDRESS);
    r->rx_index = next_index(r->rx_index, old);
    rtl_raise(r, INT_ROK);
}

/* [RTL8139CP §5.8]: 64 bytes. */
void rtl_dump_tally(struct rtl8139 *r, u64 at)
{
    u8 t[64] = {0};

    store64(t, r->sent);
    store64(t + 8, r->received);
    store16(t + 28, (u16)r->missed);
    store64(t + 40, r->received - r->broadcasts - r->multicasts);
    store64(t + 48, r->broadcasts);
    store32(t + 56, r->multicasts);
    physmem_write(r->desc.pm, at, t, sizeof(t));
}
