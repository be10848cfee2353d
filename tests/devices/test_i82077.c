/* SPDX-License-Identifier: MIT */
#include "devices/i82077.h"
#include "tests/support/device_state.h"

#define MS 1000000u

enum {
    SECTORS = 2880,
    DOR = 0x3f2,
    MSR = 0x3f4,
    FIFO = 0x3f5,
    DIR = 0x3f7,
    CCR = 0x3f7,
    IDLE = 0x80,
    RESULT = 0xd0,
    BUFFER = 0x8000, /* where the DMA channel points */
};

struct board {
    struct ioport_bus *io;
    struct physmem *pm;
    struct clock clk;
    struct spy irq;
    u8 *image;
    struct block *disk;
    struct i8237 *dma;
    struct i82077 *fdc;
    u8 st[10]; /* the last result */
    unsigned st_len;
};

static void out(struct board *b, u16 port, u8 val)
{
    ioport_write(b->io, port, val, W8);
}

static u8 in(struct board *b, u16 port)
{
    return (u8)ioport_read(b->io, port, W8);
}

static void create(struct board *b, u8 type_a, u8 type_b)
{
    struct i82077_desc desc = {.io = b->io,
                               .clk = &b->clk,
                               .irq = spy_line(&b->irq),
                               .dma = b->dma,
                               .channel = 2,
                               .drive = {type_a, type_b}};
    assert_int_equal(i82077_create(&b->fdc, &desc), STATUS_OK);
}

static void plug(struct board *b)
{
    b->io = ioport_create();
    clock_init(&b->clk, CLOCK_RATIO_DEFAULT);
    assert_int_equal(i8237_create(&b->dma, &(struct i8237_desc){.io = b->io, .mem = b->pm}),
                     STATUS_OK);
    create(b, FLOPPY_1M44, FLOPPY_NONE);
}

static void unplug(struct board *b)
{
    i82077_class.destroy(b->fdc);
    i8237_class.destroy(b->dma);
    ioport_destroy(b->io);
}

static void use_image(struct board *b, u32 sectors)
{
    struct block *old = b->disk;

    assert_int_equal(block_create_memory(&b->disk, b->image, sectors * 512), STATUS_OK);
    if (i82077_insert(b->fdc, 0, b->disk) != STATUS_OK) { /* another kind of drive */
        unplug(b);
        b->io = ioport_create();
        clock_init(&b->clk, CLOCK_RATIO_DEFAULT);
        assert_int_equal(i8237_create(&b->dma, &(struct i8237_desc){.io = b->io, .mem = b->pm}),
                         STATUS_OK);
        create(b, floppy_format_find(sectors)->type, FLOPPY_NONE);
        assert_int_equal(i82077_insert(b->fdc, 0, b->disk), STATUS_OK);
    }
    block_close(old);
}

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    assert_int_equal(physmem_create(&b->pm, 1 << 20), STATUS_OK);
    physmem_map_ram(b->pm, 0, 1 << 20, 0);
    b->image = malloc(FLOPPY_MAX_SECTORS * 512);
    for (u32 i = 0; i < FLOPPY_MAX_SECTORS * 512; i++)
        b->image[i] = (u8)(i / 512 * 5 + i % 512 * 3);
    plug(b);
    use_image(b, SECTORS);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct board *b = *state;

    unplug(b);
    physmem_destroy(b->pm);
    block_close(b->disk);
    free(b->image);
    free(b);
    return 0;
}

/* ---- a driver ---- */

static void send(struct board *b, const u8 *bytes, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(in(b, MSR) & 0xc0, 0x80);
        out(b, FIFO, bytes[i]);
    }
}

#define SEND(b, ...) send(b, (const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__}))

static void wait_irq(struct board *b)
{
    for (unsigned i = 0; i < 2000 && !b->irq.level; i++)
        clock_run(&b->clk, MS / 10);
    assert_true(b->irq.level);
}

static void read_result(struct board *b)
{
    b->st_len = 0;
    while (in(b, MSR) == RESULT && b->st_len < sizeof(b->st))
        b->st[b->st_len++] = in(b, FIFO);
    assert_int_equal(in(b, MSR) & 0xf0, IDLE);
}

static void check_sense(struct board *b, u8 st0, u8 pcn)
{
    SEND(b, 0x08);
    read_result(b);
    assert_int_equal(b->st_len, 2);
    assert_int_equal(b->st[0], st0);
    assert_int_equal(b->st[1], pcn);
}

static void reset(struct board *b)
{
    out(b, DOR, 0x00);
    out(b, DOR, 0x1c); /* drive A, motor, DMA and interrupts */
    wait_irq(b);
    for (u8 i = 0; i < 4; i++)
        check_sense(b, 0xc0 | i, 0);
    assert_false(b->irq.level);
    SEND(b, 0x03, 0xaf, 0x02);
}

static void recalibrate(struct board *b)
{
    SEND(b, 0x07, 0x00);
    wait_irq(b);
    check_sense(b, 0x20, 0);
}

static void seek(struct board *b, u8 head, u8 cylinder)
{
    SEND(b, 0x0f, (u8)(head << 2), cylinder);
    assert_int_equal(in(b, MSR) & 0x0f, 0x01);
    wait_irq(b);
    assert_int_equal(in(b, MSR) & 0x0f, 0);
    check_sense(b, 0x20, cylinder);
}

static void ready(struct board *b, u8 rate)
{
    reset(b);
    out(b, CCR, rate);
    recalibrate(b);
}

/* @mode: 44h memory is written, 48h memory is read. */
static void set_dma(struct board *b, u8 mode, u16 bytes)
{
    out(b, 0x0a, 6);
    out(b, 0x0c, 0);
    out(b, 0x0b, mode | 2);
    out(b, 0x04, BUFFER & 0xff);
    out(b, 0x04, BUFFER >> 8);
    out(b, 0x81, 0);
    out(b, 0x05, (u8)(bytes - 1));
    out(b, 0x05, (u8)((bytes - 1) >> 8));
    out(b, 0x0a, 2);
    out(b, 0xd4, 0); /* the cascade */
}

static void run(struct board *b)
{
    wait_irq(b);
    read_result(b);
    assert_int_equal(b->st_len, 7);
}

static void check_status(struct board *b, u8 st0, u8 st1, u8 st2)
{
    assert_int_equal(b->st[0], st0);
    assert_int_equal(b->st[1], st1);
    assert_int_equal(b->st[2], st2);
}

static void check_id(struct board *b, u8 c, u8 h, u8 r)
{
    assert_int_equal(b->st[3], c);
    assert_int_equal(b->st[4], h);
    assert_int_equal(b->st[5], r);
    assert_int_equal(b->st[6], 2);
}

static void check_memory(struct board *b, u32 at, u32 lba, unsigned sectors)
{
    assert_memory_equal(physmem_ram(b->pm) + at, b->image + lba * 512, sectors * 512);
}

static void transfer(struct board *b, u8 command, u8 c, u8 h, u8 r, u8 eot)
{
    SEND(b, command, (u8)(h << 2), c, h, r, 2, eot, 0x1b, 0xff);
    run(b);
}

/* ---- tests ---- */

static void four_drives_report_after_a_reset(void **state)
{
    struct board *b = *state;

    assert_int_equal(in(b, MSR), 0); /* held in reset from power-on */
    reset(b);
    SEND(b, 0x08);
    read_result(b);
    assert_int_equal(b->st_len, 1); /* nothing more to tell */
    assert_int_equal(b->st[0], 0x80);
    out(b, 0x3f4, 0x80); /* the other way to reset */
    wait_irq(b);
    check_sense(b, 0xc0, 0);
    assert_false(b->irq.level);
}

/* Linux turns polling off, and waits for the interrupt of its next reset all the same. */
static void a_reset_turns_polling_on_again(void **state)
{
    struct board *b = *state;

    reset(b);
    SEND(b, 0x13, 0, 0x17, 0);
    out(b, 0x3f4, 0x80);
    wait_irq(b);
    check_sense(b, 0xc0, 0);
}

static void the_chip_says_what_it_is(void **state)
{
    struct board *b = *state;

    reset(b);
    SEND(b, 0x10);
    read_result(b);
    assert_int_equal(b->st_len, 1);
    assert_int_equal(b->st[0], 0x90);
    SEND(b, 0x18); /* PARTID came with the 82078 */
    read_result(b);
    assert_int_equal(b->st[0], 0x80);
    SEND(b, 0x13, 0, 0x5a, 0x12);
    SEND(b, 0x12, 0x84);
    SEND(b, 0x94);
    read_result(b);
    assert_int_equal(b->st[0], 0x10);
    seek(b, 0, 7);
    SEND(b, 0x0e);
    read_result(b);
    assert_int_equal(b->st_len, 10);
    static const u8 dump[] = {7, 0, 0, 0, 0xaf, 0x02, 18, 0x84, 0x5a, 0x12};
    assert_memory_equal(b->st, dump, sizeof(dump));
}

static void lock_keeps_the_configuration_over_a_reset(void **state)
{
    struct board *b = *state;

    reset(b);
    SEND(b, 0x13, 0, 0x4f, 0x33);
    out(b, DOR, 0x18);
    out(b, DOR, 0x1c);
    wait_irq(b);
    check_sense(b, 0xc0, 0);
    SEND(b, 0x0e);
    read_result(b);
    assert_int_equal(b->st[8], 0x20); /* the FIFO is off again */
    assert_int_equal(b->st[9], 0);
    SEND(b, 0x13, 0, 0x4f, 0x33);
    SEND(b, 0x94);
    read_result(b);
    out(b, DOR, 0x18);
    out(b, DOR, 0x1c);
    wait_irq(b);
    check_sense(b, 0xc0, 0);
    SEND(b, 0x0e);
    read_result(b);
    assert_int_equal(b->st[8], 0x0f); /* implied seeks are always lost */
    assert_int_equal(b->st[9], 0x33);
}

static void a_read_goes_through_dma_and_ends_with_tc(void **state)
{
    struct board *b = *state;

    ready(b, 0);
    set_dma(b, 0x44, 512 * 3);
    transfer(b, 0xe6, 0, 0, 2, 18);
    check_status(b, 0x00, 0, 0);
    check_id(b, 0, 0, 5);
    check_memory(b, BUFFER, 1, 3);
}

static void multi_track_goes_on_with_the_other_head(void **state)
{
    struct board *b = *state;

    ready(b, 0);
    seek(b, 0, 3);
    set_dma(b, 0x44, 512 * 4);
    transfer(b, 0xe6, 3, 0, 17, 18);
    check_status(b, 0x04, 0, 0);
    check_id(b, 3, 1, 3);
    check_memory(b, BUFFER, 3 * 36 + 16, 4);

    set_dma(b, 0x44, 512); /* the last one of the cylinder */
    transfer(b, 0xe6, 3, 1, 18, 18);
    check_status(b, 0x00, 0, 0);
    check_id(b, 4, 0, 1);
}

static void without_tc_it_ends_at_the_end_of_the_track(void **state)
{
    struct board *b = *state;

    ready(b, 0);
    set_dma(b, 0x44, 512 * 20);
    transfer(b, 0x46, 0, 0, 18, 18);
    check_status(b, 0x40, 0x80, 0);
    check_id(b, 1, 0, 1);
}

static void a_write_reaches_the_image(void **state)
{
    struct board *b = *state;
    u8 sector[512];

    ready(b, 0);
    seek(b, 1, 79);
    memset(physmem_ram(b->pm) + BUFFER, 0x5c, 600);
    set_dma(b, 0x48, 600); /* not a whole sector: the rest of the second one is zeros */
    transfer(b, 0xc5, 79, 1, 10, 18);
    check_status(b, 0x04, 0, 0);
    check_id(b, 79, 1, 12);
    assert_int_equal(block_read(b->disk, 79 * 36 + 18 + 10, 1, sector), STATUS_OK);
    assert_int_equal(sector[87], 0x5c);
    assert_int_equal(sector[88], 0);
}

static void nobody_at_the_dma_channel_is_an_overrun(void **state)
{
    struct board *b = *state;

    ready(b, 0);
    out(b, 0x0a, 6);
    transfer(b, 0xe6, 0, 0, 1, 18);
    check_status(b, 0x40, 0x10, 0);
}

static void without_dma_the_host_moves_the_bytes(void **state)
{
    struct board *b = *state;
    u8 sector[512];

    ready(b, 0);
    SEND(b, 0x03, 0xaf, 0x03);
    SEND(b, 0xe6, 0, 0, 0, 1, 2, 2, 0x1b, 0xff);
    for (unsigned s = 0; s < 2; s++) {
        wait_irq(b);
        for (unsigned i = 0; i < 512; i++) {
            assert_int_equal(in(b, MSR), 0xf0);
            assert_int_equal(in(b, FIFO), b->image[s * 512 + i]);
        }
        assert_false(b->irq.level);
    }
    /* MT: EOT is the last sector of both heads */
    wait_irq(b);
    assert_int_equal(in(b, MSR), 0xf0);
    out(b, DOR, 0x18);
    out(b, DOR, 0x1c);
    wait_irq(b);
    check_sense(b, 0xc0, 0);
    SEND(b, 0x45, 0, 0, 0, 1, 2, 1, 0x1b, 0xff);
    wait_irq(b);
    for (unsigned i = 0; i < 512; i++) {
        assert_int_equal(in(b, MSR), 0xb0);
        out(b, FIFO, (u8)(i * 9));
    }
    assert_false(b->irq.level);
    run(b);
    check_status(b, 0x40, 0x80, 0);
    assert_int_equal(block_read(b->disk, 0, 1, sector), STATUS_OK);
    assert_int_equal(sector[100], (u8)(100 * 9));
}

static void sectors_that_are_not_there_are_not_found(void **state)
{
    struct board *b = *state;

    ready(b, 0);
    set_dma(b, 0x44, 512);
    transfer(b, 0xe6, 0, 0, 19, 19);
    check_status(b, 0x40, 0x04, 0);
    transfer(b, 0xe6, 5, 0, 1, 18);
    check_status(b, 0x40, 0x04, 0x10); /* the head is elsewhere */
    transfer(b, 0xa6, 0, 0, 1, 18);
    check_status(b, 0x40, 0x01, 0); /* single density */
    SEND(b, 0xe6, 0, 0, 0, 1, 3, 18, 0x1b, 0xff);
    run(b);
    check_status(b, 0x40, 0x04, 0); /* 1024 bytes */
    out(b, CCR, 2);
    transfer(b, 0xe6, 0, 0, 1, 18);
    check_status(b, 0x40, 0x01, 0); /* wrong data rate */
    out(b, CCR, 0);
    out(b, DOR, 0x0c);
    transfer(b, 0xe6, 0, 0, 1, 18);
    check_status(b, 0x40, 0x01, 0); /* the motor is off */
}

static void implied_seeks_move_the_head(void **state)
{
    struct board *b = *state;

    ready(b, 0);
    SEND(b, 0x13, 0, 0x57, 0);
    set_dma(b, 0x44, 512);
    transfer(b, 0xe6, 40, 1, 1, 18);
    check_status(b, 0x04, 0, 0);
    check_memory(b, BUFFER, 40 * 36 + 18, 1);
}

static const struct {
    u32 sectors;
    u8 cylinders, heads, per_track, rate, type;
} formats[] = {
    {320, 40, 1, 8, 2, FLOPPY_360K},   {360, 40, 1, 9, 2, FLOPPY_360K},
    {640, 40, 2, 8, 1, FLOPPY_360K},   {720, 40, 2, 9, 1, FLOPPY_360K},
    {1440, 80, 2, 9, 2, FLOPPY_1M44},  {2400, 80, 2, 15, 0, FLOPPY_1M2},
    {2880, 80, 2, 18, 0, FLOPPY_1M44}, {3360, 80, 2, 21, 0, FLOPPY_1M44},
    {5760, 80, 2, 36, 3, FLOPPY_2M88},
};

/* A disk of format @i in a drive of its kind, the head on the last track. */
static void use_format(struct board *b, unsigned i)
{
    assert_int_equal(floppy_format_find(formats[i].sectors)->type, formats[i].type);
    use_image(b, formats[i].sectors);
    ready(b, formats[i].rate);
    seek(b, formats[i].heads - 1, formats[i].cylinders - 1);
}

static void every_format_reads_its_last_sector(void **state)
{
    struct board *b = *state;

    for (unsigned i = 0; i < ARRAY_LEN(formats); i++) {
        u8 c = formats[i].cylinders - 1, h = formats[i].heads - 1, s = formats[i].per_track;
        use_format(b, i);
        set_dma(b, 0x44, 512);
        transfer(b, 0x46, c, h, s, s);
        check_status(b, (u8)(h << 2), 0, 0);
        check_memory(b, BUFFER, formats[i].sectors - 1, 1);
        transfer(b, 0x46, c, h, s + 1, s + 1);
        check_status(b, (u8)(0x40 | h << 2), 0x04, 0);
    }
}

static void every_format_writes_its_last_sector(void **state)
{
    struct board *b = *state;
    u8 sector[512];

    for (unsigned i = 0; i < ARRAY_LEN(formats); i++) {
        u8 c = formats[i].cylinders - 1, h = formats[i].heads - 1, s = formats[i].per_track;
        use_format(b, i);
        memset(physmem_ram(b->pm) + BUFFER, 0xa0 + (int)i, 512);
        set_dma(b, 0x48, 512);
        transfer(b, 0x45, c, h, s, s);
        check_status(b, (u8)(h << 2), 0, 0);
        assert_int_equal(block_read(b->disk, formats[i].sectors - 1, 1, sector), STATUS_OK);
        assert_int_equal(sector[0], 0xa0 + i);
        assert_int_equal(sector[511], 0xa0 + i);
        assert_int_equal(block_read(b->disk, formats[i].sectors - 2, 1, sector), STATUS_OK);
        assert_memory_equal(sector, b->image + (formats[i].sectors - 2) * 512, 512);
        transfer(b, 0x45, c, h, s + 1, s + 1);
        check_status(b, (u8)(0x40 | h << 2), 0x04, 0);
    }
}

static void every_format_formats_its_last_track(void **state)
{
    struct board *b = *state;
    u8 sector[512];

    for (unsigned i = 0; i < ARRAY_LEN(formats); i++) {
        u8 c = formats[i].cylinders - 1, h = formats[i].heads - 1, s = formats[i].per_track;
        u8 *ids = physmem_ram(b->pm) + BUFFER;
        use_format(b, i);
        for (u8 k = 0; k < s; k++)
            memcpy(ids + 4 * k, (u8[]){c, h, k + 1, 2}, 4);
        set_dma(b, 0x48, 4 * s);
        SEND(b, 0x4d, (u8)(h << 2), 2, s, 0x54, 0xf6);
        run(b);
        check_status(b, (u8)(h << 2), 0, 0);
        for (u32 k = 0; k <= s; k++) { /* from the end: the track, and one sector before it */
            u32 lba = formats[i].sectors - 1 - k;
            assert_int_equal(block_read(b->disk, lba, 1, sector), STATUS_OK);
            if (k == s)
                assert_memory_equal(sector, b->image + lba * 512, 512);
            else
                assert_true(sector[0] == 0xf6 && sector[511] == 0xf6);
        }
    }
}

static void an_odd_image_is_a_disk_with_an_unformatted_end(void **state)
{
    struct board *b = *state;

    use_image(b, 2000); /* 55 cylinders of 36 and 20 sectors */
    ready(b, 0);
    seek(b, 1, 55);
    set_dma(b, 0x44, 512);
    transfer(b, 0x46, 55, 1, 2, 18);
    check_status(b, 0x04, 0, 0);
    check_memory(b, BUFFER, 1999, 1);
    transfer(b, 0x46, 55, 1, 3, 18);
    check_status(b, 0x44, 0x04, 0);
    assert_null(floppy_format_find(5761));
}

static void read_id_tells_cylinder_and_head(void **state)
{
    struct board *b = *state;

    ready(b, 0);
    seek(b, 1, 12);
    SEND(b, 0x4a, 0x04);
    run(b);
    check_status(b, 0x04, 0, 0);
    assert_int_equal(b->st[3], 12);
    assert_int_equal(b->st[4], 1);
    assert_in_range(b->st[5], 1, 18);
    out(b, CCR, 3);
    SEND(b, 0x4a, 0x04);
    run(b);
    check_status(b, 0x44, 0x01, 0);
}

static void read_track_ignores_ids(void **state)
{
    struct board *b = *state;

    ready(b, 0);
    set_dma(b, 0x44, 512 * 4);
    transfer(b, 0x42, 9, 0, 1, 4);
    check_status(b, 0x00, 0x04, 0);
    check_memory(b, BUFFER, 0, 4);
}

static void format_fills_the_track(void **state)
{
    struct board *b = *state;
    u8 *ids = physmem_ram(b->pm) + BUFFER;
    u8 sector[512];

    ready(b, 0);
    seek(b, 1, 2);
    for (u8 i = 0; i < 18; i++)
        memcpy(ids + 4 * i, (u8[]){2, 1, i + 1, 2}, 4);
    set_dma(b, 0x48, 18 * 4);
    SEND(b, 0x4d, 0x04, 2, 18, 0x54, 0xf6);
    run(b);
    check_status(b, 0x04, 0, 0);
    for (unsigned i = 0; i < 18; i++) {
        assert_int_equal(block_read(b->disk, 2 * 36 + 18 + i, 1, sector), STATUS_OK);
        assert_int_equal(sector[0], 0xf6);
        assert_int_equal(sector[511], 0xf6);
    }
    assert_int_equal(block_read(b->disk, 2 * 36 + 17, 1, sector), STATUS_OK);
    assert_memory_equal(sector, b->image + (2 * 36 + 17) * 512, 512);
    SEND(b, 0x4d, 0x04, 2, 9, 0x54, 0xf6); /* 9 sectors do not fit the image's format */
    run(b);
    check_status(b, 0x54, 0, 0);
}

static void verify_reads_and_moves_nothing(void **state)
{
    struct board *b = *state;

    ready(b, 0);
    out(b, 0x0a, 6);
    transfer(b, 0x56, 0, 0, 1, 18);
    check_status(b, 0x00, 0, 0);
    SEND(b, 0xd6, 0x80, 0, 0, 1, 2, 18, 0x1b, 20); /* EC: 20 sectors over both heads */
    run(b);
    check_status(b, 0x04, 0, 0);
    check_id(b, 0, 1, 3);
    transfer(b, 0x56, 0, 0, 1, 19);
    check_status(b, 0x40, 0x04, 0);
}

static void scans_compare(void **state)
{
    struct board *b = *state;
    u8 *buffer = physmem_ram(b->pm) + BUFFER;

    ready(b, 0);
    for (unsigned i = 0; i < 4; i++)
        memcpy(buffer + 512 * i, b->image + 512 * 2, 512);
    buffer[512 * 2 + 7] = 0xff; /* stands for any byte */
    set_dma(b, 0x48, 512 * 4);
    SEND(b, 0x51, 0, 0, 0, 1, 2, 18, 0x1b, 1);
    run(b);
    check_status(b, 0x00, 0, 0x08);
    assert_int_equal(b->st[5], 3); /* where it was found */
    set_dma(b, 0x48, 512 * 2);
    SEND(b, 0x51, 0, 0, 0, 1, 2, 18, 0x1b, 1);
    run(b);
    check_status(b, 0x00, 0, 0x04);
    memcpy(buffer, b->image, 512);
    buffer[1]--;
    set_dma(b, 0x48, 512);
    SEND(b, 0x5d, 0, 0, 0, 1, 2, 18, 0x1b, 1); /* the disk has more */
    run(b);
    check_status(b, 0x00, 0, 0);
    set_dma(b, 0x48, 512);
    SEND(b, 0x59, 0, 0, 0, 1, 2, 18, 0x1b, 1);
    run(b);
    check_status(b, 0x00, 0, 0x04);
}

static void deleted_data_is_nowhere(void **state)
{
    struct board *b = *state;

    ready(b, 0);
    set_dma(b, 0x44, 512 * 3);
    transfer(b, 0x4c, 0, 0, 1, 18);
    check_status(b, 0x00, 0, 0x40); /* one normal sector is read, and told */
    check_memory(b, BUFFER, 0, 1);
    transfer(b, 0x6c, 0, 0, 1, 18);
    check_status(b, 0x40, 0x80, 0); /* all are skipped */
}

static void sense_drive_shows_track_0(void **state)
{
    struct board *b = *state;

    ready(b, 0);
    SEND(b, 0x04, 0x04);
    read_result(b);
    assert_int_equal(b->st[0], 0x3c);
    seek(b, 0, 1);
    SEND(b, 0x04, 0x00);
    read_result(b);
    assert_int_equal(b->st[0], 0x28);
}

static void seeks_of_a_drive_that_is_not_there_fail_at_track_0(void **state)
{
    struct board *b = *state;

    ready(b, 0);
    out(b, DOR, 0x2d);
    SEND(b, 0x07, 0x01);
    wait_irq(b);
    check_sense(b, 0x71, 0);
    SEND(b, 0x0f, 0x01, 10);
    wait_irq(b);
    check_sense(b, 0x21, 10);
    SEND(b, 0xcf, 0x01, 5);
    wait_irq(b);
    check_sense(b, 0x21, 15);
    SEND(b, 0x8f, 0x01, 3);
    wait_irq(b);
    check_sense(b, 0x21, 12);
}

static void overlapping_seeks_interrupt_twice(void **state)
{
    struct board *b = *state;

    ready(b, 0);
    SEND(b, 0x0f, 0x00, 20);
    SEND(b, 0x0f, 0x01, 20);
    assert_int_equal(in(b, MSR), 0x83);
    clock_run(&b->clk, 100 * MS);
    unsigned before = b->irq.rises;
    assert_true(b->irq.level);
    check_sense(b, 0x20, 20);
    assert_true(b->irq.level);
    assert_int_equal(b->irq.rises, before + 1);
    check_sense(b, 0x21, 20);
    assert_false(b->irq.level);
}

static void the_change_line_tells_of_a_new_medium(void **state)
{
    struct board *b = *state;

    reset(b);
    assert_int_equal(in(b, DIR) & 0x80, 0x80);
    recalibrate(b);
    assert_int_equal(in(b, DIR) & 0x80, 0);
    assert_int_equal(i82077_insert(b->fdc, 0, NULL), STATUS_OK);
    assert_int_equal(in(b, DIR) & 0x80, 0x80);
    recalibrate(b);
    assert_int_equal(in(b, DIR) & 0x80, 0x80); /* it stays without a medium */
    set_dma(b, 0x44, 512);
    transfer(b, 0xe6, 0, 0, 1, 18);
    check_status(b, 0x40, 0x01, 0);
    assert_int_equal(i82077_insert(b->fdc, 0, b->disk), STATUS_OK);
    seek(b, 0, 1);
    assert_int_equal(in(b, DIR) & 0x80, 0);
    out(b, DOR, 0x0c); /* the motor is off: the drive is not selected */
    assert_int_equal(i82077_insert(b->fdc, 0, b->disk), STATUS_OK);
    assert_int_equal(in(b, DIR) & 0x80, 0);
}

static void media_must_fit(void **state)
{
    struct board *b = *state;
    struct block *small;

    assert_int_equal(block_create_memory(&small, b->image, 720 * 512), STATUS_OK);
    assert_int_equal(i82077_insert(b->fdc, 0, small), STATUS_BAD_SIZE); /* 5.25 inch */
    block_close(small);
}

static void the_gate_holds_interrupts_back(void **state)
{
    struct board *b = *state;

    reset(b);
    out(b, DOR, 0x14);
    SEND(b, 0x07, 0x00);
    clock_run(&b->clk, 100 * MS);
    assert_false(b->irq.level);
    out(b, DOR, 0x1c);
    assert_true(b->irq.level);
}

static void any_traffic_is_survived(void **state)
{
    struct board *b = *state;
    u32 x = 1;

    for (unsigned i = 0; i < 200000; i++) {
        x = x * 1664525u + 1013904223u;
        u16 port = (u16)(0x3f2 + (x >> 28) % 6);
        if (port == 0x3f6)
            port = FIFO;
        if (x & 0x10000)
            out(b, port, (u8)(x >> 8));
        else
            in(b, port);
        if ((x >> 20 & 7) == 0)
            clock_run(&b->clk, MS);
        if ((x >> 12 & 0xfff) == 0)
            set_dma(b, x & 0x200 ? 0x44 : 0x48, 2000);
        if ((x & 0xff) == 0)
            out(b, DOR, 0x1c);
    }
}

static void state_survives_a_save_and_a_load(void **state)
{
    struct board *b = *state;
    struct i82077 *from = b->fdc;
    struct clock other_clock;
    struct ioport_bus *other_io = ioport_create();
    struct ioport_bus *io = b->io;

    ready(b, 0);
    SEND(b, 0x0f, 0x01, 20);
    SEND(b, 0x03, 0xaf, 0x03);
    SEND(b, 0xe6, 0, 0, 0, 1, 2, 2, 0x1b, 0xff);
    clock_run(&b->clk, 2 * MS);
    for (unsigned i = 0; i < 100; i++)
        in(b, FIFO);
    clock_init(&other_clock, CLOCK_RATIO_DEFAULT);
    struct i82077_desc desc = {.io = other_io,
                               .clk = &other_clock,
                               .irq = spy_line(&b->irq),
                               .dma = b->dma,
                               .channel = 2,
                               .drive = {FLOPPY_1M44, FLOPPY_NONE}};
    struct i82077 *to;
    assert_int_equal(i82077_create(&to, &desc), STATUS_OK);
    assert_int_equal(i82077_insert(to, 0, b->disk), STATUS_OK);
    check_save_load(&i82077_class, from, to);
    b->io = other_io;
    assert_int_equal(in(b, FIFO), b->image[100]); /* and it goes on there */
    b->io = io;
    i82077_class.destroy(to);
    ioport_destroy(other_io);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(four_drives_report_after_a_reset),
        TEST(a_reset_turns_polling_on_again),
        TEST(the_chip_says_what_it_is),
        TEST(lock_keeps_the_configuration_over_a_reset),
        TEST(a_read_goes_through_dma_and_ends_with_tc),
        TEST(multi_track_goes_on_with_the_other_head),
        TEST(without_tc_it_ends_at_the_end_of_the_track),
        TEST(a_write_reaches_the_image),
        TEST(nobody_at_the_dma_channel_is_an_overrun),
        TEST(without_dma_the_host_moves_the_bytes),
        TEST(sectors_that_are_not_there_are_not_found),
        TEST(implied_seeks_move_the_head),
        TEST(every_format_reads_its_last_sector),
        TEST(every_format_writes_its_last_sector),
        TEST(every_format_formats_its_last_track),
        TEST(an_odd_image_is_a_disk_with_an_unformatted_end),
        TEST(read_id_tells_cylinder_and_head),
        TEST(read_track_ignores_ids),
        TEST(format_fills_the_track),
        TEST(verify_reads_and_moves_nothing),
        TEST(scans_compare),
        TEST(deleted_data_is_nowhere),
        TEST(sense_drive_shows_track_0),
        TEST(seeks_of_a_drive_that_is_not_there_fail_at_track_0),
        TEST(overlapping_seeks_interrupt_twice),
        TEST(the_change_line_tells_of_a_new_medium),
        TEST(media_must_fit),
        TEST(the_gate_holds_interrupts_back),
        TEST(any_traffic_is_survived),
        TEST(state_survives_a_save_and_a_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
