/* SPDX-License-Identifier: MIT */
/* What the guest has said through a port, as text. */
#pragma once

#include <stddef.h>

#include "base/types.h"
#include "machine/pc.h"

/** Ports that say something: the serial ports, and then the debug port. */
#define TAPE_DEBUG PC_SERIALS
#define TAPES      (PC_SERIALS + 1)

struct tape {
    char *text; /* owned, ended by 0; without CR and NUL; NULL: nothing yet */
    size_t len, room;
    size_t cursor;  /* behind the last match of a wait        */
    size_t checked; /* by rejects: the begin of a line or more */
};

/** Append @byte. A tape that gets too long forgets its begin. */
void tape_put(struct tape *t, u8 byte);
/** The last @lines lines. */
const char *tape_tail(const struct tape *t, unsigned lines);
void tape_free(struct tape *t);
