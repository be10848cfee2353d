// SPDX-License-Identifier: MIT
// A plugin for QEMU's user-mode emulators: says on stderr how many instructions the program
// executed, "insns: N", when it exits. With it two programs for a host that is only there under
// emulation can be compared: time says nothing there.
//
//     cc -shared -fPIC -O2 tests/bench/insn_count.c -o insn_count.so
//     qemu-aarch64 -L SYSROOT -plugin ./insn_count.so PROGRAM ...
//
// With ",top=COUNT" behind the file's name, also the COUNT pieces of straight code in which most of
// them were executed: "insns: N at ADDRESS, LENGTH long", addresses as the program sees them.
//
// With ",marks=on", "{N}" on stderr before each write to standard output: where both go into one
// file, what was executed between two lines that an emulated machine says on its serial port.
// (Numbers of system calls as on ARM64 and RISC-V.)
//
// Not part of turbo86. Distributions ship no header for plugins, so the few calls are declared
// here. Threads add to one counter without a lock: what they do at the same moment may count once.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, int op, void *, uint64_t);
void qemu_plugin_register_vcpu_syscall_cb(plugin_id,
                                          void (*)(plugin_id, unsigned vcpu, int64_t number,
                                                   uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                                                   uint64_t, uint64_t, uint64_t));
void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);

enum { ADD_U64 = 0, SLOTS = 1 << 20, WRITE = 64, WRITEV = 66 };

// One for each translated piece; a piece that is translated again gets its old one by its key.
struct piece {
    uint64_t executed;
    uint64_t address;
    size_t length;
};

extern int qemu_plugin_version;
int qemu_plugin_version = 1;

static uint64_t total;
static struct piece *pieces;
static size_t used;
static unsigned long top;

static struct piece *find_piece(uint64_t address, size_t length)
{
    size_t slot = (address * UINT64_C(0x9e3779b97f4a7c15) >> 20 ^ length) % SLOTS;
    while (pieces[slot].length &&
           (pieces[slot].address != address || pieces[slot].length != length))
        slot = (slot + 1) % SLOTS;
    if (!pieces[slot].length && used == SLOTS / 2)
        return NULL;
    used += !pieces[slot].length;
    pieces[slot].address = address;
    pieces[slot].length = length;
    return &pieces[slot];
}

static void on_translation(plugin_id id, struct qemu_plugin_tb *tb)
{
    (void)id;
    const size_t length = qemu_plugin_tb_n_insns(tb);
    qemu_plugin_register_vcpu_tb_exec_inline(tb, ADD_U64, &total, length);
    struct piece *piece = top ? find_piece(qemu_plugin_tb_vaddr(tb), length) : NULL;
    if (piece)
        qemu_plugin_register_vcpu_tb_exec_inline(tb, ADD_U64, &piece->executed, length);
}

static void on_syscall(plugin_id id, unsigned vcpu, int64_t number, uint64_t fd, uint64_t a2,
                       uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8)
{
    (void)id, (void)vcpu, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
    if ((number == WRITE || number == WRITEV) && fd == 1)
        fprintf(stderr, "{%" PRIu64 "}", total);
}

static int by_executed(const void *a, const void *b)
{
    const uint64_t x = ((const struct piece *)a)->executed;
    const uint64_t y = ((const struct piece *)b)->executed;
    return (x < y) - (x > y);
}

static void on_exit_of_program(plugin_id id, void *data)
{
    (void)id, (void)data;
    fprintf(stderr, "insns: %" PRIu64 "\n", total);
    if (!top)
        return;
    qsort(pieces, SLOTS, sizeof *pieces, by_executed);
    for (size_t i = 0; i < SLOTS && i < top && pieces[i].executed; i++)
        fprintf(stderr, "insns: %" PRIu64 " at %#" PRIx64 ", %zu long\n", pieces[i].executed,
                pieces[i].address, pieces[i].length);
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);
int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "top=", 4) == 0)
            top = strtoul(argv[i] + 4, NULL, 10);
        if (strcmp(argv[i], "marks=on") == 0)
            qemu_plugin_register_vcpu_syscall_cb(id, on_syscall);
    }
    pieces = top ? calloc(SLOTS, sizeof *pieces) : NULL;
    if (top && !pieces)
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_atexit_cb(id, on_exit_of_program, NULL);
    return 0;
}
