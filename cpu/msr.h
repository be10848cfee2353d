/* SPDX-License-Identifier: MIT */
/* Model-specific registers. */
#pragma once

#include <assert.h>

#include "cpu/state.h"

enum msr_slot {
#define MSR(id, number, feat, reset, mask) MSR_##id,
#include "cpu/msr.def"
    MSR__COUNT
};
static_assert(MSR__COUNT <= 64, "struct cpu has 64 slots");

enum { DEBUGCTL_LBR = BIT(0), DEBUGCTL_BTF = BIT(1) };

/** False: no such MSR, or a reserved bit set (#GP(0) is the caller's to raise). */
bool msr_read(const struct cpu *cpu, u32 number, u64 *out) MUST_CHECK;
bool msr_write(struct cpu *cpu, u32 number, u64 val) MUST_CHECK;
/** Is there a local APIC, and switched on in IA32_APIC_BASE? */
bool msr_apic_on(const struct cpu *cpu);
/** All stored MSRs to their RESET values. */
void msr_reset(struct cpu *cpu);
