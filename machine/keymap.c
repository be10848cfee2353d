/* SPDX-License-Identifier: MIT */
#include "machine/keymap.h"

#include <string.h>

static const struct {
    const char *name;
    u16 code;
} names[] = {
    {"esc", 0x01},
    {"lang1", 0xf2}, /* Hangul */
    {"lang2", 0xf1}, /* Hanja  */
    {"1", 0x02},
    {"2", 0x03},
    {"3", 0x04},
    {"4", 0x05},
    {"5", 0x06},
    {"6", 0x07},
    {"7", 0x08},
    {"8", 0x09},
    {"9", 0x0a},
    {"0", 0x0b},
    {"minus", 0x0c},
    {"equal", 0x0d},
    {"backspace", 0x0e},
    {"tab", 0x0f},
    {"q", 0x10},
    {"w", 0x11},
    {"e", 0x12},
    {"r", 0x13},
    {"t", 0x14},
    {"y", 0x15},
    {"u", 0x16},
    {"i", 0x17},
    {"o", 0x18},
    {"p", 0x19},
    {"bracket_left", 0x1a},
    {"bracket_right", 0x1b},
    {"ret", 0x1c},
    {"enter", 0x1c},
    {"ctrl", 0x1d},
    {"a", 0x1e},
    {"s", 0x1f},
    {"d", 0x20},
    {"f", 0x21},
    {"g", 0x22},
    {"h", 0x23},
    {"j", 0x24},
    {"k", 0x25},
    {"l", 0x26},
    {"semicolon", 0x27},
    {"apostrophe", 0x28},
    {"grave_accent", 0x29},
    {"shift", 0x2a},
    {"backslash", 0x2b},
    {"z", 0x2c},
    {"x", 0x2d},
    {"c", 0x2e},
    {"v", 0x2f},
    {"b", 0x30},
    {"n", 0x31},
    {"m", 0x32},
    {"comma", 0x33},
    {"dot", 0x34},
    {"slash", 0x35},
    {"shift_r", 0x36},
    {"asterisk", 0x37},
    {"kp_multiply", 0x37},
    {"alt", 0x38},
    {"spc", 0x39},
    {"caps_lock", 0x3a},
    {"f1", 0x3b},
    {"f2", 0x3c},
    {"f3", 0x3d},
    {"f4", 0x3e},
    {"f5", 0x3f},
    {"f6", 0x40},
    {"f7", 0x41},
    {"f8", 0x42},
    {"f9", 0x43},
    {"f10", 0x44},
    {"num_lock", 0x45},
    {"scroll_lock", 0x46},
    {"kp_7", 0x47},
    {"kp_8", 0x48},
    {"kp_9", 0x49},
    {"kp_subtract", 0x4a},
    {"kp_4", 0x4b},
    {"kp_5", 0x4c},
    {"kp_6", 0x4d},
    {"kp_add", 0x4e},
    {"kp_1", 0x4f},
    {"kp_2", 0x50},
    {"kp_3", 0x51},
    {"kp_0", 0x52},
    {"kp_decimal", 0x53},
    {"less", 0x56},
    {"f11", 0x57},
    {"f12", 0x58},
    {"kp_enter", 0xe01c},
    {"ctrl_r", 0xe01d},
    {"kp_divide", 0xe035},
    {"print", 0xe037},
    {"alt_r", 0xe038},
    {"home", 0xe047},
    {"up", 0xe048},
    {"pgup", 0xe049},
    {"left", 0xe04b},
    {"right", 0xe04d},
    {"end", 0xe04f},
    {"down", 0xe050},
    {"pgdn", 0xe051},
    {"insert", 0xe052},
    {"delete", 0xe053},
    {"del", 0xe053}, /* ctrl-alt-del */
    {"meta_l", 0xe05b},
    {"meta_r", 0xe05c},
    {"menu", 0xe05d},
    {"pause", 0xe11d},
};

const char *keymap_name_of(unsigned code)
{
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].code == code)
            return names[i].name;
    }
    return NULL;
}

unsigned keymap_name(const char *name, size_t len)
{
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        if (strlen(names[i].name) == len && memcmp(names[i].name, name, len) == 0)
            return names[i].code;
    }
    return 0;
}

/* Rows of a US keyboard from code @first on: without and with Shift. */
static const struct {
    u8 first;
    const char *plain, *shifted;
} rows[] = {
    {0x02, "1234567890-=", "!@#$%^&*()_+"},
    {0x10, "qwertyuiop[]", "QWERTYUIOP{}"},
    {0x1e, "asdfghjkl;'`", "ASDFGHJKL:\"~"},
    {0x2b, "\\zxcvbnm,./", "|ZXCVBNM<>?"},
    {0x39, " ", " "},
    {0x0f, "\t", "\t"},
    {0x1c, "\n", "\n"},
    {0x0e, "\b", "\b"},
    {0x01, "\033", "\033"},
};

unsigned keymap_char(char c, bool *shift)
{
    *shift = false;
    if (c == '\r')
        c = '\n';
    for (unsigned i = 0; c && i < ARRAY_LEN(rows); i++) {
        const char *p = strchr(rows[i].plain, c);
        if (p)
            return rows[i].first + (unsigned)(p - rows[i].plain);
        p = strchr(rows[i].shifted, c);
        if (p) {
            *shift = true;
            return rows[i].first + (unsigned)(p - rows[i].shifted);
        }
    }
    return 0;
}

unsigned keymap_combination(const char *text, size_t len, unsigned *keys, unsigned max)
{
    unsigned n = 0;

    while (len) {
        const char *dash = memchr(text, '-', len);
        size_t word = dash ? (size_t)(dash - text) : len;
        if (n == max || (keys[n] = keymap_name(text, word)) == 0)
            return 0;
        n++;
        len -= word;
        text += word;
        if (len) {
            text++;
            if (--len == 0)
                return 0;
        }
    }
    return n;
}
