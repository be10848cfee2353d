/* SPDX-License-Identifier: MIT */
/* One decoded instruction. Immutable after decoding; shared by interpreter, translator,
 * disassembler. */
#pragma once

#include "base/types.h"
#include "cpu/exec.h"

enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG__COUNT };
enum { REG_AX, REG_CX, REG_DX, REG_BX, REG_SP, REG_BP, REG_SI, REG_DI };

#define NO_REG 0xff /* no base or no index register in an address */

enum insn_prefix {
    INSN_LOCK = BIT(0),
    INSN_REPE = BIT(1),   /* F3 */
    INSN_REPNE = BIT(2),  /* F2 */
    INSN_OPSIZE = BIT(3), /* 66 was present                       */
    INSN_ADSIZE = BIT(4), /* 67 was present                       */
    INSN_SEGOVR = BIT(5), /* a segment override was present       */
    INSN_REX = BIT(6),
};

#define INSN_MAX_LEN 15u /* [SDM 2A §2.3.11]: longer is #GP(0) */

struct insn {
    exec_fn *exec;
    u16 id;         /* enum insn_id */
    u8 len;         /* bytes */
    u8 prefix;      /* enum insn_prefix */
    u8 opsize;      /* enum width: W16, W32 (W64 later): the operand-size attribute */
    u8 adsize;      /* enum width: the address-size attribute */
    u8 width;       /* enum width of o1 (of o2 if o1 has none): b 8, w 16, d 32, v/z/y by opsize */
    u8 opcode;      /* last opcode byte */
    u8 modrm;       /* raw; 0 if the encoding has none */
    bool mem;       /* ModR/M names memory (mod != 3), or the row has an O operand */
    u8 reg, rm;     /* ModR/M fields, REX-extended; rm is a register number if !mem */
    u8 zreg;        /* register in the opcode's low bits, for Z operands */
    u8 seg;         /* segment of the memory operand, override applied; strings: of the source */
    u8 base, index; /* GPR numbers or NO_REG */
    u8 scale;       /* index << scale */
    u8 has_disp;    /* displacement bytes: 0, 1, 2, 4 */
    i32 disp;       /* sign-extended displacement; offset of O operands in imm instead */
    u64 imm;        /* immediate, sign- or zero-extended as the operand code says; J: displacement,
                       sign-extended; Ap: offset; O: offset */
    u16 imm2;       /* Ap: selector; ENTER: nesting level */
};

/** What the decoder needs to know of the CPU's mode. Part of the block key. */
enum insn_mode {
    MODE_CS32 = BIT(0), /* CS.D: 32-bit operands and addresses by default  */
    MODE_LONG = BIT(1), /* CS.L in long mode                               */
};
