/* SPDX-License-Identifier: MIT */
/*
 * The network that a card is plugged into, under a guest that sends anything: frames of every
 * protocol, well formed, bent, cut, and in floods. It is isolated: nothing leaves the process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/log.h"
#include "devices/ethernet.h"
#include "frontend/netuser.h"
#include "machine/board.h"
#include "tests/fuzz/fuzz.h"

enum { BIOS_SIZE = 0x10000, HEADERS = 14 + 20, FRAMES_MAX = 800 };

static struct {
    struct config cfg;
    char bios[FUZZ_PATH_MAX];
    bool ready;
} fixture;

static const u8 guest_mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
static const u8 router_mac[6] = {0x52, 0x55, 10, 0, 2, 2};

static void set(struct fuzz *f, const char *key, const char *text)
{
    if (config_set(&fixture.cfg, key, text) != CONFIG_RUN)
        fuzz_fail(f, "%s", fixture.cfg.error);
}

static void prepare(struct fuzz *f)
{
    static u8 bytes[BIOS_SIZE];

    fuzz_file(fixture.bios, bytes, BIOS_SIZE);
    if (!config_init(&fixture.cfg))
        fuzz_fail(f, "no memory");
    set(f, "deterministic", "on");
    set(f, "memory", "1M");
    set(f, "bios", fixture.bios);
    set(f, "device", "ne2k_isa");
    if (log_open("/dev/null") != STATUS_OK)
        fuzz_fail(f, "no /dev/null");
    fixture.ready = true;
}

static void put_be16(u8 *p, u32 v)
{
    p[0] = (u8)(v >> 8);
    p[1] = (u8)v;
}

/* --- frames --- */

static size_t arp(struct fuzz *f, u8 *p)
{
    static const u8 head[8] = {0, 1, 8, 0, 6, 4, 0, 1};

    put_be16(p + 12, 0x0806);
    memcpy(p + 14, head, 8);
    p[21] = 1 + (u8)fuzz_below(f, 2);
    memcpy(p + 22, guest_mac, 6);
    put_be16(p + 28, 0x0a00);
    put_be16(p + 30, 0x020f);
    put_be16(p + 38, 0x0a00);
    put_be16(p + 40, 0x0200 | fuzz_below(f, 16));
    return 60;
}

static size_t icmp(struct fuzz *f, u8 *p, size_t room)
{
    p[0] = fuzz_one_in(f, 4) ? (u8)fuzz_u64(f) : 8;
    p[1] = 0;
    put_be16(p + 2, 0);
    size_t len = 8 + fuzz_below(f, (u32)(room - 8));
    put_be16(p + 2, ethernet_fold(ethernet_sum(0, p, len)));
    return len;
}

static size_t udp(struct fuzz *f, u8 *p, size_t room)
{
    static const u16 ports[] = {67, 69, 53, 7, 138};
    size_t len = 8 + fuzz_below(f, (u32)(room - 8));
    u16 port = fuzz_one_in(f, 6) ? (u16)fuzz_u64(f) : ports[fuzz_below(f, ARRAY_LEN(ports))];

    put_be16(p, port == 67 ? 68 : 1024 + fuzz_below(f, 4));
    put_be16(p + 2, port);
    put_be16(p + 4, (u32)len);
    put_be16(p + 6, 0);
    if (port == 67 && len > 8 + 244) { /* DHCP: up to its options */
        memset(p + 8, 0, 240);
        p[8] = p[9] = 1;
        p[10] = 6;
        memcpy(p + 8 + 28, guest_mac, 6);
        put_be16(p + 8 + 236, 0x6382);
        put_be16(p + 8 + 238, 0x5363);
        p[8 + 240] = 53;
        p[8 + 241] = 1;
        p[8 + 242] = 1 + (u8)fuzz_below(f, 8);
    } else if (port == 69 && len > 8 + 32) { /* TFTP */
        put_be16(p + 8, 1 + fuzz_below(f, 6));
        strcpy((char *)p + 10, fuzz_one_in(f, 2) ? "../passwd" : "hosts");
        memcpy(p + 20, "octet\0tsize\0000", 14);
    }
    return len;
}

static size_t tcp(struct fuzz *f, u8 *p, size_t room)
{
    size_t len = 20 + fuzz_below(f, (u32)(room - 20));

    put_be16(p, 1024 + fuzz_below(f, 8));
    put_be16(p + 2, 1 + fuzz_below(f, 100));
    p[12] = (u8)(fuzz_one_in(f, 4) ? fuzz_u64(f) : 0x50);
    p[13] = (u8)(fuzz_one_in(f, 2) ? 2 : fuzz_u64(f));
    return len;
}

static size_t ip(struct fuzz *f, u8 *frame)
{
    static const u8 head[20] = {0x45, 0, 0, 0, 0, 1, 0, 0, 64, 0, 0, 0, 10, 0, 2, 15, 10, 0, 2, 2};
    u8 *p = frame + 14;
    size_t room = fuzz_one_in(f, 2) ? 300 : 1480, len;

    put_be16(frame + 12, 0x0800);
    memcpy(p, head, 20);
    p[19] = 2 + (u8)fuzz_below(f, 3);
    if (fuzz_one_in(f, 4)) { /* a fragment, of few packets so that some fit */
        put_be16(p + 4, fuzz_below(f, 3));
        put_be16(p + 6, fuzz_below(f, 2) << 13 | fuzz_below(f, 200));
    }
    switch (fuzz_below(f, 3)) {
    case 0:
        p[9] = 1;
        len = icmp(f, p + 20, room);
        break;
    case 1:
        p[9] = 17;
        len = udp(f, p + 20, room);
        break;
    default:
        p[9] = 6;
        len = tcp(f, p + 20, room);
        break;
    }
    put_be16(p + 2, (u32)(20 + len));
    put_be16(p + 10, ethernet_fold(ethernet_sum(0, p, 20)));
    if (p[9] == 6) {
        u32 sum = ethernet_sum(6 + (u32)len, p + 12, 8);
        put_be16(p + 36, 0);
        put_be16(p + 36, ethernet_fold(ethernet_sum(sum, p + 20, len)));
    }
    return HEADERS + len;
}

static void send_one(struct fuzz *f, struct netuser *n)
{
    u8 frame[2048];
    size_t len;

    fuzz_bytes(f, frame, sizeof(frame));
    memcpy(frame, router_mac, 6);
    memcpy(frame + 6, guest_mac, 6);
    if (fuzz_one_in(f, 3))
        memset(frame, 0xff, 6);
    len = fuzz_one_in(f, 8)   ? 14 + fuzz_below(f, 1500)
          : fuzz_one_in(f, 4) ? arp(f, frame)
                              : ip(f, frame);
    if (fuzz_one_in(f, 4))
        fuzz_mutate(f, frame + 12, len - 12);
    if (fuzz_one_in(f, 8))
        len = fuzz_below(f, (u32)len + 1);
    netuser_send(n, frame, len);
}

static void one(struct fuzz *f)
{
    struct nic_net net = {.user = true, .isolated = true, .tftp = "/etc", .bootfile = "hosts"};
    struct pc_host host = {.wall_seconds = 1};
    char error[PC_ERROR_MAX];
    struct netuser *n;
    struct pc *pc;

    if (!fixture.ready)
        prepare(f);
    if (pc_create(&pc, &fixture.cfg, &host, error) != STATUS_OK)
        fuzz_fail(f, "%s", error);
    enum status s = netuser_open(&n, &net, error);
    if (s == STATUS_UNSUPPORTED) {
        printf("skipped: %s\n", error);
        exit(0);
    }
    if (s != STATUS_OK)
        fuzz_fail(f, "%s", error);
    for (unsigned i = fuzz_below(f, FRAMES_MAX); i; i--) {
        send_one(f, n);
        if (fuzz_one_in(f, 8))
            (void)netuser_exchange(n, pc, 0);
        if (fuzz_one_in(f, 30))
            clock_skip(&pc->clock, clock_now(&pc->clock) + fuzz_length(f, 34));
    }
    netuser_close(n);
    pc_destroy(pc);
}

int main(int argc, char **argv)
{
    return fuzz_main(argc, argv, "fuzz_net", one);
}
