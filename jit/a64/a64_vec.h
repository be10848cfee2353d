/* SPDX-License-Identifier: MIT */
/*
 * A64 encoder, vector and floating-point instructions. Knows words, not IR. [ARM C4.1.96, C7.2]
 *
 * Registers are V0 to V31 by number, destination first. The operations are words with zeros where
 * registers go; those that have the comment "sized" take the size of their elements from
 * a64_vsize().
 */
#pragma once

#include "jit/codebuf.h"

enum { A64_VSIZE_SHIFT = 22 };

/** Three registers, or two where there is no M. */
enum a64_vop {
    /* all 16 bytes, whatever they are */
    A64_VAND = 0x4e201c00,
    A64_VBIC = 0x4e601c00, /* n & ~m */
    A64_VORR = 0x4ea01c00,
    A64_VEOR = 0x6e201c00,
    A64_VBSL = 0x6e601c00,     /* d's ones become n's bits, its zeros m's */
    A64_VMVN = 0x6e205800,     /* (two registers) */
    A64_VORR_LOW = 0x0ea01c00, /* 8 bytes; the upper 8 become 0 */

    /* integers, sized */
    A64_VADD = 0x4e208400,
    A64_VSUB = 0x6e208400,
    A64_VSQADD = 0x4e200c00,
    A64_VUQADD = 0x6e200c00,
    A64_VSQSUB = 0x4e202c00,
    A64_VUQSUB = 0x6e202c00,
    A64_VCMGT = 0x4e203400,
    A64_VCMEQ = 0x6e208c00,
    A64_VSMAX = 0x4e206400,
    A64_VUMAX = 0x6e206400,
    A64_VSMIN = 0x4e206c00,
    A64_VUMIN = 0x6e206c00,
    A64_VURHADD = 0x6e201400,
    A64_VUABD = 0x6e207400,
    A64_VMUL = 0x4e209c00,
    A64_VADDP = 0x4e20bc00,
    A64_VZIP1 = 0x4e003800,
    A64_VZIP2 = 0x4e007800,
    A64_VUZP2 = 0x4e005800,
    /* two to one of double size, of the lower and of the upper halves */
    A64_VSMULL = 0x0e20c000,
    A64_VSMULL2 = 0x4e20c000,
    A64_VUMULL = 0x2e20c000,
    A64_VUMULL2 = 0x6e20c000,
    /* (two registers) sums of pairs, of double size; from double size, 8 bytes, to the lower and
     * (2) the upper half */
    A64_VUADDLP = 0x6e202800,
    A64_VXTN = 0x0e212800,
    A64_VSQXTN = 0x0e214800,
    A64_VSQXTN2 = 0x4e214800,
    A64_VSQXTUN = 0x2e212800,
    A64_VSQXTUN2 = 0x6e212800,

    /* floating point: four singles; A64_VF64 makes two doubles of it */
    A64_VFADD = 0x4e20d400,
    A64_VFSUB = 0x4ea0d400,
    A64_VFMUL = 0x6e20dc00,
    A64_VFDIV = 0x6e20fc00,
    A64_VFCMEQ = 0x4e20e400,
    A64_VFCMGE = 0x6e20e400,
    A64_VFCMGT = 0x6ea0e400,
    A64_VFSQRT = 0x6ea1f800, /* (two registers, and what follows) */
    A64_VFRINTX = 0x6e219800,
    A64_VFCVTZS = 0x4ea1b800,
    A64_VSCVTF = 0x4e21d800,
    A64_VFCVTL = 0x0e617800, /* two doubles from singles */
    A64_VFCVTN = 0x0e616800, /* two singles from doubles */
    A64_VF64 = 0x00400000,

    /* one single; A64_SF64 makes a double of it. The rest of the register becomes 0. */
    A64_SFADD = 0x1e202800,
    A64_SFSUB = 0x1e203800,
    A64_SFMUL = 0x1e200800,
    A64_SFDIV = 0x1e201800,
    A64_SFCMEQ = 0x5e20e400,
    A64_SFCMGE = 0x7e20e400,
    A64_SFCMGT = 0x7ea0e400,
    A64_SFSQRT = 0x1e21c000, /* (two registers, and what follows) */
    A64_SFRINTX = 0x1e274000,
    A64_SFCVT_D = 0x1e22c000, /* double from single, and the other way */
    A64_SFCVT_S = 0x1e624000,
    A64_SFCVTZS = 0x1e380000, /* W register from it */
    A64_SSCVTF = 0x1e220000,  /* from W register    */
    A64_SF64 = 0x00400000,

    /* between the low bits and a general register (two registers); the rest becomes 0 */
    A64_FMOV_W_S = 0x1e260000,
    A64_FMOV_S_W = 0x1e270000,
};

/** @op for elements of @w. */
static inline u32 a64_vsize(u32 op, enum width w)
{
    return op | (u32)w << A64_VSIZE_SHIFT;
}

void a64_vec3(struct codebuf *c, u32 op, u8 d, u8 n, u8 m);
void a64_vec2(struct codebuf *c, u32 op, u8 d, u8 n);

static inline void a64_vmov(struct codebuf *c, u8 d, u8 n)
{
    a64_vec3(c, A64_VORR, d, n, n);
}

/** All bits 0. */
void a64_vzero(struct codebuf *c, u8 d);

/* Elements of @w, which is not wider than W64. */

/** All elements of @d = element @i of @n. */
void a64_vdup(struct codebuf *c, enum width w, u8 d, u8 n, u8 i);
/** Element @to of @d = element @from of @n; the others stay. */
void a64_vins(struct codebuf *c, enum width w, u8 d, u8 to, u8 n, u8 from);
/** Element @to of @d = general register @n. */
void a64_vins_r(struct codebuf *c, enum width w, u8 d, u8 to, u8 n);
/** General register @d = element @i of @n, zero-extended. */
void a64_vumov(struct codebuf *c, enum width w, u8 d, u8 n, u8 i);
/** 16 bytes of @m:@n from byte @i of @n on. */
void a64_vext(struct codebuf *c, u8 d, u8 n, u8 m, u8 i);

/** Shifts by an immediate: left 0 to bits - 1, right 1 to bits; right and added to @d. */
enum a64_vshift { A64_VSHL, A64_VUSHR, A64_VSSHR, A64_VUSRA };
void a64_vshift(struct codebuf *c, enum a64_vshift op, enum width w, u8 d, u8 n, u8 amount);
/** Elements of double size from the lower elements of W8 to W32, with their sign. */
void a64_vsxtl(struct codebuf *c, enum width w, u8 d, u8 n);

/** Compare, setting NZCV; @signal: any NaN is an invalid operation. @w is W32 or W64. */
void a64_fcmp(struct codebuf *c, enum width w, u8 n, u8 m, bool signal);

/* Memory: 1 << @size bytes, 0 to 4; what a load does not fill becomes 0. The offset is a multiple
 * of the size, 12 bits. */
enum { A64_Q = 4 };
void a64_vldr(struct codebuf *c, unsigned size, u8 t, u8 n, u32 off);
void a64_vstr(struct codebuf *c, unsigned size, u8 t, u8 n, u32 off);
/** [n + zero-extended W register m]. */
void a64_vldr_rr(struct codebuf *c, unsigned size, u8 t, u8 n, u8 m);
void a64_vstr_rr(struct codebuf *c, unsigned size, u8 t, u8 n, u8 m);
/** Two of 16 bytes at [n + off], off a multiple of 16 in -1024 to 1008; @n may be the stack's. */
void a64_vldp(struct codebuf *c, u8 t, u8 t2, u8 n, i32 off);
void a64_vstp(struct codebuf *c, u8 t, u8 t2, u8 n, i32 off);
