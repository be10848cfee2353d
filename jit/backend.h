/* SPDX-License-Identifier: MIT */
/*
 * What a host processor must offer the JIT. Both backends are compiled and unit-tested on every
 * host; only jit/hostmem.c and jit/backend.c know which machine they run on.
 */
#pragma once

#include "jit/code.h"
#include "jit/codebuf.h"
#include "jit/ir.h"
#include "jit/lazy.h"

struct cpu;

/** C functions that generated code calls. */
struct jit_helpers {
    /** The addend (host - linear) for an access at @lin; 0: give up. @how: bytes | write << 4 |
     * apart << 5, with 0 for 16 bytes. apart: the code calls cpu->jit_halves.written behind it. */
    u64 (*access)(struct cpu *cpu, lin_addr lin, u32 how);
    /** Execute a jit_exec that is not the block's end; where to go on, 0: behind it. */
    u64 (*exec)(struct cpu *cpu, u32 site);
    /** Execute a jit_exec that may change anything; the run address to go on at. */
    u64 (*finish)(struct cpu *cpu, u32 site);
    /** jit_fp_enter() of jit/fp.h. */
    u32 (*fp_enter)(struct cpu *cpu, u32 need);
    /** jit_fp_function() of jit/fp.h. */
    u32 (*fp_function)(struct cpu *cpu, u32 id);
};

enum { JIT_X87_OPS = 40 };

/** Common code, made once a cache, or once for each part of it that branches cross: write
 * addresses. */
struct jit_stubs {
    u8 *enter; /* u32 enter(struct cpu *, const void *code): returns enum jit_leave */
    u8 *leave[LEAVE__COUNT];
    u8 *access[3][6]; /* [write; 2: apart][log2 of bytes; 5: 10 bytes] */
    u8 *written[2];   /* behind a write that may be apart: [it is] */
    u8 *exec;         /* called   */
    u8 *finish;       /* jumped to */
    u8 *bail;
    u8 *fp[2][FP_BOTH]; /* [raises][units - 1]: make them live, or give up (NULL: never live); on
                           ARM64, [fit for arithmetic][FP_SSE - 1] */
    u8 *astray;         /* a return that went elsewhere than foretold */
    u8 *tsc;            /* x86-64: RDTSC */
    u8 *x87;            /* ARM64: calls x87_plain() of cpu/x87_plain.h */
    u8 *fp_unusual[2];  /* ARM64: is it FPSR but for QC, and, [1], for IDC with DAZ? */
    u8 *x87_op[JIT_X87_OPS]; /* ARM64: by enum x87_op of jit/a64/a64_x87.h */
    u8 *fp_function[FP_KINDS];
    u8 *fp_out; /* void fp_out(struct cpu *): x87 state to cpu->fp_image */
};

/** The x87 unit as code may take it for granted where its block begins, if it looks first. */
struct jit_x87 {
    bool known;
    u8 top, empty;
    u16 control;
};

struct jit_check_piece {
    u8 off, w; /* from the block's first byte; enum width, up to W32 */
    u32 want;
};

/** What code looks at before it begins: that it was made from what is there. */
struct jit_check {
    const u8 *at; /* the guest's bytes; NULL: it need not look */
    unsigned pieces;
    struct jit_check_piece piece[64];
};

/** A block being made. The backend fills in the second half. */
struct jit_unit {
    struct codebuf *code;
    const struct ir_block *ir;
    const struct jit_stubs *stubs;
    u32 mode;
    u32 cs_base; /* linear address = cs_base + EIP, 32 bits */
    u32 tail;    /* of struct block: the code checks that its other page is still there */
    u32 id;      /* the block's number in generated code    */
    u64 *runs;   /* code adds 1 there whenever it begins; NULL: it does not */
    u64 lacks;   /* BIT64(FEAT_xx): guest features that the host's instructions do not have */
    u32 apart;   /* bit n: guest instruction n has been seen to write across pages */
    struct jit_x87 x87;
    bool flagm, flagm2; /* ARM64: the host has FEAT_FlagM and FEAT_FlagM2 */
    bool far;           /* edges may lead further than branches reach; stubs do not */
    struct jit_check check;

    u32 hot_size, count_size; /* count_size: of what adds to runs */
    u32 round_size; /* if not 0: of hot_size, what one round of a loop runs; as much comes twice */
    struct jit_site site[3 * IR_MAX_GUEST];
    struct jit_edge edge[3]; /* the last one, if there is a check: the block's own EIP */
    struct jit_exec exec[IR_MAX_GUEST];
    struct lazy_recipes *lazy;
    u8 spoils[2];              /* of the blocks at imm of the last operation, and at fall */
    u32 exec_id[IR_MAX_GUEST]; /* set by the caller: numbers of the exec sites, in order */
    u32 edge_id[3];            /* likewise of the edges */
    unsigned sites, edges, execs;
    u64 by_exec; /* guest instructions that have to be left to their executors: try again */
};

/** A call has an edge for where it comes back to, behind its own, and takes JIT_RETURN_ENTRY of the
 * host's stack until that is left. So code gets JIT_CHUNK instructions at a time; where that could
 * be more than a quarter of the stack, fewer. */
#define JIT_CHUNK        32768
#define JIT_CHUNK_MIN    1024
#define JIT_RETURN_ENTRY 16

struct backend {
    const char *name;
    int cs_arch, cs_mode; /* what capstone calls it */
    size_t reach;         /* of its branches: see struct jit_unit.far */
    bool lazy;            /* edges may have lazy flags (jit/lazy.h) */
    bool raises;          /* its code finds x87 exceptions that are not masked */
    bool refuses;         /* its code of x87, MMX and SSE instructions may give up */
    /** Make the common code. */
    void (*stubs)(struct codebuf *c, const struct jit_helpers *h, struct jit_stubs *out);
    /** Make code for @u->ir, whose guest registers are the first eight: backend_emit(). False: code
     * is full, or @u->by_exec says what does not work. */
    bool (*emit)(struct jit_unit *u);
    /** Let @e jump to @target (a write address), guarded by @page (number + 1) if it has a guard.
     */
    void (*link)(const struct jit_edge *e, const u8 *target, u32 page);
};

extern const struct backend x64_backend, a64_backend;

/** Make code for @u->ir with @b, as it says. Instructions with registers that only 64-bit guests
 * have, and no host register has yet, are left to their executors. */
bool backend_emit(const struct backend *b, struct jit_unit *u) MUST_CHECK;

/** The backend for the host that this runs on, or NULL. */
const struct backend *backend_host(void);

/** Does this host have FEAT_FlagM? FEAT_FlagM2? */
bool backend_flagm(void);
bool backend_flagm2(void);

/** What of SSE3 to SSE4.2 this host does not have, as BIT64(FEAT_xx). */
u64 backend_lacks(void);
