/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* memfd_create, MAP_ANONYMOUS */
#include "jit/hostmem.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__APPLE__)
#include <libkern/OSCacheControl.h>
#include <pthread.h>
#endif

static size_t whole_pages(const struct hostmem *m, size_t size)
{
    return (size + m->page - 1) / m->page * m->page;
}

/* --- one file in memory, mapped twice --- */

#if defined(__linux__)
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

/* --- one mapping that changes sides --- */

#if defined(__APPLE__) && defined(__aarch64__)
/* The system keeps the thread's view of all such memory: writable or executable. */
static bool map_once(struct hostmem *m)
{
    void *p = mmap(NULL, m->size, PROT_READ | PROT_WRITE | PROT_EXEC,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_JIT, -1, 0);

    if (p == MAP_FAILED)
        return false;
    pthread_jit_write_protect_np(1);
    m->write = m->exec = p;
    m->method = "MAP_JIT, write-protected by thread";
    return true;
}

static bool set_writable(struct hostmem *m, bool writable)
{
    (void)m;
    pthread_jit_write_protect_np(!writable);
    return true;
}
#else
static bool map_once(struct hostmem *m)
{
    void *p = mmap(NULL, m->size, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return false;
    m->write = m->exec = p;
    m->method = "one mapping, writable or executable";
    return true;
}

static bool set_writable(struct hostmem *m, bool writable)
{
    return mprotect(m->open, m->open_size, PROT_READ | (writable ? PROT_WRITE : PROT_EXEC)) == 0;
}
#endif

static void unmap(struct hostmem *m)
{
    munmap(m->write, m->size);
    if (m->exec != m->write)
        munmap(m->exec, m->size);
    *m = (struct hostmem){0};
}

/* --- does the host see what was written? --- */

#if defined(__aarch64__)
/* MOVZ W0, @value; RET [ARM C6.2] */
static u32 probe_run(struct hostmem *m, u32 value)
{
    const u32 code[2] = {0x52800000u | value << 5, 0xd65f03c0u};
    u32 (*run)(void);

    hostmem_begin_write(m, m->write, sizeof(code));
    memcpy(m->write, code, sizeof(code));
    hostmem_publish(m, m->write, sizeof(code));
    memcpy(&run, &m->exec, sizeof(run));
    return run();
}

/* Some emulators do not notice code that is rewritten through another mapping, and run it stale. */
static bool sees_writes(struct hostmem *m)
{
    return probe_run(m, 1) == 1 && probe_run(m, 2) == 2;
}
#else
static bool sees_writes(struct hostmem *m)
{
    (void)m;
    return true; /* caches are coherent, and emulators know the one host */
}
#endif

enum status hostmem_create_by(struct hostmem *m, size_t size, bool flips, size_t page)
{
    struct hostmem made = {.page = page, .flips = flips};

    made.size = whole_pages(&made, size);
    if (!(flips ? map_once(&made) : map_twice(&made)))
        return STATUS_UNSUPPORTED;
    if (!sees_writes(&made)) {
        unmap(&made);
        return STATUS_UNSUPPORTED;
    }
    *m = made;
    return STATUS_OK;
}

enum status hostmem_create(struct hostmem *m, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (hostmem_create_by(m, size, false, page) == STATUS_OK)
        return STATUS_OK;
    return hostmem_create_by(m, size, true, page);
}

void hostmem_destroy(struct hostmem *m)
{
    if (m->write)
        unmap(m);
}

static void close_pages(struct hostmem *m)
{
    if (m->open)
        (void)set_writable(m, false); /* takes away what it gave: cannot fail */
    m->open = NULL;
}

void hostmem_begin_write(struct hostmem *m, u8 *at, size_t size)
{
    if (!m->flips)
        return;
    close_pages(m);
    size_t before = (size_t)(at - m->write) % m->page;
    m->open = at - before;
    m->open_size = whole_pages(m, size + before);
    (void)set_writable(m, true); /* if not, the write that follows tells */
}

void hostmem_publish(struct hostmem *m, const u8 *at, size_t size)
{
    char *start = (char *)m->exec + (at - m->write);

    close_pages(m);
    if (size == 0)
        return;
#if defined(__APPLE__)
    sys_icache_invalidate(start, size);
#else
    __builtin___clear_cache(start, start + size);
#endif
}

size_t hostmem_stack(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_STACK, &r) != 0 || r.rlim_cur == RLIM_INFINITY)
        return SIZE_MAX;
    return (size_t)r.rlim_cur;
}
