/* SPDX-License-Identifier: MIT */
/* The interpreter, as other engines use it: for what they do not do themselves. */
#pragma once

#include "cpu/icache.h"

/** Execute @b, which is at CS:EIP, until it ends, something wants attention, or the budget is
 * spent. Faults are delivered. */
void cpu_interpret_block(struct cpu *cpu, const struct block *b);

/** Execute one instruction at CS:EIP, with everything that may have to be looked at around it: TF,
 * RF, the shadows of STI and MOV SS, breakpoints. */
void cpu_interpret_carefully(struct cpu *cpu);

/** Execute the one instruction @in, which is at CS:EIP; a fault is delivered. */
void cpu_interpret_one(struct cpu *cpu, const struct insn *in);
