/* SPDX-License-Identifier: MIT */
/* Decoded blocks, and writes in and beside them. */
#include "cpu/icache.h"
#include "tests/support/check.h"
#include "tests/support/little_pc.h"

enum { PAGE = 0x8000 };

/* NOPs up to a HLT, @bytes together, at @off of the page. */
static struct block *block_at(struct little_pc *pc, unsigned off, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        physmem_store(pc->pm, PAGE + off + i, i + 1 < bytes ? 0x90 : 0xf4, 1);
    return icache_get(pc->cpu->icache, PAGE + off, 0);
}

static void exactly_the_bytes_of_blocks_overlap(void **state)
{
    struct little_pc *pc = *state;
    const struct icache *ic = pc->cpu->icache;
    static const struct {
        unsigned off, bytes;
    } blocks[] = {{0, 1}, {60, 8}, {127, 1}, {128, 1}, {1000, 32}, {4095, 1}};

    for (unsigned i = 0; i < ARRAY_LEN(blocks); i++)
        assert_int_equal(block_at(pc, blocks[i].off, blocks[i].bytes)->bytes, blocks[i].bytes);
    for (unsigned at = 0; at < PAGE_SIZE; at++) {
        for (unsigned len = 1; len <= 16 && at + len <= PAGE_SIZE; len *= 2) {
            bool hit = false;
            for (unsigned i = 0; i < ARRAY_LEN(blocks); i++)
                hit |= at < blocks[i].off + blocks[i].bytes && blocks[i].off < at + len;
            assert_int_equal(icache_overlaps(ic, PAGE + at, len), hit);
        }
    }
    assert_false(icache_overlaps(ic, PAGE + PAGE_SIZE, 16));
}

static void a_write_drops_the_blocks_it_touches_and_no_others(void **state)
{
    struct little_pc *pc = *state;
    struct icache *ic = pc->cpu->icache;
    struct block *low = block_at(pc, 60, 8), *high = block_at(pc, 70, 4);

    physmem_store(pc->pm, PAGE + 68, 0x1234, 2); /* between them */
    assert_ptr_equal(icache_get(ic, PAGE + 60, 0), low);
    physmem_store(pc->pm, PAGE + 67, 0x90, 1);
    assert_false(icache_overlaps(ic, PAGE + 60, 8));
    assert_true(icache_overlaps(ic, PAGE + 70, 1));
    assert_ptr_equal(icache_get(ic, PAGE + 70, 0), high);
    physmem_store(pc->pm, PAGE + 64, 0x90909090u, 4); /* its piece has the other one still */
    assert_ptr_equal(icache_get(ic, PAGE + 70, 0), high);
    physmem_store(pc->pm, PAGE + 73, 0x90, 1);
    assert_false(icache_overlaps(ic, PAGE, 4096));
    assert_int_equal(physmem_page(pc->pm, PAGE)->watch, 0); /* writes are fast again */
}

static void an_engine_may_write_over_all_but_what_runs_or_stands_it(void **state)
{
    struct little_pc *pc = *state;
    struct icache *ic = pc->cpu->icache;
    struct block *low = block_at(pc, 60, 8), *high = block_at(pc, 70, 4);

    pc->cpu->attention = 0;
    assert_false(icache_write(ic, PAGE + 67, 1, low));
    low->soft = BIT(0);
    assert_false(icache_write(ic, PAGE + 67, 4, high));
    low->soft = 0;
    assert_true(icache_write(ic, PAGE + 68, 2, low)); /* between them */
    assert_ptr_equal(icache_get(ic, PAGE + 60, 0), low);
    assert_ptr_equal(icache_get(ic, PAGE + 70, 0), high);
    assert_true(icache_write(ic, PAGE + 67, 1, high));
    assert_false(icache_overlaps(ic, PAGE + 60, 8));
    assert_ptr_equal(icache_get(ic, PAGE + 70, 0), high);
    assert_int_equal(pc->cpu->attention, 0);
}

static void a_block_comes_back_with_its_bytes(void **state)
{
    struct little_pc *pc = *state;
    struct icache *ic = pc->cpu->icache;
    struct block *b = block_at(pc, 60, 8), *other;

    b->wanted = 100;
    physmem_store(pc->pm, PAGE + 61, 0x40, 1); /* INC AX */
    other = icache_get(ic, PAGE + 60, 0);
    assert_ptr_not_equal(other, b);
    assert_int_equal(other->lives, 0);
    physmem_store(pc->pm, PAGE + 61, 0x90, 1);
    assert_ptr_equal(icache_get(ic, PAGE + 60, 0), b);
    assert_int_equal(b->lives, 1);
    assert_int_equal(b->wanted, 0);
    assert_true(icache_overlaps(ic, PAGE + 67, 1));
    physmem_store(pc->pm, PAGE + 61, 0x40, 1);
    assert_ptr_equal(icache_get(ic, PAGE + 60, 0), other);
    icache_flush(ic);
    assert_int_equal(icache_get(ic, PAGE + 60, 0)->lives, 0);
}

static void a_write_of_what_is_there_drops_nothing(void **state)
{
    struct little_pc *pc = *state;
    struct icache *ic = pc->cpu->icache;
    struct block *b = block_at(pc, 60, 8);
    u8 bytes[16];

    pc->cpu->attention = 0;
    physmem_store(pc->pm, PAGE + 60, 0x9090909090909090, 4);
    physmem_store(pc->pm, PAGE + 60, 0xf490909090909090, 8);
    physmem_read(pc->pm, PAGE + 56, bytes, sizeof(bytes));
    physmem_write(pc->pm, PAGE + 56, bytes, sizeof(bytes)); /* as a device does */
    assert_ptr_equal(icache_get(ic, PAGE + 60, 0), b);
    assert_int_equal(pc->cpu->attention, 0);
    assert_int_equal(b->lives, 0);
    bytes[11] ^= 1;
    physmem_write(pc->pm, PAGE + 56, bytes, sizeof(bytes));
    assert_false(icache_overlaps(ic, PAGE + 60, 8));
    assert_int_equal(pc->cpu->attention, ATTN_CODE);
}

static void check(struct icache *ic, struct block *b, unsigned count, u32 soft, u32 soft_disp)
{
    assert_int_equal(icache_check(ic, b, count, soft, soft_disp), ICACHE_CHECKED);
}

static void a_checked_block_is_not_watched_but_compared(void **state)
{
    struct little_pc *pc = *state;
    struct icache *ic = pc->cpu->icache;
    struct block *b = block_at(pc, 60, 8), *other;

    check(ic, b, 5, 0, 0);
    assert_int_equal(b->bytes, 5);
    assert_int_equal(physmem_page(pc->pm, PAGE)->watch, 0);
    assert_ptr_equal(icache_get(ic, PAGE + 60, 0), b);
    pc->cpu->attention = 0;
    physmem_store(pc->pm, PAGE + 64, 0x40, 1);
    assert_int_equal(pc->cpu->attention, 0);
    other = icache_get(ic, PAGE + 60, 0);
    assert_ptr_not_equal(other, b);
    assert_int_equal(other->bytes, 8);
    check(ic, other, 8, 0, 0);
    assert_ptr_equal(icache_version(ic, b->key, NULL), b);
    assert_ptr_equal(icache_version(ic, b->key, b), other);
    assert_null(icache_version(ic, b->key, other));
    physmem_store(pc->pm, PAGE + 64, 0x90, 1);
    assert_ptr_equal(icache_get(ic, PAGE + 60, 0), b);
    physmem_store(pc->pm, PAGE + 66, 0x42, 1); /* behind the five */
    assert_ptr_equal(icache_get(ic, PAGE + 60, 0), b);
}

static void what_is_too_long_for_a_check_is_cut(void **state)
{
    struct little_pc *pc = *state;
    struct icache *ic = pc->cpu->icache;

    for (unsigned i = 0; i < 30; i++)
        physmem_store(pc->pm, PAGE + 3 * i, 0xb8, 3); /* mov ax, 0 */
    struct block *b = icache_get(ic, PAGE, 0);
    check(ic, b, 30, BIT(20) | BIT(21), 0);
    assert_int_equal(b->count, 21);
    assert_int_equal(b->bytes, 63);
    assert_int_equal(b->soft, BIT(20));
    physmem_store(pc->pm, PAGE + 63, 0xf4, 1);
    assert_ptr_equal(icache_get(ic, PAGE, 0), b);
}

static void what_is_soft_is_decoded_again_where_a_block_is_found(void **state)
{
    static const u8 code[] = {0x05, 0x34, 0x12, 0xf4}; /* add ax, 1234h; hlt */
    struct little_pc *pc = *state;
    struct icache *ic = pc->cpu->icache;

    physmem_write(pc->pm, PAGE, code, sizeof(code));
    struct block *b = icache_get(ic, PAGE, 0);
    check(ic, b, 1, BIT(0), 0);
    physmem_store(pc->pm, PAGE + 1, 0x5678, 2);
    assert_ptr_equal(icache_get(ic, PAGE, 0), b);
    assert_int_equal(b->insn[0].imm & 0xffff, 0x5678);
    physmem_store(pc->pm, PAGE + 1, 0x9abc, 2);
    assert_true(icache_refresh(ic, b)); /* as it runs */
    assert_int_equal(b->insn[0].imm & 0xffff, 0x9abc);
    physmem_store(pc->pm, PAGE, 0x2d, 1); /* sub */
    assert_ptr_not_equal(icache_get(ic, PAGE, 0), b);
}

static void count_code_dropped(void *ctx, struct block *b, enum icache_drop why)
{
    (void)why;
    *(unsigned *)ctx += b->code != NULL;
    b->code = NULL;
}

static void what_is_not_soft_any_more_does_not_change(void **state)
{
    static const u8 code[] = {0x05, 0x34, 0x12, 0x05, 0x78, 0x56, 0xf4}; /* add ax; add ax; hlt */
    struct little_pc *pc = *state;
    struct icache *ic = pc->cpu->icache;
    unsigned dropped = 0;

    physmem_write(pc->pm, PAGE, code, sizeof(code));
    struct block *b = icache_get(ic, PAGE, 0);
    check(ic, b, 2, BIT(0) | BIT(1), 0);
    icache_on_drop(ic, count_code_dropped, &dropped);
    b->code = b;
    icache_harden(ic, b, BIT(0) | BIT(1), BIT(0)); /* no more than now */
    assert_int_equal(b->soft_disp, 0);
    assert_int_equal(dropped, 0);
    icache_harden(ic, b, BIT(1), 0);
    assert_int_equal(dropped, 1);
    assert_int_equal(b->soft, BIT(1));
    icache_harden(ic, b, BIT(0) | BIT(1), 0); /* not soft again */
    assert_int_equal(b->soft, BIT(1));

    physmem_store(pc->pm, PAGE + 4, 0x9abc, 2);
    assert_ptr_equal(icache_get(ic, PAGE, 0), b);
    assert_int_equal(b->insn[1].imm & 0xffff, 0x9abc);
    physmem_store(pc->pm, PAGE + 1, 0x4321, 2);
    physmem_store(pc->pm, PAGE + 4, 0xdef0, 2);
    assert_false(icache_refresh(ic, b));
    assert_int_equal(b->insn[0].imm & 0xffff, 0x1234);
    assert_int_equal(b->insn[1].imm & 0xffff, 0x9abc);
    assert_ptr_not_equal(icache_get(ic, PAGE, 0), b);
    physmem_store(pc->pm, PAGE + 1, 0x1234, 2);
    assert_true(icache_refresh(ic, b));
    assert_int_equal(b->insn[1].imm & 0xffff, 0xdef0);
    icache_on_drop(ic, NULL, NULL);
}

/* MOV AL, @i; NOPs; HLT at one place. */
static struct block *version_at(struct little_pc *pc, unsigned i)
{
    physmem_store(pc->pm, PAGE + 60, 0xb0 | (i & 0xff) << 8, 2);
    return icache_get(pc->cpu->icache, PAGE + 60, 0);
}

static void there_are_so_many_versions_and_no_more(void **state)
{
    struct little_pc *pc = *state;
    struct icache *ic = pc->cpu->icache;
    struct block *b = block_at(pc, 60, 8);
    u64 key = b->key;
    unsigned n = 0;

    while (icache_check(ic, b = version_at(pc, n), 1, 0, 0) == ICACHE_CHECKED)
        n++;
    assert_int_equal(n, 32);
    assert_int_equal(icache_versions(ic, key), n);
    assert_true(icache_overlaps(ic, PAGE + 60, 1)); /* the last one is watched, and there */
    assert_ptr_equal(version_at(pc, n), b);
    for (unsigned i = 0; i < n; i += 4)
        version_at(pc, i)->code = b;
    assert_int_equal(icache_forget_versions(ic, key, true), n / 4);
    for (const struct block *v = NULL; (v = icache_version(ic, key, v));)
        assert_ptr_equal(v->code, b);
    check(ic, version_at(pc, n), 1, 0, 0);
    assert_int_equal(icache_versions(ic, key), n / 4 + 1);
    assert_int_equal(icache_forget_versions(ic, key, false), 0);
    assert_int_equal(icache_versions(ic, key), 0);
}

static void checks_are_given_back(void **state)
{
    struct little_pc *pc = *state;
    struct icache *ic = pc->cpu->icache;
    u64 key = block_at(pc, 60, 8)->key;

    for (unsigned i = 0; i < 10000; i++) {
        check(ic, version_at(pc, i), 1, 0, 0);
        if (i % 8 == 7)
            icache_forget_versions(ic, key, false);
    }
}

static void let_time_pass(struct little_pc *pc, i64 instructions)
{
    pc->clock.left -= instructions;
}

static void a_check_does_not_last_for_ever(void **state)
{
    struct little_pc *pc = *state;
    struct icache *ic = pc->cpu->icache;
    u64 key = block_at(pc, 60, 8)->key;

    check(ic, version_at(pc, 0), 1, 0, 0);
    let_time_pass(pc, 1 << 24);
    check(ic, version_at(pc, 1), 1, 0, 0);
    icache_age(ic);
    assert_int_equal(icache_versions(ic, key), 2);
    let_time_pass(pc, 1);
    icache_age(ic);
    assert_int_equal(icache_versions(ic, key), 1);
    assert_ptr_equal(version_at(pc, 1), icache_version(ic, key, NULL));
    version_at(pc, 0);
    assert_true(icache_overlaps(ic, PAGE + 60, 1)); /* watched again */
}

/* MOV AL, imm8 at the place of that number. */
static enum icache_checked check_at(struct little_pc *pc, unsigned place)
{
    struct icache *ic = pc->cpu->icache;

    physmem_store(pc->pm, 0x10000 + 4 * place, 0xf412b0, 4);
    return icache_check(ic, icache_get(ic, 0x10000 + 4 * place, 0), 1, 0, 0);
}

static void checks_that_were_not_worth_it_are_taken_back(void **state)
{
    struct little_pc *pc = *state;
    struct icache *ic = pc->cpu->icache;
    unsigned n = 0;

    while (check_at(pc, n) == ICACHE_CHECKED)
        n++;
    assert_int_equal(n, 4096);
    struct block *hot = icache_get(ic, 0x10000, 0);
    hot->code = hot;
    let_time_pass(pc, 1 << 20);
    assert_int_equal(check_at(pc, n), ICACHE_CHECKED);
    assert_ptr_equal(icache_version(ic, hot->key, NULL), hot);
    assert_int_equal(icache_versions(ic, hot->key + (4 << 2)), 0);
}

static void what_a_walk_changes_is_dropped_as_it_was_before(void **state)
{
    static const u8 code[] = {0x05, 0x34, 0x12, 0xf4}; /* add ax, 1234h; hlt */
    struct little_pc *pc = *state;
    struct icache *ic = pc->cpu->icache;

    for (unsigned checked = 0; checked < 2; checked++) {
        physmem_write(pc->pm, PAGE, code, sizeof(code));
        struct block *b = icache_get(ic, PAGE, 0);
        b->soft = BIT(0);
        if (checked)
            check(ic, b, 1, BIT(0), 0);
        physmem_store(pc->pm, PAGE + 1, 0x5678, 2); /* it stands that */
        assert_ptr_equal(checked ? icache_version(ic, b->key, NULL) : icache_get(ic, PAGE, 0), b);
        pc->cpu->attention = 0;
        physmem_mark(pc->pm, PAGE + 3, 0xf4, 4); /* behind it, if it has but one instruction */
        assert_int_equal(pc->cpu->attention, checked ? 0 : ATTN_CODE);
        pc->cpu->attention = 0;
        physmem_mark(pc->pm, PAGE, 0xf4567a05, 4);
        assert_int_equal(pc->cpu->attention, checked ? ATTN_CODE : 0);
        assert_int_equal(b->insn[0].imm & 0xffff, 0x5678);
        struct block *now = icache_get(ic, PAGE, 0);
        assert_ptr_not_equal(now, b);
        assert_int_equal(now->insn[0].imm & 0xffff, 0x567a);
    }
    assert_int_equal(icache_versions(ic, (u64)PAGE << 2), 0);
}

/* What has a check lies in one page, also where what is there now goes on in another, or in none. */
static void a_version_is_not_what_crosses_the_pages_end(void **state)
{
    const phys_addr at = PAGE + PAGE_SIZE - 1;
    const u32 next = (u32)(at >> PAGE_SHIFT) + 2;
    struct little_pc *pc = *state;
    struct icache *ic = pc->cpu->icache;

    physmem_store(pc->pm, at, 0x40, 1); /* inc ax */
    struct block *b = icache_get(ic, at, 0);
    check(ic, b, 1, 0, 0);
    physmem_store(pc->pm, at, 0x05, 1); /* add ax, imm16 */
    assert_null(icache_get(ic, at, 0));
    assert_null(icache_get_crossing(ic, at, 0, 0));
    struct block *crossing = icache_get_crossing(ic, at, 0, next);
    assert_int_equal(crossing->bytes, 3);
    assert_ptr_equal(icache_get_crossing(ic, at, 0, next), crossing);
    physmem_store(pc->pm, at, 0x40, 1);
    assert_ptr_equal(icache_get(ic, at, 0), b);
}

/* MOV EAX, imm32 at the end of PAGE, its last @bytes in the page after it or in @other. */
static struct block *crossing_at(struct little_pc *pc, unsigned bytes, phys_addr other)
{
    phys_addr at = PAGE + PAGE_SIZE + bytes - 5;

    if (physmem_load(pc->pm, at, 1) != 0xb8)
        physmem_store(pc->pm, at, 0xb8, 1);
    return icache_get_crossing(pc->cpu->icache, at, MODE_CS32, (u32)(other >> PAGE_SHIFT) + 1);
}

static void a_block_over_two_pages_is_dropped_by_a_write_to_either(void **state)
{
    struct little_pc *pc = *state;
    struct icache *ic = pc->cpu->icache;
    const phys_addr other = PAGE + 5 * PAGE_SIZE;

    for (unsigned bytes = 1; bytes <= 4; bytes++) {
        struct block *b = crossing_at(pc, bytes, other);
        assert_non_null(b);
        assert_int_equal(b->count, 1);
        assert_int_equal(b->bytes, 5);
        assert_true(icache_overlaps(ic, other, 1));
        assert_true(icache_overlaps(ic, other + bytes - 1, 1));
        assert_false(icache_overlaps(ic, other + bytes, 16));
        assert_false(icache_overlaps(ic, PAGE + PAGE_SIZE, 16));
        physmem_store(pc->pm, other + bytes, 0, 1);
        assert_ptr_equal(crossing_at(pc, bytes, other), b);

        physmem_store(pc->pm, other + bytes - 1, 0x10 + bytes, 1);
        assert_false(icache_overlaps(ic, PAGE, PAGE_SIZE));
        assert_int_equal(physmem_page(pc->pm, PAGE)->watch, 0);
        assert_int_equal(physmem_page(pc->pm, other)->watch, 0);

        assert_non_null(crossing_at(pc, bytes, other));
        physmem_store(pc->pm, PAGE + PAGE_SIZE - 1, 0x50 + bytes, 1);
        assert_false(icache_overlaps(ic, other, PAGE_SIZE));
        assert_int_equal(physmem_page(pc->pm, other)->watch, 0);
    }
}

static void a_block_over_two_pages_is_another_if_another_page_follows(void **state)
{
    struct little_pc *pc = *state;
    struct icache *ic = pc->cpu->icache;
    const phys_addr first = PAGE + PAGE_SIZE, second = PAGE + 7 * PAGE_SIZE;
    u8 copy[INSN_MAX_LEN];

    physmem_store(pc->pm, first, 0x11, 1);
    physmem_store(pc->pm, second, 0x22, 1);
    const struct block *b = crossing_at(pc, 1, first);
    assert_int_equal(b->insn->imm >> 24 & 0xff, 0x11);
    b = crossing_at(pc, 1, second);
    assert_int_equal(b->insn->imm >> 24 & 0xff, 0x22);
    assert_int_equal(icache_bytes(ic, b, copy)[4], 0x22);
    assert_false(icache_overlaps(ic, first, PAGE_SIZE));
    assert_int_equal(physmem_page(pc->pm, first)->watch, 0);

    b = crossing_at(pc, 1, PAGE); /* the same page again: in both of its lists */
    assert_non_null(b);
    physmem_store(pc->pm, PAGE, 0x90, 1);
    assert_false(icache_overlaps(ic, PAGE, PAGE_SIZE));
    assert_null(crossing_at(pc, 1, (phys_addr)64 << 20)); /* no memory */
    icache_flush(ic);
    assert_int_equal(physmem_page(pc->pm, second)->watch, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, little_pc_setup, little_pc_teardown)
    const struct CMUnitTest tests[] = {
        T(exactly_the_bytes_of_blocks_overlap),
        T(a_write_drops_the_blocks_it_touches_and_no_others),
        T(an_engine_may_write_over_all_but_what_runs_or_stands_it),
        T(a_block_comes_back_with_its_bytes),
        T(a_write_of_what_is_there_drops_nothing),
        T(a_checked_block_is_not_watched_but_compared),
        T(what_is_too_long_for_a_check_is_cut),
        T(what_is_soft_is_decoded_again_where_a_block_is_found),
        T(what_is_not_soft_any_more_does_not_change),
        T(there_are_so_many_versions_and_no_more),
        T(checks_are_given_back),
        T(a_check_does_not_last_for_ever),
        T(checks_that_were_not_worth_it_are_taken_back),
        T(what_a_walk_changes_is_dropped_as_it_was_before),
        T(a_version_is_not_what_crosses_the_pages_end),
        T(a_block_over_two_pages_is_dropped_by_a_write_to_either),
        T(a_block_over_two_pages_is_another_if_another_page_follows),
    };
    return cmocka_run_group_tests_name("icache", tests, NULL, NULL);
}
