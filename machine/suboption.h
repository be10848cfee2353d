/* SPDX-License-Identifier: MIT */
/* Values made of parts: "file=a.img,index=1,readonly=on". A comma inside of a part is doubled. */
#pragma once

#include "base/types.h"

#define SUBOPTION_MAX 4096u

struct suboption {
    char key[32];              /* "" if the part has no '=' */
    char value[SUBOPTION_MAX]; /* the part's text if it has no key */
};

/** The part at *@p, and advance *@p behind it. False: no more parts, or one that is too long. */
bool suboption_next(const char **p, struct suboption *out);

/** "on", "off", and "" as on. False: neither. */
bool suboption_flag(const struct suboption *o, bool *out);

/** A number in C's notation, at most @max. */
bool suboption_number(const struct suboption *o, u64 max, u64 *out);
