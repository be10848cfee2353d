/* SPDX-License-Identifier: MIT */
/* Items that change where a random program goes on: jumps, loops, calls, returns. */
#include "tests/jit/gen_program.h"

/* An item near the next one, for what reaches 127 bytes only. */
unsigned gen_near(struct gen *g)
{
    return g->p->count + fuzz_below(g->f, 5);
}

/* The same for conditional jumps, sometimes backwards: that may be a loop without end, which an
 * interrupt leaves. */
static unsigned near_target_back(struct gen *g)
{
    unsigned at = g->p->count - 1, often = g->p->shape == GEN_FLAGS ? 4 : 50;

    return fuzz_one_in(g->f, often) ? at - fuzz_below(g->f, at < 4 ? at + 1 : 5) : gen_near(g);
}

/* For what reaches everything. */
static unsigned far_target(struct gen *g)
{
    unsigned at = g->p->count;

    if (g->p->shape == GEN_MIX || !fuzz_one_in(g->f, 8))
        return near_target_back(g);
    return fuzz_one_in(g->f, 8) ? at - fuzz_below(g->f, at < 200 ? at : 200)
                                : at + fuzz_below(g->f, 200);
}

void gen_jump(struct gen *g)
{
    bool order = g->p->shape == GEN_FLAGS && fuzz_one_in(g->f, 3); /* L, NL, LE, NLE */
    u32 cc = order ? 12 + fuzz_below(g->f, 4) : fuzz_below(g->f, 16);

    gen_begin(g);
    switch (fuzz_below(g->f, 8)) {
    case 0: /* LOOPNE, LOOPE, LOOP, JCXZ */
        if (fuzz_one_in(g->f, 4))
            gen8(g, 0x67);
        gen8(g, 0xe0 | fuzz_below(g->f, 4));
        gen_fix(g, GEN_FIX_REL, 1, near_target_back(g));
        break;
    case 1:
        if (fuzz_one_in(g->f, 16)) { /* by the other operand size; the offset may be cut */
            gen16(g, 0xe966);
            gen_fix(g, GEN_FIX_REL, 6 - gen_code_bytes(g), gen_near(g));
            break;
        }
        gen8(g, 0xe9);
        gen_fix(g, GEN_FIX_REL, gen_code_bytes(g), gen_near(g));
        break;
    case 2:
        gen8(g, 0xeb);
        gen_fix(g, GEN_FIX_REL, 1, gen_near(g));
        break;
    case 3:
    case 4:
        gen8(g, 0x0f);
        gen8(g, 0x80 | cc);
        gen_fix(g, GEN_FIX_REL, gen_code_bytes(g), far_target(g));
        break;
    default:
        gen8(g, 0x70 | cc);
        gen_fix(g, GEN_FIX_REL, 1, near_target_back(g));
        break;
    }
}

/* One that sets all flags from registers. */
static void gen_setter(struct gen *g)
{
    static const u8 op[] = {0x00, 0x08, 0x20, 0x28, 0x30, 0x38}; /* not ADC and SBB */
    static const u8 shift[] = {0xe0, 0xe8, 0xf8};
    u32 alu = op[fuzz_below(g->f, ARRAY_LEN(op))], wide = !fuzz_one_in(g->f, 4);

    gen_begin(g);
    if (fuzz_one_in(g->f, 4))
        gen8(g, 0x66);
    switch (fuzz_below(g->f, 6)) {
    case 0: /* NEG reg */
        gen8(g, 0xf7);
        gen8(g, 0xd8 | fuzz_below(g->f, 3));
        break;
    case 1: /* SHL, SHR, SAR reg, imm8 */
        gen8(g, 0xc1);
        gen8(g, shift[fuzz_below(g->f, 3)] | fuzz_below(g->f, 3));
        gen8(g, 1 + fuzz_below(g->f, 15));
        break;
    case 2: /* TEST reg, reg */
        gen8(g, 0x84 | wide);
        gen8(g, 0xc0 | fuzz_below(g->f, 3) << 3 | fuzz_below(g->f, 3));
        break;
    case 3: /* reg, imm8 */
        gen8(g, wide ? 0x83 : 0x80);
        gen8(g, 0xc0 | alu | fuzz_below(g->f, 3));
        gen8(g, (u32)fuzz_length(g->f, 8));
        break;
    default:
        gen8(g, alu | wide | fuzz_below(g->f, 2) << 1);
        gen8(g, 0xc0 | fuzz_below(g->f, 3) << 3 | fuzz_below(g->f, 3));
        break;
    }
}

/* One that sets some: INC, DEC of a register, a rotation by a number. */
static void gen_keeper(struct gen *g)
{
    bool one = fuzz_one_in(g->f, 2);

    if (fuzz_one_in(g->f, 3)) {
        gen_byte(g, 0x40 | fuzz_below(g->f, 2) << 3 | fuzz_below(g->f, 3));
        return;
    }
    gen_byte(g, one ? 0xd1 : 0xc1);
    gen8(g, 0xc0 | fuzz_below(g->f, 4) << 3 | fuzz_below(g->f, 3));
    if (!one)
        gen8(g, fuzz_below(g->f, 34));
}

/* A block as compilers make them: what it leaves in the flags mostly matters to its end alone. */
void gen_chain(struct gen *g)
{
    if (!fuzz_one_in(g->f, 4))
        gen_setter(g);
    for (unsigned n = fuzz_below(g->f, 3); n; n--)
        fuzz_one_in(g->f, 2) ? gen_keeper(g) : gen_flags(g);
    if (fuzz_one_in(g->f, 2))
        fuzz_one_in(g->f, 4) ? gen_keeper(g) : gen_setter(g);
    gen_jump(g);
}

/* Some items, a few times. */
void gen_loop(struct gen *g)
{
    unsigned body;

    gen_mov(g, REG_CX, 1 + (u32)fuzz_length(g->f, 5));
    body = g->p->count;
    for (unsigned n = fuzz_below(g->f, 5); n; n--)
        gen_insn(g);
    gen_begin(g);
    if (fuzz_one_in(g->f, 2)) {
        gen8(g, 0xe2);
        gen_fix(g, GEN_FIX_REL, 1, body);
        return;
    }
    gen8(g, 0x48 | REG_CX);
    gen_begin(g);
    gen8(g, 0x75);
    gen_fix(g, GEN_FIX_REL, 1, body);
}

void gen_push_target(struct gen *g, unsigned target)
{
    gen_begin(g);
    gen8(g, 0x68);
    gen_fix(g, GEN_FIX_IP, gen_code_bytes(g), target);
}

/* JMP or CALL far: where to first, then the segment. */
static void gen_far(struct gen *g)
{
    gen_byte(g, fuzz_one_in(g->f, 2) ? 0x9a : 0xea);
    gen_fix(g, GEN_FIX_IP, gen_code_bytes(g), gen_near(g));
    gen16(g, gen_code_selector(g->p));
}

void gen_return(struct gen *g)
{
    unsigned reg = fuzz_below(g->f, 3), target = gen_near(g) + 5;

    switch (fuzz_below(g->f, 6)) {
    case 0: /* RET */
        gen_push_target(g, target);
        gen_byte(g, 0xc3);
        break;
    case 1: /* RET imm16, which takes the zero away too */
        gen_begin(g);
        gen16(g, 0x006a);
        gen_push_target(g, target);
        gen_byte(g, 0xc2);
        gen16(g, gen_code_bytes(g));
        break;
    case 2: /* IRET: flags, code segment, target */
        gen_byte(g, 0x9c);
        gen_byte(g, 0x0e);
        gen_push_target(g, target);
        gen_byte(g, 0xcf);
        break;
    case 3: /* RETF */
        gen_byte(g, 0x0e);
        gen_push_target(g, target);
        gen_byte(g, 0xcb);
        break;
    case 4:
        gen_far(g);
        break;
    default: /* MOV reg, target; JMP or CALL reg */
        gen_byte(g, 0xb8 | reg);
        gen_fix(g, GEN_FIX_IP, gen_code_bytes(g), target);
        gen_byte(g, 0xff);
        gen8(g, (fuzz_one_in(g->f, 2) ? 0xd0u : 0xe0u) | reg);
        break;
    }
}

/* A few items in the code segment with another base or another D. */
static void gen_segment_of_code(struct gen *g)
{
    bool alias = !fuzz_one_in(g->f, 4);
    bool real = g->p->kind == GEN_REAL || g->p->kind == GEN_V86;
    u32 sel = alias ? GEN_SEL_ALIAS : GEN_SEL_OTHER;

    if (real)
        sel = alias ? (GEN_CODE - GEN_ALIAS) >> 4 : GEN_CODE >> 4;
    else if (g->p->ring3)
        sel |= 3;
    gen_byte(g, fuzz_one_in(g->f, 4) ? 0x9a : 0xea);
    gen_fix(g, alias ? GEN_FIX_FAR : GEN_FIX_IP, gen_code_bytes(g), gen_near(g));
    gen16(g, sel);
    for (unsigned n = fuzz_below(g->f, 12); n; n--)
        gen_any(g);
    gen_far(g);
}

/* MOV AX, the stack's selector, or that with another B; MOV SS, AX. */
static void gen_segment_of_stack(struct gen *g)
{
    u32 sel = fuzz_one_in(g->f, 3) ? GEN_SEL_SWAP : GEN_SEL_STACK;

    gen_byte(g, 0xb8);
    gen_imm(g, g->p->code32 ? W32 : W16, sel | (g->p->ring3 ? 3 : 0));
    gen_begin(g);
    gen16(g, 0xd08e);
}

static void gen_two(struct gen *g, u32 bytes)
{
    gen_begin(g);
    gen16(g, bytes);
}

/* The same code in more code segments than there are numbers of modes (jit/mode.h), one after the
 * other: RETF to where each has it. */
void gen_bases(struct gen *g)
{
    unsigned again;

    if (g->p->kind != GEN_REAL && g->p->kind != GEN_V86) {
        gen_mode(g);
        return;
    }
    gen_mov(g, REG_CX, fuzz_one_in(g->f, 2) ? 300 : fuzz_below(g->f, 40) + 1);
    again = g->p->count;
    gen_byte(g, 0xb8); /* MOV AX, the code's */
    gen16(g, GEN_CODE >> 4);
    gen_two(g, 0xc829); /* SUB AX, CX */
    gen_byte(g, 0x50);
    gen_two(g, 0xca89); /* MOV DX, CX; SHL DX, 4 */
    gen_two(g, 0xe2c1);
    gen8(g, 4);
    gen_two(g, 0xc281);                         /* ADD DX, where it goes on */
    gen_fix(g, GEN_FIX_IP, 2, g->p->count + 2); /* behind PUSH DX; RETF */
    gen_byte(g, 0x52);
    gen_byte(g, 0xcb);
    gen_flags(g);
    gen_byte(g, 0x48 | REG_CX);
    gen_byte(g, 0x75);
    gen_fix(g, GEN_FIX_REL, 1, again);
    gen_far(g);
}

void gen_mode(struct gen *g)
{
    switch (fuzz_below(g->f, 5)) {
    case 0:
        gen_segment_of_code(g);
        break;
    case 1:
        if (g->p->kind >= GEN_FLAT) {
            gen_segment_of_stack(g);
            break;
        }
        /* fall through */
    default:
        gen_byte(g, 0xcd);
        gen8(g, GEN_ACT + fuzz_below(g->f, GEN_ACTS));
        break;
    }
}
