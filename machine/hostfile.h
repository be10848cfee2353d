/* SPDX-License-Identifier: MIT */
/* Whole files of the host: firmware, kernels, RAM disks. */
#pragma once

#include "base/status.h"
#include "base/types.h"

/**
 * Read all of @path, at most @max bytes. The caller frees *@out. STATUS_NO_FILE, STATUS_NOT_FILE,
 * STATUS_IO, STATUS_NO_MEMORY or STATUS_BAD_SIZE (it is larger) leave the outputs untouched.
 */
enum status hostfile_read(const char *path, size_t max, u8 **out, size_t *len) MUST_CHECK;

/** STATUS_NO_FILE (see errno) or, for a directory, a pipe or a terminal, STATUS_NOT_FILE. Opening
 * one of these could wait for ever. */
enum status hostfile_check(const char *path) MUST_CHECK;

/** Whether both paths lead to the same file. */
bool hostfile_same(const char *a, const char *b);

/** Whether @path is the image of a CD or DVD: a file system of ISO 9660 is on it. */
bool hostfile_is_iso(const char *path);

/** Whether @path is a file that can be opened for reading. */
bool hostfile_exists(const char *path);
