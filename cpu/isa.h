/* SPDX-License-Identifier: MIT */
/*
 * The instruction set as data: cpu/isa.def has one INSN() row per encoding. Decoder, disassembler,
 * interpreter, translator and tests each include it with an INSN() of their own and take the
 * columns they need:
 *
 *   INSN(id, map, opcode, pfx, form, text, o1, o2, o3, attr, feat, read, written, undef, exec,
 *        xlate)
 *
 * The columns are written without the prefix of their enum: map 0F is MAP_0F, attr Lock ATTR_Lock.
 *
 * id      unique name; the table's key in C
 * map     1B, 0F, 0F38, 0F3A (VEX and EVEX maps later) [SDM 2D §A.3]
 * opcode  the opcode byte; with a Z operand the low three bits are the register, so the row owns
 *         this opcode and those up to the next multiple of 8
 * pfx     which mandatory prefix selects the row: NP 66 F3 F2, or sets of them: PFX_xx below
 * form    what ModR/M must look like, FORM_xx below; NM = the encoding has no ModR/M byte
 * text    mnemonic in Intel syntax; "cbw|cwde|cdqe" are the forms for operand size 16|32|64, and
 *         "@jcxz|jecxz|jrcxz" those for address size
 * o1..o3  operand codes in the notation of the opcode maps [SDM 2D §A.2], None if absent
 * attr    ATTR_xx flags, OR-ed
 * feat    the CPUID feature (or generation) that a model must have, FEAT_xx; else #UD
 * read    EFLAGS that matter to it: tested by it, or left as they were in some cases (REP CMPS of
 *         nothing, a shift by CL that is 0)
 * written EFLAGS that it sets: nothing else of what they were is seen after it
 * undef   EFLAGS that the manual leaves undefined. Those also in written get a fixed value, the
 *         others stay as they were: exec says which
 * exec    exec_<exec>() in cpu/exec_*.c; rows without one do not link
 * xlate   translator in jit/, or interp
 */
#pragma once

#include "base/types.h"

/* OPERAND(code, access): R read, W written, M read and written; the rows say which place. */
enum operand {
    OPND_None,
    /* ModR/M r/m: register or memory */
    OPND_Eb,
    OPND_Ew,
    OPND_Ed,
    OPND_Ev,   /* v: 16/32/64 by operand size */
    OPND_Ey,   /* y: 32, or 64 with REX.W */
    OPND_EwRv, /* word in memory, operand-size register (MOV r/m,Sreg; SLDT; STR; SMSW) */
    /* ModR/M r/m: memory only; number = bytes */
    OPND_M,  /* address only: LEA, INVLPG, CLFLUSH */
    OPND_Ma, /* BOUND: two operands of operand size */
    OPND_Mp, /* far pointer 16:16 or 16:32 */
    OPND_Ms, /* pseudo-descriptor: LGDT ... */
    OPND_Mb,
    OPND_Mw,
    OPND_Md,
    OPND_Mq,  /* 1 2 4 8 bytes */
    OPND_Mt,  /* 10 bytes: x87 extended, BCD */
    OPND_Mdq, /* 16 bytes */
    OPND_Menv,
    OPND_Mfsave,
    OPND_Mfx, /* x87 environment, x87 state, FXSAVE area */
    OPND_Mfi16,
    OPND_Mfi32,
    OPND_Mfi64, /* x87 integers in memory */
    OPND_Mf32,
    OPND_Mf64,
    OPND_Mf80, /* x87 reals in memory */
    /* ModR/M reg */
    OPND_Gb,
    OPND_Gw,
    OPND_Gd,
    OPND_Gv,
    OPND_Gy,
    OPND_Gz,
    OPND_Sw,
    OPND_Cd,
    OPND_Dd,
    OPND_Td, /* segment, control, debug, test register */
    OPND_Rv,
    OPND_Rd,
    OPND_Ry, /* r/m, register only whatever mod says (MOV CRn) */
    /* opcode's low three bits */
    OPND_Zb,
    OPND_Zv,
    /* immediates and relative targets; s: sign-extended to operand size */
    OPND_Ib,
    OPND_Ibs,
    OPND_Iw,
    OPND_Iz,
    OPND_Iv,
    OPND_I1,
    OPND_I3, /* I1: constant 1 */
    OPND_Jb,
    OPND_Jz,
    OPND_Ap,
    /* memory addressed by an offset in the instruction */
    OPND_Ob,
    OPND_Ov,
    /* string operands */
    OPND_Xb,
    OPND_Xv,
    OPND_Xz,
    OPND_Yb,
    OPND_Yv,
    OPND_Yz,
    /* fixed registers */
    OPND_AL,
    OPND_CL,
    OPND_DX,
    OPND_AX,
    OPND_rAX,
    OPND_eAX, /* eAX: 16/32 only (I/O) */
    OPND_ES,
    OPND_CS,
    OPND_SS,
    OPND_DS,
    OPND_FS,
    OPND_GS,
    /* x87 */
    OPND_ST0,
    OPND_STi,
    /* MMX and SSE. P: MMX by reg, Q: MMX by r/m or memory, N: MMX by r/m, register only */
    OPND_Pq,
    OPND_Qq,
    OPND_Qd,
    OPND_Nq,
    /* V: XMM by reg, W: XMM by r/m or memory, U: XMM by r/m, register only */
    OPND_Vx,
    OPND_Wx,
    OPND_Wss,
    OPND_Wsd,
    OPND_Wq,
    OPND_Wd,
    OPND_Ux,
    OPND_Ww,
    OPND_Ew_d, /* PINSRW: word in memory, 32-bit register */
    OPND_Eb_d, /* PINSRB: byte in memory, 32-bit register */
    OPND_XMM0, /* implicit */
    OPND__COUNT
};

enum insn_attr {
    ATTR_None = 0,
    ATTR_Lock = BIT(0),   /* LOCK is legal when the destination is memory                      */
    ATTR_Cpl0 = BIT(1),   /* #GP(0) unless CPL is 0 (the executor checks)                       */
    ATTR_Ends = BIT(2),   /* control, mode, segments or interrupts may change: last of its block */
    ATTR_Rep = BIT(3),    /* REP repeats it                                                     */
    ATTR_RepZ = BIT(4),   /* REPE / REPNE repeat it and test ZF                                 */
    ATTR_I64 = BIT(5),    /* invalid in 64-bit mode                                             */
    ATTR_O64 = BIT(6),    /* only in 64-bit mode                                                */
    ATTR_D64 = BIT(7),    /* operand size is 64 by default in 64-bit mode                       */
    ATTR_F64 = BIT(8),    /* operand size is 64 always in 64-bit mode                           */
    ATTR_NoReal = BIT(9), /* #UD in real and virtual-8086 mode (the executor checks)            */
    ATTR_Io = BIT(10),    /* reaches ports or the clock                                         */
    ATTR_Fpu = BIT(11),   /* #NM if CR0.EM or CR0.TS; waits for a pending #MF (see exec_x87)    */
    ATTR_Align = BIT(12), /* 16-byte memory operand must be aligned, else #GP(0)                */
    ATTR_Lockimpl = BIT(13), /* XCHG: locked with memory without a prefix                       */
    ATTR_Wr1 = BIT(14),   /* o1 is only written, not read (disassembly and translator)          */
    ATTR_Alias = BIT(15), /* undocumented second encoding of another row                        */

    ATTR_EndsCpl0 = ATTR_Ends | ATTR_Cpl0,
    ATTR_IoEnds = ATTR_Io | ATTR_Ends,
    ATTR_IoCpl0 = ATTR_Io | ATTR_Cpl0,
    ATTR_IoEndsCpl0 = ATTR_Io | ATTR_EndsCpl0,
    ATTR_IoRep = ATTR_Io | ATTR_Rep,
    ATTR_EndsI64 = ATTR_Ends | ATTR_I64,
    ATTR_EndsF64 = ATTR_Ends | ATTR_F64,
    ATTR_LockI64 = ATTR_Lock | ATTR_I64,
    ATTR_LockAlias = ATTR_Lock | ATTR_I64 | ATTR_Alias,
    ATTR_LockWr = ATTR_Lock | ATTR_Lockimpl,
    ATTR_D64Wr1 = ATTR_D64 | ATTR_Wr1,
    ATTR_I64Wr1 = ATTR_I64 | ATTR_Wr1,
    ATTR_I64Ends = ATTR_EndsI64,
    ATTR_EndsD64 = ATTR_Ends | ATTR_D64,
    ATTR_EndsWr1 = ATTR_Ends | ATTR_Wr1,
    ATTR_EndsI64Wr1 = ATTR_EndsI64 | ATTR_Wr1,
    ATTR_FpuAlign = ATTR_Fpu | ATTR_Align,
    ATTR_FpuAlias = ATTR_Fpu | ATTR_Alias,
};

/* EFLAGS bits at their architectural places [SDM 1 §3.4.3], and the sets that rows use. */
enum eflags {
    FL_None = 0,
    FL_C = BIT(0),
    FL_P = BIT(2),
    FL_A = BIT(4),
    FL_Z = BIT(6),
    FL_S = BIT(7),
    FL_T = BIT(8),
    FL_I = BIT(9),
    FL_D = BIT(10),
    FL_O = BIT(11),
    FL_OAC = FL_O | FL_A | FL_C,
    FL_OC = FL_O | FL_C,
    FL_OA = FL_O | FL_A,
    FL_CA = FL_A | FL_C,
    FL_SZP = FL_S | FL_Z | FL_P,
    FL_SZAPC = FL_SZP | FL_A | FL_C,
    FL_SZAP = FL_SZP | FL_A,
    FL_OSZP = FL_O | FL_SZP,
    FL_OSZA = FL_O | FL_S | FL_Z | FL_A,
    FL_OSZAP = FL_OSZP | FL_A,
    FL_OSZPC = FL_OSZP | FL_C,
    FL_OSAP = FL_O | FL_S | FL_A | FL_P,
    FL_OSAPC = FL_O | FL_S | FL_A | FL_P | FL_C,
    FL_ZPC = FL_Z | FL_P | FL_C,
    FL_ZC = FL_Z | FL_C,
    FL_SO = FL_S | FL_O,
    FL_SZO = FL_S | FL_Z | FL_O,
    FL_OSZAPC = FL_OSZPC | FL_A,
    FL_All = 0x7fd5 /* everything POPF can change, arithmetic or not */
};

enum insn_map { MAP_1B, MAP_0F, MAP_0F38, MAP_0F3A, MAP__COUNT };

/* Mandatory prefixes: a row answers to a set of them. F3 or F2 wins over 66 [SDM 2A §2.1.2]. */
enum insn_pfx { PFX_IX_NP, PFX_IX_66, PFX_IX_F3, PFX_IX_F2, PFX__COUNT };
#define PFX_NP  BIT(PFX_IX_NP)
#define PFX_66  BIT(PFX_IX_66)
#define PFX_F3  BIT(PFX_IX_F3)
#define PFX_F2  BIT(PFX_IX_F2)
#define PFX_ANY 15u               /* prefixes have their ordinary meaning */
#define PFX_NF3 (15u & ~PFX_F3)   /* any but F3: NOP beside PAUSE */
#define PFX_N66 (PFX_NP | PFX_66) /* no REP prefix */

/*
 * What ModR/M must look like: bits 0-7 value, 8-15 mask, and whether the encoding has it at all.
 * mod == 3 and mod != 3 cannot be said by a mask alone, hence FORM_REG and FORM_MEM.
 */
#define FORM_HAS     BIT(16)
#define FORM_MEM     BIT(17) /* mod != 3 */
#define FORM_REG     BIT(18) /* mod == 3 */
#define FORM_V(v, m) ((u32)(v) | (u32)(m) << 8 | FORM_HAS)
#define FORM_NM      0u
#define FORM_RM      FORM_HAS                     /* /r */
#define FORM_X(n)    FORM_V((n) << 3, 0x38)       /* /n */
#define FORM_M       (FORM_HAS | FORM_MEM)        /* /r, memory only */
#define FORM_R       (FORM_HAS | FORM_REG)        /* /r, register only */
#define FORM_MX(n)   (FORM_X(n) | FORM_MEM)       /* /n, memory only */
#define FORM_RX(n)   (FORM_X(n) | FORM_REG)       /* /n, register only */
#define FORM_ALL(b)  (FORM_V(b, 0xff) | FORM_REG) /* exactly this byte: D9 F0 */

/* Generations and CPUID features that gate rows. FEAT_xx = bit number in struct cpu_model.feat. */
enum cpu_feature {
    FEAT_8086,
    FEAT_186,
    FEAT_286,
    FEAT_386,
    FEAT_486,
    FEAT_P5,
    FEAT_P6, /* generations */
    FEAT_FPU,
    FEAT_CPUID,
    FEAT_TSC,
    FEAT_MSR,
    FEAT_CX8,
    FEAT_SEP,
    FEAT_CMOV,
    FEAT_MMX,
    FEAT_FXSR,
    FEAT_SSE,
    FEAT_SSE2,
    FEAT_CLFSH,
    FEAT_SSE3,
    FEAT_SSSE3,
    FEAT_SSE41,
    FEAT_SSE42,
    FEAT_POPCNT,
    FEAT_MOVBE,
    FEAT_AES,
    FEAT_PCLMUL,
    FEAT_RDPMC,
    FEAT_CX16,
    FEAT_MONITOR,
    FEAT_FCMOV,
    FEAT_VME,
    FEAT_DE,
    FEAT_PSE,
    FEAT_PAE,
    FEAT_PGE,
    FEAT_PSE36,
    FEAT_NX,
    FEAT_APIC,
    FEAT_MCE,
    FEAT_MCA,
    FEAT_MTRR,
    FEAT_PAT,
    FEAT_LM,
    FEAT__COUNT
};

enum insn_id {
#define INSN(id, ...) INSN_##id,
#include "cpu/isa.def"
    INSN__COUNT
};

struct insn_def {
    const char *id;
    const char *text;
    u8 map, opcode, pfx;
    u32 form;
    u8 op[3];
    u8 feat;
    u32 attr;
    u16 read, written, undefined; /* flags */
};

extern const struct insn_def insn_def[INSN__COUNT];
