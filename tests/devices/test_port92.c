/* SPDX-License-Identifier: MIT */
#include "devices/port92.h"
#include "tests/support/device_state.h"

struct board {
    struct ioport_bus *io;
    struct port92 *chip;
    bool a20;
    int inits;
};

static void spy_a20(void *ctx, unsigned pin, bool level)
{
    (void)pin;
    ((struct board *)ctx)->a20 = level;
}

static void spy_init(void *ctx, unsigned pin, bool level)
{
    (void)pin;
    ((struct board *)ctx)->inits += level;
}

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    b->io = ioport_create();
    struct port92_desc desc = {
        .io = b->io,
        .a20 = {.set = spy_a20, .ctx = b},
        .cpu_init = {.set = spy_init, .ctx = b},
    };
    *state = b;
    return port92_create(&b->chip, &desc);
}

static int teardown(void **state)
{
    struct board *b = *state;

    port92_class.destroy(b->chip);
    ioport_destroy(b->io);
    free(b);
    return 0;
}

static void a20_follows_bit_1(void **state)
{
    struct board *b = *state;

    ioport_write(b->io, 0x92, 0x02, W8);
    assert_true(b->a20);
    ioport_write(b->io, 0x92, 0x00, W8);
    assert_false(b->a20);
}

static void cpu_restarts_on_the_rising_edge_only(void **state)
{
    struct board *b = *state;

    ioport_write(b->io, 0x92, 0x01, W8);
    ioport_write(b->io, 0x92, 0x01, W8);
    assert_int_equal(b->inits, 1);
}

static void reserved_bits_read_as_zero(void **state)
{
    struct board *b = *state;

    ioport_write(b->io, 0x92, 0xff, W8);
    assert_int_equal(ioport_read(b->io, 0x92, W8), 0x03);
}

static void a_word_access_reaches_the_neighbour_port(void **state)
{
    struct board *b = *state;

    assert_int_equal(ioport_read(b->io, 0x92, W16), 0xff00);
}

static void a_loaded_chip_opens_the_gate_and_restarts_nothing(void **state)
{
    struct board *b = *state, *fresh;

    ioport_write(b->io, 0x92, 0x03, W8);
    assert_int_equal(setup((void **)&fresh), 0);
    check_save_load(&port92_class, b->chip, fresh->chip);
    assert_true(fresh->a20);
    assert_int_equal(fresh->inits, 0);
    assert_int_equal(ioport_read(fresh->io, 0x92, W8), 0x03);
    teardown((void **)&fresh);
}

static void a_second_chip_at_the_same_port_is_refused(void **state)
{
    struct board *b = *state;
    struct port92 *other = NULL;

    assert_int_equal(port92_create(&other, &(struct port92_desc){.io = b->io}), STATUS_CONFLICT);
    assert_null(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a20_follows_bit_1, setup, teardown),
        cmocka_unit_test_setup_teardown(cpu_restarts_on_the_rising_edge_only, setup, teardown),
        cmocka_unit_test_setup_teardown(reserved_bits_read_as_zero, setup, teardown),
        cmocka_unit_test_setup_teardown(a_word_access_reaches_the_neighbour_port, setup, teardown),
        cmocka_unit_test_setup_teardown(a_loaded_chip_opens_the_gate_and_restarts_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_second_chip_at_the_same_port_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests_name("port92", tests, NULL, NULL);
}
