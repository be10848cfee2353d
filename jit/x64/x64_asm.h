/* SPDX-License-Identifier: MIT */
/*
 * x86-64 instruction encoder. Knows bytes, not IR. [SDM 2A §2.1-2.2]
 *
 * Operand order is destination first, as in the manual. Widths: W8 names AL..R15B (never AH..BH,
 * except where a function says "legacy"), W16, W32, W64. 32-bit destinations are zero-extended by
 * the processor. The shortest encoding is chosen (imm8, disp8, no needless REX).
 */
#pragma once

#include "jit/codebuf.h"

enum x64_reg {
    RAX,
    RCX,
    RDX,
    RBX,
    RSP,
    RBP,
    RSI,
    RDI,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
    X64_NOREG = 0xff,
};

/** Legacy byte registers AH, CH, DH, BH, as register numbers of instructions without REX. */
enum { X64_AH = 4, X64_CH = 5, X64_DH = 6, X64_BH = 7 };

/** Values are the /digit of group 1, which is also opcode bits 5..3. [SDM 2D Table A-6] */
enum x64_alu { X64_ADD, X64_OR, X64_ADC, X64_SBB, X64_AND, X64_SUB, X64_XOR, X64_CMP };

/** The /digit of group 2. */
enum x64_shift { X64_ROL, X64_ROR, X64_RCL, X64_RCR, X64_SHL, X64_SHR, X64_SAR = 7 };

/** The /digit of group 3 (F6/F7) for one-operand forms. */
enum x64_unary { X64_NOT = 2, X64_NEG, X64_MUL, X64_IMUL, X64_DIV, X64_IDIV };

/** The /digit of group 8 (0F BA) [SDM BT, BTS, BTR, BTC]. */
enum x64_bt { X64_BT = 4, X64_BTS, X64_BTR, X64_BTC };

/** Condition codes, as in Jcc's low four bits. */
enum x64_cc {
    X64_O,
    X64_NO,
    X64_B,
    X64_AE,
    X64_E,
    X64_NE,
    X64_BE,
    X64_A,
    X64_S,
    X64_NS,
    X64_P,
    X64_NP,
    X64_L,
    X64_GE,
    X64_LE,
    X64_G,
};

/** [base + index << scale + disp]; base and index may be X64_NOREG; index is never RSP. */
struct x64_mem {
    u8 base, index, scale;
    i32 disp;
};

static inline struct x64_mem x64_at(u8 base, i32 disp)
{
    return (struct x64_mem){base, X64_NOREG, 0, disp};
}

static inline struct x64_mem x64_idx(u8 base, u8 index, u8 scale, i32 disp)
{
    return (struct x64_mem){base, index, scale, disp};
}

/* Each takes the width first after the buffer. _rr: registers; _ri: register, immediate (sign-
 * extended imm32 for W64); _rm: register, memory; _mr: memory, register; _mi: memory, immediate. */
void x64_alu_rr(struct codebuf *c, enum x64_alu op, enum width w, u8 dst, u8 src);
void x64_alu_ri(struct codebuf *c, enum x64_alu op, enum width w, u8 dst, i32 imm);
void x64_alu_rm(struct codebuf *c, enum x64_alu op, enum width w, u8 dst, struct x64_mem m);
void x64_alu_mr(struct codebuf *c, enum x64_alu op, enum width w, struct x64_mem m, u8 src);
void x64_alu_mi(struct codebuf *c, enum x64_alu op, enum width w, struct x64_mem m, i32 imm);

/* TEST with an immediate is put in a narrower width if that leaves the same flags. */
void x64_test_rr(struct codebuf *c, enum width w, u8 a, u8 b);
void x64_test_ri(struct codebuf *c, enum width w, u8 a, i32 imm);
void x64_test_mr(struct codebuf *c, enum width w, struct x64_mem m, u8 b);
void x64_test_mi(struct codebuf *c, enum width w, struct x64_mem m, i32 imm);

void x64_mov_rr(struct codebuf *c, enum width w, u8 dst, u8 src);
/** Any flag-preserving form that gives the register @imm (mov r32, imm32 if it fits u32, sign-
 * extended imm32, or imm64). Never XOR. */
void x64_mov_ri(struct codebuf *c, u8 dst, u64 imm);
/** MOV r8/r16, imm: the rest of the register stays. */
void x64_mov_ri_part(struct codebuf *c, enum width w, u8 dst, u16 imm);
void x64_mov_rm(struct codebuf *c, enum width w, u8 dst, struct x64_mem m);
void x64_mov_mr(struct codebuf *c, enum width w, struct x64_mem m, u8 src);
void x64_mov_mi(struct codebuf *c, enum width w, struct x64_mem m, i32 imm);

/* dst (32 bits, or 64 with @to == W64) = extended @from (W8, W16; W32 for the sign-extending). */
void x64_movzx_rr(struct codebuf *c, enum width from, u8 dst, u8 src);
void x64_movzx_rm(struct codebuf *c, enum width from, u8 dst, struct x64_mem m);
void x64_movsx_rr(struct codebuf *c, enum width to, enum width from, u8 dst, u8 src);
void x64_movsx_rm(struct codebuf *c, enum width to, enum width from, u8 dst, struct x64_mem m);

/* Legacy byte registers: numbers 0-7 mean AL CL DL BL AH CH DH BH, and no REX is ever put. The
 * other register of a pair must be encodable without REX too; memory: base and index below R8. */
void x64_legacy_mov8_rr(struct codebuf *c, u8 dst, u8 src);
void x64_legacy_mov8_ri(struct codebuf *c, u8 dst, u8 imm);
void x64_legacy_alu8_rr(struct codebuf *c, enum x64_alu op, u8 dst, u8 src);
void x64_legacy_alu8_ri(struct codebuf *c, enum x64_alu op, u8 dst, u8 imm);
void x64_legacy_test8_rr(struct codebuf *c, u8 a, u8 b);
void x64_legacy_test8_ri(struct codebuf *c, u8 a, u8 imm);
/** MOVZX r32, r8 with @dst 0-7 (EAX..EDI). */
void x64_legacy_movzx8_rr(struct codebuf *c, u8 dst, u8 src);
void x64_legacy_setcc(struct codebuf *c, enum x64_cc cc, u8 dst);

void x64_lea(struct codebuf *c, enum width w, u8 dst, struct x64_mem m); /* W32, W64 */

void x64_shift_ri(struct codebuf *c, enum x64_shift op, enum width w, u8 dst, u8 count);
void x64_shift_rcl(struct codebuf *c, enum x64_shift op, enum width w, u8 dst); /* count in CL */
void x64_shift_mi(struct codebuf *c, enum x64_shift op, enum width w, struct x64_mem m, u8 count);
void x64_shift_mcl(struct codebuf *c, enum x64_shift op, enum width w, struct x64_mem m);
/** SHLD (@right false) or SHRD; W16, W32, W64; by an immediate or by CL. */
void x64_shd_rri(struct codebuf *c, bool right, enum width w, u8 dst, u8 src, u8 count);
void x64_shd_rrcl(struct codebuf *c, bool right, enum width w, u8 dst, u8 src);
/** BMI2 SHLX, SHRX, SARX and RORX: flags stay. W32 or W64. */
void x64_shlx(struct codebuf *c, enum width w, u8 dst, u8 src, u8 count);
void x64_sarx(struct codebuf *c, enum width w, u8 dst, u8 src, u8 count);
void x64_shrx(struct codebuf *c, enum width w, u8 dst, u8 src, u8 count);
void x64_rorx(struct codebuf *c, enum width w, u8 dst, u8 src, u8 count);

void x64_unary_r(struct codebuf *c, enum x64_unary op, enum width w, u8 r);
void x64_unary_m(struct codebuf *c, enum x64_unary op, enum width w, struct x64_mem m);
void x64_inc_r(struct codebuf *c, enum width w, u8 r);
void x64_dec_r(struct codebuf *c, enum width w, u8 r);
void x64_inc_m(struct codebuf *c, enum width w, struct x64_mem m);
void x64_dec_m(struct codebuf *c, enum width w, struct x64_mem m);
void x64_imul_rr(struct codebuf *c, enum width w, u8 dst, u8 src);
void x64_imul_rm(struct codebuf *c, enum width w, u8 dst, struct x64_mem m);
void x64_imul_rri(struct codebuf *c, enum width w, u8 dst, u8 src, i32 imm);
void x64_cdq(struct codebuf *c); /* EDX:EAX = EAX */
void x64_cqo(struct codebuf *c);
void x64_cwde(struct codebuf *c); /* EAX = AX */
void x64_cbw(struct codebuf *c);  /* AX = AL */

void x64_bt_ri(struct codebuf *c, enum x64_bt op, enum width w, u8 r, u8 bit);
void x64_bt_rr(struct codebuf *c, enum x64_bt op, enum width w, u8 r, u8 bit);
void x64_bt_mi(struct codebuf *c, enum x64_bt op, enum width w, struct x64_mem m, u8 bit);
void x64_bsf_rr(struct codebuf *c, enum width w, u8 dst, u8 src);
void x64_bsr_rr(struct codebuf *c, enum width w, u8 dst, u8 src);
void x64_popcnt_rr(struct codebuf *c, enum width w, u8 dst, u8 src);
void x64_bswap(struct codebuf *c, enum width w, u8 r);
void x64_xchg_rr(struct codebuf *c, enum width w, u8 a, u8 b);
void x64_xchg_mr(struct codebuf *c, enum width w, struct x64_mem m, u8 r); /* locked by nature */
/** CMPXCHG and XADD, with LOCK if @lock. */
void x64_cmpxchg_mr(struct codebuf *c, bool lock, enum width w, struct x64_mem m, u8 src);
void x64_xadd_mr(struct codebuf *c, bool lock, enum width w, struct x64_mem m, u8 src);

void x64_setcc_r(struct codebuf *c, enum x64_cc cc, u8 dst);
void x64_setcc_m(struct codebuf *c, enum x64_cc cc, struct x64_mem m);
void x64_cmov_rr(struct codebuf *c, enum x64_cc cc, enum width w, u8 dst, u8 src);
void x64_cmov_rm(struct codebuf *c, enum x64_cc cc, enum width w, u8 dst, struct x64_mem m);

void x64_lahf(struct codebuf *c);
void x64_sahf(struct codebuf *c);
void x64_clc(struct codebuf *c);
void x64_stc(struct codebuf *c);
void x64_cmc(struct codebuf *c);
void x64_push_r(struct codebuf *c, u8 r);
void x64_pop_r(struct codebuf *c, u8 r);
void x64_push_i(struct codebuf *c, i32 imm);
void x64_push_m(struct codebuf *c, struct x64_mem m);
void x64_pop_m(struct codebuf *c, struct x64_mem m);
void x64_pushf(struct codebuf *c);
void x64_popf(struct codebuf *c);
void x64_ret(struct codebuf *c);
void x64_rep_movsb(struct codebuf *c);
void x64_ud2(struct codebuf *c);
void x64_nop(struct codebuf *c, unsigned bytes); /* the recommended multi-byte forms, 1..9 each */

/* x87: the bytes of an instruction with registers, and one with memory. */
void x64_x87(struct codebuf *c, u8 opcode, u8 modrm);
void x64_x87_m(struct codebuf *c, u8 opcode, u8 digit, struct x64_mem m);
/** MMX and SSE: @op as the manual writes it, 0x0f58, 0xf30f58, 0x660f3817; @reg and @rm number
 * registers of whatever kind it takes. */
void x64_simd_rr(struct codebuf *c, u32 op, u8 reg, u8 rm);
void x64_simd_rm(struct codebuf *c, u32 op, u8 reg, struct x64_mem m);
void x64_ldmxcsr(struct codebuf *c, struct x64_mem m);
void x64_stmxcsr(struct codebuf *c, struct x64_mem m);
void x64_fxsave(struct codebuf *c, struct x64_mem m);
void x64_fxrstor(struct codebuf *c, struct x64_mem m);
void x64_emms(struct codebuf *c);

void x64_jmp_r(struct codebuf *c, u8 r);
void x64_jmp_m(struct codebuf *c, struct x64_mem m);
void x64_call_r(struct codebuf *c, u8 r);
void x64_call_m(struct codebuf *c, struct x64_mem m);

/* Branches with a 32-bit displacement. They return the place of the displacement, to be filled in
 * by x64_patch32(), or NULL if the buffer is full; with @target not NULL (a write address) it is
 * filled in at once. */
u8 *x64_jmp(struct codebuf *c, const u8 *target);
u8 *x64_call(struct codebuf *c, const u8 *target);
u8 *x64_jcc(struct codebuf *c, enum x64_cc cc, const u8 *target);
/** Make the branch whose displacement is at @place go to @target, at most 2 GiB away. Both are
 * write addresses; a @place of NULL is ignored. */
void x64_patch32(u8 *place, const u8 *target);

/* Branches with an 8-bit displacement, to a place not yet known; x64_patch8() fills it in, with at
 * most 128 bytes between. NULL if the buffer is full (x64_patch8 ignores it). */
u8 *x64_jmp8(struct codebuf *c);
u8 *x64_jcc8(struct codebuf *c, enum x64_cc cc);
void x64_patch8(u8 *place, const u8 *target);
