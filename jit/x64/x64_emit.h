/* SPDX-License-Identifier: MIT */
/*
 * IR -> x86-64, private to this folder.
 *
 * Where things are while translated code runs:
 *
 *   EAX ECX EDX EBX EBP ESI EDI   the guest's, in the host registers of the same names
 *   R8                            ESP
 *   R9 R10                        an access: linear address and addend; otherwise scratch
 *   R11 R12                       temporaries
 *   R13                           instructions that may still be retired
 *   R14                           the MMU context's tables
 *   R15                           struct cpu, + CPU_BIAS so that more of it is near
 *
 * Upper halves of the guest's registers are 0. Guest flags are in one or more of three places
 * (struct flag_state): the host's EFLAGS; cpu->jit.flags, as LAHF and SETO give them; or a recipe
 * that computes them again from values that are still there. At every point that can give up they
 * are stored, or there is a recipe.
 */
#pragma once

#include "cpu/state.h"
#include "jit/backend.h"
#include "jit/x64/x64_asm.h"

enum { REG_CPU = R15, REG_TABLES = R14, REG_BUDGET = R13, REG_ADDR = R9, REG_ADDEND = R10 };

#define CPU_BIAS     128
#define CPU_AT(what) x64_at(REG_CPU, (i32)offsetof(struct cpu, what) - CPU_BIAS)

/** Host registers of the guest's eight. */
extern const u8 x64_guest[8];

/** Those that C functions change, of what generated code keeps. */
enum { X64_CLOBBERED = 8 };
extern const u8 x64_clobbered[X64_CLOBBERED];

/** Where a temporary is: a host register, or: */
enum {
    HOME_NONE = 0xff, /* nowhere (yet)                                                     */
    HOME_MEM = 0xfe,  /* in memory, at the operand of the last access, for the next op only */
};

struct flag_state {
    u8 host;      /* flags that the host's EFLAGS have  */
    u8 stored;    /* flags that cpu->jit.flags has      */
    bool af_zero; /* AF is 0, whatever EFLAGS says   */
    bool recipe;  /* how_to computes all six         */
    bool step;    /* how_to does, once CF is in cpu->jit.carry */
    bool carry;   /* CF is there */
    struct recipe how_to;
};

enum cold_kind {
    COLD_ACCESS,
    COLD_BAIL,
    COLD_BUDGET,
    COLD_EDGE,
    COLD_FP,
    COLD_CHANGED, /* the guest's code is not what it was */
    COLD_MOVED,
    COLD_INDIRECT
};

/** Code that runs rarely, put behind the block. */
struct cold {
    u8 *from[2]; /* displacements of the branches to it     */
    u8 *back;    /* ACCESS, FP: where to go on              */
    u8 kind, reg, how;
    u8 g;
    struct recipe flags;   /* ACCESS, BAIL, FP */
    struct jit_fp_site fp; /* likewise         */
};

struct x64_emit {
    struct codebuf *c;
    struct jit_unit *u;
    const struct ir_block *ir;
    unsigned i; /* operation being emitted */

    u8 home[256];      /* by value                                     */
    u16 last[256];     /* last operation that reads the temporary      */
    u8 uses[256];      /* how many operands it is                      */
    bool address[256]; /* it is only used as an address                */
    u8 busy[16];       /* by host register: the temporary in it, or 0  */
    bool hold;         /* between LDW and STW: address and addend stay */
    bool fused;        /* the next operation takes its operand there          */
    u8 addr;           /* register with the last access's address      */

    struct flag_state fl;
    u8 need[IR_MAX_INSNS]; /* flags that matter after each operation */

    struct jit_fp_site fp; /* where the current operation gives up */

    /* A block that goes back to its head may be put twice (x64_emit_loop()). */
    u8 *loop, *loop_from;     /* its second head, and the branch there */
    struct recipe loop_flags; /* on it                                 */
    u16 loop_mark;            /* for them; 0: there is no such head    */

    struct cold cold[3 * IR_MAX_GUEST];
    unsigned colds;
};

static inline const struct ir_insn *x64_next(const struct x64_emit *e, unsigned n)
{
    return e->i + n < e->ir->count ? &e->ir->insn[e->i + n] : NULL;
}

/** Leave the current guest instruction to its executor. */
static inline void x64_decline(struct x64_emit *e)
{
    e->u->by_exec |= BIT64(e->ir->insn[e->i].g);
}

/* --- x64_temps.c --- */

void x64_temps_init(struct x64_emit *e);
/** Give temporary @t, made by the current operation, a register. */
u8 x64_temp_new(struct x64_emit *e, ir_val t);
/** Free the temporaries whose last use the current operation was. */
void x64_temps_expire(struct x64_emit *e);
/** A register that nothing lives in, or X64_NOREG. It stays free. */
u8 x64_scratch(const struct x64_emit *e);
/** One that is not @other either; declines the instruction if there is none. */
u8 x64_scratch_not(struct x64_emit *e, u8 other);

/** The host register of a guest register or temporary (not of AH..BH, not in memory). */
u8 x64_reg(const struct x64_emit *e, ir_val v);
/** The register for a destination: allocates temporaries. */
u8 x64_dst(struct x64_emit *e, ir_val v);

/** Byte operands that need a REX prefix: makes the register of @v, AH..BH included, usable as a
 * low byte; undone by x64_byte_end(). Flags stay. */
u8 x64_byte_begin(struct x64_emit *e, ir_val v);
void x64_byte_end(struct x64_emit *e, ir_val v);

/* --- x64_emit_int.c --- */

/** @d = the value @v of @w; bits above it are unspecified. Flags stay. */
void x64_move(struct x64_emit *e, enum width w, u8 d, ir_val v, i64 imm);
/** D in a register that needs no care, holding A; byte registers are swapped until x64_one_end().
 */
u8 x64_one_begin(struct x64_emit *e, const struct ir_insn *in);
void x64_one_end(struct x64_emit *e, const struct ir_insn *in);

static inline bool x64_in_memory(const struct x64_emit *e, ir_val v)
{
    return ir_is_temp(v) && e->home[v] == HOME_MEM;
}

/* --- x64_emit_mem.c --- */

/** Look up the page of the address in @a for x64_bytes(@w) bytes (W8 to X64_W80). What is not a
 * multiple of its size gives up if @aligned. */
void x64_look_up(struct x64_emit *e, ir_val a, unsigned w, bool write, bool aligned);
enum { X64_W128 = W64 + 1, X64_W80 };
/** The write to what was looked up has just been put; flags stay. */
void x64_written(struct x64_emit *e);

static inline unsigned x64_bytes(unsigned w)
{
    return w == X64_W80 ? 10 : 1u << w;
}

/** A call of code that can give up was just put: it is a site of the current operation. */
void x64_site(struct x64_emit *e);

/** Code that runs rarely and can give up, for the current operation. */
struct cold *x64_cold(struct x64_emit *e, enum cold_kind kind);

/** Give up where the branches whose displacements are @from0 and @from1 (or NULL) are taken. */
void x64_bail_from(struct x64_emit *e, u8 *from0, u8 *from1);

/** The operand of the last access. */
static inline struct x64_mem x64_operand(const struct x64_emit *e)
{
    return x64_idx(REG_ADDEND, e->addr, 0, 0);
}

/* --- x64_emit_flags.c --- */

/** Will @op of the host change EFLAGS other than as its guest flags say? */
bool x64_clobbers(enum ir_op op);
/** The host's EFLAGS are about to be lost. */
static inline void x64_flags_lost(struct x64_emit *e)
{
    e->fl.host = 0;
    e->fl.af_zero = false;
}
/** @in, which sets no flags, has been emitted: is the recipe still good? */
void x64_flags_spoil(struct x64_emit *e, const struct ir_insn *in);
/** Store those of @mask that are not yet. */
void x64_flags_store(struct x64_emit *e, u8 mask);
/** Before an operation that sets only @in->def: keep the others that matter. */
void x64_flags_before(struct x64_emit *e, const struct ir_insn *in);
/** The operation has just set @host of its flags in EFLAGS; the others that it defines are lost. */
void x64_flags_after(struct x64_emit *e, const struct ir_insn *in, unsigned index, u8 host,
                     const struct recipe *how_to);
/** Would the flags of @in, which defines all, have to be stored if there is no recipe? */
bool x64_flags_want_recipe(struct x64_emit *e, const struct ir_insn *in);
/** Have CF in EFLAGS. */
void x64_flags_carry(struct x64_emit *e);
/** Have what condition @cc needs in EFLAGS; the host condition to use. */
enum x64_cc x64_flags_cond(struct x64_emit *e, unsigned cc);
/** The block ends, and the next one has @spoils: what its edge has for flags that need not be
 * stored, or 0. */
u16 x64_flags_lazy(struct x64_emit *e, u8 spoils);
/** For lazy flags: have CF where their recipe finds it. Flags stay. */
void x64_flags_leave_carry(struct x64_emit *e);
/** Leave them to it. Flags stay. */
void x64_flags_leave(struct x64_emit *e, u16 lazy);
/** For a site: how to get all six. */
struct recipe x64_flags_recipe(const struct x64_emit *e);

/* --- x64_emit_fp.c --- */

/** Have the units live that are used from operation @from on, up to the next executor. All flags
 * are stored. */
void x64_fp_gate(struct x64_emit *e, unsigned from);
/** Record the place of the last x87 instruction: the block may end here. Flags stay. */
void x64_fp_record(struct x64_emit *e);

/* In stubs; all change EFLAGS. */
/** If SSE is live: save it; and, if @leave, it is no more. */
void x64_fp_save_sse(struct codebuf *c, bool leave);
/** If SSE is live, in EFLAGS' place: load it. */
void x64_fp_load_sse(struct codebuf *c);
/** The stub that makes @need live. */
void x64_fp_stub(struct codebuf *c, const void *fp_enter, u8 need, const u8 *bail);
/** The stub that computes a function (its number in R9) of that kind. */
void x64_fp_stub_function(struct codebuf *c, const void *fp_function, enum jit_fp_kind kind,
                          const u8 *bail);
void x64_fp_stub_out(struct codebuf *c);

/* --- x64_emit_flow.c --- */

/** The block's head, and everything behind its last operation. */
void x64_emit_head(struct x64_emit *e);
void x64_emit_cold(struct x64_emit *e);
/** The head for all rounds of a loop but the first: flags need not be stored for it, and the edge
 * to it needs no link. */
void x64_emit_loop(struct x64_emit *e);
void x64_emit_stubs(struct codebuf *c, const struct jit_helpers *h, struct jit_stubs *out);
/** Make the stub for returns that went elsewhere than foretold. It jumps to @s->leave, made before.
 */
void x64_return_stubs(struct codebuf *c, struct jit_stubs *s);
void x64_stub_tsc(struct codebuf *c);
/** In stubs: begin the stack of returns below RSP. RAX is lost. */
void x64_return_base(struct codebuf *c, const struct jit_stubs *s);
void x64_link(const struct jit_edge *e, const u8 *target, u32 page);

/* Emitters, one an operation. */
#define IR_OP(name, ...) void x64_emit_##name(struct x64_emit *e, const struct ir_insn *in);
#include "jit/ir.def"

/* An emitter that consumed more than its own operation moves e->i on. */
