/* SPDX-License-Identifier: MIT */
/* What a script tells: a failure, and the results of all steps as TAP and JUnit XML. */
#include <stdlib.h>
#include <string.h>

#include "base/newfile.h"
#include "frontend/png.h"
#include "frontend/script_private.h"
#include "machine/snapshot.h"

enum { TAIL_LINES = 20, PATH_SIZE = 4200 };

static void print_time(FILE *out, u64 ns)
{
    fprintf(out, "%llu.%03llu", (unsigned long long)(ns / 1000000000),
            (unsigned long long)(ns / 1000000 % 1000));
}

/* --- failures --- */

static void tell_state(FILE *out, struct script *s, struct pc *pc)
{
    const char *screen = script_screen(s, pc);

    if (*screen)
        fprintf(out, "--- screen\n%s", screen);
    else
        fprintf(out, "--- screen: no text; frame %016llx\n",
                (unsigned long long)script_frame_hash(pc));
    for (unsigned i = 0; i < SCRIPT_TAPES; i++) {
        const char *tail = tape_tail(&s->tape[i], TAIL_LINES);
        if (!*tail)
            continue;
        if (i == SCRIPT_DEBUG)
            fprintf(out, "--- debug port\n");
        else
            fprintf(out, "--- serial port %u\n", i + 1);
        fprintf(out, "%s%s", tail, tail[strlen(tail) - 1] == '\n' ? "" : "\n");
    }
    fprintf(out, "---\n");
}

static bool save_picture(struct pc *pc, const char *path)
{
    struct pc_frame f;

    if (pc_screen_frame(pc, &f) != STATUS_OK)
        return false;
    enum status s = png_save(path, f.pixels, f.width, f.height, f.width);
    free(f.pixels);
    return s == STATUS_OK;
}

static void save_artifacts(struct script *s, struct pc *pc, const struct step *st)
{
    const char *given = config_text(s->cfg, CONFIG_artifacts);
    char prefix[PATH_SIZE - 16], path[PATH_SIZE], error[PC_ERROR_MAX];

    if (given && strcmp(given, "none") == 0)
        return;
    snprintf(prefix, sizeof(prefix), "%s%s", given ? given : s->path, given ? "" : ".failed");
    snprintf(path, sizeof(path), "%s.png", prefix);
    if (save_picture(pc, path))
        fprintf(stderr, "saved %s\n", path);
    snprintf(path, sizeof(path), "%s.txt", prefix);
    FILE *f = fopen(path, "w");
    if (f) {
        fprintf(f, "%s:%u: %s: %s\n", s->path, st->line, st->source, s->reason);
        tell_state(f, s, pc);
        if (fclose(f) == 0)
            fprintf(stderr, "saved %s\n", path);
    }
    snprintf(path, sizeof(path), "%s.snapshot", prefix);
    if (pc_snapshot_save(pc, path, error) == STATUS_OK)
        fprintf(stderr, "saved %s\n", path);
    else
        fprintf(stderr, "%s\n", error);
}

void script_tell_failure(struct script *s, struct pc *pc, const struct step *st)
{
    fprintf(stderr, "turbo86: %s:%u: %s\nfailed at ", s->path, st->line, st->source);
    print_time(stderr, pc_time(pc));
    fprintf(stderr, " s of guest time: %s\n", s->reason);
    tell_state(stderr, s, pc);
    save_artifacts(s, pc, st);
}

/* --- results --- */

static void write_tap(const struct script *s, FILE *out)
{
    fprintf(out, "TAP version 13\n1..%u\n", s->count);
    for (unsigned i = 0; i < s->count; i++) {
        const struct step *st = &s->step[i];
        fprintf(out, "%s %u - %u: ", st->state == STEP_OK ? "ok" : "not ok", i + 1, st->line);
        for (const char *p = st->source; *p; p++)
            fputc(*p == '#' ? '.' : *p, out); /* # begins a directive */
        if (st->state == STEP_NOT_RUN) {
            fprintf(out, " # not run\n");
            continue;
        }
        fprintf(out, "\n  ---\n  guest_seconds: ");
        print_time(out, st->took);
        if (st->state == STEP_FAILED)
            fprintf(out, "\n  message: \"%s\"", s->reason);
        fprintf(out, "\n  ...\n");
    }
}

static void write_xml_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '<')
            fputs("&lt;", out);
        else if (c == '>')
            fputs("&gt;", out);
        else if (c == '&')
            fputs("&amp;", out);
        else if (c == '"')
            fputs("&quot;", out);
        else if (c >= ' ' || c == '\n' || c == '\t')
            fputc(c, out);
        else
            fputc('?', out);
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
