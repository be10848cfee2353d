/* SPDX-License-Identifier: MIT */
/* Packed integers of SSSE3 and SSE4.1, lane by lane  [SDM 1 §12.6, §12.10]. */
#include "cpu/simd_lanes.h"

static u32 negate_by(u32 a, i32 b)
{
    return b < 0 ? 0 - a : b ? a : 0;
}

// clang-format off
PACKED(psignb,   u8,  b, negate_by(a, (i8)b))
PACKED(psignw,   u16, w, negate_by(a, (i16)b))
PACKED(psignd,   u32, d, negate_by(a, (i32)b))
PACKED(pabsb,    u8,  b, ((void)a, (i8)b < 0 ? -b : b))
PACKED(pabsw,    u16, w, ((void)a, (i16)b < 0 ? -b : b))
PACKED(pabsd,    u32, d, ((void)a, (i32)b < 0 ? 0 - b : b))
PACKED(pmulhrsw, u16, w, (((i16)a * (i16)b >> 14) + 1) >> 1)
PACKED(pmaddubsw, u16, w,
       saturate_i16((u8)a * (i8)b + (a >> 8) * (i8)(b >> 8)))
PACKED(pmuldq,   u64, q, (u64)((i64)(i32)a * (i32)b))
PACKED(pmulld,   u32, d, a * b)
PACKED(pcmpeqq,  u64, q, a == b ? ~(u64)0 : 0)
PACKED(pcmpgtq,  u64, q, (i64)a > (i64)b ? ~(u64)0 : 0)
PACKED(pminsb,   u8,  b, (i8)a < (i8)b ? a : b)
PACKED(pmaxsb,   u8,  b, (i8)a > (i8)b ? a : b)
PACKED(pminuw,   u16, w, a < b ? a : b)
PACKED(pmaxuw,   u16, w, a > b ? a : b)
PACKED(pminsd,   u32, d, (i32)a < (i32)b ? a : b)
PACKED(pmaxsd,   u32, d, (i32)a > (i32)b ? a : b)
PACKED(pminud,   u32, d, a < b ? a : b)
PACKED(pmaxud,   u32, d, a > b ? a : b)
// clang-format on

/* Horizontal: @expr of neighbours a and b, first the destination's pairs, then the source's. */
#define HORIZONTAL(name, type, lanes, expr)                                                        \
    static void name##_lanes(union vec *d, const union vec *s, unsigned bytes)                     \
    {                                                                                              \
        unsigned n = bytes / sizeof(type);                                                         \
        union vec old;                                                                             \
                                                                                                   \
        memcpy(&old, d, bytes);                                                                    \
        for (unsigned i = 0; i < n; i++) {                                                         \
            const union vec *v = i < n / 2 ? &old : s;                                             \
            type a = v->lanes[2 * i % n], b = v->lanes[2 * i % n + 1];                             \
                                                                                                   \
            d->lanes[i] = (type)(expr);                                                            \
        }                                                                                          \
    }                                                                                              \
    bool exec_##name(struct cpu *cpu, const struct insn *in)                                       \
    {                                                                                              \
        return simd_packed(cpu, in, name##_lanes);                                                 \
    }

HORIZONTAL(phaddw, u16, w, a + b)
HORIZONTAL(phaddd, u32, d, a + b)
HORIZONTAL(phaddsw, u16, w, saturate_i16((i16)a + (i16)b))
HORIZONTAL(phsubw, u16, w, a - b)
HORIZONTAL(phsubd, u32, d, a - b)
HORIZONTAL(phsubsw, u16, w, saturate_i16((i16)a - (i16)b))

static void pshufb_lanes(union vec *d, const union vec *s, unsigned bytes)
{
    union vec old;

    memcpy(&old, d, bytes);
    for (unsigned i = 0; i < bytes; i++)
        d->b[i] = s->b[i] & 0x80 ? 0 : old.b[s->b[i] & (bytes - 1)];
}

bool exec_pshufb(struct cpu *cpu, const struct insn *in)
{
    return simd_packed(cpu, in, pshufb_lanes);
}

static void packusdw_lanes(union vec *d, const union vec *s, unsigned bytes)
{
    union vec old;

    (void)bytes;
    memcpy(&old, d, 16);
    for (unsigned i = 0; i < 4; i++) {
        d->w[i] = saturate_u16((i32)old.d[i]);
        d->w[i + 4] = saturate_u16((i32)s->d[i]);
    }
}

bool exec_packusdw(struct cpu *cpu, const struct insn *in)
{
    return simd_packed(cpu, in, packusdw_lanes);
}

static void phminposuw_lanes(union vec *d, const union vec *s, unsigned bytes)
{
    unsigned at = 0;

    (void)bytes;
    for (unsigned i = 1; i < 8; i++)
        if (s->w[i] < s->w[at])
            at = i;
    d->q[0] = s->w[at] | (u64)at << 16;
    d->q[1] = 0;
}

bool exec_phminposuw(struct cpu *cpu, const struct insn *in)
{
    return simd_packed(cpu, in, phminposuw_lanes);
}

/* PALIGNR: destination : source, shifted right by bytes. */
static void align_right(union vec *d, const union vec *s, unsigned bytes, unsigned by)
{
    union vec old;

    memcpy(&old, d, bytes);
    for (unsigned i = 0; i < bytes; i++) {
        unsigned at = i + by;

        d->b[i] = at < bytes ? s->b[at] : at < 2 * bytes ? old.b[at - bytes] : 0;
    }
}

bool exec_palignr(struct cpu *cpu, const struct insn *in)
{
    bool xmm = simd_prefix(in) == SIMD_66;
    union vec d, s;

    if (!simd_enter(cpu, xmm))
        return false;
    if (xmm) {
        if (!simd_xmm_rm(cpu, in, &s))
            return false;
        align_right(&cpu->sse.v[in->reg], &s, 16, (u8)in->imm);
        return true;
    }
    if (!simd_mmx_rm(cpu, in, &s.q[0]))
        return false;
    d.q[0] = mmx_get(cpu, in->reg);
    align_right(&d, &s, 8, (u8)in->imm);
    mmx_set(cpu, in->reg, d.q[0]);
    mmx_touch(cpu);
    return true;
}
