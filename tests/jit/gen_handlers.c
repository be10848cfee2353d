/* SPDX-License-Identifier: MIT */
/*
 * What lets a random program go on.
 *
 * A fault counts, and execution continues at the item behind the one that faulted, which the table
 * at GEN_RESUME knows; after a jump to nowhere, and now and then, at any item. Traps and interrupts
 * count and return, but for some of the timer's, which continue at any item: programs have loops
 * without end. INT GEN_ACT + n changes the
 * machine. After max_faults faults, or INT 7Fh, the program ends with CLI; HLT.
 */
#include <string.h>

#include "base/bits.h"
#include "cpu/flags.h"
#include "cpu/state.h"
#include "tests/jit/gen_program.h"

/* Variables of the handlers, from GEN_VARS. */
enum { VAR_FAULTS = GEN_VARS, VAR_TICKS = GEN_VARS + 4, VAR_ERRORS = GEN_VARS + 0x40 };
enum { VECTOR_INTR = 0x20, VECTOR_INT = 0x30, VECTOR_END = 0x7f };

/* --- code of the handlers --- */

struct out {
    u8 *ram;
    u32 at;
};

static void put(struct out *o, const void *bytes, u32 n)
{
    memcpy(o->ram + o->at, bytes, n);
    o->at += n;
}
#define PUT(o, ...) put(o, (const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__}))

static void put16(struct out *o, u32 v)
{
    PUT(o, (u8)v, (u8)(v >> 8));
}

static void put32(struct out *o, u32 v)
{
    put16(o, v);
    put16(o, v >> 16);
}

static bool has_error(unsigned vector)
{
    return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

/* CLI; HLT for ever. */
static u32 put_end(struct out *o)
{
    u32 at = o->at;

    PUT(o, 0xfa, 0xf4, 0xeb, 0xfd);
    return at;
}

/* Where the second page table's entry is, which is in both address spaces the same. */
static u32 flicker_entry(const struct gen_program *p)
{
    return GEN_PAGES + PAGE_SIZE + 4 * p->flicker;
}

/* On the stack: vector, error code, EIP, CS, EFLAGS. */
static u32 put_fault32(struct out *o, const struct gen_program *p, u32 end)
{
    u32 at = o->at;

    PUT(o, 0x60, 0x1e);                               /* PUSHA; PUSH DS */
    PUT(o, 0x66, 0xb8, GEN_SEL_KDATA, 0, 0x8e, 0xd8); /* DS = flat      */
    if (p->flicker)                                   /* the page is back: OR byte [], 1 */
        PUT(o, 0x80, 0x0d), put32(o, flicker_entry(p)), PUT(o, 1);
    PUT(o, 0xa1), put32(o, VAR_FAULTS);                   /* one more       */
    PUT(o, 0x40, 0xa3), put32(o, VAR_FAULTS);             /*                */
    PUT(o, 0x3d), put32(o, p->max_faults);                /* enough?        */
    PUT(o, 0x0f, 0x83), put32(o, end - (o->at + 4));      /* JAE end        */
    PUT(o, 0x8b, 0x44, 0x24, 0x24);                       /* EAX = vector   */
    PUT(o, 0x8b, 0x5c, 0x24, 0x28);                       /* EBX = error    */
    PUT(o, 0x31, 0x1c, 0x85), put32(o, VAR_ERRORS);       /* remember it    */
    PUT(o, 0xf6, 0x05), put32(o, VAR_FAULTS), PUT(o, 15); /* one of sixteen: */
    PUT(o, 0x74, 0x15);                                   /* anywhere        */
    PUT(o, 0x83, 0xf8, VECTOR_INTR, 0x73, 0x10);          /* an interrupt: anywhere */
    PUT(o, 0x8b, 0x44, 0x24, 0x2c);                       /* EAX = EIP      */
    PUT(o, 0x2d), put32(o, gen_first_ip(p));              /*                */
    PUT(o, 0x3d), put32(o, p->at[p->count]);              /* in the program? */
    PUT(o, 0x72, 0x12);                                   /* no: anywhere, by the faults so far */
    PUT(o, 0x69, 0x05), put32(o, VAR_FAULTS), put32(o, 0x9e3779b1); /* IMUL EAX, [], n */
    PUT(o, 0xb9), put32(o, p->at[p->body]);                         /* ECX = its body's size    */
    PUT(o, 0xf7, 0xe1, 0x92);                                       /* MUL ECX; EAX = EDX       */
    PUT(o, 0x0f, 0xb7, 0x04, 0x45), put32(o, GEN_RESUME);           /* the item behind that     */
    PUT(o, 0x05), put32(o, gen_first_ip(p));                        /*                */
    PUT(o, 0x89, 0x44, 0x24, 0x2c);                                 /* EIP = EAX      */
    PUT(o, 0xc7, 0x44, 0x24, 0x30), put32(o, gen_code_selector(p));
    PUT(o, 0x1f, 0x61, 0x83, 0xc4, 0x08, 0xcf); /* POP DS; POPA; ADD ESP, 8; IRET */
    return at;
}

/* The page that comes and goes does so: XOR byte [its entry], 1; INVLPG. */
static void put_flicker(struct out *o, const struct gen_program *p)
{
    if (!p->flicker)
        return;
    PUT(o, 0x80, 0x35), put32(o, flicker_entry(p)), PUT(o, 1);
    PUT(o, 0x0f, 0x01, 0x3d), put32(o, p->flicker * PAGE_SIZE);
}

/* Offset in the code's window of what an interrupt changes. */
static u32 trap_at(const struct gen_program *p)
{
    return p->start + p->at[p->trap_item] + p->trap_byte;
}

/* On the stack: EIP, CS, EFLAGS, of which TF is cleared. */
static u32 put_trap32(struct out *o, const struct gen_program *p)
{
    u32 at = o->at;

    PUT(o, 0x50, 0x1e, 0x66, 0xb8, GEN_SEL_KDATA, 0, 0x8e, 0xd8);
    PUT(o, 0xff, 0x05), put32(o, VAR_TICKS);
    put_flicker(o, p);
    if (p->trap_bits) /* XOR dword [], bits */
        PUT(o, 0x81, 0x35), put32(o, GEN_CODE + trap_at(p)), put32(o, p->trap_bits);
    PUT(o, 0x81, 0x64, 0x24, 0x10), put32(o, ~(u32)FL_T);
    PUT(o, 0x1f, 0x58, 0xcf);
    return at;
}

/* What comes first in the handler of #MF. */
static void put_clear(struct out *o, const struct gen_program *p, unsigned vector)
{
    if (vector == 16 && p->clear)
        PUT(o, 0xdb, 0xe2); /* FNCLEX */
}

static u32 put_stub32(struct out *o, const struct gen_program *p, unsigned vector, u32 fault)
{
    u32 at = o->at;

    put_clear(o, p, vector);
    if (!has_error(vector))
        PUT(o, 0x6a, 0);
    PUT(o, 0x6a, (u8)vector, 0xe9);
    put32(o, fault - (o->at + 4));
    return at;
}

/* The same in real mode. On the stack: vector, IP, CS, FLAGS. */
static u32 put_fault16(struct out *o, const struct gen_program *p, u32 end)
{
    u32 at = o->at;

    PUT(o, 0x60, 0x1e, 0x31, 0xc0, 0x8e, 0xd8, 0x89, 0xe5); /* PUSHA; PUSH DS; DS = 0; BP = SP */
    PUT(o, 0xff, 0x06), put16(o, VAR_FAULTS);
    PUT(o, 0x81, 0x3e), put16(o, VAR_FAULTS), put16(o, p->max_faults);
    PUT(o, 0x0f, 0x83), put16(o, end - (o->at + 2));
    PUT(o, 0x8b, 0x5e, 0x12, 0xfe, 0x87), put16(o, VAR_ERRORS);
    PUT(o, 0x83, 0xfb, VECTOR_INTR, 0x73, 0x12);
    PUT(o, 0xf6, 0x06), put16(o, VAR_FAULTS), PUT(o, 15, 0x74, 0x0b);
    PUT(o, 0x8b, 0x46, 0x14, 0x2d), put16(o, gen_first_ip(p));
    PUT(o, 0x3d), put16(o, p->at[p->count]);
    PUT(o, 0x72, 0x0c, 0x69, 0x06), put16(o, VAR_FAULTS), put16(o, 0x9e37);
    PUT(o, 0xb9), put16(o, p->at[p->body]), PUT(o, 0xf7, 0xe1, 0x92);
    PUT(o, 0xbb), put16(o, GEN_RESUME >> 4), PUT(o, 0x8e, 0xdb); /* DS = the table's */
    PUT(o, 0x89, 0xc3, 0x01, 0xdb, 0x8b, 0x07);
    PUT(o, 0x05), put16(o, gen_first_ip(p));
    PUT(o, 0x89, 0x46, 0x14, 0xc7, 0x46, 0x16), put16(o, gen_code_selector(p));
    PUT(o, 0x1f, 0x61, 0x83, 0xc4, 0x02, 0xcf);
    return at;
}

static u32 put_trap16(struct out *o, const struct gen_program *p)
{
    u32 at = o->at;

    PUT(o, 0x1e, 0x50, 0x31, 0xc0, 0x8e, 0xd8, 0xff, 0x06), put16(o, VAR_TICKS);
    if (p->trap_bits) { /* MOV AX, the code's; MOV DS, AX; XOR dword [], bits */
        PUT(o, 0xb8), put16(o, GEN_CODE >> 4), PUT(o, 0x8e, 0xd8);
        PUT(o, 0x66, 0x81, 0x36), put16(o, trap_at(p)), put32(o, p->trap_bits);
    }
    PUT(o, 0x58, 0x1f, 0x55, 0x89, 0xe5, 0x81, 0x66, 0x06, 0xff, 0xfe, 0x5d, 0xcf);
    return at;
}

static u32 put_stub16(struct out *o, const struct gen_program *p, unsigned vector, u32 fault)
{
    u32 at = o->at;

    put_clear(o, p, vector);
    PUT(o, 0x6a, (u8)vector, 0xe9);
    put16(o, fault - (o->at + 2));
    return at;
}

/* --- changes of the machine --- */

/* MOV EAX, CRn; XOR EAX, bits; MOV CRn, EAX. */
static void put_toggle(struct out *o, unsigned n, u32 bits)
{
    PUT(o, 0x0f, 0x20, (u8)(0xc0 | n << 3), 0x35), put32(o, bits);
    PUT(o, 0x0f, 0x22, (u8)(0xc0 | n << 3));
}

/* The code's second page is the copy's, or itself again. */
static void put_remap(struct out *o)
{
    u32 page = GEN_CODE / PAGE_SIZE + 1;

    PUT(o, 0x81, 0x35), put32(o, GEN_PAGES + PAGE_SIZE + 4 * page), put32(o, GEN_CODE ^ GEN_COPY);
    PUT(o, 0x0f, 0x01, 0x3d), put32(o, page * PAGE_SIZE);
}

static u32 put_act32(struct out *o, const struct gen_program *p, unsigned act)
{
    static const struct {
        u8 cr;
        u32 bits;
    } toggles[] = {{0, CR0_PG}, {3, GEN_PAGES ^ GEN_PAGES2}, {0, CR0_WP}, {0, CR0_TS}, {4, CR4_PGE},
                   {3, 0}};
    u32 at = o->at;

    PUT(o, 0x50, 0x1e, 0x66, 0xb8, GEN_SEL_KDATA, 0, 0x8e, 0xd8);
    if (act < ARRAY_LEN(toggles))
        put_toggle(o, toggles[act].cr, toggles[act].bits);
    else if (act == ARRAY_LEN(toggles))
        put_remap(o);
    else
        put_flicker(o, p);
    PUT(o, 0x1f, 0x58, 0xcf);
    return at;
}

static bool is_act(unsigned vector)
{
    return vector >= GEN_ACT && vector < GEN_ACT + GEN_ACTS;
}

/* An interrupt of the timer that leaves where it came: each, or one of four. */
static bool is_trap(const struct gen_program *p, unsigned vector)
{
    bool timer = vector >= VECTOR_INTR && vector < VECTOR_INTR + 8;
    bool leaves = timer && (vector % 4 == 3 || p->timer >= GEN_RARE);

    return ((vector >= 1 && vector <= 4) || vector >= VECTOR_INTR) && !leaves;
}

static void put_gate(u8 *idt, unsigned vector, u32 to)
{
    u32 type = 0x8e00;

    if (is_act(vector))
        type = 0xee00;
    else if (vector >= VECTOR_INT && vector != VECTOR_END)
        type = 0xef00; /* interrupts stay on */
    else if (vector == 3 || vector == 4 || vector == VECTOR_END)
        type = 0xee00;
    store32(idt + 8 * vector, (to & 0xffff) | (u32)GEN_SEL_KCODE << 16);
    store32(idt + 8 * vector + 4, (to & 0xffff0000) | type);
}

void gen_handlers(const struct gen_program *p, u8 *ram)
{
    struct out o = {ram, GEN_HANDLERS};
    bool real = p->kind == GEN_REAL;
    u32 end = put_end(&o);
    u32 fault = real ? put_fault16(&o, p, end) : put_fault32(&o, p, end);
    u32 trap = real ? put_trap16(&o, p) : put_trap32(&o, p);

    for (unsigned v = 0; v <= VECTOR_END; v++) {
        u32 to = v == VECTOR_END ? end : trap;
        if (!real && is_act(v))
            to = put_act32(&o, p, v - GEN_ACT);
        else if (!is_trap(p, v))
            to = real ? put_stub16(&o, p, v, fault) : put_stub32(&o, p, v, fault);
        if (real)
            store32(ram + 4 * v, to);
        else
            put_gate(ram + GEN_IDT, v, to);
    }
}
