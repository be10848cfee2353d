/* SPDX-License-Identifier: MIT */
/*
 * fw_cfg, the paravirtual configuration device.
 *
 * Reference: QEMU's docs/specs/fw_cfg [FWCFG]. A selector at 510h picks an item, 511h reads it byte
 * by byte; 514h takes the big-endian address of a command block that copies it by DMA.
 *
 * A DMA read that runs more than 1 MiB past the end of its item is an error and moves nothing: no
 * guest means it, and gigabytes of zeros would hold the host for seconds.
 *
 * Not implemented: writable items. DMA writes end in an error, data port writes are dropped, and
 * selector bit 14 (the old write channel) selects nothing.
 */
#include "devices/fwcfg.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/log.h"

enum {
    PORT_FWCFG = 0x510,
    PORTS = 12,
    OFF_SELECTOR = 0,
    OFF_DATA = 1,
    OFF_DMA_HIGH = 4,
    OFF_DMA_LOW = 8,
    ID_TRADITIONAL = BIT(0),
    ID_DMA = BIT(1),
    MAX_ITEMS = 64,
    DIR_HEADER = 4,
    DIR_ENTRY = 64, /* be32 size, be16 key, 2 reserved, name */
    COMMAND_SIZE = 16,
    COPY_CHUNK = 4096,
    PAST_END_MAX = 1 << 20,
};

enum dma_control {
    DMA_ERROR = BIT(0),
    DMA_READ = BIT(1),
    DMA_SKIP = BIT(2),
    DMA_SELECT = BIT(3),
    DMA_WRITE = BIT(4),
};

struct item {
    u16 key;
    u8 *bytes;
    size_t len;
};

struct file {
    char name[FWCFG_NAME_SIZE];
    struct item item; /* key is given by the place in the sorted list */
};

struct fwcfg {
    u16 selector;
    u32 offset;   /* next byte of the selected item */
    u32 dma_high; /* upper half of the next command's address */

    struct fwcfg_desc desc;
    unsigned items, files;
    struct item item[MAX_ITEMS];
    struct file file[FWCFG_MAX_FILES];
    u8 directory[DIR_HEADER + FWCFG_MAX_FILES * DIR_ENTRY];
};

static u32 swap32(u32 v)
{
    return v >> 24 | (v >> 8 & 0xff00) | (v << 8 & 0xff0000) | v << 24;
}

static void store_be(u8 *at, u32 v, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        at[i] = (u8)(v >> 8 * (size - 1 - i));
}

/* ---- items ---- */

static struct item *item_find(struct fwcfg *f, u16 key)
{
    for (unsigned i = 0; i < f->items; i++) {
        if (f->item[i].key == key)
            return &f->item[i];
    }
    if (key >= FWCFG_FILE_FIRST && key < FWCFG_FILE_FIRST + f->files)
        return &f->file[key - FWCFG_FILE_FIRST].item;
    return NULL;
}

static enum status item_set(struct item *item, const void *bytes, size_t len)
{
    u8 *copy = malloc(len ? len : 1);

    if (!copy)
        return STATUS_NO_MEMORY;
    if (len)
        memcpy(copy, bytes, len);
    free(item->bytes);
    item->bytes = copy;
    item->len = len;
    return STATUS_OK;
}

static enum status set_key(struct fwcfg *f, u16 key, const void *bytes, size_t len)
{
    struct item *item = item_find(f, key);

    if (item)
        return item_set(item, bytes, len);
    if (f->items == MAX_ITEMS)
        return STATUS_NO_MEMORY;
    f->item[f->items] = (struct item){.key = key};
    enum status s = item_set(&f->item[f->items], bytes, len);
    if (s == STATUS_OK)
        f->items++;
    return s;
}

enum status fwcfg_add_bytes(struct fwcfg *f, u16 key, const void *bytes, size_t len)
{
    if (key == FWCFG_SIGNATURE || key == FWCFG_ID || key == FWCFG_FILE_DIR)
        return STATUS_BAD_VALUE;
    if (key >= FWCFG_FILE_FIRST && key < FWCFG_FILE_FIRST + FWCFG_MAX_FILES)
        return STATUS_BAD_VALUE;
    return set_key(f, key, bytes, len);
}

enum status fwcfg_add_number(struct fwcfg *f, u16 key, u64 value, unsigned size)
{
    u8 bytes[8];

    if (size > sizeof(bytes))
        return STATUS_BAD_SIZE;
    store_le(bytes, value, size);
    return fwcfg_add_bytes(f, key, bytes, size);
}

void fwcfg_change_number(struct fwcfg *f, u16 key, u64 value)
{
    const struct item *item = item_find(f, key);

    if (item && item->len <= sizeof(value))
        store_le(item->bytes, value, (unsigned)item->len);
}

static enum status build_directory(struct fwcfg *f)
{
    store_be(f->directory, f->files, 4);
    for (unsigned i = 0; i < f->files; i++) {
        u8 *at = f->directory + DIR_HEADER + (size_t)i * DIR_ENTRY;
        store_be(at, (u32)f->file[i].item.len, 4);
        store_be(at + 4, FWCFG_FILE_FIRST + i, 2);
        store_be(at + 6, 0, 2);
        memcpy(at + 8, f->file[i].name, FWCFG_NAME_SIZE);
    }
    return set_key(f, FWCFG_FILE_DIR, f->directory, DIR_HEADER + (size_t)f->files * DIR_ENTRY);
}

enum status fwcfg_add_file(struct fwcfg *f, const char *name, const void *bytes, size_t len)
{
    struct file fresh = {0};
    unsigned at = 0;

    if (!*name || strlen(name) >= FWCFG_NAME_SIZE || len > UINT32_MAX)
        return STATUS_BAD_VALUE;
    while (at < f->files && strcmp(f->file[at].name, name) < 0)
        at++;
    if (at < f->files && strcmp(f->file[at].name, name) == 0) {
        enum status s = item_set(&f->file[at].item, bytes, len);
        return s == STATUS_OK ? build_directory(f) : s;
    }
    if (f->files == FWCFG_MAX_FILES)
        return STATUS_NO_MEMORY;
    enum status s = item_set(&fresh.item, bytes, len);
    if (s != STATUS_OK)
        return s;
    memcpy(fresh.name, name, strlen(name));
    memmove(&f->file[at + 1], &f->file[at], (f->files - at) * sizeof(f->file[0]));
    f->file[at] = fresh;
    f->files++;
    return build_directory(f);
}

/* ---- reading ---- */

/* Past its end an item is zeros without end, and so is one that is not there. */
static void item_read(struct fwcfg *f, u8 *to, u32 len)
{
    const struct item *item = item_find(f, f->selector);
    size_t have = item && f->offset < item->len ? item->len - f->offset : 0;

    if (have > len)
        have = len;
    memset(to + have, 0, len - have);
    if (have)
        memcpy(to, item->bytes + f->offset, have);
    f->offset = f->offset + len < f->offset ? UINT32_MAX : f->offset + len;
}

static void item_skip(struct fwcfg *f, u32 len)
{
    f->offset = f->offset + len < f->offset ? UINT32_MAX : f->offset + len;
}

static void fwcfg_select(struct fwcfg *f, u16 key)
{
    log_trace(FWCFG, "select key=%04x", key);
    f->selector = key;
    f->offset = 0;
}

/* Returns the result for the command block. */
static u32 dma_copy(struct fwcfg *f, phys_addr to, u32 len)
{
    const struct item *item = item_find(f, f->selector);
    size_t left = item && item->len > f->offset ? item->len - f->offset : 0;
    u8 chunk[COPY_CHUNK];

    if (len > left + PAST_END_MAX) {
        log_guest(FWCFG, "dma of %u bytes, of which the item has %zu", len, left);
        return DMA_ERROR;
    }
    while (len) {
        u32 n = len < sizeof(chunk) ? len : (u32)sizeof(chunk);
        item_read(f, chunk, n);
        physmem_write(f->desc.pm, to, chunk, n);
        to += n;
        len -= n;
    }
    return 0;
}

/* The command block: be32 control (key in its upper half), be32 length, be64 address. */
static void dma_run(struct fwcfg *f, phys_addr at)
{
    u8 cmd[COMMAND_SIZE];
    u32 result = 0;

    physmem_read(f->desc.pm, at, cmd, sizeof(cmd));
    u32 control = swap32(load32(cmd));
    u32 len = swap32(load32(cmd + 4));
    phys_addr to = (u64)swap32(load32(cmd + 8)) << 32 | swap32(load32(cmd + 12));

    if (control & DMA_SELECT)
        fwcfg_select(f, (u16)(control >> 16));
    log_trace(FWCFG, "dma key=%04x control=%x len=%u to=%llx", f->selector, control, len,
              (unsigned long long)to);
    if (control & DMA_READ)
        result = dma_copy(f, to, len);
    else if (control & DMA_WRITE)
        result = DMA_ERROR;
    else if (control & DMA_SKIP)
        item_skip(f, len);
    result = swap32(result);
    physmem_write(f->desc.pm, at, &result, sizeof(result));
}

/* ---- ports ---- */

static u32 fwcfg_port_read(void *dev, u16 off, enum width width)
{
    static const u8 signature[8] = {'Q', 'E', 'M', 'U', ' ', 'C', 'F', 'G'};
    struct fwcfg *f = dev;
    u8 byte;

    if (off == OFF_DATA && width == W8) {
        item_read(f, &byte, 1);
        return byte;
    }
    if (off >= OFF_DMA_HIGH && off + width_bytes(width) <= PORTS)
        return (u32)load_le(&signature[off - OFF_DMA_HIGH], width_bytes(width));
    return (u32)width_mask(width);
}

static void fwcfg_port_write(void *dev, u16 off, u32 val, enum width width)
{
    struct fwcfg *f = dev;

    if (off == OFF_SELECTOR && width == W16) {
        fwcfg_select(f, (u16)val);
    } else if (off == OFF_DMA_HIGH && width == W32) {
        f->dma_high = swap32(val);
    } else if (off == OFF_DMA_LOW && width == W32) {
        phys_addr at = (u64)f->dma_high << 32 | swap32(val);
        f->dma_high = 0;
        dma_run(f, at);
    } else {
        log_guest(FWCFG, "write off=%u val=%x", off, val);
    }
}

static const struct ioport_ops fwcfg_ops = {
    .read = fwcfg_port_read,
    .write = fwcfg_port_write,
    .max = W32,
};

/* ---- the device ---- */

/* The items are configuration, like the size of RAM: a snapshot's board is made with the same. */
static const struct field fwcfg_fields[] = {
    FIELD(struct fwcfg, selector),
    FIELD(struct fwcfg, offset),
    FIELD(struct fwcfg, dma_high),
    FIELDS_END,
};

static void fwcfg_reset(void *dev)
{
    struct fwcfg *f = dev;

    f->selector = 0;
    f->offset = 0;
    f->dma_high = 0;
}

static void fwcfg_destroy(void *dev)
{
    struct fwcfg *f = dev;

    if (!f)
        return;
    for (unsigned i = 0; i < f->items; i++)
        free(f->item[i].bytes);
    for (unsigned i = 0; i < f->files; i++)
        free(f->file[i].item.bytes);
    free(f);
}

const struct device_class fwcfg_class = {
    .name = "fwcfg",
    .version = 1,
    .fields = fwcfg_fields,
    .reset = fwcfg_reset,
    .destroy = fwcfg_destroy,
};

enum status fwcfg_create(struct fwcfg **out, const struct fwcfg_desc *desc)
{
    static const u8 id[4] = {ID_TRADITIONAL | ID_DMA};
    struct fwcfg *f = calloc(1, sizeof(*f));
    if (!f)
        return STATUS_NO_MEMORY;

    f->desc = *desc;
    enum status s = set_key(f, FWCFG_SIGNATURE, "QEMU", 4);
    if (s == STATUS_OK)
        s = set_key(f, FWCFG_ID, id, sizeof(id));
    if (s == STATUS_OK)
        s = build_directory(f);
    if (s == STATUS_OK)
        s = ioport_claim(desc->io, PORT_FWCFG, PORTS, &fwcfg_ops, f);
    if (s != STATUS_OK) {
        fwcfg_destroy(f);
        return s;
    }
    *out = f;
    return STATUS_OK;
}
