/* SPDX-License-Identifier: MIT */
/*
 * PS/2 mouse: the standard one, and after the drivers' knocks, three sample rates in a row, the
 * IntelliMouse (200, 100, 80: a wheel) and the IntelliMouse Explorer (200, 200, 80: two more
 * buttons).
 *
 * A packet is made when the controller takes its first byte, from all motion since the last one.
 *
 * References: [PS2-TRM] Auxiliary device: commands, packets; [MS-WHEEL] for knocks and wheel.
 * Not implemented: the sample rate does not limit how many packets there are.
 */
#include "devices/ps2mouse.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum {
    CMD_SCALING_1_1 = 0xe6,
    CMD_SCALING_2_1 = 0xe7,
    CMD_SET_RESOLUTION = 0xe8,
    CMD_STATUS = 0xe9,
    CMD_SET_STREAM = 0xea,
    CMD_READ_DATA = 0xeb,
    CMD_RESET_WRAP = 0xec,
    CMD_SET_WRAP = 0xee,
    CMD_SET_REMOTE = 0xf0,
    CMD_READ_ID = 0xf2,
    CMD_SET_RATE = 0xf3,
    CMD_ENABLE = 0xf4,
    CMD_DISABLE = 0xf5,
    CMD_SET_DEFAULT = 0xf6,
    CMD_RESEND = 0xfe,
    CMD_RESET = 0xff,

    REPLY_ACK = 0xfa,
    REPLY_RESEND = 0xfe,
    REPLY_BAT_OK = 0xaa,

    ID_STANDARD = 0,
    ID_WHEEL = 3,
    ID_EXPLORER = 4,

    STATUS_2_1 = BIT(4),
    STATUS_ENABLED = BIT(5),
    STATUS_REMOTE = BIT(6),

    PACKET_ALWAYS = BIT(3),
    PACKET_X_SIGN = BIT(4),
    PACKET_Y_SIGN = BIT(5),

    DEFAULT_RATE = 100,
    DEFAULT_RESOLUTION = 2, /* 4 counts per mm */
    REPLIES = 8,
    MOTION_MAX = 1 << 20,
};

struct ps2mouse {
    struct ps2mouse_desc desc;
    bool enabled, remote, wrap, double_scale;
    u8 rate, resolution, id;
    u8 knock[2];      /* the two sample rates before */
    u8 command;       /* that waits for its data, or 0 */
    u8 last;          /* what RESEND repeats */
    u8 buttons, told; /* now, and in the last packet */
    i32 dx, dy, dz;   /* not yet told */
    bool poked;       /* an empty packet is to be sent */
    u8 reply_count, reply[REPLIES];
    u8 packet_at, packet_len, packet[4];
};

/* ---- packets ---- */

static i32 take_motion(i32 *from, i32 min, i32 max)
{
    i32 v = *from < min ? min : *from > max ? max : *from;

    *from -= v;
    return v;
}

/* Scaling 2:1 makes fast motion faster, in packets that are not asked for [PS2-TRM]. */
static i32 scaled(const struct ps2mouse *m, i32 v)
{
    static const u8 table[6] = {0, 1, 1, 3, 6, 9};
    i32 size = v < 0 ? -v : v;

    if (!m->double_scale || m->remote)
        return v;
    size = size < 6 ? table[size] : size * 2 > 255 ? 255 : size * 2;
    return v < 0 ? -size : size;
}

static void make_packet(struct ps2mouse *m)
{
    i32 x = scaled(m, take_motion(&m->dx, -255, 255)),
        y = scaled(m, take_motion(&m->dy, -255, 255));

    m->told = m->buttons;
    m->poked = false;
    m->packet[0] = (u8)(PACKET_ALWAYS | (m->buttons & 7) | (x < 0 ? PACKET_X_SIGN : 0) |
                        (y < 0 ? PACKET_Y_SIGN : 0));
    m->packet[1] = (u8)x;
    m->packet[2] = (u8)y;
    m->packet_len = 3;
    if (m->id == ID_STANDARD)
        m->dz = 0;
    else
        m->packet[m->packet_len++] = (u8)take_motion(&m->dz, -8, 7);
    if (m->id == ID_EXPLORER)
        m->packet[3] = (u8)((m->packet[3] & 0x0f) | (m->buttons & 0x18) << 1);
    m->packet_at = 0;
}

static bool buttons_changed(const struct ps2mouse *m)
{
    u8 seen = m->id == ID_EXPLORER ? 0x1f : 0x07;

    return (m->buttons ^ m->told) & seen;
}

static bool has_news(const struct ps2mouse *m)
{
    return m->poked || m->dx || m->dy || (m->dz && m->id != ID_STANDARD) || buttons_changed(m);
}

static bool streams(const struct ps2mouse *m)
{
    return m->enabled && !m->remote && !m->wrap && has_news(m);
}

static bool mouse_pending(void *dev)
{
    const struct ps2mouse *m = dev;

    return m->reply_count || m->packet_at < m->packet_len || streams(m);
}

static u8 mouse_take(void *dev)
{
    struct ps2mouse *m = dev;

    if (m->reply_count) {
        m->last = m->reply[0];
        m->reply_count--;
        memmove(m->reply, m->reply + 1, m->reply_count);
        return m->last;
    }
    if (m->packet_at == m->packet_len)
        make_packet(m);
    m->last = m->packet[m->packet_at++];
    return m->last;
}

static i32 add_motion(i32 sum, int by)
{
    i64 v = (i64)sum + by;

    return v > MOTION_MAX ? MOTION_MAX : v < -MOTION_MAX ? -MOTION_MAX : (i32)v;
}

static void tell(struct ps2mouse *m)
{
    if (mouse_pending(m))
        line_set(&m->desc.ready, true);
}

void ps2mouse_move(struct ps2mouse *m, int dx, int dy, int dz)
{
    if (!m->enabled && !m->remote)
        return;
    m->dx = add_motion(m->dx, dx);
    m->dy = add_motion(m->dy, dy > -MOTION_MAX ? -dy : MOTION_MAX); /* up is positive */
    m->dz = add_motion(m->dz, dz);
    tell(m);
}

void ps2mouse_buttons(struct ps2mouse *m, u8 down)
{
    m->buttons = down & 0x1f;
    tell(m);
}

void ps2mouse_poke(void *mouse, unsigned pin, bool level)
{
    struct ps2mouse *m = mouse;

    (void)pin;
    m->poked |= level && m->enabled;
    tell(m);
}

bool ps2mouse_idle(const struct ps2mouse *m)
{
    return !streams(m) || !buttons_changed(m);
}

/* ---- commands ---- */

static void reply(struct ps2mouse *m, u8 byte)
{
    if (m->reply_count < REPLIES)
        m->reply[m->reply_count++] = byte;
}

static void forget_motion(struct ps2mouse *m)
{
    m->dx = m->dy = m->dz = 0;
    m->poked = false;
    m->packet_at = m->packet_len = 0;
    m->told = m->buttons;
}

static void set_defaults(struct ps2mouse *m)
{
    m->enabled = m->remote = m->wrap = m->double_scale = false;
    m->rate = DEFAULT_RATE;
    m->resolution = DEFAULT_RESOLUTION;
    forget_motion(m);
}

static void self_test(struct ps2mouse *m)
{
    set_defaults(m);
    m->id = ID_STANDARD;
    m->command = 0;
    m->reply_count = 0;
    memset(m->knock, 0, sizeof(m->knock));
}

static void set_rate(struct ps2mouse *m, u8 rate)
{
    if (rate == 80 && m->knock[0] == 200 && m->knock[1] == 100)
        m->id = ID_WHEEL;
    else if (rate == 80 && m->knock[0] == 200 && m->knock[1] == 200)
        m->id = ID_EXPLORER;
    m->knock[0] = m->knock[1];
    m->knock[1] = rate;
    m->rate = rate;
}

static void reply_status(struct ps2mouse *m)
{
    unsigned left_to_right = (m->buttons & PS2MOUSE_LEFT ? BIT(2) : 0) |
                             (m->buttons & PS2MOUSE_MIDDLE ? BIT(1) : 0) |
                             (m->buttons & PS2MOUSE_RIGHT ? BIT(0) : 0);

    reply(m, (u8)(left_to_right | (m->double_scale ? STATUS_2_1 : 0) |
                  (m->enabled ? STATUS_ENABLED : 0) | (m->remote ? STATUS_REMOTE : 0)));
    reply(m, m->resolution);
    reply(m, m->rate);
}

static void write_data(struct ps2mouse *m, u8 command, u8 val)
{
    if (command == CMD_SET_RATE)
        set_rate(m, val);
    else
        m->resolution = val & 3;
    reply(m, REPLY_ACK);
}

/* Commands that change a mode; false: @val is another one. */
static bool write_mode(struct ps2mouse *m, u8 val)
{
    switch (val) {
    case CMD_SCALING_1_1:
    case CMD_SCALING_2_1:
        m->double_scale = val == CMD_SCALING_2_1;
        break;
    case CMD_SET_STREAM:
    case CMD_SET_REMOTE:
        m->remote = val == CMD_SET_REMOTE;
        forget_motion(m);
        break;
    case CMD_SET_WRAP:
    case CMD_RESET_WRAP:
        m->wrap = val == CMD_SET_WRAP;
        break;
    case CMD_ENABLE:
    case CMD_DISABLE:
        m->enabled = val == CMD_ENABLE;
        forget_motion(m);
        break;
    case CMD_SET_DEFAULT:
        set_defaults(m);
        break;
    default:
        return false;
    }
    reply(m, REPLY_ACK);
    return true;
}

static void write_command(struct ps2mouse *m, u8 val)
{
    if (write_mode(m, val))
        return;
    switch (val) {
    case CMD_SET_RESOLUTION:
    case CMD_SET_RATE:
        m->command = val;
        reply(m, REPLY_ACK);
        break;
    case CMD_STATUS:
        reply(m, REPLY_ACK);
        reply_status(m);
        break;
    case CMD_READ_DATA:
        reply(m, REPLY_ACK);
        make_packet(m);
        break;
    case CMD_READ_ID:
        reply(m, REPLY_ACK);
        reply(m, m->id);
        break;
    case CMD_RESET:
        self_test(m);
        reply(m, REPLY_ACK);
        reply(m, REPLY_BAT_OK);
        reply(m, m->id);
        break;
    default:
        log_guest(KBD, "unknown mouse command %02x", val);
        reply(m, REPLY_RESEND);
        break;
    }
}

static void mouse_write(void *dev, u8 val)
{
    struct ps2mouse *m = dev;
    u8 command = m->command;

    log_trace(KBD, "mouse gets %02x for command %02x", val, command);
    m->command = 0;
    if (m->wrap && val != CMD_RESET && val != CMD_RESET_WRAP) {
        reply(m, val);
    } else if (val == CMD_RESEND) {
        reply(m, m->last);
    } else {
        m->packet_at = m->packet_len = 0; /* the rest of a packet is dropped */
        m->reply_count = 0;
        if (command)
            write_data(m, command, val);
        else
            write_command(m, val);
    }
    line_set(&m->desc.ready, true);
}

const struct ps2_device_ops ps2mouse_ops = {
    .pending = mouse_pending,
    .take = mouse_take,
    .write = mouse_write,
};

static const struct field mouse_fields[] = {
    FIELD(struct ps2mouse, enabled),      FIELD(struct ps2mouse, remote),
    FIELD(struct ps2mouse, wrap),         FIELD(struct ps2mouse, double_scale),
    FIELD(struct ps2mouse, rate),         FIELD(struct ps2mouse, resolution),
    FIELD(struct ps2mouse, id),           FIELD_ARRAY(struct ps2mouse, knock),
    FIELD(struct ps2mouse, command),      FIELD(struct ps2mouse, last),
    FIELD(struct ps2mouse, buttons),      FIELD(struct ps2mouse, told),
    FIELD(struct ps2mouse, dx),           FIELD(struct ps2mouse, dy),
    FIELD(struct ps2mouse, dz),           FIELD(struct ps2mouse, poked),
    FIELD(struct ps2mouse, reply_count),  FIELD_ARRAY(struct ps2mouse, reply),
    FIELD(struct ps2mouse, packet_at),    FIELD(struct ps2mouse, packet_len),
    FIELD_ARRAY(struct ps2mouse, packet), FIELDS_END,
};

/* As the keyboard: its self-test after power-on is long over. Buttons are the user's. */
static void mouse_reset(void *dev)
{
    self_test(dev);
}

static void mouse_loaded(void *dev)
{
    struct ps2mouse *m = dev;

    if (m->reply_count > REPLIES)
        m->reply_count = REPLIES;
    if (m->packet_len > sizeof(m->packet) || m->packet_at > m->packet_len)
        m->packet_at = m->packet_len = 0;
}

static void mouse_destroy(void *dev)
{
    free(dev);
}

const struct device_class ps2mouse_class = {
    .name = "ps2mouse",
    .version = 2,
    .fields = mouse_fields,
    .reset = mouse_reset,
    .loaded = mouse_loaded,
    .destroy = mouse_destroy,
};

enum status ps2mouse_create(struct ps2mouse **out, const struct ps2mouse_desc *desc)
{
    struct ps2mouse *m = calloc(1, sizeof(*m));
    if (!m)
        return STATUS_NO_MEMORY;

    m->desc = *desc;
    mouse_reset(m);
    *out = m;
    return STATUS_OK;
}
