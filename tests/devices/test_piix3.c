/* SPDX-License-Identifier: MIT */
#include "devices/piix3.h"
#include "tests/support/device_state.h"
#include "tests/support/pci_guest.h"

#define BRIDGE PCI_DEVFN(1, 0)

struct board {
    struct ioport_bus *io;
    struct pci_bus *bus;
    struct piix3 *chip;
    struct pci_dev card; /* slot 4, INTA#: PIRQD */
    struct spy irq[16], reset, init;
};

static int setup(void **state)
{
    static const struct pci_ident ident = {.vendor = 1, .device = 2, .interrupt_pin = 1};
    struct board *b = calloc(1, sizeof(*b));

    b->io = ioport_create();
    assert_int_equal(pci_bus_create(&b->bus, &(struct pci_bus_desc){.io = b->io}), STATUS_OK);
    struct piix3_desc desc = {
        .pci = b->bus, .reset = spy_line(&b->reset), .cpu_init = spy_line(&b->init)};
    for (unsigned i = 0; i < 16; i++)
        desc.irq[i] = spy_line(&b->irq[i]);
    assert_int_equal(piix3_create(&b->chip, &desc), STATUS_OK);
    pci_dev_init(&b->card, &ident, NULL, NULL);
    assert_int_equal(pci_register(&b->card, b->bus, PCI_DEVFN(4, 0)), STATUS_OK);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct board *b = *state;

    pci_unregister(&b->card);
    piix3_class.destroy(b->chip);
    pci_bus_class.destroy(b->bus);
    ioport_destroy(b->io);
    free(b);
    return 0;
}

static void identity(void **state)
{
    struct board *b = *state;

    assert_int_equal(pci_in(b->io, BRIDGE, 0, W32), 0x70008086);
    assert_int_equal(pci_in(b->io, BRIDGE, PCI_HEADER_TYPE, W8), 0x80);
    assert_int_equal(pci_in(b->io, BRIDGE, 0x0a, W16), 0x0601);
    assert_int_equal(pci_in(b->io, BRIDGE, 0x60, W32), 0x80808080);
}

static void a_pirq_reaches_the_irq_it_is_steered_to(void **state)
{
    struct board *b = *state;

    pci_set_intx(&b->card, true);
    assert_false(b->irq[11].level);
    pci_out(b->io, BRIDGE, 0x63, 11, W8);
    assert_true(b->irq[11].level);
    pci_out(b->io, BRIDGE, 0x63, 10, W8);
    assert_false(b->irq[11].level);
    assert_true(b->irq[10].level);
    pci_set_intx(&b->card, false);
    assert_false(b->irq[10].level);
}

static void irqs_of_the_board_cannot_be_taken(void **state)
{
    struct board *b = *state;

    pci_out(b->io, BRIDGE, 0x63, 0, W8);
    pci_set_intx(&b->card, true);
    assert_false(b->irq[0].level);
}

static void sci_and_pirq_share_irq_9(void **state)
{
    struct board *b = *state;
    struct line sci = piix3_sci(b->chip);

    pci_out(b->io, BRIDGE, 0x63, 9, W8);
    line_set(&sci, true);
    pci_set_intx(&b->card, true);
    line_set(&sci, false);
    assert_true(b->irq[9].level);
    pci_set_intx(&b->card, false);
    assert_false(b->irq[9].level);
    assert_int_equal(b->irq[9].rises, 1);
}

static void reset_control_resets_board_or_cpu(void **state)
{
    struct board *b = *state;

    ioport_write(b->io, 0xcf9, 0x02, W8);
    ioport_write(b->io, 0xcf9, 0x06, W8);
    assert_int_equal(b->reset.rises, 1);
    assert_int_equal(b->init.rises, 0);
    ioport_write(b->io, 0xcf9, 0x00, W8);
    ioport_write(b->io, 0xcf9, 0x04, W8);
    assert_int_equal(b->init.rises, 1);
    assert_int_equal(ioport_read(b->io, 0xcf9, W8), 0x04);
}

static void state_survives_save_and_load(void **state)
{
    struct board *b = *state;
    void *other;

    pci_out(b->io, BRIDGE, 0x63, 11, W8);
    pci_set_intx(&b->card, true);
    setup(&other);
    struct board *fresh = other;
    check_save_load(&piix3_class, b->chip, fresh->chip);
    assert_true(fresh->irq[11].level);
    teardown(&other);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(identity),
        T(a_pirq_reaches_the_irq_it_is_steered_to),
        T(irqs_of_the_board_cannot_be_taken),
        T(sci_and_pirq_share_irq_9),
        T(reset_control_resets_board_or_cpu),
        T(state_survives_save_and_load),
    };
    return cmocka_run_group_tests_name("piix3", tests, NULL, NULL);
}
