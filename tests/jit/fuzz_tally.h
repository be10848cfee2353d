/* SPDX-License-Identifier: MIT */
/* What translators met in random programs: whether these reach what they are for. */
#pragma once

#include <stdio.h>

#include "tests/jit/fuzz_machine.h"

/** Sums over machines. */
struct fuzz_tally {
#define FUZZ_TALLY(name, text) u64 name;
#include "tests/jit/fuzz_tally.def"
};

/** @m has run. */
void fuzz_tally_add(struct fuzz_tally *t, const struct fuzz_machine *m);
void fuzz_tally_print(const struct fuzz_tally *t, FILE *out);
/** The first that is less than @least, by its text; NULL: there is none. */
const char *fuzz_tally_lacks(const struct fuzz_tally *t, u64 least);
