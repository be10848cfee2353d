/* SPDX-License-Identifier: MIT */
/*
 * A64 encodings: loads and stores, pairs, ordered, exclusive and atomic accesses.
 *
 * References: [ARM C4.1] Loads and Stores.
 */
#include "jit/a64/a64_enc.h"

/* Instructions with zeros where operands go, and bits of them. [ARM C4.1] */
#define OP_MEM           0x38000000u
#define OP_MEM_SCALED    0x39000000u
#define OP_MEM_RR        0x38200800u
#define OP_MEM_RR_SCALED BIT(12)
#define OP_PAIR          0x28000000u
#define OP_PAIR_LOAD     BIT(22)
#define OP_STXR          0x08007c00u
#define OP_STLXR         0x0800fc00u
#define OP_LDXR          0x085f7c00u
#define OP_LDAXR         0x085ffc00u
#define OP_CASPAL        0x0860fc00u
#define OP_STLR          0x089ffc00u
#define OP_CAS           0x08a07c00u
#define OP_LDAR          0x08dffc00u
#define OP_CASAL         0x08e0fc00u
#define OP_LDADDAL       0x38e00000u
#define OP_LDAPR         0x38bfc000u

/* When the base changes: bits 11 and 10 of one register's, bits 24 and 23 of a pair's accesses. */
enum index { INDEX_NONE, INDEX_POST, INDEX_PAIR_OFFSET, INDEX_PRE };

static u32 a64_size(enum width w)
{
    return (u32)w << 30;
}

/* Is @off an unsigned number of 12 bits in units of the width? */
static bool mem_scales(enum width w, i64 off)
{
    return off >= 0 && (off & (BIT(w) - 1)) == 0 && off >> w < 1 << 12;
}

static u32 mem_word(u32 base, enum a64_mem op, enum width w, u8 t, u8 n)
{
    assert(op < A64_LDRS_X || w + (op == A64_LDRS_W) < W64);
    return base | a64_size(w) | a64_field(op, 2, 22) | a64_rd(t) | a64_rn(n);
}

bool a64_mem_fits(enum width w, i64 off)
{
    return mem_scales(w, off) || a64_fits_signed(off, 9);
}

void a64_mem_ri(struct codebuf *c, enum a64_mem op, enum width w, u8 t, u8 n, i32 off)
{
    if (mem_scales(w, off))
        put32(c, mem_word(OP_MEM_SCALED, op, w, t, n) | a64_field((u32)off >> w, 12, 10));
    else
        put32(c, mem_word(OP_MEM, op, w, t, n) | a64_signed(off, 9, 12));
}

static void a64_mem_indexed(struct codebuf *c, enum a64_mem op, enum width w, u8 t, u8 n, i32 off,
                            enum index index)
{
    assert(t != n || n == XSP); /* else the result is unpredictable */
    put32(c, mem_word(OP_MEM, op, w, t, n) | a64_signed(off, 9, 12) | a64_field(index, 2, 10));
}

void a64_mem_pre(struct codebuf *c, enum a64_mem op, enum width w, u8 t, u8 n, i32 off)
{
    a64_mem_indexed(c, op, w, t, n, off, INDEX_PRE);
}

void a64_mem_post(struct codebuf *c, enum a64_mem op, enum width w, u8 t, u8 n, i32 off)
{
    a64_mem_indexed(c, op, w, t, n, off, INDEX_POST);
}

void a64_mem_rr(struct codebuf *c, enum a64_mem op, enum width w, u8 t, u8 n, u8 m,
                enum a64_extend extend, bool scaled)
{
    assert(extend & 2); /* not from bytes and half-words */
    put32(c, mem_word(OP_MEM_RR, op, w, t, n) | a64_rm(m) | a64_field(extend, 3, 13) |
                 (scaled ? OP_MEM_RR_SCALED : 0));
}

bool a64_pair_fits(enum width w, i64 off)
{
    return (off & (BIT(w) - 1)) == 0 && a64_fits_signed(off >> w, 7);
}

static void a64_pair(struct codebuf *c, u32 load, enum width w, u8 t, u8 t2, u8 n, i32 off,
                     enum index index)
{
    assert(a64_pair_fits(w, off));
    assert(!load || t != t2);
    assert(index == INDEX_PAIR_OFFSET || n == XSP || (t != n && t2 != n));
    put32(c, OP_PAIR | a64_sf(w) | load | a64_field(index, 2, 23) | a64_signed(off >> w, 7, 15) |
                 a64_field(t2, 5, 10) | a64_rd(t) | a64_rn(n));
}

void a64_ldp(struct codebuf *c, enum width w, u8 t, u8 t2, u8 n, i32 off)
{
    a64_pair(c, OP_PAIR_LOAD, w, t, t2, n, off, INDEX_PAIR_OFFSET);
}

void a64_stp(struct codebuf *c, enum width w, u8 t, u8 t2, u8 n, i32 off)
{
    a64_pair(c, 0, w, t, t2, n, off, INDEX_PAIR_OFFSET);
}

void a64_ldp_pre(struct codebuf *c, enum width w, u8 t, u8 t2, u8 n, i32 off)
{
    a64_pair(c, OP_PAIR_LOAD, w, t, t2, n, off, INDEX_PRE);
}

void a64_stp_pre(struct codebuf *c, enum width w, u8 t, u8 t2, u8 n, i32 off)
{
    a64_pair(c, 0, w, t, t2, n, off, INDEX_PRE);
}

void a64_ldp_post(struct codebuf *c, enum width w, u8 t, u8 t2, u8 n, i32 off)
{
    a64_pair(c, OP_PAIR_LOAD, w, t, t2, n, off, INDEX_POST);
}

void a64_stp_post(struct codebuf *c, enum width w, u8 t, u8 t2, u8 n, i32 off)
{
    a64_pair(c, 0, w, t, t2, n, off, INDEX_POST);
}

/* An access at [n], with @s where stores and exchanges have another register. */
static void a64_at_base(struct codebuf *c, u32 op, enum width w, u8 s, u8 t, u8 n)
{
    put32(c, op | a64_size(w) | a64_rm(s) | a64_rd(t) | a64_rn(n));
}

void a64_ldar(struct codebuf *c, enum width w, u8 t, u8 n)
{
    a64_at_base(c, OP_LDAR, w, XZR, t, n);
}

void a64_ldapr(struct codebuf *c, enum width w, u8 t, u8 n)
{
    a64_at_base(c, OP_LDAPR, w, XZR, t, n);
}

void a64_stlr(struct codebuf *c, enum width w, u8 t, u8 n)
{
    a64_at_base(c, OP_STLR, w, XZR, t, n);
}

void a64_ldxr(struct codebuf *c, enum width w, u8 t, u8 n)
{
    a64_at_base(c, OP_LDXR, w, XZR, t, n);
}

void a64_ldaxr(struct codebuf *c, enum width w, u8 t, u8 n)
{
    a64_at_base(c, OP_LDAXR, w, XZR, t, n);
}

void a64_stxr(struct codebuf *c, enum width w, u8 s, u8 t, u8 n)
{
    assert(s != t && (s != n || n == XSP));
    a64_at_base(c, OP_STXR, w, s, t, n);
}

void a64_stlxr(struct codebuf *c, enum width w, u8 s, u8 t, u8 n)
{
    assert(s != t && (s != n || n == XSP));
    a64_at_base(c, OP_STLXR, w, s, t, n);
}

void a64_cas(struct codebuf *c, enum width w, u8 s, u8 t, u8 n)
{
    a64_at_base(c, OP_CAS, w, s, t, n);
}

void a64_casal(struct codebuf *c, enum width w, u8 s, u8 t, u8 n)
{
    a64_at_base(c, OP_CASAL, w, s, t, n);
}

void a64_caspal(struct codebuf *c, enum width w, u8 s, u8 t, u8 n)
{
    assert(s % 2 == 0 && t % 2 == 0);
    put32(c, OP_CASPAL | a64_sf(w) >> 1 | a64_rm(s) | a64_rd(t) | a64_rn(n));
}

void a64_atomic_al(struct codebuf *c, enum a64_atomic op, enum width w, u8 s, u8 t, u8 n)
{
    a64_at_base(c, OP_LDADDAL | a64_field(op, 4, 12), w, s, t, n);
}
