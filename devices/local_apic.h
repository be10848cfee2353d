/* SPDX-License-Identifier: MIT */
/* The local APIC of one CPU: what interrupts it, in which order; a timer; messages to others. */
#pragma once

#include "base/clock.h"
#include "base/status.h"
#include "devices/apic_bus.h"
#include "devices/device.h"
#include "devices/line.h"

struct local_apic;

/** The timer's clock before its divider. */
#define LOCAL_APIC_HZ 100000000ull

struct local_apic_desc {
    struct apic_bus *bus;
    struct clock *clk;
    unsigned number;  /* of the CPU; also its APIC ID after reset */
    bool bsp;         /* the CPU that boots */
    u8 version;       /* 10h: Pentium, 11h: P6, 14h: later */
    u8 entries;       /* of the local vector table, 4 to 6 */
    struct line intr; /* level: the CPU's INTR */
    struct line nmi;  /* pulses */
    struct line init; /* pulses: INIT# of the CPU, and local_apic_init() after it */
};

/** IA32_APIC_BASE [SDM 3A §10.4.4]. */
enum local_apic_base_bits { LOCAL_APIC_BSP = BIT(8), LOCAL_APIC_EN = BIT(11) };

/** local_apic_acknowledge(): the vector comes from the 8259s. */
#define LOCAL_APIC_EXTINT 0x100u

extern const struct device_class local_apic_class;

/** Create it in its reset state, on @desc->bus. On failure *@out is untouched. */
enum status local_apic_create(struct local_apic **out,
                              const struct local_apic_desc *desc) MUST_CHECK;

/** Drive LINT0 (INTR of the 8259s) or LINT1 (NMI); fits struct line. */
void local_apic_set_lint(void *apic, unsigned pin, bool level);

/** The CPU takes the interrupt that @intr asked for: its vector, or LOCAL_APIC_EXTINT. */
unsigned local_apic_acknowledge(struct local_apic *la);

/** INIT# of the CPU: everything as after RESET#, but where its registers are and its ID stay. */
void local_apic_init(struct local_apic *la);

/** Could an input or a message interrupt a CPU with IF clear? */
bool local_apic_can_nmi(const struct local_apic *la);

/** The MSR IA32_APIC_BASE. Setting it gives false, and changes nothing, for reserved bits. */
u64 local_apic_base(const struct local_apic *la);
bool local_apic_set_base(struct local_apic *la, u64 val) MUST_CHECK;

/* --- for the bus --- */

u32 local_apic_read(struct local_apic *la, u32 off, unsigned size);
void local_apic_write(struct local_apic *la, u32 off, u32 val, unsigned size);
/** The page of its registers, or UINT64_MAX. */
u64 local_apic_page(const struct local_apic *la);
bool local_apic_matches(const struct local_apic *la, u8 dest, bool logical);
/** Does it take fixed interrupts at all? */
bool local_apic_accepts(const struct local_apic *la);
/** What decides a lowest-priority delivery. */
u8 local_apic_priority(const struct local_apic *la);
/** False: it did not take the message. */
bool local_apic_receive(struct local_apic *la, const struct apic_message *msg);
