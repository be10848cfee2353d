/* SPDX-License-Identifier: MIT */
/*
 * Programs whose subroutines are written over all the time.
 *
 * A subroutine is some slots of eight bytes. Behind the subroutines is a pool of other contents for
 * slots, in families that differ in a number. Items of the program's body copy parts of them to a
 * few favourite slots, by stores of any kind, in turns that go with the rounds, so that few or many
 * versions of a place come and go; others change numbers there, or are such slots themselves.
 */
#include "tests/jit/gen_smc.h"

enum {
    POOL = 48,
    FAMILY = 3, /* one of so many is not another of the one before */
};

/* --- items of the body --- */

static void two(struct gen *g, u32 bytes)
{
    gen_begin(g);
    gen16(g, bytes);
}

static void put_rounds(struct gen *g)
{
    gen_begin(g); /* MOV AX, [SS:rounds] */
    gen16(g, 0xa136);
    gen_imm(g, g->p->code32 ? W32 : W16, GEN_LOOPS + (g->p->kind == GEN_FLAT ? (u32)GEN_STACK : 0));
}

/* SI = eight times the round, modulo a number of versions, which is returned. */
static unsigned put_turn(struct gen *g)
{
    unsigned n = fuzz_one_in(g->f, 2) ? 1 + fuzz_below(g->f, 4) : 1 + fuzz_below(g->f, 20);

    put_rounds(g);
    two(g, 0xd231);
    gen_mov(g, REG_CX, n);
    two(g, 0xf1f7); /* DIV CX */
    two(g, 0xe2c1); /* SHL DX, 3 */
    gen8(g, 3);
    two(g, 0xd689); /* MOV SI, DX */
    return n;
}

static unsigned some_of_pool(struct gen *g, unsigned n)
{
    return GEN_TO_POOL + (n < POOL ? fuzz_below(g->f, POOL - n) : 0);
}

/* @op of what SI points to in the pool. */
static void put_pool_op(struct gen *g, u32 op, unsigned n, unsigned reg, unsigned from,
                        unsigned byte)
{
    gen_begin(g);
    smc_segment(g, GEN_FIX_DATA);
    for (; n; n--, op >>= 8)
        gen8(g, op);
    smc_modrm(g, SMC_BY_SI, reg);
    smc_fixed(g, GEN_FIX_DATA, from, byte);
}

static void put_slot_op(struct gen *g, u32 op, unsigned n, unsigned reg, unsigned to, unsigned byte)
{
    gen_begin(g);
    smc_code_op(g, op, n, reg, to, byte);
}

/* Of a slot: mostly where its number is. */
static unsigned any_byte(struct gen *g)
{
    return g->aligned && !fuzz_one_in(g->f, 4) ? GEN_NUMBER : fuzz_below(g->f, GEN_SLOT_BYTES - 1);
}

static void copy_part(struct gen *g, unsigned from, unsigned to)
{
    static const u8 op[] = {0x89, 0x89, 0x88, 0x87, 0x01, 0x31, 0x29};
    unsigned n = fuzz_one_in(g->f, 2) ? 0 : fuzz_below(g->f, ARRAY_LEN(op));
    unsigned byte = any_byte(g);

    put_pool_op(g, 0x8b, 1, REG_AX, from, byte);
    put_slot_op(g, op[n], 1, REG_AX, to, byte);
}

/* CMPXCHG, XADD, both with LOCK. */
static void copy_locked(struct gen *g, unsigned from, unsigned to)
{
    u32 op = fuzz_one_in(g->f, 2) ? 0xb10ff0 : 0xc10ff0;

    put_pool_op(g, 0x8b, 1, REG_CX, from, 0);
    put_slot_op(g, 0x8b, 1, REG_AX, to, 0);
    put_slot_op(g, op, 3, REG_CX, to, 0);
}

static void copy_twice(struct gen *g, unsigned from, unsigned to)
{
    for (unsigned i = 0; i < GEN_SLOT_BYTES; i += gen_code_bytes(g)) {
        put_pool_op(g, 0x8b, 1, REG_AX, from, i);
        put_slot_op(g, 0x89, 1, REG_AX, to, i);
    }
}

/* CMPXCHG8B: what was there goes if it still is. */
static void copy_eight(struct gen *g, unsigned from, unsigned to)
{
    static const u8 reg[] = {REG_AX, REG_DX};

    if (!g->p->code32) {
        copy_twice(g, from, to);
        return;
    }
    put_pool_op(g, 0x8b, 1, REG_BX, from, 0);
    put_pool_op(g, 0x8b, 1, REG_CX, from, 4);
    for (unsigned i = 0; i < 2; i++)
        put_slot_op(g, 0x8b, 1, reg[i], to, 4 * i);
    put_slot_op(g, 0xc70f, 2, 1, to, 0);
}

static void copy_mmx(struct gen *g, unsigned from, unsigned to)
{
    put_pool_op(g, 0x6f0f, 2, 0, from, 0);
    put_slot_op(g, 0x7f0f, 2, 0, to, 0);
    two(g, 0x770f);
}

static void copy_sse(struct gen *g, unsigned from, unsigned to)
{
    bool half = fuzz_one_in(g->f, 2); /* MOVLPS */

    put_pool_op(g, half ? 0x120f : 0x100f, 2, 1, from, 0);
    put_slot_op(g, half ? 0x130f : 0x110f, 2, 1, to, 0);
}

/* FILD, FISTP of eight bytes. */
static void copy_x87(struct gen *g, unsigned from, unsigned to)
{
    put_pool_op(g, 0xdf, 1, 5, from, 0);
    put_slot_op(g, 0xdf, 1, 7, to, 0);
}

/* MOV SI, pool + SI, MOV DI, slots: REP MOVS up or down. ES becomes what GS is. */
static void copy_many(struct gen *g, unsigned from, unsigned to)
{
    bool down = fuzz_one_in(g->f, 2);
    unsigned op = fuzz_below(g->f, 2), last = op && down ? 4 : 1;
    u32 n = GEN_SLOT_BYTES * (1 + fuzz_below(g->f, 5));

    if (g->p->kind != GEN_FLAT) {
        two(g, 0xa80f);
        gen_byte(g, 0x07);
    }
    gen_begin(g); /* ADD SI, pool */
    gen16(g, 0xc681);
    smc_fixed(g, GEN_FIX_DATA, from, 0);
    gen_byte(g, 0xbf);
    smc_fixed(g, g->p->kind == GEN_FLAT ? smc_fix(g) : GEN_FIX_DATA, to, 0);
    if (down) {
        gen_begin(g);
        gen16(g, 0xc681);
        gen_imm(g, g->p->code32 ? W32 : W16, n - last);
        gen_begin(g);
        gen16(g, 0xc781);
        gen_imm(g, g->p->code32 ? W32 : W16, n - last);
        gen_byte(g, 0xfd);
    }
    gen_mov(g, REG_CX, op ? n / gen_code_bytes(g) : n);
    gen_byte(g, 0xf3);
    if (g->p->kind != GEN_FLAT)
        gen8(g, 0x65);
    gen8(g, 0xa4 | op);
    gen_byte(g, 0xfc);
}

/* A slot's content is another, whose turn it is. */
static void smc_turn(struct gen *g)
{
    static void (*const copy[])(struct gen *, unsigned, unsigned) = {
        copy_part, copy_part, copy_twice, copy_twice,  copy_mmx,   copy_sse,
        copy_x87,  copy_many, copy_many,  copy_locked, copy_eight,
    };
    unsigned from = some_of_pool(g, put_turn(g) + 5);

    copy[fuzz_below(g->f, ARRAY_LEN(copy))](g, from, smc_slot(g));
}

/* Numbers that are new each time. */
static void smc_fresh(struct gen *g)
{
    static const u8 op[] = {0x89, 0x88, 0x89, 0x31, 0x01};

    put_rounds(g);
    gen_begin(g); /* IMUL AX, AX, n */
    gen16(g, 0xc069);
    gen_imm(g, g->p->code32 ? W32 : W16, (u32)fuzz_u64(g->f) | 1);
    if (fuzz_one_in(g->f, 2)) { /* a pointer to data */
        gen_begin(g);
        gen8(g, 0x25);
        gen_imm(g, g->p->code32 ? W32 : W16, 0x3ffc);
        gen_begin(g);
        gen8(g, 0x0d);
        gen_imm(g, g->p->code32 ? W32 : W16, g->p->kind == GEN_FLAT ? (u32)GEN_DATA : 0);
    }
    put_slot_op(g, op[fuzz_below(g->f, ARRAY_LEN(op))], 1, REG_AX, smc_slot(g), any_byte(g));
}

/* The bytes that are there. */
static void smc_same(struct gen *g)
{
    unsigned to = smc_slot(g), byte = fuzz_below(g->f, GEN_SLOT_BYTES);

    put_slot_op(g, 0x8b, 1, REG_AX, to, byte);
    put_slot_op(g, 0x89, 1, REG_AX, to, byte);
}

/* A subroutine, several times. */
static void smc_calls(struct gen *g)
{
    unsigned again;

    gen_begin(g); /* MOV BP, n: of the pointers the one that is used least */
    gen8(g, 0xb8 | REG_BP);
    gen_imm(g, g->p->code32 ? W32 : W16, 1 + fuzz_below(g->f, 10));
    again = g->p->count;
    if (fuzz_one_in(g->f, 4))
        gen_mov(g, REG_CX, fuzz_below(g->f, 8));
    if (fuzz_one_in(g->f, 2)) /* flags that what is called may read, in some of its versions */
        smc_imm(g);
    gen_call(g);
    if (fuzz_one_in(g->f, 4))
        smc_fresh(g);
    gen_byte(g, 0x48 | REG_BP);
    gen_byte(g, 0x75);
    gen_fix(g, GEN_FIX_REL, 1, again);
}

/* The stack is in the code: PUSH, or CALL and RET. */
static void smc_stack(struct gen *g)
{
    if (g->p->kind != GEN_FLAT) {
        gen_call(g);
        return;
    }
    gen_byte(g, 0x89); /* MOV EBX, ESP */
    gen8(g, 0xe3);
    gen_byte(g, 0xbc);
    smc_fixed(g, smc_fix(g), smc_slot(g), fuzz_below(g->f, GEN_SLOT_BYTES));
    if (fuzz_one_in(g->f, 2))
        gen_call(g);
    else
        gen_byte(g, fuzz_one_in(g->f, 4) ? 0x60 : 0x50 | fuzz_below(g->f, 3));
    gen_byte(g, 0x89); /* MOV ESP, EBX */
    gen8(g, 0xdc);
}

/* A subroutine at another linear address. */
static void smc_alias(struct gen *g)
{
    if (g->p->kind != GEN_FLAT || !g->p->paging) {
        gen_mode(g);
        return;
    }
    gen_byte(g, 0xb8 | REG_DX);
    smc_fixed(g, GEN_FIX_ALIAS, GEN_TO_SUB + fuzz_below(g->f, gen_subs(g)), 0);
    two(g, 0xd0ff | REG_DX << 8);
}

/* A page of the code is read-only, or not, or not accessed yet. */
static void smc_protect(struct gen *g)
{
    if (g->p->kind != GEN_FLAT || !g->p->paging) {
        gen_mode(g);
        return;
    }
    gen_begin(g);
    gen8(g, 0x80);
    gen8(g, fuzz_one_in(g->f, 2) ? 0x35 : 0x25);
    gen32(g, GEN_TABLE + 4 * (GEN_CODE / PAGE_SIZE + fuzz_below(g->f, 3)));
    gen8(g, (g->it->bytes[1] & 0x10) ? 2 : 0x9f);
    if (fuzz_one_in(g->f, 2)) {
        gen_byte(g, 0xcd);
        gen8(g, GEN_ACT + 5); /* CR3 again */
    }
}

static void load_control(struct gen *g, bool mxcsr, u32 value)
{
    enum width w = g->p->code32 ? W32 : W16;
    u32 at = GEN_LOOPS + 16 + (g->p->kind == GEN_FLAT ? (u32)GEN_STACK : 0);

    gen_begin(g); /* MOV dword [SS:at], value */
    gen8(g, 0x36);
    gen_opsize(g, W32);
    gen8(g, 0xc7);
    smc_modrm(g, SMC_PLAIN, 0);
    gen_imm(g, w, at);
    gen32(g, value);
    gen_begin(g); /* LDMXCSR, FLDCW */
    gen8(g, 0x36);
    if (mxcsr)
        gen8(g, 0x0f);
    gen8(g, mxcsr ? 0xae : 0xd9);
    smc_modrm(g, SMC_PLAIN, mxcsr ? 2 : 5);
    gen_imm(g, w, at);
}

/* Some calls with an exception not masked: mostly one that seldom comes. */
static void smc_masks(struct gen *g)
{
    bool mxcsr = fuzz_one_in(g->f, 2);
    u32 value = mxcsr ? g->p->mxcsr : g->p->fcw, first = mxcsr ? 7 : 0;
    u32 bit = fuzz_one_in(g->f, 4) ? fuzz_below(g->f, 6) : 2; /* ZE */

    load_control(g, mxcsr, value ^ BIT(first + bit));
    smc_calls(g);
    load_control(g, mxcsr, value);
}

/* The other address space, the code's copy for a page of it, or a page comes or goes. */
static void smc_remap(struct gen *g)
{
    static const u8 act[] = {1, 6, 7, 7};

    gen_byte(g, 0xcd);
    gen8(g, GEN_ACT + act[fuzz_below(g->f, ARRAY_LEN(act))]);
    smc_calls(g);
}

/* PUSHF; XOR [SP], TF or AC; POPF. */
static void smc_flag(struct gen *g)
{
    bool ac = g->p->am && fuzz_one_in(g->f, 2);

    gen_begin(g);
    gen_opsize(g, W32);
    gen8(g, 0x9c);
    gen_begin(g);
    gen_opsize(g, W32);
    gen8(g, 0x58);
    gen_begin(g);
    gen_opsize(g, W32);
    gen8(g, 0x35);
    gen32(g, ac ? 0x40000 : 0x100);
    gen_begin(g);
    gen_opsize(g, W32);
    gen8(g, 0x50);
    gen_begin(g);
    gen_opsize(g, W32);
    gen8(g, 0x9d);
}

/* A loop of one block, or a few, that writes to one of its own numbers, or to a slot. */
static void smc_loop(struct gen *g)
{
    static const u8 op[] = {0x01, 0x31, 0x89, 0x88};
    unsigned again, to;

    gen_begin(g);
    gen8(g, 0xb8 | REG_BP);
    gen_imm(g, g->p->code32 ? W32 : W16, 1 + (u32)fuzz_length(g->f, 6));
    again = to = g->p->count;
    if (fuzz_one_in(g->f, 3))
        to = smc_slot(g);
    smc_imm(g);
    if (fuzz_one_in(g->f, 2))
        smc_insn(g);
    if (fuzz_one_in(g->f, 3))
        gen_chain(g);
    put_slot_op(g, op[fuzz_below(g->f, ARRAY_LEN(op))], 1, fuzz_below(g->f, 3), to,
                2 + fuzz_below(g->f, 4));
    gen_byte(g, 0x48 | REG_BP);
    gen_byte(g, 0x75);
    gen_fix(g, GEN_FIX_REL, 1, again);
}

/* What stores strings points to code. */
static void smc_point(struct gen *g)
{
    if (g->p->kind != GEN_FLAT) {
        two(g, 0xa80f); /* PUSH GS; POP ES */
        gen_byte(g, 0x07);
    }
    gen_byte(g, 0xbf);
    smc_fixed(g, g->p->kind == GEN_FLAT ? smc_fix(g) : GEN_FIX_DATA, smc_slot(g),
              fuzz_below(g->f, GEN_SLOT_BYTES));
}

/* REP MOVS of code to where it is, itself perhaps among it. */
static void smc_over(struct gen *g)
{
    unsigned to = fuzz_one_in(g->f, 2) ? smc_slot(g) : g->p->count + fuzz_below(g->f, 6);

    if (g->p->kind != GEN_FLAT) {
        smc_same(g);
        return;
    }
    gen_byte(g, 0xbf); /* MOV EDI, code; MOV ESI, EDI */
    smc_fixed(g, smc_fix(g), to, 0);
    two(g, 0xfe89);
    gen_mov(g, REG_CX, 1 + fuzz_below(g->f, 24));
    gen_byte(g, 0xf3);
    gen8(g, 0xa4 | fuzz_below(g->f, 2));
}

/* The x87's environment, its control word, or all of it, goes into code. */
static void smc_state(struct gen *g)
{
    if (fuzz_one_in(g->f, 3)) /* FNSAVE */
        put_slot_op(g, 0xdd, 1, 6, smc_slot(g), 0);
    else /* FNSTENV, FNSTCW */
        put_slot_op(g, 0xd9, 1, fuzz_one_in(g->f, 4) ? 6 : 7, smc_slot(g),
                    fuzz_below(g->f, GEN_SLOT_BYTES - 1));
}

/* Code in a page of page tables: part of a slot there is another, whose turn it is; a call. */
static void smc_table(struct gen *g)
{
    unsigned byte = fuzz_below(g->f, GEN_SLOT_BYTES - 3);

    if (g->p->kind != GEN_FLAT || !g->p->paging) {
        smc_turn(g);
        return;
    }
    put_pool_op(g, 0x8b, 1, REG_AX, some_of_pool(g, put_turn(g) + 5), byte);
    gen_byte(g, 0xa3);
    gen32(g, GEN_TABLE + GEN_TABLE_CODE + GEN_SLOT_BYTES * fuzz_below(g->f, GEN_SLOTS - 1) + byte);
    gen_byte(g, 0xb8 | REG_DX);
    gen32(g, GEN_TABLE + GEN_TABLE_CODE);
    two(g, 0xd0ff | REG_DX << 8);
}

void gen_smc(struct gen *g)
{
    static const struct {
        void (*make)(struct gen *g);
        u32 of; /* a hundred */
    } items[] = {
        {smc_turn, 29},   {smc_fresh, 12}, {smc_same, 2},    {smc_calls, 26},
        {smc_stack, 3},   {smc_alias, 5},  {smc_protect, 2}, {smc_flag, 2},
        {gen_control, 2}, {smc_loop, 5},   {smc_over, 1},    {smc_state, 1},
        {smc_table, 2},   {smc_point, 2},  {smc_masks, 3},   {smc_remap, 3},
    };
    u32 n = fuzz_below(g->f, 100), i = 0;

    while (n >= items[i].of)
        n -= items[i++].of;
    items[i].make(g);
}

/* --- programs --- */

void gen_smc_begin(struct gen *g)
{
    g->aligned = fuzz_one_in(g->f, 2);
    for (unsigned i = 0; i < GEN_FAVOURITES; i++)
        g->favourite[i] = (u16)smc_any_slot(g);
    if (!fuzz_one_in(g->f, 3)) /* what is called */
        g->favourite[0] = (u16)(GEN_TO_SLOT + GEN_SLOTS * fuzz_below(g->f, gen_subs(g)));
}

/* Is the next slot one? */
static bool is_favourite(const struct gen *g)
{
    unsigned slot = GEN_TO_SLOT + g->p->count - g->p->slots;
    bool is = false;

    for (unsigned i = 0; i < GEN_FAVOURITES; i++)
        is |= slot == g->favourite[i];
    return is;
}

void gen_smc_sub(struct gen *g)
{
    bool plain = fuzz_one_in(g->f, 4); /* one block, and more than can be compared */

    for (unsigned i = 0; i + 1 < GEN_SLOTS; i++) {
        if (is_favourite(g) && !fuzz_one_in(g->f, 3))
            smc_put_number(g);
        else
            (plain ? smc_put_plain : smc_put_slot)(g);
    }
    smc_end(g);
}

void gen_smc_pool(struct gen *g)
{
    for (unsigned i = 0; i < POOL; i++) {
        if (i && !fuzz_one_in(g->f, FAMILY))
            smc_put_relative(g);
        else
            smc_put_slot(g);
    }
}

static u16 favourite(struct gen *g)
{
    u32 slot = g->favourite[fuzz_below(g->f, GEN_FAVOURITES)];

    return (u16)(g->p->slots + slot - GEN_TO_SLOT);
}

/* A page ends in one of the favourites or before it; the next one may come and go. */
static void place(struct gen *g)
{
    struct gen_program *p = g->p;
    u32 at = p->at[favourite(g)] + fuzz_below(g->f, GEN_SLOT_BYTES);

    p->start = (u16)(PAGE_SIZE - at % PAGE_SIZE);
    if (p->paging && fuzz_one_in(g->f, 2))
        p->flicker = (GEN_CODE + p->start + at) / PAGE_SIZE;
}

/* Who else writes: interrupts and a device. */
static void choose_writers(struct gen *g)
{
    struct gen_program *p = g->p;
    const struct gen_item *it;

    p->dma = fuzz_one_in(g->f, 3) ? 500 + (u32)fuzz_length(g->f, 14) : 0;
    if (!fuzz_one_in(g->f, 3))
        return;
    p->trap_item = favourite(g);
    it = &p->item[p->trap_item];
    p->trap_byte = it->fix_size ? it->fix_at : (u8)fuzz_below(g->f, GEN_SLOT_BYTES - 3);
    p->trap_bits = it->fix_size == 2 ? fuzz_below(g->f, 0x10000) : (u32)fuzz_u64(g->f);
}

void gen_smc_finish(struct gen *g)
{
    place(g);
    choose_writers(g);
}
