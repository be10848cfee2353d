/* SPDX-License-Identifier: MIT */
/* The CPU as the board sees it. */
#pragma once

#include "base/fields.h"
#include "base/status.h"
#include "cpu/state.h"

struct cpu_desc {
    struct clock *clock;
    struct physmem *physmem;
    const char *model;  /* a row of cpu/cpuid.def; NULL: the default */
    struct cpu_bus bus; /* every callback set */
    unsigned number;    /* 0 for the only CPU */
};

/** Why cpu_run() returned. */
enum cpu_exit {
    CPU_EXIT_BUDGET,   /* clock->left is 0 or less                                   */
    CPU_EXIT_HALTED,   /* HLT: call again when a line changed (interrupt, NMI, INIT) */
    CPU_EXIT_SHUTDOWN, /* triple fault: only a reset helps                           */
};

/** A CPU in its reset state. STATUS_NOT_FOUND: no such model. */
enum status cpu_create(struct cpu **out, const struct cpu_desc *desc) MUST_CHECK;
void cpu_destroy(struct cpu *cpu);

/** RESET#, or INIT# if @init (which keeps x87, SSE, MTRRs and the TSC) [SDM 3A Table 9-1]. */
void cpu_reset(struct cpu *cpu, bool init);

/** Interpret until the slice is spent or something else happens. */
enum cpu_exit cpu_run(struct cpu *cpu) MUST_CHECK;

/** The INTR pin (level). Callable while the CPU runs, from a port handler. */
void cpu_set_intr(struct cpu *cpu, bool level);
/** An edge on the NMI pin. */
void cpu_nmi(struct cpu *cpu);
/** Reset at the next instruction boundary: what the reset port and port 92h do. */
void cpu_request_reset(struct cpu *cpu, bool init);

/** Would an interrupt wake it? False with halted set: halted for ever but for NMI and reset. */
bool cpu_can_wake(const struct cpu *cpu);

/** The guest-visible state, and what has to be done around saving and loading it. */
extern const struct field cpu_fields[];
/** Bring cached flags into their canonical form. Before hashing or saving. */
void cpu_canonicalize(struct cpu *cpu);
/** True: @a and @b, both canonical, agree in all of cpu_fields. False: probably not; the fields
 * tell. */
bool cpu_same(const struct cpu *a, const struct cpu *b);
/** Whether the fields of @cpu are a state that a CPU can be in, as far as the engines rely on it.
 */
bool cpu_state_valid(const struct cpu *cpu);
/** Rebuild what is derived. After loading. */
void cpu_loaded(struct cpu *cpu);

/** Text of all registers, for -d cpu and the monitor. */
void cpu_dump(const struct cpu *cpu, char *out, size_t size);

/** The paging mode, CPL or segment state changed: tell the MMU. */
void cpu_paging_changed(struct cpu *cpu);
void cpu_set_cpl(struct cpu *cpu, unsigned cpl);

/** EFLAGS changed other than in the arithmetic flags: alignment checks follow. */
void cpu_flags_changed(struct cpu *cpu);
/** A debug register changed: the MMU's watchpoints follow. */
void cpu_debug_changed(struct cpu *cpu);

/** The time-stamp counter now. */
u64 cpu_tsc(const struct cpu *cpu);
#define CPU_TSC_HZ 1000000000ull

/** Print the names of all models, one a line, with what they are. */
void cpu_models_help(void (*print)(void *ctx, const char *name, const char *text), void *ctx);
