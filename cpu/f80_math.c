/* SPDX-License-Identifier: MIT */
/* The trigonometric instructions: FSIN, FCOS, FSINCOS, FPTAN, FPATAN. */
#include "cpu/f80_math.h"
#include "cpu/f80_tables.h"
#include "cpu/f80_wide.h"

#define WIDE(high, low) ((u128)(high) << 64 | (low))

/* pi to 66 bits, as the real unit reduces its arguments  [SDM 1 §8.3.8]; pi / 2 in 2^-65. */
#define HALF_PI_66 WIDE(0x3, 0x243F6A8885A308D3)

/* pi / 4 and pi in units of 2^-125, for results. */
#define QUARTER_PI WIDE(0x1921fb54442d1846, 0x9898cc51701b839a)
#define PI         WIDE(0x6487ed5110b4611a, 0x62633145c06e0e69)

/* 2^192 / HALF_PI_66: a multiplication takes a quarter of a division's time. */
#define HALF_PI_66_INVERSE WIDE(0x517cc1b727220a95, 0x000315e206d13b5f)

/* @units / HALF_PI_66. */
static u128 half_pis(u128 units)
{
    u128 q = wide_mul(units, HALF_PI_66_INVERSE) >> 64; /* or a little less */

    while (units - q * HALF_PI_66 >= HALF_PI_66)
        q++;
    return q;
}

/* An angle as quadrant and rest: a = quadrant * pi/2 + rest, |rest| <= pi/4. */
struct angle {
    struct fp_num rest;
    unsigned quadrant;
};

static struct angle reduce_angle(const struct fp_num *a)
{
    struct angle r = {.rest = *a};
    u128 units, rest, q;

    r.rest.sign = false;
    r.rest.denormal = false;
    if (a->exp < -1) /* below 1/2 */
        return r;
    units = (a->sig >> 64) << (a->exp + 2); /* of 2^-65; exp <= 62 */
    q = half_pis(units);
    rest = units - q * HALF_PI_66;
    bool over = rest > HALF_PI_66 - rest; /* as likely as not: no branch */
    rest = over ? HALF_PI_66 - rest : rest;
    q += over;
    r.rest = wide_number(rest, 65, over);
    r.quadrant = (unsigned)q & 3;
    return r;
}

/*
 * The terms of a series from FINE to @last, together below 2^-44 in units of 2^-127, of which bits
 * above 2^-107 are enough for a result of 64.
 */
enum { FINE = 8, FINE_SHIFT = 20 };

ALWAYS_INLINE u128 fine_terms(const u128 *c, unsigned last, u64 square)
{
    u64 sum = (u64)(c[last] >> FINE_SHIFT);

    while (last-- > FINE)
        sum = (u64)(c[last] >> FINE_SHIFT) - (u64)((u128)sum * square >> 64);
    return (u128)sum << FINE_SHIFT;
}

/* Sine and cosine of the rest, both in one loop so that the host overlaps them, or either. */
ALWAYS_INLINE void of_rest(const struct angle *g, u128 square, struct fp_num *sin,
                           struct fp_num *cos)
{
    u128 s = sin ? fine_terms(f80_sin_coef, 13, (u64)(square >> 64)) : 0;
    u128 c = cos ? fine_terms(f80_cos_coef, 14, (u64)(square >> 64)) : 0;

    for (unsigned n = FINE; n--;) {
        if (sin)
            s = f80_sin_coef[n] - wide_mul(s, square);
        if (cos)
            c = f80_cos_coef[n] - wide_mul(c, square);
    }
    if (sin)
        *sin = wide_scale(&g->rest, s - 1); /* below the true value: wide_series() */
    if (cos)
        *cos = wide_number(c - 1, 127, false);
}

/* Sine and cosine of the angle, those that are wanted. */
static void sine_and_cosine(const struct angle *g, u128 square, struct fp_num *sin,
                            struct fp_num *cos)
{
    bool swap = g->quadrant & 1;
    struct fp_num *sin_to = swap ? cos : sin, *cos_to = swap ? sin : cos;

    if (sin && cos)
        of_rest(g, square, sin_to, cos_to);
    else if (sin_to)
        of_rest(g, square, sin_to, NULL);
    else
        of_rest(g, square, NULL, cos_to);
    if (sin)
        sin->sign ^= g->quadrant >> 1 & 1;
    if (cos)
        cos->sign ^= (g->quadrant + 1) >> 1 & 1;
}

static u128 square_of_rest(const struct angle *g)
{
    u128 rest = wide_fixed(&g->rest, 128);

    return wide_mul(rest, rest);
}

static const struct f80 one = {1ull << 63, 0x3FFF};

/* NaN, infinity, zero. True: *@sin and *@cos are the results. */
static bool trig_special(struct fp_env *e, const struct fp_num *n, struct f80 *sin, struct f80 *cos)
{
    struct fp_num r;

    e->up = false;
    if (fp_special1(e, n, &r)) {
        *sin = *cos = fp_pack_f80(e, &r, 64);
        return true;
    }
    if (n->cls == FP_INF) {
        fp_invalid(e, &r);
        *sin = *cos = fp_pack_f80(e, &r, 64);
        return true;
    }
    if (n->cls == FP_ZERO) {
        *sin = fp_pack_f80(e, n, 64);
        *cos = one;
        return true;
    }
    return false;
}

bool f80_sincos(struct fp_env *e, struct f80 a, struct f80 *sin, struct f80 *cos)
{
    struct fp_num n = fp_unpack_f80(a), wide_sin, wide_cos;
    struct f80 s, c;
    struct angle g;

    if (trig_special(e, &n, &s, &c))
        goto done;
    if (n.exp >= 63)
        return false;
    fp_denormal(e, n.denormal);
    g = reduce_angle(&n);
    sine_and_cosine(&g, square_of_rest(&g), sin ? &wide_sin : NULL, cos ? &wide_cos : NULL);
    if (sin) {
        wide_sin.sign ^= n.sign;
        s = wide_pack(e, &wide_sin);
    }
    if (cos)
        c = wide_pack(e, &wide_cos);
done:
    if (sin)
        *sin = s;
    if (cos)
        *cos = c;
    return true;
}

bool f80_tan(struct fp_env *e, struct f80 a, struct f80 *r)
{
    struct fp_num n = fp_unpack_f80(a), s, c, t;
    struct f80 ignored;
    struct angle g;
    u128 square;

    if (trig_special(e, &n, r, &ignored))
        return true;
    if (n.exp >= 63)
        return false;
    fp_denormal(e, n.denormal);
    g = reduce_angle(&n);
    square = square_of_rest(&g);
    if (square == 0 && g.quadrant == 0) { /* a little more than the angle */
        t = g.rest;
    } else {
        sine_and_cosine(&g, square, &s, &c);
        t = wide_quotient(&s, &c);
    }
    t.sign ^= n.sign;
    *r = wide_pack(e, &t);
    return true;
}

/* atan(a / b) for 0 < a <= b. */
static struct fp_num arctangent(const struct fp_num *a, const struct fp_num *b)
{
    i32 shift = b->exp - a->exp;
    u128 y, x, num, den, u, sum;
    u64 k = 0;
    bool below;

    if (shift <= 6) {
        y = (a->sig >> 7) >> shift; /* in common units */
        x = b->sig >> 7;
        k = ((u64)(y >> 89) * 64 + (u64)(x >> 89)) / ((u64)(x >> 89) * 2); /* 32 y/x, rounded */
    }
    if (k == 0) {
        struct fp_num t = wide_quotient(a, b);

        u = wide_fixed(&t, 128);
        return wide_scale(&t, wide_series(f80_atan_coef, 11, wide_mul(u, u), true));
    }
    /* atan(y/x) = atan(k/32) + atan(u), u = (y - x k/32) / (x + y k/32) */
    below = 32 * y < k * x;
    num = below ? k * x - 32 * y : 32 * y - k * x;
    den = 32 * x + k * y;
    shift = (i32)fp_clz128(den);
    u = wide_div(num << shift, den << shift);
    sum = wide_mul(wide_series(f80_atan_coef, 11, wide_mul(u, u), true), u);
    return wide_number(below ? f80_atan_value[k] - sum : f80_atan_value[k] + sum, 127, false);
}

/* @quarters of pi. */
static struct fp_num quarters_of_pi(unsigned quarters)
{
    return wide_number(QUARTER_PI * quarters, 125, false);
}

/* Results for zeros and infinities  [SDM 2A FPATAN]. */
static struct fp_num atan2_special(const struct fp_num *y, const struct fp_num *x)
{
    if (y->cls == FP_INF && x->cls == FP_INF)
        return quarters_of_pi(x->sign ? 3 : 1);
    if (y->cls == FP_INF || (x->cls == FP_ZERO && y->cls != FP_ZERO))
        return quarters_of_pi(2);
    if (x->sign)
        return quarters_of_pi(4);
    return (struct fp_num){.cls = FP_ZERO};
}

struct f80 f80_atan2(struct fp_env *e, struct f80 y, struct f80 x)
{
    struct fp_num ny = fp_unpack_f80(y), nx = fp_unpack_f80(x), r;
    u128 fixed;
    bool swap;

    if (fp_special2(e, &ny, &nx, &r))
        return fp_pack_f80(e, &r, 64);
    fp_denormal(e, ny.denormal || nx.denormal);
    if (ny.cls != FP_FINITE || nx.cls != FP_FINITE) {
        r = atan2_special(&ny, &nx);
    } else {
        swap = ny.exp != nx.exp ? ny.exp > nx.exp : ny.sig > nx.sig;
        r = swap ? arctangent(&nx, &ny) : arctangent(&ny, &nx);
        if (swap || nx.sign) {
            fixed = wide_fixed(&r, 125);
            if (!swap)
                fixed = PI - fixed;
            else
                fixed = nx.sign ? PI / 2 + fixed : PI / 2 - fixed;
            r = wide_number(fixed, 125, false);
        }
    }
    r.sign = ny.sign;
    return r.cls == FP_ZERO ? fp_pack_f80(e, &r, 64) : wide_pack(e, &r);
}
