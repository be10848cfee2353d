/* SPDX-License-Identifier: MIT */
#include "devices/shadow.h"
#include "tests/support/device_state.h"

enum { RAM = 2 << 20, VIDEO = 1 << 20, BIOS = 256 << 10 };

struct board {
    struct physmem *pm;
    struct shadow *chip;
    u8 bios[BIOS];
    unsigned asked;
};

static u64 vga_read(void *dev, u64 off, unsigned size)
{
    struct board *b = dev;

    (void)size;
    b->asked++;
    return off >> 8;
}

static void vga_write(void *dev, u64 off, u64 val, unsigned size)
{
    (void)dev, (void)off, (void)val, (void)size;
}

static const struct mmio_ops vga_ops = {.read = vga_read, .write = vga_write, .max = 1};

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    for (unsigned i = 0; i < BIOS; i++)
        b->bios[i] = (u8)(i >> 10);
    assert_int_equal(physmem_create_video(&b->pm, RAM, VIDEO), STATUS_OK);
    assert_int_equal(shadow_create(&b->chip, &(struct shadow_desc){b->pm, b->bios, BIOS}),
                     STATUS_OK);
    assert_int_equal(shadow_set_vga(b->chip, &vga_ops, b), STATUS_OK);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct board *b = *state;

    shadow_class.destroy(b->chip);
    physmem_destroy(b->pm);
    free(b);
    return 0;
}

static u8 peek(struct board *b, phys_addr at)
{
    u8 v = 0;

    physmem_read(b->pm, at, &v, 1);
    return v;
}

static void poke(struct board *b, phys_addr at, u8 v)
{
    physmem_write(b->pm, at, &v, 1);
}

static void the_bios_is_below_4_gib_and_its_last_128_kib_in_ram_below_1_mib(void **state)
{
    struct board *b = *state;

    assert_int_equal(peek(b, 0xfffff000), (BIOS - 0x1000) >> 10);
    assert_int_equal(peek(b, 0xfffc0400), 1);
    assert_int_equal(peek(b, 0xff000), (BIOS - 0x1000) >> 10);
    assert_int_equal(peek(b, 0xe0000), (BIOS - 0x20000) >> 10);
    assert_int_equal(peek(b, 0xdffff), 0); /* RAM */
}

static void the_copy_can_be_written_and_comes_anew_with_a_reset(void **state)
{
    struct board *b = *state;

    poke(b, 0xff000, 0xa5);
    poke(b, 0xfffff000, 0xa5);
    assert_int_equal(peek(b, 0xff000), 0xa5);
    assert_int_equal(peek(b, 0xfffff000), (BIOS - 0x1000) >> 10);
    shadow_class.reset(b->chip);
    assert_int_equal(peek(b, 0xff000), (BIOS - 0x1000) >> 10);
}

static void ram_is_where_nothing_else_is(void **state)
{
    static const u32 at[] = {0, 0x9ffff, 0xc0000, 0xdffff, 0x100000, RAM - 1};
    struct board *b = *state;

    for (unsigned i = 0; i < ARRAY_LEN(at); i++) {
        poke(b, at[i], (u8)(i + 1));
        assert_int_equal(peek(b, at[i]), i + 1);
    }
    assert_int_equal(peek(b, RAM), 0xff);
}

static void video_memory_is_asked_mapped_or_in_one_piece(void **state)
{
    struct board *b = *state;

    assert_int_equal(peek(b, 0xa0300), 3);
    assert_int_equal(b->asked, 1);
    poke(b, SHADOW_LFB + 0x20000, 0x77);
    shadow_set_vga_direct(b->chip, true, 0x20000);
    assert_int_equal(peek(b, 0xa0000), 0x77);
    shadow_set_vga_direct(b->chip, true, 0);
    assert_int_equal(peek(b, 0xa0000), 0);
    assert_int_equal(peek(b, 0xb8000), 0x80);
    assert_int_equal(b->asked, 2);
    shadow_set_vga_direct(b->chip, false, 0);
    assert_int_equal(peek(b, 0xa0300), 3);
}

static void a_bios_of_an_odd_size_is_refused(void **state)
{
    struct board *b = *state;
    struct shadow *none = NULL;

    assert_int_equal(shadow_create(&none, &(struct shadow_desc){b->pm, b->bios, 1000}),
                     STATUS_BAD_SIZE);
    assert_null(none);
}

static void what_it_has_is_in_ram(void **state)
{
    struct board *b = *state;
    void *other;

    setup(&other);
    struct board *fresh = other;
    check_save_load(&shadow_class, b->chip, fresh->chip);
    teardown(&other);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_bios_is_below_4_gib_and_its_last_128_kib_in_ram_below_1_mib),
        T(the_copy_can_be_written_and_comes_anew_with_a_reset),
        T(ram_is_where_nothing_else_is),
        T(video_memory_is_asked_mapped_or_in_one_piece),
        T(a_bios_of_an_odd_size_is_refused),
        T(what_it_has_is_in_ram),
    };
    return cmocka_run_group_tests_name("shadow", tests, NULL, NULL);
}
