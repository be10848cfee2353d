/* SPDX-License-Identifier: MIT */
/*
 * After start-up the process gives up what a run does not need, so that a guest which found a way
 * into it would not be let further: other programs, other files, other sockets. What the kernel
 * does not offer is left out.
 */
#pragma once

#include "machine/config.h"

struct script;

/**
 * --sandbox: everything that is to be open from the start is. @window: the run has one, which needs
 * more than can be told. False: told.
 */
bool sandbox_start(const struct config *cfg, const struct script *script, bool window) MUST_CHECK;

/** What a file may be wanted for. */
enum sandbox_use {
    SANDBOX_READ,   /* a file, or all in a folder */
    SANDBOX_CHANGE, /* the same, and writing to what exists */
    SANDBOX_OUTPUT, /* a file that may be made, replaced and removed: so may its neighbours */
};

/** What is in force. */
enum { SANDBOX_FILES = 1, SANDBOX_CALLS = 2 };

struct sandbox {
    int files; /* the kernel's list of files; -1: none */
    u64 rights;
};

/** Begin with no files. */
void sandbox_begin(struct sandbox *b);
/** Allow @path, a file or a folder; what does not exist is left out. */
void sandbox_allow(struct sandbox *b, enum sandbox_use use, const char *path);
/** From now on, for this process and its children. @sockets: they may be opened. */
unsigned sandbox_enter(struct sandbox *b, bool sockets) MUST_CHECK;
