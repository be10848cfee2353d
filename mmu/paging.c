/* SPDX-License-Identifier: MIT */
/*
 * Page walks: 32-bit paging with 4 MiB pages, and PAE [SDM 3A §4.3, §4.4].
 *
 * Not implemented: 4- and 5-level paging, SMEP, SMAP, protection keys (later models).
 */
#include "mmu/mmu_private.h"

enum pte {
    PTE_P = BIT(0),
    PTE_RW = BIT(1),
    PTE_US = BIT(2),
    PTE_A = BIT(5),
    PTE_D = BIT(6),
    PTE_PS = BIT(7),
};
#define PTE_XD BIT64(63)

/* Bits above the physical address width, below XD, must be 0 in PAE entries [SDM 3A Table 4-9]. */
#define PAE_RESERVED (BIT64(63) - BIT64(PHYS_BITS))
#define PAE_ADDR     ((BIT64(PHYS_BITS) - 1) & PAGE_MASK)

/** How one level of a walk is read. */
struct level {
    phys_addr at;
    unsigned size; /* bytes of an entry */
    u64 entry;
};

static bool walk_fault(const struct walk_space *s, enum mmu_access kind, u32 why, u32 *error)
{
    bool nx = (s->mode & MMU_PAE) && (s->mode & MMU_NXE);

    *error = why | (kind == MMU_WRITE ? PF_W : 0u) | (s->mode & MMU_USER ? PF_U : 0u) |
             (kind == MMU_EXEC && nx ? PF_I : 0u);
    return false;
}

/* Do the combined rights of all levels allow it? [SDM 3A §4.6.1] */
static bool rights_allow(const struct walk_space *s, u64 all, bool xd, enum mmu_access kind)
{
    if ((s->mode & MMU_USER) && !(all & PTE_US))
        return false;
    if (kind == MMU_EXEC)
        return !xd;
    if (kind == MMU_WRITE && !(all & PTE_RW))
        return !(s->mode & MMU_USER) && !(s->mode & MMU_WP);
    return true;
}

static bool walk_finish(const struct walk_space *s, struct level *l, unsigned n, phys_addr page,
                        bool xd, enum mmu_access kind, bool touch, struct walk *out, u32 *error)
{
    u64 all = PTE_RW | PTE_US;

    for (unsigned i = 0; i < n; i++)
        all &= l[i].entry;
    if (!rights_allow(s, all, xd, kind))
        return walk_fault(s, kind, PF_P, error);

    bool marks = false;
    for (unsigned i = 0; i < n; i++) {
        u64 bits = PTE_A | (i == n - 1 && kind == MMU_WRITE ? PTE_D : 0u);
        if ((l[i].entry & bits) == bits)
            continue;
        marks = true;
        if (touch)
            physmem_mark(s->pm, l[i].at, l[i].entry | bits, l[i].size);
    }
    bool dirty = kind == MMU_WRITE || (l[n - 1].entry & PTE_D);
    *out = (struct walk){
        .phys = physmem_mask(s->pm, page),
        .writable = dirty && rights_allow(s, all, xd, MMU_WRITE),
        .executable = rights_allow(s, all, xd, MMU_EXEC),
        .levels = n,
        .marks = marks,
    };
    for (unsigned i = 0; i < n; i++)
        out->entry[i] = l[i].at;
    return true;
}

static bool walk_32(const struct walk_space *s, lin_addr lin, enum mmu_access kind, bool touch,
                    struct walk *out, u32 *error)
{
    struct level l[2] = {{.size = 4}, {.size = 4}};

    l[0].at = (s->cr3 & 0xfffff000u) + (lin >> 22 & 0x3ff) * 4;
    l[0].entry = physmem_load(s->pm, l[0].at, 4);
    if (!(l[0].entry & PTE_P))
        return walk_fault(s, kind, 0, error);
    if ((l[0].entry & PTE_PS) && (s->mode & MMU_PSE)) {
        /* Bits 13-16 are address bits 32-35 with PSE-36, else reserved like 17-21. */
        u32 reserved = s->mode & MMU_PSE36 ? 0x003e0000u : 0x003fe000u;
        if (l[0].entry & reserved)
            return walk_fault(s, kind, PF_P | PF_RSVD, error);
        phys_addr page = (l[0].entry & 0xffc00000u) | (lin & 0x003ff000u);
        page |= (phys_addr)(l[0].entry >> 13 & 0xf) << 32;
        return walk_finish(s, l, 1, page, false, kind, touch, out, error);
    }
    l[1].at = (l[0].entry & 0xfffff000u) + (lin >> 12 & 0x3ff) * 4;
    l[1].entry = physmem_load(s->pm, l[1].at, 4);
    if (!(l[1].entry & PTE_P))
        return walk_fault(s, kind, 0, error);
    return walk_finish(s, l, 2, l[1].entry & 0xfffff000u, false, kind, touch, out, error);
}

static bool walk_pae(const struct walk_space *s, lin_addr lin, enum mmu_access kind, bool touch,
                     struct walk *out, u32 *error)
{
    struct level l[2] = {{.size = 8}, {.size = 8}};
    u64 reserved = PAE_RESERVED | (s->mode & MMU_NXE ? 0 : PTE_XD);
    u64 pdpte = s->pdpte[lin >> 30 & 3];

    if (!(pdpte & PTE_P))
        return walk_fault(s, kind, 0, error);
    l[0].at = (pdpte & PAE_ADDR) + (lin >> 21 & 0x1ff) * 8;
    l[0].entry = physmem_load(s->pm, l[0].at, 8);
    if (!(l[0].entry & PTE_P))
        return walk_fault(s, kind, 0, error);
    bool large = l[0].entry & PTE_PS;
    if (l[0].entry & (reserved | (large ? 0x001fe000u : 0)))
        return walk_fault(s, kind, PF_P | PF_RSVD, error);
    bool xd = l[0].entry & PTE_XD;
    if (large) {
        phys_addr page = (l[0].entry & PAE_ADDR & ~(u64)0x1fffff) | (lin & 0x001ff000u);
        return walk_finish(s, l, 1, page, xd, kind, touch, out, error);
    }
    l[1].at = (l[0].entry & PAE_ADDR) + (lin >> 12 & 0x1ff) * 8;
    l[1].entry = physmem_load(s->pm, l[1].at, 8);
    if (!(l[1].entry & PTE_P))
        return walk_fault(s, kind, 0, error);
    if (l[1].entry & reserved)
        return walk_fault(s, kind, PF_P | PF_RSVD, error);
    xd |= (l[1].entry & PTE_XD) != 0;
    return walk_finish(s, l, 2, l[1].entry & PAE_ADDR, xd, kind, touch, out, error);
}

bool mmu_walk(const struct walk_space *s, lin_addr lin, enum mmu_access kind, bool touch,
              struct walk *out, u32 *error)
{
    if (!(s->mode & MMU_PG)) {
        *out = (struct walk){
            .phys = physmem_mask(s->pm, lin & PAGE_MASK), .writable = true, .executable = true};
        return true;
    }
    if (s->mode & MMU_PAE)
        return walk_pae(s, lin, kind, touch, out, error);
    return walk_32(s, lin, kind, touch, out, error);
}

bool mmu_load_pdptes(struct mmu *m, u64 cr3, bool nxe, u64 pdpte[4])
{
    const u64 reserved = PAE_RESERVED | PTE_XD | 0x1e6; /* bits 1-2 and 5-8 [SDM 3A Table 4-8] */
    u64 loaded[4];

    (void)nxe; /* bit 63 of a PDPTE is reserved with and without NXE */
    for (unsigned i = 0; i < 4; i++) {
        loaded[i] = physmem_load(m->pm, (cr3 & 0xffffffe0u) + 8 * i, 8);
        if ((loaded[i] & PTE_P) && (loaded[i] & reserved))
            return false;
    }
    for (unsigned i = 0; i < 4; i++)
        pdpte[i] = loaded[i];
    return true;
}
