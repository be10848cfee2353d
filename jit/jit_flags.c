/* SPDX-License-Identifier: MIT */
/* Arithmetic flags between the interpreter's form and that of generated code. */
#include "cpu/flags.h"
#include "jit/jit_private.h"

enum { STORED_O = 1 };

void jit_flags_in(struct cpu *cpu)
{
    u32 f = flags_arith(cpu);

    cpu->jit.flags = (u16)((f & 0xff) << 8 | LAZY_STORED | (f & FL_O ? STORED_O : 0));
}

void jit_flags_out(struct cpu *cpu)
{
    u16 f = cpu->jit.flags;

    flags_set_all(cpu, (f >> 8 & FL_SZAPC) | (f & STORED_O ? FL_O : 0u));
}

void jit_flags_settle(struct jit *j)
{
    u16 mark = j->cpu->jit.flags;

    if (!j->backend->lazy || (mark & LAZY_STORED))
        return;
    jit_flags_from(j->cpu, lazy_recipe(&j->lazy, mark));
    jit_flags_in(j->cpu);
}

static u64 place(const struct cpu *cpu, u8 p, i32 imm)
{
    return p == RECIPE_IMM ? (u64)(i64)imm : p < 16 ? cpu->gpr[p] : cpu->gpr[p & 3] >> 8;
}

/* CF of what leaves it alone. */
static bool carry_of(const struct cpu *cpu, const struct recipe *r)
{
    if (r->b == RECIPE_IMM)
        return cpu->jit.carry;
    u64 mask = width_mask(r->w);
    return (place(cpu, r->b, 0) & mask) < ((u64)(i64)r->imm & mask);
}

void jit_flags_from(struct cpu *cpu, const struct recipe *r)
{
    enum width w = r->w;
    u64 a = place(cpu, r->a, 0), b = place(cpu, r->b, r->imm);

    switch (r->kind) {
    case RECIPE_STORED:
        jit_flags_out(cpu);
        break;
    case RECIPE_ADD:
        flags_add(cpu, w, a - b, b, a);
        break;
    case RECIPE_SUB:
        flags_sub(cpu, w, a + b, b, a);
        break;
    case RECIPE_CMP:
        flags_sub(cpu, w, a, b, a - b);
        break;
    case RECIPE_LOGIC:
        flags_logic(cpu, w, a);
        break;
    case RECIPE_TEST:
        flags_logic(cpu, w, a & b);
        break;
    case RECIPE_NEG:
        flags_sub(cpu, w, 0, 0 - a, a);
        break;
    case RECIPE_INC:
        flags_add(cpu, w, a - 1, 1, a);
        flags_set_cf(cpu, carry_of(cpu, r));
        break;
    case RECIPE_DEC:
        flags_sub(cpu, w, a + 1, 1, a);
        flags_set_cf(cpu, carry_of(cpu, r));
        break;
    default:
        flags_shift(cpu, (enum flags_shift)(r->kind - RECIPE_SHL), w, cpu->jit.shifted,
                    (unsigned)r->imm);
        break;
    }
}
