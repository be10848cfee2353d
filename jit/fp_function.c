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
    default:
        return FP_UNARY;
    }
}

static struct f80 get_arg(const struct cpu *cpu, unsigned n)
{
    const u8 *at = cpu->jit.fp_arg[n];

    return (struct f80){load64(at), load16(at + 8)};
}

static void put_result(struct cpu *cpu, struct f80 r)
{
    store64(cpu->jit.fp_arg[0], r.mant);
    store16(cpu->jit.fp_arg[0] + 8, r.sign_exp);
}

/* False: not in the function's range. */
static bool compute(const struct cpu *cpu, u32 id, struct fp_env *e, struct f80 *r)
{
    struct f80 a = get_arg(cpu, 0);

    switch (id) {
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

u32 jit_fp_function(struct cpu *cpu, u32 id)
{
    struct jit_view *v = &cpu->jit;
    struct fp_env e = fp_env_x87(v->fp_cw);
    struct f80 r;

    if (v->fp_sw & X87_SW_SF) { /* an operand was missing, and all flags are set */
        put_result(cpu, (struct f80){BIT64(63) | BIT64(62), 0xFFFF});
        return FP_FOUND;
    }
    if (!compute(cpu, id, &e, &r))
        return FP_UNUSUAL;
    fp_settle(&e);
    if ((e.flags & ~v->fp_sw & X87_CW_MASKS) || (e.up && !prepare_up(v, r)))
        return FP_UNUSUAL;
    put_result(cpu, r);
    return e.up ? FP_FOUND_UP : FP_FOUND;
}
