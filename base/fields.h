/* SPDX-License-Identifier: MIT */
/*
 * Field tables: what of a struct is guest-visible state. One table per struct drives saving,
 * loading and the state hash, so the three cannot drift apart. The stream is canonical: the fields
 * in table order, integers little-endian in their own size, nothing of the host.
 */
#pragma once

#include "base/status.h"
#include "base/types.h"

enum field_kind {
    FIELD_END_KIND, /* ends a table */
    FIELD_INT,      /* @count integers of @size bytes (1, 2, 4, 8); bool is one of 1 */
    FIELD_SUB,      /* @count structs of @size bytes, each by table @sub */
    FIELD_BUFFER,   /* pointer member; @size_at is the offset of a size_t member with its length */
};

struct field {
    const char *name;
    u8 kind;
    bool is_bool; /* of FIELD_INT: every value is 0 or 1 */
    u32 offset, size, count;
    u32 size_at;
    const struct field *sub;
};

#define FIELD_SIZEOF(type, m)  (sizeof(((type *)0)->m))
#define FIELD_IS_BOOL(type, m) _Generic(((type *)0)->m, bool : true, default : false)

/* One integer, bool or enum member. */
#define FIELD(type, m)                                                                             \
    {                                                                                              \
        .name = #m, .kind = FIELD_INT, .is_bool = FIELD_IS_BOOL(type, m),                          \
        .offset = offsetof(type, m), .size = FIELD_SIZEOF(type, m), .count = 1                     \
    }
/* An array of integers, of one dimension. */
#define FIELD_ARRAY(type, m)                                                                       \
    {                                                                                              \
        .name = #m, .kind = FIELD_INT, .is_bool = FIELD_IS_BOOL(type, m[0]),                       \
        .offset = offsetof(type, m), .size = FIELD_SIZEOF(type, m[0]),                             \
        .count = FIELD_SIZEOF(type, m) / FIELD_SIZEOF(type, m[0])                                  \
    }
/* One struct member, described by the table @t. */
#define FIELD_STRUCT(type, m, t)                                                                   \
    {                                                                                              \
        .name = #m, .kind = FIELD_SUB, .offset = offsetof(type, m), .size = FIELD_SIZEOF(type, m), \
        .count = 1, .sub = (t)                                                                     \
    }
/* An array of structs, each described by the table @t. */
#define FIELD_STRUCTS(type, m, t)                                                                  \
    {                                                                                              \
        .name = #m, .kind = FIELD_SUB, .offset = offsetof(type, m),                                \
        .size = FIELD_SIZEOF(type, m[0]),                                                          \
        .count = FIELD_SIZEOF(type, m) / FIELD_SIZEOF(type, m[0]), .sub = (t)                      \
    }
/* A buffer behind the pointer @m whose length is the size_t member @len; the length is not loaded.
 */
#define FIELD_BYTES(type, m, len)                                                                  \
    {                                                                                              \
        .name = #m, .kind = FIELD_BUFFER, .offset = offsetof(type, m), .count = 1,                 \
        .size_at = offsetof(type, len)                                                             \
    }
#define FIELDS_END                                                                                 \
    {                                                                                              \
        .kind = FIELD_END_KIND                                                                     \
    }

/** Receives the canonical stream piece by piece. */
typedef void field_sink(void *ctx, const void *bytes, size_t n);

/** Write the fields of @obj to @sink. */
void fields_save(const struct field *table, const void *obj, field_sink *sink, void *ctx);

/**
 * Set the fields of @obj from the stream at *@p, and advance *@p. STATUS_BAD_SIZE if it ends early;
 * the object is then partly overwritten (callers check sizes first: fields_size()).
 */
enum status fields_load(const struct field *table, void *obj, const u8 **p,
                        const u8 *end) MUST_CHECK;

/**
 * Whether fields_load() of exactly [@p, @end) into @obj would succeed, and no bool would get
 * another value than 0 and 1.
 */
bool fields_valid(const struct field *table, const void *obj, const u8 *p,
                  const u8 *end) MUST_CHECK;

/** Bytes that fields_save() would write. */
size_t fields_size(const struct field *table, const void *obj);

/** Where two structs differ: the path of the field, with its index, and both values. */
struct field_difference {
    char name[96];
    u64 value[2]; /* of an integer; of a buffer: the differing bytes */
};

/** The first difference of @a and @b, in the order of @table; false: there is none. */
bool fields_differ(const struct field *table, const void *a, const void *b,
                   struct field_difference *out) MUST_CHECK;

/** xxh64 of the canonical stream. */
u64 fields_hash(const struct field *table, const void *obj);
