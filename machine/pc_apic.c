/* SPDX-License-Identifier: MIT */
/*
 * Interrupts between the controllers and the CPUs.
 *
 * The 8259 pair's INTR is LINT0 of every local APIC and input 0 of the I/O APIC, NMI is LINT1: the
 * virtual wire of [MP §3.6.2]. IRQ n of the board is input n of the I/O APIC, but the timer's is
 * input 2; PIRQA# to PIRQD# are inputs 16 to 19 [MP Appendix D]. CPUs without a local APIC
 * have the 8259 pair alone.
 */
#include "cpu/cpuid.h"
#include "machine/board.h"
#include "machine/journal_private.h"
#include "machine/mptable.h"

bool pc_has_apic(const struct pc *pc)
{
    const struct cpu_model *m = cpu_model_find(config_text(pc->cfg, CONFIG_cpu));

    return m && model_has(m, FEAT_APIC);
}

u8 pc_apic_version(const struct cpu_model *m)
{
    return model_has(m, FEAT_SSE2) ? 0x14 : model_has(m, FEAT_P6) ? 0x11 : 0x10;
}

/* --- wires --- */

static void set_cpu_intr(void *ctx, unsigned pin, bool level)
{
    const struct pc_node *n = ctx;

    (void)pin;
    cpu_set_intr(n->pc->cpu[n->number], level);
}

static void set_cpu_nmi(void *ctx, unsigned pin, bool level)
{
    const struct pc_node *n = ctx;

    (void)pin;
    if (level)
        cpu_nmi(n->pc->cpu[n->number]);
}

static void set_cpu_init(void *ctx, unsigned pin, bool level)
{
    const struct pc_node *n = ctx;

    (void)pin;
    if (!level)
        return;
    pc_init_cpu(n->pc, n->number);
    cpu_request_reset(n->pc->cpu[n->number], true);
}

void pc_set_intr(void *ctx, unsigned pin, bool level)
{
    struct pc *pc = ctx;

    (void)pin;
    for (unsigned i = 0; i < pc->cpus; i++) {
        if (pc->node[i].apic)
            local_apic_set_lint(pc->node[i].apic, 0, level);
        else
            cpu_set_intr(pc->cpu[i], level);
    }
    if (pc->ioapic)
        ioapic_set_irq(pc->ioapic, IOAPIC_INPUT_8259, level);
}

void pc_set_irq_level(struct pc *pc, unsigned irq, bool level)
{
    i8259_set_irq(pc->pic, irq, level);
    if (pc->ioapic)
        ioapic_set_irq(pc->ioapic, irq == 0 ? IOAPIC_INPUT_TIMER : irq, level);
}

void pc_set_pirq(void *ctx, unsigned pirq, bool level)
{
    struct pc *pc = ctx;

    if (pc->ioapic)
        ioapic_set_irq(pc->ioapic, IOAPIC_INPUT_PIRQ + pirq, level);
}

void pc_init_cpu(struct pc *pc, unsigned number)
{
    if (pc->node[number].apic)
        local_apic_init(pc->node[number].apic);
}

void pc_nmi(struct pc *pc)
{
    if (!journal_numbers(pc, JOURNAL_NMI, 0, 0, 0))
        return;
    if (pc->twin)
        pc_nmi(pc->twin);
    if (pc->nmi_masked)
        return;
    for (unsigned i = 0; i < pc->cpus; i++) {
        if (pc->node[i].apic) {
            local_apic_set_lint(pc->node[i].apic, 1, true);
            local_apic_set_lint(pc->node[i].apic, 1, false);
        } else {
            cpu_nmi(pc->cpu[i]);
        }
    }
}

bool pc_can_wake(const struct pc *pc, unsigned number)
{
    const struct pc_node *n = &pc->node[number];

    return cpu_can_wake(pc->cpu[number]) || (n->apic && local_apic_can_nmi(n->apic)) ||
           (pc->ioapic && ioapic_can_nmi(pc->ioapic));
}

/* --- what a CPU asks --- */

static u8 acknowledge(const struct pc_node *n)
{
    unsigned vector = n->apic ? local_apic_acknowledge(n->apic) : LOCAL_APIC_EXTINT;

    if (vector != LOCAL_APIC_EXTINT)
        return (u8)vector;
    vector = i8259_acknowledge(n->pc->pic);
    if (n->apic)
        apic_bus_extint_taken(n->pc->apic_bus);
    return (u8)vector;
}

u8 pc_bus_inta(void *node)
{
    const struct pc_node *n = node;
    u8 vector = acknowledge(n);

    pc_look_on(n->pc, PC_ACCESS_INTA, 0, vector, 1);
    return vector;
}

u64 pc_bus_apic_base(void *node)
{
    const struct pc_node *n = node;

    return n->apic ? local_apic_base(n->apic) : 0;
}

bool pc_bus_set_apic_base(void *node, u64 val)
{
    const struct pc_node *n = node;

    return n->apic && local_apic_set_base(n->apic, val);
}

/* --- creation --- */

static unsigned current_cpu(void *ctx)
{
    return ((const struct pc *)ctx)->current;
}

/* [SDM 3A §10.4.8, §10.5.1] */
static enum status create_local(struct pc *pc, struct pc_node *n)
{
    u8 version = pc_apic_version(cpu_model_find(config_text(pc->cfg, CONFIG_cpu)));
    struct local_apic_desc desc = {
        .bus = pc->apic_bus,
        .clk = &pc->clock,
        .number = n->number,
        .bsp = n->number == 0,
        .version = version,
        .entries = version >= 0x14   ? 6
                   : version >= 0x11 ? 5
                                     : 4,
        .intr = {set_cpu_intr, n, 0},
        .nmi = {set_cpu_nmi, n, 0},
        .init = {set_cpu_init, n, 0},
    };
    enum status s = local_apic_create(&n->apic, &desc);

    return s == STATUS_OK ? pc_add_chip(pc, &local_apic_class, n->apic) : s;
}

enum status pc_create_apics(struct pc *pc)
{
    struct apic_bus_desc desc = {.pm = pc->physmem, .current = current_cpu, .ctx = pc};

    if (!pc_has_apic(pc))
        return STATUS_OK;
    enum status s = apic_bus_create(&pc->apic_bus, &desc);
    for (unsigned i = 0; s == STATUS_OK && i < pc->cpus; i++)
        s = create_local(pc, &pc->node[i]);
    if (s == STATUS_OK)
        s = ioapic_create(&pc->ioapic, &(struct ioapic_desc){
                                           .bus = pc->apic_bus,
                                           .id = IOAPIC_ID,
                                           .idle = 0xfu << IOAPIC_INPUT_PIRQ,
                                       });
    return s == STATUS_OK ? pc_add_chip(pc, &ioapic_class, pc->ioapic) : s;
}
