/* SPDX-License-Identifier: MIT */
/*
 * PS/2 keyboard: scan code sets 1, 2 and 3, the commands of the enhanced keyboard, 16 bytes of
 * buffer. The host's keyboard repeats keys, so the rate that F3h sets is only remembered.
 *
 * References: [PS2-TRM] Keyboards: commands, scan codes, buffer overrun.
 * Not implemented: the shift codes around cursor keys while Num Lock is on.
 */
#include "devices/ps2kbd.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum {
    CMD_SET_LEDS = 0xed,
    CMD_ECHO = 0xee,
    CMD_SCAN_CODE_SET = 0xf0,
    CMD_READ_ID = 0xf2,
    CMD_SET_RATE = 0xf3,
    CMD_ENABLE = 0xf4,
    CMD_DEFAULT_DISABLE = 0xf5,
    CMD_SET_DEFAULT = 0xf6,
    CMD_ALL_TYPEMATIC = 0xf7,
    CMD_ALL_MAKE_BREAK = 0xf8,
    CMD_ALL_MAKE = 0xf9,
    CMD_ALL_TYPEMATIC_MAKE_BREAK = 0xfa,
    CMD_KEY_TYPEMATIC = 0xfb,
    CMD_KEY_MAKE_BREAK = 0xfc,
    CMD_KEY_MAKE = 0xfd,
    CMD_RESEND = 0xfe,
    CMD_RESET = 0xff,

    REPLY_ACK = 0xfa,
    REPLY_RESEND = 0xfe,
    REPLY_BAT_OK = 0xaa,
    ID_LOW = 0xab,
    ID_HIGH = 0x83,

    OVERRUN_SET1 = 0xff,
    OVERRUN_SET2 = 0x00,
    RELEASE = 0xf0, /* prefix of sets 2 and 3; set 1 has bit 7 */

    KIND = PS2_SET3_REPEATS | PS2_SET3_BREAKS,
    HELD = BIT(7), /* in the same byte: the key is down */

    DEFAULT_RATE = 0x2b, /* 10.9 per second after 500 ms */

    KEY_CTRL = 0x1d,
    KEY_LEFT_SHIFT = 0x2a,
    KEY_RIGHT_SHIFT = 0x36,
    KEY_ALT = 0x38,
    KEY_SYSRQ = 0x54,
    KEY_BREAK = 0x46, /* behind E0h */
    KEY_NUM_LOCK = 0x45,

    BUFFER_SIZE = 16,
    REPLIES = 8,
};

/* Which modifiers are down: Pause and PrintScreen depend on them. */
enum modifier {
    MOD_LEFT_SHIFT = BIT(0),
    MOD_RIGHT_SHIFT = BIT(1),
    MOD_LEFT_CTRL = BIT(2),
    MOD_RIGHT_CTRL = BIT(3),
    MOD_LEFT_ALT = BIT(4),
    MOD_RIGHT_ALT = BIT(5),
    MOD_SHIFT = MOD_LEFT_SHIFT | MOD_RIGHT_SHIFT,
    MOD_CTRL = MOD_LEFT_CTRL | MOD_RIGHT_CTRL,
    MOD_ALT = MOD_LEFT_ALT | MOD_RIGHT_ALT,
};

struct ps2kbd {
    struct ps2kbd_desc desc;
    bool scanning;
    u8 set; /* 1, 2 or 3                                    */
    u8 leds, rate;
    u8 command; /* the command that waits for its data, or 0    */
    u8 last;    /* what RESEND repeats                          */
    u8 modifiers;
    bool sysrq; /* PrintScreen went down as SysRq               */
    bool overrun;
    u8 reply_count, head, count;
    u8 reply[REPLIES];       /* answers go before keys               */
    u8 buffer[BUFFER_SIZE];  /* scan codes                           */
    u8 keys[PS2_SET3_CODES]; /* KIND | HELD, by set 3's codes       */
};

/* --- what the wire takes --- */

static bool kbd_pending(void *dev)
{
    const struct ps2kbd *k = dev;

    return k->reply_count || k->count || k->overrun;
}

static u8 kbd_take_reply(struct ps2kbd *k)
{
    u8 byte = k->reply[0];

    k->reply_count--;
    memmove(k->reply, k->reply + 1, k->reply_count);
    return byte;
}

static u8 kbd_take_code(struct ps2kbd *k)
{
    u8 byte = k->buffer[k->head];

    k->head = (k->head + 1) % BUFFER_SIZE;
    k->count--;
    return byte;
}

static u8 kbd_take(void *dev)
{
    struct ps2kbd *k = dev;

    if (k->reply_count) {
        k->last = kbd_take_reply(k);
    } else if (k->count) {
        k->last = kbd_take_code(k);
    } else {
        k->last = k->set == 1 ? OVERRUN_SET1 : OVERRUN_SET2;
        k->overrun = false;
    }
    return k->last;
}

/* --- keys --- */

/* The scan codes of one key event, built whole so that the buffer takes all of it or nothing. */
struct codes {
    unsigned count;
    u8 byte[BUFFER_SIZE];
};

static void codes_put(struct codes *c, u8 byte)
{
    if (c->count < BUFFER_SIZE)
        c->byte[c->count++] = byte;
}

/* One key of set 1's @code, behind @prefix if that is not 0. */
static void codes_key(struct codes *c, u8 set, u8 prefix, u8 code, bool down)
{
    if (prefix)
        codes_put(c, prefix);
    if (set == 1) {
        codes_put(c, (u8)(code | (down ? 0 : 0x80)));
        return;
    }
    if (!down)
        codes_put(c, RELEASE);
    codes_put(c, ps2_set1_to_set2(code));
}

static void codes_pause(struct codes *c, const struct ps2kbd *k)
{
    if (k->modifiers & MOD_CTRL) {
        codes_key(c, k->set, 0xe0, KEY_BREAK, true);
        codes_key(c, k->set, 0xe0, KEY_BREAK, false);
        return;
    }
    codes_key(c, k->set, 0xe1, KEY_CTRL, true);
    codes_key(c, k->set, 0, KEY_NUM_LOCK, true);
    codes_key(c, k->set, 0xe1, KEY_CTRL, false);
    codes_key(c, k->set, 0, KEY_NUM_LOCK, false);
}

static void codes_print_screen(struct codes *c, struct ps2kbd *k, bool down)
{
    bool bare = !(k->modifiers & (MOD_SHIFT | MOD_CTRL));

    if (down ? k->modifiers & MOD_ALT : k->sysrq) {
        k->sysrq = down;
        codes_key(c, k->set, 0, KEY_SYSRQ, down);
        return;
    }
    /* The PC's keyboard had PrintScreen on a shifted key; the codes still pretend so. */
    if (down && bare)
        codes_key(c, k->set, 0xe0, KEY_LEFT_SHIFT, true);
    codes_key(c, k->set, 0xe0, PS2KBD_PRINT_SCREEN & 0x7f, down);
    if (!down && bare)
        codes_key(c, k->set, 0xe0, KEY_LEFT_SHIFT, false);
}

static u8 kbd_set3_code(unsigned key)
{
    return ps2_set3_code(key == PS2KBD_PAUSE ? 0xe000u | KEY_BREAK : key);
}

/* Set 3 has one byte for each key, whatever else is down [PS2-TRM Scan Code Set 3]. */
static void codes_set3(struct codes *c, const struct ps2kbd *k, unsigned key, bool down)
{
    u8 code = kbd_set3_code(key), state = k->keys[code];

    if (!code || (down ? state & HELD && !(state & PS2_SET3_REPEATS) : !(state & PS2_SET3_BREAKS)))
        return;
    if (!down)
        codes_put(c, RELEASE);
    codes_put(c, code);
}

static u8 kbd_modifier(unsigned key)
{
    switch (key) {
    case KEY_LEFT_SHIFT:
        return MOD_LEFT_SHIFT;
    case KEY_RIGHT_SHIFT:
        return MOD_RIGHT_SHIFT;
    case KEY_CTRL:
        return MOD_LEFT_CTRL;
    case 0xe000 | KEY_CTRL:
        return MOD_RIGHT_CTRL;
    case KEY_ALT:
        return MOD_LEFT_ALT;
    case 0xe000 | KEY_ALT:
        return MOD_RIGHT_ALT;
    default:
        return 0;
    }
}

static bool kbd_queue_codes(struct ps2kbd *k, const struct codes *c)
{
    if (k->overrun || k->count + c->count > BUFFER_SIZE) {
        log_guest(KBD, "keyboard buffer overrun");
        k->overrun = true;
        return false;
    }
    for (unsigned i = 0; i < c->count; i++)
        k->buffer[(k->head + k->count++) % BUFFER_SIZE] = c->byte[i];
    line_set(&k->desc.ready, true);
    return true;
}

/* Nobody need say that Pause goes up: sets 1 and 2 have no code for that. */
static void kbd_hold(struct ps2kbd *k, unsigned key, bool down)
{
    u8 *state = &k->keys[kbd_set3_code(key)];

    *state = (u8)(down && key != PS2KBD_PAUSE ? *state | HELD : *state & ~HELD);
}

bool ps2kbd_key(struct ps2kbd *k, unsigned key, bool down)
{
    struct codes c = {0};
    u8 modifier = kbd_modifier(key);

    k->modifiers = (u8)(down ? k->modifiers | modifier : k->modifiers & ~modifier);
    if (k->set == 3) {
        codes_set3(&c, k, key, down);
    } else if (key == PS2KBD_PAUSE) {
        if (down)
            codes_pause(&c, k);
    } else if (key == PS2KBD_HANJA || key == PS2KBD_HANGUL) {
        if (down)
            codes_put(&c, (u8)key);
    } else if (key == PS2KBD_PRINT_SCREEN) {
        codes_print_screen(&c, k, down);
    } else if (key & 0x7f && (key & ~0x7fu) == 0) {
        codes_key(&c, k->set, 0, (u8)key, down);
    } else if (key & 0x7f && (key & ~0x7fu) == 0xe000) {
        codes_key(&c, k->set, 0xe0, key & 0x7f, down);
    }
    kbd_hold(k, key, down);
    if (!k->scanning || !c.count)
        return true;
    return kbd_queue_codes(k, &c);
}

bool ps2kbd_idle(const struct ps2kbd *k)
{
    return !k->count && !k->overrun;
}

u8 ps2kbd_leds(const struct ps2kbd *k)
{
    return k->leds;
}

/* --- commands --- */

static void kbd_reply(struct ps2kbd *k, u8 byte)
{
    if (k->reply_count < REPLIES)
        k->reply[k->reply_count++] = byte;
}

static void kbd_clear(struct ps2kbd *k)
{
    k->head = k->count = 0;
    k->overrun = false;
}

static void kbd_set_kind(struct ps2kbd *k, u8 code, u8 kind)
{
    k->keys[code] = (u8)((k->keys[code] & HELD) | kind);
}

static void kbd_set_defaults(struct ps2kbd *k)
{
    kbd_clear(k);
    k->rate = DEFAULT_RATE;
    k->set = 2;
    for (u8 code = 0; code < PS2_SET3_CODES; code++)
        kbd_set_kind(k, code, ps2_set3_default_kind(code));
    k->scanning = true;
}

static void kbd_self_test(struct ps2kbd *k)
{
    kbd_set_defaults(k);
    k->leds = 0;
    k->command = 0;
    k->reply_count = 0;
}

/* The kind that an F7h to FDh command gives to all keys or to those that follow. */
static u8 kbd_kind_of_command(u8 command)
{
    switch (command) {
    case CMD_ALL_TYPEMATIC:
    case CMD_KEY_TYPEMATIC:
        return PS2_SET3_REPEATS;
    case CMD_ALL_MAKE_BREAK:
    case CMD_KEY_MAKE_BREAK:
        return PS2_SET3_BREAKS;
    case CMD_ALL_TYPEMATIC_MAKE_BREAK:
        return KIND;
    default:
        return 0;
    }
}

/* They may come in any set, and are for set 3 [PS2-TRM Set All Keys, Set Key Type]. */
static void kbd_write_kind_command(struct ps2kbd *k, u8 val)
{
    kbd_clear(k);
    kbd_reply(k, REPLY_ACK);
    if (val >= CMD_KEY_TYPEMATIC) {
        k->command = val;
        return;
    }
    for (u8 code = 0; code < PS2_SET3_CODES; code++)
        kbd_set_kind(k, code, kbd_kind_of_command(val));
}

/* One key of those that the command is for: any number, until another command comes. */
static void kbd_write_key(struct ps2kbd *k, u8 command, u8 val)
{
    if (val >= PS2_SET3_CODES) {
        kbd_reply(k, REPLY_RESEND);
        return;
    }
    kbd_set_kind(k, val, kbd_kind_of_command(command));
    k->command = command;
    kbd_reply(k, REPLY_ACK);
}

static void kbd_write_command(struct ps2kbd *k, u8 val)
{
    if (val >= CMD_ALL_TYPEMATIC && val <= CMD_KEY_MAKE) {
        kbd_write_kind_command(k, val);
        return;
    }
    switch (val) {
    case CMD_SET_LEDS:
    case CMD_SCAN_CODE_SET:
    case CMD_SET_RATE:
        k->command = val;
        kbd_reply(k, REPLY_ACK);
        break;
    case CMD_ECHO:
        kbd_reply(k, CMD_ECHO);
        break;
    case CMD_READ_ID:
        kbd_reply(k, REPLY_ACK);
        kbd_reply(k, ID_LOW);
        kbd_reply(k, ID_HIGH);
        break;
    case CMD_ENABLE:
        kbd_clear(k);
        k->scanning = true;
        kbd_reply(k, REPLY_ACK);
        break;
    case CMD_DEFAULT_DISABLE:
    case CMD_SET_DEFAULT:
        kbd_set_defaults(k);
        k->scanning = val == CMD_SET_DEFAULT;
        kbd_reply(k, REPLY_ACK);
        break;
    case CMD_RESEND:
        kbd_reply(k, k->last);
        break;
    case CMD_RESET:
        kbd_self_test(k);
        kbd_reply(k, REPLY_ACK);
        kbd_reply(k, REPLY_BAT_OK);
        break;
    default:
        log_guest(KBD, "unknown keyboard command %02x", val);
        kbd_reply(k, REPLY_RESEND);
        break;
    }
}

static void kbd_write_scan_code_set(struct ps2kbd *k, u8 val)
{
    if (val > 3) {
        kbd_reply(k, REPLY_RESEND);
        return;
    }
    kbd_reply(k, REPLY_ACK);
    if (val == 0) {
        kbd_reply(k, k->set);
        return;
    }
    kbd_clear(k);
    k->set = val;
}

static void kbd_write(void *dev, u8 val)
{
    struct ps2kbd *k = dev;
    u8 command = k->command;

    log_trace(KBD, "keyboard gets %02x for command %02x", val, command);
    k->command = 0;
    if (val >= CMD_SET_LEDS)
        command = 0; /* a new command instead of the data */
    switch (command) {
    case CMD_SET_LEDS:
        k->leds = val & 7;
        kbd_reply(k, REPLY_ACK);
        break;
    case CMD_SET_RATE:
        k->rate = val & 0x7f;
        kbd_reply(k, REPLY_ACK);
        break;
    case CMD_SCAN_CODE_SET:
        kbd_write_scan_code_set(k, val);
        break;
    case CMD_KEY_TYPEMATIC:
    case CMD_KEY_MAKE_BREAK:
    case CMD_KEY_MAKE:
        kbd_write_key(k, command, val);
        break;
    default:
        kbd_write_command(k, val);
        break;
    }
    line_set(&k->desc.ready, true);
}

const struct ps2_device_ops ps2kbd_ops = {
    .pending = kbd_pending,
    .take = kbd_take,
    .write = kbd_write,
};

static const struct field kbd_fields[] = {
    FIELD(struct ps2kbd, scanning),    FIELD(struct ps2kbd, set),
    FIELD(struct ps2kbd, leds),        FIELD(struct ps2kbd, rate),
    FIELD(struct ps2kbd, command),     FIELD(struct ps2kbd, last),
    FIELD(struct ps2kbd, modifiers),   FIELD(struct ps2kbd, sysrq),
    FIELD(struct ps2kbd, overrun),     FIELD(struct ps2kbd, reply_count),
    FIELD(struct ps2kbd, head),        FIELD(struct ps2kbd, count),
    FIELD_ARRAY(struct ps2kbd, reply), FIELD_ARRAY(struct ps2kbd, buffer),
    FIELD_ARRAY(struct ps2kbd, keys),  FIELDS_END,
};

/* Its own self-test after power-on is long over when the BIOS asks. */
static void kbd_reset(void *dev)
{
    kbd_self_test(dev);
}

static void kbd_loaded(void *dev)
{
    struct ps2kbd *k = dev;

    k->head %= BUFFER_SIZE;
    if (k->count > BUFFER_SIZE)
        k->count = BUFFER_SIZE;
    if (k->reply_count > REPLIES)
        k->reply_count = REPLIES;
}

static void kbd_destroy(void *dev)
{
    free(dev);
}

const struct device_class ps2kbd_class = {
    .name = "ps2kbd",
    .version = 2,
    .fields = kbd_fields,
    .reset = kbd_reset,
    .loaded = kbd_loaded,
    .destroy = kbd_destroy,
};

enum status ps2kbd_create(struct ps2kbd **out, const struct ps2kbd_desc *desc)
{
    struct ps2kbd *k = calloc(1, sizeof(*k));
    if (!k)
        return STATUS_NO_MEMORY;

    k->desc = *desc;
    kbd_reset(k);
    *out = k;
    return STATUS_OK;
}
