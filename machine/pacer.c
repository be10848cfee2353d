/* SPDX-License-Identifier: MIT */
#include "machine/pacer.h"

#include <string.h>

enum {
    SMOOTHING = 8,                /* slices over which the measured speed is averaged   */
    STEER_NS = 100 * 1000 * 1000, /* a lead or lag is worked off over this time        */
    AHEAD_NS = 2 * 1000 * 1000,   /* a limited guest runs so far ahead before it waits     */
    AWAY_NS = 500 * 1000 * 1000,  /* a larger lag is not caught up: the host was away  */
};

#define RATIO_START (20 * CLOCK_RATIO_DEFAULT) /* 50 million instructions a second */
#define RATIO_MIN   (CLOCK_RATIO_DEFAULT / 64)
#define RATIO_MAX   (CLOCK_RATIO_DEFAULT * 10000)

static u64 clamp(u64 v, u64 lo, u64 hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

void pacer_init(struct pacer *p)
{
    memset(p, 0, sizeof(*p));
    p->speed = RATIO_START;
}

u64 pacer_guest_time(const struct pacer *p, u64 host_ns)
{
    return host_ns - p->host_zero;
}

u64 pacer_host_time(const struct pacer *p, u64 guest_ns)
{
    return guest_ns + p->host_zero;
}

void pacer_slept(struct pacer *p, const struct clock *c, u64 host_ns)
{
    p->last_host = host_ns;
    p->last_retired = clock_retired(c);
}

/* Average in what the slice since the last update tells. */
static void pacer_measure(struct pacer *p, const struct clock *c, u64 host_ns)
{
    u64 retired = clock_retired(c) - p->last_retired;
    u64 took = host_ns - p->last_host;

    if (retired >= 1000 && took && took < AWAY_NS) {
        u64 now = clamp((u64)(((u128)took << 32) / retired), RATIO_MIN, RATIO_MAX);
        p->speed = (p->speed * (SMOOTHING - 1) + now) / SMOOTHING;
    }
    pacer_slept(p, c, host_ns);
}

void pacer_update(struct pacer *p, struct clock *c, u64 host_ns)
{
    u64 now = clock_now(c);

    if (!p->started) {
        p->started = true;
        p->host_zero = host_ns - now; /* may wrap; differences stay right */
        pacer_slept(p, c, host_ns);
    }
    pacer_measure(p, c, host_ns);
    i64 lag = (i64)(pacer_guest_time(p, host_ns) - now);
    if (lag > AWAY_NS) {
        p->host_zero += (u64)lag;
        lag = 0;
    }
    /* From half to twice the measured ratio, so that an error cannot stop or flood the guest. */
    i64 steer = lag;
    if (steer > STEER_NS)
        steer = STEER_NS;
    if (steer < -STEER_NS / 2)
        steer = -STEER_NS / 2;
    u64 ratio = (u64)((u128)p->speed * (u64)(STEER_NS + steer) / STEER_NS);
    ratio = clamp(ratio, RATIO_MIN, RATIO_MAX);
    clock_set_ratio(c, ratio < p->slowest ? p->slowest : ratio);
}

void pacer_limit(struct pacer *p, u64 per_second)
{
    p->slowest = per_second ? (u64)(((u128)CLOCK_NS_PER_SEC << 32) / per_second) : 0;
}

bool pacer_ahead(const struct pacer *p, const struct clock *c, u64 host_ns)
{
    return p->slowest && p->started &&
           (i64)(clock_now(c) - pacer_guest_time(p, host_ns)) > AHEAD_NS;
}
