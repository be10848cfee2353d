/* SPDX-License-Identifier: MIT */
/*
 * Software floating point: taking numbers apart, rounding, putting them together; NaN rules.
 * [SDM 1 §4.8 special values, §4.9 exceptions, §8.5 and §11.5 exception responses]
 */
#include "cpu/softfloat_core.h"

const struct fp_format fp_f32 = {24, 127, 255};
const struct fp_format fp_f64 = {53, 1023, 2047};
const struct fp_format fp_f80 = {64, 16383, 32767};

enum { X87_BIAS_ADJUST = 24576 };

#define SIG_TOP   ((u128)1 << 127)
#define SIG_QUIET ((u128)1 << 126)

struct fp_env fp_env_x87(u16 control)
{
    static const u8 precisions[4] = {24, 64, 53, 64};

    return (struct fp_env){
        .round = control >> 10 & 3,
        .precision = precisions[control >> 8 & 3],
        .masks = control & FP_ALL,
        .x87 = true,
    };
}

struct fp_env fp_env_sse(u32 mxcsr)
{
    u8 masks = mxcsr >> 7 & FP_ALL;

    return (struct fp_env){
        .round = mxcsr >> 13 & 3,
        .precision = 64,
        .masks = masks,
        .daz = mxcsr >> 6 & 1,
        .ftz = mxcsr >> 15 && (masks & FP_UE),
        .hosted = (mxcsr >> 13 & 3) == FP_NEAREST && masks == FP_ALL && (mxcsr & FP_PE),
    };
}

u8 fp_settle(struct fp_env *e)
{
    if (e->flags & ~e->masks & FP_BEFORE) {
        e->flags &= FP_BEFORE;
        e->up = false;
    }
    return e->flags & (u8)~e->masks;
}

/* The fields of an IEEE format with hidden integer bit; @frac is left aligned at bit 126. */
static struct fp_num unpack_ieee(const struct fp_env *e, const struct fp_format *f, bool sign,
                                 i32 exp, u128 frac)
{
    struct fp_num n = {.sign = sign};

    if (exp == f->max) {
        n.cls = !frac ? FP_INF : frac & SIG_QUIET ? FP_QNAN : FP_SNAN;
        n.sig = frac | SIG_TOP;
    } else if (exp) {
        n.cls = FP_FINITE;
        n.exp = exp - f->bias;
        n.sig = frac | SIG_TOP;
    } else if (frac && !e->daz) {
        unsigned shift = fp_clz128(frac);

        n.cls = FP_FINITE;
        n.denormal = true;
        n.exp = 1 - f->bias - (i32)shift;
        n.sig = frac << shift;
    }
    return n;
}

struct fp_num fp_unpack_f32(const struct fp_env *e, u32 a)
{
    return unpack_ieee(e, &fp_f32, a >> 31, a >> 23 & 0xFF, (u128)(a & 0x7FFFFF) << 104);
}

struct fp_num fp_unpack_f64(const struct fp_env *e, u64 a)
{
    return unpack_ieee(e, &fp_f64, a >> 63, a >> 52 & 0x7FF, (u128)(a << 12) << 63);
}

struct fp_num fp_unpack_f80(struct f80 a)
{
    struct fp_num n = {.sign = a.sign_exp >> 15};
    i32 exp = a.sign_exp & 0x7FFF;

    if (exp == 0 && a.mant == 0)
        return n;
    n.sig = (u128)a.mant << 64;
    if (exp == 0) { /* denormal, or pseudo-denormal with the integer bit set */
        unsigned shift = fp_clz64(a.mant);

        n.cls = FP_FINITE;
        n.denormal = true;
        n.exp = 1 - fp_f80.bias - (i32)shift;
        n.sig <<= shift;
    } else if (!(a.mant >> 63)) {
        n.cls = FP_UNSUPPORTED; /* unnormal, pseudo-infinity, pseudo-NaN [SDM 1 §8.2.2] */
    } else if (exp != fp_f80.max) {
        n.cls = FP_FINITE;
        n.exp = exp - fp_f80.bias;
    } else {
        n.cls = !(a.mant << 1) ? FP_INF : n.sig & SIG_QUIET ? FP_QNAN : FP_SNAN;
    }
    return n;
}

void fp_invalid(struct fp_env *e, struct fp_num *r)
{
    e->flags |= FP_IE;
    *r = (struct fp_num){.cls = FP_QNAN, .sign = true, .sig = SIG_TOP | SIG_QUIET};
}

static void quiet(struct fp_num *r, const struct fp_num *a)
{
    *r = *a;
    r->cls = FP_QNAN;
    r->sig |= SIG_QUIET;
}

bool fp_special1(struct fp_env *e, const struct fp_num *a, struct fp_num *r)
{
    if (!fp_is_nan(a))
        return false;
    if (a->cls == FP_UNSUPPORTED) {
        fp_invalid(e, r);
        return true;
    }
    if (a->cls == FP_SNAN)
        e->flags |= FP_IE;
    quiet(r, a);
    return true;
}

/* [SDM 1 §4.8.3.5] Which of two NaNs is the result. */
static const struct fp_num *choose_nan(const struct fp_env *e, const struct fp_num *a,
                                       const struct fp_num *b)
{
    if (!fp_is_nan(a))
        return b;
    if (!fp_is_nan(b) || !e->x87)
        return a;
    if (a->cls != b->cls)
        return a->cls == FP_QNAN ? a : b;
    if (a->sig != b->sig)
        return a->sig > b->sig ? a : b;
    return a->sign ? b : a; /* equal significands: the positive one */
}

bool fp_special2(struct fp_env *e, const struct fp_num *a, const struct fp_num *b, struct fp_num *r)
{
    if (LIKELY(!fp_is_nan(a) && !fp_is_nan(b)))
        return false;
    if (a->cls == FP_UNSUPPORTED || b->cls == FP_UNSUPPORTED) {
        fp_invalid(e, r);
        return true;
    }
    if (a->cls == FP_SNAN || b->cls == FP_SNAN)
        e->flags |= FP_IE;
    quiet(r, choose_nan(e, a, b));
    return true;
}

/* The masked response to overflow  [SDM 1 §4.9.1.4]. */
static struct fp_packed overflow(struct fp_env *e, const struct fp_format *f, unsigned precision,
                                 bool sign)
{
    e->flags |= FP_OE | FP_PE;
    e->up = e->round == FP_NEAREST || e->round == (sign ? FP_DOWN : FP_UP);
    if (e->up)
        return (struct fp_packed){BIT64(63), (u32)f->max};
    return (struct fp_packed){~(u64)0 << (64 - precision), (u32)f->max - 1};
}

/* Round the normalised @sig to @precision bits in the top; the carry moves into *@exp. */
static u64 round_sig(struct fp_env *e, unsigned precision, bool sign, u128 sig, i32 *exp,
                     bool *inexact)
{
    u64 kept = (u64)(sig >> 64) & ~(u64)0 << (64 - precision);
    u128 rest = sig << precision;
    u64 unit = BIT64(64 - precision);

    *inexact = rest != 0;
    e->up = fp_increment(e->round, sign, kept & unit, (u64)(rest >> 127), rest << 1 != 0);
    if (e->up) {
        kept += unit;
        if (kept == 0) {
            kept = BIT64(63);
            ++*exp;
        }
    }
    return kept;
}

/* Below the normal range, underflow masked: a denormal, or zero  [SDM 1 §4.9.1.5]. */
static struct fp_packed round_tiny(struct fp_env *e, unsigned precision, bool sign, u128 sig,
                                   i32 exp, bool tiny)
{
    bool inexact;
    i32 carry = 0;
    u64 kept;

    if (tiny && e->ftz) {
        e->flags |= FP_UE | FP_PE;
        e->up = false;
        return (struct fp_packed){0, 0};
    }
    kept = round_sig(e, precision, sign, fp_shift_sticky(sig, (u32)(1 - exp)), &carry, &inexact);
    if (inexact)
        e->flags |= tiny ? FP_UE | FP_PE : FP_PE;
    return (struct fp_packed){kept, kept >> 63};
}

/*
 * Unmasked overflow or underflow. SSE stores nothing, so the result does not matter. The x87 unit
 * moves the exponent into range, but a store to memory is not done, nor is it inexact; and FSCALE
 * can be out of any range. True: *@out is the result.
 */
static bool unmasked(struct fp_env *e, const struct fp_format *f, i32 *exp, struct fp_packed *out)
{
    bool over = *exp > 0;

    e->flags |= over ? FP_OE : FP_UE;
    if (!e->x87)
        return false;
    if (f != &fp_f80) {
        e->up = false;
        *out = (struct fp_packed){0, 0};
        return true;
    }
    *exp += over ? -X87_BIAS_ADJUST : X87_BIAS_ADJUST;
    if (*exp > 0 && *exp < f->max)
        return false;
    e->flags |= FP_PE;
    e->up = over;
    *out = over ? (struct fp_packed){BIT64(63), (u32)f->max} : (struct fp_packed){0, 0};
    return true;
}

/* Round a finite number into @f with @precision bits. */
static struct fp_packed round_finite(struct fp_env *e, const struct fp_format *f,
                                     unsigned precision, const struct fp_num *n)
{
    i32 exp = n->exp + f->bias;
    i32 rounded = exp;
    struct fp_packed out;
    bool inexact;
    u64 kept = round_sig(e, precision, n->sign, n->sig, &rounded, &inexact);

    if (UNLIKELY(exp < 1)) {
        bool tiny = rounded < 1; /* detected after rounding */

        if (!tiny || e->masks & FP_UE)
            return round_tiny(e, precision, n->sign, n->sig, exp, tiny);
        if (unmasked(e, f, &rounded, &out))
            return out;
    } else if (UNLIKELY(rounded >= f->max)) {
        if (e->masks & FP_OE)
            return overflow(e, f, precision, n->sign);
        if (unmasked(e, f, &rounded, &out))
            return out;
    }
    if (inexact)
        e->flags |= FP_PE;
    return (struct fp_packed){kept, (u32)rounded};
}

static struct fp_packed pack(struct fp_env *e, const struct fp_format *f, unsigned precision,
                             const struct fp_num *n)
{
    switch (n->cls) {
    case FP_FINITE:
        return round_finite(e, f, precision, n);
    case FP_ZERO:
        e->up = false;
        return (struct fp_packed){0, 0};
    case FP_INF:
        e->up = false;
        return (struct fp_packed){BIT64(63), (u32)f->max};
    default:
        e->up = false;
        return (struct fp_packed){(u64)(n->sig >> 64), (u32)f->max};
    }
}

u32 fp_pack_f32(struct fp_env *e, const struct fp_num *n)
{
    struct fp_packed p = pack(e, &fp_f32, 24, n);

    return (u32)n->sign << 31 | (p.exp & 0xFF) << 23 | ((u32)(p.sig >> 40) & 0x7FFFFF);
}

u64 fp_pack_f64(struct fp_env *e, const struct fp_num *n)
{
    struct fp_packed p = pack(e, &fp_f64, 53, n);

    return (u64)n->sign << 63 | (u64)(p.exp & 0x7FF) << 52 | (p.sig << 1 >> 12);
}

struct f80 fp_pack_f80(struct fp_env *e, const struct fp_num *n, unsigned precision)
{
    struct fp_packed p = pack(e, &fp_f80, precision, n);

    return (struct f80){p.sig, (u16)(n->sign << 15 | p.exp)};
}

struct f80 f80_indefinite(void)
{
    return (struct f80){0xC000000000000000, 0xFFFF};
}

void fp_round_integral(struct fp_env *e, struct fp_num *a, enum fp_round round)
{
    u128 unit, rest;
    bool half;

    e->up = false;
    if (a->cls != FP_FINITE || a->exp >= 127)
        return;
    if (a->exp < -1) { /* below a half */
        e->flags |= FP_PE;
        e->up = fp_increment((u8)round, a->sign, false, false, true);
        a->cls = e->up ? FP_FINITE : FP_ZERO;
        a->exp = 0;
        a->sig = SIG_TOP;
        return;
    }
    if (a->exp == -1) { /* [1/2, 1) */
        e->flags |= FP_PE;
        e->up = fp_increment((u8)round, a->sign, false, true, a->sig != SIG_TOP);
        a->cls = e->up ? FP_FINITE : FP_ZERO;
        a->exp = 0;
        a->sig = SIG_TOP;
        return;
    }
    unit = SIG_TOP >> a->exp;
    rest = a->sig & (unit - 1);
    if (!rest)
        return;
    half = (rest & unit >> 1) != 0;
    e->flags |= FP_PE;
    e->up =
        fp_increment((u8)round, a->sign, (a->sig & unit) != 0, half, (rest & ~(unit >> 1)) != 0);
    a->sig -= rest;
    if (e->up) {
        a->sig += unit;
        if (a->sig == 0) {
            a->sig = SIG_TOP;
            a->exp++;
        }
    }
}
