/* SPDX-License-Identifier: MIT */
/* Jumps from page to page, calls and returns: once linked, they stay in generated code. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "jit/jit.h"
#include "mmu/mmu.h"
#include "tests/jit/pair.h"
#include "tests/support/check.h"

static const u8 caller[] = {
    0xb9, 0x20, 0x4e, /* mov cx,20000 */
    0xe8, 0xfa, 0x13, /* call 9000h   */
    0xe2, 0xfb,       /* loop         */
    0xf4,
};
static const u8 middle[] = {0xe9, 0xfd, 0x0f}; /* 9000h: jmp a000h    */
static const u8 callee[] = {0x40, 0xc3};       /* a000h: inc ax; ret  */

static u64 count_of(const char *text, const char *name)
{
    char key[32];

    snprintf(key, sizeof(key), " %s ", name);
    const char *at = strstr(strstr(text, "left code by"), key);
    assert_non_null(at);
    return strtoull(at + strlen(key), NULL, 10);
}

/* Run what is at CS:7c00h with a translator until it halts, with @ax in AX: it stays in code,
 * but for @least to @most indirect jumps and at most as many edges. */
static void halts_in(struct little_pc *pc, const struct jit_desc *d, u16 ax, u64 least, u64 most)
{
    char text[4096];
    struct jit *j;

    assert_int_equal(jit_create(&j, d), STATUS_OK);
    pc->cpu->rip = 0x7c00;
    assert_int_equal(little_pc_run(pc, 10000000), CPU_EXIT_HALTED);
    assert_int_equal((u16)pc->cpu->gpr[REG_AX], ax);
    jit_stats(j, text, sizeof(text));
    jit_destroy(j);
    assert_in_range(count_of(text, "edge"), 1, most);
    assert_in_range(count_of(text, "indirect"), least, most);
}

/* Wherever its blocks are: side by side, or further apart than branches reach. */
static void halts_in_code(struct little_pc *pc, u16 ax, u64 least, u64 most)
{
    const struct jit_desc near = {.cpu = pc->cpu, .physmem = pc->pm, .engine = JIT_HOST};
    struct jit_desc far = near;
    u64 gpr[ARRAY_LEN(pc->cpu->gpr)];

    if (!jit_supported())
        skip();
    memcpy(gpr, pc->cpu->gpr, sizeof(gpr));
    halts_in(pc, &near, ax, least, most);
    memcpy(pc->cpu->gpr, gpr, sizeof(gpr));
    pc->cpu->halted = false;
    far.cache_bytes = JIT_CACHE_MAX;
    far.scattered = true;
    halts_in(pc, &far, ax, least, most);
}

static void stays_in_code(struct little_pc *pc, u16 cs)
{
    u32 base = (u32)cs << 4;

    physmem_write(pc->pm, base + 0x9000, middle, sizeof(middle));
    physmem_write(pc->pm, base + 0xa000, callee, sizeof(callee));
    physmem_write(pc->pm, base + 0x7c00, caller, sizeof(caller));
    pc->cpu->seg[SEG_CS].selector = cs;
    pc->cpu->seg[SEG_CS].base = base;
    halts_in_code(pc, 20000, 1, 50);
}

static void where_linear_addresses_are_offsets(void **state)
{
    stays_in_code(*state, 0);
}

static void where_the_segment_has_a_base(void **state)
{
    stays_in_code(*state, 0x1234);
}

/* Run @code, which counts in AX up to 10000 and halts. */
static void counts_in_code(struct little_pc *pc, const u8 *code, size_t size)
{
    physmem_write(pc->pm, 0x7c00, code, size);
    pc->cpu->gpr[REG_AX] = 0;
    pc->cpu->gpr[REG_SP] = 0x7c00;
    halts_in_code(pc, 10000, 0, 100);
}

static void calls_that_nobody_returns_from(void **state)
{
    static const u8 code[] = {
        0x66, 0xb9, 0x80, 0x4f, 0x12, 0x00, /* mov ecx,1200000          */
        0xe8, 0x00, 0x00,                   /* again: call next         */
        0x5b,                               /* next: pop bx             */
        0x66, 0x49,                         /* dec ecx                  */
        0x75, 0xf8,                         /* jnz again                */
        0xb8, 0x10, 0x27,                   /* mov ax,10000             */
        0xf4,
    };

    counts_in_code(*state, code, sizeof(code));
}

/* Nearly every instruction is a call, and the host's stack too small for as many as code gets
 * instructions at a time. */
static void calls_on_a_small_stack(void **state)
{
    u8 code[80] = {0x66, 0xb9, 0x88, 0x13, 0x00, 0x00}; /* mov ecx,5000 */
    static const u8 end[] = {
        0xbc, 0x00, 0x7c, /* mov sp,7c00h  */
        0x66, 0x49,       /* dec ecx       */
        0x75, 0xbd,       /* jnz again     */
        0xb8, 0x10, 0x27, /* mov ax,10000  */
        0xf4,
    };
    struct rlimit before, small;
    size_t n = 6;

    for (; n < 66; n += 3)
        code[n] = 0xe8; /* again: call the next */
    memcpy(code + n, end, sizeof(end));
    assert_int_equal(getrlimit(RLIMIT_STACK, &before), 0);
    small = (struct rlimit){256 << 10, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_STACK, &small), 0);
    counts_in_code(*state, code, n + sizeof(end));
    assert_int_equal(setrlimit(RLIMIT_STACK, &before), 0);
}

static void recursion_deeper_than_the_stack_of_returns(void **state)
{
    static const u8 code[] = {
        0xb9, 0x10, 0x27, /* mov cx,10000   */
        0xe8, 0x01, 0x00, /* call down      */
        0xf4,             /* hlt            */
        0xe3, 0x05,       /* down: jcxz up  */
        0x49,             /* dec cx         */
        0xe8, 0xfa, 0xff, /* call down      */
        0x40,             /* inc ax         */
        0xc3,             /* up: ret        */
    };

    counts_in_code(*state, code, sizeof(code));
}

static void returns_to_where_nobody_called_from(void **state)
{
    static const u8 code[] = {
        0xb9, 0x10, 0x27, /* mov cx,10000        */
        0xe8, 0x04, 0x00, /* again: call astray  */
        0x90,             /* nop                 */
        0xe2, 0xfa,       /* here: loop again    */
        0xf4,             /* hlt                 */
        0x40,             /* astray: inc ax      */
        0x5b,             /* pop bx              */
        0x43,             /* inc bx              */
        0x53,             /* push bx             */
        0xc3,             /* ret                 */
    };

    counts_in_code(*state, code, sizeof(code));
}

/* --- the caller's page becomes another one --- */

enum {
    DIRECTORY = 0x100000,
    TABLE = 0x101000,
    SPACE = 0x2000, /* so far behind are another space's */
    FUNCTION = 0x2000,
    OTHER = 0x4000,
};

static void forget_pages(void *ctx, u16 port, u32 val, enum width w)
{
    struct little_pc *pc = ctx;

    (void)port, (void)w;
    if ((val & 3) == 3)
        mmu_flush(pc->cpu->mmu);
}

/* Linear addresses are physical ones, but that @page is at @at. Its tables are @more behind. */
static void make_space(struct little_pc *pc, u32 more, u32 page, u32 at)
{
    u32 entry = (TABLE + more) | 7;

    physmem_write(pc->pm, DIRECTORY + more, &entry, 4);
    for (u32 i = 0; i < 1024; i++) {
        entry = (i == page ? at : i << 12) | 7;
        physmem_write(pc->pm, TABLE + more + 4 * i, &entry, 4);
    }
}

/* The page table is at 8000h. Every fourth number to a port forgets pages. */
static void paging_on(struct little_pc *pc)
{
    make_space(pc, 0, 8, TABLE);
    pc->cpu->cr0 |= CR0_PE | CR0_PG;
    pc->cpu->cr3 = DIRECTORY;
    cpu_paging_changed(pc->cpu);
    pc->cpu->bus.out = forget_pages;
}

/* The function is called from a page; the other has the same code but for what comes behind the
 * call: it counts in DI instead of SI. */
static void goes_on_in_one_of_two_pages(struct pair *p, const u8 *function, size_t size)
{
    u8 code[] = {
        0xe8, 0xfd, 0x0f, /* again: call 2000h          */
        0x46,             /* inc si; there: inc di      */
        0x49,             /* dec cx                     */
        0x75, 0xf9,       /* jnz again                  */
        0xf4,
    };
    struct little_pc *pc[] = {p->ours, p->theirs};

    for (unsigned i = 0; i < 2; i++) {
        paging_on(pc[i]);
        make_space(pc[i], SPACE, PAIR_CODE >> 12, OTHER);
        physmem_write(pc[i]->pm, FUNCTION, function, size);
        code[3] = 0x47;
        physmem_write(pc[i]->pm, OTHER, code, sizeof(code));
        code[3] = 0x46;
    }
    assert_int_equal(pair_run(p, code, sizeof(code)), CPU_EXIT_HALTED);
}

/* Two of four times the function maps its caller's page to the other. Nobody notices the first
 * write: what came from that entry has been forgotten before. */
static void returns_to_a_page_that_is_another_now(void **state)
{
    static const u8 function[] = {
        0x88, 0xc8, 0xe6, 0x80,                               /* mov al,cl; out 80h,al    */
        0xf6, 0xc1, 0x02, 0x74, 0x09,                         /* test cl,2; jz .out       */
        0x66, 0x81, 0x36, 0x04, 0x80, 0x00, 0x50, 0x00, 0x00, /* xor dword [8004h],5000h  */
        0xc3,                                                 /* .out: ret                */
    };
    struct pair *p = *state;

    goes_on_in_one_of_two_pages(p, function, sizeof(function));
    assert_int_equal((u16)p->ours->cpu->gpr[REG_SI], PAIR_ROUNDS * 3 / 4);
    assert_int_equal((u16)p->ours->cpu->gpr[REG_DI], PAIR_ROUNDS / 4);
}

/* One of four times the function returns in the space where its caller's page is the other. */
static void returns_in_another_address_space(void **state)
{
    static const u8 function[] = {
        0x66, 0xb8, 0x00, 0x00, 0x10, 0x00, /* mov eax,100000h     */
        0xf6, 0xc1, 0x03, 0x75, 0x06,       /* test cl,3; jnz .set */
        0x66, 0xb8, 0x00, 0x20, 0x10, 0x00, /* mov eax,102000h     */
        0x0f, 0x22, 0xd8,                   /* .set: mov cr3,eax   */
        0xc3,                               /* ret                 */
    };
    struct pair *p = *state;

    goes_on_in_one_of_two_pages(p, function, sizeof(function));
    assert_int_equal((u16)p->ours->cpu->gpr[REG_SI], PAIR_ROUNDS * 3 / 4);
    assert_int_equal((u16)p->ours->cpu->gpr[REG_DI], PAIR_ROUNDS / 4);
}

/* --- or a segment does --- */

/* Flat, and with base 10000h. */
static const u64 gdt[] = {0, 0x00cf92000000ffff, 0x00cf92010000ffff};

/* The function loads a segment register by @load, with base 10000h one of four times, in two places:
 * the table of indirect jumps has one mode for each. What comes behind the call reads with @prefix.
 */
static void returns_under_another_mode(struct pair *p, u8 prefix, u8 load)
{
    const u8 code[] = {
        0xe8, 0x0a, 0x00,               /* again: call f           */
        prefix, 0x03, 0x36, 0x00, 0x80, /* add si,[8000h]          */
        0xd1, 0xc6,                     /* rol si,1                */
        0xe2, 0xf4,                     /* loop again              */
        0xf4,                           /* hlt                     */
        0x5b,                           /* f: pop bx               */
        0xf6, 0xc1, 0x03,               /* test cl,3               */
        0x74, 0x07,                     /* jz .other               */
        0xb8, 0x08, 0x00,               /* mov ax,8                */
        0x8e, load,                     /* mov ds,ax or mov ss,ax  */
        0x53, 0xc3,                     /* push bx; ret            */
        0xb8, 0x10, 0x00,               /* .other: mov ax,10h      */
        0x8e, load,                     /* mov ds,ax or mov ss,ax  */
        0x53, 0xc3,                     /* push bx; ret            */
    };
    static const u16 word[] = {0x0011, 0x7777};
    struct little_pc *pc[] = {p->ours, p->theirs};

    for (unsigned i = 0; i < 2; i++) {
        physmem_write(pc[i]->pm, 0x8000, &word[0], 2);
        physmem_write(pc[i]->pm, 0x18000, &word[1], 2);
        physmem_write(pc[i]->pm, 0x4000, gdt, sizeof(gdt));
        pc[i]->cpu->gdtr = (struct table_reg){0x4000, sizeof(gdt) - 1};
        pc[i]->cpu->cr0 |= CR0_PE;
    }
    assert_int_equal(pair_run(p, code, sizeof(code)), CPU_EXIT_HALTED);
    assert_int_not_equal((u16)p->ours->cpu->gpr[REG_SI], 0);
}

static void returns_with_another_data_segment(void **state)
{
    returns_under_another_mode(*state, 0x3e, 0xd8);
}

static void returns_with_another_stack_segment(void **state)
{
    returns_under_another_mode(*state, 0x36, 0xd0);
}

static int pair_setup(void **state)
{
    *state = pair_create("max");
    return 0;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, little_pc_setup, little_pc_teardown)
#define P(f) cmocka_unit_test_setup_teardown(f, pair_setup, pair_teardown)
    const struct CMUnitTest tests[] = {
        T(where_linear_addresses_are_offsets),  T(where_the_segment_has_a_base),
        T(calls_that_nobody_returns_from),      T(calls_on_a_small_stack),
        T(recursion_deeper_than_the_stack_of_returns),
        T(returns_to_where_nobody_called_from),
        P(returns_to_a_page_that_is_another_now),
        P(returns_in_another_address_space),
        P(returns_with_another_data_segment),
        P(returns_with_another_stack_segment),
    };
    return cmocka_run_group_tests_name("jumps", tests, NULL, NULL);
}
