/* SPDX-License-Identifier: MIT */
/* How the machine can stop for good, in words and as an exit status. */
#pragma once

#include "frontend/tape.h"
#include "machine/pc.h"

/** The exit status of a run that ended with @stop; tells how, unless that is what all expect. */
int ending_status(const struct pc *pc, enum pc_stop stop);

/** What the guest, or who else, did: a sentence without its dot. */
const char *ending_text(enum pc_stop stop);

/**
 * A run without a script has ended with @status: if that says that it has failed, tell what the
 * guest showed and said last on @tape, and save it where --artifacts says.
 */
void ending_tell(const struct config *cfg, struct pc *pc, const struct tape *tape, int status);
