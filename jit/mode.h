/* SPDX-License-Identifier: MIT */
/*
 * What a translation takes for granted of the CPU's state, besides the bytes it was made from: the
 * block's mode. Code made under one mode never runs under another.
 *
 *   bit 0       CS.D: operands and addresses are 32 bits wide by default
 *   bit 1       SS.B: the stack pointer is ESP
 *   bits 2-13   two bits a segment register (enum seg_class of cpu/state.h), in the order of
 *               enum SEG_xx
 *   bits 14-21  the mode's number, given by the engine: no other mode has it, and it stands for the
 *               code segment's base and limit, which are part of the mode
 *   bits 22-23  an x87 or an SSE exception is not masked: code watches what x87 instructions raise,
 *               SSE instructions are left to executors. When executors have changed it, code may
 *               run on, but makes a unit live only if it has what that relies on
 *   bit 24      PE of x87 is not masked, which most results raise: where the host's unit is not the
 *               guest's, x87 instructions are left to executors, too
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
    JIT_MODE_NUMBER_SHIFT = 14,
    JIT_MODE_NUMBERS = 256,
    JIT_MODE_X87_UNMASKED = BIT(22),
    JIT_MODE_SSE_UNMASKED = BIT(23),
    JIT_MODE_X87_PE_UNMASKED = BIT(24),
    JIT_MODE_VALID = BIT(30),
};

static inline enum seg_class jit_mode_seg(u32 mode, unsigned seg)
{
    return (enum seg_class)(mode >> (JIT_MODE_SEG_SHIFT + 2 * seg) & 3);
}

static inline u32 jit_mode_number(u32 mode)
{
    return mode >> JIT_MODE_NUMBER_SHIFT & (JIT_MODE_NUMBERS - 1);
}

/** The mode of the CPU now, with number 0. */
static inline u32 jit_mode_of(const struct cpu *cpu)
{
    u32 mode = JIT_MODE_VALID | (cpu_code32(cpu) ? JIT_MODE_CS32 : 0) |
               (cpu_stack32(cpu) ? JIT_MODE_SS32 : 0);

    mode |= ~cpu->x87.control & X87_CW_MASKS ? JIT_MODE_X87_UNMASKED : 0;
    mode |= ~cpu->x87.control & X87_SW_PE ? JIT_MODE_X87_PE_UNMASKED : 0;
    mode |= ~cpu->sse.mxcsr & MXCSR_MASKS ? JIT_MODE_SSE_UNMASKED : 0;
    for (unsigned s = 0; s < SEG__COUNT; s++)
        mode |= (u32)cpu->seg[s].class << (JIT_MODE_SEG_SHIFT + 2 * s);
    return mode;
}
