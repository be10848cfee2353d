/* SPDX-License-Identifier: MIT */
/*
 * Every instruction that user code may execute, on the host's processor and by us: no
 * difference in registers, flags, memory, or faults.
 *
 *   test_oracle [--rows PREFIX[,PREFIX...]] [--count N] [--seed N] [--jobs N] [--counts]
 *               [--undefined] [--keep-going]
 *
 * --rows takes names of cpu/isa.def; --undefined compares what the manual leaves undefined too (to
 * learn what a processor does); --jobs shares the instances of each form among processes; --counts
 * lists what ran of each row. TURBO86_ORACLE_COUNT is the --count of slow builds. --keep-going
 * reports more than the first difference of a form.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bits.h"
#include "cpu/decode.h"
#include "cpu/disasm.h"
#include "cpu/x87.h"
#include "tests/isa/oracle.h"
#include "tests/support/check.h"

enum { DEFAULT_COUNT = 730 };

static struct {
    const char *rows;
    unsigned count, jobs, job;
    u64 seed;
    bool undefined, keep_going, counts;
} options = {.count = DEFAULT_COUNT, .seed = 1, .jobs = 1};

/** Instances of each row that both sides ran, of all jobs: they share it. */
static atomic_uint *row_counts;

enum { FLAGS_COMPARED = FL_OSZAPC | FL_D | FL_I };
enum { SINGLE_STEPPED = 16 }; /* instances of a form before the faster way is trusted */

struct run {
    struct oracle_memory native, ours;
    struct oracle_memory before; /* copies of the windows, to print from */
    struct ours *engine;
    struct decode_table *table;
    struct random random;
    unsigned long instances, differences;
};

static const char *const reg_name[8] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};

static bool wanted(const char *id)
{
    const char *p = options.rows;

    while (p && *p) {
        size_t n = strcspn(p, ",");
        if (strncmp(id, p, n) == 0)
            return true;
        p += n + (p[n] == ',');
    }
    return !options.rows;
}

/** The flags in which results may differ by the manual are left out of the comparison. */
static u32 compared_flags(const struct oracle_case *c, const struct insn *in)
{
    return options.undefined ? FLAGS_COMPARED : FLAGS_COMPARED & ~oracle_undefined_flags(c, in);
}

static bool same_memory(const struct run *run)
{
    return memcmp(run->native.data, run->ours.data, ARENA_WINDOW) == 0 &&
           memcmp(run->native.stack, run->ours.stack, ARENA_WINDOW) == 0;
}

/** Take the upper half of the slot that was pushed to from the host. */
static void copy_high_slot(const struct run *run, enum oracle_mode mode, u32 esp)
{
    const struct oracle_segment *ss = &oracle_segments[mode][SEG_SS];
    u32 off = (ss->big ? esp : (u16)esp) + ss->base + 2 - ARENA_STACK;

    if (off <= ARENA_WINDOW - 2)
        memcpy(run->ours.stack + off, run->native.stack + off, 2);
}

/** What the x87 and SSE units show, by the rules. */
static bool same_fpu(const struct run *run, const struct oracle_case *c, const struct insn *in,
                     const struct oracle_result *n, const struct oracle_result *o, u32 rules)
{
    const u32 operand = oracle_operand(c, in), size = oracle_fpu_operand_size(c->row);
    u8 *from = oracle_bytes(&run->native, operand, size);
    u8 *to = oracle_bytes(&run->ours, operand, size);

    if (rules & RULE_POINTERS && !n->fault && from && to)
        oracle_copy_pointers(c, in, to, from);
    if (!n->fault && !in->mem)
        rules &= ~(u32)RULE_ENTRY;
    return !oracle_fpu_difference(n->fx, o->fx, rules);
}

/** Is the MXCSR that the instruction loads one of which makers think differently? */
static bool loads_mm_bit(const struct run *run, const struct oracle_case *c, const struct insn *in)
{
    enum { FX_MXCSR = 24, MXCSR_MM = BIT(17) };
    u32 at = oracle_operand(c, in) + (c->row == INSN_FXRSTOR ? FX_MXCSR : 0);
    const u8 *bytes = oracle_bytes(&run->before, at, 4);

    return bytes && load32(bytes) & MXCSR_MM;
}

static bool same(const struct run *run, const struct oracle_case *c, const struct insn *in,
                 const struct oracle_result *n, const struct oracle_result *o)
{
    u32 rules = options.undefined ? 0 : oracle_rules(c, in);
    u32 flags = n->fault ? FLAGS_COMPARED : compared_flags(c, in);

    if (rules & RULE_WAIT && in->mem && load16(c->fx + 2) & X87_SW_ES)
        return true;
    if (rules & RULE_MXCSR && loads_mm_bit(run, c, in))
        return true;
    if (n->fault != o->fault || n->regs.eip != o->regs.eip)
        return false;
    if (n->fault && !(rules & RULE_ORDER) &&
        (n->vector != o->vector || n->error != o->error || n->cr2 != o->cr2))
        return false;
    if (rules & RULE_COMI && load16(o->fx + 2) & X87_SW_ES)
        flags &= ~(u32)FL_OSZAPC;
    if ((n->regs.eflags ^ o->regs.eflags) & flags)
        return false;
    if (c->fpu && !same_fpu(run, c, in, n, o, rules))
        return false;
    for (unsigned seg = 0; seg < SEG__COUNT; seg++) {
        /* A return from the kernel clears the RPL of null selectors [SDM 2A, IRET]. */
        bool null = n->selector[seg] < 4 && o->selector[seg] < 4;
        if (!null && n->selector[seg] != o->selector[seg])
            return false;
    }
    if (n->fault ? rules & RULE_PARTIAL : rules & RULE_RESULT)
        return true;
    if (rules & RULE_HIGH_SLOT && !n->fault)
        copy_high_slot(run, c->mode, n->regs.gpr[REG_SP]);
    return memcmp(n->regs.gpr, o->regs.gpr, sizeof(n->regs.gpr)) == 0 && same_memory(run);
}

static void print_regs(const char *what, const struct oracle_regs *regs)
{
    static const char letters[] = "C.P.A.ZSTIDO";

    printf("  %-7s", what);
    for (unsigned i = 0; i < 8; i++)
        printf(" %s %08x", reg_name[i], regs->gpr[i]);
    printf(" eip %08x ", regs->eip);
    for (unsigned i = 12; i-- > 0;)
        if (letters[i] != '.')
            putchar(regs->eflags >> i & 1 ? letters[i] : '-');
    putchar('\n');
}

/** All of @fx, or what of it is not as in @same. */
static void print_fpu(const u8 *fx, const u8 *same)
{
    printf("          control %04x status %04x tags %02x mxcsr %04x\n", load16(fx), load16(fx + 2),
           fx[4], load32(fx + 24));
    for (unsigned i = 0; i < 16; i++) {
        const u8 *r = fx + 32 + 16 * i;
        if (!same || memcmp(r, same + 32 + 16 * i, 16) != 0)
            printf("          %s%u %016llx:%016llx\n", i < 8 ? "st" : "xmm", i & 7,
                   (unsigned long long)load64(r + 8), (unsigned long long)load64(r));
    }
}

static void print_result(const char *what, const struct oracle_result *r)
{
    print_regs(what, &r->regs);
    printf("          es %04x cs %04x ss %04x ds %04x fs %04x gs %04x\n", r->selector[SEG_ES],
           r->selector[SEG_CS], r->selector[SEG_SS], r->selector[SEG_DS], r->selector[SEG_FS],
           r->selector[SEG_GS]);
    if (r->fault)
        printf("          fault %u, error %x, cr2 %08x\n", r->vector, r->error, r->cr2);
}

static void print_memory(u32 base, const u8 *before, const u8 *native, const u8 *ours)
{
    for (u32 i = 0; i < ARENA_WINDOW; i++)
        if (native[i] != ours[i] || before[i] != native[i])
            printf("    [%08x] before %02x native %02x ours %02x%s\n", base + i, before[i],
                   native[i], ours[i], native[i] == ours[i] ? "" : "  <--");
}

static void report(const struct run *run, const struct oracle_case *c, const struct insn *in,
                   const struct oracle_result *n, const struct oracle_result *o)
{
    char text[128];

    disasm(in, c->in.eip, text, sizeof(text));
    printf("%s: %s\n  bytes  ", insn_def[c->row].id, text);
    for (unsigned i = 0; i < c->len; i++)
        printf(" %02x", c->bytes[i]);
    putchar('\n');
    print_regs("in", &c->in);
    print_result("native", n);
    print_result("ours", o);
    if ((n->regs.eflags ^ o->regs.eflags) & FLAGS_COMPARED)
        printf("    flags differ in %03x, undefined are %03x\n",
               (n->regs.eflags ^ o->regs.eflags) & FLAGS_COMPARED, oracle_undefined_flags(c, in));
    if (c->fpu) {
        const char *what = oracle_fpu_difference(n->fx, o->fx, oracle_rules(c, in));
        printf("    %s: in, native, ours\n", what ? what : "no difference of x87 or SSE");
        print_fpu(c->fx, NULL);
        print_fpu(n->fx, c->fx);
        print_fpu(o->fx, n->fx);
    }
    print_memory(ARENA_DATA, run->before.data, run->native.data, run->ours.data);
    print_memory(ARENA_STACK, run->before.stack, run->native.stack, run->ours.stack);
}

static void copy_windows(struct oracle_memory *to, const struct oracle_memory *from)
{
    memcpy(to->data, from->data, ARENA_WINDOW);
    memcpy(to->stack, from->stack, ARENA_WINDOW);
}

/** One instance; false if the sides differ. */
static bool run_one(struct run *run, const struct oracle_kind *kind)
{
    struct oracle_case c;
    struct oracle_result native, ours;
    struct insn in;

    oracle_generate(&run->random, kind, &run->before, &c);
    if (decode(run->table, c.bytes, INSN_MAX_LEN, oracle_decode_mode(&c), &in) != DECODE_OK ||
        in.len != c.len) {
        printf("%s: encoded in %u bytes, decoded as %u\n", insn_def[kind->row].id, c.len, in.len);
        return false;
    }
    copy_windows(&run->native, &run->before);
    copy_windows(&run->ours, &run->before);
    native_run(&c, &native);
    bool decoded = ours_run(run->engine, &c, &ours);
    run->instances++;
    atomic_fetch_add(&row_counts[kind->row], 1);
    if (decoded && same(run, &c, &in, &native, &ours))
        return true;
    report(run, &c, &in, &native, &ours);
    return false;
}

/** Another run of the same case by us, with those flags inverted that the row does not read. */
static bool flags_as_the_row_says(struct run *run, const struct oracle_kind *kind)
{
    const struct insn_def *def = &insn_def[kind->row];
    struct oracle_case c, flipped;
    struct oracle_result a, b;
    static u8 after[2 * ARENA_WINDOW];

    oracle_generate(&run->random, kind, &run->before, &c);
    flipped = c;
    flipped.in.eflags ^= FL_OSZAPC & ~def->read;
    copy_windows(&run->ours, &run->before);
    if (!ours_run(run->engine, &c, &a) || a.fault)
        return true;
    memcpy(after, run->ours.data, ARENA_WINDOW);
    memcpy(after + ARENA_WINDOW, run->ours.stack, ARENA_WINDOW);
    copy_windows(&run->ours, &run->before);
    if (!ours_run(run->engine, &flipped, &b))
        return false;
    u32 kept = FL_OSZAPC & ~(u32)(def->written | def->read);
    u32 expected = a.regs.eflags ^ ((c.in.eflags ^ flipped.in.eflags) & kept);
    run->instances++;
    if (b.regs.eflags == expected && !((a.regs.eflags ^ c.in.eflags) & kept) &&
        memcmp(a.regs.gpr, b.regs.gpr, sizeof(a.regs.gpr)) == 0 && a.regs.eip == b.regs.eip &&
        memcmp(after, run->ours.data, ARENA_WINDOW) == 0 &&
        memcmp(after + ARENA_WINDOW, run->ours.stack, ARENA_WINDOW) == 0)
        return true;
    print_regs("in", &c.in);
    printf("%s: flags %03x became %03x, flags %03x became %03x; read %03x, written %03x\n", def->id,
           c.in.eflags, a.regs.eflags, flipped.in.eflags, b.regs.eflags, def->read, def->written);
    return false;
}

typedef bool instance_fn(struct run *run, const struct oracle_kind *kind);

static void run_form(struct run *run, instance_fn *instance, struct oracle_kind *kind)
{
    for (unsigned i = options.job; i < options.count; i += options.jobs) {
        /* Every form starts from its own seed: --rows finds what the whole run found. */
        run->random.state = options.seed * 0x9e3779b97f4a7c15 + kind->row * 0x100000001b3ull +
                            (u64)kind->form * 0x10001 + kind->opsize16 * 0x101 +
                            (u64)kind->mode * 0x1000003 + (u64)i * 0xd1342543de82ef95;
        run->random.state |= 1;
        kind->first = i < SINGLE_STEPPED;
        for (unsigned k = 0; k < 3; k++)
            random_u32(&run->random);
        if (instance(run, kind))
            continue;
        run->differences++;
        if (!options.keep_going)
            break;
    }
}

static void run_rows(struct run *run, instance_fn *instance, enum oracle_mode mode)
{
    static u8 before[2 * ARENA_WINDOW];
    struct oracle_kind kind = {.mode = mode};
    clock_t start = clock();

    run->before = (struct oracle_memory){before, before + ARENA_WINDOW};
    run->engine = ours_create(&run->ours);
    assert_non_null(run->engine);
    assert_int_equal(decode_table_create(&run->table, DECODE_ALL_FEATURES), STATUS_OK);
    for (kind.row = 0; kind.row < INSN__COUNT; kind.row++) {
        for (unsigned form = 0; form < FORM_IS__COUNT; form++) {
            if (!wanted(insn_def[kind.row].id) || !oracle_row_runs(kind.row, form) ||
                (instance == run_one && !native_has(insn_def[kind.row].feat)))
                continue;
            kind.form = form;
            kind.opsize16 = false;
            run_form(run, instance, &kind);
            kind.opsize16 = true;
            if (insn_def[kind.row].pfx == PFX_NP || insn_def[kind.row].pfx == PFX_66)
                continue; /* the prefix says which row it is */
            run_form(run, instance, &kind);
        }
    }
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    printf("%lu instances, %lu differences, %.0f a second of one core\n", run->instances,
           run->differences, (double)run->instances / (seconds > 0 ? seconds : 1));
    decode_table_destroy(run->table);
    ours_destroy(run->engine);
}

static void host_agrees_in(enum oracle_mode mode)
{
    struct run run = {.engine = NULL};
    const char *why_not = native_open(&run.native);

    if (!why_not)
        why_not = native_enable(mode);
    if (why_not) {
        printf("skipped: %s\n", why_not);
        skip();
    }
    run_rows(&run, run_one, mode);
    native_close();
    assert_int_equal(run.differences, 0);
}

static void host_and_executors_agree_in_flat_32_bit_code(void **state)
{
    (void)state;
    host_agrees_in(ORACLE_FLAT32);
}

static void host_and_executors_agree_in_16_bit_code(void **state)
{
    (void)state;
    host_agrees_in(ORACLE_CODE16);
}

static void host_and_executors_agree_in_mixed_segments(void **state)
{
    (void)state;
    host_agrees_in(ORACLE_MIXED);
}

/* What the translator's flag liveness relies on. */
static void rows_tell_which_flags_are_read_and_written(void **state)
{
    struct run run = {.engine = NULL};

    (void)state;
    run_rows(&run, flags_as_the_row_says, ORACLE_FLAT32);
    assert_int_equal(run.differences, 0);
}

enum row_class { ROW_INTEGER, ROW_X87, ROW_MMX, ROW_SSE, ROW__CLASSES };

static enum row_class class_of(unsigned row)
{
    const struct insn_def *d = &insn_def[row];
    bool mmx = d->op[0] == OPND_Pq || d->op[1] == OPND_Pq || d->op[1] == OPND_Nq;

    if (!oracle_row_is_fpu(row))
        return ROW_INTEGER;
    if (d->map == MAP_1B)
        return ROW_X87;
    return mmx || d->feat == FEAT_MMX ? ROW_MMX : ROW_SSE;
}

static bool row_runs(unsigned row)
{
    return oracle_row_runs(row, FORM_IS_REG) || oracle_row_runs(row, FORM_IS_MEM) ||
           oracle_row_runs(row, FORM_IS_PLAIN);
}

/** What has been run, by class, and with --counts by row. */
static void print_counts(void)
{
    static const char *const name[] = {"integer", "x87", "MMX", "SSE"};
    unsigned long sum[ROW__CLASSES] = {0}, rows[ROW__CLASSES] = {0}, total = 0;
    unsigned least = ~0u, poorest = 0;

    for (unsigned row = 0; row < INSN__COUNT; row++) {
        unsigned n = atomic_load(&row_counts[row]);
        if (!row_runs(row) || !wanted(insn_def[row].id))
            continue;
        if (options.counts)
            printf("  %-20s %u\n", insn_def[row].id, n);
        if (n < least)
            least = n, poorest = row;
        sum[class_of(row)] += n;
        rows[class_of(row)]++;
        total += n;
    }
    for (unsigned i = 0; i < ROW__CLASSES; i++)
        printf("%s: %lu rows, %lu instances\n", name[i], rows[i], sum[i]);
    printf("all: %lu instances; the least are %u, of %s\n", total, least, insn_def[poorest].id);
}

/** All but the first of the jobs; the first returns. */
static void fork_jobs(void)
{
    for (unsigned i = 1; i < options.jobs; i++) {
        if (fork() != 0)
            continue;
        options.job = i;
        return;
    }
}

static int finish_jobs(int failed)
{
    int status;

    if (options.job > 0)
        return failed;
    while (wait(&status) > 0)
        failed |= status != 0;
    print_counts();
    return failed;
}

static bool parse(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--undefined") == 0) {
            options.undefined = true;
            continue;
        }
        if (strcmp(argv[i], "--keep-going") == 0) {
            options.keep_going = true;
            continue;
        }
        if (strcmp(argv[i], "--counts") == 0) {
            options.counts = true;
            continue;
        }
        if (!value)
            return false;
        if (strcmp(argv[i], "--rows") == 0)
            options.rows = value;
        else if (strcmp(argv[i], "--count") == 0)
            options.count = (unsigned)strtoul(value, NULL, 0);
        else if (strcmp(argv[i], "--jobs") == 0)
            options.jobs = (unsigned)strtoul(value, NULL, 0);
        else if (strcmp(argv[i], "--seed") == 0)
            options.seed = strtoull(value, NULL, 0);
        else
            return false;
        i++;
    }
    return options.jobs > 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_and_executors_agree_in_flat_32_bit_code),
        cmocka_unit_test(host_and_executors_agree_in_16_bit_code),
        cmocka_unit_test(host_and_executors_agree_in_mixed_segments),
        cmocka_unit_test(rows_tell_which_flags_are_read_and_written),
    };

    const char *count = getenv("TURBO86_ORACLE_COUNT");

    if (count)
        options.count = (unsigned)strtoul(count, NULL, 0);
    if (!parse(argc, argv)) {
        fprintf(stderr, "usage: test_oracle [--rows PREFIX[,PREFIX...]] [--count N] [--seed N] "
                        "[--jobs N] [--counts] [--undefined] [--keep-going]\n");
        return 2;
    }
    row_counts = mmap(NULL, sizeof(*row_counts) * INSN__COUNT, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (row_counts == MAP_FAILED)
        return 2;
    fflush(stdout);
    fork_jobs();
    return finish_jobs(cmocka_run_group_tests(tests, NULL, NULL));
}
