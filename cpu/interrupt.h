/* SPDX-License-Identifier: MIT */
/* Delivery of interrupts and exceptions [SDM 3A §6, §20.3]. */
#pragma once

#include "cpu/state.h"

enum int_source {
    INT_EXTERNAL,  /* INTR, NMI                                      */
    INT_SOFTWARE,  /* INT n, INT3, INTO: the gate's DPL is checked   */
    INT_EXCEPTION, /* faults and traps, INT1                         */
};

struct int_event {
    u8 vector;
    u8 source; /* enum int_source */
    bool has_error;
    u32 error;
    bool rf; /* the pushed EFLAGS has RF set: fault-class exceptions [SDM 3B §17.3.1.1] */
};

/**
 * Deliver one event with cpu->next_rip as the return address; on success next_rip, CS, SS, ESP and
 * EFLAGS are the handler's. False: delivering it faulted (cpu->fault), nothing has changed.
 */
bool interrupt_deliver(struct cpu *cpu, const struct int_event *ev) MUST_CHECK;

/**
 * Deliver cpu->fault as raised by the instruction at cpu->rip, with double faults and the shutdown
 * that a triple fault is. Afterwards cpu->rip is where execution goes on.
 */
void interrupt_fault(struct cpu *cpu);

/** INT n in virtual-8086 mode with VME: through the guest's IVT? [SDM 3B §20.3.3] */
bool interrupt_vme(struct cpu *cpu, u8 vector, bool *redirected) MUST_CHECK;

/** The stack for @cpl from the TSS; faults are #TS with @ext or-ed in. */
bool tss_stack(struct cpu *cpu, unsigned cpl, u32 ext, u16 *ss, u32 *esp) MUST_CHECK;

/** A frame of values to be pushed, first pushed first. */
struct push_frame {
    u32 v[40];
    unsigned n;
};

/**
 * Check, then write @f to the stack @ss from *@esp down in units of @w; *@esp follows. @cpl: whose
 * rights the writes have. A limit violation is #SS(@error).
 */
bool frame_push(struct cpu *cpu, const struct segment *ss, u32 *esp, unsigned cpl, enum width w,
                const struct push_frame *f, u32 error) MUST_CHECK;
