/* SPDX-License-Identifier: MIT */
/*
 * A64 encodings: arithmetic, logic, moves of numbers.
 *
 * References: [ARM C4.1] Data Processing -- Immediate, Data Processing -- Register; bitmask
 * immediates in the pseudocode of [ARM J1], DecodeBitMasks().
 */
#include "jit/a64/a64_enc.h"

/* Instructions with zeros where operands go, and bits of them. [ARM C4.1] */
#define OP_ARITH_RS       0x0b000000u
#define OP_ARITH_RX       0x0b200000u
#define OP_ARITH_RI       0x11000000u
#define OP_ARITH_RI_LSL12 BIT(22)
#define OP_CARRY          0x1a000000u
#define OP_LOGIC_RS       0x0a000000u
#define OP_LOGIC_INVERT   BIT(21)
#define OP_LOGIC_RI       0x12000000u
#define OP_MOVN           0x12800000u
#define OP_MOVZ           0x52800000u
#define OP_MOVK           0x72800000u

void a64_arith_rr(struct codebuf *c, enum a64_arith op, enum width w, u8 d, u8 n, u8 m)
{
    a64_arith_rs(c, op, w, d, n, m, A64_LSL, 0);
}

void a64_arith_rs(struct codebuf *c, enum a64_arith op, enum width w, u8 d, u8 n, u8 m,
                  enum a64_shift shift, u8 amount)
{
    assert(shift != A64_ROR && amount < a64_bits(w));
    put32(c, OP_ARITH_RS | a64_sf(w) | a64_field(op, 2, 29) | a64_field(shift, 2, 22) |
                 a64_field(amount, 6, 10) | a64_dnm(d, n, m));
}

void a64_arith_rx(struct codebuf *c, enum a64_arith op, enum width w, u8 d, u8 n, u8 m,
                  enum a64_extend extend, u8 amount)
{
    assert(amount <= 4);
    put32(c, OP_ARITH_RX | a64_sf(w) | a64_field(op, 2, 29) | a64_field(extend, 3, 13) |
                 a64_field(amount, 3, 10) | a64_dnm(d, n, m));
}

bool a64_arith_fits(u64 imm)
{
    return imm <= 0xfff || (imm <= 0xfff000 && (imm & 0xfff) == 0);
}

void a64_arith_ri(struct codebuf *c, enum a64_arith op, enum width w, u8 d, u8 n, u32 imm)
{
    u32 lsl12 = 0;

    if (!a64_arith_fits(imm))
        c->full = true; /* nobody runs what it became */
    if (imm > 0xfff) {
        lsl12 = OP_ARITH_RI_LSL12;
        imm >>= 12;
    }
    put32(c, OP_ARITH_RI | a64_sf(w) | a64_field(op, 2, 29) | lsl12 | a64_field(imm, 12, 10) |
                 a64_rd(d) | a64_rn(n));
}

void a64_carry_rr(struct codebuf *c, enum a64_carry op, enum width w, u8 d, u8 n, u8 m)
{
    put32(c, OP_CARRY | a64_sf(w) | a64_field(op, 2, 29) | a64_dnm(d, n, m));
}

void a64_logic_rr(struct codebuf *c, enum a64_logic op, enum width w, u8 d, u8 n, u8 m)
{
    a64_logic_rs(c, op, w, d, n, m, A64_LSL, 0);
}

void a64_logic_rs(struct codebuf *c, enum a64_logic op, enum width w, u8 d, u8 n, u8 m,
                  enum a64_shift shift, u8 amount)
{
    assert(amount < a64_bits(w));
    put32(c, OP_LOGIC_RS | a64_sf(w) | a64_field(op >> 1, 2, 29) | (op & 1 ? OP_LOGIC_INVERT : 0) |
                 a64_field(shift, 2, 22) | a64_field(amount, 6, 10) | a64_dnm(d, n, m));
}

/* The size of the smallest element that repeats in @imm. */
static unsigned bitmask_element(u64 imm)
{
    unsigned size = 64;

    while (size > 2) {
        unsigned half = size / 2;

        if (((imm ^ imm >> half) & (BIT64(half) - 1)) != 0)
            break;
        size = half;
    }
    return size;
}

bool a64_bitmask(enum width w, u64 imm, u32 *fields)
{
    if (w == W32) {
        if (imm > UINT32_MAX)
            return false;
        imm |= imm << 32;
    }
    if (imm == 0 || imm == UINT64_MAX)
        return false;

    unsigned size = bitmask_element(imm);
    u64 mask = UINT64_MAX >> (64 - size), element = imm & mask;
    /* The run of ones may wrap around. If it has bit 0, that of zeros does not. */
    bool of_zeros = element & 1;
    u64 run = of_zeros ? ~element & mask : element;
    unsigned first = (unsigned)__builtin_ctzll(run);
    unsigned length = (unsigned)__builtin_popcountll(run);

    if (run >> first != UINT64_MAX >> (64 - length))
        return false;
    unsigned ones = of_zeros ? size - length : length;
    unsigned start = of_zeros ? first + length : first;
    unsigned immr = (size - start) % size;
    unsigned imms = (~(2 * size - 1) & 0x3f) | (ones - 1);
    *fields = (u32)(size == 64) << 22 | immr << 16 | imms << 10;
    return true;
}

bool a64_logic_fits(enum width w, u64 imm)
{
    u32 fields;

    return a64_bitmask(w, imm, &fields);
}

void a64_logic_ri(struct codebuf *c, enum a64_logic op, enum width w, u8 d, u8 n, u64 imm)
{
    u32 fields = 0;

    if (op & 1)
        imm = w == W32 ? (u32)~imm : ~imm;
    bool fits = a64_bitmask(w, imm, &fields);
    assert(fits);
    (void)fits;
    put32(c, OP_LOGIC_RI | a64_sf(w) | a64_field(op >> 1, 2, 29) | fields | a64_rd(d) | a64_rn(n));
}

static void a64_mov_wide(struct codebuf *c, u32 op, enum width w, u8 d, u16 imm, u8 shift)
{
    assert(shift % 16 == 0 && shift < a64_bits(w));
    put32(c, op | a64_sf(w) | a64_field(shift / 16, 2, 21) | a64_field(imm, 16, 5) | a64_rd(d));
}

void a64_movz(struct codebuf *c, enum width w, u8 d, u16 imm, u8 shift)
{
    a64_mov_wide(c, OP_MOVZ, w, d, imm, shift);
}

void a64_movn(struct codebuf *c, enum width w, u8 d, u16 imm, u8 shift)
{
    a64_mov_wide(c, OP_MOVN, w, d, imm, shift);
}

void a64_movk(struct codebuf *c, enum width w, u8 d, u16 imm, u8 shift)
{
    a64_mov_wide(c, OP_MOVK, w, d, imm, shift);
}

static u16 mov_half(u64 imm, unsigned i)
{
    return (u16)(imm >> 16 * i);
}

/* How many of the half-words differ from @usual. */
static unsigned mov_others(enum width w, u64 imm, u16 usual)
{
    unsigned n = 0;

    for (unsigned i = 0; i < a64_bits(w) / 16; i++)
        n += mov_half(imm, i) != usual;
    return n;
}

/* MOVZ or MOVN makes all half-words @usual, 0 or FFFF, but for one; MOVK each other one. */
static void mov_by_halves(struct codebuf *c, enum width w, u8 d, u64 imm, u16 usual)
{
    u32 first = usual ? OP_MOVN : OP_MOVZ;
    bool begun = false;

    for (unsigned i = 0; i < a64_bits(w) / 16; i++) {
        u16 half = mov_half(imm, i);

        if (half == usual)
            continue;
        if (begun)
            a64_movk(c, w, d, half, (u8)(16 * i));
        else
            a64_mov_wide(c, first, w, d, half ^ usual, (u8)(16 * i));
        begun = true;
    }
    if (!begun)
        a64_mov_wide(c, first, w, d, 0, 0);
}

/* A bitmask immediate that differs in one half-word, then MOVK for that. */
static bool mov_by_bitmask_and_half(struct codebuf *c, u8 d, u64 imm)
{
    for (unsigned i = 0; i < 4; i++) {
        for (unsigned like = 1; like < 4; like++) {
            u64 half = mov_half(imm, (i + like) % 4);
            u64 near = (imm & ~((u64)0xffff << 16 * i)) | half << 16 * i;

            if (a64_logic_fits(W64, near)) {
                a64_logic_ri(c, A64_ORR, W64, d, XZR, near);
                a64_movk(c, W64, d, mov_half(imm, i), (u8)(16 * i));
                return true;
            }
        }
    }
    return false;
}

void a64_mov_ri64(struct codebuf *c, u8 d, u64 imm)
{
    enum width w = imm <= UINT32_MAX ? W32 : W64;
    unsigned with_movz = mov_others(w, imm, 0), with_movn = mov_others(w, imm, 0xffff);
    unsigned n = with_movn < with_movz ? with_movn : with_movz;

    assert(d != XZR); /* ORR would change the stack pointer */
    if (n > 1 && a64_logic_fits(w, imm))
        a64_logic_ri(c, A64_ORR, w, d, XZR, imm);
    else if (n <= 2 || !mov_by_bitmask_and_half(c, d, imm))
        mov_by_halves(c, w, d, imm, with_movn < with_movz ? 0xffff : 0);
}
