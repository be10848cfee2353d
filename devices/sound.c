/* SPDX-License-Identifier: MIT */
/*
 * Mixing. Frames are rendered in the order of time, each once; there is no state that a guest could
 * find out.
 */
#include "devices/sound.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 512, SOURCES = 4 };

struct sound {
    struct sound_desc desc;
    u64 done; /* frames rendered */
    struct {
        sound_render_fn *render;
        void *dev;
    } source[SOURCES];
    unsigned sources;
};

enum status sound_create(struct sound **out, const struct sound_desc *desc)
{
    struct sound *s = calloc(1, sizeof(*s));

    if (!s)
        return STATUS_NO_MEMORY;
    s->desc = *desc;
    *out = s;
    return STATUS_OK;
}

void sound_destroy(struct sound *s)
{
    free(s);
}

void sound_add(struct sound *s, sound_render_fn *render, void *dev)
{
    assert(s->sources < SOURCES);
    s->source[s->sources].render = render;
    s->source[s->sources++].dev = dev;
}

static i16 clip(i32 v)
{
    return (i16)(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
}

static void chunk(struct sound *s, unsigned n)
{
    i32 mix[2 * CHUNK];
    i16 out[2 * CHUNK];

    memset(mix, 0, 2 * n * sizeof(*mix));
    for (unsigned i = 0; i < s->sources; i++)
        s->source[i].render(s->source[i].dev, mix, n, s->done);
    for (unsigned i = 0; i < 2 * n; i++)
        out[i] = clip(mix[i]);
    s->done += n;
    s->desc.put(s->desc.ctx, out, n);
}

void sound_loaded(struct sound *s)
{
    if (s)
        s->done = clock_ticks(clock_now(s->desc.clk), SOUND_HZ);
}

void sound_sync(struct sound *s)
{
    if (!s || !s->desc.put)
        return;
    u64 now = clock_ticks(clock_now(s->desc.clk), SOUND_HZ);
    if (s->done > now)
        s->done = now;
    while (s->done < now)
        chunk(s, now - s->done < CHUNK ? (unsigned)(now - s->done) : CHUNK);
}
