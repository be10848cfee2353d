/* SPDX-License-Identifier: MIT */
/*
 * The coherent software TLB: contexts, cached translations ("nodes"), and which nodes derive from
 * which page-table entries. mmu.h says what it promises.
 *
 * A node is on three kinds of lists: of its context; of the RAM page it maps, so that the page can
 * be taken out of the write tables when it becomes special; and of each table entry its walk read,
 * so that a write to the entry finds what to drop.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS, MAP_NORESERVE */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"
#include "mmu/mmu_private.h"

#define MAX_NODES (1u << 19) /* beyond this everything is forgotten and starts again */

/* What a link of a node is on. */
enum list { ON_PAGE, ON_CTX, ON_TABLE };

u32 mmu_ram_page(const struct mmu *m, const u8 *host)
{
    const u8 *ram = physmem_ram(m->pm);

    if (host < ram || host >= ram + physmem_ram_size(m->pm))
        return NO_RAM_PAGE;
    return (u32)((size_t)(host - ram) >> PAGE_SHIFT);
}

/* The same, and behind the RAM the pages of video memory. */
static u32 mmu_host_page(const struct mmu *m, const u8 *host)
{
    const u8 *ram = physmem_ram(m->pm);

    if (host < ram || host >= ram + (m->ram_pages << PAGE_SHIFT))
        return NO_RAM_PAGE;
    return (u32)((size_t)(host - ram) >> PAGE_SHIFT);
}

/* --- lists: references are node * 4 + level, level 0 except on table lists --- */

static struct tlb_link *link_of(struct mmu *m, enum list list, u32 ref)
{
    struct tlb_node *n = &m->node[ref >> 2];

    return list == ON_PAGE ? &n->on_page : list == ON_CTX ? &n->on_ctx : &n->on_table[ref & 3];
}

static void link_add(struct mmu *m, enum list list, u32 *head, u32 ref)
{
    struct tlb_link *l = link_of(m, list, ref);

    *l = (struct tlb_link){0, *head};
    if (*head)
        link_of(m, list, *head)->prev = ref;
    *head = ref;
}

static void link_remove(struct mmu *m, enum list list, u32 *head, u32 ref)
{
    struct tlb_link *l = link_of(m, list, ref);

    if (l->prev)
        link_of(m, list, l->prev)->next = l->next;
    else
        *head = l->next;
    if (l->next)
        link_of(m, list, l->next)->prev = l->prev;
}

/* --- pages used as tables --- */

static u32 table_new(struct mmu *m, u32 ram_page, phys_addr phys)
{
    u32 t;

    if (m->table_frees) {
        t = m->table_free[--m->table_frees];
    } else {
        if (m->tables == m->table_room) {
            u32 room = m->table_room * 2;
            struct table_page **table = realloc(m->table, room * sizeof(*table));
            if (!table)
                return 0;
            m->table = table;
            u32 *frees = realloc(m->table_free, room * sizeof(*frees));
            if (!frees)
                return 0;
            m->table_free = frees;
            m->table_room = room;
        }
        m->table[m->tables] = calloc(1, sizeof(**m->table));
        if (!m->table[m->tables])
            return 0;
        t = m->tables++;
    }
    m->table[t]->ram_page = ram_page;
    m->table[t]->phys = phys;
    m->table_of[ram_page] = t;
    return t;
}

static void table_release(struct mmu *m, u32 t)
{
    u32 ram_page = m->table[t]->ram_page;

    m->table_of[ram_page] = 0;
    m->table_free[m->table_frees++] = t;
    physmem_page(m->pm, m->table[t]->phys)->watch &= (u8)~PAGE_WATCH_TABLE;
}

/* The number of the table page that holds the entry at @at, tracked from now on; 0: not in RAM. */
static u32 table_track(struct mmu *m, phys_addr at)
{
    struct phys_page *p = physmem_page(m->pm, at);
    u32 ram_page = p->host ? mmu_ram_page(m, p->host) : NO_RAM_PAGE;

    if (ram_page == NO_RAM_PAGE || p->rom)
        return 0;
    if (m->table_of[ram_page])
        return m->table_of[ram_page];
    u32 t = table_new(m, ram_page, physmem_mask(m->pm, at) & PAGE_MASK);
    if (t) {
        p->watch |= PAGE_WATCH_TABLE;
        tlb_drop_writes(m, ram_page);
    }
    return t;
}

/* --- nodes --- */

static u32 node_new(struct mmu *m)
{
    if (m->node_free) {
        u32 n = m->node_free;
        m->node_free = m->node[n].vpn;
        return n;
    }
    if (m->nodes == m->node_room) {
        u32 room = m->node_room * 2;
        struct tlb_node *node = room <= MAX_NODES ? realloc(m->node, room * sizeof(*node)) : NULL;
        if (!node)
            return 0;
        m->node = node;
        m->node_room = room;
    }
    return m->nodes++;
}

static void node_drop(struct mmu *m, u32 i)
{
    struct tlb_node *n = &m->node[i];
    struct mmu_context *c = &m->context[n->ctx];

    m->view.exec_lost += c->t.exec[n->vpn] != 0;
    c->t.read[n->vpn] = 0;
    c->t.write[n->vpn] = 0;
    c->t.exec[n->vpn] = 0;
    c->node[n->vpn] = 0;
    link_remove(m, ON_CTX, &c->head, i * 4);
    if (n->ram_page != NO_RAM_PAGE)
        link_remove(m, ON_PAGE, &m->by_page[n->ram_page], i * 4);
    for (unsigned l = 0; l < n->levels; l++) {
        if (!n->table[l])
            continue;
        struct table_page *t = m->table[n->table[l]];
        link_remove(m, ON_TABLE, &t->head[n->slot[l]], i * 4 + l);
        if (--t->count == 0)
            table_release(m, n->table[l]);
    }
    n->vpn = m->node_free;
    m->node_free = i;
}

void tlb_drop_writes(struct mmu *m, u32 ram_page)
{
    for (u32 ref = m->by_page[ram_page]; ref; ref = m->node[ref >> 2].on_page.next) {
        const struct tlb_node *n = &m->node[ref >> 2];
        m->context[n->ctx].t.write[n->vpn] = 0;
    }
}

static void context_flush(struct mmu *m, struct mmu_context *c)
{
    while (c->head)
        node_drop(m, c->head >> 2);
}

void mmu_flush(struct mmu *m)
{
    m->flushes++;
    for (unsigned i = 0; i < MMU_CONTEXTS; i++)
        context_flush(m, &m->context[i]);
}

/* What a write to a page table touches. */
struct touched {
    u32 table; /* 0: no table */
    unsigned first, last;
};

static struct touched touched_by(const struct mmu *m, phys_addr phys, size_t len)
{
    const struct phys_page *p = physmem_page(m->pm, phys);
    u32 ram_page = p->host ? mmu_ram_page(m, p->host) : NO_RAM_PAGE;

    return (struct touched){
        .table = ram_page == NO_RAM_PAGE ? 0 : m->table_of[ram_page],
        .first = (unsigned)(phys & (PAGE_SIZE - 1) & ~7u) / 4, /* an entry may be 8 bytes */
        .last = (unsigned)((phys & (PAGE_SIZE - 1)) + len - 1) / 4,
    };
}

static bool gives_code(const struct mmu *m, struct touched w)
{
    for (unsigned s = w.first; w.table && s <= w.last; s++) {
        for (u32 ref = m->table[w.table]->head[s]; ref;
             ref = m->node[ref >> 2].on_table[ref & 3].next) {
            if (m->node[ref >> 2].rights & TLB_X)
                return true;
        }
    }
    return false;
}

static void drop_touched(struct mmu *m, struct touched w)
{
    u32 ram_page = m->table[w.table] ? m->table[w.table]->ram_page : NO_RAM_PAGE;

    for (unsigned s = w.first; w.table && s <= w.last; s++) {
        while (m->table_of[ram_page] == w.table && m->table[w.table]->head[s])
            node_drop(m, m->table[w.table]->head[s] >> 2);
    }
}

/* A watched table page is about to be written: drop what the written entries gave. */
static void on_table_write(void *ctx, phys_addr phys, size_t len)
{
    struct mmu *m = ctx;
    struct touched w = touched_by(m, phys, len);
    bool code = gives_code(m, w);

    drop_touched(m, w);
    if (code && m->on_dropped)
        m->on_dropped(m->on_dropped_ctx);
}

bool mmu_table_write(struct mmu *m, phys_addr phys, size_t len)
{
    struct touched w = touched_by(m, phys, len);

    if (gives_code(m, w))
        return false;
    drop_touched(m, w);
    return true;
}

void mmu_on_dropped(struct mmu *m, void (*fn)(void *ctx), void *ctx)
{
    m->on_dropped = fn;
    m->on_dropped_ctx = ctx;
}

static void on_physmem_change(void *ctx)
{
    mmu_flush(ctx);
}

static void on_video(void *ctx, u32 page, bool moved)
{
    struct mmu *m = ctx;
    u32 i = (u32)(physmem_ram_size(m->pm) >> PAGE_SHIFT) + page;

    while (moved && m->by_page[i])
        node_drop(m, m->by_page[i] >> 2);
    if (!moved)
        tlb_drop_writes(m, i);
}

static u32 node_add(struct mmu *m, struct mmu_context *c, u32 vpn, const struct walk *w)
{
    u32 i = node_new(m);

    if (!i) { /* full: forget everything, which no guest can see */
        mmu_flush(m);
        i = node_new(m);
    }
    if (!i)
        return 0;
    const struct phys_page *page = physmem_page(m->pm, w->phys);
    struct tlb_node n = {
        .vpn = vpn,
        .ppn = (u32)(w->phys >> PAGE_SHIFT),
        .ctx = (u16)(c - m->context),
        .levels = (u8)w->levels,
        .region = page->host ? 0 : page->region,
        .ram_page = page->host && !page->rom ? mmu_host_page(m, page->host) : NO_RAM_PAGE,
    };
    m->node[i] = n;
    c->node[vpn] = i;
    link_add(m, ON_CTX, &c->head, i * 4);
    if (n.ram_page != NO_RAM_PAGE)
        link_add(m, ON_PAGE, &m->by_page[n.ram_page], i * 4);
    for (unsigned l = 0; l < w->levels; l++) {
        u32 t = table_track(m, w->entry[l]);
        m->node[i].table[l] = t;
        if (!t)
            continue;
        m->node[i].slot[l] = (u16)((w->entry[l] & (PAGE_SIZE - 1)) / 4);
        link_add(m, ON_TABLE, &m->table[t]->head[m->node[i].slot[l]], i * 4 + l);
        m->table[t]->count++;
    }
    return i;
}

/* Enter what an access of @kind allows into the fast tables. */
static void node_grant(struct mmu *m, struct mmu_context *c, struct tlb_node *n,
                       enum mmu_access kind)
{
    const struct phys_page *page = physmem_page(m->pm, (phys_addr)n->ppn << PAGE_SHIFT);
    lin_addr lin = (lin_addr)n->vpn << PAGE_SHIFT;

    n->rights |= kind == MMU_EXEC ? TLB_X : kind == MMU_WRITE ? TLB_R | TLB_W : TLB_R;
    if (!page->host || (page->video && kind == MMU_EXEC))
        return;
    u64 addend = (u64)(uintptr_t)page->host - lin;
    if (kind == MMU_EXEC)
        c->t.exec[n->vpn] = n->ppn + 1;
    else
        c->t.read[n->vpn] = addend;
    if (kind == MMU_WRITE && !page->rom && !page->watch)
        c->t.write[n->vpn] = addend;
}

/* --- adopting --- */

/* Do the two come from the same entry of the same last-level table, or from 4 MiB pages? */
static bool same_entry(const struct tlb_node *a, const struct tlb_node *b)
{
    unsigned l = a->levels - 1u;

    return a->levels == b->levels && a->levels && a->ppn == b->ppn &&
           (l == 0 || (a->table[l] && a->table[l] == b->table[l] && a->slot[l] == b->slot[l]));
}

/* A context that has what @i, new in @c, is, too. */
static struct mmu_context *donor_of(struct mmu *m, const struct mmu_context *c, u32 i)
{
    u32 vpn = m->node[i].vpn;

    for (unsigned k = 0; k < MMU_CONTEXTS; k++) {
        struct mmu_context *d = &m->context[k];
        u32 other = d != c && d->used && d->mode == c->mode ? d->node[vpn] : 0;
        if (other && same_entry(&m->node[other], &m->node[i]))
            return d;
    }
    return NULL;
}

/* The page @vpn of @d, in @c. A walk of @c's own says what it is; bits are set already. */
static void adopt_page(struct mmu *m, struct mmu_context *c, struct mmu_context *d, u32 vpn)
{
    const struct walk_space s = {m->pm, c->mode, c->cr3, c->pdpte};
    const u8 rights = m->node[d->node[vpn]].rights;
    u32 error, i;
    struct walk w;

    if (!mmu_walk(&s, (lin_addr)vpn << PAGE_SHIFT, MMU_READ, false, &w, &error) ||
        w.phys >> PAGE_SHIFT != m->node[d->node[vpn]].ppn || !(i = node_add(m, c, vpn, &w)))
        return;
    if (!d->node[vpn] || !same_entry(&m->node[i], &m->node[d->node[vpn]])) {
        node_drop(m, i);
        return;
    }
    if (rights & TLB_R)
        node_grant(m, c, &m->node[i], MMU_READ);
    if (rights & TLB_W && w.writable)
        node_grant(m, c, &m->node[i], MMU_WRITE);
    if (rights & TLB_X && w.executable)
        node_grant(m, c, &m->node[i], MMU_EXEC);
}

/*
 * Operating systems have the same kernel in all address spaces, through the same tables: what
 * another space has executed there comes with the first page of a directory entry. (Data would be
 * too much: most of it is not touched again before the space is gone.)
 */
static void adopt(struct mmu *m, struct mmu_context *c, u32 i)
{
    u32 vpn = m->node[i].vpn, pages = c->mode & MMU_PAE ? 512 : 1024;
    struct mmu_context *d = donor_of(m, c, i);
    u64 flushes = m->flushes;

    if (!d)
        return;
    for (u32 v = vpn & ~(pages - 1), end = v + pages; v < end && m->flushes == flushes; v++) {
        if (d->t.exec[v] && !c->node[v])
            adopt_page(m, c, d, v);
    }
}

static const struct tlb_node *get(struct mmu *m, struct mmu_context *c, lin_addr lin,
                                  enum mmu_access kind, bool touch)
{
    u32 vpn = (u32)(lin >> PAGE_SHIFT);
    u8 need = kind == MMU_EXEC ? TLB_X : kind == MMU_WRITE ? TLB_W : TLB_R;
    u32 i = c->node[vpn];

    if (!i || !(m->node[i].rights & need)) {
        struct walk_space s = {m->pm, c->mode, c->cr3, c->pdpte};
        struct walk w;
        if (!mmu_walk(&s, lin, kind, touch, &w, &m->view.fault.error)) {
            m->view.fault.lin = lin;
            return NULL;
        }
        if (w.marks && !touch)
            return NULL;
        i = c->node[vpn]; /* the walk's own writes may have dropped it */
        if (!i) {
            i = node_add(m, c, vpn, &w);
            if (i && kind == MMU_EXEC)
                adopt(m, c, i);
            i = c->node[vpn]; /* everything may have been flushed */
            if (!i)
                i = node_add(m, c, vpn, &w);
        }
        assert(i); /* flushing freed at least the nodes that were made at the start */
    }
    node_grant(m, c, &m->node[i], kind);
    return &m->node[i];
}

const struct tlb_node *tlb_get(struct mmu *m, struct mmu_context *c, lin_addr lin,
                               enum mmu_access kind)
{
    return get(m, c, lin, kind, true);
}

const struct tlb_node *tlb_get_unmarked(struct mmu *m, struct mmu_context *c, lin_addr lin,
                                        enum mmu_access kind)
{
    return get(m, c, lin, kind, false);
}

/* --- contexts --- */

static void *map_table(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

static bool tables_map(struct mmu_tables *t)
{
    u8 *p = map_table(MMU_CONTEXT_BYTES);

    if (!p)
        return false;
    t->read = (u64 *)p;
    t->write = (u64 *)(p + MMU_WRITE_OFFSET);
    t->exec = (u32 *)(p + MMU_EXEC_OFFSET);
    return true;
}

static void tables_unmap(struct mmu_tables *t)
{
    if (t->read)
        munmap(t->read, MMU_CONTEXT_BYTES);
}

static bool context_is(const struct mmu *m, const struct mmu_context *c, u32 mode, u64 cr3)
{
    const u32 pae = MMU_PG | MMU_PAE;

    return c->used && c->mode == mode && c->cr3 == cr3 &&
           ((mode & pae) != pae || memcmp(c->pdpte, m->pdpte, sizeof(c->pdpte)) == 0);
}

static struct mmu_context *context_find(struct mmu *m, u32 mode)
{
    struct mmu_context *oldest = NULL;
    bool pae = (mode & MMU_PG) && (mode & MMU_PAE);
    u64 cr3 = !pae && (mode & MMU_PG) ? m->cr3 : 0; /* the PDPTEs say it all */

    for (unsigned i = 0; i < MMU_CONTEXTS; i++) {
        /* The one found last comes first: mostly that of user mode. */
        struct mmu_context *c = &m->context[(i + m->found) % MMU_CONTEXTS];
        if (context_is(m, c, mode, cr3)) {
            c->used = ++m->uses;
            m->found = (u32)(c - m->context);
            return c;
        }
        if (c != m->sys && (!oldest || c->used < oldest->used))
            oldest = c;
    }
    context_flush(m, oldest);
    oldest->mode = mode;
    oldest->cr3 = cr3;
    memcpy(oldest->pdpte, m->pdpte, sizeof(oldest->pdpte));
    oldest->used = ++m->uses;
    return oldest;
}

static void mmu_select(struct mmu *m)
{
    m->cur = m->user ? context_find(m, m->mode | MMU_USER) : m->sys;
    m->view.cur = m->slow ? m->nothing : m->cur->t;
    m->view.sys = m->sys->t;
}

void mmu_set_space(struct mmu *m, u32 mode, u64 cr3, const u64 pdpte[4])
{
    m->mode = mode & ~(u32)MMU_USER;
    m->cr3 = cr3 & 0xfffff000u;
    memcpy(m->pdpte, pdpte, sizeof(m->pdpte));
    m->sys = NULL;
    m->sys = context_find(m, m->mode);
    mmu_select(m);
}

void mmu_set_user(struct mmu *m, bool user)
{
    if (user != m->user) {
        m->user = user;
        mmu_select(m);
    }
}

void mmu_set_slow(struct mmu *m, bool slow)
{
    if (slow != m->slow) {
        m->slow = slow;
        mmu_select(m);
    }
}

enum status mmu_create(struct mmu **out, struct physmem *pm)
{
    static const u64 no_pdpte[4];
    struct mmu *m = calloc(1, sizeof(*m));

    if (!m)
        return STATUS_NO_MEMORY;
    m->pm = pm;
    m->ram_pages = (physmem_ram_size(pm) + physmem_video_size(pm)) >> PAGE_SHIFT;
    m->node_room = 1024;
    m->nodes = 1;
    m->table_room = 64;
    m->tables = 1;
    m->node = malloc(m->node_room * sizeof(*m->node));
    m->table = calloc(m->table_room, sizeof(*m->table));
    m->table_free = malloc(m->table_room * sizeof(*m->table_free));
    m->by_page = calloc(m->ram_pages, sizeof(*m->by_page));
    m->table_of = calloc(m->ram_pages, sizeof(*m->table_of));
    bool ok = m->node && m->table && m->table_free && m->by_page && m->table_of;
    ok = ok && tables_map(&m->nothing);
    for (unsigned i = 0; ok && i < MMU_CONTEXTS; i++) {
        m->context[i].node = map_table(MMU_PAGES * sizeof(*m->context[i].node));
        ok = tables_map(&m->context[i].t) && m->context[i].node;
    }
    if (!ok) {
        mmu_destroy(m);
        return STATUS_NO_MEMORY;
    }
    m->node[0] = (struct tlb_node){0};
    physmem_on_table_write(pm, on_table_write, m);
    physmem_on_change(pm, on_physmem_change, m);
    physmem_on_video(pm, on_video, m);
    mmu_set_space(m, 0, 0, no_pdpte);
    *out = m;
    return STATUS_OK;
}

void mmu_destroy(struct mmu *m)
{
    if (!m)
        return;
    for (u32 i = 1; m->table && i < m->tables; i++)
        free(m->table[i]);
    for (unsigned i = 0; i < MMU_CONTEXTS; i++) {
        tables_unmap(&m->context[i].t);
        if (m->context[i].node)
            munmap(m->context[i].node, MMU_PAGES * sizeof(*m->context[i].node));
    }
    tables_unmap(&m->nothing);
    free(m->node);
    free(m->table);
    free(m->table_free);
    free(m->by_page);
    free(m->table_of);
    free(m);
}
