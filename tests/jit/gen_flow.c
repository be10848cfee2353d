/* SPDX-License-Identifier: MIT */
/* Items that change where a random program goes on: jumps, loops, calls, returns. */
#include "tests/jit/gen_program.h"

/* An item near the next one, for what reaches 127 bytes only. */
static unsigned near_target(struct gen *g)
{
    return g->p->count + fuzz_below(g->f, 5);
}

/* The same for conditional jumps, sometimes backwards: that may be a loop without end. */
static unsigned near_target_back(struct gen *g)
{
    unsigned at = g->p->count - 1;

    return fuzz_one_in(g->f, 50) ? at - fuzz_below(g->f, at < 4 ? at + 1 : 5) : near_target(g);
}

void gen_jump(struct gen *g)
{
    u32 cc = fuzz_below(g->f, 16);

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
            gen_fix(g, GEN_FIX_REL, 6 - gen_code_bytes(g), near_target(g));
            break;
        }
        gen8(g, 0xe9);
        gen_fix(g, GEN_FIX_REL, gen_code_bytes(g), near_target(g));
        break;
    case 2:
        gen8(g, 0xeb);
        gen_fix(g, GEN_FIX_REL, 1, near_target(g));
        break;
    case 3:
    case 4:
        gen8(g, 0x0f);
        gen8(g, 0x80 | cc);
        gen_fix(g, GEN_FIX_REL, gen_code_bytes(g), near_target_back(g));
        break;
    default:
        gen8(g, 0x70 | cc);
        gen_fix(g, GEN_FIX_REL, 1, near_target_back(g));
        break;
    }
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

/* PUSH of the target's offset in the code segment. */
static void push_target(struct gen *g, unsigned target)
{
    gen_begin(g);
    gen8(g, 0x68);
    gen_fix(g, GEN_FIX_IP, gen_code_bytes(g), target);
}

static void gen_byte(struct gen *g, u32 byte)
{
    gen_begin(g);
    gen8(g, byte);
}

static u16 code_selector(const struct gen *g)
{
    if (g->p->kind == GEN_REAL || g->p->kind == GEN_V86)
        return GEN_CODE >> 4;
    return (u16)(GEN_SEL_CODE | (g->p->ring3 ? 3 : 0));
}

/* JMP or CALL far: where to first, then the segment. */
static void gen_far(struct gen *g)
{
    gen_byte(g, fuzz_one_in(g->f, 2) ? 0x9a : 0xea);
    gen_fix(g, GEN_FIX_IP, gen_code_bytes(g), near_target(g));
    gen16(g, code_selector(g));
}

void gen_return(struct gen *g)
{
    unsigned reg = fuzz_below(g->f, 3), target = near_target(g) + 5;

    switch (fuzz_below(g->f, 6)) {
    case 0: /* RET */
        push_target(g, target);
        gen_byte(g, 0xc3);
        break;
    case 1: /* RET imm16, which takes the zero away too */
        gen_begin(g);
        gen16(g, 0x006a);
        push_target(g, target);
        gen_byte(g, 0xc2);
        gen16(g, gen_code_bytes(g));
        break;
    case 2: /* IRET: flags, code segment, target */
        gen_byte(g, 0x9c);
        gen_byte(g, 0x0e);
        push_target(g, target);
        gen_byte(g, 0xcf);
        break;
    case 3: /* RETF */
        gen_byte(g, 0x0e);
        push_target(g, target);
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

/* A call of a subroutine, of which there will be some; targets are set when they are there. */
enum { SUBROUTINES = 4, TO_SUBROUTINE = GEN_ITEMS };

void gen_call(struct gen *g)
{
    unsigned sub = TO_SUBROUTINE + fuzz_below(g->f, SUBROUTINES);

    gen_begin(g);
    gen8(g, 0xe8);
    gen_fix(g, GEN_FIX_REL, gen_code_bytes(g), sub);
}

void gen_subroutines(struct gen *g)
{
    u16 start[SUBROUTINES];

    g->calm = true;
    for (unsigned i = 0; i < SUBROUTINES; i++) {
        start[i] = g->p->count;
        for (unsigned n = fuzz_below(g->f, 6); n; n--)
            gen_insn(g);
        gen_begin(g);
        gen8(g, 0xc3);
    }
    g->calm = false;
    for (unsigned i = 0; i < g->p->count; i++) {
        struct gen_item *it = &g->p->item[i];
        if (it->target >= TO_SUBROUTINE)
            it->target = start[it->target - TO_SUBROUTINE];
        else if (it->target >= g->p->count)
            it->target = (u16)(g->p->count - 1);
    }
}
