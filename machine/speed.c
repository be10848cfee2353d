/* SPDX-License-Identifier: MIT */
#include "machine/speed.h"

#include <stdlib.h>
#include <string.h>

enum { MIPS_MAX = 100000 };

const char speed_names[] =
    "max, 8086, 286, 386, 486, 486dx2-66, pentium-133 or a number like 25mips";

/* Instructions a second in code of the time: clock divided by what an instruction took. */
static const struct {
    const char *name;
    u64 per_second;
} pcs[] = {
    {"max", 0},
    {"8086", 330000},           /* 4.77 MHz, 14 clocks */
    {"286", 2600000},           /* 12 MHz, 4.6 */
    {"386", 7300000},           /* 33 MHz, 4.5 */
    {"486", 16500000},          /* 33 MHz, 2 */
    {"486dx2-66", 33000000},    /* 66 MHz, 2 */
    {"pentium-133", 133000000}, /* 133 MHz, 1 */
};

bool speed_parse(const char *text, u64 *per_second)
{
    char *end;

    for (unsigned i = 0; i < ARRAY_LEN(pcs); i++) {
        if (strcmp(text, pcs[i].name) == 0) {
            *per_second = pcs[i].per_second;
            return true;
        }
    }
    unsigned long n = strtoul(text, &end, 10);
    if (end == text || strcmp(end, "mips") != 0 || n == 0 || n > MIPS_MAX || *text == '-')
        return false;
    *per_second = n * 1000000ull;
    return true;
}
