/* SPDX-License-Identifier: MIT */
#include "base/status.h"

const char *status_text(enum status s)
{
    static const char *const text[STATUS__COUNT] = {
#define STATUS(name, words) [STATUS_##name] = words,
#include "base/status.def"
#undef STATUS
    };
    return s < STATUS__COUNT ? text[s] : "unknown status";
}
