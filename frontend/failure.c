/* SPDX-License-Identifier: MIT */
#include "frontend/failure.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/newfile.h"
#include "frontend/png.h"
#include "machine/snapshot.h"

enum { TAIL_LINES = 20, PATH_SIZE = 4300 };

char *failure_screen(struct pc *pc)
{
    struct pc_text *cells = malloc(sizeof(*cells));
    char *text = NULL;

    if (cells)
        text = pc_screen_cells(pc, cells) ? pc_screen_text(pc) : pc_screen_glyphs(pc);
    free(cells);
    return text;
}

u64 failure_picture_hash(const u32 *pixels, unsigned width, unsigned height)
{
    u64 h = (u64)width << 32 | height;

    for (unsigned y = 0; y < height; y++) { /* pixels as they are in memory: both hosts are LE */
        h = XXH64(pixels + (size_t)y * width, (size_t)width * sizeof(*pixels), h);
    }
    return h;
}

u64 failure_frame_hash(const struct pc *pc)
{
    struct pc_frame f;

    if (pc_screen_steady(pc, &f) != STATUS_OK)
        return 0;
    u64 h = failure_picture_hash(f.pixels, f.width, f.height);
    free(f.pixels);
    return h;
}

static void tell_screen(FILE *out, struct pc *pc)
{
    char *screen = failure_screen(pc);

    if (screen && *screen)
        fprintf(out, "--- screen\n%s", screen);
    else
        fprintf(out, "--- screen: no text; frame %016llx\n",
                (unsigned long long)failure_frame_hash(pc));
    free(screen);
}

void failure_tell(FILE *out, struct pc *pc, const struct tape *tape)
{
    tell_screen(out, pc);
    for (unsigned i = 0; i < TAPES; i++) {
        const char *tail = tape_tail(&tape[i], TAIL_LINES);
        if (!*tail)
            continue;
        if (i == TAPE_DEBUG)
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

static bool save_text(struct pc *pc, const struct tape *tape, const char *path,
                      const char *headline)
{
    struct newfile file;

    if (!newfile_open(&file, path))
        return false;
    fprintf(file.out, "%s\n", headline);
    failure_tell(file.out, pc, tape);
    return newfile_close(&file, true);
}

static void tell_saved(bool saved, const char *path)
{
    fprintf(stderr, saved ? "saved %s\n" : "'%s' could not be saved\n", path);
}

void failure_save(struct pc *pc, const struct tape *tape, const char *prefix, const char *headline)
{
    char path[PATH_SIZE], error[PC_ERROR_MAX];

    snprintf(path, sizeof(path), "%.4200s.png", prefix);
    tell_saved(save_picture(pc, path), path);
    snprintf(path, sizeof(path), "%.4200s.txt", prefix);
    tell_saved(save_text(pc, tape, path, headline), path);
    snprintf(path, sizeof(path), "%.4200s.snapshot", prefix);
    if (pc_snapshot_save(pc, path, error) == STATUS_OK)
        tell_saved(true, path);
    else
        fprintf(stderr, "%s\n", error);
}
