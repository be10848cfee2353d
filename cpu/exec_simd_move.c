/* SPDX-License-Identifier: MIT */
/* Moves, shuffles, inserts and extracts of MMX, SSE and SSE2; MXCSR  [SDM 2A, 2B]. */
#include "cpu/simd.h"

bool exec_emms(struct cpu *cpu, const struct insn *in)
{
    (void)in;
    if (!mmx_enter(cpu))
        return false;
    cpu->x87.empty = 0xFF;
    cpu->x87.top = 0;
    return true;
}

/* MOVD to MMX or XMM: the rest is zero. */
bool exec_movd_load(struct cpu *cpu, const struct insn *in)
{
    bool xmm = simd_prefix(in) == SIMD_66;
    u64 v;

    if (!simd_enter(cpu, xmm) || !rm_read(cpu, in, W32, &v))
        return false;
    if (xmm) {
        cpu->sse.v[in->reg].q[0] = v;
        cpu->sse.v[in->reg].q[1] = 0;
    } else {
        mmx_set(cpu, in->reg, v);
        mmx_touch(cpu);
    }
    return true;
}

bool exec_movd_store(struct cpu *cpu, const struct insn *in)
{
    bool xmm = simd_prefix(in) == SIMD_66;

    if (!simd_enter(cpu, xmm))
        return false;
    if (xmm)
        return rm_write(cpu, in, W32, cpu->sse.v[in->reg].d[0]);
    if (!rm_write(cpu, in, W32, (u32)mmx_get(cpu, in->reg)))
        return false;
    mmx_touch(cpu);
    return true;
}

bool exec_movq_mmx_load(struct cpu *cpu, const struct insn *in)
{
    u64 v;

    if (!mmx_enter(cpu) || !simd_mmx_rm(cpu, in, &v))
        return false;
    mmx_set(cpu, in->reg, v);
    mmx_touch(cpu);
    return true;
}

bool exec_movq_mmx_store(struct cpu *cpu, const struct insn *in)
{
    u64 v = mmx_get(cpu, in->reg);

    if (!mmx_enter(cpu))
        return false;
    if (!in->mem)
        mmx_set(cpu, in->rm, v);
    else if (!mem_write(cpu, in->seg, insn_ea(cpu, in), W64, v))
        return false;
    mmx_touch(cpu);
    return true;
}

bool exec_movq_load(struct cpu *cpu, const struct insn *in)
{
    u64 v;

    if (!sse_enter(cpu) || !simd_xmm_low(cpu, in, W64, &v))
        return false;
    cpu->sse.v[in->reg].q[0] = v;
    cpu->sse.v[in->reg].q[1] = 0;
    return true;
}

bool exec_movq_store(struct cpu *cpu, const struct insn *in)
{
    u64 v = cpu->sse.v[in->reg].q[0];

    if (!sse_enter(cpu))
        return false;
    if (in->mem)
        return mem_write(cpu, in->seg, insn_ea(cpu, in), W64, v);
    cpu->sse.v[in->rm].q[0] = v;
    cpu->sse.v[in->rm].q[1] = 0;
    return true;
}

bool exec_movq2dq(struct cpu *cpu, const struct insn *in)
{
    if (!sse_enter(cpu) || !mmx_wait(cpu))
        return false;
    cpu->sse.v[in->reg].q[0] = mmx_get(cpu, in->rm);
    cpu->sse.v[in->reg].q[1] = 0;
    mmx_touch(cpu);
    return true;
}

bool exec_movdq2q(struct cpu *cpu, const struct insn *in)
{
    if (!sse_enter(cpu) || !mmx_wait(cpu))
        return false;
    mmx_set(cpu, in->reg, cpu->sse.v[in->rm].q[0]);
    mmx_touch(cpu);
    return true;
}

/* 128-bit moves. */
static bool load128(struct cpu *cpu, const struct insn *in, bool aligned)
{
    union vec s;

    if (!sse_enter(cpu))
        return false;
    if (!in->mem) {
        memcpy(&cpu->sse.v[in->reg], &cpu->sse.v[in->rm], in->reg == in->rm ? 0 : 16);
        return true;
    }
    if (!simd_read16(cpu, in, aligned, &s))
        return false;
    memcpy(&cpu->sse.v[in->reg], &s, 16);
    return true;
}

static bool store128(struct cpu *cpu, const struct insn *in, bool aligned)
{
    if (!sse_enter(cpu))
        return false;
    if (in->mem)
        return simd_write16(cpu, in, aligned, &cpu->sse.v[in->reg]);
    memcpy(&cpu->sse.v[in->rm], &cpu->sse.v[in->reg], in->reg == in->rm ? 0 : 16);
    return true;
}

bool exec_mova_load(struct cpu *cpu, const struct insn *in)
{
    return load128(cpu, in, true);
}

bool exec_mova_store(struct cpu *cpu, const struct insn *in)
{
    return store128(cpu, in, true);
}

bool exec_movu_load(struct cpu *cpu, const struct insn *in)
{
    return load128(cpu, in, false);
}

bool exec_movu_store(struct cpu *cpu, const struct insn *in)
{
    return store128(cpu, in, false);
}

/* MOVSS, MOVSD: from memory the rest becomes zero, from a register it stays. */
bool exec_movs_load(struct cpu *cpu, const struct insn *in)
{
    enum width w = simd_prefix(in) == SIMD_F3 ? W32 : W64;
    union vec *d = &cpu->sse.v[in->reg];
    u64 v;

    if (!sse_enter(cpu) || !simd_xmm_low(cpu, in, w, &v))
        return false;
    if (in->mem)
        d->q[0] = d->q[1] = 0;
    if (w == W32)
        d->d[0] = (u32)v;
    else
        d->q[0] = v;
    return true;
}

bool exec_movs_store(struct cpu *cpu, const struct insn *in)
{
    enum width w = simd_prefix(in) == SIMD_F3 ? W32 : W64;
    const union vec *s = &cpu->sse.v[in->reg];

    if (!sse_enter(cpu))
        return false;
    if (in->mem)
        return mem_write(cpu, in->seg, insn_ea(cpu, in), w, w == W32 ? s->d[0] : s->q[0]);
    if (w == W32)
        cpu->sse.v[in->rm].d[0] = s->d[0];
    else
        cpu->sse.v[in->rm].q[0] = s->q[0];
    return true;
}

/* One half of a register, @half 0 or 1, and memory. */
static bool load_half(struct cpu *cpu, const struct insn *in, unsigned half)
{
    u64 v;

    if (!sse_enter(cpu) || !mem_read(cpu, in->seg, insn_ea(cpu, in), W64, &v))
        return false;
    cpu->sse.v[in->reg].q[half] = v;
    return true;
}

static bool store_half(struct cpu *cpu, const struct insn *in, unsigned half)
{
    return sse_enter(cpu) &&
           mem_write(cpu, in->seg, insn_ea(cpu, in), W64, cpu->sse.v[in->reg].q[half]);
}

bool exec_movl_load(struct cpu *cpu, const struct insn *in)
{
    return load_half(cpu, in, 0);
}

bool exec_movh_load(struct cpu *cpu, const struct insn *in)
{
    return load_half(cpu, in, 1);
}

bool exec_movl_store(struct cpu *cpu, const struct insn *in)
{
    return store_half(cpu, in, 0);
}

bool exec_movh_store(struct cpu *cpu, const struct insn *in)
{
    return store_half(cpu, in, 1);
}

bool exec_movhlps(struct cpu *cpu, const struct insn *in)
{
    if (!sse_enter(cpu))
        return false;
    cpu->sse.v[in->reg].q[0] = cpu->sse.v[in->rm].q[1];
    return true;
}

bool exec_movlhps(struct cpu *cpu, const struct insn *in)
{
    if (!sse_enter(cpu))
        return false;
    cpu->sse.v[in->reg].q[1] = cpu->sse.v[in->rm].q[0];
    return true;
}

bool exec_movnti(struct cpu *cpu, const struct insn *in)
{
    return mem_write(cpu, in->seg, insn_ea(cpu, in), W32, (u32)cpu->gpr[in->reg]);
}

/* MASKMOVQ, MASKMOVDQU: bytes whose mask has bit 7 go to DS:(E)DI, or an overriding segment. */
bool exec_maskmov(struct cpu *cpu, const struct insn *in)
{
    bool xmm = simd_prefix(in) == SIMD_66;
    u64 at = in->adsize == W16 ? (u16)cpu->gpr[REG_DI] : (u32)cpu->gpr[REG_DI];
    unsigned bytes = xmm ? 16 : 8, first = bytes, last = 0;
    union vec data, mask;

    if (!simd_enter(cpu, xmm))
        return false;
    data.q[0] = xmm ? cpu->sse.v[in->reg].q[0] : mmx_get(cpu, in->reg);
    mask.q[0] = xmm ? cpu->sse.v[in->rm].q[0] : mmx_get(cpu, in->rm);
    data.q[1] = xmm ? cpu->sse.v[in->reg].q[1] : 0;
    mask.q[1] = xmm ? cpu->sse.v[in->rm].q[1] : 0;
    for (unsigned i = 0; i < bytes; i++)
        if (mask.b[i] >> 7) {
            first = first < i ? first : i;
            last = i;
        }
    if (first < bytes && !mem_probe(cpu, in->seg, at + first, last - first + 1, true))
        return false;
    for (unsigned i = first; i <= last; i++)
        if (mask.b[i] >> 7 && !mem_write(cpu, in->seg, at + i, W8, data.b[i]))
            return false;
    if (!xmm)
        mmx_touch(cpu);
    return true;
}

bool exec_clflush(struct cpu *cpu, const struct insn *in)
{
    return mem_probe(cpu, in->seg, insn_ea(cpu, in), 1, false);
}

/* Four words of @v from the one at @at = those that the immediate's pairs of bits choose. */
static void shuffle_words(union vec *v, unsigned at, u64 imm)
{
    u16 r[4];

    for (unsigned i = 0; i < 4; i++)
        r[i] = v->w[at + (imm >> 2 * i & 3)];
    for (unsigned i = 0; i < 4; i++)
        v->w[at + i] = r[i];
}

bool exec_pshufw(struct cpu *cpu, const struct insn *in)
{
    union vec s;

    if (!mmx_enter(cpu) || !simd_mmx_rm(cpu, in, &s.q[0]))
        return false;
    shuffle_words(&s, 0, in->imm);
    mmx_set(cpu, in->reg, s.q[0]);
    mmx_touch(cpu);
    return true;
}

static bool shuffle_half(struct cpu *cpu, const struct insn *in, unsigned half)
{
    union vec s;

    if (!sse_enter(cpu) || !simd_xmm_rm(cpu, in, &s))
        return false;
    shuffle_words(&s, 4 * half, in->imm);
    memcpy(&cpu->sse.v[in->reg], &s, 16);
    return true;
}

bool exec_pshuflw(struct cpu *cpu, const struct insn *in)
{
    return shuffle_half(cpu, in, 0);
}

bool exec_pshufhw(struct cpu *cpu, const struct insn *in)
{
    return shuffle_half(cpu, in, 1);
}

bool exec_pshufd(struct cpu *cpu, const struct insn *in)
{
    union vec s;

    if (!sse_enter(cpu) || !simd_xmm_rm(cpu, in, &s))
        return false;
    for (unsigned i = 0; i < 4; i++)
        cpu->sse.v[in->reg].d[i] = s.d[in->imm >> 2 * i & 3];
    return true;
}

bool exec_shufps(struct cpu *cpu, const struct insn *in)
{
    union vec *d = &cpu->sse.v[in->reg], s, r;

    if (!sse_enter(cpu) || !simd_xmm_rm(cpu, in, &s))
        return false;
    for (unsigned i = 0; i < 4; i++)
        r.d[i] = (i < 2 ? d : &s)->d[in->imm >> 2 * i & 3];
    memcpy(d, &r, 16);
    return true;
}

bool exec_shufpd(struct cpu *cpu, const struct insn *in)
{
    union vec *d = &cpu->sse.v[in->reg], s;

    if (!sse_enter(cpu) || !simd_xmm_rm(cpu, in, &s))
        return false;
    d->q[0] = d->q[in->imm & 1];
    d->q[1] = s.q[in->imm >> 1 & 1];
    return true;
}

/* UNPCKLPS, UNPCKLPD; @half 1: UNPCKH. */
static bool unpack(struct cpu *cpu, const struct insn *in, unsigned half)
{
    union vec *d = &cpu->sse.v[in->reg], s, r;

    if (!sse_enter(cpu) || !simd_xmm_rm(cpu, in, &s))
        return false;
    if (simd_prefix(in) == SIMD_66) {
        r.q[0] = d->q[half];
        r.q[1] = s.q[half];
    } else {
        for (unsigned i = 0; i < 4; i++)
            r.d[i] = (i & 1 ? &s : d)->d[2 * half + i / 2];
    }
    memcpy(d, &r, 16);
    return true;
}

bool exec_unpckl(struct cpu *cpu, const struct insn *in)
{
    return unpack(cpu, in, 0);
}

bool exec_unpckh(struct cpu *cpu, const struct insn *in)
{
    return unpack(cpu, in, 1);
}

bool exec_pinsrw(struct cpu *cpu, const struct insn *in)
{
    bool xmm = simd_prefix(in) == SIMD_66;
    union vec d;
    u64 v;

    if (!simd_enter(cpu, xmm) || !rm_read(cpu, in, W16, &v))
        return false;
    if (xmm) {
        cpu->sse.v[in->reg].w[in->imm & 7] = (u16)v;
        return true;
    }
    d.q[0] = mmx_get(cpu, in->reg);
    d.w[in->imm & 3] = (u16)v;
    mmx_set(cpu, in->reg, d.q[0]);
    mmx_touch(cpu);
    return true;
}

bool exec_pextrw(struct cpu *cpu, const struct insn *in)
{
    bool xmm = simd_prefix(in) == SIMD_66;

    if (!simd_enter(cpu, xmm))
        return false;
    if (xmm) {
        reg_set(cpu, in->reg, W32, cpu->sse.v[in->rm].w[in->imm & 7]);
        return true;
    }
    reg_set(cpu, in->reg, W32, (u16)(mmx_get(cpu, in->rm) >> 16 * (in->imm & 3)));
    mmx_touch(cpu);
    return true;
}

bool exec_pmovmskb(struct cpu *cpu, const struct insn *in)
{
    bool xmm = simd_prefix(in) == SIMD_66;
    union vec s;
    u32 r = 0;

    if (!simd_enter(cpu, xmm))
        return false;
    s.q[0] = xmm ? cpu->sse.v[in->rm].q[0] : mmx_get(cpu, in->rm);
    s.q[1] = xmm ? cpu->sse.v[in->rm].q[1] : 0;
    for (unsigned i = 0; i < 16; i++)
        r |= (u32)(s.b[i] >> 7) << i;
    reg_set(cpu, in->reg, W32, r);
    if (!xmm)
        mmx_touch(cpu);
    return true;
}

bool exec_movmsk(struct cpu *cpu, const struct insn *in)
{
    const union vec *s = &cpu->sse.v[in->rm];
    u32 r;

    if (!sse_enter(cpu))
        return false;
    if (simd_prefix(in) == SIMD_66)
        r = (u32)(s->q[0] >> 63) | (u32)(s->q[1] >> 63) << 1;
    else
        r = s->d[0] >> 31 | s->d[1] >> 31 << 1 | s->d[2] >> 31 << 2 | s->d[3] >> 31 << 3;
    reg_set(cpu, in->reg, W32, r);
    return true;
}
