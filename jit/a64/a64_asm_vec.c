/* SPDX-License-Identifier: MIT */
/*
 * A64 encodings: vectors and floating point.
 *
 * References: [ARM C4.1] Data Processing -- Scalar Floating-Point and Advanced SIMD; Loads and
 * Stores.
 */
#include "jit/a64/a64_enc.h"
#include "jit/a64/a64_vec.h"

/* Instructions with zeros where operands go, and bits of them. [ARM C4.1] */
#define OP_MOVI_ZERO   0x6f00e400u
#define OP_DUP         0x4e000400u
#define OP_INS         0x6e000400u
#define OP_INS_R       0x4e001c00u
#define OP_UMOV        0x0e003c00u
#define OP_EXT         0x6e000000u
#define OP_SSHLL       0x0f00a400u
#define OP_FCMP        0x1e202000u
#define OP_FCMP_SIGNAL BIT(4)
#define OP_Q           BIT(30)
#define OP_LDR         0x3d000000u
#define OP_LDR_RR      0x3c204800u
#define OP_LOAD        BIT(22)
#define OP_16          BIT(23)
#define OP_STP         0xad000000u

void a64_vec3(struct codebuf *c, u32 op, u8 d, u8 n, u8 m)
{
    put32(c, op | a64_dnm(d, n, m));
}

void a64_vec2(struct codebuf *c, u32 op, u8 d, u8 n)
{
    put32(c, op | a64_rd(d) | a64_rn(n));
}

void a64_vzero(struct codebuf *c, u8 d)
{
    put32(c, OP_MOVI_ZERO | a64_rd(d));
}

/* --- elements --- */

/* imm5: the lowest bit that is set says the width, those above it which element. */
static u32 element(enum width w, u8 i)
{
    assert(i < 16u >> w);
    return a64_field((u32)i << (w + 1) | BIT(w), 5, 16);
}

void a64_vdup(struct codebuf *c, enum width w, u8 d, u8 n, u8 i)
{
    a64_vec2(c, OP_DUP | element(w, i), d, n);
}

void a64_vins(struct codebuf *c, enum width w, u8 d, u8 to, u8 n, u8 from)
{
    assert(from < 16u >> w);
    a64_vec2(c, OP_INS | element(w, to) | a64_field((u32)from << w, 4, 11), d, n);
}

void a64_vins_r(struct codebuf *c, enum width w, u8 d, u8 to, u8 n)
{
    a64_vec2(c, OP_INS_R | element(w, to), d, n);
}

void a64_vumov(struct codebuf *c, enum width w, u8 d, u8 n, u8 i)
{
    a64_vec2(c, OP_UMOV | (w == W64 ? OP_Q : 0) | element(w, i), d, n);
}

void a64_vext(struct codebuf *c, u8 d, u8 n, u8 m, u8 i)
{
    a64_vec3(c, OP_EXT | a64_field(i, 4, 11), d, n, m);
}

/* --- shifts --- */

void a64_vshift(struct codebuf *c, enum a64_vshift op, enum width w, u8 d, u8 n, u8 amount)
{
    static const u32 words[] = {
        [A64_VSHL] = 0x4f005400,
        [A64_VUSHR] = 0x6f000400,
        [A64_VSSHR] = 0x4f000400,
        [A64_VUSRA] = 0x6f001400,
    };
    u8 bits = (u8)a64_bits(w);

    assert(op == A64_VSHL ? amount < bits : amount > 0 && amount <= bits);
    u32 field = op == A64_VSHL ? (u32)bits + amount : 2u * bits - amount;
    a64_vec2(c, words[op] | a64_field(field, 7, 16), d, n);
}

void a64_vsxtl(struct codebuf *c, enum width w, u8 d, u8 n)
{
    assert(w < W64);
    a64_vec2(c, OP_SSHLL | a64_field(a64_bits(w), 7, 16), d, n);
}

void a64_fcmp(struct codebuf *c, enum width w, u8 n, u8 m, bool signal)
{
    put32(c, OP_FCMP | (w == W64 ? BIT(22) : 0) | (signal ? OP_FCMP_SIGNAL : 0) | a64_rn(n) |
                 a64_rm(m));
}

/* --- memory --- */

static u32 vector_size(unsigned size)
{
    assert(size <= A64_Q);
    return size == A64_Q ? OP_16 : (u32)size << 30;
}

static u32 offset(unsigned size, u32 off)
{
    assert((off & (BIT(size) - 1)) == 0);
    return a64_field(off >> size, 12, 10);
}

void a64_vldr(struct codebuf *c, unsigned size, u8 t, u8 n, u32 off)
{
    a64_vec2(c, OP_LDR | OP_LOAD | vector_size(size) | offset(size, off), t, n);
}

void a64_vstr(struct codebuf *c, unsigned size, u8 t, u8 n, u32 off)
{
    a64_vec2(c, OP_LDR | vector_size(size) | offset(size, off), t, n);
}

void a64_vldr_rr(struct codebuf *c, unsigned size, u8 t, u8 n, u8 m)
{
    a64_vec3(c, OP_LDR_RR | OP_LOAD | vector_size(size), t, n, m);
}

void a64_vstr_rr(struct codebuf *c, unsigned size, u8 t, u8 n, u8 m)
{
    a64_vec3(c, OP_LDR_RR | vector_size(size), t, n, m);
}

static u32 pair(u8 t2, i32 off)
{
    assert((off & 15) == 0);
    return a64_signed(off / 16, 7, 15) | a64_field(t2, 5, 10);
}

void a64_vldp(struct codebuf *c, u8 t, u8 t2, u8 n, i32 off)
{
    a64_vec2(c, OP_STP | OP_LOAD | pair(t2, off), t, n);
}

void a64_vstp(struct codebuf *c, u8 t, u8 t2, u8 n, i32 off)
{
    a64_vec2(c, OP_STP | pair(t2, off), t, n);
}
