/* SPDX-License-Identifier: MIT */
/*
 * x87 instructions in the plain case, for translated code on a host that has no such unit: what
 * their executors do, with the memory operand already at hand.
 */
#pragma once

#include "cpu/insn.h"

struct cpu;

/** The low three bits of the opcode, then the ModR/M byte; above them the segment register. */
enum { X87_WHAT_SEG = 11 };

/** x87_plain() did it; the low 16 bits are what FNSTSW AX stores, or EFLAGS of FCOMI. */
enum { X87_DONE = BIT(16) };

/** Is @in one of those that x87_plain() may do? */
bool x87_plain_knows(const struct insn *in);

/**
 * Execute the instruction @what at @eip. Its memory operand, if it has one, is the host's bytes
 * at @mem, which may be written where the instruction writes, and @dp its offset. 0, and nothing
 * has changed: it is not the plain case. That is when the stack would fault, an operand in memory
 * is neither a normal number nor zero, or an exception that is not masked would be raised. The
 * caller has seen that the unit is there, CR0.TS and EM are clear, no exception is pending and PE
 * is masked.
 */
u32 x87_plain(struct cpu *cpu, u32 what, u32 eip, u8 *mem, u32 dp);
