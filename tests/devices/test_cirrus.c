/* SPDX-License-Identifier: MIT */
/* GD5446 [GD5446]: through ports and memory, as a driver would. */
#include "tests/support/device_state.h"
#include "tests/support/vga_board.h"

#define LFB      0xe0000000u
#define MMIO     0xe2000000u
#define BLT      (MMIO + 0x100)
#define APERTURE (32u << 20)

enum { PITCH = 640, FED = 0x04, EXPAND = 0x80, PATTERN = 0x40, KEYED = 0x08, COPY = 0x0d };

static u8 indexed_in(struct board *b, u16 port, u8 index)
{
    out(b, port, index);
    return in(b, port + 1);
}

static void poke(struct board *b, phys_addr at, u32 val, size_t bytes)
{
    physmem_write(b->pm, at, &val, bytes);
}

static u32 peek(struct board *b, phys_addr at, size_t bytes)
{
    u32 v = 0;

    physmem_read(b->pm, at, &v, bytes);
    return v;
}

static u8 dot(struct board *b, unsigned x, unsigned y)
{
    return physmem_video(b->pm)[y * PITCH + x];
}

/* 640 by 480, 8 bits, linear memory at LFB. */
static int setup(void **state)
{
    struct board *b = vga_board_create((struct vga_desc){.cirrus = true}, VGA_VRAM_CIRRUS);

    pci_bus_set_window(b->bus, 1 << 20, UINT32_MAX);
    pci_out(b->io, CARD, PCI_BAR0, LFB, W32);
    pci_out(b->io, CARD, PCI_BAR0 + 4, MMIO, W32);
    pci_out(b->io, CARD, PCI_COMMAND, 3, W16);
    out(b, 0x3c2, 0xe3);
    indexed(b, 0x3c4, 2, 0x0f);
    indexed(b, 0x3c4, 4, 0x0e);
    indexed(b, 0x3c4, 7, 1);
    indexed(b, 0x3ce, 6, 5);
    indexed(b, 0x3ce, 8, 0xff);
    indexed(b, 0x3d4, 0x11, 0);
    indexed(b, 0x3d4, 1, 79);
    indexed(b, 0x3d4, 0x07, 0x02);
    indexed(b, 0x3d4, 0x12, 0xdf);
    indexed(b, 0x3d4, 0x13, PITCH / 8);
    indexed(b, 0x3d4, 0x17, 0xe3);
    in(b, 0x3da);
    out(b, 0x3c0, 0x20);
    *state = b;
    return 0;
}

struct rect {
    u8 mode, rop, ext;
    unsigned width, height; /* bytes, lines */
    u32 dst, src;
};

/* By the registers in BAR 1. */
static void blt(struct board *b, const struct rect *r)
{
    poke(b, BLT + 0x08, (r->height - 1) << 16 | (r->width - 1), 4);
    poke(b, BLT + 0x0c, PITCH << 16 | PITCH, 4);
    poke(b, BLT + 0x10, r->dst, 4);
    poke(b, BLT + 0x14, r->src, 3);
    poke(b, BLT + 0x18, r->mode, 1);
    poke(b, BLT + 0x1a, r->rop | r->ext << 8, 2);
    poke(b, BLT + 0x40, 2, 1);
}

/* ---- */

static void it_is_known_by_its_numbers(void **state)
{
    struct board *b = *state;

    assert_int_equal(pci_in(b->io, CARD, PCI_VENDOR_ID, W32), 0x00b81013);
    pci_out(b->io, CARD, PCI_BAR0, UINT32_MAX, W32);
    assert_int_equal(pci_in(b->io, CARD, PCI_BAR0, W32) & ~15u, ~(APERTURE - 1));
    assert_int_equal(indexed_in(b, 0x3d4, 0x27), 0xb8);
    assert_int_equal(indexed_in(b, 0x3c4, 0x06), 0x0f);
    indexed(b, 0x3c4, 0x06, 0x1a);
    assert_int_equal(indexed_in(b, 0x3c4, 0x06), 0x12);
    assert_int_equal(indexed_in(b, 0x3c4, 0x0f) & 0x98, 0x98); /* 4 MiB */
    assert_int_equal(indexed_in(b, 0x3c4, 0x17) & 0x38, 0x20); /* PCI */
}

static void the_fifth_access_at_3c6_is_the_hidden_one(void **state)
{
    struct board *b = *state;

    out(b, 0x3c6, 0x7f);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(in(b, 0x3c6), 0x7f);
    out(b, 0x3c6, 0xe1);
    assert_int_equal(in(b, 0x3c6), 0x7f);
    in(b, 0x3c8); /* counts anew */
    for (unsigned i = 0; i < 4; i++)
        in(b, 0x3c6);
    assert_int_equal(in(b, 0x3c6), 0xe1);
    assert_int_equal(in(b, 0x3c6), 0x7f);
}

static void banks_are_4_or_16_kib_and_one_or_two(void **state)
{
    struct board *b = *state;

    indexed(b, 0x3ce, 9, 3);
    poke(b, 0xa0010, 0x11, 1);
    assert_int_equal(peek(b, LFB + 0x3010, 1), 0x11);
    indexed(b, 0x3ce, 0x0b, 0x20);
    poke(b, 0xa0010, 0x22, 1);
    assert_int_equal(peek(b, LFB + 0xc010, 1), 0x22);
    indexed(b, 0x3ce, 0x0b, 0x21);
    indexed(b, 0x3ce, 0x0a, 0x40);
    poke(b, 0xa0010, 0x33, 1);
    poke(b, 0xa8010, 0x44, 1);
    assert_int_equal(peek(b, LFB + 0xc010, 1), 0x33);
    assert_int_equal(peek(b, LFB + 0x100010, 1), 0x44);
    assert_int_equal(peek(b, 0xa8010, 1), 0x44);
}

static void write_modes_4_and_5_expand_bits(void **state)
{
    struct board *b = *state;

    indexed(b, 0x3ce, 0, 0xb0);
    indexed(b, 0x3ce, 1, 0xf1);
    assert_int_equal(indexed_in(b, 0x3ce, 1), 0xf1); /* eight bits */
    poke(b, LFB + 80, 0x77777777, 4);
    indexed(b, 0x3ce, 0x0b, 0x06);
    indexed(b, 0x3ce, 5, 0x44);
    poke(b, 0xa0000 + 10, 0xa0, 1); /* 80 pixels on */
    assert_int_equal(dot(b, 80, 0), 0xf1);
    assert_int_equal(dot(b, 81, 0), 0x77);
    assert_int_equal(dot(b, 82, 0), 0xf1);
    indexed(b, 0x3ce, 5, 0x45);
    poke(b, LFB + 10, 0x40, 1); /* linear memory does it as well */
    assert_int_equal(dot(b, 80, 0), 0xb0);
    assert_int_equal(dot(b, 81, 0), 0xf1);
}

static void a_copy_goes_both_ways(void **state)
{
    struct board *b = *state;

    for (unsigned i = 0; i < 64; i++)
        poke(b, LFB + i, i, 1);
    blt(b, &(struct rect){0, COPY, 0, 32, 1, 10 * PITCH, 4});
    assert_int_equal(dot(b, 0, 10), 4);
    assert_int_equal(dot(b, 31, 10), 35);
    assert_int_equal(dot(b, 32, 10), 0);
    blt(b, &(struct rect){1, COPY, 0, 32, 1, 39, 31}); /* to the right, over itself */
    assert_int_equal(dot(b, 7, 0), 7);
    assert_int_equal(dot(b, 8, 0), 0);
    assert_int_equal(dot(b, 39, 0), 31);
    assert_int_equal(peek(b, BLT + 0x40, 1) & 0x0b, 0); /* at rest */
}

static void every_rop_is_what_the_manual_says(void **state)
{
    static const struct {
        u8 code, result; /* of source 0Ch and destination 0Ah, the lower four bits */
    } rops[] = {
        {0x00, 0x0}, {0x05, 0x8}, {0x06, 0xa}, {0x09, 0x4}, {0x0b, 0x5}, {0x0d, 0xc},
        {0x0e, 0xf}, {0x50, 0x2}, {0x59, 0x6}, {0x6d, 0xe}, {0x90, 0x1}, {0x95, 0x9},
        {0xad, 0xd}, {0xd0, 0x3}, {0xd6, 0xb}, {0xda, 0x7},
    };
    struct board *b = *state;

    poke(b, LFB, 0x0c, 1);
    for (unsigned i = 0; i < ARRAY_LEN(rops); i++) {
        poke(b, LFB + PITCH, 0x0a, 1);
        blt(b, &(struct rect){0, rops[i].code, 0, 1, 1, PITCH, 0});
        assert_int_equal(dot(b, 0, 1) & 15, rops[i].result);
    }
}

static void bits_become_pixels_and_zeros_may_stay(void **state)
{
    struct board *b = *state;

    poke(b, BLT + 0x00, 0x11, 1);
    poke(b, BLT + 0x04, 0xee, 1);
    poke(b, LFB + 0x80000, 0x005a, 2);
    blt(b, &(struct rect){EXPAND, COPY, 0, 8, 2, PITCH, 0x80000});
    assert_int_equal(dot(b, 0, 1), 0x11);
    assert_int_equal(dot(b, 1, 1), 0xee);
    assert_int_equal(dot(b, 7, 1), 0x11);
    assert_int_equal(dot(b, 1, 2), 0x11); /* the next byte is the next line */
    memset(physmem_video(b->pm), 0x77, 4 * PITCH);
    blt(b, &(struct rect){EXPAND | KEYED, COPY, 0, 8, 1, PITCH, 0x80000});
    assert_int_equal(dot(b, 0, 1), 0x77);
    assert_int_equal(dot(b, 1, 1), 0xee);
    blt(b, &(struct rect){EXPAND | KEYED, COPY, 2, 8, 1, 2 * PITCH, 0x80000}); /* ones stay */
    assert_int_equal(dot(b, 0, 2), 0x11);
    assert_int_equal(dot(b, 1, 2), 0x77);
}

static void patterns_repeat_from_any_of_their_lines(void **state)
{
    struct board *b = *state;

    for (unsigned i = 0; i < 64; i++)
        poke(b, LFB + 0x80000 + i, i, 1);
    blt(b, &(struct rect){PATTERN, COPY, 0, 20, 10, 0, 0x80000 + 3});
    assert_int_equal(dot(b, 0, 0), 3 * 8);
    assert_int_equal(dot(b, 19, 0), 3 * 8 + 3);
    assert_int_equal(dot(b, 1, 9), 4 * 8 + 1);
    poke(b, BLT + 0x04, 0x99, 1);
    blt(b, &(struct rect){PATTERN | EXPAND, COPY, 4, 20, 10, 0, 0x80000}); /* one colour */
    assert_int_equal(dot(b, 0, 0), 0x99);
    assert_int_equal(dot(b, 19, 9), 0x99);
    assert_int_equal(dot(b, 20, 9), 0);
}

static void a_result_that_is_the_key_is_not_written(void **state)
{
    struct board *b = *state;

    poke(b, LFB, 0x03020102, 4);
    memset(physmem_video(b->pm) + PITCH, 0x77, 4);
    poke(b, BLT + 0x1c, 2, 1);
    blt(b, &(struct rect){KEYED, COPY, 0, 4, 1, PITCH, 0});
    assert_int_equal(peek(b, LFB + PITCH, 4), 0x03770177);
}

static void the_processor_writes_the_source_anywhere(void **state)
{
    struct board *b = *state;

    blt(b, &(struct rect){FED, COPY, 0, 5, 2, PITCH, 0});
    assert_int_equal(peek(b, BLT + 0x40, 1) & 1, 1);
    poke(b, 0xa0000, 0x04030201, 4);
    poke(b, LFB + 0x1234, 0xffffff05, 4); /* lines end with a doubleword */
    assert_int_equal(dot(b, 4, 1), 5);
    assert_int_equal(dot(b, 5, 1), 0);
    poke(b, LFB, 0x14131211, 4);
    poke(b, LFB, 0x00000015, 4);
    assert_int_equal(dot(b, 4, 2), 0x15);
    assert_int_equal(peek(b, BLT + 0x40, 1) & 1, 0);
    assert_int_equal(dot(b, 0, 0), 0);
    poke(b, 0xa0000, 0x55, 1); /* and memory is memory again */
    poke(b, LFB + 1, 0x66, 1);
    assert_int_equal(peek(b, LFB, 2), 0x6655);
    for (unsigned i = 0; i < 5000; i++) /* when it is mapped again, too */
        poke(b, LFB + 2 + i, i, 1);
    assert_int_equal(peek(b, LFB, 4), 0x01006655);
}

static void a_reset_ends_what_waits(void **state)
{
    struct board *b = *state;

    blt(b, &(struct rect){FED, COPY, 0, 5, 2, PITCH, 0});
    poke(b, BLT + 0x40, 4, 1);
    poke(b, BLT + 0x40, 0, 1);
    assert_int_equal(peek(b, BLT + 0x40, 1), 0);
    poke(b, LFB, 0x12, 1);
    assert_int_equal(dot(b, 0, 0), 0x12);
}

static void the_last_byte_of_the_destination_can_start(void **state)
{
    struct board *b = *state;

    poke(b, LFB, 0x5a, 1);
    poke(b, BLT + 0x40, 0x80, 1);
    poke(b, BLT + 0x08, 0, 4);
    poke(b, BLT + 0x18, 0, 1);
    poke(b, BLT + 0x1a, COPY, 2);
    poke(b, BLT + 0x14, 0, 3);
    poke(b, BLT + 0x10, PITCH, 3);
    assert_int_equal(dot(b, 0, 1), 0x5a);
    poke(b, LFB, 0x5b, 1);
    poke(b, BLT + 0x10, PITCH + 1, 3);
    assert_int_equal(dot(b, 1, 1), 0x5b);
}

static void registers_are_at_b8000_or_at_the_end_of_memory(void **state)
{
    struct board *b = *state;

    indexed(b, 0x3c4, 0x17, 0x04);
    poke(b, 0xb8004, 0x42, 1);
    assert_int_equal(indexed_in(b, 0x3ce, 1), 0x42);
    assert_int_equal(peek(b, 0xb8004, 1), 0x42);
    indexed(b, 0x3c4, 0x17, 0x44);
    poke(b, LFB + VGA_VRAM_CIRRUS - 0x100 + 4, 0x43, 1);
    assert_int_equal(indexed_in(b, 0x3ce, 1), 0x43);
    assert_int_equal(physmem_video(b->pm)[VGA_VRAM_CIRRUS - 0x100 + 4], 0);
    indexed(b, 0x3c4, 0x17, 0);
    poke(b, LFB + VGA_VRAM_CIRRUS - 0x100 + 4, 0x44, 1);
    assert_int_equal(physmem_video(b->pm)[VGA_VRAM_CIRRUS - 0x100 + 4], 0x44);
    assert_int_equal(in(b, 0x3c4), 0x17);
    assert_int_equal(peek(b, MMIO + 4, 1), 0x17); /* VGA ports in BAR 1 */
}

static void the_pointer_lies_over_the_picture(void **state)
{
    struct board *b = *state;
    struct vga_picture p;

    out(b, 0x3c6, 0xff);
    indexed(b, 0x3c4, 0x12, 3); /* its colours */
    out(b, 0x3c8, 15);
    out(b, 0x3c9, 63);
    out(b, 0x3c9, 0);
    out(b, 0x3c9, 0);
    out(b, 0x3c7, 15);
    assert_int_equal(in(b, 0x3c9), 63);
    indexed(b, 0x3c4, 0x12, 1);
    poke(b, LFB + VGA_VRAM_CIRRUS - 0x4000, 0xc0, 1);       /* inverts or is the foreground */
    poke(b, LFB + VGA_VRAM_CIRRUS - 0x4000 + 128, 0x80, 1); /* covers */
    indexed(b, 0x3c4, 0x50, 12);                            /* 12 * 8 + 2 */
    indexed(b, 0x3c4, 0x31, 5);                             /* 5 * 8 + 1 */
    assert_int_equal(vga_show(b->chip, &p), STATUS_OK);
    assert_int_equal(p.width, 640);
    assert_int_equal(p.height, 480);
    assert_int_equal(p.pixels[41 * 640 + 98], 0xff0000);
    assert_int_equal(p.pixels[41 * 640 + 99], 0xffffff);
    assert_int_equal(p.pixels[41 * 640 + 100], 0);
    indexed(b, 0x3c4, 0x50, 13);
    assert_int_equal(vga_show(b->chip, &p), STATUS_OK);
    assert_int_equal(p.pixels[41 * 640 + 98], 0);
    assert_int_equal(p.pixels[41 * 640 + 106], 0xff0000);
}

static void blts_are_shown(void **state)
{
    struct board *b = *state;
    struct vga_picture p;

    assert_int_equal(vga_show(b->chip, &p), STATUS_OK);
    assert_int_equal(vga_show(b->chip, &p), STATUS_OK);
    assert_int_equal(p.rows, 0);
    blt(b, &(struct rect){PATTERN | EXPAND, 0x0e, 4, 20, 10, 100 * PITCH, 0});
    assert_int_equal(vga_show(b->chip, &p), STATUS_OK);
    assert_in_range(p.first_row, 93, 100);
    assert_in_range(p.first_row + p.rows, 110, 117);
}

/* Anything a guest may write, in any order, must be harmless. Sanitizers look on. */
static void random_writes_are_harmless(void **state)
{
    struct board *b = *state;
    struct vga_picture p;
    u64 r = 12345;

    for (unsigned i = 0; i < 40000; i++) {
        r = r * 6364136223846793005u + 1442695040888963407u;
        u32 x = (u32)(r >> 32);
        switch (x & 7) {
        case 0:
        case 1:
            poke(b, BLT + (x >> 4 & 0x1f), x >> 10, 1 + (x >> 8 & 3));
            break;
        case 2:
            poke(b, BLT + 0x40, x >> 5, 1);
            break;
        case 3:
            poke(b, 0xa0000 + (x >> 4 & 0x1ffff), x, 1 + (x >> 24 & 3));
            peek(b, 0xa0000 + (x >> 7 & 0x1ffff), 4);
            break;
        case 4:
            poke(b, LFB + (x >> 7), x, 1 + (x >> 4 & 3));
            break;
        case 5:
            indexed(b, x & 0x100 ? 0x3c4 : 0x3d4, (u8)(x >> 16), (u8)(x >> 24));
            break;
        default:
            out(b, (u16)(0x3b0 + (x >> 4 & 0x2f)), (u8)(x >> 16));
        }
        if (i % 500 == 0)
            assert_int_equal(vga_show(b->chip, &p), STATUS_OK);
    }
}

static void state_survives_save_and_load(void **state)
{
    struct board *b = *state;
    void *other;

    blt(b, &(struct rect){FED, COPY, 0, 5, 2, PITCH, 0});
    poke(b, 0xa0000, 0x04030201, 4);
    indexed(b, 0x3c4, 0x50, 12);
    setup(&other);
    struct board *fresh = other;
    check_save_load(&cirrus_class, b->chip, fresh->chip);
    poke(fresh, LFB, 0x05, 4); /* where it was waiting */
    assert_int_equal(dot(fresh, 3, 1), 4);
    assert_int_equal(dot(fresh, 4, 1), 5);
    vga_board_teardown(&other);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, vga_board_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(it_is_known_by_its_numbers),
        T(the_fifth_access_at_3c6_is_the_hidden_one),
        T(banks_are_4_or_16_kib_and_one_or_two),
        T(write_modes_4_and_5_expand_bits),
        T(a_copy_goes_both_ways),
        T(every_rop_is_what_the_manual_says),
        T(bits_become_pixels_and_zeros_may_stay),
        T(patterns_repeat_from_any_of_their_lines),
        T(a_result_that_is_the_key_is_not_written),
        T(the_processor_writes_the_source_anywhere),
        T(a_reset_ends_what_waits),
        T(the_last_byte_of_the_destination_can_start),
        T(registers_are_at_b8000_or_at_the_end_of_memory),
        T(the_pointer_lies_over_the_picture),
        T(blts_are_shown),
        T(random_writes_are_harmless),
        T(state_survives_save_and_load),
    };
    return cmocka_run_group_tests_name("cirrus", tests, NULL, NULL);
}
