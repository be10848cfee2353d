/* SPDX-License-Identifier: MIT */
/*
 * IR -> A64, private to this folder.
 *
 * Where things are while translated code runs:
 *
 *   W19 to W26   the guest's EAX ECX EDX EBX ESP EBP ESI EDI
 *   X27          the MMU context's tables
 *   X28          struct cpu
 *   W29          instructions that may still be retired
 *   X8 X4        the MMU context's tables of writes and of executed pages
 *   W9 to W13    temporaries
 *   X14          the table of indirect jumps (jit/jumps.h)
 *   X15          the window, if the block has one (a64_emit_window.c)
 *   X3           between LDW and STW: the addend
 *   X0 X1 X2 X16 X17   for the current operation; W0 and X16 are also what stubs take and give
 *   X30          return addresses; X18 is not used
 *   SP           the stack of returns (a64_emit_flow.c)
 *
 * Guest flags. SF, ZF and OF are N, Z and V whenever somebody may still want them: nothing but what
 * sets guest flags changes NZCV. Between blocks and around stubs, PF is that of the low byte of W6,
 * AF is set if the low four bits of W6 are more than those of W7, CF if X6 is more than X7, as
 * signed numbers: after a subtraction W6 is its result and W7 what it was subtracted from, after an
 * addition the same two, inverted. The upper half of X6 is 0; that of X7 is 0, or 1 or negative
 * where CF is another operation's. Inside of a block the three may also be elsewhere (struct
 * flag_state), and come there when an exit or an executor wants them; where an access gives up,
 * behind the block, so that it costs nothing before.
 *
 * SSE. While the unit is live (FP_SSE in cpu->jit.fp_live), V16 to V23 are XMM0 to XMM7, FPCR has
 * the guest's rounding and flushes denormals, and FPSR's IXC is PE. V0 to V7 are for the current
 * operation. C code runs with FPCR 0; but for the stub of an access it finds nothing live.
 *
 * The host's arithmetic is the guest's but for what shows in FPSR: a denormal operand (IDC) or a
 * result that is tiny (UFC), because they are flushed; an invalid operation, with its default NaN;
 * overflow; division by zero. With DAZ the guest's operands are flushed, too, and IDC does not
 * count; nor does QC, which packed integers leave there. FTZ changes nothing: it flushes what is
 * tiny once rounded, the host what was before. So a group of instructions one after the other is
 * executed, FPSR looked at once behind it, and if it has more than IXC, the group's registers, of
 * which V24 to V31 are copies, and IXC are put back and the interpreter does it. Quiet NaNs as
 * operands give what the guest's unit does [ARM FPProcessNaNs; SDM 1 Table 4-7].
 *
 * x87 instructions are made in line (a64_x87.h) or call x87_plain(), if no SSE instruction is near,
 * which would be disturbed, and if the unit is usable (FP_USABLE).
 */
#pragma once

#include "cpu/state.h"
#include "jit/a64/a64_asm.h"
#include "jit/a64/a64_vec.h"
#include "jit/a64/a64_x87.h"
#include "jit/backend.h"

enum {
    REG_TABLES = X27,
    REG_CPU = X28,
    REG_BUDGET = X29,
    REG_CF = X5,
    REG_PF = X6,
    REG_AF = X7,
    REG_WRITES = X8,
    REG_EXEC = X4,
    REG_TEMP0 = X9, /* and so on to: */
    REG_TEMP9 = X13,
    REG_JUMPS = X14,
    REG_WINDOW = X15,
    REG_HELD = X3,
    REG_ARG = X0,
    REG_ADDEND = X16,
};

#define CPU_OFF(what) ((i32)offsetof(struct cpu, what))

/** Host registers of the guest's eight. */
static inline u8 a64_guest(unsigned r)
{
    return (u8)(X19 + r);
}

/** Where CF is. */
enum carry_place {
    CARRY_PAIR, /* X6 more than X7: so it is when a block begins  */
    CARRY_REG,  /* W5, 0 or 1                                     */
    CARRY_HOST, /* the host's C, as after an addition             */
    CARRY_NOT,  /* the host's C, inverted, as after a subtraction */
    CARRY_0,
    CARRY_1,
};

struct flag_state {
    u8 carry;    /* enum carry_place                              */
    bool own;    /* CF is what PF and AF's operation makes of it  */
    bool recipe; /* PF and AF: of how_to, else W6 and W7          */
    bool equal;  /* W7 should be W6                               */
    bool differ; /* AF is bit 4 of W6 ^ W7                        */
    bool upper;  /* that half of X7 may not be 0                  */
    struct recipe how_to;
};

/** SSE instructions whose exceptions have not been looked at. */
struct fp_group {
    bool open;
    bool picks; /* it has MIN or MAX, which pass on what they compare: a denormal number is none of
                 * DAZ's zeros there */
    u8 first;   /* its first guest instruction           */
    u8 saved;   /* BIT(n): V24 + n is what XMMn was then */
};

enum cold_kind {
    COLD_ACCESS,
    COLD_BAIL,
    COLD_BUDGET,
    COLD_EDGE,
    COLD_CHANGED, /* the guest's code is not what it was */
    COLD_MOVED,
    COLD_INDIRECT,
    COLD_ASTRAY,
    COLD_LIVE,   /* make SSE live, or x87 usable                              */
    COLD_MISSED, /* x87 is not as the block takes it for granted              */
    COLD_X87,    /* x87_plain() does what a subroutine cannot                 */
    COLD_RAISED, /* put the group back; how: so are NZCV, from X2, if it is 1 */
};

/** Code that runs rarely, put behind the block. */
struct cold {
    u8 *from[3]; /* branches to it, or NULL                */
    u8 *back;    /* ACCESS: where to go on                 */
    u8 *guard;   /* EDGE: what loads the expected page */
    u8 kind, reg, how, g;
    u8 addend;            /* ACCESS: the register that wants it */
    bool check;           /* ACCESS: it may take the window away */
    u16 i;                /* the operation */
    struct flag_state fl; /* ACCESS, BAIL, LIVE, RAISED     */
    struct fp_group group;
    struct a64_x87 x87;   /* before the instruction      */
    struct a64_x87 after; /* X87: and where it goes on   */
};

/** Where a window is not used any more, and what is known there. */
struct a64_join {
    u8 *at;
    struct flag_state fl;
    struct fp_group group;
    u8 home[256], low[8];
};

/** Accesses near a register that share a look-up. */
struct a64_window {
    bool never;  /* this block does not get one                       */
    bool active; /* it can be used                                    */
    ir_val base; /* the register, or IR_NONE: there is none           */
    bool writes;
    i32 lo, hi;           /* from what the base is at the head                 */
    i32 pending;          /* the base has still to be moved by                 */
    u16 end;              /* the first operation that does not use it          */
    u8 *crosses, *absent; /* branches to the plain copy               */
    struct a64_join join;
    /* By operation: it is an access through the window, at off; its result is not needed; and by
     * how much the base has been moved before it. */
    bool has[IR_MAX_INSNS], skip[IR_MAX_INSNS];
    i16 off[IR_MAX_INSNS], moved[IR_MAX_INSNS];
};

struct a64_emit {
    struct codebuf *c;
    struct jit_unit *u;
    const struct ir_block *ir;
    unsigned i; /* operation being emitted */

    u8 home[256];  /* by value: the register of a temporary  */
    u16 last[256]; /* last operation that reads it           */
    u8 uses[256];  /* how many operands it is                */
    u8 busy[32];   /* by host register: the temporary in it  */
    u8 held;       /* register with the address of the LDW   */

    struct flag_state fl;
    u8 need[IR_MAX_INSNS]; /* flags that matter after each operation */

    struct a64_window window;
    struct {
        u8 *behind; /* the last load or store of a word through the window */
        bool load;
        u8 reg;
        i32 off;
    } word;
    i32 held_off;
    u8 *stored_at; /* behind the last store, if it was of X0 with a constant; or NULL */
    bool has_sse, has_x87; /* up to the next executor: what was looked at */
    struct a64_x87 x87;
    struct fp_group group;
    u8 low[8]; /* by XMM: bytes from the lowest on that may not be 0: 4, 8, 16 */

    struct cold cold[3 * IR_MAX_GUEST];
    unsigned colds;
};

static inline const struct ir_insn *a64_next(const struct a64_emit *e, unsigned n)
{
    return e->i + n < e->ir->count ? &e->ir->insn[e->i + n] : NULL;
}

/** Leave the current guest instruction to its executor. */
static inline void a64_decline(struct a64_emit *e)
{
    e->u->by_exec |= BIT64(e->ir->insn[e->i].g);
}

/** The flags that @in has to produce. */
static inline u8 a64_wanted(const struct ir_insn *in)
{
    return in->def & (in->live | in->seen);
}

/** How far a value of @w is from the top of a W register. */
static inline u8 a64_above(enum width w)
{
    return (u8)(32 - (8u << w));
}

/* --- a64_temps.c --- */

void a64_temps_init(struct a64_emit *e);
/** Free the temporaries whose last use the current operation was. */
void a64_temps_expire(struct a64_emit *e);
/** Temporary @t is needed until operation @index. */
void a64_temp_keep(struct a64_emit *e, ir_val t, unsigned index);

/** The host register of a guest register or temporary (not of AH..BH). */
u8 a64_reg(const struct a64_emit *e, ir_val v);
/** A register with the value @v, or @imm, in its low bits; @scratch if it is in none. */
u8 a64_read(struct a64_emit *e, ir_val v, i64 imm, u8 scratch);
/** The same, and zeros or copies of its sign above @w. */
u8 a64_read_zext(struct a64_emit *e, enum width w, ir_val v, i64 imm, u8 scratch);
u8 a64_read_sext(struct a64_emit *e, enum width w, ir_val v, i64 imm, u8 scratch);
/** The register in which a result for @d of @w can be made, bits above @w included: @scratch if
 * @d has others to keep. a64_write() finishes. */
u8 a64_dst(struct a64_emit *e, enum width w, ir_val d, u8 scratch);
/** @d of @w = the bits of register @r from @lsb on; @r may be what a64_dst() gave. */
void a64_write(struct a64_emit *e, enum width w, ir_val d, u8 r, u8 lsb);

/* --- a64_emit_flags.c --- */

/** What to do about PF and AF of the current operation. */
enum pa_plan { PA_NONE, PA_RECIPE, PA_NOW };

/** @in has just been left to set PF and AF: the plan if @how_to (or NULL) tells them later. */
enum pa_plan a64_pa_plan(const struct a64_emit *e, const struct ir_insn *in,
                         const struct recipe *how_to);
/** W7, before something is subtracted from, or added to (@add), @a of @w. */
void a64_pa_operand(struct a64_emit *e, enum pa_plan plan, bool add, enum width w, u8 a);
/** W6, after it, from the bits of @r from @lsb on; or take the recipe. */
void a64_pa_result(struct a64_emit *e, enum pa_plan plan, const struct recipe *how_to, bool add,
                   u8 r, u8 lsb);
/** The same two for what has CF as an operand. */
void a64_pa_operands(struct a64_emit *e, enum pa_plan plan, u8 a, u8 b);
void a64_pa_results(struct a64_emit *e, enum pa_plan plan, u8 r, u8 lsb);
/** PF from @r as above, AF 0. */
void a64_pa_logic(struct a64_emit *e, const struct ir_insn *in, const struct recipe *how_to, u8 r,
                  u8 lsb);
/** N and Z from the value of @w at bit 0 of @r; V = 0 and C = 0. */
void a64_flags_nz(struct a64_emit *e, enum width w, u8 r);
/** V = bit 0 of @r, nothing else changes. X17 is lost. */
void a64_flags_v(struct a64_emit *e, u8 r);
/** What flags are when a block begins. */
struct flag_state a64_flags_initial(void);
/** CF is where an operation has put it that PF and AF say nothing of. */
void a64_flags_carry_is(struct a64_emit *e, enum carry_place place);
/** Have CF in W5. NZCV stay. */
void a64_flags_carry(struct a64_emit *e);
/** Keep CF while W7 becomes @a, before an increment or decrement with PA_NOW. */
void a64_flags_carry_over(struct a64_emit *e, bool add, enum width w, u8 a);
/** Have the host's C ready for ADC (@sub false) or SBC. Loses N, Z and V. */
void a64_flags_carry_in(struct a64_emit *e, bool sub);
/** @r = 1 or 0: PF, from W6. */
void a64_flags_parity(struct codebuf *c, u8 r);
/** Flags from their places in EFLAGS in @a: the low byte, and OF if @of; else OF stays. */
void a64_flags_put(struct a64_emit *e, u8 a, bool of);
/** Everything where it is between blocks. X1 and X2 are lost. */
void a64_flags_settle(struct codebuf *c, struct flag_state *fl);

/** A condition: the host's @cc, or whether register @reg (0 or 1) is @value. */
struct a64_cond {
    bool in_reg, value;
    u8 reg;
    enum a64_cc cc;
};
/** X16 may be used for it. */
struct a64_cond a64_flags_cond(struct a64_emit *e, unsigned cc);

/* Between the places that flags have between blocks and cpu->jit.flags; W5, X16, X17 are lost. */
void a64_flags_to_memory(struct codebuf *c);
void a64_flags_from_memory(struct codebuf *c);

/* --- a64_emit_mem.c --- */

struct cold *a64_cold(struct a64_emit *e, enum cold_kind kind, u8 *from);
/** Give up where the branch at @from is taken. */
struct cold *a64_bail_from(struct a64_emit *e, u8 *from);
/** Make temporary @in->d, which is only moved to a guest register soon, there. */
void a64_make_there(struct a64_emit *e, const struct ir_insn *in);
/** What is wanted of an address: if it is not aligned, the access gives up. */
enum a64_alignment { MAY_BE_CROOKED, HAS_TO_BE_ALIGNED };
/** Look up the page of the address in @r for an access of 1 << @size bytes, 0 to 4: what has to be
 * added to the address, in @addend. X17 is lost. */
void a64_look_up(struct a64_emit *e, u8 r, unsigned size, bool write, enum a64_alignment what,
                 u8 addend);
/** Behind a write: bring it to its two pages, if the instruction has been seen to cross. X16, X17
 * and X30 are lost. */
void a64_written(struct a64_emit *e);

/* --- a64_emit_window.c --- */

/** Find out whether a window is worth it, and of what. */
void a64_window_find(struct a64_emit *e);
/** At the block's head, if there is one. */
void a64_window_look_up(struct a64_emit *e);
/** Before each operation. True: nothing is to be done for it. */
bool a64_window_before(struct a64_emit *e, const struct ir_insn *in);
/** Is the current operation an access through it? At *@off from REG_WINDOW. */
bool a64_window_has(const struct a64_emit *e, i32 *off);
/** The plain copy of what uses it, up to window.end. False: there is no window. */
bool a64_window_begin_plain(struct a64_emit *e);
/** False: it would come back to another state. */
bool a64_window_end_plain(struct a64_emit *e);
/** Behind the stub of an access that wrote: go on if the page is still there. */
void a64_window_check(struct a64_emit *e, const struct cold *k);

/* --- a64_emit_fp.c --- */

enum {
    V0,
    V1,
    V2,
    V_XMM = 16,
    V_SAVED = 24,
    FP_USABLE = BIT(4), /* in fp_live: x87 instructions do not fault, but for their operands */
};

/** What a block may want before it begins: how of COLD_LIVE. */
enum fp_want { WANT_SSE, WANT_X87 };

/** See to it that SSE is live, or x87 usable, where the operations from @from on up to an executor
 * need it. */
void a64_fp_gate(struct a64_emit *e, unsigned from);
/** XMM @n is about to be written; bytes of it from @low on will be 0. Its host register. */
u8 a64_fp_write(struct a64_emit *e, u8 n, u8 low);
/** The current instruction may raise exceptions: it belongs to a group. */
void a64_fp_open(struct a64_emit *e);
/** Does a further instruction go with the group? */
bool a64_fp_goes_on(const struct a64_emit *e);
/** Look at the exceptions of the group, which ends. @nzcv: X2 has what NZCV were before it. */
void a64_fp_close(struct a64_emit *e, bool nzcv);
/** Code that goes to the interpreter with the group put back if it raised; else it goes on. */
void a64_fp_put_back(struct a64_emit *e, struct cold *k);

/* Stubs: before what may look at and change anything, or at x87 only; before and after C that does
 * not look at the guest's state; those that make SSE live, and x87 usable. */
void a64_fp_save(struct codebuf *c, bool x87);
void a64_fp_push(struct codebuf *c);
void a64_fp_pop(struct codebuf *c);
void a64_fp_load(struct codebuf *c);
void a64_fp_unusual(struct codebuf *c, bool zeros);
void a64_fp_use_x87(struct codebuf *c, const u8 *bail);

/* --- a64_emit_x87.c --- */

/** At the block's head. */
void a64_x87_begin(struct a64_emit *e);
/** Before guest instruction @g, from which on x87 is used: see whether it is as it is known. */
void a64_x87_gate(struct a64_emit *e, u8 g, bool rounds);
/** Before each operation. */
void a64_x87_before(struct a64_emit *e, const struct ir_insn *in);
/** C has executed @guest. */
void a64_x87_executed(struct a64_emit *e, const struct insn *guest);
/** Emit the current x87 instruction, if it is known. */
bool a64_x87(struct a64_emit *e, const struct ir_insn *in);
/** Store what *@x says is missing. X16 is lost. */
void a64_x87_store(struct a64_emit *e, struct a64_x87 *x);
void a64_x87_cold(struct a64_emit *e, struct cold *k);
/** TOP and tags in memory become these. X16 is lost. */
void a64_x87_put_stack(struct codebuf *c, u8 top, u8 empty);

/* --- a64_emit_sse.c --- */

/** Emit the current instruction, if it is known. */
bool a64_sse(struct a64_emit *e, const struct ir_insn *in);
/** Is @guest one that is known? *@raises: it may raise exceptions. */
bool a64_sse_knows(const struct insn *guest, bool *raises);

/* --- a64_emit_flow.c --- */

/** The block's head, and everything behind its last operation. */
void a64_emit_head(struct a64_emit *e);
void a64_emit_cold(struct a64_emit *e);
/** Leave for the interpreter, at guest instruction @g. */
void a64_give_up(struct a64_emit *e, struct flag_state *fl, u8 g);
void a64_emit_stubs(struct codebuf *c, const struct jit_helpers *h, struct jit_stubs *out);
void a64_link(const struct jit_edge *e, const u8 *target, u32 page);

/* Make the stub for returns that went elsewhere than foretold. It jumps to @s->leave, made before.
 * In stubs: begin the stack of returns below SP (X16 is lost); empty it; empty it if C says so (X17
 * is lost). */
void a64_return_stubs(struct codebuf *c, struct jit_stubs *s);
void a64_return_base(struct codebuf *c);
void a64_return_unwind(struct codebuf *c);
void a64_return_check(struct codebuf *c);

/* Emitters, one an operation. One that consumed more than its own moves e->i on. */
#define IR_OP(name, ...) void a64_emit_##name(struct a64_emit *e, const struct ir_insn *in);
#include "jit/ir.def"
