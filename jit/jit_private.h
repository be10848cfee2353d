/* SPDX-License-Identifier: MIT */
/* What the parts of the engine share. Private to jit/. */
#pragma once

#include <stdio.h>

#include "cpu/state.h"
#include "jit/cache.h"
#include "jit/ir.h"
#include "jit/jit.h"
#include "jit/xlate.h"
#include "mmu/mmu.h"

/** A mode that translations know, by its number. */
struct jit_mode {
    u32 base, limit; /* of the code segment */
    u32 mode;        /* with number 0       */
};

/** Code that something happened to, by the low bits of its address. */
#define JIT_PATCHES 256u

struct jit_patch {
    u64 key; /* of the block */
    u32 times;
};

struct jit {
    struct cpu *cpu;
    struct physmem *physmem;
    const struct backend *backend;
    struct jit_stubs stubs;
    struct jit_cache cache;
    u32 threshold;
    bool count;
    u64 lacks;           /* backend_lacks() */
    size_t disassembler; /* capstone's handle, if runs are counted; 0: none */
    struct jit_mode mode[JIT_MODE_NUMBERS];
    unsigned modes;
    u8 mode_guess[JIT_MODE_NUMBERS]; /* number of the mode, by a hash of it; may be another's */
    struct jit_patch patch[JIT_PATCHES];
    struct jit_patch missed[JIT_PATCHES]; /* x87 units that were not as code took them to be */
    struct ir_block ir;
    struct jit_unit unit;
    FILE *perf_map;
    struct jit_counts {
        u64 leaves[LEAVE__COUNT], bails_mem, access_slow, interpreted, declined, compiled_guests;
    } counts;
};

/** The mode of the CPU now, number included. May flush everything if there are too many modes. */
u32 jit_mode_now(struct jit *j);

/** Fill in j->ir for @b at @eip; flags that matter after it are all. False: it cannot be
 * translated. */
bool jit_make_ir(struct jit *j, struct block *b, u32 eip, u32 mode, u64 by_exec) MUST_CHECK;

/** Translate @b; NULL: it has to be interpreted. */
struct jit_block *jit_translate(struct jit *j, struct block *b, u32 eip, u32 mode);

/** Note that something happened to the code with @key. */
void jit_patch_note(struct jit_patch table[JIT_PATCHES], u64 key);

/** -d op, -d out_asm: @b has just been made from j->ir. */
void jit_log_block(const struct jit *j, const struct jit_block *b);

/** What counting runs takes. False: no memory. */
bool jit_stats_open(struct jit *j) MUST_CHECK;
void jit_stats_close(struct jit *j);
/** Runs are counted: note what else is wanted of @b, which has just been made. */
void jit_stats_block(const struct jit *j, struct jit_block *b);

/* Between cpu->fl_xx and cpu->jit.flags. */
void jit_flags_in(struct cpu *cpu);
void jit_flags_out(struct cpu *cpu);
/** Set cpu->fl_xx as @r says. */
void jit_flags_from(struct cpu *cpu, const struct recipe *r);

/* Called by generated code. */
u64 jit_access(struct cpu *cpu, u32 lin, u32 how);
u64 jit_exec(struct cpu *cpu, u32 site);
u64 jit_finish(struct cpu *cpu, u32 site);

/** The engine that evaluates IR (jit_eval.c). */
void jit_run_eval(void *ctx, struct block *b);
