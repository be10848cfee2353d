/* SPDX-License-Identifier: MIT */
/* Serial back ends: what is written arrives, mistakes are told, nothing waits. */
#include "frontend/chardev.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "frontend/png.h"
#include "tests/support/check.h"

static void a_file_gets_every_byte_and_gives_none(void **state)
{
    char path[] = "/tmp/turbo86-test-XXXXXX", spec[64], text[16] = "";
    char error[CHARDEV_ERROR_MAX];
    struct chardev *c;
    u8 byte;

    (void)state;
    close(mkstemp(path));
    snprintf(spec, sizeof(spec), "file:%s", path);
    assert_int_equal(chardev_open(&c, spec, error), STATUS_OK);
    chardev_write(c, (const u8 *)"hello", 5);
    assert_int_equal(chardev_read(c, &byte, 1), 0);
    assert_true(chardev_ended(c));
    chardev_close(c);
    FILE *f = fopen(path, "r");
    assert_int_equal(fread(text, 1, sizeof(text), f), 5);
    assert_string_equal(text, "hello");
    fclose(f);
    unlink(path);
}

static void null_takes_everything(void **state)
{
    char error[CHARDEV_ERROR_MAX];
    struct chardev *c;

    (void)state;
    assert_int_equal(chardev_open(&c, "null", error), STATUS_OK);
    chardev_write(c, (const u8 *)"x", 1);
    assert_true(chardev_ended(c));
    assert_false(chardev_is_stdio(c));
    chardev_close(c);
}

/* A listening socket on a port of the system's choice. */
static int listener(unsigned *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static void a_connection_carries_both_ways_and_ends(void **state)
{
    char spec[64], error[CHARDEV_ERROR_MAX];
    u8 bytes[8];
    struct chardev *c;
    unsigned port;
    int fd = listener(&port);

    (void)state;
    snprintf(spec, sizeof(spec), "tcp:127.0.0.1:%u", port);
    assert_int_equal(chardev_open(&c, spec, error), STATUS_OK);
    int peer = accept(fd, NULL, NULL);
    assert_true(peer >= 0);
    assert_int_equal(chardev_read(c, bytes, sizeof(bytes)), 0);
    chardev_write(c, (const u8 *)"out", 3);
    assert_int_equal(read(peer, bytes, sizeof(bytes)), 3);
    assert_int_equal(write(peer, "in", 2), 2);
    struct pollfd p;
    assert_true(chardev_poll(c, &p));
    assert_int_equal(poll(&p, 1, 1000), 1);
    assert_int_equal(chardev_read(c, bytes, sizeof(bytes)), 2);
    close(peer);
    assert_true(chardev_poll(c, &p));
    assert_int_equal(poll(&p, 1, 1000), 1);
    assert_int_equal(chardev_read(c, bytes, sizeof(bytes)), 0);
    assert_true(chardev_ended(c));
    chardev_write(c, (const u8 *)"nobody", 6);
    chardev_close(c);
    close(fd);
}

static void what_a_full_pipe_does_not_take_is_kept(void **state)
{
    enum { BYTES = 200000 };
    static u8 sent[BYTES], got[BYTES];
    char dir[] = "/tmp/turbo86-test-XXXXXX", path[64], spec[80], error[CHARDEV_ERROR_MAX];
    struct chardev *c;
    struct pollfd p;
    size_t n = 0;

    (void)state;
    for (unsigned i = 0; i < BYTES; i++)
        sent[i] = (u8)(i * 7 + (i >> 8));
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/pipe", dir);
    snprintf(spec, sizeof(spec), "file:%s", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDONLY | O_NONBLOCK);
    assert_true(fd >= 0);
    assert_int_equal(chardev_open(&c, spec, error), STATUS_OK);
    assert_false(chardev_poll_output(c, &p));
    chardev_write(c, sent, BYTES - 1000);
    chardev_write(c, sent + BYTES - 1000, 1000);
    assert_false(chardev_flush(c));
    assert_true(chardev_poll_output(c, &p));
    assert_int_equal(poll(&p, 1, 0), 0);
    while (n < BYTES) {
        ssize_t k = read(fd, got + n, BYTES - n);
        assert_true(k > 0);
        n += (size_t)k;
        chardev_flush(c);
    }
    assert_memory_equal(got, sent, BYTES);
    assert_true(chardev_flush(c));
    close(fd);
    chardev_close(c);
    unlink(path);
    rmdir(dir);
}

static void a_server_is_asked_for_as_in_qemu(void **state)
{
    static const char *const ways[] = {"server", "server=on", "server,nowait",
                                       "server=on,wait=off"};
    char dir[] = "/tmp/turbo86-test-XXXXXX", spec[150], error[CHARDEV_ERROR_MAX];
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct chardev *c;
    struct stat st;
    u8 byte = 0;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(a.sun_path, sizeof(a.sun_path), "%s/socket", dir);
    for (unsigned i = 0; i < ARRAY_LEN(ways); i++) {
        snprintf(spec, sizeof(spec), "unix:%s,%s", a.sun_path, ways[i]);
        assert_int_equal(chardev_open(&c, spec, error), STATUS_OK);
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
        assert_int_equal(write(fd, "x", 1), 1);
        for (unsigned n = 0; n < 100 && !chardev_read(c, &byte, 1); n++)
            ;
        assert_int_equal(byte, 'x');
        close(fd);
        chardev_close(c);
        assert_int_not_equal(stat(a.sun_path, &st), 0);
        snprintf(spec, sizeof(spec), "tcp:127.0.0.1:0,%s", ways[i]);
        assert_int_equal(chardev_open(&c, spec, error), STATUS_OK);
        chardev_close(c);
    }
    rmdir(dir);
}

static void mistakes_are_told(void **state)
{
    static const char *const bad[] = {"smoke",
                                      "file:/nonexistent/x",
                                      "tcp:127.0.0.1",
                                      "tcp:127.0.0.1:1,waiter",
                                      "tcp:127.0.0.1:1,server=on,wait=on",
                                      "tcp:127.0.0.1:1,wait=off",
                                      "tcp:127.0.0.1:1,server,",
                                      "unix:/nonexistent/x,server=off",
                                      "unix:/nonexistent/x"};
    char error[CHARDEV_ERROR_MAX];
    struct chardev *c;

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        *error = 0;
        assert_int_not_equal(chardev_open(&c, bad[i], error), STATUS_OK);
        assert_true(*error);
    }
}

static void a_screenshot_is_a_png(void **state)
{
    static const u32 pixels[4] = {0xff0000, 0x00ff00, 0x0000ff, 0xffffff};
    char path[] = "/tmp/turbo86-test-XXXXXX", head[8];

    (void)state;
    close(mkstemp(path));
    assert_int_equal(png_save(path, pixels, 2, 2, 2), STATUS_OK);
    FILE *f = fopen(path, "rb");
    assert_int_equal(fread(head, 1, 8, f), 8);
    assert_memory_equal(head, "\x89PNG\r\n\x1a\n", 8);
    fclose(f);
    unlink(path);
    assert_int_equal(png_save("/nonexistent/x.png", pixels, 2, 2, 2), STATUS_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_gets_every_byte_and_gives_none),
        cmocka_unit_test(null_takes_everything),
        cmocka_unit_test(a_connection_carries_both_ways_and_ends),
        cmocka_unit_test(what_a_full_pipe_does_not_take_is_kept),
        cmocka_unit_test(a_server_is_asked_for_as_in_qemu),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(a_screenshot_is_a_png),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
