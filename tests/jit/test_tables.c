/* SPDX-License-Identifier: MIT */
/* What is kept of a block's sites is what the backend said of them; tables of blocks by address; where
 * code goes. */
#include "jit/tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jit/backend.h"
#include "jit/jit.h"
#include "jit/jit_private.h"
#include "tests/support/check.h"
#include "tests/support/fpgen.h"
#include "tests/support/little_pc.h"

enum { SITES = 60, ROUNDS = 200 };

static struct recipe any_recipe(struct fpgen *r)
{
    static const i32 numbers[] = {0, 1, -1, 127, -128, 128, -129, INT32_MAX, INT32_MIN};
    struct recipe out = {.kind = (u8)fpgen_below(r, RECIPE_SAR + 1)};

    if (out.kind == RECIPE_STORED)
        return out;
    out.w = (u8)fpgen_below(r, 4);
    out.a = (u8)fpgen_below(r, 20);
    out.b = fpgen_below(r, 2) ? RECIPE_IMM : (u8)fpgen_below(r, 20);
    out.imm = numbers[fpgen_below(r, ARRAY_LEN(numbers))];
    return out;
}

static struct jit_site any_site(struct fpgen *r, u32 before)
{
    static const u32 distance[] = {1, 2, 11, 255, 256, 257, 1000};
    struct jit_site out = {.off = before + distance[fpgen_below(r, ARRAY_LEN(distance))],
                           .g = (u8)fpgen_below(r, 32),
                           .flags = any_recipe(r)};

    if (fpgen_below(r, 3) == 0)
        out.fp = (struct jit_fp_site){(u8)fpgen_below(r, 33), (u8)fpgen_below(r, 33),
                                      fpgen_below(r, 2) == 0, fpgen_below(r, 2) == 0,
                                      fpgen_below(r, 2) == 0};
    return out;
}

static void assert_same(const struct jit_site *a, const struct jit_site *b)
{
    assert_int_equal(a->off, b->off);
    assert_int_equal(a->g, b->g);
    assert_int_equal(a->flags.kind, b->flags.kind);
    assert_int_equal(a->flags.w, b->flags.w);
    assert_int_equal(a->flags.a, b->flags.a);
    assert_int_equal(a->flags.b, b->flags.b);
    assert_int_equal(a->flags.imm, b->flags.imm);
    assert_int_equal(a->fp.last, b->fp.last);
    assert_int_equal(a->fp.memory, b->fp.memory);
    assert_int_equal(a->fp.gate, b->fp.gate);
    assert_int_equal(a->fp.raised, b->fp.raised);
    assert_int_equal(a->fp.missed, b->fp.missed);
}

static void round_trip(struct fpgen *r)
{
    struct jit_site site[SITES], found;
    struct jit_block *b = calloc(1, sizeof(*b) + 2 * sizeof(struct jit_link) +
                                        sizeof(struct jit_call) + (size_t)SITES * JIT_SITE_MAX);
    u32 off = 0;

    assert_non_null(b);
    b->links = 2;
    b->calls = 1;
    for (unsigned i = 0; i < SITES; i++) {
        site[i] = any_site(r, off);
        off = site[i].off;
    }
    b->site_bytes = (u16)jit_sites_pack(jit_sites(b), site, SITES);
    assert_true(b->site_bytes <= SITES * JIT_SITE_MAX);
    for (unsigned i = 0; i < SITES; i++) {
        assert_true(jit_site_at(b, site[i].off, &found));
        assert_same(&found, &site[i]);
        if (i + 1 == SITES || site[i + 1].off != site[i].off + 1)
            assert_false(jit_site_at(b, site[i].off + 1, &found));
    }
    free(b);
}

static void sites_come_back_as_they_were(void **state)
{
    struct fpgen r = {1};

    (void)state;
    for (unsigned i = 0; i < ROUNDS; i++)
        round_trip(&r);
}

static void plain_site_takes_three_bytes(void **state)
{
    const struct jit_site site = {.off = 200, .g = 7, .flags = {.kind = RECIPE_STORED}};
    u8 to[JIT_SITE_MAX];

    (void)state;
    assert_int_equal(jit_sites_pack(to, &site, 1), 3);
}

static void eips_are_sums_of_lengths(void **state)
{
    static const struct insn insn[] = {{.len = 2}, {.len = 7}, {.len = 1}};
    const struct jit_block b = {.eip = 0xfffffff8, .guests = 3, .insn = insn};

    (void)state;
    assert_int_equal(jit_block_eip(&b, 0), 0xfffffff8);
    assert_int_equal(jit_block_eip(&b, 1), 0xfffffffa);
    assert_int_equal(jit_block_eip(&b, 2), 1);
    assert_int_equal(jit_block_eip(&b, 3), 2);
}

/* --- tables of blocks by address --- */

enum { KEYS = 128 };

/* A key is an address and two bits of the mode: KEYS of them, @step bytes apart. */
static unsigned places_of(u64 first, u64 step, u32 places)
{
    static bool taken[JIT_PATCHES];
    unsigned n = 0;

    memset(taken, 0, sizeof(taken));
    for (u64 i = 0; i < KEYS; i++) {
        u32 at = jit_place((first + i * step) << 2 | 1, places);
        assert_in_range(at, 0, places - 1);
        n += !taken[at];
        taken[at] = true;
    }
    return n;
}

/* By chance 128 keys would have 101 of 256 places, and 120 of 1024. */
static void blocks_at_equal_distances_have_places_of_their_own(void **state)
{
    (void)state;
    for (unsigned shift = 0; shift <= 16; shift++) {
        for (u64 first = 0x7c00; first < BIT64(32); first = first * 5 + 3) {
            assert_in_range(places_of(first, BIT64(shift), JIT_DEVICES), KEYS / 2, KEYS);
            assert_in_range(places_of(first, BIT64(shift), JIT_CROSSINGS), KEYS / 2, KEYS);
            assert_in_range(places_of(first, BIT64(shift), JIT_PATCHES), KEYS * 3 / 4, KEYS);
        }
    }
}

/* Blocks at the starts of pages, written over in turn. */
static void most_of_many_blocks_that_are_written_over_are_not_forgotten(void **state)
{
    struct jit *j = calloc(1, sizeof(*j));
    struct jit_block code = {0};
    struct block b[KEYS] = {0};
    unsigned kept = 0;

    (void)state;
    assert_non_null(j);
    for (unsigned i = 0; i < KEYS; i++) {
        b[i].key = (u64)(0x100000 + i * PAGE_SIZE) << 2 | 1;
        b[i].code = &code;
    }
    for (unsigned n = 0; n < JIT_PATCHED_OFTEN; n++) {
        for (unsigned i = 0; i < KEYS; i++)
            jit_patch_dropped(j, &b[i]);
    }
    for (unsigned i = 0; i < KEYS; i++)
        kept += jit_patch_times(j, &b[i]) == JIT_PATCHED_OFTEN;
    free(j);
    assert_in_range(kept, KEYS * 3 / 4, KEYS);
}

/* A chain of more blocks than the smallest cache holds: inc ax; jmp next. */
enum { CHAIN = 0x1000, CHAIN_END = 0xf000, CHAIN_STEP = 16, PASSES = 20 };

static void put_chain(struct little_pc *pc)
{
    static const u8 link[] = {0x40, 0xeb, CHAIN_STEP - 3};
    static const u8 end[] = {0x49, 0x74, 0x03, 0xe9,
                             0xfa, 0x1f, 0xf4}; /* dec cx; jz hlt; jmp 1000h */

    for (u32 at = CHAIN; at < CHAIN_END; at += CHAIN_STEP)
        physmem_write(pc->pm, at, link, sizeof(link));
    physmem_write(pc->pm, CHAIN_END, end, sizeof(end));
}

static void runs_are_counted_across_evictions(void **state)
{
    struct little_pc *pc = *state;
    struct jit_desc d = {.cpu = pc->cpu,
                         .physmem = pc->pm,
                         .engine = JIT_HOST,
                         .cache_bytes = JIT_CACHE_MIN,
                         .threshold = 1,
                         .count = true};
    u32 blocks = (CHAIN_END - CHAIN) / CHAIN_STEP;
    char text[4096];
    struct jit *j;

    if (!jit_supported())
        skip();
    assert_int_equal(jit_create(&j, &d), STATUS_OK);
    put_chain(pc);
    pc->cpu->gpr[REG_CX] = PASSES;
    pc->cpu->rip = CHAIN;
    assert_int_equal(little_pc_run(pc, 10000000), CPU_EXIT_HALTED);
    assert_int_equal((u16)pc->cpu->gpr[REG_AX], (u16)(PASSES * blocks));
    jit_stats(j, text, sizeof(text));
    jit_destroy(j);
    assert_null(strstr(text, " 0 segments evicted"));
    u64 executed = strtoull(strstr(text, "executed ") + strlen("executed "), NULL, 10);
    assert_in_range(executed, blocks, (u64)PASSES * (blocks + 2));
}

/* Little memory is one piece that every branch crosses; the stubs of more are near all code. */
static void stubs_are_within_reach(void **state)
{
    static struct jit_cache c;
    static const struct {
        const struct backend *b;
        size_t bytes;
    } all[] = {
        {&x64_backend, JIT_CACHE_MIN},     {&a64_backend, JIT_CACHE_MIN},
        {&x64_backend, (129u << 20) + 12}, {&a64_backend, 127u << 20},
        {&a64_backend, 128u << 20},        {&a64_backend, JIT_CACHE_MAX - 1},
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
        size_t bytes = all[i].bytes, reach = all[i].b->reach, sum = 0;
        assert_int_equal(cache_create(&c, bytes, all[i].b), STATUS_OK);
        const struct cache_segment *last = &c.segment[CACHE_SEGMENTS - 1];
        assert_int_equal(c.far, (size_t)(last->code_end - c.mem.write) - 4 > reach);
        for (const struct cache_segment *s = c.segment; s <= last; s++) {
            sum += (size_t)(s->code_end - s->code);
            assert_true(s->stubs + CACHE_STUB_BYTES <= s->code);
            assert_int_equal((s->code - c.mem.write) % 16, 0); /* whatever the size */
            assert_true(s->code_end <= c.mem.write + c.mem.size);
            assert_in_range(s->code_end - 4 - s->stubs, 0, reach);
            assert_true(s == c.segment || s->code >= s[-1].code_end);
            assert_true(s == c.segment || s->stubs == s[-1].stubs || s->stubs >= s[-1].code_end);
        }
        assert_in_range(sum, bytes - CACHE_SEGMENTS * (CACHE_STUB_BYTES + 16), bytes);
        cache_destroy(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sites_come_back_as_they_were),
        cmocka_unit_test(plain_site_takes_three_bytes),
        cmocka_unit_test(eips_are_sums_of_lengths),
        cmocka_unit_test(blocks_at_equal_distances_have_places_of_their_own),
        cmocka_unit_test(most_of_many_blocks_that_are_written_over_are_not_forgotten),
        cmocka_unit_test_setup_teardown(runs_are_counted_across_evictions, little_pc_setup,
                                        little_pc_teardown),
        cmocka_unit_test(stubs_are_within_reach),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
