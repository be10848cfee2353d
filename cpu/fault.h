/* SPDX-License-Identifier: MIT */
/*
 * Guest faults. They are architecture, not errors: an access or an executor records the fault in
 * cpu->fault and returns false; the false travels up to the run loop, which delivers it.
 */
#pragma once

#include "base/types.h"

struct cpu;

/** Exception vectors [SDM 3A §6.3.1]. */
enum vector {
    VEC_DE,
    VEC_DB,
    VEC_NMI,
    VEC_BP,
    VEC_OF,
    VEC_BR,
    VEC_UD,
    VEC_NM,
    VEC_DF,
    VEC_CSO,
    VEC_TS,
    VEC_NP,
    VEC_SS,
    VEC_GP,
    VEC_PF,
    VEC_15,
    VEC_MF,
    VEC_AC,
    VEC_MC,
    VEC_XM,
};

struct fault {
    u8 vector;
    bool has_error;
    u32 error;
    lin_addr lin; /* #PF: what CR2 becomes at delivery       */
    u32 dr6;      /* #DB: bits that DR6 receives at delivery */
};

/* Each records the fault and returns false, so that an executor can `return fault_gp(cpu, 0);`. */
bool fault_ud(struct cpu *cpu);
bool fault_nm(struct cpu *cpu);
bool fault_de(struct cpu *cpu);
bool fault_br(struct cpu *cpu);
bool fault_mf(struct cpu *cpu);
bool fault_xm(struct cpu *cpu);
bool fault_ac(struct cpu *cpu);
bool fault_db(struct cpu *cpu, u32 dr6);
bool fault_ts(struct cpu *cpu, u32 error);
bool fault_np(struct cpu *cpu, u32 error);
bool fault_ss(struct cpu *cpu, u32 error);
bool fault_gp(struct cpu *cpu, u32 error);
/** #PF from what the MMU recorded. */
bool fault_pf(struct cpu *cpu);
/** #SS(0) if @seg is SS, else #GP(0): what a limit or canonical violation raises. */
bool fault_limit(struct cpu *cpu, unsigned seg);
