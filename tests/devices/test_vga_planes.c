/* SPDX-License-Identifier: MIT */
/*
 * The planes against a model of what [VGA] says about the Graphics Controller and the Sequencer,
 * a byte at a time: random registers, accesses of every size.
 */
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/vga_board.h"

enum { PLANE = 0x10000, ROUNDS = 4000, ACCESSES = 24, PLACES = 64 };

struct model {
    u8 plane[4][PLANE], latch[4];
    u8 map_mask, memory;                                /* SR2, SR4 */
    u8 set, enable, rotate, read_map, mode, misc, mask; /* GR0, 1, 3, 4, 5, 6, 8 */
};

struct rng {
    u64 state;
};

static u64 rng_next(struct rng *r)
{
    r->state = r->state * 6364136223846793005u + 1442695040888963407u;
    return r->state ^ r->state >> 32;
}

static u32 rng_below(struct rng *r, u32 n)
{
    return (u32)(rng_next(r) >> 33) % n;
}

static int setup(void **state)
{
    *state = vga_board_create((struct vga_desc){0}, 1 << 20);
    return 0;
}

static bool is_odd_even(const struct model *m)
{
    return !(m->memory & 4);
}

static u32 address(const struct model *m, u32 off)
{
    return m->misc & 2 ? off & ~1u : off;
}

static u8 combine(const struct model *m, u8 data, u8 latch)
{
    switch (m->rotate >> 3) {
    case 1:
        return data & latch;
    case 2:
        return data | latch;
    case 3:
        return data ^ latch;
    default:
        return data;
    }
}

static u8 rotate(const struct model *m, u8 val)
{
    for (unsigned n = m->rotate & 7; n; n--)
        val = (u8)(val >> 1 | (val & 1) << 7);
    return val;
}

static void model_write(struct model *m, u32 off, u8 val)
{
    for (unsigned p = 0; p < 4; p++) {
        u8 bit = (u8)(1u << p), mask = m->mask, data, out;
        u8 filled = m->set & bit ? 0xff : 0;

        if (!(m->map_mask & bit) || (is_odd_even(m) && (off & 1) != (p & 1)))
            continue;
        switch (m->mode & 3) {
        case 0:
            data = m->enable & bit ? filled : rotate(m, val);
            break;
        case 2:
            data = val & bit ? 0xff : 0;
            break;
        default:
            data = filled;
            mask &= rotate(m, val);
        }
        out = (u8)((combine(m, data, m->latch[p]) & mask) | (m->latch[p] & ~mask));
        m->plane[p][address(m, off)] = (m->mode & 3) == 1 ? m->latch[p] : out;
    }
}

static u8 model_read(struct model *m, u32 off)
{
    u8 from = m->mode & 0x10 ? (u8)((m->read_map & 2) | (off & 1)) : m->read_map;

    for (unsigned p = 0; p < 4; p++)
        m->latch[p] = m->plane[p][address(m, off)];
    return m->latch[from];
}

/* Programs that are in a hurry have simple registers: half of the rounds do. */
static void set_registers(struct board *b, struct model *m, struct rng *r)
{
    bool simple = rng_below(r, 2);

    m->map_mask = rng_below(r, 2) ? 15 : (u8)rng_below(r, 16);
    m->memory = rng_below(r, 2) ? 6 : 2;
    m->set = (u8)rng_below(r, 16);
    m->enable = rng_below(r, 2) ? 0 : (u8)rng_below(r, 16);
    m->rotate = simple ? 0 : (u8)rng_below(r, 32);
    m->read_map = (u8)rng_below(r, 4);
    m->mode = (u8)(rng_below(r, simple ? 2 : 4) | rng_below(r, 2) << 4);
    m->misc = (u8)(5 | rng_below(r, 2) << 1);
    m->mask = rng_below(r, 2) ? 0xff : (u8)rng_below(r, 256);
    indexed(b, 0x3c4, 2, m->map_mask);
    indexed(b, 0x3c4, 4, m->memory);
    indexed(b, 0x3ce, 0, m->set);
    indexed(b, 0x3ce, 1, m->enable);
    indexed(b, 0x3ce, 3, m->rotate);
    indexed(b, 0x3ce, 4, m->read_map);
    indexed(b, 0x3ce, 5, m->mode);
    indexed(b, 0x3ce, 6, m->misc);
    indexed(b, 0x3ce, 8, m->mask);
}

static void access(struct board *b, struct model *m, struct rng *r)
{
    unsigned size = 1u << rng_below(r, 4);
    u32 off = rng_below(r, 4) ? rng_below(r, PLACES) : PLANE - size - rng_below(r, PLACES);
    u64 val = 0, want = 0;

    if (rng_below(r, 3)) {
        val = rng_next(r);
        physmem_store(b->pm, 0xa0000 + off, val, size);
        for (unsigned i = 0; i < size; i++)
            model_write(m, off + i, (u8)(val >> 8 * i));
        return;
    }
    val = physmem_load(b->pm, 0xa0000 + off, size);
    for (unsigned i = 0; i < size; i++)
        want |= (u64)model_read(m, off + i) << 8 * i;
    assert_int_equal(val, want);
}

/* What every plane holds where accesses went, by read mode 0. */
static void compare(struct board *b, struct model *m)
{
    indexed(b, 0x3c4, 4, 6);
    indexed(b, 0x3ce, 5, 0);
    indexed(b, 0x3ce, 6, 5);
    for (u8 p = 0; p < 4; p++) {
        indexed(b, 0x3ce, 4, p);
        for (u32 i = 0; i < 2 * (PLACES + 8); i++) {
            u32 off = i < PLACES + 8 ? i : PLANE - 1 - (i - PLACES - 8);
            assert_int_equal(physmem_load(b->pm, 0xa0000 + off, 1), m->plane[p][off]);
        }
    }
    for (unsigned p = 0; p < 4; p++)
        m->latch[p] = m->plane[p][PLANE - PLACES - 8];
}

static void accesses_of_every_size_do_what_the_registers_say(void **state)
{
    static struct model m;
    struct board *b = *state;
    struct rng r = {86};

    memset(&m, 0, sizeof(m));
    out(b, 0x3c2, 0x63);
    for (unsigned round = 0; round < ROUNDS; round++) {
        set_registers(b, &m, &r);
        for (unsigned i = 0; i < ACCESSES; i++)
            access(b, &m, &r);
        if (round % 50 == 49)
            compare(b, &m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(accesses_of_every_size_do_what_the_registers_say, setup,
                                        vga_board_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
