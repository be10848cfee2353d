/* SPDX-License-Identifier: MIT */
#include "devices/portf0.h"
#include "tests/support/device_state.h"

struct board {
    struct ioport_bus *io;
    struct portf0 *chip;
    struct spy irq13;
};

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    b->io = ioport_create();
    *state = b;
    return portf0_create(&b->chip,
                         &(struct portf0_desc){.io = b->io, .irq13 = spy_line(&b->irq13)});
}

static int teardown(void **state)
{
    struct board *b = *state;

    portf0_class.destroy(b->chip);
    ioport_destroy(b->io);
    free(b);
    return 0;
}

static void a_rising_ferr_latches_irq_13(void **state)
{
    struct board *b = *state;

    assert_false(b->irq13.level);
    portf0_set_ferr(b->chip, true);
    assert_true(b->irq13.level);
    portf0_set_ferr(b->chip, false); /* FNCLEX takes FERR# back, not the latch */
    assert_true(b->irq13.level);
}

static void any_write_clears_the_latch(void **state)
{
    struct board *b = *state;

    portf0_set_ferr(b->chip, true);
    ioport_write(b->io, 0xf0, 0x5a, W8);
    assert_false(b->irq13.level);
}

static void a_ferr_that_stays_does_not_latch_again(void **state)
{
    struct board *b = *state;

    portf0_set_ferr(b->chip, true);
    ioport_write(b->io, 0xf0, 0, W8);
    portf0_set_ferr(b->chip, true);
    assert_false(b->irq13.level);
    portf0_set_ferr(b->chip, false);
    portf0_set_ferr(b->chip, true);
    assert_true(b->irq13.level);
    assert_int_equal(b->irq13.rises, 2);
}

static void the_port_cannot_be_read(void **state)
{
    struct board *b = *state;

    portf0_set_ferr(b->chip, true);
    assert_int_equal(ioport_read(b->io, 0xf0, W8), 0xff);
    assert_true(b->irq13.level);
}

static void reset_takes_the_interrupt_back(void **state)
{
    struct board *b = *state;

    portf0_set_ferr(b->chip, true);
    portf0_class.reset(b->chip);
    assert_false(b->irq13.level);
}

static void a_loaded_chip_pulls_its_line(void **state)
{
    struct board *b = *state, *fresh;

    portf0_set_ferr(b->chip, true);
    portf0_set_ferr(b->chip, false);
    assert_int_equal(setup((void **)&fresh), 0);
    check_save_load(&portf0_class, b->chip, fresh->chip);
    assert_true(fresh->irq13.level);
    ioport_write(fresh->io, 0xf0, 0, W8);
    assert_false(fresh->irq13.level);
    teardown((void **)&fresh);
}

static void a_second_chip_at_the_same_port_is_refused(void **state)
{
    struct board *b = *state;
    struct portf0 *other = NULL;

    assert_int_equal(portf0_create(&other, &(struct portf0_desc){.io = b->io}), STATUS_CONFLICT);
    assert_null(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_rising_ferr_latches_irq_13, setup, teardown),
        cmocka_unit_test_setup_teardown(any_write_clears_the_latch, setup, teardown),
        cmocka_unit_test_setup_teardown(a_ferr_that_stays_does_not_latch_again, setup, teardown),
        cmocka_unit_test_setup_teardown(the_port_cannot_be_read, setup, teardown),
        cmocka_unit_test_setup_teardown(reset_takes_the_interrupt_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_loaded_chip_pulls_its_line, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_chip_at_the_same_port_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests_name("portf0", tests, NULL, NULL);
}
