/* SPDX-License-Identifier: MIT */
/*
 * Lazy flags: a block that ends with flags which the next one sets before anybody looks need not
 * store them. It says in cpu->jit.flags how they could be computed (a recipe), in one instruction,
 * and only if the next block is left before it sets them, they are.
 *
 * That depends on the block that an edge leads to: it sets all flags before it uses any, before an
 * executor, and before it ends; what it writes until then are not the registers of the recipe. So
 * every block says what it writes until then (spoils), and cache_link() is only for edges whose
 * recipe survives that.
 */
#pragma once

#include "cpu/state.h"
#include "jit/code.h"
#include "jit/ir.h"

/** The spoils of a block that is not fit for lazy flags. Every recipe has a register. */
#define LAZY_UNFIT 0xff

/** The recipes that edges have, by number. */
enum { LAZY_RECIPES = 4096 };

struct lazy_recipes {
    struct recipe recipe[LAZY_RECIPES];
    u16 slot[2 * LAZY_RECIPES]; /* numbers, by a hash of what they are of; 0: none */
    unsigned count;
};

/** cpu->jit.flags as LAHF stores them: that bit is always 1. It is 0 where a recipe's number is. */
enum { LAZY_STORED = 0x0200 };

/** The guest registers that @b writes before it has set all flags, a bit each; LAZY_UNFIT. */
u8 lazy_spoils(const struct ir_block *b);

/** The same before it has set all but CF, which it leaves alone until all are set. */
u8 lazy_spoils_but_carry(const struct ir_block *b);

/** May @r be an edge's: it is made of guest registers alone. */
bool lazy_fit(const struct recipe *r);

/** The guest registers that @r needs, a bit each. */
u8 lazy_needs(const struct recipe *r);

/** What to put into cpu->jit.flags for @r, never 0, and found again for the same recipe; 0: there
 * is no room for another. */
u16 lazy_mark(struct lazy_recipes *l, const struct recipe *r);

/** The recipe that @mark stands for. */
const struct recipe *lazy_recipe(const struct lazy_recipes *l, u16 mark);
