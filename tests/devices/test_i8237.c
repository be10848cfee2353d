/* SPDX-License-Identifier: MIT */
#include "devices/i8237.h"
#include "tests/support/device_state.h"

struct board {
    struct ioport_bus *io;
    struct physmem *mem;
    struct i8237 *dma;
};

enum { VERIFY = 0x00, WRITE = 0x04, READ = 0x08, AUTO = 0x10, DOWN = 0x20, SINGLE = 0x40 };

static void out(struct board *b, u16 port, u8 val)
{
    ioport_write(b->io, port, val, W8);
}

static u8 in(struct board *b, u16 port)
{
    return (u8)ioport_read(b->io, port, W8);
}

static void create(struct board *b)
{
    b->io = ioport_create();
    assert_int_equal(physmem_create(&b->mem, 0x1000000), STATUS_OK);
    physmem_map_ram(b->mem, 0, 0x1000000, 0);
    struct i8237_desc desc = {.io = b->io, .mem = b->mem};
    assert_int_equal(i8237_create(&b->dma, &desc), STATUS_OK);
    out(b, 0xd6, 0xc0); /* channel 4 cascades... */
    out(b, 0xd4, 0x00); /* ...and is open */
}

static void destroy(struct board *b)
{
    i8237_class.destroy(b->dma);
    physmem_destroy(b->mem);
    ioport_destroy(b->io);
}

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct board));
    create(*state);
    return 0;
}

static int teardown(void **state)
{
    destroy(*state);
    free(*state);
    return 0;
}

/* Channel 2, as a floppy driver does it. */
static void program_2(struct board *b, u8 mode, u32 at, u16 count)
{
    out(b, 0x0a, 0x06);
    out(b, 0x0c, 0x00);
    out(b, 0x0b, (u8)(mode | 2));
    out(b, 0x04, (u8)at);
    out(b, 0x04, (u8)(at >> 8));
    out(b, 0x81, (u8)(at >> 16));
    out(b, 0x05, (u8)count);
    out(b, 0x05, (u8)(count >> 8));
    out(b, 0x0a, 0x02);
}

/* Channel 5; @at in bytes, @count in words. */
static void program_5(struct board *b, u8 mode, u32 at, u16 count)
{
    out(b, 0xd4, 0x05);
    out(b, 0xd8, 0x00);
    out(b, 0xd6, (u8)(mode | 1));
    out(b, 0xc4, (u8)(at >> 1));
    out(b, 0xc4, (u8)(at >> 9));
    out(b, 0x8b, (u8)(at >> 16));
    out(b, 0xc6, (u8)count);
    out(b, 0xc6, (u8)(count >> 8));
    out(b, 0xd4, 0x01);
}

static void a_disk_read_reaches_memory_and_ends_with_tc(void **state)
{
    struct board *b = *state;
    u8 data[] = "0123456789";
    bool tc;

    program_2(b, SINGLE | WRITE, 0x12345, 9);
    assert_true(i8237_ready(b->dma, 2));
    assert_int_equal(i8237_transfer(b->dma, 2, data, 4, true, &tc), 4);
    assert_false(tc);
    assert_int_equal(in(b, 0x04), 0x49);
    assert_int_equal(in(b, 0x04), 0x23);
    assert_int_equal(in(b, 0x05), 0x05);
    assert_int_equal(in(b, 0x05), 0x00);
    assert_int_equal(i8237_transfer(b->dma, 2, data + 4, 512, true, &tc), 6);
    assert_true(tc);
    assert_memory_equal(physmem_ram(b->mem) + 0x12345, data, 10);
    assert_int_equal(in(b, 0x08), 0x04);
    assert_int_equal(in(b, 0x08), 0x00);
    assert_false(i8237_ready(b->dma, 2));
    assert_int_equal(i8237_transfer(b->dma, 2, data, 1, true, &tc), 0);
    assert_int_equal(in(b, 0x0f), 0xff);
}

/* A device with all its bytes at hand cannot tell demand, single and block mode apart. */
static void every_mode_but_cascade_moves(void **state)
{
    struct board *b = *state;
    static const u8 modes[] = {0x00, 0x40, 0x80, 0xc0};
    u8 data[] = "0123456789";
    bool tc;

    for (unsigned i = 0; i < 4; i++) {
        size_t want = modes[i] == 0xc0 ? 0 : 10;
        program_2(b, modes[i] | WRITE, 0x1000 * (i + 1), 9);
        assert_int_equal(i8237_ready(b->dma, 2), want != 0);
        assert_int_equal(i8237_transfer(b->dma, 2, data, 10, true, &tc), want);
        assert_int_equal(tc, want != 0);
        if (want)
            assert_memory_equal(physmem_ram(b->mem) + 0x1000 * (i + 1), data, 10);
    }
}

static void master_clear_masks_all_and_forgets_the_status(void **state)
{
    struct board *b = *state;
    u8 data[4] = {0};
    bool tc;

    program_2(b, SINGLE | WRITE, 0x1000, 3);
    assert_int_equal(i8237_transfer(b->dma, 2, data, 4, true, &tc), 4);
    out(b, 0x04, 0); /* the byte pointer now wants the high byte */
    out(b, 0x0d, 0);
    assert_int_equal(in(b, 0x08), 0);
    assert_int_equal(in(b, 0x0f), 0xff);
    out(b, 0x04, 0x34);
    out(b, 0x04, 0x12);
    assert_int_equal(in(b, 0x04), 0x34);
    assert_int_equal(in(b, 0x04), 0x12);
    out(b, 0x0e, 0); /* all four may again */
    assert_int_equal(in(b, 0x0f), 0xf0);
}

static void a_disk_write_reads_memory(void **state)
{
    struct board *b = *state;
    u8 data[4] = {0};
    bool tc;

    memcpy(physmem_ram(b->mem) + 0x200, "abcd", 4);
    program_2(b, SINGLE | READ, 0x200, 3);
    assert_int_equal(i8237_transfer(b->dma, 2, data, 4, false, &tc), 4);
    assert_true(tc);
    assert_memory_equal(data, "abcd", 4);
}

static void auto_init_starts_over(void **state)
{
    struct board *b = *state;
    u8 data[3] = {1, 2, 3};
    bool tc;

    program_2(b, SINGLE | WRITE | AUTO, 0x1000, 2);
    for (unsigned i = 0; i < 3; i++) {
        data[0] = (u8)(0x10 + i);
        assert_int_equal(i8237_transfer(b->dma, 2, data, 3, true, &tc), 3);
        assert_true(tc);
        assert_int_equal(physmem_ram(b->mem)[0x1000], 0x10 + i);
    }
    assert_int_equal(in(b, 0x05), 2);
}

static void the_address_wraps_within_its_page(void **state)
{
    struct board *b = *state;
    u8 data[4] = {1, 2, 3, 4};
    bool tc;

    program_2(b, SINGLE | WRITE, 0x2fffe, 3);
    assert_int_equal(i8237_transfer(b->dma, 2, data, 4, true, &tc), 4);
    assert_int_equal(physmem_ram(b->mem)[0x2ffff], 2);
    assert_int_equal(physmem_ram(b->mem)[0x20000], 3);
    assert_int_equal(physmem_ram(b->mem)[0x30000], 0);
}

static void addresses_can_go_down(void **state)
{
    struct board *b = *state;
    u8 data[3] = {1, 2, 3};
    bool tc;

    program_2(b, SINGLE | WRITE | DOWN, 0x5002, 2);
    assert_int_equal(i8237_transfer(b->dma, 2, data, 3, true, &tc), 3);
    assert_memory_equal(physmem_ram(b->mem) + 0x5000, "\3\2\1", 3);
}

static void channel_5_moves_words(void **state)
{
    struct board *b = *state;
    u8 data[6] = {1, 2, 3, 4, 5, 6};
    bool tc;

    program_5(b, SINGLE | WRITE, 0x3fffe, 1); /* 128 KiB pages: bit 16 is the address's */
    assert_int_equal(i8237_transfer(b->dma, 5, data, 1, true, &tc), 0);
    assert_int_equal(i8237_transfer(b->dma, 5, data, 3, true, &tc), 2);
    assert_false(tc);
    assert_int_equal(i8237_transfer(b->dma, 5, data + 2, 4, true, &tc), 2);
    assert_true(tc);
    assert_memory_equal(physmem_ram(b->mem) + 0x3fffe, "\1\2", 2);
    assert_memory_equal(physmem_ram(b->mem) + 0x20000, "\3\4", 2);
    assert_int_equal(in(b, 0xd0), 0x02);
}

static void verify_and_wrong_directions_touch_no_memory(void **state)
{
    struct board *b = *state;
    u8 data[4] = {1, 2, 3, 4};
    bool tc;

    program_2(b, SINGLE | VERIFY, 0x100, 3);
    assert_int_equal(i8237_transfer(b->dma, 2, data, 4, true, &tc), 4);
    assert_true(tc);
    program_2(b, SINGLE | READ, 0x100, 3);
    assert_int_equal(i8237_transfer(b->dma, 2, data, 4, true, &tc), 4);
    assert_int_equal(physmem_ram(b->mem)[0x100], 0);
    program_2(b, SINGLE | WRITE, 0x100, 3);
    assert_int_equal(i8237_transfer(b->dma, 2, data, 4, false, &tc), 4);
    assert_int_equal(data[0], 0xff);
}

static void masks_disable_and_the_cascade_stop_transfers(void **state)
{
    struct board *b = *state;

    program_2(b, SINGLE | WRITE, 0, 100);
    out(b, 0x08, 0x04);
    assert_false(i8237_ready(b->dma, 2));
    out(b, 0x08, 0x00);
    out(b, 0xd4, 0x04);
    assert_false(i8237_ready(b->dma, 2));
    out(b, 0xdc, 0x00);
    assert_true(i8237_ready(b->dma, 2));
    out(b, 0x0f, 0x04);
    assert_false(i8237_ready(b->dma, 2));
    assert_true(i8237_ready(b->dma, 1));
    out(b, 0x0d, 0x00);
    assert_false(i8237_ready(b->dma, 1));
    assert_false(i8237_ready(b->dma, 4));
}

static void status_shows_requests(void **state)
{
    struct board *b = *state;

    i8237_set_dreq(b->dma, 3, true);
    out(b, 0x09, 0x05);
    assert_int_equal(in(b, 0x08), 0xa0);
    i8237_set_dreq(b->dma, 3, false);
    out(b, 0x09, 0x01);
    assert_int_equal(in(b, 0x08), 0x00);
}

static void page_registers_are_memory(void **state)
{
    struct board *b = *state;

    for (u16 i = 0; i < 16; i++)
        out(b, (u16)(0x80 + i), (u8)(i * 3));
    for (u16 i = 0; i < 16; i++)
        assert_int_equal(in(b, (u16)(0x80 + i)), i * 3);
}

static void a_full_count_moves_64_kib(void **state)
{
    struct board *b = *state;
    u8 *data = calloc(1, 0x10000);
    bool tc;

    memset(data, 0x5a, 0x10000);
    program_2(b, 0x80 | WRITE, 0x40000, 0xffff);
    assert_int_equal(i8237_transfer(b->dma, 2, data, 0x10000, true, &tc), 0x10000);
    assert_true(tc);
    assert_memory_equal(physmem_ram(b->mem) + 0x40000, data, 0x10000);
    free(data);
}

static void state_survives_a_save_and_a_load(void **state)
{
    struct board *b = *state;
    struct board c = {0};
    u8 data[2] = {1, 2};
    bool tc;

    create(&c);
    program_2(b, SINGLE | WRITE | AUTO, 0x77777, 100);
    program_5(b, SINGLE | READ, 0x88888, 1);
    i8237_transfer(b->dma, 2, data, 2, true, &tc);
    i8237_set_dreq(b->dma, 5, true);
    in(b, 0x04);
    check_save_load(&i8237_class, b->dma, c.dma);
    assert_int_equal(in(&c, 0x04), in(b, 0x04));
    destroy(&c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_disk_read_reaches_memory_and_ends_with_tc),
        T(a_disk_write_reads_memory),
        T(every_mode_but_cascade_moves),
        T(master_clear_masks_all_and_forgets_the_status),
        T(auto_init_starts_over),
        T(the_address_wraps_within_its_page),
        T(addresses_can_go_down),
        T(channel_5_moves_words),
        T(verify_and_wrong_directions_touch_no_memory),
        T(masks_disable_and_the_cascade_stop_transfers),
        T(status_shows_requests),
        T(page_registers_are_memory),
        T(a_full_count_moves_64_kib),
        T(state_survives_a_save_and_a_load),
    };
    return cmocka_run_group_tests_name("i8237", tests, NULL, NULL);
}
