/* SPDX-License-Identifier: MIT */
/*
 * A64 instruction encoder. Knows words, not IR. [ARM C4.1, C6.2]
 *
 * Operand order is destination first, as in the manual. Widths: W32 names W registers and W64 X
 * registers; for memory W8 and W16 too. 32-bit destinations are zero-extended by the processor.
 * Numbers that an instruction has no bits for are the caller's mistake: the functions that end in
 * _fits and _reaches tell before.
 */
#pragma once

#include "jit/codebuf.h"

// clang-format off
enum a64_reg {
    X0, X1, X2, X3, X4, X5, X6, X7, X8, X9, X10, X11, X12, X13, X14, X15, X16, X17, X18, X19, X20,
    X21, X22, X23, X24, X25, X26, X27, X28, X29, X30,
    XZR = 31, /* 31 is one or the other: XSP in addresses and where a function says so */
    XSP = 31,
};

/** Condition codes, as in B.cond's low four bits. [ARM Table C1-1] */
enum a64_cc {
    A64_EQ, A64_NE, A64_HS, A64_LO, A64_MI, A64_PL, A64_VS, A64_VC,
    A64_HI, A64_LS, A64_GE, A64_LT, A64_GT, A64_LE, A64_AL,
};
// clang-format on

static inline enum a64_cc a64_inverse(enum a64_cc cc)
{
    return (enum a64_cc)(cc ^ 1);
}

/** Bits 30 and 29 of additions and subtractions. */
enum a64_arith { A64_ADD, A64_ADDS, A64_SUB, A64_SUBS };

/** The same with carry: C is the inverted borrow. */
enum a64_carry { A64_ADC, A64_ADCS, A64_SBC, A64_SBCS };

/** Bits 30 and 29, then bit 21, which inverts the last operand. */
enum a64_logic { A64_AND, A64_BIC, A64_ORR, A64_ORN, A64_EOR, A64_EON, A64_ANDS, A64_BICS };

/** How a register operand is shifted; A64_ROR is not for additions and subtractions. */
enum a64_shift { A64_LSL, A64_LSR, A64_ASR, A64_ROR };

/** How a register operand is extended. Addresses know UXTW, UXTX (as LSL), SXTW and SXTX. */
enum a64_extend {
    A64_UXTB,
    A64_UXTH,
    A64_UXTW,
    A64_UXTX,
    A64_SXTB,
    A64_SXTH,
    A64_SXTW,
    A64_SXTX,
};

/* _rr: registers; _rs: the last register shifted; _rx: the last register extended, then shifted
 * left by 0 to 4; _ri: register, immediate. */
void a64_arith_rr(struct codebuf *c, enum a64_arith op, enum width w, u8 d, u8 n, u8 m);
void a64_arith_rs(struct codebuf *c, enum a64_arith op, enum width w, u8 d, u8 n, u8 m,
                  enum a64_shift shift, u8 amount);
/** 31 is XSP as @n, and as @d if flags stay. */
void a64_arith_rx(struct codebuf *c, enum a64_arith op, enum width w, u8 d, u8 n, u8 m,
                  enum a64_extend extend, u8 amount);
/** 12 bits, or 12 bits followed by 12 zeros. */
bool a64_arith_fits(u64 imm);
/** 31 is XSP as @n, and as @d if flags stay. */
void a64_arith_ri(struct codebuf *c, enum a64_arith op, enum width w, u8 d, u8 n, u32 imm);
void a64_carry_rr(struct codebuf *c, enum a64_carry op, enum width w, u8 d, u8 n, u8 m);

void a64_logic_rr(struct codebuf *c, enum a64_logic op, enum width w, u8 d, u8 n, u8 m);
void a64_logic_rs(struct codebuf *c, enum a64_logic op, enum width w, u8 d, u8 n, u8 m,
                  enum a64_shift shift, u8 amount);
/**
 * A bitmask immediate: a run of ones, rotated, in elements of 2, 4, ... 64 bits that fill the
 * register. For W32, bits above 31 must be zero. What fits, fits inverted too.
 */
bool a64_logic_fits(enum width w, u64 imm);
/** With A64_BIC and the like the inverted immediate is put. 31 is XSP as @d, but not of ANDS. */
void a64_logic_ri(struct codebuf *c, enum a64_logic op, enum width w, u8 d, u8 n, u64 imm);

/* @imm << @shift, where shift is 0, 16, 32 or 48; MOVK leaves the other bits. */
void a64_movz(struct codebuf *c, enum width w, u8 d, u16 imm, u8 shift);
void a64_movn(struct codebuf *c, enum width w, u8 d, u16 imm, u8 shift);
void a64_movk(struct codebuf *c, enum width w, u8 d, u16 imm, u8 shift);
/** Give the register @imm, in as few of MOVZ, MOVN, MOVK and ORR as are known to do it: 1 to 4.
 * Flags stay. */
void a64_mov_ri64(struct codebuf *c, u8 d, u64 imm);

static inline void a64_mov_rr(struct codebuf *c, enum width w, u8 d, u8 m)
{
    a64_logic_rr(c, A64_ORR, w, d, XZR, m);
}

/** To or from the stack pointer. */
static inline void a64_mov_sp(struct codebuf *c, u8 d, u8 n)
{
    a64_arith_ri(c, A64_ADD, W64, d, n, 0);
}

static inline void a64_mvn_rr(struct codebuf *c, enum width w, u8 d, u8 m)
{
    a64_logic_rr(c, A64_ORN, w, d, XZR, m);
}

static inline void a64_neg_rr(struct codebuf *c, enum width w, u8 d, u8 m)
{
    a64_arith_rr(c, A64_SUB, w, d, XZR, m);
}

static inline void a64_cmp_rr(struct codebuf *c, enum width w, u8 n, u8 m)
{
    a64_arith_rr(c, A64_SUBS, w, XZR, n, m);
}

static inline void a64_cmp_ri(struct codebuf *c, enum width w, u8 n, u32 imm)
{
    a64_arith_ri(c, A64_SUBS, w, XZR, n, imm);
}

static inline void a64_cmn_rr(struct codebuf *c, enum width w, u8 n, u8 m)
{
    a64_arith_rr(c, A64_ADDS, w, XZR, n, m);
}

static inline void a64_cmn_ri(struct codebuf *c, enum width w, u8 n, u32 imm)
{
    a64_arith_ri(c, A64_ADDS, w, XZR, n, imm);
}

static inline void a64_tst_rr(struct codebuf *c, enum width w, u8 n, u8 m)
{
    a64_logic_rr(c, A64_ANDS, w, XZR, n, m);
}

static inline void a64_tst_ri(struct codebuf *c, enum width w, u8 n, u64 imm)
{
    a64_logic_ri(c, A64_ANDS, w, XZR, n, imm);
}

/** The fields are used as they are: rotation to the right, and number of the last bit. */
enum a64_bitfield { A64_SBFM, A64_BFM, A64_UBFM };
void a64_bitfield(struct codebuf *c, enum a64_bitfield op, enum width w, u8 d, u8 n, u8 immr,
                  u8 imms);

/* @bits bits of @n from @lsb on become the low bits of @d; the rest of @d is zeros, copies of the
 * sign, or what it was (BFXIL). */
void a64_ubfx(struct codebuf *c, enum width w, u8 d, u8 n, u8 lsb, u8 bits);
void a64_sbfx(struct codebuf *c, enum width w, u8 d, u8 n, u8 lsb, u8 bits);
void a64_bfxil(struct codebuf *c, enum width w, u8 d, u8 n, u8 lsb, u8 bits);
/* The low @bits bits of @n become those of @d from @lsb on; the rest likewise. */
void a64_ubfiz(struct codebuf *c, enum width w, u8 d, u8 n, u8 lsb, u8 bits);
void a64_sbfiz(struct codebuf *c, enum width w, u8 d, u8 n, u8 lsb, u8 bits);
void a64_bfi(struct codebuf *c, enum width w, u8 d, u8 n, u8 lsb, u8 bits);

/** The low bits of @n:@m >> @lsb. */
void a64_extr(struct codebuf *c, enum width w, u8 d, u8 n, u8 m, u8 lsb);
/** By 0 to width - 1. */
void a64_shift_ri(struct codebuf *c, enum a64_shift op, enum width w, u8 d, u8 n, u8 amount);
/** By @m modulo the width. */
void a64_shift_rr(struct codebuf *c, enum a64_shift op, enum width w, u8 d, u8 n, u8 m);
/** Zero-extend W8 or W16. */
void a64_uxt(struct codebuf *c, enum width from, u8 d, u8 n);
/** Sign-extend W8, W16 or W32 to W32 or W64. */
void a64_sxt(struct codebuf *c, enum width to, enum width from, u8 d, u8 n);

/** @d = @a + @n * @m. */
void a64_madd(struct codebuf *c, enum width w, u8 d, u8 n, u8 m, u8 a);
/** @d = @a - @n * @m. */
void a64_msub(struct codebuf *c, enum width w, u8 d, u8 n, u8 m, u8 a);
void a64_mul(struct codebuf *c, enum width w, u8 d, u8 n, u8 m);
/* 64 bits = 32 bits times 32 bits. */
void a64_umull(struct codebuf *c, u8 d, u8 n, u8 m);
void a64_smull(struct codebuf *c, u8 d, u8 n, u8 m);
/* The upper 64 of 128 bits. */
void a64_umulh(struct codebuf *c, u8 d, u8 n, u8 m);
void a64_smulh(struct codebuf *c, u8 d, u8 n, u8 m);
void a64_udiv(struct codebuf *c, enum width w, u8 d, u8 n, u8 m);
void a64_sdiv(struct codebuf *c, enum width w, u8 d, u8 n, u8 m);

void a64_clz(struct codebuf *c, enum width w, u8 d, u8 n);
void a64_cls(struct codebuf *c, enum width w, u8 d, u8 n);
void a64_rbit(struct codebuf *c, enum width w, u8 d, u8 n);
/** All bytes of the register in opposite order. */
void a64_rev(struct codebuf *c, enum width w, u8 d, u8 n);
/** The bytes of each half-word in opposite order. */
void a64_rev16(struct codebuf *c, enum width w, u8 d, u8 n);

/** @d = @n if @cc, else @m as it is, + 1, inverted, negated. */
enum a64_select { A64_CSEL, A64_CSINC, A64_CSINV, A64_CSNEG };
void a64_select(struct codebuf *c, enum a64_select op, enum width w, u8 d, u8 n, u8 m,
                enum a64_cc cc);
void a64_csel(struct codebuf *c, enum width w, u8 d, u8 n, u8 m, enum a64_cc cc);
/** 1 or 0. */
void a64_cset(struct codebuf *c, enum width w, u8 d, enum a64_cc cc);
/** All ones or 0. */
void a64_csetm(struct codebuf *c, enum width w, u8 d, enum a64_cc cc);

/** Bits of the @nzcv of conditional compares. */
enum { A64_V = 1, A64_C = 2, A64_Z = 4, A64_N = 8 };

/** If @cc, flags as of CMN or CMP; else @nzcv. The immediate has five bits. */
enum a64_ccompare { A64_CCMN, A64_CCMP };
void a64_ccompare_rr(struct codebuf *c, enum a64_ccompare op, enum width w, u8 n, u8 m, u8 nzcv,
                     enum a64_cc cc);
void a64_ccompare_ri(struct codebuf *c, enum a64_ccompare op, enum width w, u8 n, u8 imm, u8 nzcv,
                     enum a64_cc cc);

/** Bits 23 and 22: store; load and extend with zeros; with the sign, to 64 or to 32 bits. */
enum a64_mem { A64_STR, A64_LDR, A64_LDRS_X, A64_LDRS_W };

/* In each, @w is the width in memory, @t the register that goes there or comes from there, and @n
 * the base, where 31 is XSP. */

/** [n + off]: 12 bits in units of the width, or 9 bits with sign. */
bool a64_mem_fits(enum width w, i64 off);
void a64_mem_ri(struct codebuf *c, enum a64_mem op, enum width w, u8 t, u8 n, i32 off);
/** [n], and n += off before or after; 9 bits with sign. */
void a64_mem_pre(struct codebuf *c, enum a64_mem op, enum width w, u8 t, u8 n, i32 off);
void a64_mem_post(struct codebuf *c, enum a64_mem op, enum width w, u8 t, u8 n, i32 off);
/** [n + extended m], with @scaled: times the width. */
void a64_mem_rr(struct codebuf *c, enum a64_mem op, enum width w, u8 t, u8 n, u8 m,
                enum a64_extend extend, bool scaled);

static inline void a64_ldr(struct codebuf *c, enum width w, u8 t, u8 n, i32 off)
{
    a64_mem_ri(c, A64_LDR, w, t, n, off);
}

static inline void a64_str(struct codebuf *c, enum width w, u8 t, u8 n, i32 off)
{
    a64_mem_ri(c, A64_STR, w, t, n, off);
}

/* Two registers, W32 or W64, from [n + off] on: 7 bits with sign in units of the width. With _pre
 * and _post, n += off before or after. */
bool a64_pair_fits(enum width w, i64 off);
void a64_ldp(struct codebuf *c, enum width w, u8 t, u8 t2, u8 n, i32 off);
void a64_stp(struct codebuf *c, enum width w, u8 t, u8 t2, u8 n, i32 off);
void a64_ldp_pre(struct codebuf *c, enum width w, u8 t, u8 t2, u8 n, i32 off);
void a64_stp_pre(struct codebuf *c, enum width w, u8 t, u8 t2, u8 n, i32 off);
void a64_ldp_post(struct codebuf *c, enum width w, u8 t, u8 t2, u8 n, i32 off);
void a64_stp_post(struct codebuf *c, enum width w, u8 t, u8 t2, u8 n, i32 off);

/* Loads that acquire and stores that release, at [n]. LDAPR needs FEAT_LRCPC. */
void a64_ldar(struct codebuf *c, enum width w, u8 t, u8 n);
void a64_ldapr(struct codebuf *c, enum width w, u8 t, u8 n);
void a64_stlr(struct codebuf *c, enum width w, u8 t, u8 n);
/* Exclusive; @s = 0 if it was stored. */
void a64_ldxr(struct codebuf *c, enum width w, u8 t, u8 n);
void a64_ldaxr(struct codebuf *c, enum width w, u8 t, u8 n);
void a64_stxr(struct codebuf *c, enum width w, u8 s, u8 t, u8 n);
void a64_stlxr(struct codebuf *c, enum width w, u8 s, u8 t, u8 n);

/* FEAT_LSE, acquiring and releasing unless the name has no AL. */

/** If [n] == s, store t there; s = what was there. */
void a64_cas(struct codebuf *c, enum width w, u8 s, u8 t, u8 n);
void a64_casal(struct codebuf *c, enum width w, u8 s, u8 t, u8 n);
/** The same with the pairs s, s + 1 and t, t + 1, both even, of W32 or W64. */
void a64_caspal(struct codebuf *c, enum width w, u8 s, u8 t, u8 n);
/** Bits 15 to 12. CLR clears the bits that are set in s. */
enum a64_atomic { A64_LDADD, A64_LDCLR, A64_LDEOR, A64_LDSET, A64_SWP = 8 };
/** t = [n]; [n] = [n] op s. */
void a64_atomic_al(struct codebuf *c, enum a64_atomic op, enum width w, u8 s, u8 t, u8 n);

static inline void a64_ldaddal(struct codebuf *c, enum width w, u8 s, u8 t, u8 n)
{
    a64_atomic_al(c, A64_LDADD, w, s, t, n);
}

static inline void a64_swpal(struct codebuf *c, enum width w, u8 s, u8 t, u8 n)
{
    a64_atomic_al(c, A64_SWP, w, s, t, n);
}

/** How far branches reach: bits of their displacement in words. */
enum a64_reach { A64_REACH_TB = 14, A64_REACH_CC = 19, A64_REACH_B = 26 };

/** Does a branch of that kind at @from get to @to? Both are write addresses, or both are not. */
bool a64_reaches(enum a64_reach reach, const u8 *from, const u8 *to);

/*
 * Branches return their own place, to be filled in by a64_patch(), or NULL if the buffer is full;
 * with @target not NULL (a write address in reach) they are filled in at once, else they go to
 * themselves.
 */
u8 *a64_b(struct codebuf *c, const u8 *target);
u8 *a64_bl(struct codebuf *c, const u8 *target);
u8 *a64_bcond(struct codebuf *c, enum a64_cc cc, const u8 *target);
u8 *a64_cbz(struct codebuf *c, enum width w, u8 t, const u8 *target);
u8 *a64_cbnz(struct codebuf *c, enum width w, u8 t, const u8 *target);
u8 *a64_tbz(struct codebuf *c, u8 t, u8 bit, const u8 *target);
u8 *a64_tbnz(struct codebuf *c, u8 t, u8 bit, const u8 *target);
/** d = the run address of @target, within 1 MiB; filled in like a branch. */
u8 *a64_adr(struct codebuf *c, u8 d, const u8 *target);
/** t = the word or double word (W32, W64) at @target, within 1 MiB; filled in like a branch. */
u8 *a64_ldr_near(struct codebuf *c, enum width w, u8 t, const u8 *target);

/**
 * Make the branch, ADR or LDR at @place go to @target; both are write addresses. False, and nothing
 * is changed, if that is out of reach. A @place of NULL is ignored.
 */
bool a64_patch(u8 *place, const u8 *target) MUST_CHECK;

/** Let the branch or the like at @place, or NULL, go to what comes next; it has to reach. */
void a64_here(struct codebuf *c, u8 *place);

/** d = @target (a run address) without its low 12 bits. It reaches 4 GiB. */
bool a64_adrp_reaches(const struct codebuf *c, u64 target);
void a64_adrp(struct codebuf *c, u8 d, u64 target);

void a64_br(struct codebuf *c, u8 n);
void a64_blr(struct codebuf *c, u8 n);
void a64_ret(struct codebuf *c);

/** op0 without its upper bit, op1, CRn, CRm, op2. [ARM C5.2] */
enum a64_sysreg {
    A64_CTR_EL0 = 0x5801,
    A64_NZCV = 0x5a10,
    A64_FPCR = 0x5a20,
    A64_FPSR = 0x5a21,
    A64_CNTVCT_EL0 = 0x5f02,
};
void a64_mrs(struct codebuf *c, u8 t, enum a64_sysreg reg);
void a64_msr(struct codebuf *c, enum a64_sysreg reg, u8 t);

/* FEAT_FlagM. CFINV inverts C. RMIF puts bits 3..0 of n rotated right by @rotation into N, Z, C, V,
 * those that @mask has. SETF8 and SETF16 take N and Z from the low 8 or 16 bits, and V is whether
 * the bit above them differs from N; C stays. */
void a64_cfinv(struct codebuf *c);
void a64_rmif(struct codebuf *c, u8 n, u8 rotation, u8 mask);
void a64_setf8(struct codebuf *c, u8 n);
void a64_setf16(struct codebuf *c, u8 n);
/** FEAT_FlagM2. From a floating-point comparison: Z if it was equal or unordered, C unless it was
 * less or unordered; N and V are 0. */
void a64_axflag(struct codebuf *c);

/** What a barrier orders, and for whom. */
enum a64_barrier { A64_ISHLD = 9, A64_ISHST = 10, A64_ISH = 11, A64_SY = 15 };
void a64_dmb(struct codebuf *c, enum a64_barrier what);
void a64_dsb(struct codebuf *c, enum a64_barrier what);
void a64_isb(struct codebuf *c);
/* The cache lines at address t: clean data to, invalidate instructions from the point of
 * unification. */
void a64_dc_cvau(struct codebuf *c, u8 t);
void a64_ic_ivau(struct codebuf *c, u8 t);
void a64_nop(struct codebuf *c);
void a64_brk(struct codebuf *c, u16 imm);
