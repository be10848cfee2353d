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

/* X3: where the memory operand is. FDP and FDS are stored: it can be reached. */
static void operand(struct a64_emit *e, const struct ir_insn *in)
{
    const struct insn *guest = &e->ir->guest[in->g];
    struct codebuf *c = e->c;
    i32 seg = CPU_OFF(seg[0]) + (i32)(guest->seg * sizeof(struct segment));
    unsigned bytes = (unsigned)in->imm & IR_FP_SIZE, size = 0;
    u8 at = a64_reg(e, in->a), off = at;

    while (BIT(size) != bytes)
        size++;
    a64_look_up(e, at, size, in->imm & IR_FP_WRITE, MAY_BE_CROOKED, REG_ADDEND);
    a64_arith_rx(c, A64_ADD, W64, X3, REG_ADDEND, at, A64_UXTW, 0);
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

static const u8 op_of[8] = {X87_ADD, X87_MUL, 0, 0, X87_SUB, X87_SUBR, 0, 0};

static bool arith_registers(struct a64_emit *e, const struct insn *guest)
{
    struct a64_x87 before = e->x87;
    unsigned i = x87_rm(guest), reg = x87_reg(guest), group = x87_group(guest);
    struct codebuf *c = e->c;

    if (is_empty(e, i))
        return false;
    prepare(e, true);
    a64_ldp(c, W64, X0, X1, REG_CPU, st(e, 0));
    a64_ldp(c, W64, X2, X12, REG_CPU, st(e, i));
    call(e, op_of[reg]);
    before.nzcv = before.inexact = true;
    struct cold *k = or_plain(e, a64_bcond(c, A64_HS, NULL), &before);
    a64_stp(c, W64, X0, X1, REG_CPU, st(e, group == GROUP_D8 ? 0 : i));
    return done(e, guest, C1_IN_X14, k);
}

static bool arith_memory(struct a64_emit *e, const struct ir_insn *in, const struct insn *guest)
{
    bool wide = x87_group(guest) == GROUP_DC;
    struct codebuf *c = e->c;

    operand(e, in);
    struct a64_x87 before = e->x87;
    prepare(e, true);
    before.nzcv = before.inexact = true;
    a64_ldr(c, wide ? W64 : W32, X2, X3, 0);
    call(e, wide ? X87_LOAD64 : X87_LOAD32);
    struct cold *k = or_plain(e, a64_tbnz(c, X12, X87_UNDONE, NULL), &before);
    a64_ldp(c, W64, X0, X1, REG_CPU, st(e, 0));
    call(e, op_of[x87_reg(guest)]);
    k->from[1] = a64_bcond(c, A64_HS, NULL);
    a64_stp(c, W64, X0, X1, REG_CPU, st(e, 0));
    return done(e, guest, C1_IN_X14, k);
}

static bool load(struct a64_emit *e, const struct ir_insn *in, const struct insn *guest)
{
    unsigned group = x87_group(guest);
    bool wide = group == GROUP_DD, integer = group == GROUP_DB || group == GROUP_DF;
    struct codebuf *c = e->c;
    struct cold *k = NULL;

    if (!is_empty(e, 7))
        return false;
    operand(e, in);
    if (group == GROUP_DF && x87_reg(guest) == 0)
        a64_mem_ri(c, A64_LDRS_X, W16, X2, X3, 0);
    else if (group == GROUP_DB)
        a64_mem_ri(c, A64_LDRS_X, W32, X2, X3, 0);
    else
        a64_ldr(c, group == GROUP_D9 ? W32 : W64, X2, X3, 0);
    call(e, integer ? X87_LOAD_INT : wide ? X87_LOAD64 : X87_LOAD32);
    if (!integer)
        k = or_plain(e, a64_tbnz(c, X12, X87_UNDONE, NULL), &e->x87);
    a64_stp(c, W64, X2, X12, REG_CPU, st(e, 7));
    return done(e, guest, C1_ZERO, k);
}

static bool store(struct a64_emit *e, const struct ir_insn *in, const struct insn *guest)
{
    bool wide = x87_group(guest) == GROUP_DD;
    struct codebuf *c = e->c;

    operand(e, in);
    struct a64_x87 before = e->x87;
    prepare(e, true);
    before.nzcv = before.inexact = true;
    a64_ldp(c, W64, X0, X1, REG_CPU, st(e, 0));
    call(e, wide ? X87_STORE64 : X87_STORE32);
    struct cold *k = or_plain(e, a64_bcond(c, A64_HS, NULL), &before);
    a64_str(c, wide ? W64 : W32, X0, X3, 0);
    return done(e, guest, C1_IN_X14, k);
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
    bool flags = group == GROUP_DB || group == GROUP_DF, wide = group == GROUP_DC;
    u8 *unusual = NULL;

    if (!guest->mem && is_empty(e, i))
        return false;
    if (guest->mem)
        operand(e, in);
    struct a64_x87 before = e->x87;
    prepare(e, false);
    before.nzcv = true;
    if (guest->mem) {
        a64_ldr(c, wide ? W64 : W32, X2, X3, 0);
        call(e, wide ? X87_LOAD64 : X87_LOAD32);
        unusual = a64_tbnz(c, X12, X87_UNDONE, NULL);
    } else {
        a64_ldp(c, W64, X2, X12, REG_CPU, st(e, i));
    }
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

/* FNSTSW AX, which no error waits for: ES and B are 0. */
static bool status_word(struct a64_emit *e, const struct ir_insn *in)
{
    struct codebuf *c = e->c;

    a64_x87_store(e, &e->x87);
    a64_ldr(c, W16, X0, REG_CPU, CPU_OFF(x87.status));
    a64_movz(c, W32, X1, (u16)(e->x87.top << SW_TOP), 0);
    a64_logic_rr(c, A64_ORR, W32, X0, X0, X1);
    a64_write(e, W16, in->d, X0, 0);
    return true;
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
    if (a64_x87_rounds(guest) && !x87_is_default(&e->x87))
        return false;
    if (guest->id == INSN_FNSTSW_AX)
        return status_word(e, in);
    if (guest->mem && (group & 1) && (reg == 0 || (group == GROUP_DF && reg == 5)))
        return load(e, in, guest);
    if (!guest->mem && group == GROUP_D9 && (guest->modrm & 0x20))
        return simple(e, guest);
    if ((group == GROUP_D9 || group == GROUP_DD) && !guest->mem && reg < 4)
        return move(e, guest);
    if (is_empty(e, 0))
        return false;
    if (compares(guest))
        return compare(e, in, guest);
    if (a64_x87_stores(guest))
        return store(e, in, guest);
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
