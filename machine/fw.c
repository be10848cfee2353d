/* SPDX-License-Identifier: MIT */
#include "machine/fw.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/bits.h"

static void fw_add(struct fw_list *l, u16 key, const char *name, const void *data, size_t len)
{
    struct fw_item *items = realloc(l->item, (l->count + 1) * sizeof(*items));
    u8 *copy = malloc(len ? len : 1);

    if (items)
        l->item = items;
    if (!items || !copy) {
        free(copy);
        l->no_memory = true;
        return;
    }
    if (len)
        memcpy(copy, data, len);
    struct fw_item *it = &l->item[l->count++];
    memset(it, 0, sizeof(*it));
    it->key = key;
    it->data = copy;
    it->len = len;
    strncpy(it->name, name, FW_NAME_MAX - 1);
}

void fw_add_key(struct fw_list *l, enum fw_key key, const void *data, size_t len)
{
    fw_add(l, (u16)key, "", data, len);
}

void fw_add_file(struct fw_list *l, const char *name, const void *data, size_t len)
{
    fw_add(l, 0, name, data, len);
}

void fw_add_number(struct fw_list *l, enum fw_key key, u64 value, unsigned size)
{
    fw_add_key(l, key, &value, size); /* hosts are little-endian: base/fields.c */
}

u64 fw_hash(const struct fw_list *l)
{
    u64 h = 0;

    for (unsigned i = 0; i < l->count; i++) {
        const struct fw_item *it = &l->item[i];
        if (it->key == FW_NOGRAPHIC)
            continue;
        h = XXH64(it->key ? "" : it->name, it->key ? 0 : strlen(it->name), h ^ it->key);
        h = XXH64(it->data, it->len, h);
    }
    return h;
}

void fw_free(struct fw_list *l)
{
    for (unsigned i = 0; i < l->count; i++)
        free(l->item[i].data);
    free(l->item);
    memset(l, 0, sizeof(*l));
}

/* The file etc/e820: what the RAM map of INT 15h starts from. */
static void fw_add_e820(struct fw_list *l, u64 ram_bytes)
{
    enum { E820_ENTRY = 20, E820_RAM = 1 };
    u8 entry[E820_ENTRY];

    store64(entry, 0);
    store64(entry + 8, ram_bytes);
    store32(entry + 16, E820_RAM);
    fw_add_file(l, "etc/e820", entry, sizeof(entry));
}

/* A field of a table that SeaBIOS makes: how long, field or table, of which type and where. */
static void fw_add_serial(struct fw_list *l, const char *serial)
{
    enum { HEAD = 8, SYSTEM = 1, SERIAL_NUMBER = 7 };
    u8 entry[HEAD + FW_SERIAL_MAX] = {1, 0}; /* one field follows */
    size_t n = strlen(serial) + 1;

    store16(entry + 2, (u16)(HEAD - 2 + n));
    entry[5] = SYSTEM;
    store16(entry + 6, SERIAL_NUMBER);
    memcpy(entry + HEAD, serial, n);
    fw_add_key(l, FW_SMBIOS, entry, HEAD + n);
}

void fw_add_basics(struct fw_list *l, const struct fw_basics *b)
{
    const u32 wait_forever = 0xffffffff;

    fw_add_number(l, FW_RAM_SIZE, b->ram_bytes, 8);
    fw_add_number(l, FW_NOGRAPHIC, b->nographic, 2);
    fw_add_number(l, FW_NB_CPUS, b->cpus, 2);
    fw_add_number(l, FW_MAX_CPUS, b->cpus, 2);
    fw_add_number(l, FW_NUMA, 0, 8);
    fw_add_number(l, FW_BOOT_MENU, b->boot_menu, 2);
    fw_add_number(l, FW_IRQ0_OVERRIDE, 1, 4);
    fw_add_e820(l, b->ram_bytes);
    /* "No bootable device" stays on the screen; the firmware's own default reboots after 60 s. */
    fw_add_file(l, "etc/boot-fail-wait", &wait_forever, sizeof(wait_forever));
    if (b->serial)
        fw_add_serial(l, b->serial);
    if (b->boot)
        fw_add_file(l, "bootorder", b->boot, strlen(b->boot) + 1);
}
