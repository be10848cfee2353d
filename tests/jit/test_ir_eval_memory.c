/* SPDX-License-Identifier: MIT */
/* The evaluator of the intermediate form: memory, segments, executors, and how blocks end. */
#include "cpu/decode.h"
#include "cpu/flags.h"
#include "cpu/segment.h"
#include "tests/jit/ir_text.h"
#include "tests/support/little_pc.h"

static unsigned answered; /* accesses that the device of this test saw */

static enum ir_result eval(struct little_pc *pc, const char *operations)
{
    static struct ir_block b;
    unsigned g, at;

    ir_text_one(&b, operations);
    const char *wrong = ir_verify(&b, &at);
    if (wrong)
        fail_msg("%s: %s", operations, wrong);
    pc->cpu->rip = 0x77;
    enum ir_result r = ir_eval(pc->cpu, &b, &g);
    assert_int_equal(g, r == IR_DONE ? 1 : 0);
    assert_int_equal(pc->cpu->rip, r == IR_DONE ? 0x1002 : 0x1000);
    return r;
}

/* Paging on: the first 4 MiB are themselves, but page 40h is absent and 41h read-only. The tables
 * are at 100000h; the directory was accessed. */
static void paging_on(struct little_pc *pc)
{
    u32 entry = 0x101000 | 0x27;

    physmem_write(pc->pm, 0x100000, &entry, 4);
    for (u32 i = 0; i < 1024; i++) {
        entry = i << 12 | (i == 0x40 ? 0 : i == 0x41 ? 5 : 7);
        physmem_write(pc->pm, 0x101000 + 4 * i, &entry, 4);
    }
    pc->cpu->cr0 |= CR0_PE | CR0_PG | CR0_WP;
    pc->cpu->cr3 = 0x100000;
    cpu_paging_changed(pc->cpu);
}

static u32 page_entry(struct little_pc *pc, u32 page)
{
    u32 entry;

    physmem_read(pc->pm, 0x101000 + 4 * page, &entry, 4);
    return entry;
}

static void set_page_entry(struct little_pc *pc, u32 page, u32 entry)
{
    physmem_write(pc->pm, 0x101000 + 4 * page, &entry, 4);
}

static u64 device_read(void *ctx, phys_addr off, unsigned size)
{
    (void)ctx, (void)off, (void)size;
    answered++;
    return 0;
}

static void device_write(void *ctx, phys_addr off, u64 val, unsigned size)
{
    (void)ctx, (void)off, (void)val, (void)size;
    answered++;
}

/* --- memory --- */

static void loads_and_stores_move_bytes_of_their_width(void **state)
{
    struct little_pc *pc = *state;
    u32 v = 0x44332211;

    physmem_write(pc->pm, 0x5001, &v, 4);
    pc->cpu->gpr[REG_BX] = 0x5001;
    pc->cpu->gpr[REG_AX] = 0xffffffff;
    assert_int_equal(eval(pc, "ld.8 t0, [r3]\nmov.8 r0, t0"), IR_DONE);
    assert_int_equal(pc->cpu->gpr[REG_AX], 0xffffff11);
    assert_int_equal(eval(pc, "ld.16 r0, [r3]"), IR_DONE);
    assert_int_equal(pc->cpu->gpr[REG_AX], 0xffff2211);
    assert_int_equal(eval(pc, "ld.32 r0, [r3]"), IR_DONE);
    assert_int_equal(pc->cpu->gpr[REG_AX], 0x44332211);
    assert_int_equal(eval(pc, "st.16 [r3], 0x9988"), IR_DONE);
    physmem_read(pc->pm, 0x5001, &v, 4);
    assert_int_equal(v, 0x44339988);
}

static void a_modified_word_is_written_back_where_it_was_read(void **state)
{
    struct little_pc *pc = *state;
    u32 v = 0x00ff00ff;

    physmem_write(pc->pm, 0x5000, &v, 4);
    pc->cpu->gpr[REG_BX] = 0x5000;
    assert_int_equal(eval(pc, "ldw.16 t0, [r3]\nadd.16 t1, t0, 0x1\nstw.16 t1\nmov.32 r3, 0x6000"),
                     IR_DONE);
    physmem_read(pc->pm, 0x5000, &v, 4);
    assert_int_equal(v, 0x00ff0100);
}

static void what_crosses_a_page_bails(void **state)
{
    struct little_pc *pc = *state;

    pc->cpu->gpr[REG_BX] = 0x5ffd;
    assert_int_equal(eval(pc, "ld.32 r0, [r3]"), IR_BAILED);
    assert_int_equal(eval(pc, "ldw.32 t0, [r3]\nstw.32 t0"), IR_BAILED);
    assert_int_equal(eval(pc, "st.32 [r3], 0x1"), IR_BAILED);
    assert_int_equal(eval(pc, "ld.16 r0, [r3]"), IR_DONE);
}

static void a_page_fault_bails_and_is_not_recorded(void **state)
{
    struct little_pc *pc = *state;
    struct fault before = pc->cpu->fault;

    paging_on(pc);
    pc->cpu->gpr[REG_BX] = 0x40000;
    assert_int_equal(eval(pc, "ld.8 r0, [r3]"), IR_BAILED);
    pc->cpu->gpr[REG_BX] = 0x41000;
    assert_int_equal(eval(pc, "st.8 [r3], 0x1"), IR_BAILED);
    assert_int_equal(eval(pc, "ldw.8 t0, [r3]\nstw.8 t0"), IR_BAILED);
    set_page_entry(pc, 0x41, 0x41025);
    assert_int_equal(eval(pc, "ld.8 r0, [r3]"), IR_DONE);
    assert_memory_equal(&before, &pc->cpu->fault, sizeof(before));
}

static void first_touches_are_left_to_the_interpreter(void **state)
{
    struct little_pc *pc = *state;

    paging_on(pc);
    pc->cpu->gpr[REG_BX] = 0x50000;
    assert_int_equal(page_entry(pc, 0x50), 0x50007);
    assert_int_equal(eval(pc, "ld.8 r0, [r3]"), IR_BAILED);
    assert_int_equal(page_entry(pc, 0x50), 0x50007);
    set_page_entry(pc, 0x50, 0x50027);
    assert_int_equal(eval(pc, "ld.8 r0, [r3]"), IR_DONE);
    assert_int_equal(eval(pc, "st.8 [r3], 0x1"), IR_BAILED);
    assert_int_equal(page_entry(pc, 0x50), 0x50027);
    set_page_entry(pc, 0x50, 0x50067);
    assert_int_equal(eval(pc, "st.8 [r3], 0x1"), IR_DONE);
}

/* What is in no table yet may fail the alignment check, which comes first. */
static void with_alignment_checks_possible_a_first_touch_bails(void **state)
{
    struct little_pc *pc = *state;

    paging_on(pc);
    set_page_entry(pc, 0x50, 0x50027);
    pc->cpu->eflags |= FL_AC;
    pc->cpu->gpr[REG_BX] = 0x50001;
    assert_int_equal(eval(pc, "ld.32 r0, [r3]"), IR_BAILED);
    pc->cpu->eflags &= ~FL_AC;
    assert_int_equal(eval(pc, "ld.32 r0, [r3]"), IR_DONE);
}

static void devices_are_left_to_the_interpreter(void **state)
{
    static const struct mmio_ops ops = {device_read, device_write, 4};
    struct little_pc *pc = *state;

    answered = 0;
    assert_int_equal(physmem_map_mmio(pc->pm, 0x42000, 0x1000, &ops, NULL), STATUS_OK);
    pc->cpu->gpr[REG_BX] = 0x42000;
    assert_int_equal(eval(pc, "ld.8 r0, [r3]"), IR_BAILED);
    assert_int_equal(eval(pc, "st.8 [r3], 0x1"), IR_BAILED);
    assert_int_equal(answered, 0);
}

static void pages_with_code_are_read_but_not_written(void **state)
{
    struct little_pc *pc = *state;

    mmu_watch_code(pc->cpu->mmu, 0x5000);
    pc->cpu->gpr[REG_BX] = 0x5000;
    assert_int_equal(eval(pc, "ld.8 r0, [r3]"), IR_DONE);
    assert_int_equal(eval(pc, "st.8 [r3], 0x1"), IR_BAILED);
    assert_int_equal(eval(pc, "ldw.8 t0, [r3]\nstw.8 t0"), IR_BAILED);
    mmu_unwatch_code(pc->cpu->mmu, 0x5000);
    assert_int_equal(eval(pc, "st.8 [r3], 0x1"), IR_DONE);
}

/* --- segments --- */

static void offsets_become_linear_addresses_inside_the_limit(void **state)
{
    struct little_pc *pc = *state;
    struct segment *s = &pc->cpu->seg[SEG_FS];

    s->base = 0xfffff000;
    s->lo = 0x10;
    s->hi = 0x1fff;
    s->perm = SEG_PERM_R;
    pc->cpu->gpr[REG_BX] = 0xffff1ffc;
    assert_int_equal(eval(pc, "seglin.32 r0, r3, fs, 0x4"), IR_BAILED);
    pc->cpu->gpr[REG_BX] = 0x1ffc;
    assert_int_equal(eval(pc, "seglin.32 r0, r3, fs, 0x4"), IR_DONE);
    assert_int_equal(pc->cpu->gpr[REG_AX], 0x0ffc); /* round 4 GiB */
    assert_int_equal(eval(pc, "seglin.32 r0, r3, fs, 0x14"), IR_BAILED);
    pc->cpu->gpr[REG_BX] = 0x1ffd;
    assert_int_equal(eval(pc, "seglin.32 r0, r3, fs, 0x4"), IR_BAILED);
    assert_int_equal(eval(pc, "seglin.32 r0, r3, fs, 0x2"), IR_DONE);
    pc->cpu->gpr[REG_BX] = 0xf;
    assert_int_equal(eval(pc, "seglin.32 r0, r3, fs, 0x1"), IR_BAILED);
    s->perm = SEG_PERM_R | SEG_PERM_W;
    pc->cpu->gpr[REG_BX] = 0x10;
    assert_int_equal(eval(pc, "seglin.32 r0, r3, fs, 0x18"), IR_DONE);
    s->perm = 0;
    assert_int_equal(eval(pc, "seglin.32 r0, r3, fs, 0x1"), IR_BAILED);
}

static void a_quotient_that_does_not_fit_bails_before_anything_changed(void **state)
{
    struct little_pc *pc = *state;

    pc->cpu->gpr[REG_AX] = 0x1234;
    pc->cpu->gpr[REG_BX] = 0;
    assert_int_equal(eval(pc, "divu.8 r3"), IR_BAILED);
    pc->cpu->gpr[REG_BX] = 0x12;
    assert_int_equal(eval(pc, "divu.8 r3"), IR_BAILED);
    assert_int_equal(pc->cpu->gpr[REG_AX], 0x1234);
    pc->cpu->gpr[REG_BX] = 0x13;
    assert_int_equal(eval(pc, "divu.8 r3"), IR_DONE);
    assert_int_equal(pc->cpu->gpr[REG_AX], 0x1234 % 0x13 << 8 | 0x1234 / 0x13);
}

/* --- exits --- */

static void jumps_go_where_they_say(void **state)
{
    static const struct {
        const char *exit;
        u32 cx, to;
    } cases[] = {
        {"jmp 0xfffffffe", 0, 0xfffffffe},         {"jmpr r1, ret", 0x12345678, 0x12345678},
        {"brz.32 r1, 1, 0x2000", 0, 0x2000},       {"brz.32 r1, 1, 0x2000", 0x10000, 0x1010},
        {"brz.32 r1, 0, 0x2000", 0, 0x1010},       {"brz.32 r1, 0, 0x2000", 1, 0x2000},
        {"brz.16 r1, 1, 0x2000", 0x10000, 0x2000},
    };
    static struct ir_block b;
    struct cpu *cpu = ((struct little_pc *)*state)->cpu;
    unsigned g;

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        char lines[64];
        snprintf(lines, sizeof(lines), "@0 0x1000\n%s", cases[i].exit);
        ir_text_parse(&b, lines);
        cpu->gpr[REG_CX] = cases[i].cx;
        assert_int_equal(ir_eval(cpu, &b, &g), IR_DONE);
        assert_int_equal(cpu->rip, cases[i].to);
        assert_int_equal(g, 1);
    }
}

/* --- executors --- */

/* Three guest instructions at 1000h, 1001h and 1003h: INC EAX, the one of @bytes, INC EAX. */
static enum ir_result eval_exec(struct cpu *cpu, const char *bytes, unsigned n, bool leave,
                                unsigned *g)
{
    static struct ir_block b;
    struct insn guest[3];
    struct decode_table *t;
    unsigned at;

    ir_text_parse(&b, leave ? "@0 0x1000\ninc.32 r0, r0\n@1 0x1001\nexec\nleave"
                            : "@0 0x1000\ninc.32 r0, r0\n@1 0x1001\nexec\n@2 0x1003\n"
                              "inc.32 r0, r0\njmp 0x1004");
    assert_null(ir_verify(&b, &at));
    if (leave)
        b.at[2] = 0x1003;
    assert_int_equal(decode_table_create(&t, DECODE_ALL_FEATURES), STATUS_OK);
    assert_int_equal(decode(t, (const u8 *)bytes, n, MODE_CS32, &guest[1]), DECODE_OK);
    decode_table_destroy(t);
    b.guest = guest;
    cpu->gpr[REG_AX] = 0;
    if (!cpu->clock->left)
        clock_begin(cpu->clock, 100);
    return ir_eval(cpu, &b, g);
}

static void an_executor_runs_with_the_addresses_of_its_instruction(void **state)
{
    struct cpu *cpu = ((struct little_pc *)*state)->cpu;
    unsigned g;

    assert_int_equal(eval_exec(cpu, "\x88\xc2", 2, false, &g), IR_DONE); /* MOV DL, AL */
    assert_int_equal(g, 3);
    assert_int_equal(cpu->gpr[REG_DX] & 0xff, 1);
    assert_int_equal(cpu->gpr[REG_AX], 2);
    assert_int_equal(cpu->rip, 0x1004);
}

static void a_fault_of_an_executor_is_handed_on(void **state)
{
    struct cpu *cpu = ((struct little_pc *)*state)->cpu;
    unsigned g;

    cpu->gpr[REG_DX] = 0;
    assert_int_equal(eval_exec(cpu, "\xf6\xf2", 2, false, &g), IR_FAULTED); /* DIV DL */
    assert_int_equal(g, 1);
    assert_int_equal(cpu->fault.vector, 0);
    assert_int_equal(cpu->rip, 0x1001);
    assert_int_equal(cpu->gpr[REG_AX], 1);
}

static void what_the_run_loop_must_see_stops_the_block(void **state)
{
    static const struct {
        const char *bytes;
        u32 rip;
    } cases[] = {
        {"\xfb", 0x1003},     /* STI: the interrupt shadow */
        {"\xf4", 0x1003},     /* HLT                       */
        {"\xeb\x10", 0x1013}, /* JMP                       */
    };
    struct cpu *cpu = ((struct little_pc *)*state)->cpu;
    unsigned g;

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        flags_put(cpu, 0);
        assert_int_equal(eval_exec(cpu, cases[i].bytes, 2, false, &g), IR_STOPPED);
        assert_int_equal(g, 2);
        assert_int_equal(cpu->rip, cases[i].rip);
        assert_int_equal(cpu->gpr[REG_AX], 1);
        cpu->inhibit = 0;
        cpu->halted = false;
    }
    cpu->attention = ATTN_CODE;
    assert_int_equal(eval_exec(cpu, "\x90", 1, false, &g), IR_STOPPED);
    assert_int_equal(cpu->rip, 0x1003);
}

/* RDTSC of one cycle an instruction: INC EAX before it has retired, it has not. */
static void executors_see_the_clock_of_their_instruction(void **state)
{
    struct little_pc *pc = *state;
    unsigned g;

    clock_begin(&pc->clock, 100);
    assert_int_equal(eval_exec(pc->cpu, "\x0f\x31", 2, true, &g), IR_DONE);
    assert_int_equal(pc->cpu->gpr[REG_AX], 1);
    assert_int_equal(clock_retired(&pc->clock), 2);
    assert_int_equal(eval_exec(pc->cpu, "\x0f\x31", 2, false, &g), IR_DONE);
    assert_int_equal(pc->cpu->gpr[REG_AX], 4);
    assert_int_equal(clock_retired(&pc->clock), 5);
}

/* A port may arm a timer that is due before the block's end. */
static void an_executor_that_shortens_the_slice_stops_the_block(void **state)
{
    struct little_pc *pc = *state;
    struct cpu *cpu = pc->cpu;
    unsigned g;

    clock_begin(&pc->clock, 2);
    assert_int_equal(eval_exec(cpu, "\x88\xc2", 2, false, &g), IR_STOPPED);
    assert_int_equal(g, 2);
    assert_int_equal(cpu->rip, 0x1003);
    assert_int_equal(pc->clock.left, 0);
}

static void leave_asks_the_run_loop_in_any_case(void **state)
{
    struct cpu *cpu = ((struct little_pc *)*state)->cpu;
    unsigned g;

    assert_int_equal(eval_exec(cpu, "\xeb\x10", 2, true, &g), IR_DONE);
    assert_int_equal(g, 2);
    assert_int_equal(cpu->rip, 0x1013);
    assert_int_equal(eval_exec(cpu, "\x90", 1, true, &g), IR_DONE);
    assert_int_equal(cpu->rip, 0x1003);
}

/* Operations of x87 instructions could raise it from then on, and say nothing of flags there. */
static void unmasking_an_x87_exception_stops_the_block(void **state)
{
    static const u16 all = 0x37f, but_one = 0x37e;
    struct little_pc *pc = *state;
    struct cpu *cpu = pc->cpu;
    unsigned g;

    cpu->x87.control = all;
    cpu->gpr[REG_BX] = cpu->gpr[REG_DI] = 0x5000;
    physmem_write(pc->pm, 0x5000, &all, sizeof(all));
    assert_int_equal(eval_exec(cpu, "\xd9\x2f", 2, false, &g), IR_DONE); /* FLDCW [BX] or [EDI] */
    physmem_write(pc->pm, 0x5000, &but_one, sizeof(but_one));
    assert_int_equal(eval_exec(cpu, "\xd9\x2f", 2, false, &g), IR_STOPPED);
    assert_int_equal(g, 2);
}

static void unmasking_an_sse_exception_stops_the_block(void **state)
{
    static const u32 all = 0x1f80, but_one = 0x1f00;
    struct little_pc *pc = *state;
    struct cpu *cpu = pc->cpu;
    unsigned g;

    cpu->cr4 |= CR4_OSFXSR;
    cpu->sse.mxcsr = all;
    cpu->gpr[REG_DI] = 0x5000;
    physmem_write(pc->pm, 0x5000, &all, sizeof(all));
    assert_int_equal(eval_exec(cpu, "\x0f\xae\x17", 3, false, &g), IR_DONE); /* LDMXCSR [EDI] */
    physmem_write(pc->pm, 0x5000, &but_one, sizeof(but_one));
    assert_int_equal(eval_exec(cpu, "\x0f\xae\x17", 3, false, &g), IR_STOPPED);
    assert_int_equal(g, 2);
}

static void what_came_before_a_bail_stays_done(void **state)
{
    static struct ir_block b;
    struct cpu *cpu = ((struct little_pc *)*state)->cpu;
    unsigned g;

    ir_text_parse(&b, "@0 0x1000\nmov.32 r0, 0x5\n@1 0x1005\n@2 0x1006\nld.32 r2, [r3]\n"
                      "jmp 0x1010");
    cpu->gpr[REG_BX] = 0xfff;
    assert_int_equal(ir_eval(cpu, &b, &g), IR_BAILED);
    assert_int_equal(g, 2);
    assert_int_equal(cpu->rip, 0x1006);
    assert_int_equal(cpu->gpr[REG_AX], 5);
}

/* CMP AX, BX, of which nothing is left because AND sets all flags again; FDIV; AND. */
static void a_unit_that_may_not_be_used_bails_before_what_has_no_operations(void **state)
{
    static struct ir_block b;
    struct little_pc *pc = *state;
    struct insn guest[3] = {0};
    struct decode_table *t;
    unsigned g, at;

    ir_text_parse(&b, "@0 0x1000\n@1 0x1002\nfp\n@2 0x1004\n"
                      "and.32 r2, r2, 0x7 ; def CPAZSO\njmp 0x1007");
    assert_null(ir_verify(&b, &at));
    assert_int_equal(decode_table_create(&t, DECODE_ALL_FEATURES), STATUS_OK);
    assert_int_equal(decode(t, (const u8 *)"\xd8\xf2", 2, MODE_CS32, &guest[1]), DECODE_OK);
    decode_table_destroy(t);
    b.guest = guest;
    pc->cpu->cr0 |= CR0_TS;
    clock_begin(pc->cpu->clock, 100);
    assert_int_equal(ir_eval(pc->cpu, &b, &g), IR_BAILED);
    assert_int_equal(g, 0);
    assert_int_equal(pc->cpu->rip, 0x1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, little_pc_setup, little_pc_teardown)
        TEST(loads_and_stores_move_bytes_of_their_width),
        TEST(a_modified_word_is_written_back_where_it_was_read),
        TEST(what_crosses_a_page_bails),
        TEST(a_page_fault_bails_and_is_not_recorded),
        TEST(first_touches_are_left_to_the_interpreter),
        TEST(with_alignment_checks_possible_a_first_touch_bails),
        TEST(devices_are_left_to_the_interpreter),
        TEST(pages_with_code_are_read_but_not_written),
        TEST(offsets_become_linear_addresses_inside_the_limit),
        TEST(a_quotient_that_does_not_fit_bails_before_anything_changed),
        TEST(jumps_go_where_they_say),
        TEST(an_executor_runs_with_the_addresses_of_its_instruction),
        TEST(a_fault_of_an_executor_is_handed_on),
        TEST(what_the_run_loop_must_see_stops_the_block),
        TEST(executors_see_the_clock_of_their_instruction),
        TEST(an_executor_that_shortens_the_slice_stops_the_block),
        TEST(leave_asks_the_run_loop_in_any_case),
        TEST(unmasking_an_x87_exception_stops_the_block),
        TEST(unmasking_an_sse_exception_stops_the_block),
        TEST(what_came_before_a_bail_stays_done),
        TEST(a_unit_that_may_not_be_used_bails_before_what_has_no_operations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
