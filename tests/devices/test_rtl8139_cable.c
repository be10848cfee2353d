/* SPDX-License-Identifier: MIT */
/* RTL8139: its cable is pulled out and put back. */
#include "devices/rtl8139.h"
#include "tests/support/device_state.h"
#include "tests/support/pci_guest.h"
#include "tests/support/wire.h"

#define DEVFN PCI_DEVFN(3, 0)
#define BAR   0xf0000000u

enum {
    TSD = 0x10,
    TSAD = 0x20,
    RBSTART = 0x30,
    CMD = 0x37,
    IMR = 0x3c,
    ISR = 0x3e,
    RCR = 0x44,
    MSR = 0x58,
    BMSR = 0x64,
    ANLPAR = 0x68,
    LINK_CHANGED = 0x20, /* of ISR */
    NO_LINK = 4,         /* of MSR */
    LINK = 4,            /* of BMSR */
    RX = 0x1000,
    TX = 0x8000,
};

static const u8 mac[6] = {0x52, 0x54, 0, 1, 2, 3};

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

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));
    struct rtl8139_desc desc = {.name = "rtl8139.0", .devfn = DEVFN, .clk = &b->clk};

    b->io = ioport_create();
    clock_init(&b->clk, CLOCK_RATIO_DEFAULT);
    assert_int_equal(physmem_create(&b->pm, 1 << 20), STATUS_OK);
    physmem_map_ram(b->pm, 0, 1 << 20, 0);
    assert_int_equal(pci_bus_create(&b->bus, &(struct pci_bus_desc){.io = b->io, .pm = b->pm}),
                     STATUS_OK);
    desc.pci = b->bus;
    desc.pm = b->pm;
    desc.wire = wire_spy_end(&b->wire);
    memcpy(desc.mac, mac, 6);
    assert_int_equal(rtl8139_create(&b->nic, &desc), STATUS_OK);
    pci_out(b->io, DEVFN, PCI_BAR0 + 4, BAR, W32);
    pci_out(b->io, DEVFN, PCI_COMMAND, 6, W16);
    wr(b, RBSTART, RX, 4);
    wr(b, IMR, 0xffff, 2);
    wr(b, CMD, 0x0c, 1);
    wr(b, RCR, 0x0a, 4);
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

static void the_guest_is_told(void **state)
{
    struct board *b = *state;

    assert_int_equal(rd(b, MSR, 1) & NO_LINK, 0);
    rtl8139_nic_ops.unplug(b->nic, true);
    assert_int_equal(rd(b, ISR, 2), LINK_CHANGED);
    assert_true(pci_bus_pin(b->bus, 3, 0));
    assert_int_equal(rd(b, MSR, 1) & NO_LINK, NO_LINK);
    assert_int_equal(rd(b, BMSR, 2) & LINK, 0);
    assert_int_equal(rd(b, ANLPAR, 2), 0);
    wr(b, ISR, LINK_CHANGED, 2);
    rtl8139_nic_ops.unplug(b->nic, true); /* it is out already */
    assert_int_equal(rd(b, ISR, 2), 0);
    rtl8139_nic_ops.unplug(b->nic, false);
    assert_int_equal(rd(b, ISR, 2), LINK_CHANGED);
    assert_int_equal(rd(b, BMSR, 2) & LINK, LINK);
}

static void nothing_passes_while_it_is_out(void **state)
{
    struct board *b = *state;
    u8 frame[60];

    make_frame(frame, mac, sizeof(frame));
    rtl8139_nic_ops.unplug(b->nic, true);
    assert_true(rtl8139_nic_ops.ready(b->nic)); /* nobody waits for it */
    rtl8139_nic_ops.receive(b->nic, frame, sizeof(frame));
    assert_int_equal(rd(b, CMD, 1) & 1, 1); /* the ring is empty */
    wr(b, TSAD, TX, 4);
    wr(b, TSD, 60, 4);
    assert_int_equal(b->wire.frames, 0);
    assert_int_equal(rd(b, TSD, 4) & 0x8000, 0x8000); /* the driver does not wait for ever */
    rtl8139_nic_ops.unplug(b->nic, false);
    rtl8139_nic_ops.receive(b->nic, frame, sizeof(frame));
    assert_int_equal(rd(b, CMD, 1) & 1, 0);
    wr(b, TSAD + 4, TX, 4);
    wr(b, TSD + 4, 60, 4);
    assert_int_equal(b->wire.frames, 1);
}

static void reset_plugs_nothing_in(void **state)
{
    struct board *b = *state, *other;

    rtl8139_nic_ops.unplug(b->nic, true);
    rtl8139_class.reset(b->nic);
    assert_int_equal(setup((void **)&other), 0);
    check_save_load(&rtl8139_class, b->nic, other->nic);
    pci_out(other->io, DEVFN, PCI_BAR0 + 4, BAR, W32);
    pci_out(other->io, DEVFN, PCI_COMMAND, 6, W16);
    assert_int_equal(rd(other, MSR, 1) & NO_LINK, NO_LINK);
    teardown((void **)&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_guest_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_passes_while_it_is_out, setup, teardown),
        cmocka_unit_test_setup_teardown(reset_plugs_nothing_in, setup, teardown),
    };
    return cmocka_run_group_tests_name("rtl8139 cable", tests, NULL, NULL);
}
