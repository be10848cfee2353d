/* SPDX-License-Identifier: MIT */
/*
 * Exit port with QEMU's interface (isa-debug-exit): an odd code, so that a guest's success can be
 * told from the program's own. Reads give 0.
 */
#include "devices/isadebugexit.h"

#include <stdlib.h>

#include "base/log.h"

struct isadebugexit {
    struct isadebugexit_desc desc;
};

static u32 isadebugexit_read(void *dev, u16 off, enum width width)
{
    (void)dev, (void)off, (void)width;
    return 0;
}

static void isadebugexit_write(void *dev, u16 off, u32 val, enum width width)
{
    const struct isadebugexit *p = dev;

    (void)width;
    log_trace(IO, "debug exit off=%u val=%x", off, val);
    if (p->desc.exit)
        p->desc.exit(p->desc.ctx, val << 1 | 1);
}

/* The whole value counts, whatever its width: a port range narrower than it changes nothing. */
static const struct ioport_ops isadebugexit_ops = {isadebugexit_read, isadebugexit_write, W32};

static const struct field isadebugexit_fields[] = {
    FIELDS_END, /* it remembers nothing */
};

static void isadebugexit_reset(void *dev)
{
    (void)dev;
}

static void isadebugexit_destroy(void *dev)
{
    free(dev);
}

const struct device_class isadebugexit_class = {
    .name = "isadebugexit",
    .version = 1,
    .fields = isadebugexit_fields,
    .reset = isadebugexit_reset,
    .destroy = isadebugexit_destroy,
};

enum status isadebugexit_create(struct isadebugexit **out, const struct isadebugexit_desc *desc)
{
    struct isadebugexit *p = calloc(1, sizeof(*p));
    if (!p)
        return STATUS_NO_MEMORY;

    p->desc = *desc;
    enum status s = ioport_claim(desc->io, desc->iobase, desc->iosize, &isadebugexit_ops, p);
    if (s != STATUS_OK) {
        free(p);
        return s;
    }
    *out = p;
    return STATUS_OK;
}
