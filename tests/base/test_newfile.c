/* SPDX-License-Identifier: MIT */
#include "base/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/outfile.h"
#include "tests/support/check.h"

static char folder[] = "/tmp/newfile-XXXXXX", path[64], partial[64];

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/x", folder);
    snprintf(partial, sizeof(partial), "%s/x.partial", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder); /* fails if anything else is left */
}

static void write_text(const char *text, bool ok)
{
    struct newfile f;

    assert_true(newfile_open(&f, path));
    fputs(text, f.out);
    assert_int_equal(newfile_close(&f, ok), ok);
    assert_int_not_equal(access(partial, F_OK), 0);
}

static void holds(const char *text)
{
    char got[16] = "";
    FILE *f = fopen(path, "r");

    assert_non_null(f);
    assert_int_equal(fread(got, 1, sizeof(got) - 1, f), strlen(text));
    assert_string_equal(got, text);
    fclose(f);
}

static void what_is_not_whole_leaves_the_old_one(void **state)
{
    (void)state;
    write_text("old", true);
    write_text("new", false);
    holds("old");
    write_text("new", true);
    holds("new");
}

static void nothing_shows_before_the_end(void **state)
{
    struct newfile f;

    (void)state;
    write_text("old", true);
    assert_true(newfile_open(&f, path));
    fputs("ne", f.out);
    fflush(f.out);
    holds("old");
    assert_true(newfile_close(&f, true));
}

static void a_device_stays_one(void **state)
{
    struct newfile f;
    struct stat st;

    (void)state;
    assert_true(newfile_open(&f, "/dev/null"));
    assert_true(newfile_close(&f, true));
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
}

static void a_folder_that_is_not_there_is_told(void **state)
{
    struct newfile f;

    (void)state;
    assert_false(newfile_open(&f, "/nonexistent/x"));
}

/* Opening it would wait for somebody who does. */
static void a_pipe_that_nobody_reads_is_refused(void **state)
{
    struct newfile f;

    (void)state;
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(newfile_open(&f, path));
    assert_int_equal(errno, EPIPE);
}

/* Somebody who may write in the folder, but not to the file: rename() would do it. -> bits: the file
 * is free; it can be written. */
static int as_nobody(void)
{
    enum { NOBODY = 65534 };
    struct newfile f;
    int status;

    assert_true(geteuid() != 0 || chown(folder, NOBODY, NOBODY) == 0);
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
            _exit(4);
        _exit((file_is_free(path) ? 1 : 0) | (newfile_open(&f, path) ? 2 : 0));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void what_may_not_be_written_is_not_replaced(void **state)
{
    (void)state;
    unlink(path);
    write_text("disk", true);
    assert_int_equal(chmod(path, 0444), 0);
    assert_int_equal(as_nobody(), 1);
    int fd = open(path, O_RDONLY);
    assert_true(file_lock(fd, false)); /* a drive that is only read */
    assert_int_equal(as_nobody(), 0);
    close(fd);
    holds("disk");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_whole_leaves_the_old_one),
        cmocka_unit_test(nothing_shows_before_the_end),
        cmocka_unit_test(a_device_stays_one),
        cmocka_unit_test(what_may_not_be_written_is_not_replaced),
        cmocka_unit_test(a_pipe_that_nobody_reads_is_refused),
        cmocka_unit_test(a_folder_that_is_not_there_is_told),
    };

    return cmocka_run_group_tests_name("newfile", tests, setup, teardown);
}
