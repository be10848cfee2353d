/* SPDX-License-Identifier: MIT */
/* Port accesses of instructions. */
#pragma once

#include "cpu/state.h"

/**
 * May the current code access ports [@port, @port + bytes of @w)? Checks IOPL and, in protected
 * mode beyond it and in virtual-8086 mode always, the TSS's permission map: #GP(0) [SDM 1 §19.5.2].
 * Breakpoints on these ports are noted as hit.
 */
bool io_check(struct cpu *cpu, u16 port, enum width w) MUST_CHECK;
