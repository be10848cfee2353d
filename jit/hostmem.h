/* SPDX-License-Identifier: MIT */
/*
 * Memory for generated code. It is never writable and executable at once: the same memory is seen
 * at two addresses, one to write at and one to run from.
 */
#pragma once

#include "base/status.h"
#include "base/types.h"

struct hostmem {
    u8 *write; /* where code is written  */
    u8 *exec;  /* where the same code runs */
    size_t size;
    const char *method; /* for --stats: how that was done */
};

/** @size bytes, rounded up to whole pages. STATUS_NO_MEMORY, STATUS_UNSUPPORTED: not on this host.
 */
enum status hostmem_create(struct hostmem *m, size_t size) MUST_CHECK;
void hostmem_destroy(struct hostmem *m);

/** Make what was written at [@at, @at + @size) visible to instruction fetch. @at: write address. */
void hostmem_publish(const struct hostmem *m, const u8 *at, size_t size);
