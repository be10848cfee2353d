/* SPDX-License-Identifier: MIT */
/*
 * Debug console port, as in Bochs ("port E9 hack") and QEMU (isa-debugcon). A read gives E9h,
 * at any port, by which guests find out that it is there.
 */
#include "devices/debugport.h"

#include <stdlib.h>

enum { DEBUGPORT_PRESENT = 0xe9 };

struct debugport {
    struct debugport_desc desc;
};

static u32 debugport_read(void *dev, u16 off, enum width width)
{
    (void)dev, (void)off, (void)width;
    return DEBUGPORT_PRESENT;
}

static void debugport_write(void *dev, u16 off, u32 val, enum width width)
{
    const struct debugport *p = dev;

    (void)off, (void)width;
    byte_sink_put(&p->desc.out, (u8)val);
}

static const struct ioport_ops debugport_ops = {debugport_read, debugport_write, W8};

static const struct field debugport_fields[] = {
    FIELDS_END, /* it remembers nothing */
};

static void debugport_reset(void *dev)
{
    (void)dev;
}

static void debugport_destroy(void *dev)
{
    free(dev);
}

const struct device_class debugport_class = {
    .name = "debugport",
    .version = 1,
    .fields = debugport_fields,
    .reset = debugport_reset,
    .destroy = debugport_destroy,
};

enum status debugport_create(struct debugport **out, const struct debugport_desc *desc)
{
    struct debugport *p = calloc(1, sizeof(*p));
    if (!p)
        return STATUS_NO_MEMORY;

    p->desc = *desc;
    enum status s = ioport_claim(desc->io, desc->port, 1, &debugport_ops, p);
    if (s != STATUS_OK) {
        free(p);
        return s;
    }
    *out = p;
    return STATUS_OK;
}
