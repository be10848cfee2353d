/* SPDX-License-Identifier: MIT */
/*
 * Where indirect jumps went: one table for all address spaces, that generated code looks into.
 * Private to jit/.
 *
 * An entry says where the code is for an EIP in a mode and a physical page. It is good wherever the
 * MMU's table of executed pages has that page for that EIP, so nothing has to be done here when
 * mappings or address spaces change.
 */
#pragma once

#include <assert.h>

#include "jit/mode.h"
#include "mmu/mmu.h"

struct jit_jump {
    u64 key;  /* jit_jump_key(), or: */
    u64 host; /* run address         */
};

#define JIT_JUMPS     65536u
#define JIT_JUMP_NONE UINT64_MAX

/** The entry that @eip may have. */
static inline u32 jit_jump_slot(u32 eip)
{
    return (eip ^ eip >> PAGE_SHIFT) & (JIT_JUMPS - 1);
}

/** What @mode adds to the page of a key: 8 bits over the 24 that physical pages have. */
static inline u32 jit_jump_mode(u32 mode)
{
    return jit_mode_number(mode) << 24;
}

/** @page: what the MMU's table of executed pages has, not 0. */
static inline u64 jit_jump_key(u32 eip, u32 mode, u32 page)
{
    return (u64)(page ^ jit_jump_mode(mode)) << 32 | eip;
}
static_assert(PHYS_BITS - PAGE_SHIFT <= 24 && JIT_MODE_NUMBERS <= 256, "a key's upper half");
