/* SPDX-License-Identifier: MIT */
#include "base/fields.h"

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
