/* SPDX-License-Identifier: MIT */
/* One random instruction, encoded from a row of cpu/isa.def. */
#include <string.h>

#include "base/bits.h"
#include "tests/jit/gen_program.h"

static const char *const exec_names[INSN__COUNT] = {
#define INSN(id, map, opcode, pfx, form, text, o1, o2, o3, attr, feat, rd, wr, un, exec, xlate)    \
#exec,
#include "cpu/isa.def"
};

/* Never at random: their places are chosen (jumps), or nothing sensible would follow. */
static const char *const never[] = {
    "jcc",   "jmp_j",    "jmp_e",   "call_j",  "call_e",    "loop",     "loope",      "loopne",
    "jcxz",  "ret",      "retf",    "jmp_far", "jmp_far_m", "call_far", "call_far_m", "iret",
    "int_i", "hlt",      "movs",    "cmps",    "stos",      "lods",     "scas",       "ins",
    "outs",  "sysenter", "sysexit", "lss",     "mwait",     "monitor",
};

/* Would take the machine away, at CPL 0. */
static const char *const system[] = {
    "lgdt", "lidt", "lldt", "ltr", "lmsw", "mov_to_cr", "mov_to_dr", "wrmsr",
};

/* Move the stack pointer. */
static const char *const stack[] = {
    "push_z", "push_e", "push_i", "push_sreg", "pop_z", "pop_e", "pop_sreg",
    "pusha",  "popa",   "pushf",  "popf",      "enter", "leave",
};

/* Fine now and then, but they make what follows less interesting. */
static const char *const rare[] = {
    "les",     "lds",     "lfs",        "lgs",        "mov_to_sreg", "pop_sreg",   "popf",
    "popa",    "leave",   "enter",      "ud",         "cli",         "std",        "in_i",
    "in_dx",   "out_i",   "out_dx",     "int1",       "x87_fldcw",   "x87_fldenv", "x87_frstor",
    "fxrstor", "ldmxcsr", "x87_fnsave", "x87_fninit",
};

/* Rows of which there should be more in programs with x87 instructions. */
static const char *const functions[] = {
    "x87_f2xm1",   "x87_fyl2x", "x87_fyl2xp1", "x87_fpatan", "x87_fsin",     "x87_fcos",
    "x87_fsincos", "x87_fptan", "x87_fld_m64", "x87_fild",   "x87_fldconst", "x87_arith_mem",
};

static bool named(const char *const *names, size_t n, unsigned row)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], exec_names[row]) == 0)
            return true;
    }
    return false;
}
#define NAMED(names, row) named(names, ARRAY_LEN(names), row)

static bool is_vector(unsigned row)
{
    const struct insn_def *d = &insn_def[row];
    bool vector = d->attr & (ATTR_Fpu | ATTR_Align) || d->map >= MAP_0F38;

    for (unsigned i = 0; i < 3; i++)
        vector |= d->op[i] >= OPND_ST0;
    return vector;
}

static unsigned random_row(struct gen *g)
{
    bool ring0 = g->p->kind == GEN_REAL || (g->p->kind != GEN_V86 && !g->p->ring3);
    bool vector = !g->flags && fuzz_one_in(g->f, g->p->fp ? 2 : 40);
    bool function = vector && g->p->fp && fuzz_one_in(g->f, 5);
    unsigned row;

    for (;;) {
        row = fuzz_below(g->f, INSN__COUNT);
        if (insn_def[row].attr & ATTR_O64 || is_vector(row) != vector || NAMED(never, row))
            continue;
        if ((ring0 && NAMED(system, row)) || (g->calm && NAMED(stack, row)))
            continue;
        if (function && !NAMED(functions, row))
            continue;
        if (g->flags && !((insn_def[row].read | insn_def[row].written) & FL_OSZAPC))
            continue;
        if (!NAMED(rare, row) || fuzz_one_in(g->f, 12))
            return row;
    }
}

/* --- prefixes --- */

struct encoding {
    const struct insn_def *def;
    enum width opsize, adsize;
    bool memory;
};

static bool has_operand(const struct insn_def *d, enum operand code)
{
    return d->op[0] == code || d->op[1] == code || d->op[2] == code;
}

static enum width other(enum width w)
{
    return w == W16 ? W32 : W16;
}

static void put_prefixes(struct gen *g, struct encoding *e)
{
    static const u8 segment[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};
    enum width natural = g->p->code32 ? W32 : W16;
    bool offset = has_operand(e->def, OPND_Ob) || has_operand(e->def, OPND_Ov);

    e->opsize = e->adsize = natural;
    if ((e->memory || offset) && fuzz_one_in(g->f, 6))
        gen8(g, segment[fuzz_below(g->f, ARRAY_LEN(segment))]);
    if (e->def->pfx == PFX_66) {
        gen8(g, 0x66);
    } else if (e->def->pfx == PFX_F3 || e->def->pfx == PFX_F2) {
        gen8(g, e->def->pfx == PFX_F3 ? 0xf3 : 0xf2);
    } else if (e->def->pfx == PFX_ANY && fuzz_one_in(g->f, natural == W32 ? 6 : 2)) {
        gen8(g, 0x66);
        e->opsize = other(natural);
    }
    if ((e->memory || offset) && fuzz_one_in(g->f, g->p->kind == GEN_FLAT ? 30 : 4)) {
        gen8(g, 0x67);
        e->adsize = other(natural);
    }
    if (e->def->attr & ATTR_Lock ? e->memory && fuzz_one_in(g->f, 5) : fuzz_one_in(g->f, 300))
        gen8(g, 0xf0);
}

/* --- ModR/M --- */

static const u8 pointers[] = {REG_BX, REG_SI, REG_DI, REG_BP};

static u32 small(struct gen *g)
{
    return (u32)(i32)(i8)fuzz_length(g->f, 6) - 20;
}

/* 32-bit: a pointer with a displacement, an index that is probably small, or an offset alone. */
static void put_address32(struct gen *g, unsigned reg)
{
    unsigned base = pointers[fuzz_below(g->f, ARRAY_LEN(pointers))];
    unsigned mod = fuzz_below(g->f, 3), index = REG_SP, scale = 0;

    switch (fuzz_below(g->f, 8)) {
    case 0:
        gen8(g, reg << 3 | 5);
        gen32(g, gen_pointer(g, false) + small(g));
        return;
    case 1:
        base = REG_SP;
        break;
    case 2:
        index = fuzz_below(g->f, 3);
        scale = fuzz_below(g->f, 4);
        break;
    default:
        break;
    }
    if (mod == 0 && base == REG_BP)
        mod = 1;
    if (base == REG_SP || index != REG_SP) {
        gen8(g, mod << 6 | reg << 3 | 4);
        gen8(g, scale << 6 | index << 3 | base);
    } else {
        gen8(g, mod << 6 | reg << 3 | base);
    }
    if (mod == 1)
        gen8(g, small(g));
    else if (mod == 2)
        gen32(g, small(g) * 8);
}

static void put_address16(struct gen *g, unsigned reg)
{
    unsigned mod = fuzz_below(g->f, 3), rm = fuzz_one_in(g->f, 6) ? 0 : 4;

    rm += fuzz_below(g->f, 4);
    gen8(g, mod << 6 | reg << 3 | rm);
    if (mod == 1)
        gen8(g, small(g));
    else if (mod == 2)
        gen16(g, small(g) * 8);
    else if (rm == 6)
        gen16(g, gen_pointer(g, false) + small(g));
}

static bool wants_memory(struct gen *g, const struct insn_def *d)
{
    if (!(d->form & FORM_HAS) || (d->form & FORM_REG))
        return false;
    for (unsigned i = 0; i < 3; i++) {
        if (d->op[i] == OPND_Cd || d->op[i] == OPND_Dd)
            return false;
    }
    return (d->form & FORM_MEM) || fuzz_one_in(g->f, g->flags ? 8 : 2);
}

static void put_modrm(struct gen *g, const struct encoding *e)
{
    u32 value = e->def->form & 0xff, mask = e->def->form >> 8 & 0xff;
    unsigned reg = ((gen_reg(g) & ~(mask >> 3)) | value >> 3) & 7;

    if (mask == 0xff)
        gen8(g, value);
    else if (!e->memory)
        gen8(g, 0xc0 | reg << 3 | gen_reg(g));
    else if (e->adsize == W32)
        put_address32(g, reg);
    else
        put_address16(g, reg);
}

/* --- immediates --- */

static void put_immediate(struct gen *g, const struct encoding *e, unsigned n)
{
    switch (e->def->op[n]) {
    case OPND_Ib:
        if (strcmp(exec_names[e->def - insn_def], "enter") == 0)
            gen8(g, fuzz_below(g->f, 4));
        else
            gen8(g, (u32)fuzz_length(g->f, 8));
        break;
    case OPND_Ibs:
        gen8(g, (u32)fuzz_length(g->f, 8));
        break;
    case OPND_Iw:
        gen16(g, (u32)fuzz_length(g->f, 6));
        break;
    case OPND_Iz:
    case OPND_Iv:
        gen_imm(g, e->opsize, (u32)fuzz_length(g->f, 32) ^ (fuzz_one_in(g->f, 3) ? ~0u : 0));
        break;
    case OPND_Ob:
    case OPND_Ov:
        gen_imm(g, e->adsize, gen_pointer(g, false) + small(g));
        break;
    default:
        break;
    }
}

void gen_insn(struct gen *g)
{
    struct encoding e = {.def = &insn_def[random_row(g)]};
    const struct insn_def *d = e.def;

    gen_begin(g);
    e.memory = wants_memory(g, d);
    put_prefixes(g, &e);
    if (d->map != MAP_1B)
        gen8(g, 0x0f);
    if (d->map >= MAP_0F38)
        gen8(g, d->map == MAP_0F38 ? 0x38 : 0x3a);
    if (has_operand(d, OPND_Zb) || has_operand(d, OPND_Zv)) {
        unsigned first = d->opcode & 7, reg = gen_reg(g);
        gen8(g, d->opcode - first + (reg < first ? first : reg));
    } else {
        gen8(g, d->opcode);
    }
    if (d->form & FORM_HAS)
        put_modrm(g, &e);
    for (unsigned i = 0; i < 3; i++)
        put_immediate(g, &e, i);
}

void gen_flags(struct gen *g)
{
    g->flags = true;
    gen_insn(g);
    g->flags = false;
}
