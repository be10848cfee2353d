/* SPDX-License-Identifier: MIT */
/* Are two x87 units the same, whatever is between their fields? */
#pragma once

#include "cpu/x87.h"

static inline bool x87_same(const struct x87_state *a, const struct x87_state *b)
{
    bool same = a->control == b->control && a->status == b->status && a->top == b->top &&
                a->empty == b->empty && a->opcode == b->opcode && a->cs == b->cs &&
                a->ds == b->ds && a->ip == b->ip && a->dp == b->dp && a->ferr == b->ferr;

    for (unsigned i = 0; i < 8; i++)
        same = same && a->r[i].mant == b->r[i].mant && a->r[i].sign_exp == b->r[i].sign_exp;
    return same;
}
