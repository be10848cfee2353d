/* SPDX-License-Identifier: MIT */
#include "frontend/png.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/newfile.h"

enum status png_save(const char *path, const u32 *pixels, unsigned width, unsigned height,
                     unsigned stride)
{
    struct newfile file;
    png_image image;
    u8 *rgb = malloc((size_t)width * height * 3 + 1);

    if (!rgb)
        return STATUS_NO_MEMORY;
    for (unsigned y = 0; y < height; y++) {
        for (unsigned x = 0; x < width; x++) {
            u32 v = pixels[(size_t)y * stride + x];
            u8 *p = rgb + ((size_t)y * width + x) * 3;
            p[0] = (u8)(v >> 16);
            p[1] = (u8)(v >> 8);
            p[2] = (u8)v;
        }
    }
    memset(&image, 0, sizeof(image));
    image.version = PNG_IMAGE_VERSION;
    image.width = width;
    image.height = height;
    image.format = PNG_FORMAT_RGB;
    bool ok = newfile_open(&file, path);
    if (ok) {
        ok = png_image_write_to_stdio(&image, file.out, 0, rgb, 0, NULL);
        ok = newfile_close(&file, ok);
    }
    png_image_free(&image);
    free(rgb);
    return ok ? STATUS_OK : STATUS_IO;
}

enum status png_load(const char *path, u32 **pixels, unsigned *width, unsigned *height)
{
    enum { SIDE_MAX = 16384 };
    png_image image = {.version = PNG_IMAGE_VERSION};
    u8 *bytes = NULL;
    u32 *out = NULL;

    if (access(path, R_OK) != 0)
        return STATUS_NO_FILE;
    if (!png_image_begin_read_from_file(&image, path))
        return STATUS_BAD_FORMAT;
    image.format = PNG_FORMAT_RGB;
    size_t n = (size_t)image.width * image.height;
    if (image.width && image.width <= SIDE_MAX && image.height && image.height <= SIDE_MAX) {
        bytes = malloc(n * 3);
        out = malloc(n * sizeof(*out));
    }
    bool ok = bytes && out && png_image_finish_read(&image, NULL, bytes, 0, NULL);
    for (size_t i = 0; ok && i < n; i++)
        out[i] = (u32)bytes[3 * i] << 16 | (u32)bytes[3 * i + 1] << 8 | bytes[3 * i + 2];
    png_image_free(&image);
    free(bytes);
    if (!ok) {
        free(out);
        return STATUS_BAD_FORMAT;
    }
    *pixels = out;
    *width = image.width;
    *height = image.height;
    return STATUS_OK;
}
