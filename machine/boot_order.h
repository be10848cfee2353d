/* SPDX-License-Identifier: MIT */
/* What -boot says: which devices the BIOS tries, in which order. */
#pragma once

#include "base/types.h"

#define BOOT_ORDER_MAX 5u /* four letters and the end */

/** Letters: a floppy, c disk, d CD-ROM, n network. */
struct boot_order {
    char order[BOOT_ORDER_MAX];
    char once[BOOT_ORDER_MAX]; /* for the first boot; "": as @order */
    bool menu;
};

/** ORDER, or order=ORDER,once=ORDER,menu=on|off; NULL is "cad". False: @text is none of these. */
bool boot_order_parse(const char *text, struct boot_order *out) MUST_CHECK;

/** CMOS bytes 38h (upper half) and 3Dh for an order; byte 38h keeps its lower half. */
void boot_order_cmos(const char *order, u8 *byte38, u8 *byte3d);
