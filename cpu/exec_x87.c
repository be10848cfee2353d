/* SPDX-License-Identifier: MIT */
/* x87: arithmetic, comparisons, conditional moves, stack manipulation  [SDM 1 §8.3, SDM 2A]. */
#include "cpu/flags.h"
#include "cpu/x87_exec.h"

void x87_update_ferr(struct cpu *cpu)
{
    struct x87_state *f = &cpu->x87;
    bool level = (f->status & X87_SW_ES) && !(cpu->cr0 & CR0_NE);

    if (level == f->ferr)
        return;
    f->ferr = level;
    cpu->bus.ferr(cpu->bus.ctx, level);
}

bool x87_stack_fault(struct cpu *cpu, const struct insn *in, bool overflow)
{
    struct x87_state *f = &cpu->x87;

    f->status = (u16)((f->status & ~X87_SW_C1) | X87_SW_SF | (overflow ? X87_SW_C1 : 0));
    x87_raise(cpu, FP_IE);
    x87_record(cpu, in);
    return f->control & FP_IE;
}

bool x87_do_push(struct cpu *cpu, const struct insn *in, struct f80 v)
{
    struct x87_state *f = &cpu->x87;

    if (!x87_empty(f, 7)) {
        if (x87_stack_fault(cpu, in, true))
            x87_push(f, f80_indefinite());
        return true;
    }
    x87_finish_quiet(cpu, in);
    x87_push(f, v);
    return true;
}

void x87_set_order(struct x87_state *f, enum fp_order o)
{
    static const u16 codes[] = {
        [FP_LESS] = X87_SW_C0,
        [FP_EQUAL] = X87_SW_C3,
        [FP_GREATER] = 0,
        [FP_UNORDERED] = X87_SW_C0 | X87_SW_C2 | X87_SW_C3,
    };

    f->status = (u16)((f->status & ~(X87_SW_C0 | X87_SW_C2 | X87_SW_C3)) | codes[o]);
}

/* The operation that the reg field of an arithmetic instruction names. */
static enum fp_op arith_op(const struct insn *in)
{
    static const u8 ops[8] = {FP_ADD, FP_MUL, 0, 0, FP_SUB, FP_SUB, FP_DIV, FP_DIV};

    return ops[in->modrm >> 3 & 7];
}

/* FSUBR and FDIVR. */
static bool arith_reversed(const struct insn *in)
{
    return (in->modrm & 0x28) == 0x28;
}

/* The memory operand of D8, DA, DC, DE as a number; no flags are raised for it yet. */
static bool read_number(struct cpu *cpu, const struct insn *in, struct fp_env *e, struct fp_num *n)
{
    static const u8 widths[4] = {W32, W32, W64, W16};
    u64 v;

    if (!mem_read(cpu, in->seg, insn_ea(cpu, in), widths[in->opcode >> 1 & 3], &v))
        return false;
    switch (in->opcode >> 1 & 3) {
    case 0:
        *n = fp_unpack_f32(e, (u32)v);
        break;
    case 1:
        *n = fp_from_int((i32)v);
        break;
    case 2:
        *n = fp_unpack_f64(e, v);
        break;
    default:
        *n = fp_from_int((i16)v);
        break;
    }
    return true;
}

bool exec_x87_arith_mem(struct cpu *cpu, const struct insn *in)
{
    struct x87_state *f = &cpu->x87;
    struct fp_env e = fp_env_x87(f->control);
    struct fp_num a, b;
    struct f80 r;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    if (!read_number(cpu, in, &e, &b))
        return false;
    if (x87_empty(f, 0)) {
        if (x87_stack_fault(cpu, in, false))
            x87_put(f, 0, f80_indefinite());
        return true;
    }
    a = fp_unpack_f80(*x87_st(f, 0));
    if (arith_reversed(in))
        r = fp_arith_f80(&e, arith_op(in), &b, &a);
    else
        r = fp_arith_f80(&e, arith_op(in), &a, &b);
    if (x87_finish(cpu, in, &e))
        x87_put(f, 0, r);
    return true;
}

/* ST(@to) = ST0 op ST(i), or reversed; @pop afterwards. */
static bool arith(struct cpu *cpu, const struct insn *in, unsigned to, bool reversed, bool pop)
{
    struct x87_state *f = &cpu->x87;
    struct fp_env e = fp_env_x87(f->control);
    struct f80 a, b, r;
    bool store;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    if (x87_empty(f, 0) || x87_empty(f, in->rm)) {
        store = x87_stack_fault(cpu, in, false);
        r = f80_indefinite();
    } else {
        a = *x87_st(f, reversed ? in->rm : 0);
        b = *x87_st(f, reversed ? 0 : in->rm);
        r = f80_arith(&e, arith_op(in), a, b);
        store = x87_finish(cpu, in, &e);
    }
    if (store) {
        x87_put(f, to, r);
        if (pop)
            x87_pop(f);
    }
    return true;
}

bool exec_x87_arith(struct cpu *cpu, const struct insn *in)
{
    return arith(cpu, in, 0, arith_reversed(in), false);
}

/* DC, DE: the reg field means the same in terms of ST0 and ST(i), so FSUB has FSUBR's number. */
bool exec_x87_arith_to(struct cpu *cpu, const struct insn *in)
{
    return arith(cpu, in, in->rm, arith_reversed(in), in->opcode == 0xDE);
}

/* The condition codes are set whatever is masked; the pops are not done. */
static bool compare_done(struct cpu *cpu, const struct insn *in, struct fp_env *e, enum fp_order o,
                         unsigned pops)
{
    bool store = x87_finish(cpu, in, e);

    x87_set_order(&cpu->x87, o);
    while (store && pops--)
        x87_pop(&cpu->x87);
    return true;
}

static bool compare_underflow(struct cpu *cpu, const struct insn *in, unsigned pops)
{
    bool masked = x87_stack_fault(cpu, in, false);

    x87_set_order(&cpu->x87, FP_UNORDERED);
    while (masked && pops--)
        x87_pop(&cpu->x87);
    return true;
}

bool exec_x87_com_mem(struct cpu *cpu, const struct insn *in)
{
    struct x87_state *f = &cpu->x87;
    struct fp_env e = fp_env_x87(f->control);
    unsigned pops = in->modrm >> 3 & 1;
    struct fp_num a, b;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    if (!read_number(cpu, in, &e, &b))
        return false;
    if (x87_empty(f, 0))
        return compare_underflow(cpu, in, pops);
    a = fp_unpack_f80(*x87_st(f, 0));
    return compare_done(cpu, in, &e, fp_compare(&e, &a, &b, false), pops);
}

static bool compare(struct cpu *cpu, const struct insn *in, bool quiet, unsigned pops)
{
    struct x87_state *f = &cpu->x87;
    struct fp_env e = fp_env_x87(f->control);
    enum fp_order o;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    if (x87_empty(f, 0) || x87_empty(f, in->rm))
        return compare_underflow(cpu, in, pops);
    o = f80_compare(&e, *x87_st(f, 0), *x87_st(f, in->rm), quiet);
    return compare_done(cpu, in, &e, o, pops);
}

/* FCOM FCOMP (/2 /3 of D8, DC, DE), FUCOM FUCOMP (/4 /5 of DD). */
bool exec_x87_com(struct cpu *cpu, const struct insn *in)
{
    bool pop = in->modrm & 8 || in->opcode == 0xDE;

    return compare(cpu, in, in->opcode == 0xDD, pop);
}

/* FCOMPP (DE), FUCOMPP (DA). */
bool exec_x87_compp(struct cpu *cpu, const struct insn *in)
{
    return compare(cpu, in, in->opcode == 0xDA, 2);
}

/* FCOMI (/6), FUCOMI (/5); DF pops. An unmasked invalid operation leaves EFLAGS alone. */
bool exec_x87_comi(struct cpu *cpu, const struct insn *in)
{
    static const u32 codes[] = {
        [FP_LESS] = FL_C,
        [FP_EQUAL] = FL_Z,
        [FP_GREATER] = 0,
        [FP_UNORDERED] = FL_ZPC,
    };
    struct x87_state *f = &cpu->x87;
    struct fp_env e = fp_env_x87(f->control);
    enum fp_order o = FP_UNORDERED;
    bool store;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    if (x87_empty(f, 0) || x87_empty(f, in->rm)) {
        store = x87_stack_fault(cpu, in, false);
    } else {
        o = f80_compare(&e, *x87_st(f, 0), *x87_st(f, in->rm), (in->modrm >> 3 & 7) == 5);
        store = x87_finish(cpu, in, &e);
    }
    if (store) {
        flags_set(cpu, FL_OSZAPC, codes[o]);
        if (in->opcode == 0xDF)
            x87_pop(f);
    }
    return true;
}

bool exec_x87_ftst(struct cpu *cpu, const struct insn *in)
{
    struct x87_state *f = &cpu->x87;
    struct fp_env e = fp_env_x87(f->control);

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    if (x87_empty(f, 0))
        return compare_underflow(cpu, in, 0);
    return compare_done(cpu, in, &e, f80_compare(&e, *x87_st(f, 0), (struct f80){0, 0}, false), 0);
}

/* DA: B E BE U; DB: their opposites. */
bool exec_x87_fcmov(struct cpu *cpu, const struct insn *in)
{
    static const u8 conditions[4] = {0x2, 0x4, 0x6, 0xA};
    struct x87_state *f = &cpu->x87;
    unsigned cc = conditions[in->modrm >> 3 & 3] | (in->opcode & 1);

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    if (x87_empty(f, 0) || x87_empty(f, in->rm)) {
        if (x87_stack_fault(cpu, in, false))
            x87_put(f, 0, f80_indefinite());
        return true;
    }
    x87_record(cpu, in);
    if (flags_cond(cpu, cc))
        x87_put(f, 0, *x87_st(f, in->rm));
    return true;
}

bool exec_x87_fxam(struct cpu *cpu, const struct insn *in)
{
    static const u16 codes[] = {
        [FP_ZERO] = X87_SW_C3, [FP_FINITE] = X87_SW_C2, [FP_INF] = X87_SW_C2 | X87_SW_C0,
        [FP_QNAN] = X87_SW_C0, [FP_SNAN] = X87_SW_C0,   [FP_UNSUPPORTED] = 0,
    };
    struct x87_state *f = &cpu->x87;
    struct fp_num n;
    u16 code;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    n = fp_unpack_f80(*x87_st(f, 0));
    code = n.denormal ? X87_SW_C3 | X87_SW_C2 : codes[n.cls];
    if (x87_empty(f, 0))
        code = X87_SW_C3 | X87_SW_C0;
    if (n.sign)
        code |= X87_SW_C1;
    f->status = (u16)((f->status & ~(X87_SW_C0 | X87_SW_C1 | X87_SW_C2 | X87_SW_C3)) | code);
    x87_record(cpu, in);
    return true;
}

/* Replace the sign of ST0 by @and, then @flip it. */
static bool change_sign(struct cpu *cpu, const struct insn *in, u16 and, u16 flip)
{
    struct x87_state *f = &cpu->x87;
    struct f80 *st0 = x87_st(f, 0);

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    if (x87_empty(f, 0)) {
        if (x87_stack_fault(cpu, in, false))
            x87_put(f, 0, f80_indefinite());
        return true;
    }
    x87_finish_quiet(cpu, in);
    st0->sign_exp = (u16)((st0->sign_exp & and) ^ flip);
    return true;
}

bool exec_x87_fchs(struct cpu *cpu, const struct insn *in)
{
    return change_sign(cpu, in, 0xFFFF, 0x8000);
}

bool exec_x87_fabs(struct cpu *cpu, const struct insn *in)
{
    return change_sign(cpu, in, 0x7FFF, 0);
}

bool exec_x87_fxch(struct cpu *cpu, const struct insn *in)
{
    struct x87_state *f = &cpu->x87;
    struct f80 a, b;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    a = x87_empty(f, 0) ? f80_indefinite() : *x87_st(f, 0);
    b = x87_empty(f, in->rm) ? f80_indefinite() : *x87_st(f, in->rm);
    if (x87_empty(f, 0) || x87_empty(f, in->rm)) {
        if (!x87_stack_fault(cpu, in, false))
            return true;
    } else {
        x87_finish_quiet(cpu, in);
    }
    x87_put(f, 0, b);
    x87_put(f, in->rm, a);
    return true;
}

static bool rotate(struct cpu *cpu, const struct insn *in, unsigned by)
{
    if (!x87_enter(cpu))
        return x87_refused(cpu);
    x87_finish_quiet(cpu, in);
    cpu->x87.top = (cpu->x87.top + by) & 7;
    return true;
}

bool exec_x87_fincstp(struct cpu *cpu, const struct insn *in)
{
    return rotate(cpu, in, 1);
}

bool exec_x87_fdecstp(struct cpu *cpu, const struct insn *in)
{
    return rotate(cpu, in, 7);
}

/* FFREE, and FFREEP (DF), which pops as well. */
bool exec_x87_ffree(struct cpu *cpu, const struct insn *in)
{
    struct x87_state *f = &cpu->x87;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    x87_finish_quiet(cpu, in);
    x87_set_empty(f, in->rm);
    if (in->opcode == 0xDF)
        x87_pop(f);
    return true;
}

bool exec_x87_fnop(struct cpu *cpu, const struct insn *in)
{
    if (!x87_enter(cpu))
        return x87_refused(cpu);
    x87_record(cpu, in);
    return true;
}
