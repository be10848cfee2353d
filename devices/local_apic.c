/* SPDX-License-Identifier: MIT */
/*
 * Local APIC of the Pentium, P6 and later CPUs, in xAPIC mode.
 *
 * Reference: [SDM 3A §10.4 to §10.9]; section numbers are those of the edition of 2020.
 *
 * After RESET# and INIT# the boot CPU's LINT0 is ExtINT and LINT1 NMI, not masked: the wires do
 * what they do without an APIC. Real chips wait for firmware to say so; firmware that knows nothing
 * of the APIC, and programs that return to real mode through INIT#, need their interrupts too.
 *
 * Not implemented: TSC-deadline mode, x2APIC, remote read, SMI (there is no SMM), lowest-priority
 * focus, the inter-processor part of start-up (STARTUP reaches no CPU that waits for it), send
 * accept errors.
 */
#include "devices/local_apic.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "devices/local_apic_state.h"

#define NOWHERE UINT64_MAX

/* --- sets of vectors --- */

int lapic_highest(const u32 set[8])
{
    for (int i = 7; i >= 0; i--) {
        for (int bit = 31; set[i] && bit >= 0; bit--) {
            if (set[i] & BIT(bit))
                return 32 * i + bit;
        }
    }
    return -1;
}

static void set_bit(u32 set[8], u8 vector, bool on)
{
    u32 bit = BIT(vector & 31);

    set[vector >> 5] = on ? set[vector >> 5] | bit : set[vector >> 5] & ~bit;
}

static bool has_bit(const u32 set[8], u8 vector)
{
    return set[vector >> 5] & BIT(vector & 31);
}

/* --- what the CPU sees --- */

/* Processor priority [SDM 3A §10.8.3.1]. */
u8 lapic_ppr(const struct local_apic *la)
{
    int in_service = lapic_highest(la->isr);
    u8 class = in_service < 0 ? 0 : (u8)(in_service & 0xf0);

    return (la->tpr & 0xf0) >= class ? la->tpr : class;
}

/* The request that would interrupt now, or -1. */
static int deliverable(const struct local_apic *la)
{
    int v = lapic_highest(la->irr);

    return v >= 0 && (v & 0xf0) > (lapic_ppr(la) & 0xf0) ? v : -1;
}

static bool lvt_asks_extint(const struct local_apic *la, unsigned pin)
{
    u32 e = la->lvt[LVT_LINT0 + pin];

    return !(e & LVT_MASKED) && lapic_delivery(e) == APIC_EXTINT && (la->lint & BIT(pin));
}

static bool asks_extint(const struct local_apic *la)
{
    if (!lapic_is_on(la))
        return la->lint & BIT(0);
    return la->extint || lvt_asks_extint(la, 0) || lvt_asks_extint(la, 1);
}

void lapic_update(struct local_apic *la)
{
    line_set(&la->desc.intr, (lapic_is_on(la) && deliverable(la) >= 0) || asks_extint(la));
}

static void pulse(const struct line *line)
{
    line_set(line, true);
    line_set(line, false);
}

/* Take a fixed interrupt into IRR. The caller updates the CPU's pin. */
static bool accept(struct local_apic *la, u8 vector, bool level)
{
    if (!local_apic_accepts(la))
        return false;
    set_bit(la->irr, vector, true);
    set_bit(la->tmr, vector, level);
    return true;
}

/* Errors are gathered until ESR is written; each new one fires the error entry [§10.5.3]. */
void lapic_error(struct local_apic *la, u8 bit)
{
    u32 e = la->lvt[LVT_ERROR];

    if (la->errors & bit)
        return;
    la->errors |= bit;
    if (e & LVT_MASKED)
        return;
    if ((e & LVT_VECTOR) < FIRST_VECTOR)
        la->errors |= ESR_RECEIVE_ILLEGAL;
    else
        accept(la, e & LVT_VECTOR, false);
    lapic_update(la);
}

bool lapic_receive_fixed(struct local_apic *la, u8 vector, bool level)
{
    if (vector < FIRST_VECTOR) {
        lapic_error(la, ESR_RECEIVE_ILLEGAL);
        return true;
    }
    bool ok = accept(la, vector, level);
    lapic_update(la);
    return ok;
}

bool local_apic_accepts(const struct local_apic *la)
{
    return lapic_is_on(la) && (la->svr & SVR_ENABLE);
}

bool local_apic_receive(struct local_apic *la, const struct apic_message *msg)
{
    if (!lapic_is_on(la))
        return false;
    switch (msg->delivery) {
    case APIC_FIXED:
    case APIC_LOWEST:
        return lapic_receive_fixed(la, msg->vector, msg->level);
    case APIC_NMI:
        pulse(&la->desc.nmi);
        return true;
    case APIC_INIT:
        pulse(&la->desc.init);
        return true;
    case APIC_EXTINT:
        la->extint = true;
        lapic_update(la);
        return true;
    case APIC_STARTUP: /* only a CPU that waits after INIT takes it; the boot CPU never waits */
        return true;
    default:
        log_todo(APIC, "delivery mode %u", msg->delivery);
        return true;
    }
}

unsigned local_apic_acknowledge(struct local_apic *la)
{
    int v = lapic_is_on(la) ? deliverable(la) : -1;

    if (v >= 0) {
        set_bit(la->irr, (u8)v, false);
        set_bit(la->isr, (u8)v, true);
        lapic_update(la);
        return (unsigned)v;
    }
    if (!asks_extint(la) && lapic_is_on(la))
        return la->svr & LVT_VECTOR; /* the request went away [§10.9] */
    la->extint = false;
    lapic_update(la);
    return LOCAL_APIC_EXTINT;
}

/* --- LINT0, LINT1 --- */

/* A level-triggered fixed entry sends again after its EOI while the pin is active. */
void lapic_lint_level(struct local_apic *la, unsigned pin)
{
    u32 *e = &la->lvt[LVT_LINT0 + pin];
    bool active = !(la->lint & BIT(pin)) == !!(*e & LVT_LOW);

    if (pin != 0 || !(*e & LVT_LEVEL) || (*e & (LVT_MASKED | LVT_REMOTE_IRR)) || !active ||
        lapic_delivery(*e) != APIC_FIXED)
        return;
    if (lapic_receive_fixed(la, *e & LVT_VECTOR, true))
        *e |= LVT_REMOTE_IRR;
}

static void lint_edge(struct local_apic *la, unsigned pin)
{
    u32 e = la->lvt[LVT_LINT0 + pin];
    struct apic_message msg = {.vector = e & LVT_VECTOR, .delivery = lapic_delivery(e)};

    if ((e & LVT_MASKED) || msg.delivery == APIC_EXTINT)
        return;
    if (msg.delivery != APIC_FIXED || pin != 0 || !(e & LVT_LEVEL))
        (void)local_apic_receive(la, &msg);
}

void local_apic_set_lint(void *apic, unsigned pin, bool level)
{
    struct local_apic *la = apic;
    bool was = la->lint & BIT(pin);

    la->lint = (u8)(level ? la->lint | BIT(pin) : la->lint & ~BIT(pin));
    if (lapic_is_on(la)) {
        bool low = la->lvt[LVT_LINT0 + pin] & LVT_LOW;
        if (level != was && level != low)
            lint_edge(la, pin);
        lapic_lint_level(la, pin);
    } else if (pin == 1 && level && !was) {
        pulse(&la->desc.nmi);
    }
    lapic_update(la);
}

bool local_apic_can_nmi(const struct local_apic *la)
{
    u32 e = la->lvt[LVT_LINT0];

    return lapic_is_on(la) && !(e & LVT_MASKED) &&
           (lapic_delivery(e) == APIC_NMI || lapic_delivery(e) == APIC_INIT);
}

/* --- end of interrupt, life --- */

void lapic_eoi(struct local_apic *la)
{
    int v = lapic_highest(la->isr);

    if (v < 0)
        return;
    set_bit(la->isr, (u8)v, false);
    if (has_bit(la->tmr, (u8)v)) {
        u32 *e = &la->lvt[LVT_LINT0];
        if ((*e & LVT_REMOTE_IRR) && (int)(*e & LVT_VECTOR) == v) {
            *e &= ~(u32)LVT_REMOTE_IRR;
            lapic_lint_level(la, 0);
        }
        apic_bus_eoi(la->desc.bus, (u8)v);
    }
    lapic_update(la);
}

u64 local_apic_page(const struct local_apic *la)
{
    return lapic_is_on(la) ? la->base & ~(u64)BASE_FLAGS : NOWHERE;
}

bool local_apic_matches(const struct local_apic *la, u8 dest, bool logical)
{
    u8 everybody = la->desc.version < 0x14 ? 0x0f : 0xff;

    if (!logical)
        return (dest & everybody) == everybody || dest == la->id;
    if (la->dfr >> 28 == 0xf) /* flat [§10.6.2.2] */
        return la->ldr & dest;
    return (dest >> 4 == 0xf || dest >> 4 == la->ldr >> 4) && (la->ldr & dest & 0x0f);
}

u8 local_apic_priority(const struct local_apic *la)
{
    return lapic_ppr(la);
}

u64 local_apic_base(const struct local_apic *la)
{
    return la->base;
}

/* What RESET# and INIT# have in common [§10.4.7]. */
static void clear(struct local_apic *la)
{
    la->tpr = la->ldr = 0;
    la->dfr = UINT32_MAX;
    la->svr = 0xff;
    la->icr_low = la->icr_high = la->divide = 0;
    for (unsigned i = 0; i < 8; i++)
        la->isr[i] = la->tmr[i] = la->irr[i] = 0;
    la->esr = la->errors = 0;
    for (unsigned i = 0; i < LVT__COUNT; i++)
        la->lvt[i] = LVT_MASKED;
    if (la->desc.bsp) {
        la->lvt[LVT_LINT0] = APIC_EXTINT << 8;
        la->lvt[LVT_LINT1] = APIC_NMI << 8;
    }
    la->initial = la->count = 0;
    la->since = clock_now(la->desc.clk);
    la->extint = false;
    lapic_timer_arm(la);
    lapic_update(la);
}

void local_apic_init(struct local_apic *la)
{
    clear(la);
}

static void move(struct local_apic *la, u64 base)
{
    u64 from = la->mapped;

    la->base = base;
    la->mapped = local_apic_page(la);
    apic_bus_move(la->desc.bus, from, la->mapped);
}

bool local_apic_set_base(struct local_apic *la, u64 val)
{
    const u64 writable = (BIT64(PHYS_BITS) - 1) & ~(u64)(BASE_FLAGS & ~LOCAL_APIC_EN);

    if (val & ~(writable | LOCAL_APIC_BSP))
        return false;
    val = (val & writable) | (la->base & LOCAL_APIC_BSP);
    if (val == la->base)
        return true;
    bool off = !(val & LOCAL_APIC_EN);
    move(la, val);
    if (off) /* the state is lost [§10.4.3] */
        clear(la);
    return true;
}

static const struct field local_apic_fields[] = {
    FIELD(struct local_apic, base),
    FIELD(struct local_apic, id),
    FIELD(struct local_apic, tpr),
    FIELD(struct local_apic, ldr),
    FIELD(struct local_apic, dfr),
    FIELD(struct local_apic, svr),
    FIELD(struct local_apic, icr_low),
    FIELD(struct local_apic, icr_high),
    FIELD(struct local_apic, divide),
    FIELD_ARRAY(struct local_apic, isr),
    FIELD_ARRAY(struct local_apic, tmr),
    FIELD_ARRAY(struct local_apic, irr),
    FIELD(struct local_apic, esr),
    FIELD(struct local_apic, errors),
    FIELD_ARRAY(struct local_apic, lvt),
    FIELD(struct local_apic, initial),
    FIELD(struct local_apic, count),
    FIELD(struct local_apic, since),
    FIELD(struct local_apic, lint),
    FIELD(struct local_apic, extint),
    FIELDS_END,
};

static void local_apic_reset(void *dev)
{
    struct local_apic *la = dev;

    move(la, APIC_DEFAULT_BASE | LOCAL_APIC_EN | (la->desc.bsp ? LOCAL_APIC_BSP : 0));
    la->id = (u8)la->desc.number;
    clear(la);
}

/* The clock saves the timer itself. */
static void local_apic_loaded(void *dev)
{
    struct local_apic *la = dev;

    move(la, la->base & (BIT64(PHYS_BITS) - 1));
    if (la->since > clock_now(la->desc.clk))
        la->since = clock_now(la->desc.clk);
    lapic_update(la);
}

static void local_apic_destroy(void *dev)
{
    struct local_apic *la = dev;

    if (!la)
        return;
    move(la, 0);
    apic_bus_attach_local(la->desc.bus, la->desc.number, NULL);
    free(la);
}

const struct device_class local_apic_class = {
    .name = "local_apic",
    .version = 1,
    .fields = local_apic_fields,
    .reset = local_apic_reset,
    .loaded = local_apic_loaded,
    .destroy = local_apic_destroy,
};

enum status local_apic_create(struct local_apic **out, const struct local_apic_desc *desc)
{
    struct local_apic *la = calloc(1, sizeof(*la));
    if (!la)
        return STATUS_NO_MEMORY;

    la->desc = *desc;
    la->mapped = NOWHERE;
    snprintf(la->timer_name, sizeof(la->timer_name), "local_apic%u.timer", desc->number);
    enum status s = clock_add(desc->clk, la->timer_name, lapic_timer_expired, la, 0, &la->timer);
    if (s != STATUS_OK) {
        free(la);
        return s;
    }
    apic_bus_attach_local(desc->bus, desc->number, la);
    local_apic_reset(la);
    *out = la;
    return STATUS_OK;
}
