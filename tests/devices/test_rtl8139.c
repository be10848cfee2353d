/* SPDX-License-Identifier: MIT */
/* RTL8139 through its memory BAR: the classic rings, C+ descriptors, offloads, EEPROM, timer. */
#include "base/bits.h"
#include "devices/ethernet.h"
#include "devices/rtl8139.h"
#include "tests/support/device_state.h"
#include "tests/support/pci_guest.h"
#include "tests/support/wire.h"

#define DEVFN PCI_DEVFN(3, 0)
#define BAR   0xf0000000u
#define OWN   0x80000000u
#define EOR   0x40000000u
#define FS    0x20000000u
#define LS    0x10000000u

enum {
    MAR = 0x08,
    TSD = 0x10,
    TSAD = 0x20,
    RBSTART = 0x30,
    CMD = 0x37,
    CAPR = 0x38,
    CBR = 0x3a,
    IMR = 0x3c,
    ISR = 0x3e,
    TCR = 0x40,
    RCR = 0x44,
    TCTR = 0x48,
    CFG = 0x50,
    TIMERINT = 0x54,
    BMSR = 0x64,
    TPPOLL = 0xd9,
    CPCR = 0xe0,
    RDSAR = 0xe4,
    RX = 0x1000, /* places in memory */
    BUF = 0x8000,
    TXD = 0x10000,
    RXD = 0x11000,
    TALLY = 0x12000,
};

static const u8 mac[6] = {0x52, 0x54, 0, 1, 2, 3}, everybody[6] = {255, 255, 255, 255, 255, 255};

struct board {
    struct ioport_bus *io;
    struct physmem *pm;
    struct pci_bus *bus;
    struct clock clk;
    struct rtl8139 *nic;
    struct wire_spy wire;
};

static u32 rd(struct board *b, u32 reg, unsigned size)
{
    return (u32)physmem_load(b->pm, BAR + reg, size);
}

static void wr(struct board *b, u32 reg, u32 val, unsigned size)
{
    physmem_store(b->pm, BAR + reg, val, size);
}

static u32 mem32(struct board *b, u32 at)
{
    return (u32)physmem_load(b->pm, at, 4);
}

static void make(struct board *b, bool cplus)
{
    struct rtl8139_desc desc = {
        .name = "rtl8139.0",
        .pci = b->bus,
        .pm = b->pm,
        .clk = &b->clk,
        .devfn = DEVFN,
        .cplus = cplus,
        .wire = wire_spy_end(&b->wire),
    };

    memcpy(desc.mac, mac, 6);
    assert_int_equal(rtl8139_create(&b->nic, &desc), STATUS_OK);
    pci_out(b->io, DEVFN, PCI_BAR0, 0xc000, W32);
    pci_out(b->io, DEVFN, PCI_BAR0 + 4, BAR, W32);
    pci_out(b->io, DEVFN, PCI_COMMAND, 7, W16);
}

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    b->io = ioport_create();
    clock_init(&b->clk, CLOCK_RATIO_DEFAULT);
    assert_int_equal(physmem_create(&b->pm, 1 << 20), STATUS_OK);
    physmem_map_ram(b->pm, 0, 1 << 20, 0);
    assert_int_equal(pci_bus_create(&b->bus, &(struct pci_bus_desc){.io = b->io, .pm = b->pm}),
                     STATUS_OK);
    make(b, true);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct board *b = *state;

    rtl8139_class.destroy(b->nic);
    pci_bus_class.destroy(b->bus);
    physmem_destroy(b->pm);
    ioport_destroy(b->io);
    free(b);
    return 0;
}

static struct board *classic(void **state)
{
    struct board *b = *state;

    wr(b, CMD, 0x10, 1);
    wr(b, RBSTART, RX, 4);
    wr(b, IMR, 0xffff, 2);
    wr(b, CMD, 0x0c, 1);
    wr(b, RCR, 0x8a, 4); /* ours, broadcasts; no wrap, 8 KiB */
    return b;
}

static struct board *cplus(void **state)
{
    struct board *b = *state;

    wr(b, CMD, 0x10, 1);
    wr(b, CPCR, 0x2b, 2); /* both directions, receive checksums */
    wr(b, TSAD, TXD, 4);
    wr(b, TSAD + 4, 0, 4);
    wr(b, RDSAR, RXD, 4);
    wr(b, RDSAR + 4, 0, 4);
    wr(b, IMR, 0xffff, 2);
    wr(b, CMD, 0x0c, 1);
    wr(b, RCR, 0x0a, 4);
    return b;
}

static void put_desc(struct board *b, u32 at, u32 status, u32 vlan, u32 addr)
{
    physmem_store(b->pm, at, status, 4);
    physmem_store(b->pm, at + 4, vlan, 4);
    physmem_store(b->pm, at + 8, addr, 8);
}

static void it_says_what_it_is(void **state)
{
    struct board *b = *state;

    assert_int_equal(pci_in(b->io, DEVFN, 0, W32), 0x813910ec);
    assert_int_equal(pci_in(b->io, DEVFN, 8, W8), 0x20);
    assert_int_equal(rd(b, TCR, 4), 0x74800000);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(rd(b, i, 1), mac[i]);
    assert_int_equal(rd(b, 0, 4), load32(mac));
    assert_int_equal(ioport_read(b->io, 0xc004, W16), load16(mac + 4));
    assert_int_equal(rd(b, CMD, 1), 1); /* the buffer is empty */
    assert_int_equal(rd(b, BMSR, 2) & 4, 4);
    assert_int_equal(rd(b, 0x58, 1) & 4, 0);
}

static void the_plain_model_has_no_cplus(void **state)
{
    struct board *b = *state;

    rtl8139_class.destroy(b->nic);
    clock_init(&b->clk, CLOCK_RATIO_DEFAULT);
    make(b, false);
    assert_int_equal(pci_in(b->io, DEVFN, 8, W8), 0x10);
    assert_int_equal(rd(b, TCR, 4), 0x74000000);
    wr(b, CPCR, 3, 2);
    assert_int_equal(rd(b, CPCR, 2), 0);
}

static void narrow_and_wide_accesses_agree(void **state)
{
    struct board *b = classic(state);

    wr(b, IMR + 1, 0x40, 1);
    assert_int_equal(rd(b, IMR, 2), 0x40ff);
    wr(b, RCR, 0x0f, 1);
    assert_int_equal(rd(b, RCR, 4), 0x0f);
    wr(b, MAR, 0x44332211, 4);
    assert_int_equal(rd(b, MAR + 1, 1), 0x22);
    wr(b, IMR, 0xffff0005, 4); /* mask, and acknowledge everything */
    assert_int_equal(rd(b, IMR, 2), 5);
}

static void four_descriptors_send_in_order(void **state)
{
    struct board *b = classic(state);
    u8 frame[100];

    for (unsigned i = 0; i < 6; i++) {
        make_frame(frame, mac, sizeof(frame));
        frame[20] = (u8)i;
        physmem_write(b->pm, BUF + 256 * i, frame, sizeof(frame));
        wr(b, TSAD + 4 * (i & 3), BUF + 256 * i, 4);
        wr(b, TSD + 4 * (i & 3), sizeof(frame), 4);
        assert_int_equal(rd(b, TSD + 4 * (i & 3), 4) & 0xa000, 0xa000);
        assert_int_equal(b->wire.frames, i + 1);
        assert_int_equal(b->wire.last[20], i);
    }
    assert_int_equal(rd(b, ISR, 2), 4);
    assert_int_equal(rd(b, 0x60, 2), 0xf00f);
    assert_true(pci_bus_pin(b->bus, 3, 0));
    wr(b, ISR, 4, 2);
    assert_false(pci_bus_pin(b->bus, 3, 0));
    wr(b, TSD + 12, 100, 4); /* out of turn: waits for 2 */
    assert_int_equal(b->wire.frames, 6);
    wr(b, TSD + 8, 100, 4);
    assert_int_equal(b->wire.frames, 8);
}

static void frames_stack_up_in_the_ring(void **state)
{
    struct board *b = classic(state);
    u8 frame[101], got[101];

    make_frame(frame, mac, sizeof(frame));
    rtl8139_nic_ops.receive(b->nic, frame, sizeof(frame));
    assert_int_equal(rd(b, CMD, 1), 0x0c);
    assert_int_equal(rd(b, ISR, 2), 1);
    assert_int_equal(mem32(b, RX), 105u << 16 | 0x4001); /* PAM, ROK */
    physmem_read(b->pm, RX + 4, got, sizeof(got));
    assert_memory_equal(got, frame, sizeof(frame));
    u8 fcs[4];
    physmem_read(b->pm, RX + 4 + 101, fcs, 4);
    assert_int_equal(load32(fcs), ethernet_fcs(frame, sizeof(frame)));
    assert_int_equal(rd(b, CBR, 2), 112); /* to a dword */
    make_frame(frame, everybody, sizeof(frame));
    rtl8139_nic_ops.receive(b->nic, frame, 20);
    assert_int_equal(mem32(b, RX + 112), 64u << 16 | 0x2001); /* BAR, padded */
    wr(b, CAPR, 112 + 68 - 16, 2);
    assert_int_equal(rd(b, CMD, 1) & 1, 1);
}

static void the_ring_wraps_or_runs_over(void **state)
{
    struct board *b = classic(state);
    u8 frame[1514];
    u32 at = 0;

    make_frame(frame, mac, sizeof(frame));
    for (unsigned i = 0; i < 20; i++) { /* read at once */
        rtl8139_nic_ops.receive(b->nic, frame, sizeof(frame));
        assert_int_equal(mem32(b, RX + at) >> 16, 1518);
        assert_int_equal(physmem_load(b->pm, RX + at + 4 + 1513, 1), (1513) & 0xff);
        at = (at + 1524) & 8191;
        wr(b, CAPR, at - 16, 2);
        assert_int_equal(rd(b, CBR, 2), at);
    }
    wr(b, RCR, 0x0a, 4); /* from now on it wraps */
    for (unsigned i = 0; i < 20; i++) {
        rtl8139_nic_ops.receive(b->nic, frame, sizeof(frame));
        u32 last = (at + 4 + 1513) & 8191;
        assert_int_equal(physmem_load(b->pm, RX + last, 1), 1513 & 0xff);
        at = (at + 1524) & 8191;
        wr(b, CAPR, at - 16, 2);
    }
    unsigned n = 0;
    while (rtl8139_nic_ops.ready(b->nic)) {
        rtl8139_nic_ops.receive(b->nic, frame, sizeof(frame));
        n++;
    }
    assert_int_equal(n, 5);
    assert_int_equal(rd(b, ISR, 2) & 0x10, 0);
    rtl8139_nic_ops.receive(b->nic, frame, sizeof(frame));
    assert_int_equal(rd(b, ISR, 2) & 0x10, 0x10);
    assert_int_equal(rd(b, 0x4c, 4), 1); /* missed */
}

/* Linux' 8139too never masks what it writes to CAPR: it once found an empty ring full of frames. */
static void capr_may_run_on(void **state)
{
    struct board *b = classic(state);
    u8 frame[1000];
    u32 read = 0;

    make_frame(frame, mac, sizeof(frame));
    for (unsigned i = 0; i < 200; i++) {
        assert_int_equal(rd(b, CMD, 1) & 1, 1);
        rtl8139_nic_ops.receive(b->nic, frame, sizeof(frame));
        assert_int_equal(rd(b, CMD, 1) & 1, 0);
        assert_int_equal(mem32(b, RX + (read & 8191)) >> 16, 1004);
        read += 1008;
        wr(b, CAPR, (read - 16) & 0xffff, 2);
    }
}

static void filters_choose(void **state)
{
    static const u8 other[6] = {0x52, 1, 1, 1, 1, 1}, group[6] = {1, 0, 0x5e, 0, 0, 1};
    struct board *b = classic(state);
    unsigned hash = ethernet_hash(group);
    u8 frame[64];

    make_frame(frame, other, sizeof(frame));
    rtl8139_nic_ops.receive(b->nic, frame, sizeof(frame));
    make_frame(frame, group, sizeof(frame));
    wr(b, RCR, 0x04, 4);
    rtl8139_nic_ops.receive(b->nic, frame, sizeof(frame));
    assert_int_equal(rd(b, ISR, 2), 0);
    wr(b, MAR + hash / 8, 1u << hash % 8, 1);
    rtl8139_nic_ops.receive(b->nic, frame, sizeof(frame));
    assert_int_equal(rd(b, ISR, 2), 1);
    wr(b, CMD, 0, 1);
    assert_true(rtl8139_nic_ops.ready(b->nic));
    wr(b, ISR, 1, 2);
    rtl8139_nic_ops.receive(b->nic, frame, sizeof(frame));
    assert_int_equal(rd(b, ISR, 2), 0);
}

static u16 clocked_word(struct board *b, u8 address)
{
    u32 command = 0x180u | address;
    u16 v = 0;

    wr(b, CFG, 0x80, 1);
    wr(b, CFG, 0x88, 1);
    for (int i = 8; i >= 0; i--) {
        u32 di = command >> i & 1 ? 2 : 0;
        wr(b, CFG, 0x88 | di, 1);
        wr(b, CFG, 0x8c | di, 1);
    }
    wr(b, CFG, 0x88, 1);
    assert_int_equal(rd(b, CFG, 1) & 1, 0); /* the leading zero */
    for (unsigned i = 0; i < 16; i++) {
        wr(b, CFG, 0x8c, 1);
        v = (u16)(v << 1 | (rd(b, CFG, 1) & 1));
        wr(b, CFG, 0x88, 1);
    }
    wr(b, CFG, 0x00, 1);
    return v;
}

static void the_eeprom_has_the_address(void **state)
{
    struct board *b = *state;

    assert_int_equal(clocked_word(b, 0), 0x8129);
    assert_int_equal(clocked_word(b, 7), load16(mac));
    assert_int_equal(clocked_word(b, 9), load16(mac + 4));
}

static void the_timer_interrupts_at_its_count(void **state)
{
    struct board *b = *state;

    wr(b, IMR, 0x4000, 2);
    wr(b, TCTR, 0, 4);
    wr(b, TIMERINT, 33000, 4); /* a millisecond */
    clock_run(&b->clk, 999999);
    assert_int_equal(rd(b, ISR, 2), 0);
    clock_run(&b->clk, 1);
    assert_int_equal(rd(b, TCTR, 4), 33000);
    assert_int_equal(rd(b, ISR, 2), 0x4000);
    wr(b, TIMERINT, 0, 4);
    assert_true(clock_next(&b->clk) == CLOCK_NEVER);
}

static void descriptors_gather_a_frame(void **state)
{
    struct board *b = cplus(state);
    u8 frame[600];

    make_frame(frame, everybody, sizeof(frame));
    physmem_write(b->pm, BUF, frame, 200);
    physmem_write(b->pm, BUF + 0x1000, frame + 200, 400);
    put_desc(b, TXD, OWN | FS | 200, 0, BUF);
    put_desc(b, TXD + 16, OWN | EOR | LS | 400, 0, BUF + 0x1000);
    wr(b, TPPOLL, 0x40, 1);
    assert_int_equal(b->wire.frames, 1);
    assert_int_equal(b->wire.len, 600);
    assert_memory_equal(b->wire.last, frame, 600);
    assert_int_equal(mem32(b, TXD), FS | 200);
    assert_int_equal(mem32(b, TXD + 16), EOR | LS | 400);
    assert_int_equal(rd(b, ISR, 2), 4);
    put_desc(b, TXD, OWN | FS | LS | 100, 0x20000 | 0x3412, BUF); /* behind EOR: the first again */
    wr(b, TPPOLL, 0x40, 1);
    assert_int_equal(b->wire.len, 104);
    assert_int_equal(load16(b->wire.last + 12), 0x0081);
    assert_int_equal(load16(b->wire.last + 14), 0x3412); /* the tag as on the wire */
    assert_int_equal(b->wire.last[16], frame[12]);
}

/* Ethernet, IPv4 and TCP or UDP headers, without checksums. */
static size_t make_ip(u8 *f, u8 protocol, size_t data)
{
    static const u8 ip[20] = {0x45, 0, 0, 0, 1, 2, 0x40, 0, 64, 0, 0, 0, 10, 0, 2, 15, 10, 0, 2, 2};
    size_t l4 = protocol == 6 ? 20 : 8, total = 20 + l4 + data;

    memset(f, 0, 34 + l4);
    memcpy(f, everybody, 6);
    memcpy(f + 6, mac, 6);
    f[12] = 8;
    memcpy(f + 14, ip, 20);
    f[16] = (u8)(total >> 8);
    f[17] = (u8)total;
    f[23] = protocol;
    f[34 + 1] = 80;
    if (protocol == 6) {
        f[34 + 12] = 5 << 4;
        f[34 + 13] = 0x19; /* ACK, PSH, FIN */
    } else {
        f[34 + 5] = (u8)(8 + data);
    }
    for (size_t i = 0; i < data; i++)
        f[34 + l4 + i] = (u8)(i * 7);
    return 14 + total;
}

/* The ones' complement sum that a receiver forms: 0 if all is right. */
static u16 l4_sum(const u8 *f)
{
    size_t total = (size_t)f[16] << 8 | f[17];
    u32 sum = ethernet_sum(f[23] + (u32)total - 20, f + 26, 8);

    return ethernet_fold(ethernet_sum(sum, f + 34, total - 20));
}

static void checksums_are_filled_in(void **state)
{
    struct board *b = cplus(state);
    u8 frame[300];
    size_t len = make_ip(frame, 6, 101);

    physmem_write(b->pm, BUF, frame, len);
    put_desc(b, TXD, OWN | FS | LS | 0x50000 | (u32)len, 0, BUF);
    wr(b, TPPOLL, 0x40, 1);
    assert_int_equal(ethernet_fold(ethernet_sum(0, b->wire.last + 14, 20)), 0);
    assert_int_equal(l4_sum(b->wire.last), 0);
    len = make_ip(frame, 17, 40);
    physmem_write(b->pm, BUF, frame, len);
    put_desc(b, TXD + 16, OWN | FS | LS | 0x60000 | (u32)len, 0, BUF);
    wr(b, TPPOLL, 0x40, 1);
    assert_int_equal(b->wire.frames, 2);
    assert_int_equal(l4_sum(b->wire.last), 0);
}

static void large_segments_are_cut(void **state)
{
    struct board *b = cplus(state);
    static u8 frame[5000];
    size_t len = make_ip(frame, 6, 4000);

    physmem_write(b->pm, BUF, frame, len);
    put_desc(b, TXD, OWN | FS | LS | 0x08000000 | 1460u << 16 | (u32)len, 0, BUF);
    wr(b, TPPOLL, 0x40, 1);
    assert_int_equal(b->wire.frames, 3);
    assert_int_equal(b->wire.total, 4000 + 3 * 54);
    assert_int_equal(b->wire.len, 54 + 1080);
    assert_int_equal(b->wire.log[0][47], 0x10); /* PSH and FIN on the last only */
    assert_int_equal(b->wire.log[2][47], 0x19);
    assert_int_equal(b->wire.log[1][40] << 8 | b->wire.log[1][41], 1460); /* sequence number */
    assert_int_equal(b->wire.log[1][19], 3);                              /* IP's identification */
    assert_int_equal(l4_sum(b->wire.last), 0);
    assert_int_equal(ethernet_fold(ethernet_sum(0, b->wire.last + 14, 20)), 0);
}

static void received_frames_fill_descriptors(void **state)
{
    struct board *b = cplus(state);
    u8 frame[300], got[300];
    size_t len = make_ip(frame, 17, 100);

    memcpy(frame, mac, 6);
    put_desc(b, RXD, OWN | 1536, 0, BUF);
    put_desc(b, RXD + 16, OWN | EOR | 1536, 0, BUF + 0x1000);
    assert_true(rtl8139_nic_ops.ready(b->nic));
    rtl8139_nic_ops.receive(b->nic, frame, len);
    /* to us, UDP; IP's checksum is missing, UDP's is not used */
    assert_int_equal(mem32(b, RXD), FS | LS | 1u << 25 | 2u << 16 | 1u << 15 | (u32)(len + 4));
    physmem_read(b->pm, BUF, got, len);
    assert_memory_equal(got, frame, len);
    assert_int_equal(rd(b, ISR, 2), 1);
    rtl8139_nic_ops.receive(b->nic, frame, len);
    assert_int_equal(mem32(b, RXD + 16) & (OWN | EOR), EOR);
    assert_false(rtl8139_nic_ops.ready(b->nic));
    rtl8139_nic_ops.receive(b->nic, frame, len); /* nobody asked whether */
    assert_int_equal(rd(b, ISR, 2) & 0x10, 0x10);
    put_desc(b, RXD, OWN | 100, 0, BUF); /* too small */
    rtl8139_nic_ops.receive(b->nic, frame, len);
    assert_int_equal(mem32(b, RXD), OWN | 100);
}

static void tags_are_taken_out(void **state)
{
    struct board *b = cplus(state);
    u8 frame[100];

    make_frame(frame, mac, sizeof(frame));
    frame[12] = 0x81;
    frame[13] = 0;
    frame[14] = 0x20;
    frame[15] = 0x05;
    wr(b, CPCR, 0x6b, 2);
    put_desc(b, RXD, OWN | 1536, 0, BUF);
    rtl8139_nic_ops.receive(b->nic, frame, sizeof(frame));
    assert_int_equal(mem32(b, RXD) & 0x1fff, 100);
    assert_int_equal(mem32(b, RXD + 4), 0x10520);
    assert_int_equal(physmem_load(b->pm, BUF + 12, 1), frame[16]);
}

static void tally_counters_are_written(void **state)
{
    struct board *b = cplus(state);
    u8 frame[64];

    make_frame(frame, everybody, sizeof(frame));
    put_desc(b, RXD, OWN | 1536, 0, BUF);
    rtl8139_nic_ops.receive(b->nic, frame, sizeof(frame));
    wr(b, 0x14, 0, 4);
    wr(b, 0x10, TALLY | 8, 4);
    assert_int_equal(rd(b, 0x10, 4) & 8, 0);
    assert_int_equal(mem32(b, TALLY + 8), 1);
    assert_int_equal(mem32(b, TALLY + 48), 1);
}

/* Rings in ROM, in the registers themselves, in nowhere: every call ends. */
static void rings_anywhere_end(void **state)
{
    static const u32 places[] = {0, BAR, BAR + 0x10, BAR + 0x100, 0xfffff000, 0x80000000, 0xffff0};
    struct board *b = cplus(state);
    u8 frame[64];

    make_frame(frame, everybody, sizeof(frame));
    for (unsigned i = 0; i < ARRAY_LEN(places); i++) {
        for (unsigned k = 0; k < ARRAY_LEN(places); k++) {
            wr(b, TSAD, places[i], 4);
            wr(b, RDSAR, places[k], 4);
            wr(b, TCR, i & 1 ? 0x60000 : 0, 4);
            wr(b, TPPOLL, 0xc0, 1);
            if (rtl8139_nic_ops.ready(b->nic))
                rtl8139_nic_ops.receive(b->nic, frame, sizeof(frame));
            wr(b, CPCR, 0, 2);
            wr(b, RBSTART, places[k], 4);
            wr(b, TSD, 64, 4);
            rtl8139_nic_ops.receive(b->nic, frame, sizeof(frame));
            wr(b, CPCR, 0x2b, 2);
        }
    }
}

static void state_survives(void **state)
{
    struct board *b = cplus(state), *other;
    u8 frame[64];
    void *to;

    make_frame(frame, everybody, sizeof(frame));
    put_desc(b, RXD, OWN | 1536, 0, BUF);
    rtl8139_nic_ops.receive(b->nic, frame, sizeof(frame));
    wr(b, TIMERINT, 1000, 4);
    setup(&to);
    other = to;
    check_save_load(&rtl8139_class, b->nic, other->nic);
    assert_int_equal(rd(other, RDSAR, 4), RXD);
    assert_true(pci_bus_pin(other->bus, 3, 0));
    teardown(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(it_says_what_it_is),
        T(the_plain_model_has_no_cplus),
        T(narrow_and_wide_accesses_agree),
        T(four_descriptors_send_in_order),
        T(frames_stack_up_in_the_ring),
        T(the_ring_wraps_or_runs_over),
        T(capr_may_run_on),
        T(filters_choose),
        T(the_eeprom_has_the_address),
        T(the_timer_interrupts_at_its_count),
        T(descriptors_gather_a_frame),
        T(checksums_are_filled_in),
        T(large_segments_are_cut),
        T(received_frames_fill_descriptors),
        T(tags_are_taken_out),
        T(tally_counters_are_written),
        T(rings_anywhere_end),
        T(state_survives),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
