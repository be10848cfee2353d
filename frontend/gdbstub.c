/* SPDX-License-Identifier: MIT */
/* The connection, the frames of packets, and when the machine runs. */
#include "frontend/gdbstub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/gdb_private.h"

enum { CTRL_C = 3, SIGNAL_INT = 2, SIGNAL_TRAP = 5 };

/* --- packets --- */

void gdb_send(struct gdbstub *g, const char *text)
{
    u8 sum = 0;

    for (const char *p = text; *p; p++)
        sum = (u8)(sum + (u8)*p);
    int n = snprintf(g->frame, sizeof(g->frame), "%s$%s#%02x", g->owes_ack ? "+" : "", text, sum);
    g->owes_ack = false;
    chardev_write(g->dev, (const u8 *)g->frame, (size_t)n);
}

/* Without an answer it goes alone. */
static void acknowledge(struct gdbstub *g)
{
    if (g->owes_ack)
        chardev_write(g->dev, (const u8 *)"+", 1);
    g->owes_ack = false;
}

static void hold(struct gdbstub *g)
{
    g->holds = true;
    g->stepping = false;
    pc_stop_at(g->pc, 0);
}

/* A client came: it finds the machine stopped. */
static void greet(struct gdbstub *g)
{
    g->client = chardev_client(g->dev);
    g->in_len = 0;
    g->no_ack = false;
    if (!g->holds)
        hold(g);
    gdb_past_note(g);
}

static void on_interrupt(struct gdbstub *g)
{
    if (g->holds)
        return;
    hold(g);
    gdb_report_stop(g, SIGNAL_INT);
}

/* "$text#xx" is complete: check its sum, answer. */
static void on_packet(struct gdbstub *g, char *text, size_t len)
{
    u8 sum = 0;

    for (size_t i = 0; i < len; i++)
        sum = (u8)(sum + (u8)text[i]);
    if (strtoul(text + len + 1, NULL, 16) != sum) {
        if (!g->no_ack)
            chardev_write(g->dev, (const u8 *)"-", 1);
        return;
    }
    g->owes_ack = !g->no_ack;
    text[len] = 0;
    gdb_handle(g, text);
    acknowledge(g);
}

static void on_byte(struct gdbstub *g, u8 byte)
{
    if (g->in_len == 0) {
        if (byte == CTRL_C)
            on_interrupt(g);
        if (byte != '$') /* + and - answer what we sent: TCP loses nothing */
            return;
    }
    if (g->in_len == sizeof(g->in) - 1) {
        g->in_len = 0; /* too long: the sender will complain */
        return;
    }
    g->in[g->in_len++] = (char)byte;
    if (g->in_len < 4 || g->in[g->in_len - 3] != '#')
        return;
    size_t len = g->in_len - 4;
    g->in[g->in_len] = 0;
    g->in_len = 0;
    if (!g->holds)
        hold(g);
    on_packet(g, g->in + 1, len);
}

/* --- the machine --- */

/* The client is gone without a word: what it held stays held, for the next one. */
static void leave(struct gdbstub *g)
{
    g->client = 0;
    pc_debug_remove_all(g->pc);
    gdb_past_free(g);
}

bool gdbstub_update(struct gdbstub *g, enum pc_stop stop)
{
    u8 bytes[512];
    size_t n;

    if (!g)
        return true;
    bool stepped = g->stepping && pc_retired(g->pc) >= g->step_end;
    if (!g->holds && (stop == PC_STOP_DEBUG || stepped)) {
        hold(g);
        gdb_report_stop(g, SIGNAL_TRAP);
    }
    if (!g->holds && g->client)
        gdb_past_note(g);
    while ((n = chardev_read(g->dev, bytes, sizeof(bytes))) > 0) {
        if (g->client && g->client != chardev_client(g->dev))
            leave(g);
        if (!g->client)
            greet(g);
        for (size_t i = 0; i < n; i++)
            on_byte(g, bytes[i]);
    }
    if (g->client && g->client != chardev_client(g->dev))
        leave(g);
    bool flushed = chardev_flush(g->dev);
    (void)flushed; /* else next time */
    return !g->killed;
}

bool gdbstub_holds(const struct gdbstub *g)
{
    return g && g->holds;
}

bool gdbstub_replays(const struct gdbstub *g)
{
    return g && g->replays;
}

void gdbstub_ended(struct gdbstub *g, int status)
{
    char text[8];

    if (!g || !g->client)
        return;
    snprintf(text, sizeof(text), "W%02x", status & 0xff);
    gdb_send(g, text);
    bool flushed = chardev_flush(g->dev);
    (void)flushed;
}

bool gdbstub_poll(struct gdbstub *g, struct pollfd *p)
{
    return g && chardev_poll(g->dev, p);
}

/* --- life --- */

bool gdbstub_open(struct gdbstub **out, const struct config *cfg, char error[GDBSTUB_ERROR_MAX])
{
    const char *spec = config_text(cfg, CONFIG_gdb);
    char server[300], why[CHARDEV_ERROR_MAX];

    *out = NULL;
    if (!spec && config_flag(cfg, CONFIG_gdb_default))
        spec = "tcp::1234";
    if (!spec)
        return true;
    if (config_text(cfg, CONFIG_script)) {
        snprintf(error, GDBSTUB_ERROR_MAX, "-gdb and --script do not go together");
        return false;
    }
    if (strncmp(spec, "tcp:", 4) != 0) {
        snprintf(error, GDBSTUB_ERROR_MAX, "-gdb: '%.100s' is not tcp:HOST:PORT", spec);
        return false;
    }
    bool local = spec[4] == ':'; /* of this host only, unless an address is given */
    snprintf(server, sizeof(server), "tcp:%s%.200s%s", local ? "127.0.0.1" : "", spec + 4,
             strchr(spec, ',') ? "" : ",server");
    struct gdbstub *g = calloc(1, sizeof(*g));
    if (!g) {
        snprintf(error, GDBSTUB_ERROR_MAX, "out of memory");
        return false;
    }
    if (chardev_open(&g->dev, server, why) != STATUS_OK) {
        snprintf(error, GDBSTUB_ERROR_MAX, "-gdb: %s", why);
        free(g);
        return false;
    }
    g->holds = config_flag(cfg, CONFIG_stopped);
    *out = g;
    return true;
}

bool gdbstub_attach(struct gdbstub *g, struct pc *pc, char error[GDBSTUB_ERROR_MAX])
{
    if (!g)
        return true;
    g->pc = pc;
    g->xml = pc_debug_description(pc);
    enum status s = g->xml ? pc_debug_open(pc) : STATUS_NO_MEMORY;
    if (s == STATUS_UNSUPPORTED)
        snprintf(error, GDBSTUB_ERROR_MAX, "-gdb and -jit check do not go together");
    else if (s != STATUS_OK)
        snprintf(error, GDBSTUB_ERROR_MAX, "%s", status_text(s));
    return s == STATUS_OK;
}

void gdbstub_close(struct gdbstub *g)
{
    if (!g)
        return;
    gdb_past_free(g);
    chardev_close(g->dev);
    free(g->xml);
    free(g);
}
