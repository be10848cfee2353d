/* SPDX-License-Identifier: MIT */
#include "cpu/cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpuid.h"
#include "cpu/flags.h"
#include "cpu/icache.h"
#include "cpu/msr.h"
#include "cpu/segment.h"

static const struct field segment_fields[] = {
    FIELD(struct segment, base),
    FIELD(struct segment, limit),
    FIELD(struct segment, selector),
    FIELD(struct segment, attr),
    FIELDS_END,
};

static const struct field table_fields[] = {
    FIELD(struct table_reg, base),
    FIELD(struct table_reg, limit),
    FIELDS_END,
};

const struct field cpu_fields[] = {
    FIELD_ARRAY(struct cpu, gpr),
    FIELD(struct cpu, rip),
    FIELD(struct cpu, fl_res),
    FIELD(struct cpu, fl_carry),
    FIELD(struct cpu, fl_delta),
    FIELD(struct cpu, eflags),
    FIELD(struct cpu, cpl),
    FIELD(struct cpu, inhibit),
    FIELD(struct cpu, pending_dr6),
    FIELD(struct cpu, halted),
    FIELD(struct cpu, shutdown),
    FIELD(struct cpu, nmi_masked),
    FIELD(struct cpu, nmi_latched),
    FIELD(struct cpu, intr_line),
    FIELD_STRUCTS(struct cpu, seg, segment_fields),
    FIELD_STRUCT(struct cpu, ldtr, segment_fields),
    FIELD_STRUCT(struct cpu, tr, segment_fields),
    FIELD_STRUCT(struct cpu, gdtr, table_fields),
    FIELD_STRUCT(struct cpu, idtr, table_fields),
    FIELD(struct cpu, cr0),
    FIELD(struct cpu, cr2),
    FIELD(struct cpu, cr3),
    FIELD(struct cpu, cr4),
    FIELD(struct cpu, efer),
    FIELD_ARRAY(struct cpu, dr),
    FIELD_ARRAY(struct cpu, pdpte),
    FIELD(struct cpu, tsc_offset),
    FIELD_ARRAY(struct cpu, msr),
    FIELD_STRUCT(struct cpu, x87, x87_fields),
    FIELD_STRUCT(struct cpu, sse, sse_fields),
    FIELDS_END,
};

static void slow_changed(struct cpu *cpu);

void cpu_canonicalize(struct cpu *cpu)
{
    flags_set(cpu, FL_OSZAPC, flags_arith(cpu));
}

void cpu_set_probe(struct cpu *cpu, const struct cpu_probe *probe)
{
    cpu->probe = *probe;
    slow_changed(cpu);
}

bool cpu_same(const struct cpu *a, const struct cpu *b)
{
    /* Everything between these is state, derived from it, or padding. */
    const size_t from = offsetof(struct cpu, cpl), to = offsetof(struct cpu, fault);

    return memcmp(a->gpr, b->gpr, sizeof(a->gpr)) == 0 && a->rip == b->rip &&
           a->fl_res == b->fl_res && a->fl_carry == b->fl_carry && a->fl_delta == b->fl_delta &&
           a->eflags == b->eflags &&
           memcmp((const u8 *)a + from, (const u8 *)b + from, to - from) == 0;
}

static bool segment_valid(const struct segment *s)
{
    return s->base <= UINT32_MAX;
}

/* An exception that is not masked is pending, or it never was: the host's unit gets this state. */
static bool x87_valid(const struct x87_state *f)
{
    bool pending = f->status & ~f->control & X87_CW_MASKS;

    return f->top <= 7 && (!pending || (f->status & X87_SW_ES));
}

bool cpu_state_valid(const struct cpu *cpu)
{
    u64 wide =
        cpu->rip | cpu->gdtr.base | cpu->idtr.base | cpu->cr0 | cpu->cr2 | cpu->cr3 | cpu->cr4;
    bool ok = segment_valid(&cpu->ldtr) && segment_valid(&cpu->tr);

    for (unsigned i = 0; i < 16; i++)
        wide |= i < 8 ? cpu->gpr[i] : cpu->gpr[i] << 32 | cpu->gpr[i];
    for (unsigned i = 0; i < 8; i++)
        wide |= cpu->dr[i];
    for (unsigned i = 0; i < SEG__COUNT; i++)
        ok = ok && segment_valid(&cpu->seg[i]);
    for (unsigned i = 0; i < 4; i++)
        ok = ok && cpu->pdpte[i] >> 63 == 0;
    return ok && wide <= UINT32_MAX && cpu->cpl <= 3 && x87_valid(&cpu->x87) &&
           !(cpu->eflags & FL_OSZAPC) && !(cpu->efer & (EFER_LME | EFER_LMA)) &&
           ((cpu->cr0 & CR0_PE) || !(cpu->cr0 & CR0_PG)) &&
           ((cpu->cr0 & CR0_PE) || cpu->cpl == 0) && (!cpu_is_v86(cpu) || cpu->cpl == 3);
}

void cpu_loaded(struct cpu *cpu)
{
    segment_derive_all(cpu);
    cpu->attention |= ATTN_INTR;
    icache_flush(cpu->icache);
    mmu_flush(cpu->mmu);
    cpu_paging_changed(cpu);
    cpu_debug_changed(cpu);
}

u64 cpu_tsc(const struct cpu *cpu)
{
    return clock_ticks(clock_now(cpu->clock), CPU_TSC_HZ) + cpu->tsc_offset;
}

/* Alignment checks and data breakpoints need to see every access. */
static void slow_changed(struct cpu *cpu)
{
    bool align = cpu->cpl == 3 && (cpu->cr0 & CR0_AM) && (cpu->eflags & FL_AC);
    bool watch = cpu->probe.done;

    for (unsigned i = 0; i < 4 && (cpu->dr[7] & 0xff); i++) {
        u32 dr7 = (u32)cpu->dr[7];
        watch |= (dr7 >> (2 * i) & 3) && (dr7 >> (16 + 4 * i) & 1);
    }
    mmu_set_align(cpu->mmu, align);
    mmu_set_slow(cpu->mmu, align || watch);
}

void cpu_flags_changed(struct cpu *cpu)
{
    slow_changed(cpu);
}

void cpu_debug_changed(struct cpu *cpu)
{
    static const u8 len_of[4] = {1, 2, 8, 4};
    u32 dr7 = (u32)cpu->dr[7];

    for (unsigned i = 0; i < 4; i++) {
        unsigned rw = dr7 >> (16 + 4 * i) & 3;
        unsigned len = len_of[dr7 >> (18 + 4 * i) & 3];
        bool data = (dr7 >> (2 * i) & 3) && (rw & 1);
        mmu_set_watch(cpu->mmu, i, cpu->dr[i] & ~(u64)(len - 1), data ? len : 0, rw == 3);
    }
    slow_changed(cpu);
}

void cpu_paging_changed(struct cpu *cpu)
{
    u32 mode = 0;

    if (cpu->cr0 & CR0_PG) {
        mode = MMU_PG | (cpu->cr0 & CR0_WP ? MMU_WP : 0u) | (cpu->cr4 & CR4_PSE ? MMU_PSE : 0u) |
               (cpu->cr4 & CR4_PAE ? MMU_PAE : 0u) | (cpu->efer & EFER_NXE ? MMU_NXE : 0u) |
               (model_has(cpu->model, FEAT_PSE36) ? MMU_PSE36 : 0u);
    }
    mmu_set_space(cpu->mmu, mode, cpu->cr3, cpu->pdpte);
    mmu_set_user(cpu->mmu, cpu->cpl == 3);
    slow_changed(cpu);
}

void cpu_set_cpl(struct cpu *cpu, unsigned cpl)
{
    if (cpu->cpl == cpl)
        return;
    cpu->cpl = (u8)cpl;
    mmu_set_user(cpu->mmu, cpl == 3);
    slow_changed(cpu);
}

static void reset_segments(struct cpu *cpu)
{
    for (unsigned i = 0; i < SEG__COUNT; i++)
        cpu->seg[i] =
            (struct segment){.limit = 0xffff, .attr = SEG_P | SEG_S | SEG_RW | SEG_ACCESSED};
    cpu->seg[SEG_CS].selector = 0xf000;
    cpu->seg[SEG_CS].base = 0xffff0000;
    cpu->seg[SEG_CS].attr |= SEG_CODE;
    cpu->ldtr = (struct segment){.limit = 0xffff, .attr = SEG_P | SYS_LDT};
    cpu->tr = (struct segment){.limit = 0xffff, .attr = SEG_P | SYS_TSS32_BUSY};
    cpu->gdtr = cpu->idtr = (struct table_reg){.limit = 0xffff};
    segment_derive_all(cpu);
}

/* [SDM 3A Table 9-1] */
void cpu_reset(struct cpu *cpu, bool init)
{
    memset(cpu->gpr, 0, sizeof(cpu->gpr));
    memset(cpu->dr, 0, sizeof(cpu->dr));
    cpu->gpr[REG_DX] = cpu_model_signature(cpu->model);
    cpu->rip = 0xfff0;
    flags_put(cpu, 0);
    cpu->cpl = 0;
    cpu->inhibit = cpu->pending_dr6 = 0;
    cpu->halted = cpu->shutdown = false;
    cpu->nmi_masked = cpu->nmi_latched = false;
    cpu->cr0 = model_has(cpu->model, FEAT_486) ? CR0_CD | CR0_NW | CR0_ET : CR0_ET;
    cpu->cr2 = cpu->cr3 = cpu->cr4 = cpu->efer = 0;
    cpu->dr[6] = 0xffff0ff0;
    cpu->dr[7] = 0x400;
    reset_segments(cpu);
    if (!init) {
        cpu->tsc_offset = 0 - clock_ticks(clock_now(cpu->clock), CPU_TSC_HZ);
        msr_reset(cpu);
        x87_reset(&cpu->x87);
        sse_reset(&cpu->sse);
    }
    cpu_paging_changed(cpu);
    cpu_debug_changed(cpu);
}

/* The rest of the block is fetched again: its page may be another one now. */
static void on_translation_dropped(void *ctx)
{
    struct cpu *cpu = ctx;

    cpu->attention |= ATTN_CODE;
}

enum status cpu_create(struct cpu **out, const struct cpu_desc *desc)
{
    const struct cpu_model *model = cpu_model_find(desc->model ? desc->model : CPU_MODEL_DEFAULT);
    struct cpu *cpu;

    if (!model)
        return STATUS_NOT_FOUND;
    cpu = aligned_alloc(64, (sizeof(*cpu) + 63) & ~(size_t)63);
    if (!cpu)
        return STATUS_NO_MEMORY;
    memset(cpu, 0, sizeof(*cpu));
    cpu->clock = desc->clock;
    cpu->bus = desc->bus;
    cpu->number = desc->number;
    cpu->model = model;
    cpu->x87.absent = !model_has(model, FEAT_FPU);
    cpu->model_eflags =
        (model_has(model, FEAT_486) ? FL_AC : 0u) | (model_has(model, FEAT_CPUID) ? FL_ID : 0u);
    enum status s = mmu_create(&cpu->mmu, desc->physmem);
    if (s == STATUS_OK) {
        mmu_on_dropped(cpu->mmu, on_translation_dropped, cpu);
        s = icache_create(&cpu->icache, cpu, desc->physmem, model->features);
    }
    if (s != STATUS_OK) {
        cpu_destroy(cpu);
        return s;
    }
    cpu_reset(cpu, false);
    *out = cpu;
    return STATUS_OK;
}

void cpu_destroy(struct cpu *cpu)
{
    if (!cpu)
        return;
    icache_destroy(cpu->icache);
    mmu_destroy(cpu->mmu);
    free(cpu);
}

void cpu_set_intr(struct cpu *cpu, bool level)
{
    cpu->intr_line = level;
    if (level)
        cpu->attention |= ATTN_INTR;
}

void cpu_nmi(struct cpu *cpu)
{
    cpu->nmi_latched = true;
    cpu->attention |= ATTN_NMI;
}

void cpu_request_reset(struct cpu *cpu, bool init)
{
    cpu->reset_init = init;
    cpu->attention |= ATTN_RESET;
}

void cpu_models_help(void (*print)(void *ctx, const char *name, const char *text), void *ctx)
{
    for (const struct cpu_model *m = cpu_models; m->name; m++)
        print(ctx, m->name, m->text);
}

void cpu_dump(const struct cpu *cpu, char *out, size_t size)
{
    static const char *const gpr[] = {"EAX", "ECX", "EDX", "EBX", "ESP", "EBP", "ESI", "EDI"};
    static const char *const seg[] = {"ES", "CS", "SS", "DS", "FS", "GS", "LDT", "TR"};
    size_t n = 0;

#define PUT(...)                                                                                   \
    do {                                                                                           \
        int k = snprintf(out + n, size - n, __VA_ARGS__);                                          \
        n += k < 0 ? 0 : (size_t)k < size - n ? (size_t)k : size - n - 1;                          \
    } while (0)
    for (unsigned i = 0; i < 8; i++)
        PUT("%s=%08x%c", gpr[i], (u32)cpu->gpr[i], i % 4 == 3 ? '\n' : ' ');
    PUT("EIP=%08x EFL=%08x CPL=%u HLT=%u\n", (u32)cpu->rip, flags_get(cpu), cpu->cpl, cpu->halted);
    for (unsigned i = 0; i < 8; i++) {
        const struct segment *s = i < 6 ? &cpu->seg[i] : i == 6 ? &cpu->ldtr : &cpu->tr;
        PUT("%-3s=%04x %08x %08x %04x\n", seg[i], s->selector, (u32)s->base, s->limit, s->attr);
    }
    PUT("GDT=%08x %04x IDT=%08x %04x\n", (u32)cpu->gdtr.base, cpu->gdtr.limit, (u32)cpu->idtr.base,
        cpu->idtr.limit);
    PUT("CR0=%08x CR2=%08x CR3=%08x CR4=%08x\n", (u32)cpu->cr0, (u32)cpu->cr2, (u32)cpu->cr3,
        (u32)cpu->cr4);
    PUT("DR0=%08x DR1=%08x DR2=%08x DR3=%08x DR6=%08x DR7=%08x", (u32)cpu->dr[0], (u32)cpu->dr[1],
        (u32)cpu->dr[2], (u32)cpu->dr[3], (u32)cpu->dr[6], (u32)cpu->dr[7]);
#undef PUT
}
