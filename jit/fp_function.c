/* SPDX-License-Identifier: MIT */
/*
 * Transcendental instructions, whose bits are ours on every host, between the host's x87 unit and
 * cpu/f80_math.h. Moving the whole state would take longer than computing them, so that only
 * operands and result are: what else changes is C1, and PE, which mostly is set already.
 */
#include "cpu/f80_math.h"
#include "cpu/isa.h"
#include "cpu/state.h"
#include "jit/fp.h"

enum jit_fp_kind jit_fp_kind(const struct insn *in)
{
    switch (in->id) {
    case INSN_FYL2X:
    case INSN_FYL2XP1:
    case INSN_FPATAN:
        return FP_BINARY;
    case INSN_FSIN:
    case INSN_FCOS:
        return FP_SINE;
    case INSN_FSINCOS:
    case INSN_FPTAN:
        return FP_PAIR;
    default:
        return FP_UNARY;
    }
}

static struct f80 get_arg(const struct cpu *cpu, unsigned n)
{
    const u8 *at = cpu->jit.fp_arg[n];

    return (struct f80){load64(at), load16(at + 8)};
}

static void put_arg(struct cpu *cpu, unsigned n, struct f80 r)
{
    store64(cpu->jit.fp_arg[n], r.mant);
    store16(cpu->jit.fp_arg[n] + 8, r.sign_exp);
}

/* FPTAN pushes 1, or of a NaN the same again. */
static bool tangent(struct fp_env *e, struct f80 a, struct f80 *r, struct f80 *pushed)
{
    bool in_range = f80_tan(e, a, r);

    *pushed = (r->sign_exp & 0x7FFF) == 0x7FFF ? *r : (struct f80){BIT64(63), 0x3FFF};
    return in_range;
}

/* @pushed: what comes on top of @r, if anything does. False: not in the function's range. */
static bool compute(const struct cpu *cpu, u32 id, struct fp_env *e, struct f80 *r,
                    struct f80 *pushed)
{
    struct f80 a = get_arg(cpu, 0);

    switch (id) {
    case INSN_FSINCOS:
        return f80_sincos(e, a, r, pushed);
    case INSN_FPTAN:
        return tangent(e, a, r, pushed);
    case INSN_FSIN:
        return f80_sincos(e, a, r, NULL);
    case INSN_FCOS:
        return f80_sincos(e, a, NULL, r);
    case INSN_F2XM1:
        *r = f80_exp2m1(e, a);
        return true;
    case INSN_FYL2X:
        *r = f80_ylog2(e, get_arg(cpu, 1), a);
        return true;
    case INSN_FYL2XP1:
        *r = f80_ylog2p1(e, get_arg(cpu, 1), a);
        return true;
    default:
        *r = f80_atan2(e, get_arg(cpu, 1), a);
        return true;
    }
}

/*
 * Rounding to nearest brings @r minus something tiny back to @r, and that is rounding up. The
 * exponent must be far above that of the tiniest double.
 */
static bool prepare_up(struct jit_view *v, struct f80 r)
{
    enum { BIAS = 0x3FFF, LEAST = BIAS - 900 };
    const u64 tiny = BIT64(52); /* 2^-1022 */
    u16 exp = r.sign_exp & 0x7FFF;

    v->fp_up = tiny | (r.sign_exp & 0x8000 ? 0 : BIT64(63));
    v->fp_up_cw = X87_CW_INIT;
    return r.mant >> 63 && exp >= LEAST && exp < 0x7FFF;
}

static u32 found(struct cpu *cpu, struct f80 r, struct f80 pushed, bool up)
{
    put_arg(cpu, 2, get_arg(cpu, 0));
    put_arg(cpu, 0, r);
    put_arg(cpu, 1, pushed);
    return up ? FP_FOUND_UP : FP_FOUND;
}

u32 jit_fp_function(struct cpu *cpu, u32 id)
{
    static const struct f80 indefinite = {BIT64(63) | BIT64(62), 0xFFFF};
    struct jit_view *v = &cpu->jit;
    struct fp_env e = fp_env_x87(v->fp_cw);
    struct f80 r = {0, 0}, pushed = {0, 0};
    bool pair = id == INSN_FSINCOS || id == INSN_FPTAN;

    if (v->fp_sw & X87_SW_SF) /* an operand was missing, and all flags are set */
        return found(cpu, indefinite, indefinite, false);
    if (!compute(cpu, id, &e, &r, &pushed))
        return FP_UNUSUAL;
    fp_settle(&e);
    if ((e.flags & ~v->fp_sw & X87_CW_MASKS) || (e.up && !prepare_up(v, pair ? pushed : r)))
        return FP_UNUSUAL;
    return found(cpu, r, pushed, e.up);
}
