/* SPDX-License-Identifier: MIT */
#include "jit/lazy.h"

#include <assert.h>
#include <string.h>
#include <xxhash.h>

/* Numbers from 1, without the bit LAZY_STORED. */
enum { LOW = LAZY_STORED - 1 };

static u16 mark_of(unsigned number)
{
    return (u16)((number & LOW) | (number & ~(unsigned)LOW) << 1);
}
static_assert(((u64)LAZY_RECIPES << 1) <= UINT16_MAX, "numbers fit");

static unsigned number_of(u16 mark)
{
    return (mark & LOW) | (mark >> 1 & ~(unsigned)LOW);
}

/* The guest registers that @in writes; LAZY_UNFIT if that is not known. */
static u8 written_by(const struct ir_insn *in)
{
    int reg = ir_reg_of(in->d);

    if (ir_writes_pair(in))
        return BIT(REG_AX) | BIT(REG_DX);
    return reg < 0 ? 0 : reg < 8 ? (u8)BIT(reg) : LAZY_UNFIT;
}

static u8 spoils_of(const struct ir_block *b, bool keeps_carry)
{
    u8 spoils = 0;

    for (unsigned i = 0; i < b->count; i++) {
        const struct ir_insn *in = &b->insn[i];
        u8 kind = ir_op_info[in->op].kind;
        if (in->use || kind == IR_CALL || kind == IR_EXIT || ir_is_fp(in->op))
            return LAZY_UNFIT;
        bool step = keeps_carry && (in->op == IR_INC || in->op == IR_DEC);
        if (in->def)
            return in->def == IRF_ALL || step ? spoils : LAZY_UNFIT;
        spoils |= written_by(in);
    }
    return LAZY_UNFIT;
}

u8 lazy_spoils(const struct ir_block *b)
{
    return spoils_of(b, false);
}

u8 lazy_spoils_but_carry(const struct ir_block *b)
{
    return spoils_of(b, true);
}

bool lazy_fit(const struct recipe *r)
{
    return r->kind != RECIPE_STORED && r->kind < RECIPE_SHL;
}

static u8 register_of(u8 place)
{
    return place == RECIPE_IMM ? 0 : (u8)BIT(place < 16 ? place & 7 : place & 3);
}

u8 lazy_needs(const struct recipe *r)
{
    return register_of(r->a) | register_of(r->b);
}

u16 lazy_mark(struct lazy_recipes *l, const struct recipe *r)
{
    size_t at = XXH3_64bits(r, sizeof(*r)) % ARRAY_LEN(l->slot);

    for (; l->slot[at]; at = (at + 1) % ARRAY_LEN(l->slot)) {
        if (memcmp(&l->recipe[l->slot[at] - 1], r, sizeof(*r)) == 0)
            return mark_of(l->slot[at]);
    }
    if (l->count == LAZY_RECIPES - 1)
        return 0;
    l->recipe[l->count++] = *r;
    l->slot[at] = (u16)l->count;
    return mark_of(l->count);
}
static_assert(sizeof(struct recipe) == 8, "nothing between its fields");

const struct recipe *lazy_recipe(const struct lazy_recipes *l, u16 mark)
{
    unsigned n = number_of(mark);

    assert(n >= 1 && n <= l->count);
    return &l->recipe[n - 1];
}
