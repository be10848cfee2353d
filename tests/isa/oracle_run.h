/* SPDX-License-Identifier: MIT */
/* Running cases, one after the other: what test_oracle.c asks, and the files it keeps. */
#pragma once

#include "tests/isa/oracle.h"

struct oracle_run {
    struct oracle_sides sides;
    struct ours *engine;
    enum oracle_engine kind; /* of engine */
    struct decode_table *table;
    struct random random;
    u64 seed;
    bool undefined; /* compare what the manual leaves undefined, too */
    unsigned long instances, differences;
};

/** Everything but the host's side. Failures end the test; it is skipped without the engine. */
void oracle_run_begin(struct oracle_run *run);
void oracle_run_end(struct oracle_run *run);

/** The case @number of a kind, its input in sides.before. False: our decoder reads it otherwise. */
bool oracle_run_generate(struct oracle_run *run, struct oracle_kind *kind, unsigned number,
                         struct oracle_case *c, struct insn *in) MUST_CHECK;
/** By both sides, and compared; a difference is reported, minimised and printed. */
bool oracle_run_both(struct oracle_run *run, const struct oracle_case *c,
                     const struct insn *in) MUST_CHECK;

typedef void oracle_kind_fn(struct oracle_run *run, struct oracle_kind *kind, void *ctx);
/** Every kind of case of a row in @mode. */
void oracle_each_kind(struct oracle_run *run, unsigned row, enum oracle_mode mode,
                      oracle_kind_fn *fn, void *ctx);
/** Is there any? */
bool oracle_row_is_user(unsigned row);

/* oracle_vectors.c: what the host did, kept for hosts that cannot be asked. */

/** Run @count cases of each kind and write the host's results. False: told on standard output. */
bool oracle_save(struct oracle_run *run, const char *path, unsigned count) MUST_CHECK;
/** Compare our results with those of the file. */
bool oracle_replay(struct oracle_run *run, const char *path) MUST_CHECK;

/* oracle_cases.c */

/** The cases of oracle_cases.def against what the file says; with @host, the host too. */
bool oracle_known_cases(struct oracle_run *run, bool host) MUST_CHECK;
