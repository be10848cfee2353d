/* SPDX-License-Identifier: MIT */
#include "base/types.h"

extern int cpu_placeholder;
int cpu_placeholder;
