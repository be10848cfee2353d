/* SPDX-License-Identifier: MIT */
/* Moves, arithmetic and logic. */
#include <assert.h>

#include "cpu/cpu.h"
#include "cpu/icache_soft.h"
#include "jit/x64/x64_emit.h"

/* --- getting operands into place --- */

void x64_move(struct x64_emit *e, enum width w, u8 d, ir_val v, i64 imm)
{
    if (v == IR_CONST) {
        x64_mov_ri(e->c, d, (u64)imm & 0xffffffffu);
    } else if (e->home[v] == HOME_MEM && ir_is_temp(v)) {
        if (w < W32)
            x64_movzx_rm(e->c, w, d, x64_operand(e));
        else
            x64_mov_rm(e->c, w, d, x64_operand(e));
    } else if (ir_is_high(v)) {
        u8 r = x64_byte_begin(e, v);
        x64_mov_rr(e->c, W32, d, r);
        x64_byte_end(e, v);
    } else if (x64_reg(e, v) != d) {
        x64_mov_rr(e->c, W32, d, x64_reg(e, v));
    }
}

/* Can 8-bit operand @v be encoded in an instruction without REX? */
static bool legacy(const struct x64_emit *e, ir_val v)
{
    return ir_is_high(v) || v == IR_CONST || (!x64_in_memory(e, v) && x64_reg(e, v) <= RBX);
}

static u8 legacy_reg(const struct x64_emit *e, ir_val v)
{
    return ir_is_high(v) ? (u8)(v - IR_HIGH + 4) : x64_reg(e, v);
}

/* The two are halves of one register: swapping for one would move the other. */
static bool same_register(ir_val a, ir_val b)
{
    return ir_reg_of(a) >= 0 && ir_reg_of(a) == ir_reg_of(b);
}

/* --- moves --- */

void x64_emit_MOV(struct x64_emit *e, const struct ir_insn *in)
{
    struct codebuf *c = e->c;

    if (ir_is_temp(in->d)) {
        u8 d = x64_dst(e, in->d);
        x64_move(e, in->w, d, in->b, in->imm);
        return;
    }
    if (in->w == W8 && legacy(e, in->d) && legacy(e, in->b)) {
        if (in->b == IR_CONST)
            x64_legacy_mov8_ri(c, legacy_reg(e, in->d), (u8)in->imm);
        else
            x64_legacy_mov8_rr(c, legacy_reg(e, in->d), legacy_reg(e, in->b));
        return;
    }
    if (in->b == IR_CONST) {
        if (in->w == W32)
            x64_mov_ri(c, x64_reg(e, in->d), (u32)in->imm);
        else
            x64_mov_ri_part(c, in->w, x64_reg(e, in->d), (u16)in->imm);
        return;
    }
    ir_val high = in->w == W8 ? in->d : IR_NONE; /* a temporary into AH..BH */
    u8 d = in->w == W8 ? x64_byte_begin(e, high) : x64_reg(e, in->d);
    if (x64_in_memory(e, in->b))
        x64_mov_rm(c, in->w, d, x64_operand(e));
    else
        x64_mov_rr(c, in->w, d, x64_reg(e, in->b));
    if (in->w == W8)
        x64_byte_end(e, high);
}

static void extend(struct x64_emit *e, const struct ir_insn *in, bool is_signed)
{
    struct codebuf *c = e->c;
    enum width from = in->cc;
    bool part = in->w == W16 && !ir_is_temp(in->d);
    bool mem = x64_in_memory(e, in->a);
    ir_val high = mem ? IR_NONE : in->a;
    u8 a = mem ? 0 : ir_is_high(high) ? x64_byte_begin(e, high) : x64_reg(e, in->a);
    struct x64_mem m = x64_operand(e);

    x64_temps_expire(e);
    u8 to = x64_dst(e, in->d), d = part ? x64_scratch_not(e, a) : to;
    if (d == X64_NOREG)
        x64_decline(e), d = R10;
    if (is_signed)
        mem ? x64_movsx_rm(c, W32, from, d, m) : x64_movsx_rr(c, W32, from, d, a);
    else
        mem ? x64_movzx_rm(c, from, d, m) : x64_movzx_rr(c, from, d, a);
    /* AH into EAX: the swapped source is gone, and must not come back. */
    if (ir_is_high(high) && (part || d != a))
        x64_byte_end(e, high);
    if (part)
        x64_mov_rr(c, W16, to, d);
}

void x64_emit_ZEXT(struct x64_emit *e, const struct ir_insn *in)
{
    extend(e, in, false);
}

void x64_emit_SEXT(struct x64_emit *e, const struct ir_insn *in)
{
    extend(e, in, true);
}

void x64_emit_ADDR(struct x64_emit *e, const struct ir_insn *in)
{
    struct codebuf *c = e->c;
    struct x64_mem m = {X64_NOREG, X64_NOREG, in->cc, (i32)in->imm};
    const struct ir_insn *n = x64_next(e, 1);
    ir_val dst = in->d;

    if (in->a != IR_NONE)
        m.base = x64_reg(e, in->a);
    if (in->b != IR_NONE)
        m.index = x64_reg(e, in->b);
    x64_temps_expire(e);
    /* LEA: straight into the register. */
    if (ir_is_temp(dst) && n && n->op == IR_MOV && n->b == dst && e->uses[dst] == 1 &&
        ir_is_reg(n->d) && n->w == in->w) {
        dst = n->d;
        e->i++;
        x64_flags_spoil(e, n);
    }
    bool part = in->w == W16 && !ir_is_temp(dst);
    u8 to = x64_dst(e, dst), d = part ? x64_scratch(e) : to;
    if (d == X64_NOREG)
        x64_decline(e), d = R10;
    if (m.index == X64_NOREG && m.disp == 0)
        x64_mov_rr(c, W32, d, m.base);
    else
        x64_lea(c, W32, d, m);
    if (part)
        x64_mov_rr(c, W16, to, d);
    else if (in->w == W16)
        x64_movzx_rr(c, W16, d, d);
}

void x64_emit_STEP(struct x64_emit *e, const struct ir_insn *in)
{
    u8 d = x64_dst(e, in->d);

    x64_mov_rm(e->c, W32, d, CPU_AT(jit.step));
    if (in->cc)
        x64_lea(e->c, W32, d, x64_idx(X64_NOREG, d, in->cc, 0));
}

/* A field of the processor. */
static struct x64_mem field_of(const struct ir_insn *in)
{
    return x64_at(REG_CPU, (i32)ir_field_offset(in->cc) - CPU_BIAS);
}

void x64_emit_GET(struct x64_emit *e, const struct ir_insn *in)
{
    u8 d = x64_dst(e, in->d);

    if (in->w < W32)
        x64_movzx_rm(e->c, in->w, d, field_of(in));
    else
        x64_mov_rm(e->c, in->w, d, field_of(in));
}

void x64_emit_PUT(struct x64_emit *e, const struct ir_insn *in)
{
    if (in->b == IR_CONST)
        x64_mov_mi(e->c, in->w, field_of(in), (i32)in->imm);
    else
        x64_mov_mr(e->c, in->w, field_of(in), x64_reg(e, in->b));
}

/* The decoded instruction lives as long as the code. */
/* D = what is there in the guest's code, or the decoder has put at @decoded. */
static void load_field(struct x64_emit *e, const struct ir_insn *in, struct insn_field f,
                       const void *decoded)
{
    u8 d = x64_dst(e, in->d);
    const u8 *at = e->u->check.at;
    enum width w = f.bytes == 1 ? W8 : f.bytes == 2 ? W16 : W32;

    if (!at || !f.bytes) {
        x64_mov_ri(e->c, d, (u64)(uintptr_t)decoded);
        x64_mov_rm(e->c, W32, d, x64_at(d, 0));
        return;
    }
    x64_mov_ri(e->c, d, (u64)(uintptr_t)(at + (e->ir->at[in->g + 1] - e->ir->at[0]) - f.back));
    if (w == W32)
        x64_mov_rm(e->c, W32, d, x64_at(d, 0));
    else if (f.sign)
        x64_movsx_rm(e->c, W32, w, d, x64_at(d, 0));
    else
        x64_movzx_rm(e->c, w, d, x64_at(d, 0));
}

void x64_emit_IMM(struct x64_emit *e, const struct ir_insn *in)
{
    const struct insn *guest = &e->ir->guest[in->g];

    load_field(e, in, insn_immediate(guest), &guest->imm);
}

void x64_emit_DISP(struct x64_emit *e, const struct ir_insn *in)
{
    const struct insn *guest = &e->ir->guest[in->g];

    load_field(e, in, insn_displacement(guest), &guest->disp);
}

void x64_emit_GUARD(struct x64_emit *e, const struct ir_insn *in)
{
    u8 a = x64_reg(e, in->a);

    x64_test_rr(e->c, in->w, a, a);
    x64_bail_from(e, x64_jcc(e->c, X64_NE, NULL), NULL);
    x64_flags_lost(e);
}

void x64_emit_BSWAP(struct x64_emit *e, const struct ir_insn *in)
{
    x64_bswap(e->c, W32, x64_reg(e, in->d));
}

void x64_emit_DF(struct x64_emit *e, const struct ir_insn *in)
{
    if (in->imm)
        x64_alu_mi(e->c, X64_OR, W32, CPU_AT(eflags), FL_D);
    else
        x64_alu_mi(e->c, X64_AND, W32, CPU_AT(eflags), ~FL_D);
    x64_mov_mi(e->c, W32, CPU_AT(jit.step), in->imm ? -1 : 1);
    x64_flags_lost(e);
}

static struct x64_mem clock_at(size_t field)
{
    return x64_at(REG_ADDR, (i32)field);
}

/* What clock_now() does with the instructions retired: end - left, of which the budget has what
 * this block has not spent, the block what is to come of it (in RAX), and cpu->jit.rest the rest.
 * Called, because loops that wait for a time are nearly all that kernels run at times: they count
 * in the size of code. */
void x64_stub_tsc(struct codebuf *c)
{
    x64_mov_rm(c, W64, REG_ADDR, CPU_AT(clock));
    x64_mov_rm(c, W64, REG_ADDEND, clock_at(offsetof(struct clock, end)));
    x64_alu_rr(c, X64_SUB, W64, REG_ADDEND, RAX);
    x64_alu_rr(c, X64_SUB, W64, REG_ADDEND, REG_BUDGET);
    x64_alu_rm(c, X64_SUB, W64, REG_ADDEND, CPU_AT(jit.rest));
    x64_alu_rm(c, X64_SUB, W64, REG_ADDEND, clock_at(offsetof(struct clock, base_count)));
    x64_mov_rr(c, W64, RAX, REG_ADDEND);
    x64_unary_m(c, X64_MUL, W64, clock_at(offsetof(struct clock, ratio)));
    x64_mov_rm(c, W32, REG_ADDEND, clock_at(offsetof(struct clock, base_frac)));
    x64_alu_rr(c, X64_ADD, W64, RAX, REG_ADDEND);
    x64_alu_ri(c, X64_ADC, W64, RDX, 0);
    x64_shd_rri(c, true, W64, RAX, RDX, 32);
    x64_alu_rm(c, X64_ADD, W64, RAX, clock_at(offsetof(struct clock, base_ns)));
    x64_alu_rm(c, X64_ADD, W64, RAX, CPU_AT(tsc_offset));
    x64_mov_rr(c, W64, RDX, RAX);
    x64_shift_ri(c, X64_SHR, W64, RDX, 32);
    x64_mov_rr(c, W32, RAX, RAX);
    x64_ret(c);
}
static_assert(CPU_TSC_HZ == CLOCK_NS_PER_SEC, "a tick is a nanosecond");

void x64_emit_TSC(struct x64_emit *e, const struct ir_insn *in)
{
    x64_test_mi(e->c, W32, CPU_AT(cr4), CR4_TSD);
    x64_bail_from(e, x64_jcc(e->c, X64_NE, NULL), NULL);
    x64_mov_ri(e->c, RAX, e->ir->guests - in->g);
    x64_call(e->c, e->u->stubs->tsc);
    x64_flags_lost(e);
}

/* --- conditions --- */

void x64_emit_SETCC(struct x64_emit *e, const struct ir_insn *in)
{
    enum x64_cc cc = x64_flags_cond(e, in->cc);

    if (ir_is_high(in->d))
        x64_legacy_setcc(e->c, cc, legacy_reg(e, in->d));
    else
        x64_setcc_r(e->c, cc, x64_dst(e, in->d));
}

void x64_emit_CMOV(struct x64_emit *e, const struct ir_insn *in)
{
    enum x64_cc cc = x64_flags_cond(e, in->cc);
    u8 a = x64_in_memory(e, in->a) ? HOME_MEM : x64_reg(e, in->a);
    bool mem = x64_in_memory(e, in->b);
    u8 d = x64_dst(e, in->d);

    if (d != a)
        x64_move(e, in->w, d, in->a, 0);
    if (mem)
        x64_cmov_rm(e->c, cc, in->w, d, x64_operand(e));
    else
        x64_cmov_rr(e->c, cc, in->w, d, x64_reg(e, in->b));
}

/* --- two operands --- */

static const u8 alu_of[IR__COUNT] = {
    [IR_ADD] = X64_ADD, [IR_OR] = X64_OR,   [IR_ADC] = X64_ADC, [IR_SBB] = X64_SBB,
    [IR_AND] = X64_AND, [IR_SUB] = X64_SUB, [IR_XOR] = X64_XOR, [IR_CMP] = X64_CMP,
};

/* @d op= B, for a register @d of @w that needs no care. */
static void alu_reg(struct x64_emit *e, const struct ir_insn *in, u8 d)
{
    enum x64_alu op = (enum x64_alu)alu_of[in->op];
    struct codebuf *c = e->c;

    if (in->b == IR_CONST)
        x64_alu_ri(c, op, in->w, d, (i32)in->imm);
    else if (x64_in_memory(e, in->b))
        x64_alu_rm(c, op, in->w, d, x64_operand(e));
    else if (ir_is_high(in->b)) {
        u8 b = x64_byte_begin(e, in->b);
        x64_alu_rr(c, op, in->w, d, b);
        x64_byte_end(e, in->b);
    } else
        x64_alu_rr(c, op, in->w, d, x64_reg(e, in->b));
}

/* D is a guest register, and A is the same. */
static void alu_in_register(struct x64_emit *e, const struct ir_insn *in, ir_val d)
{
    enum x64_alu op = (enum x64_alu)alu_of[in->op];

    if (in->w != W8 || (!ir_is_high(d) && !ir_is_high(in->b))) {
        alu_reg(e, in, x64_reg(e, d));
    } else if (legacy(e, d) && legacy(e, in->b)) {
        if (in->b == IR_CONST)
            x64_legacy_alu8_ri(e->c, op, legacy_reg(e, d), (u8)in->imm);
        else
            x64_legacy_alu8_rr(e->c, op, legacy_reg(e, d), legacy_reg(e, in->b));
    } else if (ir_is_high(d)) {
        alu_reg(e, in, x64_byte_begin(e, d));
        x64_byte_end(e, d);
    } else {
        alu_reg(e, in, x64_reg(e, d));
    }
}

/* The recipe for what @in leaves, its operands being where they are; NULL if there is none. */
static const struct recipe *recipe_of(const struct ir_insn *in, struct recipe *r)
{
    static const u8 kind_of[IR__COUNT] = {
        [IR_ADD] = RECIPE_ADD,   [IR_SUB] = RECIPE_SUB,  [IR_CMP] = RECIPE_CMP,
        [IR_AND] = RECIPE_LOGIC, [IR_OR] = RECIPE_LOGIC, [IR_XOR] = RECIPE_LOGIC,
        [IR_TEST] = RECIPE_TEST, [IR_NEG] = RECIPE_NEG,
    };
    u8 kind = kind_of[in->op];
    bool logic = kind == RECIPE_LOGIC || kind == RECIPE_NEG;
    ir_val a = kind == RECIPE_CMP || kind == RECIPE_TEST ? in->a : in->d;

    if (!kind || !ir_is_reg(a) || !(logic || in->b == IR_CONST || ir_is_reg(in->b)))
        return NULL;
    if ((kind == RECIPE_ADD || kind == RECIPE_SUB) && in->b == in->d)
        return NULL;
    bool imm = logic || in->b == IR_CONST;
    *r = (struct recipe){kind, in->w, (u8)(a - IR_REG), imm ? RECIPE_IMM : (u8)(in->b - IR_REG),
                         (i32)in->imm};
    return r;
}

static void alu(struct x64_emit *e, const struct ir_insn *in)
{
    struct recipe r;

    if (in->use & IRF_C)
        x64_flags_carry(e);
    if (ir_is_temp(in->d)) {
        bool dies = ir_is_temp(in->a) && !x64_in_memory(e, in->a) && e->last[in->a] == e->i;
        u8 a = dies ? x64_reg(e, in->a) : X64_NOREG;
        if (dies)
            e->busy[a] = 0;
        u8 d = x64_dst(e, in->d);
        if (d != a)
            x64_move(e, in->w, d, in->a, 0);
        alu_reg(e, in, d);
    } else {
        alu_in_register(e, in, in->d);
    }
    x64_flags_after(e, in, e->i, IRF_ALL, recipe_of(in, &r));
}

#define ALU(op)                                                                                    \
    void x64_emit_##op(struct x64_emit *e, const struct ir_insn *in)                               \
    {                                                                                              \
        alu(e, in);                                                                                \
    }
ALU(ADD)
ALU(OR)
ALU(ADC)
ALU(SBB)
ALU(AND)
ALU(SUB)
ALU(XOR)

void x64_emit_CMP(struct x64_emit *e, const struct ir_insn *in)
{
    struct recipe r;

    if (x64_in_memory(e, in->a)) {
        if (in->b == IR_CONST)
            x64_alu_mi(e->c, X64_CMP, in->w, x64_operand(e), (i32)in->imm);
        else
            x64_alu_mr(e->c, X64_CMP, in->w, x64_operand(e), x64_reg(e, in->b));
    } else {
        alu_in_register(e, in, in->a);
    }
    x64_flags_after(e, in, e->i, IRF_ALL, recipe_of(in, &r));
}

static void test_bytes(struct x64_emit *e, const struct ir_insn *in)
{
    struct codebuf *c = e->c;

    if (in->b == IR_CONST)
        x64_legacy_test8_ri(c, legacy_reg(e, in->a), (u8)in->imm);
    else
        x64_legacy_test8_rr(c, legacy_reg(e, in->a), legacy_reg(e, in->b));
}

void x64_emit_TEST(struct x64_emit *e, const struct ir_insn *in)
{
    struct codebuf *c = e->c;
    struct recipe r;

    if (x64_in_memory(e, in->a) || x64_in_memory(e, in->b)) {
        ir_val other = x64_in_memory(e, in->a) ? in->b : in->a;
        if (other == IR_CONST)
            x64_test_mi(c, in->w, x64_operand(e), (i32)in->imm);
        else
            x64_test_mr(c, in->w, x64_operand(e), x64_reg(e, other));
    } else if (in->w == W8 && legacy(e, in->a) && legacy(e, in->b)) {
        test_bytes(e, in);
    } else if (ir_is_high(in->a) || ir_is_high(in->b)) {
        ir_val high = ir_is_high(in->a) ? in->a : in->b;
        ir_val other = ir_is_high(in->a) ? in->b : in->a;
        if (same_register(high, other))
            x64_decline(e);
        x64_test_rr(c, W8, x64_byte_begin(e, high), x64_reg(e, other));
        x64_byte_end(e, high);
    } else if (in->b == IR_CONST) {
        x64_test_ri(c, in->w, x64_reg(e, in->a), (i32)in->imm);
    } else {
        x64_test_rr(c, in->w, x64_reg(e, in->a), x64_reg(e, in->b));
    }
    x64_flags_after(e, in, e->i, IRF_ALL, recipe_of(in, &r));
}

/* --- one operand --- */

/* D in a register that needs no care, holding A; byte registers swapped until x64_one_end(). */
u8 x64_one_begin(struct x64_emit *e, const struct ir_insn *in)
{
    if (ir_is_temp(in->d)) {
        u8 d = x64_dst(e, in->d);
        x64_move(e, in->w, d, in->a, 0);
        return d;
    }
    if (in->w == W8)
        return x64_byte_begin(e, in->d);
    u8 d = x64_reg(e, in->d);
    if (in->a != in->d) /* a 16-bit one keeps what is above it */
        x64_mov_rr(e->c, in->w, d, x64_reg(e, in->a));
    return d;
}

void x64_one_end(struct x64_emit *e, const struct ir_insn *in)
{
    if (in->w == W8 && !ir_is_temp(in->d))
        x64_byte_end(e, in->d);
}

/* Fill in the recipe for what @in leaves. Is CF, which stays, in it? It can be seen from what an
 * addition has left, or is in its place already. */
static bool step_recipe(const struct x64_emit *e, const struct ir_insn *in, struct recipe *r)
{
    const struct recipe *was = &e->fl.how_to;

    *r = (struct recipe){in->op == IR_DEC ? RECIPE_DEC : RECIPE_INC, in->w, (u8)(in->d - IR_REG),
                         RECIPE_IMM, 0};
    if (e->fl.carry)
        return true;
    if (!e->fl.recipe || was->kind != RECIPE_ADD || was->b != RECIPE_IMM || was->w != in->w ||
        was->a == r->a)
        return false;
    r->b = was->a;
    r->imm = was->imm;
    return true;
}

/* CF stays: if it matters, it has to be in EFLAGS before, and is there after, or the recipe has it.
 */
static void step(struct x64_emit *e, const struct ir_insn *in)
{
    struct ir_insn full = *in;
    struct recipe r;
    bool fit = in->def && ir_is_reg(in->d), whole = fit && step_recipe(e, in, &r);

    if ((e->need[e->i] & IRF_C) && !whole)
        x64_flags_carry(e);
    u8 host = whole ? (u8)(e->fl.host | (IRF_ALL & ~IRF_C)) : IRF_ALL;
    u8 d = x64_one_begin(e, in);
    in->op == IR_DEC ? x64_dec_r(e->c, in->w, d) : x64_inc_r(e->c, in->w, d);
    x64_one_end(e, in);
    full.def = in->def ? IRF_ALL : 0;
    bool carry = e->fl.carry;
    x64_flags_after(e, &full, e->i, host, whole ? &r : NULL);
    e->fl.carry = carry;
    if (fit && !whole) {
        e->fl.step = true;
        e->fl.how_to = r;
    }
}

void x64_emit_INC(struct x64_emit *e, const struct ir_insn *in)
{
    step(e, in);
}

void x64_emit_DEC(struct x64_emit *e, const struct ir_insn *in)
{
    step(e, in);
}

void x64_emit_NEG(struct x64_emit *e, const struct ir_insn *in)
{
    struct recipe r;
    u8 d = x64_one_begin(e, in);

    x64_unary_r(e->c, X64_NEG, in->w, d);
    x64_one_end(e, in);
    x64_flags_after(e, in, e->i, IRF_ALL, recipe_of(in, &r));
}

void x64_emit_NOT(struct x64_emit *e, const struct ir_insn *in)
{
    u8 d = x64_one_begin(e, in);

    x64_unary_r(e->c, X64_NOT, in->w, d);
    x64_one_end(e, in);
}
