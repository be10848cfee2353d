/* SPDX-License-Identifier: MIT */
/*
 * What the fuzzers share: a random source that depends on the seed and the number of the case
 * alone, and a main() that runs cases in a child process and says which one it died of.
 */
#pragma once

#include <stddef.h>

#include "base/types.h"

struct fuzz {
    u64 state;
    u64 seed, number; /* what to repeat this case with: --seed and --case */
    bool alone;       /* it is being repeated: it may print */
    u64 tries;        /* counted by a case that makes more than one, and printed at the end */
};

/** 64 random bits. */
u64 fuzz_u64(struct fuzz *f);
/** A number below @n, which is not 0. */
u32 fuzz_below(struct fuzz *f, u32 n);
/** True once in @n times. */
bool fuzz_one_in(struct fuzz *f, u32 n);
/** A number of at most @bits bits, where each length is as likely as any other. */
u64 fuzz_length(struct fuzz *f, unsigned bits);
/** Random bytes. */
void fuzz_bytes(struct fuzz *f, void *to, size_t len);
/** Change some bytes: bits flipped, values at the edges, pieces moved. */
void fuzz_mutate(struct fuzz *f, u8 *bytes, size_t len);

/** End this case as a finding, with one sentence. */
_Noreturn void fuzz_fail(const struct fuzz *f, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** A file without a name that holds these bytes; its path for opening goes into @path. */
#define FUZZ_PATH_MAX 64u
int fuzz_file(char path[FUZZ_PATH_MAX], const void *bytes, size_t len);

/**
 * main() of a fuzzer: runs @one for --seconds with cases 0, 1, 2 ... of --seed, or only --case.
 * The result is the process' exit status.
 */
int fuzz_main(int argc, char **argv, const char *name, void (*one)(struct fuzz *f));
