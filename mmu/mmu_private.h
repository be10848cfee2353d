/* SPDX-License-Identifier: MIT */
/* Private to mmu/: what the walker, the TLB and the slow accesses share. */
#pragma once

#include "mmu/mmu.h"

#define MMU_MAX_LEVELS 4u /* long mode's; 32-bit and PAE walks read two */

/** What a walk found: the page, the rights, and the table entries it came from. */
struct walk {
    phys_addr phys; /* of the 4 KiB page, after the A20 gate: its one name; low bits 0 */
    bool writable;  /* a write is allowed, and the dirty bit is set */
    bool executable;
    bool marks; /* accessed or dirty bits were not set */
    unsigned levels;
    phys_addr entry[MMU_MAX_LEVELS]; /* addresses of the entries read */
};

/** What a walk needs to know. */
struct walk_space {
    struct physmem *pm;
    u32 mode; /* enum mmu_mode, MMU_USER included */
    u64 cr3;
    const u64 *pdpte;
};

/**
 * Translate @lin for an access of @kind. @touch: set accessed and dirty bits. False: *error is the
 * page-fault error code and nothing was changed.  [SDM 3A §4.3, §4.4, §4.6, §4.7]
 */
bool mmu_walk(const struct walk_space *s, lin_addr lin, enum mmu_access kind, bool touch,
              struct walk *out, u32 *error) MUST_CHECK;

struct mmu_context;

/** A cached translation; indices, because the pool moves. */
struct tlb_link {
    u32 prev, next; /* references: node number * 4 + dependency level; 0 ends */
};

struct tlb_node {
    u32 vpn;
    u32 ppn;
    u16 ctx;
    u8 rights; /* enum tlb_rights */
    u8 levels;
    u16 region;                /* number of the device that answers; 0: none does */
    u32 ram_page;              /* index into by_page, or NO_RAM_PAGE */
    u32 table[MMU_MAX_LEVELS]; /* struct table_page number of each entry's page; 0: not tracked */
    u16 slot[MMU_MAX_LEVELS];  /* entry's place there, in units of 4 bytes */
    struct tlb_link on_page, on_ctx, on_table[MMU_MAX_LEVELS];
};

enum tlb_rights { TLB_R = BIT(0), TLB_W = BIT(1), TLB_X = BIT(2) };

#define NO_RAM_PAGE UINT32_MAX
#define TABLE_SLOTS 1024u

/** A page of RAM that walks read entries from: the nodes derived from each entry. */
struct table_page {
    u32 ram_page;
    phys_addr phys;
    u32 count; /* nodes linked; at 0 the page is released */
    u32 head[TABLE_SLOTS];
};

struct mmu_context {
    u32 mode;
    u64 cr3;
    u64 pdpte[4];
    struct mmu_tables t;
    u32 *node; /* by linear page; 0: nothing cached */
    u32 head;  /* all nodes of this context */
    u64 used;  /* for LRU; 0: free */
};

struct mmu {
    struct mmu_view view; /* first: mmu_view() */
    struct physmem *pm;
    u32 mode;
    u64 cr3;
    u64 pdpte[4];
    bool user, slow, align;
    struct watchpoint {
        lin_addr lin;
        unsigned len; /* 0: off */
        bool reads;   /* reads hit it too */
    } watch[MMU_WATCHPOINTS];
    struct mmu_context *cur, *sys;
    struct mmu_context context[MMU_CONTEXTS];
    struct mmu_tables nothing; /* all absent: see mmu_set_slow() */
    u64 uses, flushes;
    u32 found; /* number of the context that was looked for last */
    void (*on_dropped)(void *ctx);
    void *on_dropped_ctx;

    struct tlb_node *node; /* node 0 stands for none, and stays zero */
    u32 nodes, node_room, node_free;
    size_t ram_pages;          /* and those of video memory, behind them */
    u32 *by_page;              /* by RAM page: nodes that map it */
    u32 *table_of;             /* by RAM page: its table_page number, or 0 */
    struct table_page **table; /* table 0 is unused */
    u32 tables, table_room;
    u32 *table_free; /* stack of unused numbers */
    u32 table_frees;
};

/** The cached or walked translation of @lin in @c. NULL: m->view.fault is set. */
const struct tlb_node *tlb_get(struct mmu *m, struct mmu_context *c, lin_addr lin,
                               enum mmu_access kind);

/** The same if no accessed or dirty bit has to be set. NULL: nothing has changed but the fault. */
const struct tlb_node *tlb_get_unmarked(struct mmu *m, struct mmu_context *c, lin_addr lin,
                                        enum mmu_access kind);

/** Drop write entries that map RAM page @ram_page. */
void tlb_drop_writes(struct mmu *m, u32 ram_page);

/** RAM page number of a host pointer, or NO_RAM_PAGE. */
u32 mmu_ram_page(const struct mmu *m, const u8 *host);
