/* SPDX-License-Identifier: MIT */
/* CPU models: what CPUID answers and which instructions exist. */
#pragma once

#include "cpu/isa.h"

struct cpu_model {
    const char *name, *text, *vendor, *brand;
    u8 family, model, stepping;
    u64 features; /* bit n: enum cpu_feature n */
};

/** The model called @name, or NULL. */
const struct cpu_model *cpu_model_find(const char *name);
/** The model when nobody asks for one. */
#define CPU_MODEL_DEFAULT "pentium4"
/** All models, ended by one whose name is NULL. */
extern const struct cpu_model cpu_models[];

static inline bool model_has(const struct cpu_model *m, enum cpu_feature f)
{
    return m->features >> f & 1;
}

/** Signature in CPUID leaf 1 EAX and in EDX after RESET. */
u32 cpu_model_signature(const struct cpu_model *m);

/** What CPUID shows of the state of the CPU's local APIC. */
struct cpuid_apic {
    bool on;
    u8 id; /* after reset */
};

/** CPUID: @reg is EAX, EBX, ECX, EDX. */
void cpuid_query(const struct cpu_model *m, u32 leaf, u32 sub, struct cpuid_apic apic, u32 reg[4]);
