/* SPDX-License-Identifier: MIT */
/*
 * Which bytes of a decoded block may change while it stays: immediates and displacements that an
 * engine reads anew each time. And the blocks that find out for themselves what has changed: they
 * are compared with the memory before they run, and nobody watches them.
 */
#pragma once

#include "cpu/icache.h"

/** Where in an instruction a value is. */
struct insn_field {
    u8 bytes; /* 0: there is none, or not one alone */
    u8 back;  /* from the end of the instruction to its first byte */
    bool sign;
};

struct insn_field insn_immediate(const struct insn *in);
struct insn_field insn_displacement(const struct insn *in);

/** Which soft immediate or displacement [@phys, @phys + @len) lies in: the number of the
 * instruction, and its first byte in *@start; -1: none. */
int soft_at(const struct block *b, phys_addr phys, size_t len, phys_addr *start);

#define CHECK_BYTES 64u /* the longest block that is checked */

/**
 * What the bytes of a block are: where mask is 0, they may be others. That is the block's, not a
 * translation's:
 * - mask is 0 where block.soft and block.soft_disp say so, and nowhere else.
 * - Where mask is not 0, bytes are what block.insn was decoded from, and stay so as long as the
 *   block. Elsewhere they are those of the last icache_refresh(), as block.insn is: who takes an
 *   instruction from there has the block found, or refreshed, right before.
 * - A translation compares exactly what the block does. Where the block is found, its translations
 *   run; if one refuses, the block is not what is there.
 * - Soft parts only become fewer, and translations that compare less go then (icache_harden()).
 */
struct block_check {
    u8 bytes[CHECK_BYTES], mask[CHECK_BYTES];
    struct block *of; /* NULL: it was given back */
    u64 born;         /* instructions retired    */
};

/** What to compare of @b, which is at @bytes. */
void check_set(struct block_check *k, const struct block *b, const u8 *bytes);

/** Is what is at @bytes @b, which has a check? */
bool check_holds(const struct block *b, const u8 *bytes);
