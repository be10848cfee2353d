/* SPDX-License-Identifier: MIT */
/*
 * A frame's level is the part of its time for which the speaker was driven high, exact to a CLK of
 * the timer. So square waves keep their pitch, and programs that play samples by pulse widths
 * (port 61h or one-shot counts) are heard as they meant it. A high-pass filter takes the direct
 * current away, as the coil and the ear do.
 */
#include "devices/speaker.h"

#include <stdlib.h>

enum {
    VOLUME = 12000,      /* of a full swing */
    FILTER_SHIFT = 9,    /* time constant: 2^9 frames, about 15 Hz */
    FILTER_FRACTION = 8, /* bits kept below a step of the output */
};

struct speaker {
    struct speaker_desc desc;
    bool on;   /* OUT 2 gets through */
    u64 heard; /* CLK up to which is accounted for */
    u64 high;  /* CLKs of the frame in progress that were high */
    u64 begun; /* CLK at which that frame began */
    i32 mean;  /* of the level so far, for the filter */
};

static u64 speaker_clk(u64 ns)
{
    return clock_ticks(ns, I8254_HZ);
}

/* Account for the time up to @clk. */
static void hear(struct speaker *sp, u64 clk)
{
    if (clk < sp->heard) { /* an earlier state was loaded */
        sp->begun = clk;
        sp->high = 0;
        sp->heard = clk;
    }
    if (sp->on)
        sp->high += i8254_high(sp->desc.pit, 2, sp->heard, clk);
    sp->heard = clk;
}

static void render(void *dev, i32 *mix, unsigned n, u64 first)
{
    struct speaker *sp = dev;

    for (unsigned i = 0; i < n; i++) {
        u64 end = speaker_clk(sound_frame_end(first + i));
        hear(sp, end);
        u64 length = end - sp->begun;
        i32 level = length ? (i32)(sp->high * VOLUME / length) << FILTER_FRACTION : 0;
        sp->high = 0;
        sp->begun = end;
        sp->mean += (level - sp->mean) >> FILTER_SHIFT;
        i32 out = (level - sp->mean) >> FILTER_FRACTION;
        mix[2 * i] += out;
        mix[2 * i + 1] += out;
    }
}

void speaker_sync(void *speaker, unsigned pin, bool level)
{
    struct speaker *sp = speaker;

    (void)pin, (void)level;
    sound_sync(sp->desc.sound);
    hear(sp, speaker_clk(clock_now(sp->desc.clk)));
}

void speaker_set(void *speaker, unsigned pin, bool level)
{
    struct speaker *sp = speaker;

    if (level == sp->on)
        return;
    speaker_sync(sp, pin, level);
    sp->on = level;
}

enum status speaker_create(struct speaker **out, const struct speaker_desc *desc)
{
    struct speaker *sp = calloc(1, sizeof(*sp));

    if (!sp)
        return STATUS_NO_MEMORY;
    sp->desc = *desc;
    sound_add(desc->sound, render, sp);
    *out = sp;
    return STATUS_OK;
}

void speaker_destroy(struct speaker *sp)
{
    free(sp);
}
