/* SPDX-License-Identifier: MIT */
#include "tests/support/device_state.h"
#include "tests/support/vga_board.h"

static int setup(void **state)
{
    static const u8 rom[] = {0x55, 0xaa, 0x4d};

    *state = vga_board_create((struct vga_desc){.rom = rom, .rom_len = sizeof(rom)}, 1 << 20);
    return 0;
}

static void poke(struct board *b, phys_addr at, u8 val)
{
    physmem_write(b->pm, at, &val, 1);
}

static u8 peek(struct board *b, phys_addr at)
{
    u8 v;

    physmem_read(b->pm, at, &v, 1);
    return v;
}

/* A mode as the video BIOS programs it: the registers that differ between modes. */
struct mode {
    u8 misc, seq[5], crtc[25], gc[9], ac[21];
};

static const struct mode mode3 = {
    .misc = 0x67,
    .seq = {3, 0x00, 0x03, 0x00, 0x02},
    .crtc = {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00,
             0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff},
    .gc = {0, 0, 0, 0, 0, 0x10, 0x0e, 0x0f, 0xff},
    .ac = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a,
           0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00},
};

static const struct mode mode13 = {
    .misc = 0x63,
    .seq = {3, 0x01, 0x0f, 0x00, 0x0e},
    .crtc = {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0x41, 0x00, 0x00, 0x00,
             0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff},
    .gc = {0, 0, 0, 0, 0, 0x40, 0x05, 0x0f, 0xff},
    .ac = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a,
           0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x41, 0x00, 0x0f, 0x00, 0x00},
};

static const struct mode mode12 = {
    .misc = 0xe3,
    .seq = {3, 0x01, 0x0f, 0x00, 0x06},
    .crtc = {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0x00, 0x40, 0x00, 0x00, 0x00,
             0x00, 0x00, 0x00, 0xea, 0x8c, 0xdf, 0x28, 0x00, 0xe7, 0x04, 0xe3, 0xff},
    .gc = {0, 0, 0, 0, 0, 0x00, 0x05, 0x0f, 0xff},
    .ac = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a,
           0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x01, 0x00, 0x0f, 0x00, 0x00},
};

static const struct mode mode4 = {
    .misc = 0x63,
    .seq = {3, 0x09, 0x03, 0x00, 0x02},
    .crtc = {0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0x00, 0xc1, 0x00, 0x00, 0x00,
             0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x14, 0x00, 0x96, 0xb9, 0xa2, 0xff},
    .gc = {0, 0, 0, 0, 0, 0x30, 0x0f, 0x0f, 0xff},
    .ac = {0x00, 0x13, 0x15, 0x17, 0x02, 0x04, 0x06, 0x07, 0x10, 0x11, 0x12,
           0x13, 0x14, 0x15, 0x16, 0x17, 0x01, 0x00, 0x03, 0x00, 0x00},
};

/* DAC entry n is (n, n ^ 3Fh, 2n): every entry differs. */
static u32 color(u8 n)
{
    u8 part[3] = {n & 0x3f, (n & 0x3f) ^ 0x3f, 2 * n & 0x3f};
    u32 v = 0;

    for (unsigned i = 0; i < 3; i++)
        v = v << 8 | (u32)(part[i] << 2 | part[i] >> 4);
    return v;
}

static void set_mode(struct board *b, const struct mode *m)
{
    out(b, 0x3c2, m->misc);
    for (u8 i = 0; i < 5; i++)
        indexed(b, 0x3c4, i, m->seq[i]);
    indexed(b, 0x3d4, 0x11, 0);
    for (u8 i = 0; i < 25; i++)
        indexed(b, 0x3d4, i, m->crtc[i]);
    for (u8 i = 0; i < 9; i++)
        indexed(b, 0x3ce, i, m->gc[i]);
    in(b, 0x3da);
    for (u8 i = 0; i < 21; i++) {
        out(b, 0x3c0, i);
        out(b, 0x3c0, m->ac[i]);
    }
    out(b, 0x3c0, 0x20);
    out(b, 0x3c8, 0);
    for (unsigned i = 0; i < 256; i++) {
        out(b, 0x3c9, (u8)i);
        out(b, 0x3c9, (u8)i ^ 0x3f);
        out(b, 0x3c9, (u8)(2 * i));
    }
}

static void load_glyph(struct board *b, u8 ch, u8 pattern)
{
    indexed(b, 0x3c4, 2, 4);
    indexed(b, 0x3c4, 4, 7);
    indexed(b, 0x3ce, 5, 0);
    indexed(b, 0x3ce, 6, 4);
    for (unsigned i = 0; i < 16; i++)
        poke(b, 0xa0000 + ch * 32u + i, pattern);
    indexed(b, 0x3c4, 2, 3);
    indexed(b, 0x3c4, 4, 2);
    indexed(b, 0x3ce, 5, 0x10);
    indexed(b, 0x3ce, 6, 0x0e);
}

static u32 pixel(struct board *b, unsigned x, unsigned y, unsigned width, unsigned height)
{
    struct vga_frame f = {0};

    assert_int_equal(vga_render(b->chip, &f), STATUS_OK);
    assert_int_equal(f.width, width);
    assert_int_equal(f.height, height);
    u32 p = f.pixels[y * f.width + x];
    vga_frame_free(&f);
    return p;
}

static void identity_and_rom(void **state)
{
    struct board *b = *state;

    assert_int_equal(pci_in(b->io, CARD, 0, W32), 0x11111234);
    assert_int_equal(pci_in(b->io, CARD, PCI_REVISION_ID, W32) >> 8, 0x030000);
    pci_out(b->io, CARD, PCI_ROM_ADDRESS, 0xfeb00001, W32);
    pci_out(b->io, CARD, PCI_COMMAND, PCI_COMMAND_MEMORY, W16);
    assert_int_equal(peek(b, 0xfeb00002), 0x4d);
}

static void text_screen_reads_back(void **state)
{
    struct board *b = *state;
    struct vga_text_screen *s = malloc(sizeof(*s));

    set_mode(b, &mode3);
    for (unsigned i = 0; i < 5; i++) {
        poke(b, 0xb8000 + 2 * (80 * 24 + i), (u8) "hello"[i]);
        poke(b, 0xb8001 + 2 * (80 * 24 + i), 0x1e);
    }
    indexed(b, 0x3d4, 0x0e, 0x07);
    indexed(b, 0x3d4, 0x0f, 0x85); /* 24 * 80 + 5 */
    assert_true(vga_text(b->chip, s));
    assert_int_equal(s->columns, 80);
    assert_int_equal(s->rows, 25);
    assert_int_equal(s->cell[80 * 24 + 4].ch, 'o');
    assert_int_equal(s->cell[80 * 24 + 4].attr, 0x1e);
    assert_true(s->cursor_on && s->cursor_row == 24 && s->cursor_column == 5);
    assert_int_equal(peek(b, 0xb8000 + 2 * 80 * 24), 'h');
    assert_int_equal(peek(b, 0xb8001 + 2 * 80 * 24), 0x1e);
    indexed(b, 0x3d4, 0x0d, 80); /* scrolled by a row */
    assert_true(vga_text(b->chip, s));
    assert_int_equal(s->cell[80 * 23].ch, 'h');
    set_mode(b, &mode13);
    assert_false(vga_text(b->chip, s));
    free(s);
}

static void text_renders_glyphs_and_cursor(void **state)
{
    struct board *b = *state;

    set_mode(b, &mode3);
    load_glyph(b, 'A', 0xa1);
    load_glyph(b, 0xc4, 0x01);
    poke(b, 0xb8000, 'A');
    poke(b, 0xb8001, 0x1e);
    poke(b, 0xb8002, 0xc4);
    poke(b, 0xb8003, 0x07);
    indexed(b, 0x3d4, 0x0f, 1);
    assert_int_equal(pixel(b, 0, 3, 720, 400), color(0x3e)); /* attribute 14 */
    assert_int_equal(pixel(b, 1, 3, 720, 400), color(0x01));
    assert_int_equal(pixel(b, 7, 3, 720, 400), color(0x3e));
    assert_int_equal(pixel(b, 8, 3, 720, 400), color(0x01));
    assert_int_equal(pixel(b, 9 + 8, 3, 720, 400), color(0x07)); /* line drawing: ninth dot */
    assert_int_equal(pixel(b, 9, 3, 720, 400), color(0x00));
    assert_int_equal(pixel(b, 9, 13, 720, 400), color(0x07)); /* cursor */
    clock_run(&b->clk, 8 * 14286000);                         /* 8 frames of 70 Hz */
    assert_int_equal(pixel(b, 9, 13, 720, 400), color(0x00));
}

static void text_pans_scrolls_smoothly_and_splits(void **state)
{
    struct board *b = *state;

    set_mode(b, &mode3);
    load_glyph(b, 'A', 0x80);
    indexed(b, 0x3d4, 0x0a, 0x20); /* no cursor */
    for (unsigned cell = 80; cell < 160; cell++) {
        poke(b, 0xb8000 + 2 * cell, cell == 80 ? 'A' : ' ');
        poke(b, 0xb8001 + 2 * cell, 0x1e);
    }
    poke(b, 0xb8000, ' ');
    poke(b, 0xb8001, 0x2e);
    assert_int_equal(pixel(b, 0, 16, 720, 400), color(0x3e));
    assert_int_equal(pixel(b, 1, 16, 720, 400), color(0x01));
    indexed(b, 0x3d4, 8, 5); /* five lines up */
    assert_int_equal(pixel(b, 0, 10, 720, 400), color(0x02));
    assert_int_equal(pixel(b, 0, 11, 720, 400), color(0x3e));
    indexed(b, 0x3d4, 8, 0x20); /* a character to the left */
    assert_int_equal(pixel(b, 0, 16, 720, 400), color(0x01));
    indexed(b, 0x3d4, 8, 0);
    (void)in(b, 0x3da);
    out(b, 0x3c0, 0x33); /* pan by one of nine dots */
    out(b, 0x3c0, 0);
    assert_int_equal(pixel(b, 0, 16, 720, 400), color(0x01));
    assert_int_equal(pixel(b, 719, 16, 720, 400), color(0x00)); /* column 81 is cell 160 */
    indexed(b, 0x3d4, 0x0d, 80); /* from row 1 on, and below line 99 from the start of memory */
    indexed(b, 0x3d4, 0x11, 0x0e);
    indexed(b, 0x3d4, 0x18, 99);
    indexed(b, 0x3d4, 7, 0x0f);
    indexed(b, 0x3d4, 9, 0x0f);
    assert_int_equal(pixel(b, 0, 0, 720, 400), color(0x01));
    assert_int_equal(pixel(b, 0, 99, 720, 400), color(0x00)); /* row 7 */
    assert_int_equal(pixel(b, 0, 100, 720, 400), color(0x02));
    assert_int_equal(pixel(b, 7, 100, 720, 400), color(0x02)); /* panned, too */
    assert_int_equal(pixel(b, 8, 100, 720, 400), color(0x00));
    (void)in(b, 0x3da);
    out(b, 0x3c0, 0x30);
    out(b, 0x3c0, 0x2c); /* the lower part stays */
    assert_int_equal(pixel(b, 8, 100, 720, 400), color(0x02));
}

static void mode_13h_is_linear(void **state)
{
    struct board *b = *state;

    set_mode(b, &mode13);
    for (unsigned i = 0; i < 8; i++)
        poke(b, 0xa0000 + 320 * 100 + 200 + i, (u8)(0x20 + i));
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(pixel(b, 200 + i, 100, 320, 200), color((u8)(0x20 + i)));
    assert_int_equal(peek(b, 0xa0000 + 320 * 100 + 205), 0x25);
    assert_int_equal(peek(b, 0xb8000), 0xff); /* outside the window */
}

static void mode_12h_has_planes(void **state)
{
    struct board *b = *state;

    set_mode(b, &mode12);
    indexed(b, 0x3c4, 2, 0x05);
    poke(b, 0xa0000 + 80 * 479 + 79, 0x01);
    assert_int_equal(pixel(b, 639, 479, 640, 480), color(0x05));
    assert_int_equal(pixel(b, 638, 479, 640, 480), color(0x00));
}

static void cga_graphics_interleave_rows(void **state)
{
    struct board *b = *state;

    set_mode(b, &mode4);
    poke(b, 0xb8001, 0x1b);          /* row 0, pixels 4-7: 0 1 2 3 */
    poke(b, 0xb8000 + 0x2000, 0xc0); /* row 1, pixel 0: 3          */
    assert_int_equal(pixel(b, 5, 0, 320, 200), color(0x13));
    assert_int_equal(pixel(b, 7, 0, 320, 200), color(0x17));
    assert_int_equal(pixel(b, 0, 1, 320, 200), color(0x17));
    assert_int_equal(pixel(b, 0, 2, 320, 200), color(0x00));
}

static u8 plane(struct board *b, u8 n, phys_addr at)
{
    indexed(b, 0x3ce, 4, n);
    return peek(b, at);
}

static void write_mode_0_rotates_sets_and_masks(void **state)
{
    struct board *b = *state;

    set_mode(b, &mode12);
    poke(b, 0xa0000, 0xf0);
    peek(b, 0xa0000);          /* latches F0 in all planes */
    indexed(b, 0x3ce, 0, 0x2); /* plane 1 set...           */
    indexed(b, 0x3ce, 1, 0x3); /* ...and plane 0 reset     */
    indexed(b, 0x3ce, 3, 4);   /* rotate by 4              */
    indexed(b, 0x3ce, 8, 0x3c);
    poke(b, 0xa0000, 0x5a); /* A5 */
    assert_int_equal(plane(b, 0, 0xa0000), 0xc0);
    assert_int_equal(plane(b, 1, 0xa0000), 0xfc);
    assert_int_equal(plane(b, 2, 0xa0000), (0xf0 & ~0x3c) | (0xa5 & 0x3c));
}

static void functions_combine_with_the_latch(void **state)
{
    struct board *b = *state;
    static const u8 expected[4] = {0x0f, 0x0c, 0x3f, 0x33};

    set_mode(b, &mode12);
    for (u8 fn = 0; fn < 4; fn++) {
        indexed(b, 0x3ce, 3, 0);
        poke(b, 0xa0010, 0x3c);
        peek(b, 0xa0010);
        indexed(b, 0x3ce, 3, (u8)(fn << 3));
        poke(b, 0xa0011, 0x0f);
        assert_int_equal(peek(b, 0xa0011), expected[fn]);
    }
}

static void write_modes_1_to_3(void **state)
{
    struct board *b = *state;

    set_mode(b, &mode12);
    indexed(b, 0x3c4, 2, 0x6);
    poke(b, 0xa0000, 0x81);
    indexed(b, 0x3c4, 2, 0xf);
    peek(b, 0xa0000);
    indexed(b, 0x3ce, 5, 1);
    poke(b, 0xa0001, 0xff); /* copies the latches */
    assert_int_equal(plane(b, 2, 0xa0001), 0x81);
    assert_int_equal(plane(b, 3, 0xa0001), 0x00);
    indexed(b, 0x3ce, 5, 2);
    indexed(b, 0x3ce, 8, 0x0f);
    peek(b, 0xa0001);
    poke(b, 0xa0001, 0x09); /* colour 9 in the low four pixels */
    assert_int_equal(plane(b, 0, 0xa0001), 0x0f);
    assert_int_equal(plane(b, 2, 0xa0001), 0x80);
    indexed(b, 0x3ce, 5, 3);
    indexed(b, 0x3ce, 0, 0x4);
    peek(b, 0xa0001);
    poke(b, 0xa0001, 0xf3); /* bit mask F3 & 0F */
    assert_int_equal(plane(b, 2, 0xa0001), 0x83);
    assert_int_equal(plane(b, 0, 0xa0001), 0x0c);
}

static void read_mode_1_compares_colors(void **state)
{
    struct board *b = *state;

    set_mode(b, &mode12);
    indexed(b, 0x3c4, 2, 0x5);
    poke(b, 0xa0000, 0xf0);
    indexed(b, 0x3ce, 5, 8);
    indexed(b, 0x3ce, 2, 0x5);
    assert_int_equal(peek(b, 0xa0000), 0xf0);
    indexed(b, 0x3ce, 2, 0x0);
    assert_int_equal(peek(b, 0xa0000), 0x0f);
    indexed(b, 0x3ce, 7, 0x0); /* no plane matters */
    assert_int_equal(peek(b, 0xa0000), 0xff);
}

static void crtc_is_protected_and_moves_with_misc(void **state)
{
    struct board *b = *state;

    set_mode(b, &mode3); /* register 11h has the lock bit */
    indexed(b, 0x3d4, 0x00, 0x11);
    assert_int_equal(in(b, 0x3d5), 0x5f);
    indexed(b, 0x3d4, 0x07, 0x00);
    assert_int_equal(in(b, 0x3d5), 0x0f); /* line compare bit 8 went */
    out(b, 0x3c2, 0x66);
    assert_int_equal(in(b, 0x3d5), 0xff);
    assert_int_equal(in(b, 0x3b5), 0x0f);
}

static void attribute_flip_flop_and_dac_sequence(void **state)
{
    struct board *b = *state;

    in(b, 0x3da);
    out(b, 0x3c0, 0x05);
    assert_int_equal(in(b, 0x3c0), 0x05);
    out(b, 0x3c0, 0xff);
    assert_int_equal(in(b, 0x3c1), 0x3f);
    out(b, 0x3c8, 7);
    for (u8 i = 1; i <= 6; i++)
        out(b, 0x3c9, i);
    assert_int_equal(in(b, 0x3c7), 0);
    out(b, 0x3c7, 7);
    assert_int_equal(in(b, 0x3c7), 3);
    for (u8 i = 1; i <= 6; i++)
        assert_int_equal(in(b, 0x3c9), i);
}

static void retrace_follows_the_clock(void **state)
{
    struct board *b = *state;
    unsigned retraces = 0;
    bool before = false;

    set_mode(b, &mode3); /* 70.08 Hz */
    for (unsigned i = 0; i < 100000; i++) {
        clock_run(&b->clk, 10000);
        u8 status = in(b, 0x3da);
        retraces += (status & 8) && !before;
        before = status & 8;
        if (before)
            assert_int_equal(status & 1, 1);
    }
    assert_in_range(retraces, 70, 71);
}

static void vbe(struct board *b, u16 index, u16 val)
{
    ioport_write(b->io, 0x1ce, index, W16);
    ioport_write(b->io, 0x1cf, val, W16);
}

static u16 vbe_in(struct board *b, u16 index)
{
    ioport_write(b->io, 0x1ce, index, W16);
    return (u16)ioport_read(b->io, 0x1cf, W16);
}

static void vbe_answers_as_the_bios_expects(void **state)
{
    struct board *b = *state;

    vbe(b, 0, 0xb0c0);
    assert_int_equal(vbe_in(b, 0), 0xb0c0);
    vbe(b, 0, 0x1234);
    assert_int_equal(vbe_in(b, 0), 0xb0c0);
    assert_int_equal(vbe_in(b, 10), 16);
    vbe(b, 3, 8);
    vbe(b, 3, 1); /* Bochs 2.7 keeps the 8; QEMU 7.2 has an 8 again when the mode is entered */
    assert_int_equal(vbe_in(b, 3), 8);
    vbe(b, 4, 2);
    assert_int_equal(vbe_in(b, 1), 2560);
    assert_int_equal(vbe_in(b, 3), 32);
}

static void vbe_modes_show_the_frame_buffer(void **state)
{
    struct board *b = *state;
    static const u8 white565[2] = {0x1f, 0xf8};

    pci_out(b->io, CARD, PCI_BAR0, 0xe0000000, W32);
    pci_out(b->io, CARD, PCI_COMMAND, PCI_COMMAND_MEMORY, W16);
    vbe(b, 1, 640);
    vbe(b, 2, 400);
    vbe(b, 3, 16);
    vbe(b, 4, 0x41);
    physmem_write(b->pm, 0xe0000000 + 640 * 2 * 399 + 2 * 639, white565, 2);
    assert_int_equal(pixel(b, 639, 399, 640, 400), 0xff00ff);
    vbe(b, 5, 7); /* the window's bank holds that pixel, too */
    out(b, 0x3c2, 0x67);
    indexed(b, 0x3ce, 6, 5);
    assert_int_equal(peek(b, 0xa0000 + ((640 * 2 * 399 + 2 * 639) & 0xffff) + 1), 0xf8);
    vbe(b, 9, 1);
    assert_int_equal(pixel(b, 639, 398, 640, 400), 0xff00ff);
    vbe(b, 4, 0);
    vbe(b, 3, 32);
    vbe(b, 4, 0x41);
    assert_int_equal(pixel(b, 0, 0, 640, 400), 0); /* cleared: 1 MiB holds 409 lines */
}

/* What a window asks for: all rows after a change of registers, then only those that were written.
 */
static void only_what_changed_is_drawn_again(void **state)
{
    struct board *b = *state;
    struct vga_picture p;
    static const u8 red[2] = {0x00, 0xf8};

    set_mode(b, &mode13);
    assert_int_equal(vga_show(b->chip, &p), STATUS_OK);
    assert_int_equal(p.rows, 200);
    assert_false(p.square);
    assert_int_equal(vga_show(b->chip, &p), STATUS_OK);
    assert_int_equal(p.rows, 0);
    poke(b, 0xa0000 + 321, 7);
    assert_int_equal(vga_show(b->chip, &p), STATUS_OK);
    assert_true(p.rows > 0);
    assert_int_equal(p.pixels[321], color(7));
    out(b, 0x3c8, 7);
    for (unsigned i = 0; i < 3; i++)
        out(b, 0x3c9, 0);
    assert_int_equal(vga_show(b->chip, &p), STATUS_OK);
    assert_int_equal(p.pixels[321], 0);

    set_mode(b, &mode3);
    indexed(b, 0x3d4, 0x0f, 80 * 2 + 1); /* the cursor: in the third row */
    poke(b, 0xb8001 + 2 * (80 * 2 + 1), 0x1e);
    assert_int_equal(vga_show(b->chip, &p), STATUS_OK);
    assert_int_equal(p.pixels[720 * (2 * 16 + 13) + 9], color(0x3e));
    clock_run(&b->clk, 8 * 14286000);
    assert_int_equal(vga_show(b->chip, &p), STATUS_OK);
    assert_int_equal(p.first_row, 32);
    assert_int_equal(p.rows, 16);
    assert_int_equal(p.pixels[720 * (2 * 16 + 13) + 9], color(0x01));
    poke(b, 0xb8001, 0x9e); /* something else blinks, too */
    assert_int_equal(vga_show(b->chip, &p), STATUS_OK);
    clock_run(&b->clk, 8 * 14286000);
    assert_int_equal(vga_show(b->chip, &p), STATUS_OK);
    assert_int_equal(p.first_row, 0);
    poke(b, 0xb8001, 0x1e);
    indexed(b, 0x3d4, 0x13, 20);   /* rows overlap: the cursor is in the second one, too */
    indexed(b, 0x3d4, 0x0f, 40 + 60);
    assert_int_equal(vga_show(b->chip, &p), STATUS_OK);
    clock_run(&b->clk, 8 * 14286000);
    assert_int_equal(vga_show(b->chip, &p), STATUS_OK);
    assert_true(p.first_row <= 16 && p.first_row + p.rows >= 3 * 16);

    pci_out(b->io, CARD, PCI_BAR0, 0xe0000000, W32);
    pci_out(b->io, CARD, PCI_COMMAND, PCI_COMMAND_MEMORY, W16);
    vbe(b, 1, 640);
    vbe(b, 2, 400);
    vbe(b, 3, 16);
    vbe(b, 4, 0x41);
    assert_int_equal(vga_show(b->chip, &p), STATUS_OK);
    assert_int_equal(p.rows, 400);
    assert_false(p.square);
    physmem_write(b->pm, 0xe0000000 + 1280 * 16, red, 2); /* page 5: rows 16 to 19 */
    assert_int_equal(vga_show(b->chip, &p), STATUS_OK);
    assert_int_equal(p.first_row, 16);
    assert_int_equal(p.rows, 4);
    assert_int_equal(p.pixels[640 * 16], 0xff0000);
    assert_int_equal(vga_show(b->chip, &p), STATUS_OK);
    assert_int_equal(p.rows, 0);
    vbe(b, 4, 0);
    vbe(b, 2, 480);
    vbe(b, 4, 0x41);
    assert_int_equal(vga_show(b->chip, &p), STATUS_OK);
    assert_true(p.square);
    vbe(b, 4, 0);
    vbe(b, 1, 320);
    vbe(b, 4, 0x41);
    assert_int_equal(vga_show(b->chip, &p), STATUS_OK);
    assert_int_equal(p.width, 320);
    assert_false(p.square);
}

/* Mode @was as a snapshot has it, with other values in its place. */
static void load_mode(struct board *b, const u16 was[3], const u16 now[3])
{
    size_t size = fields_size(vga_class.fields, b->chip);
    u8 *buf = malloc(size), *at = buf;
    struct state_buffer out = {buf};
    const u8 *p = buf;

    assert_non_null(buf);
    fields_save(vga_class.fields, b->chip, state_sink, &out);
    while (at + 6 <= buf + size && memcmp(at, was, 6) != 0)
        at++;
    assert_true(at + 6 <= buf + size);
    memcpy(at, now, 6);
    assert_int_equal(fields_load(vga_class.fields, b->chip, &p, buf + size), STATUS_OK);
    vga_class.loaded(b->chip);
    free(buf);
}

/* A depth of 200 was copied into four bytes; 65535 x 65535 would want 17 GB. */
static void a_damaged_snapshot_is_no_mode_that_is_not_there(void **state)
{
    static const u16 mode[] = {640, 400, 32}, deep[] = {640, 400, 200},
                     large[] = {0xffff, 0xffff, 8}, mode8[] = {640, 400, 8};
    struct board *b = *state;
    struct vga_picture p;

    for (unsigned i = 0; i < 3; i++)
        vbe(b, (u16)(1 + i), mode[i]);
    vbe(b, 4, 0x41);
    vbe(b, 9, 0xffff); /* the rows wrap around the end of memory */
    load_mode(b, mode, deep);
    assert_int_equal(vbe_in(b, 3), 8);
    assert_int_equal(vga_show(b->chip, &p), STATUS_OK);
    assert_int_equal(p.width, 640);
    load_mode(b, mode8, large);
    assert_int_equal(vbe_in(b, 4), 0);
    assert_int_equal(vga_show(b->chip, &p), STATUS_OK);
}

static void registers_answer_in_bar_2(void **state)
{
    struct board *b = *state;
    u16 id;

    pci_out(b->io, CARD, PCI_BAR0 + 8, 0xfeb10000, W32);
    pci_out(b->io, CARD, PCI_COMMAND, PCI_COMMAND_MEMORY, W16);
    physmem_read(b->pm, 0xfeb10500, &id, 2);
    assert_int_equal(id, 0xb0c5);
    poke(b, 0xfeb10408, 0x77); /* 3C8h */
    assert_int_equal(in(b, 0x3c8), 0x77);
}

/* Anything a guest may write, in any order, must be harmless. Sanitizers look on. */
static void random_writes_are_harmless(void **state)
{
    struct board *b = *state;
    struct vga_text_screen *s = malloc(sizeof(*s));
    struct vga_frame f = {0};
    u64 r = 12345;

    for (unsigned i = 0; i < 20000; i++) {
        r = r * 6364136223846793005u + 1442695040888963407u;
        u32 x = (u32)(r >> 32);
        switch (x & 3) {
        case 0:
            vbe(b, x >> 4 & 15, (u16)(x >> 16));
            break;
        case 1:
            poke(b, 0xa0000 + (x >> 4 & 0x1ffff), (u8)(x >> 24));
            peek(b, 0xa0000 + (x >> 7 & 0x1ffff));
            break;
        default:
            out(b, (u16)(0x3b0 + (x >> 4 & 0x2f)), (u8)(x >> 16));
        }
        if (i % 500 == 0) {
            assert_int_equal(vga_render(b->chip, &f), STATUS_OK);
            vga_text(b->chip, s);
        }
    }
    vga_frame_free(&f);
    free(s);
}

static void state_survives_save_and_load(void **state)
{
    struct board *b = *state;
    void *other;

    set_mode(b, &mode3);
    poke(b, 0xb8000, 'Q');
    vbe(b, 1, 800);
    setup(&other);
    struct board *fresh = other;
    check_save_load(&vga_class, b->chip, fresh->chip);
    assert_int_equal(peek(fresh, 0xb8000), 'Q');
    vga_board_teardown(&other);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, vga_board_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(identity_and_rom),
        T(text_screen_reads_back),
        T(text_renders_glyphs_and_cursor),
        T(text_pans_scrolls_smoothly_and_splits),
        T(mode_13h_is_linear),
        T(mode_12h_has_planes),
        T(cga_graphics_interleave_rows),
        T(write_mode_0_rotates_sets_and_masks),
        T(functions_combine_with_the_latch),
        T(write_modes_1_to_3),
        T(read_mode_1_compares_colors),
        T(crtc_is_protected_and_moves_with_misc),
        T(attribute_flip_flop_and_dac_sequence),
        T(retrace_follows_the_clock),
        T(vbe_answers_as_the_bios_expects),
        T(vbe_modes_show_the_frame_buffer),
        T(only_what_changed_is_drawn_again),
        T(a_damaged_snapshot_is_no_mode_that_is_not_there),
        T(registers_answer_in_bar_2),
        T(random_writes_are_harmless),
        T(state_survives_save_and_load),
    };
    return cmocka_run_group_tests_name("vga", tests, NULL, NULL);
}
