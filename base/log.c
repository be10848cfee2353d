/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* open_memstream */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/outfile.h"

u8 log_threshold[LOG__COUNT] = {
#define LOG_CATEGORY(id, name, help) [LOG_##id] = LOG_INFO,
#include "base/log.def"
#undef LOG_CATEGORY
};

static FILE *log_stream; /* NULL: stderr */
static struct outfile log_file = {.fd = -1};

/* What is said before @log_file begins, which is what @log_stream is until then. */
static char *log_early;
static size_t log_early_size;

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
    struct outfile file;

    if (!outfile_open(&file, path))
        return STATUS_NO_FILE;
    log_close();
    log_file = file;
    log_stream = open_memstream(&log_early, &log_early_size);
    if (log_stream && (file.regular || log_begin()))
        return STATUS_OK;
    log_close();
    return STATUS_NO_FILE;
}

/* -> @log_early as a file gets it; the memory stream is gone. */
static void end_early(FILE *out)
{
    fclose(log_stream);
    fwrite(log_early, 1, log_early_size, out);
    free(log_early);
    log_early = NULL;
    log_stream = NULL;
}

bool log_begin(void)
{
    FILE *f;

    if (log_file.fd < 0 || log_file.begun)
        return true;
    if (!outfile_begin(&log_file) || !(f = fdopen(log_file.fd, "w"))) {
        fprintf(stderr, "turbo86: -D: cannot write '%s': %s\n", log_file.path,
                outfile_why(errno));
        return false;
    }
    end_early(f);
    log_stream = f;
    return true;
}

void log_close(void)
{
    if (log_early) {
        end_early(stderr);
    } else if (log_stream) {
        fclose(log_stream);
        log_file.fd = -1;
    }
    log_stream = NULL;
    outfile_close(&log_file);
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
