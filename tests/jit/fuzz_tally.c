/* SPDX-License-Identifier: MIT */
#include "tests/jit/fuzz_tally.h"

#include <inttypes.h>

#include "cpu/icache_private.h"
#include "jit/jit_private.h"

static unsigned versions(const struct jit *j, u64 key)
{
    const struct icache *ic = j->cpu->icache;
    unsigned n = 0;

    for (const struct block *b = NULL; (b = icache_version(ic, key, b));)
        n++;
    return n;
}

static void add_patch(struct fuzz_tally *t, const struct jit *j, const struct jit_patch *p)
{
    unsigned n = versions(j, p->key);

    t->hard += p->check == CHECK_HARD;
    t->soft += p->check == CHECK_SOFT;
    t->never += p->check == CHECK_NEVER;
    t->shy += p->shy > 1;
    t->two += n >= 2;
    t->full += n >= VERSIONS_MOST;
}

void fuzz_tally_add(struct fuzz_tally *t, const struct fuzz_machine *m)
{
    const struct jit *j = m->jit;

    if (!j || !j->backend)
        return;
    t->checked += j->counts.checked;
    t->revived += j->cache.stats.revived;
    t->dropped += j->cache.stats.dropped;
    t->evicted += j->cache.stats.evictions;
    for (unsigned i = 0; i < JIT_PATCHES; i++) {
        if (j->patch[i].key)
            add_patch(t, j, &j->patch[i]);
    }
}

static const struct counter {
    size_t offset;
    const char *text;
} counters[] = {
#define FUZZ_TALLY(name, text) {offsetof(struct fuzz_tally, name), text},
#include "tests/jit/fuzz_tally.def"
};

static u64 value(const struct fuzz_tally *t, const struct counter *c)
{
    return *(const u64 *)(const void *)((const char *)t + c->offset);
}

void fuzz_tally_print(const struct fuzz_tally *t, FILE *out)
{
    for (unsigned i = 0; i < ARRAY_LEN(counters); i++)
        fprintf(out, "%10" PRIu64 " %s\n", value(t, &counters[i]), counters[i].text);
}

const char *fuzz_tally_lacks(const struct fuzz_tally *t, u64 least)
{
    for (unsigned i = 0; i < ARRAY_LEN(counters); i++) {
        if (value(t, &counters[i]) < least)
            return counters[i].text;
    }
    return NULL;
}
