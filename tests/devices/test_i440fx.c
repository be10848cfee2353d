/* SPDX-License-Identifier: MIT */
#include "devices/i440fx.h"
#include "tests/support/device_state.h"
#include "tests/support/pci_guest.h"

#define HOST     PCI_DEVFN(0, 0)
#define RAM_SIZE (4u << 20)
#define BIOS_LEN (256u << 10)

struct board {
    struct ioport_bus *io;
    struct physmem *pm;
    struct pci_bus *bus;
    struct i440fx *chip;
    u8 *bios;
    u64 vga_last;
};

static u64 vga_load(void *dev, u64 off, unsigned size)
{
    (void)dev, (void)size;
    return 0x70 + (off & 7);
}

static void vga_store(void *dev, u64 off, u64 val, unsigned size)
{
    (void)off, (void)size;
    ((struct board *)dev)->vga_last = val;
}

static const struct mmio_ops vga_ops = {.read = vga_load, .write = vga_store, .max = 1};

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    b->io = ioport_create();
    b->bios = malloc(BIOS_LEN);
    for (u32 i = 0; i < BIOS_LEN; i++)
        b->bios[i] = (u8)(i >> 12 ^ i);
    assert_int_equal(physmem_create(&b->pm, RAM_SIZE), STATUS_OK);
    struct pci_bus_desc bus = {.io = b->io, .pm = b->pm};
    assert_int_equal(pci_bus_create(&b->bus, &bus), STATUS_OK);
    struct i440fx_desc desc = {.pci = b->bus, .pm = b->pm, .bios = b->bios, .bios_len = BIOS_LEN};
    assert_int_equal(i440fx_create(&b->chip, &desc), STATUS_OK);
    assert_int_equal(i440fx_set_vga(b->chip, &vga_ops, b), STATUS_OK);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct board *b = *state;

    i440fx_class.destroy(b->chip);
    pci_bus_class.destroy(b->bus);
    physmem_destroy(b->pm);
    ioport_destroy(b->io);
    free(b->bios);
    free(b);
    return 0;
}

static u8 peek(struct board *b, phys_addr at)
{
    u8 v;

    physmem_read(b->pm, at, &v, 1);
    return v;
}

static void poke(struct board *b, phys_addr at, u8 v)
{
    physmem_write(b->pm, at, &v, 1);
}

static u8 bios_byte(struct board *b, u32 at) /* as below 1 MiB */
{
    return b->bios[BIOS_LEN - (0x100000 - at)];
}

static void seabios_recognises_the_bridge(void **state)
{
    struct board *b = *state;

    assert_int_equal(pci_in(b->io, HOST, 0, W32), 0x12378086);
    assert_int_equal(pci_in(b->io, HOST, PCI_REVISION_ID, W32), 0x06000002);
    assert_int_equal(pci_in(b->io, HOST, PCI_SUBSYSTEM_VENDOR_ID, W32), 0x11001af4);
}

static void bios_answers_below_both_ceilings(void **state)
{
    struct board *b = *state;

    assert_int_equal(peek(b, 0xfffffff3), b->bios[BIOS_LEN - 13]);
    assert_int_equal(peek(b, 0x100000000 - BIOS_LEN), b->bios[0]);
    assert_int_equal(peek(b, 0xffff3), bios_byte(b, 0xffff3));
    assert_int_equal(peek(b, 0xe0001), bios_byte(b, 0xe0001));
    assert_int_equal(peek(b, 0xc0000), 0xff);
    poke(b, 0xffff3, 0x5a);
    assert_int_equal(peek(b, 0xffff3), bios_byte(b, 0xffff3));
}

static void ram_answers_around_the_hole(void **state)
{
    struct board *b = *state;

    poke(b, 0x9ffff, 0x11);
    poke(b, 0x100000, 0x22);
    poke(b, RAM_SIZE - 1, 0x33);
    assert_int_equal(physmem_ram(b->pm)[0x9ffff], 0x11);
    assert_int_equal(physmem_ram(b->pm)[0x100000], 0x22);
    assert_int_equal(peek(b, RAM_SIZE - 1), 0x33);
    assert_int_equal(peek(b, RAM_SIZE), 0xff);
}

/* What SeaBIOS does: open RAM everywhere, copy itself from below 4 GiB, then write-protect. */
static void bios_shadows_itself(void **state)
{
    struct board *b = *state;

    for (unsigned reg = 0x5a; reg <= 0x5f; reg++)
        pci_out(b->io, HOST, reg, 0x33, W8);
    pci_out(b->io, HOST, 0x59, 0x30, W8);
    assert_int_equal(peek(b, 0xf0000), 0);
    poke(b, 0xf0000, peek(b, 0xffff0000));
    poke(b, 0xc8000, 0x77);
    pci_out(b->io, HOST, 0x59, 0x10, W8);
    pci_out(b->io, HOST, 0x5b, 0x31, W8); /* C8000: read only, CC000: both */
    poke(b, 0xf0000, 0);
    poke(b, 0xc8000, 0);
    poke(b, 0xcc000, 0x66);
    assert_int_equal(peek(b, 0xf0000), b->bios[BIOS_LEN - 0x10000]);
    assert_int_equal(peek(b, 0xc8000), 0x77);
    assert_int_equal(peek(b, 0xcc000), 0x66);
}

static void write_only_segment_copies_in_place(void **state)
{
    struct board *b = *state;

    pci_out(b->io, HOST, 0x59, 0x20, W8);
    for (u32 at = 0xf0000; at < 0xf0010; at++)
        poke(b, at, peek(b, at) ^ 0xff);
    assert_int_equal(peek(b, 0xf0001), bios_byte(b, 0xf0001));
    pci_out(b->io, HOST, 0x59, 0x10, W8);
    assert_int_equal(peek(b, 0xf0001), bios_byte(b, 0xf0001) ^ 0xff);
}

static void smram_opens_and_locks(void **state)
{
    struct board *b = *state;

    poke(b, 0xa0000, 9);
    assert_int_equal(b->vga_last, 9);
    assert_int_equal(peek(b, 0xb8003), 0x73);
    pci_out(b->io, HOST, 0x72, 0x4a, W8);
    poke(b, 0xa0000, 0x5c);
    assert_int_equal(peek(b, 0xa0000), 0x5c);
    assert_int_equal(physmem_ram(b->pm)[0xa0000], 0x5c);
    pci_out(b->io, HOST, 0x72, 0x0a, W8);
    assert_int_equal(peek(b, 0xa0000), 0x70);
    i440fx_set_smiact(b->chip, true);
    assert_int_equal(peek(b, 0xa0000), 0x5c);
    i440fx_set_smiact(b->chip, false);
    pci_out(b->io, HOST, 0x72, 0x5a, W8);
    assert_int_equal(pci_in(b->io, HOST, 0x72, W8), 0x1a);
    pci_out(b->io, HOST, 0x72, 0x4a, W8);
    assert_int_equal(peek(b, 0xa0000), 0x70);
}

static void reset_restores_the_rom(void **state)
{
    struct board *b = *state;

    pci_out(b->io, HOST, 0x59, 0x30, W8);
    pci_out(b->io, HOST, 0x72, 0x5a, W8);
    i440fx_class.reset(b->chip);
    assert_int_equal(peek(b, 0xf0001), bios_byte(b, 0xf0001));
    assert_int_equal(pci_in(b->io, HOST, 0x72, W8), 0x02);
    pci_out(b->io, HOST, 0x72, 0x4a, W8);
    assert_int_equal(pci_in(b->io, HOST, 0x72, W8), 0x4a);
}

static void state_survives_save_and_load(void **state)
{
    struct board *b = *state;
    void *other;

    pci_out(b->io, HOST, 0x59, 0x30, W8);
    pci_out(b->io, HOST, 0x72, 0x1a, W8);
    setup(&other);
    struct board *fresh = other;
    check_save_load(&i440fx_class, b->chip, fresh->chip);
    assert_int_equal(peek(fresh, 0xf0001), 0);
    pci_out(fresh->io, HOST, 0x72, 0x4a, W8);
    assert_int_equal(pci_in(fresh->io, HOST, 0x72, W8), 0x1a);
    teardown(&other);
}

static void a_bad_bios_size_is_refused(void **state)
{
    struct board *b = *state;
    struct i440fx *chip = NULL;
    struct i440fx_desc desc = {.pci = b->bus, .pm = b->pm, .bios = b->bios, .bios_len = 1000};

    assert_int_equal(i440fx_create(&chip, &desc), STATUS_BAD_SIZE);
    assert_null(chip);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(seabios_recognises_the_bridge),
        T(bios_answers_below_both_ceilings),
        T(ram_answers_around_the_hole),
        T(bios_shadows_itself),
        T(write_only_segment_copies_in_place),
        T(smram_opens_and_locks),
        T(reset_restores_the_rom),
        T(state_survives_save_and_load),
        T(a_bad_bios_size_is_refused),
    };
    return cmocka_run_group_tests_name("i440fx", tests, NULL, NULL);
}
