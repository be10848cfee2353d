/* SPDX-License-Identifier: MIT */
/*
 * x87_plain() for what compiled programs do most, with normal numbers and rounding as FNINIT sets
 * it. A function for each instruction, which calls none but x87_plain_rest(), and that instead of
 * returning: so it needs no frame, and no registers but those that are the caller's to lose.
 *
 * References: [SDM 1 §8.3], [SDM 2A].
 */
#include "cpu/x87_exec.h"
#include "cpu/x87_normal.h"
#include "cpu/x87_plain.h"

typedef u32 quick_fn(struct cpu *cpu, u32 what, u32 eip, u8 *mem, u32 dp);

/* --- operands --- */

ALWAYS_INLINE bool is_default(const struct x87_state *f)
{
    return (f->control & (X87_CW_RC | X87_CW_PC)) == X87_CW_PC;
}

/* A normal number of memory; false if it is not one. */
ALWAYS_INLINE bool load_normal(const u8 *mem, enum width w, struct f80 *r)
{
    unsigned mant = w == W64 ? 52 : 23;
    u32 max = w == W64 ? 0x7FF : 0xFF;
    u64 v = load_le(mem, w == W64 ? 8 : 4);
    u32 exp = (u32)(v >> mant) & max;

    r->mant = BIT64(63) | v << (63 - mant);
    r->sign_exp = (u16)((exp + X87_BIAS - max / 2) | (v >> ((8u << w) - 1)) << 15);
    return exp - 1 < max - 1;
}

/* --- ends --- */

/* Flags with C1, and where the instruction and its operand are. */
ALWAYS_INLINE u32 end(struct cpu *cpu, u32 what, u32 eip, bool mem, u32 dp, u32 status)
{
    struct x87_state *f = &cpu->x87;

    f->status = (u16)((f->status & ~X87_SW_C1) | status);
    f->ip = eip;
    f->cs = cpu->seg[SEG_CS].selector;
    f->opcode = what & 0x7FF;
    if (mem) {
        f->dp = dp;
        f->ds = cpu->seg[what >> X87_WHAT_SEG & 7].selector;
    }
    return X87_DONE;
}

ALWAYS_INLINE u32 status_of(const struct x87_rounded *r)
{
    return (r->inexact ? FP_PE : 0) | (r->up ? X87_SW_C1 : 0);
}

/* C3, C2, C0 of a comparison. */
ALWAYS_INLINE void put_order(struct x87_state *f, enum fp_order o)
{
    f->status = (u16)((f->status & ~(X87_SW_C0 | X87_SW_C2 | X87_SW_C3)) |
                      (o == FP_LESS ? X87_SW_C0 : 0) | (o == FP_EQUAL ? X87_SW_C3 : 0));
}

/* --- moves --- */

ALWAYS_INLINE u32 load(struct cpu *cpu, u32 what, u32 eip, u8 *mem, u32 dp, enum width w)
{
    struct x87_state *f = &cpu->x87;
    struct f80 v;

    if (UNLIKELY(!load_normal(mem, w, &v) || !x87_empty(f, 7)))
        return x87_plain_rest(cpu, what, eip, mem, dp);
    x87_push(f, v);
    return end(cpu, what, eip, true, dp, 0);
}

ALWAYS_INLINE u32 store(struct cpu *cpu, u32 what, u32 eip, u8 *mem, u32 dp, enum width w, bool pop)
{
    struct x87_state *f = &cpu->x87;
    const struct f80 a = *x87_st(f, 0);
    unsigned drop = w == W64 ? 11 : 40, mant = 63 - drop;
    u32 max = w == W64 ? 0x7FF : 0xFF, exp = (a.sign_exp & X87_EXP_MAX) - X87_BIAS + max / 2;
    u64 half = BIT64(drop - 1), rest = a.mant & (half * 2 - 1);

    if (UNLIKELY(x87_empty(f, 0) || f->control & X87_CW_RC || !(a.mant >> 63) || exp - 2 > max - 4))
        return x87_plain_rest(cpu, what, eip, mem, dp);
    bool up = rest > half || (rest == half && (a.mant >> drop & 1));
    u64 v = ((u64)exp << mant) + (a.mant << 1 >> (drop + 1)) + up;
    store_le(mem, v | (u64)(a.sign_exp >> 15) << ((8u << w) - 1), w == W64 ? 8 : 4);
    if (pop)
        x87_pop(f);
    return end(cpu, what, eip, true, dp, (rest ? FP_PE : 0) | (up ? X87_SW_C1 : 0));
}

static u32 fld_st(struct cpu *cpu, u32 what, u32 eip, u8 *mem, u32 dp)
{
    struct x87_state *f = &cpu->x87;

    if (UNLIKELY(x87_empty(f, what & 7) || !x87_empty(f, 7)))
        return x87_plain_rest(cpu, what, eip, mem, dp);
    x87_push(f, *x87_st(f, what & 7));
    return end(cpu, what, eip, false, dp, 0);
}

static u32 fxch(struct cpu *cpu, u32 what, u32 eip, u8 *mem, u32 dp)
{
    struct x87_state *f = &cpu->x87;
    struct f80 *a = x87_st(f, 0), *b = x87_st(f, what & 7), t = *a;

    if (UNLIKELY(x87_empty(f, 0) || x87_empty(f, what & 7)))
        return x87_plain_rest(cpu, what, eip, mem, dp);
    *a = *b;
    *b = t;
    return end(cpu, what, eip, false, dp, 0);
}

ALWAYS_INLINE u32 store_st(struct cpu *cpu, u32 what, u32 eip, u8 *mem, u32 dp, bool pop)
{
    struct x87_state *f = &cpu->x87;

    if (UNLIKELY(x87_empty(f, 0)))
        return x87_plain_rest(cpu, what, eip, mem, dp);
    x87_put(f, what & 7, *x87_st(f, 0));
    if (pop)
        x87_pop(f);
    return end(cpu, what, eip, false, dp, 0);
}

/* --- arithmetic --- */

/* @rev: the operand comes first. */
ALWAYS_INLINE u32 arith_memory(struct cpu *cpu, u32 what, u32 eip, u8 *mem, u32 dp, enum width w,
                               enum fp_op op, bool rev)
{
    struct x87_state *f = &cpu->x87;
    struct x87_rounded r;
    struct f80 a = *x87_st(f, 0), b;

    if (UNLIKELY(x87_empty(f, 0) || !is_default(f) || !load_normal(mem, w, &b) ||
                 !x87_arith_normal(op, rev ? b : a, rev ? a : b, 0, &r)))
        return x87_plain_rest(cpu, what, eip, mem, dp);
    *x87_st(f, 0) = r.v;
    return end(cpu, what, eip, true, dp, status_of(&r));
}

/* To ST0, or to ST(i), and popped. */
enum to { TO_ST0, TO_STI, TO_STI_POP };

ALWAYS_INLINE u32 arith(struct cpu *cpu, u32 what, u32 eip, u8 *mem, u32 dp, enum to to,
                        enum fp_op op, bool rev)
{
    struct x87_state *f = &cpu->x87;
    struct x87_rounded r;
    unsigned i = what & 7;
    struct f80 a = *x87_st(f, 0), b = *x87_st(f, i);

    if (UNLIKELY(x87_empty(f, 0) || x87_empty(f, i) || !is_default(f) ||
                 !x87_arith_normal(op, rev ? b : a, rev ? a : b, 0, &r)))
        return x87_plain_rest(cpu, what, eip, mem, dp);
    *x87_st(f, to == TO_ST0 ? 0 : i) = r.v;
    if (to == TO_STI_POP)
        x87_pop(f);
    return end(cpu, what, eip, false, dp, status_of(&r));
}

ALWAYS_INLINE u32 compare(struct cpu *cpu, u32 what, u32 eip, u8 *mem, u32 dp, unsigned pops)
{
    struct x87_state *f = &cpu->x87;
    unsigned i = what & 7;
    const struct f80 a = *x87_st(f, 0), b = *x87_st(f, i);

    if (UNLIKELY(x87_empty(f, 0) || x87_empty(f, i) || !x87_is_normal(a) || !x87_is_normal(b)))
        return x87_plain_rest(cpu, what, eip, mem, dp);
    put_order(f, x87_compare_normal(a, b));
    while (pops--)
        x87_pop(f);
    return end(cpu, what, eip, false, dp, 0);
}

ALWAYS_INLINE u32 compare_memory(struct cpu *cpu, u32 what, u32 eip, u8 *mem, u32 dp, enum width w,
                                 bool pop)
{
    struct x87_state *f = &cpu->x87;
    struct f80 a = *x87_st(f, 0), b;

    if (UNLIKELY(x87_empty(f, 0) || !load_normal(mem, w, &b) || !x87_is_normal(a)))
        return x87_plain_rest(cpu, what, eip, mem, dp);
    put_order(f, x87_compare_normal(a, b));
    if (pop)
        x87_pop(f);
    return end(cpu, what, eip, true, dp, 0);
}

ALWAYS_INLINE u32 compare_flags(struct cpu *cpu, u32 what, u32 eip, u8 *mem, u32 dp, bool pop)
{
    struct x87_state *f = &cpu->x87;
    unsigned i = what & 7;
    const struct f80 a = *x87_st(f, 0), b = *x87_st(f, i);

    if (UNLIKELY(x87_empty(f, 0) || x87_empty(f, i) || !x87_is_normal(a) || !x87_is_normal(b)))
        return x87_plain_rest(cpu, what, eip, mem, dp);
    enum fp_order o = x87_compare_normal(a, b);
    if (pop)
        x87_pop(f);
    return end(cpu, what, eip, false, dp, 0) | (o == FP_LESS    ? (u32)FL_C
                                                : o == FP_EQUAL ? (u32)FL_Z
                                                                : 0);
}

/* --- all of them --- */

/* name, the call that it is with its own constants */
#define QUICK(X)                                                                                   \
    X(fld_m32, load, W32)                                                                          \
    X(fld_m64, load, W64)                                                                          \
    X(fst_m32, store, W32, false)                                                                  \
    X(fst_m64, store, W64, false)                                                                  \
    X(fstp_m32, store, W32, true)                                                                  \
    X(fstp_m64, store, W64, true)                                                                  \
    X(fst_st, store_st, false)                                                                     \
    X(fstp_st, store_st, true)                                                                     \
    X(fadd_m32, arith_memory, W32, FP_ADD, false)                                                  \
    X(fmul_m32, arith_memory, W32, FP_MUL, false)                                                  \
    X(fsub_m32, arith_memory, W32, FP_SUB, false)                                                  \
    X(fsubr_m32, arith_memory, W32, FP_SUB, true)                                                  \
    X(fadd_m64, arith_memory, W64, FP_ADD, false)                                                  \
    X(fmul_m64, arith_memory, W64, FP_MUL, false)                                                  \
    X(fsub_m64, arith_memory, W64, FP_SUB, false)                                                  \
    X(fsubr_m64, arith_memory, W64, FP_SUB, true)                                                  \
    X(fadd, arith, TO_ST0, FP_ADD, false)                                                          \
    X(fmul, arith, TO_ST0, FP_MUL, false)                                                          \
    X(fsub, arith, TO_ST0, FP_SUB, false)                                                          \
    X(fsubr, arith, TO_ST0, FP_SUB, true)                                                          \
    X(fadd_to, arith, TO_STI, FP_ADD, false)                                                       \
    X(fmul_to, arith, TO_STI, FP_MUL, false)                                                       \
    X(fsub_to, arith, TO_STI, FP_SUB, false)                                                       \
    X(fsubr_to, arith, TO_STI, FP_SUB, true)                                                       \
    X(faddp, arith, TO_STI_POP, FP_ADD, false)                                                     \
    X(fmulp, arith, TO_STI_POP, FP_MUL, false)                                                     \
    X(fsubp, arith, TO_STI_POP, FP_SUB, false)                                                     \
    X(fsubrp, arith, TO_STI_POP, FP_SUB, true)                                                     \
    X(fcom_m32, compare_memory, W32, false)                                                        \
    X(fcomp_m32, compare_memory, W32, true)                                                        \
    X(fcom_m64, compare_memory, W64, false)                                                        \
    X(fcomp_m64, compare_memory, W64, true)                                                        \
    X(fcom, compare, 0)                                                                            \
    X(fcomp, compare, 1)                                                                           \
    X(fcompp, compare, 2)                                                                          \
    X(fcomi, compare_flags, false)                                                                 \
    X(fcomip, compare_flags, true)

#define DEFINE(name, kind, ...)                                                                    \
    static u32 name(struct cpu *cpu, u32 what, u32 eip, u8 *mem, u32 dp)                           \
    {                                                                                              \
        return kind(cpu, what, eip, mem, dp, __VA_ARGS__);                                         \
    }
QUICK(DEFINE)
#undef DEFINE

/* By the low bits of the opcode, and mod and reg of the ModR/M byte. */
#define REGISTERS(group, reg) [(group) << 5 | 0x18 | (reg)]
#define MEMORY(group, reg, run)                                                                    \
    [(group) << 5 | (reg)] = (run), [(group) << 5 | 8 | (reg)] = (run),                            \
                    [(group) << 5 | 16 | (reg)] = (run)

static quick_fn *const quick[256] = {
    MEMORY(0, 0, fadd_m32),    MEMORY(0, 1, fmul_m32),     MEMORY(0, 2, fcom_m32),
    MEMORY(0, 3, fcomp_m32),   MEMORY(0, 4, fsub_m32),     MEMORY(0, 5, fsubr_m32),
    MEMORY(1, 0, fld_m32),     MEMORY(1, 2, fst_m32),      MEMORY(1, 3, fstp_m32),
    MEMORY(4, 0, fadd_m64),    MEMORY(4, 1, fmul_m64),     MEMORY(4, 2, fcom_m64),
    MEMORY(4, 3, fcomp_m64),   MEMORY(4, 4, fsub_m64),     MEMORY(4, 5, fsubr_m64),
    MEMORY(5, 0, fld_m64),     MEMORY(5, 2, fst_m64),      MEMORY(5, 3, fstp_m64),
    REGISTERS(0, 0) = fadd,    REGISTERS(0, 1) = fmul,     REGISTERS(0, 2) = fcom,
    REGISTERS(0, 3) = fcomp,   REGISTERS(0, 4) = fsub,     REGISTERS(0, 5) = fsubr,
    REGISTERS(1, 0) = fld_st,  REGISTERS(1, 1) = fxch,     REGISTERS(2, 5) = fcompp, /* FUCOMPP */
    REGISTERS(3, 5) = fcomi,                                                         /* FUCOMI */
    REGISTERS(3, 6) = fcomi,   REGISTERS(4, 0) = fadd_to,  REGISTERS(4, 1) = fmul_to,
    REGISTERS(4, 4) = fsub_to, REGISTERS(4, 5) = fsubr_to, REGISTERS(5, 2) = fst_st,
    REGISTERS(5, 3) = fstp_st, REGISTERS(5, 4) = fcom, /* FUCOM */
    REGISTERS(5, 5) = fcomp,                           /* FUCOMP */
    REGISTERS(6, 0) = faddp,   REGISTERS(6, 1) = fmulp,    REGISTERS(6, 3) = fcompp,
    REGISTERS(6, 4) = fsubp,   REGISTERS(6, 5) = fsubrp,   REGISTERS(7, 5) = fcomip, /* FUCOMIP */
    REGISTERS(7, 6) = fcomip,
};

u32 x87_plain(struct cpu *cpu, u32 what, u32 eip, u8 *mem, u32 dp)
{
    quick_fn *run = quick[what >> 3 & 0xFF];

    return run ? run(cpu, what, eip, mem, dp) : x87_plain_rest(cpu, what, eip, mem, dp);
}
