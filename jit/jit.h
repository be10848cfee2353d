/* SPDX-License-Identifier: MIT */
/*
 * The just-in-time compiler, as the machine sees it: an engine in front of the interpreter. Blocks
 * that run often are translated to host code; everything else, and every instruction whose memory
 * access is not plain, is interpreted. The guest cannot tell: instructions are counted, events
 * delivered and faults raised at the same instruction as by the interpreter alone.
 *
 * One struct jit serves one CPU and is used from that CPU's thread only. Nothing outside jit/
 * includes another header of this folder.
 */
#pragma once

#include <stdio.h>

#include "base/status.h"
#include "base/types.h"

struct cpu;
struct jit;
struct physmem;

enum jit_engine {
    JIT_HOST, /* host code                                            */
    JIT_EVAL, /* the same IR, evaluated: slow, and on every host      */
};

struct jit_desc {
    struct cpu *cpu;
    struct physmem *physmem;
    enum jit_engine engine;
    size_t cache_bytes;   /* of host code; 0: the default; JIT_CACHE_MIN to JIT_CACHE_MAX */
    u32 threshold;        /* translate a block that was interpreted this often; 0: the default */
    bool count;           /* code counts its runs, for jit_stats(): slower              */
    const char *perf_map; /* write names of translated code there, or NULL              */
    bool baseline;        /* ARM64: use no more of the host than ARMv8.0 has; for tests */
    bool scattered;       /* code is spread over all of its memory from the start; for tests */
};

#define JIT_CACHE_DEFAULT ((size_t)32 << 20)
#define JIT_CACHE_MIN     ((size_t)256 << 10)
#define JIT_CACHE_MAX     ((size_t)1 << 30)

/**
 * Put a compiler in front of @d->cpu's interpreter. cpu_run() then uses it, until jit_destroy().
 * STATUS_UNSUPPORTED: there is no backend for this host, or it allows no generated code;
 * STATUS_BAD_SIZE: cache_bytes; STATUS_NO_FILE: perf_map, errno says why. What
 * that file holds stays until jit_begin().
 */
enum status jit_create(struct jit **out, const struct jit_desc *d) MUST_CHECK;
void jit_destroy(struct jit *j);

/** The machine is there: empty perf_map, if there is one. False: errno says why not. */
bool jit_begin(struct jit *j) MUST_CHECK;

/** Is there a backend for this host? */
bool jit_supported(void);

/** Forget all translations; no guest can notice. */
void jit_flush(struct jit *j);

/**
 * Write to @out the guest code of the block at physical address @phys (@decode_mode as in
 * cpu/icache.h), and of each of its translations for @eip the IR and the host code.
 */
void jit_explain(struct jit *j, u64 phys, u32 decode_mode, u32 eip, FILE *out);

/** What was done so far, as text, for --stats. */
void jit_stats(const struct jit *j, char *text, size_t size);
