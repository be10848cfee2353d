/* SPDX-License-Identifier: MIT */
/* Replaying: what was recorded comes again, at the instruction and the guest time of then. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cpu/state.h"
#include "machine/journal_private.h"

static bool lost(struct pc *pc, const char *what)
{
    const struct journal_event *e = &pc->journal->next;

    snprintf(pc->journal->report, sizeof(pc->journal->report),
             "--replay: %.200s: after %" PRIu64 " instructions, %" PRIu64
             " ns; what was recorded next came after %" PRIu64 " instructions, %" PRIu64 " ns\n",
             what, pc_retired(pc), pc_time(pc), e->retired, e->time);
    return false;
}

static bool is_here(const struct pc *pc)
{
    const struct journal_event *e = &pc->journal->next;

    return e->retired == clock_retired(&pc->clock) && e->time == clock_now(&pc->clock);
}

/* The medium must be what it was then. */
static bool change_medium(struct pc *pc, const struct journal_event *e)
{
    const char *drive = (const char *)e->bytes;
    const char *path = drive + strlen(drive) + 1;
    char error[PC_ERROR_MAX] = "", text[PC_ERROR_MAX];
    u64 identity = 0;

    enum status s = pc_change_medium(pc, drive, *path ? path : NULL, error);
    if (s == STATUS_OK)
        s = pc_medium_identity(pc, drive, &identity);
    if (s == STATUS_OK && identity == e->number[0])
        return true;
    snprintf(text, sizeof(text), "the medium '%.150s' is not what it was: %.150s", path,
             s == STATUS_OK ? "its contents have changed" : error);
    return lost(pc, text);
}

static bool type(struct pc *pc, const struct journal_event *e)
{
    char error[PC_ERROR_MAX];

    return pc_type(pc, (const char *)e->bytes, error) == STATUS_OK || lost(pc, error);
}

static bool apply(struct pc *pc, const struct journal_event *e)
{
    const u64 *n = e->number;

    switch (e->kind) {
    case JOURNAL_RATIO:
        clock_set_ratio(&pc->clock, n[0]);
        return true;
    case JOURNAL_KEY:
        (void)pc_key(pc, (unsigned)n[0], n[1]);
        return true;
    case JOURNAL_MOVE:
        pc_mouse_move(pc, (int)(u32)n[0], (int)(u32)n[1], (int)(u32)n[2]);
        return true;
    case JOURNAL_POINT:
        pc_mouse_point(pc, (u16)n[0], (u16)n[1]);
        return true;
    case JOURNAL_BUTTONS:
        pc_mouse_buttons(pc, (u8)n[0]);
        return true;
    case JOURNAL_SERIAL:
        pc_serial_input(pc, (unsigned)n[0], (u8)n[1]);
        return true;
    case JOURNAL_FRAME:
        if (n[0] < pc->nics)
            pc_nic_receive(pc, (unsigned)n[0], e->bytes, e->len);
        return n[0] < pc->nics || lost(pc, "a frame came for a card that is not there");
    case JOURNAL_CABLE:
        return pc_nic_unplug(pc, (unsigned)n[0], n[1]) || lost(pc, "a card is not there");
    case JOURNAL_TYPE:
        return type(pc, e);
    case JOURNAL_MEDIUM:
        return change_medium(pc, e);
    case JOURNAL_RESET:
        pc_reset(pc);
        return true;
    case JOURNAL_NMI:
        pc_nmi(pc);
        return true;
    case JOURNAL_POWER:
        (void)pc_power_button(pc);
        return true;
    default:
        return lost(pc, "the recording makes no sense");
    }
}

/* The recording is over: so is the run, in the same state or not. */
static bool end(struct pc *pc, enum pc_stop *stop)
{
    u64 ours = pc_state_hash(pc);

    *stop = PC_STOP_REPLAYED;
    if (ours == pc->journal->next.number[0])
        return false;
    *stop = PC_STOP_DIFFERENCE;
    return lost(pc, "the state at the end is not that of the recording");
}

bool journal_play(struct pc *pc, enum pc_stop *stop)
{
    struct journal *j = pc->journal;
    bool ok = true;

    while (ok && is_here(pc)) {
        if (j->next.kind == JOURNAL_END)
            return end(pc, stop);
        if (j->next.kind == JOURNAL_SETTLE && journal_read(j))
            return true; /* the main loop settles now */
        j->playing = true;
        ok = apply(pc, &j->next);
        j->playing = false;
        ok = ok && (journal_read(j) || lost(pc, "the recording makes no sense"));
    }
    u64 retired = clock_retired(&pc->clock);
    bool missed = j->next.retired < retired || j->next.time < clock_now(&pc->clock);
    bool awake = j->next.retired == retired && !pc->cpu[0]->halted;
    if (ok && (missed || awake))
        ok = lost(pc, "the machine has left the recording");
    if (!ok)
        *stop = PC_STOP_DIFFERENCE;
    return ok;
}

u64 journal_cap(const struct pc *pc, u64 cap)
{
    u64 left = pc->journal->next.retired - clock_retired(&pc->clock);

    return left < cap ? left : cap;
}

u64 journal_wake(const struct pc *pc)
{
    const struct journal_event *e = &pc->journal->next;

    return e->retired == clock_retired(&pc->clock) ? e->time : CLOCK_NEVER;
}

enum pc_stop journal_ended(struct pc *pc, enum pc_stop stop)
{
    enum pc_stop own = stop;

    if (pc->journal->next.kind == JOURNAL_END && is_here(pc)) {
        (void)end(pc, &own);
        return own == PC_STOP_REPLAYED ? stop : own;
    }
    (void)lost(pc, "the guest has ended the run, which was not recorded");
    return PC_STOP_DIFFERENCE;
}

struct journal_place journal_place(const struct pc *pc)
{
    return pc_replays(pc) ? pc->journal->before : (struct journal_place){0};
}

void journal_go(struct pc *pc, struct journal_place place)
{
    if (!pc_replays(pc))
        return;
    pc->journal->now = place;
    (void)!journal_read(pc->journal); /* pc_replay() has read them all */
}
