/* SPDX-License-Identifier: MIT */
#include "cpu/icache_dead.h"

#include <xxhash.h>

enum { DEAD_MOST = 4 }; /* in a chain: looking costs less than decoding */

static struct block **chain_of(struct dead_blocks *d, u64 key)
{
    return &d->chain[(key ^ key >> 12) % DEAD_CHAINS];
}

struct block *dead_put(struct dead_blocks *d, struct block *b, const u8 *bytes)
{
    struct block **at = chain_of(d, b->key), *last = NULL;
    unsigned n = 0;

    b->bytes_hash = XXH3_64bits(bytes, b->bytes);
    b->next = *at;
    *at = b;
    for (at = &b->next; *at && ++n < DEAD_MOST; at = &(*at)->next)
        ;
    if (*at) {
        last = *at;
        *at = NULL;
    }
    return last;
}

struct block *dead_take(struct dead_blocks *d, u64 key, const u8 *bytes, size_t room)
{
    u64 hash = 0;
    unsigned hashed = 0; /* bytes that hash is of */

    for (struct block **at = chain_of(d, key), *b; (b = *at); at = &b->next) {
        if (b->key != key || b->bytes > room)
            continue;
        if (b->bytes != hashed) {
            hashed = b->bytes;
            hash = XXH3_64bits(bytes, hashed);
        }
        if (b->bytes_hash == hash) {
            *at = b->next;
            return b;
        }
    }
    return NULL;
}
