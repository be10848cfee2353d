/* SPDX-License-Identifier: MIT */
/* What check.c finds and check_report.c tells. */
#pragma once

#include "machine/board.h"
#include "machine/check.h"

#define CHECK_PATH 256u

/** A port or a device was asked. */
struct check_access {
    u8 kind, size; /* enum pc_access; bytes */
    u64 at, val, retired;
};

/** A block that the twin interpreted. */
struct check_block {
    u64 key; /* of struct block */
    u32 eip;
};

struct check {
    struct pc *pc, *twin;
    struct cpu_engine translator;
    bool entered;  /* in this step, translated code                       */
    u32 random;    /* lengths of steps: a fixed sequence                  */
    u64 each_from; /* instructions after which every step is one block    */
    u64 from;      /* instructions before this step                       */
    u64 whole_at;  /* instructions at which everything is compared        */
    u64 steps, wholes;

    /* Of this step. */
    struct check_access *access; /* what @pc asked for, in order */
    size_t accesses, room, seen; /* seen: how many of them the twin has repeated */
    bool strayed;                /* at access[seen], where the twin asked for @other */
    struct check_access other;
    struct check_block path[CHECK_PATH]; /* the last ones, as a ring */
    u64 path_count;

    char *report; /* NULL: no difference */
};

/** Write c->report: @what differs. */
void check_tell(struct check *c, const char *what);
