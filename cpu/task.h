/* SPDX-License-Identifier: MIT */
/* Hardware task switching [SDM 3A §7]. */
#pragma once

#include "cpu/interrupt.h"
#include "cpu/segment.h"

enum task_cause { TASK_JMP, TASK_CALL, TASK_INT, TASK_IRET };

/**
 * Switch to the task of the TSS descriptor @tss with selector @sel. cpu->next_rip is where the old
 * task goes on. On success next_rip is the new task's. False: a fault, in the old task if nothing
 * was saved yet, else in the new one (cpu->rip is then its EIP).
 */
bool task_switch(struct cpu *cpu, u16 sel, const struct descriptor *tss,
                 enum task_cause cause) MUST_CHECK;

/** Through a task gate of the IDT, pushing the event's error code in the new task. */
bool task_switch_gate(struct cpu *cpu, u16 sel, u32 ext, const struct int_event *ev) MUST_CHECK;

/** Fetch and check a TSS descriptor for a switch by JMP, CALL, INT (available) or IRET (busy). */
bool task_fetch_tss(struct cpu *cpu, u16 sel, u32 ext, enum task_cause cause,
                    struct descriptor *tss) MUST_CHECK;
