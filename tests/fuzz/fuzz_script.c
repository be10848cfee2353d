/* SPDX-License-Identifier: MIT */
/*
 * Scripts that somebody has made up or damaged, read and then run on a machine. One is a mistake
 * with its line, or it ends: with whatever status, but without harm, and the only files that it
 * leaves are those that script_files() had named before, which is what the sandbox goes by.
 *
 * A case is one machine at its prompt, in a folder of its own, that does TRIES of them. Scripts
 * that name files elsewhere are only read, and so are forks: the processes are not ours to count.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "frontend/png.h"
#include "frontend/script.h"
#include "machine/snapshot.h"
#include "tests/fuzz/fuzz.h"

enum {
    TRIES = 200,
    TEXT_MAX = 3000,
    LINE_BYTES = 80,
    POLLS = 40,      /* of 10 ms of guest time: then it is interrupted */
    START = 3000000, /* instructions to the prompt */
    FLOPPY = 160 << 10,
    NAMES_MAX = 64,
};

struct output {
    struct bench *bench;
    unsigned tape;
};

struct bench {
    struct config cfg;
    struct pc *pc;
    struct pc_snapshot *snap;
    struct script *script; /* of this try, or NULL */
    struct output output[TAPES];
    char dir[64];
    int said[2]; /* standard output and error of the process, while scripts write theirs */
};

/* What a script may leave. */
struct names {
    char name[NAMES_MAX][LINE_BYTES];
    unsigned count;
    bool elsewhere; /* one of its files is in another folder, or there are too many */
};

static const char *const steps[] = {
    "wait screen /demo>/ 30ms",
    "wait screen /^[a-z]+ ?x$/i 20ms",
    "wait serial \"demo\" 20ms",
    "wait serial2 /./ 10ms",
    "wait debug \"x\" 10ms",
    "wait frame a.png 10ms",
    "wait frame 0123456789abcdef 10ms",
    "wait idle 10ms 50ms",
    "wait end 20ms",
    "wait 15ms",
    "expect screen \"demo\"",
    "expect serial /demo/",
    "reject /panic|Oops/",
    "reject serial \"no\"",
    "type \"echo a\\n\"",
    "type \"<f1><ctrl-alt-delete><20ms>x\"",
    "type \"exit 3\\n\"",
    "key a",
    "key ctrl-alt-del",
    "key shift-f12",
    "mouse move 3 -4",
    "mouse move 100 100 1",
    "mouse click left",
    "send serial \"help\\n\"",
    "send serial2 \"\\xff\\0\"",
    "screenshot a.png",
    "screenshot b.png",
    "snapshot save s",
    "snapshot load s",
    "snapshot load disk",
    "insert floppy0 disk",
    "insert cdrom disk",
    "eject floppy0",
    "eject cdrom",
    "mark",
    "mark here",
    "reset",
    "powerdown",
    "nmi",
    "timeout 20ms",
    "exit 3",
    "exit",
};

/* Files that are there before, and stay. */
static const char *const kept[] = {"t86", "disk", "s", "a.png"};

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
    "none",
    "\t",
    "99999999999999999999s",
};

/* --- the machine --- */

static void put(void *ctx, u8 byte)
{
    struct output *o = ctx;

    if (o->bench->script)
        script_output(o->bench->script, o->tape, byte);
}

static void set(struct fuzz *f, struct bench *b, const char *key, const char *text)
{
    if (config_set(&b->cfg, key, text) != CONFIG_RUN)
        fuzz_fail(f, "%s: %s", key, b->cfg.error);
}

static void make_file(struct fuzz *f, const char *path, const void *bytes, size_t len)
{
    FILE *out = fopen(path, "wb");

    if (!out || fwrite(bytes, 1, len, out) != len || fclose(out) != 0)
        fuzz_fail(f, "'%s' cannot be written", path);
}

static void configure(struct fuzz *f, struct bench *b)
{
    set(f, b, "deterministic", "on");
    set(f, b, "ns-per-insn", "1000");
    set(f, b, "memory", "1M");
    set(f, b, "bios", "tinybios.bin");
    set(f, b, "vga", "cirrus"); /* 4 MiB to save, not 16 */
    set(f, b, "jit", f->number % 2 ? "off" : "on");
    set(f, b, "jit-cache-size", "256K");
    set(f, b, "device", "isa-debug-exit,iobase=0xf4,iosize=4");
    set(f, b, "snapshot", "on");
    set(f, b, "script", "t86");
    set(f, b, "artifacts", f->number % 4 < 2 ? "none" : "art");
}

static void make_bench(struct fuzz *f, struct bench *b)
{
    static const u8 blank[FLOPPY];
    char error[PC_ERROR_MAX] = "";
    struct pc_host host = {.debugcon = {put, &b->output[TAPE_DEBUG]}};

    for (unsigned i = 0; i < TAPES; i++)
        b->output[i] = (struct output){b, i};
    for (unsigned i = 0; i < PC_SERIALS; i++)
        host.serial[i] = (struct pc_output){put, &b->output[i]};
    strcpy(b->dir, "/tmp/fuzz-script-XXXXXX");
    if (!mkdtemp(b->dir) || chdir(b->dir) != 0 || mkdir("work", 0700) != 0 || chdir("work") != 0)
        fuzz_fail(f, "no folder");
    make_file(f, "disk", blank, FLOPPY);
    make_file(f, "t86", "", 0);
    if (!config_init(&b->cfg))
        fuzz_fail(f, "no memory");
    configure(f, b);
    if (pc_create(&b->pc, &b->cfg, &host, error) != STATUS_OK)
        fuzz_fail(f, "%s", error);
    pc_stop_at(b->pc, START);
    while (pc_retired(b->pc) < START && pc_run(b->pc, 0) == PC_STOP_SLICE)
        ;
    pc_stop_at(b->pc, 0);
    if (pc_snapshot_take(b->pc, &b->snap, error) != STATUS_OK ||
        pc_snapshot_save(b->pc, "s", error) != STATUS_OK)
        fuzz_fail(f, "%s", error);
    if (png_save("a.png", (const u32[]){0}, 1, 1, 1) != STATUS_OK)
        fuzz_fail(f, "no picture");
    pc_set_poll(b->pc, SCRIPT_POLL_NS);
}

static void free_bench(struct fuzz *f, struct bench *b)
{
    pc_snapshot_free(b->snap);
    pc_destroy(b->pc);
    config_free(&b->cfg);
    for (unsigned i = 0; i < ARRAY_LEN(kept); i++)
        unlink(kept[i]);
    if (chdir("..") != 0 || rmdir("work") != 0 || chdir("/") != 0 || rmdir(b->dir) != 0)
        fuzz_fail(f, "a file was left in %s", b->dir);
}

/* --- what is written --- */

/* What scripts print goes nowhere, unless one case alone is looked at. */
static void hush(struct fuzz *f, struct bench *b)
{
    int nowhere = f->alone ? -1 : open("/dev/null", O_WRONLY);

    for (int fd = 1; fd < 3; fd++) {
        fflush(fd == 1 ? stdout : stderr);
        b->said[fd - 1] = dup(fd);
        if (nowhere >= 0)
            dup2(nowhere, fd);
    }
    if (nowhere >= 0)
        close(nowhere);
}

static void speak(struct bench *b)
{
    for (int fd = 1; fd < 3; fd++) {
        fflush(fd == 1 ? stdout : stderr);
        dup2(b->said[fd - 1], fd);
        close(b->said[fd - 1]);
    }
}

static void note(void *ctx, enum sandbox_use use, const char *path)
{
    struct names *n = ctx;

    if (strcmp(path, "/") == 0) /* all may be read: by a snapshot that names media */
        return;
    if (strchr(path, '/') || strlen(path) >= LINE_BYTES - 10 || n->count == NAMES_MAX)
        n->elsewhere = true;
    else if (use == SANDBOX_OUTPUT)
        snprintf(n->name[n->count++], LINE_BYTES, "%s", path);
}

static bool is_kept(const char *name)
{
    for (unsigned i = 0; i < ARRAY_LEN(kept); i++) {
        if (strcmp(kept[i], name) == 0)
            return true;
    }
    return false;
}

static bool is_named(const struct names *n, const char *name, bool artifacts)
{
    static const char *const art[] = {"art.png", "art.txt", "art.snapshot"};

    if (*name == '.' || is_kept(name))
        return true;
    for (unsigned i = 0; artifacts && i < ARRAY_LEN(art); i++) {
        if (strcmp(art[i], name) == 0)
            return true;
    }
    for (unsigned i = 0; i < n->count; i++) {
        if (strcmp(n->name[i], name) == 0)
            return true;
    }
    return false;
}

/* Nothing but what was named is in this folder; it is removed. Nothing at all is beside it. */
static void check_files(struct fuzz *f, const struct names *n)
{
    struct dirent *e;
    DIR *d = opendir("."), *above = opendir("..");

    if (!d || !above)
        fuzz_fail(f, "the folder is gone");
    while ((e = readdir(d))) {
        if (!is_named(n, e->d_name, f->number % 4 >= 2))
            fuzz_fail(f, "'%s' was written, which nobody named", e->d_name);
        if (*e->d_name != '.' && !is_kept(e->d_name))
            unlink(e->d_name);
    }
    while ((e = readdir(above))) {
        if (*e->d_name != '.' && strcmp(e->d_name, "work") != 0)
            fuzz_fail(f, "'%s' was written beside the folder", e->d_name);
    }
    closedir(d);
    closedir(above);
}

/* --- one script --- */

static void run_script(struct bench *b)
{
    int status = 0;

    for (unsigned polls = 0; polls < POLLS;) {
        enum pc_stop stop = pc_run(b->pc, 0);
        if (stop != PC_STOP_SLICE && stop != PC_STOP_IDLE) {
            status = script_stopped(b->script, b->pc, stop, 0);
            return;
        }
        if (!pc_poll_due(b->pc))
            continue;
        polls++;
        if (script_poll(b->script, b->pc, &status))
            return;
    }
    (void)script_ended(b->script, b->pc, 0, true); /* enough */
}

static size_t make_text(struct fuzz *f, char *text)
{
    size_t len = 0;
    bool sense = !fuzz_one_in(f, 4);

    while (len < TEXT_MAX - LINE_BYTES && !fuzz_one_in(f, sense ? 10 : 60)) {
        if (sense && !fuzz_one_in(f, 20))
            len += (size_t)snprintf(text + len, LINE_BYTES, "%s\n",
                                    steps[fuzz_below(f, ARRAY_LEN(steps))]);
        else
            len += (size_t)snprintf(text + len, LINE_BYTES, "%s%s",
                                    words[fuzz_below(f, ARRAY_LEN(words))],
                                    fuzz_one_in(f, 4) ? "\n" : " ");
    }
    if (!sense && fuzz_one_in(f, 2))
        fuzz_mutate(f, (u8 *)text, len);
    else if (len && fuzz_one_in(f, 2))
        text[fuzz_below(f, (u32)len)] ^= (char)(1 + fuzz_below(f, 31)); /* often still a script */
    text[len] = 0;
    return len;
}

static void try_script(struct fuzz *f, struct bench *b)
{
    char text[TEXT_MAX], error[PC_ERROR_MAX] = "";
    struct names *n = calloc(1, sizeof(*n));

    if (!n)
        fuzz_fail(f, "no memory");
    size_t len = make_text(f, text);
    make_file(f, "t86", text, len);
    bool good = script_open(&b->script, &b->cfg, error);
    if (!good && (!*error || strlen(error) >= SCRIPT_ERROR_MAX))
        fuzz_fail(f, "a mistake without a sentence");
    if (good)
        script_files(b->script, note, n);
    if (good && !n->elsewhere && !strstr(text, "fork")) {
        hush(f, b);
        run_script(b);
        script_close(b->script);
        b->script = NULL;
        speak(b);
        if (pc_snapshot_apply(b->pc, b->snap, error) != STATUS_OK)
            fuzz_fail(f, "%s", error);
        check_files(f, n);
    }
    script_close(b->script);
    b->script = NULL;
    free(n);
}

static void one(struct fuzz *f)
{
    struct bench b = {.pc = NULL};

    if (log_open("/dev/null") != STATUS_OK)
        return;
    make_bench(f, &b);
    for (; f->tries < TRIES; f->tries++)
        try_script(f, &b);
    free_bench(f, &b);
}

int main(int argc, char **argv)
{
    return fuzz_main(argc, argv, "fuzz_script", one);
}
