/* SPDX-License-Identifier: MIT */
/*
 * Code that is written over: how long its translations live, and whether the same bytes come back.
 * Translating what will not run long costs more than it saves.
 */
#include "base/clock.h"
#include "jit/jit_private.h"

enum {
    SHORT_LIFE = 10000, /* instructions: a translation has not earned what it cost */
    SHY_MOST = 12,      /* each doubles how often a block is interpreted first     */
};

static struct jit_patch *patch_of(struct jit *j, const struct block *b)
{
    struct jit_patch *p = &j->patch[b->key % JIT_PATCHES];

    return p->key == b->key ? p : NULL;
}

u32 jit_patch_times(const struct jit *j, const struct block *b)
{
    const struct jit_patch *p = &j->patch[b->key % JIT_PATCHES];

    return p->key == b->key ? p->times : 0;
}

void jit_patch_dropped(struct jit *j, const struct block *b)
{
    struct jit_patch *p = &j->patch[b->key % JIT_PATCHES];

    if (p->key != b->key && (b->code || !p->times))
        *p = (struct jit_patch){.key = b->key};
    if (!b->code || p->key != b->key)
        return;
    p->times++;
    if (!p->fresh)
        return;
    bool short_life = clock_retired(j->cpu->clock) - p->born < SHORT_LIFE;
    p->shy = !short_life ? 0 : p->shy < SHY_MOST ? p->shy + 1 : SHY_MOST;
    p->fresh = false;
}

void jit_patch_translated(struct jit *j, const struct block *b)
{
    struct jit_patch *p = patch_of(j, b);

    if (p && p->times >= JIT_PATCHED_OFTEN) {
        p->born = clock_retired(j->cpu->clock);
        p->fresh = true;
    }
}

/* How often were these bytes decoded here before, as far as it is known? */
static u32 lives_before(struct jit *j, u64 hash)
{
    struct jit_ghost *g = &j->ghost[hash % JIT_GHOSTS];

    if (g->hash != hash)
        *g = (struct jit_ghost){.hash = hash};
    return g->lives++;
}

struct jit_block *jit_patch_decoded(struct jit *j, struct block *b, u32 eip, u32 mode)
{
    const struct jit_patch *p = patch_of(j, b);
    u8 copy[INSN_MAX_LEN];

    b->wanted = j->threshold;
    if (!p)
        return NULL;
    const u8 *bytes = icache_bytes(j->cpu->icache, b, copy);
    u32 lives = lives_before(j, cache_hash(b, eip, mode, bytes));
    if (lives == 0)
        b->wanted = j->threshold << p->shy;
    else if (lives >= j->threshold)
        b->wanted = 1; /* each was a run at least */
    return lives ? cache_revive(&j->cache, b, eip, mode, bytes) : NULL;
}
