/* SPDX-License-Identifier: MIT */
/* Software floating point: between the formats, to and from integers and packed BCD. */
#include "cpu/softfloat_core.h"

#define SIG_TOP ((u128)1 << 127)

u64 f32_to_f64(struct fp_env *e, u32 a)
{
    struct fp_num n = fp_unpack_f32(e, a), r = n;

    fp_special1(e, &n, &r);
    fp_denormal(e, n.denormal);
    return fp_pack_f64(e, &r);
}

u32 f64_to_f32(struct fp_env *e, u64 a)
{
    struct fp_num n = fp_unpack_f64(e, a), r = n;

    fp_special1(e, &n, &r);
    fp_denormal(e, n.denormal);
    return fp_pack_f32(e, &r);
}

struct f80 f32_to_f80(struct fp_env *e, u32 a)
{
    struct fp_num n = fp_unpack_f32(e, a), r = n;

    fp_special1(e, &n, &r);
    fp_denormal(e, n.denormal);
    return fp_pack_f80(e, &r, 64);
}

struct f80 f64_to_f80(struct fp_env *e, u64 a)
{
    struct fp_num n = fp_unpack_f64(e, a), r = n;

    fp_special1(e, &n, &r);
    fp_denormal(e, n.denormal);
    return fp_pack_f80(e, &r, 64);
}

/* FST: a denormal operand is no exception here. */
u32 f80_to_f32(struct fp_env *e, struct f80 a)
{
    struct fp_num n = fp_unpack_f80(a), r = n;

    fp_special1(e, &n, &r);
    return fp_pack_f32(e, &r);
}

u64 f80_to_f64(struct fp_env *e, struct f80 a)
{
    struct fp_num n = fp_unpack_f80(a), r = n;

    fp_special1(e, &n, &r);
    return fp_pack_f64(e, &r);
}

struct fp_num fp_from_int(i64 v)
{
    struct fp_num n = {.sign = v < 0};
    u64 magnitude = v < 0 ? 0 - (u64)v : (u64)v;

    if (magnitude) {
        unsigned shift = fp_clz64(magnitude);

        n.cls = FP_FINITE;
        n.sig = (u128)(magnitude << shift) << 64;
        n.exp = 63 - (i32)shift;
    }
    return n;
}

u32 f32_from_int(struct fp_env *e, i64 v)
{
    struct fp_num n = fp_from_int(v);

    return fp_pack_f32(e, &n);
}

u64 f64_from_int(struct fp_env *e, i64 v)
{
    struct fp_num n = fp_from_int(v);

    return fp_pack_f64(e, &n);
}

struct f80 f80_from_int(i64 v)
{
    struct fp_env e = fp_env_x87(0x37F);
    struct fp_num n = fp_from_int(v);

    return fp_pack_f80(&e, &n, 64);
}

/* Rounds; false if not a number whose magnitude is below 2^64. */
static bool to_magnitude(struct fp_env *e, struct fp_num *n, enum fp_round round, u64 *magnitude)
{
    *magnitude = 0;
    if (n->cls == FP_INF || fp_is_nan(n))
        return false;
    fp_round_integral(e, n, round);
    if (n->cls == FP_ZERO)
        return true;
    if (n->exp > 63)
        return false;
    *magnitude = (u64)(n->sig >> (127 - n->exp));
    return true;
}

static i64 to_int(struct fp_env *e, struct fp_num *n, unsigned bits, enum fp_round round)
{
    u64 limit = BIT64(bits - 1);
    u8 before = e->flags;
    u64 magnitude;

    e->up = false;
    if (!to_magnitude(e, n, round, &magnitude) || magnitude > limit - !n->sign) {
        e->flags = before | FP_IE;
        e->up = false;
        return (i64)(0 - limit);
    }
    return (i64)(n->sign ? 0 - magnitude : magnitude);
}

i64 f32_to_int(struct fp_env *e, u32 a, unsigned bits, enum fp_round round)
{
    struct fp_num n = fp_unpack_f32(e, a);

    return to_int(e, &n, bits, round);
}

i64 f64_to_int(struct fp_env *e, u64 a, unsigned bits, enum fp_round round)
{
    struct fp_num n = fp_unpack_f64(e, a);

    return to_int(e, &n, bits, round);
}

i64 f80_to_int(struct fp_env *e, struct f80 a, unsigned bits, enum fp_round round)
{
    struct fp_num n = fp_unpack_f80(a);

    return to_int(e, &n, bits, round);
}

u32 f32_rint(struct fp_env *e, u32 a, enum fp_round round)
{
    struct fp_num n = fp_unpack_f32(e, a), r = n;

    if (!fp_special1(e, &n, &r))
        fp_round_integral(e, &r, round);
    return fp_pack_f32(e, &r);
}

u64 f64_rint(struct fp_env *e, u64 a, enum fp_round round)
{
    struct fp_num n = fp_unpack_f64(e, a), r = n;

    if (!fp_special1(e, &n, &r))
        fp_round_integral(e, &r, round);
    return fp_pack_f64(e, &r);
}

struct f80 f80_rint(struct fp_env *e, struct f80 a)
{
    struct fp_num n = fp_unpack_f80(a), r = n;
    struct f80 packed;
    bool up = false;

    if (!fp_special1(e, &n, &r)) {
        fp_denormal(e, n.denormal);
        fp_round_integral(e, &r, e->round);
        up = e->up;
    }
    packed = fp_pack_f80(e, &r, 64);
    e->up = up;
    return packed;
}

enum { BCD_DIGITS = 18 };
static const u64 bcd_limit = 1000000000000000000;

void f80_to_bcd(struct fp_env *e, struct f80 a, u8 bcd[10])
{
    struct fp_num n = fp_unpack_f80(a);
    u8 before = e->flags;
    u64 v;

    e->up = false;
    if (!to_magnitude(e, &n, e->round, &v) || v >= bcd_limit) {
        e->flags = before | FP_IE;
        e->up = false;
        for (unsigned i = 0; i < 10; i++) /* the packed BCD indefinite */
            bcd[i] = i < 7 ? 0 : i == 7 ? 0xC0 : 0xFF;
        return;
    }
    for (unsigned i = 0; i < BCD_DIGITS / 2; i++) {
        bcd[i] = (u8)(v % 10 | v / 10 % 10 << 4);
        v /= 100;
    }
    bcd[9] = n.sign ? 0x80 : 0;
}

struct f80 f80_from_bcd(const u8 bcd[10])
{
    struct f80 r;
    u64 v = 0;

    for (unsigned i = BCD_DIGITS / 2; i-- > 0;)
        v = v * 100 + (bcd[i] >> 4) * 10u + (bcd[i] & 15);
    r = f80_from_int((i64)v);
    if (bcd[9] & 0x80)
        r.sign_exp |= 0x8000;
    return r;
}
