/* SPDX-License-Identifier: MIT */
/* What is told and saved when a run ends in failure: what the guest showed and said last. */
#pragma once

#include <stdio.h>

#include "frontend/tape.h"

/** The text on the screen, in graphics modes as well; free() it. NULL: there is none. */
char *failure_screen(struct pc *pc);
/** The hash of a picture, and of what the screen shows; 0: it shows nothing. */
u64 failure_picture_hash(const u32 *pixels, unsigned width, unsigned height);
u64 failure_frame_hash(const struct pc *pc);

/** Tell the screen and the last lines of each of the TAPES of @tape. */
void failure_tell(FILE *out, struct pc *pc, const struct tape *tape);

/**
 * Save the picture as @prefix.png, @headline and what failure_tell() says as @prefix.txt, and the
 * machine as @prefix.snapshot. What was saved, and what could not be, is told.
 */
void failure_save(struct pc *pc, const struct tape *tape, const char *prefix, const char *headline);
