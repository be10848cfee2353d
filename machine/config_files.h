/* SPDX-License-Identifier: MIT */
/* Which files the options name, and that none is read by one of them and written by another. */
#pragma once

#include "machine/config.h"

#define CONFIG_PATH_MAX 4200u

#define CONFIG_FILES_ERROR_MAX 300u

/** Whether the file @path, under this name or another, is read by no option but @but, and not by a
 * drive's, whose images are locked. Else @error. */
bool config_may_write(const struct config *c, const char *path, enum config_id but,
                      char error[CONFIG_FILES_ERROR_MAX]) MUST_CHECK;

/** False: an option would write over what another one reads; @c->error says which. */
bool config_check_files(struct config *c) MUST_CHECK;
