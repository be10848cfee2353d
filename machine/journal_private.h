/* SPDX-License-Identifier: MIT */
/* Between machine/journal*.c and the board. */
#pragma once

#include "machine/board.h"
#include "machine/journal.h"
#include "machine/snapfile.h"

/** Section of a recording, and its version. */
#define JOURNAL_SECTION "journal"
enum { JOURNAL_VERSION = 2 };

/** Between two events of a journal. */
struct journal_place {
    size_t at;         /* where the one after it begins */
    u64 retired, time; /* of the one before it          */
};

struct journal {
    bool replays;
    bool playing;         /* what comes now comes from here */
    bool settled;         /* recording: pc_settle() has run since the last event */
    struct snapfile file; /* recording: the start, and the journal as its last section */
    u8 *bytes;            /* owned; replaying: the journal      */
    size_t len;
    struct journal_place now;    /* recording: the end; replaying: after @next */
    struct journal_place before; /* replaying: before @next                    */
    struct journal_event next;
    char report[PC_ERROR_MAX];
};

/**
 * @e comes from outside, now. True: on with it. False: the machine is replaying, and nothing
 * happens.
 */
bool journal_input(struct pc *pc, struct journal_event e);
/** The same for an event of @kind with these numbers. */
bool journal_numbers(struct pc *pc, enum journal_kind kind, u64 a, u64 b, u64 c);

/** Recording: the main loop has fired what was due. Order matters, even if no time passes. */
void journal_settled(struct pc *pc);

/** Take the event at @j->now as @j->next. False: it makes no sense. */
bool journal_read(struct journal *j) MUST_CHECK;

/** Replaying: let come what comes now. False: *@stop says why the machine stops. */
bool journal_play(struct pc *pc, enum pc_stop *stop) MUST_CHECK;
/** Replaying: how many of @cap instructions may run before something comes; 0: it sleeps. */
u64 journal_cap(const struct pc *pc, u64 cap);
/** Replaying: when something comes to a CPU that stays halted; CLOCK_NEVER: it does not stay so. */
u64 journal_wake(const struct pc *pc);
/** The guest has ended the run by itself: was that recorded? @stop, or PC_STOP_DIFFERENCE. */
enum pc_stop journal_ended(struct pc *pc, enum pc_stop stop);

/** Where a replaying machine is in its recording, for snapshots in memory; and going there. */
struct journal_place journal_place(const struct pc *pc);
void journal_go(struct pc *pc, struct journal_place place);

void journal_free(struct journal *j);
