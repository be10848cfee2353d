/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/rng.h"

/* More is a hang, even with sanitizers: of the processor's time, or, if it sleeps, of the clock's.
 */
enum { CASE_SECONDS = 60, CASE_SLEEP_SECONDS = 1200 };

u64 fuzz_u64(struct fuzz *f)
{
    return rng_u64(&f->state);
}

u32 fuzz_below(struct fuzz *f, u32 n)
{
    return rng_below(&f->state, n);
}

bool fuzz_one_in(struct fuzz *f, u32 n)
{
    return fuzz_below(f, n) == 0;
}

u64 fuzz_length(struct fuzz *f, unsigned bits)
{
    unsigned n = fuzz_below(f, bits + 1);

    return n ? fuzz_u64(f) >> (64 - n) : 0;
}

void fuzz_bytes(struct fuzz *f, void *to, size_t len)
{
    for (u8 *p = to; len;) {
        u64 v = fuzz_u64(f);
        size_t n = len < sizeof(v) ? len : sizeof(v);
        memcpy(p, &v, n);
        p += n;
        len -= n;
    }
}

static void mutate_once(struct fuzz *f, u8 *bytes, u32 len)
{
    static const u8 edge[] = {0, 1, 2, 0x10, 0x40, 0x7f, 0x80, 0xfe, 0xff};
    u32 at = fuzz_below(f, len), n = 1u << fuzz_below(f, 4);

    if (n > len - at)
        n = len - at;
    switch (fuzz_below(f, 5)) {
    case 0:
        bytes[at] ^= (u8)BIT(fuzz_below(f, 8));
        break;
    case 1:
        bytes[at] = (u8)fuzz_u64(f);
        break;
    case 2:
        memset(bytes + at, edge[fuzz_below(f, ARRAY_LEN(edge))], n);
        break;
    case 3:
        fuzz_bytes(f, bytes + at, n);
        break;
    default:
        memmove(bytes + at, bytes + fuzz_below(f, len - n + 1), n);
        break;
    }
}

void fuzz_mutate(struct fuzz *f, u8 *bytes, size_t len)
{
    for (u64 n = 1 + fuzz_length(f, 5); n && len; n--)
        mutate_once(f, bytes, (u32)len);
}

_Noreturn void fuzz_fail(const struct fuzz *f, const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "seed %llu case %llu: ", (unsigned long long)f->seed,
            (unsigned long long)f->number);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    abort();
}

int fuzz_file(char path[FUZZ_PATH_MAX], const void *bytes, size_t len)
{
    FILE *f = tmpfile();
    int fd = f ? dup(fileno(f)) : -1;

    if (fd < 0 || (len && fwrite(bytes, 1, len, f) != len) || fclose(f) != 0) {
        perror("fuzz_file");
        exit(1);
    }
    snprintf(path, FUZZ_PATH_MAX, "/proc/self/fd/%d", fd);
    return fd;
}

/* --- main --- */

struct options {
    const char *name;
    u64 seconds, seed, only;
    bool one; /* --case was given */
};

static bool parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i += 2) {
        char *end = "x";
        u64 v = i + 1 < argc ? strtoull(argv[i + 1], &end, 0) : 0;
        if (*end)
            return false;
        if (strcmp(argv[i], "--seconds") == 0)
            o->seconds = v;
        else if (strcmp(argv[i], "--seed") == 0)
            o->seed = v;
        else if (strcmp(argv[i], "--case") == 0)
            o->only = v, o->one = true;
        else
            return false;
    }
    return true;
}

static double seconds_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* SIGPROF or SIGALRM ends a case that takes too long; a busy host is no reason. */
static void limit_case(unsigned busy, unsigned asleep)
{
    setitimer(ITIMER_PROF, &(struct itimerval){.it_value.tv_sec = busy}, NULL);
    alarm(asleep);
}

/* Returns how many tries the case has counted. */
static u64 run_case(const struct options *o, u64 number, void (*one)(struct fuzz *f))
{
    struct fuzz f = {.state = o->seed, .seed = o->seed, .number = number, .alone = o->one};

    f.state = fuzz_u64(&f) ^ number * 0xd1342543de82ef95ull;
    limit_case(CASE_SECONDS, CASE_SLEEP_SECONDS);
    one(&f);
    limit_case(0, 0);
    return f.tries;
}

static void run_cases(const struct options *o, volatile u64 *number, void (*one)(struct fuzz *f))
{
    double start = seconds_now(), now = start;
    u64 tries = 0;

    *number = o->only;
    if (o->one) {
        run_case(o, *number, one);
        return;
    }
    for (; now - start < (double)o->seconds; now = seconds_now()) {
        tries += run_case(o, *number, one);
        ++*number;
    }
    printf("%s: %llu cases, %.1f a second\n", o->name, (unsigned long long)*number,
           (double)*number / (now - start));
    if (tries)
        printf("%s: %llu tries, %.1f a second\n", o->name, (unsigned long long)tries,
               (double)tries / (now - start));
}

int fuzz_main(int argc, char **argv, const char *name, void (*one)(struct fuzz *f))
{
    struct options o = {.name = name, .seconds = 10, .seed = 1};
    int how;

    if (!parse(argc, argv, &o)) {
        fprintf(stderr, "usage: %s [--seconds N] [--seed S] [--case K]\n", name);
        return 2;
    }
    u64 *number =
        mmap(NULL, sizeof(*number), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (number == MAP_FAILED) {
        perror("mmap");
        return 2;
    }
    printf("%s: seed %llu\n", name, (unsigned long long)o.seed);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        run_cases(&o, number, one);
        exit(0); /* not _exit(): the leak check runs at the end */
    }
    if (child < 0 || waitpid(child, &how, 0) != child) {
        perror("fork");
        return 2;
    }
    if (how == 0)
        return 0;
    fprintf(stderr, "%s: FOUND: --seed %llu --case %llu: %s %d\n", name, (unsigned long long)o.seed,
            (unsigned long long)*number, WIFSIGNALED(how) ? "signal" : "exit status",
            WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
    return 1;
}
