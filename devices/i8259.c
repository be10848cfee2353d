/* SPDX-License-Identifier: MIT */
/*
 * Two 8259A programmable interrupt controllers, the second on input 2 of the first, as every AT
 * has them; with the edge/level control registers that PCI chip sets added.
 *
 * References: [8259A]; [PIIX3] ELCR1, ELCR2, and its list of ICW bits that are wired.
 * Not implemented: MCS-80/85 vectors (ICW4 uPM = 0 behaves as 8086 mode); buffered mode has no
 * pins to show itself on; ICW3 is accepted and wired to IR2, as in the chip sets.
 */
#include "devices/i8259.h"

#include <stdlib.h>

#include "base/log.h"

enum {
    MASTER_BASE = 0x20,
    SLAVE_BASE = 0xa0,
    ELCR_BASE = 0x4d0,

    ICW1_IC4 = BIT(0),
    ICW1_SNGL = BIT(1),
    ICW1_LTIM = BIT(3),
    ICW1_SELECT = BIT(4), /* tells ICW1 from OCW2 and OCW3 */

    ICW4_AEOI = BIT(1),
    ICW4_SFNM = BIT(4),

    OCW2_LEVEL = 0x07,
    OCW2_EOI = BIT(5),
    OCW2_SL = BIT(6),
    OCW2_R = BIT(7),
    OCW3_SELECT = BIT(3), /* tells OCW3 from OCW2 */

    OCW3_RIS = BIT(0),
    OCW3_RR = BIT(1),
    OCW3_P = BIT(2),
    OCW3_SMM = BIT(5),
    OCW3_ESMM = BIT(6),

    POLL_PENDING = BIT(7),

    ELCR1_WRITABLE = 0xf8, /* the timer, the keyboard and the cascade are always edges... */
    ELCR2_WRITABLE = 0xde, /* ...and so are the clock and the coprocessor                 */

    CASCADE = 2, /* the master's input that the slave drives */
    SPURIOUS = 7,
    INPUTS = 8,
};

/* Which initialization word the odd port takes next. */
enum init_step { INIT_DONE, INIT_ICW2, INIT_ICW3, INIT_ICW4 };

struct pic {
    u8 in;    /* levels of IR7-IR0                                       */
    u8 latch; /* edges seen since they were last low or acknowledged      */
    u8 isr, imr, elcr;
    u8 icw1, icw2, icw3, icw4;
    u8 step;   /* enum init_step                                          */
    u8 lowest; /* the input of lowest priority: 7 unless rotated          */
    bool read_isr, poll, special_mask, rotate_aeoi;
};

struct i8259 {
    struct i8259_desc desc;
    struct pic pic[2]; /* master, slave */
};

static bool pic_is_master(const struct i8259 *pics, const struct pic *p)
{
    return p == &pics->pic[0];
}

static u8 pic_level_inputs(const struct i8259 *pics, const struct pic *p)
{
    if (pics->desc.elcr)
        return p->elcr;
    return p->icw1 & ICW1_LTIM ? 0xff : 0;
}

static u8 pic_irr(const struct i8259 *pics, const struct pic *p)
{
    u8 level = pic_level_inputs(pics, p);

    return p->in & (level | p->latch);
}

/* 0 for the input of highest priority, 7 for that of lowest. */
static unsigned pic_rank(const struct pic *p, unsigned input)
{
    return (input - p->lowest - 1) & 7;
}

/* The input of highest priority in @set, or INPUTS. */
static unsigned pic_highest(const struct pic *p, u8 set)
{
    for (unsigned rank = 0; rank < INPUTS; rank++) {
        unsigned input = (p->lowest + 1 + rank) & 7;
        if (set & BIT(input))
            return input;
    }
    return INPUTS;
}

/* The request that INT stands for, or INPUTS. */
static unsigned pic_pending(const struct i8259 *pics, const struct pic *p)
{
    unsigned request = pic_highest(p, (u8)(pic_irr(pics, p) & ~p->imr));

    if (request == INPUTS || p->step != INIT_DONE)
        return INPUTS;

    /* In special mask mode a masked level in service holds nobody back. */
    unsigned service = pic_highest(p, (u8)(p->special_mask ? p->isr & ~p->imr : p->isr));
    if (service == INPUTS || pic_rank(p, request) < pic_rank(p, service))
        return request;

    /* SFNM: the slave may interrupt its own service with a request of higher priority. */
    if (request == service && request == CASCADE && p->icw4 & ICW4_SFNM && pic_is_master(pics, p))
        return request;
    return INPUTS;
}

static void pic_set_input(struct pic *p, unsigned input, bool level)
{
    u8 bit = (u8)BIT(input);

    if (!level) {
        p->in &= (u8)~bit;
        p->latch &= (u8)~bit; /* a request that is gone before INTA is a spurious interrupt */
    } else if (!(p->in & bit)) {
        p->in |= bit;
        p->latch |= bit;
    }
}

/* INT of the slave drives IR2 of the master, and INT of the master the CPU. */
static void i8259_update(struct i8259 *pics)
{
    pic_set_input(&pics->pic[0], CASCADE, pic_pending(pics, &pics->pic[1]) != INPUTS);
    line_set(&pics->desc.intr, pic_pending(pics, &pics->pic[0]) != INPUTS);
}

/* What INTA does to the state for the request @input. */
static void pic_accept(struct pic *p, unsigned input)
{
    p->latch &= (u8)~BIT(input);
    if (!(p->icw4 & ICW4_AEOI))
        p->isr |= (u8)BIT(input);
    else if (p->rotate_aeoi)
        p->lowest = (u8)input;
}

static u8 pic_acknowledge(struct i8259 *pics, struct pic *p, unsigned *input)
{
    *input = pic_pending(pics, p);
    if (*input == INPUTS) {
        log_trace(PIC, "spurious request master=%d", pic_is_master(pics, p));
        *input = SPURIOUS; /* no bit in the ISR: the guest must not send an EOI */
        return (u8)((p->icw2 & 0xf8) | SPURIOUS);
    }
    pic_accept(p, *input);
    return (u8)((p->icw2 & 0xf8) | *input);
}

u8 i8259_acknowledge(struct i8259 *pics)
{
    unsigned input;
    u8 vector = pic_acknowledge(pics, &pics->pic[0], &input);

    if (input == CASCADE) {
        vector = pic_acknowledge(pics, &pics->pic[1], &input);
        /* INT of the slave drops during the cycle: what is left there is a new edge. */
        pic_set_input(&pics->pic[0], CASCADE, false);
    }
    i8259_update(pics);
    log_trace(PIC, "acknowledge vector=%02x", vector);
    return vector;
}

void i8259_set_irq(void *ctx, unsigned irq, bool level)
{
    struct i8259 *pics = ctx;

    if (irq == CASCADE || irq > 15)
        return;
    pic_set_input(&pics->pic[irq >> 3], irq & 7, level);
    i8259_update(pics);
}

/* --- registers --- */

static void pic_write_icw1(struct pic *p, u8 val)
{
    p->icw1 = val;
    p->latch = 0; /* an input that is high now must fall and rise to request again */
    p->imr = 0;
    p->isr = 0;
    p->lowest = 7;
    p->special_mask = p->read_isr = p->poll = p->rotate_aeoi = false;
    if (!(val & ICW1_IC4))
        p->icw4 = 0;
    p->step = INIT_ICW2;
}

static void pic_end_of_interrupt(struct pic *p, u8 val)
{
    /* A masked level in special mask mode needs a specific EOI. */
    u8 candidates = (u8)(p->special_mask ? p->isr & ~p->imr : p->isr);
    unsigned input = val & OCW2_SL ? val & OCW2_LEVEL : pic_highest(p, candidates);

    if (input == INPUTS)
        return;
    p->isr &= (u8)~BIT(input);
    if (val & OCW2_R)
        p->lowest = (u8)input;
}

static void pic_write_ocw2(struct pic *p, u8 val)
{
    switch (val & (OCW2_R | OCW2_SL | OCW2_EOI)) {
    case 0:
        p->rotate_aeoi = false;
        break;
    case OCW2_R:
        p->rotate_aeoi = true;
        break;
    case OCW2_SL: /* no operation */
        break;
    case OCW2_R | OCW2_SL:
        p->lowest = val & OCW2_LEVEL;
        break;
    default:
        pic_end_of_interrupt(p, val);
        break;
    }
}

static void pic_write_ocw3(struct pic *p, u8 val)
{
    if (val & OCW3_P)
        p->poll = true;
    if (val & OCW3_RR)
        p->read_isr = val & OCW3_RIS;
    if (val & OCW3_ESMM)
        p->special_mask = val & OCW3_SMM;
}

static void pic_write_data(struct pic *p, u8 val)
{
    bool icw4 = p->icw1 & ICW1_IC4;

    switch (p->step) {
    case INIT_ICW2:
        p->icw2 = val;
        p->step = !(p->icw1 & ICW1_SNGL) ? INIT_ICW3 : icw4 ? INIT_ICW4 : INIT_DONE;
        break;
    case INIT_ICW3:
        p->icw3 = val;
        p->step = icw4 ? INIT_ICW4 : INIT_DONE;
        break;
    case INIT_ICW4:
        p->icw4 = val;
        p->step = INIT_DONE;
        break;
    default:
        p->imr = val; /* OCW1 */
        break;
    }
}

static void pic_write(struct i8259 *pics, struct pic *p, u16 off, u8 val)
{
    log_trace(PIC, "write master=%d off=%u val=%02x", pic_is_master(pics, p), off, val);
    if (off == 1)
        pic_write_data(p, val);
    else if (val & ICW1_SELECT)
        pic_write_icw1(p, val);
    else if (val & OCW3_SELECT)
        pic_write_ocw3(p, val);
    else
        pic_write_ocw2(p, val);
    i8259_update(pics);
}

/* The poll command turns the next read into an acknowledge cycle without a vector. */
static u8 pic_poll(struct i8259 *pics, struct pic *p)
{
    unsigned input = pic_pending(pics, p);

    p->poll = false;
    if (input == INPUTS)
        return 0;
    pic_accept(p, input);
    if (!pic_is_master(pics, p))
        pic_set_input(&pics->pic[0], CASCADE, false);
    i8259_update(pics);
    return (u8)(POLL_PENDING | input);
}

static u8 pic_read(struct i8259 *pics, struct pic *p, u16 off)
{
    if (p->poll)
        return pic_poll(pics, p);
    if (off == 1)
        return p->imr;
    return p->read_isr ? p->isr : pic_irr(pics, p);
}

static u32 master_read(void *dev, u16 off, enum width width)
{
    struct i8259 *pics = dev;

    (void)width;
    return pic_read(pics, &pics->pic[0], off);
}

static void master_write(void *dev, u16 off, u32 val, enum width width)
{
    struct i8259 *pics = dev;

    (void)width;
    pic_write(pics, &pics->pic[0], off, (u8)val);
}

static u32 slave_read(void *dev, u16 off, enum width width)
{
    struct i8259 *pics = dev;

    (void)width;
    return pic_read(pics, &pics->pic[1], off);
}

static void slave_write(void *dev, u16 off, u32 val, enum width width)
{
    struct i8259 *pics = dev;

    (void)width;
    pic_write(pics, &pics->pic[1], off, (u8)val);
}

static u32 elcr_read(void *dev, u16 off, enum width width)
{
    const struct i8259 *pics = dev;

    (void)width;
    return pics->pic[off].elcr;
}

static void elcr_write(void *dev, u16 off, u32 val, enum width width)
{
    struct i8259 *pics = dev;

    (void)width;
    pics->pic[off].elcr = val & (off == 0 ? ELCR1_WRITABLE : ELCR2_WRITABLE);
    i8259_update(pics);
}

static const struct ioport_ops master_ops = {master_read, master_write, W8};
static const struct ioport_ops slave_ops = {slave_read, slave_write, W8};
static const struct ioport_ops elcr_ops = {elcr_read, elcr_write, W8};

static const struct field pic_fields[] = {
    FIELD(struct pic, in),          FIELD(struct pic, latch),
    FIELD(struct pic, isr),         FIELD(struct pic, imr),
    FIELD(struct pic, elcr),        FIELD(struct pic, icw1),
    FIELD(struct pic, icw2),        FIELD(struct pic, icw3),
    FIELD(struct pic, icw4),        FIELD(struct pic, step),
    FIELD(struct pic, lowest),      FIELD(struct pic, read_isr),
    FIELD(struct pic, poll),        FIELD(struct pic, special_mask),
    FIELD(struct pic, rotate_aeoi), FIELDS_END,
};

static const struct field i8259_fields[] = {
    FIELD_STRUCTS(struct i8259, pic, pic_fields),
    FIELDS_END,
};

static void i8259_reset(void *dev)
{
    struct i8259 *pics = dev;

    for (unsigned i = 0; i < 2; i++) {
        /* The input levels are the drivers', not ours to forget. */
        pics->pic[i] = (struct pic){.in = pics->pic[i].in, .lowest = 7};
    }
    i8259_update(pics);
}

static void i8259_loaded(void *dev)
{
    i8259_update(dev);
}

static void i8259_destroy(void *dev)
{
    free(dev);
}

const struct device_class i8259_class = {
    .name = "i8259",
    .version = 1,
    .fields = i8259_fields,
    .reset = i8259_reset,
    .loaded = i8259_loaded,
    .destroy = i8259_destroy,
};

enum status i8259_create(struct i8259 **out, const struct i8259_desc *desc)
{
    struct i8259 *pics = calloc(1, sizeof(*pics));
    if (!pics)
        return STATUS_NO_MEMORY;

    pics->desc = *desc;
    enum status s = ioport_claim(desc->io, MASTER_BASE, 2, &master_ops, pics);
    if (s == STATUS_OK)
        s = ioport_claim(desc->io, SLAVE_BASE, 2, &slave_ops, pics);
    if (s == STATUS_OK && desc->elcr)
        s = ioport_claim(desc->io, ELCR_BASE, 2, &elcr_ops, pics);
    if (s != STATUS_OK) {
        free(pics);
        return s;
    }
    i8259_reset(pics);
    *out = pics;
    return STATUS_OK;
}
