/* SPDX-License-Identifier: MIT */
/*
 * Guest flags in host flags. An operation leaves its flags in EFLAGS, where the next one mostly
 * uses them. When EFLAGS are about to be lost and somebody may still want the flags, either they
 * can be computed again (a recipe), or they are stored as LAHF and SETO give them.
 */
#include "jit/x64/x64_emit.h"

#include "cpu/isa.h"

/* cpu->jit.flags: what LAHF puts into AH is the high byte, OF is bit 0. */
enum { STORED_C = 0x0100, STORED_A = 0x1000, STORED_O = 0x0001 };

static u16 stored_bits(u8 flags)
{
    return (u16)(((ir_unpack_flags(flags) & 0xff) << 8) | (flags & IRF_O ? STORED_O : 0));
}

/* CPU_AT(jit.flags) as a byte: SF ZF AF PF CF. */
static struct x64_mem stored_ah(void)
{
    struct x64_mem m = CPU_AT(jit.flags);

    m.disp++;
    return m;
}

bool x64_clobbers(enum ir_op op)
{
    switch (op) {
    case IR_MOV:
    case IR_ZEXT:
    case IR_SEXT:
    case IR_ADDR:
    case IR_STW:
    case IR_NOT:
    case IR_BSWAP:
    case IR_STEP:
    case IR_FP: /* comparisons: only as the guest's */
    case IR_FPR:
    case IR_FPG:
    case IR_GET:
    case IR_PUT:
    case IR_IMM:
    case IR_DISP:
    case IR_JMP:
    case IR_BR:
        return false;
    case IR_SETCC:
    case IR_CMOV: /* the condition may have to be made first: then it is not in EFLAGS any more */
        return false;
    default:
        return true;
    }
}

/* Does writing @d change what the recipe works from? */
static bool spoils(const struct recipe *r, ir_val d)
{
    int reg = ir_reg_of(d);

    if (reg < 0 || r->kind >= RECIPE_SHL)
        return false;
    return (r->a & 15) == reg || (r->b != RECIPE_IMM && (r->b & 15) == reg);
}

static bool spoiled_by(const struct recipe *r, const struct ir_insn *in)
{
    return spoils(r, in->d) ||
           (ir_writes_pair(in) && (spoils(r, IR_REG + REG_AX) || spoils(r, IR_REG + REG_DX)));
}

void x64_flags_spoil(struct x64_emit *e, const struct ir_insn *in)
{
    if ((e->fl.recipe || e->fl.step) && spoiled_by(&e->fl.how_to, in))
        e->fl.recipe = e->fl.step = false;
}

/* What of the flags EFLAGS hold. */
static u8 in_host(const struct x64_emit *e)
{
    return e->fl.host | (e->fl.af_zero ? IRF_A : 0);
}

/* Will flags that operation @index has left be wanted after both EFLAGS and the recipe are gone?
 * Then they have to be stored now. Some may be in the recipe only, as CF behind INC. */
static bool must_store(const struct x64_emit *e, unsigned index)
{
    u8 mask = e->need[index] & (u8)~e->fl.stored;
    bool host = !(mask & ~in_host(e)), recipe = e->fl.recipe;

    for (unsigned j = index + 1; mask && j < e->ir->count; j++) {
        const struct ir_insn *next = &e->ir->insn[j];
        u8 kind = ir_op_info[next->op].kind;
        bool raises = ir_may_raise(e->ir, next);
        bool wanted = kind == IR_CALL || kind == IR_EXIT || raises || (next->use & mask);

        if (wanted && !host && !recipe)
            return true;
        if (kind == IR_CALL || kind == IR_EXIT)
            return false;
        if ((kind == IR_MEM || kind == IR_BAIL) && !recipe)
            return true;
        host &= !x64_clobbers(next->op) && !raises;
        recipe &= !spoiled_by(&e->fl.how_to, next);
        mask &= (u8)~next->def;
    }
    return false;
}

bool x64_flags_want_recipe(struct x64_emit *e, const struct ir_insn *in)
{
    struct flag_state was = e->fl;

    e->fl.stored &= (u8)~in->def;
    e->fl.host = IRF_ALL;
    e->fl.recipe = false;
    bool want = must_store(e, e->i);
    e->fl = was;
    return want;
}

/* --- storing --- */

static void store_host(struct x64_emit *e)
{
    struct codebuf *c = e->c;
    u8 s = x64_scratch(e), have = e->fl.host;
    bool af_zero = e->fl.af_zero;

    if (s != X64_NOREG)
        x64_mov_rr(c, W64, s, RAX);
    else
        x64_push_r(c, RAX);
    x64_lahf(c);
    x64_setcc_r(c, X64_O, RAX);
    if (af_zero) {
        x64_alu_ri(c, X64_AND, W32, RAX, (i32) ~(u32)STORED_A);
        x64_flags_lost(e);
    }
    if ((have | (af_zero ? IRF_A : 0)) == IRF_ALL) {
        x64_mov_mr(c, W16, CPU_AT(jit.flags), RAX);
    } else {
        u16 mask = stored_bits(have | (af_zero ? IRF_A : 0)) | LAZY_STORED;
        x64_alu_ri(c, X64_AND, W32, RAX, mask);
        /* what else is in the low byte may be of a lazy mark */
        u16 keep = (u16)(~mask & (0xff00 | STORED_O));
        x64_alu_mi(c, X64_AND, W16, CPU_AT(jit.flags), (i16)keep);
        x64_alu_mr(c, X64_OR, W16, CPU_AT(jit.flags), RAX);
        x64_flags_lost(e);
    }
    if (s != X64_NOREG)
        x64_mov_rr(c, W64, RAX, s);
    else
        x64_pop_r(c, RAX);
}

/* Shift what was shifted once more; the last step alone: it makes OF. */
static void redo_shift(struct x64_emit *e, u8 s)
{
    static const u8 op[] = {X64_SHL, X64_SHR, X64_SAR};
    const struct recipe *r = &e->fl.how_to;
    enum x64_shift how = (enum x64_shift)op[r->kind - RECIPE_SHL];

    x64_mov_rm(e->c, W32, s, CPU_AT(jit.shifted));
    if (r->imm > 1)
        x64_shift_ri(e->c, how, r->w, s, (u8)(r->imm - 1));
    x64_shift_ri(e->c, how, r->w, s, 1);
    e->fl.host = IRF_ALL & ~IRF_A;
    e->fl.af_zero = true;
}

/* Increment or decrement @s to what is there now. */
static void redo_step(struct x64_emit *e, u8 s)
{
    const struct recipe *r = &e->fl.how_to;
    bool up = r->kind == RECIPE_INC;

    x64_lea(e->c, W32, s, x64_at(x64_guest[r->a], up ? -1 : 1));
    if (r->b == RECIPE_IMM) /* CF */
        x64_bt_mi(e->c, X64_BT, W16, CPU_AT(jit.carry), 0);
    else
        x64_alu_ri(e->c, X64_CMP, r->w, x64_guest[r->b], r->imm);
    up ? x64_inc_r(e->c, r->w, s) : x64_dec_r(e->c, r->w, s);
    e->fl.host = IRF_ALL;
}

/* Compute EFLAGS from the recipe. */
static void redo(struct x64_emit *e)
{
    const struct recipe *r = &e->fl.how_to;
    struct codebuf *c = e->c;
    enum width w = r->w;
    bool imm = r->b == RECIPE_IMM;
    u8 s = x64_scratch(e);

    if (s == X64_NOREG)
        x64_decline(e), s = R10;
    if (r->kind >= RECIPE_SHL) {
        redo_shift(e, s);
        return;
    }
    if (r->kind == RECIPE_INC || r->kind == RECIPE_DEC) {
        redo_step(e, s);
        return;
    }
    u8 a = x64_guest[r->a], b = imm ? 0 : x64_guest[r->b];
    switch (r->kind) {
    case RECIPE_CMP:
        imm ? x64_alu_ri(c, X64_CMP, w, a, r->imm) : x64_alu_rr(c, X64_CMP, w, a, b);
        break;
    case RECIPE_TEST:
        imm ? x64_test_ri(c, w, a, r->imm) : x64_test_rr(c, w, a, b);
        break;
    case RECIPE_LOGIC:
        x64_test_rr(c, w, a, a);
        break;
    case RECIPE_NEG:
        x64_mov_rr(c, W32, s, a);
        x64_unary_r(c, X64_NEG, w, s);
        x64_unary_r(c, X64_NEG, w, s);
        break;
    default: {
        bool add = r->kind == RECIPE_ADD;
        enum x64_alu back = add ? X64_SUB : X64_ADD, op = add ? X64_ADD : X64_CMP;
        x64_mov_rr(c, W32, s, a);
        imm ? x64_alu_ri(c, back, w, s, r->imm) : x64_alu_rr(c, back, w, s, b);
        imm ? x64_alu_ri(c, op, w, s, r->imm) : x64_alu_rr(c, op, w, s, b);
        break;
    }
    }
    e->fl.host = IRF_ALL;
}

void x64_flags_store(struct x64_emit *e, u8 mask)
{
    u8 missing = mask & (u8)~e->fl.stored;

    if (!missing)
        return;
    u8 have = in_host(e);
    if ((missing & ~have) && e->fl.recipe)
        redo(e);
    else if ((missing & ~have) && !e->fl.af_zero)
        return; /* flags that nobody set here and nobody will see */
    u8 all = in_host(e);
    store_host(e);
    e->fl.stored |= all;
    e->fl.af_zero = false;
}

/* Bring the stored flags back into EFLAGS. */
static void restore(struct x64_emit *e)
{
    struct codebuf *c = e->c;
    u8 s = x64_scratch(e);

    if (s != X64_NOREG)
        x64_mov_rr(c, W64, s, RAX);
    else
        x64_push_r(c, RAX);
    x64_mov_rm(c, W16, RAX, CPU_AT(jit.flags));
    x64_alu_ri(c, X64_ADD, W8, RAX, 127); /* OF = AL was 1 */
    x64_sahf(c);
    if (s != X64_NOREG)
        x64_mov_rr(c, W64, RAX, s);
    else
        x64_pop_r(c, RAX);
    e->fl.host = e->fl.stored;
}

/* --- around operations --- */

void x64_flags_before(struct x64_emit *e, const struct ir_insn *in)
{
    u8 keep = e->need[e->i] & (u8)~in->def;

    if (keep & ~e->fl.host)
        x64_flags_store(e, keep);
}

void x64_flags_after(struct x64_emit *e, const struct ir_insn *in, unsigned index, u8 host,
                     const struct recipe *how_to)
{
    if (!in->def) { /* used for its result only */
        x64_flags_lost(e);
        return;
    }
    e->fl.host = (u8)((e->fl.host & ~in->def) | (host & in->def));
    if (in->def == IRF_ALL)
        e->fl.host = host;
    e->fl.stored &= (u8)~in->def;
    e->fl.step = false;
    e->fl.carry &= !(in->def & IRF_C);
    e->fl.recipe = how_to != NULL;
    if (how_to)
        e->fl.how_to = *how_to;
    e->fl.af_zero = (in->def & IRF_A) && !(host & IRF_A);
    if (must_store(e, index))
        x64_flags_store(e, e->need[index]);
}

/* EFLAGS are about to be used for something else: keep what the current operation does not set. */
static void keep_host(struct x64_emit *e)
{
    u8 keep = e->need[e->i] & (u8)~e->ir->insn[e->i].def & e->fl.host;

    if (keep & ~e->fl.stored)
        x64_flags_store(e, keep);
}

void x64_flags_carry(struct x64_emit *e)
{
    if (e->fl.host & IRF_C)
        return;
    keep_host(e);
    if (!(e->fl.stored & IRF_C) && e->fl.recipe) {
        redo(e);
        return;
    }
    if (e->fl.carry && !(e->fl.stored & IRF_C))
        x64_bt_mi(e->c, X64_BT, W16, CPU_AT(jit.carry), 0);
    else
        x64_bt_mi(e->c, X64_BT, W16, CPU_AT(jit.flags), 8);
    e->fl.host = IRF_C;
}

enum x64_cc x64_flags_cond(struct x64_emit *e, unsigned cc)
{
    u8 need = ir_cond_flags(cc);

    if (!(need & ~e->fl.host))
        return (enum x64_cc)cc;
    keep_host(e);
    if (!(need & ~e->fl.stored)) {
        if (need == (IRF_S | IRF_O) || need == (IRF_S | IRF_Z | IRF_O)) {
            restore(e);
            return (enum x64_cc)cc;
        }
        u16 bits = stored_bits(need);
        if (need == IRF_O)
            x64_test_mi(e->c, W8, CPU_AT(jit.flags), STORED_O);
        else
            x64_test_mi(e->c, W8, stored_ah(), (i8)(bits >> 8));
        x64_flags_lost(e);
        return cc & 1 ? X64_E : X64_NE;
    }
    if (e->fl.recipe) {
        redo(e);
    } else {
        x64_flags_store(e, need); /* part of them is in EFLAGS */
        restore(e);
    }
    return (enum x64_cc)cc;
}

u16 x64_flags_lazy(struct x64_emit *e, u8 spoils)
{
    const struct recipe *r = &e->fl.how_to;
    bool step = e->fl.step && e->fl.host == IRF_ALL;

    if (e->fl.stored == IRF_ALL || !(e->fl.recipe || step) || !lazy_fit(r) ||
        (lazy_needs(r) & spoils))
        return 0;
    return lazy_mark(e->u->lazy, r);
}

void x64_flags_leave_carry(struct x64_emit *e)
{
    if (e->fl.step)
        x64_setcc_m(e->c, X64_B, CPU_AT(jit.carry));
}

void x64_flags_leave(struct x64_emit *e, u16 lazy)
{
    x64_flags_leave_carry(e);
    x64_mov_mi(e->c, W16, CPU_AT(jit.flags), (i16)lazy);
}

struct recipe x64_flags_recipe(const struct x64_emit *e)
{
    if (e->fl.stored != IRF_ALL && e->fl.recipe)
        return e->fl.how_to;
    return (struct recipe){.kind = RECIPE_STORED};
}
