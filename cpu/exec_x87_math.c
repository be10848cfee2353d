/* SPDX-License-Identifier: MIT */
/* x87: functions of ST0 and ST1  [SDM 1 §8.3.5 to §8.3.10]. */
#include "cpu/f80_math.h"
#include "cpu/x87_exec.h"

/* ST0 = fn(ST0). */
static bool unary(struct cpu *cpu, const struct insn *in,
                  struct f80 (*fn)(struct fp_env *e, struct f80 a))
{
    struct x87_state *f = &cpu->x87;
    struct fp_env e = fp_env_x87(f->control);
    struct f80 r = f80_indefinite();
    bool store;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    if (x87_empty(f, 0)) {
        store = x87_stack_fault(cpu, in, false);
    } else {
        r = fn(&e, *x87_st(f, 0));
        store = x87_finish(cpu, in, &e);
    }
    if (store)
        x87_put(f, 0, r);
    return true;
}

static struct f80 square_root(struct fp_env *e, struct f80 a)
{
    return f80_arith(e, FP_SQRT, a, a);
}

bool exec_x87_fsqrt(struct cpu *cpu, const struct insn *in)
{
    return unary(cpu, in, square_root);
}

bool exec_x87_frndint(struct cpu *cpu, const struct insn *in)
{
    return unary(cpu, in, f80_rint);
}

bool exec_x87_f2xm1(struct cpu *cpu, const struct insn *in)
{
    return unary(cpu, in, f80_exp2m1);
}

/* fn(ST1, ST0), or fn(ST0, ST1) into ST0 if it does not pop. */
static bool binary(struct cpu *cpu, const struct insn *in, bool pops,
                   struct f80 (*fn)(struct fp_env *e, struct f80 a, struct f80 b))
{
    struct x87_state *f = &cpu->x87;
    struct fp_env e = fp_env_x87(f->control);
    struct f80 r = f80_indefinite();
    bool store;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    if (x87_empty(f, 0) || x87_empty(f, 1)) {
        store = x87_stack_fault(cpu, in, false);
    } else {
        r = fn(&e, *x87_st(f, pops), *x87_st(f, !pops));
        store = x87_finish(cpu, in, &e);
    }
    if (store) {
        x87_put(f, pops, r);
        if (pops)
            x87_pop(f);
    }
    return true;
}

bool exec_x87_fscale(struct cpu *cpu, const struct insn *in)
{
    return binary(cpu, in, false, f80_scale);
}

bool exec_x87_fyl2x(struct cpu *cpu, const struct insn *in)
{
    return binary(cpu, in, true, f80_ylog2);
}

bool exec_x87_fyl2xp1(struct cpu *cpu, const struct insn *in)
{
    return binary(cpu, in, true, f80_ylog2p1);
}

bool exec_x87_fpatan(struct cpu *cpu, const struct insn *in)
{
    return binary(cpu, in, true, f80_atan2);
}

static bool remainder_step(struct cpu *cpu, const struct insn *in, bool nearest)
{
    struct x87_state *f = &cpu->x87;
    struct fp_env e = fp_env_x87(f->control);
    struct f80 r = f80_indefinite();
    u8 q = 0;
    bool store;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    if (x87_empty(f, 0) || x87_empty(f, 1)) {
        store = x87_stack_fault(cpu, in, false);
    } else {
        r = f80_rem(&e, *x87_st(f, 0), *x87_st(f, 1), nearest, &q);
        store = x87_finish(cpu, in, &e);
    }
    f->status &= (u16) ~(X87_SW_C1 | X87_SW_C2);
    if (store && (r.sign_exp & 0x7FFF) != 0x7FFF) { /* C0 and C3 stay if there is no quotient */
        f->status &= (u16) ~(X87_SW_C0 | X87_SW_C3);
        f->status |= q & F80_REM_PARTIAL ? X87_SW_C2 : 0;
        f->status |= (u16)((q & 4) << 6 | (q & 2) << 13 | (q & 1) << 9);
    }
    if (store)
        x87_put(f, 0, r);
    return true;
}

bool exec_x87_fprem(struct cpu *cpu, const struct insn *in)
{
    return remainder_step(cpu, in, false);
}

bool exec_x87_fprem1(struct cpu *cpu, const struct insn *in)
{
    return remainder_step(cpu, in, true);
}

static void set_c2(struct x87_state *f, bool set)
{
    f->status = (u16)((f->status & ~X87_SW_C2) | (set ? X87_SW_C2 : 0));
}

/*
 * The stack part of instructions that push a second result: true, with the masked response done if
 * there is one, if ST0 is empty or there is no room.
 */
static bool pair_stack_fault(struct cpu *cpu, const struct insn *in)
{
    struct x87_state *f = &cpu->x87;

    if (!x87_empty(f, 0) && x87_empty(f, 7))
        return false;
    if (x87_stack_fault(cpu, in, !x87_empty(f, 0))) {
        x87_put(f, 0, f80_indefinite());
        x87_push(f, f80_indefinite());
    }
    return true;
}

/* End of such an instruction: @low replaces ST0, @pushed comes on top. */
static bool pair_done(struct cpu *cpu, const struct insn *in, struct fp_env *e, struct f80 low,
                      struct f80 pushed)
{
    if (x87_finish(cpu, in, e)) {
        x87_put(&cpu->x87, 0, low);
        x87_push(&cpu->x87, pushed);
    }
    return true;
}

bool exec_x87_fxtract(struct cpu *cpu, const struct insn *in)
{
    struct x87_state *f = &cpu->x87;
    struct fp_env e = fp_env_x87(f->control);
    struct f80 sig, exp;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    if (pair_stack_fault(cpu, in))
        return true;
    sig = f80_extract(&e, *x87_st(f, 0), &exp);
    return pair_done(cpu, in, &e, exp, sig);
}

/* The operand is too large to be reduced: it stays  [SDM 1 §8.3.8]. */
static bool out_of_range(struct cpu *cpu, const struct insn *in)
{
    x87_finish_quiet(cpu, in);
    set_c2(&cpu->x87, true);
    return true;
}

static bool sine(struct cpu *cpu, const struct insn *in, bool cosine)
{
    struct x87_state *f = &cpu->x87;
    struct fp_env e = fp_env_x87(f->control);
    struct f80 r = f80_indefinite();
    bool store;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    if (x87_empty(f, 0)) {
        store = x87_stack_fault(cpu, in, false);
    } else {
        if (!f80_sincos(&e, *x87_st(f, 0), cosine ? NULL : &r, cosine ? &r : NULL))
            return out_of_range(cpu, in);
        store = x87_finish(cpu, in, &e);
    }
    set_c2(f, false);
    if (store)
        x87_put(f, 0, r);
    return true;
}

bool exec_x87_fsin(struct cpu *cpu, const struct insn *in)
{
    return sine(cpu, in, false);
}

bool exec_x87_fcos(struct cpu *cpu, const struct insn *in)
{
    return sine(cpu, in, true);
}

bool exec_x87_fsincos(struct cpu *cpu, const struct insn *in)
{
    struct x87_state *f = &cpu->x87;
    struct fp_env e = fp_env_x87(f->control);
    struct f80 sin, cos;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    if (pair_stack_fault(cpu, in)) {
        set_c2(f, false);
        return true;
    }
    if (!f80_sincos(&e, *x87_st(f, 0), &sin, &cos))
        return out_of_range(cpu, in);
    set_c2(f, false);
    return pair_done(cpu, in, &e, sin, cos);
}

bool exec_x87_fptan(struct cpu *cpu, const struct insn *in)
{
    struct x87_state *f = &cpu->x87;
    struct fp_env e = fp_env_x87(f->control);
    struct f80 tan;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    if (pair_stack_fault(cpu, in)) {
        set_c2(f, false);
        return true;
    }
    if (!f80_tan(&e, *x87_st(f, 0), &tan))
        return out_of_range(cpu, in);
    set_c2(f, false);
    if ((tan.sign_exp & 0x7FFF) == 0x7FFF) /* of a NaN or infinity: both results */
        return pair_done(cpu, in, &e, tan, tan);
    return pair_done(cpu, in, &e, tan, (struct f80){BIT64(63), 0x3FFF});
}
