/* SPDX-License-Identifier: MIT */
#include "machine/acpi.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"

#define TABLES_FILE "etc/acpi/tables"
#define RSDP_FILE   "etc/acpi/rsdp"
#define LOADER_FILE "etc/table-loader"

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

/* Commands of the loader script: 128 bytes each. */
enum {
    LOADER_ALLOCATE = 1, /* file, alignment, zone            */
    LOADER_POINTER = 2,  /* in file, to file, offset, size   */
    LOADER_CHECKSUM = 3, /* file, offset, start, length      */
    LOADER_ENTRY = 128,
    LOADER_MAX = 16,
    ZONE_HIGH = 1,
    ZONE_FSEG = 2,
};

struct loader {
    u8 script[LOADER_MAX * LOADER_ENTRY];
    unsigned count;
};

static u8 *loader_command(struct loader *ld, u32 command, const char *file)
{
    u8 *e = ld->script + (size_t)ld->count++ * LOADER_ENTRY;

    store32(e, command);
    strcpy((char *)e + 4, file);
    return e;
}

static void loader_allocate(struct loader *ld, const char *file, u32 align, u8 zone)
{
    u8 *e = loader_command(ld, LOADER_ALLOCATE, file);

    store32(e + 4 + FW_NAME_MAX, align);
    e[4 + FW_NAME_MAX + 4] = zone;
}

/* The 32-bit number at @offset of @file is an offset into the tables: make it an address. */
static void loader_pointer(struct loader *ld, const char *file, u32 offset)
{
    u8 *e = loader_command(ld, LOADER_POINTER, file);

    strcpy((char *)e + 4 + FW_NAME_MAX, TABLES_FILE);
    store32(e + 4 + 2 * FW_NAME_MAX, offset);
    e[4 + 2 * FW_NAME_MAX + 4] = 4;
}

static void loader_checksum(struct loader *ld, const char *file, u32 at, u32 start, u32 len)
{
    u8 *e = loader_command(ld, LOADER_CHECKSUM, file);

    store32(e + 4 + FW_NAME_MAX, at);
    store32(e + 4 + FW_NAME_MAX + 4, start);
    store32(e + 4 + FW_NAME_MAX + 8, len);
}

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

static void fadt_build(u8 *t, u32 facs, u32 dsdt)
{
    sdt_header(t, "FACP", FADT_SIZE, 1);
    store32(t + FADT_FIRMWARE_CTRL, facs);
    store32(t + FADT_DSDT, dsdt);
    t[FADT_INT_MODEL] = 0; /* dual 8259 */
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

void acpi_add_tables(struct fw_list *l, const u8 *dsdt, size_t dsdt_len)
{
    const u32 facs_at = 0, fadt_at = FACS_SIZE, rsdt_at = fadt_at + FADT_SIZE;
    const u32 rsdt_len = SDT_SIZE + 4;
    const u32 dsdt_at = rsdt_at + rsdt_len;
    const size_t total = dsdt_at + dsdt_len;
    u8 rsdp[RSDP_SIZE] = "RSD PTR ";
    struct loader ld = {.count = 0};
    u8 *tables = calloc(1, total);

    if (!tables) {
        l->no_memory = true;
        return;
    }
    memcpy(tables + facs_at, "FACS", 4);
    store32(tables + facs_at + FACS_LENGTH, FACS_SIZE);
    fadt_build(tables + fadt_at, facs_at, dsdt_at);
    sdt_header(tables + rsdt_at, "RSDT", rsdt_len, 1);
    store32(tables + rsdt_at + SDT_SIZE, fadt_at);
    memcpy(tables + dsdt_at, dsdt, dsdt_len);

    memcpy(rsdp + RSDP_OEM_ID, "TURBO ", 6);
    store32(rsdp + RSDP_RSDT, rsdt_at);

    loader_allocate(&ld, RSDP_FILE, 16, ZONE_FSEG);
    loader_allocate(&ld, TABLES_FILE, FACS_ALIGN, ZONE_HIGH);
    loader_pointer(&ld, TABLES_FILE, fadt_at + FADT_FIRMWARE_CTRL);
    loader_pointer(&ld, TABLES_FILE, fadt_at + FADT_DSDT);
    loader_checksum(&ld, TABLES_FILE, fadt_at + SDT_CHECKSUM, fadt_at, FADT_SIZE);
    loader_pointer(&ld, TABLES_FILE, rsdt_at + SDT_SIZE);
    loader_checksum(&ld, TABLES_FILE, rsdt_at + SDT_CHECKSUM, rsdt_at, rsdt_len);
    loader_pointer(&ld, RSDP_FILE, RSDP_RSDT);
    loader_checksum(&ld, RSDP_FILE, RSDP_CHECKSUM, 0, RSDP_SIZE);

    fw_add_file(l, TABLES_FILE, tables, total);
    fw_add_file(l, RSDP_FILE, rsdp, sizeof(rsdp));
    fw_add_file(l, LOADER_FILE, ld.script, (size_t)ld.count * LOADER_ENTRY);
    free(tables);
}
