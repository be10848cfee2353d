/* SPDX-License-Identifier: MIT */
/* What the parts of the engine share. Private to jit/. */
#pragma once

#include <stdio.h>

#include "base/outfile.h"
#include "cpu/state.h"
#include "jit/cache.h"
#include "jit/ir.h"
#include "jit/jit.h"
#include "jit/lazy.h"
#include "jit/xlate.h"
#include "mmu/mmu.h"

/** A mode that translations know, by its number. */
struct jit_mode {
    u32 base, limit; /* of the code segment */
    u32 mode;        /* with number 0       */
};

/** Where a table of @places has what it knows of the block with @key. Two that want one place
 * forget each other all the time: functions are aligned, and must not be such. */
static inline u32 jit_place(u64 key, u32 places)
{
    return (u32)(key * 0x9e3779b97f4a7c15u >> 32) % places;
}

/** Code that was written over, by jit_place(). */
#ifndef TURBO86_TIGHT
#define JIT_PATCHES 2048u
#else /* as in cpu/icache_private.h */
#define JIT_PATCHES 16u
#endif

struct jit_patch {
    u64 key;    /* of the block */
    u32 times;  /* translated code was */
    u8 shy;     /* how often in a row a translation did not live long */
    bool fresh; /* the last was made then: */
    u8 check;   /* enum patch_check */
    u8 hold;    /* how often another has to ask for this place */
    u8 cold;    /* how often code that was not translated was written over */
    u8 crowded; /* how often a block could have no check because others have */
    u64 born;   /* instructions retired */
};

/** Should the block check itself? */
enum patch_check {
    CHECK_NOT,
    CHECK_HARD,  /* its bytes come back */
    CHECK_SOFT,  /* they do but for immediates and displacements */
    CHECK_NEVER, /* there are too many versions of it, or it writes too soon */
};

/** How often code must have been written over before its immediates are taken for variables. */
enum { JIT_PATCHED_OFTEN = 3 };

/** Blocks that gave up where a write crosses into another page, by jit_place().
 */
#define JIT_CROSSINGS 256u

struct jit_crossing {
    u64 key;   /* of the block */
    u32 times; /* since it was translated */
    u32 apart; /* bit n: instruction n did */
};

/** Code that reaches devices, by jit_place(). */
#define JIT_DEVICES 256u

struct jit_device {
    u64 key;           /* of the block */
    u32 insns;         /* that are left to their executors */
    u32 times, wanted; /* that one gave up, and after how many of them it is left */
    u32 doubts;        /* how much more often those that are left met memory than devices */
};

struct jit {
    struct cpu *cpu;
    struct physmem *physmem;
    const struct backend *backend;
    struct jit_stubs stubs[CACHE_SEGMENTS]; /* for the code in each; may be the same */
    struct jit_cache cache;
    u32 threshold;
    u32 chunk; /* instructions that code gets at a time */
    bool count;
    u64 lacks;           /* backend_lacks() */
    bool flagm, flagm2;  /* as in struct jit_unit */
    size_t disassembler; /* capstone's handle, if runs are counted; 0: none */
    struct jit_mode mode[JIT_MODE_NUMBERS];
    unsigned modes;
    u8 mode_guess[JIT_MODE_NUMBERS]; /* number of the mode, by a hash of it; may be another's */
    struct jit_patch patch[JIT_PATCHES];
    struct jit_device device[JIT_DEVICES];
    u32 device_doubts; /* the sum of theirs */
    bool device_asked; /* the access that gives up now meant a device */
    struct jit_crossing crossing[JIT_CROSSINGS];
    bool crossed; /* jit_access() just gave up where a write crosses into another page */
    u64 aged;     /* instructions retired when old checks were looked for */
    u32 lost;     /* of mmu_view.exec_lost, what the stack of returns has been told of */
    struct jit_patch missed[JIT_PATCHES]; /* x87 units that were not as code took them to be */
    struct ir_block ir, next;             /* next: of a block that it leads to */
    struct jit_unit unit;
    struct lazy_recipes lazy;
    struct outfile perf_file;
    FILE *perf_map; /* of @perf_file, once it has begun */
    struct jit_counts {
        u64 leaves[LEAVE__COUNT], bails_mem, access_slow, interpreted, declined, checked,
            compiled_guests;
    } counts;
};

/** The mode of the CPU now, number included. May flush everything if there are too many modes. */
u32 jit_mode_now(struct jit *j);

/** Fill in j->ir for @b at @eip; flags that matter after it are all. False: it cannot be
 * translated. */
bool jit_make_ir(struct jit *j, struct block *b, u32 eip, u32 mode, u64 by_exec) MUST_CHECK;

/** What @b is translated under. */
struct xlate_env jit_env(const struct jit *j, const struct block *b, u32 mode);
/** The guest instructions whose immediates (@op IMM) or displacements (DISP) are read anew. */
u32 jit_soft_of(const struct ir_block *ir, enum ir_op op);

/** Translate @b; NULL: it has to be interpreted. */
struct jit_block *jit_translate(struct jit *j, struct block *b, u32 eip, u32 mode);

/** The code of @b was written over. */
void jit_patch_dropped(struct jit *j, const struct block *b);
/** @b has just been translated; no dead translation could be revived. */
void jit_patch_translated(struct jit *j, const struct block *b);
/** @b had a check for long: its place has to be worth one again. */
void jit_patch_aged(struct jit *j, const struct block *b);
/** @b had a check and was not worth a translation: its place gets no more. */
void jit_patch_vain(struct jit *j, const struct block *b);
/** How often was translated code at @b written over? */
u32 jit_patch_times(const struct jit *j, const struct block *b);
/** Did a translation of @b with soft immediates not live long? */
bool jit_patch_shy(const struct jit *j, const struct block *b);
/** @b was decoded, or came back, since it ran last: set b->wanted. */
void jit_patch_decoded(struct jit *j, struct block *b);

/* jit_check.c: blocks that check themselves. */
/** @b gets a check if it can; with @soft, immediates and displacements are left out. */
enum icache_checked jit_check_begin(struct jit *j, struct block *b, bool soft) MUST_CHECK;
/** Fill in j->unit.check for j->ir, of @b: what @b compares. Other translations of @b go if that
 * has to be more than before. */
void jit_check_unit(struct jit *j, struct block *b, const u8 *bytes);
/** A translation of @b, which is checked, has just been made. */
void jit_check_made(struct jit *j, const struct block *b);
/** Is @l the edge that a version misses by? */
bool jit_check_missed(struct jit_link *l);
/** Where code that wants to go to @to goes: the first version of its block. */
struct jit_block *jit_check_first(struct jit *j, struct jit_block *to);
/** Likewise for edge @l, which may be the one that a version misses by. NULL: it stays open. */
struct jit_block *jit_check_target(struct jit *j, struct jit_link *l, struct jit_block *to);

/** -d op, -d out_asm: @b has just been made from j->ir. */
void jit_log_block(const struct jit *j, const struct jit_block *b);

/** What counting runs takes. False: no memory. */
bool jit_stats_open(struct jit *j) MUST_CHECK;
void jit_stats_close(struct jit *j);
/** Runs are counted: note what else is wanted of @b, which has just been made. */
void jit_stats_block(const struct jit *j, struct jit_block *b);

/* jit_devices.c: instructions of blocks that are left to their executors because of devices. */
/** @b's instruction @g gave up, and is about to be interpreted. */
void jit_devices_bail(struct jit *j, const struct jit_block *b, unsigned g);
/** The instructions to leave, as bits. */
u32 jit_devices_in(struct jit *j, const struct block *b);
/** @n has just been made: note which of its calls are such. */
void jit_devices_keep(struct jit *j, struct jit_block *n);
/** One of them has run; @asked is what physmem_asked() said before. */
void jit_devices_ran(struct jit *j, const struct jit_block *b, u64 asked);

/** Is there nothing for it to note? */
static inline bool jit_devices_sure(const struct jit *j, u64 asked)
{
    return j->device_doubts == 0 && physmem_asked(j->physmem) != asked;
}

/* Between cpu->fl_xx and cpu->jit.flags. */
void jit_flags_in(struct cpu *cpu);
void jit_flags_out(struct cpu *cpu);
/** Code has been left: the flags are stored from now on. */
void jit_flags_settle(struct jit *j);
/** Set cpu->fl_xx as @r says. */
void jit_flags_from(struct cpu *cpu, const struct recipe *r);

/** The code cache has its stubs: let accesses use them. */
void jit_access_open(struct jit *j);
/** Guest instruction @g of @b gave up. What does so often because it writes across pages is
 * forgotten, to be translated for that. */
void jit_crossing_bailed(struct jit *j, struct jit_block *b, unsigned g);
/** The instructions of @b that write across pages. */
u32 jit_crossing_of(const struct jit *j, const struct block *b);

/* Called by generated code. */
u64 jit_access(struct cpu *cpu, lin_addr lin, u32 how);
u64 jit_exec(struct cpu *cpu, u32 site);
u64 jit_finish(struct cpu *cpu, u32 site);

/** Code is entered with an empty stack of returns. */
static inline void jit_returns_begin(struct jit *j)
{
    j->lost = mmu_view(j->cpu->mmu)->exec_lost;
}

/** Code goes on where it called. Behind a return it does not look whether its page is still there:
 * if one was lost, nobody returns to where calls came from without asking. */
static inline void jit_returns_check(struct jit *j)
{
    j->cpu->jit.stale |= mmu_view(j->cpu->mmu)->exec_lost != j->lost;
    jit_returns_begin(j);
}

/** The engine that evaluates IR (jit_eval.c). */
void jit_run_eval(void *ctx, struct block *b);
