/* SPDX-License-Identifier: MIT */
/*
 * Prefixes, opcode, ModR/M, SIB and displacement of an x86-64 instruction.
 *
 * References: [SDM 2A §2.1.5] ModR/M and SIB; [SDM 2A §2.2.1] REX.
 */
#include "jit/x64/x64_enc.h"

#include <assert.h>

enum { PREFIX_OPSIZE = 0x66, REX = 0x40, REX_W = 8, REX_R = 4, REX_X = 2, REX_B = 1 };

/* What stands in ModR/M.rm, SIB.index and SIB.base for something else than a register. */
enum { RM_SIB = 4, INDEX_NONE = 4, BASE_NONE = 5 };

enum mod { MOD_DISP0, MOD_DISP8, MOD_DISP32, MOD_REG };

static u8 enc_high(u8 reg, u8 bit)
{
    return reg != X64_NOREG && reg >= R8 ? bit : 0;
}

/* Prefixes and opcode. @rex has R, X and B; @rex_needed asks for it even if it says nothing. */
static void enc_opcode(struct codebuf *c, u32 op, enum width w, u8 rex, bool rex_needed)
{
    if (w == W16)
        put8(c, PREFIX_OPSIZE);
    u32 map3 = op >> 8 & 0xffff; /* 0F 38 and 0F 3A have a third byte */
    bool three = map3 == 0x0f38 || map3 == 0x0f3a;
    u32 before = op >> (three ? 24 : 16);

    if (before)
        put8(c, (u8)before);
    if (w == W64)
        rex |= REX_W;
    if (rex || rex_needed)
        put8(c, REX | rex);
    if (three)
        put8(c, 0x0f);
    if (op > 0xff)
        put8(c, (u8)(op >> 8)); /* 0F, or what follows it */
    put8(c, (u8)op);
}

static void enc_modrm(struct codebuf *c, enum mod mod, u8 reg, u8 rm)
{
    put8(c, (u8)(mod << 6 | (reg & 7) << 3 | (rm & 7)));
}

/* Are these the numbers that mean AH to BH without, and SPL to DIL with a REX prefix? */
static bool enc_is_new_byte(u8 reg)
{
    return reg >= RSP && reg <= RDI;
}

void x64_enc_rr(struct codebuf *c, u32 op, enum width w, enum x64_bytes bytes, u8 reg, u8 rm)
{
    bool needed = ((bytes & X64_BYTES_REG) && enc_is_new_byte(reg)) ||
                  ((bytes & X64_BYTES_RM) && enc_is_new_byte(rm));

    assert(reg <= R15 && rm <= R15);
    enc_opcode(c, op, w, enc_high(reg, REX_R) | enc_high(rm, REX_B), needed);
    enc_modrm(c, MOD_REG, reg, rm);
}

/* The same address in the form with the shortest encoding. */
static struct x64_mem enc_shortest(struct x64_mem m)
{
    if (m.base == X64_NOREG && m.index != X64_NOREG && m.scale <= 1) {
        /* An index without base takes four bytes of displacement. */
        m.base = m.index;
        if (m.scale == 0)
            m.index = X64_NOREG;
        m.scale = 0;
    }
    if (m.base != X64_NOREG && m.index != X64_NOREG && m.scale == 0 && m.disp == 0 &&
        (m.base & 7) == RBP && (m.index & 7) != RBP) {
        /* RBP and R13 take a displacement as base, but not as index. */
        u8 base = m.base;
        m.base = m.index;
        m.index = base;
    }
    return m;
}

static enum mod enc_mod(struct x64_mem m)
{
    if (m.base == X64_NOREG || (m.disp == 0 && (m.base & 7) != RBP))
        return MOD_DISP0;
    return x64_fits8(m.disp) ? MOD_DISP8 : MOD_DISP32;
}

static void enc_address(struct codebuf *c, u8 reg, struct x64_mem m)
{
    enum mod mod = enc_mod(m);

    if (m.base == X64_NOREG || m.index != X64_NOREG || (m.base & 7) == RSP) {
        u8 index = m.index == X64_NOREG ? INDEX_NONE : m.index & 7;
        u8 base = m.base == X64_NOREG ? BASE_NONE : m.base & 7;

        enc_modrm(c, mod, reg, RM_SIB);
        put8(c, (u8)(m.scale << 6 | index << 3 | base));
    } else {
        enc_modrm(c, mod, reg, m.base);
    }
    if (mod == MOD_DISP8)
        put8(c, (u8)m.disp);
    else if (mod == MOD_DISP32 || m.base == X64_NOREG)
        put32(c, (u32)m.disp);
}

void x64_enc_rm(struct codebuf *c, u32 op, enum width w, enum x64_bytes bytes, u8 reg,
                struct x64_mem m)
{
    assert(reg <= R15 && m.index != RSP && m.scale <= 3);
    m = enc_shortest(m);
    enc_opcode(c, op, w, enc_high(reg, REX_R) | enc_high(m.index, REX_X) | enc_high(m.base, REX_B),
               (bytes & X64_BYTES_REG) && enc_is_new_byte(reg));
    enc_address(c, reg, m);
}

void x64_enc_o(struct codebuf *c, u32 op, enum width w, u8 reg)
{
    assert(reg <= R15);
    enc_opcode(c, op | (reg & 7), w, enc_high(reg, REX_B), w == W8 && enc_is_new_byte(reg));
}

void x64_enc_plain(struct codebuf *c, u32 op, enum width w)
{
    enc_opcode(c, op, w, 0, false);
}

void x64_enc_imm(struct codebuf *c, enum width w, i32 imm)
{
    if (w == W8)
        put8(c, (u8)imm);
    else if (w == W16)
        put16(c, (u16)imm);
    else
        put32(c, (u32)imm);
}
