/* SPDX-License-Identifier: MIT */
/* Where values live. Temporaries are few and die young: seven registers, no spilling. */
#include "jit/a64/a64_emit.h"

static void note_use(struct a64_emit *e, ir_val v, unsigned i)
{
    if (!ir_is_temp(v))
        return;
    e->last[v] = (u16)i;
    e->uses[v]++;
}

void a64_temps_init(struct a64_emit *e)
{
    memset(e->home, 0, sizeof(e->home));
    memset(e->uses, 0, sizeof(e->uses));
    memset(e->last, 0, sizeof(e->last));
    memset(e->busy, 0, sizeof(e->busy));
    for (unsigned i = 0; i < e->ir->count; i++) {
        const struct ir_insn *in = &e->ir->insn[i];
        note_use(e, in->a, i);
        note_use(e, in->b, i);
    }
}

void a64_temp_keep(struct a64_emit *e, ir_val t, unsigned index)
{
    if (ir_is_temp(t) && e->last[t] < index)
        e->last[t] = (u16)index;
}

static u8 temp_new(struct a64_emit *e, ir_val t)
{
    for (u8 r = REG_TEMP0; r <= REG_TEMP9; r++) {
        if (e->busy[r])
            continue;
        e->home[t] = r;
        if (e->uses[t])
            e->busy[r] = t;
        return r;
    }
    a64_decline(e);
    e->home[t] = REG_TEMP0;
    return REG_TEMP0;
}

void a64_temps_expire(struct a64_emit *e)
{
    for (unsigned r = REG_TEMP0; r <= REG_TEMP9; r++) {
        if (e->busy[r] && e->last[e->busy[r]] <= e->i)
            e->busy[r] = 0;
    }
}

u8 a64_reg(const struct a64_emit *e, ir_val v)
{
    return ir_is_reg(v) ? a64_guest(v - (unsigned)IR_REG) : e->home[v];
}

u8 a64_read(struct a64_emit *e, ir_val v, i64 imm, u8 scratch)
{
    if (v == IR_CONST) {
        a64_mov_ri64(e->c, scratch, (u32)imm);
        return scratch;
    }
    if (ir_is_high(v)) {
        a64_ubfx(e->c, W32, scratch, a64_guest(v - (unsigned)IR_HIGH), 8, 8);
        return scratch;
    }
    return a64_reg(e, v);
}

u8 a64_read_zext(struct a64_emit *e, enum width w, ir_val v, i64 imm, u8 scratch)
{
    u8 r = a64_read(e, v, imm, scratch);

    if (w >= W32 || ir_is_high(v))
        return r;
    a64_uxt(e->c, w, scratch, r);
    return scratch;
}

u8 a64_read_sext(struct a64_emit *e, enum width w, ir_val v, i64 imm, u8 scratch)
{
    if (ir_is_high(v)) {
        a64_sbfx(e->c, W32, scratch, a64_guest(v - (unsigned)IR_HIGH), 8, 8);
        return scratch;
    }
    u8 r = a64_read(e, v, imm, scratch);
    if (w >= W32)
        return r;
    a64_sxt(e->c, W32, w, scratch, r);
    return scratch;
}

u8 a64_dst(struct a64_emit *e, enum width w, ir_val d, u8 scratch)
{
    if (ir_is_temp(d))
        return e->home[d] ? e->home[d] : temp_new(e, d);
    return w == W32 ? a64_reg(e, d) : scratch;
}

void a64_write(struct a64_emit *e, enum width w, ir_val d, u8 r, u8 lsb)
{
    u8 bits = (u8)(8u << w);

    if (ir_is_high(d)) {
        if (lsb) {
            a64_shift_ri(e->c, A64_LSR, W32, X17, r, lsb);
            r = X17;
        }
        a64_bfi(e->c, W32, a64_guest(d - (unsigned)IR_HIGH), r, 8, 8);
        return;
    }
    u8 to = a64_reg(e, d);
    if (ir_is_temp(d) || w == W32) {
        if (lsb)
            a64_ubfx(e->c, W32, to, r, lsb, bits);
        else if (to != r)
            a64_mov_rr(e->c, W32, to, r);
    } else {
        a64_bfxil(e->c, W32, to, r, lsb, bits);
    }
}
