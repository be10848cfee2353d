/* SPDX-License-Identifier: MIT */
/*
 * x87 instructions: in line where a64_x87.h says so, else calls of x87_plain().
 *
 * References: [SDM 1 §8.1, §8.3], [SDM 2A].
 */
#include <assert.h>

#include "cpu/isa.h"
#include "jit/a64/a64_emit.h"
#include "jit/mode.h"

/* Bits of the status word. */
enum { SW_C1 = 9, SW_TOP = 11 };

/* --- operands --- */

static bool is_empty(const struct a64_emit *e, unsigned i)
{
    return e->x87.empty >> x87_place(e->x87.top, i) & 1;
}

static i32 st(const struct a64_emit *e, unsigned i)
{
    static_assert(sizeof(struct f80) == 16 && offsetof(struct f80, sign_exp) == 8, "pairs");
    static_assert(offsetof(struct cpu, x87.r[7]) <= 504, "LDP reaches them");
    return CPU_OFF(x87.r) + 16 * x87_place(e->x87.top, i);
}

/* X3: where the memory operand is. It can be reached. */
static void reach(struct a64_emit *e, const struct ir_insn *in)
{
    unsigned bytes = (unsigned)in->imm & IR_FP_SIZE, size = 0;
    u8 at = a64_reg(e, in->a);

    while (BIT(size) != bytes)
        size++;
    a64_look_up(e, at, size, in->imm & IR_FP_WRITE, MAY_BE_CROOKED, REG_ADDEND);
    a64_arith_rx(e->c, A64_ADD, W64, X3, REG_ADDEND, at, A64_UXTW, 0);
}

/* The same, and FDP and FDS are stored. */
static void operand(struct a64_emit *e, const struct ir_insn *in)
{
    const struct insn *guest = &e->ir->guest[in->g];
    struct codebuf *c = e->c;
    i32 seg = CPU_OFF(seg[0]) + (i32)(guest->seg * sizeof(struct segment));
    u8 at = a64_reg(e, in->a), off = at;

    reach(e, in);
    if (jit_mode_seg(e->u->mode, guest->seg) != SEGC_FLAT) {
        a64_ldr(c, W32, X17, REG_CPU, seg + (i32)offsetof(struct segment, base));
        a64_arith_rr(c, A64_SUB, W32, X17, at, X17);
        off = X17;
    }
    a64_str(c, W64, off, REG_CPU, CPU_OFF(x87.dp));
    a64_ldr(c, W16, X17, REG_CPU, seg + (i32)offsetof(struct segment, selector));
    a64_str(c, W16, X17, REG_CPU, CPU_OFF(x87.ds));
}

/* Before a subroutine. */
static void prepare(struct a64_emit *e, bool rounds)
{
    if (!e->x87.nzcv) {
        a64_mrs(e->c, X16, A64_NZCV);
        a64_str(e->c, W32, X16, REG_CPU, CPU_OFF(jit.temp[0]));
        e->x87.nzcv = true;
    }
    if (rounds && !e->x87.inexact) {
        a64_mov_rr(e->c, W64, X15, XZR);
        e->x87.inexact = true;
    }
}

/* The branch is taken if the control word is not the expected one. */
static u8 *look_at_control(struct a64_emit *e)
{
    struct codebuf *c = e->c;

    if (!e->x87.loose)
        return NULL;
    a64_ldr(c, W16, X16, REG_CPU, CPU_OFF(x87.control));
    a64_movz(c, W32, X17, e->x87.control, 0);
    a64_arith_rr(c, A64_SUB, W32, X16, X16, X17);
    return a64_cbnz(c, W32, X16, NULL);
}

static void call(struct a64_emit *e, enum x87_op op)
{
    a64_bl(e->c, e->u->stubs->x87_op[op]);
}

/* The branch at @undone is taken if a subroutine cannot: x87_plain() does it, from @before on. */
static struct cold *or_plain(struct a64_emit *e, u8 *undone, const struct a64_x87 *before)
{
    struct cold *k = a64_cold(e, COLD_X87, undone);

    k->i = (u16)e->i;
    k->x87 = *before;
    return k;
}

/* --- ends --- */

/* The instruction is done, and C1 is @c1; @k, or NULL, comes back here. */
static bool done(struct a64_emit *e, const struct insn *guest, enum x87_c1 c1, struct cold *k)
{
    struct a64_x87 *x = &e->x87;

    a64_x87_effect(guest, &x->top, &x->empty);
    x->c1 = (u8)c1;
    x->jumps_lost |= c1 == C1_IN_X14;
    x->last = e->ir->insn[e->i].g + 1;
    if (k) {
        k->back = e->c->at;
        k->after = *x;
    }
    return true;
}

/* --- instructions in line --- */

static const u8 op_of[8] = {X87_ADD, X87_MUL, 0, 0, X87_SUB, X87_SUBR, X87_DIV, X87_DIVR};

static bool arith_registers(struct a64_emit *e, const struct insn *guest)
{
    struct a64_x87 before = e->x87;
    unsigned i = x87_rm(guest), reg = x87_reg(guest), group = x87_group(guest);
    struct codebuf *c = e->c;

    if (is_empty(e, i))
        return false;
    prepare(e, true);
    u8 *unexpected = look_at_control(e);
    a64_ldp(c, W64, X0, X1, REG_CPU, st(e, 0));
    a64_ldp(c, W64, X2, X12, REG_CPU, st(e, i));
    call(e, x87_op_of(&e->x87, op_of[reg]));
    before.nzcv = before.inexact = true;
    struct cold *k = or_plain(e, a64_bcond(c, A64_HS, NULL), &before);
    k->from[2] = unexpected;
    a64_stp(c, W64, X0, X1, REG_CPU, st(e, group == GROUP_D8 ? 0 : i));
    return done(e, guest, C1_IN_X14, k);
}

/* ST0 = @op of ST0. */
static bool unary(struct a64_emit *e, const struct insn *guest, enum x87_op op)
{
    struct a64_x87 before = e->x87;
    struct codebuf *c = e->c;

    if (is_empty(e, 0))
        return false;
    prepare(e, true);
    u8 *unexpected = a64_x87_rounds(guest) ? look_at_control(e) : NULL;
    a64_ldp(c, W64, X0, X1, REG_CPU, st(e, 0));
    call(e, op);
    before.nzcv = before.inexact = true;
    struct cold *k = or_plain(e, a64_bcond(c, A64_HS, NULL), &before);
    k->from[2] = unexpected;
    a64_stp(c, W64, X0, X1, REG_CPU, st(e, 0));
    return done(e, guest, C1_IN_X14, k);
}

static u8 *load_real(struct a64_emit *e, bool wide)
{
    a64_ldr(e->c, wide ? W64 : W32, X2, X3, 0);
    call(e, wide ? X87_LOAD64 : X87_LOAD32);
    return a64_tbnz(e->c, X12, X87_UNDONE, NULL);
}

static void load_int(struct a64_emit *e, enum width w)
{
    if (w == W64)
        a64_ldr(e->c, W64, X2, X3, 0);
    else
        a64_mem_ri(e->c, A64_LDRS_X, w, X2, X3, 0);
    call(e, X87_LOAD_INT);
}

static bool arith_memory(struct a64_emit *e, const struct ir_insn *in, const struct insn *guest)
{
    unsigned group = x87_group(guest);
    struct codebuf *c = e->c;
    u8 *unusual = NULL;

    operand(e, in);
    struct a64_x87 before = e->x87;
    prepare(e, true);
    before.nzcv = before.inexact = true;
    struct cold *k = or_plain(e, look_at_control(e), &before);
    if (group == GROUP_D8 || group == GROUP_DC)
        unusual = load_real(e, group == GROUP_DC);
    else
        load_int(e, group == GROUP_DA ? W32 : W16);
    k->from[2] = unusual;
    a64_ldp(c, W64, X0, X1, REG_CPU, st(e, 0));
    call(e, x87_op_of(&e->x87, op_of[x87_reg(guest)]));
    k->from[1] = a64_bcond(c, A64_HS, NULL);
    a64_stp(c, W64, X0, X1, REG_CPU, st(e, 0));
    return done(e, guest, C1_IN_X14, k);
}

static bool load(struct a64_emit *e, const struct ir_insn *in, const struct insn *guest)
{
    unsigned group = x87_group(guest);
    struct codebuf *c = e->c;
    struct cold *k = NULL;

    if (!is_empty(e, 7))
        return false;
    operand(e, in);
    if (group == GROUP_DB || group == GROUP_DF)
        load_int(e, group == GROUP_DB ? W32 : x87_reg(guest) == 0 ? W16 : W64);
    else
        k = or_plain(e, load_real(e, group == GROUP_DD), &e->x87);
    a64_stp(c, W64, X2, X12, REG_CPU, st(e, 7));
    return done(e, guest, C1_ZERO, k);
}

static bool store(struct a64_emit *e, const struct ir_insn *in, enum x87_op op, enum width w)
{
    const struct insn *guest = &e->ir->guest[in->g];
    struct codebuf *c = e->c;

    operand(e, in);
    struct a64_x87 before = e->x87;
    prepare(e, true);
    before.nzcv = before.inexact = true;
    u8 *unexpected = a64_x87_rounds(guest) ? look_at_control(e) : NULL;
    a64_ldp(c, W64, X0, X1, REG_CPU, st(e, 0));
    call(e, op);
    struct cold *k = or_plain(e, a64_bcond(c, A64_HS, NULL), &before);
    k->from[1] = unexpected;
    a64_str(c, w, X0, X3, 0);
    return done(e, guest, C1_IN_X14, k);
}

static bool store_real(struct a64_emit *e, const struct ir_insn *in, const struct insn *guest)
{
    bool wide = x87_group(guest) == GROUP_DD;

    return store(e, in, x87_store_of(&e->x87, wide ? X87_STORE64 : X87_STORE32), wide ? W64 : W32);
}

static bool store_int(struct a64_emit *e, const struct ir_insn *in, const struct insn *guest)
{
    enum width w = x87_group(guest) == GROUP_DB ? W32 : x87_reg(guest) == 7 ? W64 : W16;

    return store(e, in, X87_STORE_INT16 + w - W16, w);
}

/* C3, C2 and C0 are where ZF, PF and CF are in the low byte. C1 is cleared, too. */
static void put_order(struct codebuf *c)
{
    a64_ldr(c, W16, X16, REG_CPU, CPU_OFF(x87.status));
    a64_movz(c, W32, X17, X87_SW_C0 | X87_SW_C1 | X87_SW_C2 | X87_SW_C3, 0);
    a64_logic_rr(c, A64_BIC, W32, X16, X16, X17);
    a64_logic_rs(c, A64_ORR, W32, X16, X16, X0, A64_LSL, 8);
    a64_str(c, W16, X16, REG_CPU, CPU_OFF(x87.status));
}

static bool compare(struct a64_emit *e, const struct ir_insn *in, const struct insn *guest)
{
    struct codebuf *c = e->c;
    unsigned i = x87_rm(guest), group = x87_group(guest);
    bool flags = group == GROUP_DB || group == GROUP_DF;
    u8 *unusual = NULL;

    if (!guest->mem && is_empty(e, i))
        return false;
    if (guest->mem)
        operand(e, in);
    struct a64_x87 before = e->x87;
    prepare(e, false);
    before.nzcv = true;
    if (guest->mem)
        unusual = load_real(e, group == GROUP_DC);
    else
        a64_ldp(c, W64, X2, X12, REG_CPU, st(e, i));
    a64_ldp(c, W64, X0, X1, REG_CPU, st(e, 0));
    call(e, X87_COMPARE);
    struct cold *k = or_plain(e, a64_cbz(c, W32, X0, NULL), &before);
    k->from[1] = unusual;
    if (!flags) {
        put_order(c);
        return done(e, guest, C1_STORED, k);
    }
    done(e, guest, C1_ZERO, k);
    e->x87.nzcv = k->after.nzcv = false; /* they get new ones */
    a64_flags_put(e, X0, true);
    return true;
}

static bool move(struct a64_emit *e, const struct insn *guest)
{
    bool load = x87_group(guest) == GROUP_D9 && x87_reg(guest) == 0;
    unsigned i = x87_rm(guest);
    struct codebuf *c = e->c;

    if (load ? is_empty(e, i) || !is_empty(e, 7) : is_empty(e, 0))
        return false;
    if (load) {
        a64_ldp(c, W64, X0, X1, REG_CPU, st(e, i));
        a64_stp(c, W64, X0, X1, REG_CPU, st(e, 7));
    } else if (x87_group(guest) == GROUP_D9) { /* FXCH */
        if (is_empty(e, i))
            return false;
        a64_ldp(c, W64, X0, X1, REG_CPU, st(e, 0));
        a64_ldp(c, W64, X2, X12, REG_CPU, st(e, i));
        a64_stp(c, W64, X2, X12, REG_CPU, st(e, 0));
        a64_stp(c, W64, X0, X1, REG_CPU, st(e, i));
    } else if (i) { /* FST, FSTP */
        a64_ldp(c, W64, X0, X1, REG_CPU, st(e, 0));
        a64_stp(c, W64, X0, X1, REG_CPU, st(e, i));
    }
    return done(e, guest, C1_ZERO, NULL);
}

/* FCHS, FABS, FLD1, FLDZ */
static bool simple(struct a64_emit *e, const struct insn *guest)
{
    bool constant = guest->modrm == 0xe8 || guest->modrm == 0xee;
    struct codebuf *c = e->c;

    if (constant != is_empty(e, constant ? 7 : 0))
        return false;
    switch (guest->modrm) {
    case 0xe0:
    case 0xe1:
        a64_ldr(c, W16, X0, REG_CPU, st(e, 0) + 8);
        if (guest->modrm == 0xe0)
            a64_logic_ri(c, A64_EOR, W32, X0, X0, 0x8000);
        else
            a64_logic_ri(c, A64_AND, W32, X0, X0, 0x7fff);
        a64_str(c, W16, X0, REG_CPU, st(e, 0) + 8);
        break;
    case 0xe8:
        a64_mov_ri64(c, X0, BIT64(63));
        a64_movz(c, W32, X1, 0x3fff, 0);
        a64_stp(c, W64, X0, X1, REG_CPU, st(e, 7));
        break;
    case 0xee:
        a64_stp(c, W64, XZR, XZR, REG_CPU, st(e, 7));
        break;
    default:
        return false;
    }
    return done(e, guest, C1_ZERO, NULL);
}

/* W0: the status word, which no error waits for: ES and B are 0. */
static void status_word(struct a64_emit *e)
{
    struct codebuf *c = e->c;

    a64_x87_store(e, &e->x87);
    a64_ldr(c, W16, X0, REG_CPU, CPU_OFF(x87.status));
    a64_ldr(c, W8, X1, REG_CPU, CPU_OFF(x87.top));
    a64_logic_rs(c, A64_ORR, W32, X0, X0, X1, A64_LSL, SW_TOP);
}

/* The control word in W0 that changes the mode, or makes an exception pending, is the
 * interpreter's. W1, W2. */
static void bail_if_it_unmasks(struct a64_emit *e)
{
    struct codebuf *c = e->c;

    a64_mvn_rr(c, W32, X1, X0);
    a64_logic_ri(c, A64_AND, W32, X1, X1, X87_CW_MASKS);
    if (!(e->u->mode & JIT_MODE_X87_UNMASKED)) {
        a64_bail_from(e, a64_cbnz(c, W32, X1, NULL));
        return;
    }
    a64_bail_from(e, a64_cbz(c, W32, X1, NULL));
    a64_ldr(c, W16, X2, REG_CPU, CPU_OFF(x87.status));
    a64_logic_ri(c, A64_ORR, W32, X2, X2, X87_SW_PE); /* which cannot be unmasked, either */
    a64_logic_rr(c, A64_AND, W32, X1, X1, X2);
    a64_bail_from(e, a64_cbnz(c, W32, X1, NULL));
}

static void load_control(struct a64_emit *e)
{
    struct codebuf *c = e->c;

    a64_ldr(c, W16, X0, X3, 0);
    bail_if_it_unmasks(e);
    a64_movz(c, W32, X1, X87_CW_WRITABLE, 0);
    a64_logic_rr(c, A64_AND, W32, X0, X0, X1);
    a64_logic_ri(c, A64_ORR, W32, X0, X0, X87_CW_ONES);
    a64_str(c, W16, X0, REG_CPU, CPU_OFF(x87.control));
    e->x87.loose = true;
}

/* FLDCW, FNSTCW and FNSTSW with memory: no place is recorded, nor C1 changed. */
static void control(struct a64_emit *e, const struct ir_insn *in, const struct insn *guest)
{
    reach(e, in);
    if (guest->id == INSN_FLDCW) {
        load_control(e);
        return;
    }
    if (guest->id == INSN_FNSTCW)
        a64_ldr(e->c, W16, X0, REG_CPU, CPU_OFF(x87.control));
    else
        status_word(e);
    a64_str(e->c, W16, X0, X3, 0);
}

/* Temporaries that the subroutines would lose. */
static bool temps_are_busy(const struct a64_emit *e, const struct ir_insn *in)
{
    for (unsigned r = REG_TEMP0; r <= REG_TEMP9; r++) {
        if (e->busy[r] && (e->busy[r] != in->a || e->last[in->a] > e->i))
            return true;
    }
    return false;
}

static bool compares(const struct insn *guest)
{
    unsigned group = x87_group(guest), reg = x87_reg(guest);

    if (group == GROUP_D8 || (group == GROUP_DC && guest->mem))
        return reg == 2 || reg == 3;
    if (guest->mem)
        return false;
    return group == GROUP_DA || (group == GROUP_DB) || (group == GROUP_DD && reg >= 4) ||
           (group == GROUP_DE && reg == 3) || (group == GROUP_DF && reg >= 5);
}

/* False, and nothing was emitted: x87_plain() has to do it. */
static bool in_line(struct a64_emit *e, const struct ir_insn *in, const struct insn *guest)
{
    unsigned group = x87_group(guest), reg = x87_reg(guest);

    if (temps_are_busy(e, in))
        return false;
    if (guest->id == INSN_FNSTSW_AX) {
        status_word(e);
        a64_write(e, W16, in->d, X0, 0);
        return true;
    }
    if (guest->mem && (group & 1) && (reg == 0 || (group == GROUP_DF && reg == 5)))
        return load(e, in, guest);
    if (guest->id == INSN_FSQRT)
        return unary(e, guest, x87_op_of(&e->x87, X87_SQRT));
    if (guest->id == INSN_FRNDINT)
        return unary(e, guest, X87_RINT);
    if (!guest->mem && group == GROUP_D9 && (guest->modrm & 0x20))
        return simple(e, guest);
    if ((group == GROUP_D9 || group == GROUP_DD) && !guest->mem && reg < 4)
        return move(e, guest);
    if (is_empty(e, 0))
        return false;
    if (compares(guest))
        return compare(e, in, guest);
    if (a64_x87_stores(guest))
        return store_real(e, in, guest);
    if (a64_x87_stores_int(guest))
        return store_int(e, in, guest);
    if (!a64_x87_sums(guest))
        return false;
    return guest->mem ? arith_memory(e, in, guest) : arith_registers(e, guest);
}

/* --- calls of x87_plain() --- */

static u32 what_of(const struct insn *guest)
{
    u32 what = (x87_group(guest) << 8) | guest->modrm;

    return guest->mem ? what | (u32)guest->seg << X87_WHAT_SEG : what;
}

static void call_plain(struct a64_emit *e, u8 g)
{
    a64_movz(e->c, W32, X1, (u16)what_of(&e->ir->guest[g]), 0);
    a64_mov_ri64(e->c, X2, e->ir->at[g]);
    a64_bl(e->c, e->u->stubs->x87);
}

bool a64_x87(struct a64_emit *e, const struct ir_insn *in)
{
    const struct insn *guest = &e->ir->guest[in->g];
    struct codebuf *c = e->c;

    if (guest->id == INSN_FWAIT && e->has_x87) /* nothing can be waited for */
        return true;
    if (!e->has_sse && a64_x87_controls(guest)) {
        control(e, in, guest);
        return true;
    }
    if (e->has_sse || !x87_plain_knows(guest))
        return false;
    if (e->x87.on && in_line(e, in, guest))
        return true;
    if (guest->mem) {
        operand(e, in);
        a64_x87_store(e, &e->x87);
        a64_ldr(c, W32, X4, REG_CPU, CPU_OFF(x87.dp));
    } else {
        a64_x87_store(e, &e->x87);
        a64_mov_rr(c, W64, X3, XZR);
    }
    call_plain(e, in->g);
    a64_bail_from(e, a64_cbz(c, W32, X0, NULL));
    a64_x87_executed(e, guest);
    if (in->op == IR_FPG)
        a64_write(e, W16, in->d, X0, 0);
    if (in->def)
        a64_flags_put(e, X0, true);
    return true;
}

/* It comes back with everything as the subroutine would have left it. */
void a64_x87_cold(struct a64_emit *e, struct cold *k)
{
    const struct ir_insn *in = &e->ir->insn[k->i];
    struct codebuf *c = e->c;

    a64_x87_store(e, &k->x87);
    if (e->ir->guest[in->g].mem)
        a64_ldr(c, W32, X4, REG_CPU, CPU_OFF(x87.dp));
    else
        a64_mov_rr(c, W64, X3, XZR);
    call_plain(e, in->g);
    u8 *refused = a64_cbz(c, W32, X0, NULL);
    if (k->after.top != k->after.stored_top || k->after.empty != k->after.stored_empty)
        a64_x87_put_stack(c, k->after.stored_top, k->after.stored_empty);
    if (k->after.nzcv) {
        a64_mrs(c, X16, A64_NZCV);
        a64_str(c, W32, X16, REG_CPU, CPU_OFF(jit.temp[0]));
    }
    if (k->after.inexact)
        a64_mov_rr(c, W64, X15, XZR);
    if (k->after.c1 == C1_IN_X14) {
        a64_ldr(c, W16, X14, REG_CPU, CPU_OFF(x87.status));
        a64_ubfx(c, W32, X14, X14, SW_C1, 1);
    }
    a64_b(c, k->back);
    a64_here(c, refused);
    a64_give_up(e, &k->fl, k->g);
}
