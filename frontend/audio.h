/* SPDX-License-Identifier: MIT */
/* Where the sound goes: -audio none, wav:FILE, or the host's loudspeakers (sdl). */
#pragma once

#include "base/status.h"
#include "machine/config.h"

#define AUDIO_ERROR_MAX 300u

struct audio;

/**
 * What @cfg asks for; *@out is NULL if nobody is to listen. False: it could not be had although it
 * was asked for, and what is wrong was told. @window: there is one, and so sound by default.
 */
bool audio_choose(struct audio **out, const struct config *cfg, bool window) MUST_CHECK;

/** The machine is there. False: the file cannot be written, and that was told. NULL: true. */
bool audio_begin(struct audio *a) MUST_CHECK;

/** Frames of the guest, 16 bits left and right, SOUND_HZ a second; fits struct pc_sound. */
void audio_put(void *audio, const i16 *frames, unsigned n);

/** Finish the file, close the device. False: the file is not whole, and that was told. NULL: true.
 */
bool audio_close(struct audio *a);
