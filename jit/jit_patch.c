/* SPDX-License-Identifier: MIT */
/*
 * Code that is written over: how long its translations live, and whether the same bytes come back.
 * Translating what will not run long costs more than it saves.
 */
#include "base/clock.h"
#include "jit/jit_private.h"

enum {
    SHORT_LIFE = 10000,  /* instructions: a translation has not earned what it cost */
    OFTEN_BACK = 4,      /* lives: the bytes come and go                            */
    COLD_OFTEN = 16,     /* written over before it was worth a translation          */
    CROWDED_OFTEN = 255, /* it had no check because too many others have            */
    HOLD = 8,            /* others that are written over before a place is another's */
    SHY_MOST = 12,       /* each doubles how often a block is interpreted first     */
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

/* The record of @b, taken from another block that has not been heard of for a while; NULL: it keeps
 * its place. */
static struct jit_patch *claim(struct jit *j, const struct block *b)
{
    struct jit_patch *p = &j->patch[jit_place(b->key, JIT_PATCHES)];

    if (p->key != b->key && !b->code && p->hold) {
        p->hold--;
        return NULL;
    }
    if (p->key != b->key)
        *p = (struct jit_patch){.key = b->key};
    if (b->code)
        p->hold = HOLD;
    return p;
}

/* Its translation was in vain, or not. */
static void note_life(struct jit *j, struct jit_patch *p)
{
    bool short_life = clock_retired(j->cpu->clock) - p->born < SHORT_LIFE;

    p->shy = !short_life ? 0 : p->shy < SHY_MOST ? p->shy + 1 : SHY_MOST;
    p->fresh = false;
    if (!short_life && p->check == CHECK_NEVER)
        p->check = CHECK_NOT;
}

void jit_patch_dropped(struct jit *j, const struct block *b)
{
    struct jit_patch *p = claim(j, b);

    if (!p)
        return;
    if (b->may_check && b->stood >= ICACHE_STOOD_MOST)
        p->check = CHECK_SOFT;
    if (b->code) {
        p->times++;
        if (p->fresh)
            note_life(j, p);
    } else if (p->check == CHECK_NOT && ++p->cold >= COLD_OFTEN) {
        p->check = CHECK_SOFT;
    }
}

void jit_patch_translated(struct jit *j, const struct block *b)
{
    struct jit_patch *p = patch_of(j, b);

    if (p && p->times >= JIT_PATCHED_OFTEN) {
        p->born = clock_retired(j->cpu->clock);
        p->fresh = true;
    }
}

void jit_patch_aged(struct jit *j, const struct block *b)
{
    struct jit_patch *p = patch_of(j, b);

    if (p)
        *p = (struct jit_patch){.key = b->key};
}

void jit_patch_vain(struct jit *j, const struct block *b)
{
    struct jit_patch *p = patch_of(j, b);

    if (p)
        p->check = CHECK_NEVER;
}

/* @b cannot have a check beside all others at its place. Perhaps they differ in nothing but what
 * may be left out; if not, those stay in the long run that were worth a translation. */
static enum icache_checked crowd(struct jit *j, struct jit_patch *p, struct block *b)
{
    struct icache *ic = j->cpu->icache;

    if (p->check == CHECK_HARD) {
        p->check = CHECK_SOFT;
        icache_forget_versions(ic, b->key, false);
        return jit_check_begin(j, b, true);
    }
    if (++p->crowded < CROWDED_OFTEN)
        return ICACHE_CROWDED;
    p->crowded = 0;
    unsigned before = icache_versions(ic, b->key), kept = icache_forget_versions(ic, b->key, true);
    return kept && kept < before ? jit_check_begin(j, b, true) : ICACHE_UNFIT;
}

/* Let @b, of which @p is known, check itself if watching it has not been worth it. */
static void consider_check(struct jit *j, struct jit_patch *p, struct block *b)
{
    b->may_check = p && j->backend && p->check != CHECK_NEVER;
    if (!b->may_check || b->check)
        return;
    if (p->check == CHECK_NOT && b->lives >= OFTEN_BACK)
        p->check = CHECK_HARD;
    if (p->check == CHECK_NOT && p->shy > 1)
        p->check = CHECK_SOFT;
    if (p->check == CHECK_NOT)
        return;
    enum icache_checked c = jit_check_begin(j, b, p->check == CHECK_SOFT);
    if (c == ICACHE_CROWDED)
        c = crowd(j, p, b);
    b->may_check = c == ICACHE_CHECKED;
    if (c == ICACHE_UNFIT)
        p->check = CHECK_NEVER;
}

void jit_patch_decoded(struct jit *j, struct block *b)
{
    struct jit_patch *p = patch_of(j, b);

    consider_check(j, p, b);
    bool doubt = p && !b->check && !b->lives && p->shy > 1; /* the second is soft in more ways */
    b->wanted = j->threshold << (doubt ? p->shy - 1 : 0);
    j->cache.stats.revived += b->lives ? cache_translations(&j->cache, b) : 0;
}
