/* SPDX-License-Identifier: MIT */
/*
 * Translated blocks: what the code cache, the backends and the run loop know of a piece of code.
 *
 * Everything here lives in the metadata arena of the code's segment (jit/cache.h) and is named by
 * its offset there, 32 bits, in generated code: a block, an edge or an exec site can be an
 * immediate operand.
 */
#pragma once

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
    u8 seg;       /* the data segment register that it loads; SEG_CS: none */
    bool flags_in, flags_out;
};

/** A jump to a known EIP: to its stub, or, linked, to the block there. */
struct jit_edge {
    u8 *place; /* of the displacement (write address)         */
    u8 *guard; /* of the expected page number, or NULL: the target is on the same page */
    u8 *stub;  /* write address of the code that asks for the target */
    u32 eip;
    struct jit_block *from, *to;
    struct jit_edge *next_in, **prev_in; /* on to->in */
};

struct jit_block {
    u64 phys;
    u32 eip, mode;
    struct block *block;     /* its decoded form; NULL: dropped          */
    const struct insn *insn; /* its instructions                         */
    struct jit_block *next;  /* other translations of the same bytes     */
    struct jit_block *grave; /* next in the chain of dropped blocks      */
    u8 *code;                /* write address                            */
    u32 code_size, hot_size;
    u32 count_size; /* of hot_size, what counts                 */
    u32 meta_size;  /* of this and the tables behind it         */
    u32 soft, tail; /* as in struct block: immediates that the code reads anew; the other page */
    u32 hot_insns;  /* host instructions on the hot path, if runs are counted */
    u64 runs;       /* if they are counted                      */
    u16 guests, guest_bytes;
    u16 sites, edges, execs;
    struct jit_site *site;
    struct jit_edge *edge;
    struct jit_exec *exec;
    struct jit_edge *in; /* edges that are linked to this block      */
    const u8 *bytes;     /* copy of the guest code                   */
    u32 at[];            /* EIP of each guest instruction            */
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
