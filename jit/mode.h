/* SPDX-License-Identifier: MIT */
/*
 * What a translation takes for granted of the CPU's state, besides the bytes it was made from: the
 * block's mode. Code made under one mode never runs under another.
 *
 *   bit 0       CS.D: operands and addresses are 32 bits wide by default
 *   bit 1       SS.B: the stack pointer is ESP
 *   bits 2-13   two bits a segment register (enum seg_class), in the order of enum SEG_xx
 *   bits 14-21  number of the code segment's (base, limit) pair, given by the block cache
 *   bit 30      always set: no mode is 0
 *
 * Not in it, because translations do not depend on it: CPL and paging (the MMU's tables follow
 * them; code is keyed by physical address), EFLAGS (single steps and the like are interpreted).
 * A 64-bit guest adds CS.L and the registers that are not pinned.
 */
#pragma once

#include "cpu/state.h"

enum {
    JIT_MODE_CS32 = BIT(0),
    JIT_MODE_SS32 = BIT(1),
    JIT_MODE_SEG_SHIFT = 2,
    JIT_MODE_CODE_SHIFT = 14,
    JIT_MODE_CODES = 256,
    JIT_MODE_VALID = BIT(30),
};

/** What is known of a segment; each promises what the one before it does, and more. */
enum seg_class {
    SEGC_CHECK, /* nothing                                           */
    SEGC_UP,    /* offsets 0 to some limit, readable and writable    */
    SEGC_BASE,  /* offsets 0 to 4 GiB - 1, readable and writable     */
    SEGC_FLAT,  /* and the base is 0                                 */
};

static inline enum seg_class jit_mode_seg(u32 mode, unsigned seg)
{
    return (enum seg_class)(mode >> (JIT_MODE_SEG_SHIFT + 2 * seg) & 3);
}

/** The class of one segment register. CS is never writable: its class tells of reads. */
static inline enum seg_class seg_classify(const struct segment *s, bool code)
{
    u8 need = code ? SEG_PERM_R : SEG_PERM_R | SEG_PERM_W;

    if ((s->perm & need) != need || s->lo != 0)
        return SEGC_CHECK;
    return s->hi != UINT32_MAX ? SEGC_UP : s->base != 0 ? SEGC_BASE : SEGC_FLAT;
}

/** The mode of the CPU now, with code pair 0. */
static inline u32 jit_mode_of(const struct cpu *cpu)
{
    u32 mode = JIT_MODE_VALID | (cpu_code32(cpu) ? JIT_MODE_CS32 : 0) |
               (cpu_stack32(cpu) ? JIT_MODE_SS32 : 0);

    for (unsigned s = 0; s < SEG__COUNT; s++)
        mode |= (u32)seg_classify(&cpu->seg[s], s == SEG_CS) << (JIT_MODE_SEG_SHIFT + 2 * s);
    return mode;
}
