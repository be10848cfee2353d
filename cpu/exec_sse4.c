/* SPDX-License-Identifier: MIT */
/* SSE4.1 moves, blends, inserts, extracts; PTEST, MPSADBW, POPCNT, CRC32  [SDM 1 §12.10, §12.12].
 */
#include <stdlib.h>

#include "cpu/flags.h"
#include "cpu/simd.h"

/* The source and the entry check of most of them. */
static bool enter_with(struct cpu *cpu, const struct insn *in, union vec *s)
{
    return sse_enter(cpu) && simd_xmm_rm(cpu, in, s);
}

/* Lanes of @size bytes come from @s where the bit of @mask is set. */
static void blend(union vec *d, const union vec *s, unsigned size, u32 mask)
{
    for (unsigned i = 0; i < 16; i++)
        if (mask >> i / size & 1)
            d->b[i] = s->b[i];
}

static bool blend_immediate(struct cpu *cpu, const struct insn *in, unsigned size)
{
    union vec s;

    if (!enter_with(cpu, in, &s))
        return false;
    blend(&cpu->sse.v[in->reg], &s, size, (u32)in->imm);
    return true;
}

bool exec_blendps(struct cpu *cpu, const struct insn *in)
{
    return blend_immediate(cpu, in, 4);
}

bool exec_blendpd(struct cpu *cpu, const struct insn *in)
{
    return blend_immediate(cpu, in, 8);
}

bool exec_pblendw(struct cpu *cpu, const struct insn *in)
{
    return blend_immediate(cpu, in, 2);
}

/* By the top bits of the lanes of XMM0. */
static bool blend_variable(struct cpu *cpu, const struct insn *in, unsigned size)
{
    u32 mask = 0;
    union vec s;

    if (!enter_with(cpu, in, &s))
        return false;
    for (unsigned i = 0; i < 16 / size; i++)
        mask |= (u32)(cpu->sse.v[0].b[i * size + size - 1] >> 7) << i;
    blend(&cpu->sse.v[in->reg], &s, size, mask);
    return true;
}

bool exec_pblendvb(struct cpu *cpu, const struct insn *in)
{
    return blend_variable(cpu, in, 1);
}

bool exec_blendvps(struct cpu *cpu, const struct insn *in)
{
    return blend_variable(cpu, in, 4);
}

bool exec_blendvpd(struct cpu *cpu, const struct insn *in)
{
    return blend_variable(cpu, in, 8);
}

bool exec_ptest(struct cpu *cpu, const struct insn *in)
{
    const union vec *d = &cpu->sse.v[in->reg];
    union vec s;
    u32 flags = 0;

    if (!enter_with(cpu, in, &s))
        return false;
    if (!((d->q[0] & s.q[0]) | (d->q[1] & s.q[1])))
        flags |= FL_Z;
    if (!((~d->q[0] & s.q[0]) | (~d->q[1] & s.q[1])))
        flags |= FL_C;
    flags_set(cpu, FL_OSZAPC, flags);
    return true;
}

/* PMOVSX (2x), PMOVZX (3x): BW BD BQ WD WQ DQ. */
bool exec_pmovx(struct cpu *cpu, const struct insn *in)
{
    static const struct {
        u8 from, to; /* enum width */
    } forms[6] = {{W8, W16}, {W8, W32}, {W8, W64}, {W16, W32}, {W16, W64}, {W32, W64}};
    unsigned from = forms[in->opcode & 7].from, to = forms[in->opcode & 7].to;
    u64 s;
    u8 *d = cpu->sse.v[in->reg].b;

    if (!sse_enter(cpu))
        return false;
    if (!in->mem)
        s = cpu->sse.v[in->rm].q[0];
    else if (!mem_read(cpu, in->seg, insn_ea(cpu, in), W64 + 1 + from - to, &s))
        return false;
    for (unsigned i = 0; i < 16u >> to; i++) {
        u64 v = bits_get(s, i * (8u << from), 8u << from);

        store_le(d + (i << to), in->opcode & 0x10 ? v : sign_extend(v, from), 1u << to);
    }
    return true;
}

/* PEXTRB (14), PEXTRW (15), PEXTRD (16), EXTRACTPS (17) */
bool exec_pextr(struct cpu *cpu, const struct insn *in)
{
    enum width w = in->opcode == 0x17 ? W32 : in->opcode - 0x14u;
    unsigned at = (in->imm << w) & 15;
    u64 v = load_le(cpu->sse.v[in->reg].b + at, 1u << w);

    if (!sse_enter(cpu))
        return false;
    if (in->mem)
        return mem_write(cpu, in->seg, insn_ea(cpu, in), w, v);
    reg_set(cpu, in->rm, W32, v);
    return true;
}

bool exec_pinsrb(struct cpu *cpu, const struct insn *in)
{
    u64 v;

    if (!sse_enter(cpu) || !rm_read(cpu, in, in->mem ? W8 : W32, &v))
        return false;
    cpu->sse.v[in->reg].b[in->imm & 15] = (u8)v;
    return true;
}

bool exec_pinsrd(struct cpu *cpu, const struct insn *in)
{
    u64 v;

    if (!sse_enter(cpu) || !rm_read(cpu, in, W32, &v))
        return false;
    cpu->sse.v[in->reg].d[in->imm & 3] = (u32)v;
    return true;
}

bool exec_insertps(struct cpu *cpu, const struct insn *in)
{
    union vec *d = &cpu->sse.v[in->reg];
    u64 v;

    if (!sse_enter(cpu))
        return false;
    v = cpu->sse.v[in->rm & 7].d[in->imm >> 6 & 3];
    if (in->mem && !mem_read(cpu, in->seg, insn_ea(cpu, in), W32, &v))
        return false;
    d->d[in->imm >> 4 & 3] = (u32)v;
    for (unsigned i = 0; i < 4; i++)
        if (in->imm >> i & 1)
            d->d[i] = 0;
    return true;
}

bool exec_mpsadbw(struct cpu *cpu, const struct insn *in)
{
    union vec *d = &cpu->sse.v[in->reg], s, r;
    unsigned from = in->imm & 4, ref = (in->imm & 3) * 4;

    if (!enter_with(cpu, in, &s))
        return false;
    for (unsigned i = 0; i < 8; i++) {
        unsigned sum = 0;

        for (unsigned k = 0; k < 4; k++)
            sum += (unsigned)abs(d->b[from + i + k] - s.b[ref + k]);
        r.w[i] = (u16)sum;
    }
    memcpy(d, &r, 16);
    return true;
}

bool exec_popcnt(struct cpu *cpu, const struct insn *in)
{
    u64 v;

    if (!rm_read(cpu, in, in->opsize, &v))
        return false;
    reg_set(cpu, in->reg, in->opsize, (u64)__builtin_popcountll(v));
    flags_set(cpu, FL_OSZAPC, v ? 0 : FL_Z);
    return true;
}

/* CRC-32C, polynomial 11EDC6F41h, reflected  [SDM 2A CRC32]. */
static bool crc32(struct cpu *cpu, const struct insn *in, enum width w)
{
    u32 crc = (u32)cpu->gpr[in->reg];
    u64 v;

    if (!rm_read(cpu, in, w, &v))
        return false;
    for (unsigned i = 0; i < 8u << w; i++) {
        u32 bit = (crc ^ (u32)(v >> i)) & 1;

        crc = crc >> 1 ^ (0x82F63B78 & (0 - bit));
    }
    reg_set(cpu, in->reg, W32, crc);
    return true;
}

bool exec_crc32_b(struct cpu *cpu, const struct insn *in)
{
    return crc32(cpu, in, W8);
}

bool exec_crc32_v(struct cpu *cpu, const struct insn *in)
{
    return crc32(cpu, in, in->opsize);
}
