/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "devices/opl3.h"
#include "tests/support/device_state.h"

#define HEARD (SOUND_HZ * 4)

struct board {
    struct ioport_bus *io;
    struct clock clk;
    struct sound *sound;
    struct opl3 *chip;
    i16 left[HEARD], right[HEARD];
    unsigned heard;
    u32 gain[2];
};

static void put(void *ctx, const i16 *frames, unsigned n)
{
    struct board *b = ctx;

    for (unsigned i = 0; i < n && b->heard < HEARD; i++) {
        b->left[b->heard] = frames[2 * i];
        b->right[b->heard++] = frames[2 * i + 1];
    }
}

static u32 gain(void *card, unsigned side)
{
    return ((struct board *)card)->gain[side];
}

static int setup(void **state)
{
    struct board *b = calloc(1, sizeof(*b));

    b->io = ioport_create();
    clock_init(&b->clk, CLOCK_RATIO_DEFAULT);
    struct sound_desc sound = {&b->clk, put, b};
    assert_int_equal(sound_create(&b->sound, &sound), STATUS_OK);
    struct opl3_desc desc = {b->io, &b->clk, b->sound, gain, b};

    b->gain[0] = b->gain[1] = 65536;
    *state = b;
    return opl3_create(&b->chip, &desc);
}

static int teardown(void **state)
{
    struct board *b = *state;

    opl3_class.destroy(b->chip);
    sound_destroy(b->sound);
    ioport_destroy(b->io);
    free(b);
    return 0;
}

static void set(struct board *b, unsigned reg, u8 val)
{
    u16 port = reg >= 0x100 ? 0x38a : 0x388;

    ioport_write(b->io, port, (u8)reg, W8);
    ioport_write(b->io, port + 1u, val, W8);
}

static u8 status(struct board *b)
{
    return (u8)ioport_read(b->io, 0x388, W8);
}

static void listen(struct board *b, u64 ns)
{
    b->heard = 0;
    clock_run(&b->clk, ns);
    sound_sync(b->sound);
}

/* Channel 0, its second operator alone: a plain sine at full level, f = number * 2^(block - 20) *
 * 49716 Hz. */
static void play_sine(struct board *b, unsigned number, unsigned block)
{
    set(b, 0x20, 0x21);
    set(b, 0x40, 0x3f); /* the modulator is silent */
    set(b, 0x60, 0xf0);
    set(b, 0x80, 0x00);
    set(b, 0x23, 0x21);
    set(b, 0x43, 0x00);
    set(b, 0x63, 0xf0);
    set(b, 0x83, 0x0f);
    set(b, 0xa0, (u8)number);
    set(b, 0xb0, (u8)(0x20 | block << 2 | number >> 8));
}

static double pitch(const i16 *v, unsigned n)
{
    double first = 0, last = 0;
    unsigned rises = 0;

    for (unsigned i = 0; i + 1 < n; i++) {
        if (v[i] >= 0 || v[i + 1] < 0)
            continue;
        last = i + (double)-v[i] / (v[i + 1] - v[i]);
        if (!rises++)
            first = last;
    }
    assert_true(rises > 2);
    return (rises - 1) * (double)SOUND_HZ / (last - first);
}

static i16 peak(const i16 *v, unsigned n)
{
    i16 most = 0;

    for (unsigned i = 0; i < n; i++)
        most = v[i] > most ? v[i] : most;
    return most;
}

static void detection_by_timers_works(void **state)
{
    struct board *b = *state;

    set(b, 4, 0x60);
    set(b, 4, 0x80);
    assert_int_equal(status(b) & 0xe0, 0);
    assert_int_equal(status(b) & 0x06, 0); /* 6 would be an OPL2 */
    set(b, 2, 0xff);
    set(b, 4, 0x21);
    clock_run(&b->clk, 79000);
    assert_int_equal(status(b) & 0xe0, 0);
    clock_run(&b->clk, 2000);
    assert_int_equal(status(b) & 0xe0, 0xc0);
    set(b, 4, 0x80);
    assert_int_equal(status(b) & 0xe0, 0);
    set(b, 3, 0xfe); /* two steps of 320 us */
    set(b, 4, 0x42);
    clock_run(&b->clk, 639000);
    assert_int_equal(status(b) & 0xe0, 0);
    clock_run(&b->clk, 2000);
    assert_int_equal(status(b) & 0xe0, 0xa0);
}

static void the_pitch_is_that_of_number_and_block(void **state)
{
    struct board *b = *state;
    static const struct {
        unsigned number, block;
    } notes[] = {{0x244, 4}, {0x2ae, 3}, {0x16b, 6}, {0x3ff, 1}};

    for (unsigned i = 0; i < ARRAY_LEN(notes); i++) {
        double hz = notes[i].number * 49716.0 / (1 << (20 - notes[i].block));
        play_sine(b, notes[i].number, notes[i].block);
        listen(b, 500000000);
        double got = pitch(b->left + 4800, b->heard - 4800);
        assert_true(got > hz * 0.999 && got < hz * 1.001);
        assert_memory_equal(b->left, b->right, b->heard * sizeof(i16));
        set(b, 0xb0, 0);
        listen(b, 100000000);
    }
}

static void the_cards_mixer_has_the_volume(void **state)
{
    struct board *b = *state;

    play_sine(b, 0x244, 4);
    listen(b, 100000000);
    i16 full = peak(b->left, b->heard);
    b->gain[0] = 32768;
    b->gain[1] = 0;
    listen(b, 100000000);
    assert_in_range(peak(b->left + 480, b->heard - 480), full / 2 - 2, full / 2 + 2);
    assert_int_equal(peak(b->right + 480, b->heard - 480), 0);
}

/* Total level is 0.75 dB a step: 8 steps are half. */
static void total_level_attenuates(void **state)
{
    struct board *b = *state;

    play_sine(b, 0x244, 4);
    listen(b, 100000000);
    i16 full = peak(b->left, b->heard);
    set(b, 0x43, 8);
    listen(b, 100000000);
    i16 half = peak(b->left + 480, b->heard - 480);
    assert_true(full > 7000 && full < 9000);
    assert_in_range(half * 1000 / full, 490, 512);
}

/* Decay at rate 4 * 8: from 0 to 96 dB in 306 ms, so 6 dB every 19 ms [YM3812-APP]. */
static void envelopes_take_their_time(void **state)
{
    struct board *b = *state;

    play_sine(b, 0x1ff, 1); /* block 1, bit 9 clear: adds nothing to the rate */
    set(b, 0xb0, 0);
    listen(b, 200000000);
    set(b, 0x23, 0x2f); /* fifteen times 48 Hz, so that peaks are near each other */
    set(b, 0x63, 0xf8);
    set(b, 0x83, 0xff);
    set(b, 0xb0, 0x20 | 1 << 2 | 1);
    listen(b, 400000000);
    unsigned at[2] = {SOUND_HZ / 10, SOUND_HZ / 10 + SOUND_HZ * 38 / 1000}, window = SOUND_HZ / 200;
    i16 early = peak(b->left + at[0], window), late = peak(b->left + at[1], window);
    assert_true(early > 0);
    assert_in_range(late * 1000 / early, 200, 300); /* 12 dB lower */
    assert_int_equal(peak(b->left + b->heard - 480, 480), 0);
}

static void a_released_key_fades_into_silence(void **state)
{
    struct board *b = *state;

    play_sine(b, 0x244, 4);
    listen(b, 100000000);
    set(b, 0xb0, 0x12);
    listen(b, 100000000);
    assert_int_equal(peak(b->left + b->heard / 2, b->heard / 2), 0);
}

static void sides_and_the_second_bank_are_the_opl3s(void **state)
{
    struct board *b = *state;

    set(b, 0x105, 1);
    play_sine(b, 0x244, 4);
    set(b, 0xc0, 0x10); /* left only */
    listen(b, 100000000);
    assert_true(peak(b->left, b->heard) > 7000);
    assert_int_equal(peak(b->right, b->heard), 0);
    set(b, 0xb0, 0);
    set(b, 0x105, 0);
    set(b, 0x1b0, 0x20); /* not there now */
    listen(b, 100000000);
    assert_int_equal(peak(b->left + b->heard / 2, b->heard / 2), 0);
}

/* An hour of silence, or of notes, would have been made first. */
static void a_loaded_time_is_where_sound_goes_on(void **state)
{
    struct board *b = *state;

    play_sine(b, 0x244, 4);
    clock_run(&b->clk, 3600000000000);
    sound_loaded(b->sound);
    listen(b, 100000000);
    assert_int_equal(b->heard, 4800);
    assert_true(peak(b->left, b->heard) > 7000);
}

static void drums_sound_without_a_key(void **state)
{
    struct board *b = *state;

    for (unsigned op = 0x10; op < 0x16; op++) {
        set(b, 0x20 + op, 0x01);
        set(b, 0x40 + op, 0);
        set(b, 0x60 + op, 0xf6);
        set(b, 0x80 + op, 0x06);
    }
    for (unsigned channel = 6; channel < 9; channel++) {
        set(b, 0xa0 + channel, 0x44);
        set(b, 0xb0 + channel, 0x0a);
    }
    for (unsigned drum = 0; drum < 5; drum++) {
        set(b, 0xbd, 0x20);
        set(b, 0xbd, (u8)(0x20 | BIT(drum)));
        listen(b, 50000000);
        assert_true(peak(b->left, b->heard) > 500);
        set(b, 0xbd, 0);
        listen(b, 900000000);
    }
}

static void state_survives_save_and_load(void **state)
{
    struct board *b = *state;
    struct ioport_bus *io = ioport_create();
    struct sound *sound;
    struct opl3 *other;

    play_sine(b, 0x244, 4);
    assert_int_equal(sound_create(&sound, &(struct sound_desc){.clk = &b->clk}), STATUS_OK);
    struct opl3_desc desc = {io, &b->clk, sound, NULL, NULL};
    assert_int_equal(opl3_create(&other, &desc), STATUS_OK);
    check_save_load(&opl3_class, b->chip, other);
    opl3_class.destroy(other);
    sound_destroy(sound);
    ioport_destroy(io);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(detection_by_timers_works),
        T(the_pitch_is_that_of_number_and_block),
        T(total_level_attenuates),
        T(the_cards_mixer_has_the_volume),
        T(envelopes_take_their_time),
        T(a_released_key_fades_into_silence),
        T(sides_and_the_second_bank_are_the_opl3s),
        T(a_loaded_time_is_where_sound_goes_on),
        T(drums_sound_without_a_key),
        T(state_survives_save_and_load),
    };
    return cmocka_run_group_tests_name("opl3", tests, NULL, NULL);
}
