/* SPDX-License-Identifier: MIT */
/*
 * Programs whose subroutines are written over all the time.
 *
 * A subroutine is some slots of eight bytes. Behind the subroutines is a pool of other contents for
 * slots, in families that differ in a number. Items of the program's body copy parts of them to a
 * few favourite slots, by stores of any kind, in turns that go with the rounds, so that few or many
 * versions of a place come and go; others change numbers there, or are such slots themselves.
 */
#include <string.h>

#include "base/bits.h"
#include "tests/jit/gen_program.h"

enum {
    SLOT_BYTES = 8,
    SLOTS = 7, /* of a subroutine; the last one ends it */
    POOL = 48,
    FAMILY = 3, /* one of so many is not another of the one before */
};

/* --- addresses --- */

static unsigned any_slot(struct gen *g)
{
    return GEN_TO_SLOT + fuzz_below(g->f, gen_subs(g) * SLOTS);
}

static unsigned patched_slot(struct gen *g)
{
    return fuzz_one_in(g->f, 5) ? any_slot(g) : g->favourite[fuzz_below(g->f, GEN_FAVOURITES)];
}

/* The modes of an address that is a displacement, or SI and that. */
enum address { PLAIN, BY_SI };

static void put_fixed(struct gen *g, enum gen_fix fix, unsigned target, unsigned byte)
{
    gen_fix(g, fix, gen_code_bytes(g), target);
    g->it->target_byte = (u8)byte;
}

/* Which of the addresses of code as data: mostly its own. */
static enum gen_fix choose_alias(struct gen *g)
{
    return g->p->paging && fuzz_one_in(g->f, 4) ? GEN_FIX_ALIAS : GEN_FIX_DATA;
}

static void put_segment(struct gen *g, enum gen_fix fix)
{
    if (g->p->kind != GEN_FLAT && fix == GEN_FIX_DATA)
        gen8(g, 0x65);
}

static void put_modrm(struct gen *g, enum address how, unsigned reg)
{
    static const u8 rm[2][2] = {{6, 0x84}, {5, 0x86}};

    gen8(g, rm[g->p->code32][how] | reg << 3);
}

/* @op in @n bytes, with its prefixes, and byte @byte of item @target as its memory operand. */
static void put_code_op(struct gen *g, u32 op, unsigned n, unsigned reg, unsigned target,
                        unsigned byte)
{
    enum gen_fix fix = choose_alias(g);

    put_segment(g, fix);
    for (; n; n--, op >>= 8)
        gen8(g, op);
    put_modrm(g, PLAIN, reg);
    put_fixed(g, fix, target, byte);
}

/* --- what is in slots --- */

/* What is left of a slot: nothing, or instructions of a byte. */
static void pad(struct gen *g, bool plain)
{
    static const u8 one[] = {0x40, 0x41, 0x42, 0x48, 0x4a, 0xf5, 0xf8, 0x98, 0x99, 0x9f, 0x92};

    plain |= fuzz_one_in(g->f, 2);
    while (g->it->len < SLOT_BYTES)
        gen8(g, plain ? 0x90u : one[fuzz_below(g->f, ARRAY_LEN(one))]);
}

/* A number of @w that others of the family have another of. */
static void put_number(struct gen *g, enum width w, u32 v)
{
    g->it->fix_at = g->it->len;
    g->it->fix_size = w == W32 ? 4 : 2;
    gen_imm(g, w, v);
}

static void slot_insn(struct gen *g)
{
    for (;;) {
        gen_insn(g);
        if (g->it->len <= SLOT_BYTES)
            return;
        g->p->count--;
    }
}

static void slot_imm(struct gen *g)
{
    enum width w = g->p->code32 ? W32 : W16;
    u32 reg = fuzz_below(g->f, 3);

    gen_begin(g);
    if (fuzz_one_in(g->f, 4)) {
        gen8(g, 0x66);
        w = w == W32 ? W16 : W32;
    }
    switch (fuzz_below(g->f, 5)) {
    case 0:
        gen8(g, 0xb8 | reg);
        break;
    case 1:
        gen8(g, 0x69);
        gen8(g, 0xc0 | reg << 3 | fuzz_below(g->f, 3));
        break;
    case 2:
        gen8(g, 0x05 | fuzz_below(g->f, 8) << 3);
        break;
    default:
        gen8(g, 0x81);
        gen8(g, 0xc0 | fuzz_below(g->f, 8) << 3 | reg);
        break;
    }
    put_number(g, w, (u32)fuzz_u64(g->f));
}

static void slot_disp(struct gen *g)
{
    static const u8 op[][2] = {{0x03},       {0x2b},       {0x13},       {0x8b},       {0x8b},
                               {0x89},       {0x01},       {0x11},       {0x39},       {0x8a},
                               {0x88},       {0x87},       {0x33},       {0x0f, 0xb6}, {0x0f, 0xaf},
                               {0x8d},       {0x0f, 0xc1}, {0x0f, 0x6f}, {0x0f, 0x7f}, {0x0f, 0x10},
                               {0x0f, 0x11}, {0x0f, 0xb1}};
    const u8 *o = op[fuzz_below(g->f, ARRAY_LEN(op))];

    gen_begin(g);
    gen8(g, o[0]);
    if (o[1])
        gen8(g, o[1]);
    put_modrm(g, fuzz_one_in(g->f, 4) ? BY_SI : PLAIN, fuzz_below(g->f, 3));
    put_number(g, g->p->code32 ? W32 : W16, gen_pointer(g, false));
}

/* FLD, FST, FADD and their like, of memory. */
static void slot_fp(struct gen *g)
{
    static const u8 op[][4] = {{0xd9, 0}, {0xd9, 3}, {0xd8, 0}, {0xd8, 1}, {0xdc, 4}, {0xdd, 0},
                               {0xdd, 3}, {0xdf, 5}, {0xdf, 7}, {0xda, 0}, {0xd9, 7}, {0xd9, 2}};
    const u8 *o = op[fuzz_below(g->f, ARRAY_LEN(op))];

    gen_begin(g);
    if (fuzz_one_in(g->f, 3)) {
        gen16(g, 0x0ff3);
        gen8(g, 0x58 | fuzz_below(g->f, 4)); /* ADDSS, MULSS, CVTSS2SD */
        put_modrm(g, PLAIN, fuzz_below(g->f, 3));
    } else {
        gen8(g, o[0]);
        put_modrm(g, PLAIN, o[1]);
    }
    put_number(g, g->p->code32 ? W32 : W16, gen_pointer(g, false));
}

/* It writes to code: to the next slots, or any. */
static void slot_store(struct gen *g)
{
    static const u8 op[] = {0x89, 0x88, 0x01, 0x31, 0x87, 0x88, 0x89, 0xfe};
    u32 n = fuzz_below(g->f, ARRAY_LEN(op));

    gen_begin(g);
    put_code_op(g, op[n], 1, op[n] == 0xfe ? 0 : fuzz_below(g->f, 3), patched_slot(g),
                fuzz_below(g->f, SLOT_BYTES));
}

static void slot_jump(struct gen *g)
{
    static const u8 op[] = {0xeb, 0xe3, 0xe1, 0xe2};
    u32 to = SLOT_BYTES - 2 + SLOT_BYTES * fuzz_below(g->f, 3);

    if (fuzz_one_in(g->f, 12))
        to = 0u - SLOT_BYTES * fuzz_below(g->f, 3) - 2;
    else if (fuzz_one_in(g->f, 6))
        to -= fuzz_below(g->f, SLOT_BYTES);
    gen_begin(g);
    if (fuzz_one_in(g->f, 4))
        gen8(g, op[fuzz_below(g->f, ARRAY_LEN(op))]);
    else
        gen8(g, 0x70 | fuzz_below(g->f, 16));
    gen8(g, to);
}

/* AND CX, n; INC CX; DEC CX; JNZ: back to the DEC. */
static void slot_loop(struct gen *g)
{
    gen_begin(g);
    gen16(g, 0xe183);
    gen8(g, BIT(fuzz_below(g->f, 7)) - 1);
    gen8(g, 0x41);
    gen8(g, fuzz_one_in(g->f, 3) ? 0x40 : 0x49);
    gen8(g, 0x49);
    gen16(g, 0xfc75);
}

/* MOV DX, subroutine; CALL or JMP DX. */
static void slot_call(struct gen *g)
{
    unsigned all = gen_subs(g), to = g->sub + 1 < all ? g->sub + 1 : 0;

    if (!to && !fuzz_one_in(g->f, 8)) {
        slot_imm(g);
        return;
    }
    gen_begin(g);
    gen8(g, 0xba);
    put_fixed(g, GEN_FIX_IP, GEN_TO_SUB + to + fuzz_below(g->f, all - to), 0);
    gen8(g, 0xff);
    gen8(g, (fuzz_one_in(g->f, 4) ? 0xe0u : 0xd0u) | REG_DX);
}

static void slot_other(struct gen *g)
{
    static const u8 op[][5] = {
        {2, 0x0f, 0x31},
        {1, 0xfa},
        {1, 0xfb},
        {2, 0x9c, 0x58},
        {2, 0x50, 0x5a},
        {2, 0xd3, 0xe0},
        {2, 0xd3, 0xfa},
        {2, 0xd3, 0xd0},
        {4, 0x0f, 0xa5, 0xc2},
        {3, 0x0f, 0x94, 0xc0},
        {1, 0x9e},
        {1, 0xac},
        {1, 0xaa},
        {1, 0xa5},
        {1, 0xfc},
        {2, 0xf7, 0xf1},
        {2, 0xf7, 0xe2},
        {2, 0x87, 0xc2},
        {2, 0xd9, 0xe8},
        {2, 0xdd, 0xd8},
        {2, 0xcd, 0x33},
        {2, 0xe4, 0x20},
        {1, 0xc3},
        {2, 0x0f, 0x77},
        {4, 0x66, 0xd1, 0xd2},
        {2, 0xf3, 0xaa},
        {1, 0xcc},
        {2, 0xd9, 0xc9},
    };
    const u8 *o = op[fuzz_below(g->f, ARRAY_LEN(op))];

    gen_begin(g);
    if (fuzz_one_in(g->f, 8))
        gen8(g, fuzz_one_in(g->f, 2) ? 0x66 : 0xf3);
    for (unsigned i = 1; i <= o[0]; i++)
        gen8(g, o[i]);
}

/* RET; RET n; to another subroutine. */
static void slot_end(struct gen *g)
{
    if (fuzz_one_in(g->f, 8) && g->sub + 1 < gen_subs(g)) {
        slot_call(g);
        return;
    }
    gen_begin(g);
    gen8(g, 0xc3);
}

static const struct slot {
    void (*make)(struct gen *g);
    u32 of; /* a hundred */
} slots[] = {
    {slot_insn, 18}, {slot_imm, 22}, {slot_disp, 20}, {slot_store, 6}, {slot_jump, 10},
    {slot_loop, 4},  {slot_call, 4}, {slot_fp, 6},    {slot_other, 9}, {slot_end, 1},
};

static void put_slot(struct gen *g)
{
    u32 n = fuzz_below(g->f, 100), i = 0;

    while (n >= slots[i].of)
        n -= slots[i++].of;
    slots[i].make(g);
    pad(g, slots[i].make == slot_call || slots[i].make == slot_end);
}

/* Another of the family of the item before. */
static void put_relative(struct gen *g)
{
    const struct gen_item *like = g->it;

    gen_begin(g);
    *g->it = *like;
    if (like->fix != GEN_FIX_NONE)
        return;
    if (!like->fix_size || fuzz_one_in(g->f, 8))
        g->it->bytes[fuzz_below(g->f, SLOT_BYTES)] ^= (u8)BIT(fuzz_below(g->f, 8));
    else
        store_le(g->it->bytes + like->fix_at,
                 fuzz_one_in(g->f, 2) ? fuzz_u64(g->f) : gen_pointer(g, false), like->fix_size);
}

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
    put_segment(g, GEN_FIX_DATA);
    for (; n; n--, op >>= 8)
        gen8(g, op);
    put_modrm(g, BY_SI, reg);
    put_fixed(g, GEN_FIX_DATA, from, byte);
}

static void put_slot_op(struct gen *g, u32 op, unsigned n, unsigned reg, unsigned to, unsigned byte)
{
    gen_begin(g);
    put_code_op(g, op, n, reg, to, byte);
}

static void copy_part(struct gen *g, unsigned from, unsigned to)
{
    static const u8 op[] = {0x89, 0x89, 0x88, 0x87, 0x01, 0x31, 0x29};
    unsigned n = fuzz_one_in(g->f, 2) ? 0 : fuzz_below(g->f, ARRAY_LEN(op));
    unsigned byte = fuzz_below(g->f, SLOT_BYTES - 1);

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
    for (unsigned i = 0; i < SLOT_BYTES; i += gen_code_bytes(g)) {
        put_pool_op(g, 0x8b, 1, REG_AX, from, i);
        put_slot_op(g, 0x89, 1, REG_AX, to, i);
    }
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
    u32 n = SLOT_BYTES * (1 + fuzz_below(g->f, 5));

    if (g->p->kind != GEN_FLAT) {
        two(g, 0xa80f);
        gen_byte(g, 0x07);
    }
    gen_begin(g); /* ADD SI, pool */
    gen16(g, 0xc681);
    put_fixed(g, GEN_FIX_DATA, from, 0);
    gen_byte(g, 0xbf);
    put_fixed(g, g->p->kind == GEN_FLAT ? choose_alias(g) : GEN_FIX_DATA, to, 0);
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
        copy_part, copy_part, copy_twice, copy_twice, copy_mmx,
        copy_sse,  copy_x87,  copy_many,  copy_many,  copy_locked,
    };
    unsigned from = some_of_pool(g, put_turn(g) + 5);

    copy[fuzz_below(g->f, ARRAY_LEN(copy))](g, from, patched_slot(g));
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
    put_slot_op(g, op[fuzz_below(g->f, ARRAY_LEN(op))], 1, REG_AX, patched_slot(g),
                fuzz_below(g->f, SLOT_BYTES - 2));
}

/* The bytes that are there. */
static void smc_same(struct gen *g)
{
    unsigned to = patched_slot(g), byte = fuzz_below(g->f, SLOT_BYTES);

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
    put_fixed(g, choose_alias(g), patched_slot(g), fuzz_below(g->f, SLOT_BYTES));
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
    put_fixed(g, GEN_FIX_ALIAS, GEN_TO_SUB + fuzz_below(g->f, gen_subs(g)), 0);
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

void gen_smc(struct gen *g)
{
    static const struct {
        void (*make)(struct gen *g);
        u32 of; /* a hundred */
    } items[] = {
        {smc_turn, 32}, {smc_fresh, 14},  {smc_same, 3}, {smc_calls, 36},  {smc_stack, 3},
        {smc_alias, 6}, {smc_protect, 2}, {smc_flag, 2}, {gen_control, 2},
    };
    u32 n = fuzz_below(g->f, 100), i = 0;

    while (n >= items[i].of)
        n -= items[i++].of;
    items[i].make(g);
}

/* --- programs --- */

void gen_smc_begin(struct gen *g)
{
    for (unsigned i = 0; i < GEN_FAVOURITES; i++)
        g->favourite[i] = (u16)any_slot(g);
}

void gen_smc_sub(struct gen *g)
{
    for (unsigned i = 0; i + 1 < SLOTS; i++)
        put_slot(g);
    slot_end(g);
    pad(g, true);
}

void gen_smc_pool(struct gen *g)
{
    for (unsigned i = 0; i < POOL; i++) {
        if (i && !fuzz_one_in(g->f, FAMILY))
            put_relative(g);
        else
            put_slot(g);
    }
}

/* Some subroutine lies across a page's end. */
void gen_smc_place(struct gen *g)
{
    struct gen_program *p = g->p;
    u32 at = p->at[p->slots + fuzz_below(g->f, p->pool - p->slots)] + fuzz_below(g->f, SLOT_BYTES);

    p->start = (u16)(PAGE_SIZE - at % PAGE_SIZE);
}
