/* SPDX-License-Identifier: MIT */
#include "frontend/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32 };

static const char *blanks(const char *p)
{
    while (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')
        p++;
    return p;
}

/* --- is it JSON? --- */

static enum json_state skip_value(const char **p, unsigned depth);

static enum json_state skip_string(const char **p)
{
    const char *q = *p;

    if (*q++ != '"')
        return *--q ? JSON_WRONG : JSON_SHORT;
    for (; *q != '"'; q++) {
        if (!*q || (*q == '\\' && !q[1]))
            return JSON_SHORT;
        if ((u8)*q < ' ')
            return JSON_WRONG;
        if (*q == '\\')
            q++;
    }
    *p = q + 1;
    return JSON_WHOLE;
}

/* true, false, null and numbers: letters and digits, as nothing else is asked of them here. */
static enum json_state skip_word(const char **p)
{
    size_t n = strspn(*p, "+-.0123456789abcdefghijklmnopqrstuvwxyzE");

    if (!n)
        return **p ? JSON_WRONG : JSON_SHORT;
    *p += n;
    return JSON_WHOLE;
}

/* A member is "name": value, an element is a value. */
static enum json_state skip_item(const char **p, bool member, unsigned depth)
{
    if (member) {
        enum json_state s = skip_string(p);
        if (s != JSON_WHOLE)
            return s;
        *p = blanks(*p);
        if (**p != ':')
            return **p ? JSON_WRONG : JSON_SHORT;
        ++*p;
    }
    return skip_value(p, depth);
}

static enum json_state skip_list(const char **p, char close, unsigned depth)
{
    if (depth == DEPTH_MAX)
        return JSON_WRONG;
    *p = blanks(*p + 1);
    if (**p == close) {
        ++*p;
        return JSON_WHOLE;
    }
    for (;;) {
        *p = blanks(*p);
        enum json_state s = skip_item(p, close == '}', depth + 1);
        if (s != JSON_WHOLE)
            return s;
        *p = blanks(*p);
        char c = **p;
        if (c != ',' && c != close)
            return c ? JSON_WRONG : JSON_SHORT;
        ++*p;
        if (c == close)
            return JSON_WHOLE;
    }
}

static enum json_state skip_value(const char **p, unsigned depth)
{
    *p = blanks(*p);
    switch (**p) {
    case '{':
        return skip_list(p, '}', depth);
    case '[':
        return skip_list(p, ']', depth);
    case '"':
        return skip_string(p);
    default:
        return skip_word(p);
    }
}

enum json_state json_skip(const char *text, const char **end)
{
    *end = text;
    return skip_value(end, 0);
}

/* --- what it says --- */

static const char *behind(const char *value)
{
    const char *end;
    enum json_state s = json_skip(value, &end);

    (void)s; /* it was accepted as a part of more */
    return blanks(end);
}

const char *json_member(const char *value, const char *name)
{
    char key[64];

    if (!value || *blanks(value) != '{')
        return NULL;
    for (const char *p = blanks(blanks(value) + 1); *p == '"'; p = blanks(p + 1)) {
        const char *item = behind(p) + 1; /* the colon */
        if (json_string(p, key, sizeof(key)) && strcmp(key, name) == 0)
            return blanks(item);
        p = behind(item);
        if (*p != ',')
            break;
    }
    return NULL;
}

const char *json_next(const char *value, const char *element)
{
    if (!value || *blanks(value) != '[')
        return NULL;
    if (!element) {
        const char *p = blanks(blanks(value) + 1);
        return *p == ']' ? NULL : p;
    }
    const char *p = behind(element);
    return *p == ',' ? blanks(p + 1) : NULL;
}

static char *put_utf8(char *p, unsigned c)
{
    if (c < 0x80) {
        *p++ = (char)(c ? c : '?');
    } else if (c < 0x800) {
        *p++ = (char)(0xc0 | c >> 6);
        *p++ = (char)(0x80 | (c & 0x3f));
    } else {
        *p++ = (char)(0xe0 | c >> 12);
        *p++ = (char)(0x80 | (c >> 6 & 0x3f));
        *p++ = (char)(0x80 | (c & 0x3f));
    }
    return p;
}

/* The character behind a backslash at *@p; *@p is then its last one. */
static char *put_escape(char *to, const char **p)
{
    static const char from[] = "nrtbf", means[] = "\n\r\t\b\f";
    const char *at = strchr(from, **p);
    char digits[5] = "";

    if (**p == 'u') {
        size_t n = strspn(*p + 1, "0123456789abcdefABCDEF");
        memcpy(digits, *p + 1, n < 4 ? n : 4);
        *p += n < 4 ? n : 4;
        return put_utf8(to, (unsigned)strtoul(digits, NULL, 16));
    }
    *to = at ? means[at - from] : **p;
    return to + 1;
}

bool json_string(const char *value, char *out, size_t size)
{
    if (!value || *value != '"' || size < 8)
        return false;
    char *to = out, *end = out + size - 4;
    for (const char *p = value + 1; *p != '"' && to < end; p++) {
        if (*p == '\\') {
            p++;
            to = put_escape(to, &p);
        } else {
            *to++ = *p;
        }
    }
    *to = 0;
    return true;
}

bool json_number(const char *value, i64 *out)
{
    char *end;

    if (!value)
        return false;
    *out = strtoll(value, &end, 10);
    return end != value;
}

bool json_bool(const char *value, bool *out)
{
    if (!value || (strncmp(value, "true", 4) != 0 && strncmp(value, "false", 5) != 0))
        return false;
    *out = *value == 't';
    return true;
}

void json_quote(const char *text, char *out, size_t size)
{
    char *to = out, *end = out + size - 8;

    *to++ = '"';
    for (; *text && to < end; text++) {
        u8 c = (u8)*text;
        if (c == '"' || c == '\\') {
            *to++ = '\\';
            *to++ = (char)c;
        } else if (c < ' ') {
            to += snprintf(to, 7, "\\u%04x", c);
        } else {
            *to++ = (char)c;
        }
    }
    *to++ = '"';
    *to = 0;
}
