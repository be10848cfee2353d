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

/** Set cpu->fault. */
void fault_record(struct cpu *cpu, struct fault f);
/** #PF from what the MMU recorded. */
void fault_record_pf(struct cpu *cpu);

/* Each records the fault and returns false, so that an executor can `return fault_gp(cpu, 0);`.
 * They are inline for the compiler to see that they return false. */
#define FAULT_PLAIN(name, vec)                                                                     \
    static inline bool fault_##name(struct cpu *cpu)                                               \
    {                                                                                              \
        fault_record(cpu, (struct fault){.vector = (vec)});                                        \
        return false;                                                                              \
    }
#define FAULT_ERROR(name, vec)                                                                     \
    static inline bool fault_##name(struct cpu *cpu, u32 error)                                    \
    {                                                                                              \
        fault_record(cpu, (struct fault){.vector = (vec), .has_error = true, .error = error});     \
        return false;                                                                              \
    }
FAULT_PLAIN(ud, VEC_UD)
FAULT_PLAIN(nm, VEC_NM)
FAULT_PLAIN(de, VEC_DE)
FAULT_PLAIN(br, VEC_BR)
FAULT_PLAIN(mf, VEC_MF)
FAULT_PLAIN(xm, VEC_XM)
FAULT_ERROR(ts, VEC_TS)
FAULT_ERROR(np, VEC_NP)
FAULT_ERROR(ss, VEC_SS)
FAULT_ERROR(gp, VEC_GP)
#undef FAULT_PLAIN
#undef FAULT_ERROR

static inline bool fault_ac(struct cpu *cpu)
{
    fault_record(cpu, (struct fault){.vector = VEC_AC, .has_error = true});
    return false;
}

/** @dr6: the bits that say why. */
static inline bool fault_db(struct cpu *cpu, u32 dr6)
{
    fault_record(cpu, (struct fault){.vector = VEC_DB, .dr6 = dr6});
    return false;
}

static inline bool fault_pf(struct cpu *cpu)
{
    fault_record_pf(cpu);
    return false;
}

/** What a limit violation raises: #SS(0) if @stack, else #GP(0). */
static inline bool fault_limit_of(struct cpu *cpu, bool stack)
{
    return stack ? fault_ss(cpu, 0) : fault_gp(cpu, 0);
}
