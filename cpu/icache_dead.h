/* SPDX-License-Identifier: MIT */
/*
 * Decoded blocks whose bytes were written over: they come back, with what an engine made of them,
 * if the same bytes do. Private to cpu/icache.c.
 */
#pragma once

#include "cpu/icache.h"

#define DEAD_CHAINS 4096u

struct dead_blocks {
    struct block *chain[DEAD_CHAINS]; /* by key, the last to die first; linked by next */
};

/** Keep @b, whose bytes are still those at @bytes. Returns the block that has to be forgotten for
 * it, or NULL. */
struct block *dead_put(struct dead_blocks *d, struct block *b, const u8 *bytes);

/** Take out the block of @key that was decoded from the bytes at @bytes, of which there are @room;
 * NULL: there is none. */
struct block *dead_take(struct dead_blocks *d, u64 key, const u8 *bytes, size_t room);
