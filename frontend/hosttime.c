/* SPDX-License-Identifier: MIT */
#include "frontend/hosttime.h"

#include <time.h>

u64 host_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

void host_time_of_day(struct pc_host *host)
{
    time_t now = time(NULL);
    struct tm local, utc;

    host->wall_seconds = (u64)now;
    if (localtime_r(&now, &local) && gmtime_r(&now, &utc)) {
        utc.tm_isdst = local.tm_isdst;
        host->local_offset = (i64)(now - mktime(&utc));
    }
}
