/* SPDX-License-Identifier: MIT */
/* Private to cpu/f80_math*.c: constants, in units of 2^-127. */
#pragma once

#include "base/types.h"

extern const u128 f80_sin_coef[14], f80_cos_coef[15], f80_exp2_coef[13], f80_atan_coef[11];
extern const u128 f80_log2_coef[9];
extern const u128 f80_atan_value[33], f80_exp2_value[33], f80_log2_value[65];
