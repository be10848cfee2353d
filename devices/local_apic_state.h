/* SPDX-License-Identifier: MIT */
/* Private to devices/local_apic*.c: the state of a local APIC and what its halves share. */
#pragma once

#include "devices/local_apic.h"

enum lapic_bits {
    SVR_ENABLE = BIT(8),
    SVR_WRITABLE = 0x3ff, /* vector, enable, focus checking */
    LVT_VECTOR = 0xff,
    LVT_LOW = BIT(13), /* pin polarity: active low */
    LVT_REMOTE_IRR = BIT(14),
    LVT_LEVEL = BIT(15),
    LVT_MASKED = BIT(16),
    LVT_PERIODIC = BIT(17),
    ICR_ASSERT = BIT(14),
    ICR_LEVEL = BIT(15),
    ICR_WRITABLE = 0xccfff,
    DIVIDE_WRITABLE = 0x0b,
    ESR_SEND_ILLEGAL = BIT(5),
    ESR_RECEIVE_ILLEGAL = BIT(6),
    ESR_REGISTER = BIT(7),
    FIRST_VECTOR = 16, /* those below are illegal */
    BASE_FLAGS = 0xfff,
};

enum lvt { LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR, LVT__COUNT };

struct local_apic {
    u64 base; /* IA32_APIC_BASE */
    u8 id, tpr, ldr;
    u32 dfr, svr, icr_low, icr_high, divide;
    u32 isr[8], tmr[8], irr[8];
    u8 esr, errors; /* as read; gathered since ESR was written */
    u32 lvt[LVT__COUNT];
    u32 initial;
    u32 count;   /* of the timer at... */
    u64 since;   /* ...this time       */
    u8 lint;     /* levels of LINT0 and LINT1 */
    bool extint; /* an ExtINT message waits */

    struct local_apic_desc desc;
    u64 mapped; /* the page of the registers, or UINT64_MAX: follows from base */
    char timer_name[24];
    u32 timer;
};

static inline u8 lapic_delivery(u32 entry)
{
    return entry >> 8 & 7;
}

static inline bool lapic_is_on(const struct local_apic *la)
{
    return la->base & LOCAL_APIC_EN;
}

/* --- local_apic.c --- */

/** Vectors as the 256-bit registers hold them: the highest one, or -1. */
int lapic_highest(const u32 set[8]);
/** Drive the CPU's pin from the state. */
void lapic_update(struct local_apic *la);
/** Note an error of ESR, and fire the error entry. */
void lapic_error(struct local_apic *la, u8 bit);
bool lapic_receive_fixed(struct local_apic *la, u8 vector, bool level);
/** LINT0 or LINT1 may have become active: level-triggered entries look at the pin. */
void lapic_lint_level(struct local_apic *la, unsigned pin);
/** Processor priority. */
u8 lapic_ppr(const struct local_apic *la);
/** End of interrupt. */
void lapic_eoi(struct local_apic *la);

/* --- local_apic_regs.c --- */

/** Arm the clock for the timer's next interrupt, or disarm it. */
void lapic_timer_arm(struct local_apic *la);
void lapic_timer_expired(void *dev, u32 arg);
