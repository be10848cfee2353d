/* SPDX-License-Identifier: MIT */
/*
 * Private to jit/x64/: what all x86-64 encodings are made of, prefixes, opcode, ModR/M, SIB,
 * displacement. [SDM 2A §2.1, §2.2]
 *
 * An opcode is one byte, or two with 0F above the second, and above that a prefix that is part of
 * it: 0xb6 is B6, 0x0fb6 is 0F B6, 0xf30fb8 is F3 0F B8, 0x660f3817 is 66 0F 38 17. The first
 * operand is the one in ModR/M.reg (or the /digit that stands there), the second that in ModR/M.rm.
 */
#pragma once

#include "jit/x64/x64_asm.h"

/** Operands that are byte registers: SPL, BPL, SIL and DIL need a REX prefix. */
enum x64_bytes { X64_BYTES_NONE, X64_BYTES_REG = 1, X64_BYTES_RM = 2, X64_BYTES_BOTH = 3 };

/** The opcode just as given; @w decides about 66 and REX.W only. */
void x64_enc_rr(struct codebuf *c, u32 op, enum width w, enum x64_bytes bytes, u8 reg, u8 rm);
void x64_enc_rm(struct codebuf *c, u32 op, enum width w, enum x64_bytes bytes, u8 reg,
                struct x64_mem m);

/** The low three bits of the opcode are the register, which is a byte register if @w is W8. */
void x64_enc_o(struct codebuf *c, u32 op, enum width w, u8 reg);

/** The opcode without operands, or with those that it implies. */
void x64_enc_plain(struct codebuf *c, u32 op, enum width w);

/** @imm in the size that goes with @w: W64 has four bytes. */
void x64_enc_imm(struct codebuf *c, enum width w, i32 imm);

static inline bool x64_fits8(i64 v)
{
    return v == (i8)v;
}

/** Most opcodes come in pairs: even for bytes, odd for the other widths. */
static inline u32 x64_enc_sized(u32 op, enum width w)
{
    return op | (w != W8);
}

/** One of such a pair with AL, AX, EAX or RAX, which the opcode implies. */
static inline void x64_enc_acc(struct codebuf *c, u32 op, enum width w)
{
    x64_enc_plain(c, x64_enc_sized(op, w), w);
}

/** One of such a pair with two registers of one width. */
static inline void x64_enc_pair_rr(struct codebuf *c, u32 op, enum width w, u8 reg, u8 rm)
{
    x64_enc_rr(c, x64_enc_sized(op, w), w, w == W8 ? X64_BYTES_BOTH : X64_BYTES_NONE, reg, rm);
}

/** The same with a register and memory. */
static inline void x64_enc_pair_rm(struct codebuf *c, u32 op, enum width w, u8 reg,
                                   struct x64_mem m)
{
    x64_enc_rm(c, x64_enc_sized(op, w), w, w == W8 ? X64_BYTES_REG : X64_BYTES_NONE, reg, m);
}

/** The same with a /digit and a register. */
static inline void x64_enc_digit_r(struct codebuf *c, u32 op, enum width w, u8 digit, u8 rm)
{
    x64_enc_rr(c, x64_enc_sized(op, w), w, w == W8 ? X64_BYTES_RM : X64_BYTES_NONE, digit, rm);
}

/** The same with a /digit and memory. */
static inline void x64_enc_digit_m(struct codebuf *c, u32 op, enum width w, u8 digit,
                                   struct x64_mem m)
{
    x64_enc_rm(c, x64_enc_sized(op, w), w, X64_BYTES_NONE, digit, m);
}
