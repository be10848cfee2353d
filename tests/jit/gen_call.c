/* SPDX-License-Identifier: MIT */
/* Items that call, and what they call, of which much does not return as it should. */
#include "tests/jit/gen_program.h"

enum { SUBROUTINES_MAX = 16 };

/* One that will be there; from within one mostly a later one, so that it ends. */
static unsigned any_sub(struct gen *g)
{
    unsigned all = gen_subs(g);

    if (g->calm && g->sub + 1 < all && !fuzz_one_in(g->f, 8))
        return GEN_TO_SUB + g->sub + 1 + fuzz_below(g->f, all - g->sub - 1);
    if (g->p->shape == GEN_SMC && fuzz_one_in(g->f, 2))
        return GEN_TO_SUB + (g->favourite[0] - GEN_TO_SLOT) / GEN_SLOTS;
    return GEN_TO_SUB + fuzz_below(g->f, all);
}

static void near_call(struct gen *g, unsigned sub)
{
    gen_byte(g, 0xe8);
    gen_fix(g, GEN_FIX_REL, gen_code_bytes(g), sub);
}

void gen_call(struct gen *g)
{
    unsigned sub = any_sub(g), reg = fuzz_below(g->f, 3);

    switch (g->p->shape == GEN_MIX ? 7 : fuzz_below(g->f, 8)) {
    case 0: /* for RETF */
        gen_byte(g, 0x0e);
        near_call(g, sub);
        break;
    case 1: /* for RET imm16 */
        gen_byte(g, 0x50 | reg);
        near_call(g, sub);
        break;
    case 2: /* MOV reg, sub; CALL reg */
        gen_byte(g, 0xb8 | reg);
        gen_fix(g, GEN_FIX_IP, gen_code_bytes(g), sub);
        gen_byte(g, 0xff);
        gen8(g, 0xd0 | reg);
        break;
    case 3: /* it returns elsewhere */
        gen_push_target(g, gen_near(g) + 5);
        gen_byte(g, 0xe9);
        gen_fix(g, GEN_FIX_REL, gen_code_bytes(g), sub);
        break;
    default:
        near_call(g, sub);
        break;
    }
}

/* --- how subroutines end --- */

static void end_plain(struct gen *g)
{
    gen_byte(g, 0xc3);
}

static void end_nested(struct gen *g)
{
    gen_call(g);
    gen_insn(g);
    gen_byte(g, 0xc3);
}

/* AND ECX, n; DEC CX; JLE: RET; CALL itself; RET: as deep as CX says. */
static void end_recursive(struct gen *g)
{
    unsigned out = g->p->count + 5;

    gen_begin(g);
    gen_opsize(g, W32);
    gen16(g, 0xe181);
    gen32(g, BIT(fuzz_below(g->f, 15)) - 1);
    gen_byte(g, 0x48 | REG_CX);
    gen_byte(g, 0x7e);
    gen_fix(g, GEN_FIX_REL, 1, out);
    near_call(g, GEN_TO_SUB + g->sub);
    gen_flags(g);
    gen_byte(g, 0xc3);
}

static void end_imm(struct gen *g)
{
    gen_byte(g, 0xc2);
    gen16(g, fuzz_one_in(g->f, 4) ? fuzz_below(g->f, 16) : gen_code_bytes(g));
}

static void end_far(struct gen *g)
{
    gen_byte(g, 0xcb);
}

static void end_elsewhere(struct gen *g)
{
    gen_byte(g, 0xe9);
    gen_fix(g, GEN_FIX_REL, gen_code_bytes(g), any_sub(g));
}

/* POP DX; JMP DX. */
static void end_popped(struct gen *g)
{
    gen_byte(g, 0x58 | REG_DX);
    gen_byte(g, 0xff);
    gen8(g, 0xe0 | REG_DX);
}

/* To the caller's caller. */
static void end_twice(struct gen *g)
{
    gen_byte(g, 0x58 | REG_DX);
    gen_byte(g, 0xc3);
}

/* To where nobody called from. */
static void end_astray(struct gen *g)
{
    gen_byte(g, 0x58 | REG_DX);
    gen_push_target(g, fuzz_below(g->f, g->p->count));
    gen_byte(g, 0xc3);
}

/* On another stack: MOV EBX, ESP; LEA ESP, [ESP - n]; call; MOV ESP, EBX; RET. */
static void end_switched(struct gen *g)
{
    gen_begin(g);
    gen_opsize(g, W32);
    gen16(g, 0xe389);
    gen_begin(g);
    gen_opsize(g, W32);
    gen8(g, 0x83); /* SUB ESP, imm8 */
    gen8(g, 0xec);
    gen8(g, fuzz_below(g->f, 0x20) * 4);
    gen_call(g);
    gen_begin(g);
    gen_opsize(g, W32);
    gen16(g, 0xdc89);
    gen_byte(g, 0xc3);
}

/* What is called, or where it returns to, is written over. */
static void end_patched(struct gen *g)
{
    gen_patch(g);
    gen_byte(g, 0xc3);
}

static void (*const ends[])(struct gen *g) = {
    end_plain,     end_nested, end_nested, end_recursive, end_imm,      end_far,
    end_elsewhere, end_popped, end_twice,  end_astray,    end_switched, end_patched,
};

void gen_subroutines(struct gen *g)
{
    u16 start[SUBROUTINES_MAX];
    bool plain = g->p->shape == GEN_MIX;

    g->calm = true;
    g->p->slots = g->p->count;
    for (g->sub = 0; g->sub < gen_subs(g); g->sub++) {
        start[g->sub] = g->p->count;
        if (g->p->shape == GEN_SMC) {
            gen_smc_sub(g);
            continue;
        }
        for (unsigned n = fuzz_below(g->f, 6); n; n--)
            (plain ? gen_insn : gen_any)(g);
        ends[plain || fuzz_one_in(g->f, 3) ? 0 : fuzz_below(g->f, ARRAY_LEN(ends))](g);
    }
    g->p->pool = g->p->count;
    if (g->p->shape == GEN_SMC)
        gen_smc_pool(g);
    g->calm = false;
    for (unsigned i = 0; i < g->p->count; i++) {
        struct gen_item *it = &g->p->item[i];
        if (it->target >= GEN_TO_POOL)
            it->target = (u16)(it->target - GEN_TO_POOL + g->p->pool);
        else if (it->target >= GEN_TO_SLOT)
            it->target = (u16)(it->target - GEN_TO_SLOT + g->p->slots);
        else if (it->target >= GEN_TO_SUB)
            it->target = start[it->target - GEN_TO_SUB];
        else if (it->target >= g->p->count)
            it->target = (u16)(g->p->count - 1);
    }
}
