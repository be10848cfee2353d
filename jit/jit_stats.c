/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "jit/jit_private.h"

/* Text that grows; what does not fit is cut off. */
struct text {
    char *at;
    size_t left;
};

PRINTF_LIKE(2, 3)
static void say(struct text *t, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(t->at, t->left, fmt, args);
    va_end(args);
    size_t used = n < 0 ? 0 : (size_t)n < t->left ? (size_t)n : t->left;
    t->at += used;
    t->left -= used;
}

void jit_stats(const struct jit *j, char *text, size_t size)
{
    static const char *const why[] = {"budget", "edge", "indirect", "bail", "fault", "stop"};
    const struct cache_stats *s = &j->cache.stats;
    struct text t = {text, size};

    say(&t, "jit: backend %s, code memory %s\n", j->backend ? j->backend->name : "none",
        j->cache.mem.method ? j->cache.mem.method : "none");
    say(&t,
        "jit: %" PRIu64 " blocks of %" PRIu64 " instructions, %" PRIu64 " guest bytes, %" PRIu64
        " host bytes (%" PRIu64 " on the hot path)\n",
        s->blocks, j->counts.compiled_guests, s->guest_bytes, s->code_bytes, s->hot_bytes);
    say(&t,
        "jit: %" PRIu64 " dropped, %" PRIu64 " revived, %" PRIu64 " segments evicted, %" PRIu64
        " links, %" PRIu64 " unlinks\n",
        s->dropped, s->revived, s->evictions, s->links, s->unlinks);
    say(&t,
        "jit: %" PRIu64 " block runs interpreted, %" PRIu64 " slow accesses, %" PRIu64
        " instructions left to their executors by the backend\n",
        j->counts.interpreted, j->counts.access_slow, j->counts.declined);
    say(&t, "jit: left code by");
    for (unsigned i = 0; i < ARRAY_LEN(why); i++)
        say(&t, " %s %" PRIu64, why[i], j->counts.leaves[i]);
    say(&t, "\n");
}
