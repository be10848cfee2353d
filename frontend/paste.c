/* SPDX-License-Identifier: MIT */
/*
 * The typist has a notation of its own, in which < and \ begin something: text has them doubled.
 * What typesetters have made of quotes, dashes and blanks is made what a keyboard has.
 */
#include "frontend/paste.h"

#include <stdlib.h>
#include <string.h>

#include "base/types.h"
#include "machine/keymap.h"

/* Bytes of a UTF-8 character, by its first; what is none counts as one. */
static size_t utf8_length(const char *p)
{
    unsigned char first = (unsigned char)*p;
    size_t want = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1, n = 1;

    while (n < want && ((unsigned char)p[n] & 0xc0) == 0x80)
        n++;
    return n;
}

/* The character that stands for @p's, of @len bytes; 0: there is none. */
static char plain(const char *p, size_t len)
{
    static const struct {
        const char *utf8;
        char plain;
    } likes[] = {
        {"\u00a0", ' '},  {"\u2010", '-'},  {"\u2011", '-'}, {"\u2013", '-'}, {"\u2014", '-'},
        {"\u2018", '\''}, {"\u2019", '\''}, {"\u201c", '"'}, {"\u201d", '"'}, {"\u2212", '-'},
    };
    bool shift;

    for (size_t i = 0; i < ARRAY_LEN(likes); i++) {
        if (strlen(likes[i].utf8) == len && memcmp(p, likes[i].utf8, len) == 0)
            return likes[i].plain;
    }
    bool printed = (unsigned char)*p >= ' ' || *p == '\t' || *p == '\n';
    return len == 1 && printed && keymap_char(*p, &shift) ? *p : 0;
}

static void put(struct paste *out, char c)
{
    if (c == '<' || c == '\\')
        out->text[out->length++] = c;
    out->text[out->length++] = c;
}

size_t paste_key_length(const char *text)
{
    return (*text == '<' || *text == '\\') && text[1] ? 2 : 1;
}

struct paste paste_text(const char *clip)
{
    struct paste out = {.text = malloc(2 * PASTE_MAX + 1)};
    const char *p = clip;

    for (unsigned n = 0; out.text && *p && n < PASTE_MAX; n++) {
        size_t len = *p == '\r' && p[1] == '\n' ? 2 : utf8_length(p);
        char c = *p == '\r' ? '\n' : plain(p, len);
        if (c)
            put(&out, c);
        else
            out.left_out++;
        p += len;
    }
    if (out.text)
        out.text[out.length] = 0;
    out.cut = *p;
    return out;
}
