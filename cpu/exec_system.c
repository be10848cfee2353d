/* SPDX-License-Identifier: MIT */
/* Control, debug and model-specific registers, descriptor tables, HLT, CPUID [SDM 2, 3A §2]. */
#include "cpu/cpu.h"
#include "cpu/cpuid.h"
#include "cpu/exec.h"
#include "cpu/flags.h"
#include "cpu/msr.h"
#include "cpu/operand.h"
#include "cpu/segment.h"

bool exec_ud(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    return fault_ud(cpu);
}

static bool store_table(struct cpu *cpu, const struct insn *in, const struct table_reg *t)
{
    u8 bytes[6];

    store16(bytes, (u16)t->limit);
    store32(bytes + 2, (u32)t->base);
    return mem_write_bytes(cpu, in->seg, insn_ea(cpu, in), bytes, sizeof(bytes));
}

static bool load_table(struct cpu *cpu, const struct insn *in, struct table_reg *t)
{
    u8 bytes[6];

    if (cpu->cpl)
        return fault_gp(cpu, 0);
    if (!mem_read_bytes(cpu, in->seg, insn_ea(cpu, in), bytes, sizeof(bytes)))
        return false;
    t->limit = load16(bytes);
    t->base = load32(bytes + 2) & (in->opsize == W16 ? 0x00ffffffu : UINT32_MAX);
    return true;
}

bool exec_sgdt(struct cpu *cpu, const struct insn *in)
{
    return store_table(cpu, in, &cpu->gdtr);
}

bool exec_sidt(struct cpu *cpu, const struct insn *in)
{
    return store_table(cpu, in, &cpu->idtr);
}

bool exec_lgdt(struct cpu *cpu, const struct insn *in)
{
    return load_table(cpu, in, &cpu->gdtr);
}

bool exec_lidt(struct cpu *cpu, const struct insn *in)
{
    return load_table(cpu, in, &cpu->idtr);
}

/* CR0 bits that exist; the 386 has no WP, AM, NE, CD, NW. */
static u32 cr0_mask(const struct cpu *cpu)
{
    u32 mask = CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_PG;

    if (model_has(cpu->model, FEAT_486))
        mask |= CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD;
    return mask;
}

static bool reload_pdptes(struct cpu *cpu, u64 cr0, u64 cr3, u64 cr4)
{
    if (!(cr0 & CR0_PG) || !(cr4 & CR4_PAE))
        return true;
    return mmu_load_pdptes(cpu->mmu, cr3, cpu->efer & EFER_NXE, cpu->pdpte);
}

static bool write_cr0(struct cpu *cpu, u32 val)
{
    u64 old = cpu->cr0;

    if (((val & CR0_PG) && !(val & CR0_PE)) || ((val & CR0_NW) && !(val & CR0_CD)))
        return fault_gp(cpu, 0);
    val = (val & cr0_mask(cpu)) | CR0_ET;
    if (((val ^ old) & (CR0_PG | CR0_CD | CR0_NW)) && !reload_pdptes(cpu, val, cpu->cr3, cpu->cr4))
        return fault_gp(cpu, 0);
    cpu->cr0 = val;
    if ((val ^ old) & CR0_PE)
        segment_derive_all(cpu);
    if ((val ^ old) & (CR0_PE | CR0_PG | CR0_WP | CR0_AM))
        cpu_paging_changed(cpu);
    return true;
}

static bool write_cr3(struct cpu *cpu, u32 val)
{
    if (!reload_pdptes(cpu, cpu->cr0, val, cpu->cr4))
        return fault_gp(cpu, 0);
    cpu->cr3 = val;
    cpu_paging_changed(cpu);
    return true;
}

/* CR4 bits and the features that bring them. */
static u32 cr4_mask(const struct cpu *cpu)
{
    static const struct {
        u32 bits;
        u8 feature;
    } map[] = {
        {CR4_VME | CR4_PVI, FEAT_VME}, {CR4_TSD, FEAT_TSC},   {CR4_DE, FEAT_DE},
        {CR4_PSE, FEAT_PSE},           {CR4_PAE, FEAT_PAE},   {CR4_MCE, FEAT_MCE},
        {CR4_PGE, FEAT_PGE},           {CR4_PCE, FEAT_RDPMC}, {CR4_OSFXSR, FEAT_FXSR},
        {CR4_OSXMMEXCPT, FEAT_SSE},
    };
    u32 mask = 0;

    for (unsigned i = 0; i < ARRAY_LEN(map); i++) {
        if (model_has(cpu->model, map[i].feature))
            mask |= map[i].bits;
    }
    return mask;
}

static bool write_cr4(struct cpu *cpu, u32 val)
{
    u64 old = cpu->cr4;

    if (val & ~cr4_mask(cpu))
        return fault_gp(cpu, 0);
    if (((val ^ old) & (CR4_PAE | CR4_PSE | CR4_PGE)) &&
        !reload_pdptes(cpu, cpu->cr0, cpu->cr3, val))
        return fault_gp(cpu, 0);
    cpu->cr4 = val;
    cpu_paging_changed(cpu);
    return true;
}

/* CR1 and CR5-CR7 do not exist; CR4 comes with the first feature that needs it. */
static bool cr_exists(const struct cpu *cpu, unsigned n)
{
    return n == 0 || n == 2 || n == 3 || (n == 4 && cr4_mask(cpu));
}

bool exec_mov_from_cr(struct cpu *cpu, const struct insn *in)
{
    if (!cr_exists(cpu, in->reg))
        return fault_ud(cpu);
    if (cpu->cpl)
        return fault_gp(cpu, 0);
    u64 v = in->reg == 0 ? cpu->cr0 : in->reg == 2 ? cpu->cr2 : in->reg == 3 ? cpu->cr3 : cpu->cr4;
    reg_set(cpu, in->rm, W32, v);
    return true;
}

bool exec_mov_to_cr(struct cpu *cpu, const struct insn *in)
{
    u32 v = (u32)cpu->gpr[in->rm];

    if (!cr_exists(cpu, in->reg))
        return fault_ud(cpu);
    if (cpu->cpl)
        return fault_gp(cpu, 0);
    switch (in->reg) {
    case 0:
        return write_cr0(cpu, v);
    case 2:
        cpu->cr2 = v;
        return true;
    case 3:
        return write_cr3(cpu, v);
    default:
        return write_cr4(cpu, v);
    }
}

bool exec_smsw(struct cpu *cpu, const struct insn *in)
{
    if (in->mem)
        return mem_write(cpu, in->seg, insn_ea(cpu, in), W16, cpu->cr0 & 0xffff);
    reg_set(cpu, in->rm, in->opsize, cpu->cr0);
    return true;
}

bool exec_lmsw(struct cpu *cpu, const struct insn *in)
{
    u64 v;

    if (cpu->cpl)
        return fault_gp(cpu, 0);
    if (!rm_read(cpu, in, W16, &v))
        return false;
    u32 low = CR0_PE | CR0_MP | CR0_EM | CR0_TS;
    u32 pe = (u32)cpu->cr0 & CR0_PE; /* can be set, never cleared */
    return write_cr0(cpu, ((u32)cpu->cr0 & ~low) | ((u32)v & low) | pe);
}

bool exec_clts(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    if (cpu->cpl)
        return fault_gp(cpu, 0);
    cpu->cr0 &= ~(u64)CR0_TS;
    return true;
}

/* DR4 and DR5 are DR6 and DR7 unless CR4.DE; DR7.GD guards all of them [SDM 3B §17.2]. */
static bool dr_access(struct cpu *cpu, unsigned *n)
{
    if ((*n == 4 || *n == 5) && (cpu->cr4 & CR4_DE))
        return fault_ud(cpu);
    if (*n == 4 || *n == 5)
        *n += 2;
    if (cpu->cpl)
        return fault_gp(cpu, 0);
    if (cpu->dr[7] & BIT(13))
        return fault_db(cpu, BIT(13));
    return true;
}

bool exec_mov_from_dr(struct cpu *cpu, const struct insn *in)
{
    unsigned n = in->reg;

    if (!dr_access(cpu, &n))
        return false;
    reg_set(cpu, in->rm, W32, cpu->dr[n]);
    return true;
}

bool exec_mov_to_dr(struct cpu *cpu, const struct insn *in)
{
    unsigned n = in->reg;
    u32 v = (u32)cpu->gpr[in->rm];

    if (!dr_access(cpu, &n))
        return false;
    if (n == 6)
        v = (v & 0xe00f) | 0xffff0ff0;
    else if (n == 7)
        v = (v & 0xffff2bff) | 0x400;
    cpu->dr[n] = v;
    cpu_debug_changed(cpu);
    return true;
}

bool exec_invlpg(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    return !cpu->cpl || fault_gp(cpu, 0); /* the TLB is coherent: nothing to drop */
}

bool exec_wbinvd(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    return !cpu->cpl || fault_gp(cpu, 0);
}

bool exec_hlt(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    if (cpu->cpl)
        return fault_gp(cpu, 0);
    cpu->halted = true;
    return true;
}

static u64 edx_eax(const struct cpu *cpu)
{
    return (u64)(u32)cpu->gpr[REG_DX] << 32 | (u32)cpu->gpr[REG_AX];
}

static void set_edx_eax(struct cpu *cpu, u64 v)
{
    cpu->gpr[REG_AX] = (u32)v;
    cpu->gpr[REG_DX] = (u32)(v >> 32);
}

bool exec_rdmsr(struct cpu *cpu, const struct insn *in)
{
    u64 v;

    (void)in;
    if (cpu->cpl || !msr_read(cpu, (u32)cpu->gpr[REG_CX], &v))
        return fault_gp(cpu, 0);
    set_edx_eax(cpu, v);
    return true;
}

bool exec_wrmsr(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    if (cpu->cpl || !msr_write(cpu, (u32)cpu->gpr[REG_CX], edx_eax(cpu)))
        return fault_gp(cpu, 0);
    return true;
}

bool exec_rdtsc(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    if ((cpu->cr4 & CR4_TSD) && cpu->cpl)
        return fault_gp(cpu, 0);
    set_edx_eax(cpu, cpu_tsc(cpu));
    return true;
}

bool exec_rdpmc(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    if ((!(cpu->cr4 & CR4_PCE) && cpu->cpl) || (u32)cpu->gpr[REG_CX] > 1)
        return fault_gp(cpu, 0);
    set_edx_eax(cpu, 0); /* both counters exist and count nothing */
    return true;
}

bool exec_cpuid(struct cpu *cpu, const struct insn *in)
{
    struct cpuid_apic apic = {.on = msr_apic_on(cpu), .id = (u8)cpu->number};
    u32 r[4];

    (void)in;
    cpuid_query(cpu->model, (u32)cpu->gpr[REG_AX], (u32)cpu->gpr[REG_CX], apic, r);
    cpu->gpr[REG_AX] = r[0];
    cpu->gpr[REG_BX] = r[1];
    cpu->gpr[REG_CX] = r[2];
    cpu->gpr[REG_DX] = r[3];
    return true;
}

/* The flat segments that SYSENTER and SYSEXIT load without reading a descriptor. */
static struct descriptor flat(bool code, unsigned dpl)
{
    return (struct descriptor){
        .limit = UINT32_MAX,
        .attr = (u16)(SEG_P | dpl << 5 | SEG_S | SEG_RW | SEG_ACCESSED | SEG_DB | SEG_G |
                      (code ? SEG_CODE : 0)),
    };
}

bool exec_sysenter(struct cpu *cpu, const struct insn *in)
{
    u16 cs = (u16)(cpu->msr[MSR_SYSENTER_CS] & 0xfffc);
    struct descriptor code = flat(true, 0), data = flat(false, 0);

    (void)in;
    if (cpu_is_real(cpu) || !cs)
        return fault_gp(cpu, 0);
    cpu->eflags &= ~(u32)(FL_VM | FL_I | FL_RF);
    segment_set_cs(cpu, cs, &code, 0);
    segment_set(cpu, SEG_SS, (u16)(cs + 8), &data);
    cpu->gpr[REG_SP] = (u32)cpu->msr[MSR_SYSENTER_ESP];
    cpu->next_rip = (u32)cpu->msr[MSR_SYSENTER_EIP];
    return true;
}

bool exec_sysexit(struct cpu *cpu, const struct insn *in)
{
    u16 cs = (u16)(cpu->msr[MSR_SYSENTER_CS] & 0xfffc);
    struct descriptor code = flat(true, 3), data = flat(false, 3);

    (void)in;
    if (cpu_is_real(cpu) || !cs || cpu->cpl)
        return fault_gp(cpu, 0);
    segment_set_cs(cpu, (u16)(cs + 16), &code, 3);
    segment_set(cpu, SEG_SS, (u16)((cs + 24) | 3), &data);
    cpu->gpr[REG_SP] = (u32)cpu->gpr[REG_CX];
    cpu->next_rip = (u32)cpu->gpr[REG_DX];
    return true;
}
