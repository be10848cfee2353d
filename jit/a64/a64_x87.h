/* SPDX-License-Identifier: MIT */
/*
 * x87 instructions in line, private to this folder. Where a block begins, code looks once whether
 * TOP, tags and control word are what they were when it was made; if so, registers of the stack are
 * places that are known, and nothing can fault but memory operands. Sums, products, quotients
 * and roots are made by subroutines (enum x87_op) in integers, for normal numbers and zeros;
 * everything else goes to x87_plain() of cpu/x87_plain.h.
 *
 * All this raises only PE, which is masked. Other exceptions need not be, if none is pending: what
 * would raise one that is not masked is refused by x87_plain(), and left to the interpreter.
 *
 * What instructions leave behind (TOP, tags, the status word, FIP, FOP) is put where it belongs
 * once, where somebody may look: struct a64_x87 says what is still missing.
 *
 * While it is missing, X15 is not 0 if a result was inexact, X14 is C1 as the last instruction left
 * it, and cpu->jit.temp[0] is the guest's NZCV, which the subroutines lose.
 */
#pragma once

#include "cpu/x87.h"
#include "cpu/x87_plain.h"

struct codebuf;

/**
 * The subroutines. X0 with W1 and X2 with W12 are the significand, and sign with exponent, of two
 * numbers: a and b; of W1 and W12 only the low 16 bits count. Lost are X9 to X13, X16, X17, X30 and
 * NZCV, unless it is said otherwise.
 */
enum x87_op {
    /* a = a op b, to nearest, with all bits; C set: not done, and X14, X15 are as they were */
    X87_ADD,
    X87_SUB,  /* a - b */
    X87_SUBR, /* b - a */
    X87_MUL,
    X87_DIV,   /* a / b */
    X87_DIVR,  /* b / a */
    X87_SQRT,  /* the root of a */
    X87__SUMS, /* the same in the same order with 53 bits, with 24, and, not to nearest, as the
                  control word in memory says */
    X87__OTHERS = X87__SUMS * 4,
    /* b = the float of 4 or 8 bytes, or the integer, in X2; bit X87_UNDONE of W12: not done, which
     * integers never are. NZCV stay. */
    X87_LOAD32 = X87__OTHERS,
    X87_LOAD64,
    X87_LOAD_INT,
    /* X0 = a as float of 4 or 8 bytes; C set: not done, and X14, X15 are as they were */
    X87_STORE32,
    X87_STORE64,
    X87_STORE32_DIRECTED, /* not to nearest */
    X87_STORE64_DIRECTED,
    /* a = a as an integer, rounded as RC in memory says; C set: the same */
    X87_RINT,
    /* X0 = a as integer of 2, 4 or 8 bytes, likewise; C set: the same */
    X87_STORE_INT16,
    X87_STORE_INT32,
    X87_STORE_INT64,
    /* W0 = X87_DONE with EFLAGS as FCOMI sets them, or 0: not done */
    X87_COMPARE,
    X87__OPS
};

enum { X87_UNDONE = 30 };

/** What C1 of the status word is, if it is not there. */
enum x87_c1 { C1_STORED, C1_ZERO, C1_IN_X14 };

/** What is known of the unit at a place of the code, and what has still to be stored. */
struct a64_x87 {
    bool on; /* the following is known */
    u8 top, empty, stored_top, stored_empty;
    u16 control;     /* as it was when the block was made            */
    bool loose;      /* FLDCW came since: look whether it still is   */
    u8 last;         /* 1 + the guest instruction to be recorded     */
    u8 c1;           /* enum x87_c1                                  */
    bool inexact;    /* X15 is in use                                */
    bool nzcv;       /* NZCV are in memory                           */
    bool jumps_lost; /* X14 is not what it is elsewhere              */
};

/* The parts of an instruction: the low bits of its opcode, and of its ModR/M byte. */
enum { GROUP_D8, GROUP_D9, GROUP_DA, GROUP_DB, GROUP_DC, GROUP_DD, GROUP_DE, GROUP_DF };

static inline unsigned x87_group(const struct insn *guest)
{
    return guest->opcode & 7;
}

static inline unsigned x87_reg(const struct insn *guest)
{
    return guest->modrm >> 3 & 7;
}

static inline unsigned x87_rm(const struct insn *guest)
{
    return guest->modrm & 7;
}

/** The physical number of ST(@i). */
static inline u8 x87_place(u8 top, unsigned i)
{
    return (top + i) & 7;
}

static inline bool x87_is_nearest(const struct a64_x87 *x)
{
    return !(x->control & X87_CW_RC);
}

/** The subroutine for @op, up to X87__SUMS, with the rounding that the block was made for. */
static inline enum x87_op x87_op_of(const struct a64_x87 *x, enum x87_op op)
{
    static const u8 precision[4] = {2, 0, 1, 0};

    return op + X87__SUMS * (x87_is_nearest(x) ? precision[x->control >> X87_CW_PC_SHIFT & 3] : 3);
}

/** Likewise for @op, X87_STORE32 or X87_STORE64. */
static inline enum x87_op x87_store_of(const struct a64_x87 *x, enum x87_op op)
{
    return x87_is_nearest(x) ? op : op + (X87_STORE32_DIRECTED - X87_STORE32);
}

/** The code of @op. */
void a64_x87_subroutine(struct codebuf *c, enum x87_op op);

/** Additions, subtractions, multiplications and divisions of D8, DA, DC and DE. */
bool a64_x87_sums(const struct insn *guest);
/** FST and FSTP to memory of 4 and 8 bytes; FIST and FISTP. */
bool a64_x87_stores(const struct insn *guest);
bool a64_x87_stores_int(const struct insn *guest);
/** FLDCW, FNSTCW and FNSTSW with memory. */
bool a64_x87_controls(const struct insn *guest);
/** Does @guest, made in line, rely on the control word? */
bool a64_x87_rounds(const struct insn *guest);
/** TOP and tags after @guest, if it does not fault. False: that is not known. */
bool a64_x87_effect(const struct insn *guest, u8 *top, u8 *empty);
