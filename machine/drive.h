/* SPDX-License-Identifier: MIT */
/* Which images are on which IDE connector: -hda..-hdd and -drive, brought into one form. */
#pragma once

#include "machine/config.h"

#define DRIVE_COUNT     4u /* primary master, slave, secondary master, slave */
#define DRIVE_ERROR_MAX 400u

struct drive {
    bool present;
    bool readonly;
    bool snapshot;
    char path[4096];
};

/** Fill @drives from the configuration. False: @error holds one sentence. */
bool drive_parse(const struct config *cfg, struct drive drives[DRIVE_COUNT],
                 char error[DRIVE_ERROR_MAX]) MUST_CHECK;
