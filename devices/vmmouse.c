/* SPDX-License-Identifier: MIT */
/*
 * VMware's backdoor: IN EAX, DX from port 5658h with EAX = 564D5868h is a call, whose number is in
 * CX, whose argument is in EBX, and which returns in EAX to EDX. Of its calls here are the version
 * and those of the absolute pointing device. The device itself has no interrupt: the PS/2 mouse,
 * which it replaces, sends an empty packet when there is something in the queue.
 *
 * References: [VMMOUSE], the protocol as drivers use it.
 * Not implemented: other calls (EAX is all ones), restricting it to privileged code.
 */
#include "devices/vmmouse.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/log.h"
#include "devices/ps2mouse.h"

enum {
    PORT = 0x5658,
    PORTS = 4, /* one access of 32 bits */
    QUEUE = 64,
    PACKET_WORDS = 4,

    CALL_VERSION = 10,
    CALL_DATA = 39,
    CALL_STATUS = 40,
    CALL_COMMAND = 41,
    VERSION = 6,
    PRODUCT = 2,

    BUTTON_LEFT = BIT(5),
    BUTTON_RIGHT = BIT(4),
    BUTTON_MIDDLE = BIT(3),
    PACKET_RELATIVE = BIT(16),
};

#define MAGIC       0x564d5868u
#define NOTHING     0xffffffffu
#define STATUS_OFF  0xffff0000u
#define ID          0x3442554au /* "JUB4" */
#define CMD_ENABLE  0x45414552u
#define CMD_DISABLE 0x000000f5u
#define CMD_REL     0x4c455252u
#define CMD_ABS     0x53424152u

struct vmmouse {
    struct vmmouse_desc desc;
    bool enabled, absolute;
    u8 buttons;
    u16 x, y;
    u32 count; /* words in the queue, oldest first */
    u32 queue[QUEUE * PACKET_WORDS];
};

/* ---- the queue ---- */

static u32 button_bits(const struct vmmouse *v)
{
    return (v->buttons & PS2MOUSE_LEFT ? BUTTON_LEFT : 0u) |
           (v->buttons & PS2MOUSE_RIGHT ? BUTTON_RIGHT : 0u) |
           (v->buttons & PS2MOUSE_MIDDLE ? BUTTON_MIDDLE : 0u);
}

/* Only the last place of the pointer matters: positions that nobody has fetched become one. */
static bool replaces(const u32 *last, u32 head, int dz)
{
    return dz == 0 && last[3] == 0 && last[0] == head && !(head & PACKET_RELATIVE);
}

static void push(struct vmmouse *v, u32 head, u32 x, u32 y, int dz)
{
    u32 *at = v->queue + v->count;

    if (v->count >= PACKET_WORDS && replaces(at - PACKET_WORDS, head, dz))
        at -= PACKET_WORDS;
    else if (v->count + PACKET_WORDS > QUEUE * PACKET_WORDS)
        at = NULL; /* a guest that does not fetch */
    else
        v->count += PACKET_WORDS;
    if (at) {
        at[0] = head;
        at[1] = x;
        at[2] = y;
        at[3] = (u32)dz;
    }
    line_set(&v->desc.news, true);
}

static void push_place(struct vmmouse *v, int dz)
{
    push(v, button_bits(v), v->x, v->y, dz);
}

static u32 pop(struct vmmouse *v)
{
    u32 word = v->count ? v->queue[0] : 0;

    if (v->count) {
        v->count--;
        memmove(v->queue, v->queue + 1, v->count * sizeof(*v->queue));
        v->queue[v->count] = 0; /* what is gone is no state */
    }
    return word;
}

bool vmmouse_active(const struct vmmouse *v)
{
    return v->enabled;
}

bool vmmouse_absolute(const struct vmmouse *v)
{
    return v->enabled && v->absolute;
}

bool vmmouse_idle(const struct vmmouse *v)
{
    return v->count == 0;
}

void vmmouse_point(struct vmmouse *v, u16 x, u16 y)
{
    if (x == v->x && y == v->y)
        return;
    v->x = x;
    v->y = y;
    push_place(v, 0);
}

void vmmouse_move(struct vmmouse *v, int dx, int dy, int dz)
{
    if (dx || dy || !v->absolute)
        push(v, button_bits(v) | PACKET_RELATIVE, (u32)dx, 0u - (u32)dy, dz); /* up is positive */
    else
        push_place(v, dz);
}

void vmmouse_buttons(struct vmmouse *v, u8 down)
{
    if (v->buttons == down)
        return;
    v->buttons = down;
    if (v->absolute)
        push_place(v, 0);
    else
        push(v, button_bits(v) | PACKET_RELATIVE, 0, 0, 0);
}

/* ---- the port ---- */

static void forget(struct vmmouse *v)
{
    memset(v->queue, 0, sizeof(v->queue));
    v->count = 0;
}

static void set_enabled(struct vmmouse *v, bool on)
{
    forget(v);
    v->enabled = on;
    v->absolute = false;
    v->buttons = 0;
    if (on)
        v->queue[v->count++] = ID;
}

static void command(struct vmmouse *v, u32 cmd)
{
    log_trace(KBD, "vmmouse command=%08x", cmd);
    switch (cmd) {
    case CMD_ENABLE:
    case CMD_DISABLE:
        set_enabled(v, cmd == CMD_ENABLE);
        break;
    case CMD_ABS:
    case CMD_REL:
        v->absolute = cmd == CMD_ABS;
        break;
    default:
        log_guest(KBD, "unknown vmmouse command %08x", cmd);
        break;
    }
}

/* Up to four words, which take the place of the registers. */
static void data(struct vmmouse *v, struct vmmouse_regs *r)
{
    u32 *to[PACKET_WORDS] = {&r->eax, &r->ebx, &r->ecx, &r->edx};
    u32 n = r->ebx;

    if (n == 0 || n > PACKET_WORDS || n > v->count) {
        log_guest(KBD, "vmmouse: %u words of %u", n, v->count);
        set_enabled(v, false);
        r->eax = NOTHING;
        return;
    }
    for (u32 i = 0; i < n; i++)
        *to[i] = pop(v);
}

static void call(struct vmmouse *v, struct vmmouse_regs *r)
{
    switch (r->ecx & 0xffff) {
    case CALL_VERSION:
        r->eax = VERSION;
        r->ebx = MAGIC;
        r->ecx = PRODUCT;
        break;
    case CALL_DATA:
        data(v, r);
        break;
    case CALL_STATUS:
        r->eax = v->enabled ? v->count : STATUS_OFF;
        break;
    case CALL_COMMAND:
        command(v, r->ebx);
        r->eax = 0;
        break;
    default:
        r->eax = NOTHING;
        break;
    }
}

static u32 port_read(void *dev, u16 off, enum width width)
{
    struct vmmouse *v = dev;
    struct vmmouse_regs r;

    if (off || width != W32)
        return NOTHING & (u32)width_mask(width);
    v->desc.get(v->desc.ctx, &r);
    if (r.eax != MAGIC)
        return NOTHING;
    call(v, &r);
    v->desc.set(v->desc.ctx, &r);
    return r.eax;
}

static void port_write(void *dev, u16 off, u32 val, enum width width)
{
    (void)dev, (void)off, (void)val, (void)width;
}

static const struct ioport_ops ops = {.read = port_read, .write = port_write, .max = W32};

static const struct field vmmouse_fields[] = {
    FIELD(struct vmmouse, enabled),     FIELD(struct vmmouse, absolute),
    FIELD(struct vmmouse, buttons),     FIELD(struct vmmouse, x),
    FIELD(struct vmmouse, y),           FIELD(struct vmmouse, count),
    FIELD_ARRAY(struct vmmouse, queue), FIELDS_END,
};

static void vmmouse_reset(void *dev)
{
    struct vmmouse *v = dev;

    set_enabled(v, false);
    v->x = v->y = 0;
}

static void vmmouse_loaded(void *dev)
{
    struct vmmouse *v = dev;

    if (v->count > QUEUE * PACKET_WORDS)
        forget(v);
}

static void vmmouse_destroy(void *dev)
{
    free(dev);
}

const struct device_class vmmouse_class = {
    .name = "vmmouse",
    .version = 1,
    .fields = vmmouse_fields,
    .reset = vmmouse_reset,
    .loaded = vmmouse_loaded,
    .destroy = vmmouse_destroy,
};

enum status vmmouse_create(struct vmmouse **out, const struct vmmouse_desc *desc)
{
    struct vmmouse *v = calloc(1, sizeof(*v));
    if (!v)
        return STATUS_NO_MEMORY;

    v->desc = *desc;
    enum status s = ioport_claim(desc->io, PORT, PORTS, &ops, v);
    if (s != STATUS_OK) {
        free(v);
        return s;
    }
    vmmouse_reset(v);
    *out = v;
    return STATUS_OK;
}
