/* SPDX-License-Identifier: MIT */
#include "devices/pci.h"
#include "tests/support/device_state.h"
#include "tests/support/pci_guest.h"

/* A function with one I/O BAR, one memory BAR and a ROM, like many cards. */
struct card {
    struct pci_dev pci;
    u32 last;
    unsigned written, moves;
};

struct board {
    struct ioport_bus *io;
    struct physmem *pm;
    struct pci_bus *bus;
    struct card card, other;
    unsigned slot, pin, routes;
    bool level;
    u8 reset_control;
};

static u32 card_in(void *dev, u16 off, enum width width)
{
    (void)dev, (void)width;
    return 0xa0u + off;
}

static void card_out(void *dev, u16 off, u32 val, enum width width)
{
    (void)off, (void)width;
    ((struct card *)dev)->last = val;
}

static u64 card_load(void *dev, u64 off, unsigned size)
{
    (void)dev, (void)size;
    return 0x40 + off;
}

static void card_store(void *dev, u64 off, u64 val, unsigned size)
{
    (void)off, (void)size;
    ((struct card *)dev)->last = (u32)val;
}

static const struct ioport_ops card_io = {.read = card_in, .write = card_out, .max = W32};
static const struct mmio_ops card_mmio = {.read = card_load, .write = card_store, .max = 4};

static void card_written(void *owner, unsigned reg, unsigned len)
{
    (void)reg, (void)len;
    ((struct card *)owner)->written++;
}

static void card_moved(void *owner, unsigned bar, u64 addr)
{
    (void)bar, (void)addr;
    ((struct card *)owner)->moves++;
}

static const struct pci_hooks card_hooks = {.written = card_written, .moved = card_moved};

static const struct pci_ident card_ident = {
    .vendor = 0x1111, .device = 0x2222, .class_code = 0x020000, .revision = 7, .interrupt_pin = 1};

static void add_card(struct board *b, struct card *c, u8 devfn)
{
    static const u8 rom[] = {0x55, 0xaa, 0x01};

    pci_dev_init(&c->pci, &card_ident, &card_hooks, c);
    pci_add_io_bar(&c->pci, 0, 32, &card_io);
    pci_add_memory_bar(&c->pci, 1, 0x2000, true, &card_mmio);
    assert_int_equal(pci_add_rom(&c->pci, rom, sizeof(rom)), STATUS_OK);
    assert_int_equal(pci_register(&c->pci, b->bus, devfn), STATUS_OK);
}

static void spy_route(void *ctx, unsigned slot, unsigned pin, bool level)
{
    struct board *b = ctx;

    b->slot = slot;
    b->pin = pin;
    b->level = level;
    b->routes++;
}

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    b->io = ioport_create();
    assert_int_equal(physmem_create(&b->pm, 1 << 20), STATUS_OK);
    struct pci_bus_desc desc = {.io = b->io, .pm = b->pm};
    assert_int_equal(pci_bus_create(&b->bus, &desc), STATUS_OK);
    pci_bus_set_router(b->bus, spy_route, b);
    pci_bus_set_window(b->bus, 0x100000, 0xfebfffff);
    add_card(b, &b->card, PCI_DEVFN(3, 0));
    add_card(b, &b->other, PCI_DEVFN(3, 2));
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct board *b = *state;

    pci_unregister(&b->card.pci);
    pci_unregister(&b->other.pci);
    pci_bus_class.destroy(b->bus);
    physmem_destroy(b->pm);
    ioport_destroy(b->io);
    free(b);
    return 0;
}

static u8 mem8(struct board *b, phys_addr at)
{
    u8 v;

    physmem_read(b->pm, at, &v, 1);
    return v;
}

#define CARD  PCI_DEVFN(3, 0)
#define OTHER PCI_DEVFN(3, 2)

static void identity_reads_at_every_width(void **state)
{
    struct board *b = *state;

    assert_int_equal(pci_in(b->io, CARD, PCI_VENDOR_ID, W32), 0x22221111);
    assert_int_equal(pci_in(b->io, CARD, PCI_DEVICE_ID, W16), 0x2222);
    assert_int_equal(pci_in(b->io, CARD, 0x0b, W8), 0x02);
    assert_int_equal(pci_in(b->io, CARD, PCI_SUBSYSTEM_VENDOR_ID, W32), 0x11001af4);
}

static void nobody_home_reads_ones(void **state)
{
    struct board *b = *state;

    assert_int_equal(pci_in(b->io, PCI_DEVFN(9, 0), 0, W32), 0xffffffff);
    ioport_write(b->io, 0xcf8, 0x80010000u | CARD << 8, W32); /* bus 1 */
    assert_int_equal(ioport_read(b->io, 0xcfc, W32), 0xffffffff);
    ioport_write(b->io, 0xcf8, CARD << 8, W32); /* not enabled */
    assert_int_equal(ioport_read(b->io, 0xcfc, W16), 0xffff);
}

static void address_latch_takes_dwords_only(void **state)
{
    struct board *b = *state;

    ioport_write(b->io, 0xcf8, 0xffffffff, W32);
    assert_int_equal(ioport_read(b->io, 0xcf8, W32), 0x80fffffc);
    ioport_write(b->io, 0xcf8, 0, W8);
    assert_int_equal(ioport_read(b->io, 0xcf8, W32), 0x80fffffc);
}

static void read_only_bytes_stay(void **state)
{
    struct board *b = *state;

    pci_out(b->io, CARD, PCI_VENDOR_ID, 0, W32);
    assert_int_equal(pci_in(b->io, CARD, PCI_VENDOR_ID, W32), 0x22221111);
    pci_out(b->io, CARD, PCI_INTERRUPT_LINE, 0x550b, W16);
    assert_int_equal(pci_in(b->io, CARD, PCI_INTERRUPT_LINE, W16), 0x010b);
    assert_int_equal(b->card.written, 2);
}

static void bars_can_be_sized(void **state)
{
    struct board *b = *state;

    pci_out(b->io, CARD, PCI_BAR0, 0xffffffff, W32);
    pci_out(b->io, CARD, PCI_BAR0 + 4, 0xffffffff, W32);
    pci_out(b->io, CARD, PCI_BAR0 + 8, 0xffffffff, W32);
    pci_out(b->io, CARD, PCI_ROM_ADDRESS, 0xfffff800, W32);
    assert_int_equal(pci_in(b->io, CARD, PCI_BAR0, W32), 0xffffffe1);
    assert_int_equal(pci_in(b->io, CARD, PCI_BAR0 + 4, W32), 0xffffe008);
    assert_int_equal(pci_in(b->io, CARD, PCI_BAR0 + 8, W32), 0);
    assert_int_equal(pci_in(b->io, CARD, PCI_ROM_ADDRESS, W32), 0xfffff000);
}

static void io_bar_answers_when_enabled_and_moves(void **state)
{
    struct board *b = *state;

    pci_out(b->io, CARD, PCI_BAR0, 0xc000, W32);
    assert_int_equal(ioport_read(b->io, 0xc004, W8), 0xff);
    pci_out(b->io, CARD, PCI_COMMAND, PCI_COMMAND_IO, W16);
    assert_int_equal(ioport_read(b->io, 0xc004, W8), 0xa4);
    pci_out(b->io, CARD, PCI_BAR0, 0xd000, W32);
    assert_int_equal(ioport_read(b->io, 0xc004, W8), 0xff);
    assert_int_equal(ioport_read(b->io, 0xd004, W8), 0xa4);
    pci_out(b->io, CARD, PCI_COMMAND, 0, W16);
    assert_int_equal(ioport_read(b->io, 0xd004, W8), 0xff);
    assert_int_equal(b->card.moves, 3);
}

static void io_bar_waits_for_a_taken_port(void **state)
{
    struct board *b = *state;

    pci_out(b->io, CARD, PCI_BAR0, 0xc000, W32);
    pci_out(b->io, OTHER, PCI_BAR0, 0xc000, W32);
    pci_out(b->io, CARD, PCI_COMMAND, PCI_COMMAND_IO, W16);
    pci_out(b->io, OTHER, PCI_COMMAND, PCI_COMMAND_IO, W16);
    ioport_write(b->io, 0xc000, 1, W8);
    assert_int_equal(b->card.last, 1);
    pci_out(b->io, CARD, PCI_COMMAND, 0, W16);
    ioport_write(b->io, 0xc000, 2, W8);
    assert_int_equal(b->other.last, 2);
}

static void memory_bar_answers_inside_the_window(void **state)
{
    struct board *b = *state;

    pci_out(b->io, CARD, PCI_COMMAND, PCI_COMMAND_MEMORY, W16);
    pci_out(b->io, CARD, PCI_BAR0 + 4, 0xe0000000, W32);
    assert_int_equal(mem8(b, 0xe0000003), 0x43);
    pci_out(b->io, CARD, PCI_BAR0 + 4, 0x00080000, W32); /* where RAM is */
    assert_int_equal(mem8(b, 0xe0000003), 0xff);
    assert_int_equal(mem8(b, 0x00080003), 0xff);
    pci_out(b->io, CARD, PCI_BAR0 + 4, 0xffffffff, W32); /* sizing with decoding on */
    assert_int_equal(mem8(b, 0xffffe003), 0xff);
}

static void an_overlapped_bar_comes_back(void **state)
{
    struct board *b = *state;

    pci_out(b->io, OTHER, PCI_BAR0 + 4, 0xe0000000, W32);
    pci_out(b->io, OTHER, PCI_COMMAND, PCI_COMMAND_MEMORY, W16);
    pci_out(b->io, CARD, PCI_BAR0 + 4, 0xe0000000, W32);
    pci_out(b->io, CARD, PCI_COMMAND, PCI_COMMAND_MEMORY, W16);
    pci_out(b->io, CARD, PCI_COMMAND, 0, W16);
    assert_int_equal(mem8(b, 0xe0000003), 0x43);
}

static void rom_bar_shows_the_padded_rom(void **state)
{
    struct board *b = *state;

    pci_out(b->io, CARD, PCI_COMMAND, PCI_COMMAND_MEMORY, W16);
    pci_out(b->io, CARD, PCI_ROM_ADDRESS, 0xe0010000, W32);
    assert_int_equal(mem8(b, 0xe0010001), 0xff);
    pci_out(b->io, CARD, PCI_ROM_ADDRESS, 0xe0010001, W32);
    assert_int_equal(mem8(b, 0xe0010001), 0xaa);
    assert_int_equal(mem8(b, 0xe0010fff), 0xff);
}

static void functions_of_a_slot_share_a_pin(void **state)
{
    struct board *b = *state;

    pci_set_intx(&b->card.pci, true);
    assert_true(b->level && b->slot == 3 && b->pin == 0);
    assert_int_equal(pci_in(b->io, CARD, PCI_STATUS, W16) & 8, 8);
    pci_set_intx(&b->other.pci, true);
    pci_set_intx(&b->card.pci, false);
    assert_true(b->level);
    pci_out(b->io, OTHER, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE, W16);
    assert_false(b->level);
}

static u32 rc_in(void *dev, u16 off, enum width width)
{
    (void)off, (void)width;
    return *(u8 *)dev;
}

static void rc_out(void *dev, u16 off, u32 val, enum width width)
{
    (void)off, (void)width;
    *(u8 *)dev = (u8)val;
}

static void reset_control_sits_inside_the_latch(void **state)
{
    static const struct ioport_ops ops = {.read = rc_in, .write = rc_out, .max = W8};
    struct board *b = *state;

    pci_bus_set_reset_control(b->bus, &ops, &b->reset_control);
    ioport_write(b->io, 0xcf9, 6, W8);
    assert_int_equal(b->reset_control, 6);
    assert_int_equal(ioport_read(b->io, 0xcf9, W8), 6);
    assert_int_equal(ioport_read(b->io, 0xcf8, W32), 0);
}

static void reset_closes_the_bars(void **state)
{
    struct board *b = *state;

    pci_out(b->io, CARD, PCI_BAR0, 0xc000, W32);
    pci_out(b->io, CARD, PCI_COMMAND, PCI_COMMAND_IO, W16);
    pci_set_intx(&b->card.pci, true);
    pci_dev_reset(&b->card.pci);
    assert_int_equal(ioport_read(b->io, 0xc004, W8), 0xff);
    assert_int_equal(pci_in(b->io, CARD, PCI_BAR0, W32), 1);
    assert_false(b->level);
}

static void state_survives_save_and_load(void **state)
{
    struct board *b = *state;
    static const struct field fields[] = {FIELD_STRUCT(struct card, pci, pci_dev_fields),
                                          FIELDS_END};
    static const struct device_class card_class = {.name = "card", .fields = fields};
    void *fresh_state;

    pci_out(b->io, CARD, PCI_BAR0, 0xc000, W32);
    pci_out(b->io, CARD, PCI_COMMAND, PCI_COMMAND_IO, W16);
    setup(&fresh_state);
    struct board *fresh = fresh_state;
    check_save_load(&pci_bus_class, b->bus, fresh->bus);
    check_save_load(&card_class, &b->card, &fresh->card);
    pci_dev_loaded(&fresh->card.pci);
    assert_int_equal(ioport_read(fresh->io, 0xc004, W8), 0xa4);
    teardown(&fresh_state);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(identity_reads_at_every_width),
        T(nobody_home_reads_ones),
        T(address_latch_takes_dwords_only),
        T(read_only_bytes_stay),
        T(bars_can_be_sized),
        T(io_bar_answers_when_enabled_and_moves),
        T(io_bar_waits_for_a_taken_port),
        T(memory_bar_answers_inside_the_window),
        T(an_overlapped_bar_comes_back),
        T(rom_bar_shows_the_padded_rom),
        T(functions_of_a_slot_share_a_pin),
        T(reset_control_sits_inside_the_latch),
        T(reset_closes_the_bars),
        T(state_survives_save_and_load),
    };
    return cmocka_run_group_tests_name("pci", tests, NULL, NULL);
}
