/* SPDX-License-Identifier: MIT */
/*
 * Memory for generated code. No page of it is ever writable and executable at once. Either the same
 * memory is seen at two addresses, one to write at and one to run from; or at one, and pages change
 * sides around each write.
 */
#pragma once

#include "base/status.h"
#include "base/types.h"

struct hostmem {
    u8 *write; /* where code is written  */
    u8 *exec;  /* where the same code runs */
    size_t size, page;
    const char *method; /* for --stats: how that was done */
    bool flips;         /* write == exec: pages change sides */
    u8 *open;           /* flips: what is writable now       */
    size_t open_size;
};

/** @size bytes, rounded up to whole pages. STATUS_NO_MEMORY, STATUS_UNSUPPORTED: not on this host.
 */
enum status hostmem_create(struct hostmem *m, size_t size) MUST_CHECK;
/** The same by one method only, with pages of @page bytes, a multiple of the host's; for tests. */
enum status hostmem_create_by(struct hostmem *m, size_t size, bool flips,
                              size_t page) MUST_CHECK;
void hostmem_destroy(struct hostmem *m);
/** How much the stack of this process may grow to. */
size_t hostmem_stack(void);

/**
 * [@at, @at + @size) is about to be written; @at: write address. Until hostmem_publish() nothing in
 * those pages may run. A second call before that takes the place of the first.
 */
void hostmem_begin_write(struct hostmem *m, u8 *at, size_t size);

/** Make what was written at [@at, @at + @size) visible to instruction fetch, and all pages
 * executable again. @at: write address; @size may be 0. */
void hostmem_publish(struct hostmem *m, const u8 *at, size_t size);
