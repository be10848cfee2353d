/* SPDX-License-Identifier: MIT */
/*
 * The transcendental instructions of the x87 unit, in integer arithmetic with 128-bit significands.
 * Each is a Taylor series after a reduction by a table; the result is off by far less than the real
 * units' 1 ulp  [SDM 1 §8.3.10], rounded as RC says, and the same on every host. Special operands
 * as in the tables of [SDM 2A].
 */
#pragma once

#include "cpu/softfloat.h"

/** FSIN, FCOS: false, and nothing done, if |@a| >= 2^63 (C2). Either result may be NULL. */
bool f80_sincos(struct fp_env *e, struct f80 a, struct f80 *sin, struct f80 *cos);

/** FPTAN without the 1.0 that it pushes: false, and nothing done, if |@a| >= 2^63 (C2). */
bool f80_tan(struct fp_env *e, struct f80 a, struct f80 *r);

/** FPATAN: the angle of the point (@x, @y). */
struct f80 f80_atan2(struct fp_env *e, struct f80 y, struct f80 x);

/** F2XM1: 2^@a - 1, for |@a| <= 1. */
struct f80 f80_exp2m1(struct fp_env *e, struct f80 a);

/** FYL2X: @y * log2(@x). */
struct f80 f80_ylog2(struct fp_env *e, struct f80 y, struct f80 x);

/** FYL2XP1: @y * log2(@x + 1). */
struct f80 f80_ylog2p1(struct fp_env *e, struct f80 y, struct f80 x);
