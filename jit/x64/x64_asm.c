/* SPDX-License-Identifier: MIT */
/*
 * x86-64 encodings: arithmetic, logic, moves, extensions, legacy byte registers.
 *
 * References: [SDM 2A] [SDM 2B] the instructions' pages; [SDM 2D Table A-6] groups.
 */
#include "jit/x64/x64_asm.h"

#include <assert.h>

#include "jit/x64/x64_enc.h"

enum {
    OP_ALU_RM = 0x02, /* from here: added to the operation << 3 */
    OP_ALU_ACC = 0x04,
    OP_MOVSXD = 0x63,
    OP_GROUP1 = 0x80,
    OP_GROUP1_IMM8 = 0x83,
    OP_TEST = 0x84,
    OP_MOV_MR = 0x88,
    OP_MOV_RM = 0x8a,
    OP_LEA = 0x8d,
    OP_TEST_ACC = 0xa8,
    OP_MOV_RI8 = 0xb0,
    OP_MOV_RI = 0xb8,
    OP_MOV_MI = 0xc6,
    OP_GROUP3 = 0xf6,
    OP_SETCC = 0x0f90,
    OP_MOVZX = 0x0fb6,
    OP_MOVSX = 0x0fbe,
};

/* @imm as the sign-extended value that it is in an operation of width @w. */
static i32 x64_imm_of(enum width w, i32 imm)
{
    return w == W8 ? (i8)imm : w == W16 ? (i16)imm : imm;
}

void x64_alu_rr(struct codebuf *c, enum x64_alu op, enum width w, u8 dst, u8 src)
{
    x64_enc_pair_rr(c, op << 3, w, src, dst);
}

void x64_alu_ri(struct codebuf *c, enum x64_alu op, enum width w, u8 dst, i32 imm)
{
    imm = x64_imm_of(w, imm);
    if (w != W8 && x64_fits8(imm)) {
        x64_enc_rr(c, OP_GROUP1_IMM8, w, X64_BYTES_NONE, op, dst);
        put8(c, (u8)imm);
        return;
    }
    if (dst == RAX)
        x64_enc_acc(c, op << 3 | OP_ALU_ACC, w);
    else
        x64_enc_digit_r(c, OP_GROUP1, w, op, dst);
    x64_enc_imm(c, w, imm);
}

void x64_alu_rm(struct codebuf *c, enum x64_alu op, enum width w, u8 dst, struct x64_mem m)
{
    x64_enc_pair_rm(c, op << 3 | OP_ALU_RM, w, dst, m);
}

void x64_alu_mr(struct codebuf *c, enum x64_alu op, enum width w, struct x64_mem m, u8 src)
{
    x64_enc_pair_rm(c, op << 3, w, src, m);
}

void x64_alu_mi(struct codebuf *c, enum x64_alu op, enum width w, struct x64_mem m, i32 imm)
{
    imm = x64_imm_of(w, imm);
    if (w != W8 && x64_fits8(imm)) {
        x64_enc_rm(c, OP_GROUP1_IMM8, w, X64_BYTES_NONE, op, m);
        put8(c, (u8)imm);
        return;
    }
    x64_enc_digit_m(c, OP_GROUP1, w, op, m);
    x64_enc_imm(c, w, imm);
}

/*
 * The narrowest width in which TEST with @imm leaves the same flags: the bits that are left out are
 * zero in the result, and so is its sign.
 */
static enum width x64_test_width(enum width w, i32 imm)
{
    if (imm >= 0 && imm <= 0x7f)
        return W8;
    return w == W64 && imm >= 0 ? W32 : w;
}

void x64_test_rr(struct codebuf *c, enum width w, u8 a, u8 b)
{
    x64_enc_pair_rr(c, OP_TEST, w, b, a);
}

void x64_test_ri(struct codebuf *c, enum width w, u8 a, i32 imm)
{
    imm = x64_imm_of(w, imm);
    w = x64_test_width(w, imm);
    if (a == RAX)
        x64_enc_acc(c, OP_TEST_ACC, w);
    else
        x64_enc_digit_r(c, OP_GROUP3, w, 0, a);
    x64_enc_imm(c, w, imm);
}

void x64_test_mr(struct codebuf *c, enum width w, struct x64_mem m, u8 b)
{
    x64_enc_pair_rm(c, OP_TEST, w, b, m);
}

void x64_test_mi(struct codebuf *c, enum width w, struct x64_mem m, i32 imm)
{
    imm = x64_imm_of(w, imm);
    w = x64_test_width(w, imm);
    x64_enc_digit_m(c, OP_GROUP3, w, 0, m);
    x64_enc_imm(c, w, imm);
}

void x64_mov_rr(struct codebuf *c, enum width w, u8 dst, u8 src)
{
    x64_enc_pair_rr(c, OP_MOV_MR, w, src, dst);
}

void x64_mov_ri(struct codebuf *c, u8 dst, u64 imm)
{
    if (imm <= UINT32_MAX) {
        x64_enc_o(c, OP_MOV_RI, W32, dst);
        put32(c, (u32)imm);
    } else if ((i64)imm == (i32)imm) {
        x64_enc_digit_r(c, OP_MOV_MI, W64, 0, dst);
        put32(c, (u32)imm);
    } else {
        x64_enc_o(c, OP_MOV_RI, W64, dst);
        put64(c, imm);
    }
}

void x64_mov_ri_part(struct codebuf *c, enum width w, u8 dst, u16 imm)
{
    assert(w == W8 || w == W16);
    x64_enc_o(c, w == W8 ? OP_MOV_RI8 : OP_MOV_RI, w, dst);
    x64_enc_imm(c, w, imm);
}

void x64_mov_rm(struct codebuf *c, enum width w, u8 dst, struct x64_mem m)
{
    x64_enc_pair_rm(c, OP_MOV_RM, w, dst, m);
}

void x64_mov_mr(struct codebuf *c, enum width w, struct x64_mem m, u8 src)
{
    x64_enc_pair_rm(c, OP_MOV_MR, w, src, m);
}

void x64_mov_mi(struct codebuf *c, enum width w, struct x64_mem m, i32 imm)
{
    x64_enc_digit_m(c, OP_MOV_MI, w, 0, m);
    x64_enc_imm(c, w, imm);
}

void x64_movzx_rr(struct codebuf *c, enum width from, u8 dst, u8 src)
{
    assert(from <= W16);
    x64_enc_rr(c, x64_enc_sized(OP_MOVZX, from), W32, from == W8 ? X64_BYTES_RM : X64_BYTES_NONE,
               dst, src);
}

void x64_movzx_rm(struct codebuf *c, enum width from, u8 dst, struct x64_mem m)
{
    assert(from <= W16);
    x64_enc_rm(c, x64_enc_sized(OP_MOVZX, from), W32, X64_BYTES_NONE, dst, m);
}

static u32 x64_movsx_op(enum width from)
{
    return from == W32 ? OP_MOVSXD : x64_enc_sized(OP_MOVSX, from);
}

void x64_movsx_rr(struct codebuf *c, enum width to, enum width from, u8 dst, u8 src)
{
    assert(from < to);
    x64_enc_rr(c, x64_movsx_op(from), to, from == W8 ? X64_BYTES_RM : X64_BYTES_NONE, dst, src);
}

void x64_movsx_rm(struct codebuf *c, enum width to, enum width from, u8 dst, struct x64_mem m)
{
    assert(from < to);
    x64_enc_rm(c, x64_movsx_op(from), to, X64_BYTES_NONE, dst, m);
}

/* Byte operations on registers that are what they were on the 8086, so never with REX. */
static void x64_legacy_rr(struct codebuf *c, u32 op, u8 reg, u8 rm)
{
    assert(reg <= RDI && rm <= RDI);
    x64_enc_rr(c, op, W8, X64_BYTES_NONE, reg, rm);
}

void x64_legacy_mov8_rr(struct codebuf *c, u8 dst, u8 src)
{
    x64_legacy_rr(c, OP_MOV_MR, src, dst);
}

void x64_legacy_mov8_ri(struct codebuf *c, u8 dst, u8 imm)
{
    assert(dst <= RDI);
    put8(c, OP_MOV_RI8 | dst);
    put8(c, imm);
}

void x64_legacy_alu8_rr(struct codebuf *c, enum x64_alu op, u8 dst, u8 src)
{
    x64_legacy_rr(c, op << 3, src, dst);
}

void x64_legacy_alu8_ri(struct codebuf *c, enum x64_alu op, u8 dst, u8 imm)
{
    if (dst == RAX)
        x64_enc_acc(c, op << 3 | OP_ALU_ACC, W8);
    else
        x64_legacy_rr(c, OP_GROUP1, op, dst);
    put8(c, imm);
}

void x64_legacy_test8_rr(struct codebuf *c, u8 a, u8 b)
{
    x64_legacy_rr(c, OP_TEST, b, a);
}

void x64_legacy_test8_ri(struct codebuf *c, u8 a, u8 imm)
{
    if (a == RAX)
        x64_enc_acc(c, OP_TEST_ACC, W8);
    else
        x64_legacy_rr(c, OP_GROUP3, 0, a);
    put8(c, imm);
}

void x64_legacy_movzx8_rr(struct codebuf *c, u8 dst, u8 src)
{
    x64_legacy_rr(c, OP_MOVZX, dst, src);
}

void x64_legacy_setcc(struct codebuf *c, enum x64_cc cc, u8 dst)
{
    x64_legacy_rr(c, OP_SETCC | cc, 0, dst);
}

void x64_lea(struct codebuf *c, enum width w, u8 dst, struct x64_mem m)
{
    assert(w >= W32);
    x64_enc_rm(c, OP_LEA, w, X64_BYTES_NONE, dst, m);
}
