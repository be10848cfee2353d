/* SPDX-License-Identifier: MIT */
/*
 * State of the x87/MMX and SSE register files  [SDM 1 §8.1, §9.2, §10.2].
 *
 * Which instructions record FIP/FCS/FDP/FDS/FOP (the rule all engines follow): every ESC
 * instruction that is not a control instruction (FNINIT FNCLEX FLDCW FNSTCW FNSTSW FNSTENV FLDENV
 * FNSAVE FRSTOR FXSAVE FXRSTOR, and WAIT) records its CS:EIP (of its first prefix) and the 11
 * opcode bits when it starts to execute, after the checks for #NM and #MF; one with a memory
 * operand also records the selector and the offset of that operand, one without leaves FDP and FDS
 * alone. An instruction that then faults on its memory access records nothing. FOP is recorded by
 * every such instruction (as the 486 and the Pentium; the "fopcode compatibility mode" is not
 * modelled).
 */
#pragma once

#include "base/fields.h"
#include "base/types.h"
#include "cpu/softfloat.h"

enum {
    X87_SW_IE = 0x0001,
    X87_SW_DE = 0x0002,
    X87_SW_ZE = 0x0004,
    X87_SW_OE = 0x0008,
    X87_SW_UE = 0x0010,
    X87_SW_PE = 0x0020,
    X87_SW_SF = 0x0040,
    X87_SW_ES = 0x0080,
    X87_SW_C0 = 0x0100,
    X87_SW_C1 = 0x0200,
    X87_SW_C2 = 0x0400,
    X87_SW_TOP = 0x3800,
    X87_SW_C3 = 0x4000,
    X87_SW_B = 0x8000,
};

enum {
    X87_CW_MASKS = 0x003F,
    X87_CW_PC = 0x0300,
    X87_CW_PC_SHIFT = 8,
    X87_CW_RC = 0x0C00,
    X87_CW_RC_SHIFT = 10,
    X87_CW_WRITABLE = 0x1F3F,
    X87_CW_ONES = 0x0040, /* always reads as 1 */
    X87_CW_INIT = 0x037F, /* after FNINIT */
    X87_CW_RESET = 0x0040 /* after RESET */
};

enum {
    MXCSR_DAZ = 0x0040,
    MXCSR_MASKS = 0x1F80,
    MXCSR_RC = 0x6000,
    MXCSR_FTZ = 0x8000,
    MXCSR_INIT = 0x1F80,
    MXCSR_MASK_SSE2 = 0xFFFF /* the writable bits */
};

struct x87_state {
    struct f80 r[8]; /* physical R0..R7; ST(i) is r[(top + i) & 7]; MMi is r[i].mant */
    u16 control;     /* generated code reads these three as one word */
    u8 top;
    u8 empty;   /* bit n: Rn is tagged empty */
    u16 status; /* without TOP and B: x87_status_word() adds them */
    bool ferr;  /* the unit asks for IRQ 13 (CR0.NE = 0), until FNCLEX, FNINIT, FLDENV or F0h */
    u16 opcode; /* FOP: 11 bits */
    u16 cs, ds;
    u64 ip, dp;
    bool absent; /* of the model, not state: there is no unit, instructions do nothing */
};

/* A vector register: 64 bytes, of which SSE uses the low 16. */
union vec {
    u8 b[64];
    u16 w[32];
    u32 d[16];
    u64 q[8];
};

enum { VEC_REGS = 16 }; /* 8 of them in 32-bit guests */

struct sse {
    _Alignas(64) union vec v[VEC_REGS];
    u32 mxcsr;
};

extern const struct field x87_fields[], sse_fields[];

/** What RESET does: zeros, all tags zero (not empty), control 0040h. */
void x87_reset(struct x87_state *f);

/** What FNINIT does. The registers keep their contents; INIT leaves the unit alone. */
void x87_init(struct x87_state *f);

/** What RESET does: zeros and MXCSR 1F80h. */
void sse_reset(struct sse *s);

/** The status word as FNSTSW stores it. */
u16 x87_status_word(const struct x87_state *f);

/** Set status and TOP from a status word; ES and B follow from the flags and the masks. */
void x87_set_status_word(struct x87_state *f, u16 sw);

/** The 16-bit tag word (valid, zero, special, empty of R0..R7) as FNSTENV stores it. */
u16 x87_tag_word(const struct x87_state *f);

struct cpu;

/** FERR# follows ES. */
void x87_update_ferr(struct cpu *cpu);
