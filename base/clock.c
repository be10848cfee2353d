/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <assert.h>
#include <string.h>

void clock_init(struct clock *c, u64 ratio)
{
    assert(ratio != 0);
    memset(c, 0, sizeof(*c));
    c->ratio = ratio;
}

enum status clock_add(struct clock *c, const char *name, clock_fn *fn, void *dev, u32 arg, u32 *id)
{
    for (unsigned i = 0; i < c->timer_count; i++) {
        if (strcmp(c->timer[i].name, name) == 0)
            return STATUS_CONFLICT;
    }
    if (c->timer_count == CLOCK_MAX_TIMERS)
        return STATUS_NO_MEMORY;
    *id = c->timer_count++;
    c->timer[*id] = (struct clock_timer){name, fn, dev, arg, CLOCK_NEVER};
    return STATUS_OK;
}

/* Time since the last rebase as 64.32 fixed point, in 128 bits so that it cannot overflow. */
static u128 elapsed(const struct clock *c)
{
    return (u128)(clock_retired(c) - c->base_count) * c->ratio + c->base_frac;
}

u64 clock_now(const struct clock *c)
{
    return c->base_ns + (u64)(elapsed(c) >> 32);
}

static void clock_rebase(struct clock *c)
{
    u128 e = elapsed(c);

    c->base_ns += (u64)(e >> 32);
    c->base_frac = (u32)e;
    c->base_count = clock_retired(c);
}

/* How many instructions from now until time @deadline is reached; 0 if it is past. */
static u64 instructions_until(const struct clock *c, u64 deadline)
{
    if (deadline <= c->base_ns)
        return 0;
    u128 goal = (u128)(deadline - c->base_ns) << 32;
    u128 e = elapsed(c);
    if (goal <= e)
        return 0;
    u128 n = (goal - e + c->ratio - 1) / c->ratio;
    return n > INT64_MAX ? INT64_MAX : (u64)n;
}

void clock_limit(struct clock *c, i64 left)
{
    if (left < c->left) {
        c->end -= (u64)(c->left - left);
        c->left = left;
    }
}

void clock_arm(struct clock *c, u32 id, u64 deadline)
{
    assert(id < c->timer_count);
    c->timer[id].deadline = deadline;
    if (deadline != CLOCK_NEVER && c->left > 0)
        clock_limit(c, (i64)instructions_until(c, deadline));
}

void clock_disarm(struct clock *c, u32 id)
{
    assert(id < c->timer_count);
    c->timer[id].deadline = CLOCK_NEVER;
}

u64 clock_deadline(const struct clock *c, u32 id)
{
    return c->timer[id].deadline;
}

void clock_stop(struct clock *c)
{
    c->stop = true;
    clock_limit(c, 0);
}

u64 clock_next(const struct clock *c)
{
    u64 next = CLOCK_NEVER;

    for (unsigned i = 0; i < c->timer_count; i++) {
        if (c->timer[i].deadline < next)
            next = c->timer[i].deadline;
    }
    return next;
}

void clock_begin(struct clock *c, u64 cap)
{
    clock_rebase(c);
    c->stop = false;

    u64 now = clock_retired(c);
    u64 n = cap;
    u64 next = clock_next(c);
    if (next != CLOCK_NEVER) {
        u64 until = instructions_until(c, next);
        n = until < n ? until : n;
    }
    c->left = (i64)n;
    c->end = now + n;
}

void clock_fire(struct clock *c)
{
    u64 now = clock_now(c);

    for (;;) {
        struct clock_timer *due = NULL;
        for (unsigned i = 0; i < c->timer_count; i++) {
            struct clock_timer *t = &c->timer[i];
            if (t->deadline <= now && (!due || t->deadline < due->deadline))
                due = t;
        }
        if (!due || due->deadline == CLOCK_NEVER)
            return;
        due->deadline = CLOCK_NEVER;
        due->fn(due->dev, due->arg);
    }
}

void clock_skip(struct clock *c, u64 ns)
{
    clock_rebase(c);
    if (ns > c->base_ns) {
        c->base_ns = ns;
        c->base_frac = 0;
    }
}

void clock_set_ratio(struct clock *c, u64 ratio)
{
    assert(ratio != 0);
    clock_rebase(c);
    c->ratio = ratio;
}
