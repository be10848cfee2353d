/* SPDX-License-Identifier: MIT */
/* The PC speaker: what port 61h lets through of OUT 2, made audible. No registers, no state. */
#pragma once

#include "base/status.h"
#include "devices/i8254.h"
#include "devices/sound.h"

struct speaker;

struct speaker_desc {
    struct clock *clk;
    struct i8254 *pit;   /* not owned; its desc.sound is speaker_sync() */
    struct sound *sound; /* not owned */
};

enum status speaker_create(struct speaker **out, const struct speaker_desc *desc) MUST_CHECK;
void speaker_destroy(struct speaker *sp);

/** Port 61h lets OUT 2 through, or not; fits struct line. */
void speaker_set(void *speaker, unsigned pin, bool level);
/** Counter 2 is about to change: hear it up to now; fits struct line. */
void speaker_sync(void *speaker, unsigned pin, bool level);
