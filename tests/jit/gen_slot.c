/* SPDX-License-Identifier: MIT */
/* What is in the slots of programs that are written over (gen_smc.c). */
#include <string.h>

#include "base/bits.h"
#include "tests/jit/gen_smc.h"

/* --- addresses --- */

unsigned smc_any_slot(struct gen *g)
{
    return GEN_TO_SLOT + fuzz_below(g->f, gen_subs(g) * GEN_SLOTS);
}

unsigned smc_slot(struct gen *g)
{
    return fuzz_one_in(g->f, 5) ? smc_any_slot(g) : g->favourite[fuzz_below(g->f, GEN_FAVOURITES)];
}

void smc_fixed(struct gen *g, enum gen_fix fix, unsigned target, unsigned byte)
{
    gen_fix(g, fix, gen_code_bytes(g), target);
    g->it->target_byte = (u8)byte;
}

/* Which of the addresses of code as data: mostly its own. */
enum gen_fix smc_fix(struct gen *g)
{
    return g->p->paging && fuzz_one_in(g->f, 4) ? GEN_FIX_ALIAS : GEN_FIX_DATA;
}

void smc_segment(struct gen *g, enum gen_fix fix)
{
    if (g->p->kind != GEN_FLAT && fix == GEN_FIX_DATA)
        gen8(g, 0x65);
}

void smc_modrm(struct gen *g, enum smc_address how, unsigned reg)
{
    static const u8 rm[2][2] = {{6, 0x84}, {5, 0x86}};

    gen8(g, rm[g->p->code32][how] | reg << 3);
}

/* @op in @n bytes, with its prefixes, and byte @byte of item @target as its memory operand. */
void smc_code_op(struct gen *g, u32 op, unsigned n, unsigned reg, unsigned target, unsigned byte)
{
    enum gen_fix fix = smc_fix(g);

    smc_segment(g, fix);
    for (; n; n--, op >>= 8)
        gen8(g, op);
    smc_modrm(g, SMC_PLAIN, reg);
    smc_fixed(g, fix, target, byte);
}

/* --- what is in slots --- */

/* Prefixes that mean nothing, so that an instruction can take the place of another without its
 * number. */
static void align(struct gen_item *it)
{
    unsigned n = GEN_NUMBER - it->fix_at;

    if (!it->fix_size || it->fix_at >= GEN_NUMBER || it->fix == GEN_FIX_IP ||
        it->len + n > GEN_SLOT_BYTES)
        return;
    memmove(it->bytes + n, it->bytes, it->len);
    memset(it->bytes, 0x3e, n);
    it->len += (u8)n;
    it->fix_at += (u8)n;
}

/* What is left of a slot: nothing, or instructions of a byte. */
static void pad(struct gen *g, bool plain)
{
    static const u8 one[] = {0x40, 0x41, 0x42, 0x48, 0x4a, 0xf5, 0xf8, 0x98, 0x99, 0x9f, 0x92};

    if (g->aligned)
        align(g->it);
    plain |= fuzz_one_in(g->f, 2);
    while (g->it->len < GEN_SLOT_BYTES)
        gen8(g, plain ? 0x90u : one[fuzz_below(g->f, ARRAY_LEN(one))]);
}

/* A number of @w that others of the family have another of. */
static void put_number(struct gen *g, enum width w, u32 v)
{
    g->it->fix_at = g->it->len;
    g->it->fix_size = w == W32 ? 4 : 2;
    gen_imm(g, w, v);
}

void smc_insn(struct gen *g)
{
    for (;;) {
        gen_insn(g);
        if (g->it->len <= GEN_SLOT_BYTES)
            return;
        g->p->count--;
    }
}

void smc_imm(struct gen *g)
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
    smc_modrm(g, fuzz_one_in(g->f, 4) ? SMC_BY_SI : SMC_PLAIN, fuzz_below(g->f, 3));
    put_number(g, g->p->code32 ? W32 : W16, gen_pointer(g, false));
}

/* FLD, FST, FADD and their like, of memory. */
static void slot_fp(struct gen *g)
{
    static const u8 op[][4] = {{0xd9, 0}, {0xd9, 3}, {0xd8, 0}, {0xd8, 1}, {0xdc, 4}, {0xdd, 0},
                               {0xdd, 3}, {0xdf, 5}, {0xdf, 7}, {0xda, 0}, {0xd9, 7}, {0xd9, 2}};
    const u8 *o = op[fuzz_below(g->f, ARRAY_LEN(op))];

    gen_begin(g);
    if (fuzz_one_in(g->f, 2)) {
        gen16(g, 0x0ff3);
        gen8(g, 0x58 | fuzz_below(g->f, 4)); /* ADDSS, MULSS, CVTSS2SD */
        smc_modrm(g, SMC_PLAIN, fuzz_below(g->f, 3));
    } else {
        gen8(g, o[0]);
        smc_modrm(g, SMC_PLAIN, o[1]);
    }
    put_number(g, g->p->code32 ? W32 : W16, gen_pointer(g, false));
}

/* Stores: with their prefixes, and what ModR/M has for a register; ANY of the first. */
enum { ANY = 8 };

static const struct store {
    u32 op;
    u8 bytes, reg;
} stores[] = {
    {0x89, 1, ANY},    {0x88, 1, ANY},   {0x01, 1, ANY},   {0x31, 1, ANY}, {0x87, 1, ANY},
    {0xfe, 1, 0},      {0xff, 1, 1},     {0xf6, 1, 2},     {0xd3, 1, 2},   {0xd1, 1, 0},
    {0xbb0f, 2, ANY},  {0xc10f, 2, ANY}, {0xb10f, 2, ANY}, {0xc70f, 2, 1}, {0x7f0f, 2, ANY},
    {0xdd, 1, 2},      {0xd9, 1, 3},     {0xdf, 1, 7},     {0xdf, 1, 6},   {0xd9, 1, 7},
    {0x8c, 1, SEG_DS}, {0x130f, 2, ANY}, {0x010f, 2, 0},   {0x950f, 2, 0}, {0x8f, 1, 0},
};

/* What it writes to: the next slots, where it may be, or any. */
static unsigned near_slot(struct gen *g)
{
    unsigned all = gen_subs(g) * GEN_SLOTS, slot = smc_slot(g) - GEN_TO_SLOT;

    if (g->p->slots && !g->p->pool && fuzz_one_in(g->f, 2))
        slot = g->p->count - g->p->slots;
    else if (fuzz_one_in(g->f, 2))
        slot++;
    return GEN_TO_SLOT + slot % all;
}

static void slot_store(struct gen *g)
{
    u32 n = fuzz_below(g->f, fuzz_one_in(g->f, 2) ? 7 : ARRAY_LEN(stores));
    const struct store *s = &stores[n];

    gen_begin(g);
    smc_code_op(g, s->op, s->bytes, s->reg == ANY ? fuzz_below(g->f, 3) : s->reg, near_slot(g),
                fuzz_below(g->f, GEN_SLOT_BYTES - 2));
}

/* An access for which the MMU reads code, and writes to it: of an entry in it. */
static void slot_walk(struct gen *g)
{
    static const u8 op[] = {0x8b, 0x8b, 0x89, 0x01};

    if (g->p->kind != GEN_FLAT || !g->p->paging) {
        slot_disp(g);
        return;
    }
    gen_begin(g);
    gen8(g, op[fuzz_below(g->f, ARRAY_LEN(op))]);
    smc_modrm(g, SMC_PLAIN, fuzz_below(g->f, 3));
    smc_fixed(g, GEN_FIX_WALK, near_slot(g), fuzz_below(g->f, GEN_SLOT_BYTES));
}

/* MOV EDI, code; REP STOS of what CX says, which is small behind most calls. */
static void slot_rep(struct gen *g)
{
    if (g->p->kind != GEN_FLAT) {
        slot_store(g);
        return;
    }
    gen_begin(g);
    gen8(g, 0xbf);
    smc_fixed(g, smc_fix(g), near_slot(g), fuzz_below(g->f, GEN_SLOT_BYTES));
    gen8(g, 0xf3);
    gen8(g, 0xaa | fuzz_one_in(g->f, 4));
}

static void slot_jump(struct gen *g)
{
    static const u8 op[] = {0xeb, 0xe3, 0xe1, 0xe2};
    u32 to = GEN_SLOT_BYTES - 2 + GEN_SLOT_BYTES * fuzz_below(g->f, 3);

    if (fuzz_one_in(g->f, 12))
        to = 0u - GEN_SLOT_BYTES * fuzz_below(g->f, 3) - 2;
    else if (fuzz_one_in(g->f, 6))
        to -= fuzz_below(g->f, GEN_SLOT_BYTES);
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
        smc_imm(g);
        return;
    }
    gen_begin(g);
    gen8(g, 0xba);
    smc_fixed(g, GEN_FIX_IP, GEN_TO_SUB + to + fuzz_below(g->f, all - to), 0);
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
        {2, 0x60, 0x61},
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
void smc_end(struct gen *g)
{
    if (fuzz_one_in(g->f, 8) && g->sub + 1 < gen_subs(g)) {
        slot_call(g);
        pad(g, true);
        return;
    }
    gen_begin(g);
    gen8(g, 0xc3);
    pad(g, true);
}

static const struct slot {
    void (*make)(struct gen *g);
    u32 of; /* a hundred */
} slots[] = {
    {smc_insn, 18}, {smc_imm, 22},   {slot_disp, 15}, {slot_rep, 2},
    {slot_walk, 1}, {slot_store, 8}, {slot_jump, 10}, {slot_loop, 4},
    {slot_call, 4}, {slot_fp, 6},    {slot_other, 9}, {smc_end, 1},
};

void smc_put_slot(struct gen *g)
{
    u32 n = fuzz_below(g->f, 100), i = 0;

    while (n >= slots[i].of)
        n -= slots[i++].of;
    slots[i].make(g);
    pad(g, slots[i].make == slot_call || slots[i].make == smc_end);
}

void smc_put_plain(struct gen *g)
{
    smc_imm(g);
    pad(g, true);
}

void smc_put_number(struct gen *g)
{
    static void (*const make[])(struct gen * g) = {smc_imm, slot_disp, slot_fp};

    make[fuzz_below(g->f, g->p->fp ? 3 : 2)](g);
    pad(g, false);
}

/* Another of the family of the item before: with another number, or something like it. */
void smc_put_relative(struct gen *g)
{
    const struct gen_item *like = g->it;

    if (like->fix != GEN_FIX_NONE) {
        smc_put_slot(g);
        return;
    }
    gen_begin(g);
    *g->it = *like;
    if (!like->fix_size || fuzz_one_in(g->f, 8))
        g->it->bytes[fuzz_below(g->f, GEN_SLOT_BYTES)] ^= (u8)BIT(fuzz_below(g->f, 8));
    else
        store_le(g->it->bytes + like->fix_at,
                 fuzz_one_in(g->f, 2) ? fuzz_u64(g->f) : gen_pointer(g, false), like->fix_size);
}
