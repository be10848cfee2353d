/* SPDX-License-Identifier: MIT */
/* fw_cfg: how the board hands configuration and tables to SeaBIOS. */
#pragma once

#include "base/status.h"
#include "devices/device.h"
#include "devices/ioport.h"
#include "mmu/physmem.h"

struct fwcfg;

/* Keys that firmware asks for by number; the signature, the id and the directory are built in. */
enum fwcfg_key {
    FWCFG_SIGNATURE = 0x00,
    FWCFG_ID = 0x01,
    FWCFG_UUID = 0x02,
    FWCFG_RAM_SIZE = 0x03, /* u64 */
    FWCFG_NOGRAPHIC = 0x04,
    FWCFG_NB_CPUS = 0x05, /* u16 */
    FWCFG_MACHINE_ID = 0x06,
    FWCFG_KERNEL_ADDR = 0x07,
    FWCFG_KERNEL_SIZE = 0x08,
    FWCFG_KERNEL_CMDLINE = 0x09,
    FWCFG_INITRD_ADDR = 0x0a,
    FWCFG_INITRD_SIZE = 0x0b,
    FWCFG_BOOT_DEVICE = 0x0c,
    FWCFG_NUMA = 0x0d,
    FWCFG_BOOT_MENU = 0x0e,
    FWCFG_MAX_CPUS = 0x0f, /* u16 */
    FWCFG_KERNEL_ENTRY = 0x10,
    FWCFG_KERNEL_DATA = 0x11,
    FWCFG_INITRD_DATA = 0x12,
    FWCFG_CMDLINE_ADDR = 0x13,
    FWCFG_CMDLINE_SIZE = 0x14,
    FWCFG_CMDLINE_DATA = 0x15,
    FWCFG_SETUP_ADDR = 0x16,
    FWCFG_SETUP_SIZE = 0x17,
    FWCFG_SETUP_DATA = 0x18,
    FWCFG_FILE_DIR = 0x19,
    FWCFG_FILE_FIRST = 0x20,
    FWCFG_ACPI_TABLES = 0x8000,
    FWCFG_SMBIOS = 0x8001,
    FWCFG_IRQ0_OVERRIDE = 0x8002,
    FWCFG_E820 = 0x8003,
};

#define FWCFG_MAX_FILES 64u
#define FWCFG_NAME_SIZE 56u /* with the closing 0 */

struct fwcfg_desc {
    struct ioport_bus *io;
    struct physmem *pm;
};

extern const struct device_class fwcfg_class;

/** Create the device with no files and claim 510h-51Bh. On failure *@out is untouched. */
enum status fwcfg_create(struct fwcfg **out, const struct fwcfg_desc *desc) MUST_CHECK;

/** Give @key these bytes (copied); again replaces them. STATUS_BAD_VALUE: built in, or a file's. */
enum status fwcfg_add_bytes(struct fwcfg *f, u16 key, const void *bytes, size_t len) MUST_CHECK;

/** The same for a little-endian number of @size bytes. */
enum status fwcfg_add_number(struct fwcfg *f, u16 key, u64 value, unsigned size) MUST_CHECK;

/** Another number under @key, in the size that it has. A key that there is not is left alone. */
void fwcfg_change_number(struct fwcfg *f, u16 key, u64 value);

/**
 * Add a file, or replace it; the bytes are copied. Files are listed by name, as in QEMU, so that
 * their order of creation cannot be seen. Only before the guest runs.
 */
enum status fwcfg_add_file(struct fwcfg *f, const char *name, const void *bytes,
                           size_t len) MUST_CHECK;
