/* SPDX-License-Identifier: MIT */
/*
 * Recordings that somebody has damaged, or made up. One is refused with a sentence and the machine
 * is what it was, or it is replayed: to an end, or to where it parts from what was recorded.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "machine/journal.h"
#include "machine/snapfile.h"
#include "tests/fuzz/fuzz.h"

enum { SLICES = 20, TRIES = 12 };

/* A machine for one recording or one replay. */
struct bench {
    struct config cfg;
    struct pc *pc;
};

static void swallow(void *ctx, const u8 *frame, size_t len)
{
    (void)ctx, (void)frame, (void)len;
}

static void set(struct fuzz *f, struct bench *b, const char *key, const char *text)
{
    if (config_set(&b->cfg, key, text) != CONFIG_RUN)
        fuzz_fail(f, "%s: %s", key, b->cfg.error);
}

static void build(struct fuzz *f, struct bench *b, bool replays)
{
    struct pc_host host = {.nic = {{swallow, NULL}}};
    char error[PC_ERROR_MAX] = "";

    b->pc = NULL;
    if (!config_init(&b->cfg))
        fuzz_fail(f, "no memory");
    set(f, b, "memory", "1M");
    set(f, b, "bios", "tinybios.bin");
    set(f, b, "snapshot", "on");
    set(f, b, "nic", "user,model=ne2k_isa,mac=52:54:00:12:34:56");
    set(f, b, "jit", f->number % 2 ? "on" : "off");
    set(f, b, "jit-cache-size", "1M");
    set(f, b, "no-reboot", "on");
    if (replays)
        set(f, b, "deterministic", "on");
    if (pc_create(&b->pc, &b->cfg, &host, error) != STATUS_OK)
        fuzz_fail(f, "%s", error);
}

static void drop(struct bench *b)
{
    pc_destroy(b->pc);
    config_free(&b->cfg);
}

static void poke(struct fuzz *f, struct pc *pc)
{
    char error[PC_ERROR_MAX];
    u8 frame[80];

    switch (fuzz_below(f, 7)) {
    case 0:
        (void)pc_key(pc, fuzz_below(f, 0x60), fuzz_one_in(f, 2));
        break;
    case 1:
        pc_mouse_move(pc, (int)fuzz_below(f, 9) - 4, (int)fuzz_below(f, 9) - 4, 0);
        break;
    case 2:
        pc_mouse_buttons(pc, (u8)fuzz_below(f, 8));
        break;
    case 3:
        pc_serial_input(pc, fuzz_below(f, PC_SERIALS), (u8)fuzz_below(f, 256));
        break;
    case 4:
        fuzz_bytes(f, frame, sizeof(frame));
        pc_nic_receive(pc, 0, frame, sizeof(frame));
        break;
    case 5:
        if (pc_type(pc, "a<f1>\n", error) != STATUS_OK ||
            pc_change_medium(pc, "floppy0", NULL, error) != STATUS_OK)
            fuzz_fail(f, "%s", error);
        break;
    default:
        pc_nmi(pc);
        break;
    }
}

/* A recording of a machine that is left alone little, into @path. */
static void record(struct fuzz *f, const char *path)
{
    char error[PC_ERROR_MAX] = "";
    struct bench b;
    u64 host_ns = 1000;

    build(f, &b, false);
    if (pc_record(b.pc, error) != STATUS_OK)
        fuzz_fail(f, "%s", error);
    for (unsigned i = 0; i < SLICES; i++) {
        enum pc_stop stop = pc_run(b.pc, host_ns);
        host_ns += fuzz_below(f, 2000000);
        if (stop != PC_STOP_SLICE && stop != PC_STOP_IDLE)
            break;
        if (fuzz_one_in(f, 2))
            poke(f, b.pc);
    }
    if (pc_record_end(b.pc, path, error) != STATUS_OK)
        fuzz_fail(f, "%s", error);
    drop(&b);
}

/* @from with its journal, or now and then its start, changed; the checksums are right. */
static void forge(struct fuzz *f, const char *from, const char *to)
{
    struct snapfile file;
    char error[SNAPFILE_ERROR_MAX];

    if (snapfile_read(&file, from, error) != STATUS_OK)
        fuzz_fail(f, "%s", error);
    for (unsigned i = 0; i < file.count; i++) {
        if (snapfile_unpack(&file, &file.section[i], error) != STATUS_OK)
            fuzz_fail(f, "%s", error);
    }
    bool start = fuzz_one_in(f, 10);
    struct snapfile_section *s = &file.section[start ? fuzz_below(f, file.count) : file.count - 1];
    if (fuzz_one_in(f, 30))
        s->version = (u32)fuzz_length(f, 32);
    else if (fuzz_one_in(f, 8))
        s->len = fuzz_below(f, (u32)s->len + 1);
    else if (fuzz_one_in(f, 8) && s->len < 4096)
        fuzz_bytes(f, s->bytes, s->len);
    else if (fuzz_one_in(f, 2) && s->len)
        s->bytes[fuzz_below(f, (u32)s->len)] ^= (u8)(1 << fuzz_below(f, 8));
    else
        fuzz_mutate(f, s->bytes, s->len);
    if (snapfile_write(&file, to, error) != STATUS_OK)
        fuzz_fail(f, "%s", error);
    snapfile_free(&file);
}

static void replay(struct fuzz *f, const char *path, bool forged)
{
    char error[PC_ERROR_MAX] = "";
    struct bench b;

    build(f, &b, true);
    u64 before = pc_state_hash(b.pc);
    if (pc_replay(b.pc, path, error) != STATUS_OK) {
        if (!*error || strlen(error) >= PC_ERROR_MAX)
            fuzz_fail(f, "a refusal without a reason");
        if (!forged || pc_state_hash(b.pc) != before)
            fuzz_fail(f, "%s: %s", forged ? "refused, but changed" : "refused", error);
    } else {
        enum pc_stop stop = PC_STOP_SLICE;
        for (unsigned i = 0; i < 4 * SLICES && stop == PC_STOP_SLICE; i++)
            stop = pc_run(b.pc, 0);
        if (stop == PC_STOP_DIFFERENCE ? !forged || !*pc_check_report(b.pc)
                                       : stop == PC_STOP_IDLE || (!forged && stop == PC_STOP_SLICE))
            fuzz_fail(f, "a replay ended with %d: %s", (int)stop, pc_check_report(b.pc));
    }
    drop(&b);
}

static void one(struct fuzz *f)
{
    char path[100], bad[120];

    if (log_open("/dev/null") != STATUS_OK)
        return;
    snprintf(path, sizeof(path), "/tmp/fuzz-replay-%ld", (long)getpid());
    snprintf(bad, sizeof(bad), "%s-forged", path);
    record(f, path);
    replay(f, path, false);
    for (unsigned i = 0; i < TRIES; i++) {
        forge(f, path, bad);
        replay(f, bad, true);
    }
    unlink(path);
    unlink(bad);
}

int main(int argc, char **argv)
{
    return fuzz_main(argc, argv, "fuzz_replay", one);
}
