/* SPDX-License-Identifier: MIT */
/* The I/O APIC through its two registers, with one local APIC that listens. */
#include "devices/ioapic.h"
#include "devices/local_apic.h"
#include "tests/support/device_state.h"

enum { LEVEL = 0x8000, LOW = 0x2000, MASKED = 0x10000, REMOTE_IRR = 0x4000, IDLE = 0xf0000 };

struct board {
    struct clock clk;
    struct physmem *pm;
    struct apic_bus *bus;
    struct local_apic *la;
    struct ioapic *io;
    struct spy intr, nmi;
};

static unsigned current(void *ctx)
{
    (void)ctx;
    return 0;
}

static u32 rd(struct board *b, u32 reg)
{
    physmem_store(b->pm, IOAPIC_BASE, reg, 4);
    return (u32)physmem_load(b->pm, IOAPIC_BASE + 0x10, 4);
}

static void wr(struct board *b, u32 reg, u32 val)
{
    physmem_store(b->pm, IOAPIC_BASE, reg, 1);
    physmem_store(b->pm, IOAPIC_BASE + 0x10, val, 4);
}

static void entry(struct board *b, unsigned pin, u32 low)
{
    wr(b, 0x11 + 2 * pin, 0);
    wr(b, 0x10 + 2 * pin, low);
}

static void eoi(struct board *b)
{
    physmem_store(b->pm, APIC_DEFAULT_BASE + 0xb0, 0, 4);
}

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    clock_init(&b->clk, CLOCK_RATIO_DEFAULT);
    assert_int_equal(physmem_create(&b->pm, 1 << 20), STATUS_OK);
    assert_int_equal(apic_bus_create(&b->bus, &(struct apic_bus_desc){b->pm, current, b}),
                     STATUS_OK);
    struct local_apic_desc desc = {
        .bus = b->bus,
        .clk = &b->clk,
        .bsp = true,
        .version = 0x14,
        .entries = 6,
        .intr = spy_line(&b->intr),
        .nmi = spy_line(&b->nmi),
    };
    assert_int_equal(local_apic_create(&b->la, &desc), STATUS_OK);
    assert_int_equal(ioapic_create(&b->io, &(struct ioapic_desc){b->bus, 8, IDLE}), STATUS_OK);
    physmem_store(b->pm, APIC_DEFAULT_BASE + 0xf0, 0x1ff, 4);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct board *b = *state;

    ioapic_class.destroy(b->io);
    local_apic_class.destroy(b->la);
    apic_bus_destroy(b->bus);
    physmem_destroy(b->pm);
    free(b);
    return 0;
}

static void registers_after_reset(void **state)
{
    struct board *b = *state;

    assert_int_equal(rd(b, 0), 8 << 24);
    assert_int_equal(rd(b, 1), 0x170011);
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        assert_int_equal(rd(b, 0x10 + 2 * pin), MASKED);
        assert_int_equal(rd(b, 0x11 + 2 * pin), 0);
    }
    wr(b, 0, 0xff000000);
    assert_int_equal(rd(b, 0), 0x0f000000);
    wr(b, 0x10, UINT32_MAX);
    assert_int_equal(rd(b, 0x10), 0x1afff); /* delivery status and remote IRR are read-only */
}

static void an_edge_is_sent_once(void **state)
{
    struct board *b = *state;

    entry(b, 4, 0x41);
    ioapic_set_irq(b->io, 4, true);
    assert_int_equal(local_apic_acknowledge(b->la), 0x41);
    eoi(b);
    ioapic_set_irq(b->io, 4, true);
    assert_false(b->intr.level);
    ioapic_set_irq(b->io, 4, false);
    ioapic_set_irq(b->io, 4, true);
    assert_true(b->intr.level);
}

static void an_edge_on_a_masked_input_is_lost(void **state)
{
    struct board *b = *state;

    entry(b, 4, MASKED | 0x41);
    ioapic_set_irq(b->io, 4, true);
    entry(b, 4, 0x41);
    assert_false(b->intr.level);
}

static void a_level_is_sent_until_it_goes(void **state)
{
    struct board *b = *state;

    entry(b, 9, LEVEL | 0x51);
    ioapic_set_irq(b->io, 9, true);
    assert_int_equal(rd(b, 0x10 + 18), LEVEL | REMOTE_IRR | 0x51);
    assert_int_equal(local_apic_acknowledge(b->la), 0x51);
    assert_false(b->intr.level);
    eoi(b);
    assert_int_equal(local_apic_acknowledge(b->la), 0x51);
    ioapic_set_irq(b->io, 9, false);
    eoi(b);
    assert_false(b->intr.level);
    assert_int_equal(rd(b, 0x10 + 18), LEVEL | 0x51);
}

static void a_level_waits_behind_the_mask(void **state)
{
    struct board *b = *state;

    entry(b, 9, MASKED | LEVEL | 0x51);
    ioapic_set_irq(b->io, 9, true);
    assert_false(b->intr.level);
    entry(b, 9, LEVEL | 0x51);
    assert_true(b->intr.level);
}

static void pci_asks_by_pulling_low(void **state)
{
    struct board *b = *state;

    entry(b, 18, LEVEL | LOW | 0x61);
    assert_false(b->intr.level);
    ioapic_set_irq(b->io, 18, false);
    assert_int_equal(local_apic_acknowledge(b->la), 0x61);
    ioapic_set_irq(b->io, 18, true);
    eoi(b);
    assert_false(b->intr.level);
}

static void an_edge_entry_forgets_what_it_waited_for(void **state)
{
    struct board *b = *state;

    entry(b, 9, LEVEL | 0x51);
    ioapic_set_irq(b->io, 9, true);
    entry(b, 9, 0x51);
    assert_int_equal(rd(b, 0x10 + 18), 0x51);
}

static void nmi_and_extint_are_delivery_modes(void **state)
{
    struct board *b = *state;

    assert_false(ioapic_can_nmi(b->io));
    entry(b, 2, 0x400);
    assert_true(ioapic_can_nmi(b->io));
    ioapic_set_irq(b->io, 2, true);
    assert_int_equal(b->nmi.rises, 1);

    physmem_store(b->pm, APIC_DEFAULT_BASE + 0x350, MASKED, 4);
    entry(b, 0, 0x700);
    ioapic_set_irq(b->io, 0, true);
    assert_true(b->intr.level);
    assert_int_equal(local_apic_acknowledge(b->la), LOCAL_APIC_EXTINT);
    assert_false(b->intr.level);
    apic_bus_extint_taken(b->bus); /* the 8259s have another one */
    assert_true(b->intr.level);
}

static void nobody_home_leaves_a_level_waiting(void **state)
{
    struct board *b = *state;

    wr(b, 0x11 + 18, 5u << 24);
    wr(b, 0x10 + 18, LEVEL | 0x51);
    ioapic_set_irq(b->io, 9, true);
    assert_int_equal(rd(b, 0x10 + 18), LEVEL | 0x51);
    wr(b, 0x11 + 18, 0);
    wr(b, 0x10 + 18, LEVEL | 0x51);
    assert_int_equal(local_apic_acknowledge(b->la), 0x51);
}

static void state_survives(void **state)
{
    struct board *b = *state, *other;
    void *to;

    entry(b, 9, LEVEL | 0x51);
    ioapic_set_irq(b->io, 9, true);
    setup(&to);
    other = to;
    check_save_load(&ioapic_class, b->io, other->io);
    assert_int_equal(rd(other, 0x10 + 18), LEVEL | REMOTE_IRR | 0x51);
    teardown(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(registers_after_reset),
        T(an_edge_is_sent_once),
        T(an_edge_on_a_masked_input_is_lost),
        T(a_level_is_sent_until_it_goes),
        T(a_level_waits_behind_the_mask),
        T(pci_asks_by_pulling_low),
        T(an_edge_entry_forgets_what_it_waited_for),
        T(nmi_and_extint_are_delivery_modes),
        T(nobody_home_leaves_a_level_waiting),
        T(state_survives),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
