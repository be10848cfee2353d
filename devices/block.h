/* SPDX-License-Identifier: MIT */
/*
 * Disk images: a raw file or bytes in memory, in sectors of 512 bytes, with an optional overlay in
 * memory that takes the writes and leaves the image alone.
 */
#pragma once

#include "base/fields.h"
#include "base/status.h"
#include "base/types.h"

#define BLOCK_SECTOR   512u
#define BLOCK_ERR_SIZE 512u

struct block;

struct block_options {
    bool read_only; /* the guest's writes fail                  */
    bool snapshot;  /* the guest's writes stay in memory        */
};

/**
 * Open the raw image @path, whole and locked: writable images against everybody, the others
 * against writers. On failure *@out is untouched and @err holds one sentence.
 */
enum status block_open(struct block **out, const char *path, const struct block_options *opt,
                       char err[BLOCK_ERR_SIZE]) MUST_CHECK;

/** A disk of @len bytes (not owned, a multiple of 512) that are never written: an overlay is. */
enum status block_create_memory(struct block **out, const u8 *bytes, size_t len) MUST_CHECK;

/** Unlock, close, forget the overlay. NULL is accepted. */
void block_close(struct block *b);

u64 block_sectors(const struct block *b);
bool block_read_only(const struct block *b);

/* Sectors outside of the image are STATUS_BAD_SIZE; a failing host is STATUS_IO. */
enum status block_read(struct block *b, u64 lba, u32 count, u8 *to) MUST_CHECK;
enum status block_write(struct block *b, u64 lba, u32 count, const u8 *from) MUST_CHECK;
/** How many reads and writes there were. */
u64 block_transfers(const struct block *b);

/** Return when what was written is on the host's disk. */
enum status block_flush(struct block *b) MUST_CHECK;

/*
 * The overlay is guest state. Its canonical stream is the number of changed 4 KiB chunks, and then
 * for each, in ascending order, its number and its bytes.
 */
void block_save(const struct block *b, field_sink *sink, void *ctx);
enum status block_load(struct block *b, const u8 **p, const u8 *end) MUST_CHECK;
/** Whether it has an overlay. */
bool block_overlaid(const struct block *b);

/**
 * Loading in two steps: keep the overlay of the stream [@p, @end) beside the one that is in use
 * (STATUS_BAD_VALUE: that is no overlay of this image), and put it into its place, which cannot
 * fail, or forget it.
 */
enum status block_stage(struct block *b, const u8 *p, const u8 *end) MUST_CHECK;
void block_unstage(struct block *b);
void block_commit(struct block *b);

/** A hash of the image without its overlay: reads all of it, once until it is written. */
enum status block_identity(struct block *b, u64 *out) MUST_CHECK;

/** xxh64 of that stream. */
u64 block_hash(const struct block *b);
