/* SPDX-License-Identifier: MIT */
/* REP: exact counts, budgets, faults and interruptions in the middle, wrapping, overlap, ports. */
#include "cpu/cpu.h"
#include "cpu/flags.h"
#include "tests/support/check.h"
#include "tests/support/little_pc.h"

enum { CODE = 0x7c00, PORT = 0x1f0 };

/** A port that counts up, and remembers what was written. */
struct port_log {
    struct little_pc *pc;
    u8 next;
    u32 written[64];
    u64 when[64]; /* retired instructions at each access */
    unsigned count;
    unsigned stop_at; /* ask for attention at this access; 0: never */
};

static u32 log_in(void *ctx, u16 port, enum width w)
{
    struct port_log *log = ctx;

    (void)w;
    assert_int_equal(port, PORT);
    log->when[log->count++] = clock_retired(&log->pc->clock);
    if (log->count == log->stop_at)
        cpu_nmi(log->pc->cpu);
    return log->next++;
}

static void log_out(void *ctx, u16 port, u32 val, enum width w)
{
    struct port_log *log = ctx;

    (void)w;
    assert_int_equal(port, PORT);
    log->when[log->count] = clock_retired(&log->pc->clock);
    log->written[log->count++] = val;
}

static void attach(struct little_pc *pc, struct port_log *log)
{
    log->pc = pc;
    pc->cpu->bus.ctx = log;
    pc->cpu->bus.in = log_in;
    pc->cpu->bus.out = log_out;
    pc->cpu->gpr[REG_DX] = PORT;
}

static void load_then_halt(struct little_pc *pc, const u8 *insn, size_t n)
{
    static const u8 hlt = 0xf4;

    little_pc_load(pc, CODE, insn, n);
    physmem_write(pc->pm, CODE + n, &hlt, 1);
}

static void set(struct little_pc *pc, u32 cx, u32 si, u32 di)
{
    pc->cpu->gpr[REG_CX] = cx;
    pc->cpu->gpr[REG_SI] = si;
    pc->cpu->gpr[REG_DI] = di;
}

static u8 byte_at(struct little_pc *pc, u32 at)
{
    return (u8)physmem_load(pc->pm, at, 1);
}

static void fill(struct little_pc *pc, u32 at, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        physmem_store(pc->pm, at + i, i * 7 + 1, 1);
}

static void zero_iterations_count_as_one(void **state)
{
    struct little_pc *pc = *state;
    static const u8 rep_movsb[] = {0xf3, 0xa4};

    load_then_halt(pc, rep_movsb, 2);
    set(pc, 0, 0x1000, 0x2000);
    assert_int_equal(little_pc_run(pc, 100), CPU_EXIT_HALTED);
    assert_int_equal(clock_retired(&pc->clock), 2);
    assert_int_equal((u16)pc->cpu->gpr[REG_SI], 0x1000);
}

/* Whatever the budgets, the same count of instructions leaves the same registers. */
static void every_budget_stops_at_its_iteration(void **state)
{
    struct little_pc *pc = *state;
    static const u8 rep_movsw[] = {0xf3, 0xa5};

    for (unsigned budget = 1; budget < 40; budget++) {
        load_then_halt(pc, rep_movsw, 2);
        fill(pc, 0x1fd0, 100);
        set(pc, 30, 0x1fd0, 0x3ff1); /* both sides cross a page, the destination unaligned */
        u64 start = clock_retired(&pc->clock);
        pc->cpu->halted = false;
        unsigned ran = budget < 31 ? budget : 31;
        little_pc_run(pc, budget);
        assert_int_equal(clock_retired(&pc->clock) - start, ran);
        unsigned done = ran < 30 ? ran : 30;
        assert_int_equal((u16)pc->cpu->gpr[REG_CX], 30 - done);
        assert_int_equal((u16)pc->cpu->gpr[REG_SI], 0x1fd0 + 2 * done);
        assert_int_equal((u16)pc->cpu->gpr[REG_DI], 0x3ff1 + 2 * done);
        assert_int_equal(byte_at(pc, 0x3ff1 + 2 * done - 1), (u8)((2 * done - 1) * 7 + 1));
    }
}

static void a_destination_ahead_repeats_the_pattern(void **state)
{
    struct little_pc *pc = *state;
    static const u8 rep_movsb[] = {0xf3, 0xa4};

    load_then_halt(pc, rep_movsb, 2);
    physmem_store(pc->pm, 0x1000, 0xcdab, 2);
    set(pc, 100, 0x1000, 0x1002);
    little_pc_run(pc, 1000);
    for (unsigned i = 0; i < 102; i++)
        assert_int_equal(byte_at(pc, 0x1000 + i), i & 1 ? 0xcd : 0xab);
}

static void downwards_works_too(void **state)
{
    struct little_pc *pc = *state;
    static const u8 std_rep_movsb[] = {0xfd, 0xf3, 0xa4};

    load_then_halt(pc, std_rep_movsb, 3);
    fill(pc, 0x1000, 64);
    set(pc, 64, 0x103f, 0x1043); /* overlapping, the right way round */
    little_pc_run(pc, 1000);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(byte_at(pc, 0x1004 + i), (u8)(i * 7 + 1));
    assert_int_equal((u16)pc->cpu->gpr[REG_SI], 0x0fff);
}

static void sixteen_bit_offsets_wrap(void **state)
{
    struct little_pc *pc = *state;
    static const u8 rep_stosb[] = {0xf3, 0xaa};

    load_then_halt(pc, rep_stosb, 2);
    pc->cpu->seg[SEG_ES].base = 0x20000;
    pc->cpu->gpr[REG_AX] = 0x5a;
    set(pc, 0xabcd0020, 0, 0x1234fff0);
    little_pc_run(pc, 1000);
    assert_int_equal(byte_at(pc, 0x2ffff), 0x5a);
    assert_int_equal(byte_at(pc, 0x2000f), 0x5a);
    assert_int_equal(byte_at(pc, 0x20010), 0);
    assert_int_equal(byte_at(pc, 0x30000), 0);
    assert_int_equal(pc->cpu->gpr[REG_DI], 0x12340010);
    assert_int_equal(pc->cpu->gpr[REG_CX], 0xabcd0000);
}

/* The word at offset FFFFh is #GP: the elements before it are done, counted, and in registers. */
static void a_fault_keeps_the_iterations_before_it(void **state)
{
    struct little_pc *pc = *state;
    static const u8 rep_stosw[] = {0xf3, 0xab};

    load_then_halt(pc, rep_stosw, 2);
    pc->cpu->seg[SEG_ES].base = 0x20000;
    pc->cpu->gpr[REG_AX] = 0x1122;
    physmem_store(pc->pm, 13 * 4, 0x5000, 4);
    physmem_store(pc->pm, 0x5000, 0xf4, 1);
    set(pc, 10, 0, 0xfff9);
    assert_int_equal(little_pc_run(pc, 1000), CPU_EXIT_HALTED);
    assert_int_equal(pc->cpu->rip, 0x5001);
    assert_int_equal((u16)pc->cpu->gpr[REG_CX], 7);
    assert_int_equal((u16)pc->cpu->gpr[REG_DI], 0xffff);
    /* three words, the exception, the handler's HLT */
    assert_int_equal(clock_retired(&pc->clock), 3 + 1 + 1);
    assert_int_equal(physmem_load(pc->pm, 0x6ffa, 2), CODE); /* restart at the prefix */
}

static void scans_stop_where_they_find(void **state)
{
    struct little_pc *pc = *state;
    static const u8 repne_scasb[] = {0xf2, 0xae}, repe_cmpsb[] = {0xf3, 0xa6};

    load_then_halt(pc, repne_scasb, 2);
    physmem_store(pc->pm, 0x1ffe + 10, 0x77, 1);
    pc->cpu->gpr[REG_AX] = 0x77;
    set(pc, 100, 0, 0x1ffe);
    little_pc_run(pc, 1000);
    assert_int_equal((u16)pc->cpu->gpr[REG_DI], 0x1ffe + 11);
    assert_int_equal((u16)pc->cpu->gpr[REG_CX], 89);
    assert_true(flags_zf(pc->cpu));
    assert_int_equal(clock_retired(&pc->clock), 11 + 1);

    load_then_halt(pc, repe_cmpsb, 2);
    fill(pc, 0x1000, 50);
    fill(pc, 0x3000, 50);
    physmem_store(pc->pm, 0x3000 + 20, 0xff, 1);
    set(pc, 50, 0x1000, 0x3000);
    pc->cpu->halted = false;
    little_pc_run(pc, 1000);
    assert_int_equal((u16)pc->cpu->gpr[REG_SI], 0x1000 + 21);
    assert_int_equal((u16)pc->cpu->gpr[REG_CX], 29);
    assert_false(flags_zf(pc->cpu));
    assert_true(flags_cf(pc->cpu));
}

static void ports_see_the_time_of_their_iteration(void **state)
{
    struct little_pc *pc = *state;
    struct port_log log = {.next = 0x10};
    static const u8 rep_insb[] = {0xf3, 0x6c}, rep_outsw[] = {0xf3, 0x6f};

    attach(pc, &log);
    load_then_halt(pc, rep_insb, 2);
    set(pc, 20, 0, 0x1ff8);
    little_pc_run(pc, 1000);
    assert_int_equal(log.count, 20);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(byte_at(pc, 0x1ff8 + i), 0x10 + i);
        assert_int_equal(log.when[i], i);
    }
    log.count = 0;
    load_then_halt(pc, rep_outsw, 2);
    set(pc, 4, 0x1ff8, 0);
    pc->cpu->halted = false;
    little_pc_run(pc, 1000);
    assert_int_equal(log.count, 4);
    assert_int_equal(log.written[3], 0x1716);
}

static void an_interrupt_gets_in_between(void **state)
{
    struct little_pc *pc = *state;
    struct port_log log = {.stop_at = 5};
    static const u8 rep_insb[] = {0xf3, 0x6c}, handler[] = {0xf4};

    attach(pc, &log);
    load_then_halt(pc, rep_insb, 2);
    physmem_store(pc->pm, 2 * 4, 0x5000, 4);
    physmem_write(pc->pm, 0x5000, handler, 1);
    set(pc, 20, 0, 0x2000);
    assert_int_equal(little_pc_run(pc, 1000), CPU_EXIT_HALTED);
    assert_int_equal(pc->cpu->rip, 0x5001);
    assert_int_equal((u16)pc->cpu->gpr[REG_CX], 15);
    assert_int_equal(physmem_load(pc->pm, 0x6ffa, 2), CODE);
    assert_int_equal(clock_retired(&pc->clock),
                     5 + 1 + 1); /* the elements, the interrupt, the HLT */
}

/* A port read cannot be taken back: the store is checked before it. */
static void ins_faults_before_it_reads_the_port(void **state)
{
    struct little_pc *pc = *state;
    struct port_log log = {.next = 0};
    static const u8 insw[] = {0x6d};

    attach(pc, &log);
    load_then_halt(pc, insw, 1);
    physmem_store(pc->pm, 13 * 4, 0x5000, 4);
    physmem_store(pc->pm, 0x5000, 0xf4, 1);
    set(pc, 0, 0, 0xffff);
    little_pc_run(pc, 1000);
    assert_int_equal(pc->cpu->rip, 0x5001);
    assert_int_equal(log.count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, little_pc_setup, little_pc_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(zero_iterations_count_as_one),
        TEST(every_budget_stops_at_its_iteration),
        TEST(a_destination_ahead_repeats_the_pattern),
        TEST(downwards_works_too),
        TEST(sixteen_bit_offsets_wrap),
        TEST(a_fault_keeps_the_iterations_before_it),
        TEST(scans_stop_where_they_find),
        TEST(ports_see_the_time_of_their_iteration),
        TEST(an_interrupt_gets_in_between),
        TEST(ins_faults_before_it_reads_the_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
