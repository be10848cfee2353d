/* SPDX-License-Identifier: MIT */
/*
 * SSE and SSE2 arithmetic, comparisons and conversions.
 *
 * References: [SDM 1 §10.4, §11.4]; [ARM C7.2].
 */
#include "jit/a64/a64_sse.h"

/* --- arithmetic --- */

/* Operations for four singles; what makes scalars and doubles of them. */
struct forms {
    u32 vector, scalar;
};

static u32 form(const struct sse_op *o, u32 vector, u32 scalar)
{
    return is_scalar(o) ? scalar | (is_double(o) ? A64_SF64 : 0)
                        : vector | (is_double(o) ? A64_VF64 : 0);
}

void a64_sse_arith(struct a64_emit *e, const struct sse_op *o)
{
    static const struct forms forms[] = {
        [SSE_ADD] = {A64_VFADD, A64_SFADD},
        [SSE_MUL] = {A64_VFMUL, A64_SFMUL},
        [SSE_SUB] = {A64_VFSUB, A64_SFSUB},
        [SSE_DIV] = {A64_VFDIV, A64_SFDIV},
    };
    u32 op = form(o, forms[o->op].vector, forms[o->op].scalar);
    unsigned size = a64_sse_source_size(o);
    u8 s = a64_sse_source(e, o, size), d = xmm(o->guest->reg), low = e->low[o->guest->reg];

    a64_fp_open(e);
    if (a64_fp_goes_on(e) && low <= BIT(size)) { /* nothing above has to stay */
        a64_fp_write(e, o->guest->reg, (u8)BIT(size));
        a64_vec3(e->c, op, d, d, s);
        return;
    }
    a64_vec3(e->c, op, V0, d, s);
    a64_sse_finish(e, o, size, V0);
}

void a64_sse_root(struct a64_emit *e, const struct sse_op *o)
{
    u8 s = a64_sse_source(e, o, a64_sse_source_size(o));

    a64_fp_open(e);
    a64_vec2(e->c, form(o, A64_VFSQRT, A64_SFSQRT), V0, s);
    a64_sse_finish(e, o, a64_sse_source_size(o), V0);
}

/* MIN: less ? destination : source; so a NaN or two zeros give the source. MAX: greater. */
void a64_sse_choose_one(struct a64_emit *e, const struct sse_op *o)
{
    u32 greater = form(o, A64_VFCMGT, A64_SFCMGT);
    u8 s = a64_sse_source(e, o, a64_sse_source_size(o)), d = xmm(o->guest->reg);

    a64_fp_open(e);
    e->group.picks = true;
    a64_vec3(e->c, greater, V0, o->op ? d : s, o->op ? s : d);
    a64_vec3(e->c, A64_VBSL, V0, d, s);
    a64_sse_finish(e, o, a64_sse_source_size(o), V0);
}

/* CMPPS: EQ LT LE UNORD, then their opposites. Only LT and LE signal a quiet NaN, like FCMGT and
 * FCMGE. */
void a64_sse_compare(struct a64_emit *e, const struct sse_op *o)
{
    struct codebuf *c = e->c;
    u32 equal = form(o, A64_VFCMEQ, A64_SFCMEQ);
    u8 s = a64_sse_source(e, o, a64_sse_source_size(o)), d = xmm(o->guest->reg);
    bool invert = o->guest->imm & 4;

    a64_fp_open(e);
    switch (o->guest->imm & 3) {
    case 0:
        a64_vec3(c, equal, V0, d, s);
        break;
    case 1:
        a64_vec3(c, form(o, A64_VFCMGT, A64_SFCMGT), V0, s, d);
        break;
    case 2:
        a64_vec3(c, form(o, A64_VFCMGE, A64_SFCMGE), V0, s, d);
        break;
    default:
        a64_vec3(c, equal, V0, d, d);
        a64_vec3(c, equal, V2, s, s);
        a64_vec3(c, A64_VAND, V0, V0, V2);
        invert = !invert;
        break;
    }
    if (invert)
        a64_vec2(c, A64_VMVN, V0, V0);
    a64_sse_finish(e, o, a64_sse_source_size(o), V0);
}

/*
 * UCOMISS and its like: ZPC unordered, C less, Z equal. NZCV get the last three as CMP gives them
 * with an inverted C; W6 is PF's opposite. If the group is this instruction, what it gives up with
 * may have any flags, because it is the next to be executed.
 */
void a64_sse_order(struct a64_emit *e, const struct sse_op *o)
{
    struct codebuf *c = e->c;
    u8 s = a64_sse_source(e, o, lane(o));
    bool more = e->group.open;

    a64_fp_open(e);
    if (more)
        a64_mrs(c, X2, A64_NZCV);
    a64_fcmp(c, lane(o), xmm(o->guest->reg), s, o->guest->opcode == 0x2f);
    a64_fp_close(e, more);
    a64_cset(c, W32, REG_PF, A64_VC);
    if (e->u->flagm2) {
        a64_axflag(c);
    } else {
        a64_cset(c, W32, X16, A64_GT);
        a64_csetm(c, W32, X17, A64_MI);
        a64_ccompare_rr(c, A64_CCMP, W32, X16, X17, A64_Z, A64_VC);
    }
    e->fl = (struct flag_state){.carry = CARRY_NOT, .equal = true};
}

/* --- conversions --- */

void a64_sse_single_from_int(struct a64_emit *e, const struct sse_op *o)
{
    u8 s = a64_sse_source_general(e, o);

    a64_fp_open(e);
    a64_vec2(e->c, A64_SSCVTF, V0, s);
    a64_sse_finish(e, o, W32, V0);
}

void a64_sse_double_from_int(struct a64_emit *e, const struct sse_op *o)
{
    a64_vec2(e->c, A64_SSCVTF | A64_SF64, V0, a64_sse_source_general(e, o));
    a64_sse_put(e, o->guest->reg, W64, V0);
}

/* CVTTSD2SI chops, CVTSD2SI (2D) rounds before it. */
void a64_sse_int_from_scalar(struct a64_emit *e, const struct sse_op *o)
{
    u32 wide = is_double(o) ? A64_SF64 : 0;
    u8 s = a64_sse_source(e, o, lane(o));

    a64_fp_open(e);
    if (o->guest->opcode == 0x2d) {
        a64_vec2(e->c, A64_SFRINTX | wide, V0, s);
        s = V0;
    }
    a64_vec2(e->c, A64_SFCVTZS | wide, X0, s);
    a64_fp_close(e, false);
    a64_write(e, W32, o->in->d, X0, 0);
}

/* 5A: CVTPS2PD CVTPD2PS CVTSS2SD CVTSD2SS */
void a64_sse_other_precision(struct a64_emit *e, const struct sse_op *o)
{
    static const u32 ops[] = {
        [SIMD_NP] = A64_VFCVTL,
        [SIMD_66] = A64_VFCVTN,
        [SIMD_F3] = A64_SFCVT_D,
        [SIMD_F2] = A64_SFCVT_S,
    };
    static const u8 sizes[][2] = {
        [SIMD_NP] = {W64, A64_Q},
        [SIMD_66] = {A64_Q, A64_Q},
        [SIMD_F3] = {W32, W64},
        [SIMD_F2] = {W64, W32},
    };
    u8 s = a64_sse_source(e, o, sizes[o->prefix][0]);

    a64_fp_open(e);
    a64_vec2(e->c, ops[o->prefix], V0, s);
    a64_sse_finish(e, o, sizes[o->prefix][1], V0);
}

void a64_sse_singles_from_ints(struct a64_emit *e, const struct sse_op *o)
{
    u8 s = a64_sse_source(e, o, A64_Q);

    a64_fp_open(e);
    a64_vec2(e->c, A64_VSCVTF, V0, s);
    a64_sse_finish(e, o, A64_Q, V0);
}

void a64_sse_doubles_from_ints(struct a64_emit *e, const struct sse_op *o)
{
    u8 s = a64_sse_source(e, o, W64), d = a64_fp_write(e, o->guest->reg, 16);

    a64_vsxtl(e->c, W32, d, s);
    a64_vec2(e->c, A64_VSCVTF | A64_VF64, d, d);
}

/* V0 = two doubles as words. Of vectors, FCVTZS makes 64 bits, of which nothing but QC would say
 * that they are too many: one after the other. */
static void words_from_doubles(struct codebuf *c, u8 s)
{
    a64_vdup(c, W64, V2, s, 1);
    a64_vec2(c, A64_SFCVTZS | A64_SF64, X0, s);
    a64_vec2(c, A64_SFCVTZS | A64_SF64, X1, V2);
    a64_vec2(c, A64_FMOV_S_W, V0, X0);
    a64_vins_r(c, W32, V0, 1, X1);
}

/* CVTPS2DQ CVTPD2DQ; with op 1 they chop. */
static void ints(struct a64_emit *e, const struct sse_op *o, u32 wide)
{
    u8 s = a64_sse_source(e, o, A64_Q);

    a64_fp_open(e);
    if (!o->op) {
        a64_vec2(e->c, A64_VFRINTX | wide, V0, s);
        s = V0;
    }
    if (wide)
        words_from_doubles(e->c, s);
    else
        a64_vec2(e->c, A64_VFCVTZS, V0, s);
    a64_sse_finish(e, o, A64_Q, V0);
}

void a64_sse_ints_from_singles(struct a64_emit *e, const struct sse_op *o)
{
    ints(e, o, 0);
}

void a64_sse_ints_from_doubles(struct a64_emit *e, const struct sse_op *o)
{
    ints(e, o, A64_VF64);
}
