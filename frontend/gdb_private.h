/* SPDX-License-Identifier: MIT */
/* Private to frontend/gdb*.c. */
#pragma once

#include "frontend/chardev.h"
#include "frontend/gdbstub.h"
#include "machine/debug.h"
#include "machine/snapshot.h"

enum { GDB_PACKET = 0x4000, GDB_CHECKPOINTS = 32 };

/** Snapshots on the way, to go back to. */
struct gdb_past {
    struct pc_snapshot *at[GDB_CHECKPOINTS];
    u64 retired[GDB_CHECKPOINTS];
    unsigned count;
    u64 spacing; /* instructions */
    size_t bytes;
};

struct gdbstub {
    struct pc *pc;
    struct chardev *dev;
    char *xml;       /* owned */
    unsigned client; /* 0: none */
    bool holds, replays, killed;
    bool owes_ack, no_ack; /* of a packet: still to be sent, and never */
    bool stepping;
    u64 step_end;
    char in[GDB_PACKET]; /* of a packet that is not complete */
    size_t in_len;
    char out[2 * GDB_PACKET];
    char frame[2 * GDB_PACKET + 8]; /* with what stands around it, for one write */
    struct gdb_past past;
};

/** Send @text as a packet. */
void gdb_send(struct gdbstub *g, const char *text);
/** One packet, without its frame. */
void gdb_handle(struct gdbstub *g, char *packet);
/** Tell why the machine stopped. @signal: 5 SIGTRAP, 2 SIGINT. */
void gdb_report_stop(struct gdbstub *g, unsigned signal);

/* --- gdb_reverse.c --- */
/** Keep a checkpoint here, if it is time. */
void gdb_past_note(struct gdbstub *g);
void gdb_past_free(struct gdbstub *g);
/** One instruction back. False: there is no way. */
bool gdb_step_back(struct gdbstub *g);
/** Back to the last hit. False: none, the machine is at the first checkpoint. */
bool gdb_continue_back(struct gdbstub *g);
