/* SPDX-License-Identifier: MIT */
/* -rtc base=...: what the clock chip shows at guest time 0. */
#pragma once

#include "base/types.h"

/** Where a base of "utc" and "localtime" comes from. */
struct rtc_host {
    u64 wall_seconds; /* since 1970, UTC */
    i64 local_offset;
    bool fixed; /* deterministic: a constant instead of the host's time */
};

/**
 * Seconds since 1970 that the calendar shall show. @text: NULL or "", or "base=utc",
 * "base=localtime", "base=2006-06-17T16:01:21", "base=2006-06-17". False: it is none of these.
 */
bool rtc_base_parse(const char *text, const struct rtc_host *host, u64 *out);
