/* SPDX-License-Identifier: MIT */
/* Screenshots. */
#pragma once

#include "base/status.h"
#include "base/types.h"

/** Write @width x @height pixels 00RRGGBB, rows @stride pixels apart, to @path:
 * whole, or not at all (base/newfile.h). */
enum status png_save(const char *path, const u32 *pixels, unsigned width, unsigned height,
                     unsigned stride) MUST_CHECK;

/** Read @path as the same; the caller frees *@pixels. Errors leave the outputs untouched. */
enum status png_load(const char *path, u32 **pixels, unsigned *width, unsigned *height) MUST_CHECK;
