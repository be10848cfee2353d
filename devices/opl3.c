/* SPDX-License-Identifier: MIT */
/*
 * OPL3: ports, registers, timers. The sound is made in opl3_synth.c.
 *
 * Reference: [YMF262].
 * Not implemented: the interrupt pin (no card connects it), the test register, the CSM mode of the
 * OPL2.
 */
#include "devices/opl3.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "devices/opl3_synth.h"

enum {
    PORT_ADLIB = 0x388,
    PORT_SB_OPL3 = 0x220, /* both banks */
    PORT_SB_OPL2 = 0x228, /* the first one */
    REG_TIMER_1 = 2,
    REG_TIMER_2 = 3,
    REG_TIMER_CONTROL = 4,
    CONTROL_RESET = BIT(7),
    CONTROL_MASK_1 = BIT(6), /* timer 2: the bit below */
    CONTROL_START_1 = BIT(0),
    STATUS_IRQ = BIT(7),
    STATUS_TIMER_1 = BIT(6),
    TIMER_1_NS = 80000,
    TIMER_2_NS = 320000,
    GAIN = 2,
    BEHIND_MAX = 8, /* samples; one frame is hardly more than one */
};

struct opl3 {
    struct opl3_desc desc;
    u16 index;
    u8 reg[OPL3_REGISTERS];
    u64 started[2]; /* ns: when a timer was started, or its flag cleared */
    struct opl3_synth synth;
    u64 made; /* samples of the chip's own rate */
    i32 last[2], next[2];
};

/* ---- timers: computed when somebody looks ---- */

static bool timer_expired(const struct opl3 *o, unsigned n)
{
    u64 step = n ? TIMER_2_NS : TIMER_1_NS;
    u64 period = (256u - o->reg[REG_TIMER_1 + n]) * step;
    u8 control = o->reg[REG_TIMER_CONTROL];

    return control & CONTROL_START_1 << n && !(control & CONTROL_MASK_1 >> n) &&
           clock_now(o->desc.clk) - o->started[n] >= period;
}

static u8 status(const struct opl3 *o)
{
    u8 flags = 0;

    for (unsigned n = 0; n < 2; n++) {
        if (timer_expired(o, n))
            flags |= STATUS_IRQ | STATUS_TIMER_1 >> n;
    }
    return flags;
}

static void control_timers(struct opl3 *o, u8 val)
{
    u64 now = clock_now(o->desc.clk);

    for (unsigned n = 0; n < 2; n++) {
        bool starts =
            val & CONTROL_START_1 << n && !(o->reg[REG_TIMER_CONTROL] & CONTROL_START_1 << n);
        if (val & CONTROL_RESET ? timer_expired(o, n) : starts)
            o->started[n] = now;
    }
    if (!(val & CONTROL_RESET)) /* with it, the other bits mean nothing */
        o->reg[REG_TIMER_CONTROL] = val;
}

/* ---- sound ---- */

static void render(void *dev, i32 *mix, unsigned n, u64 first)
{
    struct opl3 *o = dev;
    i64 gain[2];

    for (unsigned c = 0; c < 2; c++)
        gain[c] = GAIN * (i64)(o->desc.gain ? o->desc.gain(o->desc.card, c) : 65536);

    for (unsigned i = 0; i < n; i++) {
        u64 now = (first + i + 1) * OPL3_HZ; /* in 1/SOUND_HZ of a sample */
        u64 due = now / SOUND_HZ;
        i64 part = (i64)(now % SOUND_HZ);
        if (o->made > due + 1 || o->made + BEHIND_MAX < due)
            o->made = due; /* a state of another time was loaded */
        if (opl3_synth_silent(&o->synth) && !o->last[0] && !o->last[1] && !o->next[0] &&
            !o->next[1]) {
            o->made = due + 1;
            continue;
        }
        while (o->made <= due) {
            memcpy(o->last, o->next, sizeof(o->last));
            opl3_synth_sample(&o->synth, o->next);
            o->made++;
        }
        for (unsigned c = 0; c < 2; c++) {
            i64 level = o->last[c] + (o->next[c] - o->last[c]) * part / SOUND_HZ;
            mix[2 * i + c] += (i32)(level * gain[c] / 65536);
        }
    }
}

/* ---- ports ---- */

static void opl3_write_data(struct opl3 *o, u8 val)
{
    log_trace(SOUND, "opl3 reg=%03x val=%02x", o->index, val);
    sound_sync(o->desc.sound);
    if (o->index == REG_TIMER_CONTROL)
        control_timers(o, val);
    else
        o->reg[o->index] = val;
    opl3_synth_write(&o->synth, o->index, val);
}

static u32 opl3_read(void *dev, u16 off, enum width width)
{
    (void)width;
    return off & 1 ? 0xff : status(dev);
}

static void opl3_write(void *dev, u16 off, u32 val, enum width width)
{
    struct opl3 *o = dev;

    (void)width;
    if (off & 1)
        opl3_write_data(o, (u8)val);
    else
        o->index = (u16)((u8)val | (off & 2) << 7);
}

static const struct ioport_ops opl3_ops = {opl3_read, opl3_write, W8};

static const struct field opl3_fields[] = {
    FIELD(struct opl3, index),
    FIELD_ARRAY(struct opl3, reg),
    FIELD_ARRAY(struct opl3, started),
    FIELDS_END,
};

static void opl3_reset(void *dev)
{
    struct opl3 *o = dev;

    sound_sync(o->desc.sound);
    o->index = 0;
    memset(o->reg, 0, sizeof(o->reg));
    memset(o->started, 0, sizeof(o->started));
    opl3_synth_init(&o->synth);
}

/* What was playing plays on from its beginning: the synthesis is no state. */
static void opl3_loaded(void *dev)
{
    struct opl3 *o = dev;

    o->index &= OPL3_REGISTERS - 1;
    opl3_synth_init(&o->synth);
    opl3_synth_write(&o->synth, 0x105, o->reg[0x105]);
    opl3_synth_write(&o->synth, 0x104, o->reg[0x104]);
    for (unsigned reg = 0x20; reg < OPL3_REGISTERS; reg++)
        opl3_synth_write(&o->synth, reg, o->reg[reg]);
}

static void opl3_destroy(void *dev)
{
    free(dev);
}

const struct device_class opl3_class = {
    .name = "opl3",
    .version = 1,
    .fields = opl3_fields,
    .reset = opl3_reset,
    .loaded = opl3_loaded,
    .destroy = opl3_destroy,
};

enum status opl3_create(struct opl3 **out, const struct opl3_desc *desc)
{
    static const struct {
        u16 base, count;
    } ports[] = {{PORT_ADLIB, 4}, {PORT_SB_OPL3, 4}, {PORT_SB_OPL2, 2}};
    struct opl3 *o = calloc(1, sizeof(*o));
    if (!o)
        return STATUS_NO_MEMORY;

    o->desc = *desc;
    for (unsigned i = 0; i < ARRAY_LEN(ports); i++) {
        enum status s = ioport_claim(desc->io, ports[i].base, ports[i].count, &opl3_ops, o);
        if (s == STATUS_OK)
            continue;
        while (i-- > 0)
            ioport_release(desc->io, ports[i].base, ports[i].count);
        free(o);
        return s;
    }
    opl3_reset(o);
    sound_add(desc->sound, render, o);
    *out = o;
    return STATUS_OK;
}
