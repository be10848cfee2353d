/* SPDX-License-Identifier: MIT */
/*
 * x86-64 encodings: shifts, multiplication and division, bits, exchanges, conditional bytes and
 * moves.
 *
 * References: [SDM 2A] [SDM 2B] the instructions' pages; [SDM 2D Table A-6] groups;
 * [SDM 2A §2.3.5] VEX.
 */
#include <assert.h>

#include "jit/x64/x64_enc.h"

enum {
    PREFIX_LOCK = 0xf0,
    OP_IMUL_RRI = 0x69,
    OP_IMUL_RRI8 = 0x6b,
    OP_XCHG = 0x86,
    OP_XCHG_ACC = 0x90,
    OP_CWDE = 0x98,
    OP_CDQ = 0x99,
    OP_GROUP2_IMM = 0xc0,
    OP_GROUP2_ONE = 0xd0,
    OP_GROUP2_CL = 0xd2,
    OP_GROUP3 = 0xf6,
    OP_GROUP4 = 0xfe,
    OP_CMOV = 0x0f40,
    OP_BT_RR = 0x0f83, /* the operation is added at bit 3 */
    OP_SETCC = 0x0f90,
    OP_SHLD = 0x0fa4,
    OP_SHD_BY_CL = 1,
    OP_SHD_RIGHT = 8,
    OP_IMUL_RR = 0x0faf,
    OP_CMPXCHG = 0x0fb0,
    OP_POPCNT = 0xf30fb8,
    OP_GROUP8 = 0x0fba,
    OP_BSF = 0x0fbc,
    OP_BSR = 0x0fbd,
    OP_XADD = 0x0fc0,
    OP_BSWAP = 0x0fc8,
};

/* An opcode with registers that are never bytes, with the same number for all widths. */
static void x64_word_rr(struct codebuf *c, u32 op, enum width w, u8 reg, u8 rm)
{
    assert(w != W8);
    x64_enc_rr(c, op, w, X64_BYTES_NONE, reg, rm);
}

static void x64_word_rm(struct codebuf *c, u32 op, enum width w, u8 reg, struct x64_mem m)
{
    assert(w != W8);
    x64_enc_rm(c, op, w, X64_BYTES_NONE, reg, m);
}

void x64_shift_ri(struct codebuf *c, enum x64_shift op, enum width w, u8 dst, u8 count)
{
    x64_enc_digit_r(c, count == 1 ? OP_GROUP2_ONE : OP_GROUP2_IMM, w, op, dst);
    if (count != 1)
        put8(c, count);
}

void x64_shift_rcl(struct codebuf *c, enum x64_shift op, enum width w, u8 dst)
{
    x64_enc_digit_r(c, OP_GROUP2_CL, w, op, dst);
}

void x64_shift_mi(struct codebuf *c, enum x64_shift op, enum width w, struct x64_mem m, u8 count)
{
    x64_enc_digit_m(c, count == 1 ? OP_GROUP2_ONE : OP_GROUP2_IMM, w, op, m);
    if (count != 1)
        put8(c, count);
}

void x64_shift_mcl(struct codebuf *c, enum x64_shift op, enum width w, struct x64_mem m)
{
    x64_enc_digit_m(c, OP_GROUP2_CL, w, op, m);
}

void x64_shd_rri(struct codebuf *c, bool right, enum width w, u8 dst, u8 src, u8 count)
{
    x64_word_rr(c, OP_SHLD | (right ? OP_SHD_RIGHT : 0), w, src, dst);
    put8(c, count);
}

void x64_shd_rrcl(struct codebuf *c, bool right, enum width w, u8 dst, u8 src)
{
    x64_word_rr(c, OP_SHLD | OP_SHD_BY_CL | (right ? OP_SHD_RIGHT : 0), w, src, dst);
}

/* The fields of a three-byte VEX prefix. */
enum vex_map { VEX_0F38 = 2, VEX_0F3A = 3 };
enum vex_pp { VEX_66 = 1, VEX_F3, VEX_F2 };

/* VEX.LZ with ModR/M of registers; what it holds of registers is inverted. */
static void x64_vex_rr(struct codebuf *c, enum vex_map map, enum vex_pp pp, u8 op, enum width w,
                       u8 reg, u8 vvvv, u8 rm)
{
    assert(w >= W32 && reg <= R15 && vvvv <= R15 && rm <= R15);
    put8(c, 0xc4);
    put8(c, (u8)((reg < R8) << 7 | 1 << 6 | (rm < R8) << 5 | map));
    put8(c, (u8)((w == W64) << 7 | (~vvvv & 15) << 3 | pp));
    put8(c, op);
    put8(c, (u8)(0xc0 | (reg & 7) << 3 | (rm & 7)));
}

void x64_shlx(struct codebuf *c, enum width w, u8 dst, u8 src, u8 count)
{
    x64_vex_rr(c, VEX_0F38, VEX_66, 0xf7, w, dst, count, src);
}

void x64_shrx(struct codebuf *c, enum width w, u8 dst, u8 src, u8 count)
{
    x64_vex_rr(c, VEX_0F38, VEX_F2, 0xf7, w, dst, count, src);
}

void x64_sarx(struct codebuf *c, enum width w, u8 dst, u8 src, u8 count)
{
    x64_vex_rr(c, VEX_0F38, VEX_F3, 0xf7, w, dst, count, src);
}

void x64_rorx(struct codebuf *c, enum width w, u8 dst, u8 src, u8 count)
{
    x64_vex_rr(c, VEX_0F3A, VEX_F2, 0xf0, w, dst, 0, src);
    put8(c, count);
}

void x64_unary_r(struct codebuf *c, enum x64_unary op, enum width w, u8 r)
{
    x64_enc_digit_r(c, OP_GROUP3, w, op, r);
}

void x64_unary_m(struct codebuf *c, enum x64_unary op, enum width w, struct x64_mem m)
{
    x64_enc_digit_m(c, OP_GROUP3, w, op, m);
}

void x64_inc_r(struct codebuf *c, enum width w, u8 r)
{
    x64_enc_digit_r(c, OP_GROUP4, w, 0, r);
}

void x64_dec_r(struct codebuf *c, enum width w, u8 r)
{
    x64_enc_digit_r(c, OP_GROUP4, w, 1, r);
}

void x64_inc_m(struct codebuf *c, enum width w, struct x64_mem m)
{
    x64_enc_digit_m(c, OP_GROUP4, w, 0, m);
}

void x64_dec_m(struct codebuf *c, enum width w, struct x64_mem m)
{
    x64_enc_digit_m(c, OP_GROUP4, w, 1, m);
}

void x64_imul_rr(struct codebuf *c, enum width w, u8 dst, u8 src)
{
    x64_word_rr(c, OP_IMUL_RR, w, dst, src);
}

void x64_imul_rm(struct codebuf *c, enum width w, u8 dst, struct x64_mem m)
{
    x64_word_rm(c, OP_IMUL_RR, w, dst, m);
}

void x64_imul_rri(struct codebuf *c, enum width w, u8 dst, u8 src, i32 imm)
{
    if (w == W16)
        imm = (i16)imm;
    bool small = x64_fits8(imm);
    x64_word_rr(c, small ? OP_IMUL_RRI8 : OP_IMUL_RRI, w, dst, src);
    x64_enc_imm(c, small ? W8 : w, imm);
}

void x64_cdq(struct codebuf *c)
{
    x64_enc_plain(c, OP_CDQ, W32);
}

void x64_cqo(struct codebuf *c)
{
    x64_enc_plain(c, OP_CDQ, W64);
}

void x64_cwde(struct codebuf *c)
{
    x64_enc_plain(c, OP_CWDE, W32);
}

void x64_cbw(struct codebuf *c)
{
    x64_enc_plain(c, OP_CWDE, W16);
}

void x64_bt_ri(struct codebuf *c, enum x64_bt op, enum width w, u8 r, u8 bit)
{
    x64_word_rr(c, OP_GROUP8, w, op, r);
    put8(c, bit);
}

void x64_bt_rr(struct codebuf *c, enum x64_bt op, enum width w, u8 r, u8 bit)
{
    x64_word_rr(c, OP_BT_RR | op << 3, w, bit, r);
}

void x64_bt_mi(struct codebuf *c, enum x64_bt op, enum width w, struct x64_mem m, u8 bit)
{
    x64_word_rm(c, OP_GROUP8, w, op, m);
    put8(c, bit);
}

void x64_bsf_rr(struct codebuf *c, enum width w, u8 dst, u8 src)
{
    x64_word_rr(c, OP_BSF, w, dst, src);
}

void x64_bsr_rr(struct codebuf *c, enum width w, u8 dst, u8 src)
{
    x64_word_rr(c, OP_BSR, w, dst, src);
}

void x64_popcnt_rr(struct codebuf *c, enum width w, u8 dst, u8 src)
{
    x64_word_rr(c, OP_POPCNT, w, dst, src);
}

void x64_bswap(struct codebuf *c, enum width w, u8 r)
{
    assert(w >= W32);
    x64_enc_o(c, OP_BSWAP, w, r);
}

void x64_xchg_rr(struct codebuf *c, enum width w, u8 a, u8 b)
{
    /* XCHG EAX, EAX as 90 would be NOP and leave the upper half. [SDM 2B NOP] */
    if (w == W8 || (a != RAX && b != RAX) || a == b)
        x64_enc_pair_rr(c, OP_XCHG, w, b, a);
    else
        x64_enc_o(c, OP_XCHG_ACC, w, a == RAX ? b : a);
}

void x64_xchg_mr(struct codebuf *c, enum width w, struct x64_mem m, u8 r)
{
    x64_enc_pair_rm(c, OP_XCHG, w, r, m);
}

void x64_cmpxchg_mr(struct codebuf *c, bool lock, enum width w, struct x64_mem m, u8 src)
{
    if (lock)
        put8(c, PREFIX_LOCK);
    x64_enc_pair_rm(c, OP_CMPXCHG, w, src, m);
}

void x64_xadd_mr(struct codebuf *c, bool lock, enum width w, struct x64_mem m, u8 src)
{
    if (lock)
        put8(c, PREFIX_LOCK);
    x64_enc_pair_rm(c, OP_XADD, w, src, m);
}

void x64_setcc_r(struct codebuf *c, enum x64_cc cc, u8 dst)
{
    x64_enc_rr(c, OP_SETCC | cc, W8, X64_BYTES_RM, 0, dst);
}

void x64_setcc_m(struct codebuf *c, enum x64_cc cc, struct x64_mem m)
{
    x64_enc_rm(c, OP_SETCC | cc, W8, X64_BYTES_NONE, 0, m);
}

void x64_cmov_rr(struct codebuf *c, enum x64_cc cc, enum width w, u8 dst, u8 src)
{
    x64_word_rr(c, OP_CMOV | cc, w, dst, src);
}

void x64_cmov_rm(struct codebuf *c, enum x64_cc cc, enum width w, u8 dst, struct x64_mem m)
{
    x64_word_rm(c, OP_CMOV | cc, w, dst, m);
}
