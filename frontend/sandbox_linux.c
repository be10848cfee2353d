/* SPDX-License-Identifier: MIT */
/*
 * The sandbox of Linux: Landlock for files, a seccomp filter for system calls [KERNEL landlock],
 * [KERNEL seccomp_filter]. Both are the kernel's own interface; headers may be older than kernels.
 */
#define _GNU_SOURCE /* O_PATH, syscall() */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bits.h"
#include "frontend/sandbox.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* --- files --- */

enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446 }; /* the same on all hosts */
enum { GET_VERSION = 1, PATH_BENEATH = 1 };

/* What can be done to files; each version of Landlock knows those before it. */
enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE = 1 << 1,
    FS_READ = 1 << 2,
    FS_LIST = 1 << 3,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_FILE = 1 << 8,
    FS_TRUNCATE = 1 << 14,
    FS_VERSION_1 = (1 << 13) - 1,
    FS_VERSION_2 = (1 << 14) - 1,
    FS_VERSION_3 = (1 << 15) - 1,
    FS_VERSION_5 = (1 << 16) - 1,
    FS_OF_FILES = FS_EXECUTE | FS_WRITE | FS_READ | FS_TRUNCATE,
    SCOPE_VERSION = 6,
    SCOPE_ALL = 3, /* abstract sockets and signals of others */
};

struct ruleset {
    u64 files, net, scope;
};

struct path_rule {
    u64 rights;
    i32 fd;
} __attribute__((packed));

void sandbox_begin(struct sandbox *b)
{
    static const u32 known[] = {FS_VERSION_1, FS_VERSION_2, FS_VERSION_3, FS_VERSION_3,
                                FS_VERSION_5};
    long version = syscall(CREATE_RULESET, NULL, 0, GET_VERSION);

    *b = (struct sandbox){.files = -1};
    if (version < 1)
        return;
    size_t last = ARRAY_LEN(known) - 1;
    b->rights = known[(size_t)version > last ? last : (size_t)version - 1];
    struct ruleset r = {.files = b->rights, .scope = version >= SCOPE_VERSION ? SCOPE_ALL : 0};
    b->files = (int)syscall(CREATE_RULESET, &r, sizeof(r), 0);
}

void sandbox_allow(struct sandbox *b, enum sandbox_use use, const char *path)
{
    static const u32 rights[] = {
        [SANDBOX_READ] = FS_READ | FS_LIST,
        [SANDBOX_CHANGE] = FS_READ | FS_LIST | FS_WRITE | FS_TRUNCATE,
        [SANDBOX_OUTPUT] = FS_READ | FS_WRITE | FS_TRUNCATE | FS_MAKE_FILE | FS_REMOVE_FILE,
    };
    const char *slash = strrchr(path, '/');
    char folder[4096];
    struct stat st;

    if (use == SANDBOX_OUTPUT) {
        snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1,
                 slash ? path : ".");
        path = folder;
    }
    int fd = b->files >= 0 ? open(path, O_PATH | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    bool ok = fstat(fd, &st) == 0;
    u32 file_only = ok && S_ISDIR(st.st_mode) ? UINT32_MAX : FS_OF_FILES;
    struct path_rule rule = {.rights = rights[use] & b->rights & file_only, .fd = fd};
    if (ok && rule.rights)
        syscall(ADD_RULE, b->files, PATH_BENEATH, &rule, 0);
    close(fd);
}

/* --- system calls --- */

/* What a run without a window needs, those that are called most first. */
static const u16 needed[] = {
    /* time, waiting, bytes */
    SYS_clock_gettime,
    SYS_ppoll,
    SYS_read,
    SYS_write,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_pread64,
    SYS_pwrite64,
    SYS_readv,
    SYS_writev,
    SYS_preadv,
    SYS_pwritev,
    SYS_lseek,
    SYS_gettimeofday,
    SYS_clock_getres,
    SYS_pselect6,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_sendto,
    SYS_sendmsg,
    /* memory */
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_brk,
    SYS_mlock,
    SYS_munlock,
    SYS_mincore,
    SYS_msync,
    SYS_memfd_create,
    /* files */
    SYS_openat,
    SYS_close,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_fcntl,
    SYS_flock,
    SYS_fsync,
    SYS_fdatasync,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_fadvise64,
    SYS_renameat,
    SYS_renameat2,
    SYS_unlinkat,
    SYS_faccessat,
    SYS_readlinkat,
    SYS_getdents64,
    SYS_getcwd,
    SYS_dup,
    SYS_dup3,
    SYS_pipe2,
    SYS_umask,
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    SYS_eventfd2,
    /* sockets that are there */
    SYS_accept,
    SYS_accept4,
    SYS_shutdown,
    SYS_getsockname,
    SYS_getpeername,
    SYS_getsockopt,
    SYS_setsockopt,
    /* processes and signals */
    SYS_exit,
    SYS_exit_group,
    SYS_wait4,
    SYS_futex,
    SYS_set_robust_list,
    SYS_set_tid_address,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_membarrier,
    SYS_getpid,
    SYS_gettid,
    SYS_getppid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_tgkill,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_rt_sigsuspend,
    SYS_sigaltstack,
    SYS_restart_syscall,
    SYS_setitimer,
    SYS_getitimer,
    SYS_times,
    SYS_getrusage,
    SYS_sysinfo,
    SYS_uname,
    SYS_prlimit64,
    SYS_getrandom,
#ifdef SYS_faccessat2
    SYS_faccessat2,
#endif
#ifdef SYS_rseq
    SYS_rseq,
#endif
#ifdef SYS_poll /* hosts with older calls as well */
    SYS_poll,
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_select,
    SYS_pipe,
    SYS_dup2,
    SYS_rename,
    SYS_unlink,
    SYS_readlink,
    SYS_fork,
    SYS_getdents,
    SYS_epoll_wait,
    SYS_time,
    SYS_arch_prctl,
#endif
#if SANITIZED /* its search for leaks, at the end */
    SYS_ptrace,
    SYS_prctl,
#endif
};

static const u16 for_sockets[] = {SYS_socket, SYS_connect, SYS_bind, SYS_listen, SYS_socketpair};

/* "Not permitted" says it plainly; everything else is unknown to this kernel. */
static const u16 forbidden[] = {SYS_execve, SYS_execveat, SYS_socket,     SYS_connect,
                                SYS_bind,   SYS_listen,   SYS_socketpair, SYS_kill};

#if defined(__x86_64__)
#define HOST_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define HOST_ARCH AUDIT_ARCH_AARCH64
#endif

enum {
    FILTER_MAX = 400,
    NEW_NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                     CLONE_NEWPID | CLONE_NEWNET,
};

struct filter {
    struct sock_filter insn[FILTER_MAX];
    unsigned count;
};

static void put(struct filter *f, struct sock_filter insn)
{
    if (f->count < FILTER_MAX)
        f->insn[f->count++] = insn;
}

static void put_load(struct filter *f, size_t at)
{
    put(f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (u32)at));
}

static void put_end(struct filter *f, u32 what)
{
    put(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what));
}

/* System call @n ends in @what. */
static void put_call(struct filter *f, u32 n, u32 what)
{
    put(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, n, 0, 1));
    put_end(f, what);
}

/* System call @n ends in @equal if the bits @mask of its argument @arg are @value, or in @other. */
static void put_argument(struct filter *f, u32 n, unsigned arg, u32 mask, u32 value, u32 equal,
                         u32 other)
{
    put(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, n, 0, 5));
    put_load(f, offsetof(struct seccomp_data, args) + 8 * arg); /* its low half: little-endian */
    put(f, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask));
    put(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
    put_end(f, equal);
    put_end(f, other);
}

static void put_calls(struct filter *f, const u16 *call, size_t n, u32 what)
{
    for (size_t i = 0; i < n; i++)
        put_call(f, call[i], what);
}

static void build(struct filter *f, bool sockets)
{
    const u32 yes = SECCOMP_RET_ALLOW, no = SECCOMP_RET_ERRNO | EPERM;
    const u32 unknown = SECCOMP_RET_ERRNO | ENOSYS;
    const u32 both = PROT_WRITE | PROT_EXEC;

    put_load(f, offsetof(struct seccomp_data, arch));
    put(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, HOST_ARCH, 1, 0));
    put_end(f, unknown);
    put_load(f, offsetof(struct seccomp_data, nr));
    put_calls(f, needed, ARRAY_LEN(needed), yes);
    /* Never writable and executable at once; no namespaces; nothing typed into the terminal. */
    put_argument(f, SYS_mmap, 2, both, both, no, yes);
    put_argument(f, SYS_mprotect, 2, both, both, no, yes);
    put_argument(f, SYS_clone, 0, NEW_NAMESPACES, 0, yes, no);
    put_argument(f, SYS_ioctl, 1, UINT32_MAX, TIOCSTI, no, yes);
    if (sockets)
        put_calls(f, for_sockets, ARRAY_LEN(for_sockets), yes);
    put_calls(f, forbidden, ARRAY_LEN(forbidden), no);
    put_end(f, unknown);
}

static bool enter_filter(bool sockets)
{
#if defined(HOST_ARCH)
    struct filter f = {.count = 0};

    build(&f, sockets);
    struct sock_fprog p = {.len = (unsigned short)f.count, .filter = f.insn};
    return f.count < FILTER_MAX && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) == 0;
#else
    (void)sockets;
    return false;
#endif
}

unsigned sandbox_enter(struct sandbox *b, bool sockets)
{
    unsigned done = 0;

    if (SANITIZED)
        sandbox_allow(b, SANDBOX_READ, "/proc");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) {
        if (b->files >= 0 && syscall(RESTRICT_SELF, b->files, 0) == 0)
            done |= SANDBOX_FILES;
        if (enter_filter(sockets))
            done |= SANDBOX_CALLS;
    }
    if (b->files >= 0)
        close(b->files);
    b->files = -1;
    return done;
}
