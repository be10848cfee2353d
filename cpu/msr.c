/* SPDX-License-Identifier: MIT */

#include "cpu/msr.h"
#include "base/log.h"
#include "cpu/cpu.h"
#include "cpu/cpuid.h"

enum { MSR_TSC = 0x10, MSR_APIC_BASE = 0x1b, APIC_BASE_EN = BIT(11) };
#define MSR_EFER 0xc0000080u

static const struct {
    u32 number;
    u8 feature;
    u64 reset, mask;
} row[MSR__COUNT] = {
#define MSR(id, number, feat, reset, mask) {number, FEAT_##feat, reset, mask},
#include "cpu/msr.def"
};

static unsigned find(const struct cpu *cpu, u32 number)
{
    for (unsigned i = 0; i < MSR__COUNT; i++) {
        if (row[i].number == number && model_has(cpu->model, row[i].feature))
            return i;
    }
    return MSR__COUNT;
}

/* The register came with the P6; the Pentium's local APIC is where it is. */
static bool has_apic_base(const struct cpu *cpu)
{
    return model_has(cpu->model, FEAT_APIC) && model_has(cpu->model, FEAT_P6) && cpu->bus.apic_base;
}

bool msr_apic_on(const struct cpu *cpu)
{
    return model_has(cpu->model, FEAT_APIC) && cpu->bus.apic_base &&
           (cpu->bus.apic_base(cpu->bus.ctx) & APIC_BASE_EN);
}

bool msr_read(const struct cpu *cpu, u32 number, u64 *out)
{
    unsigned i = find(cpu, number);

    if (i < MSR__COUNT) {
        *out = cpu->msr[i];
    } else if (number == MSR_TSC) {
        *out = cpu_tsc(cpu);
    } else if (number == MSR_EFER && model_has(cpu->model, FEAT_NX)) {
        *out = cpu->efer;
    } else if (number == MSR_APIC_BASE && has_apic_base(cpu)) {
        *out = cpu->bus.apic_base(cpu->bus.ctx);
    } else {
        log_guest(CPU, "rdmsr of unknown %08x at %08x", number, (u32)cpu->rip);
        return false;
    }
    return true;
}

bool msr_write(struct cpu *cpu, u32 number, u64 val)
{
    unsigned i = find(cpu, number);

    if (i < MSR__COUNT) {
        if (val & ~row[i].mask)
            return false;
        cpu->msr[i] = i == MSR_DEBUGCTL ? val & ~(u64)DEBUGCTL_LBR : val;
    } else if (number == MSR_TSC) {
        cpu->tsc_offset += val - cpu_tsc(cpu);
    } else if (number == MSR_EFER && model_has(cpu->model, FEAT_NX)) {
        if (val & ~(u64)EFER_NXE)
            return false;
        cpu->efer = val;
        cpu_paging_changed(cpu);
    } else if (number == MSR_APIC_BASE && has_apic_base(cpu)) {
        return cpu->bus.set_apic_base(cpu->bus.ctx, val);
    } else {
        log_guest(CPU, "wrmsr of unknown %08x at %08x", number, (u32)cpu->rip);
        return false;
    }
    return true;
}

void msr_reset(struct cpu *cpu)
{
    for (unsigned i = 0; i < MSR__COUNT; i++)
        cpu->msr[i] = model_has(cpu->model, row[i].feature) ? row[i].reset : 0;
}
