/* SPDX-License-Identifier: MIT */
#include "machine/hostfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool hostfile_exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

enum status hostfile_check(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return STATUS_NO_FILE;
    return S_ISREG(st.st_mode) || S_ISBLK(st.st_mode) ? STATUS_OK : STATUS_NOT_FILE;
}

bool hostfile_same(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* [ECMA-119 8.1]: the first volume descriptor is in sector 16, its identifier behind one byte. */
bool hostfile_is_iso(const char *path)
{
    static const char identifier[] = {'C', 'D', '0', '0', '1'};
    char found[sizeof(identifier)];
    FILE *f = hostfile_check(path) == STATUS_OK ? fopen(path, "rb") : NULL;

    if (!f)
        return false;
    bool is_iso = fseeko(f, 16 * 2048 + 1, SEEK_SET) == 0 &&
                  fread(found, 1, sizeof(found), f) == sizeof(found) &&
                  memcmp(found, identifier, sizeof(found)) == 0;
    fclose(f);
    return is_iso;
}

enum status hostfile_read(const char *path, size_t max, u8 **out, size_t *len)
{
    enum status s = hostfile_check(path);
    u8 *bytes = NULL;
    size_t size = 0;
    FILE *f = s == STATUS_OK ? fopen(path, "rb") : NULL;

    if (!f)
        return s == STATUS_OK ? STATUS_NO_FILE : s;
    if (fseeko(f, 0, SEEK_END) != 0 || ftello(f) < 0) {
        s = STATUS_IO;
    } else if ((u64)ftello(f) > max) {
        s = STATUS_BAD_SIZE;
    } else {
        size = (size_t)ftello(f);
        bytes = malloc(size ? size : 1);
        if (!bytes)
            s = STATUS_NO_MEMORY;
        else if (fseeko(f, 0, SEEK_SET) != 0 || fread(bytes, 1, size, f) != size)
            s = STATUS_IO;
    }
    fclose(f);
    if (s != STATUS_OK) {
        free(bytes);
        return s;
    }
    *out = bytes;
    *len = size;
    return STATUS_OK;
}
