/* SPDX-License-Identifier: MIT */
/*
 * Every instruction that user code may execute, on the host's processor and by us: no
 * difference in registers, flags, memory, or faults.
 *
 *   test_oracle [--rows PREFIX[,PREFIX...]] [--count N] [--seed N] [--jobs N] [--counts]
 *               [--undefined] [--keep-going] [--engine executors|interp|eval|jit]
 *   test_oracle --save FILE [--count N] [--seed N]
 *   test_oracle --replay FILE [--engine ENGINE]
 *
 * --rows takes names of cpu/isa.def; --undefined compares what the manual leaves undefined too (to
 * learn what a processor does); --jobs shares the instances of each form among processes; --counts
 * lists what ran of each row. TURBO86_ORACLE_COUNT is the --count of slow builds. --keep-going
 * reports more than the first difference of a form. --save keeps what the host did with N instances
 * of each form, --replay compares us with that, on any host. --engine says who "we" are: the
 * executors alone, or a CPU that interprets, evaluates the translator's form, or runs host code.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bits.h"
#include "tests/isa/oracle_run.h"
#include "tests/support/check.h"

enum { DEFAULT_COUNT = 800, DEFAULT_AT_LEAST = 5 * 1000 * 1000 };

static struct {
    const char *rows, *save, *replay;
    unsigned count, jobs, job;
    u64 seed;
    bool undefined, keep_going, counts;
    enum oracle_engine engine;
} options = {.count = DEFAULT_COUNT, .seed = 1, .jobs = 1};

static struct {
    bool asked;       /* it ran something */
    unsigned refused; /* bits of enum oracle_mode that it would not run */
} host_answers;

/** Instances of each row that both sides ran, of all jobs: they share it. */
static atomic_uint *row_counts;

static bool wanted(unsigned row)
{
    const char *p = options.rows, *id = insn_def[row].id;

    while (p && *p) {
        size_t n = strcspn(p, ",");
        if (strncmp(id, p, n) == 0)
            return true;
        p += n + (p[n] == ',');
    }
    return !options.rows;
}

/** One instance; false if the sides differ. */
static bool run_one(struct oracle_run *run, const struct oracle_case *c, const struct insn *in)
{
    run->instances++;
    atomic_fetch_add(&row_counts[c->row], 1);
    return oracle_run_both(run, c, in);
}

static void restore_ours(struct oracle_run *run)
{
    memcpy(run->sides.ours.data, run->sides.before.data, ARENA_WINDOW);
    memcpy(run->sides.ours.stack, run->sides.before.stack, ARENA_WINDOW);
}

/** Another run of the same case by us, with those flags inverted that the row does not read. */
static bool flags_as_the_row_says(struct oracle_run *run, const struct oracle_case *c,
                                  const struct insn *in)
{
    const struct insn_def *def = &insn_def[c->row];
    const struct oracle_memory *ours = &run->sides.ours;
    struct oracle_case flipped = *c;
    struct oracle_result a, b;
    static u8 after[2 * ARENA_WINDOW];

    (void)in;
    flipped.in.eflags ^= FL_OSZAPC & ~def->read;
    restore_ours(run);
    if (!ours_run(run->engine, c, &a) || a.fault)
        return true;
    memcpy(after, ours->data, ARENA_WINDOW);
    memcpy(after + ARENA_WINDOW, ours->stack, ARENA_WINDOW);
    restore_ours(run);
    if (!ours_run(run->engine, &flipped, &b))
        return false;
    u32 kept = FL_OSZAPC & ~(u32)(def->written | def->read);
    u32 expected = a.regs.eflags ^ ((c->in.eflags ^ flipped.in.eflags) & kept);
    run->instances++;
    if (b.regs.eflags == expected && !((a.regs.eflags ^ c->in.eflags) & kept) &&
        memcmp(a.regs.gpr, b.regs.gpr, sizeof(a.regs.gpr)) == 0 && a.regs.eip == b.regs.eip &&
        memcmp(after, ours->data, ARENA_WINDOW) == 0 &&
        memcmp(after + ARENA_WINDOW, ours->stack, ARENA_WINDOW) == 0)
        return true;
    oracle_print_regs("in", &c->in);
    printf("%s: flags %03x became %03x, flags %03x became %03x; read %03x, written %03x\n", def->id,
           c->in.eflags, a.regs.eflags, flipped.in.eflags, b.regs.eflags, def->read, def->written);
    return false;
}

typedef bool instance_fn(struct oracle_run *run, const struct oracle_case *c,
                         const struct insn *in);

static void run_kind(struct oracle_run *run, struct oracle_kind *kind, void *ctx)
{
    instance_fn *const *instance = ctx;
    struct oracle_case c;
    struct insn in;

    for (unsigned i = options.job; i < options.count; i += options.jobs) {
        if (oracle_run_generate(run, kind, i, &c, &in) && (*instance)(run, &c, &in))
            continue;
        run->differences++;
        if (!options.keep_going)
            break;
    }
}

static void run_rows(struct oracle_run *run, instance_fn *instance, enum oracle_mode mode)
{
    clock_t start = clock();

    run->seed = options.seed;
    run->undefined = options.undefined;
    oracle_run_begin(run);
    for (unsigned row = 0; row < INSN__COUNT; row++)
        if (wanted(row) && (instance != run_one || native_has(insn_def[row].feat)))
            oracle_each_kind(run, row, mode, run_kind, &instance);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    printf("%lu instances, %lu differences, %.0f a second of one core\n", run->instances,
           run->differences, (double)run->instances / (seconds > 0 ? seconds : 1));
    oracle_run_end(run);
}

/** The host's side; the test is skipped without one. */
static void open_native(struct oracle_run *run, enum oracle_mode mode)
{
    const char *why_not = native_open(&run->sides.native);

    if (!why_not && (why_not = native_enable(mode)))
        host_answers.refused |= BIT(mode);
    if (!why_not) {
        host_answers.asked = true;
        return;
    }
    printf("skipped: %s\n", why_not);
    skip();
}

static void host_agrees_in(enum oracle_mode mode)
{
    struct oracle_run run = {.kind = options.engine};

    open_native(&run, mode);
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
    struct oracle_run run = {.kind = options.engine};

    (void)state;
    run_rows(&run, flags_as_the_row_says, ORACLE_FLAT32);
    assert_int_equal(run.differences, 0);
}

/* Rows of oracle_cases.def: by us on every host, and by the host if it can be asked. */
static void cases_that_once_differed_do_not(void **state)
{
    struct oracle_run run = {.kind = options.engine};
    bool host = native_open(&run.sides.native) == NULL;

    (void)state;
    oracle_run_begin(&run);
    assert_true(oracle_known_cases(&run, host));
    oracle_run_end(&run);
    if (host)
        native_close();
}

/* The seventh bit of EAX and anything at one place in memory: all else goes, a prefix too. */
static bool pretended_difference(void *ctx, const struct oracle_case *c,
                                 const struct oracle_image *im)
{
    (void)ctx;
    return im->word[IMAGE_GPR + REG_AX] & BIT(6) && im->word[IMAGE_DATA + 5] &&
           c->bytes[c->len - 1] == 0xd8;
}

static void a_difference_is_made_plain(void **state)
{
    static struct oracle_image im, plain;
    struct oracle_case c = {.row = INSN_ADD_Ev_Gv, .bytes = {0x3e, 0x66, 0x01, 0xd8}, .len = 4};

    (void)state;
    image_default(c.mode, &plain);
    for (unsigned i = 0; i < IMAGE__WORDS; i++)
        im.word[i] = i * 0x9e3779b9 | 0x41;
    im.word[IMAGE_EIP] = plain.word[IMAGE_EIP];
    oracle_minimise(&c, &im, pretended_difference, NULL);
    assert_int_equal(c.len, 1);
    assert_int_equal(c.bytes[0], 0xd8);
    memset(plain.word + IMAGE_FX, 0, sizeof(c.fx));
    plain.word[IMAGE_GPR + REG_AX] = BIT(6);
    plain.word[IMAGE_DATA + 5] = 1;
    assert_memory_equal(im.word, plain.word, sizeof(im.word));
}

/* --save */
static void the_results_of_the_host_are_saved(void **state)
{
    struct oracle_run run = {.seed = options.seed};

    (void)state;
    open_native(&run, ORACLE_FLAT32);
    oracle_run_begin(&run);
    assert_true(oracle_save(&run, options.save, options.count));
    oracle_run_end(&run);
    native_close();
}

/* --replay: on every host. */
static void the_executors_do_what_a_host_did(void **state)
{
    struct oracle_run run = {.kind = options.engine};

    (void)state;
    oracle_run_begin(&run);
    assert_true(oracle_replay(&run, options.replay));
    oracle_run_end(&run);
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

/** What has been run, by class, and with --counts by row; of all together. */
static unsigned long print_counts(void)
{
    static const char *const name[] = {"integer", "x87", "MMX", "SSE"};
    unsigned long sum[ROW__CLASSES] = {0}, rows[ROW__CLASSES] = {0}, total = 0;
    unsigned least = ~0u, poorest = 0;

    for (unsigned row = 0; row < INSN__COUNT; row++) {
        unsigned n = atomic_load(&row_counts[row]);
        if (!oracle_row_is_user(row) || !wanted(row))
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
    return total;
}

/** A run without options is worth something only if it compared what it should. */
static bool compared_enough(unsigned long total)
{
    static const char *const mode[] = {
        [ORACLE_FLAT32] = "flat 32-bit code",
        [ORACLE_CODE16] = "16-bit code",
        [ORACLE_MIXED] = "mixed segments",
    };
    bool whole = !options.rows && options.count == DEFAULT_COUNT && host_answers.asked;

    for (unsigned i = 0; i < ARRAY_LEN(mode); i++)
        if (host_answers.refused & BIT(i))
            printf("NOT COMPARED, as the host refused it: %s\n", mode[i]);
    if (whole && total < DEFAULT_AT_LEAST)
        printf("FAILED: %lu instances; a run without options compares %d\n", total,
               DEFAULT_AT_LEAST);
    return !whole || total >= DEFAULT_AT_LEAST;
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
    return !compared_enough(print_counts()) || failed;
}

static bool parse_flag(const char *arg)
{
    static const struct {
        const char *name;
        bool *set;
    } flags[] = {{"--undefined", &options.undefined},
                 {"--keep-going", &options.keep_going},
                 {"--counts", &options.counts}};

    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (strcmp(arg, flags[i].name) == 0) {
            *flags[i].set = true;
            return true;
        }
    return false;
}

static bool parse_engine(const char *value)
{
    static const char *const names[] = {"executors", "interp", "eval", "jit"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(value, names[i]) == 0) {
            options.engine = (enum oracle_engine)i;
            return true;
        }
    return false;
}

static bool parse_value(const char *arg, const char *value)
{
    static const struct {
        const char *name;
        const char **set;
    } texts[] = {
        {"--rows", &options.rows}, {"--save", &options.save}, {"--replay", &options.replay}};
    u64 n = strtoull(value, NULL, 0);

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (strcmp(arg, texts[i].name) == 0) {
            *texts[i].set = value;
            return true;
        }
    if (strcmp(arg, "--engine") == 0)
        return parse_engine(value);
    if (strcmp(arg, "--count") == 0)
        options.count = (unsigned)n;
    else if (strcmp(arg, "--jobs") == 0)
        options.jobs = (unsigned)n;
    else if (strcmp(arg, "--seed") == 0)
        options.seed = n;
    else
        return false;
    return true;
}

static bool parse(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (parse_flag(argv[i]))
            continue;
        if (i + 1 == argc || !parse_value(argv[i], argv[i + 1]))
            return false;
        i++;
    }
    return options.jobs > 0;
}

static int run_one_test(const char *name, CMUnitTestFunction test)
{
    const struct CMUnitTest tests[] = {{name, test, NULL, NULL, NULL}};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_that_once_differed_do_not),
        cmocka_unit_test(a_difference_is_made_plain),
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
                        "[--jobs N] [--counts] [--undefined] [--keep-going] "
                        "[--engine executors|interp|eval|jit] | --save FILE [--count N] "
                        "[--seed N] | --replay FILE [--engine ...]\n");
        return 2;
    }
    row_counts = mmap(NULL, sizeof(*row_counts) * INSN__COUNT, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (row_counts == MAP_FAILED)
        return 2;
    if (options.save)
        return run_one_test("the_results_of_the_host_are_saved", the_results_of_the_host_are_saved);
    if (options.replay)
        return run_one_test("the_executors_do_what_a_host_did", the_executors_do_what_a_host_did);
    fflush(stdout);
    fork_jobs();
    return finish_jobs(cmocka_run_group_tests(tests, NULL, NULL));
}
