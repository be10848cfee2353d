/* SPDX-License-Identifier: MIT */
/* Private to frontend/audio.c and the devices behind it. */
#pragma once

#include "frontend/audio.h"

/** One way to be heard. */
struct audio_ops {
    bool (*begin)(void *dev); /* the machine is there; false: told. NULL: nothing to do */
    void (*put)(void *dev, const i16 *frames, unsigned n);
    bool (*close)(void *dev); /* false: told */
};

/** The host's loudspeakers. On failure *@dev is untouched and @error holds one sentence. */
enum status audio_sdl_open(void **dev, const struct audio_ops **ops,
                           char error[AUDIO_ERROR_MAX]) MUST_CHECK;
/** A new file @path. The same. */
enum status audio_wav_open(void **dev, const struct audio_ops **ops, const char *path,
                           char error[AUDIO_ERROR_MAX]) MUST_CHECK;
