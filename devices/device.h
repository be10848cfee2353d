/* SPDX-License-Identifier: MIT */
/*
 * What every chip shows to the board beside its own create function: how to reset and destroy it,
 * and the table of its guest-visible state. A chip's header exports one of these.
 */
#pragma once

#include "base/fields.h"
#include "base/types.h"

struct device_class {
    const char *name;           /* as in snapshots and the monitor: "i8259" */
    u32 version;                /* of the field table; raise it when the table changes */
    const struct field *fields; /* all guest-visible state; never pointers or host values */
    void (*reset)(void *dev);   /* the RESET# pin: as after power-on (RAM-like contents stay) */
    void (*loaded)(void *dev);  /* after a load: rebuild what is derived, drive lines; or NULL */
    void (*destroy)(void *dev); /* free; NULL is accepted as @dev */
};
