/* SPDX-License-Identifier: MIT */
#include "mmu/physmem.h"
#include "tests/support/check.h"

struct bench {
    struct physmem *pm;
    u64 last_off, last_val;
    unsigned last_size, accesses;
    phys_addr watched;
    size_t watched_len;
};

static u64 dev_read(void *dev, u64 off, unsigned size)
{
    struct bench *b = dev;

    b->last_off = off;
    b->last_size = size;
    b->accesses++;
    return 0x1122334455667788ull >> (8 * (off & 7)) & (~(u64)0 >> (64 - 8 * size));
}

static void dev_write(void *dev, u64 off, u64 val, unsigned size)
{
    struct bench *b = dev;

    b->last_off = off;
    b->last_val = val;
    b->last_size = size;
    b->accesses++;
}

static const struct mmio_ops ops = {.read = dev_read, .write = dev_write, .max = 4};

static void on_watch(void *ctx, phys_addr phys, size_t len)
{
    struct bench *b = ctx;

    b->watched = phys;
    b->watched_len = len;
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));

    *state = b;
    assert_int_equal(physmem_create(&b->pm, 4 << 20), STATUS_OK);
    physmem_map_ram(b->pm, 0, 4 << 20, 0);
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    physmem_destroy(b->pm);
    free(b);
    return 0;
}

static void odd_sizes_are_refused(void **state)
{
    struct physmem *pm;

    (void)state;
    assert_int_equal(physmem_create(&pm, 0), STATUS_BAD_SIZE);
    assert_int_equal(physmem_create(&pm, 4097), STATUS_BAD_SIZE);
}

static void open_bus_reads_ones_and_drops_writes(void **state)
{
    struct bench *b = *state;

    assert_int_equal(physmem_load(b->pm, 0xd0000000, 4), 0xffffffff);
    physmem_store(b->pm, 0xd0000000, 0, 4);
    assert_int_equal(physmem_load(b->pm, 0xd0000000, 1), 0xff);
}

/* fw_cfg's DMA can be told to copy gigabytes to nowhere, in one instruction of the guest. */
static void open_bus_costs_a_device_next_to_nothing(void **state)
{
    struct bench *b = *state;
    u8 buf[3 * PAGE_SIZE] = {0};

    physmem_read(b->pm, 0xd0000001, buf, sizeof(buf));
    for (unsigned i = 0; i < sizeof(buf); i++)
        assert_int_equal(buf[i], 0xff);
    for (unsigned i = 0; i < (1u << 30) / sizeof(buf); i++)
        physmem_write(b->pm, 0x100000000 + (u64)i * sizeof(buf), buf, sizeof(buf));
    assert_int_equal(physmem_load(b->pm, 0x100000000, 1), 0xff);
}

static void a_device_gets_accesses_of_its_width(void **state)
{
    struct bench *b = *state;

    assert_int_equal(physmem_map_mmio(b->pm, 0xe0000000, 0x1000, &ops, b), STATUS_OK);
    assert_true(physmem_load(b->pm, 0xe0000000, 8) == 0x1122334455667788ull);
    assert_int_equal(b->accesses, 2);
    physmem_store(b->pm, 0xe0000004, 0xabcd, 2);
    assert_int_equal(b->last_off, 4);
    assert_int_equal(b->last_val, 0xabcd);
    assert_int_equal(b->last_size, 2);
}

static void rom_is_read_and_never_written(void **state)
{
    static const u8 rom[PAGE_SIZE] = {0x55, 0xaa};
    struct bench *b = *state;

    physmem_map_rom(b->pm, 0xfffff000, PAGE_SIZE, rom);
    physmem_store(b->pm, 0xfffff000, 0, 4);
    physmem_write(b->pm, 0xfffff000, "xxxx", 4);
    assert_int_equal(physmem_load(b->pm, 0xfffff000, 2), 0xaa55);
}

static void the_a20_gate_folds_odd_megabytes(void **state)
{
    struct bench *b = *state;

    physmem_store(b->pm, 0x100000, 0x11, 1);
    physmem_store(b->pm, 0, 0x22, 1);
    physmem_set_a20(b->pm, false);
    assert_int_equal(physmem_load(b->pm, 0x100000, 1), 0x22);
    physmem_set_a20(b->pm, true);
    assert_int_equal(physmem_load(b->pm, 0x100000, 1), 0x11);
}

static void bus_masters_cross_pages_and_reach_devices(void **state)
{
    struct bench *b = *state;
    u8 out[0x1800], in[0x1800];

    for (unsigned i = 0; i < sizeof(out); i++)
        out[i] = (u8)(i * 7);
    physmem_write(b->pm, 0xff3, out, sizeof(out));
    physmem_read(b->pm, 0xff3, in, sizeof(in));
    assert_memory_equal(in, out, sizeof(in));
    assert_int_equal(physmem_map_mmio(b->pm, 0x2000, 0x1000, &ops, b), STATUS_OK);
    physmem_write(b->pm, 0x1ffe, out, 8);
    assert_int_equal(b->last_off, 4);
}

static void a_watched_page_reports_writes_of_all_kinds(void **state)
{
    struct bench *b = *state;

    physmem_on_code_write(b->pm, on_watch, b);
    physmem_page(b->pm, 0x5000)->watch |= PAGE_WATCH_CODE;
    physmem_write(b->pm, 0x4ff0, "0123456789abcdefXYZ", 19);
    assert_int_equal(b->watched, 0x5000);
    assert_int_equal(b->watched_len, 3);
    physmem_store(b->pm, 0x5010, 1, 4);
    assert_int_equal(b->watched, 0x5010);
}

static void bars_may_move_for_ever(void **state)
{
    struct bench *b = *state;

    for (unsigned i = 0; i < 2000; i++) {
        phys_addr at = 0xc0000000 + (phys_addr)i * 0x1000;
        assert_int_equal(physmem_map_mmio(b->pm, at, 0x1000, &ops, b), STATUS_OK);
        assert_int_equal(physmem_load(b->pm, at, 1), 0x88);
        physmem_unmap(b->pm, at, 0x1000);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(odd_sizes_are_refused),
        T(open_bus_reads_ones_and_drops_writes),
        T(open_bus_costs_a_device_next_to_nothing),
        T(a_device_gets_accesses_of_its_width),
        T(rom_is_read_and_never_written),
        T(the_a20_gate_folds_odd_megabytes),
        T(bus_masters_cross_pages_and_reach_devices),
        T(a_watched_page_reports_writes_of_all_kinds),
        T(bars_may_move_for_ever),
    };
    return cmocka_run_group_tests_name("physmem", tests, NULL, NULL);
}
