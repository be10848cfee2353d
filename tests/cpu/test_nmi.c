/* SPDX-License-Identifier: MIT */
/* Non-maskable interrupts [SDM 3A §6.7, §6.8.3, Table 6-2] on the wire itself, at any instruction.
 * Guests raise them by a local APIC: tests/metal/apic.asm, ioapic.asm. */
#include "tests/support/little_pc.h"

enum { CODE = 0x7c00, ON_NMI = 0x8000, ON_INTR = 0x8100, ON_UD = 0x8200, STACK = 0x7000 };

static void load(struct little_pc *pc, u32 vector, u32 at, const void *code, size_t n)
{
    little_pc_load(pc, at, code, n);
    physmem_store(pc->pm, vector * 4, at, 4);
    pc->cpu->rip = CODE;
}

static u16 stacked(const struct little_pc *pc, unsigned below)
{
    return (u16)physmem_load(pc->pm, STACK - below, 2);
}

static u16 reg(const struct little_pc *pc, unsigned r)
{
    return (u16)pc->cpu->gpr[r];
}

static const u8 inc_bx_iret[] = {0x43, 0xcf};
static const u8 inc_cx_iret[] = {0x41, 0xcf};

static void it_is_taken_with_interrupts_off(void **state)
{
    struct little_pc *pc = *state;
    static const u8 code[] = {0xfa, 0x40, 0x40, 0xf4}; /* cli; inc ax; inc ax; hlt */

    little_pc_load(pc, CODE, code, sizeof(code));
    load(pc, 2, ON_NMI, inc_bx_iret, sizeof(inc_bx_iret));
    assert_int_equal(little_pc_run(pc, 2), CPU_EXIT_BUDGET);
    cpu_nmi(pc->cpu);
    assert_int_equal(little_pc_run(pc, 100), CPU_EXIT_HALTED);
    assert_int_equal(reg(pc, REG_BX), 1);
    assert_int_equal(reg(pc, REG_AX), 2);
    assert_int_equal(stacked(pc, 6), CODE + 2);
}

static void the_next_one_waits_for_iret_and_only_one_waits(void **state)
{
    struct little_pc *pc = *state;
    static const u8 code[] = {0x90, 0x90, 0xf4};
    static const u8 handler[] = {0x43, 0x90, 0x90, 0xcf}; /* inc bx; nop; nop; iret */

    little_pc_load(pc, CODE, code, sizeof(code));
    load(pc, 2, ON_NMI, handler, sizeof(handler));
    cpu_nmi(pc->cpu);
    assert_int_equal(little_pc_run(pc, 2), CPU_EXIT_BUDGET); /* delivery, inc */
    cpu_nmi(pc->cpu);
    cpu_nmi(pc->cpu);
    cpu_nmi(pc->cpu);
    assert_int_equal(little_pc_run(pc, 2), CPU_EXIT_BUDGET);
    assert_int_equal(reg(pc, REG_BX), 1); /* still in the first one */
    assert_int_equal(reg(pc, REG_SP), STACK - 6);
    assert_int_equal(little_pc_run(pc, 100), CPU_EXIT_HALTED);
    assert_int_equal(reg(pc, REG_BX), 2);
}

static void iret_of_another_handler_unmasks_it_too(void **state)
{
    struct little_pc *pc = *state;
    static const u8 code[] = {0x90, 0xf4};
    static const u8 handler[] = {0x43, 0x0f, 0x0b, 0x90, 0xcf}; /* inc bx; ud2; nop; iret */
    static const u8 skip[] = {0x5a, 0x42, 0x42, 0x52, 0xcf};    /* pop dx; dx += 2; push dx; iret */

    little_pc_load(pc, CODE, code, sizeof(code));
    little_pc_load(pc, ON_UD, skip, sizeof(skip));
    physmem_store(pc->pm, 6 * 4, ON_UD, 4);
    load(pc, 2, ON_NMI, handler, sizeof(handler));
    cpu_nmi(pc->cpu);
    assert_int_equal(little_pc_run(pc, 2), CPU_EXIT_BUDGET);
    cpu_nmi(pc->cpu);
    /* #UD, its five instructions, then the second NMI: inside the first one's handler */
    assert_int_equal(little_pc_run(pc, 1 + 5 + 2), CPU_EXIT_BUDGET);
    assert_int_equal(reg(pc, REG_BX), 2);
    assert_int_equal(reg(pc, REG_SP), STACK - 12);
    assert_int_equal(little_pc_run(pc, 100), CPU_EXIT_HALTED);
}

static void it_waits_behind_mov_ss(void **state)
{
    struct little_pc *pc = *state;
    static const u8 code[] = {
        0x31, 0xc0,       /* xor ax,ax    */
        0x8e, 0xd0,       /* mov ss,ax    */
        0xbc, 0x00, 0x60, /* mov sp,6000h */
        0x90, 0xf4,
    };

    little_pc_load(pc, CODE, code, sizeof(code));
    load(pc, 2, ON_NMI, inc_bx_iret, sizeof(inc_bx_iret));
    assert_int_equal(little_pc_run(pc, 2), CPU_EXIT_BUDGET);
    cpu_nmi(pc->cpu);
    assert_int_equal(little_pc_run(pc, 100), CPU_EXIT_HALTED);
    assert_int_equal(reg(pc, REG_BX), 1);
    assert_int_equal(physmem_load(pc->pm, 0x6000 - 6, 2), CODE + 7); /* on the new stack */
}

static void it_does_not_wait_behind_sti(void **state)
{
    struct little_pc *pc = *state;
    static const u8 code[] = {0xfb, 0x40, 0xfa, 0xf4}; /* sti; inc ax; cli; hlt */

    little_pc_load(pc, CODE, code, sizeof(code));
    little_pc_load(pc, ON_INTR, inc_cx_iret, sizeof(inc_cx_iret));
    physmem_store(pc->pm, 8 * 4, ON_INTR, 4);
    load(pc, 2, ON_NMI, inc_bx_iret, sizeof(inc_bx_iret));
    assert_int_equal(little_pc_run(pc, 1), CPU_EXIT_BUDGET);
    cpu_nmi(pc->cpu);
    assert_int_equal(little_pc_run(pc, 100), CPU_EXIT_HALTED);
    assert_int_equal(reg(pc, REG_BX), 1);
    assert_int_equal(stacked(pc, 6), CODE + 1);
}

static void it_wakes_a_halt_that_nothing_else_would(void **state)
{
    struct little_pc *pc = *state;
    static const u8 code[] = {0xfa, 0xf4, 0x40, 0xf4}; /* cli; hlt; inc ax; hlt */

    little_pc_load(pc, CODE, code, sizeof(code));
    load(pc, 2, ON_NMI, inc_bx_iret, sizeof(inc_bx_iret));
    assert_int_equal(little_pc_run(pc, 100), CPU_EXIT_HALTED);
    cpu_nmi(pc->cpu);
    assert_int_equal(little_pc_run(pc, 100), CPU_EXIT_HALTED);
    assert_int_equal(reg(pc, REG_BX), 1);
    assert_int_equal(reg(pc, REG_AX), 1);
    assert_int_equal(stacked(pc, 6), CODE + 2); /* behind the HLT */
}

static void it_comes_before_an_interrupt(void **state)
{
    struct little_pc *pc = *state;
    static const u8 code[] = {0xfb, 0x90, 0x90, 0xfa, 0xf4}; /* sti; nop; nop; cli; hlt */
    static const u8 handler[] = {0x89, 0xce, 0x43, 0xcf};    /* mov si,cx; inc bx; iret */

    little_pc_load(pc, CODE, code, sizeof(code));
    little_pc_load(pc, ON_INTR, inc_cx_iret, sizeof(inc_cx_iret));
    physmem_store(pc->pm, 8 * 4, ON_INTR, 4);
    load(pc, 2, ON_NMI, handler, sizeof(handler));
    pc->vector = 8;
    assert_int_equal(little_pc_run(pc, 2), CPU_EXIT_BUDGET);
    cpu_set_intr(pc->cpu, true);
    cpu_nmi(pc->cpu);
    assert_int_equal(little_pc_run(pc, 100), CPU_EXIT_HALTED);
    assert_int_equal(reg(pc, REG_BX), 1);
    assert_int_equal(reg(pc, REG_CX), 1);
    assert_int_equal(reg(pc, REG_SI), 0); /* the interrupt had not been served */
}

static void int_2_does_not_mask_it(void **state)
{
    struct little_pc *pc = *state;
    static const u8 code[] = {0xcd, 0x02, 0xf4}; /* int 2; hlt */
    static const u8 handler[] = {0x43, 0x90, 0xcf};

    little_pc_load(pc, CODE, code, sizeof(code));
    load(pc, 2, ON_NMI, handler, sizeof(handler));
    assert_int_equal(little_pc_run(pc, 1), CPU_EXIT_BUDGET);
    cpu_nmi(pc->cpu);
    assert_int_equal(little_pc_run(pc, 2), CPU_EXIT_BUDGET); /* delivery, inc: nested */
    assert_int_equal(reg(pc, REG_BX), 1);
    assert_int_equal(reg(pc, REG_SP), STACK - 12);
    assert_int_equal(little_pc_run(pc, 100), CPU_EXIT_HALTED);
    assert_int_equal(reg(pc, REG_BX), 2);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, little_pc_setup, little_pc_teardown)
    const struct CMUnitTest tests[] = {
        T(it_is_taken_with_interrupts_off),
        T(the_next_one_waits_for_iret_and_only_one_waits),
        T(iret_of_another_handler_unmasks_it_too),
        T(it_waits_behind_mov_ss),
        T(it_does_not_wait_behind_sti),
        T(it_wakes_a_halt_that_nothing_else_would),
        T(it_comes_before_an_interrupt),
        T(int_2_does_not_mask_it),
    };
    return cmocka_run_group_tests_name("nmi", tests, NULL, NULL);
}
