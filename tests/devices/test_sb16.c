/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "devices/sb16.h"
#include "tests/support/device_state.h"

#define MS 1000000ull

struct board {
    struct ioport_bus *io;
    struct physmem *pm;
    struct clock clk;
    struct sound *sound;
    struct i8237 *dma;
    struct sb16 *chip;
    struct spy irq[4];
    i16 heard; /* the last sample */
    i16 low;   /* the lowest one */
};

static void listen(void *ctx, const i16 *frames, unsigned n)
{
    struct board *b = ctx;

    b->heard = frames[2 * n - 2];
    for (unsigned i = 0; i < n; i++)
        b->low = frames[2 * i] < b->low ? frames[2 * i] : b->low;
}

static struct sb16_desc desc_of(struct board *b, struct ioport_bus *io, struct clock *clk)
{
    struct sb16_desc desc = {.io = io, .clk = clk, .dma = b->dma, .sound = b->sound};

    for (unsigned i = 0; i < 4; i++)
        desc.irq[i] = spy_line(&b->irq[i]);
    return desc;
}

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    *state = b;
    b->io = ioport_create();
    clock_init(&b->clk, CLOCK_RATIO_DEFAULT);
    assert_int_equal(physmem_create(&b->pm, 1 << 20), STATUS_OK);
    physmem_map_ram(b->pm, 0, 1 << 20, 0);
    assert_int_equal(
        sound_create(&b->sound, &(struct sound_desc){.clk = &b->clk, .put = listen, .ctx = b}),
        STATUS_OK);
    assert_int_equal(i8237_create(&b->dma, &(struct i8237_desc){b->io, b->pm}), STATUS_OK);
    ioport_write(b->io, 0xd6, 0xc0, W8); /* the first controller cascades through channel 4 */
    ioport_write(b->io, 0xd4, 0x00, W8);
    struct sb16_desc desc = desc_of(b, b->io, &b->clk);
    return sb16_create(&b->chip, &desc);
}

static int teardown(void **state)
{
    struct board *b = *state;

    sb16_class.destroy(b->chip);
    i8237_class.destroy(b->dma);
    sound_destroy(b->sound);
    physmem_destroy(b->pm);
    ioport_destroy(b->io);
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

static void dsp(struct board *b, u8 val)
{
    assert_false(in(b, 0x22c) & 0x80);
    out(b, 0x22c, val);
}

static u8 answer(struct board *b)
{
    assert_true(in(b, 0x22e) & 0x80);
    return in(b, 0x22a);
}

/* Channel 1, @len bytes of memory at 1000h. */
static void set_dma(struct board *b, unsigned len, u8 mode)
{
    out(b, 0x0a, 5);
    out(b, 0x0c, 0);
    out(b, 0x0b, mode);
    out(b, 0x02, 0x00);
    out(b, 0x02, 0x10);
    out(b, 0x83, 0);
    out(b, 0x03, (u8)(len - 1));
    out(b, 0x03, (u8)((len - 1) >> 8));
    out(b, 0x0a, 1);
}

static unsigned dma_count(struct board *b)
{
    out(b, 0x0c, 0);
    unsigned low = in(b, 0x03);

    return low | (unsigned)in(b, 0x03) << 8;
}

static void reset_answers_aa_and_commands_their_bytes(void **state)
{
    struct board *b = *state;

    out(b, 0x226, 1);
    out(b, 0x226, 0);
    assert_int_equal(answer(b), 0xaa);
    assert_false(in(b, 0x22e) & 0x80);
    dsp(b, 0xe1);
    assert_int_equal(answer(b), 4);
    assert_int_equal(answer(b), 5);
    dsp(b, 0xe0);
    dsp(b, 0x55);
    assert_int_equal(answer(b), 0xaa);
    dsp(b, 0xe4);
    dsp(b, 0x12);
    dsp(b, 0xe8);
    assert_int_equal(answer(b), 0x12);
    dsp(b, 0xe3);
    assert_int_equal(answer(b), 'C');
}

static void single_transfer_ends_with_its_interrupt_in_time(void **state)
{
    struct board *b = *state;

    set_dma(b, 1000, 0x49);
    dsp(b, 0x40);
    dsp(b, 156); /* 10000 Hz */
    dsp(b, 0x14);
    dsp(b, 999 & 0xff);
    dsp(b, 999 >> 8);
    clock_run(&b->clk, 50 * MS);
    assert_in_range(dma_count(b), 480, 520);
    clock_run(&b->clk, 49 * MS);
    assert_false(b->irq[1].level);
    clock_run(&b->clk, 1 * MS);
    assert_true(b->irq[1].level);
    out(b, 0x224, 0x82);
    assert_int_equal(in(b, 0x225), 1);
    (void)in(b, 0x22e);
    assert_false(b->irq[1].level);
    clock_run(&b->clk, 500 * MS);
    assert_int_equal(b->irq[1].rises, 1);
}

static void auto_initialized_blocks_go_on_until_told(void **state)
{
    struct board *b = *state;

    set_dma(b, 2000, 0x59);
    dsp(b, 0x41);
    dsp(b, 10000 >> 8);
    dsp(b, 10000 & 0xff);
    dsp(b, 0xc6);
    dsp(b, 0x00);
    dsp(b, 499 & 0xff);
    dsp(b, 499 >> 8);
    for (unsigned i = 0; i < 5; i++) {
        clock_run(&b->clk, 50 * MS + 1);
        assert_int_equal(b->irq[1].rises, i + 1);
        (void)in(b, 0x22e);
    }
    dsp(b, 0xd0);
    clock_run(&b->clk, 200 * MS);
    assert_int_equal(b->irq[1].rises, 5);
    dsp(b, 0xd4);
    dsp(b, 0xda);
    clock_run(&b->clk, 200 * MS);
    assert_int_equal(b->irq[1].rises, 6);
}

/* A driver that sets up the DSP first must not lose samples. */
static void the_dsp_waits_for_dma(void **state)
{
    struct board *b = *state;

    dsp(b, 0x40);
    dsp(b, 156);
    dsp(b, 0x14);
    dsp(b, 99);
    dsp(b, 0);
    clock_run(&b->clk, 100 * MS);
    assert_int_equal(b->irq[1].rises, 0);
    set_dma(b, 100, 0x49);
    clock_run(&b->clk, 15 * MS);
    assert_int_equal(b->irq[1].rises, 1);
}

static void the_mixer_chooses_the_interrupt(void **state)
{
    struct board *b = *state;

    out(b, 0x224, 0x80);
    assert_int_equal(in(b, 0x225), 2);
    out(b, 0x225, 4);
    dsp(b, 0xf2);
    assert_true(b->irq[2].level);
    assert_false(b->irq[1].level);
    (void)in(b, 0x22e);
    dsp(b, 0xf3);
    assert_true(b->irq[2].level);
    (void)in(b, 0x22f);
    assert_false(b->irq[2].level);
    out(b, 0x224, 0x22); /* the Pro's view of the master volume */
    out(b, 0x225, 0xf3);
    out(b, 0x224, 0x30);
    assert_int_equal(in(b, 0x225) >> 4, 15);
    out(b, 0x224, 0x31);
    assert_int_equal(in(b, 0x225) >> 4, 3);
}

static void the_mpu_acknowledges(void **state)
{
    struct board *b = *state;

    assert_true(in(b, 0x331) & 0x80);
    out(b, 0x331, 0xff);
    assert_false(in(b, 0x331) & 0x80);
    assert_int_equal(in(b, 0x330), 0xfe);
    out(b, 0x331, 0x3f);
    assert_int_equal(in(b, 0x330), 0xfe);
    assert_true(in(b, 0x331) & 0x80);
}

static void state_survives_save_and_load(void **state)
{
    struct board *b = *state;
    struct ioport_bus *io = ioport_create();
    struct clock clk;
    struct sb16 *other;

    set_dma(b, 1000, 0x59);
    dsp(b, 0x1c);
    dsp(b, 0x14);
    clock_run(&b->clk, 3 * MS);
    clock_init(&clk, CLOCK_RATIO_DEFAULT);
    clock_run(&clk, 3 * MS);
    struct sb16_desc desc = desc_of(b, io, &clk);
    assert_int_equal(sb16_create(&other, &desc), STATUS_OK);
    check_save_load(&sb16_class, b->chip, other);
    sb16_class.destroy(other);
    ioport_destroy(io);
}

static void set_mixer(struct board *b, u8 reg, u8 val)
{
    out(b, 0x224, reg);
    out(b, 0x225, val);
}

/* 256 bytes of one level at 10000 Hz, and once more. */
static void play_block(struct board *b, u8 level)
{
    u8 bytes[256];

    memset(bytes, level, sizeof(bytes));
    physmem_write(b->pm, 0x1000, bytes, sizeof(bytes));
    set_dma(b, sizeof(bytes), 0x49);
    dsp(b, 0x40);
    dsp(b, 156);
    dsp(b, 0x14);
    dsp(b, sizeof(bytes) - 1);
    dsp(b, 0);
}

/* Each block began with silence: a click. */
static void blocks_begun_by_interrupts_are_one_sound(void **state)
{
    struct board *b = *state;

    play_block(b, 0xc0);
    clock_run(&b->clk, 10 * MS);
    sound_sync(b->sound);
    b->low = INT16_MAX;
    for (unsigned blocks = 0; blocks < 20; blocks++) {
        while (!b->irq[1].level)
            clock_run(&b->clk, MS / 10);
        (void)in(b, 0x22e);
        clock_run(&b->clk, blocks * MS / 10); /* a driver takes its time */
        play_block(b, 0xc0);
    }
    sound_sync(b->sound);
    assert_int_equal(b->low, 0x4000);
    assert_int_equal(b->heard, 0x4000);
}

static void a_level_that_nothing_follows_fades(void **state)
{
    struct board *b = *state;
    i16 before = INT16_MAX;

    play_block(b, 0xc0);
    clock_run(&b->clk, 26 * MS + 20 * MS);
    sound_sync(b->sound);
    assert_int_equal(b->heard, 0x4000);
    for (unsigned i = 0; i < 30; i++) {
        clock_run(&b->clk, 2 * MS);
        sound_sync(b->sound);
        assert_true(before - b->heard < 0x4000 / 10 || before == INT16_MAX);
        before = b->heard;
    }
    assert_int_equal(b->heard, 0);
    b->low = 0;
    play_block(b, 0xc0); /* and it does not come back before the next one */
    clock_run(&b->clk, 3 * MS);
    sound_sync(b->sound);
    assert_int_equal(b->heard, 0);
    assert_int_equal(b->low, 0);
}

/* 2 dB a step, 6 dB of output gain. */
static void the_mixer_has_the_samples_volume_and_the_synthesizers(void **state)
{
    struct board *b = *state;

    play_block(b, 0xc0);
    clock_run(&b->clk, 10 * MS);
    set_mixer(b, 0x32, 0xc8); /* voice, left: -12 dB */
    set_mixer(b, 0x30, 0xe0); /* master: -6 dB */
    clock_run(&b->clk, MS);
    sound_sync(b->sound);
    assert_in_range(b->heard, 2050, 2070);
    set_mixer(b, 0x41, 0x40);
    clock_run(&b->clk, MS);
    sound_sync(b->sound);
    assert_in_range(b->heard, 4100, 4140);
    assert_int_equal(sb16_midi_gain(b->chip, 1), 65536);
    set_mixer(b, 0x26, 0xfc); /* the Pro's view: right, -12 dB */
    assert_int_equal(sb16_midi_gain(b->chip, 1), 16462);
    set_mixer(b, 0x31, 0);
    set_mixer(b, 0x26, 0);
    assert_int_equal(sb16_midi_gain(b->chip, 1), 0);
}

/* The level after @len bytes, played by @command at 4000 samples a second, stay where they end. */
static i16 level_after(struct board *b, u8 command, const u8 *bytes, unsigned len)
{
    physmem_write(b->pm, 0x1000, bytes, len);
    set_dma(b, len, 0x49);
    dsp(b, 0x40);
    dsp(b, 6);
    dsp(b, command);
    dsp(b, (u8)(len - 1));
    dsp(b, 0);
    unsigned rises = b->irq[1].rises;
    i16 last = 0;
    for (unsigned i = 0; i < 400 && b->irq[1].rises == rises; i++) {
        clock_run(&b->clk, MS);
        sound_sync(b->sound);
        if (i > 3) /* what is heard comes late */
            last = b->heard;
    }
    assert_int_equal(b->irq[1].rises, rises + 1);
    in(b, 0x22e);
    clock_run(&b->clk, 20 * MS);
    return last;
}

static void adpcm_ends_at_the_level_of_the_same_pcm(void **state)
{
    static const struct {
        u8 command, first, repeated, count, level;
    } cases[] = {
        {0x75, 0x80, 0x11, 32, 0xc0}, /* 1 and 1 */
        {0x75, 0x80, 0x99, 32, 0x40}, /* -1 and -1 */
        {0x75, 0x80, 0x77, 1, 0x99},  /* 7, 15 of the next step, then 2 and 1 on the way back */
        {0x75, 0x80, 0x77, 9, 0xff},  /* no further */
        {0x77, 0x80, 0x25, 16, 0xc0}, /* 1, 1, 2 */
        {0x17, 0x80, 0x44, 16, 0xc0}, /* 1, and half of the step of 2, twice */
    };
    struct board *b = *state;
    u8 bytes[120], pcm[120];

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        memset(bytes, 0, sizeof(bytes));
        bytes[0] = cases[i].first;
        memset(bytes + 1, cases[i].repeated, cases[i].count);
        memset(pcm, cases[i].level, sizeof(pcm));
        i16 wanted = level_after(b, 0x14, pcm, sizeof(pcm));
        assert_int_equal(level_after(b, cases[i].command, bytes, sizeof(bytes)), wanted);
    }
}

static void adpcm_takes_a_byte_for_two_three_or_four_samples(void **state)
{
    static const struct {
        u8 command, samples;
    } cases[] = {{0x74, 2}, {0x76, 3}, {0x16, 4}};
    struct board *b = *state;

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        set_dma(b, 100, 0x49);
        dsp(b, 0x40);
        dsp(b, 156); /* 10000 Hz */
        dsp(b, cases[i].command);
        dsp(b, 99);
        dsp(b, 0);
        unsigned rises = b->irq[1].rises;
        clock_run(&b->clk, (10 * cases[i].samples - 1) * MS);
        assert_int_equal(b->irq[1].rises, rises);
        clock_run(&b->clk, MS);
        assert_int_equal(b->irq[1].rises, rises + 1);
        in(b, 0x22e);
    }
    dsp(b, 0x48);
    dsp(b, 49);
    dsp(b, 0);
    set_dma(b, 100, 0x59);
    dsp(b, 0x7d); /* auto-initialized, the first byte a level */
    clock_run(&b->clk, 98 * MS / 10);
    in(b, 0x22e);
    clock_run(&b->clk, 98 * MS / 10 + 2 * MS / 10);
    in(b, 0x22e);
    assert_int_equal(b->irq[1].rises, 5);
}

static void a_recording_is_silence(void **state)
{
    struct board *b = *state;
    u8 byte = 0;

    set_dma(b, 100, 0x45); /* to memory */
    dsp(b, 0x24);
    dsp(b, 99);
    dsp(b, 0);
    clock_run(&b->clk, 100 * MS);
    physmem_read(b->pm, 0x1000 + 99, &byte, 1);
    assert_int_equal(byte, 0x80);
    assert_int_equal(b->irq[1].rises, 1);
}

/* Found by fuzz_board: the rate of a transfer that has ended. */
static void what_a_transfer_leaves_survives_save_and_load(void **state)
{
    struct board *b = *state;
    struct ioport_bus *io = ioport_create();
    struct clock clk;
    struct sb16 *other;

    set_dma(b, 100, 0x49);
    dsp(b, 0x40);
    dsp(b, 156); /* 10000 Hz */
    dsp(b, 0x14);
    dsp(b, 99);
    dsp(b, 0);
    clock_run(&b->clk, 20 * MS);
    assert_int_equal(b->irq[1].rises, 1);
    clock_init(&clk, CLOCK_RATIO_DEFAULT);
    clock_run(&clk, 20 * MS);
    struct sb16_desc desc = desc_of(b, io, &clk);
    assert_int_equal(sb16_create(&other, &desc), STATUS_OK);
    check_save_load(&sb16_class, b->chip, other);
    sb16_class.destroy(other);
    ioport_destroy(io);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(reset_answers_aa_and_commands_their_bytes),
        T(single_transfer_ends_with_its_interrupt_in_time),
        T(auto_initialized_blocks_go_on_until_told),
        T(the_dsp_waits_for_dma),
        T(adpcm_ends_at_the_level_of_the_same_pcm),
        T(adpcm_takes_a_byte_for_two_three_or_four_samples),
        T(a_recording_is_silence),
        T(blocks_begun_by_interrupts_are_one_sound),
        T(a_level_that_nothing_follows_fades),
        T(the_mixer_has_the_samples_volume_and_the_synthesizers),
        T(the_mixer_chooses_the_interrupt),
        T(the_mpu_acknowledges),
        T(state_survives_save_and_load),
        T(what_a_transfer_leaves_survives_save_and_load),
    };
    return cmocka_run_group_tests_name("sb16", tests, NULL, NULL);
}
