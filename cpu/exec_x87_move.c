/* SPDX-License-Identifier: MIT */
/* x87: loads and stores of reals, integers and packed BCD, constants  [SDM 1 §8.3.3, §8.3.4]. */
#include <string.h>

#include "cpu/x87_exec.h"

static const struct f80 indefinite = {0xC000000000000000, 0xFFFF};

/* A load whose conversion may be invalid or denormal. */
static bool push_converted(struct cpu *cpu, const struct insn *in, struct fp_env *e, struct f80 v)
{
    struct x87_state *f = &cpu->x87;

    if (!x87_empty(f, 7))
        return x87_do_push(cpu, in, v);
    x87_finish(cpu, in, e);
    if (!(e->flags & ~e->masks & FP_IE)) /* a denormal is loaded even if unmasked */
        x87_push(f, v);
    return true;
}

bool exec_x87_fld_m32(struct cpu *cpu, const struct insn *in)
{
    struct fp_env e = fp_env_x87(cpu->x87.control);
    struct f80 r;
    u64 v;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    if (!mem_read(cpu, in->seg, insn_ea(cpu, in), W32, &v))
        return false;
    r = f32_to_f80(&e, (u32)v);
    return push_converted(cpu, in, &e, r);
}

bool exec_x87_fld_m64(struct cpu *cpu, const struct insn *in)
{
    struct fp_env e = fp_env_x87(cpu->x87.control);
    struct f80 r;
    u64 v;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    if (!mem_read(cpu, in->seg, insn_ea(cpu, in), W64, &v))
        return false;
    r = f64_to_f80(&e, v);
    return push_converted(cpu, in, &e, r);
}

bool exec_x87_fld_m80(struct cpu *cpu, const struct insn *in)
{
    u64 off, mant, sign_exp;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    off = insn_ea(cpu, in);
    if (!mem_read(cpu, in->seg, off, W64, &mant) ||
        !mem_read(cpu, in->seg, off + 8, W16, &sign_exp))
        return false;
    return x87_do_push(cpu, in, (struct f80){mant, (u16)sign_exp});
}

/* The width of an integer operand: DB /r 32 bits, DF /5 and /7 64, other DF 16. */
static enum width integer_width(const struct insn *in)
{
    if (in->opcode == 0xDB)
        return W32;
    return (in->modrm & 0x28) == 0x28 ? W64 : W16;
}

bool exec_x87_fild(struct cpu *cpu, const struct insn *in)
{
    enum width w = integer_width(in);
    u64 v;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    if (!mem_read(cpu, in->seg, insn_ea(cpu, in), w, &v))
        return false;
    return x87_do_push(cpu, in, f80_from_int((i64)sign_extend(v, w)));
}

bool exec_x87_fbld(struct cpu *cpu, const struct insn *in)
{
    u8 bcd[10];

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    if (!mem_read_bytes(cpu, in->seg, insn_ea(cpu, in), bcd, sizeof(bcd)))
        return false;
    return x87_do_push(cpu, in, f80_from_bcd(bcd));
}

bool exec_x87_fld_sti(struct cpu *cpu, const struct insn *in)
{
    struct x87_state *f = &cpu->x87;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    if (x87_empty(f, in->rm)) {
        if (x87_stack_fault(cpu, in, false))
            x87_push(f, indefinite);
        return true;
    }
    return x87_do_push(cpu, in, *x87_st(f, in->rm));
}

/* D9 E8..EE. What is not exact is rounded as RC says  [SDM 1 §8.3.4]. */
bool exec_x87_fldconst(struct cpu *cpu, const struct insn *in)
{
    static const struct {
        struct f80 chopped;
        u8 up; /* rounding modes (bits by enum fp_round) that give one unit more */
    } constants[8] = {
        {{0x8000000000000000, 0x3FFF}, 0},                            /* 1       */
        {{0xD49A784BCD1B8AFE, 0x4000}, BIT(FP_UP)},                   /* log2 10 */
        {{0xB8AA3B295C17F0BB, 0x3FFF}, BIT(FP_NEAREST) | BIT(FP_UP)}, /* log2 e  */
        {{0xC90FDAA22168C234, 0x4000}, BIT(FP_NEAREST) | BIT(FP_UP)}, /* pi      */
        {{0x9A209A84FBCFF798, 0x3FFD}, BIT(FP_NEAREST) | BIT(FP_UP)}, /* log10 2 */
        {{0xB17217F7D1CF79AB, 0x3FFE}, BIT(FP_NEAREST) | BIT(FP_UP)}, /* ln 2    */
        {{0, 0}, 0},                                                  /* 0       */
    };
    struct f80 v = constants[in->modrm & 7].chopped;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    v.mant += constants[in->modrm & 7].up >> (cpu->x87.control >> 10 & 3) & 1;
    return x87_do_push(cpu, in, v);
}

/* Memory is looked at even when an unmasked exception keeps the result from it. */
static bool probe(struct cpu *cpu, const struct insn *in, unsigned n)
{
    return mem_probe(cpu, in->seg, insn_ea(cpu, in), n, true);
}

/* The common part of the stores to memory: /3 and /7 pop. */
static bool store(struct cpu *cpu, const struct insn *in, struct fp_env *e, bool pops, enum width w,
                  u64 v, u64 bad)
{
    const u8 no_store = FP_BEFORE | FP_OE | FP_UE;
    struct x87_state *f = &cpu->x87;
    bool empty = x87_empty(f, 0);
    struct fp_env settled = *e;
    bool stores = empty ? (f->control & FP_IE) != 0 : !(fp_settle(&settled) & no_store);

    if (stores ? !mem_write(cpu, in->seg, insn_ea(cpu, in), w, empty ? bad : v)
               : !probe(cpu, in, 1u << w))
        return false;
    if (empty)
        stores = x87_stack_fault(cpu, in, false);
    else
        x87_finish(cpu, in, e);
    if (stores && pops)
        x87_pop(f);
    return true;
}

bool exec_x87_fst_m32(struct cpu *cpu, const struct insn *in)
{
    struct fp_env e = fp_env_x87(cpu->x87.control);
    u32 v;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    v = f80_to_f32(&e, *x87_st(&cpu->x87, 0));
    return store(cpu, in, &e, in->modrm & 8, W32, v, 0xFFC00000);
}

bool exec_x87_fst_m64(struct cpu *cpu, const struct insn *in)
{
    struct fp_env e = fp_env_x87(cpu->x87.control);
    u64 v;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    v = f80_to_f64(&e, *x87_st(&cpu->x87, 0));
    return store(cpu, in, &e, in->modrm & 8, W64, v, 0xFFF8000000000000);
}

bool exec_x87_fist(struct cpu *cpu, const struct insn *in)
{
    struct fp_env e = fp_env_x87(cpu->x87.control);
    enum width w = integer_width(in);
    unsigned bits = 8u << w;
    i64 v;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    v = f80_to_int(&e, *x87_st(&cpu->x87, 0), bits, e.round);
    return store(cpu, in, &e, in->modrm & 8, w, (u64)v, BIT64(bits - 1));
}

/* FISTTP: chopped whatever RC says, and popped. DF /1 16 bits, DB /1 32, DD /1 64. */
bool exec_x87_fisttp(struct cpu *cpu, const struct insn *in)
{
    struct fp_env e = fp_env_x87(cpu->x87.control);
    enum width w = in->opcode == 0xDB ? W32 : in->opcode == 0xDD ? W64 : W16;
    unsigned bits = 8u << w;
    i64 v;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    v = f80_to_int(&e, *x87_st(&cpu->x87, 0), bits, FP_CHOP);
    return store(cpu, in, &e, true, w, (u64)v, BIT64(bits - 1));
}

bool exec_x87_fbstp(struct cpu *cpu, const struct insn *in)
{
    struct x87_state *f = &cpu->x87;
    struct fp_env e = fp_env_x87(f->control), settled;
    bool empty, stores;
    u8 bcd[10];

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    empty = x87_empty(f, 0);
    f80_to_bcd(&e, empty ? indefinite : *x87_st(f, 0), bcd);
    settled = e;
    stores = !(fp_settle(&settled) & FP_BEFORE);
    if (stores ? !mem_write_bytes(cpu, in->seg, insn_ea(cpu, in), bcd, sizeof(bcd))
               : !probe(cpu, in, sizeof(bcd)))
        return false;
    stores = empty ? x87_stack_fault(cpu, in, false) : x87_finish(cpu, in, &e);
    if (stores)
        x87_pop(f);
    return true;
}

bool exec_x87_fstp_m80(struct cpu *cpu, const struct insn *in)
{
    struct x87_state *f = &cpu->x87;
    struct f80 v;
    bool empty, stores;
    u8 bytes[10];

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    empty = x87_empty(f, 0);
    v = empty ? indefinite : *x87_st(f, 0);
    store_le(bytes, v.mant, 8);
    store_le(bytes + 8, v.sign_exp, 2);
    stores = !empty || (f->control & FP_IE);
    if (stores ? !mem_write_bytes(cpu, in->seg, insn_ea(cpu, in), bytes, sizeof(bytes))
               : !probe(cpu, in, sizeof(bytes)))
        return false;
    if (empty)
        stores = x87_stack_fault(cpu, in, false);
    else
        x87_finish_quiet(cpu, in);
    if (stores)
        x87_pop(f);
    return true;
}

/* FST ST(i), and FSTP: a copy, without exceptions. */
static bool store_sti(struct cpu *cpu, const struct insn *in, bool pops)
{
    struct x87_state *f = &cpu->x87;
    struct f80 v;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    v = *x87_st(f, 0);
    if (x87_empty(f, 0)) {
        if (!x87_stack_fault(cpu, in, false))
            return true;
        v = indefinite;
    } else {
        x87_finish_quiet(cpu, in);
    }
    x87_put(f, in->rm, v);
    if (pops)
        x87_pop(f);
    return true;
}

bool exec_x87_fst_sti(struct cpu *cpu, const struct insn *in)
{
    return store_sti(cpu, in, false);
}

bool exec_x87_fstp_sti(struct cpu *cpu, const struct insn *in)
{
    return store_sti(cpu, in, true);
}

/* D9 D8+i: FSTP ST(i) that does not look whether ST0 is empty. */
bool exec_x87_fstpnce(struct cpu *cpu, const struct insn *in)
{
    struct x87_state *f = &cpu->x87;

    if (!x87_enter(cpu))
        return x87_refused(cpu);
    x87_finish_quiet(cpu, in);
    if (!x87_empty(f, 0))
        x87_put(f, in->rm, *x87_st(f, 0));
    x87_pop(f);
    return true;
}
