/* SPDX-License-Identifier: MIT */
/* The connection: greeting, requests one after the other, events. */
#include "frontend/qmp.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "frontend/json.h"
#include "frontend/qmp_private.h"

#define GREETING                                                                                   \
    "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 1, \"major\": 0}, "              \
    "\"package\": \"turbo86\"}, \"capabilities\": []}}"

void qmp_send(struct qmp *q, const char *fmt, ...)
{
    char *line = NULL;
    size_t len;
    FILE *out = open_memstream(&line, &len);
    va_list ap;

    if (!out)
        return;
    va_start(ap, fmt);
    vfprintf(out, fmt, ap);
    va_end(ap);
    fputs("\r\n", out);
    if (fclose(out) == 0)
        chardev_write(q->dev, (const u8 *)line, len);
    free(line);
}

void qmp_event(struct qmp *q, const char *name, const char *data)
{
    struct timespec t;

    if (!q->negotiated)
        return;
    clock_gettime(CLOCK_REALTIME, &t);
    qmp_send(q,
             "{\"timestamp\": {\"seconds\": %lld, \"microseconds\": %ld}, \"event\": \"%s\"%s%s}",
             (long long)t.tv_sec, t.tv_nsec / 1000, name, *data ? ", \"data\": " : "", data);
}

static void greet(struct qmp *q)
{
    q->client = chardev_client(q->dev);
    q->negotiated = false;
    q->in_len = 0;
    if (q->client)
        qmp_send(q, GREETING);
}

/* With -no-shutdown a guest that is off can be reset, and then waits for a cont. */
static void tell_power(struct qmp *q, struct pc *pc)
{
    if (pc_is_off(pc) == q->off)
        return;
    q->off = !q->off;
    q->holds = q->prelaunch = !q->off;
    pc_set_held(pc, q->holds);
    if (q->off) {
        qmp_event(q, "SHUTDOWN", "{\"guest\": true, \"reason\": \"guest-shutdown\"}");
        qmp_event(q, "STOP", "");
    }
}

/* A client of ours is not the only one who stops the machine and lets it go on. */
static void tell_held(struct qmp *q, const struct pc *pc)
{
    if (pc_is_off(pc) || pc_is_held(pc) == q->holds)
        return;
    q->holds = !q->holds;
    q->prelaunch = q->prelaunch && q->holds;
    qmp_event(q, q->holds ? "STOP" : "RESUME", "");
}

/* All requests that are whole. */
static void take_requests(struct qmp *q, struct pc *pc)
{
    const char *p = q->in, *end;

    q->in[q->in_len] = 0;
    for (;;) {
        p += strspn(p, " \t\r\n");
        enum json_state s = *p ? json_skip(p, &end) : JSON_SHORT;
        if (s == JSON_SHORT && q->in_len < QMP_LINE - 1)
            break;
        if (s == JSON_WHOLE) {
            qmp_execute(q, pc, p);
            tell_power(q, pc);
            tell_held(q, pc);
            p = end;
            continue;
        }
        qmp_send(q, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"JSON parse error\"}}");
        p = q->in + q->in_len; /* where the next begins cannot be told */
        break;
    }
    q->in_len -= (size_t)(p - q->in);
    memmove(q->in, p, q->in_len);
}

static void tell_resets(struct qmp *q, const struct pc *pc)
{
    if (pc_resets(pc) != q->resets)
        qmp_event(q, "RESET", "{\"guest\": true, \"reason\": \"guest-reset\"}");
    q->resets = pc_resets(pc);
}

bool qmp_update(struct qmp *q, struct pc *pc)
{
    struct pollfd p;
    size_t n;

    if (!q)
        return true;
    if (!q->started)
        q->resets = pc_resets(pc);
    q->started = true;
    bool there = chardev_poll(q->dev, &p); /* lets a client in, who waits for the greeting */
    (void)there;
    if (q->client != chardev_client(q->dev))
        greet(q);
    tell_resets(q, pc);
    tell_power(q, pc);
    tell_held(q, pc);
    while (!q->quit &&
           (n = chardev_read(q->dev, (u8 *)q->in + q->in_len, QMP_LINE - 1 - q->in_len)) > 0) {
        u8 *nul = memchr(q->in + q->in_len, 0, n);
        if (nul)
            *nul = '\x01'; /* is wrong wherever it stands */
        q->in_len += n;
        take_requests(q, pc);
    }
    bool flushed = chardev_flush(q->dev);
    (void)flushed; /* else next time */
    return !q->quit;
}

bool qmp_holds(const struct qmp *q)
{
    return q && q->holds;
}

void qmp_ended(struct qmp *q, enum pc_stop stop)
{
    if (!q || !q->client)
        return;
    qmp_event(q, "SHUTDOWN",
              stop == PC_STOP_RESET ? "{\"guest\": true, \"reason\": \"guest-reset\"}"
                                    : "{\"guest\": true, \"reason\": \"guest-shutdown\"}");
    bool flushed = chardev_flush(q->dev);
    (void)flushed;
}

bool qmp_poll(struct qmp *q, struct pollfd *p)
{
    return q && chardev_poll(q->dev, p);
}

bool qmp_open(struct qmp **out, const struct config *cfg, char error[QMP_ERROR_MAX])
{
    const char *spec = config_text(cfg, CONFIG_qmp);
    char server[300], why[CHARDEV_ERROR_MAX];

    *out = NULL;
    if (!spec)
        return true;
    if (strncmp(spec, "unix:", 5) != 0 || strlen(spec) >= sizeof(server) - 8) {
        snprintf(error, QMP_ERROR_MAX, "-qmp: '%.100s' is not unix:PATH", spec);
        return false;
    }
    snprintf(server, sizeof(server), "%s%s", spec, strchr(spec, ',') ? "" : ",server");
    struct qmp *q = calloc(1, sizeof(*q));
    if (!q) {
        snprintf(error, QMP_ERROR_MAX, "out of memory");
        return false;
    }
    if (chardev_open(&q->dev, server, why) != STATUS_OK) {
        snprintf(error, QMP_ERROR_MAX, "-qmp: %s", why);
        free(q);
        return false;
    }
    q->holds = q->prelaunch = config_flag(cfg, CONFIG_stopped);
    *out = q;
    return true;
}

void qmp_close(struct qmp *q)
{
    if (!q)
        return;
    chardev_close(q->dev);
    free(q);
}
