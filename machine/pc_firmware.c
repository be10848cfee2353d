/* SPDX-License-Identifier: MIT */
/* Firmware images, what fw_cfg tells them, and the board's bytes in CMOS RAM. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cpu/cpuid.h"
#include "machine/acpi.h"
#include "machine/board.h"
#include "machine/boot.h"
#include "machine/hostfile.h"
#include "machine/mptable.h"
#include "machine/rtc_base.h"

#define BIOS_MAX (16u << 20)
#define ROM_MAX  (1u << 20)
#define TINYBIOS "tinybios.bin"

static const char *const firmware_folders[] = {
    "/usr/share/seabios",       "/usr/share/qemu",    "/usr/local/share/qemu",
    "/opt/homebrew/share/qemu", "/usr/lib/ipxe/qemu",
};

/* The path of firmware file @name, into @path; false if it is nowhere. */
static bool find_firmware(const struct pc *pc, const char *name, char *path, size_t size)
{
    const char *first = config_text(pc->cfg, CONFIG_firmware_dir);

    if (first && *first) {
        snprintf(path, size, "%s/%s", first, name);
        if (hostfile_exists(path))
            return true;
    }
    for (unsigned i = 0; i < ARRAY_LEN(firmware_folders); i++) {
        snprintf(path, size, "%s/%s", firmware_folders[i], name);
        if (hostfile_exists(path))
            return true;
    }
    return false;
}

/* Our own small BIOS, and one line that says @why. */
static enum status load_own_bios(struct pc *pc, const char *why)
{
    const struct rom_image *own = rom_image_find(TINYBIOS);
    const char *kernel = config_text(pc->cfg, CONFIG_kernel);

    if (kernel && *kernel) /* it runs no option ROMs */
        return pc_fail(pc, STATUS_UNSUPPORTED, "-kernel: the built-in small BIOS starts none; %s",
                       why);
    if (!own)
        return pc_fail(pc, STATUS_NO_FILE, "%s; give -bios FILE", why);
    log_info(ROM, "%s; using the built-in small BIOS", why);
    pc->bios = malloc(own->size);
    if (!pc->bios)
        return STATUS_NO_MEMORY;
    memcpy(pc->bios, own->bytes, own->size);
    pc->bios_len = own->size;
    return STATUS_OK;
}

/* SeaBIOS swaps fw_cfg's big-endian numbers with BSWAP, which came with the 486. */
static bool runs_seabios(const struct pc *pc)
{
    const char *name = config_text(pc->cfg, CONFIG_cpu);
    const struct cpu_model *m = cpu_model_find(name && *name ? name : CPU_MODEL_DEFAULT);

    return !m || model_has(m, FEAT_486); /* an unknown model is refused elsewhere */
}

/* -bios FILE, or else SeaBIOS, or else our own small BIOS. */
static enum status load_bios(struct pc *pc)
{
    const char *given = config_text(pc->cfg, CONFIG_bios);
    char path[4096];

    if (given && *given) {
        snprintf(path, sizeof(path), "%s", given);
        if (!hostfile_exists(path) && !find_firmware(pc, given, path, sizeof(path))) {
            if (strcmp(given, TINYBIOS) == 0)
                return load_own_bios(pc, "-bios " TINYBIOS);
            return pc_fail(pc, STATUS_NO_FILE, "-bios: cannot open '%.200s'", given);
        }
    } else if (!runs_seabios(pc)) {
        return load_own_bios(pc, "SeaBIOS needs -cpu 486 or later");
    } else if (!find_firmware(pc, "bios-256k.bin", path, sizeof(path))) {
        return load_own_bios(pc, "SeaBIOS (package seabios) is not there");
    }
    enum status s = hostfile_read(path, BIOS_MAX, &pc->bios, &pc->bios_len);
    if (s != STATUS_OK)
        return pc_fail(pc, s, "-bios: cannot read '%.200s': %s", path, status_text(s));
    if (pc->bios_len == 0 || pc->bios_len % PAGE_SIZE)
        return pc_fail(pc, STATUS_BAD_SIZE,
                       "-bios: the size of '%.200s', %zu bytes, is not a multiple of 4096", path,
                       pc->bios_len);
    return STATUS_OK;
}

enum status pc_read_firmware(struct pc *pc, const char *name, u8 **bytes, size_t *len)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s", name);
    if (!hostfile_exists(path) && !find_firmware(pc, name, path, sizeof(path)))
        return STATUS_NO_FILE;
    return hostfile_read(path, ROM_MAX, bytes, len);
}

static enum status load_vga_bios(struct pc *pc)
{
    char path[4096];

    const char *name = pc_is_isa(pc)       ? "vgabios-isavga.bin"
                       : pc_has_cirrus(pc) ? "vgabios-cirrus.bin"
                                           : "vgabios-stdvga.bin";

    if (!find_firmware(pc, name, path, sizeof(path))) {
        log_info(ROM, "there is no VGA BIOS (package seabios): the screen stays blank");
        return STATUS_OK;
    }
    enum status s = hostfile_read(path, ROM_MAX, &pc->vga_bios, &pc->vga_bios_len);
    if (s != STATUS_OK)
        return pc_fail(pc, s, "cannot read '%.200s': %s", path, status_text(s));
    return STATUS_OK;
}

/* --- boot order --- */

static enum status parse_boot(struct pc *pc)
{
    const char *text = config_text(pc->cfg, CONFIG_boot);

    if (boot_order_parse(text, &pc->boot))
        return STATUS_OK;
    return pc_fail(pc, STATUS_BAD_VALUE,
                   "-boot: '%.100s' is not an order of the letters a, c, d, n, or "
                   "order=ORDER,once=ORDER,menu=on|off",
                   text);
}

/* -kernel: its items, and the option ROM that starts it, first in the boot order. */
static enum status add_kernel(struct pc *pc, const char *kernel, char *order, size_t order_size)
{
    struct boot_request req = {
        .kernel = kernel,
        .initrd = config_text(pc->cfg, CONFIG_initrd),
        .append = config_text(pc->cfg, CONFIG_append),
        .ram_bytes = pc->ram_bytes,
    };
    const char *name;
    char file[FW_NAME_MAX];

    if (req.initrd && !*req.initrd)
        req.initrd = NULL;
    if (!boot_prepare(&pc->fw, &req, &name, pc->error))
        return STATUS_BAD_VALUE;
    const struct rom_image *rom = rom_image_find(name);
    if (!rom)
        return pc_fail(pc, STATUS_NOT_FOUND, "-kernel: this build lacks the option ROM %s", name);
    snprintf(file, sizeof(file), "genroms/%s", name);
    fw_add_file(&pc->fw, file, rom->bytes, rom->size);
    snprintf(order, order_size, "/rom@%s", file);
    return STATUS_OK;
}

/* ACPI for those who read it, the MP table for the others. */
static void add_tables(struct pc *pc)
{
    const struct rom_image *dsdt = rom_image_find("dsdt.aml");
    const struct cpu_model *m = cpu_model_find(config_text(pc->cfg, CONFIG_cpu));
    unsigned apics = pc_has_apic(pc) ? PC_CPUS : 0;
    struct table_loader ld = {.count = 0};
    u32 reg[4];

    if (dsdt)
        acpi_add_tables(
            &pc->fw, &ld,
            &(struct acpi_desc){.dsdt = dsdt->bytes, .dsdt_len = dsdt->size, .apics = apics});
    if (apics) {
        cpuid_query(m, 1, 0, (struct cpuid_apic){.on = true}, reg);
        mptable_add(&pc->fw, &ld,
                    &(struct mptable_cpus){.count = apics,
                                           .apic_version = pc_apic_version(m),
                                           .signature = reg[0],
                                           .features = reg[3]});
    }
    table_loader_add(&ld, &pc->fw);
}

/* Linux looks for the backdoor only where the serial number says so. */
static const char *serial_number(const struct pc *pc)
{
    const struct config_value *devices = &pc->cfg->value[CONFIG_device];

    for (unsigned i = 0; i < devices->count; i++) {
        if (strcmp(devices->list[i], "vmmouse") == 0)
            return "VMware-turbo86";
    }
    return NULL;
}

enum status pc_load_firmware(struct pc *pc)
{
    const char *kernel = config_text(pc->cfg, CONFIG_kernel);
    char order[80] = "";
    enum status s = load_bios(pc);

    if (s == STATUS_OK)
        s = load_vga_bios(pc);
    if (s == STATUS_OK)
        s = parse_boot(pc);
    if (s == STATUS_OK && kernel && *kernel)
        s = add_kernel(pc, kernel, order, sizeof(order));
    else if (s == STATUS_OK &&
             (config_text(pc->cfg, CONFIG_initrd) || config_text(pc->cfg, CONFIG_append)))
        s = pc_fail(pc, STATUS_BAD_VALUE, "-initrd and -append need -kernel");
    if (s != STATUS_OK)
        return s;
    pc->nographic = config_flag(pc->cfg, CONFIG_nographic);
    fw_add_basics(&pc->fw, &(struct fw_basics){
                               .ram_bytes = pc->ram_bytes,
                               .cpus = PC_CPUS,
                               .boot_menu = pc->boot.menu,
                               .nographic = pc->nographic,
                               .boot = *order ? order : NULL,
                               .serial = serial_number(pc),
                           });
    if (!pc_is_isa(pc))
        add_tables(pc);
    else if (pc->vga_bios_len) /* where SeaBIOS finds the ROMs of cards that are not PCI's */
        fw_add_file(&pc->fw, "vgaroms/vgabios-isavga.bin", pc->vga_bios, pc->vga_bios_len);
    return STATUS_OK;
}

/* --- CMOS: the layout that PC firmware agrees on [RBIL, CMOS.LST] --- */

enum cmos {
    CMOS_FLOPPIES = 0x10,
    CMOS_EQUIPMENT = 0x14,
    CMOS_BASE_KIB = 0x15,      /* 2 bytes */
    CMOS_EXTENDED_KIB = 0x17,  /* 2 bytes, above 1 MiB, at most 64 MiB - 1 KiB */
    CMOS_EXTENDED_KIB2 = 0x30, /* the same, as found by POST */
    CMOS_ABOVE_16M = 0x34,     /* 2 bytes, 64 KiB each */
    CMOS_BOOT3 = 0x38,         /* third boot device in the upper half */
    CMOS_TRANSLATION = 0x39,   /* 2 bits a disk */
    CMOS_BOOT12 = 0x3d,        /* second and first boot device */
    EQUIPMENT_FLOPPY = BIT(0),
    EQUIPMENT_FPU = BIT(1),
    EQUIPMENT_MOUSE = BIT(2),
    EQUIPMENT_FLOPPIES_SHIFT = 6, /* their number - 1 */
    BOOT3_NO_FLOPPY_CHECK = BIT(0),
};

static void set16(struct pc *pc, unsigned at, u64 v)
{
    if (v > 0xffff)
        v = 0xffff;
    mc146818_set(pc->rtc, at, (u8)v);
    mc146818_set(pc->rtc, at + 1, (u8)(v >> 8));
}

void pc_set_boot_order(struct pc *pc, const char *order)
{
    u8 byte38 = BOOT3_NO_FLOPPY_CHECK, byte3d;

    boot_order_cmos(order, &byte38, &byte3d);
    mc146818_set(pc->rtc, CMOS_BOOT3, byte38);
    mc146818_set(pc->rtc, CMOS_BOOT12, byte3d);
}

static void fill_equipment(struct pc *pc)
{
    u8 a = pc_floppy_type(pc, 0), b = pc_floppy_type(pc, 1);
    u8 equipment = EQUIPMENT_FPU | EQUIPMENT_MOUSE;

    if (a || b)
        equipment |= (u8)(EQUIPMENT_FLOPPY | (a && b ? 1 << EQUIPMENT_FLOPPIES_SHIFT : 0));
    mc146818_set(pc->rtc, CMOS_FLOPPIES, (u8)(a << 4 | b));
    mc146818_set(pc->rtc, CMOS_EQUIPMENT, equipment);
}

enum status pc_fill_cmos(struct pc *pc)
{
    u64 above_1m = pc->ram_bytes - (1 << 20);

    set16(pc, CMOS_BASE_KIB, 640);
    u64 extended = above_1m >> 10;
    if (extended > 63 * 1024)
        extended = 63 * 1024;
    set16(pc, CMOS_EXTENDED_KIB, extended);
    set16(pc, CMOS_EXTENDED_KIB2, extended);
    if (pc->ram_bytes > 16 << 20)
        set16(pc, CMOS_ABOVE_16M, (pc->ram_bytes - (16 << 20)) >> 16);
    fill_equipment(pc);
    pc_set_boot_order(pc, *pc->boot.once ? pc->boot.once : pc->boot.order);
    mc146818_set(pc->rtc, CMOS_TRANSLATION, pc_disk_translation(pc));
    return STATUS_OK;
}
