/* SPDX-License-Identifier: MIT */
/*
 * Every integer instruction that user code may execute, on the host's processor and by us: no
 * difference in registers, flags, memory, or faults.
 *
 *   test_oracle [--rows PREFIX[,PREFIX...]] [--count N] [--seed N] [--undefined] [--keep-going]
 *
 * --rows takes names of cpu/isa.def; --undefined compares what the manual leaves undefined too (to
 * learn what a processor does); --keep-going reports more than the first difference of a form.
 */
#include <stdio.h>

#include "base/bits.h"
#include "cpu/decode.h"
#include "cpu/disasm.h"
#include "tests/isa/oracle.h"
#include "tests/support/check.h"

static struct {
    const char *rows;
    unsigned count;
    u64 seed;
    bool undefined, keep_going;
} options = {.count = 200, .seed = 1};

enum { FLAGS_COMPARED = FL_OSZAPC | FL_D | FL_I };

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
static void copy_high_slot(const struct run *run, u32 esp)
{
    u32 off = esp + 2 - ARENA_STACK;

    if (off <= ARENA_WINDOW - 2)
        memcpy(run->ours.stack + off, run->native.stack + off, 2);
}

static bool same(const struct run *run, const struct oracle_case *c, const struct insn *in,
                 const struct oracle_result *n, const struct oracle_result *o)
{
    u32 rules = options.undefined ? 0 : oracle_rules(c, in);
    u32 flags = n->fault ? FLAGS_COMPARED : compared_flags(c, in);

    if (n->fault != o->fault || n->vector * n->fault != o->vector * o->fault)
        return false;
    if (n->error != o->error || n->regs.eip != o->regs.eip)
        return false;
    if (n->cr2 != o->cr2 && !(rules & RULE_ORDER))
        return false;
    if ((n->regs.eflags ^ o->regs.eflags) & flags)
        return false;
    if (n->fault ? rules & RULE_PARTIAL : rules & RULE_RESULT)
        return true;
    if (rules & RULE_HIGH_SLOT && !n->fault)
        copy_high_slot(run, n->regs.gpr[REG_SP]);
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

static void print_result(const char *what, const struct oracle_result *r)
{
    print_regs(what, &r->regs);
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
    print_memory(ARENA_DATA, run->before.data, run->native.data, run->ours.data);
    print_memory(ARENA_STACK, run->before.stack, run->native.stack, run->ours.stack);
}

static void copy_windows(struct oracle_memory *to, const struct oracle_memory *from)
{
    memcpy(to->data, from->data, ARENA_WINDOW);
    memcpy(to->stack, from->stack, ARENA_WINDOW);
}

/** One instance; false if the sides differ. */
static bool run_one(struct run *run, unsigned row, enum oracle_form form, bool opsize16)
{
    struct oracle_case c;
    struct oracle_result native, ours;
    struct insn in;

    oracle_generate(&run->random, row, form, opsize16, &run->before, &c);
    if (decode(run->table, c.bytes, INSN_MAX_LEN, MODE_CS32, &in) != DECODE_OK || in.len != c.len) {
        printf("%s: encoded in %u bytes, decoded as %u\n", insn_def[row].id, c.len, in.len);
        return false;
    }
    copy_windows(&run->native, &run->before);
    copy_windows(&run->ours, &run->before);
    native_run(&c, &native);
    bool decoded = ours_run(run->engine, &c, &ours);
    run->instances++;
    if (decoded && same(run, &c, &in, &native, &ours))
        return true;
    report(run, &c, &in, &native, &ours);
    return false;
}

static void run_form(struct run *run, unsigned row, enum oracle_form form, bool opsize16)
{
    for (unsigned i = 0; i < options.count; i++) {
        /* Every form starts from its own seed: --rows finds what the whole run found. */
        run->random.state = options.seed * 0x9e3779b97f4a7c15 + row * 0x100000001b3ull +
                            (u64)form * 0x10001 + opsize16 * 0x101 + (u64)i * 0xd1342543de82ef95;
        run->random.state |= 1;
        for (unsigned k = 0; k < 3; k++)
            random_u32(&run->random);
        if (run_one(run, row, form, opsize16))
            continue;
        run->differences++;
        if (!options.keep_going)
            break;
    }
}

static void host_and_executors_agree(void **state)
{
    struct run run = {.engine = NULL};
    static u8 before[2 * ARENA_WINDOW];

    (void)state;
    const char *why_not = native_open(&run.native);
    if (why_not) {
        printf("skipped: %s\n", why_not);
        skip();
    }
    run.before = (struct oracle_memory){before, before + ARENA_WINDOW};
    run.engine = ours_create(&run.ours);
    assert_non_null(run.engine);
    assert_int_equal(decode_table_create(&run.table, DECODE_ALL_FEATURES), STATUS_OK);
    for (unsigned row = 0; row < INSN__COUNT; row++)
        for (unsigned form = 0; form < FORM_IS__COUNT; form++)
            for (unsigned opsize16 = 0; opsize16 < 2; opsize16++)
                if (wanted(insn_def[row].id) && oracle_row_runs(row, form))
                    run_form(&run, row, form, opsize16);
    printf("%lu instances, %lu differences\n", run.instances, run.differences);
    decode_table_destroy(run.table);
    ours_destroy(run.engine);
    native_close();
    assert_int_equal(run.differences, 0);
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
        if (!value)
            return false;
        if (strcmp(argv[i], "--rows") == 0)
            options.rows = value;
        else if (strcmp(argv[i], "--count") == 0)
            options.count = (unsigned)strtoul(value, NULL, 0);
        else if (strcmp(argv[i], "--seed") == 0)
            options.seed = strtoull(value, NULL, 0);
        else
            return false;
        i++;
    }
    return true;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(host_and_executors_agree)};

    if (!parse(argc, argv)) {
        fprintf(stderr, "usage: test_oracle [--rows PREFIX[,PREFIX...]] [--count N] [--seed N] "
                        "[--undefined] [--keep-going]\n");
        return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
