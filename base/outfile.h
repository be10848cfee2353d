/* SPDX-License-Identifier: MIT */
/*
 * A file that is written while the machine runs. It is opened and locked before the machine is
 * built, so that what cannot be written is told, and a disk image refused, while nothing has been
 * changed: what the file held goes when the machine begins.
 */
#pragma once

#include "base/types.h"

struct outfile {
    int fd;
    bool created, begun, regular;
    char *path; /* owned */
};

/**
 * Lock the open file @fd (not the process: two machines in one exclude each other) for readers, or
 * with @exclusive for one writer. False: others have it. File systems without locks: true.
 */
bool file_lock(int fd, bool exclusive) MUST_CHECK;

/** Whether nobody has a lock on the file @path: no drive's image, here or elsewhere. One that is
 * not there, or no regular file, is free. */
bool file_is_free(const char *path);

/** False: errno says why not (EBUSY: locked; EPIPE: a pipe that nobody reads). What is no regular
 * file (a device, a pipe) is neither locked nor emptied. */
bool outfile_open(struct outfile *f, const char *path) MUST_CHECK;

/** Empty it: the machine is there. */
bool outfile_begin(struct outfile *f) MUST_CHECK;

/** Close it unless @fd is -1. One that has not begun is as it was before, or is not. */
void outfile_close(struct outfile *f);

/** Why a file cannot be written, by errno as these functions and newfile_open() leave it. */
const char *outfile_why(int error);
