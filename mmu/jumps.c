/* SPDX-License-Identifier: MIT */
/* The contexts' tables of indirect jumps. */
#include <string.h>

#include "mmu/mmu_private.h"

#define NO_MODE UINT32_MAX

static void clear(struct mmu_context *c)
{
    memset(c->t.jump, 0xff, MMU_JUMPS * sizeof(*c->t.jump));
    memset(c->jump.head, 0, sizeof(c->jump.head));
}

void jumps_clear(struct mmu_context *c)
{
    if (c->jumps)
        clear(c);
    c->jumps = false;
}

static u16 *group_of(struct mmu_context *c, u32 vpn)
{
    return &c->jump.head[vpn % MMU_JUMP_GROUPS];
}

/* @slot has no jump any more. */
static void drop(struct mmu_context *c, unsigned slot)
{
    u16 *at = group_of(c, c->jump.vpn[slot]);

    while (*at != slot + 1)
        at = &c->jump.next[*at - 1];
    *at = c->jump.next[slot];
    c->t.jump[slot].mode = NO_MODE;
}

static void set(struct mmu_context *c, unsigned slot, const struct mmu_jump *j, u32 vpn)
{
    if (!c->jumps)
        clear(c);
    c->jumps = true;
    if (c->t.jump[slot].mode != NO_MODE)
        drop(c, slot);
    c->t.jump[slot] = *j;
    c->jump.vpn[slot] = vpn;
    c->jump.next[slot] = *group_of(c, vpn);
    *group_of(c, vpn) = (u16)(slot + 1);
}

void mmu_jump_set(struct mmu *m, u32 eip, lin_addr lin, u32 mode, u64 host)
{
    const struct mmu_jump j = {eip, mode, host};

    if (!m->slow) /* else view.cur is not of a context */
        set(m->cur, eip % MMU_JUMPS, &j, (u32)(lin >> PAGE_SHIFT));
}

void mmu_jump_forget(struct mmu *m, u32 eip, u32 mode)
{
    for (unsigned i = 0; i < MMU_CONTEXTS; i++) {
        struct mmu_context *c = &m->context[i];
        if (!c->jumps)
            continue;
        const struct mmu_jump *j = &c->t.jump[eip % MMU_JUMPS];
        if (j->eip == eip && j->mode == mode)
            drop(c, eip % MMU_JUMPS);
    }
}

void mmu_jump_flush(struct mmu *m)
{
    for (unsigned i = 0; i < MMU_CONTEXTS; i++)
        jumps_clear(&m->context[i]);
}

void jumps_drop(struct mmu_context *c, u32 vpn)
{
    for (u16 next, i = c->jumps ? *group_of(c, vpn) : 0; i; i = next) {
        next = c->jump.next[i - 1];
        if (c->jump.vpn[i - 1] == vpn)
            drop(c, i - 1u);
    }
}

void jumps_adopt(struct mmu_context *c, const struct mmu_context *d, u32 vpn, u32 pages)
{
    for (unsigned i = 0; d->jumps && i < MMU_JUMPS; i++) {
        u32 at = d->jump.vpn[i];
        bool free = !c->jumps || c->t.jump[i].mode == NO_MODE;
        if (at - vpn < pages && free && d->t.jump[i].mode != NO_MODE && c->t.exec[at] &&
            c->t.exec[at] == d->t.exec[at])
            set(c, i, &d->t.jump[i], at);
    }
}
