/* SPDX-License-Identifier: MIT */
/* What a random program is like: its shape, and its machine. */
#include "tests/jit/gen_program.h"

/* --- shapes --- */

const char *const gen_shapes[GEN__SHAPES] = {"mix", "flags", "calls", "modes", "long", "smc"};

static const struct shape {
    u8 share;        /* of a hundred programs                                              */
    u16 items, more; /* at least, and fewer than that in addition                          */
    u16 rounds;      /* at most                                                            */
    u16 faults;      /* at least; bits of those in addition                                */
    u8 faults_bits;  /*                                                                    */
    u32 budget;      /* the same of instructions,                                          */
    u8 budget_bits;  /*                                                                    */
    u8 slice_bits;   /* of their mean number between two comparisons,                      */
    u8 timer_bits;   /* and two interrupts                                                 */
    u8 rare;         /* those are rare in one of so many: code runs as long as it can;     */
    u8 rare_bits;    /* bits of their distance                                             */
    u8 flicker;      /* a page comes and goes in one of so many; 0: never                  */
    u8 subs;         /* subroutines                                                        */
    u8 fp;           /* half of the instructions are x87, MMX or SSE in one of so many     */
} shapes[GEN__SHAPES] = {
    [GEN_MIX] = {72, 4, 140, 40, 50, 10, 2000, 15, 11, 9, 0, 0, 12, 4, 3},
    [GEN_FLAGS] = {12, 20, 200, 2000, 10000, 15, 8000, 16, 13, 12, 4, 13, 2, 4, 20},
    [GEN_CALLS] = {8, 20, 150, 2000, 10000, 15, 10000, 18, 17, 12, 2, 15, 2, 12, 8},
    [GEN_MODES] = {7, 20, 250, 2000, 10000, 15, 8000, 16, 13, 12, 4, 13, 4, 6, 5},
    [GEN_LONG] = {1, 1500, 2000, 2000, 10000, 15, 250000, 19, 18, 13, 1, 16, 4, 12, 8},
    [GEN_SMC] = {0, 15, 100, 4000, 30000, 15, 60000, 18, 13, 12, 1, 15, 3, 4, 4},
};

static const struct shape *shape_of(const struct gen_program *p)
{
    return &shapes[p->shape];
}

static void choose_shape(struct fuzz *f, struct gen_program *p)
{
    u32 n = fuzz_below(f, 100), s = 0;

    while (n >= shapes[s].share)
        n -= shapes[s++].share;
    p->shape = (u8)s;
}

unsigned gen_body(struct gen *g)
{
    const struct shape *s = shape_of(g->p);

    return s->items + fuzz_below(g->f, s->more);
}

unsigned gen_subs(const struct gen *g)
{
    return shape_of(g->p)->subs;
}

/* --- items --- */

/* How many of a hundred items, or about so many, are what. */
static const struct part {
    void (*make)(struct gen *g);
    bool moves; /* the stack pointer: not in subroutines that are to return */
    u8 of[GEN__SHAPES];
} parts[] = {
    // clang-format off
    /*                     mix flags calls modes long smc */
    {gen_insn,        false, {62,  4, 35, 40, 60, 14}},
    {gen_flags,       false, { 0, 10,  4,  4,  4,  2}},
    {gen_chain,       false, { 0, 60,  8,  6,  8,  2}},
    {gen_jump,        false, {12,  6,  6,  8,  6,  2}},
    {gen_small,       false, { 3,  1,  2,  2,  3,  2}},
    {gen_loop,        false, { 2,  2,  2,  2,  2,  1}},
    {gen_point,       false, { 4,  3,  4,  4,  6,  3}},
    {gen_string,      false, { 4,  0,  1,  1,  1,  1}},
    {gen_patch,       false, { 3,  1,  3,  1,  1,  2}},
    {gen_interrupt,   false, { 2,  2,  1,  2,  1,  1}},
    {gen_device,      false, { 1,  1,  1,  1,  1,  1}},
    {gen_cross,       false, { 1,  1,  1,  3,  1,  1}},
    {gen_table,       false, { 1,  1,  1,  3,  1,  1}},
    {gen_call,        true,  { 2,  2, 20,  5,  2,  6}},
    {gen_return,      true,  { 1,  1,  5,  3,  1,  1}},
    {gen_stack_item,  true,  { 2,  1,  4,  2,  1,  1}},
    {gen_segment,     true,  { 1,  1,  1,  3,  1,  1}},
    {gen_system,      true,  { 1,  1,  1,  2,  1,  1}},
    {gen_mode,        true,  { 0,  1,  2, 14,  1,  3}},
    {gen_bases,       true,  { 0,  0,  1,  2,  1,  1}},
    {gen_smc,         true,  { 0,  0,  0,  0,  0, 54}},
    // clang-format on
};

void gen_any(struct gen *g)
{
    unsigned all = 0, i = 0;

    if (g->p->fp && fuzz_one_in(g->f, 25)) {
        gen_control(g);
        return;
    }
    for (unsigned n = 0; n < ARRAY_LEN(parts); n++)
        all += parts[n].of[g->p->shape];
    for (u32 n = fuzz_below(g->f, all); n >= parts[i].of[g->p->shape]; i++)
        n -= parts[i].of[g->p->shape];
    if (g->calm && parts[i].moves)
        gen_insn(g);
    else
        parts[i].make(g);
}

/* --- the machine --- */

/* Neighbours are none on the host in half of the programs. */
static void choose_pages(struct fuzz *f, struct gen_program *p)
{
    bool mixed = p->shape != GEN_MIX && fuzz_one_in(f, 2);

    for (u32 i = 0; i < GEN_DATA_PAGES; i++) {
        u32 at = GEN_DATA + i * PAGE_SIZE;
        switch (fuzz_below(f, 24)) {
        case 0:
        case 1:
            p->page[i] = fuzz_below(f, 4096) & ~1u; /* not present */
            break;
        case 2:
            p->page[i] = at | 5; /* read-only */
            break;
        case 3:
            p->page[i] = at | 3; /* the supervisor's */
            break;
        case 4:
            p->page[i] = (GEN_DATA + fuzz_below(f, GEN_DATA_PAGES) * PAGE_SIZE) | 7;
            break;
        case 5:
            p->page[i] = (GEN_CODE + fuzz_below(f, 2) * PAGE_SIZE) | 7;
            break;
        case 6:
            p->page[i] = fuzz_one_in(f, 2) ? GEN_DEVICE | 7 : (GEN_PAGES + PAGE_SIZE) | 7;
            break;
        default:
            p->page[i] = (mixed ? GEN_DATA + (i * 5 + 3) % GEN_DATA_PAGES * PAGE_SIZE : at) | 7;
            break;
        }
    }
}

/* The code's pages are among the data's, too, and perhaps a device where numbers point to. */
static void choose_aliases(struct fuzz *f, struct gen_program *p)
{
    if (fuzz_one_in(f, 3))
        p->page[3] = GEN_DEVICE | 7;
    for (u32 i = GEN_ALIASED; i < GEN_DATA_PAGES; i++)
        p->page[i] = (GEN_CODE + (i - GEN_ALIASED) * PAGE_SIZE) | (fuzz_one_in(f, 8) ? 5 : 7);
}

/* Mostly everything is masked, as in most programs. */
static void choose_fp(struct fuzz *f, struct gen_program *p, bool fp)
{
    p->fp = fuzz_one_in(f, shape_of(p)->fp) || fp;
    p->ts = fuzz_one_in(f, 20);
    p->ne = p->xmm = true;
    p->fcw = 0x7f;
    p->mxcsr = MXCSR_MASKS;
    if (!p->fp)
        return;
    p->fcw |= (u16)((fuzz_one_in(f, 2) ? X87_CW_PC : fuzz_below(f, 0x400)) & X87_CW_PC);
    p->fcw |= (u16)(fuzz_below(f, 0x1000) & X87_CW_RC);
    p->mxcsr |= fuzz_below(f, 0x10000) & (MXCSR_RC | MXCSR_DAZ | MXCSR_FTZ | 0x3f);
    p->ne = !fuzz_one_in(f, 4);
    p->xmm = !fuzz_one_in(f, 4);
    p->clear = !fuzz_one_in(f, 4);
    if (fuzz_one_in(f, 4))
        p->fcw &= (u16)~fuzz_below(f, 0x40);
    if (fuzz_one_in(f, 8))
        p->mxcsr &= ~(fuzz_below(f, 0x40) << 7);
}

/* Of the stack only where faults do not need it, of the code the second page. */
static void choose_flicker(struct fuzz *f, struct gen_program *p)
{
    u8 often = shape_of(p)->flicker;

    if (!p->paging || !often || !fuzz_one_in(f, often))
        return;
    switch (fuzz_below(f, 4)) {
    case 0:
        p->flicker = GEN_CODE / PAGE_SIZE + 1;
        break;
    case 1:
        if (p->ring3 || p->kind == GEN_V86) {
            p->flicker = GEN_STACK / PAGE_SIZE + 7 + fuzz_below(f, 2);
            break;
        }
        /* fall through */
    default:
        p->flicker = GEN_DATA / PAGE_SIZE + fuzz_below(f, GEN_DATA_PAGES);
        break;
    }
}

static void choose_kind(struct fuzz *f, struct gen_program *p)
{
    static const u8 kinds[] = {GEN_REAL, GEN_V86,  GEN_SEGMENTS, GEN_SEGMENTS,
                               GEN_FLAT, GEN_FLAT, GEN_FLAT};

    p->kind = kinds[fuzz_below(f, ARRAY_LEN(kinds))];
    p->code32 = p->kind == GEN_FLAT || (p->kind == GEN_SEGMENTS && fuzz_one_in(f, 2));
    p->stack32 = p->kind == GEN_FLAT || (p->kind == GEN_SEGMENTS && fuzz_one_in(f, 2));
    p->ring3 = p->kind >= GEN_FLAT && !fuzz_one_in(f, p->shape == GEN_LONG ? 8 : 3);
    p->paging = p->kind != GEN_REAL && !fuzz_one_in(f, 5);
    p->big_pages = fuzz_one_in(f, 3);
    p->io = fuzz_one_in(f, 2);
    p->wp = fuzz_one_in(f, 2);
    p->am = fuzz_one_in(f, 4);
    if (p->shape == GEN_SMC)
        p->paging = p->kind != GEN_REAL && !fuzz_one_in(f, 8);
}

static void choose_times(struct fuzz *f, struct gen_program *p)
{
    const struct shape *s = shape_of(p);

    p->rounds = (u16)(1 + fuzz_below(f, s->rounds));
    p->max_faults = s->faults + (u32)fuzz_length(f, s->faults_bits);
    p->timer = !s->rare && fuzz_one_in(f, 3) ? 0 : 24 + (u32)fuzz_length(f, s->timer_bits);
    p->nmi = fuzz_one_in(f, 4) ? 50 + (u32)fuzz_length(f, s->timer_bits) : 0;
    if (s->rare && fuzz_one_in(f, s->rare)) {
        p->timer = 2000 + (u32)fuzz_length(f, s->rare_bits);
        p->nmi = 0;
    }
    p->event_seed = fuzz_u64(f);
    p->budget = s->budget + fuzz_length(f, s->budget_bits);
    p->slice = 1 + (u32)fuzz_length(f, s->slice_bits);
    p->slice_seed = fuzz_u64(f);
}

void gen_machine(struct fuzz *f, struct gen_program *p, bool fp)
{
    if (p->shape == GEN__SHAPES)
        choose_shape(f, p);
    choose_kind(f, p);
    p->start = (u16)(PAGE_SIZE - fuzz_below(f, 1000));
    p->data_seed = fuzz_u64(f);
    choose_times(f, p);
    for (unsigned i = 0; i < 8; i++)
        p->gpr[i] = (u32)fuzz_length(f, 32);
    choose_pages(f, p);
    if (p->shape == GEN_SMC)
        choose_aliases(f, p);
    choose_flicker(f, p);
    choose_fp(f, p, fp);
}
