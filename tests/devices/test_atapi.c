/* SPDX-License-Identifier: MIT */
/* The CD-ROM drive through its channel's ports, as the second channel's master. */
#include "base/bits.h"
#include "devices/ata.h"
#include "devices/piix_ide.h"
#include "tests/support/device_state.h"
#include "tests/support/pci_guest.h"

#define SECTORS 64u
#define IDE     PCI_DEVFN(1, 1)
#define BM      0xc000u
#define MS      1000000ull

enum { ERR = 1, DRQ = 8, READY = 0x50 };

struct board {
    struct ioport_bus *io;
    struct physmem *pm;
    struct pci_bus *bus;
    struct clock clk;
    struct spy irq[2];
    u8 *image;
    struct block *disc;
    struct ata *chip;
    struct piix_ide *ide;
    u8 data[65536];
    unsigned len, blocks;
};

static struct ata_desc desc_of(struct board *b)
{
    return (struct ata_desc){.io = b->io,
                             .clk = &b->clk,
                             .irq = {spy_line(&b->irq[0]), spy_line(&b->irq[1])},
                             .drive = {{{0}}, {{.type = ATA_CDROM, .disk = b->disc}}}};
}

static void out(struct board *b, u16 port, u8 val)
{
    ioport_write(b->io, port, val, W8);
}

static u8 in(struct board *b, u16 port)
{
    return (u8)ioport_read(b->io, port, W8);
}

static u8 wait_irq(struct board *b)
{
    for (unsigned i = 0; i < 1000 && !b->irq[1].level; i++)
        clock_run(&b->clk, MS / 10);
    assert_true(b->irq[1].level);
    u8 status = in(b, 0x177);
    assert_false(b->irq[1].level);
    return status;
}

/* Send a packet; the status of the interrupt that follows. */
static u8 send(struct board *b, const u8 *packet, unsigned n, u8 features, u16 limit)
{
    u8 p[12] = {0};

    memcpy(p, packet, n);
    out(b, 0x176, 0xa0);
    out(b, 0x171, features);
    out(b, 0x174, (u8)limit);
    out(b, 0x175, (u8)(limit >> 8));
    out(b, 0x177, 0xa0);
    clock_run(&b->clk, MS);
    assert_false(b->irq[1].level);
    assert_int_equal(in(b, 0x376) & (DRQ | ERR), DRQ);
    assert_int_equal(in(b, 0x172), 1); /* it wants the command */
    for (unsigned i = 0; i < 12; i += 2)
        ioport_write(b->io, 0x170, load16(p + i), W16);
    return wait_irq(b);
}

/* A whole command by PIO; true if it ended well. The data is in b->data. */
static bool command(struct board *b, const u8 *packet, unsigned n, u16 limit)
{
    u8 status = send(b, packet, n, 0, limit);

    b->len = b->blocks = 0;
    while (status & DRQ) {
        unsigned bytes = in(b, 0x174) | in(b, 0x175) << 8;
        assert_int_equal(in(b, 0x172), 2); /* data to the host */
        assert_in_range(bytes, 1, limit);
        for (unsigned i = 0; i < bytes; i += 2)
            store16(b->data + b->len + i, (u16)ioport_read(b->io, 0x170, W16));
        b->len += bytes;
        b->blocks++;
        status = wait_irq(b);
    }
    assert_int_equal(in(b, 0x172), 3);
    assert_int_equal(status & READY, READY);
    return !(status & ERR);
}

#define COMMAND(b, ...)                                                                            \
    command(b, (const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__}), 0xfffe)

static void check_sense(struct board *b, u8 key, u8 asc)
{
    assert_int_equal(in(b, 0x171) >> 4, key);
    assert_true(COMMAND(b, 0x03, 0, 0, 0, 18));
    assert_int_equal(b->len, 18);
    assert_int_equal(b->data[0], 0x70);
    assert_int_equal(b->data[2], key);
    assert_int_equal(b->data[12], asc);
}

static void plug(struct board *b)
{
    struct ata_desc desc = desc_of(b);

    assert_int_equal(ata_create(&b->chip, &desc), STATUS_OK);
    struct piix_ide_desc ide = {.pci = b->bus, .pm = b->pm, .ata = b->chip};
    assert_int_equal(piix_ide_create(&b->ide, &ide), STATUS_OK);
    pci_out(b->io, IDE, PCI_BAR0 + 16, BM, W32);
    pci_out(b->io, IDE, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MASTER, W16);
}

/* As after power-on. */
static int setup_raw(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    b->io = ioport_create();
    clock_init(&b->clk, CLOCK_RATIO_DEFAULT);
    assert_int_equal(physmem_create(&b->pm, 1 << 20), STATUS_OK);
    physmem_map_ram(b->pm, 0, 1 << 20, 0);
    struct pci_bus_desc bus = {.io = b->io, .pm = b->pm};
    assert_int_equal(pci_bus_create(&b->bus, &bus), STATUS_OK);
    b->image = malloc(SECTORS * 2048);
    for (u32 i = 0; i < SECTORS * 2048; i++)
        b->image[i] = (u8)(i / 2048 * 7 + i % 2048 * 3);
    assert_int_equal(block_create_memory(&b->disc, b->image, SECTORS * 2048), STATUS_OK);
    plug(b);
    *state = b;
    return 0;
}

/* The reset's unit attention is over. */
static int setup(void **state)
{
    setup_raw(state);
    assert_false(COMMAND((struct board *)*state, 0));
    return 0;
}

static int teardown(void **state)
{
    struct board *b = *state;

    piix_ide_class.destroy(b->ide);
    ata_class.destroy(b->chip);
    pci_bus_class.destroy(b->bus);
    physmem_destroy(b->pm);
    ioport_destroy(b->io);
    block_close(b->disc);
    free(b->image);
    free(b);
    return 0;
}

/* ---- tests ---- */

static void the_signature_tells_it_from_a_disk(void **state)
{
    struct board *b = *state;

    assert_int_equal(in(b, 0x174), 0x14);
    assert_int_equal(in(b, 0x175), 0xeb);
    assert_int_equal(in(b, 0x177), 0);
    out(b, 0x177, 0xec); /* IDENTIFY DEVICE is not for it */
    assert_int_equal(wait_irq(b) & ERR, ERR);
    assert_int_equal(in(b, 0x174), 0x14);
    assert_int_equal(in(b, 0x175), 0xeb);
    out(b, 0x376, 4);
    out(b, 0x376, 0);
    assert_int_equal(in(b, 0x172), 1);
    assert_int_equal(in(b, 0x175), 0xeb);
}

static void it_identifies_itself(void **state)
{
    struct board *b = *state;
    u16 words[256];

    out(b, 0x177, 0xa1);
    assert_int_equal(wait_irq(b) & DRQ, DRQ);
    for (unsigned i = 0; i < 256; i++)
        words[i] = (u16)ioport_read(b->io, 0x170, W16);
    assert_int_equal(words[0], 0x85c0);
    assert_int_equal(words[27], 'T' << 8 | 'U');
    assert_int_equal(words[49] & 0x0300, 0x0300);
    assert_int_equal(in(b, 0x177), READY);
    out(b, 0x171, 3);
    out(b, 0x172, 0x42);
    out(b, 0x177, 0xef); /* ultra DMA 2 */
    assert_int_equal(wait_irq(b), READY);
}

static void a_reset_is_a_unit_attention(void **state)
{
    struct board *b = *state;

    assert_true(COMMAND(b, 0x12, 0, 0, 0, 36)); /* INQUIRY does not mind */
    assert_int_equal(b->data[0], 5);
    assert_memory_equal(b->data + 8, "TURBO86 ", 8);
    assert_false(COMMAND(b, 0));
    check_sense(b, 6, 0x29);
    assert_true(COMMAND(b, 0));
    check_sense(b, 0, 0);
}

static void device_reset_works_on_a_busy_drive(void **state)
{
    struct board *b = *state;

    out(b, 0x177, 0xa0);
    assert_int_equal(in(b, 0x376), 0x80 | READY);
    out(b, 0x177, 0x08);
    assert_int_equal(in(b, 0x376), 0);
    assert_int_equal(in(b, 0x175), 0xeb);
    assert_true(COMMAND(b, 0));
}

static void reads_arrive_in_blocks_of_the_hosts_limit(void **state)
{
    struct board *b = *state;

    assert_true(COMMAND(b, 0x28, 0, 0, 0, 0, 5, 0, 0, 9));
    assert_int_equal(b->len, 9 * 2048);
    assert_memory_equal(b->data, b->image + 5 * 2048, 9 * 2048);
    const u8 read12[12] = {0xa8, 0, 0, 0, 0, 60, 0, 0, 0, 4};
    assert_true(command(b, read12, 12, 2048));
    assert_int_equal(b->blocks, 4);
    assert_memory_equal(b->data, b->image + 60 * 2048, 4 * 2048);
    assert_true(command(b, read12, 12, 1000)); /* blocks may end anywhere */
    assert_int_equal(b->blocks, 9);
    assert_memory_equal(b->data, b->image + 60 * 2048, 4 * 2048);
    assert_true(COMMAND(b, 0x28, 0, 0, 0, 0, 5, 0, 0, 0));
    assert_int_equal(b->len, 0);
}

static void what_is_not_on_the_disc_cannot_be_read(void **state)
{
    struct board *b = *state;

    assert_false(COMMAND(b, 0x28, 0, 0, 0, 0, 63, 0, 0, 2));
    check_sense(b, 5, 0x21);
    assert_false(COMMAND(b, 0x28, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 1));
    check_sense(b, 5, 0x21);
    assert_false(COMMAND(b, 0x2b, 0, 0, 0, 0, 64));
    check_sense(b, 5, 0x21);
    assert_false(COMMAND(b, 0xc7));
    check_sense(b, 5, 0x20);
}

static void dma_goes_through_the_bus_master(void **state)
{
    struct board *b = *state;
    u8 prd[16];

    store32(prd, 0x10000);
    store32(prd + 4, 0x8000);
    store32(prd + 8, 0x20000);
    store32(prd + 12, 0x80000000u);
    physmem_write(b->pm, 0x1000, prd, sizeof(prd));
    ioport_write(b->io, BM + 12, 0x1000, W32);
    out(b, BM + 8, 8);
    out(b, BM + 10, 6);
    out(b, 0x176, 0xa0);
    out(b, 0x171, 1);
    out(b, 0x177, 0xa0);
    clock_run(&b->clk, MS);
    const u8 packet[12] = {0x28, 0, 0, 0, 0, 1, 0, 0, 48};
    for (unsigned i = 0; i < 12; i += 2)
        ioport_write(b->io, 0x170, load16(packet + i), W16);
    clock_run(&b->clk, 10 * MS);
    assert_false(b->irq[1].level); /* the master has not been started */
    out(b, BM + 8, 9);
    assert_int_equal(wait_irq(b), READY);
    assert_int_equal(in(b, 0x172), 3);
    assert_memory_equal(physmem_ram(b->pm) + 0x10000, b->image + 2048, 0x8000);
    assert_memory_equal(physmem_ram(b->pm) + 0x20000, b->image + 2048 + 0x8000, 48 * 2048 - 0x8000);
}

static void capacity_and_toc_describe_one_track(void **state)
{
    struct board *b = *state;

    assert_true(COMMAND(b, 0x25));
    static const u8 capacity[] = {0, 0, 0, SECTORS - 1, 0, 0, 8, 0};
    assert_memory_equal(b->data, capacity, 8);
    assert_true(COMMAND(b, 0x43, 0, 0, 0, 0, 0, 0, 0, 100));
    static const u8 toc[] = {0, 18, 1, 1,    0,    0x14, 1, 0, 0, 0,
                             0, 0,  0, 0x14, 0xaa, 0,    0, 0, 0, SECTORS};
    assert_int_equal(b->len, sizeof(toc));
    assert_memory_equal(b->data, toc, sizeof(toc));
    assert_true(COMMAND(b, 0x43, 2, 0, 0, 0, 0, 0xaa, 0, 100)); /* minutes, seconds, frames */
    assert_int_equal(b->len, 12);
    assert_int_equal(b->data[10], 2);
    assert_int_equal(b->data[11], SECTORS);
    assert_true(COMMAND(b, 0x43, 0, 1, 0, 0, 0, 0, 0, 100));
    assert_int_equal(b->len, 12);
    assert_true(COMMAND(b, 0x43, 2, 2, 0, 0, 0, 1, 0, 100));
    assert_int_equal(b->len, 4 + 4 * 11);
    assert_true(COMMAND(b, 0x43, 0, 0, 0, 0, 0, 0, 0, 5)); /* cut off where the host says */
    assert_int_equal(b->len, 5);
    assert_false(COMMAND(b, 0x43, 0, 0, 0, 0, 0, 2, 0, 100));
    check_sense(b, 5, 0x24);
}

static void raw_sectors_have_headers(void **state)
{
    struct board *b = *state;

    assert_true(COMMAND(b, 0xbe, 0, 0, 0, 0, 7, 0, 0, 2, 0xf8));
    assert_int_equal(b->len, 2 * 2352);
    static const u8 head[] = {0,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                              0xff, 0xff, 0xff, 0,    0,    2,    8,    1};
    assert_memory_equal(b->data + 2352, head, sizeof(head));
    assert_memory_equal(b->data + 2352 + 16, b->image + 8 * 2048, 2048);
    assert_true(COMMAND(b, 0xbe, 8, 0, 0, 0, 7, 0, 0, 1, 0x10));
    assert_int_equal(b->len, 2048);
    assert_true(COMMAND(b, 0xb9, 0, 0, 0, 2, 7, 0, 2, 9, 0x10));
    assert_int_equal(b->len, 2 * 2048);
    assert_memory_equal(b->data, b->image + 7 * 2048, 2048);
    assert_false(COMMAND(b, 0xbe, 4, 0, 0, 0, 7, 0, 0, 1, 0xf8)); /* audio */
    check_sense(b, 5, 0x64);
    assert_false(COMMAND(b, 0xbe, 0, 0, 0, 0, 7, 0, 0, 1, 0x90)); /* sync and data only */
    check_sense(b, 5, 0x24);
}

static void it_tells_what_it_can_do(void **state)
{
    struct board *b = *state;

    assert_true(COMMAND(b, 0x5a, 0, 0x3f, 0, 0, 0, 0, 1, 0));
    assert_int_equal(b->len, 8 + 8 + 16 + 22);
    assert_int_equal(b->data[1], b->len - 2);
    assert_true(COMMAND(b, 0x5a, 0, 0x2a, 0, 0, 0, 0, 1, 0));
    assert_int_equal(b->data[8], 0x2a);
    assert_false(COMMAND(b, 0x5a, 0, 0x05, 0, 0, 0, 0, 1, 0));
    check_sense(b, 5, 0x24);
    assert_false(COMMAND(b, 0x5a, 0, 0xea, 0, 0, 0, 0, 1, 0));
    check_sense(b, 5, 0x39);
    assert_true(COMMAND(b, 0x46, 0, 0, 0, 0, 0, 0, 1, 0));
    assert_int_equal(load16(b->data + 6), 0x0800); /* the profile: CD-ROM */
    assert_int_equal(b->data[3], b->len - 4);
    assert_true(COMMAND(b, 0x46, 2, 0, 3, 0, 0, 0, 1, 0));
    assert_int_equal(b->len, 16);
    assert_true(COMMAND(b, 0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8));
    assert_true(COMMAND(b, 0x51, 0, 0, 0, 0, 0, 0, 0, 34));
    assert_true(COMMAND(b, 0x52, 1, 0, 0, 0, 1, 0, 0, 36));
    assert_true(COMMAND(b, 0xbb, 0, 0xff, 0xff));
}

static u8 media_event(struct board *b)
{
    assert_true(COMMAND(b, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8));
    assert_int_equal(b->data[2], 4);
    return b->data[4];
}

static void a_new_medium_is_noticed(void **state)
{
    struct board *b = *state;
    struct block *other;

    assert_int_equal(media_event(b), 0);
    assert_int_equal(b->data[5], 2);
    assert_int_equal(ata_insert(b->chip, 1, 0, NULL), STATUS_OK);
    assert_int_equal(media_event(b), 3);
    assert_int_equal(b->data[5], 0);
    assert_false(COMMAND(b, 0));
    check_sense(b, 2, 0x3a);
    assert_false(COMMAND(b, 0x28, 0, 0, 0, 0, 0, 0, 0, 1));
    assert_int_equal(block_create_memory(&other, b->image + 2048, 32 * 2048), STATUS_OK);
    assert_int_equal(ata_insert(b->chip, 1, 0, other), STATUS_OK);
    assert_int_equal(media_event(b), 2);
    assert_int_equal(media_event(b), 0);
    assert_false(COMMAND(b, 0x25));
    check_sense(b, 6, 0x28);
    assert_true(COMMAND(b, 0x25));
    assert_int_equal(b->data[3], 31);
    assert_int_equal(ata_insert(b->chip, 1, 0, b->disc), STATUS_OK);
    block_close(other);
    assert_int_equal(ata_insert(b->chip, 0, 0, b->disc), STATUS_BAD_VALUE);
}

static void the_tray_opens_unless_it_is_locked(void **state)
{
    struct board *b = *state;

    assert_true(COMMAND(b, 0x1e, 0, 0, 0, 1));
    assert_true(ata_locked(b->chip, 1, 0));
    assert_false(COMMAND(b, 0x1b, 0, 0, 0, 2));
    check_sense(b, 5, 0x53);
    assert_true(COMMAND(b, 0x1e));
    assert_true(COMMAND(b, 0x1b, 0, 0, 0, 2));
    assert_int_equal(media_event(b), 3);
    assert_int_equal(b->data[5], 1);
    assert_false(COMMAND(b, 0));
    check_sense(b, 2, 0x3a);
    assert_true(COMMAND(b, 0x1b, 0, 0, 0, 3));
    assert_false(COMMAND(b, 0));
    check_sense(b, 6, 0x28);
    assert_true(COMMAND(b, 0));
}

static void the_last_sector_may_be_incomplete(void **state)
{
    struct board *b = *state;
    struct block *odd;

    assert_int_equal(block_create_memory(&odd, b->image, 2048 + 512), STATUS_OK);
    assert_int_equal(ata_insert(b->chip, 1, 0, odd), STATUS_OK);
    assert_false(COMMAND(b, 0));
    assert_true(COMMAND(b, 0x28, 0, 0, 0, 0, 1, 0, 0, 1));
    assert_memory_equal(b->data, b->image + 2048, 512);
    for (unsigned i = 512; i < 2048; i++)
        assert_int_equal(b->data[i], 0);
    assert_int_equal(ata_insert(b->chip, 1, 0, b->disc), STATUS_OK);
    block_close(odd);
}

static void state_survives_a_save_and_a_load(void **state)
{
    struct board *b = *state, *other;
    const u8 packet[] = {0x28, 0, 0, 0, 0, 5, 0, 0, 9};

    setup_raw((void **)&other);
    assert_int_equal(send(b, packet, sizeof(packet), 0, 2048) & DRQ, DRQ);
    for (unsigned i = 0; i < 100; i++)
        ioport_read(b->io, 0x170, W16);
    check_save_load(&ata_class, b->chip, other->chip);
    assert_int_equal(ioport_read(other->io, 0x170, W16), load16(b->image + 5 * 2048 + 200));
    teardown((void **)&other);
}

#define TEST(name)     cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_RAW(name) cmocka_unit_test_setup_teardown(name, setup_raw, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_RAW(the_signature_tells_it_from_a_disk),
        TEST(it_identifies_itself),
        TEST_RAW(a_reset_is_a_unit_attention),
        TEST(device_reset_works_on_a_busy_drive),
        TEST(reads_arrive_in_blocks_of_the_hosts_limit),
        TEST(what_is_not_on_the_disc_cannot_be_read),
        TEST(dma_goes_through_the_bus_master),
        TEST(capacity_and_toc_describe_one_track),
        TEST(raw_sectors_have_headers),
        TEST(it_tells_what_it_can_do),
        TEST(a_new_medium_is_noticed),
        TEST(the_tray_opens_unless_it_is_locked),
        TEST(the_last_sector_may_be_incomplete),
        TEST(state_survives_a_save_and_a_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
