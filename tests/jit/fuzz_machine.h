/* SPDX-License-Identifier: MIT */
/* A machine for random programs (gen_program.h), with one of several engines, and comparing two. */
#pragma once

#include "base/clock.h"
#include "cpu/cpu.h"
#include "tests/jit/gen_program.h"

struct fuzz_machine;

/** A way to execute. attach() is NULL for the interpreter; false: not on this host. */
struct fuzz_engine {
    const char *name, *what;
    bool (*attach)(struct fuzz_machine *m);
    void (*detach)(struct fuzz_machine *m);
    bool split; /* in much shorter slices than it is told to */
};

enum { FUZZ_ENGINES = 7 };
extern const struct fuzz_engine fuzz_engines[FUZZ_ENGINES]; /* the first is the reference */

struct fuzz_machine {
    struct clock clock;
    struct physmem *pm;
    struct cpu *cpu;
    const struct fuzz_engine *engine;
    const struct gen_program *program;
    struct jit *jit;
    struct fuzz events, slices;
    u32 timer, nmi, dma; /* clock timers */
    u32 vectors;         /* interrupts acknowledged */
    u64 device_hash;     /* of what the device and the ports were asked, and when */
    bool ended;          /* halted for ever, or shut down */
};

/** NULL: the engine is not for this host. */
struct fuzz_machine *fuzz_machine_create(const struct gen_program *p,
                                         const struct fuzz_engine *engine);
void fuzz_machine_destroy(struct fuzz_machine *m);

/** Run until @until instructions have retired, or the program has ended. */
void fuzz_machine_run(struct fuzz_machine *m, u64 until);

/** Are they the same, with @ram all of their memory too? Else *@out, if not NULL, is told the first
 * thing that differs. */
bool fuzz_machine_same(struct fuzz_machine *a, struct fuzz_machine *b, bool ram, FILE *out);
