/* SPDX-License-Identifier: MIT */
/* What a script tells: a failure, and the results of all steps as TAP and JUnit XML. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/newfile.h"
#include "frontend/failure.h"
#include "frontend/script_private.h"

enum { PATH_SIZE = 4200 };

static void print_time(FILE *out, u64 ns)
{
    fprintf(out, "%llu.%03llu", (unsigned long long)(ns / 1000000000),
            (unsigned long long)(ns / 1000000 % 1000));
}

/* --- failures --- */

/* PREFIX-name: variants of folders lie in the one that was given, too. */
static void prefix_of_variant(char prefix[PATH_SIZE], const char *given, const char *path)
{
    snprintf(prefix, PATH_SIZE, "%.2000s-", given);
    for (size_t n = strlen(prefix); n + 1 < PATH_SIZE && *path; prefix[n] = 0)
        prefix[n++] = *path == '/' ? '_' : *path, path++;
}

static void tell(FILE *out, struct script *s, struct pc *pc, const struct step *st)
{
    fprintf(out, "turbo86: %s:%u: %s\nfailed at ", s->path, st->line, st->source);
    print_time(out, pc_time(pc));
    fprintf(out, " s of guest time: %s\n", s->reason);
    failure_tell(out, pc, s->tape);
}

/* In one piece: variants may fail at the same time. */
static void tell_whole(struct script *s, struct pc *pc, const struct step *st)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out) {
        tell(stderr, s, pc, st);
        return;
    }
    tell(out, s, pc, st);
    fclose(out);
    fwrite(text, 1, size, stderr);
    free(text);
}

void script_tell_failure(struct script *s, struct pc *pc, const struct step *st, bool save)
{
    const char *given = config_text(s->cfg, CONFIG_artifacts);
    char prefix[PATH_SIZE], headline[2 * PATH_SIZE];

    tell_whole(s, pc, st);
    if (!save || (given && strcmp(given, "none") == 0))
        return;
    if (given && s->variant)
        prefix_of_variant(prefix, given, s->path);
    else
        snprintf(prefix, sizeof(prefix), "%s%s", given ? given : s->path, given ? "" : ".failed");
    snprintf(headline, sizeof(headline), "%s:%u: %s: %s", s->path, st->line, st->source, s->reason);
    failure_save(pc, s->tape, prefix, headline);
}

/* --- results --- */

/* How many bytes at @p are a character of UTF-8 that XML takes, too; 0: none are. */
static unsigned character(const unsigned char *p)
{
    static const u32 least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned n = *p < 0x80 ? 1 : *p < 0xc0 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf8 ? 4 : 0;
    u32 c = n > 1 ? *p & (0x7fu >> n) : *p;

    for (unsigned i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3fu);
    }
    if (n == 1)
        return c >= ' ' && c != 0x7f;
    return n && c >= least[n] && c <= 0x10ffff && (c & ~0x7ffu) != 0xd800 && (c & ~1u) != 0xfffe
               ? n
               : 0;
}

/* @text with an escape for each character of @special, which are in the order of @escape. What is
 * no text is shown as U+FFFD. */
static void write_text(FILE *out, const char *text, const char *special, const char *const escape[])
{
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        const char *at = strchr(special, *p);
        unsigned n = character(p);
        if (at)
            fputs(escape[at - special], out);
        else if (n)
            fwrite(p, 1, n, out);
        else
            fputs("\xef\xbf\xbd", out);
        p += n ? n : 1;
    }
}

/* In a description # would begin a directive. */
static void write_description(FILE *out, const char *text)
{
    static const char *const escape[] = {"\\#", "\\\\", " "};

    write_text(out, text, "#\\\t", escape);
}

static void write_yaml(FILE *out, const char *text)
{
    static const char *const escape[] = {"\\\"", "\\\\", "\\n", "\\t"};

    fputc('"', out);
    write_text(out, text, "\"\\\n\t", escape);
    fputc('"', out);
}

static void write_xml_text(FILE *out, const char *text)
{
    static const char *const escape[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&#10;", "&#9;"};

    write_text(out, text, "<>&\"\n\t", escape);
}

static bool is_printed(const struct script *s, enum config_id id)
{
    const char *path = config_text(s->cfg, id);

    return path && strcmp(path, "-") == 0;
}

void script_say(const struct script *s, const char *fmt, ...)
{
    FILE *out = is_printed(s, CONFIG_junit) ? stderr : stdout; /* XML has no place for it */
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *text = n >= 0 ? malloc((size_t)n + 1) : NULL;
    if (!text)
        return;
    va_start(ap, fmt);
    vsnprintf(text, (size_t)n + 1, fmt, ap);
    va_end(ap);
    fprintf(out, "%s%s%s%s%s\n", is_printed(s, CONFIG_tap) ? "# " : "",
            s->variant ? "variant " : "", s->variant ? s->path : "", s->variant ? ": " : "", text);
    free(text);
}

static void write_tap_head(const struct script *s, FILE *out)
{
    fprintf(out, "TAP version 13\n1..%u\n", s->count);
}

void script_begin_results(const struct script *s)
{
    if (!is_printed(s, CONFIG_tap))
        return;
    write_tap_head(s, stdout);
    fflush(stdout); /* serial ports do not go through its buffer */
}

static void write_tap(const struct script *s, FILE *out)
{
    if (out != stdout)
        write_tap_head(s, out);
    for (unsigned i = 0; i < s->count; i++) {
        const struct step *st = &s->step[i];
        fprintf(out, "%s %u - %u: ", st->state == STEP_OK ? "ok" : "not ok", i + 1, st->line);
        write_description(out, st->source);
        if (st->state == STEP_NOT_RUN) {
            fprintf(out, " # not run\n");
            continue;
        }
        fprintf(out, "\n  ---\n  guest_seconds: ");
        print_time(out, st->took);
        if (st->state == STEP_FAILED) {
            fprintf(out, "\n  message: ");
            write_yaml(out, s->reason);
        }
        fprintf(out, "\n  ...\n");
    }
}

static void write_junit(const struct script *s, FILE *out)
{
    unsigned failed = 0, skipped = 0;

    for (unsigned i = 0; i < s->count; i++) {
        failed += s->step[i].state == STEP_FAILED;
        skipped += s->step[i].state == STEP_NOT_RUN;
    }
    fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"");
    write_xml_text(out, s->path);
    fprintf(out, "\" tests=\"%u\" failures=\"%u\" skipped=\"%u\">\n", s->count, failed, skipped);
    for (unsigned i = 0; i < s->count; i++) {
        const struct step *st = &s->step[i];
        fprintf(out, "  <testcase classname=\"");
        write_xml_text(out, s->path);
        fprintf(out, "\" name=\"%u: ", st->line);
        write_xml_text(out, st->source);
        fprintf(out, "\" time=\"");
        print_time(out, st->took);
        fprintf(out, "\">");
        if (st->state == STEP_FAILED) {
            fprintf(out, "<failure message=\"");
            write_xml_text(out, s->reason);
            fprintf(out, "\"/>");
        } else if (st->state == STEP_NOT_RUN) {
            fprintf(out, "<skipped/>");
        }
        fprintf(out, "</testcase>\n");
    }
    fprintf(out, "</testsuite>\n");
}

/* "-" is the standard output. */
static bool write_file(const struct script *s, enum config_id id,
                       void (*write)(const struct script *s, FILE *out))
{
    const char *path = config_text(s->cfg, id);
    struct newfile file;

    if (!path || !*path)
        return true;
    if (strcmp(path, "-") == 0) {
        write(s, stdout);
        return fflush(stdout) == 0;
    }
    if (newfile_open(&file, path)) {
        write(s, file.out);
        if (newfile_close(&file, true))
            return true;
    }
    fprintf(stderr, "turbo86: --%s: cannot write '%s'\n", config_name(id), path);
    return false;
}

bool script_write_results(const struct script *s)
{
    bool tap = write_file(s, CONFIG_tap, write_tap);

    return write_file(s, CONFIG_junit, write_junit) && tap;
}
