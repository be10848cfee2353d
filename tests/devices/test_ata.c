/* SPDX-License-Identifier: MIT */
#include "devices/ata.h"
#include "devices/piix_ide.h"
#include "tests/support/device_state.h"
#include "tests/support/pci_guest.h"

#define SECTORS 4000u
#define IDE     PCI_DEVFN(1, 1)
#define BM      0xc000u
#define MS      1000000u

enum { ERR = 1, DRQ = 8, BSY = 0x80, READY = 0x50 };

struct board {
    struct ioport_bus *io;
    struct physmem *pm;
    struct pci_bus *bus;
    struct clock clk;
    struct spy irq[2];
    u8 *image;
    struct block *disk;
    struct ata *chip;
    struct piix_ide *ide;
};

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    b->io = ioport_create();
    clock_init(&b->clk, CLOCK_RATIO_DEFAULT);
    assert_int_equal(physmem_create(&b->pm, 1 << 20), STATUS_OK);
    physmem_map_ram(b->pm, 0, 1 << 20, 0);
    struct pci_bus_desc bus = {.io = b->io, .pm = b->pm};
    assert_int_equal(pci_bus_create(&b->bus, &bus), STATUS_OK);
    b->image = malloc(SECTORS * 512);
    for (u32 i = 0; i < SECTORS * 512; i++)
        b->image[i] = (u8)(i / 512 + i % 512 * 3);
    assert_int_equal(block_create_memory(&b->disk, b->image, SECTORS * 512), STATUS_OK);
    struct ata_desc desc = {.io = b->io,
                            .clk = &b->clk,
                            .irq = {spy_line(&b->irq[0]), spy_line(&b->irq[1])},
                            .drive = {{{.type = ATA_DISK, .disk = b->disk}}}};
    assert_int_equal(ata_create(&b->chip, &desc), STATUS_OK);
    struct piix_ide_desc ide = {.pci = b->bus, .pm = b->pm, .ata = b->chip};
    assert_int_equal(piix_ide_create(&b->ide, &ide), STATUS_OK);
    pci_out(b->io, IDE, PCI_BAR0 + 16, BM, W32);
    pci_out(b->io, IDE, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MASTER, W16);
    *state = b;
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
    block_close(b->disk);
    free(b->image);
    free(b);
    return 0;
}

static void out(struct board *b, u16 port, u8 val)
{
    ioport_write(b->io, port, val, W8);
}

static u8 in(struct board *b, u16 port)
{
    return (u8)ioport_read(b->io, port, W8);
}

static void command(struct board *b, u8 cmd, u32 lba, u8 count)
{
    out(b, 0x1f6, (u8)(0xe0 | lba >> 24));
    out(b, 0x1f2, count);
    out(b, 0x1f3, (u8)lba);
    out(b, 0x1f4, (u8)(lba >> 8));
    out(b, 0x1f5, (u8)(lba >> 16));
    out(b, 0x1f7, cmd);
}

static void command_ext(struct board *b, u8 cmd, u64 lba, u16 count)
{
    out(b, 0x1f6, 0x40);
    out(b, 0x1f2, (u8)(count >> 8));
    out(b, 0x1f2, (u8)count);
    for (unsigned i = 0; i < 3; i++) {
        out(b, (u16)(0x1f3 + i), (u8)(lba >> (24 + 8 * i)));
        out(b, (u16)(0x1f3 + i), (u8)(lba >> 8 * i));
    }
    out(b, 0x1f7, cmd);
}

/* Wait for the interrupt and acknowledge it; the status that was read. */
static u8 wait_irq(struct board *b)
{
    for (unsigned i = 0; i < 1000 && !b->irq[0].level; i++)
        clock_run(&b->clk, MS / 10);
    assert_true(b->irq[0].level);
    u8 status = in(b, 0x1f7);
    assert_false(b->irq[0].level);
    return status;
}

static void read_words(struct board *b, u8 *to, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i += 2) {
        u32 v = ioport_read(b->io, 0x1f0, W16);
        to[i] = (u8)v;
        to[i + 1] = (u8)(v >> 8);
    }
}

static void write_words(struct board *b, const u8 *from, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i += 4)
        ioport_write(
            b->io, 0x1f0,
            from[i] | (u32)from[i + 1] << 8 | (u32)from[i + 2] << 16 | (u32)from[i + 3] << 24, W32);
}

static void check_disk(struct board *b, u64 lba, u8 first)
{
    u8 buf[512];

    assert_int_equal(block_read(b->disk, lba, 1, buf), STATUS_OK);
    assert_int_equal(buf[0], first);
}

static void firmware_finds_one_drive(void **state)
{
    struct board *b = *state;

    assert_int_equal(in(b, 0x1f7), READY);
    assert_int_equal(in(b, 0x1f2), 1);
    assert_int_equal(in(b, 0x1f4), 0);
    out(b, 0x1f6, 0xb0);
    assert_int_equal(in(b, 0x1f7), 0);
    out(b, 0x1f2, 0x55);
    assert_int_equal(in(b, 0x1f2), 0);
    out(b, 0x1f7, 0xec); /* a command to nobody */
    clock_run(&b->clk, 10 * MS);
    assert_int_equal(in(b, 0x3f6), 0);
    assert_int_equal(in(b, 0x177), 0);
}

static void identify(void **state)
{
    struct board *b = *state;
    u8 id[512];

    command(b, 0xec, 0, 0);
    assert_int_equal(in(b, 0x3f6) & BSY, BSY);
    assert_int_equal(wait_irq(b), READY | DRQ);
    read_words(b, id, 512);
    assert_int_equal(in(b, 0x1f7), READY);
    assert_int_equal(id[2 * 3], 16);
    assert_int_equal(id[2 * 60] | id[2 * 60 + 1] << 8, SECTORS);
    assert_int_equal(id[2 * 100] | id[2 * 100 + 1] << 8, SECTORS);
    assert_memory_equal(id + 2 * 27, "UTBR8O 6IDKS", 12);
    assert_int_equal(id[2 * 49 + 1] & 3, 3); /* LBA and DMA */
}

static void pio_read_interrupts_for_each_sector(void **state)
{
    struct board *b = *state;
    u8 buf[512];

    command(b, 0x20, 1000, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(wait_irq(b), READY | DRQ);
        read_words(b, buf, 512);
        assert_memory_equal(buf, b->image + (1000 + i) * 512, 512);
    }
    assert_int_equal(in(b, 0x1f7), READY);
    clock_run(&b->clk, 10 * MS);
    assert_false(b->irq[0].level);
    assert_int_equal(b->irq[0].rises, 3);
    assert_int_equal(in(b, 0x1f3) | in(b, 0x1f4) << 8, 1002);
}

static void multiple_reads_blocks(void **state)
{
    struct board *b = *state;
    u8 buf[8 * 512];

    command(b, 0xc4, 0, 10); /* not set up */
    assert_int_equal(wait_irq(b), READY | ERR);
    command(b, 0xc6, 0, 8);
    assert_int_equal(wait_irq(b), READY);
    command(b, 0xc4, 20, 10);
    assert_int_equal(wait_irq(b), READY | DRQ);
    read_words(b, buf, 8 * 512);
    assert_memory_equal(buf, b->image + 20 * 512, sizeof(buf));
    assert_int_equal(wait_irq(b), READY | DRQ);
    read_words(b, buf, 2 * 512);
    assert_memory_equal(buf, b->image + 28 * 512, 1024);
    assert_int_equal(in(b, 0x1f7), READY);
}

static void pio_write_48_bit(void **state)
{
    struct board *b = *state;
    u8 buf[1024];

    memset(buf, 0x5e, sizeof(buf));
    command_ext(b, 0x34, 300, 2);
    clock_run(&b->clk, MS);
    assert_false(b->irq[0].level); /* the first block is asked for silently */
    assert_int_equal(in(b, 0x1f7), READY | DRQ);
    write_words(b, buf, 512);
    assert_int_equal(wait_irq(b), READY | DRQ);
    write_words(b, buf, 512);
    assert_int_equal(wait_irq(b), READY);
    check_disk(b, 300, 0x5e);
    check_disk(b, 301, 0x5e);
    check_disk(b, 302, (u8)302);
    assert_int_equal(b->image[300 * 512], (u8)300);
}

static void multiple_writes_blocks_and_is_flushed(void **state)
{
    struct board *b = *state;
    u8 buf[8 * 512];

    memset(buf, 0x3c, sizeof(buf));
    command(b, 0xc6, 0, 8);
    assert_int_equal(wait_irq(b), READY);
    for (unsigned ext = 0; ext < 2; ext++) {
        if (ext)
            command_ext(b, 0x39, 440, 10);
        else
            command(b, 0xc5, 40, 10);
        clock_run(&b->clk, MS);
        assert_int_equal(in(b, 0x1f7), READY | DRQ);
        write_words(b, buf, 8 * 512);
        assert_int_equal(wait_irq(b), READY | DRQ);
        write_words(b, buf, 2 * 512);
        assert_int_equal(wait_irq(b), READY);
        check_disk(b, 40 + 400 * ext, 0x3c);
        check_disk(b, 49 + 400 * ext, 0x3c);
        check_disk(b, 50 + 400 * ext, (u8)(50 + 400 * ext));
        command(b, ext ? 0xea : 0xe7, 0, 0);
        assert_int_equal(in(b, 0x3f6) & BSY, BSY);
        assert_int_equal(wait_irq(b), READY);
    }
}

static void more_than_28_bits_are_looked_at(void **state)
{
    struct board *b = *state;

    command_ext(b, 0x24, 1ull << 28, 1); /* not sector 0 */
    assert_int_equal(wait_irq(b), READY | ERR);
    assert_int_equal(in(b, 0x1f1), 0x10);
}

static void chs_follows_the_translation(void **state)
{
    struct board *b = *state;
    u8 buf[512];

    out(b, 0x1f2, 32);
    out(b, 0x1f6, 0xa7); /* 8 heads of 32 sectors */
    out(b, 0x1f7, 0x91);
    assert_int_equal(wait_irq(b), READY);
    out(b, 0x1f2, 1);
    out(b, 0x1f3, 5);
    out(b, 0x1f4, 3);
    out(b, 0x1f5, 0);
    out(b, 0x1f6, 0xa2);
    out(b, 0x1f7, 0x20);
    assert_int_equal(wait_irq(b), READY | DRQ);
    read_words(b, buf, 512);
    assert_memory_equal(buf, b->image + ((3 * 8 + 2) * 32 + 4) * 512, 512);
    out(b, 0x1f3, 0); /* there is no sector 0 */
    out(b, 0x1f7, 0x20);
    assert_int_equal(wait_irq(b), READY | ERR);
    assert_int_equal(in(b, 0x1f1), 0x10);
}

static void errors_tell_what_and_where(void **state)
{
    struct board *b = *state;
    u8 buf[512];

    command(b, 0x20, SECTORS - 1, 2);
    assert_int_equal(wait_irq(b), READY | DRQ);
    read_words(b, buf, 512);
    assert_int_equal(wait_irq(b), READY | ERR);
    assert_int_equal(in(b, 0x1f1), 0x10);
    assert_int_equal(in(b, 0x1f3) | in(b, 0x1f4) << 8, SECTORS);
    command(b, 0xa1, 0, 0); /* IDENTIFY PACKET DEVICE: not a CD-ROM */
    assert_int_equal(wait_irq(b), READY | ERR);
    assert_int_equal(in(b, 0x1f1), 0x04);
    command(b, 0x40, 0, 100);
    assert_int_equal(wait_irq(b), READY);
}

static void hob_shows_the_previous_bytes(void **state)
{
    struct board *b = *state;

    command(b, 0x27, 0, 0);
    assert_int_equal(wait_irq(b), READY);
    assert_int_equal(in(b, 0x1f3) | in(b, 0x1f4) << 8, SECTORS - 1);
    out(b, 0x1f2, 0x12);
    out(b, 0x1f2, 0x34);
    out(b, 0x3f6, 0x80);
    assert_int_equal(in(b, 0x1f2), 0x12);
    out(b, 0x3f6, 0x00);
    assert_int_equal(in(b, 0x1f2), 0x34);
}

static void software_reset(void **state)
{
    struct board *b = *state;

    command(b, 0x20, 0, 5);
    out(b, 0x3f6, 0x04);
    assert_int_equal(in(b, 0x3f6), BSY);
    out(b, 0x3f6, 0x00);
    assert_int_equal(in(b, 0x1f7), READY);
    assert_int_equal(in(b, 0x1f1), 1);
    assert_int_equal(in(b, 0x1f2), 1);
    clock_run(&b->clk, 10 * MS);
    assert_int_equal(b->irq[0].rises, 0);
}

static void nien_and_diagnostic(void **state)
{
    struct board *b = *state;

    out(b, 0x3f6, 0x02);
    command(b, 0x90, 0, 0);
    assert_false(b->irq[0].level);
    assert_int_equal(in(b, 0x1f1), 1);
    out(b, 0x3f6, 0x00);
    assert_true(b->irq[0].level);
}

/* A table of up to two regions at 8000h. */
static void table(struct board *b, u32 at0, u32 len0, u32 at1, u32 len1)
{
    u32 prd[4] = {at0, len0, at1, len1 | 0x80000000u};

    physmem_write(b->pm, 0x8000, prd, sizeof(prd));
    ioport_write(b->io, BM + 4, 0x8000, W32);
    out(b, BM + 2, 0x06);
}

static void dma_reads_through_the_table(void **state)
{
    struct board *b = *state;

    table(b, 0x10000, 1024, 0x20000, 3 * 512 - 1024);
    command(b, 0xc8, 50, 3);
    out(b, BM, 0x08);
    out(b, BM, 0x09);
    assert_int_equal(in(b, BM + 2) & 7, 1);
    assert_int_equal(wait_irq(b), READY);
    assert_int_equal(in(b, BM + 2) & 7, 4);
    out(b, BM, 0x00);
    out(b, BM + 2, 0x04);
    assert_int_equal(in(b, BM + 2) & 7, 0);
    assert_memory_equal(physmem_ram(b->pm) + 0x10000, b->image + 50 * 512, 1024);
    assert_memory_equal(physmem_ram(b->pm) + 0x20000, b->image + 52 * 512, 512);
}

static void dma_writes_48_bit(void **state)
{
    struct board *b = *state;

    memset(physmem_ram(b->pm) + 0x10000, 0x9d, 0x20000);
    table(b, 0x10000, 0, 0x20000, 0x8000); /* 0 is 64 KiB */
    out(b, BM, 0x01);                      /* the master may start first */
    command_ext(b, 0x35, 100, 192);
    assert_int_equal(wait_irq(b), READY);
    assert_int_equal(in(b, BM + 2) & 7, 4);
    check_disk(b, 99, (u8)99);
    check_disk(b, 100, 0x9d);
    check_disk(b, 291, 0x9d);
    check_disk(b, 292, (u8)292);
}

static void table_and_transfer_of_different_length(void **state)
{
    struct board *b = *state;

    table(b, 0x10000, 512, 0x20000, 512);
    command(b, 0xc8, 0, 1);
    out(b, BM, 0x09);
    assert_int_equal(wait_irq(b), READY);
    assert_int_equal(in(b, BM + 2) & 7, 5); /* still active */
    out(b, BM, 0x08);
    table(b, 0x10000, 512, 0x20000, 512);
    command(b, 0xc8, 0, 3);
    out(b, BM, 0x09);
    clock_run(&b->clk, 100 * MS);
    assert_false(b->irq[0].level);
    assert_int_equal(in(b, BM + 2) & 7, 0);
    out(b, 0x3f6, 0x04);
    out(b, 0x3f6, 0x00);
    assert_int_equal(in(b, 0x1f7), READY);
}

static void the_buffer_can_be_tried(void **state)
{
    struct board *b = *state;
    u8 sector[512], back[512];

    for (unsigned i = 0; i < 512; i++)
        sector[i] = (u8)(i * 11);
    command(b, 0xe8, 0, 0);
    clock_run(&b->clk, MS);
    assert_int_equal(in(b, 0x3f6) & DRQ, DRQ);
    write_words(b, sector, 512);
    assert_int_equal(wait_irq(b), READY);
    command(b, 0xe4, 0, 0);
    assert_int_equal(wait_irq(b) & DRQ, DRQ);
    read_words(b, back, 512);
    assert_memory_equal(sector, back, 512);
    assert_int_equal(in(b, 0x1f7), READY);
}

static void state_survives_save_and_load(void **state)
{
    struct board *b = *state;
    void *other;
    u8 buf[512];

    command(b, 0x20, 77, 2);
    wait_irq(b);
    read_words(b, buf, 512);
    setup(&other);
    struct board *fresh = other;
    clock_run_to(&fresh->clk, clock_now(&b->clk));
    check_save_load(&ata_class, b->chip, fresh->chip);
    check_save_load(&piix_ide_class, b->ide, fresh->ide);
    assert_int_equal(wait_irq(fresh), READY | DRQ);
    read_words(fresh, buf, 512);
    assert_memory_equal(buf, b->image + 78 * 512, 512);
    teardown(&other);
}

/* Whatever is written, in any order, must be harmless. Sanitizers look on. */
static void random_writes_are_harmless(void **state)
{
    struct board *b = *state;
    u64 r = 99;

    for (unsigned i = 0; i < 50000; i++) {
        r = r * 6364136223846793005u + 1442695040888963407u;
        u32 x = (u32)(r >> 32);
        switch (x & 7) {
        case 0:
            out(b, (u16)(BM + (x >> 4 & 15)), (u8)(x >> 16));
            break;
        case 1:
            ioport_write(b->io, 0x1f0, x, W32);
            ioport_read(b->io, 0x1f0, W16);
            break;
        case 2:
            clock_run(&b->clk, x >> 14);
            break;
        case 3:
            if (x % 50 == 3)
                out(b, 0x3f6, (u8)(x >> 16));
            break;
        default:
            out(b, (u16)(0x1f1 + (x >> 4) % 7), (u8)(x >> 16));
            in(b, (u16)(0x1f1 + (x >> 8) % 7));
        }
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(firmware_finds_one_drive),
        T(identify),
        T(pio_read_interrupts_for_each_sector),
        T(multiple_reads_blocks),
        T(pio_write_48_bit),
        T(multiple_writes_blocks_and_is_flushed),
        T(more_than_28_bits_are_looked_at),
        T(chs_follows_the_translation),
        T(errors_tell_what_and_where),
        T(hob_shows_the_previous_bytes),
        T(software_reset),
        T(nien_and_diagnostic),
        T(dma_reads_through_the_table),
        T(dma_writes_48_bit),
        T(table_and_transfer_of_different_length),
        T(the_buffer_can_be_tried),
        T(state_survives_save_and_load),
        T(random_writes_are_harmless),
    };
    return cmocka_run_group_tests_name("ata", tests, NULL, NULL);
}
