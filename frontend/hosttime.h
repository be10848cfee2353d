/* SPDX-License-Identifier: MIT */
/* The host's clocks. */
#pragma once

#include "machine/pc.h"

/** Monotonic, in ns. */
u64 host_now(void);
/** Fill in what @host says about the time of day. */
void host_time_of_day(struct pc_host *host);
