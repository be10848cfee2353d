/* SPDX-License-Identifier: MIT */
/*
 * Virtual time: the only source of time for the guest. The clock counts retired instructions and
 * maps them to nanoseconds; everything that happens later in guest time is a timer on it.
 *
 * A timer fires at the first instruction boundary whose time is not before its deadline. That
 * boundary depends on the count alone, not on the engine, its blocks, or the host.
 *
 * Engines count in @left: they decrease it after each retired instruction (a whole block at once,
 * if they can undo it) and return when it is 0 or less. Nothing else may write it.
 */
#pragma once

#include "base/status.h"
#include "base/types.h"

#define CLOCK_NEVER         UINT64_MAX
#define CLOCK_NS_PER_SEC    1000000000ull
#define CLOCK_RATIO_DEFAULT BIT64(32) /* 1 ns an instruction */
#define CLOCK_MAX_TIMERS    64u

/** Called when a timer fires. @dev and @arg are those given to clock_add(). */
typedef void clock_fn(void *dev, u32 arg);

struct clock_timer {
    const char *name; /* unique; names the timer in snapshots */
    clock_fn *fn;
    void *dev;
    u32 arg;
    u64 deadline; /* ns, or CLOCK_NEVER */
};

struct clock {
    i64 left; /* instructions that the engine may still retire */
    u64 end;  /* retired count at which left reaches 0          */

    u64 base_count; /* retired count at the last rebase...            */
    u64 base_ns;    /* ...and the time there: base_ns + base_frac/2^32 */
    u32 base_frac;
    u64 ratio; /* ns per instruction, 32.32 fixed point             */

    bool stop; /* clock_stop() was called in this slice             */
    unsigned timer_count;
    struct clock_timer timer[CLOCK_MAX_TIMERS];
};

/** Time 0, nothing armed, @ratio in 32.32 ns per instruction (not 0). */
void clock_init(struct clock *c, u64 ratio);

/** Register a timer, disarmed. @name must outlive the clock. STATUS_CONFLICT: the name is taken. */
enum status clock_add(struct clock *c, const char *name, clock_fn *fn, void *dev, u32 arg,
                      u32 *id) MUST_CHECK;

/** Instructions retired since the start. Exact at any point of an instruction's execution. */
static inline u64 clock_retired(const struct clock *c)
{
    return c->end - (u64)c->left;
}

/** Guest time in ns. Within an instruction it is the time at which that instruction began. */
u64 clock_now(const struct clock *c);

/**
 * Fire timer @id once at @deadline (ns, absolute); re-arming replaces the old deadline. A deadline
 * in the past fires at the next boundary. If the engine runs, its slice is shortened as needed.
 */
void clock_arm(struct clock *c, u32 id, u64 deadline);
void clock_disarm(struct clock *c, u32 id);

/** When timer @id will fire, or CLOCK_NEVER. */
u64 clock_deadline(const struct clock *c, u32 id);

/** End the slice after the current instruction: something needs the main loop's attention. */
void clock_stop(struct clock *c);

/** End the slice after at most @left more instructions. */
void clock_limit(struct clock *c, i64 left);

/** Open a slice: left = instructions to the next timer, at most @cap. */
void clock_begin(struct clock *c, u64 cap);

/** Fire everything that is due, in order of (deadline, registration). */
void clock_fire(struct clock *c);

/** The earliest deadline, or CLOCK_NEVER. */
u64 clock_next(const struct clock *c);

/** Let time pass without instructions, up to @ns (a halted CPU). Never goes back. */
void clock_skip(struct clock *c, u64 ns);

/** Change the ratio from now on. Only between slices. */
void clock_set_ratio(struct clock *c, u64 ratio);

/** A frequency's tick count at time @ns: floor(ns * hz / 10^9), exact. */
static inline u64 clock_ticks(u64 ns, u64 hz)
{
    return (u64)((u128)ns * hz / CLOCK_NS_PER_SEC);
}

/** The first time at which clock_ticks() is @ticks. */
static inline u64 clock_tick_time(u64 ticks, u64 hz)
{
    return (u64)(((u128)ticks * CLOCK_NS_PER_SEC + hz - 1) / hz);
}
