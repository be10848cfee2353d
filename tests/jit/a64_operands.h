/* SPDX-License-Identifier: MIT */
/* Registers and numbers for the tests of the A64 assembler, and how capstone writes them. */
#pragma once

#include "jit/a64/a64_asm.h"
#include "tests/jit/asm_check.h"

static const char *const cc_names[] = {"eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc",
                                       "hi", "ls", "ge", "lt", "gt", "le", "al"};

static inline int setup(void **state)
{
    *state = asm_check_create(CS_ARCH_ARM64, CS_MODE_ARM);
    return 0;
}

static inline int teardown(void **state)
{
    asm_check_destroy(*state);
    return 0;
}

/* The name of a register, where 31 is the zero register. */
static inline const char *reg(enum width w, u8 r)
{
    static const char *const names[2][32] = {
        {"w0",  "w1",  "w2",  "w3",  "w4",  "w5",  "w6",  "w7",  "w8",  "w9",  "w10",
         "w11", "w12", "w13", "w14", "w15", "w16", "w17", "w18", "w19", "w20", "w21",
         "w22", "w23", "w24", "w25", "w26", "w27", "w28", "w29", "w30", "wzr"},
        {"x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",  "x8",  "x9",  "x10",
         "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",
         "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30", "xzr"},
    };

    return names[w == W64][r];
}

/* The same where 31 is the stack pointer. */
static inline const char *reg_or_sp(enum width w, u8 r)
{
    return r == XSP ? (w == W64 ? "sp" : "wsp") : reg(w, r);
}

static inline unsigned bits(enum width w)
{
    return 8u << w;
}

struct number {
    char text[24];
};

/* As capstone writes numbers: in hexadecimal from ten on. */
static inline struct number num(i64 v)
{
    struct number n;
    u64 size = v < 0 ? -(u64)v : (u64)v;

    snprintf(n.text, sizeof(n.text), size < 10 ? "#%s%llu" : "#%s0x%llx", v < 0 ? "-" : "",
             (unsigned long long)size);
    return n;
}

/* All widths in [w, last], with all pairs of registers, and a third that goes with them. */
struct regs {
    enum width w, last;
    u8 d, n, m;
};

static inline struct regs all_regs(enum width first, enum width last)
{
    return (struct regs){first, last, 0, 0, 7};
}

static inline void next_regs(struct regs *r)
{
    r->n = (r->n + 1) % 32;
    if (r->n == 0)
        r->d = (r->d + 1) % 32;
    if (r->d == 0 && r->n == 0)
        r->w++;
    r->m = (5 * r->d + 3 * r->n + 7) % 32;
}
