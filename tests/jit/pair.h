/* SPDX-License-Identifier: MIT */
/* Two little machines, one with a translator, that run the same code and have to end alike. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "cpu/flags.h"
#include "jit/jit.h"
#include "tests/support/little_pc.h"

enum { PAIR_CODE = 0x1000, PAIR_ROUNDS = 2000 };

struct pair {
    struct little_pc *ours, *theirs; /* with and without a translator */
    struct jit *jit;
    u32 slice; /* instructions that run at a time, or 0 */
};

static inline struct pair *pair_create(const char *model)
{
    struct pair *p = calloc(1, sizeof(*p));

    assert_non_null(p);
    p->ours = little_pc_create(model);
    p->theirs = little_pc_create(model);
    if (jit_supported()) {
        struct jit_desc d = {.cpu = p->ours->cpu, .physmem = p->ours->pm, .engine = JIT_HOST};
        assert_int_equal(jit_create(&p->jit, &d), STATUS_OK);
    }
    return p;
}

static inline int pair_teardown(void **state)
{
    struct pair *p = *state;
    void *pc[] = {p->ours, p->theirs};

    jit_destroy(p->jit);
    little_pc_teardown(&pc[0]);
    little_pc_teardown(&pc[1]);
    free(p);
    return 0;
}

/** The number that stands after @before in the translator's statistics. */
static inline u64 pair_stat(const struct pair *p, const char *before)
{
    char text[4096];

    jit_stats(p->jit, text, sizeof(text));
    return strtoull(strstr(text, before) + strlen(before), NULL, 10);
}

/** Run @bytes of @code from PAIR_CODE on, with CX = PAIR_ROUNDS, on both machines; how they end. */
static inline enum cpu_exit pair_run(struct pair *p, const u8 *code, size_t bytes)
{
    struct little_pc *pc[] = {p->ours, p->theirs};
    enum cpu_exit e[2];

    if (!jit_supported())
        skip();
    for (unsigned i = 0; i < 2; i++) {
        little_pc_load(pc[i], PAIR_CODE, code, bytes);
        pc[i]->cpu->gpr[REG_AX] = 0x44b32211;
        pc[i]->cpu->gpr[REG_BX] = 0x88776655;
        pc[i]->cpu->gpr[REG_CX] = PAIR_ROUNDS;
        do
            e[i] = little_pc_run(pc[i], p->slice ? p->slice : 5000000);
        while (p->slice && e[i] == CPU_EXIT_BUDGET);
    }
    assert_int_equal(e[0], e[1]);
    assert_int_equal(clock_retired(&p->ours->clock), clock_retired(&p->theirs->clock));
    assert_int_equal(p->ours->cpu->rip, p->theirs->cpu->rip);
    assert_int_equal(p->ours->cpu->cr2, p->theirs->cpu->cr2);
    assert_memory_equal(p->ours->cpu->gpr, p->theirs->cpu->gpr, sizeof(p->ours->cpu->gpr));
    assert_int_equal(flags_get(p->ours->cpu), flags_get(p->theirs->cpu));
    assert_memory_equal(physmem_ram(p->ours->pm), physmem_ram(p->theirs->pm), 16 << 20);
    return e[0];
}
