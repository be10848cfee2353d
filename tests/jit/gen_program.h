/* SPDX-License-Identifier: MIT */
/*
 * Random guest programs, for comparing engines. A program is a list of items (an instruction each)
 * that can be taken out one by one without breaking the jumps between the others, and the machine
 * around it: mode, segments, page tables, handlers that let it go on after faults, interrupts.
 *
 * gen_program.c makes the items, gen_flow.c those that jump, gen_call.c those that call and return,
 * gen_insn.c encodes single instructions from the rows of cpu/isa.def; gen_shape.c says how many
 * there are of what, and chooses the machine. gen_guest.c lays out memory and makes tables,
 * gen_handlers.c what lets the program go on.
 */
#pragma once

#include <stdio.h>

#include "cpu/insn.h"
#include "cpu/state.h"
#include "tests/fuzz/fuzz.h"

/** Interrupt vectors; the last one ends the program. */
enum { GEN_VECTORS = 0x80 };

/** Where things are, linear and physical; with paging the first 640 KiB are where they were. */
enum gen_map {
    GEN_GDT = 0x800,
    GEN_IDT = 0x1000,
    GEN_TSS = 0x1800,
    GEN_VARS = 0x1900,     /* what handlers count */
    GEN_HANDLERS = 0x2000, /* their code          */
    GEN_KERNEL_STACK = 0x7f00,
    GEN_PAGES = 0xc000,  /* directory, table    */
    GEN_PAGES2 = 0xe000, /* of the other address space */
    GEN_CODE = 0x20000,
    GEN_STACK = 0x30000,
    GEN_DATA = 0x40000,
    GEN_COPY = 0x50000,   /* of the code, not quite the same */
    GEN_RESUME = 0x60000, /* a word for each byte of code: where to go on after a fault there */
    GEN_RAM = 0x80000,
    GEN_TABLE = 0x80000,    /* linear: the page table of the first address space */
    GEN_TABLE_CODE = 0x800, /* offset there: of GEN_SMC, the first subroutine again */
    GEN_DEVICE = 0xa0000,   /* one page that answers with the instruction count */
    GEN_WINDOW = 0x10000,   /* bytes of code, stack, data */
    GEN_LOOPS = 0xf800,     /* offset in the stack's window: rounds left */
};

enum gen_kind {
    GEN_REAL,
    GEN_V86,
    GEN_FLAT,     /* protected, segments of 4 GiB from 0 */
    GEN_SEGMENTS, /* protected, segments with limits     */
};

/** What there is much of. */
enum gen_shape {
    GEN_MIX,
    GEN_FLAGS, /* short blocks that set, keep and read flags        */
    GEN_CALLS, /* calls and returns that do not always match        */
    GEN_MODES, /* code segments, stack sizes, address spaces change */
    GEN_LONG,  /* more code than a small cache holds, for long      */
    GEN_SMC,   /* subroutines that are written over all the time    */
    GEN__SHAPES,
};
extern const char *const gen_shapes[GEN__SHAPES]; /* their names */

/** Selectors of protected mode, without RPL. Code, data and stack are the program's. */
enum gen_selector {
    GEN_SEL_KCODE = 0x08,
    GEN_SEL_KDATA = 0x10,
    GEN_SEL_CODE = 0x18,
    GEN_SEL_DATA = 0x20,
    GEN_SEL_STACK = 0x28,
    GEN_SEL_ALIAS = 0x78, /* the code's, but for the base: GEN_ALIAS bytes below     */
    GEN_SEL_OTHER = 0x80, /* the code's, but for D                                   */
    GEN_SEL_SWAP = 0x88,  /* the stack's, but for B                                  */
    GEN_SEL_TSS = 0x90,
};

/** Offsets in GEN_SEL_ALIAS are as much larger. */
enum { GEN_ALIAS = 0x1000 };

/** INT GEN_ACT + n changes the machine, whatever the privilege, but in real mode (gen_handlers.c).
 */
enum { GEN_ACT = 0x70, GEN_ACTS = 8 };

/** Of a timer with so long a mean distance each interrupt leaves what it came into. */
enum { GEN_RARE = 100 };

/** What of an item depends on where items are. */
enum gen_fix {
    GEN_FIX_NONE,
    GEN_FIX_REL,   /* distance from the item's end to the target: jumps                 */
    GEN_FIX_IP,    /* the target's offset in the code segment                           */
    GEN_FIX_FAR,   /* the same in GEN_SEL_ALIAS                                         */
    GEN_FIX_DATA,  /* offset of a byte of the target as data, by GS or flat: for patches */
    GEN_FIX_WALK,  /* an address whose page-table entry is there                          */
    GEN_FIX_ALIAS, /* the same by another page, by DS or flat              */
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

enum { GEN_ITEMS = 4000, GEN_DATA_PAGES = 16 };

/** Targets that are not there yet, of gen_call.c and gen_smc.c: a subroutine, a slot, one of the
 * pool. */
enum { GEN_TO_SUB = GEN_ITEMS, GEN_TO_SLOT = GEN_ITEMS + 0x100, GEN_TO_POOL = GEN_ITEMS + 0x200 };
enum {
    GEN_FAVOURITES = 3,
    GEN_NUMBER = 4,
    GEN_SLOT_BYTES = 8,
    GEN_SLOTS = 10
}; /* slots of a subroutine */

/** Of GEN_SMC: from this page of the data on there are the code's. */
enum { GEN_ALIASED = 12 };

struct gen_program {
    u8 kind;  /* enum gen_kind */
    u8 shape; /* enum gen_shape */
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
    u16 body;                 /* items before those that begin another round, or end it */
    u16 rounds;               /* of the whole program */
    u16 slots, pool;          /* of GEN_SMC: the first items of each */
    u16 trap_item;            /* an interrupt changes @trap_bits of it, from @trap_byte on */
    u8 trap_byte;             /*                                                           */
    u32 trap_bits;            /* 0: none does                                              */
    u32 dma;                  /* mean distance of a device's writes to slots; 0: none      */
    u32 max_faults;           /* then the handlers end it */
    u32 gpr[8];               /* at the start */
    u64 data_seed;            /* of the bytes in the windows */
    u32 timer, nmi;           /* mean distance of interrupts in instructions; 0: none */
    u64 event_seed;           /* of their distances */
    u64 budget;               /* instructions at most */
    u32 slice;                /* mean distance of comparisons */
    u64 slice_seed;           /* of their distances */
    u32 flicker;              /* number of the page that comes and goes with interrupts; 0: none */
    u32 page[GEN_DATA_PAGES]; /* page-table entries of the data's window */
    struct gen_item item[GEN_ITEMS];
    u16 at[GEN_ITEMS + 1]; /* offsets of the items from the start; the end */
};

/** A random program of @shape, or, GEN__SHAPES, of any; with @fp one of those that have many x87,
 * MMX and SSE instructions. */
void gen_program(struct fuzz *f, struct gen_program *p, enum gen_shape shape, bool fp);

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
    struct gen_item *it;           /* being written; NULL is never read: gen_begin() first */
    bool calm;                     /* nothing that moves the stack pointer: in subroutines */
    bool flags;                    /* only what has to do with flags                       */
    unsigned sub;                  /* the subroutine that is made                          */
    bool aligned;                  /* numbers in slots are at GEN_NUMBER, mostly           */
    u16 favourite[GEN_FAVOURITES]; /* slots that are mostly written to           */
};

/** How many subroutines there will be; targets from GEN_ITEMS on are theirs. */
unsigned gen_subs(const struct gen *g);

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

/** One of a row that has to do with flags. */
void gen_flags(struct gen *g);

/** The machine, but for what depends on nothing else. */
void gen_machine(struct fuzz *f, struct gen_program *p, bool fp);

/** Anything. */
void gen_any(struct gen *g);

/** How many items the program has before its subroutines. */
unsigned gen_body(struct gen *g);

/** A number within the borders of an item of one byte; one instruction. */
void gen_byte(struct gen *g, u32 byte);

/** PUSH of the target's offset in the code segment. */
void gen_push_target(struct gen *g, unsigned target);

/** Offset of the first item in its code segment. */
u32 gen_first_ip(const struct gen_program *p);

/** Handlers, and the tables that name them. */
void gen_handlers(const struct gen_program *p, u8 *ram);

/** What of the program is in CS. */
u16 gen_code_selector(const struct gen_program *p);

/** Items of gen_program.c. */
void gen_small(struct gen *g);
void gen_point(struct gen *g);
void gen_string(struct gen *g);
void gen_patch(struct gen *g);
void gen_interrupt(struct gen *g);
void gen_segment(struct gen *g);
void gen_system(struct gen *g);
void gen_device(struct gen *g);
void gen_cross(struct gen *g);
void gen_table(struct gen *g);
void gen_control(struct gen *g);
void gen_stack_item(struct gen *g);

/** Room for a number of @size bytes that depends on where item @target is. */
void gen_fix(struct gen *g, enum gen_fix fix, unsigned size, unsigned target);

/** Bytes of an offset in the code segment. */
unsigned gen_code_bytes(const struct gen *g);

/* Items that jump, mostly to places not far ahead: conditionally or not; some items a few times; by
 * what is on the stack or in a register; to other code segments; into a subroutine. */
unsigned gen_near(struct gen *g);
void gen_jump(struct gen *g);
void gen_chain(struct gen *g);
void gen_loop(struct gen *g);
void gen_return(struct gen *g);
void gen_mode(struct gen *g);
void gen_bases(struct gen *g);
void gen_call(struct gen *g);

/** Items of programs that write to code, which are in gen_smc.c. */
void gen_smc(struct gen *g);
/** Before the first of them; the next subroutine; what they are written over with; after the
 * layout: where the program begins, and who else writes. */
void gen_smc_begin(struct gen *g);
void gen_smc_sub(struct gen *g);
void gen_smc_pool(struct gen *g);
void gen_smc_finish(struct gen *g);

/** At the program's end: the subroutines, and the targets that were not there yet. */
void gen_subroutines(struct gen *g);
