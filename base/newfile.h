/* SPDX-License-Identifier: MIT */
/*
 * A file that is there whole or not at all: it is written as PATH.partial, which takes its place at
 * the end, so that whoever is killed in between leaves the old one. What is no regular file (a
 * device, a pipe) is written as it is. A file that somebody has locked, as drives do, is refused,
 * one without permission to write it, and a pipe that nobody reads (EPIPE).
 */
#pragma once

#include <stdio.h>

#include "base/types.h"

#define NEWFILE_PATH_MAX 4200u

struct newfile {
    FILE *out; /* to be written to */
    bool beside;
    char path[NEWFILE_PATH_MAX], partial[NEWFILE_PATH_MAX];
};

/** Begin to write @path. False: errno says why not. */
bool newfile_open(struct newfile *f, const char *path) MUST_CHECK;

/** The end. @ok: everything was written; then the file takes its place. False: it does not, or that
 * failed, and errno says why; nothing else is left behind. */
bool newfile_close(struct newfile *f, bool ok) MUST_CHECK;
