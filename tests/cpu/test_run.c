/* SPDX-License-Identifier: MIT */
/* The run loop: blocks, faults, interrupts, shadows, self-modification, exact counts. */
#include "cpu/cpu.h"
#include "cpu/flags.h"
#include "tests/support/check.h"
#include "tests/support/little_pc.h"

static void a_loop_retires_an_exact_count(void **state)
{
    struct little_pc *pc = *state;
    static const u8 code[] = {
        0xb9, 0x0a, 0x00, /* mov cx,10 */
        0x40,             /* inc ax    */
        0xe2, 0xfd,       /* loop -3   */
        0xf4,             /* hlt       */
    };

    little_pc_load(pc, 0x7c00, code, sizeof(code));
    assert_int_equal(little_pc_run(pc, 1000), CPU_EXIT_HALTED);
    assert_int_equal(pc->cpu->gpr[REG_AX], 10);
    assert_int_equal(clock_retired(&pc->clock), 1 + 20 + 1);
}

static void the_budget_ends_inside_a_block(void **state)
{
    struct little_pc *pc = *state;
    static const u8 code[] = {0x40, 0x40, 0x40, 0x40, 0x40, 0xf4};

    little_pc_load(pc, 0x7c00, code, sizeof(code));
    assert_int_equal(little_pc_run(pc, 3), CPU_EXIT_BUDGET);
    assert_int_equal(pc->cpu->gpr[REG_AX], 3);
    assert_int_equal(pc->cpu->rip, 0x7c03);
    assert_int_equal(little_pc_run(pc, 100), CPU_EXIT_HALTED);
    assert_int_equal(pc->cpu->gpr[REG_AX], 5);
}

static void code_that_patches_the_next_instruction_sees_it(void **state)
{
    struct little_pc *pc = *state;
    static const u8 code[] = {
        0xb0, 0x43,                   /* mov al,43h (inc bx)    */
        0xa2, 0x05, 0x7c,             /* mov [7c05h],al         */
        0x90,                         /* nop -> inc bx          */
        0x4b, 0x43, 0x43,             /* dec bx; inc bx; inc bx */
        0xc6, 0x06, 0x00, 0x7d, 0xf4, /* mov byte [7d00],0f4h   */
        0xe9, 0xef, 0x00,             /* jmp 7d00h              */
    };

    little_pc_load(pc, 0x7c00, code, sizeof(code));
    assert_int_equal(little_pc_run(pc, 100), CPU_EXIT_HALTED);
    assert_int_equal((u16)pc->cpu->gpr[REG_BX], 2);
}

static void a_rep_string_counts_its_iterations_and_can_be_interrupted(void **state)
{
    struct little_pc *pc = *state;
    static const u8 code[] = {
        0xb9, 0x64, 0x00, /* mov cx,100    */
        0xbf, 0x00, 0x90, /* mov di,9000h  */
        0xb0, 0x55,       /* mov al,55h    */
        0xf3, 0xaa,       /* rep stosb     */
        0xf4,
    };

    little_pc_load(pc, 0x7c00, code, sizeof(code));
    assert_int_equal(little_pc_run(pc, 13), CPU_EXIT_BUDGET);
    assert_int_equal((u16)pc->cpu->gpr[REG_CX], 90);
    assert_int_equal(pc->cpu->rip, 0x7c08);
    assert_int_equal(little_pc_run(pc, 1000), CPU_EXIT_HALTED);
    assert_int_equal(clock_retired(&pc->clock), 3 + 100 + 1);
    assert_int_equal(physmem_load(pc->pm, 0x9063, 1), 0x55);
    assert_int_equal(physmem_load(pc->pm, 0x9064, 1), 0);
}

/* Random programs found that it went on to its end where no block was watched: with alignment
 * checks, or where its page is not in the MMU's table yet, as at the start. Nobody noticed, unless
 * a slice ended there. */
static void a_rep_string_that_overwrites_itself_ends_there(void **state)
{
    struct little_pc *pc = *state;
    static const u8 code[] = {0xf3, 0xaa, 0xf4}; /* rep stosb; hlt: nop; stosb; hlt */

    little_pc_load(pc, 0x7c00, code, sizeof(code));
    pc->cpu->gpr[REG_AX] = 0x90;
    pc->cpu->gpr[REG_CX] = 10;
    pc->cpu->gpr[REG_DI] = 0x7c00;
    assert_int_equal(little_pc_run(pc, 3), CPU_EXIT_BUDGET);
    assert_int_equal(pc->cpu->gpr[REG_CX], 9);
    assert_int_equal(pc->cpu->gpr[REG_DI], 0x7c02);
    assert_int_equal(pc->cpu->rip, 0x7c02);
}

static void division_by_zero_goes_through_the_ivt(void **state)
{
    struct little_pc *pc = *state;
    static const u8 code[] = {0x31, 0xc9, 0xf7, 0xf1}; /* xor cx,cx; div cx */
    static const u8 handler[] = {0xb8, 0x34, 0x12, 0xf4};

    little_pc_load(pc, 0x7c00, code, sizeof(code));
    little_pc_load(pc, 0x8000, handler, sizeof(handler));
    pc->cpu->rip = 0x7c00;
    physmem_store(pc->pm, 0, 0x8000, 4);
    assert_int_equal(little_pc_run(pc, 100), CPU_EXIT_HALTED);
    assert_int_equal((u16)pc->cpu->gpr[REG_AX], 0x1234);
    /* the frame: IP of the DIV itself */
    assert_int_equal(physmem_load(pc->pm, 0x7000 - 6, 2), 0x7c02);
}

static void sti_shadows_one_instruction(void **state)
{
    struct little_pc *pc = *state;
    static const u8 code[] = {0xfb, 0x40, 0x40, 0xf4}; /* sti; inc ax; inc ax; hlt */
    static const u8 handler[] = {0x89, 0xc3, 0xf4};    /* mov bx,ax; hlt */

    little_pc_load(pc, 0x7c00, code, sizeof(code));
    little_pc_load(pc, 0x8000, handler, sizeof(handler));
    pc->cpu->rip = 0x7c00;
    physmem_store(pc->pm, 8 * 4, 0x8000, 4);
    pc->vector = 8;
    cpu_set_intr(pc->cpu, true);
    assert_int_equal(little_pc_run(pc, 100), CPU_EXIT_HALTED);
    assert_int_equal((u16)pc->cpu->gpr[REG_BX], 1);
}

static void the_trap_flag_traps_after_one_instruction(void **state)
{
    struct little_pc *pc = *state;
    static const u8 code[] = {
        0x68, 0x02, 0x01, 0x9d, /* push 102h; popf */
        0x40, 0x40, 0xf4,       /* inc ax (trap) ...  */
    };
    static const u8 handler[] = {0x89, 0xc3, 0xf4};

    little_pc_load(pc, 0x7c00, code, sizeof(code));
    little_pc_load(pc, 0x8000, handler, sizeof(handler));
    pc->cpu->rip = 0x7c00;
    physmem_store(pc->pm, 4, 0x8000, 4);
    assert_int_equal(little_pc_run(pc, 100), CPU_EXIT_HALTED);
    assert_int_equal((u16)pc->cpu->gpr[REG_BX], 1);
    assert_true(pc->cpu->dr[6] & BIT(14));
}

static void a_triple_fault_shuts_down(void **state)
{
    struct little_pc *pc = *state;
    static const u8 code[] = {
        0x0f, 0x01, 0x1e, 0x00, 0x60, /* lidt [6000h]: limit 0 */
        0xcc,
    };

    little_pc_load(pc, 0x7c00, code, sizeof(code));
    assert_int_equal(little_pc_run(pc, 100), CPU_EXIT_SHUTDOWN);
}

/* Random programs found that the interpreter went on to the end of its block, and other engines and
 * other slices not as far: the walk for the next instruction must come at once. */
static void code_that_unmaps_itself_does_not_go_on(void **state)
{
    struct little_pc *pc = *state;
    static const u8 code[] = {
        0xeb, 0x00,                   /* jmp +0: what follows is one block       */
        0xc6, 0x06, 0x1c, 0x30, 0x00, /* mov byte [301ch],0: the entry of page 7 */
        0x40, 0x40, 0xf4,             /* inc ax; inc ax; hlt                     */
    };
    u32 entry = 0x3000 | 3;

    little_pc_load(pc, 0x7c00, code, sizeof(code));
    physmem_write(pc->pm, 0x2000, &entry, 4);
    for (u32 i = 0; i < 1024; i++) {
        entry = i << 12 | 3;
        physmem_write(pc->pm, 0x3000 + 4 * i, &entry, 4);
    }
    pc->cpu->cr0 |= CR0_PE | CR0_PG;
    pc->cpu->cr3 = 0x2000;
    cpu_paging_changed(pc->cpu);
    assert_int_equal(little_pc_run(pc, 100), CPU_EXIT_SHUTDOWN); /* there is no IDT */
    assert_int_equal(pc->cpu->gpr[REG_AX], 0);
    assert_int_equal(pc->cpu->cr2, 0x7c07);
}

static void handlers_that_fault_for_ever_do_not_stop_time(void **state)
{
    struct little_pc *pc = *state;
    static const u8 code[] = {0x0f, 0x0b}; /* ud2, which its handler is too */

    little_pc_load(pc, 0x7c00, code, sizeof(code));
    physmem_store(pc->pm, 6 * 4, 0x7c00, 4);
    assert_int_equal(little_pc_run(pc, 1000), CPU_EXIT_BUDGET);
    assert_int_equal(clock_retired(&pc->clock), 1000);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, little_pc_setup, little_pc_teardown)
    const struct CMUnitTest tests[] = {
        T(a_loop_retires_an_exact_count),
        T(the_budget_ends_inside_a_block),
        T(code_that_patches_the_next_instruction_sees_it),
        T(a_rep_string_counts_its_iterations_and_can_be_interrupted),
        T(a_rep_string_that_overwrites_itself_ends_there),
        T(division_by_zero_goes_through_the_ivt),
        T(sti_shadows_one_instruction),
        T(the_trap_flag_traps_after_one_instruction),
        T(a_triple_fault_shuts_down),
        T(code_that_unmaps_itself_does_not_go_on),
        T(handlers_that_fault_for_ever_do_not_stop_time),
    };
    return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
