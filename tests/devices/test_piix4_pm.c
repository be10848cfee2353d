/* SPDX-License-Identifier: MIT */
#include "devices/piix4_pm.h"
#include "tests/support/device_state.h"
#include "tests/support/pci_guest.h"

#define PM   PCI_DEVFN(1, 3)
#define BASE 0x600u
#define SMB  0x700u

struct board {
    struct ioport_bus *io;
    struct pci_bus *bus;
    struct clock clk;
    struct piix4_pm *chip;
    struct spy sci, off;
};

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    b->io = ioport_create();
    clock_init(&b->clk, CLOCK_RATIO_DEFAULT);
    assert_int_equal(pci_bus_create(&b->bus, &(struct pci_bus_desc){.io = b->io}), STATUS_OK);
    struct piix4_pm_desc desc = {.pci = b->bus,
                                 .io = b->io,
                                 .clk = &b->clk,
                                 .sci = spy_line(&b->sci),
                                 .power_off = spy_line(&b->off)};
    assert_int_equal(piix4_pm_create(&b->chip, &desc), STATUS_OK);
    pci_out(b->io, PM, 0x40, BASE | 1, W32);
    pci_out(b->io, PM, 0x80, 1, W8);
    pci_out(b->io, PM, 0x90, SMB | 1, W32);
    pci_out(b->io, PM, 0xd2, 9, W8);
    pci_out(b->io, PM, PCI_COMMAND, PCI_COMMAND_IO, W16);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct board *b = *state;

    piix4_pm_class.destroy(b->chip);
    pci_bus_class.destroy(b->bus);
    ioport_destroy(b->io);
    free(b);
    return 0;
}

static void firmware_sees_smm_already_set_up(void **state)
{
    struct board *b = *state;

    assert_int_equal(pci_in(b->io, PM, 0, W32), 0x71138086);
    assert_int_equal(pci_in(b->io, PM, 0x58, W32) >> 25 & 1, 1);
    assert_int_equal(pci_in(b->io, PM, 0x40, W32), BASE | 1);
}

static void block_closes_with_pmiose(void **state)
{
    struct board *b = *state;

    assert_int_equal(ioport_read(b->io, BASE + 4, W16), 0);
    pci_out(b->io, PM, 0x80, 0, W8);
    assert_int_equal(ioport_read(b->io, BASE + 4, W16), 0xffff);
}

static void timer_counts_at_3579545_hz(void **state)
{
    struct board *b = *state;

    clock_run(&b->clk, 1000000000);
    assert_int_equal(ioport_read(b->io, BASE + 8, W32), 3579545);
    clock_run(&b->clk, 4000000000);
    assert_int_equal(ioport_read(b->io, BASE + 8, W32), 5 * 3579545 & 0xffffff);
}

static void carry_sets_status_and_raises_sci(void **state)
{
    struct board *b = *state;

    ioport_write(b->io, BASE + 4, 1, W16);
    ioport_write(b->io, BASE + 2, 1, W16);
    clock_run(&b->clk, 2343000000);
    assert_false(b->sci.level);
    clock_run(&b->clk, 1000000);
    assert_true(b->sci.level);
    assert_int_equal(ioport_read(b->io, BASE, W16), 1);
    ioport_write(b->io, BASE, 1, W16);
    assert_false(b->sci.level);
    clock_run(&b->clk, 2344000000);
    assert_true(b->sci.level);
}

static void power_button_interrupts(void **state)
{
    struct board *b = *state;

    assert_false(piix4_pm_power_button(b->chip));
    ioport_write(b->io, 0xb2, 0xf1, W8); /* the system switches to ACPI mode */
    assert_int_equal(ioport_read(b->io, BASE + 4, W16), 1);
    ioport_write(b->io, BASE + 2, 0x100, W16);
    assert_true(b->sci.level);
    ioport_write(b->io, BASE, 0x100, W16);
    assert_false(b->sci.level);
    assert_true(piix4_pm_power_button(b->chip));
}

static void soft_off(void **state)
{
    struct board *b = *state;

    ioport_write(b->io, BASE + 4, 0x0401, W16); /* a type without SUS_EN does nothing */
    ioport_write(b->io, BASE + 4, 0x2401, W16); /* suspend to RAM: not there */
    assert_int_equal(b->off.rises, 0);
    ioport_write(b->io, BASE + 4, 0x2001, W16);
    assert_int_equal(b->off.rises, 1);
    assert_int_equal(ioport_read(b->io, BASE + 4, W16), 1);
}

static void byte_writes_leave_the_neighbour(void **state)
{
    struct board *b = *state;

    ioport_write(b->io, BASE + 3, 0x05, W8);
    ioport_write(b->io, BASE + 2, 0x21, W8);
    assert_int_equal(ioport_read(b->io, BASE + 2, W16), 0x0521);
    ioport_write(b->io, BASE + 5, 0x04, W8);
    assert_int_equal(ioport_read(b->io, BASE + 5, W8), 0x04);
}

static void smbus_has_no_slaves(void **state)
{
    struct board *b = *state;

    ioport_write(b->io, SMB + 4, 0xa1, W8);
    ioport_write(b->io, SMB + 2, 0x48, W8);
    assert_int_equal(ioport_read(b->io, SMB, W8), 0x04);
    assert_int_equal(ioport_read(b->io, SMB + 2, W8), 0x08);
    ioport_write(b->io, SMB, 0x04, W8);
    assert_int_equal(ioport_read(b->io, SMB, W8), 0);
}

static void state_survives_save_and_load(void **state)
{
    struct board *b = *state;
    void *other;

    ioport_write(b->io, BASE + 4, 1, W16);
    ioport_write(b->io, BASE + 2, 0x101, W16);
    piix4_pm_power_button(b->chip);
    setup(&other);
    struct board *fresh = other;
    check_save_load(&piix4_pm_class, b->chip, fresh->chip);
    assert_true(fresh->sci.level);
    teardown(&other);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(firmware_sees_smm_already_set_up), T(block_closes_with_pmiose),
        T(timer_counts_at_3579545_hz),       T(carry_sets_status_and_raises_sci),
        T(power_button_interrupts),          T(soft_off),
        T(byte_writes_leave_the_neighbour),  T(smbus_has_no_slaves),
        T(state_survives_save_and_load),
    };
    return cmocka_run_group_tests_name("piix4_pm", tests, NULL, NULL);
}
