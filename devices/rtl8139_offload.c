/* SPDX-License-Identifier: MIT */
/*
 * RTL8139C+: checksums of IP, TCP and UDP, and large segments.
 *
 * References: [RTL8139CP §6.3]; RFC 791, 793, 768. Only IPv4 without fragments.
 */
#include <string.h>

#include "base/bits.h"
#include "base/log.h"
#include "devices/ethernet.h"
#include "devices/rtl8139_state.h"

enum {
    IP_TOTAL = 2,
    IP_ID = 4,
    IP_FRAGMENT = 6,
    IP_PROTOCOL = 9,
    IP_CHECKSUM = 10,
    IP_ADDRESSES = 12,
    IP_HEADER_MIN = 20,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    TCP_SEQUENCE = 4,
    TCP_OFFSET = 12,
    TCP_FLAGS = 13,
    TCP_CHECKSUM = 16,
    TCP_HEADER_MIN = 20,
    TCP_ON_THE_LAST = 0x09, /* FIN, PSH */
    UDP_CHECKSUM = 6,
    UDP_HEADER = 8,
    RX_TCPF = BIT(13),
    RX_UDPF = BIT(14),
    RX_IPF = BIT(15),
    RX_TCP = BIT(16),
    RX_UDP = BIT(17),
    RX_IP = RX_TCP | RX_UDP,
};

/* Where the parts of a frame are; all lengths lie within it. */
struct packet {
    u8 *ip, *l4;
    size_t ip_header, l4_len; /* without what pads the frame */
    u8 protocol;
    bool fragment;
};

static u16 be16(const u8 *p)
{
    return (u16)(p[0] << 8 | p[1]);
}

static u32 be32(const u8 *p)
{
    return (u32)be16(p) << 16 | be16(p + 2);
}

static void put_be16(u8 *p, u16 v)
{
    p[0] = (u8)(v >> 8);
    p[1] = (u8)v;
}

static void put_be32(u8 *p, u32 v)
{
    put_be16(p, (u16)(v >> 16));
    put_be16(p + 2, (u16)v);
}

static bool parse(u8 *frame, size_t len, bool large, struct packet *p)
{
    if (len < ETHER_HEADER + IP_HEADER_MIN || be16(frame + 12) != 0x0800)
        return false;
    p->ip = frame + ETHER_HEADER;
    p->ip_header = (size_t)(p->ip[0] & 15) * 4;
    size_t rest = len - ETHER_HEADER, total = large ? rest : be16(p->ip + IP_TOTAL);
    if (p->ip[0] >> 4 != 4 || p->ip_header < IP_HEADER_MIN || p->ip_header > total || total > rest)
        return false;
    p->l4 = p->ip + p->ip_header;
    p->l4_len = total - p->ip_header;
    p->protocol = p->ip[IP_PROTOCOL];
    p->fragment = be16(p->ip + IP_FRAGMENT) & 0x3fff;
    return true;
}

static u16 ip_checksum(const struct packet *p)
{
    return ethernet_fold(ethernet_sum(0, p->ip, p->ip_header));
}

/* With the pseudo header. */
static u16 l4_checksum(const struct packet *p)
{
    u32 sum = ethernet_sum(p->protocol + (u32)p->l4_len, p->ip + IP_ADDRESSES, 8);

    return ethernet_fold(ethernet_sum(sum, p->l4, p->l4_len));
}

static void fill_ip(struct packet *p)
{
    put_be16(p->ip + IP_CHECKSUM, 0);
    put_be16(p->ip + IP_CHECKSUM, ip_checksum(p));
}

static void fill_l4(struct packet *p, size_t at)
{
    put_be16(p->l4 + at, 0);
    u16 sum = l4_checksum(p);
    put_be16(p->l4 + at, sum || p->protocol == PROTOCOL_TCP ? sum : 0xffff);
}

void rtl_fill_checksums(u8 *frame, size_t len, unsigned what)
{
    struct packet p;

    if (!what || !parse(frame, len, false, &p))
        return;
    if (what & OFFLOAD_IP)
        fill_ip(&p);
    if (p.fragment)
        return;
    if ((what & OFFLOAD_TCP) && p.protocol == PROTOCOL_TCP && p.l4_len >= TCP_HEADER_MIN)
        fill_l4(&p, TCP_CHECKSUM);
    if ((what & OFFLOAD_UDP) && p.protocol == PROTOCOL_UDP && p.l4_len >= UDP_HEADER)
        fill_l4(&p, UDP_CHECKSUM);
}

void rtl_send_large(struct rtl8139 *r, u8 *frame, size_t len, unsigned mss)
{
    struct packet p;
    u8 out[NIC_FRAME_MAX];

    if (!parse(frame, len, true, &p) || p.protocol != PROTOCOL_TCP || p.l4_len < TCP_HEADER_MIN) {
        log_guest(NET, "rtl8139: a large segment that is no TCP");
        return;
    }
    size_t tcp_header = (size_t)(p.l4[TCP_OFFSET] >> 4) * 4;
    size_t headers = ETHER_HEADER + p.ip_header + tcp_header;
    if (tcp_header < TCP_HEADER_MIN || tcp_header > p.l4_len || !mss ||
        headers + mss > NIC_FRAME_MAX) {
        log_guest(NET, "rtl8139: a large segment with headers of %zu bytes", headers);
        return;
    }
    u32 sequence = be32(p.l4 + TCP_SEQUENCE);
    u16 id = be16(p.ip + IP_ID);
    size_t data = p.l4_len - tcp_header, at = 0;
    do {
        size_t n = data - at < mss ? data - at : mss;
        struct packet o = p;
        memcpy(out, frame, headers);
        memcpy(out + headers, frame + headers + at, n);
        o.ip = out + ETHER_HEADER;
        o.l4 = o.ip + p.ip_header;
        o.l4_len = tcp_header + n;
        put_be16(o.ip + IP_TOTAL, (u16)(p.ip_header + o.l4_len));
        put_be16(o.ip + IP_ID, id++);
        put_be32(o.l4 + TCP_SEQUENCE, sequence + (u32)at);
        at += n;
        if (at < data)
            o.l4[TCP_FLAGS] &= (u8)~TCP_ON_THE_LAST;
        fill_ip(&o);
        fill_l4(&o, TCP_CHECKSUM);
        rtl_wire(r, out, headers + n);
    } while (at < data);
}

u32 rtl_check_checksums(const u8 *frame, size_t len)
{
    struct packet p;
    u8 copy[NIC_FRAME_MAX];

    if (len > sizeof(copy))
        return 0;
    memcpy(copy, frame, len);
    if (!parse(copy, len, false, &p))
        return 0;
    u32 bad = ip_checksum(&p) ? RX_IPF : 0;
    if (p.fragment)
        return RX_IP | bad;
    if (p.protocol == PROTOCOL_TCP && p.l4_len >= TCP_HEADER_MIN)
        return RX_TCP | bad | (l4_checksum(&p) ? RX_TCPF : 0);
    if (p.protocol == PROTOCOL_UDP && p.l4_len >= UDP_HEADER) {
        bool given = be16(p.l4 + UDP_CHECKSUM);
        return RX_UDP | bad | (given && l4_checksum(&p) ? RX_UDPF : 0);
    }
    return RX_IP | bad;
}
