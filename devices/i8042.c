/* SPDX-License-Identifier: MIT */
/*
 * The 8042 keyboard controller with the PS/2's program: keyboard and auxiliary port. Its own
 * answers are in the output buffer at once; a byte from a device takes the wire's time after the
 * buffer was read. Commands are done when they are written, so IBF is never seen set.
 *
 * References: [PS2-TRM] Keyboard and Auxiliary Device Controller; [8042-AT] for A20 and reset.
 * Not implemented: passwords (none is installed), the firmware's RAM beyond the command byte as
 * anything but storage, diagnostic dump (ACh), polling of the input port (C1h, C2h), test inputs
 * other than both clocks released.
 */
#include "devices/i8042.h"

#include <stdlib.h>

#include "base/log.h"

enum {
    KBC_DATA = 0x60,
    KBC_COMMAND = 0x64,

    STATUS_OBF = BIT(0),
    STATUS_SYS = BIT(2),
    STATUS_CMD = BIT(3), /* the last write went to 64h */
    STATUS_UNLOCKED = BIT(4),
    STATUS_AUX_OBF = BIT(5),
    STATUS_TIMEOUT = BIT(6),

    CCB_INT = BIT(0),
    CCB_INT2 = BIT(1),
    CCB_SYS = BIT(2),
    CCB_DISABLE = BIT(4), /* holds the keyboard's clock low */
    CCB_DISABLE2 = BIT(5),
    CCB_XLAT = BIT(6),

    CMD_READ_RAM = 0x20, /* to 3Fh; byte 0 is the command byte */
    CMD_WRITE_RAM = 0x60,
    CMD_TEST_PASSWORD = 0xa4,
    CMD_DISABLE_AUX = 0xa7,
    CMD_ENABLE_AUX = 0xa8,
    CMD_TEST_AUX = 0xa9,
    CMD_SELF_TEST = 0xaa,
    CMD_TEST_KEYBOARD = 0xab,
    CMD_DISABLE_KEYBOARD = 0xad,
    CMD_ENABLE_KEYBOARD = 0xae,
    CMD_READ_INPUT_PORT = 0xc0,
    CMD_READ_OUTPUT_PORT = 0xd0,
    CMD_WRITE_OUTPUT_PORT = 0xd1,
    CMD_WRITE_KEYBOARD_BUFFER = 0xd2,
    CMD_WRITE_AUX_BUFFER = 0xd3,
    CMD_WRITE_AUX = 0xd4,
    CMD_DISABLE_A20 = 0xdd,
    CMD_ENABLE_A20 = 0xdf,
    CMD_READ_TEST_INPUTS = 0xe0,
    CMD_PULSE_OUTPUT = 0xf0, /* to FFh: bits that are 0 pulse low */

    OUTPUT_NOT_RESET = BIT(0),
    OUTPUT_A20 = BIT(1),
    OUTPUT_IRQ1 = BIT(4),
    OUTPUT_IRQ12 = BIT(5),
    OUTPUT_PINS = 0xcf, /* those that are latches; the other two show the interrupts */

    INPUT_PORT = 0xb0, /* not locked, colour display, manufacturing jumper open */
    NO_PASSWORD = 0xf1,
    SELF_TEST_OK = 0x55,
    PORT_OK = 0x00,
    DEVICE_RESEND = 0xfe, /* the controller's stand-in for a device that does not answer */
    RELEASE_PREFIX = 0xf0,

    REPLIES = 4,
    RAM_BYTES = 32,
    BYTE_NS = 100000, /* real wires take 1 ms */
    NO_ANSWER_NS = 2000000,
};

struct reply {
    u8 byte, status; /* status: STATUS_AUX_OBF, STATUS_TIMEOUT */
};

struct i8042 {
    struct i8042_desc desc;
    u32 timer;
    const struct ps2_device_ops *ops[2];
    void *dev[2];

    u8 ram[RAM_BYTES]; /* ram[0] is the controller command byte     */
    u8 status, obuf, output_port;
    u8 command;    /* the command that waits for its data, or 0 */
    bool released; /* the translator has seen F0h               */
    u8 reply_count;
    struct reply reply[REPLIES]; /* answers that wait for the buffer */
    u64 reply_at;                /* and not before this time         */
};

static u8 *kbc_ccb(struct i8042 *k)
{
    return &k->ram[0];
}

/* --- output buffer --- */

static void kbc_drive(struct i8042 *k)
{
    bool full = k->status & STATUS_OBF;
    bool aux = k->status & STATUS_AUX_OBF;
    u8 ccb = *kbc_ccb(k);

    line_set(&k->desc.irq1, full && !aux && ccb & CCB_INT && !(ccb & CCB_DISABLE));
    line_set(&k->desc.irq12, full && aux && ccb & CCB_INT2);
}

static void kbc_fill(struct i8042 *k, u8 byte, u8 status)
{
    k->obuf = byte;
    k->status &= (u8) ~(STATUS_AUX_OBF | STATUS_TIMEOUT);
    k->status |= STATUS_OBF | status;
    log_trace(KBD, "output %02x status=%02x", byte, k->status);
    kbc_drive(k);
}

static bool kbc_port_pending(struct i8042 *k, enum i8042_port port)
{
    u8 inhibit = port == I8042_AUX ? CCB_DISABLE2 : CCB_DISABLE;

    return k->ops[port] && !(*kbc_ccb(k) & inhibit) && k->ops[port]->pending(k->dev[port]);
}

/* False if the byte is swallowed: a release prefix becomes bit 7 of the code that follows. */
static bool kbc_translate(struct i8042 *k, u8 *byte)
{
    if (!(*kbc_ccb(k) & CCB_XLAT))
        return true;
    if (*byte == RELEASE_PREFIX) {
        k->released = true;
        return false;
    }

    u8 code = *byte;
    if (code < 0x80)
        code = ps2_set2_to_set1[code];
    else if (code == 0x83)
        code = 0x41;
    else if (code == 0x84)
        code = 0x54;
    if (k->released)
        code |= 0x80;
    k->released = false;
    *byte = code;
    return true;
}

/* The buffer is free: an answer of our own goes first, then the devices, a byte at a time. */
static void kbc_schedule(struct i8042 *k)
{
    u64 now = clock_now(k->desc.clk);
    u64 at = CLOCK_NEVER;

    if (!(k->status & STATUS_OBF)) {
        if (k->reply_count)
            at = k->reply_at;
        else if (kbc_port_pending(k, I8042_KEYBOARD) || kbc_port_pending(k, I8042_AUX))
            at = now + k->desc.byte_ns;
    }
    if (at == CLOCK_NEVER || clock_deadline(k->desc.clk, k->timer) > at)
        clock_arm(k->desc.clk, k->timer, at);
}

static void kbc_deliver_reply(struct i8042 *k)
{
    struct reply r = k->reply[0];

    k->reply_count--;
    for (unsigned i = 0; i < k->reply_count; i++)
        k->reply[i] = k->reply[i + 1];
    kbc_fill(k, r.byte, r.status);
}

/* A swallowed prefix and its code pass together: no answer may come between them. */
static void kbc_take_scan_code(struct i8042 *k)
{
    u8 byte;

    do {
        byte = k->ops[I8042_KEYBOARD]->take(k->dev[I8042_KEYBOARD]);
        if (kbc_translate(k, &byte)) {
            kbc_fill(k, byte, 0);
            return;
        }
    } while (kbc_port_pending(k, I8042_KEYBOARD));
}

static void kbc_on_timer(void *dev, u32 arg)
{
    struct i8042 *k = dev;

    (void)arg;
    if (k->status & STATUS_OBF)
        return;
    if (k->reply_count) {
        if (k->reply_at <= clock_now(k->desc.clk))
            kbc_deliver_reply(k);
    } else if (kbc_port_pending(k, I8042_KEYBOARD)) {
        kbc_take_scan_code(k);
    } else if (kbc_port_pending(k, I8042_AUX)) {
        kbc_fill(k, k->ops[I8042_AUX]->take(k->dev[I8042_AUX]), STATUS_AUX_OBF);
    }
    kbc_schedule(k);
}

static void kbc_reply_after(struct i8042 *k, u8 byte, u8 status, u64 delay)
{
    if (k->reply_count == REPLIES) {
        log_guest(KBD, "answer %02x lost: nobody reads", byte);
        return;
    }
    k->reply[k->reply_count++] = (struct reply){byte, status};
    k->reply_at = clock_now(k->desc.clk) + delay;
    if (delay == 0 && !(k->status & STATUS_OBF))
        kbc_deliver_reply(k);
    kbc_schedule(k);
}

static void kbc_reply(struct i8042 *k, u8 byte)
{
    kbc_reply_after(k, byte, 0, 0);
}

void i8042_device_ready(void *ctx, unsigned port, bool level)
{
    (void)port;
    if (level)
        kbc_schedule(ctx);
}

/* --- commands --- */

static u8 kbc_output_port(const struct i8042 *k)
{
    u8 val = k->output_port;

    if (k->status & STATUS_OBF)
        val |= k->status & STATUS_AUX_OBF ? OUTPUT_IRQ12 : OUTPUT_IRQ1;
    return val;
}

static void kbc_set_output_port(struct i8042 *k, u8 val)
{
    k->output_port = val & OUTPUT_PINS;
    line_set(&k->desc.a20, val & OUTPUT_A20);
    if (!(val & OUTPUT_NOT_RESET)) {
        log_trace(A20, "reset by output port");
        line_set(&k->desc.reset, true);
        line_set(&k->desc.reset, false);
        k->output_port |= OUTPUT_NOT_RESET; /* a CPU held in reset could not let go of it */
    }
}

static void kbc_set_ccb(struct i8042 *k, u8 val)
{
    *kbc_ccb(k) = val;
    if (val & CCB_SYS)
        k->status |= STATUS_SYS;
    else
        k->status &= (u8)~STATUS_SYS;
    kbc_drive(k);
    kbc_schedule(k);
}

/* Sending to a device releases its clock. */
static void kbc_send(struct i8042 *k, enum i8042_port port, u8 byte)
{
    u8 inhibit = port == I8042_AUX ? CCB_DISABLE2 : CCB_DISABLE;

    kbc_set_ccb(k, *kbc_ccb(k) & (u8)~inhibit);
    if (k->ops[port]) {
        k->ops[port]->write(k->dev[port], byte);
        kbc_schedule(k);
        return;
    }
    kbc_reply_after(k, DEVICE_RESEND, STATUS_TIMEOUT | (port == I8042_AUX ? STATUS_AUX_OBF : 0),
                    NO_ANSWER_NS);
}

static void kbc_self_test(struct i8042 *k)
{
    k->reply_count = 0;
    k->released = false;
    k->status |= STATUS_SYS;
    *kbc_ccb(k) |= CCB_SYS;
    kbc_fill(k, SELF_TEST_OK, 0);
    kbc_schedule(k);
}

static void kbc_write_command(struct i8042 *k, u8 val)
{
    log_trace(KBD, "command %02x", val);
    k->status |= STATUS_CMD;
    k->command = 0;
    if (val >= CMD_PULSE_OUTPUT) {
        if (!(val & OUTPUT_NOT_RESET))
            kbc_set_output_port(k, k->output_port & (u8)~OUTPUT_NOT_RESET);
        return;
    }
    if (val >= CMD_READ_RAM && val < CMD_READ_RAM + RAM_BYTES) {
        kbc_reply(k, k->ram[val - CMD_READ_RAM]);
        return;
    }
    if (val >= CMD_WRITE_RAM && val < CMD_WRITE_RAM + RAM_BYTES) {
        k->command = val;
        return;
    }
    switch (val) {
    case CMD_TEST_PASSWORD:
        kbc_reply(k, NO_PASSWORD);
        break;
    case CMD_DISABLE_AUX:
        kbc_set_ccb(k, *kbc_ccb(k) | CCB_DISABLE2);
        break;
    case CMD_ENABLE_AUX:
        kbc_set_ccb(k, *kbc_ccb(k) & (u8)~CCB_DISABLE2);
        break;
    case CMD_TEST_AUX:
    case CMD_TEST_KEYBOARD:
        kbc_reply(k, PORT_OK);
        break;
    case CMD_SELF_TEST:
        kbc_self_test(k);
        break;
    case CMD_DISABLE_KEYBOARD:
        kbc_set_ccb(k, *kbc_ccb(k) | CCB_DISABLE);
        break;
    case CMD_ENABLE_KEYBOARD:
        kbc_set_ccb(k, *kbc_ccb(k) & (u8)~CCB_DISABLE);
        break;
    case CMD_READ_INPUT_PORT:
        kbc_reply(k, INPUT_PORT);
        break;
    case CMD_READ_OUTPUT_PORT:
        kbc_reply(k, kbc_output_port(k));
        break;
    case CMD_WRITE_OUTPUT_PORT:
    case CMD_WRITE_KEYBOARD_BUFFER:
    case CMD_WRITE_AUX_BUFFER:
    case CMD_WRITE_AUX:
        k->command = val;
        break;
    case CMD_DISABLE_A20:
        kbc_set_output_port(k, k->output_port & (u8)~OUTPUT_A20);
        break;
    case CMD_ENABLE_A20:
        kbc_set_output_port(k, k->output_port | OUTPUT_A20);
        break;
    case CMD_READ_TEST_INPUTS:
        kbc_reply(k, 0x03);
        break;
    default:
        log_guest(KBD, "unknown controller command %02x", val);
        break;
    }
}

static void kbc_write_data(struct i8042 *k, u8 val)
{
    u8 command = k->command;

    log_trace(KBD, "data %02x for command %02x", val, command);
    k->status &= (u8)~STATUS_CMD;
    k->command = 0;
    switch (command) {
    case 0:
        kbc_send(k, I8042_KEYBOARD, val);
        break;
    case CMD_WRITE_RAM:
        kbc_set_ccb(k, val);
        break;
    case CMD_WRITE_OUTPUT_PORT:
        kbc_set_output_port(k, val);
        break;
    case CMD_WRITE_KEYBOARD_BUFFER:
        kbc_reply(k, val);
        break;
    case CMD_WRITE_AUX_BUFFER:
        kbc_reply_after(k, val, STATUS_AUX_OBF, 0);
        break;
    case CMD_WRITE_AUX:
        kbc_send(k, I8042_AUX, val);
        break;
    default:
        k->ram[(command - CMD_WRITE_RAM) % RAM_BYTES] = val;
        break;
    }
}

/* --- registers --- */

static u8 kbc_read_data(struct i8042 *k)
{
    if (!(k->status & STATUS_OBF))
        return k->obuf;
    k->status &= (u8) ~(STATUS_OBF | STATUS_AUX_OBF | STATUS_TIMEOUT);
    kbc_drive(k);

    u8 val = k->obuf;
    if (k->reply_count && k->reply_at <= clock_now(k->desc.clk))
        kbc_deliver_reply(k);
    kbc_schedule(k);
    return val;
}

static u32 kbc_data_in(void *dev, u16 off, enum width width)
{
    (void)off, (void)width;
    return kbc_read_data(dev);
}

static void kbc_data_out(void *dev, u16 off, u32 val, enum width width)
{
    (void)off, (void)width;
    kbc_write_data(dev, (u8)val);
}

static u32 kbc_status_in(void *dev, u16 off, enum width width)
{
    const struct i8042 *k = dev;

    (void)off, (void)width;
    return k->status;
}

static void kbc_command_out(void *dev, u16 off, u32 val, enum width width)
{
    (void)off, (void)width;
    kbc_write_command(dev, (u8)val);
}

static const struct ioport_ops kbc_data_ops = {kbc_data_in, kbc_data_out, W8};
static const struct ioport_ops kbc_command_ops = {kbc_status_in, kbc_command_out, W8};

static const struct field reply_fields[] = {
    FIELD(struct reply, byte),
    FIELD(struct reply, status),
    FIELDS_END,
};

static const struct field kbc_fields[] = {
    FIELD_ARRAY(struct i8042, ram),   FIELD(struct i8042, status),
    FIELD(struct i8042, obuf),        FIELD(struct i8042, output_port),
    FIELD(struct i8042, command),     FIELD(struct i8042, released),
    FIELD(struct i8042, reply_count), FIELD_STRUCTS(struct i8042, reply, reply_fields),
    FIELD(struct i8042, reply_at),    FIELDS_END,
};

void i8042_attach(struct i8042 *k, enum i8042_port port, const struct ps2_device_ops *ops,
                  void *dev)
{
    k->ops[port] = ops;
    k->dev[port] = dev;
    kbc_schedule(k);
}

/* The pins of the output port are inputs after reset, and pulled high: A20 passes. */
static void kbc_reset(void *dev)
{
    struct i8042 *k = dev;

    for (unsigned i = 0; i < RAM_BYTES; i++)
        k->ram[i] = 0;
    *kbc_ccb(k) = CCB_INT | CCB_INT2;
    k->status = STATUS_UNLOCKED;
    k->obuf = 0;
    k->output_port = OUTPUT_PINS;
    k->command = 0;
    k->released = false;
    k->reply_count = 0;
    k->reply_at = 0;
    line_set(&k->desc.a20, true);
    kbc_drive(k);
    kbc_schedule(k);
}

static void kbc_loaded(void *dev)
{
    struct i8042 *k = dev;

    if (k->reply_count > REPLIES)
        k->reply_count = REPLIES;
    line_set(&k->desc.a20, k->output_port & OUTPUT_A20);
    kbc_drive(k);
}

static void kbc_destroy(void *dev)
{
    free(dev);
}

const struct device_class i8042_class = {
    .name = "i8042",
    .version = 1,
    .fields = kbc_fields,
    .reset = kbc_reset,
    .loaded = kbc_loaded,
    .destroy = kbc_destroy,
};

enum status i8042_create(struct i8042 **out, const struct i8042_desc *desc)
{
    struct i8042 *k = calloc(1, sizeof(*k));
    if (!k)
        return STATUS_NO_MEMORY;

    k->desc = *desc;
    if (!k->desc.byte_ns)
        k->desc.byte_ns = BYTE_NS;
    enum status s = clock_add(desc->clk, "i8042", kbc_on_timer, k, 0, &k->timer);
    if (s == STATUS_OK)
        s = ioport_claim(desc->io, KBC_DATA, 1, &kbc_data_ops, k);
    if (s == STATUS_OK)
        s = ioport_claim(desc->io, KBC_COMMAND, 1, &kbc_command_ops, k);
    if (s != STATUS_OK) {
        free(k);
        return s;
    }
    kbc_reset(k);
    *out = k;
    return STATUS_OK;
}
