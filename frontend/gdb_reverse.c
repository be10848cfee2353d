/* SPDX-License-Identifier: MIT */
/*
 * Backwards, by going back to a checkpoint and running again: a deterministic machine then does
 * what it did. Checkpoints get rarer when there are many of them.
 */
#include <string.h>

#include "frontend/gdb_private.h"

#define SPACING_START 20000000u /* instructions between checkpoints */
#define STRETCH_START 1000000u  /* looked at with every access watched: slow */
#define BYTES_MAX     ((size_t)512 << 20)

static void drop(struct gdb_past *p, unsigned i)
{
    p->bytes -= pc_snapshot_bytes(p->at[i]);
    pc_snapshot_free(p->at[i]);
    p->count--;
    memmove(&p->at[i], &p->at[i + 1], (p->count - i) * sizeof(p->at[0]));
    memmove(&p->retired[i], &p->retired[i + 1], (p->count - i) * sizeof(p->retired[0]));
}

/* Every second one goes, but never the first. */
static void thin_out(struct gdb_past *p)
{
    for (unsigned i = 1; i < p->count; i++)
        drop(p, i);
    p->spacing *= 2;
}

void gdb_past_note(struct gdbstub *g)
{
    struct gdb_past *p = &g->past;
    u64 now = pc_retired(g->pc);
    char error[PC_ERROR_MAX];

    if (!pc_deterministic(g->pc))
        return;
    if (!p->spacing)
        p->spacing = SPACING_START;
    if (p->count && now < p->retired[p->count - 1] + p->spacing)
        return;
    if (p->count == GDB_CHECKPOINTS || (p->count > 2 && p->bytes > BYTES_MAX))
        thin_out(p);
    if (pc_snapshot_take(g->pc, &p->at[p->count], error) != STATUS_OK)
        return; /* then the way back is longer */
    p->bytes += pc_snapshot_bytes(p->at[p->count]);
    p->retired[p->count++] = now;
}

void gdb_past_free(struct gdbstub *g)
{
    while (g->past.count)
        drop(&g->past, g->past.count - 1);
    g->past = (struct gdb_past){.count = 0};
}

/* Run to @retired, whatever is hit on the way. */
static bool run_to(struct gdbstub *g, u64 retired)
{
    g->replays = true;
    pc_stop_at(g->pc, retired);
    while (pc_retired(g->pc) < retired && pc_run(g->pc, 0) == PC_STOP_SLICE)
        continue;
    pc_stop_at(g->pc, 0);
    g->replays = false;
    return pc_retired(g->pc) == retired;
}

/* Go to @retired, from the last checkpoint that is not behind it. */
static bool go_to(struct gdbstub *g, u64 retired)
{
    struct gdb_past *p = &g->past;
    unsigned i = p->count;
    char error[PC_ERROR_MAX];

    while (i && p->retired[i - 1] > retired)
        i--;
    if (!i || pc_snapshot_apply(g->pc, p->at[i - 1], error) != STATUS_OK)
        return false;
    pc_debug_set_mode(g->pc, PC_DEBUG_IGNORE, 0);
    return run_to(g, retired);
}

/* From where the machine is to @end: the last hit. */
static struct pc_debug_hit last_hit(struct gdbstub *g, u64 end, enum pc_debug_mode mode)
{
    pc_debug_set_mode(g->pc, mode, end);
    bool there = run_to(g, end);
    (void)there; /* it was there before */
    return pc_debug_last(g->pc);
}

bool gdb_step_back(struct gdbstub *g)
{
    u64 now = pc_retired(g->pc);
    bool ok = now && g->past.count && now > g->past.retired[0] && go_to(g, now - 1);

    pc_debug_set_mode(g->pc, PC_DEBUG_STOP, 0);
    return ok;
}

/*
 * In larger and larger stretches: in which block was the last hit? Then, instruction by
 * instruction, where in it?
 */
bool gdb_continue_back(struct gdbstub *g)
{
    u64 first = g->past.count ? g->past.retired[0] : UINT64_MAX;
    struct pc_debug_hit hit = {.hit = false};

    for (u64 end = pc_retired(g->pc), stretch = STRETCH_START; end > first && !hit.hit;
         stretch *= 2) {
        u64 begin = end - first > stretch ? end - stretch : first;
        if (!go_to(g, begin))
            break;
        hit = last_hit(g, end, PC_DEBUG_NOTE);
        if (hit.hit && hit.kind != PC_DEBUG_BREAK && go_to(g, hit.retired))
            hit = last_hit(g, hit.end < end ? hit.end : end, PC_DEBUG_NOTE_EACH);
        end = begin;
    }
    bool there = g->past.count && go_to(g, hit.hit ? hit.retired : first);
    pc_debug_set_mode(g->pc, PC_DEBUG_STOP, 0);
    pc_debug_resume(g->pc);
    if (hit.hit)
        pc_debug_set_last(g->pc, hit);
    return hit.hit && there;
}
