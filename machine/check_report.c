/* SPDX-License-Identifier: MIT */
/* What -jit check tells of a difference. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cpu/icache.h"
#include "machine/check_private.h"

enum { DUMP_MAX = 4096, ACCESSES_SHOWN = 8, BLOCKS_SHOWN = 24, FEW_BLOCKS = 2 };

static void tell_access(FILE *f, const char *who, const struct check_access *a)
{
    static const char *const kinds[] = {
        [PC_ACCESS_IN] = "in",       [PC_ACCESS_OUT] = "out",     [PC_ACCESS_READ] = "read",
        [PC_ACCESS_WRITE] = "write", [PC_ACCESS_INTA] = "vector",
    };

    fprintf(f, "  %-12s %-6s at %08" PRIx64 ", %u bytes, %" PRIx64 ", at instruction %" PRIu64 "\n",
            who, kinds[a->kind], a->at, a->size, a->val, a->retired);
}

/* The last accesses that both agree on, and the first on which they do not. */
static void tell_accesses(const struct check *c, FILE *f)
{
    size_t from = c->seen > ACCESSES_SHOWN ? c->seen - ACCESSES_SHOWN : 0;

    if (c->accesses == 0 && !c->strayed)
        return;
    fprintf(f, "Ports and devices asked in this step:\n");
    for (size_t i = from; i < c->seen; i++)
        tell_access(f, "both", &c->access[i]);
    if (c->seen < c->accesses)
        tell_access(f, "translated", &c->access[c->seen]);
    if (c->strayed)
        tell_access(f, "interpreted", &c->other);
}

static void tell_registers(FILE *f, const char *who, const struct pc *pc)
{
    char text[DUMP_MAX];

    pc_dump_registers(pc, text, sizeof(text));
    fprintf(f, "Registers, %s:\n%s\n", who, text);
}

static bool told_before(const struct check *c, u64 from, u64 i)
{
    for (u64 k = from; k < i; k++) {
        if (c->path[k % CHECK_PATH].key == c->path[i % CHECK_PATH].key)
            return true;
    }
    return false;
}

static void tell_blocks(const struct check *c, FILE *f)
{
    u64 n = c->path_count, from = n > BLOCKS_SHOWN ? n - BLOCKS_SHOWN : 0;

    if (n > FEW_BLOCKS)
        fprintf(f, "The same run with -check-from %" PRIu64 " makes this step smaller.\n", c->from);
    fprintf(f, "Blocks of this step: %" PRIu64 ", in this order:", n);
    for (u64 i = from; i < n; i++)
        fprintf(f, " %08x", c->path[i % CHECK_PATH].eip);
    fprintf(f, "\n");
    for (u64 i = from; i < n; i++) {
        const struct check_block *b = &c->path[i % CHECK_PATH];
        if (!told_before(c, from, i))
            jit_explain(c->pc->jit, b->key >> 2, (u32)(b->key & 3), b->eip, f);
    }
}

void check_tell(struct check *c, const char *what)
{
    size_t size;
    char *text = NULL;
    FILE *f;

    if (c->report)
        return;
    f = open_memstream(&text, &size);
    if (!f)
        return;
    fprintf(f, "-jit check: translated and interpreted code differ: %s\n", what);
    fprintf(f, "After instruction %" PRIu64 ", in a step that began after %" PRIu64 ".\n",
            clock_retired(&c->pc->clock), c->from);
    tell_registers(f, "translated", c->pc);
    tell_registers(f, "interpreted", c->twin);
    tell_accesses(c, f);
    tell_blocks(c, f);
    fclose(f);
    c->report = text;
}
