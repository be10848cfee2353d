/* SPDX-License-Identifier: MIT */
/*
 * The APIC bus: who gets a message, and the page in which each CPU finds its own local APIC.
 *
 * Reference: [SDM 3A §10.6.2], destinations.
 *
 * Not implemented: arbitration (messages are instantaneous), local APICs outside
 * FED00000h-FEFFFFFFh, where RAM, ROM or a BAR could be.
 */
#include "devices/apic_bus.h"

#include <stdlib.h>

#include "base/log.h"
#include "devices/ioapic.h"
#include "devices/local_apic.h"

#define MOVABLE_LO 0xfed00000u
#define MOVABLE_HI 0xfeffffffu

struct apic_bus {
    struct apic_bus_desc desc;
    struct local_apic *local[APIC_LOCALS_MAX];
    struct ioapic *io;
};

static bool is_meant(const struct local_apic *la, const struct local_apic *from,
                     const struct apic_message *msg)
{
    switch (msg->target) {
    case APIC_TO_SELF:
        return la == from;
    case APIC_TO_ALL:
        return true;
    case APIC_TO_OTHERS:
        return la != from;
    default:
        return local_apic_matches(la, msg->dest, msg->logical);
    }
}

/* The lowest processor priority wins; among equals the lowest CPU number, so that runs repeat. */
static bool send_lowest(struct apic_bus *bus, const struct local_apic *from,
                        const struct apic_message *msg)
{
    struct local_apic *best = NULL;

    for (unsigned i = 0; i < APIC_LOCALS_MAX; i++) {
        struct local_apic *la = bus->local[i];
        if (la && local_apic_accepts(la) && is_meant(la, from, msg) &&
            (!best || local_apic_priority(la) < local_apic_priority(best)))
            best = la;
    }
    return best && local_apic_receive(best, msg);
}

bool apic_bus_send(struct apic_bus *bus, const struct local_apic *from,
                   const struct apic_message *msg)
{
    bool accepted = false;

    if (msg->delivery == APIC_LOWEST)
        return send_lowest(bus, from, msg);
    for (unsigned i = 0; i < APIC_LOCALS_MAX; i++) {
        struct local_apic *la = bus->local[i];
        if (la && is_meant(la, from, msg))
            accepted |= local_apic_receive(la, msg);
    }
    return accepted;
}

void apic_bus_eoi(struct apic_bus *bus, u8 vector)
{
    if (bus->io)
        ioapic_eoi(bus->io, vector);
}

void apic_bus_extint_taken(struct apic_bus *bus)
{
    if (bus->io)
        ioapic_extint_taken(bus->io);
}

/* --- the registers of the CPU that asks --- */

static u64 local_read(void *dev, u64 off, unsigned size)
{
    struct apic_bus *bus = dev;
    struct local_apic *la = bus->local[bus->desc.current(bus->desc.ctx) % APIC_LOCALS_MAX];

    return la ? local_apic_read(la, (u32)off, size) : UINT64_MAX;
}

static void local_write(void *dev, u64 off, u64 val, unsigned size)
{
    struct apic_bus *bus = dev;
    struct local_apic *la = bus->local[bus->desc.current(bus->desc.ctx) % APIC_LOCALS_MAX];

    if (la)
        local_apic_write(la, (u32)off, (u32)val, size);
}

static const struct mmio_ops local_ops = {local_read, local_write, 4};

static bool somebody_at(const struct apic_bus *bus, u64 page)
{
    for (unsigned i = 0; i < APIC_LOCALS_MAX; i++) {
        if (bus->local[i] && local_apic_page(bus->local[i]) == page)
            return true;
    }
    return false;
}

void apic_bus_move(struct apic_bus *bus, u64 from, u64 to)
{
    if (from >= MOVABLE_LO && from <= MOVABLE_HI && !somebody_at(bus, from))
        physmem_unmap(bus->desc.pm, from, PAGE_SIZE);
    if (to == UINT64_MAX)
        return;
    if (to < MOVABLE_LO || to > MOVABLE_HI)
        log_todo(APIC, "local APIC at %09llx: no registers there", (unsigned long long)to);
    else if (physmem_map_mmio(bus->desc.pm, to, PAGE_SIZE, &local_ops, bus) != STATUS_OK)
        log_error(APIC, "no room to map the local APIC");
}

/* --- who is on it --- */

void apic_bus_attach_local(struct apic_bus *bus, unsigned number, struct local_apic *la)
{
    bus->local[number % APIC_LOCALS_MAX] = la;
}

void apic_bus_attach_io(struct apic_bus *bus, struct ioapic *io)
{
    bus->io = io;
}

struct physmem *apic_bus_memory(const struct apic_bus *bus)
{
    return bus->desc.pm;
}

enum status apic_bus_create(struct apic_bus **out, const struct apic_bus_desc *desc)
{
    struct apic_bus *bus = calloc(1, sizeof(*bus));

    if (!bus)
        return STATUS_NO_MEMORY;
    bus->desc = *desc;
    *out = bus;
    return STATUS_OK;
}

void apic_bus_destroy(struct apic_bus *bus)
{
    free(bus);
}
