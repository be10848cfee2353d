/* SPDX-License-Identifier: MIT */
/*
 * Coprocessor error logic: a rising FERR# latches IRQ 13; a write to F0h clears the latch.
 *
 * References: [82371SB] Coprocessor Error Register; [SDM 1 §D.2].
 *
 * Not implemented: IGNNE#. A handler clears the unit's exception flags before it goes on, so the
 * window in which IGNNE# matters holds only FNCLEX and its like, which never wait.
 */
#include "devices/portf0.h"

#include <stdlib.h>

enum { PORT_CERR = 0xf0 };

struct portf0 {
    struct portf0_desc desc;
    bool ferr, latch;
};

static u32 portf0_read(void *dev, u16 off, enum width width)
{
    (void)dev, (void)off, (void)width;
    return 0xff; /* write-only */
}

static void portf0_write(void *dev, u16 off, u32 val, enum width width)
{
    struct portf0 *p = dev;

    (void)off, (void)val, (void)width;
    p->latch = false;
    line_set(&p->desc.irq13, false);
}

static const struct ioport_ops portf0_ops = {
    .read = portf0_read,
    .write = portf0_write,
    .max = W8,
};

void portf0_set_ferr(struct portf0 *p, bool level)
{
    if (level && !p->ferr) {
        p->latch = true;
        line_set(&p->desc.irq13, true);
    }
    p->ferr = level;
}

static const struct field portf0_fields[] = {
    FIELD(struct portf0, ferr),
    FIELD(struct portf0, latch),
    FIELDS_END,
};

static void portf0_loaded(void *dev)
{
    const struct portf0 *p = dev;

    line_set(&p->desc.irq13, p->latch);
}

static void portf0_reset(void *dev)
{
    struct portf0 *p = dev;

    p->ferr = p->latch = false;
    portf0_loaded(p);
}

static void portf0_destroy(void *dev)
{
    free(dev);
}

const struct device_class portf0_class = {
    .name = "portf0",
    .version = 1,
    .fields = portf0_fields,
    .reset = portf0_reset,
    .loaded = portf0_loaded,
    .destroy = portf0_destroy,
};

enum status portf0_create(struct portf0 **out, const struct portf0_desc *desc)
{
    struct portf0 *p = calloc(1, sizeof(*p));
    if (!p)
        return STATUS_NO_MEMORY;

    p->desc = *desc;
    enum status s = ioport_claim(desc->io, PORT_CERR, 1, &portf0_ops, p);
    if (s != STATUS_OK) {
        free(p);
        return s;
    }
    *out = p;
    return STATUS_OK;
}
