/* SPDX-License-Identifier: MIT */
#include "machine/rtc_base.h"

#include <stdio.h>
#include <string.h>

#include "machine/suboption.h"

#define RTC_FIXED 1577836800u /* 2020-01-01 00:00:00 UTC */

/* Days from 1970-01-01 to a date of the Gregorian calendar, counted in years that begin in March.
 */
static i64 days_from_date(i64 year, unsigned month, unsigned day)
{
    i64 y = month <= 2 ? year - 1 : year;
    unsigned m = month <= 2 ? month + 9 : month - 3;

    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static bool parse_date(const char *text, u64 *out)
{
    static const u8 length[12] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned y, mo, d, h = 0, mi = 0, s = 0;
    int end = 0;

    if (sscanf(text, "%4u-%2u-%2u%n", &y, &mo, &d, &end) != 3)
        return false;
    if (text[end]) {
        int rest = 0;
        if (sscanf(text + end, "T%2u:%2u:%2u%n", &h, &mi, &s, &rest) != 3 || text[end + rest])
            return false;
    }
    if (y < 1970 || mo < 1 || mo > 12 || d < 1 || d > length[mo - 1] || h > 23 || mi > 59 || s > 59)
        return false;
    *out = (u64)days_from_date(y, mo, d) * 86400 + h * 3600u + mi * 60 + s;
    return true;
}

bool rtc_base_parse(const char *text, const struct rtc_host *host, u64 *out)
{
    u64 utc = host->fixed ? RTC_FIXED : host->wall_seconds;
    struct suboption o;

    *out = utc;
    while (text && *text) {
        if (!suboption_next(&text, &o))
            return false;
        if (strcmp(o.key, "base") != 0)
            return false;
        if (strcmp(o.value, "utc") == 0)
            *out = utc;
        else if (strcmp(o.value, "localtime") == 0)
            *out = host->fixed ? utc : utc + (u64)host->local_offset;
        else if (!parse_date(o.value, out))
            return false;
    }
    return true;
}
