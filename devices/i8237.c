/* SPDX-License-Identifier: MIT */
/*
 * Two 8237A DMA controllers: channels 0 to 3 move bytes, 5 to 7 words, and 4 passes the requests
 * of the first controller on. The page registers give the address bits that the 8237A lacks.
 *
 * References: [8237A]; [PC-AT-TRM] DMA Controller, page register addresses.
 * Not implemented: memory-to-memory transfers, and the priorities, timing and signal senses of the
 * command register, which nothing here could show; software requests are kept but move nothing.
 */
#include "devices/i8237.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum {
    DMA1_BASE = 0x00,
    DMA2_BASE = 0xc0, /* its registers are two ports apart */
    PAGE_BASE = 0x80,
    PAGES = 16,

    /* offsets past the eight address and count registers */
    DMA_COMMAND_STATUS = 8,
    DMA_REQUEST = 9,
    DMA_SINGLE_MASK = 10,
    DMA_MODE = 11,
    DMA_CLEAR_POINTER = 12,
    DMA_MASTER_CLEAR_TEMPORARY = 13,
    DMA_CLEAR_MASK = 14,
    DMA_ALL_MASK = 15,

    COMMAND_MEMORY_TO_MEMORY = BIT(0),
    COMMAND_DISABLE = BIT(2),

    MODE_TYPE_SHIFT = 2,
    MODE_AUTO_INIT = BIT(4),
    MODE_DECREMENT = BIT(5),
    MODE_SELECT = 0xc0,
    MODE_CASCADE = 0xc0,

    SET_BIT = BIT(2), /* in the request and single mask registers: set, else clear */
    ALL_CHANNELS = 0x0f,
    CASCADE = 4,
};

enum transfer { TRANSFER_VERIFY, TRANSFER_WRITE, TRANSFER_READ }; /* as memory sees it */

struct channel {
    u16 base_address, base_count;
    u16 address, count; /* current; in words for channels 5 to 7 */
    u8 mode;
};

struct controller {
    struct channel channel[4];
    u8 command, mask, request;
    u8 reached; /* channels that reached TC since the status was read */
    u8 dreq;
    bool high_byte; /* the byte pointer flip-flop */
};

struct i8237 {
    struct i8237_desc desc;
    struct controller controller[2];
    u8 page[PAGES];
};

/* Whose page is where: the board's wiring has no system. */
static const u8 page_of[] = {0x7, 0x3, 0x1, 0x2, 0xf, 0xb, 0x9, 0xa};

/* --- transfers --- */

static bool controller_ready(const struct controller *c, unsigned channel)
{
    return !(c->command & COMMAND_DISABLE) && !(c->mask & BIT(channel));
}

bool i8237_ready(const struct i8237 *d, unsigned n)
{
    n &= 7;
    if (n == CASCADE || !controller_ready(&d->controller[n >> 2], n & 3))
        return false;
    if ((d->controller[n >> 2].channel[n & 3].mode & MODE_SELECT) == MODE_CASCADE)
        return false; /* its device would have to master the bus itself */
    return n > CASCADE || controller_ready(&d->controller[1], 0);
}

static phys_addr channel_phys(const struct i8237 *d, unsigned n, u16 address)
{
    u32 page = d->page[page_of[n]];

    if (n < CASCADE)
        return page << 16 | address;
    return (page & 0xfe) << 16 | (u32)address << 1; /* A16 comes from the word address */
}

/* Move @bytes that are contiguous in memory. */
static void channel_move(struct i8237 *d, const struct channel *c, phys_addr at, u8 *buf,
                         size_t bytes, bool to_memory)
{
    unsigned type = c->mode >> MODE_TYPE_SHIFT & 3;

    if (type == TRANSFER_WRITE && to_memory)
        physmem_write(d->desc.mem, at, buf, bytes);
    else if (type == TRANSFER_READ && !to_memory)
        physmem_read(d->desc.mem, at, buf, bytes);
    else if (!to_memory)
        memset(buf, 0xff, bytes); /* nothing drives the bus */
    if (type != TRANSFER_VERIFY && (type == TRANSFER_WRITE) != to_memory)
        log_guest(DMA, "channel with mode %02x moves the other way", c->mode);
}

static void channel_end(struct controller *dma, unsigned n)
{
    struct channel *c = &dma->channel[n];

    dma->reached |= (u8)BIT(n);
    dma->request &= (u8)~BIT(n);
    if (c->mode & MODE_AUTO_INIT) {
        c->address = c->base_address;
        c->count = c->base_count;
    } else {
        dma->mask |= (u8)BIT(n);
    }
}

size_t i8237_transfer(struct i8237 *d, unsigned n, u8 *buf, size_t len, bool to_memory, bool *tc)
{
    *tc = false;
    if (!i8237_ready(d, n))
        return 0;
    n &= 7;

    struct controller *dma = &d->controller[n >> 2];
    struct channel *c = &dma->channel[n & 3];
    bool down = c->mode & MODE_DECREMENT;
    size_t unit = n < CASCADE ? 1 : 2;
    size_t done = 0;
    while (len - done >= unit && !*tc) {
        size_t units = (len - done) / unit;
        size_t run = down ? 1 : 0x10000u - c->address; /* the address wraps within the page */
        size_t left = c->count + 1u;
        units = units < run ? units : run;
        units = units < left ? units : left;
        channel_move(d, c, channel_phys(d, n, c->address), buf + done, units * unit, to_memory);
        c->address = (u16)(down ? c->address - units : c->address + units);
        c->count = (u16)(c->count - units);
        done += units * unit;
        *tc = units == left;
    }
    if (*tc)
        channel_end(dma, n & 3);
    log_trace(DMA, "channel=%u moved=%zu of=%zu tc=%d", n, done, len, *tc);
    return done;
}

void i8237_set_dreq(void *dev, unsigned n, bool level)
{
    struct i8237 *d = dev;
    struct controller *c = &d->controller[n >> 2 & 1];
    u8 bit = (u8)BIT(n & 3);

    c->dreq = (u8)(level ? c->dreq | bit : c->dreq & ~bit);
}

/* --- registers --- */

static u16 set_byte(u16 old, bool high, u8 val)
{
    return (u16)(high ? (old & 0x00ff) | val << 8 : (old & 0xff00) | val);
}

static u8 controller_read(struct controller *dma, unsigned off)
{
    if (off < DMA_COMMAND_STATUS) {
        const struct channel *c = &dma->channel[off >> 1];
        u16 val = off & 1 ? c->count : c->address;
        bool high = dma->high_byte;
        dma->high_byte = !high;
        return (u8)(high ? val >> 8 : val);
    }
    switch (off) {
    case DMA_COMMAND_STATUS: {
        u8 val = (u8)(dma->reached | (dma->dreq | dma->request) << 4);
        dma->reached = 0;
        return val;
    }
    case DMA_MASTER_CLEAR_TEMPORARY:
        return 0; /* only memory-to-memory transfers change it */
    case DMA_ALL_MASK:
        return dma->mask | 0xf0; /* not in the 8237A, but in the chip sets that hold two */
    default:
        return 0xff;
    }
}

static void controller_clear(struct controller *dma)
{
    dma->command = 0;
    dma->request = 0;
    dma->reached = 0;
    dma->high_byte = false;
    dma->mask = ALL_CHANNELS;
}

static void controller_write_channel(struct controller *dma, unsigned off, u8 val)
{
    struct channel *c = &dma->channel[off >> 1];
    bool high = dma->high_byte;

    dma->high_byte = !high;
    if (off & 1) {
        c->base_count = set_byte(c->base_count, high, val);
        c->count = set_byte(c->count, high, val);
    } else {
        c->base_address = set_byte(c->base_address, high, val);
        c->address = set_byte(c->address, high, val);
    }
}

static void controller_write(struct controller *dma, unsigned off, u8 val)
{
    u8 bit = (u8)BIT(val & 3);

    switch (off) {
    case DMA_COMMAND_STATUS:
        if (val & COMMAND_MEMORY_TO_MEMORY)
            log_todo(DMA, "memory-to-memory transfer");
        dma->command = val;
        break;
    case DMA_REQUEST:
        dma->request = (u8)(val & SET_BIT ? dma->request | bit : dma->request & ~bit);
        break;
    case DMA_SINGLE_MASK:
        dma->mask = (u8)(val & SET_BIT ? dma->mask | bit : dma->mask & ~bit);
        break;
    case DMA_MODE:
        dma->channel[val & 3].mode = val;
        break;
    case DMA_CLEAR_POINTER:
        dma->high_byte = false;
        break;
    case DMA_MASTER_CLEAR_TEMPORARY:
        controller_clear(dma);
        break;
    case DMA_CLEAR_MASK:
        dma->mask = 0;
        break;
    case DMA_ALL_MASK:
        dma->mask = val & ALL_CHANNELS;
        break;
    default:
        controller_write_channel(dma, off, val);
        break;
    }
}

static u32 dma1_read(void *dev, u16 off, enum width width)
{
    struct i8237 *d = dev;

    (void)width;
    return controller_read(&d->controller[0], off);
}

static void dma1_write(void *dev, u16 off, u32 val, enum width width)
{
    struct i8237 *d = dev;

    (void)width;
    log_trace(DMA, "write port=%02x val=%02x", off, val);
    controller_write(&d->controller[0], off, (u8)val);
}

static u32 dma2_read(void *dev, u16 off, enum width width)
{
    struct i8237 *d = dev;

    (void)width;
    return controller_read(&d->controller[1], off >> 1);
}

static void dma2_write(void *dev, u16 off, u32 val, enum width width)
{
    struct i8237 *d = dev;

    (void)width;
    log_trace(DMA, "write port=%02x val=%02x", DMA2_BASE + off, val);
    controller_write(&d->controller[1], off >> 1, (u8)val);
}

/* The unused ones are a RAM of eight bytes; the first shows the BIOS's progress. */
static u32 page_read(void *dev, u16 off, enum width width)
{
    const struct i8237 *d = dev;

    (void)width;
    return d->page[off];
}

static void page_write(void *dev, u16 off, u32 val, enum width width)
{
    struct i8237 *d = dev;

    (void)width;
    if (off == 0)
        log_trace(IO, "POST code %02x", val);
    d->page[off] = (u8)val;
}

static const struct ioport_ops dma1_ops = {dma1_read, dma1_write, W8};
static const struct ioport_ops dma2_ops = {dma2_read, dma2_write, W8};
static const struct ioport_ops page_ops = {page_read, page_write, W8};

static const struct field channel_fields[] = {
    FIELD(struct channel, base_address), FIELD(struct channel, base_count),
    FIELD(struct channel, address),      FIELD(struct channel, count),
    FIELD(struct channel, mode),         FIELDS_END,
};

static const struct field controller_fields[] = {
    FIELD_STRUCTS(struct controller, channel, channel_fields),
    FIELD(struct controller, command),
    FIELD(struct controller, mask),
    FIELD(struct controller, request),
    FIELD(struct controller, reached),
    FIELD(struct controller, dreq),
    FIELD(struct controller, high_byte),
    FIELDS_END,
};

static const struct field i8237_fields[] = {
    FIELD_STRUCTS(struct i8237, controller, controller_fields),
    FIELD_ARRAY(struct i8237, page),
    FIELDS_END,
};

/* RESET clears what a master clear does; addresses, counts, modes and pages stay. */
static void i8237_reset(void *dev)
{
    struct i8237 *d = dev;

    controller_clear(&d->controller[0]);
    controller_clear(&d->controller[1]);
}

static void i8237_destroy(void *dev)
{
    free(dev);
}

const struct device_class i8237_class = {
    .name = "i8237",
    .version = 1,
    .fields = i8237_fields,
    .reset = i8237_reset,
    .destroy = i8237_destroy,
};

enum status i8237_create(struct i8237 **out, const struct i8237_desc *desc)
{
    struct i8237 *d = calloc(1, sizeof(*d));
    if (!d)
        return STATUS_NO_MEMORY;

    d->desc = *desc;
    enum status s = ioport_claim(desc->io, DMA1_BASE, 16, &dma1_ops, d);
    if (s == STATUS_OK)
        s = ioport_claim(desc->io, DMA2_BASE, 32, &dma2_ops, d);
    if (s == STATUS_OK)
        s = ioport_claim(desc->io, PAGE_BASE, PAGES, &page_ops, d);
    if (s != STATUS_OK) {
        free(d);
        return s;
    }
    i8237_reset(d);
    *out = d;
    return STATUS_OK;
}
