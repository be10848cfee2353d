/* SPDX-License-Identifier: MIT */
/*
 * x86-64 encodings: x87, MMX and SSE.
 *
 * References: [SDM 2A] [SDM 2B] the instructions' pages; [SDM 2D] escape opcodes.
 */
#include "jit/x64/x64_enc.h"

enum { OP_EMMS = 0x0f77, OP_GROUP15 = 0x0fae };
enum group15 { GROUP15_FXSAVE, GROUP15_FXRSTOR, GROUP15_LDMXCSR, GROUP15_STMXCSR };

void x64_x87(struct codebuf *c, u8 opcode, u8 modrm)
{
    put8(c, opcode);
    put8(c, modrm);
}

void x64_x87_m(struct codebuf *c, u8 opcode, u8 digit, struct x64_mem m)
{
    x64_enc_rm(c, opcode, W32, X64_BYTES_NONE, digit, m);
}

void x64_simd_rr(struct codebuf *c, u32 op, u8 reg, u8 rm)
{
    x64_enc_rr(c, op, W32, X64_BYTES_NONE, reg, rm);
}

void x64_simd_rm(struct codebuf *c, u32 op, u8 reg, struct x64_mem m)
{
    x64_enc_rm(c, op, W32, X64_BYTES_NONE, reg, m);
}

void x64_ldmxcsr(struct codebuf *c, struct x64_mem m)
{
    x64_enc_rm(c, OP_GROUP15, W32, X64_BYTES_NONE, GROUP15_LDMXCSR, m);
}

void x64_stmxcsr(struct codebuf *c, struct x64_mem m)
{
    x64_enc_rm(c, OP_GROUP15, W32, X64_BYTES_NONE, GROUP15_STMXCSR, m);
}

void x64_fxsave(struct codebuf *c, struct x64_mem m)
{
    x64_enc_rm(c, OP_GROUP15, W32, X64_BYTES_NONE, GROUP15_FXSAVE, m);
}

void x64_fxrstor(struct codebuf *c, struct x64_mem m)
{
    x64_enc_rm(c, OP_GROUP15, W32, X64_BYTES_NONE, GROUP15_FXRSTOR, m);
}

void x64_emms(struct codebuf *c)
{
    x64_enc_plain(c, OP_EMMS, W32);
}
