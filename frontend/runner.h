/* SPDX-License-Identifier: MIT */
/* The run without a window: machine, terminal, signals, limits. */
#pragma once

#include "machine/config.h"

/** Build the machine and run it to its end. Returns the process' exit status. */
int runner_main(const struct config *cfg);
