/* SPDX-License-Identifier: MIT */
/*
 * The whole board under a guest that does anything: accesses to ports, memory, configuration space
 * and bus masters with time steps between them, and random code. It must neither crash nor hang;
 * equal cases must end in equal states; and what is saved of each chip must load to the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/fuzz/fuzz_board.h"

enum { BIOS_SIZE = 0x10000, DISK_SIZE = 300 * 512, OPERATIONS_MAX = 1500, IMAGES = 3 };

/* One after another, by the case's number. */
enum board { BOARD_STD, BOARD_CIRRUS, BOARD_ISA, BOARDS };

static struct {
    struct config cfg[BOARDS];
    char path[IMAGES][FUZZ_PATH_MAX]; /* BIOS and two disks */
    bool ready;
} fixture;

static void put_nowhere(void *ctx, u8 byte)
{
    (void)ctx;
    (void)byte;
}

static void set(struct fuzz *f, enum board board, const char *key, const char *text)
{
    struct config *cfg = &fixture.cfg[board];

    if (config_set(cfg, key, text) != CONFIG_RUN)
        fuzz_fail(f, "%s", cfg->error);
}

static void set_drives(struct fuzz *f, enum board board)
{
    char text[FUZZ_PATH_MAX + 40];

    snprintf(text, sizeof(text), "file=%s,index=0,snapshot=on", fixture.path[1]);
    set(f, board, "drive", text);
    snprintf(text, sizeof(text), "file=%s,index=1,readonly=on", fixture.path[1]);
    set(f, board, "drive", text);
    snprintf(text, sizeof(text), "file=%s,index=2,snapshot=on", fixture.path[2]);
    set(f, board, "drive", text);
    snprintf(text, sizeof(text), "file=%s,index=3,media=cdrom", fixture.path[1]);
    set(f, board, "drive", text);
    snprintf(text, sizeof(text), "file=%s,if=floppy,snapshot=on", fixture.path[1]);
    set(f, board, "drive", text);
}

static void configure(struct fuzz *f, enum board board)
{
    if (!config_init(&fixture.cfg[board]))
        fuzz_fail(f, "no memory");
    set(f, board, "machine", board == BOARD_ISA ? "isapc" : "pc");
    set(f, board, "deterministic", "on");
    set(f, board, "memory", "4M");
    set(f, board, "cpu", "max");
    set(f, board, "bios", fixture.path[0]);
    set(f, board, "vga", board == BOARD_CIRRUS ? "cirrus" : "std");
    set(f, board, "device", "isa-debug-exit,iobase=0xf4,iosize=4");
    if (board != BOARD_ISA) {
        set(f, board, "device", "rtl8139,romfile=");
        set(f, board, "device", "ne2k_pci,romfile=");
    }
    set(f, board, "device", "ne2k_isa");
    set(f, board, "device", "sb16");
    set_drives(f, board);
}

/* A BIOS that jumps to BOARD_CODE, and the images, once for all cases. */
static void prepare(struct fuzz *f)
{
    static const u8 jump[] = {0xea, BOARD_CODE & 0xff, BOARD_CODE >> 8, 0, 0};
    static u8 bytes[DISK_SIZE];

    memcpy(bytes + BIOS_SIZE - 16, jump, sizeof(jump));
    fuzz_file(fixture.path[0], bytes, BIOS_SIZE);
    for (unsigned i = 0; i < DISK_SIZE; i++)
        bytes[i] = (u8)(i * 7 + i / 512);
    fuzz_file(fixture.path[1], bytes, DISK_SIZE);
    fuzz_file(fixture.path[2], bytes, 512);
    for (enum board board = 0; board < BOARDS; board++)
        configure(f, board);
    if (log_open("/dev/null") != STATUS_OK)
        fuzz_fail(f, "no /dev/null");
    fixture.ready = true;
}

static void send_nowhere(void *ctx, const u8 *frame, size_t len)
{
    (void)ctx;
    if (len > NIC_FRAME_MAX || len == 0 || frame[len - 1] + frame[0] > 0x1fe)
        abort();
}

static void listen(void *ctx, const i16 *frames, unsigned n)
{
    (void)ctx;
    if (n == 0 || frames[0] + frames[2 * n - 1] > 2 * INT16_MAX)
        abort();
}

static struct pc *create(struct fuzz *f)
{
    struct pc_output nobody = {.put = put_nowhere};
    struct pc_wire wire = {.send = send_nowhere};
    struct pc_host host = {.serial = {nobody, nobody},
                           .debugcon = nobody,
                           .nic = {wire, wire, wire},
                           .sound = {listen, NULL},
                           .wall_seconds = 1};
    char error[PC_ERROR_MAX];
    struct pc *pc;

    if (pc_create(&pc, &fixture.cfg[f->number % BOARDS], &host, error) != STATUS_OK)
        fuzz_fail(f, "%s", error);
    return pc;
}

/* --- saving and loading --- */

struct buffer {
    u8 *bytes;
    size_t len, room;
};

static void append(void *ctx, const void *bytes, size_t n)
{
    struct buffer *b = ctx;

    if (b->len + n >= b->room) {
        b->room = 2 * (b->len + n) + 64;
        b->bytes = realloc(b->bytes, b->room);
        if (!b->bytes)
            abort();
    }
    memcpy(b->bytes + b->len, bytes, n);
    b->len += n;
}

static void check_fields(struct fuzz *f, const char *name, const struct field *fields,
                         const void *from, void *to, void (*loaded)(void *))
{
    struct buffer b = {0};

    append(&b, "", 0);
    fields_save(fields, from, append, &b);
    const u8 *p = b.bytes, *end = b.bytes + b.len;
    if (fields_load(fields, to, &p, end) != STATUS_OK || p != end)
        fuzz_fail(f, "%s: what was saved does not load", name);
    if (loaded)
        loaded(to);
    if (fields_hash(fields, from) != fields_hash(fields, to))
        fuzz_fail(f, "%s: not the same after saving and loading", name);
    free(b.bytes);
}

static void loaded_cpu(void *cpu)
{
    cpu_loaded(cpu);
    cpu_canonicalize(cpu);
}

static void check_disk(struct fuzz *f, const struct block *from, struct block *to)
{
    struct buffer b = {0};

    append(&b, "", 0);
    block_save(from, append, &b);
    const u8 *p = b.bytes;
    if (block_load(to, &p, b.bytes + b.len) != STATUS_OK || block_hash(from) != block_hash(to))
        fuzz_fail(f, "a disk: not the same after saving and loading");
    free(b.bytes);
}

static void check_save_load(struct fuzz *f, struct pc *pc)
{
    struct pc *to = create(f);

    to->clock.base_ns = clock_now(&pc->clock);
    for (unsigned i = 0; i < pc->clock.timer_count; i++)
        to->clock.timer[i].deadline = pc->clock.timer[i].deadline;
    memcpy(physmem_ram(to->physmem), physmem_ram(pc->physmem), pc->ram_bytes);
    cpu_canonicalize(pc->cpu[0]);
    check_fields(f, "cpu", cpu_fields, pc->cpu[0], to->cpu[0], NULL);
    loaded_cpu(to->cpu[0]);
    if (fields_hash(cpu_fields, pc->cpu[0]) != fields_hash(cpu_fields, to->cpu[0]))
        fuzz_fail(f, "cpu: loading changes it");
    for (unsigned i = 0; i < pc->chips; i++) {
        const struct device_class *c = pc->chip[i].class;
        check_fields(f, c->name, c->fields, pc->chip[i].dev, to->chip[i].dev, c->loaded);
    }
    for (unsigned i = 0; i < DRIVE_COUNT; i++) {
        if (pc->disk[i] && !block_read_only(pc->disk[i]))
            check_disk(f, pc->disk[i], to->disk[i]);
    }
    /* What was loaded has to stand use as well. */
    for (unsigned i = 0; i < 20; i++)
        board_operation(f, to);
    pc_destroy(to);
}

/* --- cases --- */

static void play(struct fuzz *f, struct pc *pc)
{
    bool code = fuzz_one_in(f, 3);
    u32 n = code ? fuzz_below(f, 20) : 1 + fuzz_below(f, OPERATIONS_MAX);

    if (code)
        board_guest_code(f, pc);
    for (; n; n--)
        board_operation(f, pc);
    if (!code)
        return;
    for (u64 end = pc_retired(pc) + 100000, i = 0; pc_retired(pc) < end && i < 8; i++)
        (void)pc_run(pc, 0);
}

static void one(struct fuzz *f)
{
    if (!fixture.ready)
        prepare(f);
    bool twice = fuzz_one_in(f, 8);
    struct fuzz first = *f;
    if (fuzz_one_in(f, 8))
        memset(log_threshold, LOG_TRACE, sizeof(log_threshold));
    struct pc *pc = create(f);
    play(f, pc);
    u64 hash = twice ? pc_state_hash(pc) : 0, now = pc_time(pc);
    if (fuzz_one_in(f, 8))
        check_save_load(f, pc);
    pc_destroy(pc);

    memset(log_threshold, LOG_INFO, sizeof(log_threshold));
    if (!twice)
        return;
    *f = first;
    (void)fuzz_one_in(f, 8);
    pc = create(f);
    play(f, pc);
    if (pc_state_hash(pc) != hash || pc_time(pc) != now)
        fuzz_fail(f, "the same case ends in another state");
    pc_destroy(pc);
}

int main(int argc, char **argv)
{
    return fuzz_main(argc, argv, "fuzz_board", one);
}
