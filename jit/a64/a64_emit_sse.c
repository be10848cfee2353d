/* SPDX-License-Identifier: MIT */
/*
 * SSE and SSE2 instructions, one after the other, in V registers.
 *
 * Left to their executors: shifts of packed integers by a register, what has operands in MMX
 * registers, approximations, MXCSR.
 *
 * References: [SDM 1 §10.4, §11.4]; [ARM C7.2].
 */
#include "cpu/isa.h"
#include "jit/a64/a64_sse.h"

/* --- operands --- */

/* Access the memory operand: X16 + its address, which is returned. V0 to V7 are lost. */
static u8 access(struct a64_emit *e, const struct sse_op *o)
{
    unsigned bytes = (unsigned)o->in->imm & IR_FP_SIZE, size = 0;
    u8 at = a64_reg(e, o->in->a);
    bool aligned = bytes == 16 && (insn_def[o->guest->id].attr & ATTR_Align);
    i32 off;

    if (a64_window_has(e, &off)) {
        a64_arith_ri(e->c, A64_ADD, W64, REG_ADDEND, REG_WINDOW, (u32)off);
        return XZR;
    }
    while (BIT(size) != bytes)
        size++;
    a64_look_up(e, at, size, o->in->imm & IR_FP_WRITE, aligned ? HAS_TO_BE_ALIGNED : MAY_BE_CROOKED,
                REG_ADDEND);
    return at;
}

/* 1 << @size bytes of the memory operand to @v, the rest of which becomes 0. */
static void load(struct a64_emit *e, const struct sse_op *o, unsigned size, u8 v)
{
    i32 off;

    if (a64_window_has(e, &off)) {
        a64_vldr(e->c, size, v, REG_WINDOW, (u32)off);
        return;
    }
    u8 at = access(e, o);
    a64_vldr_rr(e->c, size, v, REG_ADDEND, at);
}

static void store(struct a64_emit *e, const struct sse_op *o, unsigned size, u8 v)
{
    i32 off;

    if (a64_window_has(e, &off)) {
        a64_vstr(e->c, size, v, REG_WINDOW, (u32)off);
        return;
    }
    u8 at = access(e, o);
    a64_vstr_rr(e->c, size, v, REG_ADDEND, at);
}

/* The operand by r/m, 1 << @size bytes of which count, in a register. */
u8 a64_sse_source(struct a64_emit *e, const struct sse_op *o, unsigned size)
{
    if (!o->guest->mem)
        return xmm(o->guest->rm);
    load(e, o, size, V1);
    return V1;
}

unsigned a64_sse_source_size(const struct sse_op *o)
{
    return is_scalar(o) ? (unsigned)lane(o) : A64_Q;
}

/* The 32-bit operand by r/m in a general register. */
u8 a64_sse_source_general(struct a64_emit *e, const struct sse_op *o)
{
    if (!o->guest->mem)
        return a64_read(e, o->in->a, 0, X0);
    u8 at = access(e, o);
    a64_mem_rr(e->c, A64_LDR, W32, X0, REG_ADDEND, at, A64_UXTW, false);
    return X0;
}

/* XMM @n = the low 1 << @size bytes of @v; the others stay. */
void a64_sse_put(struct a64_emit *e, u8 n, unsigned size, u8 v)
{
    u8 before = e->low[n & 7], d;

    if (size == A64_Q) {
        d = a64_fp_write(e, n & 7, 16);
        a64_vmov(e->c, d, v);
    } else {
        d = a64_fp_write(e, n & 7, before < BIT(size) ? (u8)BIT(size) : before);
        a64_vins(e->c, (enum width)size, d, 0, v, 0);
    }
}

/* The same at the end of an instruction that may have raised. */
void a64_sse_finish(struct a64_emit *e, const struct sse_op *o, unsigned size, u8 v)
{
    if (!a64_fp_goes_on(e))
        a64_fp_close(e, false);
    a64_sse_put(e, o->guest->reg, size, v);
}

/* --- moves --- */

static void load_all(struct a64_emit *e, const struct sse_op *o)
{
    bool mem = o->guest->mem;
    u8 d = a64_fp_write(e, o->guest->reg, mem ? 16 : e->low[o->guest->rm & 7]);

    if (mem)
        load(e, o, A64_Q, d);
    else
        a64_vmov(e->c, d, xmm(o->guest->rm));
}

static void store_all(struct a64_emit *e, const struct sse_op *o)
{
    if (o->guest->mem)
        store(e, o, A64_Q, xmm(o->guest->reg));
    else
        a64_sse_put(e, o->guest->rm, A64_Q, xmm(o->guest->reg));
}

/* MOVSS, MOVSD: from memory the rest becomes zero, from a register it stays. */
static void load_scalar(struct a64_emit *e, const struct sse_op *o)
{
    if (o->guest->mem)
        load(e, o, lane(o), a64_fp_write(e, o->guest->reg, (u8)BIT(lane(o))));
    else
        a64_sse_put(e, o->guest->reg, lane(o), xmm(o->guest->rm));
}

static void store_scalar(struct a64_emit *e, const struct sse_op *o)
{
    if (o->guest->mem)
        store(e, o, lane(o), xmm(o->guest->reg));
    else
        a64_sse_put(e, o->guest->rm, lane(o), xmm(o->guest->reg));
}

/* MOVLPS MOVHPS and their like; between registers MOVHLPS MOVLHPS, the other half. */
static void load_half(struct a64_emit *e, const struct sse_op *o)
{
    bool mem = o->guest->mem;
    u8 half = (u8)o->op, s = a64_sse_source(e, o, W64), d = a64_fp_write(e, o->guest->reg, 16);

    a64_vins(e->c, W64, d, half, s, mem ? 0 : 1 - half);
}

static void store_half(struct a64_emit *e, const struct sse_op *o)
{
    u8 at = access(e, o), s = xmm(o->guest->reg);

    if (o->op) {
        a64_vdup(e->c, W64, V1, s, 1);
        s = V1;
    }
    a64_vstr_rr(e->c, W64, s, REG_ADDEND, at);
}

static void load_low(struct a64_emit *e, const struct sse_op *o)
{
    u8 d = a64_fp_write(e, o->guest->reg, 8);

    if (o->guest->mem)
        load(e, o, W64, d);
    else
        a64_vec3(e->c, A64_VORR_LOW, d, xmm(o->guest->rm), xmm(o->guest->rm));
}

static void store_low(struct a64_emit *e, const struct sse_op *o)
{
    u8 s = xmm(o->guest->reg);

    if (o->guest->mem)
        store(e, o, W64, s);
    else
        a64_vec3(e->c, A64_VORR_LOW, a64_fp_write(e, o->guest->rm, 8), s, s);
}

static void load_general(struct a64_emit *e, const struct sse_op *o)
{
    u8 d = a64_fp_write(e, o->guest->reg, 4);

    if (o->guest->mem)
        load(e, o, W32, d);
    else
        a64_vec2(e->c, A64_FMOV_S_W, d, a64_read(e, o->in->a, 0, X0));
}

static void store_general(struct a64_emit *e, const struct sse_op *o)
{
    if (o->guest->mem) {
        store(e, o, W32, xmm(o->guest->reg));
        return;
    }
    a64_vec2(e->c, A64_FMOV_W_S, X0, xmm(o->guest->reg));
    a64_write(e, W32, o->in->d, X0, 0);
}

static void insert_word(struct a64_emit *e, const struct sse_op *o)
{
    u8 i = o->guest->imm & 7;

    if (o->guest->mem) {
        load(e, o, W16, V1);
        a64_vins(e->c, W16, a64_fp_write(e, o->guest->reg, 16), i, V1, 0);
    } else {
        u8 s = a64_read(e, o->in->a, 0, X0);
        a64_vins_r(e->c, W16, a64_fp_write(e, o->guest->reg, 16), i, s);
    }
}

static void extract_word(struct a64_emit *e, const struct sse_op *o)
{
    a64_vumov(e->c, W16, X0, xmm(o->guest->rm), o->guest->imm & 7);
    a64_write(e, W32, o->in->d, X0, 0);
}

/* The signs of each half are brought together in its low byte: by 7, 14, 28 bits. */
static void sign_bytes(struct a64_emit *e, const struct sse_op *o)
{
    struct codebuf *c = e->c;

    a64_vshift(c, A64_VUSHR, W8, V0, xmm(o->guest->rm), 7);
    a64_vshift(c, A64_VUSRA, W16, V0, V0, 7);
    a64_vshift(c, A64_VUSRA, W32, V0, V0, 14);
    a64_vshift(c, A64_VUSRA, W64, V0, V0, 28);
    a64_vumov(c, W8, X0, V0, 0);
    a64_vumov(c, W8, X1, V0, 8);
    a64_bfi(c, W32, X0, X1, 8, 8);
    a64_write(e, W32, o->in->d, X0, 0);
}

static void sign_lanes(struct a64_emit *e, const struct sse_op *o)
{
    struct codebuf *c = e->c;
    enum width w = lane(o);

    a64_vshift(c, A64_VUSHR, w, V0, xmm(o->guest->rm), (u8)((8u << w) - 1));
    if (w == W32)
        a64_vshift(c, A64_VUSRA, W64, V0, V0, 31);
    a64_vumov(c, W8, X0, V0, 0);
    a64_vumov(c, W8, X1, V0, 8);
    a64_bfi(c, W32, X0, X1, w == W32 ? 2 : 1, 2);
    a64_write(e, W32, o->in->d, X0, 0);
}

/* --- shuffles --- */

/* Four elements of @v, a copy of @s, from the one at @at on = those of @s that @imm chooses. */
static void choose(struct codebuf *c, enum width w, u8 v, u8 s, u8 at, u64 imm)
{
    for (u8 i = 0; i < 4; i++) {
        u8 from = imm >> 2 * i & 3;
        if (from != i)
            a64_vins(c, w, v, at + i, s, at + from);
    }
}

static void shuffle(struct a64_emit *e, const struct sse_op *o)
{
    enum width w = o->prefix == SIMD_66 ? W32 : W16;
    u8 s = a64_sse_source(e, o, A64_Q), imm = (u8)o->guest->imm;

    if (w == W32 && imm % 0x55 == 0) {
        a64_vdup(e->c, W32, a64_fp_write(e, o->guest->reg, 16), s, imm & 3);
        return;
    }
    if (s == xmm(o->guest->reg)) {
        a64_vmov(e->c, V1, s);
        s = V1;
    }
    u8 d = a64_fp_write(e, o->guest->reg, 16);
    a64_vmov(e->c, d, s);
    choose(e->c, w, d, s, o->prefix == SIMD_F3 ? 4 : 0, imm);
}

static void shuffle_singles(struct a64_emit *e, const struct sse_op *o)
{
    u8 s = a64_sse_source(e, o, A64_Q), d = xmm(o->guest->reg), imm = (u8)o->guest->imm;

    for (u8 i = 0; i < 4; i++)
        a64_vins(e->c, W32, V0, i, i < 2 ? d : s, imm >> 2 * i & 3);
    a64_sse_put(e, o->guest->reg, A64_Q, V0);
}

static void shuffle_doubles(struct a64_emit *e, const struct sse_op *o)
{
    u8 s = a64_sse_source(e, o, A64_Q), d = xmm(o->guest->reg);

    a64_vdup(e->c, W64, V0, d, o->guest->imm & 1);
    a64_vins(e->c, W64, V0, 1, s, o->guest->imm >> 1 & 1);
    a64_sse_put(e, o->guest->reg, A64_Q, V0);
}

static void unpack(struct a64_emit *e, const struct sse_op *o)
{
    u8 s = a64_sse_source(e, o, A64_Q), d = a64_fp_write(e, o->guest->reg, 16);

    a64_vec3(e->c, a64_vsize(o->op, lane(o)), d, d, s);
}

/* --- packed integers --- */

static void packed(struct a64_emit *e, const struct sse_op *o)
{
    bool clears = (o->guest->opcode == 0x57 || o->guest->opcode == 0xef) && !o->guest->mem &&
                  o->guest->reg == o->guest->rm; /* XORPS, PXOR */
    u8 s = a64_sse_source(e, o, A64_Q), d = a64_fp_write(e, o->guest->reg, clears ? 4 : 16);

    a64_vec3(e->c, o->op, d, d, s);
}

/* ANDNPS, PANDN: the destination is inverted. */
static void and_not(struct a64_emit *e, const struct sse_op *o)
{
    u8 s = a64_sse_source(e, o, A64_Q), d = a64_fp_write(e, o->guest->reg, 16);

    a64_vec3(e->c, A64_VBIC, d, s, d);
}

/* PACKSSWB and its like; the operation for the upper half has bit 30. */
static void pack(struct a64_emit *e, const struct sse_op *o)
{
    u8 s = a64_sse_source(e, o, A64_Q), d = xmm(o->guest->reg);

    a64_vec2(e->c, o->op, V0, d);
    a64_vec2(e->c, o->op | BIT(30), V0, s);
    a64_sse_put(e, o->guest->reg, A64_Q, V0);
}

/* Upper halves of products, signed or not. */
static void multiply_high(struct a64_emit *e, const struct sse_op *o)
{
    u8 s = a64_sse_source(e, o, A64_Q), d = a64_fp_write(e, o->guest->reg, 16);

    a64_vec3(e->c, a64_vsize(o->op, W16), V0, d, s);
    a64_vec3(e->c, a64_vsize(o->op | BIT(30), W16), V2, d, s);
    a64_vec3(e->c, a64_vsize(A64_VUZP2, W16), d, V0, V2);
}

static void multiply_add(struct a64_emit *e, const struct sse_op *o)
{
    u8 s = a64_sse_source(e, o, A64_Q), d = a64_fp_write(e, o->guest->reg, 16);

    a64_vec3(e->c, a64_vsize(A64_VSMULL, W16), V0, d, s);
    a64_vec3(e->c, a64_vsize(A64_VSMULL2, W16), V2, d, s);
    a64_vec3(e->c, a64_vsize(A64_VADDP, W32), d, V0, V2);
}

static void multiply_even(struct a64_emit *e, const struct sse_op *o)
{
    u8 s = a64_sse_source(e, o, A64_Q), d = a64_fp_write(e, o->guest->reg, 16);

    a64_vec2(e->c, a64_vsize(A64_VXTN, W32), V0, d);
    a64_vec2(e->c, a64_vsize(A64_VXTN, W32), V2, s);
    a64_vec3(e->c, a64_vsize(A64_VUMULL, W32), d, V0, V2);
}

static void sum_differences(struct a64_emit *e, const struct sse_op *o)
{
    u8 s = a64_sse_source(e, o, A64_Q), d = a64_fp_write(e, o->guest->reg, 16);

    a64_vec3(e->c, A64_VUABD, d, d, s);
    for (enum width w = W8; w < W64; w++)
        a64_vec2(e->c, a64_vsize(A64_VUADDLP, w), d, d);
}

/* By an immediate; the lanes' width is the row's. */
static void shift(struct a64_emit *e, const struct sse_op *o)
{
    enum width w = (enum width)o->op;
    u8 bits = (u8)(8u << w), n = o->guest->imm > 255 ? 255 : (u8)o->guest->imm;
    u8 kind = o->guest->modrm >> 3 & 7, d = a64_fp_write(e, o->guest->rm, 16);
    bool bytes = kind == 3 || kind == 7; /* PSRLDQ, PSLLDQ */

    if (n == 0)
        return;
    if (kind == 4) {
        a64_vshift(e->c, A64_VSSHR, w, d, d, n < bits ? n : bits);
    } else if (n >= (bytes ? 16 : bits)) {
        a64_vzero(e->c, d);
    } else if (bytes) {
        a64_vzero(e->c, V0);
        if (kind == 3)
            a64_vext(e->c, d, d, V0, n);
        else
            a64_vext(e->c, d, V0, d, 16 - n);
    } else {
        a64_vshift(e->c, kind == 2 ? A64_VUSHR : A64_VSHL, w, d, d, n);
    }
}

/* --- all of them --- */

enum { NP = BIT(SIMD_NP), P66 = BIT(SIMD_66), F3 = BIT(SIMD_F3), F2 = BIT(SIMD_F2) };
enum { PSD = NP | P66, SSD = F3 | F2, ALL4 = PSD | SSD };

#define SIZED(op, w) ((op) | (u32)(w) << A64_VSIZE_SHIFT)

/* Rows of map 0F, by opcode and mandatory prefix. */
static const struct row {
    u8 opcode, prefixes;
    bool raises;
    sse_fn *fn;
    u32 op;
} rows[] = {
    // clang-format off
    {0x10, PSD, false, load_all, 0},
    {0x10, SSD, false, load_scalar, 0},
    {0x11, PSD, false, store_all, 0},
    {0x11, SSD, false, store_scalar, 0},
    {0x12, PSD, false, load_half, 0},
    {0x13, PSD, false, store_half, 0},
    {0x14, PSD, false, unpack, A64_VZIP1},
    {0x15, PSD, false, unpack, A64_VZIP2},
    {0x16, PSD, false, load_half, 1},
    {0x17, PSD, false, store_half, 1},
    {0x28, PSD, false, load_all, 0},
    {0x29, PSD, false, store_all, 0},
    {0x2a, F3,  true, a64_sse_single_from_int, 0},
    {0x2a, F2,  false, a64_sse_double_from_int, 0},
    {0x2b, PSD, false, store_all, 0},
    {0x2c, SSD, true, a64_sse_int_from_scalar, 0},
    {0x2d, SSD, true, a64_sse_int_from_scalar, 0},
    {0x2e, PSD, true, a64_sse_order, 0},
    {0x2f, PSD, true, a64_sse_order, 0},
    {0x50, PSD, false, sign_lanes, 0},
    {0x51, ALL4, true, a64_sse_root, 0},
    {0x54, PSD, false, packed, A64_VAND},
    {0x55, PSD, false, and_not, 0},
    {0x56, PSD, false, packed, A64_VORR},
    {0x57, PSD, false, packed, A64_VEOR},
    {0x58, ALL4, true, a64_sse_arith, SSE_ADD},
    {0x59, ALL4, true, a64_sse_arith, SSE_MUL},
    {0x5a, ALL4, true, a64_sse_other_precision, 0},
    {0x5b, NP,  true, a64_sse_singles_from_ints, 0},
    {0x5b, P66, true, a64_sse_ints_from_singles, 0},
    {0x5b, F3,  true, a64_sse_ints_from_singles, 1},
    {0x5c, ALL4, true, a64_sse_arith, SSE_SUB},
    {0x5d, ALL4, true, a64_sse_choose_one, 0},
    {0x5e, ALL4, true, a64_sse_arith, SSE_DIV},
    {0x5f, ALL4, true, a64_sse_choose_one, 1},
    {0x60, P66, false, packed, SIZED(A64_VZIP1, W8)},
    {0x61, P66, false, packed, SIZED(A64_VZIP1, W16)},
    {0x62, P66, false, packed, SIZED(A64_VZIP1, W32)},
    {0x63, P66, false, pack, SIZED(A64_VSQXTN, W8)},
    {0x64, P66, false, packed, SIZED(A64_VCMGT, W8)},
    {0x65, P66, false, packed, SIZED(A64_VCMGT, W16)},
    {0x66, P66, false, packed, SIZED(A64_VCMGT, W32)},
    {0x67, P66, false, pack, SIZED(A64_VSQXTUN, W8)},
    {0x68, P66, false, packed, SIZED(A64_VZIP2, W8)},
    {0x69, P66, false, packed, SIZED(A64_VZIP2, W16)},
    {0x6a, P66, false, packed, SIZED(A64_VZIP2, W32)},
    {0x6b, P66, false, pack, SIZED(A64_VSQXTN, W16)},
    {0x6c, P66, false, packed, SIZED(A64_VZIP1, W64)},
    {0x6d, P66, false, packed, SIZED(A64_VZIP2, W64)},
    {0x6e, P66, false, load_general, 0},
    {0x6f, P66 | F3, false, load_all, 0},
    {0x70, P66 | SSD, false, shuffle, 0},
    {0x71, P66, false, shift, W16},
    {0x72, P66, false, shift, W32},
    {0x73, P66, false, shift, W64},
    {0x74, P66, false, packed, SIZED(A64_VCMEQ, W8)},
    {0x75, P66, false, packed, SIZED(A64_VCMEQ, W16)},
    {0x76, P66, false, packed, SIZED(A64_VCMEQ, W32)},
    {0x7e, P66, false, store_general, 0},
    {0x7e, F3,  false, load_low, 0},
    {0x7f, P66 | F3, false, store_all, 0},
    {0xc2, ALL4, true, a64_sse_compare, 0},
    {0xc4, P66, false, insert_word, 0},
    {0xc5, P66, false, extract_word, 0},
    {0xc6, NP,  false, shuffle_singles, 0},
    {0xc6, P66, false, shuffle_doubles, 0},
    {0xd4, P66, false, packed, SIZED(A64_VADD, W64)},
    {0xd5, P66, false, packed, SIZED(A64_VMUL, W16)},
    {0xd6, P66, false, store_low, 0},
    {0xd7, P66, false, sign_bytes, 0},
    {0xd8, P66, false, packed, SIZED(A64_VUQSUB, W8)},
    {0xd9, P66, false, packed, SIZED(A64_VUQSUB, W16)},
    {0xda, P66, false, packed, SIZED(A64_VUMIN, W8)},
    {0xdb, P66, false, packed, A64_VAND},
    {0xdc, P66, false, packed, SIZED(A64_VUQADD, W8)},
    {0xdd, P66, false, packed, SIZED(A64_VUQADD, W16)},
    {0xde, P66, false, packed, SIZED(A64_VUMAX, W8)},
    {0xdf, P66, false, and_not, 0},
    {0xe0, P66, false, packed, SIZED(A64_VURHADD, W8)},
    {0xe3, P66, false, packed, SIZED(A64_VURHADD, W16)},
    {0xe4, P66, false, multiply_high, A64_VUMULL},
    {0xe5, P66, false, multiply_high, A64_VSMULL},
    {0xe6, P66, true, a64_sse_ints_from_doubles, 1},
    {0xe6, F3,  false, a64_sse_doubles_from_ints, 0},
    {0xe6, F2,  true, a64_sse_ints_from_doubles, 0},
    {0xe7, P66, false, store_all, 0},
    {0xe8, P66, false, packed, SIZED(A64_VSQSUB, W8)},
    {0xe9, P66, false, packed, SIZED(A64_VSQSUB, W16)},
    {0xea, P66, false, packed, SIZED(A64_VSMIN, W16)},
    {0xeb, P66, false, packed, A64_VORR},
    {0xec, P66, false, packed, SIZED(A64_VSQADD, W8)},
    {0xed, P66, false, packed, SIZED(A64_VSQADD, W16)},
    {0xee, P66, false, packed, SIZED(A64_VSMAX, W16)},
    {0xef, P66, false, packed, A64_VEOR},
    {0xf4, P66, false, multiply_even, 0},
    {0xf5, P66, false, multiply_add, 0},
    {0xf6, P66, false, sum_differences, 0},
    {0xf8, P66, false, packed, SIZED(A64_VSUB, W8)},
    {0xf9, P66, false, packed, SIZED(A64_VSUB, W16)},
    {0xfa, P66, false, packed, SIZED(A64_VSUB, W32)},
    {0xfb, P66, false, packed, SIZED(A64_VSUB, W64)},
    {0xfc, P66, false, packed, SIZED(A64_VADD, W8)},
    {0xfd, P66, false, packed, SIZED(A64_VADD, W16)},
    {0xfe, P66, false, packed, SIZED(A64_VADD, W32)},
    // clang-format on
};

static const struct row *row_of(const struct insn *guest)
{
    const struct insn_def *d = &insn_def[guest->id];
    u8 prefix = (u8)BIT(simd_prefix(guest));

    if (d->map != MAP_0F || (d->feat != FEAT_SSE && d->feat != FEAT_SSE2) ||
        jit_fp_units(guest) != FP_SSE)
        return NULL;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].opcode == guest->opcode && rows[i].prefixes & prefix)
            return &rows[i];
    }
    return NULL;
}

bool a64_sse_knows(const struct insn *guest, bool *raises)
{
    const struct row *r = row_of(guest);

    *raises = r && r->raises;
    return r != NULL;
}

bool a64_sse(struct a64_emit *e, const struct ir_insn *in)
{
    const struct insn *guest = &e->ir->guest[in->g];
    const struct row *r = row_of(guest);

    if (!r)
        return false;
    const struct sse_op o = {in, guest, simd_prefix(guest), r->op};
    r->fn(e, &o);
    return true;
}
