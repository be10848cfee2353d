/* SPDX-License-Identifier: MIT */
/* Where temporaries live. They are few and die young: four registers, no spilling. */
#include "jit/x64/x64_emit.h"

const u8 x64_guest[8] = {RAX, RCX, RDX, RBX, R8, RBP, RSI, RDI};

const u8 x64_clobbered[X64_CLOBBERED] = {RAX, RCX, RDX, RSI, RDI, R8, R9, R11};

static void note_use(struct x64_emit *e, ir_val v, unsigned i, bool address)
{
    if (!ir_is_temp(v))
        return;
    e->last[v] = (u16)i;
    e->uses[v]++;
    e->address[v] &= address;
}

static bool addresses(enum ir_op op)
{
    return ir_op_info[op].kind == IR_MEM || op == IR_SEGLIN;
}

void x64_temps_init(struct x64_emit *e)
{
    memset(e->home, HOME_NONE, sizeof(e->home));
    memset(e->uses, 0, sizeof(e->uses));
    memset(e->last, 0, sizeof(e->last));
    memset(e->busy, 0, sizeof(e->busy));
    memset(e->address, 1, sizeof(e->address));
    for (unsigned i = 0; i < e->ir->count; i++) {
        const struct ir_insn *in = &e->ir->insn[i];
        note_use(e, in->a, i, addresses(in->op));
        note_use(e, in->b, i, false);
    }
}

/* Does an operation that needs the address pair come before @t dies? */
static bool spans_access(const struct x64_emit *e, ir_val t)
{
    for (unsigned i = e->i + 1; i <= e->last[t]; i++) {
        const struct ir_insn *in = &e->ir->insn[i];
        u8 kind = ir_op_info[in->op].kind;
        if (kind == IR_MEM || (kind == IR_BAIL && in->op != IR_GUARD))
            return true;
    }
    return false;
}

static bool is_free(const struct x64_emit *e, u8 r)
{
    return !e->busy[r] && !(e->hold && (r == REG_ADDR || r == REG_ADDEND));
}

static u8 pick(const struct x64_emit *e, ir_val t)
{
    if (e->address[t] && is_free(e, REG_ADDR))
        return REG_ADDR;
    if (is_free(e, R11))
        return R11;
    if (is_free(e, R12))
        return R12;
    if (is_free(e, REG_ADDR) && !spans_access(e, t))
        return REG_ADDR;
    return X64_NOREG;
}

u8 x64_temp_new(struct x64_emit *e, ir_val t)
{
    u8 r = pick(e, t);

    if (r == X64_NOREG) {
        x64_decline(e);
        r = R11;
    }
    e->home[t] = r;
    if (e->uses[t])
        e->busy[r] = t;
    return r;
}

void x64_temps_expire(struct x64_emit *e)
{
    for (unsigned r = R9; r <= R12; r++) {
        if (e->busy[r] && e->last[e->busy[r]] <= e->i)
            e->busy[r] = 0;
    }
}

u8 x64_scratch(const struct x64_emit *e)
{
    return x64_scratch_not((struct x64_emit *)e, X64_NOREG);
}

u8 x64_scratch_not(struct x64_emit *e, u8 other)
{
    static const u8 order[] = {R10, R9, R11, R12};

    for (unsigned k = 0; k < ARRAY_LEN(order); k++) {
        if (order[k] != other && is_free(e, order[k]))
            return order[k];
    }
    return X64_NOREG;
}

u8 x64_reg(const struct x64_emit *e, ir_val v)
{
    return ir_is_reg(v) ? x64_guest[v - IR_REG] : e->home[v];
}

u8 x64_dst(struct x64_emit *e, ir_val v)
{
    return ir_is_temp(v) ? x64_temp_new(e, v) : x64_reg(e, v);
}

static void swap_halves(struct x64_emit *e, ir_val v)
{
    u8 r = (u8)(v - IR_HIGH); /* 86 /r without REX: xchg al, ah */

    put8(e->c, 0x86);
    put8(e->c, (u8)(0xc0 | (r + 4) << 3 | r));
}

u8 x64_byte_begin(struct x64_emit *e, ir_val v)
{
    if (!ir_is_high(v))
        return x64_reg(e, v);
    swap_halves(e, v);
    return (u8)(v - IR_HIGH);
}

void x64_byte_end(struct x64_emit *e, ir_val v)
{
    if (ir_is_high(v))
        swap_halves(e, v);
}
