/* SPDX-License-Identifier: MIT */
/*
 * Local APIC: its registers and its timer.
 *
 * Reference: [SDM 3A §10.4, §10.5].
 */
#include "base/log.h"
#include "devices/local_apic_state.h"

/* Offset / 16 [SDM 3A Table 10-1]. */
enum lapic_reg {
    LAPIC_ID = 0x02,
    LAPIC_VERSION = 0x03,
    LAPIC_TPR = 0x08,
    LAPIC_APR = 0x09,
    LAPIC_PPR = 0x0a,
    LAPIC_EOI = 0x0b,
    LAPIC_RRD = 0x0c,
    LAPIC_LDR = 0x0d,
    LAPIC_DFR = 0x0e,
    LAPIC_SVR = 0x0f,
    LAPIC_ISR = 0x10, /* eight each */
    LAPIC_TMR = 0x18,
    LAPIC_IRR = 0x20,
    LAPIC_ESR = 0x28,
    LAPIC_ICR_LOW = 0x30,
    LAPIC_ICR_HIGH = 0x31,
    LAPIC_LVT_TIMER = 0x32,
    LAPIC_LVT_THERMAL = 0x33,
    LAPIC_LVT_PERF = 0x34,
    LAPIC_LVT_LINT0 = 0x35,
    LAPIC_LVT_LINT1 = 0x36,
    LAPIC_LVT_ERROR = 0x37,
    LAPIC_INITIAL = 0x38,
    LAPIC_CURRENT = 0x39,
    LAPIC_DIVIDE = 0x3e,
};

/* --- timer [§10.5.4] --- */

static unsigned divide_shift(const struct local_apic *la)
{
    unsigned code = (la->divide & 3) | (la->divide >> 1 & 4);

    return (code + 1) & 7; /* 7 divides by one */
}

static u64 elapsed(const struct local_apic *la)
{
    return clock_ticks(clock_now(la->desc.clk) - la->since, LOCAL_APIC_HZ) >> divide_shift(la);
}

static u32 timer_current(const struct local_apic *la)
{
    u64 n = elapsed(la);

    if (n < la->count)
        return (u32)(la->count - n);
    if (!(la->lvt[LVT_TIMER] & LVT_PERIODIC) || !la->initial || !la->count)
        return 0;
    return (u32)(la->initial - (n - la->count) % la->initial);
}

/* Only an expiry that interrupts is an event; what the counter shows is computed. */
void lapic_timer_arm(struct local_apic *la)
{
    u32 e = la->lvt[LVT_TIMER];
    u64 n = elapsed(la), at = la->count;

    if (n >= at && at && (e & LVT_PERIODIC) && la->initial)
        at += ((n - at) / la->initial + 1) * la->initial;
    if (!lapic_is_on(la) || (e & LVT_MASKED) || n >= at)
        clock_disarm(la->desc.clk, la->timer);
    else
        clock_arm(la->desc.clk, la->timer,
                  la->since + clock_tick_time(at << divide_shift(la), LOCAL_APIC_HZ));
}

/* Before what the count depends on changes. */
static void timer_settle(struct local_apic *la)
{
    la->count = timer_current(la);
    la->since = clock_now(la->desc.clk);
}

void lapic_timer_expired(void *dev, u32 arg)
{
    struct local_apic *la = dev;

    (void)arg;
    (void)lapic_receive_fixed(la, la->lvt[LVT_TIMER] & LVT_VECTOR, false);
    lapic_timer_arm(la);
}

/* --- registers --- */

static bool lvt_of(const struct local_apic *la, u32 reg, unsigned *index)
{
    if (reg < LAPIC_LVT_TIMER || reg > LAPIC_LVT_ERROR)
        return false;
    *index = reg - LAPIC_LVT_TIMER;
    return !(*index == LVT_THERMAL && la->desc.entries < 6) &&
           !(*index == LVT_PERF && la->desc.entries < 5);
}

static void lvt_write(struct local_apic *la, unsigned i, u32 val)
{
    static const u32 writable[LVT__COUNT] = {
        [LVT_TIMER] = LVT_VECTOR | LVT_MASKED | LVT_PERIODIC,
        [LVT_THERMAL] = 0x107ff,
        [LVT_PERF] = 0x107ff,
        [LVT_LINT0] = 0x1a7ff,
        [LVT_LINT1] = 0x1a7ff,
        [LVT_ERROR] = LVT_VECTOR | LVT_MASKED,
    };

    if (i == LVT_TIMER)
        timer_settle(la);
    u32 keep = val & LVT_LEVEL ? la->lvt[i] & LVT_REMOTE_IRR : 0;
    la->lvt[i] = (val & writable[i]) | keep;
    if (!(la->svr & SVR_ENABLE))
        la->lvt[i] |= LVT_MASKED;
    if (i == LVT_TIMER)
        lapic_timer_arm(la);
    else if (i == LVT_LINT0 || i == LVT_LINT1)
        lapic_lint_level(la, i - LVT_LINT0);
    lapic_update(la);
}

static void svr_write(struct local_apic *la, u32 val)
{
    la->svr = val & SVR_WRITABLE;
    if (la->svr & SVR_ENABLE)
        return;
    for (unsigned i = 0; i < LVT__COUNT; i++)
        la->lvt[i] |= LVT_MASKED;
    lapic_timer_arm(la);
    lapic_update(la);
}

/* Interrupt command register [§10.6.1]. */
static void icr_write(struct local_apic *la, u32 val)
{
    struct apic_message msg = {
        .vector = (u8)val,
        .delivery = lapic_delivery(val),
        .target = val >> 18 & 3,
        .dest = (u8)(la->icr_high >> 24),
        .logical = val & BIT(11),
    };

    la->icr_low = val & ICR_WRITABLE;
    if (msg.delivery == APIC_INIT && (val & ICR_LEVEL) && !(val & ICR_ASSERT))
        return; /* synchronises arbitration IDs, which we have not */
    if (msg.delivery == 3 || msg.delivery == APIC_EXTINT) {
        log_guest(APIC, "ICR: reserved delivery mode %u", msg.delivery);
        return;
    }
    if ((msg.delivery == APIC_FIXED || msg.delivery == APIC_LOWEST) && msg.vector < FIRST_VECTOR)
        lapic_error(la, ESR_SEND_ILLEGAL);
    else
        (void)apic_bus_send(la->desc.bus, la, &msg);
}

static u32 reg_read(struct local_apic *la, u32 reg)
{
    unsigned i;

    if (reg >= LAPIC_ISR && reg < LAPIC_ESR) {
        const u32 *set = reg < LAPIC_TMR ? la->isr : reg < LAPIC_IRR ? la->tmr : la->irr;
        return set[reg & 7];
    }
    if (lvt_of(la, reg, &i))
        return la->lvt[i];
    switch (reg) {
    case LAPIC_ID:
        return (u32)la->id << 24;
    case LAPIC_VERSION:
        return la->desc.version | (la->desc.entries - 1u) << 16;
    case LAPIC_TPR:
        return la->tpr;
    case LAPIC_APR:
        return local_apic_priority(la);
    case LAPIC_PPR:
        return lapic_ppr(la);
    case LAPIC_EOI:
    case LAPIC_RRD:
        return 0;
    case LAPIC_LDR:
        return (u32)la->ldr << 24;
    case LAPIC_DFR:
        return la->dfr;
    case LAPIC_SVR:
        return la->svr;
    case LAPIC_ESR:
        return la->esr;
    case LAPIC_ICR_LOW:
        return la->icr_low;
    case LAPIC_ICR_HIGH:
        return la->icr_high;
    case LAPIC_INITIAL:
        return la->initial;
    case LAPIC_CURRENT:
        return timer_current(la);
    case LAPIC_DIVIDE:
        return la->divide;
    default:
        lapic_error(la, ESR_REGISTER);
        return 0;
    }
}

static void timer_write(struct local_apic *la, u32 reg, u32 val)
{
    timer_settle(la);
    if (reg == LAPIC_DIVIDE)
        la->divide = val & DIVIDE_WRITABLE;
    else
        la->initial = la->count = val;
    lapic_timer_arm(la);
}

static void reg_write(struct local_apic *la, u32 reg, u32 val)
{
    unsigned i;

    if (lvt_of(la, reg, &i)) {
        lvt_write(la, i, val);
        return;
    }
    switch (reg) {
    case LAPIC_ID:
        la->id = (u8)(val >> 24) & (la->desc.version < 0x14 ? 0x0f : 0xff);
        break;
    case LAPIC_TPR:
        la->tpr = (u8)val;
        lapic_update(la);
        break;
    case LAPIC_EOI:
        lapic_eoi(la);
        break;
    case LAPIC_LDR:
        la->ldr = (u8)(val >> 24);
        break;
    case LAPIC_DFR:
        la->dfr = val | 0x0fffffff;
        break;
    case LAPIC_SVR:
        svr_write(la, val);
        break;
    case LAPIC_ESR:
        la->esr = la->errors;
        la->errors = 0;
        break;
    case LAPIC_ICR_LOW:
        icr_write(la, val);
        break;
    case LAPIC_ICR_HIGH:
        la->icr_high = val & 0xff000000;
        break;
    case LAPIC_INITIAL:
    case LAPIC_DIVIDE:
        timer_write(la, reg, val);
        break;
    default: /* read-only ones are ignored, absent ones an error */
        (void)reg_read(la, reg);
        break;
    }
}

u32 local_apic_read(struct local_apic *la, u32 off, unsigned size)
{
    u32 shift = 8 * (off & 3);

    (void)size;
    return off & 0xc ? 0 : reg_read(la, off >> 4) >> shift;
}

void local_apic_write(struct local_apic *la, u32 off, u32 val, unsigned size)
{
    if ((off & 0xf) || size != 4)
        log_guest(APIC, "write of %u bytes at %03x", size, off); /* [§10.4.1]: undefined */
    else
        reg_write(la, off >> 4, val);
}
