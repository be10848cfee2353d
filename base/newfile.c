/* SPDX-License-Identifier: MIT */
#include "base/newfile.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/outfile.h"

bool newfile_open(struct newfile *f, const char *path)
{
    struct stat st;
    int n = snprintf(f->path, sizeof(f->path), "%s", path);
    int m = snprintf(f->partial, sizeof(f->partial), "%s.partial", path);

    if (n < 0 || n >= (int)sizeof(f->path) || m < 0 || m >= (int)sizeof(f->partial)) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (!file_is_free(path)) {
        errno = EBUSY;
        return false;
    }
    f->beside = stat(path, &st) != 0 || S_ISREG(st.st_mode);
    f->out = fopen(f->beside ? f->partial : path, "wb");
    return f->out != NULL;
}

bool newfile_close(struct newfile *f, bool ok)
{
    ok = ok && !ferror(f->out);
    ok = fclose(f->out) == 0 && ok;
    if (!f->beside)
        return ok;
    if (ok && rename(f->partial, f->path) == 0)
        return true;
    int error = errno;
    unlink(f->partial);
    errno = error;
    return false;
}
