/* SPDX-License-Identifier: MIT */
/*
 * States of the x87, MMX and SSE units for the oracle, as FXSAVE images [SDM 1 Table 10-2], and the
 * operands in memory of the instructions that use them.
 */
#include <string.h>

#include "base/bits.h"
#include "cpu/x87.h"
#include "tests/isa/oracle.h"
#include "tests/support/fpgen.h"

/* Offsets in the image. */
enum { FX_SW = 2, FX_TAGS = 4, FX_MXCSR = 24, FX_ST = 32, FX_XMM = 160, FX_END = 288 };
enum { REGISTER = 16, EXTENDED = 10, EXCEPTIONS = 0x3f, PENDING = X87_SW_ES | X87_SW_B };

bool oracle_row_is_fpu(unsigned row)
{
    const struct insn_def *d = &insn_def[row];

    return d->attr & ATTR_Fpu || strcmp(oracle_exec_name(row), "fwait") == 0;
}

static struct fpgen fpgen_of(struct random *r)
{
    u64 high = random_u32(r);

    return (struct fpgen){high << 32 | random_u32(r)};
}

/** 16 bytes: bits, words that are close to each other, doubles, singles, a shift count. */
static void random_vector(struct fpgen *g, u8 *to)
{
    u64 last64 = fpgen_f64(g);
    u32 last32 = fpgen_f32(g), kind = fpgen_below(g, 4);

    for (unsigned i = 0; i < REGISTER; i += 8) {
        u64 v = kind & 1 ? fpgen_bits(g) : fpgen_next(g);

        if (kind == 2)
            v = last64 = fpgen_f64_near(g, last64);
        if (kind == 3)
            v = fpgen_f32_near(g, last32) | (u64)fpgen_f32_near(g, last32) << 32;
        if (fpgen_below(g, 8) == 0)
            v = (u64)fpgen_below(g, 80);
        store64(to + i, v);
    }
}

static void store_f80(u8 *to, struct f80 v)
{
    store64(to, v.mant);
    store16(to + 8, v.sign_exp);
}

/** Related numbers, a third of them moderate, all classes. */
static void random_stack(struct fpgen *g, u8 *to, unsigned stride)
{
    struct f80 last = fpgen_f80(g);

    for (unsigned i = 0; i < 8; i++) {
        struct f80 v = fpgen_f80_near(g, last);

        if (fpgen_below(g, 3) == 0)
            v = (struct f80){v.mant | BIT64(63),
                             (u16)((v.sign_exp & 0x8000) | (0x3fff - 8 + fpgen_below(g, 70)))};
        if (fpgen_below(g, 64) == 0) /* unnormal or pseudo-something */
            v.mant &= ~BIT64(63);
        store_f80(to + stride * i, v);
        last = v;
    }
}

static u16 random_control(struct fpgen *g)
{
    static const u16 precision[3] = {0, 0x200, 0x300};
    u32 masks = fpgen_below(g, 3) ? EXCEPTIONS : fpgen_next(g) & EXCEPTIONS;

    return (u16)(0x40 | masks | precision[fpgen_below(g, 3)] | fpgen_below(g, 4) << 10);
}

/** Consistent with the masks; now and then an exception is pending. */
static u16 random_status(struct fpgen *g, u16 control)
{
    u32 sw = (u32)fpgen_next(g) & 0x7f7f;

    if (fpgen_below(g, 24))
        sw &= ~(u32)(~control & EXCEPTIONS);
    if (sw & ~control & EXCEPTIONS)
        sw |= PENDING;
    return (u16)sw;
}

static u32 random_mxcsr(struct fpgen *g)
{
    u32 v = (u32)fpgen_next(g) & (MXCSR_RC | EXCEPTIONS);

    v |= fpgen_below(g, 4) ? 0u : MXCSR_FTZ;
    v |= fpgen_below(g, 4) ? 0u : MXCSR_DAZ;
    return v | (fpgen_below(g, 4) ? MXCSR_MASKS : fpgen_next(g) & MXCSR_MASKS);
}

static void random_image(struct fpgen *g, bool x87, u8 *fx)
{
    u16 control = random_control(g);
    u8 tags = fpgen_below(g, 2) ? (u8)fpgen_next(g) : fpgen_below(g, 3) ? 0x7f : 0xff;

    store16(fx, control);
    store16(fx + FX_SW, random_status(g, control));
    fx[FX_TAGS] = tags;
    store32(fx + FX_MXCSR, random_mxcsr(g));
    if (x87)
        random_stack(g, fx + FX_ST, REGISTER);
    for (unsigned i = 0; i < 8; i++) {
        if (!x87) {
            random_vector(g, fx + FX_ST + REGISTER * i);
            memset(fx + FX_ST + REGISTER * i + EXTENDED, 0, REGISTER - EXTENDED);
            random_vector(g, fx + FX_XMM + REGISTER * i);
        } else { /* not what is looked at */
            store64(fx + FX_XMM + REGISTER * i, fpgen_next(g));
        }
    }
}

void oracle_fpu_state(struct random *r, unsigned row, bool calm, u8 *fx)
{
    struct fpgen g = fpgen_of(r);

    random_image(&g, strncmp(oracle_exec_name(row), "x87", 3) == 0, fx);
    if (!calm)
        return;
    if (load16(fx + FX_SW) & X87_SW_ES)
        store16(fx + FX_SW, load16(fx + FX_SW) & ~(PENDING | EXCEPTIONS));
    if (fpgen_below(&g, 4)) /* else some results may be #XM */
        store32(fx + FX_MXCSR, load32(fx + FX_MXCSR) | MXCSR_MASKS);
}

/** What FLDENV and FRSTOR read. */
static void store_environment(struct fpgen *g, u8 *to, bool opsize16, bool registers)
{
    u16 control = random_control(g), status = random_status(g, control);
    unsigned word = opsize16 ? 2 : 4;

    store16(to, control);
    store16(to + word, status);
    store16(to + 2 * word, (u16)fpgen_next(g));
    if (registers)
        random_stack(g, to + 7 * word, EXTENDED);
}

u32 oracle_fpu_operand_size(unsigned row)
{
    switch (insn_def[row].op[0]) {
    case OPND_Mfx:
        return 512;
    case OPND_Mfsave:
        return 108;
    case OPND_Menv:
        return 28;
    default:
        return REGISTER;
    }
}

void oracle_fpu_operand(struct random *r, unsigned row, bool opsize16, u8 *to)
{
    struct fpgen g = fpgen_of(r);
    u8 op[2] = {insn_def[row].op[0], insn_def[row].op[1]};

    if (op[0] == OPND_Menv || op[0] == OPND_Mfsave) {
        store_environment(&g, to, opsize16, op[0] == OPND_Mfsave);
    } else if (op[0] == OPND_Mfx) {
        random_image(&g, true, to);
        if (fpgen_below(&g, 16) == 0)
            to[FX_MXCSR + 3] = 1; /* reserved: #GP */
    } else if (row == INSN_LDMXCSR) {
        store32(to, random_mxcsr(&g) | (fpgen_below(&g, 16) ? 0 : 0x80000000));
    } else if (op[0] == OPND_Mf32) {
        store32(to, fpgen_f32(&g));
    } else if (op[0] == OPND_Mf64) {
        store64(to, fpgen_f64(&g));
    } else if (op[0] == OPND_Mf80) {
        store_f80(to, fpgen_f80(&g));
    } else if (op[0] == OPND_Mt) {
        for (unsigned i = 0; i < EXTENDED; i++)
            to[i] = (u8)(fpgen_below(&g, 10) << 4 | fpgen_below(&g, 10));
        if (fpgen_below(&g, 2))
            to[9] &= 0x80;
    } else if (fpgen_below(&g, 4)) {
        random_vector(&g, to);
    }
}

/* Comparison. */

u32 oracle_operand(const struct oracle_case *c, const struct insn *in)
{
    u32 off = (u32)in->disp;

    if (in->base != NO_REG)
        off += c->in.gpr[in->base];
    if (in->index != NO_REG)
        off += c->in.gpr[in->index] << in->scale;
    return oracle_segments[c->mode][in->seg].base + (in->adsize == W16 ? (u16)off : off);
}

/** Within @ulp of each other, as numbers of the same sign. */
static bool near80(const u8 *a, const u8 *b, int ulp)
{
    i128 d = ((i128)(load16(a + 8) & 0x7fff) << 63) + (i128)(load64(a) << 1 >> 1) -
             ((i128)(load16(b + 8) & 0x7fff) << 63) - (i128)(load64(b) << 1 >> 1);

    return memcmp(a, b, EXTENDED) == 0 || (d >= -ulp && d <= ulp && !((a[9] ^ b[9]) & 0x80));
}

/** Approximations, each within 1.5 * 2^-12 of the truth: 3 * 2^-12 of each other. */
static bool close32(u32 a, u32 b)
{
    float x, y;
    u32 exp = a >> 23 & 0xff;

    if (a == b)
        return true;
    if ((a ^ b) >> 31 || exp == 0xff || (b >> 23 & 0xff) == 0xff)
        return false;
    if (exp == 0 || (b >> 23 & 0xff) == 0) /* tiny results are zero, or not */
        return (a & 0x7fffffff) <= 0x00800000 && (b & 0x7fffffff) <= 0x00800000;
    memcpy(&x, &a, 4);
    memcpy(&y, &b, 4);
    float d = x > y ? x - y : y - x;
    return d <= (x < 0 ? -x : x) * (3.0f / 4096);
}

static bool same_vectors(const u8 *a, const u8 *b, bool close)
{
    if (!close)
        return memcmp(a, b, FX_END - FX_XMM) == 0;
    for (unsigned i = 0; i < FX_END - FX_XMM; i += 4)
        if (!close32(load32(a + i), load32(b + i)))
            return false;
    return true;
}

const char *oracle_fpu_difference(const u8 *a, const u8 *b, u32 rules)
{
    u32 status = 0xffff & ~(u32)(rules & (RULE_ULP | RULE_COMI) ? X87_SW_C1 : 0);

    if (load16(a) != load16(b))
        return "x87 control";
    if ((load32(a + FX_MXCSR) ^ load32(b + FX_MXCSR)) & MXCSR_MASK_SSE2)
        return "MXCSR";
    if (!same_vectors(a + FX_XMM, b + FX_XMM, rules & RULE_APPROX))
        return "XMM register";
    if (rules & RULE_ENTRY)
        return NULL;
    if ((load16(a + FX_SW) ^ load16(b + FX_SW)) & status)
        return "x87 status";
    if (a[FX_TAGS] != b[FX_TAGS])
        return "x87 tags";
    for (unsigned i = FX_ST; i < FX_XMM; i += REGISTER)
        if (!near80(a + i, b + i, rules & RULE_ULP ? 1 : 0))
            return "x87 register";
    return NULL;
}

/** Take from @from what FNSTENV, FNSAVE and FXSAVE say of the last instruction and its operand. */
void oracle_copy_pointers(const struct oracle_case *c, const struct insn *in, u8 *to,
                          const u8 *from)
{
    bool fx = insn_def[c->row].op[0] == OPND_Mfx;
    u32 first = fx ? 6 : in->opsize == W16 ? 6 : 12, n = fx ? 18 : in->opsize == W16 ? 8 : 16;

    memcpy(to + first, from + first, n);
    if (!fx)
        return;
    memcpy(to + 28, from + 28, 4); /* MXCSR_MASK: a processor of 64 bits has more */
    memcpy(to + FX_END, from + FX_END, 512 - FX_END);
}
