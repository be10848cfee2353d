/* SPDX-License-Identifier: MIT */
/* The exponential and logarithmic instructions: F2XM1, FYL2X, FYL2XP1. */
#include "cpu/f80_math.h"
#include "cpu/f80_tables.h"
#include "cpu/f80_wide.h"

#define SIG_TOP ((u128)1 << 127)

/* 2^f - 1 as f * factor; @fraction is |f| in 2^-128. */
static u128 exp2_factor(u128 fraction, bool negative)
{
    return wide_series(f80_exp2_coef, 13, fraction, negative);
}

/* 2^a - 1 for 1/64 <= |a| < 1. */
static struct fp_num exp2m1(const struct fp_num *a)
{
    u128 fixed = wide_fixed(a, 128), value, f, power;
    u64 k;
    bool less = a->sign;

    k = (u64)(fixed >> 123);
    f = fixed & (((u128)1 << 123) - 1);
    if (f >> 122) { /* nearest 32nd */
        k++;
        f = ((u128)1 << 123) - f;
        less = !less;
    }
    /* In 2^-126: 2^(+-k/32), then the factor 2^f */
    power = a->sign ? f80_exp2_value[32 - k] >> 1 : f80_exp2_value[k];
    value = wide_mul(wide_mul(exp2_factor(f, less), f) << 1, power);
    value = less ? power - value : power + value;
    return a->sign ? wide_number(((u128)1 << 126) - value, 126, true)
                   : wide_number(value - ((u128)1 << 126), 126, false);
}

struct f80 f80_exp2m1(struct fp_env *e, struct f80 a)
{
    struct fp_num n = fp_unpack_f80(a), r;

    if (fp_special1(e, &n, &r))
        return fp_pack_f80(e, &r, 64);
    if (n.cls == FP_ZERO || (n.cls == FP_INF && !n.sign))
        return fp_pack_f80(e, &n, 64);
    if (n.cls == FP_INF) {
        r = (struct fp_num){.cls = FP_FINITE, .sign = true, .sig = SIG_TOP};
        return fp_pack_f80(e, &r, 64);
    }
    fp_denormal(e, n.denormal);
    if (n.exp >= 0) { /* 1, -1; beyond them the result is undefined: the operand */
        e->flags |= FP_PE;
        r = n;
        if (n.exp == 0 && n.sig == SIG_TOP && n.sign)
            r.exp = -1;
        return fp_pack_f80(e, &r, 64);
    }
    if (n.exp < -6)
        r = wide_scale(&n, exp2_factor(wide_fixed(&n, 128), n.sign));
    else
        r = exp2m1(&n);
    return wide_pack(e, &r);
}

/* log2((1 + u) / (1 - u)) / 2 as u * factor; @fraction is |u| in 2^-128. */
static u128 log2_factor(u128 fraction)
{
    return wide_series(f80_log2_coef, 9, wide_mul(fraction, fraction), false);
}

/* log2 of @m * 2^@exp, where @m in 2^-127 is in [1, 2). */
static struct fp_num log2_wide(u128 m, i32 exp)
{
    u64 k = (u64)((m - SIG_TOP) >> 120);
    u128 c, num, den, u, sum;
    i128 total;
    bool below;

    k = (k + 1) >> 1;               /* m is nearest to 1 + k/64 */
    c = SIG_TOP + ((u128)k << 121); /* 0 if it is 2 */
    below = k == 64 || m < c;
    num = below ? c - m : m - c;                         /* of 2^-127 */
    den = (m >> 1) + (c >> 1) + (k == 64 ? SIG_TOP : 0); /* of 2^-126 */
    if (k == 64)
        exp++;
    struct fp_num n = wide_number(num, 127, below), d = wide_number(den, 126, false), r;
    r = wide_quotient(&n, &d);
    if (n.cls == FP_ZERO)
        r = n;
    u = wide_fixed(&r, 128);
    if ((k == 0 || k == 64) && exp == 0) {
        if (r.cls == FP_ZERO)
            return r;
        r = wide_scale(&r, log2_factor(u));
        r.exp++;
        return r;
    }
    sum = wide_mul(log2_factor(u), u) << 1; /* in 2^-127 */
    total = (i128)((k == 64 ? 0 : f80_log2_value[k]) >> 15);
    total += below ? -(i128)(sum >> 15) : (i128)(sum >> 15);
    total += (i128)exp * ((i128)1 << 112);
    return total < 0 ? wide_number((u128)-total, 112, true) : wide_number((u128)total, 112, false);
}

/* y * log, where the sign of the logarithm and the classes decide. */
static struct f80 times_log(struct fp_env *e, const struct fp_num *y, const struct fp_num *log,
                            bool exact)
{
    struct fp_num r = {.sign = y->sign ^ log->sign};

    if ((y->cls == FP_INF && log->cls == FP_ZERO) || (y->cls == FP_ZERO && log->cls == FP_INF)) {
        fp_invalid(e, &r);
        return fp_pack_f80(e, &r, 64);
    }
    if (y->cls == FP_INF || log->cls == FP_INF) {
        r.cls = FP_INF;
        return fp_pack_f80(e, &r, 64);
    }
    if (y->cls == FP_ZERO || log->cls == FP_ZERO)
        return fp_pack_f80(e, &r, 64);
    r = wide_number(wide_mul(y->sig, log->sig), 126, r.sign);
    r.exp += y->exp + log->exp;
    e->flags |= FP_PE; /* the units report it for powers of two as well */
    if (r.exp + fp_f80.bias < 1)
        e->flags |= FP_UE;
    return exact ? fp_pack_f80(e, &r, 64) : wide_pack(e, &r);
}

struct f80 f80_ylog2(struct fp_env *e, struct f80 y, struct f80 x)
{
    struct fp_num ny = fp_unpack_f80(y), nx = fp_unpack_f80(x), r;
    bool exact = false;

    if (fp_special2(e, &ny, &nx, &r))
        return fp_pack_f80(e, &r, 64);
    if (nx.sign && nx.cls != FP_ZERO) {
        fp_invalid(e, &r);
        return fp_pack_f80(e, &r, 64);
    }
    if (nx.cls == FP_ZERO) {
        if (ny.cls == FP_FINITE)
            e->flags |= FP_ZE;
        r = (struct fp_num){.cls = FP_INF, .sign = true};
    } else if (nx.cls == FP_INF) {
        r = nx;
    } else {
        r = log2_wide(nx.sig, nx.exp);
        exact = nx.sig == SIG_TOP;
    }
    if (!(e->flags & FP_ZE))
        fp_denormal(e, ny.denormal || nx.denormal);
    return times_log(e, &ny, &r, exact);
}

/* log2(1 + x), x finite and above -1. */
static struct fp_num log2p1(const struct fp_num *x)
{
    struct fp_num two, u, r;
    u128 fixed;

    if (x->exp < -7) { /* u = x / (2 + x) */
        fixed = wide_fixed(x, 126);
        fixed = x->sign ? SIG_TOP - fixed : SIG_TOP + fixed;
        two = wide_number(fixed, 126, false);
        u = wide_quotient(x, &two);
        r = wide_scale(&u, log2_factor(wide_fixed(&u, 128)));
        r.exp++;
        return r;
    }
    if (x->exp >= 0) {
        fixed = x->exp > 120 ? x->sig : x->sig + (SIG_TOP >> x->exp);
        if (fixed < x->sig)
            return log2_wide(SIG_TOP | fixed >> 1, x->exp + 1);
        return log2_wide(fixed, x->exp);
    }
    fixed = wide_fixed(x, 127);
    fixed = x->sign ? SIG_TOP - fixed : SIG_TOP + fixed;
    r = wide_number(fixed, 127, false);
    return log2_wide(r.sig, r.exp);
}

struct f80 f80_ylog2p1(struct fp_env *e, struct f80 y, struct f80 x)
{
    struct fp_num ny = fp_unpack_f80(y), nx = fp_unpack_f80(x), r;

    if (fp_special2(e, &ny, &nx, &r))
        return fp_pack_f80(e, &r, 64);
    if (nx.sign && nx.cls == FP_INF) {
        fp_invalid(e, &r);
        return fp_pack_f80(e, &r, 64);
    }
    fp_denormal(e, ny.denormal || nx.denormal);
    if (ny.cls == FP_FINITE && nx.cls == FP_FINITE && nx.sign && nx.exp >= 0) {
        /* 1 + x is not positive, undefined: the operand */
        e->flags |= FP_PE;
        return fp_pack_f80(e, &nx, 64);
    }
    r = nx;
    if (ny.cls == FP_FINITE && nx.cls == FP_FINITE)
        r = log2p1(&nx);
    return times_log(e, &ny, &r, false);
}
