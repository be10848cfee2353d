/* SPDX-License-Identifier: MIT */
/* The smallest machine that runs guest code: a CPU, 16 MB of RAM, and ports that nobody answers. */
#pragma once

#include "cpu/cpu.h"
#include "tests/support/check.h"

struct little_pc {
    struct clock clock;
    struct physmem *pm;
    struct cpu *cpu;
    u8 vector; /* what the interrupt acknowledge gives */
};

static inline u32 little_pc_in(void *ctx, u16 port, enum width w)
{
    (void)ctx, (void)port, (void)w;
    return UINT32_MAX;
}

static inline void little_pc_out(void *ctx, u16 port, u32 val, enum width w)
{
    (void)ctx, (void)port, (void)val, (void)w;
}

static inline u8 little_pc_inta(void *ctx)
{
    struct little_pc *pc = ctx;

    cpu_set_intr(pc->cpu, false);
    return pc->vector;
}

static inline void little_pc_ferr(void *ctx, bool level)
{
    (void)ctx, (void)level;
}

/** A CPU of @model in real mode, CS = 0, SP = 7000h, about to execute what little_pc_load() puts.
 */
static inline struct little_pc *little_pc_create(const char *model)
{
    struct little_pc *pc = calloc(1, sizeof(*pc));
    struct cpu_desc desc = {
        .clock = &pc->clock,
        .model = model,
        .bus = {pc, little_pc_in, little_pc_out, little_pc_inta, little_pc_ferr},
    };

    clock_init(&pc->clock, CLOCK_RATIO_DEFAULT);
    assert_int_equal(physmem_create(&pc->pm, 16 << 20), STATUS_OK);
    physmem_map_ram(pc->pm, 0, 16 << 20, 0);
    desc.physmem = pc->pm;
    assert_int_equal(cpu_create(&pc->cpu, &desc), STATUS_OK);
    pc->cpu->gpr[REG_SP] = 0x7000;
    pc->cpu->seg[SEG_CS].selector = 0;
    pc->cpu->seg[SEG_CS].base = 0;
    return pc;
}

static inline int little_pc_setup(void **state)
{
    *state = little_pc_create(NULL);
    return 0;
}

static inline int little_pc_teardown(void **state)
{
    struct little_pc *pc = *state;

    cpu_destroy(pc->cpu);
    physmem_destroy(pc->pm);
    free(pc);
    return 0;
}

/** Put bytes at @at and execute from there. */
static inline void little_pc_load(struct little_pc *pc, u32 at, const void *bytes, size_t n)
{
    physmem_write(pc->pm, at, bytes, n);
    pc->cpu->rip = at;
}

/** Run at most @count instructions. */
static inline enum cpu_exit little_pc_run(struct little_pc *pc, u64 count)
{
    u64 until = clock_retired(&pc->clock) + count;
    enum cpu_exit e;

    do {
        clock_begin(&pc->clock, until - clock_retired(&pc->clock));
        e = cpu_run(pc->cpu);
    } while (e == CPU_EXIT_BUDGET && clock_retired(&pc->clock) < until);
    return e;
}
