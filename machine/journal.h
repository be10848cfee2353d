/* SPDX-License-Identifier: MIT */
/*
 * Record and replay. A recording is a snapshot of the machine at its start (machine/snapfile.h),
 * and one section more: all that came from outside since, each with the instruction and the guest
 * time at which it came. Whatever reaches the machine goes through journal_input(), which is the
 * one place that knows when it came.
 */
#pragma once

#include "machine/pc.h"

enum journal_kind {
#define JOURNAL(name, numbers, bytes) JOURNAL_##name,
#include "machine/journal.def"
#undef JOURNAL
    JOURNAL__COUNT
};

/** Something from outside; what its numbers and bytes mean: machine/journal.def. */
struct journal_event {
    enum journal_kind kind;
    u64 number[3];
    const u8 *bytes;
    size_t len;
    u64 retired, time; /* when it came; journal_input() fills them in */
};

/**
 * Note from now on what comes from outside. STATUS_CONFLICT, with the reason in @error: this
 * machine cannot be recorded (a disk that it writes to itself would not be the same again).
 */
enum status pc_record(struct pc *pc, char error[PC_ERROR_MAX]) MUST_CHECK;

/**
 * The recording is over: write it to @path, which appears whole or not at all. On failure @error
 * holds one sentence.
 */
enum status pc_record_end(struct pc *pc, const char *path, char error[PC_ERROR_MAX]) MUST_CHECK;

/**
 * Go to the start of the recording @path, and take everything from outside from there, nothing from
 * whoever calls; pc_run() returns PC_STOP_REPLAYED at its end, or PC_STOP_DIFFERENCE as soon as the
 * machine does anything else than was recorded. @pc must be deterministic. What is damaged, cut,
 * foreign, newer or of another machine is refused: @error holds one sentence, @pc is as it was.
 */
enum status pc_replay(struct pc *pc, const char *path, char error[PC_ERROR_MAX]) MUST_CHECK;

/** Whether @pc is being recorded, and whether it takes what comes from a recording. */
bool pc_records(const struct pc *pc);
bool pc_replays(const struct pc *pc);
