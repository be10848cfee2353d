/* SPDX-License-Identifier: MIT */
/*
 * References: [ECMA-48] for the form of escape sequences; [XTERM] for what keys send.
 */
#include "frontend/keys.h"

#include <string.h>

enum {
    ESC = 0x1b,
    DEL = 0x7f,
    KEY_ESC = 0x01,
    KEY_BACKSPACE = 0x0e,
    KEY_TAB = 0x0f,
    KEY_ENTER = 0x1c,
    KEY_F1 = 0x3b,
    KEY_F11 = 0x57,
};

/* Set 1's make codes are the positions of the keys; so are these strings, from code 2 on. */
static const char plain[] = "1234567890-=\b\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./";
static const char shifted[] = "!@#$%^&*()_+\b\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?";

enum { FIRST_CODE = 2, KEY_SPACE = 0x39 };

static bool find_ascii(u8 c, struct key_stroke *s)
{
    const char *p = memchr(plain, c, sizeof(plain) - 1);
    const char *q = memchr(shifted, c, sizeof(shifted) - 1);

    if (!c)
        return false;
    if (c == ' ')
        *s = (struct key_stroke){KEY_SPACE, 0};
    else if (p)
        *s = (struct key_stroke){(u16)(p - plain + FIRST_CODE), 0};
    else if (q)
        *s = (struct key_stroke){(u16)(q - shifted + FIRST_CODE), KEYS_SHIFT};
    else
        return false;
    return true;
}

/* A byte outside of sequences. */
static bool find_byte(u8 c, struct key_stroke *s)
{
    switch (c) {
    case ESC:
        *s = (struct key_stroke){KEY_ESC, 0};
        return true;
    case DEL:
    case '\b':
        *s = (struct key_stroke){KEY_BACKSPACE, 0};
        return true;
    case '\n':
    case '\r':
        *s = (struct key_stroke){KEY_ENTER, 0};
        return true;
    case '\t':
        *s = (struct key_stroke){KEY_TAB, 0};
        return true;
    case 0:
        *s = (struct key_stroke){KEY_SPACE, KEYS_CTRL};
        return true;
    default:
        break;
    }
    if (c >= ' ')
        return find_ascii(c, s);
    /* Ctrl takes bits 6 and 5 from a letter or a sign. */
    bool ok = find_ascii(c <= 26 ? c | 0x60 : c | 0x40, s);
    s->modifiers |= KEYS_CTRL;
    return ok;
}

void keys_add(struct keys *k, struct key_stroke stroke)
{
    if (k->count < KEYS_QUEUE)
        k->queue[(k->head + k->count++) % KEYS_QUEUE] = stroke;
}

bool keys_take(struct keys *k, struct key_stroke *out)
{
    if (!k->count)
        return false;
    *out = k->queue[k->head];
    k->head = (k->head + 1) % KEYS_QUEUE;
    k->count--;
    return true;
}

/* --- sequences --- */

static u16 letter_key(u8 final)
{
    static const struct {
        u8 final;
        u16 key;
    } table[] = {
        {'A', 0xe048}, {'B', 0xe050}, {'C', 0xe04d}, {'D', 0xe04b}, {'H', 0xe047}, {'F', 0xe04f},
        {'P', 0x3b},   {'Q', 0x3c},   {'R', 0x3d},   {'S', 0x3e},   {'E', 0x4c},
    };

    for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
        if (table[i].final == final)
            return table[i].key;
    }
    return 0;
}

/* Of "ESC [ number ~". */
static u16 number_key(unsigned n)
{
    static const u16 low[9] = {0,      0xe047, 0xe052, 0xe053, 0xe04f,
                               0xe049, 0xe051, 0xe047, 0xe04f}; /* Home Ins Del End PgUp PgDn */

    if (n < ARRAY_LEN(low))
        return low[n];
    if (n >= 11 && n <= 15)
        return (u16)(KEY_F1 + n - 11);
    if (n >= 17 && n <= 21)
        return (u16)(KEY_F1 + 5 + n - 17);
    return n == 23 || n == 24 ? (u16)(KEY_F11 + n - 23) : 0;
}

/* A whole sequence behind ESC [ : numbers, then the final byte. */
static void control_sequence(struct keys *k)
{
    unsigned arg[2] = {0, 1}, n = 0;
    u8 final = k->sequence[k->len - 1];

    for (unsigned i = 2; i + 1 < k->len; i++) {
        u8 c = k->sequence[i];
        if (c == ';' && n == 0)
            arg[++n] = 0;
        else if (c >= '0' && c <= '9' && arg[n] < 1000)
            arg[n] = arg[n] * 10 + c - '0';
    }
    u16 key = final == '~' ? number_key(arg[0]) : letter_key(final);
    u8 modifiers = arg[1] ? (u8)((arg[1] - 1) & 7) : 0; /* shift, alt, ctrl, as our bits */
    if (final == 'Z') {
        key = KEY_TAB;
        modifiers = KEYS_SHIFT;
    }
    if (key)
        keys_add(k, (struct key_stroke){key, modifiers});
}

/* Is the sequence complete, and was it understood? */
static bool sequence_ends(struct keys *k)
{
    u8 second = k->len > 1 ? k->sequence[1] : 0, last = k->sequence[k->len - 1];
    struct key_stroke s;

    if (k->len == 1)
        return false;
    if (second == '[' && k->len == 3 && last == '[')
        return false; /* F1 to F5 of Linux' console */
    if (second == '[' && k->len == 4 && k->sequence[2] == '[') {
        if (last >= 'A' && last <= 'E')
            keys_add(k, (struct key_stroke){(u16)(KEY_F1 + last - 'A'), 0});
        return true;
    }
    if (second == '[') {
        if (k->len == 2 || last < 0x40)
            return k->len == sizeof(k->sequence);
        control_sequence(k);
        return true;
    }
    if (second == 'O') {
        if (k->len == 2)
            return false;
        u16 key = letter_key(last);
        if (key)
            keys_add(k, (struct key_stroke){key, 0});
        return true;
    }
    if (find_byte(second, &s)) { /* Alt and a key */
        s.modifiers |= KEYS_ALT;
        keys_add(k, s);
    }
    return true;
}

void keys_input(struct keys *k, u8 byte)
{
    struct key_stroke s;

    if (k->len == 0 && byte != ESC) {
        if (find_byte(byte, &s))
            keys_add(k, s);
        return;
    }
    k->sequence[k->len++] = byte;
    if (sequence_ends(k))
        k->len = 0;
}

void keys_pause(struct keys *k)
{
    struct key_stroke s;

    /* What looked like a sequence was typed by hand: ESC, or Alt and one of [ and O. */
    if (k->len == 1)
        keys_add(k, (struct key_stroke){KEY_ESC, 0});
    else if (k->len == 2 && find_byte(k->sequence[1], &s))
        keys_add(k, (struct key_stroke){s.key, s.modifiers | KEYS_ALT});
    k->len = 0;
}
