/* SPDX-License-Identifier: MIT */
/*
 * Code that is written over: what the interpreter does is done, and no more work goes into it than
 * it is worth. Every test runs its code on two machines.
 */
#include "cpu/icache.h"
#include "tests/jit/pair.h"

static int setup(void **state)
{
    *state = pair_create(NULL);
    return 0;
}

static void load(struct pair *p, u32 at, const u8 *bytes, size_t n)
{
    physmem_write(p->ours->pm, at, bytes, n);
    physmem_write(p->theirs->pm, at, bytes, n);
}

#define RUN(p, code)      pair_run(p, code, sizeof(code))
#define LOAD(p, at, code) load(p, at, code, sizeof(code))

/* ADC and CMP by turns. */
static const u8 turns[] = {0x34, 0x28,       /* xor al, 28h      */
                           0xa2, 0x00, 0x11, /* mov [1100h], al  */
                           0xe8, 0xf8, 0x00, /* call 1100h       */
                           0x49, 0x75, 0xf5, /* dec cx; jnz      */
                           0xf4};
static const u8 turned[] = {0x01, 0xda, 0xc3}; /* add dx, bx; ret  */

static void code_is_written_over_without_leaving_code(void **state)
{
    struct pair *p = *state;

    LOAD(p, 0x1100, turned);
    assert_int_equal(RUN(p, turns), CPU_EXIT_HALTED);
    assert_in_range(pair_stat(p, "bail "), 0, 50);
}

static void code_that_comes_back_checks_itself(void **state)
{
    struct pair *p = *state;

    LOAD(p, 0x1100, turned);
    assert_int_equal(RUN(p, turns), CPU_EXIT_HALTED);
    assert_in_range(pair_stat(p, "check themselves: "), 2, 4); /* both versions */
    assert_in_range(pair_stat(p, "dropped, "), 0, 50); /* revived */
    assert_in_range(pair_stat(p, "links, "), 0, 50);   /* unlinked */
    assert_in_range(pair_stat(p, "unlinks\njit: "), 0, 200); /* block runs interpreted */
    assert_in_range(pair_stat(p, " edge "), 0, 200);          /* one version leads to the other */
}

/* No longer than it is worth that: overlays run for long as they are. */
static void code_that_stays_does_not_check_itself_for_ever(void **state)
{
    static const u8 code[] = {0x81, 0xf9, 0x6c, 0x07, /* cmp cx, PAIR_ROUNDS - 100 */
                              0x72, 0x05,             /* jb 100bh                  */
                              0x34, 0x28,             /* xor al, 28h               */
                              0xa2, 0x00, 0x11,       /* mov [1100h], al           */
                              0xe8, 0xf2, 0x00,       /* call 1100h                */
                              0x49, 0x75, 0xef,       /* dec cx; jnz 1000h         */
                              0xbe, 0xa0, 0x00,       /* mov si, 160               */
                              0x49, 0x75, 0xfd,       /* dec cx; jnz 1014h         */
                              0x4e, 0x75, 0xfa,       /* dec si; jnz 1014h         */
                              0xf4};
    struct pair *p = *state;
    struct icache *ic = p->ours->cpu->icache;

    LOAD(p, 0x1100, turned);
    p->slice = 30000000;
    assert_int_equal(RUN(p, code), CPU_EXIT_HALTED);
    assert_in_range(pair_stat(p, "check themselves: "), 2, 4);
    assert_int_equal(icache_versions(ic, 0x1100 << 2), 0);
}

/* Two constants in two instructions, written in one: no immediate that is read anew. */
static const u8 fresh[] = {0x66, 0x69, 0xdb, 0x6d, 0x4e, 0xc6, 0x41, /* imul ebx, ebx, 41c64e6dh */
                           0x66, 0x43,                               /* inc ebx                */
                           0x66, 0x89, 0xd8,                         /* mov eax, ebx           */
                           0x66, 0x25, 0x00, 0xff, 0x00, 0xff,       /* and eax, ff00ff00h     */
                           0x66, 0x0d, 0xb2, 0x00, 0xb6, 0x00,       /* or eax, 00b600b2h      */
                           0x66, 0xa3, 0x00, 0x11,                   /* mov [1100h], eax       */
                           0xbe, 0x0a, 0x00,                         /* mov si, 10             */
                           0xe8, 0xde, 0x00,                         /* call 1100h             */
                           0x49, 0x75, 0xdb,                         /* dec cx; jnz 1000h      */
                           0x31, 0xf6, 0xe8, 0xd6, 0x00,             /* xor si, si; call 1100h */
                           0x31, 0xf6, 0xe8, 0xd1, 0x00,             /* likewise               */
                           0xf4};
static const u8 freshened[] = {0xb2, 0x00, 0xb6, 0x00, /* mov dl, 0; mov dh, 0 */
                               0x01, 0xd5,             /* add bp, dx           */
                               0x4e, 0x75, 0xf7,       /* dec si; jnz 1100h    */
                               0xc3};

static void code_that_is_new_each_time_is_not_translated_each_time(void **state)
{
    struct pair *p = *state;

    LOAD(p, 0x1100, freshened);
    assert_int_equal(RUN(p, fresh), CPU_EXIT_HALTED);
    assert_in_range(pair_stat(p, "\njit: "), 1, 100); /* blocks */
}

/* At the end what was there last runs 131072 times. */
static void code_that_stays_is_translated_after_all(void **state)
{
    struct pair *p = *state;

    LOAD(p, 0x1100, freshened);
    assert_int_equal(RUN(p, fresh), CPU_EXIT_HALTED);
    assert_in_range(pair_stat(p, "unlinks\njit: "), 1, 12 * PAIR_ROUNDS + 30000);
}

static void displacement_that_is_another_each_time_is_a_variable(void **state)
{
    static const u8 code[] = {0x66, 0x69, 0xdb, 0x6d,
                              0x4e, 0xc6, 0x41, /* imul ebx, ebx, 41c64e6dh */
                              0x66, 0x43,       /* inc ebx              */
                              0x89, 0xd8,       /* mov ax, bx           */
                              0x25, 0xff, 0x0f, /* and ax, 0fffh        */
                              0x05, 0x00, 0x20, /* add ax, 2000h        */
                              0xa3, 0x02, 0x11, /* mov [1102h], ax      */
                              0xbe, 0x32, 0x00, /* mov si, 50           */
                              0xe8, 0xe6, 0x00, /* call 1100h           */
                              0x49, 0x75, 0xe3, /* dec cx; jnz 1000h    */
                              0xf4};
    static const u8 patched[] = {0x03, 0x97, 0x00, 0x00, /* add dx, [bx + 0]; the 0 changes */
                                 0x2b, 0x54, 0x10,       /* sub dx, [si + 16] */
                                 0x4e, 0x75, 0xf6,       /* dec si; jnz 1100h */
                                 0xc3};
    struct pair *p = *state;
    u8 bytes[4096];

    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (u8)(i * i >> 5);
    LOAD(p, 0x2000, bytes);
    LOAD(p, 0x1100, patched);
    assert_int_equal(RUN(p, code), CPU_EXIT_HALTED);
    assert_in_range(pair_stat(p, "\njit: "), 1, 100);                    /* blocks */
    assert_in_range(pair_stat(p, "unlinks\njit: "), 1, 2 * PAIR_ROUNDS); /* runs interpreted */
}

static void next_instruction_is_another_at_once(void **state)
{
    static const u8 code[] = {0xa2, 0x05, 0x10, /* mov [1005h], al */
                              0x80, 0xc2, 0x00, /* add dl, 0       */
                              0x04, 0x07,       /* add al, 7       */
                              0x49, 0x75, 0xf5, /* dec cx; jnz     */
                              0xf4};
    struct pair *p = *state;

    assert_int_equal(RUN(p, code), CPU_EXIT_HALTED);
    assert_int_not_equal(p->ours->cpu->gpr[REG_DX] & 0xff, 0);
}

/* A routine whose displacement is a variable in one mode, and not in the other, where its executor
 * takes it. Where the modes change the displacement is another one for long, so that it runs out of
 * time once. */
static const u8 two_modes[] = {
    0x0f, 0x20, 0xe0,             /* mov eax, cr4               */
    0x80, 0xcc, 0x02,             /* or ah, 2: OSFXSR           */
    0x0f, 0x22, 0xe0,             /* mov cr4, eax               */
    0x0f, 0x57, 0xc0,             /* xorps xmm0, xmm0           */
    0x66, 0xc7, 0x06, 0x00, 0x30, /* mov dword [3000h], 1f80h   */
    0x80, 0x1f, 0x00, 0x00,       /*                            */
    0x66, 0xc7, 0x06, 0x04, 0x30, /* mov dword [3004h], 1d80h   */
    0x80, 0x1d, 0x00, 0x00,       /*                            */
    0x89, 0xc8,                   /* mov ax, cx                 */
    0x83, 0xe0, 0x03,             /* and ax, 3                  */
    0xc1, 0xe0, 0x04,             /* shl ax, 4                  */
    0x05, 0x00, 0x20,             /* add ax, 2000h              */
    0xa3, 0x04, 0x11,             /* mov [1104h], ax            */
    0xe8, 0xd1, 0x00,             /* call 1100h                 */
    0x49, 0x75, 0xec,             /* dec cx; jnz                */
    0xc7, 0x06, 0x04, 0x11,       /* mov word [1104h], 2000h    */
    0x00, 0x20,                   /*                            */
    0x0f, 0xae, 0x16, 0x04, 0x30, /* ldmxcsr [3004h]            */
    0xb9, 0xc8, 0x00,             /* mov cx, 200                */
    0xe8, 0xbd, 0x00,             /* call 1100h                 */
    0x49, 0x75, 0xfa,             /* dec cx; jnz                */
    0x0f, 0xae, 0x16, 0x00, 0x30, /* ldmxcsr [3000h]            */
    0xc7, 0x06, 0x04, 0x11,       /* mov word [1104h], 2010h    */
    0x10, 0x20,                   /*                            */
    0xb9, 0xb8, 0x0b,             /* mov cx, 3000               */
    0xe8, 0xa9, 0x00,             /* call 1100h                 */
    0x49, 0x75, 0xfa,             /* dec cx; jnz                */
    0x0f, 0xae, 0x16, 0x04, 0x30, /* ldmxcsr [3004h]            */
    0xc7, 0x06, 0x04, 0x11,       /* mov word [1104h], 2010h or */
    0x10, 0x20,                   /* (TWO_MODES_LAST) 2000h     */
    0xb9, 0x32, 0x00,             /* mov cx, 50                 */
    0xe8, 0x95, 0x00,             /* call 1100h                 */
    0x49, 0x75, 0xfa,             /* dec cx; jnz                */
    0xf3, 0x0f, 0x11, 0x06,       /* movss [3008h], xmm0        */
    0x08, 0x30, 0xf4,
};
enum { TWO_MODES_LAST = 0x63 };

static void run_two_modes(u8 last)
{
    static const u8 routine[] = {0xf3, 0x0f, 0x58, 0x06, 0x00, 0x20, 0xc3}; /* addss; ret */
    u8 code[sizeof(two_modes)];

    memcpy(code, two_modes, sizeof(code));
    code[TWO_MODES_LAST] = last;
    for (u32 slice = 998; slice <= 1002; slice++) {
        struct pair *p = pair_create("max");
        void *state = p;
        for (u32 i = 0; i < 4; i++) {
            float f = 1.5f + (float)i;
            physmem_write(p->ours->pm, 0x2000 + 16 * i, &f, sizeof(f));
            physmem_write(p->theirs->pm, 0x2000 + 16 * i, &f, sizeof(f));
        }
        LOAD(p, 0x1100, routine);
        p->slice = slice;
        assert_int_equal(RUN(p, code), CPU_EXIT_HALTED);
        assert_in_range(pair_stat(p, "check themselves: "), 1, 100);
        pair_teardown(&state);
    }
}

static void what_one_mode_holds_for_a_constant_is_compared_in_all(void **state)
{
    (void)state;
    run_two_modes(0x00);
}

static void a_version_that_refuses_is_not_found_again(void **state)
{
    (void)state;
    run_two_modes(0x10);
}

/* With A20 off, what runs at 103000h is at 3000h, where it is written over. */
static void code_above_1m_is_written_over_below(void **state)
{
    static const u8 code[] = {
        0xb9, 0x64, 0x00, 0x31, 0xf6, /* mov cx,100; xor si,si     */
        0x9a, 0x10, 0x30, 0xff, 0xff, /* next: call 0ffffh:3010h   */
        0xff, 0x06, 0x01, 0x30,       /* inc word [3001h]          */
        0x01, 0xc6, 0xe2, 0xf3, 0xf4, /* add si,ax; loop next; hlt */
    };
    static const u8 callee[] = {0xb8, 0x01, 0x00, 0xcb}; /* mov ax,1; retf */
    struct pair *p = *state;

    physmem_set_a20(p->ours->pm, false);
    physmem_set_a20(p->theirs->pm, false);
    LOAD(p, 0x3000, callee);
    assert_int_equal(RUN(p, code), CPU_EXIT_HALTED);
    assert_int_equal(p->ours->cpu->gpr[REG_SI] & 0xffff, 5050);
}

/* What no code of ours should do: the decoder finds @b where its translation says that it is not. */
static void mistake_another_page_for_the_next(struct block *b, struct cpu *cpu, u32 page)
{
    mmu_view(cpu->mmu)->cur.exec[page] = page + 2;
    b->tail = page + 2;
}

static void code_that_refuses_by_mistake_is_interpreted(void **state)
{
    static const u8 code[] = {0xe9, 0xfc, 0x0f,                    /* jmp 1fffh */
                              [0xfff] = 0xb8, 0x34, 0x12,          /* mov ax, 1234h */
                              0x49, 0x74, 0x03, 0xe9, 0xf8, 0xef,  /* dec cx; jz 2008h; jmp 1000h */
                              0xf4};
    static const u8 hlt = 0xf4;
    struct pair *p = *state;
    struct cpu *cpu = p->ours->cpu;

    assert_int_equal(RUN(p, code), CPU_EXIT_HALTED);
    struct block *b = icache_at(cpu, 0x1fff, 0);
    assert_int_equal(b->tail, 3);
    assert_non_null(b->code);
    mistake_another_page_for_the_next(b, cpu, 2);
    load(p, 0x3002, &hlt, 1);
    cpu->gpr[REG_AX] = 0;
    cpu->halted = false;
    cpu->rip = 0x1fff;
    assert_int_equal(little_pc_run(p->ours, 1000), CPU_EXIT_HALTED);
    assert_int_equal(cpu->gpr[REG_AX], 0x1234);
    assert_int_equal(cpu->rip, 0x2003);
}

/* An instruction that is the next of @many each time. */
static void run_turns(struct pair *p, u8 many)
{
    static const u8 opcode[] = {0x01, 0x09, 0x11, 0x19, 0x21, 0x29, 0x31, 0x89}; /* add ... mov */
    static const u8 modrm[] = {0xc2, 0xc3, 0xc5, 0xd3, 0xd5, 0xda}; /* of DX, BX and BP      */
    const u8 code[] = {0x47,                   /* inc di               */
                       0x83, 0xff, many,      /* cmp di, many        */
                       0x72, 0x02,             /* jb 1008h             */
                       0x31, 0xff,             /* xor di, di           */
                       0x89, 0xfe,             /* mov si, di           */
                       0x01, 0xf6,             /* add si, si           */
                       0x8b, 0x84, 0x00, 0x20, /* mov ax, [si + 2000h] */
                       0xa3, 0x00, 0x11,       /* mov [1100h], ax      */
                       0xe8, 0xea, 0x00,       /* call 1100h           */
                       0x49, 0x75, 0xe7,       /* dec cx; jnz 1000h    */
                       0xf4};
    static const u8 routine[] = {0x90, 0x90, 0xc3};

    for (u32 i = 0; i < many; i++) {
        const u8 insn[] = {opcode[i % 8], modrm[i / 8]};
        LOAD(p, 0x2000 + 2 * i, insn);
    }
    LOAD(p, 0x1100, routine);
    assert_int_equal(RUN(p, code), CPU_EXIT_HALTED);
}

static void as_many_turns_as_versions_are_not_interpreted(void **state)
{
    struct pair *p = *state;

    run_turns(p, 32);
    assert_int_equal(pair_stat(p, "check themselves: "), 32);
    assert_in_range(pair_stat(p, "unlinks\njit: "), 1, PAIR_ROUNDS / 4); /* runs interpreted */
}

static void a_version_that_misses_has_not_run(void **state)
{
    struct pair *p = *state;
    struct jit_desc d = {
        .cpu = p->ours->cpu, .physmem = p->ours->pm, .engine = JIT_HOST, .count = true};

    if (!jit_supported())
        skip();
    jit_destroy(p->jit);
    assert_int_equal(jit_create(&p->jit, &d), STATUS_OK);
    run_turns(p, 8);
    assert_in_range(pair_stat(p, "executed "), PAIR_ROUNDS, 5 * PAIR_ROUNDS); /* blocks */
}

/* Some have a check and some have none, and not all give way to the next. */
static void more_turns_than_versions_are_not_all_interpreted(void **state)
{
    struct pair *p = *state;

    run_turns(p, 40);
    assert_int_equal(pair_stat(p, "check themselves: "), 32);
    assert_in_range(pair_stat(p, "unlinks\njit: "), 1, PAIR_ROUNDS / 2);
}

/* Beside a version is what cannot have a check, and stays. */
static void what_is_watched_is_reached_through_versions(void **state)
{
    static const u8 code[] = {0x81, 0xf9, 0xb1, 0x07,             /* cmp cx, PAIR_ROUNDS - 31 */
                              0x72, 0x15,                         /* jb 101bh                 */
                              0x66, 0xa1, 0x00, 0x11,             /* mov eax, [1100h]         */
                              0x66, 0x35, 0x8f, 0x1f, 0x47, 0x1d, /* xor eax, 1d471f8fh       */
                              0x66, 0xa3, 0x00, 0x11,             /* mov [1100h], eax         */
                              0x80, 0x36, 0x04, 0x11, 0x53,       /* xor byte [1104h], 53h    */
                              0xeb, 0x00,                         /* jmp 101bh                */
                              0xe8, 0xe2, 0x00,                   /* call 1100h               */
                              0x49, 0x75, 0xdf,                   /* dec cx; jnz 1000h        */
                              0xf4};
    /* mov es, cx; add si, bx; ret; by turns with add si, bx; inc si; ret */
    static const u8 routine[] = {0x8e, 0xc1, 0x01, 0xde, 0xc3};
    struct pair *p = *state;

    LOAD(p, 0x1100, routine);
    assert_int_equal(RUN(p, code), CPU_EXIT_HALTED);
    assert_in_range(pair_stat(p, "check themselves: "), 1, 2);
    assert_in_range(pair_stat(p, " edge "), 0, 200);
}

/* A call that leaves flags, to a version that sets them anew; behind it is one that uses them. The
 * call was translated when the first was watched, and did not see the other. */
static void flags_are_there_when_a_version_leads_to_one_that_looks(void **state)
{
    static const u8 code[] = {
        0xbe, 0x28, 0x00,                         /* mov si, 40              */
        0xe8, 0x7a, 0x00,                         /* call 1080h              */
        0x4e, 0x75, 0xfa,                         /* dec si; jnz 1003h       */
        0xbf, 0x14, 0x00,                         /* mov di, 20              */
        0x80, 0x36, 0x00, 0x11, 0x10,             /* xor byte [1100h], 10h   */
        0xbe, 0x0a, 0x00,                         /* mov si, 10              */
        0xbd, 0x00, 0x11, 0xff, 0xd5,             /* mov bp, 1100h; call bp  */
        0x4e, 0x75, 0xfb,                         /* dec si; jnz 1017h       */
        0x4f, 0x75, 0xed,                         /* dec di; jnz 100ch       */
        0xbe, 0x32, 0x00,                         /* mov si, 50              */
        0xe8, 0x5b, 0x00,                         /* call 1080h              */
        0x4e, 0x75, 0xfa,                         /* dec si; jnz 1022h       */
        0x80, 0x36, 0x00, 0x11, 0x10,             /* xor byte [1100h], 10h   */
        0xbe, 0x64, 0x00,                         /* mov si, 100             */
        0x40, 0xe8, 0x4c, 0x00,                   /* inc ax; call 1080h      */
        0x4e, 0x75, 0xf9,                         /* dec si; jnz 1030h       */
        0xf4,                                     /*                         */
        [0x80] = 0x3d, 0x40, 0x22, 0xe9, 0x7a, 0x00, /* cmp ax, 2240h; jmp 1100h */
    };
    struct pair *p = *state;

    LOAD(p, 0x1100, turned);
    assert_int_equal(RUN(p, code), CPU_EXIT_HALTED);
    assert_int_equal(pair_stat(p, "check themselves: "), 2);
}

/* 140 places by turns, and at each of them another function each time: they are worth no checks, of
 * which there are 4096 for all. */
static void what_is_never_the_same_is_not_given_check_after_check(void **state)
{
    static const u8 code[] = {
        0xb9, 0xc8,0x00, 0xbf, 0x00, 0x20,       /* mov cx,200; ring: mov di,2000h */
        0x89, 0xca, 0xbd, 0x03, 0x00,             /* place: mov dx,cx; mov bp,3     */
        0x88, 0xd0, 0x24, 0x07, 0xc0, 0xe0, 0x03, /* next: mov al,dl; and al,7; shl al,3 */
        0x0c, 0x01, 0xb4, 0xd8, 0xab,             /* or al,1; mov ah,0d8h; stosw    */
        0xc1, 0xea, 0x03, 0x4d, 0x75, 0xee,       /* shr dx,3; dec bp; jnz next     */
        0xb0, 0xc3, 0xaa, 0x8d, 0x5d, 0xf9,       /* mov al,0c3h; stosb; lea bx,[di-7] */
        0xff, 0xd3, 0xff, 0xd3, 0xff, 0xd3,       /* call bx; call bx; call bx      */
        0x51, 0xb9, 0xc8, 0x00, 0xe2, 0xfe, 0x59, /* push cx; mov cx,200; loop $; pop cx */
        0x83, 0xc7, 0x09, 0x81, 0xff, 0xc0, 0x28, /* add di,9; cmp di,28c0h         */
        0x72, 0xcd, 0x49, 0x75, 0xc7, 0xf4,       /* jb place; dec cx; jnz ring; hlt */
    };
    struct pair *p = *state;

    p->slice = 1000000;
    assert_int_equal(RUN(p, code), CPU_EXIT_HALTED);
assert_in_range(pair_stat(p, "check themselves: "), 4096, 6000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, pair_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(flags_are_there_when_a_version_leads_to_one_that_looks),
        TEST(code_is_written_over_without_leaving_code),
        TEST(code_that_comes_back_checks_itself),
        TEST(code_that_stays_does_not_check_itself_for_ever),
        TEST(code_that_is_new_each_time_is_not_translated_each_time),
        TEST(code_that_stays_is_translated_after_all),
        TEST(displacement_that_is_another_each_time_is_a_variable),
        TEST(next_instruction_is_another_at_once),
        TEST(code_above_1m_is_written_over_below),
        TEST(what_is_never_the_same_is_not_given_check_after_check),
        TEST(as_many_turns_as_versions_are_not_interpreted),
        TEST(a_version_that_misses_has_not_run),
        TEST(more_turns_than_versions_are_not_all_interpreted),
        TEST(what_is_watched_is_reached_through_versions),
        TEST(code_that_refuses_by_mistake_is_interpreted),
        cmocka_unit_test(what_one_mode_holds_for_a_constant_is_compared_in_all),
        cmocka_unit_test(a_version_that_refuses_is_not_found_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
