/* SPDX-License-Identifier: MIT */
#include "machine/table_loader.h"

#include <assert.h>
#include <string.h>

#include "base/bits.h"

/* Commands: 128 bytes each. */
enum {
    LOADER_ALLOCATE = 1, /* file, alignment, zone            */
    LOADER_POINTER = 2,  /* in file, to file, offset, size   */
    LOADER_CHECKSUM = 3, /* file, offset, start, length      */
    AT_FILE = 4,
    AT_REST = AT_FILE + FW_NAME_MAX,
};

static u8 *command(struct table_loader *ld, u32 number, const char *file)
{
    assert(ld->count < TABLE_LOADER_MAX);
    u8 *e = ld->script + (size_t)ld->count++ * TABLE_LOADER_ENTRY;

    memset(e, 0, TABLE_LOADER_ENTRY);
    store32(e, number);
    strcpy((char *)e + AT_FILE, file);
    return e;
}

void table_allocate(struct table_loader *ld, const char *file, u32 align, enum table_zone zone)
{
    u8 *e = command(ld, LOADER_ALLOCATE, file);

    store32(e + AT_REST, align);
    e[AT_REST + 4] = (u8)zone;
}

void table_pointer(struct table_loader *ld, const char *file, u32 offset, const char *into)
{
    u8 *e = command(ld, LOADER_POINTER, file);

    strcpy((char *)e + AT_REST, into);
    store32(e + AT_REST + FW_NAME_MAX, offset);
    e[AT_REST + FW_NAME_MAX + 4] = 4;
}

void table_checksum(struct table_loader *ld, const char *file, u32 at, u32 start, u32 len)
{
    u8 *e = command(ld, LOADER_CHECKSUM, file);

    store32(e + AT_REST, at);
    store32(e + AT_REST + 4, start);
    store32(e + AT_REST + 8, len);
}

void table_loader_add(const struct table_loader *ld, struct fw_list *l)
{
    fw_add_file(l, "etc/table-loader", ld->script, (size_t)ld->count * TABLE_LOADER_ENTRY);
}
