/* SPDX-License-Identifier: MIT */
/*
 * The verifier: every rule of ir.h and ir.def that a translator could break, as one list of
 * functions. Each looks at one operation and at what the operations before it left behind.
 */
#include <string.h>

#include "base/bits.h"
#include "cpu/insn.h"
#include "jit/ir_private.h"

/** What is known before an operation. */
struct verify {
    const struct ir_block *b;
    const struct ir_insn *in;
    bool assigned[IR_TEMPS];
    u8 temp_g[IR_TEMPS]; /* which guest instruction assigned it, */
    u8 temp_w[IR_TEMPS]; /* and how many bits of it are good     */
    u8 g;                /* current guest instruction            */
    bool begun;          /* it has had an operation              */
    bool wrote;          /* it has changed what a guest can see  */
    bool exec;           /* it is left to its executor           */
    bool modifying;      /* an LDW waits for its STW,            */
    u8 modify_w;         /* of this width                        */
};

typedef const char *rule_fn(struct verify *v);

/* --- fields --- */

enum {
    ANY = 0,
    NOT8 = 14,
    ONLY32 = 4,
    WORDS = 6,
    MIN32 = 12
}; /* bit sets of enum width; ANY: all */

static const u8 widths_of[IR__COUNT] = {
    [IR_ADDR] = NOT8,   [IR_SEGLIN] = MIN32, [IR_SHLD] = ONLY32, [IR_SHRD] = ONLY32,
    [IR_IMUL] = NOT8,   [IR_BT] = NOT8,      [IR_BTS] = NOT8,    [IR_BTR] = NOT8,
    [IR_BTC] = NOT8,    [IR_BSF] = NOT8,     [IR_BSR] = NOT8,    [IR_BSWAP] = ONLY32,
    [IR_CMOV] = NOT8,   [IR_STEP] = ONLY32,  [IR_FPR] = ONLY32,  [IR_FPG] = WORDS,
    [IR_FPMG] = ONLY32, [IR_DISP] = ONLY32,
};

static const char *rule_width(struct verify *v)
{
    u8 allowed = widths_of[v->in->op];

    if (ir_x_of(v->in->op) == IR_X_FIELD && v->in->cc < IR_FIELDS &&
        v->in->w != ir_field_width(v->in->cc))
        return "the field has another width";
    if (v->in->w > W64 || (allowed && !(allowed >> v->in->w & 1)))
        return "the operation has no such width";
    return NULL;
}

/* Which values a field may have. */
static const char *rule_shape(struct verify *v)
{
    const struct ir_insn *in = v->in;
    enum ir_op op = (enum ir_op)in->op;
    bool addr = op == IR_ADDR;
    bool constant = strchr(ir_op_info[op].shape, 'b') != NULL;

    if (ir_has(op, 'D') != (in->d != IR_NONE))
        return "a destination is missing or too many";
    if (!addr && ir_has(op, 'A') != (in->a != IR_NONE))
        return "operand A is missing or too many";
    if (!addr && ir_has(op, 'B') != (in->b != IR_NONE))
        return "operand B is missing or too many";
    if (in->d == IR_CONST || in->a == IR_CONST || (in->b == IR_CONST && !constant))
        return "a constant can be only operand B, where the shape has b";
    if (!ir_has(op, 'X') && in->cc)
        return "cc is set, which the operation does not have";
    if (!ir_has(op, 'I') && in->b != IR_CONST && in->imm)
        return "imm is set, which the operation does not have";
    return NULL;
}

/* The last value of cc; a width there is at most the operation's. */
static unsigned x_last(const struct ir_insn *in)
{
    switch (ir_x_of(in->op)) {
    case IR_X_COND:
        return 15;
    case IR_X_SEG:
        return SEG__COUNT - 1;
    case IR_X_SHIFT:
        return 3;
    case IR_X_WIDTH:
        return in->w;
    case IR_X_HINT:
        return IR_HINT_RET;
    case IR_X_FLAG:
        return 1;
    case IR_X_FIELD:
        return IR_FIELDS - 1;
    default:
        return 0;
    }
}

static const char *rule_cc(struct verify *v)
{
    const struct ir_insn *in = v->in;

    return in->cc > x_last(in) ? "cc is not one that the operation has" : NULL;
}

static bool is_shift(unsigned op)
{
    return op >= IR_SHL && op <= IR_RCR;
}

/* @imm as a number of @w, signed or not. */
static bool fits(i64 imm, enum width w)
{
    return (u64)imm == ((u64)imm & width_mask(w)) || (u64)imm == sign_extend((u64)imm, w);
}

/* Does some x87, MMX or SSE instruction have an operand like that? */
static bool fp_access(i64 imm)
{
    static const u32 sizes = BIT(1) | BIT(2) | BIT(4) | BIT(8) | BIT(10) | BIT(16);

    return !(imm & ~(i64)(IR_FP_SIZE | IR_FP_WRITE)) && sizes >> (imm & IR_FP_SIZE) & 1;
}

static const char *rule_imm(struct verify *v)
{
    const struct ir_insn *in = v->in;

    switch (in->op) {
    case IR_SHLD:
    case IR_SHRD:
        return in->imm < 1 || in->imm > 31 ? "a shift is by 1 to 31" : NULL;
    case IR_SETC:
    case IR_DF:
        return in->imm & ~(i64)1 ? "a flag is 0 or 1" : NULL;
    case IR_SEGLIN:
        return in->imm & ~(i64)127 ? "no such access" : NULL;
    case IR_FPM:
    case IR_FPMG:
        return fp_access(in->imm) ? NULL : "no such access";
    case IR_ADDR:
        return fits(in->imm, W32) ? NULL : "the displacement does not fit";
    case IR_JMP:
    case IR_JAL:
    case IR_BR:
    case IR_BRZ:
        return in->imm >> 32 ? "the target is not a 32-bit address" : NULL;
    }
    if (is_shift(in->op))
        return in->b != IR_CONST || in->imm < 1 || in->imm > 31 ? "a shift is by 1 to 31" : NULL;
    return fits(in->imm, (enum width)in->w) ? NULL : "the constant does not fit";
}

static const char *rule_order(struct verify *v)
{
    if (v->in->order > IR_ORDER_ATOMIC)
        return "no such order";
    return v->in->order && ir_op_info[v->in->op].kind != IR_MEM
               ? "only memory operations are ordered"
               : NULL;
}

/* --- flags --- */

static const char *rule_flags(struct verify *v)
{
    const struct ir_insn *in = v->in;
    const struct ir_op_info *op = &ir_op_info[in->op];
    u8 need = 0;

    if (ir_x_of(in->op) == IR_X_COND)
        need = ir_cond_flags(in->cc);
    else if (op->use == IRF_C)
        need = IRF_C;
    if (in->def & ~op->def)
        return "it cannot define these flags";
    if (in->use & ~op->use)
        return "it cannot use these flags";
    if (need & ~in->use)
        return "it uses flags that use does not name";
    if ((in->live | in->seen) & ~in->def)
        return "live and seen are part of def";
    if (in->op >= IR_SHLV && in->op <= IR_RORV && (in->live | in->seen) &&
        in->use != IRF_ALL)
        return "flags are needed that it leaves undefined";
    return NULL;
}

/* --- values --- */

static bool bad_value(ir_val v)
{
    return (v > IR_CONST && v < IR_TEMP) || v >= IR_TEMP + IR_TEMPS;
}

static const char *check_read(const struct verify *v, ir_val x, enum width w)
{
    unsigned t = x - (unsigned)IR_TEMP;

    if (bad_value(x))
        return "no such value";
    if (ir_is_high(x) && w != W8)
        return "AH, CH, DH and BH are 8 bits wide";
    if (!ir_is_temp(x))
        return NULL;
    if (t >= v->b->temps || !v->assigned[t])
        return "a temporary is used before it is assigned";
    if (v->temp_g[t] != v->in->g)
        return "a temporary is used by another guest instruction";
    if (v->temp_w[t] < w)
        return "a temporary is read wider than it was assigned";
    return NULL;
}

static const char *rule_reads(struct verify *v)
{
    const char *wrong = check_read(v, v->in->a, ir_a_width(v->in));

    return wrong ? wrong : check_read(v, v->in->b, (enum width)v->in->w);
}

static const char *rule_destination(struct verify *v)
{
    const struct ir_insn *in = v->in;
    unsigned t = in->d - (unsigned)IR_TEMP;

    if (bad_value(in->d))
        return "no such value";
    if (ir_is_high(in->d) && in->w != W8)
        return "AH, CH, DH and BH are 8 bits wide";
    if (!ir_is_temp(in->d))
        return NULL;
    if (t >= v->b->temps)
        return "the block has no such temporary";
    if (v->assigned[t])
        return "a temporary is assigned twice";
    v->assigned[t] = true;
    v->temp_g[t] = in->g;
    v->temp_w[t] = (u8)ir_d_width(in);
    return NULL;
}

/* --- the order of operations --- */

/* First of all the rules: it begins a guest instruction. */
static const char *rule_guest(struct verify *v)
{
    const struct ir_insn *in = v->in;

    if (in->g >= v->b->guests)
        return "the block has no such guest instruction";
    if (in->g < v->g)
        return "guest instructions are not in order";
    if (in->g != v->g) {
        if (v->modifying)
            return "an LDW has no STW";
        v->g = in->g;
        v->begun = v->wrote = v->exec = false;
    }
    return NULL;
}

static const char *rule_exit(struct verify *v)
{
    bool last = v->in == &v->b->insn[v->b->count - 1];
    bool is_exit = ir_op_info[v->in->op].kind == IR_EXIT;

    if (is_exit == last)
        return NULL;
    return is_exit ? "an exit is not the last operation" : "the last operation is no exit";
}

/* An executor does all of an instruction; only the block's exit may follow it. */
static const char *rule_exec(struct verify *v)
{
    u8 kind = ir_op_info[v->in->op].kind;

    if (v->in->op == IR_EXEC && v->begun)
        return "EXEC is not alone in its guest instruction";
    if (v->exec && kind != IR_EXIT)
        return "EXEC is not alone in its guest instruction";
    if (v->in->op == IR_LEAVE && !v->exec)
        return "LEAVE does not follow an EXEC";
    v->exec |= v->in->op == IR_EXEC;
    v->begun = true;
    return NULL;
}

static const char *rule_modify(struct verify *v)
{
    const struct ir_insn *in = v->in;
    bool memory = ir_op_info[in->op].kind == IR_MEM;

    if (in->op == IR_STW) {
        if (!v->modifying)
            return "an STW has no LDW";
        if (v->modify_w != in->w)
            return "STW and LDW differ in width";
        v->modifying = false;
        return NULL;
    }
    if (v->modifying && memory)
        return "another memory operation is between LDW and STW";
    if (v->modifying && ir_op_info[in->op].kind == IR_EXIT)
        return "an LDW has no STW";
    if (in->op == IR_LDW) {
        v->modifying = true;
        v->modify_w = in->w;
    }
    return NULL;
}

/* What gives up must leave the state before the guest instruction as it was. */
static const char *rule_restart(struct verify *v)
{
    const struct ir_insn *in = v->in;
    u8 kind = ir_op_info[in->op].kind;

    if (v->wrote && (kind == IR_MEM || kind == IR_BAIL || kind == IR_CALL))
        return "it may give up after its guest instruction wrote something";
    if (ir_reg_of(in->d) >= 0 || in->def || ir_writes_pair(in) || in->op == IR_ST ||
        in->op == IR_STW || in->op == IR_DF || in->op == IR_PUT)
        v->wrote = true;
    return NULL;
}

static rule_fn *const rules[] = {
    rule_guest, rule_exit,  rule_width,       rule_shape, rule_cc,     rule_imm,     rule_order,
    rule_flags, rule_reads, rule_destination, rule_exec,  rule_modify, rule_restart,
};

const char *ir_verify(const struct ir_block *b, unsigned *at)
{
    struct verify v = {.b = b};

    *at = 0;
    if (b->full)
        return "something did not fit";
    if (b->count == 0 || b->count > IR_MAX_INSNS)
        return "the number of operations is not possible";
    if (b->guests > IR_MAX_GUEST || b->temps > IR_TEMPS)
        return "the number of guest instructions or temporaries is not possible";
    for (; *at < b->count; ++*at) {
        v.in = &b->insn[*at];
        if (v.in->op >= IR__COUNT)
            return "no such operation";
        for (unsigned r = 0; r < ARRAY_LEN(rules); r++) {
            const char *wrong = rules[r](&v);
            if (wrong)
                return wrong;
        }
    }
    return NULL;
}
