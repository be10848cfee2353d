/* SPDX-License-Identifier: MIT */
/*
 * RTL8139: the receive ring and the four transmit descriptors that all models have.
 *
 * References: [RTL8139CP §6.1, §6.2]: packet header, transmit and receive operation.
 */
#include <string.h>

#include "base/bits.h"
#include "base/log.h"
#include "devices/ethernet.h"
#include "devices/rtl8139_state.h"

enum { RX_HEADER = 4, CAPR_BIAS = 16 };

/* --- transmitting --- */

static void transmit_one(struct rtl8139 *r, unsigned i)
{
    size_t len = r->tsd[i] & TSD_SIZE;

    if (len > NIC_FRAME_MAX) {
        log_guest(NET, "rtl8139: a frame of %zu bytes is not sent", len);
    } else if (len && pci_is_master(&r->pci)) {
        physmem_read(r->desc.pm, r->tsad[i], r->gather, len);
        rtl_wire(r, r->gather, len);
    }
    r->tsd[i] |= TSD_OWN | TSD_TOK;
    rtl_raise(r, INT_TOK);
}

void rtl_ring_transmit(struct rtl8139 *r)
{
    while ((r->cr & CR_TE) && !(r->tsd[r->next_tsd] & TSD_OWN)) {
        transmit_one(r, r->next_tsd);
        r->next_tsd = (r->next_tsd + 1) & 3;
    }
}

/* --- receiving --- */

static u32 ring_size(const struct rtl8139 *r)
{
    return 8192u << (r->rcr >> RCR_RBLEN_SHIFT & 3);
}

/* Bytes that the guest has not read yet begin where CAPR, plus its bias, says. Drivers let it run
 * on past the ring's size. */
static u32 ring_free(const struct rtl8139 *r)
{
    u32 size = ring_size(r), read = (u16)(r->capr + CAPR_BIAS);
    u32 used = (r->cbr - read) & (size - 1);

    return size - used;
}

static u32 room_of(size_t len)
{
    return (u32)(RX_HEADER + len + FCS + 3) & ~3u;
}

bool rtl_ring_empty(const struct rtl8139 *r)
{
    return ring_free(r) == ring_size(r);
}

bool rtl_ring_ready(const struct rtl8139 *r)
{
    return ring_free(r) > room_of(NIC_FRAME_MAX);
}

/* The ring's last kilobyte and a half exist behind its end, unless it is of 64 KiB. */
static u32 ring_put(struct rtl8139 *r, u32 at, const u8 *bytes, size_t len)
{
    u32 size = ring_size(r);
    size_t first = len;

    if ((!(r->rcr & RCR_WRAP) || size == 65536) && at + len > size)
        first = at < size ? size - at : 0;
    physmem_write(r->desc.pm, (u32)(r->rbstart + at), bytes, first);
    if (first < len)
        physmem_write(r->desc.pm, r->rbstart, bytes + first, len - first);
    at += (u32)len;
    return first < len ? at & (size - 1) : at;
}

void rtl_ring_receive(struct rtl8139 *r, const u8 *frame, size_t len, u16 status)
{
    u32 need = room_of(len), at = r->cbr & (ring_size(r) - 1);
    u8 bytes[4];

    if (ring_free(r) <= need) {
        r->missed = (r->missed + 1) & 0xffffff;
        rtl_raise(r, INT_RXOVW);
        return;
    }
    store16(bytes, status | RX_ROK);
    store16(bytes + 2, (u16)(len + FCS));
    at = ring_put(r, at, bytes, RX_HEADER);
    at = ring_put(r, at, frame, len);
    store32(bytes, ethernet_fcs(frame, len));
    ring_put(r, at, bytes, FCS);
    r->cbr = (u16)((r->cbr + need) & (ring_size(r) - 1));
    rtl_raise(r, INT_ROK);
}
