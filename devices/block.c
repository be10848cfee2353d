/* SPDX-License-Identifier: MIT */
/*
 * Disk images.
 *
 * The format is never guessed: every file is raw. One that begins like a well-known container is
 * refused, because a guest that boots from it sees garbage and may "repair" it.
 */
#include "devices/block.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/bits.h"
#include "base/log.h"
#include "base/outfile.h"

enum {
    CHUNK = 4096,
    CHUNK_SECTORS = CHUNK / BLOCK_SECTOR,
    LEAF_CHUNKS = 1024,
};

struct leaf {
    u8 *chunk[LEAF_CHUNKS];
};

/* What the guest has written, by 4 KiB chunks. */
struct overlay {
    struct leaf **leaf; /* NULL entries: unchanged */
    u64 chunks;
};

struct block {
    int fd;          /* -1: memory */
    const u8 *bytes; /* of a disk in memory */
    u64 sectors;
    bool read_only, overlaid;
    u64 leaves;
    struct overlay over;
    struct overlay staged; /* leaf is NULL: none */
    bool identified;       /* identity is that of the image */
    u64 identity;
    u64 transfers; /* for whoever watches; no state */
};

static u64 chunk_count(const struct block *b)
{
    return (b->sectors + CHUNK_SECTORS - 1) / CHUNK_SECTORS;
}

static enum status block_new(struct block **out, u64 sectors, bool overlaid)
{
    struct block *b = calloc(1, sizeof(*b));
    if (!b)
        return STATUS_NO_MEMORY;

    b->fd = -1;
    b->sectors = sectors;
    b->overlaid = overlaid;
    if (overlaid) {
        b->leaves = (chunk_count(b) + LEAF_CHUNKS - 1) / LEAF_CHUNKS;
        b->over.leaf = calloc(b->leaves, sizeof(*b->over.leaf));
        if (!b->over.leaf) {
            free(b);
            return STATUS_NO_MEMORY;
        }
    }
    *out = b;
    return STATUS_OK;
}

/* ---- opening ---- */

static const char *container_name(const u8 *head)
{
    static const struct {
        const char *magic, *name;
    } known[] = {
        {"QFI\xfb", "qcow2"}, {"KDMV", "VMDK"}, {"conectix", "VHD"},
        {"vhdxfile", "VHDX"}, {"<<< ", "VDI"},
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (memcmp(head, known[i].magic, strlen(known[i].magic)) == 0)
            return known[i].name;
    }
    return NULL;
}

static enum status check_image(int fd, const char *path, bool writable, u64 *sectors,
                               char err[BLOCK_ERR_SIZE])
{
    u8 head[BLOCK_SECTOR];
    off_t size = lseek(fd, 0, SEEK_END);

    if (size < 0) { /* a file of /proc */
        snprintf(err, BLOCK_ERR_SIZE, "\"%s\" has no size: %s.", path, strerror(errno));
        return STATUS_BAD_FORMAT;
    }
    if (size <= 0 || size % BLOCK_SECTOR) {
        snprintf(err, BLOCK_ERR_SIZE,
                 "\"%s\" has %lld bytes; a raw disk image has a multiple of 512, and not 0.", path,
                 (long long)size);
        return STATUS_BAD_SIZE;
    }
    if (!file_lock(fd, writable)) {
        snprintf(err, BLOCK_ERR_SIZE, "\"%s\" is in use, by another emulator or as an output.",
                 path);
        return STATUS_LOCKED;
    }
    if (pread(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head)) {
        snprintf(err, BLOCK_ERR_SIZE, "\"%s\" cannot be read: %s.", path, strerror(errno));
        return STATUS_IO;
    }
    const char *container = container_name(head);
    if (container) {
        snprintf(err, BLOCK_ERR_SIZE, "\"%s\" is a %s image; only raw images are supported.", path,
                 container);
        return STATUS_BAD_FORMAT;
    }
    *sectors = (u64)size / BLOCK_SECTOR;
    return STATUS_OK;
}

enum status block_open(struct block **out, const char *path, const struct block_options *opt,
                       char err[BLOCK_ERR_SIZE])
{
    bool writable = !opt->read_only && !opt->snapshot;
    u64 sectors = 0;
    struct stat st;

    /* Before open(): that of a pipe waits for its other end. */
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
        snprintf(err, BLOCK_ERR_SIZE, "\"%s\" is %s, not a disk image.", path,
                 S_ISDIR(st.st_mode)    ? "a directory"
                 : S_ISFIFO(st.st_mode) ? "a pipe"
                                        : "a character device or socket");
        return STATUS_BAD_FORMAT;
    }
    int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);

    if (fd < 0) {
        snprintf(err, BLOCK_ERR_SIZE, "\"%s\" cannot be opened: %s.", path, strerror(errno));
        return STATUS_NO_FILE;
    }
    enum status s = check_image(fd, path, writable, &sectors, err);
    struct block *b = NULL;
    if (s == STATUS_OK) {
        s = block_new(&b, sectors, opt->snapshot && !opt->read_only);
        if (s != STATUS_OK)
            snprintf(err, BLOCK_ERR_SIZE, "\"%s\": %s.", path, status_text(s));
    }
    if (s != STATUS_OK) {
        close(fd);
        return s;
    }
    b->fd = fd;
    b->read_only = opt->read_only;
    *out = b;
    return STATUS_OK;
}

enum status block_create_memory(struct block **out, const u8 *bytes, size_t len)
{
    if (len == 0 || len % BLOCK_SECTOR)
        return STATUS_BAD_SIZE;
    enum status s = block_new(out, len / BLOCK_SECTOR, true);
    if (s == STATUS_OK)
        (*out)->bytes = bytes;
    return s;
}

static void overlay_clear(const struct block *b, struct overlay *o)
{
    for (u64 i = 0; o->leaf && i < b->leaves; i++) {
        for (unsigned j = 0; o->leaf[i] && j < LEAF_CHUNKS; j++)
            free(o->leaf[i]->chunk[j]);
        free(o->leaf[i]);
        o->leaf[i] = NULL;
    }
    o->chunks = 0;
}

void block_unstage(struct block *b)
{
    overlay_clear(b, &b->staged);
    free(b->staged.leaf);
    b->staged.leaf = NULL;
}

void block_close(struct block *b)
{
    if (!b)
        return;
    block_unstage(b);
    overlay_clear(b, &b->over);
    free(b->over.leaf);
    if (b->fd >= 0)
        close(b->fd);
    free(b);
}

u64 block_sectors(const struct block *b)
{
    return b->sectors;
}

bool block_read_only(const struct block *b)
{
    return b->read_only;
}

/* ---- the image ---- */

static enum status image_read(const struct block *b, u64 at, u8 *to, size_t len)
{
    if (b->fd < 0) {
        memcpy(to, b->bytes + at, len);
        return STATUS_OK;
    }
    while (len) {
        ssize_t n = pread(b->fd, to, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            log_error(DISK, "read at %llu: %s", (unsigned long long)at,
                      n ? strerror(errno) : "the image became shorter");
            return STATUS_IO;
        }
        to += n, at += (u64)n, len -= (size_t)n;
    }
    return STATUS_OK;
}

static enum status image_write(struct block *b, u64 at, const u8 *from, size_t len)
{
    b->identified = false;
    while (len) {
        ssize_t n = pwrite(b->fd, from, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            log_error(DISK, "write at %llu: %s", (unsigned long long)at, strerror(errno));
            return STATUS_IO;
        }
        from += n, at += (u64)n, len -= (size_t)n;
    }
    return STATUS_OK;
}

/* ---- the overlay ---- */

static u8 *overlay_find(const struct block *b, u64 chunk)
{
    const struct leaf *leaf = b->overlaid ? b->over.leaf[chunk / LEAF_CHUNKS] : NULL;

    return leaf ? leaf->chunk[chunk % LEAF_CHUNKS] : NULL;
}

/* Room for a chunk that is not in @o yet, all zeros; NULL: no memory. */
static u8 *overlay_add(struct overlay *o, u64 chunk)
{
    struct leaf **leaf = &o->leaf[chunk / LEAF_CHUNKS];

    if (!*leaf)
        *leaf = calloc(1, sizeof(**leaf));
    u8 *bytes = *leaf ? calloc(1, CHUNK) : NULL;
    if (bytes) {
        (*leaf)->chunk[chunk % LEAF_CHUNKS] = bytes;
        o->chunks++;
    }
    return bytes;
}

/* The chunk's bytes in the overlay, copied there from the image if they were not. */
static enum status overlay_take(struct block *b, u64 chunk, u8 **out)
{
    u8 image[CHUNK] = {0};
    u64 first = chunk * CHUNK_SECTORS;
    u64 have = b->sectors - first < CHUNK_SECTORS ? b->sectors - first : CHUNK_SECTORS;

    *out = overlay_find(b, chunk);
    if (*out)
        return STATUS_OK;
    enum status s = image_read(b, first * BLOCK_SECTOR, image, have * BLOCK_SECTOR);
    if (s != STATUS_OK)
        return s;
    u8 *bytes = overlay_add(&b->over, chunk);
    if (!bytes)
        return STATUS_NO_MEMORY;
    memcpy(bytes, image, CHUNK);
    *out = bytes;
    return STATUS_OK;
}

/* Sectors from @lba on that lie in one chunk. */
static u32 in_chunk(u64 lba, u32 count)
{
    u32 room = CHUNK_SECTORS - (u32)(lba % CHUNK_SECTORS);

    return count < room ? count : room;
}

static bool in_image(const struct block *b, u64 lba, u32 count)
{
    return lba < b->sectors && count <= b->sectors - lba;
}

u64 block_transfers(const struct block *b)
{
    return b->transfers;
}

enum status block_read(struct block *b, u64 lba, u32 count, u8 *to)
{
    if (!in_image(b, lba, count))
        return STATUS_BAD_SIZE;
    b->transfers++;
    if (!b->over.chunks)
        return image_read(b, lba * BLOCK_SECTOR, to, (size_t)count * BLOCK_SECTOR);
    while (count) {
        u32 n = in_chunk(lba, count);
        const u8 *bytes = overlay_find(b, lba / CHUNK_SECTORS);
        enum status s = STATUS_OK;
        if (bytes)
            memcpy(to, bytes + lba % CHUNK_SECTORS * BLOCK_SECTOR, (size_t)n * BLOCK_SECTOR);
        else
            s = image_read(b, lba * BLOCK_SECTOR, to, (size_t)n * BLOCK_SECTOR);
        if (s != STATUS_OK)
            return s;
        to += (size_t)n * BLOCK_SECTOR, lba += n, count -= n;
    }
    return STATUS_OK;
}

enum status block_write(struct block *b, u64 lba, u32 count, const u8 *from)
{
    if (!in_image(b, lba, count))
        return STATUS_BAD_SIZE;
    if (b->read_only)
        return STATUS_IO;
    b->transfers++;
    if (!b->overlaid)
        return image_write(b, lba * BLOCK_SECTOR, from, (size_t)count * BLOCK_SECTOR);
    while (count) {
        u32 n = in_chunk(lba, count);
        u8 *bytes;
        enum status s = overlay_take(b, lba / CHUNK_SECTORS, &bytes);
        if (s != STATUS_OK)
            return s;
        memcpy(bytes + lba % CHUNK_SECTORS * BLOCK_SECTOR, from, (size_t)n * BLOCK_SECTOR);
        from += (size_t)n * BLOCK_SECTOR, lba += n, count -= n;
    }
    return STATUS_OK;
}

enum status block_flush(struct block *b)
{
    if (b->fd < 0 || b->read_only || b->overlaid)
        return STATUS_OK;
    return fsync(b->fd) == 0 ? STATUS_OK : STATUS_IO;
}

/* ---- state ---- */

void block_save(const struct block *b, field_sink *sink, void *ctx)
{
    const struct overlay *o = &b->over;

    sink(ctx, &o->chunks, sizeof(o->chunks));
    for (u64 i = 0; b->overlaid && i < b->leaves; i++) {
        for (unsigned j = 0; o->leaf[i] && j < LEAF_CHUNKS; j++) {
            u64 number = i * LEAF_CHUNKS + j;
            if (!o->leaf[i]->chunk[j])
                continue;
            sink(ctx, &number, sizeof(number));
            sink(ctx, o->leaf[i]->chunk[j], CHUNK);
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

/* Fill the empty overlay @o from the stream. */
static enum status overlay_parse(const struct block *b, struct overlay *o, const u8 **p,
                                 const u8 *end)
{
    u64 count, number, next = 0;
    enum status s = take(&count, p, end, sizeof(count));

    if (s == STATUS_OK && count && !b->overlaid)
        return STATUS_BAD_VALUE;
    for (u64 i = 0; s == STATUS_OK && i < count; i++) {
        s = take(&number, p, end, sizeof(number));
        if (s == STATUS_OK && (number >= chunk_count(b) || number < next))
            s = STATUS_BAD_VALUE;
        if (s != STATUS_OK)
            break;
        next = number + 1;
        u8 *bytes = overlay_add(o, number);
        s = bytes ? take(bytes, p, end, CHUNK) : STATUS_NO_MEMORY;
    }
    return s;
}

enum status block_load(struct block *b, const u8 **p, const u8 *end)
{
    overlay_clear(b, &b->over);
    return overlay_parse(b, &b->over, p, end);
}

bool block_overlaid(const struct block *b)
{
    return b->overlaid;
}

enum status block_stage(struct block *b, const u8 *p, const u8 *end)
{
    block_unstage(b);
    b->staged.leaf = calloc(b->leaves + 1, sizeof(struct leaf *));
    if (!b->staged.leaf)
        return STATUS_NO_MEMORY;
    enum status s = overlay_parse(b, &b->staged, &p, end);
    if (s == STATUS_OK && p != end)
        s = STATUS_BAD_SIZE;
    if (s != STATUS_OK)
        block_unstage(b);
    return s;
}

void block_commit(struct block *b)
{
    struct overlay old = b->over;

    if (!b->staged.leaf)
        return;
    b->over = b->staged;
    b->staged = old;
    block_unstage(b);
}

enum status block_identity(struct block *b, u64 *out)
{
    enum { STEP = 1 << 20 };
    XXH64_state_t *x = b->identified ? NULL : XXH64_createState();
    u8 *bytes = b->identified ? NULL : malloc(STEP);
    enum status s = b->identified || (x && bytes) ? STATUS_OK : STATUS_NO_MEMORY;
    u64 size = b->sectors * BLOCK_SECTOR;

    if (x)
        XXH64_reset(x, 0);
    for (u64 at = 0; !b->identified && s == STATUS_OK && at < size; at += STEP) {
        size_t n = size - at < STEP ? (size_t)(size - at) : STEP;
        s = image_read(b, at, bytes, n);
        if (s == STATUS_OK)
            XXH64_update(x, bytes, n);
    }
    if (s == STATUS_OK && !b->identified) {
        b->identity = XXH64_digest(x);
        b->identified = true;
    }
    if (s == STATUS_OK)
        *out = b->identity;
    XXH64_freeState(x);
    free(bytes);
    return s;
}

static void hash_sink(void *ctx, const void *bytes, size_t n)
{
    XXH64_update(ctx, bytes, n);
}

u64 block_hash(const struct block *b)
{
    XXH64_state_t *x = XXH64_createState();

    if (!x)
        return 0;
    XXH64_reset(x, 0);
    block_save(b, hash_sink, x);
    u64 h = XXH64_digest(x);
    XXH64_freeState(x);
    return h;
}
