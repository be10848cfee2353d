/* SPDX-License-Identifier: MIT */
#include "frontend/monitor_memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/debug.h"

enum { ITEMS_MAX = 4096, ITEM_TEXT = 16, LINE_BYTES = 16, LINE_TEXT = 64 };

/* /NFS: how many, in which form, of which size. */
struct form {
    unsigned long count;
    char form;     /* x, d, u, c */
    unsigned size; /* bytes: 1, 2, 4 */
};

static bool form_parse(const char **text, struct form *f)
{
    const char *p = *text;
    char *end;

    *f = (struct form){.count = 1, .form = 'x', .size = 4};
    if (*p != '/')
        return true;
    p++;
    if (*p >= '0' && *p <= '9') {
        f->count = strtoul(p, &end, 10);
        p = end;
    }
    for (; *p && *p != ' '; p++) {
        if (strchr("xduc", *p))
            f->form = *p;
        else if (strchr("bhw", *p))
            f->size = *p == 'b' ? 1 : *p == 'h' ? 2 : 4;
        else
            return false;
    }
    if (f->form == 'c')
        f->size = 1;
    *text = p;
    return f->count && f->count <= ITEMS_MAX;
}

static bool address_parse(const char *p, bool physical, u64 *at)
{
    char *end;

    while (*p == ' ')
        p++;
    if (*p < '0' || *p > '9')
        return false;
    *at = strtoull(p, &end, 0);
    return !*end && (physical || *at <= UINT32_MAX);
}

static int item_text(const struct form *f, const u8 *bytes, char *to)
{
    u32 val = 0;

    for (unsigned i = 0; i < f->size; i++)
        val |= (u32)bytes[i] << 8 * i;
    switch (f->form) {
    case 'd':
        return sprintf(to, " %" PRId32, (i32)(val << (32 - 8 * f->size)) >> (32 - 8 * f->size));
    case 'u':
        return sprintf(to, " %" PRIu32, val);
    case 'c':
        return val >= ' ' && val < 127 ? sprintf(to, " '%c'", (int)val)
                                       : sprintf(to, " '\\x%02x'", val);
    default:
        return sprintf(to, " 0x%0*" PRIx32, 2 * (int)f->size, val);
    }
}

static size_t read_memory(struct pc *pc, bool physical, u64 at, u8 *to, size_t len)
{
    return physical ? pc_debug_read_physical(pc, at, to, len) : pc_debug_read(pc, (u32)at, to, len);
}

char *monitor_memory(struct pc *pc, const char *args, bool physical, char error[MEMORY_ERROR_MAX])
{
    struct form f;
    u64 at;

    if (!form_parse(&args, &f) || !address_parse(args, physical, &at)) {
        snprintf(error, MEMORY_ERROR_MAX,
                 "x/NFS ADDRESS: N up to %d, F one of x d u c, S one of b h w, as x/8xb 0x7c00\n",
                 ITEMS_MAX);
        return NULL;
    }
    size_t bytes = f.count * f.size, per_line = LINE_BYTES;
    u8 *data = malloc(bytes);
    char *text = malloc(f.count * ITEM_TEXT + (bytes / per_line + 2) * LINE_TEXT), *p = text;
    if (!data || !text) {
        snprintf(error, MEMORY_ERROR_MAX, "out of memory\n");
        free(data);
        free(text);
        return NULL;
    }
    size_t there = read_memory(pc, physical, at, data, bytes);
    for (size_t i = 0; i + f.size <= there; i += f.size) {
        if (i % per_line == 0)
            p += sprintf(p, "%s%08" PRIx64 ":", i ? "\n" : "", at + i);
        p += item_text(&f, data + i, p);
    }
    if (there < bytes)
        p += sprintf(p, "%s%08" PRIx64 ": there is no memory", there ? "\n" : "", at + there);
    strcpy(p, "\n");
    free(data);
    return text;
}
