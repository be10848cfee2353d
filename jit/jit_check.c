/* SPDX-License-Identifier: MIT */
/*
 * Blocks that check themselves: whoever writes over them need not say so. Their translations begin
 * with a comparison; where it fails, they go on to the next version of the block, or ask.
 */
#include "base/bits.h"
#include "cpu/icache_soft.h"
#include "jit/jit_private.h"

static bool writes(const struct ir_insn *in)
{
    return in->op == IR_ST || in->op == IR_LDW ||
           ((in->op == IR_FPM || in->op == IR_FPMG) && in->imm & IR_FP_WRITE);
}

/* How many instructions of @ir a checked block can have: up to the first that writes, and none
 * whose executor may do anything. */
static unsigned harmless(const struct ir_block *ir)
{
    for (unsigned i = 0; i < ir->count; i++) {
        if (ir->insn[i].op == IR_EXEC)
            return ir->insn[i].g;
        if (writes(&ir->insn[i])) {
            unsigned g = ir->insn[i].g;
            while (++i < ir->count && ir->insn[i].g == g)
                if (ir->insn[i].op == IR_EXEC)
                    return g;
            return g + 1;
        }
    }
    return ir->guests;
}

enum icache_checked jit_check_begin(struct jit *j, struct block *b, bool soft)
{
    struct xlate_env env = jit_env(j, b, jit_mode_now(j));

    env.soft = env.soft_disp = soft;
    xlate_block(&j->next, b->insn, b->count, (u32)(b->key >> 2), &env, 0);
    unsigned count = j->next.full ? 0 : harmless(&j->next);
    if (!count)
        return ICACHE_UNFIT;
    enum icache_checked c = icache_check(j->cpu->icache, b, count,
                                         jit_soft_of(&j->next, IR_IMM),
                                         jit_soft_of(&j->next, IR_DISP));
    if (c != ICACHE_CHECKED)
        return c;
    b->runs = 0;
    j->counts.checked++;
    return c;
}

/* The next piece of what is compared, from @from on: its size in bytes; 0: there is none. */
static unsigned next_piece(const struct block_check *k, unsigned *from)
{
    unsigned n = 0;

    while (*from < CHECK_BYTES && !k->mask[*from])
        ++*from;
    while (n < 4 && *from + n < CHECK_BYTES && k->mask[*from + n])
        n++;
    return n == 3 ? 2 : n;
}

void jit_check_unit(struct jit *j, struct block *b, const u8 *bytes)
{
    const struct block_check *k = b->check;
    struct jit_check *to = &j->unit.check;
    unsigned at = 0, n;

    *to = (struct jit_check){0};
    if (!k)
        return;
    /* What another mode leaves to an executor takes no variables. */
    icache_harden(j->cpu->icache, b, jit_soft_of(&j->ir, IR_IMM), jit_soft_of(&j->ir, IR_DISP));
    to->at = bytes;
    for (; (n = next_piece(k, &at)); at += n) {
        struct jit_check_piece *p = &to->piece[to->pieces++];
        p->off = (u8)at;
        p->w = n == 1 ? W8 : n == 2 ? W16 : W32;
        p->want = (u32)load_le(k->bytes + at, n);
    }
}

/* The first translation like @like of a version of @b behind @after. */
static struct jit_block *version_from(struct jit *j, const struct block *b,
                                      const struct block *after, const struct jit_block *like)
{
    struct jit_block *n = NULL;

    for (struct block *v = icache_version(j->cpu->icache, b->key, after); v && !n;
         v = icache_version(j->cpu->icache, b->key, v))
        n = cache_find(&j->cache, v, like->eip, like->mode);
    return n;
}

struct jit_block *jit_check_first(struct jit *j, struct jit_block *to)
{
    return to->block->check ? version_from(j, to->block, NULL, to) : to;
}

bool jit_check_missed(struct jit_link *l)
{
    const struct jit_block *from = jit_owner(l, l->back);

    return from->block && from->block->check && l == &jit_links(from)[from->links - 1];
}

struct jit_block *jit_check_target(struct jit *j, struct jit_link *l, struct jit_block *to)
{
    const struct jit_block *from = jit_owner(l, l->back);

    if (!jit_check_missed(l))
        return jit_check_first(j, to);
    /* Only onwards: it ends somewhere. Behind all of them is what is watched: who writes over it
     * takes the link away. */
    struct jit_block *next = version_from(j, from->block, from->block, from);
    return next || to->block->check ? next : to;
}

void jit_check_made(struct jit *j, const struct block *b)
{
    const struct icache *ic = j->cpu->icache;

    /* It comes in between. */
    for (struct block *v = icache_version(ic, b->key, b); v; v = icache_version(ic, b->key, v))
        cache_isolate(&j->cache, v);
}
