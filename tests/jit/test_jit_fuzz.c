/* SPDX-License-Identifier: MIT */
/*
 * Random guest programs on several engines: after every some instructions everything that a guest
 * can see must be the same.
 *
 *   test_jit_fuzz [--count N] [--seed S] [--case K] [--engines A,B,...] [--fp] [--shape NAME]
 *                 [--no-shrink] [--stats] [--met N] [--print]
 *
 * A difference, a crash or a hang ends it: the program is made smaller as long as it still fails,
 * and printed with the first thing that differs. Cases run in a process of their own for that.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jit/jit.h"
#include "tests/jit/fuzz_tally.h"

enum {
    CASE_SECONDS = 30, /* of CPU time; longer is a hang */
    CASES_A_PROCESS = 25,
};

struct options {
    u64 count, seed, only, met;
    bool one, shrink, fp, stats, print;
    unsigned shape;
    const struct fuzz_engine *engine[FUZZ_ENGINES];
    unsigned engines;
};

/* What the parent wants to know of a child, whatever became of it. */
struct shared {
    u64 number;
    u64 insns;
    struct fuzz_tally tally;
};

static void make_program(const struct options *o, u64 number, struct gen_program *p)
{
    struct fuzz f = {.state = o->seed, .seed = o->seed, .number = number};

    f.state = fuzz_u64(&f) ^ number * 0xd1342543de82ef95u;
    gen_program(&f, p, o->shape, o->fp);
}

/* --- one program --- */

/* Run it on all engines; true if they agree. @out, if not NULL, is told where they do not; @s, if
 * not NULL, what was met. */
static bool run_program(const struct options *o, const struct gen_program *p, FILE *out,
                        struct shared *s)
{
    struct fuzz_machine *m[FUZZ_ENGINES];
    struct fuzz slices = {.state = p->slice_seed};
    bool same = true;
    unsigned n = 0;
    u64 until = 0, ram_at = 0; /* comparing all of RAM costs as much as a thousand instructions */

    for (unsigned i = 0; i < o->engines; i++) {
        m[n] = fuzz_machine_create(p, o->engine[i]);
        if (m[n])
            n++;
    }
    while (same && until < p->budget && !m[0]->ended) {
        u32 eip = (u32)m[0]->cpu->rip;
        until += 1 + fuzz_below(&slices, 2 * p->slice);
        for (unsigned i = 0; i < n; i++)
            fuzz_machine_run(m[i], until);
        bool ram = out || until >= ram_at || until >= p->budget || m[0]->ended;
        for (unsigned i = 1; i < n && same; i++)
            same = fuzz_machine_same(m[0], m[i], ram, out);
        ram_at = ram ? until + 1000 : ram_at;
        if (!same && out)
            fprintf(out, "at %llu instructions; the last comparison was at EIP %x\n",
                    (unsigned long long)until, eip);
    }
    if (s)
        s->insns += clock_retired(&m[0]->clock);
    while (n) {
        if (s)
            fuzz_tally_add(&s->tally, m[n - 1]);
        fuzz_machine_destroy(m[--n]);
    }
    return same;
}

/* Longer is a hang, however busy the host is. 0: no limit. */
static void limit_cpu_time(time_t seconds)
{
    const struct itimerval limit = {.it_value = {.tv_sec = seconds}};

    setitimer(ITIMER_PROF, &limit, NULL);
}

static bool fails(const struct options *o, const struct gen_program *p)
{
    int how = 0;
    pid_t child = fork();

    if (child == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(0);
        limit_cpu_time(CASE_SECONDS);
        _exit(!run_program(o, p, NULL, NULL));
    }
    return child > 0 && waitpid(child, &how, 0) == child && how != 0;
}

/* --- making it smaller --- */

static bool try_program(const struct options *o, struct gen_program *p,
                        const struct gen_program *smaller)
{
    if (!fails(o, smaller))
        return false;
    *p = *smaller;
    return true;
}

static bool try_budget(const struct options *o, struct gen_program *p, u64 budget)
{
    struct gen_program t = *p;

    t.budget = budget;
    return try_program(o, p, &t);
}

/* The machine: as little as possible of what is not needed. */
static void shrink_machine(const struct options *o, struct gen_program *p)
{
    struct gen_program t = *p;

#define TRY(field, value)                                                                          \
    do {                                                                                           \
        t = *p;                                                                                    \
        t.field = value;                                                                           \
        try_program(o, p, &t);                                                                     \
    } while (0)
    while (p->budget > 2000 && try_budget(o, p, p->budget / 2))
        ;
    TRY(slice, 1);
    TRY(flicker, 0);
    TRY(nmi, 0);
    TRY(timer, 0);
    TRY(dma, 0);
    TRY(trap_bits, 0);
    TRY(am, false);
    TRY(wp, false);
    TRY(big_pages, false);
    TRY(paging, false);
    TRY(rounds, 1);
    for (unsigned i = 0; i < GEN_DATA_PAGES && p->paging; i++)
        TRY(page[i], (GEN_DATA + i * 0x1000u) | 7);
    for (unsigned i = 0; i < 8; i++)
        TRY(gpr[i], 0);
#undef TRY
}

/* Take out @n items at a time. */
static bool shrink_items(const struct options *o, struct gen_program *p, unsigned n)
{
    bool any = false;

    for (unsigned at = 0; at < p->count; at += n) {
        struct gen_program t = *p;
        bool left = false;
        for (unsigned i = at; i < at + n && i < p->count; i++) {
            left |= !t.item[i].removed;
            t.item[i].removed = true;
        }
        if (!left)
            continue;
        gen_layout(&t);
        any |= try_program(o, p, &t);
    }
    return any;
}

static void shrink(const struct options *o, struct gen_program *p)
{
    shrink_machine(o, p);
    for (unsigned n = 1024; n; n /= 2)
        shrink_items(o, p, n);
    while (shrink_items(o, p, 1))
        ;
    shrink_machine(o, p);
}

/* @how the process with case @number ended. */
static void report(const struct options *o, u64 number, int how)
{
    static struct gen_program p;

    make_program(o, number, &p);
    fprintf(stderr, "FOUND:%s%s%s --seed %llu --case %llu\n", o->fp ? " --fp" : "",
            o->shape < GEN__SHAPES ? " --shape " : "",
            o->shape < GEN__SHAPES ? gen_shapes[o->shape] : "", (unsigned long long)o->seed,
            (unsigned long long)number);
    if (!fails(o, &p)) {
        fprintf(stderr, "but not by itself (it ended by %s %d)\n",
                WIFSIGNALED(how) ? "signal" : "status",
                WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
        return;
    }
    if (o->shrink)
        shrink(o, &p);
    gen_print(&p, stderr);
    fflush(stderr);
    if (fork() == 0) { /* it may crash */
        limit_cpu_time(CASE_SECONDS);
        _exit(!run_program(o, &p, stderr, NULL));
    }
    if (wait(&how) > 0 && WIFSIGNALED(how))
        fprintf(stderr, "it ends by signal %d\n", WTERMSIG(how));
}

/* --- main --- */

static bool parse_engines(struct options *o, const char *names)
{
    o->engines = 0;
    for (const char *p = names; *p;) {
        size_t n = strcspn(p, ",");
        unsigned i = 0;
        while (i < FUZZ_ENGINES &&
               (strlen(fuzz_engines[i].name) != n || strncmp(fuzz_engines[i].name, p, n) != 0))
            i++;
        if (i == FUZZ_ENGINES || o->engines == FUZZ_ENGINES)
            return false;
        o->engine[o->engines++] = &fuzz_engines[i];
        p += n + (p[n] == ',');
    }
    return o->engines > 0;
}

static bool parse_shape(struct options *o, const char *name)
{
    o->shape = 0;
    while (o->shape < GEN__SHAPES && strcmp(gen_shapes[o->shape], name) != 0)
        o->shape++;
    return o->shape < GEN__SHAPES;
}

static bool parse_flag(struct options *o, const char *arg)
{
    const struct {
        const char *name;
        bool *to, value;
    } flags[] = {
        {"--no-shrink", &o->shrink, false},
        {"--fp", &o->fp, true},
        {"--stats", &o->stats, true},
        {"--print", &o->print, true},
    };

    for (unsigned i = 0; i < ARRAY_LEN(flags); i++) {
        if (strcmp(arg, flags[i].name) == 0) {
            *flags[i].to = flags[i].value;
            return true;
        }
    }
    return false;
}

static bool parse_value(struct options *o, const char *arg, const char *value)
{
    char *end = "x";
    u64 v = *value ? strtoull(value, &end, 0) : 0;

    if (strcmp(arg, "--engines") == 0)
        return parse_engines(o, value);
    if (strcmp(arg, "--shape") == 0)
        return parse_shape(o, value);
    if (strcmp(arg, "--count") == 0)
        o->count = v;
    else if (strcmp(arg, "--seed") == 0)
        o->seed = v;
    else if (strcmp(arg, "--met") == 0)
        o->met = v;
    else if (strcmp(arg, "--case") == 0)
        o->only = v, o->one = true;
    else
        return false;
    return !*end;
}

static bool parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        if (parse_flag(o, argv[i]))
            continue;
        if (!parse_value(o, argv[i], i + 1 < argc ? argv[i + 1] : ""))
            return false;
        i++;
    }
    return true;
}

static void usage(void)
{
    fprintf(stderr, "usage: test_jit_fuzz [--count N] [--seed S] [--case K] [--no-shrink]\n"
                    "                     [--engines A,B,...] [--fp] [--shape NAME]\n"
                    "                     [--stats] [--met N] [--print]\n"
                    "  --fp     only programs with mostly x87, MMX and SSE instructions\n"
                    "  --stats  tell what translators met\n"
                    "  --met    each of that N times, or the test has failed\n"
                    "  --print  show each program before it runs\n");
    for (unsigned i = 0; i < FUZZ_ENGINES; i++)
        fprintf(stderr, "  %-8s %s\n", fuzz_engines[i].name, fuzz_engines[i].what);
}

/* Cases @from to @to - 1. */
static int run_cases(const struct options *o, struct shared *s, u64 from, u64 to)
{
    static struct gen_program p;

    for (u64 n = from; n < to; n++) {
        s->number = n;
        make_program(o, n, &p);
        if (o->print)
            gen_print(&p, stdout);
        limit_cpu_time(CASE_SECONDS);
        if (!run_program(o, &p, NULL, s))
            return 1;
    }
    limit_cpu_time(0);
    return 0;
}

/* All cases, some in each process: qemu-user keeps tables for every address that was ever mapped,
 * so that a single one would need gigabytes. Returns how the last process ended. */
static int run_all(const struct options *o, struct shared *s)
{
    u64 from = o->one ? o->only : 0, to = o->one ? o->only + 1 : o->count;
    int how = 0;

    for (u64 n = from; n < to && how == 0; n += CASES_A_PROCESS) {
        pid_t child = fork();
        if (child == 0) /* not _exit(): the leak check runs at the end */
            exit(run_cases(o, s, n, to - n < CASES_A_PROCESS ? to : n + CASES_A_PROCESS));
        if (child < 0 || waitpid(child, &how, 0) != child)
            return -1;
    }
    return how;
}

/* Did translators not meet what they were to meet? */
static bool lacking(const struct options *o, const struct shared *s)
{
    const char *what = jit_supported() ? fuzz_tally_lacks(&s->tally, o->met) : NULL;

    if (what)
        fprintf(stderr, "not enough %s\n", what);
    return what != NULL;
}

int main(int argc, char **argv)
{
    struct options o = {.count = 2000, .seed = 1, .shrink = true, .shape = GEN__SHAPES};

    parse_engines(&o, jit_supported() ? "interp,split,eval,jit,warm,hot,far" : "interp,split,eval");
    if (!parse(argc, argv, &o)) {
        usage();
        return 2;
    }
    struct shared *s =
        mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED)
        return 2;
    int how = run_all(&o, s);
    if (how < 0)
        return 2;
    printf("%llu cases, %llu instructions\n", (unsigned long long)(s->number - o.only + (how == 0)),
           (unsigned long long)s->insns);
    if (o.stats)
        fuzz_tally_print(&s->tally, stdout);
    fflush(stdout);
    if (how != 0)
        report(&o, s->number, how);
    return how != 0 || lacking(&o, s);
}
