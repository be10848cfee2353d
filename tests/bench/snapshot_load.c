/* SPDX-License-Identifier: MIT */
/*
 * How long a snapshot takes to load: a machine of 256 MB whose whole RAM is filled with something
 * that zstd makes nothing of, little of, or half of. Each is loaded several times into a machine
 * that has other RAM, and that is the saved one afterwards.
 *
 * usage: snapshot_load [--limit MS]     exit status 1 if the best load of a filling takes longer
 *
 * A busy host makes it wait, but does not make it work: if the processor was needed for less time
 * than the limit says, that is enough.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "machine/board.h"
#include "machine/snapshot.h"

enum { MEGABYTES = 256, LOADS = 7, ALPHABET = 64 };

static u64 next(u64 *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

/* No order at all. */
static void fill_random(u8 *to, size_t n, u64 *x)
{
    for (size_t i = 0; i < n; i += 8) {
        u64 v = next(x);
        memcpy(to + i, &v, 8);
    }
}

/* Letters, all as frequent as each other: nothing repeats, but six bits are enough for each. */
static void fill_letters(u8 *to, size_t n, u64 *x)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (u8)(' ' + next(x) % ALPHABET);
}

/* Words of a small vocabulary between numbers: both literals and repetitions. */
static void fill_words(u8 *to, size_t n, u64 *x)
{
    u64 word[256], seed = 1;

    for (unsigned i = 0; i < 256; i++)
        word[i] = next(&seed);
    for (size_t i = 0; i < n; i += 8) {
        u64 r = next(x), v = r & 1 ? word[r >> 8 & 255] : r;
        memcpy(to + i, &v, 8);
    }
}

static double seconds(clockid_t which)
{
    struct timespec t;

    clock_gettime(which, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool check(bool ok, const char *what)
{
    if (!ok)
        fprintf(stderr, "snapshot_load: %s\n", what);
    return ok;
}

struct result {
    double best, middle, processor; /* ms of a load, the last one on average */
};

static void sort(double *took, unsigned n)
{
    for (unsigned i = 1; i < n; i++) {
        for (unsigned k = i; k && took[k] < took[k - 1]; k--) {
            double t = took[k];
            took[k] = took[k - 1];
            took[k - 1] = t;
        }
    }
}

/* Save what is filled, and load it again and again. */
static bool measure(struct pc *pc, const char *path, u64 fill, struct result *r)
{
    u8 *ram = physmem_ram(pc->physmem);
    size_t size = physmem_ram_size(pc->physmem);
    char error[PC_ERROR_MAX] = "";
    double took[LOADS];
    u64 hash = pc_state_hash(pc);

    if (!check(pc_snapshot_save(pc, path, error) == STATUS_OK, error))
        return false;
    r->processor = 0;
    for (unsigned i = 0; i < LOADS; i++) {
        memset(ram, (int)(fill + i + 1), size);
        double begin = seconds(CLOCK_MONOTONIC), used = seconds(CLOCK_PROCESS_CPUTIME_ID);
        if (!check(pc_snapshot_load(pc, path, error) == STATUS_OK, error))
            return false;
        took[i] = (seconds(CLOCK_MONOTONIC) - begin) * 1000;
        r->processor += (seconds(CLOCK_PROCESS_CPUTIME_ID) - used) * 1000 / LOADS;
    }
    sort(took, LOADS);
    r->best = took[0];
    r->middle = took[LOADS / 2];
    return check(pc_state_hash(pc) == hash, "what was loaded is not what was saved");
}

static bool run(struct pc *pc, const char *path, double limit)
{
    static const struct {
        const char *name;
        void (*fill)(u8 *to, size_t n, u64 *x);
    } filling[] = {{"random", fill_random}, {"letters", fill_letters}, {"words", fill_words}};
    bool ok = true;

    for (unsigned i = 0; i < ARRAY_LEN(filling); i++) {
        struct result r;
        struct stat st;
        u64 x = 88172645463325252u;
        filling[i].fill(physmem_ram(pc->physmem), physmem_ram_size(pc->physmem), &x);
        if (!measure(pc, path, i, &r) || stat(path, &st) != 0)
            return false;
        printf("%u MB of %-7s, %3.0f MB of file: %.0f ms at best, %.0f in the middle, %.0f of the "
               "processor's\n",
               MEGABYTES, filling[i].name, (double)st.st_size / (1 << 20), r.best, r.middle,
               r.processor);
        ok = ok && (!limit || r.best <= limit || r.processor <= limit);
    }
    return check(ok, "that takes longer than the limit");
}

int main(int argc, char **argv)
{
    double limit = argc == 3 && strcmp(argv[1], "--limit") == 0 ? atof(argv[2]) : 0;
    char dir[] = "/tmp/turbo86-bench-XXXXXX", path[64], error[PC_ERROR_MAX] = "";
    struct pc_host host = {.wall_seconds = 0};
    struct config cfg;
    struct pc *pc = NULL;

    if (!config_init(&cfg) || !mkdtemp(dir))
        return 1;
    snprintf(path, sizeof(path), "%s/snapshot", dir);
    bool ok = config_set(&cfg, "deterministic", "on") == CONFIG_RUN &&
              config_set(&cfg, "memory", "256M") == CONFIG_RUN &&
              config_set(&cfg, "bios", "tinybios.bin") == CONFIG_RUN &&
              check(pc_create(&pc, &cfg, &host, error) == STATUS_OK, error) && run(pc, path, limit);
    pc_destroy(pc);
    config_free(&cfg);
    unlink(path);
    rmdir(dir);
    return ok ? 0 : 1;
}
