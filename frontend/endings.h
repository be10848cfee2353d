/* SPDX-License-Identifier: MIT */
/* How the machine can stop for good, in words and as an exit status. */
#pragma once

#include "machine/pc.h"

/** The exit status of a run that ended with @stop; tells how, unless that is what all expect. */
int ending_status(const struct pc *pc, enum pc_stop stop);

/** What the guest, or who else, did: a sentence without its dot. */
const char *ending_text(enum pc_stop stop);
