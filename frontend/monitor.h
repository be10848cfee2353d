/* SPDX-License-Identifier: MIT */
/* The monitor behind Ctrl-a c: a line at a time, on the terminal of the first serial port. */
#pragma once

#include "base/types.h"
#include "frontend/chardev.h"
#include "machine/pc.h"

struct monitor {
    char line[1024];
    unsigned len;
};

/** Greet and show the prompt. */
void monitor_start(struct monitor *m, struct chardev *out);

/** One typed byte. True: the user wants to end the run. */
bool monitor_input(struct monitor *m, struct chardev *out, struct pc *pc, u8 byte);

/** Write @text with the line ends that a raw terminal needs. */
void monitor_print(struct chardev *out, const char *text);

/** Execute one line. True: the run is to end. */
bool monitor_command(const char *line, struct chardev *out, struct pc *pc) MUST_CHECK;
