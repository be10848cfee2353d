/* SPDX-License-Identifier: MIT */
#include "machine/suboption.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool suboption_next(const char **p, struct suboption *out)
{
    const char *s = *p;
    size_t n = 0, key = strcspn(s, "=,");

    if (!*s)
        return false;
    out->key[0] = 0;
    if (s[key] == '=' && key < sizeof(out->key)) {
        memcpy(out->key, s, key);
        out->key[key] = 0;
        s += key + 1;
    }
    while (*s && (*s != ',' || s[1] == ',')) {
        if (n == sizeof(out->value) - 1)
            return false;
        s += *s == ',';
        out->value[n++] = *s++;
    }
    out->value[n] = 0;
    *p = s + (*s == ',');
    return true;
}

bool suboption_flag(const struct suboption *o, bool *out)
{
    if (strcmp(o->value, "on") != 0 && strcmp(o->value, "off") != 0)
        return false;
    *out = o->value[1] == 'n';
    return true;
}

bool suboption_number(const struct suboption *o, u64 max, u64 *out)
{
    char *end;

    if (!isdigit((unsigned char)o->value[0]))
        return false;
    errno = 0;
    unsigned long long v = strtoull(o->value, &end, 0);
    if (*end || errno || v > max)
        return false;
    *out = v;
    return true;
}
