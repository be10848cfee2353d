/* SPDX-License-Identifier: MIT */
/*
 * Where the bytes of a serial port go on the host. Nothing here waits, except a file on a disk.
 * What the other end does not take yet is kept; it is dropped only where nobody listens.
 */
#pragma once

#include <poll.h>

#include "base/status.h"
#include "base/types.h"

struct chardev;

#define CHARDEV_ERROR_MAX 300u

/** Open "stdio", "mon:stdio", "null", "file:PATH", "pty", "tcp:HOST:PORT[,server]",
 *  "unix:PATH,server" or "memory". On failure @error holds one sentence. */
enum status chardev_open(struct chardev **out, const char *spec,
                         char error[CHARDEV_ERROR_MAX]) MUST_CHECK;

/** The machine is there: "file:PATH" loses what it held before. False: told. NULL is accepted. */
bool chardev_begin(struct chardev *c) MUST_CHECK;

/** Restore the terminal, close; what chardev_flush() left is dropped. NULL is accepted. */
void chardev_close(struct chardev *c);

/** Up to @n bytes that are there now; 0 if there are none. */
size_t chardev_read(struct chardev *c, u8 *to, size_t n);

/** Write, or keep what is not taken now. The caller stops the guest until it is: chardev_flush().
 */
void chardev_write(struct chardev *c, const u8 *bytes, size_t n);

/** Try to write what was kept. True: nothing is left. */
bool chardev_flush(struct chardev *c);

/** What to wait for before the next chardev_flush(); false if nothing is kept. */
bool chardev_poll_output(const struct chardev *c, struct pollfd *p);

/** What to wait for: false if nothing can arrive. Also lets a server accept its client. */
bool chardev_poll(struct chardev *c, struct pollfd *p);

/** What was written to "memory", as text. */
const char *chardev_memory(struct chardev *c);

/** Of a server: which client is there, counted from 1; 0: none. */
unsigned chardev_client(const struct chardev *c);

/** No input can come any more. */
bool chardev_ended(const struct chardev *c);

/** Whether it is the terminal: only that one has Ctrl-a commands. */
bool chardev_is_stdio(const struct chardev *c);

/** Whether its input is typed: it cannot be made to wait, and is lost when nothing takes it. */
bool chardev_is_keyboard(const struct chardev *c);

/** The backends, one a line, for "-serial help". */
extern const char chardev_help[];

/** What Ctrl-a does on the terminal. */
extern const char chardev_keys_help[];
