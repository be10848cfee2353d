/* SPDX-License-Identifier: MIT */
/* Registers and addresses for the tests of the x86-64 assembler, and how capstone writes them. */
#pragma once

#include "jit/x64/x64_asm.h"
#include "tests/jit/asm_check.h"

static const char *const reg_names[4][16] = {
    {"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", "r8b", "r9b", "r10b", "r11b", "r12b",
     "r13b", "r14b", "r15b"},
    {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8w", "r9w", "r10w", "r11w", "r12w", "r13w",
     "r14w", "r15w"},
    {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "r8d", "r9d", "r10d", "r11d", "r12d",
     "r13d", "r14d", "r15d"},
    {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
     "r14", "r15"},
};
static const char *const cc_names[] = {"o", "no", "b", "ae", "e", "ne", "be", "a",
                                       "s", "ns", "p", "np", "l", "ge", "le", "g"};

static const i32 imms[] = {0,      1,      -1,     127,     128,     -128,    -129,      255,
                           0x7fff, 0x8000, 0xffff, -0x8000, 0x10000, -0x8001, INT32_MAX, INT32_MIN};

static inline int setup(void **state)
{
    *state = asm_check_create(CS_ARCH_X86, CS_MODE_64);
    return 0;
}

static inline int teardown(void **state)
{
    asm_check_destroy(*state);
    return 0;
}

static inline const char *reg(enum width w, u8 r)
{
    return reg_names[w][r];
}

static inline unsigned bits(enum width w)
{
    return 8u << w;
}

/* All widths in [w, last], with all pairs of registers. */
struct pair {
    enum width w, last;
    u8 a, b;
};

static inline struct pair pairs(enum width first, enum width last)
{
    return (struct pair){first, last, 0, 0};
}

static inline void next_pair(struct pair *p)
{
    p->b = (p->b + 1) % 16;
    if (p->b == 0)
        p->a = (p->a + 1) % 16;
    if (p->a == 0 && p->b == 0)
        p->w++;
}

/* Addresses that are encoded in the way in which they are given. */
static const struct x64_mem mems[] = {
    {RAX, X64_NOREG, 0, 0},
    {RBX, X64_NOREG, 0, 127},
    {RSP, X64_NOREG, 0, 0},
    {RSP, X64_NOREG, 0, 128},
    {RBP, X64_NOREG, 0, 0},
    {RBP, X64_NOREG, 0, -128},
    {R12, X64_NOREG, 0, 0},
    {R12, X64_NOREG, 0, 16},
    {R13, X64_NOREG, 0, 0},
    {R15, X64_NOREG, 0, -129},
    {RCX, RDX, 0, 0},
    {RSP, RBP, 1, 0},
    {R14, R10, 3, 16},
    {RBP, R12, 2, 0},
    {R13, R13, 3, 0x12345678},
    {X64_NOREG, RSI, 2, 0},
    {X64_NOREG, R12, 3, -0x12345678},
    {X64_NOREG, X64_NOREG, 0, 0x7654},
};

/* All widths in [w, last], with all of these addresses and all registers. */
struct with_mem {
    enum width w, last;
    u8 r;
    unsigned at;
    struct x64_mem m;
    char text[64];
};

static inline void write_mem(struct with_mem *it)
{
    static const char *const sizes[] = {"byte", "word", "dword", "qword"};
    const struct x64_mem *m = &mems[it->at];
    char index[16] = "", disp[16] = "";
    const char *base = m->base == X64_NOREG ? "" : reg(W64, m->base);
    const char *plus = m->base != X64_NOREG && m->index != X64_NOREG ? " + " : "";
    bool alone = m->base == X64_NOREG && m->index == X64_NOREG;
    unsigned size = m->disp < 0 ? -(u32)m->disp : (u32)m->disp;

    if (m->index != X64_NOREG && m->scale == 0)
        snprintf(index, sizeof(index), "%s", reg(W64, m->index));
    else if (m->index != X64_NOREG)
        snprintf(index, sizeof(index), "%s*%d", reg(W64, m->index), 1 << m->scale);
    if (m->disp != 0)
        snprintf(disp, sizeof(disp), "%s0x%x", alone ? "" : m->disp < 0 ? " - " : " + ", size);
    snprintf(it->text, sizeof(it->text), "%s ptr [%s%s%s%s]", sizes[it->w], base, plus, index,
             disp);
    it->m = *m;
}

static inline struct with_mem with_mems(enum width first, enum width last)
{
    struct with_mem it = {.w = first, .last = last};

    write_mem(&it);
    return it;
}

static inline void next_mem(struct with_mem *it)
{
    it->at = (it->at + 1) % ARRAY_LEN(mems);
    if (it->at == 0)
        it->r = (it->r + 1) % 16;
    if (it->at == 0 && it->r == 0)
        it->w++;
    if (it->w <= it->last)
        write_mem(it);
}
