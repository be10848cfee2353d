/* SPDX-License-Identifier: MIT */
/*
 * Instructions that reach devices: a video card's planes, registers in memory. Code that finds no
 * memory there gives up, the interpreter does the instruction, and the block behind it has to be
 * found: where that happens often, the block is translated anew with the instruction left to its
 * executor, as port accesses are. If later it mostly meets memory, it is translated as before; each
 * time that happens, it takes twice as much to convince us again.
 */
#include "jit/jit_private.h"

enum { CONVINCED = 16, CONVINCED_MAX = 1 << 14, DOUBTS = 64 };

static struct jit_device *device_of(struct jit *j, u64 key)
{
    return &j->device[jit_place(key, JIT_DEVICES)];
}

void jit_devices_bail(struct jit *j, const struct jit_block *b, unsigned g)
{
    bool device = j->device_asked;

    j->device_asked = false;
    if (!device || !b->block || jit_fp_units(&b->insn[g]))
        return;
    struct jit_device *d = device_of(j, b->block->key);
    if (d->key != b->block->key) {
        j->device_doubts -= d->doubts;
        *d = (struct jit_device){.key = b->block->key, .wanted = CONVINCED};
    }
    if (++d->times < d->wanted)
        return;
    d->times = 0;
    d->insns |= BIT(g);
    cache_drop(&j->cache, b->block);
}

u32 jit_devices_in(struct jit *j, const struct block *b)
{
    const struct jit_device *d = device_of(j, b->key);

    return d->key == b->key ? d->insns : 0;
}

void jit_devices_keep(struct jit *j, struct jit_block *n)
{
    u32 insns = jit_devices_in(j, n->block);

    if (!insns)
        return;
    n->hash = ~n->hash; /* nobody revives it: what it is depends on more than its bytes */
    for (unsigned i = 0; i < n->calls; i++) {
        if (insns >> jit_calls(n)[i].g & 1)
            jit_calls(n)[i].how |= CALL_DEVICE;
    }
}

void jit_devices_ran(struct jit *j, const struct jit_block *b, u64 asked)
{
    struct jit_device *d = b->block ? device_of(j, b->block->key) : NULL;

    if (!d || d->key != b->block->key)
        return;
    j->device_doubts -= d->doubts;
    if (physmem_asked(j->physmem) != asked) {
        d->doubts -= d->doubts > 0;
    } else if (++d->doubts >= DOUBTS) {
        d->doubts = 0;
        d->insns = 0;
        d->wanted = d->wanted < CONVINCED_MAX ? d->wanted * 2 : d->wanted;
        (void)icache_refresh(j->cpu->icache, b->block); /* the code runs on, and may bail */
        cache_drop(&j->cache, b->block);
    }
    j->device_doubts += d->doubts;
}
