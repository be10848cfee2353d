/* SPDX-License-Identifier: MIT */
/* A program, and most of its items. */
#include "tests/jit/gen_program.h"

#include <string.h>

#include "base/bits.h"

/* --- writing items --- */

void gen_begin(struct gen *g)
{
    g->it = &g->p->item[g->p->count++];
    memset(g->it, 0, sizeof(*g->it));
}

void gen8(struct gen *g, u32 v)
{
    if (g->it->len < sizeof(g->it->bytes)) /* what is longer than 15 bytes is #GP(0) anyway */
        g->it->bytes[g->it->len++] = (u8)v;
}

void gen16(struct gen *g, u32 v)
{
    gen8(g, v);
    gen8(g, v >> 8);
}

void gen32(struct gen *g, u32 v)
{
    gen16(g, v);
    gen16(g, v >> 16);
}

void gen_imm(struct gen *g, enum width w, u32 v)
{
    if (w == W16)
        gen16(g, v);
    else
        gen32(g, v);
}

void gen_opsize(struct gen *g, enum width w)
{
    if ((w == W32) != g->p->code32)
        gen8(g, 0x66);
}

void gen_fix(struct gen *g, enum gen_fix fix, unsigned size, unsigned target)
{
    g->it->fix = (u8)fix;
    g->it->fix_at = g->it->len;
    g->it->fix_size = (u8)size;
    g->it->target = (u16)target;
    for (unsigned i = 0; i < size; i++)
        gen8(g, 0);
}

void gen_byte(struct gen *g, u32 byte)
{
    gen_begin(g);
    gen8(g, byte);
}

unsigned gen_code_bytes(const struct gen *g)
{
    return g->p->code32 ? 4 : 2;
}

/* --- values --- */

static const u8 pointers[] = {REG_BX, REG_SI, REG_DI, REG_BP};

u32 gen_pointer(struct gen *g, bool on_stack)
{
    u32 border = fuzz_below(g->f, GEN_DATA_PAGES) * PAGE_SIZE;
    u32 off = (border + fuzz_below(g->f, 48) - 24) & (GEN_WINDOW - 1);

    if (fuzz_one_in(g->f, 4))
        off = fuzz_below(g->f, GEN_WINDOW);
    if (g->p->kind != GEN_FLAT)
        return off;
    if (g->p->paging && fuzz_one_in(g->f, 6)) /* the same again, by another page table */
        off += (g->p->big_pages && fuzz_one_in(g->f, 2)) ? 0x800000 : 0x400000;
    return off + (on_stack ? (u32)GEN_STACK : (u32)GEN_DATA);
}

unsigned gen_reg(struct gen *g)
{
    if (!fuzz_one_in(g->f, 6))
        return fuzz_below(g->f, 3); /* AX, CX, DX */
    if (!g->calm && fuzz_one_in(g->f, 20))
        return REG_SP;
    return pointers[fuzz_below(g->f, ARRAY_LEN(pointers))];
}

void gen_mov(struct gen *g, unsigned reg, u32 v)
{
    gen_begin(g);
    gen_opsize(g, W32);
    gen8(g, 0xb8 | reg);
    gen32(g, v);
}

static u32 stack_pointer_value(struct gen *g)
{
    u32 off = 0x8000 + fuzz_below(g->f, 24) - 12;

    if (!fuzz_one_in(g->f, 4))
        off &= ~3u;
    return off + (g->p->kind == GEN_FLAT ? (u32)GEN_STACK : 0);
}

/* A pointer that wandered off comes back. */
void gen_point(struct gen *g)
{
    unsigned reg = pointers[fuzz_below(g->f, ARRAY_LEN(pointers))];

    gen_mov(g, reg, gen_pointer(g, reg == REG_BP && fuzz_one_in(g->f, 2)));
}

/* A data register becomes small enough for an index or a count. */
void gen_small(struct gen *g)
{
    gen_begin(g);
    gen_opsize(g, W32);
    gen8(g, 0x83); /* AND r32, imm8 */
    gen8(g, 0xe0 | fuzz_below(g->f, 3));
    gen8(g, 1 + fuzz_below(g->f, 63));
}

/* --- strings, patches, interrupts, segments --- */

void gen_string(struct gen *g)
{
    static const u8 op[] = {0xa4, 0xa6, 0xaa, 0xac, 0xae};

    if (fuzz_one_in(g->f, 2))
        gen_mov(g, REG_SI, gen_pointer(g, false));
    if (fuzz_one_in(g->f, 2))
        gen_mov(g, REG_DI, gen_pointer(g, false));
    gen_mov(g, REG_CX, (u32)fuzz_length(g->f, fuzz_one_in(g->f, 40) ? 12 : 6));
    if (fuzz_one_in(g->f, 3)) {
        gen_begin(g);
        gen8(g, 0xfc | fuzz_below(g->f, 2)); /* CLD, STD */
    }
    gen_begin(g);
    if (!fuzz_one_in(g->f, 3))
        gen8(g, 0xf2 | fuzz_below(g->f, 2));
    if (fuzz_one_in(g->f, 4))
        gen8(g, 0x66);
    if (fuzz_one_in(g->f, 12))
        gen8(g, 0x67);
    if (fuzz_one_in(g->f, 8))
        gen8(g, 0x26);
    if (g->p->io && fuzz_one_in(g->f, 6))
        gen8(g, 0x6c | fuzz_below(g->f, 4)); /* INS, OUTS */
    else
        gen8(g, op[fuzz_below(g->f, ARRAY_LEN(op))] | fuzz_below(g->f, 2));
}

/* Change a byte of an item, mostly of one's immediate, through DS if flat, else GS. */
void gen_patch(struct gen *g)
{
    unsigned count = g->p->count, target = fuzz_below(g->f, count + 8);
    static const u8 op[][2] = {{0xfe, 0}, {0x30, 0}, {0x00, 1}, {0x88, 2}, {0xc6, 0}};
    unsigned n = fuzz_below(g->f, ARRAY_LEN(op));

    if (!fuzz_one_in(g->f, 3) && count > 0) /* near: in the same block, in the one before */
        target = count - 1 - fuzz_below(g->f, count < 6 ? count : 6) + fuzz_below(g->f, 8);
    gen_begin(g);
    if (g->p->kind != GEN_FLAT)
        gen8(g, 0x65);
    gen8(g, op[n][0]);
    gen8(g, (g->p->code32 ? 5u : 6u) | (u32)op[n][1] << 3);
    gen_fix(g, GEN_FIX_DATA, gen_code_bytes(g), target);
    /* The last byte is an immediate or a displacement more often than not. */
    g->it->target_byte = fuzz_one_in(g->f, 8) ? (u8)fuzz_below(g->f, 16) : 255;
    if (op[n][0] == 0xc6)
        gen8(g, fuzz_below(g->f, 256));
}

void gen_interrupt(struct gen *g)
{
    gen_begin(g);
    switch (fuzz_below(g->f, 8)) {
    case 0:
        gen8(g, 0xce); /* INTO */
        break;
    case 1:
        gen8(g, 0xcc);
        break;
    case 2:
        gen8(g, fuzz_one_in(g->f, 3) ? 0xfa : 0xfb); /* CLI, STI */
        break;
    case 3:
        gen8(g, 0x0f); /* RDTSC */
        gen8(g, 0x31);
        break;
    case 4:
        gen8(g, fuzz_one_in(g->f, 4) ? 0xf4 : 0x90); /* HLT */
        break;
    default:
        gen8(g, 0xcd);
        gen8(g, 0x30 + fuzz_below(g->f, 0x40));
        break;
    }
}

static u16 random_selector(struct gen *g)
{
    static const u8 sel[] = {0x20, 0x20, 0x20, 0x30, 0x38, 0x40,
                             0x48, 0x50, 0x60, 0x68, 0x70, 0x18};

    if (g->p->kind == GEN_REAL || g->p->kind == GEN_V86)
        return (u16)((GEN_DATA >> 4) + fuzz_below(g->f, 3));
    if (fuzz_one_in(g->f, 12))
        return (u16)fuzz_below(g->f, 4);
    return (u16)(sel[fuzz_below(g->f, ARRAY_LEN(sel))] | (g->p->ring3 ? 3 : 0));
}

/* ES, DS, FS or GS from AX or from the stack; sometimes SS as it was, for its shadow. */
void gen_segment(struct gen *g)
{
    static const u8 reg[] = {SEG_ES, SEG_DS, SEG_FS, SEG_GS, SEG_ES, SEG_FS};
    static const u8 pops[SEG__COUNT][2] = {{0x07}, {0}, {0x17}, {0x1f}, {0x0f, 0xa1}, {0x0f, 0xa9}};
    unsigned seg = reg[fuzz_below(g->f, ARRAY_LEN(reg))];

    if (fuzz_one_in(g->f, 4)) { /* MOV EAX, SS; MOV SS, AX */
        gen_begin(g);
        gen16(g, 0xd08c);
        gen_begin(g);
        gen16(g, 0xd08e);
        return;
    }
    gen_mov(g, REG_AX, random_selector(g));
    if (fuzz_one_in(g->f, 2)) {
        gen_begin(g);
        gen8(g, 0x8e);
        gen8(g, 0xc0 | seg << 3);
        return;
    }
    gen_begin(g);
    gen8(g, 0x50);
    gen_begin(g);
    gen8(g, pops[seg][0]);
    if (pops[seg][1])
        gen8(g, pops[seg][1]);
}

/* What only CPL 0 may: the address space again, or with another write protection. */
void gen_system(struct gen *g)
{
    bool cr3 = fuzz_one_in(g->f, 2);

    gen_begin(g);
    gen8(g, 0x0f), gen8(g, 0x20), gen8(g, cr3 ? 0xd8 : 0xc0);
    if (!cr3) {
        gen_begin(g);
        gen_opsize(g, W32);
        gen8(g, 0x35); /* XOR EAX, imm32 */
        gen32(g, CR0_WP);
    }
    gen_begin(g);
    gen8(g, 0x0f), gen8(g, 0x22), gen8(g, cr3 ? 0xd8 : 0xc0);
}

void gen_device(struct gen *g)
{
    static const u8 op[] = {0x8a, 0x8b, 0x88, 0x89, 0x01, 0x03, 0xff};

    gen_begin(g);
    if (g->p->kind == GEN_FLAT && fuzz_one_in(g->f, 2)) {
        gen8(g, op[fuzz_below(g->f, ARRAY_LEN(op))]);
        gen8(g, 5);
        gen32(g, GEN_DEVICE + fuzz_below(g->f, 64));
    } else {
        gen8(g, 0xe4 | fuzz_below(g->f, 4)); /* IN, OUT */
        gen8(g, fuzz_below(g->f, 256));
    }
}

/* To across a page's end, some times; then perhaps by another width, which a patch of the opcode's
 * lowest bit makes: MOV, ADD, XOR, XCHG, ROL, NEG [BX]. */
void gen_cross(struct gen *g)
{
    static const u8 op[] = {0x89, 0x89, 0x88, 0x01, 0x31, 0x87, 0xd1, 0xf7};
    u32 border = gen_pointer(g, false) & ~(u32)(PAGE_SIZE - 1);
    unsigned store;

    gen_mov(g, REG_BX, border - 1 - fuzz_below(g->f, 3));
    gen_mov(g, REG_CX, 1 + (u32)fuzz_length(g->f, 4));
    store = g->p->count;
    gen_begin(g);
    if (fuzz_one_in(g->f, 3))
        gen8(g, 0x66);
    gen8(g, op[fuzz_below(g->f, ARRAY_LEN(op))]);
    gen8(g, g->p->code32 ? 0x03 : 0x07); /* [EBX], [BX] */
    if (g->it->bytes[g->it->len - 2] == 0xf7)
        g->it->bytes[g->it->len - 1] |= 3 << 3; /* NEG */
    gen_byte(g, 0xe2);
    gen_fix(g, GEN_FIX_REL, 1, store);
    if (fuzz_one_in(g->f, 2))
        return;
    gen_begin(g); /* XOR byte [store], 1 */
    if (g->p->kind != GEN_FLAT)
        gen8(g, 0x65);
    gen8(g, 0x80);
    gen8(g, g->p->code32 ? 0x35 : 0x36);
    gen_fix(g, GEN_FIX_DATA, gen_code_bytes(g), store);
    g->it->target_byte = g->p->item[store].bytes[0] == 0x66;
    gen8(g, 1);
}

/* A page that was not accessed yet is, between two looks at its entry; some times. */
void gen_table(struct gen *g)
{
    static const u8 op[] = {0x8b, 0x89, 0x01, 0x33};
    u32 page = g->p->flicker ? g->p->flicker : GEN_DATA / PAGE_SIZE + fuzz_below(g->f, 4);
    unsigned again;

    if (g->p->kind != GEN_FLAT || !g->p->paging) {
        gen_insn(g);
        return;
    }
    gen_mov(g, REG_SI, 1 + (u32)fuzz_length(g->f, 5));
    gen_mov(g, REG_DI, GEN_TABLE + 4 * page);
    again = g->p->count;
    gen_begin(g);
    gen16(g, 0x2780); /* AND byte [EDI], ~(A and D) */
    gen8(g, 0x9f);
    if (fuzz_one_in(g->f, 4)) {
        gen_byte(g, 0xcd);
        gen8(g, GEN_ACT + fuzz_below(g->f, GEN_ACTS));
    }
    gen_begin(g);
    gen16(g, 0x078b); /* MOV EAX, [EDI] */
    gen_byte(g, op[fuzz_below(g->f, ARRAY_LEN(op))]);
    gen8(g, REG_CX << 3 | 5);
    gen32(g, page * PAGE_SIZE + 4 * fuzz_below(g->f, 64));
    gen_begin(g);
    gen16(g, 0x178b); /* MOV EDX, [EDI] */
    gen_byte(g, 0x48 | REG_SI);
    gen_byte(g, 0x75);
    gen_fix(g, GEN_FIX_REL, 1, again);
}

/* A control word, or MXCSR, that is worth having: mostly like what the program began with. */
void gen_control(struct gen *g)
{
    bool mxcsr = fuzz_one_in(g->f, 2);
    u32 at = gen_pointer(g, false) & ~3u;
    u32 value = mxcsr ? g->p->mxcsr ^ (fuzz_below(g->f, 4) << 13) : g->p->fcw ^ 0xc00;

    if (fuzz_one_in(g->f, 8)) /* other masks */
        value ^= fuzz_below(g->f, 0x40) << (mxcsr ? 7 : 0);
    gen_begin(g); /* MOV dword [at], value */
    gen_opsize(g, W32);
    gen8(g, 0xc7);
    gen8(g, g->p->code32 ? 5 : 6);
    gen_imm(g, g->p->code32 ? W32 : W16, at);
    gen32(g, value);
    gen_begin(g); /* LDMXCSR [at], FLDCW [at] */
    if (mxcsr)
        gen8(g, 0x0f);
    gen8(g, mxcsr ? 0xae : 0xd9);
    gen8(g, (mxcsr ? 2u : 5u) << 3 | (g->p->code32 ? 5u : 6u));
    gen_imm(g, g->p->code32 ? W32 : W16, at);
}

/* --- programs --- */

void gen_stack_item(struct gen *g)
{
    gen_begin(g);
    switch (fuzz_below(g->f, 4)) {
    case 0:
        gen8(g, 0x6a);
        gen8(g, fuzz_below(g->f, 256));
        break;
    case 1:
        gen8(g, 0x9c | fuzz_one_in(g->f, 4)); /* PUSHF, POPF */
        break;
    default:
        gen8(g, 0x50 | (fuzz_one_in(g->f, 2) ? 8u : 0u) | fuzz_below(g->f, 3));
        break;
    }
}

/* Registers as they should be at the start of every round. */
static void gen_prologue(struct gen *g)
{
    gen_mov(g, REG_SP, stack_pointer_value(g));
    for (unsigned i = 0; i < ARRAY_LEN(pointers); i++)
        gen_mov(g, pointers[i], gen_pointer(g, pointers[i] == REG_BP));
}

/* Another round, or the end. */
static void gen_epilogue(struct gen *g)
{
    gen_begin(g); /* DEC word [SS:rounds] */
    gen8(g, 0x36);
    if (g->p->code32)
        gen8(g, 0x66);
    gen8(g, 0xff);
    gen8(g, 0x08 | (g->p->code32 ? 5u : 6u));
    if (g->p->code32)
        gen32(g, GEN_LOOPS + (g->p->kind == GEN_FLAT ? (u32)GEN_STACK : 0));
    else
        gen16(g, GEN_LOOPS);
    gen_begin(g);
    gen16(g, 0x850f); /* JNZ */
    gen_fix(g, GEN_FIX_REL, gen_code_bytes(g), 0);
    gen_begin(g);
    gen16(g, 0x7fcd); /* INT 7Fh: the end */
}

void gen_program(struct fuzz *f, struct gen_program *p, enum gen_shape shape, bool fp)
{
    struct gen g = {.f = f, .p = p};
    unsigned body;

    memset(p, 0, sizeof(*p));
    p->shape = (u8)shape;
    gen_machine(f, p, fp);
    body = gen_body(&g);
    gen_prologue(&g);
    if (p->shape == GEN_SMC)
        gen_smc_begin(&g);
    while (p->count < body)
        gen_any(&g);
    p->body = p->count;
    gen_epilogue(&g);
    gen_subroutines(&g);
    gen_layout(p);
    if (p->shape == GEN_SMC) {
        gen_smc_finish(&g);
        gen_layout(p);
    }
}

/* Flat, by the second or the only entry of the directory that is there; else in the data. */
static u32 alias_of(const struct gen_program *p, u32 at)
{
    if (p->kind == GEN_FLAT)
        return at + (p->big_pages ? 0x800000u : 0x400000u);
    return (at + GEN_ALIASED * PAGE_SIZE) & (GEN_WINDOW - 1);
}

static u32 fixed(const struct gen_program *p, unsigned i)
{
    const struct gen_item *it = &p->item[i];
    u32 target = p->at[it->target], len = p->at[it->target + 1] - target;
    u32 code = p->start + (p->kind == GEN_FLAT ? (u32)GEN_CODE : 0);
    u32 byte = it->target_byte < len ? it->target_byte : len ? len - 1 : 0;

    switch (it->fix) {
    case GEN_FIX_REL:
        return target - p->at[i + 1];
    case GEN_FIX_IP:
        return code + target;
    case GEN_FIX_FAR:
        return code + target + GEN_ALIAS;
    case GEN_FIX_WALK:
        return 0xc00000 + (code + target + byte) % PAGE_SIZE / 4 * PAGE_SIZE;
    case GEN_FIX_ALIAS:
        return alias_of(p, code + target + byte);
    default:
        return code + target + byte;
    }
}

void gen_layout(struct gen_program *p)
{
    u32 at = 0;

    for (unsigned i = 0; i < p->count; i++) {
        p->at[i] = (u16)at;
        at += p->item[i].removed ? 0 : p->item[i].len;
    }
    p->at[p->count] = (u16)at;
    for (unsigned i = 0; i < p->count; i++) {
        struct gen_item *it = &p->item[i];
        if (it->fix && !it->removed)
            store_le(it->bytes + it->fix_at, fixed(p, i), it->fix_size);
    }
}
