/* SPDX-License-Identifier: MIT */
/*
 * System Control Port A (0x92): the PS/2's fast way to the A20 gate and to a CPU reset.
 *
 * References: [PS2-TRM] System Control Port A; [ICH9] PORT92, Fast A20 and Init Register.
 */
#include "devices/port92.h"

#include <stdlib.h>

#include "base/log.h"

enum {
    PORT92 = 0x92,
    PORT92_INIT_NOW = BIT(0),     /* 0 -> 1 pulses INIT# */
    PORT92_ALT_A20_GATE = BIT(1), /* 1 lets A20 pass     */
    PORT92_WRITABLE = PORT92_INIT_NOW | PORT92_ALT_A20_GATE,
};

struct port92 {
    struct port92_desc desc;
    u8 latch;
};

static u32 port92_read(void *dev, u16 off, enum width width)
{
    const struct port92 *p = dev;

    (void)off, (void)width; /* one byte-wide port: the bus passes nothing else */
    return p->latch;
}

static void port92_write(void *dev, u16 off, u32 val, enum width width)
{
    struct port92 *p = dev;
    u8 rising = (u8)(val & ~p->latch);

    (void)off, (void)width;
    log_trace(A20, "write latch=%02x val=%02x", p->latch, val);
    p->latch = val & PORT92_WRITABLE;
    line_set(&p->desc.a20, p->latch & PORT92_ALT_A20_GATE);
    if (rising & PORT92_INIT_NOW)
        line_set(&p->desc.cpu_init, true);
}

static const struct ioport_ops port92_ops = {
    .read = port92_read,
    .write = port92_write,
    .max = W8,
};

static const struct field port92_fields[] = {
    FIELD(struct port92, latch),
    FIELDS_END,
};

static void port92_reset(void *dev)
{
    struct port92 *p = dev;

    p->latch = 0;
    line_set(&p->desc.a20, false);
}

static void port92_loaded(void *dev)
{
    struct port92 *p = dev;

    line_set(&p->desc.a20, p->latch & PORT92_ALT_A20_GATE);
}

static void port92_destroy(void *dev)
{
    free(dev);
}

const struct device_class port92_class = {
    .name = "port92",
    .version = 1,
    .fields = port92_fields,
    .reset = port92_reset,
    .loaded = port92_loaded,
    .destroy = port92_destroy,
};

enum status port92_create(struct port92 **out, const struct port92_desc *desc)
{
    struct port92 *p = calloc(1, sizeof(*p));
    if (!p)
        return STATUS_NO_MEMORY;

    p->desc = *desc;
    enum status s = ioport_claim(desc->io, PORT92, 1, &port92_ops, p);
    if (s != STATUS_OK) {
        free(p);
        return s;
    }
    port92_reset(p);
    *out = p;
    return STATUS_OK;
}
