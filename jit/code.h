/* SPDX-License-Identifier: MIT */
/*
 * Translated blocks: what the code cache, the backends and the run loop know of a piece of code.
 *
 * Everything here lives in the metadata arena of the code's segment (jit/cache.h) and is named by
 * its offset there, 32 bits, in generated code: a block, an edge or an exec site can be an
 * immediate operand.
 */
#pragma once

#include <assert.h>

#include "base/types.h"
#include "cpu/insn.h"
#include "jit/fp.h"

struct block;
struct jit_block;

/** How the arithmetic flags can be found where a memory access gave up. */
enum recipe_kind {
    RECIPE_STORED, /* they are in cpu->jit.flags                       */
    RECIPE_ADD,    /* of a + b, where a = r - b: r is in place a       */
    RECIPE_SUB,    /* of a - b, where a = r + b: r is in place a       */
    RECIPE_CMP,    /* of a - b                                         */
    RECIPE_LOGIC,  /* of the result a                                  */
    RECIPE_TEST,   /* of a & b                                         */
    RECIPE_NEG,    /* of 0 - a, where a = -r: r is in place a          */
    RECIPE_INC,    /* of a + 1, where r is in place a, but for CF: that is in cpu->jit.carry,  */
    RECIPE_DEC,    /* or, if b is a place, what an addition of imm has left that gave b        */
    RECIPE_SHL,    /* of cpu->jit.shifted, shifted by imm              */
    RECIPE_SHR,
    RECIPE_SAR,
};

/** Places are guest register numbers, 16 + 0..3 for AH..BH; b may be RECIPE_IMM. */
enum { RECIPE_IMM = 0xff };

struct recipe {
    u8 kind, w, a, b;
    i32 imm;
};

/* --- what a backend tells of a block that it has made --- */

/** A place in the code that can give up: the return address of its call, and what is known there.
 */
struct jit_site {
    u32 off; /* of the return address, from the block's code */
    u8 g;    /* guest instruction                            */
    struct recipe flags;
    struct jit_fp_site fp;
};

/** A call of an executor. */
struct jit_exec {
    const struct insn *insn;
    u32 eip, next;
    u8 g;         /* guest instruction of the block */
    u8 remaining; /* guest instructions of the block not yet retired, this one included */
    bool flags_in, flags_out;
};

/** A jump to a known EIP: to its stub, or, linked, to the block there. */
struct jit_edge {
    u8 *place; /* of the displacement (write address)         */
    u8 *guard; /* of the expected page number, or NULL: the target is on the same page */
    u8 *stub;  /* write address of the code that asks for the target */
    u32 eip;
    u16 lazy; /* lazy_mark() of the flags on it, or 0: they are stored */
};

/* --- what is kept of it: small, as there is much of it --- */

/** A jit_edge. Lists go by numbers (cache_id()); 0 is none. */
struct jit_link {
    u32 eip;
    u32 next;               /* of those that are linked to the same block                      */
    u32 holder;             /* number of the u32 that names this one; 0: it is not linked      */
    u16 place, guard, stub; /* as in the jit_edge, from the block's code; guard 0: none        */
    u8 back;                /* from the jit_block that it leaves                               */
    bool lazy;              /* guard is jit_edge.lazy: it leads to the same page               */
};

/** A jit_exec. */
struct jit_call {
    u16 back; /* from its jit_block */
    u16 off;  /* from the block's EIP */
    u8 g, remaining;
    u8 seg; /* the data segment register that it loads; SEG_CS: none */
    u8 how; /* CALL_xx */
};

enum { CALL_FLAGS_IN = BIT(0), CALL_FLAGS_OUT = BIT(1), CALL_DEVICE = BIT(2) };

/** Behind it: its links, its calls, its sites (jit/tables.h). */
struct jit_block {
    struct block *block;     /* its decoded form; NULL: dropped */
    const struct insn *insn; /* its instructions                */
    u64 hash;                /* of the guest's bytes, and of what else makes it what it is;
                                0: it was forgotten for good */
    u32 eip, mode;
    u32 code;       /* from the first byte of the cache */
    u32 next;       /* number of another translation of the same bytes; dropped: of the
                       next in the chain of its grave */
    u32 in;         /* number of the first link to it   */
    u32 soft, tail; /* as in struct block: immediates that the code reads anew; the other page,
                       or, if there is none, soft_disp */
    u16 code_size, hot_size;
    u16 site_bytes, guest_bytes;
    u8 guests;
    u8 links : 2, calls : 6;
    u8 spoils;     /* lazy_spoils() */
    u8 count_size; /* of hot_size, what counts runs    */
};
static_assert(sizeof(struct jit_block) == 64, "every byte of it is there once a block");

/** Before each jit_block, if runs are counted. */
struct jit_runs {
    u64 runs;
    u64 host_insns; /* on the hot path */
};

/** Why generated code returned; cpu->jit.leave says which block, edge or site. */
enum jit_leave {
    LEAVE_BUDGET,   /* a block's head: more instructions than the budget has  */
    LEAVE_EDGE,     /* an edge that is not linked                             */
    LEAVE_INDIRECT, /* an indirect jump that the table does not know; rip is set */
    LEAVE_BAIL,     /* an access gave up at cpu->jit.return_pc                */
    LEAVE_FAULT,    /* an executor failed; the state is that before it        */
    LEAVE_STOP,     /* after an executor; the state is that after it          */
    LEAVE__COUNT,
};
