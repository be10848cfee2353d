/* SPDX-License-Identifier: MIT */
/*
 * Random guest programs, for comparing engines. A program is a list of items (an instruction each)
 * that can be taken out one by one without breaking the jumps between the others, and the machine
 * around it: mode, segments, page tables, handlers that let it go on after faults, interrupts.
 *
 * gen_program.c chooses the items, gen_flow.c makes those that jump, gen_insn.c encodes single
 * instructions from the rows of cpu/isa.def, gen_guest.c lays out memory and makes handlers and
 * tables.
 */
#pragma once

#include <stdio.h>

#include "cpu/insn.h"
#include "cpu/state.h"
#include "tests/fuzz/fuzz.h"

/** Where things are, linear and physical; with paging the first 640 KiB are where they were. */
enum gen_map {
    GEN_GDT = 0x800,
    GEN_IDT = 0x1000,
    GEN_TSS = 0x1800,
    GEN_VARS = 0x1900,     /* what handlers count */
    GEN_HANDLERS = 0x2000, /* their code          */
    GEN_KERNEL_STACK = 0x7f00,
    GEN_RESUME = 0x8000, /* a word for each byte of code: where to go on after a fault there */
    GEN_PAGES = 0xc000,  /* directory, table    */
    GEN_CODE = 0x20000,
    GEN_STACK = 0x30000,
    GEN_DATA = 0x40000,
    GEN_RAM = 0x80000,
    GEN_DEVICE = 0xa0000, /* one page that answers with the instruction count */
    GEN_WINDOW = 0x10000, /* bytes of code, stack, data */
    GEN_LOOPS = 0xf800,   /* offset in the stack's window: rounds left */
};

enum gen_kind {
    GEN_REAL,
    GEN_V86,
    GEN_FLAT,     /* protected, segments of 4 GiB from 0 */
    GEN_SEGMENTS, /* protected, segments with limits     */
};

/** Selectors of protected mode, without RPL. Code, data and stack are the program's. */
enum gen_selector {
    GEN_SEL_KCODE = 0x08,
    GEN_SEL_KDATA = 0x10,
    GEN_SEL_CODE = 0x18,
    GEN_SEL_DATA = 0x20,
    GEN_SEL_STACK = 0x28,
    GEN_SEL_TSS = 0x90,
};

/** What of an item depends on where items are. */
enum gen_fix {
    GEN_FIX_NONE,
    GEN_FIX_REL,  /* distance from the item's end to the target: jumps                 */
    GEN_FIX_IP,   /* the target's offset in the code segment                           */
    GEN_FIX_DATA, /* offset of a byte of the target as data, by GS or flat: for patches */
};

struct gen_item {
    u8 bytes[18];
    u8 len;
    u8 fix; /* enum gen_fix */
    u8 fix_at, fix_size;
    u8 target_byte; /* GEN_FIX_DATA: which byte of the target, modulo its length */
    bool removed;
    u16 target;
};

enum { GEN_ITEMS = 220, GEN_CODE_MAX = 0x1800, GEN_DATA_PAGES = 16 };

struct gen_program {
    u8 kind; /* enum gen_kind */
    bool code32, stack32, ring3, paging, big_pages;
    bool io; /* IOPL is 3 */
    bool wp, am;
    bool fp;    /* half of the instructions are x87, MMX or SSE */
    bool ts;    /* CR0.TS                                       */
    bool ne;    /* CR0.NE: #MF instead of FERR#                 */
    bool clear; /* the handler of #MF clears the exception      */
    bool xmm;   /* CR4.OSXMMEXCPT: #XM instead of #UD           */
    u16 fcw;    /* control word                                 */
    u32 mxcsr;
    u16 start;                /* offset of the first item in the code's window */
    u16 count;                /* items */
    u16 rounds;               /* of the whole program */
    u32 max_faults;           /* then the handlers end it */
    u32 gpr[8];               /* at the start */
    u64 data_seed;            /* of the bytes in the windows */
    u32 timer, nmi;           /* mean distance of interrupts in instructions; 0: none */
    u64 event_seed;           /* of their distances */
    u64 budget;               /* instructions at most */
    u32 slice;                /* mean distance of comparisons */
    u64 slice_seed;           /* of their distances */
    u32 page[GEN_DATA_PAGES]; /* page-table entries of the data's window */
    struct gen_item item[GEN_ITEMS];
    u16 at[GEN_ITEMS + 1]; /* offsets of the items from the start; the end */
};

/** A random program; with @fp one of those that have many x87, MMX and SSE instructions. */
void gen_program(struct fuzz *f, struct gen_program *p, bool fp);

/** Compute p->at; an item that was removed has no bytes. */
void gen_layout(struct gen_program *p);

/** The whole RAM at the start, GEN_RAM bytes. After gen_layout(). */
void gen_image(const struct gen_program *p, u8 *ram);

/** Put a CPU after reset into the program's mode, before its first instruction. */
void gen_start(const struct gen_program *p, struct cpu *cpu);

/** What the program is: its machine, and its instructions. */
void gen_print(const struct gen_program *p, FILE *out);

/* --- between the files that make items --- */

struct gen {
    struct fuzz *f;
    struct gen_program *p;
    struct gen_item *it; /* being written; NULL is never read: gen_begin() first */
    bool calm;           /* nothing that moves the stack pointer: in subroutines */
};

void gen_begin(struct gen *g);
void gen8(struct gen *g, u32 v);
void gen16(struct gen *g, u32 v);
void gen32(struct gen *g, u32 v);
/** 16 or 32 bits. */
void gen_imm(struct gen *g, enum width w, u32 v);

/** Prefixes so that the item has operands of @w. */
void gen_opsize(struct gen *g, enum width w);

/** An offset that is worth an access: near the border of a page of the data (or stack). */
u32 gen_pointer(struct gen *g, bool stack);

/** A register: mostly AX, CX or DX, sometimes one that points somewhere, seldom SP. */
unsigned gen_reg(struct gen *g);

/** Items that load a register with a constant, zero-extended. */
void gen_mov(struct gen *g, unsigned reg, u32 v);

/** An item of a random row. */
void gen_insn(struct gen *g);

/** Room for a number of @size bytes that depends on where item @target is. */
void gen_fix(struct gen *g, enum gen_fix fix, unsigned size, unsigned target);

/** Bytes of an offset in the code segment. */
unsigned gen_code_bytes(const struct gen *g);

/* Items that jump, all to places not far ahead: conditionally or not; some items a few times; into
 * a subroutine; and by what is on the stack or in a register. */
void gen_jump(struct gen *g);
void gen_loop(struct gen *g);
void gen_call(struct gen *g);
void gen_return(struct gen *g);

/** At the program's end: the subroutines, and the targets that were not there yet. */
void gen_subroutines(struct gen *g);
