/* SPDX-License-Identifier: MIT */
/*
 * The host's loudspeakers. The guest's clock and the sound card's are never quite equal: the stream
 * is stretched or squeezed by up to half a percent, which nobody hears, so that what waits to be
 * played stays at about 60 ms.
 */
#include <SDL.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frontend/audio_private.h"
#include "machine/pc.h"

enum {
    TARGET = 60 * PC_SOUND_HZ / 1000, /* frames that wait */
    LIMIT = 5 * TARGET,               /* more is dropped: the guest was ahead of us */
    ONE = 1 << 16,                    /* a frame, as step in the guest's stream */
    BEND = ONE / 200,
    OUT_FRAMES = 1024,
    FRAME = 4,
};

struct sdl_audio {
    SDL_AudioDeviceID id;
    u32 at;      /* where the next frame lies between last and the guest's next, of ONE */
    i16 last[2]; /* the guest's frame before */
};

/* How far to go in the guest's stream for one frame of ours. */
static u32 step_for(Uint32 waiting)
{
    i32 off = (i32)waiting - TARGET;

    off = off > TARGET ? TARGET : off < -TARGET ? -TARGET : off;
    return (u32)(ONE + off * BEND / TARGET);
}

static void play(struct sdl_audio *a, const i16 *frames, unsigned n)
{
    SDL_QueueAudio(a->id, frames, n * FRAME);
}

static void sdl_put(void *dev, const i16 *frames, unsigned n)
{
    static const i16 silence[2 * TARGET];
    struct sdl_audio *a = dev;
    Uint32 waiting = SDL_GetQueuedAudioSize(a->id) / FRAME;
    i16 out[2 * OUT_FRAMES];
    unsigned made = 0;

    if (waiting > LIMIT)
        return;
    if (waiting == 0)
        play(a, silence, TARGET); /* the guest fell behind: give it room to catch up */
    u32 step = step_for(waiting ? waiting : TARGET);
    for (unsigned i = 0; i < n; i++) {
        const i16 *next = frames + 2 * i;
        for (; a->at < ONE; a->at += step) {
            for (unsigned c = 0; c < 2; c++)
                out[2 * made + c] =
                    (i16)(a->last[c] + (next[c] - a->last[c]) * (i32)(a->at >> 2) / (ONE >> 2));
            if (++made == OUT_FRAMES) {
                play(a, out, made);
                made = 0;
            }
        }
        a->at -= ONE;
        memcpy(a->last, next, sizeof(a->last));
    }
    play(a, out, made);
}

static bool sdl_close(void *dev)
{
    struct sdl_audio *a = dev;

    SDL_CloseAudioDevice(a->id);
    SDL_QuitSubSystem(SDL_INIT_AUDIO);
    free(a);
    return true;
}

/* Libraries below SDL have their own say about cards that are not there; ours is one sentence.
 * Returns where the standard error goes meanwhile; -1: it could not be turned away. */
static int errors_away(void)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int kept = null >= 0 ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3) : -1;

    if (kept >= 0)
        dup2(null, STDERR_FILENO);
    if (null >= 0)
        close(null);
    return kept;
}

static void errors_back(int kept)
{
    if (kept < 0)
        return;
    dup2(kept, STDERR_FILENO);
    close(kept);
}

enum status audio_sdl_open(void **dev, const struct audio_ops **ops, char error[AUDIO_ERROR_MAX])
{
    static const struct audio_ops sdl_ops = {NULL, sdl_put, sdl_close};
    SDL_AudioSpec want = {
        .freq = PC_SOUND_HZ, .format = AUDIO_S16SYS, .channels = 2, .samples = 512};
    struct sdl_audio *a = calloc(1, sizeof(*a));

    if (!a)
        return STATUS_NO_MEMORY;
    int kept = errors_away();
    if (SDL_InitSubSystem(SDL_INIT_AUDIO) == 0) {
        a->id = SDL_OpenAudioDevice(NULL, 0, &want, NULL, 0);
        if (!a->id)
            SDL_QuitSubSystem(SDL_INIT_AUDIO);
    }
    errors_back(kept);
    if (!a->id) {
        snprintf(error, AUDIO_ERROR_MAX, "no sound: %.200s", SDL_GetError());
        free(a);
        return STATUS_UNSUPPORTED;
    }
    SDL_PauseAudioDevice(a->id, 0);
    *dev = a;
    *ops = &sdl_ops;
    return STATUS_OK;
}
