/* SPDX-License-Identifier: MIT */
/*
 * Random cases, made from the rows: an encoding, registers, flags, memory. Registers that address
 * memory, and the few that have to be small for an instruction to do anything interesting, are
 * steered; all others are random with a bias to the edges.
 */
#include <string.h>

#include "base/bits.h"
#include "tests/isa/oracle.h"

static const char *const exec_names[INSN__COUNT] = {
#define INSN(id, map, opcode, pfx, form, text, o1, o2, o3, attr, feat, rd, wr, un, exec, xlate)    \
#exec,
#include "cpu/isa.def"
};

const char *oracle_exec_name(unsigned row)
{
    return exec_names[row];
}

u32 random_u32(struct random *r)
{
    r->state ^= r->state << 13;
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return (u32)(r->state * 0x2545f4914f6cdd1d >> 32);
}

u32 random_below(struct random *r, u32 n)
{
    return (u32)((u64)random_u32(r) * n >> 32);
}

static bool one_in(struct random *r, u32 n)
{
    return random_below(r, n) == 0;
}

u32 random_edge(struct random *r)
{
    static const u32 edges[] = {0,          1,          2,          7,         8,      15,
                                16,         31,         32,         33,        0x7f,   0x80,
                                0x81,       0xff,       0x100,      0x7fff,    0x8000, 0x8001,
                                0xffff,     0x10000,    0x9999,     0x0909,    0x6a9b, 0xff80,
                                0x7fffffff, 0x80000000, 0x80000001, 0xffffffff};

    switch (random_below(r, 4)) {
    case 0:
        return edges[random_below(r, ARRAY_LEN(edges))];
    case 1:
        return 0 - edges[random_below(r, ARRAY_LEN(edges))];
    case 2:
        return random_u32(r) >> random_below(r, 32);
    default:
        return random_u32(r);
    }
}

/* Which rows. */

/** Would leave user mode or the flat segments, read what differs by host, or enter the kernel. */
static const char *const never[] = {
    "int3", "int1",     "int_i",   "into",  "sldt",  "str",   "sgdt",    "sidt",  "smsw",
    "lfs",  "sysenter", "sysexit", "rdtsc", "rdpmc", "cpuid", "monitor", "mwait",
};

static bool is_exec(unsigned row, const char *name)
{
    return strcmp(exec_names[row], name) == 0;
}

static bool has_modrm(unsigned row)
{
    return insn_def[row].form & FORM_HAS;
}

bool oracle_row_runs(unsigned row, enum oracle_form form)
{
    const struct insn_def *d = &insn_def[row];

    if (d->attr & ATTR_O64)
        return false;
    if (row == INSN_POP_FS) /* the host's threads need it */
        return false;
    for (size_t i = 0; i < ARRAY_LEN(never); i++)
        if (is_exec(row, never[i]))
            return false;
    if (!has_modrm(row))
        return form == FORM_IS_PLAIN;
    if (form == FORM_IS_REG)
        return !(d->form & FORM_MEM);
    if (strncmp(exec_names[row], "mov_", 4) == 0 && (d->attr & ATTR_Cpl0))
        return false; /* MOV to and from CRn, DRn: a register whatever mod says */
    return form == FORM_IS_MEM && !(d->form & FORM_REG);
}

/* Encoding. */

struct gen {
    struct random *r;
    struct oracle_case *c;
    const struct insn_def *def;
    const struct oracle_segment *segments;
    bool opsize16, adsize16;
    bool calm;    /* no faults on purpose: they cost fifty times as much */
    unsigned seg; /* of the memory operand: DS, or what a prefix says */
    u32 locked;   /* registers that have their final value */
    u8 *out;
};

static void put8(struct gen *g, u32 v)
{
    *g->out++ = (u8)v;
}

static void put16(struct gen *g, u32 v)
{
    put8(g, v);
    put8(g, v >> 8);
}

static void put32(struct gen *g, u32 v)
{
    put16(g, v);
    put16(g, v >> 16);
}

static bool row_has(const struct gen *g, enum operand code)
{
    return g->def->op[0] == code || g->def->op[1] == code || g->def->op[2] == code;
}

static bool is_string(const struct gen *g)
{
    return row_has(g, OPND_Xb) || row_has(g, OPND_Xv) || row_has(g, OPND_Xz) ||
           row_has(g, OPND_Yb) || row_has(g, OPND_Yv) || row_has(g, OPND_Yz);
}

/** An operand's offset in @seg: mostly across the two pages of a window, else near its ends. */
static u32 target(struct gen *g, unsigned seg)
{
    u32 base = g->segments[seg].base, window = ARENA_DATA;

    if (seg == SEG_SS || (base == 0 && one_in(g->r, 8)))
        window = ARENA_STACK;
    switch (g->calm ? 2 : random_below(g->r, 12)) {
    case 0:
        return window - base + ARENA_WINDOW - random_below(g->r, 12);
    case 1:
        return window - base + random_below(g->r, 8) - 4;
    default:
        return window - base + ARENA_MIDDLE - 40 + random_below(g->r, 80);
    }
}

static void set_reg(struct gen *g, unsigned reg, u32 v)
{
    g->c->in.gpr[reg] = v;
    g->locked |= BIT(reg);
}

static void choose_segment(struct gen *g)
{
    static const u8 good[] = {SEG_ES, SEG_SS, SEG_DS};

    if (!one_in(g->r, 6))
        g->seg = SEG__COUNT;
    else if (g->calm)
        g->seg = good[random_below(g->r, ARRAY_LEN(good))];
    else
        g->seg = random_below(g->r, SEG__COUNT);
}

static void put_prefixes(struct gen *g)
{
    static const u8 overrides[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};
    struct oracle_case *c = g->c;
    bool code16 = !g->segments[SEG_CS].big;

    if (g->seg < SEG__COUNT)
        put8(g, overrides[g->seg]);
    else
        g->seg = SEG_DS;
    if (g->def->pfx == PFX_66 || (g->def->pfx != PFX_NP && g->opsize16 != code16))
        put8(g, 0x66);
    if (g->adsize16 != code16)
        put8(g, 0x67);
    if (is_string(g) && !one_in(g->r, 3)) {
        put8(g, one_in(g->r, 2) ? 0xf3 : 0xf2);
        c->rep = true;
    } else if (g->def->pfx == PFX_F3 || g->def->pfx == PFX_F2) {
        put8(g, g->def->pfx == PFX_F3 ? 0xf3 : 0xf2);
    } else if (!(g->def->attr & (ATTR_Cpl0 | ATTR_NoReal)) &&
               one_in(g->r, g->def->attr & ATTR_Lock ? 8 : 64)) {
        /* (LOCK MOV CR0 is another way to name CR8 on AMD's processors; LOCK VERR is legal.) */
        put8(g, 0xf0);
    }
}

/** 32-bit addressing: the operand at @at, by whatever base, index and displacement reach it. */
static void put_address32(struct gen *g, unsigned reg, u32 at)
{
    unsigned form = random_below(g->r, 4); /* 0: disp32; 1: base; 2: base + disp8; 3: + disp32 */
    unsigned base = random_below(g->r, 8), index = random_below(g->r, 8);
    unsigned scale = random_below(g->r, 4);
    bool sib = base == REG_SP || one_in(g->r, 2);
    u32 *gpr = g->c->in.gpr, sum = 0;
    u32 disp8 = (u32)(i32)(i8)random_u32(g->r);

    if (form != 0 && form != 3 && ((g->locked & BIT(base)) || (sib && index == base)))
        form = 3;
    if (form == 1 && base == REG_BP)
        form = 2;
    if (sib && index != REG_SP)
        sum = gpr[index] << scale;
    if (form == 1 || form == 2)
        gpr[base] = at - sum - (form == 2 ? disp8 : 0);
    unsigned mod = form & 3;
    if (form == 0) {
        base = REG_BP; /* mod 0, rm or base 5: a 32-bit displacement alone */
    } else {
        mod = form - 1;
        sum += gpr[base];
    }
    put8(g, mod << 6 | reg << 3 | (sib ? 4u : base));
    if (sib)
        put8(g, scale << 6 | index << 3 | base);
    if (form == 2)
        put8(g, disp8);
    else if (form != 1)
        put32(g, at - sum);
}

/** 16-bit addressing [SDM 2A Table 2-1]: the operand at @at, by a displacement or by a register. In
 * flat segments it reaches only what is not mapped: the fault tells the address. */
static void put_address16(struct gen *g, unsigned reg, u32 at)
{
    static const u8 regs[8][2] = {{REG_BX, REG_SI}, {REG_BX, REG_DI}, {REG_BP, REG_SI},
                                  {REG_BP, REG_DI}, {REG_SI, REG_SI}, {REG_DI, REG_DI},
                                  {REG_BP, REG_BP}, {REG_BX, REG_BX}};
    unsigned mod = random_below(g->r, 3), rm = random_below(g->r, 8);
    unsigned base = regs[rm][0], index = regs[rm][1];
    u32 *gpr = g->c->in.gpr, disp8 = (u32)(i32)(i8)random_u32(g->r);
    u32 sum = index != base ? gpr[index] : 0;

    if (g->locked & BIT(base))
        mod = 2;
    if (mod == 0 && rm == 6) {
        sum = 0; /* a displacement alone */
    } else {
        if (mod < 2)
            gpr[base] = (gpr[base] & 0xffff0000) | ((at - sum - (mod == 1 ? disp8 : 0)) & 0xffff);
        sum += gpr[base];
    }
    put8(g, mod << 6 | reg << 3 | rm);
    if (mod == 1)
        put8(g, disp8);
    else if (mod == 2 || rm == 6)
        put16(g, at - sum);
}

/** A selector of something, or of nothing. */
static u16 random_selector(struct gen *g)
{
    static const u16 list[] = {0x00, 0x03, 0x23, 0x2b, 0x07, 0x0f, 0x17, 0x1f, 0x27,  0x2f,
                               0x37, 0x3f, 0x47, 0x4f, 0x57, 0x5f, 0x67, 0x6f, 0xfff7};
    u16 sel = list[random_below(g->r, ARRAY_LEN(list))];

    return one_in(g->r, 4) ? (u16)((sel & ~3u) | random_below(g->r, 4)) : sel;
}

/** Where far transfers go: into the code page, or anywhere. */
static u32 random_far_offset(struct gen *g)
{
    return one_in(g->r, 8) ? random_edge(g->r) : 0x200 + random_below(g->r, 0xc00);
}

static void put_modrm(struct gen *g, enum oracle_form form, u32 at)
{
    unsigned value = g->def->form & 0xff, mask = g->def->form >> 8 & 0xff;
    unsigned reg = ((value & mask) | (random_u32(g->r) & ~mask)) >> 3 & 7;
    unsigned rm = ((value & mask) | (random_u32(g->r) & ~mask)) & 7;

    if (row_has(g, OPND_Sw) && reg == SEG_FS)
        reg = SEG_GS; /* the host's threads need FS */
    if (form == FORM_IS_REG)
        put8(g, 0xc0 | reg << 3 | rm);
    else if (g->adsize16)
        put_address16(g, reg, at);
    else
        put_address32(g, reg, at);
}

static void put_immediates(struct gen *g, u32 at)
{
    for (unsigned i = 0; i < 3; i++) {
        switch (g->def->op[i]) {
        case OPND_Ib:
        case OPND_Ibs:
        case OPND_Jb:
            put8(g, random_edge(g->r));
            break;
        case OPND_Iw: /* RET, ENTER: mostly small, so that the stack stays where it is */
            put16(g, one_in(g->r, 8) ? random_edge(g->r) : random_below(g->r, 64));
            break;
        case OPND_Iz:
        case OPND_Iv:
        case OPND_Jz:
            (g->opsize16 ? put16 : put32)(g, random_edge(g->r));
            break;
        case OPND_Ob:
        case OPND_Ov:
            (g->adsize16 ? put16 : put32)(g, at);
            break;
        case OPND_Ap:
            (g->opsize16 ? put16 : put32)(g, random_far_offset(g));
            put16(g, random_selector(g));
            break;
        default:
            break;
        }
    }
}

/* Inputs. */

enum { ACTIVE_BYTES = 64 };
static const u32 active[] = {0, ARENA_MIDDLE - ACTIVE_BYTES, ARENA_MIDDLE,
                             ARENA_WINDOW - ACTIVE_BYTES};

static void random_memory(struct random *r, u8 *window)
{
    for (size_t i = 0; i < ARRAY_LEN(active); i++)
        for (u32 off = 0; off < ACTIVE_BYTES; off += 4)
            store32(window + active[i] + off, random_edge(r));
}

u8 *oracle_bytes(const struct oracle_memory *mem, u32 at, u32 size)
{
    if (at >= ARENA_DATA && at + size <= ARENA_DATA + ARENA_WINDOW)
        return mem->data + (at - ARENA_DATA);
    if (at >= ARENA_STACK && at + size <= ARENA_STACK + ARENA_WINDOW)
        return mem->stack + (at - ARENA_STACK);
    return NULL;
}

static u8 *window_bytes(const struct oracle_memory *mem, u32 at)
{
    return oracle_bytes(mem, at, 8);
}

/** The state of the units, and an operand that suits them, mostly aligned if it has to be. */
static u32 steer_fpu(struct gen *g, const struct oracle_memory *mem, u32 at)
{
    unsigned row = g->c->row;
    bool aligned = g->def->attr & ATTR_Align || g->def->op[0] == OPND_Mfx;

    g->c->fpu = true;
    oracle_fpu_state(g->r, row, g->calm, g->c->fx);
    if (is_exec(row, "maskmov")) { /* by its register */
        at = ARENA_DATA + ARENA_MIDDLE - 40 + random_below(g->r, 40) - g->segments[g->seg].base;
        set_reg(g, REG_DI, at);
    }
    if (aligned && (g->calm || !one_in(g->r, 16)))
        at -= (at + g->segments[g->seg].base) & 15;
    u8 *bytes = oracle_bytes(mem, at + g->segments[g->seg].base, oracle_fpu_operand_size(row));
    if (bytes)
        oracle_fpu_operand(g->r, row, g->opsize16, bytes);
    return at;
}

static void steer_strings(struct gen *g)
{
    u32 from = target(g, g->seg), to = target(g, SEG_ES);

    if (one_in(g->r, 3)) /* overlapping */
        to = from + g->segments[g->seg].base - g->segments[SEG_ES].base + random_below(g->r, 9) - 4;
    set_reg(g, REG_SI, from);
    set_reg(g, REG_DI, to);
    if (g->c->rep) { /* INS and OUTS of nothing: AMD's check the port nevertheless */
        u32 least = row_has(g, OPND_DX) ? 1 : 0;
        set_reg(g, REG_CX, least + random_below(g->r, 20));
        if (g->adsize16)
            g->c->in.gpr[REG_CX] |= random_u32(g->r) << 16;
    }
}

static void steer_division(struct gen *g)
{
    u32 ax = g->c->in.gpr[REG_AX];

    g->locked |= BIT(REG_AX) | BIT(REG_DX);
    switch (random_below(g->r, 3)) {
    case 0:
        g->c->in.gpr[REG_DX] = (u32)((i32)ax >> 31);
        break;
    case 1:
        g->c->in.gpr[REG_DX] = random_below(g->r, 256);
        break;
    default:
        break;
    }
}

/** Comparands that are equal half of the time; the values of scans are in memory. */
static void steer_comparand(struct gen *g, const struct oracle_memory *mem, u32 at)
{
    const u8 *bytes = window_bytes(mem, at + g->segments[g->seg].base);

    g->locked |= BIT(REG_AX) | BIT(REG_DX);
    if (!bytes || one_in(g->r, 2))
        return;
    g->c->in.gpr[REG_AX] = load32(bytes);
    g->c->in.gpr[REG_DX] = load32(bytes + 4);
}

static void steer_stack(struct gen *g)
{
    u32 sp = ARENA_STACK + ARENA_MIDDLE - 32 + random_below(g->r, 16) * 4;

    if (one_in(g->r, 8))
        sp += random_below(g->r, 4);
    else if (one_in(g->r, 16))
        sp = ARENA_STACK + random_below(g->r, 24);
    else if (one_in(g->r, 16) && !is_exec(g->c->row, "pop_sreg")) /* reads 2 or 4 bytes */
        sp = ARENA_STACK + ARENA_WINDOW - random_below(g->r, 24);
    sp -= g->segments[SEG_SS].base;
    if (!g->segments[SEG_SS].big)
        sp = (sp & 0xffff) | random_u32(g->r) << 16;
    set_reg(g, REG_SP, sp);
}

/** Store a word of operand size where the stack's @n-th is, as far as there is memory. */
static void store_on_stack(struct gen *g, const struct oracle_memory *mem, unsigned n, u32 v)
{
    const struct oracle_segment *ss = &g->segments[SEG_SS];
    const unsigned size = g->opsize16 ? 2 : 4;

    for (unsigned i = 0; i < size; i++) {
        u32 sp = g->c->in.gpr[REG_SP] + n * size + i;
        u8 *byte = oracle_bytes(mem, (ss->big ? sp : (u16)sp) + ss->base, 1);
        if (byte)
            *byte = (u8)(v >> (8 * i));
    }
}

static bool reads_selectors(const struct gen *g)
{
    const char *exec = exec_names[g->c->row];

    return row_has(g, OPND_Mp) || row_has(g, OPND_EwRv) || strncmp(exec, "ver", 3) == 0 ||
           strcmp(exec, "lar") == 0 || strcmp(exec, "lsl") == 0;
}

/** Wherever the operand is: the host's GDT has more than the segments that ours has. */
static void fill_with_selectors(struct gen *g, u8 *window)
{
    for (size_t i = 0; i < ARRAY_LEN(active); i++)
        for (u32 off = 0; off < ACTIVE_BYTES; off += 2)
            store16(window + active[i] + off, random_selector(g));
}

/** Sources of selectors and far pointers: registers, the memory operand, the stack. */
static void steer_selectors(struct gen *g, const struct oracle_memory *mem, u32 at)
{
    u8 *bytes = window_bytes(mem, at + g->segments[g->seg].base);
    const char *exec = exec_names[g->c->row];

    if (row_has(g, OPND_Mp) && bytes) {
        store_le(bytes, random_far_offset(g), g->opsize16 ? 2 : 4);
        store16(bytes + (g->opsize16 ? 2 : 4), random_selector(g));
    } else if (row_has(g, OPND_EwRv) || strncmp(exec, "ver", 3) == 0) {
        for (unsigned reg = 0; reg < 8; reg++)
            if (!(g->locked & BIT(reg)))
                store16(&g->c->in.gpr[reg], random_selector(g));
        if (bytes)
            store16(bytes, random_selector(g));
    } else if (strcmp(exec, "pop_sreg") == 0) {
        store_on_stack(g, mem, 0, random_u32(g->r) << 16 | random_selector(g));
    } else if (strcmp(exec, "retf") == 0 || strcmp(exec, "iret") == 0) {
        store_on_stack(g, mem, 0, random_far_offset(g));
        store_on_stack(g, mem, 1, random_u32(g->r) << 16 | random_selector(g));
    }
}

static void steer(struct gen *g, const struct oracle_memory *mem, u32 at)
{
    unsigned row = g->c->row;
    u32 *gpr = g->c->in.gpr;
    const char *exec = exec_names[row];

    steer_stack(g);
    if (reads_selectors(g)) {
        fill_with_selectors(g, mem->data);
        fill_with_selectors(g, mem->stack);
    }
    if (is_string(g))
        steer_strings(g);
    if (strcmp(exec, "xlat") == 0)
        set_reg(g, REG_BX, at - (u8)gpr[REG_AX]);
    if (strcmp(exec, "enter") == 0 || strcmp(exec, "leave") == 0)
        set_reg(g, REG_BP, gpr[REG_SP] + random_below(g->r, 64) - 16);
    if (strcmp(exec, "div") == 0 || strcmp(exec, "idiv") == 0)
        steer_division(g);
    if (strcmp(exec, "cmpxchg") == 0 || strcmp(exec, "cmpxchg8b") == 0)
        steer_comparand(g, mem, at);
    if (strncmp(exec, "loop", 4) == 0 || strcmp(exec, "jcxz") == 0)
        gpr[REG_CX] = random_below(g->r, 3) | (one_in(g->r, 2) ? random_u32(g->r) << 16 : 0);
    if (strncmp(exec, "bt", 2) == 0 && row_has(g, OPND_Gv))
        for (unsigned reg = 0; reg < 8; reg++) /* whichever holds the bit offset: stay near */
            if (reg != REG_SP && !one_in(g->r, 8))
                set_reg(g, reg, random_below(g->r, 300) - 150);
    steer_selectors(g, mem, at);
    if (strcmp(exec, "popf") == 0 || strcmp(exec, "iret") == 0) {
        /* Not TF, AC, NT: they would outlive the instruction. */
        gpr[REG_SP] = ARENA_STACK + ARENA_MIDDLE - g->segments[SEG_SS].base;
        steer_selectors(g, mem, at);
        store_on_stack(g, mem, exec[0] == 'i' ? 2 : 0,
                       random_u32(g->r) & (FL_OSZAPC | FL_D | FL_I));
    }
}

static enum oracle_stop choose_stop(const struct gen *g, const struct oracle_kind *kind)
{
    static const char *const silent[] = {"mov_to_sreg", "pop_sreg", "les", "lds", "lss", "lgs"};

    for (size_t i = 0; i < ARRAY_LEN(silent); i++)
        if (is_exec(kind->row, silent[i]))
            return STOP_INT3;
    if (is_exec(kind->row, "pushf"))
        return STOP_JUMP;
    /* Single steps now and then: they prove that the length is right. */
    return (g->def->attr & ATTR_Ends) || kind->first ? STOP_TRAP : STOP_JUMP;
}

void oracle_generate(struct random *r, const struct oracle_kind *kind,
                     const struct oracle_memory *mem, struct oracle_case *c)
{
    struct gen g = {.r = r, .c = c, .def = &insn_def[kind->row], .opsize16 = kind->opsize16};

    memset(c, 0, sizeof(*c));
    c->row = kind->row;
    c->mode = kind->mode;
    c->stop = choose_stop(&g, kind);
    g.segments = oracle_segments[kind->mode];
    c->in.eip = ARENA_CODE + 0x100 - g.segments[SEG_CS].base;
    c->in.eflags = (random_u32(r) & FL_OSZAPC) | FL_I | 2 | (one_in(r, 4) ? FL_D : 0u);
    for (unsigned i = 0; i < 8; i++)
        c->in.gpr[i] = random_edge(r);
    random_memory(r, mem->data);
    random_memory(r, mem->stack);
    memset(c->bytes, 0xcc, sizeof(c->bytes));

    g.calm = !kind->first && !one_in(r, 16);
    g.adsize16 = g.segments[SEG_CS].big ? one_in(r, 12) : !one_in(r, 6);
    if (g.calm && kind->mode == ORACLE_FLAT32)
        g.adsize16 = false;
    g.out = c->bytes;
    choose_segment(&g);
    if (is_exec(kind->row, "maskmov")) { /* what a mask spares may fault or not: no faults */
        g.seg = SEG__COUNT;
        g.adsize16 = g.adsize16 && kind->mode != ORACLE_FLAT32;
    }
    put_prefixes(&g);
    if (g.seg == SEG_CS && c->stop == STOP_JUMP && kind->mode != ORACLE_FLAT32)
        c->stop = STOP_INT3; /* it may read what is behind the instruction */
    u32 at = target(&g, g.seg);
    steer(&g, mem, at);
    if (oracle_row_is_fpu(kind->row))
        at = steer_fpu(&g, mem, at);
    if (g.def->map != MAP_1B)
        put8(&g, 0x0f);
    if (g.def->map >= MAP_0F38)
        put8(&g, g.def->map == MAP_0F38 ? 0x38 : 0x3a);
    if (row_has(&g, OPND_Zb) || row_has(&g, OPND_Zv)) /* up to the next multiple of 8 */
        put8(&g, g.def->opcode + random_below(r, 8 - (g.def->opcode & 7)));
    else
        put8(&g, g.def->opcode);
    if (kind->form != FORM_IS_PLAIN)
        put_modrm(&g, kind->form, at);
    put_immediates(&g, at);
    c->len = (unsigned)(g.out - c->bytes);
}
