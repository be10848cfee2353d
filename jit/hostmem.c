/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* memfd_create */
#include "jit/hostmem.h"

#include <sys/mman.h>
#include <unistd.h>

static size_t whole_pages(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return (size + page - 1) / page * page;
}

#if defined(__linux__)
/* One file in memory, mapped twice: no page is ever writable and executable. */
static bool map_twice(struct hostmem *m)
{
    int fd = memfd_create("turbo86-code", MFD_CLOEXEC);

    if (fd < 0)
        return false;
    void *w = MAP_FAILED, *x = MAP_FAILED;
    if (ftruncate(fd, (off_t)m->size) == 0) {
        w = mmap(NULL, m->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        x = mmap(NULL, m->size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    }
    close(fd);
    if (w == MAP_FAILED || x == MAP_FAILED) {
        if (w != MAP_FAILED)
            munmap(w, m->size);
        if (x != MAP_FAILED)
            munmap(x, m->size);
        return false;
    }
    m->write = w;
    m->exec = x;
    m->method = "one memfd mapped twice";
    return true;
}
#else
static bool map_twice(struct hostmem *m)
{
    (void)m;
    return false;
}
#endif

enum status hostmem_create(struct hostmem *m, size_t size)
{
    struct hostmem made = {.size = whole_pages(size)};

    if (!map_twice(&made))
        return STATUS_UNSUPPORTED;
    *m = made;
    return STATUS_OK;
}

void hostmem_destroy(struct hostmem *m)
{
    if (!m->write)
        return;
    munmap(m->write, m->size);
    munmap(m->exec, m->size);
    *m = (struct hostmem){0};
}

void hostmem_publish(const struct hostmem *m, const u8 *at, size_t size)
{
    char *start = (char *)m->exec + (at - m->write);

    __builtin___clear_cache(start, start + size);
}
