/* SPDX-License-Identifier: MIT */
/* Packed integer arithmetic of MMX and SSE2, lane by lane  [SDM 2B, instructions P...]. */
#include "cpu/simd_lanes.h"

bool simd_packed(struct cpu *cpu, const struct insn *in, simd_fn *fn)
{
    bool xmm = simd_prefix(in) == SIMD_66;
    union vec d, s;

    if (!simd_enter(cpu, xmm))
        return false;
    if (xmm) {
        if (!simd_xmm_rm(cpu, in, &s))
            return false;
        fn(&cpu->sse.v[in->reg], &s, 16);
        return true;
    }
    if (!simd_mmx_rm(cpu, in, &s.q[0]))
        return false;
    d.q[0] = mmx_get(cpu, in->reg);
    fn(&d, &s, 8);
    mmx_set(cpu, in->reg, d.q[0]);
    mmx_touch(cpu);
    return true;
}

// clang-format off
PACKED(paddb,   u8,  b, a + b)
PACKED(paddw,   u16, w, a + b)
PACKED(paddd,   u32, d, a + b)
PACKED(paddq,   u64, q, a + b)
PACKED(psubb,   u8,  b, a - b)
PACKED(psubw,   u16, w, a - b)
PACKED(psubd,   u32, d, a - b)
PACKED(psubq,   u64, q, a - b)
PACKED(paddsb,  u8,  b, saturate_i8((i8)a + (i8)b))
PACKED(paddsw,  u16, w, saturate_i16((i16)a + (i16)b))
PACKED(paddusb, u8,  b, saturate_u8(a + b))
PACKED(paddusw, u16, w, saturate_u16(a + b))
PACKED(psubsb,  u8,  b, saturate_i8((i8)a - (i8)b))
PACKED(psubsw,  u16, w, saturate_i16((i16)a - (i16)b))
PACKED(psubusb, u8,  b, saturate_u8(a - b))
PACKED(psubusw, u16, w, saturate_u16(a - b))
PACKED(pmullw,  u16, w, (i16)a * (i16)b)
PACKED(pmulhw,  u16, w, (i16)a * (i16)b >> 16)
PACKED(pmulhuw, u16, w, (u32)a * b >> 16)
PACKED(pmuludq, u64, q, (u64)(u32)a * (u32)b)
PACKED(pmaddwd, u32, d, (u32)((i16)a * (i16)b) + (u32)((i16)(a >> 16) * (i16)(b >> 16)))
PACKED(pand,    u64, q, a & b)
PACKED(pandn,   u64, q, ~a & b)
PACKED(por,     u64, q, a | b)
PACKED(pxor,    u64, q, a ^ b)
PACKED(pcmpeqb, u8,  b, a == b ? ~0 : 0)
PACKED(pcmpeqw, u16, w, a == b ? ~0 : 0)
PACKED(pcmpeqd, u32, d, a == b ? ~0 : 0)
PACKED(pcmpgtb, u8,  b, (i8)a > (i8)b ? ~0 : 0)
PACKED(pcmpgtw, u16, w, (i16)a > (i16)b ? ~0 : 0)
PACKED(pcmpgtd, u32, d, (i32)a > (i32)b ? ~0 : 0)
PACKED(pavgb,   u8,  b, (a + b + 1) >> 1)
PACKED(pavgw,   u16, w, (a + b + 1) >> 1)
PACKED(pminub,  u8,  b, a < b ? a : b)
PACKED(pmaxub,  u8,  b, a > b ? a : b)
PACKED(pminsw,  u16, w, (i16)a < (i16)b ? a : b)
PACKED(pmaxsw,  u16, w, (i16)a > (i16)b ? a : b)
// clang-format on

static void psadbw_lanes(union vec *d, const union vec *s, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i += 8) {
        u64 sum = 0;

        for (unsigned k = i; k < i + 8; k++)
            sum += d->b[k] > s->b[k] ? (u64)(d->b[k] - s->b[k]) : (u64)(s->b[k] - d->b[k]);
        d->q[i / 8] = sum;
    }
}

bool exec_psadbw(struct cpu *cpu, const struct insn *in)
{
    return simd_packed(cpu, in, psadbw_lanes);
}

/* The shifts with an immediate count: MMX or XMM by r/m. */
static bool shift_immediate(struct cpu *cpu, const struct insn *in, simd_fn *fn)
{
    union vec d, s = {.q = {(u8)in->imm}};

    if (simd_prefix(in) == SIMD_66) {
        if (!sse_enter(cpu))
            return false;
        fn(&cpu->sse.v[in->rm], &s, 16);
        return true;
    }
    if (!mmx_enter(cpu))
        return false;
    d.q[0] = mmx_get(cpu, in->rm);
    fn(&d, &s, 8);
    mmx_set(cpu, in->rm, d.q[0]);
    mmx_touch(cpu);
    return true;
}

/*
 * A shift by the count in the source's low quadword: each lane is @expr of its value a and the
 * count n, or @beyond if the count is the width of the lane or more.
 */
#define SHIFT(name, type, lanes, expr, beyond)                                                     \
    static void name##_lanes(union vec *d, const union vec *s, unsigned bytes)                     \
    {                                                                                              \
        u64 n = s->q[0];                                                                           \
                                                                                                   \
        for (unsigned i = 0; i < bytes / sizeof(type); i++) {                                      \
            type a = d->lanes[i];                                                                  \
                                                                                                   \
            d->lanes[i] = (type)(n < 8 * sizeof(type) ? (expr) : (beyond));                        \
        }                                                                                          \
    }                                                                                              \
    bool exec_##name(struct cpu *cpu, const struct insn *in)                                       \
    {                                                                                              \
        return simd_packed(cpu, in, name##_lanes);                                                 \
    }                                                                                              \
    bool exec_##name##_i(struct cpu *cpu, const struct insn *in)                                   \
    {                                                                                              \
        return shift_immediate(cpu, in, name##_lanes);                                             \
    }

// clang-format off
SHIFT(psllw, u16, w, (u32)a << n, 0)
SHIFT(pslld, u32, d, a << n, 0)
SHIFT(psllq, u64, q, a << n, 0)
SHIFT(psrlw, u16, w, a >> n, 0)
SHIFT(psrld, u32, d, a >> n, 0)
SHIFT(psrlq, u64, q, a >> n, 0)
SHIFT(psraw, u16, w, (i16)a >> n, (i16)a >> 15)
SHIFT(psrad, u32, d, (i32)a >> n, (i32)a >> 31)
// clang-format on

/* Shifts of the whole register by bytes. */
static void psrldq_lanes(union vec *d, const union vec *s, unsigned bytes)
{
    u64 n = s->q[0];

    for (unsigned i = 0; i < bytes; i++)
        d->b[i] = i + n < bytes ? d->b[i + n] : 0;
}

static void pslldq_lanes(union vec *d, const union vec *s, unsigned bytes)
{
    u64 n = s->q[0];

    for (unsigned i = bytes; i-- > 0;)
        d->b[i] = i >= n ? d->b[i - n] : 0;
}

bool exec_psrldq(struct cpu *cpu, const struct insn *in)
{
    return shift_immediate(cpu, in, psrldq_lanes);
}

bool exec_pslldq(struct cpu *cpu, const struct insn *in)
{
    return shift_immediate(cpu, in, pslldq_lanes);
}

/* The packs: @type lanes of @d, then of @s, each saturated into half the width. */
#define PACK(name, type, from, to, saturate)                                                       \
    static void name##_lanes(union vec *d, const union vec *s, unsigned bytes)                     \
    {                                                                                              \
        unsigned n = bytes / sizeof(type);                                                         \
        union vec a;                                                                               \
                                                                                                   \
        memcpy(&a, d, bytes);                                                                      \
        for (unsigned i = 0; i < n; i++) {                                                         \
            d->to[i] = saturate((type)a.from[i]);                                                  \
            d->to[i + n] = saturate((type)s->from[i]);                                             \
        }                                                                                          \
    }                                                                                              \
    bool exec_##name(struct cpu *cpu, const struct insn *in)                                       \
    {                                                                                              \
        return simd_packed(cpu, in, name##_lanes);                                                 \
    }

PACK(packsswb, i16, w, b, saturate_i8)
PACK(packuswb, i16, w, b, saturate_u8)
PACK(packssdw, i32, d, w, saturate_i16)

/* The unpacks: lanes of the low or high halves of @d and @s in turn. */
#define UNPACK(name, type, lanes, high)                                                            \
    static void name##_lanes(union vec *d, const union vec *s, unsigned bytes)                     \
    {                                                                                              \
        unsigned n = bytes / sizeof(type), from = (high) ? n / 2 : 0;                              \
        union vec a;                                                                               \
                                                                                                   \
        memcpy(&a, d, bytes);                                                                      \
        for (unsigned i = 0; i < n / 2; i++) {                                                     \
            d->lanes[2 * i] = a.lanes[from + i];                                                   \
            d->lanes[2 * i + 1] = s->lanes[from + i];                                              \
        }                                                                                          \
    }                                                                                              \
    bool exec_##name(struct cpu *cpu, const struct insn *in)                                       \
    {                                                                                              \
        return UNPACK_##high(cpu, in, name##_lanes);                                               \
    }

/* PUNPCKL of MMX reads 32 bits of memory only. */
static bool unpack_low(struct cpu *cpu, const struct insn *in, simd_fn *fn)
{
    union vec d, s;

    if (!in->mem || simd_prefix(in) == SIMD_66)
        return simd_packed(cpu, in, fn);
    if (!mmx_enter(cpu) || !mem_read(cpu, in->seg, insn_ea(cpu, in), W32, &s.q[0]))
        return false;
    d.q[0] = mmx_get(cpu, in->reg);
    fn(&d, &s, 8);
    mmx_set(cpu, in->reg, d.q[0]);
    mmx_touch(cpu);
    return true;
}

#define UNPACK_0 unpack_low
#define UNPACK_1 simd_packed

UNPACK(punpcklbw, u8, b, 0)
UNPACK(punpcklwd, u16, w, 0)
UNPACK(punpckldq, u32, d, 0)
UNPACK(punpcklqdq, u64, q, 0)
UNPACK(punpckhbw, u8, b, 1)
UNPACK(punpckhwd, u16, w, 1)
UNPACK(punpckhdq, u32, d, 1)
UNPACK(punpckhqdq, u64, q, 1)
