/* SPDX-License-Identifier: MIT */
#include "base/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/outfile.h"

/* open() would wait for somebody to read a pipe, and the machine with it. */
static FILE *open_special(const char *path)
{
    int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 && errno == ENXIO)
        errno = EPIPE;
    if (fd < 0 || fcntl(fd, F_SETFL, 0) != 0)
        return NULL;
    return fdopen(fd, "wb");
}

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
    bool exists = stat(path, &st) == 0;
    if (exists && access(path, W_OK) != 0) /* rename() would not mind */
        return false;
    f->beside = !exists || S_ISREG(st.st_mode);
    f->out = f->beside ? fopen(f->partial, "wb") : open_special(path);
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
