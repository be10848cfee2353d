/* SPDX-License-Identifier: MIT */
/*
 * Real-mode instruction tests that were captured on an 80286, run on our interpreter: registers,
 * flags and memory must come out as on the chip, but for the rows of differences286.def.
 *
 *   TURBO86_VECTORS286=FOLDER test_vectors286 [--show N] [NAME...]
 *
 * FOLDER has the files of the SingleStepTests 80286 collection, unpacked: XX.moo or XX.R.moo for
 * opcode XX, /R. With NAMEs only those are run; --show tells how many failures are printed per
 * file. Not compared: flags that the manual leaves undefined, and bits 12-15, which the 80286 keeps
 * clear in real mode [SDM 3B §22.16.1].
 */
#include <stdio.h>

#include "base/bits.h"
#include "cpu/decode.h"
#include "cpu/disasm.h"
#include "cpu/flags.h"
#include "cpu/segment.h"
#include "tests/isa/moo.h"
#include "tests/isa/oracle.h"
#include "tests/support/little_pc.h"

enum {
    FLAGS_COMPARED = 0x0fd5,
    NO_VECTOR = 0xff,
    MAX_INSTRUCTIONS = 70000, /* a whole REP */
    HLT = 0xf4,
    LOCK = 0xf0,
};

/* Every vector that a test does not set leads to a HLT behind the table. */
enum { VECTORS_END = 0x400 };

static const char *const reg_names[MOO__COUNT] = {"ax", "bx", "cx", "dx", "cs", "ss", "ds",
                                                  "es", "sp", "bp", "si", "di", "ip", "flags"};

struct run {
    struct little_pc *pc;
    struct decode_table *table;
    u8 *ram;
    const struct moo_test *test;
    struct insn insn;     /* the test's */
    struct insn unlocked; /* the same without LOCK */
    bool stepped;         /* one instruction, one REP iteration at a time */
    bool halted;          /* it reached a HLT */
    u16 ours[MOO__COUNT]; /* registers after it */
    u32 flags_mask;       /* the flags that are compared */
    u32 frame_mask;       /* the same, in the flags that an exception pushed */
    unsigned long passed, accepted, failed;
};

static struct {
    const char *folder;
    unsigned show;
    char **names;
    int name_count;
} options = {.show = 3};

/* --- running --- */

static void put_registers(struct run *run)
{
    static const u8 gpr[][2] = {{REG_AX, MOO_AX}, {REG_BX, MOO_BX}, {REG_CX, MOO_CX},
                                {REG_DX, MOO_DX}, {REG_SP, MOO_SP}, {REG_BP, MOO_BP},
                                {REG_SI, MOO_SI}, {REG_DI, MOO_DI}};
    static const u8 seg[][2] = {
        {SEG_CS, MOO_CS}, {SEG_SS, MOO_SS}, {SEG_DS, MOO_DS}, {SEG_ES, MOO_ES}};
    const u16 *from = run->test->before;
    struct cpu *cpu = run->pc->cpu;

    cpu_reset(cpu, false);
    for (unsigned i = 0; i < ARRAY_LEN(gpr); i++)
        cpu->gpr[gpr[i][0]] = from[gpr[i][1]];
    for (unsigned i = 0; i < ARRAY_LEN(seg); i++)
        segment_set_8086(cpu, seg[i][0], from[seg[i][1]]);
    flags_put(cpu, (from[MOO_FLAGS] & 0x0fffu) | FL_FIXED);
    cpu->rip = from[MOO_IP];
    cpu->fault.vector = NO_VECTOR;
    if (run->stepped) { /* a breakpoint that is never reached takes the careful path */
        cpu->dr[0] = UINT32_MAX;
        cpu->dr[7] |= BIT(0);
        cpu_debug_changed(cpu);
    }
}

static void get_registers(struct run *run)
{
    const struct cpu *cpu = run->pc->cpu;
    const u16 regs[MOO__COUNT] = {
        [MOO_AX] = (u16)cpu->gpr[REG_AX],
        [MOO_BX] = (u16)cpu->gpr[REG_BX],
        [MOO_CX] = (u16)cpu->gpr[REG_CX],
        [MOO_DX] = (u16)cpu->gpr[REG_DX],
        [MOO_CS] = cpu->seg[SEG_CS].selector,
        [MOO_SS] = cpu->seg[SEG_SS].selector,
        [MOO_DS] = cpu->seg[SEG_DS].selector,
        [MOO_ES] = cpu->seg[SEG_ES].selector,
        [MOO_SP] = (u16)cpu->gpr[REG_SP],
        [MOO_BP] = (u16)cpu->gpr[REG_BP],
        [MOO_SI] = (u16)cpu->gpr[REG_SI],
        [MOO_DI] = (u16)cpu->gpr[REG_DI],
        [MOO_IP] = (u16)cpu->rip,
        [MOO_FLAGS] = (u16)flags_get(cpu),
    };

    memcpy(run->ours, regs, sizeof(regs));
}

static void put_ram(struct run *run, const struct moo_ram *ram)
{
    for (u32 i = 0; i < ram->count; i++)
        physmem_store(run->pc->pm, moo_ram_address(ram, i), moo_ram_value(ram, i), 1);
}

/** What RAM holds between tests. */
static u8 idle_byte(u32 at)
{
    if (at < VECTORS_END)
        return at % 4 == 1 ? VECTORS_END >> 8 : 0;
    return at == VECTORS_END ? HLT : 0;
}

static void put_idle_byte(struct run *run, u32 at)
{
    if (run->ram[at] != idle_byte(at))
        physmem_store(run->pc->pm, at, idle_byte(at), 1);
}

static void clear_listed(struct run *run, const struct moo_ram *ram)
{
    for (u32 i = 0; i < ram->count; i++)
        put_idle_byte(run, moo_ram_address(ram, i));
}

/** Bring all of RAM back to what it is between tests; how many bytes were not. */
static u32 clear_all(struct run *run)
{
    static const u8 zero[PAGE_SIZE];
    u32 size = (u32)physmem_ram_size(run->pc->pm), n = 0;

    for (u32 page = 0; page < size; page += PAGE_SIZE) {
        if (page > VECTORS_END && memcmp(run->ram + page, zero, PAGE_SIZE) == 0)
            continue;
        for (u32 at = page; at < page + PAGE_SIZE; at++) {
            u8 old = run->ram[at];
            put_idle_byte(run, at);
            n += old != run->ram[at];
        }
    }
    return n;
}

static void choose_masks(struct run *run)
{
    const struct moo_test *t = run->test;
    struct oracle_case c = {.row = run->insn.id, .in.gpr[REG_CX] = t->before[MOO_CX]};

    run->flags_mask = run->frame_mask = FLAGS_COMPARED;
    if (!t->fault)
        run->flags_mask &= ~oracle_undefined_flags(&c, &run->insn);
    if (t->fault && t->vector == VEC_DE) /* after a division they are undefined either way */
        run->flags_mask = run->frame_mask &= ~oracle_undefined_flags(&c, &run->insn);
}

static bool is_prefix(u8 byte)
{
    return (byte & 0xe7) == 0x26 || byte == LOCK || byte == 0xf2 || byte == 0xf3 ||
           (byte & 0xfc) == 0x64;
}

static unsigned prefixes(const struct moo_test *t)
{
    unsigned n = 0;

    while (n < t->length && n < INSN_MAX_LEN && is_prefix(t->bytes[n]))
        n++;
    return n;
}

static u8 override_of(unsigned seg)
{
    static const u8 prefix[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65}; /* in the order of SEG_xx */

    return prefix[seg];
}

/** Put @prefix where the test has a LOCK. */
static void set_locks(struct run *run, u8 prefix)
{
    const u16 *before = run->test->before;

    for (unsigned i = 0; i < prefixes(run->test); i++)
        if (run->test->bytes[i] == LOCK)
            physmem_store(run->pc->pm, ((u32)before[MOO_CS] << 4) + (u16)(before[MOO_IP] + i),
                          prefix, 1);
}

/** Run the test with @lock in the place of its LOCKs. */
static void execute(struct run *run, u8 lock)
{
    put_registers(run);
    put_ram(run, &run->test->ram_before);
    set_locks(run, lock);
    enum cpu_exit e = little_pc_run(run->pc, MAX_INSTRUCTIONS);
    run->halted = e == CPU_EXIT_HALTED;
    get_registers(run);
    set_locks(run, LOCK);
}

/* --- comparing --- */

static bool same_registers(const struct run *run)
{
    u32 flags = run->ours[MOO_FLAGS] ^ run->test->after[MOO_FLAGS];

    return run->halted && memcmp(run->ours, run->test->after, sizeof(u16) * MOO_FLAGS) == 0 &&
           !(flags & run->flags_mask);
}

/** The bits of a byte of memory that are compared: fewer in pushed flags. The format names their
 * address too, but wrongly where SP was odd. */
static u8 byte_mask(const struct run *run, u32 at)
{
    const u16 *after = run->test->after;
    u32 ss = (u32)after[MOO_SS] << 4;
    u16 low = (u16)(after[MOO_SP] + 4), high = (u16)(low + 1);

    if (run->test->fault && at == ss + low)
        return (u8)run->frame_mask;
    if (run->test->fault && at == ss + high)
        return (u8)(run->frame_mask >> 8);
    return 0xff;
}

static bool listed_value(const struct moo_ram *ram, u32 at, u8 *value)
{
    for (u32 i = 0; i < ram->count; i++) {
        if (moo_ram_address(ram, i) == at) {
            *value = moo_ram_value(ram, i);
            return true;
        }
    }
    return false;
}

static bool same_ram(const struct run *run)
{
    const struct moo_ram *before = &run->test->ram_before, *after = &run->test->ram_after;
    u8 value;

    for (u32 i = 0; i < after->count; i++) {
        u32 at = moo_ram_address(after, i);
        if ((run->ram[at] ^ moo_ram_value(after, i)) & byte_mask(run, at))
            return false;
    }
    for (u32 i = 0; i < before->count; i++) {
        u32 at = moo_ram_address(before, i);
        if (run->ram[at] != moo_ram_value(before, i) && !listed_value(after, at, &value))
            return false;
    }
    return true;
}

/* --- the rules of differences286.def --- */

static bool unchanged(const struct run *run, unsigned first, unsigned last)
{
    return memcmp(run->ours + first, run->test->before + first, sizeof(u16) * (last - first + 1)) ==
           0;
}

/** We took exception @vector, once, at the instruction, and nothing else changed. */
static bool faulted(const struct run *run, u8 vector)
{
    const u16 *before = run->test->before;
    u32 frame = ((u32)before[MOO_SS] << 4) + run->ours[MOO_SP];

    return run->halted && run->pc->cpu->fault.vector == vector &&
           run->ours[MOO_SP] == (u16)(before[MOO_SP] - 6) &&
           load_le(run->ram + frame, 2) == before[MOO_IP] && unchanged(run, MOO_AX, MOO_DX) &&
           unchanged(run, MOO_SS, MOO_ES) && unchanged(run, MOO_BP, MOO_DI);
}

/** Without LOCK the instruction may not be locked; that it does the same then, run_unlocked() sees
 * to. */
static bool rule_lock_ud(const struct run *run)
{
    const struct insn *in = &run->unlocked;

    return (run->insn.prefix & INSN_LOCK) && faulted(run, VEC_UD) &&
           !((insn_def[in->id].attr & ATTR_Lock) && in->mem);
}

static bool rule_long(const struct run *run)
{
    return run->insn.len > 10 && run->test->vector == VEC_GP;
}

static bool rule_fs_gs(const struct run *run)
{
    const u16 *before = run->test->before;

    return (run->insn.reg == SEG_FS || run->insn.reg == SEG_GS) && run->test->vector == VEC_UD &&
           run->pc->cpu->fault.vector == NO_VECTOR && unchanged(run, MOO_AX, MOO_CS) &&
           run->ours[MOO_IP] == (u16)(before[MOO_IP] + run->insn.len + 1);
}

static bool rule_stack_limit(const struct run *run)
{
    return run->test->fault && run->test->vector == VEC_GP && faulted(run, VEC_SS);
}

/** Is the chip's @reg where ours is, or at most @max @steps ahead? */
static bool ahead(const struct run *run, enum moo_reg reg, int step, unsigned max)
{
    u16 at = run->ours[reg];

    for (unsigned i = 0; i <= max; i++, at = (u16)(at + step))
        if (run->test->after[reg] == at)
            return true;
    return false;
}

/** Stopped at the start of an iteration: what was done agrees with the count, and the chip differs
 * in the iteration it did not finish only (it counts CX down early). */
static bool rule_string_restart(const struct run *run)
{
    const u16 *before = run->test->before, *ours = run->ours;
    u8 vector = run->pc->cpu->fault.vector;
    int step = before[MOO_FLAGS] & FL_D ? -2 : 2;
    u16 by = (u16)((before[MOO_CX] - ours[MOO_CX]) * step);
    bool stack = run->insn.seg == SEG_SS && vector == VEC_SS;

    if (!run->test->fault || run->test->vector != VEC_GP || !(vector == VEC_GP || stack))
        return false;
    if (ours[MOO_SI] != before[MOO_SI] && ours[MOO_SI] != (u16)(before[MOO_SI] + by))
        return false;
    if (ours[MOO_DI] != before[MOO_DI] && ours[MOO_DI] != (u16)(before[MOO_DI] + by))
        return false;
    if (!ahead(run, MOO_CX, -1, 2) || !ahead(run, MOO_SI, step, 1) || !ahead(run, MOO_DI, step, 1))
        return false;
    return run->halted && ours[MOO_SP] == run->test->after[MOO_SP] &&
           ours[MOO_AX] == run->test->after[MOO_AX] && unchanged(run, MOO_BX, MOO_BX) &&
           unchanged(run, MOO_DX, MOO_DX) && unchanged(run, MOO_SS, MOO_ES) &&
           unchanged(run, MOO_BP, MOO_BP) && same_ram(run);
}

struct difference {
    const char *id;
    u8 first, last;
    bool (*rule)(const struct run *run);
    const char *section, *text;
};

static const struct difference differences[] = {
#define DIFFERENCE(id, first, last, rule, section, text)                                           \
    {#id, first, last, rule_##rule, section, text},
#include "tests/isa/differences286.def"
};

static unsigned long difference_hits[ARRAY_LEN(differences)];

static bool accept(const struct run *run)
{
    for (size_t i = 0; i < ARRAY_LEN(differences); i++) {
        const struct difference *d = &differences[i];
        if (run->insn.opcode >= d->first && run->insn.opcode <= d->last && d->rule(run)) {
            difference_hits[i]++;
            return true;
        }
    }
    return false;
}

/* --- reporting --- */

static void report(const struct run *run, const char *name)
{
    const struct moo_test *t = run->test;
    char text[128];

    disasm(&run->insn, t->before[MOO_IP], text, sizeof(text));
    printf("%s test %u: %s\n  bytes ", name, t->index, text);
    for (u32 i = 0; i < t->length; i++)
        printf(" %02x", t->bytes[i]);
    printf("%s; last fault %u", run->halted ? "" : "; never halted", run->pc->cpu->fault.vector);
    if (t->fault)
        printf("; the chip took %u", t->vector);
    putchar('\n');
    for (unsigned r = 0; r < MOO__COUNT; r++)
        printf("    %-5s %04x chip %04x ours %04x%s\n", reg_names[r], t->before[r], t->after[r],
               run->ours[r], t->after[r] == run->ours[r] ? "" : "  <--");
    for (u32 i = 0; i < t->ram_after.count; i++) {
        u32 at = moo_ram_address(&t->ram_after, i);
        u8 chip = moo_ram_value(&t->ram_after, i);
        printf("    [%06x] chip %02x ours %02x%s\n", at, chip, run->ram[at],
               chip == run->ram[at] ? "" : "  <--");
    }
}

/* --- files --- */

/** Decode the test, without its LOCKs if @unlock. */
static bool decode_test(const struct run *run, bool unlock, struct insn *in)
{
    u8 bytes[INSN_MAX_LEN] = {0};
    const struct moo_test *t = run->test;
    unsigned n = 0, locks = 0, of_prefixes = prefixes(t);

    for (unsigned i = 0; i < t->length && n < INSN_MAX_LEN; i++) {
        if (unlock && i < of_prefixes && t->bytes[i] == LOCK)
            locks++;
        else
            bytes[n++] = t->bytes[i];
    }
    if (decode(run->table, bytes, INSN_MAX_LEN, 0, in) != DECODE_OK)
        return false;
    in->len = (u8)(in->len + locks);
    return true;
}

/** Once more, with what the 80286 ignores replaced by what everybody ignores. */
static bool run_unlocked(struct run *run)
{
    struct insn locked = run->insn;

    clear_all(run);
    run->insn = run->unlocked;
    choose_masks(run);
    execute(run, override_of(run->insn.seg));
    bool ok = (same_registers(run) && same_ram(run)) || accept(run);
    if (ok)
        run->insn = locked;
    return ok;
}

static bool compare_one(struct run *run, const char *name, bool show)
{
    bool same = false, ok = false;

    if (decode_test(run, false, &run->insn) && decode_test(run, true, &run->unlocked)) {
        choose_masks(run);
        execute(run, LOCK);
        same = same_registers(run) && same_ram(run);
        ok = same || accept(run);
        if (ok && !same && (run->insn.prefix & INSN_LOCK))
            ok = run_unlocked(run);
    }
    run->passed += same;
    run->accepted += ok && !same;
    run->failed += !ok;
    if (!ok && show)
        report(run, name);
    clear_listed(run, &run->test->ram_before);
    clear_listed(run, &run->test->ram_after);
    if (!same)
        clear_all(run);
    return ok;
}

static void run_file(struct run *run, struct moo_file *f, const char *name)
{
    unsigned failed = 0, tests = 0;
    struct moo_test t;

    run->test = &t;
    while (moo_next(f, &t)) {
        tests++;
        failed += !compare_one(run, name, failed < options.show);
    }
    if (f->pos != f->size || !tests) {
        printf("%s: malformed behind test %u\n", name, tests);
        run->failed++;
    }
    u32 stray = clear_all(run);
    if (failed)
        printf("%s: %u of %u fail\n", name, failed, tests);
    else if (stray) {
        printf("%s: %u bytes written that the chip did not write\n", name, stray);
        run->failed++;
    }
}

static bool wanted(const char *name)
{
    for (int i = 0; i < options.name_count; i++)
        if (strcmp(options.names[i], name) == 0)
            return true;
    return options.name_count == 0;
}

static bool try_file(struct run *run, const char *name)
{
    struct moo_file f;
    char path[4096];

    if (!wanted(name))
        return false;
    snprintf(path, sizeof(path), "%s/%s.moo", options.folder, name);
    if (!moo_open(&f, path))
        return false;
    run_file(run, &f, name);
    moo_close(&f);
    return true;
}

/** How many files there were. */
static unsigned run_folder(struct run *run)
{
    unsigned files = 0;
    char name[16];

    for (unsigned opcode = 0; opcode < 256; opcode++) {
        snprintf(name, sizeof(name), "%02X", opcode);
        files += try_file(run, name);
        for (unsigned reg = 0; reg < 8; reg++) {
            snprintf(name, sizeof(name), "%02X.%u", opcode, reg);
            files += try_file(run, name);
        }
    }
    return files;
}

/** Rows that accepted nothing. */
static unsigned report_differences(void)
{
    unsigned unused = 0;

    for (size_t i = 0; i < ARRAY_LEN(differences); i++) {
        const struct difference *d = &differences[i];
        bool dead = difference_hits[i] == 0 && options.name_count == 0;
        if (difference_hits[i] || dead)
            printf("  %6lu %s: %s %s\n", difference_hits[i], d->id, d->text, d->section);
        unused += dead;
    }
    return unused;
}

static void run_all(struct little_pc *pc, bool stepped)
{
    struct run run = {.pc = pc, .stepped = stepped};

    if (!options.folder || !*options.folder) {
        printf("skipped: TURBO86_VECTORS286 names no folder\n");
        skip();
    }
    memset(difference_hits, 0, sizeof(difference_hits));
    run.ram = physmem_ram(run.pc->pm);
    assert_int_equal(decode_table_create(&run.table, DECODE_ALL_FEATURES), STATUS_OK);
    clear_all(&run);
    unsigned files = run_folder(&run);
    printf("%u files: %lu tests as on the chip, %lu differ as a 386 does, %lu failed\n", files,
           run.passed, run.accepted, run.failed);
    unsigned unused = report_differences();
    fflush(stdout);
    decode_table_destroy(run.table);
    assert_true(files > 0);
    assert_int_equal(run.failed, 0);
    assert_int_equal(unused, 0);
}

static void same_as_the_chip(void **state)
{
    run_all(*state, false);
}

static void same_as_the_chip_in_single_steps(void **state)
{
    run_all(*state, true);
}

int main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, little_pc_setup, little_pc_teardown)
    const struct CMUnitTest tests[] = {
        T(same_as_the_chip),
        T(same_as_the_chip_in_single_steps),
    };

    options.folder = getenv("TURBO86_VECTORS286");
    if (argc > 2 && strcmp(argv[1], "--show") == 0) {
        options.show = (unsigned)strtoul(argv[2], NULL, 10);
        argc -= 2;
        argv += 2;
    }
    options.names = argv + 1;
    options.name_count = argc - 1;
    return cmocka_run_group_tests_name("vectors286", tests, NULL, NULL);
}
