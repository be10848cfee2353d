/* SPDX-License-Identifier: MIT */
#include "machine/snapfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include "base/bits.h"
#include "base/newfile.h"

enum {
    FORMAT = 1,
    MAGIC_SIZE = 8,
    HEADER_SIZE = 32,
    ENTRY_SIZE = 72,
    SECTIONS_MAX = 4096,
    LEVEL = 1, /* of zstd: it is to be quick */
    FIRST_ROOM = 256,
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
    free(f->file);
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

/* Compress @s to the file and fill its table entry. */
static bool write_section(FILE *out, const struct snapfile_section *s, u8 *entry)
{
    size_t bound = ZSTD_compressBound(s->len);
    u8 *packed = malloc(bound);
    size_t n = packed ? ZSTD_compress(packed, bound, s->len ? s->bytes : packed, s->len, LEVEL) : 0;
    bool ok = packed && !ZSTD_isError(n) && fwrite(packed, 1, n, out) == n;

    memset(entry, 0, ENTRY_SIZE);
    memcpy(entry, s->name, strlen(s->name));
    store_le(entry + AT_VERSION, s->version, 4);
    if (ok) {
        store_le(entry + AT_STORED, n, 8);
        store_le(entry + AT_PLAIN, s->len, 8);
        store_le(entry + AT_HASH, XXH64(packed, n, 0), 8);
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
        snprintf(error, SNAPFILE_ERROR_MAX, "cannot write '%.300s': %s", path, strerror(errno));
        return STATUS_NO_FILE;
    }
    if (newfile_close(&file, write_all(f, file.out)))
        return STATUS_OK;
    snprintf(error, SNAPFILE_ERROR_MAX, "cannot write '%.300s': %s", path, strerror(errno));
    return STATUS_IO;
}

/* --- reading --- */

/* Bytes that are filled once: in large pages, if they are many. */
static u8 *large_alloc(size_t n)
{
    enum { LARGE = 2 << 20 };
    size_t size = (n + LARGE) / LARGE * LARGE;

    if (n < LARGE)
        return malloc(n + 1);
    u8 *p = aligned_alloc(LARGE, size);
#ifdef MADV_HUGEPAGE
    if (p)
        (void)madvise(p, size, MADV_HUGEPAGE);
#endif
    return p;
}

static enum status bad(struct snapfile *f, enum status s, char error[SNAPFILE_ERROR_MAX],
                       const char *path, const char *why)
{
    snapfile_free(f);
    snprintf(error, SNAPFILE_ERROR_MAX, "'%.250s' %.140s", path, why);
    return s;
}

static enum status read_whole(const char *path, u8 **out, size_t *len)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    u8 *bytes = NULL;
    size_t n = 0;

    if (fd < 0)
        return STATUS_NO_FILE;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return STATUS_NOT_FILE;
    }
    bytes = large_alloc((size_t)st.st_size);
    while (bytes && n < (size_t)st.st_size) {
        ssize_t got = read(fd, bytes + n, (size_t)st.st_size - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    close(fd);
    if (!bytes)
        return STATUS_NO_MEMORY;
    *out = bytes;
    *len = n;
    return STATUS_OK;
}

/* The table's entry @e as a section whose bytes are at *@at; false if it makes no sense. */
static bool parse_entry(struct snapfile *f, const u8 *e, size_t *at, size_t end)
{
    char name[SNAPFILE_NAME_MAX + 1] = "";
    u64 stored = load_le(e + AT_STORED, 8), plain = load_le(e + AT_PLAIN, 8);

    memcpy(name, e, SNAPFILE_NAME_MAX);
    if (!*name || strlen(name) >= SNAPFILE_NAME_MAX || snapfile_find(f, name))
        return false;
    if (stored > end - *at || plain > SIZE_MAX / 2)
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
    return XXH64(f->file + s->at, s->stored, 0) == s->hash;
}

enum status snapfile_read(struct snapfile *f, const char *path, char error[SNAPFILE_ERROR_MAX])
{
    size_t len = 0;

    *f = (struct snapfile){0};
    enum status s = read_whole(path, &f->file, &len);
    if (s != STATUS_OK)
        return bad(f, s, error, path, s == STATUS_NO_FILE ? strerror(errno) : status_text(s));
    const u8 *h = f->file;
    if (len < HEADER_SIZE || memcmp(h, magic, MAGIC_SIZE) != 0)
        return bad(f, STATUS_BAD_FORMAT, error, path, "is no snapshot of turbo86");
    if (load_le(h + AT_FORMAT, 4) > FORMAT)
        return bad(f, STATUS_UNSUPPORTED, error, path, "was written by a newer turbo86");
    u64 count = load_le(h + AT_COUNT, 4);
    if (load_le(h + AT_LENGTH, 8) != len)
        return bad(f, STATUS_BAD_SIZE, error, path,
                   load_le(h + AT_LENGTH, 8) > len ? "is incomplete"
                                                   : "is damaged: it is too long");
    if (count > SECTIONS_MAX || count * ENTRY_SIZE > len - HEADER_SIZE ||
        header_hash(h, h + HEADER_SIZE, count * ENTRY_SIZE) != load_le(h + AT_CHECK, 8))
        return bad(f, STATUS_BAD_VALUE, error, path, "is damaged: its table has another checksum");
    size_t at = HEADER_SIZE + (size_t)count * ENTRY_SIZE;
    for (unsigned i = 0; i < count; i++) {
        if (!parse_entry(f, h + HEADER_SIZE + (size_t)i * ENTRY_SIZE, &at, len))
            return bad(f, STATUS_BAD_VALUE, error, path,
                       "is damaged: a section has another checksum");
    }
    return STATUS_OK;
}

enum status snapfile_unpack(struct snapfile *f, struct snapfile_section *s,
                            char error[SNAPFILE_ERROR_MAX])
{
    if (s->bytes || !f->file)
        return STATUS_OK;
    s->bytes = large_alloc(s->len);
    if (!s->bytes) {
        snprintf(error, SNAPFILE_ERROR_MAX, "the host has no memory for the snapshot");
        return STATUS_NO_MEMORY;
    }
    size_t n = ZSTD_decompress(s->bytes, s->len, f->file + s->at, s->stored);
    if (!ZSTD_isError(n) && n == s->len)
        return STATUS_OK;
    snprintf(error, SNAPFILE_ERROR_MAX, "the snapshot's section '%s' is damaged", s->name);
    return STATUS_BAD_VALUE;
}
