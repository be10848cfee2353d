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

/* Downwards too, whatever the budgets: both sides cross a page, elements among them. */
static void downwards_every_budget_stops_at_its_iteration(void **state)
{
    struct little_pc *pc = *state;
    static const u8 std_rep_movsw[] = {0xfd, 0xf3, 0xa5};

    for (unsigned budget = 2; budget < 40; budget++) {
        load_then_halt(pc, std_rep_movsw, 3);
        fill(pc, 0x1fd0, 100);
        set(pc, 30, 0x200a, 0x4017);
        u64 start = clock_retired(&pc->clock);
        pc->cpu->halted = false;
        unsigned ran = budget < 32 ? budget : 32;
        little_pc_run(pc, budget);
        assert_int_equal(clock_retired(&pc->clock) - start, ran);
        unsigned done = ran - 1 < 30 ? ran - 1 : 30;
        assert_int_equal((u16)pc->cpu->gpr[REG_CX], 30 - done);
        assert_int_equal((u16)pc->cpu->gpr[REG_SI], 0x200a - 2 * done);
        assert_int_equal((u16)pc->cpu->gpr[REG_DI], 0x4017 - 2 * done);
        u32 last = 0x4017 - 2 * (done - 1);
        assert_int_equal(byte_at(pc, last), (u8)((0x200a - 2 * (done - 1) - 0x1fd0) * 7 + 1));
    }
}

/* The segment begins at its offset 0, in the middle of a page: what is below it is not touched. */
static void downwards_wraps_and_faults_at_offset_0(void **state)
{
    struct little_pc *pc = *state;
    static const u8 std_rep_stosb[] = {0xfd, 0xf3, 0xaa}, std_rep_stosw[] = {0xfd, 0xf3, 0xab};

    load_then_halt(pc, std_rep_stosb, 3);
    pc->cpu->seg[SEG_ES].base = 0x20800;
    pc->cpu->gpr[REG_AX] = 0x5a;
    set(pc, 0x20, 0, 0x12340010);
    little_pc_run(pc, 1000);
    for (unsigned i = 0; i < 0x40; i++)
        assert_int_equal(byte_at(pc, 0x207e0 + i), i >= 0x20 && i <= 0x30 ? 0x5a : 0);
    assert_int_equal(byte_at(pc, 0x307f0), 0);
    assert_int_equal(byte_at(pc, 0x307f1), 0x5a);
    assert_int_equal(byte_at(pc, 0x307ff), 0x5a);
    assert_int_equal(pc->cpu->gpr[REG_DI], 0x1234fff0);

    load_then_halt(pc, std_rep_stosw, 3);
    physmem_store(pc->pm, 13 * 4, 0x5000, 4);
    physmem_store(pc->pm, 0x5000, 0xf4, 1);
    set(pc, 10, 0, 5); /* the word behind that at offset 1 is at FFFFh */
    pc->cpu->halted = false;
    assert_int_equal(little_pc_run(pc, 1000), CPU_EXIT_HALTED);
    assert_int_equal(pc->cpu->rip, 0x5001);
    assert_int_equal((u16)pc->cpu->gpr[REG_CX], 7);
    assert_int_equal((u16)pc->cpu->gpr[REG_DI], 0xffff);
}

/* --- devices --- */

enum { DEVICE = 0x8000 };

/** A device whose bytes are those of the RAM that it hides. It notes when it was asked. */
struct memory_device {
    struct little_pc *pc;
    u64 when[64]; /* retired instructions, of the first ones */
    unsigned count;
};

static void note_when(struct memory_device *d)
{
    if (d->count < ARRAY_LEN(d->when))
        d->when[d->count] = clock_retired(&d->pc->clock);
    d->count++;
}

static u64 device_read(void *dev, u64 off, unsigned size)
{
    struct memory_device *d = dev;

    note_when(d);
    return load_le(physmem_ram(d->pc->pm) + DEVICE + off, size);
}

static void device_write(void *dev, u64 off, u64 val, unsigned size)
{
    struct memory_device *d = dev;

    note_when(d);
    store_le(physmem_ram(d->pc->pm) + DEVICE + off, val, size);
}

static bool device_quiet(const void *dev)
{
    (void)dev;
    return true;
}

static const struct mmio_ops noisy_ops = {device_read, device_write, 4, NULL};
static const struct mmio_ops quiet_ops = {device_read, device_write, 4, device_quiet};

static void map_device(struct little_pc *pc, const struct mmio_ops *ops, struct memory_device *d)
{
    *d = (struct memory_device){.pc = pc};
    assert_int_equal(physmem_map_mmio(pc->pm, DEVICE, 3 * PAGE_SIZE, ops, d), STATUS_OK);
}

/* A device that is not quiet is asked at the time of each iteration; one that is, in runs, but with
 * no budget exceeded. */
static void devices_are_asked_in_runs_if_they_are_quiet(void **state)
{
    struct little_pc *pc = *state;
    struct memory_device d;
    static const u8 rep_stosw[] = {0xf3, 0xab};

    for (unsigned quiet = 0; quiet < 2; quiet++) {
        map_device(pc, quiet ? &quiet_ops : &noisy_ops, &d);
        load_then_halt(pc, rep_stosw, 2);
        set(pc, 20, 0, DEVICE);
        pc->cpu->halted = false;
        u64 start = clock_retired(&pc->clock);
        little_pc_run(pc, 15);
        assert_int_equal(d.count, 15);
        assert_int_equal((u16)pc->cpu->gpr[REG_CX], 5);
        assert_int_equal((u16)pc->cpu->gpr[REG_DI], DEVICE + 30);
        for (unsigned i = 0; i < 15; i++)
            assert_int_equal(d.when[i] - start, quiet && i ? 1 : i);
        little_pc_run(pc, 100);
        assert_int_equal(d.count, 20);
        assert_int_equal(clock_retired(&pc->clock) - start, 21);
    }
}

static void hear(void *ctx, bool write, phys_addr at, u64 val, unsigned size)
{
    (void)write, (void)at, (void)val, (void)size;
    ++*(unsigned *)ctx;
}

static void a_listener_hears_each_access_in_its_time(void **state)
{
    struct little_pc *pc = *state;
    struct memory_device d;
    unsigned heard = 0;
    static const u8 rep_movsb[] = {0xf3, 0xa4};

    map_device(pc, &quiet_ops, &d);
    physmem_on_mmio(pc->pm, hear, &heard);
    load_then_halt(pc, rep_movsb, 2);
    set(pc, 20, DEVICE, DEVICE + 100);
    little_pc_run(pc, 1000);
    assert_int_equal(heard, 40);
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(d.when[i], i / 2);
}

/* --- against a model that does one element after the other --- */

enum { AREA = DEVICE, AREA_BYTES = 0x3000 };

struct model {
    u8 mem[AREA_BYTES];
    u32 si, di, cx, ax;
    bool equal; /* ZF, where it compares */
};

static u32 rnd(u64 *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (u32)(*seed >> 33);
}

static u32 element(const struct model *m, u32 at, unsigned size)
{
    u32 v = 0;

    memcpy(&v, m->mem + (at - AREA), size);
    return v;
}

/* REP of @op, an opcode; @until_equal: REPNE. */
static void model_run(struct model *m, u8 op, unsigned size, bool down, bool until_equal)
{
    u32 step = down ? 0 - size : size, ax = size == 4 ? m->ax : m->ax & ((1u << 8 * size) - 1);
    bool compares = (op & ~1) == 0xa6 || (op & ~1) == 0xae;
    bool has_source = (op & ~1) == 0xa4 || (op & ~1) == 0xa6;

    while (m->cx) {
        u32 v = has_source ? element(m, m->si, size) : ax;
        if (compares)
            m->equal = v == element(m, m->di, size);
        else
            memcpy(m->mem + (m->di - AREA), &v, size);
        m->di += step;
        m->si += has_source ? step : 0;
        m->cx--;
        if (compares && m->equal == until_equal)
            break;
    }
}

/* Equal bytes mostly, or scans would end at once; destinations near the source, on both sides. */
static void model_draw(struct model *m, u64 *seed, unsigned size, bool down)
{
    for (unsigned i = 0; i < AREA_BYTES; i++)
        m->mem[i] = rnd(seed) % 100 ? 0x11 : (u8)rnd(seed);
    m->ax = rnd(seed) % 2 ? 0x11111111 : rnd(seed);
    m->cx = rnd(seed) % 600;
    u32 bytes = m->cx * size, room = AREA_BYTES - bytes - 64, first = AREA + 32;
    first += down ? bytes : 0;
    m->si = first + rnd(seed) % room;
    m->di = rnd(seed) % 2 ? m->si - 16 + rnd(seed) % 32 : first + rnd(seed) % room;
}

/* The pages of the area are memory or devices. */
static void mix_area(struct little_pc *pc, struct memory_device *d, unsigned devices)
{
    map_device(pc, &quiet_ops, d);
    for (unsigned i = 0; i < AREA_BYTES / PAGE_SIZE; i++) {
        if (!(devices >> i & 1))
            physmem_map_ram(pc->pm, AREA + i * PAGE_SIZE, PAGE_SIZE, AREA + i * PAGE_SIZE);
    }
}

static void repeated_strings_do_what_a_loop_does(void **state)
{
    static const u8 ops[] = {0xa4, 0xa6, 0xaa, 0xae};
    struct little_pc *pc = *state;
    static struct model m;
    struct memory_device d;
    u64 seed = 1;

    for (unsigned i = 0; i < 1200; i++) {
        bool down = i & 1, until_equal = i & 2;
        unsigned size = 1u << i / 4 % 3;
        u8 op = ops[i / 12 % 4];
        const u8 code[] = {down ? 0xfd : 0xfc, size == 4 ? 0x66 : 0x90, until_equal ? 0xf2 : 0xf3,
                           (u8)(op | (size > 1))};
        model_draw(&m, &seed, size, down);
        load_then_halt(pc, code, sizeof(code));
        mix_area(pc, &d, i < 600 ? 0 : rnd(&seed) % 8);
        memcpy(physmem_ram(pc->pm) + AREA, m.mem, AREA_BYTES);
        set(pc, m.cx, m.si, m.di);
        pc->cpu->gpr[REG_AX] = m.ax;
        pc->cpu->halted = false;
        while (!pc->cpu->halted)
            little_pc_run(pc, 1 + rnd(&seed) % 300);
        bool flags = (op == 0xa6 || op == 0xae) && m.cx;
        model_run(&m, op, size, down, until_equal);
        if (flags)
            assert_int_equal(flags_zf(pc->cpu), m.equal);
        assert_int_equal((u16)pc->cpu->gpr[REG_CX], m.cx);
        assert_int_equal((u16)pc->cpu->gpr[REG_SI], m.si);
        assert_int_equal((u16)pc->cpu->gpr[REG_DI], m.di);
        assert_memory_equal(physmem_ram(pc->pm) + AREA, m.mem, AREA_BYTES);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, little_pc_setup, little_pc_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(zero_iterations_count_as_one),
        TEST(every_budget_stops_at_its_iteration),
        TEST(a_destination_ahead_repeats_the_pattern),
        TEST(downwards_works_too),
        TEST(downwards_every_budget_stops_at_its_iteration),
        TEST(downwards_wraps_and_faults_at_offset_0),
        TEST(sixteen_bit_offsets_wrap),
        TEST(a_fault_keeps_the_iterations_before_it),
        TEST(scans_stop_where_they_find),
        TEST(ports_see_the_time_of_their_iteration),
        TEST(an_interrupt_gets_in_between),
        TEST(ins_faults_before_it_reads_the_port),
        TEST(devices_are_asked_in_runs_if_they_are_quiet),
        TEST(a_listener_hears_each_access_in_its_time),
        TEST(repeated_strings_do_what_a_loop_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
