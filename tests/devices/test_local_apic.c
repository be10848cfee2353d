/* SPDX-License-Identifier: MIT */
/* Local APICs as their CPUs see them: two on one bus, registers through memory. */
#include "devices/local_apic.h"
#include "tests/support/device_state.h"

enum { CPUS = 2 };

enum {
    ID = 0x20,
    VERSION = 0x30,
    TPR = 0x80,
    PPR = 0xa0,
    EOI = 0xb0,
    LDR = 0xd0,
    DFR = 0xe0,
    SVR = 0xf0,
    ISR = 0x100,
    TMR = 0x180,
    IRR = 0x200,
    ESR = 0x280,
    ICR_LOW = 0x300,
    ICR_HIGH = 0x310,
    TIMER = 0x320,
    THERMAL = 0x330,
    LINT0 = 0x350,
    LINT1 = 0x360,
    ERROR = 0x370,
    INITIAL = 0x380,
    CURRENT = 0x390,
    DIVIDE = 0x3e0,
    MASKED = 0x10000,
    PERIODIC = 0x20000,
};

struct board {
    struct clock clk;
    struct physmem *pm;
    struct apic_bus *bus;
    struct local_apic *la[CPUS];
    struct spy intr[CPUS], nmi[CPUS], init[CPUS];
    unsigned current;
};

static unsigned current(void *ctx)
{
    return ((struct board *)ctx)->current;
}

static u32 rd(struct board *b, u32 reg)
{
    return (u32)physmem_load(b->pm, APIC_DEFAULT_BASE + reg, 4);
}

static void wr(struct board *b, u32 reg, u32 val)
{
    physmem_store(b->pm, APIC_DEFAULT_BASE + reg, val, 4);
}

static struct local_apic_desc desc_of(struct board *b, unsigned i)
{
    return (struct local_apic_desc){
        .bus = b->bus,
        .clk = &b->clk,
        .number = i,
        .bsp = i == 0,
        .version = 0x14,
        .entries = 6,
        .intr = spy_line(&b->intr[i]),
        .nmi = spy_line(&b->nmi[i]),
        .init = spy_line(&b->init[i]),
    };
}

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    clock_init(&b->clk, CLOCK_RATIO_DEFAULT);
    assert_int_equal(physmem_create(&b->pm, 1 << 20), STATUS_OK);
    assert_int_equal(apic_bus_create(&b->bus, &(struct apic_bus_desc){b->pm, current, b}),
                     STATUS_OK);
    for (unsigned i = 0; i < CPUS; i++) {
        struct local_apic_desc desc = desc_of(b, i);
        assert_int_equal(local_apic_create(&b->la[i], &desc), STATUS_OK);
    }
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct board *b = *state;

    for (unsigned i = 0; i < CPUS; i++)
        local_apic_class.destroy(b->la[i]);
    apic_bus_destroy(b->bus);
    physmem_destroy(b->pm);
    free(b);
    return 0;
}

/* Software-enabled, as a kernel leaves it. */
static struct board *enabled(void **state)
{
    struct board *b = *state;

    for (b->current = CPUS; b->current-- > 0;)
        wr(b, SVR, 0x1ff);
    b->current = 0;
    return b;
}

static void self(struct board *b, u8 vector)
{
    wr(b, ICR_LOW, 1 << 18 | vector);
}

static void registers_after_reset(void **state)
{
    struct board *b = *state;

    assert_int_equal(rd(b, ID), 0);
    assert_int_equal(rd(b, VERSION), 0x50014);
    assert_int_equal(rd(b, SVR), 0xff);
    assert_int_equal(rd(b, DFR), UINT32_MAX);
    assert_int_equal(rd(b, TIMER), MASKED);
    assert_int_equal(rd(b, ERROR), MASKED);
    assert_true(local_apic_base(b->la[0]) == 0xfee00900);
    b->current = 1;
    assert_int_equal(rd(b, ID), 1 << 24);
    assert_int_equal(rd(b, LINT0), MASKED);
    assert_true(local_apic_base(b->la[1]) == 0xfee00800);
}

static void the_8259s_pass_through_lint0_after_reset(void **state)
{
    struct board *b = *state;

    local_apic_set_lint(b->la[0], 0, true);
    local_apic_set_lint(b->la[1], 0, true);
    assert_true(b->intr[0].level);
    assert_false(b->intr[1].level); /* masked */
    assert_int_equal(local_apic_acknowledge(b->la[0]), LOCAL_APIC_EXTINT);
    assert_true(b->intr[0].level); /* it is a level */
    local_apic_set_lint(b->la[0], 0, false);
    assert_false(b->intr[0].level);
    wr(b, SVR, 0x1ff);
    wr(b, LINT0, MASKED | 0x700);
    local_apic_set_lint(b->la[0], 0, true);
    assert_false(b->intr[0].level);
    wr(b, LINT0, 0x700);
    assert_true(b->intr[0].level);
}

static void nmi_passes_through_lint1(void **state)
{
    struct board *b = enabled(state);

    local_apic_set_lint(b->la[0], 1, true);
    local_apic_set_lint(b->la[0], 1, false);
    assert_int_equal(b->nmi[0].rises, 1);
    wr(b, LINT1, MASKED | 0x400);
    local_apic_set_lint(b->la[0], 1, true);
    assert_int_equal(b->nmi[0].rises, 1);
}

static void switched_off_it_is_two_wires(void **state)
{
    struct board *b = *state;

    assert_true(local_apic_set_base(b->la[1], 0xfee00000));
    local_apic_set_lint(b->la[1], 0, true);
    assert_true(b->intr[1].level);
    assert_int_equal(local_apic_acknowledge(b->la[1]), LOCAL_APIC_EXTINT);
    local_apic_set_lint(b->la[1], 1, true);
    assert_int_equal(b->nmi[1].rises, 1);
}

static void higher_classes_come_first_and_nest(void **state)
{
    struct board *b = enabled(state);

    self(b, 0x41);
    self(b, 0x62);
    self(b, 0x61);
    assert_true(b->intr[0].level);
    assert_int_equal(rd(b, IRR + 0x30), 6);
    assert_int_equal(local_apic_acknowledge(b->la[0]), 0x62);
    assert_int_equal(rd(b, PPR), 0x60);
    assert_int_equal(rd(b, ISR + 0x30), 4);
    assert_false(b->intr[0].level); /* 61h is of the same class */
    self(b, 0x70);
    assert_true(b->intr[0].level);
    assert_int_equal(local_apic_acknowledge(b->la[0]), 0x70);
    wr(b, EOI, 0);
    assert_int_equal(rd(b, PPR), 0x60);
    wr(b, EOI, 0);
    assert_int_equal(local_apic_acknowledge(b->la[0]), 0x61);
    wr(b, EOI, 0);
    assert_int_equal(local_apic_acknowledge(b->la[0]), 0x41);
    wr(b, EOI, 0);
    assert_false(b->intr[0].level);
}

static void the_task_priority_holds_back(void **state)
{
    struct board *b = enabled(state);

    wr(b, TPR, 0x55);
    assert_int_equal(rd(b, PPR), 0x55);
    self(b, 0x51);
    assert_false(b->intr[0].level);
    wr(b, TPR, 0x4f);
    assert_true(b->intr[0].level);
    wr(b, TPR, 0x50);
    assert_false(b->intr[0].level);
    assert_int_equal(local_apic_acknowledge(b->la[0]), 0xff); /* spurious */
    assert_int_equal(rd(b, ISR + 0x70), 0);
    local_apic_set_lint(b->la[0], 0, true); /* not ExtINT: enabling left it, TPR does not matter */
    assert_true(b->intr[0].level);
    wr(b, TPR, 0);
    assert_int_equal(local_apic_acknowledge(b->la[0]), 0x51); /* before the 8259s */
}

static void messages_reach_whom_they_name(void **state)
{
    struct board *b = enabled(state);

    wr(b, ICR_HIGH, 1 << 24);
    wr(b, ICR_LOW, 0x4040); /* physical */
    assert_false(b->intr[0].level);
    assert_int_equal(local_apic_acknowledge(b->la[1]), 0x40);
    wr(b, ICR_LOW, 3 << 18 | 0x51); /* all but self */
    assert_false(b->intr[0].level);
    assert_int_equal(local_apic_acknowledge(b->la[1]), 0x51);
    wr(b, ICR_LOW, 2 << 18 | 0x61);
    assert_int_equal(local_apic_acknowledge(b->la[0]), 0x61);
    assert_int_equal(local_apic_acknowledge(b->la[1]), 0x61);
    wr(b, ICR_HIGH, 0xff000000);
    wr(b, ICR_LOW, 0x71);
    assert_int_equal(local_apic_acknowledge(b->la[0]), 0x71);
    assert_int_equal(local_apic_acknowledge(b->la[1]), 0x71);
    assert_int_equal(rd(b, ICR_LOW), 0x71); /* never busy */
}

static void logical_destinations_are_sets(void **state)
{
    struct board *b = enabled(state);

    wr(b, LDR, 0x01 << 24);
    b->current = 1;
    wr(b, LDR, 0x82u << 24);
    wr(b, ICR_HIGH, 0x02 << 24);
    wr(b, ICR_LOW, 0x800 | 0x41);
    assert_false(b->intr[0].level);
    assert_int_equal(local_apic_acknowledge(b->la[1]), 0x41);
    wr(b, DFR, 0x0fffffff); /* cluster 8, member 2 */
    wr(b, ICR_HIGH, 0x82u << 24);
    wr(b, ICR_LOW, 0x800 | 0x51);
    assert_int_equal(local_apic_acknowledge(b->la[1]), 0x51);
    wr(b, ICR_HIGH, 0x72 << 24);
    wr(b, ICR_LOW, 0x800 | 0x61);
    assert_false(b->intr[1].level);
}

static void lowest_priority_goes_to_the_least_busy(void **state)
{
    struct board *b = enabled(state);

    wr(b, TPR, 0x20);
    wr(b, ICR_HIGH, 0xff000000);
    wr(b, ICR_LOW, 0x100 | 0x91);
    assert_false(b->intr[0].level);
    assert_int_equal(local_apic_acknowledge(b->la[1]), 0x91);
    wr(b, ICR_LOW, 0x100 | 0x92); /* now the other is busier */
    assert_true(b->intr[0].level);
}

static void init_and_nmi_are_messages(void **state)
{
    struct board *b = enabled(state);

    wr(b, ICR_HIGH, 1 << 24);
    wr(b, ICR_LOW, 0x400);
    assert_int_equal(b->nmi[1].rises, 1);
    wr(b, ICR_LOW, 0xc500);
    assert_int_equal(b->init[1].rises, 1);
    wr(b, ICR_LOW, 0x8500); /* de-assert */
    assert_int_equal(b->init[1].rises, 1);
    wr(b, ICR_LOW, 0x600);
    assert_int_equal(b->init[1].rises + b->init[0].rises, 1);
}

static void init_clears_all_but_the_place(void **state)
{
    struct board *b = enabled(state);

    wr(b, ID, 5 << 24);
    self(b, 0x40);
    local_apic_init(b->la[0]);
    assert_false(b->intr[0].level);
    assert_int_equal(rd(b, SVR), 0xff);
    assert_int_equal(rd(b, ID), 5 << 24);
}

static void errors_are_gathered_and_fire(void **state)
{
    struct board *b = enabled(state);

    wr(b, ERROR, 0xe1);
    self(b, 5);
    assert_int_equal(rd(b, ESR), 0);
    wr(b, ESR, 0);
    assert_int_equal(rd(b, ESR), 0x20); /* illegal vector sent */
    assert_int_equal(local_apic_acknowledge(b->la[0]), 0xe1);
    wr(b, EOI, 0);
    (void)rd(b, 0x3f0);
    assert_int_equal(local_apic_acknowledge(b->la[0]), 0xe1);
    wr(b, ESR, 0);
    assert_int_equal(rd(b, ESR), 0x80); /* no such register */
    wr(b, ESR, 0);
    assert_int_equal(rd(b, ESR), 0);
}

static void disabling_masks_the_vector_table(void **state)
{
    struct board *b = enabled(state);

    wr(b, TIMER, 0x30);
    self(b, 0x41);
    wr(b, SVR, 0xff);
    assert_int_equal(rd(b, TIMER), MASKED | 0x30);
    wr(b, TIMER, 0x30);
    assert_int_equal(rd(b, TIMER), MASKED | 0x30);
    assert_true(b->intr[0].level); /* what was accepted is still there */
    self(b, 0x51);
    assert_int_equal(rd(b, IRR + 0x20), 2); /* and nothing more is */
}

static void the_timer_counts_down_once(void **state)
{
    struct board *b = enabled(state);

    wr(b, DIVIDE, 0x3); /* by 16: a tick takes 160 ns */
    wr(b, TIMER, 0x30);
    wr(b, INITIAL, 1000);
    clock_run(&b->clk, 159);
    assert_int_equal(rd(b, CURRENT), 1000);
    clock_run(&b->clk, 1);
    assert_int_equal(rd(b, CURRENT), 999);
    clock_run_to(&b->clk, 159999);
    assert_false(b->intr[0].level);
    clock_run_to(&b->clk, 160000);
    assert_int_equal(local_apic_acknowledge(b->la[0]), 0x30);
    assert_int_equal(rd(b, CURRENT), 0);
    wr(b, EOI, 0);
    clock_run(&b->clk, 1000000);
    assert_false(b->intr[0].level);
}

static void the_timer_repeats_without_drift(void **state)
{
    struct board *b = enabled(state);
    unsigned n = 0;

    wr(b, DIVIDE, 0xb); /* by 1: 10 ns */
    wr(b, TIMER, PERIODIC | 0x30);
    wr(b, INITIAL, 333);
    for (u64 t = 1; t <= 33300; t++) {
        clock_run_to(&b->clk, t);
        if (b->intr[0].level) {
            n++;
            assert_int_equal(t, n * 3330);
            assert_int_equal(rd(b, CURRENT), 333);
            assert_int_equal(local_apic_acknowledge(b->la[0]), 0x30);
            wr(b, EOI, 0);
        }
    }
    assert_int_equal(n, 10);
    wr(b, INITIAL, 0);
    clock_run(&b->clk, 100000);
    assert_false(b->intr[0].level);
    assert_int_equal(rd(b, CURRENT), 0);
}

static void a_masked_timer_counts_silently(void **state)
{
    struct board *b = enabled(state);

    wr(b, DIVIDE, 0xb);
    wr(b, TIMER, MASKED | PERIODIC | 0x30);
    wr(b, INITIAL, 100);
    assert_true(clock_next(&b->clk) == CLOCK_NEVER); /* and costs nothing */
    clock_run(&b->clk, 2500);
    assert_int_equal(rd(b, CURRENT), 50);
    wr(b, TIMER, PERIODIC | 0x30);
    clock_run(&b->clk, 499);
    assert_false(b->intr[0].level);
    clock_run(&b->clk, 1);
    assert_true(b->intr[0].level);
}

static void a_level_on_lint0_is_sent_again_after_eoi(void **state)
{
    struct board *b = enabled(state);

    wr(b, LINT0, 0x8041);
    local_apic_set_lint(b->la[0], 0, true);
    assert_int_equal(rd(b, LINT0), 0xc041);
    assert_int_equal(local_apic_acknowledge(b->la[0]), 0x41);
    assert_int_equal(rd(b, TMR + 0x20), 2);
    assert_false(b->intr[0].level);
    wr(b, EOI, 0);
    assert_true(b->intr[0].level);
    assert_int_equal(local_apic_acknowledge(b->la[0]), 0x41);
    local_apic_set_lint(b->la[0], 0, false);
    wr(b, EOI, 0);
    assert_false(b->intr[0].level);
    assert_int_equal(rd(b, LINT0), 0x8041);
}

static void the_base_register_moves_and_switches_off(void **state)
{
    struct board *b = *state;

    assert_false(local_apic_set_base(b->la[0], 0xfee00901));
    assert_false(local_apic_set_base(b->la[0], 0xfee00d00)); /* no x2APIC */
    assert_false(local_apic_set_base(b->la[0], BIT64(36) | 0x900));
    assert_true(local_apic_set_base(b->la[0], 0xfee10900));
    assert_true(local_apic_set_base(b->la[1], 0xfee10800));
    assert_int_equal(physmem_load(b->pm, 0xfee10030, 4), 0x50014);
    assert_int_equal(rd(b, VERSION), UINT32_MAX);
    assert_true(local_apic_set_base(b->la[0], 0xfee10000)); /* BSP cannot be changed */
    assert_true(local_apic_base(b->la[0]) == 0xfee10100);
    assert_true(local_apic_set_base(b->la[1], 0xfee10000));
    assert_int_equal(physmem_load(b->pm, 0xfee10030, 4), UINT32_MAX);
    assert_true(local_apic_set_base(b->la[0], 0x1000 | 0x900)); /* RAM stays RAM */
    physmem_map_ram(b->pm, 0, 1 << 20, 0);
    assert_int_equal(physmem_load(b->pm, 0x1030, 4), 0);
}

static void narrow_writes_are_dropped_and_narrow_reads_work(void **state)
{
    struct board *b = *state;

    physmem_store(b->pm, APIC_DEFAULT_BASE + TPR, 0x20, 1);
    assert_int_equal(rd(b, TPR), 0);
    assert_int_equal(physmem_load(b->pm, APIC_DEFAULT_BASE + VERSION + 2, 1), 5);
    assert_int_equal(rd(b, VERSION + 4), 0);
}

static void state_survives(void **state)
{
    struct board *b = enabled(state), *other;
    void *to;

    wr(b, TIMER, PERIODIC | 0x30);
    wr(b, INITIAL, 1000);
    wr(b, LDR, 1 << 24);
    wr(b, LINT0, 0x8041);
    local_apic_set_lint(b->la[0], 0, true);
    clock_run(&b->clk, 5000);
    assert_true(local_apic_set_base(b->la[0], 0xfee10900));
    setup(&to);
    other = to;
    check_save_load(&local_apic_class, b->la[0], other->la[0]);
    assert_true(other->intr[0].level);
    assert_int_equal(physmem_load(other->pm, 0xfee10000 + LDR, 4), 1 << 24);
    teardown(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        T(registers_after_reset),
        T(the_8259s_pass_through_lint0_after_reset),
        T(nmi_passes_through_lint1),
        T(switched_off_it_is_two_wires),
        T(higher_classes_come_first_and_nest),
        T(the_task_priority_holds_back),
        T(messages_reach_whom_they_name),
        T(logical_destinations_are_sets),
        T(lowest_priority_goes_to_the_least_busy),
        T(init_and_nmi_are_messages),
        T(init_clears_all_but_the_place),
        T(errors_are_gathered_and_fire),
        T(disabling_masks_the_vector_table),
        T(the_timer_counts_down_once),
        T(the_timer_repeats_without_drift),
        T(a_masked_timer_counts_silently),
        T(a_level_on_lint0_is_sent_again_after_eoi),
        T(the_base_register_moves_and_switches_off),
        T(narrow_writes_are_dropped_and_narrow_reads_work),
        T(state_survives),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
