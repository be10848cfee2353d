/* SPDX-License-Identifier: MIT */
/*
 * The main loop: the clock says how many instructions may run before something is due, the CPU runs
 * them, the clock fires what is due. Nothing else advances guest time, except a halted CPU.
 */
#include "cpu/state.h"
#include "machine/board.h"
#include "machine/check.h"
#include "machine/journal_private.h"

enum {
    SLICE_NS = 1000 * 1000, /* interactive: how often the frontend gets to look around */
    SLICE_MIN = 2000,       /* in instructions */
    SLICE_MAX = 1 << 22,
    SLICE_DETERMINISTIC = 1 << 17,
    SKIPS_MAX = 1000, /* halts and resets in a slice: they cost host time but no instructions */
};

/* Instructions until the frontend is to be asked. Invisible to the guest. */
static u64 slice_length(const struct pc *pc)
{
    if (pc->deterministic)
        return SLICE_DETERMINISTIC;
    u64 n = ((u64)SLICE_NS << 32) / pc->clock.ratio;
    return n < SLICE_MIN ? SLICE_MIN : n > SLICE_MAX ? SLICE_MAX : n;
}

static void skip(struct pc *pc, u64 ns)
{
    u64 before = clock_now(&pc->clock);

    clock_skip(&pc->clock, ns);
    pc->slept_ns += clock_now(&pc->clock) - before;
}

/* The CPU waits for an interrupt. True: time has passed, look again. False: *@stop says why not. */
static bool sleep_step(struct pc *pc, u64 host_ns, enum pc_stop *stop)
{
    u64 next = clock_next(&pc->clock);

    if (pc_replays(pc) && journal_wake(pc) < next)
        next = journal_wake(pc);
    if (!pc_can_wake(pc, 0) || (next == CLOCK_NEVER && pc->deterministic)) {
        *stop = PC_STOP_HALTED;
        return false;
    }
    if (pc->deterministic || next <= pacer_guest_time(&pc->pacer, host_ns)) {
        skip(pc, next);
        clock_fire(&pc->clock);
        return true;
    }
    /* Input may come before the next timer: it must find the right time. */
    u64 now = pacer_guest_time(&pc->pacer, host_ns);
    if ((i64)now > 0)
        skip(pc, now);
    pc->slept = true;
    *stop = PC_STOP_IDLE;
    return false;
}

u64 pc_wake_time(const struct pc *pc)
{
    u64 next = pc->ahead ? clock_now(&pc->clock) : clock_next(&pc->clock);

    return next == CLOCK_NEVER ? UINT64_MAX : pacer_host_time(&pc->pacer, next);
}

/* Resets and shutdowns that came up in the slice. */
static void handle_events(struct pc *pc, enum cpu_exit exit)
{
    bool no_reboot = config_flag(pc->cfg, CONFIG_no_reboot);

    if (pc->reset_wanted) {
        if (no_reboot)
            pc_request_stop(pc, PC_STOP_RESET);
        else
            pc_reset_board(pc);
    } else if (exit == CPU_EXIT_SHUTDOWN) {
        /* The chip set answers the CPU's shutdown cycle with INIT# [82371SB §4.5]. */
        if (no_reboot)
            pc_request_stop(pc, PC_STOP_TRIPLE_FAULT);
        else
            pc_init_cpu(pc, 0), cpu_reset(pc->cpu[0], true);
    }
}

bool pc_settle(struct pc *pc, enum cpu_exit exit, u64 host_ns, enum pc_stop *stop)
{
    clock_fire(&pc->clock);
    handle_events(pc, exit);
    journal_settled(pc);
    return exit != CPU_EXIT_HALTED || pc->stopping || sleep_step(pc, host_ns, stop);
}

static enum cpu_exit slice(struct pc *pc, u64 cap)
{
    if (pc_replays(pc)) {
        cap = journal_cap(pc, cap);
        if (!cap) /* something comes here */
            return pc->cpu[0]->halted ? CPU_EXIT_HALTED : CPU_EXIT_BUDGET;
    }
    clock_begin(&pc->clock, cap);
    return cpu_run(pc->cpu[0]);
}

static enum pc_stop run_slices(struct pc *pc, u64 host_ns)
{
    enum pc_stop stop = PC_STOP_SLICE;

    pc->slices++;
    pc->look = false;
    if (!pc->deterministic) {
        if (pc->slept)
            pacer_slept(&pc->pacer, &pc->clock, host_ns);
        pc->slept = false;
        u64 ratio = pc->clock.ratio;
        pacer_update(&pc->pacer, &pc->clock, host_ns);
        if (pc->clock.ratio != ratio)
            (void)journal_numbers(pc, JOURNAL_RATIO, pc->clock.ratio, 0, 0);
        pc->ahead = pacer_ahead(&pc->pacer, &pc->clock, host_ns);
    }
    if (pc->ahead) {
        pc->slept = true;
        return PC_STOP_IDLE;
    }
    u64 end = clock_retired(&pc->clock) + slice_length(pc);
    if (pc->stop_at && pc->stop_at < end)
        end = pc->stop_at;
    for (unsigned skips = 0; skips < SKIPS_MAX;) {
        if (pc->stopping) {
            pc->stopping = false;
            pc->off = pc->stop == PC_STOP_POWER_OFF;
            return pc->stop;
        }
        if (pc_replays(pc) && !journal_play(pc, &stop))
            return stop;
        u64 retired = clock_retired(&pc->clock);
        if (retired >= end || pc->look)
            break;
        u64 cap = end - retired;
        enum cpu_exit exit = pc->check ? check_slice(pc->check, cap) : slice(pc, cap);
        bool on = pc_settle(pc, exit, host_ns, &stop);
        if (pc->check && !check_settle(pc->check, exit, host_ns, on, stop))
            return PC_STOP_DIFFERENCE;
        if (exit != CPU_EXIT_BUDGET)
            skips++;
        if (!on)
            return stop;
    }
    return PC_STOP_SLICE;
}

/* Has the guest itself ended the run? */
static bool is_guests(enum pc_stop stop)
{
    return stop == PC_STOP_POWER_OFF || stop == PC_STOP_EXIT || stop == PC_STOP_RESET ||
           stop == PC_STOP_TRIPLE_FAULT || stop == PC_STOP_HALTED;
}

enum pc_stop pc_run(struct pc *pc, u64 host_ns)
{
    enum pc_stop stop = run_slices(pc, host_ns);

    if (pc_replays(pc) && is_guests(stop))
        stop = journal_ended(pc, stop);
    sound_sync(pc->sound);
    return stop;
}
