/* SPDX-License-Identifier: MIT */
/*
 * A64 encodings: branches and their patching, addresses near the code, flags as a register,
 * barriers and caches.
 *
 * References: [ARM C4.1] Branches, Exception Generating and System instructions;
 * [ARM C6.2] ADR, ADRP.
 */
#include "jit/a64/a64_enc.h"

/* Instructions with zeros where operands go, and bits of them. [ARM C4.1] */
#define OP_ADR     0x10000000u
#define OP_ADRP    0x90000000u
#define OP_LDR     0x18000000u
#define OP_B       0x14000000u
#define OP_BL      0x94000000u
#define OP_CBZ     0x34000000u
#define OP_CBNZ    0x35000000u
#define OP_TBZ     0x36000000u
#define OP_TBNZ    0x37000000u
#define OP_B_COND  0x54000000u
#define OP_BR      0xd61f0000u
#define OP_BLR     0xd63f0000u
#define OP_RET     0xd65f0000u
#define OP_MSR     0xd5100000u
#define OP_MRS     0xd5300000u
#define OP_CFINV   0xd500401fu
#define OP_AXFLAG  0xd500405fu
#define OP_RMIF    0xba000400u
#define OP_SETF8   0x3a00080du
#define OP_SETF16  0x3a00480du
#define OP_DSB     0xd503309fu
#define OP_DMB     0xd50330bfu
#define OP_ISB     0xd5033fdfu
#define OP_IC_IVAU 0xd50b7520u
#define OP_DC_CVAU 0xd50b7b20u
#define OP_NOP     0xd503201fu
#define OP_BRK     0xd4200000u

/* Opcode bits that tell what has a displacement. */
#define MASK_B      0x7c000000u /* B, BL */
#define MASK_B_COND 0xff000000u
#define MASK_CBZ    0x7e000000u /* CBZ, CBNZ; TBZ, TBNZ */
#define MASK_ADR    0x9f000000u
#define MASK_LDR    0xbf000000u

enum { ADR_BITS = 21, PAGE_SHIFT = 12 };

static u32 word_get(const u8 *place)
{
    return place[0] | (u32)place[1] << 8 | (u32)place[2] << 16 | (u32)place[3] << 24;
}

static void word_set(u8 *place, u32 word)
{
    for (unsigned i = 0; i < 4; i++)
        place[i] = (u8)(word >> (8 * i));
}

bool a64_reaches(enum a64_reach reach, const u8 *from, const u8 *to)
{
    return a64_fits_signed(to - from, reach + 2u);
}

/* The field of ADR and ADRP: two low bits on top. */
static u32 adr_field(i64 v)
{
    return a64_field((u32)v & 3, 2, 29) | a64_signed(v >> 2, ADR_BITS - 2, 5);
}

static bool adr_patch(u8 *place, u32 word, i64 off)
{
    if (!a64_fits_signed(off, ADR_BITS))
        return false;
    word_set(place, (word & (MASK_ADR | a64_rd(31))) | adr_field(off));
    return true;
}

bool a64_patch(u8 *place, const u8 *target)
{
    if (!place)
        return true;

    u32 word = word_get(place);
    i64 off = target - place;
    enum a64_reach reach = A64_REACH_CC;
    unsigned at = 5;

    if ((word & MASK_ADR) == OP_ADR)
        return adr_patch(place, word, off);
    if ((word & MASK_B) == OP_B) {
        reach = A64_REACH_B;
        at = 0;
    } else if ((word & MASK_CBZ) == OP_TBZ) {
        reach = A64_REACH_TB;
    } else {
        assert((word & MASK_CBZ) == OP_CBZ || (word & MASK_B_COND) == OP_B_COND ||
               (word & MASK_LDR) == OP_LDR);
    }
    assert(off % 4 == 0);
    if (!a64_reaches(reach, place, target))
        return false;
    word &= ~((BIT(reach) - 1) << at);
    word_set(place, word | a64_signed(off / 4, reach, at));
    return true;
}

/* @word, whose displacement is 0, going to @target if there is one. */
static u8 *a64_displaced(struct codebuf *c, u32 word, const u8 *target)
{
    u8 *place = c->at;

    put32(c, word);
    if (c->full)
        return NULL;
    if (target) {
        bool reached = a64_patch(place, target);
        assert(reached);
        (void)reached;
    }
    return place;
}

u8 *a64_b(struct codebuf *c, const u8 *target)
{
    return a64_displaced(c, OP_B, target);
}

u8 *a64_bl(struct codebuf *c, const u8 *target)
{
    return a64_displaced(c, OP_BL, target);
}

u8 *a64_bcond(struct codebuf *c, enum a64_cc cc, const u8 *target)
{
    return a64_displaced(c, OP_B_COND | a64_field(cc, 4, 0), target);
}

u8 *a64_cbz(struct codebuf *c, enum width w, u8 t, const u8 *target)
{
    return a64_displaced(c, OP_CBZ | a64_sf(w) | a64_rd(t), target);
}

u8 *a64_cbnz(struct codebuf *c, enum width w, u8 t, const u8 *target)
{
    return a64_displaced(c, OP_CBNZ | a64_sf(w) | a64_rd(t), target);
}

static u32 a64_bit_of(u8 t, u8 bit)
{
    return a64_field(bit >> 5, 1, 31) | a64_field(bit & 31, 5, 19) | a64_rd(t);
}

u8 *a64_tbz(struct codebuf *c, u8 t, u8 bit, const u8 *target)
{
    return a64_displaced(c, OP_TBZ | a64_bit_of(t, bit), target);
}

u8 *a64_tbnz(struct codebuf *c, u8 t, u8 bit, const u8 *target)
{
    return a64_displaced(c, OP_TBNZ | a64_bit_of(t, bit), target);
}

u8 *a64_adr(struct codebuf *c, u8 d, const u8 *target)
{
    return a64_displaced(c, OP_ADR | a64_rd(d), target);
}

u8 *a64_ldr_near(struct codebuf *c, enum width w, u8 t, const u8 *target)
{
    return a64_displaced(c, OP_LDR | (a64_sf(w) >> 1) | a64_rd(t), target);
}

void a64_here(struct codebuf *c, u8 *place)
{
    bool reached = a64_patch(place, c->at);

    assert(reached);
    (void)reached;
}

/* From the page of the next instruction, where it runs, to that of @target. */
static i64 adrp_pages(const struct codebuf *c, u64 target)
{
    u64 from = (u64)(uintptr_t)c->at + (u64)c->exec_off;

    return (i64)((target >> PAGE_SHIFT) - (from >> PAGE_SHIFT));
}

bool a64_adrp_reaches(const struct codebuf *c, u64 target)
{
    return a64_fits_signed(adrp_pages(c, target), ADR_BITS);
}

void a64_adrp(struct codebuf *c, u8 d, u64 target)
{
    put32(c, OP_ADRP | adr_field(adrp_pages(c, target)) | a64_rd(d));
}

void a64_br(struct codebuf *c, u8 n)
{
    put32(c, OP_BR | a64_rn(n));
}

void a64_blr(struct codebuf *c, u8 n)
{
    put32(c, OP_BLR | a64_rn(n));
}

void a64_ret(struct codebuf *c)
{
    put32(c, OP_RET | a64_rn(X30));
}

void a64_mrs(struct codebuf *c, u8 t, enum a64_sysreg reg)
{
    put32(c, OP_MRS | a64_field(reg, 15, 5) | a64_rd(t));
}

void a64_msr(struct codebuf *c, enum a64_sysreg reg, u8 t)
{
    put32(c, OP_MSR | a64_field(reg, 15, 5) | a64_rd(t));
}

void a64_cfinv(struct codebuf *c)
{
    put32(c, OP_CFINV);
}

void a64_axflag(struct codebuf *c)
{
    put32(c, OP_AXFLAG);
}

void a64_rmif(struct codebuf *c, u8 n, u8 rotation, u8 mask)
{
    put32(c, OP_RMIF | a64_field(rotation, 6, 15) | a64_rn(n) | a64_field(mask, 4, 0));
}

void a64_setf8(struct codebuf *c, u8 n)
{
    put32(c, OP_SETF8 | a64_rn(n));
}

void a64_setf16(struct codebuf *c, u8 n)
{
    put32(c, OP_SETF16 | a64_rn(n));
}

void a64_dmb(struct codebuf *c, enum a64_barrier what)
{
    put32(c, OP_DMB | a64_field(what, 4, 8));
}

void a64_dsb(struct codebuf *c, enum a64_barrier what)
{
    put32(c, OP_DSB | a64_field(what, 4, 8));
}

void a64_isb(struct codebuf *c)
{
    put32(c, OP_ISB);
}

void a64_dc_cvau(struct codebuf *c, u8 t)
{
    put32(c, OP_DC_CVAU | a64_rd(t));
}

void a64_ic_ivau(struct codebuf *c, u8 t)
{
    put32(c, OP_IC_IVAU | a64_rd(t));
}

void a64_nop(struct codebuf *c)
{
    put32(c, OP_NOP);
}

void a64_brk(struct codebuf *c, u16 imm)
{
    put32(c, OP_BRK | a64_field(imm, 16, 5));
}
