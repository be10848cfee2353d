/* SPDX-License-Identifier: MIT */
#include "machine/mptable.h"

#include <string.h>

#include "base/bits.h"
#include "devices/apic_bus.h"

#define TABLE_FILE   "etc/mp/table"
#define POINTER_FILE "etc/mp/pointer"

enum { FLOATING_SIZE = 16, FLOATING_TABLE = 4, FLOATING_CHECKSUM = 10 }; /* [MP §4.1] */

enum { /* the table's header [MP §4.2] */
       HEADER_SIZE = 44,
       HEADER_LENGTH = 4,
       HEADER_REVISION = 6,
       HEADER_CHECKSUM = 7,
       HEADER_OEM = 8,
       HEADER_ENTRIES = 34,
       HEADER_LOCAL_APIC = 36,
       SPEC_REVISION = 4,
};

enum { MP_CPU, MP_BUS, MP_IOAPIC, MP_IO_INTERRUPT, MP_LOCAL_INTERRUPT }; /* [MP §4.3] */
enum { INT_VECTORED = 0, INT_NMI = 1, INT_EXTINT = 3 };
enum { BUS_PCI = 0, BUS_ISA = 1 };
enum {
    FLAGS_BUS = 0, /* polarity and trigger as on the bus */
    FLAGS_LEVEL_HIGH = 0x0d,
    CPU_ENABLED = 1,
    CPU_BSP = 2,
    ALL_LOCAL = 0xff,
    SLOTS = 32,
    SCI_IRQ = 9,
    TABLE_MAX = HEADER_SIZE + 8 * 20 + 200 * 8,
};

struct table {
    u8 at[TABLE_MAX];
    u32 len;
    u16 entries;
};

static u8 *entry(struct table *t, u8 type, u32 len)
{
    u8 *e = t->at + t->len;

    e[0] = type;
    t->len += len;
    t->entries++;
    return e;
}

static void add_cpu(struct table *t, const struct mptable_cpus *cpus, unsigned n)
{
    u8 *e = entry(t, MP_CPU, 20);

    e[1] = (u8)n;
    e[2] = cpus->apic_version;
    e[3] = CPU_ENABLED | (n ? 0 : CPU_BSP);
    store32(e + 4, cpus->signature);
    store32(e + 8, cpus->features);
}

static void add_bus(struct table *t, u8 id, const char *name)
{
    u8 *e = entry(t, MP_BUS, 8);

    e[1] = id;
    memcpy(e + 2, name, 6);
}

static void add_interrupt(struct table *t, u8 entry_type, u8 type, u16 flags, u8 bus, u8 source,
                          u8 apic, u8 input)
{
    u8 *e = entry(t, entry_type, 8);

    e[1] = type;
    store16(e + 2, flags);
    e[4] = bus;
    e[5] = source;
    e[6] = apic;
    e[7] = input;
}

static void add_interrupts(struct table *t)
{
    add_interrupt(t, MP_IO_INTERRUPT, INT_EXTINT, FLAGS_BUS, BUS_ISA, 0, IOAPIC_ID,
                  IOAPIC_INPUT_8259);
    for (unsigned irq = 0; irq < 16; irq++) {
        u8 input = irq ? (u8)irq : IOAPIC_INPUT_TIMER;
        if (irq != 2) /* the cascade */
            add_interrupt(t, MP_IO_INTERRUPT, INT_VECTORED,
                          irq == SCI_IRQ ? FLAGS_LEVEL_HIGH : FLAGS_BUS, BUS_ISA, (u8)irq,
                          IOAPIC_ID, input);
    }
    for (unsigned slot = 1; slot < SLOTS; slot++) {
        for (unsigned pin = 0; pin < 4; pin++)
            add_interrupt(t, MP_IO_INTERRUPT, INT_VECTORED, FLAGS_BUS, BUS_PCI,
                          (u8)(slot << 2 | pin), IOAPIC_ID,
                          (u8)(IOAPIC_INPUT_PIRQ + ((slot + 3 + pin) & 3)));
    }
    add_interrupt(t, MP_LOCAL_INTERRUPT, INT_EXTINT, FLAGS_BUS, BUS_ISA, 0, ALL_LOCAL, 0);
    add_interrupt(t, MP_LOCAL_INTERRUPT, INT_NMI, FLAGS_BUS, BUS_ISA, 0, ALL_LOCAL, 1);
}

void mptable_add(struct fw_list *l, struct table_loader *ld, const struct mptable_cpus *cpus)
{
    u8 floating[FLOATING_SIZE] = "_MP_";
    struct table t = {.at = "PCMP", .len = HEADER_SIZE};

    for (unsigned i = 0; i < cpus->count; i++)
        add_cpu(&t, cpus, i);
    add_bus(&t, BUS_PCI, "PCI   ");
    add_bus(&t, BUS_ISA, "ISA   ");
    u8 *e = entry(&t, MP_IOAPIC, 8);
    e[1] = IOAPIC_ID;
    e[2] = IOAPIC_VERSION;
    e[3] = 1; /* usable */
    store32(e + 4, IOAPIC_BASE);
    add_interrupts(&t);

    store16(t.at + HEADER_LENGTH, (u16)t.len);
    t.at[HEADER_REVISION] = SPEC_REVISION;
    memcpy(t.at + HEADER_OEM, "TURBO   TURBO86 PC  ", 20);
    store16(t.at + HEADER_ENTRIES, t.entries);
    store32(t.at + HEADER_LOCAL_APIC, APIC_DEFAULT_BASE);
    floating[8] = 1; /* paragraphs */
    floating[9] = SPEC_REVISION;

    fw_add_file(l, TABLE_FILE, t.at, t.len);
    fw_add_file(l, POINTER_FILE, floating, sizeof(floating));
    table_allocate(ld, TABLE_FILE, 16, TABLE_HIGH);
    table_checksum(ld, TABLE_FILE, HEADER_CHECKSUM, 0, t.len);
    table_allocate(ld, POINTER_FILE, 16, TABLE_FSEG);
    table_pointer(ld, POINTER_FILE, FLOATING_TABLE, TABLE_FILE);
    table_checksum(ld, POINTER_FILE, FLOATING_CHECKSUM, 0, FLOATING_SIZE);
}
