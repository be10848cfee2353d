/* SPDX-License-Identifier: MIT */
/* Slow accesses: first touches, devices, watched pages, and what crosses a page. */
#include "mmu/mmu.h"

#include "mmu/mmu_private.h"

static phys_addr node_phys(const struct tlb_node *n, lin_addr lin)
{
    return (phys_addr)n->ppn << PAGE_SHIFT | (lin & (PAGE_SIZE - 1));
}

static bool get_phys(struct mmu *m, bool sys, lin_addr lin, enum mmu_access kind, phys_addr *out)
{
    const struct tlb_node *n = tlb_get(m, sys ? m->sys : m->cur, lin, kind);

    if (!n)
        return false;
    *out = node_phys(n, lin);
    return true;
}

bool mmu_translate(struct mmu *m, lin_addr lin, enum mmu_access kind, phys_addr *out)
{
    return get_phys(m, false, lin, kind, out);
}

bool mmu_translate_unmarked(struct mmu *m, lin_addr lin, enum mmu_access kind, phys_addr *out)
{
    const struct tlb_node *n = tlb_get_unmarked(m, m->cur, lin, kind);

    if (!n)
        return false;
    *out = node_phys(n, lin);
    return true;
}

u8 mmu_fetch_byte(struct mmu *m, phys_addr phys)
{
    return (u8)physmem_load(m->pm, phys, 1);
}

bool mmu_peek(struct mmu *m, lin_addr lin, phys_addr *out)
{
    struct walk_space s = {m->pm, m->mode, m->cr3, m->pdpte};
    struct walk w;
    u32 error;

    if (!mmu_walk(&s, lin, MMU_READ, false, &w, &error))
        return false;
    *out = w.phys | (lin & (PAGE_SIZE - 1));
    return true;
}

void mmu_set_align(struct mmu *m, bool on)
{
    m->align = on;
}

void mmu_set_watch(struct mmu *m, unsigned n, lin_addr lin, unsigned len, bool reads)
{
    m->watch[n] = (struct watchpoint){lin, len, reads};
}

static void watch_check(struct mmu *m, lin_addr lin, unsigned size, enum mmu_access kind)
{
    for (unsigned i = 0; i < MMU_WATCHPOINTS; i++) {
        const struct watchpoint *w = &m->watch[i];
        if (w->len && lin < w->lin + w->len && w->lin < lin + size &&
            (kind == MMU_WRITE || w->reads)) {
            m->view.watch_hits |= BIT(i);
            if (i >= MMU_WATCH_DEBUGGER && m->on_dropped)
                m->on_dropped(m->on_dropped_ctx);
        }
    }
}

/* Where the bytes of an access are: one or two pieces. */
struct place {
    phys_addr phys[2];
    unsigned first; /* bytes in the first piece */
};

static bool place_get(struct mmu *m, lin_addr lin, unsigned size, bool sys, enum mmu_access kind,
                      struct place *p)
{
    unsigned room = PAGE_SIZE - (unsigned)(lin & (PAGE_SIZE - 1));

    p->first = size < room ? size : room;
    m->view.fault.align = m->align && !sys && (lin & (size - 1));
    if (m->view.fault.align)
        return false;
    p->phys[1] = 0;
    if (!get_phys(m, sys, lin, kind, &p->phys[0]))
        return false;
    if (p->first != size && !get_phys(m, sys, (u32)(lin + p->first), kind, &p->phys[1]))
        return false;
    if (m->slow)
        watch_check(m, lin, size, kind);
    return true;
}

static u64 place_load(struct mmu *m, const struct place *p, unsigned size)
{
    u64 v = 0;

    if (p->first == size)
        return physmem_load(m->pm, p->phys[0], size);
    for (unsigned i = 0; i < size; i++) {
        phys_addr at = i < p->first ? p->phys[0] + i : p->phys[1] + (i - p->first);
        v |= physmem_load(m->pm, at, 1) << (8 * i);
    }
    return v;
}

static void place_store(struct mmu *m, const struct place *p, unsigned size, u64 val)
{
    if (p->first == size) {
        physmem_store(m->pm, p->phys[0], val, size);
        return;
    }
    for (unsigned i = 0; i < size; i++) {
        phys_addr at = i < p->first ? p->phys[0] + i : p->phys[1] + (i - p->first);
        physmem_store(m->pm, at, (u8)(val >> (8 * i)), 1);
    }
}

/* The translation of a page of a device that was accessed so before, and may be with no more
 * checks; NULL: there is none. */
static const struct tlb_node *device_node(const struct mmu *m, bool sys, lin_addr lin,
                                          enum mmu_access kind)
{
    const struct mmu_context *c = sys ? m->sys : m->cur;
    const struct tlb_node *n = &m->node[c->node[lin >> PAGE_SHIFT]]; /* node 0 has no device */

    return n->region && n->rights & (kind == MMU_WRITE ? TLB_W : TLB_R) && !m->slow ? n : NULL;
}

bool mmu_device(const struct mmu *m, lin_addr lin, enum mmu_access kind, struct mmu_device *out)
{
    const struct tlb_node *n = device_node(m, false, lin, kind);

    if (!n || !physmem_quiet(m->pm, n->region))
        return false;
    *out = (struct mmu_device){n->region, node_phys(n, lin)};
    return true;
}

u64 mmu_device_read(struct mmu *m, const struct mmu_device *d, u64 by, unsigned size)
{
    return physmem_ask(m->pm, d->region, d->at + by, size);
}

void mmu_device_write(struct mmu *m, const struct mmu_device *d, u64 by, unsigned size, u64 val)
{
    physmem_tell(m->pm, d->region, d->at + by, val, size);
}

bool mmu_read_slow(struct mmu *m, lin_addr lin, unsigned size, bool sys, u64 *out)
{
    const struct tlb_node *n = device_node(m, sys, lin, MMU_READ);
    struct place p;

    if (n && mmu_in_page(lin, size)) {
        *out = physmem_ask(m->pm, n->region, node_phys(n, lin), size);
        return true;
    }
    if (!place_get(m, lin, size, sys, MMU_READ, &p))
        return false;
    *out = place_load(m, &p, size);
    return true;
}

bool mmu_write_slow(struct mmu *m, lin_addr lin, unsigned size, bool sys, u64 val)
{
    const struct tlb_node *n = device_node(m, sys, lin, MMU_WRITE);
    struct place p;

    if (n && mmu_in_page(lin, size)) {
        physmem_tell(m->pm, n->region, node_phys(n, lin), val, size);
        return true;
    }
    if (!place_get(m, lin, size, sys, MMU_WRITE, &p))
        return false;
    place_store(m, &p, size, val);
    return true;
}

/* What moves at once: 8 bytes, unless they are in two pages. */
static unsigned step_of(lin_addr lin, unsigned left)
{
    return left >= 8 && mmu_in_page(lin, 8) ? 8 : 1;
}

bool mmu_write_bytes(struct mmu *m, lin_addr lin, const void *from, unsigned n)
{
    unsigned room = PAGE_SIZE - (unsigned)(lin & (PAGE_SIZE - 1)), step;
    phys_addr at[2] = {0, 0}; /* of byte 0, and of byte @room */
    const u8 *src = from;
    struct place p;

    for (unsigned i = 0; i < n; i += step) {
        step = step_of((u32)(lin + i), n - i);
        if (!place_get(m, (u32)(lin + i), step, false, MMU_WRITE, &p))
            return false;
        if (i == 0 || i == room)
            at[i == room] = p.phys[0];
    }
    for (unsigned i = 0; i < n; i += step) {
        step = step_of((u32)(lin + i), n - i);
        physmem_store(m->pm, i < room ? at[0] + i : at[1] + (i - room), load_le(src + i, step),
                      step);
    }
    return true;
}

bool mmu_rmw_slow(struct mmu *m, lin_addr lin, unsigned size, struct mmu_rmw *rmw, u64 *old)
{
    struct place p;

    if (!place_get(m, lin, size, false, MMU_WRITE, &p))
        return false;
    *rmw = (struct mmu_rmw){.phys = {p.phys[0], p.phys[1]}, .first = p.first};
    *old = place_load(m, &p, size);
    return true;
}

void mmu_rmw_finish_slow(struct mmu *m, const struct mmu_rmw *rmw, unsigned size, u64 val)
{
    struct place p = {{rmw->phys[0], rmw->phys[1]}, rmw->first};

    place_store(m, &p, size, val);
}

bool mmu_probe(struct mmu *m, lin_addr lin, size_t len, enum mmu_access kind, bool sys)
{
    phys_addr phys;
    lin_addr last = (u32)(lin + len - 1);

    if (!get_phys(m, sys, lin, kind, &phys))
        return false;
    return (last & PAGE_MASK) == (lin & PAGE_MASK) ||
           get_phys(m, sys, last & PAGE_MASK, kind, &phys);
}

void mmu_watch_code(struct mmu *m, phys_addr phys)
{
    struct phys_page *p = physmem_page(m->pm, phys);
    u32 ram_page = p->host && !p->rom ? mmu_ram_page(m, p->host) : NO_RAM_PAGE;

    if (ram_page == NO_RAM_PAGE || (p->watch & PAGE_WATCH_CODE))
        return;
    p->watch |= PAGE_WATCH_CODE;
    tlb_drop_writes(m, ram_page);
}

void mmu_unwatch_code(struct mmu *m, phys_addr phys)
{
    physmem_page(m->pm, phys)->watch &= (u8)~PAGE_WATCH_CODE;
}
