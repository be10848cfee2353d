/* SPDX-License-Identifier: MIT */
/*
 * The intermediate form: what a block of guest code does, one operation after the other, without
 * saying where any host keeps anything. docs/IR.md explains it with examples.
 *
 * Values. Guest registers are variables that live across blocks; temporaries are assigned once and
 * die in the guest instruction that made them. Nothing else is a value; flags are implicit.
 *
 * Guest instructions. Every operation carries the number of the guest instruction it belongs to
 * (ir_insn.g). A guest instruction's operations that can fault or bail come before its first write
 * to a guest register, to memory or to the flags (a memory operation may follow a read); so the
 * state before it is intact when one of them gives up, and the interpreter can execute it again.
 *
 * Flags. ir_insn.def and .use say which of the six arithmetic flags an operation sets and reads.
 * ir_liveness() fills in .live (read by a later operation) and .seen (can be seen by a fault, a
 * bail, an executor or after the block); what is in neither need not be computed.
 */
#pragma once

#include "base/types.h"
#include "cpu/insn.h"

/** The six arithmetic flags, packed. */
enum ir_flags {
    IRF_C = BIT(0),
    IRF_P = BIT(1),
    IRF_A = BIT(2),
    IRF_Z = BIT(3),
    IRF_S = BIT(4),
    IRF_O = BIT(5),
    IRF_ALL = 63,
};

enum ir_kind { IR_PURE, IR_MEM, IR_BAIL, IR_CALL, IR_EXIT };

enum ir_op {
#define IR_OP(name, ...) IR_##name,
#include "jit/ir.def"
    IR__COUNT
};

/** A value. */
typedef u8 ir_val;

enum {
    IR_NONE = 0,
    IR_REG = 1,     /* IR_REG + n: guest register n, 0..15, in the operation's width      */
    IR_HIGH = 17,   /* IR_HIGH + n: AH CH DH BH, only in 8-bit operations                 */
    IR_CONST = 21,  /* the instruction's imm; only as operand B                           */
    IR_TEMP = 32,   /* IR_TEMP + n: temporary n                                           */
    IR_TEMPS = 160, /* how many                                                           */
};

static inline bool ir_is_reg(ir_val v)
{
    return v >= IR_REG && v < IR_HIGH;
}

static inline bool ir_is_high(ir_val v)
{
    return v >= IR_HIGH && v < IR_CONST;
}

static inline bool ir_is_temp(ir_val v)
{
    return v >= IR_TEMP;
}

/** The guest register that @v is or is part of, or -1. */
static inline int ir_reg_of(ir_val v)
{
    return ir_is_reg(v) ? v - IR_REG : ir_is_high(v) ? v - IR_HIGH : -1;
}

/** What SEGLIN checks: bits 0-3 the size in bytes (0: 16), then whether it writes, then what is
 * known of the segment (enum seg_class of cpu/state.h), which need not be checked. */
enum ir_access { IR_ACCESS_SIZE = 15, IR_ACCESS_WRITE = BIT(4), IR_ACCESS_CLASS_SHIFT = 5 };

/** The bytes of an access @imm of SEGLIN. */
static inline unsigned ir_access_size(i64 imm)
{
    unsigned size = (unsigned)imm & IR_ACCESS_SIZE;

    return size ? size : 16;
}

/** What GET and PUT reach, and how wide it is. */
enum ir_field {
    IR_FIELD_EFLAGS, /* 32 bits; the six arithmetic flags are 0 there */
    IR_FIELD_CPL,    /* 8 bits */
    IR_FIELD_BUSY,   /* 16 bits: 0 in ring 0 while the INTR pin is low */
    IR_FIELD_SEL,    /* 16 bits: + enum SEG_xx, the selector */
    IR_FIELDS = IR_FIELD_SEL + 6,
};

/** Where @field is in struct cpu, in bytes. */
u32 ir_field_offset(unsigned field);
enum width ir_field_width(unsigned field);

/** What an indirect jump is. */
enum ir_hint { IR_HINT_JUMP, IR_HINT_CALL, IR_HINT_RET };

/** How a memory operation is ordered against other processors' (SMP guests). x86 loads and stores
 * are acquire and release; LOCK and XCHG are sequentially consistent. */
enum ir_order { IR_ORDER_PLAIN, IR_ORDER_ATOMIC };

struct ir_insn {
    u8 op;    /* enum ir_op                                      */
    u8 w;     /* enum width                                      */
    u8 cc;    /* condition, segment, shift, source width, hint   */
    u8 order; /* enum ir_order, of memory operations             */
    ir_val d, a, b;
    u8 g;                    /* guest instruction                                */
    u8 def, use, live, seen; /* enum ir_flags                 */
    i64 imm;
};

/** Does @in write EAX and EDX, or parts of them, without naming them? */
static inline bool ir_writes_pair(const struct ir_insn *in)
{
    return in->op == IR_MULU || in->op == IR_MULS || in->op == IR_DIVU || in->op == IR_DIVS ||
           in->op == IR_TSC;
}

struct ir_op_info {
    const char *name, *text, *shape;
    u8 kind, def, use;
};

extern const struct ir_op_info ir_op_info[IR__COUNT];

#define IR_MAX_INSNS 512u
#define IR_MAX_GUEST 64u

/** Code of one straight-line block. */
struct ir_block {
    struct ir_insn insn[IR_MAX_INSNS];
    u16 count;
    u16 temps;
    u8 guests;                /* guest instructions                                  */
    u64 eip;                  /* of the first                                        */
    u32 at[IR_MAX_GUEST + 1]; /* EIP of each, and of what follows the last           */
    u64 fall;                 /* EIP after the block: where BR and BRZ go otherwise  */
    bool full;                /* something did not fit: not usable                   */
    bool raises;              /* x87 instructions may end it: an exception is not masked */
    bool refuses;             /* x87, MMX and SSE instructions may give up */
    const struct insn *guest; /* decoded instructions; EXEC executes guest[g]       */
};

/** Is @op one of the six that stand for an x87, MMX or SSE instruction? */
static inline bool ir_is_fp(unsigned op)
{
    return op >= IR_FP && op <= IR_FPMG;
}

/** May the state behind @in be needed, because it raised an x87 exception that is not masked? */
static inline bool ir_may_raise(const struct ir_block *b, const struct ir_insn *in)
{
    return b->raises && ir_is_fp(in->op);
}

/** What the instruction of an FPM or FPMG does with memory: imm's parts. */
enum { IR_FP_SIZE = 31, IR_FP_WRITE = 32 };

void ir_init(struct ir_block *b, u64 eip);

/** A new temporary; sets @b->full and returns some value when there are no more. */
ir_val ir_temp(struct ir_block *b);

/**
 * Append an operation with the fields that ir.def gives it, and defaults for the others: def and
 * use as in ir.def, order plain. Never NULL: when full, a place that nobody reads.
 */
struct ir_insn *ir_add(struct ir_block *b, enum ir_op op, enum width w, unsigned g);

/** Fill in live and seen of every operation. @out: flags that matter after the block. */
void ir_liveness(struct ir_block *b, u8 out);

/** The same, but shifts by CL whose flags are needed give them: they use those of before, for a
 * count of 0. The guest instructions of rotations by CL that would have to, which they cannot. */
u64 ir_shifts_by_cl(struct ir_block *b, u8 out) MUST_CHECK;

/**
 * Replace loads and arithmetic of @b whose results are known, and take out what nobody needs
 * (ir_passes.c). live and seen must be filled in, and are to be filled in anew.
 */
void ir_optimise(struct ir_block *b);

/** The flags that matter after each operation, set by it or before it, into @need. @out: as above.
 */
void ir_needs(const struct ir_block *b, u8 out, u8 need[IR_MAX_INSNS]);

/** Does the shape of @op contain field @c ('D', 'A', 'B', 'I', 'X')? 'b' counts as 'B'. */
bool ir_has(enum ir_op op, char field);

/** The flags that condition @cc of Jcc reads. */
u8 ir_cond_flags(unsigned cc);

/** EFLAGS bits to packed flags, and back. */
u8 ir_pack_flags(u32 eflags);
u32 ir_unpack_flags(u8 flags);

/* --- text (ir_text.c) --- */

/** One operation as text, without newline: "add.32 r0, r0, t1 ; def CPAZSO live Z". */
void ir_print_insn(const struct ir_insn *in, char *out, size_t size);

/** The whole block, one operation a line; the length that the whole text has. */
size_t ir_print(const struct ir_block *b, char *out, size_t size);

/** Parse what ir_print() printed. False: *@error_line is the first bad line, counted from 1. */
bool ir_parse(const char *text, struct ir_block *b, unsigned *error_line) MUST_CHECK;

/* --- checks (ir_verify.c) --- */

/** NULL if @b keeps every rule of this file and of ir.def, else what it breaks; *@at: where. */
const char *ir_verify(const struct ir_block *b, unsigned *at);

/* --- the reference (ir_eval.c) --- */

struct cpu;

/** How an evaluated block ended. */
enum ir_result {
    IR_DONE,    /* at its exit: cpu->rip is the next instruction's                              */
    IR_BAILED,  /* before guest instruction *@g, nothing of which happened: interpret it        */
    IR_FAULTED, /* the executor of guest instruction *@g failed: cpu->fault is set              */
    IR_STOPPED, /* after a guest instruction whose executor wants the run loop's attention     */
};

/**
 * Execute @b on @cpu, as translated code would, by the meaning of each operation: flags in
 * cpu->fl_xx, registers in cpu->gpr, memory through the MMU. What is not plain RAM, or crosses a
 * page, bails. Every finished guest instruction is charged to clock->left, those before an EXEC
 * before its executor looks at the clock; an executor that leaves less than the rest of the block
 * needs stops it. *@g is how many guest instructions were finished, which is also the number of the
 * one that bailed or faulted; cpu->rip is the address to go on at, or of that one.
 */
enum ir_result ir_eval(struct cpu *cpu, const struct ir_block *b, unsigned *g);
