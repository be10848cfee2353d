/* SPDX-License-Identifier: MIT */
/*
 * What lies behind a jit_block, and where. Private to jit/.
 *
 * Links and calls are arrays, as generated code names them. Sites are looked for only when code
 * gives up, so they are packed: 3 bytes for most of them.
 */
#pragma once

#include "jit/code.h"

static inline struct jit_link *jit_links(const struct jit_block *b)
{
    return (struct jit_link *)(uintptr_t)(b + 1);
}

static inline struct jit_call *jit_calls(const struct jit_block *b)
{
    return (struct jit_call *)(jit_links(b) + b->links);
}

static inline u8 *jit_sites(const struct jit_block *b)
{
    return (u8 *)(jit_calls(b) + b->calls);
}

/** The block of the link or call @at, which is @back bytes behind it. */
static inline struct jit_block *jit_owner(void *at, u16 back)
{
    return (struct jit_block *)(void *)((u8 *)at - back);
}

/** Bytes of @b with everything that is kept of it, its runs apart. */
size_t jit_tables_size(const struct jit_block *b);

/** EIP of guest instruction @g; of what follows the block, if there are @g of them. */
u32 jit_block_eip(const struct jit_block *b, unsigned g);

/** The most that jit_sites_pack() writes for a site. */
#define JIT_SITE_MAX 13u

/** Write @count sites, in the order of their places, to @to; bytes written. */
size_t jit_sites_pack(u8 *to, const struct jit_site *site, unsigned count);

/** The site of @b at @off in its code. False: there is none. */
bool jit_site_at(const struct jit_block *b, u32 off, struct jit_site *out) MUST_CHECK;
