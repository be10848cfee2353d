/* SPDX-License-Identifier: MIT */
/*
 * What the machine tells its firmware: the items of fw_cfg, collected before the chip exists.
 * Reference: [QEMU-FWCFG].
 */
#pragma once

#include "base/status.h"
#include "base/types.h"

#define FW_NAME_MAX 56u

/** Items with a fixed number. */
enum fw_key {
    FW_RAM_SIZE = 0x03,  /* u64                                */
    FW_NOGRAPHIC = 0x04, /* u16                                */
    FW_NB_CPUS = 0x05,   /* u16                                */
    FW_KERNEL_ADDR = 0x07,
    FW_KERNEL_SIZE = 0x08,
    FW_INITRD_ADDR = 0x0a,
    FW_INITRD_SIZE = 0x0b,
    FW_NUMA = 0x0d,      /* u64: number of nodes               */
    FW_BOOT_MENU = 0x0e, /* u16                                */
    FW_MAX_CPUS = 0x0f,  /* u16                                */
    FW_KERNEL_ENTRY = 0x10,
    FW_KERNEL_DATA = 0x11,
    FW_INITRD_DATA = 0x12,
    FW_CMDLINE_ADDR = 0x13,
    FW_CMDLINE_SIZE = 0x14,
    FW_CMDLINE_DATA = 0x15,
    FW_SETUP_ADDR = 0x16,
    FW_SETUP_SIZE = 0x17,
    FW_SETUP_DATA = 0x18,
    FW_SMBIOS = 0x8001,        /* fields of the firmware's SMBIOS tables */
    FW_IRQ0_OVERRIDE = 0x8002, /* u32 */
};

struct fw_item {
    u16 key; /* 0: a file, found by name */
    char name[FW_NAME_MAX];
    u8 *data;
    size_t len;
};

struct fw_list {
    struct fw_item *item;
    unsigned count;
    bool no_memory; /* sticky: checked once, at the end */
};

/** Copy @len bytes under a number, or under a file name of less than FW_NAME_MAX characters. */
void fw_add_key(struct fw_list *l, enum fw_key key, const void *data, size_t len);
void fw_add_file(struct fw_list *l, const char *name, const void *data, size_t len);
/** A little-endian number. */
void fw_add_number(struct fw_list *l, enum fw_key key, u64 value, unsigned size);
void fw_free(struct fw_list *l);
/** A hash of all items but FW_NOGRAPHIC, which snapshots bring along. */
u64 fw_hash(const struct fw_list *l);

#define FW_SERIAL_MAX 32u /* with its 0 */

/** What every boot gets. */
struct fw_basics {
    u64 ram_bytes; /* all below 4 GiB */
    unsigned cpus;
    bool boot_menu; /* let the firmware offer its menu */
    bool nographic;
    const char *boot;   /* lines of the "bootorder" file, or NULL */
    const char *serial; /* the system's serial number in SMBIOS, or NULL: the firmware's own */
};

void fw_add_basics(struct fw_list *l, const struct fw_basics *b);
