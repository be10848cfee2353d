/* SPDX-License-Identifier: MIT */
/* Page walks and the coherent TLB, seen as a CPU sees them. */
#include "mmu/mmu.h"
#include "tests/support/check.h"

enum { PD = 0x10000, PT = 0x11000, DATA = 0x20000, OTHER = 0x21000 };
enum { P = 1, RW = 2, US = 4, A = 0x20, D = 0x40, PS = 0x80 };

struct bench {
    struct physmem *pm;
    struct mmu *m;
    u64 pdpte[4];
};

static void space(struct bench *b, u32 mode)
{
    mmu_set_space(b->m, mode | MMU_PG, PD, b->pdpte);
}

static void put(struct bench *b, phys_addr at, u64 v, unsigned size)
{
    physmem_store(b->pm, at, v, size);
}

static u32 get(struct bench *b, phys_addr at)
{
    return (u32)physmem_load(b->pm, at, 4);
}

#define VIDEO_PAGES 32u

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));

    *state = b;
    assert_int_equal(physmem_create_video(&b->pm, 16 << 20, VIDEO_PAGES * PAGE_SIZE), STATUS_OK);
    physmem_map_ram(b->pm, 0, 16 << 20, 0);
    assert_int_equal(mmu_create(&b->m, b->pm), STATUS_OK);
    put(b, PD, PT | P | RW | US, 4);
    put(b, PT + 4 * 5, DATA | P | RW | US, 4); /* linear 5000h */
    put(b, DATA + 0x10, 0xcafe, 4);
    put(b, OTHER + 0x10, 0xbeef, 4);
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    mmu_destroy(b->m);
    physmem_destroy(b->pm);
    free(b);
    return 0;
}

static bool rd(struct bench *b, lin_addr lin, u64 *v)
{
    return mmu_read(b->m, lin, 4, v);
}

static bool wr(struct bench *b, lin_addr lin, u64 v)
{
    return mmu_write(b->m, lin, 4, v);
}

static u32 error(struct bench *b)
{
    return mmu_view(b->m)->fault.error;
}

static void accessed_and_dirty_follow_the_accesses(void **state)
{
    struct bench *b = *state;
    u64 v;

    space(b, 0);
    assert_true(rd(b, 0x5010, &v));
    assert_int_equal(v, 0xcafe);
    assert_int_equal(get(b, PD) & (A | D), A);
    assert_int_equal(get(b, PT + 20) & (A | D), A);
    assert_true(wr(b, 0x5010, 1));
    assert_int_equal(get(b, PT + 20) & (A | D), A | D);
    assert_int_equal(get(b, DATA + 0x10), 1);
}

static void a_changed_entry_is_seen_without_invlpg(void **state)
{
    struct bench *b = *state;
    u64 v;

    space(b, 0);
    assert_true(rd(b, 0x5010, &v));
    put(b, PT + 20, OTHER | P | RW | US, 4); /* as another CPU or DMA would */
    assert_true(rd(b, 0x5010, &v));
    assert_int_equal(v, 0xbeef);
    put(b, PT + 20, 0, 4);
    assert_false(rd(b, 0x5010, &v));
    assert_int_equal(error(b), 0);
    assert_int_equal(mmu_view(b->m)->fault.lin, 0x5010);
}

static void a_cleared_dirty_bit_is_set_again(void **state)
{
    struct bench *b = *state;

    space(b, 0);
    assert_true(wr(b, 0x5010, 1));
    put(b, PT + 20, DATA | P | RW | US, 4);
    assert_true(wr(b, 0x5010, 2));
    assert_int_equal(get(b, PT + 20) & (A | D), A | D);
}

static void a_guest_may_write_its_tables_through_its_own_mapping(void **state)
{
    struct bench *b = *state;
    u64 v;

    put(b, PT + 4 * 6, PT | P | RW, 4); /* linear 6000h is the table itself */
    space(b, 0);
    assert_true(wr(b, 0x6000 + 28, DATA | P | RW)); /* maps 7000h */
    assert_true(rd(b, 0x7010, &v));
    assert_int_equal(v, 0xcafe);
    assert_true(wr(b, 0x6000 + 28, OTHER | P | RW));
    assert_true(rd(b, 0x7010, &v));
    assert_int_equal(v, 0xbeef);
    /* and a directory that contains itself, as many systems do */
    put(b, PD + 4 * 1023, PD | P | RW, 4);
    assert_true(wr(b, 0xffc00000 + 28, DATA | P | RW));
    assert_true(rd(b, 0x7010, &v));
    assert_int_equal(v, 0xcafe);
    assert_true(wr(b, 0xfffff000, 0)); /* PDE 0 away: all of it goes */
    assert_false(rd(b, 0x7010, &v));
}

static void released_tables_are_written_fast_again(void **state)
{
    struct bench *b = *state;
    u64 v;

    space(b, 0);
    assert_true(rd(b, 0x5010, &v));
    assert_true(physmem_page(b->pm, PT)->watch & PAGE_WATCH_TABLE);
    put(b, PT + 20, 0, 4);
    assert_false(physmem_page(b->pm, PT)->watch & PAGE_WATCH_TABLE);
    assert_false(physmem_page(b->pm, PD)->watch & PAGE_WATCH_TABLE);
}

/* CPL x U/S x R/W x WP [SDM 3A §4.6.1]. */
static void rights_are_those_of_the_manual(void **state)
{
    struct bench *b = *state;

    for (unsigned i = 0; i < 32; i++) {
        bool user = i & 1, us = i & 2, rw = i & 4, wp = i & 8, pde_rw = i & 16;
        u64 v;
        put(b, PD, PT | P | US | (pde_rw ? RW : 0), 4);
        put(b, PT + 20, DATA | P | (us ? US : 0) | (rw ? RW : 0), 4);
        space(b, wp ? MMU_WP : 0);
        mmu_set_user(b->m, user);
        bool can_read = !user || us;
        bool can_write = user ? us && rw && pde_rw : !wp || (rw && pde_rw);
        assert_int_equal(rd(b, 0x5010, &v), can_read);
        if (!can_read)
            assert_int_equal(error(b), PF_P | PF_U);
        assert_int_equal(wr(b, 0x5010, 0xcafe), can_write);
        if (!can_write)
            assert_int_equal(error(b), PF_P | PF_W | (user ? PF_U : 0u));
        mmu_set_user(b->m, false);
    }
}

static void large_pages_and_their_reserved_bits(void **state)
{
    struct bench *b = *state;
    u64 v;

    put(b, PD + 4, 0x00000000 | P | RW | PS, 4); /* 400000h.. -> 0.. */
    space(b, MMU_PSE);
    assert_true(rd(b, 0x400000 + DATA + 0x10, &v));
    assert_int_equal(v, 0xcafe);
    put(b, PD + 4, BIT(21) | P | RW | PS, 4);
    assert_false(rd(b, 0x400000, &v));
    assert_int_equal(error(b), PF_P | PF_RSVD);
    put(b, PD + 4, BIT(13) | P | RW | PS, 4);
    assert_false(rd(b, 0x400000, &v));
    space(b, MMU_PSE | MMU_PSE36); /* now bit 13 is address bit 32: open bus */
    assert_true(rd(b, 0x400000, &v));
    assert_int_equal(v, 0xffffffff);
}

static void pae_nx_and_reserved_bits(void **state)
{
    struct bench *b = *state;
    phys_addr phys;
    u64 v;

    b->pdpte[0] = PD | P;
    put(b, PD, PT | P | RW | US, 8);
    put(b, PT + 8 * 5, DATA | P | RW | US | BIT64(63), 8);
    space(b, MMU_PAE);
    assert_false(rd(b, 0x5010, &v)); /* XD is reserved without NXE */
    assert_int_equal(error(b), PF_P | PF_RSVD);
    space(b, MMU_PAE | MMU_NXE);
    assert_true(rd(b, 0x5010, &v));
    assert_false(mmu_translate(b->m, 0x5010, MMU_EXEC, &phys));
    assert_int_equal(error(b), PF_P | PF_I);
    put(b, PT + 8 * 5, DATA | P | BIT64(40), 8);
    assert_false(rd(b, 0x5010, &v));
    assert_int_equal(error(b), PF_P | PF_RSVD);
    assert_false(rd(b, 0x40000000, &v)); /* PDPTE 1 is not present */
    assert_int_equal(error(b), 0);
}

static void an_access_across_pages_is_all_or_nothing(void **state)
{
    struct bench *b = *state;
    u64 v;

    space(b, 0);
    put(b, DATA + 0xffc, 0x11223344, 4);
    assert_false(wr(b, 0x5ffe, 0xaabbccdd));
    assert_int_equal(mmu_view(b->m)->fault.lin, 0x6000);
    assert_int_equal(get(b, DATA + 0xffc), 0x11223344);
    put(b, PT + 24, OTHER | P | RW | US, 4);
    assert_true(wr(b, 0x5ffe, 0xaabbccdd));
    assert_true(rd(b, 0x5ffe, &v));
    assert_int_equal(v, 0xaabbccdd);
    assert_int_equal(get(b, OTHER) & 0xffff, 0xaabb);
}

static void contexts_of_address_spaces_do_not_mix(void **state)
{
    struct bench *b = *state;
    u64 v;

    for (unsigned i = 0; i < 40; i++) { /* more than there are contexts */
        phys_addr pd = 0x100000 + i * 0x3000;
        put(b, pd, (pd + 0x1000) | P | RW, 4);
        put(b, pd + 0x1000 + 20, (pd + 0x2000) | P | RW, 4);
        put(b, pd + 0x2000, i, 4);
    }
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 40; i++) {
            mmu_set_space(b->m, MMU_PG, 0x100000 + i * 0x3000, b->pdpte);
            assert_true(rd(b, 0x5000, &v));
            assert_int_equal(v, i);
        }
    }
}

static void a_page_with_code_takes_writes_slowly_and_reports_them(void **state)
{
    struct bench *b = *state;

    space(b, 0);
    assert_true(wr(b, 0x5010, 1));
    assert_non_null(mmu_host(mmu_view(b->m)->cur.write, 0x5010));
    mmu_watch_code(b->m, DATA);
    assert_null(mmu_host(mmu_view(b->m)->cur.write, 0x5010));
    assert_true(wr(b, 0x5010, 2));
    assert_null(mmu_host(mmu_view(b->m)->cur.write, 0x5010));
    mmu_unwatch_code(b->m, DATA);
    assert_true(wr(b, 0x5010, 3));
    assert_non_null(mmu_host(mmu_view(b->m)->cur.write, 0x5010));
    assert_int_equal(get(b, DATA + 0x10), 3);
}

/* One look at what was written through all addresses of video memory. */
static bool written(struct bench *b, phys_addr at, unsigned page)
{
    bool pages[VIDEO_PAGES] = {false};

    physmem_video_written(b->pm, at, 16 * PAGE_SIZE, pages);
    for (unsigned i = 0; i < VIDEO_PAGES; i++)
        assert_true(i == page || !pages[i]);
    return pages[page];
}

static void video_memory_is_direct_and_tells_of_writes(void **state)
{
    static const u64 no_pdpte[4];
    const phys_addr at = 0x2000000;
    struct bench *b = *state;
    bool all[VIDEO_PAGES];
    u64 v;

    mmu_set_space(b->m, 0, 0, no_pdpte);
    physmem_map_video(b->pm, at, 16 * PAGE_SIZE, 0);
    assert_true(wr(b, at + 0x3010, 0x1234));
    assert_non_null(mmu_host(mmu_view(b->m)->cur.write, at + 0x3010));
    assert_int_equal(load32(physmem_video(b->pm) + 0x3010), 0x1234);
    physmem_video_written(b->pm, at, 16 * PAGE_SIZE, all); /* everything, the first time */
    assert_true(all[0] && all[15]);
    assert_false(written(b, at, 3));
    assert_null(mmu_host(mmu_view(b->m)->cur.write, at + 0x3010));
    assert_true(rd(b, at + 0x3010, &v)); /* reading is none */
    assert_false(written(b, at, 3));
    assert_true(wr(b, at + 0x3010, 5) && wr(b, at + 0x3014, 6));
    assert_non_null(mmu_host(mmu_view(b->m)->cur.write, at + 0x3010));
    assert_true(written(b, at, 3));
    put(b, at + 0x3020, 7, 4); /* by a bus master */
    assert_true(written(b, at, 3));
}

static u64 device_read(void *dev, u64 off, unsigned size)
{
    (void)dev, (void)size;
    return 0x1000 + off;
}

static void device_write(void *dev, u64 off, u64 val, unsigned size)
{
    u64 *last = dev;

    (void)size;
    *last = off << 32 | val;
}

static bool device_quiet(const void *dev)
{
    (void)dev;
    return true;
}

/* A device's page is found again without a walk, and only for what was allowed. */
static void a_page_of_a_device_keeps_its_rights(void **state)
{
    static const struct mmio_ops ops = {device_read, device_write, 4, device_quiet};
    const phys_addr device = 0x2000000;
    struct bench *b = *state;
    struct mmu_device d;
    u64 v, last = 0;

    assert_int_equal(physmem_map_mmio(b->pm, device, PAGE_SIZE, &ops, &last), STATUS_OK);
    put(b, PT + 20, device | P, 4);
    space(b, MMU_WP);
    assert_false(mmu_device(b->m, 0x5010, MMU_READ, &d)); /* not touched yet */
    for (unsigned i = 0; i < 2; i++) {
        assert_true(rd(b, 0x5010, &v));
        assert_int_equal(v, 0x1010);
        assert_false(wr(b, 0x5010, 1));
        assert_int_equal(error(b), PF_P | PF_W);
    }
    assert_true(mmu_device(b->m, 0x5010, MMU_READ, &d));
    assert_int_equal(mmu_device_read(b->m, &d, 4, 4), 0x1014);
    assert_false(mmu_device(b->m, 0x5010, MMU_WRITE, &d));
    put(b, PT + 20, device | P | RW, 4);
    assert_false(mmu_device(b->m, 0x5010, MMU_READ, &d));
    for (unsigned i = 0; i < 2; i++)
        assert_true(wr(b, 0x5020, 7));
    assert_int_equal(last, (u64)0x20 << 32 | 7);
    assert_int_equal(get(b, PT + 20) & (A | D), A | D);
    mmu_set_user(b->m, true);
    assert_false(rd(b, 0x5010, &v));
    assert_false(mmu_device(b->m, 0x5010, MMU_READ, &d));
    mmu_set_user(b->m, false);
    mmu_set_slow(b->m, true);
    assert_false(mmu_device(b->m, 0x5010, MMU_READ, &d));
    mmu_set_slow(b->m, false);
    physmem_map_ram(b->pm, device, PAGE_SIZE, DATA);
    assert_false(mmu_device(b->m, 0x5010, MMU_READ, &d));
    assert_true(rd(b, 0x5010, &v));
    assert_int_equal(v, 0xcafe);
}

static void told_dropped(void *ctx)
{
    ++*(int *)ctx;
}

static void a_write_to_a_table_may_be_made_by_the_caller_unless_code_hangs_on_it(void **state)
{
    const struct mmu_view *v = mmu_view(((struct bench *)*state)->m);
    struct bench *b = *state;
    phys_addr phys;
    int told = 0;
    u64 got;

    mmu_on_dropped(b->m, told_dropped, &told);
    space(b, 0);
    assert_true(rd(b, 0x5010, &got));
    assert_true(mmu_table_write(b->m, PT + 24, 4)); /* the entry beside it: nothing is dropped */
    assert_non_null(mmu_host(v->cur.read, 0x5010));
    assert_true(mmu_table_write(b->m, PT + 20, 4));
    assert_null(mmu_host(v->cur.read, 0x5010));
    assert_int_equal(told, 0); /* only data: the block goes on */

    assert_true(mmu_translate(b->m, 0x5000, MMU_EXEC, &phys));
    assert_false(mmu_table_write(b->m, PT + 20, 4));
    assert_int_equal(v->cur.exec[5], (DATA >> PAGE_SHIFT) + 1);
    assert_int_equal(told, 0);
    put(b, PT + 20, 0, 4);
    assert_int_equal(v->cur.exec[5], 0);
    assert_int_equal(told, 1);
}

static void banks_of_video_memory_move_at_once(void **state)
{
    static const u64 no_pdpte[4];
    const phys_addr window = 0xa0000;
    struct bench *b = *state;
    phys_addr phys;
    u64 v;

    mmu_set_space(b->m, 0, 0, no_pdpte);
    physmem_map_video(b->pm, window, 16 * PAGE_SIZE, 0);
    assert_true(wr(b, window, 1) && wr(b, window, 1) && rd(b, window, &v));
    physmem_bank_video(b->pm, window, 16 * PAGE_SIZE, 16 * PAGE_SIZE);
    assert_true(rd(b, window, &v));
    assert_int_equal(v, 0);
    assert_true(wr(b, window, 2));
    assert_int_equal(load32(physmem_video(b->pm)), 1);
    assert_int_equal(load32(physmem_video(b->pm) + 16 * PAGE_SIZE), 2);
    /* Two addresses of one page: code in it is fetched anew, one instruction at a time. */
    assert_true(mmu_translate(b->m, window, MMU_EXEC, &phys));
    assert_int_equal(mmu_view(b->m)->cur.exec[window >> PAGE_SHIFT], 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(accessed_and_dirty_follow_the_accesses),
        T(a_changed_entry_is_seen_without_invlpg),
        T(a_cleared_dirty_bit_is_set_again),
        T(a_guest_may_write_its_tables_through_its_own_mapping),
        T(released_tables_are_written_fast_again),
        T(rights_are_those_of_the_manual),
        T(large_pages_and_their_reserved_bits),
        T(pae_nx_and_reserved_bits),
        T(an_access_across_pages_is_all_or_nothing),
        T(contexts_of_address_spaces_do_not_mix),
        T(a_page_with_code_takes_writes_slowly_and_reports_them),
        T(video_memory_is_direct_and_tells_of_writes),
        T(a_write_to_a_table_may_be_made_by_the_caller_unless_code_hangs_on_it),
        T(banks_of_video_memory_move_at_once),
        T(a_page_of_a_device_keeps_its_rights),
    };
    return cmocka_run_group_tests_name("mmu", tests, NULL, NULL);
}
