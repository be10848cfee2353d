/* SPDX-License-Identifier: MIT */
/*
 * Cirrus Logic CL-GD5446: the registers that it has beside a VGA's. Memory is cirrus_memory.c, the
 * BitBLT engine cirrus_blt.c, what is shown cirrus_screen.c.
 *
 * Reference: [GD5446].
 *
 * Not implemented: the key of SR6 locks nothing; the EEPROM, DDC and the general outputs; the video
 * window (overlay, V-Port, colour keys), and with it CR31 to CR3F, which are stored; line drawing;
 * interrupts; power management.
 */
#include "devices/vga_state.h"

#include <string.h>

enum {
    PORT_SEQ_INDEX = 0x3c4,
    PORT_SEQ_DATA = 0x3c5,
    PORT_DAC_MASK = 0x3c6,
    PORT_DAC_READ = 0x3c7,
    PORT_DAC_WRITE = 0x3c8,
    PORT_DAC_DATA = 0x3c9,
    PORT_GC_INDEX = 0x3ce,
    PORT_GC_DATA = 0x3cf,
    PORT_CRTC_DATA = 0x3d5,
    KEY = 0x12,
    KEY_BITS = 0x17,
    KEY_LOCKED = 0x0f,
    HIDDEN_READS = 4,
    ID_GD5446 = 0xb8,
    CLOCK_REFERENCE = 14318180,
};

static const u8 vclk_num[4] = {0x66, 0x5b, 0x45, 0x7e};
static const u8 vclk_den[4] = {0x3b, 0x2f, 0x30, 0x33};

static const struct field feed_fields[] = {
    FIELD(struct cirrus_feed, active),     FIELD(struct cirrus_feed, row),
    FIELD(struct cirrus_feed, need),       FIELD(struct cirrus_feed, fill),
    FIELD_ARRAY(struct cirrus_feed, line), FIELDS_END,
};

const struct field cirrus_fields[] = {
    FIELD(struct cirrus, seq_index),
    FIELD_ARRAY(struct cirrus, seq),
    FIELD(struct cirrus, gc_index),
    FIELD_ARRAY(struct cirrus, gc),
    FIELD_ARRAY(struct cirrus, crtc),
    FIELD(struct cirrus, hidden_dac),
    FIELD(struct cirrus, hidden_reads),
    FIELD(struct cirrus, cursor_x),
    FIELD(struct cirrus, cursor_y),
    FIELD_ARRAY(struct cirrus, cursor_dac),
    FIELD_STRUCT(struct cirrus, feed, feed_fields),
    FIELDS_END,
};

void cirrus_reset(struct vga *v)
{
    struct cirrus *c = &v->cx;
    size_t plain = c->lfb_plain;

    memset(c, 0, sizeof(*c));
    c->lfb_plain = plain;
    c->seq[CSEQ_KEY] = KEY_LOCKED;
    memcpy(&c->seq[CSEQ_VCLK_NUM], vclk_num, sizeof(vclk_num));
    memcpy(&c->seq[CSEQ_VCLK_DEN], vclk_den, sizeof(vclk_den));
    c->seq[CSEQ_DRAM] = 0x98;   /* 4 MiB, 64 bits wide */
    c->seq[CSEQ_CONFIG] = 0x20; /* PCI */
    c->seq[CSEQ_MCLK] = 0x22;
}

void cirrus_loaded(struct vga *v)
{
    struct cirrus_feed *f = &v->cx.feed;

    if (f->need < 1 || f->need > CIRRUS_LINE_MAX || f->fill >= f->need)
        f->active = false;
    v->cx.trapped_count = 0;
    v->cx.trapped = f->active;
}

/* ---- clock ---- */

u64 cirrus_clock(const struct vga *v)
{
    unsigned n = v->misc >> 2 & 3;
    u8 den = v->cx.seq[CSEQ_VCLK_DEN + n];
    u64 hz = (u64)CLOCK_REFERENCE * (v->cx.seq[CSEQ_VCLK_NUM + n] & 0x7f);

    if (!(den >> 1 & 0x1f) || !hz)
        return CLOCK_REFERENCE;
    return hz / (den >> 1 & 0x1f) / (den & 1 ? 2 : 1);
}

/* ---- sequencer ---- */

static bool seq_is_plain(u8 index)
{
    return index <= 4;
}

static u8 seq_read(const struct cirrus *c)
{
    switch (c->seq_index & 0x1f) {
    case CSEQ_CURSOR_X:
        return (u8)(c->cursor_x >> 3);
    case CSEQ_CURSOR_Y:
        return (u8)(c->cursor_y >> 3);
    default:
        return c->seq[c->seq_index & 0x1f];
    }
}

static void seq_write(struct vga *v, u8 val)
{
    struct cirrus *c = &v->cx;
    u8 index = c->seq_index & 0x1f;
    u16 low = c->seq_index >> 5;

    switch (index) {
    case CSEQ_KEY:
        c->seq[index] = (val & KEY_BITS) == KEY ? KEY : KEY_LOCKED;
        break;
    case CSEQ_CURSOR_X:
        c->cursor_x = (u16)(val << 3 | low);
        break;
    case CSEQ_CURSOR_Y:
        c->cursor_y = (u16)(val << 3 | low);
        break;
    case CSEQ_CONFIG: /* bits 5:3: the bus */
        c->seq[index] = (val & 0xc7) | (c->seq[index] & 0x38);
        break;
    default:
        c->seq[index] = val;
    }
    vga_update_window(v);
}

/* ---- graphics controller ---- */

/* Of GR0, GR1 and GR5 there is more than a VGA has. */
static bool gc_is_plain(u8 index)
{
    return index <= 8 && index != 0 && index != 1 && index != GC_MODE;
}

static u8 gc_read(const struct vga *v)
{
    u8 index = v->cx.gc_index & (CGC__COUNT - 1);

    return index == CGC_BLT_START ? cirrus_blt_status(v) : v->cx.gc[index];
}

void cirrus_gc_write(struct vga *v, u8 index, u8 val)
{
    struct cirrus *c = &v->cx;

    index &= CGC__COUNT - 1;
    if (index == CGC_BLT_START) {
        cirrus_blt_control(v, val);
        return;
    }
    c->gc[index] = val;
    if (index == CGC_BLT_DST_HIGH && c->gc[CGC_BLT_START] & BIT(7)) /* autostart */
        cirrus_blt_control(v, c->gc[CGC_BLT_START] | BIT(1));
}

/* True: the VGA has no part of it. */
static bool gc_write(struct vga *v, u8 val)
{
    u8 index = v->cx.gc_index & (CGC__COUNT - 1);

    cirrus_gc_write(v, index, val);
    if (index <= 8)
        return false;
    vga_update_window(v);
    return true;
}

/* ---- CRTC ---- */

static bool crtc_read(const struct vga *v, u8 *val)
{
    u8 index = v->crtc_index & (CCRTC__COUNT - 1);

    if (index < CCRTC_FIRST)
        return false;
    switch (index) {
    case CCRTC_LATCH:
        *val = (u8)(v->latch >> 8 * (v->gc[GC_READ_MAP] & 3));
        return true;
    case CCRTC_AC_TOGGLE:
        *val = v->ac_data ? 0x80 : 0;
        return true;
    case CCRTC_AC_INDEX:
        *val = v->ac_index & 0x3f;
        return true;
    case CCRTC_ID:
        *val = ID_GD5446;
        return true;
    default:
        *val = v->cx.crtc[index];
        return true;
    }
}

/* ---- DAC ---- */

static bool cursor_dac(const struct vga *v)
{
    return v->cx.seq[CSEQ_CURSOR_MODE] & CSEQ_CURSOR_DAC;
}

/* While SR12 says so, the DAC's data are those of the pointer and the border. */
static u8 cursor_dac_read(struct vga *v)
{
    u8 val = v->cx.cursor_dac[(v->dac_read & 15) * 3 + v->dac_sub];

    if (++v->dac_sub == 3) {
        v->dac_sub = 0;
        v->dac_read++;
    }
    return val;
}

static void cursor_dac_write(struct vga *v, u8 val)
{
    v->dac_latch[v->dac_sub] = val & 0x3f;
    if (++v->dac_sub < 3)
        return;
    v->dac_sub = 0;
    memcpy(&v->cx.cursor_dac[(v->dac_write++ & 15) * 3], v->dac_latch, 3);
}

static bool mask_read(struct cirrus *c, u8 *val)
{
    if (c->hidden_reads < HIDDEN_READS) {
        c->hidden_reads++;
        return false;
    }
    c->hidden_reads = 0;
    *val = c->hidden_dac;
    return true;
}

static bool mask_write(struct cirrus *c, u8 val)
{
    bool hidden = c->hidden_reads == HIDDEN_READS;

    c->hidden_reads = 0;
    if (hidden)
        c->hidden_dac = val;
    return hidden;
}

/* ---- ports ---- */

bool cirrus_port_read(struct vga *v, u16 port, u8 *val)
{
    struct cirrus *c = &v->cx;

    if (port == PORT_DAC_MASK)
        return mask_read(c, val);
    c->hidden_reads = 0;
    switch (port) {
    case PORT_SEQ_INDEX:
        *val = c->seq_index;
        return true;
    case PORT_SEQ_DATA:
        *val = seq_read(c);
        return !seq_is_plain(c->seq_index & 0x1f);
    case PORT_GC_INDEX:
        *val = c->gc_index;
        return true;
    case PORT_GC_DATA:
        *val = gc_read(v);
        return !gc_is_plain(c->gc_index & (CGC__COUNT - 1));
    case PORT_DAC_DATA:
        if (!cursor_dac(v))
            return false;
        *val = cursor_dac_read(v);
        return true;
    case PORT_CRTC_DATA:
        return crtc_read(v, val);
    default:
        return false;
    }
}

bool cirrus_port_write(struct vga *v, u16 port, u8 val)
{
    struct cirrus *c = &v->cx;

    if (port == PORT_DAC_MASK)
        return mask_write(c, val);
    c->hidden_reads = 0;
    switch (port) {
    case PORT_SEQ_INDEX:
        c->seq_index = val;
        return !seq_is_plain(val & 0x1f);
    case PORT_SEQ_DATA:
        if (seq_is_plain(c->seq_index & 0x1f))
            return false;
        seq_write(v, val);
        return true;
    case PORT_GC_INDEX:
        c->gc_index = val & (CGC__COUNT - 1);
        return c->gc_index > 8;
    case PORT_GC_DATA:
        return gc_write(v, val);
    case PORT_DAC_DATA:
        if (cursor_dac(v))
            cursor_dac_write(v, val);
        return cursor_dac(v);
    case PORT_CRTC_DATA:
        if (v->crtc_index >= CCRTC_FIRST)
            c->crtc[v->crtc_index & (CCRTC__COUNT - 1)] = val;
        return v->crtc_index >= CCRTC_FIRST;
    default:
        return false;
    }
}
