/* SPDX-License-Identifier: MIT */
/*
 * Snapshots and scripts that somebody has damaged, or made up. A snapshot is refused with a
 * sentence and the machine is what it was, or it is loaded and the machine runs: in whatever state,
 * but without harm. A script is a mistake with its line, or steps.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "frontend/script.h"
#include "machine/snapfile.h"
#include "machine/snapshot.h"
#include "tests/fuzz/fuzz.h"

enum { TEXT_MAX = 3000, RUN_FOR = 60000, SLICES = 40, FILE_MAX = 16 << 20 };

/* Made by the first case of a process, and kept: a machine, and a snapshot of it at work. */
struct bench {
    struct config cfg;
    struct pc *pc;
    struct pc_snapshot *snap;
    char path[100];
};

static void swallow(void *ctx, u8 byte)
{
    (void)ctx, (void)byte;
}

static void run_some(struct pc *pc, u64 instructions)
{
    u64 end = pc_retired(pc) + instructions;

    pc_stop_at(pc, end);
    for (unsigned i = 0; i < SLICES && pc_retired(pc) < end; i++) {
        if (pc_run(pc, 0) != PC_STOP_SLICE)
            break;
    }
    pc_stop_at(pc, 0);
}

static void set(struct fuzz *f, struct bench *b, const char *key, const char *text)
{
    if (config_set(&b->cfg, key, text) != CONFIG_RUN)
        fuzz_fail(f, "%s: %s", key, b->cfg.error);
}

static void make_bench(struct fuzz *f, struct bench *b)
{
    static const char *const engines[] = {"on", "off"};
    struct pc_host host = {.debugcon = {swallow, NULL}};
    char error[PC_ERROR_MAX] = "";

    snprintf(b->path, sizeof(b->path), "/tmp/fuzz-snapshot-%ld", (long)getpid());
    if (!config_init(&b->cfg))
        fuzz_fail(f, "no memory");
    set(f, b, "deterministic", "on");
    set(f, b, "memory", "1M");
    set(f, b, "bios", "tinybios.bin");
    set(f, b, "jit", engines[f->number % 2]);
    set(f, b, "jit-cache-size", "1M");
    set(f, b, "no-reboot", "on");
    if (pc_create(&b->pc, &b->cfg, &host, error) != STATUS_OK)
        fuzz_fail(f, "%s", error);
    run_some(b->pc, 10000 + fuzz_below(f, 4000000));
    if (pc_snapshot_take(b->pc, &b->snap, error) != STATUS_OK)
        fuzz_fail(f, "%s", error);
    if (pc_snapshot_save(b->pc, b->path, error) != STATUS_OK)
        fuzz_fail(f, "%s", error);
}

static void free_bench(struct bench *b)
{
    pc_snapshot_free(b->snap);
    pc_destroy(b->pc);
    config_free(&b->cfg);
    unlink(b->path);
}

/* --- snapshots --- */

/* Sections changed, dropped, given other versions; the checksums are right. */
static void forge(struct fuzz *f, struct bench *b, const char *path)
{
    struct snapfile file;
    char error[SNAPFILE_ERROR_MAX];

    if (snapfile_read(&file, b->path, error) != STATUS_OK)
        fuzz_fail(f, "%s", error);
    for (unsigned i = 0; i < file.count; i++) {
        if (snapfile_unpack(&file, &file.section[i], error) != STATUS_OK)
            fuzz_fail(f, "%s", error);
    }
    for (unsigned n = 1 + fuzz_below(f, 4); n; n--) {
        struct snapfile_section *s = &file.section[fuzz_below(f, file.count)];
        if (fuzz_one_in(f, 40))
            s->version = (u32)fuzz_length(f, 32);
        else if (fuzz_one_in(f, 20))
            s->len = fuzz_below(f, (u32)s->len + 1);
        else if (fuzz_one_in(f, 60))
            s->name[fuzz_below(f, 8)] ^= 1;
        else if (fuzz_one_in(f, 4) && s->len && s->len < 4096)
            fuzz_bytes(f, s->bytes, s->len);
        else
            fuzz_mutate(f, s->bytes, s->len);
    }
    if (snapfile_write(&file, path, error) != STATUS_OK)
        fuzz_fail(f, "%s", error);
    snapfile_free(&file);
}

/* Bytes of the file changed, or its end missing. */
static void damage(struct fuzz *f, struct bench *b, const char *path)
{
    u8 *bytes = malloc(FILE_MAX);
    FILE *in = fopen(b->path, "rb"), *out = fopen(path, "wb");

    if (!bytes || !in || !out)
        fuzz_fail(f, "a file cannot be opened");
    size_t len = fread(bytes, 1, FILE_MAX, in);
    if (fuzz_one_in(f, 3))
        len = fuzz_below(f, (u32)len + 1);
    else
        fuzz_mutate(f, bytes, fuzz_one_in(f, 2) && len > 4000 ? 4000 : len);
    fwrite(bytes, 1, len, out);
    fclose(in);
    fclose(out);
    free(bytes);
}

static void try_snapshot(struct fuzz *f)
{
    struct bench b = {.pc = NULL};
    char path[120], error[PC_ERROR_MAX] = "";

    make_bench(f, &b);
    snprintf(path, sizeof(path), "%s-forged", b.path);
    for (unsigned n = 0; n < 60; n++) {
        bool forged = !fuzz_one_in(f, 4);
        u64 before = pc_state_hash(b.pc);
        if (forged)
            forge(f, &b, path);
        else
            damage(f, &b, path);
        if (pc_snapshot_load(b.pc, path, error) == STATUS_OK) {
            run_some(b.pc, RUN_FOR);
            if (pc_snapshot_apply(b.pc, b.snap, error) != STATUS_OK)
                fuzz_fail(f, "%s", error);
        } else if (!*error || strlen(error) >= PC_ERROR_MAX) {
            fuzz_fail(f, "a refusal without a reason");
        } else if (pc_state_hash(b.pc) != before) {
            fuzz_fail(f, "refused, but the machine is another: %s", error);
        }
    }
    unlink(path);
    free_bench(&b);
}

/* --- scripts --- */

static const char *const words[] = {
    "wait",
    "screen",
    "serial",
    "serial2",
    "debug",
    "frame",
    "idle",
    "end",
    "expect",
    "reject",
    "type",
    "key",
    "mouse",
    "move",
    "click",
    "left",
    "send",
    "save",
    "load",
    "snapshot",
    "insert",
    "eject",
    "mark",
    "reset",
    "nmi",
    "exit",
    "20s",
    "5ms",
    "0s",
    "-1",
    "300",
    "\"a\\n",
    "\"<f1>\"",
    "/x/",
    "/[a-z]+(b|c)*$/i",
    "/a{3}/",
    "/(/",
    "\"",
    "/",
    "\\",
    "#",
    "floppy0",
    "timeout",
    "powerdown",
    "screenshot",
    "\t",
    "99999999999999999999s",
};

static void try_script(struct fuzz *f)
{
    char text[TEXT_MAX], path[FUZZ_PATH_MAX], error[SCRIPT_ERROR_MAX] = "";
    struct script *s = NULL;
    struct config cfg;
    size_t len = 0;

    while (len < TEXT_MAX - 60 && !fuzz_one_in(f, 60))
        len += (size_t)snprintf(text + len, 50, "%s%s", words[fuzz_below(f, ARRAY_LEN(words))],
                                fuzz_one_in(f, 4) ? "\n" : " ");
    if (fuzz_one_in(f, 2))
        fuzz_mutate(f, (u8 *)text, len);
    int fd = fuzz_file(path, text, len);
    if (!config_init(&cfg) || config_set(&cfg, "script", path) != CONFIG_RUN)
        fuzz_fail(f, "no configuration");
    if (!script_open(&s, &cfg, error) && (!*error || strlen(error) >= SCRIPT_ERROR_MAX))
        fuzz_fail(f, "a mistake without a sentence");
    script_close(s);
    config_free(&cfg);
    close(fd);
}

static void one(struct fuzz *f)
{
    if (log_open("/dev/null") != STATUS_OK)
        return;
    if (fuzz_one_in(f, 2)) {
        try_snapshot(f);
        return;
    }
    for (unsigned n = 0; n < 60; n++)
        try_script(f);
}

int main(int argc, char **argv)
{
    return fuzz_main(argc, argv, "fuzz_snapshot", one);
}
