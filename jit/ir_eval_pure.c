/* SPDX-License-Identifier: MIT */
/*
 * The evaluator's arithmetic. Flags are those of the executors of the same names in cpu/, also the
 * undefined ones; an operation whose ir_insn.def is narrower keeps the others.
 */
#include "base/bits.h"
#include "cpu/flags.h"
#include "jit/ir_eval_private.h"
#include "jit/ir_private.h"

typedef void pure_fn(struct ir_eval *e, const struct ir_insn *in);

static u64 get_a(const struct ir_eval *e, const struct ir_insn *in)
{
    return ir_eval_get(e, in, in->a, ir_a_width(in));
}

static u64 get_b(const struct ir_eval *e, const struct ir_insn *in)
{
    return ir_eval_get(e, in, in->b, (enum width)in->w);
}

static bool bit(u64 v, unsigned n)
{
    return v >> n & 1;
}

/* --- moves and addresses --- */

static void pure_mov(struct ir_eval *e, const struct ir_insn *in)
{
    ir_eval_set(e, in, get_b(e, in));
}

static void pure_stw(struct ir_eval *e, const struct ir_insn *in)
{
    store_le(e->modified, get_b(e, in), width_bytes((enum width)in->w));
}

static void pure_extend(struct ir_eval *e, const struct ir_insn *in)
{
    u64 a = get_a(e, in);

    ir_eval_set(e, in, in->op == IR_SEXT ? sign_extend(a, (enum width)in->cc) : a);
}

static void pure_addr(struct ir_eval *e, const struct ir_insn *in)
{
    ir_eval_set(e, in, get_a(e, in) + (get_b(e, in) << in->cc) + (u64)in->imm);
}

static void pure_bswap(struct ir_eval *e, const struct ir_insn *in)
{
    ir_eval_set(e, in, __builtin_bswap32((u32)get_a(e, in)));
}

static void pure_step(struct ir_eval *e, const struct ir_insn *in)
{
    u64 step = BIT64(in->cc);

    ir_eval_set(e, in, e->cpu->eflags & FL_D ? 0 - step : step);
}

/* --- addition and logic --- */

static void pure_add(struct ir_eval *e, const struct ir_insn *in)
{
    u64 a = get_a(e, in), b = get_b(e, in);
    u64 r = a + b + (in->op == IR_ADC && flags_cf(e->cpu));

    flags_add(e->cpu, (enum width)in->w, a, b, r);
    ir_eval_set(e, in, r);
}

static void pure_sub(struct ir_eval *e, const struct ir_insn *in)
{
    u64 a = get_a(e, in), b = get_b(e, in);
    u64 r = a - b - (in->op == IR_SBB && flags_cf(e->cpu));

    flags_sub(e->cpu, (enum width)in->w, a, b, r);
    if (in->op != IR_CMP)
        ir_eval_set(e, in, r);
}

static void pure_logic(struct ir_eval *e, const struct ir_insn *in)
{
    u64 a = get_a(e, in), b = get_b(e, in);
    u64 r = in->op == IR_OR ? a | b : in->op == IR_XOR ? a ^ b : a & b;

    flags_logic(e->cpu, (enum width)in->w, r);
    if (in->op != IR_TEST)
        ir_eval_set(e, in, r);
}

static void pure_inc(struct ir_eval *e, const struct ir_insn *in)
{
    u64 a = get_a(e, in), r = in->op == IR_INC ? a + 1 : a - 1;
    bool cf = flags_cf(e->cpu);

    if (in->op == IR_INC)
        flags_add(e->cpu, (enum width)in->w, a, 1, r);
    else
        flags_sub(e->cpu, (enum width)in->w, a, 1, r);
    flags_set_cf(e->cpu, cf);
    ir_eval_set(e, in, r);
}

static void pure_neg(struct ir_eval *e, const struct ir_insn *in)
{
    u64 a = get_a(e, in);

    flags_sub(e->cpu, (enum width)in->w, 0, a, 0 - a);
    ir_eval_set(e, in, 0 - a);
}

static void pure_not(struct ir_eval *e, const struct ir_insn *in)
{
    ir_eval_set(e, in, ~get_a(e, in));
}

/* --- shifts and rotates --- */

/* SF, ZF and PF from @r; CF and OF as given; AF 0. */
static void shift_flags(struct cpu *cpu, enum width w, u64 r, bool cf, bool of)
{
    flags_set_szp(cpu, w, r);
    cpu->fl_carry = (u32)cf << 31 | (u32)(cf ^ of) << 30;
}

/* @a shifted by @n >= 1, and what the last of @n steps moved out and did to the sign. */
static u64 shift(enum ir_op op, enum width w, u64 a, unsigned n, bool *cf, bool *of)
{
    const unsigned top = width_bits(w) - 1;
    u64 before, r; /* before: one step less than r */

    if (op == IR_SHL) {
        before = a << (n - 1);
        r = before << 1;
        *cf = bit(before, top);
        *of = bit(before, top) ^ bit(r, top);
    } else if (op == IR_SHR) {
        before = a >> (n - 1);
        r = before >> 1;
        *cf = before & 1;
        *of = bit(before, top);
    } else {
        before = (u64)((i64)sign_extend(a, w) >> (n - 1));
        r = (u64)((i64)before >> 1);
        *cf = before & 1;
        *of = false;
    }
    return r;
}

static void pure_shift(struct ir_eval *e, const struct ir_insn *in)
{
    enum width w = (enum width)in->w;
    bool cf, of;
    u64 r = shift((enum ir_op)in->op, w, get_a(e, in), (unsigned)in->imm, &cf, &of);

    shift_flags(e->cpu, w, r, cf, of);
    ir_eval_set(e, in, r);
}

/* The low @bits of @v as a ring, rotated left by @n. */
static u128 ring_left(u128 v, unsigned bits, unsigned n)
{
    n %= bits;
    return n ? (v << n | v >> (bits - n)) & (((u128)1 << bits) - 1) : v;
}

static void pure_rotate(struct ir_eval *e, const struct ir_insn *in)
{
    const unsigned bits = width_bits((enum width)in->w), top = bits - 1;
    bool right = in->op == IR_ROR || in->op == IR_RCR, carry = in->op == IR_RCL || in->op == IR_RCR;
    unsigned ring = bits + carry, n = (unsigned)in->imm % ring;
    u128 v = get_a(e, in) | (u128)(carry && flags_cf(e->cpu)) << bits;
    u128 r = ring_left(v, ring, right ? ring - n : n);
    bool sign = bit((u64)r, top);
    bool cf = carry ? (bool)(r >> bits & 1) : right ? sign : (bool)(r & 1);

    flags_set_cf(e->cpu, cf);
    flags_set_of(e->cpu, right ? sign ^ bit((u64)r, top - 1) : sign ^ cf);
    ir_eval_set(e, in, (u64)r);
}

/* By CL & 31. Without use, nobody may rely on the flags that it leaves: all of them change. */
static void pure_shift_cl(struct ir_eval *e, const struct ir_insn *in)
{
    const enum width w = (enum width)in->w;
    const unsigned n = (unsigned)e->cpu->gpr[REG_CX] & (w == W64 ? 63 : 31), bits = width_bits(w);
    u64 a = get_a(e, in), r;
    bool cf, of;

    if (in->use && n) {
        static const u8 by_imm[] = {IR_SHL, IR_SHR, IR_SAR};
        r = shift((enum ir_op)by_imm[in->op - IR_SHLV], w, a, n, &cf, &of);
        shift_flags(e->cpu, w, r, cf, of);
        ir_eval_set(e, in, r);
        return;
    }
    switch (in->op) {
    case IR_SHLV:
        r = a << n;
        break;
    case IR_SHRV:
        r = a >> n;
        break;
    case IR_SARV:
        r = (u64)((i64)sign_extend(a, w) >> n);
        break;
    case IR_ROLV:
        r = (u64)ring_left(a, bits, n);
        break;
    default:
        r = (u64)ring_left(a, bits, bits - n % bits);
        break;
    }
    if (!in->use)
        flags_set(e->cpu, FL_OSZAPC, ~flags_arith(e->cpu));
    ir_eval_set(e, in, r);
}

static void pure_shift_double(struct ir_eval *e, const struct ir_insn *in)
{
    const unsigned bits = width_bits((enum width)in->w), top = bits - 1, n = (unsigned)in->imm;
    u64 a = get_a(e, in), b = get_b(e, in), r;
    bool cf, of;

    if (in->op == IR_SHLD) {
        r = a << n | b >> (bits - n);
        cf = bit(a, bits - n);
        of = cf ^ bit(r, top);
    } else {
        r = a >> n | b << (bits - n);
        cf = bit(a, n - 1);
        of = bit(r, top) ^ bit(r, top - 1);
    }
    shift_flags(e->cpu, (enum width)in->w, r, cf, of);
    ir_eval_set(e, in, r);
}

/* --- products and quotients --- */

/* A destination that ir_insn.d does not name: the accumulator and its extension. */
static void set_reg(struct ir_eval *e, const struct ir_insn *in, ir_val d, enum width w, u64 v)
{
    struct ir_insn to = *in;

    to.d = d;
    to.w = (u8)w;
    ir_eval_set(e, &to, v);
}

static u64 get_reg(const struct ir_eval *e, unsigned r, enum width w)
{
    return e->cpu->gpr[r] & width_mask(w);
}

static void set_pair(struct ir_eval *e, const struct ir_insn *in, u128 v)
{
    enum width w = (enum width)in->w;

    if (w == W8) {
        set_reg(e, in, IR_REG + REG_AX, W16, (u64)v);
    } else {
        set_reg(e, in, IR_REG + REG_AX, w, (u64)v);
        set_reg(e, in, IR_REG + REG_DX, w, (u64)(v >> width_bits(w)));
    }
}

static void mul_flags(struct cpu *cpu, enum width w, u64 low, bool overflow)
{
    flags_set_szp(cpu, w, low);
    cpu->fl_carry = overflow ? BIT(31) : 0; /* CF = OF = overflow, AF = 0 */
}

static u128 signed_product(struct ir_eval *e, enum width w, u64 a, u64 b)
{
    i128 p = (i128)(i64)sign_extend(a, w) * (i64)sign_extend(b, w);

    mul_flags(e->cpu, w, (u64)p, p != (i64)sign_extend((u64)p, w));
    return (u128)p;
}

static void pure_imul(struct ir_eval *e, const struct ir_insn *in)
{
    ir_eval_set(e, in, (u64)signed_product(e, (enum width)in->w, get_a(e, in), get_b(e, in)));
}

static void pure_mul_pair(struct ir_eval *e, const struct ir_insn *in)
{
    enum width w = (enum width)in->w;
    u64 a = get_a(e, in), acc = get_reg(e, REG_AX, w);
    u128 p = (u128)acc * a;

    if (in->op == IR_MULS)
        p = signed_product(e, w, acc, a);
    else
        mul_flags(e->cpu, w, (u64)p, p >> width_bits(w) != 0);
    set_pair(e, in, p);
}

static u128 dividend(const struct ir_eval *e, enum width w)
{
    if (w == W8)
        return (u16)e->cpu->gpr[REG_AX];
    return (u128)get_reg(e, REG_DX, w) << width_bits(w) | get_reg(e, REG_AX, w);
}

/* False: #DE. Division of magnitudes: the most negative dividend has no positive counterpart. */
static bool eval_divide(struct ir_eval *e, const struct ir_insn *in)
{
    const enum width w = (enum width)in->w;
    const unsigned bits = width_bits(w);
    u128 n = dividend(e, w);
    u64 d = get_a(e, in), limit = width_mask(w);
    bool n_neg = in->op == IR_DIVS && n >> (2 * bits - 1);
    bool d_neg = in->op == IR_DIVS && d >> (bits - 1), q_neg = n_neg != d_neg;

    if (n_neg)
        n = (0 - n) << (128 - 2 * bits) >> (128 - 2 * bits);
    if (d_neg)
        d = (0 - d) & width_mask(w);
    if (in->op == IR_DIVS)
        limit = (limit >> 1) + q_neg;
    if (d == 0 || n / d > limit)
        return false;
    u64 q = (u64)(n / d), r = (u64)(n % d);
    set_reg(e, in, IR_REG + REG_AX, w, q_neg ? 0 - q : q);
    set_reg(e, in, w == W8 ? IR_HIGH : IR_REG + REG_DX, w, n_neg ? 0 - r : r);
    return true;
}

/* --- bits --- */

static void pure_bit(struct ir_eval *e, const struct ir_insn *in)
{
    u64 a = get_a(e, in), mask = BIT64(get_b(e, in) & (width_bits((enum width)in->w) - 1));

    flags_set_cf(e->cpu, a & mask);
    switch (in->op) {
    case IR_BTS:
        ir_eval_set(e, in, a | mask);
        break;
    case IR_BTR:
        ir_eval_set(e, in, a & ~mask);
        break;
    case IR_BTC:
        ir_eval_set(e, in, a ^ mask);
        break;
    }
}

static void pure_scan(struct ir_eval *e, const struct ir_insn *in)
{
    u64 a = get_a(e, in), r = get_b(e, in);

    flags_logic(e->cpu, (enum width)in->w, a);
    if (a)
        r = (u64)(in->op == IR_BSR ? 63 - __builtin_clzll(a) : __builtin_ctzll(a));
    ir_eval_set(e, in, r);
}

/* --- conditions and flags --- */

static void pure_setcc(struct ir_eval *e, const struct ir_insn *in)
{
    ir_eval_set(e, in, flags_cond(e->cpu, in->cc));
}

static void pure_cmov(struct ir_eval *e, const struct ir_insn *in)
{
    ir_eval_set(e, in, flags_cond(e->cpu, in->cc) ? get_b(e, in) : get_a(e, in));
}

static void pure_setc(struct ir_eval *e, const struct ir_insn *in)
{
    flags_set_cf(e->cpu, in->imm);
}

static void pure_cmc(struct ir_eval *e, const struct ir_insn *in)
{
    (void)in;
    flags_set_cf(e->cpu, !flags_cf(e->cpu));
}

static void pure_getf(struct ir_eval *e, const struct ir_insn *in)
{
    ir_eval_set(e, in, flags_arith(e->cpu));
}

static void pure_putf(struct ir_eval *e, const struct ir_insn *in)
{
    flags_set(e->cpu, FL_C | FL_P | FL_A | FL_Z | FL_S, (u32)get_a(e, in));
}

static void pure_pute(struct ir_eval *e, const struct ir_insn *in)
{
    flags_set(e->cpu, FL_OSZAPC, (u32)get_a(e, in));
}

static u8 *field(struct ir_eval *e, const struct ir_insn *in)
{
    return (u8 *)e->cpu + ir_field_offset(in->cc);
}

static void pure_get(struct ir_eval *e, const struct ir_insn *in)
{
    u64 v = 0;

    memcpy(&v, field(e, in), width_bytes((enum width)in->w));
    ir_eval_set(e, in, v);
}

static void pure_put(struct ir_eval *e, const struct ir_insn *in)
{
    u64 v = get_b(e, in);

    memcpy(field(e, in), &v, width_bytes((enum width)in->w));
}

static void pure_imm(struct ir_eval *e, const struct ir_insn *in)
{
    ir_eval_set(e, in, e->block->guest[in->g].imm);
}

static void pure_disp(struct ir_eval *e, const struct ir_insn *in)
{
    ir_eval_set(e, in, (u32)e->block->guest[in->g].disp);
}

static void pure_df(struct ir_eval *e, const struct ir_insn *in)
{
    e->cpu->eflags = (e->cpu->eflags & ~(u32)FL_D) | (in->imm ? FL_D : 0u);
}

static pure_fn *const pure_of[IR__COUNT] = {
    [IR_MOV] = pure_mov,
    [IR_ZEXT] = pure_extend,
    [IR_SEXT] = pure_extend,
    [IR_ADDR] = pure_addr,
    [IR_STW] = pure_stw,
    [IR_ADD] = pure_add,
    [IR_OR] = pure_logic,
    [IR_ADC] = pure_add,
    [IR_SBB] = pure_sub,
    [IR_AND] = pure_logic,
    [IR_SUB] = pure_sub,
    [IR_XOR] = pure_logic,
    [IR_CMP] = pure_sub,
    [IR_TEST] = pure_logic,
    [IR_INC] = pure_inc,
    [IR_DEC] = pure_inc,
    [IR_NEG] = pure_neg,
    [IR_NOT] = pure_not,
    [IR_SHL] = pure_shift,
    [IR_SHR] = pure_shift,
    [IR_SAR] = pure_shift,
    [IR_ROL] = pure_rotate,
    [IR_ROR] = pure_rotate,
    [IR_RCL] = pure_rotate,
    [IR_RCR] = pure_rotate,
    [IR_SHLV] = pure_shift_cl,
    [IR_SHRV] = pure_shift_cl,
    [IR_SARV] = pure_shift_cl,
    [IR_ROLV] = pure_shift_cl,
    [IR_RORV] = pure_shift_cl,
    [IR_SHLD] = pure_shift_double,
    [IR_SHRD] = pure_shift_double,
    [IR_IMUL] = pure_imul,
    [IR_MULU] = pure_mul_pair,
    [IR_MULS] = pure_mul_pair,
    [IR_BT] = pure_bit,
    [IR_BTS] = pure_bit,
    [IR_BTR] = pure_bit,
    [IR_BTC] = pure_bit,
    [IR_BSF] = pure_scan,
    [IR_BSR] = pure_scan,
    [IR_BSWAP] = pure_bswap,
    [IR_SETCC] = pure_setcc,
    [IR_CMOV] = pure_cmov,
    [IR_SETC] = pure_setc,
    [IR_CMC] = pure_cmc,
    [IR_GETF] = pure_getf,
    [IR_PUTF] = pure_putf,
    [IR_PUTE] = pure_pute,
    [IR_GET] = pure_get,
    [IR_PUT] = pure_put,
    [IR_IMM] = pure_imm,
    [IR_DISP] = pure_disp,
    [IR_DF] = pure_df,
    [IR_STEP] = pure_step,
};

bool ir_eval_pure(struct ir_eval *e, const struct ir_insn *in)
{
    u8 keep = (u8)(ir_op_info[in->op].def & ~in->def);

    if (in->op == IR_DIVU || in->op == IR_DIVS)
        return eval_divide(e, in);
    if (in->op == IR_GUARD)
        return get_a(e, in) == 0;
    u32 old = flags_arith(e->cpu);
    pure_of[in->op](e, in);
    if (keep)
        flags_set(e->cpu, ir_unpack_flags(keep), old);
    return true;
}
