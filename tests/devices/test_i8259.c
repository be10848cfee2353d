/* SPDX-License-Identifier: MIT */
#include "devices/i8259.h"
#include "tests/support/device_state.h"

struct board {
    struct ioport_bus *io;
    struct i8259 *pics;
    struct spy intr;
};

static void out(struct board *b, u16 port, u8 val)
{
    ioport_write(b->io, port, val, W8);
}

static u8 in(struct board *b, u16 port)
{
    return (u8)ioport_read(b->io, port, W8);
}

/* As a BIOS does: vectors 08h and 70h, nothing masked. */
static void init_pair(struct board *b, u8 icw4_master, u8 icw4_slave)
{
    out(b, 0x20, 0x11);
    out(b, 0x21, 0x08);
    out(b, 0x21, 0x04);
    out(b, 0x21, icw4_master);
    out(b, 0xa0, 0x11);
    out(b, 0xa1, 0x70);
    out(b, 0xa1, 0x02);
    out(b, 0xa1, icw4_slave);
}

static void irq(struct board *b, unsigned n, bool level)
{
    i8259_set_irq(b->pics, n, level);
}

static int setup_with(void **state, bool elcr)
{
    struct board *b = calloc(1, sizeof(*b));

    b->io = ioport_create();
    struct i8259_desc desc = {.io = b->io, .intr = spy_line(&b->intr), .elcr = elcr};
    *state = b;
    if (i8259_create(&b->pics, &desc) != STATUS_OK)
        return -1;
    init_pair(b, 0x01, 0x01);
    return 0;
}

static int setup(void **state)
{
    return setup_with(state, true);
}

static int setup_isa(void **state)
{
    return setup_with(state, false);
}

static int teardown(void **state)
{
    struct board *b = *state;

    i8259_class.destroy(b->pics);
    ioport_destroy(b->io);
    free(b);
    return 0;
}

static void an_edge_is_delivered_once(void **state)
{
    struct board *b = *state;

    irq(b, 1, true);
    assert_true(b->intr.level);
    assert_int_equal(in(b, 0x20), 0x02);
    assert_int_equal(i8259_acknowledge(b->pics), 0x09);
    assert_false(b->intr.level);
    out(b, 0x20, 0x20);
    assert_false(b->intr.level); /* still high, but no new edge */
    irq(b, 1, false);
    irq(b, 1, true);
    assert_true(b->intr.level);
}

static void a_lower_priority_waits_for_the_eoi_and_a_higher_one_does_not(void **state)
{
    struct board *b = *state;

    irq(b, 4, true);
    assert_int_equal(i8259_acknowledge(b->pics), 0x0c);
    irq(b, 5, true);
    assert_false(b->intr.level);
    irq(b, 3, true);
    assert_int_equal(i8259_acknowledge(b->pics), 0x0b);
    out(b, 0x20, 0x0b);
    assert_int_equal(in(b, 0x20), 0x18);
    out(b, 0x20, 0x20); /* non-specific: 3 has the higher priority */
    assert_int_equal(in(b, 0x20), 0x10);
    assert_false(b->intr.level);
    out(b, 0x20, 0x20);
    assert_int_equal(i8259_acknowledge(b->pics), 0x0d);
}

static void the_slave_interrupts_through_input_2(void **state)
{
    struct board *b = *state;

    irq(b, 8, true);
    irq(b, 14, true);
    assert_int_equal(i8259_acknowledge(b->pics), 0x70);
    assert_false(b->intr.level);
    out(b, 0xa0, 0x20);
    assert_false(b->intr.level); /* the master still services input 2 */
    out(b, 0x20, 0x20);
    assert_true(b->intr.level);
    assert_int_equal(i8259_acknowledge(b->pics), 0x76);
    out(b, 0x20, 0x62); /* specific EOI of 2, before the slave's */
    assert_false(b->intr.level);
    out(b, 0xa0, 0x66);
    assert_false(b->intr.level);
}

static void a_request_that_is_gone_is_spurious(void **state)
{
    struct board *b = *state;

    irq(b, 3, true);
    irq(b, 3, false);
    assert_false(b->intr.level);
    assert_int_equal(i8259_acknowledge(b->pics), 0x0f);
    out(b, 0x20, 0x0b);
    assert_int_equal(in(b, 0x20), 0x00);
}

static void a_masked_request_waits(void **state)
{
    struct board *b = *state;

    out(b, 0x21, 0xff);
    irq(b, 0, true);
    assert_false(b->intr.level);
    assert_int_equal(in(b, 0x21), 0xff);
    out(b, 0x21, 0xfe);
    assert_int_equal(i8259_acknowledge(b->pics), 0x08);
}

static void elcr_makes_an_input_level_sensitive(void **state)
{
    struct board *b = *state;

    ioport_write(b->io, 0x4d0, 0xffff, W16);
    assert_int_equal(ioport_read(b->io, 0x4d0, W16), 0xdef8);
    irq(b, 11, true);
    assert_int_equal(i8259_acknowledge(b->pics), 0x73);
    out(b, 0xa0, 0x20);
    out(b, 0x20, 0x20);
    assert_true(b->intr.level); /* the device still asks */
    assert_int_equal(i8259_acknowledge(b->pics), 0x73);
    irq(b, 11, false);
    out(b, 0xa0, 0x20);
    out(b, 0x20, 0x20);
    assert_false(b->intr.level);
}

static void ltim_counts_only_without_elcr(void **state)
{
    struct board *b = *state;

    assert_int_equal(in(b, 0x4d0), 0xff);
    out(b, 0x20, 0x19);
    out(b, 0x21, 0x08);
    out(b, 0x21, 0x04);
    out(b, 0x21, 0x01);
    irq(b, 5, true);
    assert_int_equal(i8259_acknowledge(b->pics), 0x0d);
    out(b, 0x20, 0x20);
    assert_true(b->intr.level);
}

static void icw1_forgets_edges_and_the_mask(void **state)
{
    struct board *b = *state;

    out(b, 0x21, 0xff);
    irq(b, 1, true);
    init_pair(b, 0x01, 0x01);
    assert_int_equal(in(b, 0x21), 0x00);
    assert_int_equal(in(b, 0x20), 0x00);
    assert_false(b->intr.level);
}

static void automatic_eoi_leaves_nothing_in_service(void **state)
{
    struct board *b = *state;

    init_pair(b, 0x03, 0x01);
    out(b, 0x20, 0x80); /* rotate on automatic EOI */
    irq(b, 0, true);
    irq(b, 1, true);
    irq(b, 9, true);
    assert_int_equal(i8259_acknowledge(b->pics), 0x08);
    assert_int_equal(i8259_acknowledge(b->pics), 0x09);
    assert_int_equal(i8259_acknowledge(b->pics), 0x71);
    irq(b, 0, false);
    irq(b, 0, true);
    irq(b, 3, true);
    assert_int_equal(i8259_acknowledge(b->pics), 0x0b); /* 2 is lowest now: 3 comes first */
    assert_int_equal(i8259_acknowledge(b->pics), 0x08);
}

static void rotation_moves_the_serviced_level_to_the_end(void **state)
{
    struct board *b = *state;

    irq(b, 0, true);
    assert_int_equal(i8259_acknowledge(b->pics), 0x08);
    out(b, 0x20, 0xa0); /* rotate on non-specific EOI */
    irq(b, 0, false);
    irq(b, 0, true);
    irq(b, 7, true);
    assert_int_equal(i8259_acknowledge(b->pics), 0x0f);
    out(b, 0x20, 0xe7); /* rotate on specific EOI: 7 is lowest again */
    irq(b, 7, false);
    irq(b, 7, true);
    assert_int_equal(i8259_acknowledge(b->pics), 0x08);
    out(b, 0x20, 0x20);
    out(b, 0x20, 0xc4); /* set priority: 5 is highest */
    irq(b, 5, true);
    irq(b, 4, true);
    assert_int_equal(i8259_acknowledge(b->pics), 0x0d);
}

static void special_mask_mode_lets_lower_levels_through(void **state)
{
    struct board *b = *state;

    irq(b, 1, true);
    assert_int_equal(i8259_acknowledge(b->pics), 0x09);
    irq(b, 6, true);
    assert_false(b->intr.level);
    out(b, 0x20, 0x68);
    out(b, 0x21, 0x02);
    assert_int_equal(i8259_acknowledge(b->pics), 0x0e);
    out(b, 0x20, 0x20); /* ends 6: the masked level is not touched */
    out(b, 0x20, 0x0b);
    assert_int_equal(in(b, 0x20), 0x02);
    out(b, 0x20, 0x48); /* leave the mode */
    irq(b, 7, true);
    assert_false(b->intr.level);
}

static void sfnm_lets_the_slave_nest(void **state)
{
    struct board *b = *state;

    init_pair(b, 0x11, 0x01);
    irq(b, 12, true);
    assert_int_equal(i8259_acknowledge(b->pics), 0x74);
    irq(b, 14, true);
    assert_false(b->intr.level);
    irq(b, 9, true);
    assert_true(b->intr.level);
    assert_int_equal(i8259_acknowledge(b->pics), 0x71);
}

static void poll_acknowledges_without_a_vector(void **state)
{
    struct board *b = *state;

    out(b, 0x20, 0x0c);
    assert_int_equal(in(b, 0x20), 0x00);
    irq(b, 6, true);
    out(b, 0x20, 0x0c);
    assert_int_equal(in(b, 0x20), 0x86);
    assert_false(b->intr.level);
    out(b, 0x20, 0x0b);
    assert_int_equal(in(b, 0x20), 0x40);
}

static void no_request_leaves_an_unfinished_initialization(void **state)
{
    struct board *b = *state;

    out(b, 0x20, 0x11);
    irq(b, 1, true);
    out(b, 0x21, 0x30);
    assert_false(b->intr.level);
    out(b, 0x21, 0x04);
    out(b, 0x21, 0x01);
    assert_true(b->intr.level);
    assert_int_equal(i8259_acknowledge(b->pics), 0x31);
}

static void state_survives_a_save_and_a_load(void **state)
{
    struct board *b = *state;
    struct board c = {.io = ioport_create()};
    struct i8259_desc desc = {.io = c.io, .intr = spy_line(&c.intr), .elcr = true};

    assert_int_equal(i8259_create(&c.pics, &desc), STATUS_OK);
    irq(b, 4, true);
    assert_int_equal(i8259_acknowledge(b->pics), 0x0c);
    irq(b, 3, true);
    out(b, 0x4d1, 0x0c);
    check_save_load(&i8259_class, b->pics, c.pics);
    assert_true(c.intr.level);
    assert_int_equal(i8259_acknowledge(c.pics), 0x0b);
    i8259_class.destroy(c.pics);
    ioport_destroy(c.io);
}

#define T(f)     cmocka_unit_test_setup_teardown(f, setup, teardown)
#define T_ISA(f) cmocka_unit_test_setup_teardown(f, setup_isa, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_edge_is_delivered_once),
        T(a_lower_priority_waits_for_the_eoi_and_a_higher_one_does_not),
        T(the_slave_interrupts_through_input_2),
        T(a_request_that_is_gone_is_spurious),
        T(a_masked_request_waits),
        T(elcr_makes_an_input_level_sensitive),
        T_ISA(ltim_counts_only_without_elcr),
        T(icw1_forgets_edges_and_the_mask),
        T(automatic_eoi_leaves_nothing_in_service),
        T(rotation_moves_the_serviced_level_to_the_end),
        T(special_mask_mode_lets_lower_levels_through),
        T(sfnm_lets_the_slave_nest),
        T(poll_acknowledges_without_a_vector),
        T(no_request_leaves_an_unfinished_initialization),
        T(state_survives_a_save_and_a_load),
    };
    return cmocka_run_group_tests_name("i8259", tests, NULL, NULL);
}
