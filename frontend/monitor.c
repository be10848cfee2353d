/* SPDX-License-Identifier: MIT */
#include "frontend/monitor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/monitor_memory.h"
#include "frontend/png.h"
#include "frontend/report.h"
#include "machine/snapshot.h"

#define PROMPT     "(turbo86) "
#define NO_COMMAND "there is no such command; 'help' lists them\n"

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

void monitor_start(struct monitor *m, struct chardev *out, const char *back)
{
    m->len = 0;
    monitor_print(out, "\nturbo86 monitor; 'help' lists the commands, ");
    monitor_print(out, back);
    monitor_print(out, " goes back\n" PROMPT);
}

static bool cmd_quit(struct chardev *out, struct pc *pc, const char *args)
{
    (void)out, (void)pc, (void)args;
    return true;
}

static bool cmd_registers(struct chardev *out, struct pc *pc, const char *args)
{
    char text[4096];

    (void)args;
    pc_dump_registers(pc, text, sizeof(text));
    monitor_print(out, text);
    monitor_print(out, "\n");
    return false;
}

static bool cmd_stats(struct chardev *out, struct pc *pc, const char *args)
{
    char text[4096];

    (void)args;
    pc_dump_stats(pc, text, sizeof(text));
    monitor_print(out, text);
    return false;
}

static bool cmd_jit(struct chardev *out, struct pc *pc, const char *args)
{
    char text[4096];

    (void)args;
    pc_dump_jit(pc, text, sizeof(text));
    monitor_print(out, *text ? text : "code is interpreted\n");
    return false;
}

static bool cmd_block(struct chardev *out, struct pc *pc, const char *args)
{
    char text[4096];

    (void)args;
    pc_dump_drives(pc, text, sizeof(text));
    monitor_print(out, text);
    return false;
}

static bool cmd_memory(struct chardev *out, struct pc *pc, const char *args, bool physical)
{
    char error[MEMORY_ERROR_MAX], *text = monitor_memory(pc, args, physical, error);

    monitor_print(out, text ? text : error);
    free(text);
    return false;
}

static bool cmd_x(struct chardev *out, struct pc *pc, const char *args)
{
    return cmd_memory(out, pc, args, false);
}

static bool cmd_xp(struct chardev *out, struct pc *pc, const char *args)
{
    return cmd_memory(out, pc, args, true);
}

static bool cmd_screendump(struct chardev *out, struct pc *pc, const char *args)
{
    char error[PC_ERROR_MAX];
    struct pc_frame f;
    bool may = pc_may_write(pc, args, error);
    enum status s = may ? pc_screen_frame(pc, &f) : STATUS_CONFLICT;

    errno = 0;
    if (s == STATUS_OK) {
        s = png_save(args, f.pixels, f.width, f.height, f.width);
        free(f.pixels);
    }
    if (s != STATUS_OK) {
        const char *why = may ? report_why(s) : error;
        monitor_print(out, "the screen could not be saved: ");
        monitor_print(out, why);
        monitor_print(out, "\n");
    }
    return false;
}

static bool cmd_speed(struct chardev *out, struct pc *pc, const char *args)
{
    if (pc_deterministic(pc))
        monitor_print(out, "time is not the host's in a deterministic run\n");
    else if (!pc_set_speed(pc, args))
        monitor_print(out,
                      "a speed is max, 8086, 286, 386, 486, 486dx2-66, pentium-133 or a number "
                      "like 25mips\n");
    return false;
}

static bool cmd_screen(struct chardev *out, struct pc *pc, const char *args)
{
    char *text = pc_screen_text(pc);

    (void)args;
    monitor_print(out, text && *text ? text : "no text on the screen\n");
    free(text);
    return false;
}

static bool cmd_status(struct chardev *out, struct pc *pc, const char *args)
{
    (void)args;
    monitor_print(out, pc_is_off(pc)    ? "VM status: shutdown\n"
                       : pc_is_held(pc) ? "VM status: paused\n"
                                        : "VM status: running\n");
    return false;
}

static bool cmd_stop(struct chardev *out, struct pc *pc, const char *args)
{
    (void)out, (void)args;
    if (!pc_is_off(pc))
        pc_set_held(pc, true);
    return false;
}

static bool cmd_cont(struct chardev *out, struct pc *pc, const char *args)
{
    (void)args;
    if (pc_is_off(pc))
        monitor_print(out, "the machine is off: system_reset it first\n");
    else
        pc_set_held(pc, false);
    return false;
}

static bool cmd_reset(struct chardev *out, struct pc *pc, const char *args)
{
    (void)out, (void)args;
    pc_reset(pc);
    return false;
}

static bool cmd_nmi(struct chardev *out, struct pc *pc, const char *args)
{
    (void)out, (void)args;
    pc_nmi(pc);
    return false;
}

static bool cmd_powerdown(struct chardev *out, struct pc *pc, const char *args)
{
    (void)args;
    if (!pc_power_button(pc))
        monitor_print(out, "the guest does not listen to the power button\n");
    return false;
}

static bool change(struct chardev *out, struct pc *pc, const char *drive, const char *path)
{
    char error[PC_ERROR_MAX + 1];

    if (pc_change_medium(pc, drive, path, error) != STATUS_OK) {
        monitor_print(out, error);
        monitor_print(out, "\n");
    }
    return false;
}

static bool cmd_change(struct chardev *out, struct pc *pc, const char *args)
{
    char drive[32];
    size_t n = strcspn(args, " ");

    if (n >= sizeof(drive) || !args[n]) {
        monitor_print(out, "change DRIVE FILE, for example change cdrom disc.iso\n");
        return false;
    }
    memcpy(drive, args, n);
    drive[n] = 0;
    return change(out, pc, drive, args + n + strspn(args + n, " "));
}

static bool cmd_eject(struct chardev *out, struct pc *pc, const char *args)
{
    return change(out, pc, args, NULL);
}

static bool cmd_sendkey(struct chardev *out, struct pc *pc, const char *args)
{
    char text[160], error[PC_ERROR_MAX + 2];

    snprintf(text, sizeof(text), "<%.150s>", args);
    if (strpbrk(args, "<>")) /* what follows would be typed, too */
        monitor_print(out, "sendkey KEY[-KEY...], for example sendkey ctrl-alt-delete\n");
    else if (pc_type(pc, text, error) != STATUS_OK) {
        monitor_print(out, error);
        monitor_print(out, "\n");
    }
    return false;
}

static bool cmd_savevm(struct chardev *out, struct pc *pc, const char *args)
{
    char error[PC_ERROR_MAX + 2] = "";

    if (pc_snapshot_save(pc, args, error) != STATUS_OK)
        monitor_print(out, strcat(error, "\n"));
    return false;
}

static bool cmd_loadvm(struct chardev *out, struct pc *pc, const char *args)
{
    char error[PC_ERROR_MAX + 2] = "";

    if (pc_snapshot_load(pc, args, error) != STATUS_OK)
        monitor_print(out, strcat(error, "\n"));
    return false;
}

/* Up to @max numbers and nothing else. Returns how many; 0: it is something else. */
static unsigned numbers(const char *args, long low, long high, int *to, unsigned max)
{
    unsigned n = 0;

    while (*args) {
        char *end;
        long val = strtol(args, &end, 10);
        if (n == max || end == args || (*end && *end != ' ') || val < low || val > high)
            return 0;
        to[n++] = (int)val;
        args = end + strspn(end, " ");
    }
    return n;
}

static bool cmd_mouse_move(struct chardev *out, struct pc *pc, const char *args)
{
    enum { FAR = 65535 };
    int d[3] = {0};

    if (numbers(args, -FAR, FAR, d, 3) >= 2)
        pc_mouse_move(pc, d[0], d[1], d[2]);
    else
        monitor_print(out, "mouse_move DX DY [DZ]: right, down, wheel towards you\n");
    return false;
}

static bool cmd_mouse_button(struct chardev *out, struct pc *pc, const char *args)
{
    int down;

    if (numbers(args, 0, 7, &down, 1) == 1)
        pc_mouse_buttons(pc, (u8)down);
    else
        monitor_print(out, "mouse_button STATE: the sum of 1 (left), 2 (right), 4 (middle)\n");
    return false;
}

static bool cmd_link(struct chardev *out, struct pc *pc, const char *args)
{
    unsigned nic;
    char state[4];

    if (sscanf(args, "%u %3s", &nic, state) != 2 ||
        (strcmp(state, "on") != 0 && strcmp(state, "off") != 0))
        monitor_print(out, "link NIC on|off: 0 is the first network card\n");
    else if (!pc_nic_unplug(pc, nic, strcmp(state, "off") == 0))
        monitor_print(out, "there is no such network card\n");
    return false;
}

static bool cmd_help(struct chardev *out, struct pc *pc, const char *args);
static bool cmd_help_of(struct chardev *out, struct pc *pc, const char *args);
static bool cmd_info(struct chardev *out, struct pc *pc, const char *args);

static const struct {
    const char *name;
    bool (*run)(struct chardev *out, struct pc *pc, const char *args);
    const char *args; /* NULL: it takes none */
    const char *help;
} commands[] = {
    {"change", cmd_change, "DRIVE FILE", "put FILE into floppy0, floppy1 or cdrom"},
    {"cont", cmd_cont, NULL, "let the machine go on after a stop"},
    {"eject", cmd_eject, "DRIVE", "take out what is in it"},
    {"help", cmd_help, NULL, "this list"},
    {"help", cmd_help_of, "COMMAND", "the lines of this list that begin with it"},
    {"info", cmd_info, NULL, "what info can tell"},
    {"info block", cmd_block, NULL, "the drives and what is in them"},
    {"info jit", cmd_jit, NULL, "translated code"},
    {"info registers", cmd_registers, NULL, "the CPU's registers"},
    {"info stats", cmd_stats, NULL, "counters"},
    {"info status", cmd_status, NULL, "whether the machine runs"},
    {"link", cmd_link, "NIC on|off", "plug the cable of a network card in, or out"},
    {"loadvm", cmd_loadvm, "FILE", "go back to the snapshot FILE"},
    {"mouse_button", cmd_mouse_button, "STATE", "hold buttons: 1 left, 2 right, 4 middle"},
    {"mouse_move", cmd_mouse_move, "DX DY [DZ]", "move the mouse, turn its wheel"},
    {"nmi", cmd_nmi, NULL, "a non-maskable interrupt"},
    {"quit", cmd_quit, NULL, "end the run"},
    {"savevm", cmd_savevm, "FILE", "save a snapshot of the machine to FILE"},
    {"screen", cmd_screen, NULL, "the text screen"},
    {"screendump", cmd_screendump, "FILE.png", "save the screen as a picture"},
    {"sendkey", cmd_sendkey, "KEY[-KEY...]", "press keys together: ctrl-alt-delete, f1, a"},
    {"speed", cmd_speed, "SPEED", "run no faster than this: 386, 25mips, max"},
    {"stop", cmd_stop, NULL, "let the machine stand still until cont"},
    {"system_powerdown", cmd_powerdown, NULL, "press the power button"},
    {"system_reset", cmd_reset, NULL, "reset the machine"},
    {"x", cmd_x, "[/NFS] ADDRESS", "N items at a linear address; F: x d u c, S: b h w"},
    {"xp", cmd_xp, "[/NFS] ADDRESS", "the same at a physical address"},
};

static void tell(struct chardev *out, unsigned i)
{
    char text[160], name[60];

    snprintf(name, sizeof(name), "%s%s%s", commands[i].name, commands[i].args ? " " : "",
             commands[i].args ? commands[i].args : "");
    snprintf(text, sizeof(text), "%-22s%s\n", name, commands[i].help);
    monitor_print(out, text);
}

/* The commands that begin with @with. False: there are none. */
static bool list(struct chardev *out, const char *with)
{
    bool any = false;

    for (unsigned i = 0; i < ARRAY_LEN(commands); i++) {
        if (strncmp(commands[i].name, with, strlen(with)) != 0)
            continue;
        tell(out, i);
        any = true;
    }
    return any;
}

static bool cmd_help(struct chardev *out, struct pc *pc, const char *args)
{
    (void)pc, (void)args;
    (void)list(out, "");
    return false;
}

static bool cmd_help_of(struct chardev *out, struct pc *pc, const char *args)
{
    (void)pc;
    if (!list(out, args))
        monitor_print(out, NO_COMMAND);
    return false;
}

static bool cmd_info(struct chardev *out, struct pc *pc, const char *args)
{
    (void)pc, (void)args;
    (void)list(out, "info ");
    return false;
}

/* What is between the blanks around it. */
static char *trimmed(struct monitor *m)
{
    while (m->len && m->line[m->len - 1] == ' ')
        m->len--;
    m->line[m->len] = 0;
    return m->line + strspn(m->line, " ");
}

/* What is behind the command @name, each blank of which is one or more; NULL: it is another one. */
static const char *behind(const char *line, const char *name)
{
    for (; *name; name++) {
        if (*line != *name)
            return NULL;
        line += *name == ' ' ? strspn(line, " ") : 1;
    }
    return line;
}

static bool run_line(struct monitor *m, struct chardev *out, struct pc *pc)
{
    const char *line = trimmed(m);

    if (!*line)
        return false;
    if (strcmp(line, "q") == 0)
        return true;
    for (unsigned i = 0; i < ARRAY_LEN(commands); i++) {
        const char *args = behind(line, commands[i].name);
        if (!args)
            continue;
        if (!*args && !commands[i].args)
            return commands[i].run(out, pc, args);
        if (!*args) {
            tell(out, i);
            return false;
        }
        if (commands[i].args && (*args == ' ' || *args == '/')) /* x/4w, as elsewhere */
            return commands[i].run(out, pc, args + strspn(args, " "));
    }
    monitor_print(out, NO_COMMAND);
    return false;
}

bool monitor_command(const char *line, struct chardev *out, struct pc *pc)
{
    struct monitor m;

    m.len = (unsigned)snprintf(m.line, sizeof(m.line), "%s", line);
    if (m.len < sizeof(m.line))
        return run_line(&m, out, pc);
    monitor_print(out, "the line is too long\n");
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
