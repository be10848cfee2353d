/* SPDX-License-Identifier: MIT */
/* The monitor: a line at a time, on the terminal behind Ctrl-a c, at a socket, or in the window. */
#pragma once

#include "base/types.h"
#include "frontend/chardev.h"
#include "machine/pc.h"

struct monitor {
    char line[1024];
    unsigned len;
};

/** Greet and show the prompt. @back: the keys that go back to the guest. */
void monitor_start(struct monitor *m, struct chardev *out, const char *back);

/** One typed byte. True: the user wants to end the run. */
bool monitor_input(struct monitor *m, struct chardev *out, struct pc *pc, u8 byte);

/** Write @text with the line ends that a raw terminal needs. */
void monitor_print(struct chardev *out, const char *text);

/** Execute one line. True: the run is to end. */
bool monitor_command(const char *line, struct chardev *out, struct pc *pc) MUST_CHECK;
