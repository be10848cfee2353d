/* SPDX-License-Identifier: MIT */
/*
 * The state of one CPU. The layout is open because executors and generated code work on it;
 * everything outside cpu/ and jit/ uses cpu/cpu.h.
 *
 * Arithmetic flags are kept in a form that costs little to produce: see cpu/flags.h.
 */
#pragma once

#include "base/clock.h"
#include "base/types.h"
#include "cpu/fault.h"
#include "cpu/insn.h"
#include "cpu/x87.h"
#include "mmu/mmu.h"

struct cpu_model;
struct block;
struct cpu;
struct icache;

/** Descriptor attributes: bits 8-23 of a descriptor's high dword, limit 19:16 cleared [SDM 3A
 * §3.4.5]. */
enum seg_attr {
    SEG_TYPE = 0x000f,
    SEG_ACCESSED = 0x0001, /* code and data */
    SEG_RW = 0x0002,       /* data: writable; code: readable */
    SEG_DC = 0x0004,       /* data: expand-down; code: conforming */
    SEG_CODE = 0x0008,
    SEG_S = 0x0010, /* code or data, not system */
    SEG_DPL = 0x0060,
    SEG_P = 0x0080,
    SEG_AVL = 0x1000,
    SEG_L = 0x2000,
    SEG_DB = 0x4000,
    SEG_G = 0x8000,
};

enum { SEG_PERM_R = BIT(0), SEG_PERM_W = BIT(1) };

/** What accesses through a segment need not check; each promises what the one before it does, and
 * more. Of CS, which is never writable, it tells about reads. */
enum seg_class {
    SEGC_CHECK, /* nothing                                           */
    SEGC_UP,    /* offsets 0 to some limit, readable and writable    */
    SEGC_BASE,  /* offsets 0 to 4 GiB - 1, readable and writable     */
    SEGC_FLAT,  /* and the base is 0                                 */
};

/** A segment register with its hidden part. Offsets lo..hi are valid; perm has SEG_PERM_xx. */
struct segment {
    u64 base;
    u32 limit; /* last offset, in bytes (expand-down: last invalid one) */
    u16 selector;
    u16 attr;   /* enum seg_attr */
    u32 lo, hi; /* derived by segment_derive() */
    u8 perm;    /* derived; 0: not usable (null selector) */
    u8 class;   /* derived: enum seg_class */
};

struct table_reg {
    u64 base;
    u32 limit;
};

enum cr0 {
    CR0_PE = BIT(0),
    CR0_MP = BIT(1),
    CR0_EM = BIT(2),
    CR0_TS = BIT(3),
    CR0_ET = BIT(4),
    CR0_NE = BIT(5),
    CR0_WP = BIT(16),
    CR0_AM = BIT(18),
    CR0_NW = BIT(29),
    CR0_CD = BIT(30),
};

#define CR0_PG BIT(31) /* not an int: not in the enum */

enum cr4 {
    CR4_VME = BIT(0),
    CR4_PVI = BIT(1),
    CR4_TSD = BIT(2),
    CR4_DE = BIT(3),
    CR4_PSE = BIT(4),
    CR4_PAE = BIT(5),
    CR4_MCE = BIT(6),
    CR4_PGE = BIT(7),
    CR4_PCE = BIT(8),
    CR4_OSFXSR = BIT(9),
    CR4_OSXMMEXCPT = BIT(10),
};

enum efer { EFER_SCE = BIT(0), EFER_LME = BIT(8), EFER_LMA = BIT(10), EFER_NXE = BIT(11) };

/* EFLAGS bits that isa.h does not name. */
enum {
    FL_IOPL = 3u << 12,
    FL_NT = BIT(14),
    FL_RF = BIT(16),
    FL_VM = BIT(17),
    FL_AC = BIT(18),
    FL_VIF = BIT(19),
    FL_VIP = BIT(20),
    FL_ID = BIT(21),
    FL_FIXED = BIT(1),
};

/** What the board does for the CPU. All called with @ctx; only the last two may be NULL. */
struct cpu_bus {
    void *ctx;
    u32 (*in)(void *ctx, u16 port, enum width w);
    void (*out)(void *ctx, u16 port, u32 val, enum width w);
    u8 (*inta)(void *ctx);               /* interrupt acknowledge: the vector */
    void (*ferr)(void *ctx, bool level); /* FERR#: IRQ 13 when CR0.NE is 0 */
    /* IA32_APIC_BASE of the CPU's local APIC; NULL: the board gave it none. False: #GP(0). */
    u64 (*apic_base)(void *ctx);
    bool (*set_apic_base)(void *ctx, u64 val);
};

/** Reasons to look up before the next instruction; any set bit makes the loop stop and look. */
enum cpu_attention {
    ATTN_INTR = BIT(0),  /* the INTR pin is high                                   */
    ATTN_NMI = BIT(1),   /* an NMI is latched                                      */
    ATTN_RESET = BIT(2), /* INIT# or RESET# was pulsed                             */
    ATTN_CODE = BIT(3),  /* decoded code was overwritten: leave the current block  */
    ATTN_STOP = BIT(4),  /* the board wants the CPU to return                      */
};

/** What executes blocks; run is NULL for the interpreter. It runs from @b on, which is at CS:EIP,
 * until it cannot go on or something wants the run loop's attention. */
struct cpu_engine {
    void (*run)(void *ctx, struct block *b);
    void *ctx;
};

/** A debugger: while breaks is set, nothing is translated. What it does the guest cannot see. */
struct cpu_probe {
    /** Whether there is a breakpoint in [@lin, @lin + @len); NULL: no debugger. */
    bool (*breaks)(void *ctx, lin_addr lin, unsigned len);
    /** The next instruction has one. True: stop before it; the slice is to be ended, too. */
    bool (*hit)(void *ctx);
    /** Called after each block, which a hit ends, to look at the MMU's hits; NULL: there are no
     * watchpoints. */
    void (*done)(void *ctx);
    bool each; /* a block is one instruction */
    void *ctx;
};

/** What translated code keeps in the CPU beside its architectural state; means nothing between two
 * runs of it. Only jit/ touches it. */
struct jit_view {
    u16 flags;   /* arithmetic flags as LAHF and SETO give them: AH high, OF in bit 0 */
    u8 carry;    /* CF, 0 or 1, of RECIPE_INC and RECIPE_DEC      */
    i32 budget;  /* instructions that may still be retired        */
    i32 step;    /* 1, or -1 with DF                              */
    u32 leave;   /* block, edge or site that code left through    */
    u64 host_sp; /* of the frame that entered the code            */
    void *jumps; /* the table of indirect jumps (jit/jumps.h)     */
    u8 fp_live;  /* units whose state is in the host's (jit/fp.h) */
    u8 fp_seg;   /* segment register of FDP + 1, if it was recorded, */
    u16 fp_cw;   /* scratch: control word                         */
    u32 fp_dp;   /* and FDP                                       */
    u32 fp_ip;   /* FIP, if it was recorded,                      */
    u32 fp_op;   /* then with FOP                                 */
    union {
        u32 host_mxcsr; /* x86-64 */
        u32 fp_flags;   /* ARM64: exceptions of SSE so far, as FPSR */
    };
    u16 host_cw;
    u16 fp_sw, fp_up_cw; /* of functions: jit/fp_function.c         */
    u32 shifted;         /* what a shift was of, whose flags are wanted later (RECIPE_SHL) */
    u64 xfer[2];         /* a value that crosses a page border            */
    u64 return_pc;       /* where an access asked or gave up              */
    u64 temp[2];         /* scratch registers at that point               */
    u64 fp_up;
    u8 fp_arg[3][16];
    i64 rest;      /* instructions behind those of budget          */
    u64 base_sp;   /* the empty stack of returns                   */
    u32 jump_mode; /* jit_jump_mode() of what runs                 */
    bool stale;    /* ARM64: that stack has to be emptied          */
    void *jit;
};

/** A write that crosses into another page: translated code makes it in jit_view.xfer, and what it
 * calls then brings it to both. Only jit/ touches it. */
struct jit_halves {
    u64 written; /* what to call: one of these two */
    u64 whole, apart;
    u64 host[2];
    u64 bytes[2];
};

struct cpu {
    u64 gpr[16];
    u64 rip;      /* of the instruction being executed */
    u64 next_rip; /* of the one after it               */

    u64 fl_res; /* arithmetic flags: cpu/flags.h     */
    u32 fl_carry;
    u32 fl_delta;
    u32 eflags; /* the other flags, at their places; arithmetic bits are 0 here */
    struct jit_view jit;
    struct x87_state x87; /* near: pairs of registers are loaded in one */

    u8 cpl;         /* these two: IR_FIELD_BUSY                                 */
    bool intr_line; /* the INTR pin                                             */
    u8 inhibit;     /* enum cpu_inhibit: shadow of STI, MOV SS                  */
    u8 pending_dr6; /* data breakpoints that MOV SS hit                      */
    bool halted;
    bool shutdown;   /* triple fault                                        */
    u32 attention;   /* enum cpu_attention                                  */
    bool nmi_masked; /* until IRET                                          */
    bool nmi_latched;
    bool reset_init; /* ATTN_RESET: it was INIT#, not RESET#                */

    struct segment seg[6];
    struct segment ldtr, tr;
    struct table_reg gdtr, idtr;
    u64 cr0, cr2, cr3, cr4, efer;
    u64 dr[8];
    u64 pdpte[4];
    u64 tsc_offset; /* TSC = ticks since power-on + this */
    u64 msr[64];    /* slots of cpu/msr.def */

    struct sse sse;

    struct fault fault;
    struct mmu *mmu;
    struct clock *clock;
    struct cpu_bus bus;
    const struct cpu_model *model;
    u32 model_eflags; /* of AC and ID: those that the model has */
    struct icache *icache;
    struct cpu_engine engine;
    struct cpu_probe probe;
    unsigned number; /* which CPU of the machine */

    _Alignas(16) u8 fp_image[512]; /* where jit/ passes x87 state to the host's unit and back */
    struct jit_halves jit_halves;
};

enum cpu_inhibit {
    INHIBIT_INTR = BIT(0),    /* STI: no interrupt before the next instruction ends      */
    INHIBIT_KEEP_RF = BIT(2), /* IRET or POPF set RF for the instruction that follows     */
    INHIBIT_ALL = BIT(1),     /* MOV SS / POP SS: no interrupt, NMI or debug trap either */
    INHIBIT_STEP = BIT(3),    /* INT n replaces the single-step trap of its own          */
    INHIBIT_REP = BIT(4),     /* between two iterations of a REP instruction             */
};

static inline bool cpu_is_real(const struct cpu *cpu)
{
    return !(cpu->cr0 & CR0_PE);
}

static inline bool cpu_is_v86(const struct cpu *cpu)
{
    return cpu->eflags & FL_VM;
}

/** Real or virtual-8086: selectors are paragraph numbers. */
static inline bool cpu_is_8086(const struct cpu *cpu)
{
    return cpu_is_real(cpu) || cpu_is_v86(cpu);
}

static inline unsigned cpu_iopl(const struct cpu *cpu)
{
    return cpu->eflags >> 12 & 3;
}

/** Width of stack pushes' address: SS.B. */
static inline bool cpu_stack32(const struct cpu *cpu)
{
    return cpu->seg[SEG_SS].attr & SEG_DB;
}

static inline bool cpu_code32(const struct cpu *cpu)
{
    return cpu->seg[SEG_CS].attr & SEG_DB;
}
