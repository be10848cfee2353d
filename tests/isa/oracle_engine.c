/* SPDX-License-Identifier: MIT */
/*
 * A case as a whole CPU runs it: code in memory, faults delivered through an IDT to handlers that
 * halt, an INT3 behind the instruction. The first run of a block is by the engine that was asked
 * for.
 */
#include <stdlib.h>

#include "base/bits.h"
#include "cpu/cpu.h"
#include "cpu/flags.h"
#include "cpu/segment.h"
#include "jit/jit.h"
#include "mmu/physmem.h"
#include "tests/isa/oracle_ours.h"

enum {
    VECTORS = 32,
    KERNEL_CS = 0x70, /* the last two of the GDT: no case has a selector for them */
    KERNEL_SS = 0x78,
    TSS_ESP0 = 4,
    TSS_SS0 = 8,
    TSS_IOMAP = 0x66,
    TSS_BYTES = 0x68,
    HLT = 0xf4,
    FRAME_DWORDS = 5, /* EIP, CS, EFLAGS, ESP, SS */
};

/* A flat segment of ring 0: 4 GiB, 32 bits [SDM 3A Figure 3-8]. */
static u64 flat_ring_0(u64 type)
{
    return 0xffff | (type | SEG_P | SEG_S | SEG_RW | SEG_ACCESSED | SEG_DB | SEG_G) << 40 |
           (u64)0xf << 48;
}

/* A 32-bit interrupt gate; INT3 may be executed by the user [SDM 3A Figure 6-2]. */
static u64 gate(unsigned vector)
{
    u32 handler = TABLES + RAM_HANDLERS + vector;
    u64 attr = SEG_P | SYS_INT32 | (vector == VEC_BP ? SEG_DPL : 0);

    return (handler & 0xffff) | KERNEL_CS << 16 | attr << 40 | (u64)(handler >> 16) << 48;
}

static void make_kernel(struct ours *o)
{
    u8 *ram = physmem_ram(o->pm);
    struct cpu *cpu = o->cpu;

    store64(ram + RAM_GDT + KERNEL_CS, flat_ring_0(SEG_CODE));
    store64(ram + RAM_GDT + KERNEL_SS, flat_ring_0(0));
    store32(ram + RAM_TSS + TSS_ESP0, TABLES + RAM_STACK);
    store16(ram + RAM_TSS + TSS_SS0, KERNEL_SS);
    store16(ram + RAM_TSS + TSS_IOMAP, TSS_BYTES); /* none */
    for (unsigned v = 0; v < VECTORS; v++) {
        store64(ram + RAM_IDT + 8 * v, gate(v));
        ram[RAM_HANDLERS + v] = HLT;
    }
    cpu->idtr = (struct table_reg){.base = TABLES + RAM_IDT, .limit = 8 * VECTORS - 1};
    cpu->tr = (struct segment){.base = TABLES + RAM_TSS, .limit = TSS_BYTES - 1};
    cpu->tr.attr = SEG_P | SYS_TSS32_BUSY;
}

const char *engine_attach(struct ours *o)
{
    struct jit_desc d = {
        .cpu = o->cpu,
        .physmem = o->pm,
        .engine = o->engine == ORACLE_JIT ? JIT_HOST : JIT_EVAL,
        .threshold = 1,
    };

    if (o->engine == ORACLE_EXECUTORS)
        return NULL;
    make_kernel(o);
    if (o->engine == ORACLE_INTERP)
        return NULL;
    return jit_create(&o->jit, &d) == STATUS_OK ? NULL : "there is no code generator for this host";
}

void engine_detach(struct ours *o)
{
    jit_destroy(o->jit);
}

/* The handler of that vector was reached: what the frame says. */
static void take_frame(struct ours *o, unsigned vector, const struct oracle_case *c,
                       struct oracle_result *out)
{
    struct cpu *cpu = o->cpu;
    bool has_error = oracle_has_error(vector);
    const u8 *frame = physmem_ram(o->pm) + RAM_STACK - 4 * (FRAME_DWORDS + has_error);
    u32 error = has_error ? load32(frame) : 0;

    frame += has_error ? 4 : 0;
    u32 eip = load32(frame);
    cpu->gpr[REG_SP] = load32(frame + 12);
    segment_set(cpu, SEG_SS, load16(frame + 16), &(struct descriptor){0});
    segment_set(cpu, SEG_CS, load16(frame + 4), &(struct descriptor){0});
    flags_put(cpu, load32(frame + 8));
    /* At another instruction: that one's fault, where a jump went. */
    out->fault = vector != VEC_BP && eip == c->in.eip;
    cpu->next_rip = vector == VEC_BP ? eip - 1 : eip;
    if (out->fault) {
        out->vector = (u8)vector;
        out->error = error;
        out->cr2 = vector == VEC_PF ? (u32)cpu->cr2 : 0;
    }
}

void engine_run(struct ours *o, const struct oracle_case *c, const struct insn *in,
                struct oracle_result *out)
{
    struct cpu *cpu = o->cpu;
    bool alone = insn_def[in->id].attr & ATTR_Ends; /* a block of one: it may go anywhere */

    cpu->halted = false;
    clock_begin(&o->clock, c->rep ? ORACLE_MAX_STEPS : alone ? 1 : 2);
    enum cpu_exit e = cpu_run(cpu);
    u32 at = (u32)cpu->rip - cpu->halted; /* behind the HLT */
    if (e == CPU_EXIT_SHUTDOWN)
        abort();
    if (cpu->cpl == 0)
        take_frame(o, at - (TABLES + RAM_HANDLERS), c, out);
    else
        cpu->next_rip = cpu->rip;
}
