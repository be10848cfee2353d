/* SPDX-License-Identifier: MIT */
#include "frontend/console.h"

#include <stdlib.h>
#include <string.h>

#include "frontend/monitor.h"

enum { READ_SIZE = 64 };

struct console {
    struct chardev *dev;
    struct monitor monitor;
    unsigned client; /* that was greeted */
};

/* A port on the terminal, or the screen, has Ctrl-a c there. */
static bool console_wanted(const struct config *cfg, bool free_terminal)
{
    const char *where = config_text(cfg, CONFIG_monitor);

    if (strcmp(where, "none") == 0)
        return false;
    if (strcmp(where, "stdio") != 0)
        return true;
    return cfg->value[CONFIG_monitor].set && free_terminal;
}

enum status console_open(struct console **out, const struct config *cfg, bool free_terminal,
                         char error[CHARDEV_ERROR_MAX])
{
    *out = NULL;
    if (!console_wanted(cfg, free_terminal))
        return STATUS_OK;
    struct console *c = calloc(1, sizeof(*c));
    if (!c)
        return STATUS_NO_MEMORY;
    enum status s = chardev_open(&c->dev, config_text(cfg, CONFIG_monitor), error);
    if (s != STATUS_OK) {
        free(c);
        return s;
    }
    *out = c;
    return STATUS_OK;
}

/* Whoever comes is greeted: at a socket each client, at the terminal once. */
static void greet(struct console *c)
{
    unsigned client = chardev_is_stdio(c->dev) ? 1 : chardev_client(c->dev);

    if (client && client != c->client)
        monitor_start(&c->monitor, c->dev, "Ctrl-a c");
    c->client = client;
}

bool console_update(struct console *c, struct pc *pc)
{
    u8 bytes[READ_SIZE];
    bool on = true;
    size_t n;

    if (!c)
        return true;
    greet(c);
    do {
        n = chardev_read(c->dev, bytes, sizeof(bytes));
        for (size_t i = 0; i < n && on; i++)
            on = !monitor_input(&c->monitor, c->dev, pc, bytes[i]);
    } while (n == sizeof(bytes) && on);
    chardev_flush(c->dev);
    return on;
}

bool console_poll(struct console *c, struct pollfd *p)
{
    return c && chardev_poll(c->dev, p);
}

void console_close(struct console *c)
{
    if (!c)
        return;
    chardev_close(c->dev);
    free(c);
}
