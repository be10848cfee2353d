/* SPDX-License-Identifier: MIT */
/*
 * 8254 programmable interval timer. Nothing here counts: each counter remembers the CLK at which
 * it was last loaded, and its count and OUT are functions of that and of the time. Only edges of
 * OUT 0 are events, because an interrupt controller listens to them.
 *
 * Times are numbers of CLKs since guest time 0. A count that is written between CLKs t and t + 1
 * is loaded by CLK t + 1, and CLK t + 1 + e finds e counts done.
 *
 * References: [8254].
 * Not implemented: counts of 1 in modes 2 and 3, which the manual forbids, keep OUT high.
 */
#include "devices/i8254.h"

#include <stdlib.h>

#include "base/log.h"

enum {
    PIT_BASE = 0x40,
    CONTROL = 3, /* offset of the control word register */

    CW_BCD = BIT(0),
    CW_MODE_SHIFT = 1, /* 3 bits */
    CW_RW_SHIFT = 4,   /* 2 bits: enum access */
    CW_SC_SHIFT = 6,   /* 2 bits: counter, or the read-back command */
    CW_SC_READ_BACK = 3,
    CW_LOW6 = 0x3f, /* what the status byte shows of the control word */

    READ_BACK_NO_STATUS = BIT(4),
    READ_BACK_NO_COUNT = BIT(5),

    STATUS_NULL_COUNT = BIT(6),
    STATUS_OUT = BIT(7),
};

enum access { ACCESS_LATCH, ACCESS_LSB, ACCESS_MSB, ACCESS_BOTH };

struct counter {
    u8 control; /* the six low bits of the last control word */
    bool gate;

    bool counting;    /* loaded, or to be loaded at @start                   */
    bool frozen;      /* GATE holds the count at @done                       */
    bool out_before;  /* OUT until @start                                    */
    u16 count_before; /* what the counting element shows until @start        */
    u32 n;            /* the count in effect, 1 to 65536                     */
    u64 start;        /* CLK that loads (or loaded) it                       */
    u64 done;         /* counts done at @start, or when GATE froze it        */
    u32 cr;           /* the count register: 1 to 65536, 0 before any write  */
    u64 null_until;   /* CLK at which the count register is loaded           */

    u32 next_n;     /* modes 2 and 3: the count that follows, or 0           */
    u64 next_start; /* CLK at which it takes over...                         */
    bool next_low;  /* ...with the low half of the square wave               */

    bool write_msb, read_msb; /* the byte pointers of two-byte access      */
    u8 write_lsb;
    bool count_latched, status_latched;
    u16 count_latch;
    u8 status_latch;
};

struct i8254 {
    struct i8254_desc desc;
    u32 timer;
    u64 edge; /* CLK of the next edge of OUT 0, or CLOCK_NEVER */
    struct counter counter[3];
};

/* Modes 6 and 7 are 2 and 3: the manual says "X10" and "X11". */
static unsigned counter_mode(const struct counter *c)
{
    unsigned mode = c->control >> CW_MODE_SHIFT & 7;

    return mode > 5 ? mode - 4 : mode;
}

static enum access counter_access(const struct counter *c)
{
    return (enum access)(c->control >> CW_RW_SHIFT & 3);
}

static u64 counter_elapsed(const struct counter *c, u64 now)
{
    if (c->frozen || now < c->start)
        return c->done;
    return now - c->start + c->done;
}

/* CLKs of the high half of a square wave; an odd count is high for one CLK more. */
static u32 high_half(u32 n)
{
    return (n + 1) / 2;
}

static bool counter_out(const struct counter *c, u64 now)
{
    unsigned mode = counter_mode(c);

    if (!c->counting)
        return mode != 0;
    if (now < c->start)
        return c->out_before;

    u64 e = counter_elapsed(c, now);
    switch (mode) {
    case 0:
    case 1:
        return e >= c->n;
    case 2:
        return c->frozen || c->n == 1 || e % c->n != c->n - 1;
    case 3:
        return c->frozen || e % c->n < high_half(c->n);
    default:
        return e != c->n;
    }
}

static u16 to_bcd(u32 v)
{
    return (u16)(v % 10 | v / 10 % 10 << 4 | v / 100 % 10 << 8 | v / 1000 % 10 << 12);
}

static u32 from_bcd(u16 v)
{
    return (v & 15u) + (v >> 4 & 15u) * 10 + (v >> 8 & 15u) * 100 + (v >> 12) * 1000u;
}

/* What the counting element shows. */
static u16 counter_count(const struct counter *c, u64 now)
{
    if (!c->counting || now < c->start)
        return c->count_before;

    bool bcd = c->control & CW_BCD;
    u32 modulus = bcd ? 10000 : 65536;
    u64 e = counter_elapsed(c, now);
    u32 v;
    switch (counter_mode(c)) {
    case 2:
        v = c->n - (u32)(e % c->n);
        break;
    case 3: {
        u32 pos = (u32)(e % c->n);
        u32 high = high_half(c->n);
        v = (c->n & ~1u) - 2 * (pos < high ? pos : pos - high); /* by twos, even counts only */
        break;
    }
    default:
        v = c->n + modulus - (u32)(e % modulus); /* goes on past 0 */
        break;
    }
    v %= modulus;
    return bcd ? to_bcd(v) : (u16)v;
}

/* The first CLK after @now at which OUT may change, or CLOCK_NEVER. */
static u64 counter_next_edge(const struct counter *c, u64 now)
{
    if (!c->counting || c->frozen)
        return CLOCK_NEVER;

    u64 from = now < c->start ? c->start : now;
    u64 e = counter_elapsed(c, now);
    u64 pos = e % c->n;
    u64 edge = CLOCK_NEVER;
    switch (counter_mode(c)) {
    case 1:
        if (now < c->start)
            return c->start;
        /* fall through */
    case 0:
        edge = e < c->n ? from + c->n - e : CLOCK_NEVER;
        break;
    case 2:
        if (c->n > 1)
            edge = from - pos + (pos < c->n - 1 ? c->n - 1 : c->n);
        break;
    case 3:
        if (c->n > 1)
            edge = from - pos + (pos < high_half(c->n) ? high_half(c->n) : c->n);
        break;
    default:
        if (e <= c->n)
            edge = from + c->n + (e == c->n) - e;
        break;
    }
    return c->next_n && c->next_start < edge ? c->next_start : edge;
}

/* Let a count that waited for the end of a cycle take over. */
static void counter_settle(struct counter *c, u64 now)
{
    if (!c->next_n || now < c->next_start)
        return;
    c->n = c->next_n;
    c->start = c->next_start;
    c->done = c->next_low ? high_half(c->n) : 0;
    c->next_n = 0;
}

/* Have the count register loaded by the next CLK. */
static void counter_load(struct counter *c, u64 now, bool out_before)
{
    u16 shown = counter_count(c, now);

    c->out_before = out_before;
    c->count_before = shown;
    c->n = c->cr;
    c->start = now + 1;
    c->done = 0;
    c->next_n = 0;
    c->counting = true;
    c->frozen = false;
    if (c->null_until > c->start)
        c->null_until = c->start;
}

static void counter_stop(struct counter *c, u64 now)
{
    c->count_before = counter_count(c, now);
    c->counting = c->frozen = false;
    c->next_n = 0;
}

/* Modes 2 and 3: the new count waits for the end of the cycle, or half cycle. */
static void counter_load_later(struct counter *c, u64 now)
{
    u64 pos = counter_elapsed(c, now) % c->n;
    u32 high = high_half(c->n);

    c->next_n = c->cr;
    c->next_low = counter_mode(c) == 3 && c->n > 1 && pos < high;
    c->next_start = now - pos + (c->next_low ? high : c->n);
    c->null_until = c->next_start;
}

static void counter_set_count(struct counter *c, u64 now, u16 val)
{
    bool bcd = c->control & CW_BCD;

    c->cr = bcd ? from_bcd(val) : val;
    if (c->cr == 0)
        c->cr = bcd ? 10000 : 65536;
    c->null_until = CLOCK_NEVER;

    switch (counter_mode(c)) {
    case 0:
    case 4:
        counter_load(c, now, counter_mode(c) != 0);
        c->frozen = !c->gate;
        break;
    case 2:
    case 3:
        if (!c->counting || now < c->start) {
            counter_load(c, now, true);
            c->frozen = !c->gate;
        } else if (!c->frozen) {
            counter_load_later(c, now);
        }
        break;
    default: /* loaded by the next trigger */
        break;
    }
}

static void counter_set_gate(struct counter *c, u64 now, bool level)
{
    if (level == c->gate)
        return;
    c->gate = level;

    unsigned mode = counter_mode(c);
    bool trigger = mode != 0 && mode != 4;
    if (!level && c->counting && mode != 1 && mode != 5) {
        c->done = counter_elapsed(c, now);
        c->frozen = true;
        c->next_n = 0; /* modes 2 and 3 reload from the count register anyway */
    } else if (level && trigger && c->cr) {
        counter_load(c, now, counter_out(c, now));
    } else if (level && c->frozen) {
        c->frozen = false;
        if (now > c->start)
            c->start = now;
    }
}

/* --- registers --- */

static void counter_write_control(struct counter *c, u64 now, u8 val)
{
    counter_stop(c, now);
    c->control = val & CW_LOW6;
    c->cr = 0;
    c->null_until = CLOCK_NEVER;
    c->write_msb = c->read_msb = false;
    c->count_latched = c->status_latched = false;
}

static void counter_write(struct counter *c, u64 now, u8 val)
{
    switch (counter_access(c)) {
    case ACCESS_LSB:
        counter_set_count(c, now, val);
        break;
    case ACCESS_MSB:
        counter_set_count(c, now, (u16)(val << 8));
        break;
    case ACCESS_BOTH:
        if (c->write_msb)
            counter_set_count(c, now, (u16)(val << 8 | c->write_lsb));
        else if (counter_mode(c) == 0)
            counter_stop(c, now); /* the first byte stops the count and sets OUT low */
        c->write_msb = !c->write_msb;
        c->write_lsb = val;
        break;
    case ACCESS_LATCH: /* no control word yet since power-on */
        log_guest(TIMER, "count %02x written before a control word", val);
        break;
    }
}

static u8 counter_read(struct counter *c, u64 now)
{
    if (c->status_latched) {
        c->status_latched = false;
        return c->status_latch;
    }

    u16 v = c->count_latched ? c->count_latch : counter_count(c, now);
    bool both = counter_access(c) == ACCESS_BOTH;
    bool msb = both ? c->read_msb : counter_access(c) == ACCESS_MSB;
    if (!both || msb)
        c->count_latched = false;
    c->read_msb = both && !msb;
    return (u8)(msb ? v >> 8 : v);
}

static void counter_latch_count(struct counter *c, u64 now)
{
    if (c->count_latched)
        return; /* the first latch holds until it is read */
    c->count_latch = counter_count(c, now);
    c->count_latched = true;
}

static void counter_latch_status(struct counter *c, u64 now)
{
    if (c->status_latched)
        return;
    c->status_latch = c->control;
    if (counter_out(c, now))
        c->status_latch |= STATUS_OUT;
    if (now < c->null_until)
        c->status_latch |= STATUS_NULL_COUNT;
    c->status_latched = true;
}

static u64 i8254_now(const struct i8254 *pit)
{
    return clock_ticks(clock_now(pit->desc.clk), I8254_HZ);
}

/* The counter's registers as they stand after what happened before @now. */
static struct counter *i8254_counter(struct i8254 *pit, unsigned i, u64 now)
{
    if (i == 2)
        line_set(&pit->desc.sound, true);
    counter_settle(&pit->counter[i], now);
    return &pit->counter[i];
}

/* OUT 0 as of @now, and an event for its next edge. */
static void i8254_drive(struct i8254 *pit, u64 now)
{
    const struct counter *c = i8254_counter(pit, 0, now);

    line_set(&pit->desc.irq0, counter_out(c, now));
    pit->edge = counter_next_edge(c, now);
    clock_arm(pit->desc.clk, pit->timer,
              pit->edge == CLOCK_NEVER ? CLOCK_NEVER : clock_tick_time(pit->edge, I8254_HZ));
}

/* The edge is driven as of its own CLK: a slow guest still sees every edge, in order. */
static void i8254_on_edge(void *dev, u32 arg)
{
    struct i8254 *pit = dev;

    (void)arg;
    i8254_drive(pit, pit->edge);
}

static void i8254_read_back(struct i8254 *pit, u64 now, u8 val)
{
    for (unsigned i = 0; i < 3; i++) {
        struct counter *c = i8254_counter(pit, i, now);
        if (!(val & BIT(i + 1)))
            continue;
        if (!(val & READ_BACK_NO_COUNT))
            counter_latch_count(c, now);
        if (!(val & READ_BACK_NO_STATUS))
            counter_latch_status(c, now);
    }
}

static u32 i8254_read(void *dev, u16 off, enum width width)
{
    struct i8254 *pit = dev;
    u64 now = i8254_now(pit);

    (void)width;
    if (off == CONTROL)
        return 0xff; /* nothing drives the bus */
    return counter_read(i8254_counter(pit, off, now), now);
}

static void i8254_write(void *dev, u16 off, u32 val, enum width width)
{
    struct i8254 *pit = dev;
    u64 now = i8254_now(pit);
    unsigned i = off == CONTROL ? val >> CW_SC_SHIFT & 3 : off;

    (void)width;
    log_trace(TIMER, "pit write off=%u val=%02x clk=%llu", off, val, (unsigned long long)now);
    if (i == CW_SC_READ_BACK) {
        i8254_read_back(pit, now, (u8)val);
        return;
    }
    struct counter *c = i8254_counter(pit, i, now);
    if (off != CONTROL)
        counter_write(c, now, (u8)val);
    else if ((val >> CW_RW_SHIFT & 3) == ACCESS_LATCH)
        counter_latch_count(c, now);
    else
        counter_write_control(c, now, (u8)val);
    if (i == 0)
        i8254_drive(pit, now);
}

void i8254_set_gate(struct i8254 *pit, unsigned i, bool level)
{
    u64 now = i8254_now(pit);

    counter_set_gate(i8254_counter(pit, i, now), now, level);
    if (i == 0)
        i8254_drive(pit, now);
}

bool i8254_out(const struct i8254 *pit, unsigned i)
{
    struct counter c = pit->counter[i];
    u64 now = i8254_now(pit);

    counter_settle(&c, now);
    return counter_out(&c, now);
}

u64 i8254_high(const struct i8254 *pit, unsigned i, u64 from, u64 to)
{
    struct counter c = pit->counter[i];
    u64 high = 0;

    while (from < to) {
        counter_settle(&c, from);
        u64 edge = counter_next_edge(&c, from);
        if (edge > to)
            edge = to;
        if (counter_out(&c, from))
            high += edge - from;
        from = edge;
    }
    return high;
}

u32 i8254_period(const struct i8254 *pit, unsigned i)
{
    struct counter c = pit->counter[i];
    unsigned mode = counter_mode(&c);

    counter_settle(&c, i8254_now(pit));
    return c.counting && !c.frozen && (mode == 2 || mode == 3) ? c.n : 0;
}

static const struct ioport_ops i8254_ops = {i8254_read, i8254_write, W8};

static const struct field counter_fields[] = {
    FIELD(struct counter, control),
    FIELD(struct counter, gate),
    FIELD(struct counter, counting),
    FIELD(struct counter, frozen),
    FIELD(struct counter, out_before),
    FIELD(struct counter, count_before),
    FIELD(struct counter, n),
    FIELD(struct counter, start),
    FIELD(struct counter, done),
    FIELD(struct counter, cr),
    FIELD(struct counter, null_until),
    FIELD(struct counter, next_n),
    FIELD(struct counter, next_start),
    FIELD(struct counter, next_low),
    FIELD(struct counter, write_msb),
    FIELD(struct counter, read_msb),
    FIELD(struct counter, write_lsb),
    FIELD(struct counter, count_latched),
    FIELD(struct counter, status_latched),
    FIELD(struct counter, count_latch),
    FIELD(struct counter, status_latch),
    FIELDS_END,
};

static const struct field i8254_fields[] = {
    FIELD(struct i8254, edge),
    FIELD_STRUCTS(struct i8254, counter, counter_fields),
    FIELDS_END,
};

/* The chip has no reset pin, and its state after power-on is undefined: idle is one such state. */
static void i8254_reset(void *dev)
{
    struct i8254 *pit = dev;

    for (unsigned i = 0; i < 3; i++) {
        bool gate = i != 2 || pit->counter[i].gate;
        pit->counter[i] = (struct counter){.gate = gate, .n = 1, .null_until = CLOCK_NEVER};
    }
    i8254_drive(pit, i8254_now(pit));
}

/* The clock saves the timer itself; a damaged file must not make us divide by 0. */
static void i8254_loaded(void *dev)
{
    struct i8254 *pit = dev;

    for (unsigned i = 0; i < 3; i++) {
        if (pit->counter[i].n == 0)
            pit->counter[i].n = 65536;
    }
    line_set(&pit->desc.irq0, i8254_out(pit, 0));
}

static void i8254_destroy(void *dev)
{
    free(dev);
}

const struct device_class i8254_class = {
    .name = "i8254",
    .version = 1,
    .fields = i8254_fields,
    .reset = i8254_reset,
    .loaded = i8254_loaded,
    .destroy = i8254_destroy,
};

enum status i8254_create(struct i8254 **out, const struct i8254_desc *desc)
{
    struct i8254 *pit = calloc(1, sizeof(*pit));
    if (!pit)
        return STATUS_NO_MEMORY;

    pit->desc = *desc;
    enum status s = clock_add(desc->clk, "i8254.out0", i8254_on_edge, pit, 0, &pit->timer);
    if (s == STATUS_OK)
        s = ioport_claim(desc->io, PIT_BASE, 4, &i8254_ops, pit);
    if (s != STATUS_OK) {
        free(pit);
        return s;
    }
    i8254_reset(pit);
    *out = pit;
    return STATUS_OK;
}
