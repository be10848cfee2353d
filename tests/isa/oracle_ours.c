/* SPDX-License-Identifier: MIT */
/* One instruction through our decoder and executors, or an engine, as user code with paging. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/decode.h"
#include "cpu/flags.h"
#include "cpu/segment.h"
#include "tests/isa/oracle_ours.h"

enum { PTE_SUPERVISOR_RW = 3, PTE_USER_RW = 7 };

static u32 no_in(void *ctx, u16 port, enum width w)
{
    (void)ctx, (void)port, (void)w;
    return ~0u;
}

static void no_out(void *ctx, u16 port, u32 val, enum width w)
{
    (void)ctx, (void)port, (void)val, (void)w;
}

static u8 no_inta(void *ctx)
{
    (void)ctx;
    return 0;
}

static void no_ferr(void *ctx, bool level)
{
    (void)ctx, (void)level;
}

static void map_window(u8 *ram, u32 linear, u32 bytes, u32 *at)
{
    for (u32 off = 0; off < bytes; off += PAGE_SIZE, *at += PAGE_SIZE)
        store32(ram + RAM_TABLE + (linear + off - ARENA_BASE) / PAGE_SIZE * 4, *at | PTE_USER_RW);
}

/* The raw descriptor [SDM 3A Figure 3-8]. */
static u64 raw_descriptor(const struct oracle_segment *from)
{
    static const u16 type[] = {
        [ORACLE_DATA] = SEG_P | SEG_RW,
        [ORACLE_DATA_DOWN] = SEG_P | SEG_RW | SEG_DC,
        [ORACLE_CODE] = SEG_P | SEG_RW | SEG_CODE,
        [ORACLE_DATA_RO] = SEG_P,
        [ORACLE_CODE_XO] = SEG_P | SEG_CODE,
        [ORACLE_DATA_ABSENT] = SEG_RW,
        [ORACLE_CODE_ABSENT] = SEG_RW | SEG_CODE,
    };
    u64 attr = type[from->kind] | SEG_DPL | SEG_S | SEG_ACCESSED;
    u64 limit = from->limit;

    attr |= from->big ? SEG_DB : 0;
    if (limit > 0xfffff) {
        limit >>= 12;
        attr |= SEG_G;
    }
    return (limit & 0xffff) | (u64)(from->base & 0xffffff) << 16 | attr << 40 |
           (limit >> 16) << 48 | (u64)(from->base >> 24) << 56;
}

static void put_descriptor(struct ours *o, const struct oracle_segment *from)
{
    u32 table = from->selector & 4 ? RAM_LDT : RAM_GDT;

    if (from->kind != ORACLE_NULL)
        store64(physmem_ram(o->pm) + table + (from->selector & ~7u), raw_descriptor(from));
}

/** The LDT has what the mode needs, and nothing of others. */
static void fill_tables(struct ours *o, enum oracle_mode mode)
{
    memset(physmem_ram(o->pm) + RAM_LDT, 0, 8 * ORACLE_LDT_ENTRIES);
    for (unsigned i = 0; i < SEG__COUNT; i++) {
        put_descriptor(o, &oracle_segments[ORACLE_FLAT32][i]);
        put_descriptor(o, &oracle_segments[mode][i]);
    }
    for (unsigned i = 0; i < ORACLE_OTHERS; i++)
        put_descriptor(o, &oracle_others[i]);
    o->mode = mode;
}

static void set_mode(struct ours *o, enum oracle_mode mode)
{
    struct cpu *cpu = o->cpu;
    struct descriptor d;

    if (mode != o->mode)
        fill_tables(o, mode);
    for (unsigned seg = 0; seg < SEG__COUNT; seg++) {
        const struct oracle_segment *from = &oracle_segments[mode][seg];
        descriptor_unpack(raw_descriptor(from), &d);
        if (from->kind == ORACLE_NULL)
            segment_set_null(cpu, seg, 0);
        else
            segment_set(cpu, seg, from->selector, &d);
    }
}

static void enter_user_mode(struct cpu *cpu)
{
    cpu->cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_MP | CR0_WP | CR0_PG;
    cpu->cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT;
    cpu->cr3 = RAM_DIRECTORY;
    cpu->tr.limit = 0; /* no I/O permission map */
    cpu->gdtr = (struct table_reg){.base = TABLES + RAM_GDT, .limit = 0x7f};
    cpu->ldtr = (struct segment){.base = TABLES + RAM_LDT, .limit = 8 * ORACLE_LDT_ENTRIES - 1};
    cpu->ldtr.attr = SEG_P | SYS_LDT;
    cpu->ldtr.selector = 0x50;
    cpu->cpl = 3;
    cpu_paging_changed(cpu);
}

struct ours *ours_create(struct oracle_memory *mem, enum oracle_engine engine)
{
    struct ours *o = calloc(1, sizeof(*o));
    struct cpu_desc desc = {.model = "max",
                            .bus = {.in = no_in, .out = no_out, .inta = no_inta, .ferr = no_ferr}};
    u32 at = RAM_ARENA;

    if (!o)
        return NULL;
    clock_init(&o->clock, CLOCK_RATIO_DEFAULT);
    if (physmem_create(&o->pm, RAM_SIZE) != STATUS_OK)
        abort();
    desc.physmem = o->pm;
    desc.clock = &o->clock;
    if (cpu_create(&o->cpu, &desc) != STATUS_OK ||
        decode_table_create(&o->table, DECODE_ALL_FEATURES) != STATUS_OK)
        abort();
    physmem_map_ram(o->pm, 0, RAM_SIZE, 0);
    physmem_set_a20(o->pm, true);
    u8 *ram = physmem_ram(o->pm);
    store32(ram + RAM_DIRECTORY + (ARENA_BASE >> 22) * 4, RAM_TABLE | PTE_USER_RW);
    store32(ram + RAM_TABLE + (ARENA_EXIT - ARENA_BASE) / PAGE_SIZE * 4,
            RAM_GDT | PTE_SUPERVISOR_RW);
    o->code_at = at;
    o->engine = engine;
    map_window(ram, ARENA_CODE, PAGE_SIZE, &at);
    mem->data = ram + at;
    map_window(ram, ARENA_DATA, ARENA_WINDOW, &at);
    mem->stack = ram + at;
    map_window(ram, ARENA_STACK, ARENA_WINDOW, &at);
    fill_tables(o, ORACLE_FLAT32);
    enter_user_mode(o->cpu);
    const char *why_not = engine_attach(o);
    if (!why_not)
        return o;
    printf("skipped: %s\n", why_not);
    ours_destroy(o);
    return NULL;
}

void ours_destroy(struct ours *o)
{
    if (!o)
        return;
    engine_detach(o);
    decode_table_destroy(o->table);
    cpu_destroy(o->cpu);
    physmem_destroy(o->pm);
    free(o);
}

enum { FX_SW = 2, FX_TAGS = 4, FX_MXCSR = 24, FX_ST = 32, FX_XMM = 160 };

static void load_fpu(struct cpu *cpu, const u8 *fx)
{
    struct x87_state *f = &cpu->x87;

    f->control = load16(fx);
    x87_set_status_word(f, load16(fx + FX_SW));
    f->empty = (u8)~fx[FX_TAGS];
    f->ip = f->dp = 0;
    f->opcode = f->cs = f->ds = 0;
    cpu->sse.mxcsr = load32(fx + FX_MXCSR);
    for (unsigned i = 0; i < 8; i++) {
        const u8 *st = fx + FX_ST + 16 * i;
        f->r[(f->top + i) & 7] = (struct f80){load64(st), load16(st + 8)};
        memcpy(cpu->sse.v[i].b, fx + FX_XMM + 16 * i, 16);
    }
}

static void store_fpu(const struct cpu *cpu, u8 *fx)
{
    const struct x87_state *f = &cpu->x87;

    store16(fx, f->control);
    store16(fx + FX_SW, x87_status_word(f));
    fx[FX_TAGS] = (u8)~f->empty;
    store32(fx + FX_MXCSR, cpu->sse.mxcsr);
    for (unsigned i = 0; i < 8; i++) {
        const struct f80 *st = &f->r[(f->top + i) & 7];
        store64(fx + FX_ST + 16 * i, st->mant);
        store16(fx + FX_ST + 16 * i + 8, st->sign_exp);
        memcpy(fx + FX_XMM + 16 * i, cpu->sse.v[i].b, 16);
    }
}

/* As a bus master would: what was decoded from the page is forgotten. */
static void put_code(struct ours *o, const struct oracle_case *c)
{
    static u8 page[PAGE_SIZE];

    memset(page, 0xcc, PAGE_SIZE); /* the last case may have written there */
    memcpy(page + (c->in.eip & (PAGE_SIZE - 1)), c->bytes, c->len);
    physmem_write(o->pm, o->code_at, page, PAGE_SIZE);
}

static void run_executor(struct ours *o, const struct insn *in, struct oracle_result *out)
{
    struct cpu *cpu = o->cpu;

    clock_begin(&o->clock, ORACLE_MAX_STEPS);
    out->fault = !in->exec(cpu, in);
    if (!out->fault)
        return;
    cpu->next_rip = cpu->rip;
    out->vector = cpu->fault.vector;
    out->error = oracle_has_error(out->vector) ? cpu->fault.error : 0;
    out->cr2 = out->vector == VEC_PF ? (u32)cpu->fault.lin : 0;
}

/* The host's trap can be seen in what PUSHF stores, and an engine would trap, too. */
static bool shows_trap(const struct oracle_case *c)
{
    return c->stop == STOP_TRAP && strcmp(oracle_exec_name(c->row), "pushf") == 0;
}

bool ours_run(struct ours *o, const struct oracle_case *c, struct oracle_result *out)
{
    struct cpu *cpu = o->cpu;
    bool executor = o->engine == ORACLE_EXECUTORS || shows_trap(c);
    struct insn in;

    memset(out, 0, sizeof(*out));
    if (decode(o->table, c->bytes, INSN_MAX_LEN, oracle_decode_mode(c), &in) != DECODE_OK)
        return false;
    cpu_set_cpl(cpu, 3);
    set_mode(o, c->mode);
    put_code(o, c);
    for (unsigned i = 0; i < 8; i++)
        cpu->gpr[i] = c->in.gpr[i];
    flags_put(cpu, c->in.eflags | (executor && c->stop == STOP_TRAP ? FL_T : 0));
    if (c->fpu)
        load_fpu(cpu, c->fx);
    cpu->rip = c->in.eip;
    cpu->next_rip = cpu->rip + in.len;
    cpu->attention = 0;
    cpu->inhibit = 0;
    if (executor)
        run_executor(o, &in, out);
    else
        engine_run(o, c, &in, out);
    for (unsigned i = 0; i < 8; i++)
        out->regs.gpr[i] = (u32)cpu->gpr[i];
    if (c->fpu)
        store_fpu(cpu, out->fx);
    out->regs.eip = (u32)cpu->next_rip;
    out->regs.eflags = flags_get(cpu);
    for (unsigned seg = 0; seg < SEG__COUNT; seg++)
        out->selector[seg] = cpu->seg[seg].selector;
    return true;
}
