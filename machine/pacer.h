/* SPDX-License-Identifier: MIT */
/*
 * Makes guest time follow the host's. The clock counts instructions; the pacer measures how long
 * the host takes for them and sets the ratio so, and steers a lead or a lag away slowly. Only
 * called between slices.
 */
#pragma once

#include "base/clock.h"
#include "base/types.h"

struct pacer {
    bool started;
    u64 host_zero;    /* host time at which guest time was 0; moved when the host was away */
    u64 last_host;    /* at the last update...                                            */
    u64 last_retired; /* ...and the instructions retired then                             */
    u64 slowest;      /* ratio that the guest may not fall below: a speed limit; 0: none    */
    u64 speed;        /* measured ns an instruction, 32.32; smoothed                      */
};

/** Forget the past: the next update starts from where the guest is. */
void pacer_init(struct pacer *p);

/** Begin of a slice at @host_ns: sets the clock's ratio. */
void pacer_update(struct pacer *p, struct clock *c, u64 host_ns);

/** The guest has slept: what passed since the last update tells nothing about speed. */
void pacer_slept(struct pacer *p, const struct clock *c, u64 host_ns);

/** The guest time that belongs to @host_ns, and the other way round. */
u64 pacer_guest_time(const struct pacer *p, u64 host_ns);
u64 pacer_host_time(const struct pacer *p, u64 guest_ns);

/** Run at most @per_second instructions a second; 0: as many as the host can. */
void pacer_limit(struct pacer *p, u64 per_second);

/** Whether a limited guest is ahead of the host and has to wait until pacer_host_time(now). */
bool pacer_ahead(const struct pacer *p, const struct clock *c, u64 host_ns);
