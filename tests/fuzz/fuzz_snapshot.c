/* SPDX-License-Identifier: MIT */
/*
 * Snapshots that somebody has damaged, or made up. One is refused with a sentence and the machine
 * is what it was, or it is loaded and the machine runs: in whatever state, but without harm.
 *
 * A case is one machine, which tries TRIES of them. Most are a snapshot in memory whose sections
 * are changed, as they are after unpacking, so that no checksum is in the way; some are files.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "machine/snapshot.h"
#include "machine/snapshot_private.h"
#include "tests/fuzz/fuzz.h"

enum {
    TRIES = 250,
    CHANGES_MAX = 4,
    SMALL = 64 << 10, /* a section that is copied whole */
    WINDOW = 4096,    /* of a larger one */
    RUN_FOR = 5000,
    SLICES = 40,
};

/* A machine, and a snapshot of it at work: in memory, and as a file. */
struct bench {
    struct config cfg;
    struct pc *pc;
    struct pc_snapshot *snap;
    u64 hash; /* of the machine's state */
    char path[100], forged[120];
    u8 *file;
    size_t file_len;
};

/* A section that was changed, as it was. */
struct change {
    unsigned n;
    struct snapfile_section was;
    u8 window[WINDOW]; /* bytes of it from @at on */
    size_t at, len;
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

static void read_file(struct fuzz *f, struct bench *b)
{
    FILE *in = fopen(b->path, "rb");

    if (!in || fseek(in, 0, SEEK_END) != 0)
        fuzz_fail(f, "the snapshot cannot be read");
    b->file_len = (size_t)ftell(in);
    b->file = malloc(b->file_len);
    rewind(in);
    if (!b->file || fread(b->file, 1, b->file_len, in) != b->file_len)
        fuzz_fail(f, "the snapshot cannot be read");
    fclose(in);
}

static void make_bench(struct fuzz *f, struct bench *b)
{
    static const char *const engines[] = {"on", "off"};
    struct pc_host host = {.debugcon = {swallow, NULL}};
    char error[PC_ERROR_MAX] = "";

    snprintf(b->path, sizeof(b->path), "/tmp/fuzz-snapshot-%ld", (long)getpid());
    snprintf(b->forged, sizeof(b->forged), "%s-forged", b->path);
    if (!config_init(&b->cfg))
        fuzz_fail(f, "no memory");
    set(f, b, "deterministic", "on");
    set(f, b, "memory", "1M");
    set(f, b, "bios", "tinybios.bin");
    set(f, b, "machine", f->number % 8 == 6 ? "isapc" : "pc");
    set(f, b, "vga", f->number % 8 < 6 ? "cirrus" : "std"); /* 4 MiB, 16 MiB */
    set(f, b, "jit", engines[f->number % 2]);
    set(f, b, "jit-cache-size", "256K");
    set(f, b, "no-reboot", "on");
    if (pc_create(&b->pc, &b->cfg, &host, error) != STATUS_OK)
        fuzz_fail(f, "%s", error);
    run_some(b->pc, 10000 + fuzz_below(f, 4000000));
    if (pc_snapshot_take(b->pc, &b->snap, error) != STATUS_OK)
        fuzz_fail(f, "%s", error);
    if (pc_snapshot_save(b->pc, b->path, error) != STATUS_OK)
        fuzz_fail(f, "%s", error);
    read_file(f, b);
    b->hash = pc_state_hash(b->pc);
}

static void free_bench(struct bench *b)
{
    pc_snapshot_free(b->snap);
    pc_destroy(b->pc);
    config_free(&b->cfg);
    free(b->file);
    unlink(b->path);
    unlink(b->forged);
}

/* Whether the machine is what it must be after @loaded: it then runs, and is put back. */
static void look(struct fuzz *f, struct bench *b, bool loaded, char error[PC_ERROR_MAX])
{
    if (loaded) {
        run_some(b->pc, RUN_FOR);
        if (pc_snapshot_apply(b->pc, b->snap, error) != STATUS_OK)
            fuzz_fail(f, "%s", error);
        if (fuzz_one_in(f, 8) && pc_state_hash(b->pc) != b->hash)
            fuzz_fail(f, "a snapshot does not bring the machine back");
    } else if (!*error || strlen(error) >= PC_ERROR_MAX) {
        fuzz_fail(f, "a refusal without a reason");
    } else if (pc_state_hash(b->pc) != b->hash) {
        fuzz_fail(f, "refused, but the machine is another: %s", error);
    }
}

/* --- sections --- */

/* A copy of exactly its length, so that whoever reads past its end is seen. */
static void own_copy(struct fuzz *f, struct snapfile_section *s, size_t len)
{
    u8 *copy = malloc(len ? len : 1);

    if (!copy)
        fuzz_fail(f, "no memory");
    memcpy(copy, s->bytes, len);
    s->bytes = copy;
    s->len = len;
}

static void change_bytes(struct fuzz *f, struct snapfile_section *s, struct change *c)
{
    if (s->len <= SMALL) {
        own_copy(f, s, s->len);
        if (fuzz_one_in(f, 8))
            fuzz_bytes(f, s->bytes, s->len);
        else
            fuzz_mutate(f, s->bytes, s->len);
        return;
    }
    c->at = fuzz_one_in(f, 2) ? 0 : fuzz_below(f, (u32)(s->len - WINDOW));
    c->len = WINDOW;
    memcpy(c->window, s->bytes + c->at, WINDOW);
    fuzz_mutate(f, s->bytes + c->at, WINDOW);
}

static void change(struct fuzz *f, struct bench *b, struct change *c)
{
    struct snapfile *file = &b->snap->file;

    *c = (struct change){.n = fuzz_below(f, file->count)};
    struct snapfile_section *s = &file->section[c->n];
    c->was = *s;
    if (fuzz_one_in(f, 60))
        s->version = (u32)fuzz_length(f, 32);
    else if (fuzz_one_in(f, 80))
        s->name[fuzz_below(f, 8)] ^= 1;
    else if (fuzz_one_in(f, 30) && s->bytes)
        own_copy(f, s, fuzz_below(f, (u32)s->len + 1));
    else if (s->len)
        change_bytes(f, s, c);
}

static void undo(struct bench *b, const struct change *c)
{
    struct snapfile_section *s = &b->snap->file.section[c->n];

    if (s->bytes != c->was.bytes)
        free(s->bytes);
    *s = c->was;
    if (c->len)
        memcpy(s->bytes + c->at, c->window, c->len);
}

/* The changed sections as a file whose checksums are right: RAM is unpacked elsewhere then. */
static bool load_forged(struct fuzz *f, struct bench *b, char error[PC_ERROR_MAX])
{
    if (snapfile_write(&b->snap->file, b->forged, error) != STATUS_OK)
        fuzz_fail(f, "%s", error);
    return pc_snapshot_load(b->pc, b->forged, error) == STATUS_OK;
}

/* Sections changed, cut, dropped, given other versions. */
static void try_sections(struct fuzz *f, struct bench *b, struct change *changes)
{
    char error[PC_ERROR_MAX] = "";
    unsigned n = 1 + fuzz_below(f, fuzz_one_in(f, 2) ? 1 : CHANGES_MAX);

    for (unsigned i = 0; i < n; i++)
        change(f, b, &changes[i]);
    bool loaded = fuzz_one_in(f, 20) ? load_forged(f, b, error)
                                     : pc_snapshot_apply(b->pc, b->snap, error) == STATUS_OK;
    for (unsigned i = n; i; i--)
        undo(b, &changes[i - 1]);
    look(f, b, loaded, error);
}

/* --- files --- */

/* Bytes of the file changed, or its end missing. */
static void try_file(struct fuzz *f, struct bench *b)
{
    u8 *bytes = malloc(b->file_len);
    FILE *out = fopen(b->forged, "wb");
    char error[PC_ERROR_MAX] = "";
    size_t len = b->file_len;

    if (!bytes || !out)
        fuzz_fail(f, "a file cannot be made");
    memcpy(bytes, b->file, len);
    if (fuzz_one_in(f, 3))
        len = fuzz_below(f, (u32)len + 1);
    else
        fuzz_mutate(f, bytes, fuzz_one_in(f, 2) && len > 4000 ? 4000 : len);
    fwrite(bytes, 1, len, out);
    fclose(out);
    free(bytes);
    look(f, b, pc_snapshot_load(b->pc, b->forged, error) == STATUS_OK, error);
}

static void one(struct fuzz *f)
{
    struct change *changes = malloc(CHANGES_MAX * sizeof(*changes));
    struct bench b = {.pc = NULL};

    if (!changes || log_open("/dev/null") != STATUS_OK)
        fuzz_fail(f, "no memory");
    make_bench(f, &b);
    for (; f->tries < TRIES; f->tries++) {
        if (fuzz_one_in(f, 8))
            try_file(f, &b);
        else
            try_sections(f, &b, changes);
    }
    free_bench(&b);
    free(changes);
}

int main(int argc, char **argv)
{
    return fuzz_main(argc, argv, "fuzz_snapshot", one);
}
