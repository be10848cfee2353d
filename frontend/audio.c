/* SPDX-License-Identifier: MIT */
#include "frontend/audio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/audio_private.h"

struct audio {
    const struct audio_ops *ops;
    void *dev;
};

static enum status audio_open(struct audio *a, const char *spec, char error[AUDIO_ERROR_MAX])
{
    if (strcmp(spec, "sdl") == 0)
        return audio_sdl_open(&a->dev, &a->ops, error);
    if (strncmp(spec, "wav:", 4) == 0)
        return audio_wav_open(&a->dev, &a->ops, spec + 4, error);
    snprintf(error, AUDIO_ERROR_MAX, "-audio: '%.100s' is not none, sdl or wav:FILE", spec);
    return STATUS_BAD_VALUE;
}

bool audio_choose(struct audio **out, const struct config *cfg, bool window)
{
    bool asked = cfg->value[CONFIG_audio].set;
    const char *spec = asked ? config_text(cfg, CONFIG_audio) : window ? "sdl" : "none";
    char error[AUDIO_ERROR_MAX] = "out of memory";

    *out = NULL;
    if (strcmp(spec, "none") == 0)
        return true;
    struct audio *a = calloc(1, sizeof(*a));
    if (a && audio_open(a, spec, error) == STATUS_OK) {
        *out = a;
        return true;
    }
    free(a);
    fprintf(stderr, "turbo86: %s\n", error);
    return !asked; /* who did not ask for sound goes without */
}

bool audio_begin(struct audio *a)
{
    return !a || !a->ops->begin || a->ops->begin(a->dev);
}

void audio_put(void *audio, const i16 *frames, unsigned n)
{
    struct audio *a = audio;

    a->ops->put(a->dev, frames, n);
}

bool audio_close(struct audio *a)
{
    bool ok = true;

    if (a)
        ok = a->ops->close(a->dev);
    free(a);
    return ok;
}
