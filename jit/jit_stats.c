/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "jit/jit_private.h"

void jit_stats(const struct jit *j, FILE *out)
{
    static const char *const why[] = {"budget", "edge", "indirect", "bail", "fault", "stop"};
    const struct cache_stats *s = &j->cache.stats;

    fprintf(out, "jit: backend %s, code memory %s\n", j->backend ? j->backend->name : "none",
            j->cache.mem.method ? j->cache.mem.method : "none");
    fprintf(out, "jit: %" PRIu64 " blocks of %" PRIu64 " instructions, %" PRIu64 " guest bytes, %" PRIu64
            " host bytes (%" PRIu64 " on the hot path)\n",
            s->blocks, j->counts.compiled_guests, s->guest_bytes, s->code_bytes, s->hot_bytes);
    fprintf(out, "jit: %" PRIu64 " dropped, %" PRIu64 " revived, %" PRIu64 " segments evicted, %" PRIu64
            " links, %" PRIu64 " unlinks\n",
            s->dropped, s->revived, s->evictions, s->links, s->unlinks);
    fprintf(out, "jit: %" PRIu64 " block runs interpreted, %" PRIu64 " slow accesses, %" PRIu64
            " instructions left to their executors by the backend\n",
            j->counts.interpreted, j->counts.access_slow, j->counts.declined);
    fprintf(out, "jit: left code by");
    for (unsigned i = 0; i < ARRAY_LEN(why); i++)
        fprintf(out, " %s %" PRIu64, why[i], j->counts.leaves[i]);
    fprintf(out, "\n");
}
