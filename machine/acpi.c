/* SPDX-License-Identifier: MIT */
#include "machine/acpi.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "devices/apic_bus.h"
#include "machine/mptable.h"

#define TABLES_FILE "etc/acpi/tables"
#define RSDP_FILE   "etc/acpi/rsdp"

/* System Description Table Header [ACPI 1.0b §5.2.3]. */
enum {
    SDT_LENGTH = 4,
    SDT_REVISION = 8,
    SDT_CHECKSUM = 9,
    SDT_OEM_ID = 10,
    SDT_OEM_TABLE_ID = 16,
    SDT_OEM_REVISION = 24,
    SDT_CREATOR_ID = 28,
    SDT_CREATOR_REVISION = 32,
    SDT_SIZE = 36,
};

/* Fixed ACPI Description Table [ACPI 1.0b §5.2.5]. */
enum {
    FADT_FIRMWARE_CTRL = 36,
    FADT_DSDT = 40,
    FADT_INT_MODEL = 44,
    FADT_SCI_INT = 46,
    FADT_SMI_CMD = 48,
    FADT_ACPI_ENABLE = 52,
    FADT_ACPI_DISABLE = 53,
    FADT_PM1A_EVT_BLK = 56,
    FADT_PM1A_CNT_BLK = 64,
    FADT_PM_TMR_BLK = 76,
    FADT_PM1_EVT_LEN = 88,
    FADT_PM1_CNT_LEN = 89,
    FADT_PM_TM_LEN = 91,
    FADT_P_LVL2_LAT = 96,
    FADT_P_LVL3_LAT = 98,
    FADT_CENTURY = 108,
    FADT_FLAGS = 112,
    FADT_SIZE = 116,

    FADT_WBINVD = BIT(0),
    FADT_PROC_C1 = BIT(2),
    FADT_SLP_BUTTON = BIT(5), /* no fixed-feature sleep button */
    FADT_RTC_S4 = BIT(7),

    FADT_NO_C2 = 0xfff, /* latencies beyond use */
    FADT_NO_C3 = 0xfff,
    CMOS_CENTURY = 0x32,
};

/* Firmware ACPI Control Structure [ACPI 1.0b §5.2.6]. */
enum { FACS_LENGTH = 4, FACS_SIZE = 64, FACS_ALIGN = 64 };

/* Root System Description Pointer [ACPI 1.0b §5.2.1]. */
enum { RSDP_CHECKSUM = 8, RSDP_OEM_ID = 9, RSDP_RSDT = 16, RSDP_SIZE = 20 };

/* Multiple APIC Description Table [ACPI 1.0b §5.2.8]. */
enum {
    MADT_LOCAL_APIC = 36,
    MADT_FLAGS = 40,
    MADT_ENTRIES = 44,
    MADT_PCAT_COMPAT = BIT(0), /* there is a pair of 8259s too */
    MADT_TYPE_CPU = 0,
    MADT_TYPE_IOAPIC = 1,
    MADT_TYPE_OVERRIDE = 2,
    MADT_TYPE_NMI = 4,
    MADT_CPU_SIZE = 8,
    MADT_IOAPIC_SIZE = 12,
    MADT_OVERRIDE_SIZE = 10,
    MADT_NMI_SIZE = 6,
    MADT_BUS = 0, /* polarity and trigger as on the bus */
    MADT_LEVEL_HIGH = 0x0d,
    MADT_ALL_CPUS = 0xff,
    MADT_MAX = MADT_ENTRIES + 8 * MADT_CPU_SIZE + MADT_IOAPIC_SIZE + 2 * MADT_OVERRIDE_SIZE +
               MADT_NMI_SIZE,
};

static void sdt_header(u8 *t, const char *signature, u32 len, u8 revision)
{
    memcpy(t, signature, 4);
    store32(t + SDT_LENGTH, len);
    t[SDT_REVISION] = revision;
    memcpy(t + SDT_OEM_ID, "TURBO ", 6);
    memcpy(t + SDT_OEM_TABLE_ID, "TURBO86 ", 8);
    store32(t + SDT_OEM_REVISION, 1);
    memcpy(t + SDT_CREATOR_ID, "TB86", 4);
    store32(t + SDT_CREATOR_REVISION, 1);
}

static void fadt_build(u8 *t, u32 facs, u32 dsdt, bool apic)
{
    sdt_header(t, "FACP", FADT_SIZE, 1);
    store32(t + FADT_FIRMWARE_CTRL, facs);
    store32(t + FADT_DSDT, dsdt);
    t[FADT_INT_MODEL] = apic; /* 0: dual 8259, 1: multiple APIC */
    store16(t + FADT_SCI_INT, ACPI_SCI_IRQ);
    store32(t + FADT_SMI_CMD, ACPI_SMI_CMD);
    t[FADT_ACPI_ENABLE] = ACPI_ENABLE;
    t[FADT_ACPI_DISABLE] = ACPI_DISABLE;
    store32(t + FADT_PM1A_EVT_BLK, ACPI_PM_BASE);
    store32(t + FADT_PM1A_CNT_BLK, ACPI_PM_BASE + 4);
    store32(t + FADT_PM_TMR_BLK, ACPI_PM_BASE + 8);
    t[FADT_PM1_EVT_LEN] = 4;
    t[FADT_PM1_CNT_LEN] = 2;
    t[FADT_PM_TM_LEN] = 4;
    store16(t + FADT_P_LVL2_LAT, FADT_NO_C2);
    store16(t + FADT_P_LVL3_LAT, FADT_NO_C3);
    t[FADT_CENTURY] = CMOS_CENTURY;
    store32(t + FADT_FLAGS, FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON | FADT_RTC_S4);
}

static u8 *madt_entry(u8 *t, u32 *len, u8 type, u8 size)
{
    u8 *e = t + *len;

    e[0] = type;
    e[1] = size;
    *len += size;
    return e;
}

static void madt_override(u8 *t, u32 *len, u8 irq, u32 input, u16 flags)
{
    u8 *e = madt_entry(t, len, MADT_TYPE_OVERRIDE, MADT_OVERRIDE_SIZE);

    e[3] = irq;
    store32(e + 4, input);
    store16(e + 8, flags);
}

/* Its length. @t has MADT_MAX bytes of zeros. */
static u32 madt_build(u8 *t, unsigned cpus)
{
    u32 len = MADT_ENTRIES;
    u8 *e;

    for (unsigned i = 0; i < cpus; i++) {
        e = madt_entry(t, &len, MADT_TYPE_CPU, MADT_CPU_SIZE);
        e[2] = e[3] = (u8)i; /* processor in the DSDT, APIC ID */
        store32(e + 4, 1);   /* enabled */
    }
    e = madt_entry(t, &len, MADT_TYPE_IOAPIC, MADT_IOAPIC_SIZE);
    e[2] = IOAPIC_ID;
    store32(e + 4, IOAPIC_BASE);
    madt_override(t, &len, 0, IOAPIC_INPUT_TIMER, MADT_BUS);
    madt_override(t, &len, ACPI_SCI_IRQ, ACPI_SCI_IRQ, MADT_LEVEL_HIGH);
    e = madt_entry(t, &len, MADT_TYPE_NMI, MADT_NMI_SIZE);
    e[2] = MADT_ALL_CPUS;
    e[5] = 1; /* LINT1 */
    sdt_header(t, "APIC", len, 1);
    store32(t + MADT_LOCAL_APIC, APIC_DEFAULT_BASE);
    store32(t + MADT_FLAGS, MADT_PCAT_COMPAT);
    return len;
}

void acpi_add_tables(struct fw_list *l, struct table_loader *ld, const struct acpi_desc *desc)
{
    u8 madt[MADT_MAX] = {0};
    const u32 madt_len = desc->apics ? madt_build(madt, desc->apics) : 0;
    const u32 facs_at = 0, fadt_at = FACS_SIZE, rsdt_at = fadt_at + FADT_SIZE;
    const u32 rsdt_len = SDT_SIZE + (madt_len ? 8 : 4);
    const u32 madt_at = rsdt_at + rsdt_len, dsdt_at = madt_at + madt_len;
    const size_t total = dsdt_at + desc->dsdt_len;
    u8 rsdp[RSDP_SIZE] = "RSD PTR ";
    u8 *tables = calloc(1, total);

    if (!tables) {
        l->no_memory = true;
        return;
    }
    memcpy(tables + facs_at, "FACS", 4);
    store32(tables + facs_at + FACS_LENGTH, FACS_SIZE);
    fadt_build(tables + fadt_at, facs_at, dsdt_at, madt_len);
    sdt_header(tables + rsdt_at, "RSDT", rsdt_len, 1);
    store32(tables + rsdt_at + SDT_SIZE, fadt_at);
    if (madt_len)
        store32(tables + rsdt_at + SDT_SIZE + 4, madt_at);
    memcpy(tables + madt_at, madt, madt_len);
    memcpy(tables + dsdt_at, desc->dsdt, desc->dsdt_len);

    memcpy(rsdp + RSDP_OEM_ID, "TURBO ", 6);
    store32(rsdp + RSDP_RSDT, rsdt_at);

    table_allocate(ld, RSDP_FILE, 16, TABLE_FSEG);
    table_allocate(ld, TABLES_FILE, FACS_ALIGN, TABLE_HIGH);
    table_pointer(ld, TABLES_FILE, fadt_at + FADT_FIRMWARE_CTRL, TABLES_FILE);
    table_pointer(ld, TABLES_FILE, fadt_at + FADT_DSDT, TABLES_FILE);
    table_checksum(ld, TABLES_FILE, fadt_at + SDT_CHECKSUM, fadt_at, FADT_SIZE);
    table_pointer(ld, TABLES_FILE, rsdt_at + SDT_SIZE, TABLES_FILE);
    if (madt_len) {
        table_pointer(ld, TABLES_FILE, rsdt_at + SDT_SIZE + 4, TABLES_FILE);
        table_checksum(ld, TABLES_FILE, madt_at + SDT_CHECKSUM, madt_at, madt_len);
    }
    table_checksum(ld, TABLES_FILE, rsdt_at + SDT_CHECKSUM, rsdt_at, rsdt_len);
    table_pointer(ld, RSDP_FILE, RSDP_RSDT, TABLES_FILE);
    table_checksum(ld, RSDP_FILE, RSDP_CHECKSUM, 0, RSDP_SIZE);

    fw_add_file(l, TABLES_FILE, tables, total);
    fw_add_file(l, RSDP_FILE, rsdp, sizeof(rsdp));
    free(tables);
}
