/* SPDX-License-Identifier: MIT */
/*
 * Serial back ends over file descriptors.
 *
 * Not implemented: clients of unix sockets, servers that hold the machine until a client has come
 * (wait=on), telnet, udp, real serial ports; a break condition.
 */
#define _XOPEN_SOURCE 700 /* posix_openpt() and company */
#include "frontend/chardev.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "base/outfile.h"
#include "frontend/terminal.h"

/* macOS: no program is started, and SIGPIPE is ignored (frontend/signals.c). */
#ifndef SOCK_CLOEXEC
#define SOCK_CLOEXEC 0
#endif
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

enum {
    BACKLOG_MAX = 16 << 20, /* more than a slice of the guest can print */
    SMALL_WRITE = 512,      /* what a descriptor that may block is given at once */
};

enum chardev_kind {
    CHARDEV_NULL,
    CHARDEV_STDIO,
    CHARDEV_FILE,
    CHARDEV_PTY,
    CHARDEV_TCP,
    CHARDEV_MEMORY
};

struct chardev {
    enum chardev_kind kind;
    int in, out;      /* -1: none                                      */
    char *socket;     /* owned: the path of a unix server, or NULL */
    unsigned clients; /* that a server has had */
    int listener;     /* tcp server: waits for a client while in is -1 */
    struct outfile file; /* behind @out, for CHARDEV_FILE */
    bool ended;
    bool own_out;  /* @out is a second descriptor, to be closed           */
    bool may_wait; /* a write to @out may block: ask poll() before each   */
    u8 *backlog;   /* written, not yet taken: @kept bytes, room for @room */
    size_t kept, room;
};

const char chardev_help[] = "stdio                   this terminal (Ctrl-a h for help)\n"
                            "file:PATH               written to PATH\n"
                            "null                    nowhere\n"
                            "pty                     a new pseudo-terminal; its name is printed\n"
                            "tcp:HOST:PORT           a connection to there\n"
                            "tcp:HOST:PORT,server    whoever connects; as QEMU has it, also\n"
                            "                        server=on,wait=off and server,nowait\n"
                            "unix:PATH,server        the same at a socket in the file system\n";

const char chardev_keys_help[] = "\n"
                                 "Ctrl-a h       this help\n"
                                 "Ctrl-a x       end turbo86\n"
                                 "Ctrl-a d       Ctrl-Alt-Del (-display terminal)\n"
                                 "Ctrl-a c       monitor, and back\n"
                                 "Ctrl-a Ctrl-a  send Ctrl-a to the guest\n";

static enum status fail(char *error, enum status s, const char *fmt, ...) PRINTF_LIKE(3, 4);

static enum status fail(char *error, enum status s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(error, CHARDEV_ERROR_MAX, fmt, ap);
    va_end(ap);
    return s;
}

static enum status open_file(struct chardev *c, const char *path, char *error)
{
    c->kind = CHARDEV_FILE;
    c->ended = true;
    if (!outfile_open(&c->file, path))
        return fail(error, STATUS_NO_FILE, "cannot write '%.200s': %s", path, outfile_why(errno));
    c->out = c->file.fd;
    fcntl(c->out, F_SETFL, O_NONBLOCK); /* PATH can be a pipe */
    return STATUS_OK;
}

static enum status open_pty(struct chardev *c, char *error)
{
    const char *name;
    struct termios t;
    int slave;

    c->kind = CHARDEV_PTY;
    c->in = c->out = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (c->in < 0 || grantpt(c->in) != 0 || unlockpt(c->in) != 0 || !(name = ptsname(c->in)))
        return fail(error, STATUS_IO, "cannot make a pseudo-terminal: %s", strerror(errno));
    slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave >= 0 && tcgetattr(slave, &t) == 0) {
        t.c_iflag = 0;
        t.c_oflag &= (tcflag_t)~OPOST;
        t.c_lflag &= (tcflag_t) ~(ECHO | ECHONL | ICANON | IEXTEN | ISIG);
        tcsetattr(slave, TCSANOW, &t);
    }
    /* Not held open: POLLHUP on our side then says whether anybody is there. */
    if (slave >= 0)
        close(slave);
    fcntl(c->in, F_SETFL, O_NONBLOCK);
    fprintf(stderr, "turbo86: serial port on %s\n", name);
    return STATUS_OK;
}

/* Small pieces do not wait for those before them to be acknowledged. Not for unix sockets, which
 * never wait: there it fails. */
static void send_at_once(int fd)
{
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static int tcp_socket(const struct addrinfo *a, bool server)
{
    int on = 1;
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);

    if (fd < 0)
        return -1;
    if (server) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, 1) == 0)
            return fd;
    } else if (connect(fd, a->ai_addr, a->ai_addrlen) == 0) {
        send_at_once(fd);
        return fd;
    }
    int e = errno;
    close(fd);
    errno = e;
    return -1;
}

/*
 * What follows an address: ",server" as QEMU writes it, long or short. A server never holds the
 * machine until somebody comes, so wait=on is refused; the old word alone did not promise it.
 */
static bool server_options(const char *options, bool *server)
{
    static const struct {
        const char *word;
        bool server;
    } words[] = {{"server", true}, {"server=on", true}, {"nowait", false}, {"wait=off", false}};

    *server = false;
    while (*options == ',') {
        size_t n = strcspn(++options, ","), i = 0;
        while (i < ARRAY_LEN(words) &&
               (strlen(words[i].word) != n || memcmp(words[i].word, options, n) != 0))
            i++;
        if (i == ARRAY_LEN(words))
            return false;
        *server = *server || words[i].server;
        options += n;
    }
    return true;
}

static enum status bad_server(char *error, const char *kind, const char *spec, const char *form)
{
    if (strstr(spec, ",wait=on"))
        return fail(error, STATUS_BAD_VALUE,
                    "'%s:%.200s': with wait=on the machine would wait for a client, which there is "
                    "not; -S waits for a debugger or a QMP client",
                    kind, spec);
    return fail(error, STATUS_BAD_VALUE, "'%s:%.200s' is not %s:%s", kind, spec, kind, form);
}

/* A number that is no port; names are the resolver's. */
static bool is_no_port(const char *port)
{
    char *end;
    long n = strtol(port, &end, 10);

    return !*port || (!*end && (n < 0 || n > 65535));
}

/* @spec: "HOST:PORT", "HOST:PORT,server". An empty host is every address of this machine. */
static enum status open_tcp(struct chardev *c, const char *spec, char *error)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *list = NULL;
    char host[256];
    size_t n = strcspn(spec, ",");
    bool server;

    c->kind = CHARDEV_TCP;
    if (n >= sizeof(host) || !server_options(spec + n, &server) || (spec[n] && !server))
        return bad_server(error, "tcp", spec, "HOST:PORT[,server]");
    memcpy(host, spec, n);
    host[n] = 0;
    char *port = strrchr(host, ':');
    if (!port)
        return fail(error, STATUS_BAD_VALUE, "'tcp:%.200s' has no port", spec);
    *port++ = 0;
    if (is_no_port(port))
        return fail(error, STATUS_BAD_VALUE, "'tcp:%.200s': a port is a number up to 65535", spec);
    int e = getaddrinfo(*host ? host : NULL, port, &hints, &list);
    if (e != 0)
        return fail(error, STATUS_NOT_FOUND, "tcp:%.150s: %s", spec, gai_strerror(e));
    int fd = tcp_socket(list, server);
    freeaddrinfo(list);
    if (fd < 0)
        return fail(error, STATUS_IO, "tcp:%.150s: %s", spec, strerror(errno));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (server)
        c->listener = fd;
    else
        c->in = c->out = fd;
    return STATUS_OK;
}

/* @spec: "PATH,server". A socket that nobody listens at any more is replaced. */
static enum status open_unix(struct chardev *c, const char *spec, char *error)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    size_t n = strcspn(spec, ",");
    struct stat st;
    bool server;

    c->kind = CHARDEV_TCP;
    if (!n || n >= sizeof(a.sun_path) || !server_options(spec + n, &server) || !server)
        return bad_server(error, "unix", spec, "PATH,server");
    memcpy(a.sun_path, spec, n);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool stale = fd >= 0 && stat(a.sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
                 connect(fd, (const struct sockaddr *)&a, sizeof(a)) != 0 && errno == ECONNREFUSED;
    if (stale)
        unlink(a.sun_path);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof(a)) != 0 || listen(fd, 1) != 0) {
        int e = errno;
        if (fd >= 0)
            close(fd);
        return fail(error, STATUS_IO, "unix:%.150s: %s", a.sun_path, strerror(e));
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    c->listener = fd;
    c->socket = strdup(a.sun_path);
    return STATUS_OK;
}

/*
 * A write to a pipe or a terminal that nobody reads blocks. O_NONBLOCK would hold for every program
 * that shares the standard output, so we open it a second time for us alone. Where that cannot be
 * done, small writes follow a poll(): a pipe with any room has room for them.
 */
static void open_stdout(struct chardev *c)
{
    char name[64];
    struct stat st;

    c->out = STDOUT_FILENO;
    if (fstat(STDOUT_FILENO, &st) != 0 || S_ISREG(st.st_mode))
        return;
    c->may_wait = true;
    if (!S_ISFIFO(st.st_mode) && ttyname_r(STDOUT_FILENO, name, sizeof(name)) != 0)
        return;
    int fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return;
    c->out = fd;
    c->own_out = true;
    c->may_wait = false;
}

enum status chardev_open(struct chardev **out, const char *spec, char error[CHARDEV_ERROR_MAX])
{
    enum status s = STATUS_OK;
    struct chardev *c = calloc(1, sizeof(*c));

    if (!c)
        return fail(error, STATUS_NO_MEMORY, "out of memory");
    c->in = c->out = c->listener = -1;
    if (strcmp(spec, "null") == 0 || strcmp(spec, "none") == 0) {
        c->ended = true;
    } else if (strcmp(spec, "stdio") == 0 || strcmp(spec, "mon:stdio") == 0) {
        c->kind = CHARDEV_STDIO;
        c->in = STDIN_FILENO;
        open_stdout(c);
        terminal_raw();
    } else if (strncmp(spec, "file:", 5) == 0) {
        s = open_file(c, spec + 5, error);
    } else if (strcmp(spec, "pty") == 0) {
        s = open_pty(c, error);
    } else if (strncmp(spec, "unix:", 5) == 0) {
        s = open_unix(c, spec + 5, error);
    } else if (strcmp(spec, "memory") == 0) {
        c->kind = CHARDEV_MEMORY;
        c->ended = true;
    } else if (strncmp(spec, "tcp:", 4) == 0) {
        s = open_tcp(c, spec + 4, error);
    } else {
        s = fail(error, STATUS_BAD_VALUE,
                 "there is no back end '%.100s'; use stdio, file:PATH, null, pty, "
                 "tcp:HOST:PORT or unix:PATH,server",
                 spec);
    }
    if (s != STATUS_OK) {
        chardev_close(c);
        return s;
    }
    *out = c;
    return STATUS_OK;
}

bool chardev_begin(struct chardev *c)
{
    if (!c || c->kind != CHARDEV_FILE || outfile_begin(&c->file))
        return true;
    fprintf(stderr, "turbo86: cannot write '%s': %s\n", c->file.path, outfile_why(errno));
    return false;
}

void chardev_close(struct chardev *c)
{
    if (!c)
        return;
    if (c->kind == CHARDEV_STDIO) {
        if (c->own_out)
            close(c->out);
        terminal_restore();
    } else if (c->kind == CHARDEV_FILE) {
        outfile_close(&c->file);
    } else {
        if (c->in >= 0)
            close(c->in);
        if (c->out >= 0 && c->out != c->in)
            close(c->out);
    }
    if (c->listener >= 0)
        close(c->listener);
    if (c->socket)
        unlink(c->socket);
    free(c->socket);
    free(c->backlog);
    free(c);
}

/* The other end has gone: a server waits for the next client. */
static void hang_up(struct chardev *c)
{
    if (c->kind == CHARDEV_TCP) {
        close(c->in);
        c->in = c->out = -1;
        c->kept = 0;
        c->ended = c->listener < 0;
    } else if (c->kind != CHARDEV_PTY) {
        c->ended = true;
    }
}

/* A pseudo-terminal that no program has open. Waiting for it would return at once, for ever. */
static bool deserted(const struct chardev *c)
{
    struct pollfd p = {.fd = c->in};

    return c->kind == CHARDEV_PTY && poll(&p, 1, 0) > 0 && (p.revents & POLLHUP);
}

bool chardev_poll(struct chardev *c, struct pollfd *p)
{
    if (c->in < 0 && c->listener >= 0) {
        int fd = accept(c->listener, NULL, NULL);
        if (fd >= 0) {
            fcntl(fd, F_SETFL, O_NONBLOCK);
            send_at_once(fd);
            c->in = c->out = fd;
            c->clients++;
        }
    }
    p->fd = c->in >= 0 ? c->in : c->listener;
    p->events = POLLIN;
    p->revents = 0;
    return p->fd >= 0 && !c->ended && !deserted(c);
}

size_t chardev_read(struct chardev *c, u8 *to, size_t n)
{
    struct pollfd p;

    if (!chardev_poll(c, &p) || c->in < 0 || poll(&p, 1, 0) <= 0 || n == 0)
        return 0;
    ssize_t got = read(c->in, to, n);
    if (got > 0)
        return (size_t)got;
    if (got == 0 || (errno != EAGAIN && errno != EINTR))
        hang_up(c);
    return 0;
}

/* As write(), but it never waits: -1 and EAGAIN instead. */
static ssize_t put(const struct chardev *c, const u8 *bytes, size_t n)
{
    struct pollfd p = {.fd = c->out, .events = POLLOUT};

    /* send() instead of write(): a client that left must not end us with SIGPIPE. */
    if (c->kind == CHARDEV_TCP)
        return send(c->out, bytes, n, MSG_NOSIGNAL);
    if (c->may_wait) {
        if (poll(&p, 1, 0) <= 0) {
            errno = EAGAIN;
            return -1;
        }
        n = n < SMALL_WRITE ? n : SMALL_WRITE;
    }
    return write(c->out, bytes, n);
}

/* How many of @n bytes are done with: taken, or dropped because nobody is there. */
static size_t put_all(struct chardev *c, const u8 *bytes, size_t n)
{
    size_t done = 0;

    while (done < n && c->out >= 0) {
        ssize_t k = put(c, bytes + done, n - done);
        if (k > 0) {
            done += (size_t)k;
        } else if (k < 0 && errno == EINTR) {
            continue;
        } else if (k < 0 && errno == EAGAIN && !deserted(c)) {
            return done;
        } else {
            if (c->kind == CHARDEV_TCP)
                hang_up(c);
            break;
        }
    }
    return n;
}

static void keep(struct chardev *c, const u8 *bytes, size_t n)
{
    if (n > BACKLOG_MAX - c->kept)
        return;
    if (c->kept + n > c->room) {
        size_t room = (c->kept + n) * 2;
        u8 *larger = realloc(c->backlog, room);
        if (!larger)
            return;
        c->backlog = larger;
        c->room = room;
    }
    memcpy(c->backlog + c->kept, bytes, n);
    c->kept += n;
}

bool chardev_flush(struct chardev *c)
{
    size_t done = put_all(c, c->backlog, c->kept);

    if (done < c->kept) /* put_all() may have hung up, and emptied it */
        memmove(c->backlog, c->backlog + done, c->kept - done);
    c->kept -= done < c->kept ? done : c->kept;
    return c->kept == 0;
}

void chardev_write(struct chardev *c, const u8 *bytes, size_t n)
{
    bool kept = c->kept || c->kind == CHARDEV_MEMORY;
    size_t done = kept ? 0 : put_all(c, bytes, n);

    if (done < n)
        keep(c, bytes + done, n - done);
}

bool chardev_poll_output(const struct chardev *c, struct pollfd *p)
{
    *p = (struct pollfd){.fd = c->out, .events = POLLOUT};
    return c->kept && c->out >= 0;
}

const char *chardev_memory(struct chardev *c)
{
    keep(c, (const u8 *)"", 1);
    return c->kept ? (const char *)c->backlog : "";
}

unsigned chardev_client(const struct chardev *c)
{
    return c->in >= 0 ? c->clients : 0;
}

bool chardev_ended(const struct chardev *c)
{
    return c->ended;
}

bool chardev_is_stdio(const struct chardev *c)
{
    return c->kind == CHARDEV_STDIO;
}

bool chardev_is_keyboard(const struct chardev *c)
{
    return c->kind == CHARDEV_STDIO && isatty(c->in);
}
