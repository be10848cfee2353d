/* SPDX-License-Identifier: MIT */
/*
 * The script etc/table-loader: how firmware places tables in memory and links them.
 * Reference: [QEMU-FWCFG] etc/table-loader.
 */
#pragma once

#include "machine/fw.h"

enum table_zone { TABLE_HIGH = 1, TABLE_FSEG = 2 };

enum { TABLE_LOADER_ENTRY = 128, TABLE_LOADER_MAX = 24 };

struct table_loader {
    u8 script[TABLE_LOADER_MAX * TABLE_LOADER_ENTRY];
    unsigned count;
};

/* Commands, in the order of their execution. */

/** Put @file into memory. */
void table_allocate(struct table_loader *ld, const char *file, u32 align, enum table_zone zone);
/** The 32-bit number at @offset of @file is an offset into @into: make it an address. */
void table_pointer(struct table_loader *ld, const char *file, u32 offset, const char *into);
/** The byte at @at of @file makes the sum of [@start, @start + @len) zero. */
void table_checksum(struct table_loader *ld, const char *file, u32 at, u32 start, u32 len);

/** Hand the script to the firmware. */
void table_loader_add(const struct table_loader *ld, struct fw_list *l);
