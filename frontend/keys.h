/* SPDX-License-Identifier: MIT */
/* What a terminal sends when keys are typed, as keys of a PC's keyboard (US layout). */
#pragma once

#include "base/types.h"

#define KEYS_QUEUE 256u

enum keys_modifier { KEYS_SHIFT = BIT(0), KEYS_ALT = BIT(1), KEYS_CTRL = BIT(2) };

/** A key that goes down and up again, with modifiers held. */
struct key_stroke {
    u16 key; /* make code of set 1, with E000h for those behind a prefix */
    u8 modifiers;
};

struct keys {
    struct key_stroke queue[KEYS_QUEUE];
    unsigned head, count;
    u8 sequence[16]; /* an escape sequence so far */
    unsigned len;
};

/** One byte from the terminal. Strokes are lost when the queue is full. */
void keys_input(struct keys *k, u8 byte);

/** Nothing came for a while: an ESC that waits for its sequence was the key. */
void keys_pause(struct keys *k);

/** Type @stroke. */
void keys_add(struct keys *k, struct key_stroke stroke);

/** The next stroke. False: there is none. */
bool keys_take(struct keys *k, struct key_stroke *out);
