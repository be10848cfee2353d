/* SPDX-License-Identifier: MIT */
/* What the options ask to be told at the end of a run. */
#pragma once

#include "machine/pc.h"

/** A run can take hours: what would fail at its end is told before. False: it would. */
bool report_check(const struct config *cfg);

/** Tell it. The terminal is in its normal state again. Returns the exit status. */
int report(const struct config *cfg, struct pc *pc, int status);
