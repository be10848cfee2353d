/* SPDX-License-Identifier: MIT */
/*
 * Routines that are written over all the time, by random programs: opcodes that take turns,
 * immediates and displacements that are new each time, whole routines copied from one of two
 * places, the same bytes again, routines that write to others and to themselves. Two machines, with
 * and without a translator, have to end alike.
 */
#include "tests/jit/pair.h"

enum {
    ROUTINES = 6,
    SLOTS = 10, /* in a routine, of four bytes each; the last one returns */
    ROUTINE_BYTES = 4 * SLOTS,
    ROUTINES_AT = 0x1f80, /* in two pages, beside the program */
    VARIANTS_AT = 0x4000, /* two of each routine */
    TABLE_AT = 0x5000,
    TABLE_SLOTS = 64,
    DATA_AT = 0x6000, /* displacements and immediates are here: each may become the other */
    DATA_BYTES = 0x800,
    COUNTER_AT = 0x7000,
    STEPS = 24,
    SEEDS = 40,
};

struct random_program {
    u32 state;
    unsigned n;
    u8 byte[0x0f00];
};

static u32 below(struct random_program *r, u32 n)
{
    r->state = r->state * 1664525 + 1013904223;
    return (u32)((u64)(r->state >> 8) * n >> 24);
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
    return routine(below(r, ROUTINES)) + 4 * below(r, SLOTS - 1);
}

/* What may be in a slot. The word may be replaced by any in the data. DI is such a one. */
static u32 any_insn(struct random_program *r)
{
    static const u16 opcode[] = {0xc081, 0xf281, 0xd381, /* add ax, xor dx, adc bx, imm16 */
                                 0xc069, 0x0590,         /* imul ax, ax, imm16; add ax    */
                                 0x1603, 0x1e2b,         /* add dx, sub bx, [disp16]      */
                                 0x1689};                /* mov [disp16], dx              */
    u32 word = DATA_AT + below(r, DATA_BYTES);

    if (below(r, 12) == 0)
        return 0x3e89 | (any_slot(r) + 2) << 16; /* mov [a word of code], di */
    return opcode[below(r, ARRAY_LEN(opcode))] | word << 16;
}

static void load(struct pair *p, u32 at, const void *bytes, size_t n)
{
    physmem_write(p->ours->pm, at, bytes, n);
    physmem_write(p->theirs->pm, at, bytes, n);
}

static void load_routine(struct pair *p, struct random_program *r, u32 at)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        u32 insn = i + 1 < SLOTS ? any_insn(r) : 0xc3c3c3c3;
        load(p, at + 4 * i, &insn, 4);
    }
}

static void put_call(struct random_program *r, u32 i)
{
    put(r, 0xe8, 1);
    put(r, routine(i) - (PAIR_CODE + r->n + 2), 2);
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
    put_load_counter(r, 3 << 2);
    put(r, 0x66, 1);
    put_word(r, 0x848b, TABLE_AT + 4 * below(r, TABLE_SLOTS - 4)); /* mov eax, [si + table] */
    put(r, 0xa366, 2);
    put(r, any_slot(r), 2); /* mov [slot], eax */
}

static void put_overlay(struct random_program *r, u32 i)
{
    put_load_counter(r, 4);
    put(r, 0x0af66b, 3); /* imul si, si, 10: a routine has 40 bytes */
    put_word(r, 0xc681, VARIANTS_AT + 2 * i * ROUTINE_BYTES);
    put(r, 0x5157, 2); /* push di; push cx */
    put(r, 0xbf | routine(i) << 8, 3);
    put(r, 0xb9 | SLOTS << 8, 3);
    put(r, 0xa566f3, 3); /* rep movsd */
    put(r, 0x5f59, 2);
}

static void put_step(struct random_program *r, u32 here)
{
    u32 slot = any_slot(r);

    switch (below(r, 12)) {
    case 0:
        put_turns(r);
        break;
    case 1:
        put_fresh(r);
        put_word(r, 0x3e89, slot + 2); /* mov [slot + 2], di */
        break;
    case 2:
        put_overlay(r, here);
        break;
    case 3: /* the same bytes */
        put(r, 0xa166, 2), put(r, slot, 2);
        put(r, 0xa366, 2), put(r, slot, 2);
        break;
    case 4:
        put_word(r, 0x0683, COUNTER_AT); /* add word [counter], 4 */
        put(r, 4, 1);
        break;
    default:
        put_call(r, below(r, 3) ? here : below(r, ROUTINES));
        break;
    }
}

/* What each of a program's rounds does. */
static void make(struct random_program *r)
{
    u32 here = 0;

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
    put(r, 0u - (r->n + 2), 2);
    put(r, 0xf4, 1);
}

static u64 run(u32 seed)
{
    struct random_program r = {.state = seed};
    struct pair *p = pair_create(NULL);
    void *state = p;

    for (u32 i = 0; i < ROUTINES; i++) {
        load_routine(p, &r, routine(i));
        load_routine(p, &r, VARIANTS_AT + 2 * i * ROUTINE_BYTES);
        load_routine(p, &r, VARIANTS_AT + (2 * i + 1) * ROUTINE_BYTES);
    }
    for (u32 i = 0; i < TABLE_SLOTS; i++) {
        u32 insn = any_insn(&r);
        load(p, TABLE_AT + 4 * i, &insn, 4);
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
