/* SPDX-License-Identifier: MIT */
/*
 * System Control Port B (61h).
 *
 * References: [PS2-TRM] System Control Port B; [PIIX3] NMI Status and Control Register.
 * Not implemented: the sources of parity and channel check NMIs; their status bits read 0.
 */
#include "devices/port61.h"

#include <stdlib.h>

enum {
    PORT61 = 0x61,
    PORT61_TIM_CNT2_EN = BIT(0), /* GATE of counter 2 */
    PORT61_SPKR_DAT_EN = BIT(1),
    PORT61_PCI_SERR_EN = BIT(2),
    PORT61_IOCHK_NMI_EN = BIT(3),
    PORT61_REF_TOGGLE = BIT(4),
    PORT61_TMR2_OUT_STS = BIT(5),
    PORT61_WRITABLE = 0x0f,

    REFRESH_CLKS = 18, /* a refresh every 15.1 us: what counter 1 is set to on every AT */
};

struct port61 {
    struct port61_desc desc;
    u8 latch;
};

static u32 port61_read(void *dev, u16 off, enum width width)
{
    const struct port61 *p = dev;
    u64 refreshes = clock_ticks(clock_now(p->desc.clk), I8254_HZ) / REFRESH_CLKS;
    u32 val = p->latch;

    (void)off, (void)width;
    if (refreshes & 1)
        val |= PORT61_REF_TOGGLE;
    if (i8254_out(p->desc.pit, 2))
        val |= PORT61_TMR2_OUT_STS;
    return val;
}

static void port61_drive(struct port61 *p)
{
    i8254_set_gate(p->desc.pit, 2, p->latch & PORT61_TIM_CNT2_EN);
    line_set(&p->desc.speaker, p->latch & PORT61_SPKR_DAT_EN);
}

static void port61_write(void *dev, u16 off, u32 val, enum width width)
{
    struct port61 *p = dev;

    (void)off, (void)width;
    p->latch = val & PORT61_WRITABLE;
    port61_drive(p);
}

static const struct ioport_ops port61_ops = {port61_read, port61_write, W8};

static const struct field port61_fields[] = {
    FIELD(struct port61, latch),
    FIELDS_END,
};

static void port61_reset(void *dev)
{
    struct port61 *p = dev;

    p->latch = 0;
    port61_drive(p);
}

static void port61_loaded(void *dev)
{
    struct port61 *p = dev;

    line_set(&p->desc.speaker, p->latch & PORT61_SPKR_DAT_EN); /* the timer saved its own gate */
}

static void port61_destroy(void *dev)
{
    free(dev);
}

const struct device_class port61_class = {
    .name = "port61",
    .version = 1,
    .fields = port61_fields,
    .reset = port61_reset,
    .loaded = port61_loaded,
    .destroy = port61_destroy,
};

enum status port61_create(struct port61 **out, const struct port61_desc *desc)
{
    struct port61 *p = calloc(1, sizeof(*p));
    if (!p)
        return STATUS_NO_MEMORY;

    p->desc = *desc;
    enum status s = ioport_claim(desc->io, PORT61, 1, &port61_ops, p);
    if (s != STATUS_OK) {
        free(p);
        return s;
    }
    port61_reset(p);
    *out = p;
    return STATUS_OK;
}
