/* SPDX-License-Identifier: MIT */
/*
 * The memory management unit of one CPU: page walks, and the software TLB in front of them.
 *
 * A context holds the translations of one address space as seen by one class of privilege: three
 * flat tables indexed by linear page. An entry is there only if an access of that kind may go
 * straight to the host page; everything special (not touched yet, no permission, not yet dirty,
 * device, page with code, page used as a page table) is simply absent and takes the slow path.
 *
 * The TLB is coherent: a page that a walk read entries from is write-tracked while anything derived
 * from it is cached, and a write to such an entry drops what was derived. So the guest cannot see
 * what is cached, MOV CR3 only selects a context, and INVLPG has nothing to do. Legal by [SDM 3A
 * §4.10.2.3] (a processor may invalidate any time); never is an entry filled that the guest did not
 * itself touch, in this address space or in another one through the same entry of the same table.
 */
#pragma once

#include "base/bits.h"
#include "base/types.h"
#include "mmu/physmem.h"

struct mmu;

#define MMU_WATCHPOINTS 8u
#define MMU_CONTEXTS    16u
#define MMU_PAGES       BIT64(20) /* linear pages of a 32-bit guest */

/* The first watchpoints are the debug registers', the others a debugger's. */
#define MMU_WATCH_DEBUGGER 4u

/** How paging works. Part of a context's key. */
enum mmu_mode {
    MMU_PG = BIT(0),    /* CR0.PG                                    */
    MMU_WP = BIT(1),    /* CR0.WP: supervisor writes obey R/W        */
    MMU_PSE = BIT(2),   /* CR4.PSE: 4 MiB pages in 32-bit paging     */
    MMU_PAE = BIT(3),   /* CR4.PAE                                   */
    MMU_NXE = BIT(4),   /* EFER.NXE: bit 63 is XD, else reserved     */
    MMU_USER = BIT(5),  /* the accesses are user-mode ones           */
    MMU_PSE36 = BIT(6), /* 4 MiB pages may lie above 4 GiB          */
};

/** Page-fault error code [SDM 3A §4.7]. */
enum pf_error {
    PF_P = BIT(0),
    PF_W = BIT(1),
    PF_U = BIT(2),
    PF_RSVD = BIT(3),
    PF_I = BIT(4),
};

/** Kinds of access; the bits are those of the error code. */
enum mmu_access { MMU_READ = 0, MMU_WRITE = PF_W, MMU_EXEC = PF_I };

/**
 * The translations of one context; generated code reads these tables. read and write hold
 * (host address - linear address), 0 if absent; exec holds (physical page number + 1), 0 if absent.
 */
struct mmu_tables {
    u64 *read, *write;
    u32 *exec;
};

/* The tables of a context lie in one piece, so that one register reaches them all: their distances
 * from read. On ARM64 there are zeros between them, which nobody writes, so that code can look up
 * page | (address & 7) << 20: what is not aligned is absent (jit/a64/a64_emit_mem.c). */
#if defined(__aarch64__)
#define MMU_TABLE_SPACE (MMU_PAGES * 8 * 8)
#else
#define MMU_TABLE_SPACE (MMU_PAGES * 8)
#endif
#define MMU_WRITE_OFFSET  MMU_TABLE_SPACE
#define MMU_EXEC_OFFSET   (MMU_TABLE_SPACE * 2)
#define MMU_CONTEXT_BYTES (MMU_EXEC_OFFSET + MMU_PAGES * 4)

/** Set by a failing access. */
struct mmu_fault {
    lin_addr lin;
    u32 error;  /* enum pf_error */
    bool align; /* not a page fault but an alignment check */
};

/** First member of struct mmu: what the inline paths need. */
struct mmu_view {
    struct mmu_tables cur; /* for accesses at the current privilege */
    struct mmu_tables sys; /* for implicit supervisor accesses      */
    struct mmu_fault fault;
    u32 watch_hits; /* bit n: watchpoint n was hit; the CPU clears it */
    u32 exec_lost;  /* times that an entry of an exec table became absent */
};

enum status mmu_create(struct mmu **out, struct physmem *pm) MUST_CHECK;
void mmu_destroy(struct mmu *m);

static inline struct mmu_view *mmu_view(struct mmu *m)
{
    return (struct mmu_view *)m;
}

/**
 * Select the address space: after any change to CR0, CR3, CR4 or EFER, and at MOV CR3. @pdpte is
 * used if @mode has MMU_PAE (the CPU loads it: mmu_load_pdptes). MMU_USER is ignored here.
 */
void mmu_set_space(struct mmu *m, u32 mode, u64 cr3, const u64 pdpte[4]);

/** CPL became 3, or ceased to be. */
void mmu_set_user(struct mmu *m, bool user);

/** Send every data access to the slow path (alignment checks, data breakpoints). */
void mmu_set_slow(struct mmu *m, bool slow);

/** Alignment checks: a misaligned user access fails with fault.align set [SDM 3A §6.15 #AC]. */
void mmu_set_align(struct mmu *m, bool on);

/**
 * Report accesses that touch [@lin, @lin + @len) in view.watch_hits bit @n: writes, and reads too
 * if
 * @reads. @len 0 turns it off. The CPU sends accesses to the slow path meanwhile (mmu_set_slow).
 */
void mmu_set_watch(struct mmu *m, unsigned n, lin_addr lin, unsigned len, bool reads);

/** Read the four PDPTEs at @cr3. False: a reserved bit is set in a present one [SDM 3A §4.4.1]. */
bool mmu_load_pdptes(struct mmu *m, u64 cr3, bool nxe, u64 pdpte[4]) MUST_CHECK;

/**
 * Who wants to know when a write to a page table dropped the translation of a page that was
 * executed: the code that runs may not be there any more, and every engine has to notice at the
 * same instruction. Told of hits of the debugger's watchpoints, too, which are to end the block.
 */
void mmu_on_dropped(struct mmu *m, void (*fn)(void *ctx), void *ctx);

/**
 * The caller is about to write [@phys, @phys + @len) itself, within a page whose only watcher is
 * PAGE_WATCH_TABLE: what came from the entries there is dropped. False: code that was executed came
 * from them, nothing is dropped, and the write has to be made where that can be noticed.
 */
bool mmu_table_write(struct mmu *m, phys_addr phys, size_t len) MUST_CHECK;

/** Forget everything cached; changes nothing that a guest can see. */
void mmu_flush(struct mmu *m);

/** Physical address of @lin for an access at the current privilege; false sets the fault. */
bool mmu_translate(struct mmu *m, lin_addr lin, enum mmu_access kind, phys_addr *out) MUST_CHECK;

/**
 * The same if no accessed or dirty bit has to be set for it. False changes nothing but the fault:
 * for those who then leave the access to somebody else, who may begin anew with earlier ones.
 */
bool mmu_translate_unmarked(struct mmu *m, lin_addr lin, enum mmu_access kind,
                            phys_addr *out) MUST_CHECK;

/** A byte of code at @phys, whatever answers there. */
u8 mmu_fetch_byte(struct mmu *m, phys_addr phys);

/** As a debugger: no faults, no A/D bits, supervisor rights. False: not mapped. */
bool mmu_peek(struct mmu *m, lin_addr lin, phys_addr *out) MUST_CHECK;

/** Keep writes to the page of @phys out of every fast path and report them (code watcher). */
void mmu_watch_code(struct mmu *m, phys_addr phys);
void mmu_unwatch_code(struct mmu *m, phys_addr phys);

/* Slow paths: any size 1..8, any alignment, page crossing included. @sys: supervisor rights. A
 * failing access has no effect but the fault; a write across pages checks both pages first. */
bool mmu_read_slow(struct mmu *m, lin_addr lin, unsigned size, bool sys, u64 *out) MUST_CHECK;
bool mmu_write_slow(struct mmu *m, lin_addr lin, unsigned size, bool sys, u64 val) MUST_CHECK;

/** Write @n bytes, at most 4096, at the current privilege: all of them where they were mapped
 * before the first, which may change the mapping, or none. */
bool mmu_write_bytes(struct mmu *m, lin_addr lin, const void *from, unsigned n) MUST_CHECK;

/** Check that [@lin, @lin + @len) may be accessed so, setting A and D bits; @len <= 4096. */
bool mmu_probe(struct mmu *m, lin_addr lin, size_t len, enum mmu_access kind, bool sys) MUST_CHECK;

/** A device that answers for a page: see mmu_device(). */
struct mmu_device {
    unsigned region;
    phys_addr at;
};

/**
 * The device at @lin if it is quiet and was accessed so before, at the current privilege: accesses
 * of that kind within the page cannot fail and may come in runs. Changes nothing.
 */
bool mmu_device(const struct mmu *m, lin_addr lin, enum mmu_access kind, struct mmu_device *out);

/** An access there, @by bytes on. */
u64 mmu_device_read(struct mmu *m, const struct mmu_device *d, u64 by, unsigned size);
void mmu_device_write(struct mmu *m, const struct mmu_device *d, u64 by, unsigned size, u64 val);

/** A read-modify-write in flight: the write can no longer fault. */
struct mmu_rmw {
    u8 *host;          /* plain RAM, or NULL: write back through the slow path */
    phys_addr phys[2]; /* then: where the bytes are, the second page if it crosses */
    unsigned first;    /* bytes in the first page */
};

/** Read for modification: faults as a write does [error code W=1]. */
bool mmu_rmw_slow(struct mmu *m, lin_addr lin, unsigned size, struct mmu_rmw *rmw,
                  u64 *old) MUST_CHECK;
void mmu_rmw_finish_slow(struct mmu *m, const struct mmu_rmw *rmw, unsigned size, u64 val);

/** Host bytes of @lin if its page can be accessed directly at the current privilege, or NULL. */
static inline u8 *mmu_host(const u64 *table, lin_addr lin)
{
    u64 e = table[lin >> PAGE_SHIFT];

    return e ? (u8 *)(uintptr_t)(e + lin) : NULL;
}

static inline bool mmu_in_page(lin_addr lin, unsigned size)
{
    return (lin & (PAGE_SIZE - 1)) + size <= PAGE_SIZE;
}

/* The inline accesses. @lin is below 4 GiB for 32-bit guests; @size is a constant 1, 2, 4 or 8. */
ALWAYS_INLINE bool mmu_read(struct mmu *m, lin_addr lin, unsigned size, u64 *out)
{
    const u8 *p = mmu_host(mmu_view(m)->cur.read, lin);

    if (LIKELY(p && mmu_in_page(lin, size))) {
        *out = load_le(p, size);
        return true;
    }
    return mmu_read_slow(m, lin, size, false, out);
}

ALWAYS_INLINE bool mmu_write(struct mmu *m, lin_addr lin, unsigned size, u64 val)
{
    u8 *p = mmu_host(mmu_view(m)->cur.write, lin);

    if (LIKELY(p && mmu_in_page(lin, size))) {
        store_le(p, val, size);
        return true;
    }
    return mmu_write_slow(m, lin, size, false, val);
}

ALWAYS_INLINE bool mmu_rmw(struct mmu *m, lin_addr lin, unsigned size, struct mmu_rmw *rmw,
                           u64 *old)
{
    u8 *p = mmu_host(mmu_view(m)->cur.write, lin);

    if (LIKELY(p && mmu_in_page(lin, size))) {
        rmw->host = p;
        *old = load_le(p, size);
        return true;
    }
    return mmu_rmw_slow(m, lin, size, rmw, old);
}

ALWAYS_INLINE void mmu_rmw_finish(struct mmu *m, const struct mmu_rmw *rmw, unsigned size, u64 val)
{
    if (LIKELY(rmw->host != NULL))
        store_le(rmw->host, val, size);
    else
        mmu_rmw_finish_slow(m, rmw, size, val);
}
