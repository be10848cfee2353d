/* SPDX-License-Identifier: MIT */
#include "machine/snapfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include "base/bits.h"
#include "base/newfile.h"
#include "base/outfile.h"

enum {
    FORMAT = 2,
    MAGIC_SIZE = 8,
    HEADER_SIZE = 32,
    ENTRY_SIZE = 72,
    SECTIONS_MAX = 4096,
    LEVEL = -1, /* of zstd: quick to write, and twice as quick to read as level 1 */
    FIRST_ROOM = 256,
    PIECE = 256 << 10, /* of a file */
};

/* Where things are in the header and in a table entry. */
enum { AT_FORMAT = 8, AT_COUNT = 12, AT_LENGTH = 16, AT_CHECK = 24 };
enum { AT_VERSION = 40, AT_STORED = 48, AT_PLAIN = 56, AT_HASH = 64 };

static const char magic[MAGIC_SIZE] = "turbo86\x1a";

/* --- building --- */

void snapfile_begin(struct snapfile *f, const char *name, u32 version)
{
    if (f->count == f->room) {
        unsigned room = f->room ? 2 * f->room : 64;
        struct snapfile_section *p = realloc(f->section, room * sizeof(*p));
        if (!p) {
            f->no_memory = true;
            return;
        }
        f->section = p;
        f->room = room;
    }
    struct snapfile_section *s = &f->section[f->count++];
    *s = (struct snapfile_section){.version = version};
    snprintf(s->name, sizeof(s->name), "%s", name);
}

void snapfile_reserve(struct snapfile *f, size_t n)
{
    struct snapfile_section *s = f->no_memory ? NULL : &f->section[f->count - 1];

    if (!s || s->room - s->len >= n)
        return;
    size_t room = s->room ? s->room : FIRST_ROOM;
    while (room - s->len < n)
        room *= 2;
    u8 *p = realloc(s->bytes, room);
    if (!p) {
        f->no_memory = true;
        return;
    }
    s->bytes = p;
    s->room = room;
}

void snapfile_put(void *ctx, const void *bytes, size_t n)
{
    struct snapfile *f = ctx;

    snapfile_reserve(f, n);
    if (f->no_memory || !n)
        return;
    struct snapfile_section *s = &f->section[f->count - 1];
    memcpy(s->bytes + s->len, bytes, n);
    s->len += n;
}

struct snapfile_section *snapfile_find(const struct snapfile *f, const char *name)
{
    for (unsigned i = 0; i < f->count; i++) {
        if (strcmp(f->section[i].name, name) == 0)
            return &f->section[i];
    }
    return NULL;
}

void snapfile_free(struct snapfile *f)
{
    for (unsigned i = 0; i < f->count; i++)
        free(f->section[i].bytes);
    free(f->section);
    if (f->in_file)
        close(f->fd);
    *f = (struct snapfile){0};
}

/* --- writing --- */

static u64 header_hash(const u8 *header, const u8 *table, size_t table_len)
{
    XXH64_state_t *x = XXH64_createState();
    u64 h;

    if (!x)
        return 0;
    XXH64_reset(x, 0);
    XXH64_update(x, header, AT_CHECK);
    XXH64_update(x, table, table_len);
    h = XXH64_digest(x);
    XXH64_freeState(x);
    return h;
}

/*
 * Write @s to the file and fill its table entry. What would not come to half its size is stored as
 * it is: reading that is several times as quick.
 */
static bool write_section(FILE *out, const struct snapfile_section *s, u8 *entry)
{
    size_t bound = ZSTD_compressBound(s->len);
    u8 *packed = malloc(bound);
    size_t n = packed && s->len ? ZSTD_compress(packed, bound, s->bytes, s->len, LEVEL) : 0;
    bool plain = n > s->len / 2; /* errors are large numbers */
    const u8 *bytes = plain ? s->bytes : packed;

    if (plain)
        n = s->len;
    bool ok = packed && fwrite(bytes, 1, n, out) == n;
    memset(entry, 0, ENTRY_SIZE);
    memcpy(entry, s->name, strlen(s->name));
    store_le(entry + AT_VERSION, s->version, 4);
    if (ok) {
        store_le(entry + AT_STORED, n, 8);
        store_le(entry + AT_PLAIN, s->len, 8);
        store_le(entry + AT_HASH, XXH64(bytes, n, 0), 8);
    }
    free(packed);
    return ok;
}

/* Everything, into an empty file: the sections first, as only then their lengths are known. */
static bool write_all(const struct snapfile *f, FILE *out)
{
    size_t table_len = (size_t)f->count * ENTRY_SIZE;
    u8 *table = malloc(table_len + 1);
    u8 header[HEADER_SIZE] = {0};
    bool ok = table && fseeko(out, (off_t)(HEADER_SIZE + table_len), SEEK_SET) == 0;

    for (unsigned i = 0; ok && i < f->count; i++)
        ok = write_section(out, &f->section[i], table + (size_t)i * ENTRY_SIZE);
    if (ok) {
        memcpy(header, magic, MAGIC_SIZE);
        store_le(header + AT_FORMAT, FORMAT, 4);
        store_le(header + AT_COUNT, f->count, 4);
        store_le(header + AT_LENGTH, (u64)ftello(out), 8);
        store_le(header + AT_CHECK, header_hash(header, table, table_len), 8);
        ok = fseeko(out, 0, SEEK_SET) == 0 && fwrite(header, 1, HEADER_SIZE, out) == HEADER_SIZE &&
             fwrite(table, 1, table_len, out) == table_len;
    }
    free(table);
    return ok && fflush(out) == 0 && fsync(fileno(out)) == 0;
}

enum status snapfile_write(const struct snapfile *f, const char *path,
                           char error[SNAPFILE_ERROR_MAX])
{
    struct newfile file;
    struct stat st;

    if (f->no_memory) {
        snprintf(error, SNAPFILE_ERROR_MAX, "the host has no memory for the snapshot");
        return STATUS_NO_MEMORY;
    }
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        snprintf(error, SNAPFILE_ERROR_MAX, "'%.300s' is no file", path);
        return STATUS_NOT_FILE;
    }
    if (!newfile_open(&file, path)) {
        snprintf(error, SNAPFILE_ERROR_MAX, "cannot write '%.300s': %s", path, outfile_why(errno));
        return STATUS_NO_FILE;
    }
    if (newfile_close(&file, write_all(f, file.out)))
        return STATUS_OK;
    snprintf(error, SNAPFILE_ERROR_MAX, "cannot write '%.300s': %s", path, outfile_why(errno));
    return STATUS_IO;
}

/* --- reading --- */

static enum status bad(struct snapfile *f, enum status s, char error[SNAPFILE_ERROR_MAX],
                       const char *path, const char *why)
{
    snapfile_free(f);
    snprintf(error, SNAPFILE_ERROR_MAX, "'%.250s' %.140s", path, why);
    return s;
}

/* @n bytes from @at on, and what they add to @hash, if that is not NULL. */
static bool read_at(int fd, u8 *to, size_t n, u64 at, XXH64_state_t *hash)
{
    while (n) {
        ssize_t got = pread(fd, to, n < PIECE ? n : PIECE, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        if (hash)
            XXH64_update(hash, to, (size_t)got); /* while it is in the cache */
        to += got;
        at += (u64)got;
        n -= (size_t)got;
    }
    return true;
}

static enum status open_file(struct snapfile *f, const char *path, u64 *len)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return STATUS_NO_FILE;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return STATUS_NOT_FILE;
    }
    f->fd = fd;
    f->in_file = true;
    *len = (u64)st.st_size;
    return STATUS_OK;
}

static enum status cannot_open(struct snapfile *f, enum status s, char error[SNAPFILE_ERROR_MAX],
                               const char *path)
{
    char why[100];

    snprintf(why, sizeof(why), "cannot be opened: %s",
             s == STATUS_NO_FILE ? strerror(errno) : status_text(s));
    return bad(f, s, error, path, why);
}

/* The table's entry @e as a section whose bytes are at *@at; false if it makes no sense. */
static bool parse_entry(struct snapfile *f, const u8 *e, u64 *at, u64 end)
{
    char name[SNAPFILE_NAME_MAX + 1] = "";
    u64 stored = load_le(e + AT_STORED, 8), plain = load_le(e + AT_PLAIN, 8);

    memcpy(name, e, SNAPFILE_NAME_MAX);
    if (!*name || strlen(name) >= SNAPFILE_NAME_MAX || snapfile_find(f, name))
        return false;
    if (stored > end - *at || plain > SIZE_MAX / 2 || stored > plain)
        return false;
    snapfile_begin(f, name, (u32)load_le(e + AT_VERSION, 4));
    if (f->no_memory)
        return false;
    struct snapfile_section *s = &f->section[f->count - 1];
    s->at = *at;
    s->stored = (size_t)stored;
    s->len = (size_t)plain;
    s->hash = load_le(e + AT_HASH, 8);
    *at += s->stored;
    return true;
}

/* @h is the header, and @table has room for what it says. */
static enum status read_table(struct snapfile *f, const char *path, u64 len, const u8 *h, u8 *table,
                              char error[SNAPFILE_ERROR_MAX])
{
    u32 count = (u32)load_le(h + AT_COUNT, 4);
    size_t table_len = (size_t)count * ENTRY_SIZE;
    u64 at = HEADER_SIZE + table_len;

    if (!table)
        return bad(f, STATUS_NO_MEMORY, error, path, status_text(STATUS_NO_MEMORY));
    if (!read_at(f->fd, table, table_len, HEADER_SIZE, NULL) ||
        header_hash(h, table, table_len) != load_le(h + AT_CHECK, 8))
        return bad(f, STATUS_BAD_VALUE, error, path, "is damaged: its table has another checksum");
    for (u32 i = 0; i < count; i++) {
        if (!parse_entry(f, table + (size_t)i * ENTRY_SIZE, &at, len))
            return bad(f, STATUS_BAD_VALUE, error, path, "is damaged: a section makes no sense");
    }
    return STATUS_OK;
}

enum status snapfile_read(struct snapfile *f, const char *path, char error[SNAPFILE_ERROR_MAX])
{
    u8 h[HEADER_SIZE];
    u64 len = 0;

    *f = (struct snapfile){0};
    enum status s = open_file(f, path, &len);
    if (s != STATUS_OK)
        return cannot_open(f, s, error, path);
    if (len < HEADER_SIZE || !read_at(f->fd, h, HEADER_SIZE, 0, NULL) ||
        memcmp(h, magic, MAGIC_SIZE) != 0)
        return bad(f, STATUS_BAD_FORMAT, error, path, "is no snapshot of turbo86");
    if (load_le(h + AT_FORMAT, 4) > FORMAT)
        return bad(f, STATUS_UNSUPPORTED, error, path, "was written by a newer turbo86");
    if (load_le(h + AT_FORMAT, 4) < FORMAT)
        return bad(f, STATUS_UNSUPPORTED, error, path, "was written by an older turbo86");
    u64 count = load_le(h + AT_COUNT, 4);
    if (load_le(h + AT_LENGTH, 8) != len)
        return bad(f, STATUS_BAD_SIZE, error, path,
                   load_le(h + AT_LENGTH, 8) > len ? "is incomplete"
                                                   : "is damaged: it is too long");
    if (count > SECTIONS_MAX || count * ENTRY_SIZE > len - HEADER_SIZE)
        return bad(f, STATUS_BAD_VALUE, error, path, "is damaged: its table has another checksum");
    u8 *table = malloc((size_t)count * ENTRY_SIZE + 1);
    s = read_table(f, path, len, h, table, error);
    free(table);
    return s;
}

/* Room for @n bytes that are filled and read again and again. */
static bool make_room(struct snapfile_buffer *b, size_t n)
{
    if (b->room >= n && b->bytes)
        return true;
    free(b->bytes);
    b->bytes = malloc(n + 1);
    b->room = b->bytes ? n : 0;
    return b->bytes;
}

/* The bytes of @s, as they are stored. */
static enum status read_stored(const struct snapfile *f, const struct snapfile_section *s, u8 *to)
{
    XXH64_state_t *x = XXH64_createState();

    if (!x)
        return STATUS_NO_MEMORY;
    XXH64_reset(x, 0);
    bool whole = read_at(f->fd, to, s->stored, s->at, x);
    u64 hash = XXH64_digest(x);
    XXH64_freeState(x);
    return !whole ? STATUS_IO : hash == s->hash ? STATUS_OK : STATUS_BAD_VALUE;
}

enum status snapfile_unpack_to(const struct snapfile *f, const struct snapfile_section *s, u8 *to,
                               struct snapfile_buffer *buffer)
{
    if (s->stored == s->len)
        return read_stored(f, s, to);
    if (!make_room(buffer, s->stored))
        return STATUS_NO_MEMORY;
    enum status status = read_stored(f, s, buffer->bytes);
    if (status != STATUS_OK)
        return status;
    size_t n = ZSTD_decompress(to, s->len, buffer->bytes, s->stored);
    return !ZSTD_isError(n) && n == s->len ? STATUS_OK : STATUS_BAD_VALUE;
}

enum status snapfile_unpack(struct snapfile *f, struct snapfile_section *s,
                            char error[SNAPFILE_ERROR_MAX])
{
    struct snapfile_buffer buffer = {0};

    if (s->bytes || !f->in_file)
        return STATUS_OK;
    u8 *bytes = malloc(s->len + 1);
    enum status status = bytes ? snapfile_unpack_to(f, s, bytes, &buffer) : STATUS_NO_MEMORY;
    free(buffer.bytes);
    if (status == STATUS_OK) {
        s->bytes = bytes;
        return STATUS_OK;
    }
    free(bytes);
    if (status == STATUS_NO_MEMORY)
        snprintf(error, SNAPFILE_ERROR_MAX, "the host has no memory for the snapshot");
    else
        snprintf(error, SNAPFILE_ERROR_MAX, "the snapshot's section '%s' is damaged", s->name);
    return status;
}
