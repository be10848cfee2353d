/* SPDX-License-Identifier: MIT */
/*
 * Guest flags in host flags and the registers beside them. N, Z and V stay until an operation sets
 * flags again. CF is moved to its register before the host's C is lost. PF and AF are computed at
 * once only if something on the way through the block wants them.
 *
 * References: [ARM C1.2.4] condition codes; [ARM C5.2] NZCV.
 */
#include <assert.h>

#include "cpu/isa.h"
#include "jit/a64/a64_emit.h"

/* Bits of NZCV as a register. */
enum { NZCV_V = 28, NZCV_Z = 30, NZCV_N = 31 };

/* Bits of cpu->jit.flags: what LAHF puts into AH is the high byte, OF is bit 0. */
enum { STORED_O, STORED_C = 8, STORED_P = 10, STORED_A = 12, STORED_Z = 14 };

/* --- PF and AF --- */

static bool spoils(const struct recipe *r, ir_val d)
{
    int reg = ir_reg_of(d);

    return reg >= 0 && (r->a == reg || (r->b != RECIPE_IMM && r->b == reg));
}

static bool spoiled_by(const struct recipe *r, const struct ir_insn *in)
{
    return spoils(r, in->d) ||
           (ir_writes_pair(in) && (spoils(r, IR_REG + REG_AX) || spoils(r, IR_REG + REG_DX)));
}

enum pa_plan a64_pa_plan(const struct a64_emit *e, const struct ir_insn *in,
                         const struct recipe *how_to)
{
    u8 mask = a64_wanted(in) & (IRF_P | IRF_A);
    bool recipe = how_to != NULL;

    if (!mask)
        return PA_NONE;
    for (unsigned j = e->i + 1; j < e->ir->count; j++) {
        const struct ir_insn *next = &e->ir->insn[j];
        u8 kind = ir_op_info[next->op].kind;

        if ((next->use & mask) || kind == IR_CALL || kind == IR_EXIT)
            return PA_NOW;
        if ((kind == IR_MEM || kind == IR_BAIL || ir_is_fp(next->op)) && !recipe)
            return PA_NOW;
        recipe = recipe && !spoiled_by(how_to, next);
        mask &= (u8)~next->def;
        if (!mask)
            break;
    }
    return how_to ? PA_RECIPE : PA_NONE;
}

/* @d = the value of @w at bit @lsb of @r, inverted if @add. */
static void half(struct codebuf *c, bool add, enum width w, u8 d, u8 r, u8 lsb)
{
    if (lsb)
        a64_shift_ri(c, A64_LSR, W32, d, r, lsb);
    else if (w != W32)
        a64_uxt(c, w, d, r);
    else if (d != r && !add)
        a64_mov_rr(c, W32, d, r);
    else if (add) {
        a64_mvn_rr(c, W32, d, r);
        return;
    }
    if (add)
        a64_mvn_rr(c, W32, d, d);
}

void a64_pa_operand(struct a64_emit *e, enum pa_plan plan, bool add, enum width w, u8 a)
{
    if (plan == PA_NOW)
        half(e->c, add, a == XZR ? W32 : w, REG_AF, a, 0);
}

static void new_pair(struct flag_state *fl, enum pa_plan plan, const struct recipe *how_to)
{
    fl->recipe = plan == PA_RECIPE;
    fl->equal = fl->differ = false;
    fl->own = false;
    if (plan == PA_RECIPE)
        fl->how_to = *how_to;
    if (plan == PA_NOW)
        fl->upper = false;
}

void a64_pa_result(struct a64_emit *e, enum pa_plan plan, const struct recipe *how_to, bool add,
                   u8 r, u8 lsb)
{
    new_pair(&e->fl, plan, how_to);
    if (plan == PA_NOW)
        half(e->c, add, W32, REG_PF, r, lsb);
}

void a64_pa_operands(struct a64_emit *e, enum pa_plan plan, u8 a, u8 b)
{
    if (plan == PA_NOW)
        a64_logic_rr(e->c, A64_EOR, W32, REG_AF, a, b);
}

void a64_pa_results(struct a64_emit *e, enum pa_plan plan, u8 r, u8 lsb)
{
    new_pair(&e->fl, plan, NULL);
    e->fl.differ = plan == PA_NOW;
    if (plan == PA_NOW)
        half(e->c, false, W32, REG_PF, r, lsb);
}

void a64_pa_logic(struct a64_emit *e, const struct ir_insn *in, const struct recipe *how_to, u8 r,
                  u8 lsb)
{
    enum pa_plan plan = a64_pa_plan(e, in, how_to);

    a64_pa_result(e, plan, how_to, false, r, lsb);
    e->fl.equal = plan == PA_NOW;
}

/* W7 = @a + or - the recipe's other operand, inverted if it was an addition. */
static void other(struct codebuf *c, const struct recipe *r, bool plus, u8 d, u8 a)
{
    u32 imm = (u32)r->imm;

    if (r->b != RECIPE_IMM) {
        a64_arith_rr(c, plus ? A64_ADD : A64_SUB, W32, d, a, a64_guest(r->b));
        return;
    }
    if (!a64_arith_fits(imm)) {
        a64_mov_ri64(c, X1, imm);
        a64_arith_rr(c, plus ? A64_ADD : A64_SUB, W32, d, a, X1);
        return;
    }
    a64_arith_ri(c, plus ? A64_ADD : A64_SUB, W32, d, a, imm);
}

static void follow_test(struct codebuf *c, const struct recipe *r)
{
    u8 b = X1;

    if (r->b == RECIPE_IMM)
        a64_mov_ri64(c, X1, (u32)r->imm);
    else
        b = a64_guest(r->b);
    a64_logic_rr(c, A64_AND, W32, REG_PF, a64_guest(r->a), b);
}

/* W6 and W7 from the recipe. */
static void follow(struct codebuf *c, struct flag_state *fl)
{
    const struct recipe *r = &fl->how_to;
    enum width w = (enum width)r->w;
    u8 a = a64_guest(r->a);
    bool add = r->kind == RECIPE_ADD;

    fl->recipe = fl->differ = fl->upper = false;
    fl->equal = r->kind == RECIPE_TEST || r->kind == RECIPE_LOGIC;
    switch (r->kind) {
    case RECIPE_ADD:
    case RECIPE_SUB: /* before was a = result -+ b */
        half(c, add, w, REG_PF, a, 0);
        other(c, r, !add, REG_AF, a);
        half(c, add, w, REG_AF, REG_AF, 0);
        return;
    case RECIPE_CMP:
        other(c, r, false, REG_PF, a);
        half(c, false, w, REG_PF, REG_PF, 0);
        half(c, false, w, REG_AF, a, 0);
        return;
    case RECIPE_TEST:
        follow_test(c, r);
        return;
    case RECIPE_NEG:
        half(c, false, w, REG_PF, a, 0);
        a64_mov_rr(c, W32, REG_AF, XZR);
        return;
    default:
        a64_mov_rr(c, W32, REG_PF, a);
        return;
    }
}

void a64_flags_parity(struct codebuf *c, u8 r)
{
    a64_logic_rs(c, A64_EOR, W32, r, REG_PF, REG_PF, A64_LSR, 4);
    a64_logic_rs(c, A64_EOR, W32, r, r, r, A64_LSR, 2);
    a64_logic_rs(c, A64_EON, W32, r, r, r, A64_LSR, 1);
    a64_logic_ri(c, A64_AND, W32, r, r, 1);
}

/* --- N, Z and V --- */

void a64_flags_nz(struct a64_emit *e, enum width w, u8 r)
{
    if (w == W32)
        a64_tst_rr(e->c, W32, r, r);
    else
        a64_arith_rs(e->c, A64_ADDS, W32, XZR, XZR, r, A64_LSL, a64_above(w));
}

void a64_flags_v(struct a64_emit *e, u8 r)
{
    if (e->u->flagm) {
        a64_rmif(e->c, r, 0, A64_V);
        return;
    }
    a64_mrs(e->c, X17, A64_NZCV);
    a64_bfi(e->c, W32, X17, r, NZCV_V, 1);
    a64_msr(e->c, A64_NZCV, X17);
}

/* --- CF --- */

struct flag_state a64_flags_initial(void)
{
    return (struct flag_state){.carry = CARRY_PAIR, .own = true, .upper = true};
}

void a64_flags_carry_is(struct a64_emit *e, enum carry_place place)
{
    e->fl.carry = (u8)place;
    e->fl.own = false;
}

static void carry_to_reg(struct codebuf *c, struct flag_state *fl)
{
    switch (fl->carry) {
    case CARRY_PAIR:
        a64_arith_rr(c, A64_SUB, W64, REG_CF, REG_AF, REG_PF);
        a64_shift_ri(c, A64_LSR, W64, REG_CF, REG_CF, 63);
        break;
    case CARRY_HOST:
        a64_cset(c, W32, REG_CF, A64_HS);
        break;
    case CARRY_NOT:
        a64_cset(c, W32, REG_CF, A64_LO);
        break;
    case CARRY_0:
    case CARRY_1:
        a64_movz(c, W32, REG_CF, fl->carry == CARRY_1, 0);
        break;
    default:
        break;
    }
    fl->carry = CARRY_REG;
}

void a64_flags_carry(struct a64_emit *e)
{
    carry_to_reg(e->c, &e->fl);
}

void a64_flags_carry_in(struct a64_emit *e, bool sub)
{
    if (e->fl.carry == (sub ? CARRY_NOT : CARRY_HOST))
        return;
    if (e->u->flagm && e->fl.carry == (sub ? CARRY_HOST : CARRY_NOT)) {
        a64_cfinv(e->c);
        e->fl.carry = sub ? CARRY_NOT : CARRY_HOST;
        return;
    }
    a64_flags_carry(e);
    if (sub)
        a64_cmp_rr(e->c, W32, XZR, REG_CF);
    else
        a64_cmp_ri(e->c, W32, REG_CF, 1);
}

/* The difference has CF for its sign; its upper half is 0, if not made 1, or negative. */
void a64_flags_carry_over(struct a64_emit *e, bool add, enum width w, u8 a)
{
    struct codebuf *c = e->c;

    a64_arith_rr(c, A64_SUB, W64, REG_AF, REG_AF, REG_PF);
    a64_logic_ri(c, A64_ORR, W64, REG_AF, REG_AF, BIT64(32));
    if (add || w != W32) {
        half(c, add, w, X17, a, 0);
        a = X17;
    }
    a64_bfxil(c, W64, REG_AF, a, 0, 32);
}

/* W6 and W7 from a sum or difference with carry: what has the same PF, and AF in another way. */
static void undiffer(struct codebuf *c, struct flag_state *fl)
{
    a64_logic_rr(c, A64_EOR, W32, X1, REG_PF, REG_AF);
    a64_ubfx(c, W32, X1, X1, 4, 1);
    a64_flags_parity(c, X2);
    a64_movz(c, W32, REG_PF, 1, 0);
    a64_bfi(c, W32, REG_PF, X2, 1, 1);
    a64_movz(c, W32, REG_AF, 3, 0);
    a64_arith_rr(c, A64_SUB, W32, REG_AF, REG_AF, X1);
    a64_arith_rs(c, A64_SUB, W32, REG_AF, REG_AF, X1, A64_LSL, 1);
    fl->differ = false;
}

/* X7's upper half from W5. */
static void carry_to_pair(struct codebuf *c)
{
    a64_logic_ri(c, A64_ORR, W64, REG_AF, REG_AF, BIT64(32));
    a64_arith_rs(c, A64_SUB, W64, REG_AF, REG_AF, REG_CF, A64_LSL, 33);
}

void a64_flags_settle(struct codebuf *c, struct flag_state *fl)
{
    if (!fl->own)
        carry_to_reg(c, fl);
    if (fl->recipe)
        follow(c, fl);
    if (fl->differ)
        undiffer(c, fl);
    if (fl->equal && fl->own) {
        a64_mov_rr(c, W32, REG_AF, REG_PF);
    } else if (fl->equal) {
        a64_arith_rs(c, A64_SUB, W64, REG_AF, REG_PF, REG_CF, A64_LSL, 33);
    } else if (!fl->own) {
        if (fl->upper)
            a64_mov_rr(c, W32, REG_AF, REG_AF);
        carry_to_pair(c);
    }
    *fl = a64_flags_initial();
}

/* --- conditions --- */

static struct a64_cond in_register(u8 reg, unsigned cc)
{
    return (struct a64_cond){.in_reg = true, .reg = reg, .value = !(cc & 1)};
}

static struct a64_cond in_host(enum a64_cc if_even, unsigned cc)
{
    return (struct a64_cond){.cc = cc & 1 ? a64_inverse(if_even) : if_even};
}

/* CF or ZF. */
static struct a64_cond below_or_equal(struct a64_emit *e, unsigned cc)
{
    if (e->fl.carry == CARRY_NOT)
        return in_host(A64_LS, cc);
    if (e->fl.carry == CARRY_0)
        return in_host(A64_EQ, cc);
    a64_flags_carry(e);
    a64_cset(e->c, W32, X16, A64_EQ);
    a64_logic_rr(e->c, A64_ORR, W32, X16, X16, REG_CF);
    return in_register(X16, cc);
}

/* In the middle of a block CF may still be what W6 and W7 say. */
static void follow_here(struct a64_emit *e)
{
    if (e->fl.carry == CARRY_PAIR)
        a64_flags_carry(e);
    follow(e->c, &e->fl);
}

struct a64_cond a64_flags_cond(struct a64_emit *e, unsigned cc)
{
    switch (cc >> 1) {
    case 0:
        return in_host(A64_VS, cc);
    case 1:
        if (e->fl.carry == CARRY_NOT)
            return in_host(A64_LO, cc);
        if (e->fl.carry == CARRY_HOST)
            return in_host(A64_HS, cc);
        a64_flags_carry(e);
        return in_register(REG_CF, cc);
    case 2:
        return in_host(A64_EQ, cc);
    case 3:
        return below_or_equal(e, cc);
    case 4:
        return in_host(A64_MI, cc);
    case 5:
        if (e->fl.recipe)
            follow_here(e);
        a64_flags_parity(e->c, X16);
        return in_register(X16, cc);
    case 6:
        return in_host(A64_LT, cc);
    default:
        return in_host(A64_LE, cc);
    }
}

/* --- flags in memory --- */

void a64_flags_to_memory(struct codebuf *c)
{
    a64_mrs(c, X16, A64_NZCV);
    a64_ubfx(c, W32, X17, X16, NZCV_V, 1); /* OF is bit 0 */
    a64_shift_ri(c, A64_LSR, W32, X16, X16, NZCV_Z);
    a64_bfi(c, W32, X17, X16, STORED_Z, 2); /* and SF above it */
    a64_arith_rr(c, A64_SUB, W64, X16, REG_AF, REG_PF);
    a64_shift_ri(c, A64_LSR, W64, REG_CF, X16, 63);
    a64_bfi(c, W32, X17, REG_CF, STORED_C, 1);
    a64_logic_rr(c, A64_EOR, W32, X16, X16, REG_PF); /* a borrow into bit 4 */
    a64_logic_rr(c, A64_EOR, W32, X16, X16, REG_AF);
    a64_shift_ri(c, A64_LSR, W32, X16, X16, 4);
    a64_bfi(c, W32, X17, X16, STORED_A, 1);
    a64_flags_parity(c, X16);
    a64_bfi(c, W32, X17, X16, STORED_P, 1);
    a64_str(c, W16, X17, REG_CPU, CPU_OFF(jit.flags));
}

/* W6 and W7 from PF in bit @p and AF in bit @a of @r, W16 is lost. */
static void make_pair(struct codebuf *c, u8 r, u8 p, u8 a)
{
    a64_ubfx(c, W32, X16, r, p, 1);
    a64_movz(c, W32, REG_PF, 1, 0);
    a64_bfi(c, W32, REG_PF, X16, 1, 1); /* 3 has even parity, 1 has not; AF: more than 0 or 3 */
    a64_ubfx(c, W32, X16, r, a, 1);
    a64_movz(c, W32, REG_AF, 3, 0);
    a64_arith_rr(c, A64_SUB, W32, REG_AF, REG_AF, X16);
    a64_arith_rs(c, A64_SUB, W32, REG_AF, REG_AF, X16, A64_LSL, 1);
}

void a64_flags_from_memory(struct codebuf *c)
{
    a64_ldr(c, W16, X17, REG_CPU, CPU_OFF(jit.flags));
    make_pair(c, X17, STORED_P, STORED_A);
    a64_ubfx(c, W32, REG_CF, X17, STORED_C, 1);
    carry_to_pair(c);
    a64_ubfx(c, W32, X16, X17, STORED_Z, 2);
    a64_shift_ri(c, A64_LSL, W32, X16, X16, NZCV_Z);
    a64_bfi(c, W32, X16, X17, NZCV_V, 1);
    a64_msr(c, A64_NZCV, X16);
}

/* --- flags as values --- */

void a64_emit_SETC(struct a64_emit *e, const struct ir_insn *in)
{
    a64_flags_carry_is(e, in->imm ? CARRY_1 : CARRY_0);
}

void a64_emit_CMC(struct a64_emit *e, const struct ir_insn *in)
{
    (void)in;
    if (e->fl.carry == CARRY_HOST || e->fl.carry == CARRY_NOT) {
        a64_flags_carry_is(e, e->fl.carry == CARRY_HOST ? CARRY_NOT : CARRY_HOST);
        return;
    }
    a64_flags_carry(e);
    a64_flags_carry_is(e, CARRY_REG);
    a64_logic_ri(e->c, A64_EOR, W32, REG_CF, REG_CF, 1);
}

/* As LAHF and SETO give them, through memory; then OF goes to its place in EFLAGS. */
void a64_emit_GETF(struct a64_emit *e, const struct ir_insn *in)
{
    u8 d = a64_dst(e, in->w, in->d, X0);

    a64_flags_settle(e->c, &e->fl);
    a64_flags_to_memory(e->c);
    a64_shift_ri(e->c, A64_LSR, W32, d, X17, STORED_C);
    a64_bfi(e->c, W32, d, X17, 11, 1);
    a64_write(e, in->w, in->d, d, 0);
}
static_assert(FL_O == BIT(11), "OF's place");

void a64_flags_put(struct a64_emit *e, u8 a, bool of)
{
    struct codebuf *c = e->c;

    if (e->u->flagm) { /* ZF and SF are bits 6 and 7, OF is bit 11 */
        a64_rmif(c, a, 4, A64_N | A64_Z);
        if (of)
            a64_rmif(c, a, 11, A64_V);
    } else {
        a64_mrs(c, X17, A64_NZCV);
        a64_shift_ri(c, A64_LSR, W32, X16, a, 6);
        a64_bfi(c, W32, X17, X16, NZCV_Z, 2);
        if (of) {
            a64_shift_ri(c, A64_LSR, W32, X16, a, 11);
            a64_bfi(c, W32, X17, X16, NZCV_V, 1);
        }
        a64_msr(c, A64_NZCV, X17);
    }
    a64_ubfx(c, W32, REG_CF, a, 0, 1);
    make_pair(c, a, 2, 4);
    e->fl = (struct flag_state){.carry = CARRY_REG};
}

void a64_emit_PUTE(struct a64_emit *e, const struct ir_insn *in)
{
    a64_flags_put(e, a64_read(e, in->a, 0, X0), true);
}

void a64_emit_PUTF(struct a64_emit *e, const struct ir_insn *in)
{
    a64_flags_put(e, a64_read(e, in->a, 0, X0), false);
}
