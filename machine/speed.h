/* SPDX-License-Identifier: MIT */
/* --speed: how many instructions a second the machine runs at most. */
#pragma once

#include "base/types.h"

/**
 * "max", the name of a PC of its time, or a number with "mips" behind it, as instructions a second;
 * 0: no limit. False: it is none of these.
 */
bool speed_parse(const char *text, u64 *per_second) MUST_CHECK;

/** The names, for the sentence that refuses others. */
extern const char speed_names[];
