/* SPDX-License-Identifier: MIT */
/*
 * A64 encodings: bit-fields, shifts, multiplication and division, conditions.
 *
 * References: [ARM C4.1] Data Processing -- Immediate, Data Processing -- Register.
 */
#include "jit/a64/a64_enc.h"

/* Instructions with zeros where operands go, and bits of them. [ARM C4.1] */
#define OP_BITFIELD   0x13000000u
#define OP_BITFIELD_N BIT(22) /* equal to sf */
#define OP_EXTR       0x13800000u
#define OP_SOURCES2   0x1ac00000u
#define OP_MADD       0x1b000000u
#define OP_MADD_SUB   BIT(15)
#define OP_SMADDL     0x9b200000u
#define OP_UMADDL     0x9ba00000u
#define OP_SMULH      0x9b400000u
#define OP_UMULH      0x9bc00000u
#define OP_SOURCES1   0x5ac00000u
#define OP_CSEL       0x1a800000u
#define OP_CCMN_RR    0x3a400000u
#define OP_CCMP_RI    BIT(11)

/* Bits 15 to 10 of instructions with two and with one source. */
enum sources2 { UDIV = 2, SDIV, LSLV = 8 };
enum sources1 { RBIT, REV16, REV32, REV64, CLZ, CLS };

static u32 a64_sf_and_n(enum width w)
{
    return a64_sf(w) | (w == W64 ? OP_BITFIELD_N : 0);
}

void a64_bitfield(struct codebuf *c, enum a64_bitfield op, enum width w, u8 d, u8 n, u8 immr,
                  u8 imms)
{
    assert(immr < a64_bits(w) && imms < a64_bits(w));
    put32(c, OP_BITFIELD | a64_sf_and_n(w) | a64_field(op, 2, 29) | a64_field(immr, 6, 16) |
                 a64_field(imms, 6, 10) | a64_rd(d) | a64_rn(n));
}

static void a64_extract(struct codebuf *c, enum a64_bitfield op, enum width w, u8 d, u8 n, u8 lsb,
                        u8 bits)
{
    assert(bits > 0);
    a64_bitfield(c, op, w, d, n, lsb, lsb + bits - 1);
}

static void a64_insert(struct codebuf *c, enum a64_bitfield op, enum width w, u8 d, u8 n, u8 lsb,
                       u8 bits)
{
    u8 size = (u8)a64_bits(w);

    assert(bits > 0 && lsb + bits <= size);
    a64_bitfield(c, op, w, d, n, (u8)((size - lsb) % size), bits - 1);
}

void a64_ubfx(struct codebuf *c, enum width w, u8 d, u8 n, u8 lsb, u8 bits)
{
    a64_extract(c, A64_UBFM, w, d, n, lsb, bits);
}

void a64_sbfx(struct codebuf *c, enum width w, u8 d, u8 n, u8 lsb, u8 bits)
{
    a64_extract(c, A64_SBFM, w, d, n, lsb, bits);
}

void a64_bfxil(struct codebuf *c, enum width w, u8 d, u8 n, u8 lsb, u8 bits)
{
    a64_extract(c, A64_BFM, w, d, n, lsb, bits);
}

void a64_ubfiz(struct codebuf *c, enum width w, u8 d, u8 n, u8 lsb, u8 bits)
{
    a64_insert(c, A64_UBFM, w, d, n, lsb, bits);
}

void a64_sbfiz(struct codebuf *c, enum width w, u8 d, u8 n, u8 lsb, u8 bits)
{
    a64_insert(c, A64_SBFM, w, d, n, lsb, bits);
}

void a64_bfi(struct codebuf *c, enum width w, u8 d, u8 n, u8 lsb, u8 bits)
{
    a64_insert(c, A64_BFM, w, d, n, lsb, bits);
}

void a64_extr(struct codebuf *c, enum width w, u8 d, u8 n, u8 m, u8 lsb)
{
    assert(lsb < a64_bits(w));
    put32(c, OP_EXTR | a64_sf_and_n(w) | a64_field(lsb, 6, 10) | a64_dnm(d, n, m));
}

void a64_shift_ri(struct codebuf *c, enum a64_shift op, enum width w, u8 d, u8 n, u8 amount)
{
    u8 size = (u8)a64_bits(w);

    assert(amount < size);
    if (op == A64_ROR)
        a64_extr(c, w, d, n, n, amount);
    else if (op == A64_LSL)
        a64_ubfiz(c, w, d, n, amount, size - amount);
    else if (op == A64_LSR)
        a64_ubfx(c, w, d, n, amount, size - amount);
    else
        a64_sbfx(c, w, d, n, amount, size - amount);
}

static void a64_sources2(struct codebuf *c, u32 op, enum width w, u8 d, u8 n, u8 m)
{
    put32(c, OP_SOURCES2 | a64_sf(w) | a64_field(op, 6, 10) | a64_dnm(d, n, m));
}

void a64_shift_rr(struct codebuf *c, enum a64_shift op, enum width w, u8 d, u8 n, u8 m)
{
    a64_sources2(c, LSLV + op, w, d, n, m);
}

void a64_uxt(struct codebuf *c, enum width from, u8 d, u8 n)
{
    assert(from <= W16);
    a64_ubfx(c, W32, d, n, 0, (u8)a64_bits(from));
}

void a64_sxt(struct codebuf *c, enum width to, enum width from, u8 d, u8 n)
{
    assert(from < to);
    a64_sbfx(c, to, d, n, 0, (u8)a64_bits(from));
}

void a64_madd(struct codebuf *c, enum width w, u8 d, u8 n, u8 m, u8 a)
{
    put32(c, OP_MADD | a64_sf(w) | a64_field(a, 5, 10) | a64_dnm(d, n, m));
}

void a64_msub(struct codebuf *c, enum width w, u8 d, u8 n, u8 m, u8 a)
{
    put32(c, OP_MADD | OP_MADD_SUB | a64_sf(w) | a64_field(a, 5, 10) | a64_dnm(d, n, m));
}

void a64_mul(struct codebuf *c, enum width w, u8 d, u8 n, u8 m)
{
    a64_madd(c, w, d, n, m, XZR);
}

static void a64_multiply_long(struct codebuf *c, u32 op, u8 d, u8 n, u8 m)
{
    put32(c, op | a64_field(XZR, 5, 10) | a64_dnm(d, n, m));
}

void a64_umull(struct codebuf *c, u8 d, u8 n, u8 m)
{
    a64_multiply_long(c, OP_UMADDL, d, n, m);
}

void a64_smull(struct codebuf *c, u8 d, u8 n, u8 m)
{
    a64_multiply_long(c, OP_SMADDL, d, n, m);
}

void a64_umulh(struct codebuf *c, u8 d, u8 n, u8 m)
{
    a64_multiply_long(c, OP_UMULH, d, n, m);
}

void a64_smulh(struct codebuf *c, u8 d, u8 n, u8 m)
{
    a64_multiply_long(c, OP_SMULH, d, n, m);
}

void a64_udiv(struct codebuf *c, enum width w, u8 d, u8 n, u8 m)
{
    a64_sources2(c, UDIV, w, d, n, m);
}

void a64_sdiv(struct codebuf *c, enum width w, u8 d, u8 n, u8 m)
{
    a64_sources2(c, SDIV, w, d, n, m);
}

static void a64_sources1(struct codebuf *c, enum sources1 op, enum width w, u8 d, u8 n)
{
    put32(c, OP_SOURCES1 | a64_sf(w) | a64_field(op, 6, 10) | a64_rd(d) | a64_rn(n));
}

void a64_clz(struct codebuf *c, enum width w, u8 d, u8 n)
{
    a64_sources1(c, CLZ, w, d, n);
}

void a64_cls(struct codebuf *c, enum width w, u8 d, u8 n)
{
    a64_sources1(c, CLS, w, d, n);
}

void a64_rbit(struct codebuf *c, enum width w, u8 d, u8 n)
{
    a64_sources1(c, RBIT, w, d, n);
}

void a64_rev(struct codebuf *c, enum width w, u8 d, u8 n)
{
    a64_sources1(c, w == W64 ? REV64 : REV32, w, d, n);
}

void a64_rev16(struct codebuf *c, enum width w, u8 d, u8 n)
{
    a64_sources1(c, REV16, w, d, n);
}

void a64_select(struct codebuf *c, enum a64_select op, enum width w, u8 d, u8 n, u8 m,
                enum a64_cc cc)
{
    put32(c, OP_CSEL | a64_sf(w) | a64_field(op >> 1, 1, 30) | a64_field(op & 1, 1, 10) |
                 a64_field(cc, 4, 12) | a64_dnm(d, n, m));
}

void a64_csel(struct codebuf *c, enum width w, u8 d, u8 n, u8 m, enum a64_cc cc)
{
    a64_select(c, A64_CSEL, w, d, n, m, cc);
}

void a64_cset(struct codebuf *c, enum width w, u8 d, enum a64_cc cc)
{
    a64_select(c, A64_CSINC, w, d, XZR, XZR, a64_inverse(cc));
}

void a64_csetm(struct codebuf *c, enum width w, u8 d, enum a64_cc cc)
{
    a64_select(c, A64_CSINV, w, d, XZR, XZR, a64_inverse(cc));
}

static u32 a64_ccompare(enum a64_ccompare op, enum width w, u8 n, u8 nzcv, enum a64_cc cc)
{
    return OP_CCMN_RR | a64_sf(w) | a64_field(op, 1, 30) | a64_field(cc, 4, 12) | a64_rn(n) |
           a64_field(nzcv, 4, 0);
}

void a64_ccompare_rr(struct codebuf *c, enum a64_ccompare op, enum width w, u8 n, u8 m, u8 nzcv,
                     enum a64_cc cc)
{
    put32(c, a64_ccompare(op, w, n, nzcv, cc) | a64_rm(m));
}

void a64_ccompare_ri(struct codebuf *c, enum a64_ccompare op, enum width w, u8 n, u8 imm, u8 nzcv,
                     enum a64_cc cc)
{
    put32(c, OP_CCMP_RI | a64_ccompare(op, w, n, nzcv, cc) | a64_field(imm, 5, 16));
}
