/* SPDX-License-Identifier: MIT */
/*
 * x86-64 encodings: flags, stack, branches and their patching, no-operations.
 *
 * References: [SDM 2A] [SDM 2B] the instructions' pages; [SDM 2B NOP] the multi-byte forms.
 */
#include <assert.h>

#include "jit/x64/x64_enc.h"

enum {
    OP_PUSH_R = 0x50,
    OP_POP_R = 0x58,
    OP_PUSH_I = 0x68,
    OP_PUSH_I8 = 0x6a,
    OP_JCC8 = 0x70,
    OP_POP_M = 0x8f,
    OP_PUSHF = 0x9c,
    OP_POPF = 0x9d,
    OP_SAHF = 0x9e,
    OP_LAHF = 0x9f,
    OP_MOVSB = 0xa4,
    OP_RET = 0xc3,
    OP_CALL = 0xe8,
    OP_JMP = 0xe9,
    OP_JMP8 = 0xeb,
    OP_REP = 0xf3,
    OP_CMC = 0xf5,
    OP_CLC = 0xf8,
    OP_STC = 0xf9,
    OP_GROUP5 = 0xff,
    OP_UD2 = 0x0f0b,
    OP_JCC = 0x0f80,
};

enum group5 { GROUP5_CALL = 2, GROUP5_JMP = 4, GROUP5_PUSH = 6 };

void x64_lahf(struct codebuf *c)
{
    put8(c, OP_LAHF);
}

void x64_sahf(struct codebuf *c)
{
    put8(c, OP_SAHF);
}

void x64_clc(struct codebuf *c)
{
    put8(c, OP_CLC);
}

void x64_stc(struct codebuf *c)
{
    put8(c, OP_STC);
}

void x64_cmc(struct codebuf *c)
{
    put8(c, OP_CMC);
}

/* What works on the stack or loads RIP is 64 bits wide without REX.W. [SDM 2A Table 2-4] */

void x64_push_r(struct codebuf *c, u8 r)
{
    x64_enc_o(c, OP_PUSH_R, W32, r);
}

void x64_pop_r(struct codebuf *c, u8 r)
{
    x64_enc_o(c, OP_POP_R, W32, r);
}

void x64_push_i(struct codebuf *c, i32 imm)
{
    bool small = x64_fits8(imm);

    put8(c, small ? OP_PUSH_I8 : OP_PUSH_I);
    x64_enc_imm(c, small ? W8 : W32, imm);
}

void x64_push_m(struct codebuf *c, struct x64_mem m)
{
    x64_enc_rm(c, OP_GROUP5, W32, X64_BYTES_NONE, GROUP5_PUSH, m);
}

void x64_pop_m(struct codebuf *c, struct x64_mem m)
{
    x64_enc_rm(c, OP_POP_M, W32, X64_BYTES_NONE, 0, m);
}

void x64_pushf(struct codebuf *c)
{
    put8(c, OP_PUSHF);
}

void x64_popf(struct codebuf *c)
{
    put8(c, OP_POPF);
}

void x64_ret(struct codebuf *c)
{
    put8(c, OP_RET);
}

void x64_rep_movsb(struct codebuf *c)
{
    put8(c, OP_REP);
    put8(c, OP_MOVSB);
}

void x64_ud2(struct codebuf *c)
{
    x64_enc_plain(c, OP_UD2, W32);
}

void x64_nop(struct codebuf *c, unsigned bytes)
{
    static const u8 forms[][9] = {
        {0x90},
        {0x66, 0x90},
        {0x0f, 0x1f, 0x00},
        {0x0f, 0x1f, 0x40, 0x00},
        {0x0f, 0x1f, 0x44, 0x00, 0x00},
        {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
        {0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00},
        {0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
        {0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
    };

    while (bytes > 0) {
        unsigned n = bytes < ARRAY_LEN(forms) ? bytes : (unsigned)ARRAY_LEN(forms);

        for (unsigned i = 0; i < n; i++)
            put8(c, forms[n - 1][i]);
        bytes -= n;
    }
}

void x64_jmp_r(struct codebuf *c, u8 r)
{
    x64_enc_rr(c, OP_GROUP5, W32, X64_BYTES_NONE, GROUP5_JMP, r);
}

void x64_jmp_m(struct codebuf *c, struct x64_mem m)
{
    x64_enc_rm(c, OP_GROUP5, W32, X64_BYTES_NONE, GROUP5_JMP, m);
}

void x64_call_r(struct codebuf *c, u8 r)
{
    x64_enc_rr(c, OP_GROUP5, W32, X64_BYTES_NONE, GROUP5_CALL, r);
}

void x64_call_m(struct codebuf *c, struct x64_mem m)
{
    x64_enc_rm(c, OP_GROUP5, W32, X64_BYTES_NONE, GROUP5_CALL, m);
}

void x64_patch32(u8 *place, const u8 *target)
{
    if (!place)
        return;
    i64 disp = target - (place + 4);
    assert(disp == (i32)disp);
    for (unsigned i = 0; i < 4; i++)
        place[i] = (u8)((u64)disp >> (8 * i));
}

void x64_patch8(u8 *place, const u8 *target)
{
    if (!place)
        return;
    i64 disp = target - (place + 1);
    assert(x64_fits8(disp));
    *place = (u8)disp;
}

/* A branch's displacement, which is zero until it is patched. */
static u8 *x64_disp32(struct codebuf *c, const u8 *target)
{
    u8 *place = c->at;

    put32(c, 0);
    if (c->full)
        return NULL;
    if (target)
        x64_patch32(place, target);
    return place;
}

static u8 *x64_disp8(struct codebuf *c)
{
    u8 *place = c->at;

    put8(c, 0);
    return c->full ? NULL : place;
}

u8 *x64_jmp(struct codebuf *c, const u8 *target)
{
    put8(c, OP_JMP);
    return x64_disp32(c, target);
}

u8 *x64_call(struct codebuf *c, const u8 *target)
{
    put8(c, OP_CALL);
    return x64_disp32(c, target);
}

u8 *x64_jcc(struct codebuf *c, enum x64_cc cc, const u8 *target)
{
    x64_enc_plain(c, OP_JCC | cc, W32);
    return x64_disp32(c, target);
}

u8 *x64_jmp8(struct codebuf *c)
{
    put8(c, OP_JMP8);
    return x64_disp8(c);
}

u8 *x64_jcc8(struct codebuf *c, enum x64_cc cc)
{
    put8(c, OP_JCC8 | cc);
    return x64_disp8(c);
}
