/* SPDX-License-Identifier: MIT */
/*
 * VGA registers: ports 3B0h-3BBh and 3C0h-3DFh.
 *
 * References: [VGA] IBM PS/2 Hardware Interface Technical Reference, Video Subsystem; FreeVGA.
 *
 * The CRT beam is a function of guest time and of the programmed timing; nothing counts lines.
 *
 * Not implemented: light pen, interrupt on vertical retrace (IRQ 2), switch sense by the DAC's
 * comparators (always says colour monitor), synchronous reset of the sequencer.
 */
#include "devices/vga_state.h"

#include "base/log.h"

enum vga_port {
    PORT_MONO = 0x3b0,
    PORT_MONO_COUNT = 12, /* 3BCh is a parallel port */
    PORT_VGA = 0x3c0,
    PORT_VGA_COUNT = 32,
    PORT_AC_WRITE = 0x3c0,
    PORT_AC_READ = 0x3c1,
    PORT_MISC_WRITE = 0x3c2, /* reads input status 0 */
    PORT_ENABLE = 0x3c3,
    PORT_SEQ_INDEX = 0x3c4,
    PORT_SEQ_DATA = 0x3c5,
    PORT_DAC_MASK = 0x3c6,
    PORT_DAC_READ = 0x3c7, /* reads the DAC state */
    PORT_DAC_WRITE = 0x3c8,
    PORT_DAC_DATA = 0x3c9,
    PORT_FEATURE_READ = 0x3ca,
    PORT_MISC_READ = 0x3cc,
    PORT_GC_INDEX = 0x3ce,
    PORT_GC_DATA = 0x3cf,
    PORT_CRTC_INDEX = 0x3d4, /* and 3B4h */
    PORT_CRTC_DATA = 0x3d5,
    PORT_STATUS1 = 0x3da, /* writes the feature control */
};

enum {
    STATUS0_SENSE = BIT(4),
    STATUS1_NO_DISPLAY = BIT(0),
    STATUS1_RETRACE = BIT(3),
    DOT_CLOCK_25 = 25175000,
    DOT_CLOCK_28 = 28322000,
    CRTC_PROTECT = BIT(7),
    OVERFLOW_LINE_COMPARE = BIT(4), /* the one bit of registers 0-7 that is never protected */
};

/* Which bits of a register exist. */
static const u8 seq_bits[SEQ__COUNT] = {0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0, 0, 0xff};
static const u8 gc_bits[GC__COUNT] = {0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff};
static const u8 ac_bits[AC__COUNT] = {
    0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
    0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0xef, 0xff, 0x3f, 0x0f, 0x0f,
};

/* ---- the beam ---- */

void vga_timing(const struct vga *v, struct vga_timing *t)
{
    const u8 *c = v->crtc;
    unsigned over = c[CRTC_OVERFLOW];

    t->hz = v->misc & MISC_CLOCK_28 ? DOT_CLOCK_28 : DOT_CLOCK_25;
    if (v->desc.cirrus)
        t->hz = cirrus_clock(v);
    t->char_dots = v->seq[SEQ_CLOCKING] & SEQ_CLOCKING_8DOT ? 8 : 9;
    if (v->seq[SEQ_CLOCKING] & SEQ_CLOCKING_HALF)
        t->hz /= 2;
    t->columns = c[CRTC_H_DISPLAY_END] + 1u;
    t->total_columns = c[CRTC_H_TOTAL] + 5u;
    t->lines = (c[CRTC_V_DISPLAY_END] | (over & 0x02) << 7 | (over & 0x40) << 3) + 1;
    t->total_lines = (c[CRTC_V_TOTAL] | (over & 0x01) << 8 | (over & 0x20) << 4) + 2;
    t->retrace_start = c[CRTC_V_RETRACE_START] | (over & 0x04) << 6 | (over & 0x80) << 2;
    t->retrace_lines = (c[CRTC_V_RETRACE_END] - t->retrace_start) & 15;
    if (t->retrace_lines == 0)
        t->retrace_lines = 16;
}

static u64 dots_per_frame(const struct vga_timing *t)
{
    return (u64)t->char_dots * t->total_columns * t->total_lines;
}

u64 vga_frame_count(const struct vga *v)
{
    struct vga_timing t;

    vga_timing(v, &t);
    return clock_ticks(clock_now(v->desc.clk), t.hz) / dots_per_frame(&t);
}

static u8 vga_status1(const struct vga *v)
{
    struct vga_timing t;

    vga_timing(v, &t);
    u64 dot = clock_ticks(clock_now(v->desc.clk), t.hz) % dots_per_frame(&t);
    unsigned column = (unsigned)(dot / t.char_dots % t.total_columns);
    unsigned line = (unsigned)(dot / ((u64)t.char_dots * t.total_columns));
    u8 status = 0;

    if (line >= t.lines || column >= t.columns)
        status |= STATUS1_NO_DISPLAY;
    if (line >= t.retrace_start && line - t.retrace_start < t.retrace_lines)
        status |= STATUS1_RETRACE | STATUS1_NO_DISPLAY;
    return status;
}

/* ---- DAC ---- */

static u8 dac_max(const struct vga *v)
{
    return v->vbe[VBE_ENABLE] & VBE_8BIT_DAC ? 0xff : 0x3f;
}

static u8 dac_read(struct vga *v)
{
    u8 val = v->dac[v->dac_read * 3 + v->dac_sub];

    if (++v->dac_sub == 3) {
        v->dac_sub = 0;
        v->dac_read++;
    }
    return val & dac_max(v);
}

/* The three components take effect together. */
static void dac_write(struct vga *v, u8 val)
{
    v->dac_latch[v->dac_sub] = val & dac_max(v);
    if (++v->dac_sub < 3)
        return;
    v->dac_sub = 0;
    for (unsigned i = 0; i < 3; i++)
        v->dac[v->dac_write * 3 + i] = v->dac_latch[i];
    v->dac_write++;
}

static void dac_index(struct vga *v, u8 val, bool reading)
{
    v->dac_sub = 0;
    v->dac_reading = reading ? 3 : 0;
    if (reading)
        v->dac_read = val;
    else
        v->dac_write = val;
}

/* ---- the other units ---- */

static void ac_write(struct vga *v, u8 val)
{
    unsigned index = v->ac_index & (AC__COUNT - 1);

    if (v->ac_data)
        v->ac[index] = val & ac_bits[index];
    else
        v->ac_index = val & 0x3f;
    v->ac_data = !v->ac_data;
}

static void crtc_write(struct vga *v, u8 val)
{
    u8 index = v->crtc_index;

    if (index >= CRTC__COUNT)
        return;
    if (index <= CRTC_OVERFLOW && v->crtc[CRTC_V_RETRACE_END] & CRTC_PROTECT) {
        u8 keep = index == CRTC_OVERFLOW ? (u8)~OVERFLOW_LINE_COMPARE : 0xff;
        val = (u8)((v->crtc[index] & keep) | (val & ~keep));
    }
    v->crtc[index] = val;
}

static u8 crtc_port_read(struct vga *v, u16 port)
{
    switch (port) {
    case PORT_CRTC_INDEX:
        return v->crtc_index;
    case PORT_CRTC_DATA:
        return v->crtc_index < CRTC__COUNT ? v->crtc[v->crtc_index] : 0xff;
    case PORT_STATUS1:
        v->ac_data = false;
        return vga_status1(v);
    default:
        return 0xff;
    }
}

static void crtc_port_write(struct vga *v, u16 port, u8 val)
{
    switch (port) {
    case PORT_CRTC_INDEX:
        v->crtc_index = val & 0x3f;
        break;
    case PORT_CRTC_DATA:
        crtc_write(v, val);
        break;
    case PORT_STATUS1:
        v->feature = val & 0x03;
        break;
    default:
        break;
    }
}

/* 3Bxh and 3Dxh are one set of registers, at the place that MISC_COLOR chooses. 0: not here. */
static u16 crtc_port(const struct vga *v, u16 port)
{
    u16 base = v->misc & MISC_COLOR ? 0x3d0 : 0x3b0;

    return (port & 0xfff0) == base ? 0x3d0 | (port & 0x0f) : 0;
}

static bool is_crtc_port(u16 port)
{
    return port < PORT_VGA || port >= 0x3d0;
}

u8 vga_port_read(struct vga *v, u16 port)
{
    u8 val;

    if (is_crtc_port(port))
        port = crtc_port(v, port);
    if (v->desc.cirrus && cirrus_port_read(v, port, &val))
        return val;
    if (is_crtc_port(port))
        return crtc_port_read(v, port);
    switch (port) {
    case PORT_AC_WRITE:
        return v->ac_index;
    case PORT_AC_READ:
        return v->ac[v->ac_index & (AC__COUNT - 1)];
    case PORT_MISC_WRITE:
        return STATUS0_SENSE;
    case PORT_ENABLE:
        return v->enable;
    case PORT_SEQ_INDEX:
        return v->seq_index;
    case PORT_SEQ_DATA:
        return v->seq[v->seq_index];
    case PORT_DAC_MASK:
        return v->dac_mask;
    case PORT_DAC_READ:
        return v->dac_reading;
    case PORT_DAC_WRITE:
        return v->dac_write;
    case PORT_DAC_DATA:
        return dac_read(v);
    case PORT_FEATURE_READ:
        return v->feature;
    case PORT_MISC_READ:
        return v->misc;
    case PORT_GC_INDEX:
        return v->gc_index;
    case PORT_GC_DATA:
        return v->gc[v->gc_index];
    default:
        return 0xff;
    }
}

void vga_port_write(struct vga *v, u16 port, u8 val)
{
    if (is_crtc_port(port))
        port = crtc_port(v, port);
    if (v->desc.cirrus && cirrus_port_write(v, port, val))
        return;
    if (is_crtc_port(port)) {
        crtc_port_write(v, port, val);
        return;
    }
    switch (port) {
    case PORT_AC_WRITE:
        ac_write(v, val);
        break;
    case PORT_MISC_WRITE:
        v->misc = val;
        vga_update_window(v);
        break;
    case PORT_ENABLE:
        v->enable = val & 1;
        break;
    case PORT_SEQ_INDEX:
        v->seq_index = val & (SEQ__COUNT - 1);
        break;
    case PORT_SEQ_DATA:
        v->seq[v->seq_index] = val & seq_bits[v->seq_index];
        vga_update_window(v);
        break;
    case PORT_DAC_MASK:
        v->dac_mask = val;
        break;
    case PORT_DAC_READ:
        dac_index(v, val, true);
        break;
    case PORT_DAC_WRITE:
        dac_index(v, val, false);
        break;
    case PORT_DAC_DATA:
        dac_write(v, val);
        break;
    case PORT_GC_INDEX:
        v->gc_index = val & (GC__COUNT - 1);
        break;
    case PORT_GC_DATA:
        v->gc[v->gc_index] = val & gc_bits[v->gc_index];
        vga_update_window(v);
        break;
    default:
        log_guest(VGA, "write port=%03x val=%02x", port, val);
    }
}

/* ---- claims ---- */

static u32 mono_read(void *dev, u16 off, enum width width)
{
    (void)width;
    return vga_port_read(dev, PORT_MONO + off);
}

static void mono_write(void *dev, u16 off, u32 val, enum width width)
{
    (void)width;
    vga_port_write(dev, PORT_MONO + off, (u8)val);
}

static u32 color_read(void *dev, u16 off, enum width width)
{
    (void)width;
    return vga_port_read(dev, PORT_VGA + off);
}

static void color_write(void *dev, u16 off, u32 val, enum width width)
{
    (void)width;
    vga_port_write(dev, PORT_VGA + off, (u8)val);
}

static const struct ioport_ops mono_ops = {.read = mono_read, .write = mono_write, .max = W8};
static const struct ioport_ops color_ops = {.read = color_read, .write = color_write, .max = W8};

enum status vga_claim_ports(struct vga *v)
{
    enum status s = ioport_claim(v->desc.io, PORT_MONO, PORT_MONO_COUNT, &mono_ops, v);

    if (s != STATUS_OK)
        return s;
    s = ioport_claim(v->desc.io, PORT_VGA, PORT_VGA_COUNT, &color_ops, v);
    if (s != STATUS_OK)
        ioport_release(v->desc.io, PORT_MONO, PORT_MONO_COUNT);
    return s;
}

void vga_release_ports(struct vga *v)
{
    ioport_release(v->desc.io, PORT_MONO, PORT_MONO_COUNT);
    ioport_release(v->desc.io, PORT_VGA, PORT_VGA_COUNT);
}
