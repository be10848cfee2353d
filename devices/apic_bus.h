/* SPDX-License-Identifier: MIT */
/*
 * The APIC bus: local APICs and I/O APICs, and the interrupt messages between them. Messages arrive
 * at once and in order. The bus has no state of its own.
 */
#pragma once

#include "base/status.h"
#include "base/types.h"
#include "mmu/physmem.h"

struct apic_bus;
struct local_apic;
struct ioapic;

#define APIC_LOCALS_MAX   8u
#define APIC_DEFAULT_BASE 0xfee00000u
#define IOAPIC_BASE       0xfec00000u

/** Delivery modes, as ICR, LVT and redirection entries have them in bits 10:8. */
enum apic_delivery {
    APIC_FIXED = 0,
    APIC_LOWEST = 1, /* one of the destinations: the one whose priority is lowest */
    APIC_SMI = 2,
    APIC_NMI = 4,
    APIC_INIT = 5,
    APIC_STARTUP = 6,
    APIC_EXTINT = 7,
};

/** Who is meant; the values are ICR's shorthand field. */
enum apic_target { APIC_TO_DEST, APIC_TO_SELF, APIC_TO_ALL, APIC_TO_OTHERS };

struct apic_message {
    u8 vector;
    u8 delivery; /* enum apic_delivery */
    u8 target;   /* enum apic_target   */
    u8 dest;     /* APIC_TO_DEST: an APIC ID, or with @logical a set of them */
    bool logical;
    bool level; /* level-triggered: its EOI goes to the I/O APICs */
};

struct apic_bus_desc {
    struct physmem *pm;
    /** The number of the CPU that makes the access to a local APIC's registers. */
    unsigned (*current)(void *ctx);
    void *ctx;
};

/** An empty bus. On failure *@out is untouched. */
enum status apic_bus_create(struct apic_bus **out, const struct apic_bus_desc *desc) MUST_CHECK;
/** After everything on it. NULL is accepted. */
void apic_bus_destroy(struct apic_bus *bus);

/** Send @msg; @from is the local APIC that sends, or NULL. False: nobody accepted it. */
bool apic_bus_send(struct apic_bus *bus, const struct local_apic *from,
                   const struct apic_message *msg);

/** A local APIC has ended the level-triggered interrupt @vector. */
void apic_bus_eoi(struct apic_bus *bus, u8 vector);

/** An ExtINT was acknowledged: an I/O APIC whose input is still high asks again. */
void apic_bus_extint_taken(struct apic_bus *bus);

/* --- for the APICs --- */

/** Put the local APIC of CPU @number on the bus, or (@la NULL) take it off. */
void apic_bus_attach_local(struct apic_bus *bus, unsigned number, struct local_apic *la);
void apic_bus_attach_io(struct apic_bus *bus, struct ioapic *io);
struct physmem *apic_bus_memory(const struct apic_bus *bus);

/**
 * A local APIC's registers move from page @from to @to; UINT64_MAX is nowhere.
 * Pages outside FED00000h-FEFFFFFFh stay unmapped.
 */
void apic_bus_move(struct apic_bus *bus, u64 from, u64 to);
