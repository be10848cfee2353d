/* SPDX-License-Identifier: MIT */
/* The value types of the software floating point of the guest. */
#pragma once

#include "base/types.h"

/* The 80-bit format: explicit integer bit 63 in @mant; sign in bit 15 of @sign_exp [SDM 1 §4.2.2].
 */
struct f80 {
    u64 mant;
    u16 sign_exp;
};
