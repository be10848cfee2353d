/* SPDX-License-Identifier: MIT */
/* Private to machine/snapshot*.c: the sections of a snapshot, and what is kept while one is loaded.
 */
#pragma once

#include "machine/board.h"
#include "machine/journal_private.h"
#include "machine/snapfile.h"
#include "machine/snapshot.h"

enum { SNAPSHOT_PATH = 512 };

#define SNAPSHOT_RAM_PART ((size_t)4 << 20) /* of the guest's RAM in one section */

struct pc_snapshot {
    struct snapfile file;
    struct journal_place place; /* in what is replayed */
};

enum { SNAPSHOT_BOARD_VERSION = 2 };

/** State of the board itself: between the chips, and what the firmware is told of the display. */
struct snapshot_board {
    u8 irq_level[16];
    u8 a20;
    bool nmi_masked, reset_wanted, nographic;
    u8 reset_pending[PC_CPUS]; /* 1: INIT#, 2: RESET#, at the next instruction */
    u64 resets, slept_ns;
};

/** What is in a drive. */
struct snapshot_drive {
    bool present, cdrom, medium;
    u64 sectors, identity;
    u8 path[SNAPSHOT_PATH]; /* "" if it is too long */
};

/** The clock without its timers. */
struct snapshot_clock {
    u64 retired, base_count, base_ns, ratio;
    u32 base_frac, timers;
};

extern const struct field snapshot_board_fields[], snapshot_drive_fields[], snapshot_clock_fields[];

/** Names of sections. @n counts chips, CPUs, drives or parts of RAM. */
void snapshot_chip_name(char name[SNAPFILE_NAME_MAX], unsigned n, const struct device_class *class);
void snapshot_cpu_name(char name[SNAPFILE_NAME_MAX], unsigned n);
void snapshot_overlay_name(char name[SNAPFILE_NAME_MAX], unsigned n);
void snapshot_ram_name(char name[SNAPFILE_NAME_MAX], unsigned n);

/** The machine that a snapshot needs, as lines of text. */
#define SNAPSHOT_MACHINE_MAX 2048u
void snapshot_describe(const struct pc *pc, char text[SNAPSHOT_MACHINE_MAX]);

/** What is in drive @n of @pc. */
enum status snapshot_describe_drive(struct pc *pc, unsigned n,
                                    struct snapshot_drive *out) MUST_CHECK;

/* --- snapshot_ram.c --- */
/** The section with a bit for each page of RAM that is not all zeros, and its bytes. */
#define SNAPSHOT_RAM_MAP "rammap"
size_t snapshot_ram_map_size(const struct pc *pc);
unsigned snapshot_ram_parts(const struct pc *pc);
/** Whether section @name has a part of the pages. */
bool snapshot_is_ram(const char *name);

/** RAM that is kept aside while a snapshot is loaded from a file. */
struct snapshot_ram {
    u8 *mem;      /* what the RAM will be; NULL: it is in sections that have their bytes */
    u8 *mapping;  /* owned, with mem in it... */
    size_t bytes; /* ...so large */
};

/** Append all of RAM's sections. */
void snapshot_ram_put(struct snapfile *f, const struct pc *pc);
/**
 * Check RAM's sections, whose lengths are possible, and unpack those that are in a file. @r, all
 * zeros, is then for snapshot_ram_commit() or snapshot_ram_unstage().
 */
enum status snapshot_ram_stage(struct snapshot_ram *r, const struct pc *pc, struct snapfile *f,
                               char error[PC_ERROR_MAX]) MUST_CHECK;
/** Put it into place. */
void snapshot_ram_commit(struct snapshot_ram *r, struct pc *pc, const struct snapfile *f);
void snapshot_ram_unstage(struct snapshot_ram *r);

/** As pc_snapshot_apply(). */
enum status snapshot_apply_file(struct pc *pc, struct snapfile *f,
                                char error[PC_ERROR_MAX]) MUST_CHECK;

/** Whether timer @t is in snapshots: the guest's are, and the typist's. */
bool snapshot_has_timer(const struct clock_timer *t);
