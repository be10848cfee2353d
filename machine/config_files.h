/* SPDX-License-Identifier: MIT */
/* Which files the options name, and that none is read by one of them and written by another. */
#pragma once

#include "machine/config.h"

#define CONFIG_PATH_MAX 4200u

/** Whether an option other than a drive's reads the file @path, under this name or another; which
 * one. */
bool config_reads(const struct config *c, const char *path, enum config_id *id);

/** False: an option would write over what another one reads; @c->error says which. */
bool config_check_files(struct config *c) MUST_CHECK;
