/* SPDX-License-Identifier: MIT */
/*
 * The loudspeakers' end: mixes what the sound chips play into one stream of stereo frames. Frame n
 * is what can be heard from n / SOUND_HZ seconds of guest time on; it follows from the guest alone,
 * so the stream of a deterministic run repeats, whenever it is asked for.
 */
#pragma once

#include "base/clock.h"
#include "base/status.h"

#define SOUND_HZ 48000u

struct sound;

/** Takes finished frames: left and right, 16 bits signed each. */
typedef void sound_put_fn(void *ctx, const i16 *frames, unsigned n);

struct sound_desc {
    struct clock *clk;
    sound_put_fn *put; /* NULL: nobody listens, and nothing is rendered */
    void *ctx;
};

/**
 * Add the frames [@first, @first + @n) of @dev to @mix, left and right in turn. The device's state
 * is that of the whole time.
 */
typedef void sound_render_fn(void *dev, i32 *mix, unsigned n, u64 first);

enum status sound_create(struct sound **out, const struct sound_desc *desc) MUST_CHECK;
void sound_destroy(struct sound *s);

/** Have @dev heard; at most 4. */
void sound_add(struct sound *s, sound_render_fn *render, void *dev);

/** Finish the frames up to now: a chip calls it before it changes, the board between slices. */
void sound_sync(struct sound *s);

/** Another state was loaded: what is heard goes on from now, whatever the time was before. */
void sound_loaded(struct sound *s);

/** The guest time at which frame @n ends. */
static inline u64 sound_frame_end(u64 n)
{
    return clock_tick_time(n + 1, SOUND_HZ);
}
