/* SPDX-License-Identifier: MIT */
#include "machine/boot_order.h"

#include <stdio.h>
#include <string.h>

#include "machine/suboption.h"

#define LETTERS "acdn" /* in the order of their CMOS codes, from 1 */

/* Letters that exist, each once. */
static bool take_order(const char *text, char to[BOOT_ORDER_MAX])
{
    size_t n = strlen(text);

    if (n == 0 || n >= BOOT_ORDER_MAX || strspn(text, LETTERS) != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (strchr(text + i + 1, text[i]))
            return false;
    }
    memcpy(to, text, n + 1);
    return true;
}

bool boot_order_parse(const char *text, struct boot_order *b)
{
    struct suboption o;
    bool ok = !text || *text;

    *b = (struct boot_order){.order = "cad"};
    for (const char *p = text ? text : ""; ok && *p;) {
        ok = suboption_next(&p, &o);
        if (ok && (!*o.key || strcmp(o.key, "order") == 0))
            ok = take_order(o.value, b->order);
        else if (ok && strcmp(o.key, "once") == 0)
            ok = take_order(o.value, b->once);
        else if (ok)
            ok = strcmp(o.key, "menu") == 0 && suboption_flag(&o, &b->menu);
    }
    return ok;
}

void boot_order_cmos(const char *order, u8 *byte38, u8 *byte3d)
{
    u8 code[3] = {0};

    for (unsigned i = 0; i < 3 && order[i]; i++)
        code[i] = (u8)(strchr(LETTERS, order[i]) - LETTERS + 1);
    *byte38 = (u8)((*byte38 & 0x0f) | code[2] << 4);
    *byte3d = (u8)(code[1] << 4 | code[0]);
}
