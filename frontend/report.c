/* SPDX-License-Identifier: MIT */
#include "frontend/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/outfile.h"
#include "frontend/exit_codes.h"
#include "frontend/png.h"

static bool save_screenshot(const struct pc *pc, const char *path)
{
    struct pc_frame f;
    enum status s = pc_screen_frame(pc, &f);

    errno = 0;
    if (s == STATUS_OK) {
        s = png_save(path, f.pixels, f.width, f.height, f.width);
        free(f.pixels);
    }
    if (s != STATUS_OK)
        fprintf(stderr, "turbo86: cannot write the screenshot '%s': %s\n", path, report_why(s));
    return s == STATUS_OK;
}

int report(const struct config *cfg, struct pc *pc, int status)
{
    const char *shot = config_text(cfg, CONFIG_screenshot);

    if (config_flag(cfg, CONFIG_print_screen)) {
        char *text = pc_screen_text(pc);
        if (text)
            fputs(text, stdout);
        free(text);
    }
    if (config_flag(cfg, CONFIG_stats)) {
        char text[4096];
        pc_dump_stats(pc, text, sizeof(text));
        fputs(text, stderr);
    }
    if (config_flag(cfg, CONFIG_state_hash))
        printf("state-hash %016llx\n", (unsigned long long)pc_state_hash(pc));
    if (shot && !save_screenshot(pc, shot))
        status = EXIT_CODE_HOST;
    if (fflush(stdout) != 0)
        status = EXIT_CODE_HOST;
    return status;
}

bool report_can_write(const char *path)
{
    char dir[4096];
    struct stat st;

    snprintf(dir, sizeof(dir), "%s", path);
    char *slash = strrchr(dir, '/');
    if (slash)
        slash[slash == dir] = 0;
    bool exists = stat(path, &st) == 0;
    if (exists && S_ISDIR(st.st_mode))
        errno = EISDIR;
    else if (!*path)
        errno = ENOENT;
    else if (!file_is_free(path))
        errno = EBUSY;
    else
        return access(exists ? path : slash ? dir : ".", exists ? W_OK : W_OK | X_OK) == 0;
    return false;
}

/* The file of option @id, with @suffix, can be written, or is the standard output or none. */
static bool check(const struct config *cfg, enum config_id id, const char *suffix)
{
    const char *given = config_text(cfg, id);
    char path[4200];

    if (!given || strcmp(given, "-") == 0 || (*suffix && strcmp(given, "none") == 0))
        return true;
    snprintf(path, sizeof(path), "%.4000s%s", given, suffix);
    if (report_can_write(path))
        return true;
    fprintf(stderr, "turbo86: --%s: cannot write '%s': %s\n", config_name(id), path,
            outfile_why(errno));
    return false;
}

const char *report_why(enum status s)
{
    bool host = errno && (s == STATUS_IO || s == STATUS_NO_FILE);

    return host ? outfile_why(errno) : status_text(s);
}

/* Both are "-". */
static bool is_mixed(const struct config *cfg)
{
    const char *tap = config_text(cfg, CONFIG_tap), *junit = config_text(cfg, CONFIG_junit);

    if (!tap || !junit || strcmp(tap, "-") != 0 || strcmp(junit, "-") != 0)
        return false;
    fprintf(stderr, "turbo86: --tap and --junit cannot both be the standard output\n");
    return true;
}

bool report_check(const struct config *cfg)
{
    if (is_mixed(cfg))
        return false;
    return check(cfg, CONFIG_screenshot, "") && check(cfg, CONFIG_record, "") &&
           check(cfg, CONFIG_tap, "") && check(cfg, CONFIG_junit, "") &&
           check(cfg, CONFIG_artifacts, ".txt");
}
