/* SPDX-License-Identifier: MIT */
/*
 * What code knows of the x87 unit: what instructions do to TOP and tags, and what has still to be
 * stored.
 *
 * References: [SDM 1 §8.1], [SDM 2A].
 */
#include <assert.h>

#include "cpu/isa.h"
#include "jit/a64/a64_emit.h"

/* Bits of the status word. */
enum { SW_PE = 5, SW_C1 = 9 };

/* --- instructions --- */

/* All but comparisons. */
bool a64_x87_sums(const struct insn *guest)
{
    unsigned group = x87_group(guest), reg = x87_reg(guest);

    return !(group & 1) && (guest->mem || group != GROUP_DA) && reg != 2 && reg != 3;
}

bool a64_x87_stores(const struct insn *guest)
{
    unsigned group = x87_group(guest), reg = x87_reg(guest);

    return guest->mem && (group == GROUP_D9 || group == GROUP_DD) && (reg == 2 || reg == 3);
}

bool a64_x87_stores_int(const struct insn *guest)
{
    unsigned group = x87_group(guest), reg = x87_reg(guest);

    return guest->mem && ((group == GROUP_DB && (reg == 2 || reg == 3)) ||
                          (group == GROUP_DF && (reg == 2 || reg == 3 || reg == 7)));
}

bool a64_x87_controls(const struct insn *guest)
{
    return guest->id == INSN_FLDCW || guest->id == INSN_FNSTCW || guest->id == INSN_FNSTSW_m16;
}

bool a64_x87_rounds(const struct insn *guest)
{
    return a64_x87_sums(guest) || a64_x87_stores(guest) || guest->id == INSN_FSQRT;
}

/* What effect_of() answers beside how many registers an instruction takes away. */
enum { PUSHES = -1, UNKNOWN = 3 };

static int effect_of_others(const struct insn *guest)
{
    switch (guest->id) {
    case INSN_FLDL2T:
    case INSN_FLDL2E:
    case INSN_FLDPI:
    case INSN_FLDLG2:
    case INSN_FLDLN2:
    case INSN_FLD_m80:
    case INSN_FPTAN:
    case INSN_FSINCOS:
        return PUSHES;
    case INSN_FSTP_m80:
    case INSN_FISTTP_m16:
    case INSN_FISTTP_m32:
    case INSN_FISTTP_m64:
    case INSN_FYL2X:
    case INSN_FYL2XP1:
    case INSN_FPATAN:
        return 1;
    case INSN_FLDCW:
    case INSN_FNSTCW:
    case INSN_FNSTSW_AX:
    case INSN_FNSTSW_m16:
    case INSN_FWAIT:
    case INSN_FXAM:
    case INSN_FSIN:
    case INSN_FCOS:
    case INSN_F2XM1:
    case INSN_FPREM:
    case INSN_FPREM1:
    case INSN_FSCALE:
        return 0;
    default:
        return insn_def[guest->id].map == MAP_1B ? UNKNOWN : 0;
    }
}

/* Of those that x87_plain() knows. */
static int effect_of_plain(const struct insn *guest)
{
    unsigned group = x87_group(guest), reg = x87_reg(guest);

    if (guest->mem) {
        if (!(group & 1))
            return reg == 3;
        return reg == 0 || (group == GROUP_DF && reg == 5) ? PUSHES : reg == 3 || reg == 7;
    }
    switch (group) {
    case GROUP_D9:
        return reg == 0 || guest->modrm == 0xe8 || guest->modrm == 0xee ? PUSHES : 0;
    case GROUP_DA:
        return 2;
    case GROUP_DE:
        return reg == 3 ? 2 : 1;
    case GROUP_DF:
        return guest->modrm != 0xe0;
    case GROUP_DD:
        return reg == 3 || reg == 5;
    default: /* D8 DB DC */
        return group == GROUP_D8 && reg == 3;
    }
}

static int effect_of(const struct insn *guest)
{
    return x87_plain_knows(guest) ? effect_of_plain(guest) : effect_of_others(guest);
}

bool a64_x87_effect(const struct insn *guest, u8 *top, u8 *empty)
{
    int pops = effect_of(guest);

    if (pops == UNKNOWN)
        return false;
    if (x87_group(guest) == GROUP_DD && !guest->mem && (x87_reg(guest) == 2 || x87_reg(guest) == 3))
        *empty &= (u8)~BIT(x87_place(*top, x87_rm(guest))); /* FST ST(i) */
    if (pops < 0) {
        *top = x87_place(*top, 7);
        *empty &= (u8)~BIT(*top);
    }
    for (; pops > 0; pops--) {
        *empty |= (u8)BIT(*top);
        *top = x87_place(*top, 1);
    }
    return true;
}

/* --- what is missing --- */

static void store_status(struct codebuf *c, const struct a64_x87 *x)
{
    if (x->c1 == C1_STORED && !x->inexact)
        return;
    a64_ldr(c, W16, X16, REG_CPU, CPU_OFF(x87.status));
    if (x->c1 == C1_ZERO)
        a64_logic_ri(c, A64_AND, W32, X16, X16, ~(u32)X87_SW_C1);
    else if (x->c1 == C1_IN_X14)
        a64_bfi(c, W32, X16, X14, SW_C1, 1);
    if (x->inexact) {
        u8 *exact = a64_cbz(c, W64, X15, NULL);
        a64_logic_ri(c, A64_ORR, W32, X16, X16, BIT(SW_PE));
        a64_here(c, exact);
    }
    a64_str(c, W16, X16, REG_CPU, CPU_OFF(x87.status));
}

static void store_place(struct a64_emit *e, u8 g)
{
    const struct insn *guest = &e->ir->guest[g];
    struct codebuf *c = e->c;

    a64_mov_ri64(c, X16, e->ir->at[g]);
    a64_str(c, W64, X16, REG_CPU, CPU_OFF(x87.ip));
    a64_ldr(c, W16, X16, REG_CPU, CPU_OFF(seg[SEG_CS].selector));
    a64_str(c, W16, X16, REG_CPU, CPU_OFF(x87.cs));
    a64_movz(c, W32, X16, (u16)(x87_group(guest) << 8 | guest->modrm), 0);
    a64_str(c, W16, X16, REG_CPU, CPU_OFF(x87.opcode));
}

/* NZCV are the guest's again. */
static void restore_nzcv(struct codebuf *c, struct a64_x87 *x)
{
    if (!x->nzcv)
        return;
    a64_ldr(c, W32, X16, REG_CPU, CPU_OFF(jit.temp[0]));
    a64_msr(c, A64_NZCV, X16);
    x->nzcv = false;
}

void a64_x87_put_stack(struct codebuf *c, u8 top, u8 empty)
{
    static_assert(offsetof(struct x87_state, empty) == offsetof(struct x87_state, top) + 1, "");
    a64_movz(c, W32, X16, (u16)(top | empty << 8), 0);
    a64_str(c, W16, X16, REG_CPU, CPU_OFF(x87.top));
}

void a64_x87_store(struct a64_emit *e, struct a64_x87 *x)
{
    struct codebuf *c = e->c;

    restore_nzcv(c, x);
    store_status(c, x);
    if (x->top != x->stored_top || x->empty != x->stored_empty)
        a64_x87_put_stack(c, x->top, x->empty);
    if (x->last)
        store_place(e, x->last - 1);
    if (x->jumps_lost)
        a64_ldr(c, W64, REG_JUMPS, REG_CPU, CPU_OFF(jit.jumps));
    *x = (struct a64_x87){.on = x->on,
                          .top = x->top,
                          .empty = x->empty,
                          .stored_top = x->top,
                          .stored_empty = x->empty,
                          .control = x->control,
                          .loose = x->loose};
}

void a64_x87_before(struct a64_emit *e, const struct ir_insn *in)
{
    const struct ir_op_info *info = &ir_op_info[in->op];

    if (info->kind == IR_EXIT || info->kind == IR_CALL)
        a64_x87_store(e, &e->x87);
    else if (!ir_is_fp(in->op) && (info->def || info->use))
        restore_nzcv(e->c, &e->x87);
}

/* --- where the unit is known --- */

void a64_x87_begin(struct a64_emit *e)
{
    const struct jit_x87 *now = &e->u->x87;

    e->x87 = (struct a64_x87){
        .on = now->known,
        .top = now->top,
        .empty = now->empty,
        .stored_top = now->top,
        .stored_empty = now->empty,
        .control = now->control,
    };
}

void a64_x87_gate(struct a64_emit *e, u8 g, bool rounds)
{
    struct a64_x87 *x = &e->x87;
    struct codebuf *c = e->c;
    u32 stack = (u32)(x->top | x->empty << 8);

    if (!x->on)
        return;
    static_assert(offsetof(struct x87_state, top) == offsetof(struct x87_state, control) + 2, "");
    if (rounds && !x->loose) {
        a64_ldr(c, W32, X16, REG_CPU, CPU_OFF(x87.control));
        a64_mov_ri64(c, X17, x->control | stack << 16);
    } else {
        a64_ldr(c, W16, X16, REG_CPU, CPU_OFF(x87.top));
        a64_movz(c, W32, X17, (u16)stack, 0);
    }
    a64_arith_rr(c, A64_SUB, W32, X16, X16, X17);
    a64_cold(e, COLD_MISSED, a64_cbnz(c, W32, X16, NULL))->g = g;
}

void a64_x87_executed(struct a64_emit *e, const struct insn *guest)
{
    struct a64_x87 *x = &e->x87;

    x->on = x->on && a64_x87_effect(guest, &x->top, &x->empty);
    x->stored_top = x->top;
    x->stored_empty = x->empty;
    if (guest->id == INSN_FLDCW)
        x->loose = true;
}
