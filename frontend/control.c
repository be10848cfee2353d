/* SPDX-License-Identifier: MIT */
#include "frontend/control.h"

#include <stdio.h>

#include "frontend/console.h"
#include "frontend/gdbstub.h"
#include "frontend/qmp.h"

static bool tell(bool ok, const char *error)
{
    if (!ok)
        fprintf(stderr, "turbo86: %s\n", error);
    return ok;
}

bool control_open(struct control *c, const struct config *cfg)
{
    char error[GDBSTUB_ERROR_MAX] = "";

    if (config_flag(cfg, CONFIG_stopped) && !config_text(cfg, CONFIG_gdb) &&
        !config_flag(cfg, CONFIG_gdb_default) && !config_text(cfg, CONFIG_qmp))
        return tell(false, "-S: nobody could start the machine; add -s, -gdb or -qmp");
    return tell(gdbstub_open(&c->gdb, cfg, error), error) &&
           tell(qmp_open(&c->qmp, cfg, error), error);
}

bool control_attach(struct control *c, const struct config *cfg, struct pc *pc, bool free_terminal)
{
    char error[GDBSTUB_ERROR_MAX] = "", text[CHARDEV_ERROR_MAX] = "out of memory";

    if (console_open(&c->console, cfg, free_terminal, text) != STATUS_OK) {
        fprintf(stderr, "turbo86: -monitor: %s\n", text);
        return false;
    }
    pc_set_held(pc, qmp_holds(c->qmp));
    return tell(gdbstub_attach(c->gdb, pc, error), error);
}

void control_close(struct control *c)
{
    gdbstub_close(c->gdb);
    qmp_close(c->qmp);
    console_close(c->console);
}

bool control_holds(const struct control *c, const struct pc *pc)
{
    return gdbstub_holds(c->gdb) || pc_is_held(pc);
}

bool control_replays(const struct control *c)
{
    return gdbstub_replays(c->gdb);
}

bool control_update(struct control *c, struct pc *pc, enum pc_stop stop)
{
    bool on = gdbstub_update(c->gdb, stop);

    on = console_update(c->console, pc) && on;
    return qmp_update(c->qmp, pc) && on;
}

void control_ended(struct control *c, enum pc_stop stop, int status)
{
    gdbstub_ended(c->gdb, status);
    qmp_ended(c->qmp, stop);
}

unsigned control_poll(struct control *c, struct pollfd fds[CONTROL_FDS])
{
    unsigned n = 0;

    if (gdbstub_poll(c->gdb, &fds[n]))
        n++;
    if (qmp_poll(c->qmp, &fds[n]))
        n++;
    if (console_poll(c->console, &fds[n]))
        n++;
    return n;
}
