/* SPDX-License-Identifier: MIT */
/*
 * Snapshots of whole machines: the demo disk under our own BIOS, and under SeaBIOS where it is
 * installed. Two machines that should be equal are compared by their state hash.
 */
#include "machine/snapshot.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/bits.h"
#include "machine/hostfile.h"
#include "machine/snapshot_private.h"
#include "tests/support/check.h"

#define SEABIOS "/usr/share/seabios/bios-256k.bin"

struct bench {
    struct config cfg[2];
    struct pc *pc[2];
    char dir[64], path[96];
};

static void set(struct config *c, const char *key, const char *text)
{
    assert_int_equal(config_set(c, key, text), CONFIG_RUN);
}

static struct pc *machine(struct config *c)
{
    char error[PC_ERROR_MAX] = "";
    struct pc_host host = {.wall_seconds = 0};
    struct pc *pc = NULL;

    if (pc_create(&pc, c, &host, error) != STATUS_OK)
        fail_msg("%s", error);
    return pc;
}

static void configure(struct config *c, const char *bios, const char *jit)
{
    assert_true(config_init(c));
    set(c, "deterministic", "on");
    set(c, "memory", "20M");
    set(c, "jit", jit);
    set(c, "bios", bios);
}

/* Two machines of one configuration, on two engines. */
static void open_bench(struct bench *b, const char *bios, const char *const engine[2])
{
    memset(b, 0, sizeof(*b));
    snprintf(b->dir, sizeof(b->dir), "/tmp/turbo86-test-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    snprintf(b->path, sizeof(b->path), "%s/snapshot", b->dir);
    for (unsigned i = 0; i < 2; i++) {
        configure(&b->cfg[i], bios, engine[i]);
        b->pc[i] = machine(&b->cfg[i]);
    }
}

static void close_bench(struct bench *b)
{
    for (unsigned i = 0; i < 2; i++) {
        pc_destroy(b->pc[i]);
        config_free(&b->cfg[i]);
    }
    unlink(b->path);
    assert_int_equal(rmdir(b->dir), 0); /* nothing else was left there */
}

/* Run to exactly @retired instructions, or until the machine stops. */
static void run_to(struct pc *pc, u64 retired)
{
    pc_stop_at(pc, retired);
    while (pc_retired(pc) < retired) {
        if (pc_run(pc, 0) != PC_STOP_SLICE)
            break;
    }
    pc_stop_at(pc, 0);
}

static void save(struct bench *b)
{
    char error[PC_ERROR_MAX] = "";

    if (pc_snapshot_save(b->pc[0], b->path, error) != STATUS_OK)
        fail_msg("%s", error);
}

static void load(struct bench *b)
{
    char error[PC_ERROR_MAX] = "";

    if (pc_snapshot_load(b->pc[1], b->path, error) != STATUS_OK)
        fail_msg("%s", error);
}

static void expect_equal(struct bench *b)
{
    assert_int_equal(pc_retired(b->pc[0]), pc_retired(b->pc[1]));
    assert_true(pc_state_hash(b->pc[0]) == pc_state_hash(b->pc[1]));
}

/* Save at many instants, load into the other machine, and let both go on to the next instant. */
static void go_on_alike(const char *bios, const char *const engine[2], u64 step, unsigned times)
{
    struct bench b;
    u64 at = 0;
    u32 random = 1;
    char error[PC_ERROR_MAX];

    open_bench(&b, bios, engine);
    assert_int_equal(pc_type(b.pc[0], "<500ms>info\\n<1s>abc", error), STATUS_OK);
    for (unsigned i = 0; i < times; i++) {
        random = random * 1664525 + 1013904223;
        at += step + random % step;
        run_to(b.pc[0], at);
        save(&b);
        load(&b);
        expect_equal(&b);
        random = random * 1664525 + 1013904223;
        at += step / 3 + random % step;
        run_to(b.pc[0], at);
        run_to(b.pc[1], at);
        expect_equal(&b);
    }
    close_bench(&b);
}

static const char *const jit_jit[2] = {"on", "on"}, *const off_on[2] = {"off", "on"},
                         *const on_off[2] = {"on", "off"};

static void saving_and_loading_changes_nothing_at_any_instant(void **state)
{
    (void)state;
    go_on_alike("tinybios.bin", jit_jit, 50000, 12);
    go_on_alike("tinybios.bin", off_on, 2000000, 8);
    go_on_alike("tinybios.bin", on_off, 20000000, 4);
}

static void the_same_under_seabios(void **state)
{
    (void)state;
    if (!hostfile_exists(SEABIOS))
        skip();
    go_on_alike(SEABIOS, on_off, 150000, 12);
    go_on_alike(SEABIOS, off_on, 1500000, 10);
    go_on_alike(SEABIOS, jit_jit, 200000000, 2);
}

/* --- refusals --- */

static u8 *read_all(const char *path, size_t *len)
{
    u8 *bytes;

    assert_int_equal(hostfile_read(path, 1u << 30, &bytes, len), STATUS_OK);
    return bytes;
}

static void write_all(const char *path, const u8 *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

/* The second machine refuses the file, because of @why, and is what it was. */
static void expect_refusal(struct bench *b, const char *why)
{
    char error[PC_ERROR_MAX] = "";
    u64 before = pc_state_hash(b->pc[1]);

    assert_int_not_equal(pc_snapshot_load(b->pc[1], b->path, error), STATUS_OK);
    if (!strstr(error, why))
        fail_msg("refused because: %s", error);
    assert_true(pc_state_hash(b->pc[1]) == before);
}

static void a_broken_file_is_refused_and_changes_nothing(void **state)
{
    struct bench b;
    size_t len;

    (void)state;
    open_bench(&b, "tinybios.bin", jit_jit);
    run_to(b.pc[0], 30000000);
    run_to(b.pc[1], 10000000);
    expect_refusal(&b, "No such file");
    save(&b);
    u8 *bytes = read_all(b.path, &len);
    for (size_t cut = 0; cut < len; cut += len / 7) {
        write_all(b.path, bytes, cut);
        expect_refusal(&b, cut < 32 ? "is no snapshot" : "is incomplete");
    }
    for (size_t at = 8; at < len; at += len / 50) {
        bytes[at] ^= 0x20;
        write_all(b.path, bytes, len);
        expect_refusal(&b, "");
        bytes[at] ^= 0x20;
    }
    bytes[0] ^= 1;
    write_all(b.path, bytes, len);
    expect_refusal(&b, "is no snapshot of turbo86");
    bytes[0] ^= 1;
    bytes[8]++;
    write_all(b.path, bytes, len);
    expect_refusal(&b, "newer turbo86");
    bytes[8]--;
    write_all(b.path, bytes, len);
    load(&b);
    expect_equal(&b);
    free(bytes);
    close_bench(&b);
}

/* Give the section whose name begins with @name another version, and right checksums. */
static void patch_version(const char *path, const char *name, u32 version)
{
    enum { HEADER = 32, ENTRY = 72, VERSION = 40, CHECK = 24 };
    size_t len;
    u8 *bytes = read_all(path, &len);
    size_t count = (size_t)load_le(bytes + 12, 4);

    for (size_t i = 0; i < count; i++) {
        u8 *e = bytes + HEADER + i * ENTRY;
        if (strncmp((char *)e, name, strlen(name)) == 0)
            store_le(e + VERSION, version, 4);
    }
    XXH64_state_t *x = XXH64_createState();
    XXH64_reset(x, 0);
    XXH64_update(x, bytes, CHECK);
    XXH64_update(x, bytes + HEADER, count * ENTRY);
    store_le(bytes + CHECK, XXH64_digest(x), 8);
    XXH64_freeState(x);
    write_all(path, bytes, len);
    free(bytes);
}

static void a_section_of_a_later_version_is_refused(void **state)
{
    struct bench b;

    (void)state;
    open_bench(&b, "tinybios.bin", jit_jit);
    run_to(b.pc[0], 30000000);
    save(&b);
    patch_version(b.path, "board", 99);
    expect_refusal(&b, "'board' has version 99, of a newer turbo86");
    close_bench(&b);
}

static void another_machine_is_refused_with_what_differs(void **state)
{
    static const struct {
        const char *key, *value, *why;
    } other[] = {
        {"cpu", "486", "-cpu pentium4; this one has -cpu 486"},
        {"memory", "24M", "-m 20480K; this one has -m 24576K"},
        {"device", "isa-debug-exit,iobase=0xf4,iosize=4", "without 'chip"},
        {"boot", "menu=on", "boot options"},
    };
    struct bench b;

    (void)state;
    open_bench(&b, "tinybios.bin", jit_jit);
    run_to(b.pc[0], 5000000);
    save(&b);
    for (unsigned i = 0; i < ARRAY_LEN(other); i++) {
        pc_destroy(b.pc[1]);
        config_free(&b.cfg[1]);
        configure(&b.cfg[1], "tinybios.bin", "on");
        set(&b.cfg[1], other[i].key, other[i].value);
        b.pc[1] = machine(&b.cfg[1]);
        expect_refusal(&b, other[i].why);
    }
    close_bench(&b);
}

static void another_image_is_refused_but_a_medium_is_fetched(void **state)
{
    char disk[128], floppy[128], error[PC_ERROR_MAX];
    u8 *bytes = calloc(1, 1440 * 1024);
    struct bench b;

    (void)state;
    open_bench(&b, "tinybios.bin", jit_jit);
    snprintf(disk, sizeof(disk), "%s/disk", b.dir);
    snprintf(floppy, sizeof(floppy), "%s/floppy", b.dir);
    write_all(disk, bytes, 1440 * 1024);
    write_all(floppy, bytes, 1440 * 1024);
    for (unsigned i = 0; i < 2; i++) {
        pc_destroy(b.pc[i]);
        set(&b.cfg[i], "hda", disk);
        set(&b.cfg[i], "snapshot", "on");
        b.pc[i] = machine(&b.cfg[i]);
    }
    run_to(b.pc[0], 5000000);
    assert_int_equal(pc_change_medium(b.pc[0], "floppy0", floppy, error), STATUS_OK);
    save(&b);
    load(&b);
    expect_equal(&b);

    assert_int_equal(pc_change_medium(b.pc[1], "floppy0", NULL, error), STATUS_OK);
    bytes[5] = 1;
    unlink(floppy);
    write_all(floppy, bytes, 1440 * 1024);
    expect_refusal(&b, "is not what it was");

    pc_destroy(b.pc[1]);
    unlink(disk);
    write_all(disk, bytes, 1440 * 1024);
    b.pc[1] = machine(&b.cfg[1]);
    expect_refusal(&b, "disk 0 is not what it was");
    unlink(disk);
    unlink(floppy);
    free(bytes);
    close_bench(&b);
}

/* Part of the RAM in each way that its pages are stored: all, none, few, compressed or not. */
static void every_page_of_ram_comes_back(void **state)
{
    struct bench b;
    char error[PC_ERROR_MAX] = "";

    (void)state;
    open_bench(&b, "tinybios.bin", jit_jit);
    u8 *ram = physmem_ram(b.pc[0]->physmem), *other = physmem_ram(b.pc[1]->physmem);
    size_t size = physmem_ram_size(b.pc[0]->physmem), part = SNAPSHOT_RAM_PART;
    u32 random = 1;
    assert_true(size > 4 * part);
    for (size_t page = 0; page < size / PAGE_SIZE; page++) {
        u8 *p = ram + page * PAGE_SIZE;
        size_t n = page * PAGE_SIZE / part;
        bool some = n == 0 || (n == 1 && page % 3 == 1) || (n == 2 && page % 2 && page % 7) ||
                    (n == 4 && page % (part / PAGE_SIZE) > 700);
        for (size_t i = 0; i < PAGE_SIZE; i++)
            p[i] = (u8)(!some ? 0 : n == 2 ? page : (random = random * 1103515245 + 12345) >> 16);
    }
    save(&b);
    for (unsigned twice = 0; twice < 2; twice++) {
        memset(other, 0xa5, size); /* the second time into RAM that has come from a file itself */
        load(&b);
        assert_memory_equal(ram, other, size);
        expect_equal(&b);
    }
    struct pc_snapshot *snap = NULL;
    assert_int_equal(pc_snapshot_take(b.pc[0], &snap, error), STATUS_OK);
    memset(ram, 0x5a, size);
    assert_int_equal(pc_snapshot_apply(b.pc[0], snap, error), STATUS_OK);
    assert_memory_equal(ram, other, size);
    pc_snapshot_free(snap);
    close_bench(&b);
}

static void a_failing_save_leaves_the_old_file(void **state)
{
    char error[PC_ERROR_MAX] = "", partial[160];
    struct bench b;
    size_t len[2];

    (void)state;
    open_bench(&b, "tinybios.bin", jit_jit);
    save(&b);
    u8 *before = read_all(b.path, &len[0]);
    run_to(b.pc[0], 30000000);
    snprintf(partial, sizeof(partial), "%s.partial", b.path);
    assert_int_equal(mkdir(partial, 0700), 0); /* in the way */
    assert_int_not_equal(pc_snapshot_save(b.pc[0], b.path, error), STATUS_OK);
    rmdir(partial);
    u8 *after = read_all(b.path, &len[1]);
    assert_int_equal(len[0], len[1]);
    assert_memory_equal(before, after, len[0]);
    free(before);
    free(after);
    close_bench(&b);
}

static void a_snapshot_in_memory_can_be_applied_again_and_again(void **state)
{
    struct bench b;
    struct pc_snapshot *s;
    char error[PC_ERROR_MAX];
    u64 hash[2];

    (void)state;
    open_bench(&b, "tinybios.bin", on_off);
    run_to(b.pc[0], 40000000);
    assert_int_equal(pc_snapshot_take(b.pc[0], &s, error), STATUS_OK);
    run_to(b.pc[0], 60000000);
    hash[0] = pc_state_hash(b.pc[0]);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(pc_snapshot_apply(b.pc[i % 2], s, error), STATUS_OK);
        assert_int_equal(pc_retired(b.pc[i % 2]), 40000000);
        run_to(b.pc[i % 2], 60000000);
        hash[1] = pc_state_hash(b.pc[i % 2]);
        assert_true(hash[0] == hash[1]);
    }
    pc_snapshot_free(s);
    close_bench(&b);
}

/* The chips would have to make up for a century of timer interrupts. */
static void a_clock_that_was_moved_is_refused(void **state)
{
    enum { BASE_NS_HIGH = 16 + 6 }; /* after .retired and .base_count */
    struct bench b;
    struct pc_snapshot *s;
    char error[PC_ERROR_MAX] = "";

    (void)state;
    open_bench(&b, "tinybios.bin", jit_jit);
    run_to(b.pc[0], 30000000);
    assert_int_equal(pc_snapshot_take(b.pc[0], &s, error), STATUS_OK);
    u64 hash = pc_state_hash(b.pc[0]);
    u8 *byte = snapfile_find(&s->file, "clock")->bytes + BASE_NS_HIGH;
    *byte ^= 0x20;
    assert_int_equal(pc_snapshot_apply(b.pc[0], s, error), STATUS_BAD_VALUE);
    assert_non_null(strstr(error, "'clock' is damaged"));
    assert_true(pc_state_hash(b.pc[0]) == hash);
    *byte ^= 0x20;
    assert_int_equal(pc_snapshot_apply(b.pc[0], s, error), STATUS_OK);
    pc_snapshot_free(s);
    close_bench(&b);
}

/* The host's unit would raise what is pending there. */
static void an_error_of_the_x87_that_nobody_was_told_of_is_refused(void **state)
{
    struct bench b;
    struct pc_snapshot *s;
    char error[PC_ERROR_MAX] = "";

    (void)state;
    open_bench(&b, "tinybios.bin", jit_jit);
    run_to(b.pc[0], 1000000);
    struct x87_state *f = &b.pc[0]->cpu[0]->x87, was = *f;
    f->control &= (u16)~BIT(0); /* invalid operations are not masked */
    f->status |= BIT(0);
    assert_int_equal(pc_snapshot_take(b.pc[0], &s, error), STATUS_OK);
    *f = was;
    u64 hash = pc_state_hash(b.pc[0]);
    assert_int_equal(pc_snapshot_apply(b.pc[0], s, error), STATUS_BAD_VALUE);
    assert_non_null(strstr(error, "is damaged"));
    assert_true(pc_state_hash(b.pc[0]) == hash);
    pc_snapshot_free(s);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saving_and_loading_changes_nothing_at_any_instant),
        cmocka_unit_test(the_same_under_seabios),
        cmocka_unit_test(a_broken_file_is_refused_and_changes_nothing),
        cmocka_unit_test(a_section_of_a_later_version_is_refused),
        cmocka_unit_test(another_machine_is_refused_with_what_differs),
        cmocka_unit_test(another_image_is_refused_but_a_medium_is_fetched),
        cmocka_unit_test(every_page_of_ram_comes_back),
        cmocka_unit_test(a_failing_save_leaves_the_old_file),
        cmocka_unit_test(a_snapshot_in_memory_can_be_applied_again_and_again),
        cmocka_unit_test(a_clock_that_was_moved_is_refused),
        cmocka_unit_test(an_error_of_the_x87_that_nobody_was_told_of_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
