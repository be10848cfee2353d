/* SPDX-License-Identifier: MIT */
/*
 * Keys by name (QEMU's names for `sendkey`) and by the character that a US keyboard has on them.
 * Codes are those of ps2kbd_key().
 */
#pragma once

#include "base/types.h"

/** The key called @name (@len characters, not ended by 0); 0: there is none. */
unsigned keymap_name(const char *name, size_t len);

/** The name of key @code, one of several perhaps; NULL: it has none. */
const char *keymap_name_of(unsigned code);

/** The key with @c on it, and whether Shift is needed; 0: no key has it. */
unsigned keymap_char(char c, bool *shift);

/**
 * Split "ctrl-alt-delete" into at most @max keys. Returns how many, 0 if a name is unknown or
 * there are too many.
 */
unsigned keymap_combination(const char *text, size_t len, unsigned *keys, unsigned max);
