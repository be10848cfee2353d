/* SPDX-License-Identifier: MIT */
/*
 * 82093AA I/O Advanced Programmable Interrupt Controller.
 *
 * Reference: Intel 82093AA (IOAPIC), order number 290566 [IOAPIC]: §3.1 registers, §3.2 entries.
 *
 * An edge on a masked input is lost, as the manual says. A level-triggered message that no local
 * APIC takes is sent again when the entry or the input changes.
 *
 * Not implemented: arbitration, delivery status (messages are instantaneous: always idle), SMI#.
 */
#include "devices/ioapic.h"

#include <stdlib.h>

#include "base/log.h"

enum { IOREGSEL = 0x00, IOWIN = 0x10 };

enum ioapic_reg { IOAPICID = 0x00, IOAPICVER = 0x01, IOAPICARB = 0x02, IOREDTBL = 0x10 };

enum ioredtbl_bits {
    RED_VECTOR = 0xff,
    RED_LOGICAL = BIT(11),
    RED_LOW = BIT(13), /* active low */
    RED_REMOTE_IRR = BIT(14),
    RED_LEVEL = BIT(15),
    RED_MASKED = BIT(16),
    RED_WRITABLE = 0x1afff,
};

#define RED_DEST_SHIFT 56
#define VERSION        0x11u

struct ioapic {
    u8 id; /* of the APIC bus, 4 bits */
    u8 select;
    u64 entry[IOAPIC_PINS];
    u32 in; /* levels of the inputs */

    struct ioapic_desc desc;
};

static u8 delivery_of(u64 entry)
{
    return entry >> 8 & 7;
}

static bool is_active(const struct ioapic *io, unsigned pin)
{
    return !(io->in & BIT(pin)) == !!(io->entry[pin] & RED_LOW);
}

/* Only fixed and lowest-priority messages know levels [IOAPIC §3.2.4, DELMOD]. */
static bool is_level(u64 entry)
{
    return (entry & RED_LEVEL) && delivery_of(entry) <= APIC_LOWEST;
}

static bool ioapic_send(struct ioapic *io, unsigned pin)
{
    u64 e = io->entry[pin];
    struct apic_message msg = {
        .vector = e & RED_VECTOR,
        .delivery = delivery_of(e),
        .dest = (u8)(e >> RED_DEST_SHIFT),
        .logical = e & RED_LOGICAL,
        .level = is_level(e),
    };

    log_trace(APIC, "input %u: vector %02x, mode %u, to %02x", pin, msg.vector, msg.delivery,
              msg.dest);
    return apic_bus_send(io->desc.bus, NULL, &msg);
}

/* A level-triggered entry asks while its input is active and its last message has ended. */
static void ioapic_service(struct ioapic *io, unsigned pin)
{
    u64 *e = &io->entry[pin];

    if ((*e & (RED_MASKED | RED_REMOTE_IRR)) || !is_active(io, pin))
        return;
    if (is_level(*e)) {
        if (ioapic_send(io, pin))
            *e |= RED_REMOTE_IRR;
    } else if (delivery_of(*e) == APIC_EXTINT) {
        ioapic_send(io, pin);
    }
}

void ioapic_set_irq(void *ioapic, unsigned pin, bool level)
{
    struct ioapic *io = ioapic;
    bool was = is_active(io, pin);

    io->in = level ? io->in | BIT(pin) : io->in & ~BIT(pin);
    if (is_active(io, pin) == was)
        return;
    u64 e = io->entry[pin];
    if (is_level(e) || delivery_of(e) == APIC_EXTINT)
        ioapic_service(io, pin);
    else if (!was && !(e & RED_MASKED))
        ioapic_send(io, pin);
}

void ioapic_eoi(struct ioapic *io, u8 vector)
{
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        u64 *e = &io->entry[pin];
        if ((*e & RED_REMOTE_IRR) && (*e & RED_VECTOR) == vector) {
            *e &= ~(u64)RED_REMOTE_IRR;
            ioapic_service(io, pin);
        }
    }
}

void ioapic_extint_taken(struct ioapic *io)
{
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        if (delivery_of(io->entry[pin]) == APIC_EXTINT)
            ioapic_service(io, pin);
    }
}

bool ioapic_can_nmi(const struct ioapic *io)
{
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        u8 mode = delivery_of(io->entry[pin]);
        if (!(io->entry[pin] & RED_MASKED) && (mode == APIC_NMI || mode == APIC_INIT))
            return true;
    }
    return false;
}

static u32 reg_read(const struct ioapic *io)
{
    unsigned n = io->select - IOREDTBL;

    if (io->select >= IOREDTBL && n < 2 * IOAPIC_PINS)
        return (u32)(io->entry[n / 2] >> (32 * (n & 1)));
    switch (io->select) {
    case IOAPICID:
    case IOAPICARB:
        return (u32)io->id << 24;
    case IOAPICVER:
        return VERSION | (IOAPIC_PINS - 1) << 16;
    default:
        return 0;
    }
}

static void entry_write(struct ioapic *io, unsigned n, u32 val)
{
    unsigned pin = n / 2;
    u64 *e = &io->entry[pin];

    if (n & 1) {
        *e = (*e & UINT32_MAX) | (u64)(val & 0xff000000) << 32;
        return;
    }
    u64 keep = *e & ~(u64)RED_WRITABLE;
    if (!(val & RED_LEVEL)) /* an edge-triggered entry waits for no EOI */
        keep &= ~(u64)RED_REMOTE_IRR;
    *e = keep | (val & RED_WRITABLE);
    ioapic_service(io, pin);
}

static u64 ioapic_read(void *dev, u64 off, unsigned size)
{
    const struct ioapic *io = dev;
    u32 v;

    (void)size;
    switch (off & 0xfc) {
    case IOREGSEL:
        v = io->select;
        break;
    case IOWIN:
        v = reg_read(io);
        break;
    default:
        return UINT64_MAX;
    }
    return v >> (8 * (off & 3));
}

static void ioapic_write(void *dev, u64 off, u64 val, unsigned size)
{
    struct ioapic *io = dev;

    switch (off & 0xff) {
    case IOREGSEL:
        io->select = (u8)val;
        break;
    case IOWIN:
        if (size != 4)
            log_guest(APIC, "I/O APIC: write of %u bytes", size);
        else if (io->select == IOAPICID)
            io->id = val >> 24 & 0x0f;
        else if (io->select >= IOREDTBL && io->select < IOREDTBL + 2 * IOAPIC_PINS)
            entry_write(io, io->select - IOREDTBL, (u32)val);
        break;
    default:
        break;
    }
}

static const struct mmio_ops ioapic_ops = {ioapic_read, ioapic_write, 4};

static const struct field ioapic_fields[] = {
    FIELD(struct ioapic, id),
    FIELD(struct ioapic, select),
    FIELD_ARRAY(struct ioapic, entry),
    FIELD(struct ioapic, in),
    FIELDS_END,
};

/* The inputs are their drivers', not ours to forget. */
static void ioapic_reset(void *dev)
{
    struct ioapic *io = dev;

    io->id = io->desc.id;
    io->select = 0;
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
        io->entry[pin] = RED_MASKED;
}

static void ioapic_destroy(void *dev)
{
    struct ioapic *io = dev;

    if (!io)
        return;
    physmem_unmap(apic_bus_memory(io->desc.bus), IOAPIC_BASE, PAGE_SIZE);
    apic_bus_attach_io(io->desc.bus, NULL);
    free(io);
}

const struct device_class ioapic_class = {
    .name = "ioapic",
    .version = 1,
    .fields = ioapic_fields,
    .reset = ioapic_reset,
    .destroy = ioapic_destroy,
};

enum status ioapic_create(struct ioapic **out, const struct ioapic_desc *desc)
{
    struct ioapic *io = calloc(1, sizeof(*io));
    if (!io)
        return STATUS_NO_MEMORY;

    io->desc = *desc;
    io->in = desc->idle;
    enum status s =
        physmem_map_mmio(apic_bus_memory(desc->bus), IOAPIC_BASE, PAGE_SIZE, &ioapic_ops, io);
    if (s != STATUS_OK) {
        free(io);
        return s;
    }
    apic_bus_attach_io(desc->bus, io);
    ioapic_reset(io);
    *out = io;
    return STATUS_OK;
}
