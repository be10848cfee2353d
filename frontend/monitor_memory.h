/* SPDX-License-Identifier: MIT */
/* The monitor's view of memory: x and xp. */
#pragma once

#include "machine/pc.h"

#define MEMORY_ERROR_MAX 200u

/**
 * What "/8xw 0x1000" asks for, as lines of text that the caller frees; what cannot be read, because
 * it is not there or a device's, ends them. NULL: @error tells why, a line.
 */
char *monitor_memory(struct pc *pc, const char *args, bool physical, char error[MEMORY_ERROR_MAX]);
