/* SPDX-License-Identifier: MIT */
/*
 * x87 without faults. Rounded to nearest, normal numbers are added and multiplied by
 * cpu/x87_normal.h; everything else goes to cpu/softfloat.h. cpu/x87_quick.c is asked first.
 *
 * References: [SDM 1 §8.3], [SDM 2A].
 */
#include "cpu/x87_plain.h"

#include "cpu/isa.h"
#include "cpu/x87_exec.h"
#include "cpu/x87_normal.h"

enum { BIAS = X87_BIAS, EXP_MAX = X87_EXP_MAX, SIGN = X87_SIGN };

/** The instruction, and what it raised. */
struct plain {
    struct cpu *cpu;
    struct x87_state *f;
    u32 what, eip;
    u8 *mem;
    u32 dp;
    struct fp_env e;
    bool nearest; /* RC is that of FNINIT */
};

/* --- numbers --- */

static struct f80 arith(struct plain *p, enum fp_op op, struct f80 a, struct f80 b)
{
    struct x87_rounded r;

    if (!p->nearest || !x87_arith_normal(op, a, b, 64u - p->e.precision, &r))
        return f80_arith(&p->e, op, a, b);
    p->e.up = r.up;
    p->e.flags |= r.inexact ? FP_PE : 0;
    return r.v;
}

static enum fp_order compare(struct plain *p, struct f80 a, struct f80 b, bool quiet)
{
    if (!x87_is_normal(a) || !x87_is_normal(b))
        return f80_compare(&p->e, a, b, quiet);
    return x87_compare_normal(a, b);
}

/* --- operands --- */

static bool empty(const struct plain *p, unsigned i)
{
    return x87_empty(p->f, i);
}

static struct f80 st(const struct plain *p, unsigned i)
{
    return *x87_st(p->f, i);
}

/* A float of @mant bits of significand; false unless it is normal or zero. */
static bool widen(u64 frac, u32 exp, u32 max, unsigned mant, bool sign, struct f80 *r)
{
    *r = (struct f80){0, sign ? SIGN : 0};
    if (exp == 0)
        return frac == 0;
    r->mant = BIT64(63) | frac << (63 - mant);
    r->sign_exp |= (u16)(exp - max / 2 + BIAS);
    return exp != max;
}

static bool load_single(const struct plain *p, struct f80 *r)
{
    u32 v = (u32)load_le(p->mem, 4);

    return widen(v & (BIT(23) - 1), v >> 23 & 0xFF, 0xFF, 23, v >> 31, r);
}

static bool load_double(const struct plain *p, struct f80 *r)
{
    u64 v = load_le(p->mem, 8);

    return widen(v & (BIT64(52) - 1), v >> 52 & 0x7FF, 0x7FF, 52, v >> 63, r);
}

static struct f80 load_int(const struct plain *p, enum width w)
{
    return f80_from_int((i64)sign_extend(load_le(p->mem, 1u << w), w));
}

/* The memory operand of D8, DA, DC, DE. */
static bool load_number(const struct plain *p, struct f80 *r)
{
    switch (p->what >> 9 & 3) {
    case 0:
        return load_single(p, r);
    case 1:
        *r = load_int(p, W32);
        return true;
    case 2:
        return load_double(p, r);
    default:
        *r = load_int(p, W16);
        return true;
    }
}

/* --- ends --- */

/* An exception that is not masked: the executor has to raise it. */
static bool raises(struct plain *p)
{
    return fp_settle(&p->e) != 0;
}

/* C1, flags, and where the instruction and its operand are. */
static u32 end(const struct plain *p)
{
    struct x87_state *f = p->f;

    f->status = (u16)((f->status & ~X87_SW_C1) | p->e.flags | (p->e.up ? X87_SW_C1 : 0));
    f->ip = p->eip;
    f->cs = p->cpu->seg[SEG_CS].selector;
    f->opcode = p->what & 0x7FF;
    if (p->mem) {
        f->dp = p->dp;
        f->ds = p->cpu->seg[p->what >> X87_WHAT_SEG & 7].selector;
    }
    return X87_DONE;
}

static u32 push(const struct plain *p, struct f80 v)
{
    if (!empty(p, 7))
        return 0;
    x87_push(p->f, v);
    return end(p);
}

static unsigned reg_field(const struct plain *p)
{
    return p->what >> 3 & 7;
}

/* --- instructions --- */

static enum fp_op op_of(const struct plain *p)
{
    static const u8 ops[8] = {FP_ADD, FP_MUL, 0, 0, FP_SUB, FP_SUB, FP_DIV, FP_DIV};

    return ops[reg_field(p)];
}

static bool is_reversed(const struct plain *p)
{
    return (p->what & 0x28) == 0x28;
}

static u32 compared(struct plain *p, struct f80 a, struct f80 b, bool quiet, unsigned pops)
{
    enum fp_order o = compare(p, a, b, quiet);

    if (raises(p))
        return 0;
    end(p);
    x87_set_order(p->f, o);
    while (pops--)
        x87_pop(p->f);
    return X87_DONE;
}

/* D8 to DE with memory, but for D9, DB, DD. */
static u32 arith_memory(struct plain *p)
{
    struct f80 a = st(p, 0), b;
    unsigned reg = reg_field(p);

    if (empty(p, 0) || !load_number(p, &b))
        return 0;
    if (reg == 2 || reg == 3)
        return compared(p, a, b, false, reg == 3);
    a = is_reversed(p) ? arith(p, op_of(p), b, a) : arith(p, op_of(p), a, b);
    if (raises(p))
        return 0;
    x87_put(p->f, 0, a);
    return end(p);
}

/* D8, DC, DE with registers. */
static u32 arith_registers(struct plain *p)
{
    unsigned i = p->what & 7, group = p->what >> 8 & 7, reg = reg_field(p);
    bool reversed = is_reversed(p);

    if (empty(p, 0) || empty(p, i))
        return 0;
    if (reg == 2 || reg == 3) /* FCOMPP is DE D9 */
        return compared(p, st(p, 0), st(p, i), false, group == 6 ? 2 : reg == 3);
    struct f80 r = arith(p, op_of(p), st(p, reversed ? i : 0), st(p, reversed ? 0 : i));
    if (raises(p))
        return 0;
    x87_put(p->f, group == 0 ? 0 : i, r);
    if (group == 6)
        x87_pop(p->f);
    return end(p);
}

/* To @bits of memory with 1 << @w bytes; popped unless reg is 2. */
static u32 stored(struct plain *p, enum width w, u64 v)
{
    if (raises(p))
        return 0;
    store_le(p->mem, v, 1u << w);
    end(p);
    if (reg_field(p) != 2)
        x87_pop(p->f);
    return X87_DONE;
}

/* Doubles and singles: most are normal and stay so. */
static u32 store_real(struct plain *p, enum width w)
{
    struct f80 a = st(p, 0);
    unsigned drop = w == W64 ? 11 : 40, mant = 63 - drop;
    i32 max = w == W64 ? 0x7FF : 0xFF, exp = (a.sign_exp & EXP_MAX) - BIAS + max / 2;
    u64 half = BIT64(drop - 1), rest = a.mant & (half * 2 - 1);

    if (empty(p, 0))
        return 0;
    if (!p->nearest || !x87_is_normal(a) || exp < 2 || exp > max - 2)
        return stored(p, w, w == W64 ? f80_to_f64(&p->e, a) : f80_to_f32(&p->e, a));
    p->e.up = rest > half || (rest == half && (a.mant >> drop & 1));
    p->e.flags |= rest ? FP_PE : 0;
    u64 v = ((u64)exp << mant) + (a.mant << 1 >> (drop + 1)) + p->e.up;
    return stored(p, w, v | (u64)(a.sign_exp >> 15) << ((8u << w) - 1));
}

static u32 store_int(struct plain *p, enum width w)
{
    if (empty(p, 0))
        return 0;
    return stored(p, w, (u64)f80_to_int(&p->e, st(p, 0), 8u << w, p->e.round));
}

static u32 move(struct plain *p)
{
    unsigned i = p->what & 7;
    struct f80 a = st(p, 0), b = st(p, i);

    switch (p->what & 0x7F8) {
    case 0x1C0: /* FLD ST(i) */
        return empty(p, i) ? 0 : push(p, b);
    case 0x1C8: /* FXCH */
        if (empty(p, 0) || empty(p, i))
            return 0;
        x87_put(p->f, 0, b);
        x87_put(p->f, i, a);
        return end(p);
    default: /* FST ST(i), FSTP ST(i) */
        if (empty(p, 0))
            return 0;
        x87_put(p->f, i, a);
        end(p);
        if (p->what & 8)
            x87_pop(p->f);
        return X87_DONE;
    }
}

/* D9 E0 and the like: of ST0 alone, and constants. */
static u32 unary(struct plain *p)
{
    struct f80 a = st(p, 0);

    switch (p->what & 0xFF) {
    case 0xE8:
        return push(p, (struct f80){BIT64(63), BIAS});
    case 0xEE:
        return push(p, (struct f80){0, 0});
    default:
        break;
    }
    if (empty(p, 0))
        return 0;
    switch (p->what & 0xFF) {
    case 0xE0:
        a.sign_exp ^= SIGN;
        break;
    case 0xE1:
        a.sign_exp &= EXP_MAX;
        break;
    case 0xE4:
        return compared(p, a, (struct f80){0, 0}, false, 0);
    case 0xFA:
        a = f80_arith(&p->e, FP_SQRT, a, a);
        break;
    default:
        a = f80_rint(&p->e, a);
        break;
    }
    if (raises(p))
        return 0;
    x87_put(p->f, 0, a);
    return end(p);
}

/* FCOMI FUCOMI; DF pops. */
static u32 compare_flags(struct plain *p)
{
    static const u32 codes[] = {
        [FP_LESS] = FL_C, [FP_EQUAL] = FL_Z, [FP_GREATER] = 0, [FP_UNORDERED] = FL_ZPC};
    unsigned i = p->what & 7;

    if (empty(p, 0) || empty(p, i))
        return 0;
    u32 flags = codes[compare(p, st(p, 0), st(p, i), reg_field(p) == 5)];
    if (raises(p))
        return 0;
    end(p);
    if (p->what & 0x400)
        x87_pop(p->f);
    return X87_DONE | flags;
}

/* --- all of them --- */

static u32 with_registers(struct plain *p)
{
    switch (p->what >> 8 & 7) {
    case 0: /* D8 DC DE */
    case 4:
    case 6:
        return arith_registers(p);
    case 1: /* D9 */
        return p->what & 0x20 ? unary(p) : move(p);
    case 2: /* DA: FUCOMPP */
        return empty(p, 0) || empty(p, 1) ? 0 : compared(p, st(p, 0), st(p, 1), true, 2);
    case 5: /* DD */
        if (!(p->what & 0x20))
            return move(p);
        if (empty(p, 0) || empty(p, p->what & 7))
            return 0;
        return compared(p, st(p, 0), st(p, p->what & 7), true, p->what >> 3 & 1);
    default: /* DB DF */
        return compare_flags(p);
    }
}

static u32 with_memory(struct plain *p)
{
    unsigned group = p->what >> 8 & 7, reg = reg_field(p);
    enum width w = group == 3 ? W32 : group == 5 ? W64 : reg >= 5 ? W64 : W16;
    struct f80 r;

    if (!(group & 1))
        return arith_memory(p);
    if (group == 1) { /* D9 */
        if (reg == 0)
            return load_single(p, &r) ? push(p, r) : 0;
        return store_real(p, W32);
    }
    if (group == 5) { /* DD */
        if (reg == 0)
            return load_double(p, &r) ? push(p, r) : 0;
        return store_real(p, W64);
    }
    if (reg == 0 || reg == 5) /* DB, DF */
        return push(p, load_int(p, w));
    return store_int(p, w);
}

u32 x87_plain_rest(struct cpu *cpu, u32 what, u32 eip, u8 *mem, u32 dp)
{
    struct x87_state *f = &cpu->x87;
    struct plain p = {.cpu = cpu, .f = f, .what = what, .eip = eip, .mem = mem, .dp = dp};

    if ((what & 0x7FF) == 0x7E0) /* FNSTSW AX */
        return X87_DONE | x87_status_word(f);
    p.e = fp_env_x87(f->control);
    p.nearest = !(f->control & X87_CW_RC);
    return mem ? with_memory(&p) : with_registers(&p);
}

bool x87_plain_knows(const struct insn *in)
{
    unsigned group = in->opcode & 7, reg = in->modrm >> 3 & 7;

    if (insn_def[in->id].map != MAP_1B || in->opcode < 0xD8 || in->opcode > 0xDF)
        return false;
    if (in->mem)
        return !(group & 1) || reg == 0 || reg == 2 || reg == 3 ||
               (group == 7 && (reg == 5 || reg == 7));
    switch (in->opcode) {
    case 0xD8:
        return true;
    case 0xDC:
        return reg < 2 || reg > 3;
    case 0xDE:
        return reg < 2 || reg > 3 || in->modrm == 0xD9;
    case 0xD9:
        return reg < 2 || in->modrm == 0xE0 || in->modrm == 0xE1 || in->modrm == 0xE4 ||
               in->modrm == 0xE8 || in->modrm == 0xEE || in->modrm == 0xFA || in->modrm == 0xFC;
    case 0xDA:
        return in->modrm == 0xE9;
    case 0xDD:
        return reg >= 2 && reg <= 5;
    case 0xDB:
        return reg == 5 || reg == 6;
    default: /* DF */
        return in->modrm == 0xE0 || reg == 5 || reg == 6;
    }
}
