/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* F_OFD_SETLK */
#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool file_lock(int fd, bool exclusive)
{
#ifdef F_OFD_SETLK
    struct flock lock = {.l_type = exclusive ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};

    if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return true;
    if (errno != EINVAL && errno != ENOLCK)
        return false;
#endif
    return flock(fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 || errno == ENOLCK;
}

/* Asking needs no permission to write, which locking for a writer does. */
static bool nobody_locks(int fd)
{
#ifdef F_OFD_GETLK
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(fd, F_OFD_GETLK, &lock) == 0)
        return lock.l_type == F_UNLCK;
    if (errno != EINVAL && errno != ENOLCK)
        return false;
#endif
    return flock(fd, LOCK_EX | LOCK_NB) == 0 || errno == ENOLCK;
}

static bool is_regular(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

bool file_is_free(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return true;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        fd = open(path, O_WRONLY | O_CLOEXEC);
    bool is_free = fd < 0 || nobody_locks(fd);
    if (fd >= 0)
        close(fd);
    return is_free;
}

/* Opening a pipe for writing would wait for somebody to read it. */
static int open_at_once(const char *path, int flags)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC | flags, 0666);

    if (fd < 0 && errno == ENXIO)
        errno = EPIPE;
    if (fd >= 0)
        fcntl(fd, F_SETFL, 0);
    return fd;
}

bool outfile_open(struct outfile *f, const char *path)
{
    int error = 0;

    *f = (struct outfile){.fd = -1, .path = strdup(path)};
    if (!f->path)
        return false;
    f->fd = open_at_once(path, O_EXCL);
    f->created = f->fd >= 0;
    if (f->fd < 0 && errno == EEXIST)
        f->fd = open_at_once(path, 0); /* or a link to what is not yet */
    if (f->fd < 0)
        error = errno;
    else if ((f->regular = is_regular(f->fd)) && !file_lock(f->fd, true))
        error = EBUSY;
    if (!error)
        return true;
    outfile_close(f);
    errno = error;
    return false;
}

bool outfile_begin(struct outfile *f)
{
    f->begun = !f->regular || ftruncate(f->fd, 0) == 0;
    return f->begun;
}

void outfile_close(struct outfile *f)
{
    if (f->fd >= 0)
        close(f->fd);
    if (f->created && !f->begun)
        unlink(f->path);
    free(f->path);
    *f = (struct outfile){.fd = -1};
}

const char *outfile_why(int error)
{
    if (error == EBUSY)
        return "it is in use, by a drive or another output";
    return error == EPIPE ? "nobody reads that pipe" : strerror(error);
}
