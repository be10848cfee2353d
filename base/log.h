/* SPDX-License-Identifier: MIT */
/*
 * Logging. A message has a category (who) and a level (how much it matters). The thresholds and
 * the stream are the only mutable globals of the program: they change what is told, never what
 * happens.
 */
#pragma once

#include "base/status.h"
#include "base/types.h"

enum log_category {
#define LOG_CATEGORY(id, name, help) LOG_##id,
#include "base/log.def"
#undef LOG_CATEGORY
    LOG__COUNT
};

enum log_level {
    LOG_ERROR, /* the host failed us: a file, memory, a window          */
    LOG_INFO,  /* once per run                                          */
    LOG_GUEST, /* the guest did what the manual leaves undefined        */
    LOG_TODO,  /* the guest is right and we do not implement it yet     */
    LOG_TRACE, /* once per event                                        */
};

extern u8 log_threshold[LOG__COUNT];

void log_write(enum log_category cat, enum log_level level, const char *fmt, ...) PRINTF_LIKE(3, 4);

/** Send messages to @path; a regular file keeps what it holds until log_begin(), and messages wait
 * for that. STATUS_NO_FILE leaves the stream as it was, and errno says why. */
enum status log_open(const char *path) MUST_CHECK;

/** The machine is there: empty the file, if there is one, and write what waits. False: told. */
bool log_begin(void) MUST_CHECK;

/** Send messages to stderr again, and what still waits with them. */
void log_close(void);

/** Raise the threshold of the category called @name (or of "all") to LOG_TRACE. */
enum status log_enable(const char *name) MUST_CHECK;

/** The option name and the help of a category. */
const char *log_category_name(enum log_category cat);
const char *log_category_help(enum log_category cat);

#define log_on(level, cat) UNLIKELY((level) <= log_threshold[LOG_##cat])
#define log_at(level, cat, ...)                                                                    \
    do {                                                                                           \
        if (log_on(level, cat))                                                                    \
            log_write(LOG_##cat, level, __VA_ARGS__);                                              \
    } while (0)

#define log_error(cat, ...) log_at(LOG_ERROR, cat, __VA_ARGS__)
#define log_guest(cat, ...) log_at(LOG_GUEST, cat, __VA_ARGS__)
#define log_todo(cat, ...)  log_at(LOG_TODO, cat, __VA_ARGS__)
#define log_info(cat, ...)  log_at(LOG_INFO, cat, __VA_ARGS__)
#define log_trace(cat, ...) log_at(LOG_TRACE, cat, __VA_ARGS__)
