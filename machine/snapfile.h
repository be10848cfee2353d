/* SPDX-License-Identifier: MIT */
/*
 * The file of a snapshot: named, versioned sections of bytes, each guarded by a checksum. A section
 * whose stored length is its plain one is as it is, the others are compressed by zstd. What is in
 * them is machine/snapshot.c's business.
 *
 *     header   "turbo86\x1a", format, number of sections, length of the file, checksum
 *     table    for each section: name, version, stored and plain length, checksum
 *     data     the sections, one after the other
 *
 * Integers are little-endian. The first checksum is xxh64 of the header before it and of the
 * table, a section's is xxh64 of its stored bytes.
 */
#pragma once

#include "base/fields.h"
#include "base/status.h"
#include "base/types.h"

#define SNAPFILE_ERROR_MAX 400u
#define SNAPFILE_NAME_MAX  40u

struct snapfile_section {
    char name[SNAPFILE_NAME_MAX];
    u32 version;
    u8 *bytes; /* owned; NULL: still in the file */
    size_t len, room;
    u64 at;        /* in the file... */
    size_t stored; /* ...so many bytes */
    u64 hash;      /* of the stored bytes */
};

struct snapfile {
    struct snapfile_section *section;
    unsigned count, room;
    bool no_memory; /* sticky: checked once, at the end */
    bool in_file;   /* what was read: sections without bytes are in... */
    int fd;         /* owned */
};

/** Room for stored bytes, kept from one section to the next. */
struct snapfile_buffer {
    u8 *bytes; /* owned: free() it at the end */
    size_t room;
};

/** Begin a section; snapfile_put() then appends to it. */
void snapfile_begin(struct snapfile *f, const char *name, u32 version);
/** A field_sink that appends to the last section of the struct snapfile @f. */
void snapfile_put(void *f, const void *bytes, size_t n);
/** Room for @n more bytes in the last section: one allocation instead of several. */
void snapfile_reserve(struct snapfile *f, size_t n);

/** The section called @name, or NULL. */
struct snapfile_section *snapfile_find(const struct snapfile *f, const char *name);

/** Free everything; @f is empty again. */
void snapfile_free(struct snapfile *f);

/**
 * Write all sections to @path: to @path.partial first, which replaces @path when it is whole and on
 * the disk. On failure @path is as it was and @error holds one sentence.
 */
enum status snapfile_write(const struct snapfile *f, const char *path,
                           char error[SNAPFILE_ERROR_MAX]) MUST_CHECK;

/**
 * Open @path and read its table: after that, names, versions and lengths are known, and nothing has
 * been unpacked. On failure @f is empty and @error holds one sentence.
 */
enum status snapfile_read(struct snapfile *f, const char *path,
                          char error[SNAPFILE_ERROR_MAX]) MUST_CHECK;

/**
 * Unpack the section @s of a file to @to, which has room for its length. What fails has changed
 * @to. Several threads may do this at once, each with a @buffer.
 */
enum status snapfile_unpack_to(const struct snapfile *f, const struct snapfile_section *s, u8 *to,
                               struct snapfile_buffer *buffer) MUST_CHECK;

/** Unpack a section. Its length should have been checked: so much memory is used. */
enum status snapfile_unpack(struct snapfile *f, struct snapfile_section *s,
                            char error[SNAPFILE_ERROR_MAX]) MUST_CHECK;
