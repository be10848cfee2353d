/* SPDX-License-Identifier: MIT */
/*
 * Writes that cross into another page: translated code makes them, however far apart the two pages
 * are on the host, and they do what the interpreter's do. Every test runs its code on two machines.
 */
#include "tests/jit/pair.h"

enum { BAILS = 400, DIRECTORY = 0x100000, TABLE = 0x101000 };

/* What linear pages 5 to 15 are: page 8 is the page table, page 11 has the code. */
static const u32 page_of[] = {
    [5] = 0x009007,  [6] = 0x003007,       [7] = 0,         [8] = TABLE | 7, [9] = 0x00a007,
    [10] = 0x005007, [11] = PAIR_CODE | 7, [12] = 0x00e005, [13] = 0x020007, [14] = 0x021007,
    [15] = 0x00f007};

static void paging_on(struct little_pc *pc)
{
    u32 entry = TABLE | 7;

    physmem_write(pc->pm, DIRECTORY, &entry, 4);
    for (u32 i = 0; i < 1024; i++) {
        entry = i >= 5 && i < ARRAY_LEN(page_of) ? page_of[i] : i << 12 | 7;
        physmem_write(pc->pm, TABLE + 4 * i, &entry, 4);
    }
    pc->cpu->cr0 |= CR0_PE | CR0_PG | CR0_WP;
    pc->cpu->cr4 |= CR4_OSFXSR;
    pc->cpu->cr3 = DIRECTORY;
    cpu_paging_changed(pc->cpu);
}

static int setup(void **state)
{
    struct pair *p = pair_create("max");

    paging_on(p->ours);
    paging_on(p->theirs);
    *state = p;
    return 0;
}

static void assert_few_bails(const struct pair *p)
{
    assert_in_range(pair_stat(p, "bail "), 1, BAILS);
}

#define RUN(p, code) pair_run(p, code, sizeof(code))

static void words_in_two_pages_are_written_by_translated_code(void **state)
{
    static const u8 code[] = {0x66, 0x89, 0x06, 0xfd, 0x5f,       /* mov [5ffdh], eax */
                              0x66, 0x01, 0x06, 0xfe, 0x5f,       /* add [5ffeh], eax */
                              0x66, 0x11, 0x1e, 0xff, 0x5f,       /* adc [5fffh], ebx */
                              0x66, 0xff, 0x06, 0xfd, 0x5f,       /* inc dword [5ffdh] */
                              0x66, 0xd1, 0x06, 0xfe, 0x5f,       /* rol dword [5ffeh], 1 */
                              0x66, 0x83, 0x1e, 0xff, 0x5f, 0xf0, /* sbb dword [5fffh], -16 */
                              0xf7, 0x1e, 0xff, 0x5f,             /* neg word [5fffh] */
                              0x66, 0x87, 0x1e, 0xfd, 0x5f,       /* xchg [5ffdh], ebx */
                              0xc7, 0x06, 0xff, 0x5f, 0x34, 0x12, /* mov word [5fffh], 1234h */
                              0x66, 0x03, 0x06, 0xfe, 0x5f,       /* add eax, [5ffeh] */
                              0x49, 0x75, 0xca,                   /* dec cx; jnz 1000h */
                              0xf4};
    struct pair *p = *state;

    assert_int_equal(RUN(p, code), CPU_EXIT_HALTED);
    assert_few_bails(p);
}

static void pushes_and_calls_may_cross_a_page(void **state)
{
    static const u8 code[] = {0xbc, 0x02, 0x60,                         /* mov sp, 6002h */
                              0x66, 0x50,                               /* push eax      */
                              0x66, 0x5b,                               /* pop ebx       */
                              0xbc, 0x01, 0x60,                         /* mov sp, 6001h */
                              0xe8, 0x04, 0x00,                         /* call .f       */
                              0x49, 0x75, 0xf0,                         /* dec cx; jnz   */
                              0xf4, 0x66, 0x05, 0x39, 0x30, 0x00, 0x00, /* .f: add eax, 12345 */
                              0xc3};
    struct pair *p = *state;

    assert_int_equal(RUN(p, code), CPU_EXIT_HALTED);
    assert_few_bails(p);
}

static void numbers_of_the_x87_and_sse_units_cross_pages(void **state)
{
    static const u8 code[] = {0xdb, 0xe3, 0xd9, 0xeb,       /* fninit; fldpi         */
                              0xd9, 0x16, 0xfe, 0x5f,       /* fst dword [5ffeh]     */
                              0xdd, 0x16, 0xf9, 0x5f,       /* fst qword [5ff9h]     */
                              0xdb, 0x3e, 0xf9, 0x5f,       /* fstp tword [5ff9h]    */
                              0x66, 0x0f, 0x6e, 0xc0,       /* movd xmm0, eax        */
                              0x0f, 0xc6, 0xc0, 0x00,       /* shufps xmm0, xmm0, 0  */
                              0x66, 0xff, 0x06, 0xf8, 0x5f, /* inc dword [5ff8h]     */
                              0x0f, 0x11, 0x06, 0xf7, 0x5f, /* movups [5ff7h], xmm0  */
                              0x0f, 0x13, 0x06, 0xfb, 0x5f, /* movlps [5ffbh], xmm0  */
                              0x49, 0x75, 0xd6, 0xf4};      /* dec cx; jnz; hlt      */
    struct pair *p = *state;

    assert_int_equal(RUN(p, code), CPU_EXIT_HALTED);
    assert_few_bails(p);
}

/* Pages that are neighbours on the host, too, need no code of their own. */
static void neighbours_are_one_piece(void **state)
{
    static const u8 code[] = {0x66, 0x89, 0x06, 0xfd, 0xdf, /* mov [dffdh], eax */
                              0x66, 0x01, 0x06, 0xfe, 0xdf, /* add [dffeh], eax */
                              0x66, 0x40, 0x49, 0x75, 0xf1, /* inc eax; dec cx; jnz 1000h */
                              0xf4};
    struct pair *p = *state;

    assert_int_equal(RUN(p, code), CPU_EXIT_HALTED);
    assert_int_equal(pair_stat(p, "bail "), 0);
}

/* Round after round it is fine, until ESI is in the last page that is there. */
static void fault_in_the_second_page_leaves_the_first_as_it_was(void **state)
{
    static const u8 code[] = {0xbe, 0xfd, 0x5f,        /* mov si, 5ffdh  */
                              0x66, 0x01, 0x04,        /* add [si], eax  */
                              0x66, 0x40,              /* inc eax        */
                              0x81, 0xf9, 0x64, 0x00,  /* cmp cx, 100    */
                              0x75, 0x03,              /* jne .on        */
                              0xbe, 0xfd, 0x6f,        /* mov si, 6ffdh  */
                              0x49, 0x75, 0xef, 0xf4}; /* .on: dec cx; jnz 1003h; hlt */
    struct pair *p = *state;
    u8 kept[3];

    physmem_read(p->theirs->pm, 0x3ffd, kept, sizeof(kept));
    assert_int_equal(RUN(p, code), CPU_EXIT_SHUTDOWN); /* there is no handler */
    assert_int_equal(p->ours->cpu->cr2, 0x7000);
    assert_memory_equal(physmem_ram(p->ours->pm) + 0x3ffd, kept, sizeof(kept));
    assert_few_bails(p);
}

static void page_that_is_read_only_faults(void **state)
{
    static const u8 code[] = {0xbe, 0xfd, 0xaf, /* mov si, affdh: the code's page is the second */
                              0x66, 0x89, 0x1c, /* mov [si], ebx */
                              0x81, 0xf9, 0x64, 0x00,  /* cmp cx, 100   */
                              0x75, 0x03,              /* jne .on       */
                              0xbe, 0xfd, 0xbf,        /* mov si, bffdh */
                              0x49, 0x75, 0xf1, 0xf4}; /* .on: dec cx; jnz 1003h; hlt */
    struct pair *p = *state;

    assert_int_equal(RUN(p, code), CPU_EXIT_SHUTDOWN);
    assert_int_equal(p->ours->cpu->cr2, 0xc000);
}

/* The last entry of the page table changes, which maps nothing that is used. */
static void second_page_may_be_a_page_table(void **state)
{
    static const u8 code[] = {0x66, 0x01, 0x06, 0xfe, 0x8f, /* add [8ffeh], eax */
                              0x66, 0x40, 0x49, 0x75, 0xf6, /* inc eax; dec cx; jnz 1000h */
                              0xf4};
    struct pair *p = *state;

    assert_int_equal(RUN(p, code), CPU_EXIT_HALTED);
    assert_few_bails(p);
}

/* The upper half of EAX is MOV DL, n at 1000h: it is another instruction each time. */
static void code_in_the_second_page_is_seen_at_once(void **state)
{
    static const u8 code[] = {0xb2, 0x00,                         /* mov dl, 0         */
                              0x01, 0xd6,                         /* add si, dx        */
                              0xeb, 0x00,                         /* jmp .next         */
                              0x66, 0xb8, 0x11, 0x22, 0xb2, 0x03, /* .next: mov eax, 03b22211h */
                              0x66, 0x01, 0xcb,                   /* add ebx, ecx      */
                              0x66, 0xc1, 0xe3, 0x18,             /* shl ebx, 24       */
                              0x66, 0x09, 0xd8,                   /* or eax, ebx       */
                              0x66, 0x89, 0x06, 0xfe, 0xaf,       /* mov [affeh], eax  */
                              0x49, 0x75, 0xe2, 0xf4};            /* dec cx; jnz; hlt  */
    struct pair *p = *state;

    assert_int_equal(RUN(p, code), CPU_EXIT_HALTED);
    assert_int_not_equal(p->ours->cpu->gpr[REG_SI], 0);
}

/* Around the end of memory nothing is plain: the limit of 64 KiB is hit before. */
static void write_across_the_segments_end_is_a_fault(void **state)
{
    static const u8 code[] = {0x66, 0x89, 0x06, 0xfe, 0xff, 0x49, 0x75, 0xf8, 0xf4};
    struct pair *p = *state;

    assert_int_equal(RUN(p, code), CPU_EXIT_SHUTDOWN);
}

/* The block at the end wrote words across pages, and then bytes: not the same instruction. */
static void bytes_are_written_where_words_crossed_before(void **state)
{
    static const u8 code[] = {
        0xb9, 0x28, 0x00,                   /* mov cx,40                 */
        0xe8, 0x1f, 0x00, 0xe2, 0xfb,       /* call x; loop              */
        0xc7, 0x06, 0x25, 0x10, 0x88, 0x04, /* mov word [x],0488h        */
        0xc6, 0x06, 0x27, 0x10, 0xc3,       /* mov byte [x+2],0c3h       */
        0xbe, 0x00, 0x90, 0xb9, 0xc8, 0x00, /* mov si,9000h; mov cx,200  */
        0xe8, 0x09, 0x00, 0xe2, 0xfb,       /* call x; loop              */
        0xbe, 0x00, 0xe0, 0xe8, 0x01, 0x00, /* mov si,0e000h; call x     */
        0xf4,                               /* hlt                       */
        0x66, 0xa3, 0xfd, 0x5f, 0xc3,       /* x: mov [5ffdh],eax; ret   */
    };
    struct pair *p = *state;

    assert_int_equal(RUN(p, code), CPU_EXIT_HALTED);
}

/* A walk sets the accessed bit in a word of the page table that was just written, and is read. */
static const u8 accessed[] = {
    0x0f, 0x01, 0x16, 0x3f, 0x10,                   /* lgdt [103fh]              */
    0xb8, 0x08, 0x00, 0x8e, 0xd8,                   /* mov ax,8; mov ds,ax: flat */
    0x66, 0xb8, 0x07, 0x00, 0x02, 0x00,             /* mov eax,20007h            */
    0x66, 0xbf, 0x34, 0x80, 0x00, 0x00,             /* mov edi,8034h: page 13's  */
    0x66, 0xbd, 0x23, 0xd1, 0x00, 0x00,             /* mov ebp,0d123h            */
    0x66, 0x67, 0x89, 0x07,                         /* again: mov [edi],eax      */
    0x66, 0x67, 0x8b, 0x1f,                         /* mov ebx,[edi]             */
    0x3e, 0x67, 0x38, 0x55, 0x00,                   /* cmp [ds:ebp],dl           */
    0x66, 0x67, 0x8b, 0x17,                         /* mov edx,[edi]             */
    0x66, 0xd1, 0xc6, 0x66, 0x31, 0xd6,             /* rol esi,1; xor esi,edx    */
    0x49, 0x75, 0xe6, 0xf4,                         /* dec cx; jnz again; hlt    */
    0xff, 0xff, 0x00, 0x00, 0x00, 0x93, 0xcf, 0x00, /* flat          */
    0x0f, 0x00, 0x2f, 0x10, 0x00, 0x00,             /* 102fh, 15     */
};

static void a_word_of_a_page_table_is_read_as_a_walk_left_it(void **state)
{
    struct pair *p = *state;

    assert_int_equal(RUN(p, accessed), CPU_EXIT_HALTED);
    assert_int_equal(p->ours->cpu->gpr[REG_DX], 0x20027);
}

/* The same, where the instruction that makes the walk has read the word before. */
static const u8 pushed[] = {
    0x0f, 0x01, 0x16, 0x35, 0x10,                   /* lgdt [1035h]              */
    0xb8, 0x08, 0x00, 0x8e, 0xd8,                   /* mov ax,8; mov ds,ax: flat */
    0x66, 0xb8, 0x07, 0x00, 0x02, 0x00,             /* mov eax,20007h            */
    0x66, 0xbf, 0x34, 0x80, 0x00, 0x00,             /* mov edi,8034h: page 13's  */
    0xbc, 0x00, 0xd2,                               /* mov sp,0d200h             */
    0x66, 0x67, 0x89, 0x07,                         /* again: mov [edi],eax      */
    0x66, 0x67, 0xff, 0x37,                         /* push dword [edi]          */
    0x66, 0x5a,                                     /* pop edx                   */
    0x66, 0xd1, 0xc6, 0x66, 0x31, 0xd6,             /* rol esi,1; xor esi,edx    */
    0x49, 0x75, 0xed, 0xf4,                         /* dec cx; jnz again; hlt    */
    0xff, 0xff, 0x00, 0x00, 0x00, 0x93, 0xcf, 0x00, /* flat          */
    0x0f, 0x00, 0x25, 0x10, 0x00, 0x00,             /* 1025h, 15     */
};

static void what_was_read_before_a_walk_is_not_read_again(void **state)
{
    struct pair *p = *state;

    assert_int_equal(RUN(p, pushed), CPU_EXIT_HALTED);
    assert_int_equal(p->ours->cpu->gpr[REG_DX], 0x20007);
}

/* A host may look up the page of several accesses in one; a write among them to the page table gives
 * those that follow another page. */
static void page_that_is_exchanged_among_accesses_is_another_at_once(void **state)
{
    static const u8 code[] = {
        0x0f, 0x01, 0x16, 0x51, 0x10,                   /* lgdt [1051h]              */
        0xea, 0x0a, 0x10, 0x08, 0x00,                   /* jmp 8:flat                */
        0xb8, 0x10, 0x00, 0x00, 0x00, 0x8e, 0xd8,       /* flat: mov eax,16; mov ds,eax */
        0x8e, 0xd0, 0x8e, 0xc0,                         /* mov ss,eax; mov es,eax    */
        0x0f, 0xb7, 0xc9,                               /* movzx ecx,cx              */
        0xb8, 0x67, 0x00, 0x02, 0x00,                   /* mov eax,20067h            */
        0xbf, 0x34, 0x80, 0x00, 0x00,                   /* mov edi,8034h: page 13's  */
        0xbe, 0x00, 0xd1, 0x00, 0x00,                   /* mov esi,0d100h            */
        0x35, 0x00, 0x10, 0x00, 0x00,                   /* again: xor eax,1000h      */
        0x89, 0x5e, 0x04, 0x89, 0x4e, 0x08,             /* mov [esi+4],ebx; mov [esi+8],ecx */
        0x89, 0x07,                                     /* mov [edi],eax             */
        0x89, 0x4e, 0x0c, 0x89, 0x5e, 0x10,             /* mov [esi+12],ecx; mov [esi+16],ebx */
        0x03, 0x5e, 0x04,                               /* add ebx,[esi+4]           */
        0x49, 0x75, 0xe7, 0xf4,                         /* dec ecx; jnz again; hlt   */
        0xff, 0xff, 0x00, 0x00, 0x00, 0x9b, 0xcf, 0x00, /* code, 32 bits */
        0xff, 0xff, 0x00, 0x00, 0x00, 0x93, 0xcf, 0x00, /* data          */
        0x17, 0x00, 0x39, 0x10, 0x00, 0x00,             /* 1039h, 23     */
    };
    struct pair *p = *state;

    assert_int_equal(RUN(p, code), CPU_EXIT_HALTED);
}

static void use_evaluator(struct pair *p)
{
    struct jit_desc d = {.cpu = p->ours->cpu, .physmem = p->ours->pm, .engine = JIT_EVAL};

    jit_destroy(p->jit);
    assert_int_equal(jit_create(&p->jit, &d), STATUS_OK);
}

static void the_evaluator_reads_it_so_too(void **state)
{
    struct pair *p = *state;

    use_evaluator(p);
    assert_int_equal(RUN(p, accessed), CPU_EXIT_HALTED);
    assert_int_equal(p->ours->cpu->gpr[REG_DX], 0x20027);
}

static void nor_does_the_evaluator_read_it_again(void **state)
{
    struct pair *p = *state;

    use_evaluator(p);
    assert_int_equal(RUN(p, pushed), CPU_EXIT_HALTED);
    assert_int_equal(p->ours->cpu->gpr[REG_DX], 0x20007);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, pair_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(words_in_two_pages_are_written_by_translated_code),
        TEST(pushes_and_calls_may_cross_a_page),
        TEST(numbers_of_the_x87_and_sse_units_cross_pages),
        TEST(neighbours_are_one_piece),
        TEST(fault_in_the_second_page_leaves_the_first_as_it_was),
        TEST(page_that_is_read_only_faults),
        TEST(second_page_may_be_a_page_table),
        TEST(code_in_the_second_page_is_seen_at_once),
        TEST(write_across_the_segments_end_is_a_fault),
        TEST(bytes_are_written_where_words_crossed_before),
        TEST(a_word_of_a_page_table_is_read_as_a_walk_left_it),
        TEST(what_was_read_before_a_walk_is_not_read_again),
        TEST(page_that_is_exchanged_among_accesses_is_another_at_once),
        TEST(the_evaluator_reads_it_so_too),
        TEST(nor_does_the_evaluator_read_it_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
