/* SPDX-License-Identifier: MIT */
/*
 * The sandbox from inside: each test enters it in a child process, which tries what a guest that
 * has broken out would try. Skipped, visibly, where the kernel has no such thing.
 */
#include "frontend/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "frontend/script.h"
#include "tests/support/check.h"

struct bench {
    char dir[64];
    char inside[96], named[96], other[96], secret[96]; /* inside/named, inside/other, secret */
};

static void make_file(const char *path)
{
    int fd = open(path, O_CREAT | O_WRONLY, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "text", 4), 4);
    close(fd);
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));

    assert_non_null(b);
    snprintf(b->dir, sizeof(b->dir), "/tmp/turbo86-test-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    snprintf(b->inside, sizeof(b->inside), "%s/inside", b->dir);
    snprintf(b->named, sizeof(b->named), "%s/inside/named", b->dir);
    snprintf(b->other, sizeof(b->other), "%s/inside/other", b->dir);
    snprintf(b->secret, sizeof(b->secret), "%s/secret", b->dir);
    assert_int_equal(mkdir(b->inside, 0700), 0);
    make_file(b->named);
    make_file(b->secret);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    unlink(b->named);
    unlink(b->other);
    unlink(b->secret);
    int left = rmdir(b->inside) | rmdir(b->dir); /* nothing else was made */
    free(b);
    return left;
}

/* Run @tries in a child within the sandbox; its answer is the number of the first that failed. */
static void in_sandbox(struct bench *b, unsigned needs, bool sockets, int (*tries)(struct bench *))
{
    enum { NOT_HERE = 99 };
    int how;

    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct sandbox s;
        sandbox_begin(&s);
        sandbox_allow(&s, SANDBOX_CHANGE, b->named);
        sandbox_allow(&s, SANDBOX_READ, "/no/such/file");
        unsigned has = sandbox_enter(&s, sockets);
        _exit((has & needs) == needs ? tries(b) : NOT_HERE);
    }
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_true(WIFEXITED(how));
    if (WEXITSTATUS(how) == NOT_HERE) {
        print_message("skipped: the kernel does not offer it\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(how), 0);
}

static bool denied(int result)
{
    return result == -1 && (errno == EACCES || errno == EPERM || errno == ENOSYS);
}

static int try_files(struct bench *b)
{
    int fd = open(b->named, O_RDWR);

    if (fd < 0 || write(fd, "more", 4) != 4)
        return 1;
    if (!denied(open(b->secret, O_RDONLY)) || !denied(open(b->secret, O_WRONLY)))
        return 2;
    if (!denied(open(b->other, O_CREAT | O_WRONLY, 0600)) || !denied(mkdir(b->other, 0700)))
        return 3;
    if (!denied(unlink(b->named)) || !denied(rename(b->named, b->other)))
        return 4;
    if (!denied(symlink("x", b->other)) || !denied(link(b->named, b->other)))
        return 5;
    return denied(open("/etc/passwd", O_RDONLY)) ? 0 : 6;
}

static int try_programs(struct bench *b)
{
    char *argv[] = {(char[]){"sh"}, NULL};

    (void)b;
    if (!denied(execv("/bin/sh", argv)))
        return 1;
    if (!denied(kill(getppid(), 0)))
        return 2;
    if (!denied(chroot("/")) || !denied(setsid()))
        return 3;
    pid_t pid = fork(); /* variants of scripts do */
    if (pid == 0)
        _exit(denied(execv("/bin/true", argv)) ? 0 : 1);
    int how;
    if (pid < 0 || waitpid(pid, &how, 0) != pid || how != 0)
        return 4;
    return denied(ioctl(0, TIOCSTI, "x")) ? 0 : 5;
}

static int try_sockets(struct bench *b)
{
    (void)b;
    return denied(socket(AF_INET, SOCK_STREAM, 0)) && denied(socket(AF_UNIX, SOCK_STREAM, 0)) ? 0
                                                                                              : 1;
}

static int try_asked_sockets(struct bench *b)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    (void)b;
    return fd >= 0 && close(fd) == 0 ? 0 : 1;
}

static int try_memory(struct bench *b)
{
    const int rw = PROT_READ | PROT_WRITE;
    void *p = mmap(NULL, 4096, rw, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)b;
    if (p == MAP_FAILED || mprotect(p, 4096, PROT_READ | PROT_EXEC) != 0)
        return 1;
    if (!denied(mprotect(p, 4096, rw | PROT_EXEC)))
        return 2;
    return mmap(NULL, 4096, rw | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? 0
                                                                                              : 3;
}

static void only_named_files_can_be_opened(void **state)
{
    in_sandbox(*state, SANDBOX_FILES, false, try_files);
}

static void no_other_program_can_be_run(void **state)
{
    in_sandbox(*state, SANDBOX_CALLS, false, try_programs);
}

static void no_socket_can_be_opened(void **state)
{
    in_sandbox(*state, SANDBOX_CALLS, false, try_sockets);
}

static void sockets_that_were_asked_for_can(void **state)
{
    in_sandbox(*state, SANDBOX_CALLS, true, try_asked_sockets);
}

static void memory_is_never_writable_and_executable(void **state)
{
    in_sandbox(*state, SANDBOX_CALLS, false, try_memory);
}

/* What a run with @option may do with the image @path: 1 read, 2 read and write. */
static int rights_to(const char *path, const char *const *options)
{
    char *argv[12] = {(char[]){"-display"}, (char[]){"none"}};
    int how, argc = 2;

    for (; *options; options++)
        argv[argc++] = strdup(*options);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct config cfg;
        struct script *script = NULL;
        char error[SCRIPT_ERROR_MAX];
        if (!config_init(&cfg) || config_parse(&cfg, argc, argv) != CONFIG_RUN ||
            !script_open(&script, &cfg, error) || !sandbox_start(&cfg, script, false))
            _exit(0);
        script_close(script);
        config_free(&cfg);
        _exit(open(path, O_RDONLY) < 0 ? 0 : open(path, O_WRONLY) < 0 ? 1 : 2);
    }
    while (argc > 2)
        free(argv[--argc]);
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_true(WIFEXITED(how));
    return WEXITSTATUS(how);
}

static int try_nothing(struct bench *b)
{
    return b ? 0 : 1;
}

static int rights_with(struct bench *b, const char *drive, const char *option, const char *monitor)
{
    char file[160];

    snprintf(file, sizeof(file), "file=%s,if=floppy%s", b->named, drive);
    const char *const options[] = {"-drive", file, "-monitor", monitor, option, NULL};
    return rights_to(b->named, options);
}

static void images_that_the_guest_does_not_write_can_only_be_read(void **state)
{
    static const char *const monitor[] = {"none", "null"};

    in_sandbox(*state, SANDBOX_FILES, false, try_nothing);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(rights_with(*state, "", NULL, monitor[i]), 2);
        assert_int_equal(rights_with(*state, "", "-snapshot", monitor[i]), 1);
        assert_int_equal(rights_with(*state, ",snapshot=on", NULL, monitor[i]), 1);
        assert_int_equal(rights_with(*state, ",readonly=on", NULL, monitor[i]), 1);
    }
}

/* A script in b->named that inserts b->secret. */
static int rights_of_script(struct bench *b, const char *drive, const char *option)
{
    FILE *f = fopen(b->named, "w");

    assert_non_null(f);
    fprintf(f, "insert %s %s\n", drive, b->secret);
    assert_int_equal(fclose(f), 0);
    const char *const options[] = {"--script", b->named, "--artifacts", "none",
                                   "-monitor", "none",   option,        NULL};
    return rights_to(b->secret, options);
}

static void media_of_scripts_can_only_be_read_if_the_drive_keeps_them(void **state)
{
    in_sandbox(*state, SANDBOX_FILES, false, try_nothing);
    assert_int_equal(rights_of_script(*state, "floppy0", NULL), 2);
    assert_int_equal(rights_of_script(*state, "floppy0", "-snapshot"), 1);
    assert_int_equal(rights_of_script(*state, "cdrom", NULL), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_named_files_can_be_opened, setup, teardown),
        cmocka_unit_test_setup_teardown(images_that_the_guest_does_not_write_can_only_be_read,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(media_of_scripts_can_only_be_read_if_the_drive_keeps_them,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(no_other_program_can_be_run, setup, teardown),
        cmocka_unit_test_setup_teardown(no_socket_can_be_opened, setup, teardown),
        cmocka_unit_test_setup_teardown(sockets_that_were_asked_for_can, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_is_never_writable_and_executable, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
