/* SPDX-License-Identifier: MIT */
/*
 * -jit check: two machines from one configuration, one with translated code, one interpreting. They
 * take turns: a few instructions by the first, as many by the second, then everything must be
 * equal.
 *
 * After every step, which is one translated block or a short chain of them: the CPU's state, the
 * number of instructions, and which ports and devices were asked what and when. Every 2^24
 * instructions and when the run ends: all chips, disks, memory and timers, too.
 *
 * Private to machine/.
 */
#pragma once

#include "cpu/cpu.h"
#include "machine/pc.h"

struct check;

/**
 * Give @pc, which has just been created, a twin that interprets. STATUS_BAD_VALUE: @error says why
 * two machines cannot share this configuration.
 */
enum status check_create(struct check **out, struct pc *pc, char error[PC_ERROR_MAX]) MUST_CHECK;
void check_destroy(struct check *c);

/** Let both run, at most @cap instructions, and compare; how @pc's CPU returned. */
enum cpu_exit check_slice(struct check *c, u64 cap);

/**
 * @pc has seen to what the slice led to (@on, @stop: as pc_settle() said): let the twin do the
 * same, and compare. False: there is a difference, now or in the slice.
 */
bool check_settle(struct check *c, enum cpu_exit exit, u64 host_ns, bool on,
                  enum pc_stop stop) MUST_CHECK;

/** What differs, and everything that may tell why, as text; "" without a difference. */
const char *check_report(const struct check *c);
