/* SPDX-License-Identifier: MIT */
/*
 * Passes over a block, before a backend sees it: loads of what is known to be in a register are
 * forwarded, constants are folded, and what nobody needs is taken out.
 *
 * Both rest on value numbers: two registers hold the same if their numbers are equal, whatever was
 * written in between. A number is a symbol and a distance from it, so that [ESP + 8] before a PUSH
 * is [ESP + 12] behind it; symbol 0 are constants. Only 32-bit values have one.
 *
 * A word of memory is known from the last store, and from loads since then: any other store may
 * have hit it, or the page tables that say where it is. Nothing else writes memory within a block,
 * but executors, behind which nothing is known, and walks of page tables, which
 * end the block (jit_access(), eval_memory()).
 */
#include "jit/ir.h"

#include "cpu/isa.h"

struct value {
    u32 symbol, off;
};

/* Where in memory: base + (index << shift), its distance in base.off. */
struct place {
    struct value base, index;
    u8 shift;
    bool known;
};

enum { WORDS = 8 };

/* What is in memory. */
struct word {
    struct place at;
    struct value is;
};

struct passes {
    struct value reg[IR_CONST];  /* by ir_val: guest registers                   */
    struct value temp[IR_TEMPS]; /* of the current guest instruction             */
    struct place addr[IR_TEMPS]; /* likewise, of those that are addresses        */
    struct word word[WORDS];
    unsigned words;
    struct place written; /* where the last load was from: STW's */
    u32 symbols;
};

static struct value fresh(struct passes *p)
{
    return (struct value){++p->symbols, 0};
}

static struct value constant(i64 imm)
{
    return (struct value){0, (u32)imm};
}

static bool same(struct value a, struct value b)
{
    return a.symbol == b.symbol && a.off == b.off;
}

static struct value *value_at(struct passes *p, ir_val v)
{
    return ir_is_temp(v) ? &p->temp[v - IR_TEMP] : &p->reg[v];
}

/* The 32 bits of operand @v. */
static struct value value_of(struct passes *p, const struct ir_insn *in, ir_val v)
{
    if (v == IR_CONST)
        return constant(in->imm);
    return ir_is_reg(v) || ir_is_temp(v) ? *value_at(p, v) : fresh(p);
}

/* --- addresses --- */

static struct place place_of(struct passes *p, ir_val a)
{
    if (ir_is_temp(a))
        return p->addr[a - IR_TEMP];
    return (struct place){.base = *value_at(p, a), .known = true};
}

static struct place place_of_addr(struct passes *p, const struct ir_insn *in)
{
    struct place at = {.known = in->w == W32, .shift = in->cc};

    if (in->a != IR_NONE)
        at.base = *value_at(p, in->a);
    if (in->b != IR_NONE)
        at.index = *value_at(p, in->b);
    at.base.off += (u32)in->imm;
    if (at.index.symbol == 0) { /* a constant is a distance */
        at.base.off += at.index.off << at.shift;
        at.index = (struct value){0, 0};
        at.shift = 0;
    }
    return at;
}

static bool same_place(const struct place *a, const struct place *b)
{
    return same(a->base, b->base) && same(a->index, b->index) && a->shift == b->shift;
}

/* --- memory --- */

static void word_is(struct passes *p, const struct place *at, struct value is)
{
    if (at->known && p->words < WORDS)
        p->word[p->words++] = (struct word){*at, is};
}

/* A register that holds @is, or IR_CONST, or IR_NONE. */
static ir_val holder(const struct passes *p, struct value is)
{
    if (is.symbol == 0)
        return IR_CONST;
    for (ir_val v = IR_REG; v < IR_REG + 8; v++) {
        if (same(p->reg[v], is))
            return v;
    }
    return IR_NONE;
}

/* A load of what is known becomes a move. */
static bool forward(struct passes *p, struct ir_insn *in, const struct place *at)
{
    for (unsigned i = 0; i < p->words; i++) {
        struct value is = p->word[i].is;
        ir_val from = same_place(&p->word[i].at, at) ? holder(p, is) : IR_NONE;
        if (from == IR_NONE)
            continue;
        *in = (struct ir_insn){.op = IR_MOV, .w = W32, .d = in->d, .b = from, .g = in->g};
        in->imm = from == IR_CONST ? is.off : 0;
        return true;
    }
    return false;
}

/* --- operations, in their order --- */

static void set(struct passes *p, ir_val d, enum width w, struct value is)
{
    int reg = ir_reg_of(d);

    if (reg >= 0 || ir_is_temp(d))
        *value_at(p, reg >= 0 ? (ir_val)(IR_REG + reg) : d) =
            w == W32 && !ir_is_high(d) ? is : fresh(p);
}

static void forget_all(struct passes *p)
{
    for (unsigned r = 0; r < 16; r++)
        p->reg[IR_REG + r] = fresh(p);
    p->words = 0;
}

static void load(struct passes *p, struct ir_insn *in)
{
    struct place at = place_of(p, in->a);
    struct value is = fresh(p);

    at.known &= in->w == W32 && in->order == IR_ORDER_PLAIN;
    if (at.known && in->op == IR_LD) {
        if (forward(p, in, &at))
            is = value_of(p, in, in->b);
        else
            word_is(p, &at, is);
    }
    p->written = at;
    set(p, in->d, in->w, is);
}

static void store(struct passes *p, const struct ir_insn *in, struct place at)
{
    p->words = 0;
    at.known &= in->w == W32 && in->order == IR_ORDER_PLAIN;
    word_is(p, &at, value_of(p, in, in->b));
}

static void becomes(struct ir_insn *in, struct value is)
{
    *in = (struct ir_insn){
        .op = IR_MOV, .w = W32, .d = in->d, .b = IR_CONST, .g = in->g, .imm = is.off};
}

static void address(struct passes *p, struct ir_insn *in)
{
    struct place at = place_of_addr(p, in);
    struct value is = at.known && at.index.symbol == 0 ? at.base : fresh(p);

    if (ir_is_temp(in->d))
        p->addr[in->d - IR_TEMP] = at;
    set(p, in->d, in->w, is);
    if (at.known && is.symbol == 0)
        becomes(in, is);
}

/* What a 32-bit operation gives of values that are known well enough; a new one if not. */
static struct value result(struct passes *p, const struct ir_insn *in)
{
    struct value a = value_of(p, in, in->a), b = value_of(p, in, in->b);
    bool constants = a.symbol == 0 && b.symbol == 0;

    switch (in->op) {
    case IR_ADD:
        return b.symbol == 0 ? (struct value){a.symbol, a.off + b.off} : fresh(p);
    case IR_SUB:
        if (a.symbol == b.symbol)
            return constant(a.off - b.off);
        return b.symbol == 0 ? (struct value){a.symbol, a.off - b.off} : fresh(p);
    case IR_XOR:
        return same(a, b) ? constant(0) : constants ? constant(a.off ^ b.off) : fresh(p);
    case IR_AND:
        return constants ? constant(a.off & b.off) : fresh(p);
    case IR_OR:
        return constants ? constant(a.off | b.off) : fresh(p);
    default:
        return fresh(p);
    }
}

static void arithmetic(struct passes *p, struct ir_insn *in)
{
    struct value is;

    if (in->op == IR_INC || in->op == IR_DEC) {
        is = value_of(p, in, in->a);
        is.off += in->op == IR_INC ? 1u : UINT32_MAX;
    } else {
        is = result(p, in);
    }
    set(p, in->d, in->w, is);
    if (in->w == W32 && is.symbol == 0 && !(in->live | in->seen))
        becomes(in, is);
}

static void visit(struct passes *p, struct ir_insn *in)
{
    switch (in->op) {
    case IR_MOV:
        set(p, in->d, in->w, value_of(p, in, in->b));
        break;
    case IR_ADDR:
        address(p, in);
        break;
    case IR_ADD:
    case IR_SUB:
    case IR_XOR:
    case IR_AND:
    case IR_OR:
    case IR_INC:
    case IR_DEC:
        arithmetic(p, in);
        break;
    case IR_LD:
    case IR_LDW:
        load(p, in);
        break;
    case IR_ST:
        store(p, in, place_of(p, in->a));
        break;
    case IR_STW:
        store(p, in, p->written);
        break;
    case IR_MULU:
    case IR_MULS:
    case IR_DIVU:
    case IR_DIVS:
    case IR_TSC:
        set(p, IR_REG + REG_AX, W16, constant(0));
        set(p, IR_REG + REG_DX, W16, constant(0));
        break;
    case IR_EXEC:
        forget_all(p);
        break;
    default:
        set(p, in->d, W16, constant(0));
        if (ir_is_fp(in->op) || ir_op_info[in->op].kind == IR_MEM)
            p->words = 0;
        break;
    }
}

/* --- what nobody needs, from the end --- */

struct need {
    u16 regs; /* a bit for each guest register whose value is wanted */
    bool temp[IR_TEMPS];
};

enum { ALL_REGS = 0xffff };

/* Operations that do nothing but what they write, all of which their shape says. */
static bool harmless(unsigned op)
{
    switch (op) {
    case IR_MOV:
    case IR_ZEXT:
    case IR_SEXT:
    case IR_ADDR:
    case IR_ADD:
    case IR_OR:
    case IR_AND:
    case IR_SUB:
    case IR_XOR:
    case IR_CMP:
    case IR_TEST:
    case IR_INC:
    case IR_DEC:
    case IR_NEG:
    case IR_NOT:
    case IR_SHL:
    case IR_SHR:
    case IR_SAR:
    case IR_SETCC:
    case IR_GET:
        return true;
    default:
        return false;
    }
}

static void want(struct need *n, ir_val v)
{
    if (ir_reg_of(v) >= 0)
        n->regs |= (u16)BIT(ir_reg_of(v));
    else if (ir_is_temp(v))
        n->temp[v - IR_TEMP] = true;
}

/* Is what @in writes wanted? All of a register is written by 32-bit operations alone. */
static bool wanted(struct need *n, const struct ir_insn *in)
{
    int reg = ir_reg_of(in->d);
    bool yes = reg >= 0 ? n->regs >> reg & 1 : ir_is_temp(in->d) && n->temp[in->d - IR_TEMP];

    if (in->def & (in->live | in->seen))
        yes = true;
    if (yes && reg >= 0 && in->w == W32)
        n->regs &= (u16)~BIT(reg);
    return yes;
}

static void remove_dead(struct ir_block *b)
{
    struct need n = {.regs = ALL_REGS};
    bool dead[IR_MAX_INSNS];
    unsigned kept = 0;

    for (unsigned i = b->count; i-- > 0;) {
        const struct ir_insn *in = &b->insn[i];
        bool free = harmless(in->op);
        dead[i] = free && !wanted(&n, in);
        if (dead[i])
            continue;
        if (!free)
            n.regs = ALL_REGS;
        want(&n, in->a);
        want(&n, in->b);
        if (in->w != W32 || ir_is_high(in->d))
            want(&n, in->d);
    }
    for (unsigned i = 0; i < b->count; i++) {
        if (!dead[i])
            b->insn[kept++] = b->insn[i];
    }
    b->count = (u16)kept;
}

void ir_optimise(struct ir_block *b)
{
    struct passes p = {0};

    forget_all(&p);
    for (unsigned i = 0; i < b->count; i++)
        visit(&p, &b->insn[i]);
    remove_dead(b);
}
