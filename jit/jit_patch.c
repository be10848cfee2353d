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
    struct jit_patch *p = &j->patch[jit_place(b->key, JIT_PATCHES)];

    return p->key == b->key ? p : NULL;
}

u32 jit_patch_times(const struct jit *j, const struct block *b)
{
    const struct jit_patch *p = &j->patch[jit_place(b->key, JIT_PATCHES)];

    return p->key == b->key ? p->times : 0;
}

bool jit_patch_shy(const struct jit *j, const struct block *b)
{
    const struct jit_patch *p = &j->patch[jit_place(b->key, JIT_PATCHES)];

    return p->key == b->key && p->shy;
}

void jit_patch_dropped(struct jit *j, const struct block *b)
{
    struct jit_patch *p = &j->patch[jit_place(b->key, JIT_PATCHES)];

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

void jit_patch_decoded(struct jit *j, struct block *b)
{
    const struct jit_patch *p = patch_of(j, b);

    bool doubt = p && !b->lives && p->shy > 1; /* the second is soft in more ways */
    b->wanted = j->threshold << (doubt ? p->shy - 1 : 0);
    j->cache.stats.revived += b->lives ? cache_translations(&j->cache, b) : 0;
}
