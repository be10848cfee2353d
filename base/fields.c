/* SPDX-License-Identifier: MIT */
#include "base/fields.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the canonical stream is little-endian, and integers are copied into it as they are"
#endif

void fields_save(const struct field *f, const void *obj, field_sink *sink, void *ctx)
{
    for (; f->kind != FIELD_END_KIND; f++) {
        const u8 *at = (const u8 *)obj + f->offset;
        switch (f->kind) {
        case FIELD_INT:
            sink(ctx, at, (size_t)f->size * f->count);
            break;
        case FIELD_SUB:
            for (u32 i = 0; i < f->count; i++)
                fields_save(f->sub, at + (size_t)i * f->size, sink, ctx);
            break;
        case FIELD_BUFFER: {
            const void *buf;
            size_t len;
            memcpy(&buf, at, sizeof(buf));
            memcpy(&len, (const u8 *)obj + f->size_at, sizeof(len));
            if (len)
                sink(ctx, buf, len);
            break;
        }
        }
    }
}

static enum status take(void *to, const u8 **p, const u8 *end, size_t n)
{
    if ((size_t)(end - *p) < n)
        return STATUS_BAD_SIZE;
    memcpy(to, *p, n);
    *p += n;
    return STATUS_OK;
}

enum status fields_load(const struct field *f, void *obj, const u8 **p, const u8 *end)
{
    enum status s = STATUS_OK;

    for (; s == STATUS_OK && f->kind != FIELD_END_KIND; f++) {
        u8 *at = (u8 *)obj + f->offset;
        switch (f->kind) {
        case FIELD_INT:
            s = take(at, p, end, (size_t)f->size * f->count);
            break;
        case FIELD_SUB:
            for (u32 i = 0; s == STATUS_OK && i < f->count; i++)
                s = fields_load(f->sub, at + (size_t)i * f->size, p, end);
            break;
        case FIELD_BUFFER: {
            void *buf;
            size_t len;
            memcpy(&buf, at, sizeof(buf));
            memcpy(&len, (const u8 *)obj + f->size_at, sizeof(len));
            if (len)
                s = take(buf, p, end, len);
            break;
        }
        }
    }
    return s;
}

struct check {
    const u8 *p, *end; /* p is NULL: no */
};

static void check_fields(const struct field *f, const void *obj, struct check *c);

static void check_field(const struct field *f, const void *obj, struct check *c)
{
    const u8 *at = (const u8 *)obj + f->offset;
    size_t n = (size_t)f->size * f->count;

    if (f->kind == FIELD_SUB) {
        for (u32 i = 0; i < f->count; i++)
            check_fields(f->sub, at + (size_t)i * f->size, c);
        return;
    }
    if (f->kind == FIELD_BUFFER)
        memcpy(&n, (const u8 *)obj + f->size_at, sizeof(n));
    if (!c->p || (size_t)(c->end - c->p) < n) {
        c->p = NULL;
        return;
    }
    for (size_t i = 0; f->is_bool && i < n; i++) {
        if (c->p[i] > 1) {
            c->p = NULL;
            return;
        }
    }
    c->p += n;
}

static void check_fields(const struct field *f, const void *obj, struct check *c)
{
    for (; c->p && f->kind != FIELD_END_KIND; f++)
        check_field(f, obj, c);
}

bool fields_valid(const struct field *table, const void *obj, const u8 *p, const u8 *end)
{
    struct check c = {p, end};

    check_fields(table, obj, &c);
    return c.p == end;
}

static void count_sink(void *ctx, const void *bytes, size_t n)
{
    (void)bytes;
    *(size_t *)ctx += n;
}

size_t fields_size(const struct field *table, const void *obj)
{
    size_t n = 0;

    fields_save(table, obj, count_sink, &n);
    return n;
}

/* --- differences --- */

/* The number of the first of @count items of @size bytes that differs; @count: none. */
static size_t first_difference(const u8 *a, const u8 *b, size_t size, size_t count)
{
    size_t i = 0;

    if (memcmp(a, b, size * count) == 0)
        return count;
    while (memcmp(a + i * size, b + i * size, size) == 0)
        i++;
    return i;
}

static void name_item(struct field_difference *out, const char *name, size_t i, size_t count)
{
    if (count > 1)
        snprintf(out->name, sizeof(out->name), "%s[%zu]", name, i);
    else
        snprintf(out->name, sizeof(out->name), "%s", name);
}

static bool items_differ(const char *name, const u8 *a, const u8 *b, size_t size, size_t count,
                         struct field_difference *out)
{
    size_t i = first_difference(a, b, size, count);

    if (i == count)
        return false;
    name_item(out, name, i, count);
    out->value[0] = out->value[1] = 0;
    memcpy(&out->value[0], a + i * size, size);
    memcpy(&out->value[1], b + i * size, size);
    return true;
}

static bool buffers_differ(const struct field *f, const u8 *a, const u8 *b,
                           struct field_difference *out)
{
    const u8 *bytes[2];
    size_t len[2];

    memcpy(&bytes[0], a + f->offset, sizeof(bytes[0]));
    memcpy(&bytes[1], b + f->offset, sizeof(bytes[1]));
    memcpy(&len[0], a + f->size_at, sizeof(len[0]));
    memcpy(&len[1], b + f->size_at, sizeof(len[1]));
    if (len[0] == len[1])
        return len[0] && items_differ(f->name, bytes[0], bytes[1], 1, len[0], out);
    snprintf(out->name, sizeof(out->name), "length of %s", f->name);
    out->value[0] = len[0];
    out->value[1] = len[1];
    return true;
}

static bool structs_differ(const struct field *f, const u8 *a, const u8 *b,
                           struct field_difference *out)
{
    for (u32 i = 0; i < f->count; i++) {
        size_t at = f->offset + (size_t)i * f->size;
        if (!fields_differ(f->sub, a + at, b + at, out))
            continue;
        char inner[sizeof(out->name)];
        memcpy(inner, out->name, sizeof(inner));
        name_item(out, f->name, i, f->count);
        size_t used = strlen(out->name);
        snprintf(out->name + used, sizeof(out->name) - used, ".%s", inner);
        return true;
    }
    return false;
}

bool fields_differ(const struct field *f, const void *a, const void *b,
                   struct field_difference *out)
{
    const u8 *x = a, *y = b;
    bool found = false;

    for (; !found && f->kind != FIELD_END_KIND; f++) {
        if (f->kind == FIELD_INT)
            found = items_differ(f->name, x + f->offset, y + f->offset, f->size, f->count, out);
        else if (f->kind == FIELD_SUB)
            found = structs_differ(f, x, y, out);
        else
            found = buffers_differ(f, x, y, out);
    }
    return found;
}

/* --- hashes --- */

static void hash_sink(void *ctx, const void *bytes, size_t n)
{
    XXH64_update(ctx, bytes, n);
}

u64 fields_hash(const struct field *table, const void *obj)
{
    XXH64_state_t *x = XXH64_createState();
    u64 h;

    if (!x)
        return 0;
    XXH64_reset(x, 0);
    fields_save(table, obj, hash_sink, x);
    h = XXH64_digest(x);
    XXH64_freeState(x);
    return h;
}
