/* SPDX-License-Identifier: MIT */
/* What the options ask to be told at the end of a run. */
#pragma once

#include "machine/pc.h"

/** Whether the file @path can be written, as far as one can see without writing; else errno. */
bool report_can_write(const char *path);

/** Why a file was not written, as of @s and errno, which was 0 before. */
const char *report_why(enum status s);

/** A run can take hours: what would fail at its end is told before. False: it would. */
bool report_check(const struct config *cfg);

/** Tell it. The terminal is in its normal state again. Returns the exit status. */
int report(const struct config *cfg, struct pc *pc, int status);
