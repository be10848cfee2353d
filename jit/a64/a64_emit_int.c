/* SPDX-License-Identifier: MIT */
/*
 * Moves, arithmetic and logic. Arithmetic of 8 and 16 bits that sets flags is done at the upper end
 * of a register, where the host's flags are those of its width.
 */
#include <assert.h>

#include "base/bits.h"
#include "cpu/cpu.h"
#include "cpu/icache_soft.h"
#include "jit/a64/a64_emit.h"

/* --- moves --- */

void a64_emit_MOV(struct a64_emit *e, const struct ir_insn *in)
{
    if (in->b == IR_CONST) {
        u8 d = a64_dst(e, in->w, in->d, X0);
        a64_mov_ri64(e->c, d, (u64)in->imm & width_mask(in->w));
        a64_write(e, in->w, in->d, d, 0);
        return;
    }
    u8 b = a64_read(e, in->b, 0, X0);
    a64_dst(e, in->w, in->d, X1);
    a64_write(e, in->w, in->d, b, 0);
}

void a64_emit_ZEXT(struct a64_emit *e, const struct ir_insn *in)
{
    a64_make_there(e, in);
    u8 a = a64_read_zext(e, in->cc, in->a, 0, a64_dst(e, in->w, in->d, X0));
    a64_write(e, in->w, in->d, a, 0);
}

void a64_emit_SEXT(struct a64_emit *e, const struct ir_insn *in)
{
    a64_make_there(e, in);
    u8 a = a64_read_sext(e, in->cc, in->a, 0, a64_dst(e, in->w, in->d, X0));
    a64_write(e, in->w, in->d, a, 0);
}

/* @d = @a + @imm, flags as for a 32-bit addition if @flags; X17 may be lost. */
static void add_imm(struct codebuf *c, bool flags, u8 d, u8 a, u32 imm)
{
    if (a64_arith_fits(imm)) {
        a64_arith_ri(c, flags ? A64_ADDS : A64_ADD, W32, d, a, imm);
    } else if (a64_arith_fits((u32)-imm)) { /* the same carry: imm is not 0 */
        a64_arith_ri(c, flags ? A64_SUBS : A64_SUB, W32, d, a, (u32)-imm);
    } else {
        a64_mov_ri64(c, X17, imm);
        a64_arith_rr(c, flags ? A64_ADDS : A64_ADD, W32, d, a, X17);
    }
}

static void sub_imm(struct codebuf *c, bool flags, u8 d, u8 a, u32 imm)
{
    if (a64_arith_fits(imm)) {
        a64_arith_ri(c, flags ? A64_SUBS : A64_SUB, W32, d, a, imm);
    } else if (a64_arith_fits((u32)-imm)) {
        a64_arith_ri(c, flags ? A64_ADDS : A64_ADD, W32, d, a, (u32)-imm);
    } else {
        a64_mov_ri64(c, X17, imm);
        a64_arith_rr(c, flags ? A64_SUBS : A64_SUB, W32, d, a, X17);
    }
}

/* A + (B << X) + imm in @d; A and B may be absent. */
static void address(struct a64_emit *e, const struct ir_insn *in, u8 d)
{
    struct codebuf *c = e->c;
    u8 sum = in->a == IR_NONE ? XZR : a64_reg(e, in->a);

    if (in->b != IR_NONE && sum == XZR) {
        a64_shift_ri(c, A64_LSL, W32, d, a64_reg(e, in->b), in->cc);
        sum = d;
    } else if (in->b != IR_NONE) {
        a64_arith_rs(c, A64_ADD, W32, d, sum, a64_reg(e, in->b), A64_LSL, in->cc);
        sum = d;
    }
    if (in->imm)
        add_imm(c, false, d, sum, (u32)in->imm);
    else if (sum != d)
        a64_mov_rr(c, W32, d, sum);
}

void a64_emit_ADDR(struct a64_emit *e, const struct ir_insn *in)
{
    const struct ir_insn *n = a64_next(e, 1);
    ir_val to = in->d;

    /* LEA: straight into the register. */
    if (ir_is_temp(to) && n && n->op == IR_MOV && n->b == to && e->uses[to] == 1 &&
        ir_is_reg(n->d) && n->w == in->w) {
        to = n->d;
        e->i++;
    }
    u8 d = a64_dst(e, in->w, to, X0);
    address(e, in, d);
    if (in->w == W16 && ir_is_temp(to))
        a64_uxt(e->c, W16, d, d);
    a64_write(e, in->w, to, d, 0);
}

void a64_emit_STEP(struct a64_emit *e, const struct ir_insn *in)
{
    u8 d = a64_dst(e, W32, in->d, X0);

    a64_ldr(e->c, W32, d, REG_CPU, CPU_OFF(jit.step));
    if (in->cc)
        a64_shift_ri(e->c, A64_LSL, W32, d, d, in->cc);
    a64_write(e, W32, in->d, d, 0);
}

void a64_emit_BSWAP(struct a64_emit *e, const struct ir_insn *in)
{
    u8 d = a64_dst(e, W32, in->d, X0);

    a64_rev(e->c, W32, d, a64_reg(e, in->a));
}

void a64_emit_DF(struct a64_emit *e, const struct ir_insn *in)
{
    struct codebuf *c = e->c;

    a64_ldr(c, W32, X16, REG_CPU, CPU_OFF(eflags));
    a64_logic_ri(c, in->imm ? A64_ORR : A64_BIC, W32, X16, X16, FL_D);
    a64_str(c, W32, X16, REG_CPU, CPU_OFF(eflags));
    a64_mov_ri64(c, X16, in->imm ? (u32)-1 : 1);
    a64_str(c, W32, X16, REG_CPU, CPU_OFF(jit.step));
}

/* Fields of the processor lie within the reach of a load. */
void a64_emit_GET(struct a64_emit *e, const struct ir_insn *in)
{
    u8 d = a64_dst(e, in->w, in->d, X0);

    a64_ldr(e->c, in->w, d, REG_CPU, (i32)ir_field_offset(in->cc));
    a64_write(e, in->w, in->d, d, 0);
}

void a64_emit_PUT(struct a64_emit *e, const struct ir_insn *in)
{
    a64_str(e->c, in->w, a64_read(e, in->b, in->imm, X16), REG_CPU, (i32)ir_field_offset(in->cc));
}

/* D = what is there in the guest's code, or, if nobody checks that, what the decoder has put at
 * @decoded, which lives as long as the code. */
static void load_field(struct a64_emit *e, const struct ir_insn *in, struct insn_field f,
                       const void *decoded)
{
    u8 d = a64_dst(e, in->w, in->d, X0);
    const u8 *at = e->u->check.at;
    enum width w = f.bytes == 1 ? W8 : f.bytes == 2 ? W16 : W32;

    if (at && f.bytes) {
        at += e->ir->at[in->g + 1] - e->ir->at[0] - f.back;
        a64_mov_ri64(e->c, d, (u64)(uintptr_t)at);
        a64_mem_ri(e->c, f.sign && w < W32 ? A64_LDRS_W : A64_LDR, w, d, d, 0);
    } else {
        a64_mov_ri64(e->c, d, (u64)(uintptr_t)decoded);
        a64_ldr(e->c, W32, d, d, 0);
    }
    a64_write(e, in->w, in->d, d, 0);
}

void a64_emit_IMM(struct a64_emit *e, const struct ir_insn *in)
{
    const struct insn *guest = &e->ir->guest[in->g];

    load_field(e, in, insn_immediate(guest), &guest->imm);
}

void a64_emit_DISP(struct a64_emit *e, const struct ir_insn *in)
{
    const struct insn *guest = &e->ir->guest[in->g];

    load_field(e, in, insn_displacement(guest), &guest->disp);
}

void a64_emit_GUARD(struct a64_emit *e, const struct ir_insn *in)
{
    a64_bail_from(e, a64_cbnz(e->c, W32, a64_read_zext(e, in->w, in->a, 0, X16), NULL));
}

static void from_clock(struct a64_emit *e, enum width w, u8 d, size_t field)
{
    a64_ldr(e->c, w, d, X0, (i32)field);
}

/* What clock_now() does with the instructions retired: end - left, of which the budget has what
 * this block has not spent, the block what is to come of it, and cpu->jit.rest the rest. The sum
 * is made of halves, as NZCV stay. */
void a64_emit_TSC(struct a64_emit *e, const struct ir_insn *in)
{
    struct codebuf *c = e->c;
    u8 low = a64_guest(REG_AX), high = a64_guest(REG_DX);

    a64_ldr(c, W32, X16, REG_CPU, CPU_OFF(cr4));
    a64_bail_from(e, a64_tbnz(c, X16, 2, NULL));
    a64_ldr(c, W64, X0, REG_CPU, CPU_OFF(clock));
    from_clock(e, W64, X1, offsetof(struct clock, end));
    a64_ldr(c, W64, X2, REG_CPU, CPU_OFF(jit.rest));
    a64_arith_rr(c, A64_SUB, W64, X1, X1, REG_BUDGET);
    a64_arith_rr(c, A64_SUB, W64, X1, X1, X2);
    from_clock(e, W64, X2, offsetof(struct clock, base_count));
    a64_arith_ri(c, A64_SUB, W64, X1, X1, e->ir->guests - in->g);
    a64_arith_rr(c, A64_SUB, W64, X1, X1, X2);
    from_clock(e, W64, X2, offsetof(struct clock, ratio));
    a64_mul(c, W64, X16, X1, X2);
    a64_umulh(c, X17, X1, X2);
    from_clock(e, W32, X2, offsetof(struct clock, base_frac));
    a64_mov_rr(c, W32, X1, X16);
    a64_arith_rr(c, A64_ADD, W64, X1, X1, X2);
    a64_shift_ri(c, A64_LSR, W64, X16, X16, 32);
    a64_arith_rs(c, A64_ADD, W64, X16, X16, X1, A64_LSR, 32);
    a64_arith_rs(c, A64_ADD, W64, X16, X16, X17, A64_LSL, 32);
    from_clock(e, W64, X1, offsetof(struct clock, base_ns));
    a64_ldr(c, W64, X2, REG_CPU, CPU_OFF(tsc_offset));
    a64_arith_rr(c, A64_ADD, W64, X16, X16, X1);
    a64_arith_rr(c, A64_ADD, W64, X16, X16, X2);
    a64_mov_rr(c, W32, low, X16);
    a64_shift_ri(c, A64_LSR, W64, high, X16, 32);
}
static_assert(CPU_TSC_HZ == CLOCK_NS_PER_SEC, "a tick is a nanosecond");
static_assert(CR4_TSD == BIT(2), "the bit above");

/* --- conditions --- */

void a64_emit_SETCC(struct a64_emit *e, const struct ir_insn *in)
{
    struct a64_cond k = a64_flags_cond(e, in->cc);
    u8 d = a64_dst(e, in->w, in->d, X0);

    if (!k.in_reg)
        a64_cset(e->c, W32, d, k.cc);
    else if (k.value)
        a64_mov_rr(e->c, W32, d, k.reg);
    else
        a64_logic_ri(e->c, A64_EOR, W32, d, k.reg, 1);
    a64_write(e, in->w, in->d, d, 0);
}

/* Where the condition is in a register: B ^ ((A ^ B) & mask), NZCV stay. */
void a64_emit_CMOV(struct a64_emit *e, const struct ir_insn *in)
{
    struct codebuf *c = e->c;
    struct a64_cond k = a64_flags_cond(e, in->cc);
    u8 a = a64_read(e, in->a, 0, X0), b = a64_read(e, in->b, 0, X1);

    if (!k.in_reg) {
        u8 d = a64_dst(e, in->w, in->d, X2);
        a64_csel(c, W32, d, b, a, k.cc);
        a64_write(e, in->w, in->d, d, 0);
        return;
    }
    u8 keep = k.value ? a : b, other = k.value ? b : a;
    a64_neg_rr(c, W32, X16, k.reg);
    a64_logic_rr(c, A64_EOR, W32, X17, keep, other);
    a64_logic_rr(c, A64_AND, W32, X17, X17, X16);
    u8 d = a64_dst(e, in->w, in->d, X2);
    a64_logic_rr(c, A64_EOR, W32, d, keep, X17);
    a64_write(e, in->w, in->d, d, 0);
}

/* --- recipes --- */

/* What tells PF and AF of @in later; NULL: nothing does. */
static const struct recipe *recipe_of(const struct ir_insn *in, struct recipe *r)
{
    static const u8 kind_of[IR__COUNT] = {
        [IR_ADD] = RECIPE_ADD,   [IR_SUB] = RECIPE_SUB,  [IR_CMP] = RECIPE_CMP,
        [IR_INC] = RECIPE_ADD,   [IR_DEC] = RECIPE_SUB,  [IR_NEG] = RECIPE_NEG,
        [IR_AND] = RECIPE_LOGIC, [IR_OR] = RECIPE_LOGIC, [IR_XOR] = RECIPE_LOGIC,
        [IR_TEST] = RECIPE_TEST,
    };
    u8 kind = kind_of[in->op];
    bool one = kind == RECIPE_LOGIC || kind == RECIPE_NEG,
         step = in->op == IR_INC || in->op == IR_DEC;
    ir_val a = kind == RECIPE_CMP || kind == RECIPE_TEST ? in->a : in->d;
    bool imm = one || step || in->b == IR_CONST;

    if (!kind || !ir_is_reg(a) || !(imm || ir_is_reg(in->b)))
        return NULL;
    if ((kind == RECIPE_ADD || kind == RECIPE_SUB) && (in->a != in->d || in->b == in->d))
        return NULL;
    *r = (struct recipe){kind, in->w, (u8)(a - IR_REG), imm ? RECIPE_IMM : (u8)(in->b - IR_REG),
                         step ? 1 : (i32)in->imm};
    return r;
}

/* --- addition and subtraction --- */

static bool is_sub(enum ir_op op)
{
    return op == IR_SUB || op == IR_SBB || op == IR_CMP || op == IR_DEC || op == IR_NEG;
}

/* @d = A op B in 32 bits. B is XZR for the constant @imm. */
static void arith_wide(struct a64_emit *e, bool sub, bool flags, u8 d, u8 a, u8 b, u32 imm)
{
    if (b != XZR)
        a64_arith_rr(e->c,
                     sub     ? flags ? A64_SUBS : A64_SUB
                     : flags ? A64_ADDS
                             : A64_ADD,
                     W32, d, a, b);
    else if (sub)
        sub_imm(e->c, flags, d, a, imm);
    else
        add_imm(e->c, flags, d, a, imm);
}

/* W16 = A op B at the upper end, with flags. */
static void arith_narrow(struct a64_emit *e, bool sub, enum width w, u8 a, u8 b, u32 imm)
{
    u8 s = a64_above(w);

    a64_shift_ri(e->c, A64_LSL, W32, X16, a, s);
    if (b != XZR)
        a64_arith_rs(e->c, sub ? A64_SUBS : A64_ADDS, W32, X16, X16, b, A64_LSL, s);
    else
        arith_wide(e, sub, true, X16, X16, XZR, imm << s);
}

/* CF is that of the operation which has just said where PF and AF are. */
static void own_carry(struct a64_emit *e, enum carry_place place)
{
    e->fl.carry = (u8)place;
    e->fl.own = true;
}

/* Must CF, which W6 and W7 tell, be kept while an increment or decrement replaces them? */
static bool keeps_carry(const struct a64_emit *e, enum pa_plan plan)
{
    return plan == PA_NOW && e->fl.carry == CARRY_PAIR && (e->need[e->i] & IRF_C);
}

/* ADD, SUB, CMP, INC, DEC. @imm counts if @b is XZR. */
static void arith(struct a64_emit *e, const struct ir_insn *in, u8 a, u8 b, u32 imm)
{
    bool sub = is_sub(in->op), compares = in->op == IR_CMP;
    struct recipe r;
    const struct recipe *how_to = recipe_of(in, &r);
    enum pa_plan plan = a64_pa_plan(e, in, how_to);

    if (!a64_wanted(in)) {
        if (compares)
            return;
        u8 d = a64_dst(e, in->w, in->d, X16);
        arith_wide(e, sub, false, d, a, b, imm);
        a64_write(e, in->w, in->d, d, 0);
        return;
    }
    if (in->op == IR_CMP || in->op == IR_SUB || in->op == IR_ADD || !keeps_carry(e, plan))
        a64_pa_operand(e, plan, !sub, in->w, a);
    else
        a64_flags_carry_over(e, !sub, in->w, a);
    u8 lsb = a64_above(in->w), d;
    if (in->w == W32) {
        d = !compares ? a64_dst(e, W32, in->d, X16) : plan == PA_NOW ? REG_PF : XZR;
        arith_wide(e, sub, true, d, a, b, imm);
    } else {
        d = X16;
        arith_narrow(e, sub, in->w, a, b, imm);
    }
    if (!compares) {
        if (in->w != W32)
            a64_dst(e, in->w, in->d, X16);
        a64_write(e, in->w, in->d, d, lsb);
    }
    a64_pa_result(e, plan, how_to, !sub, d, lsb);
}

static void arith_two(struct a64_emit *e, const struct ir_insn *in)
{
    u8 a = a64_read(e, in->a, 0, X0);
    u8 b = in->b == IR_CONST ? XZR : a64_read(e, in->b, 0, X1);

    arith(e, in, a, b, (u32)((u64)in->imm & width_mask(in->w)));
    if (a64_wanted(in))
        own_carry(e, is_sub(in->op) ? CARRY_NOT : CARRY_HOST);
}

void a64_emit_ADD(struct a64_emit *e, const struct ir_insn *in)
{
    arith_two(e, in);
}

void a64_emit_SUB(struct a64_emit *e, const struct ir_insn *in)
{
    arith_two(e, in);
}

void a64_emit_CMP(struct a64_emit *e, const struct ir_insn *in)
{
    arith_two(e, in);
}

static enum pa_plan step_plan(const struct a64_emit *e, const struct ir_insn *in)
{
    struct recipe r;

    return a64_pa_plan(e, in, recipe_of(in, &r));
}

/* CF stays: the host's C does not. */
static void step(struct a64_emit *e, const struct ir_insn *in)
{
    bool pair = e->fl.carry == CARRY_PAIR, over = pair && step_plan(e, in) == PA_NOW;

    if (a64_wanted(in) && (e->need[e->i] & IRF_C) && !pair)
        a64_flags_carry(e);
    arith(e, in, a64_read(e, in->a, 0, X0), XZR, 1);
    if (over && a64_wanted(in)) {
        e->fl.own = true;
        e->fl.upper = true;
    }
}

void a64_emit_INC(struct a64_emit *e, const struct ir_insn *in)
{
    step(e, in);
}

void a64_emit_DEC(struct a64_emit *e, const struct ir_insn *in)
{
    step(e, in);
}

void a64_emit_NEG(struct a64_emit *e, const struct ir_insn *in)
{
    u8 a = a64_read(e, in->a, 0, X0), lsb = a64_above(in->w);
    struct recipe r;
    const struct recipe *how_to = recipe_of(in, &r);
    enum pa_plan plan = a64_pa_plan(e, in, how_to);

    a64_pa_operand(e, plan, false, W32, XZR);
    u8 d = a64_dst(e, in->w, in->d, X16);
    if (!a64_wanted(in)) {
        a64_neg_rr(e->c, W32, d, a);
        a64_write(e, in->w, in->d, d, 0);
        return;
    }
    u8 r0 = in->w == W32 ? d : X16;
    a64_arith_rs(e->c, A64_SUBS, W32, r0, XZR, a, A64_LSL, lsb);
    a64_write(e, in->w, in->d, r0, lsb);
    a64_pa_result(e, plan, how_to, false, r0, lsb);
    own_carry(e, CARRY_NOT);
}

/* --- with carry --- */

/* X16 = A op B op CF at the upper end: below them are bits that pass the carry on and leave zeros,
 * so that Z is right, too. */
static void carry_narrow(struct a64_emit *e, bool sub, enum width w, u8 a, u8 b)
{
    struct codebuf *c = e->c;
    u8 s = a64_above(w), bits = (u8)(8u << w), with_ones = sub ? b : a, plain = sub ? a : b;

    a64_flags_carry(e);
    a64_neg_rr(c, W32, X16, REG_CF);
    a64_bfi(c, W32, X16, with_ones, s, bits);
    a64_shift_ri(c, A64_LSL, W32, X17, plain, s);
    a64_flags_carry_in(e, sub);
    if (sub)
        a64_carry_rr(c, A64_SBCS, W32, X16, X17, X16);
    else
        a64_carry_rr(c, A64_ADCS, W32, X16, X16, X17);
}

static void with_carry(struct a64_emit *e, const struct ir_insn *in, bool sub)
{
    struct codebuf *c = e->c;
    u8 a = a64_read(e, in->a, 0, X0);
    u8 b = a64_read(e, in->b, (i64)((u64)in->imm & width_mask(in->w)), X1);
    enum pa_plan plan = a64_pa_plan(e, in, NULL);
    u8 lsb = a64_above(in->w);

    if (!a64_wanted(in)) {
        a64_flags_carry(e);
        a64_arith_rr(c, sub ? A64_SUB : A64_ADD, W32, X16, a, b);
        a64_arith_rr(c, sub ? A64_SUB : A64_ADD, W32, X16, X16, REG_CF);
        a64_dst(e, in->w, in->d, X16);
        a64_write(e, in->w, in->d, X16, 0);
        return;
    }
    if (e->fl.carry == CARRY_PAIR)
        a64_flags_carry(e);
    a64_pa_operands(e, plan, a, b);
    u8 d = a64_dst(e, in->w, in->d, X16), r = in->w == W32 ? d : X16;
    if (in->w == W32) {
        a64_flags_carry_in(e, sub);
        a64_carry_rr(c, sub ? A64_SBCS : A64_ADCS, W32, r, a, b);
    } else {
        carry_narrow(e, sub, in->w, a, b);
    }
    a64_write(e, in->w, in->d, r, lsb);
    a64_pa_results(e, plan, r, lsb);
    e->fl.carry = sub ? CARRY_NOT : CARRY_HOST;
}

void a64_emit_ADC(struct a64_emit *e, const struct ir_insn *in)
{
    with_carry(e, in, false);
}

void a64_emit_SBB(struct a64_emit *e, const struct ir_insn *in)
{
    with_carry(e, in, true);
}

/* --- logic --- */

/* @d = A op B; X17 may be lost. */
static void logic_op(struct a64_emit *e, const struct ir_insn *in, enum a64_logic op, u8 d, u8 a)
{
    u32 imm = (u32)((u64)in->imm & width_mask(in->w));

    if (in->b != IR_CONST)
        a64_logic_rr(e->c, op, W32, d, a, a64_read(e, in->b, 0, X1));
    else if (a64_logic_fits(W32, imm))
        a64_logic_ri(e->c, op, W32, d, a, imm);
    else
        a64_logic_rr(e->c, op, W32, d, a, a64_read(e, IR_CONST, imm, X17));
}

/* A constant without the sign bit of 8 or 16 bits leaves the same N, Z, C, V in 32. */
static bool sets_flags_itself(const struct ir_insn *in)
{
    return (in->op == IR_AND || in->op == IR_TEST) &&
           (in->w == W32 ||
            (in->b == IR_CONST && ((u64)in->imm & width_mask(in->w)) <= width_mask(in->w) >> 1));
}

/* A register without itself: flags and all in one. */
static bool clears(const struct ir_insn *in)
{
    return in->op == IR_XOR && in->w == W32 && in->a == in->b;
}

static void logic(struct a64_emit *e, const struct ir_insn *in, enum a64_logic op)
{
    u8 a = clears(in) ? XZR : a64_read(e, in->a, 0, X0);
    bool tests = in->op == IR_TEST, itself = sets_flags_itself(in);
    struct recipe rec;
    const struct recipe *how_to = recipe_of(in, &rec);
    u8 wanted = a64_wanted(in);

    if (tests && !wanted)
        return;
    bool now = a64_pa_plan(e, in, how_to) == PA_NOW;
    u8 d = !tests ? a64_dst(e, in->w, in->d, X16) : now ? REG_PF : itself ? XZR : X16;
    if (a == XZR)
        a64_logic_rr(e->c, wanted ? A64_ANDS : A64_AND, W32, d, XZR, XZR);
    else
        logic_op(e, in, wanted && itself ? A64_ANDS : op, d, a);
    if (!tests)
        a64_write(e, in->w, in->d, d, 0);
    if (!wanted)
        return;
    if (!itself && a != XZR)
        a64_flags_nz(e, in->w, d);
    a64_pa_logic(e, in, how_to, d, 0);
    own_carry(e, CARRY_0);
}

#define LOGIC(name, op)                                                                            \
    void a64_emit_##name(struct a64_emit *e, const struct ir_insn *in)                             \
    {                                                                                              \
        logic(e, in, op);                                                                          \
    }
LOGIC(OR, A64_ORR)
LOGIC(AND, A64_AND)
LOGIC(XOR, A64_EOR)
LOGIC(TEST, A64_AND)

void a64_emit_NOT(struct a64_emit *e, const struct ir_insn *in)
{
    u8 a = a64_read(e, in->a, 0, X0), d = a64_dst(e, in->w, in->d, X16);

    a64_mvn_rr(e->c, W32, d, a);
    a64_write(e, in->w, in->d, d, 0);
}
