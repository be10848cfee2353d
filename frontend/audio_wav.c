/* SPDX-License-Identifier: MIT */
/* A RIFF WAVE file of 16-bit stereo PCM [WAVE]. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bits.h"
#include "base/outfile.h"
#include "frontend/audio_private.h"
#include "machine/pc.h"

enum { HEADER = 44, FRAME = 4, WRITE_FRAMES = 256 };

#define DATA_MAX (UINT32_MAX - HEADER)

struct wav {
    struct outfile out;
    FILE *file; /* NULL: not begun */
    char path[256];
    u32 bytes; /* of frames */
    bool failed, full;
};

static void make_header(u8 h[HEADER], u32 bytes)
{
    memcpy(h, "RIFF....WAVEfmt ", 16);
    store32(h + 4, bytes + HEADER - 8);
    store32(h + 16, 16); /* of the format */
    store16(h + 20, 1);  /* PCM */
    store16(h + 22, 2);
    store32(h + 24, PC_SOUND_HZ);
    store32(h + 28, PC_SOUND_HZ * FRAME);
    store16(h + 32, FRAME);
    store16(h + 34, 16);
    memcpy(h + 36, "data", 4);
    store32(h + 40, bytes);
}

static void wav_put(void *dev, const i16 *frames, unsigned n)
{
    struct wav *w = dev;

    while (w->file && n && w->bytes < DATA_MAX - WRITE_FRAMES * FRAME) {
        u8 bytes[WRITE_FRAMES * FRAME];
        unsigned part = n < WRITE_FRAMES ? n : WRITE_FRAMES;
        for (unsigned i = 0; i < 2 * part; i++)
            store16(bytes + 2 * i, (u16)frames[i]);
        w->failed = fwrite(bytes, FRAME, part, w->file) != part || w->failed;
        w->bytes += part * FRAME;
        frames += 2 * part;
        n -= part;
    }
    if (w->file && n && !w->full) {
        w->full = true;
        fprintf(stderr, "turbo86: -audio: '%s' is full: a wave file ends at 4 GiB\n", w->path);
    }
}

static bool wav_begin(void *dev)
{
    struct wav *w = dev;
    u8 h[HEADER];

    w->file = outfile_begin(&w->out) ? fdopen(w->out.fd, "wb") : NULL;
    if (!w->file) {
        fprintf(stderr, "turbo86: -audio: cannot write '%s': %s\n", w->path, outfile_why(errno));
        return false;
    }
    make_header(h, 0);
    w->failed = fwrite(h, HEADER, 1, w->file) != 1;
    return true;
}

static bool finish(struct wav *w)
{
    u8 h[HEADER];

    make_header(h, w->bytes);
    bool ok = fseek(w->file, 0, SEEK_SET) == 0 && fwrite(h, HEADER, 1, w->file) == 1;
    ok = fclose(w->file) == 0 && ok && !w->failed;
    w->out.fd = -1;
    if (!ok)
        fprintf(stderr, "turbo86: -audio: '%s' could not be written to its end\n", w->path);
    return ok;
}

static bool wav_close(void *dev)
{
    struct wav *w = dev;
    bool ok = !w->file || finish(w);

    outfile_close(&w->out);
    free(w);
    return ok;
}

/* Its length is in front, and known at the end. */
static bool can_go_back(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0 || !S_ISFIFO(st.st_mode))
        return true;
    errno = ESPIPE;
    return false;
}

enum status audio_wav_open(void **dev, const struct audio_ops **ops, const char *path,
                           char error[AUDIO_ERROR_MAX])
{
    static const struct audio_ops wav_ops = {wav_begin, wav_put, wav_close};
    struct wav *w = calloc(1, sizeof(*w));

    if (!w)
        return STATUS_NO_MEMORY;
    snprintf(w->path, sizeof(w->path), "%s", path);
    if (!can_go_back(path) || !outfile_open(&w->out, path)) {
        snprintf(error, AUDIO_ERROR_MAX, "-audio: cannot write '%.200s': %s", path,
                 errno == ESPIPE ? "a wave file cannot be a pipe" : outfile_why(errno));
        free(w);
        return STATUS_IO;
    }
    *dev = w;
    *ops = &wav_ops;
    return STATUS_OK;
}
