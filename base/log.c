/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

u8 log_threshold[LOG__COUNT] = {
#define LOG_CATEGORY(id, name, help) [LOG_##id] = LOG_INFO,
#include "base/log.def"
#undef LOG_CATEGORY
};

static FILE *log_stream; /* NULL: stderr */

static const struct {
    const char *name, *help;
} category[LOG__COUNT] = {
#define LOG_CATEGORY(id, name, help) [LOG_##id] = {name, help},
#include "base/log.def"
#undef LOG_CATEGORY
};

const char *log_category_name(enum log_category cat)
{
    return category[cat].name;
}

const char *log_category_help(enum log_category cat)
{
    return category[cat].help;
}

enum status log_open(const char *path)
{
    FILE *f = fopen(path, "w");

    if (!f)
        return STATUS_NO_FILE;
    if (log_stream)
        fclose(log_stream);
    log_stream = f;
    return STATUS_OK;
}

enum status log_enable(const char *name)
{
    enum status s = STATUS_NOT_FOUND;

    for (unsigned i = 0; i < LOG__COUNT; i++) {
        if (strcmp(name, "all") == 0 || strcmp(name, category[i].name) == 0) {
            log_threshold[i] = LOG_TRACE;
            s = STATUS_OK;
        }
    }
    return s;
}

void log_write(enum log_category cat, enum log_level level, const char *fmt, ...)
{
    static const char *const level_text[] = {"error: ", "", "guest: ", "todo: ", ""};
    FILE *out = log_stream ? log_stream : stderr;
    va_list ap;

    if (level == LOG_ERROR || level == LOG_INFO)
        fprintf(out, "turbo86: %s", level_text[level]);
    else
        fprintf(out, "%s: %s", category[cat].name, level_text[level]);
    va_start(ap, fmt);
    vfprintf(out, fmt, ap);
    va_end(ap);
    fputc('\n', out);
}
