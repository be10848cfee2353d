/* SPDX-License-Identifier: MIT */
/* The executors: the specification of every instruction, one C function per exec column. */
#pragma once

#include "cpu/isa.h"

struct cpu;
struct insn;

/**
 * Execute one decoded instruction. cpu->rip is the instruction's own address and cpu->next_rip the
 * address after it; control transfers change next_rip (and CS). False: cpu->fault is set, and no
 * register, flag or memory has changed beyond what the manual says is already done.
 */
typedef bool exec_fn(struct cpu *cpu, const struct insn *in);

#define INSN(id, map, opcode, pfx, form, text, o1, o2, o3, attr, feat, rd, wr, un, exec, xlate)    \
    exec_fn exec_##exec;
#include "cpu/isa.def"

extern exec_fn *const exec_of[INSN__COUNT];
