/* SPDX-License-Identifier: MIT */
/* PCMPESTRM, PCMPESTRI, PCMPISTRM, PCMPISTRI  [SDM 2B §4.1 Imm8 Control Byte Operation]. */
#include "cpu/flags.h"
#include "cpu/simd.h"

/* The immediate. */
enum {
    STR_WORDS = 0x01,
    STR_SIGNED = 0x02,
    STR_AGGREGATE = 0x0C, /* equal any, ranges, equal each, equal ordered */
    STR_NEGATE = 0x10,
    STR_MASKED = 0x20, /* only valid elements are negated */
    STR_UNIT = 0x40,   /* most significant index; mask of bytes or words */
};

/* One string: its elements and how many of them count. */
struct text {
    i32 e[16];
    unsigned len;
};

static void load_text(struct text *t, const union vec *v, u64 imm)
{
    for (unsigned i = 0; i < 16; i++) {
        if (imm & STR_WORDS)
            t->e[i] = imm & STR_SIGNED ? (i16)v->w[i & 7] : v->w[i & 7];
        else
            t->e[i] = imm & STR_SIGNED ? (i8)v->b[i] : v->b[i];
    }
}

/* Explicit length: |register|, saturated. */
static unsigned explicit_length(u64 reg, unsigned n)
{
    i32 v = (i32)reg;
    u32 len = v < 0 ? 0 - (u32)v : (u32)v;

    return len < n ? len : n;
}

static unsigned implicit_length(const struct text *t, unsigned n)
{
    unsigned len = 0;

    while (len < n && t->e[len])
        len++;
    return len;
}

static bool equal_any(const struct text *a, i32 c)
{
    for (unsigned i = 0; i < a->len; i++)
        if (a->e[i] == c)
            return true;
    return false;
}

static bool in_ranges(const struct text *a, i32 c)
{
    for (unsigned i = 0; i + 1 < a->len; i += 2)
        if (a->e[i] <= c && c <= a->e[i + 1])
            return true;
    return false;
}

/* Whether all of @a, as far as both reach, stands in @b at @at. */
static bool matches_at(const struct text *a, const struct text *b, unsigned at, unsigned n)
{
    for (unsigned i = 0; i < a->len && at + i < n; i++)
        if (at + i >= b->len || a->e[i] != b->e[at + i])
            return false;
    return true;
}

/* The aggregation: one bit for each element of @b. */
static u32 aggregate(const struct text *a, const struct text *b, unsigned n, u64 imm)
{
    u32 r = 0;

    for (unsigned i = 0; i < n; i++) {
        bool bit;

        switch (imm & STR_AGGREGATE) {
        case 0x0:
            bit = i < b->len && equal_any(a, b->e[i]);
            break;
        case 0x4:
            bit = i < b->len && in_ranges(a, b->e[i]);
            break;
        case 0x8:
            bit = i < a->len && i < b->len ? a->e[i] == b->e[i] : i >= a->len && i >= b->len;
            break;
        default:
            bit = matches_at(a, b, i, n);
            break;
        }
        r |= (u32)bit << i;
    }
    return r;
}

static void put_mask(struct cpu *cpu, u32 bits, unsigned n, u64 imm)
{
    union vec *v = &cpu->sse.v[0];

    v->q[0] = v->q[1] = 0;
    if (!(imm & STR_UNIT)) {
        v->w[0] = (u16)bits;
        return;
    }
    for (unsigned i = 0; i < 16; i++)
        v->b[i] = bits >> (n == 16 ? i : i / 2) & 1 ? 0xFF : 0;
}

static u32 index_of(u32 bits, unsigned n, u64 imm)
{
    if (!bits)
        return n;
    return imm & STR_UNIT ? 31u - (u32)__builtin_clz(bits) : (u32)__builtin_ctz(bits);
}

/* 60 ESTRM, 61 ESTRI, 62 ISTRM, 63 ISTRI. */
bool exec_pcmpstr(struct cpu *cpu, const struct insn *in)
{
    unsigned n = in->imm & STR_WORDS ? 8 : 16;
    u32 bits, flags, all = (1u << n) - 1;
    struct text a, b;
    union vec s;

    if (!sse_enter(cpu))
        return false;
    if (!in->mem)
        s = cpu->sse.v[in->rm];
    else if (!simd_read16(cpu, in, false, &s))
        return false;
    load_text(&a, &cpu->sse.v[in->reg], in->imm);
    load_text(&b, &s, in->imm);
    a.len = in->opcode & 2 ? implicit_length(&a, n) : explicit_length(cpu->gpr[REG_AX], n);
    b.len = in->opcode & 2 ? implicit_length(&b, n) : explicit_length(cpu->gpr[REG_DX], n);
    bits = aggregate(&a, &b, n, in->imm);
    if (in->imm & STR_NEGATE)
        bits ^= in->imm & STR_MASKED ? (1u << b.len) - 1 : all;
    flags = (bits ? FL_C : 0u) | (b.len < n ? FL_Z : 0u) | (a.len < n ? FL_S : 0u) |
            (bits & 1 ? FL_O : 0u);
    if (in->opcode & 1)
        reg_set(cpu, REG_CX, W32, index_of(bits, n, in->imm));
    else
        put_mask(cpu, bits, n, in->imm);
    flags_set(cpu, FL_OSZAPC, flags);
    return true;
}
