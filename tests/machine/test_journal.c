/* SPDX-License-Identifier: MIT */
/*
 * Record and replay: a machine that follows a host clock which jumps about, given input of every
 * kind at any instant, and another that replays it, on another engine.
 */
#include "machine/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/hostfile.h"
#include "machine/snapshot.h"
#include "tests/support/check.h"

#define MS 1000000ull

struct bench {
    struct config cfg;
    struct pc *pc;
    char dir[64], path[96], disk[96];
    u64 random, host_ns;
};

static void send(void *ctx, const u8 *frame, size_t len)
{
    (void)ctx, (void)frame, (void)len;
}

static void set(struct config *c, const char *key, const char *text)
{
    assert_int_equal(config_set(c, key, text), CONFIG_RUN);
}

static void build(struct bench *b, bool replays, const char *jit)
{
    struct pc_host host = {.wall_seconds = replays ? 0 : 1000000000, .nic = {{send, NULL}}};
    char error[PC_ERROR_MAX] = "";

    assert_true(config_init(&b->cfg));
    set(&b->cfg, "memory", "16M");
    set(&b->cfg, "bios", "tinybios.bin");
    set(&b->cfg, "snapshot", "on");
    set(&b->cfg, "nic", "none");
    set(&b->cfg, "jit", jit);
    if (replays)
        set(&b->cfg, "deterministic", "on");
    if (pc_create(&b->pc, &b->cfg, &host, error) != STATUS_OK)
        fail_msg("%s", error);
}

static void drop(struct bench *b)
{
    pc_destroy(b->pc);
    config_free(&b->cfg);
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    static const u8 sector[512] = "a floppy";

    assert_non_null(b);
    snprintf(b->dir, sizeof(b->dir), "/tmp/turbo86-test-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    snprintf(b->path, sizeof(b->path), "%s/recording", b->dir);
    snprintf(b->disk, sizeof(b->disk), "%s/floppy", b->dir);
    FILE *f = fopen(b->disk, "wb");
    assert_non_null(f);
    for (unsigned i = 0; i < 2880; i++)
        assert_int_equal(fwrite(sector, 1, sizeof(sector), f), sizeof(sector));
    assert_int_equal(fclose(f), 0);
    b->random = 88172645463325252ull;
    b->host_ns = 5 * MS;
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    unlink(b->path);
    unlink(b->disk);
    int left = rmdir(b->dir); /* nothing else was left there */
    free(b);
    return left;
}

static unsigned pick(struct bench *b, unsigned n)
{
    b->random ^= b->random << 13;
    b->random ^= b->random >> 7;
    b->random ^= b->random << 17;
    return (unsigned)(b->random >> 33) % n;
}

/* Something from outside, of any kind. */
static void poke(struct bench *b)
{
    char error[PC_ERROR_MAX];
    bool in = pick(b, 2);

    switch (pick(b, 8)) {
    case 0:
        (void)pc_key(b->pc, 1 + pick(b, 0x58), in);
        break;
    case 1:
        pc_mouse_move(b->pc, (int)pick(b, 40) - 20, (int)pick(b, 40) - 20, (int)pick(b, 3) - 1);
        break;
    case 2:
        pc_mouse_buttons(b->pc, (u8)pick(b, 8));
        break;
    case 3:
        pc_serial_input(b->pc, pick(b, PC_SERIALS), (u8)pick(b, 256));
        break;
    case 4:
        assert_int_equal(pc_type(b->pc, "mem\n<f1><20ms>x", error), STATUS_OK);
        break;
    case 5:
        assert_int_equal(pc_change_medium(b->pc, "floppy0", in ? b->disk : NULL, error), STATUS_OK);
        break;
    case 6:
        pc_nmi(b->pc);
        break;
    default:
        if (pick(b, 10) == 0)
            pc_reset(b->pc);
        (void)pc_power_button(b->pc);
        break;
    }
}

/* Let the host's clock run unsteadily: the guest falls behind, waits, or was put aside. */
static void live(struct bench *b, unsigned slices)
{
    for (unsigned i = 0; i < slices; i++) {
        enum pc_stop stop = pc_run(b->pc, b->host_ns);
        assert_true(stop == PC_STOP_SLICE || stop == PC_STOP_IDLE);
        b->host_ns += pick(b, 50) == 0 ? 700 * MS : pick(b, 3) * MS + pick(b, 999983);
        while (pick(b, 4) == 0)
            poke(b);
    }
}

/* Record @slices; the state at the end. */
static u64 record(struct bench *b, unsigned slices)
{
    char error[PC_ERROR_MAX] = "";

    build(b, false, "on");
    live(b, 20); /* a recording may begin at any time */
    if (pc_record(b->pc, error) != STATUS_OK)
        fail_msg("%s", error);
    live(b, slices);
    u64 hash = pc_state_hash(b->pc);
    if (pc_record_end(b->pc, b->path, error) != STATUS_OK)
        fail_msg("%s", error);
    drop(b);
    return hash;
}

static enum pc_stop run_to_end(struct pc *pc)
{
    enum pc_stop stop;

    do
        stop = pc_run(pc, 0);
    while (stop == PC_STOP_SLICE);
    return stop;
}

static void start_replay(struct bench *b, const char *jit)
{
    char error[PC_ERROR_MAX] = "";

    build(b, true, jit);
    if (pc_replay(b->pc, b->path, error) != STATUS_OK)
        fail_msg("%s", error);
}

static void a_replay_ends_in_the_recorded_state_on_every_engine(void **state)
{
    struct bench *b = *state;
    static const char *const engine[] = {"on", "off"};

    u64 hash = record(b, 400);
    for (unsigned i = 0; i < ARRAY_LEN(engine); i++) {
        start_replay(b, engine[i]);
        if (run_to_end(b->pc) != PC_STOP_REPLAYED)
            fail_msg("%s", pc_check_report(b->pc));
        assert_true(pc_state_hash(b->pc) == hash);
        drop(b);
    }
}

/* Let @ns of host time pass; the guest sleeps at its prompt then. */
static void wait(struct bench *b, u64 ns)
{
    enum pc_stop stop = PC_STOP_SLICE;

    for (u64 end = b->host_ns + ns; b->host_ns < end || stop != PC_STOP_IDLE;) {
        b->host_ns += 2 * MS; /* a slice seems to take that long: the guest is a slow one */
        stop = pc_run(b->pc, b->host_ns);
    }
}

/* What was typed is at the keyboard before the key that follows it, though no time has passed. */
static void order_within_an_instant_is_kept(void **state)
{
    struct bench *b = *state;
    char error[PC_ERROR_MAX] = "";

    build(b, false, "on");
    wait(b, 100 * MS);
    assert_int_equal(pc_record(b->pc, error), STATUS_OK);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(pc_type(b->pc, "ab", error), STATUS_OK);
        assert_int_equal(pc_run(b->pc, b->host_ns), PC_STOP_IDLE);
        (void)pc_key(b->pc, 0x1e, true);
        (void)pc_key(b->pc, 0x1e, false);
        wait(b, 200 * MS);
    }
    u64 hash = pc_state_hash(b->pc);
    assert_int_equal(pc_record_end(b->pc, b->path, error), STATUS_OK);
    drop(b);
    start_replay(b, "on");
    if (run_to_end(b->pc) != PC_STOP_REPLAYED)
        fail_msg("%s", pc_check_report(b->pc));
    assert_true(pc_state_hash(b->pc) == hash);
    drop(b);
}

static void a_replay_takes_nothing_else(void **state)
{
    struct bench *b = *state;
    char error[PC_ERROR_MAX] = "";

    u64 hash = record(b, 50);
    start_replay(b, "on");
    assert_true(pc_replays(b->pc));
    (void)pc_key(b->pc, 0x1e, true);
    pc_serial_input(b->pc, 0, 'x');
    pc_mouse_move(b->pc, 3, 3, 0);
    pc_reset(b->pc);
    pc_nmi(b->pc);
    assert_int_not_equal(pc_type(b->pc, "x", error), STATUS_OK);
    assert_int_not_equal(pc_change_medium(b->pc, "floppy0", NULL, error), STATUS_OK);
    assert_int_not_equal(pc_snapshot_load(b->pc, b->path, error), STATUS_OK);
    assert_int_equal(run_to_end(b->pc), PC_STOP_REPLAYED);
    assert_true(pc_state_hash(b->pc) == hash);
    drop(b);
}

static void snapshots_in_memory_go_back_and_forth_in_a_replay(void **state)
{
    struct bench *b = *state;
    struct pc_snapshot *snap;
    char error[PC_ERROR_MAX] = "";

    u64 hash = record(b, 300);
    start_replay(b, "on");
    pc_set_poll(b->pc, MS);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(pc_run(b->pc, 0), PC_STOP_SLICE);
    assert_int_equal(pc_snapshot_take(b->pc, &snap, error), STATUS_OK);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(run_to_end(b->pc), PC_STOP_REPLAYED);
        assert_true(pc_state_hash(b->pc) == hash);
        assert_int_equal(pc_snapshot_apply(b->pc, snap, error), STATUS_OK);
    }
    pc_snapshot_free(snap);
    drop(b);
}

static void another_floppy_is_noticed(void **state)
{
    struct bench *b = *state;
    char error[PC_ERROR_MAX] = "";

    build(b, false, "on");
    assert_int_equal(pc_record(b->pc, error), STATUS_OK);
    live(b, 5);
    assert_int_equal(pc_change_medium(b->pc, "floppy0", b->disk, error), STATUS_OK);
    live(b, 5);
    assert_int_equal(pc_record_end(b->pc, b->path, error), STATUS_OK);
    drop(b);
    FILE *f = fopen(b->disk, "r+b");
    assert_non_null(f);
    assert_int_equal(fputc('A', f), 'A');
    assert_int_equal(fclose(f), 0);
    start_replay(b, "on");
    assert_int_equal(run_to_end(b->pc), PC_STOP_DIFFERENCE);
    assert_non_null(strstr(pc_check_report(b->pc), "is not what it was"));
    drop(b);
}

/* Whatever is cut off or changed, it is refused, and the machine stays as it is. */
static void a_damaged_recording_is_refused(void **state)
{
    struct bench *b = *state;
    char error[PC_ERROR_MAX];
    u8 *bytes;
    size_t len;

    (void)record(b, 30);
    assert_int_equal(hostfile_read(b->path, 1 << 24, &bytes, &len), STATUS_OK);
    build(b, true, "off");
    u64 before = pc_state_hash(b->pc);
    for (unsigned i = 0; i < 60; i++) {
        bool cut = i & 1;
        size_t at = pick(b, (unsigned)len);
        FILE *f = fopen(b->path, "wb");
        assert_non_null(f);
        bytes[at] ^= cut ? 0 : 0x10;
        assert_int_equal(fwrite(bytes, 1, cut ? at : len, f), cut ? at : len);
        bytes[at] ^= cut ? 0 : 0x10;
        assert_int_equal(fclose(f), 0);
        *error = 0;
        assert_int_not_equal(pc_replay(b->pc, b->path, error), STATUS_OK);
        assert_true(*error && !pc_replays(b->pc));
        assert_true(pc_state_hash(b->pc) == before);
    }
    free(bytes);
    drop(b);
}

static void snapshots_and_recordings_are_told_apart(void **state)
{
    struct bench *b = *state;
    char error[PC_ERROR_MAX] = "";

    (void)record(b, 5);
    build(b, true, "off");
    assert_int_equal(pc_snapshot_load(b->pc, b->path, error), STATUS_BAD_FORMAT);
    assert_non_null(strstr(error, "--replay"));
    assert_int_equal(pc_snapshot_save(b->pc, b->path, error), STATUS_OK);
    assert_int_equal(pc_replay(b->pc, b->path, error), STATUS_BAD_FORMAT);
    assert_non_null(strstr(error, "no recording"));
    drop(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_replay_ends_in_the_recorded_state_on_every_engine, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(order_within_an_instant_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(a_replay_takes_nothing_else, setup, teardown),
        cmocka_unit_test_setup_teardown(snapshots_in_memory_go_back_and_forth_in_a_replay, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(another_floppy_is_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_recording_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(snapshots_and_recordings_are_told_apart, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
