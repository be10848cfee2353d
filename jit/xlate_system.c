/* SPDX-License-Identifier: MIT */
/*
 * What operating systems do all the time: the flags register, the interrupt flag, selectors. Only
 * the plain cases are translated, ring 0 where privilege matters; whatever else it is, the
 * operation gives up and the interpreter does it.
 */
#include <assert.h>

#include "base/bits.h"
#include "cpu/exec.h"
#include "cpu/isa.h"
#include "jit/xlate.h"

enum { IF_BIT = 9 };
static_assert(FL_I == BIT(IF_BIT), "");

static ir_val get(struct xlate *x, enum ir_field field)
{
    ir_val t = ir_temp(x->ir);

    xl_op(x, IR_GET, ir_field_width(field), t, IR_NONE, XL_NOTHING)->cc = (u8)field;
    return t;
}

static void put(struct xlate *x, enum ir_field field, struct xl_val v)
{
    xl_op(x, IR_PUT, ir_field_width(field), IR_NONE, IR_NONE, v)->cc = (u8)field;
}

/* An operation of which only the result counts. */
static ir_val compute(struct xlate *x, enum ir_op op, enum width w, ir_val a, struct xl_val b)
{
    ir_val t = ir_temp(x->ir);

    xl_op(x, op, w, t, a, b)->def = 0;
    return t;
}

static void guard(struct xlate *x, enum width w, ir_val a)
{
    xl_op(x, IR_GUARD, w, IR_NONE, a, XL_NOTHING);
}

/* --- selectors --- */

unsigned xlate_loads(const struct insn *in)
{
    static const struct {
        exec_fn *exec;
        u8 seg;
    } pointers[] = {{exec_les, SEG_ES}, {exec_lds, SEG_DS}, {exec_lfs, SEG_FS}, {exec_lgs, SEG_GS}};

    if (in->exec == exec_mov_to_sreg) /* of CS, it faults */
        return in->reg <= SEG_GS ? in->reg : SEG_CS;
    if (in->exec == exec_pop_sreg)
        return insn_def[in->id].op[0] - OPND_ES;
    for (unsigned i = 0; i < ARRAY_LEN(pointers); i++) {
        if (in->exec == pointers[i].exec)
            return pointers[i].seg;
    }
    return SEG_CS;
}

static enum ir_field selector(unsigned seg)
{
    return (enum ir_field)(IR_FIELD_SEL + seg);
}

/* A 32-bit push writes 16 bits only [SDM 2B PUSH]. */
void xlate_push_sreg(struct xlate *x)
{
    ir_val sel = get(x, selector(x->def->op[0] - OPND_ES));

    xl_push_low(x, W16, xl_value(sel));
}

void xlate_mov_from_sreg(struct xlate *x)
{
    unsigned seg = x->in->reg & 7;

    if (seg > SEG_GS) {
        x->declined = true;
        return;
    }
    ir_val sel = get(x, selector(seg));
    if (x->in->mem)
        xl_store(x, xl_address(x, W16, true), W16, xl_value(sel));
    else if (x->in->opsize == W16)
        xl_op(x, IR_MOV, W16, xl_reg(x->in->rm, W16), IR_NONE, xl_value(sel));
    else
        xl_op(x, IR_ZEXT, W32, xl_reg(x->in->rm, W32), sel, XL_NOTHING)->cc = W16;
}

/* --- EFLAGS --- */

void xlate_cli(struct xlate *x)
{
    guard(x, W8, get(x, IR_FIELD_CPL));
    ir_val f = get(x, IR_FIELD_EFLAGS);
    put(x, IR_FIELD_EFLAGS, xl_value(compute(x, IR_AND, W32, f, xl_const(~(i64)FL_I))));
}

/*
 * Ring 0, and the INTR pin is low: no interrupt can come before the next instruction has retired,
 * as the budget is for all of the block. So there is no shadow.
 */
void xlate_sti(struct xlate *x)
{
    if (x->last) {
        x->declined = true;
        return;
    }
    guard(x, W16, get(x, IR_FIELD_BUSY));
    ir_val f = get(x, IR_FIELD_EFLAGS);
    put(x, IR_FIELD_EFLAGS, xl_value(compute(x, IR_OR, W32, f, xl_const(FL_I))));
}

/* In virtual-8086 mode it depends on IOPL. */
void xlate_pushf(struct xlate *x)
{
    ir_val f = get(x, IR_FIELD_EFLAGS);

    guard(x, W32, compute(x, IR_AND, W32, f, xl_const(FL_VM)));
    ir_val others = compute(x, IR_AND, W32, f, xl_const(~(i64)(FL_RF | FL_VM)));
    ir_val arith = ir_temp(x->ir);
    xl_op(x, IR_GETF, W32, arith, IR_NONE, XL_NOTHING);
    ir_val all = compute(x, IR_OR, W32, others, xl_value(arith));
    xl_push(x, xl_value(compute(x, IR_OR, W32, all, xl_const(FL_FIXED))));
}

/*
 * Only the arithmetic flags and IF may change; IF only in ring 0 and while the INTR pin is low, as
 * otherwise there may be an interrupt to take.
 */
void xlate_popf(struct xlate *x)
{
    const i64 others = FL_T | FL_D | FL_IOPL | FL_NT | FL_AC | FL_ID;

    if (x->in->opsize != W32) {
        x->declined = true;
        return;
    }
    ir_val v = xl_peek(x);
    guard(x, W32, compute(x, IR_AND, W32, get(x, IR_FIELD_EFLAGS), xl_const(FL_VM)));
    ir_val change = compute(x, IR_XOR, W32, get(x, IR_FIELD_EFLAGS), xl_value(v));
    guard(x, W32, compute(x, IR_AND, W32, change, xl_const(others)));
    ir_val top = compute(x, IR_SHL, W32, change, xl_const(31 - IF_BIT));
    ir_val all = compute(x, IR_SAR, W32, top, xl_const(31));
    guard(x, W16, compute(x, IR_AND, W16, all, xl_value(get(x, IR_FIELD_BUSY))));
    change = compute(x, IR_XOR, W32, get(x, IR_FIELD_EFLAGS), xl_value(v));
    change = compute(x, IR_AND, W32, change, xl_const(FL_I));
    put(x, IR_FIELD_EFLAGS,
        xl_value(compute(x, IR_XOR, W32, change, xl_value(get(x, IR_FIELD_EFLAGS)))));
    xl_op(x, IR_PUTE, W32, IR_NONE, v, XL_NOTHING);
    xl_drop(x, width_bytes(W32));
}

/* --- time --- */

void xlate_rdtsc(struct xlate *x)
{
    ir_add(x->ir, IR_TSC, W32, x->g);
}
