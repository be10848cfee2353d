/* SPDX-License-Identifier: MIT */
/* NE2000 as its drivers use it: at 300h on ISA, and behind a BAR on PCI. */
#include "base/bits.h"
#include "devices/ethernet.h"
#include "devices/ne2000.h"
#include "tests/support/device_state.h"
#include "tests/support/pci_guest.h"
#include "tests/support/wire.h"

#define BASE  0x300u
#define DEVFN PCI_DEVFN(3, 0)

enum { CR = 0, BNRY = 3, TPSR = 4, ISR = 7, RCR = 0xc, IMR = 0xf, DATA = 0x10, RESET = 0x1f };

static const u8 mac[6] = {0x52, 0x54, 0, 1, 2, 3}, everybody[6] = {255, 255, 255, 255, 255, 255};

struct board {
    struct ioport_bus *io;
    struct pci_bus *bus;
    struct ne2000 *isa, *pci;
    struct spy irq;
    struct wire_spy wire;
    u32 base;
};

static u32 in(struct board *b, u32 reg)
{
    return ioport_read(b->io, (u16)(b->base + reg), W8);
}

static void out(struct board *b, u32 reg, u32 val)
{
    ioport_write(b->io, (u16)(b->base + reg), val, W8);
}

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));
    struct ne2000_isa_desc isa = {.base = BASE, .irq = spy_line(&b->irq)};
    struct ne2000_pci_desc pci = {.devfn = DEVFN};

    b->io = ioport_create();
    assert_int_equal(pci_bus_create(&b->bus, &(struct pci_bus_desc){.io = b->io}), STATUS_OK);
    isa.io = b->io;
    pci.pci = b->bus;
    memcpy(isa.mac, mac, 6);
    memcpy(pci.mac, mac, 6);
    isa.wire = pci.wire = wire_spy_end(&b->wire);
    assert_int_equal(ne2000_isa_create(&b->isa, &isa), STATUS_OK);
    assert_int_equal(ne2000_pci_create(&b->pci, &pci), STATUS_OK);
    pci_out(b->io, DEVFN, PCI_BAR0, 0xc000, W32);
    pci_out(b->io, DEVFN, PCI_COMMAND, PCI_COMMAND_IO, W16);
    b->base = BASE;
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct board *b = *state;

    ne2000_pci_class.destroy(b->pci);
    ne2000_isa_class.destroy(b->isa);
    pci_bus_class.destroy(b->bus);
    ioport_destroy(b->io);
    free(b);
    return 0;
}

static void remote(struct board *b, u32 at, u32 count, u32 command)
{
    out(b, 0x8, at & 0xff);
    out(b, 0x9, at >> 8);
    out(b, 0xa, count & 0xff);
    out(b, 0xb, count >> 8);
    out(b, CR, command | 2);
}

/* As a driver starts it: ring 46h to 80h, transmit page 40h, own and broadcast frames. */
static struct board *started(void **state)
{
    struct board *b = *state;

    (void)in(b, RESET);
    out(b, ISR, 0xff);
    out(b, CR, 0x21);
    out(b, 0xe, 0x49); /* words */
    out(b, RCR, 0x04);
    out(b, 0xd, 0);
    out(b, 1, 0x46);
    out(b, 2, 0x80);
    out(b, BNRY, 0x46);
    out(b, IMR, 0x1f);
    out(b, CR, 0x61);
    for (unsigned i = 0; i < 6; i++)
        out(b, 1 + i, mac[i]);
    out(b, 7, 0x47);
    out(b, CR, 0x22);
    return b;
}

static void the_prom_says_every_byte_twice(void **state)
{
    struct board *b = started(state);

    remote(b, 0, 32, 0x08);
    for (unsigned i = 0; i < 16; i++) {
        u32 v = ioport_read(b->io, BASE + DATA, W16);
        assert_int_equal(v, i < 6 ? mac[i] * 0x101u : i < 14 ? 0 : 0x5757);
    }
    assert_int_equal(in(b, ISR) & 0x40, 0x40); /* RDC */
    assert_int_equal(ioport_read(b->io, BASE + DATA, W16), 0xffff);
}

static void a_byte_of_a_word_takes_the_word(void **state)
{
    struct board *b = started(state);

    remote(b, 0, 32, 0x08);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(in(b, DATA), mac[i]); /* how Linux' ne2k-pci reads the address */
    out(b, 0xe, 0x48);
    remote(b, 0, 32, 0x08);
    for (unsigned i = 0; i < 12; i++)
        assert_int_equal(in(b, DATA), mac[i / 2]);
}

static void reset_stops_it_and_says_so(void **state)
{
    struct board *b = started(state);

    (void)in(b, RESET);
    assert_int_equal(in(b, CR), 0x21);
    assert_int_equal(in(b, ISR), 0x80);
}

static void packet_memory_ends_at_8000h(void **state)
{
    struct board *b = started(state);

    out(b, CR, 0x21);
    out(b, 2, 0xff); /* PSTOP elsewhere, so that nothing wraps */
    remote(b, 0x7ffe, 4, 0x10);
    ioport_write(b->io, BASE + DATA, 0x1234, W16);
    ioport_write(b->io, BASE + DATA, 0x5678, W16);
    remote(b, 0x7ffe, 4, 0x08);
    assert_int_equal(ioport_read(b->io, BASE + DATA, W16), 0x1234);
    assert_int_equal(ioport_read(b->io, BASE + DATA, W16), 0xffff);
}

static void it_sends_what_is_at_tpsr(void **state)
{
    struct board *b = started(state);

    remote(b, 0x4000, 64, 0x10);
    for (unsigned i = 0; i < 64; i += 2)
        ioport_write(b->io, BASE + DATA, i | (i + 1) << 8, W16);
    out(b, TPSR, 0x40);
    out(b, 5, 64);
    out(b, 6, 0);
    out(b, CR, 0x26);
    assert_int_equal(b->wire.frames, 1);
    assert_int_equal(b->wire.len, 64);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(b->wire.last[i], i);
    assert_int_equal(in(b, CR), 0x22);
    assert_int_equal(in(b, TPSR), 1); /* TSR */
    assert_int_equal(in(b, ISR) & 2, 2);
    assert_true(b->irq.level);
    out(b, ISR, 0x42);
    assert_false(b->irq.level);
    out(b, 5, 0xff); /* longer than any frame */
    out(b, 6, 0xff);
    out(b, CR, 0x26);
    assert_int_equal(b->wire.frames, 1);
}

static void a_frame_lands_in_the_ring(void **state)
{
    struct board *b = started(state);
    u8 frame[300];

    make_frame(frame, mac, sizeof(frame));
    ne2000_nic_ops.receive(b->isa, frame, sizeof(frame));
    assert_true(b->irq.level);
    assert_int_equal(in(b, ISR) & 1, 1);
    remote(b, 0x4700, 4 + 300 + 4, 0x08);
    assert_int_equal(ioport_read(b->io, BASE + DATA, W16), 0x4901); /* next page, status */
    assert_int_equal(ioport_read(b->io, BASE + DATA, W16), 304);
    for (unsigned i = 0; i < 300; i += 2)
        assert_int_equal(ioport_read(b->io, BASE + DATA, W16), frame[i] | frame[i + 1] << 8);
    u32 fcs = ioport_read(b->io, BASE + DATA, W16);
    fcs |= ioport_read(b->io, BASE + DATA, W16) << 16;
    assert_int_equal(fcs, ethernet_fcs(frame, sizeof(frame)));
    out(b, CR, 0x62);
    assert_int_equal(in(b, 7), 0x49); /* CURR */
}

static void short_frames_are_padded(void **state)
{
    struct board *b = started(state);
    u8 frame[20];

    make_frame(frame, everybody, sizeof(frame));
    ne2000_nic_ops.receive(b->isa, frame, sizeof(frame));
    remote(b, 0x4700, 4, 0x08);
    assert_int_equal(ioport_read(b->io, BASE + DATA, W16), 0x4821); /* a group address */
    assert_int_equal(ioport_read(b->io, BASE + DATA, W16), 64);
}

static void filters_choose(void **state)
{
    static const u8 other[6] = {0x52, 1, 1, 1, 1, 1}, group[6] = {1, 0, 0x5e, 0, 0, 1};
    struct board *b = started(state);
    u8 frame[64];
    unsigned hash = ethernet_hash(group);

    make_frame(frame, other, sizeof(frame));
    ne2000_nic_ops.receive(b->isa, frame, sizeof(frame));
    assert_int_equal(in(b, ISR) & 1, 0);
    out(b, RCR, 0x14); /* promiscuous */
    ne2000_nic_ops.receive(b->isa, frame, sizeof(frame));
    assert_int_equal(in(b, ISR) & 1, 1);
    out(b, ISR, 1);
    out(b, RCR, 0x08); /* groups */
    make_frame(frame, group, sizeof(frame));
    ne2000_nic_ops.receive(b->isa, frame, sizeof(frame));
    assert_int_equal(in(b, ISR) & 1, 0);
    out(b, CR, 0x62);
    out(b, 8 + hash / 8, 1u << hash % 8);
    out(b, CR, 0x22);
    ne2000_nic_ops.receive(b->isa, frame, sizeof(frame));
    assert_int_equal(in(b, ISR) & 1, 1);
    make_frame(frame, everybody, sizeof(frame));
    out(b, ISR, 1);
    ne2000_nic_ops.receive(b->isa, frame, sizeof(frame));
    assert_int_equal(in(b, ISR) & 1, 0); /* broadcasts are not in RCR */
}

static void the_ring_fills_wraps_and_overflows(void **state)
{
    struct board *b = started(state);
    u8 frame[1514];
    unsigned taken = 0;

    make_frame(frame, mac, sizeof(frame));
    for (unsigned round = 0; round < 50; round++) {
        while (ne2000_nic_ops.ready(b->isa)) {
            ne2000_nic_ops.receive(b->isa, frame, sizeof(frame));
            taken++;
        }
        assert_int_equal(in(b, ISR) & 0x10, 0);
        ne2000_nic_ops.receive(b->isa, frame, sizeof(frame)); /* nobody asked whether */
        assert_int_equal(in(b, ISR) & 0x10, 0x10);
        out(b, ISR, 0xff);
        out(b, CR, 0x62);
        u32 curr = in(b, 7);
        assert_in_range(curr, 0x46, 0x7f);
        out(b, CR, 0x22);
        out(b, BNRY, curr == 0x46 ? 0x7f : curr - 1); /* all read */
    }
    assert_in_range(taken, 400, 500); /* nine or so of six pages each in 58 */
}

static void nonsense_rings_take_nothing(void **state)
{
    struct board *b = started(state);
    u8 frame[1514];

    make_frame(frame, mac, sizeof(frame));
    for (unsigned start = 0; start < 256; start += 15) {
        for (unsigned curr = 0; curr < 256; curr += 15) {
            out(b, CR, 0x22);
            out(b, 1, start);
            out(b, 2, 255 - start);
            out(b, BNRY, curr ^ 0x55);
            out(b, CR, 0x62);
            out(b, 7, curr);
            ne2000_nic_ops.receive(b->isa, frame, sizeof(frame));
        }
    }
}

static void a_stopped_card_drops(void **state)
{
    struct board *b = started(state);
    u8 frame[64];

    make_frame(frame, mac, sizeof(frame));
    out(b, CR, 0x21);
    assert_true(ne2000_nic_ops.ready(b->isa));
    ne2000_nic_ops.receive(b->isa, frame, sizeof(frame));
    assert_int_equal(in(b, ISR) & 1, 0);
}

static void nothing_passes_without_its_cable(void **state)
{
    struct board *b = started(state);
    u8 frame[64];

    make_frame(frame, mac, sizeof(frame));
    ne2000_nic_ops.unplug(b->isa, true);
    assert_true(ne2000_nic_ops.ready(b->isa));
    ne2000_nic_ops.receive(b->isa, frame, sizeof(frame));
    assert_int_equal(in(b, ISR) & 1, 0);
    out(b, TPSR, 0x40);
    out(b, 5, 64);
    out(b, 6, 0);
    out(b, CR, 0x26);
    assert_int_equal(b->wire.frames, 0);
    ne2000_nic_ops.unplug(b->isa, false);
    ne2000_nic_ops.receive(b->isa, frame, sizeof(frame));
    assert_int_equal(in(b, ISR) & 1, 1);
    out(b, CR, 0x26);
    assert_int_equal(b->wire.frames, 1);
}

static void the_pci_card_is_an_rtl8029(void **state)
{
    struct board *b = *state;

    assert_int_equal(pci_in(b->io, DEVFN, 0, W32), 0x802910ec);
    b->base = 0xc000;
    started(state);
    b->base = 0xc000;
    assert_int_equal(in(b, 0xa) | in(b, 0xb) << 8, 0x7050);
    remote(b, 0x4000, 8, 0x10);
    ioport_write(b->io, 0xc000 + DATA, 0x44332211, W32);
    ioport_write(b->io, 0xc000 + DATA, 0x88776655, W32);
    remote(b, 0x4002, 4, 0x08);
    assert_int_equal(ioport_read(b->io, 0xc000 + DATA, W32), 0x66554433);
    u8 frame[64];
    make_frame(frame, mac, sizeof(frame));
    ne2000_nic_ops.receive(b->pci, frame, sizeof(frame));
    assert_true(pci_bus_pin(b->bus, 3, 0));
    out(b, ISR, 0xff);
    assert_false(pci_bus_pin(b->bus, 3, 0));
}

static void state_survives(void **state)
{
    struct board *b = started(state), *other;
    u8 frame[64];
    void *to;

    make_frame(frame, mac, sizeof(frame));
    ne2000_nic_ops.receive(b->isa, frame, sizeof(frame));
    setup(&to);
    other = to;
    check_save_load(&ne2000_isa_class, b->isa, other->isa);
    assert_true(other->irq.level);
    check_save_load(&ne2000_pci_class, b->pci, other->pci);
    teardown(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(the_prom_says_every_byte_twice),
        T(a_byte_of_a_word_takes_the_word),
        T(reset_stops_it_and_says_so),
        T(packet_memory_ends_at_8000h),
        T(it_sends_what_is_at_tpsr),
        T(a_frame_lands_in_the_ring),
        T(short_frames_are_padded),
        T(filters_choose),
        T(the_ring_fills_wraps_and_overflows),
        T(nonsense_rings_take_nothing),
        T(a_stopped_card_drops),
        T(nothing_passes_without_its_cable),
        T(the_pci_card_is_an_rtl8029),
        T(state_survives),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
