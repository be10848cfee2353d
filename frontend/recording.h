/* SPDX-License-Identifier: MIT */
/* --record and --replay: what a run does about them at its beginning and at its end. */
#pragma once

#include "machine/pc.h"

/** False: told why @cfg's recording cannot be made or replayed. */
bool recording_begin(const struct config *cfg, struct pc *pc) MUST_CHECK;

/** Write what was recorded. @status, or another if that fails. */
int recording_end(const struct config *cfg, struct pc *pc, int status) MUST_CHECK;
