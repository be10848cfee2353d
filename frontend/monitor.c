/* SPDX-License-Identifier: MIT */
#include "frontend/monitor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROMPT "(turbo86) "

void monitor_print(struct chardev *out, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        chardev_write(out, (const u8 *)text, n);
        text += n;
        if (*text == '\n') {
            chardev_write(out, (const u8 *)"\r\n", 2);
            text++;
        }
    }
}

void monitor_start(struct monitor *m, struct chardev *out)
{
    m->len = 0;
    monitor_print(out, "\nturbo86 monitor; 'help' lists the commands, Ctrl-a c goes back\n" PROMPT);
}

static bool cmd_quit(struct chardev *out, struct pc *pc)
{
    (void)out, (void)pc;
    return true;
}

static bool cmd_registers(struct chardev *out, struct pc *pc)
{
    char text[4096];

    pc_dump_registers(pc, text, sizeof(text));
    monitor_print(out, text);
    return false;
}

static bool cmd_stats(struct chardev *out, struct pc *pc)
{
    char text[4096];

    pc_dump_stats(pc, text, sizeof(text));
    monitor_print(out, text);
    return false;
}

static bool cmd_screen(struct chardev *out, struct pc *pc)
{
    char *text = pc_screen_text(pc);

    monitor_print(out, text && *text ? text : "no text on the screen\n");
    free(text);
    return false;
}

static bool cmd_reset(struct chardev *out, struct pc *pc)
{
    (void)out;
    pc_reset(pc);
    return false;
}

static bool cmd_nmi(struct chardev *out, struct pc *pc)
{
    (void)out;
    pc_nmi(pc);
    return false;
}

static bool cmd_powerdown(struct chardev *out, struct pc *pc)
{
    if (!pc_power_button(pc))
        monitor_print(out, "the guest does not listen to the power button\n");
    return false;
}

static bool cmd_help(struct chardev *out, struct pc *pc);

static const struct {
    const char *name;
    bool (*run)(struct chardev *out, struct pc *pc);
    const char *help;
} commands[] = {
    {"help", cmd_help, "this list"},
    {"info registers", cmd_registers, "the CPU's registers"},
    {"info stats", cmd_stats, "counters"},
    {"nmi", cmd_nmi, "a non-maskable interrupt"},
    {"quit", cmd_quit, "end the run"},
    {"screen", cmd_screen, "the text screen"},
    {"system_powerdown", cmd_powerdown, "press the power button"},
    {"system_reset", cmd_reset, "reset the machine"},
};

static bool cmd_help(struct chardev *out, struct pc *pc)
{
    char text[80];

    (void)pc;
    for (unsigned i = 0; i < ARRAY_LEN(commands); i++) {
        snprintf(text, sizeof(text), "%-18s%s\n", commands[i].name, commands[i].help);
        monitor_print(out, text);
    }
    return false;
}

static bool run_line(struct monitor *m, struct chardev *out, struct pc *pc)
{
    if (m->len == 0)
        return false;
    if (strcmp(m->line, "q") == 0)
        return true;
    for (unsigned i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(m->line, commands[i].name) == 0)
            return commands[i].run(out, pc);
    }
    monitor_print(out, "there is no such command; 'help' lists them\n");
    return false;
}

bool monitor_input(struct monitor *m, struct chardev *out, struct pc *pc, u8 byte)
{
    if (byte == '\r' || byte == '\n') {
        monitor_print(out, "\n");
        m->line[m->len] = 0;
        if (run_line(m, out, pc))
            return true;
        m->len = 0;
        monitor_print(out, PROMPT);
    } else if ((byte == 8 || byte == 127) && m->len) {
        m->len--;
        monitor_print(out, "\b \b");
    } else if (byte >= ' ' && byte < 127 && m->len < sizeof(m->line) - 1) {
        m->line[m->len++] = (char)byte;
        chardev_write(out, &byte, 1);
    }
    return false;
}
