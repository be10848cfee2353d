/* SPDX-License-Identifier: MIT */
#include "jit/ir.h"

#include <assert.h>
#include <string.h>

#include "cpu/isa.h"
#include "cpu/state.h"

const struct ir_op_info ir_op_info[IR__COUNT] = {
#define IR_OP(name_, text_, shape_, kind_, def_, use_)                                             \
    [IR_##name_] = {.name = #name_,                                                                \
                    .text = text_,                                                                 \
                    .shape = shape_,                                                               \
                    .kind = IR_##kind_,                                                            \
                    .def = (def_),                                                                 \
                    .use = (use_)},
#include "jit/ir.def"
};

bool ir_has(enum ir_op op, char field)
{
    for (const char *s = ir_op_info[op].shape; *s; s++) {
        if (*s == field || (field == 'B' && *s == 'b'))
            return true;
    }
    return false;
}

static_assert(offsetof(struct cpu, intr_line) == offsetof(struct cpu, cpl) + 1 &&
                  offsetof(struct cpu, cpl) % 2 == 0,
              "IR_FIELD_BUSY");

u32 ir_field_offset(unsigned field)
{
    switch (field) {
    case IR_FIELD_EFLAGS:
        return offsetof(struct cpu, eflags);
    case IR_FIELD_CPL:
        return offsetof(struct cpu, cpl);
    case IR_FIELD_BUSY:
        return offsetof(struct cpu, cpl); /* and intr_line */
    default:
        return (u32)(offsetof(struct cpu, seg) + (field - IR_FIELD_SEL) * sizeof(struct segment) +
                     offsetof(struct segment, selector));
    }
}

enum width ir_field_width(unsigned field)
{
    return field == IR_FIELD_EFLAGS ? W32 : field == IR_FIELD_CPL ? W8 : W16;
}

u8 ir_cond_flags(unsigned cc)
{
    static const u8 by_pair[8] = {
        IRF_O, IRF_C, IRF_Z, IRF_C | IRF_Z, IRF_S, IRF_P, IRF_S | IRF_O, IRF_S | IRF_Z | IRF_O,
    };

    return by_pair[cc >> 1 & 7];
}

u8 ir_pack_flags(u32 f)
{
    return (u8)((f & FL_C ? IRF_C : 0) | (f & FL_P ? IRF_P : 0) | (f & FL_A ? IRF_A : 0) |
                (f & FL_Z ? IRF_Z : 0) | (f & FL_S ? IRF_S : 0) | (f & FL_O ? IRF_O : 0));
}

u32 ir_unpack_flags(u8 f)
{
    return (f & IRF_C ? FL_C : 0u) | (f & IRF_P ? FL_P : 0u) | (f & IRF_A ? FL_A : 0u) |
           (f & IRF_Z ? FL_Z : 0u) | (f & IRF_S ? FL_S : 0u) | (f & IRF_O ? FL_O : 0u);
}

void ir_init(struct ir_block *b, u64 eip)
{
    b->count = b->temps = 0;
    b->guests = 0;
    b->eip = b->fall = eip;
    b->full = b->raises = b->refuses = false;
    b->guest = NULL;
}

ir_val ir_temp(struct ir_block *b)
{
    if (b->temps == IR_TEMPS)
        b->full = true;
    else
        b->temps++;
    return (ir_val)(IR_TEMP + b->temps - 1);
}

struct ir_insn *ir_add(struct ir_block *b, enum ir_op op, enum width w, unsigned g)
{
    if (b->count == IR_MAX_INSNS) {
        b->full = true;
        b->count--;
    }
    struct ir_insn *in = &b->insn[b->count++];
    *in = (struct ir_insn){
        .op = (u8)op,
        .w = (u8)w,
        .g = (u8)g,
        .def = ir_op_info[op].def,
        .use = ir_op_info[op].use,
    };
    return in;
}

/* May the state before guest instruction in->g be needed, because @in gives up? Comparisons that
 * raise an exception leave the flags alone. */
static bool can_give_up(const struct ir_block *b, const struct ir_insn *in)
{
    u8 kind = ir_op_info[in->op].kind;

    return kind == IR_MEM || kind == IR_BAIL || kind == IR_CALL || ir_may_raise(b, in) ||
           (b->refuses && ir_is_fp(in->op));
}

void ir_liveness(struct ir_block *b, u8 out)
{
    u8 live = 0, seen = out;

    for (unsigned i = b->count; i-- > 0;) {
        struct ir_insn *in = &b->insn[i];
        if (ir_may_raise(b, in))
            seen = IRF_ALL;
        in->live = in->def & live;
        in->seen = in->def & seen;
        live = (u8)((live & ~in->def) | in->use);
        seen &= (u8)~in->def;
        if (can_give_up(b, in))
            seen = IRF_ALL;
    }
}

u64 ir_shifts_by_cl(struct ir_block *b, u8 out)
{
    bool more = true;
    u64 g = 0;

    while (more) {
        ir_liveness(b, out);
        more = false;
        for (unsigned i = 0; i < b->count; i++) {
            struct ir_insn *in = &b->insn[i];
            if (in->op < IR_SHLV || in->op > IR_RORV || !(in->live | in->seen) || in->use)
                continue;
            in->use = ir_op_info[in->op].use;
            more |= in->use != 0;
            g |= in->use ? 0 : BIT64(in->g);
        }
    }
    return g;
}

void ir_needs(const struct ir_block *b, u8 out, u8 need[IR_MAX_INSNS])
{
    u8 now = out;

    for (unsigned i = b->count; i-- > 0;) {
        const struct ir_insn *in = &b->insn[i];
        need[i] = ir_may_raise(b, in) ? IRF_ALL : now;
        now = can_give_up(b, in) ? IRF_ALL : (u8)((need[i] & ~in->def) | in->use);
    }
}
