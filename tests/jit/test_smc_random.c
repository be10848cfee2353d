/* SPDX-License-Identifier: MIT */
/*
 * Routines that are written over all the time, by random programs: opcodes that take turns,
 * immediates and displacements that are new each time, whole routines copied from one of two
 * places, the same bytes again, routines that write to others and to themselves. They are called
 * under two code segments, and with SSE exceptions masked or not; what is remembered of them is
 * lost now and then. Two machines, with and without a translator, have to end alike.
 */
#include "jit/jit_private.h"
#include "tests/jit/pair.h"
#include "tests/support/rng.h"

enum {
    ROUTINES = 6,
    SLOTS = 10, /* in a routine; the last one returns */
    SLOT_BYTES = 6,
    WORD_IN_SLOT = 4, /* behind the opcode, which fills that with prefixes */
    ROUTINE_BYTES = SLOTS * SLOT_BYTES,
    ROUTINES_AT = 0x1f80, /* in two pages, beside the program */
    VARIANTS_AT = 0x4000, /* two of each routine */
    TABLE_AT = 0x5000, /* of slots, each in eight bytes */
    TABLE_SLOTS = 64,
    DATA_AT = 0x6000, /* displacements and immediates are here: each may become the other */
    DATA_BYTES = 0x800,
    COUNTER_AT = 0x7000,
    MXCSR_AT = 0x7010, /* two: all exceptions are masked; that which nothing here raises is not */
    RIVALS_AT = 0x8000,
    RIVALS_END = 0xf000,
    RIVALS = 2, /* of each routine */
    FAVOURITES = 3,
    STEPS = 32,
    SEEDS = 80,
};

struct random_program {
    u64 state;
    u32 kinds;            /* of steps that there are, as bits: where there are few, they meet */
    u32 favourite[FAVOURITES]; /* slots that are mostly written to */
    u32 rival[ROUTINES][RIVALS]; /* code that the translator has one record for, with the routine */
    unsigned n;
    u8 byte[0x0f00];
};

static u32 below(struct random_program *r, u32 n)
{
    return rng_below(&r->state, n);
}

static void put(struct random_program *r, u32 bytes, unsigned n)
{
    memcpy(r->byte + r->n, &bytes, n);
    r->n += n;
}

/* An opcode or its prefix in two bytes, and a word. */
static void put_word(struct random_program *r, u32 opcode, u32 word)
{
    put(r, opcode, 2);
    put(r, word, 2);
}

static u32 routine(u32 i)
{
    return ROUTINES_AT + i * ROUTINE_BYTES;
}

static u32 any_slot(struct random_program *r)
{
    return routine(below(r, ROUTINES)) + SLOT_BYTES * below(r, SLOTS - 1);
}

static u32 patched_slot(struct random_program *r)
{
    return below(r, 4) ? r->favourite[below(r, FAVOURITES)] : any_slot(r);
}

/* What may be in a slot. The word may be replaced by any in the data. DI is such a one. */
static u64 any_insn(struct random_program *r)
{
    static const u32 opcode[] = {
        0xc0813e3e, 0xf2813e3e, 0xd3813e3e, /* add ax, xor dx, adc bx, imm16         */
        0xc0693e3e, 0x05903e3e,             /* imul ax, ax, imm16; nop, add ax       */
        0x16033e3e, 0x1e2b3e3e,             /* add dx, sub bx, [disp16]              */
        0x16893e3e,                         /* mov [disp16], dx                      */
        0x06580ff3, 0x06590ff3, 0x065c0ff3, /* addss, mulss, subss xmm0, [disp16]    */
        0x062a0ff3, 0x06110ff3,             /* cvtsi2ss xmm0, movss [disp16], xmm0   */
    };
    u64 word = DATA_AT + below(r, DATA_BYTES);

    if (below(r, 16) == 0)
        return 0x3e893e3e | (u64)(any_slot(r) + WORD_IN_SLOT) << 32; /* mov [a word of code], di */
    return opcode[below(r, ARRAY_LEN(opcode))] | word << 32;
}

static void load(struct pair *p, u32 at, const void *bytes, size_t n)
{
    physmem_write(p->ours->pm, at, bytes, n);
    physmem_write(p->theirs->pm, at, bytes, n);
}

static void load_routine(struct pair *p, struct random_program *r, u32 at)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        u64 insn = i + 1 < SLOTS ? any_insn(r) : 0xc3c3c3c3c3c3;
        load(p, at + SLOT_BYTES * i, &insn, SLOT_BYTES);
    }
}

/* Routines at other places that push @i's record out when they are written over. */
static void load_rivals(struct pair *p, struct random_program *r, u32 i)
{
    static const u8 code[] = {0x05, 0x00, 0x60, 0xc3}; /* add ax, imm16; ret */
    u32 place = jit_place((u64)routine(i) << 2, JIT_PATCHES);
    unsigned n = 0;

    for (u32 at = RIVALS_AT; at < RIVALS_END && n < RIVALS; at += sizeof(code)) {
        if (jit_place((u64)at << 2, JIT_PATCHES) != place)
            continue;
        load(p, at, code, sizeof(code));
        r->rival[i][n++] = at;
    }
    assert_int_equal(n, RIVALS);
}

static void put_call(struct random_program *r, u32 at)
{
    put(r, 0xe8, 1);
    put(r, at - (PAIR_CODE + r->n + 2), 2);
}

/* DI = a random address in the data. */
static void put_fresh(struct random_program *r)
{
    put_word(r, 0xed69, 0x5a35); /* imul bp, bp, 5a35h */
    put_word(r, 0xc581, 0x3619); /* add bp, 3619h      */
    put(r, 0xef89, 2);           /* mov di, bp         */
    put_word(r, 0xe781, DATA_BYTES - 1);
    put_word(r, 0xcf81, DATA_AT);
}

static void put_load_counter(struct random_program *r, u32 mask)
{
    put_word(r, 0x368b, COUNTER_AT); /* mov si, [counter] */
    put_word(r, 0xe681, mask);       /* and si, mask      */
}

/* One of four instructions, the same four each time here. */
static void put_turns(struct random_program *r)
{
    u32 from = TABLE_AT + 8 * below(r, TABLE_SLOTS - 4), slot = patched_slot(r);

    put_load_counter(r, 3 << 2);
    put(r, 0xf601, 2); /* add si, si */
    put(r, 0x66, 1);
    put_word(r, 0x848b, from); /* mov eax, [si + table] */
    put(r, 0xa366, 2);
    put(r, slot, 2);                          /* mov [slot], eax       */
    put_word(r, 0x848b, from + WORD_IN_SLOT); /* mov ax, [si + table]  */
    put(r, 0xa3, 1);
    put(r, slot + WORD_IN_SLOT, 2);
}

static void put_overlay(struct random_program *r, u32 i)
{
    put_load_counter(r, 4);
    put(r, 0x0ff66b, 3); /* imul si, si, 15: a routine has 60 bytes */
    put_word(r, 0xc681, VARIANTS_AT + 2 * i * ROUTINE_BYTES);
    put(r, 0x5157, 2); /* push di; push cx */
    put(r, 0xbf | routine(i) << 8, 3);
    put(r, 0xb9 | ROUTINE_BYTES / 4 << 8, 3);
    put(r, 0xa566f3, 3); /* rep movsd */
    put(r, 0x5f59, 2);
}

/* What follows is at another EIP: in a code segment that begins elsewhere. */
static void put_segment(struct random_program *r)
{
    u32 cs = below(r, 2) << 4;

    put(r, 0xea, 1);
    put(r, PAIR_CODE + r->n + 4 - (cs << 4), 2);
    put(r, cs, 2);
}

/* A rival is written over, and worth a translation again. */
static void put_rival(struct random_program *r, u32 i)
{
    u32 at = r->rival[i][below(r, RIVALS)];

    put_word(r, 0x3e89, at + 1); /* mov [rival + 1], di */
    put(r, 0xbe | 12 << 8, 3);   /* mov si, 12          */
    put_call(r, at);
    put(r, 0x4e, 1); /* dec si; jnz */
    put(r, 0xfa75, 2);
}

enum step {
    STEP_TURNS,
    STEP_FRESH,
    STEP_OVERLAY,
    STEP_SAME,
    STEP_COUNT,
    STEP_SEGMENT,
    STEP_MASKS,
    STEP_RIVAL,
    STEP_CALL, /* and all others */
};

static void put_step(struct random_program *r, u32 here)
{
    u32 slot = patched_slot(r), kind = below(r, 16);

    switch (r->kinds >> kind & 1 ? kind : STEP_CALL) {
    case STEP_TURNS:
        put_turns(r);
        break;
    case STEP_FRESH:
        put_fresh(r);
        put_word(r, 0x3e89, slot + WORD_IN_SLOT); /* mov [slot + 4], di */
        break;
    case STEP_OVERLAY:
        put_overlay(r, here);
        break;
    case STEP_SAME: /* the same bytes */
        put(r, 0xa166, 2), put(r, slot, 2);
        put(r, 0xa366, 2), put(r, slot, 2);
        break;
    case STEP_COUNT:
        put_word(r, 0x0683, COUNTER_AT); /* add word [counter], 4 */
        put(r, 4, 1);
        break;
    case STEP_SEGMENT:
        put_segment(r);
        break;
    case STEP_MASKS:
        put(r, 0xae0f, 2); /* ldmxcsr [one of both] */
        put(r, 0x16 | (MXCSR_AT + 4 * below(r, 2)) << 8, 3);
        break;
    case STEP_RIVAL:
        put_rival(r, here);
        break;
    default:
        put_call(r, routine(below(r, 3) ? here : below(r, ROUTINES)));
        break;
    }
}

/* What each of a program's rounds does. */
static void make(struct random_program *r)
{
    u32 here = 0;

    r->kinds = below(r, 1 << 16) | below(r, 1 << 16);
    for (unsigned i = 0; i < FAVOURITES; i++)
        r->favourite[i] = any_slot(r);
    put(r, 0xe0200f, 3); /* mov eax, cr4      */
    put(r, 0x02cc80, 3); /* or ah, 2: OSFXSR  */
    put(r, 0xe0220f, 3); /* mov cr4, eax      */
    unsigned again = r->n;
    put_fresh(r);
    for (unsigned i = 0; i < STEPS; i++) {
        if (i % 6 == 0)
            here = below(r, ROUTINES);
        put_step(r, here);
    }
    put_word(r, 0x0683, COUNTER_AT);
    put(r, 4, 1);
    put(r, 0x49, 1); /* dec cx; jnz */
    put(r, 0x850f, 2);
    put(r, again - (r->n + 2), 2);
    put(r, 0xf4, 1);
}

static u64 run(u32 seed)
{
    static const u32 mxcsr[] = {0x1f80, 0x1d80}; /* ZE: nothing divides */
    struct random_program r = {.state = seed};
    struct pair *p = pair_create("max");
    void *state = p;

    load(p, MXCSR_AT, mxcsr, sizeof(mxcsr));
    for (u32 i = 0; i < ROUTINES; i++) {
        load_rivals(p, &r, i);
        load_routine(p, &r, routine(i));
        load_routine(p, &r, VARIANTS_AT + 2 * i * ROUTINE_BYTES);
        load_routine(p, &r, VARIANTS_AT + (2 * i + 1) * ROUTINE_BYTES);
    }
    for (u32 i = 0; i < TABLE_SLOTS; i++) {
        u64 insn = any_insn(&r);
        load(p, TABLE_AT + 8 * i, &insn, sizeof(insn));
    }
    make(&r);
    p->slice = seed & 1 ? 0 : 5 + seed; /* code runs out of time anywhere */
    assert_int_equal(pair_run(p, r.byte, r.n), CPU_EXIT_HALTED);
    u64 checked = pair_stat(p, "check themselves: ");
    pair_teardown(&state);
    return checked;
}

static void random_programs_end_alike(void **state)
{
    u64 checked = 0;

    (void)state;
    for (u32 seed = 1; seed <= SEEDS; seed++) {
        print_message("seed %u\n", (unsigned)seed);
        checked += run(seed);
    }
    assert_in_range(checked, 10 * SEEDS, UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_programs_end_alike)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
