/* SPDX-License-Identifier: MIT */
/*
 * Software floating point of the guest: the binary32, binary64 and 80-bit formats with the exact
 * results, flags, NaN and denormal rules of the x87 unit and of SSE  [SDM 1 §4.8, §4.9, §8.5,
 * §11.5].
 *
 * Every function is pure but for the flags it adds to its struct fp_env. It returns the *masked*
 * response, except that overflow and underflow that are unmasked give an 80-bit result with the
 * exponent moved by 24576 [SDM 1 §8.5.4, §8.5.5]. The caller decides what an unmasked exception
 * suppresses: fp_settle() tells it.
 */
#pragma once

#include "base/types.h"

/* The 80-bit format: explicit integer bit 63 in @mant; sign in bit 15 of @sign_exp [SDM 1 §4.2.2].
 */
struct f80 {
    u64 mant;
    u16 sign_exp;
};

/* As RC of the x87 control word and of MXCSR. */
enum fp_round { FP_NEAREST, FP_DOWN, FP_UP, FP_CHOP };

/* As the flags and masks of the x87 unit and of MXCSR. */
enum {
    FP_IE = 0x01,
    FP_DE = 0x02,
    FP_ZE = 0x04,
    FP_OE = 0x08,
    FP_UE = 0x10,
    FP_PE = 0x20,
    FP_ALL = 0x3F,
    FP_BEFORE = FP_IE | FP_DE | FP_ZE, /* detected before the result is computed */
};

struct fp_env {
    u8 round;      /* enum fp_round */
    u8 precision;  /* significand bits of 80-bit add, sub, mul, div, sqrt: 24, 53, 64 */
    u8 masks;      /* exceptions that are masked */
    u8 flags;      /* out: exceptions raised, accumulated */
    bool x87;      /* NaN rules of the x87 unit, else of SSE */
    bool daz, ftz; /* SSE: denormals are zeros, flush to zero */
    bool up;       /* out: the last result was rounded away from zero (C1) */
    bool hosted;   /* to nearest, all masked, PE set already: see softfloat_host.c */
};

enum fp_op { FP_ADD, FP_SUB, FP_MUL, FP_DIV, FP_MIN, FP_MAX, FP_SQRT };
enum fp_order { FP_LESS, FP_EQUAL, FP_GREATER, FP_UNORDERED };

/** The environment that an x87 control word sets up. */
struct fp_env fp_env_x87(u16 control);

/** The environment that a MXCSR sets up. */
struct fp_env fp_env_sse(u32 mxcsr);

/**
 * Ends an operation: an unmasked exception of FP_BEFORE hides those that the result would have
 * raised. Returns the unmasked exceptions in flags.
 */
u8 fp_settle(struct fp_env *e);

/**
 * @a op @b by the host's own arithmetic, where it gives the same bits and no flag but PE, which is
 * set already. False: not so; *@r is not set. Only if e->hosted.
 */
bool f32_arith_host(enum fp_op op, u32 a, u32 b, u32 *r) MUST_CHECK;
bool f64_arith_host(enum fp_op op, u64 a, u64 b, u64 *r) MUST_CHECK;

/** @a op @b. FP_SQRT ignores @a. FP_MIN and FP_MAX (not for f80) are those of SSE. */
u32 f32_arith(struct fp_env *e, enum fp_op op, u32 a, u32 b);
u64 f64_arith(struct fp_env *e, enum fp_op op, u64 a, u64 b);
struct f80 f80_arith(struct fp_env *e, enum fp_op op, struct f80 a, struct f80 b);

/** How @a stands to @b. A quiet NaN is invalid unless @quiet. */
enum fp_order f32_compare(struct fp_env *e, u32 a, u32 b, bool quiet);
enum fp_order f64_compare(struct fp_env *e, u64 a, u64 b, bool quiet);
enum fp_order f80_compare(struct fp_env *e, struct f80 a, struct f80 b, bool quiet);

/** Between the formats. Those to f80 are exact. */
u64 f32_to_f64(struct fp_env *e, u32 a);
u32 f64_to_f32(struct fp_env *e, u64 a);
struct f80 f32_to_f80(struct fp_env *e, u32 a);
struct f80 f64_to_f80(struct fp_env *e, u64 a);
u32 f80_to_f32(struct fp_env *e, struct f80 a);
u64 f80_to_f64(struct fp_env *e, struct f80 a);

/** From integers. */
u32 f32_from_int(struct fp_env *e, i64 v);
u64 f64_from_int(struct fp_env *e, i64 v);
struct f80 f80_from_int(i64 v);

/**
 * To an integer of @bits (16, 32, 64), rounded as @round says. Invalid: the integer indefinite,
 * which is the most negative number.
 */
i64 f32_to_int(struct fp_env *e, u32 a, unsigned bits, enum fp_round round);
i64 f64_to_int(struct fp_env *e, u64 a, unsigned bits, enum fp_round round);
i64 f80_to_int(struct fp_env *e, struct f80 a, unsigned bits, enum fp_round round);

/** To an integer in the same format: FRNDINT, ROUNDSS, ROUNDSD. */
u32 f32_rint(struct fp_env *e, u32 a, enum fp_round round);
u64 f64_rint(struct fp_env *e, u64 a, enum fp_round round);
struct f80 f80_rint(struct fp_env *e, struct f80 a);

/** @a times 2 to the integer part of @b: FSCALE. */
struct f80 f80_scale(struct fp_env *e, struct f80 a, struct f80 b);

/** The significand of @a as a number in [1, 2), and its exponent in *@exp: FXTRACT. */
struct f80 f80_extract(struct fp_env *e, struct f80 a, struct f80 *exp);

enum { F80_REM_PARTIAL = 8 }; /* f80_rem: the reduction is not complete (C2) */

/**
 * Remainder of @a / @b, the quotient chopped (FPREM) or rounded to nearest even (FPREM1).
 * *@quotient gets the low three bits of the quotient, or F80_REM_PARTIAL.
 */
struct f80 f80_rem(struct fp_env *e, struct f80 a, struct f80 b, bool nearest, u8 *quotient);

/** 18 packed digits: FBSTP, FBLD. bcd[9] bit 7 is the sign. */
void f80_to_bcd(struct fp_env *e, struct f80 a, u8 bcd[10]);
struct f80 f80_from_bcd(const u8 bcd[10]);

/** The default NaN of an invalid operation: negative, quiet. */
struct f80 f80_indefinite(void);
