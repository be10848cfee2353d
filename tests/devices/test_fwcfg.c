/* SPDX-License-Identifier: MIT */
#include "devices/fwcfg.h"
#include "tests/support/device_state.h"

struct board {
    struct ioport_bus *io;
    struct physmem *pm;
    struct fwcfg *chip;
};

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    b->io = ioport_create();
    assert_int_equal(physmem_create(&b->pm, 1 << 20), STATUS_OK);
    physmem_map_ram(b->pm, 0, 1 << 20, 0);
    struct fwcfg_desc desc = {.io = b->io, .pm = b->pm};
    assert_int_equal(fwcfg_create(&b->chip, &desc), STATUS_OK);
    assert_int_equal(fwcfg_add_number(b->chip, FWCFG_NB_CPUS, 1, 2), STATUS_OK);
    assert_int_equal(fwcfg_add_file(b->chip, "etc/zoo", "zzz", 3), STATUS_OK);
    assert_int_equal(fwcfg_add_file(b->chip, "bootorder", "abcdef", 6), STATUS_OK);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct board *b = *state;

    fwcfg_class.destroy(b->chip);
    physmem_destroy(b->pm);
    ioport_destroy(b->io);
    free(b);
    return 0;
}

static void fetch(struct board *b, u16 key, void *to, unsigned len)
{
    ioport_write(b->io, 0x510, key, W16);
    for (unsigned i = 0; i < len; i++)
        ((u8 *)to)[i] = (u8)ioport_read(b->io, 0x511, W8);
}

/* Put a command block at 1000h and start it; its control word afterwards, in host order. */
static u32 dma(struct board *b, u32 control, u32 len, u32 to)
{
    u8 *ram = physmem_ram(b->pm);
    u32 word[4] = {control, len, 0, to};

    for (unsigned i = 0; i < 16; i++)
        ram[0x1000 + i] = (u8)(word[i / 4] >> (24 - 8 * (i % 4)));
    ioport_write(b->io, 0x518, 0x00100000, W32); /* 1000h, big-endian */
    return (u32)ram[0x1000] << 24 | (u32)ram[0x1001] << 16 | ram[0x1002] << 8 | ram[0x1003];
}

static void signature_and_id(void **state)
{
    struct board *b = *state;
    u8 v[4];

    fetch(b, FWCFG_SIGNATURE, v, 4);
    assert_memory_equal(v, "QEMU", 4);
    fetch(b, FWCFG_ID, v, 4);
    assert_memory_equal(v, "\3\0\0\0", 4);
    assert_int_equal(ioport_read(b->io, 0x514, W32), 0x554d4551); /* "QEMU" */
    assert_int_equal(ioport_read(b->io, 0x518, W32), 0x47464320); /* " CFG" */
}

static void items_end_in_zeros(void **state)
{
    struct board *b = *state;
    u8 v[4];

    fetch(b, FWCFG_NB_CPUS, v, 4);
    assert_memory_equal(v, "\1\0\0\0", 4);
    fetch(b, 0x1234, v, 4);
    assert_memory_equal(v, "\0\0\0\0", 4);
}

static void numbers_change_in_their_size(void **state)
{
    struct board *b = *state;
    u8 v[4];

    fwcfg_change_number(b->chip, FWCFG_NB_CPUS, 0x11223);
    fwcfg_change_number(b->chip, FWCFG_NOGRAPHIC, 1);
    fetch(b, FWCFG_NB_CPUS, v, 4);
    assert_memory_equal(v, "\x23\x12\0\0", 4);
    fetch(b, FWCFG_NOGRAPHIC, v, 4);
    assert_memory_equal(v, "\0\0\0\0", 4);
}

static void the_directory_is_sorted_by_name(void **state)
{
    struct board *b = *state;
    u8 v[4 + 2 * 64];

    fetch(b, FWCFG_FILE_DIR, v, sizeof(v));
    assert_memory_equal(v, "\0\0\0\2", 4);
    assert_memory_equal(v + 4, "\0\0\0\6\0\x20\0\0bootorder", 18);
    assert_memory_equal(v + 68, "\0\0\0\3\0\x21\0\0etc/zoo", 16);
    fetch(b, 0x21, v, 3);
    assert_memory_equal(v, "zzz", 3);
}

static void a_file_can_be_replaced(void **state)
{
    struct board *b = *state;
    u8 v[8];

    assert_int_equal(fwcfg_add_file(b->chip, "bootorder", "xy", 2), STATUS_OK);
    fetch(b, FWCFG_FILE_DIR, v, 8);
    assert_memory_equal(v, "\0\0\0\2\0\0\0\2", 8);
    fetch(b, 0x20, v, 3);
    assert_memory_equal(v, "xy\0", 3);
}

static void dma_selects_skips_and_reads(void **state)
{
    struct board *b = *state;

    memset(physmem_ram(b->pm) + 0x2000, 0xee, 16);
    assert_int_equal(dma(b, 0x0020000c, 2, 0), 0);      /* select 20h and skip 2 */
    assert_int_equal(dma(b, 0x00000002, 6, 0x2000), 0); /* read 6, of which 2 are past the end */
    assert_memory_equal(physmem_ram(b->pm) + 0x2000, "cdef\0\0\xee", 7);
}

static void dma_far_past_the_end_is_refused(void **state)
{
    struct board *b = *state;

    memset(physmem_ram(b->pm) + 0x2000, 0xee, 16);
    assert_int_equal(dma(b, 0x0020000a, 0xffffffff, 0x2000), 1);
    assert_memory_equal(physmem_ram(b->pm) + 0x2000, "\xee\xee", 2);
    assert_int_equal(dma(b, 0x00000002, 2, 0x2000), 0); /* and the item is where it was */
    assert_memory_equal(physmem_ram(b->pm) + 0x2000, "ab\xee", 3);
    assert_int_equal(dma(b, 0x0020000a, 0x1000, 0x2000), 0);
}

static void dma_writes_are_refused(void **state)
{
    struct board *b = *state;
    u8 v[6];

    assert_int_equal(dma(b, 0x00200018, 2, 0x2000), 1);
    fetch(b, 0x20, v, 6);
    assert_memory_equal(v, "abcdef", 6);
}

static void keys_of_the_device_are_refused(void **state)
{
    struct board *b = *state;

    assert_int_equal(fwcfg_add_bytes(b->chip, FWCFG_ID, "x", 1), STATUS_BAD_VALUE);
    assert_int_equal(fwcfg_add_bytes(b->chip, 0x20, "x", 1), STATUS_BAD_VALUE);
    assert_int_equal(fwcfg_add_file(b->chip, "", "x", 1), STATUS_BAD_VALUE);
}

static void state_survives_save_and_load(void **state)
{
    struct board *b = *state;
    void *other;
    u8 v[2];

    fetch(b, 0x20, v, 2);
    setup(&other);
    struct board *fresh = other;
    check_save_load(&fwcfg_class, b->chip, fresh->chip);
    assert_int_equal(ioport_read(fresh->io, 0x511, W8), 'c');
    teardown(&other);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(signature_and_id),
        T(items_end_in_zeros),
        T(numbers_change_in_their_size),
        T(the_directory_is_sorted_by_name),
        T(a_file_can_be_replaced),
        T(dma_selects_skips_and_reads),
        T(dma_far_past_the_end_is_refused),
        T(dma_writes_are_refused),
        T(keys_of_the_device_are_refused),
        T(state_survives_save_and_load),
    };
    return cmocka_run_group_tests_name("fwcfg", tests, NULL, NULL);
}
